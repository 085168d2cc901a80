// Changing directories: entering, removing and rewriting entries at the place
// that ufs_lookup left in the directory's inode; checks before rmdir and rename.
//
// Order on the disk (without soft updates): an inode is written before an entry
// names it, an entry is gone before its inode is freed. So these write at once,
// unless the file system is mounted MNT_ASYNC.

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { memcpy, memmove } from "../../kernel/libkern";
import { panic, printf } from "../../kernel/subr_prf";
import { EEXIST, EINVAL, ELOOP, ENOENT, ENOTDIR } from "../../kernel/sys/errno";
import { Proc } from "../../kernel/sys/proc";
import { B_CLRBUF, B_SYNC, Buf } from "../buf";
import { VFS_VGET } from "../mount";
import { Componentname } from "../namei";
import { brelse } from "../vfs_bio";
import { vput } from "../vfs_subr";
import { IO_SYNC, UPDATE_WAIT, VDIR, Vnode } from "../vnode";
import { VOP_BALLOC, VOP_BLKATOFF, VOP_BWRITE, VOP_TRUNCATE, VOP_UPDATE } from "../vnode_if";
import { ROOTINO } from "./dinode";
import { DIRBLKSIZ, DIRECT_MAX, DIRSIZ, Direct, IFTODT } from "./dir";
import { IN_CHANGE, IN_UPDATE, Inode, VTOI } from "./inode";
import { ufs_dirbadentry } from "./ufs_lookup";

/** Fills an entry for inode `ip` under the name of `cnp` at `addr`; its padding is zero. */
function makeEntry(addr: usize, ino: u32, type: u32, cnp: Componentname): void {
  const ep = changetype<Direct>(addr);
  const size = DIRSIZ(cnp.cn_namelen);
  store<u32>(addr + usize(size) - 4, 0);
  ep.d_ino = ino;
  ep.d_reclen = u16(size);
  ep.d_type = u8(type);
  ep.d_namlen = u8(cnp.cn_namelen);
  memcpy(ep.d_name(), cnp.cn_nameptr, cnp.cn_namelen);
}

/** Appends a fresh chunk that holds only the entry. */
function enterChunk(dvp: Vnode, entry: Direct, size: u32, cred: usize): i32 {
  const dp = VTOI(dvp);
  if ((dp.i_offset & i32(DIRBLKSIZ - 1)) != 0) panic(cs("ufs_direnter: newblk"));
  const bpp = frame_alloc(4);
  const error = VOP_BALLOC(dvp, i64(dp.i_offset), DIRBLKSIZ, cred, B_CLRBUF | B_SYNC, bpp);
  if (error != 0) return error;
  const bp = changetype<Buf>(load<usize>(bpp));
  dp.i_size = u64(dp.i_offset) + u64(DIRBLKSIZ);
  dp.i_flag |= IN_CHANGE | IN_UPDATE;
  entry.d_reclen = u16(DIRBLKSIZ);
  const at = bp.b_data + usize(dp.i_offset & (i32(dvp.v_mount.mnt_stat.f_iosize) - 1));
  memcpy(at, changetype<usize>(entry), size);
  const written = VOP_BWRITE(bp);
  const updated = VOP_UPDATE(dvp, 0, 0, UPDATE_WAIT);
  return written != 0 ? written : updated;
}

/**
 * Moves the entries of the slot at `base` (i_count bytes) together and puts the new entry behind
 * them. ufs_lookup has made sure that there is room.
 */
function compactInto(base: usize, count: u32, entry: Direct, size: u32): void {
  let ep = changetype<Direct>(base);
  let dsize = ep.d_ino != 0 ? DIRSIZ(u32(ep.d_namlen)) : 0;
  let spacefree = u32(ep.d_reclen) - dsize;
  let loc = u32(ep.d_reclen);
  while (loc < count) {
    const nep = changetype<Direct>(base + usize(loc));
    const reclen = u32(nep.d_reclen);
    if (nep.d_ino == 0) {
      spacefree += reclen;
      loc += reclen;
      continue;
    }
    if (ep.d_ino != 0) {
      ep.d_reclen = u16(dsize);
      ep = changetype<Direct>(changetype<usize>(ep) + usize(dsize));
    }
    dsize = DIRSIZ(u32(nep.d_namlen));
    spacefree += reclen - dsize;
    memmove(changetype<usize>(ep), changetype<usize>(nep), dsize);
    loc += reclen;
  }
  if (spacefree < size) panic(cs("ufs_direnter: compact: %d bytes free, %d needed"), spacefree, size);
  entry.d_reclen = u16(spacefree);
  if (ep.d_ino != 0) {
    ep.d_reclen = u16(dsize);
    ep = changetype<Direct>(changetype<usize>(ep) + usize(dsize));
  }
  memcpy(changetype<usize>(ep), changetype<usize>(entry), size);
}

