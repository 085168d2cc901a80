// Whether two states after a case agree, as far as the SDM defines them.

import { decode } from "../../../emu/cpu/decode.js";
import type { Instruction } from "../../../emu/cpu/decode.js";
import type { Model } from "../../../emu/cpu/interface.js";
import { factsOf } from "../../../emu/cpu/models.js";
import { operandsOf } from "../../../emu/cpu/opcodes.js";
import type { OpcodeRow } from "../../../emu/cpu/opcodes.js";
import { definedFlags, isResultUndefined, undefinedFlags } from "../../../emu/cpu/opcodes/undefined.js";
import { operandBytes } from "../../../emu/cpu/op.js";
import { ARITHMETIC_FLAGS, FLAG } from "../../../emu/cpu/state.js";
import { trapsInvalidComparison, x87Differences } from "./compare_x87.js";
import { DATA_PAGES, PAGE, pattern, segmentOf } from "./space.js";
import { TRAP } from "./vector.js";
import type { Input, Outcome } from "./vector.js";

const NAMES = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];
const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs"];
/** Bits of the error code of #PF that the i386 has; later processors tell fetches apart. */
const PAGE_FAULT_BITS = 7;
const PATTERNS = new Map(DATA_PAGES.map((page) => [page as number, pattern(page)]));

/** The instructions of a case: as a rule one. What its code ends in the middle of counts as whole. */
function instructionsOf({ code, segments }: Input): Instruction[] {
  const instructions: Instruction[] = [];
  const big = segmentOf(segments[1]).big === true;
  for (let at = 0; at < code.bytes.length;) {
    const from = at;
    const instruction = decode((i) => code.bytes[from + i] ?? 0xcc, big, "i686");
    instructions.push(instruction);
    at += Math.max(1, instruction.length);
  }
  return instructions;
}

/** The rows of the table that a case executes; null: no instruction. */
export function rowsOfCase(input: Input): (OpcodeRow | null)[] {
  return instructionsOf(input).map(({ row }) => row);
}

function memoryByte(input: Input, at: number): number {
  let value = PATTERNS.get(at & -PAGE)?.[at % PAGE] ?? 0;
  for (const patch of input.data) {
    if (at >= patch.at && at < patch.at + patch.bytes.length) value = patch.bytes[at - patch.at];
  }
  return value;
}

function registerValue(input: Input, register: number, bytes: number): number {
  const { registers } = input;
  if (bytes === 1) return (registers[register & 3] >>> ((register & 4) << 1)) & 0xff;
  return bytes === 2 ? registers[register] & 0xffff : registers[register];
}

/** Linear address of the operand that ModRM names. */
function operandAddress(input: Input, instruction: Instruction): number {
  const { base, index, scale, disp, addressSize, segment } = instruction;
  const value = (register: number): number => (register < 8 ? input.registers[register] : 0);
  const offset = (value(base) + (value(index) << scale) + disp) | 0;
  return ((addressSize === 2 ? offset & 0xffff : offset) + segmentOf(input.segments[segment]).base) >>> 0;
}

/** The count of a shift, or the operand that a bit scan looks at. */
function sourceOf(input: Input, instruction: Instruction): number {
  const { row, operandSize, memory, rm, imm } = instruction;
  const codes = operandsOf(row!);
  const last = codes.at(-1)!;
  if (last === "CL") return input.registers[1] & 0xff;
  if (last === "1") return 1;
  if (last.startsWith("I")) return imm;
  if (!memory) return registerValue(input, rm, operandSize);
  const at = operandAddress(input, instruction);
  return Array.from({ length: operandSize }, (_, i) => memoryByte(input, at + i)).reduce((all, byte) => all | byte, 0);
}

/** What of an outcome is not compared. */
interface Blanks {
  flags: number;
  /** Registers, as masks of their bits. */
  readonly registers: Int32Array;
  /** The memory operand: address and bytes. */
  memory: { readonly at: number; readonly bytes: number } | null;
  /** Mask of the bits of CR2 that count. */
  address: number;
}

/** As much as ENTER can write. */
const BELOW_STACK = 33 * 4;

function blankRegister(blanks: Blanks, register: number, bytes: number): void {
  blanks.registers[register] |= bytes === 4 ? -1 : 0xffff;
}

/** Instructions that access memory more than once, in an order that no manual tells. */
const SEVERAL_ACCESSES = /^(retFar|iret|popad|pushad|enter|callFar|jmpFar|loadFarPointer|bound|movs|cmps|x87)$/;

/** What a fault may leave half done: memory below the stack pointer, and registers of POPA before its last. */
function blankFault(input: Input, row: OpcodeRow, blanks: Blanks): void {
  blanks.address = SEVERAL_ACCESSES.test(row.semantic) ? -PAGE : -1;
  if (/^(pushad|enter|callFar)$/.test(row.semantic)) {
    const { base, big } = segmentOf(input.segments[2]);
    const esp = input.registers[4];
    blanks.memory = { at: base + (big === true ? esp : esp & 0xffff) - BELOW_STACK, bytes: BELOW_STACK };
  }
  if (row.semantic === "popad") [0, 1, 2, 3, 5, 6, 7].forEach((register) => { blanks.registers[register] = -1; });
}

/** Instructions whose count or source decides what is undefined. */
const BY_SOURCE = /^(bsf|bsr|rol|ror|rcl|rcr|shl|shr|sar|shld|shrd)$/;

