// 8042 keyboard controller with a keyboard behind it: ports 0x60 and 0x64, line 1.
//
// Answers and scan codes wait in one queue; the head of it is in the output buffer. The keyboard sends
// what `keys` is given: codes of set 1, as they come out of the controller's translation. There is no
// mouse: commands to it are answered by a time-out. The output port carries the reset line and A20,
// which is always open here; its bit is kept and read back only.

import type { ByteDevice } from "./iobus.js";

export const KEYBOARD_DATA = 0x60;
export const KEYBOARD_COMMAND = 0x64;

const STATUS = { OBF: 0x01, SYS: 0x04, COMMAND: 0x08, UNLOCKED: 0x10, TIMEOUT: 0x40 } as const;
const CONTROL = { INTERRUPT: 0x01, SYS: 0x04, DISABLED: 0x10, TRANSLATE: 0x40 } as const;
const COMMAND = {
  READ_RAM: 0x20, WRITE_RAM: 0x60, DISABLE_MOUSE: 0xa7, ENABLE_MOUSE: 0xa8, TEST_MOUSE: 0xa9, SELF_TEST: 0xaa,
  TEST_KEYBOARD: 0xab, DISABLE_KEYBOARD: 0xad, ENABLE_KEYBOARD: 0xae, READ_INPUT_PORT: 0xc0, READ_OUTPUT_PORT: 0xd0,
  WRITE_OUTPUT_PORT: 0xd1, WRITE_OUTPUT_BUFFER: 0xd2, WRITE_MOUSE: 0xd4, PULSE: 0xf0,
} as const;
const SELF_TEST_PASSED = 0x55;
const INTERFACE_GOOD = 0x00;
/** The clock line of the mouse is stuck: nothing is connected. */
const INTERFACE_STUCK = 0x02;
/** Keyboard not locked, colour display. */
const INPUT_PORT = 0x80;
/** Commands 0xf0-0xff pulse the output lines whose bits are 0; line 0 is the processor's reset. */
const OUTPUT_NOT_RESET = 0x01;
const OUTPUT_A20 = 0x02;

const KEYBOARD = { LEDS: 0xed, ECHO: 0xee, SCAN_SET: 0xf0, IDENTIFY: 0xf2, RATE: 0xf3, ENABLE: 0xf4, DISABLE: 0xf5,
  DEFAULTS: 0xf6, RESET: 0xff } as const;
const ACKNOWLEDGE = 0xfa;
const RESEND = 0xfe;
const KEYBOARD_TEST_PASSED = 0xaa;
/** An MF2 keyboard behind translation. */
const IDENTITY = [0xab, 0x41] as const;
const QUEUE_MOST = 64;

export class I8042 implements ByteDevice {
  #control = CONTROL.INTERRUPT | CONTROL.SYS | CONTROL.TRANSLATE;
  #status: number = STATUS.SYS | STATUS.COMMAND | STATUS.UNLOCKED;
  #outputPort = OUTPUT_NOT_RESET | OUTPUT_A20;
  #data = 0;
  readonly #queue: number[] = [];
  /** Command that waits for its byte at port 0x60, or -1. */
  #pending = -1;
  /** Keyboard command that waits for its argument, or -1. */
  #keyboardPending = -1;
  readonly #setIRQ: (level: boolean) => void;
  readonly #reset: () => void;

  /** `reset` is the processor's reset line. */
  constructor(setIRQ: (level: boolean) => void, reset: () => void) {
    this.#setIRQ = setIRQ;
    this.#reset = reset;
  }

  /** Scan codes of set 1 from the keyboard; what finds no room is lost, as on the real one. */
  keys(codes: Iterable<number>): void {
    for (const code of codes) this.#send(code);
  }

  #send(...bytes: number[]): void {
    for (const byte of bytes) if (this.#queue.length < QUEUE_MOST) this.#queue.push(byte & 0xff);
    this.#update();
  }

