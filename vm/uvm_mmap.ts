// Mapping memory for user programs: what mmap(2), munmap(2), mprotect(2), msync(2),
// madvise(2), minherit(2), mlock(2), mlockall(2), mincore(2) and break(2) do, as
// functions of plain values. The system calls only unpack their arguments.
//
//                    private                         shared
//   anonymous        copy-on-write over nothing,     an amap made at once, or an
//                    the amap when first touched     aobj when it is large
//   file, blk disk   copy-on-write over the vnode    the vnode's pages
//   character dev.   refused to be private           the device's pages
//
// Addresses and lengths need not be page multiples: an address is rounded down,
// the length grows by what that took. All functions return 0 or an errno and may sleep.
import { copyout } from "../kernel/i386/support";
import { frame_alloc } from "../kernel/i386/cpufunc";
import { EACCES, EAGAIN, EBUSY, EINVAL, EIO, ENODEV, ENOMEM, EPERM } from "../kernel/sys/errno";
import { PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, VM_MAXUSER_ADDRESS, round_page, trunc_page } from "../kernel/sys/param";
import { FREAD, FWRITE } from "../fs/fcntl";
import { VBLK, VCHR, VREG, Vnode } from "../fs/vnode";
import { UVM_AMAP_LARGE } from "./uvm_amap";
import { uao_create } from "./uvm_aobj";
import { udv_attach } from "./uvm_device";
import {
  KERN_FAILURE, KERN_INVALID_ADDRESS, KERN_NO_SPACE, KERN_PAGES_LOCKED, KERN_PROTECTION_FAILURE,
  KERN_RESOURCE_SHORTAGE, KERN_SUCCESS, PGO_CLEANIT, PGO_DEACTIVATE, PGO_FREE, PGO_SYNCIO, UVM_ADV_NORMAL,
  UVM_ADV_RANDOM, UVM_ADV_SEQUENTIAL, UVM_FLAG_AMAPPAD, UVM_FLAG_COPYONW, UVM_FLAG_FIXED, UVM_FLAG_OVERLAY,
  UVM_INH_COPY, UVM_INH_SHARE, UVM_MAPFLAG, UVM_PROT_ALL, UVM_UNKNOWN_OFFSET, VM_PROT_EXECUTE, VM_PROT_READ,
  VM_PROT_ALL, VM_PROT_NONE, VM_PROT_WRITE,
} from "./uvm_extern";
import {
  uvm_deallocate, uvm_map, uvm_map_advice, uvm_map_checkprot, uvm_map_inherit, uvm_map_pageable, uvm_map_protect,
  uvm_unmap, vm_map_lock_read, vm_map_unlock_read,
} from "./uvm_map";
import { uvm_map_clean, uvm_map_incore, uvm_map_pageable_all, MCL_CURRENT, MCL_FUTURE } from "./uvm_map_clean";
import { VM_MAP_WIREFUTURE, VmMap, Vmspace } from "./uvm_map_h";
import { UvmObject } from "./uvm_object";
import { uvmexp } from "./uvm_stat";
import { uvm_vnp_mapped_shared, uvn_attach } from "./uvm_vnode";

// flags of mmap(2).
export const MAP_SHARED: u32 = 0x0001;
export const MAP_PRIVATE: u32 = 0x0002;
export const MAP_COPY: u32 = 0x0004;
export const MAP_FIXED: u32 = 0x0010;
export const MAP_ANON: u32 = 0x1000;

// flags of msync(2).
export const MS_ASYNC: u32 = 1;
export const MS_INVALIDATE: u32 = 2;
export const MS_SYNC: u32 = 4;

// behaviours of madvise(2).
export const MADV_NORMAL: u32 = 0;
export const MADV_RANDOM: u32 = 1;
export const MADV_SEQUENTIAL: u32 = 2;
export const MADV_WILLNEED: u32 = 3;
export const MADV_DONTNEED: u32 = 4;
export const MADV_FREE: u32 = 6;

/** Most bytes of data a process may have; unhinted mappings come above them. */
export const MAXDSIZ: usize = 0x40000000;

const NULL_OBJECT = changetype<UvmObject>(0);
/** Pages whose state mincore collects before it copies it out. */
const MINCORE_BATCH: u32 = 64;

