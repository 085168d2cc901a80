// The 16550A serial interface. Register and bit names are the data sheet's.
//
// The transmitter is immediate: a byte written to THR leaves at the same cycle, so THRE and TEMT are
// always set and a polling guest never waits. The receiver takes queued input bytes, each stamped with
// the earliest cycle at which it may arrive, and holds back what finds no room, so no byte overruns.

import type { ByteDevice } from "./iobus.js";
import type { EventQueue, Timer } from "./events.js";

const IER_ERBFI = 0x01;
const IER_ETBEI = 0x02;
const IER_ELSI = 0x04;
const IER_EDSSI = 0x08;
const IIR_NONE = 0x01;
const IIR_RLS = 0x06;
const IIR_RDA = 0x04;
const IIR_TIMEOUT = 0x0c;
const IIR_THRE = 0x02;
const IIR_MS = 0x00;
const IIR_FIFOS = 0xc0;
const FCR_ENABLE = 0x01;
const FCR_RESET_RECEIVER = 0x02;
const LCR_DLAB = 0x80;
const LCR_BREAK = 0x40;
const MCR_OUT2 = 0x08;
const MCR_LOOP = 0x10;
const LSR_DR = 0x01;
const LSR_OE = 0x02;
const LSR_BI = 0x10;
const LSR_THRE = 0x20;
const LSR_TEMT = 0x40;
const MSR_CTS = 0x10;
const MSR_DSR = 0x20;
const MSR_DCD = 0x80;
/** A break in the receiver: reads as 0, and LSR tells while it is the first of what has arrived. */
const BREAK = 0x100;
const FIFO_SIZE = 16;
const TRIGGER_LEVELS = [1, 4, 8, 14] as const;
/** The crystal divided by 16 gives the rate of divisor 1. */
const BAUD_BASE = 115200;

export class NS16550 implements ByteDevice {
  #IER = 0;
  #LCR = 0;
  #MCR = MCR_OUT2;
  #LSR = LSR_THRE | LSR_TEMT;
  #MSR = MSR_DCD | MSR_DSR | MSR_CTS;
  #SCR = 0;
  #FCR = 0;
  #divisor = 12;
  #receiver: number[] = [];
  #timeoutPending = false;
  /** The transmitter became empty and no one has read that from IIR. */
  #threPending = false;
  readonly #queue: { cycle: number; byte: number }[] = [];
  readonly #base: number;
  readonly #events: EventQueue;
  readonly #cycleHz: number;
  readonly #arrival: Timer;
  readonly #timeout: Timer;
  readonly #setIRQ: (level: boolean) => void;
  readonly #output: (byte: number) => void;

