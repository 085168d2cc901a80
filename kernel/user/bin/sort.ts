// sort(1): sorts lines. -n by number, -r backwards, -u each once, -f letters of either case equal, -b without leading
// blanks, -d only letters, digits and blanks count, -i only what can be printed; -k key, -t separator; -c only checks,
// -m merges files (which sorting does, too), -o file.
//
// A key is `-k field[.byte][bdfinr][,field[.byte][bdfinr]]`. Without separator a field begins with the blanks before it.
import { frame_alloc } from "../../i386/cpufunc";
import { strcmp } from "../../libkern";
import { err, errx, set_progname, usage, warnx } from "../lib/errors";
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { Input, free_input, new_input, read_line } from "../lib/input";
import { put_bytes, putc } from "../lib/stdio";
import { is_alpha, is_digit, malloc, realloc, sort_words, to_lower, zalloc } from "../lib/stdlib";
import { close, dup2, open } from "../lib/syscalls";

const NUMERIC: u32 = 1;
const REVERSE: u32 = 2;
const FOLD: u32 = 4;
const BLANKS: u32 = 8;
const DICTIONARY: u32 = 16;
const PRINTABLE: u32 = 32;

/** A line: its bytes, and which one it is, so that equal ones keep their order. */
@unmanaged
class Line {
  text: usize;
  length: u32;
  number: u32;
}

/** A key: from a byte of a field to a byte of another; end_field 0: to the end of the line. */
@unmanaged
class Key {
  next: Key;
  field: u32;
  byte: u32;
  end_field: u32;
  end_byte: u32;
  flags: u32;
  /** BLANKS was said of the end. */
  end_blanks: u32;
}

@unmanaged
class State {
  flags: u32;
  unique: u32;
  check: u32;
  /** -t, or 0. */
  separator: u32;
  keys: Key;
  count: u32;
  capacity: u32;
  lines: usize;
}
const state = changetype<State>(memory.data(offsetof<State>()));

/** The flag of a letter, or 0. */
function flag_of(letter: u32): u32 {
  switch (letter) {
    case 0x6e: return NUMERIC;
    case 0x72: return REVERSE;
    case 0x66: return FOLD;
    case 0x62: return BLANKS;
    case 0x64: return DICTIONARY;
    case 0x69: return PRINTABLE;
    default: return 0;
  }
}

/** The number at `at`, whose address moves on. */
function number_at(atp: usize): u32 {
  let at = load<usize>(atp);
  let n: u32 = 0;
  while (is_digit(load<u8>(at))) n = n * 10 + load<u8>(at++) - 0x30;
  store<usize>(atp, at);
  return n;
}

function flags_at(atp: usize): u32 {
  let flags: u32 = 0;
  while (flag_of(load<u8>(load<usize>(atp))) != 0) {
    flags |= flag_of(load<u8>(load<usize>(atp)));
    store<usize>(atp, load<usize>(atp) + 1);
  }
  return flags;
}

function add_key(text: usize): void {
  const key = changetype<Key>(zalloc(offsetof<Key>()));
  const atp = frame_alloc(4);
  store<usize>(atp, text);
  key.field = number_at(atp);
  key.byte = 1;
  if (load<u8>(load<usize>(atp)) == 0x2e) {
    store<usize>(atp, load<usize>(atp) + 1);
    key.byte = number_at(atp);
  }
  key.flags = flags_at(atp);
  if (load<u8>(load<usize>(atp)) == 0x2c) {
    store<usize>(atp, load<usize>(atp) + 1);
    key.end_field = number_at(atp);
    if (key.end_field == 0) errx(2, cs("-k %s: field 0"), text);
    if (load<u8>(load<usize>(atp)) == 0x2e) {
      store<usize>(atp, load<usize>(atp) + 1);
      key.end_byte = number_at(atp);
    }
    const flags = flags_at(atp);
    key.end_blanks = flags & BLANKS;
    key.flags |= flags & ~BLANKS;
  }
  if (key.field == 0 || key.byte == 0 || load<u8>(load<usize>(atp)) != 0) errx(2, cs("-k %s: illegal key"), text);
  if (changetype<usize>(state.keys) == 0) {
    state.keys = key;
    return;
  }
  let last = state.keys;
  while (changetype<usize>(last.next) != 0) last = last.next;
  last.next = key;
}

function is_blank(byte: u32): bool {
  return byte == 0x20 || byte == 9;
}

/** Where field `n` (from 1) begins; `end` when there are fewer. With a separator it lies between two of them. */
function field_start(at: usize, end: usize, n: u32): usize {
  for (; n > 1 && at < end; n--) {
    if (state.separator != 0) {
      while (at < end && load<u8>(at) != state.separator) at++;
      if (at < end) at++;
    } else {
      while (at < end && is_blank(load<u8>(at))) at++;
      while (at < end && !is_blank(load<u8>(at))) at++;
    }
  }
  return at;
}

