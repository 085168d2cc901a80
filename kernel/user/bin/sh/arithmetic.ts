// $((…)): C's expressions over 64-bit integers and variables.
import { frame_alloc } from "../../../i386/cpufunc";
import { strchr } from "../../../libkern";
import { eprintf, sprintf } from "../../lib/stdio";
import { is_digit, is_space, to_lower } from "../../lib/stdlib";
import { sh } from "./state";
import { assign, get_variable_n, name_length, variable } from "./variables";

@unmanaged
class Expression {
  at: usize;
}
const expression = changetype<Expression>(memory.data(4));

/** Binary operators by length and precedence, loosest first; `=` and `?:` are apart. */
function precedence(at: usize, lengthp: usize): i32 {
  const a = load<u8>(at);
  const b = load<u8>(at + 1);
  store<u32>(lengthp, 1);
  if ((a == 0x7c && b == 0x7c) || (a == 0x26 && b == 0x26)) {
    store<u32>(lengthp, 2);
    return a == 0x7c ? 1 : 2;
  }
  if (b == 0x3d && (a == 0x3d || a == 0x21 || a == 0x3c || a == 0x3e)) {
    store<u32>(lengthp, 2);
    return a == 0x3d || a == 0x21 ? 6 : 7;
  }
  if ((a == 0x3c || a == 0x3e) && a == b) {
    store<u32>(lengthp, 2);
    return 8;
  }
  if (a == 0x7c) return 3;
  if (a == 0x5e) return 4;
  if (a == 0x26) return 5;
  if (a == 0x3c || a == 0x3e) return 7;
  if (a == 0x2b || a == 0x2d) return 9;
  if (a == 0x2a || a == 0x2f || a == 0x25) return 10;
  return 0;
}

function bad(): void {
  if (sh.failed == 0) eprintf(cs("%s: arithmetic expression: syntax error\n"), sh.arg0);
  sh.failed = 1;
}

function skip(): u32 {
  while (is_space(load<u8>(expression.at))) expression.at++;
  return load<u8>(expression.at);
}

/** Value of a digit in a radix up to 16, or -1. */
function digit_of(byte: u32, radix: i32): i32 {
  const low = to_lower(byte);
  const digit = is_digit(byte) ? i32(byte) - 0x30 : low >= 0x61 && low <= 0x66 ? i32(low) - 0x57 : 99;
  return digit < radix ? digit : -1;
}

/** The number at the expression's place: decimal, octal after 0, hexadecimal after 0x. */
function number(): i64 {
  let radix = 10;
  if (load<u8>(expression.at) == 0x30) {
    radix = to_lower(load<u8>(expression.at + 1)) == 0x78 ? 16 : 8;
    if (radix == 16) expression.at += 2;
  }
  let value: i64 = 0;
  const first = expression.at;
  while (digit_of(load<u8>(expression.at), radix) >= 0) {
    value = value * i64(radix) + i64(digit_of(load<u8>(expression.at), radix));
    expression.at++;
  }
  if (expression.at == first) bad();
  return value;
}

/** The number that is all of `text`. */
function number_of(text: usize): i64 {
  const at = expression.at;
  expression.at = text;
  const sign = skip();
  if (sign == 0x2d || sign == 0x2b) expression.at++;
  const value = load<u8>(expression.at) == 0 ? 0 : number();
  if (skip() != 0 && sh.failed == 0) {
    eprintf(cs("%s: arithmetic expression: Illegal number: %s\n"), sh.arg0, text);
    sh.failed = 1;
  }
  expression.at = at;
  return sign == 0x2d ? 0 - value : value;
}

/** Bytes of the assignment operator here, 0 when there is none: `=`, `+=` … `<<=`. */
function assignment_length(): u32 {
  const first = load<u8>(expression.at);
  const second = load<u8>(expression.at + 1);
  if (first == 0x3d) return second == 0x3d ? 0 : 1;
  if ((first == 0x3c || first == 0x3e) && second == first) return load<u8>(expression.at + 2) == 0x3d ? 3 : 0;
  return second == 0x3d && first != 0 && strchr(cs("+-*/%&^|"), first) != 0 ? 2 : 0;
}

