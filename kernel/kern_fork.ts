// Making processes. There is no user mode yet: a process begins in a function
// of the kernel.
import { spl0, splhigh, splx } from "./i386/intr";
import { cpu_fork } from "./i386/vm_machdep";
import { exit1 } from "./kern_exit";
import { curproc, proc0, proc_alloc, proc_free, proc_to_zombie } from "./kern_proc";
import { setrunnable } from "./kern_synch";
import { ENOMEM } from "./sys/errno";
import { VM_MAXUSER_ADDRESS, VM_MIN_ADDRESS } from "./sys/param";
import { P_SYSTEM, Proc } from "./sys/proc";
import { uvm_uarea_alloc, uvmspace_addref, uvmspace_alloc } from "../vm/uvm_glue";
import { uvmexp } from "../vm/uvm_stat";
import { vref } from "../fs/vfs_subr";
import { Vnode } from "../fs/vnode";

/** The first thing a process runs. It does not return. */
function proc_start(arg: usize): void {
  const p = changetype<Proc>(arg);
  spl0();
  call_indirect<void>(p.p_md_func, p.p_md_arg);
  exit1(p, 0);
}

/** Lets a process made by proc_alloc run func(arg) in the address space it has. Returns 0 or ENOMEM. */
function start_process(p: Proc, func: u32, arg: usize): i32 {
  p.p_addr = uvm_uarea_alloc();
  if (p.p_addr == 0) {
    proc_to_zombie(p);
    proc_free(p);
    return ENOMEM;
  }
  p.p_md_func = func;
  p.p_md_arg = arg;
  cpu_fork(p, proc_start.index, changetype<usize>(p));
  uvmexp.forks++;
  const s = splhigh();
  setrunnable(p);
  splx(s);
  return 0;
}

/** A child starts in its parent's directories. */
function inherit_directories(parent: Proc, p: Proc): void {
  p.p_cdir = parent.p_cdir;
  if (p.p_cdir != 0) vref(changetype<Vnode>(p.p_cdir));
  p.p_rdir = parent.p_rdir;
  if (p.p_rdir != 0) vref(changetype<Vnode>(p.p_rdir));
}

/**
 * A kernel thread that runs func(arg: usize) (a code address) in proc0's address
 * space. The Proc goes to `newpp` unless that is 0.
 * => 0 or ENOMEM; may sleep
 */
export function kthread_create1(func: u32, arg: usize, newpp: usize, name: usize): i32 {
  const p = proc_alloc(proc0(), name);
  p.p_flag |= P_SYSTEM;
  p.p_vmspace = proc0().p_vmspace;
  uvmspace_addref(p.p_vmspace);
  const error = start_process(p, func, arg);
  if (error == 0 && newpp != 0) store<usize>(newpp, changetype<usize>(p));
  return error;
}

/**
 * A process with its own address space (empty), page directory, u-area and
 * stack, child of `parent`, that runs func(arg: usize) (a code address) in the
 * kernel and exits with status 0 when that returns. The Proc goes to `newpp` unless
 * that is 0.
 * => 0 or ENOMEM; may sleep
 */
export function fork_kernel_proc(parent: Proc, func: u32, arg: usize, name: usize, newpp: usize): i32 {
  const p = proc_alloc(parent, name);
  p.p_vmspace = uvmspace_alloc(VM_MIN_ADDRESS, VM_MAXUSER_ADDRESS, true);
  inherit_directories(parent, p);
  const error = start_process(p, func, arg);
  if (error == 0 && newpp != 0) store<usize>(newpp, changetype<usize>(p));
  return error;
}

/** Ends the current kernel thread with a status. Does not return. */
export function kthread_exit(status: i32): void {
  exit1(curproc(), status << 8);
}
