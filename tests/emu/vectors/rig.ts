// Executes vectors on the emulated processor, in ring 3 of the address space
// of space.ts. Each exception has a handler that halts; the frame below it and
// the registers are the state after the case.

import { CpuRig } from "../cpu_rig.js";
import type { CpuConfig } from "../../../emu/cpu/cpu.js";
import { ATTRIBUTE_MASK } from "../../../emu/cpu/segments.js";
import { CR0_BIT } from "../../../emu/cpu/state.js";
import {
  CODE_PAGE, DATA_PAGES, FLAT, LOCAL, LOCAL_NAMES, PAGE, READ_ONLY_PAGE, WINDOWS, local, pattern,
} from "./space.js";
import type { LocalSegment } from "./space.js";
import { IMAGE_BYTES, TRAP } from "./vector.js";
import type { Change, Input, Outcome } from "./vector.js";

/** Above all that programs reach by 16-bit addresses. */
const AT = { GDT: 0x220000, IDT: 0x221000, TSS: 0x222000, LDT: 0x222100, DIRECTORY: 0x223000, TABLE: 0x224000,
  HANDLERS: 0x225000, STACK: 0x227000, END: 0x227000 } as const;
const TASK = 0x40;
const TABLE = 0x50;
const GDT_LIMIT = 0x7f;
/** Vectors that a program may call: as Linux has them. */
const CALLABLE: readonly number[] = [TRAP.BP, TRAP.OF];
const WITH_ERROR_CODE = new Set<number>([8, 10, TRAP.NP, TRAP.SS, TRAP.GP, TRAP.PF, TRAP.AC]);
const RAM_BYTES = 0x228000;
const MOST_CLOCKS = 1_000_000;
const PRESENT = 1;
const WRITABLE = 2;
const USER = 4;

type Words = readonly [low: number, high: number];

/** A descriptor of code or data with its accessed bit set. */
function descriptor({ base, limit, big, code, down, restricted, absent }: LocalSegment, privilege: number): Words {
  const coarse = limit > 0xfffff;
  const shown = coarse ? limit >>> 12 : limit;
  const type = (code === true ? 8 : 0) | (down === true ? 4 : 0) | (restricted === true ? 0 : 2) | 1;
  const access = (absent === true ? 0 : 0x80) | (privilege << 5) | 0x10 | type;
  const flags = (coarse ? 8 : 0) | (big === true ? 4 : 0);
  return [
    ((shown & 0xffff) | (base << 16)) >>> 0,
    (((base >>> 16) & 0xff) | (access << 8) | (shown & 0xf0000) | (flags << 20) | (base & 0xff000000)) >>> 0,
  ];
}

function systemDescriptor(base: number, limit: number, access: number): Words {
  return [((base << 16) | limit) >>> 0, ((base >>> 16) & 0xff) | (access << 8) | (base & 0xff000000)];
}

const FLAT_SEGMENT = { base: 0, limit: 0xffffffff, big: true } as const;

/** The global table of Linux as far as programs see it. */
function globalTable(): readonly (readonly [selector: number, words: Words])[] {
  const code = { ...FLAT_SEGMENT, code: true };
  return [
    [FLAT.KERNEL_CODE, descriptor(code, 0)], [FLAT.KERNEL_DATA, descriptor(FLAT_SEGMENT, 0)],
    [FLAT.CODE & ~3, descriptor(code, 3)], [FLAT.DATA & ~3, descriptor(FLAT_SEGMENT, 3)],
    [TASK, systemDescriptor(AT.TSS, 0x67, 0x8b)],
    [TABLE, systemDescriptor(AT.LDT, LOCAL_NAMES.length * 8 - 1, 0x82)],
  ];
}

