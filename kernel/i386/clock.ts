// The 8254: channel 0 interrupts HZ times a second and is the measure for
// delay().
import { disable_intr, inb, outb, read_eflags, write_eflags } from "./cpufunc";
import { IPL_CLOCK, intr_establish } from "./intr";
import { hardclock } from "../kern_clock";
import { HZ } from "../sys/param";

const TIMER_FREQ: u32 = 1193182;
const TIMER_CNTR0: u32 = 0x40;
const TIMER_MODE: u32 = 0x43;
/** Channel 0, both bytes, mode 2 (rate generator). */
const SEL0_16BIT_RATEGEN: u32 = 0x34;
const SEL0_LATCH: u32 = 0x00;
const CLOCK_IRQ: u32 = 0;

/** Counts of one tick. */
const TIMER_DIV: u32 = (TIMER_FREQ + HZ / 2) / HZ;

function clockintr(frame: usize): i32 {
  hardclock(frame);
  return 1;
}

/** Sets the counter going; no interrupts yet. */
export function startrtclock(): void {
  outb(TIMER_MODE, SEL0_16BIT_RATEGEN);
  outb(TIMER_CNTR0, TIMER_DIV & 0xff);
  outb(TIMER_CNTR0, TIMER_DIV >> 8);
}

/** Lets the clock interrupt. */
export function cpu_initclocks(): void {
  intr_establish(CLOCK_IRQ, IPL_CLOCK, clockintr.index, 0);
}

/** The counter now; it falls from TIMER_DIV to 1 and starts over. */
export function gettick(): u32 {
  const eflags = read_eflags();
  disable_intr();
  outb(TIMER_MODE, SEL0_LATCH);
  const low = inb(TIMER_CNTR0);
  const high = inb(TIMER_CNTR0);
  write_eflags(eflags);
  return ((high & 0xff) << 8) | (low & 0xff);
}

/** Waits `microseconds` without sleeping. */
export function delay(microseconds: u32): void {
  let last = gettick();
  let left = i64(microseconds) * 4887 >> 12;
  while (left > 0) {
    const now = gettick();
    left -= i64(now <= last ? last - now : last + TIMER_DIV - now);
    last = now;
  }
}
