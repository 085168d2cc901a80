// The system calls on files, as calls inside the kernel: paths are NUL-terminated
// and in kernel space; `p` says who calls. Each returns 0 or an errno and may sleep.
import { frame_alloc } from "../kernel/i386/cpufunc";
import {
  EBUSY, EEXIST, EINVAL, EIO, EISDIR, ENOTDIR, EPERM, EROFS,
} from "../kernel/sys/errno";
import { lockinit, lockmgr } from "../kernel/kern_lock";
import { LK_EXCLUSIVE, LK_RELEASE, LK_RETRY, Lock } from "../kernel/sys/lock";
import { PVFS } from "../kernel/sys/param";
import { Proc } from "../kernel/sys/proc";
import { Iovec, SIZEOF_IOVEC, SIZEOF_UIO, UIO_READ, UIO_SYSSPACE, Uio } from "../kernel/sys/uio";
import { MNT_VISFLAGMASK, STATFS_SIZE, VFS_STATFS } from "./mount";
import { memcpy } from "../kernel/libkern";
import {
  CREATE, CREATEDIR, DELETE, FOLLOW, LOCKLEAF, LOCKPARENT, LOOKUP, NOCACHE, NOFOLLOW, Nameidata, RENAME, SAVESTART,
  WANTPARENT,
} from "./namei";
import { Stat } from "./stat";
import { NDINIT, PNBUF_PUT, namei } from "./vfs_lookup";
import { vput, vrele } from "./vfs_subr";
import { VATTR_SIZE, vn_lock, vn_rdonly, vn_stat, vn_writechk } from "./vfs_vnops";
import {
  FSYNC_WAIT, VATTR_NULL, VBLK, VCHR, VDIR, VEXEC, VFIFO, VLNK, VROOT, VWRITE, Vattr, Vnode, IFTOVT,
} from "./vnode";
import {
  VOP_ABORTOP, VOP_ACCESS, VOP_FSYNC, VOP_LINK, VOP_MKDIR, VOP_MKNOD, VOP_READLINK, VOP_REMOVE, VOP_RENAME, VOP_RMDIR,
  VOP_SETATTR, VOP_SYMLINK, VOP_UNLOCK,
} from "./vnode_if";

export { do_mount, do_unmount, do_sync } from "./vfs_mount_calls";

const ALLPERMS: u32 = 0o7777;

/** Puts the directory of a lookup whose leaf is `vp`: the two may be one. */
function put_parent(dvp: Vnode, vp: Vnode): void {
  if (dvp == vp) vrele(dvp);
  else vput(dvp);
}

/** Gives up a lookup for CREATE or DELETE that found `vp` (0: nothing). */
function abort_lookup(nd: Nameidata, vp: Vnode): void {
  VOP_ABORTOP(nd.ni_dvp, nd);
  put_parent(nd.ni_dvp, vp);
  if (changetype<usize>(vp) != 0) vrele(vp);
}

/** Looks up a name that is to be made: ni_dvp locked, or EEXIST. */
function lookup_new(nd: Nameidata, path: usize, flags: u32, p: Proc): i32 {
  NDINIT(nd, CREATE, LOCKPARENT | flags, UIO_SYSSPACE, path, p);
  const error = namei(nd);
  if (error != 0) return error;
  if (changetype<usize>(nd.ni_vp) == 0) return 0;
  abort_lookup(nd, nd.ni_vp);
  return EEXIST;
}

/** mkdir(2). */
export function do_mkdir(path: usize, mode: u32, p: Proc): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  let error = lookup_new(nd, path, CREATEDIR, p);
  if (error != 0) return error;
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  const vpp = frame_alloc(4);
  VATTR_NULL(va);
  va.va_type = VDIR;
  va.va_mode = mode & ALLPERMS & ~p.p_umask;
  error = VOP_MKDIR(nd.ni_dvp, vpp, nd, va);
  if (error == 0) vput(changetype<Vnode>(load<usize>(vpp)));
  return error;
}

/** mknod(2) and mkfifo(2); the file type is in `mode`. */
export function do_mknod(path: usize, mode: u32, dev: u32, p: Proc): i32 {
  const type = IFTOVT(mode);
  if (type != VCHR && type != VBLK && type != VFIFO) return EINVAL;
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  const error = lookup_new(nd, path, 0, p);
  if (error != 0) return error;
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  const vpp = frame_alloc(4);
  VATTR_NULL(va);
  va.va_type = type;
  va.va_mode = mode & ALLPERMS & ~p.p_umask;
  va.va_rdev = dev;
  return VOP_MKNOD(nd.ni_dvp, vpp, nd, va);
}

