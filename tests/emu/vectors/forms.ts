// The forms of the instructions: each row of the opcode table with each operand
// size, register or addressing shape, prefix and place of the operand that
// makes a difference. No opcode can be forgotten: a row without a form must be
// in EXCLUDED, with the reason.

import { OPCODES, encodingOf, operandsOf } from "../../../emu/cpu/opcodes.js";
import type { OpcodeRow } from "../../../emu/cpu/opcodes.js";
import { SHAPES16, SHAPES32 } from "./shapes.js";
import type { Shape } from "./shapes.js";
import type { Input } from "./vector.js";

/** Makes cases: null where the choices made contradict each other. */
export interface Source {
  readonly name: string;
  /** Cases of this one for one of the rarest. */
  readonly weight: number;
  readonly make: (random: () => number) => Input | null;
}

/** Where the operand in memory, or the top of the stack, lies. */
export type Place =
  /** In the middle window, often across the boundary of two pages. */
  | "memory"
  /** Wholly or partly in the absent page below, or above, the data. */
  | "below" | "above"
  /** In the page that must not be written, or reaching into it. */
  | "read-only"
  /** About the limit of a segment, in segments of several kinds. */
  | "limit"
  /** With EFLAGS.AC set. */
  | "aligned";

export interface Form {
  readonly name: string;
  readonly row: OpcodeRow;
  /** Size of operands in bytes. */
  readonly size: 2 | 4;
  /** null: no operand in memory by ModRM. */
  readonly shape: Shape | null;
  readonly addressSize: 2 | 4;
  /** Prefixes besides those of the sizes. */
  readonly prefixes: readonly number[];
  /** 32-bit code segment. */
  readonly big: boolean;
  /** 32-bit stack segment. */
  readonly bigStack: boolean;
  readonly place: Place;
  /** Cases of this form for one of a rare form. */
  readonly weight: number;
}

const HOST_STATE = "its result is the host kernel's";
const ALIEN = "a process of a 64-bit kernel meets another instruction there";

const GONE = "processors since the Pentium have no test registers";

/** Rows that have no form, by semantic, and why. */
export const EXCLUDED: Readonly<Record<string, string>> = {
  int1: "hypervisors sometimes report it at its own address instead of the next",
  rdtsc: "its result is the time",
  cpuid: "its result names the host's processor",
  sldt: HOST_STATE, str: HOST_STATE, sgdt: HOST_STATE, sidt: HOST_STATE, smsw: HOST_STATE,
  sysenter: ALIEN, sysexit: ALIEN,
  readTest: GONE, writeTest: GONE,
  escape: "it stands for the encodings that are no instruction; see the holes",
};

export const PREFIX = { ES: 0x26, CS: 0x2e, SS: 0x36, DS: 0x3e, FS: 0x64, GS: 0x65, SIZE: 0x66, ADDRESS: 0x67,
  LOCK: 0xf0, REPNE: 0xf2, REP: 0xf3 } as const;
const SEGMENT_PREFIXES = [PREFIX.ES, PREFIX.CS, PREFIX.SS, PREFIX.DS, PREFIX.FS, PREFIX.GS];

/** Rows that push or pop. */
const STACK = new Set(["push", "pop", "pushSegment", "popSegment", "pushad", "popad", "pushfd", "popfd", "enter",
  "leave", "call", "callIndirect", "ret", "retFar", "callFar", "iret"]);

export function usesStack(row: OpcodeRow): boolean {
  return STACK.has(row.semantic);
}

/** Whether the operand size changes what a row does. */
function hasSizes(row: OpcodeRow): boolean {
  return row.mnemonic16 !== row.mnemonic || /[vzpa]\b|^M[es]$/.test(row.operands)
    || /ret|pop|push|enter|leave/.test(row.mnemonic);
}

export function isX87(row: OpcodeRow): boolean {
  return row.semantic === "x87" || row.semantic === "fwait";
}

/** Operand codes that name memory without ModRM. */
const addressesMemory = (row: OpcodeRow): boolean => /\b[XYO][bv]/.test(row.operands) || row.mnemonic === "xlat";
const hasCounter = (row: OpcodeRow): boolean => /^(loop|jecxz)/.test(row.semantic);

interface Choice {
  readonly size?: 2 | 4;
  readonly shape?: Shape | null;
  readonly addressSize?: 2 | 4;
  readonly prefixes?: readonly number[];
  readonly big?: boolean;
  readonly bigStack?: boolean;
  readonly place?: Place;
  readonly weight: number;
}

const PREFIX_NAMES = new Map<number, string>(Object.entries(PREFIX).map(([name, byte]) => [byte, name.toLowerCase()]));

function formOf(row: OpcodeRow, choice: Choice): Form {
  const { size = 4, shape = null, prefixes = [], big = true, bigStack = true, place = "memory", weight } = choice;
  const addressSize = choice.addressSize ?? shape?.addressSize ?? 4;
  const address = shape === null ? `a${addressSize * 8}` : shape.name;
  const words = [row.mnemonic, row.operands, `(${row.opcode})`, size * 8, address,
    ...prefixes.map((prefix) => PREFIX_NAMES.get(prefix)), big ? "" : "code16", bigStack ? "" : "stack16",
    place === "memory" ? "" : place];
  const name = words.filter((word) => word !== "").join(" ");
  return { name, row, size, shape, addressSize, prefixes, big, bigStack, place, weight };
}

const PLACES: readonly Place[] = ["below", "above", "limit"];

