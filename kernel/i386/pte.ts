// Page table entries of the i386, the windows onto them, and the TLB.
//
// Slot 767 of every page directory points at the directory itself. So the page
// tables of the current space appear as one array of entries, PTmap, and the
// directory as its part PTD. Slot 1023 can be pointed at another directory; its
// tables then appear at APTmap.
//
// Reading PTmap for an address whose directory entry is absent faults at
// PTmap + (va >> 12) * 4: test the directory entry first.
import { invlpg, lcr3, rcr3, volatile } from "./cpufunc";
import { sym } from "./sym";

/** Addresses of the windows (pmap.md §1). */
export const PTE_BASE: usize = 0xbfc00000;
export const PDP_BASE: usize = 0xbfeff000;
export const PDP_PDE: usize = 0xbfeffbfc;
export const APDP_PDE: usize = 0xbfeffffc;
export const APTE_BASE: usize = 0xffc00000;

export const PDSLOT_PTE: u32 = 767;
export const PDSLOT_KERN: u32 = 768;
export const PDSLOT_APTE: u32 = 1023;

/** Bytes that one directory entry covers. */
export const NBPD: u32 = 0x400000;
export const PDSHIFT: u32 = 22;

// Bits of an entry. PG_W and PG_PVLIST are ours, in bits the processor leaves to software.
export const PG_V: u32 = 0x001;
export const PG_RW: u32 = 0x002;
/** User mode may use the page. */
export const PG_u: u32 = 0x004;
export const PG_N: u32 = 0x018;
/** Used: set by the processor. */
export const PG_U: u32 = 0x020;
/** Modified: set by the processor. */
export const PG_M: u32 = 0x040;
export const PG_PS: u32 = 0x080;
export const PG_G: u32 = 0x100;
/** Wired. */
export const PG_W: u32 = 0x200;
/** The mapping is on its page's list. */
export const PG_PVLIST: u32 = 0x400;
export const PG_FRAME: u32 = 0xfffff000;

/** Index of the directory entry of an address. */
export function pdei(va: usize): u32 {
  return u32(va >> PDSHIFT);
}

/** Address of the entry for `va` in a window (PTE_BASE or APTE_BASE). */
export function pte_at(ptes: usize, va: usize): usize {
  return ptes + (va >> 12) * 4;
}

/** Address of the current space's entry for `va`. */
export function vtopte(va: usize): usize {
  return PTE_BASE + (va >> 12) * 4;
}

/** Drops every translation from the TLB. */
export function tlbflush(): void {
  lcr3(rcr3());
}

/** Drops the translation of one page; a 386 can only drop all. */
export function pmap_update_pg(va: usize): void {
  if (load<u32>(sym.cpu_class()) == 3) tlbflush();
  else invlpg(va);
}

/** Makes all changes of page tables take effect. */
export function pmap_update(): void {
  tlbflush();
}

/** Physical address that the current space has at `va`; the caller knows that it is mapped. */
export function vtophys(va: usize): usize {
  return (volatile.load32(vtopte(va)) & PG_FRAME) | (va & ~PG_FRAME);
}
