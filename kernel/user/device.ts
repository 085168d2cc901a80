// The device of a mounted file system, for programs that read and write it past
// the file system and the buffer cache, as through the raw device.

import { B_BUSY, Buf } from "../../fs/buf";
import { FOLLOW, LOCKLEAF, LOOKUP, Nameidata } from "../../fs/namei";
import { VFSTOUFS } from "../../fs/ufs/ufsmount";
import { biowait } from "../../fs/vfs_bio";
import { NDINIT, namei } from "../../fs/vfs_lookup";
import { vput, vref } from "../../fs/vfs_subr";
import { Vnode } from "../../fs/vnode";
import { VOP_STRATEGY } from "../../fs/vnode_if";
import { frame_alloc } from "../i386/cpufunc";
import { curproc } from "../kern_proc";
import { UIO_SYSSPACE } from "../sys/uio";

/** The device vnode below the file system mounted on `path`, referenced, at `vpp`. */
export function device_of(path: usize, vpp: usize): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  NDINIT(nd, LOOKUP, FOLLOW | LOCKLEAF, UIO_SYSSPACE, path, curproc());
  const error = namei(nd);
  if (error != 0) return error;
  const devvp = VFSTOUFS(nd.ni_vp.v_mount).um_devvp;
  vref(devvp);
  vput(nd.ni_vp);
  store<usize>(vpp, changetype<usize>(devvp));
  return 0;
}

/** One transfer of `len` bytes between `bp` and sector `blkno` of `vp`; B_READ or 0. Sleeps. Returns an errno. */
export function device_transfer(bp: Buf, vp: Vnode, blkno: i32, len: u32, direction: u32): i32 {
  bp.b_flags = B_BUSY | direction;
  bp.b_error = 0;
  bp.b_vp = vp;
  bp.b_dev = vp.v_rdev;
  bp.b_blkno = blkno;
  bp.b_lblkno = blkno;
  bp.b_bcount = len;
  if (direction == 0) vp.v_numoutput++;
  VOP_STRATEGY(bp);
  return biowait(bp);
}
