// Encodes one instruction from the opcode table: finds the rows whose operand
// codes admit the operands and takes the shortest encoding.
import { encodingOf, operandsOf, rowsOf } from "../../emu/cpu/opcodes.js";
import type { Encoding, OpcodeRow } from "../../emu/cpu/opcodes.js";
import type { Memory, Operand, OperandSize, Register, SymbolOperand } from "./operands.js";

/** A 32-bit field that the linker fills in. */
export interface Fixup {
  readonly offset: number;
  readonly kind: "abs32" | "pc32";
  readonly symbol: string;
  readonly addend: number;
}

export interface Encoded {
  readonly bytes: readonly number[];
  readonly fixups: readonly Fixup[];
}

const OPERAND_SIZE_PREFIX = 0x66;
const NO_REGISTER = 4;
const EBP = 5;
const FIXED_REGISTERS: Readonly<Record<string, readonly [number: number, size: OperandSize | 0]>> = {
  AL: [0, 1],
  AX: [0, 2],
  eAX: [0, 0],
  CL: [1, 1],
  DX: [2, 2],
};
const SEGMENTS = ["ES", "CS", "SS", "DS", "FS", "GS"];

/** Sizes a code of the table admits; `operandSize` stands for v and z. */
function sizeOfCode(code: string, operandSize: OperandSize): OperandSize | 0 {
  switch (code.slice(1)) {
    case "b":
      return 1;
    case "w":
      return 2;
    case "d":
      return 4;
    case "v":
      return operandSize;
    default:
      return 0;
  }
}

function isRegister(operand: Operand): operand is Register {
  return typeof operand === "object" && operand.kind === "register";
}

function isMemory(operand: Operand): operand is Memory {
  return typeof operand === "object" && operand.kind === "memory";
}

function fitsSigned8(value: number): boolean {
  return value >= -128 && value <= 127;
}

/** Whether an immediate may stand for a code I. */
function admitsImmediate(code: string, operand: Operand): boolean {
  if (typeof operand === "number") {
    if (code === "Ibs") return fitsSigned8(operand | 0) && operand >= -128;
    if (code === "Ib") return operand >= -128 && operand <= 255;
    if (code === "Iw") return operand >= -32768 && operand <= 65535;
    return code === "Iv" || code === "Id";
  }
  return code === "Iv" && operand.kind === "symbol";
}

function admitsFixed(code: string, operand: Operand, operandSize: OperandSize): boolean | undefined {
  const fixed = FIXED_REGISTERS[code];
  if (fixed !== undefined) {
    return isRegister(operand) && operand.number === fixed[0] && operand.size === (fixed[1] || operandSize);
  }
  if (code === "1" || code === "3") return operand === Number(code);
  const segment = SEGMENTS.indexOf(code);
  if (segment < 0) return undefined;
  return typeof operand === "object" && operand.kind === "segment" && operand.number === segment;
}

/** Whether `operand` may stand where the table says `code`. */
function admits(code: string, operand: Operand, operandSize: OperandSize): boolean {
  const fixed = admitsFixed(code, operand, operandSize);
  if (fixed !== undefined) return fixed;
  const size = sizeOfCode(code, operandSize);
  const matches = (actual: OperandSize | undefined): boolean => size === 0 || actual === size;
  switch (code[0]) {
    case "E":
      return (isRegister(operand) || isMemory(operand)) && matches(operand.size);
    case "G":
    case "Z":
    case "R":
      return isRegister(operand) && matches(operand.size);
    case "M":
      return isMemory(operand);
    case "O":
      return isMemory(operand) && operand.base === undefined && operand.index === undefined && matches(operand.size);
    case "I":
      return admitsImmediate(code, operand);
    case "J":
      return code === "Jz" && typeof operand === "object" && operand.kind === "symbol";
    case "S":
      return typeof operand === "object" && operand.kind === "segment";
    case "C":
      return typeof operand === "object" && operand.kind === "control";
    case "D":
      return typeof operand === "object" && operand.kind === "debug";
    default:
      return false;
  }
}

/** Collects the bytes and fixups of one instruction. */
class InstructionWriter {
  readonly bytes: number[] = [];
  readonly fixups: Fixup[] = [];

  word(value: number, count: number): void {
    for (let at = 0; at < count; at++) this.bytes.push((value >>> (8 * at)) & 0xff);
  }

  address(symbol: SymbolOperand | undefined, displacement: number): void {
    if (symbol) {
      const addend = symbol.addend + displacement;
      this.fixups.push({ offset: this.bytes.length, kind: "abs32", symbol: symbol.name, addend });
      this.word(0, 4);
    } else this.word(displacement, 4);
  }

  modrm(reg: number, operand: Register | Memory | { readonly number: number }): void {
    if (!("kind" in operand) || operand.kind !== "memory") {
      this.bytes.push(0xc0 | (reg << 3) | (operand as Register).number);
      return;
    }
    const { base, index, displacement, symbol, scale } = operand;
    if (index?.number === NO_REGISTER) throw new Error("esp cannot be an index");
    const wide = symbol !== undefined || !fitsSigned8(displacement);
    const mod = base === undefined ? 0 : wide ? 2 : displacement !== 0 || base.number === EBP ? 1 : 0;
    if (index !== undefined || base?.number === NO_REGISTER) {
      this.bytes.push((mod << 6) | (reg << 3) | NO_REGISTER);
      const scaleBits = [1, 2, 4, 8].indexOf(scale);
      this.bytes.push((scaleBits << 6) | ((index?.number ?? NO_REGISTER) << 3) | (base?.number ?? EBP));
    } else this.bytes.push((mod << 6) | (reg << 3) | (base?.number ?? EBP));
    if (base === undefined || mod === 2) this.address(symbol, displacement);
    else if (mod === 1) this.word(displacement, 1);
  }

