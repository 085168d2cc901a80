// VOP_RENAME, the operation with the most rules.
//
// In three steps: (1) the source gets one link more, so that it is never without
// a name; (2) the new name is entered, or an existing one rewritten to name the
// source; (3) the old name is looked up again and removed. A directory that gets
// another parent has its ".." rewritten and both parents' link counts changed; it
// must not move below itself (ufs_checkpath).
//
// Locks: source directory and source come unlocked, target directory and target
// locked. Vnodes are locked from the root downwards; the source could be above
// the target, so checkpath comes first. While it walks up nothing is locked, so
// the target is looked up again afterwards, and the source, when it is locked at
// last, may have been removed. But nobody else renames meanwhile (do_rename): a
// directory stays where it is, and two files are never locked in both orders.

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { memcmp } from "../../kernel/libkern";
import { panic } from "../../kernel/subr_prf";
import {
  EACCES, EINVAL, EISDIR, EMLINK, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, EXDEV,
} from "../../kernel/sys/errno";
import { LK_EXCLUSIVE } from "../../kernel/sys/lock";
import { Componentname, DELETE, ISDOTDOT, LOCKLEAF, LOCKPARENT, MODMASK, SAVESTART } from "../namei";
import { cache_purge } from "../vfs_cache";
import { relookup } from "../vfs_lookup";
import { vput, vref, vrele } from "../vfs_subr";
import { vn_lock } from "../vfs_vnops";
import { IO_SYNC, UPDATE_WAIT, VDIR, VWRITE, Vnode } from "../vnode";
import { VOP_ABORTOP, VOP_ACCESS, VOP_REMOVE, VOP_TRUNCATE, VOP_UNLOCK, VOP_UPDATE } from "../vnode_if";
import { FLAGS_APPEND, FLAGS_IMMUTABLE, IFDIR, IFMT, ISVTX, LINK_MAX } from "./dinode";
import { DT_DIR, IFTODT } from "./dir";
import { IN_CHANGE, Inode, VTOI } from "./inode";
import { cr_uid } from "./ufs_cred";
import {
  ufs_checkpath, ufs_dirempty, ufs_direnter, ufs_dirremove, ufs_dirrewrite, ufs_setparent,
} from "./ufs_dirops";

function isNull(vp: Vnode): bool {
  return changetype<usize>(vp) == 0;
}

function addLinks(ip: Inode, count: i32): void {
  ip.i_nlink += count;
  ip.i_flag |= IN_CHANGE;
}

/** Drops the target's locks and references. */
function putTarget(tdvp: Vnode, tvp: Vnode): void {
  if (tdvp == tvp) vrele(tdvp);
  else vput(tdvp);
  if (!isNull(tvp)) vput(tvp);
}

/** May a directory be moved by these names? Not as "." or "..". */
function checkNames(fdvp: Vnode, fvp: Vnode, fcnp: Componentname, tcnp: Componentname): i32 {
  const dot = fcnp.cn_namelen == 1 && load<u8>(fcnp.cn_nameptr) == 0x2e;
  return dot || fdvp == fvp || ((fcnp.cn_flags | tcnp.cn_flags) & ISDOTDOT) != 0 ? EINVAL : 0;
}

/**
 * May the target be replaced, and the two names be in one file system? tdvp and tvp locked; the source may have died
 * meanwhile, by an unmount with force.
 */
function checkTarget(fdvp: Vnode, fvp: Vnode, tdvp: Vnode, tvp: Vnode): i32 {
  if (fdvp.v_mount != tdvp.v_mount || fvp.v_mount != tdvp.v_mount || (!isNull(tvp) && fvp.v_mount != tvp.v_mount)) return EXDEV;
  if (fvp == tdvp) return EINVAL;
  if (isNull(tvp)) return 0;
  if ((VTOI(tvp).i_flags & (FLAGS_IMMUTABLE | FLAGS_APPEND)) != 0) return EPERM;
  if ((VTOI(tdvp).i_flags & FLAGS_APPEND) != 0) return EPERM;
  return fvp == tvp && fvp.v_type == VDIR ? EINVAL : 0;
}

/** May the source be moved? fvp locked. */
function checkSource(fdvp: Vnode, fvp: Vnode, tvp: Vnode, tcnp: Componentname): i32 {
  const ip = VTOI(fvp);
  if (ip.i_nlink == 0) return ENOENT;
  if ((ip.i_flags & (FLAGS_IMMUTABLE | FLAGS_APPEND)) != 0) return EPERM;
  if ((VTOI(fdvp).i_flags & FLAGS_APPEND) != 0) return EPERM;
  if ((ip.i_mode & IFMT) != IFDIR) return 0;
  if (VOP_ACCESS(fvp, VWRITE, tcnp.cn_cred, tcnp.cn_proc) != 0) return EACCES;
  return !isNull(tvp) && VOP_ACCESS(tvp, VWRITE, tcnp.cn_cred, tcnp.cn_proc) != 0 ? EACCES : 0;
}

