// The allocator inside one cylinder group: taking and giving back fragments,
// blocks and inodes (ffs.md §7).
//
// Each function reads the group's block, changes maps and counts in its buffer
// and leaves the buffer to a delayed write. The counts stand in three places that
// always agree: cg_cs in the buffer, the in-core summary array (fs_cs), and
// fs_cstotal; fs_fmod says that the latter two differ from the disk. A group
// whose block cannot be read or is not one counts as full.

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { time_second } from "../../kernel/kern_time";
import { howmany, skpc } from "../../kernel/libkern";
import { panic, printf } from "../../kernel/subr_prf";
import { Buf } from "../buf";
import { IFDIR, IFMT } from "../ufs/dinode";
import { Inode, VTOI } from "../ufs/inode";
import { bdwrite, bread, brelse } from "../vfs_bio";
import { NOCRED, Vnode } from "../vnode";
import {
  Cg, Fs, blknum, cbtocylno, cbtorpos, cgtod, clrbit, dtog, dtogd, fragnum, fragoff, fragstoblks, fsbtodb, ino_to_cg,
  isclr, isset, numfrags, setbit,
} from "./fs";
import { ffs_fserr } from "./ffs_alloc";
import { blkmap, ffs_clrblock, ffs_findrun, ffs_fragacct, ffs_isblock, ffs_setblock } from "./ffs_subr";

/** Reads the block of group `cg`; 0 when it cannot be read or is not one. */
function readGroup(ip: Inode, cg: i32): Buf {
  const fs = ip.i_fs;
  const bpp = frame_alloc(4);
  const error = bread(ip.i_devvp, fsbtodb(fs, cgtod(fs, cg)), u32(fs.fs_cgsize), NOCRED, bpp);
  const bp = changetype<Buf>(load<usize>(bpp));
  if (error == 0 && changetype<Cg>(bp.b_data).cg_chkmagic()) return bp;
  brelse(bp);
  return changetype<Buf>(0);
}

/** Adds to the free fragments of a group, everywhere. */
function countFragments(fs: Fs, cgp: Cg, count: i32): void {
  cgp.cg_cs_nffree += count;
  fs.fs_cstotal_nffree += count;
  fs.fs_cs(cgp.cg_cgx).cs_nffree += count;
  fs.fs_fmod = 1;
}

/** Adds +-1 to the free blocks of a group, everywhere; `bno` is the block's first fragment in the group. */
function countBlock(fs: Fs, cgp: Cg, bno: i32, count: i32): void {
  ffs_clusteracct(fs, cgp, fragstoblks(fs, bno), count);
  cgp.cg_cs_nbfree += count;
  fs.fs_cstotal_nbfree += count;
  fs.fs_cs(cgp.cg_cgx).cs_nbfree += count;
  const cylinder = cbtocylno(fs, bno);
  const position = cgp.cg_blks(fs, cylinder, cbtorpos(fs, bno));
  store<i16>(position, i16(i32(load<i16>(position)) + count));
  const total = cgp.cg_blktot(cylinder);
  store<i32>(total, load<i32>(total) + count);
  fs.fs_fmod = 1;
}

/** Length of the run of free blocks from `block` in direction `step`, at most fs_contigsumsize. */
function clusterRun(fs: Fs, cgp: Cg, block: i32, step: i32): i32 {
  const map = cgp.cg_clustersfree();
  let run = 0;
  while (run < fs.fs_contigsumsize && block >= 0 && block < cgp.cg_nclusterblks && isset(map, block)) {
    run++;
    block += step;
  }
  return run;
}

function addClusters(cgp: Cg, length: i32, count: i32): void {
  const sum = cgp.cg_clustersum(length);
  store<i32>(sum, load<i32>(sum) + count);
}

/** Marks block `blkno` of the group free (count 1) or used (-1) in the cluster map and summary. */
export function ffs_clusteracct(fs: Fs, cgp: Cg, blkno: i32, count: i32): void {
  if (fs.fs_contigsumsize <= 0) return;
  if (count > 0) setbit(cgp.cg_clustersfree(), blkno);
  else clrbit(cgp.cg_clustersfree(), blkno);
  const forw = clusterRun(fs, cgp, blkno + 1, 1);
  const back = clusterRun(fs, cgp, blkno - 1, -1);
  const whole = back + forw + 1;
  addClusters(cgp, whole > fs.fs_contigsumsize ? fs.fs_contigsumsize : whole, count);
  if (back > 0) addClusters(cgp, back, -count);
  if (forw > 0) addClusters(cgp, forw, -count);
  let longest = fs.fs_contigsumsize;
  while (longest > 0 && load<i32>(cgp.cg_clustersum(longest)) <= 0) longest--;
  fs.set_fs_maxcluster_of(cgp.cg_cgx, longest);
}

