// shortage: allocations of the kernel that must not wait, while a process has all memory. The rest of
// docs/shortage.md is the workload of that name (kernel/user/workloads/shortage.sh). Afterwards all memory must be
// back and the laws of uvm_check hold.
import { exit1, kwait } from "../kern_exit";
import { fork_kernel_proc } from "../kern_fork";
import { curproc } from "../kern_proc";
import { tsleep } from "../kern_synch";
import { printf } from "../subr_prf";
import { frame_alloc } from "../i386/cpufunc";
import { copyout } from "../i386/support";
import { HZ, PAGE_SIZE, PWAIT } from "../sys/param";
import { Proc } from "../sys/proc";
import { Vnode } from "../../fs/vnode";
import { uvm_check_print } from "../../vm/uvm_check";
import { UVM_KMF_NOWAIT } from "../../vm/uvm_extern";
import { kernel_map, kernel_object, uvm_km_free, uvm_km_kmemalloc } from "../../vm/uvm_km";
import { MAP_ANON, MAP_PRIVATE, uvm_mmap_user } from "../../vm/uvm_mmap";
import { uvmexp } from "../../vm/uvm_stat";

@unmanaged
class Shortage {
  /** Number of the first check that failed. */
  failed: u32;
}

const shortage_state = changetype<Shortage>(memory.data(offsetof<Shortage>(), 4));

function expect(ok: bool, number: u32): void {
  if (!ok && shortage_state.failed == 0) shortage_state.failed = number;
}

/** Takes all memory that a process can have. */
function take_all(): void {
  const word = frame_alloc(4);
  const addrp = frame_alloc(4);
  const size = usize(uvmexp.npages) * PAGE_SIZE;
  store<usize>(addrp, 0);
  expect(uvm_mmap_user(curproc().p_vmspace, 0, size, 3, MAP_PRIVATE | MAP_ANON, changetype<Vnode>(0), 0, 0, 0,
    addrp) == 0, 1);
  let done: usize = 0;
  while (done < size && copyout(word, load<usize>(addrp) + done, 4) == 0) done += PAGE_SIZE;
  expect(done > 100 * PAGE_SIZE && done < size, 2);
}

function hog(arg: usize): void {
  take_all();
  // More than is left cannot be had, but no sleep either.
  const pages = usize(uvmexp.free + 1) * PAGE_SIZE;
  expect(uvm_km_kmemalloc(kernel_map(), kernel_object(), pages, UVM_KMF_NOWAIT) == 0, 3);
  // A page can be had: anonymous memory left it.
  const page = uvm_km_kmemalloc(kernel_map(), kernel_object(), PAGE_SIZE, UVM_KMF_NOWAIT);
  expect(page != 0, 4);
  if (page != 0) uvm_km_free(kernel_map(), page, PAGE_SIZE);
  exit1(curproc(), 0);
}

/** The program. => 0, or 1 when a check failed */
export function shortage(): i32 {
  // Let the system settle, so that the counters mean something.
  tsleep(changetype<usize>(shortage_state), PWAIT, cs("settle"), HZ);
  const newp = frame_alloc(4);
  const anons = uvmexp.nfreeanon;
  const free = uvmexp.free;
  if (fork_kernel_proc(curproc(), hog.index, 0, cs("hog"), newp) != 0) return 1;
  kwait(curproc(), changetype<Proc>(load<usize>(newp)).p_pid, 0);
  const violations = uvm_check_print();
  const lost = free - uvmexp.free;
  if (shortage_state.failed == 0 && violations == 0 && anons == uvmexp.nfreeanon && lost < 32) {
    printf(cs("shortage: kernel: ok\n"));
    return 0;
  }
  printf(cs("shortage: kernel: FAILED at check %d; %d violations, %d anons and %d pages lost\n"), shortage_state.failed,
    violations, anons - uvmexp.nfreeanon, lost);
  return 1;
}
