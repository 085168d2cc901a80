// Reverse mappings: for each managed page, who maps it.
//
// A page's list (VmPage.pv_list) has one PvEntry per mapping that pmap_enter
// made; the entry in the page table then carries PG_PVLIST. Used and modified
// bits of mappings that are gone are kept in VmPage.pv_attrs (as PG_U, PG_M).
//
// PvEntries come from pages of their own, in kernel addresses reserved once
// (pmap_pv_init), because they are needed while maps are locked. They are never
// given back.
import { Pmap, pmap_kenter_pa } from "./pmap";
import { panic } from "../subr_prf";
import { PAGE_SIZE } from "../sys/param";
import { UVM_PGA_USERESERVE, VM_PROT_READ, VM_PROT_WRITE } from "../../vm/uvm_extern";
import { kernel_map, uvm_km_valloc } from "../../vm/uvm_km";
import { UvmObject } from "../../vm/uvm_object";
import { uvm_pagealloc, VmPage } from "../../vm/uvm_page";
import { uvmexp } from "../../vm/uvm_stat";

/** One mapping of a page. */
@unmanaged
export class PvEntry {
  pv_next: PvEntry;
  pv_pmap: Pmap;
  pv_va: usize;
  /** The page that holds the entry's page table; 0 for kernel addresses. */
  pv_ptp: VmPage;
}
const SIZEOF_PVENTRY: u32 = 16;

/** Mappings per page that the reserved addresses suffice for, on average over all of memory. */
const MAPPINGS_PER_PAGE: u32 = 4;
const MIN_PV_PAGES: u32 = 64;

@unmanaged
class PvState {
  free: PvEntry;
  nfree: u32;
  /** Reserved kernel addresses not used yet. */
  next_va: usize;
  end_va: usize;
  /** pmap_init has run: mappings of managed pages are listed from now on. */
  ready: bool;
}
const pv_state = changetype<PvState>(memory.data(offsetof<PvState>(), 4));

const NULL_PV = changetype<PvEntry>(0);

/** Are mappings listed yet? */
export function pmap_pv_ready(): bool {
  return pv_state.ready;
}

/** Reserves the addresses for PvEntries and makes the first page of them. Called by pmap_init. */
export function pmap_pv_init(): void {
  const entries_per_page = PAGE_SIZE / SIZEOF_PVENTRY;
  let pages = (u32(uvmexp.npages) * MAPPINGS_PER_PAGE) / entries_per_page;
  if (pages < MIN_PV_PAGES) pages = MIN_PV_PAGES;
  const va = uvm_km_valloc(kernel_map(), pages * PAGE_SIZE);
  if (va == 0) panic(cs("pmap_init: no kernel addresses for pv entries"));
  pv_state.next_va = va;
  pv_state.end_va = va + pages * PAGE_SIZE;
  if (!pmap_add_pvpage(UVM_PGA_USERESERVE)) panic(cs("pmap_init: no page for pv entries"));
  pv_state.ready = true;
}

/** Adds a page of free entries. Returns false when memory or addresses are exhausted. */
function pmap_add_pvpage(flags: u32): bool {
  const va = pv_state.next_va;
  if (va >= pv_state.end_va) return false;
  const pg = uvm_pagealloc(changetype<UvmObject>(0), 0, 0, flags);
  if (changetype<usize>(pg) == 0) return false;
  pv_state.next_va = va + PAGE_SIZE;
  pmap_kenter_pa(va, pg.phys_addr, VM_PROT_READ | VM_PROT_WRITE);
  let at = va;
  while (at + SIZEOF_PVENTRY <= va + PAGE_SIZE) {
    pmap_free_pv(changetype<PvEntry>(at));
    at += SIZEOF_PVENTRY;
  }
  return true;
}

/** A free entry, or NULL. `flags` of uvm_pagealloc. Does not sleep. */
export function pmap_alloc_pv(flags: u32): PvEntry {
  if (pv_state.nfree == 0 && !pmap_add_pvpage(flags)) return NULL_PV;
  const pve = pv_state.free;
  pv_state.free = pve.pv_next;
  pv_state.nfree--;
  return pve;
}

export function pmap_free_pv(pve: PvEntry): void {
  pve.pv_next = pv_state.free;
  pv_state.free = pve;
  pv_state.nfree++;
}

/** Puts a mapping on its page's list. */
export function pmap_enter_pv(pg: VmPage, pve: PvEntry, pmap: Pmap, va: usize, ptp: VmPage): void {
  pve.pv_pmap = pmap;
  pve.pv_va = va;
  pve.pv_ptp = ptp;
  pve.pv_next = changetype<PvEntry>(pg.pv_list);
  pg.pv_list = changetype<usize>(pve);
}

/** Takes a mapping off its page's list and frees the entry. The mapping must be there. */
export function pmap_remove_pv(pg: VmPage, pmap: Pmap, va: usize): void {
  let link = changetype<usize>(pg) + offsetof<VmPage>("pv_list");
  for (; ;) {
    const pve = changetype<PvEntry>(load<usize>(link));
    if (changetype<usize>(pve) == 0) break;
    if (pve.pv_pmap == pmap && pve.pv_va == va) {
      store<usize>(link, changetype<usize>(pve.pv_next));
      pmap_free_pv(pve);
      return;
    }
    link = changetype<usize>(pve) + offsetof<PvEntry>("pv_next");
  }
  panic(cs("pmap_remove_pv: page %p has no mapping at 0x%lx"), changetype<usize>(pg), va);
}