/** Offset of a fitting run in the blocks of one byte of the fragment map, or -1. */
function searchByte(fs: Fs, map: usize, byte: i32, allocsiz: i32): i32 {
  if (load<u8>(map + usize(byte)) == 0) return -1;
  const end = (byte + 1) << 3;
  for (let bno = byte << 3; bno < end; bno += fs.fs_frag) {
    const bits = blkmap(fs, map, fragstoblks(fs, bno));
    if (allocsiz == fs.fs_frag) {
      if (bits == (1 << fs.fs_frag) - 1) return bno;
      continue;
    }
    const at = ffs_findrun(fs, bits, allocsiz);
    if (at >= 0) return bno + at;
  }
  return -1;
}

/**
 * A run of exactly `allocsiz` free fragments inside a block (a whole block for fs_frag), searched from
 * the group's fragment `start`, once around; sets cg_frotor. Panics when the counts promised one and there is none.
 */
export function ffs_mapsearch(fs: Fs, cgp: Cg, start: i32, allocsiz: i32): i32 {
  const map = cgp.cg_blksfree();
  const bytes = i32(howmany(u32(fs.fs_fpg), 8));
  let byte = (start != 0 ? start : cgp.cg_frotor) >> 3;
  if (byte < 0 || byte >= bytes) byte = 0;
  for (let i = 0; i <= bytes; i++) {
    const bno = searchByte(fs, map, byte, allocsiz);
    if (bno >= 0) {
      cgp.cg_frotor = byte << 3;
      return bno;
    }
    byte = byte + 1 == bytes ? 0 : byte + 1;
  }
  printf(cs("start = %d, len = %d, fs = %s\n"), start, bytes, fs.fs_fsmnt());
  panic(cs("ffs_alloccg: map corrupted"));
  return -1;
}

/** Takes a whole block: `bpref` (a fragment address) if it is free, else the next one. Returns its address. */
function ffs_alloccgblk(fs: Fs, cgp: Cg, bpref: i32): i32 {
  let bno: i32 = -1;
  if (bpref != 0 && dtog(fs, bpref) == cgp.cg_cgx) {
    const wanted = dtogd(fs, blknum(fs, bpref));
    bno = ffs_isblock(fs, cgp.cg_blksfree(), fragstoblks(fs, wanted))
      ? wanted : ffs_mapsearch(fs, cgp, wanted, fs.fs_frag);
  } else {
    bno = ffs_mapsearch(fs, cgp, cgp.cg_rotor, fs.fs_frag);
    cgp.cg_rotor = bno;
  }
  ffs_clrblock(fs, cgp.cg_blksfree(), fragstoblks(fs, bno));
  countBlock(fs, cgp, bno, -1);
  return cgp.cg_cgx * fs.fs_fpg + bno;
}

/** Takes `frags` fragments out of a fresh block and frees its rest. */
function splitBlock(fs: Fs, cgp: Cg, bpref: i32, frags: i32): i32 {
  const block = ffs_alloccgblk(fs, cgp, bpref);
  const bno = dtogd(fs, block);
  for (let i = frags; i < fs.fs_frag; i++) setbit(cgp.cg_blksfree(), bno + i);
  countFragments(fs, cgp, fs.fs_frag - frags);
  cgp.add_frsum(fs.fs_frag - frags, 1);
  return block;
}

/** Takes `frags` fragments out of a free run of `allocsiz`. */
function splitRun(fs: Fs, cgp: Cg, bpref: i32, frags: i32, allocsiz: i32): i32 {
  const start = bpref != 0 && dtog(fs, bpref) == cgp.cg_cgx ? dtogd(fs, bpref) : 0;
  const bno = ffs_mapsearch(fs, cgp, start, allocsiz);
  for (let i = 0; i < frags; i++) clrbit(cgp.cg_blksfree(), bno + i);
  countFragments(fs, cgp, -frags);
  cgp.add_frsum(allocsiz, -1);
  if (frags != allocsiz) cgp.add_frsum(allocsiz - frags, 1);
  return cgp.cg_cgx * fs.fs_fpg + bno;
}

/**
 * Allocates `size` bytes (a multiple of the fragment size, at most a block) in group `cg`, near `bpref` (0 = anywhere).
 * Returns the fragment address, 0 when the group has no room. Sleeps.
 */
