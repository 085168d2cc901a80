// Is this a super block that can be trusted? A mounted file system divides by
// its numbers, shifts by them and sizes memory by them, so that each is checked
// against the others before anything is done with it.

import { howmany } from "../../kernel/libkern";
import { EINVAL, EROFS } from "../../kernel/sys/errno";
import { DEV_BSIZE, MAXBSIZE } from "../../kernel/sys/param";
import { printf } from "../../kernel/subr_prf";
import { DINODE_SIZE } from "../ufs/dinode";
import {
  CG_SPACE, CSUM_SIZE, FS_42POSTBLFMT, FS_44INODEFMT, FS_MAGIC, FS_MAXCONTIG, FS_STRUCT_SIZE, Fs,
  MAXFRAG, MINBSIZE, fragroundup,
} from "./fs";

function isPowerOf2(x: i32): bool {
  return x > 0 && (x & (x - 1)) == 0;
}

/** Prints what is wrong, with the number found. */
function complain(device: usize, reason: usize, value: i32): i32 {
  printf(cs("%s: not a usable file system: %s (%d)\n"), device, reason, value);
  return EINVAL;
}

/** Sizes of blocks and fragments, and the masks and shifts made of them. */
function checkSizes(fs: Fs, device: usize): i32 {
  const bsize = fs.fs_bsize;
  const fsize = fs.fs_fsize;
  if (!isPowerOf2(bsize) || bsize < i32(MINBSIZE) || bsize > i32(MAXBSIZE)) {
    return complain(device, cs("block size"), bsize);
  }
  if (!isPowerOf2(fsize) || fsize < i32(DEV_BSIZE) || fsize > bsize) {
    return complain(device, cs("fragment size"), fsize);
  }
  if (fs.fs_frag != bsize / fsize || fs.fs_frag > i32(MAXFRAG)) {
    return complain(device, cs("fragments per block"), fs.fs_frag);
  }
  if (fs.fs_sbsize < i32(FS_STRUCT_SIZE) - 4 || fs.fs_sbsize > i32(MAXBSIZE)) {
    return complain(device, cs("super block size"), fs.fs_sbsize);
  }
  if (fs.fs_bmask != ~(bsize - 1)) return complain(device, cs("block mask"), fs.fs_bmask);
  if (fs.fs_fmask != ~(fsize - 1)) return complain(device, cs("fragment mask"), fs.fs_fmask);
  if (u32(fs.fs_bshift) > 16 || 1 << fs.fs_bshift != bsize) return complain(device, cs("block shift"), fs.fs_bshift);
  if (u32(fs.fs_fshift) > 16 || 1 << fs.fs_fshift != fsize) {
    return complain(device, cs("fragment shift"), fs.fs_fshift);
  }
  if (fs.fs_fragshift != fs.fs_bshift - fs.fs_fshift) return complain(device, cs("frag shift"), fs.fs_fragshift);
  if (fs.fs_nspf != fsize / i32(DEV_BSIZE)) return complain(device, cs("sectors per fragment"), fs.fs_nspf);
  if (fs.fs_fsbtodb != fs.fs_fshift - 9) return complain(device, cs("fragment to sector shift"), fs.fs_fsbtodb);
  if (fs.fs_nindir != bsize / 4) return complain(device, cs("pointers per block"), fs.fs_nindir);
  if (fs.fs_inopb != bsize / i32(DINODE_SIZE)) return complain(device, cs("inodes per block"), fs.fs_inopb);
  if (fs.fs_qbmask != i64(bsize - 1)) return complain(device, cs("quad block mask"), i32(fs.fs_qbmask));
  if (fs.fs_qfmask != i64(fsize - 1)) return complain(device, cs("quad fragment mask"), i32(fs.fs_qfmask));
  return 0;
}

