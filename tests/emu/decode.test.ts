// The decoder against iced-x86: every opcode of both maps with every ModRM and
// SIB byte and sets of prefixes, and random bytes; and the assembler against
// the decoder.

import {
  Code, Decoder, DecoderOptions, Instruction as Iced, MemorySizeExt, Mnemonic, OpKind, Register,
} from "iced-x86";
import t from "tap";
import { MAX_LENGTH, decode } from "../../emu/cpu/decode.js";
import type { Instruction } from "../../emu/cpu/decode.js";
import { operandsOf } from "../../emu/cpu/opcodes.js";
import type { OpcodeRow } from "../../emu/cpu/opcodes.js";
import { operandBytes } from "../../emu/cpu/op.js";
import { ZERO } from "../../emu/cpu/state.js";
import { encodeInstruction } from "../../tools/kcc/encode.js";
import type { Operand, OperandSize } from "../../tools/kcc/operands.js";
import { randomFrom } from "./cpu_rig.js";

const SEED = Number(process.env["SEED"] ?? 20000527);
const long = process.env["PTMAP_LONG"] !== undefined;
if (long) t.setTimeout(1_200_000);
const SHOWN = 20;

const NAMES8 = ["AL", "CL", "DL", "BL", "AH", "CH", "DH", "BH"];
const NAMES16 = ["AX", "CX", "DX", "BX", "SP", "BP", "SI", "DI"];
const SEGMENTS = ["ES", "CS", "SS", "DS", "FS", "GS"];

function registerName(register: number, bytes: number): string {
  if (bytes === 1) return NAMES8[register]!;
  return bytes === 2 ? NAMES16[register]! : `E${NAMES16[register]!}`;
}

const hex = (value: number): string => (value >>> 0).toString(16);

/** Where a register operand may be written with 16 or 32 bits, because the processor takes 16 of them. */
const EITHER_WIDTH = new Set(["loadSegment", "storeSegment", "sldt", "str", "smsw", "lldt", "ltr", "verr", "verw",
  "lmsw", "lar", "lsl", "arpl"]);

/** `seg:base+index*scale+displacement`. */
function memoryText({ segment, base, index, scale, disp, addressSize }: Instruction): string {
  const name = (register: number): string => (register === ZERO ? "" : registerName(register, addressSize));
  const shown = addressSize === 2 ? disp & 0xffff : disp;
  return `${SEGMENTS[segment]}:${name(base)}+${name(index)}*${index === ZERO ? 1 : 1 << scale}+${hex(shown)}`;
}

function immediate(value: number, bytes: number): string {
  return hex(bytes === 1 ? value & 0xff : bytes === 2 ? value & 0xffff : value);
}

/** One operand of ours, in a form that icedOperand gives, too. */
function operandText(code: string, instruction: Instruction): string {
  const { row, operandSize, addressSize, memory, reg, rm, opcode, imm, imm2, length, segment } = instruction;
  const bytes = operandBytes(code, operandSize);
  const register = (number: number): string => registerName(number, EITHER_WIDTH.has(row!.semantic) ? 4 : bytes);
  if (/^(AL|CL|AX|DX|ES|CS|SS|DS|FS|GS)$/.test(code)) return code;
  if (code === "eAX") return registerName(0, operandSize);
  if (/^\d$/.test(code)) return code;
  switch (code[0]) {
    case "E": case "R": return memory ? memoryText(instruction) : register(rm);
    case "M": case "O": return memoryText(instruction);
    case "G": return register(reg);
    // BSWAP of 16 bits is undefined; iced-x86 names the half.
    case "Z": return registerName(opcode & 7, row!.semantic === "bswap" ? operandSize : bytes);
    case "S": return SEGMENTS[reg] ?? "?";
    case "C": return `CR${reg}`;
    case "D": return `DR${reg}`;
    case "T": return `TR${reg}`;
    case "X": return `${SEGMENTS[segment]}:[${registerName(6, addressSize)}]`;
    case "Y": return `ES:[${registerName(7, addressSize)}]`;
    case "A": return `${hex(imm2)}:${hex(operandSize === 2 ? imm & 0xffff : imm)}`;
    case "J": {
      const target = length + imm;
      return hex(operandSize === 2 ? target & 0xffff : target);
    }
    default: return immediate(imm, code === "Ibs" ? operandSize : bytes);
  }
}

