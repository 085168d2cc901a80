// $variables: DDB's settings and the registers of the stopped processor.
// The registers are the words of the saved trap frame, in the order that
// `show registers` prints.

import { frame_alloc } from "../i386/cpufunc";
import { Trapframe } from "../i386/frame";
import { strcmp } from "../libkern";
import { db_error } from "./db_command";
import { db_read_token, db_tok_string, tEQ, tEOL, tIDENT, db_unread_token } from "./db_lex";
import { db_expression } from "./db_expr";
import { OutputState, db_output_state } from "./db_output";
import { db_sym_state } from "./db_sym";

/** The frame of the trap that DDB was entered by, esp and ss filled in for kernel frames too. */
export const ddb_regs = changetype<Trapframe>(memory.data(offsetof<Trapframe>()));

@unmanaged class Settings {
  onpanic: u32;
  fromconsole: u32;
}
export const db_settings = changetype<Settings>(memory.data(offsetof<Settings>()));

export const REGISTER_COUNT: u32 = 14;

/** Name of the i-th register, in the order of `show registers`. */
export function db_register_name(i: u32): usize {
  const names = cs("es\0\0\0\0\0\0ds\0\0\0\0\0\0edi\0\0\0\0\0esi\0\0\0\0\0ebp\0\0\0\0\0ebx\0\0\0\0\0edx\0\0\0\0\0ecx\0\0\0\0\0eax\0\0\0\0\0eip\0\0\0\0\0cs\0\0\0\0\0\0eflags\0\0esp\0\0\0\0\0ss");
  return names + i * 8;
}

/** Where the i-th register is saved. */
export function db_register_address(i: u32): usize {
  const base = changetype<usize>(ddb_regs);
  // trapno and err stand between eax and eip in the frame.
  return base + (i < 9 ? i : i + 2) * 4;
}

/** Address of the 32-bit setting called `name`; 0 = there is none. */
export function db_setting_address(name: usize): usize {
  const out = changetype<usize>(db_output_state);
  if (strcmp(name, cs("radix")) == 0) return out + offsetof<OutputState>("radix");
  if (strcmp(name, cs("maxoff")) == 0) return changetype<usize>(db_sym_state);
  if (strcmp(name, cs("maxwidth")) == 0) return out + offsetof<OutputState>("max_width");
  if (strcmp(name, cs("tabstops")) == 0) return out + offsetof<OutputState>("tab_stop_width");
  if (strcmp(name, cs("lines")) == 0) return out + offsetof<OutputState>("max_line");
  if (strcmp(name, cs("onpanic")) == 0) return changetype<usize>(db_settings);
  return strcmp(name, cs("fromconsole")) == 0 ? changetype<usize>(db_settings) + 4 : 0;
}

/** Address of the 32-bit variable named by the last identifier; an unknown name leaves the command. */
function variable_address(): usize {
  const name = db_tok_string();
  for (let i: u32 = 0; i < REGISTER_COUNT; i++) {
    if (strcmp(name, db_register_name(i)) == 0) return db_register_address(i);
  }
  const setting = db_setting_address(name);
  if (setting == 0) db_error(cs("Unknown variable\n"));
  return setting;
}

/** After `$`: stores the variable's value at `valuep`. */
export function db_get_variable(valuep: usize): bool {
  if (db_read_token() != tIDENT) db_error(cs("Unknown variable\n"));
  store<u32>(valuep, load<u32>(variable_address()));
  return true;
}

/** The `set` command: `set $name [=] expression`. */
export function db_set_cmd(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  const valuep = frame_alloc(4);
  db_read_token();
  if (db_read_token() != tIDENT) db_error(cs("Unknown variable\n"));
  const variable = variable_address();
  const token = db_read_token();
  if (token != tEQ) db_unread_token(token);
  if (!db_expression(valuep)) db_error(cs("No value\n"));
  if (db_read_token() != tEOL) db_error(cs("?\n"));
  store<u32>(variable, load<u32>(valuep));
}
