// Memory objects and the interface of their pagers.
//
// A uvm_object is whatever a page may belong to: an aobj, the kernel's own
// objects, a vnode, a device. It holds resident pages (memq, and the
// page hash), a count of references, and a table of operations. Whoever maps
// an object hands one reference to the map entry (uvm_map.ts).
//
// Reference counts below zero mark the kernel's own objects, which live for
// ever and are not counted.
//
//   op          called by                                  may be empty
//   init        uvm_init                                   yes
//   reference   whoever takes a reference                  yes (not counted)
//   detach      uvm_map on a merge, uvm_unmap_detach       yes (not counted)
//   fault       uvm_fault, for every fault on the object   yes: then get serves the fault
//   flush       msync, uvm_fault behind sequential access  yes
//   get         uvm_fault, resident or not                 no: uvm_fault does not test it
//   put, cluster, mk_pcluster, shareprot, aiodone          yes (the pagedaemon's)
//   releasepg   whoever unbusies a released page           yes for objects that release none
//
// An empty slot holds 0. The order of the slots is historic (13 words).
import { UvmFaultinfo } from "./uvm_fault_i";
import { VmPage } from "./uvm_page";

/** Reference count of the kernel's pageable object. */
export const UVM_OBJ_KERN: i32 = -2;
/** Reference count of kernel objects whose memory interrupts may allocate. */
export const UVM_OBJ_KERN_INTRSAFE: i32 = -3;

/** Operations of a pager. Slots hold code addresses; the methods make calls and assignments type-checked. */
@unmanaged
export class PagerOps {
  init: u32;
  reference: u32;
  detach: u32;
  fault: u32;
  flush: u32;
  get: u32;
  asyncget: u32;
  put: u32;
  cluster: u32;
  mk_pcluster: u32;
  shareprot: u32;
  aiodone: u32;
  releasepg: u32;

  @inline pgo_init(): void {
    call_indirect<void>(this.init);
  }

  @inline pgo_reference(uobj: UvmObject): void {
    call_indirect<void>(this.reference, uobj);
  }

  @inline pgo_detach(uobj: UvmObject): void {
    call_indirect<void>(this.detach, uobj);
  }

  /** => VM_PAGER_OK (fault resolved), VM_PAGER_REFAULT, or another VM_PAGER_* for failure; everything unlocked then. */
  @inline pgo_fault(ufi: UvmFaultinfo, vaddr: usize, pps: usize, npages: i32, centeridx: i32, fault_type: u32,
    access_type: u32, flags: u32): i32 {
    return call_indirect<i32>(this.fault, ufi, vaddr, pps, npages, centeridx, fault_type, access_type, flags);
  }

  /** => true when every page of the range was dealt with. */
  @inline pgo_flush(uobj: UvmObject, start: u64, stop: u64, flags: u32): bool {
    return call_indirect<bool>(this.flush, uobj, start, stop, flags);
  }

  /**
   * PGO_LOCKED: does not sleep; stores resident pages, made BUSY, into the zero slots of `pps`, their number into
   * `npagesp`. => VM_PAGER_OK when the centre (with PGO_ALLPAGES: every page) is there, else VM_PAGER_UNLOCK.
   * Otherwise: may sleep. => VM_PAGER_OK and BUSY pages, or an error.
   */
  @inline pgo_get(uobj: UvmObject, offset: u64, pps: usize, npagesp: usize, centeridx: i32, access_type: u32,
    advice: u32, flags: u32): i32 {
    return call_indirect<i32>(this.get, uobj, offset, pps, npagesp, centeridx, access_type, advice, flags);
  }

  /** Writes BUSY pages out, a contiguous run. => VM_PAGER_*; the pages stay BUSY; may sleep */
  @inline pgo_put(uobj: UvmObject, pps: usize, npages: i32, sync: bool): i32 {
    return call_indirect<i32>(this.put, uobj, pps, npages, sync);
  }

  /** The range of offsets around `offset` that may be written together, to the u64s at `lop` and `hip`. */
  @inline pgo_cluster(uobj: UvmObject, offset: u64, lop: usize, hip: usize): void {
    call_indirect<void>(this.cluster, uobj, offset, lop, hip);
  }

  /** Frees a RELEASED page. => false when the object died with it; the next page of its queue at `nextpgp` unless 0. */
  @inline pgo_releasepg(pg: VmPage, nextpgp: usize): bool {
    return call_indirect<bool>(this.releasepg, pg, nextpgp);
  }

  @inline set_init(f: () => void): void {
    this.init = f.index;
  }

  @inline set_reference(f: (uobj: UvmObject) => void): void {
    this.reference = f.index;
  }

  @inline set_detach(f: (uobj: UvmObject) => void): void {
    this.detach = f.index;
  }

  @inline set_fault(f: (ufi: UvmFaultinfo, vaddr: usize, pps: usize, npages: i32, centeridx: i32, fault_type: u32,
    access_type: u32, flags: u32) => i32): void {
    this.fault = f.index;
  }

  @inline set_flush(f: (uobj: UvmObject, start: u64, stop: u64, flags: u32) => bool): void {
    this.flush = f.index;
  }

  @inline set_get(f: (uobj: UvmObject, offset: u64, pps: usize, npagesp: usize, centeridx: i32, access_type: u32,
    advice: u32, flags: u32) => i32): void {
    this.get = f.index;
  }

  @inline set_put(f: (uobj: UvmObject, pps: usize, npages: i32, sync: bool) => i32): void {
    this.put = f.index;
  }

  @inline set_cluster(f: (uobj: UvmObject, offset: u64, lop: usize, hip: usize) => void): void {
    this.cluster = f.index;
  }

  @inline set_releasepg(f: (pg: VmPage, nextpgp: usize) => bool): void {
    this.releasepg = f.index;
  }
}

/** An object. Offsets are historic: DDB readers and the pool's free-list link meet at `pgops`. */
@unmanaged
export class UvmObject {
  /** Simple lock; of no use on one processor, kept for the layout. */
  vmobjlock: u32;
  pgops: PagerOps;
  memq_first: usize;
  memq_last: usize;
  uo_npages: i32;
  uo_refs: i32;

  /** Address of the TAILQ head of resident pages. */
  @inline get memq(): usize {
    return changetype<usize>(this) + offsetof<UvmObject>("memq_first");
  }
}

/** Is the object one of the kernel's own? */
export function UVM_OBJ_IS_KERN_OBJECT(uobj: UvmObject): bool {
  return uobj.uo_refs == UVM_OBJ_KERN || uobj.uo_refs == UVM_OBJ_KERN_INTRSAFE;
}

/** May the object's memory be allocated at interrupt time? */
export function UVM_OBJ_IS_INTRSAFE_OBJECT(uobj: UvmObject): bool {
  return uobj.uo_refs == UVM_OBJ_KERN_INTRSAFE;
}
