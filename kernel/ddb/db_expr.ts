// Expressions of the command line:
//
//   shift:   add { << add | >> add }
//   add:     mult { + mult | - mult }
//   mult:    unary { * unary | / unary | % unary | # unary }   (# rounds up to a multiple)
//   unary:   - unary | * unary (fetches 32 bits) | term
//   term:    name | number | . | .. | + | " | $variable | ( expression )

import { frame_alloc } from "../i386/cpufunc";
import { db_get_value } from "./db_access";
import { db_dot, db_error } from "./db_command";
import {
  db_lex_state, db_read_token, db_tok_string, db_unread_token, tDOLLAR, tDOT, tDOTDOT, tHASH, tIDENT, tLPAREN,
  tMINUS, tNUMBER, tPCT, tPLUS, tQUOTE, tRPAREN, tSHIFT_L, tSHIFT_R, tSLASH, tSTAR,
} from "./db_lex";
import { db_value_of_name } from "./db_sym";
import { db_get_variable } from "./db_variables";

/** Each parser stores its value at `valuep` and returns false when no expression begins here. */
function db_term(valuep: usize): bool {
  const token = db_read_token();
  if (token == tIDENT) {
    if (!db_value_of_name(db_tok_string(), valuep)) db_error(cs("Symbol not found\n"));
    return true;
  }
  if (token == tNUMBER) {
    store<u32>(valuep, db_lex_state.tok_number);
    return true;
  }
  if (token == tDOT) {
    store<u32>(valuep, db_dot.dot);
    return true;
  }
  if (token == tDOTDOT) {
    store<u32>(valuep, db_dot.last_addr);
    return true;
  }
  if (token == tQUOTE) {
    store<u32>(valuep, db_dot.prev);
    return true;
  }
  if (token == tPLUS) {
    store<u32>(valuep, db_dot.next);
    return true;
  }
  if (token == tDOLLAR) return db_get_variable(valuep);
  if (token == tLPAREN) {
    if (!db_expression(valuep)) db_error(cs("Syntax error\n"));
    if (db_read_token() != tRPAREN) db_error(cs("Syntax error\n"));
    return true;
  }
  db_unread_token(token);
  return false;
}

function db_unary(valuep: usize): bool {
  const token = db_read_token();
  if (token == tMINUS) {
    if (!db_unary(valuep)) db_error(cs("Syntax error\n"));
    store<u32>(valuep, 0 - load<u32>(valuep));
    return true;
  }
  if (token == tSTAR) {
    if (!db_unary(valuep)) db_error(cs("Syntax error\n"));
    store<u32>(valuep, db_get_value(load<u32>(valuep), 4, false));
    return true;
  }
  db_unread_token(token);
  return db_term(valuep);
}

function divide(token: i32, left: u32, right: u32): u32 {
  if (right == 0) db_error(cs("Divide by 0\n"));
  if (token == tSLASH) return i32(left) / i32(right);
  if (token == tPCT) return i32(left) % i32(right);
  return (left + right - 1) / right * right;
}

function db_mult(valuep: usize): bool {
  if (!db_unary(valuep)) return false;
  const right = frame_alloc(4);
  let token = db_read_token();
  while (token == tSTAR || token == tSLASH || token == tPCT || token == tHASH) {
    if (!db_unary(right)) db_error(cs("Syntax error\n"));
    const a = load<u32>(valuep);
    const b = load<u32>(right);
    store<u32>(valuep, token == tSTAR ? a * b : divide(token, a, b));
    token = db_read_token();
  }
  db_unread_token(token);
  return true;
}

function db_add(valuep: usize): bool {
  if (!db_mult(valuep)) return false;
  const right = frame_alloc(4);
  let token = db_read_token();
  while (token == tPLUS || token == tMINUS) {
    if (!db_mult(right)) db_error(cs("Syntax error\n"));
    const a = load<u32>(valuep);
    const b = load<u32>(right);
    store<u32>(valuep, token == tPLUS ? a + b : a - b);
    token = db_read_token();
  }
  db_unread_token(token);
  return true;
}

/** Parses an expression and stores its value at `valuep`; false when there is none. Errors leave the command. */
export function db_expression(valuep: usize): bool {
  if (!db_add(valuep)) return false;
  const right = frame_alloc(4);
  let token = db_read_token();
  while (token == tSHIFT_L || token == tSHIFT_R) {
    if (!db_add(right)) db_error(cs("Syntax error\n"));
    const by = load<u32>(right);
    if (i32(by) < 0) db_error(cs("Negative shift amount\n"));
    const a = load<u32>(valuep);
    store<u32>(valuep, by > 31 ? 0 : token == tSHIFT_L ? a << by : a >> by);
    token = db_read_token();
  }
  db_unread_token(token);
  return true;
}
