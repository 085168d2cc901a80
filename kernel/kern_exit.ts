// The end of a process, and its parent's wait for it.
import { frame_alloc } from "./i386/cpufunc";
import { npxdrop } from "./i386/npx";
import { pmap_activate } from "./i386/pmap";
import { splhigh } from "./i386/intr";
import { children_of, curproc, initproc, proc0, proc_free, proc_reparent, proc_to_zombie } from "./kern_proc";
import { copyout } from "./i386/support";
import { fdfree } from "./kern_descrip";
import { SIZEOF_RUSAGE, limit_free, ru_add_child, ru_of_process } from "./kern_resource";
import { psignal, sigacts_free } from "./kern_sig";
import { mi_switch, tsleep, wakeup } from "./kern_synch";
import { untimeout_realtimer } from "./kern_time_calls";
import { panic } from "./subr_prf";
import { ECHILD, EINVAL } from "./sys/errno";
import { PCATCH, PWAIT } from "./sys/param";
import { P_NOCLDWAIT, P_PPWAIT, P_WAITED, P_WEXIT, Proc, SSTOP, SZOMB } from "./sys/proc";
import { SysExitArgs, SysWait4Args } from "./syscallargs";
import { tty_session_exit } from "./tty";
import { LIST_FIRST, LIST_NEXT } from "./sys/queue";
import { uvm_uarea_free, uvmspace_addref, uvmspace_free } from "../vm/uvm_glue";
import { vrele } from "../fs/vfs_subr";
import { Vnode } from "../fs/vnode";

// options of wait4, and its status for a stopped child.
const WNOHANG: u32 = 1;
const WUNTRACED: u32 = 2;
const WSTOPPED: i32 = 0x7f;
const WAIT_ANY: i32 = -1;

const P_SIBLING: usize = offsetof<Proc>("p_sibling_next");

/** Gives up the process's directories. */
export function release_directories(p: Proc): void {
  if (p.p_cdir != 0) vrele(changetype<Vnode>(p.p_cdir));
  if (p.p_rdir != 0) vrele(changetype<Vnode>(p.p_rdir));
  p.p_cdir = 0;
  p.p_rdir = 0;
}

/** Takes the process out of its address space and frees that, if nobody shares it. */
function release_vmspace(p: Proc): void {
  const vm = p.p_vmspace;
  p.p_vmspace = proc0().p_vmspace;
  uvmspace_addref(p.p_vmspace);
  pmap_activate(p);
  uvmspace_free(vm);
}

/** Children of a dying process go to init, or to proc0 while there is none. */
function reparent_children(p: Proc): void {
  let parent = initproc();
  if (changetype<usize>(parent) == 0 || parent == p) parent = proc0();
  for (; ;) {
    const child = LIST_FIRST(children_of(p));
    if (child == 0) return;
    proc_reparent(changetype<Proc>(child), parent);
    wakeup(changetype<usize>(parent));
  }
}

/** Gives up what a user process has besides memory and directories. */
function release_user_state(p: Proc): void {
  untimeout_realtimer(p);
  fdfree(p);
  if (p.p_sid == p.p_pid) tty_session_exit(p);
  sigacts_free(p);
  limit_free(p);
}

/**
 * Ends the current process `p` with wait status `rv` (exit code << 8). Its memory
 * and directories go now; what is left until the parent waits is the Proc and the
 * u-area, on whose stack the processor may still idle. Does not return.
 */
export function exit1(p: Proc, rv: i32): void {
  if (p != curproc()) panic(cs("exit1: not the current process"));
  if (p == initproc()) panic(cs("init died (signal %d, exit %d)"), rv & 0x7f, rv >> 8);
  p.p_flag |= P_WEXIT;
  const user = p.p_sigacts != 0;
  npxdrop(p);
  if (user) release_user_state(p);
  release_directories(p);
  release_vmspace(p);
  vfork_done(p);
  reparent_children(p);
  p.p_xstat = rv;
  if ((p.p_pptr.p_flag & P_NOCLDWAIT) != 0) {
    const parent = p.p_pptr;
    proc_reparent(p, proc0());
    wakeup(changetype<usize>(parent));
  }
  splhigh();
  proc_to_zombie(p);
  if (user && p.p_exitsig != 0 && p.p_pptr.p_sigacts != 0) psignal(p.p_pptr, p.p_exitsig);
  wakeup(changetype<usize>(p.p_pptr));
  mi_switch();
  panic(cs("exit1: a dead process runs"));
}

/** The child of a vfork no longer needs its parent's memory. */
export function vfork_done(p: Proc): void {
  if ((p.p_flag & P_PPWAIT) == 0) return;
  p.p_flag &= ~P_PPWAIT;
  wakeup(changetype<usize>(p));
}

