// A processor set up as a kernel sets it up: descriptor tables, a task state
// segment, an IDT, and optionally paging. Handlers are code that tests place.

import { CpuRig } from "./cpu_rig.js";
import type { RigOptions } from "./cpu_rig.js";

export const SELECTOR = {
  KERNEL_CODE: 0x08, KERNEL_DATA: 0x10, USER_CODE: 0x1b, USER_DATA: 0x23, TSS: 0x28, FAULT_TSS: 0x30, ABSENT: 0x38,
  CALL_GATE: 0x43, READ_ONLY: 0x48, SMALL: 0x50, OTHER_TSS: 0x58,
} as const;

export const AT = {
  GDT: 0x1000, IDT: 0x2000, TSS: 0x3000, FAULT_TSS: 0x3100, OTHER_TSS: 0x3200, DIRECTORY: 0x4000, TABLE: 0x5000,
  CODE: 0x10000, HANDLERS: 0x20000, USER_CODE: 0x30000, KERNEL_STACK: 0x50000, FAULT_STACK: 0x58000,
  USER_STACK: 0x60000, DATA: 0x80000,
} as const;

export const PTE = { P: 1, W: 2, U: 4, A: 0x20, D: 0x40 } as const;

/** Writes the two words of a descriptor. */
function descriptor(base: number, limit: number, access: number, flags: number): [number, number] {
  return [
    ((limit & 0xffff) | (base << 16)) >>> 0,
    (((base >>> 16) & 0xff) | (access << 8) | (limit & 0xf0000) | (flags << 20) | (base & 0xff000000)) >>> 0,
  ];
}

export class ProtectedRig extends CpuRig {
  constructor(options: RigOptions = {}) {
    super(options);
    const gdt: readonly (readonly [number, number])[] = [
      [0, 0],
      descriptor(0, 0xfffff, 0x9b, 0xc), descriptor(0, 0xfffff, 0x93, 0xc),
      descriptor(0, 0xfffff, 0xfb, 0xc), descriptor(0, 0xfffff, 0xf3, 0xc),
      descriptor(AT.TSS, 0x67, 0x89, 0), descriptor(AT.FAULT_TSS, 0x67, 0x89, 0), descriptor(0, 0xfffff, 0x12, 0xc),
      // Call gate to ring 0 with two parameters, for ring 3.
      [(SELECTOR.KERNEL_CODE << 16) | (AT.HANDLERS + 0xf00 & 0xffff), (AT.HANDLERS + 0xf00 & 0xffff0000) | 0xec02],
      descriptor(0, 0xfffff, 0x90, 0xc), descriptor(AT.DATA, 0xff, 0x92, 4), descriptor(AT.OTHER_TSS, 0x67, 0x89, 0),
    ];
    gdt.forEach(([low, high], i) => this.setWord(AT.GDT + i * 8, low, high));
    this.cpu.setGdtr(AT.GDT, gdt.length * 8 - 1);
    this.cpu.setIdtr(AT.IDT, 0x7ff);
    this.setWord(AT.TSS + 4, AT.KERNEL_STACK, SELECTOR.KERNEL_DATA);
    this.setWord(AT.TSS + 100, 0x00680000);
    this.cpu.resetFlat(AT.CODE);
    this.cpu.setGdtr(AT.GDT, gdt.length * 8 - 1);
    this.cpu.setIdtr(AT.IDT, 0x7ff);
    this.cpu.setSegment(7, { selector: SELECTOR.TSS, base: AT.TSS, limit: 0x67, attributes: 0x8b00 });
    this.setWord(AT.GDT + SELECTOR.TSS + 4, this.word(AT.GDT + SELECTOR.TSS + 4) | 0x200);
    this.cpu.registers[4] = AT.KERNEL_STACK;
  }

  /** A gate: type 14 interrupt, 15 trap, 5 task (then `target` is a selector). */
  gate(vector: number, target: number, type = 14, dpl = 0): void {
    const [selector, offset] = type === 5 ? [target, 0] : [SELECTOR.KERNEL_CODE, target];
    this.setWord(AT.IDT + vector * 8, (selector << 16) | (offset & 0xffff),
      (offset & 0xffff0000) | 0x8000 | (dpl << 13) | (type << 8));
  }

  /** A handler that halts, its address telling the vector; returns the address. */
  haltingHandler(vector: number, type = 14, dpl = 0): number {
    const address = AT.HANDLERS + vector * 16;
    this.put(address, [0xf4]);
    this.gate(vector, address, type, dpl);
    return address;
  }

  /** Paging on, the first 4 MB mapped to themselves with these bits. */
  page(bits = PTE.P | PTE.W | PTE.U): void {
    this.setWord(AT.DIRECTORY, AT.TABLE | PTE.P | PTE.W | PTE.U);
    for (let i = 0; i < 1024; i++) this.setWord(AT.TABLE + i * 4, (i << 12) | bits);
    this.cpu.cr3 = AT.DIRECTORY;
    this.cpu.cr0 = this.cpu.cr0 | 0x80000000;
  }

  entry(linear: number): number {
    return this.word(AT.TABLE + (linear >>> 12) * 4);
  }

  setEntry(linear: number, value: number): void {
    this.setWord(AT.TABLE + (linear >>> 12) * 4, value);
  }

  /** Goes on at `eip` in ring 3 with flat user segments. */
  user(eip: number = AT.USER_CODE): void {
    const flat = { base: 0, limit: 0xffffffff };
    this.cpu.setSegment(1, { ...flat, selector: SELECTOR.USER_CODE, attributes: 0xc0fb00 });
    for (const segment of [0, 2, 3, 4, 5]) {
      this.cpu.setSegment(segment, { ...flat, selector: SELECTOR.USER_DATA, attributes: 0xc0f300 });
    }
    this.cpu.eip = eip;
    this.cpu.registers[4] = AT.USER_STACK;
  }

  /** Words from the top of the stack up. */
  stackWords(count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.word((this.cpu.registers[4] >>> 0) + i * 4));
  }

  code(address: number, hex: string): number {
    return this.put(address, bytesOf(hex));
  }
}

/** "89 d8 | 01c8" to bytes; bars and blanks are for the reader. */
export function bytesOf(hex: string): number[] {
  const digits = hex.replace(/[^0-9a-fA-F]/g, "");
  return (digits.match(/../g) ?? []).map((pair) => parseInt(pair, 16));
}
