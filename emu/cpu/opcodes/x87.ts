// Rows of the coprocessor: WAIT, the x87 instructions, and the escapes that
// are none. Mnemonics are Intel's; operand codes beside those of types.ts:
//
//   ST STi           the top of the register stack, and a register relative to it
//   M32f M64f M80f   reals in memory     M16i M32i M64i  integers     M80b  packed decimal
//   M16c             control or status word
//   Me Ms            environment (14 or 28 bytes), state (94 or 108 bytes) by operand size
//
// Encodings with two bytes stand for the register forms of their escape; `+i`
// adds a register number. All rows share one semantic name: the mnemonic and
// the operands choose the function (fpu/x87.ts). Clocks: the columns are those
// of the 387 and the i486; where the manuals print a range, its middle.
import { row } from "./types.js";
import type { Cell, OpcodeRow, RowOptions } from "./types.js";

/** The middle of a printed range of clocks. */
const mid = (least: number, most: number): number => Math.round((least + most) / 2);

function x87(
  opcode: string, mnemonic: string, operands: string, i387: Cell, i486: Cell, options: RowOptions = {},
): OpcodeRow {
  return row(opcode, mnemonic, operands, i387, i486, { semantic: "x87", ...options });
}

/** Clocks of the eight arithmetic instructions for one kind of source. */
interface ArithmeticClocks {
  readonly add: readonly [Cell, Cell];
  readonly multiply: readonly [Cell, Cell];
  readonly compare: readonly [Cell, Cell];
  readonly divide: readonly [Cell, Cell];
}

const REGISTER: ArithmeticClocks = {
  add: [mid(23, 34), mid(8, 20)], multiply: [mid(29, 57), 16], compare: [24, 4], divide: [mid(88, 91), 73],
};
const REAL32: ArithmeticClocks = {
  add: [mid(24, 32), mid(8, 20)], multiply: [mid(27, 35), 11], compare: [26, 4], divide: [89, 73],
};
const REAL64: ArithmeticClocks = {
  add: [mid(29, 37), mid(8, 20)], multiply: [mid(32, 57), 14], compare: [31, 4], divide: [94, 73],
};
const INTEGER16: ArithmeticClocks = {
  add: [mid(71, 85), mid(20, 35)], multiply: [mid(76, 87), mid(23, 27)], compare: [mid(71, 75), mid(16, 20)],
  divide: [mid(136, 140), mid(85, 89)],
};
const INTEGER32: ArithmeticClocks = {
  add: [mid(57, 72), mid(19, 32)], multiply: [mid(61, 82), mid(22, 24)], compare: [mid(56, 63), mid(15, 17)],
  divide: [mid(120, 127), mid(84, 86)],
};

/** The eight instructions that take a source in memory, by the digit of ModRM. */
const NAMES = ["add", "mul", "com", "comp", "sub", "subr", "div", "divr"] as const;

function clocksOfName(name: string, clocks: ArithmeticClocks): readonly [Cell, Cell] {
  if (name === "mul") return clocks.multiply;
  if (name.startsWith("com")) return clocks.compare;
  return name.startsWith("div") ? clocks.divide : clocks.add;
}

function memoryArithmetic(escape: string, prefix: string, operand: string, clocks: ArithmeticClocks): OpcodeRow[] {
  return NAMES.map((name, digit) => x87(`${escape} /${digit}`, prefix + name, operand, ...clocksOfName(name, clocks)));
}

const arithmetic: readonly OpcodeRow[] = [
  ...memoryArithmetic("D8", "f", "M32f", REAL32),
  ...memoryArithmetic("DC", "f", "M64f", REAL64),
  ...memoryArithmetic("DA", "fi", "M32i", INTEGER32),
  ...memoryArithmetic("DE", "fi", "M16i", INTEGER16),
  x87("D8 C0+i", "fadd", "ST,STi", ...REGISTER.add),
  x87("D8 C8+i", "fmul", "ST,STi", ...REGISTER.multiply),
  x87("D8 E0+i", "fsub", "ST,STi", ...REGISTER.add),
  x87("D8 E8+i", "fsubr", "ST,STi", ...REGISTER.add),
  x87("D8 F0+i", "fdiv", "ST,STi", ...REGISTER.divide),
  x87("D8 F8+i", "fdivr", "ST,STi", ...REGISTER.divide),
  x87("DC C0+i", "fadd", "STi,ST", ...REGISTER.add),
  x87("DC C8+i", "fmul", "STi,ST", ...REGISTER.multiply),
  x87("DC E0+i", "fsubr", "STi,ST", ...REGISTER.add),
  x87("DC E8+i", "fsub", "STi,ST", ...REGISTER.add),
  x87("DC F0+i", "fdivr", "STi,ST", ...REGISTER.divide),
  x87("DC F8+i", "fdiv", "STi,ST", ...REGISTER.divide),
  x87("DE C0+i", "faddp", "STi,ST", ...REGISTER.add),
  x87("DE C8+i", "fmulp", "STi,ST", ...REGISTER.multiply),
  x87("DE E0+i", "fsubrp", "STi,ST", ...REGISTER.add),
  x87("DE E8+i", "fsubp", "STi,ST", ...REGISTER.add),
  x87("DE F0+i", "fdivrp", "STi,ST", ...REGISTER.divide),
  x87("DE F8+i", "fdivp", "STi,ST", ...REGISTER.divide),
];

