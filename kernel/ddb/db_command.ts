// DDB's command language:  command[/modifier] [address][,count]
//
// A command is a row of the table that db_command_init fills. Unique prefixes
// are enough; an exact match wins. An empty line repeats the last command at
// the next address. Errors leave the command by longjmp to the loop, as does a
// fault that a command causes (db_recover).

import { frame_alloc } from "../i386/cpufunc";
import { setjmp, longjmp } from "../i386/support";
import { strcmp, strlen, strncmp } from "../libkern";
import { bootarg } from "../subr_bootargs";
import { db_break_cmd, db_delete_cmd } from "./db_break";
import { db_call_cmd, db_examine_cmd, db_print_cmd, db_search_cmd, db_write_cmd } from "./db_examine";
import { db_expression } from "./db_expr";
import { db_line, db_readline, db_set_line } from "./db_input";
import {
  TOK_STRING_SIZE, db_flush_lex, db_lex_start, db_read_char, db_read_token, db_tok_string, db_unread_token, tCOMMA,
  tEOF, tEOL, tEXCL, tIDENT, tSLASH,
} from "./db_lex";
import { db_print_position, db_printf, db_puts, db_reset_lines } from "./db_output";
import { db_reboot_cmd, db_sync_cmd } from "./db_reboot";
import { db_continue_cmd, db_next_cmd, db_step_cmd, db_until_cmd } from "./db_run";
import {
  db_show_all_procs, db_show_breaks, db_show_buf, db_show_map, db_show_object, db_show_page, db_show_pool,
  db_show_registers, db_show_uvmcheck, db_show_uvmexp, db_show_vnode,
} from "./db_show";
import { db_stack_trace_cmd } from "./db_trace";
import { db_set_cmd } from "./db_variables";

@unmanaged class Command {
  name: usize;
  fn: u32;
  flags: u32;
  /** Subcommands instead of a function, or 0. */
  sub: usize;
}
const COMMAND_SIZE: u32 = 16;
const MAX_COMMANDS: u32 = 48;

/** The command parses its own operands. */
const CS_OWN: u32 = 1;
/** An empty line afterwards repeats nothing. */
const CS_NO_REPEAT: u32 = 2;

/** Where examining commands are: `.`, `+`, `"`, `..`. */
@unmanaged class Dot {
  dot: usize;
  last_addr: usize;
  prev: usize;
  next: usize;
}
export const db_dot = changetype<Dot>(memory.data(offsetof<Dot>()));

@unmanaged class LoopState {
  /** The label to leave a command by, or 0 outside the loop. */
  recover: usize;
  done: u32;
  last_command: usize;
  /** What is left of the boot argument ddb.commandonenter. */
  on_enter: usize;
  on_enter_read: u32;
}
const loop = changetype<LoopState>(memory.data(offsetof<LoopState>()));

function main_table(): usize {
  return memory.data(768);
}
function show_table(): usize {
  return memory.data(768);
}
function show_all_table(): usize {
  return memory.data(64);
}

/** Adds a command: `fn` is the code address of (addr: usize, have_addr: bool, count: i32, modif: usize) => void. */
function add(table: usize, name: usize, fn: u32, flags: u32): void {
  add_row(table, name, fn, flags, 0);
}

function add_row(table: usize, name: usize, fn: u32, flags: u32, sub: usize): void {
  let row = changetype<Command>(table);
  while (row.name != 0) row = changetype<Command>(changetype<usize>(row) + COMMAND_SIZE);
  row.name = name;
  row.fn = fn;
  row.flags = flags;
  row.sub = sub;
}

