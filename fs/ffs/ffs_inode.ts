// Writing inodes back (VOP_UPDATE) and cutting files short (VOP_TRUNCATE).

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { splbio, splx } from "../../kernel/i386/intr";
import { free, malloc } from "../../kernel/kern_malloc";
import { tsleep } from "../../kernel/kern_synch";
import { time_second } from "../../kernel/kern_time";
import { bzero, memcpy } from "../../kernel/libkern";
import { panic } from "../../kernel/subr_prf";
import { EFBIG, EINVAL } from "../../kernel/sys/errno";
import { M_TEMP, M_WAITOK } from "../../kernel/sys/malloc";
import { DEV_BSHIFT, PRIBIO } from "../../kernel/sys/param";
import { Proc } from "../../kernel/sys/proc";
import { LIST_FIRST, LIST_NEXT } from "../../kernel/sys/queue";
import { B_BUSY, B_CLRBUF, B_DELWRI, B_DONE, B_INVAL, B_READ, B_SYNC, B_VFLUSH, B_WANTED, Buf } from "../buf";
import { MNT_ASYNC, MNT_RDONLY } from "../mount";
import { DINODE_SIZE, NDADDR, NIADDR } from "../ufs/dinode";
import {
  IN_ACCESS, IN_ACCESSED, IN_CHANGE, IN_MODIFIED, IN_UPDATE, INODE_DIN, Inode, VTOI, blksize,
} from "../ufs/inode";
import { bawrite, bdwrite, biowait, bread, brelse, bwrite, getblk } from "../vfs_bio";
import { allocbuf } from "../vfs_bio_mem";
import { IO_SYNC, NOCRED, UPDATE_WAIT, VLNK, Vnode } from "../vnode";
import { VOP_BALLOC, VOP_STRATEGY, VOP_UPDATE } from "../vnode_if";
import { uvm_vnp_setsize } from "../../vm/uvm_vnp";
import { ffs_blkfree } from "./ffs_cg";
import { Fs, blkoff, fsbtodb, ino_to_fsba, ino_to_fsbo, lblkno, numfrags } from "./fs";

/** Direct and indirect pointers of an inode, bytes, and where they stand. */
const POINTERS: u32 = 60;
const POINTERS_AT: usize = INODE_DIN + 40;

const VNBUFS: usize = offsetof<Buf>("b_vnbufs_next");

/**
 * Puts the times that i_flag asks for into the inode; `access` and `modify` are addresses of {sec, nsec} to use
 * instead of now, or 0.
 */
export function ffs_itimes(ip: Inode, access: usize, modify: usize): void {
  if ((ip.i_flag & (IN_ACCESS | IN_CHANGE | IN_UPDATE)) == 0) return;
  const now = time_second();
  const dp = ip.i_din();
  if ((ip.i_flag & IN_ACCESS) != 0) {
    dp.di_atime = access != 0 ? load<u32>(access) : now;
    dp.di_atimensec = access != 0 ? load<u32>(access, 4) : 0;
    ip.i_flag |= IN_ACCESSED;
  }
  if ((ip.i_flag & IN_UPDATE) != 0) {
    dp.di_mtime = modify != 0 ? load<u32>(modify) : now;
    dp.di_mtimensec = modify != 0 ? load<u32>(modify, 4) : 0;
    ip.i_modrev++;
  }
  if ((ip.i_flag & IN_CHANGE) != 0) {
    dp.di_ctime = now;
    dp.di_ctimensec = 0;
  }
  if ((ip.i_flag & (IN_CHANGE | IN_UPDATE)) != 0) ip.i_flag |= IN_MODIFIED;
  ip.i_flag &= ~(IN_ACCESS | IN_CHANGE | IN_UPDATE);
}

/** VOP_UPDATE: the inode goes to its block's buffer, and with UPDATE_WAIT to the disk. Sleeps. */
export function ffs_update(vp: Vnode, access: usize, modify: usize, flags: u32): i32 {
  if ((vp.v_mount.mnt_flag & MNT_RDONLY) != 0) return 0;
  const ip = VTOI(vp);
  ffs_itimes(ip, access, modify);
  if ((ip.i_flag & (IN_MODIFIED | IN_ACCESSED)) == 0) return 0;
  const fs = ip.i_fs;
  const bpp = frame_alloc(4);
  const sector = fsbtodb(fs, ino_to_fsba(fs, ip.i_number));
  const error = bread(ip.i_devvp, sector, u32(fs.fs_bsize), NOCRED, bpp);
  const bp = changetype<Buf>(load<usize>(bpp));
  if (error != 0) {
    brelse(bp);
    return error;
  }
  ip.i_flag &= ~(IN_MODIFIED | IN_ACCESSED);
  memcpy(bp.b_data + usize(ino_to_fsbo(fs, ip.i_number) * DINODE_SIZE), changetype<usize>(ip.i_din()), DINODE_SIZE);
  if ((flags & UPDATE_WAIT) != 0 && (vp.v_mount.mnt_flag & MNT_ASYNC) == 0) return bwrite(bp);
  bdwrite(bp);
  return 0;
}

