// Cases of usertests: files that are mapped, and what is read and written beside the mapping.
import { bss, frame_alloc, volatile } from "../../../i386/cpufunc";
import { EACCES, EINVAL } from "../../../sys/errno";
import { O_RDONLY, O_RDWR, O_WRONLY } from "../../lib/files";
import {
  __msync13, _exit, close, ftruncate, madvise, mmap, mprotect, munmap, open, pread, pwrite, rename, unlink, write,
} from "../../lib/syscalls";
import {
  PAGE, all_bytes, child, death, fails, fill_pattern, group, has_pattern, in_child, make_file, pattern_file, same,
  scratch, stat_of, test,
} from "./harness";
import { MAP_FIXED, MAP_PRIVATE, MAP_SHARED, PROT_EXEC, PROT_READ, PROT_RW, read_faults, write_faults } from "./memory";

const SIGBUS: i32 = 10;

function place(): usize {
  return bss(4, 4);
}

/** Maps `n` bytes of the file from `offset` on. */
function map_file(fd: i32, n: u32, prot: u32, flags: u32, offset: i64): usize {
  const at = mmap(0, n, prot, flags, fd, 0, offset);
  assert(at != -1);
  return usize(at);
}

function look(): void {
  volatile.load8(load<usize>(place()));
}

function touch(): void {
  volatile.store8(load<usize>(place()), 1);
}

/** The signal that a child dies of when it reads there, 0 for none. */
function death_by_reading(at: usize): i32 {
  store<usize>(place(), at);
  return death(child(look.index));
}

function death_by_writing(at: usize): i32 {
  store<usize>(place(), at);
  return death(child(touch.index));
}

function mapped_read(): void {
  const fd = pattern_file(cs("f"), 5 * PAGE + 100, 2);
  const p = map_file(fd, 5 * PAGE + 100, PROT_READ, MAP_PRIVATE, 0);
  assert(has_pattern(p, 5 * PAGE + 100, 2) && all_bytes(p + 5 * PAGE + 100, PAGE - 100, 0));
  assert(close(fd) == 0 && unlink(cs("f")) == 0 && has_pattern(p, 5 * PAGE + 100, 2) && write_faults(p));
}

function mapped_offsets(): void {
  const fd = pattern_file(cs("f"), 6 * PAGE, 2);
  const all = map_file(fd, 6 * PAGE, PROT_READ, MAP_SHARED, 0);
  const part = map_file(fd, 2 * PAGE, PROT_READ, MAP_SHARED, 3 * PAGE);
  assert(same(part, all + 3 * PAGE, 2 * PAGE));
  // The place in the page of an odd offset shows in the address.
  const odd = map_file(fd, 100, PROT_READ, MAP_PRIVATE, PAGE + 123);
  assert((odd & (PAGE - 1)) == 123 && same(odd, all + PAGE + 123, 100));
}

function shared_write(): void {
  const fd = pattern_file(cs("f"), 3 * PAGE, 1);
  const p = map_file(fd, 3 * PAGE, PROT_RW, MAP_SHARED, 0);
  fill_pattern(p, 2 * PAGE, 50);
  // read(2) sees at once what was stored, and stores what write(2) wrote.
  assert(pread(fd, scratch(), 3 * PAGE, 0, 0) == i32(3 * PAGE) && has_pattern(scratch(), 2 * PAGE, 50));
  assert(pwrite(fd, cs("written"), 7, 0, 100) == 7 && same(p + 100, cs("written"), 7));
  assert(__msync13(p, 3 * PAGE, 4) == 0 && munmap(p, 3 * PAGE) == 0);
  assert(pread(fd, scratch(), 200, 0, 0) == 200 && same(scratch() + 100, cs("written"), 7));
}

function private_write(): void {
  const fd = pattern_file(cs("f"), 2 * PAGE, 1);
  const p = map_file(fd, 2 * PAGE, PROT_RW, MAP_PRIVATE, 0);
  fill_pattern(p, 100, 9);
  assert(pread(fd, scratch(), 2 * PAGE, 0, 0) == i32(2 * PAGE) && has_pattern(scratch(), 2 * PAGE, 1));
  // What the file gets later shows in pages that were not written.
  assert(pwrite(fd, cs("file"), 4, 0, PAGE) == 4 && pwrite(fd, cs("file"), 4, 0, 200) == 4);
  assert(same(p + PAGE, cs("file"), 4) && has_pattern(p, 100, 9) && !same(p + 200, cs("file"), 4));
}

function mapping_rights(): void {
  assert(close(pattern_file(cs("f"), PAGE, 1)) == 0);
  const reader = open(cs("f"), O_RDONLY, 0);
  const writer = open(cs("f"), O_WRONLY, 0);
  assert(fails(mmap(0, PAGE, PROT_RW, MAP_SHARED, reader, 0, 0), EACCES));
  assert(fails(mmap(0, PAGE, PROT_READ, MAP_SHARED, writer, 0, 0), EACCES));
  const p = map_file(reader, PAGE, PROT_READ, MAP_SHARED, 0);
  assert(fails(mprotect(p, PAGE, PROT_RW), EACCES));
  const q = map_file(reader, PAGE, PROT_RW, MAP_PRIVATE, 0);
  fill_pattern(q, PAGE, 3);
  assert(has_pattern(p, PAGE, 1) && has_pattern(q, PAGE, 3));
  assert(fails(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, reader, 0, -4096), EINVAL));
}

