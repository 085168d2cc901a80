// pmap(9): the machine-dependent half of virtual memory. A Pmap is a page
// directory and its page tables; UVM decides what is mapped, this file makes the
// processor see it.
//
// Invariants:
//   - A Pmap is a uvm_object: its pages are the page tables of user addresses
//     (PTPs), at offset (directory index) * PAGE_SIZE. wire_count of such a page is
//     one more than the number of valid entries in it; it is freed when only the
//     one is left. PTPs of kernel addresses are never freed.
//   - All directories have the same entries for kernel addresses, 768 and up
//     (pmap_growkernel). Entry 767 points at the directory itself, entry 1023 is a
//     cache: the last foreign directory looked at.
//   - A mapping of a managed page made by pmap_enter is on the page's list and has
//     PG_PVLIST; those made by pmap_kenter_pa are not.
//   - Page tables are changed in place and read by the processor at any time, so all
//     accesses are volatile, and a valid entry that changes needs its translation
//     dropped from the TLB; an invalid one is never in the TLB.
//
// Nothing here sleeps, except pmap_create.
import { frame_alloc, lcr3, volatile } from "./cpufunc";
import { Pcb } from "./pcb";
import { pmap_alloc_pv, pmap_enter_pv, pmap_free_pv, pmap_pv_init, pmap_pv_ready, pmap_remove_pv, PvEntry }
  from "./pmap_pv";
import { APDP_PDE, APTE_BASE, NBPD, PDP_PDE, PDSLOT_APTE, PDSLOT_KERN, PDSLOT_PTE, PG_FRAME, PG_M, PG_PVLIST, PG_RW,
  PG_U, PG_u, PG_V, PG_W, pdei, pmap_update, pmap_update_pg, pte_at, PTE_BASE, tlbflush, vtophys, vtopte } from "./pte";
import { pmap_zero_page } from "./pmap_boot";
import { curproc } from "../kern_proc";
import { panic } from "../subr_prf";
import { Pool, pool_get, pool_init, pool_put, PR_WAITOK } from "../subr_pool";
import { M_VMPMAP } from "../sys/malloc";
import { PAGE_SIZE, VM_MAX_ADDRESS, VM_MAX_KERNEL_ADDRESS } from "../sys/param";
import { Proc } from "../sys/proc";
import { LIST_FIRST, LIST_INSERT_HEAD, LIST_NEXT, LIST_REMOVE, TAILQ_FIRST, TAILQ_INIT } from "../sys/queue";
import { KERN_RESOURCE_SHORTAGE, KERN_SUCCESS, UVM_PGA_USERESERVE, VM_PROT_READ, VM_PROT_WRITE }
  from "../../vm/uvm_extern";
import { kernel_map, uvm_km_alloc, uvm_km_free } from "../../vm/uvm_km";
import { UvmObject } from "../../vm/uvm_object";
import { PG_BUSY, PHYS_TO_VM_PAGE, uvm_page_init_done, uvm_page_physget, uvm_pagealloc, uvm_pagefree, uvm_pagelookup,
  VmPage } from "../../vm/uvm_page";

export { pmap_bootstrap, pmap_copy_page, pmap_virtual_space, pmap_zero_page } from "./pmap_boot";
export { pmap_update, pmap_update_pg, vtophys, vtopte } from "./pte";

@unmanaged
export class Pmap extends UvmObject {
  /** List of all pmaps: LIST. */
  pm_list_next: usize;
  pm_list_prev: usize;
  /** The directory: kernel address and physical address. */
  pm_pdir: usize;
  pm_pdirpa: usize;
  /** The PTP looked up last, or NULL. */
  pm_ptphint: VmPage;
  /** Pages mapped by pmap_enter, and how many of them are wired. */
  pm_resident: i32;
  pm_wired: i32;
  pm_flags: u32;
}