/** symlink(2): `path` becomes a link with the text `target`. */
export function do_symlink(target: usize, path: usize, p: Proc): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  const error = lookup_new(nd, path, 0, p);
  if (error != 0) return error;
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  const vpp = frame_alloc(4);
  VATTR_NULL(va);
  va.va_type = VLNK;
  va.va_mode = 0o777 & ~p.p_umask;
  return VOP_SYMLINK(nd.ni_dvp, vpp, nd, va, target);
}

/** link(2): `link` becomes another name of the file `path`. */
export function do_link(path: usize, link: usize, p: Proc): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  NDINIT(nd, LOOKUP, FOLLOW, UIO_SYSSPACE, path, p);
  let error = namei(nd);
  if (error != 0) return error;
  const vp = nd.ni_vp;
  if (vp.v_type == VDIR) error = EPERM;
  if (error == 0) error = lookup_new(nd, link, 0, p);
  if (error == 0) error = VOP_LINK(nd.ni_dvp, vp, nd);
  vrele(vp);
  return error;
}

/** Looks up a name that is to go: ni_dvp and ni_vp locked. */
function lookup_doomed(nd: Nameidata, path: usize, p: Proc): i32 {
  NDINIT(nd, DELETE, LOCKPARENT | LOCKLEAF, UIO_SYSSPACE, path, p);
  return namei(nd);
}

/** Gives up a removal: unlocks and drops both vnodes. */
function abort_removal(nd: Nameidata): void {
  VOP_ABORTOP(nd.ni_dvp, nd);
  put_parent(nd.ni_dvp, nd.ni_vp);
  vput(nd.ni_vp);
}

/** unlink(2). A directory is EPERM, the root of a file system EBUSY. */
export function do_unlink(path: usize, p: Proc): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  let error = lookup_doomed(nd, path, p);
  if (error != 0) return error;
  if ((nd.ni_vp.v_flag & VROOT) != 0) error = EBUSY;
  else if (nd.ni_vp.v_type == VDIR) error = EPERM;
  if (error != 0) {
    abort_removal(nd);
    return error;
  }
  return VOP_REMOVE(nd.ni_dvp, nd.ni_vp, nd);
}

/** rmdir(2). "." is EINVAL, a mount point EBUSY. */
export function do_rmdir(path: usize, p: Proc): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  let error = lookup_doomed(nd, path, p);
  if (error != 0) return error;
  const vp = nd.ni_vp;
  if (vp.v_type != VDIR) error = ENOTDIR;
  else if (nd.ni_dvp == vp) error = EINVAL;
  else if ((vp.v_flag & VROOT) != 0 || vp.v_un != 0) error = EBUSY;
  if (error != 0) {
    abort_removal(nd);
    return error;
  }
  return VOP_RMDIR(nd.ni_dvp, vp, nd);
}

/** May `fvp` take the place of `tvp` in `tdvp`? -1: they are one file and nothing is to be done. */
function rename_check(from: Nameidata, to: Nameidata, posix: bool): i32 {
  const fvp = from.ni_vp;
  const tvp = to.ni_vp;
  if (changetype<usize>(tvp) != 0) {
    if (fvp.v_type == VDIR && tvp.v_type != VDIR) return ENOTDIR;
    if (fvp.v_type != VDIR && tvp.v_type == VDIR) return EISDIR;
  }
  if (fvp == to.ni_dvp) return EINVAL;
  if (fvp == tvp && posix) return -1;
  // Two names of one file in one directory, and the names are equal: done already.
  if (fvp == tvp && from.ni_dvp == to.ni_dvp && from.cn_namelen == to.cn_namelen) {
    if (same_bytes(from.cn_nameptr, to.cn_nameptr, from.cn_namelen)) return -1;
  }
  return 0;
}

function same_bytes(a: usize, b: usize, n: u32): bool {
  for (let i: u32 = 0; i < n; i++) {
    if (load<u8>(a + i) != load<u8>(b + i)) return false;
  }
  return true;
}

/** Gives up a rename that found both names. */
function abort_rename(from: Nameidata, to: Nameidata): void {
  VOP_ABORTOP(to.ni_dvp, to);
  put_parent(to.ni_dvp, to.ni_vp);
  if (changetype<usize>(to.ni_vp) != 0) vput(to.ni_vp);
  VOP_ABORTOP(from.ni_dvp, from);
  vrele(from.ni_dvp);
  vrele(from.ni_vp);
}

