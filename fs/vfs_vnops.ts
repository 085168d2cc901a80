// Operations on files by vnode: open, read, write, close, lock, stat (vnode(9)).
import { frame_alloc } from "../kernel/i386/cpufunc";
import { tsleep } from "../kernel/kern_synch";
import { EACCES, EDEADLK, EEXIST, EFTYPE, EIO, EISDIR, ENOENT, EOPNOTSUPP, EROFS, ETXTBSY } from "../kernel/sys/errno";
import { LK_EXCLUSIVE, LK_RETRY } from "../kernel/sys/lock";
import { PINOD } from "../kernel/sys/param";
import { Proc } from "../kernel/sys/proc";
import { Iovec, SIZEOF_IOVEC, SIZEOF_UIO, UIO_READ, UIO_SYSSPACE, UIO_WRITE, Uio } from "../kernel/sys/uio";
import { FREAD, FWRITE, O_CREAT, O_EXCL, O_TRUNC } from "./fcntl";
import { MNT_RDONLY } from "./mount";
import { CREATE, FOLLOW, LOCKLEAF, LOCKPARENT, LOOKUP, Nameidata } from "./namei";
import { Stat } from "./stat";
import { vput, vrele } from "./vfs_subr";
import { namei } from "./vfs_lookup";
import { vn_write_error } from "./vfs_vnbufs";
import {
  IO_NODELOCKED, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK, VATTR_NULL, VBLK, VCHR, VDIR, VEXEC,
  VFIFO, VLNK, VREAD, VREG, VSOCK, VTEXT, VTTOIF, VWRITE, VXLOCK, VXWANT, Vattr, Vnode,
} from "./vnode";
import {
  VOP_ABORTOP, VOP_ACCESS, VOP_CLOSE, VOP_CREATE, VOP_GETATTR, VOP_LOCK, VOP_OPEN, VOP_READ, VOP_READDIR, VOP_SETATTR,
  VOP_UNLOCK, VOP_WRITE,
} from "./vnode_if";

/** Bytes of a Vattr in a frame. */
export const VATTR_SIZE: u32 = (offsetof<Vattr>() + 7) & ~7;
/** Permission bits. */
const ALLPERMS: u32 = 0o7777;

/**
 * Locks vp (LK_SHARED or LK_EXCLUSIVE …). With LK_RETRY it does so even when vp was cleaned
 * meanwhile (its operations are dead then); without, that is ENOENT. Sleeps.
 */
export function vn_lock(vp: Vnode, flags: u32): i32 {
  let error: i32 = 0;
  do {
    if ((vp.v_flag & VXLOCK) != 0) {
      vp.v_flag |= VXWANT;
      tsleep(changetype<usize>(vp), PINOD, cs("vn_lock"), 0);
      error = ENOENT;
    } else {
      error = VOP_LOCK(vp, flags & ~LK_RETRY);
      if (error == 0 || error == EDEADLK) return error;
    }
  } while ((flags & LK_RETRY) != 0);
  return error;
}

/** Is the vnode of a file system that is mounted read-only? A dead vnode has none. */
export function vn_rdonly(vp: Vnode): bool {
  return changetype<usize>(vp.v_mount) != 0 && (vp.v_mount.mnt_flag & MNT_RDONLY) != 0;
}

/** May the file be written? ETXTBSY while it is being executed. vp locked. */
export function vn_writechk(vp: Vnode): i32 {
  return (vp.v_flag & VTEXT) != 0 ? ETXTBSY : 0;
}

/** Makes the missing file that `ndp` found a place for. Result in ni_vp, locked. */
function vn_create(ndp: Nameidata, cmode: u32, p: Proc): i32 {
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  const vpp = frame_alloc(4);
  VATTR_NULL(va);
  va.va_type = VREG;
  va.va_mode = cmode;
  store<usize>(vpp, 0);
  const error = VOP_CREATE(ndp.ni_dvp, vpp, ndp, va);
  ndp.ni_vp = changetype<Vnode>(load<usize>(vpp));
  return error;
}

