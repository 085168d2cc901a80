// The operation vectors of FFS: for files and directories, for device nodes and
// for fifos, and the two operations that belong to no other file.

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { Buf } from "../buf";
import {
  genfs_abortop, genfs_enoioctl, genfs_fsync, genfs_islocked, genfs_lock, genfs_poll, genfs_seek, genfs_unlock,
  vn_bwrite,
} from "../genfs";
import { vn_default_ops } from "../genfs_default";
import { fifo_fill_ops } from "../fifo_vnops";
import { spec_fill_ops } from "../specfs/spec_vnops";
import { genfs_revoke } from "../vfs_alias";
import { bread, brelse } from "../vfs_bio";
import { NOCRED, Vnode } from "../vnode";
import { VnodeOps } from "../vnode_if";
import {
  ufs_access, ufs_close, ufs_getattr, ufs_open, ufs_pathconf, ufs_print, ufs_setattr,
} from "../ufs/ufs_attr";
import { VTOI, blksize } from "../ufs/inode";
import { ufs_bmap } from "../ufs/ufs_bmap";
import { ffs_reclaim, ufs_inactive } from "../ufs/ufs_inode";
import { ufs_lookup } from "../ufs/ufs_lookup";
import { ffs_read, ffs_write } from "../ufs/ufs_readwrite";
import { ufs_rename } from "../ufs/ufs_rename";
import {
  ufs_create, ufs_link, ufs_mkdir, ufs_mknod, ufs_readdir, ufs_readlink, ufs_remove, ufs_rmdir, ufs_strategy,
  ufs_symlink,
} from "../ufs/ufs_vnops";
import { ffs_valloc } from "./ffs_alloc";
import { ffs_balloc } from "./ffs_balloc";
import { ffs_vfree } from "./ffs_cg";
import { ffs_truncate, ffs_update } from "./ffs_inode";
import { blkoff, lblkno } from "./fs";

export const ffs_vnodeop: VnodeOps = changetype<VnodeOps>(memory.data(offsetof<VnodeOps>()));
export const ffs_specop: VnodeOps = changetype<VnodeOps>(memory.data(offsetof<VnodeOps>()));
export const ffs_fifoop: VnodeOps = changetype<VnodeOps>(memory.data(offsetof<VnodeOps>()));

/** VOP_BLKATOFF: the block with the byte at `offset`; *bpp its busy buffer, *res (unless 0) the byte's address. */
export function ffs_blkatoff(vp: Vnode, offset: i64, res: usize, bpp: usize): i32 {
  const ip = VTOI(vp);
  const fs = ip.i_fs;
  const slot = frame_alloc(4);
  const lbn = lblkno(fs, u64(offset));
  store<usize>(bpp, 0);
  const error = bread(vp, lbn, u32(blksize(fs, ip, lbn)), NOCRED, slot);
  const bp = changetype<Buf>(load<usize>(slot));
  if (error != 0) {
    brelse(bp);
    return error;
  }
  if (res != 0) store<usize>(res, bp.b_data + usize(blkoff(fs, u64(offset))));
  store<usize>(bpp, changetype<usize>(bp));
  return 0;
}

/** What all three vectors share: the inode. */
function inodeOps(ops: VnodeOps): void {
  ops.set_access(ufs_access);
  ops.set_getattr(ufs_getattr);
  ops.set_setattr(ufs_setattr);
  ops.set_fsync(genfs_fsync);
  ops.set_inactive(ufs_inactive);
  ops.set_reclaim(ffs_reclaim);
  ops.set_lock(genfs_lock);
  ops.set_unlock(genfs_unlock);
  ops.set_islocked(genfs_islocked);
  ops.set_print(ufs_print);
  ops.set_update(ffs_update);
  ops.set_vfree(ffs_vfree);
  ops.set_truncate(ffs_truncate);
  ops.set_bwrite(vn_bwrite);
}

/** Names: lookup, making and removing. */
function nameOps(ops: VnodeOps): void {
  ops.set_lookup(ufs_lookup);
  ops.set_create(ufs_create);
  ops.set_mknod(ufs_mknod);
  ops.set_remove(ufs_remove);
  ops.set_link(ufs_link);
  ops.set_rename(ufs_rename);
  ops.set_mkdir(ufs_mkdir);
  ops.set_rmdir(ufs_rmdir);
  ops.set_symlink(ufs_symlink);
  ops.set_abortop(genfs_abortop);
}

/** Contents and space. */
function dataOps(ops: VnodeOps): void {
  ops.set_open(ufs_open);
  ops.set_close(ufs_close);
  ops.set_read(ffs_read);
  ops.set_write(ffs_write);
  ops.set_ioctl(genfs_enoioctl);
  ops.set_poll(genfs_poll);
  ops.set_revoke(genfs_revoke);
  ops.set_seek(genfs_seek);
  ops.set_readdir(ufs_readdir);
  ops.set_readlink(ufs_readlink);
  ops.set_bmap(ufs_bmap);
  ops.set_strategy(ufs_strategy);
  ops.set_pathconf(ufs_pathconf);
  ops.set_blkatoff(ffs_blkatoff);
  ops.set_valloc(ffs_valloc);
  ops.set_balloc(ffs_balloc);
}

/** Fills the vectors; once, at boot. */
export function ffs_vnodeop_init(): void {
  vn_default_ops(ffs_vnodeop);
  inodeOps(ffs_vnodeop);
  nameOps(ffs_vnodeop);
  dataOps(ffs_vnodeop);
  spec_fill_ops(ffs_specop);
  inodeOps(ffs_specop);
  fifo_fill_ops(ffs_fifoop);
  inodeOps(ffs_fifoop);
}
