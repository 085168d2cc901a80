// Exact conversion between processor cycles and the ticks of a slower crystal.
//
// Every device clock is derived from the cycle counter by integer arithmetic, so that
// tick n of a crystal begins at one certain cycle and no rounding error accumulates. Whole
// seconds are split off first: the products then stay below 2^53 and doubles hold them exactly.

/** A crystal of `tickHz` seen through a processor clock of `cycleHz`; both start at cycle 0 with tick 0. */
export class Timebase {
  readonly cycleHz: number;
  readonly tickHz: number;

  constructor(cycleHz: number, tickHz: number) {
    this.cycleHz = cycleHz;
    this.tickHz = tickHz;
  }

  /** The number of ticks that have begun up to `cycle`: floor(cycle * tickHz / cycleHz). */
  tickAt(cycle: number): number {
    const seconds = Math.floor(cycle / this.cycleHz);
    const rest = cycle - seconds * this.cycleHz;
    return seconds * this.tickHz + Math.floor((rest * this.tickHz) / this.cycleHz);
  }

  /** The first cycle at which `tickAt` is at least `tick`: ceil(tick * cycleHz / tickHz). */
  cycleOf(tick: number): number {
    const seconds = Math.floor(tick / this.tickHz);
    const rest = tick - seconds * this.tickHz;
    return seconds * this.cycleHz + Math.ceil((rest * this.cycleHz) / this.tickHz);
  }
}

/** The number of whole cycles in `microseconds`, at least one. */
export function cyclesOfMicroseconds(cycleHz: number, microseconds: number): number {
  return Math.max(1, Math.floor((cycleHz * microseconds) / 1_000_000));
}
