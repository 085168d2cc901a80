// storm: contents of files that tell whose they are, and reports of what went
// wrong.
//
// A file begins with four words: a mark, the process, the serial number of the
// contents and their length; random words of these follow. So whoever reads a
// file knows whether it is whole, by whatever name it was found.
import { last_error, strerror } from "../../lib/errors";
import { O_CREAT, O_EXCL, O_RDONLY, O_TRUNC, O_WRONLY } from "../../lib/files";
import { exit, printf, snprintf } from "../../lib/stdio";
import { close, open, read, write } from "../../lib/syscalls";
import { PATH_SIZE, storm } from "./state";

const MARK: u32 = 0x73746f72;
const HEADER: u32 = 16;

const LOG_SIZE: u32 = 12;
const LOG_LINE: u32 = 200;
const log_lines = memory.data(12 * 200, 4);
const log_count = memory.data(4, 4);

/** Notes an operation of this process: what and on which names. */
export function note(what: usize, a: usize, b: usize): void {
  const n = load<u32>(log_count);
  store<u32>(log_count, n + 1);
  snprintf(log_lines + (n % LOG_SIZE) * LOG_LINE, LOG_LINE, cs("%u %s %s %s"), storm.op, what, a, b);
}

/** Ends this process after something went wrong that was told. */
export function give_up(): void {
  const n = load<u32>(log_count);
  printf(cs("storm: process %u: its last operations (seed %u):\n"), storm.proc, storm.seed);
  for (let i = n > LOG_SIZE ? n - LOG_SIZE : 0; i < n; i++) {
    printf(cs("storm: process %u: %s\n"), storm.proc, log_lines + (i % LOG_SIZE) * LOG_LINE);
  }
  exit(1);
}

/** A call should have ended with `wanted` (an errno, 0 for success), but ended with `error`. */
export function check_error(what: usize, path: usize, error: i32, wanted: i32): void {
  if (error == wanted) return;
  printf(cs("storm: process %u: %s %s: %s; expected: %s\n"), storm.proc, what, path,
    error == 0 ? cs("no error") : strerror(error), wanted == 0 ? cs("no error") : strerror(wanted));
  give_up();
}

/** The errno of a call that returned `rv`. */
export function error_of(rv: i32): i32 {
  return rv < 0 ? last_error() : 0;
}

/** Fills `buffer` with the contents of a process and serial number. => their length */
function compose(buffer: usize, proc: u32, serial: u32): u32 {
  const room = storm.maxlen - HEADER;
  let word = (proc * 0x01000193) ^ (serial * 0x9e3779b1) ^ 0x5bd1e995;
  word ^= word >> 15;
  const length = HEADER + (word >> 4) % (room + 1);
  store<u32>(buffer, MARK);
  store<u32>(buffer + 4, proc);
  store<u32>(buffer + 8, serial);
  store<u32>(buffer + 12, length);
  for (let at = HEADER; at < length; at += 4) {
    word = word * 1664525 + 1013904223;
    store<u32>(buffer + at, word);
  }
  return length;
}

/** Writes the contents `serial` of this process into a file. `flags`: O_EXCL to make it, O_TRUNC to write it anew. => errno */
export function write_contents(path: usize, serial: u32, flags: u32): i32 {
  const fd = open(path, O_WRONLY | O_CREAT | flags, 0x1b6);
  if (fd < 0) return last_error();
  const length = compose(storm.data, storm.proc, serial);
  const done = write(fd, storm.data, length);
  const error = error_of(done);
  close(fd);
  if (error != 0) return error;
  if (u32(done) != length) {
    printf(cs("storm: process %u: %s: %u of %u bytes written\n"), storm.proc, path, done, length);
    give_up();
  }
  return 0;
}

function bad_contents(path: usize, what: usize, at: u32, got: u32, wanted: u32): void {
  printf(cs("storm: process %u: %s: %s at %u: 0x%x, expected 0x%x\n"), storm.proc, path, what, at, got, wanted);
  give_up();
}

/** Reads a file and checks that it is whole; its process and serial number go to the words at `whop`. => errno of open */
export function read_contents(path: usize, whop: usize): i32 {
  const fd = open(path, O_RDONLY, 0);
  if (fd < 0) return last_error();
  const got = read(fd, storm.data, storm.maxlen + 8);
  const error = error_of(got);
  close(fd);
  if (error != 0) return error;
  if (u32(got) < HEADER) bad_contents(path, cs("length"), 0, u32(got), HEADER);
  if (load<u32>(storm.data) != MARK) bad_contents(path, cs("mark"), 0, load<u32>(storm.data), MARK);
  const length = compose(storm.wanted, load<u32>(storm.data + 4), load<u32>(storm.data + 8));
  if (u32(got) != length) bad_contents(path, cs("length"), 0, u32(got), length);
  for (let at: u32 = 0; at < length; at++) {
    const byte = load<u8>(storm.data + at);
    if (byte != load<u8>(storm.wanted + at)) bad_contents(path, cs("byte"), at, byte, load<u8>(storm.wanted + at));
  }
  store<u32>(whop, load<u32>(storm.data + 4));
  store<u32>(whop + 4, load<u32>(storm.data + 8));
  return 0;
}

export const MAKE: u32 = O_EXCL;
export const REWRITE: u32 = O_TRUNC;
/** Room for a path in a frame. */
export const PATH_ROOM: u32 = PATH_SIZE;
