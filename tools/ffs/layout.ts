// The geometry of a new file system: how many cylinder groups of what size, with how many inodes.
//
// We lay out as makefs does: one "cylinder" a group and no rotational skew, in the classic superblock
// layout. Groups are of equal size, as few as the group block's maps and MAX_FPG allow.

import {
  BBSIZE, CSUM_SIZE, DINODE_SIZE, FS_44INODEFMT, FS_ISCLEAN, FS_MAGIC, FS_MAXCONTIG, FS_SPACE, MAXBSIZE, MAXFRAG,
  MINBSIZE, SBSIZE, type Superblock,
} from "./format.js";
import { FfsError } from "./error.js";
import { groupLayout, howmany, maxFileSize, roundup } from "./geometry.js";

/** No group has more fragments; small groups keep inodes near their data. */
const MAX_FPG = 16384;
const MINFREE_PERCENT = 5;
const MAXCONTIG_BYTES = 65536;
const MAXSYMLINKLEN = 60;

export interface LayoutRequest {
  readonly bsize: number;
  readonly fsize: number;
  /** Total fragments; rounded down to whole blocks. */
  readonly fragments: number;
  /** At least this many inodes in all. */
  readonly inodes: number;
  /** Seconds since 1970 for the superblock and the groups. */
  readonly time: number;
}

/** Throws FfsError for block and fragment sizes that FFS does not know. */
export function checkSizes(bsize: number, fsize: number): void {
  const powerOfTwo = (value: number): boolean => Number.isInteger(Math.log2(value));
  if (!powerOfTwo(bsize) || bsize < MINBSIZE || bsize > MAXBSIZE) {
    throw new FfsError("block size", `${bsize} bytes; give a power of two from ${MINBSIZE} to ${MAXBSIZE}`);
  }
  if (!powerOfTwo(fsize) || fsize < 512 || fsize > bsize || bsize / fsize > MAXFRAG) {
    throw new FfsError("fragment size", `${fsize} bytes; give the block size divided by 1, 2, 4 or 8, at least 512`);
  }
}

/** The superblock of a new file system, its counters still zero. Throws FfsError when it is too small. */
export function planLayout(request: LayoutRequest): Superblock {
  const { bsize, fsize } = request;
  checkSizes(bsize, fsize);
  const frag = bsize / fsize;
  const size = Math.floor(request.fragments / frag) * frag;
  const sblkno = roundup(howmany(BBSIZE + SBSIZE, fsize), frag);
  const cblkno = sblkno + roundup(howmany(SBSIZE, fsize), frag);
  const iblkno = cblkno + frag;
  const inopb = bsize / DINODE_SIZE;
  const contigsumsize = Math.min(Math.max(1, MAXCONTIG_BYTES / bsize), FS_MAXCONTIG);
  for (let ncg = Math.max(1, howmany(size, MAX_FPG)); ; ncg++) {
    const fpg = roundup(howmany(size, ncg), frag);
    const ipg = roundup(howmany(request.inodes, ncg), inopb);
    const dblkno = iblkno + (ipg / inopb) * frag;
    const cssize = roundup(ncg * CSUM_SIZE, fsize);
    // The first group also holds the summary area and the root directory.
    const smallest = dblkno + roundup(cssize / fsize, frag) + frag;
    const last = size - fpg * (ncg - 1);
    const maps = groupLayout({ cpg: 1, nrpos: 1, ipg, fpg, frag, contigsumsize });
    if (maps.nextfreeoff > bsize && fpg > smallest + frag) continue;
    if (maps.nextfreeoff > bsize || last < smallest) {
      throw new FfsError("file system", `${request.fragments * fsize} bytes are too few for ${request.inodes} inodes`);
    }
    return {
      sblkno, cblkno, iblkno, dblkno, cgoffset: 0, cgmask: -1, time: request.time, size,
      dsize: 0, ncg, bsize, fsize, frag, minfree: MINFREE_PERCENT, rotdelay: 0, rps: 60,
      bmask: ~(bsize - 1), fmask: ~(fsize - 1), bshift: Math.log2(bsize), fshift: Math.log2(fsize),
      maxcontig: Math.max(1, MAXCONTIG_BYTES / bsize), maxbpg: bsize / 4,
      fragshift: Math.log2(frag), fsbtodb: Math.log2(fsize / 512), sbsize: roundup(FS_SPACE, fsize),
      csmask: ~(bsize / CSUM_SIZE - 1), csshift: Math.log2(bsize / CSUM_SIZE), nindir: bsize / 4, inopb,
      nspf: fsize / 512, optim: 0, npsect: fpg * (fsize / 512), interleave: 1, trackskew: 0,
      headswitch: 0, trkseek: 0, csaddr: dblkno, cssize, cgsize: roundup(maps.nextfreeoff, fsize),
      ntrak: 1, nsect: fpg * (fsize / 512), spc: fpg * (fsize / 512), ncyl: ncg, cpg: 1, ipg, fpg,
      ndir: 0, nbfree: 0, nifree: 0, nffree: 0, fmod: 0, clean: FS_ISCLEAN, ronly: 0, flags: 0, cgrotor: 0,
      cpc: 0, contigsumsize, maxsymlinklen: MAXSYMLINKLEN, inodefmt: FS_44INODEFMT,
      maxfilesize: maxFileSize(bsize, bsize / 4), qbmask: BigInt(bsize - 1), qfmask: BigInt(fsize - 1),
      postblformat: 1, nrpos: 1, postbloff: FS_SPACE, rotbloff: FS_SPACE, magic: FS_MAGIC,
    };
  }
}

/** Fragments of a layout that hold no file data: boot area, superblocks, groups, inodes, summary. */
export function overheadOf(fs: Superblock): number {
  const betweenGroups = (fs.ncg - 1) * fs.sblkno;
  return fs.ncg * fs.dblkno - betweenGroups + roundup(fs.cssize / fs.fsize, fs.frag);
}