/** Does [start, start + size) lie in user addresses, without wrapping? */
function user_range(start: usize, size: usize): bool {
  const end = start + size;
  return end >= start && end <= VM_MAXUSER_ADDRESS;
}

/** Bytes of whole pages that hold [addr, addr + len); 0 for none or when that wraps. */
function page_span(addr: usize, len: usize): usize {
  const sum = (addr & PAGE_MASK) + len;
  if (sum < len) return 0;
  return round_page(sum);
}

/** What a mapping of the vnode may at most be allowed, to the word at `maxprotp`. `fflag`: how the file was opened. */
function vnode_maxprot(prot: u32, shared: bool, fflag: u32, maxprotp: usize): i32 {
  let maxprot: u32 = VM_PROT_EXECUTE;
  if ((fflag & FREAD) != 0) maxprot |= VM_PROT_READ;
  else if ((prot & VM_PROT_READ) != 0) return EACCES;
  if (!shared) maxprot |= VM_PROT_WRITE;
  else if ((fflag & FWRITE) != 0) maxprot |= VM_PROT_WRITE;
  else if ((prot & VM_PROT_WRITE) != 0) return EACCES;
  store<u32>(maxprotp, maxprot);
  return 0;
}

/**
 * mmap(2). `vp`: the vnode of the descriptor, NULL for -1; `fflag`: FREAD and
 * FWRITE of it; `locklimit`: bytes the process may wire, 0 = any number. The address goes to `addrp`.
 * => EINVAL, EACCES, ENODEV (no file, disk or character device), ENOMEM (no room), EAGAIN
 */
export function uvm_mmap_user(vm: Vmspace, addr: usize, len: usize, prot: u32, flags: u32, vp: Vnode, fflag: u32,
  pos: i64, locklimit: usize, addrp: usize): i32 {
  const maxprotp = frame_alloc(4);
  prot &= VM_PROT_ALL;
  if ((flags & MAP_COPY) != 0) flags = (flags & ~MAP_COPY) | MAP_PRIVATE;
  if ((flags & (MAP_SHARED | MAP_PRIVATE)) == (MAP_SHARED | MAP_PRIVATE)) return EINVAL;
  const pageoff = u32(pos) & PAGE_MASK;
  pos -= i64(pageoff);
  const size = round_page(len + pageoff);
  if (len + pageoff < len || size < len || i32(size) < 0) return EINVAL;
  if ((flags & MAP_FIXED) != 0) {
    addr -= pageoff;
    if ((addr & PAGE_MASK) != 0 || !user_range(addr, size)) return EINVAL;
  } else {
    const lowest = round_page(vm.vm_daddr + MAXDSIZ);
    if (addr < lowest) addr = lowest;
    addr = round_page(addr);
  }
  store<u32>(maxprotp, VM_PROT_ALL);
  const anonymous = (flags & MAP_ANON) != 0;
  if (anonymous) {
    if (changetype<usize>(vp) != 0) return EINVAL;
  } else {
    if (changetype<usize>(vp) == 0) return EINVAL;
    if (vp.v_type != VREG && vp.v_type != VCHR && vp.v_type != VBLK) return ENODEV;
    if (pos < 0 || pos + i64(size) < pos) return EINVAL;
    if (vp.v_type == VCHR && (flags & MAP_PRIVATE) != 0) flags = (flags & ~MAP_PRIVATE) | MAP_SHARED;
    if ((flags & (MAP_SHARED | MAP_PRIVATE)) == 0) flags |= vp.v_type == VCHR ? MAP_SHARED : MAP_PRIVATE;
    const error = vnode_maxprot(prot, (flags & MAP_SHARED) != 0, fflag, maxprotp);
    if (error != 0) return error;
  }
  store<usize>(addrp, addr);
  const error = uvm_mmap(vm.vm_map, addrp, size, prot, load<u32>(maxprotp), flags,
    anonymous ? 0 : changetype<usize>(vp), u64(pos), locklimit);
  if (error == 0) store<usize>(addrp, load<usize>(addrp) + pageoff);
  return error;
}

