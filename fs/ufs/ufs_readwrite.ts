// Reading and writing files (VOP_READ, VOP_WRITE): block by block through the
// buffer cache, which agrees with the pages of mappings (vm/uvm_vnp.ts).
//
// While a buffer is busy no file may be paged in: the page could be in that
// buffer, or in one whose owner waits for ours. So memory of a request that
// shows files is not touched then; its bytes take a detour through a piece of
// kernel memory.

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { uiomove } from "../../kernel/kern_subr";
import { free, malloc } from "../../kernel/kern_malloc";
import { file_size_allowed } from "../../kernel/kern_resource";
import { bzero, memcpy } from "../../kernel/libkern";
import { panic } from "../../kernel/subr_prf";
import { EFBIG, EPERM } from "../../kernel/sys/errno";
import { M_TEMP, M_WAITOK } from "../../kernel/sys/malloc";
import { Proc } from "../../kernel/sys/proc";
import { UIO_READ, UIO_WRITE, Uio } from "../../kernel/sys/uio";
import { B_CLRBUF, B_SYNC, Buf } from "../buf";
import { blkoff, lblkno, lblktosize } from "../ffs/fs";
import { MNT_ASYNC, MNT_NOATIME, MNT_RDONLY } from "../mount";
import { bawrite, bdwrite, bread, breadn, brelse, bwrite } from "../vfs_bio";
import { uvm_uio_shows_files, uvm_vnp_reading, uvm_vnp_setsize, uvm_vnp_written } from "../../vm/uvm_vnp";
import { vn_write_error } from "../vfs_vnbufs";
import { IO_APPEND, IO_PAGER, IO_SYNC, IO_UNIT, NOCRED, UPDATE_WAIT, VDIR, VLNK, VREG, Vnode } from "../vnode";
import { VOP_BALLOC, VOP_TRUNCATE, VOP_UPDATE } from "../vnode_if";
import { FLAGS_APPEND, ISGID, ISUID } from "./dinode";
import { IN_ACCESS, IN_CHANGE, IN_UPDATE, VTOI, blksize } from "./inode";
import { cr_uid } from "./ufs_cred";

/** Reads block `lbn`, and starts reading the next one when the file is being read in sequence. */
function readAhead(vp: Vnode, lbn: i32, bpp: usize): i32 {
  const ip = VTOI(vp);
  const fs = ip.i_fs;
  const size = u32(blksize(fs, ip, lbn));
  const last = lblktosize(fs, lbn + 1) >= ip.i_size;
  if (last || lbn - 1 != vp.v_lastr) return bread(vp, lbn, size, NOCRED, bpp);
  const next = frame_alloc(4);
  const nextsize = frame_alloc(4);
  store<i32>(next, lbn + 1);
  store<i32>(nextsize, blksize(fs, ip, lbn + 1));
  return breadn(vp, lbn, size, next, nextsize, 1, NOCRED, bpp);
}

/** VOP_READ of files, directories and long symbolic links. vp locked. Sleeps. */
export function ffs_read(vp: Vnode, uio: Uio, ioflag: u32, cred: usize): i32 {
  const ip = VTOI(vp);
  const fs = ip.i_fs;
  if (uio.uio_rw != UIO_READ) panic(cs("ffs_read: mode"));
  if (vp.v_type != VREG && vp.v_type != VDIR && vp.v_type != VLNK) panic(cs("ffs_read: type %d"), vp.v_type);
  if (uio.uio_offset < 0 || u64(uio.uio_offset) > ip.i_ump.um_maxfilesize) return EFBIG;
  if (uio.uio_resid == 0) return 0;
  const bpp = frame_alloc(4);
  let error: i32 = 0;
  if ((ioflag & IO_PAGER) == 0) uvm_vnp_reading(vp, u64(uio.uio_offset), uio.uio_resid);
  const detour: usize = uvm_uio_shows_files(uio) ? malloc(u32(fs.fs_bsize), M_TEMP, M_WAITOK) : 0;
  while (uio.uio_resid > 0 && u64(uio.uio_offset) < ip.i_size) {
    const infile = ip.i_size - u64(uio.uio_offset);
    const lbn = lblkno(fs, u64(uio.uio_offset));
    const offset = u32(blkoff(fs, u64(uio.uio_offset)));
    let count = u32(fs.fs_bsize) - offset;
    if (count > uio.uio_resid) count = uio.uio_resid;
    if (u64(count) > infile) count = u32(infile);
    error = readAhead(vp, lbn, bpp);
    const bp = changetype<Buf>(load<usize>(bpp));
    if (error != 0) {
      brelse(bp);
      break;
    }
    vp.v_lastr = lbn;
    const valid = bp.b_bcount - bp.b_resid;
    if (valid <= offset) {
      brelse(bp);
      break;
    }
    if (valid - offset < count) count = valid - offset;
    if (detour != 0) {
      memcpy(detour, bp.b_data + usize(offset), count);
      brelse(bp);
      error = uiomove(detour, count, uio);
    } else {
      error = uiomove(bp.b_data + usize(offset), count, uio);
      brelse(bp);
    }
    if (error != 0) break;
  }
  if (detour != 0) free(detour, M_TEMP);
  if ((vp.v_mount.mnt_flag & (MNT_NOATIME | MNT_RDONLY)) == 0) ip.i_flag |= IN_ACCESS;
  return error;
}

/** Hands a written buffer on: whole blocks start their way to the disk, parts of blocks wait for the rest. */
function writeOut(vp: Vnode, bp: Buf, ioflag: u32, whole: bool): i32 {
  if ((ioflag & IO_SYNC) != 0) return bwrite(bp);
  if (whole && (vp.v_mount.mnt_flag & MNT_ASYNC) == 0) bawrite(bp);
  else bdwrite(bp);
  return 0;
}

