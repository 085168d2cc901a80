// Physical memory before it is managed.
//
// Boot describes memory in segments of page frames (uvm_page_physload), sorted
// by address. Until uvm_page_init, pages are taken off the ends of the segments
// (uvm_page_physget) and leave them: nobody manages them. Page tables of the
// kernel, the array of vm_pages and the page hash live in such pages.
//
// FIRST16 is the free list of the first 16 MB when there is more memory than
// that; its pages are taken last, because devices of old can reach no others.
import { frame_alloc } from "../kernel/i386/cpufunc";
import { pmap_growkernel, pmap_kenter_pa, pmap_virtual_space } from "../kernel/i386/pmap";
import { panic } from "../kernel/subr_prf";
import { PAGE_SHIFT, PAGE_SIZE, round_page, trunc_page } from "../kernel/sys/param";
import { uvm } from "./uvm";
import { VM_NFREELIST, VM_PROT_READ, VM_PROT_WRITE } from "./uvm_extern";

/** A segment of physical memory, in page frame numbers. */
@unmanaged
export class VmPhysseg {
  start: u32;
  end: u32;
  avail_start: u32;
  avail_end: u32;
  free_list: u32;
  /** First vm_page of the segment. */
  pgs: usize;
}

export const VM_PHYSSEG_MAX: u32 = 8;
const SIZEOF_PHYSSEG: u32 = 24;

const vm_physmem_store = memory.data(24 * 8, 4);
const vm_nphysseg_word = memory.data(4, 4);

/** The i-th segment; segments are sorted by address. */
export function vm_physmem(i: u32): VmPhysseg {
  return changetype<VmPhysseg>(vm_physmem_store + i * SIZEOF_PHYSSEG);
}

export function vm_nphysseg(): u32 {
  return load<u32>(vm_nphysseg_word);
}

/** Index of the segment that holds frame `pframe`, or -1. */
export function vm_physseg_find(pframe: u32): i32 {
  const n = vm_nphysseg();
  for (let i: u32 = 0; i < n; i++) {
    const seg = vm_physmem(i);
    if (pframe >= seg.start && pframe < seg.end) return i32(i);
  }
  return -1;
}

/** Has uvm_page_init run, so that uvm_pagealloc works? Before that, take pages with uvm_page_physget. */
export function uvm_page_init_done(): bool {
  return uvm.page_init_done;
}

/**
 * Describes a segment of memory: frames [start, end), of which
 * [avail_start, avail_end) are free. All in page frame numbers.
 * => before uvm_page_init only
 */
export function uvm_page_physload(start: u32, end: u32, avail_start: u32, avail_end: u32, free_list: u32): void {
  const n = vm_nphysseg();
  if (n == VM_PHYSSEG_MAX) panic(cs("uvm_page_physload: more than %d segments of memory"), VM_PHYSSEG_MAX);
  if (uvm.page_init_done) panic(cs("uvm_page_physload: called after uvm_page_init"));
  if (start >= end || free_list >= VM_NFREELIST) panic(cs("uvm_page_physload: bad segment 0x%x-0x%x"), start, end);
  let i = n;
  while (i > 0 && vm_physmem(i - 1).start > start) {
    memory.copy(changetype<usize>(vm_physmem(i)), changetype<usize>(vm_physmem(i - 1)), SIZEOF_PHYSSEG);
    i--;
  }
  const seg = vm_physmem(i);
  seg.start = start;
  seg.end = end;
  seg.avail_start = avail_start;
  seg.avail_end = avail_end;
  seg.free_list = free_list;
  seg.pgs = 0;
  store<u32>(vm_nphysseg_word, n + 1);
}

function physseg_remove(i: u32): void {
  const n = vm_nphysseg() - 1;
  for (; i < n; i++) {
    memory.copy(changetype<usize>(vm_physmem(i)), changetype<usize>(vm_physmem(i + 1)), SIZEOF_PHYSSEG);
  }
  store<u32>(vm_nphysseg_word, n);
}

/** Takes a frame off an end of the segment; it is then not managed. => -1 when the segment has none at its ends */
function physseg_take(i: u32): u32 {
  const seg = vm_physmem(i);
  let pframe: u32 = 0xffffffff;
  if (seg.avail_start >= seg.avail_end) return pframe;
  if (seg.avail_start == seg.start) {
    pframe = seg.avail_start++;
    seg.start++;
  } else if (seg.avail_end == seg.end) {
    pframe = --seg.avail_end;
    seg.end--;
  }
  if (seg.start == seg.end) physseg_remove(i);
  return pframe;
}

/**
 * Takes one page of memory before UVM manages it; its address goes to `paddrp`.
 * => false when there is none
 */
export function uvm_page_physget(paddrp: usize): bool {
  for (let list: u32 = 0; list < VM_NFREELIST; list++) {
    for (let i = i32(vm_nphysseg()) - 1; i >= 0; i--) {
      if (vm_physmem(u32(i)).free_list != list) continue;
      const pframe = physseg_take(u32(i));
      if (pframe == 0xffffffff) continue;
      store<usize>(paddrp, pframe << PAGE_SHIFT);
      return true;
    }
  }
  return false;
}

/** Kernel memory while UVM starts: `size` bytes (rounded up to pages), mapped, never freed, contents undefined. */
export function uvm_pageboot_alloc(size: usize): usize {
  if (uvm.boot_va_end == 0) pageboot_init();
  size = round_page(size);
  const addr = uvm.boot_va;
  if (uvm.boot_va_end - addr < size) panic(cs("uvm_pageboot_alloc: out of virtual space"));
  if (uvm.maxkaddr < addr + size) {
    uvm.maxkaddr = pmap_growkernel(addr + size);
    if (uvm.maxkaddr < addr + size) panic(cs("uvm_pageboot_alloc: pmap_growkernel() failed"));
  }
  uvm.boot_va = addr + size;
  const pap = frame_alloc(4);
  for (let va = addr; va < addr + size; va += PAGE_SIZE) {
    if (!uvm_page_physget(pap)) panic(cs("uvm_pageboot_alloc: out of memory"));
    pmap_kenter_pa(va, load<usize>(pap), VM_PROT_READ | VM_PROT_WRITE);
  }
  return addr;
}

function pageboot_init(): void {
  const startp = frame_alloc(4);
  const endp = frame_alloc(4);
  pmap_virtual_space(startp, endp);
  uvm.boot_va = round_page(load<usize>(startp));
  uvm.boot_va_end = trunc_page(load<usize>(endp));
}
