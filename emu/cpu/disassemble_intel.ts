// Instructions in the Intel spelling, as `objdump -M intel` writes it: the destination first, registers bare,
// operands in memory with their size and in brackets.
import type { Instruction } from "./decode.js";
import { OLD_SPELLING, isImage, isNamed } from "./fpu/disassemble.js";
import { operandBytes } from "./op.js";
import { operandsOf } from "./opcodes.js";
import { DS, ES, ZERO } from "./state.js";

const NAMES8 = ["al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"];
const NAMES16 = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
const SEGMENT_NAMES = ["es", "cs", "ss", "ds", "fs", "gs", "?", "?"];
const POINTERS: Readonly<Record<number, string>> = {
  1: "BYTE", 2: "WORD", 4: "DWORD", 6: "FWORD", 8: "QWORD", 10: "TBYTE",
};

/** Names that differ from the table's, with 32-bit and 16-bit operands. */
const SPELLING: Readonly<Record<string, readonly [string, string]>> = {
  pushad: ["pusha", "pushaw"], popad: ["popa", "popaw"], pushfd: ["pushf", "pushfw"], popfd: ["popf", "popfw"],
  cwde: ["cwde", "cbw"], cdq: ["cdq", "cwd"], iretd: ["iret", "iretw"], lret: ["retf", "retfw"], ret: ["ret", "retw"],
  ljmp: ["jmp", "jmp"], lcall: ["call", "call"], enter: ["enter", "enterw"], leave: ["leave", "leavew"],
  lgdt: ["lgdtd", "lgdtw"], lidt: ["lidtd", "lidtw"], sgdt: ["sgdtd", "sgdtw"], sidt: ["sidtd", "sidtw"],
};
/** String instructions name their operands here, so the letter of the size goes. */
const STRING = /^(movs|cmps|stos|lods|scas|ins|outs)[bwd]?$/;
/** Operands in memory without a size. */
const UNSIZED = new Set(["lea", "lgdt", "lidt", "sgdt", "sidt"]);
/** Bytes of an operand in memory where the operand codes do not tell. */
const SIZES: Readonly<Record<string, number>> = {
  M32f: 4, M64f: 8, M80f: 10, M16c: 2, M16i: 2, M32i: 4, M64i: 8, M80b: 10,
};

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

function registerName(register: number, bytes: number): string {
  if (bytes === 1) return NAMES8[register]!;
  return bytes === 2 ? NAMES16[register]! : `e${NAMES16[register]}`;
}

/** [segment:][base+index*scale+displacement], without the size. */
function addressText(instruction: Instruction): string {
  const { base, index, scale, disp, hasDisp, override, addressSize, sib } = instruction;
  if (base === ZERO && index === ZERO && sib < 0) {
    return `${SEGMENT_NAMES[override >= 0 ? override : DS]}:${hex(addressSize === 2 ? disp & 0xffff : disp)}`;
  }
  const displacement = addressSize === 2 ? disp << 16 >> 16 : disp;
  const terms: string[] = [];
  if (base !== ZERO) terms.push(registerName(base, addressSize));
  const scaled = addressSize === 4 ? `*${1 << scale}` : "";
  if (index !== ZERO) terms.push(registerName(index, addressSize) + scaled);
  else if (hasPhantomIndex(instruction)) terms.push(`eiz${scaled}`);
  const sign = displacement < 0 ? "-" : "+";
  const tail = hasDisp ? `${sign}${hex(Math.abs(displacement))}` : "";
  return `${override >= 0 ? `${SEGMENT_NAMES[override]}:` : ""}[${terms.join("+")}${tail}]`;
}

/** A SIB byte without an index prints the register that is none, unless it stands for ESP as a base. */
function hasPhantomIndex({ base, index, scale, sib }: Instruction): boolean {
  return sib >= 0 && index === ZERO && (base === ZERO || base !== 4 || scale !== 0);
}

/** An operand in memory with its size in bytes; 0 leaves the size out. */
function memoryText(instruction: Instruction, bytes: number): string {
  const pointer = POINTERS[bytes];
  return (pointer === undefined ? "" : `${pointer} PTR `) + addressText(instruction);
}

function isFarIndirect({ row }: Instruction): boolean {
  return row!.opcode.startsWith("FF") && row!.semantic.endsWith("Far");
}

/** Bytes that an operand in memory has. */
function memoryBytes(code: string, instruction: Instruction): number {
  const { row, operandSize } = instruction;
  const { mnemonic } = row!;
  if (UNSIZED.has(mnemonic)) return 0;
  // An address without ModRM stands beside the accumulator, which tells the size.
  if (code[0] === "O") return 0;
  if (mnemonic === "invlpg") return 1;
  if (mnemonic === "bound") return 2 * operandSize;
  if (mnemonic === "cmpxchg8b") return 8;
  if (/^l[defgs]s$/.test(mnemonic) || isFarIndirect(instruction)) return operandSize + 2;
  if (/^(storeSegment|loadSegment|lar|lsl|sldt|str|smsw)$/.test(row!.semantic)) return 2;
  return SIZES[code] ?? operandBytes(code, operandSize);
}

interface Context {
  readonly instruction: Instruction;
  readonly eip: number;
  target?: number;
}

