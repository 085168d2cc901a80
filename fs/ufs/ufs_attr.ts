// Attributes and permissions of files (VOP_ACCESS, VOP_GETATTR, VOP_SETATTR) and
// the small operations that only look at an inode.

import { printf } from "../../kernel/subr_prf";
import { EACCES, EINVAL, EISDIR, EPERM, EROFS } from "../../kernel/sys/errno";
import { DEV_BSHIFT, MAXBSIZE, MAXPATHLEN } from "../../kernel/sys/param";
import { Proc } from "../../kernel/sys/proc";
import { ffs_itimes } from "../ffs/ffs_inode";
import { MNT_RDONLY } from "../mount";
import {
  VBLK, VCHR, VDIR, VEXEC, VLNK, VNON, VNOVAL, VREAD, VREG, VWRITE, Vattr, Vnode,
} from "../vnode";
import { VOP_TRUNCATE, VOP_UPDATE } from "../vnode_if";
import {
  FLAGS_APPEND, FLAGS_IMMUTABLE, IEXEC, IREAD, ISGID, ISUID, ISVTX, IWRITE, LINK_MAX, SF_APPEND, SF_IMMUTABLE,
  SF_SETTABLE, UF_SETTABLE,
} from "./dinode";
import { MAXNAMLEN } from "./dir";
import { IN_ACCESS, IN_CHANGE, IN_UPDATE, VTOI } from "./inode";
import { cr_ingroup, cr_uid } from "./ufs_cred";

// Names of pathconf(2).
const PC_LINK_MAX: u32 = 1;
const PC_NAME_MAX: u32 = 4;
const PC_PATH_MAX: u32 = 5;
const PC_PIPE_BUF: u32 = 6;
const PC_CHOWN_RESTRICTED: u32 = 7;
const PC_NO_TRUNC: u32 = 8;
const PC_SYNC_IO: u32 = 9;
const PC_FILESIZEBITS: u32 = 10;

/** VOP_OPEN: append-only files are not opened for plain writing. mode: FREAD 1, FWRITE 2, O_APPEND 8. */
export function ufs_open(vp: Vnode, mode: u32, cred: usize, p: Proc): i32 {
  if ((VTOI(vp).i_flags & FLAGS_APPEND) != 0 && (mode & (2 | 8)) == 2) return EPERM;
  return 0;
}

/** VOP_CLOSE: the times are settled when others still use the file. */
export function ufs_close(vp: Vnode, fflag: u32, cred: usize, p: Proc): i32 {
  if (vp.v_usecount > 1) ffs_itimes(VTOI(vp), 0, 0);
  return 0;
}

/** VOP_ACCESS: permission bits for owner, group or others; uid 0 may anything. Does not sleep. */
export function ufs_access(vp: Vnode, mode: u32, cred: usize, p: Proc): i32 {
  const ip = VTOI(vp);
  if ((mode & VWRITE) != 0) {
    const ondisk = vp.v_type == VDIR || vp.v_type == VLNK || vp.v_type == VREG;
    if (ondisk && (vp.v_mount.mnt_flag & MNT_RDONLY) != 0) return EROFS;
    if ((ip.i_flags & FLAGS_IMMUTABLE) != 0) return EPERM;
  }
  const uid = cr_uid(cred);
  if (uid == 0) return 0;
  let mask: u32 = 0;
  if ((mode & VEXEC) != 0) mask |= IEXEC;
  if ((mode & VREAD) != 0) mask |= IREAD;
  if ((mode & VWRITE) != 0) mask |= IWRITE;
  if (uid != ip.i_uid) mask >>= cr_ingroup(cred, ip.i_gid) ? 3 : 6;
  return (ip.i_mode & mask) == mask ? 0 : EACCES;
}

