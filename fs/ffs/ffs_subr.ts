// Bitmap helpers of the allocator: whole blocks in the fragment map, runs of
// free fragments inside a block, runs of free blocks.

import { Cg, Fs, isset } from "./fs";

/**
 * The bits of block `h` in a fragment map, moved down to bit 0. A block has 1, 2, 4 or 8
 * fragments, so its bits never cross a byte.
 */
export function blkmap(fs: Fs, map: usize, h: i32): u32 {
  const bit = h << fs.fs_fragshift;
  return (u32(load<u8>(map + usize(bit >> 3))) >> (bit & 7)) & ((1 << fs.fs_frag) - 1);
}

/** Is block `h` wholly free? */
export function ffs_isblock(fs: Fs, map: usize, h: i32): bool {
  return blkmap(fs, map, h) == (1 << fs.fs_frag) - 1;
}

/** Marks all fragments of block `h` used. */
export function ffs_clrblock(fs: Fs, map: usize, h: i32): void {
  const bit = h << fs.fs_fragshift;
  const at = map + usize(bit >> 3);
  store<u8>(at, u8(u32(load<u8>(at)) & ~(((1 << fs.fs_frag) - 1) << (bit & 7))));
}

/** Marks all fragments of block `h` free. */
export function ffs_setblock(fs: Fs, map: usize, h: i32): void {
  const bit = h << fs.fs_fragshift;
  const at = map + usize(bit >> 3);
  store<u8>(at, u8(u32(load<u8>(at)) | (((1 << fs.fs_frag) - 1) << (bit & 7))));
}

/**
 * Adds `count` to frsum[n] for every run of exactly n free fragments in the block whose bits are
 * `bits`. A wholly free block counts as no run: it is counted in nbfree.
 */
export function ffs_fragacct(fs: Fs, bits: u32, cgp: Cg, count: i32): void {
  if (bits == (1 << fs.fs_frag) - 1) return;
  let run = 0;
  for (let i = 0; i <= fs.fs_frag; i++) {
    if (i < fs.fs_frag && (bits & (1 << i)) != 0) {
      run++;
      continue;
    }
    if (run > 0) cgp.add_frsum(run, count);
    run = 0;
  }
}

/** Offset in the block of a free run of exactly `size` fragments in `bits`, or -1. */
export function ffs_findrun(fs: Fs, bits: u32, size: i32): i32 {
  let run = 0;
  for (let i = 0; i <= fs.fs_frag; i++) {
    if (i < fs.fs_frag && (bits & (1 << i)) != 0) {
      run++;
      continue;
    }
    if (run == size) return i - run;
    run = 0;
  }
  return -1;
}

/** Recounts the cluster summary of a group from its cluster map. */
export function ffs_clusterruns(fs: Fs, cgp: Cg): void {
  for (let n = 1; n <= fs.fs_contigsumsize; n++) store<i32>(cgp.cg_clustersum(n), 0);
  let run = 0;
  for (let block = 0; block <= cgp.cg_nclusterblks; block++) {
    if (block < cgp.cg_nclusterblks && isset(cgp.cg_clustersfree(), block)) {
      run++;
      continue;
    }
    if (run > 0) {
      const sum = cgp.cg_clustersum(run < fs.fs_contigsumsize ? run : fs.fs_contigsumsize);
      store<i32>(sum, load<i32>(sum) + 1);
    }
    run = 0;
  }
}
