// mount(2), unmount(2) and sync(2), as calls inside the kernel: paths and arguments
// are in kernel space.
import { frame_alloc } from "../kernel/i386/cpufunc";
import { allproc_first, proc_next } from "../kernel/kern_proc";
import { EBUSY, EINVAL, ENODEV, ENOTDIR, EOPNOTSUPP, EPERM } from "../kernel/sys/errno";
import { LK_NOWAIT } from "../kernel/sys/lock";
import { Proc } from "../kernel/sys/proc";
import { TAILQ_LAST, TAILQ_PREV } from "../kernel/sys/queue";
import { UIO_SYSSPACE } from "../kernel/sys/uio";
import {
  MNT_ASYNC, MNT_FORCE, MNT_NOATIME, MNT_NOCOREDUMP, MNT_NODEV, MNT_NODEVMTIME, MNT_NOEXEC, MNT_NOSUID, MNT_NOWAIT,
  MNT_RDONLY, MNT_RELOAD, MNT_ROOTFS, MNT_SOFTDEP, MNT_SYMPERM, MNT_SYNCHRONOUS, MNT_UNION, MNT_UPDATE, MNT_WANTRDWR,
  Mount, VFS_MOUNT, VFS_ROOT, VFS_START, VFS_STATFS, VFS_SYNC,
} from "./mount";
import { FOLLOW, LOCKLEAF, LOOKUP, Nameidata } from "./namei";
import { cache_purge } from "./vfs_cache";
import { vfs_getopsbyname } from "./vfs_conf";
import { NDINIT, namei } from "./vfs_lookup";
import {
  MNT_LIST, dounmount, mountlist, mountlist_append, vfs_busy, vfs_mountalloc, vfs_mountfree, vfs_unbusy,
} from "./vfs_mount";
import { vput, vref, vrele } from "./vfs_subr";
import { vfs_allocate_syncvnode, vfs_deallocate_syncvnode } from "./vfs_sync";
import { vinvalbuf } from "./vfs_vnbufs";
import { VDIR, VROOT, V_SAVE, Vnode } from "./vnode";
import { VOP_UNLOCK } from "./vnode_if";

/** Flags that mount sets or clears as the caller says. */
const MNT_SETTABLE: u32 = MNT_NOSUID | MNT_NOEXEC | MNT_NODEV | MNT_SYNCHRONOUS | MNT_UNION | MNT_ASYNC
  | MNT_NOCOREDUMP | MNT_NOATIME | MNT_NODEVMTIME | MNT_SYMPERM | MNT_SOFTDEP;

/** Takes the caller's flags over into mp: read-only or not, and the settable ones. */
function set_mount_flags(mp: Mount, flags: u32): void {
  if ((flags & MNT_RDONLY) != 0) mp.mnt_flag |= MNT_RDONLY;
  else if ((mp.mnt_flag & MNT_RDONLY) != 0) mp.mnt_flag |= MNT_WANTRDWR;
  mp.mnt_flag = (mp.mnt_flag & ~MNT_SETTABLE) | (flags & MNT_SETTABLE);
}

/** Processes whose current or root directory is the covered `olddp` move to what is now mounted there. */
function checkdirs(olddp: Vnode): void {
  if (olddp.v_usecount == 1) return;
  const vpp = frame_alloc(4);
  if (VFS_ROOT(olddp.v_mountedhere, vpp) != 0) return;
  const newdp = changetype<Vnode>(load<usize>(vpp));
  let p = allproc_first();
  while (changetype<usize>(p) != 0) {
    if (p.p_cdir == changetype<usize>(olddp)) {
      vref(newdp);
      p.p_cdir = changetype<usize>(newdp);
      vrele(olddp);
    }
    if (p.p_rdir == changetype<usize>(olddp)) {
      vref(newdp);
      p.p_rdir = changetype<usize>(newdp);
      vrele(olddp);
    }
    p = proc_next(p);
  }
  vput(newdp);
}

/** mount -u: changes the file system that the locked directory `vp` is the root of. Puts vp. */
function mount_update(vp: Vnode, path: usize, flags: u32, data: usize, nd: Nameidata, p: Proc): i32 {
  const mp = vp.v_mount;
  let error: i32 = 0;
  if ((vp.v_flag & VROOT) == 0) error = EINVAL;
  else if ((flags & MNT_RELOAD) != 0 && (mp.mnt_flag & MNT_RDONLY) == 0) error = EOPNOTSUPP;
  else if (vfs_busy(mp, LK_NOWAIT, 0) != 0) error = EPERM;
  if (error != 0) {
    vput(vp);
    return error;
  }
  VOP_UNLOCK(vp, 0);
  const saved = mp.mnt_flag;
  mp.mnt_flag |= flags & (MNT_RELOAD | MNT_FORCE | MNT_UPDATE);
  set_mount_flags(mp, flags);
  error = VFS_MOUNT(mp, path, data, nd, p);
  if ((mp.mnt_flag & MNT_WANTRDWR) != 0) mp.mnt_flag &= ~MNT_RDONLY;
  if (error != 0) mp.mnt_flag = saved;
  mp.mnt_flag &= ~(MNT_UPDATE | MNT_RELOAD | MNT_FORCE | MNT_WANTRDWR);
  const synced = changetype<usize>(mp.mnt_syncer) != 0;
  if ((mp.mnt_flag & MNT_RDONLY) == 0 && !synced) error = vfs_allocate_syncvnode(mp);
  else if ((mp.mnt_flag & MNT_RDONLY) != 0 && synced) vfs_deallocate_syncvnode(mp);
  vfs_unbusy(mp);
  vrele(vp);
  return error;
}

