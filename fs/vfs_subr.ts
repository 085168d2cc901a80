// The life of a vnode: from getnewvnode through references and locks to the
// free list, and out of its file system by vclean (vnode(9)).
//
//   getnewvnode -> in use (vref vget vput vrele) -> free list -> vget or getnewvnode again
//                                  \-> vgone: cleaned, dead operations, VBAD
//
// A vnode with v_usecount 0 is on vnode_free_list, or on vnode_hold_list while
// buffers name it (v_holdcnt). getnewvnode prefers the former, as the latter
// cost writes. The lists are changed at splbio, because releasing a buffer in
// an interrupt may let go of its vnode.
import { splbio, splx } from "../kernel/i386/intr";
import { curproc } from "../kernel/kern_proc";
import { lockinit } from "../kernel/kern_lock";
import { tsleep, wakeup } from "../kernel/kern_synch";
import { bzero } from "../kernel/libkern";
import { panic, printf } from "../kernel/subr_prf";
import { Pool, PR_WAITOK, pool_get, pool_init } from "../kernel/subr_pool";
import { EBUSY, EDEADLK, ENFILE, ENOENT } from "../kernel/sys/errno";
import { LK_DRAIN, LK_EXCLUSIVE, LK_NOWAIT, LK_RECURSEFAIL, LK_TYPE_MASK } from "../kernel/sys/lock";
import { M_VNODE } from "../kernel/sys/malloc";
import { PAGE_SIZE, PINOD, PVFS } from "../kernel/sys/param";
import { Proc } from "../kernel/sys/proc";
import {
  LIST_FIRST, LIST_INSERT_HEAD, LIST_NEXT, LIST_REMOVE, TAILQ_FIRST, TAILQ_INIT, TAILQ_INSERT_HEAD, TAILQ_NEXT,
  TAILQ_INSERT_TAIL, TAILQ_REMOVE,
} from "../kernel/sys/queue";
import { uvm_vnp_terminate } from "../vm/uvm_vnp";
import { dead_vnodeop } from "./dead_vnops";
import { FNONBLOCK } from "./fcntl";
import { Mount } from "./mount";
import { spec_vnodeop } from "./specfs/spec_vnops";
import { spec_unlink } from "./vfs_alias";
import { cache_purge } from "./vfs_cache";
import { vfs_busy, vfs_unbusy } from "./vfs_mount";
import { vinvalbuf } from "./vfs_vnbufs";
import { vn_lock } from "./vfs_vnops";
import {
  DOCLOSE, FORCECLOSE, NOCRED, SKIPSYSTEM, VALIASED, VBAD, VBLK, VBWAIT, VCHR, VDIROP, VISTTY, VLAYER, VNODE_SIZE,
  VNON, VONWORKLST, VREG, VROOT, VSYSTEM, VTEXT, VT_NON, VXLOCK, VXWANT, V_SAVE, Vnode, WRITECLOSE,
} from "./vnode";
import { VOP_CLOSE, VOP_INACTIVE, VOP_LOCK, VOP_PRINT, VOP_RECLAIM, VOP_UNLOCK, VnodeOps } from "./vnode_if";

export { bdevvp, cdevvp, checkalias, vcount, vfinddev } from "./vfs_alias";
export {
  dounmount, vfs_busy, vfs_getnewfsid, vfs_rootmountalloc, vfs_shutdown, vfs_unbusy, vfs_unmountall,
} from "./vfs_mount";
export { vfs_buf_print, vfs_vnode_print } from "./vfs_print";
export { reassignbuf, vflushbuf, vinvalbuf, vwakeup } from "./vfs_vnbufs";

/** Counts of vnodes. */
@unmanaged export class Vnodestat {
  /** Vnodes that exist, and how many may. */
  numvnodes: u32;
  desiredvnodes: u32;
  /** Vnodes taken from another file by getnewvnode. */
  recycled: u32;
}

export const vnodestat: Vnodestat = changetype<Vnodestat>(memory.data(offsetof<Vnodestat>()));
const vnode_pool: Pool = changetype<Pool>(memory.data(offsetof<Pool>()));
export const vnode_free_list: usize = memory.data(8);
export const vnode_hold_list: usize = memory.data(8);

