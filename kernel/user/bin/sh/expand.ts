// Expansion of words: tilde, parameters, commands, arithmetic, then splitting
// into fields and file names.
//
// A word is expanded to bytes with a mark on each: what was quoted is neither
// split nor a pattern; what came out of an unquoted substitution is split. Two
// marks stand without a byte: a break between fields ("$@"), and a quotation,
// which makes a field even when it is empty.
import { frame_alloc } from "../../../i386/cpufunc";
import { strchr, strlen } from "../../../libkern";
import { eprintf, sprintf } from "../../lib/stdio";
import { free, is_digit, malloc, realloc, zalloc } from "../../lib/stdlib";
import { match } from "../../lib/match";
import { evaluate } from "./arithmetic";
import { glob } from "./glob";
import { option_letters } from "./options";
import { end_of_backquote, end_of_brace, end_of_double, end_of_paren, end_of_single } from "./scan";
import { alloc, alloc_string, sh } from "./state";
import { substitute_command } from "./substitution";
import { Word } from "./tree";
import { assign, get_variable, get_variable_n, name_length, variable } from "./variables";

const LITERAL: u32 = 0;
const QUOTED: u32 = 1;
const SPLIT: u32 = 2;
const BREAK: u32 = 3;
const QUOTATION: u32 = 4;

/** Expanded text. */
@unmanaged
class Text {
  data: usize;
  marks: usize;
  length: u32;
  capacity: u32;
  /** "$@" without parameters: an empty quotation around it makes no field. */
  vanishes: u32;
}

function new_text(): Text {
  const t = changetype<Text>(zalloc(offsetof<Text>()));
  t.capacity = 64;
  t.data = malloc(t.capacity);
  t.marks = malloc(t.capacity);
  return t;
}

function free_text(t: Text): void {
  free(t.data);
  free(t.marks);
  free(changetype<usize>(t));
}

function put(t: Text, byte: u32, mark: u32): void {
  if (t.length == t.capacity) {
    t.capacity *= 2;
    t.data = realloc(t.data, t.capacity);
    t.marks = realloc(t.marks, t.capacity);
  }
  store<u8>(t.data + t.length, byte);
  store<u8>(t.marks + t.length++, mark);
}

function put_string(t: Text, s: usize, mark: u32): void {
  for (; load<u8>(s) != 0; s++) put(t, load<u8>(s), mark);
}

/** Bytes that split fields. */
function separators(): usize {
  const ifs = get_variable(cs("IFS"));
  return ifs == 0 ? cs(" \t\n") : ifs;
}

function put_number(t: Text, n: i64, mark: u32): void {
  const digits = frame_alloc(24);
  sprintf(digits, cs("%qd"), u32(n), u32(n >> 32));
  put_string(t, digits, mark);
}

/** $@ and $*. */
function put_parameters(t: Text, byte: u32, quoted: bool): void {
  const mark = quoted ? QUOTED : SPLIT;
  if (quoted && byte == 0x40 && sh.parameter_count == 0) t.vanishes = 1;
  const joint = load<u8>(separators());
  for (let i = 0; i < sh.parameter_count; i++) {
    if (i > 0) {
      if (!quoted || byte == 0x40) put(t, 0, BREAK);
      else if (joint != 0) put(t, joint, QUOTED);
    }
    if (quoted && byte == 0x40) put(t, 0, QUOTATION);
    put_string(t, load<usize>(sh.parameters + 4 * i), mark);
  }
}

/** The value of the parameter named by `n` bytes, or 0 when it is unset. Not for @ and *. */
function parameter_value(name: usize, n: u32): usize {
  const byte = load<u8>(name);
  if (is_digit(byte)) {
    let index = 0;
    for (let i: u32 = 0; i < n; i++) index = index * 10 + load<u8>(name + i) - 0x30;
    if (index == 0) return sh.arg0;
    return index <= sh.parameter_count ? load<usize>(sh.parameters + 4 * (index - 1)) : 0;
  }
  let number = 0;
  if (byte == 0x3f) number = sh.status;
  else if (byte == 0x23) number = sh.parameter_count;
  else if (byte == 0x24) number = sh.pid;
  else if (byte == 0x21) {
    if (sh.background == 0) return 0;
    number = sh.background;
  } else if (byte == 0x2d) {
    const letters = alloc(16);
    option_letters(letters);
    return letters;
  } else return get_variable_n(name, n);
  const text = alloc(16);
  sprintf(text, cs("%d"), number);
  return text;
}

