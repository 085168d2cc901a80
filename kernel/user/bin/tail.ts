// tail(1): the last lines of a file: -n count or -count; -n +line from a line on; -c bytes; -f waits for more; -r prints
// lines backwards.
import { frame_alloc } from "../../i386/cpufunc";
import { set_progname, usage, warn } from "../lib/errors";
import { O_RDONLY } from "../lib/files";
import { flush, printf, put_bytes, putc } from "../lib/stdio";
import { atoi, free, is_digit, malloc, realloc } from "../lib/stdlib";
import { close, nanosleep, open, read } from "../lib/syscalls";

const FOLLOW_BUFFER: u32 = 4096;
const FOLLOW_NANOSECONDS: u32 = 250000000;

@unmanaged
class Options {
  count: i32;
  bytes: u32;
  /** Count from the start. */
  from_start: u32;
  follow: u32;
  backwards: u32;
  /** A count has been given. */
  counted: u32;
}
const options = changetype<Options>(memory.data(offsetof<Options>()));

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
  if (options.backwards != 0) put_backwards(data, options.counted != 0 ? from : 0, n);
  else put_bytes(data + from, n - from);
  free(data);
  return options.follow != 0 ? follow(fd, name) : 0;
}

/** The lines of data[from, n), the last one first. */
function put_backwards(data: usize, from: u32, n: u32): void {
  let end = n;
  while (end > from) {
    let start = end - 1;
    while (start > from && load<u8>(data + start - 1) != 0x0a) start--;
    put_bytes(data + start, end - start);
    if (load<u8>(data + end - 1) != 0x0a) putc(0x0a);
    end = start;
  }
}

/** -f: prints what is appended, for ever. */
function follow(fd: i32, name: usize): i32 {
  const buffer = malloc(FOLLOW_BUFFER);
  const pause = frame_alloc(8);
  while (true) {
    const got = read(fd, buffer, FOLLOW_BUFFER);
    if (got < 0) {
      warn(name);
      return 1;
    }
    put_bytes(buffer, got);
    flush();
    store<u32>(pause, 0);
    store<u32>(pause, FOLLOW_NANOSECONDS, 4);
    if (got == 0) nanosleep(pause, 0);
  }
}

function set_count(text: usize): void {
  options.counted = 1;
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
    } else {
      for (let at = word + 1; load<u8>(at) != 0; at++) {
        if (load<u8>(at) == 0x66) options.follow = 1;
        else if (load<u8>(at) == 0x72) options.backwards = 1;
        else usage(cs("tail [-f | -r] [-c number | -n number] [file ...]"));
      }
    }
  }
  if (at >= argc) return print_tail(0, cs("stdin"));
  let status = 0;
  const titled = argc - at > 1;
  for (let first = true; at < argc; at++) {
    const name = load<usize>(argv + 4 * at);
    const fd = open(name, O_RDONLY, 0);
    if (fd < 0) {
      warn(name);
      status = 1;
      continue;
    }
    if (titled) printf(first ? cs("==> %s <==\n") : cs("\n==> %s <==\n"), name);
    first = false;
    status |= print_tail(fd, name);
    close(fd);
  }
  return status;
}
