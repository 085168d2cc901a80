// The devices of memory file systems: block device (255, n) and, through
// kernel/dev/rawdisk.ts, character device (48, n) are the disk of one mount. n is
// the lowest number that is free; st_dev of every file of the mount has it.
//
// The file system itself does its I/O by mfs_strategy on the vnode it was mounted
// with. Whoever opens the devices comes in here: the same ways, but the mount may go
// away meanwhile. Then requests fail with ENXIO; mfs_release waits for those that
// are under way (mfs_raw).

import { Bdevsw, D_DISK, MFS_MAJOR, bdevsw } from "../../kernel/conf";
import { bss, frame_alloc } from "../../kernel/i386/cpufunc";
import { tsleep, wakeup } from "../../kernel/kern_synch";
import { EINVAL, ENOTTY, ENXIO } from "../../kernel/sys/errno";
import { DEV_BSHIFT, PRIBIO, makedev, minor } from "../../kernel/sys/param";
import { Proc } from "../../kernel/sys/proc";
import { B_READ, Buf } from "../buf";
import { vcount, vfinddev } from "../vfs_alias";
import { biodone } from "../vfs_bio";
import { VBLK, Vnode } from "../vnode";
import { mfs_strategy } from "./mfs_vnops";
import { MFS_RELEASED, Mfsnode, mfs_iodone } from "./mfsnode";

const NMFS: u32 = 256;

/** The Mfsnode of each minor number, or 0. */
function mfs_nodes(): usize {
  return bss(1024, 4);
}

/** Has somebody the block device open? What was mounted from it may be gone. */
function is_open(n: u32): bool {
  const vpp = frame_alloc(4);
  return vfinddev(makedev(MFS_MAJOR, n), VBLK, vpp) && vcount(changetype<Vnode>(load<usize>(vpp))) > 0;
}

/** A number for the device of `mfsp`; -1 when none is left. Sleeps. */
export function mfs_dev_alloc(mfsp: Mfsnode): i32 {
  for (let n: u32 = 0; n < NMFS; n++) {
    if (is_open(n) || load<usize>(mfs_nodes() + n * 4) != 0) continue;
    store<usize>(mfs_nodes() + n * 4, changetype<usize>(mfsp));
    return i32(n);
  }
  return -1;
}

/** The number is free again. */
export function mfs_dev_free(dev: u32): void {
  store<usize>(mfs_nodes() + minor(dev) * 4, 0);
}

/** The Mfsnode of a device; 0 when nothing is mounted from it (any more). */
export function mfs_dev_node(dev: u32): Mfsnode {
  const mfsp = changetype<Mfsnode>(load<usize>(mfs_nodes() + minor(dev) * 4));
  if (changetype<usize>(mfsp) != 0 && (mfsp.mfs_flags & MFS_RELEASED) != 0) return changetype<Mfsnode>(0);
  return mfsp;
}

/** Waits until nobody is in the middle of a request of the devices. Sleeps. */
export function mfs_dev_drain(mfsp: Mfsnode): void {
  while (mfsp.mfs_raw != 0) tsleep(changetype<usize>(mfsp), PRIBIO, cs("mfsdrn"), 0);
}

function mfsdevopen(dev: u32, flags: u32, p: Proc): i32 {
  return changetype<usize>(mfs_dev_node(dev)) != 0 ? 0 : ENXIO;
}

function mfsdevclose(dev: u32, flags: u32, p: Proc): i32 {
  return 0;
}

function mfsdevioctl(dev: u32, command: u32, data: usize, flags: u32, p: Proc): i32 {
  return ENOTTY;
}

function mfsdevsize(dev: u32): i32 {
  const mfsp = mfs_dev_node(dev);
  return changetype<usize>(mfsp) != 0 ? i32(mfsp.mfs_size >> DEV_BSHIFT) : -1;
}

/** The I/O of a buffer; at the end of the device nothing is left to read. Sleeps. */
function mfsdevstrategy(bp: Buf): void {
  const mfsp = mfs_dev_node(bp.b_dev);
  if (changetype<usize>(mfsp) == 0) {
    mfs_iodone(bp, ENXIO);
    return;
  }
  if (u32(bp.b_blkno) >= mfsp.mfs_size >> DEV_BSHIFT) {
    bp.b_resid = bp.b_bcount;
    if ((bp.b_flags & B_READ) != 0) biodone(bp);
    else mfs_iodone(bp, EINVAL);
    return;
  }
  mfsp.mfs_raw++;
  mfs_strategy(bp);
  mfsp.mfs_raw--;
  if (mfsp.mfs_raw == 0) wakeup(changetype<usize>(mfsp));
}

/** Makes the block device known; once, at boot. */
export function mfs_dev_init(): void {
  const sw: Bdevsw = bdevsw(MFS_MAJOR);
  sw.set_open(mfsdevopen);
  sw.set_close(mfsdevclose);
  sw.set_strategy(mfsdevstrategy);
  sw.set_ioctl(mfsdevioctl);
  sw.set_psize(mfsdevsize);
  sw.d_type = D_DISK;
  sw.d_name = cs("mfs");
}
