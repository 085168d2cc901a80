// The ioctls that every disk has. Disks here carry no label of their own, so theirs is made up: the geometry that newfs
// builds for, partition a with a file system and the raw partition d, both the whole disk.
import { RAW_PART } from "../conf";
import { strlcpy } from "../libkern";
import { DIOCGDINFO, DISKMAGIC, DTYPE_ST506, Disklabel, FS_BSDFFS } from "../sys/disklabel";
import { ENOTTY } from "../sys/errno";
import { DEV_BSIZE } from "../sys/param";

const SECTORS_PER_TRACK: u32 = 64;
const TRACKS: u32 = 16;
const SECTORS_PER_CYLINDER: u32 = SECTORS_PER_TRACK * TRACKS;
const RPM: u32 = 3600;
const BBSIZE: u32 = 8192;

/** The label's sum over 16-bit words is 0. */
function dkcksum(lp: Disklabel): u16 {
  let sum: u32 = 0;
  const end = changetype<usize>(lp.partition(lp.d_npartitions));
  for (let at = changetype<usize>(lp); at < end; at += 2) sum ^= load<u16>(at);
  return u16(sum);
}

/** Makes the label of a disk of `sectors` sectors. `lp` is zero. */
function fill_label(lp: Disklabel, name: usize, sectors: u32): void {
  lp.d_magic = DISKMAGIC;
  lp.d_magic2 = DISKMAGIC;
  lp.d_type = u16(DTYPE_ST506);
  strlcpy(changetype<usize>(lp) + offsetof<Disklabel>("d_typename"), name, 16);
  strlcpy(changetype<usize>(lp) + offsetof<Disklabel>("d_packname"), cs("fictitious"), 16);
  lp.d_secsize = DEV_BSIZE;
  lp.d_nsectors = SECTORS_PER_TRACK;
  lp.d_ntracks = TRACKS;
  lp.d_secpercyl = SECTORS_PER_CYLINDER;
  lp.d_ncylinders = sectors / SECTORS_PER_CYLINDER;
  lp.d_secperunit = sectors;
  lp.d_rpm = u16(RPM);
  lp.d_interleave = 1;
  lp.d_npartitions = u16(RAW_PART + 1);
  lp.d_bbsize = BBSIZE;
  lp.d_sbsize = BBSIZE;
  lp.partition(0).p_size = sectors;
  lp.partition(0).p_fstype = u8(FS_BSDFFS);
  lp.partition(RAW_PART).p_size = sectors;
  lp.d_checksum = dkcksum(lp);
}

/** The ioctls that every disk has; `name` is that of its driver, `sectors` its size. ENOTTY for others. */
export function disk_ioctl(command: u32, data: usize, name: usize, sectors: i32): i32 {
  if (command != DIOCGDINFO || sectors < 0) return ENOTTY;
  fill_label(changetype<Disklabel>(data), name, u32(sectors));
  return 0;
}