  constructor(
    base: number,
    events: EventQueue,
    cycleHz: number,
    setIRQ: (level: boolean) => void,
    output: (byte: number) => void,
  ) {
    this.#base = base;
    this.#events = events;
    this.#cycleHz = cycleHz;
    this.#setIRQ = setIRQ;
    this.#output = output;
    this.#arrival = events.timer(() => this.#receiveQueued());
    this.#timeout = events.timer(() => {
      this.#timeoutPending = this.#receiver.length > 0;
      this.#update();
    });
  }

  /** Queues bytes that reach the receiver at `cycle` or as soon after it as there is room. */
  input(bytes: Iterable<number>, cycle: number): void {
    for (const byte of bytes) this.#enqueue(byte & 0xff, cycle);
    this.#planArrival();
  }

  /** Queues a break of the line, likewise. */
  inputBreak(cycle: number): void {
    this.#enqueue(BREAK, cycle);
    this.#planArrival();
  }

  #enqueue(byte: number, cycle: number): void {
    let at = this.#queue.length;
    while (at > 0 && this.#queue[at - 1]!.cycle > cycle) at--;
    this.#queue.splice(at, 0, { cycle, byte });
  }

  /** Cycles that one character of the set format takes on the line. */
  #characterCycles(): number {
    const bits = 7 + (this.#LCR & 3) + ((this.#LCR >> 2) & 1) + ((this.#LCR >> 3) & 1);
    return Math.max(1, Math.ceil((this.#cycleHz * bits * Math.max(1, this.#divisor)) / BAUD_BASE));
  }

  #fifos(): boolean {
    return (this.#FCR & FCR_ENABLE) !== 0;
  }

  #room(): number {
    return (this.#fifos() ? FIFO_SIZE : 1) - this.#receiver.length;
  }

  #planArrival(): void {
    const head = this.#queue[0];
    if (head === undefined || this.#room() <= 0 || this.#MCR & MCR_LOOP) this.#arrival.clear();
    else this.#arrival.set(Math.max(head.cycle, this.#events.now()));
  }

  #receiveQueued(): void {
    const now = this.#events.now();
    while (this.#queue.length > 0 && this.#queue[0]!.cycle <= now && this.#room() > 0) {
      this.#receive(this.#queue.shift()!.byte);
    }
    this.#planArrival();
    this.#update();
  }

  #receive(byte: number): void {
    if (this.#room() <= 0) {
      this.#LSR |= LSR_OE;
      if (!this.#fifos()) this.#receiver[0] = byte;
    } else this.#receiver.push(byte);
    this.#noticeBreak();
    this.#timeoutPending = false;
    if (this.#fifos()) this.#timeout.set(this.#events.now() + 4 * this.#characterCycles());
  }

  #noticeBreak(): void {
    if (this.#receiver[0] === BREAK) this.#LSR |= LSR_BI;
  }

  #dataAvailable(): boolean {
    const level = this.#fifos() ? TRIGGER_LEVELS[(this.#FCR >> 6) & 3]! : 1;
    return this.#receiver.length >= level;
  }

  /** The interrupt of highest priority, in IIR's code. */
  #interrupt(): number {
    if (this.#IER & IER_ELSI && this.#LSR & (LSR_OE | LSR_BI)) return IIR_RLS;
    if (this.#IER & IER_ERBFI && this.#timeoutPending) return IIR_TIMEOUT;
    if (this.#IER & IER_ERBFI && this.#dataAvailable()) return IIR_RDA;
    if (this.#IER & IER_ETBEI && this.#threPending) return IIR_THRE;
    if (this.#IER & IER_EDSSI && this.#MSR & 0x0f) return IIR_MS;
    return IIR_NONE;
  }

  /** Drives the interrupt line, which OUT2 gates on a PC. */
  #update(): void {
    this.#setIRQ(this.#interrupt() !== IIR_NONE && (this.#MCR & MCR_OUT2) !== 0);
  }

  /** MSR's levels: the cable's, or MCR's outputs in loopback. */
  #modemLevels(): number {
    if ((this.#MCR & MCR_LOOP) === 0) return MSR_DCD | MSR_DSR | MSR_CTS;
    return ((this.#MCR & 0x0c) << 4) | ((this.#MCR & 0x02) << 3) | ((this.#MCR & 0x01) << 5);
  }

  #updateModem(): void {
    const levels = this.#modemLevels();
    const changed = (this.#MSR ^ levels) & 0xf0;
    // TERI marks only the trailing edge of the ring indicator.
    const deltas = (changed >> 4) & (0x0b | (levels & 0x40 ? 0 : 0x04));
    this.#MSR = levels | (this.#MSR & 0x0f) | deltas;
  }

  readByte(port: number): number {
    const register = port - this.#base;
    const value = this.#readRegister(register);
    this.#update();
    return value;
  }

  #readRegister(register: number): number {
    switch (register) {
      case 0:
        return this.#LCR & LCR_DLAB ? this.#divisor & 0xff : this.#readRBR();
      case 1:
        return this.#LCR & LCR_DLAB ? this.#divisor >> 8 : this.#IER;
      case 2: {
        const interrupt = this.#interrupt();
        if (interrupt === IIR_THRE) this.#threPending = false;
        return interrupt | (this.#fifos() ? IIR_FIFOS : 0);
      }
      case 3:
        return this.#LCR;
      case 4:
        return this.#MCR;
      case 5: {
        const value = this.#LSR | (this.#receiver.length > 0 ? LSR_DR : 0);
        this.#LSR &= ~(LSR_OE | LSR_BI);
        return value;
      }
      case 6: {
        const value = this.#MSR;
        this.#MSR &= 0xf0;
        return value;
      }
      default:
        return this.#SCR;
    }
  }

  #readRBR(): number {
    const byte = (this.#receiver.shift() ?? 0) & 0xff;
    this.#noticeBreak();
    this.#timeoutPending = false;
    if (this.#fifos() && this.#receiver.length > 0) {
      this.#timeout.set(this.#events.now() + 4 * this.#characterCycles());
    } else this.#timeout.clear();
    this.#planArrival();
    return byte;
  }

  writeByte(port: number, value: number): void {
    this.#writeRegister(port - this.#base, value);
    this.#update();
  }

  #writeRegister(register: number, value: number): void {
    switch (register) {
      case 0:
        if (this.#LCR & LCR_DLAB) this.#divisor = (this.#divisor & 0xff00) | value;
        else this.#transmit(value);
        break;
      case 1:
        if (this.#LCR & LCR_DLAB) this.#divisor = (this.#divisor & 0xff) | (value << 8);
        else {
          // Enabling the transmitter interrupt while THR is empty asks for one at once.
          if (value & IER_ETBEI & ~this.#IER) this.#threPending = true;
          this.#IER = value & 0x0f;
        }
        break;
      case 2:
        this.#writeFCR(value);
        break;
      case 3:
        this.#LCR = value;
        if (value & LCR_BREAK && this.#MCR & MCR_LOOP) this.#LSR |= LSR_BI;
        break;
      case 4:
        this.#MCR = value & 0x1f;
        this.#updateModem();
        this.#planArrival();
        break;
      case 7:
        this.#SCR = value;
        break;
      default:
        break;
    }
  }

  #transmit(byte: number): void {
    if (this.#MCR & MCR_LOOP) this.#receive(byte);
    else this.#output(byte);
    this.#threPending = true;
  }

  #writeFCR(value: number): void {
    if (((value ^ this.#FCR) & FCR_ENABLE) !== 0 || value & FCR_RESET_RECEIVER) {
      this.#receiver = [];
      this.#timeoutPending = false;
      this.#timeout.clear();
    }
    this.#FCR = value & FCR_ENABLE ? value & 0xc9 : 0;
    this.#planArrival();
  }

  /** The registers by their data-sheet names. */
  registers(): Record<string, number> {
    return {
      IER: this.#IER,
      LCR: this.#LCR,
      MCR: this.#MCR,
      LSR: this.#LSR | (this.#receiver.length > 0 ? LSR_DR : 0),
      MSR: this.#MSR,
      SCR: this.#SCR,
      FCR: this.#FCR,
      divisor: this.#divisor,
    };
  }
}
