// A colour VGA in text mode 3: its registers are kept and read back, its memory is the RAM at B8000. What
// it shows can be read as text. Nothing is drawn, and the planes of the graphics modes do not exist.

import type { ByteDevice } from "./iobus.js";

export const VGA_PORTS = { first: 0x3c0, count: 0x20 } as const;
export const TEXT_MEMORY = 0xb8000;
const TEXT_BYTES = 0x8000;
const COLUMNS = 80;
const ROWS = 25;

const PORT = { ATTRIBUTE: 0x3c0, ATTRIBUTE_READ: 0x3c1, MISC_WRITE: 0x3c2, SEQUENCER: 0x3c4, DAC_READ_INDEX: 0x3c7,
  DAC_WRITE_INDEX: 0x3c8, DAC_DATA: 0x3c9, MISC_READ: 0x3cc, GRAPHICS: 0x3ce, CRTC: 0x3d4, STATUS: 0x3da } as const;
const CRTC_START_HIGH = 0x0c;
const CRTC_START_LOW = 0x0d;
const CRTC_CURSOR_HIGH = 0x0e;
const CRTC_CURSOR_LOW = 0x0f;
/** Vertical retrace and display disabled: both change at each read, so that loops which wait for either end. */
const STATUS_RETRACE = 0x09;
/** Colour addresses, RAM enabled, 28 MHz clock. */
const MISC_TEXT = 0x67;

/** A register file behind an index port and the data port after it. */
class Indexed {
  index = 0;
  readonly data = new Uint8Array(256);

  access(port: number, base: number, value: number | undefined): number {
    if (port === base) {
      if (value !== undefined) this.index = value;
      return this.index;
    }
    if (value !== undefined) this.data[this.index] = value;
    return this.data[this.index]!;
  }
}

export class VgaText implements ByteDevice {
  readonly #crtc = new Indexed();
  readonly #sequencer = new Indexed();
  readonly #graphics = new Indexed();
  readonly #attribute = new Indexed();
  /** The next write to the attribute port is data. */
  #attributeData = false;
  #misc = MISC_TEXT;
  #retrace = 0;
  readonly #palette = new Uint8Array(768);
  #paletteRead = 0;
  #paletteWrite = 0;
  readonly #ram: Uint8Array;

  /** `ram` is physical memory. */
  constructor(ram: Uint8Array) {
    this.#ram = ram;
  }

  readByte(port: number): number {
    switch (port) {
      case PORT.ATTRIBUTE: return this.#attribute.index;
      case PORT.ATTRIBUTE_READ: return this.#attribute.data[this.#attribute.index & 31]!;
      case PORT.MISC_READ: return this.#misc;
      case PORT.DAC_WRITE_INDEX: return Math.floor(this.#paletteWrite / 3);
      case PORT.DAC_DATA: return this.#palette[this.#paletteRead++ % 768]!;
      case PORT.STATUS:
        this.#attributeData = false;
        this.#retrace ^= STATUS_RETRACE;
        return this.#retrace;
      default: return this.#indexed(port, undefined);
    }
  }

  writeByte(port: number, value: number): void {
    switch (port) {
      case PORT.ATTRIBUTE:
        if (this.#attributeData) this.#attribute.data[this.#attribute.index & 31] = value;
        else this.#attribute.index = value;
        this.#attributeData = !this.#attributeData;
        break;
      case PORT.MISC_WRITE: this.#misc = value; break;
      case PORT.DAC_READ_INDEX: this.#paletteRead = value * 3; break;
      case PORT.DAC_WRITE_INDEX: this.#paletteWrite = value * 3; break;
      case PORT.DAC_DATA: this.#palette[this.#paletteWrite++ % 768] = value & 0x3f; break;
      default: this.#indexed(port, value);
    }
  }

  #indexed(port: number, value: number | undefined): number {
    const files: readonly (readonly [number, Indexed])[] =
      [[PORT.SEQUENCER, this.#sequencer], [PORT.GRAPHICS, this.#graphics], [PORT.CRTC, this.#crtc]];
    for (const [base, file] of files) if (port === base || port === base + 1) return file.access(port, base, value);
    return 0xff;
  }

  #word(high: number, low: number): number {
    return (this.#crtc.data[high]! << 8) | this.#crtc.data[low]!;
  }

  /** The 25 lines on the screen, blanks at their ends left out; a byte that is no ASCII character gives a dot. */
  text(): string[] {
    const start = this.#word(CRTC_START_HIGH, CRTC_START_LOW) * 2;
    return Array.from({ length: ROWS }, (_, row) => {
      let line = "";
      for (let column = 0; column < COLUMNS; column++) {
        const code = this.#ram[TEXT_MEMORY + ((start + (row * COLUMNS + column) * 2) & (TEXT_BYTES - 1))]!;
        line += code === 0 ? " " : code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ".";
      }
      return line.trimEnd();
    });
  }

  registers(): Record<string, number> {
    return {
      start: this.#word(CRTC_START_HIGH, CRTC_START_LOW),
      cursor: this.#word(CRTC_CURSOR_HIGH, CRTC_CURSOR_LOW),
      misc: this.#misc,
    };
  }
}
