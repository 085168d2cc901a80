// The system calls of time: the time of day, interval timers, sleeping.
//
// All times are as fine as the clock's tick.
import { frame_alloc } from "./i386/cpufunc";
import { splclock, splx } from "./i386/intr";
import { copyin, copyout } from "./i386/support";
import { ticks, timeout, untimeout } from "./kern_clock";
import { psignal } from "./kern_sig";
import { tsleep } from "./kern_synch";
import { adjust_time, microtime, settime, time_adjustment } from "./kern_time";
import { EINTR, EINVAL, EPERM, ERESTART, EWOULDBLOCK } from "./sys/errno";
import { HZ, PCATCH, PWAIT } from "./sys/param";
import { P_REALTIMER, Proc } from "./sys/proc";
import { SIGALRM } from "./sys/signal";
import {
  SysAdjtimeArgs, SysClock_getresArgs, SysClock_gettimeArgs, SysClock_settimeArgs, SysGetitimerArgs,
  SysGettimeofdayArgs, SysNanosleepArgs, SysSetitimerArgs, SysSettimeofdayArgs,
} from "./syscallargs";

/** Microseconds of a tick. */
const TICK: u32 = 1000000 / HZ;
/** Seconds beyond which a time is cut, so that ticks fit a word. */
const MAX_SECONDS: u32 = 10000000;

const ITIMER_REAL: u32 = 0;
const ITIMER_VIRTUAL: u32 = 1;
const ITIMER_PROF: u32 = 2;

/** Ticks of a timeval, rounded up; -1 when it is none. */
export function tvtohz(seconds: i32, microseconds: i32): i32 {
  if (seconds < 0 || microseconds < 0 || microseconds >= 1000000) return -1;
  if (u32(seconds) > MAX_SECONDS) seconds = i32(MAX_SECONDS);
  return seconds * i32(HZ) + i32((u32(microseconds) + TICK - 1) / TICK);
}

/** Ticks of a time in seconds and nanoseconds (below a thousand million), rounded up; -1 for negative seconds. */
function timespectohz(seconds: i32, nanoseconds: i32): i32 {
  const whole = tvtohz(seconds, 0);
  return whole < 0 ? whole : whole + (nanoseconds + i32(TICK) * 1000 - 1) / (i32(TICK) * 1000);
}

function put_timeval(at: usize, ticks: i32): void {
  store<u32>(at, u32(ticks) / HZ);
  store<u32>(at, (u32(ticks) % HZ) * TICK, 4);
}

export function sys_gettimeofday(p: Proc, uap: SysGettimeofdayArgs, retval: usize): i32 {
  const tv = frame_alloc(8);
  let error: i32 = 0;
  if (uap.tp != 0) {
    microtime(tv);
    error = copyout(tv, uap.tp, 8);
  }
  if (error == 0 && uap.tzp != 0) {
    store<u64>(tv, 0);
    error = copyout(tv, uap.tzp, 8);
  }
  return error;
}

/** Only uid 0 sets the clock. */
function set_clock(p: Proc, seconds: i32, microseconds: i32): i32 {
  if (p.p_uid != 0) return EPERM;
  if (seconds < 0 || microseconds < 0 || microseconds >= 1000000) return EINVAL;
  settime(u32(seconds), u32(microseconds));
  return 0;
}

/** The kernel knows no time zones: `tzp` counts for nothing. */
export function sys_settimeofday(p: Proc, uap: SysSettimeofdayArgs, retval: usize): i32 {
  if (uap.tv == 0) return p.p_uid != 0 ? EPERM : 0;
  const tv = frame_alloc(8);
  const error = copyin(uap.tv, tv, 8);
  return error != 0 ? error : set_clock(p, load<i32>(tv), load<i32>(tv, 4));
}

export function sys_clock_settime(p: Proc, uap: SysClock_settimeArgs, retval: usize): i32 {
  if (uap.clock_id != 0) return EINVAL;
  const ts = frame_alloc(8);
  const error = copyin(uap.tp, ts, 8);
  return error != 0 ? error : set_clock(p, load<i32>(ts), load<i32>(ts, 4) < 0 ? -1 : load<i32>(ts, 4) / 1000);
}

/** Moves the clock by at most half an hour, slowly; EINVAL for more. */
export function sys_adjtime(p: Proc, uap: SysAdjtimeArgs, retval: usize): i32 {
  if (p.p_uid != 0) return EPERM;
  const tv = frame_alloc(8);
  let left = time_adjustment();
  if (uap.delta != 0) {
    const error = copyin(uap.delta, tv, 8);
    if (error != 0) return error;
    const seconds = load<i32>(tv);
    const microseconds = load<i32>(tv, 4);
    if (seconds > 1800 || seconds < -1800 || microseconds >= 1000000 || microseconds <= -1000000) return EINVAL;
    left = adjust_time(seconds * 1000000 + microseconds);
  }
  if (uap.olddelta == 0) return 0;
  store<i32>(tv, left / 1000000);
  store<i32>(tv, left % 1000000, 4);
  return copyout(tv, uap.olddelta, 8);
}

