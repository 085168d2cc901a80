// Regular expressions, basic and extended (re_format(7)), without back references.
//
// regcomp makes a program of instructions, each an operation and a number; jumps are relative, so a piece of program
// can be moved and copied. regmatch runs all ways through it at once, so its time grows with program and text only.
//
//   a|b   SPLIT to behind the JMP, a, JMP to the end, b        a*   SPLIT to the end, a, JMP back
//   a?    SPLIT to the end, a                                  a+   a, SPLIT back
import { strncmp, umax } from "../../libkern";
import { free, is_alpha, is_digit, is_space, malloc, realloc, to_lower, zalloc } from "./stdlib";

/** Flags of regcomp: extended syntax, letters of either case are equal, no byte is special, whole lines, whole words. */
export const REG_EXTENDED: u32 = 1;
export const REG_ICASE: u32 = 2;
export const REG_NOSPEC: u32 = 4;
export const REG_LINE: u32 = 8;
export const REG_WORD: u32 = 16;

const I_CHAR: u32 = 1;
const I_ANY: u32 = 2;
/** A byte of the set whose 32-byte bit map is at the number. */
const I_SET: u32 = 3;
/** Goes on behind it and at the instruction so many further. */
const I_SPLIT: u32 = 4;
const I_JMP: u32 = 5;
/** Begin and end of the line, of a word. */
const I_BOL: u32 = 6;
const I_EOL: u32 = 7;
const I_BOW: u32 = 8;
const I_EOW: u32 = 9;
const I_MATCH: u32 = 10;

const INSTRUCTION: u32 = 8;
const SET_SIZE: u32 = 32;
/** Most repetitions that a brace may ask for, and most instructions. */
const DUP_MAX: u32 = 255;
const MOST_INSTRUCTIONS: u32 = 20000;
const NO_MAXIMUM: u32 = 0xffffffff;

/** A compiled expression. */
@unmanaged
export class Regex {
  code: usize;
  count: u32;
  capacity: u32;
  fold: u32;
  /** For regmatch: two lists of instructions that wait for a byte, and in which step each instruction was last listed. */
  current: usize;
  following: usize;
  marks: usize;
  step: u32;
}

/** The expression that is being compiled. */
@unmanaged
class Parser {
  re: Regex;
  at: usize;
  flags: u32;
  depth: u32;
  /** What is wrong, or 0. */
  error: usize;
}
const parser = changetype<Parser>(memory.data(offsetof<Parser>()));

function fail(what: usize): void {
  if (parser.error == 0) parser.error = what;
}

function address(re: Regex, pc: u32): usize {
  return re.code + pc * INSTRUCTION;
}

function grow(re: Regex, more: u32): void {
  if (re.count + more > MOST_INSTRUCTIONS) {
    fail(cs("regular expression too big"));
    return;
  }
  while (re.count + more > re.capacity) {
    re.capacity *= 2;
    re.code = realloc(re.code, re.capacity * INSTRUCTION);
  }
}

/** Puts an instruction at `pc`; what stood there and behind it moves. */
function insert(pc: u32, operation: u32, number: u32): void {
  const re = parser.re;
  grow(re, 1);
  if (parser.error != 0) return;
  memory.copy(address(re, pc + 1), address(re, pc), (re.count - pc) * INSTRUCTION);
  store<u32>(address(re, pc), operation);
  store<u32>(address(re, pc), number, 4);
  re.count++;
}

function emit(operation: u32, number: u32): void {
  insert(parser.re.count, operation, number);
}

/** Appends a copy of `n` instructions. */
function repeat_code(pc: u32, n: u32): void {
  const re = parser.re;
  grow(re, n);
  if (parser.error != 0) return;
  memory.copy(address(re, re.count), address(re, pc), n * INSTRUCTION);
  re.count += n;
}

function extended(): bool {
  return (parser.flags & REG_EXTENDED) != 0;
}

/** Whether an operator stands here: the byte in the extended syntax, the byte behind a backslash in the basic one. */
function sees(byte: u32): bool {
  if ((parser.flags & REG_NOSPEC) != 0) return false;
  if (extended()) return load<u8>(parser.at) == byte;
  return load<u8>(parser.at) == 0x5c && load<u8>(parser.at + 1) == byte;
}

function skip_operator(): void {
  parser.at += extended() ? 1 : 2;
}

/** Whether a branch ends here: at a bar, a closing parenthesis, a newline between patterns, the end. */
function ends_branch(): bool {
  const byte = load<u8>(parser.at);
  return byte == 0 || byte == 0x0a || sees(0x7c) || (sees(0x29) && parser.depth > 0);
}

