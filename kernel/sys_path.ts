// System calls on path names: each copies its paths into the kernel and calls the file system's do_ function.
import { frame_alloc } from "./i386/cpufunc";
import { copyin, copyinstr, copyout } from "./i386/support";
import { free, malloc } from "./kern_malloc";
import { strcmp } from "./libkern";
import { EINVAL, EPERM, ERANGE } from "./sys/errno";
import { M_NAMEI, M_WAITOK } from "./sys/malloc";
import { MAXPATHLEN } from "./sys/param";
import { Proc } from "./sys/proc";
import { UIO_SYSSPACE } from "./sys/uio";
import {
  SysAccessArgs, SysChdirArgs, SysChrootArgs, SysLinkArgs, SysMkdirArgs,
  SysMkfifoArgs, SysMknodArgs, SysMountArgs, SysReadlinkArgs, SysRenameArgs, SysRevokeArgs, SysRmdirArgs,
  SysStatfsArgs, SysSymlinkArgs, SysTruncateArgs, SysUmaskArgs,
  SysUnlinkArgs, SysUnmountArgs, Sys__getcwdArgs, Sys__lstat13Args, Sys__posix_renameArgs, Sys__stat13Args,
} from "./syscallargs";
import { getcwd } from "./vfs_getcwd";
import { FOLLOW, LOCKLEAF, LOOKUP, Nameidata } from "../fs/namei";
import { MFSARGS_SIZE } from "../fs/mfs/mfsnode";
import { STATFS_SIZE } from "../fs/mount";
import { Stat } from "../fs/stat";
import { NDINIT, namei } from "../fs/vfs_lookup";
import { vput, vrele } from "../fs/vfs_subr";
import {
  do_chdir, do_chroot, do_link, do_lstat, do_mkdir, do_mknod, do_mount, do_readlink, do_rename, do_rmdir,
  do_stat, do_statfs, do_symlink, do_truncate, do_unlink, do_unmount,
} from "../fs/vfs_syscalls";
import { do_sync } from "../fs/vfs_mount_calls";
import { VATTR_SIZE } from "../fs/vfs_vnops";
import {
  REVOKEALL, S_IFIFO, VALIASED, VBLK, VCHR, VEXEC, VREAD, VWRITE, Vattr, 
} from "../fs/vnode";
import { VOP_ACCESS, VOP_GETATTR, VOP_REVOKE } from "../fs/vnode_if";

const SIZEOF_STAT: u32 = 96;
const MFSNAMELEN: u32 = 16;
/** Most bytes of a string among mount's arguments, and room for an MfsArgs with one. */
const MOUNT_STRING: u32 = 128;
const MOUNT_ARGS_ROOM: u32 = 24 + 128;

/** Copies a path into a fresh buffer, whose address goes to `pathp`; free it with M_NAMEI. Nothing to free on error. */
export function copyin_path(user: usize, pathp: usize): i32 {
  const path = malloc(MAXPATHLEN, M_NAMEI, M_WAITOK);
  const error = copyinstr(user, path, MAXPATHLEN, 0);
  store<usize>(pathp, path);
  if (error != 0) free(path, M_NAMEI);
  return error;
}

/** Copies two paths; both buffers are to be freed on success, none on error. */
function copyin_paths(user1: usize, user2: usize, paths: usize): i32 {
  let error = copyin_path(user1, paths);
  if (error != 0) return error;
  error = copyin_path(user2, paths + 4);
  if (error != 0) free(load<usize>(paths), M_NAMEI);
  return error;
}

function free_paths(paths: usize): void {
  free(load<usize>(paths), M_NAMEI);
  free(load<usize>(paths, 4), M_NAMEI);
}

export function sys_link(p: Proc, uap: SysLinkArgs, retval: usize): i32 {
  const paths = frame_alloc(8);
  let error = copyin_paths(uap.path, uap.link, paths);
  if (error != 0) return error;
  error = do_link(load<usize>(paths), load<usize>(paths, 4), p);
  free_paths(paths);
  return error;
}

