// The system calls of advisory locks (kern_lockf.ts): flock, and the lock commands of fcntl.
//
// struct flock: l_start 0 (quad), l_len 8 (quad), l_pid 16, l_type 20 (short), l_whence 22 (short).
import { frame_alloc } from "./i386/cpufunc";
import { copyin, copyout } from "./i386/support";
import { fd_getfile } from "./kern_descrip";
import { F_RDLCK, F_UNLCK, F_WRLCK, LOCK_TO_END, lf_conflict, lf_has, lf_lock, lf_unlock } from "./kern_lockf";
import { EBADF, EINVAL, EOPNOTSUPP } from "./sys/errno";
import { DTYPE_VNODE, File } from "./sys/file";
import { Proc } from "./sys/proc";
import { SysFlockArgs } from "./syscallargs";
import { FREAD, FWRITE } from "../fs/fcntl";
import { VATTR_SIZE } from "../fs/vfs_vnops";
import { Vattr, Vnode } from "../fs/vnode";
import { VOP_GETATTR } from "../fs/vnode_if";

export const F_GETLK: i32 = 7;
export const F_SETLK: i32 = 8;
export const F_SETLKW: i32 = 9;

export const LOCK_SH: u32 = 1;
export const LOCK_EX: u32 = 2;
export const LOCK_NB: u32 = 4;
const LOCK_UN: u32 = 8;

const SIZEOF_FLOCK: u32 = 24;
const L_PID: usize = 16;
const L_TYPE: usize = 20;
const L_WHENCE: usize = 22;

const SEEK_SET: u32 = 0;
const SEEK_CUR: u32 = 1;
const SEEK_END: u32 = 2;

/** The range of a struct flock: first and last byte to `range` (two quads). EINVAL. May sleep. */
function lock_range(fp: File, flock: usize, range: usize, p: Proc): i32 {
  const whence: u32 = load<u16>(flock + L_WHENCE);
  let start = load<i64>(flock);
  const length = load<i64>(flock, 8);
  if (whence == SEEK_CUR) start += fp.f_offset;
  else if (whence == SEEK_END) {
    const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
    const error = VOP_GETATTR(changetype<Vnode>(fp.f_data), va, changetype<usize>(p), p);
    if (error != 0) return error;
    start += i64(va.va_size);
  } else if (whence != SEEK_SET) return EINVAL;
  if (start < 0) return EINVAL;
  let end = LOCK_TO_END;
  if (length > 0) end = start + length - 1;
  else if (length < 0) {
    end = start - 1;
    start += length;
  }
  if (start < 0 || end < start) return EINVAL;
  store<i64>(range, start);
  store<i64>(range, end, 8);
  return 0;
}

/** F_GETLK: describes a lock that is in the way at `flock`, or says F_UNLCK. */
function get_lock(flock: usize, vnode: usize, p: Proc, type: u32, start: i64, end: i64): void {
  const lock = lf_conflict(vnode, changetype<usize>(p), type, start, end);
  if (changetype<usize>(lock) == 0) {
    store<u16>(flock + L_TYPE, u16(F_UNLCK));
    return;
  }
  store<i64>(flock, lock.lf_start);
  store<i64>(flock, lock.lf_end == LOCK_TO_END ? 0 : lock.lf_end - lock.lf_start + 1, 8);
  store<i32>(flock + L_PID, lock.lf_pid);
  store<u16>(flock + L_TYPE, u16(lock.lf_type));
  store<u16>(flock + L_WHENCE, u16(SEEK_SET));
}

/** fcntl with F_GETLK, F_SETLK or F_SETLKW and the user's struct flock at `user`. Sleeps. */
export function fcntl_lock(p: Proc, fp: File, command: i32, user: usize): i32 {
  if (fp.f_type != DTYPE_VNODE) return EINVAL;
  const flock = frame_alloc(SIZEOF_FLOCK);
  const range = frame_alloc(16);
  let error = copyin(user, flock, SIZEOF_FLOCK);
  if (error == 0) error = lock_range(fp, flock, range, p);
  if (error != 0) return error;
  const vnode = fp.f_data;
  const owner = changetype<usize>(p);
  const start = load<i64>(range);
  const end = load<i64>(range, 8);
  const type: u32 = load<u16>(flock + L_TYPE);
  if (type < F_RDLCK || type > F_WRLCK) return EINVAL;
  if (command == F_GETLK) {
    if (type == F_UNLCK) return EINVAL;
    get_lock(flock, vnode, p, type, start, end);
    return copyout(flock, user, SIZEOF_FLOCK);
  }
  if (type == F_UNLCK) {
    lf_unlock(vnode, owner, start, end);
    return 0;
  }
  if ((fp.f_flag & (type == F_RDLCK ? FREAD : FWRITE)) == 0) return EBADF;
  fp.f_count++;
  error = lf_lock(vnode, owner, p.p_pid, type, start, end, command == F_SETLKW);
  fp.f_count--;
  return error;
}

/** Locks or unlocks the whole file for the open file. EWOULDBLOCK (EAGAIN) with LOCK_NB. Sleeps. */
export function flock_file(fp: File, how: u32): i32 {
  const owner = changetype<usize>(fp);
  if ((how & LOCK_UN) != 0) {
    lf_unlock(fp.f_data, owner, 0, LOCK_TO_END);
    return 0;
  }
  const type = (how & LOCK_EX) != 0 ? F_WRLCK : F_RDLCK;
  if ((how & (LOCK_EX | LOCK_SH)) == 0) return EINVAL;
  return lf_lock(fp.f_data, owner, -1, type, 0, LOCK_TO_END, (how & LOCK_NB) == 0);
}

export function sys_flock(p: Proc, uap: SysFlockArgs, retval: usize): i32 {
  const fp = fd_getfile(p, uap.fd, 0);
  if (changetype<usize>(fp) == 0) return EBADF;
  if (fp.f_type != DTYPE_VNODE) return EOPNOTSUPP;
  fp.f_count++;
  const error = flock_file(fp, uap.how);
  fp.f_count--;
  return error;
}

/** The process closes a descriptor of the file: its range locks go. May sleep. */
export function unlock_process(p: Proc, fp: File): void {
  const owner = changetype<usize>(p);
  if (fp.f_type == DTYPE_VNODE && lf_has(fp.f_data, owner)) lf_unlock(fp.f_data, owner, 0, LOCK_TO_END);
}

/** The open file ends: its flock goes. May sleep. */
export function unlock_file(fp: File): void {
  const owner = changetype<usize>(fp);
  if (fp.f_type == DTYPE_VNODE && lf_has(fp.f_data, owner)) lf_unlock(fp.f_data, owner, 0, LOCK_TO_END);
}
