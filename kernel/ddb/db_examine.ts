// x, print, write, search and call: looking at memory and changing it.

import { frame_alloc } from "../i386/cpufunc";
import { db_get_value, db_put_value } from "./db_access";
import { db_dot, db_error } from "./db_command";
import { db_disasm } from "./db_disasm";
import { db_expression } from "./db_expr";
import {
  db_read_token, db_tok_string, db_unread_token, tCOMMA, tEOL, tIDENT, tLPAREN, tRPAREN, tSLASH,
} from "./db_lex";
import { db_print_position, db_printf, db_putchar, db_puts } from "./db_output";
import { DB_STGY_ANY, DB_STGY_PROC, db_printsym } from "./db_sym";

@unmanaged class Format {
  /** Letter of the examine format, and bytes an item has; sticky. */
  letter: u32;
  size: u32;
  /** Format letter of print. */
  print: u32;
}
const format = changetype<Format>(memory.data(offsetof<Format>()));

const X: u32 = 120;

/** Formats at entry: x, four bytes. */
export function db_examine_init(): void {
  format.letter = X;
  format.size = 4;
  format.print = X;
}

/** Prints one number: `letter` of x z d u o r, right-justified in `width` columns. */
function print_number(letter: u32, value: i32, width: u32): void {
  switch (letter) {
    case 114: // r
    case 122: // z
      if (value < 0) db_printf(cs("-%-*x"), width - 1, 0 - value);
      else db_printf(cs("%-*x"), width, value);
      break;
    case 100: // d
      db_printf(cs("%-*d"), width, value);
      break;
    case 117: // u
      db_printf(cs("%-*u"), width, value);
      break;
    case 111: // o
      db_printf(cs("%-*o"), width, value);
      break;
    default:
      db_printf(cs("%-*x"), width, value);
      break;
  }
}

/** Reads the sticky letters of `/modifier`. */
function set_format(modif: usize): void {
  let c: u32 = load<u8>(modif);
  while (c != 0) {
    if (c == 98) format.size = 1; // b
    else if (c == 104) format.size = 2; // h
    else if (c == 108 || c == 76) format.size = 4; // l L
    else format.letter = c;
    modif++;
    c = load<u8>(modif);
  }
}

function print_character(c: u32): void {
  if (c >= 32 && c <= 126) db_putchar(c);
  else db_printf(cs("\\%03o"), c);
}

/** One item at `addr`; returns the address after it. */
function examine_item(addr: usize): usize {
  const letter = format.letter;
  if (letter == 97) { // a
    db_printf(cs("= 0x%x\n"), addr);
    return addr;
  }
  if (letter == 115) { // s
    let c = u32(db_get_value(addr, 1, false));
    while (c != 0) {
      print_character(c);
      addr++;
      c = u32(db_get_value(addr, 1, false));
    }
    return addr + 1;
  }
  if (letter == 105 || letter == 73) return db_disasm(addr, letter == 73); // i I
  if (letter == 99) { // c
    print_character(u32(db_get_value(addr, 1, false)));
    return addr + 1;
  }
  const is_signed = letter == 100 || letter == 114 || letter == 122;
  print_number(letter, db_get_value(addr, format.size, is_signed), format.size * 2 + 3);
  return addr + format.size;
}

/** `x/format address,count`: each line begins with the address. */
export function db_examine_cmd(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  set_format(modif);
  if (count == -1) count = 1;
  while (count > 0) {
    if (db_print_position() == 0) {
      db_printsym(addr, format.letter == 105 || format.letter == 73 ? DB_STGY_PROC : DB_STGY_ANY);
      db_puts(cs(":\t"));
    }
    db_dot.prev = addr;
    addr = examine_item(addr);
    if (format.letter == 115 || (format.size == 4 && db_print_position() > 64)) db_printf(cs("\n"));
    count--;
  }
  if (db_print_position() != 0) db_printf(cs("\n"));
  db_dot.next = addr;
}

