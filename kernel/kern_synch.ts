// Sleeping, waking, and choosing who runs next.
//
// A process is in exactly one of these places: running (curproc), on a run queue
// (SRUN), on a sleep queue (SSLEEP, hashed by p_wchan), or nowhere (SIDL, SZOMB).
// Both kinds of queues hold processes by p_forw and p_back as TAILQs.
//
// The kernel is not preempted: a process runs until it sleeps, ends or calls
// preempt(). Queues are touched at splhigh, for interrupts wake processes.
import { bss } from "./i386/cpufunc";
import { splhigh, splx } from "./i386/intr";
import { cold } from "./i386/machdep";
import { cpu_switch } from "./i386/vm_machdep";
import { timeout, untimeout } from "./kern_clock";
import { curproc } from "./kern_proc";
import { CURSIG, aston, sigact_of } from "./kern_sig";
import { panic, panicstr } from "./subr_prf";
import { EINTR, ERESTART, EWOULDBLOCK } from "./sys/errno";
import { HZ, PCATCH } from "./sys/param";
import { SA_RESTART } from "./sys/signal";
import { P_SINTR, P_TIMEOUT, Proc, SRUN, SSLEEP } from "./sys/proc";
import { TAILQ_FIRST, TAILQ_INIT, TAILQ_INSERT_TAIL, TAILQ_NEXT, TAILQ_REMOVE } from "./sys/queue";
import { uvmexp } from "../vm/uvm_stat";

export { psignal } from "./kern_sig";

const PRIMASK: u32 = 0xff;
const NQS: u32 = 32;
/** Priorities per run queue, as a shift. */
const PPQ_SHIFT: u32 = 2;
const SLPQUE_SIZE: u32 = 64;
const P_LINKS: usize = offsetof<Proc>("p_forw");

@unmanaged
class SchedState {
  /** Which run queues are not empty. */
  whichqs: u32;
  /** Somebody more urgent, or equally urgent for long enough, waits. */
  want_resched: u32;
  /** Address to sleep on for "once a second". */
  lbolt: u32;
}
const sched = changetype<SchedState>(memory.data(offsetof<SchedState>(), 4));

function qs(): usize {
  return bss(256, 4);
}

function slpque(): usize {
  return bss(512, 4);
}

function run_queue(index: u32): usize {
  return qs() + index * 8;
}

function sleep_queue(ident: usize): usize {
  return slpque() + (((ident >> 8) ^ (ident >> 3)) & (SLPQUE_SIZE - 1)) * 8;
}

/** Address to sleep on until the next second begins; for retries. */
export function lbolt(): usize {
  return changetype<usize>(sched) + offsetof<SchedState>("lbolt");
}

/** Makes the queues. */
export function sched_init(): void {
  let i: u32 = 0;
  while (i < NQS) TAILQ_INIT(run_queue(i++));
  i = 0;
  while (i < SLPQUE_SIZE) TAILQ_INIT(slpque() + i++ * 8);
}

/** Starts what happens every second. */
export function sched_start(): void {
  schedcpu(0);
}

/** Every second: ages, and wakes who sleeps on lbolt. */
function schedcpu(arg: usize): void {
  wakeup(lbolt());
  timeout(schedcpu.index, 0, HZ);
}

/** Puts a runnable process on its run queue. => splhigh */
export function setrunqueue(p: Proc): void {
  const index = u32(p.p_priority) >> PPQ_SHIFT;
  TAILQ_INSERT_TAIL(run_queue(index), changetype<usize>(p), P_LINKS);
  sched.whichqs |= 1 << index;
}

/** Takes the most urgent process off its run queue; NULL when nobody wants to run. => splhigh */
export function choose_process(): Proc {
  if (sched.whichqs == 0) return changetype<Proc>(0);
  const index = u32(ctz(sched.whichqs));
  const p = TAILQ_FIRST(run_queue(index));
  TAILQ_REMOVE(run_queue(index), p, P_LINKS);
  if (TAILQ_FIRST(run_queue(index)) == 0) sched.whichqs &= ~(1 << index);
  sched.want_resched = 0;
  return changetype<Proc>(p);
}

/** Does anybody want to run? */
export function anyone_runnable(): bool {
  return sched.whichqs != 0;
}

/** Asks for another choice of process at the next chance. */
export function need_resched(): void {
  sched.want_resched = 1;
  aston();
}

