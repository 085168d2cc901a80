// The 8254 interval timer. Counter 0 drives interrupt line 0, counter 2 the speaker, with its gate
// at port 0x61. The names (control word, CR, OUT, GATE, read-back) are the data sheet's.
//
// A counter is not stepped: its count and its output follow from the tick at which the count was
// loaded. `loaded` is that tick; the count written by a program is loaded on the next tick of the
// 1193182 Hz clock. A new count in the periodic modes 2 and 3 waits for the end of the period.

import type { ByteDevice } from "./iobus.js";
import type { EventQueue, Timer } from "./events.js";
import { Timebase } from "./timebase.js";

export const PIT_HZ = 1193182;

/** The RW field of the control word. */
const RW = { latch: 0, low: 1, high: 2, lowThenHigh: 3 } as const;
const READ_BACK_COUNTER = 3;

function fromBCD(value: number): number {
  let result = 0;
  for (let digit = 12; digit >= 0; digit -= 4) result = result * 10 + ((value >> digit) & 15);
  return result;
}

function toBCD(value: number): number {
  let result = 0;
  for (let shift = 0, rest = value; shift < 16; shift += 4, rest = Math.floor(rest / 10)) {
    result |= (rest % 10) << shift;
  }
  return result;
}

/** One of the three counters; all times are ticks of the timer's clock. */
export class Counter {
  mode = 0;
  #RW: number = RW.lowThenHigh;
  #BCD = false;
  /** The period or count, 1-65536 (10000 in BCD); meaningless until `#armed`. */
  #count = 65536;
  /** The value written for the next period, with the tick at which it takes over. */
  #next: { count: number; from: number } | undefined;
  /** The tick at which the count was loaded. */
  #loaded = 0;
  /** A count has been written since the control word. */
  #armed = false;
  /** Modes 1 and 5: the gate has triggered. */
  #triggered = false;
  GATE: boolean;
  /** Ticks counted when the gate stopped the count, undefined while it runs. */
  #stopped: number | undefined;
  #writeHigh = false;
  #writeLow = 0;
  #readHigh = false;
  #latchedCount: number | undefined;
  #latchedStatus: number | undefined;

  constructor(gate: boolean) {
    this.GATE = gate;
  }

