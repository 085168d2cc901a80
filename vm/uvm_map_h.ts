// Layouts of address maps: entries, maps, and the vmspace of a process.
//
// A map is a circular, sorted list of disjoint entries around a header. The
// header's start and end are the bounds of the map. What the list means and how
// it changes is told in uvm_map.ts.
import { Pmap } from "../kernel/i386/pmap";
import { UvmObject } from "./uvm_object";

// Flags of a map.
export const VM_MAP_PAGEABLE: u32 = 0x01;
export const VM_MAP_INTRSAFE: u32 = 0x02;
export const VM_MAP_WIREFUTURE: u32 = 0x04;
export const VM_MAP_BUSY: u32 = 0x08;
export const VM_MAP_WANTLOCK: u32 = 0x10;

// Flag of an entry: from the static list, not from the pool.
export const UVM_MAP_STATIC: u32 = 1;

// Types of an entry (etype), a set of bits.
export const UVM_ET_OBJ: u32 = 1;
export const UVM_ET_SUBMAP: u32 = 2;
export const UVM_ET_COPYONWRITE: u32 = 4;
export const UVM_ET_NEEDSCOPY: u32 = 8;

/** One mapping: [start, end) shows the object from `offset` on, or (UVM_ET_SUBMAP) another map. */
@unmanaged
export class VmMapEntry {
  prev: VmMapEntry;
  next: VmMapEntry;
  start: usize;
  end: usize;
  /** The uvm_object, or the vm_map of a submap entry. */
  object: usize;
  etype: u32;
  offset: u64;
  protection: u32;
  max_protection: u32;
  inheritance: u32;
  /** Wirings by uvm_map_pageable; uvm_fault_wire alone does not count here. */
  wired_count: u32;
  ar_pageoff: u32;
  ar_amap: usize;
  advice: u32;
  flags: u32;

  @inline get uvm_obj(): UvmObject {
    return changetype<UvmObject>(this.object);
  }

  @inline get sub_map(): VmMap {
    return changetype<VmMap>(this.object);
  }

  @inline get isobj(): bool {
    return (this.etype & UVM_ET_OBJ) != 0;
  }

  @inline get issubmap(): bool {
    return (this.etype & UVM_ET_SUBMAP) != 0;
  }

  @inline get iscopyonwrite(): bool {
    return (this.etype & UVM_ET_COPYONWRITE) != 0;
  }

  @inline get isneedscopy(): bool {
    return (this.etype & UVM_ET_NEEDSCOPY) != 0;
  }
}

/**
 * An address map. The first four words of the header entry stand here; nobody
 * reads more of it. The lock is a lockmgr lock (`lock`); maps that interrupts
 * use (VM_MAP_INTRSAFE) are protected by splvm instead.
 */
@unmanaged
export class VmMap {
  pmap: Pmap;
  lock0: u32;
  lock1: u32;
  lock2: u32;
  lock3: u32;
  lock4: u32;
  lock5: u32;
  lock6: u32;
  lock7: u32;
  lock8: u32;
  lock9: u32;
  lock10: u32;
  lock11: u32;
  header_prev: VmMapEntry;
  header_next: VmMapEntry;
  /** Lowest address. */
  min_offset: usize;
  /** First address above. */
  max_offset: usize;
  nentries: i32;
  /** Bytes mapped: the sum over the entries. */
  size: usize;
  ref_count: i32;
  hint: VmMapEntry;
  first_free: VmMapEntry;
  flags: u32;
  /** Grows with every exclusive lock, so that a fault that unlocked can see that nothing changed. */
  timestamp: u32;
  /** Next interrupt-safe map, in the list that uvm_fault consults. */
  vmi_next: VmMap;

  @inline get header(): VmMapEntry {
    return changetype<VmMapEntry>(changetype<usize>(this) + offsetof<VmMap>("header_prev"));
  }

  /** Address of the lock, see kernel/sys/lock.ts. */
  @inline get lock(): usize {
    return changetype<usize>(this) + offsetof<VmMap>("lock0");
  }
}

/** A process's address space. The map comes first, so a vmspace is a map. */
@unmanaged
export class Vmspace extends VmMap {
  vm_refcnt: i32;
  vm_shm: usize;
  vm_rssize: u32;
  vm_swrss: u32;
  /** Text, data and stack sizes, in pages. */
  vm_tsize: u32;
  vm_dsize: u32;
  vm_ssize: u32;
  vm_taddr: usize;
  vm_daddr: usize;
  vm_maxsaddr: usize;

  @inline get vm_map(): VmMap {
    return changetype<VmMap>(this);
  }
}

export function vm_map_min(map: VmMap): usize {
  return map.min_offset;
}

export function vm_map_max(map: VmMap): usize {
  return map.max_offset;
}

export function vm_map_pmap(map: VmMap): Pmap {
  return map.pmap;
}
