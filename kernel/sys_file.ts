// System calls on open files of the file system.
import { frame_alloc } from "./i386/cpufunc";
import { copyout } from "./i386/support";
import { falloc, fd_getfile, fdrelease, ffree } from "./kern_descrip";
import { free } from "./kern_malloc";
import { EBADF, EINVAL, EISDIR, ENOTDIR, EPERM, ESPIPE } from "./sys/errno";
import { DTYPE_VNODE, File } from "./sys/file";
import { LK_EXCLUSIVE, LK_RETRY } from "./sys/lock";
import { M_NAMEI } from "./sys/malloc";
import { Proc } from "./sys/proc";
import { TAILQ_FIRST, TAILQ_NEXT } from "./sys/queue";
import { UIO_SYSSPACE, UIO_USERSPACE } from "./sys/uio";
import {
  SysFchdirArgs, SysFchrootArgs, SysFdatasyncArgs, SysFstatfsArgs, SysFsyncArgs,
  SysFtruncateArgs, SysGetdentsArgs, SysGetfsstatArgs, SysLseekArgs, SysOpenArgs,
} from "./syscallargs";
import { vnops } from "./vn_file";
import { LOCK_EX, LOCK_NB, LOCK_SH, flock_file } from "./sys_lock";
import { copyin_path } from "./sys_path";
import { FFLAGS, FREAD, FWRITE, O_CREAT, O_EXCL, O_EXLOCK, O_NONBLOCK, O_SHLOCK, O_TRUNC } from "../fs/fcntl";
import { MNT_VISFLAGMASK, Mount, STATFS_SIZE, VFS_STATFS } from "../fs/mount";
import { FOLLOW, LOOKUP, Nameidata } from "../fs/namei";
import { NDINIT } from "../fs/vfs_lookup";
import { MNT_LIST, mountlist } from "../fs/vfs_mount";
import { vref, vrele } from "../fs/vfs_subr";
import { check_directory, do_fsync } from "../fs/vfs_syscalls";
import { VATTR_SIZE, vn_lock, vn_open, vn_readdir } from "../fs/vfs_vnops";
import { VATTR_NULL, VDIR, VFIFO, VSOCK, Vattr, Vnode } from "../fs/vnode";
import { VOP_GETATTR, VOP_SETATTR, VOP_UNLOCK } from "../fs/vnode_if";

const ALLPERMS: u32 = 0o7777;
/** Bits of open's flags that stay with the open file. */
const O_MASK: u32 = 0x8cf;

const SEEK_SET: i32 = 0;
const SEEK_CUR: i32 = 1;
const SEEK_END: i32 = 2;

/** Opens `path` (in the kernel) into a File. */
function open_path(p: Proc, path: usize, fmode: u32, mode: u32, fp: File): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  NDINIT(nd, LOOKUP, FOLLOW, UIO_SYSSPACE, path, p);
  const error = vn_open(nd, fmode, mode & ALLPERMS & ~p.p_umask);
  if (error != 0) return error;
  fp.f_flag = fmode & ~(O_CREAT | O_EXCL | O_TRUNC);
  fp.f_type = DTYPE_VNODE;
  fp.f_data = changetype<usize>(nd.ni_vp);
  fp.f_ops = vnops();
  VOP_UNLOCK(nd.ni_vp, 0);
  return 0;
}

export function sys_open(p: Proc, uap: SysOpenArgs, retval: usize): i32 {
  if ((uap.flags & 3) == 3) return EINVAL;
  const fmode = FFLAGS(uap.flags) & (O_MASK | FREAD | FWRITE | O_CREAT | O_TRUNC | O_EXCL);
  const path = frame_alloc(4);
  const fpp = frame_alloc(4);
  let error = copyin_path(uap.path, path);
  if (error != 0) return error;
  error = falloc(p, fpp, retval);
  if (error == 0) {
    const fp = changetype<File>(load<usize>(fpp));
    error = open_path(p, load<usize>(path), fmode, uap.mode, fp);
    if (error != 0) ffree(p, fp, load<u32>(retval));
    else if ((uap.flags & (O_SHLOCK | O_EXLOCK)) != 0) error = lock_opened(p, fp, uap.flags, load<u32>(retval));
  }
  free(load<usize>(path), M_NAMEI);
  return error;
}

/** The lock that open's flags ask for; when it cannot be had the file is closed again. */
function lock_opened(p: Proc, fp: File, flags: u32, fd: u32): i32 {
  const how = ((flags & O_EXLOCK) != 0 ? LOCK_EX : LOCK_SH) | ((flags & O_NONBLOCK) != 0 ? LOCK_NB : 0);
  fp.f_count++;
  const error = flock_file(fp, how);
  fp.f_count--;
  if (error != 0) fdrelease(p, fd);
  return error;
}

/** The File of a descriptor if it is of the file system; the error for others goes to `errorp`. */
export function vnode_file(p: Proc, fd: i32, other: i32, errorp: usize): File {
  const fp = fd_getfile(p, fd, 0);
  store<i32>(errorp, 0);
  if (changetype<usize>(fp) == 0) store<i32>(errorp, EBADF);
  else if (fp.f_type != DTYPE_VNODE) store<i32>(errorp, other);
  return fp;
}

function vnode_of(fp: File): Vnode {
  return changetype<Vnode>(fp.f_data);
}