/** The data windows as they are before a case, as words. */
function templates(): readonly { readonly at: number; readonly bytes: Uint8Array; readonly words: Int32Array }[] {
  return WINDOWS.map(({ at, bytes: length }) => {
    const pages = Buffer.concat([pattern(at & -PAGE), pattern((at & -PAGE) + PAGE)]);
    const bytes = Uint8Array.from(pages.subarray(at % PAGE, at % PAGE + length));
    return { at, bytes, words: new Int32Array(bytes.buffer) };
  });
}

const TEMPLATES = templates();

export class VectorRig extends CpuRig {
  readonly #words: Int32Array;
  readonly #breaks = new Uint8Array(PAGE).fill(0xcc);
  /** Segment registers by selector, as a load leaves them. */
  readonly #segments = new Map<number, Parameters<CpuRig["cpu"]["setSegment"]>[1]>();
  #dirty: { readonly at: number; readonly length: number } = { at: CODE_PAGE, length: PAGE };

  constructor(model: CpuConfig["model"]) {
    super({ model, timing: "none", ramSize: RAM_BYTES,
      coprocessor: { error: () => undefined, ignored: () => false } });
    this.#words = new Int32Array(this.ram.buffer, 0, RAM_BYTES / 4);
    this.#tables();
    this.#pages();
    for (let vector = 0; vector < 256; vector++) {
      const handler = AT.HANDLERS + vector * 16;
      this.put(handler, [0xf4]);
      const privilege = CALLABLE.includes(vector) ? 3 : 0;
      this.setWord(AT.IDT + vector * 8, (FLAT.KERNEL_CODE << 16) | (handler & 0xffff),
        (handler & 0xffff0000) | 0x8e00 | (privilege << 13));
    }
    this.setWord(AT.TSS + 4, AT.STACK, FLAT.KERNEL_DATA);
    this.setWord(AT.TSS + 100, 0x00680000);
    const { cpu } = this;
    cpu.resetFlat(0);
    cpu.setGdtr(AT.GDT, GDT_LIMIT);
    cpu.setIdtr(AT.IDT, 0x7ff);
    cpu.setSegment(6, { selector: TABLE, base: AT.LDT, limit: LOCAL_NAMES.length * 8 - 1, attributes: 0x8200 });
    cpu.setSegment(7, { selector: TASK, base: AT.TSS, limit: 0x67, attributes: 0x8b00 });
    cpu.cr3 = AT.DIRECTORY;
    cpu.cr0 = (cpu.cr0 | CR0_BIT.PE | CR0_BIT.PG | CR0_BIT.NE | (model === "i386" ? 0 : CR0_BIT.WP | CR0_BIT.AM)) >>> 0;
  }

