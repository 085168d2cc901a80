// Cases of usertests: mapping memory, and the calls on mapped memory. Files that are mapped: mapped_files.ts.
import { bss, frame_alloc, volatile } from "../../../i386/cpufunc";
import { EAGAIN, EBADF, EFAULT, EINVAL, ENODEV, ENOMEM } from "../../../sys/errno";
import { last_error } from "../../lib/errors";
import { O_RDONLY, O_RDWR } from "../../lib/files";
import {
  __msync13, _break, _exit, getrlimit, madvise, mincore, minherit, mlock, mlockall, mmap, mprotect, munlock,
  munlockall, munmap, open, read, setrlimit,
} from "../../lib/syscalls";
import {
  PAGE, all_bytes, become, child, death, fails, fill_pattern, finish, group, has_pattern, in_child, make_pipe, scratch,
  start, test,
} from "./harness";

export const PROT_NONE: u32 = 0;
export const PROT_READ: u32 = 1;
export const PROT_WRITE: u32 = 2;
export const PROT_EXEC: u32 = 4;
export const PROT_RW: u32 = 3;
export const MAP_SHARED: u32 = 1;
export const MAP_PRIVATE: u32 = 2;
export const MAP_FIXED: u32 = 0x10;
export const MAP_ANON: u32 = 0x1000;
const KERNEL: usize = 0xc0100000;
const TOP: usize = 0xbfbfe000;
const RLIMIT_DATA: u32 = 2;
const RLIMIT_MEMLOCK: u32 = 6;
const SIGSEGV: i32 = 11;

/** A word that child bodies use. */
function place(): usize {
  return bss(4, 4);
}

/** `pages` of fresh memory; MAP_PRIVATE or MAP_SHARED. */
export function map_memory(pages: u32, kind: u32): usize {
  const at = mmap(0, pages * PAGE, PROT_RW, MAP_ANON | kind, -1, 0, 0);
  assert(at != -1 && (at & (PAGE - 1)) == 0);
  return usize(at);
}

function touch(): void {
  volatile.store8(load<usize>(place()), 1);
}

function look(): void {
  volatile.load8(load<usize>(place()));
}

/** Does a child that writes there die of SIGSEGV? */
export function write_faults(at: usize): bool {
  store<usize>(place(), at);
  return death(child(touch.index)) == SIGSEGV;
}

/** Does a child that reads there die of SIGSEGV? */
export function read_faults(at: usize): bool {
  store<usize>(place(), at);
  return death(child(look.index)) == SIGSEGV;
}

function anonymous(): void {
  const p = map_memory(8, MAP_PRIVATE);
  assert(all_bytes(p, 8 * PAGE, 0));
  fill_pattern(p, 8 * PAGE, 3);
  assert(has_pattern(p, 8 * PAGE, 3) && munmap(p, 8 * PAGE) == 0);
  assert(read_faults(p) && read_faults(p + 7 * PAGE));
  const odd = mmap(0, 1, PROT_RW, MAP_ANON | MAP_PRIVATE, -1, 0, 0);
  assert(odd != -1);
  store<u8>(odd + PAGE - 1, 1);
  assert(munmap(odd, 1) == 0 && read_faults(odd + PAGE - 1));
}

function fixed_mappings(): void {
  const p = map_memory(4, MAP_PRIVATE);
  fill_pattern(p, 4 * PAGE, 1);
  // In the place of the two pages in the middle.
  assert(mmap(p + PAGE, 2 * PAGE, PROT_RW, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0, 0) == i32(p + PAGE));
  assert(has_pattern(p, PAGE, 1) && all_bytes(p + PAGE, 2 * PAGE, 0));
  assert(load<u8>(p + 3 * PAGE + 1) == ((((3 * PAGE + 1) * 7) + ((3 * PAGE + 1) >> 8) * 13 + 1) & 0xff));
  assert(fails(mmap(p + 1, PAGE, PROT_RW, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0, 0), EINVAL));
  assert(fails(mmap(TOP, PAGE, PROT_RW, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0, 0), EINVAL));
  assert(fails(mmap(KERNEL, PAGE, PROT_RW, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0, 0), EINVAL));
  assert(fails(mmap(TOP - PAGE, 2 * PAGE, PROT_RW, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0, 0), EINVAL));
  assert(fails(mmap(0xbfc00000, PAGE, PROT_RW, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0, 0), EINVAL));
}

