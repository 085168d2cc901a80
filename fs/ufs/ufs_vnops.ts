// Making, linking and removing files and directories; reading directories and
// symbolic links; the way of a buffer to the device.
//
// Names are entered and removed at the place that ufs_lookup found; the
// directory stayed locked since. Order on the disk: link count up before the
// entry is made, entry gone before the link count goes down.

import { uiomove } from "../../kernel/kern_subr";
import { memcpy, strlen } from "../../kernel/libkern";
import { panic } from "../../kernel/subr_prf";
import { EBUSY, EINVAL, EMLINK, ENOENT, ENOTEMPTY, EPERM, EXDEV } from "../../kernel/sys/errno";
import { LK_EXCLUSIVE } from "../../kernel/sys/lock";
import { frame_alloc } from "../../kernel/i386/cpufunc";
import { UIO_SYSSPACE, UIO_WRITE, Uio } from "../../kernel/sys/uio";
import { B_ERROR, Buf } from "../buf";
import { Componentname, HASBUF, SAVESTART } from "../namei";
import { biodone, clrbuf } from "../vfs_bio";
import { cache_purge } from "../vfs_cache";
import { PNBUF_PUT } from "../vfs_lookup";
import { vgone, vput, vrele } from "../vfs_subr";
import { vn_lock, vn_rdwr } from "../vfs_vnops";
import {
  IFTOVT, IO_NODELOCKED, IO_SYNC, UPDATE_WAIT, VBLK, VCHR, VDIR, VNON, VNOVAL, VTTOIF, Vattr, Vnode,
} from "../vnode";
import { VOP_ABORTOP, VOP_BMAP, VOP_READ, VOP_TRUNCATE, VOP_UNLOCK, VOP_UPDATE, VOP_VALLOC } from "../vnode_if";
import {
  FLAGS_APPEND, FLAGS_IMMUTABLE, IFDIR, IFLNK, IFMT, IFREG, ISGID, LINK_MAX,
} from "./dinode";
import { DIRBLKSIZ } from "./dir";
import { IN_ACCESS, IN_CHANGE, IN_UPDATE, Inode, VTOI } from "./inode";
import { cr_ingroup, cr_uid } from "./ufs_cred";
import { ufs_dirempty, ufs_direnter_inode, ufs_dirinit, ufs_dirremove } from "./ufs_dirops";

/** Frees the path buffer at the end of an operation that used the name, unless the caller keeps it. */
function releaseName(cnp: Componentname): void {
  if ((cnp.cn_flags & (HASBUF | SAVESTART)) == HASBUF) PNBUF_PUT(cnp);
}

/** Gives a fresh inode its owner, type and link count. */
function dressInode(vp: Vnode, dvp: Vnode, mode: u32, nlink: i32, cred: usize): Inode {
  const ip = VTOI(vp);
  ip.i_uid = cr_uid(cred);
  ip.i_gid = VTOI(dvp).i_gid;
  ip.i_flag |= IN_ACCESS | IN_CHANGE | IN_UPDATE;
  ip.i_mode = mode;
  ip.i_nlink = nlink;
  vp.v_type = IFTOVT(mode);
  return ip;
}

/** Adds to a link count. */
function addLinks(ip: Inode, count: i32): void {
  ip.i_nlink += count;
  ip.i_flag |= IN_CHANGE;
}

/** Makes an inode and its name in dvp, which is put always. *vpp: locked. Frees the name unless SAVESTART. Sleeps. */
export function ufs_makeinode(mode: u32, dvp: Vnode, vpp: usize, cnp: Componentname): i32 {
  let fullmode = (mode & IFMT) == 0 ? mode | IFREG : mode;
  store<usize>(vpp, 0);
  const tvpp = frame_alloc(4);
  let error = VOP_VALLOC(dvp, fullmode, cnp.cn_cred, tvpp);
  if (error != 0) {
    releaseName(cnp);
    vput(dvp);
    return error;
  }
  const tvp = changetype<Vnode>(load<usize>(tvpp));
  const member = cr_uid(cnp.cn_cred) == 0 || cr_ingroup(cnp.cn_cred, VTOI(dvp).i_gid);
  if ((fullmode & ISGID) != 0 && !member) fullmode &= ~ISGID;
  const ip = dressInode(tvp, dvp, fullmode, 1, cnp.cn_cred);
  error = VOP_UPDATE(tvp, 0, 0, UPDATE_WAIT);
  if (error == 0) error = ufs_direnter_inode(dvp, ip, cnp);
  releaseName(cnp);
  vput(dvp);
  if (error != 0) {
    addLinks(ip, -1);
    vput(tvp);
    return error;
  }
  store<usize>(vpp, changetype<usize>(tvp));
  return 0;
}

/** VOP_CREATE. */
export function ufs_create(dvp: Vnode, vpp: usize, cnp: Componentname, vap: Vattr): i32 {
  return ufs_makeinode(VTTOIF(vap.va_type) | (vap.va_mode & 0o7777), dvp, vpp, cnp);
}

