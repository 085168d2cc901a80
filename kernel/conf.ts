// The switch tables of devices: what the major number of a device number leads to.
//
// Slots of a driver hold code addresses; an entry without d_strategy is empty.
// Major numbers are NetBSD/i386's: wd 0, md 17, mfs 255; only the character device of mfs is not from there.
// A minor number is unit * MAXPARTITIONS + partition; partition RAW_PART is the whole disk. mfs has no partitions.
import { ENXIO } from "./sys/errno";
import { major } from "./sys/param";
import { Proc } from "./sys/proc";
import { Uio } from "./sys/uio";
import { Buf } from "../fs/buf";

export const MAXPARTITIONS: u32 = 8;
export const RAW_PART: u32 = 3;

// d_type.
export const D_TAPE: u32 = 1;
export const D_DISK: u32 = 2;

export const WD_MAJOR: u32 = 0;
export const MD_MAJOR: u32 = 17;
/** Its entry stands behind those of the others. */
export const MFS_MAJOR: u32 = 255;
const NBLKDEV: u32 = 18;

@unmanaged export class Bdevsw {
  d_open: u32;
  d_close: u32;
  d_strategy: u32;
  d_ioctl: u32;
  d_psize: u32;
  d_type: u32;
  /** Name of the driver: two letters. */
  d_name: usize;

  @inline set_open(f: (dev: u32, flags: u32, p: Proc) => i32): void { this.d_open = f.index; }
  @inline set_close(f: (dev: u32, flags: u32, p: Proc) => i32): void { this.d_close = f.index; }
  @inline set_strategy(f: (bp: Buf) => void): void { this.d_strategy = f.index; }
  @inline set_ioctl(f: (dev: u32, command: u32, data: usize, flags: u32, p: Proc) => i32): void {
    this.d_ioctl = f.index;
  }
  @inline set_psize(f: (dev: u32) => i32): void { this.d_psize = f.index; }
}

const BDEVSW_SIZE: u32 = 28;
const bdevsw_table: usize = memory.data(28 * 19, 4);

/** The entry of a device; drivers fill theirs when they attach. */
export function bdevsw(maj: u32): Bdevsw {
  return changetype<Bdevsw>(bdevsw_table + (maj == MFS_MAJOR ? NBLKDEV : maj) * BDEVSW_SIZE);
}

/** The entry of a device if it has a driver, else 0. */
function driver(dev: u32): Bdevsw {
  const maj = major(dev);
  if ((maj >= NBLKDEV && maj != MFS_MAJOR) || bdevsw(maj).d_strategy == 0) return changetype<Bdevsw>(0);
  return bdevsw(maj);
}

/** Major numbers of character devices. */
export const CONS_CDEV: u32 = 0;
export const CTTY_CDEV: u32 = 1;
export const MEM_CDEV: u32 = 2;
export const RWD_CDEV: u32 = 3;
export const COM_CDEV: u32 = 8;
export const RMD_CDEV: u32 = 47;
export const RMFS_CDEV: u32 = 48;
/** A number for local use: NetBSD has no such device. */
export const POLICY_CDEV: u32 = 49;
const NCHRDEV: u32 = 50;

@unmanaged export class Cdevsw {
  d_open: u32;
  d_close: u32;
  d_read: u32;
  d_write: u32;
  d_ioctl: u32;
  d_poll: u32;

  @inline set_open(f: (dev: u32, flags: u32, p: Proc) => i32): void { this.d_open = f.index; }
  @inline set_close(f: (dev: u32, flags: u32, p: Proc) => i32): void { this.d_close = f.index; }
  @inline set_read(f: (dev: u32, uio: Uio, ioflag: u32) => i32): void { this.d_read = f.index; }
  @inline set_write(f: (dev: u32, uio: Uio, ioflag: u32) => i32): void { this.d_write = f.index; }
  @inline set_ioctl(f: (dev: u32, command: u32, data: usize, flags: u32, p: Proc) => i32): void {
    this.d_ioctl = f.index;
  }
  @inline set_poll(f: (dev: u32, events: u32, p: Proc) => i32): void { this.d_poll = f.index; }
}

const CDEVSW_SIZE: u32 = 24;
const cdevsw_table: usize = memory.data(24 * 50, 4);

/** The entry of a character device; drivers fill theirs when they attach. */
export function cdevsw(maj: u32): Cdevsw {
  return changetype<Cdevsw>(cdevsw_table + maj * CDEVSW_SIZE);
}

