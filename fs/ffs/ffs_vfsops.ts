// The file system as a whole: mounting, unmounting, writing back, statistics, and
// inodes by number (vfsops(9)).
//
// In memory a mounted file system is a Ufsmount, a private copy of the super block
// and the summary array behind it. fs_fmod says that the copy differs from the disk.
// On the disk fs_clean is 1 only while the file system is not mounted for writing.

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { lockmgr } from "../../kernel/kern_lock";
import { free, malloc } from "../../kernel/kern_malloc";
import { curproc } from "../../kernel/kern_proc";
import { time_second } from "../../kernel/kern_time";
import { bzero, memcpy, strlcpy } from "../../kernel/libkern";
import { panic, printf } from "../../kernel/subr_prf";
import { PR_WAITOK, pool_get, pool_init } from "../../kernel/subr_pool";
import { EBUSY, EIO, ENOENT, ENOTBLK } from "../../kernel/sys/errno";
import { LK_EXCLUSIVE, LK_NOWAIT, LK_RELEASE, LK_RETRY, LK_SLEEPFAIL } from "../../kernel/sys/lock";
import { M_UFSMNT, M_WAITOK } from "../../kernel/sys/malloc";
import { PAGE_SIZE } from "../../kernel/sys/param";
import { Proc } from "../../kernel/sys/proc";
import { LIST_FIRST, LIST_NEXT } from "../../kernel/sys/queue";
import { UIO_SYSSPACE } from "../../kernel/sys/uio";
import { uvm_vnp_sync } from "../../vm/uvm_vnp";
import { Buf } from "../buf";
import { FREAD, FWRITE } from "../fcntl";
import {
  MFSNAMELEN, MNAMELEN, MNT_FORCE, MNT_LAZY, MNT_LOCAL, MNT_NOWAIT, MNT_RDONLY, MNT_UPDATE, MNT_WAIT, MNT_WANTRDWR,
  Mount, Statfs, VFS_VGET, Vfsops,
} from "../mount";
import { FOLLOW, LOOKUP, Nameidata } from "../namei";
import { DINODE_SIZE, ROOTINO } from "../ufs/dinode";
import {
  IN_ACCESS, IN_ACCESSED, IN_CHANGE, IN_MODIFIED, IN_UPDATE, INODE_SIZE, Inode, VTOI,
} from "../ufs/inode";
import { ufs_hashlock, ufs_ihashget, ufs_ihashinit, ufs_ihashins } from "../ufs/ufs_ihash";
import { ffs_inode_pool, ufs_vinit } from "../ufs/ufs_inode";
import { UFSMOUNT_SIZE, Ufsmount, VFSTOUFS } from "../ufs/ufsmount";
import { vcount } from "../vfs_alias";
import { bread, brelse } from "../vfs_bio";
import { dev_to_name, vfsroot } from "../vfs_conf";
import { NDINIT, namei } from "../vfs_lookup";
import { mountlist_append, vfs_mountfree, vfs_rootmountalloc, vfs_unbusy } from "../vfs_mount";
import { getnewvnode, vflush, vget, vput, vref, vrele } from "../vfs_subr";
import { vinvalbuf } from "../vfs_vnbufs";
import { vn_lock } from "../vfs_vnops";
import {
  FORCECLOSE, FSCRED, FSYNC_LAZY, FSYNC_WAIT, NOCRED, VBAD, VBLK, VDIR, VNON, VT_UFS, V_SAVE, Vnode, WRITECLOSE,
} from "../vnode";
import { VOP_CLOSE, VOP_FSYNC, VOP_OPEN, VOP_UNLOCK } from "../vnode_if";
import { ffs_fifoop, ffs_specop, ffs_vnodeop, ffs_vnodeop_init } from "./ffs_vnops";
import { ffs_beginwriting, ffs_cgupdate, ffs_freesb, ffs_markclean, ffs_readsb, ffs_sbupdate } from "./ffs_super";
import { Fs, MAXMNTLEN, blkstofrags, fsbtodb, ino_to_fsba, ino_to_fsbo } from "./fs";

/** Arguments of mount("ffs", …), in kernel space. */
@unmanaged
export class UfsArgs {
  /** Path of the block device. */
  fspec: usize;
}

export const ffs_vfsops: Vfsops = changetype<Vfsops>(memory.data(offsetof<Vfsops>()));

