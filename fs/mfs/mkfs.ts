// newfs: builds a file system in memory (ffs.md §6).
//
// The image is made in place: the super block, the cylinder group blocks, the
// inodes and the summary are structs at their final addresses, so nothing is
// copied and a page that stays zero is never touched. The memory must be zero
// on entry; in a process it is a zero-fill object whose pages appear by page
// faults as they are written.
//
// Geometry is that of the `swap` label: 64 sectors a track, 16 tracks, thus 1024
// sectors a cylinder, 16 cylinders a group, one rotational position.

import { bzero, howmany, memcpy, roundup } from "../../kernel/libkern";
import { printf } from "../../kernel/subr_prf";
import { EINVAL } from "../../kernel/sys/errno";
import { DEV_BSIZE, MAXBSIZE, MAXPHYS } from "../../kernel/sys/param";
import { ffs_clusterruns, ffs_setblock } from "../ffs/ffs_subr";
import {
  BBSIZE, CG_MAGIC, CG_SPACE, CGSIZE, CSUM_SIZE, Cg, Csum, FS_44INODEFMT, FS_DYNAMICPOSTBLFMT, FS_ISCLEAN, FS_MAGIC,
  FS_MAXCONTIG, FS_OPTTIME, FS_STRUCT_SIZE, Fs, INOPF, MAXFRAG, MINBSIZE, SBOFF, SBSIZE, cbtocylno, cbtorpos, cgbase,
  cgdmin, cgimin, cgsblock, cgtod, clrbit, fragroundup, isset, setbit,
} from "../ffs/fs";
import { DINODE_SIZE, Dinode, IFDIR, MAXSYMLINKLEN, NDADDR, NIADDR, ROOTINO } from "../ufs/dinode";
import { DIRBLKSIZ, DIRSIZ, DT_DIR, Direct } from "../ufs/dir";

// The fake label.
const NSECTORS: i32 = 64;
const NTRACKS: i32 = 16;
const SECPERCYL: i32 = 1024;
const CYLINDERS_PER_GROUP: i32 = 16;
/** 3600 revolutions a minute. */
const RPS: i32 = 60;

/** Smallest file system: 64 KB. */
export const MKFS_MIN_SECTORS: u32 = 128;

/** What mkfs is to build. */
@unmanaged
export class Mkfsargs {
  /** Where the image begins; `sectors` * 512 zero bytes. */
  base: usize;
  /** Size in sectors of 512 bytes. */
  sectors: u32;
  bsize: u32;
  fsize: u32;
  /** Percentage kept for uid 0. */
  minfree: u32;
  /** Bytes of space per inode; 0 = 4 * fsize. */
  density: u32;
  /** Permission bits of the root directory, its owner, and the time of everything. */
  mode: u32;
  uid: u32;
  gid: u32;
  time: u32;
}

function isPowerOf2(x: u32): bool {
  return x != 0 && (x & (x - 1)) == 0;
}

function log2(x: u32): i32 {
  return 31 - i32(clz<u32>(x));
}

/** Prints the reason and gives EINVAL. */
function refuse(reason: usize, value: u32): i32 {
  printf(cs("newfs: %s (given %u)\n"), reason, value);
  return EINVAL;
}

function checkParameters(args: Mkfsargs): i32 {
  if (!isPowerOf2(args.bsize) || args.bsize < MINBSIZE || args.bsize > MAXBSIZE) {
    return refuse(cs("block size must be a power of 2 from 4096 to 65536"), args.bsize);
  }
  if (!isPowerOf2(args.fsize) || args.fsize < DEV_BSIZE || args.fsize > args.bsize) {
    return refuse(cs("fragment size must be a power of 2 from 512 to the block size"), args.fsize);
  }
  if (args.bsize / args.fsize > MAXFRAG) {
    return refuse(cs("fragment size must be at least an eighth of the block size"), args.fsize);
  }
  if (args.minfree > 99) return refuse(cs("minimum free space must be 0 to 99 percent"), args.minfree);
  if (args.sectors < MKFS_MIN_SECTORS) {
    return refuse(cs("size must be at least 128 sectors (64 KB)"), args.sectors);
  }
  if (args.sectors > 0x7fffff) return refuse(cs("size must be below 4 GB"), args.sectors);
  return 0;
}

