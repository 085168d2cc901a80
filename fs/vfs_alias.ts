// Device vnodes: several vnodes (names) may mean one device. They are chained by
// device number, so that the device's buffers live on one of them and the last
// close can be told.
import { curproc } from "../kernel/kern_proc";
import { tsleep } from "../kernel/kern_synch";
import { free, malloc } from "../kernel/kern_malloc";
import { bzero } from "../kernel/libkern";
import { panic } from "../kernel/subr_prf";
import { LK_EXCLUSIVE } from "../kernel/sys/lock";
import { M_VNODE, M_WAITOK } from "../kernel/sys/malloc";
import { NODEV, PINOD } from "../kernel/sys/param";
import { Mount } from "./mount";
import { spec_vnodeop } from "./specfs/spec_vnops";
import { getnewvnode, insmntque, vget, vgone, vgonel, vput, vrele } from "./vfs_subr";
import { frame_alloc } from "../kernel/i386/cpufunc";
import {
  REVOKEALL, Specinfo, VALIASED, VBLK, VCHR, VNON, VT_NON, VT_VFS, VXLOCK, VXWANT, Vnode,
} from "./vnode";
import { VOP_UNLOCK } from "./vnode_if";

const SPECHSZ: u32 = 64;
const speclisth: usize = memory.data(256);

function spechash(rdev: u32): usize {
  return speclisth + (((rdev >> 5) + rdev) % SPECHSZ) * 4;
}

/** The chain behind vp. */
function specnext(vp: Vnode): Vnode {
  return vp.v_specinfo.si_specnext;
}

/** The first vnode of the device from `vp` along the chain; 0 = none. */
function find_alias(vp: Vnode, dev: u32, type: u32): Vnode {
  while (changetype<usize>(vp) != 0) {
    if (vp.v_rdev == dev && vp.v_type == type) return vp;
    vp = specnext(vp);
  }
  return vp;
}

/** Is there a vnode of the device? Stores the first one (no reference taken) at `vpp`, or 0. */
export function vfinddev(dev: u32, type: u32, vpp: usize): bool {
  const vp = find_alias(changetype<Vnode>(load<usize>(spechash(dev))), dev, type);
  store<usize>(vpp, changetype<usize>(vp));
  return changetype<usize>(vp) != 0;
}

/** Makes `vp` a vnode of the device: fills in v_specinfo and chains it. */
function spec_link(vp: Vnode, dev: u32): Specinfo {
  const si = changetype<Specinfo>(malloc(offsetof<Specinfo>(), M_VNODE, M_WAITOK));
  bzero(changetype<usize>(si), offsetof<Specinfo>());
  const head = spechash(dev);
  si.si_rdev = dev;
  si.si_hashchain = head;
  si.si_specnext = changetype<Vnode>(load<usize>(head));
  vp.v_specinfo = si;
  store<usize>(head, changetype<usize>(vp));
  return si;
}

/** Takes a device vnode that has been cleaned off its chain and frees its v_specinfo. */
export function spec_unlink(vp: Vnode): void {
  const si = vp.v_specinfo;
  const dev = si.si_rdev;
  if (load<usize>(si.si_hashchain) == changetype<usize>(vp)) {
    store<usize>(si.si_hashchain, changetype<usize>(si.si_specnext));
  } else {
    let vq = changetype<Vnode>(load<usize>(si.si_hashchain));
    while (changetype<usize>(vq) != 0 && specnext(vq) != vp) vq = specnext(vq);
    if (changetype<usize>(vq) == 0) panic(cs("missing bdev, vp %p"), changetype<usize>(vp));
    vq.v_specinfo.si_specnext = si.si_specnext;
  }
  if ((vp.v_flag & VALIASED) != 0) {
    const first = find_alias(changetype<Vnode>(load<usize>(si.si_hashchain)), dev, vp.v_type);
    if (changetype<usize>(first) == 0) panic(cs("missing alias, vp %p"), changetype<usize>(vp));
    if (changetype<usize>(find_alias(specnext(first), dev, vp.v_type)) == 0) first.v_flag &= ~VALIASED;
    vp.v_flag &= ~VALIASED;
  }
  free(changetype<usize>(si), M_VNODE);
  vp.v_un = 0;
}

