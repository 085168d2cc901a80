// Moving pages of files in and out.
//
// In: a missing page is read together with its neighbours that are missing too,
// in one call of VOP_READ: those of its file system block (advice NORMAL), the
// 64 KB that follow (SEQUENTIAL), or none (RANDOM). Neighbours become inactive:
// if nobody uses them they are the first to go. When memory is not plentiful
// only the page itself is read.
//
// Out: uvn_flush looks for dirty pages, makes clusters of up to 64 KB, takes
// away the right to write and the mark of modification, and has VOP_WRITE move
// them. What is modified later is dirty again. A page that cannot be written
// (no space, an error of the device) stays dirty.
//
// Both use the file system's own read and write with IO_PAGER, which makes them
// leave the pages alone; so the buffer cache is only the way of the data, and
// never longer the truth than a page exists.
import { frame_alloc } from "../kernel/i386/cpufunc";
import { pmap_clear_modify, pmap_is_modified, pmap_page_protect } from "../kernel/i386/pmap";
import { curproc } from "../kernel/kern_proc";
import { tsleep, wakeup } from "../kernel/kern_synch";
import { bzero } from "../kernel/libkern";
import { ENOSPC } from "../kernel/sys/errno";
import { LK_EXCLUSIVE, LK_NOWAIT, Lock } from "../kernel/sys/lock";
import { MAXBSIZE, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, PVM } from "../kernel/sys/param";
import { UIO_READ, UIO_SYSSPACE, UIO_WRITE } from "../kernel/sys/uio";
import { vn_lock, vn_rdwr } from "../fs/vfs_vnops";
import { IO_NODELOCKED, IO_PAGER, IO_SYNC, NOCRED, VXLOCK, Vnode } from "../fs/vnode";
import { VOP_UNLOCK } from "../fs/vnode_if";
import { uvm } from "./uvm";
import {
  PGO_ALLPAGES, PGO_CLEANIT, PGO_DEACTIVATE, PGO_FREE, PGO_SYNCIO, UVM_ADV_RANDOM, UVM_ADV_SEQUENTIAL,
  VM_PAGER_AGAIN, VM_PAGER_BAD, VM_PAGER_ERROR, VM_PAGER_FAIL, VM_PAGER_OK, VM_PROT_NONE, VM_PROT_READ,
} from "./uvm_extern";
import { UvmObject } from "./uvm_object";
import {
  NULL_PAGE, PG_BUSY, PG_CLEAN, PG_FAKE, PG_RELEASED, PG_WANTED, VmPage, uvm_pagealloc, uvm_pagedeactivate,
  uvm_pagefree, uvm_pagelookup, uvm_pageunbusy,
} from "./uvm_page";
import { PAGER_MAXPAGES, uvm_pagermapin, uvm_pagermapout } from "./uvm_pager";
import { uvm_wait_file } from "./uvm_kill";
import { uvmexp } from "./uvm_stat";
import {
  UVM_VNODE_IOSYNC, UVM_VNODE_VALID, uvn_releasepg, uvn_wait_page, uvn_wakeup,
} from "./uvm_vnode";

/** End of the pages of an object: its size, rounded up. */
function uvn_end(vp: Vnode): u64 {
  return (vp.u_size + u64(PAGE_MASK)) & ~u64(PAGE_MASK);
}

/**
 * Moves `npages` pages (at `pps`, a run from `offset` on, BUSY) between memory
 * and the file; what lies beyond the file's end is zero and not written.
 * => 0 or an errno; may sleep
 */
function uvn_io(vp: Vnode, pps: usize, npages: u32, offset: u64, rw: u32, ioflag: u32): i32 {
  const residp = frame_alloc(4);
  const room = npages << PAGE_SHIFT;
  let count = room;
  if (offset + u64(room) > vp.u_size) count = vp.u_size > offset ? u32(vp.u_size - offset) : 0;
  const kva = uvm_pagermapin(pps, npages);
  let error: i32 = 0;
  store<u32>(residp, 0);
  if (count != 0) {
    error = vn_rdwr(rw, vp, kva, count, i64(offset), UIO_SYSSPACE, IO_NODELOCKED | IO_PAGER | ioflag, NOCRED, residp,
      curproc());
  }
  const moved = count - load<u32>(residp);
  if (rw == UIO_READ && moved < room) bzero(kva + moved, room - moved);
  uvm_pagermapout(kva, npages);
  return error;
}