const FREELIST: usize = offsetof<Vnode>("v_freelist_next");
const MNTVNODES: usize = offsetof<Vnode>("v_mntvnodes_next");

/** Sets up the vnode pool and lists; `desired` is the number of vnodes before reuse begins. Called once by vfsinit. */
export function vntblinit(desired: u32): void {
  pool_init(vnode_pool, VNODE_SIZE, 0, 0, 0, cs("vnodepl"), PAGE_SIZE, 0, 0, M_VNODE);
  TAILQ_INIT(vnode_free_list);
  TAILQ_INIT(vnode_hold_list);
  vnodestat.desiredvnodes = desired;
}

function list_length(list: usize): u32 {
  let length: u32 = 0;
  for (let at = TAILQ_FIRST(list); at != 0; at = TAILQ_NEXT(at, FREELIST)) length++;
  return length;
}

/** Number of vnodes that somebody uses. */
export function vnodes_in_use(): u32 {
  return vnodestat.numvnodes - list_length(vnode_free_list) - list_length(vnode_hold_list);
}

function freelist_remove(vp: Vnode): void {
  const s = splbio();
  if (vp.v_freelisthd != 0) TAILQ_REMOVE(vp.v_freelisthd, changetype<usize>(vp), FREELIST);
  vp.v_freelisthd = 0;
  splx(s);
}

function freelist_insert(vp: Vnode, athead: bool): void {
  const s = splbio();
  const list = vp.v_holdcnt > 0 ? vnode_hold_list : vnode_free_list;
  if (athead) TAILQ_INSERT_HEAD(list, changetype<usize>(vp), FREELIST);
  else TAILQ_INSERT_TAIL(list, changetype<usize>(vp), FREELIST);
  vp.v_freelisthd = list;
  splx(s);
}

/** A buffer or page begins to name vp. splbio. */
export function vhold(vp: Vnode): void {
  vp.v_holdcnt++;
  if (vp.v_freelisthd == vnode_free_list) {
    freelist_remove(vp);
    freelist_insert(vp, false);
  }
}

/** A buffer or page ceases to name vp. splbio. */
export function holdrele(vp: Vnode): void {
  if (vp.v_holdcnt <= 0) panic(cs("holdrele: holdcnt vp %p"), changetype<usize>(vp));
  vp.v_holdcnt--;
  if (vp.v_holdcnt == 0 && vp.v_freelisthd == vnode_hold_list) {
    freelist_remove(vp);
    freelist_insert(vp, false);
  }
}

/** Takes a vnode for reuse off the free lists and out of its file system; 0 when there is none. Sleeps. */
function recycle_vnode(): Vnode {
  let addr = TAILQ_FIRST(vnode_free_list);
  if (addr == 0) addr = TAILQ_FIRST(vnode_hold_list);
  if (addr == 0) return changetype<Vnode>(0);
  const vp = changetype<Vnode>(addr);
  if (vp.v_usecount != 0) panic(cs("free vnode isn't, vp %p"), addr);
  freelist_remove(vp);
  vnodestat.recycled++;
  if (vp.v_type != VBAD) vgonel(vp, curproc());
  return vp;
}

/** Is there a vnode of no file any more? Those are the first on the list. */
function has_dead_vnode(): bool {
  const addr = TAILQ_FIRST(vnode_free_list);
  return addr != 0 && changetype<Vnode>(addr).v_type == VBAD;
}

/**
 * Makes a vnode of file system `mp` (or of none: 0) with operations `vops` and
 * stores it at `vpp`: one reference, not locked, v_data 0. Sleeps.
 * ENFILE when no vnode is to be had; ENOENT when mp is being unmounted.
 */