/** The object of a mapping of a vnode, referenced; NULL when it cannot be mapped. */
function mmap_object(vp: Vnode, flags: u32, maxprot: u32, foff: u64, size: usize): UvmObject {
  if (vp.v_type == VCHR) return udv_attach(vp.v_rdev, maxprot, foff, size);
  const shared = (flags & MAP_SHARED) != 0;
  const uobj = uvn_attach(vp, shared ? maxprot : maxprot & ~VM_PROT_WRITE);
  if (changetype<usize>(uobj) != 0 && shared && (maxprot & VM_PROT_WRITE) != 0) uvm_vnp_mapped_shared(vp);
  return uobj;
}

/**
 * Maps `size` bytes (page multiple) of the vnode `handle` from `foff` on, or of
 * fresh memory (0), at or above the address at `addrp`; with MAP_FIXED exactly
 * there, instead of what is there. `flags`: MAP_SHARED or private, MAP_FIXED.
 * => may sleep; EINVAL, EACCES, ENOMEM, EAGAIN (wired memory is limited)
 */
export function uvm_mmap(map: VmMap, addrp: usize, size: usize, prot: u32, maxprot: u32, flags: u32, handle: usize,
  foff: u64, locklimit: usize): i32 {
  if (size == 0) return 0;
  if ((prot & maxprot) != prot) return EINVAL;
  let uvmflag: u32 = 0;
  let advice = UVM_ADV_NORMAL;
  const shared = (flags & MAP_SHARED) != 0;
  if ((flags & MAP_FIXED) != 0) {
    if ((load<usize>(addrp) & PAGE_MASK) != 0) return EINVAL;
    uvmflag = UVM_FLAG_FIXED;
    uvm_unmap(map, load<usize>(addrp), load<usize>(addrp) + size);
  } else {
    store<usize>(addrp, round_page(load<usize>(addrp)));
  }
  let uobj = NULL_OBJECT;
  if (handle == 0) {
    foff = UVM_UNKNOWN_OFFSET;
    if (!shared) {
      uvmflag |= UVM_FLAG_COPYONW;
    } else if (size >> PAGE_SHIFT >= UVM_AMAP_LARGE) {
      uobj = uao_create(size, 0);
      foff = 0;
    } else {
      uvmflag |= UVM_FLAG_OVERLAY;
    }
  } else {
    const vp = changetype<Vnode>(handle);
    uobj = mmap_object(vp, flags, maxprot, foff, size);
    if (changetype<usize>(uobj) == 0) return vp.v_type == VREG ? ENOMEM : EINVAL;
    if (vp.v_type == VCHR) advice = UVM_ADV_RANDOM;
    if (!shared) uvmflag |= UVM_FLAG_COPYONW;
  }
  uvmflag = UVM_MAPFLAG(prot, maxprot, shared ? UVM_INH_SHARE : UVM_INH_COPY, advice, uvmflag);
  const rv = uvm_map(map, addrp, size, uobj, foff, uvmflag);
  if (rv == KERN_SUCCESS) return wire_future(map, load<usize>(addrp), size, prot, locklimit);
  if (changetype<usize>(uobj) != 0 && uobj.pgops.detach != 0) uobj.pgops.pgo_detach(uobj);
  return mmap_errno(rv);
}

function mmap_errno(rv: i32): i32 {
  if (rv == KERN_SUCCESS) return 0;
  if (rv == KERN_INVALID_ADDRESS || rv == KERN_NO_SPACE) return ENOMEM;
  if (rv == KERN_RESOURCE_SHORTAGE) return EAGAIN;
  return rv == KERN_PROTECTION_FAILURE ? EACCES : EINVAL;
}

/** Wires a new mapping if the map asks for that (mlockall); what cannot be wired is unmapped again. */
function wire_future(map: VmMap, addr: usize, size: usize, prot: u32, locklimit: usize): i32 {
  if ((map.flags & VM_MAP_WIREFUTURE) == 0 || prot == VM_PROT_NONE) return 0;
  let rv = KERN_RESOURCE_SHORTAGE;
  if (may_wire(map, size, locklimit)) rv = uvm_map_pageable(map, addr, addr + size, false, 0);
  if (rv == KERN_SUCCESS) return 0;
  uvm_unmap(map, addr, addr + size);
  return mmap_errno(rv);
}

