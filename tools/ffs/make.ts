// Writes a new FFS (UFS1) file system with the contents of a tree. The same tree and options give the
// same bytes.
//
// The free map is built first and written last: blocks are handed out from the front, short last blocks
// of files share blocks by best fit, and all counts are worked out from the map in the end.

import {
  CG_FRSUM, CG_MAGIC, CSUM_SIZE, DINODE_DB, IFDIR, IFMT, NIADDR, NDADDR, SBOFF, writeCsum, writeCylinderGroup,
  writeDinode, writeSuperblock, type Csum, type Superblock,
} from "./format.js";
import { FfsError } from "./error.js";
import {
  blksize, blocksUnder, cgbase, cgdmin, cgsblock, cgtod, groupFragments, groupLayout, howmany, inodeOffset, levelOf,
  roundup,
} from "./geometry.js";
import { groupMaps } from "./groupmaps.js";
import { checkSizes, overheadOf, planLayout } from "./layout.js";
import { planInodes, type PlannedInode } from "./plan.js";
import type { DirectoryNode } from "./tree.js";

export interface MakeOptions {
  readonly tree: DirectoryNode;
  /** Bytes of a block, 8192 by default, and of a fragment, 1024 by default. */
  readonly bsize?: number;
  readonly fsize?: number;
  /** Bytes of the whole file system; by default what the tree needs and `free` more. */
  readonly size?: number;
  /** Bytes left free for data when the size is chosen: by default an eighth of the data, at least 256 KB. */
  readonly free?: number;
  /** Inodes left free: by default an eighth of those used, at least 32. */
  readonly freeInodes?: number;
  /** Seconds since 1970 that replace all times; by default files keep theirs and the newest dates the rest. */
  readonly time?: number;
}

const DEFAULTS = { bsize: 8192, fsize: 1024, leastFree: 256 * 1024, leastFreeInodes: 32, share: 8 } as const;
/** Bytes of data for one inode when the size is given. */
const DENSITY_IN_FRAGMENTS = 4;
const MAXSYMLINKLEN = 60;
/** Each new file system has the same generation number in all inodes; the kernel counts on from it. */
const GENERATION = 1;

/** Thrown within this file when a layout turns out too small. */
class NoSpace extends Error {}

/** Hands out fragments of a fresh file system. */
class Allocator {
  /** 1 for a free fragment. */
  readonly free: Uint8Array;
  readonly #fs: Superblock;
  #nextBlock = 0;
  /** Starts of the free tails of partly used blocks, by the length of the tail. */
  readonly #tails: number[][];

  constructor(fs: Superblock) {
    this.#fs = fs;
    this.free = new Uint8Array(fs.size).fill(1);
    this.#tails = Array.from({ length: fs.frag + 1 }, () => []);
    for (let c = 0; c < fs.ncg; c++) {
      // In the first group everything before the data is taken; the others have free blocks below the superblock.
      this.#take(c === 0 ? 0 : cgsblock(fs, c), cgdmin(fs, c));
    }
    const csEnd = fs.csaddr + fs.cssize / fs.fsize;
    this.#take(fs.csaddr, csEnd);
    const rest = roundup(csEnd, fs.frag) - csEnd;
    if (rest > 0) this.#tails[rest]!.push(csEnd);
  }

  #take(from: number, end: number): void {
    this.free.fill(0, from, end);
  }

  /** The next wholly free block. */
  block(): number {
    const { frag, size } = this.#fs;
    for (; this.#nextBlock + frag <= size; this.#nextBlock += frag) {
      const start = this.#nextBlock;
      if (this.free.subarray(start, start + frag).every((bit) => bit === 1)) {
        this.#take(start, start + frag);
        return start;
      }
    }
    throw new NoSpace();
  }

  /** A run of `count` fragments within one block. */
  fragments(count: number): number {
    const { frag } = this.#fs;
    if (count === frag) return this.block();
    const length = this.#tails.findIndex((starts, n) => n >= count && starts.length > 0);
    const start = length < 0 ? this.block() : this.#tails[length]!.pop()!;
    const rest = (length < 0 ? frag : length) - count;
    this.#take(start, start + count);
    if (rest > 0) {
      this.free.fill(1, start + count, start + count + rest);
      this.#tails[rest]!.push(start + count);
    }
    return start;
  }
}

/** Writes one file's blocks and inode. */
class InodeWriter {
  readonly #image: Uint8Array;
  readonly #view: DataView;
  readonly #fs: Superblock;
  readonly #allocator: Allocator;

  constructor(image: Uint8Array, fs: Superblock, allocator: Allocator) {
    this.#image = image;
    this.#view = new DataView(image.buffer, image.byteOffset, image.byteLength);
    this.#fs = fs;
    this.#allocator = allocator;
  }

