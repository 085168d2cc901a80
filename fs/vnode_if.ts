// The operations on vnodes (vnodeops(9)): the vector of a file system type and one
// typed caller per operation.
//
// Slots hold code addresses. vn_default_ops (fs/genfs.ts) fills every slot of a
// new vector with a function that returns EOPNOTSUPP; the file system then sets
// its own. Arguments are passed directly, in the order of the manual.
//
// Unless said otherwise: an operation returns 0 or an errno, may sleep, takes
// referenced vnodes and leaves references and locks as they were. "Consumed"
// means that the operation drops the caller's lock and reference (vput, or
// vrele where the vnode is not locked), whatever it returns.
import { Proc } from "../kernel/sys/proc";
import { Uio } from "../kernel/sys/uio";
import { Buf } from "./buf";
import { Componentname } from "./namei";
import { Vattr, Vnode } from "./vnode";

@unmanaged export class VnodeOps {
  vop_lookup: u32;
  vop_create: u32;
  vop_mknod: u32;
  vop_open: u32;
  vop_close: u32;
  vop_access: u32;
  vop_getattr: u32;
  vop_setattr: u32;
  vop_read: u32;
  vop_write: u32;
  vop_ioctl: u32;
  vop_fcntl: u32;
  vop_poll: u32;
  vop_revoke: u32;
  vop_mmap: u32;
  vop_fsync: u32;
  vop_seek: u32;
  vop_remove: u32;
  vop_link: u32;
  vop_rename: u32;
  vop_mkdir: u32;
  vop_rmdir: u32;
  vop_symlink: u32;
  vop_readdir: u32;
  vop_readlink: u32;
  vop_abortop: u32;
  vop_inactive: u32;
  vop_reclaim: u32;
  vop_lock: u32;
  vop_unlock: u32;
  vop_bmap: u32;
  vop_print: u32;
  vop_islocked: u32;
  vop_pathconf: u32;
  vop_advlock: u32;
  vop_blkatoff: u32;
  vop_valloc: u32;
  vop_balloc: u32;
  vop_reallocblks: u32;
  vop_vfree: u32;
  vop_truncate: u32;
  vop_update: u32;
  vop_lease: u32;
  vop_whiteout: u32;
  vop_strategy: u32;
  vop_bwrite: u32;