/** VOP_GETATTR. */
export function ufs_getattr(vp: Vnode, vap: Vattr, cred: usize, p: Proc): i32 {
  const ip = VTOI(vp);
  ffs_itimes(ip, 0, 0);
  const dp = ip.i_din();
  vap.va_type = vp.v_type;
  vap.va_mode = ip.i_mode & 0o7777;
  vap.va_nlink = u32(ip.i_nlink);
  vap.va_uid = ip.i_uid;
  vap.va_gid = ip.i_gid;
  vap.va_fsid = ip.i_dev;
  vap.va_fileid = ip.i_number;
  vap.va_rdev = vp.v_type == VBLK || vp.v_type == VCHR ? dp.di_rdev() : 0;
  vap.va_size = ip.i_size;
  vap.va_atime = dp.di_atime;
  vap.va_atimensec = dp.di_atimensec;
  vap.va_mtime = dp.di_mtime;
  vap.va_mtimensec = dp.di_mtimensec;
  vap.va_ctime = dp.di_ctime;
  vap.va_ctimensec = dp.di_ctimensec;
  vap.va_flags = ip.i_flags;
  vap.va_gen = ip.i_gen;
  vap.va_vaflags = 0;
  vap.va_blocksize = vp.v_mount.mnt_stat.f_iosize;
  if (vp.v_type == VBLK) vap.va_blocksize = 2048;
  else if (vp.v_type == VCHR) vap.va_blocksize = MAXBSIZE;
  vap.va_bytes = u64(ip.i_blocks) << u64(DEV_BSHIFT);
  vap.va_filerev = u64(ip.i_modrev);
  return 0;
}

/** chflags: the owner sets the user flags, uid 0 all. */
function setFlags(vp: Vnode, flags: u32, uid: u32): i32 {
  const ip = VTOI(vp);
  if (uid != 0 && uid != ip.i_uid) return EPERM;
  if (uid == 0) {
    ip.i_flags = flags;
  } else {
    if ((ip.i_flags & (SF_IMMUTABLE | SF_APPEND)) != 0 || (flags & UF_SETTABLE) != flags) return EPERM;
    ip.i_flags = (ip.i_flags & SF_SETTABLE) | (flags & UF_SETTABLE);
  }
  ip.i_flag |= IN_CHANGE;
  return 0;
}

/** chown: uid 0; the owner may give the file to a group of his. */
function setOwner(vp: Vnode, vap: Vattr, uid: u32, cred: usize): i32 {
  const ip = VTOI(vp);
  const owner = vap.va_uid == VNOVAL ? ip.i_uid : vap.va_uid;
  const group = vap.va_gid == VNOVAL ? ip.i_gid : vap.va_gid;
  const regroups = group != ip.i_gid && !cr_ingroup(cred, group);
  if (uid != 0 && (uid != ip.i_uid || owner != ip.i_uid || regroups)) return EPERM;
  if (owner != ip.i_uid && uid != 0) ip.i_mode &= ~ISUID;
  if (group != ip.i_gid && uid != 0) ip.i_mode &= ~ISGID;
  ip.i_uid = owner;
  ip.i_gid = group;
  ip.i_flag |= IN_CHANGE;
  return 0;
}

/** chmod: the owner or uid 0. */
function setMode(vp: Vnode, mode: u32, uid: u32): i32 {
  const ip = VTOI(vp);
  if (uid != 0 && uid != ip.i_uid) return EPERM;
  if (uid != 0 && vp.v_type != VDIR && (mode & ISVTX) != 0) return EPERM;
  ip.i_mode = (ip.i_mode & ~0o7777) | (mode & 0o7777);
  ip.i_flag |= IN_CHANGE;
  return 0;
}

/** utimes: VNOVAL seconds leave a time as it is. */
function setTimes(vp: Vnode, vap: Vattr, uid: u32): i32 {
  const ip = VTOI(vp);
  if (uid != 0 && uid != ip.i_uid) return EPERM;
  ffs_itimes(ip, 0, 0);
  ip.i_flag |= IN_CHANGE;
  if (vap.va_atime != VNOVAL) ip.i_flag |= IN_ACCESS;
  if (vap.va_mtime != VNOVAL) ip.i_flag |= IN_UPDATE;
  const access = changetype<usize>(vap) + offsetof<Vattr>("va_atime");
  const modify = changetype<usize>(vap) + offsetof<Vattr>("va_mtime");
  return VOP_UPDATE(vp, vap.va_atime != VNOVAL ? access : 0, vap.va_mtime != VNOVAL ? modify : 0, 0);
}

