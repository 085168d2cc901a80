// Encodes i386 instructions: opcode bytes from the opcode table, looked up
// once at load time, and ModRM, SIB, displacement and immediates from here.
// The short form is taken wherever there is one.

import { encodingOf, findRow } from "../../../emu/cpu/opcodes.js";
import type { Relocation } from "../object.js";
import { EAX, EBP, ESP } from "./lir.js";
import type { ImmediateOperand, MemoryOperand, Operand } from "./lir.js";

/** An opcode row ready for use: bytes and the digit for the ModRM middle field. */
export interface Form {
  readonly bytes: readonly number[];
  readonly digit: number;
}

export function form(mnemonic: string, operands = ""): Form {
  const { bytes, digit } = encodingOf(findRow(mnemonic, operands));
  return { bytes, digit };
}

interface AluForms {
  readonly storeByte: Form;
  readonly store: Form;
  readonly loadByte: Form;
  readonly load: Form;
  readonly byteImmediate: Form;
  readonly immediate: Form;
  readonly shortImmediate: Form;
  readonly accumulator: Form;
}

const ALU_NAMES = ["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"];
const SHIFT_NAMES = ["shl", "shr", "sar", "rol", "ror"];

const ALU: Record<string, AluForms> = Object.fromEntries(ALU_NAMES.map((name) => [name, {
  storeByte: form(name, "Eb,Gb"), store: form(name, "Ev,Gv"), loadByte: form(name, "Gb,Eb"), load: form(name, "Gv,Ev"),
  byteImmediate: form(name, "Eb,Ib"), immediate: form(name, "Ev,Iv"), shortImmediate: form(name, "Ev,Ibs"),
  accumulator: form(name, "eAX,Iv"),
}]));

const SHIFTS = Object.fromEntries(SHIFT_NAMES.map((name) => [name, {
  one: form(name, "Ev,1"), byImmediate: form(name, "Ev,Ib"), byCl: form(name, "Ev,CL"), byteOne: form(name, "Eb,1"),
}]));

const UNARY = Object.fromEntries(["not", "neg", "inc", "dec"].map((name) => [name, {
  byte: form(name, "Eb"), full: form(name, "Ev"),
}]));

const MOV = {
  store: form("mov", "Ev,Gv"), load: form("mov", "Gv,Ev"), storeByte: form("mov", "Eb,Gb"),
  immediate: form("mov", "Ev,Iv"), byteImmediate: form("mov", "Eb,Ib"), register: form("mov", "Zv,Iv"),
  accumulatorLoad: form("mov", "eAX,Ov"), accumulatorStore: form("mov", "Ov,eAX"),
    accumulatorStoreByte: form("mov", "Ob,AL"),
};
const EXTEND = {
  movzx: [form("movzx", "Gv,Eb"), form("movzx", "Gv,Ew")], movsx: [form("movsx", "Gv,Eb"), form("movsx", "Gv,Ew")],
} as const;
const TEST = {
  registers: form("test", "Ev,Gv"), immediate: form("test", "Ev,Iv"), byteImmediate: form("test", "Eb,Ib"),
  accumulator: form("test", "eAX,Iv"), accumulatorByte: form("test", "AL,Ib"),
};
const PUSH = { register: form("push", "Zv"), immediate: form("push", "Iv"), short: form("push", "Ibs"),
  memory: form("push", "Ev") };
const POP = form("pop", "Zv");
const INCREMENT = { inc: form("inc", "Zv"), dec: form("dec", "Zv") };
const LEA = form("lea", "Gv,M");
const IMUL = { two: form("imul", "Gv,Ev"), three: form("imul", "Gv,Ev,Iv"), short: form("imul", "Gv,Ev,Ibs") };

const OPERAND_SIZE_PREFIX = 0x66;

export function isByte(value: number): boolean {
  return value >= -128 && value <= 127;
}

/** The code of one instruction or a short run of them. */
export class Code {
  readonly bytes: number[] = [];
  readonly relocations: Relocation[] = [];