/** Sizes, masks and shifts. */
function setSizes(fs: Fs, args: Mkfsargs): void {
  fs.fs_bsize = i32(args.bsize);
  fs.fs_fsize = i32(args.fsize);
  fs.fs_frag = i32(args.bsize / args.fsize);
  fs.fs_bmask = ~(fs.fs_bsize - 1);
  fs.fs_fmask = ~(fs.fs_fsize - 1);
  fs.fs_qbmask = i64(fs.fs_bsize - 1);
  fs.fs_qfmask = i64(fs.fs_fsize - 1);
  fs.fs_bshift = log2(args.bsize);
  fs.fs_fshift = log2(args.fsize);
  fs.fs_fragshift = log2(u32(fs.fs_frag));
  fs.fs_nspf = i32(args.fsize / DEV_BSIZE);
  fs.fs_fsbtodb = log2(u32(fs.fs_nspf));
  fs.fs_nindir = i32(args.bsize / 4);
  fs.fs_inopb = i32(args.bsize / DINODE_SIZE);
  fs.fs_ntrak = NTRACKS;
  fs.fs_nsect = NSECTORS;
  fs.fs_npsect = NSECTORS;
  fs.fs_spc = SECPERCYL;
  fs.fs_rps = RPS;
  fs.fs_interleave = 1;
  fs.fs_nrpos = 1;
  fs.fs_inodefmt = FS_44INODEFMT;
  fs.fs_maxsymlinklen = MAXSYMLINKLEN;
  fs.fs_postblformat = FS_DYNAMICPOSTBLFMT;
  fs.fs_minfree = i32(args.minfree);
  fs.fs_optim = FS_OPTTIME;
  fs.fs_maxbpg = fs.fs_bsize / 4;
  const transfer = MAXPHYS < MAXBSIZE ? MAXPHYS : MAXBSIZE;
  fs.fs_maxcontig = i32(transfer / args.bsize) > 1 ? i32(transfer / args.bsize) : 1;
  fs.fs_contigsumsize = fs.fs_maxcontig > 1 ? fs.fs_maxcontig : 0;
  if (fs.fs_contigsumsize > i32(FS_MAXCONTIG)) fs.fs_contigsumsize = i32(FS_MAXCONTIG);
  let size: u64 = u64(args.bsize) * u64(NDADDR) - 1;
  let reach: u64 = u64(args.bsize);
  for (let level = 0; level < NIADDR; level++) {
    reach *= u64(fs.fs_nindir);
    size += reach;
  }
  fs.fs_maxfilesize = size;
}

/** Where the parts of a group lie; the skew between groups. */
function setOffsets(fs: Fs): void {
  const frag = u32(fs.fs_frag);
  const fsize = u32(fs.fs_fsize);
  fs.fs_sblkno = i32(roundup(howmany(BBSIZE + SBSIZE, fsize), frag));
  fs.fs_cblkno = fs.fs_sblkno + i32(roundup(howmany(SBSIZE, fsize), frag));
  fs.fs_iblkno = fs.fs_cblkno + fs.fs_frag;
  fs.fs_cgoffset = i32(roundup(howmany(u32(NSECTORS), u32(fs.fs_nspf)), frag));
  fs.fs_cgmask = -1;
  for (let tracks = NTRACKS; tracks > 1; tracks >>= 1) fs.fs_cgmask <<= 1;
}

/**
 * Inodes of a group of `cpg` cylinders for one inode per `density` bytes. The inodes
 * take room from the data, so the count is iterated. More than any limit if they
 * would fill the group.
 */
