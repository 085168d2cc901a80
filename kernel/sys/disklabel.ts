// <sys/disklabel.h>: what a disk tells of its geometry and its partitions.

/** _IOR('d', 101, struct disklabel): reads the label. */
export const DIOCGDINFO: u32 = 0x41946465;

export const DISKMAGIC: u32 = 0x82564557;
/** d_type of disks on an ST506 bus and what behaves so. */
export const DTYPE_ST506: u32 = 6;
/** p_fstype of a partition with an FFS. */
export const FS_BSDFFS: u32 = 7;

/** A partition in the label; sizes are in sectors. */
@unmanaged
export class Partition {
  p_size: u32;
  p_offset: u32;
  p_fsize: u32;
  p_fstype: u8;
  p_frag: u8;
  p_cpg: u16;
}

/** struct disklabel; the 16 partitions follow. */
@unmanaged
export class Disklabel {
  d_magic: u32;
  d_type: u16;
  d_subtype: u16;
  /** 16 bytes each. */
  d_typename: u64;
  private typename1: u64;
  d_packname: u64;
  private packname1: u64;
  d_secsize: u32;
  d_nsectors: u32;
  d_ntracks: u32;
  d_ncylinders: u32;
  d_secpercyl: u32;
  d_secperunit: u32;
  d_sparespertrack: u16;
  d_sparespercyl: u16;
  d_acylinders: u32;
  d_rpm: u16;
  d_interleave: u16;
  d_trackskew: u16;
  d_cylskew: u16;
  d_headswitch: u32;
  d_trkseek: u32;
  d_flags: u32;
  private drivedata0: u32;
  private drivedata1: u32;
  private drivedata2: u32;
  private drivedata3: u32;
  private drivedata4: u32;
  private spare0: u32;
  private spare1: u32;
  private spare2: u32;
  private spare3: u32;
  private spare4: u32;
  d_magic2: u32;
  d_checksum: u16;
  d_npartitions: u16;
  d_bbsize: u32;
  d_sbsize: u32;

  @inline partition(index: u32): Partition {
    return changetype<Partition>(changetype<usize>(this) + 148 + index * 16);
  }
}
export const SIZEOF_DISKLABEL: u32 = 404;
