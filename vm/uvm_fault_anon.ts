// The upper layer's part of a fault (the picture is in uvm_fault.ts): case 1,
// pages of anons; the making of private pages for case 2B; and the last step of
// all cases.
//
// The results are KERN_* for the caller of uvm_fault, or FAULT_ANEW: something
// had to be waited for, everything is unlocked, look again.
import { PMAP_CANFAIL, PMAP_WIRED, pmap_enter, pmap_page_protect } from "../kernel/i386/pmap";
import { tsleep, wakeup } from "../kernel/kern_synch";
import { M_NOWAIT } from "../kernel/sys/malloc";
import { PAGE_SHIFT, PAGE_SIZE, PVM } from "../kernel/sys/param";
import { AMAP_SHARED, amap_add, amap_copy, amap_lookup, amap_of } from "./uvm_amap";
import { VmAnon, uvm_analloc_page } from "./uvm_anon";
import { KERN_RESOURCE_SHORTAGE, KERN_SUCCESS, VM_PROT_NONE, VM_PROT_WRITE } from "./uvm_extern";
import { UvmFaultinfo, uvmfault_lookup, uvmfault_unlockmaps } from "./uvm_fault_i";
import { VmMapEntry } from "./uvm_map_h";
import {
  NULL_PAGE, PG_BUSY, PG_CLEAN, PG_FAKE, PG_RELEASED, PG_WANTED, PQ_SWAPBACKED, VmPage, uvm_pageactivate,
  uvm_pagecopy, uvm_pagedeactivate, uvm_pagewire, uvm_pagezero,
} from "./uvm_page";
import { uvm_wait_anonymous } from "./uvm_pdaemon";
import { uvmexp } from "./uvm_stat";

/** The fault begins anew; nothing is locked. */
export const FAULT_ANEW: i32 = -1;

/** Clears what marks a page as being worked on, and wakes who waits for it. */
export function fault_unbusy(pg: VmPage): void {
  if ((pg.flags & PG_WANTED) != 0) wakeup(changetype<usize>(pg));
  pg.clear_flags(PG_BUSY | PG_FAKE | PG_WANTED);
}

/**
 * Gives the entry of the fault an amap of its own. => nothing locked before and after; may sleep
 * => false when there is no memory for one
 */
export function uvmfault_amapcopy(ufi: UvmFaultinfo): bool {
  for (;;) {
    if (!uvmfault_lookup(ufi, true)) return true;
    if (ufi.entry.isneedscopy) {
      amap_copy(ufi.map, ufi.entry, M_NOWAIT, true, ufi.orig_rvaddr, ufi.orig_rvaddr + PAGE_SIZE);
    }
    const done = !ufi.entry.isneedscopy;
    uvmfault_unlockmaps(ufi, true);
    if (done) {
      uvmexp.fltamcopy++;
      return true;
    }
    if (uvm_wait_anonymous(cs("fltamapcopy")) != 0) break;
  }
  return false;
}

/** Rights with which a page of an anon may be mapped: no writing while others have it, too. */
function anon_prot(anon: VmAnon, enter_prot: u32): u32 {
  return anon.an_ref > 1 ? enter_prot & ~VM_PROT_WRITE : enter_prot;
}

/** Maps a neighbour that the upper layer has, if its page is idle. */
export function enter_anon_neighbour(ufi: UvmFaultinfo, va: usize, anon: VmAnon, enter_prot: u32): void {
  const pg = anon.an_page;
  if (changetype<usize>(pg) == 0 || pg.loan_count != 0 || (pg.flags & (PG_RELEASED | PG_BUSY)) != 0) return;
  const flags = ufi.entry.wired_count != 0 ? PMAP_CANFAIL | PMAP_WIRED : PMAP_CANFAIL;
  uvm_pageactivate(pg);
  uvmexp.fltnamap++;
  pmap_enter(ufi.orig_map.pmap, va, pg.phys_addr, anon_prot(anon, enter_prot), flags);
}

/** Deactivates the pages of `count` anons from `offset` bytes into the entry on. */
export function deactivate_anons(entry: VmMapEntry, offset: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const anon = amap_lookup(entry, offset + (i << PAGE_SHIFT));
    if (changetype<usize>(anon) == 0) continue;
    const pg = anon.an_page;
    if (changetype<usize>(pg) == 0 || pg.loan_count != 0 || (pg.flags & PG_BUSY) != 0 || pg.wire_count != 0) continue;
    pmap_page_protect(pg, VM_PROT_NONE);
    uvm_pagedeactivate(pg);
  }
}

