// Operations of dead vnodes: those that vclean took from their file system while
// somebody still held them. Most fail; closing and letting go succeed.
import { tsleep } from "../kernel/kern_synch";
import { EBADF, EIO, ENOTDIR, ENXIO } from "../kernel/sys/errno";
import { PINOD } from "../kernel/sys/param";
import { Proc } from "../kernel/sys/proc";
import { panic, printf } from "../kernel/subr_prf";
import { Uio } from "../kernel/sys/uio";
import { Buf, B_ERROR } from "./buf";
import { vn_badop_ops } from "./genfs_default";
import {
  genfs_abortop, genfs_noislocked, genfs_nounlock, genfs_nullclose, genfs_nullfsync, genfs_nullreclaim,
  genfs_nullupdate, genfs_poll, genfs_seek, vn_bwrite,
} from "./genfs";
import { Componentname } from "./namei";
import { biodone } from "./vfs_bio";
import { VCHR, VISTTY, VXLOCK, VXWANT, Vattr, Vnode } from "./vnode";
import { VOP_LOCK, VnodeOps } from "./vnode_if";

export const dead_vnodeop: VnodeOps = changetype<VnodeOps>(memory.data(offsetof<VnodeOps>()));

/** Waits while the vnode is being cleaned; true when it was. */
function chkvnlock(vp: Vnode): bool {
  let locked = false;
  while ((vp.v_flag & VXLOCK) != 0) {
    vp.v_flag |= VXWANT;
    tsleep(changetype<usize>(vp), PINOD, cs("chkvnlock"), 0);
    locked = true;
  }
  return locked;
}

function dead_lookup(dvp: Vnode, vpp: usize, cnp: Componentname): i32 {
  store<usize>(vpp, 0);
  return ENOTDIR;
}

function dead_open(vp: Vnode, mode: u32, cred: usize, p: Proc): i32 {
  return ENXIO;
}

function dead_attr(vp: Vnode, vap: Vattr, cred: usize, p: Proc): i32 {
  return EBADF;
}

function dead_ioctl(vp: Vnode, command: u32, data: usize, fflag: u32, cred: usize, p: Proc): i32 {
  return EBADF;
}

function dead_readdir(vp: Vnode, uio: Uio, cred: usize, eofflag: usize, cookies: usize, ncookies: usize): i32 {
  return EBADF;
}

function dead_readlink(vp: Vnode, uio: Uio, cred: usize): i32 {
  return EBADF;
}

function dead_pathconf(vp: Vnode, name: u32, retval: usize): i32 {
  return EBADF;
}

function dead_advlock(vp: Vnode, id: usize, op: u32, fl: usize, flags: u32): i32 {
  return EBADF;
}

function dead_access(vp: Vnode, mode: u32, cred: usize, p: Proc): i32 {
  return EBADF;
}

/** The end of the file; a terminal that went away reads as an empty one. */
function dead_read(vp: Vnode, uio: Uio, ioflag: u32, cred: usize): i32 {
  if (chkvnlock(vp)) panic(cs("dead_read: lock"));
  return (vp.v_flag & VISTTY) == 0 && vp.v_type != VCHR ? EIO : 0;
}

function dead_write(vp: Vnode, uio: Uio, ioflag: u32, cred: usize): i32 {
  if (chkvnlock(vp)) panic(cs("dead_write: lock"));
  return EIO;
}

function dead_inactive(vp: Vnode, p: Proc): i32 {
  return 0;
}

function dead_lock(vp: Vnode, flags: u32): i32 {
  return chkvnlock(vp) ? VOP_LOCK(vp, flags) : 0;
}

function dead_bmap(vp: Vnode, bn: i32, vpp: usize, bnp: usize, runp: usize): i32 {
  return EIO;
}

function dead_strategy(bp: Buf): i32 {
  bp.b_error = EIO;
  bp.b_flags |= B_ERROR;
  biodone(bp);
  return EIO;
}

function dead_print(vp: Vnode): i32 {
  printf(cs("tag VT_NON, dead vnode\n"));
  return 0;
}

/** Fills dead_vnodeop (vfsinit). */
export function dead_vnodeop_init(): void {
  const ops = dead_vnodeop;
  vn_badop_ops(ops);
  ops.set_lookup(dead_lookup);
  ops.set_open(dead_open);
  ops.set_close(genfs_nullclose);
  ops.set_access(dead_access);
  ops.set_getattr(dead_attr);
  ops.set_setattr(dead_attr);
  ops.set_read(dead_read);
  ops.set_write(dead_write);
  ops.set_ioctl(dead_ioctl);
  ops.set_poll(genfs_poll);
  ops.set_seek(genfs_seek);
  ops.set_readdir(dead_readdir);
  ops.set_readlink(dead_readlink);
  ops.set_pathconf(dead_pathconf);
  ops.set_advlock(dead_advlock);
  ops.set_abortop(genfs_abortop);
  ops.set_fsync(genfs_nullfsync);
  ops.set_inactive(dead_inactive);
  ops.set_reclaim(genfs_nullreclaim);
  ops.set_update(genfs_nullupdate);
  ops.set_lock(dead_lock);
  ops.set_unlock(genfs_nounlock);
  ops.set_islocked(genfs_noislocked);
  ops.set_bwrite(vn_bwrite);
  ops.set_bmap(dead_bmap);
  ops.set_strategy(dead_strategy);
  ops.set_print(dead_print);
}
