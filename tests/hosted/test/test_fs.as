// A file system and a disk for hosted tests of the VFS layer.
//
// "testfs": the test says which nodes there are (test_node); they can be looked
// up and, for links, read. Several file systems share the table; each has a root.
// The disk: a memory of the test's; requests end at once or when the test says.
import {
  genfs_abortop, genfs_islocked, genfs_lock, genfs_nullclose, genfs_nullopen, genfs_nullupdate, genfs_unlock,
} from "../fs/genfs";
import { vn_default_ops } from "../fs/genfs_default";
import { B_ERROR, B_READ, Buf } from "../fs/buf";
import { MNT_FORCE, Mount, Statfs, Vfsops } from "../fs/mount";
import {
  CREATE, Componentname, DELETE, ISDOTDOT, ISLASTCN, LOCKPARENT, MAKEENTRY, Nameidata, PDIRUNLOCK, RENAME, SAVENAME,
} from "../fs/namei";
import { NDINIT, namei } from "../fs/vfs_lookup";
import { binvalhash, biodone, bread, bufqueue, getnewbuf } from "../fs/vfs_bio";
import { bufinit } from "../fs/vfs_bio_mem";
import { cache_enter, cache_lookup, nchinit } from "../fs/vfs_cache";
import { checkalias } from "../fs/vfs_alias";
import { mountlist, mountlist_append, vfs_mountalloc, vfs_unbusy } from "../fs/vfs_mount";
import { getnewvnode, vflush, vget, vntblinit, vref } from "../fs/vfs_subr";
import { rename_init } from "../fs/vfs_syscalls";
import { vflushbuf } from "../fs/vfs_vnbufs";
import { vn_lock } from "../fs/vfs_vnops";
import { dead_vnodeop_init } from "../fs/dead_vnops";
import { spec_vnodeop_init } from "../fs/specfs/spec_vnops";
import { vn_initialize_syncerd } from "../fs/vfs_sync";
import { vfs_register, vfsroot } from "../fs/vfs_conf";
import { FORCECLOSE, FSYNC_WAIT, VBLK, VDIR, VLNK, VREG, VROOT, VT_UFS, Vnode } from "../fs/vnode";
import { VOP_UNLOCK, VnodeOps } from "../fs/vnode_if";
import { frame_alloc } from "../kernel/i386/cpufunc";
import { kmeminit } from "../kernel/kern_malloc";
import { curproc } from "../kernel/kern_proc";
import { uiomove } from "../kernel/kern_subr";
import { memcmp, memcpy, strlcpy, strlen } from "../kernel/libkern";
import { EJUSTRETURN, ENOENT, ENOTDIR, EIO } from "../kernel/sys/errno";
import { LK_EXCLUSIVE } from "../kernel/sys/lock";
import { DEV_BSHIFT } from "../kernel/sys/param";
import { Proc } from "../kernel/sys/proc";
import { TAILQ_INIT } from "../kernel/sys/queue";
import { UIO_SYSSPACE, Uio } from "../kernel/sys/uio";

@unmanaged class TestNode {
  parent: u32;
  type: u32;
  fs: u32;
  vnode: Vnode;
  /** Directory entries found by scanning, not by the name cache. */
  text: usize;
  namelen: u32;
  name: usize;
}

const MAX_NODES: u32 = 64;
const nodes: usize = memory.data(28 * 64, 4);
const mounts: usize = memory.data(4 * 8, 4);
const testfs_vnodeop: VnodeOps = changetype<VnodeOps>(memory.data(offsetof<VnodeOps>(), 4));
const testdev_vnodeop: VnodeOps = changetype<VnodeOps>(memory.data(offsetof<VnodeOps>(), 4));
const testfs_vfsops: Vfsops = changetype<Vfsops>(memory.data(offsetof<Vfsops>(), 4));

@unmanaged class TestState {
  /** Lookups that went to the directory. */
  scans: u32;
  /** Vnodes whose last reference went. */
  inactives: u32;
  /** Where the disk's bytes are. */
  disk: usize;
  /** Requests wait for test_complete instead of ending at once. */
  queued: u32;
  pending: usize;
  /** Requests fail. */
  failing: u32;
  /** Calls of VFS_SYNC. */
  syncs: u32;
}
export const test_state = changetype<TestState>(memory.data(offsetof<TestState>(), 4));

function node(id: u32): TestNode {
  return changetype<TestNode>(nodes + id * 28);
}

/** Node `id` is a file of type `type` named `name` in directory `parent`; the parent of a root is itself. */
export function test_node(id: u32, parent: u32, type: u32, fs: u32, name: usize, text: usize): void {
  const n = node(id);
  n.parent = parent;
  n.type = type;
  n.fs = fs;
  n.name = name;
  n.namelen = strlen(name);
  n.text = text;
}

/** Removes a node's name. */
export function test_remove_node(id: u32): void {
  node(id).namelen = 0;
}

function fs_mount(fs: u32): Mount {
  return changetype<Mount>(load<usize>(mounts + fs * 4));
}