/** Fills the command tables. Called once, before DDB can be entered. */
export function db_command_init(): void {
  const main = main_table();
  add(main, cs("break"), db_break_cmd.index, 0);
  add(main, cs("c"), db_continue_cmd.index, CS_NO_REPEAT);
  add(main, cs("call"), db_call_cmd.index, CS_OWN);
  add(main, cs("continue"), db_continue_cmd.index, CS_NO_REPEAT);
  add(main, cs("d"), db_delete_cmd.index, 0);
  add(main, cs("delete"), db_delete_cmd.index, 0);
  add(main, cs("examine"), db_examine_cmd.index, 0);
  add(main, cs("match"), db_next_cmd.index, 0);
  add(main, cs("next"), db_next_cmd.index, 0);
  add(main, cs("print"), db_print_cmd.index, 0);
  add(main, cs("ps"), db_show_all_procs.index, 0);
  add(main, cs("reboot"), db_reboot_cmd.index, 0);
  add(main, cs("s"), db_step_cmd.index, 0);
  add(main, cs("search"), db_search_cmd.index, CS_OWN);
  add(main, cs("set"), db_set_cmd.index, CS_OWN);
  add_row(main, cs("show"), 0, 0, show_table());
  add(main, cs("step"), db_step_cmd.index, 0);
  add(main, cs("sync"), db_sync_cmd.index, 0);
  add(main, cs("t"), db_stack_trace_cmd.index, 0);
  add(main, cs("trace"), db_stack_trace_cmd.index, 0);
  add(main, cs("until"), db_until_cmd.index, 0);
  add(main, cs("w"), db_write_cmd.index, CS_OWN);
  add(main, cs("write"), db_write_cmd.index, CS_OWN);
  add(main, cs("x"), db_examine_cmd.index, 0);
  const show = show_table();
  add_row(show, cs("all"), 0, 0, show_all_table());
  add(show, cs("breaks"), db_show_breaks.index, 0);
  add(show, cs("buf"), db_show_buf.index, 0);
  add(show, cs("map"), db_show_map.index, 0);
  add(show, cs("object"), db_show_object.index, 0);
  add(show, cs("page"), db_show_page.index, 0);
  add(show, cs("pool"), db_show_pool.index, 0);
  add(show, cs("registers"), db_show_registers.index, 0);
  add(show, cs("uvmcheck"), db_show_uvmcheck.index, 0);
  add(show, cs("uvmexp"), db_show_uvmexp.index, 0);
  add(show, cs("vnode"), db_show_vnode.index, 0);
  add(show_all_table(), cs("procs"), db_show_all_procs.index, 0);
}

/** Prints `text` (0: nothing), drops the line and leaves the command. Does not return. */
export function db_error(text: usize): void {
  if (text != 0) db_puts(text);
  db_flush_lex();
  if (loop.recover != 0) longjmp(loop.recover);
}

/** Is a command under way, so that a fault is the command's? */
export function db_recovering(): bool {
  return loop.recover != 0;
}

/** The loop ends after this command (`continue` and the stepping commands). */
export function db_cmd_loop_done(): void {
  loop.done = 1;
}

const FOUND: i32 = 0;
const NOT_FOUND: i32 = 1;
const AMBIGUOUS: i32 = 2;

/** Looks `name` up; the row goes to `rowp`. */
function db_cmd_search(name: usize, table: usize, rowp: usize): i32 {
  const length = strlen(name);
  let result = NOT_FOUND;
  let row = changetype<Command>(table);
  while (row.name != 0) {
    if (strcmp(row.name, name) == 0) {
      store<usize>(rowp, changetype<usize>(row));
      return FOUND;
    }
    if (strncmp(row.name, name, length) == 0) {
      // Two names of one function are one command.
      const same = result == FOUND && changetype<Command>(load<usize>(rowp)).fn == row.fn && row.fn != 0;
      result = result == NOT_FOUND || same ? FOUND : AMBIGUOUS;
      store<usize>(rowp, changetype<usize>(row));
    }
    row = changetype<Command>(changetype<usize>(row) + COMMAND_SIZE);
  }
  return result;
}

/** Lists a table in columns. */
function db_cmd_list(table: usize): void {
  let row = changetype<Command>(table);
  while (row.name != 0) {
    db_printf(cs("%-12s"), row.name);
    if (db_print_position() > 66) db_printf(cs("\n"));
    row = changetype<Command>(changetype<usize>(row) + COMMAND_SIZE);
  }
  db_printf(cs("\n"));
}

/** `/modifier` after a command, into `modif`. */
function read_modifier(modif: usize): void {
  store<u8>(modif, 0);
  const token = db_read_token();
  if (token != tSLASH) {
    db_unread_token(token);
    return;
  }
  let at = modif;
  let c = db_read_char();
  while (c != 0 && c != 32 && c != 9 && c != 44) {
    if (at - modif >= TOK_STRING_SIZE - 1) db_error(cs("Bad modifier\n"));
    store<u8>(at, c);
    at++;
    c = db_read_char();
  }
  store<u8>(at, 0);
  if (at == modif) db_error(cs("Bad modifier\n"));
  if (c == 44) db_unread_token(tCOMMA);
}