  put(...bytes: readonly number[]): this {
    this.bytes.push(...bytes);
    return this;
  }

  private word(value: number): void {
    this.bytes.push(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff);
  }

  /** A 32-bit field, with a relocation when a symbol is in it. */
  private field(value: number, symbol: string): void {
    if (symbol === "") return this.word(value);
    this.relocations.push({ offset: this.bytes.length, kind: "abs32", symbol, addend: value });
    this.word(0);
  }

  private immediate(operand: ImmediateOperand, size: 1 | 2 | 4): void {
    if (size === 4) return this.field(operand.value, operand.symbol);
    this.bytes.push(operand.value & 0xff);
    if (size === 2) this.bytes.push((operand.value >> 8) & 0xff);
  }

  private modRmMemory(middle: number, place: MemoryOperand): void {
    let { base, index, scale } = place;
    const { displacement, symbol } = place;
    if (base < 0 && index >= 0 && scale === 1) [base, index, scale] = [index, -1, 1];
    const mid = middle << 3;
    if (base < 0) {
      if (index < 0) this.bytes.push(0x05 | mid);
      else this.bytes.push(0x04 | mid, (Math.log2(scale) << 6) | (index << 3) | 5);
      return this.field(displacement, symbol);
    }
    const needsSib = index >= 0 || base === ESP;
    const isWide = symbol !== "" || !isByte(displacement);
    const mod = isWide ? 0x80 : displacement !== 0 || base === EBP ? 0x40 : 0;
    this.bytes.push(mod | mid | (needsSib ? 4 : base));
    if (needsSib) this.bytes.push((Math.log2(scale) << 6) | ((index < 0 ? 4 : index) << 3) | base);
    if (isWide) this.field(displacement, symbol);
    else if (mod === 0x40) this.bytes.push(displacement & 0xff);
  }

  /** Opcode and ModRM; `middle` is the digit or the other register. */
  modRm(shape: Form, middle: number, place: Operand): this {
    this.bytes.push(...shape.bytes);
    if (place.kind === "register") this.bytes.push(0xc0 | (middle << 3) | place.register);
    else if (place.kind === "memory") this.modRmMemory(middle, place);
    else throw new Error("an immediate cannot be a ModRM operand");
    return this;
  }

  private prefix(size: 1 | 2 | 4): void {
    if (size === 2) this.bytes.push(OPERAND_SIZE_PREFIX);
  }

  /** add or adc sbb and sub xor cmp. */
  alu(name: string, a: Operand, b: Operand, size: 1 | 2 | 4): this {
    const forms = ALU[name];
    this.prefix(size);
    if (b.kind === "immediate") {
      if (size === 1) this.modRm(forms.byteImmediate, forms.byteImmediate.digit, a).immediate(b, 1);
      else if (b.symbol === "" && isByte(size === 2 ? (b.value << 16) >> 16 : b.value)) {
        this.modRm(forms.shortImmediate, forms.shortImmediate.digit, a).immediate(b, 1);
      } else if (a.kind === "register" && a.register === EAX) this.put(...forms.accumulator.bytes).immediate(b, size);
      else this.modRm(forms.immediate, forms.immediate.digit, a).immediate(b, size);
    } else if (b.kind === "register") this.modRm(size === 1 ? forms.storeByte : forms.store, b.register, a);
    else if (a.kind === "register") this.modRm(size === 1 ? forms.loadByte : forms.load, a.register, b);
    else throw new Error(`${name} with two memory operands`);
    return this;
  }

  private isAbsolute(operand: Operand): operand is MemoryOperand {
    return operand.kind === "memory" && operand.base < 0 && operand.index < 0;
  }

