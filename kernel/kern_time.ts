// The time of day: what the CMOS clock said at boot, plus the ticks since.
import { splclock, splx } from "./i386/intr";
import { mc146818_seconds } from "./i386/mc146818";
import { uptime_seconds, uptime_subticks } from "./kern_clock";
import { HZ } from "./sys/param";

/** Seconds since 1970 at boot. */
const boottime: usize = memory.data<u32>([0]);

/** Reads the CMOS clock. */
export function inittodr(): void {
  store<u32>(boottime, mc146818_seconds() - uptime_seconds());
}

/** When the system started, seconds since 1970. */
export function boottime_seconds(): u32 {
  return load<u32>(boottime);
}

/** Seconds since 1970. */
export function time_second(): u32 {
  return load<u32>(boottime) + uptime_seconds();
}

/** Stores seconds and microseconds (two words) at `tv`; as fine as a tick. */
export function microtime(tv: usize): void {
  const s = splclock();
  store<u32>(tv, time_second());
  store<u32>(tv, uptime_subticks() * (1000000 / HZ), 4);
  splx(s);
}
