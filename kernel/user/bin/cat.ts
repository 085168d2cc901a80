// cat(1): copies files, or the standard input, to the standard output. -n numbers lines, -b those that are not empty,
// -s drops repeated empty ones, -v shows what cannot be printed, -e also ends of lines, -t also tabs; -u is the default.
import { bss } from "../../i386/cpufunc";
import { strcmp } from "../../libkern";
import { set_progname, usage, warn } from "../lib/errors";
import { O_RDONLY } from "../lib/files";
import { getopt, optind } from "../lib/getopt";
import { Input, free_input, new_input, read_line } from "../lib/input";
import { flush, printf, put_bytes, putc, write_all } from "../lib/stdio";
import { close, open, read } from "../lib/syscalls";

const BUFFER_SIZE: u32 = 16384;

@unmanaged
class Options {
  numbers: u32;
  /** Empty lines have no number. */
  filled: u32;
  squeeze: u32;
  visible: u32;
  ends: u32;
  tabs: u32;
  /** The number of the next line. */
  line: u32;
  /** The last line was empty. */
  empty: u32;
}
const options = changetype<Options>(memory.data(offsetof<Options>()));

function copy_file(fd: i32, name: usize): i32 {
  const buffer = bss(BUFFER_SIZE, 16);
  while (true) {
    const n = read(fd, buffer, BUFFER_SIZE);
    if (n == 0) return 0;
    if (n < 0) {
      warn(name);
      return 1;
    }
    if (write_all(1, buffer, n) != 0) {
      warn(cs("stdout"));
      return 1;
    }
  }
}

/** Shows a byte: control characters as ^X, bytes above 127 behind M-. */
function put_visible(byte: u32): void {
  if (byte == 9 && options.tabs == 0) return putc(byte);
  if (byte >= 0x80) {
    putc(0x4d);
    putc(0x2d);
    byte &= 0x7f;
  }
  if (byte >= 0x20 && byte != 0x7f) return putc(byte);
  putc(0x5e);
  putc(byte == 0x7f ? 0x3f : byte + 0x40);
}

function put_line(input: Input): void {
  const isEmpty = input.length == 0 && input.complete != 0;
  if (options.squeeze != 0 && isEmpty && options.empty != 0) return;
  options.empty = u32(isEmpty);
  if (options.numbers != 0 && !(options.filled != 0 && isEmpty)) printf(cs("%6u\t"), options.line++);
  if (options.visible == 0) put_bytes(input.line, input.length);
  else for (let i: u32 = 0; i < input.length; i++) put_visible(load<u8>(input.line + i));
  if (input.complete == 0) return;
  if (options.ends != 0) putc(0x24);
  putc(0x0a);
}

function copy_lines(fd: i32, name: usize): i32 {
  const input = new_input(fd);
  while (read_line(input)) put_line(input);
  const failed = input.failed;
  free_input(input);
  flush();
  if (failed != 0) warn(name);
  return i32(failed);
}

function take_option(letter: i32): void {
  switch (letter) {
    case 0x62: options.filled = 1; // as -n
    case 0x6e: options.numbers = 1; break;
    case 0x73: options.squeeze = 1; break;
    case 0x65:
      options.ends = 1;
      options.visible = 1;
      break;
    case 0x74:
      options.tabs = 1;
      options.visible = 1;
      break;
    case 0x76: options.visible = 1; break;
    case 0x75: break;
    default: usage(cs("cat [-benstuv] [-] [file ...]"));
  }
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("cat"));
  const letters = cs("benstuv");
  for (let letter = getopt(argc, argv, letters); letter != -1; letter = getopt(argc, argv, letters)) take_option(letter);
  const plain = (options.numbers | options.squeeze | options.visible) == 0;
  let status = 0;
  let at = optind();
  options.line = 1;
  do {
    const name = at < argc ? load<usize>(argv + 4 * at) : cs("-");
    const standard = strcmp(name, cs("-")) == 0;
    const fd = standard ? 0 : open(name, O_RDONLY, 0);
    if (fd < 0) {
      warn(name);
      status = 1;
    } else {
      const shown = standard ? cs("stdin") : name;
      if ((plain ? copy_file(fd, shown) : copy_lines(fd, shown)) != 0) status = 1;
      if (!standard) close(fd);
    }
    at++;
  } while (at < argc);
  return status;
}