/** Is another choice of process due? */
export function want_resched(): bool {
  return sched.want_resched != 0;
}

/** Lets another process run; the caller has put itself where it belongs. => splhigh, held again on return */
export function mi_switch(): void {
  uvmexp.swtch++;
  cpu_switch();
}

/** Gives the processor away but stays runnable. */
export function preempt(): void {
  const p = curproc();
  const s = splhigh();
  p.p_priority = p.p_usrpri;
  setrunqueue(p);
  p.p_nivcsw++;
  mi_switch();
  splx(s);
}

/** Gives the processor away if another choice is due; for long computations in kernel processes. */
export function preempt_if_wanted(): void {
  if (want_resched()) preempt();
}

/** Ends a sleep whose time is up. */
function endtsleep(arg: usize): void {
  const p = changetype<Proc>(arg);
  const s = splhigh();
  if (p.p_wchan != 0) {
    p.p_flag |= P_TIMEOUT;
    unsleep(p);
    setrunnable(p);
  }
  splx(s);
}

/** Takes a process off its sleep queue. => splhigh */
export function unsleep(p: Proc): void {
  if (p.p_wchan == 0) return;
  TAILQ_REMOVE(sleep_queue(p.p_wchan), changetype<usize>(p), P_LINKS);
  p.p_wchan = 0;
}

/** Makes a process runnable that is not on a sleep queue. => splhigh */
export function setrunnable(p: Proc): void {
  p.p_stat = SRUN;
  p.p_slptime = 0;
  setrunqueue(p);
  const running = curproc();
  if (changetype<usize>(running) == 0 || p.p_priority < running.p_priority) need_resched();
}

/** The error of an interruptible sleep that a signal ends: 0 when there is none to take. => may sleep (stop signals) */
function signal_error(p: Proc, priority: i32): i32 {
  if ((priority & PCATCH) == 0 || p.p_siglist == 0) return 0;
  const signum = CURSIG(p);
  if (signum == 0) return 0;
  return p.p_sigacts != 0 && (sigact_of(p, signum).sa_flags & SA_RESTART) != 0 ? ERESTART : EINTR;
}

/**
 * Sleeps until wakeup(ident), for at most `timo` ticks unless 0. Wakes up with
 * `priority`; with PCATCH signals end the sleep too. `wmesg` is what ps shows.
 * => 0, EWOULDBLOCK (time), EINTR (signal), ERESTART (signal whose handler wants the call to begin again)
 * => while the system starts or panics: lets interrupts in and returns 0 at once
 */
export function tsleep(ident: usize, priority: i32, wmesg: usize, timo: i32): i32 {
  const s = splhigh();
  if (cold() || panicstr() != 0) {
    splx(0);
    splx(s);
    return 0;
  }
  const p = curproc();
  if (ident == 0 || changetype<usize>(p) == 0 || p.p_stat != SRUN) panic(cs("tsleep"));
  const signalled = signal_error(p, priority);
  if (signalled != 0) {
    splx(s);
    return signalled;
  }
  p.p_wchan = ident;
  p.p_wmesg = wmesg;
  p.p_slptime = 0;
  p.p_priority = priority & PRIMASK;
  if ((priority & PCATCH) != 0) p.p_flag |= P_SINTR;
  TAILQ_INSERT_TAIL(sleep_queue(ident), changetype<usize>(p), P_LINKS);
  if (timo != 0) timeout(endtsleep.index, changetype<usize>(p), timo);
  p.p_stat = SSLEEP;
  p.p_nvcsw++;
  mi_switch();
  p.p_flag &= ~P_SINTR;
  splx(s);
  if ((p.p_flag & P_TIMEOUT) != 0) {
    p.p_flag &= ~P_TIMEOUT;
    return EWOULDBLOCK;
  }
  if (timo != 0) untimeout(endtsleep.index, changetype<usize>(p));
  return signal_error(p, priority);
}

/** Makes everybody who sleeps on `ident` runnable, in the order they fell asleep. From any context. */
export function wakeup(ident: usize): void {
  const s = splhigh();
  const queue = sleep_queue(ident);
  if (load<usize>(queue + 4) != 0) {
    let at = TAILQ_FIRST(queue);
    while (at != 0) {
      const p = changetype<Proc>(at);
      at = TAILQ_NEXT(at, P_LINKS);
      if (p.p_wchan != ident) continue;
      unsleep(p);
      setrunnable(p);
    }
  }
  splx(s);
}
