// What the boards of a PC add around the chips: port 0x61 (timer gate and output), the reset lines
// of the 8042 keyboard controller (ports 0x60 and 0x64) and of port 0x92. There is no keyboard.
// The A20 line is always open; its bits are kept and read back only.

import type { ByteDevice } from "./iobus.js";
import type { I8254 } from "./i8254.js";

export const PORT_B = 0x61;
export const KEYBOARD_DATA = 0x60;
export const KEYBOARD_COMMAND = 0x64;
export const SYSTEM_CONTROL_A = 0x92;

const PORT_B_GATE2 = 0x01;
const PORT_B_WRITABLE = 0x0f;
const PORT_B_REFRESH = 0x10;
const PORT_B_OUT2 = 0x20;
const STATUS_OBF = 0x01;
/** System flag, last write was a command, keyboard not locked: as firmware leaves the controller. */
const STATUS_IDLE = 0x1c;
const COMMAND_READ_OUTPUT_PORT = 0xd0;
const COMMAND_WRITE_OUTPUT_PORT = 0xd1;
/** Commands 0xf0-0xff pulse the output lines whose bits are 0; line 0 is the processor's reset. */
const COMMAND_PULSE = 0xf0;
const OUTPUT_NOT_RESET = 0x01;
const OUTPUT_A20 = 0x02;
const CONTROL_A_RESET = 0x01;

/** Ports 0x60, 0x61, 0x64 and 0x92. */
export class SystemControl implements ByteDevice {
  #portB = 0;
  #refresh = false;
  #outputPort = OUTPUT_NOT_RESET | OUTPUT_A20;
  #controlA = OUTPUT_A20;
  #expectsOutputPort = false;
  #answer: number | undefined;
  readonly #timer: I8254;
  readonly #reset: () => void;

  constructor(timer: I8254, reset: () => void) {
    this.#timer = timer;
    this.#reset = reset;
  }

  readByte(port: number): number {
    switch (port) {
      case PORT_B:
        // The refresh bit toggles at each read, so that loops which wait for a change end.
        this.#refresh = !this.#refresh;
        return this.#portB | (this.#refresh ? PORT_B_REFRESH : 0) | (this.#timer.out2() ? PORT_B_OUT2 : 0);
      case SYSTEM_CONTROL_A:
        return this.#controlA;
      case KEYBOARD_COMMAND:
        return STATUS_IDLE | (this.#answer === undefined ? 0 : STATUS_OBF);
      default: {
        const answer = this.#answer ?? 0;
        this.#answer = undefined;
        return answer;
      }
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
      case KEYBOARD_COMMAND:
        this.#command(value);
        break;
      default:
        if (!this.#expectsOutputPort) break;
        this.#expectsOutputPort = false;
        this.#outputPort = value | OUTPUT_NOT_RESET;
        if ((value & OUTPUT_NOT_RESET) === 0) this.#reset();
    }
  }

  #command(value: number): void {
    this.#expectsOutputPort = value === COMMAND_WRITE_OUTPUT_PORT;
    if (value === COMMAND_READ_OUTPUT_PORT) this.#answer = this.#outputPort;
    else if (value >= COMMAND_PULSE && (value & OUTPUT_NOT_RESET) === 0) this.#reset();
  }
}
