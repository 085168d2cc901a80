// The allocator above the cylinder groups: which group, how much, and what to
// say when there is nothing left (ffs.md §7).
//
// Policy: blocks of a file go into its inode's group and one behind the other;
// every fs_maxbpg blocks a large file moves on to a group with at least the average
// of free blocks. A directory goes to the group with the fewest directories among
// those with enough inodes; files go where their directory is. fs_minfree percent
// are kept for uid 0.

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { bzero, roundup } from "../../kernel/libkern";
import { time_second } from "../../kernel/kern_time";
import { log, panic, printf, uprintf } from "../../kernel/subr_prf";
import { ENOSPC } from "../../kernel/sys/errno";
import { DEV_BSHIFT } from "../../kernel/sys/param";
import { B_DONE, Buf } from "../buf";
import { VFS_VGET } from "../mount";
import { IFDIR, IFMT, NDADDR } from "../ufs/dinode";
import { IN_CHANGE, IN_UPDATE, Inode, VTOI } from "../ufs/inode";
import { cr_uid } from "../ufs/ufs_cred";
import { bread, brelse } from "../vfs_bio";
import { allocbuf } from "../vfs_bio_mem";
import { NOCRED, Vnode } from "../vnode";
import { VOP_VFREE } from "../vnode_if";
import { ffs_alloccg, ffs_blkfree, ffs_fragextend, ffs_nodealloccg } from "./ffs_cg";
import {
  FS_OPTSPACE, FS_OPTTIME, Fs, blkstofrags, dtog, fragoff, freespace, fsbtodb, ino_to_cg, ino_to_fsba, numfrags,
} from "./fs";

// Levels of log(9).
const LOG_ERR: u32 = 3;
const LOG_NOTICE: u32 = 5;

/** `uid %d on %s: %s` on the log. */
export function ffs_fserr(fs: Fs, uid: u32, what: usize): void {
  log(LOG_ERR, cs("uid %d on %s: %s\n"), uid, fs.fs_fsmnt(), what);
}

/** Seconds between two words that there is no room: one line is enough for a program that tries again and again. */
const FULLMSG_INTERVAL: u32 = 5;

/** Tells everybody that something has run out: `what` on the log, `effect` to the user. ENOSPC. */
function noSpace(ip: Inode, cred: usize, what: usize, effect: usize): i32 {
  const fs = ip.i_fs;
  const ump = ip.i_ump;
  const now = time_second();
  if (ump.um_last_fullwhat == what && now - ump.um_last_fullmsg < FULLMSG_INTERVAL) return ENOSPC;
  ump.um_last_fullmsg = now;
  ump.um_last_fullwhat = what;
  ffs_fserr(fs, cr_uid(cred), what);
  uprintf(cs("\n%s: %s\n"), fs.fs_fsmnt(), effect);
  return ENOSPC;
}

/** There is no free block. */
function noBlocks(ip: Inode, cred: usize): i32 {
  return noSpace(ip, cred, cs("file system full"), cs("write failed, file system is full"));
}

/** There is no free inode. */
function noInodes(ip: Inode, cred: usize): i32 {
  return noSpace(ip, cred, cs("out of inodes"), cs("create/symlink failed, no inodes free"));
}

/** Memory for `size` bytes at fragment `bno` on a device where space costs memory; ENOSPC after saying so. Sleeps. */
function claimSpace(ip: Inode, bno: i32, size: i32, cred: usize): i32 {
  const ump = ip.i_ump;
  const fs = ip.i_fs;
  if (ump.um_thin == 0 || ump.um_claim(ip.i_devvp, fsbtodb(fs, bno), u32(size)) == 0) return 0;
  return noSpace(ip, cred, cs("no memory left"), cs("write failed, no memory left"));
}

/** Is the reserve reached for whoever `cred` is? */
function belowReserve(fs: Fs, cred: usize): bool {
  return cr_uid(cred) != 0 && freespace(fs, fs.fs_minfree) <= 0;
}