  immediate(operand: Operand, part: string, operandSize: OperandSize): void {
    if (typeof operand === "number") {
      this.word(operand, part === "ib" ? 1 : part === "iw" ? 2 : operandSize);
    } else if (operand && typeof operand === "object" && operand.kind === "symbol") this.address(operand, 0);
  }
}

interface Match {
  readonly row: OpcodeRow;
  readonly encoding: Encoding;
  readonly codes: readonly string[];
  readonly operandSize: OperandSize;
}

function numberOf(operand: Operand | undefined): number {
  return typeof operand === "object" && "number" in operand ? operand.number : 0;
}

function write(match: Match, operands: readonly Operand[], prefixes: readonly number[]): Encoded {
  const { encoding, codes, operandSize } = match;
  const writer = new InstructionWriter();
  const operandOf = (letters: string): Operand | undefined =>
    operands[codes.findIndex((code) => letters.includes(code[0]))];
  writer.bytes.push(...prefixes);
  if (operandSize === 2) writer.bytes.push(OPERAND_SIZE_PREFIX);
  writer.bytes.push(...encoding.bytes);
  if (encoding.plusRegister) {
    const last = writer.bytes.length - 1;
    writer.bytes[last] = (writer.bytes[last] as number) + numberOf(operandOf("Z"));
  }
  if (encoding.modrm) {
    const reg = encoding.digit >= 0 ? encoding.digit : numberOf(operandOf("GSCD"));
    writer.modrm(reg, operandOf("EMR") as Register | Memory);
  }
  const values = operands.filter((_, at) => codes[at]?.startsWith("I"));
  for (const part of encoding.immediates) {
    if (part === "mo") {
      const { symbol, displacement } = operandOf("O") as Memory;
      writer.address(symbol, displacement);
    } else if (part === "cd") {
      const target = operandOf("J") as SymbolOperand;
      const addend = target.addend - 4;
      writer.fixups.push({ offset: writer.bytes.length, kind: "pc32", symbol: target.name, addend });
      writer.word(0, 4);
    } else writer.immediate(values.shift() as Operand, part, operandSize);
  }
  return { bytes: writer.bytes, fixups: writer.fixups };
}

/** The operand size that the register or sized memory operands ask for. */
function operandSizeOf(operands: readonly Operand[]): OperandSize {
  for (const operand of operands) {
    if ((isRegister(operand) || isMemory(operand)) && operand.size === 2) return 2;
  }
  return 4;
}

function needsPrefix(codes: readonly string[], operands: readonly Operand[]): boolean {
  return codes.some((code, at) => (code.endsWith("v") || code === "eAX") && sizeIs2(operands[at]));
}

function sizeIs2(operand: Operand | undefined): boolean {
  return operand !== undefined && (isRegister(operand) || isMemory(operand)) && operand.size === 2;
}

/**
 * Size of a memory operand that states none: that of the register beside it,
 * else a doubleword. Counts in CL and ports in DX do not tell.
 */
function impliedSize(codes: readonly string[], operands: readonly Operand[]): OperandSize {
  const tells = (code: string, position: number): boolean =>
    /^(G|Z|R|AL|eAX)/.test(code) && isRegister(operands[position] as Operand);
  const at = codes.findIndex(tells);
  return at < 0 ? 4 : (operands[at] as Register).size;
}

function withSizes(codes: readonly string[], operands: readonly Operand[]): Operand[] {
  const size = impliedSize(codes, operands);
  return operands.map((operand) => (isMemory(operand) && operand.size === undefined ? { ...operand, size } : operand));
}

/**
 * Encodes `mnemonic operands` (destination first). A memory operand without a
 * size and without a register beside it is a doubleword. Throws when no row of
 * the table fits.
 */
export function encodeInstruction(
  mnemonic: string, operands: readonly Operand[], prefixes: readonly number[] = [],
): Encoded {
  const wanted = operandSizeOf(operands);
  let best: Encoded | undefined;
  for (const row of rowsOf(mnemonic)) {
    const codes = operandsOf(row);
    if (row.alias || row.mnemonic !== mnemonic || codes.length !== operands.length) continue;
    const operandSize = needsPrefix(codes, operands) ? wanted : 4;
    const complete = withSizes(codes, operands);
    if (!codes.every((code, at) => admits(code, complete[at] as Operand, operandSize))) continue;
    const encoded = write({ row, encoding: encodingOf(row), codes, operandSize }, operands, prefixes);
    if (best === undefined || encoded.bytes.length < best.bytes.length) best = encoded;
  }
  if (best === undefined) throw new Error(`no encoding of "${mnemonic}" takes these operands: ${describe(operands)}`);
  return best;
}

/** Encodes a string instruction of `size` bytes, with its prefix. */
export function encodeString(mnemonic: string, size: OperandSize, prefix?: "rep" | "repne"): Encoded {
  const letter = size === 1 ? "b" : "v";
  const row = rowsOf(mnemonic).find(({ operands }) => /[XY]/.test(operands) && operands.includes(letter));
  if (row === undefined) throw new Error(`no string instruction "${mnemonic}"`);
  const prefixes = prefix === undefined ? [] : [prefix === "rep" ? 0xf3 : 0xf2];
  const wide = size === 2 ? [OPERAND_SIZE_PREFIX] : [];
  return { bytes: [...prefixes, ...wide, ...encodingOf(row).bytes], fixups: [] };
}

function describe(operands: readonly Operand[]): string {
  return operands.map((one) => (typeof one === "number" ? String(one) : one.kind)).join(", ");
}
