// Trickle sync: the "ioflush" thread writes dirty vnodes some seconds after they
// became dirty, a few each second, instead of all of them every half minute.
//
// The work list is a wheel of one-second slots. A vnode that gets its first dirty
// buffer is put some slots ahead (files 30 s, directories 15 s, devices of mounted
// file systems 10 s); each second the thread takes the next slot. Every writable
// mount has a syncer vnode that travels on the same wheel and does VFS_SYNC.
// The wheel changes at splbio. Boot argument `syncer=off`: no thread.
import { frame_alloc } from "../kernel/i386/cpufunc";
import { splbio, splx } from "../kernel/i386/intr";
import { kthread_create1 } from "../kernel/kern_fork";
import { lockinit, lockmgr } from "../kernel/kern_lock";
import { curproc } from "../kernel/kern_proc";
import { tsleep } from "../kernel/kern_synch";
import { time_second } from "../kernel/kern_time";
import { strcmp } from "../kernel/libkern";
import { bootarg } from "../kernel/subr_bootargs";
import { panic, printf } from "../kernel/subr_prf";
import { LK_EXCLUSIVE, LK_NOWAIT, LK_RELEASE, LK_RETRY, Lock } from "../kernel/sys/lock";
import { HZ, PPAUSE, PVFS } from "../kernel/sys/param";
import { Proc } from "../kernel/sys/proc";
import { LIST_FIRST, LIST_INSERT_HEAD, LIST_REMOVE } from "../kernel/sys/queue";
import { vn_default_ops } from "./genfs_default";
import { genfs_nolock, genfs_noislocked, genfs_nounlock, genfs_nullclose } from "./genfs";
import { MNT_ASYNC, MNT_LAZY, MNT_RDONLY, Mount, VFS_SYNC } from "./mount";
import { vfs_busy, vfs_unbusy } from "./vfs_mount";
import { getnewvnode, vgone, vrele } from "./vfs_subr";
import { vn_lock } from "./vfs_vnops";
import { FSYNC_LAZY, NOCRED, VBLK, VDIR, VNON, VONWORKLST, VT_VFS, Vnode } from "./vnode";
import { VOP_FSYNC, VOP_ISLOCKED, VOP_UNLOCK, VnodeOps } from "./vnode_if";

const SYNCER_MAXDELAY: u32 = 32;
const SYNCDELAY: u32 = 30;
const FILEDELAY: u32 = 30;
const DIRDELAY: u32 = 15;
const METADELAY: u32 = 10;

const SYNCLIST: usize = offsetof<Vnode>("v_synclist_next");

@unmanaged class Syncer {
  /** The slot that is due next. */
  delayno: u32;
  running: u32;
}

const syncer: Syncer = changetype<Syncer>(memory.data(offsetof<Syncer>()));
/** Heads of the slots: SYNCER_MAXDELAY words. */
const workitem_pending: usize = memory.data(128);
const syncer_lock_store: Lock = changetype<Lock>(memory.data(offsetof<Lock>()));
const sync_vnodeop: VnodeOps = changetype<VnodeOps>(memory.data(offsetof<VnodeOps>()));

/** Held by the thread during a slot, and by dounmount, which takes vnodes off the wheel. */
export function syncer_lock(): Lock {
  return syncer_lock_store;
}

/** Seconds until a vnode that has just become dirty is written. */
export function vn_syncer_delay(vp: Vnode): u32 {
  if (vp.v_type == VDIR) return DIRDELAY;
  if (vp.v_type == VBLK && changetype<usize>(vp.v_specinfo.si_mountpoint) != 0) return METADELAY;
  return FILEDELAY;
}

/** Puts vp on the wheel, `delay` seconds ahead; one that is there moves. splbio. */
export function vn_syncer_add_to_worklist(vp: Vnode, delay: u32): void {
  if ((vp.v_flag & VONWORKLST) != 0) LIST_REMOVE(changetype<usize>(vp), SYNCLIST);
  if (delay > SYNCER_MAXDELAY - 2) delay = SYNCER_MAXDELAY - 2;
  const slot = (syncer.delayno + delay) % SYNCER_MAXDELAY;
  LIST_INSERT_HEAD(workitem_pending + (slot << 2), changetype<usize>(vp), SYNCLIST);
  vp.v_flag |= VONWORKLST;
}

/** Takes vp off the wheel. splbio. */
export function vn_syncer_remove_from_worklist(vp: Vnode): void {
  if ((vp.v_flag & VONWORKLST) == 0) return;
  LIST_REMOVE(changetype<usize>(vp), SYNCLIST);
  vp.v_flag &= ~VONWORKLST;
}