function beyond_the_end(): void {
  const fd = pattern_file(cs("f"), PAGE + 10, 1);
  const p = map_file(fd, 4 * PAGE, PROT_RW, MAP_SHARED, 0);
  assert(all_bytes(p + PAGE + 10, PAGE - 10, 0) && death_by_reading(p + 2 * PAGE) == SIGBUS);
  assert(death_by_writing(p + 3 * PAGE) == SIGBUS && death_by_reading(p + PAGE + 4000) == 0);
  // The mapping sees what the file grows.
  assert(pwrite(fd, cs("grown"), 5, 0, 2 * PAGE + 5) == 5 && same(p + 2 * PAGE + 5, cs("grown"), 5));
  assert(death_by_reading(p + 3 * PAGE) == SIGBUS);
}

function truncate_under_mapping(): void {
  const fd = pattern_file(cs("f"), 4 * PAGE, 1);
  const p = map_file(fd, 4 * PAGE, PROT_RW, MAP_SHARED, 0);
  store<u8>(p + 3 * PAGE, 1);
  assert(has_pattern(p, 3 * PAGE, 1) && ftruncate(fd, 0, PAGE + 7) == 0);
  assert(death_by_reading(p + 2 * PAGE) == SIGBUS && death_by_writing(p + 3 * PAGE) == SIGBUS);
  assert(has_pattern(p, PAGE + 7, 1) && all_bytes(p + PAGE + 7, PAGE - 7, 0));
  // What is behind the new end is zero when the file grows again.
  store<u8>(p + PAGE + 100, 0x77);
  assert(ftruncate(fd, 0, 4 * PAGE) == 0 && all_bytes(p + 2 * PAGE, 2 * PAGE, 0));
  assert(pread(fd, scratch(), 2 * PAGE, 0, 2 * PAGE) == i32(2 * PAGE) && all_bytes(scratch(), 2 * PAGE, 0));
}

function truncate_under_private(): void {
  const fd = pattern_file(cs("f"), 2 * PAGE, 1);
  const p = map_file(fd, 2 * PAGE, PROT_RW, MAP_PRIVATE, 0);
  store<u8>(p + PAGE, 0x55);
  assert(ftruncate(fd, 0, 0) == 0 && load<u8>(p + PAGE) == 0x55 && death_by_reading(p) == SIGBUS);
}

function kernel_and_the_end(): void {
  const fd = pattern_file(cs("f"), PAGE, 1);
  const p = map_file(fd, 2 * PAGE, PROT_RW, MAP_SHARED, 0);
  const out = make_file(cs("g"), cs(""));
  // Addresses that only SIGBUS could tell of are EFAULT to a system call.
  assert(write(out, p + PAGE, 10) == -1 && pread(fd, p + PAGE, 10, 0, 0) == -1);
  assert(write(out, p + 10, 10) == 10);
}

function copy_into_itself(): void {
  // The buffer of a read is a mapping of the file that is read: no deadlock.
  const fd = pattern_file(cs("f"), 4 * PAGE, 1);
  const p = map_file(fd, 4 * PAGE, PROT_RW, MAP_SHARED, 0);
  assert(pread(fd, p + PAGE, PAGE, 0, 0) == i32(PAGE) && has_pattern(p + PAGE, PAGE, 1));
  assert(pwrite(fd, p, PAGE, 0, 2 * PAGE) == i32(PAGE) && has_pattern(p + 2 * PAGE, PAGE, 1));
  assert(__msync13(p, 4 * PAGE, 4) == 0 && pread(fd, p, 4 * PAGE, 0, 0) == i32(4 * PAGE) && has_pattern(p, PAGE, 1));
}

function child_writes(): void {
  fill_pattern(load<usize>(place()), PAGE, 33);
}

function two_processes(): void {
  const fd = pattern_file(cs("f"), 2 * PAGE, 1);
  const p = map_file(fd, 2 * PAGE, PROT_RW, MAP_SHARED, 0);
  store<usize>(place(), p + PAGE);
  in_child(child_writes.index);
  assert(has_pattern(p + PAGE, PAGE, 33));
  const q = map_file(fd, 2 * PAGE, PROT_RW, MAP_PRIVATE, 0);
  store<usize>(place(), q);
  in_child(child_writes.index);
  assert(has_pattern(q, PAGE, 1) && has_pattern(p, PAGE, 1));
}