function calcipg(fs: Fs, cpg: i32, sectors: u32, density: u32): i32 {
  const cylinders = howmany(sectors, u32(SECPERCYL));
  const groups = howmany(cylinders, u32(cpg));
  const bytes = u64(cpg) * u64(SECPERCYL) * u64(DEV_BSIZE);
  let ipg: u32 = 0;
  for (let i = 0; i < 10; i++) {
    const used = u64(u32(fs.fs_iblkno) + ipg / INOPF(fs)) * u64(fs.fs_fsize);
    if (used >= bytes) return 0x7fffffff;
    const wanted = ((((bytes - used) / u64(density)) * u64(sectors)) / u64(groups)) / u64(SECPERCYL * cpg);
    const next = wanted == 0 ? u32(fs.fs_inopb) : roundup(u32(wanted), u32(fs.fs_inopb));
    if (next == ipg) break;
    ipg = next;
  }
  return i32(ipg);
}

/** Chooses cylinders per group and inodes per group such that the maps fit a block. */
function setGroups(fs: Fs, args: Mkfsargs): i32 {
  const density = args.density == 0 ? 4 * args.fsize : args.density;
  const maxipg = i32(roundup((args.bsize * 8) / 3, u32(fs.fs_inopb)));
  let cpg = CYLINDERS_PER_GROUP;
  for (;;) {
    fs.fs_cpg = cpg;
    fs.fs_ipg = calcipg(fs, cpg, args.sectors, density);
    if (fs.fs_ipg <= maxipg && CGSIZE(fs) <= args.bsize) break;
    if (--cpg < 1) return refuse(cs("too many inodes for the block size; raise bytes per inode"), density);
  }
  fs.fs_cgsize = fragroundup(fs, CGSIZE(fs));
  fs.fs_fpg = (cpg * SECPERCYL) / fs.fs_nspf;
  fs.fs_size = i32(args.sectors) / fs.fs_nspf;
  fs.fs_ncyl = i32(howmany(u32(fs.fs_size * fs.fs_nspf), u32(SECPERCYL)));
  fs.fs_ncg = i32(howmany(u32(fs.fs_ncyl), u32(cpg)));
  fs.fs_dblkno = fs.fs_iblkno + fs.fs_ipg / i32(INOPF(fs));
  return 0;
}

/** Room that group 0 needs: inodes, summary, root directory. */
function checkRoom(fs: Fs, args: Mkfsargs): i32 {
  const skewed = ~fs.fs_cgmask < fs.fs_ncg - 1 ? ~fs.fs_cgmask : fs.fs_ncg - 1;
  if (cgdmin(fs, skewed) - cgbase(fs, skewed) >= fs.fs_fpg) {
    return refuse(cs("inodes leave no room for data; raise bytes per inode"), args.density);
  }
  const last = fs.fs_ncg - 1;
  const left = fs.fs_size - last * fs.fs_fpg;
  if (left < fs.fs_fpg && cgdmin(fs, last) - cgbase(fs, last) > left) {
    if (last == 0) return refuse(cs("too small for its inodes; enlarge it or raise bytes per inode"), args.sectors);
    fs.fs_ncg--;
    fs.fs_ncyl -= fs.fs_ncyl % fs.fs_cpg;
    fs.fs_size = (fs.fs_ncyl * SECPERCYL) / fs.fs_nspf;
  }
  fs.fs_csaddr = cgdmin(fs, 0);
  fs.fs_cssize = fragroundup(fs, u32(fs.fs_ncg) * CSUM_SIZE);
  const summaries = u32(fs.fs_bsize) / CSUM_SIZE;
  fs.fs_csmask = ~i32(summaries - 1);
  fs.fs_csshift = log2(summaries);
  const needed = fs.fs_csaddr + i32(howmany(u32(fs.fs_cssize), u32(fs.fs_fsize))) + 2 * fs.fs_frag;
  if (fs.fs_size < needed) return refuse(cs("too small for a root directory"), args.sectors);
  return 0;
}

