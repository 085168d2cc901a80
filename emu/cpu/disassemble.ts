// Instructions as text, in the AT&T spelling of objdump: operands reversed, a
// size suffix where no register tells the size, `*` before indirect targets.
// The Intel spelling is in disassemble_intel.ts; prefixes are written alike.
import { MAX_LENGTH, decode } from "./decode.js";
import type { Instruction } from "./decode.js";
import { intelEscape, intelText } from "./disassemble_intel.js";
import type { Model } from "./opcodes.js";
import { operandsOf } from "./opcodes.js";
import { isImage, x87Mnemonic, x87Operands } from "./fpu/disassemble.js";
import { operandBytes } from "./op.js";
import { DS, ZERO } from "./state.js";

export interface Disassembly {
  readonly length: number;
  /** Mnemonic padded to six columns, a space, operands. */
  readonly text: string;
  /** Where a direct transfer goes. */
  readonly target?: number;
}

const NAMES8 = ["al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"];
const NAMES16 = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
const SEGMENT_NAMES = ["es", "cs", "ss", "ds", "fs", "gs", "?", "?"];

/** AT&T names that differ from Intel's: with 32-bit and 16-bit operands. */
const SPELLING: Readonly<Record<string, readonly [string, string]>> = {
  cwde: ["cwtl", "cbtw"], cdq: ["cltd", "cwtd"], pushad: ["pusha", "pushaw"], popad: ["popa", "popaw"],
  pushfd: ["pushf", "pushfw"], popfd: ["popf", "popfw"], iretd: ["iret", "iretw"],
  lgdt: ["lgdtl", "lgdtw"], lidt: ["lidtl", "lidtw"], sgdt: ["sgdtl", "sgdtw"], sidt: ["sidtl", "sidtw"],
  enter: ["enter", "enterw"], leave: ["leave", "leavew"], ret: ["ret", "retw"], lret: ["lret", "lretw"],
  call: ["call", "callw"], ljmp: ["ljmp", "ljmpw"], lcall: ["lcall", "lcallw"],
};

/** Mnemonics whose operand in memory needs no size. */
const UNSIZED = new Set(["cmpxchg8b", "lea", "bound", "lgdt", "lidt", "sgdt", "sidt", "invlpg", "lldt", "ltr", "verr", "verw",
  "lmsw", "sldt", "str", "smsw", "les", "lds", "lss", "lfs", "lgs", "arpl", "lar", "lsl", "call", "jmp", "ljmp",
  "lcall", "esc"]);

/** A word operand that prints as a register of the operand size. */
const WIDE_SOURCE = new Set(["loadSegment", "lar", "lsl"]);

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

function signedHex(value: number): string {
  return value < 0 ? `-${hex(-value)}` : hex(value);
}

function registerName(register: number, bytes: number): string {
  if (bytes === 1) return `%${NAMES8[register]}`;
  return bytes === 2 ? `%${NAMES16[register]}` : `%e${NAMES16[register]}`;
}

/** Displacement, base and index of a memory operand. */
function memoryText(instruction: Instruction): string {
  const { base, index, scale, disp, hasDisp, override, addressSize, sib } = instruction;
  const prefix = override >= 0 ? `%${SEGMENT_NAMES[override]}:` : "";
  const noBase = base === ZERO;
  // A SIB byte without an index prints the register that is none, unless it stands for ESP as a base.
  const noIndex = index === ZERO;
  const phantom = sib >= 0 && noIndex && (noBase || base !== 4 || scale !== 0);
  if (noBase && noIndex && !phantom) {
    const masked = addressSize === 2 ? disp & 0xffff : disp;
    return `${prefix}${hex(masked)}`;
  }
  const displacement = !hasDisp ? "" : signedHex(addressSize === 2 ? disp << 16 >> 16 : disp);
  const baseText = noBase ? "" : registerName(base, addressSize);
  if (noIndex && !phantom) return `${prefix}${displacement}(${baseText})`;
  const indexText = noIndex ? "%eiz" : registerName(index, addressSize);
  const scaled = addressSize === 4 ? `,${1 << scale}` : "";
  return `${prefix}${displacement}(${baseText},${indexText}${scaled})`;
}

function immediateText(instruction: Instruction, bytes: number): string {
  const { imm } = instruction;
  const value = bytes === 1 ? imm & 0xff : bytes === 2 ? imm & 0xffff : imm;
  return `$${hex(value)}`;
}

