// What file systems tell the vnode pager: the length of a file changed, it is
// being read or written, the vnode gets another meaning, everything dirty shall
// be written.
//
// ONE CACHE OR TWO. A file's data may be in buffers and in pages at once. By
// default the two agree (the unified cache): while an object has pages, they
// are the truth, and
//
//   read(2)   first moves dirty pages of its range to buffers, then reads buffers
//   write(2)  writes buffers, then brings the resident pages of its range up to date
//
// both with the vnode locked, so that no page is written back in between. A page
// that is read in later comes from the buffers. So a mapping sees what write(2)
// wrote, read(2) sees what a mapping wrote, and bytes that write(2) did not
// touch stay as the mapping wrote them.
//
// With the boot argument `ubc=off` the two are separate, as before 2000-11: read(2)
// and write(2) use buffers only, pages only meet them when they are read in or
// written back, and write(2) throws away an object that nobody maps.
import { frame_alloc } from "../kernel/i386/cpufunc";
import { pmap_page_protect } from "../kernel/i386/pmap";
import { curproc } from "../kernel/kern_proc";
import { bzero, strcmp } from "../kernel/libkern";
import { bootarg } from "../kernel/subr_bootargs";
import { PAGE_MASK, PAGE_SIZE, VM_MAXUSER_ADDRESS, trunc_page } from "../kernel/sys/param";
import { Iovec, SIZEOF_IOVEC, UIO_READ, UIO_SYSSPACE, UIO_USERSPACE, Uio } from "../kernel/sys/uio";
import { LIST_FIRST, LIST_NEXT } from "../kernel/sys/queue";
import { Mount } from "../fs/mount";
import { vref, vrele } from "../fs/vfs_subr";
import { vn_rdwr } from "../fs/vfs_vnops";
import { IO_NODELOCKED, IO_PAGER, NOCRED, Vnode } from "../fs/vnode";
import { PGO_ALLPAGES, PGO_CLEANIT, PGO_FREE, VM_PROT_NONE } from "./uvm_extern";
import { uvm_map_lookup_entry, vm_map_lock_read, vm_map_unlock_read } from "./uvm_map";
import { VmMap, VmMapEntry } from "./uvm_map_h";
import { PG_BUSY, PG_CLEAN, VmPage, uvm_pagelookup, uvm_pageunbusy, uvm_pagerelease, PG_RELEASED } from "./uvm_page";
import { uvm_pagermapin, uvm_pagermapout } from "./uvm_pager";
import {
  UVM_VNODE_ALOCK, UVM_VNODE_CANPERSIST, UVM_VNODE_IOSYNC, UVM_VNODE_VALID, UVM_VNODE_WRITEABLE, uvm_vnodeops,
  uvn_clear_writeable, uvn_destroy, uvn_sleep, uvn_wait_page, uvn_wlist,
} from "./uvm_vnode";
import { uvn_flush } from "./uvm_vnode_io";

const WLIST: usize = offsetof<Vnode>("u_wlist_next");

/** Are buffers and pages separate caches (boot argument ubc=off)? */
export function uvm_vnp_uncached_writes(): bool {
  const arg = bootarg(cs("ubc"));
  return arg != 0 && strcmp(arg, cs("off")) == 0;
}

/** Does the vnode have pages that read and write must look at? */
function has_pages(vp: Vnode): bool {
  return vp.uo_npages != 0 && (vp.u_flags & UVM_VNODE_VALID) != 0;
}

/** The resident page at `offset`, made BUSY; waits for it. => NULL when it is not there */
function busy_page(vp: Vnode, offset: u64): VmPage {
  for (;;) {
    const pg = uvm_pagelookup(vp, offset);
    if (changetype<usize>(pg) == 0) return pg;
    if ((pg.flags & PG_BUSY) == 0) {
      pg.set_flags(PG_BUSY);
      return pg;
    }
    uvn_wait_page(pg);
  }
  return changetype<VmPage>(0);
}

