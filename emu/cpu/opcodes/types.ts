// The shape of a row of the opcode table, and the little languages of its
// cells. A row is one encoding; every part that knows instructions (decoder,
// interpreter, assembler, code generator, disassemblers, timing, tests)
// derives what it needs from the rows.
//
// Opcode cell, in the notation of the SDM:
//   83 /0 ib    bytes in hexadecimal; /0../7 the digit in the ModRM reg field,
//               /r a register or segment register there
//   B8+rd id    register number added to the last opcode byte (+rb +rw +rd)
//   ib iw id    immediates (id is 16 bits with an operand-size prefix),
//   cb cd cp    relative displacements and far pointers (cd, cp likewise),
//   mo          absolute address (moffs), 32 bits, or 16 with an address-size prefix
//
// Operand cell: codes separated by commas, destination first (Intel order).
//   E register or memory named by ModRM     G register in ModRM reg
//   Z register in the opcode byte           R register in ModRM rm only
//   M memory only in ModRM                  O memory at an absolute address
//   I immediate                             J relative jump target
//   X memory at DS:eSI                      Y memory at ES:eDI
//   S segment register, C control register, D debug register, T test register in ModRM reg
//   A far pointer in the instruction
// followed by the size
//   b byte, w word, d doubleword, v word or doubleword by operand size,
//   z displacement of operand size, bs byte sign-extended to operand size,
//   q quadword, p far pointer of operand size, s table register image (6 bytes),
//   a pair for BOUND (two words or two doublewords)
// or one of the fixed operands AL AX eAX CL DX 1 3 ES CS SS DS FS GS, where
// eAX is AX or EAX by operand size. M alone has no size (LEA, INVLPG).

export type Model = "i386" | "i486" | "pentium" | "i686";

/** The models in order of age: a row's `since` admits it and all later ones. */
export const MODELS: readonly Model[] = ["i386", "i486", "pentium", "i686"];

/**
 * How a cell of clocks is to be read. `register` and `memory` are the clocks of
 * the two forms of an r/m operand; `parameters` are the further numbers:
 *
 *   fixed      register or memory clocks
 *   transfer   the same, plus m (components of the target instruction) where `plusM`
 *   branch     not taken: register; taken: parameters[0] (+ m where `plusM`)
 *   multiply   parameters[0] + max(ceil(log2(|multiplier|)), parameters[1]),
 *              parameters[2] for 0; the memory form adds parameters[3]
 *   scan       register + parameters[0] * bits skipped
 *   scanForward486, scanReverse486   the formulas of the i486 notes; 6 or 7 for a zero source
 *   repeat     parameters: [none, one, base, each]; c = 0 costs none, c = 1 costs one,
 *              otherwise base + each * c
 *   io         CPL <= IOPL: register; otherwise parameters[0]
 *   repeatIo   parameters: [base, each, base without I/O privilege]
 *   enter      parameters: [level 0, level 1, base, each]: level n > 1 costs base + each * (n - 1)
 *   condition  (SETcc) condition true: parameters[0] or [2]; false: [1] or [3], register or memory
 *   exchange   (CMPXCHG m) equal: memory; not equal: parameters[0]
 *   limit      (LSL) byte granular: register or memory; page granular: + parameters[0]
 *   invalidate (INVLPG) page in the TLB: register; not: parameters[0]
 *   interrupt  parameters: [same privilege, inner privilege, beside what an exception by task gate costs, real mode,
 *              from virtual-8086 mode]
 *   return     (IRET, RETF) parameters: [same privilege, outer privilege, before a task switch, real mode, to
 *              virtual-8086 mode]; same and real + m where `plusM`
 *   far        (JMP, CALL far) parameters: [direct, gate same, gate inner, gate inner with parameters, each parameter,
 *              before a switch by TSS, by task gate, real mode]
 */
export type ClockRule =
  | "fixed" | "transfer" | "branch" | "multiply" | "scan" | "scanForward486" | "scanReverse486" | "repeat" | "io"
  | "repeatIo" | "enter" | "condition" | "exchange" | "limit" | "invalidate" | "interrupt" | "return" | "far";

export interface Clocks {
  readonly rule: ClockRule;
  readonly register: number;
  readonly memory: number;
  readonly plusM: boolean;
  readonly parameters: readonly number[];
}

