// A predecoded instruction: what a semantic function needs, in one object
// whose shape never changes (so that every access to it is monomorphic).
import type { Charge } from "./clocks.js";
import type { Instruction } from "./decode.js";
import type { Clocks } from "./opcodes.js";
import { ZERO } from "./state.js";

export type Execute = (op: Op) => void;

/** Values of `special`: an address that is not simply base + index + displacement in a flat segment. */
export const SPECIAL = {
  NONE: 0,
  /** Low bits: 1 + segment register; 0 where no segment applies (LEA). */
  SEGMENT_MASK: 7,
  /** 16-bit address arithmetic. */
  ADDRESS16: 8,
} as const;

export class Op {
  execute: Execute;
  /** Address of the instruction and of the next one, as offsets in the code segment. */
  eip = 0;
  next = 0;
  /** Destination and source registers, as indices into the view of their size. */
  d = 0;
  s = 0;
  base = ZERO;
  index = ZERO;
  scale = 0;
  disp = 0;
  /** See SPECIAL; `size` bytes are accessed there, `writes` tells how. */
  special = 0;
  size = 4;
  writes = false;
  /** Immediate, or the target of a direct transfer. */
  imm = 0;
  /** Clocks a taken branch adds, or each iteration of a repeated instruction. */
  extra = 0;
  /** Static clocks of the block before this instruction, and including it. */
  before = 0;
  after = 0;
  /** The handler sets EIP. */
  transfers = false;
  /** Events are looked at after it. */
  ends = false;
  /** The dynamic clocks: charge(cell, memory, value). */
  charge: Charge;
  cell: Clocks;
  readonly instruction: Instruction;

  constructor(instruction: Instruction, execute: Execute, cell: Clocks, charge: Charge) {
    this.instruction = instruction;
    this.execute = execute;
    this.cell = cell;
    this.charge = charge;
  }
}

/** Chooses the semantic function for an instruction and may adjust its op. */
export type Binder = (op: Op, instruction: Instruction) => Execute;

/** Binders of a family by the `semantic` name of the rows. */
export type Family = Readonly<Record<string, Binder>>;

/** Operand size in bytes of an operand code: b, w, d, or by the operand-size attribute. */
export function operandBytes(code: string, operandSize: number): number {
  if (code === "AL" || code === "CL") return 1;
  if (code === "eAX") return operandSize;
  if (code === "AX" || code === "DX") return 2;
  switch (code.slice(1)) {
    case "b": return 1;
    case "w": return 2;
    case "d": return 4;
    default: return operandSize;
  }
}

/** Index of a general register in the view of a size: AL..BH in regs8, AX.. in regs16, EAX.. in regs. */
export function registerIndex(register: number, bytes: number): number {
  if (bytes === 1) return ((register & 3) << 2) | (register >>> 2);
  return bytes === 2 ? register << 1 : register;
}