/**
 * Enters the name of `cnp` for inode `ino` (type DT_…) into the locked directory dvp, at the place
 * that ufs_lookup (CREATE or RENAME) found. Sleeps. ENOSPC, EIO …
 */
export function ufs_direnter(dvp: Vnode, ino: u32, type: u32, cnp: Componentname): i32 {
  const dp = VTOI(dvp);
  const entry = frame_alloc(DIRECT_MAX);
  makeEntry(entry, ino, type, cnp);
  const size = DIRSIZ(cnp.cn_namelen);
  if (dp.i_count == 0) return enterChunk(dvp, changetype<Direct>(entry), size, cnp.cn_cred);
  if (u64(dp.i_offset + dp.i_count) > dp.i_size) dp.i_size = u64(dp.i_offset + dp.i_count);
  const base = frame_alloc(4);
  const bpp = frame_alloc(4);
  let error = VOP_BLKATOFF(dvp, i64(dp.i_offset), base, bpp);
  if (error != 0) return error;
  compactInto(load<usize>(base), u32(dp.i_count), changetype<Direct>(entry), size);
  error = VOP_BWRITE(changetype<Buf>(load<usize>(bpp)));
  dp.i_flag |= IN_CHANGE | IN_UPDATE;
  if (error == 0 && dp.i_endoff != 0 && u64(dp.i_endoff) < dp.i_size) {
    VOP_TRUNCATE(dvp, i64(dp.i_endoff), IO_SYNC, cnp.cn_cred, cnp.cn_proc);
  }
  return error;
}

/** ufs_direnter of an inode at hand. */
export function ufs_direnter_inode(dvp: Vnode, ip: Inode, cnp: Componentname): i32 {
  return ufs_direnter(dvp, ip.i_number, IFTODT(ip.i_mode), cnp);
}

/** Removes the entry that ufs_lookup (DELETE) found: joined to the one before it, or freed. dvp locked. Sleeps. */
export function ufs_dirremove(dvp: Vnode): i32 {
  const dp = VTOI(dvp);
  const at = frame_alloc(4);
  const bpp = frame_alloc(4);
  const error = VOP_BLKATOFF(dvp, i64(dp.i_offset - dp.i_count), at, bpp);
  if (error != 0) return error;
  const ep = changetype<Direct>(load<usize>(at));
  if (dp.i_count == 0) ep.d_ino = 0;
  else ep.d_reclen = u16(u32(ep.d_reclen) + dp.i_reclen);
  dp.i_flag |= IN_CHANGE | IN_UPDATE;
  return VOP_BWRITE(changetype<Buf>(load<usize>(bpp)));
}

/** Makes the entry that ufs_lookup (RENAME) found name another inode. dp locked. Sleeps. */
export function ufs_dirrewrite(dp: Inode, ino: u32, type: u32): i32 {
  const at = frame_alloc(4);
  const bpp = frame_alloc(4);
  const error = VOP_BLKATOFF(dp.i_vnode, i64(dp.i_offset), at, bpp);
  if (error != 0) return error;
  const ep = changetype<Direct>(load<usize>(at));
  ep.d_ino = ino;
  ep.d_type = u8(type);
  dp.i_flag |= IN_CHANGE | IN_UPDATE;
  return VOP_BWRITE(changetype<Buf>(load<usize>(bpp)));
}

/** Is this entry "." or "..", or free? `parent` is what ".." must name. */
function isBlank(ep: Direct, self: u32, parent: u32): bool {
  if (ep.d_ino == 0) return true;
  const name = ep.d_name();
  const namlen = u32(ep.d_namlen);
  if (namlen > 2 || load<u8>(name) != 0x2e) return false;
  if (namlen == 1) return ep.d_ino == self;
  return load<u8>(name + 1) == 0x2e && ep.d_ino == parent;
}

/** Is the directory empty but for "." and ".." (which must name `parent`)? A damaged one is not. ip locked. Sleeps. */
export function ufs_dirempty(ip: Inode, parent: u32): bool {
  const at = frame_alloc(4);
  const bpp = frame_alloc(4);
  for (let chunk: u64 = 0; chunk < ip.i_size; chunk += u64(DIRBLKSIZ)) {
    if (VOP_BLKATOFF(ip.i_vnode, i64(chunk), at, bpp) != 0) return false;
    let blank = true;
    let offset: u32 = 0;
    while (blank && offset < DIRBLKSIZ) {
      const ep = changetype<Direct>(load<usize>(at) + usize(offset));
      if (ufs_dirbadentry(ep, i32(offset)) || !isBlank(ep, ip.i_number, parent)) blank = false;
      offset += u32(ep.d_reclen);
    }
    brelse(changetype<Buf>(load<usize>(bpp)));
    if (!blank) return false;
  }
  return true;
}

