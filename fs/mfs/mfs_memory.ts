// The memory of a memory file system: a page exists when a block that it holds
// has an owner, and not before.
//
// FFS asks for the memory of a block when it allocates it (um_claim) and gives it
// back when the block is free (um_release). So who writes to a file system that is
// larger than memory gets ENOSPC from write(2) itself, at once: no later write of
// an allocated block can fail for want of memory, whoever starts it and whenever.
//
// A block gets no new page when fewer than MFS_RESERVE pages would be left to
// the rest of the system (free ones and those of files, which can be reclaimed).
//
//   way                         a page of it is                      is let go by
//   aobj, window, direct        a page of the mount's object         uvm_pagefree
//   process, uvm_io             an anon of the process's memory      uvm_map_clean
//
// What is read but belongs to no block (free inodes, the rest of a cylinder
// group's block) may have no page either. mfs_doio asks for it when memory is
// short: the request fails, and waits for nobody.
//
// The way of the mail (no MFS_CLAIMED) knows nothing of this.

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { pmap_page_protect } from "../../kernel/i386/pmap";
import { wakeup } from "../../kernel/kern_synch";
import { ENOSPC } from "../../kernel/sys/errno";
import { DEV_BSHIFT, PAGE_MASK, PAGE_SIZE } from "../../kernel/sys/param";
import {
  KERN_SUCCESS, PGO_FREE, PGO_LOCKED, UVM_ADV_RANDOM, VM_PAGER_OK, VM_PROT_NONE, VM_PROT_READ, VM_PROT_WRITE,
} from "../../vm/uvm_extern";
import { uvm_fault } from "../../vm/uvm_fault";
import { uvm_untouched } from "../../vm/uvm_glue";
import { uvm_map_clean } from "../../vm/uvm_map_clean";
import { UvmObject } from "../../vm/uvm_object";
import { NULL_PAGE, PG_BUSY, PG_FAKE, PG_WANTED, PQ_ACTIVE, VmPage, uvm_pageactivate, uvm_pagefree,
  uvm_pagelookup } from "../../vm/uvm_page";
import { uvm_available } from "../../vm/uvm_pdaemon";
import { uvmexp } from "../../vm/uvm_stat";
import { Buf } from "../buf";
import { Vnode } from "../vnode";
import { MFS_CLAIMED, MFS_CLOSED, Mfsnode, VTOMFS, mfs_inrange } from "./mfsnode";

/** Pages that memory file systems leave to others: what the pagedaemon keeps free, and a sixteenth of memory. */
function mfs_reserve(): i32 {
  return uvmexp.freetarg + uvmexp.npages / 16;
}

/** Is there a page for a new block? => 0 or ENOSPC; does not sleep */
function may_take_page(): i32 {
  return uvm_available() > mfs_reserve() ? 0 : ENOSPC;
}

/** The page of an object at `offset`, BUSY, made if need be; NULL when memory is short for good. Sleeps. */
export function mfs_getpage(uobj: UvmObject, offset: u32): VmPage {
  const pagep = frame_alloc(4);
  const npagesp = frame_alloc(4);
  const access = VM_PROT_READ | VM_PROT_WRITE;
  store<usize>(pagep, 0);
  store<i32>(npagesp, 1);
  let rv = uobj.pgops.pgo_get(uobj, u64(offset), pagep, npagesp, 0, access, UVM_ADV_RANDOM, PGO_LOCKED);
  if (rv != VM_PAGER_OK) {
    store<usize>(pagep, 0);
    store<i32>(npagesp, 1);
    rv = uobj.pgops.pgo_get(uobj, u64(offset), pagep, npagesp, 0, access, UVM_ADV_RANDOM, 0);
  }
  return rv == VM_PAGER_OK ? changetype<VmPage>(load<usize>(pagep)) : NULL_PAGE;
}

