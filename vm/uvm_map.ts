// Address maps: finding room, making mappings, cutting them.
//
// A map is a sorted circular list of disjoint entries around the header. Each
// entry shows a range of an object (or of another map, or nothing yet). Lookup
// is linear from a hint. Room is found first-fit, upwards from the hint that
// the caller gives and never back below it; a hint at the bottom of the map
// starts behind `first_free`, the last entry below which no hole is known.
//
// REFERENCES. uvm_map never takes a reference to the object it maps. It adopts
// the caller's:
//
//     success, new entry    the caller's reference is now the entry's
//     success, back-merge   the entry before has one already; the caller's is
//                           dropped at once (pgo_detach)
//     failure               the caller still has it
//
// An entry gives its reference back when it is unmapped (uvm_unmap_detach).
// Cutting an entry in two takes a second reference. So for each object that is
// counted at all: uo_refs = entries that show it + references held otherwise.
// A caller that wants to keep the object takes a reference for every call; one
// who does not will, at the first back-merge, destroy the object under its own
// mapping: nothing here can notice, for the count was the caller's to keep.
//
// MERGING. The entry that ends where the new mapping begins is extended instead
// of making a new entry, if NOMERGE is not given and
//
//     it shows the same object (or none), and the offsets continue
//     it is no submap
//     protection, maximum protection, inheritance and advice are equal
//     it is not wired
//     both copy on write or neither does
//     its amap, if any, has no other user, and need not grow much
//
// Forward merges are possible but never done; they are counted.
//
// LOCKING. The map's lock (uvm_map_lock.ts) protects list, hints and entries.
// Order of locks: map, amap, object, anon, page queues. Interrupt-safe maps are
// used at splvm and never sleep.
import { malloc, free } from "../kernel/kern_malloc";
import { Pmap, pmap_destroy, pmap_growkernel } from "../kernel/i386/pmap";
import { frame_alloc } from "../kernel/i386/cpufunc";
import { panic } from "../kernel/subr_prf";
import { M_VMMAP, M_WAITOK } from "../kernel/sys/malloc";
import { PAGE_SHIFT } from "../kernel/sys/param";
import { uvm } from "./uvm";
import { UVM_AMAP_CHUNK, UVM_AMAP_LARGE, amap_alloc, amap_extend, amap_of, amap_splitref } from "./uvm_amap";
import {
  KERN_FAILURE, KERN_NO_SPACE, KERN_PROTECTION_FAILURE, KERN_SUCCESS, UVM_FLAG_AMAPPAD, UVM_FLAG_COPYONW,
  UVM_FLAG_FIXED, UVM_FLAG_NOMERGE, UVM_FLAG_OVERLAY, UVM_FLAG_TRYLOCK, UVM_UNKNOWN_OFFSET,
} from "./uvm_extern";
import { kernel_map } from "./uvm_km";
import { vm_map_lock, vm_map_lock_init, vm_map_lock_try, vm_map_unlock } from "./uvm_map_lock";
import {
  UVM_ET_COPYONWRITE, UVM_ET_NEEDSCOPY, UVM_ET_OBJ, VM_MAP_INTRSAFE, VmMap, VmMapEntry,
} from "./uvm_map_h";
import { uvm_mapent_alloc, uvm_mapent_copy } from "./uvm_mapent";
import { UVM_OBJ_IS_KERN_OBJECT, UvmObject } from "./uvm_object";
import { uvmexp } from "./uvm_stat";
import { uvm_unmap } from "./uvm_unmap";

export { VmMap, VmMapEntry, Vmspace, vm_map_max, vm_map_min, vm_map_pmap } from "./uvm_map_h";
export { vm_map_lock, vm_map_lock_read, vm_map_lock_try, vm_map_unlock, vm_map_unlock_read } from "./uvm_map_lock";
export { uvm_deallocate, uvm_unmap, uvm_unmap_detach, uvm_unmap_remove } from "./uvm_unmap";
export {
  uvm_map_advice, uvm_map_checkprot, uvm_map_inherit, uvm_map_pageable, uvm_map_protect, uvm_map_submap,
} from "./uvm_map_attr";

