// Pages of kernel memory: freeing those behind a range, and single pages for
// pools.
import { splvm, splx } from "../kernel/i386/intr";
import { panic } from "../kernel/subr_prf";
import { PAGE_SIZE } from "../kernel/sys/param";
import { UVM_KMF_NOWAIT } from "./uvm_extern";
import { kernel_map, kernel_object, kmem_map, kmem_object, uvm_km_free, uvm_km_kmemalloc } from "./uvm_km";
import { VmMap } from "./uvm_map_h";
import { UvmObject } from "./uvm_object";
import { PG_BUSY, PG_RELEASED, uvm_pagefree, uvm_pagelookup } from "./uvm_page";

/** Frees the pages of kernel_object in [start, end), offsets; a busy page is freed by who has it. => unmapped */
export function uvm_km_pgremove(uobj: UvmObject, start: usize, end: usize): void {
  for (let off = start; off < end; off += PAGE_SIZE) {
    const pg = uvm_pagelookup(uobj, u64(off));
    if (changetype<usize>(pg) == 0) continue;
    if ((pg.flags & PG_BUSY) != 0) pg.set_flags(PG_RELEASED);
    else uvm_pagefree(pg);
  }
}

/** Frees the pages of an interrupt-safe object in [start, end), offsets. => unmapped, at splvm */
export function uvm_km_pgremove_intrsafe(uobj: UvmObject, start: usize, end: usize): void {
  for (let off = start; off < end; off += PAGE_SIZE) {
    const pg = uvm_pagelookup(uobj, u64(off));
    if (changetype<usize>(pg) == 0) continue;
    if ((pg.flags & PG_BUSY) != 0) panic(cs("uvm_km_pgremove_intrsafe: busy page"));
    uvm_pagefree(pg);
  }
}

/** One page of `uobj` in `map`, contents undefined. => 0 when there is none and not `waitok` */
export function uvm_km_alloc_poolpage1(map: VmMap, uobj: UvmObject, waitok: bool): usize {
  const s = splvm();
  const va = uvm_km_kmemalloc(map, uobj, PAGE_SIZE, waitok ? 0 : UVM_KMF_NOWAIT);
  splx(s);
  return va;
}

export function uvm_km_free_poolpage1(map: VmMap, addr: usize): void {
  const s = splvm();
  uvm_km_free(map, addr, PAGE_SIZE);
  splx(s);
}

/** One page for a pool that interrupts may use. */
export function uvm_km_alloc_poolpage(waitok: bool): usize {
  return uvm_km_alloc_poolpage1(kmem_map(), kmem_object(), waitok);
}

export function uvm_km_free_poolpage(addr: usize): void {
  uvm_km_free_poolpage1(kmem_map(), addr);
}

/** Page allocator of pools that interrupts do not use: pages of kernel_map. */
export function poolpage_alloc_nointr(size: u32, waitok: u32, mtype: u32): usize {
  return uvm_km_alloc_poolpage1(kernel_map(), kernel_object(), waitok != 0);
}

export function poolpage_free_nointr(addr: usize, size: u32, mtype: u32): void {
  uvm_km_free_poolpage1(kernel_map(), addr);
}