/** Largest file: what the pointers reach, but no block number beyond 31 bits. */
function maxFileSize(fs: Fs): u64 {
  const reach = (u64(0x80000000) << u64(fs.fs_bshift)) - 1;
  return fs.fs_maxfilesize < reach ? fs.fs_maxfilesize : reach;
}

/** Makes the Ufsmount of the file system `fs` on devvp. */
function attachMount(mp: Mount, devvp: Vnode, fs: Fs): void {
  const ump = changetype<Ufsmount>(malloc(UFSMOUNT_SIZE, M_UFSMNT, M_WAITOK));
  bzero(changetype<usize>(ump), UFSMOUNT_SIZE);
  ump.um_mountp = mp;
  ump.um_dev = devvp.v_rdev;
  ump.um_devvp = devvp;
  ump.um_fs = fs;
  ump.um_nindir = u32(fs.fs_nindir);
  ump.um_lognindir = 31 - clz<u32>(u32(fs.fs_nindir));
  ump.um_bptrtodb = u32(fs.fs_fsbtodb);
  ump.um_seqinc = u32(fs.fs_frag);
  ump.um_maxsymlinklen = u32(fs.fs_maxsymlinklen);
  ump.um_maxfilesize = maxFileSize(fs);
  mp.mnt_data = changetype<usize>(ump);
  mp.mnt_stat.f_fsid0 = devvp.v_rdev;
  mp.mnt_stat.f_fsid1 = 1;
  mp.mnt_stat.f_iosize = u32(fs.fs_bsize);
  mp.mnt_maxsymlinklen = u32(fs.fs_maxsymlinklen);
  mp.mnt_flag |= MNT_LOCAL;
  devvp.v_specinfo.si_mountpoint = mp;
}

/** Locks, opens and unlocks the device. */
function openDevice(devvp: Vnode, ronly: bool, p: Proc): i32 {
  vn_lock(devvp, LK_EXCLUSIVE | LK_RETRY);
  const error = VOP_OPEN(devvp, ronly ? FREAD : FREAD | FWRITE, FSCRED, p);
  VOP_UNLOCK(devvp, 0);
  return error;
}

function closeDevice(devvp: Vnode, ronly: bool, p: Proc): i32 {
  vn_lock(devvp, LK_EXCLUSIVE | LK_RETRY);
  const error = VOP_CLOSE(devvp, ronly ? FREAD : FREAD | FWRITE, NOCRED, p);
  VOP_UNLOCK(devvp, 0);
  return error;
}

/**
 * Mounts the file system on devvp (referenced, not locked; the reference is kept on success): reads and checks the
 * super block, fills mnt_data. Sleeps. EBUSY, EINVAL after one line that says why, EROFS, EIO.
 */
export function ffs_mountfs(devvp: Vnode, mp: Mount, p: Proc): i32 {
  if (changetype<usize>(devvp.v_specinfo.si_mountpoint) != 0) return EBUSY;
  if (vcount(devvp) > 1 && devvp != vfsroot.rootvp) return EBUSY;
  vn_lock(devvp, LK_EXCLUSIVE | LK_RETRY);
  let error = vinvalbuf(devvp, V_SAVE, changetype<usize>(p), p, 0, 0);
  VOP_UNLOCK(devvp, 0);
  if (error != 0) return error;
  const ronly = (mp.mnt_flag & MNT_RDONLY) != 0;
  error = openDevice(devvp, ronly, p);
  if (error != 0) return error;
  const fsp = frame_alloc(4);
  error = ffs_readsb(devvp, ronly, fsp);
  if (error != 0) {
    closeDevice(devvp, ronly, p);
    return error;
  }
  const fs = changetype<Fs>(load<usize>(fsp));
  fs.fs_ronly = ronly ? 1 : 0;
  fs.fs_fmod = 0;
  if (!ronly) ffs_beginwriting(fs);
  attachMount(mp, devvp, fs);
  return 0;
}

/** The names that statfs shows, and the path kept in the super block. */
export function ffs_setnames(mp: Mount, path: usize, from: usize): void {
  const fs = VFSTOUFS(mp).um_fs;
  bzero(fs.fs_fsmnt(), MAXMNTLEN);
  strlcpy(fs.fs_fsmnt(), path, MAXMNTLEN);
  strlcpy(mp.mnt_stat.f_mntonname, path, MNAMELEN);
  strlcpy(mp.mnt_stat.f_mntfromname, from, MNAMELEN);
}