/** VOP_MKNOD. The inode is let go, so that the next lookup gives it the operations of its device. */
export function ufs_mknod(dvp: Vnode, vpp: usize, cnp: Componentname, vap: Vattr): i32 {
  const error = ufs_makeinode(VTTOIF(vap.va_type) | (vap.va_mode & 0o7777), dvp, vpp, cnp);
  if (error != 0) return error;
  const vp = changetype<Vnode>(load<usize>(vpp));
  const ip = VTOI(vp);
  ip.i_flag |= IN_ACCESS | IN_CHANGE | IN_UPDATE;
  if (vap.va_rdev != VNOVAL) ip.i_din().set_di_rdev(vap.va_rdev);
  vput(vp);
  vp.v_type = VNON;
  vgone(vp);
  store<usize>(vpp, 0);
  return 0;
}

/** VOP_REMOVE. */
export function ufs_remove(dvp: Vnode, vp: Vnode, cnp: Componentname): i32 {
  const ip = VTOI(vp);
  let error: i32 = 0;
  const kept = (ip.i_flags & (FLAGS_IMMUTABLE | FLAGS_APPEND)) != 0 || (VTOI(dvp).i_flags & FLAGS_APPEND) != 0;
  if (vp.v_type == VDIR || kept) {
    error = EPERM;
  } else {
    error = ufs_dirremove(dvp);
    if (error == 0) addLinks(ip, -1);
  }
  releaseName(cnp);
  if (dvp == vp) vrele(vp);
  else vput(vp);
  vput(dvp);
  return error;
}

/** Enters another name for vp; both locked. */
function linkLocked(dvp: Vnode, vp: Vnode, cnp: Componentname): i32 {
  const ip = VTOI(vp);
  // Its last name was removed since it was found.
  if (ip.i_nlink == 0) return ENOENT;
  if (ip.i_nlink >= LINK_MAX) return EMLINK;
  if ((ip.i_flags & (FLAGS_IMMUTABLE | FLAGS_APPEND)) != 0) return EPERM;
  addLinks(ip, 1);
  let error = VOP_UPDATE(vp, 0, 0, UPDATE_WAIT);
  if (error == 0) error = ufs_direnter_inode(dvp, ip, cnp);
  if (error != 0) addLinks(ip, -1);
  return error;
}

/** VOP_LINK. Directories have one name only. */
export function ufs_link(dvp: Vnode, vp: Vnode, cnp: Componentname): i32 {
  let error: i32 = 0;
  if (vp.v_type == VDIR) error = EPERM;
  else if (dvp.v_mount != vp.v_mount) error = EXDEV;
  else error = vn_lock(vp, LK_EXCLUSIVE);
  if (error != 0) {
    VOP_ABORTOP(dvp, cnp);
    vput(dvp);
    return error;
  }
  error = linkLocked(dvp, vp, cnp);
  releaseName(cnp);
  VOP_UNLOCK(vp, 0);
  vput(dvp);
  return error;
}

/** Fills and names the new directory tvp; the parent's link count is raised for its "..". */
function mkdirLocked(dvp: Vnode, tvp: Vnode, cnp: Componentname): i32 {
  const dp = VTOI(dvp);
  let error = VOP_UPDATE(tvp, 0, 0, UPDATE_WAIT);
  if (error != 0) return error;
  addLinks(dp, 1);
  error = VOP_UPDATE(dvp, 0, 0, UPDATE_WAIT);
  if (error == 0) error = ufs_dirinit(tvp, dp.i_number, cnp.cn_cred, cnp.cn_proc);
  if (error == 0) error = ufs_direnter_inode(dvp, VTOI(tvp), cnp);
  if (error != 0) addLinks(dp, -1);
  return error;
}

/** VOP_MKDIR. */
export function ufs_mkdir(dvp: Vnode, vpp: usize, cnp: Componentname, vap: Vattr): i32 {
  const mode = (vap.va_mode & 0o7777) | IFDIR;
  const tvpp = frame_alloc(4);
  store<usize>(vpp, 0);
  let error = VTOI(dvp).i_nlink >= LINK_MAX ? EMLINK : VOP_VALLOC(dvp, mode, cnp.cn_cred, tvpp);
  if (error == 0) {
    const tvp = changetype<Vnode>(load<usize>(tvpp));
    const ip = dressInode(tvp, dvp, mode, 2, cnp.cn_cred);
    error = mkdirLocked(dvp, tvp, cnp);
    if (error == 0) {
      store<usize>(vpp, changetype<usize>(tvp));
    } else {
      addLinks(ip, -2);
      vput(tvp);
    }
  }
  releaseName(cnp);
  vput(dvp);
  return error;
}

