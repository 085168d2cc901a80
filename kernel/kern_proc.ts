// The list of processes, and the first one.
//
// proc0 (pid 0, "swapper") is the thread of control that booted. It owns the
// kernel's pmap; kernel threads share its vmspace.
import { strlcpy } from "./libkern";
import { Pool, pool_get, pool_init, pool_put, PR_WAITOK } from "./subr_pool";
import { M_PROC } from "./sys/malloc";
import { PUSER } from "./sys/param";
import { P_COMM_SIZE, P_INMEM, P_SYSTEM, p_comm, Proc, SIDL, SRUN, SZOMB } from "./sys/proc";
import { LIST_FIRST, LIST_INSERT_HEAD, LIST_REMOVE } from "./sys/queue";
import { Vmspace } from "../vm/uvm_map";
import { uvmspace_init } from "../vm/uvm_glue";
import { pmap_kernel } from "./i386/pmap";
import { VM_MAXUSER_ADDRESS, VM_MIN_ADDRESS } from "./sys/param";

@unmanaged
class ProcState {
  /** The process that runs; NULL while the processor is idle. */
  curproc: Proc;
  /** init, pid 1. */
  initproc: Proc;
  /** LIST heads: processes that live, and zombies. */
  allproc: usize;
  zombproc: usize;
  lastpid: i32;
  nprocs: i32;
}
const proc_state = changetype<ProcState>(memory.data(offsetof<ProcState>(), 4));
const proc0_store = changetype<Proc>(memory.data(offsetof<Proc>(), 4));
const vmspace0_store = changetype<Vmspace>(memory.data(offsetof<Vmspace>(), 8));
const proc_pool = changetype<Pool>(memory.data(offsetof<Pool>(), 4));

const PID_MAX: i32 = 30000;
const P_LIST: usize = offsetof<Proc>("p_list_next");

/** The process that runs; NULL while the processor is idle, in interrupts the one interrupted. */
export function curproc(): Proc {
  return proc_state.curproc;
}

export function set_curproc(p: Proc): void {
  proc_state.curproc = p;
}

export function proc0(): Proc {
  return proc0_store;
}

/** Process 1, or NULL before it is made. */
export function initproc(): Proc {
  return proc_state.initproc;
}

export function set_initproc(p: Proc): void {
  proc_state.initproc = p;
}

/** Number of processes, zombies included. */
export function nprocs(): i32 {
  return proc_state.nprocs;
}

function allproc_head(): usize {
  return changetype<usize>(proc_state) + offsetof<ProcState>("allproc");
}

function zombproc_head(): usize {
  return changetype<usize>(proc_state) + offsetof<ProcState>("zombproc");
}

/** The first of all processes, living ones first (newest first), then zombies; NULL when there is none. */
export function allproc_first(): Proc {
  const first = LIST_FIRST(allproc_head());
  return changetype<Proc>(first != 0 ? first : LIST_FIRST(zombproc_head()));
}

/** The process after `p` in that order. */
export function proc_next(p: Proc): Proc {
  if (p.p_list_next != 0 || p.p_stat == SZOMB) return changetype<Proc>(p.p_list_next);
  return changetype<Proc>(LIST_FIRST(zombproc_head()));
}

/** The living or dead process with a pid, or NULL. */
export function pfind(pid: i32): Proc {
  let p = allproc_first();
  while (changetype<usize>(p) != 0 && p.p_pid != pid) p = proc_next(p);
  return p;
}

/** Names a process; long names are cut. */
export function set_p_comm(p: Proc, name: usize): void {
  strlcpy(p_comm(p), name, P_COMM_SIZE);
}

/** Makes the running thread of control proc0. No memory is managed yet. */
export function proc0_init(uarea: usize): void {
  const p = proc0_store;
  p.p_addr = uarea;
  p.p_pid = 0;
  p.p_stat = SRUN;
  p.p_flag = P_SYSTEM | P_INMEM;
  p.p_umask = 0o022;
  p.p_priority = 0;
  p.p_usrpri = PUSER;
  set_p_comm(p, cs("swapper"));
  proc_state.lastpid = 0;
  proc_state.nprocs = 1;
  LIST_INSERT_HEAD(allproc_head(), changetype<usize>(p), P_LIST);
  set_curproc(p);
}

/** Gives proc0 its address space, and makes more processes possible. UVM runs. */
export function procinit(): void {
  pool_init(proc_pool, offsetof<Proc>(), 4, 0, 0, cs("procpl"), 0, 0, 0, M_PROC);
  uvmspace_init(vmspace0_store, pmap_kernel(), VM_MIN_ADDRESS, VM_MAXUSER_ADDRESS, true);
  proc0_store.p_vmspace = vmspace0_store;
}

function pid_alloc(): i32 {
  do {
    proc_state.lastpid++;
    if (proc_state.lastpid >= PID_MAX) proc_state.lastpid = 100;
  } while (changetype<usize>(pfind(proc_state.lastpid)) != 0);
  return proc_state.lastpid;
}

/** A new process, child of `parent`, state SIDL, zero but for pid, name and family. => may sleep */
export function proc_alloc(parent: Proc, name: usize): Proc {
  const p = changetype<Proc>(pool_get(proc_pool, PR_WAITOK));
  memory.fill(changetype<usize>(p), 0, offsetof<Proc>());
  p.p_stat = SIDL;
  p.p_pid = pid_alloc();
  p.p_flag = P_INMEM;
  p.p_pptr = parent;
  p.p_pgid = p.p_pid;
  p.p_uid = parent.p_uid;
  p.p_umask = parent.p_umask;
  p.p_nice = parent.p_nice;
  p.p_usrpri = PUSER;
  p.p_priority = PUSER;
  set_p_comm(p, name);
  proc_state.nprocs++;
  LIST_INSERT_HEAD(allproc_head(), changetype<usize>(p), P_LIST);
  LIST_INSERT_HEAD(children_of(parent), changetype<usize>(p), offsetof<Proc>("p_sibling_next"));
  return p;
}

/** Address of the LIST head of a process's children. */
export function children_of(p: Proc): usize {
  return changetype<usize>(p) + offsetof<Proc>("p_children");
}

/** Moves a process from the living to the zombies. */
export function proc_to_zombie(p: Proc): void {
  LIST_REMOVE(changetype<usize>(p), P_LIST);
  p.p_stat = SZOMB;
  LIST_INSERT_HEAD(zombproc_head(), changetype<usize>(p), P_LIST);
}

/** Gives a child to another parent. */
export function proc_reparent(p: Proc, parent: Proc): void {
  LIST_REMOVE(changetype<usize>(p), offsetof<Proc>("p_sibling_next"));
  LIST_INSERT_HEAD(children_of(parent), changetype<usize>(p), offsetof<Proc>("p_sibling_next"));
  p.p_pptr = parent;
}

/** Frees a zombie whose u-area is gone. */
export function proc_free(p: Proc): void {
  LIST_REMOVE(changetype<usize>(p), P_LIST);
  LIST_REMOVE(changetype<usize>(p), offsetof<Proc>("p_sibling_next"));
  proc_state.nprocs--;
  pool_put(proc_pool, changetype<usize>(p));
}
