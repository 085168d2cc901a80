// Path name lookup: from a path to a vnode, one component at a time (namei(9)).
import { frame_alloc } from "../kernel/i386/cpufunc";
import { copyinstr, copystr } from "../kernel/i386/support";
import { free, malloc } from "../kernel/kern_malloc";
import { memcpy } from "../kernel/libkern";
import { panic } from "../kernel/subr_prf";
import {
  EISDIR, EJUSTRETURN, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EROFS,
} from "../kernel/sys/errno";
import { LK_EXCLUSIVE, LK_RETRY } from "../kernel/sys/lock";
import { M_NAMEI, M_WAITOK } from "../kernel/sys/malloc";
import { MAXPATHLEN, MAXSYMLINKS, NAME_MAX } from "../kernel/sys/param";
import { Proc } from "../kernel/sys/proc";
import { Iovec, SIZEOF_IOVEC, SIZEOF_UIO, UIO_READ, UIO_SYSSPACE, Uio } from "../kernel/sys/uio";
import { VFS_ROOT } from "./mount";
import {
  CREATE, CREATEDIR, Componentname, DELETE, FOLLOW, HASBUF, ISDOTDOT, ISLASTCN, ISSYMLINK, LOCKLEAF, LOCKPARENT, LOOKUP,
  MAKEENTRY, MODMASK, NOCACHE, NOCROSSMOUNT, Nameidata, OPMASK, PDIRUNLOCK, RDONLY, RENAME, REQUIREDIR, SAVENAME,
  SAVESTART, WANTPARENT,
} from "./namei";
import { rootvnode } from "./vfs_conf";
import { vfs_busy, vfs_unbusy } from "./vfs_mount";
import { vput, vref, vrele } from "./vfs_subr";
import { vn_lock, vn_rdonly } from "./vfs_vnops";
import { VDIR, VLNK, VROOT, Vnode } from "./vnode";
import { VOP_LOOKUP, VOP_READLINK, VOP_UNLOCK } from "./vnode_if";

export { Componentname, Nameidata } from "./namei";

const SLASH: u32 = 0x2f;
const DOT: u32 = 0x2e;
const NULLVP: usize = 0;

/** Gives the name a path buffer of MAXPATHLEN bytes. Sleeps. */
export function PNBUF_GET(cnp: Componentname): void {
  cnp.cn_pnbuf = malloc(MAXPATHLEN, M_NAMEI, M_WAITOK);
  cnp.cn_flags |= HASBUF;
}

/** Frees the path buffer. */
export function PNBUF_PUT(cnp: Componentname): void {
  free(cnp.cn_pnbuf, M_NAMEI);
  cnp.cn_flags &= ~HASBUF;
}

/** Fills in the question of a lookup: operation, flags, the path and whose it is. */
export function NDINIT(ndp: Nameidata, op: u32, flags: u32, segflg: u32, path: usize, p: Proc): void {
  ndp.cn_nameiop = op;
  ndp.cn_flags = flags;
  ndp.ni_segflg = segflg;
  ndp.ni_dirp = path;
  ndp.cn_proc = p;
  ndp.ni_startdir = changetype<Vnode>(0);
  ndp.ni_vp = changetype<Vnode>(0);
  ndp.ni_dvp = changetype<Vnode>(0);
}

/** Replaces the path by the text of the symbolic link ni_vp and what follows it; ni_vp is put. */
function follow_symlink(ndp: Nameidata): i32 {
  ndp.ni_loopcnt++;
  if (ndp.ni_loopcnt > MAXSYMLINKS) return ELOOP;
  const text = ndp.ni_pathlen > 1 ? malloc(MAXPATHLEN, M_NAMEI, M_WAITOK) : ndp.cn_pnbuf;
  const iov = changetype<Iovec>(frame_alloc(SIZEOF_IOVEC));
  const uio = changetype<Uio>(frame_alloc(SIZEOF_UIO));
  iov.iov_base = text;
  iov.iov_len = MAXPATHLEN;
  uio.uio_iov = iov;
  uio.uio_iovcnt = 1;
  uio.uio_offset = 0;
  uio.uio_rw = UIO_READ;
  uio.uio_segflg = UIO_SYSSPACE;
  uio.uio_procp = 0;
  uio.uio_resid = MAXPATHLEN;
  let error = VOP_READLINK(ndp.ni_vp, uio, ndp.cn_cred);
  const length = MAXPATHLEN - uio.uio_resid;
  if (error == 0 && length == 0) error = ENOENT;
  if (error == 0 && length + ndp.ni_pathlen >= MAXPATHLEN) error = ENAMETOOLONG;
  if (error != 0) {
    if (ndp.ni_pathlen > 1) free(text, M_NAMEI);
    return error;
  }
  if (ndp.ni_pathlen > 1) {
    memcpy(text + length, ndp.ni_next, ndp.ni_pathlen);
    free(ndp.cn_pnbuf, M_NAMEI);
    ndp.cn_pnbuf = text;
  } else {
    store<u8>(text + length, 0);
  }
  ndp.ni_pathlen += length;
  vput(ndp.ni_vp);
  return 0;
}