/** First and last offset (excluded) of what to read with the page at `offset`, to the u64s at `lop` and `hip`. */
function read_range(vp: Vnode, offset: u64, advice: u32, lop: usize, hip: usize): void {
  let lo = offset;
  let hi = offset + u64(PAGE_SIZE);
  if (advice == UVM_ADV_SEQUENTIAL) {
    hi = offset + u64(MAXBSIZE);
  } else if (advice != UVM_ADV_RANDOM && changetype<usize>(vp.v_mount) != 0) {
    const bsize = u64(vp.v_mount.mnt_stat.f_iosize);
    if (bsize > u64(PAGE_SIZE) && bsize <= u64(MAXBSIZE)) {
      lo = offset & ~(bsize - 1);
      hi = lo + bsize;
    }
  }
  if (hi > uvn_end(vp)) hi = uvn_end(vp);
  if (uvmexp.free <= uvmexp.freetarg) {
    lo = offset;
    hi = offset + u64(PAGE_SIZE);
  }
  store<u64>(lop, lo);
  store<u64>(hip, hi);
}

/** A fresh page of the object for a neighbour; NULL when it is there already or there is no memory. */
function read_neighbour(vp: Vnode, at: u64): VmPage {
  if (changetype<usize>(uvm_pagelookup(vp, at)) != 0) return NULL_PAGE;
  return uvm_pagealloc(vp, at, 0, 0);
}

/** After reading: a neighbour is clean and inactive, or goes. */
function settle_neighbour(pg: VmPage, error: i32): void {
  if (error != 0 || (pg.flags & PG_RELEASED) != 0) {
    if ((pg.flags & PG_WANTED) != 0) wakeup(changetype<usize>(pg));
    pmap_page_protect(pg, VM_PROT_NONE);
    uvm_pagefree(pg);
    return;
  }
  uvm_pagedeactivate(pg);
  uvm_pageunbusy(pg);
}

/** Reads the fresh page `centre` at `offset`, and neighbours. => 0 or an errno; the centre stays BUSY */
function read_cluster(vp: Vnode, centre: VmPage, offset: u64, advice: u32): i32 {
  const pps = frame_alloc(PAGER_MAXPAGES * 4);
  const lop = frame_alloc(8);
  const hip = frame_alloc(8);
  read_range(vp, offset, advice, lop, hip);
  const lo = load<u64>(lop);
  const centreidx = u32((offset - lo) >> PAGE_SHIFT);
  let first = centreidx;
  let end = centreidx + 1;
  store<usize>(pps + (centreidx << 2), changetype<usize>(centre));
  while (first > 0) {
    const pg = read_neighbour(vp, lo + (u64(first - 1) << PAGE_SHIFT));
    if (changetype<usize>(pg) == 0) break;
    store<usize>(pps + (--first << 2), changetype<usize>(pg));
  }
  while (end < PAGER_MAXPAGES && lo + (u64(end) << PAGE_SHIFT) < load<u64>(hip)) {
    const pg = read_neighbour(vp, lo + (u64(end) << PAGE_SHIFT));
    if (changetype<usize>(pg) == 0) break;
    store<usize>(pps + (end++ << 2), changetype<usize>(pg));
  }
  uvmexp.pageins++;
  vp.u_nio++;
  const error = uvn_io(vp, pps + (first << 2), end - first, lo + (u64(first) << PAGE_SHIFT), UIO_READ, 0);
  vp.u_nio--;
  if (vp.u_nio == 0 && (vp.u_flags & UVM_VNODE_IOSYNC) != 0) {
    vp.u_flags &= ~UVM_VNODE_IOSYNC;
    uvn_wakeup(vp);
  }
  for (let i = first; i < end; i++) {
    const pg = changetype<VmPage>(load<usize>(pps + (i << 2)));
    pmap_clear_modify(pg);
    pg.clear_flags(PG_FAKE);
    pg.set_flags(PG_CLEAN);
    if (i != centreidx) settle_neighbour(pg, error);
  }
  return error;
}

/**
 * The page at `offset`, BUSY, to `slot`; read if it is not there.
 * => VM_PAGER_OK, BAD beyond the end, ERROR, AGAIN while the vnode is being cleaned, FAIL without memory; may sleep
 */
