// Rows of shifts and rotates, double shifts, the bit instructions and SETcc.
import { CONDITIONS, clocks, row } from "./types.js";
import type { Cell, OpcodeRow } from "./types.js";

// A shift by a variable count may leave all flags alone, so the old ones are read.
const SHIFT_FLAGS = "OSZaPC";
const ROTATE_FLAGS = "OC";

interface Shift {
  readonly name: string;
  readonly digit: number;
  readonly flags: string;
  readonly carry: boolean;
  readonly alias?: boolean;
}

const SHIFTS: readonly Shift[] = [
  { name: "rol", digit: 0, flags: ROTATE_FLAGS, carry: false },
  { name: "ror", digit: 1, flags: ROTATE_FLAGS, carry: false },
  { name: "rcl", digit: 2, flags: ROTATE_FLAGS, carry: true },
  { name: "rcr", digit: 3, flags: ROTATE_FLAGS, carry: true },
  { name: "shl", digit: 4, flags: SHIFT_FLAGS, carry: false },
  { name: "shr", digit: 5, flags: SHIFT_FLAGS, carry: false },
  { name: "shl", digit: 6, flags: SHIFT_FLAGS, carry: false, alias: true },
  { name: "sar", digit: 7, flags: SHIFT_FLAGS, carry: false },
];

function shiftRows({ name, digit, flags, carry, alias }: Shift): OpcodeRow[] {
  const i386: Cell = carry ? "9/10" : "3/7";
  // i486 RCL/RCR by a count print a range without a formula; the lower end stands for it (estimate).
  const byCount: Cell = carry ? "8/9" : "3/4";
  const byImmediate: Cell = carry ? "8/9" : "2/4";
  const one = carry ? "C" : "";
  return [
    row(`D0 /${digit}`, name, "Eb,1", i386, "3/4", { flags, reads: one, alias }),
    row(`D1 /${digit}`, name, "Ev,1", i386, "3/4", { flags, reads: one, alias }),
    row(`D2 /${digit}`, name, "Eb,CL", i386, byCount, { flags, reads: "OSZAPC", alias }),
    row(`D3 /${digit}`, name, "Ev,CL", i386, byCount, { flags, reads: "OSZAPC", alias }),
    row(`C0 /${digit} ib`, name, "Eb,Ib", i386, byImmediate, { flags, reads: one, alias }),
    row(`C1 /${digit} ib`, name, "Ev,Ib", i386, byImmediate, { flags, reads: one, alias }),
  ];
}

const doubleShifts: readonly OpcodeRow[] = [
  row("0F A4 /r ib", "shld", "Ev,Gv,Ib", "3/7", "2/3", { flags: SHIFT_FLAGS }),
  row("0F A5 /r", "shld", "Ev,Gv,CL", "3/7", "3/4", { flags: SHIFT_FLAGS, reads: "OSZAPC" }),
  row("0F AC /r ib", "shrd", "Ev,Gv,Ib", "3/7", "2/3", { flags: SHIFT_FLAGS }),
  row("0F AD /r", "shrd", "Ev,Gv,CL", "3/7", "3/4", { flags: SHIFT_FLAGS, reads: "OSZAPC" }),
];

function bitTestRows(): OpcodeRow[] {
  const flags = "oszapC";
  const list = [
    { name: "bt", opcode: "A3", digit: 4, byRegister: ["3/12", "3/8"], byImmediate: ["3/6", "3"] },
    { name: "bts", opcode: "AB", digit: 5, byRegister: ["6/13", "6/13"], byImmediate: ["6/8", "6/8"] },
    { name: "btr", opcode: "B3", digit: 6, byRegister: ["6/13", "6/13"], byImmediate: ["6/8", "6/8"] },
    { name: "btc", opcode: "BB", digit: 7, byRegister: ["6/13", "6/13"], byImmediate: ["6/8", "6/8"] },
  ];
  return list.flatMap(({ name, opcode, digit, byRegister, byImmediate }) => {
    const options = { flags, lockable: name !== "bt" };
    return [
      row(`0F ${opcode} /r`, name, "Ev,Gv", byRegister[0], byRegister[1], options),
      row(`0F BA /${digit} ib`, name, "Ev,Ib", byImmediate[0], byImmediate[1], options),
    ];
  });
}

const scans: readonly OpcodeRow[] = [
  row("0F BC /r", "bsf", "Gv,Ev", clocks("scan", 10, 10, [3]), clocks("scanForward486", 6, 7),
    { flags: "osZapc", reads: "" }),
  row("0F BD /r", "bsr", "Gv,Ev", clocks("scan", 10, 10, [3]), clocks("scanReverse486", 6, 7),
    { flags: "osZapc", reads: "" }),
];

const setConditions: readonly OpcodeRow[] = CONDITIONS.map(({ suffix, reads }, code) =>
  row(`0F ${(0x90 + code).toString(16).toUpperCase()} /0`, `set${suffix}`, "Eb", "4/5",
    clocks("condition", 4, 3, [4, 3, 3, 4]), { semantic: "setcc", reads }));

export const shiftAndBitRows: readonly OpcodeRow[] = [
  ...SHIFTS.flatMap(shiftRows),
  ...doubleShifts,
  ...bitTestRows(),
  ...scans,
  ...setConditions,
];
