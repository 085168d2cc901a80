// Copying an address space for fork, entry by entry, by its inheritance:
//
//   NONE    the child has nothing there
//   SHARE   both see the same memory from now on: one amap (AMAP_SHARED), one
//           object. An amap that is still to be copied is copied first, else the
//           two would part at the next write
//   COPY    both see the same memory until one of them writes: the child's entry
//           is COPYONWRITE and NEEDSCOPY on the parent's amap; the parent's
//           becomes NEEDSCOPY too, and its pages read-only, so that its writes
//           fault and copy as well
//
// A COPY of an entry whose amap belongs to others as well (SHARED) gets its own
// amap at once, because those others do not know that they have to fault. The
// same for a wired entry, and there the pages are copied, too: a wired page must
// never fault.
//
// The child's page tables stay empty: it faults its pages in (pmap_copy is only
// an advice). Faults map up to eight resident neighbours, so that is cheap.
import { pmap_protect } from "../kernel/i386/pmap";
import { AMAP_SHARED, amap_copy, amap_cow_now, amap_of, amap_protect_pages, amap_ref } from "./uvm_amap";
import { M_WAITOK } from "../kernel/sys/malloc";
import { VM_INHERIT_COPY, VM_INHERIT_SHARE, VM_PROT_READ, VM_PROT_WRITE } from "./uvm_extern";
import { uvmspace_alloc, uvmspace_free } from "./uvm_glue";
import { uvm_map_entry_link, uvm_map_entry_reference, vm_map_lock, vm_map_unlock } from "./uvm_map";
import {
  UVM_ET_COPYONWRITE, UVM_ET_NEEDSCOPY, VM_MAP_PAGEABLE, VmMap, VmMapEntry, Vmspace,
} from "./uvm_map_h";
import { uvm_mapent_alloc, uvm_mapent_copy } from "./uvm_mapent";

/** A copy of a parent's entry at the end of the child's map, with references of its own. `amap_flags`: of amap_ref. */
function entry_dup(new_map: VmMap, old: VmMapEntry, amap_flags: u32): VmMapEntry {
  const entry = uvm_mapent_alloc(new_map);
  uvm_mapent_copy(old, entry);
  entry.wired_count = 0;
  if (entry.ar_amap != 0) amap_ref(entry, amap_flags);
  uvm_map_entry_reference(entry);
  uvm_map_entry_link(new_map, new_map.header_prev, entry);
  new_map.size += entry.end - entry.start;
  return entry;
}

function fork_share(old_map: VmMap, new_map: VmMap, old: VmMapEntry): void {
  if (old.isneedscopy) amap_copy(old_map, old, M_WAITOK, false, 0, 0);
  entry_dup(new_map, old, AMAP_SHARED);
}

/** => false without memory */
function fork_copy(old_map: VmMap, new_map: VmMap, old: VmMapEntry): bool {
  const entry = entry_dup(new_map, old, 0);
  entry.etype |= UVM_ET_COPYONWRITE | UVM_ET_NEEDSCOPY;
  if (old.ar_amap == 0) return true;
  const wired = old.wired_count != 0;
  if (wired || (amap_of(old).am_flags & AMAP_SHARED) != 0) amap_copy(new_map, entry, M_WAITOK, false, 0, 0);
  if (wired) return amap_cow_now(entry);
  // Whoever can write to the pages now must fault first.
  if ((amap_of(old).am_flags & AMAP_SHARED) != 0) {
    amap_protect_pages(old, VM_PROT_READ);
    return true;
  }
  if ((old.max_protection & VM_PROT_WRITE) != 0) {
    pmap_protect(old_map.pmap, old.start, old.end, old.protection & ~VM_PROT_WRITE);
  }
  old.etype |= UVM_ET_NEEDSCOPY;
  return true;
}

/**
 * A child's address space, a copy of `vm1` by the inheritance of each entry.
 * => one reference; may sleep; NULL when there is no memory (wired parts only)
 */
export function uvmspace_fork(vm1: Vmspace): Vmspace {
  const old_map = vm1.vm_map;
  vm_map_lock(old_map);
  const pageable: bool = (old_map.flags & VM_MAP_PAGEABLE) != 0;
  const vm2 = uvmspace_alloc(old_map.min_offset, old_map.max_offset, pageable);
  const sizes = offsetof<Vmspace>("vm_shm");
  memory.copy(changetype<usize>(vm2) + sizes, changetype<usize>(vm1) + sizes, offsetof<Vmspace>() - sizes);
  const new_map = vm2.vm_map;
  vm_map_lock(new_map);
  let done: bool = true;
  let old = old_map.header.next;
  while (old != old_map.header && done) {
    if (old.inheritance == VM_INHERIT_SHARE) fork_share(old_map, new_map, old);
    else if (old.inheritance == VM_INHERIT_COPY) done = fork_copy(old_map, new_map, old);
    old = old.next;
  }
  vm_map_unlock(new_map);
  vm_map_unlock(old_map);
  if (done) return vm2;
  uvmspace_free(vm2);
  return changetype<Vmspace>(0);
}
