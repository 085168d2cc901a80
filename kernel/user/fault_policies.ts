// Fault policies side by side (vm/uvm_fault_policy.ts): an object of each policy
// goes through the same accesses, and every call to its pager and the page table
// entry after each step are printed.
//
// The pager is the client of a server that lets one writer or many readers have a
// page, as MNFS of the mail. It keeps what right it holds: I none, S to read, X to
// write. It takes X when it is told of a write, else S. A write that happens while
// the pager holds less than X is one that it was not told of: somewhere else there
// is a reader who will not see it.
//
// Recall to S: the server wants the data back, reading may go on. Recall to I: the
// page is gone from here.

import { frame_alloc, volatile } from "../i386/cpufunc";
import { PDP_BASE, PG_M, PG_RW, PG_U, PG_V, pdei, vtopte } from "../i386/pte";
import { copyin, copyout } from "../i386/support";
import { pmap_page_protect } from "../i386/pmap";
import { free, malloc } from "../kern_malloc";
import { curproc } from "../kern_proc";
import { bzero, strlen } from "../libkern";
import { printf, snprintf } from "../subr_prf";
import { M_TEMP, M_WAITOK } from "../sys/malloc";
import { PAGE_SIZE } from "../sys/param";
import { TAILQ_INIT } from "../sys/queue";
import {
  KERN_SUCCESS, PGO_LOCKED, UVM_ADV_NORMAL, UVM_FLAG_FIXED, UVM_INH_NONE, UVM_MAPFLAG, UVM_PROT_RW, VM_PAGER_FAIL,
  VM_PAGER_OK, VM_PAGER_UNLOCK, VM_PROT_ALL, VM_PROT_NONE, VM_PROT_READ, VM_PROT_WRITE,
} from "../../vm/uvm_extern";
import {
  Faultinfo, POLICY_FAULTINFO, POLICY_FAULTINFO_LITERAL, POLICY_MACH, POLICY_MKWRITE, POLICY_PAGELOCK, POLICY_UVM,
  uvm_policy_ops,
} from "../../vm/uvm_fault_policy";
import { uvm_map, uvm_unmap } from "../../vm/uvm_map";
import { UvmObject } from "../../vm/uvm_object";
import {
  NULL_PAGE, PG_BUSY, PG_CLEAN, PG_FAKE, PG_RDONLY, VmPage, uvm_pagealloc, uvm_pagefree, uvm_pagelookup, uvm_pagezero,
} from "../../vm/uvm_page";
import { uvmexp } from "../../vm/uvm_stat";
import { exit_program, run_program } from "./unistd";

/** Where the page is mapped. */
const PAGE_VA: usize = 0x20000000;
const NPOLICIES: u32 = 6;
const NSTEPS: u32 = 7;
const LOG_SIZE: u32 = 120;

// What the pager holds.
const MODE_I: u32 = 0;
const MODE_S: u32 = 1;
const MODE_X: u32 = 2;

/** The object: one page. */
@unmanaged class Shared extends UvmObject {
  mode: u32;
  /** Does the pager mark pages that it holds for reading only? */
  marks: u32;
}

/** The pager's calls since the step began, as text, and the table's cells. */
@unmanaged class Log {
  text: usize;
  length: u32;
  calls: u32;
  untold: u32;
  cells: usize;
}
const log = changetype<Log>(memory.data(offsetof<Log>(), 4));

function policy_name(policy: u32): usize {
  if (policy == POLICY_MACH) return cs("mach");
  if (policy == POLICY_FAULTINFO_LITERAL) return cs("faultinfo-literal");
  if (policy == POLICY_FAULTINFO) return cs("faultinfo");
  if (policy == POLICY_PAGELOCK) return cs("pagelock");
  if (policy == POLICY_MKWRITE) return cs("mkwrite");
  return cs("uvm");
}

/** The order of the table. */
function policy_at(row: u32): u32 {
  if (row == 0) return POLICY_MACH;
  if (row == 1) return POLICY_FAULTINFO_LITERAL;
  if (row == 2) return POLICY_FAULTINFO;
  if (row == 3) return POLICY_PAGELOCK;
  return row == 4 ? POLICY_UVM : POLICY_MKWRITE;
}

function step_name(step: u32): usize {
  if (step == 0) return cs("read");
  if (step == 1) return cs("write");
  if (step == 2) return cs("write again");
  if (step == 3) return cs("recall to S");
  if (step == 4) return cs("write");
  return step == 5 ? cs("recall to I") : cs("read");
}

function access_name(access: u32): usize {
  if ((access & VM_PROT_WRITE) != 0) return cs("w");
  return (access & VM_PROT_READ) != 0 ? cs("r") : cs("-");
}

/** Notes a call. */
function note(fmt: usize, a: usize, b: usize): void {
  log.calls++;
  if (log.length != 0) log.length += u32(snprintf(log.text + log.length, LOG_SIZE - log.length, cs(" ")));
  log.length += u32(snprintf(log.text + log.length, LOG_SIZE - log.length, fmt, a, b));
}