/** Bytes of the parameter name at `s`: a name, digits, or one special byte. */
function parameter_length(s: usize, braces: bool): u32 {
  const byte = load<u8>(s);
  if (is_digit(byte)) {
    let n: u32 = 1;
    while (braces && is_digit(load<u8>(s + n))) n++;
    return n;
  }
  const n = name_length(s);
  if (n > 0) return n;
  return byte != 0 && strchr(cs("@*#?-$!"), byte) != 0 ? 1 : 0;
}

function complain_unset(name: usize, n: u32, message: usize): void {
  eprintf(cs("%s: %s: %s\n"), sh.arg0, alloc_string(name, n), message);
  sh.failed = 1;
}

/** ${name#pattern} and its kin: the value without what the pattern matches at its start or end. */
function trim(value: usize, pattern: usize, at_start: bool, longest: bool): usize {
  const n = strlen(value);
  const copy = alloc_string(value, n);
  for (let i: u32 = 0; i <= n; i++) {
    // Short pieces first, or long ones.
    const size = longest ? n - i : i;
    if (at_start) {
      const kept = load<u8>(copy + size);
      store<u8>(copy + size, 0);
      const matches = match(pattern, copy);
      store<u8>(copy + size, kept);
      if (matches) return copy + size;
    } else if (match(pattern, copy + n - size)) {
      store<u8>(copy + n - size, 0);
      return copy;
    }
  }
  return copy;
}

/** ${…}, between the braces. */
function expand_braces(t: Text, s: usize, end: usize, quoted: bool): void {
  const mark = quoted ? QUOTED : SPLIT;
  if (load<u8>(s) == 0x23 && s + 1 < end && parameter_length(s + 1, true) == u32(end - s - 1)) {
    const value = load<u8>(s + 1) == 0x40 || load<u8>(s + 1) == 0x2a ? 0 : parameter_value(s + 1, u32(end - s - 1));
    put_number(t, value == 0 ? 0 : strlen(value), mark);
    return;
  }
  const n = parameter_length(s, true);
  const byte = load<u8>(s);
  const isList = n == 1 && (byte == 0x40 || byte == 0x2a);
  let value: usize = 0;
  if (isList) value = sh.parameter_count == 0 ? 0 : load<usize>(sh.parameters);
  else if (n > 0) value = parameter_value(s, n);
  let at = s + n;
  const colon = at < end && load<u8>(at) == 0x3a;
  if (colon) at++;
  const operator: u32 = at < end ? load<u8>(at) : 0;
  if (n == 0 || (operator != 0 && strchr(cs("-=?+#%"), operator) == 0)) {
    eprintf(cs("%s: Bad substitution\n"), sh.arg0);
    sh.failed = 1;
    return;
  }
  const isSet = value != 0 && !(colon && load<u8>(value) == 0);
  if (operator == 0x2b) {
    if (isSet) expand_into(t, at + 1, end, quoted);
    return;
  }
  if (!isSet && operator == 0x2d) return expand_into(t, at + 1, end, quoted);
  if (!isSet && operator == 0x3d) {
    value = expand_plain(at + 1, u32(end - at - 1));
    if (name_length(s) == n) assign(variable(s, n), value);
    put_string(t, value, mark);
    return;
  }
  if (!isSet && operator == 0x3f) {
    const message = expand_plain(at + 1, u32(end - at - 1));
    complain_unset(s, n, load<u8>(message) == 0 ? cs("parameter not set") : message);
    return;
  }
  if (isList) return put_parameters(t, byte, quoted);
  if (operator == 0x23 || operator == 0x25) {
    const longest = at + 1 < end && load<u8>(at + 1) == operator;
    const from = at + (longest ? 2 : 1);
    const pattern = expand_pattern_n(from, u32(end - from));
    if (value != 0) put_string(t, trim(value, pattern, operator == 0x23, longest), mark);
    return;
  }
  put_value(t, s, n, value, mark);
}

function put_value(t: Text, name: usize, n: u32, value: usize, mark: u32): void {
  if (value != 0) put_string(t, value, mark);
  else if (sh.nounset != 0) complain_unset(name, n, cs("parameter not set"));
}

/** Output of a command: trailing newlines are gone. */
function put_command(t: Text, s: usize, end: usize, mark: u32): void {
  const output = substitute_command(alloc_string(s, u32(end - s)));
  put_string(t, output, mark);
  free(output);
}

