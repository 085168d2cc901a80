// policy(4): a page of memory under each fault policy (vm/uvm_fault_policy.ts), to be
// mapped by programs, with a log of what the page's pager is told.
//
// The pager stands for the client of a server that lets one writer or many readers have
// a page, as the MNFS of the mail of 1994. It keeps what right it holds: I none, S to
// read, X to write. It takes X when it is told of a write, else S. The server, played by
// ioctl(2), takes rights back: a recall to S wants the data, reading may go on; a recall
// to I wants the page.
//
// The page is wired while it is here, so the pagedaemon leaves it alone. It goes with
// the last mapping.

import { frame_alloc, volatile } from "../i386/cpufunc";
import { pmap_page_protect } from "../i386/pmap";
import { PDP_BASE, PG_V, pdei, vtopte } from "../i386/pte";
import { POLICY_CDEV, cdevsw } from "../conf";
import { strlcpy } from "../libkern";
import { EBUSY, EINVAL, ENODEV, ENOTTY, ENXIO } from "../sys/errno";
import { PAGE_MASK, PAGE_SIZE, VM_MAXUSER_ADDRESS, minor } from "../sys/param";
import {
  CALL_GET, CALL_GETPAGE, CALL_GET_LOCKED, CALL_MKWRITE, CALL_UNLOCK, MODE_I, MODE_S, MODE_X, POLICYIOCGLOG,
  POLICYIOCGNAME, POLICYIOCRECALL, POLICY_CALLS, POLICY_UNITS, Policycall, Policylog, SIZEOF_POLICYLOG, policy_call,
} from "../sys/policyio";
import { Proc } from "../sys/proc";
import { TAILQ_INIT } from "../sys/queue";
import { Uio } from "../sys/uio";
import { udv_register_object } from "../../vm/uvm_device";
import {
  PGO_LOCKED, VM_PAGER_AGAIN, VM_PAGER_OK, VM_PAGER_UNLOCK, VM_PROT_ALL, VM_PROT_NONE, VM_PROT_READ, VM_PROT_WRITE,
} from "../../vm/uvm_extern";
import {
  Faultinfo, POLICY_FAULTINFO, POLICY_FAULTINFO_LITERAL, POLICY_MACH, POLICY_MKWRITE, POLICY_PAGELOCK, POLICY_UVM,
  uvm_policy_ops,
} from "../../vm/uvm_fault_policy";
import { UvmObject } from "../../vm/uvm_object";
import {
  NULL_PAGE, PG_BUSY, PG_CLEAN, PG_FAKE, PG_RDONLY, VmPage, uvm_pagealloc, uvm_pagefree, uvm_pagelookup, uvm_pagewire,
  uvm_pagezero,
} from "../../vm/uvm_page";

/** The object of a unit: one page. */
@unmanaged
class Shared extends UvmObject {
  mode: u32;
  /** Does the pager mark pages that it holds for reading only? */
  marks: u32;
  /** Calls since the log was read, with room for POLICY_CALLS of them. */
  log: Policylog;
}

const SHARED_SIZE: u32 = 64;
const shared_store: usize = memory.data(64 * 6, 8);
const log_store: usize = memory.data(112 * 6, 4);

function shared_unit(unit: u32): Shared {
  return changetype<Shared>(shared_store + usize(unit) * SHARED_SIZE);
}

/** The policy of a unit. */
function policy_of(unit: u32): u32 {
  if (unit == 0) return POLICY_MACH;
  if (unit == 1) return POLICY_FAULTINFO_LITERAL;
  if (unit == 2) return POLICY_FAULTINFO;
  if (unit == 3) return POLICY_PAGELOCK;
  return unit == 4 ? POLICY_UVM : POLICY_MKWRITE;
}

function policy_name(unit: u32): usize {
  if (unit == 0) return cs("mach");
  if (unit == 1) return cs("faultinfo-literal");
  if (unit == 2) return cs("faultinfo");
  if (unit == 3) return cs("pagelock");
  return unit == 4 ? cs("uvm") : cs("mkwrite");
}