export function sys_symlink(p: Proc, uap: SysSymlinkArgs, retval: usize): i32 {
  const paths = frame_alloc(8);
  let error = copyin_paths(uap.path, uap.link, paths);
  if (error != 0) return error;
  error = do_symlink(load<usize>(paths), load<usize>(paths, 4), p);
  free_paths(paths);
  return error;
}

/** `posix`: with two names of one file nothing happens, as POSIX has it; else the first one goes. */
function rename_user(p: Proc, from: usize, to: usize, posix: bool): i32 {
  const paths = frame_alloc(8);
  let error = copyin_paths(from, to, paths);
  if (error != 0) return error;
  error = do_rename(load<usize>(paths), load<usize>(paths, 4), posix, p);
  free_paths(paths);
  return error;
}

export function sys_rename(p: Proc, uap: SysRenameArgs, retval: usize): i32 {
  return rename_user(p, uap.from, uap.to, false);
}

export function sys___posix_rename(p: Proc, uap: Sys__posix_renameArgs, retval: usize): i32 {
  return rename_user(p, uap.from, uap.to, true);
}

export function sys_unlink(p: Proc, uap: SysUnlinkArgs, retval: usize): i32 {
  const path = frame_alloc(4);
  let error = copyin_path(uap.path, path);
  if (error != 0) return error;
  error = do_unlink(load<usize>(path), p);
  free(load<usize>(path), M_NAMEI);
  return error;
}

export function sys_rmdir(p: Proc, uap: SysRmdirArgs, retval: usize): i32 {
  const path = frame_alloc(4);
  let error = copyin_path(uap.path, path);
  if (error != 0) return error;
  error = do_rmdir(load<usize>(path), p);
  free(load<usize>(path), M_NAMEI);
  return error;
}

export function sys_chdir(p: Proc, uap: SysChdirArgs, retval: usize): i32 {
  const path = frame_alloc(4);
  let error = copyin_path(uap.path, path);
  if (error != 0) return error;
  error = do_chdir(load<usize>(path), p);
  free(load<usize>(path), M_NAMEI);
  return error;
}

export function sys_mkdir(p: Proc, uap: SysMkdirArgs, retval: usize): i32 {
  const path = frame_alloc(4);
  let error = copyin_path(uap.path, path);
  if (error != 0) return error;
  error = do_mkdir(load<usize>(path), uap.mode, p);
  free(load<usize>(path), M_NAMEI);
  return error;
}

function mknod_user(p: Proc, user: usize, mode: u32, dev: u32): i32 {
  const path = frame_alloc(4);
  let error = copyin_path(user, path);
  if (error != 0) return error;
  error = do_mknod(load<usize>(path), mode, dev, p);
  free(load<usize>(path), M_NAMEI);
  return error;
}

export function sys_mknod(p: Proc, uap: SysMknodArgs, retval: usize): i32 {
  return p.p_uid != 0 ? EPERM : mknod_user(p, uap.path, uap.mode, uap.dev);
}

export function sys_mkfifo(p: Proc, uap: SysMkfifoArgs, retval: usize): i32 {
  return mknod_user(p, uap.path, S_IFIFO | (uap.mode & 0o7777), 0);
}

export function sys_truncate(p: Proc, uap: SysTruncateArgs, retval: usize): i32 {
  const path = frame_alloc(4);
  let error = copyin_path(uap.path, path);
  if (error != 0) return error;
  error = do_truncate(load<usize>(path), uap.length, p);
  free(load<usize>(path), M_NAMEI);
  return error;
}

/** stat and lstat. */
function stat_user(p: Proc, user: usize, sb: usize, follow: bool): i32 {
  const path = frame_alloc(4);
  const stat = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  let error = copyin_path(user, path);
  if (error != 0) return error;
  error = follow ? do_stat(load<usize>(path), stat, p) : do_lstat(load<usize>(path), stat, p);
  free(load<usize>(path), M_NAMEI);
  return error != 0 ? error : copyout(changetype<usize>(stat), sb, SIZEOF_STAT);
}

