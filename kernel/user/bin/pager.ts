// pager: files as memory. Writes a file through a shared mapping, and looks at one through mappings and read(2).
//
//   pager write FILE PAGES ORDER SEED    makes the file and writes words all over each page
//   pager update FILE ORDER SEED         writes every page again
//   pager check FILE ORDER SEED          compares them, by a shared mapping
//   pager read FILE ORDER SEED           compares them, by read(2)
//   pager private FILE ORDER SEED        overwrites a private mapping; the file must not notice
//
// ORDER is forward (madvise SEQUENTIAL), backward or random (RANDOM): the order of the pages. SEED makes the contents.
import { strcmp } from "../../libkern";
import { err, errx, set_progname, usage } from "../lib/errors";
import { O_CREAT, O_RDWR, O_TRUNC, SIZEOF_STAT, Stat } from "../lib/files";
import { frame_alloc } from "../../i386/cpufunc";
import { atoi, malloc } from "../lib/stdlib";
import { __fstat13, __msync13, close, ftruncate, lseek, madvise, mmap, munmap, open, read } from "../lib/syscalls";

const PAGE: u32 = 4096;
/** Bytes from one word that is written and compared to the next: no sector goes unnoticed. */
const STEP: u32 = 64;
const MAP_SHARED: u32 = 1;
const MAP_PRIVATE: u32 = 2;
const MS_ASYNC: u32 = 1;
const ADV_RANDOM: u32 = 1;
const ADV_SEQUENTIAL: u32 = 2;
const FORWARD: u32 = 0;
const BACKWARD: u32 = 1;
const RANDOM: u32 = 2;
/** Every so many pages of a private mapping are written, and of a file written back on the way. */
const STRIDE: u32 = 5;

@unmanaged
class State {
  path: usize;
  fd: i32;
  pages: u32;
  order: u32;
  seed: u32;
}
const state = changetype<State>(memory.data(20));

/** The page that comes `n`th; RANDOM walks through all by a step that has no divisor in common with their number. */
function page_number(n: u32): u32 {
  if (state.order == FORWARD) return n;
  if (state.order == BACKWARD) return state.pages - 1 - n;
  let step: u32 = 0x9e3779b1 % state.pages | 1;
  while (divisor(step, state.pages) != 1) step += 2;
  return u32((u64(n) * u64(step)) % u64(state.pages));
}

function divisor(a: u32, b: u32): u32 {
  while (b != 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

function first_word(page: u32): u32 {
  return (page + 1) * 0x9e3779b1 ^ state.seed * 0x85ebca6b;
}

function write_page(at: usize, page: u32): void {
  let word = first_word(page);
  for (let i: u32 = 0; i < PAGE; i += STEP) {
    store<u32>(at + i, word);
    word = word * 1664525 + 1013904223;
  }
}

function check_page(at: usize, page: u32): void {
  let word = first_word(page);
  for (let i: u32 = 0; i < PAGE; i += STEP) {
    if (load<u32>(at + i) != word) {
      errx(1, cs("%s: page %u is wrong at byte %u"), u32(state.path), page, i);
    }
    word = word * 1664525 + 1013904223;
  }
}

function map(flags: u32): usize {
  const at = mmap(0, state.pages * PAGE, 3, flags, state.fd, 0, 0);
  if (at == -1) err(1, cs("mmap"));
  if (madvise(at, state.pages * PAGE, state.order == FORWARD ? ADV_SEQUENTIAL : ADV_RANDOM) != 0) err(1, cs("madvise"));
  return at;
}

function write_all_pages(): void {
  const at = map(MAP_SHARED);
  for (let n: u32 = 0; n < state.pages; n++) {
    const page = page_number(n);
    write_page(at + page * PAGE, page);
    if (n % STRIDE == 0 && __msync13(at + page * PAGE, PAGE, MS_ASYNC) != 0) err(1, cs("msync"));
  }
  munmap(at, state.pages * PAGE);
}

function check_all_pages(): void {
  const at = map(MAP_SHARED);
  for (let n: u32 = 0; n < state.pages; n++) check_page(at + page_number(n) * PAGE, page_number(n));
  munmap(at, state.pages * PAGE);
}

function read_all_pages(): void {
  const buffer = malloc(PAGE);
  for (let n: u32 = 0; n < state.pages; n++) {
    const page = page_number(n);
    lseek(state.fd, 0, i64(page) * i64(PAGE), 0);
    if (read(state.fd, buffer, PAGE) != i32(PAGE)) err(1, state.path);
    check_page(buffer, page);
  }
}

function write_private(): void {
  const at = map(MAP_PRIVATE);
  for (let n: u32 = 0; n < state.pages; n += STRIDE) {
    const page = page_number(n);
    check_page(at + page * PAGE, page);
    write_page(at + page * PAGE, ~page);
  }
  for (let n: u32 = 0; n < state.pages; n++) {
    const page = page_number(n);
    check_page(at + page * PAGE, n % STRIDE == 0 ? ~page : page);
  }
  munmap(at, state.pages * PAGE);
  check_all_pages();
}

function order_named(name: usize): u32 {
  if (strcmp(name, cs("forward")) == 0) return FORWARD;
  if (strcmp(name, cs("backward")) == 0) return BACKWARD;
  if (strcmp(name, cs("random")) != 0) errx(1, cs("there is no order %s"), u32(name));
  return RANDOM;
}

/** Opens the file; `pages` 0: as it is, else new and so long. */
function open_file(pages: u32): void {
  state.fd = open(state.path, O_RDWR | (pages != 0 ? O_CREAT | O_TRUNC : 0), 0x1a4);
  if (state.fd < 0) err(1, state.path);
  if (pages != 0 && ftruncate(state.fd, 0, i64(pages) * i64(PAGE)) != 0) err(1, state.path);
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  if (__fstat13(state.fd, changetype<usize>(st)) != 0) err(1, state.path);
  state.pages = u32(st.size >> 12);
  if (state.pages == 0) errx(1, cs("%s has no page"), u32(state.path));
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("pager"));
  const how = cs("pager write file pages order seed | update|check|read|private file order seed");
  const job = argc > 1 ? load<usize>(argv + 4) : cs("");
  const writes = strcmp(job, cs("write")) == 0;
  if (argc != (writes ? 6 : 5)) usage(how);
  const rest = argv + (writes ? 16 : 12);
  state.path = load<usize>(argv + 8);
  state.order = order_named(load<usize>(rest));
  state.seed = u32(atoi(load<usize>(rest + 4)));
  open_file(writes ? u32(atoi(load<usize>(argv + 12))) : 0);
  if (writes || strcmp(job, cs("update")) == 0) write_all_pages();
  else if (strcmp(job, cs("check")) == 0) check_all_pages();
  else if (strcmp(job, cs("read")) == 0) read_all_pages();
  else if (strcmp(job, cs("private")) == 0) write_private();
  else usage(how);
  if (close(state.fd) != 0) err(1, state.path);
  return 0;
}
