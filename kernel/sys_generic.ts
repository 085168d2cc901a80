// System calls on whatever a descriptor means: read, write, ioctl, select.
import { frame_alloc } from "./i386/cpufunc";
import { copyin, copyout } from "./i386/support";
import { FILE_USE, closef, fd_getfile } from "./kern_descrip";
import { ticks } from "./kern_clock";
import { free, malloc } from "./kern_malloc";
import { MAXFILES } from "./kern_resource";
import { psignal } from "./kern_sig";
import { tsleep, wakeup } from "./kern_synch";
import { tvtohz } from "./kern_time_calls";
import { EBADF, EINTR, EINVAL, ENOTTY, EPIPE, ERESTART, ESPIPE, EWOULDBLOCK } from "./sys/errno";
import { DTYPE_VNODE, FOF_UPDATE_OFFSET, File, POLLIN, POLLOUT } from "./sys/file";
import { M_IOBUF, M_WAITOK } from "./sys/malloc";
import { PCATCH, PSOCK } from "./sys/param";
import { Proc } from "./sys/proc";
import { SIGPIPE } from "./sys/signal";
import { Iovec, SIZEOF_IOVEC, SIZEOF_UIO, UIO_READ, UIO_USERSPACE, UIO_WRITE, Uio } from "./sys/uio";
import {
  SysIoctlArgs, SysPollArgs, SysPreadArgs, SysPreadvArgs, SysPwriteArgs, SysPwritevArgs, SysReadArgs, SysReadvArgs,
  SysSelectArgs, SysWriteArgs, SysWritevArgs,
} from "./syscallargs";
import { FREAD, FWRITE } from "../fs/fcntl";
import { VFIFO, Vnode } from "../fs/vnode";

const MAX_TRANSFER: u32 = 0x7fffffff;
export const UIO_MAXIOV: u32 = 1024;

/** Fills a Uio over `iovcnt` pieces of user memory. EINVAL when they are too much together. */
function user_uio(uio: Uio, iov: usize, iovcnt: u32, rw: u32, p: Proc): i32 {
  let total: u64 = 0;
  for (let i: u32 = 0; i < iovcnt; i++) total += u64(changetype<Iovec>(iov + i * SIZEOF_IOVEC).iov_len);
  if (total > u64(MAX_TRANSFER)) return EINVAL;
  uio.uio_iov = changetype<Iovec>(iov);
  uio.uio_iovcnt = i32(iovcnt);
  uio.uio_resid = u32(total);
  uio.uio_offset = 0;
  uio.uio_rw = rw;
  uio.uio_segflg = UIO_USERSPACE;
  uio.uio_procp = changetype<usize>(p);
  return 0;
}

/** Reads or writes; the count goes to `retval`. A transfer that was cut short by a signal counts. */
function dofile(fp: File, iov: usize, iovcnt: u32, rw: u32, offset: usize, flags: u32, p: Proc, retval: usize): i32 {
  const uio = changetype<Uio>(frame_alloc(SIZEOF_UIO));
  let error = user_uio(uio, iov, iovcnt, rw, p);
  if (error != 0) return error;
  const count = uio.uio_resid;
  FILE_USE(fp);
  error = rw == UIO_READ ? fp.f_ops.read(fp, offset, uio, flags, p) : fp.f_ops.write(fp, offset, uio, flags, p);
  if (uio.uio_resid != count && (error == ERESTART || error == EINTR || error == EWOULDBLOCK)) error = 0;
  if (error == EPIPE && rw == UIO_WRITE) psignal(p, SIGPIPE);
  store<u32>(retval, count - uio.uio_resid);
  closef(fp, p);
  return error;
}

/** read and write of one piece at the file's position. */
function transfer(p: Proc, fd: i32, base: usize, length: u32, rw: u32, retval: usize): i32 {
  const fp = fd_getfile(p, fd, rw == UIO_READ ? FREAD : FWRITE);
  if (changetype<usize>(fp) == 0) return EBADF;
  const iov = changetype<Iovec>(frame_alloc(SIZEOF_IOVEC));
  iov.iov_base = base;
  iov.iov_len = length;
  return dofile(fp, changetype<usize>(iov), 1, rw, changetype<usize>(fp), FOF_UPDATE_OFFSET, p, retval);
}