function unbusy(pg: VmPage): void {
  if ((pg.flags & PG_RELEASED) != 0) uvm_pagerelease(pg);
  else uvm_pageunbusy(pg);
}

/** Zeroes the bytes of a resident page from `offset` (not at its start) to its end. */
function zero_tail(vp: Vnode, offset: u64): void {
  const slot = frame_alloc(4);
  const skip = u32(offset) & PAGE_MASK;
  const pg = busy_page(vp, offset - u64(skip));
  if (changetype<usize>(pg) == 0) return;
  store<usize>(slot, changetype<usize>(pg));
  const kva = uvm_pagermapin(slot, 1);
  bzero(kva + skip, PAGE_SIZE - skip);
  uvm_pagermapout(kva, 1);
  unbusy(pg);
}

/**
 * The file is now `newsize` bytes long. Pages beyond go; what a mapping wrote
 * behind the old or the new end in the last page is zeroed. => vnode locked; may sleep
 */
export function uvm_vnp_setsize(vp: Vnode, newsize: u64): void {
  if ((vp.u_flags & UVM_VNODE_VALID) == 0) return;
  const oldsize = vp.u_size;
  vp.u_size = newsize;
  if (newsize == oldsize || vp.uo_npages == 0) return;
  const end = (newsize + u64(PAGE_MASK)) & ~u64(PAGE_MASK);
  if (newsize < oldsize) uvn_flush(vp, end, (oldsize + u64(PAGE_MASK)) & ~u64(PAGE_MASK), PGO_FREE);
  const edge = newsize < oldsize ? newsize : oldsize;
  if ((u32(edge) & PAGE_MASK) != 0) zero_tail(vp, edge);
}

/** read(2) is about to read `len` bytes at `offset` from buffers. => vnode locked; may sleep */
export function uvm_vnp_reading(vp: Vnode, offset: u64, len: u32): void {
  if (!has_pages(vp) || (vp.u_flags & UVM_VNODE_WRITEABLE) == 0 || uvm_vnp_uncached_writes()) return;
  uvn_flush(vp, offset, offset + u64(len), PGO_CLEANIT);
}

/** write(2) has written `len` bytes at `offset` to buffers. => vnode locked, no buffer busy; may sleep */
export function uvm_vnp_written(vp: Vnode, offset: u64, len: u32): void {
  if (!has_pages(vp)) return;
  if (uvm_vnp_uncached_writes()) {
    uvm_vnp_uncache(vp);
    return;
  }
  const residp = frame_alloc(4);
  const slot = frame_alloc(4);
  const end = offset + u64(len);
  while (offset < end) {
    const skip = u32(offset) & PAGE_MASK;
    let count = PAGE_SIZE - skip;
    if (u64(count) > end - offset) count = u32(end - offset);
    const pg = busy_page(vp, offset - u64(skip));
    if (changetype<usize>(pg) != 0) {
      store<usize>(slot, changetype<usize>(pg));
      const kva = uvm_pagermapin(slot, 1);
      vn_rdwr(UIO_READ, vp, kva + skip, count, i64(offset), UIO_SYSSPACE, IO_NODELOCKED | IO_PAGER, NOCRED, residp,
        curproc());
      uvm_pagermapout(kva, 1);
      unbusy(pg);
    }
    offset += u64(count);
  }
}

/** Throws away an object that nobody maps. => true unless it is mapped; may sleep */
export function uvm_vnp_uncache(vp: Vnode): bool {
  if ((vp.u_flags & UVM_VNODE_VALID) == 0) return true;
  if (vp.uo_refs > 0) {
    vp.u_flags &= ~UVM_VNODE_CANPERSIST;
    return false;
  }
  uvn_destroy(vp);
  return true;
}

/**
 * The vnode gets another meaning (vclean): its object ends, dirty pages are
 * written if `save`. An object that is still mapped stays as an empty one, all
 * of whose pages lie beyond its end. => VXLOCK, the vnode's lock drained; may sleep
 */
