// Arithmetic on the layout that a superblock describes: where a group's parts lie, how large the last
// block of a file is, how a block number goes through the indirect blocks. Names are the macros' of fs.h.

import { CG_SPACE, DINODE_SIZE, NDADDR, type Superblock } from "./format.js";

export function howmany(value: number, unit: number): number {
  return Math.ceil(value / unit);
}

export function roundup(value: number, unit: number): number {
  return howmany(value, unit) * unit;
}

/** First fragment of group c. */
export function cgbase(fs: Superblock, c: number): number {
  return fs.fpg * c;
}

/** Where the group's own structures start: the base, moved on by the rotational skew. */
export function cgstart(fs: Superblock, c: number): number {
  return cgbase(fs, c) + fs.cgoffset * (c & ~fs.cgmask);
}

/** The backup superblock, the group block, the inodes and the data of group c. */
export function cgsblock(fs: Superblock, c: number): number {
  return cgstart(fs, c) + fs.sblkno;
}

export function cgtod(fs: Superblock, c: number): number {
  return cgstart(fs, c) + fs.cblkno;
}

export function cgimin(fs: Superblock, c: number): number {
  return cgstart(fs, c) + fs.iblkno;
}

export function cgdmin(fs: Superblock, c: number): number {
  return cgstart(fs, c) + fs.dblkno;
}

/** The number of fragments of group c: fpg, or what is left for the last one. */
export function groupFragments(fs: Superblock, c: number): number {
  return Math.min(fs.size - cgbase(fs, c), fs.fpg);
}

export function fragroundup(fs: Superblock, bytes: number): number {
  return roundup(bytes, fs.fsize);
}

/** Bytes of a file's block `lbn`: only a last direct block may be shorter than a block. */
export function blksize(fs: Superblock, size: number, lbn: number): number {
  if (lbn >= NDADDR || size >= (lbn + 1) * fs.bsize) return fs.bsize;
  return fragroundup(fs, size % fs.bsize);
}

/** The byte offset of an inode in the image. */
export function inodeOffset(fs: Superblock, ino: number): number {
  return cgimin(fs, Math.floor(ino / fs.ipg)) * fs.fsize + (ino % fs.ipg) * DINODE_SIZE;
}

/** The number of indirect levels above block `lbn` and its index from the first block of that level. */
export function levelOf(fs: Pick<Superblock, "nindir">, lbn: number): { level: number; index: number } {
  let index = lbn - NDADDR;
  if (index < 0) return { level: 0, index: lbn };
  let span = fs.nindir;
  for (let level = 1; ; level++) {
    if (index < span) return { level, index };
    index -= span;
    span *= fs.nindir;
  }
}

/** Blocks that one pointer at `level` levels above the data covers. */
export function blocksUnder(fs: Superblock, level: number): number {
  return fs.nindir ** level;
}

/** Where the maps of a cylinder group lie, as offsets in the group block. */
export interface GroupLayout {
  readonly btotoff: number;
  readonly boff: number;
  readonly iusedoff: number;
  readonly freeoff: number;
  readonly clustersumoff: number;
  readonly clusteroff: number;
  readonly nextfreeoff: number;
}

/** The layout of group blocks by the numbers it depends on. */
export function groupLayout(fs: {
  cpg: number;
  nrpos: number;
  ipg: number;
  fpg: number;
  frag: number;
  contigsumsize: number;
}): GroupLayout {
  const btotoff = CG_SPACE;
  const boff = btotoff + 4 * fs.cpg;
  const iusedoff = boff + 2 * fs.cpg * fs.nrpos;
  const freeoff = iusedoff + howmany(fs.ipg, 8);
  const afterFree = freeoff + howmany(fs.fpg, 8);
  if (fs.contigsumsize <= 0) {
    return { btotoff, boff, iusedoff, freeoff, clustersumoff: 0, clusteroff: 0, nextfreeoff: afterFree };
  }
  // The sums have no entry 0, so they may begin four bytes inside the map before them.
  const clustersumoff = roundup(afterFree - 4, 4);
  const clusteroff = clustersumoff + 4 * (fs.contigsumsize + 1);
  const nextfreeoff = clusteroff + howmany(Math.floor(fs.fpg / fs.frag), 8);
  return { btotoff, boff, iusedoff, freeoff, clustersumoff, clusteroff, nextfreeoff };
}

/** The largest file of a geometry, in bytes, minus one. */
export function maxFileSize(bsize: number, nindir: number): bigint {
  const block = BigInt(bsize);
  const n = BigInt(nindir);
  return block * BigInt(NDADDR) - 1n + block * n + block * n ** 2n + block * n ** 3n;
}

/** Cylinder and rotational position of a block of a group, as fragment offset in the group. */
export function cylinderOf(fs: Superblock, fragment: number): { cylinder: number; position: number } {
  const sector = fragment * fs.nspf;
  const inCylinder = sector % fs.spc;
  const skewed = Math.floor(inCylinder / fs.nsect) * fs.trackskew + (inCylinder % fs.nsect) * fs.interleave;
  return {
    cylinder: Math.floor(sector / fs.spc),
    position: Math.floor(((skewed % fs.nsect) * fs.nrpos) / fs.npsect),
  };
}
