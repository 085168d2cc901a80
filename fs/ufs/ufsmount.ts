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
  /** When it was last told that something has run out (time_second), and what. */
  um_last_fullmsg: u32;
  um_last_fullwhat: usize;
  /** Does space on the device cost memory? Then the two functions below say so. */
  um_thin: u32;
  private claim: u32;
  private release: u32;

  @inline set_claim(f: (devvp: Vnode, bn: i32, size: u32) => i32): void {
    this.claim = f.index;
  }
  @inline set_release(f: (devvp: Vnode, bn: i32, size: u32) => void): void {
    this.release = f.index;
  }
  /** um_thin: memory for `size` bytes at sector `bn`, which are about to have an owner. ENOSPC. Sleeps. */
  @inline um_claim(devvp: Vnode, bn: i32, size: u32): i32 {
    return call_indirect<i32>(this.claim, devvp, bn, size);
  }
  /** um_thin: `size` bytes at sector `bn` have no owner any more. Sleeps. */
  @inline um_release(devvp: Vnode, bn: i32, size: u32): void {
    call_indirect<void>(this.release, devvp, bn, size);
  }
}

export const UFSMOUNT_SIZE: u32 = 72;

export function VFSTOUFS(mp: Mount): Ufsmount {
  return changetype<Ufsmount>(mp.mnt_data);
}
