// Finding a name in a directory (VOP_LOOKUP), and noticing on the way where a
// new name could go.
//
// What the search finds is left in the directory's inode for the operation that
// follows (ufs_direnter, ufs_dirremove, ufs_dirrewrite) while the lock is held:
//
//   found:      i_offset the entry, i_ino, i_reclen; for DELETE i_count the distance
//               to the entry before it in the chunk (0: it is the first)
//   not found:  i_offset .. i_offset + i_count the space to compact and use, or i_count 0:
//               append at i_offset; i_endoff is where the useful part then ends

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { memcmp, roundup } from "../../kernel/libkern";
import { panic, printf } from "../../kernel/subr_prf";
import { EACCES, EISDIR, EJUSTRETURN, ENOENT, EPERM, EROFS } from "../../kernel/sys/errno";
import { LK_EXCLUSIVE, LK_RETRY } from "../../kernel/sys/lock";
import { Buf } from "../buf";
import { MNT_RDONLY, VFS_VGET } from "../mount";
import {
  CREATE, Componentname, DELETE, ISDOTDOT, ISLASTCN, LOCKPARENT, LOOKUP, MAKEENTRY, PDIRUNLOCK, RENAME, SAVENAME,
  WANTPARENT,
} from "../namei";
import { cache_enter, cache_lookup } from "../vfs_cache";
import { brelse } from "../vfs_bio";
import { vput, vref } from "../vfs_subr";
import { vn_lock } from "../vfs_vnops";
import { VEXEC, VWRITE, Vnode } from "../vnode";
import { VOP_ACCESS, VOP_BLKATOFF, VOP_UNLOCK } from "../vnode_if";
import { ISVTX } from "./dinode";
import { DIRBLKSIZ, DIRSIZ, Direct } from "./dir";
import { IN_CHANGE, IN_UPDATE, Inode, VTOI } from "./inode";
import { cr_uid } from "./ufs_cred";

// What is known of a place for the new name.
const NONE: u32 = 0;
/** Enough space in one chunk, but in pieces. */
const COMPACT: u32 = 1;
/** Enough space behind one entry, or none wanted. */
const FOUND: u32 = 2;

/** One search: its target, its place, and the best slot so far. In the caller's frame. */
@unmanaged
class Search {
  name: usize;
  namelen: u32;
  slotstatus: u32;
  slotoffset: i32;
  slotsize: i32;
  slotfreespace: i32;
  slotneeded: i32;
  /** Offset of the entry before the one found. */
  prevoff: i32;
  /** End of the last entry in use. */
  enduseful: i32;
  /** Buffer of the block that holds i_offset; 0 = none. */
  bp: usize;
}

const SEARCH_SIZE: u32 = 40;

function releaseBlock(search: Search): void {
  if (search.bp != 0) brelse(changetype<Buf>(search.bp));
  search.bp = 0;
}

/** Says that a directory is damaged. Panics unless the file system is mounted read-only. */
export function ufs_dirbad(ip: Inode, offset: i32, how: usize): void {
  const mp = ip.i_vnode.v_mount;
  printf(cs("%s: bad dir ino %d at offset %d: %s\n"), mp.mnt_stat.f_mntonname, ip.i_number, offset, how);
  if ((mp.mnt_flag & MNT_RDONLY) == 0) panic(cs("bad dir"));
}

/** Is the entry at `offset` of its directory malformed? */
export function ufs_dirbadentry(ep: Direct, offset: i32): bool {
  const reclen = u32(ep.d_reclen);
  const namlen = u32(ep.d_namlen);
  if ((reclen & 3) != 0 || reclen < DIRSIZ(namlen)) return true;
  if (reclen > DIRBLKSIZ - (u32(offset) & (DIRBLKSIZ - 1))) return true;
  return ep.d_ino != 0 && load<u8>(ep.d_name() + namlen) != 0;
}

