// fsx: operations by mappings: fresh ones of a range, private ones, and the one
// of the whole window that is held while the file changes below it.
import { printf } from "../../lib/stdio";
import { one_in, random_below } from "../../lib/random";
import { __msync13, ftruncate, mmap, munmap, pread, pwrite, read, write } from "../../lib/syscalls";
import { last_error } from "../../lib/errors";
import { check_size } from "./calls";
import {
  OP_COPYIN, OP_COPYOUT, OP_HELDREAD, OP_HELDWRITE, OP_MAPREAD, OP_MAPWRITE, OP_MSYNC, OP_PRIVATE, OP_REMAP,
  OP_SCRIBBLE, OP_SKIPPED, check, failed_call, give_up, note, wrong_count,
} from "./log";
import { PAGE_MASK, PAGE_SIZE, fsx, generate, round_page, set_size } from "./state";

const PROT_READ: u32 = 1;
const PROT_RW: u32 = 3;
const MAP_SHARED: u32 = 1;
const MAP_PRIVATE: u32 = 2;
const MS_ASYNC: u32 = 1;
const MS_INVALIDATE: u32 = 2;
const MS_SYNC: u32 = 4;
const EFAULT: i32 = 14;

/** Maps the pages of a range; the address of its first byte. */
function map_range(offset: u32, length: u32, prot: u32, flags: u32): usize {
  const skip = offset & PAGE_MASK;
  const at = mmap(0, length + skip, prot, flags, fsx.fd, 0, fsx.base + i64(offset - skip));
  if (at == -1) failed_call(cs("mmap"));
  return usize(at) + skip;
}

function unmap_range(at: usize, length: u32): void {
  const start = at & ~usize(PAGE_MASK);
  if (munmap(start, length + u32(at - start)) != 0) failed_call(cs("munmap"));
}

/** The bytes behind the end of the file in its last page are zero, unless a mapping wrote there. `at` maps `end`. */
function check_tail(at: usize, end: u32): void {
  if (end != fsx.size || fsx.fixed_size != 0 || (end & PAGE_MASK) == 0 || fsx.scribbled != 0) return;
  const room = PAGE_SIZE - (end & PAGE_MASK);
  for (let i: u32 = 0; i < room; i++) {
    if (load<u8>(at + i) == 0) continue;
    printf(cs("fsx: operation %u: mapped read: 0x%02x past the end of the file, at 0x%x of page 0x%x\n"), fsx.op,
      load<u8>(at + i), (end & PAGE_MASK) + i, end & ~PAGE_MASK);
    give_up();
  }
}

/** Reads a range inside the file through the held mapping or a fresh one. */
export function do_mapread(offset: u32, length: u32): void {
  if (length == 0) return note(OP_SKIPPED, offset, length, 0);
  const held = one_in(2);
  note(held ? OP_HELDREAD : OP_MAPREAD, offset, length, 0);
  const at = held ? fsx.held + offset : map_range(offset, length, PROT_READ, one_in(4) ? MAP_PRIVATE : MAP_SHARED);
  check(cs("MAPPED READ"), at, offset, length);
  check_tail(at + length, offset + length);
  if (!held) unmap_range(at, length);
}

/** Writes through the held mapping or a fresh one; a range beyond the end makes the file longer first. */
export function do_mapwrite(offset: u32, length: u32): void {
  if (length == 0) return note(OP_SKIPPED, offset, length, 0);
  const held = one_in(2);
  note(held ? OP_HELDWRITE : OP_MAPWRITE, offset, length, 0);
  if (offset + length > fsx.size) {
    set_size(offset + length);
    if (ftruncate(fsx.fd, 0, fsx.base + i64(fsx.size)) != 0) failed_call(cs("ftruncate"));
    check_size();
  }
  generate(offset, length);
  const at = held ? fsx.held + offset : map_range(offset, length, PROT_RW, MAP_SHARED);
  memory.copy(at, fsx.good + offset, length);
  const start = at & ~usize(PAGE_MASK);
  const flags = one_in(2) ? MS_SYNC : MS_ASYNC;
  if (one_in(4) && __msync13(start, round_page(u32(at - start) + length), flags) != 0) failed_call(cs("msync"));
  check_tail(at + length, offset + length);
  if (!held) unmap_range(at, length);
}

