// Makes cases of a form: code, registers, flags, memory. What an instruction
// needs so that its results tell something (a divisor that fits, a count, a
// return address) is in recipes.ts; here is what all have in common.

import { MAX_LENGTH } from "../../../emu/cpu/decode.js";
import { encodingOf, operandsOf } from "../../../emu/cpu/opcodes.js";
import type { Encoding, OpcodeRow } from "../../../emu/cpu/opcodes.js";
import { operandBytes } from "../../../emu/cpu/op.js";
import { FLAG } from "../../../emu/cpu/state.js";
import { PREFIX, isX87, usesStack } from "./forms.js";
import type { Form } from "./forms.js";
import { RECIPES } from "./recipes.js";
import { chooseBase, isStackShape, placeOperand } from "./shapes.js";
import type { Machine } from "./shapes.js";
import { CODE, CODE_PAGE, FLAT, MIDDLE, WINDOWS, local, segmentOf } from "./space.js";
import type { LocalName } from "./space.js";
import { IMAGE_BYTES } from "./vector.js";
import type { Input, Patch } from "./vector.js";
import { stateImage, x87Operand } from "./x87.js";

export type Random = () => number;

/** What registers hold that mean nothing to a case: changes show, and equal values pack well. */
const CANARIES = [0x0a0b0c0d, 0x1a1b1c1d, 0x2a2b2c2d, 0x3a3b3c3d, 0x4a4b4c4d, 0x5a5b5c5d, 0x6a6b6c6d, 0x7a7b7c7d];
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x10, 0x1f, 0x20,
  0x100, 0x10000, 0xfffffffe, 0x55555555, 0xaaaaaaaa];
const ARITHMETIC = FLAG.CF | FLAG.PF | FLAG.AF | FLAG.ZF | FLAG.SF | FLAG.OF;
export const [ES, CS, SS, DS, FS, GS] = [0, 1, 2, 3, 4, 5];
const SEGMENT_OF_PREFIX = new Map<number, number>([PREFIX.ES, PREFIX.CS, PREFIX.SS, PREFIX.DS, PREFIX.FS, PREFIX.GS]
  .map((prefix, segment) => [prefix, segment]));
const LIMIT_SEGMENTS: readonly LocalName[] = ["SMALL", "SMALL", "DOWN32", "DOWN16", "READ_ONLY", "CODE32"];

/** Bytes of the operands that are in memory only. */
const MEMORY_BYTES: Readonly<Record<string, number>> = {
  M32f: 4, M64f: 8, M80f: 10, M16i: 2, M32i: 4, M64i: 8, M80b: 10, M16c: 2, Mq: 8, Ms: 6,
};

export function little(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (value >>> (i * 8)) & 0xff);
}

/** A case in the making. Recipes change what they care about before the code is written. */
export class Draft implements Machine {
  readonly form: Form;
  readonly row: OpcodeRow;
  readonly encoding: Encoding;
  readonly random: Random;
  readonly registers = Int32Array.from(CANARIES);
  readonly segments: Uint16Array;
  readonly data: Patch[] = [];
  readonly #fixed = new Set<number>();
  eflags: number;
  /** Fields of ModRM and of the opcode byte, where the row leaves them open. */
  reg: number;
  rm: number;
  /** Immediates by kind, when a recipe gives them. */
  readonly immediates: Partial<Record<string, readonly number[]>> = {};
  /** Bytes of the memory operand; and what goes into them, when a recipe tells. */
  bytes: number;
  operand: readonly number[] | null = null;
  /** Linear address of the memory operand less what the instruction adds to its address. */
  shift = 0;
  image: Uint8Array | undefined;

  constructor(form: Form, random: Random) {
    const { row } = form;
    this.form = form;
    this.row = row;
    this.random = random;
    this.encoding = encodingOf(row);
    this.reg = this.encoding.digit >= 0 ? this.encoding.digit : random() & 7;
    this.rm = random() & 7;
    this.eflags = FLAG.IF | 2 | (random() & ARITHMETIC) | (form.place === "aligned" ? FLAG.AC : 0);
    const cs = form.big ? FLAT.CODE : local("CODE16");
    const data = form.addressSize === 2 || !form.big ? local("WIDE") : FLAT.DATA;
    const stack = form.bigStack ? data : local("STACK16");
    this.segments = Uint16Array.from([data, cs, stack, data, local("WIDE"), local("SMALL")]);
    this.bytes = operandsOf(row).map((code) => this.#bytesOf(code)).find((bytes) => bytes > 0) ?? form.size;
    if (isX87(row)) this.image = stateImage(random, row.mnemonic);
  }

  #bytesOf(code: string): number {
    const { size } = this.form;
    if (code === "Me") return size === 4 ? 28 : 14;
    if (code === "Ms" && isX87(this.row)) return size === 4 ? IMAGE_BYTES : IMAGE_BYTES - 14;
    if (code === "Mp") return size + 2;
    if (code === "Ma") return size * 2;
    return MEMORY_BYTES[code] ?? (/^[EOXYM]/.test(code) ? operandBytes(code, size) : 0);
  }