export function sys_lseek(p: Proc, uap: SysLseekArgs, retval: usize): i32 {
  const errorp = frame_alloc(4);
  const fp = vnode_file(p, uap.fd, ESPIPE, errorp);
  if (load<i32>(errorp) != 0) return load<i32>(errorp);
  const vp = vnode_of(fp);
  if (vp.v_type == VFIFO || vp.v_type == VSOCK) return ESPIPE;
  let offset = uap.offset;
  if (uap.whence == SEEK_CUR) offset += fp.f_offset;
  else if (uap.whence == SEEK_END) {
    const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
    const error = VOP_GETATTR(vp, va, changetype<usize>(p), p);
    if (error != 0) return error;
    offset += i64(va.va_size);
  } else if (uap.whence != SEEK_SET) return EINVAL;
  if (offset < 0) return EINVAL;
  fp.f_offset = offset;
  store<u32>(retval, u32(offset));
  store<u32>(retval, u32(offset >> 32), 4);
  return 0;
}

export function sys_fchdir(p: Proc, uap: SysFchdirArgs, retval: usize): i32 {
  const errorp = frame_alloc(4);
  const fp = vnode_file(p, uap.fd, ENOTDIR, errorp);
  if (load<i32>(errorp) != 0) return load<i32>(errorp);
  const vp = vnode_of(fp);
  vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  const error = check_directory(vp, p);
  VOP_UNLOCK(vp, 0);
  if (error != 0) return error;
  const old = p.p_cdir;
  vref(vp);
  p.p_cdir = changetype<usize>(vp);
  if (old != 0) vrele(changetype<Vnode>(old));
  return 0;
}

/** uid 0 gets another root directory, and it is the current one, too. */
export function sys_fchroot(p: Proc, uap: SysFchrootArgs, retval: usize): i32 {
  if (p.p_uid != 0) return EPERM;
  const error = sys_fchdir(p, changetype<SysFchdirArgs>(uap), retval);
  if (error != 0) return error;
  const old = p.p_rdir;
  p.p_rdir = p.p_cdir;
  vref(changetype<Vnode>(p.p_rdir));
  if (old != 0) vrele(changetype<Vnode>(old));
  return 0;
}

export function sys_fsync(p: Proc, uap: SysFsyncArgs, retval: usize): i32 {
  const errorp = frame_alloc(4);
  const fp = vnode_file(p, uap.fd, EINVAL, errorp);
  return load<i32>(errorp) != 0 ? load<i32>(errorp) : do_fsync(vnode_of(fp), p);
}

export function sys_fdatasync(p: Proc, uap: SysFdatasyncArgs, retval: usize): i32 {
  return sys_fsync(p, changetype<SysFsyncArgs>(uap), retval);
}

export function sys_ftruncate(p: Proc, uap: SysFtruncateArgs, retval: usize): i32 {
  if (uap.length < 0) return EINVAL;
  const fp = fd_getfile(p, uap.fd, FWRITE);
  if (changetype<usize>(fp) == 0) return changetype<usize>(fd_getfile(p, uap.fd, 0)) == 0 ? EBADF : EINVAL;
  if (fp.f_type != DTYPE_VNODE) return EINVAL;
  const vp = vnode_of(fp);
  if (vp.v_type == VDIR) return EISDIR;
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  VATTR_NULL(va);
  va.va_size = u64(uap.length);
  vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  const error = VOP_SETATTR(vp, va, changetype<usize>(p), p);
  VOP_UNLOCK(vp, 0);
  return error;
}

export function sys_getdents(p: Proc, uap: SysGetdentsArgs, retval: usize): i32 {
  const errorp = frame_alloc(4);
  const fp = vnode_file(p, uap.fd, EINVAL, errorp);
  if (load<i32>(errorp) != 0) return load<i32>(errorp);
  if ((fp.f_flag & FREAD) == 0) return EBADF;
  const vp = vnode_of(fp);
  if (vp.v_type != VDIR) return EINVAL;
  return vn_readdir(vp, uap.buf, UIO_USERSPACE, uap.count, changetype<usize>(fp), retval, p);
}

/** Statistics of one mount for the user. */
export function copyout_statfs(mp: Mount, buf: usize, p: Proc): i32 {
  const error = VFS_STATFS(mp, mp.mnt_stat, p);
  if (error != 0) return error;
  mp.mnt_stat.f_flags = mp.mnt_flag & MNT_VISFLAGMASK;
  return copyout(changetype<usize>(mp.mnt_stat), buf, STATFS_SIZE);
}

export function sys_fstatfs(p: Proc, uap: SysFstatfsArgs, retval: usize): i32 {
  const errorp = frame_alloc(4);
  const fp = vnode_file(p, uap.fd, EINVAL, errorp);
  if (load<i32>(errorp) != 0) return load<i32>(errorp);
  const mp = vnode_of(fp).v_mount;
  return changetype<usize>(mp) == 0 ? EINVAL : copyout_statfs(mp, uap.buf, p);
}

/** Statistics of all mounts, as many as fit; their number. Without buffer only the number. */
export function sys_getfsstat(p: Proc, uap: SysGetfsstatArgs, retval: usize): i32 {
  const room = uap.bufsize / STATFS_SIZE;
  let count: u32 = 0;
  let at = TAILQ_FIRST(mountlist);
  while (at != 0) {
    const mp = changetype<Mount>(at);
    at = TAILQ_NEXT(at, MNT_LIST);
    if (uap.buf != 0 && count < room) {
      const error = copyout_statfs(mp, uap.buf + count * STATFS_SIZE, p);
      if (error != 0) return error;
    }
    count++;
  }
  store<u32>(retval, uap.buf != 0 && count > room ? room : count);
  return 0;
}
