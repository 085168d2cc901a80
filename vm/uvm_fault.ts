// The fault handler: makes a virtual address accessible, or says why it cannot.
//
// An entry may have two layers. The upper is its amap, pages private to those
// who share it; the lower is its object. The fault is served by the first layer
// that has the page; writing to what is shared or copy-on-write makes a copy in
// the upper layer.
//
//          CASE 1A           CASE 1B           CASE 2A           CASE 2B
//          read, or write    write to an       access to the     write to copy-
//          to our own anon   anon of several   object            on-write object,
//                                                                or no object
//         _________________________________________________________________
//   amap  |   [page]      |  [page]->[copy] |                 |      [new page] |
//         |_______________|_________________|_________________|_______^_________|
//   object|               |                 |     [page]      |  [page] or zero |
//         |_______________|_________________|_________________|_________________|
//
// Case 1 is in uvm_fault_anon.ts, with the making of private pages for 2B. A
// write to an entry that NEEDSCOPY first gives it an amap of its own (amap_copy,
// which needs the map locked exclusively) and begins anew.
//
// A fault that is not made for wiring is wide the first time round: besides the
// page itself (the centre) it maps neighbours that are resident in either layer,
// as far as the entry's advice says:
//
//     back     centre  forward
//     [ ][ ][ ][X][ ][ ][ ][ ]     NORMAL 3/4, RANDOM 0/0, SEQUENTIAL 8/7
//
// Neighbours that are mapped already are left alone (PGO_DONTCARE). With
// SEQUENTIAL the pages behind are deactivated instead of mapped.
//
// The steps, and what is locked (order: map, amap, object, anon, page queues):
//
//   1. lookup              the map, shared
//   2. checks              protection, pageability, NEEDSCOPY
//   3. upper layer         neighbours entered; the centre there: case 1
//   4. pgo_fault, if the pager has it: it does everything, and unlocks
//   5. pgo_get(LOCKED)     map and object locked; never sleeps
//   6. the centre missing: unlock all, pgo_get (sleeps), lock the map again; if
//      its timestamp moved, or the upper layer has the page now, begin anew
//   7. pmap_enter, wire or activate, unbusy, unlock
//
// Beginning anew is narrow. A page that pgo_get gave is BUSY, so it stays what
// it is while nothing is locked; it may become RELEASED meanwhile, and is then
// freed here.
//
// pgo_fault may be empty and is tested. pgo_get may not be and is not.
//
// What the pager is told, and what the mapping may allow, can be another thing
// for each object: uvm_fault_policy.ts.
//
// Wiring (VM_FAULT_WIRE) asks for all that the entry allows, so that no later
// access faults. The entry itself is not marked here (uvm_map_pageable does).
//
// The simple locks of amaps, objects and anons mean nothing on one processor and
// are not taken; between two sleeps the kernel is not preempted.
import { frame_alloc } from "../kernel/i386/cpufunc";
import { PMAP_CANFAIL, PMAP_WIRED, pmap_enter, pmap_extract } from "../kernel/i386/pmap";
import { curproc } from "../kernel/kern_proc";
import { tsleep, wakeup } from "../kernel/kern_synch";
import { umin } from "../kernel/libkern";
import { HZ, PAGE_SHIFT, PAGE_SIZE, PVM, trunc_page } from "../kernel/sys/param";
import { amap_lookup } from "./uvm_amap";
import { NULL_ANON, VmAnon } from "./uvm_anon";
import {
  KERN_FAILURE, KERN_INVALID_ADDRESS, KERN_PROTECTION_FAILURE, KERN_RESOURCE_SHORTAGE, KERN_SUCCESS, PGO_DEACTIVATE,
  PGO_DONTCARE, PGO_LOCKED, UVM_ADV_RANDOM, UVM_ADV_SEQUENTIAL, VM_FAULT_WIRE, VM_PAGER_AGAIN, VM_PAGER_FAIL,
  VM_PAGER_OK, VM_PAGER_REFAULT, VM_PROT_ALL, VM_PROT_WRITE,
} from "./uvm_extern";
import {
  FAULT_ANEW, deactivate_anons, enter_anon_neighbour, fault_anon, fault_enter, fault_promote, fault_unbusy,
  uvmfault_amapcopy,
} from "./uvm_fault_anon";
import {
  UvmFaultinfo, uvmfault_check_intrsafe, uvmfault_lookup, uvmfault_relock, uvmfault_unlockmaps,
} from "./uvm_fault_i";
import {
  POLICY_UVM, uvm_object_policy, uvm_page_allows, uvm_policy_get, uvm_policy_locked,
} from "./uvm_fault_policy";
import { kernel_map } from "./uvm_km";
import { VM_MAP_PAGEABLE, VmMap, VmMapEntry } from "./uvm_map_h";
import { UvmObject } from "./uvm_object";
import {
  NULL_PAGE, PG_BUSY, PG_RELEASED, PG_WANTED, VmPage, uvm_pageactivate, uvm_pagerelease,
} from "./uvm_page";
import { uvmexp } from "./uvm_stat";

