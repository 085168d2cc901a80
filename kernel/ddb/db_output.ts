// DDB's output: printing that counts columns and puts blanks off.
//
// Blanks and tabs only move the column; they are written when the next visible
// character is. So trailing blanks vanish, and text that the kernel's printf
// writes in between (it knows nothing of this column) is glued to what DDB
// printed last, while DDB's next character is preceded by the blanks it owes.
// The glued and indented lines of a fault inside DDB come from this.

import { cngetc, cnpollc, cnputc } from "../cons";
import { bootarg, bootarg_u32 } from "../subr_bootargs";
import { kprintf_to } from "../subr_prf";
import { db_error } from "./db_command";

@unmanaged export class OutputState {
  position: u32;
  last_non_space: u32;
  line: u32;
  tab_stop_width: u32;
  max_width: u32;
  max_line: u32;
  radix: u32;
  /** A key that was typed ahead and seen by db_check_interrupt; 0: none. */
  typed_ahead: i32;
}

export const db_output_state = changetype<OutputState>(memory.data(offsetof<OutputState>()));

const CTRL_C: i32 = 3;

/** Sets widths to the defaults; boot argument `ddb.lines=0` turns the pager off. */
export function db_output_init(): void {
  const out = db_output_state;
  out.tab_stop_width = 8;
  out.max_width = 80;
  out.max_line = 24;
  out.radix = 16;
  if (bootarg(cs("ddb.lines")) != 0) out.max_line = bootarg_u32(cs("ddb.lines"), 24);
}

function next_tab(column: u32): u32 {
  const width = db_output_state.tab_stop_width;
  return (column + width) / width * width;
}

/** Writes the blanks that are owed. */
export function db_force_whitespace(): void {
  const out = db_output_state;
  let column = out.last_non_space;
  while (column < out.position) {
    cnputc(32);
    column++;
  }
  out.last_non_space = column;
}

/** Asks for a key when a screenful is out; q or ^C leaves the command. */
function db_more(): void {
  const out = db_output_state;
  if (out.max_line == 0 || out.line < out.max_line - 1) return;
  out.line = 0;
  db_puts(cs("--db_more--"));
  db_force_whitespace();
  const c = db_getc();
  for (let i: u32 = 0; i < 11; i++) {
    cnputc(8);
    cnputc(32);
    cnputc(8);
  }
  out.position = 0;
  out.last_non_space = 0;
  if (c == 113 || c == CTRL_C) db_error(0);
  if (c != 32) out.line = out.max_line - 2;
}

function db_newline(): void {
  const out = db_output_state;
  cnputc(10);
  out.position = 0;
  out.last_non_space = 0;
  out.line++;
}

/** Prints one character; blanks are put off. */
export function db_putchar(c: i32): void {
  const out = db_output_state;
  if (out.position == 0 && out.last_non_space == 0) db_more();
  if (c > 32 && c <= 126) {
    db_force_whitespace();
    cnputc(c);
    out.position++;
    out.last_non_space = out.position;
    if (out.position >= out.max_width - 1) db_newline();
  } else if (c == 10) {
    db_newline();
    db_check_interrupt();
  } else if (c == 13) {
    cnputc(c);
    out.position = 0;
    out.last_non_space = 0;
  } else if (c == 9) {
    out.position = next_tab(out.position);
  } else if (c == 32) {
    out.position++;
  } else if (c == 7) {
    cnputc(c);
  }
}

/** The pager starts to count anew; called before each command. */
export function db_reset_lines(): void {
  db_output_state.line = 0;
}

/** Column of the next character. */
export function db_print_position(): u32 {
  return db_output_state.position;
}

/** ^C typed while something is printed leaves the command; any other key is kept for db_getc. */
export function db_check_interrupt(): void {
  if (db_output_state.typed_ahead != 0) return;
  const c = cnpollc();
  if (c == CTRL_C) db_error(0);
  if (c > 0) db_output_state.typed_ahead = c;
}

/** Waits for a key. */
export function db_getc(): i32 {
  const c = db_output_state.typed_ahead;
  db_output_state.typed_ahead = 0;
  return c != 0 ? c : cngetc();
}

/** Prints a string. */
export function db_puts(s: usize): void {
  let c: i32 = load<u8>(s);
  while (c != 0) {
    db_putchar(c);
    s++;
    c = load<u8>(s);
  }
}

/** Prints `value` in the current radix: hexadecimal has the prefix 0x (but 0 is plain 0). */
export function db_print_unsigned(value: u32): void {
  if (db_output_state.radix == 16 && value != 0) db_printf(cs("0x%x"), value);
  else if (db_output_state.radix == 16) db_putchar(48);
  else db_printf(cs("%u"), value);
}

/** Like db_print_unsigned, negative numbers with a minus sign. */
export function db_print_signed(value: i32): void {
  if (value < 0) {
    db_putchar(45);
    db_print_unsigned(u32(0 - value));
  } else db_print_unsigned(u32(value));
}

/** printf of the debugger; the formats are those of printf. */
export function db_printf(
  fmt: usize, a0: usize = 0, a1: usize = 0, a2: usize = 0, a3: usize = 0, a4: usize = 0, a5: usize = 0,
  a6: usize = 0, a7: usize = 0, a8: usize = 0, a9: usize = 0,
): void {
  kprintf_to(db_putchar.index, fmt, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9);
}
