// Signals: sending them, and taking them on the way to user mode.
//
// psignal notes a signal and sees that the process notices: a sleeper with
// PCATCH is woken, a process in user mode passes through the kernel soon. What the
// signal does happens in the process itself: CURSIG says which one is next (and
// stops here for stop signals), postsig ends the process or calls the handler.
//
// Processes without p_sigacts run in the kernel only. For them a signal is a
// pending bit that ends an interruptible sleep; nothing more happens by itself.
import { splhigh, splx } from "./i386/intr";
import { sendsig } from "./i386/sendsig";
import { sym } from "./i386/sym";
import { coredump } from "./kern_core";
import { exit1 } from "./kern_exit";
import { free, malloc } from "./kern_malloc";
import { allproc_first, curproc, initproc, proc_next } from "./kern_proc";
import { mi_switch, setrunnable, unsleep, wakeup } from "./kern_synch";
import { memcpy } from "./libkern";
import { M_SUBPROC, M_WAITOK } from "./sys/malloc";
import { P_NOCLDSTOP, P_OLDMASK, P_PPWAIT, P_SINTR, P_WAITED, P_WEXIT, Proc, SSLEEP, SSTOP, SZOMB }
  from "./sys/proc";
import {
  COREMASK, IGNSIGMASK, NSIG, SA_NODEFER, SA_RESETHAND, SIGCANTMASK, SIGCHLD, SIGCONT, SIGCONTMASK, SIGKILL, SIG_DFL,
  SIZEOF_SIGACT, SIZEOF_SIGACTS, STOPSIGMASK, Sigact, TTYSTOPMASK, sigmask,
} from "./sys/signal";

/** Bit of a wait status: there is a core file. */
export const WCOREFLAG: u32 = 0x80;

/** The action that a process has for a signal. */
export function sigact_of(p: Proc, signum: u32): Sigact {
  return changetype<Sigact>(p.p_sigacts + signum * SIZEOF_SIGACT);
}

/** Has the process on its way to user mode pass through trap(T_ASTFLT). */
export function aston(): void {
  store<u32>(sym.astpending(), 1);
}

/** Gives a process actions: a copy of `from`'s, or (0) all by default. => may sleep */
export function sigacts_init(p: Proc, from: usize): void {
  const acts = malloc(SIZEOF_SIGACTS, M_SUBPROC, M_WAITOK);
  if (from != 0) {
    memcpy(acts, from, SIZEOF_SIGACTS);
  } else {
    memory.fill(acts, 0, SIZEOF_SIGACTS);
    p.p_sigignore = IGNSIGMASK;
  }
  p.p_sigacts = acts;
}

export function sigacts_free(p: Proc): void {
  if (p.p_sigacts != 0) free(p.p_sigacts, M_SUBPROC);
  p.p_sigacts = 0;
}

/** exec: handlers are gone, what was ignored stays so. */
export function execsigs(p: Proc): void {
  for (let signum: u32 = 1; signum < NSIG; signum++) {
    if ((p.p_sigcatch & sigmask(signum)) == 0) continue;
    const sa = sigact_of(p, signum);
    sa.sa_handler = SIG_DFL;
    sa.sa_mask = 0;
    sa.sa_flags = 0;
    if ((sigmask(signum) & IGNSIGMASK) != 0) p.p_sigignore |= sigmask(signum);
    p.p_siglist &= ~(sigmask(signum) & p.p_sigignore);
  }
  p.p_sigcatch = 0;
  p.p_sigstk_size = 0;
  p.p_sigstk_flags = 0;
}

/** Wakes a sleeper that signals may wake. => splhigh */
function signotify(p: Proc): void {
  if (p.p_stat == SSLEEP && (p.p_flag & P_SINTR) != 0) {
    unsleep(p);
    setrunnable(p);
  } else if (p == curproc()) aston();
}

/** Sends signal `signum` (1 to 32). From any context. */
export function psignal(p: Proc, signum: u32): void {
  const mask = sigmask(signum);
  const s = splhigh();
  if (p.p_sigacts == 0) {
    p.p_siglist |= mask;
    signotify(p);
    splx(s);
    return;
  }
  if ((mask & STOPSIGMASK) != 0) p.p_siglist &= ~SIGCONTMASK;
  if (signum == SIGCONT) p.p_siglist &= ~STOPSIGMASK;
  if (p.p_stat == SSTOP && (signum == SIGCONT || signum == SIGKILL)) setrunnable(p);
  if (p.p_stat == SZOMB || (p.p_sigignore & mask) != 0) {
    splx(s);
    return;
  }
  p.p_siglist |= mask;
  if ((p.p_sigmask & mask) == 0) signotify(p);
  splx(s);
}