function hinted_mappings(): void {
  const p = map_memory(2, MAP_PRIVATE);
  const q = mmap(p, PAGE, PROT_RW, MAP_ANON | MAP_PRIVATE, -1, 0, 0);
  // Without MAP_FIXED what is there stays.
  assert(q != -1 && q != i32(p) && q != i32(p + PAGE));
  const free_place = p + 1000 * PAGE;
  assert(mmap(free_place, PAGE, PROT_RW, MAP_ANON | MAP_PRIVATE, -1, 0, 0) == i32(free_place));
}

function mmap_errors(): void {
  const fds = frame_alloc(8);
  assert(fails(mmap(0, PAGE, PROT_RW, MAP_ANON | MAP_PRIVATE, 0, 0, 0), EINVAL));
  assert(fails(mmap(0, PAGE, PROT_RW, MAP_ANON | MAP_PRIVATE | MAP_SHARED, -1, 0, 0), EINVAL));
  assert(fails(mmap(0, PAGE, PROT_RW, MAP_PRIVATE, 99, 0, 0), EBADF));
  assert(fails(mmap(0, 0xfffff000, PROT_RW, MAP_ANON | MAP_PRIVATE, -1, 0, 0), EINVAL));
  assert(fails(mmap(0, 0x80000001, PROT_RW, MAP_ANON | MAP_PRIVATE, -1, 0, 0), EINVAL));
  assert(fails(mmap(0, 0x7ffff000, PROT_RW, MAP_ANON | MAP_PRIVATE, -1, 0, 0), ENOMEM));
  make_pipe(fds);
  assert(fails(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, load<i32>(fds), 0, 0), EINVAL));
  const dir = open(cs("."), O_RDONLY, 0);
  assert(fails(mmap(0, PAGE, PROT_READ, MAP_PRIVATE, dir, 0, 0), ENODEV));
}

function mapped_devices(): void {
  const fd = open(cs("/dev/zero"), O_RDWR, 0);
  const null_fd = open(cs("/dev/null"), O_RDWR, 0);
  assert(fd >= 0 && null_fd >= 0);
  assert(mmap(0, PAGE, PROT_RW, MAP_SHARED, null_fd, 0, 0) == -1 && last_error() == EINVAL);
  const tty = open(cs("/dev/console"), O_RDWR, 0);
  assert(tty >= 0 && mmap(0, PAGE, PROT_RW, MAP_SHARED, tty, 0, 0) == -1 && last_error() == EINVAL);
}

function unmapping(): void {
  const p = map_memory(6, MAP_PRIVATE);
  fill_pattern(p, 6 * PAGE, 9);
  assert(munmap(p + 2 * PAGE, PAGE) == 0 && read_faults(p + 2 * PAGE) && has_pattern(p, 2 * PAGE, 9));
  // A hole is an error, and nothing happens.
  assert(fails(munmap(p, 6 * PAGE), EINVAL) && has_pattern(p, 2 * PAGE, 9));
  assert(munmap(p, 2 * PAGE) == 0 && munmap(p + 3 * PAGE, 3 * PAGE) == 0);
  assert(fails(munmap(KERNEL, PAGE), EINVAL) && fails(munmap(p, 0xffffffff), EINVAL) && munmap(p, 0) == 0);
  assert(fails(munmap(TOP, PAGE), EINVAL));
}

function protections(): void {
  const p = map_memory(3, MAP_PRIVATE);
  fill_pattern(p, 3 * PAGE, 4);
  assert(mprotect(p + PAGE, PAGE, PROT_READ) == 0);
  assert(write_faults(p + PAGE) && !write_faults(p) && !write_faults(p + 2 * PAGE) && !read_faults(p + PAGE));
  assert(mprotect(p + PAGE, PAGE, PROT_NONE) == 0 && read_faults(p + PAGE) && fails(open(p + PAGE, 0, 0), EFAULT));
  assert(mprotect(p, 3 * PAGE, PROT_RW) == 0 && has_pattern(p, 3 * PAGE, 4) && !write_faults(p + PAGE));
  assert(fails(mprotect(KERNEL, PAGE, PROT_READ), EINVAL) && fails(mprotect(p, 0xfffff000, PROT_READ), EINVAL));
  // Holes are passed over.
  assert(munmap(p + PAGE, PAGE) == 0 && mprotect(p, 3 * PAGE, PROT_READ) == 0 && write_faults(p + 2 * PAGE));
}

