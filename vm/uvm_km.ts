// The kernel's own memory.
//
// All kernel addresses above the boot-time mappings are managed by kernel_map.
// Some ranges of it are submaps:
//
//   kmem_map    interrupt-safe: malloc and pools
//   others      made by uvm_km_suballoc as their users need them
//
// Memory is backed by kernel objects, in which an address A has the offset
// A - vm_map_min(kernel_map); so any two allocations that touch in kernel_map
// also continue each other in their object, and merge into one entry.
//
//   kernel_object   an aobj that is never freed; its pages are either put in
//                   and mapped at once (uvm_km_alloc) or faulted in (uvm_km_valloc)
//   kmem_object     interrupt-safe; pages are entered with pmap_kenter_pa,
//   mb_object       never faulted in, and looked after by nobody else
//
// Pages of kernel objects are never paged out.
//
//   function              backing                          when memory or room lacks
//   uvm_km_alloc, zalloc  pages now, contents undef./zero  waits for memory; 0 for room
//   uvm_km_valloc         pages on demand                  0
//   uvm_km_valloc_wait    pages on demand                  waits for room
//   uvm_km_kmemalloc      pages of the given object        waits or 0, by flag
//   uvm_km_alloc_poolpage one page of kmem_map             waits or 0
import { frame_alloc } from "../kernel/i386/cpufunc";
import { PMAP_WIRED, pmap_enter, pmap_kenter_pa, pmap_kernel, pmap_reference } from "../kernel/i386/pmap";
import { tsleep, wakeup } from "../kernel/kern_synch";
import { panic } from "../kernel/subr_prf";
import {
  PAGE_SIZE, PVM, VM_MAX_KERNEL_ADDRESS, VM_MIN_KERNEL_ADDRESS, round_page, trunc_page,
} from "../kernel/sys/param";
import { TAILQ_INIT } from "../kernel/sys/queue";
import { UAO_FLAG_KERNOBJ, kernel_object_store, uao_create } from "./uvm_aobj";
import {
  KERN_SUCCESS, UVM_ADV_RANDOM, UVM_FLAG_FIXED, UVM_INH_NONE, UVM_KMF_NOWAIT, UVM_KMF_TRYLOCK, UVM_KMF_VALLOC,
  UVM_MAPFLAG, UVM_PROT_ALL, UVM_UNKNOWN_OFFSET, VM_PROT_ALL, VM_PROT_READ, VM_PROT_WRITE,
} from "./uvm_extern";
import {
  uvm_map, uvm_map_create, uvm_map_setup, uvm_map_submap, uvm_unmap, uvm_unmap_detach, uvm_unmap_remove,
} from "./uvm_map";
import { VM_MAP_PAGEABLE, VmMap } from "./uvm_map_h";
import { vm_map_lock, vm_map_unlock } from "./uvm_map_lock";
import { PagerOps, UVM_OBJ_IS_INTRSAFE_OBJECT, UVM_OBJ_KERN_INTRSAFE, UvmObject } from "./uvm_object";
import { PG_BUSY, VmPage, uvm_pagealloc, uvm_pagelookup } from "./uvm_page";
import { uvm_wait_kernel } from "./uvm_kill";
import { uvmexp } from "./uvm_stat";

export { uvm_km_alloc_poolpage, uvm_km_alloc_poolpage1, uvm_km_free_poolpage, uvm_km_free_poolpage1 } from
  "./uvm_km_page";

const kernel_map_store = changetype<VmMap>(memory.data(offsetof<VmMap>(), 8));
const kmem_map_store = changetype<VmMap>(memory.data(offsetof<VmMap>(), 8));
const kmem_object_store = changetype<UvmObject>(memory.data(offsetof<UvmObject>(), 4));
const mb_object_store = changetype<UvmObject>(memory.data(offsetof<UvmObject>(), 4));

/** Operations of the interrupt-safe objects: none. */
export const km_pager = changetype<PagerOps>(memory.data(offsetof<PagerOps>(), 4));

/** Flags of all kernel mappings. */
const KM_MAPFLAGS: u32 = UVM_PROT_ALL << 8 | UVM_PROT_ALL | UVM_INH_NONE | UVM_ADV_RANDOM << 12;

/** All kernel addresses. */
export function kernel_map(): VmMap {
  return kernel_map_store;
}

