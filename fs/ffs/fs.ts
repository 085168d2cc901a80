// The super block and the cylinder group block of the Berkeley Fast File System
// as they lie on the disk (ffs.md §1-§3), and the arithmetic between byte
// offsets, fragments, blocks, cylinder groups and inodes.
//
// Units: "fragment address" counts fs_fsize bytes from the start of the file
// system; "block" counts fs_bsize; "sector" is 512 bytes (b_blkno). All words
// are little-endian and aligned, so the struct is read in place.

import { howmany } from "../../kernel/libkern";
import { DINODE_SIZE, NDADDR } from "../ufs/dinode";

/** Boot area and super block, in bytes. */
export const BBSIZE: u32 = 8192;
export const SBSIZE: u32 = 8192;
export const SBOFF: u32 = 8192;
/** Sector of the super block. */
export const SBLOCK: i32 = 16;

export const FS_MAGIC: u32 = 0x011954;
export const CG_MAGIC: u32 = 0x090255;

export const MINBSIZE: u32 = 4096;
export const MAXFRAG: u32 = 8;
export const MINFREE: u32 = 5;
export const FS_MAXCONTIG: u32 = 16;

// fs_optim.
export const FS_OPTTIME: i32 = 0;
export const FS_OPTSPACE: i32 = 1;

// fs_clean.
export const FS_ISCLEAN: u32 = 1;
export const FS_WASCLEAN: u32 = 2;

export const FS_44INODEFMT: i32 = 2;
export const FS_42INODEFMT: i32 = -1;
export const FS_42POSTBLFMT: i32 = -1;
export const FS_DYNAMICPOSTBLFMT: i32 = 1;

/** Bytes of the struct, without the tables behind it. */
export const FS_STRUCT_SIZE: u32 = 1380;
/** Longest path kept in fs_fsmnt. */
export const MAXMNTLEN: u32 = 512;

/** Per cylinder group summary: directories, free blocks, inodes and fragments. */
@unmanaged
export class Csum {
  cs_ndir: i32;
  cs_nbfree: i32;
  cs_nifree: i32;
  cs_nffree: i32;
}

export const CSUM_SIZE: u32 = 16;

/** The super block. Fields up to fs_fsmnt are ordinary; those behind the 512-byte path are accessors by offset. */
@unmanaged
export class Fs {
  fs_firstfield: i32;
  fs_unused_1: i32;
  fs_sblkno: i32;
  fs_cblkno: i32;
  fs_iblkno: i32;
  fs_dblkno: i32;
  fs_cgoffset: i32;
  fs_cgmask: i32;
  fs_time: u32;
  fs_size: i32;
  fs_dsize: i32;
  fs_ncg: i32;
  fs_bsize: i32;
  fs_fsize: i32;
  fs_frag: i32;
  fs_minfree: i32;
  fs_rotdelay: i32;
  fs_rps: i32;
  fs_bmask: i32;
  fs_fmask: i32;
  fs_bshift: i32;
  fs_fshift: i32;
  fs_maxcontig: i32;
  fs_maxbpg: i32;
  fs_fragshift: i32;
  fs_fsbtodb: i32;
  fs_sbsize: i32;
  fs_csmask: i32;
  fs_csshift: i32;
  fs_nindir: i32;
  fs_inopb: i32;
  fs_nspf: i32;
  fs_optim: i32;
  fs_npsect: i32;
  fs_interleave: i32;
  fs_trackskew: i32;
  fs_headswitch: i32;
  fs_trkseek: i32;
  fs_csaddr: i32;
  fs_cssize: i32;
  fs_cgsize: i32;
  fs_ntrak: i32;
  fs_nsect: i32;
  fs_spc: i32;
  fs_ncyl: i32;
  fs_cpg: i32;
  fs_ipg: i32;
  fs_fpg: i32;
  // fs_cstotal, a Csum.
  fs_cstotal_ndir: i32;
  fs_cstotal_nbfree: i32;
  fs_cstotal_nifree: i32;
  fs_cstotal_nffree: i32;
  fs_fmod: u8;
  fs_clean: u8;
  fs_ronly: u8;
  fs_flags: u8;

