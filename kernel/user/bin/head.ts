// head(1): the first lines of files: -n count, -count, or -c bytes.
import { set_progname, usage, warn } from "../lib/errors";
import { O_RDONLY } from "../lib/files";
import { Input, available, free_input, new_input, read_byte } from "../lib/input";
import { printf, put_bytes, putc } from "../lib/stdio";
import { atoi, is_digit } from "../lib/stdlib";
import { close, open } from "../lib/syscalls";

function copy_bytes(input: Input, count: u32): void {
  while (count > 0) {
    const n = available(input);
    if (n == 0) return;
    const part = n < count ? n : count;
    put_bytes(input.buffer + input.used, part);
    input.used += part;
    count -= part;
  }
}

function copy_lines(input: Input, count: i32): void {
  while (count > 0) {
    const byte = read_byte(input);
    if (byte < 0) return;
    putc(byte);
    if (byte == 0x0a) count--;
  }
}

function copy_file(fd: i32, count: i32, bytes: bool): void {
  const input = new_input(fd);
  if (bytes) copy_bytes(input, count);
  else copy_lines(input, count);
  free_input(input);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("head"));
  let at = 1;
  let count = 10;
  let bytes = false;
  for (; at < argc && load<u8>(load<usize>(argv + 4 * at)) == 0x2d; at++) {
    const word = load<usize>(argv + 4 * at);
    const letter = load<u8>(word + 1);
    if (is_digit(letter)) count = atoi(word + 1);
    else if (letter == 0x6e || letter == 0x63) {
      bytes = letter == 0x63;
      if (load<u8>(word + 2) != 0) count = atoi(word + 2);
      else if (++at < argc) count = atoi(load<usize>(argv + 4 * at));
    } else usage(cs("head [-n lines | -c bytes] [file ...]"));
  }
  if (at >= argc) copy_file(0, count, bytes);
  const many = argc - at > 1;
  let status = 0;
  for (let i = at; i < argc; i++) {
    const name = load<usize>(argv + 4 * i);
    const fd = open(name, O_RDONLY, 0);
    if (fd < 0) {
      warn(name);
      status = 1;
      continue;
    }
    if (many) printf(i > at ? cs("\n==> %s <==\n") : cs("==> %s <==\n"), name);
    copy_file(fd, count, bytes);
    close(fd);
  }
  return status;
}