  @inline set_lookup(f: (dvp: Vnode, vpp: usize, cnp: Componentname) => i32): void { this.vop_lookup = f.index; }
  @inline set_create(
    f: (dvp: Vnode, vpp: usize, cnp: Componentname, vap: Vattr) => i32,
  ): void { this.vop_create = f.index; }
  @inline set_mknod(
    f: (dvp: Vnode, vpp: usize, cnp: Componentname, vap: Vattr) => i32,
  ): void { this.vop_mknod = f.index; }
  @inline set_open(f: (vp: Vnode, mode: u32, cred: usize, p: Proc) => i32): void { this.vop_open = f.index; }
  @inline set_close(f: (vp: Vnode, fflag: u32, cred: usize, p: Proc) => i32): void { this.vop_close = f.index; }
  @inline set_access(f: (vp: Vnode, mode: u32, cred: usize, p: Proc) => i32): void { this.vop_access = f.index; }
  @inline set_getattr(f: (vp: Vnode, vap: Vattr, cred: usize, p: Proc) => i32): void { this.vop_getattr = f.index; }
  @inline set_setattr(f: (vp: Vnode, vap: Vattr, cred: usize, p: Proc) => i32): void { this.vop_setattr = f.index; }
  @inline set_read(f: (vp: Vnode, uio: Uio, ioflag: u32, cred: usize) => i32): void { this.vop_read = f.index; }
  @inline set_write(f: (vp: Vnode, uio: Uio, ioflag: u32, cred: usize) => i32): void { this.vop_write = f.index; }
  @inline set_ioctl(
    f: (vp: Vnode, command: u32, data: usize, fflag: u32, cred: usize, p: Proc) => i32,
  ): void { this.vop_ioctl = f.index; }
  @inline set_fcntl(
    f: (vp: Vnode, command: u32, data: usize, fflag: u32, cred: usize, p: Proc) => i32,
  ): void { this.vop_fcntl = f.index; }
  @inline set_poll(f: (vp: Vnode, events: u32, p: Proc) => i32): void { this.vop_poll = f.index; }
  @inline set_revoke(f: (vp: Vnode, flags: u32) => i32): void { this.vop_revoke = f.index; }
  @inline set_mmap(f: (vp: Vnode, fflags: u32, cred: usize, p: Proc) => i32): void { this.vop_mmap = f.index; }
  @inline set_fsync(f: (vp: Vnode, cred: usize, flags: u32, p: Proc) => i32): void { this.vop_fsync = f.index; }
  @inline set_seek(f: (vp: Vnode, oldoff: i64, newoff: i64, cred: usize) => i32): void { this.vop_seek = f.index; }
  @inline set_remove(f: (dvp: Vnode, vp: Vnode, cnp: Componentname) => i32): void { this.vop_remove = f.index; }
  @inline set_link(f: (dvp: Vnode, vp: Vnode, cnp: Componentname) => i32): void { this.vop_link = f.index; }
  @inline set_rename(
    f: (fdvp: Vnode, fvp: Vnode, fcnp: Componentname, tdvp: Vnode, tvp: Vnode, tcnp: Componentname) => i32,
  ): void { this.vop_rename = f.index; }
  @inline set_mkdir(
    f: (dvp: Vnode, vpp: usize, cnp: Componentname, vap: Vattr) => i32,
  ): void { this.vop_mkdir = f.index; }
  @inline set_rmdir(f: (dvp: Vnode, vp: Vnode, cnp: Componentname) => i32): void { this.vop_rmdir = f.index; }
  @inline set_symlink(
    f: (dvp: Vnode, vpp: usize, cnp: Componentname, vap: Vattr, target: usize) => i32,
  ): void { this.vop_symlink = f.index; }
  @inline set_readdir(
    f: (vp: Vnode, uio: Uio, cred: usize, eofflag: usize, cookies: usize, ncookies: usize) => i32,
  ): void { this.vop_readdir = f.index; }
  @inline set_readlink(f: (vp: Vnode, uio: Uio, cred: usize) => i32): void { this.vop_readlink = f.index; }
  @inline set_abortop(f: (dvp: Vnode, cnp: Componentname) => i32): void { this.vop_abortop = f.index; }
  @inline set_inactive(f: (vp: Vnode, p: Proc) => i32): void { this.vop_inactive = f.index; }
  @inline set_reclaim(f: (vp: Vnode, p: Proc) => i32): void { this.vop_reclaim = f.index; }
  @inline set_lock(f: (vp: Vnode, flags: u32) => i32): void { this.vop_lock = f.index; }
  @inline set_unlock(f: (vp: Vnode, flags: u32) => i32): void { this.vop_unlock = f.index; }
  @inline set_bmap(
    f: (vp: Vnode, bn: i32, vpp: usize, bnp: usize, runp: usize) => i32,
  ): void { this.vop_bmap = f.index; }
  @inline set_print(f: (vp: Vnode) => i32): void { this.vop_print = f.index; }
  @inline set_islocked(f: (vp: Vnode) => i32): void { this.vop_islocked = f.index; }
  @inline set_pathconf(f: (vp: Vnode, name: u32, retval: usize) => i32): void { this.vop_pathconf = f.index; }
  @inline set_advlock(
    f: (vp: Vnode, id: usize, op: u32, fl: usize, flags: u32) => i32,
  ): void { this.vop_advlock = f.index; }
  @inline set_blkatoff(
    f: (vp: Vnode, offset: i64, res: usize, bpp: usize) => i32,
  ): void { this.vop_blkatoff = f.index; }
  @inline set_valloc(f: (pvp: Vnode, mode: u32, cred: usize, vpp: usize) => i32): void { this.vop_valloc = f.index; }
  @inline set_balloc(
    f: (vp: Vnode, startoffset: i64, size: u32, cred: usize, flags: u32, bpp: usize) => i32,
  ): void { this.vop_balloc = f.index; }
  @inline set_reallocblks(f: (vp: Vnode, buflist: usize) => i32): void { this.vop_reallocblks = f.index; }
  @inline set_vfree(f: (pvp: Vnode, ino: u32, mode: u32) => i32): void { this.vop_vfree = f.index; }
  @inline set_truncate(
    f: (vp: Vnode, length: i64, flags: u32, cred: usize, p: Proc) => i32,
  ): void { this.vop_truncate = f.index; }
  @inline set_update(
    f: (vp: Vnode, access: usize, modify: usize, flags: u32) => i32,
  ): void { this.vop_update = f.index; }
  @inline set_lease(f: (vp: Vnode, p: Proc, cred: usize, flag: u32) => i32): void { this.vop_lease = f.index; }
  @inline set_whiteout(f: (dvp: Vnode, cnp: Componentname, flags: u32) => i32): void { this.vop_whiteout = f.index; }
  @inline set_strategy(f: (bp: Buf) => i32): void { this.vop_strategy = f.index; }
  @inline set_bwrite(f: (bp: Buf) => i32): void { this.vop_bwrite = f.index; }
}