export function sys_read(p: Proc, uap: SysReadArgs, retval: usize): i32 {
  return transfer(p, uap.fd, uap.buf, uap.nbyte, UIO_READ, retval);
}

export function sys_write(p: Proc, uap: SysWriteArgs, retval: usize): i32 {
  return transfer(p, uap.fd, uap.buf, uap.nbyte, UIO_WRITE, retval);
}

/** pread and pwrite: at an offset, which stays the caller's. */
function transfer_at(p: Proc, fd: i32, base: usize, length: u32, offset: i64, rw: u32, retval: usize): i32 {
  const fp = fd_getfile(p, fd, rw == UIO_READ ? FREAD : FWRITE);
  if (changetype<usize>(fp) == 0) return EBADF;
  if (fp.f_type != DTYPE_VNODE || changetype<Vnode>(fp.f_data).v_type == VFIFO) return ESPIPE;
  if (offset < 0) return EINVAL;
  const iov = changetype<Iovec>(frame_alloc(SIZEOF_IOVEC));
  const position = frame_alloc(8);
  iov.iov_base = base;
  iov.iov_len = length;
  store<i64>(position, offset);
  return dofile(fp, changetype<usize>(iov), 1, rw, position, 0, p, retval);
}

export function sys_pread(p: Proc, uap: SysPreadArgs, retval: usize): i32 {
  return transfer_at(p, uap.fd, uap.buf, uap.nbyte, uap.offset, UIO_READ, retval);
}

export function sys_pwrite(p: Proc, uap: SysPwriteArgs, retval: usize): i32 {
  return transfer_at(p, uap.fd, uap.buf, uap.nbyte, uap.offset, UIO_WRITE, retval);
}

/** As dofile, the pieces being described at the user's address `iovp`. */
function transfer_pieces(
  fp: File, iovp: usize, iovcnt: u32, rw: u32, offset: usize, flags: u32, p: Proc, retval: usize,
): i32 {
  if (iovcnt == 0 || iovcnt > UIO_MAXIOV) return EINVAL;
  const iov = malloc(iovcnt * SIZEOF_IOVEC, M_IOBUF, M_WAITOK);
  let error = copyin(iovp, iov, iovcnt * SIZEOF_IOVEC);
  if (error == 0) error = dofile(fp, iov, iovcnt, rw, offset, flags, p, retval);
  free(iov, M_IOBUF);
  return error;
}

function transfer_vector(p: Proc, fd: i32, iovp: usize, iovcnt: u32, rw: u32, retval: usize): i32 {
  const fp = fd_getfile(p, fd, rw == UIO_READ ? FREAD : FWRITE);
  if (changetype<usize>(fp) == 0) return EBADF;
  return transfer_pieces(fp, iovp, iovcnt, rw, changetype<usize>(fp), FOF_UPDATE_OFFSET, p, retval);
}

export function sys_readv(p: Proc, uap: SysReadvArgs, retval: usize): i32 {
  return transfer_vector(p, uap.fd, uap.iovp, uap.iovcnt, UIO_READ, retval);
}

export function sys_writev(p: Proc, uap: SysWritevArgs, retval: usize): i32 {
  return transfer_vector(p, uap.fd, uap.iovp, uap.iovcnt, UIO_WRITE, retval);
}

/** preadv and pwritev. */
function transfer_vector_at(p: Proc, fd: i32, iovp: usize, iovcnt: u32, offset: i64, rw: u32, retval: usize): i32 {
  const fp = fd_getfile(p, fd, rw == UIO_READ ? FREAD : FWRITE);
  if (changetype<usize>(fp) == 0) return EBADF;
  if (fp.f_type != DTYPE_VNODE || changetype<Vnode>(fp.f_data).v_type == VFIFO) return ESPIPE;
  if (offset < 0) return EINVAL;
  const position = frame_alloc(8);
  store<i64>(position, offset);
  return transfer_pieces(fp, iovp, iovcnt, rw, position, 0, p, retval);
}

