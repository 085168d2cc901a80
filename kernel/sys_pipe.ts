// pipe(2): two open files with a ring of bytes between them (pipe_ring.ts).
import { frame_alloc } from "./i386/cpufunc";
import { falloc, ffree } from "./kern_descrip";
import { free, malloc } from "./kern_malloc";
import { time_second } from "./kern_time";
import { PIPE_SIZE, Ring, ring_alloc, ring_changed, ring_rele, ring_poll, ring_read, ring_write } from "./pipe_ring";
import { ENOTTY } from "./sys/errno";
import { DTYPE_PIPE, File, Fileops } from "./sys/file";
import { M_PIPE, M_WAITOK } from "./sys/malloc";
import { Proc } from "./sys/proc";
import { Uio } from "./sys/uio";
import { FREAD, FWRITE, O_NONBLOCK } from "../fs/fcntl";
import { Stat } from "../fs/stat";
import { S_IFIFO } from "../fs/vnode";

const FIONREAD: u32 = 0x4004667f;
export const FIONBIO: u32 = 0x8004667e;

@unmanaged class Pipe {
  pipe_ring: Ring;
  pipe_ctime: u32;
}
const SIZEOF_PIPE: u32 = 8;

const pipeops_store = changetype<Fileops>(memory.data(offsetof<Fileops>(), 4));

function pipe_of(fp: File): Pipe {
  return changetype<Pipe>(fp.f_data);
}

function pipe_read(fp: File, offset: usize, uio: Uio, flags: u32, p: Proc): i32 {
  return ring_read(pipe_of(fp).pipe_ring, uio, (fp.f_flag & O_NONBLOCK) != 0);
}

function pipe_write(fp: File, offset: usize, uio: Uio, flags: u32, p: Proc): i32 {
  return ring_write(pipe_of(fp).pipe_ring, uio, (fp.f_flag & O_NONBLOCK) != 0);
}

function pipe_ioctl(fp: File, com: u32, data: usize, p: Proc): i32 {
  if (com == FIONREAD) {
    store<u32>(data, pipe_of(fp).pipe_ring.r_cnt);
    return 0;
  }
  if (com != FIONBIO) return ENOTTY;
  fp.f_flag = load<u32>(data) != 0 ? fp.f_flag | O_NONBLOCK : fp.f_flag & ~O_NONBLOCK;
  return 0;
}

function pipe_poll(fp: File, events: u32, p: Proc): u32 {
  return ring_poll(pipe_of(fp).pipe_ring, events, (fp.f_flag & FREAD) != 0, (fp.f_flag & FWRITE) != 0);
}

function pipe_stat(fp: File, sb: Stat, p: Proc): i32 {
  const pipe = pipe_of(fp);
  memory.fill(changetype<usize>(sb), 0, offsetof<Stat>());
  sb.st_mode = S_IFIFO | 0o600;
  sb.st_blksize = PIPE_SIZE;
  sb.st_size_low = pipe.pipe_ring.r_cnt;
  sb.st_uid = p.p_uid;
  sb.st_atime = pipe.pipe_ctime;
  sb.st_mtime = pipe.pipe_ctime;
  sb.st_ctime = pipe.pipe_ctime;
  return 0;
}

function pipe_close(fp: File, p: Proc): i32 {
  const pipe = pipe_of(fp);
  const ring = pipe.pipe_ring;
  if ((fp.f_flag & FREAD) != 0) ring.r_readers--;
  else ring.r_writers--;
  ring_changed(ring);
  if (ring.r_readers + ring.r_writers != 0) return 0;
  ring_rele(ring);
  free(changetype<usize>(pipe), M_PIPE);
  return 0;
}

function pipeops(): Fileops {
  if (pipeops_store.fo_read == 0) {
    pipeops_store.set_read(pipe_read);
    pipeops_store.set_write(pipe_write);
    pipeops_store.set_ioctl(pipe_ioctl);
    pipeops_store.set_poll(pipe_poll);
    pipeops_store.set_stat(pipe_stat);
    pipeops_store.set_close(pipe_close);
  }
  return pipeops_store;
}

function pipe_end(fp: File, pipe: Pipe, flag: u32): void {
  fp.f_flag = flag;
  fp.f_type = DTYPE_PIPE;
  fp.f_data = changetype<usize>(pipe);
  fp.f_ops = pipeops();
}

/** Two descriptors: eax reads what is written to edx. */
export function sys_pipe(p: Proc, retval: usize): i32 {
  const reader = frame_alloc(4);
  const writer = frame_alloc(4);
  let error = falloc(p, reader, retval);
  if (error != 0) return error;
  error = falloc(p, writer, retval + 4);
  if (error != 0) {
    ffree(p, changetype<File>(load<usize>(reader)), load<u32>(retval));
    return error;
  }
  const pipe = changetype<Pipe>(malloc(SIZEOF_PIPE, M_PIPE, M_WAITOK));
  pipe.pipe_ring = ring_alloc();
  pipe.pipe_ring.r_readers = 1;
  pipe.pipe_ring.r_writers = 1;
  pipe.pipe_ctime = time_second();
  pipe_end(changetype<File>(load<usize>(reader)), pipe, FREAD);
  pipe_end(changetype<File>(load<usize>(writer)), pipe, FWRITE);
  return 0;
}