  free(register: number): boolean {
    return !this.#fixed.has(register);
  }

  fix(register: number): void {
    this.#fixed.add(register);
  }

  /** Gives a register a value that addressing may not change. */
  set(register: number, value: number): void {
    this.registers[register] = value;
    this.fix(register);
  }

  /** An edge value, or any. */
  value(): number {
    return (this.random() & 3) === 0 ? this.random() : EDGES[this.random() % EDGES.length];
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.random() % list.length];
  }

  base(segment: number): number {
    return segmentOf(this.segments[segment]).base;
  }

  /** Puts bytes into memory before the case, at a linear address; what lies outside the windows stays as it is. */
  put(at: number, bytes: readonly number[]): void {
    const inside = WINDOWS.some((window) => at >= window.at && at + bytes.length <= window.at + window.bytes);
    if (inside && bytes.length > 0) this.data.push({ at, bytes: Uint8Array.from(bytes) });
  }

  /** The segment of an operand: that of the prefix, or the default. */
  segment(fallback: number): number {
    const prefix = this.form.prefixes.find((byte) => SEGMENT_OF_PREFIX.has(byte));
    return prefix === undefined ? fallback : SEGMENT_OF_PREFIX.get(prefix)!;
  }

  /** A linear address for `bytes` bytes of data at the form's place; `segment` may be loaded anew for it. */
  target(bytes: number, segment: number): number {
    const { random } = this;
    const part = random() % (bytes + (bytes >> 1) + 1);
    switch (this.form.place) {
      case "below": return 0x200000 - 1 - part + ((random() & 3) === 0 ? bytes : 0);
      case "above": return 0x205000 - bytes + 1 + part;
      case "read-only": return (random() & 1) === 0 ? 0x201000 - bytes + 1 + part : 0x201100 + part;
      case "limit": return this.#aboutLimit(bytes, segment);
      case "aligned": return MIDDLE.at + 64 + (random() % 128);
      default: {
        const room = MIDDLE.bytes - 2 * bytes - 32;
        const at = MIDDLE.at + bytes + 16 + (random() % room);
        if ((random() & 7) === 0) return 0x204000 - 1 - (random() % Math.max(1, bytes - 1));
        return (random() & 3) === 0 ? at : at & ~3;
      }
    }
  }

  #aboutLimit(bytes: number, segment: number): number {
    if (segment !== CS) this.segments[segment] = segment === SS ? local("SMALL") : local(this.pick(LIMIT_SEGMENTS));
    const { base, limit, ...kind } = segmentOf(this.segments[segment]);
    if ("code" in kind) return base + 0x800;
    if ("down" in kind) return base + limit + 1 - bytes + (this.random() % (bytes + 2));
    const edge = limit < MIDDLE.bytes ? base + limit + 1 : MIDDLE.at + 256;
    return edge - bytes + (this.random() % (bytes + 2)) - (this.random() % 3);
  }

  /** Makes the stack pointer point at `bytes` bytes that will be popped, or below which as many will be pushed. */
  stack(popped: number, pushed: number): number {
    const { random } = this;
    const all = popped + pushed;
    let linear = MIDDLE.at + 192 + (random() % 32) * 4 + ((random() & 7) === 0 ? random() & 3 : 0);
    if (this.form.place !== "memory" && this.form.shape === null) {
      linear = this.target(all, SS) + pushed;
    }
    const offset = (linear - this.base(SS)) | 0;
    // Of a 16-bit stack pointer the upper half does not count.
    this.set(4, this.form.bigStack ? offset : (offset & 0xffff) | (random() << 16));
    return linear;
  }

  /** An offset in the code segment where a transfer may land, sometimes a bad one. */
  landing(): number {
    const { random } = this;
    const base = this.base(CS);
    if ((random() & 15) === 0) return base === 0 ? 0x106000 + (random() & 0xffff) : 0x1000 + (random() % 0x7000);
    return CODE_PAGE + 0x400 + (random() % 0xb00) - base;
  }

  /** What an operand in memory holds when nothing else is asked for. */
  operandBytes(): readonly number[] {
    if (isX87(this.row)) return x87Operand(this.random, operandsOf(this.row)[0]).slice(0, this.bytes);
    return [...little(this.value(), 4), ...little(this.value(), 4)].slice(0, this.bytes);
  }
}