  write(planned: PlannedInode, time: number | undefined): void {
    const fs = this.#fs;
    const db = new Array<number>(NDADDR).fill(0);
    const ib = new Array<number>(NIADDR).fill(0);
    let fragments = 0;
    for (const lbn of planned.present) {
      const bytes = blksize(fs, planned.size, lbn);
      const { level, index } = levelOf(fs, lbn);
      let place: (address: number) => void;
      if (level === 0) place = (address) => (db[lbn] = address);
      else {
        const indirect = this.#indirect(ib, level, index);
        fragments += indirect.added * fs.frag;
        place = (address) => this.#view.setInt32(indirect.slot, address, true);
      }
      const address = this.#allocator.fragments(bytes / fs.fsize);
      fragments += bytes / fs.fsize;
      place(address);
      this.#image.set(planned.block(lbn), address * fs.fsize);
    }
    const mtime = time ?? planned.node.mtime;
    const at = inodeOffset(fs, planned.ino);
    writeDinode(this.#image, at, {
      mode: planned.mode, nlink: planned.nlink, size: planned.size, atime: mtime, atimensec: 0,
      mtime, mtimensec: 0, ctime: mtime, ctimensec: 0, flags: 0, blocks: fragments * fs.nspf,
      gen: GENERATION, uid: planned.node.uid ?? 0, gid: planned.node.gid ?? 0, db, ib,
    });
    if (planned.inInode !== undefined) this.#image.set(planned.inInode, at + DINODE_DB);
  }

  /** Finds, allocating on the way, the indirect pointer of a block: its byte offset in the image. */
  #indirect(ib: number[], level: number, index: number): { slot: number; added: number } {
    const fs = this.#fs;
    let added = 0;
    if (ib[level - 1] === 0) {
      ib[level - 1] = this.#allocator.block();
      added++;
    }
    let block = ib[level - 1]!;
    for (let above = level - 1; ; above--) {
      const slot = block * fs.fsize + 4 * (Math.floor(index / blocksUnder(fs, above)) % fs.nindir);
      if (above === 0) return { slot, added };
      block = this.#view.getInt32(slot, true);
      if (block === 0) {
        block = this.#allocator.block();
        added++;
        this.#view.setInt32(slot, block, true);
      }
    }
  }
}

/** Writes the blocks of all groups, the summary area and the superblocks. */
function writeGroups(image: Uint8Array, fs: Superblock, free: Uint8Array, inodes: readonly PlannedInode[]): void {
  const layout = groupLayout(fs);
  const total: Csum = { ndir: 0, nbfree: 0, nifree: 0, nffree: 0 };
  for (let c = 0; c < fs.ncg; c++) {
    const maps = groupMaps(fs, c, (fragment) => free[cgbase(fs, c) + fragment] === 1);
    const ndblk = groupFragments(fs, c);
    const here = inodes.filter((inode) => Math.floor(inode.ino / fs.ipg) === c);
    const reserved = c === 0 ? 2 : 0;
    const csum: Csum = {
      ndir: here.filter((inode) => (inode.mode & IFMT) === IFDIR).length,
      nbfree: maps.nbfree,
      nifree: fs.ipg - here.length - reserved,
      nffree: maps.nffree,
    };
    const block = image.subarray(cgtod(fs, c) * fs.fsize, cgtod(fs, c) * fs.fsize + fs.bsize);
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    writeCylinderGroup(block, 0, {
      magic: CG_MAGIC, time: fs.time, cgx: c, ncyl: fs.cpg, niblk: fs.ipg, ndblk, ...csum,
      rotor: 0, frotor: 0, irotor: 0, ...layout, nclusterblks: Math.floor(ndblk / fs.frag),
    });
    maps.frsum.forEach((count, n) => view.setInt32(CG_FRSUM + 4 * n, count, true));
    maps.btot.forEach((count, n) => view.setInt32(layout.btotoff + 4 * n, count, true));
    maps.b.forEach((count, n) => view.setInt16(layout.boff + 2 * n, count, true));
    for (const ino of [...(c === 0 ? [0, 1] : []), ...here.map((inode) => inode.ino % fs.ipg)]) {
      block[layout.iusedoff + (ino >> 3)]! |= 1 << (ino & 7);
    }
    for (let i = 0; i < ndblk; i++) {
      if (free[cgbase(fs, c) + i] === 1) block[layout.freeoff + (i >> 3)]! |= 1 << (i & 7);
    }
    // Entry 0 of the sums is unused and its bytes may belong to the map before it.
    for (let n = 1; n < maps.clustersum.length; n++) {
      view.setInt32(layout.clustersumoff + 4 * n, maps.clustersum[n]!, true);
    }
    block.set(maps.clusters, layout.clusteroff);
    writeCsum(image, fs.csaddr * fs.fsize + c * CSUM_SIZE, csum);
    for (const name of ["ndir", "nbfree", "nifree", "nffree"] as const) total[name] += csum[name];
    const dataStart = c === 0 ? fs.dblkno + fs.cssize / fs.fsize : fs.dblkno - fs.sblkno;
    fs.dsize += ndblk - dataStart;
  }
  Object.assign(fs, total);
  writeSuperblock(image, SBOFF, fs);
  for (let c = 0; c < fs.ncg; c++) writeSuperblock(image, cgsblock(fs, c) * fs.fsize, fs);
}

