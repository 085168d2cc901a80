// What a fault knows about itself, and the locking of maps on its behalf.
// NetBSD's <uvm/uvm_fault_i.h>.
import { frame_alloc } from "../kernel/i386/cpufunc";
import { uvm } from "./uvm";
import { uvm_map_lookup_entry } from "./uvm_map";
import { VmMap, VmMapEntry } from "./uvm_map_h";
import { vm_map_lock, vm_map_lock_read, vm_map_unlock, vm_map_unlock_read } from "./uvm_map_lock";
import { uvmexp } from "./uvm_stat";

/** A fault: what was asked, and where the lookup led. Lives in uvm_fault's frame. */
@unmanaged
export class UvmFaultinfo {
  orig_map: VmMap;
  /** The page that faulted. */
  orig_rvaddr: usize;
  orig_size: usize;
  /** The map that holds the entry: orig_map or a submap of it. */
  map: VmMap;
  /** Its timestamp when it was looked up. */
  mapv: u32;
  entry: VmMapEntry;
  size: usize;
}

/** Unlocks the map that the lookup locked. */
export function uvmfault_unlockmaps(ufi: UvmFaultinfo, write_locked: bool): void {
  if (write_locked) vm_map_unlock(ufi.map);
  else vm_map_unlock_read(ufi.map);
}

/**
 * Finds the entry of orig_rvaddr, going down into submaps.
 * => true: `map` is locked, `entry` found. false: nothing is mapped there, nothing locked
 */
export function uvmfault_lookup(ufi: UvmFaultinfo, write_lock: bool): bool {
  const entryp = frame_alloc(4);
  ufi.map = ufi.orig_map;
  ufi.size = ufi.orig_size;
  for (;;) {
    if (write_lock) vm_map_lock(ufi.map);
    else vm_map_lock_read(ufi.map);
    if (!uvm_map_lookup_entry(ufi.map, ufi.orig_rvaddr, entryp)) {
      uvmfault_unlockmaps(ufi, write_lock);
      return false;
    }
    const entry = changetype<VmMapEntry>(load<usize>(entryp));
    ufi.entry = entry;
    if (entry.end - ufi.orig_rvaddr < ufi.size) ufi.size = entry.end - ufi.orig_rvaddr;
    if (!entry.issubmap) {
      ufi.mapv = ufi.map.timestamp;
      return true;
    }
    const submap = entry.sub_map;
    uvmfault_unlockmaps(ufi, write_lock);
    ufi.map = submap;
  }
  return false;
}

/** Locks the map again after a sleep. => false (not locked) when it was changed meanwhile */
export function uvmfault_relock(ufi: UvmFaultinfo): bool {
  uvmexp.fltrelck++;
  vm_map_lock_read(ufi.map);
  if (ufi.mapv != ufi.map.timestamp) {
    vm_map_unlock_read(ufi.map);
    return false;
  }
  uvmexp.fltrelckok++;
  return true;
}

/** Is the address in an interrupt-safe map? Such maps are never faulted on. */
export function uvmfault_check_intrsafe(va: usize): bool {
  let map = uvm.intrsafe_maps;
  while (changetype<usize>(map) != 0) {
    if (va >= map.min_offset && va < map.max_offset) return true;
    map = map.vmi_next;
  }
  return false;
}