/** The kernel's writes obey the protection, too: on an i386 nothing but its own care makes them. */
function kernel_obeys_protection(): void {
  const p = map_memory(3, MAP_PRIVATE);
  const fd = open(cs("/dev/zero"), O_RDONLY, 0);
  fill_pattern(p, 3 * PAGE, 5);
  assert(mprotect(p + PAGE, PAGE, PROT_READ) == 0);
  assert(fails(read(fd, p + PAGE, 10), EFAULT) && fails(read(fd, p + PAGE - 5, 10), EFAULT));
  assert(has_pattern(p, PAGE - 5, 5));
  for (let i: u32 = PAGE; i < 3 * PAGE; i++) assert(load<u8>(p + i) == ((i * 7 + (i >> 8) * 13 + 5) & 0xff));
  assert(mprotect(p + PAGE, PAGE, PROT_NONE) == 0 && fails(read(fd, p + PAGE, 1), EFAULT));
  assert(fails(read(fd, 0x08048000, 16), EFAULT));
}

function shared_writer(): void {
  fill_pattern(load<usize>(place()), 2 * PAGE, 8);
}

function shared_memory(): void {
  const p = map_memory(2, MAP_SHARED);
  store<usize>(place(), p);
  in_child(shared_writer.index);
  assert(has_pattern(p, 2 * PAGE, 8));
  const big = map_memory(100, MAP_SHARED);
  store<usize>(place(), big + 90 * PAGE);
  in_child(shared_writer.index);
  assert(has_pattern(big + 90 * PAGE, 2 * PAGE, 8) && all_bytes(big, PAGE, 0));
}

function private_memory(): void {
  const p = map_memory(2, MAP_PRIVATE);
  fill_pattern(p, 2 * PAGE, 1);
  store<usize>(place(), p);
  in_child(shared_writer.index);
  assert(has_pattern(p, 2 * PAGE, 1));
}

function inherit_share(): void {
  const p = map_memory(3, MAP_PRIVATE);
  fill_pattern(p, 3 * PAGE, 1);
  assert(minherit(p, PAGE * 2, 0) == 0);
  store<usize>(place(), p);
  in_child(shared_writer.index);
  assert(has_pattern(p, 2 * PAGE, 8) && fails(minherit(p, PAGE, 77), EINVAL));
  assert(fails(minherit(KERNEL, PAGE, 0), EINVAL));
}

function inherit_none(): void {
  const p = map_memory(2, MAP_PRIVATE);
  assert(minherit(p, PAGE, 2) == 0 && read_faults(p) && !read_faults(p + PAGE));
  const q = map_memory(2, MAP_SHARED);
  fill_pattern(q, 2 * PAGE, 2);
  assert(minherit(q, 2 * PAGE, 1) == 0);
  store<usize>(place(), q);
  in_child(shared_writer.index);
  assert(has_pattern(q, 2 * PAGE, 2));
}

function incore(): void {
  const vec = scratch();
  const p = map_memory(70, MAP_PRIVATE);
  store<u8>(p + 3 * PAGE, 1);
  store<u8>(p + 69 * PAGE, 1);
  assert(mincore(p, 70 * PAGE, vec) == 0);
  assert((load<u8>(vec + 3) & 1) == 1 && (load<u8>(vec + 69) & 1) == 1 && (load<u8>(vec + 5) & 1) == 0);
  assert(fails(mincore(p + 1, PAGE, vec), EINVAL) && fails(mincore(p, PAGE, KERNEL), EFAULT));
  assert(fails(mincore(KERNEL, PAGE, vec), EINVAL) && munmap(p + PAGE, PAGE) == 0);
  assert(fails(mincore(p, 3 * PAGE, vec), ENOMEM));
}

function locking(): void {
  const vec = scratch();
  const p = map_memory(4, MAP_PRIVATE);
  assert(mlock(p, 2 * PAGE) == 0 && mincore(p, 4 * PAGE, vec) == 0);
  assert((load<u8>(vec) & 1) == 1 && (load<u8>(vec + 1) & 1) == 1);
  assert(mlock(p, PAGE) == 0 && munlock(p, PAGE) == 0 && munlock(p + PAGE, PAGE) == 0);
  assert(fails(mlock(KERNEL, PAGE), EINVAL) && fails(munlock(KERNEL, PAGE), EINVAL));
  assert(munmap(p + PAGE, PAGE) == 0 && fails(mlock(p, 3 * PAGE), ENOMEM) && fails(mlock(p, 0xffff0000), EINVAL));
  // What is locked may go.
  assert(mlock(p + 2 * PAGE, 2 * PAGE) == 0 && munmap(p + 2 * PAGE, 2 * PAGE) == 0);
}

