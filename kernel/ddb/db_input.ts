// The line editor: insertion at the cursor, ^B ^F ^A ^E ^H DEL ^D ^K ^U ^T ^R.

import { cnputc } from "../cons";
import { db_force_whitespace, db_getc, db_puts } from "./db_output";

const LINE_SIZE: u32 = 256;

@unmanaged class EditState {
  /** Characters in the line, and the cursor's place among them. */
  length: u32;
  cursor: u32;
}
const edit = changetype<EditState>(memory.data(offsetof<EditState>()));

/** The command line, NUL-terminated. */
export function db_line(): usize {
  return memory.data(256);
}

/** Puts `text` (up to `end`) into the command line, as if typed. */
export function db_set_line(text: usize, end: usize): void {
  let at = db_line();
  const limit = at + LINE_SIZE - 1;
  while (text < end && at < limit) {
    store<u8>(at, load<u8>(text));
    at++;
    text++;
  }
  store<u8>(at, 0);
}

function back(count: u32): void {
  while (count > 0) {
    cnputc(8);
    count--;
  }
}

/** Shows the line from `from` on, blanks `erased` places after it and returns to the cursor. */
function redraw(from: u32, erased: u32): void {
  for (let i = from; i < edit.length; i++) cnputc(load<u8>(db_line() + i));
  for (let i: u32 = 0; i < erased; i++) cnputc(32);
  back(edit.length + erased - edit.cursor);
}

function insert(c: u32): void {
  if (edit.length + 1 >= LINE_SIZE) {
    cnputc(7);
    return;
  }
  const at = db_line() + edit.cursor;
  memory.copy(at + 1, at, edit.length - edit.cursor);
  store<u8>(at, c);
  edit.length++;
  cnputc(c);
  edit.cursor++;
  redraw(edit.cursor, 0);
}

function delete_before(): void {
  if (edit.cursor == 0) return;
  const at = db_line() + edit.cursor;
  memory.copy(at - 1, at, edit.length - edit.cursor);
  edit.cursor--;
  edit.length--;
  cnputc(8);
  redraw(edit.cursor, 1);
}

function delete_at(): void {
  if (edit.cursor >= edit.length) return;
  const at = db_line() + edit.cursor;
  memory.copy(at, at + 1, edit.length - edit.cursor - 1);
  edit.length--;
  redraw(edit.cursor, 1);
}

function kill_to_end(): void {
  const erased = edit.length - edit.cursor;
  edit.length = edit.cursor;
  redraw(edit.cursor, erased);
}

function move_to(cursor: u32): void {
  while (edit.cursor > cursor) {
    cnputc(8);
    edit.cursor--;
  }
  while (edit.cursor < cursor) {
    cnputc(load<u8>(db_line() + edit.cursor));
    edit.cursor++;
  }
}

function kill_line(): void {
  const erased = edit.length;
  move_to(0);
  edit.length = 0;
  redraw(0, erased);
}

function transpose(): void {
  if (edit.cursor < 2) return;
  const at = db_line() + edit.cursor;
  const c = load<u8>(at - 2);
  store<u8>(at - 2, load<u8>(at - 1));
  store<u8>(at - 1, c);
  back(2);
  cnputc(load<u8>(at - 2));
  cnputc(load<u8>(at - 1));
}

/** Handles one key; true at the end of the line. */
function input_char(c: u32): bool {
  switch (c) {
    case 2: // ^B
      if (edit.cursor > 0) move_to(edit.cursor - 1);
      break;
    case 6: // ^F
      if (edit.cursor < edit.length) move_to(edit.cursor + 1);
      break;
    case 1: // ^A
      move_to(0);
      break;
    case 5: // ^E
      move_to(edit.length);
      break;
    case 8:
    case 127:
      delete_before();
      break;
    case 4: // ^D
      delete_at();
      break;
    case 11: // ^K
      kill_to_end();
      break;
    case 21: // ^U
      kill_line();
      break;
    case 20: // ^T
      transpose();
      break;
    case 18: // ^R
      cnputc(10);
      redraw(0, 0);
      break;
    case 10:
    case 13:
      return true;
    default:
      if (c >= 32 && c <= 126) insert(c);
      else cnputc(7);
      break;
  }
  return false;
}

/** Reads a line from the console into db_line(); returns its length. Nobody else runs meanwhile. */
export function db_readline(): u32 {
  db_force_whitespace();
  edit.length = 0;
  edit.cursor = 0;
  while (!input_char(u32(db_getc()))) {}
  store<u8>(db_line() + edit.length, 0);
  // The echo went past DDB's column; a newline brings both to the margin.
  db_puts(cs("\n"));
  return edit.length;
}
