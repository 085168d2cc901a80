// Memory from the system, sorting, numbers, the environment.
import { memcmp, strcmp, strlen, strncmp } from "../../libkern";
import { errx } from "./errors";
import { environ } from "./sym";
import { mmap } from "./syscalls";

/** A block's head; a free one is in the list, by address. Sizes are in bytes with the head. */
@unmanaged
class Block {
  size: u32;
  next: Block;
}
const SIZEOF_BLOCK: u32 = 8;
/** Bytes asked of the system at least. */
const CHUNK: u32 = 65536;
const PAGE_SIZE: u32 = 4096;
const PROT_RW: u32 = 3;
const MAP_ANON_PRIVATE: u32 = 0x1002;

@unmanaged
class Heap {
  free: Block;
}
const heap = changetype<Heap>(memory.data(offsetof<Heap>()));

/** Puts a block into the free list and joins neighbours. */
function release(block: Block): void {
  let before = changetype<Block>(0);
  let after = heap.free;
  while (changetype<usize>(after) != 0 && changetype<usize>(after) < changetype<usize>(block)) {
    before = after;
    after = after.next;
  }
  block.next = after;
  if (changetype<usize>(block) + block.size == changetype<usize>(after)) {
    block.size += after.size;
    block.next = after.next;
  }
  if (changetype<usize>(before) == 0) heap.free = block;
  else if (changetype<usize>(before) + before.size == changetype<usize>(block)) {
    before.size += block.size;
    before.next = block.next;
  } else before.next = block;
}