/** Sends a signal to all members of a process group. */
export function gsignal(pgid: i32, signum: u32): void {
  if (pgid <= 0) return;
  let p = allproc_first();
  while (changetype<usize>(p) != 0) {
    const next = proc_next(p);
    if (p.p_pgid == pgid && p.p_stat != SZOMB && p.p_sigacts != 0) psignal(p, signum);
    p = next;
  }
}

/** A trap of the current process: the signal comes now, even when it is ignored or held back. */
export function trapsignal(p: Proc, signum: u32, code: u32): void {
  if (((p.p_sigmask | p.p_sigignore) & sigmask(signum)) != 0 || p.p_sigacts == 0) sigexit(p, signum);
  p.p_code = code;
  p.p_sigcode = signum;
  psignal(p, signum);
}

/** Stops the current process until SIGCONT. Its parent learns of it. => may sleep */
function sigstop(p: Proc, signum: u32): void {
  const parent = p.p_pptr;
  const s = splhigh();
  p.p_xstat = i32(signum);
  p.p_flag &= ~P_WAITED;
  p.p_stat = SSTOP;
  if ((parent.p_flag & P_NOCLDSTOP) == 0) psignal(parent, SIGCHLD);
  wakeup(changetype<usize>(parent));
  mi_switch();
  splx(s);
}

/** Is the group of the process orphaned: has no member a parent in another group of the session? */
function is_orphaned(pgid: i32): bool {
  let p = allproc_first();
  while (changetype<usize>(p) != 0) {
    const parent = p.p_pptr;
    if (p.p_pgid == pgid && p.p_stat != SZOMB && changetype<usize>(parent) != 0 && parent.p_pgid != pgid
      && parent.p_sid == p.p_sid) {
      return false;
    }
    p = proc_next(p);
  }
  return true;
}

/**
 * The next signal that the current process has to take: 0 when there is none. Stop
 * signals stop here, and ignored ones vanish. The signal stays pending. => may sleep
 */
export function CURSIG(p: Proc): u32 {
  if (p.p_sigacts == 0) {
    return p.p_siglist != 0 ? u32(ctz(p.p_siglist)) + 1 : 0;
  }
  for (;;) {
    const pending = p.p_siglist & ~p.p_sigmask;
    if (pending == 0 || (p.p_flag & P_WEXIT) != 0) return 0;
    const signum = u32(ctz(pending)) + 1;
    const mask = sigmask(signum);
    if ((p.p_sigignore & mask) != 0) {
      p.p_siglist &= ~mask;
      continue;
    }
    if (sigact_of(p, signum).sa_handler != SIG_DFL) return signum;
    if (p == initproc() || (mask & IGNSIGMASK) != 0) {
      p.p_siglist &= ~mask;
      continue;
    }
    if ((mask & STOPSIGMASK) == 0) return signum;
    p.p_siglist &= ~mask;
    if ((mask & TTYSTOPMASK) != 0 && is_orphaned(p.p_pgid)) continue;
    if ((p.p_flag & P_PPWAIT) == 0) sigstop(p, signum);
  }
  return 0;
}

/** Ends the current process as signal `signum` does, with a core file if that is its way. Does not return. */
export function sigexit(p: Proc, signum: u32): void {
  const dumps = (sigmask(signum) & COREMASK) != 0 && p.p_sigacts != 0;
  exit1(p, i32(dumps && coredump(p, signum) == 0 ? signum | WCOREFLAG : signum));
}

/** Does what the pending signal `signum` of CURSIG says. The current process is on its way to user mode. */
export function postsig(p: Proc, signum: u32): void {
  const mask = sigmask(signum);
  const sa = sigact_of(p, signum);
  p.p_siglist &= ~mask;
  if (sa.sa_handler == SIG_DFL) sigexit(p, signum);
  const code = p.p_sigcode == signum ? p.p_code : 0;
  p.p_sigcode = 0;
  const saved = (p.p_flag & P_OLDMASK) != 0 ? p.p_oldmask : p.p_sigmask;
  p.p_flag &= ~P_OLDMASK;
  p.p_nsignals++;
  sendsig(p, sa, signum, saved, code);
  p.p_sigmask |= sa.sa_mask & ~SIGCANTMASK;
  if ((sa.sa_flags & SA_NODEFER) == 0) p.p_sigmask |= mask;
  if ((sa.sa_flags & SA_RESETHAND) != 0) {
    p.p_sigcatch &= ~mask;
    sa.sa_handler = SIG_DFL;
    if ((mask & IGNSIGMASK) != 0) p.p_sigignore |= mask;
  }
}