const comparisons: readonly OpcodeRow[] = [
  x87("D8 D0+i", "fcom", "STi", ...REGISTER.compare),
  x87("D8 D8+i", "fcomp", "STi", ...REGISTER.compare),
  x87("DC D0+i", "fcom", "STi", ...REGISTER.compare, { alias: true }),
  x87("DC D8+i", "fcomp", "STi", ...REGISTER.compare, { alias: true }),
  x87("DE D0+i", "fcomp", "STi", ...REGISTER.compare, { alias: true }),
  x87("DE D9", "fcompp", "", ...REGISTER.compare),
  x87("DD E0+i", "fucom", "STi", ...REGISTER.compare),
  x87("DD E8+i", "fucomp", "STi", ...REGISTER.compare),
  x87("DA E9", "fucompp", "", ...REGISTER.compare),
  x87("D9 E4", "ftst", "", 28, 4),
  x87("D9 E5", "fxam", "", mid(30, 38), 8),
];

const transfers: readonly OpcodeRow[] = [
  x87("D9 /0", "fld", "M32f", 20, 3),
  x87("DD /0", "fld", "M64f", 25, 3),
  x87("DB /5", "fld", "M80f", 44, 6),
  x87("D9 C0+i", "fld", "STi", 14, 4),
  x87("D9 /2", "fst", "M32f", 44, 7),
  x87("DD /2", "fst", "M64f", 45, 8),
  x87("DD D0+i", "fst", "STi", 11, 3),
  x87("D9 /3", "fstp", "M32f", 44, 7),
  x87("DD /3", "fstp", "M64f", 45, 8),
  x87("DB /7", "fstp", "M80f", 53, 6),
  x87("DD D8+i", "fstp", "STi", 11, 3),
  x87("D9 D8+i", "fstp", "STi", 11, 3, { alias: true }),
  x87("DF D0+i", "fstp", "STi", 11, 3, { alias: true }),
  x87("DF D8+i", "fstp", "STi", 11, 3, { alias: true }),
  x87("D9 C8+i", "fxch", "STi", 18, 4),
  x87("DD C8+i", "fxch", "STi", 18, 4, { alias: true }),
  x87("DF C8+i", "fxch", "STi", 18, 4, { alias: true }),
  x87("DF /0", "fild", "M16i", mid(61, 65), mid(13, 16)),
  x87("DB /0", "fild", "M32i", mid(45, 52), mid(9, 12)),
  x87("DF /5", "fild", "M64i", mid(56, 67), mid(10, 18)),
  x87("DF /2", "fist", "M16i", mid(82, 95), mid(29, 34)),
  x87("DB /2", "fist", "M32i", mid(79, 93), mid(28, 34)),
  x87("DF /3", "fistp", "M16i", mid(82, 95), mid(29, 34)),
  x87("DB /3", "fistp", "M32i", mid(79, 93), mid(28, 34)),
  x87("DF /7", "fistp", "M64i", mid(80, 97), mid(29, 34)),
  x87("DF /4", "fbld", "M80b", mid(266, 275), mid(70, 103)),
  x87("DF /6", "fbstp", "M80b", mid(512, 534), mid(172, 176)),
];

const constants: readonly OpcodeRow[] = [
  x87("D9 E8", "fld1", "", mid(20, 24), 4),
  x87("D9 E9", "fldl2t", "", 40, 8),
  x87("D9 EA", "fldl2e", "", 40, 8),
  x87("D9 EB", "fldpi", "", 40, 8),
  x87("D9 EC", "fldlg2", "", 40, 8),
  x87("D9 ED", "fldln2", "", 40, 8),
  x87("D9 EE", "fldz", "", mid(20, 24), 4),
];

