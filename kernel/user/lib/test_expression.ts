// The expressions of test(1), for the program and for the shell's builtin.
import { frame_alloc } from "../../i386/cpufunc";
import { strcmp, strlen } from "../../libkern";
import { SIZEOF_STAT, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, Stat } from "./files";
import { eprintf } from "./stdio";
import { atoi, is_number, parse_long } from "./stdlib";
import { __lstat13, __stat13, access, ioctl } from "./syscalls";

const TIOCGETA: u32 = 0x402c7413;

/** Words that are left, and whether a mistake was found. */
@unmanaged
class Words {
  at: usize;
  end: usize;
  wrong: u32;
}
const words = changetype<Words>(memory.data(12));

function next_is(text: usize): bool {
  return words.at < words.end && strcmp(load<usize>(words.at), text) == 0;
}

function wrong(what: usize): bool {
  if (words.wrong == 0) eprintf(cs("test: %s\n"), what);
  words.wrong = 1;
  return false;
}

function file_test(letter: u32, path: usize): bool {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  if (letter == 0x72) return access(path, 4) == 0;
  if (letter == 0x77) return access(path, 2) == 0;
  if (letter == 0x78) return access(path, 1) == 0;
  if (letter == 0x68 || letter == 0x4c) {
    return __lstat13(path, changetype<usize>(st)) == 0 && st.type == S_IFLNK;
  }
  if (__stat13(path, changetype<usize>(st)) != 0) return false;
  switch (letter) {
    case 0x65: return true;
    case 0x66: return st.type == S_IFREG;
    case 0x64: return st.type == S_IFDIR;
    case 0x62: return st.type == S_IFBLK;
    case 0x63: return st.type == S_IFCHR;
    case 0x70: return st.type == S_IFIFO;
    case 0x75: return (st.st_mode & 0x800) != 0;
    case 0x67: return (st.st_mode & 0x400) != 0;
    default: return st.size > 0;
  }
}

/** Compares the modification times: negative, 0, positive; `known` is false when one is missing. */
function newer(a: usize, b: usize): i32 {
  const first = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const second = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const hasFirst = __stat13(a, changetype<usize>(first)) == 0;
  const hasSecond = __stat13(b, changetype<usize>(second)) == 0;
  if (!hasFirst || !hasSecond) return i32(hasFirst) - i32(hasSecond);
  if (first.st_mtime != second.st_mtime) return first.st_mtime > second.st_mtime ? 1 : -1;
  return i32(first.st_mtimensec > second.st_mtimensec) - i32(first.st_mtimensec < second.st_mtimensec);
}

function same_file(a: usize, b: usize): bool {
  const first = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const second = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  if (__stat13(a, changetype<usize>(first)) != 0 || __stat13(b, changetype<usize>(second)) != 0) return false;
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

function is_unary(word: usize): bool {
  if (load<u8>(word) != 0x2d || load<u8>(word + 1) == 0 || load<u8>(word + 2) != 0) return false;
  const letters = cs("bcdefghnprstuwxzL");
  for (let at = letters; load<u8>(at) != 0; at++) if (load<u8>(at) == load<u8>(word + 1)) return true;
  return false;
}

/** Number of a binary operator, or 0. */
function binary_operator(word: usize): u32 {
  let at = cs("=\0!=\0-eq\0-ne\0-gt\0-ge\0-lt\0-le\0-nt\0-ot\0-ef\0==\0<\0>\0");
  for (let number: u32 = 1; load<u8>(at) != 0; number++) {
    if (strcmp(word, at) == 0) return number;
    at += strlen(at) + 1;
  }
  return 0;
}

function number_of(word: usize): i64 {
  if (!is_number(word)) {
    if (words.wrong == 0) eprintf(cs("test: %s: bad number\n"), word);
    words.wrong = 1;
  }
  return parse_long(word, 0);
}

function binary(operator: u32, a: usize, b: usize): bool {
  if (operator == 1 || operator == 12) return strcmp(a, b) == 0;
  if (operator == 2) return strcmp(a, b) != 0;
  if (operator == 9) return newer(a, b) > 0;
  if (operator == 10) return newer(a, b) < 0;
  if (operator == 11) return same_file(a, b);
  if (operator == 13) return strcmp(a, b) < 0;
  if (operator == 14) return strcmp(a, b) > 0;
  const x = number_of(a);
  const y = number_of(b);
  switch (operator) {
    case 3: return x == y;
    case 4: return x != y;
    case 5: return x > y;
    case 6: return x >= y;
    case 7: return x < y;
    default: return x <= y;
  }
}

function primary(): bool {
  if (words.at >= words.end) return wrong(cs("argument expected"));
  const left = words.end - words.at;
  const word = load<usize>(words.at);
  if (left >= 12) {
    const operator = binary_operator(load<usize>(words.at + 4));
    if (operator != 0) {
      words.at += 12;
      return binary(operator, word, load<usize>(words.at - 4));
    }
  }
  if (left > 4 && strcmp(word, cs("!")) == 0) {
    words.at += 4;
    return !primary();
  }
  if (left > 4 && strcmp(word, cs("(")) == 0) {
    words.at += 4;
    const value = either();
    if (!next_is(cs(")"))) return wrong(cs("closing paren expected"));
    words.at += 4;
    return value;
  }
  if (left >= 8 && is_unary(word)) {
    const operand = load<usize>(words.at + 4);
    const letter = load<u8>(word + 1);
    words.at += 8;
    if (letter == 0x6e) return load<u8>(operand) != 0;
    if (letter == 0x7a) return load<u8>(operand) == 0;
    if (letter == 0x74) return ioctl(atoi(operand), TIOCGETA, frame_alloc(64)) == 0;
    return file_test(letter, operand);
  }
  words.at += 4;
  return load<u8>(word) != 0;
}

function both(): bool {
  let value = primary();
  while (next_is(cs("-a")) && words.wrong == 0) {
    words.at += 4;
    const other = primary();
    value = value && other;
  }
  return value;
}

function either(): bool {
  let value = both();
  while (next_is(cs("-o")) && words.wrong == 0) {
    words.at += 4;
    const other = both();
    value = value || other;
  }
  return value;
}

/** Evaluates test's arguments (argv[0] is `test`, or `[` with a closing `]`). 0 true, 1 false, 2 a mistake. */
export function evaluate_test(argc: i32, argv: usize): i32 {
  words.at = argv + 4;
  words.end = argv + 4 * argc;
  words.wrong = 0;
  if (load<u8>(load<usize>(argv)) == 0x5b) {
    if (argc < 2 || strcmp(load<usize>(words.end - 4), cs("]")) != 0) {
      eprintf(cs("[: missing ]\n"));
      return 2;
    }
    words.end -= 4;
  }
  if (words.at == words.end) return 1;
  const value = either();
  if (words.wrong == 0 && words.at != words.end) wrong(cs("unexpected operator"));
  return words.wrong != 0 ? 2 : value ? 0 : 1;
}