export function sys_preadv(p: Proc, uap: SysPreadvArgs, retval: usize): i32 {
  return transfer_vector_at(p, uap.fd, uap.iovp, uap.iovcnt, uap.offset, UIO_READ, retval);
}

export function sys_pwritev(p: Proc, uap: SysPwritevArgs, retval: usize): i32 {
  return transfer_vector_at(p, uap.fd, uap.iovp, uap.iovcnt, uap.offset, UIO_WRITE, retval);
}

// An ioctl command says how long its argument is and which way it goes.
const IOCPARM_MASK: u32 = 0x1fff;
const IOC_OUT: u32 = 0x40000000;
const IOC_IN: u32 = 0x80000000;
const IOCPARM_MAX: u32 = 512;

export function sys_ioctl(p: Proc, uap: SysIoctlArgs, retval: usize): i32 {
  const fp = fd_getfile(p, uap.fd, 0);
  if (changetype<usize>(fp) == 0) return EBADF;
  const size = (uap.com >> 16) & IOCPARM_MASK;
  if (size > IOCPARM_MAX) return ENOTTY;
  const data = malloc(IOCPARM_MAX, M_IOBUF, M_WAITOK);
  memory.fill(data, 0, IOCPARM_MAX);
  let error: i32 = 0;
  if ((uap.com & IOC_IN) != 0 && size != 0) error = copyin(uap.data, data, size);
  else store<usize>(data, uap.data);
  if (error == 0) {
    FILE_USE(fp);
    error = fp.f_ops.ioctl(fp, uap.com, data, p);
    closef(fp, p);
  }
  if (error == 0 && (uap.com & IOC_OUT) != 0 && size != 0) error = copyout(data, uap.data, size);
  free(data, M_IOBUF);
  return error;
}

/** Everybody in select sleeps here and looks again when anything has become ready. */
const selwait: usize = memory.data(4, 4);

/** Something that select may wait for has changed. From any context. */
export function selwakeup(): void {
  wakeup(selwait);
}

/** Bytes of a set of MAXFILES descriptors. */
const SETSIZE: u32 = 16;

function isset(set: usize, fd: u32): bool {
  return (load<u32>(set + (fd >> 5) * 4) & (1 << (fd & 31))) != 0;
}

/** Which of the `wanted` descriptors (sets for read, write, except) are ready, to `ready`; -1 = bad descriptor. */
function selscan(p: Proc, nd: u32, wanted: usize, ready: usize): i32 {
  let count: i32 = 0;
  memory.fill(ready, 0, 3 * SETSIZE);
  for (let fd: u32 = 0; fd < nd; fd++) {
    const reading = isset(wanted, fd);
    const writing = isset(wanted + SETSIZE, fd);
    if (!reading && !writing && !isset(wanted + 2 * SETSIZE, fd)) continue;
    const fp = fd_getfile(p, i32(fd), 0);
    if (changetype<usize>(fp) == 0) return -1;
    const events = fp.f_ops.poll(fp, (reading ? POLLIN : 0) | (writing ? POLLOUT : 0), p);
    const at = ready + (fd >> 5) * 4;
    const bit: u32 = 1 << (fd & 31);
    if (reading && (events & POLLIN) != 0) {
      store<u32>(at, load<u32>(at) | bit);
      count++;
    }
    if (writing && (events & POLLOUT) != 0) {
      store<u32>(at + SETSIZE, load<u32>(at + SETSIZE) | bit);
      count++;
    }
  }
  return count;
}