function myOperands(instruction: Instruction): string[] {
  const { row, imm, imm2, memory } = instruction;
  if (row!.semantic === "enter") return [hex(imm), hex(imm2)];
  // The registers of the coprocessor follow from the opcode.
  if (row!.semantic === "x87") return memory ? [memoryText(instruction)] : [];
  return operandsOf(row!).map((code) => operandText(code, instruction));
}

function icedMemory(iced: Iced): string {
  const index = iced.memoryIndex === Register.None ? "" : Register[iced.memoryIndex];
  const base = iced.memoryBase === Register.None ? "" : Register[iced.memoryBase];
  const scale = index === "" ? 1 : iced.memoryIndexScale;
  return `${Register[iced.memorySegment]}:${base}+${index}*${scale}+${hex(Number(iced.memoryDisplacement))}`;
}

const WIDE = new Map(NAMES16.map((name) => [name, `E${name}`]));

function icedOperand(iced: Iced, i: number, either: boolean): string {
  const kind = iced.opKind(i);
  switch (kind) {
    case OpKind.Register: {
      const name = Register[iced.opRegister(i)]!;
      return either ? WIDE.get(name) ?? name : name;
    }
    case OpKind.Memory: return icedMemory(iced);
    case OpKind.MemorySegSI: return `${Register[iced.memorySegment]}:[SI]`;
    case OpKind.MemorySegESI: return `${Register[iced.memorySegment]}:[ESI]`;
    case OpKind.MemoryESDI: return "ES:[DI]";
    case OpKind.MemoryESEDI: return "ES:[EDI]";
    case OpKind.NearBranch16: case OpKind.NearBranch32: return hex(Number(iced.nearBranchTarget));
    case OpKind.FarBranch16: return `${hex(iced.farBranchSelector)}:${hex(iced.farBranch16)}`;
    case OpKind.FarBranch32: return `${hex(iced.farBranchSelector)}:${hex(iced.farBranch32)}`;
    case OpKind.Immediate8: case OpKind.Immediate8_2nd: case OpKind.Immediate16: return hex(Number(iced.immediate(i)));
    case OpKind.Immediate8to16: return hex(Number(BigInt.asUintN(16, iced.immediate(i))));
    default: return hex(Number(BigInt.asUintN(32, iced.immediate(i))));
  }
}

function icedOperands(iced: Iced, row: OpcodeRow): string[] {
  const all = Array.from({ length: iced.opCount }, (_, i) => icedOperand(iced, i, EITHER_WIDTH.has(row.semantic)));
  if (row.semantic === "x87") return all.filter((text) => text.includes(":"));
  // The hints to caches and branches have a second operand there that nothing uses.
  if (row.semantic === "hintNop") return all.slice(0, 1);
  return row.mnemonic === "xlat" ? [] : all;
}

/** Names of iced-x86 that differ from Intel's of the table. */
const NAMES: Readonly<Record<string, string>> = { sal: "shl", retf: "lret", xlatb: "xlat", wait: "fwait",
  fstpnce: "fstp", fsetpm: "fnsetpm", reservednop: "nop" };

function icedName(iced: Iced): string {
  const name = Mnemonic[iced.mnemonic]!.toLowerCase();
  const string = /^(movs|cmps|stos|lods|scas|ins|outs)[bwd]$/.exec(name);
  return string === null ? NAMES[name] ?? name : string[1]!;
}

function myName({ row, operandSize, addressSize }: Instruction): string {
  const { mnemonic, mnemonic16, semantic } = row!;
  if (semantic === "jmpFar" || semantic === "callFar") return mnemonic.slice(1);
  if (mnemonic === "jecxz") return addressSize === 2 ? "jcxz" : "jecxz";
  return operandSize === 2 ? mnemonic16 : mnemonic;
}