/** Submap of malloc and pools, interrupt-safe; kmeminit sets it up. */
export function kmem_map(): VmMap {
  return kmem_map_store;
}

export function kernel_object(): UvmObject {
  return changetype<UvmObject>(kernel_object_store);
}

export function kmem_object(): UvmObject {
  return kmem_object_store;
}

export function mb_object(): UvmObject {
  return mb_object_store;
}

function intrsafe_object_init(uobj: UvmObject): void {
  uobj.pgops = km_pager;
  TAILQ_INIT(uobj.memq);
  uobj.uo_npages = 0;
  uobj.uo_refs = UVM_OBJ_KERN_INTRSAFE;
}

/** Makes the kernel objects and kernel_map; addresses below `start` are taken by what boot has mapped. */
export function uvm_km_init(start: usize, end: usize): void {
  uao_create(VM_MAX_KERNEL_ADDRESS - VM_MIN_KERNEL_ADDRESS, UAO_FLAG_KERNOBJ);
  intrsafe_object_init(kmem_object_store);
  intrsafe_object_init(mb_object_store);
  uvmexp.kmem_object = changetype<usize>(kmem_object_store);
  uvmexp.mb_object = changetype<usize>(mb_object_store);
  const map = kernel_map_store;
  uvm_map_setup(map, VM_MIN_KERNEL_ADDRESS, end, VM_MAP_PAGEABLE);
  map.pmap = pmap_kernel();
  const base = frame_alloc(4);
  store<usize>(base, VM_MIN_KERNEL_ADDRESS);
  const rv = uvm_map(map, base, start - VM_MIN_KERNEL_ADDRESS, changetype<UvmObject>(0), UVM_UNKNOWN_OFFSET,
    KM_MAPFLAGS | UVM_FLAG_FIXED);
  if (rv != KERN_SUCCESS) panic(cs("uvm_km_init: could not reserve space for kernel"));
}

/**
 * Makes a map for a range of `size` bytes of `map`, at the address at `min`
 * (exactly there if `fixed`); the range goes to `min` and `max`. `submap` NULL: allocated.
 * => may sleep; panics when there is no room
 */
export function uvm_km_suballoc(map: VmMap, min: usize, max: usize, size: usize, flags: u32, fixed: bool,
  submap: VmMap): VmMap {
  size = round_page(size);
  const mapflags = fixed ? KM_MAPFLAGS | UVM_FLAG_FIXED : KM_MAPFLAGS;
  if (uvm_map(map, min, size, changetype<UvmObject>(0), UVM_UNKNOWN_OFFSET, mapflags) != KERN_SUCCESS) {
    panic(cs("uvm_km_suballoc: unable to allocate space in parent map"));
  }
  const start = load<usize>(min);
  store<usize>(max, start + size);
  pmap_reference(map.pmap);
  if (changetype<usize>(submap) == 0) {
    submap = uvm_map_create(map.pmap, start, start + size, flags);
  } else {
    uvm_map_setup(submap, start, start + size, flags);
    submap.pmap = map.pmap;
  }
  if (uvm_map_submap(map, start, start + size, submap) != KERN_SUCCESS) {
    panic(cs("uvm_km_suballoc: submap allocation failed"));
  }
  return submap;
}

/** Offset of a kernel address in its kernel object. */
function km_offset(va: usize): u64 {
  return u64(va - kernel_map_store.min_offset);
}

/** Room for kernel memory of `uobj` in `map`. => 0 when there is none */
function km_room(map: VmMap, size: usize, uobj: UvmObject, flags: u32): usize {
  const kva = frame_alloc(4);
  store<usize>(kva, map.min_offset);
  if (uvm_map(map, kva, size, uobj, UVM_UNKNOWN_OFFSET, KM_MAPFLAGS | flags) != KERN_SUCCESS) return 0;
  return load<usize>(kva);
}

/** Allocates a page of a kernel object and clears BUSY: nobody else knows of it yet. => NULL when memory is short */
function km_page(uobj: UvmObject, offset: u64): VmPage {
  const pg = uvm_pagealloc(uobj, offset, 0, 0);
  if (changetype<usize>(pg) != 0) pg.clear_flags(PG_BUSY);
  return pg;
}

