// Where UVM meets processes: address spaces, u-areas, checks of addresses.
//
// A vmspace is shared by counting (vm_refcnt); the last to let go unmaps
// everything in it. Kernel threads share proc0's.
import { frame_alloc } from "../kernel/i386/cpufunc";
import { Pmap, pmap_create, pmap_destroy, pmap_reference } from "../kernel/i386/pmap";
import { panic } from "../kernel/subr_prf";
import { PR_WAITOK, Pool, pool_get, pool_init, pool_put } from "../kernel/subr_pool";
import { M_VMMAP } from "../kernel/sys/malloc";
import { PAGE_SIZE, USPACE, round_page, trunc_page } from "../kernel/sys/param";
import { amap_lookup } from "./uvm_amap";
import { KERN_SUCCESS, VM_PROT_READ, VM_PROT_WRITE } from "./uvm_extern";
import { uvm_fault_wire } from "./uvm_fault_wire";
import { kernel_map, uvm_km_free, uvm_km_valloc } from "./uvm_km";
import { poolpage_alloc_nointr, poolpage_free_nointr } from "./uvm_km_page";
import {
  uvm_map_checkprot, uvm_map_lookup_entry, uvm_map_setup, uvm_unmap_detach, uvm_unmap_remove, vm_map_lock,
  vm_map_lock_read, vm_map_unlock, vm_map_unlock_read,
} from "./uvm_map";
import { VM_MAP_PAGEABLE, VmMap, VmMapEntry, Vmspace } from "./uvm_map_h";
import { uvm_pagelookup } from "./uvm_page";

const uvm_vmspace_pool = changetype<Pool>(memory.data(offsetof<Pool>(), 8));

/** Makes the pool of vmspaces. */
export function uvmspace_pool_init(): void {
  pool_init(uvm_vmspace_pool, offsetof<Vmspace>(), 0, 0, 0, cs("vmsppl"), 0, poolpage_alloc_nointr.index,
    poolpage_free_nointr.index, M_VMMAP);
}

/** Initialises a vmspace over [min, max) with one reference. `pmap`: shared (a reference is added); NULL: a new one. */
export function uvmspace_init(vm: Vmspace, pmap: Pmap, min: usize, max: usize, pageable: bool): void {
  memory.fill(changetype<usize>(vm), 0, offsetof<Vmspace>());
  uvm_map_setup(vm.vm_map, min, max, pageable ? VM_MAP_PAGEABLE : 0);
  if (changetype<usize>(pmap) != 0) pmap_reference(pmap);
  else pmap = pmap_create();
  vm.vm_map.pmap = pmap;
  vm.vm_refcnt = 1;
}

/** A new, empty address space over [min, max) with its own pmap. => may sleep */
export function uvmspace_alloc(min: usize, max: usize, pageable: bool): Vmspace {
  const vm = changetype<Vmspace>(pool_get(uvm_vmspace_pool, PR_WAITOK));
  uvmspace_init(vm, changetype<Pmap>(0), min, max, pageable);
  return vm;
}

/** One more user of the address space. */
export function uvmspace_addref(vm: Vmspace): void {
  vm.vm_refcnt++;
}

/** Lets go of an address space of uvmspace_alloc; the last user's call frees it. => may sleep */
export function uvmspace_free(vm: Vmspace): void {
  if (vm.vm_refcnt <= 0) panic(cs("uvmspace_free: %p has no references"), changetype<usize>(vm));
  vm.vm_refcnt--;
  if (vm.vm_refcnt > 0) return;
  const map = vm.vm_map;
  vm_map_lock(map);
  const removed = uvm_unmap_remove(map, map.min_offset, map.max_offset);
  vm_map_unlock(map);
  uvm_unmap_detach(removed);
  pmap_destroy(map.pmap);
  pool_put(uvm_vmspace_pool, changetype<usize>(vm));
}

/**
 * Is the page at `va` mapped as memory that nobody has touched yet? Then it is
 * zero, and looking at it would only make it exist. => may sleep for the map's lock
 */
export function uvm_untouched(map: VmMap, va: usize): bool {
  const entryp = frame_alloc(4);
  let untouched = false;
  va = trunc_page(va);
  vm_map_lock_read(map);
  if (uvm_map_lookup_entry(map, va, entryp)) {
    const entry = changetype<VmMapEntry>(load<usize>(entryp));
    const offset = va - entry.start;
    untouched = !entry.issubmap;
    if (entry.ar_amap != 0 && changetype<usize>(amap_lookup(entry, offset)) != 0) untouched = false;
    if (entry.isobj && changetype<usize>(uvm_pagelookup(entry.uvm_obj, entry.offset + u64(offset))) != 0) {
      untouched = false;
    }
  }
  vm_map_unlock_read(map);
  return untouched;
}

/** Is the page at `va` private memory of no file that nobody has touched, and so zero? => may sleep for the map's lock */
export function uvm_never_touched(map: VmMap, va: usize): bool {
  const entryp = frame_alloc(4);
  vm_map_lock_read(map);
  let fresh = false;
  if (uvm_map_lookup_entry(map, va, entryp)) {
    const entry = changetype<VmMapEntry>(load<usize>(entryp));
    fresh = !entry.isobj && !entry.issubmap
      && (entry.ar_amap == 0 || changetype<usize>(amap_lookup(entry, trunc_page(va) - entry.start)) == 0);
  }
  vm_map_unlock_read(map);
  return fresh;
}

/** May the kernel read (`rw` false: write) [addr, addr + len) of its own memory? => may sleep for the map's lock */
export function uvm_kernacc(addr: usize, len: usize, rw: bool): bool {
  if (round_page(addr + len) < addr) return false;
  const prot = rw ? VM_PROT_READ : VM_PROT_WRITE;
  const map = kernel_map();
  vm_map_lock_read(map);
  const ok = uvm_map_checkprot(map, trunc_page(addr), round_page(addr + len), prot);
  vm_map_unlock_read(map);
  return ok;
}

/**
 * A u-area of USPACE bytes, wired. The page below it is never mapped, so that a
 * stack that grows out of it faults.
 * => may sleep; 0 when there is no room or no memory
 */
export function uvm_uarea_alloc(): usize {
  const guard = uvm_km_valloc(kernel_map(), PAGE_SIZE + USPACE);
  if (guard == 0) return 0;
  const uarea = guard + PAGE_SIZE;
  if (uvm_fault_wire(kernel_map(), uarea, uarea + USPACE, VM_PROT_READ | VM_PROT_WRITE) != KERN_SUCCESS) {
    uvm_km_free(kernel_map(), guard, PAGE_SIZE + USPACE);
    return 0;
  }
  return uarea;
}

/** Frees a u-area of uvm_uarea_alloc; nobody runs on it. => may sleep */
export function uvm_uarea_free(uarea: usize): void {
  uvm_km_free(kernel_map(), uarea - PAGE_SIZE, PAGE_SIZE + USPACE);
}
