// pipe(2): a ring of bytes between two open files.
//
// Writes of up to PIPE_BUF bytes are not mixed with others': they wait until there
// is room for all.
import { frame_alloc } from "./i386/cpufunc";
import { falloc, ffree } from "./kern_descrip";
import { free, malloc } from "./kern_malloc";
import { uiomove } from "./kern_subr";
import { tsleep, wakeup } from "./kern_synch";
import { time_second } from "./kern_time";
import { ENOTTY, EPIPE, EWOULDBLOCK } from "./sys/errno";
import { DTYPE_PIPE, File, Fileops, POLLIN, POLLOUT } from "./sys/file";
import { M_PIPE, M_WAITOK } from "./sys/malloc";
import { PCATCH, PSOCK } from "./sys/param";
import { Proc } from "./sys/proc";
import { Uio } from "./sys/uio";
import { selwakeup } from "./sys_generic";
import { FREAD, FWRITE, O_NONBLOCK } from "../fs/fcntl";
import { Stat } from "../fs/stat";
import { S_IFIFO } from "../fs/vnode";

const PIPE_SIZE: u32 = 8192;
const PIPE_BUF: u32 = 512;
const FIONREAD: u32 = 0x4004667f;
const FIONBIO: u32 = 0x8004667e;

@unmanaged class Pipe {
  /** PIPE_SIZE bytes, used as a ring. */
  pipe_buffer: usize;
  /** Where the next byte is taken from, and how many there are. */
  pipe_out: u32;
  pipe_cnt: u32;
  /** Ends that are open. */
  pipe_readers: u32;
  pipe_writers: u32;
  pipe_ctime: u32;
}
const SIZEOF_PIPE: u32 = 24;

const pipeops_store = changetype<Fileops>(memory.data(offsetof<Fileops>(), 4));

function pipe_of(fp: File): Pipe {
  return changetype<Pipe>(fp.f_data);
}

function pipe_changed(pipe: Pipe): void {
  wakeup(changetype<usize>(pipe));
  selwakeup();
}

function pipe_sleep(pipe: Pipe, wmesg: usize): i32 {
  return tsleep(changetype<usize>(pipe), PSOCK | PCATCH, wmesg, 0);
}

/** Moves up to `n` bytes of the ring from its take or put position on, in one or two pieces. */
function move_ring(pipe: Pipe, from: u32, n: u32, uio: Uio): i32 {
  const first = from + n > PIPE_SIZE ? PIPE_SIZE - from : n;
  const error = uiomove(pipe.pipe_buffer + from, first, uio);
  if (error != 0 || first == n) return error;
  return uiomove(pipe.pipe_buffer, n - first, uio);
}

/** Waits for bytes, then takes what there is. 0 bytes: all writers are gone. */
function pipe_read(fp: File, offset: usize, uio: Uio, flags: u32, p: Proc): i32 {
  const pipe = pipe_of(fp);
  if (uio.uio_resid == 0) return 0;
  while (pipe.pipe_cnt == 0) {
    if (pipe.pipe_writers == 0) return 0;
    if ((fp.f_flag & O_NONBLOCK) != 0) return EWOULDBLOCK;
    const error = pipe_sleep(pipe, cs("piperd"));
    if (error != 0) return error;
  }
  const before = uio.uio_resid;
  const n = pipe.pipe_cnt < before ? pipe.pipe_cnt : before;
  const error = move_ring(pipe, pipe.pipe_out, n, uio);
  const done = before - uio.uio_resid;
  pipe.pipe_out = (pipe.pipe_out + done) % PIPE_SIZE;
  pipe.pipe_cnt -= done;
  pipe_changed(pipe);
  return error;
}

/** Waits until `need` bytes fit. */
function pipe_room(fp: File, pipe: Pipe, need: u32): i32 {
  while (pipe.pipe_readers != 0 && PIPE_SIZE - pipe.pipe_cnt < need) {
    if ((fp.f_flag & O_NONBLOCK) != 0) return EWOULDBLOCK;
    const error = pipe_sleep(pipe, cs("pipewr"));
    if (error != 0) return error;
  }
  return pipe.pipe_readers == 0 ? EPIPE : 0;
}

function pipe_write(fp: File, offset: usize, uio: Uio, flags: u32, p: Proc): i32 {
  const pipe = pipe_of(fp);
  const need: u32 = uio.uio_resid <= PIPE_BUF ? uio.uio_resid : 1;
  if (pipe.pipe_readers == 0) return EPIPE;
  while (uio.uio_resid != 0) {
    let error = pipe_room(fp, pipe, need);
    if (error != 0) return error;
    const before = uio.uio_resid;
    const room = PIPE_SIZE - pipe.pipe_cnt;
    const put = (pipe.pipe_out + pipe.pipe_cnt) % PIPE_SIZE;
    error = move_ring(pipe, put, room < before ? room : before, uio);
    pipe.pipe_cnt += before - uio.uio_resid;
    pipe_changed(pipe);
    if (error != 0) return error;
  }
  return 0;
}

function pipe_ioctl(fp: File, com: u32, data: usize, p: Proc): i32 {
  if (com == FIONREAD) {
    store<u32>(data, pipe_of(fp).pipe_cnt);
    return 0;
  }
  if (com != FIONBIO) return ENOTTY;
  fp.f_flag = load<u32>(data) != 0 ? fp.f_flag | O_NONBLOCK : fp.f_flag & ~O_NONBLOCK;
  return 0;
}

function pipe_poll(fp: File, events: u32, p: Proc): u32 {
  const pipe = pipe_of(fp);
  let ready: u32 = 0;
  if ((fp.f_flag & FREAD) != 0 && (pipe.pipe_cnt != 0 || pipe.pipe_writers == 0)) ready |= POLLIN;
  if ((fp.f_flag & FWRITE) != 0 && (PIPE_SIZE - pipe.pipe_cnt >= PIPE_BUF || pipe.pipe_readers == 0)) ready |= POLLOUT;
  return ready & events;
}

function pipe_stat(fp: File, sb: Stat, p: Proc): i32 {
  const pipe = pipe_of(fp);
  memory.fill(changetype<usize>(sb), 0, offsetof<Stat>());
  sb.st_mode = S_IFIFO | 0o600;
  sb.st_blksize = PIPE_SIZE;
  sb.st_size_low = pipe.pipe_cnt;
  sb.st_uid = p.p_uid;
  sb.st_atime = pipe.pipe_ctime;
  sb.st_mtime = pipe.pipe_ctime;
  sb.st_ctime = pipe.pipe_ctime;
  return 0;
}

function pipe_close(fp: File, p: Proc): i32 {
  const pipe = pipe_of(fp);
  if ((fp.f_flag & FREAD) != 0) pipe.pipe_readers--;
  else pipe.pipe_writers--;
  pipe_changed(pipe);
  if (pipe.pipe_readers + pipe.pipe_writers != 0) return 0;
  free(pipe.pipe_buffer, M_PIPE);
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
  pipe.pipe_buffer = malloc(PIPE_SIZE, M_PIPE, M_WAITOK);
  pipe.pipe_out = 0;
  pipe.pipe_cnt = 0;
  pipe.pipe_readers = 1;
  pipe.pipe_writers = 1;
  pipe.pipe_ctime = time_second();
  pipe_end(changetype<File>(load<usize>(reader)), pipe, FREAD);
  pipe_end(changetype<File>(load<usize>(writer)), pipe, FWRITE);
  return 0;
}