/** First idle or busy buffer of a list from block `lbn` on; 0 = none. Indirect blocks (negative) are left. */
function firstFrom(head: usize, lbn: i32): usize {
  let addr = LIST_FIRST(head);
  while (addr != 0 && changetype<Buf>(addr).b_lblkno < lbn) addr = LIST_NEXT(addr, VNBUFS);
  return addr;
}

/** Throws away the buffers of vp from block `lbn` on, dirty or not. vp locked. Sleeps while one is busy. */
export function ffs_truncbuf(vp: Vnode, lbn: i32): void {
  const clean = changetype<usize>(vp) + offsetof<Vnode>("v_cleanblkhd");
  const dirty = changetype<usize>(vp) + offsetof<Vnode>("v_dirtyblkhd");
  const s = splbio();
  for (;;) {
    let addr = firstFrom(clean, lbn);
    if (addr == 0) addr = firstFrom(dirty, lbn);
    if (addr == 0) break;
    const bp = changetype<Buf>(addr);
    if ((bp.b_flags & B_BUSY) != 0) {
      bp.b_flags |= B_WANTED;
      tsleep(addr, PRIBIO + 1, cs("truncbuf"), 0);
      continue;
    }
    bp.b_flags |= B_BUSY | B_VFLUSH | B_INVAL;
    brelse(bp);
  }
  splx(s);
}

/** Makes the file longer: its last block exists, zero. */
function lengthen(vp: Vnode, length: u64, flags: u32, cred: usize, p: Proc): i32 {
  const ip = VTOI(vp);
  const osize = ip.i_size;
  const bpp = frame_alloc(4);
  const aflags = B_CLRBUF | ((flags & IO_SYNC) != 0 ? B_SYNC : 0);
  const error = VOP_BALLOC(vp, i64(length - 1), 1, cred, aflags, bpp);
  if (error != 0) {
    // The last fragment may have been completed.
    if (ip.i_size != osize) ffs_truncate(vp, i64(osize), flags, cred, p);
    return error;
  }
  ip.i_size = length;
  const bp = changetype<Buf>(load<usize>(bpp));
  if ((aflags & B_SYNC) != 0) bwrite(bp);
  else bawrite(bp);
  ip.i_flag |= IN_CHANGE | IN_UPDATE;
  return VOP_UPDATE(vp, 0, 0, UPDATE_WAIT);
}

/** Zeroes the last block behind the new end, so that a later growth shows zeros. */
function zeroTail(vp: Vnode, length: u64, flags: u32, cred: usize): i32 {
  const ip = VTOI(vp);
  const fs = ip.i_fs;
  const offset = blkoff(fs, length);
  if (offset == 0) {
    ip.i_size = length;
    return 0;
  }
  const bpp = frame_alloc(4);
  const aflags = B_CLRBUF | ((flags & IO_SYNC) != 0 ? B_SYNC : 0);
  const error = VOP_BALLOC(vp, i64(length - 1), 1, cred, aflags, bpp);
  if (error != 0) return error;
  const bp = changetype<Buf>(load<usize>(bpp));
  ip.i_size = length;
  const size = blksize(fs, ip, lblkno(fs, length));
  bzero(bp.b_data + usize(offset), u32(size - offset));
  allocbuf(bp, u32(size));
  if ((aflags & B_SYNC) != 0) bwrite(bp);
  else bawrite(bp);
  return 0;
}

/**
 * Frees the blocks behind indirect block `lbn` (at sector `dbn`) from its data block `lastbn` + 1 on (-1: all), `level`
 * indirections deep (0 = single); the indirect block itself is the caller's. Adds the 512-byte units to *countp.
 * Sleeps.
 */
