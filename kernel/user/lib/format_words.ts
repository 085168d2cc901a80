// printf(1): a format with words as its arguments, without floating point.
import { frame_alloc } from "../../i386/cpufunc";
import { strchr, strlen } from "../../libkern";
import { eprintf, printf, putc, snprintf } from "./stdio";
import { free, is_digit, malloc, to_lower } from "./stdlib";

@unmanaged
class Words {
  /** The next argument, and how many are left. */
  at: usize;
  left: i32;
  status: i32;
  program: usize;
  /** `\c` has come: nothing more is printed. */
  ended: u32;
}
const words = changetype<Words>(memory.data(offsetof<Words>()));
/** Longest conversion: `%-#+0 ` with width, precision and letter. */
const SPECIFICATION: u32 = 48;
const MOST_PREFIX: u32 = 24;

/** The next argument, or 0. */
function next_word(): usize {
  if (words.left == 0) return 0;
  words.left--;
  words.at += 4;
  return load<usize>(words.at - 4);
}

function complain(what: usize, why: usize): void {
  eprintf(cs("%s: %s: %s\n"), words.program, what, why);
  words.status = 1;
}

/** Value of a digit in a radix up to 16, or -1. */
function digit_of(byte: u32, radix: i32): i32 {
  const low = to_lower(byte);
  const digit = is_digit(byte) ? i32(byte) - 0x30 : low >= 0x61 && low <= 0x66 ? i32(low) - 0x57 : 99;
  return digit < radix ? digit : -1;
}

/** A number as C writes it, or `'c` for a byte's. */
function number_of(word: usize): i32 {
  if (word == 0) return 0;
  if (load<u8>(word) == 0x27 || load<u8>(word) == 0x22) return load<u8>(word + 1);
  let at = word;
  const negative = load<u8>(at) == 0x2d;
  if (negative || load<u8>(at) == 0x2b) at++;
  let radix = 10;
  if (load<u8>(at) == 0x30) {
    radix = to_lower(load<u8>(at + 1)) == 0x78 ? 16 : 8;
    if (radix == 16) at += 2;
  }
  const first = at;
  let value = 0;
  while (digit_of(load<u8>(at), radix) >= 0) value = value * radix + digit_of(load<u8>(at++), radix);
  if (at == first) complain(word, cs("expected numeric value"));
  else if (load<u8>(at) != 0) complain(word, cs("not completely converted"));
  return negative ? 0 - value : value;
}

/** Puts the byte that the escape behind the backslash at `s` stands for. Returns the address behind it. */
function put_escape(s: usize, in_word: bool): usize {
  const letter = load<u8>(s);
  const known = letter == 0 ? 0 : strchr(cs("abfnrtv\\\"'"), letter);
  if (known != 0) {
    putc(load<u8>(cs("\x07\x08\x0c\x0a\x0d\x09\x0b\\\"'") + (known - cs("abfnrtv\\\"'"))));
    return s + 1;
  }
  if (in_word && letter == 0x63) {
    words.ended = 1;
    return s + strlen(s);
  }
  if (letter < 0x30 || letter > 0x37) {
    putc(0x5c);
    return s;
  }
  // In a word of %b the digits may follow a zero.
  let left = in_word && letter == 0x30 ? 4 : 3;
  let value: u32 = 0;
  while (left-- > 0 && load<u8>(s) >= 0x30 && load<u8>(s) <= 0x37) value = value * 8 + load<u8>(s++) - 0x30;
  putc(value & 0xff);
  return s;
}

/** %b: a word with its escapes replaced. */
function put_escaped_word(word: usize): void {
  while (word != 0 && load<u8>(word) != 0 && words.ended == 0) {
    const byte = load<u8>(word++);
    if (byte == 0x5c) word = put_escape(word, true);
    else putc(byte);
  }
}

