// System calls that change attributes of files, by path (following a last symbolic link or, with an l, not) and by
// descriptor; and pathconf.
import { frame_alloc } from "./i386/cpufunc";
import { copyin } from "./i386/support";
import { fd_getfile } from "./kern_descrip";
import { microtime } from "./kern_time";
import { lookup_user } from "./sys_path";
import { vnode_file } from "./sys_file";
import { PIPE_BUF } from "./pipe_ring";
import { EBADF, EINVAL, EOPNOTSUPP, EROFS } from "./sys/errno";
import { DTYPE_PIPE, DTYPE_VNODE, File } from "./sys/file";
import { LK_EXCLUSIVE, LK_RETRY } from "./sys/lock";
import { Proc } from "./sys/proc";
import {
  SysChflagsArgs, SysChmodArgs, SysChownArgs, SysFchflagsArgs, SysFchmodArgs, SysFchownArgs, SysFpathconfArgs,
  SysFutimesArgs, SysLchflagsArgs, SysLchmodArgs, SysLchownArgs, SysLutimesArgs, SysPathconfArgs, SysUtimesArgs,
  Sys__posix_chownArgs, Sys__posix_fchownArgs, Sys__posix_lchownArgs,
} from "./syscallargs";
import { FOLLOW, LOCKLEAF, NOFOLLOW, Nameidata } from "../fs/namei";
import { vput } from "../fs/vfs_subr";
import { VATTR_SIZE, vn_lock, vn_rdonly } from "../fs/vfs_vnops";
import { VATTR_NULL, VNOVAL, Vattr, Vnode } from "../fs/vnode";
import { VOP_GETATTR, VOP_PATHCONF, VOP_SETATTR, VOP_UNLOCK } from "../fs/vnode_if";

const ALLPERMS: u32 = 0o7777;
const S_ISUID: u32 = 0o4000;
const S_ISGID: u32 = 0o2000;
/** Name of pathconf that pipes know. */
const PC_PIPE_BUF: u32 = 6;

/** Changes attributes of the locked file. EROFS, EOPNOTSUPP (a device without a name). */
function change(p: Proc, vp: Vnode, va: Vattr): i32 {
  if (vn_rdonly(vp)) return EROFS;
  return VOP_SETATTR(vp, va, changetype<usize>(p), p);
}

/** Changes attributes of the file at a user's path. */
function change_path(p: Proc, path: usize, follow: u32, va: Vattr): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  let error = lookup_user(p, path, follow | LOCKLEAF, nd);
  if (error != 0) return error;
  error = change(p, nd.ni_vp, va);
  vput(nd.ni_vp);
  return error;
}

/** Changes attributes of an open file. */
function change_fd(p: Proc, fd: i32, va: Vattr): i32 {
  const errorp = frame_alloc(4);
  const fp = vnode_file(p, fd, EINVAL, errorp);
  if (load<i32>(errorp) != 0) return load<i32>(errorp);
  const vp = changetype<Vnode>(fp.f_data);
  vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  const error = change(p, vp, va);
  VOP_UNLOCK(vp, 0);
  return error;
}

function mode_attribute(va: Vattr, mode: u32): Vattr {
  VATTR_NULL(va);
  va.va_mode = mode & ALLPERMS;
  return va;
}

export function sys_chmod(p: Proc, uap: SysChmodArgs, retval: usize): i32 {
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  return change_path(p, uap.path, FOLLOW, mode_attribute(va, uap.mode));
}

export function sys_lchmod(p: Proc, uap: SysLchmodArgs, retval: usize): i32 {
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  return change_path(p, uap.path, NOFOLLOW, mode_attribute(va, uap.mode));
}

export function sys_fchmod(p: Proc, uap: SysFchmodArgs, retval: usize): i32 {
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  return change_fd(p, uap.fd, mode_attribute(va, uap.mode));
}

function flags_attribute(va: Vattr, flags: u32): Vattr {
  VATTR_NULL(va);
  va.va_flags = flags;
  return va;
}

export function sys_chflags(p: Proc, uap: SysChflagsArgs, retval: usize): i32 {
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  return change_path(p, uap.path, FOLLOW, flags_attribute(va, uap.flags));
}

export function sys_lchflags(p: Proc, uap: SysLchflagsArgs, retval: usize): i32 {
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  return change_path(p, uap.path, NOFOLLOW, flags_attribute(va, uap.flags));
}

export function sys_fchflags(p: Proc, uap: SysFchflagsArgs, retval: usize): i32 {
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  return change_fd(p, uap.fd, flags_attribute(va, uap.flags));
}

/**
 * Gives the locked file to a user and a group (VNOVAL: as they are). What changes hands loses the right to act as its
 * owner; as POSIX has it not when uid 0 gives it.
 */