function copy_sets(uap: SysSelectArgs, sets: usize, bytes: u32, out: bool): i32 {
  const user = frame_alloc(12);
  store<usize>(user, uap.in);
  store<usize>(user, uap.ou, 4);
  store<usize>(user, uap.ex, 8);
  for (let i: u32 = 0; i < 3; i++) {
    const address = load<usize>(user + i * 4);
    if (address == 0) continue;
    const error = out ? copyout(sets + i * SETSIZE, address, bytes) : copyin(address, sets + i * SETSIZE, bytes);
    if (error != 0) return error;
  }
  return 0;
}

export function sys_select(p: Proc, uap: SysSelectArgs, retval: usize): i32 {
  if (uap.nd < 0) return EINVAL;
  const nd = u32(uap.nd) > MAXFILES ? MAXFILES : u32(uap.nd);
  const wanted = frame_alloc(48);
  const ready = frame_alloc(48);
  const tv = frame_alloc(8);
  const bytes = ((nd + 31) >> 5) * 4;
  memory.fill(wanted, 0, 3 * SETSIZE);
  let error = copy_sets(uap, wanted, bytes, false);
  if (error != 0) return error;
  let timo: i32 = 0;
  if (uap.tv != 0) {
    error = copyin(uap.tv, tv, 8);
    if (error != 0) return error;
    timo = tvtohz(load<i32>(tv), load<i32>(tv, 4));
    if (timo < 0) return EINVAL;
  }
  const until = ticks() + timo + 1;
  for (;;) {
    const count = selscan(p, nd, wanted, ready);
    if (count < 0) return EBADF;
    const late = uap.tv != 0 && (timo == 0 || until - ticks() <= 0);
    if (count > 0 || late) {
      store<i32>(retval, count);
      return copy_sets(uap, ready, bytes, true);
    }
    error = tsleep(selwait, PSOCK | PCATCH, cs("select"), uap.tv != 0 ? until - ticks() : 0);
    if (error == ERESTART) return EINTR;
    if (error != 0 && error != EWOULDBLOCK) return error;
  }
  return 0;
}

/** struct pollfd {fd, events: 16 bits, revents: 16 bits}. */
const SIZEOF_POLLFD: u32 = 8;
const POLLNVAL: u32 = 0x20;

/** Fills in revents of `nfds` entries at `fds`; the number of entries with any. */
function pollscan(p: Proc, fds: usize, nfds: u32): i32 {
  let count: i32 = 0;
  for (let i: u32 = 0; i < nfds; i++) {
    const entry = fds + i * SIZEOF_POLLFD;
    const fd = load<i32>(entry);
    let revents: u32 = 0;
    if (fd >= 0) {
      const fp = fd_getfile(p, fd, 0);
      revents = changetype<usize>(fp) == 0 ? POLLNVAL : fp.f_ops.poll(fp, load<u16>(entry, 4), p);
    }
    store<u16>(entry, revents, 6);
    if (revents != 0) count++;
  }
  return count;
}

/** poll, until something is ready or `timeout` milliseconds are over (negative: for ever). */
export function sys_poll(p: Proc, uap: SysPollArgs, retval: usize): i32 {
  if (uap.nfds > MAXFILES) return EINVAL;
  const bytes = uap.nfds * SIZEOF_POLLFD;
  const fds = malloc(MAXFILES * SIZEOF_POLLFD, M_IOBUF, M_WAITOK);
  let error = bytes != 0 ? copyin(uap.fds, fds, bytes) : 0;
  const timo = uap.timeout > 0 ? uap.timeout / 10 + 1 : 0;
  const until = ticks() + timo + 1;
  let count: i32 = 0;
  while (error == 0) {
    count = pollscan(p, fds, uap.nfds);
    if (count != 0 || uap.timeout == 0 || (timo != 0 && until - ticks() <= 0)) break;
    error = tsleep(selwait, PSOCK | PCATCH, cs("poll"), timo != 0 ? until - ticks() : 0);
    if (error == EWOULDBLOCK) error = 0;
  }
  if (error == ERESTART) error = EINTR;
  if (error == 0 && bytes != 0) error = copyout(fds, uap.fds, bytes);
  if (error == 0) store<i32>(retval, count);
  free(fds, M_IOBUF);
  return error;
}
