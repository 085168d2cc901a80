// The memory file system as a whole: FFS on a device that is a memory object.
//
// mount takes the image that newfs made in the calling process's memory into an
// object of its own and returns: no process is needed afterwards. Pages that were
// never touched, or hold only zeros, are not copied, since the object gives zeros.
// The served ways (mfs_server.ts) leave the image where it is and keep the process.

import { copyin } from "../../kernel/i386/support";
import { frame_alloc } from "../../kernel/i386/cpufunc";
import { free, malloc } from "../../kernel/kern_malloc";
import { bzero, memcpy } from "../../kernel/libkern";
import { panic, snprintf } from "../../kernel/subr_prf";
import { EINVAL, ENOMEM, ENXIO } from "../../kernel/sys/errno";
import { M_MFSNODE, M_TEMP, M_WAITOK } from "../../kernel/sys/malloc";
import { PAGE_MASK, PAGE_SIZE, VM_MAXUSER_ADDRESS, makedev, round_page } from "../../kernel/sys/param";
import { Proc } from "../../kernel/sys/proc";
import { TAILQ_INIT } from "../../kernel/sys/queue";
import { uao_create, uao_detach, uao_reference } from "../../vm/uvm_aobj";
import {
  KERN_SUCCESS, UVM_ADV_RANDOM, UVM_FLAG_NOMERGE, UVM_INH_NONE, UVM_MAPFLAG, UVM_PROT_RW, VM_PROT_ALL,
} from "../../vm/uvm_extern";
import { uvm_untouched } from "../../vm/uvm_glue";
import { kernel_map } from "../../vm/uvm_km";
import { uvm_map, uvm_unmap, vm_map_min } from "../../vm/uvm_map";
import { UvmObject } from "../../vm/uvm_object";
import {
  ffs_mountfs, ffs_mountupdate, ffs_setnames, ffs_statfs, ffs_sync, ffs_unmount, ffs_vget, ufs_root,
} from "../ffs/ffs_vfsops";
import { MNAMELEN, MNT_ASYNC, MNT_SYNCHRONOUS, MNT_UPDATE, Mount, Vfsops } from "../mount";
import { Nameidata } from "../namei";
import { VFSTOUFS } from "../ufs/ufsmount";
import { checkalias } from "../vfs_alias";
import { getnewvnode, vrele } from "../vfs_subr";
import { VBLK, VT_MFS, Vnode } from "../vnode";
import { MFS_MAJOR } from "../../kernel/conf";
import { mfs_aobj_init } from "./mfs_aobj";
import { mfs_burge_init } from "./mfs_burge";
import { mfs_dev_alloc, mfs_dev_init } from "./mfs_dev";
import { mfs_direct_init } from "./mfs_direct";
import { mfs_claim, mfs_release_blocks } from "./mfs_memory";
import {
  MFS_AOBJ, MFS_BURGE, MFS_DIRECT, MFS_NWAYS, MFS_PROCESS, MFS_UVM_IO, MFS_WINDOW, mfs_way_repairs, mfs_way_served,
} from "./mfs_names";
import { mfs_process_init } from "./mfs_process";
import { mfs_start } from "./mfs_server";
import { mfs_uvm_io_init } from "./mfs_uvm_io";
import { MFSNODE_SIZE, MFSWAY_SIZE, MFS_CLAIMED, MfsArgs, Mfsnode, Mfsway } from "./mfsnode";
import { mfs_vnodeop, mfs_vnodeop_init } from "./mfs_vnops";
import { mfs_window_init } from "./mfs_window";

export const mfs_vfsops: Vfsops = changetype<Vfsops>(memory.data(offsetof<Vfsops>()));

/** The ways by number, MFSWAY_SIZE bytes each. */
const mfs_ways: usize = memory.data(72, 4);

/** The Mfsnode of the newest mount, for a person in DDB: `show object *(*mfs_newest+14)` is its object. */
@unmanaged
class Mfsnewest {
  mfsnode: Mfsnode;
}
const mfs_newest: Mfsnewest = changetype<Mfsnewest>(memory.data(offsetof<Mfsnewest>()));

function mfs_way(i: u32): Mfsway {
  return changetype<Mfsway>(mfs_ways + usize(i * MFSWAY_SIZE));
}

/** Can a file system be mounted with these arguments? */
function areArguments(args: MfsArgs): bool {
  if (args.way >= MFS_NWAYS || (args.repair & ~mfs_way_repairs(args.way)) != 0) return false;
  return args.size != 0 && args.size <= VM_MAXUSER_ADDRESS && args.base <= VM_MAXUSER_ADDRESS - args.size;
}

function isZero(page: usize): bool {
  for (let at = page; at < page + PAGE_SIZE; at += 4) {
    if (load<u32>(at) != 0) return false;
  }
  return true;
}

/** Puts a page of data into the object at `offset`. */
function storePage(uobj: UvmObject, offset: usize, page: usize): i32 {
  const vap = frame_alloc(4);
  store<usize>(vap, vm_map_min(kernel_map()));
  uao_reference(uobj);
  const flags = UVM_MAPFLAG(UVM_PROT_RW, VM_PROT_ALL, UVM_INH_NONE, UVM_ADV_RANDOM, UVM_FLAG_NOMERGE);
  if (uvm_map(kernel_map(), vap, PAGE_SIZE, uobj, u64(offset), flags) != KERN_SUCCESS) {
    uao_detach(uobj);
    return ENOMEM;
  }
  const va = load<usize>(vap);
  memcpy(va, page, PAGE_SIZE);
  uvm_unmap(kernel_map(), va, va + PAGE_SIZE);
  return 0;
}

