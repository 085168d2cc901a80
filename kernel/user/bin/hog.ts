// hog: takes memory and touches every page of it, again and again, looking each time whether it still holds what was
// written.
//
// `hog [-k] [-f file] [-n passes] [-p pattern] [-s seed] [-t type] size`: memory of the type private (default), shared,
// or file (a mapping of -f file, which is made); pages in the order of the pattern sequential (default), reverse,
// stride (every 16th, then their neighbours) or random. -k keeps the memory until a signal ends it. Sizes take k and m.
import { frame_alloc } from "../../i386/cpufunc";
import { strcmp } from "../../libkern";
import { err, errx, set_progname, usage } from "../lib/errors";
import { O_CREAT, O_RDWR, O_TRUNC } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { random_below, srandom } from "../lib/random";
import { exit, flush, printf } from "../lib/stdio";
import { atoi, parse_size } from "../lib/stdlib";
import { __sigsuspend14, ftruncate, mmap, open } from "../lib/syscalls";

const PAGE_SIZE: u32 = 4096;
const PROT_RW: u32 = 3;
const MAP_SHARED: u32 = 1;
const MAP_PRIVATE: u32 = 2;
const MAP_ANON: u32 = 0x1000;
const STRIDE: u32 = 16;

@unmanaged
class Hog {
  at: usize;
  pages: u32;
  pattern: usize;
  /** Step of the random order: pages and step have no common divisor. */
  step: u32;
}
const hog = changetype<Hog>(memory.data(offsetof<Hog>()));

/** What pass `pass` writes into page `page`. */
function mark_of(pass: u32, page: u32): u32 {
  return (pass * 0x9e3779b1) ^ (page * 0x85ebca6b) ^ 0x686f6701;
}

function divisor(a: u32, b: u32): u32 {
  while (b != 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/** The page that comes in place `i`. */
function page_at(i: u32): u32 {
  if (strcmp(hog.pattern, cs("reverse")) == 0) return hog.pages - 1 - i;
  if (strcmp(hog.pattern, cs("random")) == 0) return u32((u64(i) * u64(hog.step)) % u64(hog.pages));
  if (strcmp(hog.pattern, cs("stride")) != 0) return i;
  const rows = (hog.pages + STRIDE - 1) / STRIDE;
  const full = hog.pages - (rows - 1) * STRIDE;
  // The first `full` columns have `rows` pages, the others one less.
  if (i < full * rows) return (i % rows) * STRIDE + i / rows;
  const rest = i - full * rows;
  return (rest % (rows - 1)) * STRIDE + full + rest / (rows - 1);
}

/** Touches all pages once. => how many did not hold what they should */
function touch(pass: u32): u32 {
  let differ: u32 = 0;
  for (let i: u32 = 0; i < hog.pages; i++) {
    const page = page_at(i);
    const at = hog.at + page * PAGE_SIZE;
    const wanted: u32 = pass == 0 ? 0 : mark_of(pass - 1, page);
    if (load<u32>(at) != wanted || load<u32>(at + PAGE_SIZE - 4) != wanted) {
      if (differ++ == 0) {
        printf(cs("hog: page %u in pass %u holds 0x%x and 0x%x, expected 0x%x\n"), page, pass, load<u32>(at),
          load<u32>(at + PAGE_SIZE - 4), wanted);
      }
    }
    store<u32>(at, mark_of(pass, page));
    store<u32>(at + PAGE_SIZE - 4, mark_of(pass, page));
  }
  return differ;
}

/** Maps the memory. */
function take(type: usize, file: usize): void {
  const size = hog.pages * PAGE_SIZE;
  let at: i32 = -1;
  if (strcmp(type, cs("private")) == 0) at = mmap(0, size, PROT_RW, MAP_ANON | MAP_PRIVATE, -1, 0, 0);
  else if (strcmp(type, cs("shared")) == 0) at = mmap(0, size, PROT_RW, MAP_ANON | MAP_SHARED, -1, 0, 0);
  else if (strcmp(type, cs("file")) != 0) errx(1, cs("-t %s: private, shared or file"), type);
  else {
    if (file == 0) errx(1, cs("-t file: needs -f file"));
    const fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0x1b6);
    if (fd < 0 || ftruncate(fd, 0, i64(size)) != 0) err(1, file);
    at = mmap(0, size, PROT_RW, MAP_SHARED, fd, 0, 0);
  }
  if (at == -1) err(1, cs("mmap"));
  hog.at = at;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const how = cs("hog [-k] [-f file] [-n passes] [-p pattern] [-s seed] [-t type] size");
  let keep = false;
  let passes: u32 = 2;
  let file: usize = 0;
  let type = cs("private");
  let seed: u32 = 1;
  set_progname(cs("hog"));
  hog.pattern = cs("sequential");
  for (let letter = getopt(argc, argv, cs("f:kn:p:s:t:")); letter != -1; letter = getopt(argc, argv, cs("f:kn:p:s:t:"))) {
    if (letter == 0x66) file = optarg();
    else if (letter == 0x6b) keep = true;
    else if (letter == 0x6e) passes = u32(atoi(optarg()));
    else if (letter == 0x70) hog.pattern = optarg();
    else if (letter == 0x73) seed = u32(atoi(optarg()));
    else if (letter == 0x74) type = optarg();
    else usage(how);
  }
  if (argc - optind() != 1) usage(how);
  const size = parse_size(load<usize>(argv + 4 * optind()));
  if (size <= 0 || size > 0x80000000) errx(1, cs("%s: a size from 1 to 2g"), load<usize>(argv + 4 * optind()));
  hog.pages = u32((size + i64(PAGE_SIZE) - 1) / i64(PAGE_SIZE));
  srandom(seed);
  do hog.step = 1 + random_below(hog.pages); while (divisor(hog.step, hog.pages) != 1);
  take(type, file);
  let differ: u32 = 0;
  for (let pass: u32 = 0; pass < passes; pass++) differ += touch(pass);
  printf(cs("hog: %u KB of %s memory, %u passes, %u pages differ\n"), hog.pages * (PAGE_SIZE / 1024), type, passes,
    differ);
  flush();
  const none = frame_alloc(16);
  memory.fill(none, 0, 16);
  while (keep) __sigsuspend14(none);
  exit(differ != 0 ? 1 : 0);
  return 0;
}
