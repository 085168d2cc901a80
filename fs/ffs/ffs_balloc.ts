// VOP_BALLOC: the disk space behind a byte range of one block of a file,
// allocated as needed, with the indirect blocks that lead there.
//
// Order on the disk: a new indirect block is written before anything points to
// it. When space runs out half way, what was allocated is given back and the
// pointers are cleared, so that a failed call leaves the file as it was.

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { panic } from "../../kernel/subr_prf";
import { EFBIG } from "../../kernel/sys/errno";
import { DEV_BSHIFT } from "../../kernel/sys/param";
import { B_CLRBUF, B_INVAL, B_SYNC, Buf } from "../buf";
import { NDADDR } from "../ufs/dinode";
import { IN_CHANGE, IN_UPDATE, INODE_DIN, Inode, VTOI, blksize } from "../ufs/inode";
import { INDIR_PATH, indir_at, ufs_getlbns } from "../ufs/ufs_bmap";
import { bawrite, bdwrite, bread, brelse, bwrite, clrbuf, getblk } from "../vfs_bio";
import { NOCRED, Vnode } from "../vnode";
import { ffs_alloc, ffs_blkpref, ffs_realloccg } from "./ffs_alloc";
import { ffs_blkfree } from "./ffs_cg";
import { Fs, blkoff, dbtofsb, fragroundup, fsbtodb, lblkno, lblktosize } from "./fs";

/** Address of the direct block pointers of an inode. */
function directPointers(ip: Inode): usize {
  return changetype<usize>(ip) + INODE_DIN + 40;
}

/** Reads a block that exists. */
function readBlock(vp: Vnode, lbn: i32, size: i32, bpp: usize): i32 {
  const error = bread(vp, lbn, u32(size), NOCRED, bpp);
  if (error == 0) return 0;
  brelse(changetype<Buf>(load<usize>(bpp)));
  store<usize>(bpp, 0);
  return error;
}

/** Writes a buffer at once with B_SYNC, later otherwise. */
function writeMeta(bp: Buf, flags: u32): void {
  if ((flags & B_SYNC) != 0) bwrite(bp);
  else bdwrite(bp);
}

/**
 * A write beyond the last block: the fragment at the end of the file becomes a whole block, because only
 * the last block of a file may be short.
 */
function completeLastFragment(ip: Inode, lbn: i32, cred: usize, flags: u32): i32 {
  const fs = ip.i_fs;
  const last = lblkno(fs, ip.i_size);
  if (last >= NDADDR || last >= lbn) return 0;
  const osize = blksize(fs, ip, last);
  if (osize == 0 || osize >= fs.fs_bsize) return 0;
  if (ip.i_db(last) == 0) {
    // A hole needs no space, only the size.
    ip.i_size = lblktosize(fs, last + 1);
    ip.i_flag |= IN_CHANGE | IN_UPDATE;
    return 0;
  }
  const bpp = frame_alloc(4);
  const pref = ffs_blkpref(ip, last, last, directPointers(ip));
  const error = ffs_realloccg(ip, last, pref, osize, fs.fs_bsize, cred, bpp);
  if (error != 0) return error;
  const bp = changetype<Buf>(load<usize>(bpp));
  ip.i_size = lblktosize(fs, last + 1);
  ip.set_i_db(last, dbtofsb(fs, bp.b_blkno));
  ip.i_flag |= IN_CHANGE | IN_UPDATE;
  if ((flags & B_SYNC) != 0) bwrite(bp);
  else bawrite(bp);
  return 0;
}

/** A direct block: `size` bytes of block `lbn` from its start must exist. */
function ballocDirect(ip: Inode, lbn: i32, size: i32, cred: usize, flags: u32, bpp: usize): i32 {
  const fs = ip.i_fs;
  const vp = ip.i_vnode;
  const block = ip.i_db(lbn);
  const whole = ip.i_size >= lblktosize(fs, lbn + 1);
  if (block != 0 && whole) return readBlock(vp, lbn, fs.fs_bsize, bpp);
  const pref = ffs_blkpref(ip, lbn, lbn, directPointers(ip));
  let bp: Buf;
  if (block != 0) {
    const osize = fragroundup(fs, u32(blkoff(fs, ip.i_size)));
    const nsize = fragroundup(fs, u32(size));
    if (nsize <= osize) return readBlock(vp, lbn, osize, bpp);
    const error = ffs_realloccg(ip, lbn, pref, osize, nsize, cred, bpp);
    if (error != 0) return error;
    bp = changetype<Buf>(load<usize>(bpp));
  } else {
    const tail = lblkno(fs, ip.i_size) == lbn ? blkoff(fs, ip.i_size) : 0;
    const nsize = whole ? fs.fs_bsize : fragroundup(fs, u32(size > tail ? size : tail));
    const bnp = frame_alloc(4);
    const error = ffs_alloc(ip, pref, nsize, cred, bnp);
    if (error != 0) return error;
    bp = getblk(vp, lbn, u32(nsize), 0, 0);
    bp.b_blkno = fsbtodb(fs, load<i32>(bnp));
    if ((flags & B_CLRBUF) != 0) clrbuf(bp);
    store<usize>(bpp, changetype<usize>(bp));
  }
  ip.set_i_db(lbn, dbtofsb(fs, bp.b_blkno));
  ip.i_flag |= IN_CHANGE | IN_UPDATE;
  return 0;
}