/** Copies flags or digits; `*` becomes the number in the next word. Returns the address behind them. */
function copy_number(fmt: usize, to: usize): usize {
  if (load<u8>(fmt) == 0x2a) {
    snprintf(to + strlen(to), 12, cs("%d"), number_of(next_word()));
    return fmt + 1;
  }
  while (is_digit(load<u8>(fmt)) && strlen(to) < MOST_PREFIX) {
    const n = strlen(to);
    store<u8>(to + n, load<u8>(fmt++));
    store<u8>(to + n + 1, 0);
  }
  return fmt;
}

function append(to: usize, byte: u32): void {
  const n = strlen(to);
  store<u8>(to + n, byte);
  store<u8>(to + n + 1, 0);
}

/** %c: the first byte of the next word, in its width. */
function put_byte(specification: usize): void {
  const word = next_word();
  append(specification, 0x63);
  if (word != 0 && load<u8>(word) != 0) printf(specification, load<u8>(word));
}

/** One conversion, behind the percent sign. Returns the address behind it, or 0 after a complaint. */
function put_conversion(fmt: usize): usize {
  const specification = frame_alloc(SPECIFICATION);
  const start = fmt;
  store<u8>(specification, 0x25);
  store<u8>(specification + 1, 0);
  while (load<u8>(fmt) != 0 && strchr(cs("#-+ 0"), load<u8>(fmt)) != 0 && strlen(specification) < 8) {
    // The formatter has no flag for a blank in the place of a plus.
    if (load<u8>(fmt) != 0x20) append(specification, load<u8>(fmt));
    fmt++;
  }
  fmt = copy_number(fmt, specification);
  if (load<u8>(fmt) == 0x2e) {
    append(specification, 0x2e);
    fmt = copy_number(fmt + 1, specification);
  }
  const letter = load<u8>(fmt);
  if (letter == 0x63) put_byte(specification);
  else if (letter == 0x62) put_escaped_word(next_word());
  else if (letter == 0x73) {
    const word = next_word();
    append(specification, letter);
    printf(specification, word == 0 ? cs("") : word);
  } else if (letter == 0x58) put_upper(specification);
  else if (letter != 0 && strchr(cs("diouxX"), letter) != 0) {
    append(specification, letter);
    printf(specification, u32(number_of(next_word())));
  } else {
    eprintf(cs("%s: %%%.*s: invalid directive\n"), words.program, u32(fmt - start) + (letter == 0 ? 0 : 1), start);
    words.status = 1;
    return 0;
  }
  return fmt + 1;
}

/** %X: hexadecimal digits as capitals. */
function put_upper(specification: usize): void {
  const size: u32 = 1024;
  const text = malloc(size);
  append(specification, 0x78);
  snprintf(text, size, specification, u32(number_of(next_word())));
  for (let at = text; load<u8>(at) != 0; at++) {
    const byte = load<u8>(at);
    putc(byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte);
  }
  free(text);
}

/** Prints the format once. Returns whether it has taken words; false also after a mistake. */
function put_format(fmt: usize): bool {
  const before = words.left;
  while (load<u8>(fmt) != 0 && words.ended == 0) {
    const byte = load<u8>(fmt++);
    if (byte == 0x5c) fmt = put_escape(fmt, false);
    else if (byte != 0x25) putc(byte);
    else if (load<u8>(fmt) == 0x25) {
      putc(0x25);
      fmt++;
    } else {
      fmt = put_conversion(fmt);
      if (fmt == 0) return false;
    }
  }
  return words.left != before;
}

/** Prints `argv[0]` with the words behind it as arguments, again while words are left. Returns the exit status. */
export function format_words(program: usize, argc: i32, argv: usize): i32 {
  words.at = argv + 4;
  words.left = argc - 1;
  words.status = 0;
  words.ended = 0;
  words.program = program;
  while (put_format(load<usize>(argv)) && words.left > 0 && words.ended == 0) continue;
  return words.status;
}