/** Asks the server for the right to an access. */
function obtain(obj: Shared, access: u32): void {
  const need = (access & VM_PROT_WRITE) != 0 ? MODE_X : MODE_S;
  if (obj.mode < need) obj.mode = need;
}

/** Marks the page as the right that is held wants it. */
function mark(obj: Shared, pg: VmPage): void {
  if (obj.marks != 0 && obj.mode == MODE_S) pg.set_flags(PG_RDONLY);
  else pg.clear_flags(PG_RDONLY);
}

/** A page with the data of the server, BUSY. */
function fetch(obj: Shared, offset: u64): VmPage {
  const pg = uvm_pagealloc(obj, offset, 0, 0);
  if (pg == NULL_PAGE) return pg;
  uvm_pagezero(pg);
  pg.clear_flags(PG_FAKE | PG_CLEAN);
  return pg;
}

function shared_getpage(uobj: UvmObject, offset: u64, pagep: usize, fi: Faultinfo): i32 {
  const obj = changetype<Shared>(uobj);
  const told = changetype<usize>(fi) != 0;
  if (!told) note(cs("getpage"), 0, 0);
  else if (fi.faulting_vaddr == 0) note(cs("getpage(%s)"), access_name(fi.faulting_protections), 0);
  else note(cs("getpage(%x,%s)"), fi.faulting_vaddr, access_name(fi.faulting_protections));
  obtain(obj, told ? fi.faulting_protections : VM_PROT_READ);
  if (load<usize>(pagep) == 0) store<usize>(pagep, changetype<usize>(fetch(obj, offset)));
  if (load<usize>(pagep) == 0) return VM_PAGER_FAIL;
  mark(obj, changetype<VmPage>(load<usize>(pagep)));
  if (told && obj.mode != MODE_X) fi.allow = VM_PROT_ALL & ~VM_PROT_WRITE;
  return VM_PAGER_OK;
}

function shared_unlock(uobj: UvmObject, offset: u64, pg: VmPage, access: u32): i32 {
  note(cs("unlock(%s)"), access_name(access), 0);
  obtain(changetype<Shared>(uobj), access);
  mark(changetype<Shared>(uobj), pg);
  return VM_PAGER_OK;
}

function shared_mkwrite(uobj: UvmObject, offset: u64, pg: VmPage): i32 {
  note(cs("mkwrite"), 0, 0);
  obtain(changetype<Shared>(uobj), VM_PROT_WRITE);
  return VM_PAGER_OK;
}

/** pgo_get, for the policy uvm. One page: nobody asks for neighbours. */
function shared_get(uobj: UvmObject, offset: u64, pps: usize, npagesp: usize, centeridx: i32, access: u32, advice: u32,
  flags: u32): i32 {
  const obj = changetype<Shared>(uobj);
  let pg = uvm_pagelookup(uobj, offset);
  if ((flags & PGO_LOCKED) != 0) {
    note(cs("get(locked,%s)"), access_name(access), 0);
    const there = pg != NULL_PAGE && (pg.flags & PG_BUSY) == 0;
    const allowed = there && ((access & VM_PROT_WRITE) == 0 || (pg.flags & PG_RDONLY) == 0);
    store<i32>(npagesp, allowed ? 1 : 0);
    if (!allowed) return VM_PAGER_UNLOCK;
  } else {
    note(cs("get(%s)"), access_name(access), 0);
    obtain(obj, access);
    if (pg == NULL_PAGE) pg = fetch(obj, offset);
    if (pg == NULL_PAGE) return VM_PAGER_FAIL;
    mark(obj, pg);
  }
  pg.set_flags(PG_BUSY);
  store<usize>(pps, changetype<usize>(pg));
  return VM_PAGER_OK;
}

function shared_reference(uobj: UvmObject): void {
  uobj.uo_refs++;
}

function shared_detach(uobj: UvmObject): void {
  uobj.uo_refs--;
  if (uobj.uo_refs != 0) return;
  const pg = uvm_pagelookup(uobj, 0);
  if (pg == NULL_PAGE) return;
  pmap_page_protect(pg, VM_PROT_NONE);
  uvm_pagefree(pg);
}

/** The server takes its right back, all but `mode`. */
function recall(obj: Shared, mode: u32): void {
  const pg = uvm_pagelookup(obj, 0);
  obj.mode = mode;
  if (pg == NULL_PAGE) return;
  pmap_page_protect(pg, mode == MODE_S ? VM_PROT_READ : VM_PROT_NONE);
  if (mode == MODE_S) mark(obj, pg);
  else uvm_pagefree(pg);
}

/** The page table entry as text: right, used, modified; "----" when there is none. */
function pte_text(buf: usize): void {
  const there = (volatile.load32(PDP_BASE + pdei(PAGE_VA) * 4) & PG_V) != 0;
  const pte: u32 = there ? volatile.load32(vtopte(PAGE_VA)) : 0;
  if ((pte & PG_V) == 0) {
    snprintf(buf, 8, cs("----"));
    return;
  }
  snprintf(buf, 8, cs("r%s%s%s"), (pte & PG_RW) != 0 ? cs("w") : cs("-"), (pte & PG_U) != 0 ? cs("u") : cs("-"),
    (pte & PG_M) != 0 ? cs("m") : cs("-"));
}