/** mount -u: read-only to writable or back, as mnt_flag says. */
export function ffs_mountupdate(mp: Mount, p: Proc): i32 {
  const ump = VFSTOUFS(mp);
  const fs = ump.um_fs;
  if (fs.fs_ronly == 0 && (mp.mnt_flag & MNT_RDONLY) != 0) {
    const force = (mp.mnt_flag & MNT_FORCE) != 0 ? FORCECLOSE : 0;
    const error = ffs_flushfiles(mp, WRITECLOSE | force, p);
    if (error != 0) return error;
    ffs_markclean(ump);
    fs.fs_ronly = 1;
  } else if (fs.fs_ronly != 0 && (mp.mnt_flag & MNT_WANTRDWR) != 0) {
    fs.fs_ronly = 0;
    ffs_beginwriting(fs);
    return ffs_sbupdate(ump, MNT_WAIT);
  }
  return 0;
}

/**
 * Looks up the device `fspec` for a mount on `covered`, which is unlocked meanwhile, for the path may lead through it.
 * EBUSY when something else came to be mounted there, or it has been removed.
 */
function lookupDevice(covered: Vnode, fspec: usize, ndp: Nameidata, p: Proc): i32 {
  NDINIT(ndp, LOOKUP, FOLLOW, UIO_SYSSPACE, fspec, p);
  VOP_UNLOCK(covered, 0);
  const error = namei(ndp);
  vn_lock(covered, LK_EXCLUSIVE | LK_RETRY);
  if (error != 0 || (covered.v_type == VDIR && covered.v_un == 0)) return error;
  vrele(ndp.ni_vp);
  return EBUSY;
}

/** VFS_MOUNT. `data`: a UfsArgs. */
function ffs_mount(mp: Mount, path: usize, data: usize, ndp: Nameidata, p: Proc): i32 {
  if ((mp.mnt_flag & MNT_UPDATE) != 0) return ffs_mountupdate(mp, p);
  const fspec = changetype<UfsArgs>(data).fspec;
  let error = lookupDevice(mp.mnt_vnodecovered, fspec, ndp, p);
  if (error != 0) return error;
  const devvp = ndp.ni_vp;
  error = devvp.v_type != VBLK ? ENOTBLK : ffs_mountfs(devvp, mp, p);
  if (error != 0) {
    vrele(devvp);
    return error;
  }
  ffs_setnames(mp, path, fspec);
  return 0;
}

/** Mounts the root file system from vfsroot.rootvp, read-only. Sleeps. */
export function ffs_mountroot(): i32 {
  const mpp = frame_alloc(4);
  const name = frame_alloc(24);
  strlcpy(name, cs("/dev/"), 24);
  dev_to_name(vfsroot.rootdev, name + 5, 16);
  let error = vfs_rootmountalloc(cs("ffs"), name, mpp);
  if (error != 0) return error;
  const mp = changetype<Mount>(load<usize>(mpp));
  const p = curproc();
  error = ffs_mountfs(vfsroot.rootvp, mp, p);
  if (error != 0) {
    vfs_mountfree(mp);
    return error;
  }
  mountlist_append(mp);
  ffs_setnames(mp, cs("/"), name);
  ffs_statfs(mp, mp.mnt_stat, p);
  vfs_unbusy(mp);
  return 0;
}

/** VFS_START: nothing to start. */
export function ffs_start(mp: Mount, flags: u32, p: Proc): i32 {
  return 0;
}

/** Removes the vnodes of all files; flags of vflush. EBUSY. */
export function ffs_flushfiles(mp: Mount, flags: u32, p: Proc): i32 {
  return vflush(mp, changetype<Vnode>(0), flags);
}

/**
 * VFS_UNMOUNT. EBUSY; and the errno of writing, when the file system stays as it is; with MNT_FORCE what cannot be
 * written is lost.
 */
export function ffs_unmount(mp: Mount, mntflags: u32, p: Proc): i32 {
  const ump = VFSTOUFS(mp);
  const fs = ump.um_fs;
  const forced = (mntflags & MNT_FORCE) != 0;
  let error = ffs_flushfiles(mp, forced ? FORCECLOSE : 0, p);
  if (error != 0) return error;
  const devvp = ump.um_devvp;
  vn_lock(devvp, LK_EXCLUSIVE | LK_RETRY);
  error = vinvalbuf(devvp, V_SAVE, NOCRED, p, 0, 0);
  if (error != 0 && forced) vinvalbuf(devvp, 0, NOCRED, p, 0, 0);
  VOP_UNLOCK(devvp, 0);
  if (error != 0 && !forced) return error;
  ffs_markclean(ump);
  if (devvp.v_type != VBAD) devvp.v_specinfo.si_mountpoint = changetype<Mount>(0);
  error = closeDevice(devvp, fs.fs_ronly != 0, p);
  if (error != 0) printf(cs("%s: closing the device: error %d\n"), mp.mnt_stat.f_mntonname, error);
  vrele(devvp);
  ffs_freesb(fs);
  free(changetype<usize>(ump), M_UFSMNT);
  mp.mnt_data = 0;
  mp.mnt_flag &= ~MNT_LOCAL;
  return 0;
}

