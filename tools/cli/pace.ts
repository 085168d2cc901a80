// Keeps a guest that somebody sits at from running ahead of the clock on the wall: an idle processor jumps to its next
// event, so `sleep 100` would be over at once.

/** Milliseconds that the guest may be ahead, and behind before what it has missed is forgiven. */
const AHEAD = 5;
const BEHIND = 250;

export class Pace {
  private readonly clockHz: number;
  private wall = performance.now();
  private cycles: number;
  private wake: () => void = () => undefined;

  constructor(clockHz: number, cycles: number) {
    this.clockHz = clockHz;
    this.cycles = cycles;
  }

  /** Waits until the wall's clock has reached the guest's, which stands at `cycles`, or somebody interrupts. */
  async wait(cycles: number): Promise<void> {
    const ahead = ((cycles - this.cycles) / this.clockHz) * 1000 - (performance.now() - this.wall);
    if (ahead < -BEHIND) {
      this.wall = performance.now();
      this.cycles = cycles;
    }
    if (ahead < AHEAD) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ahead);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends a waiting: a key has been pressed. */
  interrupt(): void {
    this.wake();
  }
}
