// tail(1): the last lines of a file: -n count or -count; -n +line from a line on; -c bytes.
import { set_progname, usage, warn } from "../lib/errors";
import { O_RDONLY } from "../lib/files";
import { put_bytes } from "../lib/stdio";
import { atoi, free, is_digit, malloc, realloc } from "../lib/stdlib";
import { close, open, read } from "../lib/syscalls";

@unmanaged
class Options {
  count: i32;
  bytes: u32;
  /** Count from the start. */
  from_start: u32;
}
const options = changetype<Options>(memory.data(12));

/** Where the last `count` lines of the `n` bytes at `data` begin. */
function last_lines(data: usize, n: u32, count: i32): u32 {
  let at = n;
  if (at > 0 && load<u8>(data + at - 1) == 0x0a) at--;
  while (count > 0) {
    while (at > 0 && load<u8>(data + at - 1) != 0x0a) at--;
    if (--count == 0 || at == 0) return at;
    at--;
  }
  return n;
}

/** Where the line `count` (from 1) begins. */
function nth_line(data: usize, n: u32, count: i32): u32 {
  let at: u32 = 0;
  for (; count > 1 && at < n; count--) {
    while (at < n && load<u8>(data + at) != 0x0a) at++;
    if (at < n) at++;
  }
  return at;
}

/** Reads all of a file and prints its end. */
function print_tail(fd: i32, name: usize): i32 {
  let capacity: u32 = 8192;
  let data = malloc(capacity);
  let n: u32 = 0;
  while (true) {
    const got = read(fd, data + n, capacity - n);
    if (got < 0) {
      warn(name);
      return 1;
    }
    if (got == 0) break;
    n += got;
    if (n < capacity) continue;
    capacity *= 2;
    data = realloc(data, capacity);
  }
  let from: u32 = 0;
  const count = u32(options.count);
  if (options.bytes == 0 && options.from_start != 0) from = nth_line(data, n, options.count);
  else if (options.bytes == 0) from = last_lines(data, n, options.count);
  else if (options.from_start != 0) from = count > 0 && count - 1 < n ? count - 1 : n;
  else from = count < n ? n - count : 0;
  put_bytes(data + from, n - from);
  free(data);
  return 0;
}

function set_count(text: usize): void {
  options.from_start = u32(load<u8>(text) == 0x2b);
  options.count = atoi(is_digit(load<u8>(text)) ? text : text + 1);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("tail"));
  options.count = 10;
  let at = 1;
  for (; at < argc; at++) {
    const word = load<usize>(argv + 4 * at);
    const letter = load<u8>(word + 1);
    if (load<u8>(word) == 0x2b) {
      set_count(word);
      continue;
    }
    if (load<u8>(word) != 0x2d || letter == 0) break;
    if (is_digit(letter)) set_count(word + 1);
    else if (letter == 0x6e || letter == 0x63) {
      options.bytes = u32(letter == 0x63);
      if (load<u8>(word + 2) != 0) set_count(word + 2);
      else if (++at < argc) set_count(load<usize>(argv + 4 * at));
    } else usage(cs("tail [-n lines | -c bytes] [file]"));
  }
  if (at >= argc) return print_tail(0, cs("stdin"));
  let status = 0;
  for (; at < argc; at++) {
    const name = load<usize>(argv + 4 * at);
    const fd = open(name, O_RDONLY, 0);
    if (fd < 0) {
      warn(name);
      status = 1;
      continue;
    }
    status |= print_tail(fd, name);
    close(fd);
  }
  return status;
}
