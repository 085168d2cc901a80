// __getcwd: from a directory up to the root, by looking in each parent for the entry with the child's number.
import { frame_alloc } from "./i386/cpufunc";
import { free, malloc } from "./kern_malloc";
import { memcpy } from "./libkern";
import { ENOENT, ERANGE } from "./sys/errno";
import { LK_EXCLUSIVE, LK_RETRY } from "./sys/lock";
import { M_TEMP, M_WAITOK } from "./sys/malloc";
import { Proc } from "./sys/proc";
import { UIO_SYSSPACE } from "./sys/uio";
import { ISDOTDOT, ISLASTCN, LOOKUP, Nameidata, PDIRUNLOCK } from "../fs/namei";
import { rootvnode } from "../fs/vfs_conf";
import { vref, vrele } from "../fs/vfs_subr";
import { VATTR_SIZE, vn_lock, vn_readdir } from "../fs/vfs_vnops";
import { VROOT, Vattr, Vnode } from "../fs/vnode";
import { VOP_GETATTR, VOP_LOOKUP, VOP_UNLOCK } from "../fs/vnode_if";

const DIRENT_BUF: u32 = 1024;

/** The parent of `vp` (referenced, not locked), which keeps its reference; result referenced, not locked, at `vpp`. */
function parent_of(vp: Vnode, p: Proc, vpp: usize): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  memory.fill(changetype<usize>(nd), 0, offsetof<Nameidata>());
  nd.cn_nameiop = LOOKUP;
  nd.cn_flags = ISLASTCN | ISDOTDOT;
  nd.cn_proc = p;
  nd.cn_cred = changetype<usize>(p);
  nd.cn_nameptr = cs("..");
  nd.cn_namelen = 2;
  nd.cn_hash = 0x2e + 0x2e;
  store<usize>(vpp, 0);
  vn_lock(vp, LK_EXCLUSIVE | LK_RETRY);
  const error = VOP_LOOKUP(vp, vpp, nd);
  const found = load<usize>(vpp);
  if (found != changetype<usize>(vp)) {
    // The lookup of ".." may have unlocked the child, as the order of locks demands.
    if ((nd.cn_flags & PDIRUNLOCK) == 0) VOP_UNLOCK(vp, 0);
  }
  if (error != 0) return error;
  VOP_UNLOCK(changetype<Vnode>(found), 0);
  return 0;
}

/** Puts the name that number `ino` has in directory `dvp`, and a slash, in front of the text at *startp. */
function prepend_name(dvp: Vnode, ino: u32, text: usize, startp: usize, p: Proc): i32 {
  const buf = malloc(DIRENT_BUF, M_TEMP, M_WAITOK);
  const offset = frame_alloc(8);
  const done = frame_alloc(4);
  let error: i32 = 0;
  store<i64>(offset, 0);
  let found = false;
  while (error == 0 && !found) {
    error = vn_readdir(dvp, buf, UIO_SYSSPACE, DIRENT_BUF, offset, done, p);
    if (error == 0 && load<u32>(done) == 0) error = ENOENT;
    const end = buf + (error == 0 ? load<u32>(done) : 0);
    let at = buf;
    while (at < end && !(load<u32>(at) == ino && !is_dot(at))) at += u32(load<u16>(at + 4));
    if (at >= end) continue;
    found = true;
    error = prepend(at + 8, u32(load<u8>(at + 7)), text, startp);
  }
  free(buf, M_TEMP);
  return error;
}

/** Is the directory entry at `at` "." or ".."? */
function is_dot(at: usize): bool {
  const length = u32(load<u8>(at + 7));
  if (length > 2 || load<u8>(at + 8) != 0x2e) return false;
  return length == 1 || load<u8>(at + 9) == 0x2e;
}

function prepend(name: usize, length: u32, text: usize, startp: usize): i32 {
  const start = load<usize>(startp) - length - 1;
  if (start < text) return ERANGE;
  store<u8>(start, 0x2f);
  memcpy(start + 1, name, length);
  store<usize>(startp, start);
  return 0;
}

/** From the root of a file system to the directory that it covers. => takes over vp's reference */
function uncover(vp: Vnode, root: Vnode): Vnode {
  while ((vp.v_flag & VROOT) != 0 && vp != root && changetype<usize>(vp.v_mount) != 0) {
    const covered = vp.v_mount.mnt_vnodecovered;
    if (changetype<usize>(covered) == 0) break;
    vref(covered);
    vrele(vp);
    vp = covered;
  }
  return vp;
}

/**
 * Writes the path of the process's current directory to the end of `text` (`size` bytes), NUL included; where it
 * begins goes to `startp`. => 0, ENOENT (removed), ERANGE; may sleep
 */
export function getcwd(p: Proc, text: usize, size: u32, startp: usize): i32 {
  const root = p.p_rdir != 0 ? changetype<Vnode>(p.p_rdir) : rootvnode();
  const va = changetype<Vattr>(frame_alloc(VATTR_SIZE));
  const parentp = frame_alloc(4);
  let vp = changetype<Vnode>(p.p_cdir);
  let error: i32 = 0;
  store<u8>(text + size - 1, 0);
  store<usize>(startp, text + size - 1);
  vref(vp);
  for (;;) {
    vp = uncover(vp, root);
    if (vp == root) break;
    error = VOP_GETATTR(vp, va, changetype<usize>(p), p);
    if (error == 0) error = parent_of(vp, p, parentp);
    if (error != 0) break;
    const parent = changetype<Vnode>(load<usize>(parentp));
    vrele(vp);
    vp = parent;
    error = prepend_name(vp, va.va_fileid, text, startp, p);
    if (error != 0) break;
  }
  vrele(vp);
  if (error == 0 && load<usize>(startp) == text + size - 1) error = prepend(0, 0, text, startp);
  return error;
}
