// The operations that a vnode operation vector starts with: refuse politely, or
// panic. A file system fills a new vector with one of the two and then sets its own.
//
// WebAssembly checks the shape of an indirect call (hosted tests), so there is
// one function per shape: the number counts words; w is a word, l 64 bits.
import { EOPNOTSUPP } from "../kernel/sys/errno";
import { panic } from "../kernel/subr_prf";
import { vn_bwrite } from "./genfs";
import { VnodeOps } from "./vnode_if";

function genfs_eopnotsupp_3(a: usize, b: usize, c: usize): i32 {
  return EOPNOTSUPP;
}

function genfs_eopnotsupp_4(a: usize, b: usize, c: usize, d: usize): i32 {
  return EOPNOTSUPP;
}

function genfs_eopnotsupp_6(a: usize, b: usize, c: usize, d: usize, e: usize, f: usize): i32 {
  return EOPNOTSUPP;
}

function genfs_eopnotsupp_2(a: usize, b: usize): i32 {
  return EOPNOTSUPP;
}

function genfs_eopnotsupp_wllw(a: usize, b: i64, c: i64, d: usize): i32 {
  return EOPNOTSUPP;
}

function genfs_eopnotsupp_5(a: usize, b: usize, c: usize, d: usize, e: usize): i32 {
  return EOPNOTSUPP;
}

function genfs_eopnotsupp_1(a: usize): i32 {
  return EOPNOTSUPP;
}

function genfs_eopnotsupp_wlww(a: usize, b: i64, c: usize, d: usize): i32 {
  return EOPNOTSUPP;
}

function genfs_eopnotsupp_wlwwww(a: usize, b: i64, c: usize, d: usize, e: usize, f: usize): i32 {
  return EOPNOTSUPP;
}

function genfs_eopnotsupp_wlwww(a: usize, b: i64, c: usize, d: usize, e: usize): i32 {
  return EOPNOTSUPP;
}

function genfs_badop_3(a: usize, b: usize, c: usize): i32 {
  panic(cs("genfs: bad op"));
  return 0;
}

function genfs_badop_4(a: usize, b: usize, c: usize, d: usize): i32 {
  panic(cs("genfs: bad op"));
  return 0;
}

function genfs_badop_6(a: usize, b: usize, c: usize, d: usize, e: usize, f: usize): i32 {
  panic(cs("genfs: bad op"));
  return 0;
}

function genfs_badop_2(a: usize, b: usize): i32 {
  panic(cs("genfs: bad op"));
  return 0;
}

function genfs_badop_wllw(a: usize, b: i64, c: i64, d: usize): i32 {
  panic(cs("genfs: bad op"));
  return 0;
}

function genfs_badop_5(a: usize, b: usize, c: usize, d: usize, e: usize): i32 {
  panic(cs("genfs: bad op"));
  return 0;
}

function genfs_badop_1(a: usize): i32 {
  panic(cs("genfs: bad op"));
  return 0;
}

function genfs_badop_wlww(a: usize, b: i64, c: usize, d: usize): i32 {
  panic(cs("genfs: bad op"));
  return 0;
}

function genfs_badop_wlwwww(a: usize, b: i64, c: usize, d: usize, e: usize, f: usize): i32 {
  panic(cs("genfs: bad op"));
  return 0;
}

function genfs_badop_wlwww(a: usize, b: i64, c: usize, d: usize, e: usize): i32 {
  panic(cs("genfs: bad op"));
  return 0;
}