/**
 * The last step of a fault: `pg` into the pmap, wired or active, no longer BUSY;
 * unlocks. Waits when the pmap has no memory.
 * => KERN_SUCCESS, FAULT_ANEW, KERN_RESOURCE_SHORTAGE
 */
export function fault_enter(ufi: UvmFaultinfo, pg: VmPage, enter_prot: u32, access: u32, wired: bool,
  wiring: bool): i32 {
  const flags = wired ? access | PMAP_CANFAIL | PMAP_WIRED : access | PMAP_CANFAIL;
  const rv = pmap_enter(ufi.orig_map.pmap, ufi.orig_rvaddr, pg.phys_addr, enter_prot, flags);
  if (wiring && rv == KERN_SUCCESS) {
    uvm_pagewire(pg);
    if ((pg.pqflags & PQ_SWAPBACKED) != 0) pg.clear_flags(PG_CLEAN);
  } else {
    uvm_pageactivate(pg);
  }
  fault_unbusy(pg);
  uvmfault_unlockmaps(ufi, false);
  if (rv == KERN_SUCCESS) return KERN_SUCCESS;
  return uvm_wait_anonymous(cs("flt_pmfail2")) == 0 ? FAULT_ANEW : KERN_RESOURCE_SHORTAGE;
}

/** There is no page for a copy: unlocks and waits. */
function wait_for_ram(ufi: UvmFaultinfo, wmesg: usize): i32 {
  uvmfault_unlockmaps(ufi, false);
  return uvm_wait_anonymous(wmesg) == 0 ? FAULT_ANEW : KERN_RESOURCE_SHORTAGE;
}

/** Case 1: the anon has the page. Writing to one that others have, too, copies it (1B). => the map is locked */
export function fault_anon(ufi: UvmFaultinfo, anon: VmAnon, enter_prot: u32, access: u32, wired: bool,
  wiring: bool): i32 {
  const old = anon.an_page;
  uvmexp.fltanget++;
  if ((old.flags & PG_BUSY) != 0) {
    uvmexp.fltpgwait++;
    old.set_flags(PG_WANTED);
    uvmfault_unlockmaps(ufi, false);
    tsleep(changetype<usize>(old), PVM, cs("anonget2"), 0);
    return FAULT_ANEW;
  }
  if ((access & VM_PROT_WRITE) == 0 || anon.an_ref == 1) {
    uvmexp.flt_anon++;
    return fault_enter(ufi, old, anon_prot(anon, enter_prot), access, wired, wiring);
  }
  uvmexp.flt_acow++;
  const copy = uvm_analloc_page();
  if (changetype<usize>(copy) == 0) return wait_for_ram(ufi, cs("flt_noram3"));
  uvm_pagecopy(old, copy.an_page);
  anon.an_ref--;
  amap_add(ufi.entry, ufi.orig_rvaddr - ufi.entry.start, copy, true);
  return fault_enter(ufi, copy.an_page, enter_prot, access, wired, wiring);
}

/**
 * Case 2B: makes a private page, a copy of the object's page `uobjpage` (BUSY)
 * or zero (NULL), and puts it into the upper layer. => the map is locked
 */
export function fault_promote(ufi: UvmFaultinfo, uobjpage: VmPage, enter_prot: u32, access: u32, wired: bool,
  wiring: bool): i32 {
  const has_page = uobjpage != NULL_PAGE;
  const entry = ufi.entry;
  const anon = uvm_analloc_page();
  if (changetype<usize>(anon) == 0) {
    if (has_page) {
      uvm_pageactivate(uobjpage);
      fault_unbusy(uobjpage);
    }
    return wait_for_ram(ufi, cs("flt_noram5"));
  }
  if (has_page) {
    uvmexp.flt_prcopy++;
    uvm_pagecopy(uobjpage, anon.an_page);
    if ((amap_of(entry).am_flags & AMAP_SHARED) != 0) pmap_page_protect(uobjpage, VM_PROT_NONE);
    uvm_pageactivate(uobjpage);
    fault_unbusy(uobjpage);
  } else {
    uvmexp.flt_przero++;
    uvm_pagezero(anon.an_page);
  }
  amap_add(entry, ufi.orig_rvaddr - entry.start, anon, false);
  return fault_enter(ufi, anon.an_page, enter_prot, access, wired, wiring);
}
