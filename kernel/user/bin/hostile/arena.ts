// The memory that hostile points system calls at: pages with a known contents beside pages that must not be touched,
// and a copy of what they hold. What changes without being the result of a call is harm.
//
//   page 0, 1   readable and writable, with the pattern
//   page 2      not mapped
//   page 3      read-only, with the pattern
//   page 4      not mapped
//   page 5      no access
//   page 6      readable and writable; page 7 read-only: a buffer may straddle them
//   page 8      not mapped
import { bss } from "../../../i386/cpufunc";
import { mmap, mprotect, munmap } from "../../lib/syscalls";

const PAGE: u32 = 4096;
export const ARENA_PAGES: u32 = 9;
export const ARENA: usize = 0x58000000;
const MAP_FIXED_ANON_PRIVATE: u32 = 0x1012;

/** The copy of page `index`, for the pages that can be read. */
function copy_of(index: u32): usize {
  const slot: u32 = index < 2 ? index : index == 3 ? 2 : index - 3;
  return bss(20480, 4096) + slot * PAGE;
}

function is_readable(index: u32): bool {
  return index < 2 || index == 3 || index == 6 || index == 7;
}

function is_writable(index: u32): bool {
  return index < 2 || index == 6;
}

/** Maps the arena and fills it with a pattern of `seed`. False when there is no memory. */
export function arena_make(seed: u32): bool {
  if (mmap(ARENA, ARENA_PAGES * PAGE, 3, MAP_FIXED_ANON_PRIVATE, -1, 0, 0) == -1) return false;
  for (let index: u32 = 0; index < ARENA_PAGES; index++) {
    const page = ARENA + index * PAGE;
    if (is_readable(index)) {
      for (let at: u32 = 0; at < PAGE; at += 4) store<u32>(page + at, (seed + at) * 0x9e3779b1 + index);
      memory.copy(copy_of(index), page, PAGE);
    }
    if (index == 5) mprotect(page, PAGE, 0);
    else if (!is_readable(index)) munmap(page, PAGE);
    else if (!is_writable(index)) mprotect(page, PAGE, 1);
  }
  return true;
}

/** [at, at + n) may have changed: takes what is there over into the copy. Read-only pages never change. */
export function arena_accept(at: usize, n: u32): void {
  for (let index: u32 = 0; index < ARENA_PAGES; index++) {
    if (!is_writable(index)) continue;
    const page = ARENA + index * PAGE;
    const from = at > page ? at : page;
    let to = at + n;
    if (to < at || to > page + PAGE) to = page + PAGE;
    if (from < to) memory.copy(copy_of(index) + (from - page), from, u32(to - from));
  }
}

/** Writes a word of the caller's choice into a writable page. */
export function arena_store(at: usize, word: u32): void {
  store<u32>(at, word);
  arena_accept(at, 4);
}

/** Is everything as the copy says? 0, or the first address that differs. */
export function arena_check(): usize {
  for (let index: u32 = 0; index < ARENA_PAGES; index++) {
    if (!is_readable(index)) continue;
    const page = ARENA + index * PAGE;
    const copy = copy_of(index);
    for (let at: u32 = 0; at < PAGE; at += 4) if (load<u32>(page + at) != load<u32>(copy + at)) return page + at;
  }
  return 0;
}