// Flags of pmap_enter, beside the access type in the low three bits.
export const PMAP_WIRED: u32 = 0x10;
export const PMAP_CANFAIL: u32 = 0x20;

/** pmap_remove drops at most this many translations one by one; beyond that, all at once. */
export const PMAP_RR_MAX: u32 = 16;

const kernel_pmap_store = changetype<Pmap>(memory.data(offsetof<Pmap>(), 4));
const pmap_pmap_pool = changetype<Pool>(memory.data(offsetof<Pool>(), 4));
/** LIST head of all pmaps but the kernel's. */
const pmaps: usize = memory.data<u32>([0]);
/** End of the kernel addresses that have page tables. */
const pmap_maxkvaddr: usize = memory.data<u32>([0]);

const NULL_PTP = changetype<VmPage>(0);

/** The kernel's pmap, which is proc0's. */
export function pmap_kernel(): Pmap {
  return kernel_pmap_store;
}

/** Sets up the kernel's pmap over the directory of locore. Called by pmap_bootstrap. */
export function pmap_kernel_init(pdir: usize, pdirpa: usize, maxkvaddr: usize): void {
  const pmap = kernel_pmap_store;
  TAILQ_INIT(pmap.memq);
  pmap.uo_refs = 1;
  pmap.pm_pdir = pdir;
  pmap.pm_pdirpa = pdirpa;
  store<usize>(pmap_maxkvaddr, maxkvaddr);
}

/** Second half of the start: from now on mappings of managed pages are listed. Needs kernel_map. */
export function pmap_init(): void {
  pool_init(pmap_pmap_pool, offsetof<Pmap>(), 4, 0, 0, cs("pmappl"), 0, 0, 0, M_VMPMAP);
  pmap_pv_init();
}

/** Is the pmap part of the current address space? */
function pmap_is_current(pmap: Pmap): bool {
  return pmap == kernel_pmap_store || (volatile.load32(PDP_PDE) & PG_FRAME) == pmap.pm_pdirpa;
}

/** Makes the page tables of a pmap visible and returns the window: PTmap or APTmap. Valid until the next call. */
function pmap_map_ptes(pmap: Pmap): usize {
  if (pmap_is_current(pmap)) return PTE_BASE;
  const apde = volatile.load32(APDP_PDE);
  if ((apde & PG_V) == 0 || (apde & PG_FRAME) != pmap.pm_pdirpa) {
    volatile.store32(APDP_PDE, pmap.pm_pdirpa | PG_RW | PG_V);
    if ((apde & PG_V) != 0) tlbflush();
  }
  return APTE_BASE;
}

/** The directory entry of a pmap for `va`. */
function pmap_pde(pmap: Pmap, va: usize): u32 {
  return volatile.load32(pmap.pm_pdir + pdei(va) * 4);
}

/** Is there a page table for `va`? */
function pmap_has_ptp(pmap: Pmap, va: usize): bool {
  return (pmap_pde(pmap, va) & PG_V) != 0;
}

/** The PTP of directory entry `index`, which must be there. */
function pmap_find_ptp(pmap: Pmap, index: u32): VmPage {
  const offset = u64(index) * PAGE_SIZE;
  const hint = pmap.pm_ptphint;
  if (changetype<usize>(hint) != 0 && hint.offset == offset) return hint;
  const ptp = uvm_pagelookup(pmap, offset);
  pmap.pm_ptphint = ptp;
  return ptp;
}

/** What pages a mapping may take: one that can fail leaves the kernel's reserve. */
function pga_of(flags: u32): u32 {
  return (flags & PMAP_CANFAIL) != 0 ? 0 : UVM_PGA_USERESERVE;
}