  /** Path the file system was mounted on last: 512 bytes. */
  @inline fs_fsmnt(): usize {
    return changetype<usize>(this) + 212;
  }
  @inline get fs_cgrotor(): i32 {
    return load<i32>(changetype<usize>(this), 724);
  }
  set fs_cgrotor(cg: i32) {
    store<i32>(changetype<usize>(this), cg, 724);
  }
  /** In memory only: the array of Csum of all groups (0 on the disk). */
  @inline get fs_csp(): usize {
    return load<usize>(changetype<usize>(this), 728);
  }
  set fs_csp(addr: usize) {
    store<usize>(changetype<usize>(this), addr, 728);
  }
  /** In memory only: per group an upper bound of the longest cluster (0 on the disk). */
  @inline get fs_maxcluster(): usize {
    return load<usize>(changetype<usize>(this), 852);
  }
  set fs_maxcluster(addr: usize) {
    store<usize>(changetype<usize>(this), addr, 852);
  }
  @inline get fs_cpc(): i32 {
    return load<i32>(changetype<usize>(this), 856);
  }
  set fs_cpc(cylinders: i32) {
    store<i32>(changetype<usize>(this), cylinders, 856);
  }
  @inline get fs_contigsumsize(): i32 {
    return load<i32>(changetype<usize>(this), 1316);
  }
  set fs_contigsumsize(size: i32) {
    store<i32>(changetype<usize>(this), size, 1316);
  }
  @inline get fs_maxsymlinklen(): i32 {
    return load<i32>(changetype<usize>(this), 1320);
  }
  set fs_maxsymlinklen(length: i32) {
    store<i32>(changetype<usize>(this), length, 1320);
  }
  @inline get fs_inodefmt(): i32 {
    return load<i32>(changetype<usize>(this), 1324);
  }
  set fs_inodefmt(format: i32) {
    store<i32>(changetype<usize>(this), format, 1324);
  }
  @inline get fs_maxfilesize(): u64 {
    return load<u64>(changetype<usize>(this), 1328);
  }
  set fs_maxfilesize(size: u64) {
    store<u64>(changetype<usize>(this), size, 1328);
  }
  @inline get fs_qbmask(): i64 {
    return load<i64>(changetype<usize>(this), 1336);
  }
  set fs_qbmask(mask: i64) {
    store<i64>(changetype<usize>(this), mask, 1336);
  }
  @inline get fs_qfmask(): i64 {
    return load<i64>(changetype<usize>(this), 1344);
  }
  set fs_qfmask(mask: i64) {
    store<i64>(changetype<usize>(this), mask, 1344);
  }
  @inline get fs_postblformat(): i32 {
    return load<i32>(changetype<usize>(this), 1356);
  }
  set fs_postblformat(format: i32) {
    store<i32>(changetype<usize>(this), format, 1356);
  }
  @inline get fs_nrpos(): i32 {
    return load<i32>(changetype<usize>(this), 1360);
  }
  set fs_nrpos(positions: i32) {
    store<i32>(changetype<usize>(this), positions, 1360);
  }
  @inline get fs_postbloff(): i32 {
    return load<i32>(changetype<usize>(this), 1364);
  }
  set fs_postbloff(offset: i32) {
    store<i32>(changetype<usize>(this), offset, 1364);
  }
  @inline get fs_rotbloff(): i32 {
    return load<i32>(changetype<usize>(this), 1368);
  }
  set fs_rotbloff(offset: i32) {
    store<i32>(changetype<usize>(this), offset, 1368);
  }
  @inline get fs_magic(): u32 {
    return load<u32>(changetype<usize>(this), 1372);
  }
  set fs_magic(magic: u32) {
    store<u32>(changetype<usize>(this), magic, 1372);
  }

  /** The summary of group `cg` (in-core array). */
  @inline fs_cs(cg: i32): Csum {
    return changetype<Csum>(this.fs_csp + (usize(cg) << 4));
  }
  @inline fs_maxcluster_of(cg: i32): i32 {
    return load<i32>(this.fs_maxcluster + (usize(cg) << 2));
  }
  @inline set_fs_maxcluster_of(cg: i32, length: i32): void {
    store<i32>(this.fs_maxcluster + (usize(cg) << 2), length);
  }
}

/** The cylinder group block. Its maps follow at the offsets it names. */
@unmanaged
export class Cg {
  cg_firstfield: i32;
  cg_magic: u32;
  cg_time: u32;
  cg_cgx: i32;
  cg_ncyl: i16;
  cg_niblk: i16;
  cg_ndblk: i32;
  // cg_cs, a Csum.
  cg_cs_ndir: i32;
  cg_cs_nbfree: i32;
  cg_cs_nifree: i32;
  cg_cs_nffree: i32;
  cg_rotor: i32;
  cg_frotor: i32;
  cg_irotor: i32;
  // cg_frsum[8] at 52.
  private frsum0: i32;
  private frsum1: i32;
  private frsum2: i32;
  private frsum3: i32;
  private frsum4: i32;
  private frsum5: i32;
  private frsum6: i32;
  private frsum7: i32;
  cg_btotoff: i32;
  cg_boff: i32;
  cg_iusedoff: i32;
  cg_freeoff: i32;
  cg_nextfreeoff: i32;
  cg_clustersumoff: i32;
  cg_clusteroff: i32;
  cg_nclusterblks: i32;