/** Looks up the target of a rename and does it; consumes what the first lookup holds, but for its start directory. */
function rename_to(from: Nameidata, to: Nameidata, target: usize, posix: bool, p: Proc): i32 {
  const flags = LOCKPARENT | LOCKLEAF | NOCACHE | SAVESTART | (from.ni_vp.v_type == VDIR ? CREATEDIR : 0);
  NDINIT(to, RENAME, flags, UIO_SYSSPACE, target, p);
  let error = namei(to);
  if (error != 0) {
    VOP_ABORTOP(from.ni_dvp, from);
    vrele(from.ni_dvp);
    vrele(from.ni_vp);
    return error;
  }
  error = rename_check(from, to, posix);
  if (error == 0) error = VOP_RENAME(from.ni_dvp, from.ni_vp, from, to.ni_dvp, to.ni_vp, to);
  else abort_rename(from, to);
  vrele(to.ni_startdir);
  PNBUF_PUT(to);
  return error == -1 ? 0 : error;
}

const rename_lock = changetype<Lock>(memory.data(offsetof<Lock>(), 4));

/** Called once by vfsinit. */
export function rename_init(): void {
  lockinit(rename_lock, PVFS, cs("renamelk"), 0, 0);
}

/**
 * rename(2), or with `posix` __posix_rename(2). Across file systems EXDEV. One rename at a time: so while one looks at
 * the way from a directory to the root no directory moves, and no two wait for each other's files.
 */
export function do_rename(path: usize, target: usize, posix: bool, p: Proc): i32 {
  lockmgr(rename_lock, LK_EXCLUSIVE, 0);
  const error = rename_from(path, target, posix, p);
  lockmgr(rename_lock, LK_RELEASE, 0);
  return error;
}

function rename_from(path: usize, target: usize, posix: bool, p: Proc): i32 {
  const from = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  const to = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  NDINIT(from, DELETE, WANTPARENT | SAVESTART, UIO_SYSSPACE, path, p);
  let error = namei(from);
  if (error != 0) return error;
  error = rename_to(from, to, target, posix, p);
  vrele(from.ni_startdir);
  PNBUF_PUT(from);
  return error;
}

/** Finds a file whose attributes are to change: ni_vp locked, on a file system that may be written. */
function lookup_attributes(nd: Nameidata, path: usize, follow: u32, p: Proc): i32 {
  NDINIT(nd, LOOKUP, follow | LOCKLEAF, UIO_SYSSPACE, path, p);
  const error = namei(nd);
  if (error != 0) return error;
  if (!vn_rdonly(nd.ni_vp)) return 0;
  vput(nd.ni_vp);
  return EROFS;
}

/** truncate(2): the file becomes `length` bytes long. */
export function do_truncate(path: usize, length: i64, p: Proc): i32 {
  if (length < 0) return EINVAL;
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  let error = lookup_attributes(nd, path, FOLLOW, p);
  if (error != 0) return error;
  const vp = nd.ni_vp;
  if (vp.v_type == VDIR) error = EISDIR;
  if (error == 0) error = vn_writechk(vp);
  if (error == 0) error = VOP_ACCESS(vp, VWRITE, changetype<usize>(p), p);
  if (error == 0) {
    const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
    VATTR_NULL(va);
    va.va_size = u64(length);
    error = VOP_SETATTR(vp, va, changetype<usize>(p), p);
  }
  vput(vp);
  return error;
}

/** Applies `va` to the file `path`; follow: FOLLOW or NOFOLLOW. EROFS on a read-only file system. Sleeps. */
export function set_attributes(path: usize, follow: u32, va: Vattr, p: Proc): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  let error = lookup_attributes(nd, path, follow, p);
  if (error != 0) return error;
  error = VOP_SETATTR(nd.ni_vp, va, changetype<usize>(p), p);
  vput(nd.ni_vp);
  return error;
}

/** chmod(2). */
export function do_chmod(path: usize, mode: u32, p: Proc): i32 {
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  VATTR_NULL(va);
  va.va_mode = mode & ALLPERMS;
  return set_attributes(path, FOLLOW, va, p);
}

function stat_path(path: usize, follow: u32, sb: Stat, p: Proc): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  NDINIT(nd, LOOKUP, follow | LOCKLEAF, UIO_SYSSPACE, path, p);
  let error = namei(nd);
  if (error != 0) return error;
  error = vn_stat(nd.ni_vp, sb, p);
  vput(nd.ni_vp);
  return error;
}

