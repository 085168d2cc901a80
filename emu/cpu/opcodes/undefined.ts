// What the SDM leaves undefined after an instruction. The flags that a row
// always leaves undefined are the lower case letters of its `flags` cell; here
// is what depends on the operands, and the results that are undefined.
import { ARITHMETIC_FLAGS, FLAG } from "../state.js";
import type { OpcodeRow } from "./types.js";

const LETTERS: Readonly<Record<string, number>> =
  { o: FLAG.OF, s: FLAG.SF, z: FLAG.ZF, a: FLAG.AF, p: FLAG.PF, c: FLAG.CF };

const maskOf = (letters: string): number => [...letters].reduce((mask, letter) => mask | (LETTERS[letter] ?? 0), 0);

/** Flags that a row leaves undefined whatever its operands are. */
const always = (row: OpcodeRow): number => maskOf(row.flags);

const SHIFTS = /^(rol|ror|rcl|rcr|shl|shr|sar|shld|shrd)$/;

/** Arithmetic flags that an instruction sets whatever its operands are: after it they are defined again. */
export function definedFlags(row: OpcodeRow): number {
  return SHIFTS.test(row.semantic) ? 0 : maskOf(row.flags.replace(/[a-z]/g, "").toLowerCase());
}

/**
 * EFLAGS bits that are undefined after an instruction with operands of `bytes`
 * bytes. `count` is the count of a shift (as given, not masked), and otherwise
 * the source operand where `isZero` of it matters: that of BSF and BSR.
 */
export function undefinedFlags(row: OpcodeRow, bytes: number, count: number): number {
  if (!SHIFTS.test(row.semantic)) return always(row);
  const masked = count & 31;
  // A count of zero changes no flag.
  if (masked === 0) return 0;
  const bits = bytes * 8;
  if (/^sh[lr]d$/.test(row.semantic) && masked > bits) return ARITHMETIC_FLAGS;
  const carry = /^sh[lr]$/.test(row.semantic) && masked >= bits ? FLAG.CF : 0;
  return always(row) | carry | (masked === 1 ? 0 : FLAG.OF);
}

/**
 * Whether the destination is undefined: double shifts of 16 bits by more, scans
 * of a zero, and BSWAP of 16 bits. `source` is the count or the scanned operand.
 */
export function isResultUndefined(row: OpcodeRow, bytes: number, source: number): boolean {
  switch (row.semantic) {
    case "shld": case "shrd": return (source & 31) > bytes * 8;
    case "bsf": case "bsr": return source === 0;
    case "bswap": return bytes === 2;
    default: return false;
  }
}
