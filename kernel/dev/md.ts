// The memory disk md (md(4)): unit n is boot module n, a file system image that
// the boot loader put into memory. Requests are copies; they end at once.
//
// Partition a and the raw partition d are the whole image.
import { Buf, B_ERROR, B_READ } from "../../fs/buf";
import { biodone } from "../../fs/vfs_bio";
import { D_DISK, MAXPARTITIONS, MD_MAJOR, RAW_PART, bdevsw } from "../conf";
import { frame_alloc } from "../i386/cpufunc";
import { multiboot_module } from "../i386/multiboot";
import { memcpy } from "../libkern";
import { printf } from "../subr_prf";
import { EINVAL, ENXIO } from "../sys/errno";
import { DEV_BSHIFT, minor } from "../sys/param";
import { Proc } from "../sys/proc";
import { disk_ioctl } from "./disklabel";

const MD_UNITS: u32 = 4;

@unmanaged class MdSoftc {
  sc_addr: usize;
  /** Bytes, a multiple of DEV_BSIZE; 0 = no such unit. */
  sc_size: u32;
}

const md_softcs: usize = memory.data(32, 4);

function md_softc(unit: u32): MdSoftc {
  return changetype<MdSoftc>(md_softcs + unit * offsetof<MdSoftc>());
}

/** The unit of a device number; 0 when it does not exist. */
function md_unit(dev: u32): MdSoftc {
  const unit = minor(dev) / MAXPARTITIONS;
  const part = minor(dev) % MAXPARTITIONS;
  if (unit >= MD_UNITS || (part != 0 && part != RAW_PART)) return changetype<MdSoftc>(0);
  const sc = md_softc(unit);
  return sc.sc_size != 0 ? sc : changetype<MdSoftc>(0);
}

function mdopen(dev: u32, flags: u32, p: Proc): i32 {
  return changetype<usize>(md_unit(dev)) != 0 ? 0 : ENXIO;
}

function mdclose(dev: u32, flags: u32, p: Proc): i32 {
  return 0;
}

function mdioctl(dev: u32, command: u32, data: usize, flags: u32, p: Proc): i32 {
  return disk_ioctl(command, data, cs("md"), mdsize(dev));
}

function mdsize(dev: u32): i32 {
  const sc = md_unit(dev);
  return changetype<usize>(sc) != 0 ? i32(sc.sc_size >> DEV_BSHIFT) : -1;
}

/** Copies between the buffer and the image; at the end of the image nothing is left to read. */
function mdstrategy(bp: Buf): void {
  const sc = md_unit(bp.b_dev);
  bp.b_resid = bp.b_bcount;
  if (changetype<usize>(sc) == 0) {
    bp.b_error = ENXIO;
    bp.b_flags |= B_ERROR;
    biodone(bp);
    return;
  }
  const blocks = sc.sc_size >> DEV_BSHIFT;
  const first = u32(bp.b_blkno);
  if (first < blocks) {
    const at = sc.sc_addr + (first << DEV_BSHIFT);
    const room = (blocks - first) << DEV_BSHIFT;
    const length = bp.b_bcount < room ? bp.b_bcount : room;
    if ((bp.b_flags & B_READ) != 0) memcpy(bp.b_data, at, length);
    else memcpy(at, bp.b_data, length);
    bp.b_resid = bp.b_bcount - length;
  } else if (first > blocks || (bp.b_flags & B_READ) == 0) {
    bp.b_error = EINVAL;
    bp.b_flags |= B_ERROR;
  }
  biodone(bp);
}

/** Makes units of the boot modules. */
export function mdattach(): void {
  const sw = bdevsw(MD_MAJOR);
  sw.set_open(mdopen);
  sw.set_close(mdclose);
  sw.set_strategy(mdstrategy);
  sw.set_ioctl(mdioctl);
  sw.set_psize(mdsize);
  sw.d_type = D_DISK;
  sw.d_name = cs("md");
  const start = frame_alloc(4);
  const end = frame_alloc(4);
  for (let unit: u32 = 0; unit < MD_UNITS; unit++) {
    if (!multiboot_module(unit, start, end)) return;
    const sc = md_softc(unit);
    sc.sc_addr = load<usize>(start);
    sc.sc_size = u32(load<usize>(end) - load<usize>(start)) & ~511;
    printf(cs("md%d: internal %dK image area\n"), unit, sc.sc_size >> 10);
  }
}