export function uvn_get_page(vp: Vnode, offset: u64, advice: u32, slot: usize): i32 {
  for (;;) {
    let pg = uvm_pagelookup(vp, offset);
    if (changetype<usize>(pg) != 0) {
      if ((pg.flags & (PG_BUSY | PG_RELEASED)) == 0) {
        pg.set_flags(PG_BUSY);
        store<usize>(slot, changetype<usize>(pg));
        return VM_PAGER_OK;
      }
      pg.set_flags(PG_WANTED);
      tsleep(changetype<usize>(pg), PVM, cs("uvn_get"), 0);
      continue;
    }
    if ((vp.u_flags & UVM_VNODE_VALID) == 0 || offset >= uvn_end(vp)) return VM_PAGER_BAD;
    if ((vp.v_flag & VXLOCK) != 0) return VM_PAGER_AGAIN;
    pg = uvm_pagealloc(vp, offset, 0, 0);
    if (changetype<usize>(pg) == 0) {
      if (uvm_wait_file(cs("uvn_getpage")) != 0) return VM_PAGER_FAIL;
      continue;
    }
    if (read_cluster(vp, pg, offset, advice) == 0) {
      store<usize>(slot, changetype<usize>(pg));
      return VM_PAGER_OK;
    }
    if ((pg.flags & PG_WANTED) != 0) wakeup(changetype<usize>(pg));
    uvm_pagefree(pg);
    return VM_PAGER_ERROR;
  }
  return VM_PAGER_ERROR;
}

/** Has the current process locked the vnode? */
function uvn_is_mine(vp: Vnode): bool {
  if (vp.v_vnlock == 0) return false;
  const lk = changetype<Lock>(vp.v_vnlock);
  return lk.lk_exclusivecount > 0 && lk.lk_lockholder == curproc().p_pid;
}

/** Locks the vnode for writing pages. The pagedaemon does not wait. => 1: locked, 0: was ours, -1: cannot be had */
function uvn_lock(vp: Vnode): i32 {
  if (uvn_is_mine(vp)) return 0;
  if ((vp.v_flag & VXLOCK) != 0) return -1;
  const nowait = curproc() == uvm.pagedaemon_proc ? LK_NOWAIT : 0;
  return vn_lock(vp, LK_EXCLUSIVE | nowait) == 0 ? 1 : -1;
}

/** The pager's put. => VM_PAGER_OK, AGAIN when the vnode cannot be locked, ERROR; the pages stay BUSY */
export function uvn_put(uobj: UvmObject, pps: usize, npages: i32, sync: bool): i32 {
  const vp = changetype<Vnode>(uobj);
  const locked = uvn_lock(vp);
  if (locked < 0) return VM_PAGER_AGAIN;
  const offset = changetype<VmPage>(load<usize>(pps)).offset;
  const error = uvn_io(vp, pps, npages, offset, UIO_WRITE, sync ? IO_SYNC : 0);
  if (locked > 0) VOP_UNLOCK(vp, 0);
  uvmexp.pdpageouts++;
  if (error == ENOSPC) uvmexp.pgnospace++;
  return error == 0 ? VM_PAGER_OK : VM_PAGER_ERROR;
}

/** The pager's cluster: the aligned 64 KB around an offset, up to the end. */
export function uvn_cluster(uobj: UvmObject, offset: u64, lop: usize, hip: usize): void {
  const vp = changetype<Vnode>(uobj);
  const lo = offset & ~(u64(MAXBSIZE) - 1);
  let hi = lo + u64(MAXBSIZE);
  if (hi > uvn_end(vp)) hi = uvn_end(vp);
  store<u64>(lop, lo);
  store<u64>(hip, hi);
}

/** Is the page dirty? */
export function uvn_page_dirty(pg: VmPage): bool {
  return (pg.flags & PG_CLEAN) == 0 || pmap_is_modified(pg);
}

/** Begins the write of a page: BUSY, clean from now on, and whoever writes to it faults. */
function begin_clean(pg: VmPage): void {
  pg.set_flags(PG_BUSY);
  pmap_page_protect(pg, VM_PROT_READ);
  pmap_clear_modify(pg);
  pg.set_flags(PG_CLEAN);
}

/**
 * Writes the dirty page `pg` and dirty idle pages that follow it in its cluster,
 * below `stop`. => the vnode is locked by us, or the pager can lock it; may sleep; VM_PAGER_*
 */