export function getnewvnode(tag: u32, mp: Mount, vops: usize, vpp: usize): i32 {
  const mounted = changetype<usize>(mp) != 0;
  store<usize>(vpp, 0);
  let busied = false;
  if (mounted) {
    const error = vfs_busy(mp, LK_NOWAIT | LK_RECURSEFAIL, 0);
    if (error != 0 && error != EDEADLK) return error;
    busied = error == 0;
  }
  let vp: Vnode = changetype<Vnode>(0);
  if (has_dead_vnode() || vnodestat.numvnodes >= vnodestat.desiredvnodes) vp = recycle_vnode();
  if (changetype<usize>(vp) == 0) {
    vp = changetype<Vnode>(pool_get(vnode_pool, PR_WAITOK));
    if (changetype<usize>(vp) == 0) {
      if (busied) vfs_unbusy(mp);
      printf(cs("vnode: table is full\n"));
      return ENFILE;
    }
    bzero(changetype<usize>(vp), VNODE_SIZE);
    vnodestat.numvnodes++;
  }
  vp.v_flag = 0;
  vp.v_lastr = 0;
  vp.v_un = 0;
  vp.v_type = VNON;
  vp.v_vnlock = changetype<usize>(vp.v_lock);
  lockinit(vp.v_lock, PVFS, cs("vnlock"), 0, 0);
  cache_purge(vp);
  vp.v_tag = tag;
  vp.v_op = changetype<VnodeOps>(vops);
  insmntque(vp, mp);
  vp.v_usecount = 1;
  vp.v_data = 0;
  vp.v_error = 0;
  if (busied) vfs_unbusy(mp);
  store<usize>(vpp, changetype<usize>(vp));
  return 0;
}

/**
 * Undoes getnewvnode when another vnode for the same file won the race: the vnode
 * (one reference, not locked, no v_data) goes to the head of the free list.
 */
export function ungetnewvnode(vp: Vnode): void {
  if (vp.v_usecount != 1) panic(cs("ungetnewvnode: busy vnode"));
  vp.v_usecount = 0;
  insmntque(vp, changetype<Mount>(0));
  vp.v_type = VBAD;
  freelist_insert(vp, true);
}

/** Moves a vnode to the list of file system `mp` (0: to none). */
export function insmntque(vp: Vnode, mp: Mount): void {
  if (changetype<usize>(vp.v_mount) != 0) LIST_REMOVE(changetype<usize>(vp), MNTVNODES);
  vp.v_mount = mp;
  if (changetype<usize>(mp) == 0) return;
  LIST_INSERT_HEAD(changetype<usize>(mp) + offsetof<Mount>("mnt_vnodelist"), changetype<usize>(vp), MNTVNODES);
}

/** Adds a reference to a vnode that has one. */
export function vref(vp: Vnode): void {
  if (vp.v_usecount <= 0) panic(cs("vref used where vget required"));
  vp.v_usecount++;
}

/**
 * Adds a reference to a vnode that may be on a free list, and locks it when
 * `flags` holds a lock type. ENOENT when the vnode was being cleaned (it waits
 * for the end of that); then, and on a lock error, no reference is taken. Sleeps.
 */
export function vget(vp: Vnode, flags: u32): i32 {
  if ((vp.v_flag & VXLOCK) != 0) {
    vp.v_flag |= VXWANT;
    tsleep(changetype<usize>(vp), PINOD, cs("vget"), 0);
    return ENOENT;
  }
  if (vp.v_usecount == 0) freelist_remove(vp);
  vp.v_usecount++;
  if ((flags & LK_TYPE_MASK) == 0) return 0;
  const error = vn_lock(vp, flags);
  if (error != 0) {
    // Not vrele: the vnode was never active, so there is nothing to make inactive.
    vp.v_usecount--;
    if (vp.v_usecount == 0 && vp.v_freelisthd == 0) freelist_insert(vp, false);
  }
  return error;
}

/** Unlocks a vnode and drops a reference; the last one makes it inactive. Sleeps. */
export function vput(vp: Vnode): void {
  if (vp.v_usecount <= 0) {
    vprint(cs("vput: bad ref count"), vp);
    panic(cs("vput: ref cnt"));
  }
  vp.v_usecount--;
  if (vp.v_usecount > 0) {
    VOP_UNLOCK(vp, 0);
    return;
  }
  vp.v_flag &= ~VTEXT;
  freelist_insert(vp, false);
  VOP_INACTIVE(vp, curproc());
}