/** Removes the empty directory vp; both locked. */
function rmdirLocked(dvp: Vnode, vp: Vnode, cnp: Componentname): i32 {
  const ip = VTOI(vp);
  const dp = VTOI(dvp);
  if (ip.i_nlink != 2 || !ufs_dirempty(ip, dp.i_number)) return ENOTEMPTY;
  if ((dp.i_flags & FLAGS_APPEND) != 0 || (ip.i_flags & (FLAGS_IMMUTABLE | FLAGS_APPEND)) != 0) return EPERM;
  const error = ufs_dirremove(dvp);
  if (error != 0) return error;
  addLinks(dp, -1);
  cache_purge(dvp);
  // Both its entry in the parent and its "." are gone.
  addLinks(ip, -2);
  const truncated = VOP_TRUNCATE(vp, 0, IO_SYNC, cnp.cn_cred, cnp.cn_proc);
  cache_purge(vp);
  return truncated;
}

/** VOP_RMDIR. EINVAL for ".", EBUSY for a mount point, ENOTEMPTY. */
export function ufs_rmdir(dvp: Vnode, vp: Vnode, cnp: Componentname): i32 {
  if (dvp == vp) {
    releaseName(cnp);
    vrele(dvp);
    vput(vp);
    return EINVAL;
  }
  const error = vp.v_un != 0 ? EBUSY : rmdirLocked(dvp, vp, cnp);
  releaseName(cnp);
  vput(dvp);
  vput(vp);
  return error;
}

/** VOP_SYMLINK. A text shorter than mnt_maxsymlinklen goes into the inode. */
export function ufs_symlink(dvp: Vnode, vpp: usize, cnp: Componentname, vap: Vattr, target: usize): i32 {
  let error = ufs_makeinode(IFLNK | (vap.va_mode & 0o7777), dvp, vpp, cnp);
  if (error != 0) return error;
  const vp = changetype<Vnode>(load<usize>(vpp));
  const length = strlen(target);
  if (length < vp.v_mount.mnt_maxsymlinklen) {
    const ip = VTOI(vp);
    memcpy(ip.i_din().di_shortlink(), target, length);
    ip.i_size = u64(length);
    ip.i_flag |= IN_CHANGE | IN_UPDATE;
  } else {
    error = vn_rdwr(UIO_WRITE, vp, target, length, 0, UIO_SYSSPACE, IO_NODELOCKED, cnp.cn_cred, 0, cnp.cn_proc);
  }
  vput(vp);
  store<usize>(vpp, 0);
  return error;
}

/**
 * VOP_READDIR: whole chunks. A directory entry on the disk is a struct dirent already. EINVAL when there is no room
 * for a chunk; the offset must be one that an earlier call left. *eofflag is set when the end is reached.
 */
export function ufs_readdir(
  vp: Vnode, uio: Uio, cred: usize, eofflag: usize, cookies: usize, ncookies: usize,
): i32 {
  const count = uio.uio_resid & ~(DIRBLKSIZ - 1);
  if (count == 0 || (u32(uio.uio_offset) & (DIRBLKSIZ - 1)) != 0) return EINVAL;
  const lost = uio.uio_resid - count;
  uio.uio_resid = count;
  uio.uio_iov.iov_len = count;
  const error = VOP_READ(vp, uio, 0, cred);
  uio.uio_resid += lost;
  if (eofflag != 0) store<u32>(eofflag, u64(uio.uio_offset) >= VTOI(vp).i_size ? 1 : 0);
  return error;
}

/** VOP_READLINK. */
export function ufs_readlink(vp: Vnode, uio: Uio, cred: usize): i32 {
  const ip = VTOI(vp);
  if (ip.i_size >= u64(vp.v_mount.mnt_maxsymlinklen)) return VOP_READ(vp, uio, 0, cred);
  return uiomove(ip.i_din().di_shortlink(), u32(ip.i_size), uio);
}

/** VOP_STRATEGY: finds the block's place on the device and hands the buffer to the device's vnode. Sleeps. */
export function ufs_strategy(bp: Buf): i32 {
  const vp = bp.b_vp;
  if (vp.v_type == VBLK || vp.v_type == VCHR) panic(cs("ufs_strategy: spec"));
  if (bp.b_blkno == bp.b_lblkno) {
    const bnp = changetype<usize>(bp) + offsetof<Buf>("b_blkno");
    const error = VOP_BMAP(vp, bp.b_lblkno, 0, bnp, 0);
    if (error != 0) {
      bp.b_error = error;
      bp.b_flags |= B_ERROR;
      biodone(bp);
      return error;
    }
    if (bp.b_blkno == -1) clrbuf(bp);
  }
  if (bp.b_blkno < 0) {
    biodone(bp);
    return 0;
  }
  const devvp = VTOI(vp).i_devvp;
  bp.b_dev = devvp.v_rdev;
  return call_indirect<i32>(devvp.v_op.vop_strategy, bp);
}
