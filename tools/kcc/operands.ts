// Operands of the assembler: registers, memory, immediates, symbols, labels.

/** Bytes of an operand. */
export type OperandSize = 1 | 2 | 4;

export interface Register {
  readonly kind: "register";
  readonly number: number;
  readonly size: OperandSize;
}

/** A segment, control or debug register. */
export interface SpecialRegister {
  readonly kind: "segment" | "control" | "debug";
  readonly number: number;
}

/** A place the linker knows, as an address (immediate or displacement) or as a jump target. */
export interface SymbolOperand {
  readonly kind: "symbol";
  readonly name: string;
  readonly addend: number;
}

export interface Memory {
  readonly kind: "memory";
  readonly base?: Register;
  readonly index?: Register;
  readonly scale: 1 | 2 | 4 | 8;
  readonly displacement: number;
  readonly symbol?: SymbolOperand;
  /** Needed where no register operand tells it. */
  readonly size?: OperandSize;
}

/** A place inside the section being assembled; `bind` says where. */
export interface Label {
  readonly kind: "label";
  readonly name: string;
}

export type Operand = Register | SpecialRegister | Memory | SymbolOperand | Label | number;

function registers<const N extends readonly string[]>(names: N, size: OperandSize): { [K in N[number]]: Register } {
  return Object.fromEntries(names.map((name, number) => [name, { kind: "register", number, size }])) as {
    [K in N[number]]: Register;
  };
}

export const { eax, ecx, edx, ebx, esp, ebp, esi, edi } = registers(
  ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"], 4,
);
export const { ax, cx, dx, bx, sp, bp, si, di } = registers(["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"], 2);
export const { al, cl, dl, bl, ah, ch, dh, bh } = registers(["al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"], 1);

function special(kind: SpecialRegister["kind"], number: number): SpecialRegister {
  return { kind, number };
}

export const es = special("segment", 0);
export const cs = special("segment", 1);
export const ss = special("segment", 2);
export const ds = special("segment", 3);
export const fs = special("segment", 4);
export const gs = special("segment", 5);
export const cr0 = special("control", 0);
export const cr2 = special("control", 2);
export const cr3 = special("control", 3);
export const cr4 = special("control", 4);

/** The address of a symbol plus `addend`. */
export function symbol(name: string, addend = 0): SymbolOperand {
  return { kind: "symbol", name, addend };
}

/** `displacement(base,index,scale)`. */
export function at(
  base: Register | undefined, displacement = 0, index?: Register, scale: Memory["scale"] = 1,
): Memory {
  return { kind: "memory", base, displacement, index, scale };
}

/** The memory at a symbol, optionally indexed: `name+addend(index,scale)`. */
export function memory(name: string, addend = 0, index?: Register, scale: Memory["scale"] = 1): Memory {
  return { kind: "memory", symbol: symbol(name, addend), displacement: 0, index, scale };
}

/** The same memory operand with its size stated. */
export function sized(operand: Memory, size: OperandSize): Memory {
  return { ...operand, size };
}

export function label(name: string): Label {
  return { kind: "label", name };
}
