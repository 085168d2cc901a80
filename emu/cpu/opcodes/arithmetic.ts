// Rows of the arithmetic and logical instructions, multiplication and
// division, and the decimal adjustments.
import { ARITHMETIC, LOGICAL, clocks, row } from "./types.js";
import type { Cell, OpcodeRow, RowOptions } from "./types.js";

/** The eight operations of opcodes 00..3F and 80..83, in encoding order. */
const OPERATIONS: readonly { readonly name: string; readonly flags: string; readonly reads?: string }[] = [
  { name: "add", flags: ARITHMETIC },
  { name: "or", flags: LOGICAL },
  { name: "adc", flags: ARITHMETIC, reads: "C" },
  { name: "sbb", flags: ARITHMETIC, reads: "C" },
  { name: "and", flags: LOGICAL },
  { name: "sub", flags: ARITHMETIC },
  { name: "xor", flags: LOGICAL },
  { name: "cmp", flags: ARITHMETIC },
];

function hex(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, "0");
}

function operationRows(index: number): OpcodeRow[] {
  const { name, flags, reads } = OPERATIONS[index];
  const base = index << 3;
  const compares = name === "cmp";
  const options: RowOptions = { flags, reads, lockable: !compares };
  // cmp only reads its memory operand, so it is cheaper than the read-modify-write forms.
  const [store386, store486] = compares ? ["2/5", "1/2"] : ["2/7", "1/3"];
  return [
    row(`${hex(base)} /r`, name, "Eb,Gb", store386, store486, options),
    row(`${hex(base + 1)} /r`, name, "Ev,Gv", store386, store486, options),
    row(`${hex(base + 2)} /r`, name, "Gb,Eb", "2/6", "1/2", { flags, reads }),
    row(`${hex(base + 3)} /r`, name, "Gv,Ev", "2/6", "1/2", { flags, reads }),
    row(`${hex(base + 4)} ib`, name, "AL,Ib", 2, 1, { flags, reads }),
    row(`${hex(base + 5)} id`, name, "eAX,Iv", 2, 1, { flags, reads }),
    row(`80 /${index} ib`, name, "Eb,Ib", store386, store486, options),
    row(`81 /${index} id`, name, "Ev,Iv", store386, store486, options),
    row(`82 /${index} ib`, name, "Eb,Ib", store386, store486, { ...options, alias: true }),
    row(`83 /${index} ib`, name, "Ev,Ibs", store386, store486, options),
  ];
}

const unary: readonly OpcodeRow[] = [
  row("A8 ib", "test", "AL,Ib", 2, 1, { flags: LOGICAL }),
  row("A9 id", "test", "eAX,Iv", 2, 1, { flags: LOGICAL }),
  row("F6 /0 ib", "test", "Eb,Ib", "2/5", "1/2", { flags: LOGICAL }),
  row("F7 /0 id", "test", "Ev,Iv", "2/5", "1/2", { flags: LOGICAL }),
  row("F6 /1 ib", "test", "Eb,Ib", "2/5", "1/2", { flags: LOGICAL, alias: true }),
  row("F7 /1 id", "test", "Ev,Iv", "2/5", "1/2", { flags: LOGICAL, alias: true }),
  row("84 /r", "test", "Eb,Gb", "2/5", "1/2", { flags: LOGICAL }),
  row("85 /r", "test", "Ev,Gv", "2/5", "1/2", { flags: LOGICAL }),
  row("FE /0", "inc", "Eb", "2/6", "1/3", { flags: "OSZAP", lockable: true }),
  row("FF /0", "inc", "Ev", "2/6", "1/3", { flags: "OSZAP", lockable: true }),
  row("40+rd", "inc", "Zv", 2, 1, { flags: "OSZAP" }),
  row("FE /1", "dec", "Eb", "2/6", "1/3", { flags: "OSZAP", lockable: true }),
  row("FF /1", "dec", "Ev", "2/6", "1/3", { flags: "OSZAP", lockable: true }),
  row("48+rd", "dec", "Zv", 2, 1, { flags: "OSZAP" }),
  row("F6 /2", "not", "Eb", "2/6", "1/3", { lockable: true }),
  row("F7 /2", "not", "Ev", "2/6", "1/3", { lockable: true }),
  row("F6 /3", "neg", "Eb", "2/6", "1/3", { flags: ARITHMETIC, lockable: true }),
  row("F7 /3", "neg", "Ev", "2/6", "1/3", { flags: ARITHMETIC, lockable: true }),
];

// The i386 multiplier stops at the highest set bit of the multiplier.
const MULTIPLY_386 = clocks("multiply", 0, 0, [6, 3, 9, 3]);
// i486: 10 + max(log2, 3), never below 13; no charge for memory.
const MULTIPLY_486 = clocks("multiply", 0, 0, [10, 3, 13, 0]);
const PRODUCT = "OszapC";
const QUOTIENT = "oszapc";

function product(opcode: string, mnemonic: string, operands: string, semantic: string): OpcodeRow {
  return row(opcode, mnemonic, operands, MULTIPLY_386, MULTIPLY_486, { flags: PRODUCT, semantic });
}

function quotient(
  opcode: string, mnemonic: string, operands: string, i386: Cell, i486: Cell, word?: readonly [Cell, Cell],
): OpcodeRow {
  return row(opcode, mnemonic, operands, i386, i486, { flags: QUOTIENT, clocks16: word });
}

const multiplication: readonly OpcodeRow[] = [
  product("F6 /4", "mul", "Eb", "mul"),
  product("F7 /4", "mul", "Ev", "mul"),
  product("F6 /5", "imul", "Eb", "imul"),
  product("F7 /5", "imul", "Ev", "imul"),
  product("0F AF /r", "imul", "Gv,Ev", "imul2"),
  product("69 /r id", "imul", "Gv,Ev,Iv", "imul3"),
  product("6B /r ib", "imul", "Gv,Ev,Ibs", "imul3"),
  quotient("F6 /6", "div", "Eb", "14/17", "16"),
  quotient("F7 /6", "div", "Ev", "38/41", "40", ["22/25", "24"]),
  quotient("F6 /7", "idiv", "Eb", "19", "19/20"),
  quotient("F7 /7", "idiv", "Ev", "43", "43/44", ["27", "27/28"]),
];

const decimal: readonly OpcodeRow[] = [
  row("27", "daa", "", 4, 2, { flags: "oSZAPC", reads: "AC" }),
  row("2F", "das", "", 4, 2, { flags: "oSZAPC", reads: "AC" }),
  row("37", "aaa", "", 4, 3, { flags: "oszApC", reads: "A" }),
  row("3F", "aas", "", 4, 3, { flags: "oszApC", reads: "A" }),
  row("D4 ib", "aam", "Ib", 17, 15, { flags: "oSZaPc" }),
  row("D5 ib", "aad", "Ib", 19, 14, { flags: "oSZaPc" }),
];

export const arithmeticRows: readonly OpcodeRow[] = [
  ...OPERATIONS.flatMap((_, index) => operationRows(index)),
  ...unary,
  ...multiplication,
  ...decimal,
];
