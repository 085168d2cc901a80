// dd(1): copies blocks: if= of= bs= count= skip= seek= conv=notrunc,sync,noerror,fsync. The counts go to the standard error.
import { strlen, strncmp } from "../../libkern";
import { err, errx, set_progname, warn } from "../lib/errors";
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from "../lib/files";
import { eprintf, write_all } from "../lib/stdio";
import { malloc, parse_size } from "../lib/stdlib";
import { close, fsync, lseek, open, read } from "../lib/syscalls";

@unmanaged
class State {
  input: usize;
  output: usize;
  size: u32;
  /** Blocks to copy; 0xffffffff for all. */
  count: u32;
  skip: u32;
  seek: u32;
  keep: u32;
  pad: u32;
  go_on: u32;
  /** The output is to be in storage when dd ends. */
  synced: u32;
  in_full: u32;
  in_part: u32;
  out_full: u32;
  out_part: u32;
  bytes: u32;
}
const state = changetype<State>(memory.data(60));

/** The value of the operand `name=…` at `word`, or 0. */
function value_of(word: usize, name: usize, length: u32): usize {
  return strncmp(word, name, length) == 0 ? word + length : 0;
}

/** Is `name` one of the conversions of `list`, whose words stand between commas? */
function has_conversion(list: usize, name: usize): bool {
  const length = strlen(name);
  while (true) {
    if (strncmp(list, name, length) == 0) {
      const end = load<u8>(list + length);
      if (end == 0 || end == 0x2c) return true;
    }
    while (load<u8>(list) != 0x2c) if (load<u8>(list++) == 0) return false;
    list++;
  }
}

function operand(word: usize): void {
  if (value_of(word, cs("if="), 3) != 0) state.input = word + 3;
  else if (value_of(word, cs("of="), 3) != 0) state.output = word + 3;
  else if (value_of(word, cs("bs="), 3) != 0) state.size = u32(parse_size(word + 3));
  else if (value_of(word, cs("count="), 6) != 0) state.count = u32(parse_size(word + 6));
  else if (value_of(word, cs("skip="), 5) != 0) state.skip = u32(parse_size(word + 5));
  else if (value_of(word, cs("seek="), 5) != 0) state.seek = u32(parse_size(word + 5));
  else if (value_of(word, cs("conv="), 5) != 0) {
    if (has_conversion(word + 5, cs("notrunc"))) state.keep = 1;
    if (has_conversion(word + 5, cs("sync"))) state.pad = 1;
    if (has_conversion(word + 5, cs("noerror"))) state.go_on = 1;
    if (has_conversion(word + 5, cs("fsync"))) state.synced = 1;
  } else errx(1, cs("unknown operand %s"), word);
}

/** Skips blocks of the input, by reading where it cannot seek. */
function skip_input(fd: i32, buffer: usize): void {
  if (state.skip == 0) return;
  if (lseek(fd, 0, i64(state.skip) * i64(state.size), 0) >= 0) return;
  for (let i: u32 = 0; i < state.skip; i++) if (read(fd, buffer, state.size) <= 0) return;
}

function copy(from: i32, to: i32, buffer: usize): i32 {
  let done: u32 = 0;
  while (done < state.count) {
    let n = read(from, buffer, state.size);
    if (n == 0) return 0;
    done++;
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
    if (write_all(to, buffer, n) != 0) {
      warn(state.output == 0 ? cs("stdout") : state.output);
      return 1;
    }
    if (u32(n) == state.size) state.out_full++;
    else state.out_part++;
    state.bytes += n;
  }
  return 0;
}

/** The output's end: with conv=fsync waits until it is in storage; tells what went wrong in the background. */
function finish(to: i32): i32 {
  if ((state.synced == 0 || fsync(to) == 0) && close(to) == 0) return 0;
  warn(state.output == 0 ? cs("stdout") : state.output);
  return 1;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("dd"));
  state.size = 512;
  state.count = 0xffffffff;
  for (let i = 1; i < argc; i++) operand(load<usize>(argv + 4 * i));
  if (state.size == 0) errx(1, cs("bs: illegal numeric value"));
  const from = state.input == 0 ? 0 : open(state.input, O_RDONLY, 0);
  if (from < 0) err(1, state.input);
  const truncates = state.keep == 0 && state.seek == 0;
  const to = state.output == 0 ? 1 : open(state.output, O_WRONLY | O_CREAT | (truncates ? O_TRUNC : 0), 0x1b6);
  if (to < 0) err(1, state.output);
  const buffer = malloc(state.size);
  skip_input(from, buffer);
  if (state.seek != 0 && lseek(to, 0, i64(state.seek) * i64(state.size), 0) < 0) err(1, cs("seek"));
  let status = copy(from, to, buffer);
  if (finish(to) != 0) status = 1;
  eprintf(cs("%u+%u records in\n%u+%u records out\n"), state.in_full, state.in_part, state.out_full, state.out_part);
  eprintf(cs("%u bytes transferred\n"), state.bytes);
  return status;
}
