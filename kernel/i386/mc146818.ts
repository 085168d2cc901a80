// The MC146818 clock: read once at boot for the time of day.
import { inb, outb } from "./cpufunc";

const IO_RTC: u32 = 0x70;
const MC_SEC: u32 = 0x0;
const MC_MIN: u32 = 0x2;
const MC_HOUR: u32 = 0x4;
const MC_DOM: u32 = 0x7;
const MC_MONTH: u32 = 0x8;
const MC_YEAR: u32 = 0x9;
const MC_REGA: u32 = 0xa;
const MC_REGB: u32 = 0xb;
const MC_REGA_UIP: u32 = 0x80;
const MC_REGB_BINARY: u32 = 0x04;

/** Rounds of waiting for a clock that never stops updating. */
const UPDATE_PATIENCE: u32 = 100000;

/** Register `reg` of the clock. */
export function mc146818_read(reg: u32): u32 {
  outb(IO_RTC, reg);
  return inb(IO_RTC + 1) & 0xff;
}

/** A time register as a number; the chip counts in BCD unless told otherwise. */
function read_time_register(reg: u32): u32 {
  const value = mc146818_read(reg);
  if ((mc146818_read(MC_REGB) & MC_REGB_BINARY) != 0) return value;
  return (value >> 4) * 10 + (value & 0xf);
}

/** Days before the first of `month` (1-12) in a year. */
function days_before_month(month: u32, leap: bool): u32 {
  const days: usize = memory.data<u16>([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]);
  const before: u32 = load<u16>(days + (month - 1) * 2);
  return leap && month > 2 ? before + 1 : before;
}

/** Seconds since 1970 of the chip's time, taken as UTC. Two-digit years below 70 are of this century. */
export function mc146818_seconds(): u32 {
  let patience = UPDATE_PATIENCE;
  while ((mc146818_read(MC_REGA) & MC_REGA_UIP) != 0 && patience > 0) patience--;
  const second = read_time_register(MC_SEC);
  const minute = read_time_register(MC_MIN);
  const hour = read_time_register(MC_HOUR);
  const day = read_time_register(MC_DOM);
  const month = read_time_register(MC_MONTH);
  const short_year = read_time_register(MC_YEAR);
  const year = short_year < 70 ? short_year + 2000 : short_year + 1900;
  if (month < 1 || month > 12 || day < 1) return 0;
  const leaps = (year - 1969) / 4;
  const days = (year - 1970) * 365 + leaps + days_before_month(month, year % 4 == 0) + day - 1;
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}
