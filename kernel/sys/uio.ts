// <sys/uio.h>: the description of an input or output request: where the bytes
// are in memory (a vector of pieces) and at which offset in the file.

@unmanaged
export class Iovec {
  iov_base: usize;
  iov_len: u32;
}

@unmanaged
export class Uio {
  uio_iov: Iovec;
  uio_iovcnt: i32;
  uio_offset: i64;
  /** Bytes that remain. */
  uio_resid: u32;
  /** UIO_USERSPACE or UIO_SYSSPACE. */
  uio_segflg: u32;
  /** UIO_READ or UIO_WRITE. */
  uio_rw: u32;
  /** The process whose space UIO_USERSPACE means: address of a Proc, or 0. */
  uio_procp: usize;
}

/** Sizes for frame_alloc and pools, padded as C would. */
export const SIZEOF_IOVEC: u32 = 8;
export const SIZEOF_UIO: u32 = 32;

export const UIO_READ: u32 = 0;
export const UIO_WRITE: u32 = 1;
export const UIO_USERSPACE: u32 = 0;
export const UIO_SYSSPACE: u32 = 1;