/** Where the field that begins at `at` ends. */
function field_end(at: usize, end: usize): usize {
  if (state.separator != 0) {
    while (at < end && load<u8>(at) != state.separator) at++;
    return at;
  }
  while (at < end && is_blank(load<u8>(at))) at++;
  while (at < end && !is_blank(load<u8>(at))) at++;
  return at;
}

function skip_blanks(at: usize, end: usize): usize {
  while (at < end && is_blank(load<u8>(at))) at++;
  return at;
}

function key_start(key: Key, line: Line, flags: u32): usize {
  const end = line.text + line.length;
  let at = field_start(line.text, end, key.field);
  if ((flags & BLANKS) != 0) at = skip_blanks(at, end);
  return at + key.byte - 1 < end ? at + key.byte - 1 : end;
}

function key_end(key: Key, line: Line): usize {
  const end = line.text + line.length;
  if (key.end_field == 0) return end;
  let at = field_start(line.text, end, key.end_field);
  if (key.end_byte == 0) return field_end(at, end);
  const inherits = key.flags == 0 && key.end_blanks == 0;
  if (key.end_blanks != 0 || (inherits && (state.flags & BLANKS) != 0)) at = skip_blanks(at, end);
  return at + key.end_byte < end ? at + key.end_byte : end;
}

/** Whether a byte counts. */
function counts(byte: u32, flags: u32): bool {
  if ((flags & DICTIONARY) != 0) return is_alpha(byte) || is_digit(byte) || is_blank(byte);
  return (flags & PRINTABLE) == 0 || (byte >= 0x20 && byte < 0x7f);
}

function compare_texts(a: usize, a_end: usize, b: usize, b_end: usize, flags: u32): i32 {
  while (true) {
    while (a < a_end && !counts(load<u8>(a), flags)) a++;
    while (b < b_end && !counts(load<u8>(b), flags)) b++;
    if (a >= a_end || b >= b_end) return i32(a < a_end) - i32(b < b_end);
    const x = (flags & FOLD) != 0 ? to_lower(load<u8>(a)) : u32(load<u8>(a));
    const y = (flags & FOLD) != 0 ? to_lower(load<u8>(b)) : u32(load<u8>(b));
    if (x != y) return i32(x) - i32(y);
    a++;
    b++;
  }
}

/** Digits of a number before its point, without leading zeros; `at` moves to the first of them. */
function whole_digits(atp: usize, end: usize): u32 {
  let at = load<usize>(atp);
  while (at < end && load<u8>(at) == 0x30) at++;
  store<usize>(atp, at);
  let n: u32 = 0;
  while (at + n < end && is_digit(load<u8>(at + n))) n++;
  return n;
}

/** Compares the digits of two numbers without signs. */
function compare_magnitudes(a: usize, a_end: usize, b: usize, b_end: usize): i32 {
  const ap = frame_alloc(8);
  store<usize>(ap, a);
  store<usize>(ap, b, 4);
  const n = whole_digits(ap, a_end);
  const m = whole_digits(ap + 4, b_end);
  a = load<usize>(ap);
  b = load<usize>(ap, 4);
  if (n != m) return n > m ? 1 : -1;
  for (let i: u32 = 0; i < n; i++) if (load<u8>(a + i) != load<u8>(b + i)) return i32(load<u8>(a + i)) - i32(load<u8>(b + i));
  a += n;
  b += n;
  const a_point = a < a_end && load<u8>(a) == 0x2e;
  const b_point = b < b_end && load<u8>(b) == 0x2e;
  if (a_point) a++;
  if (b_point) b++;
  while (true) {
    const x: u32 = a_point && a < a_end && is_digit(load<u8>(a)) ? u32(load<u8>(a++)) : 0;
    const y: u32 = b_point && b < b_end && is_digit(load<u8>(b)) ? u32(load<u8>(b++)) : 0;
    if (x == 0 && y == 0) return 0;
    // Missing digits are zeros.
    const p = x == 0 ? 0x30 : x;
    const q = y == 0 ? 0x30 : y;
    if (p != q) return p > q ? 1 : -1;
  }
}

/** Whether the number from `at` on is 0. */
function is_zero(at: usize, end: usize): bool {
  while (at < end && (load<u8>(at) == 0x30 || load<u8>(at) == 0x2e)) at++;
  return at >= end || !is_digit(load<u8>(at));
}

function compare_numbers(a: usize, a_end: usize, b: usize, b_end: usize): i32 {
  a = skip_blanks(a, a_end);
  b = skip_blanks(b, b_end);
  let a_negative = a < a_end && load<u8>(a) == 0x2d;
  let b_negative = b < b_end && load<u8>(b) == 0x2d;
  if (a_negative) a++;
  if (b_negative) b++;
  a_negative = a_negative && !is_zero(a, a_end);
  b_negative = b_negative && !is_zero(b, b_end);
  if (a_negative != b_negative) return a_negative ? -1 : 1;
  const order = compare_magnitudes(a, a_end, b, b_end);
  return a_negative ? 0 - order : order;
}