/**
 * Looks `cnp` up in the locked directory `dvp` and stores a referenced vnode at `vpp`
 * (0 on EJUSTRETURN). The result is locked; `dvp` stays locked when cn_flags has LOCKPARENT and
 * ISLASTCN, else it is unlocked and PDIRUNLOCK is set; for "." the result is dvp with one more
 * reference. On error dvp stays locked unless PDIRUNLOCK is set. EJUSTRETURN: the last component is
 * missing and CREATE or RENAME may make it (dvp locked, SAVENAME set). ENOENT otherwise.
 */
export function VOP_LOOKUP(dvp: Vnode, vpp: usize, cnp: Componentname): i32 {
  return call_indirect<i32>(dvp.v_op.vop_lookup, dvp, vpp, cnp);
}

/**
 * Makes a regular file. dvp: locked, consumed (vput) always. *vpp: new vnode, locked. Frees cn_pnbuf unless
 * SAVESTART, and on any error.
 */
export function VOP_CREATE(dvp: Vnode, vpp: usize, cnp: Componentname, vap: Vattr): i32 {
  return call_indirect<i32>(dvp.v_op.vop_create, dvp, vpp, cnp, vap);
}

/** Makes a device, fifo or such. dvp consumed; *vpp is 0 afterwards. */
export function VOP_MKNOD(dvp: Vnode, vpp: usize, cnp: Componentname, vap: Vattr): i32 {
  return call_indirect<i32>(dvp.v_op.vop_mknod, dvp, vpp, cnp, vap);
}

/** Opens; vp locked. mode: FREAD, FWRITE … */
export function VOP_OPEN(vp: Vnode, mode: u32, cred: usize, p: Proc): i32 {
  return call_indirect<i32>(vp.v_op.vop_open, vp, mode, cred, p);
}

/** Closes; vp referenced, locked except for devices being cleaned (see spec_close). */
export function VOP_CLOSE(vp: Vnode, fflag: u32, cred: usize, p: Proc): i32 {
  return call_indirect<i32>(vp.v_op.vop_close, vp, fflag, cred, p);
}

/** May `cred` do VREAD, VWRITE, VEXEC? vp locked. EACCES, EROFS. */
export function VOP_ACCESS(vp: Vnode, mode: u32, cred: usize, p: Proc): i32 {
  return call_indirect<i32>(vp.v_op.vop_access, vp, mode, cred, p);
}

/** Fills `vap`. */
export function VOP_GETATTR(vp: Vnode, vap: Vattr, cred: usize, p: Proc): i32 {
  return call_indirect<i32>(vp.v_op.vop_getattr, vp, vap, cred, p);
}

/** Changes what is not VNOVAL in `vap`; vp locked. va_size truncates. */
export function VOP_SETATTR(vp: Vnode, vap: Vattr, cred: usize, p: Proc): i32 {
  return call_indirect<i32>(vp.v_op.vop_setattr, vp, vap, cred, p);
}

/** Reads at uio_offset; vp locked. */
export function VOP_READ(vp: Vnode, uio: Uio, ioflag: u32, cred: usize): i32 {
  return call_indirect<i32>(vp.v_op.vop_read, vp, uio, ioflag, cred);
}

/** Writes at uio_offset, extending; vp locked. */
export function VOP_WRITE(vp: Vnode, uio: Uio, ioflag: u32, cred: usize): i32 {
  return call_indirect<i32>(vp.v_op.vop_write, vp, uio, ioflag, cred);
}

/** Device control; vp not locked. */
export function VOP_IOCTL(vp: Vnode, command: u32, data: usize, fflag: u32, cred: usize, p: Proc): i32 {
  return call_indirect<i32>(vp.v_op.vop_ioctl, vp, command, data, fflag, cred, p);
}

/** File control; vp locked. */
export function VOP_FCNTL(vp: Vnode, command: u32, data: usize, fflag: u32, cred: usize, p: Proc): i32 {
  return call_indirect<i32>(vp.v_op.vop_fcntl, vp, command, data, fflag, cred, p);
}

/** Which of `events` are ready. */
export function VOP_POLL(vp: Vnode, events: u32, p: Proc): i32 {
  return call_indirect<i32>(vp.v_op.vop_poll, vp, events, p);
}

/** Withdraws the vnode and its aliases (REVOKEALL); vp not locked. */
export function VOP_REVOKE(vp: Vnode, flags: u32): i32 {
  return call_indirect<i32>(vp.v_op.vop_revoke, vp, flags);
}