function checkSize(ip: Inode, size: i32, who: usize): void {
  const fs = ip.i_fs;
  if (u32(size) <= u32(fs.fs_bsize) && fragoff(fs, u64(size)) == 0) return;
  printf(cs("dev = 0x%x, bsize = %d, size = %d, fs = %s\n"), ip.i_dev, fs.fs_bsize, size, fs.fs_fsmnt());
  panic(cs("%s: bad size"), who);
}

/** Adds to the space an inode holds, in bytes. */
function chargeBlocks(ip: Inode, bytes: i32): void {
  ip.i_blocks += u32(bytes >> i32(DEV_BSHIFT));
  ip.i_flag |= IN_CHANGE | IN_UPDATE;
}

/**
 * Allocates `size` bytes (fragments or a block) for ip, near fragment `bpref` (0 = no preference). Stores the fragment
 * address at `bnp`; charges i_blocks. ENOSPC after saying so. ip locked. Sleeps.
 */
export function ffs_alloc(ip: Inode, bpref: i32, size: i32, cred: usize, bnp: usize): i32 {
  const fs = ip.i_fs;
  store<i32>(bnp, 0);
  checkSize(ip, size, cs("ffs_alloc"));
  if (size == fs.fs_bsize && fs.fs_cstotal_nbfree == 0) return noBlocks(ip, cred);
  if (belowReserve(fs, cred)) return noBlocks(ip, cred);
  const pref = bpref >= fs.fs_size ? 0 : bpref;
  const cg = pref == 0 ? ino_to_cg(fs, ip.i_number) : dtog(fs, pref);
  const bno = ffs_hashalloc(ip, cg, pref, size, ffs_alloccg.index);
  if (bno <= 0) return noBlocks(ip, cred);
  const error = claimSpace(ip, bno, size, cred);
  if (error != 0) {
    ffs_blkfree(ip, bno, size);
    return error;
  }
  chargeBlocks(ip, size);
  store<i32>(bnp, bno);
  return 0;
}

/** How much to ask for when a fragment must move: OPTTIME takes a block, so that the next growth stays in place. */
function moveRequest(fs: Fs, nsize: i32): i32 {
  const free = fs.fs_cstotal_nffree;
  if (fs.fs_optim == FS_OPTSPACE) {
    if (fs.fs_minfree < 5 || i64(free) > (i64(fs.fs_dsize) * i64(fs.fs_minfree)) / 200) return nsize;
    log(LOG_NOTICE, cs("%s: optimization changed from SPACE to TIME\n"), fs.fs_fsmnt());
    fs.fs_optim = FS_OPTTIME;
    return nsize;
  }
  if (i64(free) >= (i64(fs.fs_dsize) * i64(fs.fs_minfree - 2)) / 100) {
    log(LOG_NOTICE, cs("%s: optimization changed from TIME to SPACE\n"), fs.fs_fsmnt());
    fs.fs_optim = FS_OPTSPACE;
  }
  return fs.fs_bsize;
}

/** Gives the buffer of the grown fragment its new size; the new part is zero. */
function growBuffer(ip: Inode, bp: Buf, osize: i32, nsize: i32): void {
  chargeBlocks(ip, nsize - osize);
  allocbuf(bp, u32(nsize));
  bp.b_flags |= B_DONE;
  bzero(bp.b_data + usize(osize), u32(nsize - osize));
}

/**
 * Grows the last fragment of ip, block `lbprev`, from `osize` to `nsize` bytes: in place if it can, else elsewhere
 * near `bpref`. Stores at `bpp` the busy buffer, whose b_blkno is the (new) place. ENOSPC. ip locked. Sleeps.
 */