function compare_parts(a: usize, a_end: usize, b: usize, b_end: usize, flags: u32): i32 {
  const order = (flags & NUMERIC) != 0 ? compare_numbers(a, a_end, b, b_end) : compare_texts(a, a_end, b, b_end, flags);
  return (flags & REVERSE) != 0 ? 0 - order : order;
}

/** By the keys, or without any by all of the lines. */
function compare_keys(x: Line, y: Line): i32 {
  if (changetype<usize>(state.keys) == 0) {
    const skips = (state.flags & BLANKS) != 0;
    const a_end = x.text + x.length;
    const b_end = y.text + y.length;
    const a = skips ? skip_blanks(x.text, a_end) : x.text;
    const b = skips ? skip_blanks(y.text, b_end) : y.text;
    return compare_parts(a, a_end, b, b_end, state.flags);
  }
  for (let key = state.keys; changetype<usize>(key) != 0; key = key.next) {
    // What is said of all keys holds for those that say nothing themselves.
    const flags = key.flags == 0 ? state.flags : key.flags;
    const order = compare_parts(key_start(key, x, flags), key_end(key, x), key_start(key, y, flags), key_end(key, y), flags);
    if (order != 0) return order;
  }
  return 0;
}

function compare(a: usize, b: usize): i32 {
  const x = changetype<Line>(a);
  const y = changetype<Line>(b);
  const order = compare_keys(x, y);
  if (order != 0) return order;
  if (state.unique == 0) {
    const last = compare_texts(x.text, x.text + x.length, y.text, y.text + y.length, 0);
    if (last != 0) return (state.flags & REVERSE) != 0 ? 0 - last : last;
  }
  return x.number < y.number ? -1 : 1;
}

function line_at(i: u32): Line {
  return load<Line>(state.lines + 4 * i);
}

function collect(input: Input): void {
  while (read_line(input)) {
    if (state.count == state.capacity) {
      state.capacity = state.capacity == 0 ? 64 : state.capacity * 2;
      state.lines = realloc(state.lines, 4 * state.capacity);
    }
    const line = changetype<Line>(malloc(offsetof<Line>() + input.length));
    line.text = changetype<usize>(line) + offsetof<Line>();
    line.length = input.length;
    line.number = state.count;
    memory.copy(line.text, input.line, input.length);
    store<usize>(state.lines + 4 * state.count, changetype<usize>(line));
    state.count++;
  }
  free_input(input);
}

/** -c: whether the lines are in order; tells of the first that is not. */
function check_order(name: usize): i32 {
  for (let i: u32 = 1; i < state.count; i++) {
    const keys = compare_keys(line_at(i - 1), line_at(i));
    const inOrder = compare(changetype<usize>(line_at(i - 1)), changetype<usize>(line_at(i))) < 0;
    if (inOrder && (keys != 0 || state.unique == 0)) continue;
    warnx(cs("%s: disorder: %.*s"), name, line_at(i).length, line_at(i).text);
    return 1;
  }
  return 0;
}

function print_lines(): void {
  for (let i: u32 = 0; i < state.count; i++) {
    if (state.unique != 0 && i > 0 && compare_keys(line_at(i - 1), line_at(i)) == 0) continue;
    put_bytes(line_at(i).text, line_at(i).length);
    putc(0x0a);
  }
}

function take_option(letter: i32): void {
  const flag = flag_of(letter);
  if (flag != 0) state.flags |= flag;
  else if (letter == 0x75) state.unique = 1;
  else if (letter == 0x63) state.check = 1;
  else if (letter == 0x6b) add_key(optarg());
  else if (letter == 0x74) state.separator = load<u8>(optarg());
  else if (letter != 0x6d) {
    usage(cs("sort [-bcdfimnru] [-k key] [-o output] [-t char] [file ...]"));
  }
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("sort"));
  let output: usize = 0;
  const letters = cs("bcdfik:mno:rt:u");
  for (let letter = getopt(argc, argv, letters); letter != -1; letter = getopt(argc, argv, letters)) {
    if (letter == 0x6f) output = optarg();
    else take_option(letter);
  }
  if (optind() >= argc) collect(new_input(0));
  for (let i = optind(); i < argc; i++) {
    const name = load<usize>(argv + 4 * i);
    const standard = strcmp(name, cs("-")) == 0;
    const fd = standard ? 0 : open(name, O_RDONLY, 0);
    if (fd < 0) err(2, name);
    collect(new_input(fd));
    if (!standard) close(fd);
  }
  if (state.check != 0) return check_order(optind() < argc ? load<usize>(argv + 4 * optind()) : cs("-"));
  sort_words(state.lines, state.count, compare.index);
  if (output != 0) {
    const fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0x1b6);
    if (fd < 0) err(2, output);
    dup2(fd, 1);
  }
  print_lines();
  return 0;
}
