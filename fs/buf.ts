// The buffer header: one block of a file or device on its way between memory
// and storage (buffercache(9)).
//
// A busy buffer (B_BUSY) belongs to one owner, the driver during I/O. Owners
// alone touch b_data and the header; interrupts touch only b_flags, b_error
// and b_resid of buffers they own.
import { Proc } from "../kernel/sys/proc";
import { Vnode } from "./vnode";

// b_flags.
export const B_WRITE: u32 = 0x00000000;
export const B_AGE: u32 = 0x00000001;
export const B_NEEDCOMMIT: u32 = 0x00000002;
export const B_ASYNC: u32 = 0x00000004;
export const B_BAD: u32 = 0x00000008;
export const B_BUSY: u32 = 0x00000010;
export const B_SCANNED: u32 = 0x00000020;
export const B_CALL: u32 = 0x00000040;
export const B_DELWRI: u32 = 0x00000080;
export const B_DIRTY: u32 = 0x00000100;
export const B_DONE: u32 = 0x00000200;
export const B_EINTR: u32 = 0x00000400;
export const B_ERROR: u32 = 0x00000800;
export const B_GATHERED: u32 = 0x00001000;
export const B_INVAL: u32 = 0x00002000;
export const B_LOCKED: u32 = 0x00004000;
export const B_NOCACHE: u32 = 0x00008000;
export const B_ORDERED: u32 = 0x00010000;
export const B_PHYS: u32 = 0x00040000;
export const B_RAW: u32 = 0x00080000;
export const B_READ: u32 = 0x00100000;
export const B_TAPE: u32 = 0x00200000;
export const B_WANTED: u32 = 0x00800000;
export const B_WRITEINPROG: u32 = 0x01000000;
export const B_XXX: u32 = 0x02000000;
export const B_VFLUSH: u32 = 0x04000000;

// Flags of VOP_BALLOC.
export const B_CLRBUF: u32 = 0x01;
export const B_SYNC: u32 = 0x02;

// Queues of idle buffers.
export const BQ_LOCKED: u32 = 0;
export const BQ_LRU: u32 = 1;
export const BQ_AGE: u32 = 2;
export const BQ_EMPTY: u32 = 3;
export const BQUEUES: u32 = 4;

@unmanaged export class Buf {
  b_hash_next: usize;
  b_hash_prev: usize;
  b_vnbufs_next: usize;
  b_vnbufs_prev: usize;
  b_freelist_next: usize;
  b_freelist_prev: usize;
  /** Links of a driver's queue. */
  b_actq_next: usize;
  b_actq_prev: usize;
  b_proc: Proc;
  b_flags: u32;
  b_error: i32;
  /** Bytes of memory behind b_data (whole pages). */
  b_bufsize: u32;
  /** Bytes that are valid or to be transferred. */
  b_bcount: u32;
  /** Bytes not transferred; also b_cylinder, the sort key of disksort. */
  b_resid: u32;
  b_dev: u32;
  /** The data, in the buffer's own MAXBSIZE window of kernel space. */
  b_data: usize;
  b_saveaddr: usize;
  /** Block number in the file (units of the file system's blocks). */
  b_lblkno: i32;
  /** Block number on the device, units of DEV_BSIZE, relative to the partition. */
  b_blkno: i32;
  b_rawblkno: i32;
  /** Called by biodone instead of wakeup when B_CALL is set: code address. */
  b_iodone: u32;
  b_vp: Vnode;
  b_dirtyoff: u32;
  b_dirtyend: u32;
  b_validoff: u32;
  b_validend: u32;
  b_rcred: usize;
  b_wcred: usize;
  b_dcookie: u32;
  b_dep: usize;

  @inline get b_cylinder(): u32 { return this.b_resid; }
  set b_cylinder(cylinder: u32) { this.b_resid = cylinder; }
  @inline set_iodone(f: (bp: Buf) => void): void { this.b_iodone = f.index; }
}

/** What has gone through the buffer cache since boot. */
@unmanaged export class Bufstat {
  /** bread() calls, and those answered from the cache. */
  reads: u32;
  readhits: u32;
  /** Buffers handed to a strategy routine to read, to write. */
  readios: u32;
  writeios: u32;
  /** Writes put off by bdwrite. */
  delayed: u32;
  /** VOP_STRATEGY calls of the cache, and biodone calls. */
  strategies: u32;
  done: u32;
}

export const bufstat: Bufstat = changetype<Bufstat>(memory.data(offsetof<Bufstat>()));