export { UvmFaultinfo } from "./uvm_fault_i";
export { uvm_fault_unwire, uvm_fault_unwire_locked, uvm_fault_wire } from "./uvm_fault_wire";

/** Most pages that one fault looks at. */
const UVM_MAXRANGE: u32 = 16;

/** Pages before the centre by advice, and pages after it. */
function advice_nback(advice: u32): u32 {
  if (advice == UVM_ADV_RANDOM) return 0;
  return advice == UVM_ADV_SEQUENTIAL ? 8 : 3;
}

function advice_nforw(advice: u32): u32 {
  if (advice == UVM_ADV_RANDOM) return 0;
  return advice == UVM_ADV_SEQUENTIAL ? 7 : 4;
}

/** Accesses that may reach the object: not writes, if they go to a copy. */
function object_access_mask(entry: VmMapEntry): u32 {
  return entry.iscopyonwrite ? VM_PROT_ALL & ~VM_PROT_WRITE : VM_PROT_ALL;
}

function fault_failed(rv: i32): i32 {
  uvmexp.fltfail++;
  return rv;
}

/** Step 2: may this access be made here? => KERN_SUCCESS, or why not */
function fault_check(ufi: UvmFaultinfo, access_type: u32): i32 {
  const entry = ufi.entry;
  if ((entry.protection & access_type) != access_type) return KERN_PROTECTION_FAILURE;
  return (ufi.map.flags & VM_MAP_PAGEABLE) == 0 ? KERN_FAILURE : KERN_SUCCESS;
}

/** Deactivates the `nback` pages from `startva` on, in both layers: sequential access will not come back to them. */
function deactivate_behind(ufi: UvmFaultinfo, startva: usize, nback: u32): void {
  const entry = ufi.entry;
  if (entry.ar_amap != 0) deactivate_anons(entry, startva - entry.start, nback);
  if (!entry.isobj || entry.uvm_obj.pgops.flush == 0) return;
  const offset = u64(startva - entry.start) + entry.offset;
  entry.uvm_obj.pgops.pgo_flush(entry.uvm_obj, offset, offset + (u64(nback) << PAGE_SHIFT), PGO_DEACTIVATE);
}

/**
 * Step 3: fills the page array: 0 for pages wanted of the object, PGO_DONTCARE
 * for neighbours that are mapped already or that the upper layer has; those are
 * mapped. => the anon of the centre, or NULL
 */
function look_above(ufi: UvmFaultinfo, startva: usize, pages: usize, npages: u32, centeridx: u32,
  enter_prot: u32): VmAnon {
  const pap = frame_alloc(4);
  const entry = ufi.entry;
  let shadow = NULL_ANON;
  for (let i: u32 = 0; i < npages; i++) {
    const va = startva + (i << PAGE_SHIFT);
    let slot: usize = 0;
    if (i != centeridx && pmap_extract(ufi.orig_map.pmap, va, pap)) {
      slot = PGO_DONTCARE;
      uvmexp.fltmapped++;
    } else if (entry.ar_amap != 0) {
      const anon = amap_lookup(entry, va - entry.start);
      if (changetype<usize>(anon) != 0) {
        slot = PGO_DONTCARE;
        if (i == centeridx) shadow = anon;
        else enter_anon_neighbour(ufi, va, anon, enter_prot);
      }
    }
    store<usize>(pages + (i << 2), slot);
  }
  return shadow;
}

/** Maps the neighbours that pgo_get(LOCKED) found, and unbusies them. */
function enter_neighbours(ufi: UvmFaultinfo, startva: usize, pages: usize, npages: u32, centeridx: u32,
  enter_prot: u32): void {
  const flags = ufi.entry.wired_count != 0 ? PMAP_CANFAIL | PMAP_WIRED : PMAP_CANFAIL;
  const prot = enter_prot & object_access_mask(ufi.entry);
  for (let i: u32 = 0; i < npages; i++) {
    const slot = load<usize>(pages + (i << 2));
    if (i == centeridx || slot == 0 || slot == PGO_DONTCARE) continue;
    const pg = changetype<VmPage>(slot);
    uvm_pageactivate(pg);
    uvmexp.fltnomap++;
    pmap_enter(ufi.orig_map.pmap, startva + (i << PAGE_SHIFT), pg.phys_addr, prot & uvm_page_allows(pg), flags);
    pg.clear_flags(PG_BUSY);
  }
}

