// Rows of jumps, calls, returns and interrupts.
import { CONDITIONS, clocks, row } from "./types.js";
import type { Clocks, OpcodeRow } from "./types.js";

function branch(notTaken: number, taken: number, plusM = false): Clocks {
  return clocks("branch", notTaken, notTaken, [taken], plusM);
}

function hex(value: number): string {
  return value.toString(16).toUpperCase();
}

const conditional: readonly OpcodeRow[] = CONDITIONS.flatMap(({ suffix, reads }, code) => [
  row(`${hex(0x70 + code)} cb`, `j${suffix}`, "Jb", branch(3, 7, true), branch(1, 3),
    { semantic: "jcc", reads, ends: true }),
  row(`0F ${hex(0x80 + code)} cd`, `j${suffix}`, "Jz", branch(3, 7, true), branch(1, 3),
    { semantic: "jcc", reads, ends: true }),
]);

const loops: readonly OpcodeRow[] = [
  row("E0 cb", "loopne", "Jb", branch(11, 11, true), branch(6, 9), { reads: "Z", ends: true }),
  row("E1 cb", "loope", "Jb", branch(11, 11, true), branch(6, 9), { reads: "Z", ends: true }),
  row("E2 cb", "loop", "Jb", branch(11, 11, true), branch(6, 7), { ends: true }),
  row("E3 cb", "jecxz", "Jb", branch(5, 9, true), branch(5, 8), { mnemonic16: "jcxz", ends: true }),
];

function far(parameters: readonly number[], plusM: boolean): Clocks {
  return clocks("far", parameters[0], parameters[0], parameters, plusM);
}

// A task switch through memory costs 5 more on the i386; the tables of task switches are in clocks.ts.
const near: readonly OpcodeRow[] = [
  row("EB cb", "jmp", "Jb", "7+m", 3, { ends: true }),
  row("E9 cd", "jmp", "Jz", "7+m", 3, { ends: true }),
  row("FF /4", "jmp", "Ev", "7+m/10+m", 5, { semantic: "jmpIndirect", ends: true }),
  row("E8 cd", "call", "Jz", "7+m", 3, { ends: true }),
  row("FF /2", "call", "Ev", "7+m/10+m", 5, { semantic: "callIndirect", ends: true }),
  row("C3", "ret", "", "10+m", 5, { ends: true }),
  row("C2 iw", "ret", "Iw", "10+m", 5, { ends: true }),
];

const farTransfers: readonly OpcodeRow[] = [
  row("EA cp", "ljmp", "Ap", far([27, 45, 0, 0, 0, 0, 0, 12], true), far([19, 32, 0, 0, 0, 42, 43, 17], false),
    { semantic: "jmpFar", ends: true }),
  row("FF /5", "ljmp", "Mp", far([31, 49, 0, 0, 0, 5, 5, 43], true), far([18, 31, 0, 0, 0, 41, 42, 13], false),
    { semantic: "jmpFar", ends: true }),
  row("9A cp", "lcall", "Ap", far([34, 52, 86, 94, 4, 0, 0, 17], true), far([20, 35, 69, 77, 4, 37, 38, 18], false),
    { semantic: "callFar", ends: true }),
  row("FF /3", "lcall", "Mp", far([38, 56, 90, 98, 4, 5, 5, 22], true), far([20, 35, 69, 77, 4, 37, 38, 17], false),
    { semantic: "callFar", ends: true }),
  row("CB", "lret", "", clocks("return", 32, 32, [32, 68, 0, 18, 0], true), clocks("return", 17, 17, [17, 35, 0, 13, 0]),
    { semantic: "retFar", ends: true }),
  row("CA iw", "lret", "Iw", clocks("return", 32, 32, [32, 68, 0, 18, 0], true), clocks("return", 18, 18, [18, 36, 0, 14, 0]),
    { semantic: "retFar", ends: true }),
];

const INTERRUPT_386 = clocks("interrupt", 59, 59, [59, 99, 0, 37, 119]);
const INTERRUPT_486 = clocks("interrupt", 44, 44, [44, 71, 0, 30, 82]);

const interrupts: readonly OpcodeRow[] = [
  // One byte, no privilege check, vector 1; no manual of the time prints clocks, those of INT3 stand in.
  row("F1", "int1", "", INTERRUPT_386, INTERRUPT_486, { flags: "IT", ends: true }),
  row("CC", "int3", "", clocks("interrupt", 59, 59, [59, 99, 0, 33, 119]), clocks("interrupt", 44, 44, [44, 71, 0, 26, 82]),
    { flags: "IT", ends: true }),
  row("CD ib", "int", "Ib", INTERRUPT_386, INTERRUPT_486, { flags: "IT", ends: true }),
  // Not taken: the register figure.
  row("CE", "into", "", clocks("interrupt", 3, 3, [59, 99, 0, 35, 119]),
    clocks("interrupt", 3, 3, [46, 73, 2, 28, 84]),
    { flags: "IT", reads: "O", ends: true }),
  row("CF", "iretd", "", clocks("return", 38, 38, [38, 82, 0, 22, 60]),
    clocks("return", 20, 20, [20, 36, 32, 15, 36]),
    { semantic: "iret", mnemonic16: "iret", flags: "OSZAPCDIT", ends: true }),
  row("62 /r", "bound", "Gv,Ma", 10, 7),
  row("0F 0B", "ud2", "", 0, 0, { ends: true }),
  row("F4", "hlt", "", 5, 4, { privilege: "ring0", ends: true }),
];

export const controlRows: readonly OpcodeRow[] = [
  ...conditional, ...loops, ...near, ...farTransfers, ...interrupts,
];