/** What one call has allocated, for taking it back. In the caller's frame. */
@unmanaged
class Unwind {
  /** Index in the path of the pointer that leads to the first new block; -1 = nothing new. */
  index: i32;
  count: i32;
  block0: i32;
  block1: i32;
  block2: i32;
  block3: i32;
}

const UNWIND_SIZE: u32 = 24;
const UNWIND_BLOCKS: usize = 8;

function remember(unwind: Unwind, block: i32, index: i32): void {
  store<i32>(changetype<usize>(unwind) + UNWIND_BLOCKS + (usize(unwind.count) << 2), block);
  unwind.count++;
  if (unwind.index < 0) unwind.index = index;
}

/** Gives back the blocks of a failed call. `levels` is the length of the path. */
function giveBack(ip: Inode, path: usize, levels: i32, unwind: Unwind, flags: u32): void {
  const fs = ip.i_fs;
  const vp = ip.i_vnode;
  if (unwind.index < 0) return;
  const bpp = frame_alloc(4);
  const top = indir_at(path, unwind.index);
  if (unwind.index == 0) {
    ip.set_i_ib(top.in_off, 0);
  } else {
    const error = bread(vp, top.in_lbn, u32(fs.fs_bsize), NOCRED, bpp);
    if (error != 0) panic(cs("ffs_balloc: cannot unwind indirect block, error %d"), error);
    const bp = changetype<Buf>(load<usize>(bpp));
    store<i32>(bp.b_data + (usize(top.in_off) << 2), 0);
    writeMeta(bp, flags);
  }
  // The new indirect blocks are cached under numbers that may be used for others later.
  for (let i = unwind.index + 1; i < levels && i <= unwind.index + unwind.count; i++) {
    const bp = getblk(vp, indir_at(path, i).in_lbn, u32(fs.fs_bsize), 0, 0);
    bp.b_flags |= B_INVAL;
    brelse(bp);
  }
  for (let i = 0; i < unwind.count; i++) {
    const block = load<i32>(changetype<usize>(unwind) + UNWIND_BLOCKS + (usize(i) << 2));
    ffs_blkfree(ip, block, fs.fs_bsize);
  }
  ip.i_blocks -= u32(unwind.count) << (u32(fs.fs_bshift) - DEV_BSHIFT);
  ip.i_flag |= IN_CHANGE | IN_UPDATE;
}

/** Allocates a block for an indirect block, zero, and writes it. */
function newIndirect(ip: Inode, metalbn: i32, pref: i32, cred: usize, bnp: usize): i32 {
  const fs = ip.i_fs;
  const error = ffs_alloc(ip, pref, fs.fs_bsize, cred, bnp);
  if (error != 0) return error;
  const bp = getblk(ip.i_vnode, metalbn, u32(fs.fs_bsize), 0, 0);
  bp.b_blkno = fsbtodb(fs, load<i32>(bnp));
  clrbuf(bp);
  return bwrite(bp);
}

/** The pointer that `path` element `i` names, read from its indirect block; the buffer stays busy at bpp. */
function readPointer(ip: Inode, path: usize, i: i32, bpp: usize, pointerp: usize): i32 {
  const step = indir_at(path, i);
  const error = readBlock(ip.i_vnode, step.in_lbn, ip.i_fs.fs_bsize, bpp);
  if (error != 0) return error;
  store<i32>(pointerp, load<i32>(changetype<Buf>(load<usize>(bpp)).b_data + (usize(step.in_off) << 2)));
  return 0;
}

