// The pagers' window into pages: pager_map.
//
// A pager that moves pages in or out has to see them at kernel addresses.
// pager_map is a submap of kernel_map of 4 MB, divided into windows of MAXBSIZE
// bytes; a pager takes a window, enters its pages, and gives it back. When all
// are taken it waits ("pager_map"). The first window is the pagedaemon's own,
// so that the daemon never waits for somebody who waits for memory.
//
// The map is made when the first vnode is mapped: a kernel that maps no files
// has all its addresses for other things.
import { bss, frame_alloc } from "../kernel/i386/cpufunc";
import { pmap_kenter_pa, pmap_kremove } from "../kernel/i386/pmap";
import { curproc } from "../kernel/kern_proc";
import { tsleep, wakeup } from "../kernel/kern_synch";
import { MAXBSIZE, PAGE_SHIFT, PVM } from "../kernel/sys/param";
import { uvm } from "./uvm";
import { VM_PROT_READ, VM_PROT_WRITE } from "./uvm_extern";
import { kernel_map, uvm_km_suballoc } from "./uvm_km";
import { VmMap } from "./uvm_map_h";
import { VmPage } from "./uvm_page";

const PAGER_MAP_SIZE: usize = 4 << 20;
/** Number of windows. */
const NWINDOWS: u32 = 64;
/** Most pages that a window shows. */
export const PAGER_MAXPAGES: u32 = 16;

const pager_map_store = changetype<VmMap>(memory.data(offsetof<VmMap>(), 8));
/** First address of pager_map; 0 before it is made. */
const window_base: usize = memory.data(4, 4);

/** A byte per window: 1 while it is taken. */
function windows_taken(): usize {
  return bss(64, 4);
}

/** The submap of windows. */
export function pager_map(): VmMap {
  return pager_map_store;
}

/** Makes pager_map if that was not done. => may sleep; panics without kernel addresses */
export function uvm_pager_init(): void {
  if (load<usize>(window_base) != 0) return;
  const min = frame_alloc(4);
  const max = frame_alloc(4);
  store<usize>(min, kernel_map().min_offset);
  uvm_km_suballoc(kernel_map(), min, max, PAGER_MAP_SIZE, 0, false, pager_map_store);
  store<usize>(window_base, load<usize>(min));
}

function take_window(): u32 {
  const taken = windows_taken();
  if (curproc() == uvm.pagedaemon_proc) {
    store<u8>(taken, 1);
    return 0;
  }
  for (;;) {
    for (let i: u32 = 1; i < NWINDOWS; i++) {
      if (load<u8>(taken + i) != 0) continue;
      store<u8>(taken + i, 1);
      return i;
    }
    tsleep(taken, PVM, cs("pager_map"), 0);
  }
  return 0;
}

/**
 * Shows `npages` pages (addresses at `pps`, at most PAGER_MAXPAGES) at consecutive kernel addresses.
 * => the first of them; the pages are BUSY; may sleep for a window
 */
export function uvm_pagermapin(pps: usize, npages: u32): usize {
  assert(npages <= MAXBSIZE >> PAGE_SHIFT);
  const kva = load<usize>(window_base) + take_window() * MAXBSIZE;
  for (let i: u32 = 0; i < npages; i++) {
    const pg = changetype<VmPage>(load<usize>(pps + (i << 2)));
    pmap_kenter_pa(kva + (i << PAGE_SHIFT), pg.phys_addr, VM_PROT_READ | VM_PROT_WRITE);
  }
  return kva;
}

/** Gives a window of uvm_pagermapin back. */
export function uvm_pagermapout(kva: usize, npages: u32): void {
  pmap_kremove(kva, npages << PAGE_SHIFT);
  const taken = windows_taken();
  store<u8>(taken + (kva - load<usize>(window_base)) / MAXBSIZE, 0);
  wakeup(taken);
}
