// Operations of fifos, pipes that have a name (mkfifo(2)): a ring of bytes (kernel/pipe_ring.ts) that is there as long
// as somebody has the file open. The inode's operations are the file system's.
//
// Whoever opens one end waits for the other, unless he does not want to wait (O_NONBLOCK): then reading begins at once,
// and writing is ENXIO. The vnode is not locked while somebody waits.
import {
  PIPE_BUF, Ring, ring_alloc, ring_changed, ring_hold, ring_poll, ring_read, ring_rele, ring_sleep, ring_write,
} from "../kernel/pipe_ring";
import { EINVAL, EIO, ENOTTY, ENXIO } from "../kernel/sys/errno";
import { LK_EXCLUSIVE, LK_RETRY } from "../kernel/sys/lock";
import { Proc } from "../kernel/sys/proc";
import { UIO_READ, Uio } from "../kernel/sys/uio";
import { FREAD, FWRITE, O_NONBLOCK } from "./fcntl";
import { genfs_abortop } from "./genfs";
import { vn_default_ops } from "./genfs_default";
import { genfs_revoke } from "./vfs_alias";
import { vn_lock } from "./vfs_vnops";
import { IO_NDELAY, VXLOCK, Vnode } from "./vnode";
import { VOP_UNLOCK, VnodeOps } from "./vnode_if";

const FIONREAD: u32 = 0x4004667f;
// Names of pathconf(2).
const PC_LINK_MAX: u32 = 1;
const PC_PIPE_BUF: u32 = 6;
const PC_CHOWN_RESTRICTED: u32 = 7;
const LINK_MAX: u32 = 32767;

/** The ring of an open fifo; 0 when it is not open. */
function ring_of(vp: Vnode): Ring {
  return changetype<Ring>(vp.v_un);
}

/** An end is closed; the last one takes the ring with it. */
function leave(vp: Vnode, mode: u32): void {
  const ring = ring_of(vp);
  if ((mode & FREAD) != 0) ring.r_readers--;
  if ((mode & FWRITE) != 0) ring.r_writers--;
  if (ring.r_readers + ring.r_writers == 0) forget(vp);
  else ring_changed(ring);
}

/** Takes the ring from the vnode: whoever sleeps in it finds that nobody is at the other end. */
function forget(vp: Vnode): void {
  const ring = ring_of(vp);
  vp.v_un = 0;
  ring.r_readers = 0;
  ring.r_writers = 0;
  ring_changed(ring);
  ring_rele(ring);
}

/** Waits until the other end has been opened since. vp is locked before and after. EINTR, ERESTART; EIO: vp is gone. */
function wait_for_other(vp: Vnode, ring: Ring, mode: u32): i32 {
  const readopens = ring.r_readopens;
  const writeopens = ring.r_writeopens;
  let error: i32 = 0;
  ring_hold(ring);
  VOP_UNLOCK(vp, 0);
  while (error == 0 && ring_of(vp) == ring) {
    if ((mode & FWRITE) == 0 ? ring.r_writeopens != writeopens : ring.r_readopens != readopens) break;
    error = ring_sleep(ring, (mode & FWRITE) == 0 ? cs("fifor") : cs("fifow"));
  }
  vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  if (error == 0 && ring_of(vp) != ring) error = EIO;
  ring_rele(ring);
  return error;
}

/** VOP_OPEN. ENXIO: nobody reads, and the writer does not want to wait. Sleeps. */
function fifo_open(vp: Vnode, mode: u32, cred: usize, p: Proc): i32 {
  if (vp.v_un == 0) vp.v_un = changetype<usize>(ring_alloc());
  const ring = ring_of(vp);
  if ((mode & FREAD) != 0) {
    ring.r_readers++;
    ring.r_readopens++;
  }
  if ((mode & FWRITE) != 0) {
    ring.r_writers++;
    ring.r_writeopens++;
  }
  ring_changed(ring);
  const alone = (mode & FREAD) == 0 ? ring.r_readers == 0 : (mode & FWRITE) == 0 && ring.r_writers == 0;
  if (!alone) return 0;
  let error: i32 = 0;
  if ((mode & O_NONBLOCK) == 0) error = wait_for_other(vp, ring, mode);
  else if ((mode & FWRITE) != 0) error = ENXIO;
  if (error != 0 && ring_of(vp) == ring) leave(vp, mode);
  return error;
}

/** VOP_CLOSE. A vnode that is taken away from its users (VXLOCK) loses its ring. */
function fifo_close(vp: Vnode, fflag: u32, cred: usize, p: Proc): i32 {
  if (vp.v_un == 0) return 0;
  if ((vp.v_flag & VXLOCK) != 0) forget(vp);
  else leave(vp, fflag);
  return 0;
}

/** VOP_READ and VOP_WRITE. */
function fifo_rdwr(vp: Vnode, uio: Uio, ioflag: u32, cred: usize): i32 {
  if (vp.v_un == 0) return EINVAL;
  const ring = ring_of(vp);
  const nonblock = (ioflag & IO_NDELAY) != 0;
  ring_hold(ring);
  VOP_UNLOCK(vp, 0);
  const error = uio.uio_rw == UIO_READ ? ring_read(ring, uio, nonblock) : ring_write(ring, uio, nonblock);
  vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  ring_rele(ring);
  return error;
}

/** VOP_POLL. */
function fifo_poll(vp: Vnode, events: u32, p: Proc): i32 {
  return vp.v_un == 0 ? 0 : i32(ring_poll(ring_of(vp), events, true, true));
}

/** VOP_IOCTL. */
function fifo_ioctl(vp: Vnode, command: u32, data: usize, fflag: u32, cred: usize, p: Proc): i32 {
  if (command != FIONREAD || vp.v_un == 0) return ENOTTY;
  store<u32>(data, ring_of(vp).r_cnt);
  return 0;
}

/** VOP_PATHCONF. */
function fifo_pathconf(vp: Vnode, name: u32, retval: usize): i32 {
  switch (name) {
    case PC_LINK_MAX:
      store<u32>(retval, LINK_MAX);
      return 0;
    case PC_PIPE_BUF:
      store<u32>(retval, PIPE_BUF);
      return 0;
    case PC_CHOWN_RESTRICTED:
      store<u32>(retval, 1);
      return 0;
    default: return EINVAL;
  }
}

/** Gives a vector the operations of a fifo; others are EOPNOTSUPP. File systems begin theirs for fifos so. */
export function fifo_fill_ops(ops: VnodeOps): void {
  vn_default_ops(ops);
  ops.set_open(fifo_open);
  ops.set_close(fifo_close);
  ops.set_read(fifo_rdwr);
  ops.set_write(fifo_rdwr);
  ops.set_ioctl(fifo_ioctl);
  ops.set_poll(fifo_poll);
  ops.set_revoke(genfs_revoke);
  ops.set_pathconf(fifo_pathconf);
  ops.set_abortop(genfs_abortop);
}
