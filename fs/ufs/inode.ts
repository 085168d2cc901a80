// The inode in memory: everything known about one file while a vnode for it
// exists. v_data of the vnode points here; the two live and die together.
//
// Invariants: while the inode is on the hash chain, i_number and i_dev name it;
// all other fields are guarded by the vnode's lock. The directory fields
// (i_count … i_reclen) carry what ufs_lookup found to the operation that
// follows while the directory stays locked.

import { Vnode } from "../vnode";
import { Fs, dblksize } from "../ffs/fs";
import { Dinode } from "./dinode";
import { Ufsmount } from "./ufsmount";

// i_flag: what has to be written back.
/** Access time update requested. */
export const IN_ACCESS: u32 = 0x1;
/** Inode change time update requested. */
export const IN_CHANGE: u32 = 0x2;
/** Modification time update requested. */
export const IN_UPDATE: u32 = 0x4;
/** Modified: the disk inode differs. */
export const IN_MODIFIED: u32 = 0x8;
/** Only the access time differs. */
export const IN_ACCESSED: u32 = 0x80;

/** One file, INODE_SIZE bytes. */
@unmanaged
export class Inode {
  i_hash_next: usize;
  i_hash_prev: usize;
  i_vnode: Vnode;
  i_devvp: Vnode;
  i_ump: Ufsmount;
  i_fs: Fs;
  i_flag: u32;
  i_dev: u32;
  i_number: u32;
  i_modrev: u32;
  /** Size of the free slot at i_offset (0: entry found or to be appended). */
  i_count: i32;
  /** End of useful stuff in the directory: where it may be truncated. */
  i_endoff: i32;
  /** Where the last lookup stopped. */
  i_diroff: i32;
  /** Offset of the entry found or of the free slot. */
  i_offset: i32;
  /** Inode number found. */
  i_ino: u32;
  /** Record length of the entry found. */
  i_reclen: u32;
  // The disk inode follows at INODE_DIN; its names are repeated here as accessors.

  @inline i_din(): Dinode {
    return changetype<Dinode>(changetype<usize>(this) + INODE_DIN);
  }
  @inline get i_mode(): u32 {
    return u32(this.i_din().di_mode);
  }
  set i_mode(mode: u32) {
    this.i_din().di_mode = u16(mode);
  }
  @inline get i_nlink(): i32 {
    return i32(this.i_din().di_nlink);
  }
  set i_nlink(count: i32) {
    this.i_din().di_nlink = i16(count);
  }
  @inline get i_size(): u64 {
    return this.i_din().di_size;
  }
  set i_size(size: u64) {
    this.i_din().di_size = size;
  }
  @inline get i_flags(): u32 {
    return this.i_din().di_flags;
  }
  set i_flags(flags: u32) {
    this.i_din().di_flags = flags;
  }
  @inline get i_blocks(): u32 {
    return this.i_din().di_blocks;
  }
  set i_blocks(blocks: u32) {
    this.i_din().di_blocks = blocks;
  }
  @inline get i_gen(): u32 {
    return this.i_din().di_gen;
  }
  set i_gen(gen: u32) {
    this.i_din().di_gen = gen;
  }
  @inline get i_uid(): u32 {
    return this.i_din().di_uid;
  }
  set i_uid(uid: u32) {
    this.i_din().di_uid = uid;
  }
  @inline get i_gid(): u32 {
    return this.i_din().di_gid;
  }
  set i_gid(gid: u32) {
    this.i_din().di_gid = gid;
  }
  @inline i_db(n: i32): i32 {
    return this.i_din().di_db(n);
  }
  @inline set_i_db(n: i32, block: i32): void {
    this.i_din().set_di_db(n, block);
  }
  @inline i_ib(n: i32): i32 {
    return this.i_din().di_ib(n);
  }
  @inline set_i_ib(n: i32, block: i32): void {
    this.i_din().set_di_ib(n, block);
  }
}

/** Offset of the disk inode in an Inode, a multiple of 8. */
export const INODE_DIN: usize = 64;
export const INODE_SIZE: u32 = 192;

/** Levels of indirection of one block and where each pointer stands (ufs_getlbns). */
@unmanaged
export class Indir {
  /** Logical block of the indirect block that holds the pointer; the block itself in the first element. */
  in_lbn: i32;
  in_off: i32;
}

export const INDIR_SIZE: usize = 8;

export function VTOI(vp: Vnode): Inode {
  return changetype<Inode>(vp.v_data);
}

export function ITOV(ip: Inode): Vnode {
  return ip.i_vnode;
}

/** Bytes of logical block `lbn` of the file. */
export function blksize(fs: Fs, ip: Inode, lbn: i32): i32 {
  return dblksize(fs, ip.i_size, lbn);
}
