// The pair of 8259A interrupt controllers of a PC: fifteen lines, the second chip hanging
// on line 2 of the first. Register names (ICW1-4, OCW1-3, IRR, ISR, IMR) are the data sheet's.
//
// One deviation is shared with QEMU: in edge mode a request that has been latched stays latched
// when its line falls again, so a device that withdraws its request does not cause a spurious
// interrupt. Spurious interrupts 7 and 15 occur when a request is masked before it is acknowledged.

import type { ByteDevice } from "./iobus.js";

const ICW1_INIT = 0x10;
const ICW1_LTIM = 0x08;
const ICW1_SNGL = 0x02;
const ICW1_IC4 = 0x01;
const ICW4_SFNM = 0x10;
const ICW4_AEOI = 0x02;
const OCW3_MARK = 0x08;
const OCW3_ESMM = 0x40;
const OCW3_SMM = 0x20;
const OCW3_POLL = 0x04;
const OCW3_RR = 0x02;
const OCW3_RIS = 0x01;

/** The line of the first chip that carries the second. */
const CASCADE = 2;
const SPURIOUS = 7;

/** The commands in the top three bits of OCW2. */
const OCW2 = {
  rotateInAeoiClear: 0,
  nonspecificEoi: 1,
  nothing: 2,
  specificEoi: 3,
  rotateInAeoiSet: 4,
  rotateOnNonspecificEoi: 5,
  setPriority: 6,
  rotateOnSpecificEoi: 7,
} as const;

/** One 8259A. */
export class I8259 {
  IRR = 0;
  ISR = 0;
  IMR = 0;
  ICW2 = 0;
  ICW4 = 0;
  /** The line of lowest priority; the one after it has the highest. */
  #lowest = 7;
  /** The ICW expected next at the odd port: 2, 3, 4, or 0 when initialised. */
  #expectedICW = 0;
  #needsICW4 = false;
  #single = false;
  #levelTriggered = false;
  #readISR = false;
  #poll = false;
  #specialMask = false;
  #rotateInAEOI = false;
  /** The levels of the input lines. */
  #lines = 0;
  readonly #isFirst: boolean;

  constructor(isFirst: boolean) {
    this.#isFirst = isFirst;
  }

