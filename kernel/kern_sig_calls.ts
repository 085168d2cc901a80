// The system calls of signals.
import { frame_alloc } from "./i386/cpufunc";
import { copyin, copyout } from "./i386/support";
import { allproc_first, pfind, proc_next } from "./kern_proc";
import { psignal, sigact_of } from "./kern_sig";
import { tsleep } from "./kern_synch";
import { EINTR, EINVAL, ENOMEM, EPERM, ESRCH } from "./sys/errno";
import { PCATCH, PPAUSE } from "./sys/param";
import { P_NOCLDSTOP, P_NOCLDWAIT, P_OLDMASK, P_SYSTEM, Proc, SZOMB } from "./sys/proc";
import {
  IGNSIGMASK, MINSIGSTKSZ, NSIG, SA_ALLBITS, SA_NOCLDSTOP, SA_NOCLDWAIT, SIGCANTMASK, SIGCHLD, SIGCONT, SIG_BLOCK,
  SIG_DFL, SIG_IGN, SIG_SETMASK, SIG_UNBLOCK, SS_DISABLE, SS_ONSTACK, sigmask,
} from "./sys/signal";
import {
  SysKillArgs, Sys__sigaction14Args, Sys__sigaltstack14Args, Sys__sigpending14Args, Sys__sigprocmask14Args,
  Sys__sigsuspend14Args,
} from "./syscallargs";

/** Bytes of the user's sigset_t and struct sigaction {handler, mask, flags}. */
const SIZEOF_SIGSET: u32 = 16;
const SIZEOF_SIGACTION: u32 = 24;

function copyout_set(set: u32, to: usize): i32 {
  const words = frame_alloc(SIZEOF_SIGSET);
  memory.fill(words, 0, SIZEOF_SIGSET);
  store<u32>(words, set);
  return copyout(words, to, SIZEOF_SIGSET);
}

/** Does the process obey a signal of `p`? */
function cansignal(p: Proc, target: Proc, signum: u32): bool {
  return p.p_uid == 0 || p.p_ruid == target.p_ruid || p.p_uid == target.p_ruid
    || (signum == SIGCONT && p.p_sid == target.p_sid);
}

/** Signals every process of group `pgid`, or with pgid -1 all but the caller and the system's. */
function kill_many(p: Proc, pgid: i32, signum: u32): i32 {
  let found = false;
  let other = allproc_first();
  while (changetype<usize>(other) != 0) {
    const next = proc_next(other);
    const excluded = other.p_stat == SZOMB || other.p_sigacts == 0 || (other.p_flag & P_SYSTEM) != 0
      || (pgid == -1 ? other == p || other.p_pid <= 1 : other.p_pgid != pgid);
    if (!excluded && cansignal(p, other, signum)) {
      found = true;
      if (signum != 0) psignal(other, signum);
    }
    other = next;
  }
  return found ? 0 : ESRCH;
}

/** kill: a process, the caller's group (0), everybody (-1), or group -pid. Signal 0 only checks. */
export function sys_kill(p: Proc, uap: SysKillArgs, retval: usize): i32 {
  if (uap.signum < 0 || u32(uap.signum) >= NSIG) return EINVAL;
  const signum = u32(uap.signum);
  if (uap.pid <= 0) return kill_many(p, uap.pid == 0 ? p.p_pgid : uap.pid == -1 ? -1 : -uap.pid, signum);
  const target = pfind(uap.pid);
  if (changetype<usize>(target) == 0 || target.p_stat == SZOMB) return ESRCH;
  if (!cansignal(p, target, signum) || (target.p_flag & P_SYSTEM) != 0) return EPERM;
  if (signum != 0) psignal(target, signum);
  return 0;
}

/** What a new action of SIGCHLD means for the process besides. */
function note_sigchld(p: Proc, handler: usize, flags: u32): void {
  if ((flags & SA_NOCLDSTOP) != 0) p.p_flag |= P_NOCLDSTOP;
  else p.p_flag &= ~P_NOCLDSTOP;
  if ((flags & SA_NOCLDWAIT) != 0 || handler == SIG_IGN) p.p_flag |= P_NOCLDWAIT;
  else p.p_flag &= ~P_NOCLDWAIT;
}

function set_action(p: Proc, signum: u32, handler: usize, mask: u32, flags: u32): void {
  const sa = sigact_of(p, signum);
  const bit = sigmask(signum);
  sa.sa_handler = handler == SIG_IGN ? SIG_DFL : handler;
  sa.sa_mask = mask & ~SIGCANTMASK;
  sa.sa_flags = flags;
  if (signum == SIGCHLD) note_sigchld(p, handler, flags);
  const ignored = handler == SIG_IGN || (handler == SIG_DFL && (bit & IGNSIGMASK) != 0);
  p.p_sigcatch &= ~bit;
  p.p_sigignore &= ~bit;
  if (ignored) {
    p.p_siglist &= ~bit;
    p.p_sigignore |= bit;
  } else if (handler != SIG_DFL) p.p_sigcatch |= bit;
}

