// The event queue of a machine: device timers on the cycle counter.
//
// A machine has about ten timers for its whole life, so the queue is a plain list that is
// scanned; what matters is that the order is certain: by cycle, then by creation of the timer.

/** What the queue needs of the processor: the time, and a way to hear of a nearer event. */
export interface CycleClock {
  /** The current cycle; exact during a port access. */
  now(): number;
  /** Called when the earliest event may have become earlier than it was. */
  eventMoved(): void;
}

/** One pending or idle event of a device. */
export interface Timer {
  /** Fires once at `cycle`, or at once after the current instruction when that has passed; replaces an older date. */
  set(cycle: number): void;
  clear(): void;
  /** The cycle at which the timer fires, Infinity when idle. */
  readonly due: number;
}

class QueuedTimer implements Timer {
  due = Infinity;
  readonly action: (cycle: number) => void;
  readonly #clock: CycleClock;

  constructor(clock: CycleClock, action: (cycle: number) => void) {
    this.#clock = clock;
    this.action = action;
  }

  set(cycle: number): void {
    this.due = cycle;
    this.#clock.eventMoved();
  }

  clear(): void {
    this.due = Infinity;
  }
}

export class EventQueue {
  readonly #clock: CycleClock;
  readonly #timers: QueuedTimer[] = [];

  constructor(clock: CycleClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  /** A new idle timer; `action` gets the cycle it was due, which may lie a little before now. */
  timer(action: (cycle: number) => void): Timer {
    const timer = new QueuedTimer(this.#clock, action);
    this.#timers.push(timer);
    return timer;
  }

  /** The cycle of the earliest event, Infinity when there is none. */
  nextDue(): number {
    let due = Infinity;
    for (const timer of this.#timers) if (timer.due < due) due = timer.due;
    return due;
  }

  /** Fires every event due at or before `cycle`, in order; events may set further ones. */
  fireDue(cycle: number): void {
    for (;;) {
      let first: QueuedTimer | undefined;
      for (const timer of this.#timers) {
        if (timer.due <= cycle && (first === undefined || timer.due < first.due)) first = timer;
      }
      if (first === undefined) return;
      const due = first.due;
      first.due = Infinity;
      first.action(due);
    }
  }
}