function immediateText({ imm }: Instruction, bytes: number): string {
  return hex(bytes === 1 ? imm & 0xff : bytes === 2 ? imm & 0xffff : imm);
}

/** Source and destination of string instructions: the index register of the address size behind its segment. */
function stringText(segment: number, register: number, bytes: number, addressSize: number): string {
  return `${POINTERS[bytes]} PTR ${SEGMENT_NAMES[segment]}:[${registerName(register, addressSize)}]`;
}

/** Registers whose width is the operand size though the table reads a word of them. */
const WIDE_SOURCE = new Set(["loadSegment", "lar", "lsl"]);

function operandText(code: string, context: Context): string {
  const { instruction, eip } = context;
  const { operandSize, row } = instruction;
  const bytes = operandBytes(code, operandSize);
  switch (code) {
    case "AL": case "CL": case "AX": case "DX": return code.toLowerCase();
    case "eAX": return registerName(0, operandSize);
    case "1": return "1";
    case "ES": case "CS": case "SS": case "DS": case "FS": case "GS": return code.toLowerCase();
    case "Ibs": return immediateText(instruction, operandSize);
    default:
  }
  switch (code[0]) {
    case "E": case "M": case "O":
      if (instruction.memory) return memoryText(instruction, memoryBytes(code, instruction));
      return registerName(instruction.rm, WIDE_SOURCE.has(row!.semantic) ? operandSize : bytes);
    case "R": return registerName(instruction.rm, 4);
    case "G": return registerName(instruction.reg, bytes);
    case "Z": return registerName(instruction.opcode & 7, bytes);
    case "S": return SEGMENT_NAMES[instruction.reg]!;
    case "C": return `cr${instruction.reg}`;
    case "D": return `dr${instruction.reg}`;
    case "T": return `tr${instruction.reg}`;
    case "J": {
      const target = (eip + instruction.length + instruction.imm) | 0;
      context.target = (operandSize === 2 ? target & 0xffff : target) >>> 0;
      return hex(context.target);
    }
    case "X": return stringText(instruction.override >= 0 ? instruction.override : DS, 6, bytes, instruction.addressSize);
    case "Y": return stringText(ES, 7, bytes, instruction.addressSize);
    case "A": return `${hex(instruction.imm2)}:${hex(instruction.imm)}`;
    default: return immediateText(instruction, bytes);
  }
}

function mnemonicOf(instruction: Instruction): string {
  const { row, operandSize, addressSize, memory } = instruction;
  const { mnemonic, semantic } = row!;
  const string = STRING.exec(mnemonic);
  if (string !== null && /\b[XY][bv]/.test(row!.operands)) return string[1]!;
  if (mnemonic === "jecxz") return addressSize === 4 ? "jecxz" : "jcxz";
  if (semantic === "movzx" || semantic === "movsx") return semantic;
  if (mnemonic === "push" || mnemonic === "pop") return mnemonic + (isNarrowStack(instruction) ? "w" : "");
  if (row!.operands === "Jz" && (mnemonic === "jmp" || mnemonic === "call")) {
    return operandSize === 2 ? `${mnemonic}w` : mnemonic;
  }
  if ((mnemonic === "ljmp" || mnemonic === "lcall") && memory) return mnemonic.slice(1);
  return SPELLING[mnemonic]?.[operandSize === 4 ? 0 : 1] ?? mnemonic;
}

/** A push of an immediate or a segment register whose width no operand tells. */
function isNarrowStack({ row, operandSize }: Instruction): boolean {
  return operandSize === 2 && !/^[EZ]/.test(row!.operands);
}

export interface IntelText {
  readonly mnemonic: string;
  readonly operands: string;
  /** Where a direct transfer goes. */
  readonly target?: number;
}

/** Mnemonic and operands of an integer instruction. */
export function intelText(instruction: Instruction, eip: number): IntelText {
  const { row } = instruction;
  const context: Context = { instruction, eip };
  const mnemonic = mnemonicOf(instruction);
  const codes = operandsOf(row!);
  let texts: string[];
  if (row!.mnemonic === "xlat") {
    texts = [`BYTE PTR ${SEGMENT_NAMES[instruction.segment]}:[${registerName(3, instruction.addressSize)}]`];
  } else if (row!.mnemonic === "enter") texts = [immediateText(instruction, 2), hex(instruction.imm2)];
  else texts = codes.map((code) => operandText(code, context));
  const operands = texts.join(",");
  return { mnemonic, operands, ...(context.target === undefined ? {} : { target: context.target }) };
}

/** Mnemonic and operands of an instruction of the coprocessor. */
export function intelEscape(instruction: Instruction): IntelText {
  const { row, operandSize, memory } = instruction;
  if (!isNamed(instruction)) return { mnemonic: "(bad)", operands: memory ? addressText(instruction) : "" };
  const { mnemonic, operands } = row!;
  if (memory) {
    const name = isImage(instruction) && operandSize === 2 ? `${mnemonic}w` : mnemonic;
    return { mnemonic: name, operands: memoryText(instruction, SIZES[operands] ?? 0) };
  }
  const texts = operandsOf(row!).map((code) => (code === "STi" ? `st(${instruction.rm})` : code === "AX" ? "ax" : "st"));
  return { mnemonic: OLD_SPELLING[mnemonic] ?? mnemonic, operands: texts.join(",") };
}