function add_to_set(set: usize, byte: u32): void {
  store<u8>(set + (byte >> 3), u32(load<u8>(set + (byte >> 3))) | (u32(1) << (byte & 7)));
}

function in_set(set: usize, byte: u32): bool {
  return (load<u8>(set + (byte >> 3)) & (1 << (byte & 7))) != 0;
}

/** Whether a byte belongs to the class whose name begins at `name`. */
function in_class(name: usize, byte: u32): bool {
  const isUpper = byte >= 0x41 && byte <= 0x5a;
  const isAlnum = is_alpha(byte) || is_digit(byte);
  const isGraph = byte > 0x20 && byte < 0x7f;
  if (strncmp(name, cs("alpha:]"), 7) == 0) return is_alpha(byte);
  if (strncmp(name, cs("digit:]"), 7) == 0) return is_digit(byte);
  if (strncmp(name, cs("alnum:]"), 7) == 0) return isAlnum;
  if (strncmp(name, cs("upper:]"), 7) == 0) return isUpper;
  if (strncmp(name, cs("lower:]"), 7) == 0) return is_alpha(byte) && !isUpper;
  if (strncmp(name, cs("space:]"), 7) == 0) return is_space(byte);
  if (strncmp(name, cs("blank:]"), 7) == 0) return byte == 0x20 || byte == 9;
  if (strncmp(name, cs("punct:]"), 7) == 0) return isGraph && !isAlnum;
  if (strncmp(name, cs("print:]"), 7) == 0) return isGraph || byte == 0x20;
  if (strncmp(name, cs("graph:]"), 7) == 0) return isGraph;
  if (strncmp(name, cs("cntrl:]"), 7) == 0) return byte < 0x20 || byte == 0x7f;
  if (strncmp(name, cs("xdigit:]"), 8) == 0) return is_digit(byte) || (to_lower(byte) >= 0x61 && to_lower(byte) <= 0x66);
  fail(cs("invalid character class"));
  return false;
}

/** `[:name:]`: adds the class to the set. */
function parse_class(set: usize): void {
  const name = parser.at + 2;
  for (let byte: u32 = 1; byte < 256; byte++) if (in_class(name, byte)) add_to_set(set, byte);
  while (parser.error == 0 && load<u8>(parser.at) != 0x5d) parser.at++;
  parser.at++;
}

/** A byte or a range of a bracket expression. */
function parse_range(set: usize): void {
  const low = load<u8>(parser.at++);
  let high = low;
  if (load<u8>(parser.at) == 0x2d && load<u8>(parser.at + 1) != 0x5d && load<u8>(parser.at + 1) != 0) {
    high = load<u8>(parser.at + 1);
    parser.at += 2;
  }
  if (low > high) fail(cs("invalid character range"));
  for (let byte: u32 = low; byte <= u32(high); byte++) add_to_set(set, byte);
}

/** Behind `[`: the set, up to and with `]`. */
function parse_bracket(): void {
  const set = zalloc(SET_SIZE);
  const negated = load<u8>(parser.at) == 0x5e;
  if (negated) parser.at++;
  for (let first = true; parser.error == 0 && (first || load<u8>(parser.at) != 0x5d); first = false) {
    const byte = load<u8>(parser.at);
    const next = byte == 0 ? 0 : load<u8>(parser.at + 1);
    if (byte == 0 || byte == 0x0a) fail(cs("brackets ([ ]) not balanced"));
    else if (byte == 0x5b && next == 0x3a) parse_class(set);
    else if (byte == 0x5b && (next == 0x2e || next == 0x3d)) fail(cs("invalid collating element"));
    else parse_range(set);
  }
  parser.at++;
  if (parser.re.fold != 0) {
    for (let byte: u32 = 0x61; byte <= 0x7a; byte++) {
      if (in_set(set, byte) || in_set(set, byte - 0x20)) {
        add_to_set(set, byte);
        add_to_set(set, byte - 0x20);
      }
    }
  }
  if (negated) for (let i: u32 = 0; i < SET_SIZE; i++) store<u8>(set + i, ~load<u8>(set + i));
  emit(I_SET, set);
}

function emit_byte(byte: u32): void {
  emit(I_CHAR, parser.re.fold != 0 ? to_lower(byte) : byte);
}

/** What a backslash gives its meaning, or takes it from. */
function parse_escape(): void {
  const byte = load<u8>(parser.at + 1);
  if (byte == 0) return fail(cs("trailing backslash (\\)"));
  if (byte >= 0x31 && byte <= 0x39) return fail(cs("back references are not supported"));
  parser.at += 2;
  if (byte == 0x3c) emit(I_BOW, 0);
  else if (byte == 0x3e) emit(I_EOW, 0);
  else emit_byte(byte);
}