  /** Number of free runs of exactly `n` fragments inside blocks that are not wholly free; address of the array. */
  @inline cg_frsum(): usize {
    return changetype<usize>(this) + 52;
  }
  @inline frsum(n: i32): i32 {
    return load<i32>(changetype<usize>(this) + (usize(n) << 2), 52);
  }
  @inline add_frsum(n: i32, count: i32): void {
    const at = changetype<usize>(this) + (usize(n) << 2);
    store<i32>(at, load<i32>(at, 52) + count, 52);
  }
  /** Address of the free block count of cylinder `cylinder`. */
  @inline cg_blktot(cylinder: i32): usize {
    return changetype<usize>(this) + usize(this.cg_btotoff) + (usize(cylinder) << 2);
  }
  /** Address of the 16-bit free block count of a cylinder and rotational position. */
  @inline cg_blks(fs: Fs, cylinder: i32, position: i32): usize {
    return changetype<usize>(this) + usize(this.cg_boff) + (usize(cylinder * fs.fs_nrpos + position) << 1);
  }
  /** Inode bitmap: 1 = used. */
  @inline cg_inosused(): usize {
    return changetype<usize>(this) + usize(this.cg_iusedoff);
  }
  /** Fragment bitmap: 1 = free. */
  @inline cg_blksfree(): usize {
    return changetype<usize>(this) + usize(this.cg_freeoff);
  }
  /** Cluster bitmap, one bit a block: 1 = free. */
  @inline cg_clustersfree(): usize {
    return changetype<usize>(this) + usize(this.cg_clusteroff);
  }
  /** Address of the count of free block runs of length `n`. */
  @inline cg_clustersum(n: i32): usize {
    return changetype<usize>(this) + usize(this.cg_clustersumoff) + (usize(n) << 2);
  }
  @inline cg_chkmagic(): bool {
    return this.cg_magic == CG_MAGIC;
  }
}

/** Offset of the maps in a cylinder group block. */
export const CG_SPACE: u32 = 168;

/** Fragments to sectors. */
export function fsbtodb(fs: Fs, fragment: i32): i32 {
  return fragment << fs.fs_fsbtodb;
}

/** Sectors to fragments. */
export function dbtofsb(fs: Fs, sector: i32): i32 {
  return sector >> fs.fs_fsbtodb;
}

// Fragment addresses of the parts of group `c`.
export function cgbase(fs: Fs, c: i32): i32 {
  return fs.fs_fpg * c;
}
export function cgstart(fs: Fs, c: i32): i32 {
  return cgbase(fs, c) + fs.fs_cgoffset * (c & ~fs.fs_cgmask);
}
/** Backup super block. */
export function cgsblock(fs: Fs, c: i32): i32 {
  return cgstart(fs, c) + fs.fs_sblkno;
}
/** Cylinder group block. */
export function cgtod(fs: Fs, c: i32): i32 {
  return cgstart(fs, c) + fs.fs_cblkno;
}
/** First inode block. */
export function cgimin(fs: Fs, c: i32): i32 {
  return cgstart(fs, c) + fs.fs_iblkno;
}
/** First data fragment behind the inodes. */
export function cgdmin(fs: Fs, c: i32): i32 {
  return cgstart(fs, c) + fs.fs_dblkno;
}

/** Group of an inode. */
export function ino_to_cg(fs: Fs, ino: u32): i32 {
  return i32(ino / u32(fs.fs_ipg));
}
/** Fragment address of the block that holds an inode. */
export function ino_to_fsba(fs: Fs, ino: u32): i32 {
  const index = (ino % u32(fs.fs_ipg)) / u32(fs.fs_inopb);
  return cgimin(fs, ino_to_cg(fs, ino)) + (i32(index) << fs.fs_fragshift);
}
/** Index of an inode in its block. */
export function ino_to_fsbo(fs: Fs, ino: u32): u32 {
  return ino % u32(fs.fs_inopb);
}

/** Group of a fragment, and the fragment's number in it. */
export function dtog(fs: Fs, fragment: i32): i32 {
  return fragment / fs.fs_fpg;
}
export function dtogd(fs: Fs, fragment: i32): i32 {
  return fragment % fs.fs_fpg;
}