/** The tables of rotational positions: with one position every block of a cycle is in one chain. */
function setRotation(fs: Fs): void {
  let cycle: i32 = 1 << (fs.fs_fsbtodb + fs.fs_fragshift);
  const blockSectors = cycle;
  for (let sectors = SECPERCYL; cycle > 1 && (sectors & 1) == 0; sectors >>= 1) cycle >>= 1;
  fs.fs_cpc = cycle;
  const blocks = (SECPERCYL * cycle) / blockSectors;
  fs.fs_postbloff = i32(FS_STRUCT_SIZE) - 4;
  fs.fs_rotbloff = fs.fs_postbloff + cycle * 2;
  fs.fs_sbsize = fragroundup(fs, FS_STRUCT_SIZE + u32(cycle * 2 + blocks));
  const rotation = changetype<usize>(fs) + usize(fs.fs_rotbloff);
  const positions = changetype<usize>(fs) + usize(fs.fs_postbloff);
  for (let cylinder = 0; cylinder < cycle; cylinder++) store<i16>(positions + (usize(cylinder) << 1), -1);
  for (let block = blocks - 1; block >= 0; block--) {
    const chain = positions + (usize((block * blockSectors) / SECPERCYL) << 1);
    const next = i32(load<i16>(chain));
    store<u8>(rotation + usize(block), next == -1 ? 0 : u8(next - block));
    store<i16>(chain, i16(block));
  }
}

/** Address of fragment `fragment` of the image. */
function at(fs: Fs, base: usize, fragment: i32): usize {
  return base + (usize(fragment) << usize(fs.fs_fshift));
}

/** Counts the block at fragment `d` of a group as free. */
function addFreeBlock(fs: Fs, cgp: Cg, d: i32): void {
  const block = d >> fs.fs_fragshift;
  ffs_setblock(fs, cgp.cg_blksfree(), block);
  if (fs.fs_contigsumsize > 0) setbit(cgp.cg_clustersfree(), block);
  cgp.cg_cs_nbfree++;
  const cylinder = cbtocylno(fs, d);
  const total = cgp.cg_blktot(cylinder);
  store<i32>(total, load<i32>(total) + 1);
  const position = cgp.cg_blks(fs, cylinder, cbtorpos(fs, d));
  store<i16>(position, load<i16>(position) + 1);
}

/** Where the maps of a group lie. */
function setMapOffsets(fs: Fs, cgp: Cg): void {
  cgp.cg_btotoff = i32(CG_SPACE);
  cgp.cg_boff = cgp.cg_btotoff + fs.fs_cpg * 4;
  cgp.cg_iusedoff = cgp.cg_boff + fs.fs_cpg * fs.fs_nrpos * 2;
  cgp.cg_freeoff = cgp.cg_iusedoff + i32(howmany(u32(fs.fs_ipg), 8));
  const bitmap = i32(howmany(u32((fs.fs_cpg * fs.fs_spc) / fs.fs_nspf), 8));
  if (fs.fs_contigsumsize <= 0) {
    cgp.cg_nextfreeoff = cgp.cg_freeoff + bitmap;
    return;
  }
  cgp.cg_clustersumoff = i32(roundup(u32(cgp.cg_freeoff + bitmap - 4), 4));
  cgp.cg_clusteroff = cgp.cg_clustersumoff + (fs.fs_contigsumsize + 1) * 4;
  const blocks = (fs.fs_cpg * fs.fs_spc) / (fs.fs_nspf << fs.fs_fragshift);
  cgp.cg_nextfreeoff = cgp.cg_clusteroff + i32(howmany(u32(blocks), 8));
}

