// The super block in memory and on the disk: reading it with the summary array,
// writing both, and the mark that says whether the file system is clean.
//
// fs_clean on the disk: 1 clean and not mounted for writing; 2 mounted for writing,
// and clean when that began; 0 not known to be clean.

import { bdev_psize } from "../../kernel/conf";
import { frame_alloc } from "../../kernel/i386/cpufunc";
import { free, malloc } from "../../kernel/kern_malloc";
import { howmany, memcpy, strlcpy } from "../../kernel/libkern";
import { printf } from "../../kernel/subr_prf";
import { EINVAL } from "../../kernel/sys/errno";
import { M_UFSMNT, M_WAITOK } from "../../kernel/sys/malloc";
import { major } from "../../kernel/sys/param";
import { B_INVAL, Buf } from "../buf";
import { MNT_WAIT } from "../mount";
import { Ufsmount } from "../ufs/ufsmount";
import { bawrite, bread, brelse, bwrite, getblk } from "../vfs_bio";
import { dev_to_name } from "../vfs_conf";
import { NOCRED, Vnode } from "../vnode";
import { ffs_sbcheck } from "./ffs_sbcheck";
import { FS_ISCLEAN, FS_WASCLEAN, Fs, SBLOCK, SBSIZE, fsbtodb } from "./fs";

/** Name of a device for messages: of a block device, "mfs" for the memory file system's. 16 bytes at `buf`. */
function deviceName(dev: u32, buf: usize): void {
  if (major(dev) == 255) strlcpy(buf, cs("mfs"), 16);
  else dev_to_name(dev, buf, 16);
}

/** Reads the summary array into memory behind fs_csp; with clusters the array of fs_maxcluster follows it. */
function readSummary(fs: Fs, devvp: Vnode, space: usize): i32 {
  const bpp = frame_alloc(4);
  const blocks = i32(howmany(u32(fs.fs_cssize), u32(fs.fs_fsize)));
  let at = space;
  for (let i = 0; i < blocks; i += fs.fs_frag) {
    const size = i + fs.fs_frag > blocks ? (blocks - i) << fs.fs_fshift : fs.fs_bsize;
    const error = bread(devvp, fsbtodb(fs, fs.fs_csaddr + i), u32(size), NOCRED, bpp);
    const bp = changetype<Buf>(load<usize>(bpp));
    if (error == 0) memcpy(at, bp.b_data, u32(size));
    brelse(bp);
    if (error != 0) return error;
    at += usize(size);
  }
  fs.fs_csp = space;
  fs.fs_maxcluster = space + usize(fs.fs_cssize);
  for (let cg = 0; cg < fs.fs_ncg; cg++) fs.set_fs_maxcluster_of(cg, fs.fs_contigsumsize);
  return 0;
}

/** Does the device reach to the end of the file system? */
function checkDeviceSize(fs: Fs, dev: u32, name: usize): i32 {
  if (major(dev) == 255) return 0;
  const sectors = bdev_psize(dev);
  if (sectors < 0 || sectors >= fsbtodb(fs, fs.fs_size)) return 0;
  printf(cs("%s: the file system has %d sectors, the device only %d\n"), name, fsbtodb(fs, fs.fs_size), sectors);
  return EINVAL;
}

/**
 * Reads and checks the super block of the open device devvp. *fsp: a copy with the summary, in memory of its own
 * (ffs_freesb). Sleeps. EINVAL or EROFS after one line that says why, EIO.
 */