/** `print/format expression`: the value itself. */
export function db_print_cmd(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  if (load<u8>(modif) != 0) format.print = load<u8>(modif);
  switch (format.print) {
    case 97: // a
      db_printsym(addr, DB_STGY_ANY);
      break;
    case 114: // r
      db_printf(cs("%11d"), addr);
      break;
    case 122: // z
      if (i32(addr) < 0) db_printf(cs("-%x"), 0 - addr);
      else db_printf(cs("%8x"), addr);
      break;
    case 100: // d
      db_printf(cs("%11d"), addr);
      break;
    case 117: // u
      db_printf(cs("%11u"), addr);
      break;
    case 111: // o
      db_printf(cs("%16o"), addr);
      break;
    case 99: // c
      print_character(addr & 0xff);
      break;
    default:
      db_printf(cs("%8x"), addr);
      break;
  }
  db_printf(cs("\n"));
}

/** `/b`, `/h` or `/l` before own operands: the size in bytes. */
function read_size(): u32 {
  const token = db_read_token();
  if (token != tSLASH) {
    db_unread_token(token);
    return 4;
  }
  if (db_read_token() != tIDENT) db_error(cs("Bad modifier\n"));
  const c: u32 = load<u8>(db_tok_string());
  if (c == 98) return 1;
  if (c == 104) return 2;
  return 4;
}

/** `write[/bhl] address value…`. */
export function db_write_cmd(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  const valuep = frame_alloc(4);
  const size = read_size();
  if (!db_expression(valuep)) db_error(cs("?\n"));
  let at = load<usize>(valuep);
  let wrote = false;
  while (db_expression(valuep)) {
    const old = db_get_value(at, size, false);
    db_printsym(at, DB_STGY_ANY);
    db_printf(cs("\t\t0x%-10x=\t0x%x\n"), old, load<u32>(valuep));
    db_put_value(at, size, load<u32>(valuep));
    at += size;
    wrote = true;
  }
  if (!wrote) db_error(cs("Nothing written.\n"));
  db_dot.next = at;
  db_dot.prev = at - size;
  if (db_read_token() != tEOL) db_error(cs("?\n"));
}

/** `search[/bhl] address value [mask][,count]`. */
export function db_search_cmd(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  const valuep = frame_alloc(4);
  const size = read_size();
  if (!db_expression(valuep)) db_error(cs("Address missing\n"));
  let at = load<usize>(valuep);
  if (!db_expression(valuep)) db_error(cs("Value missing\n"));
  const value = load<u32>(valuep);
  let mask: u32 = 0xffffffff;
  if (db_expression(valuep)) mask = load<u32>(valuep);
  let left: u32 = 0xffffffff;
  if (db_read_token() == tCOMMA) {
    if (!db_expression(valuep)) db_error(cs("Count missing\n"));
    left = load<u32>(valuep);
  }
  while (left > 0 && (u32(db_get_value(at, size, false)) & mask) != value) {
    at += size;
    left--;
  }
  db_printsym(at, DB_STGY_ANY);
  db_printf(cs("\n"));
  db_dot.next = at;
}

const MAX_CALL_ARGUMENTS: u32 = 10;

/** `call function(arguments)`: calls it with up to ten words and prints the result. */
export function db_call_cmd(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  const fnp = frame_alloc(4);
  const args = frame_alloc(40);
  memory.fill(args, 0, 40);
  if (!db_expression(fnp)) db_error(cs("Bad function\n"));
  const token = db_read_token();
  if (token == tLPAREN) read_arguments(args);
  else db_unread_token(token);
  if (db_read_token() != tEOL) db_error(cs("?\n"));
  const result = call_indirect<u32>(
    load<u32>(fnp), load<u32>(args), load<u32>(args + 4), load<u32>(args + 8), load<u32>(args + 12),
    load<u32>(args + 16), load<u32>(args + 20), load<u32>(args + 24), load<u32>(args + 28), load<u32>(args + 32), load<u32>(args + 36),
  );
  db_printf(cs("0x%x\n"), result);
}

function read_arguments(args: usize): void {
  const valuep = frame_alloc(4);
  let n: u32 = 0;
  let token = tCOMMA;
  while (token == tCOMMA && db_expression(valuep)) {
    if (n >= MAX_CALL_ARGUMENTS) db_error(cs("Too many arguments\n"));
    store<u32>(args + n * 4, load<u32>(valuep));
    n++;
    token = db_read_token();
  }
  if (n == 0) token = db_read_token();
  if (token != tRPAREN) db_error(cs("?\n"));
}
