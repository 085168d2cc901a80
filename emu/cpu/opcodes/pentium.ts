// Clocks of the Pentium, added to the rows of all families: by what an
// instruction does, with exceptions by opcode. A row that is named nowhere has
// the i486's figure, which for the moves and the arithmetic is also the
// Pentium's. One instruction at a time: pairing in the two pipes, caches and
// the prediction of branches are left out, so a loop of simple instructions
// takes up to twice the clocks of the real one. The i686 has no clocks of its
// own in any manual (they depend on the whole state of the pipeline); the
// Pentium's stand for them, an estimate.
import { cell, clocks } from "./types.js";
import type { Cell, Clocks, OpcodeRow } from "./types.js";

const branch = (both: number): Clocks => clocks("branch", both, both, [both]);
const io = (allowed: number, checked: number): Clocks => clocks("io", allowed, allowed, [checked]);
const each = (n: number): Clocks => clocks("repeat", 0, 0, [0, n, 0, n]);
const eachPort = (n: number, checked: number): Clocks => clocks("repeatIo", 0, 0, [0, n, checked - n]);
/** Delivery and the 6 clocks that every INT takes beside; what a task gate adds is an estimate. */
const interrupt = (real: number): Clocks => clocks("interrupt", 4, 4, [31, 48, 0, real, 60]);

const BY_SEMANTIC: Readonly<Record<string, Cell>> = {
  daa: 3, das: 3, aaa: 3, aas: 3, aam: 18, aad: 10, mul: 10, imul: 10, imul2: 10, imul3: 10, div: 41, idiv: 46,
  rol: "1/3", ror: "1/3", rcl: "1/3", rcr: "1/3", shl: "1/3", shr: "1/3", sar: "1/3", shld: 4, shrd: 4,
  bt: "4/9", bts: "7/13", btr: "7/13", btc: "7/13", bsf: clocks("scan", 6, 6, [1]), bsr: clocks("scan", 7, 7, [1]),
  setcc: 2, storeSegment: 1, loadSegment: "2/3", loadFarPointer: 4, movzx: 3, movsx: 3, lea: 1, xlat: 4, xchg: 3,
  bswap: 1, cmpxchg: 5, xadd: 4, push: "1/2", pop: "1/3", pushSegment: 1, popSegment: 3, pushad: 5, popad: 5,
  pushfd: 3, popfd: 4, enter: clocks("enter", 11, 11, [11, 15, 15, 0]), leave: 3, cwde: 3, cdq: 2, cli: 7, sti: 7,
  lahf: 2, movs: 4, cmps: 5, stos: 3, lods: 2, scas: 4, in: io(7, 19), out: io(12, 24), ins: io(9, 22),
  outs: io(13, 25), jcc: branch(1), loop: branch(5), jecxz: branch(5), loope: branch(8), loopne: branch(8), jmp: 1,
  jmpIndirect: 2, call: 1, callIndirect: 2, ret: 2, bound: 8, hlt: 4,
  jmpFar: clocks("far", 3, 3, [3, 18, 0, 0, 0, 0, 0, 3]), callFar: clocks("far", 4, 4, [4, 22, 44, 44, 0, 0, 0, 4]),
  retFar: clocks("return", 4, 4, [4, 23, 0, 4, 0]), iret: clocks("return", 10, 10, [10, 27, 0, 8, 27]),
  int1: interrupt(13), int3: interrupt(13), int: interrupt(16), into: interrupt(13),
  sldt: 2, str: 2, lldt: 9, ltr: 10, verr: 7, verw: 7, arpl: 7, lgdt: 6, lidt: 6, sgdt: 4, sidt: 4, smsw: 4, lmsw: 8,
  lar: 8, lsl: clocks("limit", 8, 8, [0]), clts: 10, readControl: 4, writeControl: 12, readDebug: 11, writeDebug: 11,
  invd: 15, cpuid: 14, fwait: 1,
};