/** Considers the free space of the entry `ep` at dp.i_offset. */
function considerSlot(dp: Inode, ep: Direct, search: Search): void {
  let size = i32(ep.d_reclen);
  if (ep.d_ino != 0) size -= i32(DIRSIZ(u32(ep.d_namlen)));
  if (size <= 0) return;
  if (size >= search.slotneeded) {
    search.slotstatus = FOUND;
    search.slotoffset = dp.i_offset;
    search.slotsize = i32(ep.d_reclen);
    return;
  }
  if (search.slotstatus != NONE) return;
  search.slotfreespace += size;
  if (search.slotoffset == -1) search.slotoffset = dp.i_offset;
  if (search.slotfreespace < search.slotneeded) return;
  search.slotstatus = COMPACT;
  search.slotsize = dp.i_offset + i32(ep.d_reclen) - search.slotoffset;
}

/**
 * Searches from dp.i_offset to `end`. Returns 0 when the name is found (dp.i_offset, i_ino, i_reclen),
 * ENOENT when not, or an I/O error. search.bp is set in the first two cases or 0.
 */
function searchRange(vdp: Vnode, end: i32, search: Search): i32 {
  const dp = VTOI(vdp);
  const bmask = i32(vdp.v_mount.mnt_stat.f_iosize) - 1;
  const bpp = frame_alloc(4);
  while (dp.i_offset < end) {
    if ((dp.i_offset & bmask) == 0 || search.bp == 0) {
      releaseBlock(search);
      const error = VOP_BLKATOFF(vdp, i64(dp.i_offset), 0, bpp);
      if (error != 0) return error;
      search.bp = load<usize>(bpp);
    }
    const inchunk = dp.i_offset & i32(DIRBLKSIZ - 1);
    if (search.slotstatus == NONE && inchunk == 0) {
      search.slotoffset = -1;
      search.slotfreespace = 0;
    }
    const ep = changetype<Direct>(changetype<Buf>(search.bp).b_data + usize(dp.i_offset & bmask));
    if (ufs_dirbadentry(ep, dp.i_offset)) {
      ufs_dirbad(dp, dp.i_offset, cs("mangled entry"));
      dp.i_offset += i32(DIRBLKSIZ) - inchunk;
      continue;
    }
    if (search.slotstatus != FOUND) considerSlot(dp, ep, search);
    if (ep.d_ino != 0) {
      if (u32(ep.d_namlen) == search.namelen && memcmp(ep.d_name(), search.name, search.namelen) == 0) {
        dp.i_ino = ep.d_ino;
        dp.i_reclen = u32(ep.d_reclen);
        return 0;
      }
      search.enduseful = dp.i_offset + i32(ep.d_reclen);
    }
    search.prevoff = dp.i_offset;
    dp.i_offset += i32(ep.d_reclen);
  }
  return ENOENT;
}

/** The name is not there: may it be made, and where? EJUSTRETURN or an error. */
function notFound(vdp: Vnode, cnp: Componentname, search: Search): i32 {
  const dp = VTOI(vdp);
  const making = cnp.cn_nameiop == CREATE || cnp.cn_nameiop == RENAME;
  if (!making || (cnp.cn_flags & ISLASTCN) == 0 || dp.i_nlink == 0) {
    if ((cnp.cn_flags & MAKEENTRY) != 0 && cnp.cn_nameiop != CREATE) cache_enter(vdp, changetype<Vnode>(0), cnp);
    return ENOENT;
  }
  if ((vdp.v_mount.mnt_flag & MNT_RDONLY) != 0) return EROFS;
  const error = VOP_ACCESS(vdp, VWRITE, cnp.cn_cred, cnp.cn_proc);
  if (error != 0) return error;
  if (search.slotstatus == NONE) {
    dp.i_offset = i32(roundup(u32(dp.i_size), DIRBLKSIZ));
    dp.i_count = 0;
    search.enduseful = dp.i_offset;
  } else {
    dp.i_offset = search.slotoffset;
    dp.i_count = search.slotsize;
    if (search.enduseful < search.slotoffset + search.slotsize) {
      search.enduseful = search.slotoffset + search.slotsize;
    }
  }
  dp.i_endoff = i32(roundup(u32(search.enduseful), DIRBLKSIZ));
  dp.i_flag |= IN_CHANGE | IN_UPDATE;
  cnp.cn_flags |= SAVENAME;
  if ((cnp.cn_flags & LOCKPARENT) == 0) unlockParent(vdp, cnp);
  return EJUSTRETURN;
}