function mode_name(mode: u32): usize {
  if (mode == MODE_X) return cs("X");
  return mode == MODE_S ? cs("S") : cs("I");
}

/** One step. A write that the pager was not told of is counted. Returns an errno. */
function make_step(obj: Shared, step: u32): i32 {
  const word = frame_alloc(4);
  store<u32>(word, step);
  if (step == 3 || step == 5) {
    recall(obj, step == 3 ? MODE_S : MODE_I);
    return 0;
  }
  if (step == 0 || step == 6) return copyin(PAGE_VA, word, 4);
  const error = copyout(word, PAGE_VA, 4);
  if (obj.mode != MODE_X) log.untold++;
  return error;
}

/** The steps of one policy; `row` of the table. */
function run_steps(obj: Shared, row: u32): i32 {
  const pte = frame_alloc(8);
  let calls: u32 = 0;
  log.untold = 0;
  for (let step: u32 = 0; step < NSTEPS; step++) {
    const faults = uvmexp.faults;
    const untold = log.untold;
    log.length = 0;
    log.calls = 0;
    store<u8>(log.text, 0);
    const error = make_step(obj, step);
    if (error != 0) return error;
    pte_text(pte);
    calls += log.calls;
    snprintf(log.cells + (row * NSTEPS + step) * 8, 8, cs("%s%s"), pte, log.untold != untold ? cs("!") : cs(""));
    printf(cs("%-18s %-12s %d  %-4s %s  %s\n"), policy_name(policy_at(row)), step_name(step), uvmexp.faults - faults,
      pte, mode_name(obj.mode), strlen(log.text) != 0 ? log.text : cs("-"));
  }
  store<u32>(log.cells + NPOLICIES * NSTEPS * 8 + row * 8, calls);
  store<u32>(log.cells + NPOLICIES * NSTEPS * 8 + row * 8 + 4, log.untold);
  return 0;
}

/** Maps an object of the policy and goes through the steps. */
function run_policy(row: u32): i32 {
  const policy = policy_at(row);
  const ops = uvm_policy_ops(policy);
  ops.set_reference(shared_reference);
  ops.set_detach(shared_detach);
  ops.set_get(shared_get);
  ops.set_getpage(shared_getpage);
  ops.set_unlock(shared_unlock);
  ops.set_mkwrite(shared_mkwrite);
  const obj = changetype<Shared>(malloc(offsetof<Shared>(), M_TEMP, M_WAITOK));
  bzero(changetype<usize>(obj), offsetof<Shared>());
  obj.pgops = ops;
  obj.uo_refs = 1;
  obj.marks = u32(policy == POLICY_PAGELOCK || policy == POLICY_UVM);
  TAILQ_INIT(obj.memq);
  const map = curproc().p_vmspace.vm_map;
  const vap = frame_alloc(4);
  store<usize>(vap, PAGE_VA);
  const flags = UVM_MAPFLAG(UVM_PROT_RW, VM_PROT_ALL, UVM_INH_NONE, UVM_ADV_NORMAL, UVM_FLAG_FIXED);
  const rv = uvm_map(map, vap, PAGE_SIZE, obj, 0, flags);
  const error = rv == KERN_SUCCESS ? run_steps(obj, row) : rv;
  if (rv == KERN_SUCCESS) uvm_unmap(map, PAGE_VA, PAGE_VA + PAGE_SIZE);
  free(changetype<usize>(obj), M_TEMP);
  return error;
}

function print_table(): void {
  printf(cs("\n%-18s %-5s %-5s %-6s %-7s %-5s %-7s %-5s %s  %s\n"), cs("policy"), cs("read"), cs("write"), cs("again"),
    cs("recall"), cs("write"), cs("recall"), cs("read"), cs("calls"), cs("untold"));
  for (let row: u32 = 0; row < NPOLICIES; row++) {
    const at = log.cells + row * NSTEPS * 8;
    printf(cs("%-18s %-5s %-5s %-6s %-7s "), policy_name(policy_at(row)), at, at + 8, at + 16, at + 24);
    const sums = log.cells + NPOLICIES * NSTEPS * 8 + row * 8;
    printf(cs("%-5s %-7s %-5s %5d  %6d\n"), at + 32, at + 40, at + 48, load<u32>(sums), load<u32>(sums, 4));
  }
}

function policies_main(arg: usize): void {
  let error: i32 = 0;
  log.text = malloc(LOG_SIZE, M_TEMP, M_WAITOK);
  log.cells = malloc(NPOLICIES * (NSTEPS + 1) * 8, M_TEMP, M_WAITOK);
  printf(cs("%-18s %-12s f  pte  r  calls of the pager\n"), cs("policy"), cs("step"));
  for (let row: u32 = 0; row < NPOLICIES && error == 0; row++) error = run_policy(row);
  if (error == 0) print_table();
  free(log.cells, M_TEMP);
  free(log.text, M_TEMP);
  exit_program(error);
}

/** init of the workload `fault-policies`. Returns 0 or an errno. */
export function fault_policies(): i32 {
  return run_program(cs("policies"), policies_main.index, 0);
}