export function sys_clock_gettime(p: Proc, uap: SysClock_gettimeArgs, retval: usize): i32 {
  if (uap.clock_id != 0) return EINVAL;
  const ts = frame_alloc(8);
  microtime(ts);
  store<u32>(ts, load<u32>(ts, 4) * 1000, 4);
  return copyout(ts, uap.tp, 8);
}

export function sys_clock_getres(p: Proc, uap: SysClock_getresArgs, retval: usize): i32 {
  if (uap.clock_id != 0) return EINVAL;
  const ts = frame_alloc(8);
  store<u32>(ts, 0);
  store<u32>(ts, TICK * 1000, 4);
  return uap.tp != 0 ? copyout(ts, uap.tp, 8) : 0;
}

/** Sleeps at least as long as asked; a signal ends it with EINTR and the time that was left. */
export function sys_nanosleep(p: Proc, uap: SysNanosleepArgs, retval: usize): i32 {
  const ts = frame_alloc(8);
  let error = copyin(uap.rqtp, ts, 8);
  if (error != 0) return error;
  const nanoseconds = load<i32>(ts, 4);
  if (nanoseconds < 0 || nanoseconds >= 1000000000) return EINVAL;
  const wanted = timespectohz(load<i32>(ts), nanoseconds);
  if (wanted < 0) return EINVAL;
  if (wanted == 0) return 0;
  // One more tick, for the one under way has begun already.
  const until = ticks() + wanted + 1;
  do {
    const ident = changetype<usize>(p) + offsetof<Proc>("p_realtime");
    error = tsleep(ident, PWAIT | PCATCH, cs("nanosleep"), until - ticks());
  } while (error == 0 && until - ticks() > 0);
  if (error == EWOULDBLOCK) error = 0;
  if (error == ERESTART) error = EINTR;
  if (error == EINTR && uap.rmtp != 0) {
    const left = until - ticks();
    put_timeval(ts, left > 0 ? left : 0);
    store<u32>(ts, load<u32>(ts, 4) * 1000, 4);
    const failed = copyout(ts, uap.rmtp, 8);
    if (failed != 0) return failed;
  }
  return error;
}

/** ITIMER_REAL expires. */
function realitexpire(arg: usize): void {
  const p = changetype<Proc>(arg);
  psignal(p, SIGALRM);
  if (p.p_realincr == 0) {
    p.p_flag &= ~P_REALTIMER;
    return;
  }
  p.p_realtime += p.p_realincr;
  timeout(realitexpire.index, arg, p.p_realtime - ticks());
}

/** Stops ITIMER_REAL, of a process that ends or sets it anew. */
export function untimeout_realtimer(p: Proc): void {
  if ((p.p_flag & P_REALTIMER) == 0) return;
  untimeout(realitexpire.index, changetype<usize>(p));
  p.p_flag &= ~P_REALTIMER;
}

/** Stores interval and time left of a timer. */
function get_timer(p: Proc, which: u32, itv: usize): void {
  let left: i32 = 0;
  let interval: i32 = 0;
  const s = splclock();
  if (which == ITIMER_REAL) {
    left = (p.p_flag & P_REALTIMER) != 0 ? p.p_realtime - ticks() : 0;
    interval = (p.p_flag & P_REALTIMER) != 0 ? p.p_realincr : 0;
  } else if (which == ITIMER_VIRTUAL) {
    left = p.p_virttime;
    interval = p.p_virtincr;
  } else {
    left = p.p_proftime;
    interval = p.p_profincr;
  }
  splx(s);
  put_timeval(itv, interval);
  put_timeval(itv + 8, left > 0 ? left : 0);
}

export function sys_getitimer(p: Proc, uap: SysGetitimerArgs, retval: usize): i32 {
  if (uap.which > ITIMER_PROF) return EINVAL;
  const itv = frame_alloc(16);
  get_timer(p, uap.which, itv);
  return copyout(itv, uap.itv, 16);
}

function set_timer(p: Proc, which: u32, value: i32, interval: i32): void {
  const s = splclock();
  if (which == ITIMER_VIRTUAL) {
    p.p_virttime = value;
    p.p_virtincr = interval;
  } else if (which == ITIMER_PROF) {
    p.p_proftime = value;
    p.p_profincr = interval;
  } else {
    untimeout_realtimer(p);
    if (value != 0) {
      p.p_realtime = ticks() + value;
      p.p_realincr = interval;
      p.p_flag |= P_REALTIMER;
      timeout(realitexpire.index, changetype<usize>(p), value);
    }
  }
  splx(s);
}

export function sys_setitimer(p: Proc, uap: SysSetitimerArgs, retval: usize): i32 {
  if (uap.which > ITIMER_PROF) return EINVAL;
  const itv = frame_alloc(16);
  const old = frame_alloc(16);
  if (uap.itv != 0) {
    const error = copyin(uap.itv, itv, 16);
    if (error != 0) return error;
  }
  const interval = tvtohz(load<i32>(itv), load<i32>(itv, 4));
  const value = tvtohz(load<i32>(itv, 8), load<i32>(itv, 12));
  if (uap.itv != 0 && (interval < 0 || value < 0)) return EINVAL;
  get_timer(p, uap.which, old);
  if (uap.itv != 0) set_timer(p, uap.which, value, interval);
  return uap.oitv != 0 ? copyout(old, uap.oitv, 16) : 0;
}