/** The entry of a character device if it has a driver, else 0. */
function cdriver(dev: u32): Cdevsw {
  const maj = major(dev);
  if (maj >= NCHRDEV || cdevsw(maj).d_open == 0) return changetype<Cdevsw>(0);
  return cdevsw(maj);
}

/** Opens a character device. ENXIO without driver. */
export function cdev_open(dev: u32, flags: u32, p: Proc): i32 {
  const sw = cdriver(dev);
  return changetype<usize>(sw) == 0 ? ENXIO : call_indirect<i32>(sw.d_open, dev, flags, p);
}

export function cdev_close(dev: u32, flags: u32, p: Proc): i32 {
  const sw = cdriver(dev);
  return changetype<usize>(sw) == 0 ? ENXIO : call_indirect<i32>(sw.d_close, dev, flags, p);
}

export function cdev_read(dev: u32, uio: Uio, ioflag: u32): i32 {
  const sw = cdriver(dev);
  return changetype<usize>(sw) == 0 ? ENXIO : call_indirect<i32>(sw.d_read, dev, uio, ioflag);
}

export function cdev_write(dev: u32, uio: Uio, ioflag: u32): i32 {
  const sw = cdriver(dev);
  return changetype<usize>(sw) == 0 ? ENXIO : call_indirect<i32>(sw.d_write, dev, uio, ioflag);
}

export function cdev_ioctl(dev: u32, command: u32, data: usize, flags: u32, p: Proc): i32 {
  const sw = cdriver(dev);
  return changetype<usize>(sw) == 0 ? ENXIO : call_indirect<i32>(sw.d_ioctl, dev, command, data, flags, p);
}

export function cdev_poll(dev: u32, events: u32, p: Proc): i32 {
  const sw = cdriver(dev);
  return changetype<usize>(sw) == 0 ? 0 : call_indirect<i32>(sw.d_poll, dev, events, p);
}

/** Is there a driver for the device? */
export function bdev_configured(dev: u32): bool {
  return changetype<usize>(driver(dev)) != 0;
}

/** Opens a block device. ENXIO without driver. */
export function bdev_open(dev: u32, flags: u32, p: Proc): i32 {
  const sw = driver(dev);
  if (changetype<usize>(sw) == 0) return ENXIO;
  return call_indirect<i32>(sw.d_open, dev, flags, p);
}

export function bdev_close(dev: u32, flags: u32, p: Proc): i32 {
  const sw = driver(dev);
  if (changetype<usize>(sw) == 0) return ENXIO;
  return call_indirect<i32>(sw.d_close, dev, flags, p);
}

export function bdev_ioctl(dev: u32, command: u32, data: usize, flags: u32, p: Proc): i32 {
  const sw = driver(dev);
  if (changetype<usize>(sw) == 0) return ENXIO;
  return call_indirect<i32>(sw.d_ioctl, dev, command, data, flags, p);
}

/** Starts the I/O of a buffer; the device must have a driver. */
export function bdev_strategy(bp: Buf): void {
  call_indirect<void>(bdevsw(major(bp.b_dev)).d_strategy, bp);
}

/** Size of a partition in units of DEV_BSIZE; -1 when it does not exist. */
export function bdev_psize(dev: u32): i32 {
  const sw = driver(dev);
  if (changetype<usize>(sw) == 0) return -1;
  return call_indirect<i32>(sw.d_psize, dev);
}

/** D_TAPE, D_DISK, or 0 without driver. */
export function bdev_type(dev: u32): u32 {
  const sw = driver(dev);
  return changetype<usize>(sw) == 0 ? 0 : sw.d_type;
}

/** Name of the driver of a block device, "??" without. */
export function bdev_name(dev: u32): usize {
  const sw = driver(dev);
  return changetype<usize>(sw) == 0 ? cs("??") : sw.d_name;
}

/** Major number of the driver whose two letters `name` begins with; -1 = none. */
export function bdev_findname(name: usize): i32 {
  for (let maj: u32 = 0; maj < NBLKDEV; maj++) {
    const sw = bdevsw(maj);
    if (sw.d_strategy == 0) continue;
    if (load<u8>(name) == load<u8>(sw.d_name) && load<u8>(name + 1) == load<u8>(sw.d_name + 1)) return maj;
  }
  return -1;
}
