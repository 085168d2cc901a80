// The machine level: i386 instructions whose registers are still virtual.
//
// Register numbers 0..7 are the machine's (eax ecx edx ebx esp ebp esi edi);
// larger ones are virtual. An instruction has up to two operands, `a` and `b`,
// in Intel's order (destination first), in the roles that OPERATIONS gives.
// Machine registers live only inside a block; masks on the instruction say
// which ones it reads and writes besides its operands.

import type { Block } from "../ir/ir.js";

export const EAX = 0, ECX = 1, EDX = 2, EBX = 3, ESP = 4, EBP = 5, ESI = 6, EDI = 7;
export const FIRST_VIRTUAL = 8;
/** Registers with an 8-bit form: eax ecx edx ebx. */
export const BYTE_MASK = 0x0f;
/** What the allocator may use. */
export const ALLOCATABLE_MASK = 0xcf;
export const CALLER_SAVED_MASK = 0x07;
export const CALLEE_SAVED = [EBX, ESI, EDI];

export const NO_REGISTER = -1;

export interface RegisterOperand {
  readonly kind: "register";
  readonly register: number;
}

export interface ImmediateOperand {
  readonly kind: "immediate";
  readonly value: number;
  /** Linker symbol to add, or "". */
  readonly symbol: string;
}

export interface MemoryOperand {
  readonly kind: "memory";
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly displacement: number;
  readonly symbol: string;
  /** Frame slot to which the displacement is relative (base is ebp then), or -1. */
  readonly slot: number;
}

export type Operand = RegisterOperand | ImmediateOperand | MemoryOperand;

export function reg(register: number): RegisterOperand {
  return { kind: "register", register };
}

export function imm(value: number, symbol = ""): ImmediateOperand {
  return { kind: "immediate", value: value | 0, symbol };
}

export function memory(base: number, displacement = 0, index = NO_REGISTER, scale = 1, symbol = ""): MemoryOperand {
  return { kind: "memory", base, index, scale, displacement, symbol, slot: -1 };
}

/** A place in a frame slot. */
export function frameSlot(slot: number, displacement = 0): MemoryOperand {
  return { kind: "memory", base: EBP, index: NO_REGISTER, scale: 1, displacement, symbol: "", slot };
}

/** The stack word of an incoming argument. */
export function argumentWord(word: number): MemoryOperand {
  return memory(EBP, 8 + 4 * word);
}

interface Operation {
  readonly a: "none" | "def" | "modify" | "use";
  readonly b: "none" | "use" | "modify";
  readonly writesFlags: boolean;
  readonly readsFlags: boolean;
  /** Which operands may be memory: "a", "b", "ab" (one of them) or "". */
  readonly memory: "" | "a" | "b" | "ab";
}

function row(a: Operation["a"], b: Operation["b"], memoryAllowed: Operation["memory"], flags = ""): Operation {
  return { a, b, memory: memoryAllowed, writesFlags: flags.includes("w"), readsFlags: flags.includes("r") };
}

/** Every machine-level operation. Names are mnemonics where the operation is one instruction. */
export const OPERATIONS = {
  mov: row("def", "use", "ab"),
  movzx: row("def", "use", "b"),
  movsx: row("def", "use", "b"),
  lea: row("def", "use", "b"),
  add: row("modify", "use", "ab", "w"),
  or: row("modify", "use", "ab", "w"),
  adc: row("modify", "use", "ab", "wr"),
  sbb: row("modify", "use", "ab", "wr"),
  and: row("modify", "use", "ab", "w"),
  sub: row("modify", "use", "ab", "w"),
  xor: row("modify", "use", "ab", "w"),
  cmp: row("use", "use", "ab", "w"),
  test: row("use", "use", "a", "w"),
  not: row("modify", "none", "a"),
  neg: row("modify", "none", "a", "w"),
  inc: row("modify", "none", "a", "w"),
  dec: row("modify", "none", "a", "w"),
  /** Shifts: b is an immediate or ecx. */
  shl: row("modify", "use", "a", "w"),
  shr: row("modify", "use", "a", "w"),
  sar: row("modify", "use", "a", "w"),
  rol: row("modify", "use", "a", "w"),
  ror: row("modify", "use", "a", "w"),
  /** Double shifts by the count in `extra`. */
  shld: row("modify", "use", "a", "w"),
  shrd: row("modify", "use", "a", "w"),
  imul: row("modify", "use", "b", "w"),
  /** a = b * extra. */
  imul3: row("def", "use", "b", "w"),
  /** edx:eax = eax * a. */
  mul: row("use", "none", "a", "w"),
  div: row("use", "none", "a", "w"),
  idiv: row("use", "none", "a", "w"),
  cdq: row("none", "none", ""),
  setcc: row("def", "none", "", "r"),
  push: row("use", "none", "a"),
  /** Direct call of `symbol`. */
  call: row("none", "none", "", "w"),
  calli: row("use", "none", "a", "w"),
  /** The caller's `add $extra,%esp`. */
  popargs: row("none", "none", "", "w"),
  jmp: row("none", "none", ""),
  jcc: row("none", "none", "", "r"),
  /** Jump through the table of the block's targets. */
  jmptable: row("use", "none", ""),
  ret: row("none", "none", ""),
  ud2: row("none", "none", ""),
  /** Bytes in `bytes`; the masks say the rest. */
  raw: row("none", "none", "", "w"),
  /** raw with a register operand in `a` (lidt, mov cr0 and so on). */
  rawUse: row("use", "none", "", "w"),
  rawDef: row("def", "none", "", "w"),

  // Short sequences, expanded when they are encoded.

  /** a = b when the condition holds: a jump over a mov, since there is no cmov before the i686. */
  movcc: row("modify", "use", "b", "r"),
  clz: row("def", "use", "b", "w"),
  ctz: row("def", "use", "b", "w"),
  /** edx = eax rem a, with INT_MIN rem -1 = 0; destroys eax. */
  rems: row("use", "none", "a", "w"),
  /** a = low word, b = high word, shifted by cl (mod 64). */
  shl64: row("modify", "modify", "", "w"),
  shr64: row("modify", "modify", "", "w"),
  sar64: row("modify", "modify", "", "w"),
} satisfies Record<string, Operation>;

