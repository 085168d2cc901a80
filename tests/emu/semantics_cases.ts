// Cases for comparing instructions with the host's processor, made from the
// opcode table: each row that a user program may execute, with both operand
// sizes, register and memory forms, and edge and random values.

import { FLAG } from "../../emu/cpu/state.js";
import { OPCODES, encodingOf, operandsOf } from "../../emu/cpu/opcodes.js";
import type { OpcodeRow } from "../../emu/cpu/opcodes.js";
import { CODE, CODE_BYTES, DATA, DATA_BYTES } from "./native_i386.js";
import type { CaseInput } from "./native_i386.js";

export interface SemanticCase extends CaseInput {
  readonly row: OpcodeRow;
  readonly title: string;
  /** Flags to compare. */
  readonly mask: number;
}

/** Rows that need system state, or that go where a random address leads. */
const EXCLUDED = new Set(["storeSegment", "loadSegment", "loadFarPointer", "pushSegment", "popSegment", "jmpIndirect",
  "callIndirect", "jmpFar", "callFar", "retFar", "int", "int1", "int3", "ud2", "sysenter", "sysexit", "rdtsc", "into", "iret", "bound", "hlt", "sldt", "str", "verr",
  "verw", "sgdt", "sidt", "smsw", "lar", "lsl", "cpuid", "fwait", "escape", "x87"]);

const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x10, 0x1f, 0x20];
const ARITHMETIC = FLAG.CF | FLAG.PF | FLAG.AF | FLAG.ZF | FLAG.SF | FLAG.OF;
const LETTERS: Readonly<Record<string, number>> =
  { o: FLAG.OF, s: FLAG.SF, z: FLAG.ZF, a: FLAG.AF, p: FLAG.PF, c: FLAG.CF };

function value(random: () => number): number {
  return (random() & 3) === 0 ? random() : EDGES[random() % EDGES.length];
}

interface Form {
  readonly row: OpcodeRow;
  readonly word: boolean;
  readonly memory: boolean;
  readonly prefix: number;
}

function formsOf(row: OpcodeRow): Form[] {
  const { modrm } = encodingOf(row);
  const operands = operandsOf(row);
  const sized = row.mnemonic16 !== row.mnemonic || /v/.test(row.operands);
  const words = sized && !row.operands.startsWith("J") ? [false, true] : [false];
  const memoryOnly = operands.some((code) => code.startsWith("M"));
  const registerOnly = !modrm || operands.some((code) => code.startsWith("R"));
  const memories = memoryOnly ? [true] : registerOnly ? [false] : [false, true];
  const prefixes = row.repeat === "" ? [0] : [0, 0xf3, 0xf2];
  return words.flatMap((word) => memories.flatMap((memory) =>
    prefixes.map((prefix) => ({ row, word, memory, prefix }))));
}

/** ModRM bytes: EBX + displacement, EBX + ESI * 2, or DATA + ESI * 4. */
function modrmBytes(form: Form, reg: number, random: () => number): number[] {
  if (!form.memory) return [0xc0 | (reg << 3) | (random() & 7)];
  const displacement = (random() % 24) * 4 - 48 + (random() % 8 === 0 ? 1 : 0);
  switch (random() % 3) {
    case 0: return [0x43 | (reg << 3), displacement & 0xff];
    case 1: return [0x44 | (reg << 3), 0x73, displacement & 0xff];
    default: {
      const address = DATA + 96 + displacement;
      return [0x04 | (reg << 3), 0xb5, address & 0xff, (address >> 8) & 0xff, (address >> 16) & 0xff, address >>> 24];
    }
  }
}

function word(random: () => number, bytes: number): number[] {
  const v = value(random);
  return Array.from({ length: bytes }, (_, i) => (v >>> (i * 8)) & 0xff);
}

function immediateBytes(kind: string, form: Form, random: () => number): number[] {
  switch (kind) {
    case "ib":
      if (form.row.semantic === "enter") return [random() & 3];
      return form.row.semantic === "aam" ? [1 + random() % 20] : word(random, 1);
    // RET and ENTER: a few words of the stack.
    case "iw": return [(random() & 7) * 4, 0];
    case "id": return word(random, form.word ? 2 : 4);
    // A taken branch skips the INC EDI that follows it.
    case "cb": return [1];
    case "cd": return [1, 0, 0, 0];
    default: {
      const address = DATA + 96 + (random() % 16) * 4;
      return [address & 0xff, (address >> 8) & 0xff, (address >> 16) & 0xff, address >>> 24];
    }
  }
}

