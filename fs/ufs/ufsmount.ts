// The mounted file system as the UFS layer sees it: mnt_data of a Mount points here.

import { Mount } from "../mount";
import { Vnode } from "../vnode";
import { Fs } from "../ffs/fs";

@unmanaged
export class Ufsmount {
  um_mountp: Mount;
  um_dev: u32;
  um_devvp: Vnode;
  um_fs: Fs;
  /** Entries of an indirect block, and log2 of it. */
  um_nindir: u32;
  um_lognindir: u32;
  /** Sectors (512 bytes) of a fragment, as a shift: fragment address -> b_blkno. */
  um_bptrtodb: u32;
  /** Blocks from one sequential block to the next, in fragments. */
  um_seqinc: u32;
  um_maxsymlinklen: u32;
  private um_pad: u32;
  /** Largest file: fs_maxfilesize capped by what a block number can name. */
  um_maxfilesize: u64;
}

export const UFSMOUNT_SIZE: u32 = 48;

export function VFSTOUFS(mp: Mount): Ufsmount {
  return changetype<Ufsmount>(mp.mnt_data);
}
