// The way `aobj`: map the pages of a request, wire them, copy, unwire, unmap.
//
// The rules it follows, each of which has a way to go wrong:
//   - uvm_map takes over a reference: take one first, and drop it if uvm_map fails;
//   - wiring does not mark the entry: unwire by hand before unmapping;
//   - uvm_fault_wire, uvm_fault_unwire and uvm_unmap take the END of the range;
//   - a request may begin inside a page: the window begins at the page, the copy
//     at the same offset in it, and the window is as long as both together;
//   - the address is the caller's own, so requests that sleep do not disturb each other.

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { memcpy } from "../../kernel/libkern";
import { EIO, ENOMEM } from "../../kernel/sys/errno";
import { DEV_BSHIFT, PAGE_MASK, round_page } from "../../kernel/sys/param";
import { uao_detach, uao_reference } from "../../vm/uvm_aobj";
import {
  KERN_SUCCESS, UVM_ADV_NORMAL, UVM_FLAG_NOMERGE, UVM_INH_NONE, UVM_MAPFLAG, UVM_PROT_RW, VM_PROT_ALL, VM_PROT_READ,
  VM_PROT_WRITE,
} from "../../vm/uvm_extern";
import { uvm_fault_unwire, uvm_fault_wire } from "../../vm/uvm_fault";
import { kernel_map } from "../../vm/uvm_km";
import { uvm_map, uvm_unmap, vm_map_min } from "../../vm/uvm_map";
import { UvmObject } from "../../vm/uvm_object";
import { B_READ, Buf } from "../buf";
import { MfsArgs, Mfsnode, Mfsway, mfs_inrange, mfs_iodone } from "./mfsnode";

/** Moves the bytes; 0 or an errno. */
function transfer(uobj: UvmObject, bp: Buf): i32 {
  const offset = usize(bp.b_blkno) << DEV_BSHIFT;
  const skip = offset & PAGE_MASK;
  const len = round_page(skip + bp.b_bcount);
  const vap = frame_alloc(4);
  store<usize>(vap, vm_map_min(kernel_map()));
  uao_reference(uobj);
  const flags = UVM_MAPFLAG(UVM_PROT_RW, VM_PROT_ALL, UVM_INH_NONE, UVM_ADV_NORMAL, UVM_FLAG_NOMERGE);
  if (uvm_map(kernel_map(), vap, len, uobj, u64(offset - skip), flags) != KERN_SUCCESS) {
    uao_detach(uobj);
    return ENOMEM;
  }
  const va = load<usize>(vap);
  const end = va + len;
  let error: i32 = 0;
  if (uvm_fault_wire(kernel_map(), va, end, VM_PROT_READ | VM_PROT_WRITE) == KERN_SUCCESS) {
    if ((bp.b_flags & B_READ) != 0) memcpy(bp.b_data, va + skip, bp.b_bcount);
    else memcpy(va + skip, bp.b_data, bp.b_bcount);
    uvm_fault_unwire(kernel_map(), va, end);
  } else {
    error = ENOMEM;
  }
  uvm_unmap(kernel_map(), va, end);
  return error;
}

function mfs_aobj_io(mfsp: Mfsnode, bp: Buf): void {
  mfs_iodone(bp, mfs_inrange(mfsp, bp) ? transfer(mfsp.mfs_data, bp) : EIO);
}

function mfs_aobj_attach(mfsp: Mfsnode, args: MfsArgs): i32 {
  return 0;
}

function mfs_aobj_detach(mfsp: Mfsnode): void {}

/** Fills in the functions of the way. */
export function mfs_aobj_init(way: Mfsway): void {
  way.set_io(mfs_aobj_io);
  way.set_attach(mfs_aobj_attach);
  way.set_detach(mfs_aobj_detach);
}
