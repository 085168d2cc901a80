// Ranges of a map as a whole: writing back and dropping their pages (msync,
// madvise), wiring all of a map (mlockall), and which pages are there (mincore).
import { frame_alloc } from "../kernel/i386/cpufunc";
import { pmap_page_protect } from "../kernel/i386/pmap";
import { PAGE_SHIFT, PAGE_SIZE, trunc_page } from "../kernel/sys/param";
import { amap_lookup, amap_of, amap_unadd } from "./uvm_amap";
import { uvm_anfree } from "./uvm_anon";
import {
  KERN_FAILURE, KERN_INVALID_ADDRESS, KERN_INVALID_ARGUMENT, KERN_NO_SPACE, KERN_PAGES_LOCKED, KERN_SUCCESS,
  PGO_DEACTIVATE, PGO_FREE, UVM_LK_ENTER, VM_PROT_NONE,
} from "./uvm_extern";
import {
  uvm_map_lookup_entry, uvm_map_pageable, vm_map_lock, vm_map_lock_read, vm_map_unlock, vm_map_unlock_read,
} from "./uvm_map";
import { VM_MAP_WIREFUTURE, VmMap, VmMapEntry } from "./uvm_map_h";
import { PG_BUSY, uvm_pagedeactivate, uvm_pagelookup } from "./uvm_page";
import { uvmexp } from "./uvm_stat";

/** mlockall(2): wire what is mapped now; wire what will be mapped. */
export const MCL_CURRENT: u32 = 1;
export const MCL_FUTURE: u32 = 2;

/** Checks a range for uvm_map_clean: no holes, no submaps, and nothing wired if pages shall go. => locked */
function clean_check(map: VmMap, first: VmMapEntry, end: usize, flags: u32): i32 {
  let entry = first;
  while (entry != map.header && entry.start < end) {
    if (entry.issubmap) return KERN_INVALID_ARGUMENT;
    if ((flags & PGO_FREE) != 0 && entry.wired_count != 0) return KERN_PAGES_LOCKED;
    if (entry.end < end && (entry.next == map.header || entry.next.start > entry.end)) return KERN_INVALID_ADDRESS;
    entry = entry.next;
  }
  return KERN_SUCCESS;
}

/** The upper layer's part: deactivates or frees the anons that only this entry shows. => the map is locked */
export function clean_anons(entry: VmMapEntry, start: usize, end: usize, flags: u32): void {
  for (let va = start; va < end; va += PAGE_SIZE) {
    const anon = amap_lookup(entry, va - entry.start);
    if (changetype<usize>(anon) == 0) continue;
    const pg = anon.an_page;
    if (changetype<usize>(pg) == 0 || (pg.flags & PG_BUSY) != 0 || pg.wire_count != 0 || pg.loan_count != 0) continue;
    if ((flags & PGO_FREE) != 0 && anon.an_ref == 1 && amap_of(entry).am_ref == 1) {
      amap_unadd(entry, va - entry.start);
      anon.an_ref = 0;
      uvm_anfree(anon);
    } else {
      pmap_page_protect(pg, VM_PROT_NONE);
      uvm_pagedeactivate(pg);
    }
  }
}

/**
 * Cleans (PGO_CLEANIT, and waits with PGO_SYNCIO), deactivates (PGO_DEACTIVATE)
 * or frees (PGO_FREE) the pages of [start, end) in both layers. Anonymous pages
 * have nowhere to be written to.
 * => may sleep
 * => KERN_INVALID_ADDRESS for a hole, KERN_PAGES_LOCKED for PGO_FREE of wired memory, KERN_FAILURE when a pager failed
 */
