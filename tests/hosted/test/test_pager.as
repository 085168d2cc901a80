// A pager that handles its faults itself, for tests: it remembers what it was
// told and answers what the test asks.
import { PagerOps, UvmObject } from "../vm/uvm_object";
import { UvmFaultinfo, uvmfault_unlockmaps } from "../vm/uvm_fault_i";
import { VM_PAGER_OK } from "../vm/uvm_extern";
import { TAILQ_INIT } from "../kernel/sys/queue";

@unmanaged
class Told {
  calls: u32;
  vaddr: usize;
  npages: i32;
  centeridx: i32;
  fault_type: u32;
  access_type: u32;
  orig_rvaddr: usize;
  /** Results to give: this many VM_PAGER_REFAULTs first, then this. */
  refaults: u32;
  answer: i32;
}

export const test_told = changetype<Told>(memory.data(offsetof<Told>(), 4));
const test_ops = changetype<PagerOps>(memory.data(offsetof<PagerOps>(), 4));
const test_object = changetype<UvmObject>(memory.data(offsetof<UvmObject>(), 4));

function test_fault(ufi: UvmFaultinfo, vaddr: usize, pps: usize, npages: i32, centeridx: i32, fault_type: u32,
  access_type: u32, flags: u32): i32 {
  test_told.calls++;
  test_told.vaddr = vaddr;
  test_told.npages = npages;
  test_told.centeridx = centeridx;
  test_told.fault_type = fault_type;
  test_told.access_type = access_type;
  test_told.orig_rvaddr = ufi.orig_rvaddr;
  uvmfault_unlockmaps(ufi, false);
  if (test_told.refaults != 0) {
    test_told.refaults--;
    return 7;
  }
  return test_told.answer;
}

export function test_object_create(): UvmObject {
  test_ops.set_fault(test_fault);
  test_object.pgops = test_ops;
  TAILQ_INIT(test_object.memq);
  test_object.uo_refs = 1;
  test_told.answer = VM_PAGER_OK;
  return test_object;
}
