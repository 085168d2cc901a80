// The way `burge`: the code of a mail to tech-kern (27 May 2000, "using an uvm
// aobj with MFS - page fault trap problems"), mistakes included.
//
// It maps the pages of a request into kernel_map, wires and copies. What is wrong
// with it, and the repair that the mount may ask for, each by itself:
//
//   end     uvm_unmap is given a length where it wants an end address: far below
//           every mapping, so nothing is unmapped, and without an error. Each request
//           leaves a window behind and the next one lands after it.
//   ref     uvm_map takes over a reference of the object, but nobody takes one for it.
//           When a window continues the one before, in address and in offset, uvm_map
//           joins them and drops the surplus reference: the only one. The object is
//           destroyed while mapped. (With `end` alone the first unmap does that.)
//   unwire  uvm_fault_wire is never undone: every page touched stays wired.
//   offset  a request that begins inside a page is copied to the start of the page.
//
// The reserved address mfs_uvmpage is in use (by the reservation), so not even the
// first window is there. Errors are not looked at. The cursor is shared by all
// requests, though uvm_map and uvm_fault_wire sleep.

import { memcpy } from "../../kernel/libkern";
import { DEV_BSHIFT, MAXBSIZE, PAGE_MASK, round_page, trunc_page } from "../../kernel/sys/param";
import { uao_reference } from "../../vm/uvm_aobj";
import {
  UVM_ADV_NORMAL, UVM_INH_NONE, UVM_MAPFLAG, UVM_PROT_RW, VM_PROT_ALL, VM_PROT_READ, VM_PROT_WRITE,
} from "../../vm/uvm_extern";
import { uvm_fault_unwire, uvm_fault_wire } from "../../vm/uvm_fault";
import { kernel_map, uvm_km_free, uvm_km_valloc_wait } from "../../vm/uvm_km";
import { uvm_map, uvm_unmap } from "../../vm/uvm_map";
import { B_READ, Buf } from "../buf";
import { biodone } from "../vfs_bio";
import { MFS_REPAIR_END, MFS_REPAIR_OFFSET, MFS_REPAIR_REF, MFS_REPAIR_UNWIRE } from "./mfs_names";
import { MfsArgs, Mfsnode, Mfsway } from "./mfsnode";

function mfs_burge_io(mfsp: Mfsnode, bp: Buf): void {
  const repair = mfsp.mfs_repair;
  const offset = usize(bp.b_blkno) << DEV_BSHIFT;
  const skip = (repair & MFS_REPAIR_OFFSET) != 0 ? offset & PAGE_MASK : 0;

  if ((repair & MFS_REPAIR_REF) != 0) uao_reference(mfsp.mfs_data);
  uvm_map(kernel_map(), changetype<usize>(mfsp) + offsetof<Mfsnode>("mfs_uvmpage"),
    round_page(skip + bp.b_bcount), mfsp.mfs_data,
    u64(trunc_page(offset)),
    UVM_MAPFLAG(UVM_PROT_RW, VM_PROT_ALL, UVM_INH_NONE,
      UVM_ADV_NORMAL, 0));
  uvm_fault_wire(kernel_map(), mfsp.mfs_uvmpage,
    round_page(mfsp.mfs_uvmpage + skip + bp.b_bcount),
    VM_PROT_READ | VM_PROT_WRITE);

  if ((bp.b_flags & B_READ) != 0) memcpy(bp.b_data, mfsp.mfs_uvmpage + skip, bp.b_bcount);
  else memcpy(mfsp.mfs_uvmpage + skip, bp.b_data, bp.b_bcount);

  if ((repair & MFS_REPAIR_UNWIRE) != 0) {
    uvm_fault_unwire(kernel_map(), mfsp.mfs_uvmpage, round_page(mfsp.mfs_uvmpage + skip + bp.b_bcount));
  }
  if ((repair & MFS_REPAIR_END) != 0) {
    uvm_unmap(kernel_map(), mfsp.mfs_uvmpage, round_page(mfsp.mfs_uvmpage + skip + bp.b_bcount));
  } else {
    uvm_unmap(kernel_map(), mfsp.mfs_uvmpage, round_page(bp.b_bcount));
  }

  bp.b_resid = 0;
  biodone(bp);
}

function mfs_burge_attach(mfsp: Mfsnode, args: MfsArgs): i32 {
  mfsp.mfs_scratch = uvm_km_valloc_wait(kernel_map(), MAXBSIZE);
  mfsp.mfs_uvmpage = mfsp.mfs_scratch;
  return 0;
}

function mfs_burge_detach(mfsp: Mfsnode): void {
  if (mfsp.mfs_scratch != 0) uvm_km_free(kernel_map(), mfsp.mfs_scratch, MAXBSIZE);
  mfsp.mfs_scratch = 0;
}

/** Fills in the functions of the way. */
export function mfs_burge_init(way: Mfsway): void {
  way.set_io(mfs_burge_io);
  way.set_attach(mfs_burge_attach);
  way.set_detach(mfs_burge_detach);
}
