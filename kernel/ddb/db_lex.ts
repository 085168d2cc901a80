// Lexer of the command line. Numbers are in the current radix (16 at first)
// unless they begin with 0x, 0t (decimal) or 0o.

import { db_error } from "./db_command";
import { db_line } from "./db_input";
import { db_output_state } from "./db_output";

export const tEOF: i32 = 0;
export const tEOL: i32 = 1;
export const tNUMBER: i32 = 2;
export const tIDENT: i32 = 3;
export const tPLUS: i32 = 4;
export const tMINUS: i32 = 5;
export const tDOT: i32 = 6;
export const tSTAR: i32 = 7;
export const tSLASH: i32 = 8;
export const tEQ: i32 = 9;
export const tLPAREN: i32 = 10;
export const tRPAREN: i32 = 11;
export const tPCT: i32 = 12;
export const tHASH: i32 = 13;
export const tCOMMA: i32 = 14;
export const tQUOTE: i32 = 15;
export const tDOLLAR: i32 = 16;
export const tEXCL: i32 = 17;
export const tSHIFT_L: i32 = 18;
export const tSHIFT_R: i32 = 19;
export const tDOTDOT: i32 = 20;
export const tSEMI: i32 = 21;

/** Longest identifier, NUL included. */
export const TOK_STRING_SIZE: u32 = 120;

@unmanaged class LexState {
  /** Next character of the line. */
  lp: usize;
  look_token: i32;
  has_look: u32;
  tok_number: u32;
}
export const db_lex_state = changetype<LexState>(memory.data(offsetof<LexState>()));

/** Text of the last identifier. */
export function db_tok_string(): usize {
  return memory.data(120);
}

/** Begins at the start of the line. */
export function db_lex_start(): void {
  db_lex_state.lp = db_line();
  db_lex_state.has_look = 0;
}

/** Drops the rest of the line. */
export function db_flush_lex(): void {
  while (load<u8>(db_lex_state.lp) != 0) db_lex_state.lp++;
  db_lex_state.has_look = 0;
}

/** Pushes the token back; it is the next one read. */
export function db_unread_token(t: i32): void {
  db_lex_state.look_token = t;
  db_lex_state.has_look = 1;
}

function peek_char(): u32 {
  return load<u8>(db_lex_state.lp);
}

/** The next character, raw: for command modifiers. 0 at the end of the line. */
export function db_read_char(): u32 {
  const c = peek_char();
  if (c != 0) db_lex_state.lp++;
  return c;
}

function digit_value(c: u32): u32 {
  if (c >= 48 && c <= 57) return c - 48;
  if (c >= 97 && c <= 102) return c - 87;
  if (c >= 65 && c <= 70) return c - 55;
  return 255;
}

function is_letter(c: u32): bool {
  return (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c == 95 || c == 92;
}

function read_number(): i32 {
  let radix: u32 = db_output_state.radix;
  if (peek_char() == 48) {
    const next: u32 = load<u8>(db_lex_state.lp + 1) | 0x20;
    if (next == 120) radix = 16; // 0x
    else if (next == 116) radix = 10; // 0t
    else if (next == 111) radix = 8; // 0o
    if (next == 120 || next == 116 || next == 111) db_lex_state.lp += 2;
  }
  let value: u32 = 0;
  while (digit_value(peek_char()) < radix) value = value * radix + digit_value(db_read_char());
  if (is_letter(peek_char()) || digit_value(peek_char()) < 255) db_error(cs("Bad character in number\n"));
  db_lex_state.tok_number = value;
  return tNUMBER;
}

function read_identifier(): i32 {
  const text = db_tok_string();
  let length: u32 = 0;
  let c = peek_char();
  while (is_letter(c) || (c >= 48 && c <= 57) || c == 58) {
    if (length == TOK_STRING_SIZE - 1) db_error(cs("String too long\n"));
    if (c == 92) {
      db_lex_state.lp++;
      c = peek_char();
    }
    store<u8>(text + length, c);
    length++;
    db_lex_state.lp++;
    c = peek_char();
  }
  store<u8>(text + length, 0);
  return tIDENT;
}

/** One or the other, as the next character is `second` or not. */
function either(second: u32, two: i32, one: i32): i32 {
  if (peek_char() != second) return one;
  db_lex_state.lp++;
  return two;
}

function punctuation(c: u32): i32 {
  switch (c) {
    case 43: return tPLUS;
    case 45: return tMINUS;
    case 46: return either(46, tDOTDOT, tDOT);
    case 42: return tSTAR;
    case 47: return tSLASH;
    case 61: return tEQ;
    case 37: return tPCT;
    case 35: return tHASH;
    case 40: return tLPAREN;
    case 41: return tRPAREN;
    case 44: return tCOMMA;
    case 34: return tQUOTE;
    case 36: return tDOLLAR;
    case 33: return tEXCL;
    case 59: return tSEMI;
    case 60: return either(60, tSHIFT_L, tEOF);
    case 62: return either(62, tSHIFT_R, tEOF);
    default: return tEOF;
  }
}

/** The next token; tEOL at the end of the line, tEOF for a character that means nothing. */
export function db_read_token(): i32 {
  if (db_lex_state.has_look != 0) {
    db_lex_state.has_look = 0;
    return db_lex_state.look_token;
  }
  while (peek_char() == 32 || peek_char() == 9) db_lex_state.lp++;
  const c = peek_char();
  if (c == 0 || c == 10) return tEOL;
  if (c >= 48 && c <= 57) return read_number();
  if (is_letter(c)) {
    // In radix 16 a word of hexadecimal digits is still a name: write 0x for a number.
    return read_identifier();
  }
  db_lex_state.lp++;
  const token = punctuation(c);
  if (token == tEOF) {
    db_flush_lex();
    db_error(cs("Bad character\n"));
  }
  return token;
}
