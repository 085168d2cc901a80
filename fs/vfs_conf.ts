// Which file systems there are, and the root file system.
//
// A file system type has a function xxx_vfsattach that fills its Vfsops (the
// vnode operation vectors too) and returns it; vfsinit calls it once.
import { strcmp } from "../kernel/libkern";
import { bootarg, bootarg_u32 } from "../kernel/subr_bootargs";
import { panic, printf, snprintf } from "../kernel/subr_prf";
import { MAXPARTITIONS, bdev_findname, bdev_name, bdev_psize } from "../kernel/conf";
import { mdattach } from "../kernel/dev/md";
import { wdattach } from "../kernel/dev/wd";
import { frame_alloc } from "../kernel/i386/cpufunc";
import { NODEV, makedev, minor } from "../kernel/sys/param";
import { LIST_FIRST, LIST_INSERT_HEAD, LIST_NEXT, TAILQ_FIRST, TAILQ_INIT } from "../kernel/sys/queue";
import { dead_vnodeop_init } from "./dead_vnops";
import { ffs_vfsattach } from "./ffs/ffs_vfsops";
import { mfs_vfsattach } from "./mfs/mfs_vfsops";
import { MNT_ROOTFS, Mount, VFS_ROOT, Vfsops } from "./mount";
import { spec_vnodeop_init } from "./specfs/spec_vnops";
import { bdevvp } from "./vfs_alias";
import { bufinit } from "./vfs_bio_mem";
import { nchinit } from "./vfs_cache";
import { mountlist } from "./vfs_mount";
import { vntblinit } from "./vfs_subr";
import { vn_initialize_syncerd } from "./vfs_sync";
import { rename_init } from "./vfs_syscalls";
import { Vnode } from "./vnode";
import { VOP_UNLOCK } from "./vnode_if";

/** The root file system and its device. */
@unmanaged export class Vfsroot {
  /** Device number; NODEV before vfs_mountroot. */
  rootdev: u32;
  /** Vnode of the device: one reference, not locked. The file system's mountroot takes it over. */
  rootvp: Vnode;
  /** The root directory. */
  rootvnode: Vnode;
}

export const vfsroot: Vfsroot = changetype<Vfsroot>(memory.data(offsetof<Vfsroot>()));

/** The file system types: a LIST of Vfsops by vfs_list. */
const vfs_list: usize = memory.data(4);
const VFS_LIST: usize = offsetof<Vfsops>("vfs_list_next");

const DEFAULT_VNODES: u32 = 1000;

/** The root directory's vnode; 0 before vfs_mountroot. */
export function rootvnode(): Vnode {
  return vfsroot.rootvnode;
}

/** Sets up the VFS layer: buffer cache, vnodes, name cache, file system types. Called once, when memory can be had. */
export function vfsinit(): void {
  TAILQ_INIT(mountlist);
  vfsroot.rootdev = NODEV;
  const vnodes = bootarg_u32(cs("vnodes"), DEFAULT_VNODES);
  vntblinit(vnodes);
  nchinit(vnodes);
  dead_vnodeop_init();
  spec_vnodeop_init();
  rename_init();
  vn_initialize_syncerd();
  bufinit();
  vfs_register(mfs_vfsattach());
  vfs_register(ffs_vfsattach());
}

/** Makes a file system type known, and lets it set itself up. */
export function vfs_register(ops: Vfsops): void {
  LIST_INSERT_HEAD(vfs_list, changetype<usize>(ops), VFS_LIST);
  if (ops.vfs_init != 0) call_indirect<void>(ops.vfs_init);
}

/** The operations of the file system type called `name`; 0 = none. */
export function vfs_getopsbyname(name: usize): Vfsops {
  let addr = LIST_FIRST(vfs_list);
  while (addr != 0) {
    if (strcmp(changetype<Vfsops>(addr).vfs_name, name) == 0) return changetype<Vfsops>(addr);
    addr = LIST_NEXT(addr, VFS_LIST);
  }
  return changetype<Vfsops>(0);
}

/** Attaches the storage devices, saying what was found. Interrupts work. */
export function devconfig(): void {
  mdattach();
  wdattach();
}

/** Device number of a name like "wd0a"; without a letter partition a. NODEV when there is no such driver. */
export function name_to_dev(name: usize): u32 {
  const maj = bdev_findname(name);
  if (maj < 0) return NODEV;
  let at = name + 2;
  let unit: u32 = 0;
  let c: u32 = load<u8>(at);
  while (c >= 0x30 && c <= 0x39) {
    unit = unit * 10 + (c - 0x30);
    at++;
    c = load<u8>(at);
  }
  const part: u32 = c == 0 ? 0 : c - 0x61;
  if (part >= MAXPARTITIONS) return NODEV;
  return makedev(maj, unit * MAXPARTITIONS + part);
}

/** Name of a block device, as in "wd0a", at `buf`. */
export function dev_to_name(dev: u32, buf: usize, size: u32): void {
  snprintf(buf, size, cs("%s%d%c"), bdev_name(dev), minor(dev) / MAXPARTITIONS, 0x61 + minor(dev) % MAXPARTITIONS);
}

/** The boot argument `root`, or md0a when a boot module is there, or wd0a. */
function choose_root(): u32 {
  const arg = bootarg(cs("root"));
  if (arg == 0) {
    const md0a = name_to_dev(cs("md0a"));
    return bdev_psize(md0a) >= 0 ? md0a : name_to_dev(cs("wd0a"));
  }
  const dev = name_to_dev(arg);
  if (dev == NODEV) panic(cs("root=%s: no such device; use md0a or wd0a"), arg);
  return dev;
}

/** Finds and mounts the root file system, read-only; panics when that fails. Sleeps. */
export function vfs_mountroot(): void {
  vfsroot.rootdev = choose_root();
  const name = frame_alloc(16);
  dev_to_name(vfsroot.rootdev, name, 16);
  if (bdev_psize(vfsroot.rootdev) < 0) {
    panic(cs("no root device %s; give a root image as a boot module, or a disk and root=wd0a"), name);
  }
  printf(cs("root on %s\n"), name);
  const vpp = frame_alloc(4);
  if (bdevvp(vfsroot.rootdev, vpp) != 0) panic(cs("vfs_mountroot: can't get vnode for rootdev"));
  vfsroot.rootvp = changetype<Vnode>(load<usize>(vpp));
  let error: i32 = 0;
  let addr = LIST_FIRST(vfs_list);
  while (addr != 0) {
    const ops = changetype<Vfsops>(addr);
    addr = LIST_NEXT(addr, VFS_LIST);
    if (ops.vfs_mountroot == 0) continue;
    error = call_indirect<i32>(ops.vfs_mountroot);
    if (error != 0) continue;
    printf(cs("root file system type: %s\n"), ops.vfs_name);
    finish_root(vpp);
    return;
  }
  printf(cs("no file system for %s (dev 0x%x)\n"), name, vfsroot.rootdev);
  panic(cs("cannot mount root, error = %d"), error);
}

/** The root file system is the first mount: gets its root directory. `vpp`: scratch word. */
function finish_root(vpp: usize): void {
  const mp = changetype<Mount>(TAILQ_FIRST(mountlist));
  mp.mnt_flag |= MNT_ROOTFS;
  if (VFS_ROOT(mp, vpp) != 0) panic(cs("cannot find root vnode"));
  vfsroot.rootvnode = changetype<Vnode>(load<usize>(vpp));
  VOP_UNLOCK(vfsroot.rootvnode, 0);
}