  #tables(): void {
    for (const [selector, [low, high]] of globalTable()) this.setWord(AT.GDT + selector, low, high);
    LOCAL_NAMES.forEach((name, i) => this.setWord(AT.LDT + i * 8, ...descriptor(LOCAL[name], 3)));
    const add = (selector: number, segment: LocalSegment): void => {
      const attributes = descriptor(segment, 3)[1] & ATTRIBUTE_MASK;
      this.#segments.set(selector, { selector, base: segment.base, limit: segment.limit, attributes });
    };
    add(FLAT.CODE, { ...FLAT_SEGMENT, code: true });
    add(FLAT.DATA, FLAT_SEGMENT);
    for (const name of LOCAL_NAMES) add(local(name), LOCAL[name]);
    for (let selector = 0; selector < 4; selector++) {
      this.#segments.set(selector, { selector, base: 0, limit: 0, attributes: 0 });
    }
  }

  #pages(): void {
    this.setWord(AT.DIRECTORY, AT.TABLE | PRESENT | WRITABLE | USER);
    for (let page = AT.GDT as number; page < AT.END; page += PAGE) {
      this.setWord(AT.TABLE + (page >>> 10), page | PRESENT | WRITABLE);
    }
    for (const page of [CODE_PAGE, ...DATA_PAGES]) {
      const writable = page === READ_ONLY_PAGE ? 0 : WRITABLE;
      this.setWord(AT.TABLE + (page >>> 10), page | PRESENT | USER | writable);
    }
    for (const page of DATA_PAGES) this.put(page, pattern(page));
  }

  #restore(): void {
    this.put(this.#dirty.at, this.#breaks.subarray(0, this.#dirty.length));
    for (const { at, bytes } of TEMPLATES) this.ram.set(bytes, at);
  }

  #changes(): Change[] {
    const changes: Change[] = [];
    for (const { at, words } of TEMPLATES) {
      const first = at >>> 2;
      for (let i = 0; i < words.length; i++) {
        const value = this.#words[first + i];
        if (value !== words[i]) changes.push({ at: at + i * 4, value: value >>> 0 });
      }
    }
    return changes;
  }

  /** The state after a case, or what stopped the processor instead of an exception. */
  outcomeOf({ registers, eflags, segments, code, data, image }: Input): Outcome | string {
    const { cpu } = this;
    this.#restore();
    this.put(code.at, code.bytes);
    this.#dirty = { at: code.at, length: code.bytes.length };
    for (const { at, bytes } of data) this.put(at, bytes);
    segments.forEach((selector, i) => cpu.setSegment(i, this.#segments.get(selector)!));
    cpu.registers.set(registers);
    cpu.eip = code.at - this.#segments.get(segments[1])!.base;
    cpu.eflags = eflags;
    if (image !== undefined) this.#loadImage(image);
    const reason = cpu.run(cpu.cycles + MOST_CLOCKS);
    const trap = (cpu.eip - 1 - AT.HANDLERS) / 16;
    if (reason.kind !== "halt" || !Number.isInteger(trap)) {
      return `stopped by ${JSON.stringify(reason)} at ${cpu.eip.toString(16)}`;
    }
    const hasError = WITH_ERROR_CODE.has(trap);
    const frame = AT.STACK - 20;
    const word = (i: number): number => this.#words[(frame >>> 2) + i] >>> 0;
    const after = Int32Array.from(cpu.registers);
    after[4] = word(3);
    const selectors = Uint16Array.from({ length: 6 }, (_, i) => cpu.getSegment(i).selector);
    selectors[1] = word(1);
    selectors[2] = word(4);
    return {
      trap,
      error: hasError ? this.#words[(frame >>> 2) - 1] : 0,
      cr2: trap === TRAP.PF ? cpu.cr2 : 0,
      eip: word(0),
      registers: after,
      eflags: word(2),
      segments: selectors,
      changes: this.#changes(),
      ...(image === undefined ? {} : { image: this.#saveImage() }),
    };
  }

  #loadImage(image: Uint8Array): void {
    const view = new DataView(image.buffer, image.byteOffset);
    const word = (at: number): number => view.getUint16(at, true);
    this.cpu.setCoprocessor({
      CW: word(0), SW: word(4), TW: word(8), FIP: view.getUint32(12, true), FCS: word(16), FOP: word(18) & 0x7ff,
      FDP: view.getUint32(20, true), FDS: word(24),
      ST: Array.from({ length: 8 }, (_, i) => ({
        signExponent: word(36 + i * 10), significand: view.getBigUint64(28 + i * 10, true),
      })),
    });
  }

  #saveImage(): Uint8Array {
    const image = new Uint8Array(IMAGE_BYTES);
    const view = new DataView(image.buffer);
    const { CW, SW, TW, FIP, FCS, FOP, FDP, FDS, ST } = this.cpu.getCoprocessor()!;
    [CW | 0xffff0000, SW | 0xffff0000, TW | 0xffff0000, FIP, FCS | (FOP << 16), FDP, FDS | 0xffff0000]
      .forEach((value, i) => view.setUint32(i * 4, value >>> 0, true));
    ST.forEach(({ signExponent, significand }, i) => {
      view.setBigUint64(28 + i * 10, significand, true);
      view.setUint16(36 + i * 10, signExponent, true);
    });
    return image;
  }
}