interface Context {
  readonly instruction: Instruction;
  readonly eip: number;
  /** Operand size of the whole instruction in bytes. */
  readonly size: number;
  target?: number;
}

function isIndirect(instruction: Instruction): boolean {
  return /Indirect$|Far$/.test(instruction.row!.semantic) && instruction.row!.opcode.startsWith("FF");
}

function operandText(code: string, context: Context): string {
  const { instruction, eip, size } = context;
  const bytes = operandBytes(code, instruction.operandSize);
  const star = isIndirect(instruction) ? "*" : "";
  switch (code) {
    case "AL": case "CL": case "AX": return `%${code.toLowerCase()}`;
    case "DX": return "(%dx)";
    case "eAX": return registerName(0, size);
    case "1": return "$1";
    case "ES": case "CS": case "SS": case "DS": case "FS": case "GS": return `%${code.toLowerCase()}`;
    default:
  }
  switch (code[0]) {
    case "E": case "M": case "O":
      if (instruction.memory) return star + memoryText(instruction);
      return star + registerName(instruction.rm, WIDE_SOURCE.has(instruction.row!.semantic) ? size : bytes);
    case "R": return registerName(instruction.rm, 4);
    case "G": return registerName(instruction.reg, bytes);
    case "Z": return registerName(instruction.opcode & 7, bytes);
    case "S": return `%${SEGMENT_NAMES[instruction.reg]}`;
    case "C": return `%cr${instruction.reg}`;
    case "D": return `%db${instruction.reg}`;
    case "T": return `%tr${instruction.reg}`;
    case "J": {
      const target = (eip + instruction.length + instruction.imm) | 0;
      context.target = (size === 2 ? target & 0xffff : target) >>> 0;
      return hex(context.target);
    }
    case "X": return `%${SEGMENT_NAMES[instruction.override >= 0 ? instruction.override : DS]}:`
      + `(${registerName(6, instruction.addressSize)})`;
    case "Y": return `%es:(${registerName(7, instruction.addressSize)})`;
    case "A": return `$${hex(instruction.imm2)},$${hex(instruction.imm)}`;
    default: return code === "Ibs" ? immediateText(instruction, size) : immediateText(instruction, bytes);
  }
}

/** True when a register among the operands tells the operand size. */
function hasSizedRegister(instruction: Instruction): boolean {
  return operandsOf(instruction.row!).some((code, i) => {
    if (code === "CL") return false;
    if (code === "AL" || code === "eAX") return true;
    if (code === "DX") return false;
    return code[0] === "G" || code[0] === "Z" || code[0] === "R" || (code[0] === "E" && !instruction.memory && i < 2);
  });
}

function suffixOf(bytes: number): string {
  return bytes === 1 ? "b" : bytes === 2 ? "w" : "l";
}

/** MOVZX and MOVSX spell both sizes. */
function extensionName(instruction: Instruction): string {
  const { semantic, operands } = instruction.row!;
  const from = operands.endsWith("Eb") ? "b" : "w";
  return `${semantic.slice(0, 4)}${from}${suffixOf(instruction.operandSize)}`;
}

function mnemonicOf(instruction: Instruction): string {
  const { row, operandSize, memory } = instruction;
  const { mnemonic, semantic } = row!;
  if (semantic === "movzx" || semantic === "movsx") return extensionName(instruction);
  if (mnemonic === "jecxz") return instruction.addressSize === 4 ? "jecxz" : "jcxz";
  const spelled = isIndirect(instruction) && !memory ? undefined : SPELLING[mnemonic];
  if (spelled !== undefined) return spelled[operandSize === 4 ? 0 : 1];
  const codes = operandsOf(row!);
  const size = codes.length === 0 ? operandSize : operandBytes(codes[0], operandSize);
  if (/^(movs|cmps|ins|outs)$/.test(mnemonic)) {
    return mnemonic + suffixOf(operandBytes(mnemonic === "outs" ? codes[1] : codes[0], operandSize));
  }
  if (mnemonic === "push" || mnemonic === "pop") {
    return mnemonic + (operandSize === 2 && !hasSizedRegister(instruction) ? "w" : "");
  }
  if (mnemonic === "jmp") return operandSize === 2 && (memory || row!.operands === "Jz") ? "jmpw" : mnemonic;
  if (semantic === "setcc") return mnemonic;
  if (memory && !UNSIZED.has(mnemonic) && !hasSizedRegister(instruction) && !codes.includes("Sw")) {
    return mnemonic + suffixOf(size);
  }
  return mnemonic;
}