/** Stores at `inop` the inode that ".." of the locked directory vp names. ENOTDIR when it has none. Sleeps. */
export function ufs_parentof(vp: Vnode, inop: usize): i32 {
  if (vp.v_type != VDIR) return ENOTDIR;
  const at = frame_alloc(4);
  const bpp = frame_alloc(4);
  const error = VOP_BLKATOFF(vp, 0, at, bpp);
  if (error != 0) return error;
  const dotdot = changetype<Direct>(load<usize>(at) + usize(DIRSIZ(1)));
  const good = u32(dotdot.d_namlen) == 2 && load<u16>(dotdot.d_name()) == 0x2e2e;
  store<u32>(inop, dotdot.d_ino);
  brelse(changetype<Buf>(load<usize>(bpp)));
  return good ? 0 : ENOTDIR;
}

/**
 * May the directory with inode number `source` move into directory `target`? Not when target lies in source: EINVAL
 * (EEXIST when they are the same). Walks up from target by ".."; nobody may rename meanwhile. ENOENT when target is
 * removed on the way. target is locked and consumed (vput), but the caller has another reference. Sleeps.
 */
export function ufs_checkpath(source: u32, target: Inode): i32 {
  const vpp = frame_alloc(4);
  const inop = frame_alloc(4);
  let vp = target.i_vnode;
  let error: i32 = 0;
  // No path is longer than the file system has inodes; more means that the directories form a ring.
  let steps = target.i_fs.fs_ncg * target.i_fs.fs_ipg;
  if (target.i_number == source) error = EEXIST;
  let ino = target.i_number;
  while (error == 0 && ino != ROOTINO) {
    error = ufs_parentof(vp, inop);
    if (error != 0) break;
    ino = load<u32>(inop);
    if (ino == source) error = EINVAL;
    if (--steps < 0) error = ELOOP;
    if (error != 0 || ino == ROOTINO) break;
    const mp = vp.v_mount;
    vput(vp);
    error = VFS_VGET(mp, ino, vpp);
    if (error != 0) return error;
    vp = changetype<Vnode>(load<usize>(vpp));
  }
  vput(vp);
  if (error != ENOTDIR) return error;
  // Who removed target could remove its parents, too.
  if (target.i_nlink == 0) return ENOENT;
  printf(cs("checkpath: .. not a directory\n"));
  return error;
}

/** Makes the ".." of directory `vp` (locked) name `parent`. Sleeps. */
export function ufs_setparent(vp: Vnode, parent: u32): i32 {
  const at = frame_alloc(4);
  const bpp = frame_alloc(4);
  const error = VOP_BLKATOFF(vp, 0, at, bpp);
  if (error != 0) return error;
  const dotdot = changetype<Direct>(load<usize>(at) + usize(DIRSIZ(1)));
  if (u32(dotdot.d_namlen) != 2 || load<u16>(dotdot.d_name()) != 0x2e2e) {
    brelse(changetype<Buf>(load<usize>(bpp)));
    printf(cs("rename: mangled dir ino %d\n"), VTOI(vp).i_number);
    return EINVAL;
  }
  dotdot.d_ino = parent;
  VTOI(vp).i_flag |= IN_CHANGE | IN_UPDATE;
  return VOP_BWRITE(changetype<Buf>(load<usize>(bpp)));
}

/** Writes "." and ".." into the first chunk of the new directory dvp. Sleeps. */
export function ufs_dirinit(dvp: Vnode, parent: u32, cred: usize, p: Proc): i32 {
  const ip = VTOI(dvp);
  const bpp = frame_alloc(4);
  let error = VOP_BALLOC(dvp, 0, DIRBLKSIZ, cred, B_CLRBUF | B_SYNC, bpp);
  if (error != 0) return error;
  const bp = changetype<Buf>(load<usize>(bpp));
  ip.i_size = u64(DIRBLKSIZ);
  ip.i_flag |= IN_CHANGE | IN_UPDATE;
  const dot = changetype<Direct>(bp.b_data);
  dot.d_ino = ip.i_number;
  dot.d_reclen = u16(DIRSIZ(1));
  dot.d_type = u8(IFTODT(ip.i_mode));
  dot.d_namlen = 1;
  store<u32>(dot.d_name(), 0x2e);
  const dotdot = changetype<Direct>(bp.b_data + usize(DIRSIZ(1)));
  dotdot.d_ino = parent;
  dotdot.d_reclen = u16(DIRBLKSIZ - DIRSIZ(1));
  dotdot.d_type = u8(IFTODT(ip.i_mode));
  dotdot.d_namlen = 2;
  store<u32>(dotdot.d_name(), 0x2e2e);
  error = VOP_UPDATE(dvp, 0, 0, UPDATE_WAIT);
  if (error != 0) {
    brelse(bp);
    return error;
  }
  return VOP_BWRITE(bp);
}
