// Removing mappings.
//
// Unmapping is done in two steps. Under the map's lock the entries of the range
// are cut, unwired, taken out of the pmap and off the list (uvm_unmap_remove).
// The references they hold are dropped after the lock is released
// (uvm_unmap_detach), because the last reference may free pages, write to disk
// or sleep.
//
// The range is [start, END): an address, not a length. A range outside the map
// is clamped to it, and an end below the start means an empty range; both
// succeed and do nothing. uvm_deallocate takes a size.
//
// Pages of the kernel's own objects belong to their addresses: they are freed
// with the mapping.
import { frame_alloc } from "../kernel/i386/cpufunc";
import { pmap_kernel, pmap_kremove, pmap_remove } from "../kernel/i386/pmap";
import { panic } from "../kernel/subr_prf";
import { round_page, trunc_page } from "../kernel/sys/param";
import { amap_unref_flags } from "./uvm_amap";
import { KERN_SUCCESS } from "./uvm_extern";
import { uvm_fault_unwire_locked } from "./uvm_fault_wire";
import { uvm_km_pgremove, uvm_km_pgremove_intrsafe } from "./uvm_km_page";
import { kernel_map } from "./uvm_km";
import {
  uvm_map_clip_end, uvm_map_clip_start, uvm_map_deallocate, uvm_map_entry_unlink, uvm_map_lookup_entry,
} from "./uvm_map";
import { VmMap, VmMapEntry, UVM_ET_OBJ } from "./uvm_map_h";
import { vm_map_lock, vm_map_unlock } from "./uvm_map_lock";
import { uvm_mapent_free } from "./uvm_mapent";
import { UVM_OBJ_IS_INTRSAFE_OBJECT, UVM_OBJ_IS_KERN_OBJECT } from "./uvm_object";

/** Undoes all wirings of an entry. => locked */
export function uvm_map_entry_unwire(map: VmMap, entry: VmMapEntry): void {
  entry.wired_count = 0;
  uvm_fault_unwire_locked(map, entry.start, entry.end);
}

/** Unmaps an entry of a kernel object and frees the pages behind it. */
function remove_kernel_entry(map: VmMap, entry: VmMapEntry): void {
  if (map.pmap != pmap_kernel()) panic(cs("uvm_unmap_remove: kernel object mapped by non-kernel map"));
  const uobj = entry.uvm_obj;
  const base = kernel_map().min_offset;
  if (UVM_OBJ_IS_INTRSAFE_OBJECT(uobj)) {
    pmap_kremove(entry.start, entry.end - entry.start);
    uvm_km_pgremove_intrsafe(uobj, entry.start - base, entry.end - base);
  } else {
    pmap_remove(pmap_kernel(), entry.start, entry.end);
    uvm_km_pgremove(uobj, entry.start - base, entry.end - base);
  }
  entry.etype &= ~UVM_ET_OBJ;
  entry.object = 0;
}

/**
 * Takes the entries of [start, end) out of the map.
 * => locked exclusively; the entries, linked by `next`, for uvm_unmap_detach
 */
export function uvm_unmap_remove(map: VmMap, start: usize, end: usize): VmMapEntry {
  if (start < map.min_offset) start = map.min_offset;
  if (end > map.max_offset) end = map.max_offset;
  if (start > end) start = end;
  const entryp = frame_alloc(4);
  const found = uvm_map_lookup_entry(map, start, entryp);
  let entry = changetype<VmMapEntry>(load<usize>(entryp));
  if (found) {
    uvm_map_clip_start(map, entry, start);
    map.hint = entry.prev;
  } else {
    entry = entry.next;
  }
  if (map.first_free.start >= start) map.first_free = entry.prev;
  let removed = changetype<VmMapEntry>(0);
  while (entry != map.header && entry.start < end) {
    uvm_map_clip_end(map, entry, end);
    const next = entry.next;
    if (entry.wired_count != 0) uvm_map_entry_unwire(map, entry);
    if (entry.isobj && UVM_OBJ_IS_KERN_OBJECT(entry.uvm_obj)) remove_kernel_entry(map, entry);
    else pmap_remove(map.pmap, entry.start, entry.end);
    if (map.hint == entry) map.hint = entry.prev;
    uvm_map_entry_unlink(map, entry);
    map.size -= entry.end - entry.start;
    entry.next = removed;
    removed = entry;
    entry = next;
  }
  return removed;
}

/** Drops the references of removed entries and frees them. => nothing locked; may sleep */
export function uvm_unmap_detach(first: VmMapEntry): void {
  uvm_unmap_detach_flags(first, 0);
}

/** The same for entries whose amaps were counted with `amap_flags` (AMAP_REFALL or 0). */
export function uvm_unmap_detach_flags(first: VmMapEntry, amap_flags: u32): void {
  let entry = first;
  while (changetype<usize>(entry) != 0) {
    if (entry.ar_amap != 0) amap_unref_flags(entry, amap_flags);
    if (entry.issubmap) {
      uvm_map_deallocate(entry.sub_map);
    } else if (entry.isobj) {
      const uobj = entry.uvm_obj;
      if (uobj.pgops.detach != 0) uobj.pgops.pgo_detach(uobj);
    }
    const next = entry.next;
    uvm_mapent_free(entry);
    entry = next;
  }
}

/** Unmaps [start, end) - `end` is an address. => may sleep; always KERN_SUCCESS */
export function uvm_unmap(map: VmMap, start: usize, end: usize): i32 {
  vm_map_lock(map);
  const removed = uvm_unmap_remove(map, start, end);
  vm_map_unlock(map);
  uvm_unmap_detach(removed);
  return KERN_SUCCESS;
}

/** Unmaps the pages that hold [start, start + size). => may sleep */
export function uvm_deallocate(map: VmMap, start: usize, size: usize): i32 {
  return uvm_unmap(map, trunc_page(start), round_page(start + size));
}
