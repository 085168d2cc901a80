// The vnode: what the system knows of one open or recently used file, whatever
// file system holds it (vnode(9)).
//
// A vnode begins with the memory object that maps its pages, so a Vnode may be
// passed where a UvmObject is wanted and the pointers are equal.
//
// Invariants:
//   - v_usecount counts who may call operations; v_holdcnt counts buffers and
//     pages that name the vnode. Only a vnode with v_usecount 0 is on a free list:
//     vnode_free_list when v_holdcnt is 0, vnode_hold_list otherwise.
//   - v_id changes whenever the vnode stops meaning the file it meant, so a name
//     cache entry that remembers an old v_id is stale.
//   - VXLOCK is set while the vnode is being cleaned; nobody may gain a reference then.
import { Lock } from "../kernel/sys/lock";
import { UvmObject } from "../vm/uvm_object";
import { Mount } from "./mount";
import { VnodeOps } from "./vnode_if";

// Vnode types.
export const VNON: u32 = 0;
export const VREG: u32 = 1;
export const VDIR: u32 = 2;
export const VBLK: u32 = 3;
export const VCHR: u32 = 4;
export const VLNK: u32 = 5;
export const VSOCK: u32 = 6;
export const VFIFO: u32 = 7;
export const VBAD: u32 = 8;

// Tags: which kind of file system v_data belongs to. For external programs and vprint only.
export const VT_NON: u32 = 0;
export const VT_UFS: u32 = 1;
export const VT_NFS: u32 = 2;
export const VT_MFS: u32 = 3;
export const VT_VFS: u32 = 21;

// v_flag.
export const VROOT: u32 = 0x0001;
export const VTEXT: u32 = 0x0002;
export const VSYSTEM: u32 = 0x0004;
export const VISTTY: u32 = 0x0008;
export const VXLOCK: u32 = 0x0100;
export const VXWANT: u32 = 0x0200;
export const VBWAIT: u32 = 0x0400;
export const VALIASED: u32 = 0x0800;
export const VDIROP: u32 = 0x1000;
export const VLAYER: u32 = 0x2000;
export const VONWORKLST: u32 = 0x4000;

/** An attribute that is not given or not known. */
export const VNOVAL: u32 = 0xffffffff;

// Access modes of VOP_ACCESS and of va_mode.
export const VSUID: u32 = 0o4000;
export const VSGID: u32 = 0o2000;
export const VSVTX: u32 = 0o1000;
export const VREAD: u32 = 0o0004;
export const VWRITE: u32 = 0o0002;
export const VEXEC: u32 = 0o0001;

// ioflag of VOP_READ and VOP_WRITE.
export const IO_UNIT: u32 = 0x01;
export const IO_APPEND: u32 = 0x02;
export const IO_SYNC: u32 = 0x24;
export const IO_NODELOCKED: u32 = 0x08;
export const IO_NDELAY: u32 = 0x10;
export const IO_DSYNC: u32 = 0x20;
export const IO_ALTSEMANTICS: u32 = 0x40;
/** The vnode pager moves pages: leave the pages and the end of the file alone. */
export const IO_PAGER: u32 = 0x100;

// flags of VOP_FSYNC.
export const FSYNC_WAIT: u32 = 1;
export const FSYNC_DATAONLY: u32 = 2;
export const FSYNC_RECLAIM: u32 = 4;
export const FSYNC_LAZY: u32 = 8;

// flags of VOP_UPDATE.
export const UPDATE_WAIT: u32 = 1;
export const UPDATE_DIROP: u32 = 2;

// flags of VOP_REVOKE, vinvalbuf, vflush and vclean.
export const REVOKEALL: u32 = 1;
export const V_SAVE: u32 = 1;
export const V_SAVEMETA: u32 = 2;
export const SKIPSYSTEM: u32 = 1;
export const FORCECLOSE: u32 = 2;
export const WRITECLOSE: u32 = 4;
export const DOCLOSE: u32 = 8;

/** Credentials that stand for nobody in particular, and for the file system itself. */
export const NOCRED: usize = 0xffffffff;
export const FSCRED: usize = 0xfffffffe;

// File types in a mode word (<sys/stat.h>).
export const S_IFMT: u32 = 0o170000;
export const S_IFIFO: u32 = 0o010000;
export const S_IFCHR: u32 = 0o020000;
export const S_IFDIR: u32 = 0o040000;
export const S_IFBLK: u32 = 0o060000;
export const S_IFREG: u32 = 0o100000;
export const S_IFLNK: u32 = 0o120000;
export const S_IFSOCK: u32 = 0o140000;

@unmanaged export class Vnode extends UvmObject {
  // The rest of the uvm_vnode; managed by the vnode pager.
  u_flags: u32;
  u_nio: u32;
  u_size: u64;
  u_wlist_next: usize;
  u_wlist_prev: usize;
  /** The last uvm_vnp_sync that wrote this object. */
  u_syncround: u32;

