// Mounted file systems: the mount structure, the operations of a file system
// type, and the statistics that statfs(2) returns.
//
// A Mount lives from mount to the end of dounmount. Its lock (mnt_lock) is held
// shared by whoever walks it (vfs_busy) and drained by dounmount.
import { Lock } from "../kernel/sys/lock";
import { Proc } from "../kernel/sys/proc";
import { Nameidata } from "./namei";
import { Vnode } from "./vnode";

// mnt_flag, visible to users.
export const MNT_RDONLY: u32 = 0x00000001;
export const MNT_SYNCHRONOUS: u32 = 0x00000002;
export const MNT_NOEXEC: u32 = 0x00000004;
export const MNT_NOSUID: u32 = 0x00000008;
export const MNT_NODEV: u32 = 0x00000010;
export const MNT_UNION: u32 = 0x00000020;
export const MNT_ASYNC: u32 = 0x00000040;
export const MNT_LOCAL: u32 = 0x00001000;
export const MNT_QUOTA: u32 = 0x00002000;
export const MNT_ROOTFS: u32 = 0x00004000;
export const MNT_NOCOREDUMP: u32 = 0x00008000;
export const MNT_NOATIME: u32 = 0x04000000;
export const MNT_SYMPERM: u32 = 0x20000000;
export const MNT_NODEVMTIME: u32 = 0x40000000;
export const MNT_SOFTDEP: u32 = 0x80000000;
/** Flags that statfs reports. */
export const MNT_VISFLAGMASK: u32 = 0xfc00ffff;

// mnt_flag, commands and state.
export const MNT_UPDATE: u32 = 0x00010000;
export const MNT_DELEXPORT: u32 = 0x00020000;
export const MNT_RELOAD: u32 = 0x00040000;
export const MNT_FORCE: u32 = 0x00080000;
export const MNT_GONE: u32 = 0x00200000;
export const MNT_UNMOUNT: u32 = 0x01000000;
export const MNT_WANTRDWR: u32 = 0x02000000;

// waitfor of VFS_SYNC.
export const MNT_WAIT: u32 = 1;
export const MNT_NOWAIT: u32 = 2;
export const MNT_LAZY: u32 = 3;

export const MFSNAMELEN: u32 = 16;
export const MNAMELEN: u32 = 90;

/** As statfs(2) returns it; the offsets are part of the user ABI. */
@unmanaged export class Statfs {
  f_type: u16;
  f_oflags: u16;
  f_bsize: u32;
  f_iosize: u32;
  f_blocks: u32;
  f_bfree: u32;
  f_bavail: i32;
  f_files: u32;
  f_ffree: u32;
  f_fsid0: u32;
  f_fsid1: u32;
  f_owner: u32;
  f_flags: u32;
  f_syncwrites: u32;
  f_asyncwrites: u32;
  f_spare: u32;

  /** NUL-terminated, MFSNAMELEN bytes. */
  @inline get f_fstypename(): usize { return changetype<usize>(this) + 60; }
  /** NUL-terminated, MNAMELEN bytes. */
  @inline get f_mntonname(): usize { return changetype<usize>(this) + 76; }
  /** NUL-terminated, MNAMELEN bytes. */
  @inline get f_mntfromname(): usize { return changetype<usize>(this) + 166; }
}

/** Bytes of a Statfs with its three names. */
export const STATFS_SIZE: u32 = 256;

@unmanaged export class Mount {
  mnt_list_next: usize;
  mnt_list_prev: usize;
  mnt_op: Vfsops;
  mnt_vnodecovered: Vnode;
  mnt_syncer: Vnode;
  /** LIST head of the mount's vnodes (v_mntvnodes). */
  mnt_vnodelist: usize;
  mnt_flag: u32;
  mnt_maxsymlinklen: u32;
  /** The file system's own data: a Ufsmount for FFS and MFS. */
  mnt_data: usize;
  mnt_wcnt: u32;
  mnt_unmounter: Proc;

  @inline get mnt_stat(): Statfs { return changetype<Statfs>(changetype<usize>(this) + offsetof<Mount>()); }
  @inline get mnt_lock(): Lock { return changetype<Lock>(changetype<usize>(this) + offsetof<Mount>() + STATFS_SIZE); }
}

/** Bytes of a Mount, its statistics and its lock included. */
export const MOUNT_SIZE: u32 = offsetof<Mount>() + STATFS_SIZE + ((offsetof<Lock>() + 3) & ~3);

