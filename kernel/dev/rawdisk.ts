// Disks as character devices (rwd, rmd, rmfs): whole blocks go between the user's memory
// and the driver, past the buffer cache. NetBSD's physio lends the driver the user's
// pages; here the bytes pass through a buffer.
import {
  Cdevsw, MD_MAJOR, MFS_MAJOR, RMD_CDEV, RMFS_CDEV, RWD_CDEV, WD_MAJOR, bdev_close, bdev_ioctl, bdev_open, bdev_psize,
  bdev_strategy, cdevsw,
} from "../conf";
import { uiomove } from "../kern_subr";
import { EINVAL, ENXIO } from "../sys/errno";
import { DEV_BSHIFT, DEV_BSIZE, MAXPHYS, major, makedev, minor } from "../sys/param";
import { Proc } from "../sys/proc";
import { UIO_READ, Uio } from "../sys/uio";
import { B_INVAL, B_READ, Buf } from "../../fs/buf";
import { biowait, brelse, geteblk } from "../../fs/vfs_bio";

/** The block device behind a character device. */
function blkdev(dev: u32): u32 {
  const maj = major(dev);
  return makedev(maj == RWD_CDEV ? WD_MAJOR : maj == RMD_CDEV ? MD_MAJOR : MFS_MAJOR, minor(dev));
}

function rawopen(dev: u32, flags: u32, p: Proc): i32 {
  return bdev_open(blkdev(dev), flags, p);
}

function rawclose(dev: u32, flags: u32, p: Proc): i32 {
  return bdev_close(blkdev(dev), flags, p);
}

function rawioctl(dev: u32, command: u32, data: usize, flags: u32, p: Proc): i32 {
  return bdev_ioctl(blkdev(dev), command, data, flags, p);
}

function rawpoll(dev: u32, events: u32, p: Proc): i32 {
  return i32(events);
}

/** Has the driver read or write the buffer's `count` bytes. => errno; sleeps */
function raw_transfer(bp: Buf, dev: u32, blkno: i32, count: u32): i32 {
  bp.b_dev = dev;
  bp.b_blkno = blkno;
  bp.b_bcount = count;
  bp.b_resid = 0;
  bdev_strategy(bp);
  return biowait(bp);
}

/** Moves `count` bytes, at most MAXPHYS, all of them on the device. */
function rawblocks(dev: u32, uio: Uio, count: u32): i32 {
  const bp = geteblk(MAXPHYS);
  const blkno = i32(uio.uio_offset >> DEV_BSHIFT);
  const reading = uio.uio_rw == UIO_READ;
  let error: i32 = 0;
  if (reading) bp.b_flags |= B_READ;
  else error = uiomove(bp.b_data, count, uio);
  if (error == 0) error = raw_transfer(bp, dev, blkno, count);
  if (error == 0 && reading) error = uiomove(bp.b_data, count - bp.b_resid, uio);
  bp.b_flags = (bp.b_flags & ~B_READ) | B_INVAL;
  brelse(bp);
  return error;
}

/** Reads and writes: offset and length are multiples of DEV_BSIZE, else EINVAL. Reading stops at the device's end. */
function rawrw(dev: u32, uio: Uio, ioflag: u32): i32 {
  const blk = blkdev(dev);
  const blocks = bdev_psize(blk);
  if (blocks < 0) return ENXIO;
  if (uio.uio_offset < 0 || (u32(uio.uio_offset) & (DEV_BSIZE - 1)) != 0 || (uio.uio_resid & (DEV_BSIZE - 1)) != 0) {
    return EINVAL;
  }
  let error: i32 = 0;
  while (uio.uio_resid > 0 && error == 0) {
    const left = (i64(blocks) << DEV_BSHIFT) - uio.uio_offset;
    if (left <= 0) return uio.uio_rw == UIO_READ ? 0 : EINVAL;
    let count: u32 = uio.uio_resid < MAXPHYS ? uio.uio_resid : MAXPHYS;
    if (i64(count) > left) count = u32(left);
    error = rawblocks(blk, uio, count);
  }
  return error;
}

function fill(sw: Cdevsw): void {
  sw.set_open(rawopen);
  sw.set_close(rawclose);
  sw.set_read(rawrw);
  sw.set_write(rawrw);
  sw.set_ioctl(rawioctl);
  sw.set_poll(rawpoll);
}

/** Makes the character devices of the disks known. */
export function rawattach(): void {
  fill(cdevsw(RWD_CDEV));
  fill(cdevsw(RMD_CDEV));
  fill(cdevsw(RMFS_CDEV));
}
