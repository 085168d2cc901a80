// The vnode pager: files as memory objects.
//
// A vnode begins with its uvm_object. uvn_attach makes the object VALID and
// takes a reference to the vnode; further mappings count references to the
// object (uo_refs). When the last mapping goes, the vnode's reference is given
// back, but the object stays VALID with its pages as long as the vnode means the
// file (CANPERSIST): mapping it again finds them. Pages go when memory is short,
// when the file is cut (uvm_vnp_setsize), or when the vnode gets another
// meaning (uvm_vnp_terminate). Those and the rest of what the file systems call
// are in uvm_vnp.ts; moving pages in and out is in uvm_vnode_io.ts.
//
// An object that is or was mapped for writing is WRITEABLE and on the list of
// objects that sync looks at. Only such objects have dirty pages.
//
// LOCKS. Reading pages in takes no vnode lock: a process may fault on a page of
// a file whose vnode it has locked (read(2) into a mapping of the same file).
// Writing them out needs the lock, which comes before BUSY of a page. u_nio
// counts reads under way, so that a vnode is not cleaned under them.
//
//   one process           holds            and waits for
//   fault, reading in     page BUSY        buffer
//   read(2), write(2)     vnode, buffer    nothing that is paged: user memory that
//                                          shows files is copied first
//   write-back            vnode, pages     buffer
import { tsleep, wakeup } from "../kernel/kern_synch";
import { D_DISK, bdev_psize, bdev_type } from "../kernel/conf";
import { frame_alloc } from "../kernel/i386/cpufunc";
import { curproc } from "../kernel/kern_proc";
import { printf } from "../kernel/subr_prf";
import { pmap_page_protect } from "../kernel/i386/pmap";
import { PAGE_SHIFT, PVM } from "../kernel/sys/param";
import { LIST_INSERT_HEAD, LIST_REMOVE, TAILQ_INIT } from "../kernel/sys/queue";
import { vref, vrele } from "../fs/vfs_subr";
import { NOCRED, VBLK, VTEXT, VXLOCK, Vattr, Vnode } from "../fs/vnode";
import { VOP_GETATTR } from "../fs/vnode_if";
import {
  PGO_ALLPAGES, PGO_CLEANIT, PGO_DEACTIVATE, PGO_DONTCARE, PGO_FREE, PGO_LOCKED, VM_PAGER_OK, VM_PAGER_UNLOCK,
  VM_PROT_NONE, VM_PROT_WRITE,
} from "./uvm_extern";
import { PagerOps, UvmObject } from "./uvm_object";
import {
  PG_BUSY, PG_RELEASED, PG_WANTED, VmPage, page_queue_next, uvm_pagefree, uvm_pagelookup,
} from "./uvm_page";
import { uvm_pager_init } from "./uvm_pager";
import { uvn_cluster, uvn_flush, uvn_get_page, uvn_put } from "./uvm_vnode_io";
import { uvm_vnp_uncached_writes } from "./uvm_vnp";

// u_flags.
export const UVM_VNODE_VALID: u32 = 0x001;
export const UVM_VNODE_CANPERSIST: u32 = 0x002;
export const UVM_VNODE_ALOCK: u32 = 0x004;
export const UVM_VNODE_DYING: u32 = 0x008;
export const UVM_VNODE_RELKILL: u32 = 0x010;
export const UVM_VNODE_WANTED: u32 = 0x020;
export const UVM_VNODE_IOSYNC: u32 = 0x080;
export const UVM_VNODE_WRITEABLE: u32 = 0x200;
/** Nobody may attach now. */
export const UVM_VNODE_BLOCKED: u32 = 0x01c;

export const uvm_vnodeops = changetype<PagerOps>(memory.data(offsetof<PagerOps>(), 4));
/** LIST of WRITEABLE objects. */
export const uvn_wlist: usize = memory.data(4, 4);

const WLIST: usize = offsetof<Vnode>("u_wlist_next");
const NULL_OBJECT = changetype<UvmObject>(0);

function uvn_ops_init(): void {
  if (uvm_vnodeops.get != 0) return;
  uvm_vnodeops.set_reference(uvn_reference);
  uvm_vnodeops.set_detach(uvn_detach);
  uvm_vnodeops.set_flush(uvn_flush);
  uvm_vnodeops.set_get(uvn_get);
  uvm_vnodeops.set_put(uvn_put);
  uvm_vnodeops.set_cluster(uvn_cluster);
  uvm_vnodeops.set_releasepg(uvn_releasepg);
  uvm_pager_init();
}