/** The PTP for `va`, made if need be; `flags` of pmap_enter. NULL when there is no memory. */
function pmap_get_ptp(pmap: Pmap, va: usize, flags: u32): VmPage {
  const index = pdei(va);
  if (pmap_has_ptp(pmap, va)) return pmap_find_ptp(pmap, index);
  const ptp = uvm_pagealloc(pmap, u64(index) * PAGE_SIZE, 0, pga_of(flags));
  if (changetype<usize>(ptp) == 0) return ptp;
  ptp.clear_flags(PG_BUSY);
  ptp.wire_count = 1;
  pmap_zero_page(ptp.phys_addr);
  volatile.store32(pmap.pm_pdir + index * 4, ptp.phys_addr | PG_u | PG_RW | PG_V);
  pmap.pm_resident++;
  pmap.pm_ptphint = ptp;
  return ptp;
}

/** Frees a PTP with no valid entry left; `ptes` is the window it is seen through. */
function pmap_free_ptp(pmap: Pmap, ptp: VmPage, ptes: usize): void {
  const index = u32(ptp.offset >> 12);
  volatile.store32(pmap.pm_pdir + index * 4, 0);
  pmap_update_pg(ptes + index * PAGE_SIZE);
  pmap.pm_resident--;
  if (pmap.pm_ptphint == ptp) pmap.pm_ptphint = NULL_PTP;
  ptp.wire_count = 0;
  uvm_pagefree(ptp);
}

/**
 * A new address space with no user mappings and one reference.
 * => may sleep for memory
 */
export function pmap_create(): Pmap {
  const pmap = changetype<Pmap>(pool_get(pmap_pmap_pool, PR_WAITOK));
  pmap_pinit(pmap);
  return pmap;
}

/** Gives a zeroed or fresh Pmap its directory. => may sleep */
export function pmap_pinit(pmap: Pmap): void {
  memory.fill(changetype<usize>(pmap), 0, offsetof<Pmap>());
  TAILQ_INIT(pmap.memq);
  pmap.uo_refs = 1;
  pmap.pm_resident = 1;
  const pdir = uvm_km_alloc(kernel_map(), PAGE_SIZE);
  if (pdir == 0) panic(cs("pmap_pinit: kernel_map out of virtual space"));
  pmap.pm_pdir = pdir;
  pmap.pm_pdirpa = vtophys(pdir);
  memory.fill(pdir, 0, PDSLOT_PTE * 4);
  store<u32>(pdir + PDSLOT_PTE * 4, pmap.pm_pdirpa | PG_V | PG_RW);
  memory.copy(pdir + PDSLOT_KERN * 4, kernel_pmap_store.pm_pdir + PDSLOT_KERN * 4, (PDSLOT_APTE - PDSLOT_KERN) * 4);
  store<u32>(pdir + PDSLOT_APTE * 4, 0);
  LIST_INSERT_HEAD(pmaps, changetype<usize>(pmap), offsetof<Pmap>("pm_list_next"));
}

export function pmap_reference(pmap: Pmap): void {
  pmap.uo_refs++;
}

/** Drops a reference; the last frees the page tables and the directory. The pmap is not in use then. */
export function pmap_destroy(pmap: Pmap): void {
  pmap.uo_refs--;
  if (pmap.uo_refs > 0) return;
  LIST_REMOVE(changetype<usize>(pmap), offsetof<Pmap>("pm_list_next"));
  for (; ;) {
    const ptp = changetype<VmPage>(TAILQ_FIRST(pmap.memq));
    if (changetype<usize>(ptp) == 0) break;
    ptp.wire_count = 0;
    uvm_pagefree(ptp);
  }
  if ((volatile.load32(APDP_PDE) & PG_FRAME) == pmap.pm_pdirpa) {
    volatile.store32(APDP_PDE, 0);
    tlbflush();
  }
  uvm_km_free(kernel_map(), pmap.pm_pdir, PAGE_SIZE);
  pool_put(pmap_pmap_pool, changetype<usize>(pmap));
}

