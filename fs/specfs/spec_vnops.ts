// Operations of device vnodes (specfs): block devices are read and written through
// the buffer cache, block by block, and their buffers go to the driver. Character
// devices are the driver's alone; their vnode is not locked meanwhile, for a driver may
// sleep as long as it likes.
import {
  bdev_close, bdev_configured, bdev_ioctl, bdev_open, bdev_strategy, cdev_close, cdev_ioctl, cdev_open, cdev_poll,
  cdev_read, cdev_write,
} from "../../kernel/conf";
import { frame_alloc } from "../../kernel/i386/cpufunc";
import { uiomove } from "../../kernel/kern_subr";
import { printf } from "../../kernel/subr_prf";
import { EACCES, EINVAL, ENOTDIR, ENXIO, EOPNOTSUPP } from "../../kernel/sys/errno";
import { LK_EXCLUSIVE, LK_RETRY } from "../../kernel/sys/lock";
import { DEV_BSHIFT, MAXBSIZE, NODEV, major, minor } from "../../kernel/sys/param";
import { Proc } from "../../kernel/sys/proc";
import { UIO_READ, Uio } from "../../kernel/sys/uio";
import { B_AGE, B_ERROR, Buf } from "../buf";
import {
  genfs_islocked, genfs_lock, genfs_nullreclaim, genfs_nullupdate, genfs_seek, genfs_unlock,
  vn_bwrite,
} from "../genfs";
import { vn_badop_ops } from "../genfs_default";
import { MNT_NODEV } from "../mount";
import { Componentname } from "../namei";
import { cr_uid } from "../ufs/ufs_cred";
import { genfs_revoke, vcount } from "../vfs_alias";
import { bawrite, bdwrite, biodone, bread, brelse, getblk } from "../vfs_bio";
import { vn_lock } from "../vfs_vnops";
import { vflushbuf, vinvalbuf, vn_write_error } from "../vfs_vnbufs";
import { FSYNC_WAIT, NOCRED, VBLK, VCHR, VXLOCK, V_SAVE, Vattr, Vnode } from "../vnode";
import { VOP_UNLOCK, VnodeOps } from "../vnode_if";

export const spec_vnodeop: VnodeOps = changetype<VnodeOps>(memory.data(offsetof<VnodeOps>()));

/** Size of the blocks in which a device is read and written as a file. */
const BLKDEV_IOSIZE: u32 = 2048;

function spec_lookup(dvp: Vnode, vpp: usize, cnp: Componentname): i32 {
  store<usize>(vpp, 0);
  return ENOTDIR;
}

/** Opens the driver; a device node on a MNT_NODEV file system is ENXIO. */
function spec_open(vp: Vnode, mode: u32, cred: usize, p: Proc): i32 {
  if (changetype<usize>(vp.v_mount) != 0 && (vp.v_mount.mnt_flag & MNT_NODEV) != 0) return ENXIO;
  if (vp.v_type == VCHR) {
    VOP_UNLOCK(vp, 0);
    const error = cdev_open(vp.v_rdev, mode, p);
    vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
    return error;
  }
  if (vp.v_type != VBLK) return ENXIO;
  return bdev_open(vp.v_rdev, mode, p);
}

/**
 * The last user of the device (all names together) closes the driver, after the
 * buffers are written and gone. The kernel's forced close (VXLOCK) does so in any case.
 */
function spec_close(vp: Vnode, fflag: u32, cred: usize, p: Proc): i32 {
  if (vp.v_type == VCHR) {
    return vcount(vp) > 1 && (vp.v_flag & VXLOCK) == 0 ? 0 : cdev_close(vp.v_rdev, fflag, p);
  }
  if (vp.v_type != VBLK) return ENXIO;
  const forced = (vp.v_flag & VXLOCK) != 0;
  const error = vinvalbuf(vp, V_SAVE, cred, p, 0, 0);
  if (error != 0) return error;
  if (vcount(vp) > 1 && !forced) return 0;
  return bdev_close(vp.v_rdev, fflag, p);
}

/** Moves one block between uio and the device; 0 when there is more to do, else an errno, -1 = the end. */
function spec_block(vp: Vnode, uio: Uio, bpp: usize): i32 {
  const mask = BLKDEV_IOSIZE - 1;
  const lbn = i32(uio.uio_offset >> DEV_BSHIFT) & ~i32((BLKDEV_IOSIZE >> DEV_BSHIFT) - 1);
  const on = u32(uio.uio_offset) & mask;
  let n = BLKDEV_IOSIZE - on;
  if (n > uio.uio_resid) n = uio.uio_resid;
  const reading = uio.uio_rw == UIO_READ;
  let error: i32 = 0;
  if (!reading && n == BLKDEV_IOSIZE) store<usize>(bpp, changetype<usize>(getblk(vp, lbn, BLKDEV_IOSIZE, 0, 0)));
  else error = bread(vp, lbn, BLKDEV_IOSIZE, NOCRED, bpp);
  const bp = changetype<Buf>(load<usize>(bpp));
  const valid = BLKDEV_IOSIZE - bp.b_resid;
  if (error == 0 && on >= valid) error = -1;
  if (error == 0 && n > valid - on) n = valid - on;
  if (error == 0) error = uiomove(bp.b_data + on, n, uio);
  if (error != 0) {
    brelse(bp);
    return error;
  }
  if (!reading) {
    if (on + n == BLKDEV_IOSIZE) bawrite(bp);
    else bdwrite(bp);
    return 0;
  }
  if (on + n == BLKDEV_IOSIZE) bp.b_flags |= B_AGE;
  brelse(bp);
  return 0;
}