  v_flag: u32;
  v_usecount: i32;
  v_writecount: i32;
  v_holdcnt: i32;
  v_lastr: i32;
  v_id: u32;
  v_mount: Mount;
  v_op: VnodeOps;
  v_freelist_next: usize;
  v_freelist_prev: usize;
  /** Free list that the vnode is on: address of its head, 0 = none. */
  v_freelisthd: usize;
  v_mntvnodes_next: usize;
  v_mntvnodes_prev: usize;
  v_cleanblkhd: usize;
  v_dirtyblkhd: usize;
  v_numoutput: i32;
  v_synclist_next: usize;
  v_synclist_prev: usize;
  v_type: u32;
  /** Union: v_mountedhere (VDIR), v_specinfo (VBLK, VCHR), v_socket, v_fifoinfo. */
  v_un: usize;
  v_lease: usize;
  v_lastw: i32;
  v_cstart: i32;
  v_lasta: i32;
  v_clen: i32;
  v_ralen: i32;
  v_maxra: i32;
  v_interlock: u32;
  /** The lock that VOP_LOCK takes: normally &v_lock; 0 = the file system has its own. */
  v_vnlock: usize;
  v_tag: u32;
  v_data: usize;
  /** Errno of the first write in the background that failed since anybody was told (vn_write_error). */
  v_error: i32;

  @inline get v_mountedhere(): Mount { return changetype<Mount>(this.v_un); }
  set v_mountedhere(mp: Mount) { this.v_un = changetype<usize>(mp); }
  @inline get v_specinfo(): Specinfo { return changetype<Specinfo>(this.v_un); }
  set v_specinfo(si: Specinfo) { this.v_un = changetype<usize>(si); }
  /** Device number; block and character devices only. */
  @inline get v_rdev(): u32 { return changetype<Specinfo>(this.v_un).si_rdev; }
  /** The lock embedded behind the other fields. */
  @inline get v_lock(): Lock { return changetype<Lock>(changetype<usize>(this) + ((offsetof<Vnode>() + 3) & ~3)); }
}

/** Bytes of one vnode, its lock included. */
export const VNODE_SIZE: u32 = ((offsetof<Vnode>() + 3) & ~3) + ((offsetof<Lock>() + 7) & ~7);

/** What a device vnode knows of its device; one per vnode, chained by hash of si_rdev. */
@unmanaged export class Specinfo {
  si_hashchain: usize;
  si_specnext: Vnode;
  /** The file system mounted from this device; 0 = none. */
  si_mountpoint: Mount;
  si_rdev: u32;
  si_lockf: usize;
}

/** Attributes of a file, as VOP_GETATTR gives and VOP_SETATTR takes them. */
@unmanaged export class Vattr {
  va_type: u32;
  va_mode: u32;
  va_nlink: u32;
  va_uid: u32;
  va_gid: u32;
  va_fsid: u32;
  va_fileid: u32;
  va_blocksize: u32;
  va_size: u64;
  va_atime: u32;
  va_atimensec: u32;
  va_mtime: u32;
  va_mtimensec: u32;
  va_ctime: u32;
  va_ctimensec: u32;
  va_gen: u32;
  va_flags: u32;
  va_rdev: u32;
  va_vaflags: u32;
  va_bytes: u64;
  va_filerev: u64;
}

/** Sets every attribute to "not given". */
export function VATTR_NULL(vap: Vattr): void {
  const end = changetype<usize>(vap) + offsetof<Vattr>();
  let addr = changetype<usize>(vap);
  while (addr < end) {
    store<u32>(addr, VNOVAL);
    addr += 4;
  }
  vap.va_type = VNON;
  vap.va_vaflags = 0;
}

/** Vnode type of the file type bits of a mode word. */
export function IFTOVT(mode: u32): u32 {
  const type = mode & S_IFMT;
  if (type == S_IFREG) return VREG;
  if (type == S_IFDIR) return VDIR;
  if (type == S_IFLNK) return VLNK;
  if (type == S_IFBLK) return VBLK;
  if (type == S_IFCHR) return VCHR;
  if (type == S_IFIFO) return VFIFO;
  if (type == S_IFSOCK) return VSOCK;
  return type == 0 ? VNON : VBAD;
}

/** File type bits of a vnode type. */
export function VTTOIF(type: u32): u32 {
  if (type == VREG) return S_IFREG;
  if (type == VDIR) return S_IFDIR;
  if (type == VBLK) return S_IFBLK;
  if (type == VCHR) return S_IFCHR;
  if (type == VLNK) return S_IFLNK;
  if (type == VSOCK) return S_IFSOCK;
  if (type == VFIFO) return S_IFIFO;
  return type == VBAD ? S_IFMT : 0;
}