/** VFS_ROOT. */
export function ufs_root(mp: Mount, vpp: usize): i32 {
  return VFS_VGET(mp, ROOTINO, vpp);
}

/** VFS_STATFS. */
export function ffs_statfs(mp: Mount, sbp: Statfs, p: Proc): i32 {
  const fs = VFSTOUFS(mp).um_fs;
  sbp.f_type = 0;
  sbp.f_bsize = u32(fs.fs_fsize);
  sbp.f_iosize = u32(fs.fs_bsize);
  sbp.f_blocks = u32(fs.fs_dsize);
  const free = blkstofrags(fs, fs.fs_cstotal_nbfree) + fs.fs_cstotal_nffree;
  sbp.f_bfree = u32(free);
  const usable = i32((i64(fs.fs_dsize) * i64(100 - fs.fs_minfree)) / 100);
  sbp.f_bavail = usable - (fs.fs_dsize - free);
  sbp.f_files = u32(fs.fs_ncg * fs.fs_ipg) - ROOTINO;
  sbp.f_ffree = u32(fs.fs_cstotal_nifree);
  if (sbp != mp.mnt_stat) {
    sbp.f_fsid0 = mp.mnt_stat.f_fsid0;
    sbp.f_fsid1 = mp.mnt_stat.f_fsid1;
    memcpy(sbp.f_mntonname, mp.mnt_stat.f_mntonname, MNAMELEN);
    memcpy(sbp.f_mntfromname, mp.mnt_stat.f_mntfromname, MNAMELEN);
  }
  strlcpy(sbp.f_fstypename, mp.mnt_op.vfs_name, MFSNAMELEN);
  return 0;
}

/** Does the file have anything to write or to tell? */
function isDirty(vp: Vnode): bool {
  const pending = IN_ACCESS | IN_CHANGE | IN_UPDATE | IN_MODIFIED | IN_ACCESSED;
  return (VTOI(vp).i_flag & pending) != 0 || vp.v_dirtyblkhd != 0 || vp.v_error != 0;
}

/** Writes all files that are dirty; an errno of any. */
function syncFiles(mp: Mount, flags: u32, cred: usize, p: Proc): i32 {
  const head = changetype<usize>(mp) + offsetof<Mount>("mnt_vnodelist");
  const link = offsetof<Vnode>("v_mntvnodes_next");
  let allerror: i32 = 0;
  let addr = LIST_FIRST(head);
  while (addr != 0) {
    const vp = changetype<Vnode>(addr);
    if (vp.v_mount != mp) {
      // It changed its meaning while the one before was written: begin again.
      addr = LIST_FIRST(head);
      continue;
    }
    addr = LIST_NEXT(addr, link);
    if (vp.v_type == VNON || !isDirty(vp)) continue;
    let error = vget(vp, LK_EXCLUSIVE | LK_NOWAIT);
    if (error == ENOENT) addr = LIST_FIRST(head);
    if (error != 0) continue;
    error = VOP_FSYNC(vp, cred, flags, p);
    if (error != 0) allerror = error;
    vput(vp);
  }
  return allerror;
}

/** VFS_SYNC: files, then metadata on the device's vnode, then the super block. */
export function ffs_sync(mp: Mount, waitfor: u32, cred: usize, p: Proc): i32 {
  const ump = VFSTOUFS(mp);
  const fs = ump.um_fs;
  if (fs.fs_fmod != 0 && fs.fs_ronly != 0) {
    printf(cs("fs = %s\n"), fs.fs_fsmnt());
    panic(cs("update: rofs mod"));
  }
  uvm_vnp_sync(mp);
  let flags: u32 = 0;
  if (waitfor == MNT_WAIT) flags = FSYNC_WAIT;
  else if (waitfor == MNT_LAZY) flags = FSYNC_LAZY;
  let allerror = syncFiles(mp, flags, cred, p);
  vn_lock(ump.um_devvp, LK_EXCLUSIVE | LK_RETRY);
  let error = VOP_FSYNC(ump.um_devvp, cred, flags, p);
  VOP_UNLOCK(ump.um_devvp, 0);
  if (error != 0) allerror = error;
  if (fs.fs_fmod == 0) return allerror;
  fs.fs_fmod = 0;
  fs.fs_time = time_second();
  error = ffs_cgupdate(ump, waitfor == MNT_WAIT ? MNT_WAIT : MNT_NOWAIT);
  return error != 0 ? error : allerror;
}