export function sys___stat13(p: Proc, uap: Sys__stat13Args, retval: usize): i32 {
  return stat_user(p, uap.path, uap.sb, true);
}

export function sys___lstat13(p: Proc, uap: Sys__lstat13Args, retval: usize): i32 {
  return stat_user(p, uap.path, uap.sb, false);
}

export function sys_statfs(p: Proc, uap: SysStatfsArgs, retval: usize): i32 {
  const path = frame_alloc(4);
  const statfs = frame_alloc(256);
  let error = copyin_path(uap.path, path);
  if (error != 0) return error;
  error = do_statfs(load<usize>(path), statfs, p);
  free(load<usize>(path), M_NAMEI);
  return error != 0 ? error : copyout(statfs, uap.buf, STATFS_SIZE);
}

export function sys_readlink(p: Proc, uap: SysReadlinkArgs, retval: usize): i32 {
  const path = frame_alloc(4);
  const length = frame_alloc(4);
  let error = copyin_path(uap.path, path);
  if (error != 0) return error;
  const text = malloc(MAXPATHLEN, M_NAMEI, M_WAITOK);
  const count = uap.count < MAXPATHLEN ? uap.count : MAXPATHLEN;
  error = do_readlink(load<usize>(path), text, count, length, p);
  if (error == 0) error = copyout(text, uap.buf, load<u32>(length));
  if (error == 0) store<u32>(retval, load<u32>(length));
  free(text, M_NAMEI);
  free(load<usize>(path), M_NAMEI);
  return error;
}

// flags of access.
const R_OK: u32 = 4;
const W_OK: u32 = 2;
const X_OK: u32 = 1;

/** access: by the real user. */
export function sys_access(p: Proc, uap: SysAccessArgs, retval: usize): i32 {
  if ((uap.flags & ~(R_OK | W_OK | X_OK)) != 0) return EINVAL;
  const path = frame_alloc(4);
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  let error = copyin_path(uap.path, path);
  if (error != 0) return error;
  const uid = p.p_uid;
  const gid = p.p_gid;
  p.p_uid = p.p_ruid;
  p.p_gid = p.p_rgid;
  NDINIT(nd, LOOKUP, FOLLOW | LOCKLEAF, UIO_SYSSPACE, load<usize>(path), p);
  error = namei(nd);
  if (error == 0) {
    const mode = ((uap.flags & R_OK) != 0 ? VREAD : 0) | ((uap.flags & W_OK) != 0 ? VWRITE : 0)
      | ((uap.flags & X_OK) != 0 ? VEXEC : 0);
    if (mode != 0) error = VOP_ACCESS(nd.ni_vp, mode, changetype<usize>(p), p);
    vput(nd.ni_vp);
  }
  p.p_uid = uid;
  p.p_gid = gid;
  free(load<usize>(path), M_NAMEI);
  return error;
}

/** Looks up a user's path: ni_vp referenced, locked with LOCKLEAF. flags: FOLLOW and others. Sleeps. */
export function lookup_user(p: Proc, user: usize, flags: u32, nd: Nameidata): i32 {
  const path = frame_alloc(4);
  let error = copyin_path(user, path);
  if (error != 0) return error;
  NDINIT(nd, LOOKUP, flags, UIO_SYSSPACE, load<usize>(path), p);
  error = namei(nd);
  free(load<usize>(path), M_NAMEI);
  return error;
}

