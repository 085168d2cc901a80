// exec of scripts: files that begin with `#!`, the path of an interpreter, and perhaps one argument for it.
//
//   #!/bin/sh -e          exec of ./f with arguments f a b  ->  /bin/sh  "/bin/sh" "-e" "./f" "a" "b"
//
// The rest of the line is one argument, blanks and all. The line counts up to MAXINTERP bytes.
import { memmove } from "./i386/support";
import { ExecPackage } from "./kern_exec";
import { memcpy, strlen } from "./libkern";
import { E2BIG, ENOEXEC } from "./sys/errno";
import { ARG_MAX, MAXINTERP } from "./sys/exec";

const HASH_BANG: u32 = 0x2123;
const NEWLINE: u32 = 0x0a;

function is_blank(byte: u32): bool {
  return byte == 0x20 || byte == 0x09;
}

/** Ends the line at its newline and at the last byte that is no blank. False when the newline is too far away. */
function end_line(line: usize, length: u32): bool {
  let at: u32 = 0;
  while (at < length && load<u8>(line + at) != NEWLINE) {
    // A NUL would end the words too early.
    if (load<u8>(line + at) == 0) return false;
    at++;
  }
  if (at == length) return false;
  while (at > 0 && is_blank(load<u8>(line + at - 1))) at--;
  store<u8>(line + at, 0);
  return true;
}

function skip_blanks(at: usize): usize {
  while (is_blank(load<u8>(at))) at++;
  return at;
}

/** Puts a string of `size` bytes before those of the package. E2BIG. */
function prepend(pack: ExecPackage, string: usize, size: u32): i32 {
  if (pack.length + size > ARG_MAX) return E2BIG;
  memmove(pack.strings + size, pack.strings, pack.length);
  memcpy(pack.strings, string, size);
  pack.length += size;
  pack.argc++;
  return 0;
}

/** Takes the first argument away. */
function drop_first(pack: ExecPackage): void {
  if (pack.argc == 0) return;
  const size = strlen(pack.strings) + 1;
  pack.length -= size;
  memmove(pack.strings, pack.strings + size, pack.length);
  pack.argc--;
}

/** Does the file whose first `length` bytes are at `head` want an interpreter? */
export function is_script(head: usize, length: u32): bool {
  return length >= 2 && load<u16>(head) == HASH_BANG;
}

/**
 * Has the package run the interpreter of the script whose beginning (`length` bytes, at most MAXINTERP) is at `head`,
 * memory of the package's own. ENOEXEC: the line names none, or is too long. E2BIG.
 */
export function exec_script(pack: ExecPackage, head: usize, length: u32): i32 {
  if (!end_line(head + 2, length - 2)) return ENOEXEC;
  const interpreter = skip_blanks(head + 2);
  if (load<u8>(interpreter) == 0) return ENOEXEC;
  let at = interpreter;
  while (load<u8>(at) != 0 && !is_blank(load<u8>(at))) at++;
  const argument = skip_blanks(at);
  const has_argument = load<u8>(argument) != 0;
  store<u8>(at, 0);
  drop_first(pack);
  let error = prepend(pack, pack.path, strlen(pack.path) + 1);
  if (error == 0 && has_argument) error = prepend(pack, argument, strlen(argument) + 1);
  if (error == 0) error = prepend(pack, interpreter, strlen(interpreter) + 1);
  pack.path = interpreter;
  return error;
}
