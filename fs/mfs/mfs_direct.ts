// The way `direct`: no map and no fault. The pages of a request are asked of the
// object itself (pgo_get), and each is shown for the copy at one kernel address,
// whose page table entry is set and cleared again.
//
// A page from pgo_get is BUSY until it is given back, so nobody frees or changes
// it. Between setting and clearing the entry nothing sleeps (the buffer is wired),
// so the mount's one address serves all its requests.

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { pmap_kenter_pa, pmap_kremove } from "../../kernel/i386/pmap";
import { memcpy } from "../../kernel/libkern";
import { EIO, ENOMEM } from "../../kernel/sys/errno";
import { DEV_BSHIFT, PAGE_MASK, PAGE_SIZE } from "../../kernel/sys/param";
import { VM_PROT_READ, VM_PROT_WRITE } from "../../vm/uvm_extern";
import { kernel_map, uvm_km_free, uvm_km_valloc } from "../../vm/uvm_km";
import { NULL_PAGE } from "../../vm/uvm_page";
import { B_READ, Buf } from "../buf";
import { mfs_getpage, mfs_putpage } from "./mfs_memory";
import { MfsArgs, Mfsnode, Mfsway, mfs_inrange, mfs_iodone } from "./mfsnode";

/** Moves the bytes; 0 or an errno. */
function transfer(mfsp: Mfsnode, bp: Buf): i32 {
  const uobj = mfsp.mfs_data;
  const va = mfsp.mfs_scratch;
  const reading = (bp.b_flags & B_READ) != 0;
  let offset = u32(bp.b_blkno) << DEV_BSHIFT;
  let data = bp.b_data;
  let left = bp.b_bcount;
  while (left != 0) {
    const skip = offset & PAGE_MASK;
    const len = left < PAGE_SIZE - skip ? left : PAGE_SIZE - skip;
    const pg = mfs_getpage(uobj, offset - skip);
    if (pg == NULL_PAGE) return ENOMEM;
    pmap_kenter_pa(va, pg.phys_addr, VM_PROT_READ | VM_PROT_WRITE);
    if (reading) memcpy(data, va + skip, len);
    else memcpy(va + skip, data, len);
    pmap_kremove(va, PAGE_SIZE);
    mfs_putpage(pg);
    offset += len;
    data += len;
    left -= len;
  }
  return 0;
}

function mfs_direct_io(mfsp: Mfsnode, bp: Buf): void {
  mfs_iodone(bp, mfs_inrange(mfsp, bp) ? transfer(mfsp, bp) : EIO);
}

function mfs_direct_attach(mfsp: Mfsnode, args: MfsArgs): i32 {
  mfsp.mfs_scratch = uvm_km_valloc(kernel_map(), PAGE_SIZE);
  if (mfsp.mfs_scratch == 0) return ENOMEM;
  return 0;
}

function mfs_direct_detach(mfsp: Mfsnode): void {
  if (mfsp.mfs_scratch != 0) uvm_km_free(kernel_map(), mfsp.mfs_scratch, PAGE_SIZE);
  mfsp.mfs_scratch = 0;
}

/** Fills in the functions of the way. */
export function mfs_direct_init(way: Mfsway): void {
  way.set_io(mfs_direct_io);
  way.set_attach(mfs_direct_attach);
  way.set_detach(mfs_direct_detach);
}