/** A new mount on the locked directory `vp`; keeps its reference on success. */
function mount_new(vp: Vnode, type: usize, path: usize, flags: u32, data: usize, nd: Nameidata, p: Proc): i32 {
  let error = vinvalbuf(vp, V_SAVE, changetype<usize>(p), p, 0, 0);
  const ops = vfs_getopsbyname(type);
  if (error == 0) {
    if (vp.v_type != VDIR) error = ENOTDIR;
    else if (changetype<usize>(ops) == 0) error = ENODEV;
    else if (vp.v_un != 0) error = EBUSY;
  }
  if (error != 0) {
    vput(vp);
    return error;
  }
  const mp = vfs_mountalloc(ops);
  mp.mnt_vnodecovered = vp;
  mp.mnt_stat.f_owner = p.p_uid;
  set_mount_flags(mp, flags);
  error = VFS_MOUNT(mp, path, data, nd, p);
  if (error != 0) {
    vfs_mountfree(mp);
    vput(vp);
    return error;
  }
  mp.mnt_flag &= ~(MNT_UPDATE | MNT_RELOAD | MNT_FORCE | MNT_WANTRDWR);
  cache_purge(vp);
  vp.v_mountedhere = mp;
  mountlist_append(mp);
  VOP_UNLOCK(vp, 0);
  checkdirs(vp);
  if ((mp.mnt_flag & MNT_RDONLY) == 0) error = vfs_allocate_syncvnode(mp);
  vfs_unbusy(mp);
  VFS_STATFS(mp, mp.mnt_stat, p);
  return VFS_START(mp, 0, p);
}

/**
 * mount(2): file system `type` on directory `path`, with the type's own argument structure at
 * `data`; all three are addresses in kernel space. For types that need a server this returns at unmount. Sleeps.
 */
export function do_mount(type: usize, path: usize, flags: u32, data: usize, p: Proc): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  NDINIT(nd, LOOKUP, FOLLOW | LOCKLEAF, UIO_SYSSPACE, path, p);
  const error = namei(nd);
  if (error != 0) return error;
  if ((flags & MNT_UPDATE) != 0) return mount_update(nd.ni_vp, path, flags, data, nd, p);
  return mount_new(nd.ni_vp, type, path, flags, data, nd, p);
}

/** unmount(2) of the file system whose root is `path`: EINVAL for others and for the root, EBUSY without MNT_FORCE. */
export function do_unmount(path: usize, flags: u32, p: Proc): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  NDINIT(nd, LOOKUP, FOLLOW | LOCKLEAF, UIO_SYSSPACE, path, p);
  const error = namei(nd);
  if (error != 0) return error;
  const vp = nd.ni_vp;
  const mp = vp.v_mount;
  const root = (vp.v_flag & VROOT) != 0;
  vput(vp);
  if (!root || (mp.mnt_flag & MNT_ROOTFS) != 0) return EINVAL;
  if (vfs_busy(mp, 0, 0) != 0) return EBUSY;
  return dounmount(mp, flags, p);
}

/** sync(2): starts writing everything that is dirty in every file system, the last mounted first. Sleeps. */
export function do_sync(p: Proc): i32 {
  let addr = TAILQ_LAST(mountlist);
  while (addr != 0) {
    const mp = changetype<Mount>(addr);
    if (vfs_busy(mp, LK_NOWAIT, 0) != 0) {
      addr = TAILQ_PREV(addr, MNT_LIST);
      continue;
    }
    if ((mp.mnt_flag & MNT_RDONLY) == 0) {
      const asyncflag = mp.mnt_flag & MNT_ASYNC;
      mp.mnt_flag &= ~MNT_ASYNC;
      VFS_SYNC(mp, MNT_NOWAIT, changetype<usize>(p), p);
      mp.mnt_flag |= asyncflag;
    }
    addr = TAILQ_PREV(addr, MNT_LIST);
    vfs_unbusy(mp);
  }
  return 0;
}
