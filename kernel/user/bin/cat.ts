// cat(1): copies files, or the standard input, to the standard output. -n numbers lines, -u is the default.
import { bss } from "../../i386/cpufunc";
import { strcmp } from "../../libkern";
import { set_progname, usage, warn } from "../lib/errors";
import { O_RDONLY } from "../lib/files";
import { getopt, optind } from "../lib/getopt";
import { new_input, read_line } from "../lib/input";
import { printf, put_bytes, putc, write_all } from "../lib/stdio";
import { close, open, read } from "../lib/syscalls";

const BUFFER_SIZE: u32 = 16384;

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

/** Returns the number of the next line. */
function number_lines(fd: i32, line: u32): u32 {
  const input = new_input(fd);
  while (read_line(input)) {
    printf(cs("%6u\t"), line++);
    put_bytes(input.line, input.length);
    if (input.complete != 0) putc(0x0a);
  }
  return line;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("cat"));
  let numbers = false;
  let status = 0;
  let line: u32 = 1;
  for (let letter = getopt(argc, argv, cs("nu")); letter != -1; letter = getopt(argc, argv, cs("nu"))) {
    if (letter == 0x6e) numbers = true;
    else if (letter == 0x3f) usage(cs("cat [-nu] [file ...]"));
  }
  let at = optind();
  do {
    const name = at < argc ? load<usize>(argv + 4 * at) : cs("-");
    const standard = strcmp(name, cs("-")) == 0;
    const fd = standard ? 0 : open(name, O_RDONLY, 0);
    if (fd < 0) {
      warn(name);
      status = 1;
    } else {
      if (numbers) line = number_lines(fd, line);
      else if (copy_file(fd, standard ? cs("stdin") : name) != 0) status = 1;
      if (!standard) close(fd);
    }
    at++;
  } while (at < argc);
  return status;
}
