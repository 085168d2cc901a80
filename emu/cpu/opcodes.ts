// The opcode table: one row per encoding of the instructions of all models, and the ways to look rows up. The rows are in
// opcodes/*.ts by family; opcodes/types.ts explains the notation. Clock
// figures are those of the Intel manuals for protected mode; a figure that no
// manual prints is marked as an estimate beside its row.
import { arithmeticRows } from "./opcodes/arithmetic.js";
import { controlRows } from "./opcodes/control.js";
import { laterRows } from "./opcodes/later.js";
import { moveRows } from "./opcodes/move.js";
import { withPentium } from "./opcodes/pentium.js";
import { shiftAndBitRows } from "./opcodes/shift.js";
import { stringRows } from "./opcodes/string.js";
import { systemRows } from "./opcodes/system.js";
import { x87Rows } from "./opcodes/x87.js";
import { MODELS } from "./opcodes/types.js";
import type { Model, OpcodeRow } from "./opcodes/types.js";

export { CONDITIONS, MODELS } from "./opcodes/types.js";
export type { ClockRule, Clocks, Model, OpcodeRow } from "./opcodes/types.js";

export const OPCODES: readonly OpcodeRow[] = [
  ...arithmeticRows, ...shiftAndBitRows, ...moveRows, ...stringRows, ...controlRows, ...systemRows,
  ...x87Rows, ...laterRows,
].map(withPentium);

/** The opcode cell of a row, taken apart. */
export interface Encoding {
  /** Opcode bytes, without prefixes. */
  readonly bytes: readonly number[];
  /** A ModRM byte follows. */
  readonly modrm: boolean;
  /** Digit for the ModRM reg field, or -1 when a register goes there. */
  readonly digit: number;
  /** A register number is added to the last opcode byte. */
  readonly plusRegister: boolean;
  /** What follows ModRM, SIB and displacement: ib iw id cb cd cp mo, in order. */
  readonly immediates: readonly string[];
}

/** Takes the opcode cell apart. Throws on a cell that breaks the notation. */
export function encodingOf(row: OpcodeRow): Encoding {
  const bytes: number[] = [];
  const immediates: string[] = [];
  let modrm = false;
  let digit = -1;
  let plusRegister = false;
  for (const part of row.opcode.split(" ")) {
    if (/^[0-9A-F]{2}$/.test(part)) bytes.push(parseInt(part, 16));
    else if (/^[0-9A-F]{2}\+(r[bwd]|i)$/.test(part)) {
      bytes.push(parseInt(part, 16));
      plusRegister = true;
    } else if (/^\/[0-7r]$/.test(part)) {
      modrm = true;
      if (part !== "/r") digit = Number(part[1]);
    } else if (/^(ib|iw|id|cb|cd|cp|mo)$/.test(part)) immediates.push(part);
    else throw new Error(`opcode table: "${row.opcode}" (${row.mnemonic}) has an unknown part "${part}"`);
  }
  return { bytes, modrm, digit, plusRegister, immediates };
}

const operandLists = new Map<OpcodeRow, readonly string[]>();
for (const row of OPCODES) operandLists.set(row, row.operands === "" ? [] : row.operands.split(","));

/** The operand codes of a row; an instruction without operands gives an empty list. */
export function operandsOf(row: OpcodeRow): readonly string[] {
  return operandLists.get(row)!;
}

/** True when the model executes the row. */
export function isPresent(row: OpcodeRow, model: Model): boolean {
  return MODELS.indexOf(model) >= MODELS.indexOf(row.since);
}

const byMnemonic = new Map<string, OpcodeRow[]>();
for (const row of OPCODES) {
  for (const name of new Set([row.mnemonic, row.mnemonic16])) {
    const rows = byMnemonic.get(name);
    if (rows === undefined) byMnemonic.set(name, [row]);
    else rows.push(row);
  }
}

/** All rows of a mnemonic (also by its 16-bit name), in table order. Empty when unknown. */
export function rowsOf(mnemonic: string): readonly OpcodeRow[] {
  return byMnemonic.get(mnemonic) ?? [];
}

/** The row of a mnemonic with exactly these operand codes, not an alias. Throws when there is none. */
export function findRow(mnemonic: string, operands: string): OpcodeRow {
  const found = rowsOf(mnemonic).find((row) => row.operands === operands && !row.alias);
  if (found === undefined) throw new Error(`opcode table: no row "${mnemonic} ${operands}"`);
  return found;
}
