// Segment registers: loading descriptors with the checks of the SDM, and the
// address of an operand in a segment that is not flat.
//
// A segment is flat when its base is 0, its limit 4 GB and it may be read and
// written; decoded code addresses flat segments without looking at them.
// DECODE_KEY tells which of DS, ES and SS are not flat, and which code segment
// (base, limit, size) is loaded; blocks of decoded code belong to one key. A flat
// SS also has 32-bit stack pointers.
//
// Real mode and virtual-8086 mode have no descriptors: a load sets the base to
// 16 times the selector. Real mode leaves limit and attributes as protected mode
// left them and checks the limit alone; virtual-8086 mode sets both.
import type { Faults } from "./faults.js";
import type { Memory } from "./memory.js";
import {
  ATTRIBUTES, BASE, CPL, CR0, CR0_BIT, CS, DECODE_KEY, DS, EFLAGS, ES, FLAG, GDT_BASE, GDT_LIMIT, LDTR, LIMIT,
  LINEAR_PAGES, MODE, SELECTOR, SS, VECTOR, segmentWord,
} from "./state.js";
import type { State } from "./state.js";

/** Bits of a descriptor's second word. */
export const DESCRIPTOR = {
  ACCESSED: 0x100, WRITABLE: 0x200, READABLE: 0x200, EXPAND_DOWN: 0x400, CONFORMING: 0x400, CODE: 0x800,
  SEGMENT: 0x1000, DPL: 0x6000, PRESENT: 0x8000, BIG: 0x400000, GRANULAR: 0x800000,
} as const;

/** Attribute bits kept in the hidden part of a segment register. */
export const ATTRIBUTE_MASK = 0x00f0ff00;

/** Attributes and limit of every segment in virtual-8086 mode: writable data of ring 3. */
const V86_ATTRIBUTES = 0xf300;
const LIMIT_64K = 0xffff;
/** What a real-mode load makes of a segment register that protected mode left unusable. */
const REAL_ATTRIBUTES = 0x9300;

/** System descriptor types (bits 8..11 of the second word). */
export const SYSTEM_TYPE = {
  TSS16: 1, LDT: 2, TSS16_BUSY: 3, CALL_GATE16: 4, TASK_GATE: 5, INTERRUPT_GATE16: 6, TRAP_GATE16: 7,
  TSS: 9, TSS_BUSY: 11, CALL_GATE: 12, INTERRUPT_GATE: 14, TRAP_GATE: 15,
} as const;

/** Bits of DECODE_KEY. */
export const KEY = { DS: 1, ES: 2, SS: 4, CODE_SHIFT: 3 } as const;

export interface Descriptor {
  selector: number;
  low: number;
  high: number;
}

export interface Segments {
  /** Reads a descriptor; outside its table raises `vector` with the selector. `extra` is the EXT bit. */
  readDescriptor(selector: number, vector: number, extra?: number): Descriptor;
  /** Sets the accessed bit of a code or data descriptor in its table. */
  setAccessed(descriptor: Descriptor): void;
  /** Sets or clears bit 9 of the second word: the busy bit of a TSS. */
  setBusy(descriptor: Descriptor, busy: boolean): void;
  /** MOV, POP and LxS to DS ES FS GS or SS. */
  load(segment: number, selector: number): void;
  /** Fills a segment register from a descriptor, without checks. */
  fill(segment: number, selector: number, descriptor: Descriptor): void;
  /** Marks a segment register unusable. */
  fillNull(segment: number, selector: number): void;
  /** Fills a segment register as real or virtual-8086 mode loads it. */
  fillReal(segment: number, selector: number): void;
  /** Checks a stack segment for a privilege level; raises `vector` (or #SS when absent). `extra` is the EXT bit. */
  checkStack(descriptor: Descriptor, privilege: number, vector: number, extra?: number): void;
  /** Protected mode proper: selectors name descriptors. */
  isProtected(): boolean;
  /** Virtual-8086 mode. */
  isVirtual(): boolean;
  /** Sets CPL and what depends on it. */
  setPrivilege(privilege: number): void;
  /** After a segment register was set directly. */
  updateKey(): void;
  /** Linear address of `size` bytes at `offset`; raises #GP(0) or #SS(0). */
  linear(segment: number, offset: number, size: number, write: boolean): number;
  /** The code segment of the present key. */
  codeSegment(): { readonly base: number; readonly limit: number; readonly big: boolean };
}

export function baseOf(descriptor: Descriptor): number {
  const { low, high } = descriptor;
  return (low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000);
}

/** Limit in bytes, inclusive, as a signed word. */
export function limitOf(descriptor: Descriptor): number {
  const limit = (descriptor.low & 0xffff) | (descriptor.high & 0xf0000);
  return (descriptor.high & DESCRIPTOR.GRANULAR) !== 0 ? (limit << 12) | 0xfff : limit;
}