/** Copies `size` bytes at `base` of the calling process into the object. EFAULT, ENOMEM. Sleeps. */
function copyImage(uobj: UvmObject, base: usize, size: u32, p: Proc): i32 {
  const page = malloc(PAGE_SIZE, M_TEMP, M_WAITOK);
  let error: i32 = 0;
  for (let offset: u32 = 0; offset < size && error == 0; offset += PAGE_SIZE) {
    if ((base & PAGE_MASK) == 0 && uvm_untouched(p.p_vmspace.vm_map, base + usize(offset))) continue;
    const count = size - offset < PAGE_SIZE ? size - offset : PAGE_SIZE;
    if (count < PAGE_SIZE) bzero(page, PAGE_SIZE);
    error = copyin(base + usize(offset), page, count);
    if (error == 0 && !isZero(page)) error = storePage(uobj, usize(offset), page);
  }
  free(page, M_TEMP);
  return error;
}

/** The device's vnode with its Mfsnode and an empty object, one reference; *vpp. ENXIO: no device number is left. */
function makeDevice(args: MfsArgs, p: Proc, vpp: usize): i32 {
  const error = getnewvnode(VT_MFS, changetype<Mount>(0), changetype<usize>(mfs_vnodeop), vpp);
  if (error != 0) return error;
  const devvp = changetype<Vnode>(load<usize>(vpp));
  const mfsp = changetype<Mfsnode>(malloc(MFSNODE_SIZE, M_MFSNODE, M_WAITOK));
  bzero(changetype<usize>(mfsp), MFSNODE_SIZE);
  const number = mfs_dev_alloc(mfsp);
  if (number < 0) {
    free(changetype<usize>(mfsp), M_MFSNODE);
    vrele(devvp);
    return ENXIO;
  }
  devvp.v_type = VBLK;
  if (changetype<usize>(checkalias(devvp, makedev(MFS_MAJOR, number), changetype<Mount>(0))) != 0) {
    panic(cs("mfs_mount: dup dev"));
  }
  devvp.v_data = changetype<usize>(mfsp);
  mfsp.mfs_vnode = devvp;
  mfsp.mfs_size = args.size;
  mfsp.mfs_pid = p.p_pid;
  mfsp.mfs_way = mfs_way(args.way);
  mfsp.mfs_repair = args.repair;
  if (args.way != MFS_BURGE) mfsp.mfs_flags = MFS_CLAIMED;
  mfsp.mfs_refs = 1;
  TAILQ_INIT(mfsp.mfs_buflist);
  if (mfs_way_served(args.way)) {
    mfsp.mfs_baseoff = args.base;
    mfsp.mfs_server = p;
  } else {
    mfsp.mfs_data = uao_create(round_page(args.size), 0);
  }
  mfs_newest.mfsnode = mfsp;
  return 0;
}

/**
 * VFS_MOUNT. `data`: an MfsArgs; the image lies in the calling process's memory and may go afterwards, unless the way
 * is a served one.
 */
function mfs_mount(mp: Mount, path: usize, data: usize, ndp: Nameidata, p: Proc): i32 {
  // What is in memory is lost with it anyway: writing at once would buy nothing.
  if ((mp.mnt_flag & MNT_SYNCHRONOUS) == 0) mp.mnt_flag |= MNT_ASYNC;
  if ((mp.mnt_flag & MNT_UPDATE) != 0) return ffs_mountupdate(mp, p);
  const args = changetype<MfsArgs>(data);
  if (!areArguments(args)) return EINVAL;
  const vpp = frame_alloc(4);
  let error = makeDevice(args, p, vpp);
  if (error != 0) return error;
  const devvp = changetype<Vnode>(load<usize>(vpp));
  const mfsp = changetype<Mfsnode>(devvp.v_data);
  error = mfsp.mfs_way.way_attach(mfsp, args);
  if (error == 0 && changetype<usize>(mfsp.mfs_data) != 0) error = copyImage(mfsp.mfs_data, args.base, args.size, p);
  if (error == 0) error = ffs_mountfs(devvp, mp, p);
  if (error != 0) {
    vrele(devvp);
    return error;
  }
  const ump = VFSTOUFS(mp);
  ump.um_thin = (mfsp.mfs_flags & MFS_CLAIMED) != 0 ? 1 : 0;
  ump.set_claim(mfs_claim);
  ump.set_release(mfs_release_blocks);
  const from = frame_alloc(MNAMELEN + 2);
  snprintf(from, MNAMELEN, cs("mfs:%d"), mfsp.mfs_pid);
  ffs_setnames(mp, path, args.fspec != 0 ? args.fspec : from);
  return 0;
}

/** VFS_INIT, after FFS's. */
function mfs_init(): void {
  mfs_vnodeop_init();
  mfs_dev_init();
  mfs_aobj_init(mfs_way(MFS_AOBJ));
  mfs_burge_init(mfs_way(MFS_BURGE));
  mfs_window_init(mfs_way(MFS_WINDOW));
  mfs_direct_init(mfs_way(MFS_DIRECT));
  mfs_process_init(mfs_way(MFS_PROCESS));
  mfs_uvm_io_init(mfs_way(MFS_UVM_IO));
}

/** Fills the operations of the type "mfs". */
export function mfs_vfsattach(): Vfsops {
  const ops = mfs_vfsops;
  ops.vfs_name = cs("mfs");
  ops.set_mount(mfs_mount);
  ops.set_start(mfs_start);
  ops.set_unmount(ffs_unmount);
  ops.set_root(ufs_root);
  ops.set_statfs(ffs_statfs);
  ops.set_sync(ffs_sync);
  ops.set_vget(ffs_vget);
  ops.set_init(mfs_init);
  return ops;
}