/** A vnode with an empty inode for `ino`, in the table and locked; *vpp. Holds ufs_hashlock on entry, releases it. */
function makeInode(mp: Mount, ino: u32, vpp: usize): i32 {
  const ump = VFSTOUFS(mp);
  const error = getnewvnode(VT_UFS, mp, changetype<usize>(ffs_vnodeop), vpp);
  if (error == 0) {
    const vp = changetype<Vnode>(load<usize>(vpp));
    const ip = changetype<Inode>(pool_get(ffs_inode_pool, PR_WAITOK));
    bzero(changetype<usize>(ip), INODE_SIZE);
    vp.v_data = changetype<usize>(ip);
    ip.i_vnode = vp;
    ip.i_ump = ump;
    ip.i_fs = ump.um_fs;
    ip.i_dev = ump.um_dev;
    ip.i_number = ino;
    ip.i_devvp = ump.um_devvp;
    vref(ip.i_devvp);
    ufs_ihashins(ip);
  }
  lockmgr(ufs_hashlock, LK_RELEASE, 0);
  return error;
}

/** VFS_VGET: the inode from the table or the disk. Sleeps. EIO for a number that cannot be. */
export function ffs_vget(mp: Mount, ino: u32, vpp: usize): i32 {
  const ump = VFSTOUFS(mp);
  const fs = ump.um_fs;
  store<usize>(vpp, 0);
  if (ino == 0 || ino >= u32(fs.fs_ncg) * u32(fs.fs_ipg)) {
    printf(cs("%s: inode number %u out of range\n"), fs.fs_fsmnt(), ino);
    return EIO;
  }
  do {
    const found = ufs_ihashget(ump.um_dev, ino);
    if (changetype<usize>(found) != 0) {
      store<usize>(vpp, changetype<usize>(found));
      return 0;
    }
    // Whoever had to wait looks again: the one before may have made it.
  } while (lockmgr(ufs_hashlock, LK_EXCLUSIVE | LK_SLEEPFAIL, 0) != 0);
  let error = makeInode(mp, ino, vpp);
  if (error != 0) return error;
  const vp = changetype<Vnode>(load<usize>(vpp));
  const ip = VTOI(vp);
  const bpp = frame_alloc(4);
  error = bread(ump.um_devvp, fsbtodb(fs, ino_to_fsba(fs, ino)), u32(fs.fs_bsize), NOCRED, bpp);
  const bp = changetype<Buf>(load<usize>(bpp));
  if (error == 0) {
    memcpy(changetype<usize>(ip.i_din()), bp.b_data + usize(ino_to_fsbo(fs, ino) * DINODE_SIZE), DINODE_SIZE);
  }
  brelse(bp);
  if (error != 0) {
    vput(vp);
    store<usize>(vpp, 0);
    return error;
  }
  ufs_vinit(mp, ffs_specop, ffs_fifoop, vpp);
  return 0;
}

/** VFS_INIT: the operation vectors, the inode table and the inode pool; also before the first memory file system. */
export function ffs_init(): void {
  ffs_vnodeop_init();
  ufs_ihashinit();
  pool_init(ffs_inode_pool, INODE_SIZE, 0, 0, 0, cs("ffsinopl"), PAGE_SIZE, 0, 0, M_UFSMNT);
}

/** Fills the operations of the type "ffs". */
export function ffs_vfsattach(): Vfsops {
  const ops = ffs_vfsops;
  ops.vfs_name = cs("ffs");
  ops.set_mount(ffs_mount);
  ops.set_start(ffs_start);
  ops.set_unmount(ffs_unmount);
  ops.set_root(ufs_root);
  ops.set_statfs(ffs_statfs);
  ops.set_sync(ffs_sync);
  ops.set_vget(ffs_vget);
  ops.set_init(ffs_init);
  ops.set_mountroot(ffs_mountroot);
  return ops;
}