/**
 * A new vnode `nvp` (v_type VBLK or VCHR, one reference) is to mean device `rdev` in
 * file system `mp`. Returns 0 when it now does. If a vnode without a file system (from
 * bdevvp) means the device already, that one takes nvp's place: it is returned with a
 * reference more, not locked; the caller moves v_data over and discards nvp (VNON). Sleeps.
 */
export function checkalias(nvp: Vnode, rdev: u32, mp: Mount): Vnode {
  const none = changetype<Vnode>(0);
  if (nvp.v_type != VBLK && nvp.v_type != VCHR) return none;
  while (true) {
    const vp = find_alias(changetype<Vnode>(load<usize>(spechash(rdev))), rdev, nvp.v_type);
    if (changetype<usize>(vp) == 0) break;
    if (vp.v_usecount == 0) {
      // An alias nobody uses: out with it.
      vgonel(vp, curproc());
      continue;
    }
    if (vget(vp, LK_EXCLUSIVE) != 0) continue;
    if (vp.v_tag != VT_NON) {
      // In use by a name: both are aliases now.
      spec_link(nvp, rdev);
      nvp.v_flag |= VALIASED;
      vp.v_flag |= VALIASED;
      vput(vp);
      return none;
    }
    VOP_UNLOCK(vp, 0);
    vp.v_op = nvp.v_op;
    vp.v_tag = nvp.v_tag;
    nvp.v_type = VNON;
    insmntque(vp, mp);
    return vp;
  }
  spec_link(nvp, rdev);
  return none;
}

/** The number of users of the device that vp means, all names together; unused aliases are cleaned. Sleeps. */
export function vcount(vp: Vnode): i32 {
  if ((vp.v_flag & VALIASED) == 0) return vp.v_usecount;
  let count: i32 = 0;
  let vq = changetype<Vnode>(load<usize>(vp.v_specinfo.si_hashchain));
  while (changetype<usize>(vq) != 0) {
    if (vq.v_rdev == vp.v_rdev && vq.v_type == vp.v_type) {
      if (vq.v_usecount == 0 && vq != vp && (vq.v_flag & VXLOCK) == 0) {
        vgone(vq);
        count = 0;
        vq = changetype<Vnode>(load<usize>(vp.v_specinfo.si_hashchain));
        continue;
      }
      count += vq.v_usecount;
    }
    vq = specnext(vq);
  }
  return count;
}

/** A vnode of a block device for the kernel's own use (the root device): one reference, not locked. Sleeps. */
export function bdevvp(dev: u32, vpp: usize): i32 {
  return getdevvp(dev, vpp, VBLK);
}

/** The same of a character device. */
export function cdevvp(dev: u32, vpp: usize): i32 {
  return getdevvp(dev, vpp, VCHR);
}

function getdevvp(dev: u32, vpp: usize, type: u32): i32 {
  store<usize>(vpp, 0);
  if (dev == NODEV) return 0;
  const nvpp = frame_alloc(4);
  const none = changetype<Mount>(0);
  const error = getnewvnode(VT_NON, none, changetype<usize>(spec_vnodeop), nvpp);
  if (error != 0) return error;
  let vp = changetype<Vnode>(load<usize>(nvpp));
  vp.v_type = type;
  const nvp = checkalias(vp, dev, none);
  if (changetype<usize>(nvp) != 0) {
    vrele(vp);
    vp = nvp;
  }
  store<usize>(vpp, changetype<usize>(vp));
  return 0;
}

/** VOP_REVOKE: cleans vp and, with REVOKEALL, every other name of its device. Sleeps. */
export function genfs_revoke(vp: Vnode, flags: u32): i32 {
  if ((vp.v_flag & VALIASED) != 0 && (flags & REVOKEALL) != 0) {
    if ((vp.v_flag & VXLOCK) != 0) {
      vp.v_flag |= VXWANT;
      tsleep(changetype<usize>(vp), PINOD, cs("vop_revokeall"), 0);
      return 0;
    }
    while ((vp.v_flag & VALIASED) != 0) {
      let vq = changetype<Vnode>(load<usize>(vp.v_specinfo.si_hashchain));
      while (changetype<usize>(vq) != 0 && (vq.v_rdev != vp.v_rdev || vq.v_type != vp.v_type || vq == vp)) {
        vq = specnext(vq);
      }
      if (changetype<usize>(vq) == 0) break;
      vgone(vq);
    }
  }
  vgone(vp);
  return 0;
}