/**
 * The operations of a file system type. Slots hold code addresses; an empty slot
 * is 0. Every file system fills all of mount, start, unmount, root, statfs, sync,
 * vget and init; mountroot may be 0.
 */
@unmanaged export class Vfsops {
  /** NUL-terminated name of the type, for mount(2). */
  vfs_name: usize;
  vfs_mount: u32;
  vfs_start: u32;
  vfs_unmount: u32;
  vfs_root: u32;
  vfs_quotactl: u32;
  vfs_statfs: u32;
  vfs_sync: u32;
  vfs_vget: u32;
  vfs_fhtovp: u32;
  vfs_vptofh: u32;
  vfs_init: u32;
  vfs_sysctl: u32;
  vfs_mountroot: u32;
  vfs_checkexp: u32;
  vfs_opv_descs: usize;
  vfs_refcount: u32;
  vfs_list_next: usize;
  vfs_list_prev: usize;

  @inline set_mount(f: (mp: Mount, path: usize, data: usize, ndp: Nameidata, p: Proc) => i32): void {
    this.vfs_mount = f.index;
  }
  @inline set_start(f: (mp: Mount, flags: u32, p: Proc) => i32): void { this.vfs_start = f.index; }
  @inline set_unmount(f: (mp: Mount, mntflags: u32, p: Proc) => i32): void { this.vfs_unmount = f.index; }
  @inline set_root(f: (mp: Mount, vpp: usize) => i32): void { this.vfs_root = f.index; }
  @inline set_statfs(f: (mp: Mount, sbp: Statfs, p: Proc) => i32): void { this.vfs_statfs = f.index; }
  @inline set_sync(f: (mp: Mount, waitfor: u32, cred: usize, p: Proc) => i32): void { this.vfs_sync = f.index; }
  @inline set_vget(f: (mp: Mount, ino: u32, vpp: usize) => i32): void { this.vfs_vget = f.index; }
  @inline set_init(f: () => void): void { this.vfs_init = f.index; }
  @inline set_mountroot(f: () => i32): void { this.vfs_mountroot = f.index; }
}

// Typed callers. Contracts (vfsops(9)):

/**
 * Mounts (or with MNT_UPDATE in mp.mnt_flag changes) the file system. `path` is the
 * NUL-terminated mount point, `data` the type's own argument structure, both in kernel
 * space; `ndp` is scratch for lookups. mp is busy (shared). Fills mnt_data and
 * mnt_stat's names. Sleeps. Returns an errno.
 */
export function VFS_MOUNT(mp: Mount, path: usize, data: usize, ndp: Nameidata, p: Proc): i32 {
  return call_indirect<i32>(mp.mnt_op.vfs_mount, mp, path, data, ndp, p);
}

/** Makes the mounted file system operational; may block until unmount (server based types). */
export function VFS_START(mp: Mount, flags: u32, p: Proc): i32 {
  return call_indirect<i32>(mp.mnt_op.vfs_start, mp, flags, p);
}

/** Takes the file system down and frees mnt_data; mnt_lock is drained. EBUSY unless MNT_FORCE. */
export function VFS_UNMOUNT(mp: Mount, mntflags: u32, p: Proc): i32 {
  return call_indirect<i32>(mp.mnt_op.vfs_unmount, mp, mntflags, p);
}

/** Stores the locked, referenced root vnode at vpp. */
export function VFS_ROOT(mp: Mount, vpp: usize): i32 {
  return call_indirect<i32>(mp.mnt_op.vfs_root, mp, vpp);
}

/** Fills `sbp`. */
export function VFS_STATFS(mp: Mount, sbp: Statfs, p: Proc): i32 {
  return call_indirect<i32>(mp.mnt_op.vfs_statfs, mp, sbp, p);
}

/** Writes dirty data and metadata; waits for it with MNT_WAIT. mp is busy. */
export function VFS_SYNC(mp: Mount, waitfor: u32, cred: usize, p: Proc): i32 {
  return call_indirect<i32>(mp.mnt_op.vfs_sync, mp, waitfor, cred, p);
}

/** Stores the locked, referenced vnode of inode `ino` at vpp. */
export function VFS_VGET(mp: Mount, ino: u32, vpp: usize): i32 {
  return call_indirect<i32>(mp.mnt_op.vfs_vget, mp, ino, vpp);
}
