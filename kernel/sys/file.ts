// <sys/file.h>, <sys/filedesc.h>: open files, and the descriptors of a process.
//
// A File is made by open, pipe and the like; descriptors of any number of processes
// may mean it (f_count). What it stands for is behind f_ops.
import { Proc } from "./proc";
import { Uio } from "./uio";
import { Stat } from "../../fs/stat";

// f_type.
export const DTYPE_VNODE: u32 = 1;
export const DTYPE_PIPE: u32 = 3;

@unmanaged export class File {
  /** Position; first, for it is 8 bytes wide. */
  f_offset: i64;
  /** FREAD, FWRITE, O_APPEND, O_NONBLOCK. */
  f_flag: u32;
  f_type: u32;
  f_count: i32;
  f_ops: Fileops;
  /** Vnode or Pipe. */
  f_data: usize;
  private pad: u32;
}
export const SIZEOF_FILE: u32 = 32;

/** How a kind of file does things. `offset`: address of the position to use, an i64; `flags`: FOF_UPDATE_OFFSET. */
@unmanaged export class Fileops {
  fo_read: u32;
  fo_write: u32;
  fo_ioctl: u32;
  fo_poll: u32;
  fo_stat: u32;
  fo_close: u32;

  @inline set_read(f: (fp: File, offset: usize, uio: Uio, flags: u32, p: Proc) => i32): void { this.fo_read = f.index; }
  @inline set_write(f: (fp: File, offset: usize, uio: Uio, flags: u32, p: Proc) => i32): void { this.fo_write = f.index; }
  @inline set_ioctl(f: (fp: File, com: u32, data: usize, p: Proc) => i32): void { this.fo_ioctl = f.index; }
  @inline set_poll(f: (fp: File, events: u32, p: Proc) => u32): void { this.fo_poll = f.index; }
  @inline set_stat(f: (fp: File, sb: Stat, p: Proc) => i32): void { this.fo_stat = f.index; }
  @inline set_close(f: (fp: File, p: Proc) => i32): void { this.fo_close = f.index; }

  @inline read(fp: File, offset: usize, uio: Uio, flags: u32, p: Proc): i32 {
    return call_indirect<i32>(this.fo_read, fp, offset, uio, flags, p);
  }
  @inline write(fp: File, offset: usize, uio: Uio, flags: u32, p: Proc): i32 {
    return call_indirect<i32>(this.fo_write, fp, offset, uio, flags, p);
  }
  @inline ioctl(fp: File, com: u32, data: usize, p: Proc): i32 {
    return call_indirect<i32>(this.fo_ioctl, fp, com, data, p);
  }
  @inline poll(fp: File, events: u32, p: Proc): u32 {
    return call_indirect<u32>(this.fo_poll, fp, events, p);
  }
  @inline stat(fp: File, sb: Stat, p: Proc): i32 {
    return call_indirect<i32>(this.fo_stat, fp, sb, p);
  }
  @inline close(fp: File, p: Proc): i32 {
    return call_indirect<i32>(this.fo_close, fp, p);
  }
}

/** read and write move f_offset on. */
export const FOF_UPDATE_OFFSET: u32 = 1;

// Events of poll.
export const POLLIN: u32 = 1;
export const POLLOUT: u32 = 4;