/** Changes a private mapping of a range: the file and other mappings stay as they are. */
export function do_private(offset: u32, length: u32): void {
  if (length == 0) return note(OP_SKIPPED, offset, length, 0);
  note(OP_PRIVATE, offset, length, 0);
  const at = map_range(offset, length, PROT_RW, MAP_PRIVATE);
  const from = random_below(length);
  const count = 1 + random_below(length - from);
  memory.fill(at + from, 0xe5, count);
  check(cs("PRIVATE READ"), at, offset, from);
  check(cs("PRIVATE READ"), at + from + count, offset + from + count, length - from - count);
  for (let i = from; i < from + count; i++) {
    if (load<u8>(at + i) == 0xe5) continue;
    printf(cs("fsx: operation %u: a private page lost what was written to 0x%x\n"), fsx.op, offset + i);
    give_up();
  }
  check(cs("HELD READ"), fsx.held + offset, offset, length);
  unmap_range(at, length);
}

/** Writes behind the end of the file into its last page: those bytes are no part of it. */
export function do_scribble(): void {
  const room = round_page(fsx.size) - fsx.size;
  if (room == 0 || fsx.fixed_size != 0) return note(OP_SKIPPED, fsx.size, 0, 0);
  note(OP_SCRIBBLE, fsx.size, room, 0);
  memory.fill(fsx.held + fsx.size, 0xee, room);
  fsx.scribbled = 1;
}

/** Whether two ranges have no page in common. */
function apart(a: u32, b: u32, length: u32): bool {
  return round_page(a + length) <= (b & ~PAGE_MASK) || round_page(b + length) <= (a & ~PAGE_MASK);
}

/** write(2) to the file from its own mapping. */
export function do_copyout(from: u32, to: u32, length: u32): void {
  if (length == 0 || from + length > fsx.size || to + length > fsx.maxlen || !apart(from, to, length)) {
    return note(OP_SKIPPED, from, length, to);
  }
  note(OP_COPYOUT, from, length, to);
  if (to + length > fsx.size) set_size(to + length);
  memory.copy(fsx.good + to, fsx.good + from, length);
  const count = pwrite(fsx.fd, fsx.held + from, length, 0, fsx.base + i64(to));
  if (u32(count) != length) wrong_count(cs("write from the mapping"), count, length);
  check_size();
}

/** read(2) of the file into its own mapping. */
export function do_copyin(from: u32, to: u32, length: u32): void {
  if (length == 0 || from + length > fsx.size || to + length > fsx.size || !apart(from, to, length)) {
    return note(OP_SKIPPED, from, length, to);
  }
  note(OP_COPYIN, from, length, to);
  memory.copy(fsx.good + to, fsx.good + from, length);
  const count = pread(fsx.fd, fsx.held + to, length, 0, fsx.base + i64(from));
  if (u32(count) != length) wrong_count(cs("read into the mapping"), count, length);
}

/** msync(2) of pages of the held mapping. */
export function do_msync(): void {
  const flags = (one_in(2) ? MS_SYNC : MS_ASYNC) | (one_in(2) ? MS_INVALIDATE : 0);
  const pages = round_page(fsx.maxlen) / PAGE_SIZE;
  const first = random_below(pages);
  const count = 1 + random_below(pages - first);
  note(OP_MSYNC, first * PAGE_SIZE, count * PAGE_SIZE, flags);
  if (__msync13(fsx.held + first * PAGE_SIZE, count * PAGE_SIZE, flags) != 0) failed_call(cs("msync"));
}

/** Maps the window to hold it. */
export function hold(): void {
  const prot = fsx.mapped_writes != 0 ? PROT_RW : PROT_READ;
  fsx.held = map_range(0, fsx.maxlen, prot, MAP_SHARED);
}

export function release(): void {
  unmap_range(fsx.held, fsx.maxlen);
  fsx.held = 0;
}

/** Gives the held mapping up and makes it anew; sometimes the file is closed in between by the caller. */
export function do_remap(): void {
  note(OP_REMAP, 0, 0, 0);
  release();
  hold();
}

/** A page that lies wholly behind the end of the file cannot be touched: asks the kernel by a write from there. */
export function check_beyond(): void {
  const end = round_page(fsx.size);
  const last = round_page(fsx.maxlen);
  if (end >= last || fsx.fixed_size != 0) return;
  const at = fsx.held + end + PAGE_SIZE * random_below((last - end) / PAGE_SIZE);
  const count = write(fsx.pipe_write, at, 1);
  if (count == -1 && last_error() == EFAULT) return;
  if (count == 1) read(fsx.pipe_read, fsx.temp, 1);
  printf(cs("fsx: operation %u: the page at 0x%x lies behind the end 0x%x, but can be read\n"), fsx.op,
    u32(at - fsx.held), fsx.size);
  give_up();
}
