// forkcow: pieces of memory of every kind, and what this process must see in them.
//
// In a private region a process writes any word, and nobody else ever sees it. In
// a shared one it writes only the words [lo, hi) of each page, which are its own:
// its children get parts of them while they live, and tell at their end what they
// wrote there. So each process knows every word that it may look at.
import { frame_alloc } from "../../../i386/cpufunc";
import { err, last_error, strerror } from "../../lib/errors";
import { O_CREAT, O_RDWR, O_TRUNC } from "../../lib/files";
import { exit, printf } from "../../lib/stdio";
import { random } from "../../lib/random";
import { minherit, mmap, open, read, unlink, write } from "../../lib/syscalls";
import { EFAULT, PAGE_SIZE, REGIONS, WORDS, forkcow } from "./state";

const PROT_RW: u32 = 3;
const MAP_SHARED: u32 = 1;
const MAP_PRIVATE: u32 = 2;
const MAP_FIXED: u32 = 0x10;
const MAP_ANON: u32 = 0x1000;
const VM_INHERIT_SHARE: u32 = 0;
const VM_INHERIT_COPY: u32 = 1;
const VM_INHERIT_NONE: u32 = 2;
const DEFAULT: u32 = 0xffffffff;

/** A kind of memory. */
@unmanaged
class Region {
  name: usize;
  flags: u32;
  /** How children inherit it, or DEFAULT. */
  inherit: u32;
  /** Whether children and parents see each other's words. */
  shared: u32;
  at: usize;
  /** Of a file: its descriptor, -1 otherwise. */
  fd: i32;
}
const SIZEOF_REGION: u32 = 24;
const region_table = memory.data(7 * 24, 4);

function region(index: u32): Region {
  return changetype<Region>(region_table + index * SIZEOF_REGION);
}

function define(index: u32, name: usize, flags: u32, inherit: u32, shared: u32): void {
  const it = region(index);
  it.name = name;
  it.flags = flags;
  it.inherit = inherit;
  it.shared = shared;
  it.fd = -1;
}

export function is_shared(index: u32): bool {
  return region(index).shared != 0;
}

/** Whether this process has the region: what is not inherited, only the first process has. */
export function is_here(index: u32): bool {
  return region(index).inherit != VM_INHERIT_NONE || forkcow.depth == 0;
}

export function region_name(index: u32): usize {
  return region(index).name;
}

/** Address of a word; and of what it should hold. */
export function word_at(index: u32, page: u32, word: u32): usize {
  return region(index).at + page * PAGE_SIZE + 4 * word;
}

export function model_at(index: u32, page: u32, word: u32): usize {
  return forkcow.model + (index * forkcow.pages + page) * PAGE_SIZE + 4 * word;
}

/** What a fresh file holds. */
function file_word(page: u32, word: u32): u32 {
  return (page * 0x01000193 + word) * 0x9e3779b1 ^ forkcow.seed;
}

/** Makes the file behind a region and forgets its name. */
function make_file(name: usize): i32 {
  const buffer = frame_alloc(1024);
  const fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0x180);
  if (fd < 0) err(1, name);
  for (let i: u32 = 0; i < forkcow.pages * WORDS; i += 256) {
    for (let k: u32 = 0; k < 256; k++) store<u32>(buffer + 4 * k, file_word((i + k) / WORDS, (i + k) % WORDS));
    if (write(fd, buffer, 1024) != 1024) err(1, name);
  }
  unlink(name);
  return fd;
}

/** Maps `pages` pages of a region from `page` on, at its place, or anywhere when it has none. */
export function map_pages(index: u32, page: u32, pages: u32): void {
  const it = region(index);
  const hint = it.at == 0 ? 0 : it.at + page * PAGE_SIZE;
  const flags = it.flags | (it.at == 0 ? 0 : MAP_FIXED);
  const at = mmap(hint, pages * PAGE_SIZE, PROT_RW, flags, it.fd, 0, i64(it.fd < 0 ? 0 : page * PAGE_SIZE));
  if (at == -1) err(1, it.name);
  if (it.inherit != DEFAULT && minherit(at, pages * PAGE_SIZE, it.inherit) != 0) err(1, cs("minherit"));
  if (it.at == 0) it.at = at;
  for (let p = page; p < page + pages; p++) {
    for (let word: u32 = 0; word < WORDS; word++) {
      store<u32>(model_at(index, p, word), it.fd < 0 ? 0 : file_word(p, word));
    }
  }
}

