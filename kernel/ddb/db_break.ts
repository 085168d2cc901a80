// Breakpoints: int3 patched into the text while the kernel runs.

import { db_get_value, db_put_value } from "./db_access";
import { db_error } from "./db_command";
import { db_printf, db_puts } from "./db_output";
import { DB_STGY_PROC, db_printsym } from "./db_sym";

const MAX_BREAKPOINTS: u32 = 20;
const BKPT_INST: u32 = 0xcc;

@unmanaged class Breakpoint {
  /** 0: the slot is free. */
  address: usize;
  /** The byte that int3 stands for. */
  saved: u32;
  /** Stops left to skip, and the number given. */
  count: i32;
  init_count: i32;
}
const BREAKPOINT_SIZE: u32 = 16;

function table(): usize {
  return memory.data(320);
}

function breakpoint_at(i: u32): Breakpoint {
  return changetype<Breakpoint>(table() + i * BREAKPOINT_SIZE);
}

/** The breakpoint at `address`, or a null pointer. */
export function db_find_breakpoint(address: usize): Breakpoint {
  for (let i: u32 = 0; i < MAX_BREAKPOINTS; i++) {
    if (breakpoint_at(i).address == address) return breakpoint_at(i);
  }
  return changetype<Breakpoint>(0);
}

/** Counts a hit; true when the kernel is to stop. */
export function db_breakpoint_hit(b: Breakpoint): bool {
  b.count--;
  if (b.count > 0) return false;
  b.count = b.init_count;
  return true;
}

/** Patches all breakpoints in; that at `except` stays out, to be stepped over. */
export function db_set_breakpoints(except: usize): void {
  for (let i: u32 = 0; i < MAX_BREAKPOINTS; i++) {
    const b = breakpoint_at(i);
    if (b.address == 0 || b.address == except) continue;
    b.saved = db_get_value(b.address, 1, false);
    db_put_value(b.address, 1, BKPT_INST);
  }
}

/** Puts the original bytes back. */
export function db_clear_breakpoints(): void {
  for (let i: u32 = 0; i < MAX_BREAKPOINTS; i++) {
    const b = breakpoint_at(i);
    if (b.address != 0 && u32(db_get_value(b.address, 1, false)) == BKPT_INST && b.saved != 0) {
      db_put_value(b.address, 1, b.saved);
    }
    b.saved = 0;
  }
}

/** `break address[,count]`. */
export function db_break_cmd(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  if (count == -1) count = 1;
  if (changetype<usize>(db_find_breakpoint(addr)) != 0) {
    db_puts(cs("Already set.\n"));
    return;
  }
  const b = db_find_breakpoint(0);
  if (changetype<usize>(b) == 0) {
    db_puts(cs("Too many breakpoints.\n"));
    return;
  }
  db_get_value(addr, 1, false);
  b.address = addr;
  b.saved = 0;
  b.count = count;
  b.init_count = count;
}

/** `delete address`. */
export function db_delete_cmd(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  const b = addr != 0 ? db_find_breakpoint(addr) : changetype<Breakpoint>(0);
  if (changetype<usize>(b) == 0) {
    db_error(cs("Not set.\n"));
    return;
  }
  b.address = 0;
}

/** `show breaks`. */
export function db_list_breakpoints(): void {
  let any = false;
  for (let i: u32 = 0; i < MAX_BREAKPOINTS; i++) {
    const b = breakpoint_at(i);
    if (b.address == 0) continue;
    if (!any) db_puts(cs(" Map      Count    Address\n"));
    any = true;
    db_printf(cs("*%8s %5d    "), cs("kernel"), b.init_count);
    db_printsym(b.address, DB_STGY_PROC);
    db_puts(cs("\n"));
  }
  if (!any) db_puts(cs("No breakpoints set\n"));
}