/** What F2, F3 or 66 makes of an opcode on processors later than our models. */
const LATER = new RegExp("^(tzcnt|lzcnt|popcnt|pause|wbnoinvd|xbegin|xabort|endbr\\d+|rdsspd|incsspd|fisttp|ud0|ud1"
  + "|prefetch\\w*|cldemote|bnd\\w+)$");

const decoderOf = (bytes: Uint8Array, bits: 16 | 32): Decoder => new Decoder(bits, bytes, DecoderOptions.MovTr);

/** Registers of the system that do not exist: the instruction decodes, and raises #UD when executed. */
function namesNoRegister({ row, reg }: Instruction): boolean {
  const codes = operandsOf(row!);
  if (codes.includes("Sw")) return reg > 5 || (row!.semantic === "loadSegment" && reg === 1);
  if (codes.includes("Cd")) return ![0, 2, 3, 4].includes(reg);
  return codes.includes("Td") && reg < 3;
}

/** Differences between the two decoders for pieces of code of `stride` bytes; a line for each. */
class Comparison {
  readonly wrong: string[] = [];
  failures = 0;
  count = 0;
  readonly #iced = new Iced();

  check(codes: readonly Uint8Array[], bits: 16 | 32): void {
    const stride = MAX_LENGTH + 1;
    const bytes = new Uint8Array(codes.length * stride);
    codes.forEach((code, i) => bytes.set(code, i * stride));
    const decoder = decoderOf(bytes, bits);
    for (let i = 0; i < codes.length; i++) {
      const at = i * stride;
      decoder.position = at;
      decoder.ip = 0n;
      decoder.decodeOut(this.#iced);
      const mine = decode((k) => bytes[at + k] ?? 0, bits === 32, "i686");
      const problem = this.#compare(mine, this.#iced);
      this.count++;
      if (problem === "") continue;
      this.failures++;
      const text = Buffer.from(codes[i]!).toString("hex");
      if (this.wrong.length < SHOWN) this.wrong.push(`${bits} bits ${text}: ${problem}`);
    }
    decoder.free();
  }

  #compare(mine: Instruction, iced: Iced): string {
    const { row, length } = mine;
    if (row === null || row.semantic === "escape" || length > MAX_LENGTH) {
      // What iced-x86 knows beyond the table are later processors' instructions; no row of ours may be lost.
      return length > MAX_LENGTH && iced.code !== Code.INVALID ? `too long, iced ${icedName(iced)}` : "";
    }
    if (iced.code === Code.INVALID && namesNoRegister(mine)) return "";
    if (iced.code === Code.INVALID) return `${row.mnemonic} ${row.operands}, iced: invalid`;
    const name = icedName(iced);
    if (LATER.test(name)) return "";
    if (length !== iced.length) return `${row.mnemonic} length ${length}, iced ${iced.length}`;
    if (name !== myName(mine)) return `${myName(mine)}, iced ${name}`;
    const [a, b] = [myOperands(mine).join(", "), icedOperands(iced, row).join(", ")];
    if (a !== b) return `${name} ${a}, iced ${b}`;
    if (!mine.memory || !row.operands.startsWith("E") || EITHER_WIDTH.has(row.semantic)) return "";
    const bytes = MemorySizeExt.size(iced.memorySize);
    const mineBytes = operandBytes(operandsOf(row)[0]!, mine.operandSize);
    return bytes > 0 && bytes !== mineBytes ? `${name} of ${mineBytes} bytes, iced ${bytes}` : "";
  }
}

/** Prefixes in front of every encoding; the first one or two always, the rest in the long run. */
const PREFIXES: readonly (readonly number[])[] = [[], [0x66], [0x67], [0x66, 0x67], [0x2e], [0x65], [0xf0], [0xf3],
  [0xf2], [0x26, 0x66], [0x67, 0x36], [0xf3, 0x66], [0xf2, 0x67], [0x3e, 0x64], [0xf0, 0x66, 0x67],
  [0x64, 0xf3, 0x66, 0x67]];