/** Builds the block of group `c` and counts its data into fs_dsize. */
function initcg(fs: Fs, base: usize, c: i32): void {
  const cgp = changetype<Cg>(at(fs, base, cgtod(fs, c)));
  const begin = cgbase(fs, c);
  const end = begin + fs.fs_fpg < fs.fs_size ? begin + fs.fs_fpg : fs.fs_size;
  const dlower = cgsblock(fs, c) - begin;
  let dupper = cgdmin(fs, c) - begin;
  if (c == 0) dupper += i32(howmany(u32(fs.fs_cssize), u32(fs.fs_fsize)));
  cgp.cg_magic = CG_MAGIC;
  cgp.cg_time = fs.fs_time;
  cgp.cg_cgx = c;
  cgp.cg_ncyl = i16(c == fs.fs_ncg - 1 ? fs.fs_ncyl % fs.fs_cpg : fs.fs_cpg);
  cgp.cg_niblk = i16(fs.fs_ipg);
  cgp.cg_ndblk = end - begin;
  if (fs.fs_contigsumsize > 0) cgp.cg_nclusterblks = cgp.cg_ndblk >> fs.fs_fragshift;
  setMapOffsets(fs, cgp);
  cgp.cg_cs_nifree = fs.fs_ipg;
  if (c == 0) {
    for (let ino: u32 = 0; ino < ROOTINO; ino++) {
      setbit(cgp.cg_inosused(), i32(ino));
      cgp.cg_cs_nifree--;
    }
  } else {
    for (let d = 0; d < dlower; d += fs.fs_frag) addFreeBlock(fs, cgp, d);
    fs.fs_dsize += dlower;
  }
  fs.fs_dsize += cgp.cg_ndblk - dupper;
  freeFrom(fs, cgp, dupper);
  if (fs.fs_contigsumsize > 0) ffs_clusterruns(fs, cgp);
  memcpy(changetype<usize>(fs.fs_cs(c)), changetype<usize>(cgp) + 24, CSUM_SIZE);
}

/** Frees the fragments of a group from `first` to its end: leading fragments, whole blocks, tail. */
function freeFrom(fs: Fs, cgp: Cg, first: i32): void {
  let d = first;
  const lead = d & (fs.fs_frag - 1);
  if (lead != 0) {
    cgp.add_frsum(fs.fs_frag - lead, 1);
    for (const end = d + fs.fs_frag - lead; d < end; d++) {
      setbit(cgp.cg_blksfree(), d);
      cgp.cg_cs_nffree++;
    }
  }
  for (; d + fs.fs_frag <= cgp.cg_ndblk; d += fs.fs_frag) addFreeBlock(fs, cgp, d);
  if (d >= cgp.cg_ndblk) return;
  cgp.add_frsum(cgp.cg_ndblk - d, 1);
  for (; d < cgp.cg_ndblk; d++) {
    setbit(cgp.cg_blksfree(), d);
    cgp.cg_cs_nffree++;
  }
}

/** Takes the first free block of group 0, gives back all but its first fragment, and returns that. */
function takeFirstFragment(fs: Fs, cgp: Cg): i32 {
  const map = cgp.cg_blksfree();
  let d = 0;
  for (;; d += fs.fs_frag) {
    let whole = true;
    for (let i = 0; i < fs.fs_frag; i++) {
      if (!isset(map, d + i)) whole = false;
    }
    if (whole) break;
  }
  clrbit(map, d);
  cgp.cg_cs_nbfree--;
  const cylinder = cbtocylno(fs, d);
  const total = cgp.cg_blktot(cylinder);
  store<i32>(total, load<i32>(total) - 1);
  const position = cgp.cg_blks(fs, cylinder, cbtorpos(fs, d));
  store<i16>(position, load<i16>(position) - 1);
  if (fs.fs_contigsumsize > 0) {
    clrbit(cgp.cg_clustersfree(), d >> fs.fs_fragshift);
    ffs_clusterruns(fs, cgp);
  }
  if (fs.fs_frag > 1) {
    cgp.cg_cs_nffree += fs.fs_frag - 1;
    cgp.add_frsum(fs.fs_frag - 1, 1);
  }
  return d;
}