/** Notes a call; those for which there is no room are counted. */
function note(obj: Shared, call: u32, vaddr: usize, access: u32): void {
  const n = obj.log.pl_ncalls++;
  if (n >= POLICY_CALLS) return;
  const noted = policy_call(obj.log, n);
  noted.pc_call = call;
  noted.pc_vaddr = vaddr;
  noted.pc_access = access;
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

/** The page with the data of the server, BUSY; NULL when memory is short. */
function fetch(obj: Shared, offset: u64): VmPage {
  const pg = uvm_pagealloc(obj, offset, 0, 0);
  if (pg == NULL_PAGE) return pg;
  uvm_pagewire(pg);
  uvm_pagezero(pg);
  pg.clear_flags(PG_FAKE | PG_CLEAN);
  return pg;
}

function shared_getpage(uobj: UvmObject, offset: u64, pagep: usize, fi: Faultinfo): i32 {
  const obj = changetype<Shared>(uobj);
  const told = changetype<usize>(fi) != 0;
  note(obj, CALL_GETPAGE, told ? fi.faulting_vaddr : 0, told ? fi.faulting_protections : 0);
  if (load<usize>(pagep) == 0) store<usize>(pagep, changetype<usize>(fetch(obj, offset)));
  if (load<usize>(pagep) == 0) return VM_PAGER_AGAIN;
  obtain(obj, told ? fi.faulting_protections : VM_PROT_READ);
  mark(obj, changetype<VmPage>(load<usize>(pagep)));
  if (told && obj.mode != MODE_X) fi.allow = VM_PROT_ALL & ~VM_PROT_WRITE;
  return VM_PAGER_OK;
}

function shared_unlock(uobj: UvmObject, offset: u64, pg: VmPage, access: u32): i32 {
  const obj = changetype<Shared>(uobj);
  note(obj, CALL_UNLOCK, 0, access);
  obtain(obj, access);
  mark(obj, pg);
  return VM_PAGER_OK;
}

function shared_mkwrite(uobj: UvmObject, offset: u64, pg: VmPage): i32 {
  note(changetype<Shared>(uobj), CALL_MKWRITE, 0, 0);
  obtain(changetype<Shared>(uobj), VM_PROT_WRITE);
  return VM_PAGER_OK;
}

/** pgo_get, for the policy uvm. One page: nobody asks for neighbours. */
function shared_get(uobj: UvmObject, offset: u64, pps: usize, npagesp: usize, centeridx: i32, access: u32, advice: u32,
  flags: u32): i32 {
  const obj = changetype<Shared>(uobj);
  let pg = uvm_pagelookup(uobj, offset);
  const busy = pg != NULL_PAGE && (pg.flags & PG_BUSY) != 0;
  if ((flags & PGO_LOCKED) != 0) {
    note(obj, CALL_GET_LOCKED, 0, access);
    const allowed = pg != NULL_PAGE && !busy && ((access & VM_PROT_WRITE) == 0 || (pg.flags & PG_RDONLY) == 0);
    store<i32>(npagesp, allowed ? 1 : 0);
    if (!allowed) return VM_PAGER_UNLOCK;
  } else {
    note(obj, CALL_GET, 0, access);
    if (busy) return VM_PAGER_AGAIN;
    if (pg == NULL_PAGE) pg = fetch(obj, offset);
    if (pg == NULL_PAGE) return VM_PAGER_AGAIN;
    obtain(obj, access);
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
  if (uobj.uo_refs == 0) recall(changetype<Shared>(uobj), MODE_I);
}

/** The server takes its right back, all but `mode`. EBUSY while the page is in use or somebody else has wired it. */
function recall(obj: Shared, mode: u32): i32 {
  const pg = uvm_pagelookup(obj, 0);
  if (pg != NULL_PAGE && ((pg.flags & PG_BUSY) != 0 || pg.wire_count > 1)) return EBUSY;
  if (obj.mode > mode) obj.mode = mode;
  if (pg == NULL_PAGE) return 0;
  pmap_page_protect(pg, mode == MODE_S ? VM_PROT_READ : VM_PROT_NONE);
  if (mode == MODE_S) mark(obj, pg);
  else uvm_pagefree(pg);
  return 0;
}

/** The page table entry of the current process at `va`, without the address; 0 when there is none. */
function pte_at(va: usize): u32 {
  if (va >= VM_MAXUSER_ADDRESS || (volatile.load32(PDP_BASE + pdei(va) * 4) & PG_V) == 0) return 0;
  const pte = volatile.load32(vtopte(va));
  return (pte & PG_V) != 0 ? pte & PAGE_MASK : 0;
}

function policyopen(dev: u32, flags: u32, p: Proc): i32 {
  return minor(dev) < POLICY_UNITS ? 0 : ENXIO;
}

function policyclose(dev: u32, flags: u32, p: Proc): i32 {
  return 0;
}

/** The page is there to be mapped. */
function policyrw(dev: u32, uio: Uio, ioflag: u32): i32 {
  return ENODEV;
}

function policypoll(dev: u32, events: u32, p: Proc): i32 {
  return i32(events);
}

function policyioctl(dev: u32, command: u32, data: usize, flags: u32, p: Proc): i32 {
  const obj = shared_unit(minor(dev));
  if (command == POLICYIOCGNAME) {
    strlcpy(data, policy_name(minor(dev)), 32);
    return 0;
  }
  if (command == POLICYIOCRECALL) return load<u32>(data) < MODE_X ? recall(obj, load<u32>(data)) : EINVAL;
  if (command != POLICYIOCGLOG) return ENOTTY;
  const va = changetype<Policylog>(data).pl_vaddr;
  memory.copy(data, changetype<usize>(obj.log), SIZEOF_POLICYLOG);
  const log = changetype<Policylog>(data);
  log.pl_vaddr = va;
  log.pl_pte = pte_at(va);
  log.pl_mode = obj.mode;
  memory.fill(changetype<usize>(obj.log), 0, SIZEOF_POLICYLOG);
  return 0;
}

/** The object that mmap(2) maps, referenced; NULL for more than the page. */
function policy_object(dev: u32, prot: u32, off: u64, size: usize): UvmObject {
  if (off != 0 || size != PAGE_SIZE) return changetype<UvmObject>(0);
  const obj = shared_unit(minor(dev));
  obj.uo_refs++;
  return obj;
}

function unit_attach(unit: u32): void {
  const policy = policy_of(unit);
  const ops = uvm_policy_ops(policy);
  ops.set_reference(shared_reference);
  ops.set_detach(shared_detach);
  ops.set_get(shared_get);
  ops.set_getpage(shared_getpage);
  ops.set_unlock(shared_unlock);
  ops.set_mkwrite(shared_mkwrite);
  const obj = shared_unit(unit);
  obj.pgops = ops;
  obj.marks = u32(policy == POLICY_PAGELOCK || policy == POLICY_UVM);
  obj.log = changetype<Policylog>(log_store + usize(unit) * SIZEOF_POLICYLOG);
  TAILQ_INIT(obj.memq);
}

/** Makes the devices known. */
export function policyattach(): void {
  assert(offsetof<Shared>() <= SHARED_SIZE);
  assert(offsetof<Policylog>() + POLICY_CALLS * offsetof<Policycall>() == SIZEOF_POLICYLOG);
  for (let unit: u32 = 0; unit < POLICY_UNITS; unit++) unit_attach(unit);
  udv_register_object(POLICY_CDEV, policy_object.index);
  const sw = cdevsw(POLICY_CDEV);
  sw.set_open(policyopen);
  sw.set_close(policyclose);
  sw.set_read(policyrw);
  sw.set_write(policyrw);
  sw.set_ioctl(policyioctl);
  sw.set_poll(policypoll);
}