/** A variable, or an assignment to one. */
function name_or_assignment(): i64 {
  const at = expression.at;
  const n = name_length(at);
  expression.at += n;
  const first = skip();
  const length = assignment_length();
  const value = length == 1 ? 0 : get_variable_n(at, n);
  if (length != 1 && value == 0 && sh.nounset != 0) {
    eprintf(cs("%s: %.*s: parameter not set\n"), sh.arg0, n, at);
    sh.failed = 1;
  }
  const old: i64 = value == 0 ? 0 : number_of(value);
  if (length == 0 || sh.failed != 0) return old;
  expression.at += length;
  let result = conditional();
  if (length > 1) result = combine(first, length == 3 ? first : 0, old, result);
  const text = frame_alloc(24);
  sprintf(text, cs("%qd"), u32(result), u32(result >> 32));
  assign(variable(at, n), text);
  return result;
}

function primary(): i64 {
  const byte = skip();
  if (byte == 0x28) {
    expression.at++;
    const value = conditional();
    if (skip() != 0x29) bad();
    else expression.at++;
    return value;
  }
  if (byte == 0x21 || byte == 0x7e || byte == 0x2d || byte == 0x2b) {
    expression.at++;
    const value = primary();
    return byte == 0x21 ? i64(value == 0) : byte == 0x7e ? ~value : byte == 0x2d ? 0 - value : value;
  }
  if (is_digit(byte)) return number();
  if (name_length(expression.at) > 0) return name_or_assignment();
  bad();
  return 0;
}

/** The operator beginning with `a` (`second`: its other byte, or 0). */
function combine(a: u32, second: u32, left: i64, right: i64): i64 {
  if (second == 0x3d) {
    if (a == 0x3d) return i64(left == right);
    if (a == 0x21) return i64(left != right);
    return a == 0x3c ? i64(left <= right) : i64(left >= right);
  }
  if (second != 0) {
    if (a == 0x7c) return i64(left != 0 || right != 0);
    if (a == 0x26) return i64(left != 0 && right != 0);
    return a == 0x3c ? left << (right & 63) : left >> (right & 63);
  }
  switch (a) {
    case 0x7c: return left | right;
    case 0x5e: return left ^ right;
    case 0x26: return left & right;
    case 0x3c: return i64(left < right);
    case 0x3e: return i64(left > right);
    case 0x2b: return left + right;
    case 0x2d: return left - right;
    case 0x2a: return left * right;
    default: break;
  }
  if (right == 0) {
    eprintf(cs("%s: arithmetic expression: division by zero\n"), sh.arg0);
    sh.failed = 1;
    return 0;
  }
  if (right == -1) return a == 0x2f ? 0 - left : 0;
  return a == 0x2f ? left / right : left % right;
}

function binary(lowest: i32): i64 {
  let left = primary();
  const length = frame_alloc(4);
  while (sh.failed == 0) {
    skip();
    const at = expression.at;
    const level = precedence(at, length);
    if (level == 0 || level < lowest) return left;
    expression.at += load<u32>(length);
    const right = binary(level + 1);
    left = combine(load<u8>(at), load<u32>(length) == 2 ? load<u8>(at + 1) : 0, left, right);
  }
  return left;
}

function conditional(): i64 {
  const value = binary(1);
  if (skip() != 0x3f) return value;
  expression.at++;
  const yes = conditional();
  if (skip() != 0x3a) {
    bad();
    return 0;
  }
  expression.at++;
  const no = conditional();
  return value != 0 ? yes : no;
}

/** The value of an expression. A mistake is told and sets sh.failed. */
export function evaluate(text: usize): i64 {
  const saved = expression.at;
  expression.at = text;
  const value: i64 = skip() == 0 ? 0 : conditional();
  if (sh.failed == 0 && skip() != 0) bad();
  expression.at = saved;
  return value;
}
