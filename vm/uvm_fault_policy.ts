// Fault policies: what a pager is told of a fault on a page of its object, and
// what the answer is good for.
//
// A mail of June 1994 ("vm_fault doesn't consult underlying VFS") asks for two
// things: the faulting address and access for the pager, and a call to it even
// when the page is resident. Six systems have answered in different ways. All of
// the answers are here, side by side, one per object:
//
//   policy              pager is called                   the mapping allows
//   mach                for missing pages                 what the map entry allows
//   faultinfo-literal   on every fault, with faultinfo    what the map entry allows
//   faultinfo           on every fault, with faultinfo    what the pager returned
//   pagelock            for missing pages; unlock, when   all but the page's lock
//                       the page's lock forbids the access
//   uvm                 on every fault, by pgo_get        reading only, if PG_RDONLY
//   mkwrite             for missing pages; mkwrite,       writing, if this fault
//                       before a page becomes writable    is a write
//
// `mach` is 4.4BSD, `pagelock` Mach 2.5, `mkwrite` Linux, `faultinfo` SunOS with
// the mail's structure, `faultinfo-literal` the mail to the letter: it does not
// say that the pager returns a protection, and so nothing comes of the calls.
//
// `uvm` is what uvm_fault does for any object. The others belong to objects whose
// pgops is a table from uvm_policy_ops. An object that uvm_fault cannot trust
// (destroyed, its pgops a stray word) must not be asked for its policy through
// that word, so the question is whether pgops lies among these tables.
//
// uvm_fault takes two steps here as it does with pgo_get: uvm_policy_locked does
// not sleep and serves what needs no call; uvm_policy_get makes the call, with
// nothing locked, and gives the page BUSY.
import { bss, frame_alloc } from "../kernel/i386/cpufunc";
import { tsleep, wakeup } from "../kernel/kern_synch";
import { panic } from "../kernel/subr_prf";
import { PVM } from "../kernel/sys/param";
import { VM_PAGER_OK, VM_PROT_ALL, VM_PROT_WRITE } from "./uvm_extern";
import { PagerOps, UvmObject } from "./uvm_object";
import { NULL_PAGE, PG_BUSY, PG_RDONLY, PG_RELEASED, PG_WANTED, VmPage, uvm_pagelookup } from "./uvm_page";

export const POLICY_UVM: u32 = 0;
export const POLICY_MACH: u32 = 1;
export const POLICY_FAULTINFO_LITERAL: u32 = 2;
export const POLICY_FAULTINFO: u32 = 3;
export const POLICY_PAGELOCK: u32 = 4;
export const POLICY_MKWRITE: u32 = 5;

/** The structure of the mail, and the answer. */
@unmanaged
export class Faultinfo {
  /** The address that faulted; 0 where the policy does not tell it. */
  faulting_vaddr: usize;
  /** The access that was tried: VM_PROT_*. */
  faulting_protections: u32;
  /** From the pager: what the mapping may allow. */
  allow: u32;
}

/** Operations of a pager with a policy: getpage, unlock and mkwrite stand in for pgo_get. */
@unmanaged
export class PolicyOps extends PagerOps {
  policy: u32;
  getpage: u32;
  unlock: u32;
  mkwrite: u32;

  /**
   * Brings a page. `pagep` holds the resident page, BUSY, or 0; on success it holds the page, BUSY. `fi` is
   * NULL when the policy tells nothing. May sleep. => VM_PAGER_*
   */
  @inline pgo_getpage(uobj: UvmObject, offset: u64, pagep: usize, fi: Faultinfo): i32 {
    return call_indirect<i32>(this.getpage, uobj, offset, pagep, fi);
  }

  /** pagelock: clears the lock (PG_RDONLY) of a BUSY page for the access, or refuses. May sleep. => VM_PAGER_* */
  @inline pgo_unlock(uobj: UvmObject, offset: u64, pg: VmPage, access: u32): i32 {
    return call_indirect<i32>(this.unlock, uobj, offset, pg, access);
  }

  /** mkwrite: a BUSY page is about to become writable. May sleep. => VM_PAGER_* */
  @inline pgo_mkwrite(uobj: UvmObject, offset: u64, pg: VmPage): i32 {
    return call_indirect<i32>(this.mkwrite, uobj, offset, pg);
  }

  @inline set_getpage(f: (uobj: UvmObject, offset: u64, pagep: usize, fi: Faultinfo) => i32): void {
    this.getpage = f.index;
  }

  @inline set_unlock(f: (uobj: UvmObject, offset: u64, pg: VmPage, access: u32) => i32): void {
    this.unlock = f.index;
  }

  @inline set_mkwrite(f: (uobj: UvmObject, offset: u64, pg: VmPage) => i32): void {
    this.mkwrite = f.index;
  }
}

const MAX_TABLES: u32 = 15;

@unmanaged
class PolicyState {
  tables: u32;
}
const policy_state = changetype<PolicyState>(memory.data(offsetof<PolicyState>(), 4));

function policy_tables(): usize {
  return bss(1024, 4);
}

/** An empty table of operations for objects of `policy`. => never freed; panics when there are too many */
export function uvm_policy_ops(policy: u32): PolicyOps {
  if (policy_state.tables == MAX_TABLES) panic(cs("uvm_policy_ops: more than %d tables"), MAX_TABLES);
  const ops = changetype<PolicyOps>(policy_tables() + policy_state.tables * offsetof<PolicyOps>());
  policy_state.tables++;
  ops.policy = policy;
  return ops;
}