export interface OpcodeRow {
  readonly opcode: string;
  readonly mnemonic: string;
  readonly operands: string;
  /** Name of the semantic function; the binder chooses its form by operands and sizes. */
  readonly semantic: string;
  /** Flags written: upper case defined, lower case undefined afterwards; of O S Z A P C D I T. */
  readonly flags: string;
  /** Flags whose old value matters. */
  readonly reads: string;
  /** `ring0`: CPL 0 only; `iopl`: CPL <= IOPL (for I/O: or the permission bitmap). */
  readonly privilege: "" | "ring0" | "iopl";
  readonly since: Model;
  /** A transfer of control, or an instruction after which events and modes are looked at again. */
  readonly ends: boolean;
  /** Mnemonic with a 16-bit operand size (address size for JCXZ), where it differs. */
  readonly mnemonic16: string;
  /** What a REP prefix does: `rep`, `repe` (F3 repe, F2 repne) or nothing. */
  readonly repeat: "" | "rep" | "repe";
  /** LOCK may precede the memory form. */
  readonly lockable: boolean;
  /** An alias that decodes, but that an assembler does not choose. */
  readonly alias: boolean;
  readonly clocks: { readonly [model in Model]?: Clocks };
  /** With 16-bit operands, where different. */
  readonly clocks16: { readonly [model in Model]?: Clocks };
  /** Of the form with a REP prefix. */
  readonly clocksRepeat: { readonly [model in Model]?: Clocks };
}

export interface RowOptions {
  readonly semantic?: string;
  readonly flags?: string;
  readonly reads?: string;
  readonly privilege?: "ring0" | "iopl";
  readonly since?: Model;
  readonly ends?: boolean;
  readonly mnemonic16?: string;
  readonly repeat?: "rep" | "repe";
  readonly lockable?: boolean;
  readonly alias?: boolean;
  readonly clocks16?: readonly [i386: Cell, i486: Cell];
  readonly clocksRepeat?: readonly [i386: Cell, i486: Cell];
}

/** Clocks as the tables of the family files write them: a plain `r`, `r/m` text, or a rule. */
export type Cell = number | string | Clocks | null;

/** Builds a row. `i386` and `i486` are the clock cells of these models; null: not present. */
export function row(
  opcode: string, mnemonic: string, operands: string, i386: Cell, i486: Cell, options: RowOptions = {},
): OpcodeRow {
  return {
    opcode,
    mnemonic,
    operands,
    semantic: options.semantic ?? mnemonic,
    flags: options.flags ?? "",
    reads: options.reads ?? "",
    privilege: options.privilege ?? "",
    since: options.since ?? "i386",
    ends: options.ends ?? false,
    mnemonic16: options.mnemonic16 ?? mnemonic,
    repeat: options.repeat ?? "",
    lockable: options.lockable ?? false,
    alias: options.alias ?? false,
    clocks: perModel(i386, i486),
    clocks16: options.clocks16 ? perModel(...options.clocks16) : {},
    clocksRepeat: options.clocksRepeat ? perModel(...options.clocksRepeat) : {},
  };
}

function perModel(i386: Cell, i486: Cell): { readonly [model in Model]?: Clocks } {
  return {
    ...(i386 === null ? {} : { i386: cell(i386) }),
    ...(i486 === null ? {} : { i486: cell(i486) }),
  };
}

/** Reads a cell: 2, "2/7" (register/memory), "7+m", "7+m/10+m". */
export function cell(value: number | string | Clocks): Clocks {
  if (typeof value === "number") return clocks("fixed", value, value);
  if (typeof value === "object") return value;
  const forms = value.split("/").map((form) => parseInt(form, 10));
  const plusM = value.includes("+m");
  return clocks(plusM ? "transfer" : "fixed", forms[0], forms[1] ?? forms[0], [], plusM);
}

/** A clock cell that follows a rule; see ClockRule for the parameters of each. */
export function clocks(
  rule: ClockRule, register: number, memory: number = register, parameters: readonly number[] = [], plusM = false,
): Clocks {
  return { rule, register, memory, plusM, parameters };
}

/** Flags of additions and subtractions, all defined. */
export const ARITHMETIC = "OSZAPC";
/** Flags of the logical operations: O and C cleared, A undefined. */
export const LOGICAL = "OSZaPC";

/** The sixteen conditions in encoding order: suffix as objdump prints it, and the flags read. */
export const CONDITIONS: readonly { readonly suffix: string; readonly reads: string }[] = [
  { suffix: "o", reads: "O" }, { suffix: "no", reads: "O" },
  { suffix: "b", reads: "C" }, { suffix: "ae", reads: "C" },
  { suffix: "e", reads: "Z" }, { suffix: "ne", reads: "Z" },
  { suffix: "be", reads: "CZ" }, { suffix: "a", reads: "CZ" },
  { suffix: "s", reads: "S" }, { suffix: "ns", reads: "S" },
  { suffix: "p", reads: "P" }, { suffix: "np", reads: "P" },
  { suffix: "l", reads: "SO" }, { suffix: "ge", reads: "SO" },
  { suffix: "le", reads: "SOZ" }, { suffix: "g", reads: "SOZ" },
];
