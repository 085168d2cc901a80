// The MC146818 clock with the CMOS memory of a PC, at ports 0x70-0x71.
//
// The time of day is the configured start plus the cycle counter, read through a crystal of
// 32768 Hz; the host's clock plays no part. The flags of register C are worked out when they are read
// or when an enabled interrupt falls due, from the time since they were last looked at.

import type { ByteDevice } from "./iobus.js";
import type { EventQueue, Timer } from "./events.js";
import { civilOfSeconds, secondsOfCivil, weekdayOfSeconds, SECONDS_PER_DAY } from "./calendar.js";
import { Timebase } from "./timebase.js";

const CRYSTAL_HZ = 32768;
/** Register A's UIP is set for 244 microseconds before each update: 8 ticks of the crystal. */
const UIP_TICKS = 8;

const REGISTER = {
  seconds: 0,
  secondsAlarm: 1,
  minutes: 2,
  minutesAlarm: 3,
  hours: 4,
  hoursAlarm: 5,
  dayOfWeek: 6,
  dayOfMonth: 7,
  month: 8,
  year: 9,
  A: 10,
  B: 11,
  C: 12,
  D: 13,
  century: 0x32,
  centuryOfPS2: 0x37,
} as const;

const A_UIP = 0x80;
const A_DV_NORMAL = 0x20;
const B_SET = 0x80;
const B_PIE = 0x40;
const B_AIE = 0x20;
const B_UIE = 0x10;
const B_DM = 0x04;
const B_24 = 0x02;
const C_IRQF = 0x80;
const C_PF = 0x40;
const C_AF = 0x20;
const C_UF = 0x10;
const D_VRT = 0x80;
const HOURS_PM = 0x80;
/** An alarm byte of 0xc0 or more matches any value. */
const ALARM_ANY = 0xc0;

const ALARMS = [
  { alarm: REGISTER.secondsAlarm, unit: "second" },
  { alarm: REGISTER.minutesAlarm, unit: "minute" },
  { alarm: REGISTER.hoursAlarm, unit: "hour" },
] as const;

/** Crystal ticks in one period of rate selector RS, 0 for none: selectors 1 and 2 repeat 8 and 9. */
function periodTicks(RS: number): number {
  if (RS === 0) return 0;
  return 1 << ((RS <= 2 ? RS + 7 : RS) - 1);
}

export class MC146818 implements ByteDevice {
  /** All 128 bytes; those of the running time hold only what a program wrote while SET was on. */
  readonly #memory = new Uint8Array(128);
  #address = 0;
  /** Seconds since 1970 at cycle 0. */
  #base: number;
  /** While SET is on: the time that stands still. */
  #frozen: number | undefined;
  /** The crystal tick up to which register C has been worked out. */
  #seen = 0;
  readonly #crystal: Timebase;
  readonly #events: EventQueue;
  readonly #timer: Timer;
  readonly #setIRQ8: (level: boolean) => void;

  /** `base` is the time of day at cycle 0 in seconds since 1970. */
  constructor(events: EventQueue, cycleHz: number, base: number, setIRQ8: (level: boolean) => void) {
    this.#events = events;
    this.#base = base;
    this.#crystal = new Timebase(cycleHz, CRYSTAL_HZ);
    this.#setIRQ8 = setIRQ8;
    this.#memory[REGISTER.A] = A_DV_NORMAL | 6;
    this.#memory[REGISTER.B] = B_24;
    this.#timer = events.timer(() => this.#workOutFlags());
  }

  /** Sets a byte of the battery-backed memory, as the firmware left it. */
  store(index: number, value: number): void {
    this.#memory[index] = value;
  }