/** The referenced and locked vnode of a node. */
function node_vget(id: u32, vpp: usize): i32 {
  const n = node(id);
  if (changetype<usize>(n.vnode) != 0 && n.vnode.v_data == id + 1 && vget(n.vnode, LK_EXCLUSIVE) == 0) {
    store<usize>(vpp, changetype<usize>(n.vnode));
    return 0;
  }
  const error = getnewvnode(VT_UFS, fs_mount(n.fs), changetype<usize>(testfs_vnodeop), vpp);
  if (error != 0) return error;
  const vp = changetype<Vnode>(load<usize>(vpp));
  vp.v_type = n.type;
  vp.v_data = id + 1;
  if (n.parent == id) vp.v_flag |= VROOT;
  n.vnode = vp;
  return vn_lock(vp, LK_EXCLUSIVE);
}

function testfs_lookup(dvp: Vnode, vpp: usize, cnp: Componentname): i32 {
  if (dvp.v_type != VDIR) return ENOTDIR;
  let error = cache_lookup(dvp, vpp, cnp);
  if (error >= 0) return error;
  test_state.scans++;
  const last = (cnp.cn_flags & ISLASTCN) != 0;
  const lockparent = (cnp.cn_flags & LOCKPARENT) != 0 && last;
  const dir = dvp.v_data - 1;
  let found: u32 = MAX_NODES;
  if ((cnp.cn_flags & ISDOTDOT) != 0) found = node(dir).parent;
  else if (cnp.cn_namelen == 1 && load<u8>(cnp.cn_nameptr) == 46) found = dir;
  for (let id: u32 = 0; id < MAX_NODES && found == MAX_NODES; id++) {
    const n = node(id);
    if (n.namelen == 0 || n.parent != dir || id == dir || n.namelen != cnp.cn_namelen) continue;
    if (memcmp(n.name, cnp.cn_nameptr, n.namelen) == 0) found = id;
  }
  if (found == MAX_NODES) {
    if (last && (cnp.cn_nameiop == CREATE || cnp.cn_nameiop == RENAME)) {
      cnp.cn_flags |= SAVENAME;
      if (!lockparent) {
        VOP_UNLOCK(dvp, 0);
        cnp.cn_flags |= PDIRUNLOCK;
      }
      return EJUSTRETURN;
    }
    if ((cnp.cn_flags & MAKEENTRY) != 0) cache_enter(dvp, changetype<Vnode>(0), cnp);
    return ENOENT;
  }
  if (last && (cnp.cn_nameiop == DELETE || cnp.cn_nameiop == RENAME)) cnp.cn_flags |= SAVENAME;
  if (found == dir) {
    vref(dvp);
    store<usize>(vpp, changetype<usize>(dvp));
    return 0;
  }
  if ((cnp.cn_flags & ISDOTDOT) != 0 || !lockparent) {
    VOP_UNLOCK(dvp, 0);
    cnp.cn_flags |= PDIRUNLOCK;
  }
  error = node_vget(found, vpp);
  if ((cnp.cn_flags & ISDOTDOT) != 0 && lockparent) {
    vn_lock(dvp, LK_EXCLUSIVE);
    cnp.cn_flags &= ~PDIRUNLOCK;
  }
  if (error == 0 && (cnp.cn_flags & MAKEENTRY) != 0) cache_enter(dvp, changetype<Vnode>(load<usize>(vpp)), cnp);
  return error;
}

function testfs_readlink(vp: Vnode, uio: Uio, cred: usize): i32 {
  const text = node(u32(vp.v_data) - 1).text;
  return uiomove(text, strlen(text), uio);
}

function testfs_inactive(vp: Vnode, p: Proc): i32 {
  test_state.inactives++;
  VOP_UNLOCK(vp, 0);
  return 0;
}

function testfs_reclaim(vp: Vnode, p: Proc): i32 {
  vp.v_data = 0;
  return 0;
}

function testfs_fsync(vp: Vnode, cred: usize, flags: u32, p: Proc): i32 {
  vflushbuf(vp, (flags & FSYNC_WAIT) != 0);
  return 0;
}

/** The disk takes or gives the bytes of a request. */
function transfer(bp: Buf): void {
  const at = test_state.disk + (u32(bp.b_blkno) << DEV_BSHIFT);
  if (test_state.failing != 0) {
    bp.b_flags |= B_ERROR;
    bp.b_error = EIO;
  } else if ((bp.b_flags & B_READ) != 0) {
    memcpy(bp.b_data, at, bp.b_bcount);
  } else {
    memcpy(at, bp.b_data, bp.b_bcount);
  }
  bp.b_resid = 0;
  biodone(bp);
}

function test_strategy(bp: Buf): i32 {
  if (test_state.queued == 0) {
    transfer(bp);
    return 0;
  }
  bp.b_actq_next = test_state.pending;
  test_state.pending = changetype<usize>(bp);
  return 0;
}