function immediateBytes(kind: string, draft: Draft): readonly number[] {
  const given = draft.immediates[kind];
  if (given !== undefined) return given;
  const { size } = draft.form;
  switch (kind) {
    case "ib": case "cb": return little(draft.value(), 1);
    case "iw": return little(draft.value(), 2);
    case "cp": return little(draft.value(), size + 2);
    default: return little(draft.value(), size);
  }
}

/** ModRM, SIB and displacement, or the bytes of an absolute address; places the operand. */
function addressBytes(draft: Draft): readonly number[] {
  const { form, row, random } = draft;
  const { shape } = form;
  const absolute = draft.encoding.immediates.includes("mo");
  if (absolute) {
    const segment = draft.segment(DS);
    const linear = draft.target(draft.bytes, segment);
    if (!/^O/.test(row.operands)) draft.put(linear, draft.operandBytes());
    return little(linear - draft.base(segment), form.addressSize);
  }
  if (!draft.encoding.modrm) return [];
  if (shape === null) return [0xc0 | (draft.reg << 3) | draft.rm];
  const base = chooseBase(shape, draft, random);
  const segment = draft.segment(isStackShape(shape, base) ? SS : DS);
  let linear = draft.target(draft.bytes, segment);
  if (base === 4 && !draft.free(4) && shape.mod !== 2) {
    // ESP is where the stack needs it: the operand is nearby.
    linear = draft.base(segment) + draft.registers[4] + (shape.mod === 1 ? ((random() & 31) - 16) * 4 : 0);
  }
  if (row.semantic !== "lea") {
    draft.put(linear, draft.operand ?? draft.operandBytes());
  }
  const offset = (linear - draft.shift - draft.base(segment)) | 0;
  return placeOperand(shape, draft.reg, base, offset, draft, random).bytes;
}

/** Random values for the registers an instruction names, unless they are spoken for. */
function fillRegisters(draft: Draft): void {
  const { row } = draft;
  const named = new Set<number>([0, 1, 2]);
  for (const code of operandsOf(row)) {
    const byte = operandBytes(code, 4) === 1;
    if (code.startsWith("G")) named.add(byte ? draft.reg & 3 : draft.reg);
    if (/^[EZR]/.test(code) && draft.form.shape === null) named.add(byte ? draft.rm & 3 : draft.rm);
  }
  for (const register of named) {
    if (draft.free(register)) draft.registers[register] = draft.value();
  }
}

function prefixBytes(form: Form, random: Random): number[] {
  const bytes = [...form.prefixes];
  if ((form.size === 4) !== form.big) bytes.push(PREFIX.SIZE);
  if ((form.addressSize === 4) !== form.big) bytes.push(PREFIX.ADDRESS);
  // Their order does not count.
  return bytes.length > 1 && (random() & 1) !== 0 ? bytes.reverse() : bytes;
}

/** A case of a form; null where the choices made contradict each other. */
export function caseOf(form: Form, random: Random): Input | null {
  const draft = new Draft(form, random);
  const { row, encoding } = draft;
  const recipe = RECIPES[row.semantic];
  if (recipe !== undefined && recipe(draft) === false) return null;
  if (usesStack(row) && draft.free(4)) draft.stack(64, 64);
  const opcode = [...encoding.bytes];
  if (encoding.plusRegister) opcode[opcode.length - 1] += isX87(row) ? draft.reg & 7 : draft.rm;
  const address = addressBytes(draft);
  fillRegisters(draft);
  const rest = encoding.immediates.filter((kind) => kind !== "mo").flatMap((kind) => [...immediateBytes(kind, draft)]);
  const bytes = Uint8Array.from([...prefixBytes(form, random), ...opcode, ...address, ...rest]);
  if (bytes.length > MAX_LENGTH) return null;
  return {
    registers: draft.registers, eflags: draft.eflags, segments: draft.segments, code: { at: CODE, bytes },
    data: draft.data, ...(draft.image === undefined ? {} : { image: draft.image }),
  };
}