/** `…`: a backslash before $, ` and \ goes away before the command is read. */
function put_backquoted(t: Text, s: usize, end: usize, quoted: bool): void {
  const command = alloc(u32(end - s) + 1);
  let to = command;
  for (; s < end; s++) {
    const next = load<u8>(s + 1);
    const escapes = load<u8>(s) == 0x5c && (next == 0x24 || next == 0x60 || next == 0x5c || (quoted && next == 0x22));
    if (escapes) s++;
    store<u8>(to++, load<u8>(s));
  }
  put_command(t, command, to, quoted ? QUOTED : SPLIT);
}

/** What begins with the `$` at `s`; returns the address behind it. */
function expand_dollar(t: Text, s: usize, end: usize, quoted: bool): usize {
  const mark = quoted ? QUOTED : SPLIT;
  const next: u32 = s + 1 < end ? load<u8>(s + 1) : 0;
  if (next == 0x28) {
    const close = end_of_paren(s + 2, end);
    if (load<u8>(s + 2) == 0x28 && close > s + 3 && load<u8>(close - 1) == 0x29) {
      const text = expand_plain(s + 3, u32(close - 1 - s - 3));
      put_number(t, evaluate(text), mark);
    } else put_command(t, s + 2, close, mark);
    return close + 1;
  }
  if (next == 0x7b) {
    const close = end_of_brace(s + 2, end, !quoted);
    expand_braces(t, s + 2, close, quoted);
    return close + 1;
  }
  const n = s + 1 < end ? parameter_length(s + 1, false) : 0;
  if (n == 0) {
    put(t, 0x24, quoted ? QUOTED : LITERAL);
    return s + 1;
  }
  if (next == 0x40 || next == 0x2a) put_parameters(t, next, quoted);
  else put_value(t, s + 1, n, parameter_value(s + 1, n), mark);
  return s + 1 + n;
}

/** Expands the text from s to end behind what `t` has. */
function expand_into(t: Text, s: usize, end: usize, quoted: bool): void {
  while (s < end && sh.failed == 0) {
    const byte = load<u8>(s);
    if (byte == 0x24) s = expand_dollar(t, s, end, quoted);
    else if (byte == 0x60) {
      const close = end_of_backquote(s + 1, end);
      put_backquoted(t, s + 1, close, quoted);
      s = close + 1;
    } else if (byte == 0x5c) {
      const next: u32 = s + 1 < end ? load<u8>(s + 1) : 0x5c;
      const escapes = !quoted || next == 0x24 || next == 0x60 || next == 0x22 || next == 0x5c || next == 0x0a;
      if (!escapes) put(t, byte, QUOTED);
      if (next != 0x0a || !escapes) put(t, next, QUOTED);
      s += 2;
    } else if (byte == 0x27 && !quoted) {
      const close = end_of_single(s + 1, end);
      put(t, 0, QUOTATION);
      for (let at = s + 1; at < close; at++) put(t, load<u8>(at), QUOTED);
      s = close + 1;
    } else if (byte == 0x22) {
      if (quoted) {
        s++;
        continue;
      }
      const close = end_of_double(s + 1, end);
      t.vanishes = 0;
      const before = t.length;
      expand_into(t, s + 1, close, true);
      if (t.length > before || t.vanishes == 0) put(t, 0, QUOTATION);
      s = close + 1;
    } else {
      put(t, byte, quoted ? QUOTED : LITERAL);
      s++;
    }
  }
}

/** ~ at the start of a word. Returns the address of what is left. */
function expand_tilde(t: Text, s: usize): usize {
  const next = load<u8>(s + 1);
  if (load<u8>(s) != 0x7e || (next != 0 && next != 0x2f)) return s;
  const home = get_variable(cs("HOME"));
  if (home == 0) return s;
  put_string(t, home, QUOTED);
  return s + 1;
}

/** The bytes of the expanded text without its marks, in the arena. */
function bytes_of(t: Text): usize {
  const result = alloc(t.length + 1);
  let to = result;
  for (let i: u32 = 0; i < t.length; i++) {
    const mark = load<u8>(t.marks + i);
    if (mark == BREAK) store<u8>(to++, 0x20);
    else if (mark != QUOTATION) store<u8>(to++, load<u8>(t.data + i));
  }
  return result;
}

/** A quoted byte that a pattern would take for its own. */
function needs_escape(byte: u32): bool {
  return byte == 0x2a || byte == 0x3f || byte == 0x5b || byte == 0x5d || byte == 0x5c || byte == 0x2d || byte == 0x21;
}