/** Is there room for `size` more wired bytes, in memory and in the process's limit (0 = none)? */
function may_wire(map: VmMap, size: usize, locklimit: usize): bool {
  if (i32(size >> PAGE_SHIFT) + uvmexp.wired > uvmexp.wiredmax) return false;
  return locklimit == 0 || size + (u32(map.pmap.pm_wired) << PAGE_SHIFT) <= locklimit;
}

/** munmap(2). => EINVAL for a range with holes or outside user space */
export function uvm_munmap(map: VmMap, addr: usize, len: usize): i32 {
  const size = page_span(addr, len);
  addr = trunc_page(addr);
  if (len == 0) return 0;
  if (size == 0 || !user_range(addr, size)) return EINVAL;
  vm_map_lock_read(map);
  const whole = uvm_map_checkprot(map, addr, addr + size, VM_PROT_NONE);
  vm_map_unlock_read(map);
  if (!whole) return EINVAL;
  uvm_unmap(map, addr, addr + size);
  return 0;
}

/** mprotect(2). => EACCES beyond what the mapping may be allowed */
export function uvm_mprotect(map: VmMap, addr: usize, len: usize, prot: u32): i32 {
  const size = page_span(addr, len);
  addr = trunc_page(addr);
  if (len == 0) return 0;
  if (size == 0 || !user_range(addr, size)) return EINVAL;
  const rv = uvm_map_protect(map, addr, addr + size, prot & VM_PROT_ALL, false);
  if (rv == KERN_SUCCESS) return 0;
  return rv == KERN_PROTECTION_FAILURE ? EACCES : EINVAL;
}

/** minherit(2). `inherit`: VM_INHERIT_*. */
export function uvm_minherit(map: VmMap, addr: usize, len: usize, inherit: u32): i32 {
  const size = page_span(addr, len);
  addr = trunc_page(addr);
  if (len == 0) return 0;
  if (size == 0 || !user_range(addr, size)) return EINVAL;
  return uvm_map_inherit(map, addr, addr + size, inherit) == KERN_SUCCESS ? 0 : EINVAL;
}

/**
 * msync(2): writes the dirty pages of a range back, and waits (MS_SYNC, the
 * default), or starts that (MS_ASYNC); MS_INVALIDATE also drops them.
 * => ENOMEM for holes, EBUSY for wired pages with MS_INVALIDATE, EIO
 */
export function uvm_msync(map: VmMap, addr: usize, len: usize, flags: u32): i32 {
  const size = page_span(addr, len);
  addr = trunc_page(addr);
  if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) != 0) return EINVAL;
  if ((flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC)) return EINVAL;
  if (len == 0) return 0;
  if (size == 0 || !user_range(addr, size)) return EINVAL;
  let pgoflags = PGO_CLEANIT;
  if ((flags & MS_INVALIDATE) != 0) pgoflags |= PGO_FREE;
  if ((flags & MS_ASYNC) == 0) pgoflags |= PGO_SYNCIO;
  const rv = uvm_map_clean(map, addr, addr + size, pgoflags);
  if (rv == KERN_SUCCESS) return 0;
  if (rv == KERN_INVALID_ADDRESS) return ENOMEM;
  if (rv == KERN_FAILURE) return EIO;
  return rv == KERN_PAGES_LOCKED ? EBUSY : EINVAL;
}

/** madvise(2). => EINVAL for unknown advice, ENOMEM for holes where pages are concerned */
export function uvm_madvise(map: VmMap, addr: usize, len: usize, behaviour: u32): i32 {
  const size = page_span(addr, len);
  addr = trunc_page(addr);
  if (len == 0) return 0;
  if (size == 0 || !user_range(addr, size)) return EINVAL;
  let rv = KERN_SUCCESS;
  if (behaviour <= MADV_SEQUENTIAL) rv = uvm_map_advice(map, addr, addr + size, behaviour);
  else if (behaviour == MADV_DONTNEED) rv = uvm_map_clean(map, addr, addr + size, PGO_DEACTIVATE);
  else if (behaviour == MADV_FREE) rv = uvm_map_clean(map, addr, addr + size, PGO_FREE);
  else if (behaviour != MADV_WILLNEED) return EINVAL;
  if (rv == KERN_INVALID_ADDRESS) return ENOMEM;
  if (rv == KERN_PAGES_LOCKED) return EBUSY;
  return rv == KERN_SUCCESS ? 0 : EINVAL;
}