/** Copies the path in and finds where to start; an errno. */
function namei_setup(ndp: Nameidata): i32 {
  const p = ndp.cn_proc;
  ndp.cn_cred = changetype<usize>(p);
  if ((ndp.cn_flags & OPMASK) != 0) panic(cs("namei: nameiop contaminated with flags"));
  if ((ndp.cn_flags & HASBUF) == 0) PNBUF_GET(ndp);
  const length = frame_alloc(4);
  store<u32>(length, 0);
  let error = ndp.ni_segflg == UIO_SYSSPACE
    ? copystr(ndp.ni_dirp, ndp.cn_pnbuf, MAXPATHLEN, length)
    : copyinstr(ndp.ni_dirp, ndp.cn_pnbuf, MAXPATHLEN, length);
  if (error == 0 && load<u32>(length) == 1) error = ENOENT;
  if (error != 0) {
    PNBUF_PUT(ndp);
    ndp.ni_vp = changetype<Vnode>(NULLVP);
    return error;
  }
  ndp.ni_pathlen = load<u32>(length);
  ndp.ni_loopcnt = 0;
  ndp.ni_rootdir = p.p_rdir != 0 ? changetype<Vnode>(p.p_rdir) : rootvnode();
  return 0;
}

/**
 * Looks up the path of NDINIT. Results by cn_flags: ni_vp (LOCKLEAF: locked), ni_dvp (LOCKPARENT:
 * locked; WANTPARENT: referenced), all referenced; ni_vp 0 when the last component is missing and
 * the operation is CREATE or RENAME. The path buffer stays (HASBUF) for CREATE, DELETE and RENAME
 * and with SAVENAME or SAVESTART; otherwise, and on error, it is freed. Sleeps.
 */
export function namei(ndp: Nameidata): i32 {
  let error = namei_setup(ndp);
  if (error != 0) return error;
  let dp = ndp.cn_proc.p_cdir != 0 ? changetype<Vnode>(ndp.cn_proc.p_cdir) : ndp.ni_rootdir;
  vref(dp);
  while (true) {
    // A path that begins with a slash, here or from a link, begins at the root.
    ndp.cn_nameptr = ndp.cn_pnbuf;
    if (load<u8>(ndp.cn_nameptr) == SLASH) {
      vrele(dp);
      while (load<u8>(ndp.cn_nameptr) == SLASH) {
        ndp.cn_nameptr++;
        ndp.ni_pathlen--;
      }
      dp = ndp.ni_rootdir;
      vref(dp);
    }
    ndp.ni_startdir = dp;
    error = lookup(ndp);
    if (error != 0) {
      PNBUF_PUT(ndp);
      return error;
    }
    if ((ndp.cn_flags & ISSYMLINK) == 0) {
      if ((ndp.cn_flags & (SAVENAME | SAVESTART)) == 0) PNBUF_PUT(ndp);
      return 0;
    }
    if ((ndp.cn_flags & LOCKPARENT) != 0 && ndp.ni_pathlen == 1) VOP_UNLOCK(ndp.ni_dvp, 0);
    error = follow_symlink(ndp);
    if (error != 0) break;
    dp = ndp.ni_dvp;
  }
  PNBUF_PUT(ndp);
  vrele(ndp.ni_dvp);
  vput(ndp.ni_vp);
  ndp.ni_vp = changetype<Vnode>(NULLVP);
  return error;
}

