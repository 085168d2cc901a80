// Mount points: the list of mounted file systems, keeping one busy while it is
// used, unmounting, and going down (vfs(9)).
//
// The list is in order of mounting: the root first. Whoever works on a mount
// holds mnt_lock shared (vfs_busy); dounmount drains it, so that it waits for
// them and they cannot come back. MNT_UNMOUNT is set meanwhile.
import { delay } from "../kernel/i386/clock";
import { spl0 } from "../kernel/i386/intr";
import { free, malloc } from "../kernel/kern_malloc";
import { lockinit, lockmgr } from "../kernel/kern_lock";
import { curproc, proc0 } from "../kernel/kern_proc";
import { tsleep, wakeup } from "../kernel/kern_synch";
import { bzero, strlcpy } from "../kernel/libkern";
import { panic, panicstr, printf } from "../kernel/subr_prf";
import { EDEADLK, ENODEV, ENOENT } from "../kernel/sys/errno";
import {
  LK_DRAIN, LK_EXCLUSIVE, LK_NOWAIT, LK_RECURSEFAIL, LK_REENABLE, LK_RELEASE, LK_SHARED,
} from "../kernel/sys/lock";
import { M_MOUNT, M_WAITOK } from "../kernel/sys/malloc";
import { PVFS, makedev } from "../kernel/sys/param";
import { Proc } from "../kernel/sys/proc";
import { TAILQ_INSERT_TAIL, TAILQ_LAST, TAILQ_PREV, TAILQ_REMOVE } from "../kernel/sys/queue";
import {
  MFSNAMELEN, MNAMELEN, MNT_ASYNC, MNT_FORCE, MNT_GONE, MNT_RDONLY, MNT_UNMOUNT, MNT_WAIT, MOUNT_SIZE, Mount, VFS_SYNC,
  VFS_UNMOUNT, Vfsops,
} from "./mount";
import { count_busy_buffers } from "./vfs_bio";
import { cache_purgevfs } from "./vfs_cache";
import { vfs_getopsbyname } from "./vfs_conf";
import { vrele } from "./vfs_subr";
import { syncer_lock, vfs_allocate_syncvnode, vfs_deallocate_syncvnode } from "./vfs_sync";
import { do_sync } from "./vfs_syscalls";
import { Vnode } from "./vnode";

/** All mounts, in the order of mounting: a TAILQ of Mounts by mnt_list. */
export const mountlist: usize = memory.data(8);
export const MNT_LIST: usize = offsetof<Mount>("mnt_list_next");

/** Makes file system ids of file systems that have no device. */
@unmanaged class Fsid {
  next: u32;
}
const fsid: Fsid = changetype<Fsid>(memory.data(offsetof<Fsid>()));

/**
 * Begins a use of mp: waits while it is being unmounted. ENOENT when it is gone, or at once with
 * LK_NOWAIT; EDEADLK with LK_RECURSEFAIL when the caller is the one who unmounts. Sleeps.
 */
export function vfs_busy(mp: Mount, flags: u32, interlkp: usize): i32 {
  while ((mp.mnt_flag & MNT_UNMOUNT) != 0) {
    if ((flags & LK_RECURSEFAIL) != 0 && mp.mnt_unmounter == curproc()) return EDEADLK;
    if ((flags & LK_NOWAIT) != 0) return ENOENT;
    mp.mnt_wcnt++;
    tsleep(changetype<usize>(mp), PVFS, cs("vfs_busy"), 0);
    mp.mnt_wcnt--;
    const gone = (mp.mnt_flag & MNT_GONE) != 0;
    if (mp.mnt_wcnt == 0) wakeup(changetype<usize>(mp) + offsetof<Mount>("mnt_wcnt"));
    if (gone) return ENOENT;
  }
  if (lockmgr(mp.mnt_lock, LK_SHARED, 0) != 0) panic(cs("vfs_busy: unexpected lock failure"));
  return 0;
}

/** Ends the use that vfs_busy began. */
export function vfs_unbusy(mp: Mount): void {
  lockmgr(mp.mnt_lock, LK_RELEASE, 0);
}

/** A new, empty mount of the type, not on the list, busy. Sleeps. */
export function vfs_mountalloc(ops: Vfsops): Mount {
  const mp = changetype<Mount>(malloc(MOUNT_SIZE, M_MOUNT, M_WAITOK));
  bzero(changetype<usize>(mp), MOUNT_SIZE);
  lockinit(mp.mnt_lock, PVFS, cs("vfslock"), 0, 0);
  vfs_busy(mp, LK_NOWAIT, 0);
  mp.mnt_op = ops;
  ops.vfs_refcount++;
  strlcpy(mp.mnt_stat.f_fstypename, ops.vfs_name, MFSNAMELEN);
  return mp;
}

/** Undoes vfs_mountalloc. */
export function vfs_mountfree(mp: Mount): void {
  mp.mnt_op.vfs_refcount--;
  vfs_unbusy(mp);
  free(changetype<usize>(mp), M_MOUNT);
}

/** The mount of a root file system: read-only, on "/", busy; stored at mpp. ENODEV when the type is unknown. */
export function vfs_rootmountalloc(fstypename: usize, devname: usize, mpp: usize): i32 {
  const ops = vfs_getopsbyname(fstypename);
  if (changetype<usize>(ops) == 0) return ENODEV;
  const mp = vfs_mountalloc(ops);
  mp.mnt_flag = MNT_RDONLY;
  strlcpy(mp.mnt_stat.f_mntonname, cs("/"), MNAMELEN);
  strlcpy(mp.mnt_stat.f_mntfromname, devname, MNAMELEN);
  store<usize>(mpp, changetype<usize>(mp));
  return 0;
}