/** Drops a reference to a vnode that is not locked; the last one makes it inactive. Sleeps. */
export function vrele(vp: Vnode): void {
  if (vp.v_usecount <= 0) {
    vprint(cs("vrele: bad ref count"), vp);
    panic(cs("vrele: ref cnt"));
  }
  vp.v_usecount--;
  if (vp.v_usecount > 0) return;
  vp.v_flag &= ~VTEXT;
  freelist_insert(vp, false);
  if (vn_lock(vp, LK_EXCLUSIVE) == 0) VOP_INACTIVE(vp, curproc());
}

/**
 * Takes the vnode out of its file system: writes it back, closes it when it is
 * active and `flags` has DOCLOSE, frees its v_data and gives it dead operations.
 * VXLOCK keeps everybody else away meanwhile. Sleeps.
 */
function vclean(vp: Vnode, flags: u32, p: Proc): void {
  const active = vp.v_usecount > 0;
  if (active) vp.v_usecount++;
  if ((vp.v_flag & VXLOCK) != 0) panic(cs("vclean: deadlock, vp %p"), changetype<usize>(vp));
  vp.v_flag |= VXLOCK;
  vp.v_flag &= ~(VTEXT | VROOT);
  VOP_LOCK(vp, LK_DRAIN);
  uvm_vnp_terminate(vp, (flags & DOCLOSE) != 0);
  if ((flags & DOCLOSE) != 0 && vinvalbuf(vp, V_SAVE, NOCRED, p, 0, 0) != 0) {
    // Nobody is left to be told, and nothing may stay.
    vinvalbuf(vp, 0, NOCRED, p, 0, 0);
    vprint(cs("vclean: writing back failed, changes are lost"), vp);
  }
  if (active) {
    if ((flags & DOCLOSE) != 0) VOP_CLOSE(vp, FNONBLOCK, NOCRED, changetype<Proc>(0));
    VOP_INACTIVE(vp, p);
  } else {
    VOP_UNLOCK(vp, 0);
  }
  if (VOP_RECLAIM(vp, p) != 0) panic(cs("vclean: cannot reclaim, vp %p"), changetype<usize>(vp));
  if (active) {
    vp.v_usecount--;
    if (vp.v_usecount == 0 && vp.v_freelisthd == 0) freelist_insert(vp, false);
  }
  cache_purge(vp);
  vp.v_op = dead_vnodeop;
  vp.v_vnlock = 0;
  vp.v_tag = VT_NON;
  vp.v_flag &= ~VXLOCK;
  if ((vp.v_flag & VXWANT) != 0) {
    vp.v_flag &= ~VXWANT;
    wakeup(changetype<usize>(vp));
  }
}

/** Cleans vp at once if nobody uses it; true when it did. */
export function vrecycle(vp: Vnode, p: Proc): bool {
  if (vp.v_usecount != 0) return false;
  vgonel(vp, p);
  return true;
}

/** Cleans vp whoever uses it: their operations fail from now on. Sleeps. */
export function vgone(vp: Vnode): void {
  vgonel(vp, curproc());
}

/** vgone with the process given; waits when somebody else is cleaning vp. */
export function vgonel(vp: Vnode, p: Proc): void {
  if ((vp.v_flag & VXLOCK) != 0) {
    vp.v_flag |= VXWANT;
    tsleep(changetype<usize>(vp), PINOD, cs("vgone"), 0);
    return;
  }
  vclean(vp, DOCLOSE, p);
  if (changetype<usize>(vp.v_mount) != 0) insmntque(vp, changetype<Mount>(0));
  if ((vp.v_type == VBLK || vp.v_type == VCHR) && vp.v_un != 0) spec_unlink(vp);
  // A free vnode that means nothing is the best one to take next.
  if (vp.v_usecount == 0 && vp.v_freelisthd != 0) {
    freelist_remove(vp);
    freelist_insert(vp, true);
  }
  vp.v_type = VBAD;
}

