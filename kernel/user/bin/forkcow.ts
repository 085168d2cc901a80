// forkcow: families of processes write to memory of every kind (private, shared, of files, inherited in all ways) and
// each checks that it sees its own words, those it shares, and no others.
//
// `forkcow [-c children] [-g generations] [-n operations] [-p pages] [-s seed]`: a process does so many operations (60)
// on regions of so many pages (6), has up to so many children (2) at once in up to so many generations (3), goes on
// while they live, takes back what they wrote and does more. Files are made in the current folder.
import { frame_alloc } from "../../i386/cpufunc";
import { err, errx, set_progname, usage } from "../lib/errors";
import { getopt, optarg, optind } from "../lib/getopt";
import { one_in, random_below, srandom } from "../lib/random";
import { exit, printf } from "../lib/stdio";
import { atoi, free } from "../lib/stdlib";
import { __msync13, madvise, mlock, mprotect, munlock, munmap, pipe, read, setrlimit } from "../lib/syscalls";
import { bear, bury } from "./forkcow/family";
import {
  check_all, check_page, is_here, is_shared, make_regions, map_pages, poke, poke_by_kernel, word_at, wrong_call,
} from "./forkcow/regions";
import { EFAULT, PAGE_SIZE, REGIONS, WORDS, forkcow } from "./forkcow/state";

const PROT_READ: u32 = 1;
const PROT_RW: u32 = 3;
const MS_SYNC: u32 = 4;
const RLIMIT_CORE: u32 = 4;
/** Words of a shared page that a process needs to give some to its children. */
const MINIMUM_WORDS: u32 = 16;
/** Regions whose pages a process may replace: nobody else has them. */
const PRIVATE: u32 = 0;
const PRIVATE_FILE: u32 = 2;
/** The region that children see as it is when they touch it: only a process without children writes there. */
const COPIED: u32 = 5;

/** A word of the region that this process may write. */
function own_word(index: u32): u32 {
  return is_shared(index) ? forkcow.lo + random_below(forkcow.hi - forkcow.lo) : random_below(WORDS);
}

/** The kernel cannot write to a page without the right, and nothing changes. */
function refuse(index: u32, page: u32): void {
  const at = word_at(index, page, 0);
  if (mprotect(at, PAGE_SIZE, PROT_READ) != 0) wrong_call(cs("mprotect"), index, page);
  const error = poke_by_kernel(index, page, own_word(index));
  if (error != EFAULT) wrong_call(cs("refused write"), index, page);
  // The bytes that were not moved are still in the pipe.
  read(forkcow.pipe_read, frame_alloc(4), 4);
  if (mprotect(at, PAGE_SIZE, PROT_RW) != 0) wrong_call(cs("mprotect"), index, page);
  forkcow.refused++;
}

/** Unmaps a page of a region of one's own and maps it anew. */
function replace(page: u32): void {
  const index = one_in(2) ? PRIVATE : PRIVATE_FILE;
  if (munmap(word_at(index, page, 0), PAGE_SIZE) != 0) wrong_call(cs("munmap"), index, page);
  if (poke_by_kernel(index, page, 0) != EFAULT) wrong_call(cs("write to nothing"), index, page);
  read(forkcow.pipe_read, frame_alloc(4), 4);
  map_pages(index, page, 1);
}

/** Gives advice or wires: what the page holds stays. */
function advise(index: u32, page: u32): void {
  const at = word_at(index, page, 0);
  if (one_in(2)) {
    if (madvise(at, PAGE_SIZE, random_below(4)) != 0) wrong_call(cs("madvise"), index, page);
  } else {
    if (mlock(at, PAGE_SIZE) != 0) wrong_call(cs("mlock"), index, page);
    check_page(index, page);
    if (munlock(at, PAGE_SIZE) != 0) wrong_call(cs("munlock"), index, page);
  }
  check_page(index, page);
}

/** One operation; `alone`: no children live. */
function operate(alone: bool): void {
  const kind = random_below(20);
  const index = random_below(REGIONS);
  const page = random_below(forkcow.pages);
  if (!is_here(index) || (index == COPIED && !alone)) return;
  if (kind < 7) poke(index, page, own_word(index));
  else if (kind < 12) {
    if (poke_by_kernel(index, page, own_word(index)) != 0) wrong_call(cs("write"), index, page);
  } else if (kind < 15) check_page(index, page);
  else if (kind < 16) refuse(index, page);
  else if (kind < 17) replace(page);
  else if (kind < 19) advise(index, page);
  else if (__msync13(word_at(index, page, 0), PAGE_SIZE, MS_SYNC) != 0) wrong_call(cs("msync"), index, page);
}

/** The life of a process: alone, with children, alone again. */
function live(): void {
  check_all();
  for (let i: u32 = 0; i < forkcow.ops; i++) operate(true);
  const hi = forkcow.hi;
  if (forkcow.depth < forkcow.generations && hi - forkcow.lo >= MINIMUM_WORDS) {
    const count = 1 + random_below(forkcow.children);
    const table = bear(count, live.index);
    for (let i: u32 = 0; i < forkcow.ops; i++) operate(false);
    bury(table, count, hi);
    free(table);
    check_all();
    for (let i: u32 = 0; i < forkcow.ops; i++) operate(true);
  }
  check_all();
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const how = cs("forkcow [-c children] [-g generations] [-n operations] [-p pages] [-s seed]");
  const fds = frame_alloc(8);
  set_progname(cs("forkcow"));
  forkcow.children = 2;
  forkcow.generations = 3;
  forkcow.ops = 60;
  forkcow.pages = 6;
  forkcow.seed = 1;
  for (let letter = getopt(argc, argv, cs("c:g:n:p:s:")); letter != -1; letter = getopt(argc, argv, cs("c:g:n:p:s:"))) {
    const value = u32(atoi(optarg()));
    if (letter == 0x63) forkcow.children = value;
    else if (letter == 0x67) forkcow.generations = value;
    else if (letter == 0x6e) forkcow.ops = value;
    else if (letter == 0x70) forkcow.pages = value;
    else if (letter == 0x73) forkcow.seed = value;
    else usage(how);
  }
  if (argc != optind()) usage(how);
  if (forkcow.children == 0 || forkcow.pages == 0) errx(1, cs("-c and -p: at least 1"));
  if (pipe(fds) != 0) err(1, cs("pipe"));
  forkcow.pipe_read = load<i32>(fds);
  forkcow.pipe_write = load<i32>(fds + 4);
  // Children that end by a bad access leave no core.
  const limit = frame_alloc(16);
  memory.fill(limit, 0, 16);
  if (setrlimit(RLIMIT_CORE, limit) != 0) err(1, cs("setrlimit"));
  forkcow.hi = WORDS;
  forkcow.processes = 1;
  printf(cs("seed = %u\n"), forkcow.seed);
  srandom(forkcow.seed);
  make_regions();
  live();
  printf(cs("forkcow: %u processes, %u writes, %u refused, %u pages checked: all as they should be\n"),
    forkcow.processes, forkcow.writes, forkcow.refused, forkcow.checks);
  exit(0);
  return 0;
}