export function ffs_realloccg(
  ip: Inode, lbprev: i32, bpref: i32, osize: i32, nsize: i32, cred: usize, bpp: usize,
): i32 {
  const fs = ip.i_fs;
  store<usize>(bpp, 0);
  checkSize(ip, osize, cs("ffs_realloccg"));
  checkSize(ip, nsize, cs("ffs_realloccg"));
  if (belowReserve(fs, cred)) return noBlocks(ip, cred);
  const bprev = ip.i_db(lbprev);
  if (bprev == 0) panic(cs("ffs_realloccg: bad bprev"));
  const slot = frame_alloc(4);
  const error = bread(ip.i_vnode, lbprev, u32(osize), NOCRED, slot);
  const bp = changetype<Buf>(load<usize>(slot));
  if (error != 0) {
    brelse(bp);
    return error;
  }
  if (claimSpace(ip, bprev, nsize, cred) != 0) {
    brelse(bp);
    return ENOSPC;
  }
  const cg = dtog(fs, bprev);
  if (ffs_fragextend(ip, cg, bprev, osize, nsize) != 0) {
    if (bp.b_blkno != fsbtodb(fs, bprev)) panic(cs("ffs_realloccg: bad blockno"));
    growBuffer(ip, bp, osize, nsize);
    store<usize>(bpp, changetype<usize>(bp));
    return 0;
  }
  const request = moveRequest(fs, nsize);
  let asked = request;
  const pref = bpref >= fs.fs_size ? 0 : bpref;
  let bno = ffs_hashalloc(ip, cg, pref, asked, ffs_alloccg.index);
  if (bno <= 0 && asked > nsize) {
    // No whole block is left, but the exact size may be.
    asked = nsize;
    bno = ffs_hashalloc(ip, cg, pref, asked, ffs_alloccg.index);
  }
  if (bno <= 0) {
    brelse(bp);
    return noBlocks(ip, cred);
  }
  if (claimSpace(ip, bno, nsize, cred) != 0) {
    ffs_blkfree(ip, bno, asked);
    brelse(bp);
    return ENOSPC;
  }
  bp.b_blkno = fsbtodb(fs, bno);
  ffs_blkfree(ip, bprev, osize);
  if (nsize < asked) ffs_blkfree(ip, bno + numfrags(fs, nsize), asked - nsize);
  growBuffer(ip, bp, osize, nsize);
  store<usize>(bpp, changetype<usize>(bp));
  return 0;
}

/**
 * Tries `allocator` (code address of a function of ffs_cg.ts) in group `cg` with preference `pref`, then without one in
 * groups at distance 1, 3, 7 … and at last in every group. Returns what it returns, 0 when all fail. Sleeps.
 */
export function ffs_hashalloc(ip: Inode, cg: i32, pref: i32, size: i32, allocator: u32): i32 {
  const ncg = ip.i_fs.fs_ncg;
  let result = call_indirect<i32>(allocator, ip, cg, pref, size);
  if (result != 0) return result;
  let group = cg;
  for (let i = 1; i < ncg; i *= 2) {
    group += i;
    if (group >= ncg) group -= ncg;
    result = call_indirect<i32>(allocator, ip, group, <i32>0, size);
    if (result != 0) return result;
  }
  // cg itself and cg + 1 have been tried above.
  group = (cg + 2) % ncg;
  for (let i = 2; i < ncg; i++) {
    result = call_indirect<i32>(allocator, ip, group, <i32>0, size);
    if (result != 0) return result;
    group++;
    if (group == ncg) group = 0;
  }
  return 0;
}

/** First group from `start`, around, with at least the average of free blocks; -1 = none. */
function averageGroup(fs: Fs, start: i32): i32 {
  const average = fs.fs_cstotal_nbfree / fs.fs_ncg;
  for (let i = 0; i < fs.fs_ncg; i++) {
    const cg = (start + i) % fs.fs_ncg;
    if (fs.fs_cs(cg).cs_nbfree >= average) {
      fs.fs_cgrotor = cg;
      return cg;
    }
  }
  return -1;
}

