// The memory file system's device: what hangs at v_data of the vnode (major 255)
// that stands for the disk; the arguments of its mount; and the ways to do I/O.
//
// A way moves the bytes of one request between a buffer and the memory that
// holds the file system: an object of the mount's own, or (a served way) the
// memory of the process that mounted it, which then stays in mount(2) until the
// file system is unmounted. The way is chosen when the file system is mounted.

import { DEV_BSHIFT, round_page } from "../../kernel/sys/param";
import { Proc } from "../../kernel/sys/proc";
import { UvmObject } from "../../vm/uvm_object";
import { B_ERROR, B_READ, Buf } from "../buf";
import { biodone } from "../vfs_bio";
import { Vnode } from "../vnode";
import { mfs_claim_request } from "./mfs_memory";

/** Arguments of mount("mfs", …). */
@unmanaged
export class MfsArgs {
  /** Name to show as mounted from, NUL-terminated; 0 = "mfs:PID". */
  fspec: usize;
  /** The file system that newfs made, in the calling process's space, and its size in bytes. */
  base: usize;
  size: u32;
  /** Number of the way, and repairs of a way that has them: mfs_names.ts. */
  way: u32;
  repair: u32;
  /** How many windows the way `window` keeps; 0 = its own choice. */
  window: u32;
}

export const MFSARGS_SIZE: u32 = 24;

// mfs_flags.
/** No request comes any more. */
export const MFS_CLOSED: u32 = 1;
/** The way and the memory have been let go. */
export const MFS_RELEASED: u32 = 2;
/** A process unmounts the file system for the server; it is done, and could not. */
export const MFS_UNMOUNTING: u32 = 4;
export const MFS_UNMOUNTED: u32 = 8;
/** Memory comes and goes with the blocks of the file system (mfs_memory.ts). */
export const MFS_CLAIMED: u32 = 16;

@unmanaged
export class Mfsnode {
  mfs_vnode: Vnode;
  /** Bytes of the file system. */
  mfs_size: u32;
  /** The process that mounted it. */
  mfs_pid: i32;
  mfs_way: Mfsway;
  /** Repairs switched on. */
  mfs_repair: u32;
  /** The object that holds the file system; this struct owns the reference that uao_create gave. 0: none, or closed. */
  mfs_data: UvmObject;
  /** Where the way mapped last. */
  mfs_uvmpage: usize;
  /** Kernel address space that the way reserved; 0 = none. */
  mfs_scratch: usize;
  /** A served way: where the file system lies in the space of the process that serves it. */
  mfs_baseoff: usize;
  mfs_server: Proc;
  /** Requests for the server: TAILQ by b_actq. */
  mfs_buflist_first: usize;
  mfs_buflist_last: usize;
  mfs_flags: u32;
  /** Who uses this struct: the vnode, and the server. */
  mfs_refs: u32;
  /** Errno of the unmount that the server had made. */
  mfs_unmount_error: i32;
  /** The way's own. */
  mfs_private: usize;
  /** Requests of the devices that are under way (mfs_dev.ts). */
  mfs_raw: u32;

  /** The head of the requests, which is also what the server sleeps on. */
  @inline get mfs_buflist(): usize {
    return changetype<usize>(this) + offsetof<Mfsnode>("mfs_buflist_first");
  }
}

export const MFSNODE_SIZE: u32 = 68;

/** One way to do I/O. */
@unmanaged
export class Mfsway {
  private io: u32;
  private attach: u32;
  private detach: u32;

  @inline set_io(f: (mfsp: Mfsnode, bp: Buf) => void): void {
    this.io = f.index;
  }
  @inline set_attach(f: (mfsp: Mfsnode, args: MfsArgs) => i32): void {
    this.attach = f.index;
  }
  @inline set_detach(f: (mfsp: Mfsnode) => void): void {
    this.detach = f.index;
  }
  /** Does the I/O of a buffer, biodone included. May sleep. */
  @inline way_io(mfsp: Mfsnode, bp: Buf): void {
    call_indirect<void>(this.io, mfsp, bp);
  }
  /** Prepares. 0 or an errno. Sleeps. */
  @inline way_attach(mfsp: Mfsnode, args: MfsArgs): i32 {
    return call_indirect<i32>(this.attach, mfsp, args);
  }
  /** Undoes way_attach. */
  @inline way_detach(mfsp: Mfsnode): void {
    call_indirect<void>(this.detach, mfsp);
  }
}

export const MFSWAY_SIZE: u32 = 12;

/** What all memory file systems have done since boot. */
@unmanaged
export class MfsStats {
  /** Requests, and the sum of their b_bcount. */
  strategy: u32;
  reads: u32;
  writes: u32;
  private pad: u32;
  bytes: u64;
}

export const mfs_stats: MfsStats = changetype<MfsStats>(memory.data(24, 8));

export function VTOMFS(vp: Vnode): Mfsnode {
  return changetype<Mfsnode>(vp.v_data);
}

/** Does the I/O of a buffer by the way of the mount, biodone included, and counts it. ENOSPC without memory. May sleep. */
export function mfs_doio(mfsp: Mfsnode, bp: Buf): void {
  mfs_stats.strategy++;
  mfs_stats.bytes += u64(bp.b_bcount);
  if ((bp.b_flags & B_READ) != 0) mfs_stats.reads++;
  else mfs_stats.writes++;
  const error = mfs_claim_request(mfsp, bp);
  if (error != 0) mfs_iodone(bp, error);
  else mfsp.mfs_way.way_io(mfsp, bp);
}

/** Does the request lie within the file system? */
export function mfs_inrange(mfsp: Mfsnode, bp: Buf): bool {
  const end = (u64(u32(bp.b_blkno)) << u64(DEV_BSHIFT)) + u64(bp.b_bcount);
  return end <= u64(round_page(mfsp.mfs_size));
}

/** Ends a request with an errno or 0. */
export function mfs_iodone(bp: Buf, error: i32): void {
  if (error != 0) {
    bp.b_error = error;
    bp.b_flags |= B_ERROR;
    bp.b_resid = bp.b_bcount;
  } else {
    bp.b_resid = 0;
  }
  biodone(bp);
}
