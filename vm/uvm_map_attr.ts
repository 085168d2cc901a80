// Changing the attributes of mapped ranges: protection, inheritance, advice,
// wiring, and plugging one map into another.
import { frame_alloc } from "../kernel/i386/cpufunc";
import { pmap_protect } from "../kernel/i386/pmap";
import { M_WAITOK } from "../kernel/sys/malloc";
import { amap_copy } from "./uvm_amap";
import {
  KERN_INVALID_ADDRESS, KERN_INVALID_ARGUMENT, KERN_PROTECTION_FAILURE, KERN_SUCCESS, UVM_LK_ENTER, UVM_LK_EXIT,
  VM_PROT_ALL, VM_PROT_NONE, VM_PROT_READ, VM_PROT_WRITE,
} from "./uvm_extern";
import { uvm_fault_wire } from "./uvm_fault_wire";
import { uvm_map_clip_end, uvm_map_clip_start, uvm_map_lookup_entry, uvm_map_reference } from "./uvm_map";
import { UVM_ET_COPYONWRITE, UVM_ET_NEEDSCOPY, UVM_ET_SUBMAP, VmMap, VmMapEntry } from "./uvm_map_h";
import {
  vm_map_busy, vm_map_downgrade, vm_map_lock, vm_map_unbusy, vm_map_unlock, vm_map_unlock_read, vm_map_upgrade,
} from "./uvm_map_lock";
import { uvm_map_entry_unwire } from "./uvm_unmap";

/** The first entry that reaches above `start`. => locked */
function first_entry_from(map: VmMap, start: usize): VmMapEntry {
  const entryp = frame_alloc(4);
  const found = uvm_map_lookup_entry(map, start, entryp);
  const entry = changetype<VmMapEntry>(load<usize>(entryp));
  return found ? entry : entry.next;
}

/** Is there a hole between the entry and the next one, below `end`? */
function hole_follows(map: VmMap, entry: VmMapEntry, end: usize): bool {
  return entry.end < end && (entry.next == map.header || entry.next.start > entry.end);
}

/**
 * Sets the protection of [start, end), or with `set_max` the maximum protection
 * (the protection is then reduced to it). Holes are skipped. Wired memory that
 * becomes unreadable is wired no longer.
 * => may sleep for the lock
 * => KERN_PROTECTION_FAILURE beyond a maximum, KERN_INVALID_ARGUMENT for submaps: nothing is done then
 */
export function uvm_map_protect(map: VmMap, start: usize, end: usize, new_prot: u32, set_max: bool): i32 {
  vm_map_lock(map);
  const first = first_entry_from(map, start);
  let rv = KERN_SUCCESS;
  let entry = first;
  while (entry != map.header && entry.start < end && rv == KERN_SUCCESS) {
    if (entry.issubmap) rv = KERN_INVALID_ARGUMENT;
    else if ((new_prot & entry.max_protection) != new_prot) rv = KERN_PROTECTION_FAILURE;
    entry = entry.next;
  }
  if (rv != KERN_SUCCESS) {
    vm_map_unlock(map);
    return rv;
  }
  entry = first;
  while (entry != map.header && entry.start < end) {
    uvm_map_clip_start(map, entry, start);
    uvm_map_clip_end(map, entry, end);
    entry_protect(map, entry, new_prot, set_max);
    entry = entry.next;
  }
  vm_map_unlock(map);
  return KERN_SUCCESS;
}

function entry_protect(map: VmMap, entry: VmMapEntry, new_prot: u32, set_max: bool): void {
  const old = entry.protection;
  if (set_max) {
    entry.max_protection = new_prot;
    entry.protection = old & new_prot;
  } else {
    entry.protection = new_prot;
  }
  if (entry.protection == old) return;
  // What cannot be read has no translations, and wirings are undone through translations.
  if ((entry.protection & VM_PROT_READ) == 0 && entry.wired_count != 0) uvm_map_entry_unwire(map, entry);
  const mask = entry.iscopyonwrite ? VM_PROT_ALL & ~VM_PROT_WRITE : VM_PROT_ALL;
  pmap_protect(map.pmap, entry.start, entry.end, entry.protection & mask);
}

