// The show commands and ps. Those of machine-independent structures print
// through the routines of the subsystem that owns the structure (uvm_map_printit
// and so on); here is only the way from the command line to them.

import { Buf } from "../../fs/buf";
import { vfs_buf_print, vfs_vnode_print } from "../../fs/vfs_subr";
import { Vnode } from "../../fs/vnode";
import { uvm_check } from "../../vm/uvm_check";
import { uvm_map_printit, uvm_object_printit, uvm_page_printit } from "../../vm/uvm_ddb";
import { VmMap } from "../../vm/uvm_map_h";
import { UvmObject } from "../../vm/uvm_object";
import { VmPage } from "../../vm/uvm_page";
import { uvmexp_print } from "../../vm/uvm_stat";
import { allproc_first, curproc, proc_next } from "../kern_proc";
import { strchr } from "../libkern";
import { Pool, pool_printit } from "../subr_pool";
import { p_comm } from "../sys/proc";
import { db_disasm } from "./db_disasm";
import { db_list_breakpoints } from "./db_break";
import { db_print_position, db_printf, db_puts } from "./db_output";
import { DB_STGY_PROC, db_has_symbol, db_printsym, db_search_symbol, db_symbol_name, db_symbol_value } from "./db_sym";
import { REGISTER_COUNT, db_register_address, db_register_name, ddb_regs } from "./db_variables";

function has_modifier(modif: usize, letter: u32): bool {
  return strchr(modif, letter) != 0;
}

/** printf of the debugger as a function value: ten words, no defaults. */
export function db_pr(
  fmt: usize, a0: u32, a1: u32, a2: u32, a3: u32, a4: u32, a5: u32, a6: u32, a7: u32, a8: u32, a9: u32,
): void {
  db_printf(fmt, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9);
}

/** Prints where the processor is: symbol, colon, tab, instruction. */
export function db_print_loc_and_inst(loc: usize): void {
  db_printsym(loc, DB_STGY_PROC);
  db_puts(cs(":\t"));
  db_disasm(loc, false);
}

export function db_show_registers(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  for (let i: u32 = 0; i < REGISTER_COUNT; i++) {
    const value = load<u32>(db_register_address(i));
    db_printf(cs("%-12s%#10x"), db_register_name(i), value);
    if (db_has_symbol(value)) {
      const symbol = db_search_symbol(value, 0);
      db_printf(cs("\t%s"), db_symbol_name(symbol));
      const offset = value - db_symbol_value(symbol);
      if (offset != 0) db_printf(cs("+0x%x"), offset);
    }
    db_printf(cs("\n"));
  }
  db_print_loc_and_inst(ddb_regs.tf_eip);
}

export function db_show_breaks(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  db_list_breakpoints();
}

export function db_show_map(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  uvm_map_printit(changetype<VmMap>(addr), has_modifier(modif, 102), db_pr.index);
}

export function db_show_object(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  uvm_object_printit(changetype<UvmObject>(addr), has_modifier(modif, 102), db_pr.index);
}

export function db_show_page(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  uvm_page_printit(changetype<VmPage>(addr), has_modifier(modif, 102), db_pr.index);
}

/** /p lists the pages and shows items whose magic is not that of a free item, /l the log of gets and puts. */
export function db_show_pool(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  pool_printit(changetype<Pool>(addr), modif, db_pr.index);
}

/** Of 2001: what `call uvm_dump` printed before. */
export function db_show_uvmexp(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  uvmexp_print(db_pr.index);
}

/** An extension: the laws of virtual memory, and what violates them. */
export function db_show_uvmcheck(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  const violations = uvm_check(db_pr.index);
  db_printf(cs("%d violations\n"), violations);
}

/** Of 2000 (November): a buffer header. */
export function db_show_buf(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  vfs_buf_print(changetype<Buf>(addr), has_modifier(modif, 102), db_pr.index);
}

/** Of 2000 (November): a vnode. */
export function db_show_vnode(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  vfs_vnode_print(changetype<Vnode>(addr), has_modifier(modif, 102), db_pr.index);
}

function print_ps_header(mode: u32): void {
  if (mode == 97) db_printf(cs(" PID       %10s %18s %18s %18s\n"), cs("COMMAND"), cs("STRUCT PROC *"), cs("UAREA *"),
    cs("VMSPACE/VM_MAP"));
  else if (mode == 119) {
    db_printf(cs(" PID       %10s %8s %4s %9s %9s %-8s %s\n"), cs("COMMAND"), cs("EMUL"), cs("PRI"), cs("UTIME"),
      cs("STIME"), cs("WAIT-MSG"), cs("WAIT-CHANNEL"));
  } else {
    db_printf(cs(" PID       %10s %10s %10s S %7s %16s %7s\n"), cs("PPID"), cs("PGRP"), cs("UID"), cs("FLAGS"),
      cs("COMMAND"), cs("WAIT"));
  }
}

/** ps: /n (default) family and state, /a addresses, /w what processes wait for. */
export function db_show_all_procs(addr: usize, have_addr: bool, count: i32, modif: usize): void {
  let mode: u32 = load<u8>(modif);
  if (mode == 0) mode = 110;
  if (mode == 109 || (mode != 97 && mode != 110 && mode != 119)) {
    db_puts(cs("usage: show all procs [/a] [/n] [/w]\n\t/a == show process address info\n\t/n == show normal process info [default]\n\t/w == show process wait/emul info\n"));
    return;
  }
  print_ps_header(mode);
  let p = allproc_first();
  while (changetype<usize>(p) != 0) {
    db_printf(cs("%c%-10d"), changetype<usize>(p) == changetype<usize>(curproc()) ? 62 : 32, p.p_pid);
    if (mode == 97) {
      db_printf(cs("%10s %18p %18p %18p\n"), p_comm(p), changetype<usize>(p), p.p_addr, changetype<usize>(p.p_vmspace));
    } else if (mode == 119) {
      db_printf(cs("%10s %8s %4d %9d %9d %-8s "), p_comm(p), cs("netbsd"), p.p_priority, p.p_uticks, p.p_sticks,
        p.p_wchan != 0 ? p.p_wmesg : cs(""));
      if (p.p_wchan != 0) db_printsym(p.p_wchan, 0);
      db_printf(cs("\n"));
    } else {
      const parent = changetype<usize>(p.p_pptr) != 0 ? p.p_pptr.p_pid : -1;
      db_printf(cs("%10d %10d %10d %d %#7x %16s %7.7s\n"), parent, p.p_pgid, p.p_uid, p.p_stat, p.p_flag, p_comm(p),
        p.p_wchan != 0 ? p.p_wmesg : cs(""));
    }
    p = proc_next(p);
  }
}
