// The end of an inode's life in memory, and vnodes made from inodes.

import { lockmgr } from "../../kernel/kern_lock";
import { Pool, pool_put } from "../../kernel/subr_pool";
import { LK_EXCLUSIVE } from "../../kernel/sys/lock";
import { Proc } from "../../kernel/sys/proc";
import { Mount, MNT_RDONLY } from "../mount";
import { spec_vnodeop } from "../specfs/spec_vnops";
import { checkalias } from "../vfs_alias";
import { cache_purge } from "../vfs_cache";
import { vgone, vrecycle, vrele } from "../vfs_subr";
import { vn_write_error } from "../vfs_vnbufs";
import { IFTOVT, NOCRED, VBLK, VCHR, VFIFO, VROOT, Vnode } from "../vnode";
import { VOP_TRUNCATE, VOP_UNLOCK, VOP_UPDATE, VOP_VFREE, VnodeOps } from "../vnode_if";
import { ROOTINO } from "./dinode";
import { IN_ACCESS, IN_ACCESSED, IN_CHANGE, IN_MODIFIED, IN_UPDATE, VTOI } from "./inode";
import { ufs_ihashrem } from "./ufs_ihash";

/** In-core inodes of all UFS file systems. */
export const ffs_inode_pool: Pool = changetype<Pool>(memory.data(offsetof<Pool>()));

/**
 * VOP_INACTIVE: nobody uses the file any more. One without a name is truncated and its
 * inode freed; otherwise the inode is written if it changed. vp locked; unlocked on return. Sleeps.
 */
export function ufs_inactive(vp: Vnode, p: Proc): i32 {
  const ip = VTOI(vp);
  let error: i32 = 0;
  if (ip.i_mode != 0) {
    if (ip.i_nlink <= 0 && (vp.v_mount.mnt_flag & MNT_RDONLY) == 0) {
      error = VOP_TRUNCATE(vp, 0, 0, NOCRED, p);
      // Nobody misses what could not be written.
      vn_write_error(vp);
      ip.i_din().set_di_rdev(0);
      const mode = ip.i_mode;
      ip.i_mode = 0;
      ip.i_flag |= IN_CHANGE | IN_UPDATE;
      VOP_VFREE(vp, ip.i_number, mode);
    }
    if ((ip.i_flag & (IN_ACCESS | IN_CHANGE | IN_UPDATE | IN_MODIFIED | IN_ACCESSED)) != 0) VOP_UPDATE(vp, 0, 0, 0);
  }
  VOP_UNLOCK(vp, 0);
  // A free inode is of no use to anybody: its vnode can be taken at once.
  if (ip.i_mode == 0) vrecycle(vp, p);
  return error;
}

/** VOP_RECLAIM: the vnode gets another meaning. Not locked. */
export function ffs_reclaim(vp: Vnode, p: Proc): i32 {
  const ip = VTOI(vp);
  ufs_ihashrem(ip);
  cache_purge(vp);
  if (changetype<usize>(ip.i_devvp) != 0) {
    vrele(ip.i_devvp);
    ip.i_devvp = changetype<Vnode>(0);
  }
  pool_put(ffs_inode_pool, vp.v_data);
  vp.v_data = 0;
  return 0;
}

/**
 * Gives a vnode whose inode has just been read its type; device nodes get the operations
 * `specops` and may turn out to be a device's vnode that exists already: *vpp changes then. Sleeps.
 */
export function ufs_vinit(mp: Mount, specops: VnodeOps, fifoops: VnodeOps, vpp: usize): void {
  let vp = changetype<Vnode>(load<usize>(vpp));
  const ip = VTOI(vp);
  vp.v_type = IFTOVT(ip.i_mode);
  if (vp.v_type == VCHR || vp.v_type == VBLK) {
    vp.v_op = specops;
    const nvp = checkalias(vp, ip.i_din().di_rdev(), mp);
    if (changetype<usize>(nvp) != 0) {
      // Another vnode is the device already: it takes over our inode, ours is thrown away.
      nvp.v_data = vp.v_data;
      vp.v_data = 0;
      VOP_UNLOCK(vp, 0);
      vp.v_op = spec_vnodeop;
      vrele(vp);
      vgone(vp);
      vp = nvp;
      lockmgr(vp.v_lock, LK_EXCLUSIVE, 0);
      ip.i_vnode = vp;
    }
  } else if (vp.v_type == VFIFO) {
    vp.v_op = fifoops;
  }
  if (ip.i_number == ROOTINO) vp.v_flag |= VROOT;
  store<usize>(vpp, changetype<usize>(vp));
}
