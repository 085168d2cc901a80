// Operations of the one special vnode of a memory file system, its device
// (mfs.md §1). Everything above it is FFS.

import { panic, printf } from "../../kernel/subr_prf";
import { Proc } from "../../kernel/sys/proc";
import { uao_detach } from "../../vm/uvm_aobj";
import { UvmObject } from "../../vm/uvm_object";
import { Buf } from "../buf";
import { genfs_enoioctl, genfs_noislocked, genfs_nolock, genfs_nounlock, genfs_nullopen, vn_bwrite } from "../genfs";
import { vn_badop_ops } from "../genfs_default";
import { genfs_nullupdate } from "../genfs";
import { genfs_revoke } from "../vfs_alias";
import { vrecycle } from "../vfs_subr";
import { spec_fsync } from "../specfs/spec_vnops";
import { vinvalbuf } from "../vfs_vnbufs";
import { V_SAVE, Vnode } from "../vnode";
import { VOP_UNLOCK, VnodeOps } from "../vnode_if";
import { mfs_dev_drain, mfs_dev_free, mfs_dev_node } from "./mfs_dev";
import { mfs_node_rele, mfs_server_dismiss } from "./mfs_server";
import { MFS_RELEASED, Mfsnode, VTOMFS, mfs_doio } from "./mfsnode";

export const mfs_vnodeop: VnodeOps = changetype<VnodeOps>(memory.data(offsetof<VnodeOps>()));

/**
 * VOP_STRATEGY: the I/O of a buffer, by the way the file system was mounted with. b_vp is the file's vnode, or the
 * device's for metadata; b_dev names the device in both cases. Done on return, except by the way `process`. Sleeps.
 */
export function mfs_strategy(bp: Buf): i32 {
  const mfsp = mfs_dev_node(bp.b_dev);
  if (changetype<usize>(mfsp) == 0) panic(cs("mfs_strategy: bad dev"));
  mfs_doio(mfsp, bp);
  return 0;
}

/** VOP_BMAP: a block of the device is where it is. */
function mfs_bmap(vp: Vnode, bn: i32, vpp: usize, bnp: usize, runp: usize): i32 {
  if (vpp != 0) store<usize>(vpp, changetype<usize>(vp));
  if (bnp != 0) store<i32>(bnp, bn);
  if (runp != 0) store<i32>(runp, 0);
  return 0;
}

/** Lets the memory go, and the process that serves it. Nothing reads or writes the device any more. */
function mfs_release(mfsp: Mfsnode): void {
  if ((mfsp.mfs_flags & MFS_RELEASED) != 0) return;
  mfsp.mfs_flags |= MFS_RELEASED;
  mfs_dev_drain(mfsp);
  mfsp.mfs_way.way_detach(mfsp);
  if (changetype<usize>(mfsp.mfs_data) != 0) uao_detach(mfsp.mfs_data);
  mfsp.mfs_data = changetype<UvmObject>(0);
  mfs_server_dismiss(mfsp);
}

/** VOP_CLOSE, when the file system is unmounted: drops the buffers, then the memory. Sleeps. */
function mfs_close(vp: Vnode, fflag: u32, cred: usize, p: Proc): i32 {
  const error = vinvalbuf(vp, V_SAVE, cred, p, 0, 0);
  // What could not be written would be lost with the memory anyway.
  if (error != 0) vinvalbuf(vp, 0, cred, p, 0, 0);
  if (vp.v_usecount > 1) {
    printf(cs("mfs_close: ref count %d > 1\n"), vp.v_usecount);
    panic(cs("mfs_close"));
  }
  mfs_release(VTOMFS(vp));
  return 0;
}

/** VOP_INACTIVE: the device is gone with its last user. */
function mfs_inactive(vp: Vnode, p: Proc): i32 {
  VOP_UNLOCK(vp, 0);
  vrecycle(vp, p);
  return 0;
}

/** VOP_RECLAIM. */
function mfs_reclaim(vp: Vnode, p: Proc): i32 {
  if (vp.v_data == 0) return 0;
  mfs_release(VTOMFS(vp));
  mfs_dev_free(vp.v_rdev);
  mfs_node_rele(VTOMFS(vp));
  vp.v_data = 0;
  return 0;
}

/** VOP_PRINT. */
function mfs_print(vp: Vnode): i32 {
  const mfsp = VTOMFS(vp);
  const base = mfsp.mfs_baseoff != 0 ? mfsp.mfs_baseoff : changetype<usize>(mfsp.mfs_data);
  printf(cs("tag VT_MFS, pid %d, base %p, size %d\n"), mfsp.mfs_pid, base, mfsp.mfs_size);
  return 0;
}

/** Fills the vector; once, at boot. */
export function mfs_vnodeop_init(): void {
  vn_badop_ops(mfs_vnodeop);
  mfs_vnodeop.set_open(genfs_nullopen);
  mfs_vnodeop.set_close(mfs_close);
  mfs_vnodeop.set_ioctl(genfs_enoioctl);
  mfs_vnodeop.set_revoke(genfs_revoke);
  mfs_vnodeop.set_fsync(spec_fsync);
  mfs_vnodeop.set_inactive(mfs_inactive);
  mfs_vnodeop.set_reclaim(mfs_reclaim);
  mfs_vnodeop.set_lock(genfs_nolock);
  mfs_vnodeop.set_unlock(genfs_nounlock);
  mfs_vnodeop.set_islocked(genfs_noislocked);
  mfs_vnodeop.set_bmap(mfs_bmap);
  mfs_vnodeop.set_strategy(mfs_strategy);
  mfs_vnodeop.set_print(mfs_print);
  mfs_vnodeop.set_update(genfs_nullupdate);
  mfs_vnodeop.set_bwrite(vn_bwrite);
}