  #tick(): number {
    return this.#crystal.tickAt(this.#events.now());
  }

  /** The time of day in seconds since 1970. */
  #seconds(): number {
    return this.#frozen ?? this.#base + Math.floor(this.#tick() / CRYSTAL_HZ);
  }

  #encode(value: number): number {
    return this.#memory[REGISTER.B]! & B_DM ? value : (Math.floor(value / 10) << 4) | (value % 10);
  }

  #decode(value: number): number {
    return this.#memory[REGISTER.B]! & B_DM ? value : (value >> 4) * 10 + (value & 15);
  }

  #encodeHours(hour: number): number {
    if (this.#memory[REGISTER.B]! & B_24) return this.#encode(hour);
    return this.#encode(hour % 12 === 0 ? 12 : hour % 12) | (hour >= 12 ? HOURS_PM : 0);
  }

  #decodeHours(value: number): number {
    if (this.#memory[REGISTER.B]! & B_24) return this.#decode(value);
    return (this.#decode(value & ~HOURS_PM) % 12) + (value & HOURS_PM ? 12 : 0);
  }

  readByte(port: number): number {
    if ((port & 1) === 0) return 0xff;
    return this.#readRegister(this.#address);
  }

  #readRegister(index: number): number {
    const now = this.#seconds();
    const time = civilOfSeconds(now);
    switch (index) {
      case REGISTER.seconds:
        return this.#encode(time.second);
      case REGISTER.minutes:
        return this.#encode(time.minute);
      case REGISTER.hours:
        return this.#encodeHours(time.hour);
      case REGISTER.dayOfWeek:
        return weekdayOfSeconds(now);
      case REGISTER.dayOfMonth:
        return this.#encode(time.day);
      case REGISTER.month:
        return this.#encode(time.month);
      case REGISTER.year:
        return this.#encode(time.year % 100);
      case REGISTER.century:
      case REGISTER.centuryOfPS2:
        return this.#encode(Math.floor(time.year / 100));
      case REGISTER.A:
        return this.#memory[REGISTER.A]! | (this.#updateInProgress() ? A_UIP : 0);
      case REGISTER.C:
        return this.#readC();
      case REGISTER.D:
        return D_VRT;
      default:
        return this.#memory[index]!;
    }
  }

  #updateInProgress(): boolean {
    return this.#frozen === undefined && this.#tick() % CRYSTAL_HZ >= CRYSTAL_HZ - UIP_TICKS;
  }

  #readC(): number {
    this.#workOutFlags();
    const value = this.#memory[REGISTER.C]!;
    this.#memory[REGISTER.C] = 0;
    this.#setIRQ8(false);
    this.#plan();
    return value;
  }

  writeByte(port: number, value: number): void {
    if ((port & 1) === 0) this.#address = value & 0x7f;
    else this.#writeRegister(this.#address, value);
  }

  #writeRegister(index: number, value: number): void {
    this.#workOutFlags();
    if (index === REGISTER.A) this.#memory[REGISTER.A] = value & ~A_UIP;
    else if (index === REGISTER.B) this.#writeB(value);
    else if (index <= REGISTER.year || index === REGISTER.century || index === REGISTER.centuryOfPS2) {
      if (index <= REGISTER.hoursAlarm && (index & 1) === 1) this.#memory[index] = value;
      else this.#writeTime(index, value);
    } else if (index > REGISTER.D) this.#memory[index] = value;
    this.#plan();
  }

  #writeB(value: number): void {
    if (value & B_SET && this.#frozen === undefined) this.#frozen = this.#seconds();
    if ((value & B_SET) === 0 && this.#frozen !== undefined) {
      this.#base = this.#frozen - Math.floor(this.#tick() / CRYSTAL_HZ);
      this.#frozen = undefined;
    }
    // Setting SET also clears UIE.
    this.#memory[REGISTER.B] = value & B_SET ? value & ~B_UIE : value;
  }

  /** Changes one field of the time of day. */
  #writeTime(index: number, value: number): void {
    const now = this.#seconds();
    const time = civilOfSeconds(now);
    const number = this.#decode(value);
    if (index === REGISTER.seconds) time.second = number;
    else if (index === REGISTER.minutes) time.minute = number;
    else if (index === REGISTER.hours) time.hour = this.#decodeHours(value);
    else if (index === REGISTER.dayOfMonth) time.day = number;
    else if (index === REGISTER.month) time.month = number;
    else if (index === REGISTER.year) time.year = Math.floor(time.year / 100) * 100 + number;
    else if (index === REGISTER.century || index === REGISTER.centuryOfPS2) {
      time.year = number * 100 + (time.year % 100);
    }
    const changed = secondsOfCivil(time);
    if (this.#frozen !== undefined) this.#frozen = changed;
    else this.#base += changed - now;
  }

  #alarmMatches(seconds: number): boolean {
    const time = civilOfSeconds(seconds);
    return ALARMS.every(({ alarm, unit }) => {
      const value = this.#memory[alarm]!;
      if (value >= ALARM_ANY) return true;
      return (unit === "hour" ? this.#decodeHours(value) : this.#decode(value)) === time[unit];
    });
  }

  /** Whether the alarm time comes within the updates from second `from` to second `to`, both included. */
  #alarmWithin(from: number, to: number): boolean {
    for (let second = Math.max(from, to - SECONDS_PER_DAY); second <= to; second++) {
      if (this.#alarmMatches(second)) return true;
    }
    return false;
  }

  /** Brings register C up to now and drives the interrupt line. */
  #workOutFlags(): void {
    const tick = this.#tick();
    const period = periodTicks(this.#memory[REGISTER.A]! & 15);
    let flags = this.#memory[REGISTER.C]!;
    if (period > 0 && Math.floor(tick / period) > Math.floor(this.#seen / period)) flags |= C_PF;
    const firstUpdate = Math.floor(this.#seen / CRYSTAL_HZ) + 1;
    const lastUpdate = Math.floor(tick / CRYSTAL_HZ);
    if (lastUpdate >= firstUpdate && this.#frozen === undefined) {
      flags |= C_UF;
      if (this.#alarmWithin(this.#base + firstUpdate, this.#base + lastUpdate)) flags |= C_AF;
    }
    this.#seen = tick;
    if (flags & this.#memory[REGISTER.B]! & (B_PIE | B_AIE | B_UIE)) flags |= C_IRQF;
    this.#memory[REGISTER.C] = flags;
    this.#setIRQ8((flags & C_IRQF) !== 0);
    this.#plan();
  }

  /** Sets the timer for the next moment at which an enabled interrupt may fall due. */
  #plan(): void {
    const enabled = this.#memory[REGISTER.B]!;
    const period = periodTicks(this.#memory[REGISTER.A]! & 15);
    const tick = this.#tick();
    let next = Infinity;
    if (this.#memory[REGISTER.C]! & C_IRQF) next = Infinity;
    else {
      if (enabled & B_PIE && period > 0) next = (Math.floor(tick / period) + 1) * period;
      if (enabled & (B_AIE | B_UIE)) next = Math.min(next, (Math.floor(tick / CRYSTAL_HZ) + 1) * CRYSTAL_HZ);
    }
    if (next === Infinity) this.#timer.clear();
    else this.#timer.set(this.#crystal.cycleOf(next));
  }

  /** The time and the four registers. */
  registers(): Record<string, number> {
    return {
      seconds: this.#seconds(),
      A: this.#memory[REGISTER.A]!,
      B: this.#memory[REGISTER.B]!,
      C: this.#memory[REGISTER.C]!,
    };
  }
}