function locking_limits(): void {
  const limit = frame_alloc(16);
  const p = map_memory(8, MAP_PRIVATE);
  store<u64>(limit, 3 * PAGE);
  store<u64>(limit, 3 * PAGE, 8);
  assert(setrlimit(RLIMIT_MEMLOCK, limit) == 0);
  become(1000);
  assert(mlock(p, 3 * PAGE) == 0 && fails(mlock(p + 4 * PAGE, PAGE), EAGAIN) && munlock(p, 3 * PAGE) == 0);
  assert(fails(mlock(p, 4 * PAGE), EAGAIN) && mlock(p, PAGE) == 0);
  assert(mlockall(1) == -1 && munlock(p, PAGE) == 0);
  become(0);
  assert(mlock(p, 8 * PAGE) == 0);
}

function locked_child(): void {
  const vec = scratch();
  if (mincore(load<usize>(place()), PAGE, vec) != 0) _exit(1);
  fill_pattern(load<usize>(place()), PAGE, 99);
}

function locking_all(): void {
  const vec = scratch();
  assert(fails(mlockall(0), EINVAL) && fails(mlockall(8), EINVAL));
  const p = map_memory(2, MAP_PRIVATE);
  assert(mlockall(3) == 0 && mincore(p, 2 * PAGE, vec) == 0 && (load<u8>(vec + 1) & 1) == 1);
  const q = map_memory(2, MAP_PRIVATE);
  assert(mincore(q, 2 * PAGE, vec) == 0 && (load<u8>(vec) & 1) == 1);
  // Locked memory is copied for a child at once, and the child has no locks.
  fill_pattern(q, PAGE, 6);
  store<usize>(place(), q);
  in_child(locked_child.index);
  assert(has_pattern(q, PAGE, 6) && munlockall() == 0 && munmap(q, 2 * PAGE) == 0);
}

function advice(): void {
  const p = map_memory(4, MAP_PRIVATE);
  fill_pattern(p, 4 * PAGE, 7);
  for (let behaviour: u32 = 0; behaviour <= 4; behaviour++) assert(madvise(p, 4 * PAGE, behaviour) == 0);
  assert(has_pattern(p, 4 * PAGE, 7));
  assert(madvise(p + PAGE, PAGE, 6) == 0 && all_bytes(p + PAGE, PAGE, 0) && has_pattern(p, PAGE, 7));
  assert(fails(madvise(p, PAGE, 55), EINVAL) && fails(madvise(KERNEL, PAGE, 1), EINVAL) && madvise(p, 0, 1) == 0);
}

function syncing_memory(): void {
  const p = map_memory(3, MAP_PRIVATE);
  assert(__msync13(p, 3 * PAGE, 0) == 0 && __msync13(p, 3 * PAGE, 1) == 0 && __msync13(p, 3 * PAGE, 4) == 0);
  assert(fails(__msync13(p, PAGE, 5), EINVAL) && fails(__msync13(p, PAGE, 0x10), EINVAL));
  assert(munmap(p + PAGE, PAGE) == 0 && fails(__msync13(p, 3 * PAGE, 4), ENOMEM));
  assert(fails(__msync13(KERNEL, PAGE, 4), EINVAL));
}

/** The end of the data, found by asking: break(2) has no way to tell. */
function data_end(): usize {
  return 0x08400000;
}

function breaking(): void {
  const limit = frame_alloc(16);
  const end = data_end();
  assert(_break(end) == 0);
  store<u8>(end - 1, 5);
  assert(_break(end + 10 * PAGE) == 0 && all_bytes(end, 10 * PAGE, 0));
  fill_pattern(end, 10 * PAGE, 2);
  assert(_break(end + 5 * PAGE + 1) == 0 && has_pattern(end, 6 * PAGE, 2) && read_faults(end + 7 * PAGE));
  assert(_break(end + 10 * PAGE) == 0 && all_bytes(end + 6 * PAGE, 4 * PAGE, 0) && load<u8>(end - 1) == 5);
  assert(fails(_break(1), ENOMEM) && fails(_break(KERNEL), ENOMEM) && fails(_break(0xffffffff), ENOMEM));
  assert(getrlimit(RLIMIT_DATA, limit) == 0);
  store<u64>(limit, 0x400000);
  assert(setrlimit(RLIMIT_DATA, limit) == 0 && fails(_break(end + 0x400000), ENOMEM) && _break(end) == 0);
}

