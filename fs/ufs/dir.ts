// Directory entries on the disk (ffs.md §5).
//
// A directory is a sequence of DIRBLKSIZ chunks, each written to the disk in
// one piece. The entries of a chunk fill it completely: the record length of an
// entry covers the free space behind its name. An entry with inode 0 is free.

import { IFMT } from "./dinode";

export const DIRBLKSIZ: u32 = 512;
export const MAXNAMLEN: u32 = 255;
/** Bytes before the name. */
export const DIRECT_HEAD: u32 = 8;
/** Room for one entry with the longest name. */
export const DIRECT_MAX: u32 = 264;

export const DT_UNKNOWN: u32 = 0;
export const DT_FIFO: u32 = 1;
export const DT_CHR: u32 = 2;
export const DT_DIR: u32 = 4;
export const DT_BLK: u32 = 6;
export const DT_REG: u32 = 8;
export const DT_LNK: u32 = 10;
export const DT_SOCK: u32 = 12;
export const DT_WHT: u32 = 14;

/** One entry; the name with its NUL follows the fixed part. */
@unmanaged
export class Direct {
  d_ino: u32;
  d_reclen: u16;
  d_type: u8;
  d_namlen: u8;

  @inline d_name(): usize {
    return changetype<usize>(this) + DIRECT_HEAD;
  }
}

/** Bytes an entry with a name of `namlen` bytes needs. */
export function DIRSIZ(namlen: u32): u32 {
  return DIRECT_HEAD + ((namlen + 1 + 3) & ~3);
}

/** The type byte for a mode word. */
export function IFTODT(mode: u32): u32 {
  return (mode & IFMT) >> 12;
}