/** Initialises an empty map over [min, max). => the caller sets `pmap` */
export function uvm_map_setup(map: VmMap, min: usize, max: usize, flags: u32): void {
  map.header_prev = map.header;
  map.header_next = map.header;
  map.min_offset = min;
  map.max_offset = max;
  map.nentries = 0;
  map.size = 0;
  map.ref_count = 1;
  map.hint = map.header;
  map.first_free = map.header;
  map.flags = flags;
  map.timestamp = 0;
  map.vmi_next = changetype<VmMap>(0);
  vm_map_lock_init(map);
  if ((flags & VM_MAP_INTRSAFE) != 0) {
    map.vmi_next = uvm.intrsafe_maps;
    uvm.intrsafe_maps = map;
  }
}

/** A new map over [min, max) on `pmap`, whose reference it adopts. => may sleep */
export function uvm_map_create(pmap: Pmap, min: usize, max: usize, flags: u32): VmMap {
  const map = changetype<VmMap>(malloc(offsetof<VmMap>(), M_VMMAP, M_WAITOK));
  uvm_map_setup(map, min, max, flags);
  map.pmap = pmap;
  return map;
}

export function uvm_map_reference(map: VmMap): void {
  map.ref_count++;
}

/** Drops a reference to a map of uvm_map_create; the last unmaps everything. => may sleep */
export function uvm_map_deallocate(map: VmMap): void {
  map.ref_count--;
  if (map.ref_count > 0) return;
  uvm_unmap(map, map.min_offset, map.max_offset);
  pmap_destroy(map.pmap);
  free(changetype<usize>(map), M_VMMAP);
}

/**
 * Finds the entry that holds `address` and stores it at `entryp`; when there is
 * none, the entry before the address (perhaps the header). => locked
 */
export function uvm_map_lookup_entry(map: VmMap, address: usize, entryp: usize): bool {
  const header = map.header;
  uvmexp.map_lookups++;
  let cur = map.hint;
  let last = header;
  if (cur == header) cur = cur.next;
  if (address >= cur.start) {
    if (cur != last && cur.end > address) {
      uvmexp.map_hinthits++;
      store<usize>(entryp, changetype<usize>(cur));
      return true;
    }
  } else {
    last = cur.next;
    cur = header.next;
  }
  while (cur != last) {
    if (cur.end > address) {
      if (address < cur.start) break;
      map.hint = cur;
      store<usize>(entryp, changetype<usize>(cur));
      return true;
    }
    cur = cur.next;
  }
  map.hint = cur.prev;
  store<usize>(entryp, changetype<usize>(cur.prev));
  return false;
}

/**
 * Finds room for `length` bytes at or above `hint` (exactly there with
 * UVM_FLAG_FIXED); stores the address at `resultp`.
 * => locked; the entry before the room, or NULL when there is none
 */
export function uvm_map_findspace(map: VmMap, hint: usize, length: usize, resultp: usize, flags: u32): VmMapEntry {
  const none = changetype<VmMapEntry>(0);
  const header = map.header;
  const fixed = (flags & UVM_FLAG_FIXED) != 0;
  const entryp = frame_alloc(4);
  let entry: VmMapEntry;
  if (hint < map.min_offset) {
    if (fixed) return none;
    hint = map.min_offset;
  }
  if (hint > map.max_offset) return none;
  if (!fixed && hint == map.min_offset) {
    entry = map.first_free;
    if (entry != header) hint = entry.end;
  } else {
    const found = uvm_map_lookup_entry(map, hint, entryp);
    entry = changetype<VmMapEntry>(load<usize>(entryp));
    if (found) {
      if (fixed) return none;
      hint = entry.end;
    }
  }
  // The gap under test begins at `hint`, behind `entry`.
  for (;;) {
    const end = hint + length;
    if (end > map.max_offset || end < hint) return none;
    const next = entry.next;
    if (next == header || next.start >= end) break;
    if (fixed) return none;
    entry = next;
    hint = entry.end;
  }
  map.hint = entry;
  store<usize>(resultp, hint);
  return entry;
}