/** Sets what a fork does with [start, end): VM_INHERIT_*. */
export function uvm_map_inherit(map: VmMap, start: usize, end: usize, inheritance: u32): i32 {
  if (inheritance > 2) return KERN_INVALID_ARGUMENT;
  vm_map_lock(map);
  let entry = first_entry_from(map, start);
  while (entry != map.header && entry.start < end) {
    uvm_map_clip_start(map, entry, start);
    uvm_map_clip_end(map, entry, end);
    entry.inheritance = inheritance;
    entry = entry.next;
  }
  vm_map_unlock(map);
  return KERN_SUCCESS;
}

/** Sets how [start, end) will be used: UVM_ADV_NORMAL, RANDOM or SEQUENTIAL. */
export function uvm_map_advice(map: VmMap, start: usize, end: usize, advice: u32): i32 {
  if (advice > 2) return KERN_INVALID_ARGUMENT;
  vm_map_lock(map);
  let entry = first_entry_from(map, start);
  while (entry != map.header && entry.start < end) {
    uvm_map_clip_start(map, entry, start);
    uvm_map_clip_end(map, entry, end);
    entry.advice = advice;
    entry = entry.next;
  }
  vm_map_unlock(map);
  return KERN_SUCCESS;
}

/** Does every page of [start, end) have an entry that allows `prot`? => locked (read) or the caller knows it stays */
export function uvm_map_checkprot(map: VmMap, start: usize, end: usize, prot: u32): bool {
  const entryp = frame_alloc(4);
  if (!uvm_map_lookup_entry(map, start, entryp)) return false;
  let entry = changetype<VmMapEntry>(load<usize>(entryp));
  while (start < end) {
    if (entry == map.header || start < entry.start) return false;
    if ((entry.protection & prot) != prot) return false;
    start = entry.end;
    entry = entry.next;
  }
  return true;
}

/** Makes the blank entry that is exactly [start, end) show `submap`. => adds a reference to it */
export function uvm_map_submap(map: VmMap, start: usize, end: usize, submap: VmMap): i32 {
  vm_map_lock(map);
  const entryp = frame_alloc(4);
  let rv = KERN_INVALID_ARGUMENT;
  if (uvm_map_lookup_entry(map, start, entryp)) {
    const entry = changetype<VmMapEntry>(load<usize>(entryp));
    uvm_map_clip_start(map, entry, start);
    uvm_map_clip_end(map, entry, end);
    const blank = entry.object == 0 && entry.ar_amap == 0 &&
      (entry.etype & (UVM_ET_COPYONWRITE | UVM_ET_NEEDSCOPY)) == 0;
    if (entry.start == start && entry.end == end && blank) {
      entry.etype |= UVM_ET_SUBMAP;
      entry.object = changetype<usize>(submap);
      entry.offset = 0;
      uvm_map_reference(submap);
      rv = KERN_SUCCESS;
    }
  }
  vm_map_unlock(map);
  return rv;
}

/** Unlocks as `lockflags` asks and hands the result through. */
function pageable_done(map: VmMap, lockflags: u32, rv: i32): i32 {
  if ((lockflags & UVM_LK_EXIT) == 0) vm_map_unlock(map);
  return rv;
}

/**
 * Wires (new_pageable false) or unwires the range [start, end) and counts that
 * in its entries, so that unmapping unwires.
 * => lockflags: UVM_LK_ENTER the map is locked already, UVM_LK_EXIT leave it locked
 * => may sleep; KERN_INVALID_ADDRESS for no mapping at start, KERN_INVALID_ARGUMENT for holes, or the fault's error
 */
