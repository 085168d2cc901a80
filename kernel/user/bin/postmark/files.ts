// postmark: the files, what they hold, and what was done to them.
//
// A file's bytes are a function of its number and of their offset, so that what
// is read can be checked, however it was appended.
import { frame_alloc } from "../../../i386/cpufunc";
import { memcmp } from "../../../libkern";
import { err } from "../../lib/errors";
import { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } from "../../lib/files";
import { exit, printf, snprintf } from "../../lib/stdio";
import { random_below } from "../../lib/random";
import { close, open, read, unlink, write } from "../../lib/syscalls";

@unmanaged
export class Postmark {
  folder: usize;
  files: u32;
  transactions: u32;
  low: u32;
  high: u32;
  subdirs: u32;
  /** Bytes of a read or write call. */
  block: u32;
  seed: u32;
  /** Words by slot: number of the file there, 0 for none; and its length. */
  numbers: usize;
  sizes: usize;
  slots: u32;
  used: u32;
  last_number: u32;
  buffer: usize;
  wanted: usize;
  created: u32;
  read: u32;
  appended: u32;
  deleted: u32;
  bytes_read_low: u32;
  bytes_read_high: u32;
  bytes_written_low: u32;
  bytes_written_high: u32;
}
export const postmark = changetype<Postmark>(memory.data(offsetof<Postmark>(), 4));

const PATH_ROOM: u32 = 256;

export function number_of(slot: u32): u32 {
  return load<u32>(postmark.numbers + 4 * slot);
}

function size_of(slot: u32): u32 {
  return load<u32>(postmark.sizes + 4 * slot);
}

function path_of(number: u32, path: usize): void {
  if (postmark.subdirs == 0) snprintf(path, PATH_ROOM, cs("%s/%u"), postmark.folder, number);
  else snprintf(path, PATH_ROOM, cs("%s/s%u/%u"), postmark.folder, number % postmark.subdirs, number);
}

/** The bytes of a file from `offset` on. */
function compose(at: usize, number: u32, offset: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const place = offset + i;
    const word = (number * 0x9e3779b1) ^ ((place >> 2) * 0x85ebca6b);
    store<u8>(at + i, u8(word >> (8 + 8 * (place & 1))));
  }
}

function add(counter: usize, count: u32): void {
  store<u64>(counter, load<u64>(counter) + u64(count));
}

/** Appends `count` bytes to an open file that has `size`. */
function write_bytes(fd: i32, path: usize, number: u32, size: u32, count: u32): void {
  let done: u32 = 0;
  while (done < count) {
    const n = count - done < postmark.block ? count - done : postmark.block;
    compose(postmark.buffer, number, size + done, n);
    if (u32(write(fd, postmark.buffer, n)) != n) err(1, path);
    done += n;
  }
  add(changetype<usize>(postmark) + offsetof<Postmark>("bytes_written_low"), count);
}

function a_size(): u32 {
  return postmark.low + random_below(postmark.high - postmark.low + 1);
}

/** Makes a file of random length in an empty slot. */
export function create_file(slot: u32): void {
  const path = frame_alloc(PATH_ROOM);
  const number = ++postmark.last_number;
  const size = a_size();
  path_of(number, path);
  const fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0x1b6);
  if (fd < 0) err(1, path);
  write_bytes(fd, path, number, 0, size);
  if (close(fd) != 0) err(1, path);
  store<u32>(postmark.numbers + 4 * slot, number);
  store<u32>(postmark.sizes + 4 * slot, size);
  postmark.used++;
  postmark.created++;
}

export function delete_file(slot: u32): void {
  const path = frame_alloc(PATH_ROOM);
  path_of(number_of(slot), path);
  if (unlink(path) != 0) err(1, path);
  store<u32>(postmark.numbers + 4 * slot, 0);
  postmark.used--;
  postmark.deleted++;
}

/** Appends to a file what still fits below the largest size. */
export function append_file(slot: u32): void {
  const path = frame_alloc(PATH_ROOM);
  const size = size_of(slot);
  if (size >= postmark.high) return;
  const count = 1 + random_below(postmark.high - size);
  path_of(number_of(slot), path);
  const fd = open(path, O_WRONLY | O_APPEND, 0);
  if (fd < 0) err(1, path);
  write_bytes(fd, path, number_of(slot), size, count);
  if (close(fd) != 0) err(1, path);
  store<u32>(postmark.sizes + 4 * slot, size + count);
  postmark.appended++;
}

function differs(path: usize, offset: u32, count: u32): void {
  let i: u32 = 0;
  while (i < count && load<u8>(postmark.buffer + i) == load<u8>(postmark.wanted + i)) i++;
  printf(cs("postmark: %s: byte %u is 0x%02x, expected 0x%02x (seed %u)\n"), path, offset + i,
    load<u8>(postmark.buffer + i), load<u8>(postmark.wanted + i), postmark.seed);
  exit(1);
}

/** Reads a file from its beginning to its end and checks every byte. */
export function read_file(slot: u32): void {
  const path = frame_alloc(PATH_ROOM);
  const number = number_of(slot);
  path_of(number, path);
  const fd = open(path, O_RDONLY, 0);
  if (fd < 0) err(1, path);
  let offset: u32 = 0;
  while (true) {
    const n = read(fd, postmark.buffer, postmark.block);
    if (n < 0) err(1, path);
    if (n == 0) break;
    compose(postmark.wanted, number, offset, n);
    if (memcmp(postmark.buffer, postmark.wanted, n) != 0) differs(path, offset, n);
    offset += n;
  }
  if (offset != size_of(slot)) {
    printf(cs("postmark: %s has %u bytes, expected %u (seed %u)\n"), path, offset, size_of(slot), postmark.seed);
    exit(1);
  }
  close(fd);
  add(changetype<usize>(postmark) + offsetof<Postmark>("bytes_read_low"), offset);
  postmark.read++;
}