/** INT3 behind the case, a single step, or a fault of the fetch behind it. */
function isCompleted({ code }: Input, { trap, eip, segments }: Outcome): boolean {
  return trap === TRAP.BP || trap === TRAP.DB || eip + segmentOf(segments[1]).base === code.at + code.bytes.length;
}

function blanksOf(input: Input, theirs: Outcome): Blanks {
  const blanks: Blanks = { flags: 0, registers: new Int32Array(8), memory: null, address: -1 };
  const instructions = instructionsOf(input);
  const last = instructions[instructions.length - 1];
  if (!isCompleted(input, theirs)) {
    if (last.row !== null) blankFault(input, last.row, blanks);
    return blanks;
  }
  for (const instruction of instructions) blankResults(input, instruction, theirs, blanks);
  return blanks;
}

/** What one instruction defines and leaves undefined. */
function blankResults(input: Input, instruction: Instruction, theirs: Outcome, blanks: Blanks): void {
  const { row, operandSize, memory, reg, rm, opcode } = instruction;
  if (row === null) return;
  const codes = operandsOf(row);
  const bytes = codes.length === 0 ? operandSize : operandBytes(codes[0], operandSize);
  const source = BY_SOURCE.test(row.semantic) ? sourceOf(input, instruction) : 0;
  blanks.flags = (blanks.flags & ~definedFlags(row)) | undefinedFlags(row, bytes, source);
  if (theirs.image !== undefined && trapsInvalidComparison(row, theirs.image)) blanks.flags |= ARITHMETIC_FLAGS;
  if (isResultUndefined(row, operandSize, source)) {
    if (codes[0].startsWith("G")) blankRegister(blanks, reg, operandSize);
    else if (codes[0].startsWith("Z")) blankRegister(blanks, opcode & 7, operandSize);
    else if (!memory) blankRegister(blanks, rm, operandSize);
    else blanks.memory = { at: operandAddress(input, instruction), bytes: operandSize };
  }
  // The limit's nibble among the access rights is undefined.
  if (row.semantic === "lar") blanks.registers[reg] |= 0x000f0000;
  // RF that IRET loads is not kept where no breakpoint could meet it.
  if (row.semantic === "iret") blanks.flags |= FLAG.RF;
  // A selector may be pushed as two bytes of the four.
  if (row.semantic === "pushSegment" && operandSize === 4) {
    const { base, big } = segmentOf(input.segments[2]);
    const esp = theirs.registers[4];
    blanks.memory = { at: base + (big === true ? esp : esp & 0xffff) + 2, bytes: 2 };
  }
}

const hex = (value: number): string => (value >>> 0).toString(16);

/** A word of memory before a case, its patches aside. */
function patternWord(at: number): number {
  const page = PATTERNS.get(at & -PAGE)!;
  return [3, 2, 1, 0].reduce((word, i) => ((word << 8) | page[(at + i) % PAGE]) >>> 0, 0);
}

/** Words that differ, but for those bytes that are not compared. */
function memoryDifferences(mine: Outcome, theirs: Outcome, { memory }: Blanks): string[] {
  const [a, b] = [mine, theirs].map(({ changes }) => new Map(changes.map(({ at, value }) => [at, value >>> 0])));
  const problems: string[] = [];
  for (const at of new Set([...a.keys(), ...b.keys()])) {
    const [x, y] = [a, b].map((words) => words.get(at) ?? patternWord(at));
    let differing = x ^ y;
    for (let i = 0; i < 4 && memory !== null; i++) {
      if (at + i >= memory.at && at + i < memory.at + memory.bytes) differing &= ~(0xff << (i * 8));
    }
    if (differing !== 0) problems.push(`[${hex(at)}] ${hex(x)}, recorded ${hex(y)}`);
  }
  return problems;
}

/** What differs between the emulated outcome and the recorded one; empty when nothing that is defined does. */
export function differences(input: Input, mine: Outcome | string, theirs: Outcome, model: Model): string[] {
  if (typeof mine === "string") return [mine];
  const problems: string[] = [];
  const check = (name: string, a: number, b: number): void => {
    if (a !== b) problems.push(`${name} ${hex(a)}, recorded ${hex(b)}`);
  };
  check("trap", mine.trap, theirs.trap);
  if (problems.length > 0) return problems;
  const blanks = blanksOf(input, theirs);
  const { flagAc, flagId } = factsOf(model);
  const flags = ~(blanks.flags | (flagAc ? 0 : FLAG.AC) | (flagId ? 0 : FLAG.ID));
  const errors = theirs.trap === TRAP.PF ? PAGE_FAULT_BITS : -1;
  check("error code", mine.error & errors, theirs.error & errors);
  check("cr2", mine.cr2 & blanks.address, theirs.cr2 & blanks.address);
  check("eip", mine.eip, theirs.eip);
  check("eflags", mine.eflags & flags, theirs.eflags & flags);
  NAMES.forEach((name, i) => {
    const shown = ~blanks.registers[i];
    check(name, mine.registers[i] & shown, theirs.registers[i] & shown);
  });
  SEGMENTS.forEach((name, i) => check(name, mine.segments[i], theirs.segments[i]));
  problems.push(...memoryDifferences(mine, theirs, blanks));
  const { row } = instructionsOf(input).at(-1)!;
  if (theirs.image !== undefined) problems.push(...x87Differences(input, row, mine, theirs));
  return problems;
}