/** The pattern made of [from, to): quoted bytes stand for themselves. */
function pattern_of(t: Text, from: u32, to: u32): usize {
  const result = alloc(2 * (to - from) + 1);
  let at = result;
  for (let i = from; i < to; i++) {
    const mark = load<u8>(t.marks + i);
    const byte = load<u8>(t.data + i);
    if (mark == QUOTATION || mark == BREAK) continue;
    if (mark == QUOTED && needs_escape(byte)) store<u8>(at++, 0x5c);
    store<u8>(at++, byte);
  }
  return result;
}

function has_pattern(t: Text, from: u32, to: u32): bool {
  for (let i = from; i < to; i++) {
    const byte = load<u8>(t.data + i);
    const mark = load<u8>(t.marks + i);
    if ((mark == LITERAL || mark == SPLIT) && (byte == 0x2a || byte == 0x3f || byte == 0x5b)) return true;
  }
  return false;
}

/** Appends a field to the list; returns its last word. */
function append(last: Word, text: usize): Word {
  const word = changetype<Word>(alloc(offsetof<Word>()));
  word.text = text;
  last.next = word;
  return word;
}

function end_field(t: Text, from: u32, to: u32, last: Word): Word {
  if (sh.noglob == 0 && has_pattern(t, from, to)) {
    const found = glob(pattern_of(t, from, to), last);
    if (found != last) return found;
  }
  const field = alloc(to - from + 1);
  let at = field;
  for (let i = from; i < to; i++) {
    const mark = load<u8>(t.marks + i);
    if (mark != QUOTATION && mark != BREAK) store<u8>(at++, load<u8>(t.data + i));
  }
  return append(last, field);
}

/** Splits the text into fields behind `last`. Returns the last word. */
function split(t: Text, last: Word): Word {
  const ifs = separators();
  let from: u32 = 0;
  let open = false;
  let after_blank = false;
  for (let i: u32 = 0; i < t.length; i++) {
    const mark = load<u8>(t.marks + i);
    const byte = load<u8>(t.data + i);
    const separates = mark == SPLIT && byte != 0 && strchr(ifs, byte) != 0;
    if (mark == BREAK || separates) {
      const blank = separates && (byte == 0x20 || byte == 9 || byte == 0x0a);
      if (open || (separates && !blank && !after_blank)) last = end_field(t, from, i, last);
      after_blank = blank && (open || after_blank);
      open = false;
      from = i + 1;
    } else if (!open) {
      open = true;
      after_blank = false;
      from = i;
    }
  }
  return open ? end_field(t, from, t.length, last) : last;
}

/** The fields of a word, behind `last`. Returns the last word. */
export function expand_word(raw: usize, last: Word): Word {
  const t = new_text();
  const from = expand_tilde(t, raw);
  expand_into(t, from, raw + strlen(raw), false);
  last = split(t, last);
  free_text(t);
  return last;
}

/** The expansion of `n` bytes as one string. */
function expand_plain(s: usize, n: u32): usize {
  const t = new_text();
  expand_into(t, s, s + n, false);
  const result = bytes_of(t);
  free_text(t);
  return result;
}

/** The expansion of a word as one string, with tilde. */
export function expand_string(raw: usize): usize {
  const t = new_text();
  const from = expand_tilde(t, raw);
  expand_into(t, from, raw + strlen(raw), false);
  const result = bytes_of(t);
  free_text(t);
  return result;
}

/** The expansion of a here-document. */
export function expand_here(raw: usize): usize {
  const t = new_text();
  // Double quotes are plain bytes here.
  let s = raw;
  const end = raw + strlen(raw);
  while (s < end && sh.failed == 0) {
    let quote = s;
    while (quote < end && load<u8>(quote) != 0x22) quote++;
    expand_into(t, s, quote, true);
    if (quote < end) put(t, 0x22, QUOTED);
    s = quote + 1;
  }
  const result = bytes_of(t);
  free_text(t);
  return result;
}

function expand_pattern_n(s: usize, n: u32): usize {
  const t = new_text();
  expand_into(t, s, s + n, false);
  const result = pattern_of(t, 0, t.length);
  free_text(t);
  return result;
}

/** A word as a pattern for match(): quoted bytes stand for themselves. */
export function expand_pattern(raw: usize): usize {
  return expand_pattern_n(raw, strlen(raw));
}