/** May the file be mapped? */
export function VOP_MMAP(vp: Vnode, fflags: u32, cred: usize, p: Proc): i32 {
  return call_indirect<i32>(vp.v_op.vop_mmap, vp, fflags, cred, p);
}

/** Writes the dirty buffers and the inode; vp locked. FSYNC_WAIT waits. */
export function VOP_FSYNC(vp: Vnode, cred: usize, flags: u32, p: Proc): i32 {
  return call_indirect<i32>(vp.v_op.vop_fsync, vp, cred, flags, p);
}

/** May the offset become `newoff`? */
export function VOP_SEEK(vp: Vnode, oldoff: i64, newoff: i64, cred: usize): i32 {
  return call_indirect<i32>(vp.v_op.vop_seek, vp, oldoff, newoff, cred);
}

/** Unlinks a non-directory; dvp and vp locked, both consumed (vput). Frees cn_pnbuf unless SAVESTART. */
export function VOP_REMOVE(dvp: Vnode, vp: Vnode, cnp: Componentname): i32 {
  return call_indirect<i32>(dvp.v_op.vop_remove, dvp, vp, cnp);
}

/** Enters another name for vp; dvp locked and consumed, vp referenced, not locked, kept. */
export function VOP_LINK(dvp: Vnode, vp: Vnode, cnp: Componentname): i32 {
  return call_indirect<i32>(dvp.v_op.vop_link, dvp, vp, cnp);
}

/**
 * Renames. fdvp, fvp: referenced, not locked; tdvp: locked; tvp: locked or 0. All consumed.
 * The path buffers of both names are the caller's (SAVESTART).
 */
export function VOP_RENAME(
  fdvp: Vnode, fvp: Vnode, fcnp: Componentname, tdvp: Vnode, tvp: Vnode, tcnp: Componentname,
): i32 {
  return call_indirect<i32>(fdvp.v_op.vop_rename, fdvp, fvp, fcnp, tdvp, tvp, tcnp);
}

/** Makes a directory; dvp consumed, *vpp locked. Frees cn_pnbuf unless SAVESTART. */
export function VOP_MKDIR(dvp: Vnode, vpp: usize, cnp: Componentname, vap: Vattr): i32 {
  return call_indirect<i32>(dvp.v_op.vop_mkdir, dvp, vpp, cnp, vap);
}

/** Removes an empty directory; dvp and vp locked, both consumed. Frees cn_pnbuf unless SAVESTART. */
export function VOP_RMDIR(dvp: Vnode, vp: Vnode, cnp: Componentname): i32 {
  return call_indirect<i32>(dvp.v_op.vop_rmdir, dvp, vp, cnp);
}

/**
 * Makes a symbolic link to the NUL-terminated `target`; dvp consumed. *vpp is put by the operation
 * and not valid afterwards. Frees cn_pnbuf unless SAVESTART.
 */
export function VOP_SYMLINK(dvp: Vnode, vpp: usize, cnp: Componentname, vap: Vattr, target: usize): i32 {
  return call_indirect<i32>(dvp.v_op.vop_symlink, dvp, vpp, cnp, vap, target);
}

/** Reads directory entries (struct dirent); vp locked. eofflag: address of a word or 0; cookies, ncookies: 0. */
export function VOP_READDIR(vp: Vnode, uio: Uio, cred: usize, eofflag: usize, cookies: usize, ncookies: usize): i32 {
  return call_indirect<i32>(vp.v_op.vop_readdir, vp, uio, cred, eofflag, cookies, ncookies);
}

/** Reads the text of a symbolic link; vp locked. */
export function VOP_READLINK(vp: Vnode, uio: Uio, cred: usize): i32 {
  return call_indirect<i32>(vp.v_op.vop_readlink, vp, uio, cred);
}

/** Ends a lookup for CREATE, DELETE or RENAME that will not happen: frees cn_pnbuf if HASBUF and not SAVESTART. */
export function VOP_ABORTOP(dvp: Vnode, cnp: Componentname): i32 {
  return call_indirect<i32>(dvp.v_op.vop_abortop, dvp, cnp);
}

/** The last reference is gone; vp locked on entry, unlocked by the operation. */
export function VOP_INACTIVE(vp: Vnode, p: Proc): i32 {
  return call_indirect<i32>(vp.v_op.vop_inactive, vp, p);
}

/** Frees v_data; the vnode gets another meaning. Not locked (the lock is drained). */
export function VOP_RECLAIM(vp: Vnode, p: Proc): i32 {
  return call_indirect<i32>(vp.v_op.vop_reclaim, vp, p);
}

