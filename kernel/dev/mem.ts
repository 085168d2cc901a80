// mem(4): /dev/mem (minor 0, physical memory below 16 MB: what the kernel maps), kmem (1), null (2), zero (12).
import { MEM_CDEV, cdevsw } from "../conf";
import { bss } from "../i386/cpufunc";
import { uiomove } from "../kern_subr";
import { EFAULT, ENODEV, ENXIO } from "../sys/errno";
import { KERNBASE, PAGE_SIZE, minor } from "../sys/param";
import { Proc } from "../sys/proc";
import { UIO_READ, Uio } from "../sys/uio";
import { uvm_kernacc } from "../../vm/uvm_glue";

const DEV_MEM: u32 = 0;
const DEV_NULL: u32 = 2;
const DEV_ZERO: u32 = 12;
/** Physical memory that is mapped at KERNBASE from the first instruction on. */
const MAPPED: u32 = 16 << 20;

function zero_page(): usize {
  return bss(4096, 4096);
}

function mmopen(dev: u32, flags: u32, p: Proc): i32 {
  const unit = minor(dev);
  return unit <= DEV_NULL || unit == DEV_ZERO ? 0 : ENXIO;
}

function mmclose(dev: u32, flags: u32, p: Proc): i32 {
  return 0;
}

/** One page's worth of memory at the request's offset. Writing to the kernel's text is refused like any bad address. */
function move_memory(uio: Uio, physical: bool): i32 {
  if (uio.uio_offset < 0 || uio.uio_offset > 0xffffffff) return EFAULT;
  let address = usize(uio.uio_offset);
  if (physical) {
    if (address >= MAPPED) return EFAULT;
    address += KERNBASE;
  }
  let count = PAGE_SIZE - (address & (PAGE_SIZE - 1));
  if (count > uio.uio_resid) count = uio.uio_resid;
  if (address < KERNBASE) return EFAULT;
  if (!physical && address >= KERNBASE + MAPPED && !uvm_kernacc(address, count, uio.uio_rw == UIO_READ)) return EFAULT;
  return uiomove(address, count, uio);
}

function mmrw(dev: u32, uio: Uio, ioflag: u32): i32 {
  const unit = minor(dev);
  if (unit == DEV_NULL) {
    if (uio.uio_rw != UIO_READ) uio.uio_resid = 0;
    return 0;
  }
  if (unit == DEV_ZERO && uio.uio_rw != UIO_READ) {
    uio.uio_resid = 0;
    return 0;
  }
  let error: i32 = 0;
  while (uio.uio_resid > 0 && error == 0) {
    if (unit == DEV_ZERO) error = uiomove(zero_page(), PAGE_SIZE, uio);
    else error = move_memory(uio, unit == DEV_MEM);
  }
  return error;
}

function mmioctl(dev: u32, command: u32, data: usize, flags: u32, p: Proc): i32 {
  return ENODEV;
}

function mmpoll(dev: u32, events: u32, p: Proc): i32 {
  return i32(events);
}

/** Makes the memory devices known. */
export function mmattach(): void {
  const sw = cdevsw(MEM_CDEV);
  sw.set_open(mmopen);
  sw.set_close(mmclose);
  sw.set_read(mmrw);
  sw.set_write(mmrw);
  sw.set_ioctl(mmioctl);
  sw.set_poll(mmpoll);
}
