// What the cases of `shortage` share: mappings, and writing to pages by system calls, which fail with EFAULT where
// the program itself would be killed.
import { err, errx, last_error } from "../../lib/errors";
import { O_CREAT, O_RDWR, O_TRUNC } from "../../lib/files";
import { close, fork, ftruncate, mincore, mlock, mmap, open, pipe, read, unlink, wait4, write } from "../../lib/syscalls";
import { sysctl_value } from "../../lib/sysctl";
import { exit } from "../../lib/stdio";

export const PAGE: u32 = 4096;
export const EAGAIN: i32 = 35;
export const EFAULT: i32 = 14;
export const ENOMEM: i32 = 12;
export const SIGKILL: i32 = 9;
export const MAP_SHARED: u32 = 1;
export const MAP_PRIVATE: u32 = 2;
export const MAP_FIXED: u32 = 0x10;
export const MAP_ANON: u32 = 0x1000;
export const MCL_CURRENT: u32 = 1;
/** Where the text of a program begins. */
const TEXT: usize = 0x08048000;
const PROT_RW: u32 = 3;
/** Offset of npages in vm.uvmexp. */
const UVMEXP_NPAGES: usize = 12;
/** Pages of a file that are there before memory is filled. */
export const FILE_PAGES: u32 = 256;

@unmanaged
class Shortage {
  file: usize;
  /** A pipe to move words through. */
  read_end: i32;
  write_end: i32;
}
export const shortage = changetype<Shortage>(memory.data(16));

/** A check: what did not hold, and where errno stands. */
export function expect(ok: bool, what: usize): void {
  if (!ok) errx(1, cs("%s (errno %d)"), what, last_error());
}

export function map(size: u32, flags: u32, fd: i32): usize {
  const at = mmap(0, size, PROT_RW, flags, fd, 0, 0);
  if (at == -1) err(1, cs("mmap"));
  return at;
}

/** Maps the page at the start of `fd` at `at`. */
export function map_at(at: usize, fd: i32): void {
  expect(usize(mmap(at, PAGE, PROT_RW, MAP_SHARED | MAP_FIXED, fd, 0, 0)) == at, cs("a mapping at a fixed place"));
}

/** Pages of memory that the kernel manages. */
export function memory_pages(): u32 {
  return load<u32>(sysctl_value(cs("vm.uvmexp"), memory.data(4)) + UVMEXP_NPAGES);
}

/** The file, made new, `pages` pages of hole; open, and without a name. */
export function make_file(pages: u32): i32 {
  const fd = open(shortage.file, O_RDWR | O_CREAT | O_TRUNC, 0x180);
  if (fd < 0 || ftruncate(fd, 0, i64(pages) * i64(PAGE)) != 0) err(1, shortage.file);
  unlink(shortage.file);
  return fd;
}

/** The word that page number `n` shall hold. */
function word_of(n: u32): u32 {
  return n * 0x9e3779b1 ^ 0x5a5a5a5a;
}

/** Writes the first word of a page by read(2) from a pipe: 0, or -1 with errno set. */
export function poke(at: usize, word: u32): i32 {
  const buffer = memory.data(4);
  store<u32>(buffer, word);
  if (shortage.write_end == 0) {
    const fds = memory.data(8);
    if (pipe(fds) != 0) err(1, cs("pipe"));
    shortage.read_end = load<i32>(fds);
    shortage.write_end = load<i32>(fds, 4);
  }
  if (write(shortage.write_end, buffer, 4) != 4) err(1, cs("pipe"));
  const n = read(shortage.read_end, at, 4);
  if (n == 4) return 0;
  const why = last_error();
  // The word is still in the pipe.
  read(shortage.read_end, buffer, 4);
  expect(why == EFAULT, cs("a page that cannot be had gives EFAULT"));
  return -1;
}

/** Reads the first word of a page by write(2) to a pipe: whether it can be had. */
export function peek(at: usize): bool {
  const buffer = memory.data(4);
  const n = write(shortage.write_end, at, 4);
  if (n == 4) read(shortage.read_end, buffer, 4);
  else expect(last_error() == EFAULT, cs("a page that cannot be had gives EFAULT"));
  return n == 4;
}

/** Writes a word to each of `pages` pages until one cannot be had. => the number of pages written */
export function fill(at: usize, pages: u32): u32 {
  for (let n: u32 = 0; n < pages; n++) if (poke(at + n * PAGE, word_of(n)) != 0) return n;
  return pages;
}

/** Does each page hold its word? */
export function is_filled(at: usize, pages: u32): bool {
  for (let n: u32 = 0; n < pages; n++) if (load<u32>(at + n * PAGE) != word_of(n)) return false;
  return true;
}

/** The number of resident pages among the first FILE_PAGES of a mapping. */
export function resident(at: usize): u32 {
  const vec = memory.data(256);
  if (mincore(at, FILE_PAGES * PAGE, vec) != 0) err(1, cs("mincore"));
  let count: u32 = 0;
  for (let i: u32 = 0; i < FILE_PAGES; i++) count += load<u8>(vec + i) & 1;
  return count;
}

/** Keeps the text of the program in memory, so that it gives no page away. */
export function stay_in_memory(): void {
  let at = TEXT;
  while (mlock(at, PAGE) == 0) at += PAGE;
  expect(at > TEXT && last_error() == ENOMEM, cs("the text can be kept in memory"));
}

/** Takes all memory that a program can have, as private memory: the address; the pages to `pagesp`. */
export function take_all(pagesp: usize): usize {
  const all = memory_pages();
  const at = map(all * PAGE, MAP_PRIVATE | MAP_ANON, -1);
  // A child's copy of the page of errno must be there when errno is set next.
  close(-1);
  const pages = fill(at, all);
  expect(pages > 100 && pages < all, cs("a part of memory can be had, but not all"));
  store<u32>(pagesp, pages);
  return at;
}

/** Runs `body`, a function's index, in a child. => the status that wait gives */
export function in_child(body: u32): i32 {
  const status = memory.data(4);
  const pid = fork();
  if (pid < 0) err(1, cs("fork"));
  if (pid == 0) {
    call_indirect<void>(body);
    exit(0);
  }
  if (wait4(pid, status, 0, 0) != pid) err(1, cs("wait4"));
  return load<i32>(status);
}