/** Makes the process's space the processor's, if the process is the current one. */
export function pmap_activate(p: Proc): void {
  const pmap = p.p_vmspace.vm_map.pmap;
  const pcb = changetype<Pcb>(p.p_addr);
  pcb.pcb_pmap = changetype<usize>(pmap);
  pcb.pcb_cr3 = pmap.pm_pdirpa;
  if (p == curproc()) lcr3(pcb.pcb_cr3);
}

/**
 * Makes page tables for kernel addresses up to `maxva`, in every pmap. Returns
 * the address up to which there are tables. => panics without memory
 */
export function pmap_growkernel(maxva: usize): usize {
  const pap = frame_alloc(4);
  while (load<usize>(pmap_maxkvaddr) < maxva) {
    const va = load<usize>(pmap_maxkvaddr);
    if (va >= VM_MAX_KERNEL_ADDRESS) panic(cs("pmap_growkernel: out of kernel addresses"));
    growkernel_page(u64(pdei(va)) * PAGE_SIZE, pap);
    pmap_zero_page(load<usize>(pap));
    const pde = load<usize>(pap) | PG_RW | PG_V;
    volatile.store32(kernel_pmap_store.pm_pdir + pdei(va) * 4, pde);
    let pmap = LIST_FIRST(pmaps);
    while (pmap != 0) {
      volatile.store32(changetype<Pmap>(pmap).pm_pdir + pdei(va) * 4, pde);
      pmap = LIST_NEXT(pmap, offsetof<Pmap>("pm_list_next"));
    }
    store<usize>(pmap_maxkvaddr, va + NBPD);
  }
  return load<usize>(pmap_maxkvaddr);
}

/** Physical address of a page for a kernel page table, to `pap`. */
function growkernel_page(offset: u64, pap: usize): void {
  if (!uvm_page_init_done()) {
    if (!uvm_page_physget(pap)) panic(cs("pmap_growkernel: out of memory"));
    return;
  }
  const ptp = uvm_pagealloc(kernel_pmap_store, offset, 0, UVM_PGA_USERESERVE);
  if (changetype<usize>(ptp) == 0) panic(cs("pmap_growkernel: out of memory"));
  ptp.clear_flags(PG_BUSY);
  ptp.wire_count = 1;
  store<usize>(pap, ptp.phys_addr);
}

/** Bits of a new entry for a protection and an address. */
function protection_bits(va: usize, prot: u32): u32 {
  const bits = (prot & VM_PROT_WRITE) != 0 ? PG_RW : 0;
  return va < VM_MAX_ADDRESS ? bits | PG_u : bits;
}

/** Forgets the mapping that `opte` describes, whose entry is being replaced or is gone: list, attributes. */
function pmap_sync_pv(pmap: Pmap, va: usize, opte: u32): void {
  if ((opte & PG_PVLIST) == 0) return;
  const pg = PHYS_TO_VM_PAGE(opte & PG_FRAME);
  if (changetype<usize>(pg) == 0) panic(cs("pmap: unmanaged page marked PG_PVLIST, va = 0x%lx"), va);
  pg.pv_attrs |= opte & (PG_U | PG_M);
  pmap_remove_pv(pg, pmap, va);
}

function count_wired(pmap: Pmap, opte: u32, wired: bool): void {
  const was = (opte & PG_V) != 0 && (opte & PG_W) != 0;
  if (wired && !was) pmap.pm_wired++;
  if (!wired && was) pmap.pm_wired--;
}

/**
 * Maps the page at `pa` at `va` with protection `prot`. `flags`: the access
 * that caused it, PMAP_WIRED, PMAP_CANFAIL. A mapping that is there is replaced.
 * => KERN_SUCCESS, or with PMAP_CANFAIL KERN_RESOURCE_SHORTAGE; panics otherwise
 */