export function privilegeOf(descriptor: Descriptor): number {
  return (descriptor.high >>> 13) & 3;
}

export function isPresentDescriptor(descriptor: Descriptor): boolean {
  return (descriptor.high & DESCRIPTOR.PRESENT) !== 0;
}

export function isCode(descriptor: Descriptor): boolean {
  return (descriptor.high & (DESCRIPTOR.SEGMENT | DESCRIPTOR.CODE)) === (DESCRIPTOR.SEGMENT | DESCRIPTOR.CODE);
}

/** Type of a system descriptor; -1 for code and data. */
export function systemTypeOf(descriptor: Descriptor): number {
  return (descriptor.high & DESCRIPTOR.SEGMENT) !== 0 ? -1 : (descriptor.high >>> 8) & 15;
}

export function createSegments(state: State, faults: Faults, memory: Memory): Segments {
  const { S } = state;
  const codeSegments: { base: number; limit: number; big: boolean }[] = [{ base: 0, limit: -1, big: true }];
  const codeIndices = new Map<string, number>([["0 -1 true", 0]]);

  const word = (segment: number, which: number): number => S[segmentWord(segment, which)];

  /** Usable as read-write data by flat code. */
  function isFlat(segment: number): boolean {
    const attributes = word(segment, ATTRIBUTES);
    const kind = DESCRIPTOR.SEGMENT | DESCRIPTOR.CODE | DESCRIPTOR.EXPAND_DOWN | DESCRIPTOR.WRITABLE;
    return word(segment, BASE) === 0 && word(segment, LIMIT) === -1
      && (attributes & kind) === (DESCRIPTOR.SEGMENT | DESCRIPTOR.WRITABLE)
      && (segment !== SS || (attributes & DESCRIPTOR.BIG) !== 0);
  }

  const isVirtual = (): boolean => (S[EFLAGS] & FLAG.VM) !== 0;
  const isProtected = (): boolean => (S[CR0] & CR0_BIT.PE) !== 0 && !isVirtual();

  /** Index of the code segment among those seen; 0 is the flat one. */
  function codeIndex(): number {
    const base = word(CS, BASE);
    const limit = word(CS, LIMIT);
    const big = (word(CS, ATTRIBUTES) & DESCRIPTOR.BIG) !== 0;
    const name = `${base} ${limit} ${big}`;
    const found = codeIndices.get(name);
    if (found !== undefined) return found;
    codeIndices.set(name, codeSegments.length);
    codeSegments.push({ base, limit, big });
    return codeSegments.length - 1;
  }

  function updateKey(): void {
    const data = (isFlat(DS) ? 0 : KEY.DS) | (isFlat(ES) ? 0 : KEY.ES) | (isFlat(SS) ? 0 : KEY.SS);
    S[DECODE_KEY] = data | (codeIndex() << KEY.CODE_SHIFT);
  }

  function set(segment: number, selector: number, base: number, limit: number, attributes: number): void {
    const first = segmentWord(segment, 0);
    S[first + SELECTOR] = selector;
    S[first + BASE] = base;
    S[first + LIMIT] = limit;
    S[first + ATTRIBUTES] = attributes;
    if (segment <= DS) updateKey();
  }

  function fill(segment: number, selector: number, descriptor: Descriptor): void {
    set(segment, selector, baseOf(descriptor), limitOf(descriptor), descriptor.high & ATTRIBUTE_MASK);
  }

  function fillReal(segment: number, selector: number): void {
    const virtual = isVirtual();
    const old = word(segment, ATTRIBUTES);
    const limit = virtual || old === 0 ? LIMIT_64K : word(segment, LIMIT);
    set(segment, selector, selector << 4, limit, virtual ? V86_ATTRIBUTES : old === 0 ? REAL_ATTRIBUTES : old);
  }

  /** Linear address of a descriptor, or -1 outside its table (a table never lies at the top byte). */
  function descriptorAddress(selector: number): number {
    const offset = selector & 0xfff8;
    const local = (selector & 4) !== 0;
    if (local && word(LDTR, ATTRIBUTES) === 0) return -1;
    const limit = local ? word(LDTR, LIMIT) : S[GDT_LIMIT];
    if (offset + 7 > (limit >>> 0)) return -1;
    return ((local ? word(LDTR, BASE) : S[GDT_BASE]) + offset) | 0;
  }

  function readDescriptor(selector: number, vector: number, extra = 0): Descriptor {
    const address = descriptorAddress(selector);
    if (address === -1) faults.raise(vector, (selector & 0xfffc) | extra);
    return { selector, low: memory.readSystem32(address), high: memory.readSystem32((address + 4) | 0) };
  }

  function setAccessed(descriptor: Descriptor): void {
    if ((descriptor.high & DESCRIPTOR.ACCESSED) !== 0) return;
    descriptor.high |= DESCRIPTOR.ACCESSED;
    memory.writeSystem8((descriptorAddress(descriptor.selector) + 5) | 0, (descriptor.high >>> 8) & 0xff);
  }

  function checkStack(descriptor: Descriptor, privilege: number, vector: number, extra = 0): void {
    const error = (descriptor.selector & 0xfffc) | extra;
    const { high } = descriptor;
    const isWritableData = (high & (DESCRIPTOR.SEGMENT | DESCRIPTOR.CODE | DESCRIPTOR.WRITABLE))
      === (DESCRIPTOR.SEGMENT | DESCRIPTOR.WRITABLE);
    if ((descriptor.selector & 3) !== privilege || !isWritableData || privilegeOf(descriptor) !== privilege) {
      faults.raise(vector, error);
    }
    if (!isPresentDescriptor(descriptor)) faults.raise(VECTOR.SS, error);
  }

  function loadStack(selector: number): void {
    if ((selector & 0xfffc) === 0) faults.raise(VECTOR.GP, 0);
    const descriptor = readDescriptor(selector, VECTOR.GP);
    checkStack(descriptor, S[CPL], VECTOR.GP);
    setAccessed(descriptor);
    fill(SS, selector, descriptor);
  }

  function loadData(segment: number, selector: number): void {
    if ((selector & 0xfffc) === 0) {
      set(segment, selector, 0, 0, 0);
      return;
    }
    const error = selector & 0xfffc;
    const descriptor = readDescriptor(selector, VECTOR.GP);
    const { high } = descriptor;
    const code = (high & DESCRIPTOR.CODE) !== 0;
    const readable = !code || (high & DESCRIPTOR.READABLE) !== 0;
    if ((high & DESCRIPTOR.SEGMENT) === 0 || !readable) faults.raise(VECTOR.GP, error);
    const conforming = code && (high & DESCRIPTOR.CONFORMING) !== 0;
    const privilege = privilegeOf(descriptor);
    if (!conforming && ((selector & 3) > privilege || S[CPL] > privilege)) faults.raise(VECTOR.GP, error);
    if (!isPresentDescriptor(descriptor)) faults.raise(VECTOR.NP, error);
    setAccessed(descriptor);
    fill(segment, selector, descriptor);
  }

  function refuse(segment: number): never {
    return faults.raise(segment === SS ? VECTOR.SS : VECTOR.GP, 0);
  }

  function outsideLimit(attributes: number, limit: number, offset: number, size: number): boolean {
    const last = (offset >>> 0) + size - 1;
    const expandDown = (attributes & (DESCRIPTOR.CODE | DESCRIPTOR.EXPAND_DOWN)) === DESCRIPTOR.EXPAND_DOWN;
    if (!expandDown) return last > (limit >>> 0);
    const top = (attributes & DESCRIPTOR.BIG) !== 0 ? 0xffffffff : 0xffff;
    return (offset >>> 0) <= (limit >>> 0) || last > top;
  }

  return {
    readDescriptor,
    setAccessed,
    setBusy(descriptor, busy) {
      descriptor.high = busy ? descriptor.high | 0x200 : descriptor.high & ~0x200;
      memory.writeSystem8((descriptorAddress(descriptor.selector) + 5) | 0, (descriptor.high >>> 8) & 0xff);
    },
    load(segment, selector) {
      if (!isProtected()) fillReal(segment, selector);
      else if (segment === SS) loadStack(selector);
      else loadData(segment, selector);
    },
    fill,
    fillReal,
    isProtected,
    isVirtual,
    fillNull: (segment, selector) => set(segment, selector, 0, 0, 0),
    checkStack,
    setPrivilege(privilege) {
      S[CPL] = privilege;
      S[MODE] = privilege === 3 ? LINEAR_PAGES : 0;
    },
    updateKey,
    linear(segment, offset, size, write) {
      const attributes = word(segment, ATTRIBUTES);
      if ((S[CR0] & CR0_BIT.PE) === 0) {
        if (outsideLimit(attributes, word(segment, LIMIT), offset, size)) refuse(segment);
        return (word(segment, BASE) + offset) | 0;
      }
      const code = (attributes & DESCRIPTOR.CODE) !== 0;
      const writable = !code && (attributes & DESCRIPTOR.WRITABLE) !== 0;
      const readable = !code || (attributes & DESCRIPTOR.READABLE) !== 0;
      const refused = attributes === 0 || (write ? !writable : !readable);
      if (refused || outsideLimit(attributes, word(segment, LIMIT), offset, size)) {
        refuse(segment);
      }
      return (word(segment, BASE) + offset) | 0;
    },
    codeSegment: () => codeSegments[S[DECODE_KEY] >>> KEY.CODE_SHIFT],
  };
}