/** Wakes who waits for the object to change its state. */
export function uvn_wakeup(vp: Vnode): void {
  if ((vp.u_flags & UVM_VNODE_WANTED) == 0) return;
  vp.u_flags &= ~UVM_VNODE_WANTED;
  wakeup(changetype<usize>(vp) + offsetof<Vnode>("u_flags"));
}

/** Sleeps until uvn_wakeup. */
export function uvn_sleep(vp: Vnode, wmesg: usize): void {
  vp.u_flags |= UVM_VNODE_WANTED;
  tsleep(changetype<usize>(vp) + offsetof<Vnode>("u_flags"), PVM, wmesg, 0);
}

/** The length of what the vnode is, in bytes; to the u64 at `sizep`. => errno; may sleep */
function uvn_getsize(vp: Vnode, sizep: usize): i32 {
  if (vp.v_type == VBLK) {
    const blocks = bdev_psize(vp.v_rdev);
    store<u64>(sizep, blocks < 0 ? 0 : u64(blocks) << 9);
    return 0;
  }
  const va = changetype<Vattr>(frame_alloc((offsetof<Vattr>() + 7) & ~7));
  const error = VOP_GETATTR(vp, va, NOCRED, curproc());
  if (error == 0) store<u64>(sizep, va.va_size);
  return error;
}

/** Marks the object as one that may have dirty pages. */
function uvn_set_writeable(vp: Vnode): void {
  if ((vp.u_flags & UVM_VNODE_WRITEABLE) != 0) return;
  LIST_INSERT_HEAD(uvn_wlist, changetype<usize>(vp), WLIST);
  vp.u_flags |= UVM_VNODE_WRITEABLE;
}

/** The opposite. => no dirty pages */
export function uvn_clear_writeable(vp: Vnode): void {
  if ((vp.u_flags & UVM_VNODE_WRITEABLE) == 0) return;
  LIST_REMOVE(changetype<usize>(vp), WLIST);
  vp.u_flags &= ~UVM_VNODE_WRITEABLE;
}

/**
 * The object of a vnode, with a reference for the caller. `accessprot`: with
 * VM_PROT_WRITE pages will be written through mappings.
 * => the caller holds a reference to the vnode; may sleep
 * => NULL when it cannot be mapped: no disk, or being cleaned
 */
export function uvn_attach(vp: Vnode, accessprot: u32): UvmObject {
  const sizep = frame_alloc(8);
  uvn_ops_init();
  while ((vp.u_flags & UVM_VNODE_BLOCKED) != 0) uvn_sleep(vp, cs("uvn_attach"));
  if ((vp.v_flag & VXLOCK) != 0) return NULL_OBJECT;
  if (vp.v_type == VBLK && bdev_type(vp.v_rdev) != D_DISK) return NULL_OBJECT;
  if ((vp.u_flags & UVM_VNODE_VALID) == 0) {
    vp.u_flags = UVM_VNODE_ALOCK;
    const error = uvn_getsize(vp, sizep);
    if (error != 0 || (vp.v_flag & VXLOCK) != 0) {
      vp.u_flags &= ~UVM_VNODE_ALOCK;
      uvn_wakeup(vp);
      return NULL_OBJECT;
    }
    vp.pgops = uvm_vnodeops;
    TAILQ_INIT(vp.memq);
    vp.uo_npages = 0;
    vp.uo_refs = 0;
    vp.u_nio = 0;
    vp.u_size = load<u64>(sizep);
    vp.u_flags |= UVM_VNODE_VALID | UVM_VNODE_CANPERSIST;
    vp.u_flags &= ~UVM_VNODE_ALOCK;
    uvn_wakeup(vp);
  }
  if (vp.uo_refs == 0) vref(vp);
  vp.uo_refs++;
  if ((accessprot & VM_PROT_WRITE) != 0) uvn_set_writeable(vp);
  return vp;
}

/** A shared mapping that may write was made: with two caches the object must not outlive it. */
export function uvm_vnp_mapped_shared(vp: Vnode): void {
  if (uvm_vnp_uncached_writes()) vp.u_flags &= ~UVM_VNODE_CANPERSIST;
}

function uvn_reference(uobj: UvmObject): void {
  uobj.uo_refs++;
}