export function uvm_vnp_terminate(vp: Vnode, save: bool): void {
  while ((vp.u_flags & UVM_VNODE_ALOCK) != 0) uvn_sleep(vp, cs("uvn_term"));
  if ((vp.u_flags & UVM_VNODE_VALID) == 0) return;
  while (vp.u_nio != 0) {
    vp.u_flags |= UVM_VNODE_IOSYNC;
    uvn_sleep(vp, cs("uvn_term"));
  }
  if (save && (vp.u_flags & UVM_VNODE_WRITEABLE) != 0) uvn_flush(vp, 0, 0, PGO_CLEANIT | PGO_ALLPAGES);
  if (vp.uo_refs == 0) {
    uvn_destroy(vp);
    return;
  }
  vp.u_flags &= ~UVM_VNODE_CANPERSIST;
  uvn_clear_writeable(vp);
  vp.u_size = 0;
  uvn_flush(vp, 0, 0, PGO_FREE | PGO_ALLPAGES);
  // What is left is wired; it must not be found dirty.
  let pg = changetype<VmPage>(vp.memq_first);
  while (changetype<usize>(pg) != 0) {
    pg.set_flags(PG_CLEAN);
    pg = changetype<VmPage>(pg.listq_next);
  }
}

/** Writes the dirty pages of one vnode to its buffers. => may sleep; false when one could not be written */
export function uvm_vnp_fsync(vp: Vnode): bool {
  if (!has_pages(vp) || (vp.u_flags & UVM_VNODE_WRITEABLE) == 0) return true;
  return uvn_flush(vp, 0, 0, PGO_CLEANIT | PGO_ALLPAGES);
}

/** The number of the last uvm_vnp_sync. */
const syncround: usize = memory.data(4, 4);

/**
 * Writes the dirty pages of all files of a file system (NULL: of all) to their buffers. Each write may sleep and
 * change the list, so it begins again after each; the number of the round tells which objects were done. When two
 * rounds meet, each object is written by one of them. => may sleep
 */
export function uvm_vnp_sync(mp: Mount): void {
  const round = load<u32>(syncround) + 1;
  store<u32>(syncround, round);
  let addr = LIST_FIRST(uvn_wlist);
  while (addr != 0) {
    const vp = changetype<Vnode>(addr);
    addr = LIST_NEXT(addr, WLIST);
    if ((changetype<usize>(mp) != 0 && vp.v_mount != mp) || vp.uo_refs == 0) continue;
    if (i32(vp.u_syncround - round) >= 0) continue;
    vp.u_syncround = round;
    vref(vp);
    uvm_vnp_fsync(vp);
    vrele(vp);
    addr = LIST_FIRST(uvn_wlist);
  }
}

/**
 * Does the memory of a request show files? Then touching it while a buffer is
 * busy could need that very buffer. => may sleep for the map's lock
 */
export function uvm_uio_shows_files(uio: Uio): bool {
  if (uio.uio_segflg != UIO_USERSPACE || changetype<usize>(curproc()) == 0) return false;
  const map = changetype<VmMap>(curproc().p_vmspace);
  const entryp = frame_alloc(4);
  let found: bool = false;
  vm_map_lock_read(map);
  let left = uio.uio_resid;
  let iov = uio.uio_iov;
  for (let i: i32 = 0; i < uio.uio_iovcnt && !found && left > 0; i++) {
    const len = iov.iov_len < left ? iov.iov_len : left;
    const end = iov.iov_base + len;
    const at = trunc_page(iov.iov_base);
    if (end >= at && end <= VM_MAXUSER_ADDRESS && len != 0) {
      const hit = uvm_map_lookup_entry(map, at, entryp);
      let entry = changetype<VmMapEntry>(load<usize>(entryp));
      if (!hit) entry = entry.next;
      while (entry != map.header && entry.start < end && !found) {
        found = entry.isobj && entry.uvm_obj.pgops == uvm_vnodeops;
        entry = entry.next;
      }
    }
    left -= len;
    iov = changetype<Iovec>(changetype<usize>(iov) + SIZEOF_IOVEC);
  }
  vm_map_unlock_read(map);
  return found;
}
