// readlink(1): the targets of symbolic links, a line each; status 1 when one is no symbolic link. -n without newlines.
import { bss } from "../../i386/cpufunc";
import { set_progname, usage } from "../lib/errors";
import { getopt, optind } from "../lib/getopt";
import { put_bytes, putc } from "../lib/stdio";
import { readlink } from "../lib/syscalls";

const TARGET_SIZE: u32 = 1024;

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("readlink"));
  let newline = true;
  for (let letter = getopt(argc, argv, cs("n")); letter != -1; letter = getopt(argc, argv, cs("n"))) {
    if (letter == 0x6e) newline = false;
    else usage(cs("readlink [-n] file ..."));
  }
  if (optind() >= argc) usage(cs("readlink [-n] file ..."));
  const target = bss(TARGET_SIZE, 4);
  let status = 0;
  for (let i = optind(); i < argc; i++) {
    const n = readlink(load<usize>(argv + 4 * i), target, TARGET_SIZE);
    if (n < 0) status = 1;
    else {
      put_bytes(target, n);
      if (newline) putc(0x0a);
    }
  }
  return status;
}