/** Cylinders and groups. Products are taken in 64 bits: the numbers may be anything. */
function checkGroups(fs: Fs, device: usize): i32 {
  if (fs.fs_cpg <= 0 || fs.fs_cpg > 0x7fff) return complain(device, cs("cylinders per group"), fs.fs_cpg);
  if (fs.fs_spc <= 0) return complain(device, cs("sectors per cylinder"), fs.fs_spc);
  if (fs.fs_nsect <= 0) return complain(device, cs("sectors per track"), fs.fs_nsect);
  if (fs.fs_fpg <= 0 || (fs.fs_fpg & (fs.fs_frag - 1)) != 0) return complain(device, cs("group size"), fs.fs_fpg);
  if (i64(fs.fs_cpg) * i64(fs.fs_spc) != i64(fs.fs_fpg) * i64(fs.fs_nspf)) {
    return complain(device, cs("group size and cylinders disagree"), fs.fs_fpg);
  }
  if (fs.fs_ncg <= 0 || fs.fs_ncyl <= 0 || fs.fs_ncg > fs.fs_ncyl / fs.fs_cpg + 1) {
    return complain(device, cs("number of groups"), fs.fs_ncg);
  }
  const all = i64(fs.fs_ncg) * i64(fs.fs_fpg);
  if (fs.fs_size <= 0 || i64(fs.fs_size) > all || i64(fs.fs_size) <= all - i64(fs.fs_fpg)) {
    return complain(device, cs("size and number of groups disagree"), fs.fs_size);
  }
  if (i64(fs.fs_size) * i64(fs.fs_nspf) > 0x7fffffff) return complain(device, cs("size"), fs.fs_size);
  if (fs.fs_ipg <= 0 || fs.fs_ipg % fs.fs_inopb != 0 || fs.fs_ipg > 0x7fff) {
    return complain(device, cs("inodes per group"), fs.fs_ipg);
  }
  if (fs.fs_dsize <= 0 || fs.fs_dsize > fs.fs_size) return complain(device, cs("data size"), fs.fs_dsize);
  return 0;
}

/** Bytes the group block needs at least, for the maps that fs_fpg and fs_ipg ask for. */
function groupBytes(fs: Fs): u32 {
  const maps = howmany(u32(fs.fs_ipg), 8) + howmany(u32(fs.fs_fpg), 8);
  if (fs.fs_contigsumsize <= 0) return CG_SPACE + maps;
  return CG_SPACE + maps + u32(fs.fs_contigsumsize) * 4 + howmany(u32(fs.fs_fpg) >> u32(fs.fs_fragshift), 8);
}

/** Where the parts of a group lie, and the summary. */
function checkOffsets(fs: Fs, device: usize): i32 {
  if (fs.fs_sblkno <= 0 || i64(fs.fs_sblkno) * i64(fs.fs_fsize) < 16384) {
    return complain(device, cs("super block offset"), fs.fs_sblkno);
  }
  if (fs.fs_cblkno <= fs.fs_sblkno) return complain(device, cs("group block offset"), fs.fs_cblkno);
  if (fs.fs_iblkno <= fs.fs_cblkno) return complain(device, cs("inode offset"), fs.fs_iblkno);
  const inodeFragments = i64(fs.fs_ipg / fs.fs_inopb) * i64(fs.fs_frag);
  if (i64(fs.fs_dblkno) != i64(fs.fs_iblkno) + inodeFragments) {
    return complain(device, cs("data offset"), fs.fs_dblkno);
  }
  const skew = i64(~fs.fs_cgmask) * i64(fs.fs_cgoffset);
  if (fs.fs_cgoffset < 0 || ~fs.fs_cgmask < 0 || skew + i64(fs.fs_dblkno) > i64(fs.fs_fpg)) {
    return complain(device, cs("group offset"), fs.fs_cgoffset);
  }
  if (fs.fs_contigsumsize < 0 || fs.fs_contigsumsize > i32(FS_MAXCONTIG)) {
    return complain(device, cs("cluster summary size"), fs.fs_contigsumsize);
  }
  if (fs.fs_nrpos < 0 || fs.fs_nrpos > 32) return complain(device, cs("rotational positions"), fs.fs_nrpos);
  if (fs.fs_nrpos > 1 && fs.fs_npsect <= 0) return complain(device, cs("physical sectors per track"), fs.fs_npsect);
  if (fs.fs_cgsize <= 0 || fs.fs_cgsize > fs.fs_bsize || u32(fs.fs_cgsize) < groupBytes(fs)) {
    return complain(device, cs("group block size"), fs.fs_cgsize);
  }
  if (fs.fs_cssize <= 0 || fs.fs_cssize > fragroundup(fs, u32(fs.fs_ncg) * CSUM_SIZE)
    || u32(fs.fs_cssize) < u32(fs.fs_ncg) * CSUM_SIZE) {
    return complain(device, cs("summary size"), fs.fs_cssize);
  }
  if (fs.fs_csaddr <= 0 || i64(fs.fs_csaddr) + i64(fs.fs_cssize >> fs.fs_fshift) > i64(fs.fs_size)) {
    return complain(device, cs("summary address"), fs.fs_csaddr);
  }
  return 0;
}