  #update(): void {
    const full = this.#queue.length > 0;
    this.#status = full ? this.#status | STATUS.OBF : this.#status & ~STATUS.OBF;
    this.#setIRQ(full && (this.#control & CONTROL.INTERRUPT) !== 0);
  }

  readByte(port: number): number {
    if (port === KEYBOARD_COMMAND) return this.#status;
    const next = this.#queue.shift();
    if (next === undefined) return this.#data;
    this.#data = next;
    this.#status &= ~STATUS.TIMEOUT;
    // The line falls between two bytes, so that each has its edge.
    this.#setIRQ(false);
    this.#update();
    return next;
  }

  writeByte(port: number, value: number): void {
    if (port === KEYBOARD_COMMAND) {
      this.#status |= STATUS.COMMAND;
      this.#command(value);
      return;
    }
    this.#status &= ~STATUS.COMMAND;
    const pending = this.#pending;
    this.#pending = -1;
    switch (pending) {
      case -1: this.#keyboard(value); break;
      case COMMAND.WRITE_RAM:
        this.#control = value;
        this.#status = (this.#status & ~STATUS.SYS) | (value & CONTROL.SYS);
        this.#update();
        break;
      case COMMAND.WRITE_OUTPUT_PORT: this.#writeOutputPort(value); break;
      case COMMAND.WRITE_OUTPUT_BUFFER: this.#send(value); break;
      default:
        this.#status |= STATUS.TIMEOUT;
        this.#send(RESEND);
    }
  }

  #writeOutputPort(value: number): void {
    this.#outputPort = value | OUTPUT_NOT_RESET;
    if ((value & OUTPUT_NOT_RESET) === 0) this.#reset();
  }

  #command(value: number): void {
    this.#pending = -1;
    switch (value) {
      case COMMAND.READ_RAM: this.#send(this.#control); break;
      case COMMAND.TEST_MOUSE: this.#send(INTERFACE_STUCK); break;
      case COMMAND.SELF_TEST:
        this.#status |= STATUS.SYS;
        this.#queue.length = 0;
        this.#send(SELF_TEST_PASSED);
        break;
      case COMMAND.TEST_KEYBOARD: this.#send(INTERFACE_GOOD); break;
      case COMMAND.DISABLE_KEYBOARD: this.#control |= CONTROL.DISABLED; break;
      case COMMAND.ENABLE_KEYBOARD: this.#control &= ~CONTROL.DISABLED; break;
      case COMMAND.READ_INPUT_PORT: this.#send(INPUT_PORT); break;
      case COMMAND.READ_OUTPUT_PORT: this.#send(this.#outputPort); break;
      case COMMAND.WRITE_RAM: case COMMAND.WRITE_OUTPUT_PORT: case COMMAND.WRITE_OUTPUT_BUFFER: case COMMAND.WRITE_MOUSE:
        this.#pending = value;
        break;
      default:
        if (value >= COMMAND.PULSE && (value & OUTPUT_NOT_RESET) === 0) this.#reset();
    }
  }

  /** A byte for the keyboard itself. */
  #keyboard(value: number): void {
    if (this.#keyboardPending >= 0) {
      this.#keyboardPending = -1;
      this.#send(ACKNOWLEDGE);
      return;
    }
    switch (value) {
      case KEYBOARD.ECHO: this.#send(KEYBOARD.ECHO); break;
      case KEYBOARD.LEDS: case KEYBOARD.SCAN_SET: case KEYBOARD.RATE:
        this.#keyboardPending = value;
        this.#send(ACKNOWLEDGE);
        break;
      case KEYBOARD.IDENTIFY: this.#send(ACKNOWLEDGE, ...IDENTITY); break;
      case KEYBOARD.ENABLE: case KEYBOARD.DISABLE: case KEYBOARD.DEFAULTS: this.#send(ACKNOWLEDGE); break;
      case KEYBOARD.RESET: this.#send(ACKNOWLEDGE, KEYBOARD_TEST_PASSED); break;
      default: this.#send(RESEND);
    }
  }

  registers(): Record<string, number> {
    return { status: this.#status, control: this.#control, outputPort: this.#outputPort, queued: this.#queue.length };
  }
}
