// What the boards of a PC add around the chips: port 0x61 (timer gate, speaker, timer output), port 0x92
// and the reset register 0xcf9. The A20 line is always open; its bits are kept and read back only.

import type { ByteDevice } from "./iobus.js";
import type { I8254 } from "./i8254.js";

export const PORT_B = 0x61;
export const SYSTEM_CONTROL_A = 0x92;
export const RESET_CONTROL = 0xcf9;

const PORT_B_GATE2 = 0x01;
const PORT_B_SPEAKER = 0x02;
const PORT_B_WRITABLE = 0x0f;
const PORT_B_REFRESH = 0x10;
const PORT_B_OUT2 = 0x20;
const CONTROL_A_A20 = 0x02;
const CONTROL_A_RESET = 0x01;
/** The reset register acts when this bit goes up. */
const RESET_CPU = 0x04;

/** Ports 0x61, 0x92 and 0xcf9. */
export class SystemControl implements ByteDevice {
  #portB = 0;
  #refresh = false;
  #controlA = CONTROL_A_A20;
  #resetControl = 0;
  readonly #timer: I8254;
  readonly #reset: () => void;

  constructor(timer: I8254, reset: () => void) {
    this.#timer = timer;
    this.#reset = reset;
  }

  /** The speaker hears the timer: both its gate and its data bit are set. */
  get speakerOn(): boolean {
    return (this.#portB & (PORT_B_GATE2 | PORT_B_SPEAKER)) === (PORT_B_GATE2 | PORT_B_SPEAKER);
  }

  readByte(port: number): number {
    switch (port) {
      case PORT_B:
        // The refresh bit toggles at each read, so that loops which wait for a change end.
        this.#refresh = !this.#refresh;
        return this.#portB | (this.#refresh ? PORT_B_REFRESH : 0) | (this.#timer.out2() ? PORT_B_OUT2 : 0);
      case SYSTEM_CONTROL_A:
        return this.#controlA;
      default:
        return this.#resetControl;
    }
  }

  writeByte(port: number, value: number): void {
    switch (port) {
      case PORT_B:
        this.#portB = value & PORT_B_WRITABLE;
        this.#timer.setGate2((value & PORT_B_GATE2) !== 0);
        break;
      case SYSTEM_CONTROL_A:
        this.#controlA = value & ~CONTROL_A_RESET;
        if (value & CONTROL_A_RESET) this.#reset();
        break;
      default: {
        const rises = (value & ~this.#resetControl & RESET_CPU) !== 0;
        this.#resetControl = value & ~RESET_CPU;
        if (rises) this.#reset();
      }
    }
  }
}
