// The table of inodes in memory: device and inode number -> vnode.
//
// An inode enters the table right after its vnode is made and leaves it in
// ufs_reclaim, so two vnodes never stand for one file. ufs_hashlock keeps two
// processes from making the same one: whoever misses holds it until the inode
// is in the table.

import { bss } from "../../kernel/i386/cpufunc";
import { lockinit, lockmgr } from "../../kernel/kern_lock";
import { LK_EXCLUSIVE, Lock } from "../../kernel/sys/lock";
import { PINOD } from "../../kernel/sys/param";
import { LIST_FIRST, LIST_INSERT_HEAD, LIST_NEXT, LIST_REMOVE } from "../../kernel/sys/queue";
import { vget } from "../vfs_subr";
import { Vnode } from "../vnode";
import { Inode } from "./inode";

const CHAINS: u32 = 256;
const LINK: usize = offsetof<Inode>("i_hash_next");

export const ufs_hashlock: Lock = changetype<Lock>(memory.data(offsetof<Lock>()));

function ihashtbl(): usize {
  return bss(1024, 4);
}

function chain(dev: u32, ino: u32): usize {
  return ihashtbl() + (usize((dev + ino) & (CHAINS - 1)) << 2);
}

/** Called once before the first mount. */
export function ufs_ihashinit(): void {
  lockinit(ufs_hashlock, PINOD, cs("ufs_hashlock"), 0, 0);
}

/** The vnode of the inode, without a reference; 0 when it is not in memory. */
export function ufs_ihashlookup(dev: u32, ino: u32): Vnode {
  let addr = LIST_FIRST(chain(dev, ino));
  while (addr != 0) {
    const ip = changetype<Inode>(addr);
    if (ip.i_number == ino && ip.i_dev == dev) return ip.i_vnode;
    addr = LIST_NEXT(addr, LINK);
  }
  return changetype<Vnode>(0);
}

/** The vnode of the inode, referenced and locked; 0 when it is not in memory. Sleeps. */
export function ufs_ihashget(dev: u32, ino: u32): Vnode {
  while (true) {
    const vp = ufs_ihashlookup(dev, ino);
    if (changetype<usize>(vp) == 0) return vp;
    // ENOENT: the vnode was being cleaned and is gone now.
    if (vget(vp, LK_EXCLUSIVE) == 0) return vp;
  }
}

/** Enters a new inode and locks its vnode. */
export function ufs_ihashins(ip: Inode): void {
  lockmgr(ip.i_vnode.v_lock, LK_EXCLUSIVE, 0);
  LIST_INSERT_HEAD(chain(ip.i_dev, ip.i_number), changetype<usize>(ip), LINK);
}

/** Takes an inode out. */
export function ufs_ihashrem(ip: Inode): void {
  if (ip.i_hash_prev == 0) return;
  LIST_REMOVE(changetype<usize>(ip), LINK);
  ip.i_hash_next = 0;
  ip.i_hash_prev = 0;
}
