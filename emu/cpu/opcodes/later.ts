// Rows of the instructions that the Pentium and the processors of family 6
// brought. The Pentium's clocks for time stamp and model registers are those of
// the manuals' readers; what family 6 takes no manual says, and one clock
// stands for it.
import { CONDITIONS, cell, row } from "./types.js";
import type { Cell, OpcodeRow, RowOptions } from "./types.js";

/** A row that the i386 and i486 do not have. */
function later(opcode: string, mnemonic: string, operands: string, value: Cell, options: RowOptions): OpcodeRow {
  const plain = row(opcode, mnemonic, operands, null, null, options);
  const clocks = value === null ? {} : { pentium: cell(value), i686: cell(value) };
  return { ...plain, clocks };
}

const pentium: readonly OpcodeRow[] = [
  later("0F C7 /1", "cmpxchg8b", "Mq", 10, { since: "pentium", flags: "Z", lockable: true }),
  later("0F 30", "wrmsr", "", 9, { since: "pentium", privilege: "ring0", ends: true }),
  later("0F 31", "rdtsc", "", 20, { since: "pentium" }),
  later("0F 32", "rdmsr", "", 20, { since: "pentium", privilege: "ring0" }),
];

const family6: readonly OpcodeRow[] = [
  ...CONDITIONS.map(({ suffix, reads }, code) =>
    later(`0F ${(0x40 + code).toString(16).toUpperCase()} /r`, `cmov${suffix}`, "Gv,Ev", 1,
      { semantic: "cmov", since: "i686", reads })),
  // The manuals promise only 0F 1F; the opcodes from 0F 19 on do the same.
  later("0F 1F /r", "nop", "Ev", 1, { semantic: "hintNop", since: "i686" }),
  later("0F 34", "sysenter", "", 1, { since: "i686", flags: "I", ends: true }),
  later("0F 35", "sysexit", "", 1, { since: "i686", privilege: "ring0", ends: true }),
];

export const laterRows: readonly OpcodeRow[] = [...pentium, ...family6];
