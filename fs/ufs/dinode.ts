// The inode as it lies on the disk (128 bytes, ffs.md §4) and the constants of
// <ufs/ufs/dinode.h> and of the mode word of <sys/stat.h>.

/** Inode of the root directory; 0 means no inode, 1 once held bad blocks. */
export const ROOTINO: u32 = 2;
export const WINO: u32 = 1;

/** Direct block pointers and indirect block pointers of an inode. */
export const NDADDR: i32 = 12;
export const NIADDR: i32 = 3;

/** Bytes of an inode on the disk. */
export const DINODE_SIZE: u32 = 128;
/** Bytes of the block pointers: room for the text of a short symbolic link. */
export const MAXSYMLINKLEN: u32 = 60;
/** Largest link count. */
export const LINK_MAX: i32 = 32767;

// File modes: permission bits.
export const IEXEC: u32 = 0o100;
export const IWRITE: u32 = 0o200;
export const IREAD: u32 = 0o400;
export const ISVTX: u32 = 0o1000;
export const ISGID: u32 = 0o2000;
export const ISUID: u32 = 0o4000;

// File modes: types.
export const IFMT: u32 = 0o170000;
export const IFIFO: u32 = 0o010000;
export const IFCHR: u32 = 0o020000;
export const IFDIR: u32 = 0o040000;
export const IFBLK: u32 = 0o060000;
export const IFREG: u32 = 0o100000;
export const IFLNK: u32 = 0o120000;
export const IFSOCK: u32 = 0o140000;
export const IFWHT: u32 = 0o160000;

// File flags (chflags(2)).
export const UF_NODUMP: u32 = 0x1;
export const UF_IMMUTABLE: u32 = 0x2;
export const UF_APPEND: u32 = 0x4;
export const UF_OPAQUE: u32 = 0x8;
export const UF_SETTABLE: u32 = 0xffff;
export const SF_ARCHIVED: u32 = 0x10000;
export const SF_IMMUTABLE: u32 = 0x20000;
export const SF_APPEND: u32 = 0x40000;
export const SF_SETTABLE: u32 = 0xffff0000;
export const FLAGS_IMMUTABLE: u32 = 0x20002;
export const FLAGS_APPEND: u32 = 0x40004;

const DI_DB: usize = 40;
const DI_IB: usize = 88;

/** A disk inode. The block pointers are reached by methods, since the dialect has no arrays in structs. */
@unmanaged
export class Dinode {
  di_mode: u16;
  di_nlink: i16;
  di_oldids: u32;
  di_size: u64;
  di_atime: u32;
  di_atimensec: u32;
  di_mtime: u32;
  di_mtimensec: u32;
  di_ctime: u32;
  di_ctimensec: u32;
  private db0: i32;
  private db1: i32;
  private db2: i32;
  private db3: i32;
  private db4: i32;
  private db5: i32;
  private db6: i32;
  private db7: i32;
  private db8: i32;
  private db9: i32;
  private db10: i32;
  private db11: i32;
  private ib0: i32;
  private ib1: i32;
  private ib2: i32;
  di_flags: u32;
  /** 512-byte units held, indirect blocks included. */
  di_blocks: u32;
  di_gen: u32;
  di_uid: u32;
  di_gid: u32;
  private spare0: u32;
  private spare1: u32;

  /** Direct block pointer `n` (fragment address, 0 = hole). */
  @inline di_db(n: i32): i32 {
    return load<i32>(changetype<usize>(this) + DI_DB + (usize(n) << 2));
  }
  @inline set_di_db(n: i32, block: i32): void {
    store<i32>(changetype<usize>(this) + DI_DB + (usize(n) << 2), block);
  }
  /** Indirect block pointer of level `n` + 1. */
  @inline di_ib(n: i32): i32 {
    return load<i32>(changetype<usize>(this) + DI_IB + (usize(n) << 2));
  }
  @inline set_di_ib(n: i32, block: i32): void {
    store<i32>(changetype<usize>(this) + DI_IB + (usize(n) << 2), block);
  }
  /** Address of the text of a short symbolic link. */
  @inline di_shortlink(): usize {
    return changetype<usize>(this) + DI_DB;
  }
  /** Device number of a VBLK or VCHR inode. */
  @inline di_rdev(): u32 {
    return u32(this.di_db(0));
  }
  @inline set_di_rdev(dev: u32): void {
    this.set_di_db(0, i32(dev));
  }
}
