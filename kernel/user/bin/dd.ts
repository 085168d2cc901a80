// dd(1): copies blocks: if= of= bs= ibs= obs= count= skip= iseek= seek= oseek= conv=notrunc,sync,osync,noerror,fsync,swab,
// lcase,ucase. The counts go to the standard error. With bs= each block read is a block written; otherwise blocks of
// obs bytes are gathered.
import { frame_alloc } from "../../i386/cpufunc";
import { strcmp, strncmp } from "../../libkern";
import { err, errx, set_progname, warn } from "../lib/errors";
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY, SIZEOF_STAT, S_IFREG, Stat } from "../lib/files";
import { eprintf, write_all } from "../lib/stdio";
import { is_alpha, malloc, parse_size } from "../lib/stdlib";
import { __fstat13, close, fsync, ftruncate, lseek, open, read } from "../lib/syscalls";
import { now } from "../lib/time";

@unmanaged
class State {
  input: usize;
  output: usize;
  /** Bytes of a block read and of one written. */
  size: u32;
  out_size: u32;
  /** Blocks are gathered to out_size: so many bytes are there. */
  gathers: u32;
  gathered: u32;
  out_buffer: usize;
  /** Blocks to copy; 0xffffffff for all. */
  count: u32;
  skip: u32;
  seek: u32;
  keep: u32;
  pad: u32;
  /** The last block written is padded, too; pairs of bytes change places; letters become small or capital. */
  pad_last: u32;
  swaps: u32;
  lower: u32;
  upper: u32;
  go_on: u32;
  /** The output is to be in storage when dd ends. */
  synced: u32;
  /** bs= has been given. */
  bs: u32;
  in_full: u32;
  in_part: u32;
  out_full: u32;
  out_part: u32;
  bytes: u64;
}
const state = changetype<State>(memory.data(offsetof<State>(), 8));

/** The value of the operand `name=…` at `word`, or 0. */
function value_of(word: usize, name: usize, length: u32): usize {
  return strncmp(word, name, length) == 0 ? word + length : 0;
}

/** A size of blocks; ends the program when it is none. */
function block_size(text: usize): u32 {
  const size = parse_size(text);
  if (size <= 0 || size > 0x7fffffff) errx(1, cs("%s: illegal numeric value"), text);
  return u32(size);
}

/** The words of conv=. */
function conversions(list: usize): void {
  while (true) {
    let end = list;
    while (load<u8>(end) != 0 && load<u8>(end) != 0x2c) end++;
    const last = load<u8>(end) == 0;
    store<u8>(end, 0);
    if (strcmp(list, cs("notrunc")) == 0) state.keep = 1;
    else if (strcmp(list, cs("sync")) == 0) state.pad = 1;
    else if (strcmp(list, cs("osync")) == 0) state.pad_last = 1;
    else if (strcmp(list, cs("noerror")) == 0) state.go_on = 1;
    else if (strcmp(list, cs("fsync")) == 0) state.synced = 1;
    else if (strcmp(list, cs("swab")) == 0) state.swaps = 1;
    else if (strcmp(list, cs("lcase")) == 0) state.lower = 1;
    else if (strcmp(list, cs("ucase")) == 0) state.upper = 1;
    else errx(1, cs("unknown conversion %s"), list);
    if (last) return;
    list = end + 1;
  }
}

function operand(word: usize): void {
  if (value_of(word, cs("if="), 3) != 0) state.input = word + 3;
  else if (value_of(word, cs("of="), 3) != 0) state.output = word + 3;
  else if (value_of(word, cs("bs="), 3) != 0) {
    state.size = block_size(word + 3);
    state.out_size = state.size;
    state.gathers = 0;
    state.bs = 1;
  } else if (value_of(word, cs("ibs="), 4) != 0) {
    if (state.bs == 0) state.size = block_size(word + 4);
  } else if (value_of(word, cs("obs="), 4) != 0) {
    if (state.bs == 0) state.out_size = block_size(word + 4);
  }
  else if (value_of(word, cs("count="), 6) != 0) state.count = u32(parse_size(word + 6));
  else if (value_of(word, cs("skip="), 5) != 0) state.skip = u32(parse_size(word + 5));
  else if (value_of(word, cs("seek="), 5) != 0) state.seek = u32(parse_size(word + 5));
  else if (value_of(word, cs("iseek="), 6) != 0) state.skip = u32(parse_size(word + 6));
  else if (value_of(word, cs("oseek="), 6) != 0) state.seek = u32(parse_size(word + 6));
  else if (value_of(word, cs("conv="), 5) != 0) {
    conversions(word + 5);
  } else errx(1, cs("unknown operand %s"), word);
}

/** Skips blocks of the input, by reading where it cannot seek. */
function skip_input(fd: i32, buffer: usize): void {
  if (state.skip == 0) return;
  if (lseek(fd, 0, i64(state.skip) * i64(state.size), 0) >= 0) return;
  for (let i: u32 = 0; i < state.skip; i++) if (read(fd, buffer, state.size) <= 0) return;
}