/** Numbers of the allocation policy, and free counts. */
function checkPolicy(fs: Fs, device: usize): i32 {
  if (fs.fs_minfree < 0 || fs.fs_minfree > 99) return complain(device, cs("minimum free space"), fs.fs_minfree);
  if (u32(fs.fs_optim) > 1) return complain(device, cs("optimization"), fs.fs_optim);
  if (fs.fs_maxcontig < 0) return complain(device, cs("contiguous blocks"), fs.fs_maxcontig);
  if (fs.fs_maxbpg <= 0) return complain(device, cs("blocks of a file per group"), fs.fs_maxbpg);
  if (u32(fs.fs_rotdelay) > 1000) return complain(device, cs("rotational delay"), fs.fs_rotdelay);
  if (fs.fs_cstotal_nbfree < 0 || fs.fs_cstotal_nbfree > fs.fs_size / fs.fs_frag) {
    return complain(device, cs("free blocks"), fs.fs_cstotal_nbfree);
  }
  if (fs.fs_cstotal_nffree < 0 || fs.fs_cstotal_nffree > fs.fs_size) {
    return complain(device, cs("free fragments"), fs.fs_cstotal_nffree);
  }
  if (fs.fs_cstotal_nifree < 0 || i64(fs.fs_cstotal_nifree) > i64(fs.fs_ncg) * i64(fs.fs_ipg)) {
    return complain(device, cs("free inodes"), fs.fs_cstotal_nifree);
  }
  if (fs.fs_inodefmt == FS_44INODEFMT && u32(fs.fs_maxsymlinklen) > 60) {
    return complain(device, cs("short symbolic link length"), fs.fs_maxsymlinklen);
  }
  return 0;
}

/**
 * Checks the super block `fs` read from `device` (a name for the message). Returns 0, EINVAL after one line that says
 * what is wrong, or EROFS for the old table format, which may be mounted read-only. Does not sleep.
 */
export function ffs_sbcheck(fs: Fs, device: usize, readonly: bool): i32 {
  if (fs.fs_magic != FS_MAGIC) return complain(device, cs("bad magic number"), i32(fs.fs_magic));
  let error = checkSizes(fs, device);
  if (error == 0) error = checkGroups(fs, device);
  if (error == 0) error = checkOffsets(fs, device);
  if (error == 0) error = checkPolicy(fs, device);
  if (error != 0) return error;
  if (fs.fs_inodefmt != FS_44INODEFMT) {
    return complain(device, cs("inode format, 4.4BSD's is 2"), fs.fs_inodefmt);
  }
  if (fs.fs_postblformat == FS_42POSTBLFMT && !readonly) {
    printf(cs("%s: old rotational table format: mount it read-only\n"), device);
    return EROFS;
  }
  return 0;
}