/** mlock(2). `locklimit`: bytes the process may wire, 0 = any number. => EAGAIN beyond a limit, ENOMEM */
export function uvm_mlock(map: VmMap, addr: usize, len: usize, locklimit: usize): i32 {
  const size = page_span(addr, len);
  addr = trunc_page(addr);
  if (len == 0) return 0;
  if (size == 0 || !user_range(addr, size)) return EINVAL;
  if (!may_wire(map, size, locklimit)) return EAGAIN;
  return uvm_map_pageable(map, addr, addr + size, false, 0) == KERN_SUCCESS ? 0 : ENOMEM;
}

/** munlock(2). => ENOMEM when the range is not wired */
export function uvm_munlock(map: VmMap, addr: usize, len: usize): i32 {
  const size = page_span(addr, len);
  addr = trunc_page(addr);
  if (len == 0) return 0;
  if (size == 0 || !user_range(addr, size)) return EINVAL;
  return uvm_map_pageable(map, addr, addr + size, true, 0) == KERN_SUCCESS ? 0 : ENOMEM;
}

/** mlockall(2) with MCL_CURRENT and MCL_FUTURE, munlockall(2) with 0. => EAGAIN beyond a limit, ENOMEM */
export function uvm_mlockall(map: VmMap, flags: u32, locklimit: usize): i32 {
  if ((flags & ~(MCL_CURRENT | MCL_FUTURE)) != 0) return EINVAL;
  const rv = uvm_map_pageable_all(map, flags, locklimit);
  if (rv == KERN_SUCCESS) return 0;
  return rv == KERN_NO_SPACE ? EAGAIN : ENOMEM;
}

/**
 * mincore(2): a byte for each page from `addr` (page multiple) on to the user
 * address `vec`, 1 when it is in memory. => EINVAL, ENOMEM for unmapped pages, EFAULT
 */
export function uvm_mincore(map: VmMap, addr: usize, len: usize, vec: usize): i32 {
  const batch = frame_alloc(MINCORE_BATCH);
  if ((addr & PAGE_MASK) != 0) return EINVAL;
  const size = page_span(addr, len);
  if (size == 0 || !user_range(addr, size)) return EINVAL;
  let done: u32 = 0;
  const pages = u32(size >> PAGE_SHIFT);
  while (done < pages) {
    let count: u32 = 0;
    while (count < MINCORE_BATCH && done + count < pages) {
      const incore = uvm_map_incore(map, addr + ((done + count) << PAGE_SHIFT));
      if (incore < 0) return ENOMEM;
      store<u8>(batch + count, u8(incore));
      count++;
    }
    const error = copyout(batch, vec + done, count);
    if (error != 0) return error;
    done += count;
  }
  return 0;
}

/**
 * break(2): sets the end of the data of a process to `nsize`, an address.
 * `datalimit`: bytes of data it may have. => ENOMEM beyond it, or without room
 */
export function uvm_brk(vm: Vmspace, nsize: usize, datalimit: usize): i32 {
  const base = vm.vm_daddr;
  if (nsize < base || round_page(nsize) < nsize || round_page(nsize) - base > datalimit) return ENOMEM;
  const addrp = frame_alloc(4);
  const old = round_page(base + (vm.vm_dsize << PAGE_SHIFT));
  const end = round_page(nsize);
  if (end > old) {
    store<usize>(addrp, old);
    let flags = UVM_FLAG_FIXED | UVM_FLAG_COPYONW;
    if ((end - old) >> PAGE_SHIFT < UVM_AMAP_LARGE) flags |= UVM_FLAG_OVERLAY | UVM_FLAG_AMAPPAD;
    const rv = uvm_map(vm.vm_map, addrp, end - old, NULL_OBJECT, UVM_UNKNOWN_OFFSET,
      UVM_MAPFLAG(UVM_PROT_ALL, UVM_PROT_ALL, UVM_INH_COPY, UVM_ADV_NORMAL, flags));
    if (rv != KERN_SUCCESS) return ENOMEM;
    vm.vm_dsize += (end - old) >> PAGE_SHIFT;
  } else if (end < old) {
    uvm_deallocate(vm.vm_map, end, old - end);
    vm.vm_dsize -= (old - end) >> PAGE_SHIFT;
  }
  return 0;
}