/** Writes one vnode of the slot, and sees to it that it leaves the slot. */
function sync_one(vp: Vnode, slot: usize, p: Proc): void {
  if (VOP_ISLOCKED(vp) == 0) {
    vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
    VOP_FSYNC(vp, NOCRED, FSYNC_LAZY, p);
    VOP_UNLOCK(vp, 0);
  }
  const s = splbio();
  if (LIST_FIRST(slot) == changetype<usize>(vp)) {
    if (vp.v_dirtyblkhd == 0 && vp.v_type != VBLK) {
      panic(cs("sched_sync: fsync failed vp %p tag %d"), changetype<usize>(vp), vp.v_tag);
    }
    vn_syncer_add_to_worklist(vp, SYNCDELAY);
  }
  splx(s);
}

/** The thread "ioflush". */
function sched_sync(arg: usize): void {
  const p = curproc();
  while (true) {
    const starttime = time_second();
    const s = splbio();
    const slot = workitem_pending + (syncer.delayno << 2);
    syncer.delayno = (syncer.delayno + 1) % SYNCER_MAXDELAY;
    splx(s);
    lockmgr(syncer_lock_store, LK_EXCLUSIVE, 0);
    while (LIST_FIRST(slot) != 0) sync_one(changetype<Vnode>(LIST_FIRST(slot)), slot, p);
    lockmgr(syncer_lock_store, LK_RELEASE, 0);
    if (time_second() == starttime) tsleep(changetype<usize>(syncer), PPAUSE, cs("syncer"), HZ);
  }
}

// Syncer vnodes.

/** Gives a mount a syncer vnode. Sleeps. */
export function vfs_allocate_syncvnode(mp: Mount): i32 {
  const vpp = frame_alloc(4);
  const error = getnewvnode(VT_VFS, mp, changetype<usize>(sync_vnodeop), vpp);
  if (error != 0) return error;
  const vp = changetype<Vnode>(load<usize>(vpp));
  vp.v_writecount = 1;
  vp.v_type = VNON;
  const s = splbio();
  vn_syncer_add_to_worklist(vp, SYNCDELAY);
  splx(s);
  mp.mnt_syncer = vp;
  return 0;
}

/** Takes the syncer vnode away. Sleeps. */
export function vfs_deallocate_syncvnode(mp: Mount): void {
  const vp = mp.mnt_syncer;
  mp.mnt_syncer = changetype<Vnode>(0);
  vp.v_writecount = 0;
  vrele(vp);
}

/** VOP_FSYNC of a syncer vnode: the whole file system, lazily. */
function sync_fsync(vp: Vnode, cred: usize, flags: u32, p: Proc): i32 {
  if ((flags & FSYNC_LAZY) == 0) return 0;
  const s = splbio();
  vn_syncer_add_to_worklist(vp, SYNCDELAY);
  splx(s);
  const mp = vp.v_mount;
  if ((mp.mnt_flag & MNT_RDONLY) != 0 || vfs_busy(mp, LK_NOWAIT, 0) != 0) return 0;
  const asyncflag = mp.mnt_flag & MNT_ASYNC;
  mp.mnt_flag &= ~MNT_ASYNC;
  VFS_SYNC(mp, MNT_LAZY, cred, p);
  mp.mnt_flag |= asyncflag;
  vfs_unbusy(mp);
  return 0;
}

function sync_inactive(vp: Vnode, p: Proc): i32 {
  vgone(vp);
  return 0;
}

function sync_reclaim(vp: Vnode, p: Proc): i32 {
  const s = splbio();
  vn_syncer_remove_from_worklist(vp);
  splx(s);
  return 0;
}

function sync_print(vp: Vnode): i32 {
  printf(cs("syncer vnode\n"));
  return 0;
}

/** Sets up the wheel and the operations of syncer vnodes (vfsinit). */
export function vn_initialize_syncerd(): void {
  lockinit(syncer_lock_store, PVFS, cs("synclk"), 0, 0);
  const ops = sync_vnodeop;
  vn_default_ops(ops);
  ops.set_close(genfs_nullclose);
  ops.set_fsync(sync_fsync);
  ops.set_inactive(sync_inactive);
  ops.set_reclaim(sync_reclaim);
  ops.set_lock(genfs_nolock);
  ops.set_unlock(genfs_nounlock);
  ops.set_islocked(genfs_noislocked);
  ops.set_print(sync_print);
}

/** Starts the thread, unless boot argument `syncer=off`. Called once processes can be made. */
export function syncer_start(): void {
  const arg = bootarg(cs("syncer"));
  if (arg != 0 && strcmp(arg, cs("off")) == 0) return;
  if (syncer.running != 0) return;
  syncer.running = 1;
  if (kthread_create1(sched_sync.index, 0, 0, cs("ioflush")) != 0) panic(cs("fork syncer"));
}