/** Can the mapping be made by extending `prev`? See MERGING above. */
function can_back_merge(map: VmMap, prev: VmMapEntry, start: usize, size: usize, uobj: UvmObject, uoffset: u64,
  flags: u32): bool {
  if ((flags & UVM_FLAG_NOMERGE) != 0 || prev == map.header) return false;
  if (prev.end != start || prev.object != changetype<usize>(uobj)) return false;
  if (changetype<usize>(uobj) != 0 && prev.offset + (prev.end - prev.start) != uoffset) return false;
  if (prev.issubmap) return false;
  if (prev.protection != (flags & 7) || prev.max_protection != ((flags >> 8) & 7)) return false;
  if (prev.inheritance != ((flags >> 4) & 3) || prev.advice != ((flags >> 12) & 7)) return false;
  if (prev.iscopyonwrite != ((flags & UVM_FLAG_COPYONW) != 0)) return false;
  if (prev.ar_amap != 0 && (amap_of(prev).am_ref != 1 || size >= UVM_AMAP_LARGE << PAGE_SHIFT)) return false;
  return prev.wired_count == 0;
}

/** Puts an entry behind `after`. => locked */
export function uvm_map_entry_link(map: VmMap, after: VmMapEntry, entry: VmMapEntry): void {
  map.nentries++;
  entry.prev = after;
  entry.next = after.next;
  after.next = entry;
  entry.next.prev = entry;
}

/** Takes an entry off the list. => locked; hints that point at it are the caller's business */
export function uvm_map_entry_unlink(map: VmMap, entry: VmMapEntry): void {
  map.nentries--;
  entry.next.prev = entry.prev;
  entry.prev.next = entry.next;
}

/** The offset at which an object is mapped at `start`, UVM_UNKNOWN_OFFSET resolved. */
function resolve_offset(uobj: UvmObject, uoffset: u64, start: usize): u64 {
  if (changetype<usize>(uobj) == 0) return 0;
  if (uoffset != UVM_UNKNOWN_OFFSET) return uoffset;
  if (!UVM_OBJ_IS_KERN_OBJECT(uobj)) panic(cs("uvm_map: unknown offset with non-kernel object"));
  return u64(start - kernel_map().min_offset);
}

/** Fills a new entry from uvm_map's arguments. */
function map_entry_fill(entry: VmMapEntry, start: usize, size: usize, uobj: UvmObject, uoffset: u64, flags: u32): void {
  entry.start = start;
  entry.end = start + size;
  entry.object = changetype<usize>(uobj);
  entry.offset = uoffset;
  entry.etype = changetype<usize>(uobj) != 0 ? UVM_ET_OBJ : 0;
  if ((flags & UVM_FLAG_COPYONW) != 0) {
    entry.etype |= UVM_ET_COPYONWRITE;
    if ((flags & UVM_FLAG_OVERLAY) == 0) entry.etype |= UVM_ET_NEEDSCOPY;
  }
  entry.protection = flags & 7;
  entry.max_protection = (flags >> 8) & 7;
  entry.inheritance = (flags >> 4) & 3;
  entry.advice = (flags >> 12) & 7;
  entry.wired_count = 0;
  entry.ar_pageoff = 0;
  entry.ar_amap = 0;
  if ((flags & UVM_FLAG_OVERLAY) == 0) return;
  const pad = (flags & UVM_FLAG_AMAPPAD) != 0 ? UVM_AMAP_CHUNK << PAGE_SHIFT : 0;
  entry.ar_amap = changetype<usize>(amap_alloc(size, pad, M_WAITOK));
}