/** Sets the name of the component at cn_nameptr: length, hash, flags, what follows. ENAMETOOLONG. */
function next_component(ndp: Nameidata, docache: bool): i32 {
  let cp = ndp.cn_nameptr;
  let hash: u32 = 0;
  let c: u32 = load<u8>(cp);
  while (c != 0 && c != SLASH) {
    hash = hash * 33 + c;
    cp++;
    c = load<u8>(cp);
  }
  ndp.cn_consume = 0;
  ndp.cn_hash = hash;
  ndp.cn_namelen = u32(cp - ndp.cn_nameptr);
  if (ndp.cn_namelen > NAME_MAX) return ENAMETOOLONG;
  ndp.ni_pathlen -= ndp.cn_namelen;
  ndp.ni_next = cp;
  if (c == SLASH) {
    // Slashes at the end of the path ask for a directory.
    let slashes = cp;
    while (load<u8>(slashes) == SLASH) slashes++;
    if (load<u8>(slashes) == 0) {
      ndp.cn_flags |= REQUIREDIR;
      ndp.ni_pathlen -= u32(slashes - cp);
      ndp.ni_next = slashes;
      c = 0;
    }
  }
  ndp.cn_flags |= MAKEENTRY;
  ndp.cn_flags &= ~(ISDOTDOT | ISLASTCN);
  if (c == 0) {
    ndp.cn_flags |= ISLASTCN;
    if (!docache) ndp.cn_flags &= ~MAKEENTRY;
  }
  if (ndp.cn_namelen == 2 && load<u8>(ndp.cn_nameptr) == DOT && load<u8>(ndp.cn_nameptr + 1) == DOT) {
    ndp.cn_flags |= ISDOTDOT;
  }
  return 0;
}

/** The path is empty or "/": the start itself is the answer. `dp` is locked. */
function lookup_degenerate(ndp: Nameidata, dp: Vnode): i32 {
  const wantparent = (ndp.cn_flags & (LOCKPARENT | WANTPARENT)) != 0;
  let error = 0;
  if (dp.v_type != VDIR) error = ENOTDIR;
  else if (ndp.cn_nameiop != LOOKUP) error = EISDIR;
  if (error != 0) {
    vput(dp);
    ndp.ni_vp = changetype<Vnode>(NULLVP);
    return error;
  }
  if (wantparent) {
    ndp.ni_dvp = dp;
    vref(dp);
  }
  ndp.ni_vp = dp;
  if ((ndp.cn_flags & (LOCKPARENT | LOCKLEAF)) == 0) VOP_UNLOCK(dp, 0);
  if ((ndp.cn_flags & SAVESTART) != 0) panic(cs("lookup: SAVESTART"));
  return 0;
}

/** At the root of a file system ".." goes on from what is covered; the locked directory to search, 0 = stay at `dp`. */
function dotdot_up(ndp: Nameidata, dp: Vnode): Vnode {
  while (true) {
    if (dp == ndp.ni_rootdir || dp == rootvnode()) return changetype<Vnode>(NULLVP);
    if ((dp.v_flag & VROOT) == 0 || (ndp.cn_flags & NOCROSSMOUNT) != 0) return dp;
    const top = dp;
    dp = dp.v_mount.mnt_vnodecovered;
    vref(dp);
    vput(top);
    vn_lock(dp, LK_EXCLUSIVE | LK_RETRY);
  }
}

/** Goes down into the file systems mounted on the locked directory `dp`; the locked root at ni_vp. */
function cross_mounts(ndp: Nameidata, dp: Vnode): i32 {
  const tdp = frame_alloc(4);
  while (dp.v_type == VDIR && dp.v_un != 0 && (ndp.cn_flags & NOCROSSMOUNT) == 0) {
    const mp = dp.v_mountedhere;
    if (vfs_busy(mp, 0, 0) != 0) continue;
    VOP_UNLOCK(dp, 0);
    const error = VFS_ROOT(mp, tdp);
    vfs_unbusy(mp);
    if (error != 0) {
      vrele(dp);
      ndp.ni_vp = changetype<Vnode>(NULLVP);
      return error;
    }
    vrele(dp);
    dp = changetype<Vnode>(load<usize>(tdp));
    ndp.ni_vp = dp;
  }
  return 0;
}