/** Fills every slot with a function that returns EOPNOTSUPP; bwrite with vn_bwrite. */
export function vn_default_ops(ops: VnodeOps): void {
  ops.vop_lookup = genfs_eopnotsupp_3.index;
  ops.vop_create = genfs_eopnotsupp_4.index;
  ops.vop_mknod = genfs_eopnotsupp_4.index;
  ops.vop_open = genfs_eopnotsupp_4.index;
  ops.vop_close = genfs_eopnotsupp_4.index;
  ops.vop_access = genfs_eopnotsupp_4.index;
  ops.vop_getattr = genfs_eopnotsupp_4.index;
  ops.vop_setattr = genfs_eopnotsupp_4.index;
  ops.vop_read = genfs_eopnotsupp_4.index;
  ops.vop_write = genfs_eopnotsupp_4.index;
  ops.vop_ioctl = genfs_eopnotsupp_6.index;
  ops.vop_fcntl = genfs_eopnotsupp_6.index;
  ops.vop_poll = genfs_eopnotsupp_3.index;
  ops.vop_revoke = genfs_eopnotsupp_2.index;
  ops.vop_mmap = genfs_eopnotsupp_4.index;
  ops.vop_fsync = genfs_eopnotsupp_4.index;
  ops.vop_seek = genfs_eopnotsupp_wllw.index;
  ops.vop_remove = genfs_eopnotsupp_3.index;
  ops.vop_link = genfs_eopnotsupp_3.index;
  ops.vop_rename = genfs_eopnotsupp_6.index;
  ops.vop_mkdir = genfs_eopnotsupp_4.index;
  ops.vop_rmdir = genfs_eopnotsupp_3.index;
  ops.vop_symlink = genfs_eopnotsupp_5.index;
  ops.vop_readdir = genfs_eopnotsupp_6.index;
  ops.vop_readlink = genfs_eopnotsupp_3.index;
  ops.vop_abortop = genfs_eopnotsupp_2.index;
  ops.vop_inactive = genfs_eopnotsupp_2.index;
  ops.vop_reclaim = genfs_eopnotsupp_2.index;
  ops.vop_lock = genfs_eopnotsupp_2.index;
  ops.vop_unlock = genfs_eopnotsupp_2.index;
  ops.vop_bmap = genfs_eopnotsupp_5.index;
  ops.vop_print = genfs_eopnotsupp_1.index;
  ops.vop_islocked = genfs_eopnotsupp_1.index;
  ops.vop_pathconf = genfs_eopnotsupp_3.index;
  ops.vop_advlock = genfs_eopnotsupp_5.index;
  ops.vop_blkatoff = genfs_eopnotsupp_wlww.index;
  ops.vop_valloc = genfs_eopnotsupp_4.index;
  ops.vop_balloc = genfs_eopnotsupp_wlwwww.index;
  ops.vop_reallocblks = genfs_eopnotsupp_2.index;
  ops.vop_vfree = genfs_eopnotsupp_3.index;
  ops.vop_truncate = genfs_eopnotsupp_wlwww.index;
  ops.vop_update = genfs_eopnotsupp_4.index;
  ops.vop_lease = genfs_eopnotsupp_4.index;
  ops.vop_whiteout = genfs_eopnotsupp_3.index;
  ops.vop_strategy = genfs_eopnotsupp_1.index;
  ops.set_bwrite(vn_bwrite);
}

/** Fills every slot with a function that panics `genfs: bad op`: for vnodes that may see few operations. */
export function vn_badop_ops(ops: VnodeOps): void {
  ops.vop_lookup = genfs_badop_3.index;
  ops.vop_create = genfs_badop_4.index;
  ops.vop_mknod = genfs_badop_4.index;
  ops.vop_open = genfs_badop_4.index;
  ops.vop_close = genfs_badop_4.index;
  ops.vop_access = genfs_badop_4.index;
  ops.vop_getattr = genfs_badop_4.index;
  ops.vop_setattr = genfs_badop_4.index;
  ops.vop_read = genfs_badop_4.index;
  ops.vop_write = genfs_badop_4.index;
  ops.vop_ioctl = genfs_badop_6.index;
  ops.vop_fcntl = genfs_badop_6.index;
  ops.vop_poll = genfs_badop_3.index;
  ops.vop_revoke = genfs_badop_2.index;
  ops.vop_mmap = genfs_badop_4.index;
  ops.vop_fsync = genfs_badop_4.index;
  ops.vop_seek = genfs_badop_wllw.index;
  ops.vop_remove = genfs_badop_3.index;
  ops.vop_link = genfs_badop_3.index;
  ops.vop_rename = genfs_badop_6.index;
  ops.vop_mkdir = genfs_badop_4.index;
  ops.vop_rmdir = genfs_badop_3.index;
  ops.vop_symlink = genfs_badop_5.index;
  ops.vop_readdir = genfs_badop_6.index;
  ops.vop_readlink = genfs_badop_3.index;
  ops.vop_abortop = genfs_badop_2.index;
  ops.vop_inactive = genfs_badop_2.index;
  ops.vop_reclaim = genfs_badop_2.index;
  ops.vop_lock = genfs_badop_2.index;
  ops.vop_unlock = genfs_badop_2.index;
  ops.vop_bmap = genfs_badop_5.index;
  ops.vop_print = genfs_badop_1.index;
  ops.vop_islocked = genfs_badop_1.index;
  ops.vop_pathconf = genfs_badop_3.index;
  ops.vop_advlock = genfs_badop_5.index;
  ops.vop_blkatoff = genfs_badop_wlww.index;
  ops.vop_valloc = genfs_badop_4.index;
  ops.vop_balloc = genfs_badop_wlwwww.index;
  ops.vop_reallocblks = genfs_badop_2.index;
  ops.vop_vfree = genfs_badop_3.index;
  ops.vop_truncate = genfs_badop_wlwww.index;
  ops.vop_update = genfs_badop_4.index;
  ops.vop_lease = genfs_badop_4.index;
  ops.vop_whiteout = genfs_badop_3.index;
  ops.vop_strategy = genfs_badop_1.index;
  ops.vop_bwrite = genfs_badop_1.index;
}