/** Displacements and immediates: recognisable, negative and positive as bytes. */
const TAIL = [0x81, 0x42, 0xc3, 0x74, 0xa5, 0x16, 0x97, 0x28];

const opcodes: readonly (readonly number[])[] = [
  ...Array.from({ length: 256 }, (_, byte) => [byte]).filter(([byte]) => byte !== 0x0f),
  ...Array.from({ length: 256 }, (_, byte) => [0x0f, byte]),
];

function codeOf(...parts: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from([...parts.flat(), ...TAIL].slice(0, MAX_LENGTH));
}

t.test("every opcode with every ModRM byte is what iced-x86 says", async (t) => {
  const comparison = new Comparison();
  for (const bits of [32, 16] as const) {
    for (const prefixes of PREFIXES.slice(0, long ? PREFIXES.length : bits / 16)) {
      comparison.check(opcodes.flatMap((opcode) =>
        Array.from({ length: 256 }, (_, modrm) => codeOf(prefixes, opcode, [modrm]))), bits);
    }
  }
  t.same(comparison.wrong, [], `${comparison.count} encodings, ${comparison.failures} wrong`);
});

t.test("every prefix set with every opcode is what iced-x86 says", async (t) => {
  const comparison = new Comparison();
  for (const bits of [32, 16] as const) {
    for (const prefixes of PREFIXES) {
      comparison.check(opcodes.flatMap((opcode) =>
        [0x05, 0x44, 0xc1].map((modrm) => codeOf(prefixes, opcode, [modrm]))), bits);
    }
  }
  t.same(comparison.wrong, [], `${comparison.count} encodings, ${comparison.failures} wrong`);
});

t.test("every SIB byte is what iced-x86 says", async (t) => {
  const comparison = new Comparison();
  for (const opcode of [[0x8b], [0x0f, 0xaf], [0xdd], [0xc7]]) {
    for (const prefixes of PREFIXES) {
      for (const mod of [0, 0x40, 0x80]) {
        comparison.check(Array.from({ length: 256 }, (_, sib) => codeOf(prefixes, opcode, [mod | 4, sib])), 32);
      }
    }
  }
  t.same(comparison.wrong, [], `${comparison.count} encodings, ${comparison.failures} wrong`);
});

t.test(`random bytes are what iced-x86 says (seed ${SEED})`, async (t) => {
  const random = randomFrom(SEED);
  const comparison = new Comparison();
  for (let round = long ? 200 : 10; round > 0; round--) {
    const codes = Array.from({ length: 10_000 }, () => new Uint8Array(MAX_LENGTH).map(() => random() >>> 24));
    comparison.check(codes, (round & 1) !== 0 ? 32 : 16);
  }
  t.same(comparison.wrong, [], `${comparison.count} pieces, ${comparison.failures} wrong`);
});

/** The operand of a code as the assembler takes it; undefined where it takes none such. */
function assemblerOperand(code: string, instruction: Instruction): Operand | undefined {
  const { operandSize, memory, reg, rm, opcode, imm, base, index, scale, disp } = instruction;
  const size = operandBytes(code, operandSize) as OperandSize;
  const register = (number: number, bytes: OperandSize = size): Operand => ({ kind: "register", number, size: bytes });
  const address = (): Operand => ({
    kind: "memory", displacement: disp, scale: (1 << scale) as 1 | 2 | 4 | 8, ...(code === "M" ? {} : { size }),
    ...(base === ZERO ? {} : { base: { kind: "register", number: base, size: 4 } }),
    ...(index === ZERO ? {} : { index: { kind: "register", number: index, size: 4 } }),
  });
  switch (code) {
    case "AL": return register(0, 1);
    case "CL": return register(1, 1);
    case "AX": return register(0, 2);
    case "DX": return register(2, 2);
    case "eAX": return register(0, operandSize);
    case "1": return 1;
    case "M": return address();
    default:
  }
  if (SEGMENTS.includes(code)) return { kind: "segment", number: SEGMENTS.indexOf(code) };
  switch (code[0]) {
    case "E": return memory ? address() : register(rm);
    case "O": return address();
    case "G": return register(reg);
    case "Z": return register(opcode & 7);
    case "R": return register(rm, 4);
    case "S": return { kind: "segment", number: reg };
    case "C": return { kind: "control", number: reg };
    case "D": return { kind: "debug", number: reg };
    case "I": return code === "Iw" ? imm & 0xffff : code === "Ib" ? imm & 0xff : imm;
    default: return undefined;
  }
}

