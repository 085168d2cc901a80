// How a PC hears of coprocessor errors: the error line sets a latch that drives
// interrupt 13, and a write to port F0 clears the latch and lets the processor go
// on in spite of the error (IGNNE#) until the error itself is cleared.

import type { ByteDevice } from "./iobus.js";

/** F0 clears the latch; F1, which reset a 287, does the same here. */
export const COPROCESSOR_PORTS = 0xf0;
export const COPROCESSOR_PORT_COUNT = 2;
const NOTHING = 0xff;

export class CoprocessorError implements ByteDevice {
  readonly #setLine: (level: boolean) => void;
  #latched = false;
  #asserted = false;
  #ignored = false;

  constructor(setLine: (level: boolean) => void) {
    this.#setLine = setLine;
  }

  /** The processor's error line. */
  error(asserted: boolean): void {
    this.#asserted = asserted;
    if (!asserted) this.#ignored = false;
    else if (!this.#ignored) this.#latch(true);
  }

  /** IGNNE#. */
  ignored(): boolean {
    return this.#ignored;
  }

  #latch(level: boolean): void {
    if (this.#latched === level) return;
    this.#latched = level;
    this.#setLine(level);
  }

  readByte(): number {
    return NOTHING;
  }

  writeByte(): void {
    this.#ignored = this.#asserted;
    this.#latch(false);
  }

  /** Latch and lines, for a capture of the machine. */
  registers(): Record<string, number> {
    return { latch: Number(this.#latched), IGNNE: Number(this.#ignored) };
  }
}