export function ffs_alloccg(ip: Inode, cg: i32, bpref: i32, size: i32): i32 {
  const fs = ip.i_fs;
  if (fs.fs_cs(cg).cs_nbfree == 0 && size == fs.fs_bsize) return 0;
  const bp = readGroup(ip, cg);
  if (changetype<usize>(bp) == 0) return 0;
  const cgp = changetype<Cg>(bp.b_data);
  const frags = numfrags(fs, size);
  let allocsiz = frags;
  while (allocsiz < fs.fs_frag && cgp.frsum(allocsiz) == 0) allocsiz++;
  if (allocsiz == fs.fs_frag && cgp.cg_cs_nbfree == 0) {
    brelse(bp);
    return 0;
  }
  cgp.cg_time = time_second();
  let block: i32 = 0;
  if (frags == fs.fs_frag) block = ffs_alloccgblk(fs, cgp, bpref);
  else if (allocsiz == fs.fs_frag) block = splitBlock(fs, cgp, bpref, frags);
  else block = splitRun(fs, cgp, bpref, frags, allocsiz);
  bdwrite(bp);
  return block;
}

/**
 * Extends the fragments at `bprev` from `osize` to `nsize` bytes in place. Returns bprev, or 0 when what follows
 * is not free or lies in the next block. Sleeps.
 */
export function ffs_fragextend(ip: Inode, cg: i32, bprev: i32, osize: i32, nsize: i32): i32 {
  const fs = ip.i_fs;
  const old = numfrags(fs, osize);
  const frags = numfrags(fs, nsize);
  if (fs.fs_cs(cg).cs_nffree < frags - old) return 0;
  const inblock = fragnum(fs, bprev);
  if (inblock + frags > fs.fs_frag) return 0;
  const bp = readGroup(ip, cg);
  if (changetype<usize>(bp) == 0) return 0;
  const cgp = changetype<Cg>(bp.b_data);
  const map = cgp.cg_blksfree();
  const bno = dtogd(fs, bprev);
  for (let i = old; i < frags; i++) {
    if (isclr(map, bno + i)) {
      brelse(bp);
      return 0;
    }
  }
  cgp.cg_time = time_second();
  let end = frags;
  while (end < fs.fs_frag - inblock && isset(map, bno + end)) end++;
  cgp.add_frsum(end - old, -1);
  if (end != frags) cgp.add_frsum(end - frags, 1);
  for (let i = old; i < frags; i++) clrbit(map, bno + i);
  countFragments(fs, cgp, old - frags);
  bdwrite(bp);
  return bprev;
}

/** First clear bit of the inode map from the byte of `from`, once around. */
function findFreeInode(fs: Fs, cgp: Cg, from: i32): i32 {
  const map = cgp.cg_inosused();
  const bytes = howmany(u32(fs.fs_ipg), 8);
  let start = u32(from) >> 3;
  let left = skpc(0xff, bytes - start, map + usize(start));
  if (left == 0) {
    left = skpc(0xff, start + 1, map);
    if (left == 0) {
      printf(cs("cg = %d, irotor = %d, fs = %s\n"), cgp.cg_cgx, from, fs.fs_fsmnt());
      panic(cs("ffs_nodealloccg: map corrupted"));
    }
    left = start + 1 - left;
    start = 0;
  } else {
    left = bytes - start - left;
  }
  let ino = i32((start + left) << 3);
  while (isset(map, ino)) ino++;
  if (ino >= fs.fs_ipg) panic(cs("ffs_nodealloccg: block not in map"));
  return ino;
}

/**
 * Allocates an inode in group `cg`: number `ipref` if it is free, else the next. Returns the inode number, 0 when
 * the group has none. Sleeps.
 */
export function ffs_nodealloccg(ip: Inode, cg: i32, ipref: i32, mode: i32): i32 {
  const fs = ip.i_fs;
  if (fs.fs_cs(cg).cs_nifree == 0) return 0;
  const bp = readGroup(ip, cg);
  if (changetype<usize>(bp) == 0) return 0;
  const cgp = changetype<Cg>(bp.b_data);
  if (cgp.cg_cs_nifree == 0) {
    brelse(bp);
    return 0;
  }
  cgp.cg_time = time_second();
  let ino = ipref % fs.fs_ipg;
  if (ipref == 0 || isset(cgp.cg_inosused(), ino)) {
    ino = findFreeInode(fs, cgp, cgp.cg_irotor);
    cgp.cg_irotor = ino;
  }
  setbit(cgp.cg_inosused(), ino);
  countInode(fs, cgp, -1, u32(mode));
  bdwrite(bp);
  return cg * fs.fs_ipg + ino;
}

/** Adds +-1 to the free inodes of a group, and the opposite to its directories. */
function countInode(fs: Fs, cgp: Cg, count: i32, mode: u32): void {
  const cs = fs.fs_cs(cgp.cg_cgx);
  cgp.cg_cs_nifree += count;
  fs.fs_cstotal_nifree += count;
  cs.cs_nifree += count;
  fs.fs_fmod = 1;
  if ((mode & IFMT) != IFDIR) return;
  cgp.cg_cs_ndir -= count;
  fs.fs_cstotal_ndir -= count;
  cs.cs_ndir -= count;
}