/** Drops the directory of a lookup that failed or no longer needs it. */
function drop_parent(ndp: Nameidata, dpunlocked: bool): void {
  if (dpunlocked) vrele(ndp.ni_dvp);
  else vput(ndp.ni_dvp);
}

/** The last component is missing and may be made: ni_vp 0, ni_dvp as asked. */
function lookup_createable(ndp: Nameidata, dpunlocked: bool, rdonly: bool): i32 {
  if (rdonly || vn_rdonly(ndp.ni_dvp)) {
    drop_parent(ndp, dpunlocked);
    ndp.ni_vp = changetype<Vnode>(NULLVP);
    return EROFS;
  }
  if ((ndp.cn_flags & (REQUIREDIR | CREATEDIR)) == REQUIREDIR) {
    drop_parent(ndp, dpunlocked);
    ndp.ni_vp = changetype<Vnode>(NULLVP);
    return ENOENT;
  }
  if ((ndp.cn_flags & LOCKPARENT) == 0 && !dpunlocked) VOP_UNLOCK(ndp.ni_dvp, 0);
  if ((ndp.cn_flags & SAVESTART) != 0) {
    ndp.ni_startdir = ndp.ni_dvp;
    vref(ndp.ni_startdir);
  }
  ndp.ni_vp = changetype<Vnode>(NULLVP);
  return 0;
}

/** The path is used up: checks and locks the answer as asked. `dp` is ni_vp, locked. */
function lookup_finish(ndp: Nameidata, dp: Vnode, dpunlocked: bool, wantparent: bool, rdonly: bool): i32 {
  let error = 0;
  if (dp.v_type != VDIR && (ndp.cn_flags & REQUIREDIR) != 0) error = ENOTDIR;
  else if (rdonly || vn_rdonly(ndp.ni_dvp)) {
    if (ndp.cn_nameiop == DELETE || ndp.cn_nameiop == RENAME) error = EROFS;
  }
  if (error != 0) {
    drop_parent(ndp, dpunlocked || dp == ndp.ni_dvp);
    vput(dp);
    ndp.ni_vp = changetype<Vnode>(NULLVP);
    return error;
  }
  if ((ndp.cn_flags & SAVESTART) != 0) {
    ndp.ni_startdir = ndp.ni_dvp;
    vref(ndp.ni_startdir);
  }
  if (!wantparent) vrele(ndp.ni_dvp);
  if ((ndp.cn_flags & LOCKLEAF) == 0) VOP_UNLOCK(dp, 0);
  return 0;
}

/**
 * Walks the path at cn_nameptr (ni_pathlen bytes with the NUL) from ni_startdir, whose reference it
 * consumes. Results as namei, but a symbolic link to be followed ends it (ISSYMLINK; ni_vp the
 * locked link, ni_dvp its directory referenced, ni_next the rest). Sleeps.
 */