/**
 * Maps `size` bytes of `uobj` from `uoffset` on (both page multiples), or of
 * nothing (NULL). `startp` holds the address to look from and gets the address
 * found. Flags by UVM_MAPFLAG.
 * => may sleep for the map's lock; UVM_FLAG_TRYLOCK: KERN_FAILURE instead
 * => the caller's reference to the object is consumed on success, see above
 */
export function uvm_map(map: VmMap, startp: usize, size: usize, uobj: UvmObject, uoffset: u64, flags: u32): i32 {
  const prot = flags & 7;
  if ((prot & (flags >> 8)) != prot) return KERN_PROTECTION_FAILURE;
  if ((flags & UVM_FLAG_TRYLOCK) == 0) vm_map_lock(map);
  else if (!vm_map_lock_try(map)) return KERN_FAILURE;
  const prev = uvm_map_findspace(map, load<usize>(startp), size, startp, flags & UVM_FLAG_FIXED);
  if (changetype<usize>(prev) == 0) {
    vm_map_unlock(map);
    return KERN_NO_SPACE;
  }
  const start = load<usize>(startp);
  if (map == kernel_map() && uvm.maxkaddr < start + size) uvm.maxkaddr = pmap_growkernel(start + size);
  uoffset = resolve_offset(uobj, uoffset, start);
  uvmexp.map_calls++;
  if (can_back_merge(map, prev, start, size, uobj, uoffset, flags)) {
    uvmexp.map_backmerge++;
    if (changetype<usize>(uobj) != 0 && uobj.pgops.detach != 0) uobj.pgops.pgo_detach(uobj);
    if (prev.ar_amap != 0) amap_extend(prev, size);
    prev.end += size;
    map.size += size;
    vm_map_unlock(map);
    return KERN_SUCCESS;
  }
  if ((flags & UVM_FLAG_NOMERGE) == 0 && prev.next != map.header && prev.next.start == start + size) {
    uvmexp.map_forwmerge++;
  }
  const entry = uvm_mapent_alloc(map);
  map_entry_fill(entry, start, size, uobj, uoffset, flags);
  uvm_map_entry_link(map, prev, entry);
  map.size += size;
  const gap_start = prev == map.header ? map.min_offset : prev.end;
  if (map.first_free == prev && gap_start >= start) map.first_free = entry;
  vm_map_unlock(map);
  return KERN_SUCCESS;
}

/** Takes one more reference to what the entry shows: a second entry shows it now. */
export function uvm_map_entry_reference(entry: VmMapEntry): void {
  if (entry.issubmap) {
    uvm_map_reference(entry.sub_map);
    return;
  }
  if (!entry.isobj) return;
  const uobj = entry.uvm_obj;
  if (uobj.pgops.reference != 0) uobj.pgops.pgo_reference(uobj);
}

/** Cuts an entry so that it begins at `start`, if that is inside it; the part below becomes an entry of its own. */
export function uvm_map_clip_start(map: VmMap, entry: VmMapEntry, start: usize): void {
  if (start <= entry.start || start >= entry.end) return;
  const below = uvm_mapent_alloc(map);
  uvm_mapent_copy(entry, below);
  below.end = start;
  const delta = start - entry.start;
  if (entry.isobj) entry.offset += delta;
  entry.start = start;
  if (entry.ar_amap != 0) amap_splitref(below, entry, delta);
  uvm_map_entry_link(map, entry.prev, below);
  uvm_map_entry_reference(below);
}

/** Cuts an entry so that it ends at `end`, if that is inside it; the part above becomes an entry of its own. */
export function uvm_map_clip_end(map: VmMap, entry: VmMapEntry, end: usize): void {
  if (end <= entry.start || end >= entry.end) return;
  const above = uvm_mapent_alloc(map);
  uvm_mapent_copy(entry, above);
  above.start = end;
  const delta = end - entry.start;
  if (above.isobj) above.offset += delta;
  entry.end = end;
  if (entry.ar_amap != 0) amap_splitref(entry, above, delta);
  uvm_map_entry_link(map, entry, above);
  uvm_map_entry_reference(above);
}