/** Puts a mounted file system at the end of the list. */
export function mountlist_append(mp: Mount): void {
  TAILQ_INSERT_TAIL(mountlist, changetype<usize>(mp), MNT_LIST);
}

/** Gives a mount without a device a file system id that no other has. */
export function vfs_getnewfsid(mp: Mount): void {
  fsid.next++;
  mp.mnt_stat.f_fsid0 = makedev(255, fsid.next & 0xff);
  mp.mnt_stat.f_fsid1 = fsid.next;
}

/** Wakes who waits in vfs_busy until nobody does. Sleeps. */
function wake_waiters(mp: Mount, wmesg: usize): void {
  while (mp.mnt_wcnt > 0) {
    wakeup(changetype<usize>(mp));
    tsleep(changetype<usize>(mp) + offsetof<Mount>("mnt_wcnt"), PVFS, wmesg, 0);
  }
}

/** Writes everything and lets the file system go; an errno. mnt_lock is drained. */
function sync_and_unmount(mp: Mount, flags: u32, p: Proc): i32 {
  let error = 0;
  if ((mp.mnt_flag & MNT_RDONLY) == 0) error = VFS_SYNC(mp, MNT_WAIT, changetype<usize>(p), p);
  if (error != 0 && (flags & MNT_FORCE) == 0) return error;
  return VFS_UNMOUNT(mp, flags, p);
}

/**
 * Unmounts `mp`, which the caller has busied. On success mp is freed; on error (EBUSY …) the file
 * system goes on as before, no longer busied. MNT_FORCE takes files from their users. Sleeps.
 */
export function dounmount(mp: Mount, flags: u32, p: Proc): i32 {
  const used_syncer = changetype<usize>(mp.mnt_syncer) != 0;
  vfs_unbusy(mp);
  if (used_syncer) lockmgr(syncer_lock(), LK_EXCLUSIVE, 0);
  mp.mnt_flag |= MNT_UNMOUNT;
  mp.mnt_unmounter = p;
  lockmgr(mp.mnt_lock, LK_DRAIN, 0);
  const asyncflag = mp.mnt_flag & MNT_ASYNC;
  mp.mnt_flag &= ~MNT_ASYNC;
  cache_purgevfs(mp);
  if (changetype<usize>(mp.mnt_syncer) != 0) vfs_deallocate_syncvnode(mp);
  const error = sync_and_unmount(mp, flags, p);
  if (error != 0) {
    if ((mp.mnt_flag & MNT_RDONLY) == 0) vfs_allocate_syncvnode(mp);
    mp.mnt_flag &= ~MNT_UNMOUNT;
    mp.mnt_flag |= asyncflag;
    mp.mnt_unmounter = changetype<Proc>(0);
    lockmgr(mp.mnt_lock, LK_RELEASE | LK_REENABLE, 0);
    if (used_syncer) lockmgr(syncer_lock(), LK_RELEASE, 0);
    wake_waiters(mp, cs("mntwcnt1"));
    return error;
  }
  TAILQ_REMOVE(mountlist, changetype<usize>(mp), MNT_LIST);
  const coveredvp = mp.mnt_vnodecovered;
  if (changetype<usize>(coveredvp) != 0) {
    coveredvp.v_mountedhere = changetype<Mount>(0);
    vrele(coveredvp);
  }
  mp.mnt_op.vfs_refcount--;
  if (mp.mnt_vnodelist != 0) panic(cs("unmount: dangling vnode"));
  mp.mnt_flag |= MNT_GONE;
  lockmgr(mp.mnt_lock, LK_RELEASE, 0);
  if (used_syncer) lockmgr(syncer_lock(), LK_RELEASE, 0);
  wake_waiters(mp, cs("mntwcnt2"));
  free(changetype<usize>(mp), M_MOUNT);
  return 0;
}

/** Unmounts everything, the last mounted first, by force; says what would not go. Sleeps. */
export function vfs_unmountall(p: Proc): void {
  let allerror = 0;
  let addr = TAILQ_LAST(mountlist);
  while (addr != 0) {
    const mp = changetype<Mount>(addr);
    addr = TAILQ_PREV(addr, MNT_LIST);
    if (vfs_busy(mp, 0, 0) != 0) continue;
    const error = dounmount(mp, MNT_FORCE, p);
    if (error == 0) continue;
    printf(cs("unmount of %s failed with error %d\n"), mp.mnt_stat.f_mntonname, error);
    allerror = 1;
  }
  if (allerror != 0) printf(cs("WARNING: some file systems would not unmount\n"));
}

/** Writes what is dirty and waits for it, saying how it goes; then, unless panicking, unmounts all. */
export function vfs_shutdown(): void {
  let p = curproc();
  if (changetype<usize>(p) == 0) p = proc0();
  spl0();
  printf(cs("syncing disks... "));
  do_sync(p);
  let busy = count_busy_buffers();
  for (let iter: u32 = 0; iter < 20 && busy != 0; iter++) {
    printf(cs("%d "), busy);
    delay(40000 * iter);
    busy = count_busy_buffers();
  }
  printf(busy != 0 ? cs("giving up\n") : cs("done\n"));
  if (panicstr() != 0) return;
  vfs_unmountall(p);
}
