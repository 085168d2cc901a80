// The differences of two files by lines, in the normal format of diff(1):
// `2,3c5` and the like, then the lines.
//
// The shortest script is found as E. W. Myers describes it ("An O(ND) difference
// algorithm and its variations", 1986), in linear space: from both ends at once
// until the paths meet, then the same on either side. k is a diagonal, x - y.
import { frame_alloc } from "../../../i386/cpufunc";
import { memcmp } from "../../../libkern";
import { err } from "../../lib/errors";
import { O_RDONLY, SIZEOF_STAT, Stat } from "../../lib/files";
import { printf, put_bytes, putc } from "../../lib/stdio";
import { free, malloc, zalloc } from "../../lib/stdlib";
import { __fstat13, close, open, read } from "../../lib/syscalls";

const TROUBLE: i32 = 2;
const DIFFERENT: i32 = 1;

/** A file in memory: where each line begins, a hash of it, and whether it is only in this file. */
@unmanaged
class Text {
  data: usize;
  length: u32;
  count: u32;
  /** Offsets of the lines and of the end. */
  starts: usize;
  hashes: usize;
  changed: usize;
}

@unmanaged
class Search {
  a: Text;
  b: Text;
  /** Furthest points by diagonal, from both ends; diagonal 0 is in the middle. */
  forward: usize;
  backward: usize;
  /** Where the last search met. */
  x: i32;
  y: i32;
}
const search = changetype<Search>(memory.data(24));

function read_text(path: usize): Text {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const fd = open(path, O_RDONLY, 0);
  if (fd < 0 || __fstat13(fd, changetype<usize>(st)) != 0) err(TROUBLE, path);
  const text = changetype<Text>(zalloc(offsetof<Text>()));
  const size = u32(st.size);
  text.data = malloc(size + 1);
  while (text.length < size) {
    const n = read(fd, text.data + text.length, size - text.length);
    if (n < 0) err(TROUBLE, path);
    if (n == 0) break;
    text.length += n;
  }
  close(fd);
  return text;
}

function is_binary(text: Text): bool {
  for (let i: u32 = 0; i < text.length; i++) if (load<u8>(text.data + i) == 0) return true;
  return false;
}

/** Finds the lines and their hashes (FNV-1a). */
function split_lines(text: Text): void {
  let count: u32 = 0;
  for (let i: u32 = 0; i < text.length; i++) if (load<u8>(text.data + i) == 0x0a) count++;
  if (text.length > 0 && load<u8>(text.data + text.length - 1) != 0x0a) count++;
  text.count = count;
  text.starts = malloc(4 * (count + 1));
  text.hashes = malloc(4 * (count + 1));
  text.changed = zalloc(count + 1);
  let at: u32 = 0;
  for (let line: u32 = 0; line < count; line++) {
    let hash: u32 = 2166136261;
    store<u32>(text.starts + 4 * line, at);
    while (at < text.length) {
      const byte = load<u8>(text.data + at++);
      hash = (hash ^ byte) * 16777619;
      if (byte == 0x0a) break;
    }
    store<u32>(text.hashes + 4 * line, hash);
  }
  store<u32>(text.starts + 4 * count, at);
}

function free_text(text: Text): void {
  free(text.data);
  free(text.starts);
  free(text.hashes);
  free(text.changed);
  free(changetype<usize>(text));
}

function line_start(text: Text, line: u32): u32 {
  return load<u32>(text.starts + 4 * line);
}

function same_line(x: i32, y: i32): bool {
  const a = search.a;
  const b = search.b;
  if (load<u32>(a.hashes + 4 * u32(x)) != load<u32>(b.hashes + 4 * u32(y))) return false;
  const from = line_start(a, x);
  const start = line_start(b, y);
  const length = line_start(a, x + 1) - from;
  return length == line_start(b, y + 1) - start && memcmp(a.data + from, b.data + start, length) == 0;
}

function furthest(vector: usize, k: i32): i32 {
  return load<i32>(vector + 4 * k);
}

/** A diagonal that no path of this length has a point of in the box. */
const NOWHERE: i32 = -0x40000000;

/** The furthest x on diagonal k with d steps, before what is equal from there on; NOWHERE outside the box. */
function step(v: usize, d: i32, k: i32, n: i32, m: i32): i32 {
  const down = k == -d || (k != d && furthest(v, k - 1) < furthest(v, k + 1));
  const x = down ? furthest(v, k + 1) : furthest(v, k - 1) + 1;
  return x < 0 || x > n || x - k < 0 || x - k > m ? NOWHERE : x;
}

/** d steps from the beginning of the box; true when a path meets one from the end. */
function step_forward(d: i32, delta: i32, x0: i32, x1: i32, y0: i32, y1: i32): bool {
  const n = x1 - x0;
  const m = y1 - y0;
  const v = search.forward;
  for (let k = -d; k <= d; k += 2) {
    let x = step(v, d, k, n, m);
    if (x != NOWHERE) while (x < n && x - k < m && same_line(x0 + x, y0 + x - k)) x++;
    store<i32>(v + 4 * k, x);
    const other = delta - k;
    if (x == NOWHERE || (delta & 1) == 0 || other < 1 - d || other > d - 1) continue;
    if (x + furthest(search.backward, other) < n) continue;
    search.x = x0 + x;
    search.y = y0 + x - k;
    return true;
  }
  return false;
}

