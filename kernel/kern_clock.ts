// The clock: ticks, timeouts, and who the time is charged to.
//
// hardclock runs HZ times a second at splclock. Timeouts are kept sorted by the
// tick at which they are due and run in softclock, at splsoftclock, so they may
// take as long as they like without losing ticks.
import { bss } from "./i386/cpufunc";
import { setsoftclock, splhigh, splx } from "./i386/intr";
import { curproc } from "./kern_proc";
import { need_resched } from "./kern_synch";
import { panic } from "./subr_prf";
import { HZ } from "./sys/param";

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

/** A clock interrupt; `frame` is the address of the interrupted Trapframe, or 0. */
export function hardclock(frame: usize): void {
  const p = curproc();
  if (changetype<usize>(p) != 0) {
    p.p_cpticks++;
    p.p_sticks++;
  }
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
