// pmap: the start, and the windows for pages that are mapped nowhere.
//
// locore turns paging on with a directory that shows low physical memory at
// KERNBASE (and at 0, for the jump). pmap_bootstrap makes that the kernel's pmap:
// the kernel image and the ISA hole stay where they are, everything else is
// unmapped, and the addresses above the image are free from then on.
import { volatile } from "./cpufunc";
import { pmap_kernel_init } from "./pmap";
import { NBPD, PDP_BASE, PDSLOT_KERN, PDSLOT_PTE, PG_RW, PG_V, pmap_update_pg, tlbflush, vtopte } from "./pte";
import { sym } from "./sym";
import { KERNBASE, PAGE_SIZE, round_page, VM_MAX_KERNEL_ADDRESS } from "../sys/param";

/** The ISA hole, which stays mapped at its place above KERNBASE. */
export const IOM_BEGIN: usize = 0xa0000;
export const IOM_END: usize = 0x100000;

@unmanaged
class BootState {
  /** First kernel address that nobody uses. */
  virtual_avail: usize;
  /** Windows: addresses whose entries are set for one operation and cleared again. */
  csrcp: usize;
  cdstp: usize;
  zerop: usize;
}
const boot_state = changetype<BootState>(memory.data(offsetof<BootState>(), 4));

/** Takes `size` bytes (whole pages) of kernel addresses; only before UVM takes the rest. */
export function pmap_steal_kva(size: usize): usize {
  const va = boot_state.virtual_avail;
  boot_state.virtual_avail = va + size;
  return va;
}

/** Unmaps [sva, eva) of what locore mapped. */
function unmap_range(sva: usize, eva: usize): void {
  while (sva < eva) {
    volatile.store32(vtopte(sva), 0);
    sva += PAGE_SIZE;
  }
}

/** End of the kernel addresses that locore made page tables for. */
function locore_tables_end(): usize {
  let slot = PDSLOT_KERN;
  while ((volatile.load32(PDP_BASE + slot * 4) & PG_V) != 0) slot++;
  return slot * NBPD;
}

/** Takes over from locore; see above. Multiboot's structures must have been copied: low memory disappears. */
export function pmap_bootstrap(): void {
  let slot: u32 = 0;
  while (slot < PDSLOT_PTE) volatile.store32(PDP_BASE + slot++ * 4, 0);
  const tables_end = locore_tables_end();
  const image_end = round_page(sym.end());
  unmap_range(KERNBASE, KERNBASE + IOM_BEGIN);
  unmap_range(image_end, tables_end);
  volatile.store32(vtopte(sym.proc0_uarea() - PAGE_SIZE), 0);
  tlbflush();
  const pdir = sym.bootstrap_pdir();
  pmap_kernel_init(pdir, pdir - KERNBASE, tables_end);
  boot_state.virtual_avail = image_end;
  boot_state.csrcp = pmap_steal_kva(PAGE_SIZE);
  boot_state.cdstp = pmap_steal_kva(PAGE_SIZE);
  boot_state.zerop = pmap_steal_kva(PAGE_SIZE);
}

/** The kernel addresses that UVM may manage, to `startp` and `endp`. */
export function pmap_virtual_space(startp: usize, endp: usize): void {
  store<usize>(startp, boot_state.virtual_avail);
  store<usize>(endp, VM_MAX_KERNEL_ADDRESS);
}

/** Points a window at a physical page. */
function window_open(va: usize, pa: usize): void {
  volatile.store32(vtopte(va), pa | PG_RW | PG_V);
}

/** Closes a window, so that a stray access faults. */
function window_close(va: usize): void {
  volatile.store32(vtopte(va), 0);
  pmap_update_pg(va);
}

/** Fills the physical page at `pa` with zeros. */
export function pmap_zero_page(pa: usize): void {
  const va = boot_state.zerop;
  window_open(va, pa);
  memory.fill(va, 0, PAGE_SIZE);
  window_close(va);
}

/** Copies a physical page. */
export function pmap_copy_page(src: usize, dst: usize): void {
  const from = boot_state.csrcp;
  const to = boot_state.cdstp;
  window_open(from, src);
  window_open(to, dst);
  memory.copy(to, from, PAGE_SIZE);
  window_close(from);
  window_close(to);
}