/** The same from the end: x counts from there. */
function step_backward(d: i32, delta: i32, x0: i32, x1: i32, y0: i32, y1: i32): bool {
  const n = x1 - x0;
  const m = y1 - y0;
  const v = search.backward;
  for (let k = -d; k <= d; k += 2) {
    let x = step(v, d, k, n, m);
    if (x != NOWHERE) while (x < n && x - k < m && same_line(x1 - x - 1, y1 - x + k - 1)) x++;
    store<i32>(v + 4 * k, x);
    const other = delta - k;
    if (x == NOWHERE || (delta & 1) != 0 || other < -d || other > d) continue;
    if (x + furthest(search.forward, other) < n) continue;
    search.x = x1 - x;
    search.y = y1 - x + k;
    return true;
  }
  return false;
}

/** Finds a point on the shortest path through the box, which has two sides: search.x, search.y. */
function find_middle(x0: i32, x1: i32, y0: i32, y1: i32): void {
  const delta = x1 - x0 - (y1 - y0);
  store<i32>(search.forward + 4, 0);
  store<i32>(search.backward + 4, 0);
  for (let d = 0; ; d++) {
    if (step_forward(d, delta, x0, x1, y0, y1)) return;
    if (step_backward(d, delta, x0, x1, y0, y1)) return;
  }
}

/** Marks the lines of the box that the two files do not share. */
function mark_changes(x0: i32, x1: i32, y0: i32, y1: i32): void {
  while (x0 < x1 && y0 < y1 && same_line(x0, y0)) {
    x0++;
    y0++;
  }
  while (x0 < x1 && y0 < y1 && same_line(x1 - 1, y1 - 1)) {
    x1--;
    y1--;
  }
  if (x0 == x1 || y0 == y1) {
    for (; x0 < x1; x0++) store<u8>(search.a.changed + x0, 1);
    for (; y0 < y1; y0++) store<u8>(search.b.changed + y0, 1);
    return;
  }
  find_middle(x0, x1, y0, y1);
  const x = search.x;
  const y = search.y;
  mark_changes(x0, x, y0, y);
  mark_changes(x, x1, y, y1);
}

function print_lines(text: Text, from: u32, to: u32, mark: u32): void {
  for (let line = from; line < to; line++) {
    const start = line_start(text, line);
    const length = line_start(text, line + 1) - start;
    putc(mark);
    putc(0x20);
    put_bytes(text.data + start, length);
    if (load<u8>(text.data + start + length - 1) != 0x0a) printf(cs("\n\\ No newline at end of file\n"));
  }
}

/** Numbers of the lines from `from` up to `to`; of none, the line before. */
function print_range(from: u32, to: u32): void {
  if (to <= from + 1) printf(cs("%u"), to);
  else printf(cs("%u,%u"), from + 1, to);
}

function print_hunk(i: u32, to: u32, j: u32, end: u32): void {
  print_range(i, to);
  putc(i == to ? 0x61 : j == end ? 0x64 : 0x63);
  print_range(j, end);
  putc(0x0a);
  print_lines(search.a, i, to, 0x3c);
  if (i < to && j < end) printf(cs("---\n"));
  print_lines(search.b, j, end, 0x3e);
}

function print_hunks(): void {
  const a = search.a;
  const b = search.b;
  let i: u32 = 0;
  let j: u32 = 0;
  while (i < a.count || j < b.count) {
    let to = i;
    let end = j;
    while (to < a.count && load<u8>(a.changed + to) != 0) to++;
    while (end < b.count && load<u8>(b.changed + end) != 0) end++;
    if (to > i || end > j) print_hunk(i, to, j, end);
    i = to + 1;
    j = end + 1;
  }
}

/** Prints how two files differ, which are known to. Returns 1, or 2 after a message. */
export function print_differences(one: usize, other: usize): i32 {
  search.a = read_text(one);
  search.b = read_text(other);
  if (is_binary(search.a) || is_binary(search.b)) {
    printf(cs("Binary files %s and %s differ\n"), one, other);
    free_text(search.a);
    free_text(search.b);
    return DIFFERENT;
  }
  split_lines(search.a);
  split_lines(search.b);
  const diagonals = search.a.count + search.b.count + 2;
  const vectors = malloc(4 * 2 * (2 * diagonals + 1));
  search.forward = vectors + 4 * diagonals;
  search.backward = search.forward + 4 * (2 * diagonals + 1);
  mark_changes(0, search.a.count, 0, search.b.count);
  print_hunks();
  free(vectors);
  free_text(search.a);
  free_text(search.b);
  return DIFFERENT;
}