const functions: readonly OpcodeRow[] = [
  x87("D9 E0", "fchs", "", mid(24, 25), 6),
  x87("D9 E1", "fabs", "", 22, 3),
  x87("D9 F0", "f2xm1", "", mid(211, 476), mid(140, 270)),
  x87("D9 F1", "fyl2x", "", mid(120, 538), mid(196, 329)),
  x87("D9 F2", "fptan", "", mid(191, 497), mid(200, 273)),
  x87("D9 F3", "fpatan", "", mid(314, 487), mid(218, 303)),
  x87("D9 F4", "fxtract", "", mid(70, 76), mid(16, 20)),
  x87("D9 F5", "fprem1", "", mid(95, 185), mid(72, 167)),
  x87("D9 F8", "fprem", "", mid(74, 155), mid(70, 138)),
  x87("D9 F9", "fyl2xp1", "", mid(257, 547), mid(171, 326)),
  x87("D9 FA", "fsqrt", "", mid(122, 129), mid(83, 87)),
  x87("D9 FB", "fsincos", "", mid(194, 809), mid(292, 365)),
  x87("D9 FC", "frndint", "", mid(66, 80), mid(21, 30)),
  x87("D9 FD", "fscale", "", mid(67, 86), mid(30, 32)),
  x87("D9 FE", "fsin", "", mid(122, 771), mid(257, 354)),
  x87("D9 FF", "fcos", "", mid(122, 772), mid(257, 354)),
];

const control: readonly OpcodeRow[] = [
  x87("D9 D0", "fnop", "", 12, 3),
  x87("D9 F6", "fdecstp", "", 22, 3),
  x87("D9 F7", "fincstp", "", 22, 3),
  x87("DD C0+i", "ffree", "STi", 18, 3),
  x87("DF C0+i", "ffreep", "STi", 18, 3),
  x87("D9 /5", "fldcw", "M16c", 19, 4),
  x87("D9 /7", "fnstcw", "M16c", 15, 3),
  x87("DD /7", "fnstsw", "M16c", 15, 3),
  x87("DF E0", "fnstsw", "AX", 15, 3),
  x87("D9 /4", "fldenv", "Me", 71, 34),
  x87("D9 /6", "fnstenv", "Me", 103, 56),
  x87("DD /4", "frstor", "Ms", 308, 120),
  x87("DD /6", "fnsave", "Ms", 375, 143),
  x87("DB E2", "fnclex", "", 11, 7),
  x87("DB E3", "fninit", "", 33, 17),
  // Instructions of the 8087 and the 287 that later ones ignore.
  x87("DB E0", "fneni", "", 12, 3),
  x87("DB E1", "fndisi", "", 12, 3),
  x87("DB E4", "fnsetpm", "", 12, 3),
];

/** FCMOVcc and the comparisons that write EFLAGS; the condition is the mnemonic's end. */
const sixth: readonly OpcodeRow[] = [
  ...(["b", "e", "be", "u"] as const).flatMap((condition, i) => [
    x87(`DA ${(0xc0 + i * 8).toString(16).toUpperCase()}+i`, `fcmov${condition}`, "ST,STi", null, null,
      { since: "i686", reads: "CZP" }),
    x87(`DB ${(0xc0 + i * 8).toString(16).toUpperCase()}+i`, `fcmovn${condition}`, "ST,STi", null, null,
      { since: "i686", reads: "CZP" }),
  ]),
  x87("DB E8+i", "fucomi", "ST,STi", null, null, { since: "i686", flags: "OSZAPC" }),
  x87("DB F0+i", "fcomi", "ST,STi", null, null, { since: "i686", flags: "OSZAPC" }),
  x87("DF E8+i", "fucomip", "ST,STi", null, null, { since: "i686", flags: "OSZAPC" }),
  x87("DF F0+i", "fcomip", "ST,STi", null, null, { since: "i686", flags: "OSZAPC" }),
];

/** Clocks of an escape that no coprocessor answers. */
export const UNANSWERED_ESCAPE = { i386: 2, i486: 1 } as const;

/** What an escape is when no row above says better. */
const escapes: readonly OpcodeRow[] = [0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf].map((opcode) =>
  row(`${opcode.toString(16).toUpperCase()} /r`, "esc", "E", UNANSWERED_ESCAPE.i386, UNANSWERED_ESCAPE.i486,
    { semantic: "escape" }));

export const x87Rows: readonly OpcodeRow[] = [
  row("9B", "fwait", "", 6, 3),
  ...escapes, ...arithmetic, ...comparisons, ...transfers, ...constants, ...functions, ...control, ...sixth,
];
