// Making processes. Kernel threads and kernel processes begin in a function of the
// kernel; the child of fork goes on in user mode behind its parent's call.
import { spl0, splhigh, splx } from "./i386/intr";
import { return_to_user } from "./i386/support";
import { child_return, userret } from "./i386/syscall";
import { cpu_fork, cpu_fork_user } from "./i386/vm_machdep";
import { fdcopy, fdfree } from "./kern_descrip";
import { exit1, release_directories } from "./kern_exit";
import { curproc, nprocs, proc0, proc_alloc, proc_free, proc_to_zombie } from "./kern_proc";
import { memcpy } from "./libkern";
import { RLIMIT_NPROC, limit_free, limit_of, limit_share } from "./kern_resource";
import { sigacts_free, sigacts_init } from "./kern_sig";
import { setrunnable, tsleep } from "./kern_synch";
import { time_second } from "./kern_time";
import { EAGAIN, ENOMEM } from "./sys/errno";
import { PWAIT, VM_MAXUSER_ADDRESS, VM_MIN_ADDRESS } from "./sys/param";
import { LOGIN_SIZE, NGROUPS_MAX, P_CONTROLT, P_NOCLDSTOP, P_NOCLDWAIT, P_PPWAIT, P_SUGID, P_SYSTEM, Proc, p_comm,
  p_groups, p_login } from "./sys/proc";
import { SIGCHLD } from "./sys/signal";
import { uvm_uarea_alloc, uvmspace_addref, uvmspace_alloc, uvmspace_free } from "../vm/uvm_glue";
import { uvmspace_fork } from "../vm/uvm_fork";
import { uvmexp } from "../vm/uvm_stat";
import { vref } from "../fs/vfs_subr";
import { Vnode } from "../fs/vnode";

/** Most processes. */
export const MAXPROC: i32 = 300;

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
  prepare_process(p, func, arg);
  launch(p);
  return 0;
}

/** Prepares a process that has a u-area for func(arg). */
function prepare_process(p: Proc, func: u32, arg: usize): void {
  p.p_md_func = func;
  p.p_md_arg = arg;
  cpu_fork(p, proc_start.index, changetype<usize>(p));
}

/** Lets a prepared process run. */
function launch(p: Proc): void {
  uvmexp.forks++;
  const s = splhigh();
  setrunnable(p);
  splx(s);
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

/** The part of the parent that a child of fork begins with. Files and memory are the caller's. => may sleep */
function inherit_state(parent: Proc, p: Proc): void {
  p.p_pgid = parent.p_pgid;
  p.p_sid = parent.p_sid;
  p.p_flag |= parent.p_flag & (P_CONTROLT | P_SUGID | P_NOCLDSTOP | P_NOCLDWAIT);
  p.p_ruid = parent.p_ruid;
  p.p_gid = parent.p_gid;
  p.p_rgid = parent.p_rgid;
  p.p_svuid = parent.p_svuid;
  p.p_svgid = parent.p_svgid;
  p.p_ngroups = parent.p_ngroups;
  memcpy(p_groups(p), p_groups(parent), NGROUPS_MAX * 4);
  memcpy(p_login(p), p_login(parent), LOGIN_SIZE);
  p.p_umask = parent.p_umask;
  p.p_sigmask = parent.p_sigmask;
  p.p_sigignore = parent.p_sigignore;
  p.p_sigcatch = parent.p_sigcatch;
  p.p_sigstk_sp = parent.p_sigstk_sp;
  p.p_sigstk_size = parent.p_sigstk_size;
  p.p_sigstk_flags = parent.p_sigstk_flags;
  p.p_exitsig = SIGCHLD;
  p.p_starttime = time_second();
  sigacts_init(p, parent.p_sigacts);
  limit_share(p, parent);
  inherit_directories(parent, p);
}

/** The start of a child of fork. */
function fork_return(arg: usize): void {
  const p = changetype<Proc>(arg);
  const frame = child_return(p);
  userret(p);
  return_to_user(changetype<usize>(frame));
}

/** The parent of a vfork waits until the child has left its memory. => may sleep */
function vfork_wait(p: Proc, child: Proc): void {
  while ((child.p_flag & P_PPWAIT) != 0) tsleep(changetype<usize>(child), PWAIT, cs("ppwait"), 0);
}

/**
 * fork and vfork of the current user process `p`. `shared`: the child has the parent's memory, and the parent
 * waits until it execs or exits. Stores the child's pid at `retval`. => 0, EAGAIN, ENOMEM; may sleep
 */
function fork1(p: Proc, shared: bool, retval: usize): i32 {
  if (nprocs() >= MAXPROC || (p.p_uid != 0 && nprocs() >= i32(limit_of(p, RLIMIT_NPROC)))) return EAGAIN;
  const child = proc_alloc(p, p_comm(p));
  inherit_state(p, child);
  child.p_fd = fdcopy(p);
  if (shared) {
    child.p_vmspace = p.p_vmspace;
    uvmspace_addref(child.p_vmspace);
    child.p_flag |= P_PPWAIT;
  } else child.p_vmspace = uvmspace_fork(p.p_vmspace);
  const pid = child.p_pid;
  child.p_addr = changetype<usize>(child.p_vmspace) != 0 ? uvm_uarea_alloc() : 0;
  if (child.p_addr == 0) {
    abandon_child(child);
    return ENOMEM;
  }
  prepare_process(child, fork_return.index, changetype<usize>(child));
  cpu_fork_user(p, child);
  launch(child);
  if (shared) vfork_wait(p, child);
  store<i32>(retval, pid);
  store<u32>(retval, 0, 4);
  return 0;
}

/** Undoes fork1 for a child that cannot run. */
function abandon_child(child: Proc): void {
  fdfree(child);
  sigacts_free(child);
  limit_free(child);
  if (changetype<usize>(child.p_vmspace) != 0) uvmspace_free(child.p_vmspace);
  release_directories(child);
  proc_to_zombie(child);
  proc_free(child);
}

export function sys_fork(p: Proc, retval: usize): i32 {
  return fork1(p, false, retval);
}

export function sys_vfork(p: Proc, retval: usize): i32 {
  return fork1(p, true, retval);
}

export function sys___vfork14(p: Proc, retval: usize): i32 {
  return fork1(p, true, retval);
}