function parse_group(): void {
  skip_operator();
  parser.depth++;
  parse_alternatives();
  parser.depth--;
  if (sees(0x29)) skip_operator();
  else fail(cs("parentheses not balanced"));
}

/** Whether `$` is the end of the line here: in a basic expression only at the end of a branch. */
function is_line_end(): bool {
  if (extended()) return true;
  parser.at++;
  const ends = ends_branch();
  parser.at--;
  return ends;
}

/** What an operator of repetition may follow. `first`: a branch begins. Returns whether it may be repeated. */
function parse_atom(first: bool): bool {
  const byte = load<u8>(parser.at);
  if ((parser.flags & REG_NOSPEC) == 0) {
    if (sees(0x28)) {
      parse_group();
      return true;
    }
    if (byte == 0x5e && (first || extended())) {
      parser.at++;
      emit(I_BOL, 0);
      return extended();
    }
    if (byte == 0x24 && is_line_end()) {
      parser.at++;
      emit(I_EOL, 0);
      return extended();
    }
    if (byte == 0x5c) {
      parse_escape();
      return true;
    }
    if (byte == 0x5b) {
      parser.at++;
      parse_bracket();
      return true;
    }
    if (byte == 0x2e) {
      parser.at++;
      emit(I_ANY, 0);
      return true;
    }
    if (extended() && (byte == 0x2a || byte == 0x2b || byte == 0x3f) && !first) {
      fail(cs("repetition-operator operand invalid"));
    }
  }
  parser.at++;
  emit_byte(byte);
  return (parser.flags & REG_NOSPEC) == 0;
}

function parse_number(): u32 {
  let n: u32 = 0;
  if (!is_digit(load<u8>(parser.at))) fail(cs("invalid repetition count(s)"));
  while (is_digit(load<u8>(parser.at)) && n <= DUP_MAX) n = n * 10 + load<u8>(parser.at++) - 0x30;
  if (n > DUP_MAX) fail(cs("invalid repetition count(s)"));
  return n;
}

/** The code from `start` on at least `least` and at most `most` times. */
function repeat(start: u32, least: u32, most: u32): void {
  const re = parser.re;
  const length = re.count - start;
  if (most == 0) {
    re.count = start;
    return;
  }
  const copies = most == NO_MAXIMUM ? umax(least, 1) : most;
  for (let i: u32 = 1; i < copies; i++) repeat_code(start, length);
  if (most == NO_MAXIMUM) {
    if (least == 0) {
      insert(start, I_SPLIT, length + 2);
      emit(I_JMP, 0 - (length + 1));
    } else emit(I_SPLIT, 0 - length);
    return;
  }
  // The copies beyond the least, from the last one on, may be passed over.
  for (let i = most; i > least; i--) insert(start + (i - 1) * length, I_SPLIT, length + 1);
}

/** {n}, {n,} or {n,m}, behind the brace. */
function parse_bounds(start: u32): void {
  const least = parse_number();
  let most = least;
  if (load<u8>(parser.at) == 0x2c) {
    parser.at++;
    most = is_digit(load<u8>(parser.at)) ? parse_number() : NO_MAXIMUM;
  }
  if (!sees(0x7d)) return fail(cs("braces not balanced"));
  skip_operator();
  if (most < least) return fail(cs("invalid repetition count(s)"));
  repeat(start, least, most);
}

/** Operators of repetition behind the code from `start` on. */
function parse_repetitions(start: u32): void {
  while (parser.error == 0) {
    if (load<u8>(parser.at) == 0x2a) {
      parser.at++;
      repeat(start, 0, NO_MAXIMUM);
    } else if (sees(0x2b)) {
      skip_operator();
      repeat(start, 1, NO_MAXIMUM);
    } else if (sees(0x3f)) {
      skip_operator();
      repeat(start, 0, 1);
    } else if (sees(0x7b)) {
      skip_operator();
      parse_bounds(start);
    } else return;
  }
}

function parse_branch(): void {
  let first = true;
  while (!ends_branch() && parser.error == 0) {
    const start = parser.re.count;
    const isAnchor = load<u8>(parser.at) == 0x5e;
    const repeats = parse_atom(first);
    if (repeats) parse_repetitions(start);
    first = first && isAnchor && !extended();
  }
}