export function pmap_enter(pmap: Pmap, va: usize, pa: usize, prot: u32, flags: u32): i32 {
  if (va >= VM_MAX_KERNEL_ADDRESS) panic(cs("pmap_enter: too big"));
  if (pdei(va) == PDSLOT_PTE) panic(cs("pmap_enter: trying to map over PDP/APDP!"));
  const ptp = pmap == kernel_pmap_store ? NULL_PTP : pmap_get_ptp(pmap, va, flags);
  if (pmap != kernel_pmap_store && changetype<usize>(ptp) == 0) return pmap_enter_failed(flags, cs("ptp"));
  if (pmap == kernel_pmap_store && !pmap_has_ptp(pmap, va)) panic(cs("pmap_enter: missing kernel PTP!"));
  const ptes = pmap_map_ptes(pmap);
  const pte = pte_at(ptes, va);
  const opte = volatile.load32(pte);
  const same = (opte & PG_V) != 0 && (opte & PG_FRAME) == (pa & PG_FRAME);
  let npte = (pa & PG_FRAME) | protection_bits(va, prot) | PG_V;
  if ((flags & PMAP_WIRED) != 0) npte |= PG_W;
  if (same && (opte & PG_PVLIST) != 0) {
    PHYS_TO_VM_PAGE(pa).pv_attrs |= opte & (PG_U | PG_M);
    npte |= PG_PVLIST;
  } else {
    const pg = pmap_pv_ready() ? PHYS_TO_VM_PAGE(pa) : NULL_PTP;
    if (changetype<usize>(pg) != 0) {
      const pve = pmap_alloc_pv(pga_of(flags));
      if (changetype<usize>(pve) == 0) {
        if (changetype<usize>(ptp) != 0 && ptp.wire_count <= 1) pmap_free_ptp(pmap, ptp, ptes);
        return pmap_enter_failed(flags, cs("pv entry"));
      }
      if ((opte & PG_V) != 0) pmap_sync_pv(pmap, va, opte);
      pmap_enter_pv(pg, pve, pmap, va, ptp);
      npte |= PG_PVLIST;
    } else if ((opte & PG_V) != 0) pmap_sync_pv(pmap, va, opte);
  }
  count_wired(pmap, opte, (npte & PG_W) != 0);
  if ((opte & PG_V) == 0) {
    pmap.pm_resident++;
    if (changetype<usize>(ptp) != 0) ptp.wire_count++;
  }
  volatile.store32(pte, npte);
  if ((opte & PG_V) != 0 && pmap_is_current(pmap)) pmap_update_pg(va);
  return KERN_SUCCESS;
}

function pmap_enter_failed(flags: u32, what: usize): i32 {
  if ((flags & PMAP_CANFAIL) == 0) panic(cs("pmap_enter: get %s failed"), what);
  return KERN_RESOURCE_SHORTAGE;
}

/** Maps a page in the kernel without any bookkeeping. The page table must be there. For interrupts too. */
export function pmap_kenter_pa(va: usize, pa: usize, prot: u32): void {
  const pte = vtopte(va);
  const opte = volatile.load32(pte);
  volatile.store32(pte, (pa & PG_FRAME) | ((prot & VM_PROT_WRITE) != 0 ? PG_RW : 0) | PG_V);
  if ((opte & PG_V) != 0) pmap_update_pg(va);
}

/** Undoes pmap_kenter_pa for `size` bytes from `va`. */
export function pmap_kremove(va: usize, size: usize): void {
  const end = va + size;
  while (va < end) {
    const pte = vtopte(va);
    const opte = volatile.load32(pte);
    if ((opte & PG_PVLIST) != 0) panic(cs("pmap_kremove: PG_PVLIST mapping for 0x%lx"), va);
    volatile.store32(pte, 0);
    if ((opte & PG_V) != 0) pmap_update_pg(va);
    va += PAGE_SIZE;
  }
}

/** Removes one valid mapping, all but the TLB. */
function pmap_remove_pte(pmap: Pmap, ptp: VmPage, pte: usize, va: usize, opte: u32): void {
  volatile.store32(pte, 0);
  if ((opte & PG_W) != 0) pmap.pm_wired--;
  pmap.pm_resident--;
  if (changetype<usize>(ptp) != 0) ptp.wire_count--;
  pmap_sync_pv(pmap, va, opte);
}