/** Step 6 went wrong after the page had come: gives it up. The fault begins anew. */
function drop_page(pg: VmPage): void {
  if ((pg.flags & PG_RELEASED) != 0) {
    if ((pg.flags & PG_WANTED) != 0) wakeup(changetype<usize>(pg));
    uvmexp.fltpgrele++;
    uvm_pagerelease(pg);
    return;
  }
  uvm_pageactivate(pg);
  fault_unbusy(pg);
}

/** Did the upper layer get the centre's page meanwhile? => the map is locked as before */
function shadowed_now(ufi: UvmFaultinfo): bool {
  const entry = ufi.entry;
  return entry.ar_amap != 0 && changetype<usize>(amap_lookup(entry, ufi.orig_rvaddr - entry.start)) != 0;
}

/**
 * Step 6: has the pager bring the page in, asleep if need be. => the map is locked on entry
 * => KERN_SUCCESS: the page, BUSY, at `pagep`, map locked again
 * => KERN_SUCCESS and 0 at `pagep`: not locked; begin anew
 * => otherwise not locked; why it failed
 */
function fetch_page(ufi: UvmFaultinfo, uobj: UvmObject, access_type: u32, pagep: usize, allowp: usize): i32 {
  const entry = ufi.entry;
  const offset = u64(ufi.orig_rvaddr - entry.start) + entry.offset;
  const access = access_type & object_access_mask(entry);
  const advice = entry.advice;
  const npagesp = frame_alloc(4);
  uvmfault_unlockmaps(ufi, false);
  uvmexp.fltget++;
  store<i32>(npagesp, 1);
  store<usize>(pagep, 0);
  const rv = uvm_object_policy(uobj) == POLICY_UVM
    ? uobj.pgops.pgo_get(uobj, offset, pagep, npagesp, 0, access, advice, 0)
    : uvm_policy_get(uobj, offset, pagep, ufi.orig_rvaddr, access, allowp);
  if (rv == VM_PAGER_AGAIN) {
    tsleep(changetype<usize>(ufi), PVM, cs("fltagain2"), HZ);
    store<usize>(pagep, 0);
    return KERN_SUCCESS;
  }
  if (rv != VM_PAGER_OK) return rv == VM_PAGER_FAIL ? KERN_RESOURCE_SHORTAGE : KERN_PROTECTION_FAILURE;
  const pg = changetype<VmPage>(load<usize>(pagep));
  let locked = uvmfault_relock(ufi);
  if (locked && ((pg.flags & PG_RELEASED) != 0 || shadowed_now(ufi))) {
    uvmfault_unlockmaps(ufi, false);
    locked = false;
  }
  if (!locked) {
    drop_page(pg);
    store<usize>(pagep, 0);
  }
  return KERN_SUCCESS;
}

/**
 * Resolves a fault at `vaddr` of `orig_map`. `fault_type` VM_FAULT_INVALID for
 * a trap, VM_FAULT_WIRE to wire the page; `access_type` is what was tried.
 * => may sleep; nothing locked, not at interrupt level
 * => KERN_SUCCESS, INVALID_ADDRESS (nothing mapped), PROTECTION_FAILURE (not
 *    allowed, or the pager failed), FAILURE (map not pageable), RESOURCE_SHORTAGE
 */