export type Operator = keyof typeof OPERATIONS;

export function operationOf(operator: Operator): Operation {
  return OPERATIONS[operator];
}

/** Condition codes as the processor numbers them; the lowest bit negates. */
export const CC = { b: 2, ae: 3, e: 4, ne: 5, be: 6, a: 7, s: 8, ns: 9, l: 12, ge: 13, le: 14, g: 15 } as const;

export interface Inst {
  op: Operator;
  /** Width in bytes of the operation, or of the source for movzx and movsx. */
  size: 1 | 2 | 4;
  a: Operand | undefined;
  b: Operand | undefined;
  /** Count, multiplier, bytes of arguments. */
  extra: number;
  /** Condition code of jcc, setcc, movcc. */
  condition: number;
  symbol: string;
  bytes: readonly number[];
  /** jcc, jmp: one block; jmptable: its entries. */
  targets: readonly Block[];
  /** Masks of machine registers read and written besides the operands. */
  uses: number;
  defs: number;
  origin: number;
}

export interface LirBlock {
  readonly source: Block;
  insts: Inst[];
}

export interface LirFunction {
  readonly name: string;
  blocks: LirBlock[];
  /** Registers that may hold each virtual register, as masks, by number - FIRST_VIRTUAL. */
  readonly classes: number[];
  /** Frame slots in bytes; spills are appended to those of frame_alloc. */
  readonly slots: number[];
  /** How many slots frame_alloc has; the others are spills, which nothing but spill code touches. */
  readonly allocatedSlots: number;
}

/** Makes an instruction; `rest` overrides the defaults. */
export function newInst(op: Operator, a: Operand | undefined, b: Operand | undefined, rest: Partial<Inst> = {}): Inst {
  return {
    op, a, b, size: 4, extra: 0, condition: 0, symbol: "", bytes: [], targets: [], uses: 0, defs: 0, origin: 0, ...rest,
  };
}

/** Calls `visit` with every register that the instruction's operands read. */
export function forEachUse(inst: Inst, visit: (register: number) => void): void {
  const operation = operationOf(inst.op);
  const visitMemory = (operand: Operand | undefined): void => {
    if (operand?.kind !== "memory") return;
    if (operand.base >= 0) visit(operand.base);
    if (operand.index >= 0) visit(operand.index);
  };
  visitMemory(inst.a);
  visitMemory(inst.b);
  if (inst.a?.kind === "register" && operation.a !== "def") visit(inst.a.register);
  if (inst.b?.kind === "register") visit(inst.b.register);
}

/** Calls `visit` with every register that the instruction's operands write. */
export function forEachDef(inst: Inst, visit: (register: number) => void): void {
  const operation = operationOf(inst.op);
  if (inst.a?.kind === "register" && (operation.a === "def" || operation.a === "modify")) visit(inst.a.register);
  if (inst.b?.kind === "register" && operation.b === "modify") visit(inst.b.register);
}

/** A move between two registers. */
export function isRegisterMove(inst: Inst): boolean {
  return inst.op === "mov" && inst.size === 4 && inst.a?.kind === "register" && inst.b?.kind === "register";
}

/** The operand with its registers renamed. */
export function renamed(operand: Operand | undefined, rename: (register: number) => number): Operand | undefined {
  if (operand === undefined || operand.kind === "immediate") return operand;
  if (operand.kind === "register") return reg(rename(operand.register));
  return {
    ...operand,
    base: operand.base < 0 ? operand.base : rename(operand.base),
    index: operand.index < 0 ? operand.index : rename(operand.index),
  };
}