/** Ends the request that came last, as an interrupt would; false when there is none. */
export function test_complete(): bool {
  const addr = test_state.pending;
  if (addr == 0) return false;
  const bp = changetype<Buf>(addr);
  test_state.pending = bp.b_actq_next;
  transfer(bp);
  return true;
}

function testfs_root(mp: Mount, vpp: usize): i32 {
  return node_vget(u32(mp.mnt_data), vpp);
}

function testfs_statfs(mp: Mount, sbp: Statfs, p: Proc): i32 {
  sbp.f_bsize = 8192;
  return 0;
}

function testfs_sync(mp: Mount, waitfor: u32, cred: usize, p: Proc): i32 {
  test_state.syncs++;
  return 0;
}

function testfs_unmount(mp: Mount, mntflags: u32, p: Proc): i32 {
  return vflush(mp, changetype<Vnode>(0), (mntflags & MNT_FORCE) != 0 ? FORCECLOSE : 0);
}

function testfs_mount(mp: Mount, path: usize, data: usize, ndp: Nameidata, p: Proc): i32 {
  if (data == 0) return EIO;
  mp.mnt_data = data;
  store<usize>(mounts + node(u32(data)).fs * 4, changetype<usize>(mp));
  strlcpy(mp.mnt_stat.f_mntonname, path, 90);
  return 0;
}

function testfs_start(mp: Mount, flags: u32, p: Proc): i32 {
  return 0;
}

function fill_ops(ops: VnodeOps): void {
  vn_default_ops(ops);
  ops.set_lookup(testfs_lookup);
  ops.set_readlink(testfs_readlink);
  ops.set_open(genfs_nullopen);
  ops.set_close(genfs_nullclose);
  ops.set_abortop(genfs_abortop);
  ops.set_inactive(testfs_inactive);
  ops.set_reclaim(testfs_reclaim);
  ops.set_update(genfs_nullupdate);
  ops.set_fsync(testfs_fsync);
  ops.set_lock(genfs_lock);
  ops.set_unlock(genfs_unlock);
  ops.set_islocked(genfs_islocked);
  ops.set_strategy(test_strategy);
}

/** Starts the VFS layer: `vnodes` vnodes and names. UVM runs. */
export function test_vfsinit(vnodes: u32): void {
  kmeminit();
  TAILQ_INIT(mountlist);
  vntblinit(vnodes);
  nchinit(vnodes);
  rename_init();
  dead_vnodeop_init();
  spec_vnodeop_init();
  vn_initialize_syncerd();
  bufinit();
  fill_ops(testfs_vnodeop);
  fill_ops(testdev_vnodeop);
  testfs_vfsops.vfs_name = cs("testfs");
  testfs_vfsops.set_root(testfs_root);
  testfs_vfsops.set_statfs(testfs_statfs);
  testfs_vfsops.set_sync(testfs_sync);
  testfs_vfsops.set_unmount(testfs_unmount);
  testfs_vfsops.set_mount(testfs_mount);
  testfs_vfsops.set_start(testfs_start);
  vfs_register(testfs_vfsops);
}

/** File system `fs` has the root node `root`; it covers node `covered` unless that is the root of everything (-1). */
export function test_mount(fs: u32, root: u32, covered: i32, flags: u32): usize {
  const mp = vfs_mountalloc(testfs_vfsops);
  mp.mnt_data = root;
  mp.mnt_flag = flags;
  store<usize>(mounts + fs * 4, changetype<usize>(mp));
  mountlist_append(mp);
  const vpp = frame_alloc(4);
  if (covered >= 0) {
    node_vget(u32(covered), vpp);
    const vp = changetype<Vnode>(load<usize>(vpp));
    mp.mnt_vnodecovered = vp;
    vp.v_mountedhere = mp;
    VOP_UNLOCK(vp, 0);
  } else {
    node_vget(root, vpp);
    vfsroot.rootvnode = changetype<Vnode>(load<usize>(vpp));
    VOP_UNLOCK(vfsroot.rootvnode, 0);
  }
  vfs_unbusy(mp);
  return changetype<usize>(mp);
}

/** namei of `path`: the Nameidata is at `nd`. */
export function test_namei(nd: Nameidata, op: u32, flags: u32, path: usize): i32 {
  NDINIT(nd, op, flags, UIO_SYSSPACE, path, curproc());
  return namei(nd);
}

/** Number of the node that a vnode stands for, -1 for none. */
export function test_node_of(vp: Vnode): i32 {
  return changetype<usize>(vp) == 0 ? -1 : i32(vp.v_data) - 1;
}

/** A vnode of the test disk, referenced, not locked. */
export function test_disk(rdev: u32, disk: usize): Vnode {
  const vpp = frame_alloc(4);
  test_state.disk = disk;
  getnewvnode(VT_UFS, changetype<Mount>(0), changetype<usize>(testdev_vnodeop), vpp);
  const vp = changetype<Vnode>(load<usize>(vpp));
  vp.v_type = VBLK;
  checkalias(vp, rdev, changetype<Mount>(0));
  return vp;
}
