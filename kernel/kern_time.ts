// The time of day: what the CMOS clock said at boot, plus the ticks since, plus what people have set it to since.
import { splclock, splx } from "./i386/intr";
import { mc146818_seconds } from "./i386/mc146818";
import { uptime_seconds, uptime_subticks } from "./kern_clock";
import { HZ } from "./sys/param";

/** Microseconds of a tick, and of a second. */
const TICK: u32 = 1000000 / HZ;
const SECOND: u32 = 1000000;

/** Microseconds that adjtime moves the clock by at each tick; ten times as many when more than a second is to do. */
const TICKADJ: i32 = 5;
const BIGADJ: i32 = 1000000;

@unmanaged class TimeState {
  /** Seconds since 1970 at boot. */
  boottime: u32;
  /** Microseconds that the clock is ahead of the ticks: less than a second. */
  ahead: u32;
  /** Microseconds that adjtime has still to move the clock by, and those of one tick. */
  adjust: i32;
  adjust_tick: i32;
}
const time_state = changetype<TimeState>(memory.data(offsetof<TimeState>(), 4));

/** Reads the CMOS clock. */
export function inittodr(): void {
  time_state.boottime = mc146818_seconds() - uptime_seconds();
}

/** When the system started, seconds since 1970. */
export function boottime_seconds(): u32 {
  return time_state.boottime;
}

/** Microseconds since the second that boottime and uptime name: may be more than a second. */
function microseconds(): u32 {
  return uptime_subticks() * TICK + time_state.ahead;
}

/** Seconds since 1970. */
export function time_second(): u32 {
  return time_state.boottime + uptime_seconds() + (microseconds() >= SECOND ? 1 : 0);
}

/** Stores seconds and microseconds (two words) at `tv`; as fine as a tick. */
export function microtime(tv: usize): void {
  const s = splclock();
  store<u32>(tv, time_second());
  store<u32>(tv, microseconds() % SECOND, 4);
  splx(s);
}

/** Sets the clock. */
export function settime(seconds: u32, microsecond: u32): void {
  const s = splclock();
  const since = uptime_subticks() * TICK;
  const borrow: u32 = microsecond < since ? 1 : 0;
  time_state.ahead = microsecond + borrow * SECOND - since;
  time_state.boottime = seconds - borrow - uptime_seconds();
  time_state.adjust = 0;
  splx(s);
}

/** Moves the clock by so many microseconds, bit by bit. Returns what was still to do of an earlier call. */
export function adjust_time(microseconds: i32): i32 {
  const s = splclock();
  const left = time_state.adjust;
  time_state.adjust = microseconds;
  time_state.adjust_tick = microseconds > BIGADJ || microseconds < -BIGADJ ? 10 * TICKADJ : TICKADJ;
  splx(s);
  return left;
}

/** What is still to do of adjust_time. */
export function time_adjustment(): i32 {
  return time_state.adjust;
}

/** A tick: adjust_time's share of it. At splclock. */
export function time_tick(): void {
  if (time_state.adjust == 0) return;
  let step = time_state.adjust;
  if (step > time_state.adjust_tick) step = time_state.adjust_tick;
  else if (step < -time_state.adjust_tick) step = -time_state.adjust_tick;
  time_state.adjust -= step;
  const ahead = i32(time_state.ahead) + step;
  if (ahead < 0) time_state.boottime--;
  else if (ahead >= i32(SECOND)) time_state.boottime++;
  time_state.ahead = u32((ahead + i32(SECOND)) % i32(SECOND));
}