function codeOf(form: Form, random: () => number): Uint8Array {
  const { bytes, modrm, digit, plusRegister, immediates } = encodingOf(form.row);
  const code = [...(form.word ? [0x66] : []), ...(form.prefix === 0 ? [] : [form.prefix]), ...bytes];
  if (plusRegister) code[code.length - 1] += random() & 7;
  // A bit offset reaches far from the operand: it comes from a register that is no pointer here.
  const anyRegister = /^bt/.test(form.row.semantic) && form.memory ? [0, 1, 2, 7][random() & 3] : random() & 7;
  if (modrm) code.push(...modrmBytes(form, digit >= 0 ? digit : anyRegister, random));
  for (const kind of immediates) code.push(...immediateBytes(kind, form, random));
  if (form.row.operands.startsWith("J")) code.push(0x47);
  return Uint8Array.from(code);
}

/** EBX, ESP and EBP point into the data; ESI is a small index, or a pointer for string instructions. */
function registersOf(form: Form, random: () => number): Int32Array {
  const string = /[XY]/.test(form.row.operands);
  const registers = Int32Array.from({ length: 8 }, () => value(random));
  registers[3] = DATA + 96;
  registers[4] = DATA + 160;
  registers[5] = DATA + 112;
  registers[6] = string ? DATA + 64 + (random() % 32) : random() % 8;
  if (string) registers[7] = (random() & 1) === 0 ? DATA + 96 + (random() % 32) : registers[6] + (random() % 9) - 4;
  if (string || form.row.mnemonic.startsWith("loop") || form.row.mnemonic === "jecxz") registers[1] = random() % 12;
  return registers;
}

/** Operands for which an instruction is defined and does not fault. */
function adjust(form: Form, code: Uint8Array, registers: Int32Array, data: Uint8Array, random: () => number): void {
  const { semantic } = form.row;
  const view = new DataView(data.buffer);
  if (semantic === "div" || semantic === "idiv") {
    // A small high half and a large divisor: the quotient fits.
    registers[2] = 0;
    registers[0] &= 0x7fff;
    if (form.row.operands === "Eb") registers[0] &= 0x3f;
    if (!form.memory) code[code.length - 1] = (code[code.length - 1] & 0xf8) | (form.row.operands === "Eb" ? 5 : 1);
    registers[1] = value(random) | 0x01010101;
    for (let i = 0; i < data.length; i++) data[i] |= 1;
  }
  if (/^bt/.test(semantic) && form.memory) {
    for (const r of [0, 1, 2, 7]) registers[r] = (registers[r] % 256) | 0;
  }
  if (semantic === "ret") view.setUint32(160, CODE + code.length, true);
  if (semantic === "popfd") view.setUint32(160, 0x202 | (random() & ARITHMETIC), true);
}

function maskOf(form: Form, code: Uint8Array, registers: Int32Array): number {
  const { row } = form;
  let mask = ARITHMETIC | FLAG.DF;
  for (const letter of row.flags) mask &= ~(LETTERS[letter] ?? 0);
  if (!/^(shl|shr|sar|rol|ror|rcl|rcr|shld|shrd)$/.test(row.semantic)) return mask;
  const last = row.operands.split(",").at(-1);
  const count = (last === "1" ? 1 : last === "CL" ? registers[1] : code[code.length - 1]) & 31;
  if (count === 0) return ARITHMETIC | FLAG.DF;
  if (count !== 1) mask &= ~FLAG.OF;
  const bits = row.operands.startsWith("Eb") ? 8 : form.word ? 16 : 32;
  return count >= bits ? mask & ~FLAG.CF : mask;
}

/** A 16-bit double shift by more than 16, and a bit scan of zero, have no defined result. */
function isDefined(form: Form, code: Uint8Array, registers: Int32Array): boolean {
  if (!/^sh[lr]d$/.test(form.row.semantic) || !form.word) return true;
  const count = (form.row.operands.endsWith("CL") ? registers[1] : code[code.length - 1]) & 31;
  return count <= 16;
}

/** About `perForm` cases for each form of each row. */
export function semanticCases(perForm: number, random: () => number): SemanticCase[] {
  const rows = OPCODES.filter((row) => row.privilege === "" && !EXCLUDED.has(row.semantic));
  return rows.flatMap(formsOf).flatMap((form) => {
    const cases: SemanticCase[] = [];
    for (let i = 0; i < perForm; i++) {
      const code = codeOf(form, random);
      const registers = registersOf(form, random);
      const data = Uint8Array.from({ length: DATA_BYTES }, () => random() & 0xff);
      const direction = /[XY]/.test(form.row.operands) && form.prefix === 0 && (random() & 1) !== 0 ? FLAG.DF : 0;
      const eflags = 0x202 | (random() & ARITHMETIC) | direction;
      adjust(form, code, registers, data, random);
      if (!isDefined(form, code, registers) || code.length > CODE_BYTES) continue;
      const bytes = Array.from(code, (byte) => byte.toString(16)).join(" ");
      const title = `${form.row.mnemonic} ${form.row.operands} [${bytes}]`;
      cases.push({ row: form.row, title, code, registers, eflags, data, mask: maskOf(form, code, registers) });
    }
    return cases;
  });
}