/** One of the two entries of the root directory. */
function rootEntry(addr: usize, reclen: u32, dots: u32): void {
  const entry = changetype<Direct>(addr);
  entry.d_ino = ROOTINO;
  entry.d_reclen = u16(reclen);
  entry.d_type = u8(DT_DIR);
  entry.d_namlen = u8(dots);
  for (let i: u32 = 0; i < dots; i++) store<u8>(entry.d_name() + usize(i), 0x2e);
}

/** The root directory and its inode. */
function fsinit(fs: Fs, args: Mkfsargs): void {
  const cgp = changetype<Cg>(at(fs, args.base, cgtod(fs, 0)));
  const fragment = takeFirstFragment(fs, cgp);
  setbit(cgp.cg_inosused(), i32(ROOTINO));
  cgp.cg_cs_nifree--;
  cgp.cg_cs_ndir++;
  const first = DIRSIZ(1);
  rootEntry(at(fs, args.base, fragment), first, 1);
  rootEntry(at(fs, args.base, fragment) + first, DIRBLKSIZ - first, 2);
  const inodes = at(fs, args.base, cgimin(fs, 0));
  const root = changetype<Dinode>(inodes + ROOTINO * DINODE_SIZE);
  root.di_mode = u16(IFDIR | (args.mode & 0o7777));
  root.di_nlink = 2;
  root.di_size = u64(DIRBLKSIZ);
  root.di_atime = args.time;
  root.di_mtime = args.time;
  root.di_ctime = args.time;
  root.set_di_db(0, fragment);
  root.di_blocks = u32(fs.fs_nspf);
  root.di_uid = args.uid;
  root.di_gid = args.gid;
  memcpy(changetype<usize>(fs.fs_cs(0)), changetype<usize>(cgp) + 24, CSUM_SIZE);
}

/** Sums the groups and stores the copies of the super block. */
function finish(fs: Fs, base: usize): void {
  for (let c = 0; c < fs.fs_ncg; c++) {
    const cs: Csum = fs.fs_cs(c);
    fs.fs_cstotal_ndir += cs.cs_ndir;
    fs.fs_cstotal_nbfree += cs.cs_nbfree;
    fs.fs_cstotal_nifree += cs.cs_nifree;
    fs.fs_cstotal_nffree += cs.cs_nffree;
  }
  fs.fs_csp = 0;
  for (let c = 0; c < fs.fs_ncg; c++) {
    memcpy(at(fs, base, cgsblock(fs, c)), changetype<usize>(fs), u32(fs.fs_sbsize));
  }
}

/**
 * Builds a file system at args.base, which must be zero. Returns 0, or EINVAL after
 * one line on the console that names the parameter; the memory is then unchanged
 * but for the super block's page. May sleep (page faults). newfs(8).
 */
export function mkfs(args: Mkfsargs): i32 {
  let error = checkParameters(args);
  if (error != 0) return error;
  const fs = changetype<Fs>(args.base + SBOFF);
  setSizes(fs, args);
  setOffsets(fs);
  error = setGroups(fs, args);
  if (error == 0) error = checkRoom(fs, args);
  if (error != 0) {
    bzero(changetype<usize>(fs), FS_STRUCT_SIZE);
    return error;
  }
  setRotation(fs);
  fs.fs_magic = FS_MAGIC;
  fs.fs_clean = u8(FS_ISCLEAN);
  fs.fs_time = args.time;
  fs.fs_csp = at(fs, args.base, fs.fs_csaddr);
  for (let c = 0; c < fs.fs_ncg; c++) initcg(fs, args.base, c);
  fsinit(fs, args);
  finish(fs, args.base);
  return 0;
}