/**
 * Where block `lbn` of ip should go (fragment address, 0 = anywhere): `indx` is its index in the array of pointers at
 * `bap` (0 = no array) that will name it.
 */
export function ffs_blkpref(ip: Inode, lbn: i32, indx: i32, bap: usize): i32 {
  const fs = ip.i_fs;
  const prev = indx > 0 && bap != 0 ? load<i32>(bap + (usize(indx - 1) << 2)) : 0;
  if (indx % fs.fs_maxbpg == 0 || prev == 0) {
    if (lbn < NDADDR + fs.fs_nindir) return fs.fs_fpg * ino_to_cg(fs, ip.i_number) + fs.fs_frag;
    const start = prev == 0 ? ino_to_cg(fs, ip.i_number) + lbn / fs.fs_maxbpg : dtog(fs, prev) + 1;
    const cg = averageGroup(fs, start % fs.fs_ncg);
    return cg < 0 ? 0 : fs.fs_fpg * cg + fs.fs_frag;
  }
  const next = prev + fs.fs_frag;
  if (fs.fs_rotdelay == 0 || indx < fs.fs_maxcontig) return next;
  const before = load<i32>(bap + (usize(indx - fs.fs_maxcontig) << 2));
  if (before + blkstofrags(fs, fs.fs_maxcontig) != next) return next;
  // A gap for the time the processor needs between two transfers.
  const sectors = (fs.fs_rotdelay * fs.fs_rps * fs.fs_nsect) / 1000;
  return next + i32(roundup(u32(sectors / fs.fs_nspf), u32(fs.fs_frag)));
}

/** The first inode of the group for a new directory. */
function dirpref(fs: Fs): u32 {
  const average = fs.fs_cstotal_nifree / fs.fs_ncg;
  let best: i32 = 0;
  let fewest = fs.fs_ipg;
  for (let cg = 0; cg < fs.fs_ncg; cg++) {
    const cs = fs.fs_cs(cg);
    if (cs.cs_ndir < fewest && cs.cs_nifree >= average) {
      best = cg;
      fewest = cs.cs_ndir;
    }
  }
  return u32(fs.fs_ipg * best);
}

/** VOP_VALLOC: an inode for a new file with mode word `mode` in directory pvp; *vpp its locked vnode. Sleeps. */
export function ffs_valloc(pvp: Vnode, mode: u32, cred: usize, vpp: usize): i32 {
  const pip = VTOI(pvp);
  const fs = pip.i_fs;
  store<usize>(vpp, 0);
  if (fs.fs_cstotal_nifree == 0) return noInodes(pip, cred);
  let ipref = (mode & IFMT) == IFDIR ? dirpref(fs) : pip.i_number;
  if (ipref >= u32(fs.fs_ncg) * u32(fs.fs_ipg)) ipref = 0;
  const cg = ino_to_cg(fs, ipref);
  const ino = ffs_hashalloc(pip, cg, i32(ipref), i32(mode), ffs_nodealloccg.index);
  if (ino == 0) return noInodes(pip, cred);
  let error = claimSpace(pip, ino_to_fsba(fs, u32(ino)), fs.fs_bsize, cred);
  if (error == 0) error = VFS_VGET(pvp.v_mount, u32(ino), vpp);
  if (error != 0) {
    VOP_VFREE(pvp, u32(ino), mode);
    return error;
  }
  const ip = VTOI(changetype<Vnode>(load<usize>(vpp)));
  if (ip.i_mode != 0) {
    printf(cs("mode = 0%o, inum = %d, fs = %s\n"), ip.i_mode, ip.i_number, fs.fs_fsmnt());
    panic(cs("ffs_valloc: dup alloc"));
  }
  if (ip.i_blocks != 0) {
    printf(cs("free inode %s/%d had %d blocks\n"), fs.fs_fsmnt(), ino, ip.i_blocks);
    ip.i_blocks = 0;
  }
  ip.i_flags = 0;
  ip.i_gen++;
  return 0;
}