/** VOP_SETATTR. vp locked. Sleeps. EINVAL for attributes nobody can set, EISDIR, EROFS, EPERM. */
export function ufs_setattr(vp: Vnode, vap: Vattr, cred: usize, p: Proc): i32 {
  const unsettable = vap.va_type != VNON || vap.va_nlink != VNOVAL || vap.va_fsid != VNOVAL || vap.va_fileid != VNOVAL
    || vap.va_blocksize != VNOVAL || vap.va_rdev != VNOVAL || vap.va_gen != VNOVAL || i64(vap.va_bytes) != -1;
  if (unsettable) return EINVAL;
  const ip = VTOI(vp);
  const uid = cr_uid(cred);
  const readonly = (vp.v_mount.mnt_flag & MNT_RDONLY) != 0;
  let error: i32 = 0;
  if (vap.va_flags != VNOVAL) {
    if (readonly) return EROFS;
    error = setFlags(vp, vap.va_flags, uid);
    if (error != 0 || (vap.va_flags & FLAGS_IMMUTABLE) != 0) return error;
  }
  if ((ip.i_flags & FLAGS_IMMUTABLE) != 0) return EPERM;
  if (vap.va_uid != VNOVAL || vap.va_gid != VNOVAL) {
    if (readonly) return EROFS;
    error = setOwner(vp, vap, uid, cred);
    if (error != 0) return error;
  }
  if (i64(vap.va_size) != -1) {
    if (vp.v_type == VDIR) return EISDIR;
    if (readonly && (vp.v_type == VREG || vp.v_type == VLNK)) return EROFS;
    // Devices, fifos and sockets have no length.
    if (vp.v_type == VREG || vp.v_type == VLNK) {
      if ((ip.i_flags & FLAGS_APPEND) != 0) return EPERM;
      error = VOP_TRUNCATE(vp, i64(vap.va_size), 0, cred, p);
      if (error != 0) return error;
    }
  }
  if (vap.va_atime != VNOVAL || vap.va_mtime != VNOVAL) {
    if (readonly) return EROFS;
    error = setTimes(vp, vap, uid);
    if (error != 0) return error;
  }
  if (vap.va_mode == VNOVAL) return 0;
  if (readonly) return EROFS;
  return setMode(vp, vap.va_mode, uid);
}

/** VOP_PATHCONF. */
export function ufs_pathconf(vp: Vnode, name: u32, retval: usize): i32 {
  let value: u32 = 0;
  if (name == PC_LINK_MAX) value = u32(LINK_MAX);
  else if (name == PC_NAME_MAX) value = MAXNAMLEN;
  else if (name == PC_PATH_MAX) value = MAXPATHLEN;
  else if (name == PC_PIPE_BUF) value = 512;
  else if (name == PC_CHOWN_RESTRICTED || name == PC_NO_TRUNC || name == PC_SYNC_IO) value = 1;
  else if (name == PC_FILESIZEBITS) value = 42;
  else return EINVAL;
  store<u32>(retval, value);
  return 0;
}

/** VOP_PRINT. */
export function ufs_print(vp: Vnode): i32 {
  const ip = VTOI(vp);
  printf(cs("tag VT_UFS, ino %d, on dev %d, %d"), ip.i_number, (ip.i_dev >> 8) & 0xff, ip.i_dev & 0xff);
  printf(cs(" flags 0x%x, nlink %d\n"), ip.i_flag, ip.i_nlink);
  printf(cs("\tmode 0%o, owner %d, group %d, size %qd\n"), ip.i_mode, ip.i_uid, ip.i_gid, u32(ip.i_size),
    u32(ip.i_size >> 32));
  return 0;
}