/** An image is held in memory and written in one piece; the host writes no longer ones. */
const MAX_IMAGE_BYTES = 2 ** 31 - 2 ** 16;

/** Writes the inodes into a file system of this layout. Throws NoSpace when they do not fit, FfsError when it is too large. */
function fill(fs: Superblock, inodes: readonly PlannedInode[], time: number | undefined): Uint8Array {
  const bytes = fs.size * fs.fsize;
  if (bytes > MAX_IMAGE_BYTES) {
    throw new FfsError("file system", `${bytes} bytes are too many; an image has at most ${MAX_IMAGE_BYTES}`);
  }
  const image = new Uint8Array(bytes);
  const allocator = new Allocator(fs);
  const writer = new InodeWriter(image, fs, allocator);
  for (const inode of inodes) writer.write(inode, time);
  writeGroups(image, fs, allocator.free, inodes);
  return image;
}

/** Fragments that an inode's data and indirect blocks take, each short last block counted singly. */
function fragmentsOf(inode: PlannedInode, bsize: number, fsize: number): number {
  const nindir = bsize / 4;
  let fragments = 0;
  const indirect = new Set<string>();
  for (const lbn of inode.present) {
    const rest = inode.size - lbn * bsize;
    fragments += lbn >= NDADDR || rest >= bsize ? bsize / fsize : howmany(rest, fsize);
    if (lbn < NDADDR) continue;
    const { level, index } = levelOf({ nindir }, lbn);
    for (let above = 1; above <= level; above++) {
      indirect.add(`${level} ${above} ${Math.floor(index / nindir ** above)}`);
    }
  }
  return fragments + indirect.size * (bsize / fsize);
}

/**
 * Makes an image of a file system that holds the tree.
 * => the image is as long as the file system
 * => throws FfsError when the size given is too small or a name or a size is impossible
 */
export function makeImage(options: MakeOptions): Uint8Array {
  const { tree, time, bsize = DEFAULTS.bsize, fsize = DEFAULTS.fsize } = options;
  checkSizes(bsize, fsize);
  const inodes = planInodes(tree, bsize, MAXSYMLINKLEN);
  const newest = time ?? inodes.reduce((latest, inode) => Math.max(latest, inode.node.mtime), 0);
  const data = inodes.reduce((sum, inode) => sum + fragmentsOf(inode, bsize, fsize), 0);
  const shareOfInodes = Math.ceil(inodes.length / DEFAULTS.share);
  const freeInodes = options.freeInodes ?? Math.max(DEFAULTS.leastFreeInodes, shareOfInodes);
  // Inodes 0 and 1 are never used.
  const neededInodes = inodes.length + 2 + freeInodes;
  if (options.size !== undefined) {
    const fragments = Math.floor(options.size / fsize);
    const byDensity = Math.floor(fragments / DENSITY_IN_FRAGMENTS);
    const layout = planLayout({ bsize, fsize, fragments, inodes: Math.max(neededInodes, byDensity), time: newest });
    try {
      return fill(layout, inodes, time);
    } catch (error) {
      if (!(error instanceof NoSpace)) throw error;
      const needed = Math.ceil(((data + overheadOf(layout)) * fsize) / 1024);
      throw new FfsError("file system", `${options.size} bytes are too few for the tree; give at least ${needed}K`);
    }
  }
  const free = options.free ?? Math.max(DEFAULTS.leastFree, Math.ceil((data * fsize) / DEFAULTS.share));
  const wanted = data + howmany(free, fsize);
  const byDensity = Math.floor(wanted / DENSITY_IN_FRAGMENTS / 2);
  for (let fragments = wanted + 64 * (bsize / fsize); ; ) {
    const inodeCount = Math.max(neededInodes, byDensity);
    let layout: Superblock | undefined;
    try {
      layout = planLayout({ bsize, fsize, fragments, inodes: inodeCount, time: newest });
      if (layout.size - overheadOf(layout) >= wanted) return fill(layout, inodes, time);
    } catch (error) {
      // A layout with too little room is tried again with more; nothing else can help.
      if (!(error instanceof NoSpace) && layout !== undefined) throw error;
    }
    const short = layout === undefined ? 0 : wanted - (layout.size - overheadOf(layout));
    fragments += Math.max(short, Math.ceil(fragments / 64), bsize / fsize);
  }
}
