// The device pager: memory of character devices, mapped by their drivers.
//
// A driver that can be mapped registers a function (udv_register) that is told
// the device, an offset in bytes, and the protection that is asked for, and
// answers with a page frame number or -1. There is one object per device; it
// has no pages of its own, so nothing of it is ever paged. A driver that has
// pages and a pager itself registers a function that gives its object.
//
// The driver is asked at each fault, with the address of the fault and the
// access in a record that it may look at (udv_fault_told): a driver that wants to
// know who touches what can keep pages away until they are touched.
import { PMAP_CANFAIL, PMAP_WIRED, pmap_enter } from "../kernel/i386/pmap";
import { free, malloc } from "../kernel/kern_malloc";
import { panic } from "../kernel/subr_prf";
import { M_VMOBJ, M_WAITOK } from "../kernel/sys/malloc";
import { PAGE_SHIFT, PAGE_SIZE, major } from "../kernel/sys/param";
import { LIST_FIRST, LIST_INSERT_HEAD, LIST_NEXT, LIST_REMOVE, TAILQ_INIT } from "../kernel/sys/queue";
import {
  KERN_SUCCESS, PGO_DONTCARE, VM_PAGER_ERROR, VM_PAGER_FAIL, VM_PAGER_OK, VM_PAGER_REFAULT,
} from "./uvm_extern";
import { UvmFaultinfo, uvmfault_unlockmaps } from "./uvm_fault_i";
import { PagerOps, UvmObject } from "./uvm_object";
import { uvm_wait } from "./uvm_pdaemon";

@unmanaged
export class UvmDevice extends UvmObject {
  u_device: u32;
  u_list_next: usize;
  u_list_prev: usize;
}

/** The fault that a driver's d_mmap is being called for. */
@unmanaged
export class UdvFault {
  vaddr: usize;
  access_type: u32;
}

export const udv_fault_told = changetype<UdvFault>(memory.data(offsetof<UdvFault>(), 4));
export const uvm_deviceops = changetype<PagerOps>(memory.data(offsetof<PagerOps>(), 4));
const udv_list: usize = memory.data(4, 4);
/** d_mmap of each character device major, 0 = cannot be mapped. */
const UDV_NMAJORS: u32 = 128;
const udv_mmap_table: usize = memory.data(512, 4);
/** For majors whose driver has objects of its own: the function that gives one. */
const udv_object_table: usize = memory.data(512, 4);

const U_LIST: usize = offsetof<UvmDevice>("u_list_next");
const NULL_OBJECT = changetype<UvmObject>(0);

/** Makes the character devices of a major number mappable. `mmap`: f.index of a (dev, off: u64, prot: u32) => i32. */
export function udv_register(maj: u32, mmap: u32): void {
  assert(maj < UDV_NMAJORS);
  store<u32>(udv_mmap_table + (maj << 2), mmap);
}

/**
 * Makes the character devices of a major number mappable by objects of their driver's. `object`: f.index of a (dev,
 * prot: u32, off: u64, size: usize) => UvmObject, referenced for the caller, or NULL when that cannot be mapped.
 */
export function udv_register_object(maj: u32, object: u32): void {
  assert(maj < UDV_NMAJORS);
  store<u32>(udv_object_table + (maj << 2), object);
}

/** Page frame of a device at a byte offset; -1 when there is none, or not with that protection. */
function d_mmap(dev: u32, off: u64, prot: u32): i32 {
  const maj = major(dev);
  const f = maj < UDV_NMAJORS ? load<u32>(udv_mmap_table + (maj << 2)) : 0;
  return f == 0 ? -1 : call_indirect<i32>(f, dev, off, prot);
}

function udv_ops_init(): void {
  uvm_deviceops.set_reference(udv_reference);
  uvm_deviceops.set_detach(udv_detach);
  uvm_deviceops.set_fault(udv_fault);
  uvm_deviceops.set_flush(udv_flush);
  uvm_deviceops.set_put(udv_put);
}