export function uvm_map_pageable(map: VmMap, start: usize, end: usize, new_pageable: bool, lockflags: u32): i32 {
  if ((lockflags & UVM_LK_ENTER) == 0) vm_map_lock(map);
  if (start < map.min_offset) start = map.min_offset;
  if (end > map.max_offset) end = map.max_offset;
  const entryp = frame_alloc(4);
  if (!uvm_map_lookup_entry(map, start, entryp)) return pageable_done(map, lockflags, KERN_INVALID_ADDRESS);
  const first = changetype<VmMapEntry>(load<usize>(entryp));
  uvm_map_clip_start(map, first, start);
  if (new_pageable) return pageable_done(map, lockflags, unwire_entries(map, first, end));
  const rv = count_wirings(map, first, start, end);
  if (rv != KERN_SUCCESS) return pageable_done(map, lockflags, rv);
  return wire_entries(map, first, end, lockflags);
}

function unwire_entries(map: VmMap, first: VmMapEntry, end: usize): i32 {
  let entry = first;
  while (entry != map.header && entry.start < end) {
    if (entry.wired_count == 0 || hole_follows(map, entry, end)) return KERN_INVALID_ARGUMENT;
    entry = entry.next;
  }
  entry = first;
  while (entry != map.header && entry.start < end) {
    uvm_map_clip_end(map, entry, end);
    uvm_map_entry_unwire(map, entry);
    entry = entry.next;
  }
  return KERN_SUCCESS;
}

/** First pass of wiring: makes the amaps that writing would, cuts the entries, counts; uncounts at a hole. */
function count_wirings(map: VmMap, first: VmMapEntry, start: usize, end: usize): i32 {
  let entry = first;
  while (entry != map.header && entry.start < end) {
    const copies = (entry.protection & VM_PROT_WRITE) != 0 || !entry.isobj;
    if (entry.wired_count == 0 && !entry.issubmap && entry.isneedscopy && copies) {
      amap_copy(map, entry, M_WAITOK, true, start, end);
    }
    uvm_map_clip_end(map, entry, end);
    entry.wired_count++;
    if (entry.protection == VM_PROT_NONE || hole_follows(map, entry, end)) {
      while (entry != map.header && entry.end > start) {
        entry.wired_count--;
        entry = entry.prev;
      }
      return KERN_INVALID_ARGUMENT;
    }
    entry = entry.next;
  }
  return KERN_SUCCESS;
}

/** Second pass: with the lock shared and the map BUSY, faults in the pages of newly wired entries. */
function wire_entries(map: VmMap, first: VmMapEntry, end: usize, lockflags: u32): i32 {
  vm_map_busy(map);
  vm_map_downgrade(map);
  let rv = KERN_SUCCESS;
  let entry = first;
  while (entry != map.header && entry.start < end) {
    if (entry.wired_count == 1) {
      rv = uvm_fault_wire(map, entry.start, entry.end, entry.protection);
      if (rv != KERN_SUCCESS) break;
    }
    entry = entry.next;
  }
  if (rv == KERN_SUCCESS && (lockflags & UVM_LK_EXIT) == 0) {
    vm_map_unbusy(map);
    vm_map_unlock_read(map);
    return KERN_SUCCESS;
  }
  vm_map_upgrade(map);
  vm_map_unbusy(map);
  if (rv != KERN_SUCCESS) uncount_wirings(map, first, entry, end);
  return pageable_done(map, lockflags, rv);
}

/** Wiring failed at `failed`: entries from there on lose their count, those before are unwired as well. */
function uncount_wirings(map: VmMap, first: VmMapEntry, failed: VmMapEntry, end: usize): void {
  let entry = failed;
  while (entry != map.header && entry.start < end) {
    entry.wired_count--;
    entry = entry.next;
  }
  entry = first;
  while (entry != failed) {
    entry.wired_count--;
    if (entry.wired_count == 0) uvm_map_entry_unwire(map, entry);
    entry = entry.next;
  }
}