/** relookup without the extra reference of SAVESTART: a success keeps dvp's reference, an error drops it. */
function lookAgain(dvp: Vnode, vpp: usize, cnp: Componentname): i32 {
  const kept = cnp.cn_flags & SAVESTART;
  cnp.cn_flags &= ~SAVESTART;
  const error = relookup(dvp, vpp, cnp);
  cnp.cn_flags |= kept;
  return error;
}

/** Both names are links of one file: the old one is removed. tdvp and tvp locked; everything is consumed. */
function removeOldLink(fdvp: Vnode, fvp: Vnode, fcnp: Componentname, tdvp: Vnode, tcnp: Componentname): i32 {
  const same = fdvp == tdvp && fcnp.cn_namelen == tcnp.cn_namelen
    && memcmp(fcnp.cn_nameptr, tcnp.cn_nameptr, fcnp.cn_namelen) == 0;
  VOP_ABORTOP(tdvp, tcnp);
  putTarget(tdvp, fvp);
  if (same) {
    VOP_ABORTOP(fdvp, fcnp);
    vrele(fdvp);
    vrele(fvp);
    return 0;
  }
  vrele(fvp);
  const vpp = frame_alloc(4);
  fcnp.cn_flags = (fcnp.cn_flags & ~MODMASK) | LOCKPARENT | LOCKLEAF;
  fcnp.cn_nameiop = DELETE;
  const error = lookAgain(fdvp, vpp, fcnp);
  if (error != 0) return error;
  return VOP_REMOVE(fdvp, changetype<Vnode>(load<usize>(vpp)), fcnp);
}

/** Step 2 without an existing target. tdvp locked. */
function enterNew(ino: u32, type: u32, tdvp: Vnode, tcnp: Componentname, newparent: bool): i32 {
  const dp = VTOI(tdvp);
  if (newparent) {
    // The ".." of the source will name dp.
    if (dp.i_nlink >= LINK_MAX) return EMLINK;
    addLinks(dp, 1);
    const error = VOP_UPDATE(tdvp, 0, 0, UPDATE_WAIT);
    if (error != 0) return error;
  }
  const error = ufs_direnter(tdvp, ino, type, tcnp);
  if (error != 0 && newparent) {
    addLinks(dp, -1);
    VOP_UPDATE(tdvp, 0, 0, UPDATE_WAIT);
  }
  return error;
}

/** Step 2 with an existing target, which loses its name. tdvp and tvp locked. */
function replaceOld(ino: u32, type: u32, tdvp: Vnode, tvp: Vnode, tcnp: Componentname, newparent: bool): i32 {
  const isdir = type == DT_DIR;
  const dp = VTOI(tdvp);
  const xp = VTOI(tvp);
  const uid = cr_uid(tcnp.cn_cred);
  if (xp.i_number == ino) panic(cs("rename: same file"));
  if ((dp.i_mode & ISVTX) != 0 && uid != 0 && uid != dp.i_uid && uid != xp.i_uid) return EPERM;
  if ((xp.i_mode & IFMT) == IFDIR) {
    if (!isdir) return EISDIR;
    if (xp.i_nlink > 2 || !ufs_dirempty(xp, dp.i_number)) return ENOTEMPTY;
    cache_purge(tdvp);
  } else if (isdir) {
    return ENOTDIR;
  }
  const error = ufs_dirrewrite(dp, ino, type);
  if (error != 0) return error;
  // dp had a ".." from the old target; the source brings one if its parent is new.
  if (isdir && !newparent) addLinks(dp, -1);
  addLinks(xp, -1);
  if (!isdir) return 0;
  addLinks(xp, -1);
  if (xp.i_nlink != 0) panic(cs("rename: linked directory"));
  return VOP_TRUNCATE(tvp, 0, IO_SYNC, tcnp.cn_cred, tcnp.cn_proc);
}

/** Step 3: removes the old name. fdvp and fvp referenced, not locked; both consumed. */
function removeOldName(fdvp: Vnode, fvp: Vnode, fcnp: Componentname, isdir: bool, parent: u32): i32 {
  const vpp = frame_alloc(4);
  fcnp.cn_flags = (fcnp.cn_flags & ~MODMASK) | LOCKPARENT | LOCKLEAF;
  fcnp.cn_nameiop = DELETE;
  let error = lookAgain(fdvp, vpp, fcnp);
  if (error != 0) {
    // Somebody else removed the old name, and its link with it: the file has the new one.
    if (isdir && error == ENOENT) panic(cs("rename: lost dir entry"));
    vrele(fvp);
    return error == ENOENT ? 0 : error;
  }
  const xvp = changetype<Vnode>(load<usize>(vpp));
  const xp = VTOI(xvp);
  const dp = VTOI(fdvp);
  if (xvp != fvp) {
    if (isdir) panic(cs("rename: lost dir entry"));
  } else {
    if (isdir && parent != 0) {
      addLinks(dp, -1);
      ufs_setparent(xvp, parent);
      cache_purge(fdvp);
    }
    error = ufs_dirremove(fdvp);
    if (error == 0) addLinks(xp, -1);
  }
  if (xvp == fdvp) vrele(fdvp);
  else vput(fdvp);
  vput(xvp);
  vrele(fvp);
  return error;
}