/** The object's policy; POLICY_UVM for all whose operations are not from uvm_policy_ops. */
export function uvm_object_policy(uobj: UvmObject): u32 {
  const at = changetype<usize>(uobj.pgops) - policy_tables();
  return at < policy_state.tables * offsetof<PolicyOps>() ? changetype<PolicyOps>(uobj.pgops).policy : POLICY_UVM;
}

/** What a mapping of the page may allow: PG_RDONLY is the pager's word for "reading, for now". */
export function uvm_page_allows(pg: VmPage): u32 {
  return (pg.flags & PG_RDONLY) != 0 ? VM_PROT_ALL & ~VM_PROT_WRITE : VM_PROT_ALL;
}

/**
 * The resident page, made BUSY, if the policy has nothing to ask for this access; else NULL. What the
 * mapping may allow goes to `allowp`. => does not sleep
 */
export function uvm_policy_locked(uobj: UvmObject, offset: u64, access: u32, allowp: usize): VmPage {
  const policy = changetype<PolicyOps>(uobj.pgops).policy;
  const writing = (access & VM_PROT_WRITE) != 0;
  const pg = uvm_pagelookup(uobj, offset);
  if (pg == NULL_PAGE || (pg.flags & (PG_BUSY | PG_RELEASED)) != 0) return NULL_PAGE;
  let allow = VM_PROT_ALL;
  if (policy == POLICY_FAULTINFO || policy == POLICY_FAULTINFO_LITERAL) return NULL_PAGE;
  if (policy == POLICY_PAGELOCK) {
    allow = uvm_page_allows(pg);
    if ((access & ~allow) != 0) return NULL_PAGE;
  } else if (policy == POLICY_MKWRITE) {
    if (writing) return NULL_PAGE;
    allow = VM_PROT_ALL & ~VM_PROT_WRITE;
  }
  pg.set_flags(PG_BUSY);
  store<u32>(allowp, allow);
  return pg;
}

/** Asks the pager as the policy says. `pagep` as for pgo_getpage. => VM_PAGER_* */
function policy_ask(uobj: UvmObject, offset: u64, pagep: usize, vaddr: usize, access: u32, allowp: usize): i32 {
  const ops = changetype<PolicyOps>(uobj.pgops);
  const policy = ops.policy;
  const missing = load<usize>(pagep) == 0;
  const fi = changetype<Faultinfo>(frame_alloc(offsetof<Faultinfo>()));
  fi.faulting_vaddr = policy == POLICY_PAGELOCK ? 0 : vaddr;
  fi.faulting_protections = access;
  fi.allow = VM_PROT_ALL;
  store<u32>(allowp, VM_PROT_ALL);
  let rv = VM_PAGER_OK;
  if (policy == POLICY_FAULTINFO || policy == POLICY_FAULTINFO_LITERAL) {
    rv = ops.pgo_getpage(uobj, offset, pagep, fi);
    if (policy == POLICY_FAULTINFO) store<u32>(allowp, fi.allow);
  } else if (policy == POLICY_PAGELOCK) {
    rv = missing ? ops.pgo_getpage(uobj, offset, pagep, fi)
      : ops.pgo_unlock(uobj, offset, changetype<VmPage>(load<usize>(pagep)), access);
    if (rv == VM_PAGER_OK) store<u32>(allowp, uvm_page_allows(changetype<VmPage>(load<usize>(pagep))));
  } else {
    if (missing) rv = ops.pgo_getpage(uobj, offset, pagep, changetype<Faultinfo>(0));
    if (policy == POLICY_MKWRITE) {
      if (rv == VM_PAGER_OK && (access & VM_PROT_WRITE) != 0) {
        rv = ops.pgo_mkwrite(uobj, offset, changetype<VmPage>(load<usize>(pagep)));
      } else store<u32>(allowp, VM_PROT_ALL & ~VM_PROT_WRITE);
    }
  }
  return rv;
}

/**
 * The page at `offset`, BUSY, to `pagep`, after asking the pager about an access at `vaddr`; what the mapping may
 * allow goes to `allowp`. => may sleep; nothing locked; VM_PAGER_*, no page left BUSY on failure
 */
export function uvm_policy_get(uobj: UvmObject, offset: u64, pagep: usize, vaddr: usize, access: u32,
  allowp: usize): i32 {
  let pg = uvm_pagelookup(uobj, offset);
  while (pg != NULL_PAGE && (pg.flags & (PG_BUSY | PG_RELEASED)) != 0) {
    pg.set_flags(PG_WANTED);
    tsleep(changetype<usize>(pg), PVM, cs("fltpolicy"), 0);
    pg = uvm_pagelookup(uobj, offset);
  }
  if (pg != NULL_PAGE) pg.set_flags(PG_BUSY);
  store<usize>(pagep, changetype<usize>(pg));
  const rv = policy_ask(uobj, offset, pagep, vaddr, access, allowp);
  pg = changetype<VmPage>(load<usize>(pagep));
  if (rv != VM_PAGER_OK && pg != NULL_PAGE) {
    if ((pg.flags & PG_WANTED) != 0) wakeup(changetype<usize>(pg));
    pg.clear_flags(PG_BUSY | PG_WANTED);
  }
  return rv;
}
