// Whether two states of the coprocessor agree after a case.

import type { OpcodeRow } from "../../../emu/cpu/opcodes.js";
import { addedBytes } from "./program.js";
import { TRAP } from "./vector.js";
import type { Input, Outcome } from "./vector.js";
import { TRANSCENDENTAL } from "./x87.js";

/** Offsets in the image of FNSAVE. */
const AT = { CONTROL: 0, STATUS: 4, TAGS: 8, FIP: 12, FCS: 16, FOP: 18, FDP: 20, FDS: 24, ST: 28 } as const;
const CONDITIONS = 0x4500;
const C1 = 0x200;
const C2 = 0x400;
/** How far transcendental results may be from those of the host: units in the last place of 64 bits. */
const TRANSCENDENTAL_UNITS = 1n;

const viewOf = (image: Uint8Array): DataView => new DataView(image.buffer, image.byteOffset);
const hex = (value: number | bigint): string => value.toString(16);

/** A register as one number that grows with its value, so that neighbours differ by one. */
function ordinal(view: DataView, i: number): bigint {
  const signExponent = view.getUint16(AT.ST + i * 10 + 8, true);
  const magnitude = (BigInt(signExponent & 0x7fff) << 63n) + (view.getBigUint64(AT.ST + i * 10, true) & ~(1n << 63n));
  return (signExponent & 0x8000) !== 0 ? -magnitude : magnitude;
}

/** A comparison whose invalid operand traps: the SDM leaves the conditions unset, some processors set them. */
export function trapsInvalidComparison(row: OpcodeRow, image: Uint8Array): boolean {
  const trapped = viewOf(image).getUint16(AT.STATUS, true) & ~viewOf(image).getUint16(AT.CONTROL, true);
  return /^f(u|i)?com(i|p)?p?$|^ftst/.test(row.mnemonic) && (trapped & 1) !== 0;
}

/** Bits of the status word that are not compared. */
function blankStatus(row: OpcodeRow | null, image: Uint8Array): number {
  if (row === null) return 0;
  // C1 tells how the last place was rounded. C2 tells of the range, unless the operand was invalid.
  const invalid = (viewOf(image).getUint16(AT.STATUS, true) & 1) !== 0;
  if (TRANSCENDENTAL.has(row.mnemonic)) return (invalid ? CONDITIONS : CONDITIONS & ~C2) | C1;
  // FCOMI clears C1 by the SDM; other makers leave it.
  return (trapsInvalidComparison(row, image) ? CONDITIONS : 0) | (row.mnemonic.includes("comi") ? C1 : 0);
}

/**
 * Pointers count where the case stored them itself. The host loses them when
 * another process runs in between: then all are zero.
 */
function pointersCount(input: Input, theirs: Outcome): boolean {
  if (addedBytes(input) === 0 || theirs.trap !== TRAP.BP) return false;
  const view = viewOf(theirs.image!);
  return view.getUint32(AT.FIP, true) !== 0 || view.getUint32(AT.FDP, true) !== 0;
}

/** What differs between the coprocessor's states after a case of `row`. */
export function x87Differences(input: Input, row: OpcodeRow | null, mine: Outcome, theirs: Outcome): string[] {
  const [a, b] = [viewOf(mine.image!), viewOf(theirs.image!)];
  const problems: string[] = [];
  const word = (name: string, at: number, mask = 0xffff): void => {
    const [x, y] = [a.getUint16(at, true) & mask, b.getUint16(at, true) & mask];
    if (x !== y) problems.push(`${name} ${hex(x)}, recorded ${hex(y)}`);
  };
  word("control", AT.CONTROL);
  word("status", AT.STATUS, ~blankStatus(row, theirs.image!));
  word("tags", AT.TAGS);
  const units = row !== null && TRANSCENDENTAL.has(row.mnemonic) ? TRANSCENDENTAL_UNITS : 0n;
  for (let i = 0; i < 8; i++) {
    const distance = ordinal(a, i) - ordinal(b, i);
    const integerBits = (a.getUint8(AT.ST + i * 10 + 7) ^ b.getUint8(AT.ST + i * 10 + 7)) & 0x80;
    if (distance <= units && distance >= -units && integerBits === 0) continue;
    const text = (view: DataView): string =>
      `${hex(view.getUint16(AT.ST + i * 10 + 8, true))}:${hex(view.getBigUint64(AT.ST + i * 10, true))}`;
    problems.push(`st${i} ${text(a)}, recorded ${text(b)}`);
  }
  if (pointersCount(input, theirs)) {
    word("opcode", AT.FOP);
    for (const half of [0, 2]) {
      word("fip", AT.FIP + half);
      word("fdp", AT.FDP + half);
    }
  }
  return problems;
}
