// From logical blocks of a file to blocks of the device.
//
// Indirect blocks are cached under their file's vnode with negative logical
// block numbers: the single indirect block that leads to data blocks n, n+1 …
// is -n; the double indirect block above it is one less than the number of its
// first child's, the triple one less again. So one number identifies any block.

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { panic } from "../../kernel/subr_prf";
import { EFBIG } from "../../kernel/sys/errno";
import { MAXBSIZE } from "../../kernel/sys/param";
import { B_DELWRI, B_DONE, B_READ, Buf } from "../buf";
import { biowait, brelse, getblk, incore } from "../vfs_bio";
import { Vnode } from "../vnode";
import { VOP_STRATEGY } from "../vnode_if";
import { NDADDR, NIADDR } from "./dinode";
import { INDIR_SIZE, Indir, Inode, VTOI } from "./inode";
import { Ufsmount } from "./ufsmount";

/** Room for the path to any block: one element more than levels. */
export const INDIR_PATH: u32 = 40;

/** Element `i` of a path. */
export function indir_at(path: usize, i: i32): Indir {
  return changetype<Indir>(path + usize(i) * INDIR_SIZE);
}

/** VOP_BMAP. *vpp is the device's vnode; *bnp sectors, -1 for a hole; *runp blocks that follow in place. Sleeps. */
export function ufs_bmap(vp: Vnode, bn: i32, vpp: usize, bnp: usize, runp: usize): i32 {
  if (vpp != 0) store<usize>(vpp, changetype<usize>(VTOI(vp).i_devvp));
  if (bnp == 0) return 0;
  return ufs_bmaparray(vp, bn, bnp, runp);
}

/** Do `block` and `next` (fragment addresses) lie one after the other? */
function is_sequential(ump: Ufsmount, block: i32, next: i32): bool {
  return next == block + i32(ump.um_seqinc);
}

/** Counts into *runp the direct blocks that continue `bn` in place. */
function countDirect(ip: Inode, bn: i32, runp: usize, maxrun: i32): void {
  if (ip.i_db(bn) == 0) return;
  let run = 0;
  for (let next = bn + 1; next < NDADDR && run < maxrun; next++) {
    if (!is_sequential(ip.i_ump, ip.i_db(next - 1), ip.i_db(next))) break;
    run++;
  }
  store<i32>(runp, run);
}

/** The same among the `count` pointers of an indirect block. */
function countIndirect(ump: Ufsmount, pointers: usize, off: i32, runp: usize, maxrun: i32): void {
  let run = 0;
  for (let next = off + 1; next < i32(ump.um_nindir) && run < maxrun; next++) {
    const at = pointers + (usize(next) << 2);
    if (!is_sequential(ump, load<i32>(at - 4), load<i32>(at))) break;
    run++;
  }
  store<i32>(runp, run);
}

/** Reads indirect block `metalbn`, at fragment `daddr` unless cached. *bpp the buffer; on error it is released. */
function readIndirect(vp: Vnode, metalbn: i32, daddr: i32, bpp: usize): i32 {
  const ump = VTOI(vp).i_ump;
  const bp = getblk(vp, metalbn, vp.v_mount.mnt_stat.f_iosize, 0, 0);
  if ((bp.b_flags & (B_DONE | B_DELWRI)) == 0) {
    if (daddr == 0) panic(cs("ufs_bmaparray: indirect block not in cache"));
    bp.b_blkno = daddr << ump.um_bptrtodb;
    bp.b_flags |= B_READ;
    VOP_STRATEGY(bp);
    const error = biowait(bp);
    if (error != 0) {
      brelse(bp);
      return error;
    }
  }
  store<usize>(bpp, changetype<usize>(bp));
  return 0;
}

/** Walks the indirect blocks. vp's inode must not change meanwhile (vp locked, or a block that exists). Sleeps. */
export function ufs_bmaparray(vp: Vnode, bn: i32, bnp: usize, runp: usize): i32 {
  const ip = VTOI(vp);
  const ump = ip.i_ump;
  const maxrun = i32(MAXBSIZE / vp.v_mount.mnt_stat.f_iosize) - 1;
  if (runp != 0) store<i32>(runp, 0);
  if (bn >= 0 && bn < NDADDR) {
    const direct = ip.i_db(bn);
    store<i32>(bnp, direct == 0 ? -1 : direct << ump.um_bptrtodb);
    if (runp != 0) countDirect(ip, bn, runp, maxrun);
    return 0;
  }
  const path = frame_alloc(INDIR_PATH);
  const nump = frame_alloc(4);
  const bpp = frame_alloc(4);
  let error = ufs_getlbns(vp, bn, path, nump);
  if (error != 0) return error;
  const levels = load<i32>(nump);
  let daddr = ip.i_ib(indir_at(path, 0).in_off);
  for (let i = 1; i < levels; i++) {
    const step = indir_at(path, i);
    if (step.in_lbn == bn) break;
    if (daddr == 0 && changetype<usize>(incore(vp, step.in_lbn)) == 0) break;
    error = readIndirect(vp, step.in_lbn, daddr, bpp);
    if (error != 0) return error;
    const bp = changetype<Buf>(load<usize>(bpp));
    daddr = load<i32>(bp.b_data + (usize(step.in_off) << 2));
    if (i == levels - 1 && daddr != 0 && runp != 0) countIndirect(ump, bp.b_data, step.in_off, runp, maxrun);
    brelse(bp);
  }
  store<i32>(bnp, daddr == 0 ? -1 : daddr << ump.um_bptrtodb);
  return 0;
}

/**
 * The path to block `bn`: element 0 holds the index of the inode's indirect pointer (in_off) and the
 * logical number of the topmost indirect block; element i (i > 0) the indirect block to read and the
 * index in it. *nump is the number of elements; 0 for a direct block. EFBIG beyond the third level.
 */
export function ufs_getlbns(vp: Vnode, bn: i32, path: usize, nump: usize): i32 {
  const lognindir = VTOI(vp).i_ump.um_lognindir;
  store<i32>(nump, 0);
  const wanted = bn;
  let rest = bn < 0 ? -bn : bn;
  if (rest < NDADDR) return 0;
  // `level` indirections lead to the block; 1 << shift blocks hang below one pointer of the inode.
  let level = 1;
  let shift: u32 = lognindir;
  rest -= NDADDR;
  while (shift < 31 && rest >= 1 << shift) {
    if (level == NIADDR) return EFBIG;
    rest -= 1 << shift;
    shift += lognindir;
    level++;
  }
  let metalbn = wanted >= 0 ? -(wanted - rest + level - 1) : -(-wanted - rest + level - 1);
  let first = indir_at(path, 0);
  first.in_lbn = metalbn;
  first.in_off = level - 1;
  let count = 1;
  for (let i = level; i > 0; i--) {
    if (metalbn == wanted) break;
    shift -= lognindir;
    const off = (rest >> shift) & ((1 << lognindir) - 1);
    const step = indir_at(path, count);
    step.in_lbn = metalbn;
    step.in_off = off;
    count++;
    metalbn += 1 - (off << shift);
  }
  store<i32>(nump, count);
  return 0;
}