/** Frees a zombie; its status goes to `statusp` unless that is 0. => may sleep */
export function proc_reap(child: Proc, statusp: usize): void {
  if (statusp != 0) store<i32>(statusp, child.p_xstat);
  uvmspace_free(child.p_vmspace);
  uvm_uarea_free(child.p_addr);
  proc_free(child);
}

/** A dead child of `p` with this pid (-1: any), or NULL; `foundp` is set to 1 when there is a living one. */
export function find_zombie(p: Proc, pid: i32, foundp: usize): Proc {
  let at = LIST_FIRST(children_of(p));
  while (at != 0) {
    const child = changetype<Proc>(at);
    if (pid == -1 || child.p_pid == pid) {
      if (child.p_stat == SZOMB) return child;
      store<u32>(foundp, 1);
    }
    at = LIST_NEXT(at, P_SIBLING);
  }
  return changetype<Proc>(0);
}

/**
 * Waits until a child of `p` with this pid (-1: any) is dead, and frees it. The
 * wait status goes to `statusp` unless that is 0.
 * => 0, ECHILD when there is no such child, or the error of the sleep
 */
export function kwait(p: Proc, pid: i32, statusp: usize): i32 {
  const found = frame_alloc(4);
  let error: i32 = 0;
  while (error == 0) {
    store<u32>(found, 0);
    const child = find_zombie(p, pid, found);
    if (changetype<usize>(child) != 0) {
      proc_reap(child, statusp);
      return 0;
    }
    if (load<u32>(found) == 0) return ECHILD;
    error = tsleep(changetype<usize>(p), PWAIT, cs("wait"), 0);
  }
  return error;
}

export function sys_exit(p: Proc, uap: SysExitArgs, retval: usize): i32 {
  exit1(p, (uap.rval & 0xff) << 8);
  return 0;
}

/** Is `child` one that wait4(pid) means? */
function is_waited_for(child: Proc, pid: i32, pgid: i32): bool {
  if (pid == WAIT_ANY) return true;
  return pid > 0 ? child.p_pid == pid : child.p_pgid == pgid;
}

/** What wait4 finds: a dead child, or with `options` WUNTRACED a stopped one. `foundp` is set when any child fits. */
function find_child(p: Proc, pid: i32, options: u32, foundp: usize): Proc {
  const pgid = pid == 0 ? p.p_pgid : -pid;
  let at = LIST_FIRST(children_of(p));
  while (at != 0) {
    const child = changetype<Proc>(at);
    at = LIST_NEXT(at, P_SIBLING);
    if (!is_waited_for(child, pid, pgid)) continue;
    store<u32>(foundp, 1);
    if (child.p_stat == SZOMB) return child;
    if (child.p_stat == SSTOP && (child.p_flag & P_WAITED) == 0 && (options & WUNTRACED) != 0) return child;
  }
  return changetype<Proc>(0);
}

/** Stores status and usage of a child for the user. */
function report_child(p: Proc, child: Proc, uap: SysWait4Args): i32 {
  const status = frame_alloc(4);
  store<i32>(status, child.p_stat == SSTOP ? (child.p_xstat << 8) | WSTOPPED : child.p_xstat);
  if (uap.status != 0) {
    const error = copyout(status, uap.status, 4);
    if (error != 0) return error;
  }
  if (uap.rusage == 0) return 0;
  const ru = frame_alloc(SIZEOF_RUSAGE);
  ru_of_process(child, ru);
  return copyout(ru, uap.rusage, SIZEOF_RUSAGE);
}

/** wait4: ECHILD without such a child; WNOHANG returns 0 when none has news. */
export function sys_wait4(p: Proc, uap: SysWait4Args, retval: usize): i32 {
  const options = u32(uap.options);
  if ((options & ~(WNOHANG | WUNTRACED)) != 0) return EINVAL;
  const found = frame_alloc(4);
  for (;;) {
    store<u32>(found, 0);
    const child = find_child(p, uap.pid, options, found);
    if (changetype<usize>(child) != 0) {
      const error = report_child(p, child, uap);
      if (error != 0) return error;
      store<i32>(retval, child.p_pid);
      if (child.p_stat == SSTOP) {
        child.p_flag |= P_WAITED;
        return 0;
      }
      ru_add_child(p, child);
      proc_reap(child, 0);
      return 0;
    }
    if (load<u32>(found) == 0) return ECHILD;
    if ((options & WNOHANG) != 0) {
      store<i32>(retval, 0);
      return 0;
    }
    const error = tsleep(changetype<usize>(p), PWAIT | PCATCH, cs("wait"), 0);
    if (error != 0) return error;
  }
  return 0;
}
