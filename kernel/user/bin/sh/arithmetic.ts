// $((…)): C's expressions over 32-bit integers and variables.
import { frame_alloc } from "../../../i386/cpufunc";
import { eprintf, sprintf } from "../../lib/stdio";
import { is_digit, is_space, parse_long, to_lower, is_alpha } from "../../lib/stdlib";
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

function number(): i32 {
  const at = expression.at;
  if (load<u8>(at) != 0x30) return i32(parse_long(at, changetype<usize>(expression)));
  const radix = to_lower(load<u8>(at + 1)) == 0x78 ? 16 : 8;
  expression.at += radix == 16 ? 2 : 1;
  let value = 0;
  while (true) {
    const byte = to_lower(load<u8>(expression.at));
    const digit = is_digit(byte) ? i32(byte) - 0x30 : is_alpha(byte) ? i32(byte) - 0x57 : 99;
    if (digit >= radix) return value;
    value = value * radix + digit;
    expression.at++;
  }
}

/** A variable, or an assignment to one. */
function name_or_assignment(): i32 {
  const at = expression.at;
  const n = name_length(at);
  expression.at += n;
  const first = skip();
  const second = load<u8>(expression.at + 1);
  const value = get_variable_n(at, n);
  const old = value == 0 ? 0 : i32(parse_long(value, 0));
  const compound = second == 0x3d && (first == 0x2b || first == 0x2d || first == 0x2a || first == 0x2f || first == 0x25);
  if (!compound && (first != 0x3d || second == 0x3d)) return old;
  expression.at += compound ? 2 : 1;
  let result = conditional();
  if (compound) result = combine(first, 0, old, result);
  const text = frame_alloc(16);
  sprintf(text, cs("%d"), result);
  assign(variable(at, n), text);
  return result;
}

function primary(): i32 {
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
    return byte == 0x21 ? i32(value == 0) : byte == 0x7e ? ~value : byte == 0x2d ? 0 - value : value;
  }
  if (is_digit(byte)) return number();
  if (name_length(expression.at) > 0) return name_or_assignment();
  bad();
  return 0;
}

/** The operator beginning with `a` (`second`: its other byte, or 0). */
function combine(a: u32, second: u32, left: i32, right: i32): i32 {
  if (second == 0x3d) {
    if (a == 0x3d) return i32(left == right);
    if (a == 0x21) return i32(left != right);
    return a == 0x3c ? i32(left <= right) : i32(left >= right);
  }
  if (second != 0) {
    if (a == 0x7c) return i32(left != 0 || right != 0);
    if (a == 0x26) return i32(left != 0 && right != 0);
    return a == 0x3c ? left << right : left >> right;
  }
  switch (a) {
    case 0x7c: return left | right;
    case 0x5e: return left ^ right;
    case 0x26: return left & right;
    case 0x3c: return i32(left < right);
    case 0x3e: return i32(left > right);
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

function binary(lowest: i32): i32 {
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

function conditional(): i32 {
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
export function evaluate(text: usize): i32 {
  const saved = expression.at;
  expression.at = text;
  const value = skip() == 0 ? 0 : conditional();
  if (sh.failed == 0 && skip() != 0) bad();
  expression.at = saved;
  return value;
}