/** VOP_READ and VOP_WRITE of a character device. */
function spec_chr(vp: Vnode, uio: Uio, ioflag: u32): i32 {
  const dev = vp.v_rdev;
  VOP_UNLOCK(vp, 0);
  const error = uio.uio_rw == UIO_READ ? cdev_read(dev, uio, ioflag) : cdev_write(dev, uio, ioflag);
  vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  return error;
}

/** VOP_POLL. */
function spec_poll(vp: Vnode, events: u32, p: Proc): i32 {
  return vp.v_type == VCHR ? cdev_poll(vp.v_rdev, events, p) : i32(events);
}

/** VOP_READ and VOP_WRITE of a block device: at any offset, by blocks of BLKDEV_IOSIZE. */
function spec_rdwr(vp: Vnode, uio: Uio, ioflag: u32, cred: usize): i32 {
  if (vp.v_type == VCHR) return spec_chr(vp, uio, ioflag);
  if (vp.v_type != VBLK) return ENXIO;
  if (uio.uio_offset < 0) return EINVAL;
  const bpp = frame_alloc(4);
  while (uio.uio_resid > 0) {
    const error = spec_block(vp, uio, bpp);
    if (error == -1) return 0;
    if (error != 0) return error;
  }
  return 0;
}

function spec_ioctl(vp: Vnode, command: u32, data: usize, fflag: u32, cred: usize, p: Proc): i32 {
  if (vp.v_type == VCHR) return cdev_ioctl(vp.v_rdev, command, data, fflag, p);
  return bdev_ioctl(vp.v_rdev, command, data, fflag, p);
}

/** Writes the dirty blocks of the device; with FSYNC_WAIT waits and gives the error of any write since the last time. */
export function spec_fsync(vp: Vnode, cred: usize, flags: u32, p: Proc): i32 {
  const wait = (flags & FSYNC_WAIT) != 0;
  if (vp.v_type != VBLK) return 0;
  vflushbuf(vp, wait);
  return wait ? vn_write_error(vp) : 0;
}

function spec_inactive(vp: Vnode, p: Proc): i32 {
  VOP_UNLOCK(vp, 0);
  return 0;
}

/** Blocks of a device are where they are. */
function spec_bmap(vp: Vnode, bn: i32, vpp: usize, bnp: usize, runp: usize): i32 {
  if (vpp != 0) store<usize>(vpp, changetype<usize>(vp));
  if (bnp != 0) store<i32>(bnp, bn);
  if (runp != 0) store<i32>(runp, i32((MAXBSIZE >> DEV_BSHIFT) - 1));
  return 0;
}

/** Hands the buffer to the driver of b_dev. */
function spec_strategy(bp: Buf): i32 {
  if (bp.b_dev == NODEV || !bdev_configured(bp.b_dev)) {
    bp.b_error = ENXIO;
    bp.b_flags |= B_ERROR;
    bp.b_resid = bp.b_bcount;
    biodone(bp);
    return ENXIO;
  }
  bdev_strategy(bp);
  return 0;
}

/** VOP_GETATTR of a device that has no name: what it is, and that it is uid 0's. */
function spec_getattr(vp: Vnode, vap: Vattr, cred: usize, p: Proc): i32 {
  memory.fill(changetype<usize>(vap), 0, offsetof<Vattr>());
  vap.va_type = vp.v_type;
  vap.va_mode = 0o600;
  vap.va_rdev = vp.v_rdev;
  vap.va_blocksize = vp.v_type == VBLK ? BLKDEV_IOSIZE : MAXBSIZE;
  return 0;
}

/** VOP_SETATTR, VOP_ACCESS and VOP_PATHCONF of such a device. */
function spec_setattr(vp: Vnode, vap: Vattr, cred: usize, p: Proc): i32 {
  return EOPNOTSUPP;
}

function spec_access(vp: Vnode, mode: u32, cred: usize, p: Proc): i32 {
  return cr_uid(cred) == 0 ? 0 : EACCES;
}

function spec_pathconf(vp: Vnode, name: u32, retval: usize): i32 {
  return EINVAL;
}

function spec_print(vp: Vnode): i32 {
  printf(cs("tag VT_NON, dev %d, %d\n"), major(vp.v_rdev), minor(vp.v_rdev));
  return 0;
}

/** Fills spec_vnodeop (vfsinit). */
export function spec_vnodeop_init(): void {
  spec_fill_ops(spec_vnodeop);
}

/** Gives a vector the operations of a device; others panic. File systems begin theirs for device nodes so. */
export function spec_fill_ops(ops: VnodeOps): void {
  vn_badop_ops(ops);
  ops.set_lookup(spec_lookup);
  ops.set_open(spec_open);
  ops.set_close(spec_close);
  ops.set_read(spec_rdwr);
  ops.set_write(spec_rdwr);
  ops.set_ioctl(spec_ioctl);
  ops.set_poll(spec_poll);
  ops.set_revoke(genfs_revoke);
  ops.set_fsync(spec_fsync);
  ops.set_seek(genfs_seek);
  ops.set_inactive(spec_inactive);
  ops.set_reclaim(genfs_nullreclaim);
  ops.set_lock(genfs_lock);
  ops.set_unlock(genfs_unlock);
  ops.set_islocked(genfs_islocked);
  ops.set_bwrite(vn_bwrite);
  ops.set_bmap(spec_bmap);
  ops.set_strategy(spec_strategy);
  ops.set_getattr(spec_getattr);
  ops.set_setattr(spec_setattr);
  ops.set_access(spec_access);
  ops.set_pathconf(spec_pathconf);
  ops.set_print(spec_print);
  ops.set_update(genfs_nullupdate);
}
