// Who a process is: numbers of processes, process groups and sessions.
import { allproc_first, pfind, proc_next } from "./kern_proc";
import { EACCES, EINVAL, EPERM, ESRCH } from "./sys/errno";
import { P_CONTROLT, P_EXEC, Proc, SZOMB } from "./sys/proc";
import { SysGetpgidArgs, SysGetsidArgs, SysSetpgidArgs } from "./syscallargs";

export function sys_getpid(p: Proc, retval: usize): i32 {
  store<i32>(retval, p.p_pid);
  store<i32>(retval, p.p_pptr.p_pid, 4);
  return 0;
}

export function sys_getppid(p: Proc, retval: usize): i32 {
  store<i32>(retval, p.p_pptr.p_pid);
  return 0;
}

/** The live process that a pid argument means (0: the caller), or NULL. */
function process_of(p: Proc, pid: i32): Proc {
  if (pid == 0) return p;
  const found = pfind(pid);
  if (changetype<usize>(found) != 0 && found.p_stat == SZOMB) return changetype<Proc>(0);
  return found;
}

export function sys_getpgrp(p: Proc, retval: usize): i32 {
  store<i32>(retval, p.p_pgid);
  return 0;
}

export function sys_getpgid(p: Proc, uap: SysGetpgidArgs, retval: usize): i32 {
  const found = process_of(p, uap.pid);
  if (changetype<usize>(found) == 0) return ESRCH;
  store<i32>(retval, found.p_pgid);
  return 0;
}

export function sys_getsid(p: Proc, uap: SysGetsidArgs, retval: usize): i32 {
  const found = process_of(p, uap.pid);
  if (changetype<usize>(found) == 0) return ESRCH;
  store<i32>(retval, found.p_sid);
  return 0;
}

/** The session of a process group that has members, or -1. */
export function session_of_group(pgid: i32): i32 {
  let p = allproc_first();
  while (changetype<usize>(p) != 0) {
    if (p.p_pgid == pgid && p.p_sigacts != 0) return p.p_sid;
    p = proc_next(p);
  }
  return -1;
}

/** setpgid: of the caller, or of a child that has not called exec yet, within the session. */
export function sys_setpgid(p: Proc, uap: SysSetpgidArgs, retval: usize): i32 {
  const target = process_of(p, uap.pid);
  if (changetype<usize>(target) == 0) return ESRCH;
  if (target != p) {
    if (target.p_pptr != p) return ESRCH;
    if (target.p_sid != p.p_sid) return EPERM;
    if ((target.p_flag & P_EXEC) != 0) return EACCES;
  }
  if (target.p_sid == target.p_pid) return EPERM;
  const pgid = uap.pgid == 0 ? target.p_pid : uap.pgid;
  if (pgid < 0) return EINVAL;
  if (pgid != target.p_pid && session_of_group(pgid) != p.p_sid) return EPERM;
  target.p_pgid = pgid;
  return 0;
}

/** setsid: a session and a group of its own, without a terminal. EPERM for leaders of groups. */
export function sys_setsid(p: Proc, retval: usize): i32 {
  if (p.p_pgid == p.p_pid) return EPERM;
  p.p_sid = p.p_pid;
  p.p_pgid = p.p_pid;
  p.p_flag &= ~P_CONTROLT;
  store<i32>(retval, p.p_pid);
  return 0;
}
