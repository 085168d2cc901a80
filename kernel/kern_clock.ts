// The clock: ticks, timeouts, and who the time is charged to.
//
// hardclock runs HZ times a second at splclock. Timeouts are kept sorted by the
// tick at which they are due and run in softclock, at splsoftclock, so they may
// take as long as they like without losing ticks.
import { bss } from "./i386/cpufunc";
import { setsoftclock, splhigh, splx } from "./i386/intr";
import { KERNELMODE, Trapframe } from "./i386/frame";
import { curproc } from "./kern_proc";
import { check_cpu_limit } from "./kern_resource";
import { psignal } from "./kern_sig";
import { need_resched } from "./kern_synch";
import { time_tick } from "./kern_time";
import { panic } from "./subr_prf";
import { HZ } from "./sys/param";
import { Proc } from "./sys/proc";
import { SIGPROF, SIGVTALRM } from "./sys/signal";

/** A call that is due at a tick. */
@unmanaged
class Callout {
  c_next: Callout;
  /** The tick. */
  c_time: i32;
  /** Code address of (arg: usize) => void. */
  c_func: u32;
  c_arg: usize;
}
const SIZEOF_CALLOUT: u32 = 16;
const NCALLOUT: u32 = 256;

@unmanaged
class ClockState {
  ticks: i32;
  /** Ticks of the second under way. */
  subticks: u32;
  /** Seconds since boot. */
  uptime: u32;
  /** Due first, first. */
  calltodo: Callout;
  callfree: Callout;
}
const clock_state = changetype<ClockState>(memory.data(offsetof<ClockState>(), 4));

/** Ticks a process runs before equally urgent ones get a turn. */
const ROUNDROBIN: i32 = 10;

/** Ticks by what they found: user mode, niced user mode, the kernel, interrupts (not told from it: 0), nobody. */
export const cp_time: usize = memory.data<u32>([0, 0, 0, 0, 0]);
const CP_USER: usize = 0;
const CP_NICE: usize = 4;
const CP_SYS: usize = 8;
const CP_IDLE: usize = 16;

function count_tick(state: usize): void {
  store<u32>(cp_time + state, load<u32>(cp_time + state) + 1);
}

function callouts(): usize {
  return bss(4096, 4);
}

/** Makes the free list. */
export function callout_init(): void {
  let i: u32 = 0;
  while (i < NCALLOUT) {
    const c = changetype<Callout>(callouts() + i * SIZEOF_CALLOUT);
    c.c_next = clock_state.callfree;
    clock_state.callfree = c;
    i++;
  }
}

/** Ticks since boot. */
export function ticks(): i32 {
  return clock_state.ticks;
}

/** Whole seconds since boot, and the ticks of the one under way. */
export function uptime_seconds(): u32 {
  return clock_state.uptime;
}

export function uptime_subticks(): u32 {
  return clock_state.subticks;
}

/** A tick of an interval timer with `left` ticks to go; what is left now. At the end it signals and begins again. */
function itimer_tick(p: Proc, left: i32, interval: i32, signum: u32): i32 {
  if (left > 1) return left - 1;
  psignal(p, signum);
  return interval;
}

/** A clock interrupt; `frame` is the address of the interrupted Trapframe, or 0. */
export function hardclock(frame: usize): void {
  const p = curproc();
  if (changetype<usize>(p) != 0) {
    p.p_cpticks++;
    if (frame != 0 && !KERNELMODE(changetype<Trapframe>(frame).tf_cs, changetype<Trapframe>(frame).tf_eflags)) {
      p.p_uticks++;
      count_tick(p.p_nice > 0 ? CP_NICE : CP_USER);
      if (p.p_virttime > 0) p.p_virttime = itimer_tick(p, p.p_virttime, p.p_virtincr, SIGVTALRM);
    } else {
      p.p_sticks++;
      count_tick(CP_SYS);
    }
    if (p.p_proftime > 0) p.p_proftime = itimer_tick(p, p.p_proftime, p.p_profincr, SIGPROF);
    if ((p.p_uticks + p.p_sticks) % HZ == 0) check_cpu_limit(p);
  } else count_tick(CP_IDLE);
  time_tick();
  clock_state.ticks++;
  clock_state.subticks++;
  if (clock_state.subticks == HZ) {
    clock_state.subticks = 0;
    clock_state.uptime++;
  }
  if (clock_state.ticks % ROUNDROBIN == 0) need_resched();
  const first = clock_state.calltodo;
  if (changetype<usize>(first) != 0 && first.c_time - clock_state.ticks <= 0) setsoftclock();
}

/** Runs the timeouts that are due. */
export function softclock(): void {
  for (; ;) {
    const s = splhigh();
    const c = clock_state.calltodo;
    if (changetype<usize>(c) == 0 || c.c_time - clock_state.ticks > 0) {
      splx(s);
      return;
    }
    const func = c.c_func;
    const arg = c.c_arg;
    clock_state.calltodo = c.c_next;
    callout_free(c);
    splx(s);
    call_indirect<void>(func, arg);
  }
}

function callout_free(c: Callout): void {
  c.c_next = clock_state.callfree;
  clock_state.callfree = c;
}

/** Has func(arg) called in `after` ticks (at least one), at splsoftclock. `func` is a code address. */
export function timeout(func: u32, arg: usize, after: i32): void {
  if (after <= 0) after = 1;
  const s = splhigh();
  const c = clock_state.callfree;
  if (changetype<usize>(c) == 0) panic(cs("timeout table full"));
  clock_state.callfree = c.c_next;
  c.c_func = func;
  c.c_arg = arg;
  c.c_time = clock_state.ticks + after;
  let link = changetype<usize>(clock_state) + offsetof<ClockState>("calltodo");
  let next = changetype<Callout>(load<usize>(link));
  while (changetype<usize>(next) != 0 && next.c_time - c.c_time <= 0) {
    link = changetype<usize>(next);
    next = next.c_next;
  }
  c.c_next = next;
  store<usize>(link, changetype<usize>(c));
  splx(s);
}

/** Cancels the first timeout of func(arg), if there is one. */
export function untimeout(func: u32, arg: usize): void {
  const s = splhigh();
  let link = changetype<usize>(clock_state) + offsetof<ClockState>("calltodo");
  for (; ;) {
    const c = changetype<Callout>(load<usize>(link));
    if (changetype<usize>(c) == 0) break;
    if (c.c_func == func && c.c_arg == arg) {
      store<usize>(link, changetype<usize>(c.c_next));
      callout_free(c);
      break;
    }
    link = changetype<usize>(c);
  }
  splx(s);
}

/** The first timeout, or 0; DDB's `callout` walks them with callout_next. */
export function callout_first(): usize {
  return changetype<usize>(clock_state.calltodo);
}

export function callout_next(c: usize): usize {
  return changetype<usize>(changetype<Callout>(c).c_next);
}