/** Finds or makes the file for vn_open: ni_vp locked. */
function vn_open_lookup(ndp: Nameidata, fmode: u32, cmode: u32, p: Proc): i32 {
  if ((fmode & O_CREAT) == 0) {
    ndp.cn_nameiop = LOOKUP;
    ndp.cn_flags = FOLLOW | LOCKLEAF;
    return namei(ndp);
  }
  ndp.cn_nameiop = CREATE;
  ndp.cn_flags = LOCKPARENT | LOCKLEAF;
  if ((fmode & O_EXCL) == 0) ndp.cn_flags |= FOLLOW;
  const error = namei(ndp);
  if (error != 0) return error;
  if (changetype<usize>(ndp.ni_vp) == 0) return vn_create(ndp, cmode, p);
  VOP_ABORTOP(ndp.ni_dvp, ndp);
  if (ndp.ni_dvp == ndp.ni_vp) vrele(ndp.ni_dvp);
  else vput(ndp.ni_dvp);
  ndp.ni_dvp = changetype<Vnode>(0);
  if ((fmode & O_EXCL) == 0) return 0;
  vput(ndp.ni_vp);
  return EEXIST;
}

/** May the locked file be opened like this? */
function vn_open_check(vp: Vnode, fmode: u32, created: bool, cred: usize, p: Proc): i32 {
  if (vp.v_type == VSOCK) return EOPNOTSUPP;
  if (vp.v_type == VLNK) return EFTYPE;
  if (created) return 0;
  if ((fmode & FREAD) != 0) {
    const error = VOP_ACCESS(vp, VREAD, cred, p);
    if (error != 0) return error;
  }
  if ((fmode & (FWRITE | O_TRUNC)) != 0) {
    if (vp.v_type == VDIR) return EISDIR;
    const error = vn_writechk(vp);
    if (error != 0) return error;
    return VOP_ACCESS(vp, VWRITE, cred, p);
  }
  return 0;
}

/** Cuts the locked file to nothing. */
function vn_truncate(vp: Vnode, cred: usize, p: Proc): i32 {
  if (vn_rdonly(vp)) return EROFS;
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  VATTR_NULL(va);
  va.va_size = 0;
  return VOP_SETATTR(vp, va, cred, p);
}

/**
 * Opens the file that NDINIT named. `fmode`: FREAD, FWRITE, O_CREAT, O_EXCL, O_TRUNC; `cmode`:
 * permissions of a new file. On success ni_vp is referenced and locked; the caller unlocks it,
 * and vn_close ends the use. The path buffer is gone in any case. Sleeps.
 */
export function vn_open(ndp: Nameidata, fmode: u32, cmode: u32): i32 {
  const p = ndp.cn_proc;
  const cred = changetype<usize>(p);
  let error = vn_open_lookup(ndp, fmode, cmode, p);
  if (error != 0) return error;
  const vp = ndp.ni_vp;
  const created = (fmode & O_CREAT) != 0 && changetype<usize>(ndp.ni_dvp) != 0;
  error = vn_open_check(vp, fmode, created, cred, p);
  if (error == 0 && (fmode & O_TRUNC) != 0 && !created) error = vn_truncate(vp, cred, p);
  if (error == 0) error = VOP_OPEN(vp, fmode, cred, p);
  if (error != 0) {
    vput(vp);
    return error;
  }
  if ((fmode & FWRITE) != 0) vp.v_writecount++;
  return 0;
}

/**
 * Ends a use that vn_open began, with the same FREAD and FWRITE; drops the reference. vp not locked. Sleeps.
 * With FWRITE an errno when a write in the background failed that nobody was told of.
 */
export function vn_close(vp: Vnode, flags: u32, cred: usize, p: Proc): i32 {
  if ((flags & FWRITE) != 0) vp.v_writecount--;
  vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  let error = VOP_CLOSE(vp, flags, cred, p);
  if (error == 0 && (flags & FWRITE) != 0) error = vn_write_error(vp);
  vput(vp);
  return error;
}

/**
 * Reads or writes `len` bytes at `base` (in `segflg` space) from or to the file at `offset`.
 * vp is locked when ioflg has IO_NODELOCKED. The bytes not done go to the word at `aresid`; with
 * aresid 0 a short transfer is EIO. Sleeps.
 */
