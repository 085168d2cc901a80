// FFS on the disk of test_fs, as the root file system: what a process does to
// files, as plain functions. Paths and buffers are addresses in guest memory.
import { Mkfsargs, mkfs } from "../fs/mfs/mkfs";
import { ffs_mountfs, ffs_setnames, ffs_vfsattach } from "../fs/ffs/ffs_vfsops";
import { MNT_ASYNC, MNT_RDONLY, MNT_WAIT, Mount, VFS_ROOT, VFS_STATFS, VFS_SYNC, VFS_UNMOUNT, Statfs } from "../fs/mount";
import { FREAD, FWRITE, O_APPEND, O_CREAT, O_TRUNC } from "../fs/fcntl";
import { FOLLOW, LOOKUP, LOCKLEAF, Nameidata } from "../fs/namei";
import { Stat } from "../fs/stat";
import { cache_purgevfs } from "../fs/vfs_cache";
import { vfs_getopsbyname, vfs_register, vfsroot } from "../fs/vfs_conf";
import { NDINIT, namei } from "../fs/vfs_lookup";
import { vfs_mountalloc, vfs_unbusy } from "../fs/vfs_mount";
import {
  do_chmod, do_link, do_lstat, do_mkdir, do_mknod, do_readlink, do_rename, do_rmdir, do_symlink, do_truncate, do_unlink,
} from "../fs/vfs_syscalls";
import { vput, vrele } from "../fs/vfs_subr";
import { vn_close, vn_open, vn_rdwr } from "../fs/vfs_vnops";
import { IO_APPEND, IO_UNIT, Vnode } from "../fs/vnode";
import { VOP_FSYNC, VOP_READDIR, VOP_UNLOCK } from "../fs/vnode_if";
import { frame_alloc } from "../kernel/i386/cpufunc";
import { curproc } from "../kernel/kern_proc";
import { Iovec, SIZEOF_IOVEC, SIZEOF_UIO, UIO_READ, UIO_SYSSPACE, UIO_WRITE, Uio } from "../kernel/sys/uio";
import { test_disk, test_state } from "./test_fs";

@unmanaged class TestFfs {
  mp: Mount;
  devvp: Vnode;
  minor: u32;
}
const test_ffs = changetype<TestFfs>(memory.data(16, 4));

/** newfs on the disk. */
export function ffs_newfs(args: usize): i32 {
  return mkfs(changetype<Mkfsargs>(args));
}

/** Makes the type known. Once. */
export function ffs_start_test(): void {
  vfs_register(ffs_vfsattach());
}

/** Mounts the file system that begins at `disk` as the root. */
export function ffs_mount_test(disk: usize, flags: u32): i32 {
  const mp = vfs_mountalloc(vfs_getopsbyname(cs("ffs")));
  mp.mnt_flag = flags;
  test_ffs.minor++;
  test_ffs.devvp = test_disk(0xfe00 | test_ffs.minor, disk);
  let error = ffs_mountfs(test_ffs.devvp, mp, curproc());
  vfs_unbusy(mp);
  if (error != 0) {
    vrele(test_ffs.devvp);
    return error;
  }
  test_ffs.mp = mp;
  ffs_setnames(mp, cs("/"), cs("test"));
  VFS_STATFS(mp, mp.mnt_stat, curproc());
  const vpp = frame_alloc(4);
  error = VFS_ROOT(mp, vpp);
  if (error != 0) return error;
  vfsroot.rootvnode = changetype<Vnode>(load<usize>(vpp));
  VOP_UNLOCK(vfsroot.rootvnode, 0);
  return 0;
}

/** As sync(2), but waits. */
export function ffs_sync_test(): i32 {
  const mp = test_ffs.mp;
  const asyncflag = mp.mnt_flag & MNT_ASYNC;
  mp.mnt_flag &= ~MNT_ASYNC;
  const error = VFS_SYNC(mp, MNT_WAIT, 0, curproc());
  mp.mnt_flag |= asyncflag;
  return error;
}

export function ffs_unmount_test(): i32 {
  const mp = test_ffs.mp;
  mp.mnt_flag &= ~MNT_ASYNC;
  cache_purgevfs(mp);
  vrele(vfsroot.rootvnode);
  if ((mp.mnt_flag & MNT_RDONLY) == 0) {
    const error = VFS_SYNC(mp, MNT_WAIT, 0, curproc());
    if (error != 0) return error;
  }
  const error = VFS_UNMOUNT(mp, 0, curproc());
  if (error == 0 && mp.mnt_vnodelist != 0) return -1;
  return error;
}

export function ffs_statfs_test(sbp: Statfs): i32 {
  return VFS_STATFS(test_ffs.mp, sbp, curproc());
}