/** Makes the indirect blocks of the path exist. On success the lowest one is busy at ibpp and its pointer at bnp. */
function ballocPath(
  ip: Inode, lbn: i32, path: usize, levels: i32, cred: usize, flags: u32, unwind: Unwind, ibpp: usize, bnp: usize,
): i32 {
  const fs = ip.i_fs;
  const top = indir_at(path, 0);
  const pref = ffs_blkpref(ip, lbn, 0, 0);
  let error: i32 = 0;
  if (ip.i_ib(top.in_off) == 0) {
    error = newIndirect(ip, indir_at(path, 1).in_lbn, pref, cred, bnp);
    if (load<i32>(bnp) != 0) remember(unwind, load<i32>(bnp), 0);
    if (error != 0) return error;
    ip.set_i_ib(top.in_off, load<i32>(bnp));
    ip.i_flag |= IN_CHANGE | IN_UPDATE;
  }
  let i = 0;
  while (true) {
    i++;
    error = readPointer(ip, path, i, ibpp, bnp);
    if (error != 0 || i == levels - 1) return error;
    const bp = changetype<Buf>(load<usize>(ibpp));
    if (load<i32>(bnp) != 0) {
      brelse(bp);
      continue;
    }
    error = newIndirect(ip, indir_at(path, i + 1).in_lbn, pref, cred, bnp);
    if (load<i32>(bnp) != 0) remember(unwind, load<i32>(bnp), i);
    if (error != 0) {
      brelse(bp);
      return error;
    }
    store<i32>(bp.b_data + (usize(indir_at(path, i).in_off) << 2), load<i32>(bnp));
    writeMeta(bp, flags);
  }
}

/** A block behind indirect blocks: always whole. */
function ballocIndirect(ip: Inode, lbn: i32, cred: usize, flags: u32, bpp: usize): i32 {
  const fs: Fs = ip.i_fs;
  const vp = ip.i_vnode;
  const path = frame_alloc(INDIR_PATH);
  const nump = frame_alloc(4);
  const bnp = frame_alloc(4);
  const ibpp = frame_alloc(4);
  const unwind = changetype<Unwind>(frame_alloc(UNWIND_SIZE));
  let error = ufs_getlbns(vp, lbn, path, nump);
  if (error != 0) return error;
  const levels = load<i32>(nump);
  unwind.index = -1;
  unwind.count = 0;
  error = ballocPath(ip, lbn, path, levels, cred, flags, unwind, ibpp, bnp);
  if (error != 0) {
    giveBack(ip, path, levels, unwind, flags);
    return error;
  }
  const ibp = changetype<Buf>(load<usize>(ibpp));
  const block = load<i32>(bnp);
  if (block != 0) {
    brelse(ibp);
    if ((flags & B_CLRBUF) != 0) return readBlock(vp, lbn, fs.fs_bsize, bpp);
    const bp = getblk(vp, lbn, u32(fs.fs_bsize), 0, 0);
    bp.b_blkno = fsbtodb(fs, block);
    store<usize>(bpp, changetype<usize>(bp));
    return 0;
  }
  const off = indir_at(path, levels - 1).in_off;
  const pref = ffs_blkpref(ip, lbn, off, ibp.b_data);
  error = ffs_alloc(ip, pref, fs.fs_bsize, cred, bnp);
  if (error != 0) {
    brelse(ibp);
    giveBack(ip, path, levels, unwind, flags);
    return error;
  }
  const bp = getblk(vp, lbn, u32(fs.fs_bsize), 0, 0);
  bp.b_blkno = fsbtodb(fs, load<i32>(bnp));
  if ((flags & B_CLRBUF) != 0) clrbuf(bp);
  store<i32>(ibp.b_data + (usize(off) << 2), load<i32>(bnp));
  writeMeta(ibp, flags);
  store<usize>(bpp, changetype<usize>(bp));
  return 0;
}

/**
 * Allocates the space of `size` bytes at `startoffset`, inside one block. *bpp is the block's busy buffer, with its old
 * contents, or zero where new and `flags` has B_CLRBUF (without it a block about to be overwritten wholly is not
 * read). B_SYNC writes indirect blocks at once. i_size is the caller's to raise; but a fragment before the block is
 * completed and i_size then covers it. vp locked. Sleeps. ENOSPC, EFBIG, EIO.
 */
export function ffs_balloc(vp: Vnode, startoffset: i64, size: u32, cred: usize, flags: u32, bpp: usize): i32 {
  const ip = VTOI(vp);
  const fs = ip.i_fs;
  const lbn = lblkno(fs, u64(startoffset));
  const needed = blkoff(fs, u64(startoffset)) + i32(size);
  if (needed > fs.fs_bsize) panic(cs("ffs_balloc: blk too big"));
  store<usize>(bpp, 0);
  if (startoffset < 0 || lbn < 0) return EFBIG;
  const error = completeLastFragment(ip, lbn, cred, flags);
  if (error != 0) return error;
  if (lbn < NDADDR) return ballocDirect(ip, lbn, needed, cred, flags, bpp);
  return ballocIndirect(ip, lbn, cred, flags, bpp);
}