function big_break(): void {
  const end = data_end();
  assert(_break(end + 0x2000000) == 0);
  for (let at: usize = end; at < end + 0x2000000; at += 0x100000) store<u32>(at, at);
  for (let at: usize = end; at < end + 0x2000000; at += 0x100000) assert(load<u32>(at) == at);
  assert(_break(end) == 0 && read_faults(end + PAGE));
}

function deep(n: u32): u32 {
  const block = frame_alloc(1024);
  store<u32>(block, n);
  const below = n != 0 ? deep(n - 1) : 0;
  return load<u32>(block) + below;
}

function stack_growth(): void {
  assert(deep(1000) == 500500);
}

function endless(): void {
  deep(1000000);
}

function stack_limit(): void {
  assert(death(child(endless.index)) == SIGSEGV);
}

function generations_body(): void {
  const p = load<usize>(place());
  if (!has_pattern(p, 4 * PAGE, 1)) _exit(1);
  fill_pattern(p, PAGE, 2);
  if (child(second_body.index) != 0) _exit(2);
  if (!has_pattern(p, PAGE, 2) || load<u8>(p + PAGE) != ((PAGE * 7 + (PAGE >> 8) * 13 + 1) & 0xff)) _exit(3);
}

function second_body(): void {
  const p = load<usize>(place());
  if (!has_pattern(p, PAGE, 2)) _exit(1);
  fill_pattern(p, 4 * PAGE, 3);
}

function generations(): void {
  const p = map_memory(4, MAP_PRIVATE);
  fill_pattern(p, 4 * PAGE, 1);
  store<usize>(place(), p);
  for (let i: u32 = 0; i < 3; i++) in_child(generations_body.index);
  const pid = start(generations_body.index);
  fill_pattern(p, PAGE, 55);
  const other = start(second_body.index);
  assert(finish(pid) == 0 && finish(other) != 0 && has_pattern(p, PAGE, 55));
}

function many_mappings(): void {
  // Every second page of a range: an entry each.
  const p = map_memory(120, MAP_PRIVATE);
  for (let i: u32 = 0; i < 120; i++) store<u32>(p + i * PAGE, i);
  for (let i: u32 = 0; i < 120; i += 2) assert(munmap(p + i * PAGE, PAGE) == 0);
  for (let i: u32 = 1; i < 120; i += 2) assert(load<u32>(p + i * PAGE) == i);
  for (let i: u32 = 0; i < 120; i += 2) {
    assert(mmap(p + i * PAGE, PAGE, PROT_READ, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0, 0) == i32(p + i * PAGE));
  }
  assert(mprotect(p, 120 * PAGE, PROT_READ) == 0 && load<u32>(p + 7 * PAGE) == 7 && write_faults(p + 7 * PAGE));
  assert(munmap(p, 120 * PAGE) == 0);
}

/** Adds the cases of this file. */
export function memory_cases(): void {
  group(cs("memory"));
  test(cs("anonymous memory"), anonymous.index);
  test(cs("MAP_FIXED"), fixed_mappings.index);
  test(cs("mmap with a hint"), hinted_mappings.index);
  test(cs("mmap errors"), mmap_errors.index);
  test(cs("mmap of devices"), mapped_devices.index);
  test(cs("munmap"), unmapping.index);
  test(cs("mprotect"), protections.index);
  test(cs("the kernel obeys mprotect"), kernel_obeys_protection.index);
  test(cs("shared memory"), shared_memory.index);
  test(cs("private memory"), private_memory.index);
  test(cs("minherit share"), inherit_share.index);
  test(cs("minherit none and copy"), inherit_none.index);
  test(cs("mincore"), incore.index);
  test(cs("mlock"), locking.index);
  test(cs("limit of mlock"), locking_limits.index);
  test(cs("mlockall"), locking_all.index);
  test(cs("madvise"), advice.index);
  test(cs("msync of memory"), syncing_memory.index);
  test(cs("break"), breaking.index);
  test(cs("large break"), big_break.index);
  test(cs("stack grows"), stack_growth.index);
  test(cs("stack ends"), stack_limit.index);
  test(cs("generations of copies"), generations.index);
  test(cs("many mappings"), many_mappings.index);
}