export function ffs_readsb(devvp: Vnode, ronly: bool, fsp: usize): i32 {
  const bpp = frame_alloc(4);
  const name = frame_alloc(16);
  deviceName(devvp.v_rdev, name);
  let error = bread(devvp, SBLOCK, SBSIZE, NOCRED, bpp);
  const bp = changetype<Buf>(load<usize>(bpp));
  const ondisk = changetype<Fs>(bp.b_data);
  if (error != 0) printf(cs("%s: cannot read the super block, error %d\n"), name, error);
  if (error == 0) error = ffs_sbcheck(ondisk, name, ronly);
  if (error == 0) error = checkDeviceSize(ondisk, devvp.v_rdev, name);
  if (error != 0) {
    brelse(bp);
    return error;
  }
  const sbsize = u32(ondisk.fs_sbsize);
  const fs = changetype<Fs>(malloc(sbsize, M_UFSMNT, M_WAITOK));
  memcpy(changetype<usize>(fs), changetype<usize>(ondisk), sbsize);
  // It will be written with its own size: no buffer of another size may stay.
  if (sbsize < SBSIZE) bp.b_flags |= B_INVAL;
  brelse(bp);
  const space = malloc(u32(fs.fs_cssize) + u32(fs.fs_ncg) * 4, M_UFSMNT, M_WAITOK);
  error = readSummary(fs, devvp, space);
  if (error != 0) {
    free(space, M_UFSMNT);
    free(changetype<usize>(fs), M_UFSMNT);
    return error;
  }
  store<usize>(fsp, changetype<usize>(fs));
  return 0;
}

/** Frees what ffs_readsb allocated. */
export function ffs_freesb(fs: Fs): void {
  free(fs.fs_csp, M_UFSMNT);
  free(changetype<usize>(fs), M_UFSMNT);
}

/** Writes the super block; waits with MNT_WAIT. Sleeps. */
export function ffs_sbupdate(ump: Ufsmount, waitfor: u32): i32 {
  const fs = ump.um_fs;
  const bp = getblk(ump.um_devvp, SBLOCK, u32(fs.fs_sbsize), 0, 0);
  memcpy(bp.b_data, changetype<usize>(fs), u32(fs.fs_sbsize));
  // Addresses and state of the copy in memory mean nothing on the disk.
  const ondisk = changetype<Fs>(bp.b_data);
  ondisk.fs_csp = 0;
  ondisk.fs_maxcluster = 0;
  ondisk.fs_fmod = 0;
  ondisk.fs_ronly = 0;
  if (waitfor == MNT_WAIT) return bwrite(bp);
  bawrite(bp);
  return 0;
}

/** Writes the super block and the summary array. Sleeps. */
export function ffs_cgupdate(ump: Ufsmount, waitfor: u32): i32 {
  const fs = ump.um_fs;
  let allerror = ffs_sbupdate(ump, waitfor);
  const blocks = i32(howmany(u32(fs.fs_cssize), u32(fs.fs_fsize)));
  let at = fs.fs_csp;
  for (let i = 0; i < blocks; i += fs.fs_frag) {
    const size = i + fs.fs_frag > blocks ? (blocks - i) << fs.fs_fshift : fs.fs_bsize;
    const bp = getblk(ump.um_devvp, fsbtodb(fs, fs.fs_csaddr + i), u32(size), 0, 0);
    memcpy(bp.b_data, at, u32(size));
    at += usize(size);
    let error: i32 = 0;
    if (waitfor == MNT_WAIT) error = bwrite(bp);
    else bawrite(bp);
    if (error != 0) allerror = error;
  }
  return allerror;
}

/** A clean file system mounted for writing is marked 2 (was clean), another stays 0. */
export function ffs_beginwriting(fs: Fs): void {
  fs.fs_clean = u8(u32(fs.fs_clean) << 1);
  fs.fs_fmod = 1;
}

/** Writes super block and summary, and marks the file system clean if it was when it was mounted. */
export function ffs_markclean(ump: Ufsmount): void {
  const fs = ump.um_fs;
  if (fs.fs_ronly != 0) return;
  if (ffs_cgupdate(ump, MNT_WAIT) != 0) return;
  if ((fs.fs_clean & u8(FS_WASCLEAN)) == 0) return;
  fs.fs_clean = u8(FS_ISCLEAN);
  ffs_sbupdate(ump, MNT_WAIT);
}