function two_mappings(): void {
  const fd = pattern_file(cs("f"), 2 * PAGE, 1);
  const p = map_file(fd, 2 * PAGE, PROT_RW, MAP_SHARED, 0);
  const other = open(cs("f"), O_RDWR, 0);
  const q = map_file(other, 2 * PAGE, PROT_RW, MAP_SHARED, 0);
  store<u32>(p + 40, 0x12345678);
  assert(load<u32>(q + 40) == 0x12345678 && close(fd) == 0 && close(other) == 0);
  store<u32>(q + PAGE, 0x87654321);
  assert(load<u32>(p + PAGE) == 0x87654321 && munmap(p, 2 * PAGE) == 0 && load<u32>(q + 40) == 0x12345678);
}

function mapped_hole(): void {
  const fd = make_file(cs("f"), cs(""));
  assert(ftruncate(fd, 0, 20 * PAGE) == 0 && stat_of(cs("f")).st_blocks_low <= 16);
  const p = map_file(fd, 20 * PAGE, PROT_RW, MAP_SHARED, 0);
  assert(all_bytes(p, 20 * PAGE, 0));
  store<u32>(p + 13 * PAGE, 0xabcdef);
  assert(__msync13(p, 20 * PAGE, 4) == 0 && stat_of(cs("f")).st_blocks_low > 16);
  assert(pread(fd, scratch(), 4, 0, 13 * PAGE) == 4 && load<u32>(scratch()) == 0xabcdef);
  assert(pread(fd, scratch(), PAGE, 0, 5 * PAGE) == i32(PAGE) && all_bytes(scratch(), PAGE, 0));
}

function dropped_pages(): void {
  const fd = pattern_file(cs("f"), 4 * PAGE, 1);
  const p = map_file(fd, 4 * PAGE, PROT_RW, MAP_SHARED, 0);
  fill_pattern(p, 4 * PAGE, 12);
  assert(__msync13(p, 4 * PAGE, 4 | 2) == 0 && has_pattern(p, 4 * PAGE, 12));
  assert(madvise(p, 4 * PAGE, 4) == 0 && has_pattern(p, 4 * PAGE, 12));
}

function overwritten_mapping(): void {
  const fd = pattern_file(cs("f"), 3 * PAGE, 1);
  const p = map_file(fd, 3 * PAGE, PROT_READ, MAP_PRIVATE, 0);
  const other = pattern_file(cs("g"), PAGE, 70);
  assert(mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, other, 0, 0) == i32(p + PAGE));
  assert(has_pattern(p, PAGE, 1) && has_pattern(p + PAGE, PAGE, 70));
  assert(same(p + 2 * PAGE, p + 2 * PAGE, PAGE) && munmap(p, 3 * PAGE) == 0 && read_faults(p + PAGE));
}

function replaced_under_mapping(): void {
  const fd = pattern_file(cs("f"), PAGE, 1);
  const p = map_file(fd, PAGE, PROT_READ, MAP_SHARED, 0);
  assert(close(pattern_file(cs("g"), PAGE, 2)) == 0 && rename(cs("g"), cs("f")) == 0 && has_pattern(p, PAGE, 1));
}

function big_mapping(): void {
  // A file far into its indirect blocks, read through the mapping from the end to the start.
  const fd = pattern_file(cs("f"), 60 * PAGE, 5);
  const p = map_file(fd, 60 * PAGE, PROT_READ, MAP_SHARED, 0);
  for (let i: i32 = 59; i >= 0; i--) {
    const at = u32(i) * PAGE;
    assert(u32(load<u8>(p + at + 9)) == (((at + 9) * 7 + ((at + 9) >> 8) * 13 + 5) & 0xff));
  }
}

function executable_mapping(): void {
  // mov $42, %eax; ret
  const fd = make_file(cs("code"), cs("\xb8"));
  const code = frame_alloc(8);
  store<u32>(code, 0x00002ab8);
  store<u32>(code, 0x0000c300, 4);
  assert(pwrite(fd, code, 8, 0, 0) == 8);
  const p = map_file(fd, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0);
  assert(call_indirect<i32>(u32(p)) == 42);
}

/** Adds the cases of this file. */
export function mapped_file_cases(): void {
  group(cs("mapped files"));
  test(cs("read through a mapping"), mapped_read.index);
  test(cs("offsets of mappings"), mapped_offsets.index);
  test(cs("shared mapping and write"), shared_write.index);
  test(cs("private mapping"), private_write.index);
  test(cs("rights of mappings"), mapping_rights.index);
  test(cs("behind the end of the file"), beyond_the_end.index);
  test(cs("truncate under a mapping"), truncate_under_mapping.index);
  test(cs("truncate under a private mapping"), truncate_under_private.index);
  test(cs("the kernel behind the end"), kernel_and_the_end.index);
  test(cs("read into a mapping of itself"), copy_into_itself.index);
  test(cs("mapping in two processes"), two_processes.index);
  test(cs("two mappings of a file"), two_mappings.index);
  test(cs("mapped hole"), mapped_hole.index);
  test(cs("MS_INVALIDATE"), dropped_pages.index);
  test(cs("mapping over a mapping"), overwritten_mapping.index);
  test(cs("renamed under a mapping"), replaced_under_mapping.index);
  test(cs("large mapping"), big_mapping.index);
  test(cs("executable mapping"), executable_mapping.index);
}