/** stat(2). */
export function do_stat(path: usize, sb: Stat, p: Proc): i32 {
  return stat_path(path, FOLLOW, sb, p);
}

/** lstat(2): of a symbolic link itself. */
export function do_lstat(path: usize, sb: Stat, p: Proc): i32 {
  return stat_path(path, NOFOLLOW, sb, p);
}

/** readlink(2): at most `count` bytes of the text to `buf`, without NUL; how many, to the word at `lengthp`. */
export function do_readlink(path: usize, buf: usize, count: u32, lengthp: usize, p: Proc): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  NDINIT(nd, LOOKUP, NOFOLLOW | LOCKLEAF, UIO_SYSSPACE, path, p);
  let error = namei(nd);
  if (error != 0) return error;
  const iov = changetype<Iovec>(frame_alloc(SIZEOF_IOVEC));
  const uio = changetype<Uio>(frame_alloc(SIZEOF_UIO));
  iov.iov_base = buf;
  iov.iov_len = count;
  uio.uio_iov = iov;
  uio.uio_iovcnt = 1;
  uio.uio_offset = 0;
  uio.uio_rw = UIO_READ;
  uio.uio_segflg = UIO_SYSSPACE;
  uio.uio_procp = changetype<usize>(p);
  uio.uio_resid = count;
  error = nd.ni_vp.v_type == VLNK ? VOP_READLINK(nd.ni_vp, uio, changetype<usize>(p)) : EINVAL;
  vput(nd.ni_vp);
  store<u32>(lengthp, count - uio.uio_resid);
  return error;
}

/** statfs(2) of the file system that `path` is in: STATFS_SIZE bytes to `buf`. */
export function do_statfs(path: usize, buf: usize, p: Proc): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  NDINIT(nd, LOOKUP, FOLLOW, UIO_SYSSPACE, path, p);
  let error = namei(nd);
  if (error != 0) return error;
  const mp = nd.ni_vp.v_mount;
  vrele(nd.ni_vp);
  if (changetype<usize>(mp) == 0) return EIO;
  error = VFS_STATFS(mp, mp.mnt_stat, p);
  if (error != 0) return error;
  mp.mnt_stat.f_flags = mp.mnt_flag & MNT_VISFLAGMASK;
  memcpy(buf, changetype<usize>(mp.mnt_stat), STATFS_SIZE);
  return 0;
}

/** May the process make the locked `vp` a directory of its own? ENOTDIR, or EACCES without the right to search. */
export function check_directory(vp: Vnode, p: Proc): i32 {
  return vp.v_type != VDIR ? ENOTDIR : VOP_ACCESS(vp, VEXEC, changetype<usize>(p), p);
}

/** The directory `path`, referenced, for the word at `vpp`: for chdir and chroot. */
function lookup_directory(path: usize, p: Proc, vpp: usize): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  NDINIT(nd, LOOKUP, FOLLOW | LOCKLEAF, UIO_SYSSPACE, path, p);
  let error = namei(nd);
  if (error != 0) return error;
  error = check_directory(nd.ni_vp, p);
  if (error != 0) {
    vput(nd.ni_vp);
    return error;
  }
  VOP_UNLOCK(nd.ni_vp, 0);
  store<usize>(vpp, changetype<usize>(nd.ni_vp));
  return 0;
}

/** chdir(2). */
export function do_chdir(path: usize, p: Proc): i32 {
  const vpp = frame_alloc(4);
  const error = lookup_directory(path, p, vpp);
  if (error != 0) return error;
  const old = p.p_cdir;
  p.p_cdir = load<usize>(vpp);
  if (old != 0) vrele(changetype<Vnode>(old));
  return 0;
}

/** chroot(2): uid 0 gets another root directory. */
export function do_chroot(path: usize, p: Proc): i32 {
  if (p.p_uid != 0) return EPERM;
  const vpp = frame_alloc(4);
  const error = lookup_directory(path, p, vpp);
  if (error != 0) return error;
  const old = p.p_rdir;
  p.p_rdir = load<usize>(vpp);
  if (old != 0) vrele(changetype<Vnode>(old));
  return 0;
}

/** fsync(2) on a vnode that is not locked: its data and inode are in storage when this returns. */
export function do_fsync(vp: Vnode, p: Proc): i32 {
  vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  const error = VOP_FSYNC(vp, changetype<usize>(p), FSYNC_WAIT, p);
  VOP_UNLOCK(vp, 0);
  return error;
}
