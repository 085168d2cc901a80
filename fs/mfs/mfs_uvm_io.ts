// The way `uvm_io`: the file system stays in the memory of mount_mfs, but whoever
// makes a request does it himself: uvm_io shows him the pages (the entries of the
// process's map, copied into kernel_map), copies, and takes them away again.
//
// So no switch and no queue; it works while the process is being told to go, and
// while the kernel panics. The process is there only to own the memory. The price
// is a mapping made and removed for each request. It is the approach that the
// mail compares itself with.

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { EIO } from "../../kernel/sys/errno";
import { DEV_BSHIFT } from "../../kernel/sys/param";
import { Iovec, SIZEOF_IOVEC, SIZEOF_UIO, UIO_READ, UIO_SYSSPACE, UIO_WRITE, Uio } from "../../kernel/sys/uio";
import { uvm_io } from "../../vm/uvm_extract";
import { B_READ, Buf } from "../buf";
import { MFS_CLOSED, MfsArgs, Mfsnode, Mfsway, mfs_inrange, mfs_iodone } from "./mfsnode";

/** Moves the bytes; 0 or an errno. */
function transfer(mfsp: Mfsnode, bp: Buf): i32 {
  const iov = changetype<Iovec>(frame_alloc(SIZEOF_IOVEC));
  const uio = changetype<Uio>(frame_alloc(SIZEOF_UIO));
  iov.iov_base = bp.b_data;
  iov.iov_len = bp.b_bcount;
  uio.uio_iov = iov;
  uio.uio_iovcnt = 1;
  uio.uio_offset = i64(mfsp.mfs_baseoff + (usize(bp.b_blkno) << DEV_BSHIFT));
  uio.uio_resid = bp.b_bcount;
  uio.uio_segflg = UIO_SYSSPACE;
  // What is read from the file system is read from the process, into the buffer.
  uio.uio_rw = (bp.b_flags & B_READ) != 0 ? UIO_READ : UIO_WRITE;
  uio.uio_procp = 0;
  const error = uvm_io(mfsp.mfs_server.p_vmspace.vm_map, uio);
  return error == 0 && uio.uio_resid != 0 ? EIO : error;
}

function mfs_uvm_io_io(mfsp: Mfsnode, bp: Buf): void {
  const possible = mfs_inrange(mfsp, bp) && (mfsp.mfs_flags & MFS_CLOSED) == 0;
  mfs_iodone(bp, possible ? transfer(mfsp, bp) : EIO);
}

function mfs_uvm_io_attach(mfsp: Mfsnode, args: MfsArgs): i32 {
  return 0;
}

function mfs_uvm_io_detach(mfsp: Mfsnode): void {}

/** Fills in the functions of the way. */
export function mfs_uvm_io_init(way: Mfsway): void {
  way.set_io(mfs_uvm_io_io);
  way.set_attach(mfs_uvm_io_attach);
  way.set_detach(mfs_uvm_io_detach);
}