/** End of the 4 MB block of `va`, or `eva` if that comes first. */
function block_end(va: usize, eva: usize): usize {
  const end = (va & ~(NBPD - 1)) + NBPD;
  return end < eva ? end : eva;
}

/** Removes all mappings in [sva, eva). */
export function pmap_remove(pmap: Pmap, sva: usize, eva: usize): void {
  const ptes = pmap_map_ptes(pmap);
  const current = pmap_is_current(pmap);
  // pmap_remove_record: the addresses whose translations must go.
  const vas = frame_alloc(64);
  let nvas: u32 = 0;
  let va = sva;
  while (va < eva) {
    const end = block_end(va, eva);
    if (pdei(va) == PDSLOT_PTE || !pmap_has_ptp(pmap, va)) {
      va = end;
      continue;
    }
    const ptp = pmap == kernel_pmap_store ? NULL_PTP : pmap_find_ptp(pmap, pdei(va));
    for (; va < end; va += PAGE_SIZE) {
      const pte = pte_at(ptes, va);
      const opte = volatile.load32(pte);
      if ((opte & PG_V) == 0) continue;
      pmap_remove_pte(pmap, ptp, pte, va, opte);
      if (nvas < PMAP_RR_MAX) store<usize>(vas + nvas * 4, va);
      if (nvas <= PMAP_RR_MAX) nvas++;
    }
    if (changetype<usize>(ptp) != 0 && ptp.wire_count <= 1) pmap_free_ptp(pmap, ptp, ptes);
  }
  if (!current) return;
  if (nvas > PMAP_RR_MAX) {
    tlbflush();
    return;
  }
  while (nvas > 0) pmap_update_pg(load<usize>(vas + --nvas * 4));
}

/** Reduces the mappings in [sva, eva) to `prot`: read-only, or none at all. Never adds rights. */
export function pmap_protect(pmap: Pmap, sva: usize, eva: usize, prot: u32): void {
  if ((prot & VM_PROT_READ) == 0) {
    pmap_remove(pmap, sva, eva);
    return;
  }
  if ((prot & VM_PROT_WRITE) != 0) return;
  const ptes = pmap_map_ptes(pmap);
  let changed = false;
  let va = sva;
  while (va < eva) {
    const end = block_end(va, eva);
    if (pdei(va) != PDSLOT_PTE && pmap_has_ptp(pmap, va)) {
      for (; va < end; va += PAGE_SIZE) {
        const pte = pte_at(ptes, va);
        const opte = volatile.load32(pte);
        if ((opte & PG_V) == 0 || (opte & PG_RW) == 0) continue;
        volatile.store32(pte, opte & ~PG_RW);
        changed = true;
      }
    }
    va = end;
  }
  if (changed && pmap_is_current(pmap)) pmap_update();
}

/** Clears the wired mark of the mapping at `va`; the mapping stays. */
export function pmap_unwire(pmap: Pmap, va: usize): void {
  if (!pmap_has_ptp(pmap, va)) panic(cs("pmap_unwire: invalid PDE"));
  const pte = pte_at(pmap_map_ptes(pmap), va);
  const opte = volatile.load32(pte);
  if ((opte & PG_V) == 0) panic(cs("pmap_unwire: invalid (unmapped) va 0x%lx"), va);
  if ((opte & PG_W) == 0) return;
  volatile.store32(pte, opte & ~PG_W);
  pmap.pm_wired--;
}

/**
 * The physical address at `va`, to `pap` unless 0. Returns whether there is one:
 * in truth, as in 2000, whether there is a page table for `va`, be its entry
 * valid or not. uvm_fault's test for neighbours that are mapped already uses this,
 * so faultahead skips every page of a 4 MB block that has any mapping.
 */