function change_owner(p: Proc, vp: Vnode, uid: u32, gid: u32, posix: bool): i32 {
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  const error = VOP_GETATTR(vp, va, changetype<usize>(p), p);
  if (error != 0) return error;
  const mode = va.va_mode;
  const lost = (uid != VNOVAL ? S_ISUID : 0) | (gid != VNOVAL ? S_ISGID : 0);
  VATTR_NULL(va);
  va.va_uid = uid;
  va.va_gid = gid;
  if ((mode & lost) != 0 && !(posix && p.p_uid == 0)) va.va_mode = mode & ~lost;
  return change(p, vp, va);
}

function chown_path(p: Proc, path: usize, follow: u32, uid: u32, gid: u32, posix: bool): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  let error = lookup_user(p, path, follow | LOCKLEAF, nd);
  if (error != 0) return error;
  error = change_owner(p, nd.ni_vp, uid, gid, posix);
  vput(nd.ni_vp);
  return error;
}

function chown_fd(p: Proc, fd: i32, uid: u32, gid: u32, posix: bool): i32 {
  const errorp = frame_alloc(4);
  const fp = vnode_file(p, fd, EINVAL, errorp);
  if (load<i32>(errorp) != 0) return load<i32>(errorp);
  const vp = changetype<Vnode>(fp.f_data);
  vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  const error = change_owner(p, vp, uid, gid, posix);
  VOP_UNLOCK(vp, 0);
  return error;
}

export function sys_chown(p: Proc, uap: SysChownArgs, retval: usize): i32 {
  return chown_path(p, uap.path, FOLLOW, uap.uid, uap.gid, false);
}

export function sys_lchown(p: Proc, uap: SysLchownArgs, retval: usize): i32 {
  return chown_path(p, uap.path, NOFOLLOW, uap.uid, uap.gid, false);
}

export function sys_fchown(p: Proc, uap: SysFchownArgs, retval: usize): i32 {
  return chown_fd(p, uap.fd, uap.uid, uap.gid, false);
}

export function sys___posix_chown(p: Proc, uap: Sys__posix_chownArgs, retval: usize): i32 {
  return chown_path(p, uap.path, FOLLOW, uap.uid, uap.gid, true);
}

export function sys___posix_lchown(p: Proc, uap: Sys__posix_lchownArgs, retval: usize): i32 {
  return chown_path(p, uap.path, NOFOLLOW, uap.uid, uap.gid, true);
}

export function sys___posix_fchown(p: Proc, uap: Sys__posix_fchownArgs, retval: usize): i32 {
  return chown_fd(p, uap.fd, uap.uid, uap.gid, true);
}

/** The two timevals at `tptr` (0: now) as attributes. EINVAL for microseconds that are none. */
function time_attributes(tptr: usize, va: Vattr): i32 {
  const tv = frame_alloc(16);
  if (tptr == 0) {
    microtime(tv);
    microtime(tv + 8);
  } else {
    const error = copyin(tptr, tv, 16);
    if (error != 0) return error;
  }
  VATTR_NULL(va);
  if (load<u32>(tv, 4) >= 1000000 || load<u32>(tv, 12) >= 1000000) return EINVAL;
  va.va_atime = load<u32>(tv);
  va.va_atimensec = load<u32>(tv, 4) * 1000;
  va.va_mtime = load<u32>(tv, 8);
  va.va_mtimensec = load<u32>(tv, 12) * 1000;
  return 0;
}

export function sys_utimes(p: Proc, uap: SysUtimesArgs, retval: usize): i32 {
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  const error = time_attributes(uap.tptr, va);
  return error != 0 ? error : change_path(p, uap.path, FOLLOW, va);
}

export function sys_lutimes(p: Proc, uap: SysLutimesArgs, retval: usize): i32 {
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  const error = time_attributes(uap.tptr, va);
  return error != 0 ? error : change_path(p, uap.path, NOFOLLOW, va);
}

export function sys_futimes(p: Proc, uap: SysFutimesArgs, retval: usize): i32 {
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  const error = time_attributes(uap.tptr, va);
  return error != 0 ? error : change_fd(p, uap.fd, va);
}

export function sys_pathconf(p: Proc, uap: SysPathconfArgs, retval: usize): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  let error = lookup_user(p, uap.path, FOLLOW | LOCKLEAF, nd);
  if (error != 0) return error;
  error = VOP_PATHCONF(nd.ni_vp, uap.name, retval);
  vput(nd.ni_vp);
  return error;
}

export function sys_fpathconf(p: Proc, uap: SysFpathconfArgs, retval: usize): i32 {
  const fp: File = fd_getfile(p, uap.fd, 0);
  if (changetype<usize>(fp) == 0) return EBADF;
  if (fp.f_type == DTYPE_PIPE) {
    if (uap.name != PC_PIPE_BUF) return EINVAL;
    store<u32>(retval, PIPE_BUF);
    return 0;
  }
  if (fp.f_type != DTYPE_VNODE) return EOPNOTSUPP;
  return VOP_PATHCONF(changetype<Vnode>(fp.f_data), uap.name, retval);
}