  mov(a: Operand, b: Operand, size: 1 | 2 | 4): this {
    this.prefix(size);
    if (b.kind === "immediate") {
      if (a.kind === "register") this.put(...plusRegister(MOV.register, a.register)).immediate(b, 4);
      else if (size === 1) this.modRm(MOV.byteImmediate, 0, a).immediate(b, 1);
      else this.modRm(MOV.immediate, 0, a).immediate(b, size);
    } else if (b.kind === "register") {
      if (b.register === EAX && this.isAbsolute(a)) {
        this.put(...(size === 1 ? MOV.accumulatorStoreByte : MOV.accumulatorStore).bytes).field(a.displacement,
          a.symbol);
      } else this.modRm(size === 1 ? MOV.storeByte : MOV.store, b.register, a);
    } else if (a.kind === "register") {
      if (a.register === EAX && this.isAbsolute(b)) this.put(...MOV.accumulatorLoad.bytes).field(b.displacement,
        b.symbol);
      else this.modRm(MOV.load, a.register, b);
    } else throw new Error("mov with two memory operands");
    return this;
  }

  extend(name: "movzx" | "movsx", target: number, from: Operand, size: 1 | 2 | 4): this {
    return this.modRm(EXTEND[name][size - 1], target, from);
  }

  lea(target: number, place: MemoryOperand): this {
    return this.modRm(LEA, target, place);
  }

  test(a: Operand, b: Operand, size: 1 | 2 | 4): this {
    if (b.kind === "register") return this.modRm(TEST.registers, b.register, a);
    if (b.kind !== "immediate") throw new Error("test with a memory operand on the right");
    const fits = size === 1 || (a.kind === "register" && a.register < 4 && b.value >= 0 && b.value <= 0xff);
    const isAccumulator = a.kind === "register" && a.register === EAX;
    if (fits && isAccumulator) this.put(...TEST.accumulatorByte.bytes).immediate(b, 1);
    else if (fits) this.modRm(TEST.byteImmediate, 0, a).immediate(b, 1);
    else if (isAccumulator) this.put(...TEST.accumulator.bytes).immediate(b, 4);
    else this.modRm(TEST.immediate, 0, a).immediate(b, 4);
    return this;
  }

  /** not neg inc dec. */
  unary(name: string, a: Operand, size: 1 | 2 | 4): this {
    if (a.kind === "register" && size === 4 && (name === "inc" || name === "dec")) {
      return this.put(...plusRegister(INCREMENT[name], a.register));
    }
    this.prefix(size);
    const shape = size === 1 ? UNARY[name].byte : UNARY[name].full;
    return this.modRm(shape, shape.digit, a);
  }

  shift(name: string, a: Operand, count: Operand): this {
    const forms = SHIFTS[name];
    if (count.kind === "register") return this.modRm(forms.byCl, forms.byCl.digit, a);
    if (count.kind !== "immediate") throw new Error(`${name} by memory`);
    if (count.value === 1) return this.modRm(forms.one, forms.one.digit, a);
    return this.modRm(forms.byImmediate, forms.byImmediate.digit, a).put(count.value);
  }

  multiply(target: number, from: Operand): this {
    return this.modRm(IMUL.two, target, from);
  }

  multiplyBy(target: number, from: Operand, factor: number): this {
    const short = isByte(factor);
    this.modRm(short ? IMUL.short : IMUL.three, target, from);
    if (short) this.bytes.push(factor & 0xff);
    else this.word(factor);
    return this;
  }

  push(operand: Operand): this {
    if (operand.kind === "register") return this.put(...plusRegister(PUSH.register, operand.register));
    if (operand.kind === "memory") return this.modRm(PUSH.memory, PUSH.memory.digit, operand);
    if (operand.symbol === "" && isByte(operand.value)) return this.put(...PUSH.short.bytes, operand.value & 0xff);
    this.put(...PUSH.immediate.bytes).immediate(operand, 4);
    return this;
  }

  pop(register: number): this {
    return this.put(...plusRegister(POP, register));
  }

  /** An opcode with a PC-relative 32-bit field for a symbol. */
  relative(shape: Form, symbol: string): this {
    this.put(...shape.bytes);
    this.relocations.push({ offset: this.bytes.length, kind: "pc32", symbol, addend: -4 });
    this.word(0);
    return this;
  }
}

function plusRegister(shape: Form, register: number): number[] {
  return [...shape.bytes.slice(0, -1), shape.bytes[shape.bytes.length - 1] + register];
}