  /** Drives input line `line`. */
  setLine(line: number, level: boolean): void {
    const bit = 1 << line;
    if (level) {
      if (this.#levelTriggered || (this.#lines & bit) === 0) this.IRR |= bit;
      this.#lines |= bit;
    } else {
      if (this.#levelTriggered) this.IRR &= ~bit;
      this.#lines &= ~bit;
    }
  }

  /** The set line of highest priority in `bits`, counted from the line after the lowest: 0-7, 8 when none. */
  #priorityOf(bits: number): number {
    for (let priority = 0; priority < 8; priority++) {
      if (bits & (1 << ((priority + this.#lowest + 1) & 7))) return priority;
    }
    return 8;
  }

  /** The line the chip asks to be served now, -1 for none: the state of its INT output. */
  request(): number {
    const priority = this.#priorityOf(this.IRR & ~this.IMR);
    if (priority === 8) return -1;
    let inService = this.ISR;
    if (this.#specialMask) inService &= ~this.IMR;
    if ((this.ICW4 & ICW4_SFNM) !== 0 && this.#isFirst) inService &= ~(1 << CASCADE);
    if (priority >= this.#priorityOf(inService)) return -1;
    return (priority + this.#lowest + 1) & 7;
  }

  /** The INTA sequence for `line`: moves the request into service. */
  enterService(line: number): void {
    const bit = 1 << line;
    if (!this.#levelTriggered) this.IRR &= ~bit;
    if ((this.ICW4 & ICW4_AEOI) === 0) this.ISR |= bit;
    else if (this.#rotateInAEOI) this.#lowest = line;
  }

  /** Acknowledges the request of highest priority. Returns its line, 7 when it has vanished. */
  acknowledge(): number {
    const line = this.request();
    if (line < 0) return SPURIOUS;
    this.enterService(line);
    return line;
  }

  /** Reads port A0=0 (IRR, ISR or the poll word) or A0=1 (IMR). */
  read(a0: number): number {
    if (this.#poll) {
      this.#poll = false;
      const line = this.request();
      if (line < 0) return 0;
      this.enterService(line);
      return 0x80 | line;
    }
    if (a0 === 1) return this.IMR;
    return this.#readISR ? this.ISR : this.IRR;
  }

  write(a0: number, value: number): void {
    if (a0 === 1) this.#writeOdd(value);
    else if (value & ICW1_INIT) this.#writeICW1(value);
    else if (value & OCW3_MARK) this.#writeOCW3(value);
    else this.#writeOCW2(value);
  }

  /** ICW1 starts the initialisation and resets the edge detectors, masks and priorities. */
  #writeICW1(value: number): void {
    this.#levelTriggered = (value & ICW1_LTIM) !== 0;
    this.IRR = this.#levelTriggered ? this.#lines : 0;
    this.ISR = 0;
    this.IMR = 0;
    this.ICW4 = 0;
    this.#lowest = 7;
    this.#readISR = false;
    this.#poll = false;
    this.#specialMask = false;
    this.#rotateInAEOI = false;
    this.#single = (value & ICW1_SNGL) !== 0;
    this.#needsICW4 = (value & ICW1_IC4) !== 0;
    this.#expectedICW = 2;
  }

  #writeOdd(value: number): void {
    switch (this.#expectedICW) {
      case 0:
        this.IMR = value;
        break;
      case 2:
        this.ICW2 = value & 0xf8;
        this.#expectedICW = !this.#single ? 3 : this.#needsICW4 ? 4 : 0;
        break;
      case 3:
        this.#expectedICW = this.#needsICW4 ? 4 : 0;
        break;
      default:
        this.ICW4 = value;
        this.#expectedICW = 0;
    }
  }

  #writeOCW2(value: number): void {
    const command = value >> 5;
    const line = value & 7;
    switch (command) {
      case OCW2.rotateInAeoiClear:
      case OCW2.rotateInAeoiSet:
        this.#rotateInAEOI = command === OCW2.rotateInAeoiSet;
        break;
      case OCW2.nonspecificEoi:
      case OCW2.rotateOnNonspecificEoi: {
        const priority = this.#priorityOf(this.ISR);
        if (priority === 8) break;
        const served = (priority + this.#lowest + 1) & 7;
        this.ISR &= ~(1 << served);
        if (command === OCW2.rotateOnNonspecificEoi) this.#lowest = served;
        break;
      }
      case OCW2.specificEoi:
        this.ISR &= ~(1 << line);
        break;
      case OCW2.setPriority:
        this.#lowest = line;
        break;
      case OCW2.rotateOnSpecificEoi:
        this.ISR &= ~(1 << line);
        this.#lowest = line;
        break;
      default:
        break;
    }
  }

  #writeOCW3(value: number): void {
    if (value & OCW3_ESMM) this.#specialMask = (value & OCW3_SMM) !== 0;
    if (value & OCW3_POLL) this.#poll = true;
    else if (value & OCW3_RR) this.#readISR = (value & OCW3_RIS) !== 0;
  }
}

/** The two chips as wired in a PC: ports 0x20-21, 0xa0-a1 and the edge/level register 0x4d0-1. */
export class I8259Pair implements ByteDevice {
  readonly first = new I8259(true);
  readonly second = new I8259(false);
  /** Edge/level control: kept and read back; the mode of the lines is ICW1's. */
  readonly #ELCR = [0, 0];
  readonly #requestChanged: (pending: boolean) => void;

  /** `requestChanged` is told the state of the INT output after every change that may alter it. */
  constructor(requestChanged: (pending: boolean) => void) {
    this.#requestChanged = requestChanged;
  }

  /** Drives one of the lines 0-15 (2 is the cascade and not for devices). */
  setLine(irq: number, level: boolean): void {
    if (irq < 8) this.first.setLine(irq, level);
    else this.second.setLine(irq - 8, level);
    this.#update();
  }

  /** Passes the second chip's output on and tells the processor. */
  #update(): void {
    this.first.setLine(CASCADE, this.second.request() >= 0);
    this.#requestChanged(this.pending());
  }

  /** Whether the processor's INTR pin is high. */
  pending(): boolean {
    return this.first.request() >= 0;
  }

  /** The processor's interrupt acknowledge cycle. Returns the vector. */
  acknowledge(): number {
    const line = this.first.acknowledge();
    let vector = this.first.ICW2 + line;
    if (line === CASCADE) {
      vector = this.second.ICW2 + this.second.acknowledge();
      // The second chip's output falls during the acknowledge, so a further request makes a new edge.
      this.first.setLine(CASCADE, false);
    }
    this.#update();
    return vector;
  }

  readByte(port: number): number {
    if (port >= 0x4d0) return this.#ELCR[port & 1]!;
    const value = (port < 0xa0 ? this.first : this.second).read(port & 1);
    this.#update();
    return value;
  }

  writeByte(port: number, value: number): void {
    if (port >= 0x4d0) {
      this.#ELCR[port & 1] = value;
      return;
    }
    (port < 0xa0 ? this.first : this.second).write(port & 1, value);
    this.#update();
  }

  /** The registers by their data-sheet names. */
  registers(): Record<string, number> {
    const { first, second } = this;
    return {
      IRR: first.IRR | (second.IRR << 8),
      ISR: first.ISR | (second.ISR << 8),
      IMR: first.IMR | (second.IMR << 8),
      "first.ICW2": first.ICW2,
      "second.ICW2": second.ICW2,
    };
  }
}
