// Rows of the string instructions and of port input and output.
import { ARITHMETIC, clocks, row } from "./types.js";
import type { Cell, Clocks, OpcodeRow } from "./types.js";

interface StringInstruction {
  readonly name: string;
  readonly opcode: number;
  readonly operands: readonly [byte: string, word: string];
  readonly single: readonly [i386: Cell, i486: Cell];
  readonly repeated: readonly [i386: Clocks, i486: Clocks];
  readonly repeat: "rep" | "repe";
  readonly flags?: string;
}

function repeated(base: number, each: number, none = base, one = base + each): Clocks {
  return clocks("repeat", base, base, [none, one, base, each]);
}

const STRINGS: readonly StringInstruction[] = [
  { name: "movs", opcode: 0xa4, operands: ["Yb,Xb", "Yv,Xv"], single: [7, 7], repeat: "rep",
    repeated: [repeated(5, 4), repeated(12, 3, 5, 13)] },
  { name: "cmps", opcode: 0xa6, operands: ["Xb,Yb", "Xv,Yv"], single: [10, 8], repeat: "repe",
    repeated: [repeated(5, 9), repeated(7, 7, 5)], flags: ARITHMETIC },
  { name: "stos", opcode: 0xaa, operands: ["Yb,AL", "Yv,eAX"], single: [4, 5], repeat: "rep",
    repeated: [repeated(5, 5), repeated(7, 4, 5)] },
  { name: "lods", opcode: 0xac, operands: ["AL,Xb", "eAX,Xv"], single: [5, 5], repeat: "rep",
    repeated: [repeated(5, 5), repeated(7, 4, 5)] },
  { name: "scas", opcode: 0xae, operands: ["AL,Yb", "eAX,Yv"], single: [7, 6], repeat: "repe",
    repeated: [repeated(5, 8), repeated(7, 5, 5)], flags: ARITHMETIC },
];

function hex(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, "0");
}

const strings: readonly OpcodeRow[] = STRINGS.flatMap((entry) => [0, 1].map((wide) =>
  row(hex(entry.opcode + wide), entry.name, entry.operands[wide], entry.single[0], entry.single[1], {
    flags: entry.flags, reads: "D", repeat: entry.repeat, clocksRepeat: entry.repeated,
  })));

const io = (privileged: number, otherwise: number): Clocks => clocks("io", privileged, privileged, [otherwise]);
const repeatIo = (base: number, each: number, otherwise: number): Clocks =>
  clocks("repeatIo", base, base, [base, each, otherwise]);

const ports: readonly OpcodeRow[] = [
  row("E4 ib", "in", "AL,Ib", io(6, 26), io(9, 29), { privilege: "iopl", ends: true }),
  row("E5 ib", "in", "eAX,Ib", io(6, 26), io(9, 29), { privilege: "iopl", ends: true }),
  row("EC", "in", "AL,DX", io(7, 27), io(8, 28), { privilege: "iopl", ends: true }),
  row("ED", "in", "eAX,DX", io(7, 27), io(8, 28), { privilege: "iopl", ends: true }),
  row("E6 ib", "out", "Ib,AL", io(4, 24), io(11, 31), { privilege: "iopl", ends: true }),
  row("E7 ib", "out", "Ib,eAX", io(4, 24), io(11, 31), { privilege: "iopl", ends: true }),
  row("EE", "out", "DX,AL", io(5, 25), io(10, 30), { privilege: "iopl", ends: true }),
  row("EF", "out", "DX,eAX", io(5, 25), io(10, 30), { privilege: "iopl", ends: true }),
  row("6C", "ins", "Yb,DX", io(9, 29), io(10, 32), { privilege: "iopl", ends: true, repeat: "rep", reads: "D",
    clocksRepeat: [repeatIo(7, 6, 27), repeatIo(10, 8, 30)] }),
  row("6D", "ins", "Yv,DX", io(9, 29), io(10, 32), { privilege: "iopl", ends: true, repeat: "rep", reads: "D",
    clocksRepeat: [repeatIo(7, 6, 27), repeatIo(10, 8, 30)] }),
  row("6E", "outs", "DX,Xb", io(8, 28), io(10, 32), { privilege: "iopl", ends: true, repeat: "rep", reads: "D",
    clocksRepeat: [repeatIo(6, 5, 26), repeatIo(11, 5, 31)] }),
  row("6F", "outs", "DX,Xv", io(8, 28), io(10, 32), { privilege: "iopl", ends: true, repeat: "rep", reads: "D",
    clocksRepeat: [repeatIo(6, 5, 26), repeatIo(11, 5, 31)] }),
];

export const stringRows: readonly OpcodeRow[] = [...strings, ...ports];