/** Changes the bytes of a block as conv= says. */
function convert(buffer: usize, n: u32): void {
  for (let i: u32 = 0; state.swaps != 0 && i + 1 < n; i += 2) {
    const byte = load<u8>(buffer + i);
    store<u8>(buffer + i, load<u8>(buffer + i + 1));
    store<u8>(buffer + i + 1, byte);
  }
  if ((state.lower | state.upper) == 0) return;
  for (let i: u32 = 0; i < n; i++) {
    const byte = load<u8>(buffer + i);
    if (is_alpha(byte)) store<u8>(buffer + i, state.lower != 0 ? byte | 0x20 : byte & ~0x20);
  }
}

/** Writes a block. Returns 0, or 1 after a message. */
function write_block(to: i32, buffer: usize, n: u32): i32 {
  if (write_all(to, buffer, n) != 0) {
    warn(state.output == 0 ? cs("stdout") : state.output);
    return 1;
  }
  if (n == state.out_size) state.out_full++;
  else state.out_part++;
  state.bytes += u64(n);
  return 0;
}

/** Writes what has been read: as a block, or as much of it as fills blocks. */
function put(to: i32, buffer: usize, n: u32): i32 {
  if (state.gathers == 0) return write_block(to, buffer, n);
  while (n > 0) {
    const room = state.out_size - state.gathered;
    const part = n < room ? n : room;
    memory.copy(state.out_buffer + state.gathered, buffer, part);
    state.gathered += part;
    buffer += part;
    n -= part;
    if (state.gathered < state.out_size) return 0;
    state.gathered = 0;
    if (write_block(to, state.out_buffer, state.out_size) != 0) return 1;
  }
  return 0;
}

/** Writes what is left of gathering. */
function put_rest(to: i32): i32 {
  if (state.gathered == 0) return 0;
  if (state.pad_last != 0) {
    memory.fill(state.out_buffer + state.gathered, 0, state.out_size - state.gathered);
    state.gathered = state.out_size;
  }
  return write_block(to, state.out_buffer, state.gathered);
}

function copy(from: i32, to: i32, buffer: usize): i32 {
  for (let done: u32 = 0; done < state.count; done++) {
    let n = read(from, buffer, state.size);
    if (n == 0) break;
    if (n < 0) {
      warn(state.input == 0 ? cs("stdin") : state.input);
      if (state.go_on == 0) return 1;
      lseek(from, 0, i64(state.size), 1);
      n = 0;
      if (state.pad == 0) continue;
    }
    if (u32(n) == state.size) state.in_full++;
    else state.in_part++;
    if (u32(n) < state.size && state.pad != 0) {
      memory.fill(buffer + n, 0, state.size - n);
      n = state.size;
    }
    convert(buffer, n);
    if (put(to, buffer, n) != 0) return 1;
  }
  return put_rest(to);
}

/** The output's end: with conv=fsync waits until it is in storage; tells what went wrong in the background. */
function finish(to: i32): i32 {
  if ((state.synced == 0 || fsync(to) == 0) && close(to) == 0) return 0;
  warn(state.output == 0 ? cs("stdout") : state.output);
  return 1;
}

function is_file(fd: i32): bool {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  return __fstat13(fd, changetype<usize>(st)) == 0 && st.type == S_IFREG;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("dd"));
  state.size = 512;
  state.out_size = 512;
  state.gathers = 1;
  state.count = 0xffffffff;
  for (let i = 1; i < argc; i++) operand(load<usize>(argv + 4 * i));
  if (state.size == state.out_size) state.gathers = 0;
  const from = state.input == 0 ? 0 : open(state.input, O_RDONLY, 0);
  if (from < 0) err(1, state.input);
  const truncates = state.keep == 0 && state.seek == 0;
  const to = state.output == 0 ? 1 : open(state.output, O_WRONLY | O_CREAT | (truncates ? O_TRUNC : 0), 0x1b6);
  if (to < 0) err(1, state.output);
  const buffer = malloc(state.size);
  if (state.gathers != 0) state.out_buffer = malloc(state.out_size);
  skip_input(from, buffer);
  const start = i64(state.seek) * i64(state.out_size);
  if (start != 0 && lseek(to, 0, start, 0) < 0) err(1, state.output == 0 ? cs("stdout") : state.output);
  // What lies behind goes; a device has no length to change.
  if (start != 0 && state.keep == 0 && is_file(to)) ftruncate(to, 0, start);
  const began = now();
  let status = copy(from, to, buffer);
  if (finish(to) != 0) status = 1;
  eprintf(cs("%u+%u records in\n%u+%u records out\n"), state.in_full, state.in_part, state.out_full, state.out_part);
  const seconds = now() - began;
  const rate = state.bytes / u64(seconds > 0 ? seconds : 1);
  eprintf(
    cs("%qu bytes transferred in %d secs (%qu bytes/sec)\n"), u32(state.bytes), u32(state.bytes >> 32), seconds, u32(rate),
    u32(rate >> 32),
  );
  return status;
}