export function uvm_map_clean(map: VmMap, start: usize, end: usize, flags: u32): i32 {
  const entryp = frame_alloc(4);
  vm_map_lock_read(map);
  if (!uvm_map_lookup_entry(map, start, entryp)) {
    vm_map_unlock_read(map);
    return KERN_INVALID_ADDRESS;
  }
  const first = changetype<VmMapEntry>(load<usize>(entryp));
  let rv = clean_check(map, first, end, flags);
  let entry = first;
  while (rv == KERN_SUCCESS && entry != map.header && entry.start < end) {
    const from = start > entry.start ? start : entry.start;
    const to = end < entry.end ? end : entry.end;
    if (entry.ar_amap != 0 && (flags & (PGO_DEACTIVATE | PGO_FREE)) != 0) clean_anons(entry, from, to, flags);
    if (entry.isobj && entry.uvm_obj.pgops.flush != 0) {
      const offset = entry.offset + u64(from - entry.start);
      if (!entry.uvm_obj.pgops.pgo_flush(entry.uvm_obj, offset, offset + u64(to - from), flags)) rv = KERN_FAILURE;
    }
    entry = entry.next;
  }
  vm_map_unlock_read(map);
  return rv;
}

/** Bytes of a map that are mapped with any protection and not wired yet. */
function unwired_bytes(map: VmMap): usize {
  let bytes: usize = 0;
  let entry = map.header.next;
  while (entry != map.header) {
    if (entry.wired_count == 0 && entry.protection != VM_PROT_NONE) bytes += entry.end - entry.start;
    entry = entry.next;
  }
  return bytes;
}

/**
 * Wires all that is mapped (MCL_CURRENT) and says whether new mappings shall be
 * wired (MCL_FUTURE); 0 unwires everything. `limit`: bytes that may be wired, 0 = any number.
 * => may sleep; KERN_NO_SPACE beyond a limit, or the error of wiring
 */
export function uvm_map_pageable_all(map: VmMap, flags: u32, limit: usize): i32 {
  vm_map_lock(map);
  if ((flags & MCL_FUTURE) != 0) map.flags |= VM_MAP_WIREFUTURE;
  else map.flags &= ~VM_MAP_WIREFUTURE;
  let rv = KERN_SUCCESS;
  if ((flags & MCL_CURRENT) != 0) {
    const more = unwired_bytes(map);
    if (i32(more >> PAGE_SHIFT) + uvmexp.wired > uvmexp.wiredmax) rv = KERN_NO_SPACE;
    if (limit != 0 && more + (u32(map.pmap.pm_wired) << PAGE_SHIFT) > limit) rv = KERN_NO_SPACE;
  }
  let entry = map.header.next;
  while (rv == KERN_SUCCESS && entry != map.header) {
    const end = entry.end;
    if (flags == 0 && entry.wired_count != 0) {
      rv = uvm_map_pageable(map, entry.start, end, true, UVM_LK_ENTER);
      vm_map_lock(map);
    } else if ((flags & MCL_CURRENT) != 0 && entry.wired_count == 0 && entry.protection != VM_PROT_NONE) {
      rv = uvm_map_pageable(map, entry.start, end, false, UVM_LK_ENTER);
      vm_map_lock(map);
    }
    entry = entry_at_or_after(map, end);
  }
  vm_map_unlock(map);
  return rv;
}

/** The first entry that ends above `va`, or the header. => locked */
function entry_at_or_after(map: VmMap, va: usize): VmMapEntry {
  const entryp = frame_alloc(4);
  const found = uvm_map_lookup_entry(map, va, entryp);
  const entry = changetype<VmMapEntry>(load<usize>(entryp));
  return found ? entry : entry.next;
}

/** Is the page at `va` in memory? => 1, 0, or -1 where nothing is mapped; may sleep for the map's lock */
export function uvm_map_incore(map: VmMap, va: usize): i32 {
  const entryp = frame_alloc(4);
  let incore = -1;
  va = trunc_page(va);
  vm_map_lock_read(map);
  if (uvm_map_lookup_entry(map, va, entryp)) {
    const entry = changetype<VmMapEntry>(load<usize>(entryp));
    const offset = va - entry.start;
    incore = 0;
    if (entry.ar_amap != 0) {
      const anon = amap_lookup(entry, offset);
      if (changetype<usize>(anon) != 0 && changetype<usize>(anon.an_page) != 0) incore = 1;
    }
    if (entry.isobj && changetype<usize>(uvm_pagelookup(entry.uvm_obj, entry.offset + u64(offset))) != 0) incore = 1;
  }
  vm_map_unlock_read(map);
  return incore;
}