export function ffs_setuid_test(uid: u32): void {
  curproc().p_uid = uid;
}

function open(path: usize, flags: u32, vpp: usize): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  NDINIT(nd, LOOKUP, FOLLOW, UIO_SYSSPACE, path, curproc());
  const error = vn_open(nd, flags, 0o644);
  store<usize>(vpp, changetype<usize>(nd.ni_vp));
  return error;
}

/** Writes `len` bytes at `offset` (-1: at the end) of a file that is made if it is missing; `truncate` empties it first. */
export function ffs_write_test(path: usize, buf: usize, len: u32, offset: i64, truncate: u32): i32 {
  const vpp = frame_alloc(4);
  let error = open(path, FWRITE | O_CREAT | (truncate != 0 ? O_TRUNC : 0), vpp);
  if (error != 0) return error;
  const vp = changetype<Vnode>(load<usize>(vpp));
  const ioflag = IO_UNIT | 8 | (offset < 0 ? IO_APPEND : 0);
  const residp = frame_alloc(4);
  error = vn_rdwr(UIO_WRITE, vp, buf, len, offset < 0 ? 0 : offset, UIO_SYSSPACE, ioflag, changetype<usize>(curproc()),
    residp, curproc());
  VOP_UNLOCK(vp, 0);
  vn_close(vp, FWRITE, 0, curproc());
  return error;
}

/** Reads up to `len` bytes; the count, or a negative errno. */
export function ffs_read_test(path: usize, buf: usize, len: u32, offset: i64): i32 {
  const vpp = frame_alloc(4);
  let error = open(path, FREAD, vpp);
  if (error != 0) return -error;
  const vp = changetype<Vnode>(load<usize>(vpp));
  const residp = frame_alloc(4);
  error = vn_rdwr(UIO_READ, vp, buf, len, offset, UIO_SYSSPACE, 8, 0, residp, curproc());
  VOP_UNLOCK(vp, 0);
  vn_close(vp, FREAD, 0, curproc());
  return error != 0 ? -error : i32(len - load<u32>(residp));
}

/** Reads directory entries from `offset` on; bytes read, or a negative errno. */
export function ffs_readdir_test(path: usize, buf: usize, len: u32, offset: u32): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  NDINIT(nd, LOOKUP, FOLLOW | LOCKLEAF, UIO_SYSSPACE, path, curproc());
  let error = namei(nd);
  if (error != 0) return -error;
  const iov = changetype<Iovec>(frame_alloc(SIZEOF_IOVEC));
  const uio = changetype<Uio>(frame_alloc(SIZEOF_UIO));
  iov.iov_base = buf;
  iov.iov_len = len;
  uio.uio_iov = iov;
  uio.uio_iovcnt = 1;
  uio.uio_offset = i64(offset);
  uio.uio_resid = len;
  uio.uio_segflg = UIO_SYSSPACE;
  uio.uio_rw = UIO_READ;
  uio.uio_procp = 0;
  error = VOP_READDIR(nd.ni_vp, uio, 0, 0, 0, 0);
  vput(nd.ni_vp);
  return error != 0 ? -error : i32(len - uio.uio_resid);
}

export function ffs_mkdir_test(path: usize): i32 {
  return do_mkdir(path, 0o755, curproc());
}

export function ffs_rmdir_test(path: usize): i32 {
  return do_rmdir(path, curproc());
}

export function ffs_unlink_test(path: usize): i32 {
  return do_unlink(path, curproc());
}

export function ffs_rename_test(from: usize, to: usize): i32 {
  return do_rename(from, to, false, curproc());
}

export function ffs_link_test(path: usize, link: usize): i32 {
  return do_link(path, link, curproc());
}

export function ffs_symlink_test(target: usize, path: usize): i32 {
  return do_symlink(target, path, curproc());
}

export function ffs_truncate_test(path: usize, length: i64): i32 {
  return do_truncate(path, length, curproc());
}

export function ffs_mknod_test(path: usize, mode: u32, dev: u32): i32 {
  return do_mknod(path, mode, dev, curproc());
}

export function ffs_chmod_test(path: usize, mode: u32): i32 {
  return do_chmod(path, mode, curproc());
}

export function ffs_lstat_test(path: usize, sb: Stat): i32 {
  return do_lstat(path, sb, curproc());
}

/** Length of the text, or a negative errno. */
export function ffs_readlink_test(path: usize, buf: usize, count: u32): i32 {
  const lengthp = frame_alloc(4);
  const error = do_readlink(path, buf, count, lengthp, curproc());
  return error != 0 ? -error : load<i32>(lengthp);
}

/** Requests of the disk fail from now on, or no longer. */
export function test_set_failing(failing: u32): void {
  test_state.failing = failing;
}
