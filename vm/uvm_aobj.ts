// Anonymous memory objects.
//
// An aobj is memory without a file: pages that are zero when first asked for
// and stay until they are freed. There is no swap, so its pages are never
// reclaimed: every aobj is NOSWAP and the slot fields stay 0.
//
// uao_create returns an object with ONE reference, the creator's. Each map
// entry that shows the object owns a reference of its own; see uvm_map.ts for
// who must provide it. When the last one goes (uao_detach), pages that nobody
// has busy are freed at once, mapped or not, wired or not; the struct goes back
// to its pool with the last busy page.
//
// The struct has the historic layout of 52 bytes. The pool writes the links of
// its free list over the first words of a freed struct: magic, next, previous.
// So `pgops` of a dead aobj points to another free item.
//
// kernel_object is an aobj whose references are not counted.
import { pmap_page_protect } from "../kernel/i386/pmap";
import { tsleep } from "../kernel/kern_synch";
import { panic, printf } from "../kernel/subr_prf";
import { PR_WAITOK, Pool, pool_get, pool_init, pool_put } from "../kernel/subr_pool";
import { M_UVMAOBJ } from "../kernel/sys/malloc";
import { PAGE_SHIFT, PAGE_SIZE, PVM, round_page } from "../kernel/sys/param";
import { LIST_INIT, LIST_INSERT_HEAD, LIST_REMOVE, TAILQ_INIT } from "../kernel/sys/queue";
import {
  PGO_ALLPAGES, PGO_CLEANIT, PGO_DEACTIVATE, PGO_DONTCARE, PGO_FREE, PGO_LOCKED, VM_PAGER_FAIL, VM_PAGER_OK,
  VM_PAGER_UNLOCK, VM_PROT_NONE,
} from "./uvm_extern";
import { poolpage_alloc_nointr, poolpage_free_nointr } from "./uvm_km_page";
import { PagerOps, UVM_OBJ_IS_KERN_OBJECT, UVM_OBJ_KERN, UvmObject } from "./uvm_object";
import {
  NULL_PAGE, PG_BUSY, PG_CLEAN, PG_FAKE, PG_RELEASED, PG_WANTED, PQ_AOBJ, VmPage, page_queue_next, uvm_pagealloc,
  uvm_pagedeactivate, uvm_pagefree, uvm_pagelookup, uvm_pagezero,
} from "./uvm_page";
import { uvm_wait_anonymous } from "./uvm_pdaemon";

/** Flag of uao_create: make kernel_object. */
export const UAO_FLAG_KERNOBJ: u32 = 1;
/** Flags of an object: dies with its last busy page; has no swap. */
const UAO_FLAG_KILLME: u32 = 4;
const UAO_FLAG_NOSWAP: u32 = 8;

@unmanaged
export class UvmAobj extends UvmObject {
  u_pages: u32;
  u_flags: u32;
  u_swslots: usize;
  u_swhash: usize;
  u_swhashmask: u32;
  u_list_next: usize;
  u_list_prev: usize;
}

export const kernel_object_store = changetype<UvmAobj>(memory.data(offsetof<UvmAobj>(), 4));

export const uvm_aobj_pool = changetype<Pool>(memory.data(offsetof<Pool>(), 8));

export const aobj_pager = changetype<PagerOps>(memory.data(offsetof<PagerOps>(), 4));

/** LIST of all aobjs but the kernel's. */
export const uao_list: usize = memory.data(4, 4);

const U_LIST: usize = offsetof<UvmAobj>("u_list_next");

/** Fills the table of operations. => before the first uao_create */
export function uao_ops_init(): void {
  assert(offsetof<UvmAobj>() == 52);
  aobj_pager.set_init(uao_init);
  aobj_pager.set_reference(uao_reference);
  aobj_pager.set_detach(uao_detach);
  aobj_pager.set_flush(uao_flush);
  aobj_pager.set_get(uao_get);
  aobj_pager.set_releasepg(uao_releasepg);
}

/** Makes the pool. => kernel memory works */
export function uao_init(): void {
  LIST_INIT(uao_list);
  pool_init(uvm_aobj_pool, offsetof<UvmAobj>(), 0, 0, 0, cs("aobjpl"), 0, poolpage_alloc_nointr.index,
    poolpage_free_nointr.index, M_UVMAOBJ);
}