const BY_OPCODE: Readonly<Record<string, Cell>> = {
  "F6 /4": 11, "F6 /5": 11, "F6 /6": 17, "F6 /7": 22, "90+rd": 2, "C2 iw": 3, "FF /5": clocks("far", 4, 4, [4, 18, 0, 0, 0, 0, 0, 4]),
  "0F BA /4 ib": 4, "0F BA /5 ib": "7/8", "0F BA /6 ib": "7/8", "0F BA /7 ib": "7/8",
};

/** The coprocessor's, by mnemonic without the `p` of popping; F2XM1 has no published figure and keeps the i486's. */
const X87: Readonly<Record<string, Cell>> = {
  fadd: 3, fsub: 3, fsubr: 3, fmul: 3, fdiv: 39, fdivr: 39, fcom: 4, fucom: 4, ftst: 4, fxam: 21, fabs: 1, fchs: 1,
  fiadd: 7, fisub: 7, fisubr: 7, fimul: 7, fidiv: 42, fidivr: 42, ficom: 8, fild: 3, fist: 6, fbld: 48, fbst: 148,
  fxch: 1, fnop: 1, ffree: 1, fdecst: 1, fincst: 1, fld1: 2, fldz: 2, fldpi: 5, fldl2e: 5, fldl2t: 5, fldlg2: 5,
  fldln2: 5, fldcw: 7, fldenv: 37, fnstcw: 2, fnstsw: 2, fnstenv: 48, fnclex: 9, fninit: 16, frstor: 75, fnsave: 127,
  fsqrt: 70, frndint: 9, fscale: 20, fxtract: 13, fprem: 16, fprem1: 20, fsin: 126, fcos: 124, fsincos: 137,
  fptan: 173, fpatan: 173, fyl2x: 111, fyl2xp1: 103,
};

/** Loads and stores differ by the size of the operand. */
function x87Cell({ mnemonic, operands, semantic }: OpcodeRow): Cell | undefined {
  if (semantic !== "x87") return undefined;
  if (mnemonic === "fld") return operands === "M80f" ? 3 : 1;
  if (mnemonic === "fst" || mnemonic === "fstp") return operands === "M80f" ? 3 : operands.startsWith("M") ? 2 : 1;
  return X87[mnemonic] ?? X87[mnemonic.replace(/pp?$/, "")];
}

const WORDS: Readonly<Record<string, Cell>> = { "F7 /4": 11, "F7 /5": 11, "F7 /6": 25, "F7 /7": 30 };

const REPEATED: Readonly<Record<string, Cell>> = { movs: each(4), cmps: each(5), stos: each(3), lods: each(2),
  scas: each(4), ins: eachPort(9, 22), outs: eachPort(13, 25) };

/** A shift by CL or rotate through carry by a count: the table gives the least. */
function shiftCell({ opcode, mnemonic }: OpcodeRow): Cell | undefined {
  const throughCarry = mnemonic === "rcl" || mnemonic === "rcr";
  if (/^D[23] \/\d$/.test(opcode)) return throughCarry ? "7/8" : 4;
  return throughCarry && /^C[01] \/\d ib$/.test(opcode) ? "7/8" : undefined;
}

function forBoth(value: Cell | undefined, others: OpcodeRow["clocks"]): OpcodeRow["clocks"] {
  const found = value === undefined ? others.i486 : value === null ? undefined : cell(value);
  return found === undefined ? others : { pentium: found, i686: found, ...others };
}

/** Gives a row, in place, the cells of the later models; a row that has some of its own keeps them. */
export function withPentium(row: OpcodeRow): OpcodeRow {
  const { opcode, semantic } = row;
  const plain = BY_OPCODE[opcode] ?? x87Cell(row) ?? shiftCell(row) ?? BY_SEMANTIC[semantic];
  return Object.assign(row, {
    clocks: forBoth(plain, row.clocks),
    clocks16: WORDS[opcode] !== undefined ? forBoth(WORDS[opcode], row.clocks16) : row.clocks16,
    clocksRepeat: REPEATED[semantic] !== undefined ? forBoth(REPEATED[semantic], row.clocksRepeat) : row.clocksRepeat,
  });
}