function parse_alternatives(): void {
  const re = parser.re;
  const start = re.count;
  parse_branch();
  const between = load<u8>(parser.at) == 0x0a && parser.depth == 0;
  if (parser.error != 0 || !(between || sees(0x7c))) return;
  if (between) parser.at++;
  else skip_operator();
  insert(start, I_SPLIT, re.count - start + 2);
  const jump = re.count;
  emit(I_JMP, 0);
  parse_alternatives();
  if (parser.error == 0) store<u32>(address(re, jump), re.count - jump, 4);
}

/**
 * Compiles an expression, or several with newlines between them, of which one has to match. `flags`: REG_…. Returns 0
 * for a mistake, after storing its text at `errorp`.
 */
export function regcomp(pattern: usize, flags: u32, errorp: usize): Regex {
  const re = changetype<Regex>(zalloc(offsetof<Regex>()));
  re.capacity = 32;
  re.code = malloc(re.capacity * INSTRUCTION);
  re.fold = (flags & REG_ICASE) != 0 ? 1 : 0;
  memory.fill(changetype<usize>(parser), 0, offsetof<Parser>());
  parser.re = re;
  parser.at = pattern;
  parser.flags = flags;
  if ((flags & REG_LINE) != 0) emit(I_BOL, 0);
  if ((flags & REG_WORD) != 0) emit(I_BOW, 0);
  parse_alternatives();
  if (load<u8>(parser.at) != 0) fail(cs("parentheses not balanced"));
  if ((flags & REG_WORD) != 0) emit(I_EOW, 0);
  if ((flags & REG_LINE) != 0) emit(I_EOL, 0);
  emit(I_MATCH, 0);
  if (parser.error != 0) {
    store<usize>(errorp, parser.error);
    free(re.code);
    free(changetype<usize>(re));
    return changetype<Regex>(0);
  }
  re.current = malloc(4 * (re.count + 1));
  re.following = malloc(4 * (re.count + 1));
  re.marks = zalloc(4 * re.count);
  return re;
}

function is_word_byte(s: usize, at: i32, length: i32): bool {
  if (at < 0 || at >= length) return false;
  const byte = load<u8>(s + at);
  return byte == 0x5f || is_alpha(byte) || is_digit(byte);
}

/** Whether the assertion holds before the byte at `at`. */
function holds(operation: u32, s: usize, at: i32, length: i32): bool {
  if (operation == I_BOL) return at == 0;
  if (operation == I_EOL) return at == length;
  const before = is_word_byte(s, at - 1, length);
  const behind = is_word_byte(s, at, length);
  return operation == I_BOW ? !before && behind : before && !behind;
}

/** Lists the instructions that wait for a byte and are reached from `pc` without one. Returns whether a match is. */
function reach(re: Regex, list: usize, pc: u32, s: usize, at: i32, length: i32): bool {
  while (true) {
    if (load<u32>(re.marks + 4 * pc) == re.step) return false;
    store<u32>(re.marks + 4 * pc, re.step);
    const operation = load<u32>(address(re, pc));
    const number = load<u32>(address(re, pc), 4);
    if (operation == I_MATCH) return true;
    if (operation == I_JMP) pc += number;
    else if (operation == I_SPLIT) {
      if (reach(re, list, pc + 1, s, at, length)) return true;
      pc += number;
    } else if (operation >= I_BOL) {
      if (!holds(operation, s, at, length)) return false;
      pc++;
    } else {
      const count = load<u32>(list) + 1;
      store<u32>(list, count);
      store<u32>(list + 4 * count, pc);
      return false;
    }
  }
}

/** Whether the instruction takes the byte. */
function takes(re: Regex, pc: u32, byte: u32): bool {
  const operation = load<u32>(address(re, pc));
  const number = load<u32>(address(re, pc), 4);
  if (operation == I_CHAR) return number == (re.fold != 0 ? to_lower(byte) : byte);
  return operation == I_ANY || in_set(number, byte);
}

/** Whether the expression matches anywhere in the `length` bytes at `s`. */
export function regmatch(re: Regex, s: usize, length: i32): bool {
  store<u32>(re.current, 0);
  re.step++;
  let at = 0;
  while (true) {
    // A match may begin here, besides those that have begun.
    if (reach(re, re.current, 0, s, at, length)) return true;
    if (at >= length) return false;
    const list = re.current;
    const byte = load<u8>(s + at);
    re.current = re.following;
    re.following = list;
    re.step++;
    store<u32>(re.current, 0);
    for (let i: u32 = 1; i <= load<u32>(list); i++) {
      const pc = load<u32>(list + 4 * i);
      if (takes(re, pc, byte) && reach(re, re.current, pc + 1, s, at + 1, length)) return true;
    }
    at++;
  }
}