/**
 * A new object of `size` bytes with one reference, the caller's.
 * => may sleep; UAO_FLAG_KERNOBJ: kernel_object, once
 */
export function uao_create(size: usize, flags: u32): UvmObject {
  const kernel = (flags & UAO_FLAG_KERNOBJ) != 0;
  const aobj = kernel ? kernel_object_store : changetype<UvmAobj>(pool_get(uvm_aobj_pool, PR_WAITOK));
  aobj.vmobjlock = 0;
  aobj.pgops = aobj_pager;
  TAILQ_INIT(aobj.memq);
  aobj.uo_npages = 0;
  aobj.uo_refs = kernel ? UVM_OBJ_KERN : 1;
  aobj.u_pages = round_page(size) >> PAGE_SHIFT;
  aobj.u_flags = UAO_FLAG_NOSWAP;
  aobj.u_swslots = 0;
  aobj.u_swhash = 0;
  aobj.u_swhashmask = 0;
  if (!kernel) LIST_INSERT_HEAD(uao_list, changetype<usize>(aobj), U_LIST);
  return aobj;
}

/** Takes a reference. => kernel objects are not counted */
export function uao_reference(uobj: UvmObject): void {
  if (UVM_OBJ_IS_KERN_OBJECT(uobj)) return;
  uobj.uo_refs++;
}

/** Frees the struct. => no pages left, not listed */
function uao_free(aobj: UvmAobj): void {
  pool_put(uvm_aobj_pool, changetype<usize>(aobj));
}

/** Drops a reference; the last one frees pages and object. */
export function uao_detach(uobj: UvmObject): void {
  if (UVM_OBJ_IS_KERN_OBJECT(uobj)) return;
  uobj.uo_refs--;
  if (uobj.uo_refs != 0) return;
  const aobj = changetype<UvmAobj>(uobj);
  LIST_REMOVE(changetype<usize>(aobj), U_LIST);
  let busy = false;
  let pg = changetype<VmPage>(uobj.memq_first);
  while (changetype<usize>(pg) != 0) {
    const next = changetype<VmPage>(pg.listq_next);
    if ((pg.flags & PG_BUSY) != 0) {
      pg.set_flags(PG_RELEASED);
      busy = true;
    } else {
      pmap_page_protect(pg, VM_PROT_NONE);
      uvm_pagefree(pg);
    }
    pg = next;
  }
  if (busy) aobj.u_flags |= UAO_FLAG_KILLME;
  else uao_free(aobj);
}

/** Deactivates or frees one page of a flush. */
function flush_page(uobj: UvmObject, pg: VmPage, flags: u32): void {
  if (pg.wire_count != 0 || pg.loan_count != 0) return;
  if ((flags & (PGO_CLEANIT | PGO_DEACTIVATE)) != 0 || uobj.uo_refs > 1) {
    pmap_page_protect(pg, VM_PROT_NONE);
    uvm_pagedeactivate(pg);
    return;
  }
  if ((pg.flags & PG_BUSY) != 0) {
    pg.set_flags(PG_RELEASED);
    return;
  }
  pmap_page_protect(pg, VM_PROT_NONE);
  uvm_pagefree(pg);
}

/**
 * PGO_DEACTIVATE makes the pages of [start, stop) inactive; PGO_FREE frees
 * them, unless somebody else references the object or PGO_CLEANIT is set as
 * well: then they become inactive. PGO_ALLPAGES: the whole object. => true
 */
export function uao_flush(uobj: UvmObject, start: u64, stop: u64, flags: u32): bool {
  const size = u64(changetype<UvmAobj>(uobj).u_pages) << PAGE_SHIFT;
  if ((flags & PGO_ALLPAGES) != 0) {
    start = 0;
    stop = size;
  } else if (stop > size) {
    printf(cs("uao_flush: strange, got an out of range flush (fixed)\n"));
    stop = size;
  }
  if ((flags & (PGO_FREE | PGO_DEACTIVATE)) == 0) return true;
  while (start < stop) {
    const pg = uvm_pagelookup(uobj, start);
    if (changetype<usize>(pg) != 0) flush_page(uobj, pg, flags);
    start += PAGE_SIZE;
  }
  return true;
}