function grow(size: u32): void {
  const wanted = size < CHUNK ? CHUNK : (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
  const at = mmap(0, wanted, PROT_RW, MAP_ANON_PRIVATE, -1, 0, 0);
  if (at == -1) errx(1, cs("out of memory (%u bytes)"), size);
  const block = changetype<Block>(at);
  block.size = wanted;
  release(block);
}

/** `size` bytes, aligned to 8; ends the program when there is no memory. */
export function malloc(size: u32): usize {
  const wanted = (size + SIZEOF_BLOCK + 7) & ~7;
  while (true) {
    let before = changetype<Block>(0);
    let block = heap.free;
    while (changetype<usize>(block) != 0 && block.size < wanted) {
      before = block;
      block = block.next;
    }
    if (changetype<usize>(block) == 0) {
      grow(wanted);
      continue;
    }
    let rest = block.next;
    if (block.size - wanted >= 16) {
      rest = changetype<Block>(changetype<usize>(block) + wanted);
      rest.size = block.size - wanted;
      rest.next = block.next;
      block.size = wanted;
    }
    if (changetype<usize>(before) == 0) heap.free = rest;
    else before.next = rest;
    return changetype<usize>(block) + SIZEOF_BLOCK;
  }
}

/** As malloc, zeroed. */
export function zalloc(size: u32): usize {
  const at = malloc(size);
  memory.fill(at, 0, size);
  return at;
}

export function free(at: usize): void {
  if (at != 0) release(changetype<Block>(at - SIZEOF_BLOCK));
}

/** The contents of `at` (or 0) in a block of `size` bytes. */
export function realloc(at: usize, size: u32): usize {
  if (at == 0) return malloc(size);
  const old = changetype<Block>(at - SIZEOF_BLOCK).size - SIZEOF_BLOCK;
  if (size <= old) return at;
  const fresh = malloc(size);
  memory.copy(fresh, at, old);
  free(at);
  return fresh;
}

/** A copy of `n` bytes as a string. */
export function strndup(s: usize, n: u32): usize {
  const copy = malloc(n + 1);
  memory.copy(copy, s, n);
  store<u8>(copy + n, 0);
  return copy;
}

export function strdup(s: usize): usize {
  return strndup(s, strlen(s));
}

/** Address of the last `byte` in the string, or 0. */
export function strrchr(s: usize, byte: u32): usize {
  let found: usize = 0;
  for (; load<u8>(s) != 0; s++) if (load<u8>(s) == byte) found = s;
  return found;
}

/** Address of the first `what` in the string, or 0. */
export function strstr(s: usize, what: usize): usize {
  const n = strlen(what);
  while (true) {
    if (strncmp(s, what, n) == 0) return s;
    if (load<u8>(s++) == 0) return 0;
  }
}

export function is_digit(byte: u32): bool {
  return byte >= 0x30 && byte <= 0x39;
}

export function is_alpha(byte: u32): bool {
  return (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
}

export function is_space(byte: u32): bool {
  return byte == 0x20 || (byte >= 9 && byte <= 13);
}

export function to_lower(byte: u32): u32 {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

/** The decimal number at the start of `s`, with a sign; `endp`, when not 0, gets the address behind it. */
export function parse_long(s: usize, endp: usize): i64 {
  while (is_space(load<u8>(s))) s++;
  const negative = load<u8>(s) == 0x2d;
  if (negative || load<u8>(s) == 0x2b) s++;
  let value: i64 = 0;
  while (is_digit(load<u8>(s))) value = value * 10 + i64(load<u8>(s++)) - 0x30;
  if (endp != 0) store<usize>(endp, s);
  return negative ? 0 - value : value;
}

export function atoi(s: usize): i32 {
  return i32(parse_long(s, 0));
}

/** Whether all of `s` is a decimal number. */
export function is_number(s: usize): bool {
  if (load<u8>(s) == 0x2d || load<u8>(s) == 0x2b) s++;
  if (load<u8>(s) == 0) return false;
  while (is_digit(load<u8>(s))) s++;
  return load<u8>(s) == 0;
}

/** The number in `s` with a suffix b (512), k, m, g or w (2); ends the program when it is none. */
export function parse_size(s: usize): i64 {
  let value: i64 = 0;
  let at = s;
  while (is_digit(load<u8>(at))) value = value * 10 + i64(load<u8>(at++)) - 0x30;
  const suffix = to_lower(load<u8>(at));
  if (at == s || (suffix != 0 && load<u8>(at + 1) != 0)) errx(1, cs("%s: illegal numeric value"), s);
  if (suffix == 0x62) return value * 512;
  if (suffix == 0x6b) return value * 1024;
  if (suffix == 0x6d) return value * 1048576;
  if (suffix == 0x67) return value * 1073741824;
  if (suffix == 0x77) return value * 2;
  if (suffix != 0) errx(1, cs("%s: illegal numeric value"), s);
  return value;
}

/** The value of an environment variable, or 0. */
export function getenv(name: usize): usize {
  const n = strlen(name);
  for (let at = load<usize>(environ()); at != 0 && load<usize>(at) != 0; at += 4) {
    const entry = load<usize>(at);
    if (memcmp(entry, name, n) == 0 && load<u8>(entry + n) == 0x3d) return entry + n + 1;
  }
  return 0;
}

/** Compares two words that are strings, for sort_words. */
export function compare_strings(a: usize, b: usize): i32 {
  return strcmp(a, b);
}

function sift_down(base: usize, from: u32, n: u32, compare: u32): void {
  while (true) {
    let child: u32 = from * 2 + 1;
    if (child >= n) return;
    if (child + 1 < n) {
      const order = call_indirect<i32>(compare, load<usize>(base + 4 * child), load<usize>(base + 4 * child + 4));
      if (order < 0) child++;
    }
    const parent = load<usize>(base + 4 * from);
    const other = load<usize>(base + 4 * child);
    if (call_indirect<i32>(compare, parent, other) >= 0) return;
    store<usize>(base + 4 * from, other);
    store<usize>(base + 4 * child, parent);
    from = child;
  }
}

/** Sorts `n` words by the function at code address `compare` (a: usize, b: usize): i32. Not stable; no extra memory. */
export function sort_words(base: usize, n: u32, compare: u32): void {
  if (n < 2) return;
  for (let i = n / 2; i > 0; i--) sift_down(base, i - 1, n, compare);
  for (let end = n - 1; end > 0; end--) {
    const last = load<usize>(base + 4 * end);
    store<usize>(base + 4 * end, load<usize>(base));
    store<usize>(base, last);
    sift_down(base, 0, end, compare);
  }
}