/** Takes back that `count` bytes were moved, before anything else is done with the request. */
function unmove(uio: Uio, count: u32): void {
  uio.uio_resid += count;
  uio.uio_offset -= i64(count);
}

/** Writes one piece inside one block; `detour`: a block of kernel memory for its bytes, or 0. */
function writePiece(vp: Vnode, uio: Uio, ioflag: u32, cred: usize, detour: usize, bpp: usize): i32 {
  const ip = VTOI(vp);
  const fs = ip.i_fs;
  const start = u64(uio.uio_offset);
  const offset = u32(blkoff(fs, start));
  let count = u32(fs.fs_bsize) - offset;
  if (count > uio.uio_resid) count = uio.uio_resid;
  const partial = count < u32(fs.fs_bsize);
  let grown = false;
  const flags: u32 = ((ioflag & IO_SYNC) != 0 ? B_SYNC : 0) | (partial ? B_CLRBUF : 0);
  let error: i32 = 0;
  if (detour != 0) {
    const wanted = uio.uio_resid;
    error = uiomove(detour, count, uio);
    if (error != 0) {
      unmove(uio, wanted - uio.uio_resid);
      return error;
    }
  }
  error = VOP_BALLOC(vp, i64(start), count, cred, flags, bpp);
  if (error != 0) {
    if (detour != 0) unmove(uio, count);
    return error;
  }
  const bp = changetype<Buf>(load<usize>(bpp));
  if (start + u64(count) > ip.i_size) {
    ip.i_size = start + u64(count);
    grown = true;
  }
  const before = uio.uio_resid;
  if (detour != 0) memcpy(bp.b_data + usize(offset), detour, count);
  else error = uiomove(bp.b_data + usize(offset), count, uio);
  // A block that was not read first may hold another file's bytes behind what was copied.
  const copied = before - uio.uio_resid;
  if (error != 0 && !partial) bzero(bp.b_data + usize(offset + copied), count - copied);
  const written = writeOut(vp, bp, ioflag, offset + count == u32(fs.fs_bsize));
  if (grown) uvm_vnp_setsize(vp, ip.i_size);
  if ((ioflag & IO_PAGER) == 0) uvm_vnp_written(vp, start, count);
  return error != 0 ? error : written;
}

/** After an error: with IO_UNIT as if nothing was written, else the file ends where the good bytes end. */
function undoWrite(vp: Vnode, uio: Uio, ioflag: u32, cred: usize, osize: u64, resid: u32): void {
  const ip = VTOI(vp);
  let size = osize;
  if ((ioflag & IO_UNIT) != 0) {
    uio.uio_offset -= i64(resid - uio.uio_resid);
    uio.uio_resid = resid;
  } else if (u64(uio.uio_offset) > size) {
    size = u64(uio.uio_offset);
  }
  if (ip.i_size > size) VOP_TRUNCATE(vp, i64(size), ioflag & IO_SYNC, cred, changetype<Proc>(uio.uio_procp));
}

/**
 * VOP_WRITE. vp locked. Sleeps. EFBIG (also beyond the process's limit), EPERM (append-only), ENOSPC, EIO, EFAULT;
 * and, with nothing written, the error of a write in the background that nobody was told of.
 */
export function ffs_write(vp: Vnode, uio: Uio, ioflag: u32, cred: usize): i32 {
  const ip = VTOI(vp);
  if (uio.uio_rw != UIO_WRITE) panic(cs("ffs_write: mode"));
  if (vp.v_type == VREG) {
    if ((ioflag & IO_APPEND) != 0) uio.uio_offset = i64(ip.i_size);
    if ((ip.i_flags & FLAGS_APPEND) != 0 && u64(uio.uio_offset) != ip.i_size) return EPERM;
  } else if (vp.v_type == VDIR) {
    if ((ioflag & IO_SYNC) == 0) panic(cs("ffs_write: nonsync dir write"));
  } else if (vp.v_type != VLNK) {
    panic(cs("ffs_write: type %d"), vp.v_type);
  }
  if (uio.uio_offset < 0 || u64(uio.uio_offset) + u64(uio.uio_resid) > ip.i_ump.um_maxfilesize) return EFBIG;
  if (vp.v_type == VREG && (ioflag & IO_PAGER) == 0) {
    const end = u64(uio.uio_offset) + u64(uio.uio_resid);
    if (!file_size_allowed(changetype<Proc>(uio.uio_procp), end)) return EFBIG;
  }
  const resid = uio.uio_resid;
  const osize = ip.i_size;
  const bpp = frame_alloc(4);
  let error: i32 = (ioflag & IO_PAGER) == 0 ? vn_write_error(vp) : 0;
  if (error != 0) return error;
  const detour: usize = uvm_uio_shows_files(uio) ? malloc(u32(ip.i_fs.fs_bsize), M_TEMP, M_WAITOK) : 0;
  while (uio.uio_resid > 0 && error == 0) error = writePiece(vp, uio, ioflag, cred, detour, bpp);
  if (detour != 0) free(detour, M_TEMP);
  ip.i_flag |= IN_CHANGE | IN_UPDATE;
  const moved = resid > uio.uio_resid;
  if (moved && cr_uid(cred) != 0) ip.i_mode &= ~(ISUID | ISGID);
  if (error != 0) undoWrite(vp, uio, ioflag, cred, osize, resid);
  else if (moved && (ioflag & IO_SYNC) == IO_SYNC) error = VOP_UPDATE(vp, 0, 0, UPDATE_WAIT);
  return error;
}
