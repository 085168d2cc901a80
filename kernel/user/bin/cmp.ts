// cmp(1): compares two files. -s says nothing, -l lists all differences. Status 0 equal, 1 different, 2 trouble.
import { frame_alloc } from "../../i386/cpufunc";
import { strcmp } from "../../libkern";
import { eprintf, exit, printf } from "../lib/stdio";
import { err, set_progname } from "../lib/errors";
import { O_RDONLY } from "../lib/files";
import { getopt, optind } from "../lib/getopt";
import { Input, available, new_input, read_byte } from "../lib/input";
import { open } from "../lib/syscalls";

function open_input(name: usize): Input {
  const fd = strcmp(name, cs("-")) == 0 ? 0 : open(name, O_RDONLY, 0);
  if (fd < 0) err(2, name);
  return new_input(fd);
}

/** Passes over what two inputs have in common, whole words at first. Returns its length; counts its newlines. */
function skip_equal(a: Input, b: Input, lines: usize): u32 {
  const here = available(a);
  const there = available(b);
  const most = here < there ? here : there;
  const x = a.buffer + a.used;
  const y = b.buffer + b.used;
  let n: u32 = 0;
  while (n + 4 <= most && load<u32>(x + n) == load<u32>(y + n)) n += 4;
  while (n < most && load<u8>(x + n) == load<u8>(y + n)) n++;
  a.used += n;
  b.used += n;
  // Only the message about a difference tells the line.
  if (lines != 0) {
    for (let i: u32 = 0; i < n; i++) if (load<u8>(x + i) == 0x0a) store<u32>(lines, load<u32>(lines) + 1);
  }
  return n;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("cmp"));
  let silent = false;
  let list = false;
  let wrong = false;
  for (let letter = getopt(argc, argv, cs("ls")); letter != -1; letter = getopt(argc, argv, cs("ls"))) {
    if (letter == 0x73) silent = true;
    else if (letter == 0x6c) list = true;
    else wrong = true;
  }
  if (wrong || argc - optind() != 2) {
    eprintf(cs("usage: cmp [-ls] file1 file2\n"));
    exit(2);
  }
  const first = load<usize>(argv + 4 * optind());
  const second = load<usize>(argv + 4 * (optind() + 1));
  const a = open_input(first);
  const b = open_input(second);
  const lines = frame_alloc(4);
  store<u32>(lines, 1);
  let status = 0;
  let at: u32 = 0;
  while (true) {
    at += skip_equal(a, b, silent || list ? 0 : lines);
    const x = read_byte(a);
    const y = read_byte(b);
    at++;
    if (x < 0 || y < 0) {
      if (a.failed != 0) err(2, first);
      if (b.failed != 0) err(2, second);
      if (x == y) return status;
      if (!silent) eprintf(cs("cmp: EOF on %s\n"), x < 0 ? first : second);
      return 1;
    }
    if (x != y) {
      status = 1;
      if (list) printf(cs("%6u %3o %3o\n"), at, x, y);
      else {
        if (!silent) printf(cs("%s %s differ: char %u, line %u\n"), first, second, at, load<u32>(lines));
        return 1;
      }
    } else if (x == 0x0a) store<u32>(lines, load<u32>(lines) + 1);
  }
}