export function lookup(ndp: Nameidata): i32 {
  const wantparent = (ndp.cn_flags & (LOCKPARENT | WANTPARENT)) != 0;
  let docache = (ndp.cn_flags & NOCACHE) == 0;
  if (ndp.cn_nameiop == DELETE || (wantparent && ndp.cn_nameiop != CREATE)) docache = false;
  const rdonly = (ndp.cn_flags & RDONLY) != 0;
  ndp.ni_dvp = changetype<Vnode>(NULLVP);
  ndp.cn_flags &= ~ISSYMLINK;
  let dp = ndp.ni_startdir;
  ndp.ni_startdir = changetype<Vnode>(NULLVP);
  vn_lock(dp, LK_EXCLUSIVE | LK_RETRY);
  let error: i32 = 0;
  const vpp = frame_alloc(4);
  while (true) {
    if (load<u8>(ndp.cn_nameptr) == 0) return lookup_degenerate(ndp, dp);
    error = next_component(ndp, docache);
    if (error != 0) {
      vput(dp);
      ndp.ni_vp = changetype<Vnode>(NULLVP);
      return error;
    }
    let stay = false;
    if ((ndp.cn_flags & ISDOTDOT) != 0) {
      const up = dotdot_up(ndp, dp);
      stay = changetype<usize>(up) == 0;
      // The root of the process may be dead: its file system was taken away by force.
      if (stay && dp.v_type != VDIR) {
        vput(dp);
        ndp.ni_vp = changetype<Vnode>(NULLVP);
        return ENOTDIR;
      }
      if (!stay) dp = up;
    }
    ndp.ni_dvp = dp;
    ndp.cn_flags &= ~PDIRUNLOCK;
    let dpunlocked = false;
    if (stay) {
      vref(dp);
      ndp.ni_vp = dp;
    } else {
      store<usize>(vpp, 0);
      error = VOP_LOOKUP(dp, vpp, ndp);
      ndp.ni_vp = changetype<Vnode>(load<usize>(vpp));
      dpunlocked = (ndp.cn_flags & PDIRUNLOCK) != 0;
      if (error == EJUSTRETURN) return lookup_createable(ndp, dpunlocked, rdonly);
      if (error != 0) {
        drop_parent(ndp, dpunlocked);
        ndp.ni_vp = changetype<Vnode>(NULLVP);
        return error;
      }
      if (ndp.cn_consume > 0) {
        ndp.ni_next += ndp.cn_consume;
        ndp.ni_pathlen -= ndp.cn_consume;
        ndp.cn_consume = 0;
      }
    }
    // For "." and a ".." that stays, ni_dvp and ni_vp are one vnode with one lock.
    dp = ndp.ni_vp;
    if (dp == ndp.ni_dvp) dpunlocked = true;
    error = cross_mounts(ndp, dp);
    if (error != 0) {
      drop_parent(ndp, dpunlocked);
      return error;
    }
    dp = ndp.ni_vp;
    const last = load<u8>(ndp.ni_next) == 0;
    if (dp.v_type == VLNK && ((ndp.cn_flags & (FOLLOW | REQUIREDIR)) != 0 || !last)) {
      ndp.cn_flags |= ISSYMLINK;
      return 0;
    }
    if (last) return lookup_finish(ndp, dp, dpunlocked, wantparent, rdonly);
    ndp.cn_nameptr = ndp.ni_next;
    while (load<u8>(ndp.cn_nameptr) == SLASH) {
      ndp.cn_nameptr++;
      ndp.ni_pathlen--;
    }
    drop_parent(ndp, dpunlocked);
    if (dp.v_type != VDIR) {
      vput(dp);
      ndp.ni_vp = changetype<Vnode>(NULLVP);
      return ENOTDIR;
    }
  }
}

/**
 * Looks the one component of an earlier lookup (SAVENAME) up again in `dvp`, whose reference it
 * consumes unless LOCKPARENT or WANTPARENT; stores the vnode at vpp, 0 when it may be made. Sleeps.
 */
export function relookup(dvp: Vnode, vpp: usize, cnp: Componentname): i32 {
  const wantparent = (cnp.cn_flags & (LOCKPARENT | WANTPARENT)) != 0;
  const rdonly = (cnp.cn_flags & RDONLY) != 0;
  cnp.cn_flags &= ~(ISSYMLINK | PDIRUNLOCK);
  vn_lock(dvp, LK_EXCLUSIVE | LK_RETRY);
  if ((cnp.cn_flags & ISDOTDOT) != 0) panic(cs("relookup: lookup on dot-dot"));
  store<usize>(vpp, 0);
  let error = VOP_LOOKUP(dvp, vpp, cnp);
  const dpunlocked = (cnp.cn_flags & PDIRUNLOCK) != 0;
  const vp = changetype<Vnode>(load<usize>(vpp));
  const changes = cnp.cn_nameiop == DELETE || cnp.cn_nameiop == RENAME;
  if (error == EJUSTRETURN) {
    error = rdonly || vn_rdonly(dvp) ? EROFS : 0;
  } else if (error == 0 && changes && (rdonly || vn_rdonly(dvp))) {
    vput(vp);
    error = EROFS;
  } else if (error == 0 && (cnp.cn_flags & LOCKLEAF) == 0) {
    VOP_UNLOCK(vp, 0);
  }
  if (error != 0) {
    store<usize>(vpp, 0);
    if (dpunlocked) vrele(dvp);
    else vput(dvp);
    return error;
  }
  if ((cnp.cn_flags & SAVESTART) != 0) vref(dvp);
  if (!wantparent) {
    if (dpunlocked || vp == dvp) vrele(dvp);
    else vput(dvp);
  }
  return 0;
}
