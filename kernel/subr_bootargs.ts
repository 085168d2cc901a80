// Boot arguments: words of the kernel's command line, `name` or `name=value`.
//
// The boot loader's line is copied before anything may overwrite it, and split
// in place: every word ends in a NUL. Quotes (' or ") keep blanks in a word and
// are removed, as in `ddb.commandonenter="trace; show registers"`. The first
// word is the path of the kernel, by Multiboot custom, and is found like any other.
import { bss, frame_alloc } from "./i386/cpufunc";
import { strlen, strncmp, strtoul } from "./libkern";

const BOOTARGS_SIZE: u32 = 2048;

/** Bytes of the split line that are in use. */
const bootargs_length: usize = memory.data<u32>([0]);

function bootargs_buffer(): usize {
  return bss(2048, 4);
}

/** Copies and splits a command line (a NUL-terminated string). A line that is too long is cut. */
export function bootargs_init(line: usize): void {
  const buffer = bootargs_buffer();
  let length: u32 = 0;
  let quote: u32 = 0;
  while (length < BOOTARGS_SIZE - 1) {
    const byte: u32 = load<u8>(line++);
    if (byte == 0) break;
    if (byte == quote) {
      quote = 0;
      continue;
    }
    if (quote == 0 && (byte == 0x22 || byte == 0x27)) {
      quote = byte;
      continue;
    }
    store<u8>(buffer + length++, quote == 0 && (byte == 0x20 || byte == 0x09) ? 0 : byte);
  }
  store<u8>(buffer + length++, 0);
  store<u32>(bootargs_length, length);
}

/**
 * The value of the last argument `name=value`: a NUL-terminated string in
 * static storage. `name` alone has the value "". Returns 0 when there is none.
 */
export function bootarg(name: usize): usize {
  const length = strlen(name);
  let found: usize = 0;
  let at = bootargs_buffer();
  const end = at + load<u32>(bootargs_length);
  while (at < end) {
    const size = strlen(at);
    if (size >= length && strncmp(at, name, length) == 0) {
      const after = load<u8>(at + length);
      if (after == 0) found = at + length;
      else if (after == 0x3d) found = at + length + 1;
    }
    at += size + 1;
  }
  return found;
}

/** The number given as `name=number` (decimal, 0x hex or 0 octal, then K, M or G), else `dflt`. */
export function bootarg_u32(name: usize, dflt: u32): u32 {
  const value = bootarg(name);
  if (value == 0 || load<u8>(value) == 0) return dflt;
  const end = frame_alloc(4);
  const number = strtoul(value, end, 0);
  const suffix = load<u8>(load<usize>(end)) | 0x20;
  if (suffix == 0x6b) return number << 10;
  if (suffix == 0x6d) return number << 20;
  if (suffix == 0x67) return number << 30;
  return number;
}
