// The end of a process, and its parent's wait for it.
import { frame_alloc } from "./i386/cpufunc";
import { pmap_activate } from "./i386/pmap";
import { splhigh } from "./i386/intr";
import { children_of, curproc, initproc, proc0, proc_free, proc_reparent, proc_to_zombie } from "./kern_proc";
import { mi_switch, tsleep, wakeup } from "./kern_synch";
import { panic } from "./subr_prf";
import { ECHILD } from "./sys/errno";
import { PWAIT } from "./sys/param";
import { P_WEXIT, Proc, SZOMB } from "./sys/proc";
import { LIST_FIRST, LIST_NEXT } from "./sys/queue";
import { uvm_uarea_free, uvmspace_addref, uvmspace_free } from "../vm/uvm_glue";
import { vrele } from "../fs/vfs_subr";
import { Vnode } from "../fs/vnode";

const P_SIBLING: usize = offsetof<Proc>("p_sibling_next");

/** Gives up the process's directories. */
function release_directories(p: Proc): void {
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

/**
 * Ends the current process `p` with wait status `rv` (exit code << 8). Its memory
 * and directories go now; what is left until the parent waits is the Proc and the
 * u-area, on whose stack the processor may still idle. Does not return.
 */
export function exit1(p: Proc, rv: i32): void {
  if (p != curproc()) panic(cs("exit1: not the current process"));
  if (p == initproc()) panic(cs("init died (signal %d, exit %d)"), rv & 0x7f, rv >> 8);
  p.p_flag |= P_WEXIT;
  release_directories(p);
  release_vmspace(p);
  reparent_children(p);
  p.p_xstat = rv;
  splhigh();
  proc_to_zombie(p);
  wakeup(changetype<usize>(p.p_pptr));
  mi_switch();
  panic(cs("exit1: a dead process runs"));
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
