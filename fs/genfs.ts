// Vnode operations that any file system may use (genfs): do nothing, the
// ordinary vnode lock, no lock at all, write back the buffers.
import { lockmgr, lockstatus } from "../kernel/kern_lock";
import { LK_RELEASE } from "../kernel/sys/lock";
import { EINVAL, EIO, ENOTTY } from "../kernel/sys/errno";
import { Proc } from "../kernel/sys/proc";
import { uvm_vnp_fsync } from "../vm/uvm_vnp";
import { Buf } from "./buf";
import { Componentname, HASBUF, SAVESTART } from "./namei";
import { bwrite } from "./vfs_bio";
import { PNBUF_PUT } from "./vfs_lookup";
import { FSYNC_DATAONLY, FSYNC_WAIT, Vnode } from "./vnode";
import { VOP_UPDATE } from "./vnode_if";
import { vflushbuf, vn_write_error } from "./vfs_vnbufs";

/** VOP_BWRITE of everything that has nothing better. */
export function vn_bwrite(bp: Buf): i32 {
  return bwrite(bp);
}

/** VOP_OPEN and VOP_CLOSE of files that do not care. */
export function genfs_nullopen(vp: Vnode, mode: u32, cred: usize, p: Proc): i32 {
  return 0;
}

export function genfs_nullclose(vp: Vnode, fflag: u32, cred: usize, p: Proc): i32 {
  return 0;
}

export function genfs_nullfsync(vp: Vnode, cred: usize, flags: u32, p: Proc): i32 {
  return 0;
}

/** VOP_UPDATE and VOP_RECLAIM of files that keep nothing. */
export function genfs_nullupdate(vp: Vnode, access: usize, modify: usize, flags: u32): i32 {
  return 0;
}

export function genfs_nullreclaim(vp: Vnode, p: Proc): i32 {
  return 0;
}

export function genfs_enoioctl(vp: Vnode, command: u32, data: usize, fflag: u32, cred: usize, p: Proc): i32 {
  return ENOTTY;
}

/** Any offset that is not negative is good. */
export function genfs_seek(vp: Vnode, oldoff: i64, newoff: i64, cred: usize): i32 {
  return newoff < 0 ? EINVAL : 0;
}

/** Everything is always ready. */
export function genfs_poll(vp: Vnode, events: u32, p: Proc): i32 {
  return events;
}

/** Frees the path buffer of a lookup that leads to nothing. */
export function genfs_abortop(dvp: Vnode, cnp: Componentname): i32 {
  if ((cnp.cn_flags & (HASBUF | SAVESTART)) == HASBUF) PNBUF_PUT(cnp);
  return 0;
}

// The ordinary lock: one lockmgr lock in the vnode.

export function genfs_lock(vp: Vnode, flags: u32): i32 {
  return lockmgr(vp.v_lock, flags, changetype<usize>(vp) + offsetof<Vnode>("v_interlock"));
}

export function genfs_unlock(vp: Vnode, flags: u32): i32 {
  return lockmgr(vp.v_lock, flags | LK_RELEASE, changetype<usize>(vp) + offsetof<Vnode>("v_interlock"));
}

export function genfs_islocked(vp: Vnode): i32 {
  return lockstatus(vp.v_lock);
}

// No lock: for vnodes whose operations need none (MFS's device, dead vnodes).

export function genfs_nolock(vp: Vnode, flags: u32): i32 {
  return 0;
}

export function genfs_nounlock(vp: Vnode, flags: u32): i32 {
  return 0;
}

export function genfs_noislocked(vp: Vnode): i32 {
  return 0;
}

/**
 * Writes the dirty pages and buffers of vp and, unless FSYNC_DATAONLY, its inode. With FSYNC_WAIT waits, and gives
 * the error of any write since the last time, those in the background included; EIO when a page could not be written.
 */
export function genfs_fsync(vp: Vnode, cred: usize, flags: u32, p: Proc): i32 {
  const wait = flags & FSYNC_WAIT;
  let error = uvm_vnp_fsync(vp) ? 0 : EIO;
  vflushbuf(vp, wait != 0);
  if ((flags & FSYNC_DATAONLY) == 0) {
    const updated = VOP_UPDATE(vp, 0, 0, wait);
    if (updated != 0) error = updated;
  }
  const written = wait != 0 ? vn_write_error(vp) : 0;
  return written != 0 ? written : error;
}