/** revoke: all descriptors of a device become useless. The owner and uid 0 may. */
export function sys_revoke(p: Proc, uap: SysRevokeArgs, retval: usize): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  let error = lookup_user(p, uap.path, FOLLOW, nd);
  if (error != 0) return error;
  const vp = nd.ni_vp;
  if (vp.v_type != VCHR && vp.v_type != VBLK) error = EINVAL;
  if (error == 0) error = VOP_GETATTR(vp, va, changetype<usize>(p), p);
  if (error == 0 && p.p_uid != 0 && p.p_uid != va.va_uid) error = EPERM;
  if (error == 0 && (vp.v_usecount > 1 || (vp.v_flag & VALIASED) != 0)) error = VOP_REVOKE(vp, REVOKEALL);
  vrele(vp);
  return error;
}

export function sys_chroot(p: Proc, uap: SysChrootArgs, retval: usize): i32 {
  const path = frame_alloc(4);
  let error = copyin_path(uap.path, path);
  if (error != 0) return error;
  error = do_chroot(load<usize>(path), p);
  free(load<usize>(path), M_NAMEI);
  return error;
}

export function sys_umask(p: Proc, uap: SysUmaskArgs, retval: usize): i32 {
  store<u32>(retval, p.p_umask);
  p.p_umask = uap.newmask & 0o777;
  return 0;
}

export function sys_sync(p: Proc, retval: usize): i32 {
  return do_sync(p);
}

/** Copies in a string argument of mount whose user address is in the word at `at`; the word becomes the copy's. */
function copyin_mount_string(at: usize, pool: usize): i32 {
  const user = load<usize>(at);
  if (user == 0) return 0;
  store<usize>(at, pool);
  return copyinstr(user, pool, MOUNT_STRING, 0);
}

/**
 * Copies the file system type's arguments into the kernel: an MfsArgs, or of a UfsArgs the name of the device, with
 * which both begin. `room`: MOUNT_ARGS_ROOM bytes.
 */
function copyin_mount_args(type: usize, data: usize, room: usize): i32 {
  const mfs = strcmp(type, cs("mfs")) == 0;
  if (data == 0) return 0;
  let error = copyin(data, room, mfs ? MFSARGS_SIZE : 4);
  return error != 0 ? error : copyin_mount_string(room, room + MFSARGS_SIZE);
}

export function sys_mount(p: Proc, uap: SysMountArgs, retval: usize): i32 {
  if (p.p_uid != 0) return EPERM;
  const type = frame_alloc(16);
  const path = frame_alloc(4);
  let error = copyinstr(uap.type, type, MFSNAMELEN, 0);
  if (error == 0) error = copyin_path(uap.path, path);
  if (error != 0) return error;
  const room = malloc(MOUNT_ARGS_ROOM, M_NAMEI, M_WAITOK);
  memory.fill(room, 0, MOUNT_ARGS_ROOM);
  error = copyin_mount_args(type, uap.data, room);
  if (error == 0) error = do_mount(type, load<usize>(path), uap.flags, room, p);
  free(room, M_NAMEI);
  free(load<usize>(path), M_NAMEI);
  return error;
}

export function sys_unmount(p: Proc, uap: SysUnmountArgs, retval: usize): i32 {
  if (p.p_uid != 0) return EPERM;
  const path = frame_alloc(4);
  let error = copyin_path(uap.path, path);
  if (error != 0) return error;
  error = do_unmount(load<usize>(path), uap.flags, p);
  free(load<usize>(path), M_NAMEI);
  return error;
}

/** The path of the current directory, from the root; its length with the NUL is returned. ERANGE: the room is too small. */
export function sys___getcwd(p: Proc, uap: Sys__getcwdArgs, retval: usize): i32 {
  if (uap.length < 2) return uap.length == 0 ? EINVAL : ERANGE;
  const text = malloc(MAXPATHLEN, M_NAMEI, M_WAITOK);
  const startp = frame_alloc(4);
  let error = getcwd(p, text, MAXPATHLEN, startp);
  if (error == 0) {
    const start = load<usize>(startp);
    const length = text + MAXPATHLEN - start;
    error = length > uap.length ? ERANGE : copyout(start, uap.buf, length);
    store<u32>(retval, length);
  }
  free(text, M_NAMEI);
  return error;
}
