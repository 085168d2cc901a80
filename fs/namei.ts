// Arguments and results of path name lookup (namei(9)).
import { Proc } from "../kernel/sys/proc";
import { Vnode } from "./vnode";

// cn_nameiop: why the name is looked up.
export const LOOKUP: u32 = 0;
export const CREATE: u32 = 1;
export const DELETE: u32 = 2;
export const RENAME: u32 = 3;
export const OPMASK: u32 = 3;

// cn_flags, asked by the caller of namei.
export const LOCKLEAF: u32 = 0x0004;
export const LOCKPARENT: u32 = 0x0008;
export const WANTPARENT: u32 = 0x0010;
export const NOCACHE: u32 = 0x0020;
export const FOLLOW: u32 = 0x0040;
export const NOFOLLOW: u32 = 0x0000;
export const MODMASK: u32 = 0x00fc;

// cn_flags, parameters and state between namei, lookup and VOP_LOOKUP.
export const NOCROSSMOUNT: u32 = 0x000100;
export const RDONLY: u32 = 0x000200;
export const HASBUF: u32 = 0x000400;
export const SAVENAME: u32 = 0x000800;
export const SAVESTART: u32 = 0x001000;
export const ISDOTDOT: u32 = 0x002000;
export const MAKEENTRY: u32 = 0x004000;
export const ISLASTCN: u32 = 0x008000;
export const ISSYMLINK: u32 = 0x010000;
export const ISWHITEOUT: u32 = 0x020000;
export const DOWHITEOUT: u32 = 0x040000;
export const REQUIREDIR: u32 = 0x080000;
export const PDIRUNLOCK: u32 = 0x100000;
/** A missing last component may have slashes behind it: it is to be a directory. */
export const CREATEDIR: u32 = 0x200000;

/**
 * One component of a path, as the vnode operations see it.
 * cn_nameptr points into cn_pnbuf, is cn_namelen bytes long and not NUL-terminated.
 */
@unmanaged export class Componentname {
  cn_nameiop: u32;
  cn_flags: u32;
  cn_proc: Proc;
  cn_cred: usize;
  /** The path buffer (MAXPATHLEN bytes); whoever clears HASBUF frees it with PNBUF_PUT. */
  cn_pnbuf: usize;
  cn_nameptr: usize;
  cn_namelen: u32;
  cn_hash: u32;
  /** Bytes behind the name that VOP_LOOKUP took as well. */
  cn_consume: u32;
}

/**
 * The whole lookup. Its Componentname (ni_cnd) is its first part, so a
 * Nameidata may be passed where a Componentname is wanted.
 * Lives in the caller's frame: `changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()))`.
 */
@unmanaged export class Nameidata extends Componentname {
  ni_dirp: usize;
  ni_segflg: u32;
  ni_startdir: Vnode;
  ni_rootdir: Vnode;
  /** Result: the file; 0 when it does not exist and may be created. */
  ni_vp: Vnode;
  /** Result: its directory, with LOCKPARENT or WANTPARENT. */
  ni_dvp: Vnode;
  ni_pathlen: u32;
  ni_next: usize;
  ni_loopcnt: u32;

  @inline get ni_cnd(): Componentname { return changetype<Componentname>(this); }
}
