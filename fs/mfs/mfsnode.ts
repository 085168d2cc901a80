// The memory file system's device: what hangs at v_data of the vnode (major 255)
// that stands for the disk; the arguments of its mount; and the ways to do I/O.
//
// A way moves the bytes of one request between a buffer and the object that
// holds the file system. It is chosen when the file system is mounted.

import { UvmObject } from "../../vm/uvm_object";
import { Buf } from "../buf";
import { Vnode } from "../vnode";

/** Major number of MFS devices; it has no entry in the table of block devices. */
export const MFS_MAJOR: u32 = 255;

/** Arguments of mount("mfs", …), in kernel space. Strings are NUL-terminated; 0 = not given. */
@unmanaged
export class MfsArgs {
  /** Name to show as mounted from; 0 = "mfs:PID". */
  fspec: usize;
  /** The file system that newfs made, in the calling process's space or the kernel's, and its size in bytes. */
  base: usize;
  size: u32;
  /** Name of the way; 0 = "aobj". */
  way: usize;
  /** Repairs of a way that needs them, separated by commas. */
  repair: usize;
}

export const MFSARGS_SIZE: u32 = 20;

@unmanaged
export class Mfsnode {
  mfs_vnode: Vnode;
  /** Bytes of the file system. */
  mfs_size: u32;
  /** The process that mounted it. */
  mfs_pid: i32;
  mfs_way: Mfsway;
  /** Repairs switched on: bits that the way defines. */
  mfs_repair: u32;
  /** The object that holds the file system; this struct owns the reference that uao_create gave. 0 when closed. */
  mfs_data: UvmObject;
  /** Where the way mapped last. */
  mfs_uvmpage: usize;
  /** Kernel address space that the way reserved; 0 = none. */
  mfs_scratch: usize;
}

export const MFSNODE_SIZE: u32 = 32;

/** One way to do I/O. */
@unmanaged
export class Mfsway {
  way_name: usize;
  private io: u32;
  private attach: u32;
  private detach: u32;

  @inline set_io(f: (mfsp: Mfsnode, bp: Buf) => void): void {
    this.io = f.index;
  }
  @inline set_attach(f: (mfsp: Mfsnode, repair: usize) => i32): void {
    this.attach = f.index;
  }
  @inline set_detach(f: (mfsp: Mfsnode) => void): void {
    this.detach = f.index;
  }
  /** Does the I/O of a buffer, biodone included. May sleep. */
  @inline way_io(mfsp: Mfsnode, bp: Buf): void {
    call_indirect<void>(this.io, mfsp, bp);
  }
  /** Prepares; `repair` is the list of the mount arguments or 0. EINVAL for a name in it that the way does not know. */
  @inline way_attach(mfsp: Mfsnode, repair: usize): i32 {
    return call_indirect<i32>(this.attach, mfsp, repair);
  }
  /** Undoes way_attach. */
  @inline way_detach(mfsp: Mfsnode): void {
    call_indirect<void>(this.detach, mfsp);
  }
}

export const MFSWAY_SIZE: u32 = 16;

/** What all memory file systems have done since boot. */
@unmanaged
export class MfsStats {
  /** Calls of mfs_strategy, and the sum of their b_bcount. */
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
