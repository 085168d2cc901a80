// struct stat of the user interface; 64-bit members are 4-aligned as in C on the
// i386, hence pairs of words. 96 bytes.
@unmanaged export class Stat {
  st_dev: u32;
  st_ino: u32;
  st_mode: u32;
  st_nlink: u32;
  st_uid: u32;
  st_gid: u32;
  st_rdev: u32;
  st_atime: u32;
  st_atimensec: u32;
  st_mtime: u32;
  st_mtimensec: u32;
  st_ctime: u32;
  st_ctimensec: u32;
  st_size_low: u32;
  st_size_high: u32;
  st_blocks_low: u32;
  st_blocks_high: u32;
  st_blksize: u32;
  st_flags: u32;
  st_gen: u32;
  st_qspare0: u32;
  st_qspare1: u32;
  st_qspare2: u32;
  st_qspare3: u32;

  @inline get st_size(): u64 { return (u64(this.st_size_high) << 32) | u64(this.st_size_low); }
}