/** The assembler's bytes for what was decoded; undefined for what its language does not say. */
function encodeAgain(instruction: Instruction): readonly number[] | undefined {
  const { row, operandSize, addressSize, override, repeat, lock, imm2 } = instruction;
  if (row === null || namesNoRegister(instruction)) return undefined;
  if (addressSize === 2 || override >= 0 || repeat !== 0 || lock) return undefined;
  if (/^(x87|escape|hintNop|xlat|cmpxchg8b)$/.test(row.semantic)) return undefined;
  if (row.mnemonic16 !== row.mnemonic && operandSize === 2) return undefined;
  const codes = operandsOf(row);
  const operands = codes.map((code) => assemblerOperand(code, instruction));
  if (row.semantic === "enter") operands[1] = imm2;
  const known = operands.filter((operand) => operand !== undefined);
  // A register or a sized operand in memory tells that operands have 16 bits.
  const tells = codes.some((code, i) => /^([EGZO]v|eAX)$/.test(code) && operands[i] !== undefined);
  if (known.length !== codes.length || (operandSize === 2 && !tells)) return undefined;
  return encodeInstruction(row.mnemonic, known).bytes;
}

const again = (bytes: readonly number[] | Uint8Array): Instruction => decode((i) => bytes[i] ?? 0, true, "i686");
const meaning = (instruction: Instruction): string =>
  `${myName(instruction)} ${instruction.operandSize} ${myOperands(instruction).join(", ")}`;
const hexOf = (bytes: ArrayLike<number>): string => Buffer.from(Array.from(bytes)).toString("hex");

t.test("the assembler gives back what is decoded, in its shortest form", async (t) => {
  const wrong: string[] = [];
  let same = 0;
  let shorter = 0;
  const check = (code: Uint8Array): void => {
    const mine = again(code);
    const bytes = mine.length > MAX_LENGTH ? undefined : encodeAgain(mine);
    if (bytes === undefined) return;
    const [before, after] = [hexOf(code.subarray(0, mine.length)), hexOf(bytes)];
    const text = `${before} as ${after}`;
    const other = again(bytes);
    // An exchange of registers may be written either way round.
    const alike = meaning(mine) === meaning(other) || mine.row!.semantic === "xchg" || mine.row!.semantic === "nop"
      || (mine.row!.semantic === "test" && !mine.memory);
    if (!alike) wrong.push(`${text}: ${meaning(mine)}, then ${meaning(other)}`);
    if (bytes.length > mine.length) wrong.push(`${text}: longer`);
    // XCHG AX, AX has become a NOP, of which the assembler has one.
    const twice = other.row!.semantic === "nop" ? bytes : encodeAgain(other);
    if (twice === undefined || hexOf(twice) !== after) wrong.push(`${text}: not twice the same`);
    if (before === after) same++;
    else shorter++;
  };
  const tails = [[0x24, 0x81, 0x42, 0xc3, 0x74, 0xa5, 0x16, 0x97, 0x28], [0x8d, 0x05, 0, 0, 0, 0x12, 0, 0, 0]];
  for (const prefixes of [[], [0x66]]) {
    for (const opcode of opcodes) {
      for (let modrm = 0; modrm < 256; modrm++) {
        for (const tail of tails) check(Uint8Array.from([...prefixes, ...opcode, modrm, ...tail]));
      }
    }
  }
  const title = `${same} encodings come back, ${shorter} in another form no longer, ${wrong.length} wrong`;
  t.same(wrong.slice(0, SHOWN), [], title);
  t.ok(same > 10_000);
});