function unlockParent(vdp: Vnode, cnp: Componentname): void {
  VOP_UNLOCK(vdp, 0);
  cnp.cn_flags |= PDIRUNLOCK;
}

/** The entry found is to be removed: the file, locked, and i_count. */
function foundForDelete(vdp: Vnode, vpp: usize, cnp: Componentname, prevoff: i32): i32 {
  const dp = VTOI(vdp);
  let error = VOP_ACCESS(vdp, VWRITE, cnp.cn_cred, cnp.cn_proc);
  if (error != 0) return error;
  dp.i_count = (dp.i_offset & i32(DIRBLKSIZ - 1)) == 0 ? 0 : dp.i_offset - prevoff;
  if (dp.i_number == dp.i_ino) {
    vref(vdp);
    store<usize>(vpp, changetype<usize>(vdp));
    return 0;
  }
  error = getInode(vdp, dp.i_ino, vpp, cnp);
  if (error != 0) return error;
  const tdp = changetype<Vnode>(load<usize>(vpp));
  // In a sticky directory only the owner of the directory, of the file, or uid 0 removes a name.
  const uid = cr_uid(cnp.cn_cred);
  if ((dp.i_mode & ISVTX) != 0 && uid != 0 && uid != dp.i_uid && uid != VTOI(tdp).i_uid) {
    vput(tdp);
    store<usize>(vpp, 0);
    return EPERM;
  }
  if ((cnp.cn_flags & LOCKPARENT) == 0) unlockParent(vdp, cnp);
  return 0;
}

/** The entry found is the target of a rename. */
function foundForRename(vdp: Vnode, vpp: usize, cnp: Componentname): i32 {
  const dp = VTOI(vdp);
  let error = VOP_ACCESS(vdp, VWRITE, cnp.cn_cred, cnp.cn_proc);
  if (error != 0) return error;
  // Renaming to ".": the directory would have to be locked twice.
  if (dp.i_number == dp.i_ino) return EISDIR;
  error = getInode(vdp, dp.i_ino, vpp, cnp);
  if (error != 0) return error;
  cnp.cn_flags |= SAVENAME;
  if ((cnp.cn_flags & LOCKPARENT) == 0) unlockParent(vdp, cnp);
  return 0;
}

/**
 * The inode `ino`, locked, at vpp; vdp stays locked. For ".." the lock order is parent before child,
 * so vdp is let go meanwhile: the entry found may then no longer be there, but only a process that
 * renames or removes vdp itself could have changed it.
 */
function getInode(vdp: Vnode, ino: u32, vpp: usize, cnp: Componentname): i32 {
  if ((cnp.cn_flags & ISDOTDOT) == 0) return VFS_VGET(vdp.v_mount, ino, vpp);
  unlockParent(vdp, cnp);
  const error = VFS_VGET(vdp.v_mount, ino, vpp);
  if (vn_lock(vdp, LK_EXCLUSIVE | LK_RETRY) == 0) cnp.cn_flags &= ~PDIRUNLOCK;
  return error;
}