/** A page of an aobj that is not there yet: zero, BUSY. => NULL when memory is short */
function new_zero_page(uobj: UvmObject, offset: u64): VmPage {
  const pg = uvm_pagealloc(uobj, offset, 0, 0);
  if (changetype<usize>(pg) == 0) return pg;
  uvm_pagezero(pg);
  pg.clear_flags(PG_FAKE | PG_CLEAN);
  pg.set_pqflags(PQ_AOBJ);
  return pg;
}

/**
 * The pager's get; contract in uvm_object.ts. Fresh pages need no input, so a
 * PGO_LOCKED call makes them too, the neighbours included.
 * => offsets beyond the size are not refused
 * => VM_PAGER_FAIL when memory is short for good
 */
export function uao_get(uobj: UvmObject, offset: u64, pps: usize, npagesp: usize, centeridx: i32, access_type: u32,
  advice: u32, flags: u32): i32 {
  const maxpages = load<i32>(npagesp);
  if ((flags & PGO_LOCKED) != 0) return uao_get_locked(uobj, offset, pps, npagesp, maxpages, centeridx, flags);
  for (let i = 0; i < maxpages; i++) {
    if (load<usize>(pps + (i << 2)) != 0) continue;
    if (i != centeridx && (flags & PGO_ALLPAGES) == 0) continue;
    const pg = uao_get_page(uobj, offset + (u64(i) << PAGE_SHIFT));
    if (changetype<usize>(pg) == 0) return VM_PAGER_FAIL;
    store<usize>(pps + (i << 2), changetype<usize>(pg));
  }
  return VM_PAGER_OK;
}

function uao_get_locked(uobj: UvmObject, offset: u64, pps: usize, npagesp: usize, maxpages: i32, centeridx: i32,
  flags: u32): i32 {
  let done = true;
  let gotpages = 0;
  for (let i = 0; i < maxpages; i++) {
    if (load<usize>(pps + (i << 2)) == PGO_DONTCARE) continue;
    const wanted = i == centeridx || (flags & PGO_ALLPAGES) != 0;
    let pg = uvm_pagelookup(uobj, offset + (u64(i) << PAGE_SHIFT));
    if (changetype<usize>(pg) == 0) {
      pg = new_zero_page(uobj, offset + (u64(i) << PAGE_SHIFT));
    } else if ((pg.flags & (PG_BUSY | PG_RELEASED)) != 0) {
      pg = NULL_PAGE;
    }
    if (changetype<usize>(pg) == 0) {
      if (wanted) done = false;
      continue;
    }
    pg.set_flags(PG_BUSY);
    store<usize>(pps + (i << 2), changetype<usize>(pg));
    gotpages++;
  }
  store<i32>(npagesp, gotpages);
  return done ? VM_PAGER_OK : VM_PAGER_UNLOCK;
}

/** The page at `offset`, made BUSY; waits for it and for memory. => NULL when memory is short for good */
function uao_get_page(uobj: UvmObject, offset: u64): VmPage {
  for (;;) {
    let pg = uvm_pagelookup(uobj, offset);
    if (changetype<usize>(pg) == 0) {
      pg = new_zero_page(uobj, offset);
      if (changetype<usize>(pg) != 0) return pg;
      if (uvm_wait_anonymous(cs("uao_getpage")) != 0) return NULL_PAGE;
      continue;
    }
    if ((pg.flags & (PG_BUSY | PG_RELEASED)) == 0) {
      pg.set_flags(PG_BUSY);
      return pg;
    }
    pg.set_flags(PG_WANTED);
    tsleep(changetype<usize>(pg), PVM, cs("uao_get"), 0);
  }
  return NULL_PAGE;
}

/**
 * Frees a page that was RELEASED while busy; the next page of its queue goes to
 * `nextpgp` unless that is 0.
 * => false when the object died with it
 */
export function uao_releasepg(pg: VmPage, nextpgp: usize): bool {
  if ((pg.flags & PG_RELEASED) == 0) panic(cs("uao_releasepg: page not released!"));
  const aobj = changetype<UvmAobj>(pg.uobject);
  pmap_page_protect(pg, VM_PROT_NONE);
  if (nextpgp != 0) store<usize>(nextpgp, changetype<usize>(page_queue_next(pg)));
  uvm_pagefree(pg);
  if ((aobj.u_flags & UAO_FLAG_KILLME) == 0 || aobj.uo_npages != 0) return true;
  uao_free(aobj);
  return false;
}