/** Makes all regions; files are made in `folder`, the current one. */
export function make_regions(): void {
  define(0, cs("private"), MAP_ANON | MAP_PRIVATE, DEFAULT, 0);
  define(1, cs("shared"), MAP_ANON | MAP_SHARED, DEFAULT, 1);
  define(2, cs("private file"), MAP_PRIVATE, DEFAULT, 0);
  define(3, cs("shared file"), MAP_SHARED, DEFAULT, 1);
  define(4, cs("private, inherited shared"), MAP_ANON | MAP_PRIVATE, VM_INHERIT_SHARE, 1);
  define(5, cs("shared, inherited as a copy"), MAP_ANON | MAP_SHARED, VM_INHERIT_COPY, 0);
  define(6, cs("not inherited"), MAP_ANON | MAP_PRIVATE, VM_INHERIT_NONE, 0);
  const size = REGIONS * forkcow.pages * PAGE_SIZE;
  const model = mmap(0, size, PROT_RW, MAP_ANON | MAP_PRIVATE, -1, 0, 0);
  if (model == -1) err(1, cs("model"));
  forkcow.model = model;
  region(2).fd = make_file(cs("forkcow.private"));
  region(3).fd = make_file(cs("forkcow.shared"));
  for (let i: u32 = 0; i < REGIONS; i++) map_pages(i, 0, forkcow.pages);
}

/** Ends this process: a word is not what it should be, or a call went wrong. */
export function wrong_word(index: u32, page: u32, word: u32): void {
  printf(cs("forkcow: process %u (depth %u): %s memory: word %u of page %u is 0x%x, expected 0x%x (seed %u)\n"),
    forkcow.id, forkcow.depth, region_name(index), word, page, load<u32>(word_at(index, page, word)),
    load<u32>(model_at(index, page, word)), forkcow.seed);
  exit(1);
}

export function wrong_call(what: usize, index: u32, page: u32): void {
  printf(cs("forkcow: process %u (depth %u): %s of page %u of %s memory: %s (seed %u)\n"), forkcow.id, forkcow.depth,
    what, page, region_name(index), strerror(last_error()), forkcow.seed);
  exit(1);
}

/** Compares the words of a page that this process knows. */
export function check_page(index: u32, page: u32): void {
  const lo = is_shared(index) ? forkcow.lo : 0;
  const hi = is_shared(index) ? forkcow.hi : WORDS;
  let at = word_at(index, page, lo);
  let model = model_at(index, page, lo);
  const end = word_at(index, page, hi);
  while (at < end) {
    if (load<u32>(at) != load<u32>(model)) wrong_word(index, page, hi - u32(end - at) / 4);
    at += 4;
    model += 4;
  }
  forkcow.checks++;
}

export function check_all(): void {
  for (let i: u32 = 0; i < REGIONS; i++) {
    if (!is_here(i)) check_absent(i);
    else for (let page: u32 = 0; page < forkcow.pages; page++) check_page(i, page);
  }
}

/** Writes a word as the program does. */
export function poke(index: u32, page: u32, word: u32): void {
  const value = random();
  store<u32>(word_at(index, page, word), value);
  store<u32>(model_at(index, page, word), value);
  forkcow.writes++;
}

/** Has the kernel write a word: read(2) from a pipe. => its errno */
export function poke_by_kernel(index: u32, page: u32, word: u32): i32 {
  const value = frame_alloc(4);
  store<u32>(value, random());
  if (write(forkcow.pipe_write, value, 4) != 4) err(1, cs("pipe"));
  if (read(forkcow.pipe_read, word_at(index, page, word), 4) == 4) {
    store<u32>(model_at(index, page, word), load<u32>(value));
    forkcow.writes++;
    return 0;
  }
  return last_error();
}

/** A region that was not inherited cannot be read: asks the kernel. */
function check_absent(index: u32): void {
  for (let page: u32 = 0; page < forkcow.pages; page++) {
    if (write(forkcow.pipe_write, word_at(index, page, 0), 4) == -1 && last_error() == EFAULT) continue;
    printf(cs("forkcow: process %u: page %u of what is not inherited can be read (seed %u)\n"), forkcow.id, page,
      forkcow.seed);
    exit(1);
  }
}
