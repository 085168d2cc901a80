// Cases of `shortage` in which a program's own pages run out.
import { err, last_error } from "../../lib/errors";
import { O_CREAT, O_RDWR, O_TRUNC } from "../../lib/files";
import { frame_alloc } from "../../../i386/cpufunc";
import { zalloc } from "../../lib/stdlib";
import { __msync13, close, fork, ftruncate, mmap, munmap, open, sync, unlink, wait4, write } from "../../lib/syscalls";
import {
  FILE_PAGES, MAP_ANON, MAP_PRIVATE, MAP_SHARED, PAGE, SIGKILL, expect, fill, in_child, is_filled, make_file, map,
  memory_pages, peek, poke, resident, stay_in_memory, take_all,
} from "./state";

const MS_SYNC: u32 = 4;
const EIO: i32 = 5;

/** Fills memory with pages of the kind of `flags`: those of files go first, then the next one cannot be had. */
function hog(flags: u32): void {
  stay_in_memory();
  const fd = make_file(FILE_PAGES);
  const file = map(FILE_PAGES * PAGE, MAP_SHARED, fd);
  expect(fill(file, FILE_PAGES) == FILE_PAGES, cs("a file can be written"));
  expect(resident(file) == FILE_PAGES, cs("its pages are there"));
  const all = memory_pages();
  const at = map(all * PAGE, flags | MAP_ANON, -1);
  const pages = fill(at, all);
  expect(pages > 100 && pages < all, cs("a part of memory can be had, but not all"));
  expect(resident(file) < FILE_PAGES * 3 / 4, cs("pages of files went first"));
  expect(is_filled(at, pages), cs("what was had is whole"));
  munmap(at, all * PAGE);
  expect(is_filled(file, FILE_PAGES), cs("what went from memory was written"));
}

export function case_anon(): void {
  hog(MAP_PRIVATE);
}

export function case_aobj(): void {
  hog(MAP_SHARED);
}

function touch_all(): void {
  const all = memory_pages();
  const at = map(all * PAGE, MAP_PRIVATE | MAP_ANON, -1);
  for (let n: u32 = 0; n < all; n++) store<u32>(at + n * PAGE, n);
}

/** Who takes a page that is not there, and not by a system call, is killed. */
export function case_killed(): void {
  expect((in_child(touch_all.index) & 0x7f) == SIGKILL, cs("the child was killed"));
}

/** Copies of pages that a parent and a child share, until there is no memory. */
export function case_copy(): void {
  const shared = memory_pages() / 2;
  const status = frame_alloc(4);
  const at = map(shared * PAGE, MAP_PRIVATE | MAP_ANON, -1);
  expect(fill(at, shared) == shared, cs("half of memory can be had"));
  const pid = fork();
  if (pid < 0) err(1, cs("fork"));
  if (pid == 0) for (let n: u32 = 0; n < shared; n++) store<u32>(at + n * PAGE, 0);
  expect(wait4(pid, status, 0, 0) == pid && (load<i32>(status) & 0x7f) == SIGKILL, cs("the child was killed"));
  expect(is_filled(at, shared), cs("the parent's pages are as they were"));
}

/** Many places of private memory, each with an amap of its own. */
export function case_amap(): void {
  const pages: u32 = 250;
  const places: u32 = 16;
  const pagesp = frame_alloc(4);
  const slots = zalloc(places * 4);
  poke(slots, 0);
  stay_in_memory();
  for (let i: u32 = 0; i < places; i++) {
    // Every second one may not be executed, so that no two become one.
    store<usize>(slots + i * 4, mmap(0, pages * PAGE, (i & 1) == 0 ? 3 : 7, MAP_PRIVATE | MAP_ANON, -1, 0, 0));
  }
  take_all(pagesp);
  for (let i: u32 = 0; i < places; i++) expect(poke(load<usize>(slots + i * 4), 1) != 0, cs("no page can be had"));
}

/** A page of a file can be read whatever else memory is full of: others of files give way to it. */
export function case_read(): void {
  const pagesp = frame_alloc(4);
  const fd = make_file(FILE_PAGES);
  expect(write(fd, cs("some text"), 9) == 9, cs("the file can be written"));
  stay_in_memory();
  const file = map(FILE_PAGES * PAGE, MAP_SHARED, fd);
  take_all(pagesp);
  expect(peek(file) && load<u8>(file) == 0x73, cs("a page of a file can be had"));
}

/** Writes to a new file of `name` until the file system is full. => the descriptor */
function fill_disk(name: usize): i32 {
  const chunk: u32 = 65536;
  const buffer = zalloc(chunk);
  const fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0x180);
  if (fd < 0) err(1, name);
  for (let piece = chunk; piece >= 512; piece >>= 1) while (write(fd, buffer, piece) == i32(piece)) {}
  return fd;
}

/** Pages of a mapping that have no blocks, when there are none to have. */
export function case_full(): void {
  const pages: u32 = 32;
  const fd = make_file(pages);
  const file = map(pages * PAGE, MAP_SHARED, fd);
  const filler = fill_disk(cs("shortage.filler"));
  expect(fill(file, pages) == pages, cs("holes can be written"));
  expect(__msync13(file, pages * PAGE, MS_SYNC) == -1 && last_error() == EIO, cs("but not brought to the disk"));
  expect(is_filled(file, pages), cs("they stay in memory"));
  ftruncate(filler, 0, 0);
  close(filler);
  unlink(cs("shortage.filler"));
  sync();
  expect(__msync13(file, pages * PAGE, MS_SYNC) == 0, cs("with room they can be brought to the disk"));
  expect(is_filled(file, pages), cs("they are whole"));
}