export function uvm_pager_clean(uobj: UvmObject, pg: VmPage, stop: u64, sync: bool): i32 {
  const pps = frame_alloc(PAGER_MAXPAGES * 4);
  const lop = frame_alloc(8);
  const hip = frame_alloc(8);
  const start = pg.offset;
  uobj.pgops.pgo_cluster(uobj, start, lop, hip);
  if (load<u64>(hip) < stop) stop = load<u64>(hip);
  let npages: u32 = 0;
  let next = pg;
  do {
    begin_clean(next);
    store<usize>(pps + (npages << 2), changetype<usize>(next));
    npages++;
    const at = start + (u64(npages) << PAGE_SHIFT);
    if (npages == PAGER_MAXPAGES || at >= stop) break;
    next = uvm_pagelookup(uobj, at);
  } while (changetype<usize>(next) != 0 && (next.flags & (PG_BUSY | PG_RELEASED)) == 0 && uvn_page_dirty(next));
  const rv = uobj.pgops.pgo_put(uobj, pps, npages, sync);
  for (let i: u32 = 0; i < npages; i++) {
    const done = changetype<VmPage>(load<usize>(pps + (i << 2)));
    if (rv != VM_PAGER_OK) done.clear_flags(PG_CLEAN);
    if ((done.flags & PG_RELEASED) != 0) {
      if ((done.flags & PG_WANTED) != 0) wakeup(changetype<usize>(done));
      uobj.pgops.pgo_releasepg(done, 0);
    } else {
      uvm_pageunbusy(done);
    }
  }
  return rv;
}

/** Deactivates or frees one idle page, by flags. */
function flush_page(uobj: UvmObject, pg: VmPage, flags: u32): void {
  if (pg.loan_count != 0 || (pg.wire_count != 0 && ((flags & PGO_FREE) == 0 || uobj.uo_refs > 0))) return;
  pmap_page_protect(pg, VM_PROT_NONE);
  if ((flags & PGO_FREE) != 0) uvm_pagefree(pg);
  else uvm_pagedeactivate(pg);
}

/** One page of a flush. => false when it could not be written */
function flush_one(vp: Vnode, offset: u64, stop: u64, flags: u32): bool {
  for (;;) {
    const pg = uvm_pagelookup(vp, offset);
    if (changetype<usize>(pg) == 0) return true;
    if ((pg.flags & PG_BUSY) != 0) {
      if ((flags & PGO_CLEANIT) != 0) {
        uvn_wait_page(pg);
        continue;
      }
      if ((flags & PGO_FREE) != 0) pg.set_flags(PG_RELEASED);
      return true;
    }
    if ((flags & PGO_CLEANIT) != 0 && uvn_page_dirty(pg)) {
      const sync: bool = (flags & PGO_SYNCIO) != 0;
      if (uvm_pager_clean(vp, pg, stop, sync) != VM_PAGER_OK) return false;
      continue;
    }
    if ((flags & (PGO_FREE | PGO_DEACTIVATE)) != 0) flush_page(vp, pg, flags);
    return true;
  }
  return true;
}

/** Lowest and highest (excluded) offset of the resident pages, to the u64s at `startp` and `stopp`. */
function resident_range(vp: Vnode, startp: usize, stopp: usize): void {
  let start: u64 = 0xffffffffffffffff;
  let stop: u64 = 0;
  let pg = changetype<VmPage>(vp.memq_first);
  while (changetype<usize>(pg) != 0) {
    if (pg.offset < start) start = pg.offset;
    if (pg.offset + u64(PAGE_SIZE) > stop) stop = pg.offset + u64(PAGE_SIZE);
    pg = changetype<VmPage>(pg.listq_next);
  }
  store<u64>(startp, start);
  store<u64>(stopp, stop);
}

/**
 * The pager's flush of [start, stop), of everything with PGO_ALLPAGES: writes
 * dirty pages (PGO_CLEANIT; to the device with PGO_SYNCIO, else to buffers), then
 * deactivates or frees (PGO_DEACTIVATE, PGO_FREE) what is not wired.
 * => may sleep; without PGO_CLEANIT it does not. => false when a page could not be written
 */
export function uvn_flush(uobj: UvmObject, start: u64, stop: u64, flags: u32): bool {
  const vp = changetype<Vnode>(uobj);
  if (vp.uo_npages == 0) return true;
  const startp = frame_alloc(8);
  const stopp = frame_alloc(8);
  resident_range(vp, startp, stopp);
  if ((flags & PGO_ALLPAGES) != 0 || start < load<u64>(startp)) start = load<u64>(startp);
  if ((flags & PGO_ALLPAGES) != 0 || stop > load<u64>(stopp)) stop = load<u64>(stopp);
  start &= ~u64(PAGE_MASK);
  const locked = (flags & PGO_CLEANIT) != 0 ? uvn_lock(vp) : 0;
  if (locked < 0) return false;
  let done = true;
  for (let at = start; at < stop; at += u64(PAGE_SIZE)) {
    if (!flush_one(vp, at, stop, flags)) done = false;
  }
  if (locked > 0) VOP_UNLOCK(vp, 0);
  return done;
}