function ffs_indirtrunc(ip: Inode, lbn: i32, dbn: i32, lastbn: i32, level: i32, countp: usize): i32 {
  const fs = ip.i_fs;
  const vp = ip.i_vnode;
  const nindir = fs.fs_nindir;
  let factor: i32 = 1;
  for (let i = 0; i < level; i++) factor *= nindir;
  const last = lastbn > 0 ? lastbn / factor : lastbn;
  const bp = getblk(vp, lbn, u32(fs.fs_bsize), 0, 0);
  if ((bp.b_flags & (B_DONE | B_DELWRI)) == 0) {
    bp.b_flags |= B_READ;
    bp.b_blkno = dbn;
    VOP_STRATEGY(bp);
    const error = biowait(bp);
    if (error != 0) {
      brelse(bp);
      return error;
    }
  }
  // The cut pointers reach the disk before the blocks are free for others; the walk uses a copy.
  let allerror: i32 = 0;
  const size = u32(fs.fs_bsize);
  let pointers = bp.b_data;
  let copy: usize = 0;
  if (lastbn >= 0) {
    copy = malloc(size, M_TEMP, M_WAITOK);
    memcpy(copy, pointers, size);
    bzero(pointers + (usize(last + 1) << 2), u32(nindir - (last + 1)) << 2);
    allerror = bwrite(bp);
    pointers = copy;
  }
  let i = nindir - 1;
  let nlbn = lbn + 1 - i * factor;
  for (; i > last; i--) {
    const error = freePointer(ip, load<i32>(pointers + (usize(i) << 2)), nlbn, -1, level, countp);
    if (error != 0) allerror = error;
    nlbn += factor;
  }
  if (level > 0 && lastbn >= 0) {
    const nb = load<i32>(pointers + (usize(i) << 2));
    if (nb != 0) {
      const error = ffs_indirtrunc(ip, nlbn, fsbtodb(fs, nb), lastbn % factor, level - 1, countp);
      if (error != 0) allerror = error;
    }
  }
  if (copy != 0) {
    free(copy, M_TEMP);
  } else {
    bp.b_flags |= B_INVAL;
    brelse(bp);
  }
  return allerror;
}

/** Frees the block that a pointer of an indirect block of `level` names, and what hangs below it. */
function freePointer(ip: Inode, nb: i32, nlbn: i32, lastbn: i32, level: i32, countp: usize): i32 {
  if (nb == 0) return 0;
  const fs = ip.i_fs;
  let error: i32 = 0;
  if (level > 0) error = ffs_indirtrunc(ip, nlbn, fsbtodb(fs, nb), lastbn, level - 1, countp);
  ffs_blkfree(ip, nb, fs.fs_bsize);
  store<u32>(countp, load<u32>(countp) + (u32(fs.fs_bsize) >> DEV_BSHIFT));
  return error;
}

/** The last block to keep below the indirect pointer of `level`, counted from its first; negative = none. */
function lastBelow(fs: Fs, lastblock: i32, level: i32): i32 {
  let last = i64(lastblock) - i64(NDADDR);
  let span = i64(1);
  for (let i = 0; i < level; i++) {
    span *= i64(fs.fs_nindir);
    last -= span;
  }
  return last < 0 ? -1 : i32(last);
}

/** Logical number of the topmost indirect block of `level`. */
function topLbn(fs: Fs, level: i32): i32 {
  let lbn = -NDADDR;
  let span: i32 = 1;
  for (let i = 0; i < level; i++) {
    span *= fs.fs_nindir;
    lbn -= span + 1;
  }
  return lbn;
}

/** Frees what lies behind `lastblock`; the pointers are the old ones. Stops at the level that keeps something. */
function freeBehind(ip: Inode, lastblock: i32, length: u64, countp: usize): i32 {
  const fs = ip.i_fs;
  let allerror: i32 = 0;
  for (let level = NIADDR - 1; level >= 0; level--) {
    const last = lastBelow(fs, lastblock, level);
    const bn = ip.i_ib(level);
    if (bn != 0) {
      const error = ffs_indirtrunc(ip, topLbn(fs, level), fsbtodb(fs, bn), last, level, countp);
      if (error != 0) allerror = error;
      if (last < 0) {
        ip.set_i_ib(level, 0);
        ffs_blkfree(ip, bn, fs.fs_bsize);
        store<u32>(countp, load<u32>(countp) + (u32(fs.fs_bsize) >> DEV_BSHIFT));
      }
    }
    if (last >= 0) return allerror;
  }
  for (let i = NDADDR - 1; i > lastblock; i--) {
    const bn = ip.i_db(i);
    if (bn == 0) continue;
    ip.set_i_db(i, 0);
    const size = blksize(fs, ip, i);
    ffs_blkfree(ip, bn, size);
    store<u32>(countp, load<u32>(countp) + (u32(size) >> DEV_BSHIFT));
  }
  if (lastblock >= 0) freeTail(ip, lastblock, length, countp);
  return allerror;
}