export function uvm_fault(orig_map: VmMap, vaddr: usize, fault_type: u32, access_type: u32): i32 {
  const ufi = changetype<UvmFaultinfo>(frame_alloc(offsetof<UvmFaultinfo>()));
  const pages = frame_alloc(UVM_MAXRANGE * 4);
  const gotpages = frame_alloc(4);
  const allowp = frame_alloc(4);
  const wiring = fault_type == VM_FAULT_WIRE;
  let narrow = wiring;
  uvmexp.faults++;
  if (wiring) uvmexp.fltwire++;
  ufi.orig_map = orig_map;
  ufi.orig_rvaddr = trunc_page(vaddr);
  ufi.orig_size = PAGE_SIZE;
  if (orig_map == kernel_map() && uvmfault_check_intrsafe(ufi.orig_rvaddr)) return fault_failed(KERN_FAILURE);

  for (;;) {
    if (!uvmfault_lookup(ufi, false)) return fault_failed(KERN_INVALID_ADDRESS);
    const entry = ufi.entry;
    let rv = fault_check(ufi, access_type);
    if (rv != KERN_SUCCESS) {
      uvmfault_unlockmaps(ufi, false);
      return fault_failed(rv);
    }
    let enter_prot = entry.protection;
    const wired = entry.wired_count != 0 || wiring;
    const access = wired ? enter_prot : access_type;
    if (entry.isneedscopy) {
      if ((access & VM_PROT_WRITE) != 0 || !entry.isobj) {
        uvmfault_unlockmaps(ufi, false);
        if (!uvmfault_amapcopy(ufi)) return fault_failed(KERN_RESOURCE_SHORTAGE);
        continue;
      }
      enter_prot &= ~VM_PROT_WRITE;
    }
    if (entry.ar_amap == 0 && !entry.isobj) {
      uvmfault_unlockmaps(ufi, false);
      return fault_failed(KERN_INVALID_ADDRESS);
    }

    // The range to look at.
    let nback: u32 = 0;
    let nforw: u32 = 0;
    if (!narrow) {
      nback = umin(advice_nback(entry.advice), (ufi.orig_rvaddr - entry.start) >> PAGE_SHIFT);
      nforw = umin(advice_nforw(entry.advice), ((entry.end - ufi.orig_rvaddr) >> PAGE_SHIFT) - 1);
      narrow = true;
    }
    const uobj = entry.uvm_obj;
    let startva = ufi.orig_rvaddr - (nback << PAGE_SHIFT);
    if (entry.advice == UVM_ADV_SEQUENTIAL && nback != 0) {
      deactivate_behind(ufi, startva, nback);
      startva = ufi.orig_rvaddr;
      nback = 0;
    }
    const npages = nback + nforw + 1;
    const shadow = look_above(ufi, startva, pages, npages, nback, enter_prot);

    // Case 1: the upper layer has it.
    if (changetype<usize>(shadow) != 0) {
      rv = fault_anon(ufi, shadow, enter_prot, access, wired, wiring);
      if (rv == FAULT_ANEW) continue;
      return rv == KERN_SUCCESS ? rv : fault_failed(rv);
    }

    let pg = NULL_PAGE;
    if (entry.isobj) {
      // A pager that handles its faults itself.
      if (uobj.pgops.fault != 0) {
        rv = uobj.pgops.pgo_fault(ufi, startva, pages, npages, nback, fault_type, access, PGO_LOCKED);
        if (rv == VM_PAGER_OK) return KERN_SUCCESS;
        if (rv == VM_PAGER_REFAULT) continue;
        return fault_failed(KERN_PROTECTION_FAILURE);
      }

      // What the object has at hand. The call stands here and not in a helper,
      // so that a trace of a broken object shows this function's arguments.
      const offset = u64(startva - entry.start) + entry.offset;
      const pagep = pages + (nback << 2);
      const policy = uvm_object_policy(uobj);
      if (policy == POLICY_UVM) {
        uvmexp.fltlget++;
        store<u32>(gotpages, npages);
        uobj.pgops.pgo_get(uobj, offset, pages, gotpages, nback, access & object_access_mask(entry), entry.advice,
          PGO_LOCKED);
        if (load<i32>(gotpages) > 0) {
          pg = changetype<VmPage>(load<usize>(pagep));
          enter_neighbours(ufi, startva, pages, npages, nback, enter_prot);
        }
      } else {
        pg = uvm_policy_locked(uobj, offset + (u64(nback) << PAGE_SHIFT), access & object_access_mask(entry), allowp);
      }
      if (changetype<usize>(pg) != 0) {
        curproc_minflt();
      } else {
        curproc_majflt();
        rv = fetch_page(ufi, uobj, access, pagep, allowp);
        if (rv != KERN_SUCCESS) return fault_failed(rv);
        pg = changetype<VmPage>(load<usize>(pagep));
        if (changetype<usize>(pg) == 0) continue;
      }
      if (policy == POLICY_UVM) store<u32>(allowp, uvm_page_allows(pg));
    }

    // Case 2: the object serves it, or a private page is made.
    if (!entry.isobj || ((access & VM_PROT_WRITE) != 0 && entry.iscopyonwrite)) {
      rv = fault_promote(ufi, pg, enter_prot, access, wired, wiring);
    } else {
      uvmexp.flt_obj++;
      rv = fault_enter(ufi, pg, enter_prot & object_access_mask(entry) & load<u32>(allowp), access, wired, wiring);
    }
    if (rv == FAULT_ANEW) continue;
    return rv == KERN_SUCCESS ? rv : fault_failed(rv);
  }
  return KERN_FAILURE;
}

function curproc_minflt(): void {
  const p = curproc();
  if (changetype<usize>(p) != 0) p.p_minflt++;
}

function curproc_majflt(): void {
  const p = curproc();
  if (changetype<usize>(p) != 0) p.p_majflt++;
}