/**
 * Memory of `uobj` in `map` (for interrupt-safe objects at splvm).
 * => UVM_KMF_VALLOC: only the room. UVM_KMF_NOWAIT: 0 instead of a sleep for
 *    memory. UVM_KMF_TRYLOCK: 0 when the map is locked
 * => 0 when there is no room; contents undefined
 */
export function uvm_km_kmemalloc(map: VmMap, uobj: UvmObject, size: usize, flags: u32): usize {
  size = round_page(size);
  const kva = km_room(map, size, uobj, flags & UVM_KMF_TRYLOCK);
  if (kva == 0 || (flags & UVM_KMF_VALLOC) != 0) return kva;
  const intrsafe = UVM_OBJ_IS_INTRSAFE_OBJECT(uobj);
  let va = kva;
  while (va < kva + size) {
    const pg = km_page(uobj, km_offset(va));
    if (changetype<usize>(pg) == 0) {
      if ((flags & UVM_KMF_NOWAIT) != 0) {
        uvm_unmap(map, kva, kva + size);
        return 0;
      }
      uvm_wait_kernel(cs("km_getwait2"));
      continue;
    }
    if (intrsafe) pmap_kenter_pa(va, pg.phys_addr, VM_PROT_ALL);
    else pmap_enter(map.pmap, va, pg.phys_addr, UVM_PROT_ALL, PMAP_WIRED | VM_PROT_READ | VM_PROT_WRITE);
    va += PAGE_SIZE;
  }
  return kva;
}

/** Wired memory of kernel_object. */
function uvm_km_alloc1(map: VmMap, size: usize, zeroit: bool): usize {
  size = round_page(size);
  const uobj = kernel_object();
  const kva = km_room(map, size, uobj, 0);
  if (kva == 0) return 0;
  let va = kva;
  while (va < kva + size) {
    // The map is ours, but a stray fault on the fresh range may have brought the page in.
    let pg = uvm_pagelookup(uobj, km_offset(va));
    if (changetype<usize>(pg) == 0) pg = km_page(uobj, km_offset(va));
    if (changetype<usize>(pg) == 0) {
      uvm_wait_kernel(cs("km_alloc1w"));
      continue;
    }
    pmap_enter(map.pmap, va, pg.phys_addr, UVM_PROT_ALL, PMAP_WIRED | VM_PROT_READ | VM_PROT_WRITE);
    va += PAGE_SIZE;
  }
  if (zeroit) memory.fill(kva, 0, size);
  return kva;
}

/** Wired kernel memory, contents undefined. => may sleep; 0 when there is no room */
export function uvm_km_alloc(map: VmMap, size: usize): usize {
  return uvm_km_alloc1(map, size, false);
}

/** Wired kernel memory, zero. => may sleep; 0 when there is no room */
export function uvm_km_zalloc(map: VmMap, size: usize): usize {
  return uvm_km_alloc1(map, size, true);
}

/** Kernel memory whose zero pages are faulted in when touched. => may sleep for the lock; 0 when there is no room */
export function uvm_km_valloc(map: VmMap, size: usize): usize {
  return km_room(map, round_page(size), kernel_object(), 0);
}

/** Like uvm_km_valloc, but waits until uvm_km_free_wakeup makes room. => 0 only when the map is too small */
export function uvm_km_valloc_wait(map: VmMap, size: usize): usize {
  size = round_page(size);
  if (size > map.max_offset - map.min_offset) return 0;
  for (;;) {
    const kva = km_room(map, size, kernel_object(), 0);
    if (kva != 0) return kva;
    tsleep(changetype<usize>(map), PVM, cs("vallocwait"), 0);
  }
  return 0;
}

/** Frees kernel memory: its pages, mappings and room. */
export function uvm_km_free(map: VmMap, addr: usize, size: usize): void {
  uvm_unmap(map, trunc_page(addr), round_page(addr + size));
}

/** Like uvm_km_free, and wakes who waits for room in the map. */
export function uvm_km_free_wakeup(map: VmMap, addr: usize, size: usize): void {
  vm_map_lock(map);
  const removed = uvm_unmap_remove(map, trunc_page(addr), round_page(addr + size));
  wakeup(changetype<usize>(map));
  vm_map_unlock(map);
  uvm_unmap_detach(removed);
}