export function pmap_extract(pmap: Pmap, va: usize, pap: usize): bool {
  if (!pmap_has_ptp(pmap, va)) return false;
  const pte = volatile.load32(pte_at(pmap_map_ptes(pmap), va));
  if (pap != 0) store<usize>(pap, (pte & PG_FRAME) | (va & ~PG_FRAME));
  return true;
}

/** Removes every mapping of a page, keeping its attributes. */
function pmap_page_remove(pg: VmPage): void {
  for (; ;) {
    const pve = changetype<PvEntry>(pg.pv_list);
    if (changetype<usize>(pve) == 0) return;
    const pmap = pve.pv_pmap;
    const ptp = pve.pv_ptp;
    const ptes = pmap_map_ptes(pmap);
    const pte = pte_at(ptes, pve.pv_va);
    const opte = volatile.load32(pte);
    volatile.store32(pte, 0);
    if ((opte & PG_W) != 0) pmap.pm_wired--;
    pmap.pm_resident--;
    pg.pv_attrs |= opte & (PG_U | PG_M);
    if (pmap_is_current(pmap)) pmap_update_pg(pve.pv_va);
    pg.pv_list = changetype<usize>(pve.pv_next);
    pmap_free_pv(pve);
    if (changetype<usize>(ptp) != 0) {
      ptp.wire_count--;
      if (ptp.wire_count <= 1) pmap_free_ptp(pmap, ptp, ptes);
    }
  }
}

/** Reduces all mappings of a page to `prot`. */
export function pmap_page_protect(pg: VmPage, prot: u32): void {
  if ((prot & VM_PROT_WRITE) != 0) return;
  if ((prot & VM_PROT_READ) != 0) pmap_change_attrs(pg, PG_RW);
  else pmap_page_remove(pg);
}

/** Clears bits in the saved attributes of a page and in all its mappings. Returns whether any was set. */
function pmap_change_attrs(pg: VmPage, clearbits: u32): bool {
  let was = (pg.pv_attrs & clearbits) != 0;
  pg.pv_attrs &= ~clearbits;
  let pve = changetype<PvEntry>(pg.pv_list);
  while (changetype<usize>(pve) != 0) {
    const pte = pte_at(pmap_map_ptes(pve.pv_pmap), pve.pv_va);
    const opte = volatile.load32(pte);
    if ((opte & clearbits) != 0) {
      was = true;
      volatile.store32(pte, opte & ~clearbits);
      if (pmap_is_current(pve.pv_pmap)) pmap_update_pg(pve.pv_va);
    }
    pve = pve.pv_next;
  }
  return was;
}

/** Is a bit set in the saved attributes or in any mapping of a page? */
function pmap_test_attrs(pg: VmPage, bit: u32): bool {
  if ((pg.pv_attrs & bit) != 0) return true;
  let pve = changetype<PvEntry>(pg.pv_list);
  while (changetype<usize>(pve) != 0) {
    const opte = volatile.load32(pte_at(pmap_map_ptes(pve.pv_pmap), pve.pv_va));
    if ((opte & bit) != 0) {
      pg.pv_attrs |= bit;
      return true;
    }
    pve = pve.pv_next;
  }
  return false;
}

/** Has the page been written since pmap_clear_modify? */
export function pmap_is_modified(pg: VmPage): bool {
  return pmap_test_attrs(pg, PG_M);
}

/** Has the page been used since pmap_clear_reference? */
export function pmap_is_referenced(pg: VmPage): bool {
  return pmap_test_attrs(pg, PG_U);
}

/** Forgets that the page was written. Returns whether it was. */
export function pmap_clear_modify(pg: VmPage): bool {
  return pmap_change_attrs(pg, PG_M);
}

/** Forgets that the page was used. Returns whether it was. */
export function pmap_clear_reference(pg: VmPage): bool {
  return pmap_change_attrs(pg, PG_U);
}