interface Kind {
  readonly memory: boolean;
  readonly register: boolean;
}

function kindOf(row: OpcodeRow): Kind {
  const operands = operandsOf(row);
  const { modrm } = encodingOf(row);
  const memoryOnly = operands.some((code) => code.startsWith("M"));
  const registerOnly = operands.some((code) => code.startsWith("R"));
  return { memory: modrm && !registerOnly, register: modrm && !memoryOnly };
}

/** Where LOCK is #UD by the SDM, and something else on processors of AMD. */
const IGNORING_LOCK = new Set(["verr", "verw", "readControl", "writeControl"]);

/** Forms whose operand is named by ModRM and lies in memory. */
function memoryForms(row: OpcodeRow, sizes: readonly (2 | 4)[]): Choice[] {
  const few = isX87(row) || row.privilege !== "";
  const each = isX87(row) ? 12 : 2;
  const writes = /^E/.test(row.operands) || isX87(row);
  return sizes.flatMap((size): Choice[] => [
    ...(few ? [SHAPES32[0], SHAPES32[3], SHAPES32[7]] : SHAPES32).map((shape) => ({ size, shape, weight: each })),
    ...(few ? [SHAPES16[0], SHAPES16[6]] : SHAPES16).map((shape) => ({ size, shape, weight: few ? each : 1 })),
    ...SEGMENT_PREFIXES.map((prefix) => ({ size, shape: SHAPES32[1], prefixes: [prefix], weight: 1 })),
    ...PLACES.map((place) => ({ size, shape: SHAPES32[1], place, weight: 4 })),
    ...(writes ? [{ size, shape: SHAPES32[1], place: "read-only" as const, weight: 4 }] : []),
    { size, shape: SHAPES32[2], place: "aligned", weight: 4 },
    ...(IGNORING_LOCK.has(row.semantic) ? []
      : [{ size, shape: SHAPES32[1], prefixes: [PREFIX.LOCK], weight: row.lockable ? 6 : 1 }]),
    { size, shape: SHAPES16[4], big: false, weight: 3 },
    { size, shape: SHAPES32[4], big: false, weight: 1 },
  ]);
}

function registerForms(row: OpcodeRow, sizes: readonly (2 | 4)[], weight: number): Choice[] {
  return sizes.flatMap((size): Choice[] => [
    { size, weight },
    { size, big: false, weight: Math.ceil(weight / 8) },
    { size, prefixes: [PREFIX.CS], weight: 1 },
    { size, addressSize: 2, weight: 1 },
    ...(IGNORING_LOCK.has(row.semantic) ? [] : [{ size, prefixes: [PREFIX.LOCK], weight: 1 }]),
  ]);
}

/** Forms of string instructions, and of those with a fixed place in memory. */
function stringForms(row: OpcodeRow, sizes: readonly (2 | 4)[]): Choice[] {
  const repeats = row.repeat === "" ? [[]] : [[], [PREFIX.REP], [PREFIX.REPNE]];
  return sizes.flatMap((size) => ([4, 2] as const).flatMap((addressSize) => repeats.flatMap((prefixes): Choice[] => [
    { size, addressSize, prefixes, weight: 16 },
    { size, addressSize, prefixes, big: false, weight: 3 },
    ...(addressSize === 2 ? [] : [...PLACES, "read-only" as const, "aligned" as const]
      .map((place) => ({ size, addressSize, prefixes, place, weight: 4 }))),
    ...SEGMENT_PREFIXES.map((prefix) => ({ size, addressSize, prefixes: [prefix, ...prefixes], weight: 1 })),
  ])));
}

/** What is popped from the page that is read-only is any bytes; far transfers are not to go there. */
function stackForms(row: OpcodeRow, sizes: readonly (2 | 4)[], shape: Shape | null): Choice[] {
  const pushes = !/^(retFar|iret)$/.test(row.semantic);
  return sizes.flatMap((size): Choice[] => [
    { size, shape, bigStack: false, weight: 8 },
    { size, shape: shape === null ? null : SHAPES16[4], big: false, bigStack: false, weight: 4 },
    ...(shape === null ? [...PLACES, ...(pushes ? ["read-only" as const] : []), "aligned" as const] : [])
      .map((place) => ({ size, place, weight: 6 })),
  ]);
}

function choicesOf(row: OpcodeRow): Choice[] {
  const sizes: readonly (2 | 4)[] = hasSizes(row) ? [4, 2] : [4];
  const { memory, register } = kindOf(row);
  const plainWeight = isX87(row) ? 100 : row.privilege === "" ? 24 : 2;
  const choices: Choice[] = [];
  if (memory) choices.push(...memoryForms(row, sizes));
  if (addressesMemory(row)) choices.push(...stringForms(row, sizes));
  else if (!memory || register) choices.push(...registerForms(row, sizes, plainWeight));
  if (hasCounter(row)) choices.push({ addressSize: 2, weight: 8 }, { addressSize: 4, big: false, weight: 2 });
  if (usesStack(row)) choices.push(...stackForms(row, sizes, memory && !register ? SHAPES32[0] : null));
  return choices;
}

/** All forms of all rows that are not excluded. */
export function allForms(): Form[] {
  const forms = OPCODES.filter(({ semantic }) => EXCLUDED[semantic] === undefined)
    .flatMap((row) => choicesOf(row).map((choice) => formOf(row, choice)));
  // Two ways to one form: the later choice, more special, has its weight.
  return [...new Map(forms.map((form) => [form.name, form])).values()];
}