/**
 * The object of a character device, with a reference for the caller.
 * => NULL when the driver refuses a page of [off, off + size) with this protection; may sleep
 */
export function udv_attach(dev: u32, accessprot: u32, off: u64, size: usize): UvmObject {
  const maj = major(dev);
  const own = maj < UDV_NMAJORS ? load<u32>(udv_object_table + (maj << 2)) : 0;
  if (own != 0) return call_indirect<UvmObject>(own, dev, accessprot, off, size);
  for (let done: usize = 0; done < size; done += PAGE_SIZE) {
    if (d_mmap(dev, off + u64(done), accessprot) == -1) return NULL_OBJECT;
  }
  let at = LIST_FIRST(udv_list);
  while (at != 0) {
    const udv = changetype<UvmDevice>(at);
    if (udv.u_device == dev) {
      udv.uo_refs++;
      return udv;
    }
    at = LIST_NEXT(at, U_LIST);
  }
  udv_ops_init();
  const udv = changetype<UvmDevice>(malloc(offsetof<UvmDevice>(), M_VMOBJ, M_WAITOK));
  udv.vmobjlock = 0;
  udv.pgops = uvm_deviceops;
  TAILQ_INIT(udv.memq);
  udv.uo_npages = 0;
  udv.uo_refs = 1;
  udv.u_device = dev;
  LIST_INSERT_HEAD(udv_list, changetype<usize>(udv), U_LIST);
  return udv;
}

function udv_reference(uobj: UvmObject): void {
  uobj.uo_refs++;
}

function udv_detach(uobj: UvmObject): void {
  uobj.uo_refs--;
  if (uobj.uo_refs > 0) return;
  LIST_REMOVE(changetype<usize>(uobj), U_LIST);
  free(changetype<usize>(uobj), M_VMOBJ);
}

/** Nothing to flush. */
function udv_flush(uobj: UvmObject, start: u64, stop: u64, flags: u32): bool {
  return true;
}

function udv_put(uobj: UvmObject, pps: usize, npages: i32, sync: bool): i32 {
  panic(cs("udv_put: trying to page out to a device!"));
  return VM_PAGER_ERROR;
}

/**
 * The pager's fault: maps the pages that are wanted. => map locked on entry, unlocked on return
 * => VM_PAGER_ERROR for private mappings and where the driver has no page, FAIL without memory
 */
function udv_fault(ufi: UvmFaultinfo, vaddr: usize, pps: usize, npages: i32, centeridx: i32, fault_type: u32,
  access_type: u32, flags: u32): i32 {
  const entry = ufi.entry;
  if (entry.iscopyonwrite) {
    uvmfault_unlockmaps(ufi, false);
    return VM_PAGER_ERROR;
  }
  const dev = changetype<UvmDevice>(entry.uvm_obj).u_device;
  let rv = VM_PAGER_OK;
  for (let i = 0; i < npages && rv == VM_PAGER_OK; i++) {
    if (i != centeridx && load<usize>(pps + (i << 2)) == PGO_DONTCARE) continue;
    const va = vaddr + (usize(i) << PAGE_SHIFT);
    udv_fault_told.vaddr = va;
    udv_fault_told.access_type = i == centeridx ? access_type : 0;
    const frame = d_mmap(dev, entry.offset + u64(va - entry.start), entry.protection);
    if (frame == -1) {
      if (i == centeridx) rv = VM_PAGER_ERROR;
      continue;
    }
    const wired = entry.wired_count != 0 ? PMAP_WIRED : 0;
    if (pmap_enter(ufi.orig_map.pmap, va, u32(frame) << PAGE_SHIFT, entry.protection,
      access_type | wired | PMAP_CANFAIL) != KERN_SUCCESS) rv = VM_PAGER_FAIL;
  }
  uvmfault_unlockmaps(ufi, false);
  if (rv != VM_PAGER_FAIL) return rv;
  return uvm_wait(cs("udv_fault")) == 0 ? VM_PAGER_REFAULT : VM_PAGER_FAIL;
}