export function vn_rdwr(
  rw: u32, vp: Vnode, base: usize, len: u32, offset: i64, segflg: u32, ioflg: u32, cred: usize, aresid: usize, p: Proc,
): i32 {
  const iov = changetype<Iovec>(frame_alloc(SIZEOF_IOVEC));
  const uio = changetype<Uio>(frame_alloc(SIZEOF_UIO));
  if ((ioflg & IO_NODELOCKED) == 0) vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  iov.iov_base = base;
  iov.iov_len = len;
  uio.uio_iov = iov;
  uio.uio_iovcnt = 1;
  uio.uio_resid = len;
  uio.uio_offset = offset;
  uio.uio_segflg = segflg;
  uio.uio_rw = rw;
  uio.uio_procp = changetype<usize>(p);
  let error = rw == UIO_READ ? VOP_READ(vp, uio, ioflg, cred) : VOP_WRITE(vp, uio, ioflg, cred);
  if (aresid != 0) store<u32>(aresid, uio.uio_resid);
  else if (uio.uio_resid != 0 && error == 0) error = EIO;
  if ((ioflg & IO_NODELOCKED) == 0) VOP_UNLOCK(vp, 0);
  return error;
}

/**
 * Reads directory entries into `count` bytes at `buf` (segflg space) from the offset in the i64 at
 * `offsetp`, which moves on; stores the number of bytes read at `donep` (0 at the end). vp not locked. Sleeps.
 */
export function vn_readdir(vp: Vnode, buf: usize, segflg: u32, count: u32, offsetp: usize, donep: usize, p: Proc): i32 {
  const iov = changetype<Iovec>(frame_alloc(SIZEOF_IOVEC));
  const uio = changetype<Uio>(frame_alloc(SIZEOF_UIO));
  const eof = frame_alloc(4);
  iov.iov_base = buf;
  iov.iov_len = count;
  uio.uio_iov = iov;
  uio.uio_iovcnt = 1;
  uio.uio_resid = count;
  uio.uio_offset = load<i64>(offsetp);
  uio.uio_segflg = segflg;
  uio.uio_rw = UIO_READ;
  uio.uio_procp = changetype<usize>(p);
  store<u32>(eof, 0);
  vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  const error = VOP_READDIR(vp, uio, changetype<usize>(p), eof, 0, 0);
  VOP_UNLOCK(vp, 0);
  store<i64>(offsetp, uio.uio_offset);
  store<u32>(donep, count - uio.uio_resid);
  return error;
}

/** Fills a Stat from the attributes of vp. vp locked. Sleeps. */
export function vn_stat(vp: Vnode, sb: Stat, p: Proc): i32 {
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  const error = VOP_GETATTR(vp, va, changetype<usize>(p), p);
  if (error != 0) return error;
  sb.st_dev = va.va_fsid;
  sb.st_ino = va.va_fileid;
  sb.st_mode = (va.va_mode & ALLPERMS) | VTTOIF(vp.v_type);
  sb.st_nlink = va.va_nlink;
  sb.st_uid = va.va_uid;
  sb.st_gid = va.va_gid;
  sb.st_rdev = va.va_rdev;
  sb.st_atime = va.va_atime;
  sb.st_atimensec = va.va_atimensec;
  sb.st_mtime = va.va_mtime;
  sb.st_mtimensec = va.va_mtimensec;
  sb.st_ctime = va.va_ctime;
  sb.st_ctimensec = va.va_ctimensec;
  sb.st_size_low = u32(va.va_size);
  sb.st_size_high = u32(va.va_size >> 32);
  const blocks = va.va_bytes >> 9;
  sb.st_blocks_low = u32(blocks);
  sb.st_blocks_high = u32(blocks >> 32);
  sb.st_blksize = va.va_blocksize;
  sb.st_flags = va.va_flags;
  sb.st_gen = va.va_gen;
  sb.st_qspare0 = 0;
  sb.st_qspare1 = 0;
  sb.st_qspare2 = 0;
  sb.st_qspare3 = 0;
  return 0;
}