/** One vnode of vflush: false when it is in use and stays. */
function vflush_one(vp: Vnode, flags: u32, p: Proc): bool {
  if (vp.v_usecount == 0) {
    vgonel(vp, p);
    return true;
  }
  if ((flags & FORCECLOSE) == 0) return false;
  if (vp.v_type != VBLK && vp.v_type != VCHR) {
    vgonel(vp, p);
  } else {
    vclean(vp, 0, p);
    vp.v_op = spec_vnodeop;
    vp.v_vnlock = changetype<usize>(vp.v_lock);
    lockinit(vp.v_lock, PVFS, cs("vnlock"), 0, 0);
    insmntque(vp, changetype<Mount>(0));
  }
  return true;
}

/**
 * Removes the vnodes of `mp`, but for skipvp (0: none) and, by flags, system
 * vnodes (SKIPSYSTEM) and files not open for writing (WRITECLOSE).
 * EBUSY when vnodes in use remain; FORCECLOSE takes these too. Sleeps.
 */
export function vflush(mp: Mount, skipvp: Vnode, flags: u32): i32 {
  const p = curproc();
  const head = changetype<usize>(mp) + offsetof<Mount>("mnt_vnodelist");
  let busy: u32 = 0;
  let addr = LIST_FIRST(head);
  while (addr != 0) {
    const vp = changetype<Vnode>(addr);
    if (vp.v_mount != mp) {
      // The list changed while we slept: begin again.
      busy = 0;
      addr = LIST_FIRST(head);
      continue;
    }
    addr = LIST_NEXT(addr, MNTVNODES);
    if (vp == skipvp) continue;
    if ((flags & SKIPSYSTEM) != 0 && (vp.v_flag & VSYSTEM) != 0) continue;
    if ((flags & WRITECLOSE) != 0 && (vp.v_writecount == 0 || vp.v_type != VREG)) continue;
    if (!vflush_one(vp, flags, p)) busy++;
  }
  return busy != 0 ? EBUSY : 0;
}

/** Name of a vnode type. */
export function vtype_name(type: u32): usize {
  if (type == VNON) return cs("VNON");
  if (type == VREG) return cs("VREG");
  if (type == 2) return cs("VDIR");
  if (type == VBLK) return cs("VBLK");
  if (type == VCHR) return cs("VCHR");
  if (type == 5) return cs("VLNK");
  if (type == 6) return cs("VSOCK");
  if (type == 7) return cs("VFIFO");
  return cs("VBAD");
}

/** Prints one flag of vprint; returns the separator of the next. */
function vprint_flag(vp: Vnode, flag: u32, name: usize, separator: usize): usize {
  if ((vp.v_flag & flag) == 0) return separator;
  printf(cs("%s%s"), separator, name);
  return cs("|");
}

/** Prints a vnode on the console, after `label` unless that is 0. */
export function vprint(label: usize, vp: Vnode): void {
  if (label != 0) printf(cs("%s: "), label);
  printf(cs("tag %d type %s, usecount %d, writecount %d, refcount %d,"), vp.v_tag, vtype_name(vp.v_type),
    vp.v_usecount, vp.v_writecount, vp.v_holdcnt);
  let separator = cs(" flags (");
  separator = vprint_flag(vp, VROOT, cs("VROOT"), separator);
  separator = vprint_flag(vp, VTEXT, cs("VTEXT"), separator);
  separator = vprint_flag(vp, VSYSTEM, cs("VSYSTEM"), separator);
  separator = vprint_flag(vp, VISTTY, cs("VISTTY"), separator);
  separator = vprint_flag(vp, VXLOCK, cs("VXLOCK"), separator);
  separator = vprint_flag(vp, VXWANT, cs("VXWANT"), separator);
  separator = vprint_flag(vp, VBWAIT, cs("VBWAIT"), separator);
  separator = vprint_flag(vp, VALIASED, cs("VALIASED"), separator);
  separator = vprint_flag(vp, VDIROP, cs("VDIROP"), separator);
  separator = vprint_flag(vp, VLAYER, cs("VLAYER"), separator);
  separator = vprint_flag(vp, VONWORKLST, cs("VONWORKLST"), separator);
  if (separator == cs("|")) printf(cs(")"));
  if (vp.v_data == 0) {
    printf(cs("\n"));
    return;
  }
  printf(cs("\n\t"));
  VOP_PRINT(vp);
}