/** `[address][,count]` up to the end of the line; runs the command. */
function run_with_operands(row: Command, modif: usize): void {
  const addrp = frame_alloc(4);
  const countp = frame_alloc(4);
  const have_addr = db_expression(addrp);
  if (have_addr) {
    db_dot.dot = load<usize>(addrp);
    db_dot.last_addr = db_dot.dot;
  } else store<usize>(addrp, db_dot.dot);
  store<i32>(countp, -1);
  const token = db_read_token();
  if (token == tCOMMA) {
    if (!db_expression(countp)) db_error(cs("Count missing\n"));
  } else db_unread_token(token);
  if (db_read_token() != tEOL) db_error(cs("?\n"));
  call_indirect<void>(row.fn, load<usize>(addrp), have_addr, load<i32>(countp), modif);
}

/** `!function(arguments)`. */
function run_call(modif: usize): void {
  store<u8>(modif, 0);
  db_call_cmd(0, false, 0, modif);
}

function find_command(rowp: usize): bool {
  let table = main_table();
  for (; ;) {
    const result = db_cmd_search(db_tok_string(), table, rowp);
    if (result == AMBIGUOUS) db_error(cs("Ambiguous\n"));
    if (result == NOT_FOUND) {
      if (strncmp(db_tok_string(), cs("help"), 4) == 0) {
        db_cmd_list(table);
        db_flush_lex();
        return false;
      }
      db_error(cs("No such command\n"));
    }
    const row = changetype<Command>(load<usize>(rowp));
    if (row.sub == 0) return true;
    table = row.sub;
    if (db_read_token() != tIDENT) {
      db_cmd_list(table);
      db_flush_lex();
      return false;
    }
  }
  return false;
}

/** Runs the line in db_line(). */
function db_command(): void {
  const rowp = frame_alloc(4);
  const modif = frame_alloc(120);
  db_lex_start();
  db_reset_lines();
  const token = db_read_token();
  if (token == tEXCL) {
    run_call(modif);
    return;
  }
  if (token == tEOL) {
    if (loop.last_command == 0) return;
    const last = changetype<Command>(loop.last_command);
    store<u8>(modif, 0);
    db_dot.dot = db_dot.next;
    call_indirect<void>(last.fn, db_dot.dot, false, i32(1), modif);
    return;
  }
  if (token != tIDENT) db_error(cs("?\n"));
  if (!find_command(rowp)) return;
  const row = changetype<Command>(load<usize>(rowp));
  loop.last_command = (row.flags & (CS_NO_REPEAT | CS_OWN)) != 0 ? 0 : changetype<usize>(row);
  read_modifier(modif);
  if ((row.flags & CS_OWN) != 0) {
    call_indirect<void>(row.fn, usize(0), false, i32(0), modif);
    return;
  }
  run_with_operands(row, modif);
}

/**
 * Takes the next command of the boot argument ddb.commandonenter (separated by
 * `;`) into the line and shows it after the prompt. False when none is left.
 */
function next_on_enter(): bool {
  if (loop.on_enter_read == 0) {
    loop.on_enter = bootarg(cs("ddb.commandonenter"));
    loop.on_enter_read = 1;
  }
  if (loop.on_enter == 0) return false;
  let start = loop.on_enter;
  while (load<u8>(start) == 32 || load<u8>(start) == 59) start++;
  if (load<u8>(start) == 0) {
    loop.on_enter = 0;
    return false;
  }
  let end = start;
  while (load<u8>(end) != 0 && load<u8>(end) != 59) end++;
  loop.on_enter = end;
  db_set_line(start, end);
  return true;
}

/** Reads and runs commands until one resumes the kernel. A fault inside a command ends that command only. */
export function db_command_loop(): void {
  const label = frame_alloc(24);
  const saved = loop.recover;
  db_dot.next = db_dot.dot;
  db_dot.prev = db_dot.dot;
  loop.done = 0;
  setjmp(label);
  loop.recover = label;
  while (loop.done == 0) {
    if (db_print_position() != 0) db_printf(cs("\n"));
    const scripted = next_on_enter();
    db_printf(cs("db> "));
    if (scripted) show_line();
    else db_readline();
    db_command();
  }
  loop.recover = saved;
}

function show_line(): void {
  db_puts(db_line());
  db_puts(cs("\n"));
}