/** Gives a page of mfs_getpage back. */
export function mfs_putpage(pg: VmPage): void {
  if ((pg.pqflags & PQ_ACTIVE) == 0) uvm_pageactivate(pg);
  if ((pg.flags & PG_WANTED) != 0) wakeup(changetype<usize>(pg));
  pg.clear_flags(PG_BUSY | PG_FAKE | PG_WANTED);
}

/** Makes the page of an object at `offset` exist. 0 or ENOSPC. */
function claim_of_object(uobj: UvmObject, offset: u32): i32 {
  if (changetype<usize>(uvm_pagelookup(uobj, u64(offset))) != 0) return 0;
  if (may_take_page() != 0) return ENOSPC;
  const pg = mfs_getpage(uobj, offset);
  if (pg == NULL_PAGE) return ENOSPC;
  mfs_putpage(pg);
  return 0;
}

/** The same for the memory of the process that serves. */
function claim_of_process(mfsp: Mfsnode, offset: u32): i32 {
  const map = mfsp.mfs_server.p_vmspace.vm_map;
  const va = mfsp.mfs_baseoff + offset;
  if (!uvm_untouched(map, va)) return 0;
  if (may_take_page() != 0) return ENOSPC;
  return uvm_fault(map, va & ~PAGE_MASK, 0, VM_PROT_READ | VM_PROT_WRITE) == KERN_SUCCESS ? 0 : ENOSPC;
}

/** Does the mount's memory follow its blocks, and is it still there? */
function is_claimed(mfsp: Mfsnode): bool {
  return (mfsp.mfs_flags & (MFS_CLAIMED | MFS_CLOSED)) == MFS_CLAIMED;
}

/** Memory for `size` bytes from block `bn` (of DEV_BSIZE) on: 0, or ENOSPC at once when it would be short. Sleeps. */
export function mfs_claim(devvp: Vnode, bn: i32, size: u32): i32 {
  const mfsp = VTOMFS(devvp);
  if (!is_claimed(mfsp)) return 0;
  const start = u32(bn) << DEV_BSHIFT;
  const served = changetype<usize>(mfsp.mfs_data) == 0;
  for (let offset = start & ~PAGE_MASK; offset < start + size; offset += PAGE_SIZE) {
    const error = served ? claim_of_process(mfsp, offset) : claim_of_object(mfsp.mfs_data, offset);
    if (error != 0) return error;
  }
  return 0;
}

/** A request when memory is short: may it be made? 0 or ENOSPC. Sleeps. */
export function mfs_claim_request(mfsp: Mfsnode, bp: Buf): i32 {
  if (uvmexp.free > mfs_reserve() || !mfs_inrange(mfsp, bp)) return 0;
  return mfs_claim(mfsp.mfs_vnode, bp.b_blkno, bp.b_bcount);
}

/** Frees the page of an object at `offset` unless somebody is at it. */
function release_of_object(uobj: UvmObject, offset: u32): void {
  const pg = uvm_pagelookup(uobj, u64(offset));
  if (changetype<usize>(pg) == 0 || (pg.flags & PG_BUSY) != 0 || pg.wire_count != 0 || pg.loan_count != 0) return;
  pmap_page_protect(pg, VM_PROT_NONE);
  uvm_pagefree(pg);
}

/** Lets go of the pages that lie wholly in `size` bytes from block `bn` on; nobody owns these any more. Sleeps. */
export function mfs_release_blocks(devvp: Vnode, bn: i32, size: u32): void {
  const mfsp = VTOMFS(devvp);
  if (!is_claimed(mfsp)) return;
  const start = u32(bn) << DEV_BSHIFT;
  const end = (start + size) & ~PAGE_MASK;
  let offset = (start + PAGE_MASK) & ~PAGE_MASK;
  if (offset >= end) return;
  if (changetype<usize>(mfsp.mfs_data) == 0) {
    uvm_map_clean(mfsp.mfs_server.p_vmspace.vm_map, mfsp.mfs_baseoff + offset, mfsp.mfs_baseoff + end, PGO_FREE);
    return;
  }
  for (; offset < end; offset += PAGE_SIZE) release_of_object(mfsp.mfs_data, offset);
}