/** An ordinary lookup found the entry: the file, locked, and vdp by LOCKPARENT. */
function foundOrdinary(vdp: Vnode, vpp: usize, cnp: Componentname): i32 {
  const dp = VTOI(vdp);
  const keep = (cnp.cn_flags & LOCKPARENT) != 0 && (cnp.cn_flags & ISLASTCN) != 0;
  if (dp.i_number == dp.i_ino) {
    vref(vdp);
    store<usize>(vpp, changetype<usize>(vdp));
  } else {
    const error = getInode(vdp, dp.i_ino, vpp, cnp);
    if (error != 0) return error;
    if (!keep && (cnp.cn_flags & PDIRUNLOCK) == 0) unlockParent(vdp, cnp);
  }
  if ((cnp.cn_flags & MAKEENTRY) != 0) cache_enter(vdp, changetype<Vnode>(load<usize>(vpp)), cnp);
  return 0;
}

/** Starts a search: an ordinary lookup resumes where the last one ended. Returns the number of passes. */
function beginSearch(dp: Inode, cnp: Componentname, search: Search): i32 {
  search.name = cnp.cn_nameptr;
  search.namelen = cnp.cn_namelen;
  search.slotstatus = FOUND;
  search.slotoffset = -1;
  search.slotsize = 0;
  search.slotfreespace = 0;
  search.slotneeded = 0;
  search.enduseful = 0;
  search.bp = 0;
  if ((cnp.cn_nameiop == CREATE || cnp.cn_nameiop == RENAME) && (cnp.cn_flags & ISLASTCN) != 0) {
    search.slotstatus = NONE;
    search.slotneeded = i32(DIRSIZ(cnp.cn_namelen));
  }
  const resume = cnp.cn_nameiop == LOOKUP && dp.i_diroff > 0 && u64(dp.i_diroff) < dp.i_size;
  dp.i_offset = resume ? dp.i_diroff : 0;
  search.prevoff = dp.i_offset;
  return resume ? 2 : 1;
}

/** VOP_LOOKUP; see fs/vnode_if.ts for locks and results. Sleeps. */
export function ufs_lookup(dvp: Vnode, vpp: usize, cnp: Componentname): i32 {
  const dp = VTOI(dvp);
  store<usize>(vpp, 0);
  cnp.cn_flags &= ~PDIRUNLOCK;
  let error = VOP_ACCESS(dvp, VEXEC, cnp.cn_cred, cnp.cn_proc);
  if (error != 0) return error;
  const last = (cnp.cn_flags & ISLASTCN) != 0;
  const op = cnp.cn_nameiop;
  if (last && (dvp.v_mount.mnt_flag & MNT_RDONLY) != 0 && (op == DELETE || op == RENAME)) return EROFS;
  error = cache_lookup(dvp, vpp, cnp);
  if (error >= 0) return error;
  const search = changetype<Search>(frame_alloc(SEARCH_SIZE));
  const passes = beginSearch(dp, cnp, search);
  error = searchRange(dvp, i32(roundup(u32(dp.i_size), DIRBLKSIZ)), search);
  if (error == ENOENT && passes == 2) {
    releaseBlock(search);
    const end = dp.i_diroff;
    dp.i_offset = 0;
    search.prevoff = 0;
    error = searchRange(dvp, end, search);
  }
  releaseBlock(search);
  if (error == ENOENT) return notFound(dvp, cnp, search);
  if (error != 0) return error;
  if (u64(dp.i_offset) + u64(DIRSIZ(cnp.cn_namelen)) > dp.i_size) {
    ufs_dirbad(dp, dp.i_offset, cs("i_size too small"));
    return EACCES;
  }
  if (last && op == LOOKUP) dp.i_diroff = dp.i_offset & ~i32(DIRBLKSIZ - 1);
  if (last && op == DELETE) return foundForDelete(dvp, vpp, cnp, search.prevoff);
  if (last && op == RENAME && (cnp.cn_flags & (LOCKPARENT | WANTPARENT)) != 0) {
    return foundForRename(dvp, vpp, cnp);
  }
  return foundOrdinary(dvp, vpp, cnp);
}
