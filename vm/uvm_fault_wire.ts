// Wiring a range by faulting it in, and undoing that.
//
// uvm_fault_wire brings the pages in, enters wired mappings and counts one
// wiring per page. It does not mark the map entries: only uvm_map_pageable
// does, and only marked entries are unwired when they are unmapped. Who calls
// uvm_fault_wire must call uvm_fault_unwire before unmapping.
import { frame_alloc } from "../kernel/i386/cpufunc";
import { pmap_extract, pmap_unwire } from "../kernel/i386/pmap";
import { panic } from "../kernel/subr_prf";
import { PAGE_SIZE } from "../kernel/sys/param";
import { KERN_SUCCESS, VM_FAULT_WIRE } from "./uvm_extern";
import { uvm_fault } from "./uvm_fault";
import { uvm_map_lookup_entry } from "./uvm_map";
import { VmMap, VmMapEntry } from "./uvm_map_h";
import { vm_map_lock_read, vm_map_unlock_read } from "./uvm_map_lock";
import { PHYS_TO_VM_PAGE, uvm_pageunwire } from "./uvm_page";

/**
 * Wires the pages of [start, end); `end` is an address.
 * => may sleep; on failure what was wired is unwired again
 * => KERN_SUCCESS or uvm_fault's error
 */
export function uvm_fault_wire(map: VmMap, start: usize, end: usize, access_type: u32): i32 {
  for (let va = start; va < end; va += PAGE_SIZE) {
    const rv = uvm_fault(map, va, VM_FAULT_WIRE, access_type);
    if (rv != KERN_SUCCESS) {
      if (va != start) uvm_fault_unwire(map, start, va);
      return rv;
    }
  }
  return KERN_SUCCESS;
}

/** Undoes one uvm_fault_wire of [start, end). => may sleep for the lock; panics when the range is not wired */
export function uvm_fault_unwire(map: VmMap, start: usize, end: usize): void {
  vm_map_lock_read(map);
  uvm_fault_unwire_locked(map, start, end);
  vm_map_unlock_read(map);
}

/** Like uvm_fault_unwire. => locked */
export function uvm_fault_unwire_locked(map: VmMap, start: usize, end: usize): void {
  const entryp = frame_alloc(4);
  const pap = frame_alloc(4);
  if (!uvm_map_lookup_entry(map, start, entryp)) panic(cs("uvm_fault_unwire_locked: address not in map"));
  let entry = changetype<VmMapEntry>(load<usize>(entryp));
  for (let va = start; va < end; va += PAGE_SIZE) {
    if (!pmap_extract(map.pmap, va, pap)) panic(cs("uvm_fault_unwire_locked: unwiring non-wired memory"));
    if (va >= entry.end) {
      if (entry.next == map.header || entry.next.start > entry.end) {
        panic(cs("uvm_fault_unwire_locked: hole in map"));
      }
      entry = entry.next;
    }
    if (entry.wired_count == 0) pmap_unwire(map.pmap, va);
    const pg = PHYS_TO_VM_PAGE(load<usize>(pap));
    if (changetype<usize>(pg) != 0) uvm_pageunwire(pg);
  }
}