/** Undoes step 1 after an error; consumes the source. */
function undoSource(fdvp: Vnode, fvp: Vnode): void {
  vrele(fdvp);
  if (vn_lock(fvp, LK_EXCLUSIVE) == 0) {
    if (fvp.v_data != 0) addLinks(VTOI(fvp), -1);
    vput(fvp);
    return;
  }
  vrele(fvp);
}

/**
 * A directory gets another parent: it must not be above that. The target is looked up again; it goes to `tvpp`
 * (0: there is none). tdvp and *tvpp locked; after an error both are consumed.
 */
function checkPath(fdvp: Vnode, fvp: Vnode, tdvp: Vnode, tvpp: usize, tcnp: Componentname): i32 {
  const tvp = changetype<Vnode>(load<usize>(tvpp));
  if (!isNull(tvp)) vput(tvp);
  vref(tdvp);
  let error = ufs_checkpath(VTOI(fvp).i_number, VTOI(tdvp));
  if (error != 0) {
    vrele(tdvp);
    return error;
  }
  error = lookAgain(tdvp, tvpp, tcnp);
  if (error != 0) return error;
  const target = changetype<Vnode>(load<usize>(tvpp));
  error = checkTarget(fdvp, fvp, tdvp, target);
  if (error != 0) putTarget(tdvp, target);
  return error;
}

/**
 * Steps 2 and 3. tdvp and target locked, fvp not but with one link more; consumes all. Whatever is known of fvp is
 * taken before anything sleeps.
 */
function moveName(
  fdvp: Vnode, fvp: Vnode, fcnp: Componentname, tdvp: Vnode, target: Vnode, tcnp: Componentname,
): i32 {
  const ino = VTOI(fvp).i_number;
  const type = IFTODT(VTOI(fvp).i_mode);
  const isdir = type == DT_DIR;
  const newparent = isdir && fdvp != tdvp;
  const parent = newparent ? VTOI(tdvp).i_number : 0;
  const error = isNull(target) ? enterNew(ino, type, tdvp, tcnp, newparent)
    : replaceOld(ino, type, tdvp, target, tcnp, newparent);
  putTarget(tdvp, target);
  if (error == 0) return removeOldName(fdvp, fvp, fcnp, isdir, parent);
  undoSource(fdvp, fvp);
  return error;
}

/** VOP_RENAME; see fs/vnode_if.ts. Nobody else renames. Sleeps. */
export function ufs_rename(
  fdvp: Vnode, fvp: Vnode, fcnp: Componentname, tdvp: Vnode, tvp: Vnode, tcnp: Componentname,
): i32 {
  const tvpp = frame_alloc(4);
  const isdir = fvp.v_type == VDIR;
  let error = checkTarget(fdvp, fvp, tdvp, tvp);
  if (error == 0 && fvp == tvp) return removeOldLink(fdvp, fvp, fcnp, tdvp, tcnp);
  if (error == 0 && isdir) error = checkNames(fdvp, fvp, fcnp, tcnp);
  store<usize>(tvpp, changetype<usize>(tvp));
  if (error == 0 && isdir && fdvp != tdvp) {
    error = checkPath(fdvp, fvp, tdvp, tvpp, tcnp);
    if (error != 0) {
      vrele(fdvp);
      vrele(fvp);
      return error;
    }
  }
  const target = changetype<Vnode>(load<usize>(tvpp));
  if (error == 0) error = vn_lock(fvp, LK_EXCLUSIVE);
  if (error == 0) {
    error = checkTarget(fdvp, fvp, tdvp, target);
    if (error == 0) error = checkSource(fdvp, fvp, target, tcnp);
    if (error == 0) {
      addLinks(VTOI(fvp), 1);
      error = VOP_UPDATE(fvp, 0, 0, UPDATE_WAIT);
      if (error != 0) addLinks(VTOI(fvp), -1);
    }
    VOP_UNLOCK(fvp, 0);
  }
  if (error == 0) return moveName(fdvp, fvp, fcnp, tdvp, target, tcnp);
  VOP_ABORTOP(tdvp, tcnp);
  putTarget(tdvp, target);
  VOP_ABORTOP(fdvp, fcnp);
  vrele(fdvp);
  vrele(fvp);
  return error;
}