/** Whether a segment prefix shows in an operand. */
function usesSegment({ row, memory }: Instruction): boolean {
  return memory || row!.mnemonic === "xlat" || /\bX[bv]/.test(row!.operands);
}

function isEscape({ row }: Instruction): boolean {
  return row!.semantic === "x87" || row!.semantic === "escape";
}

/** Selectors and the machine status word are stored as words whatever the operand size. */
function isDataSizeUnused(instruction: Instruction): boolean {
  const { row, operandSize, memory } = instruction;
  if (isEscape(instruction)) return operandSize === 2 && !isImage(instruction);
  return operandSize === 2 && memory && /^(storeSegment|sldt|str|smsw)$/.test(row!.semantic);
}

/** Prefixes that print as words of their own. */
function prefixText(instruction: Instruction): string {
  const { row, repeat, lock, override } = instruction;
  const segment = override >= 0 && !usesSegment(instruction) ? `${SEGMENT_NAMES[override]} ` : "";
  const words = segment + (isDataSizeUnused(instruction) ? "data16 " : "") + (lock ? "lock " : "");
  if (repeat === 0) return words;
  if (row!.repeat === "repe") return `${words}${repeat === 0xf3 ? "repz" : "repnz"} `;
  return `${words}${repeat === 0xf3 ? "rep" : "repnz"} `;
}

function operandList(context: Context): string {
  const { instruction } = context;
  const { row } = instruction;
  const codes = [...operandsOf(row!)];
  if (row!.mnemonic === "xlat") return `%${SEGMENT_NAMES[instruction.segment]}:(%ebx)`;
  if (row!.mnemonic === "enter") return `${immediateText(instruction, 2)},$${hex(instruction.imm2)}`;
  if (row!.mnemonic === "bound") codes.reverse();
  // A shift by one prints its operand alone.
  if (codes.at(-1) === "1") codes.pop();
  const texts = codes.map((code) => operandText(code, context)).reverse();
  return texts.join(",");
}

function disassembleEscape(instruction: Instruction): Disassembly {
  const prefixes = prefixText(instruction).replace("rep ", "repz ");
  const mnemonic = prefixes + x87Mnemonic(instruction);
  const operands = x87Operands(instruction, instruction.memory ? memoryText(instruction) : "");
  return { length: instruction.length, text: line(mnemonic, operands) };
}

function line(mnemonic: string, operands: string): string {
  return operands === "" ? mnemonic : `${mnemonic.padEnd(6)} ${operands}`;
}

function disassembleIntel(instruction: Instruction, eip: number): Disassembly {
  const { length } = instruction;
  const escape = isEscape(instruction);
  const prefixes = escape ? prefixText(instruction).replace("rep ", "repz ") : prefixText(instruction);
  const { mnemonic, operands, target } = escape ? intelEscape(instruction) : intelText(instruction, eip);
  return { length, text: line(prefixes + mnemonic, operands), ...(target === undefined ? {} : { target }) };
}

export type Syntax = "att" | "intel";

/**
 * Text of the instruction at `eip`, whose byte i is `fetch(i)`; `big`: in a 32-bit code segment. Bytes that are no
 * instruction of the model give "(bad)" and length 1.
 */
export function disassemble(
  fetch: (offset: number) => number, eip: number, model: Model = "i486", big = true, syntax: Syntax = "att",
): Disassembly {
  const instruction = decode(fetch, big, model);
  const { row } = instruction;
  if (row === null || instruction.length > MAX_LENGTH) return { length: 1, text: "(bad)" };
  if (row.semantic === "nop" && instruction.operandSize === 2) {
    return { length: instruction.length, text: syntax === "intel" ? "xchg   ax,ax" : "xchg   %ax,%ax" };
  }
  if (syntax === "intel") return disassembleIntel(instruction, eip);
  if (isEscape(instruction)) return disassembleEscape(instruction);
  const context: Context = { instruction, eip, size: instruction.operandSize };
  const operands = operandList(context);
  const mnemonic = prefixText(instruction) + mnemonicOf(instruction);
  const text = line(mnemonic, operands);
  return { length: instruction.length, text, ...(context.target === undefined ? {} : { target: context.target }) };
}