export function sys___sigaction14(p: Proc, uap: Sys__sigaction14Args, retval: usize): i32 {
  if (uap.signum <= 0 || u32(uap.signum) >= NSIG) return EINVAL;
  const signum = u32(uap.signum);
  const action = frame_alloc(SIZEOF_SIGACTION);
  if (uap.nsa != 0) {
    const error = copyin(uap.nsa, action, SIZEOF_SIGACTION);
    if (error != 0) return error;
    if ((sigmask(signum) & SIGCANTMASK) != 0 || (load<u32>(action, 20) & ~SA_ALLBITS) != 0) return EINVAL;
  }
  const handler = load<usize>(action);
  const mask = load<u32>(action, 4);
  const flags = load<u32>(action, 20);
  if (uap.osa != 0) {
    const sa = sigact_of(p, signum);
    memory.fill(action, 0, SIZEOF_SIGACTION);
    const ignored = sa.sa_handler == SIG_DFL && (p.p_sigignore & sigmask(signum)) != 0
      && (sigmask(signum) & IGNSIGMASK) == 0;
    store<usize>(action, ignored ? SIG_IGN : sa.sa_handler);
    store<u32>(action, sa.sa_mask, 4);
    store<u32>(action, sa.sa_flags, 20);
    const error = copyout(action, uap.osa, SIZEOF_SIGACTION);
    if (error != 0) return error;
  }
  if (uap.nsa != 0) set_action(p, signum, handler, mask, flags);
  return 0;
}

export function sys___sigprocmask14(p: Proc, uap: Sys__sigprocmask14Args, retval: usize): i32 {
  const set = frame_alloc(SIZEOF_SIGSET);
  const old = p.p_sigmask;
  if (uap.set != 0) {
    const error = copyin(uap.set, set, SIZEOF_SIGSET);
    if (error != 0) return error;
    const bits = load<u32>(set) & ~SIGCANTMASK;
    if (uap.how == SIG_BLOCK) p.p_sigmask |= bits;
    else if (uap.how == SIG_UNBLOCK) p.p_sigmask &= ~bits;
    else if (uap.how == SIG_SETMASK) p.p_sigmask = bits;
    else return EINVAL;
  }
  return uap.oset != 0 ? copyout_set(old, uap.oset) : 0;
}

export function sys___sigpending14(p: Proc, uap: Sys__sigpending14Args, retval: usize): i32 {
  return copyout_set(p.p_siglist, uap.set);
}

/** Waits for a signal under another mask; the handler's return restores the old one. Always EINTR. */
export function sys___sigsuspend14(p: Proc, uap: Sys__sigsuspend14Args, retval: usize): i32 {
  const set = frame_alloc(SIZEOF_SIGSET);
  if (uap.set != 0) {
    const error = copyin(uap.set, set, SIZEOF_SIGSET);
    if (error != 0) return error;
    p.p_oldmask = p.p_sigmask;
    p.p_flag |= P_OLDMASK;
    p.p_sigmask = load<u32>(set) & ~SIGCANTMASK;
  }
  while (tsleep(p.p_sigacts, PPAUSE | PCATCH, cs("pause"), 0) == 0) { /* a stop and a continue */ }
  return EINTR;
}

export function sys___sigaltstack14(p: Proc, uap: Sys__sigaltstack14Args, retval: usize): i32 {
  const ss = frame_alloc(12);
  if (uap.oss != 0) {
    store<usize>(ss, p.p_sigstk_sp);
    store<u32>(ss, p.p_sigstk_size, 4);
    store<u32>(ss, p.p_sigstk_size == 0 ? p.p_sigstk_flags | SS_DISABLE : p.p_sigstk_flags, 8);
    const error = copyout(ss, uap.oss, 12);
    if (error != 0) return error;
  }
  if (uap.nss == 0) return 0;
  const error = copyin(uap.nss, ss, 12);
  if (error != 0) return error;
  const flags = load<u32>(ss, 8);
  if ((flags & ~(SS_DISABLE | SS_ONSTACK)) != 0) return EINVAL;
  if ((p.p_sigstk_flags & SS_ONSTACK) != 0) return EINVAL;
  if ((flags & SS_DISABLE) != 0) {
    p.p_sigstk_size = 0;
    p.p_sigstk_flags = flags;
    return 0;
  }
  if (load<u32>(ss, 4) < MINSIGSTKSZ) return ENOMEM;
  p.p_sigstk_sp = load<usize>(ss);
  p.p_sigstk_size = load<u32>(ss, 4);
  p.p_sigstk_flags = 0;
  return 0;
}
