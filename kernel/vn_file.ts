// Open files that stand for vnodes.
import { FOF_UPDATE_OFFSET, File, Fileops } from "./sys/file";
import { FIONBIO } from "./sys_pipe";
import { ENOTTY } from "./sys/errno";
import { LK_EXCLUSIVE, LK_RETRY } from "./sys/lock";
import { Proc } from "./sys/proc";
import { Uio } from "./sys/uio";
import { O_APPEND, O_NONBLOCK, O_SYNC } from "../fs/fcntl";
import { Stat } from "../fs/stat";
import { vn_close, vn_lock, vn_stat } from "../fs/vfs_vnops";
import { IO_APPEND, IO_NDELAY, IO_SYNC, IO_UNIT, VBLK, VCHR, VFIFO, Vnode } from "../fs/vnode";
import { VOP_IOCTL, VOP_POLL, VOP_READ, VOP_UNLOCK, VOP_WRITE } from "../fs/vnode_if";

const vnops_store = changetype<Fileops>(memory.data(offsetof<Fileops>(), 4));

function vnode_of(fp: File): Vnode {
  return changetype<Vnode>(fp.f_data);
}

function vn_read(fp: File, offset: usize, uio: Uio, flags: u32, p: Proc): i32 {
  const vp = vnode_of(fp);
  vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  uio.uio_offset = load<i64>(offset);
  const count = uio.uio_resid;
  const ioflag = (fp.f_flag & O_NONBLOCK) != 0 ? IO_NDELAY : 0;
  const error = VOP_READ(vp, uio, ioflag, changetype<usize>(p));
  if ((flags & FOF_UPDATE_OFFSET) != 0) store<i64>(offset, load<i64>(offset) + i64(count - uio.uio_resid));
  VOP_UNLOCK(vp, 0);
  return error;
}

function vn_write(fp: File, offset: usize, uio: Uio, flags: u32, p: Proc): i32 {
  const vp = vnode_of(fp);
  let ioflag: u32 = IO_UNIT;
  if ((fp.f_flag & O_APPEND) != 0) ioflag |= IO_APPEND;
  if ((fp.f_flag & O_NONBLOCK) != 0) ioflag |= IO_NDELAY;
  if ((fp.f_flag & O_SYNC) != 0) ioflag |= IO_SYNC;
  vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  uio.uio_offset = load<i64>(offset);
  const count = uio.uio_resid;
  const error = VOP_WRITE(vp, uio, ioflag, changetype<usize>(p));
  if ((flags & FOF_UPDATE_OFFSET) != 0) {
    if ((ioflag & IO_APPEND) != 0) store<i64>(offset, uio.uio_offset);
    else store<i64>(offset, load<i64>(offset) + i64(count - uio.uio_resid));
  }
  VOP_UNLOCK(vp, 0);
  return error;
}

function vn_ioctl(fp: File, com: u32, data: usize, p: Proc): i32 {
  const vp = vnode_of(fp);
  if (vp.v_type != VCHR && vp.v_type != VBLK && vp.v_type != VFIFO) return ENOTTY;
  if (vp.v_type == VFIFO && com == FIONBIO) {
    fp.f_flag = load<u32>(data) != 0 ? fp.f_flag | O_NONBLOCK : fp.f_flag & ~O_NONBLOCK;
    return 0;
  }
  return VOP_IOCTL(vp, com, data, fp.f_flag, changetype<usize>(p), p);
}

function vn_poll(fp: File, events: u32, p: Proc): u32 {
  return VOP_POLL(vnode_of(fp), events, p);
}

function vn_statfile(fp: File, sb: Stat, p: Proc): i32 {
  const vp = vnode_of(fp);
  vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  const error = vn_stat(vp, sb, p);
  VOP_UNLOCK(vp, 0);
  return error;
}

function vn_closefile(fp: File, p: Proc): i32 {
  return vn_close(vnode_of(fp), fp.f_flag, changetype<usize>(p), p);
}

/** The operations of files that are vnodes. */
export function vnops(): Fileops {
  if (vnops_store.fo_read == 0) {
    vnops_store.set_read(vn_read);
    vnops_store.set_write(vn_write);
    vnops_store.set_ioctl(vn_ioctl);
    vnops_store.set_poll(vn_poll);
    vnops_store.set_stat(vn_statfile);
    vnops_store.set_close(vn_closefile);
  }
  return vnops_store;
}
