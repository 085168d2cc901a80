// uiomove: the copy between the kernel and whatever a Uio describes.
import { copyin, copyout, kcopy } from "./i386/support";
import { Iovec, SIZEOF_IOVEC, Uio, UIO_READ, UIO_SYSSPACE } from "./sys/uio";

/** Copies `n` bytes in the direction of the request. Returns 0 or EFAULT. */
function copy_piece(cp: usize, base: usize, n: u32, uio: Uio): i32 {
  if (uio.uio_segflg == UIO_SYSSPACE) {
    return uio.uio_rw == UIO_READ ? kcopy(cp, base, n) : kcopy(base, cp, n);
  }
  return uio.uio_rw == UIO_READ ? copyout(cp, base, n) : copyin(base, cp, n);
}

/**
 * Moves up to `n` bytes between the kernel at `cp` and the request, and takes
 * them off it: UIO_READ copies to the request's memory, UIO_WRITE from it.
 * => 0 or EFAULT, with what was moved taken off
 * => may sleep (page faults)
 */
export function uiomove(cp: usize, n: u32, uio: Uio): i32 {
  while (n > 0 && uio.uio_resid > 0) {
    const iov = uio.uio_iov;
    let count = iov.iov_len;
    if (count == 0) {
      uio.uio_iov = changetype<Iovec>(changetype<usize>(iov) + SIZEOF_IOVEC);
      uio.uio_iovcnt--;
      continue;
    }
    if (count > n) count = n;
    const error = copy_piece(cp, iov.iov_base, count, uio);
    if (error != 0) return error;
    iov.iov_base += count;
    iov.iov_len -= count;
    uio.uio_resid -= count;
    uio.uio_offset += i64(count);
    cp += count;
    n -= count;
  }
  return 0;
}
