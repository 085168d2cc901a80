// assert(): what the compiler calls when the condition of one is false.
import { last_error, progname, strerror } from "./errors";
import { eprintf, flush } from "./stdio";
import { _exit, getpid, kill } from "./syscalls";

const SIGABRT: i32 = 6;

/** `program: file:line: assertion failed (last error: text)` on the standard error, and the end by SIGABRT. */
export function assert_failed(message: string | null, file: string | null, line: u32, column: u32): void {
  const number = last_error();
  eprintf(cs("%s: "), progname());
  print_name(changetype<usize>(file));
  eprintf(cs(":%u: assertion failed (last error: %s)\n"), line, strerror(number));
  flush();
  kill(getpid(), SIGABRT);
  _exit(1);
}

/** Writes a string of the compiler: UTF-16 with its length in bytes in front. */
function print_name(text: usize): void {
  const end = text + load<u32>(text - 4);
  for (; text < end; text += 2) eprintf(cs("%c"), load<u16>(text));
}
