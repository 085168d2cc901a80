// Out of memory in the kernel: who has to go.
//
// A user process that waits in vain for a page of its own dies of it, or its
// system call fails (uvm_wait). The kernel cannot give up so: it may be in the
// middle of anything. When it has waited in vain, or somebody for a page of a file,
// the process that holds most memory is killed,
//
//   UVM: pid N (NAME), uid N killed: out of swap
//
// and the wait goes on; after some seconds more the next one, until there is a page.
// Init and the system's own processes are spared.
//
// The largest process may be the one that waits, deep in a system call, and will not
// see the signal before it has its page. So it is stripped of its memory at once:
// whatever else the system call does with it gives EFAULT.
import { pmap_remove } from "../kernel/i386/pmap";
import { allproc_first, curproc, proc_next } from "../kernel/kern_proc";
import { psignal } from "../kernel/kern_sig";
import { printf } from "../kernel/subr_prf";
import { P_SYSTEM, P_WEXIT, Proc, SZOMB, p_comm } from "../kernel/sys/proc";
import { SIGKILL, sigmask } from "../kernel/sys/signal";
import { aobj_pager } from "./uvm_aobj";
import { PGO_FREE, VM_PROT_NONE } from "./uvm_extern";
import { clean_anons } from "./uvm_map_clean";
import { vm_map_lock_try, vm_map_unlock } from "./uvm_map_lock";
import { VmMap } from "./uvm_map_h";
import { uvm_wait } from "./uvm_pdaemon";

/** May the process be killed for its memory, and is it not dying already? */
function may_kill(p: Proc): bool {
  if (p.p_pid <= 1 || p.p_sigacts == 0 || p.p_stat == SZOMB) return false;
  if ((p.p_flag & (P_SYSTEM | P_WEXIT)) != 0) return false;
  return (p.p_siglist & sigmask(SIGKILL)) == 0;
}

/** The process with most pages in memory; NULL when there is none to kill. */
function largest_process(): Proc {
  let largest = changetype<Proc>(0);
  let p = allproc_first();
  while (changetype<usize>(p) != 0) {
    const resident = may_kill(p) ? p.p_vmspace.vm_map.pmap.pm_resident : 0;
    if (resident > 0 && (changetype<usize>(largest) == 0
      || resident > largest.p_vmspace.vm_map.pmap.pm_resident)) largest = p;
    p = proc_next(p);
  }
  return largest;
}

/** Frees what memory only this map shows, and lets nobody touch any of the rest. => does not sleep for the map */
function strip(map: VmMap): void {
  if (!vm_map_lock_try(map)) return;
  let entry = map.header.next;
  while (entry != map.header) {
    if (entry.wired_count == 0 && !entry.issubmap) {
      pmap_remove(map.pmap, entry.start, entry.end);
      entry.protection = VM_PROT_NONE;
      if (entry.ar_amap != 0) clean_anons(entry, entry.start, entry.end, PGO_FREE);
      if (entry.isobj && entry.uvm_obj.pgops == aobj_pager && entry.uvm_obj.uo_refs == 1) {
        entry.uvm_obj.pgops.pgo_flush(entry.uvm_obj, entry.offset, entry.offset + u64(entry.end - entry.start), PGO_FREE);
      }
    }
    entry = entry.next;
  }
  vm_map_unlock(map);
}

/** Tells, and sends the signal. */
function kill_for_memory(p: Proc): void {
  printf(cs("UVM: pid %d (%s), uid %d killed: out of swap\n"), p.p_pid, p_comm(p), p.p_uid);
  psignal(p, SIGKILL);
}

/** uvm_wait of the kernel for memory that it must have: when it was in vain, somebody is killed. => may sleep */
export function uvm_wait_kernel(wmesg: usize): void {
  if (uvm_wait(wmesg) == 0) return;
  const p = largest_process();
  if (changetype<usize>(p) == 0) return;
  kill_for_memory(p);
  if (p == curproc() && p.p_vmspace.vm_refcnt == 1) strip(p.p_vmspace.vm_map);
}

/**
 * uvm_wait for a page of a file. Who reads one, the text of his program perhaps, has not asked for more memory: when
 * the wait was in vain and another process holds most of it, that one is killed. => 0: try again, or ENOMEM; may sleep
 */
export function uvm_wait_file(wmesg: usize): i32 {
  const error = uvm_wait(wmesg);
  if (error == 0) return 0;
  const p = largest_process();
  if (changetype<usize>(p) == 0 || p == curproc()) return error;
  kill_for_memory(p);
  return 0;
}