/** Frees some fragments of a block; joins them to a whole block if the rest is free. */
function freeFragments(ip: Inode, cgp: Cg, bno: i32, frags: i32): void {
  const fs = ip.i_fs;
  const map = cgp.cg_blksfree();
  const first = bno - fragnum(fs, bno);
  const block = fragstoblks(fs, first);
  ffs_fragacct(fs, blkmap(fs, map, block), cgp, -1);
  for (let i = 0; i < frags; i++) {
    if (isset(map, bno + i)) {
      printf(cs("dev = 0x%x, block = %d, fs = %s\n"), ip.i_dev, bno + i, fs.fs_fsmnt());
      panic(cs("blkfree: freeing free frag"));
    }
    setbit(map, bno + i);
  }
  countFragments(fs, cgp, frags);
  ffs_fragacct(fs, blkmap(fs, map, block), cgp, 1);
  if (!ffs_isblock(fs, map, block)) return;
  countFragments(fs, cgp, -fs.fs_frag);
  countBlock(fs, cgp, first, 1);
}

/** Gives back `size` bytes at fragment `bno`: a block, or fragments of one. Panics when they are free. Sleeps. */
export function ffs_blkfree(ip: Inode, bno: i32, size: i32): void {
  const fs = ip.i_fs;
  if (u32(size) > u32(fs.fs_bsize) || fragoff(fs, u64(size)) != 0
    || fragnum(fs, bno) + numfrags(fs, size) > fs.fs_frag) {
    printf(cs("dev = 0x%x, bno = %d, bsize = %d, size = %d, fs = %s\n"), ip.i_dev, bno, fs.fs_bsize, size,
      fs.fs_fsmnt());
    panic(cs("blkfree: bad size"));
  }
  if (u32(bno) >= u32(fs.fs_size)) {
    printf(cs("bad block %d, ino %d\n"), bno, ip.i_number);
    ffs_fserr(fs, ip.i_uid, cs("bad block"));
    return;
  }
  const bp = readGroup(ip, dtog(fs, bno));
  if (changetype<usize>(bp) == 0) return;
  const cgp = changetype<Cg>(bp.b_data);
  cgp.cg_time = time_second();
  const ingroup = dtogd(fs, bno);
  if (size == fs.fs_bsize) {
    const block = fragstoblks(fs, ingroup);
    if (blkmap(fs, cgp.cg_blksfree(), block) != 0) {
      printf(cs("dev = 0x%x, block = %d, fs = %s\n"), ip.i_dev, bno, fs.fs_fsmnt());
      panic(cs("blkfree: freeing free block"));
    }
    ffs_setblock(fs, cgp.cg_blksfree(), block);
    countBlock(fs, cgp, ingroup, 1);
  } else {
    freeFragments(ip, cgp, ingroup, numfrags(fs, size));
  }
  const first = ingroup - fragnum(fs, ingroup);
  const unowned = ffs_isblock(fs, cgp.cg_blksfree(), fragstoblks(fs, first));
  bdwrite(bp);
  const ump = ip.i_ump;
  if (ump.um_thin != 0 && unowned) {
    ump.um_release(ip.i_devvp, fsbtodb(fs, bno - fragnum(fs, bno)), u32(fs.fs_bsize));
  }
}

/** VOP_VFREE: gives back inode `ino` of the file system of pvp; `mode` tells whether it was a directory. Sleeps. */
export function ffs_vfree(pvp: Vnode, ino: u32, mode: u32): i32 {
  const pip = VTOI(pvp);
  const fs = pip.i_fs;
  if (ino >= u32(fs.fs_ipg) * u32(fs.fs_ncg)) {
    panic(cs("ifree: range: dev = 0x%x, ino = %d, fs = %s"), pip.i_dev, ino, fs.fs_fsmnt());
  }
  const bp = readGroup(pip, ino_to_cg(fs, ino));
  if (changetype<usize>(bp) == 0) return 0;
  const cgp = changetype<Cg>(bp.b_data);
  cgp.cg_time = time_second();
  const ingroup = i32(ino % u32(fs.fs_ipg));
  if (isclr(cgp.cg_inosused(), ingroup)) {
    printf(cs("dev = 0x%x, ino = %d, fs = %s\n"), pip.i_dev, ino, fs.fs_fsmnt());
    if (fs.fs_ronly == 0) panic(cs("ifree: freeing free inode"));
  }
  clrbit(cgp.cg_inosused(), ingroup);
  if (ingroup < cgp.cg_irotor) cgp.cg_irotor = ingroup;
  countInode(fs, cgp, 1, mode);
  bdwrite(bp);
  return 0;
}