  /** The number of counts after which the counter is zero. */
  #modulus(): number {
    return this.#BCD ? 10000 : 65536;
  }

  #periodic(): boolean {
    return this.mode === 2 || this.mode === 3;
  }

  /** Lets a waiting count take over when its period has come. */
  #advance(tick: number): void {
    if (this.#next !== undefined && tick >= this.#next.from) {
      this.#count = this.#next.count;
      this.#loaded = this.#next.from;
      this.#next = undefined;
    }
  }

  /** Ticks counted since the load, 0 before it. */
  #elapsed(tick: number): number {
    return this.#stopped ?? Math.max(0, tick - this.#loaded);
  }

  writeControl(value: number, tick: number): void {
    this.#RW = (value >> 4) & 3;
    const mode = (value >> 1) & 7;
    this.mode = mode > 5 ? mode & 3 : mode;
    this.#BCD = (value & 1) !== 0;
    this.#armed = false;
    this.#triggered = false;
    this.#next = undefined;
    this.#stopped = undefined;
    this.#loaded = tick;
    this.#writeHigh = false;
    this.#readHigh = false;
    this.#latchedCount = undefined;
    this.#latchedStatus = undefined;
  }

  writeCount(value: number, tick: number): void {
    if (this.#RW === RW.low) this.#load(value, tick);
    else if (this.#RW === RW.high) this.#load(value << 8, tick);
    else if (this.#writeHigh) {
      this.#writeHigh = false;
      this.#load(this.#writeLow | (value << 8), tick);
    } else {
      this.#writeHigh = true;
      this.#writeLow = value;
    }
  }

  #load(written: number, tick: number): void {
    const count = (this.#BCD ? fromBCD(written) : written) || this.#modulus();
    this.#advance(tick);
    if (this.#periodic() && this.#armed && this.#stopped === undefined) {
      const periods = Math.floor(this.#elapsed(tick) / this.#count) + 1;
      this.#next = { count, from: this.#loaded + periods * this.#count };
      return;
    }
    this.#armed = true;
    this.#count = count;
    if (this.mode === 1 || this.mode === 5) return;
    this.#loaded = tick + 1;
    this.#stopped = this.GATE ? undefined : 0;
  }

  setGate(level: boolean, tick: number): void {
    this.#advance(tick);
    const rising = level && !this.GATE;
    const falling = !level && this.GATE;
    this.GATE = level;
    switch (this.mode) {
      case 1:
      case 5:
        if (rising) {
          this.#triggered = true;
          this.#loaded = tick + 1;
        }
        break;
      case 2:
      case 3:
        if (rising) this.#loaded = tick + 1;
        if (rising) this.#stopped = undefined;
        if (falling) this.#stopped = 0;
        break;
      default:
        if (falling) this.#stopped = this.#elapsed(tick);
        if (rising && this.#stopped !== undefined) {
          this.#loaded = tick - this.#stopped;
          this.#stopped = undefined;
        }
    }
  }

  /** The counting element's value at `tick`, as a program reads it. */
  countAt(tick: number): number {
    this.#advance(tick);
    const elapsed = this.#elapsed(tick);
    let value: number;
    if (this.mode === 2) value = this.#count - (elapsed % this.#count);
    else if (this.mode === 3) value = this.#count - ((2 * elapsed) % this.#count);
    else value = this.#count - elapsed;
    const modulus = this.#modulus();
    const wrapped = ((value % modulus) + modulus) % modulus;
    return this.#BCD ? toBCD(wrapped) : wrapped;
  }

  /** The level of OUT at `tick`. */
  outAt(tick: number): boolean {
    this.#advance(tick);
    const elapsed = this.#elapsed(tick);
    switch (this.mode) {
      case 0:
        return this.#armed && elapsed >= this.#count;
      case 1:
        return !this.#triggered || elapsed >= this.#count;
      case 2:
        return !this.#armed || this.#stopped !== undefined || elapsed % this.#count !== this.#count - 1;
      case 3:
        if (!this.#armed || this.#stopped !== undefined) return true;
        return elapsed % this.#count < (this.#count + 1) >> 1;
      case 4:
        return !this.#armed || elapsed !== this.#count;
      default:
        return !this.#triggered || elapsed !== this.#count;
    }
  }

  /** The first tick after `tick` at which OUT rises if nothing is written, Infinity when it does not. */
  nextRise(tick: number): number {
    this.#advance(tick);
    if (!this.#armed || this.#stopped !== undefined) return Infinity;
    if (this.#periodic()) {
      const periods = Math.floor(this.#elapsed(tick) / this.#count) + 1;
      return this.#loaded + periods * this.#count;
    }
    if ((this.mode === 1 || this.mode === 5) && !this.#triggered) return Infinity;
    // The strobe of modes 4 and 5 is low for the one tick at which the count is zero.
    const rise = this.#loaded + this.#count + (this.mode >= 4 ? 1 : 0);
    return rise > tick ? rise : Infinity;
  }

  latchCount(tick: number): void {
    this.#latchedCount ??= this.countAt(tick);
  }

  latchStatus(tick: number): void {
    if (this.#latchedStatus !== undefined) return;
    const nullCount = !this.#armed || this.#next !== undefined || tick < this.#loaded;
    this.#latchedStatus =
      (this.outAt(tick) ? 0x80 : 0) | (nullCount ? 0x40 : 0) | (this.#RW << 4) | (this.mode << 1) | (this.#BCD ? 1 : 0);
  }

  read(tick: number): number {
    if (this.#latchedStatus !== undefined) {
      const status = this.#latchedStatus;
      this.#latchedStatus = undefined;
      return status;
    }
    const count = this.#latchedCount ?? this.countAt(tick);
    if (this.#RW === RW.lowThenHigh && !this.#readHigh) {
      this.#readHigh = true;
      return count & 0xff;
    }
    this.#readHigh = false;
    this.#latchedCount = undefined;
    return this.#RW === RW.low ? count & 0xff : count >> 8;
  }
}

/** The chip at ports 0x40-0x43. */
export class I8254 implements ByteDevice {
  readonly counters = [new Counter(true), new Counter(true), new Counter(false)] as const;
  readonly timebase: Timebase;
  readonly #events: EventQueue;
  readonly #timer: Timer;
  readonly #setIRQ0: (level: boolean) => void;

  constructor(events: EventQueue, cycleHz: number, setIRQ0: (level: boolean) => void) {
    this.timebase = new Timebase(cycleHz, PIT_HZ);
    this.#events = events;
    this.#setIRQ0 = setIRQ0;
    this.#timer = events.timer(() => this.#outRises());
  }

  #tick(): number {
    return this.timebase.tickAt(this.#events.now());
  }

  /** OUT of counter 0 makes its rising edge. */
  #outRises(): void {
    this.#setIRQ0(false);
    this.#setIRQ0(true);
    this.#plan();
  }

  /** Sets the timer to the next rising edge of counter 0. */
  #plan(): void {
    const rise = this.counters[0].nextRise(this.#tick());
    if (rise === Infinity) this.#timer.clear();
    else this.#timer.set(this.timebase.cycleOf(rise));
  }

  /** GATE of counter 2, from port 0x61. */
  setGate2(level: boolean): void {
    this.counters[2].setGate(level, this.#tick());
  }

  /** OUT of counter 2, for port 0x61. */
  out2(): boolean {
    return this.counters[2].outAt(this.#tick());
  }

  readByte(port: number): number {
    const index = port & 3;
    return index === 3 ? 0 : this.counters[index]!.read(this.#tick());
  }

  writeByte(port: number, value: number): void {
    const index = port & 3;
    const tick = this.#tick();
    if (index === 3) this.#writeControl(value, tick);
    else this.counters[index]!.writeCount(value, tick);
    if (index === 0 || (index === 3 && value >> 6 === 0)) {
      if (!this.counters[0].outAt(tick)) this.#setIRQ0(false);
      this.#plan();
    }
  }

  #writeControl(value: number, tick: number): void {
    const select = value >> 6;
    if (select === READ_BACK_COUNTER) {
      this.counters.forEach((counter, i) => {
        if ((value & (2 << i)) === 0) return;
        if ((value & 0x20) === 0) counter.latchCount(tick);
        if ((value & 0x10) === 0) counter.latchStatus(tick);
      });
    } else if (((value >> 4) & 3) === RW.latch) this.counters[select]!.latchCount(tick);
    else this.counters[select]!.writeControl(value, tick);
  }

  /** Mode and present count of the three counters. */
  registers(): Record<string, number> {
    const tick = this.#tick();
    const result: Record<string, number> = {};
    this.counters.forEach((counter, i) => {
      result[`mode${i}`] = counter.mode;
      result[`count${i}`] = counter.countAt(tick);
    });
    return result;
  }
}