/** Drops a reference; the last writes dirty pages back and lets the vnode go, its pages stay. => may sleep */
function uvn_detach(uobj: UvmObject): void {
  const vp = changetype<Vnode>(uobj);
  uobj.uo_refs--;
  if (uobj.uo_refs > 0) return;
  vp.v_flag &= ~VTEXT;
  if ((vp.u_flags & UVM_VNODE_WRITEABLE) != 0) {
    // Who attaches while this sleeps takes a reference to the vnode of its own.
    const written = uvn_flush(uobj, 0, 0, PGO_CLEANIT | PGO_ALLPAGES);
    if (!written && uobj.uo_refs == 0 && (vp.v_flag & VXLOCK) == 0) {
      // Nobody could ever write them: the file system is full or broken.
      printf(cs("uvn_detach: vnode %p: pages could not be written, changes are lost\n"), changetype<usize>(vp));
      vp.u_flags &= ~UVM_VNODE_CANPERSIST;
    }
    if (uobj.uo_refs > 0) {
      vrele(vp);
      return;
    }
    uvn_clear_writeable(vp);
  }
  if ((vp.u_flags & UVM_VNODE_CANPERSIST) != 0) {
    uvn_flush(uobj, 0, 0, PGO_DEACTIVATE | PGO_ALLPAGES);
  } else {
    uvn_destroy(vp);
  }
  vrele(vp);
}

/** Frees all pages of an object that nobody maps; it is no object any more. => may sleep */
export function uvn_destroy(vp: Vnode): void {
  vp.u_flags |= UVM_VNODE_DYING;
  uvn_clear_writeable(vp);
  uvn_flush(vp, 0, 0, PGO_FREE | PGO_ALLPAGES);
  while (vp.uo_npages > 0) {
    uvn_wait_page(changetype<VmPage>(vp.memq_first));
    uvn_flush(vp, 0, 0, PGO_FREE | PGO_ALLPAGES);
  }
  vp.u_flags &= UVM_VNODE_WANTED;
  uvn_wakeup(vp);
}

/** Sleeps until a BUSY page is not any more. */
export function uvn_wait_page(pg: VmPage): void {
  if ((pg.flags & PG_BUSY) == 0) return;
  pg.set_flags(PG_WANTED);
  tsleep(changetype<usize>(pg), PVM, cs("uvn_flush"), 0);
}

/** Frees a page that was RELEASED while BUSY; the next of its queue goes to `nextpgp` unless 0. => true */
export function uvn_releasepg(pg: VmPage, nextpgp: usize): bool {
  pmap_page_protect(pg, VM_PROT_NONE);
  if (nextpgp != 0) store<usize>(nextpgp, changetype<usize>(page_queue_next(pg)));
  uvm_pagefree(pg);
  return true;
}

/** The pager's get; contract in uvm_object.ts. => VM_PAGER_BAD beyond the end, ERROR, FAIL without memory, AGAIN */
export function uvn_get(uobj: UvmObject, offset: u64, pps: usize, npagesp: usize, centeridx: i32, access_type: u32,
  advice: u32, flags: u32): i32 {
  const maxpages = load<i32>(npagesp);
  let done = true;
  let gotpages = 0;
  for (let i = 0; i < maxpages; i++) {
    const slot = pps + (i << 2);
    const wanted = i == centeridx || (flags & PGO_ALLPAGES) != 0;
    const at = offset + (u64(i) << PAGE_SHIFT);
    if ((flags & PGO_LOCKED) == 0) {
      if (!wanted || load<usize>(slot) != 0) continue;
      const rv = uvn_get_page(changetype<Vnode>(uobj), at, advice, slot);
      if (rv != VM_PAGER_OK) return rv;
      continue;
    }
    if (load<usize>(slot) == PGO_DONTCARE) continue;
    const pg = uvm_pagelookup(uobj, at);
    if (changetype<usize>(pg) == 0 || (pg.flags & (PG_BUSY | PG_RELEASED)) != 0) {
      if (wanted) done = false;
      continue;
    }
    pg.set_flags(PG_BUSY);
    store<usize>(slot, changetype<usize>(pg));
    gotpages++;
  }
  if ((flags & PGO_LOCKED) == 0) return VM_PAGER_OK;
  store<i32>(npagesp, gotpages);
  return done ? VM_PAGER_OK : VM_PAGER_UNLOCK;
}