/** Cylinder (in its group) of fragment `bno` of a group. */
export function cbtocylno(fs: Fs, bno: i32): i32 {
  return (bno * fs.fs_nspf) / fs.fs_spc;
}
/** Rotational position of fragment `bno` of a group. */
export function cbtorpos(fs: Fs, bno: i32): i32 {
  if (fs.fs_nrpos <= 1) return 0;
  const sector = (bno * fs.fs_nspf) % fs.fs_spc;
  const skewed = (sector / fs.fs_nsect) * fs.fs_trackskew + (sector % fs.fs_nsect) * fs.fs_interleave;
  return ((skewed % fs.fs_nsect) * fs.fs_nrpos) / fs.fs_npsect;
}

/** Offset in its block, block number, and rounding of byte counts. */
export function blkoff(fs: Fs, offset: u64): i32 {
  return i32(u32(offset) & u32(~fs.fs_bmask));
}
export function fragoff(fs: Fs, offset: u64): i32 {
  return i32(u32(offset) & u32(~fs.fs_fmask));
}
export function lblkno(fs: Fs, offset: u64): i32 {
  return i32(offset >> u64(fs.fs_bshift));
}
/** Byte offset of logical block `lbn` (not negative). */
export function lblktosize(fs: Fs, lbn: i32): u64 {
  return u64(u32(lbn)) << u64(fs.fs_bshift);
}
/** Whole fragments of a byte count. */
export function numfrags(fs: Fs, bytes: i32): i32 {
  return bytes >> fs.fs_fshift;
}
export function blkroundup(fs: Fs, bytes: u32): i32 {
  return i32((bytes + u32(~fs.fs_bmask)) & u32(fs.fs_bmask));
}
export function fragroundup(fs: Fs, bytes: u32): i32 {
  return i32((bytes + u32(~fs.fs_fmask)) & u32(fs.fs_fmask));
}
/** Fragments to blocks, blocks to fragments. */
export function fragstoblks(fs: Fs, fragments: i32): i32 {
  return fragments >> fs.fs_fragshift;
}
export function blkstofrags(fs: Fs, blocks: i32): i32 {
  return blocks << fs.fs_fragshift;
}
/** Fragment's number in its block. */
export function fragnum(fs: Fs, fragment: i32): i32 {
  return fragment & (fs.fs_frag - 1);
}
/** First fragment of the block of a fragment. */
export function blknum(fs: Fs, fragment: i32): i32 {
  return fragment & ~(fs.fs_frag - 1);
}

/** Fragments that an ordinary user may still take: free space less `percent` of the whole. */
export function freespace(fs: Fs, percent: i32): i32 {
  const free = blkstofrags(fs, fs.fs_cstotal_nbfree) + fs.fs_cstotal_nffree;
  return free - i32((i64(fs.fs_dsize) * i64(percent)) / 100);
}

/** Bytes of block `lbn` of a file of `size` bytes: only the last block of a file with direct blocks alone is short. */
export function dblksize(fs: Fs, size: u64, lbn: i32): i32 {
  if (lbn >= NDADDR || size >= lblktosize(fs, lbn + 1)) return fs.fs_bsize;
  return fragroundup(fs, u32(blkoff(fs, size)));
}

/** Inodes of a fragment. */
export function INOPF(fs: Fs): u32 {
  return u32(fs.fs_inopb) >> u32(fs.fs_fragshift);
}

/** Inodes of a block of `bsize` bytes. */
export function INOPB(bsize: u32): u32 {
  return bsize / DINODE_SIZE;
}

/** Bytes the cylinder group block needs for its maps with the geometry in `fs`. */
export function CGSIZE(fs: Fs): u32 {
  const fragments = u32(fs.fs_cpg * fs.fs_spc) / u32(fs.fs_nspf);
  let size = CG_SPACE + u32(fs.fs_cpg) * 4 + u32(fs.fs_cpg * fs.fs_nrpos) * 2;
  size += howmany(u32(fs.fs_ipg), 8) + howmany(fragments, 8);
  if (fs.fs_contigsumsize <= 0) return size;
  return size + u32(fs.fs_contigsumsize) * 4 + 4 + howmany(fragments >> u32(fs.fs_fragshift), 8);
}

// Bits of a byte map, least significant first.
export function isset(map: usize, bit: i32): bool {
  return (u32(load<u8>(map + usize(bit >> 3))) & (1 << (bit & 7))) != 0;
}
export function isclr(map: usize, bit: i32): bool {
  return !isset(map, bit);
}
export function setbit(map: usize, bit: i32): void {
  const at = map + usize(bit >> 3);
  store<u8>(at, u8(u32(load<u8>(at)) | (1 << (bit & 7))));
}
export function clrbit(map: usize, bit: i32): void {
  const at = map + usize(bit >> 3);
  store<u8>(at, u8(u32(load<u8>(at)) & ~(1 << (bit & 7))));
}