/** Frees the fragments of the last direct block that the shorter file does not need. */
function freeTail(ip: Inode, lastblock: i32, length: u64, countp: usize): void {
  const fs = ip.i_fs;
  const bn = ip.i_db(lastblock);
  if (bn == 0) return;
  const oldspace = blksize(fs, ip, lastblock);
  ip.i_size = length;
  const newspace = blksize(fs, ip, lastblock);
  if (newspace == 0) panic(cs("itrunc: newspace"));
  if (oldspace <= newspace) return;
  ffs_blkfree(ip, bn + numfrags(fs, newspace), oldspace - newspace);
  store<u32>(countp, load<u32>(countp) + (u32(oldspace - newspace) >> DEV_BSHIFT));
}

/** Makes the file shorter. */
function shorten(vp: Vnode, length: u64, flags: u32, cred: usize): i32 {
  const ip = VTOI(vp);
  const fs = ip.i_fs;
  const osize = ip.i_size;
  let allerror = zeroTail(vp, length, flags, cred);
  if (allerror != 0) return allerror;
  const lastblock = lblkno(fs, length + u64(fs.fs_bsize) - 1) - 1;
  // The inode with the shorter lists goes to the disk first; then the old lists are walked in memory.
  const pointers = changetype<usize>(ip) + POINTERS_AT;
  const oldblks = frame_alloc(POINTERS);
  const newblks = frame_alloc(POINTERS);
  memcpy(oldblks, pointers, POINTERS);
  for (let level = 0; level < NIADDR; level++) {
    if (lastBelow(fs, lastblock, level) < 0) ip.set_i_ib(level, 0);
  }
  for (let i = NDADDR - 1; i > lastblock; i--) ip.set_i_db(i, 0);
  ip.i_flag |= IN_CHANGE | IN_UPDATE;
  let error = VOP_UPDATE(vp, 0, 0, UPDATE_WAIT);
  if (error != 0) allerror = error;
  memcpy(newblks, pointers, POINTERS);
  memcpy(pointers, oldblks, POINTERS);
  ip.i_size = osize;
  ffs_truncbuf(vp, lastblock + 1);
  const released = frame_alloc(4);
  store<u32>(released, 0);
  error = freeBehind(ip, lastblock, length, released);
  if (error != 0) allerror = error;
  for (let at: usize = 0; at < POINTERS; at += 4) {
    if (load<i32>(pointers + at) != load<i32>(newblks + at)) panic(cs("ffs_truncate: block pointers differ"));
  }
  ip.i_size = length;
  ip.i_blocks = ip.i_blocks < load<u32>(released) ? 0 : ip.i_blocks - load<u32>(released);
  ip.i_flag |= IN_CHANGE;
  return allerror;
}

/** VOP_TRUNCATE: sets the length of a file, directory or link. vp locked. Sleeps. EINVAL, EFBIG, ENOSPC, EIO. */
export function ffs_truncate(vp: Vnode, length: i64, flags: u32, cred: usize, p: Proc): i32 {
  if (length < 0) return EINVAL;
  const ip = VTOI(vp);
  const size = u64(length);
  if (vp.v_type == VLNK && ip.i_size < u64(vp.v_mount.mnt_maxsymlinklen)) {
    if (size != 0) panic(cs("ffs_truncate: partial truncate of symlink"));
    bzero(ip.i_din().di_shortlink(), u32(ip.i_size));
    ip.i_size = 0;
    ip.i_flag |= IN_CHANGE | IN_UPDATE;
    return VOP_UPDATE(vp, 0, 0, UPDATE_WAIT);
  }
  if (size > ip.i_ump.um_maxfilesize) return EFBIG;
  ip.i_flag |= IN_CHANGE | IN_UPDATE;
  if (ip.i_size == size) return VOP_UPDATE(vp, 0, 0, 0);
  if (ip.i_size > size) {
    // Pages first: once blocks are free nobody may write a page to them.
    uvm_vnp_setsize(vp, size);
    return shorten(vp, size, flags, cred);
  }
  const error = lengthen(vp, size, flags, cred, p);
  if (error == 0) uvm_vnp_setsize(vp, size);
  return error;
}