/** lockmgr on the vnode; LK_* flags. */
export function VOP_LOCK(vp: Vnode, flags: u32): i32 {
  return call_indirect<i32>(vp.v_op.vop_lock, vp, flags);
}

/** Releases the vnode's lock. */
export function VOP_UNLOCK(vp: Vnode, flags: u32): i32 {
  return call_indirect<i32>(vp.v_op.vop_unlock, vp, flags);
}

/**
 * Logical block `bn` to device block: *vpp device vnode, *bnp block (DEV_BSIZE units, -1 hole), *runp blocks
 * that follow contiguously. Each address may be 0.
 */
export function VOP_BMAP(vp: Vnode, bn: i32, vpp: usize, bnp: usize, runp: usize): i32 {
  return call_indirect<i32>(vp.v_op.vop_bmap, vp, bn, vpp, bnp, runp);
}

/** Prints the file system's part of a vnode. */
export function VOP_PRINT(vp: Vnode): i32 {
  return call_indirect<i32>(vp.v_op.vop_print, vp);
}

/** Non-zero when locked. */
export function VOP_ISLOCKED(vp: Vnode): i32 {
  return call_indirect<i32>(vp.v_op.vop_islocked, vp);
}

/** pathconf(2). */
export function VOP_PATHCONF(vp: Vnode, name: u32, retval: usize): i32 {
  return call_indirect<i32>(vp.v_op.vop_pathconf, vp, name, retval);
}

/** Advisory record locks. */
export function VOP_ADVLOCK(vp: Vnode, id: usize, op: u32, fl: usize, flags: u32): i32 {
  return call_indirect<i32>(vp.v_op.vop_advlock, vp, id, op, fl, flags);
}

/** Reads the block at `offset`; *bpp the buffer, *res the address of the byte. */
export function VOP_BLKATOFF(vp: Vnode, offset: i64, res: usize, bpp: usize): i32 {
  return call_indirect<i32>(vp.v_op.vop_blkatoff, vp, offset, res, bpp);
}

/** Allocates an inode near directory `pvp`; *vpp locked. */
export function VOP_VALLOC(pvp: Vnode, mode: u32, cred: usize, vpp: usize): i32 {
  return call_indirect<i32>(pvp.v_op.vop_valloc, pvp, mode, cred, vpp);
}

/** Allocates the block that holds `size` bytes at `startoffset`; *bpp its buffer if bpp is not 0. */
export function VOP_BALLOC(vp: Vnode, startoffset: i64, size: u32, cred: usize, flags: u32, bpp: usize): i32 {
  return call_indirect<i32>(vp.v_op.vop_balloc, vp, startoffset, size, cred, flags, bpp);
}

/** Moves blocks together; ENOSPC = left where they are. */
export function VOP_REALLOCBLKS(vp: Vnode, buflist: usize): i32 {
  return call_indirect<i32>(vp.v_op.vop_reallocblks, vp, buflist);
}

/** Frees an inode. */
export function VOP_VFREE(pvp: Vnode, ino: u32, mode: u32): i32 {
  return call_indirect<i32>(pvp.v_op.vop_vfree, pvp, ino, mode);
}

/** Sets the length; vp locked. */
export function VOP_TRUNCATE(vp: Vnode, length: i64, flags: u32, cred: usize, p: Proc): i32 {
  return call_indirect<i32>(vp.v_op.vop_truncate, vp, length, flags, cred, p);
}

/** Writes the inode; access, modify: addresses of {sec, nsec} or 0 = now. UPDATE_WAIT waits. */
export function VOP_UPDATE(vp: Vnode, access: usize, modify: usize, flags: u32): i32 {
  return call_indirect<i32>(vp.v_op.vop_update, vp, access, modify, flags);
}

/** NQNFS leases; always allowed. */
export function VOP_LEASE(vp: Vnode, p: Proc, cred: usize, flag: u32): i32 {
  return call_indirect<i32>(vp.v_op.vop_lease, vp, p, cred, flag);
}

/** Union mounts. */
export function VOP_WHITEOUT(dvp: Vnode, cnp: Componentname, flags: u32): i32 {
  return call_indirect<i32>(dvp.v_op.vop_whiteout, dvp, cnp, flags);
}

/** Starts I/O on a busy buffer; ends in biodone. May complete before it returns. Dispatched on bp.b_vp. */
export function VOP_STRATEGY(bp: Buf): i32 {
  return call_indirect<i32>(bp.b_vp.v_op.vop_strategy, bp);
}

/** Writes a busy buffer and releases it: normally vn_bwrite. */
export function VOP_BWRITE(bp: Buf): i32 {
  return call_indirect<i32>(bp.b_vp.v_op.vop_bwrite, bp);
}
