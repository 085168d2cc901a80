// Arithmetic on constants: what each operation yields, by the rules of
// WebAssembly, which are those of 32-bit two's complement.

import type { CompareOp, Op } from "./ir.js";

/** The comparison that is true exactly when the other is false. */
export const NEGATED: Readonly<Record<CompareOp, CompareOp>> = {
  eq: "ne", ne: "eq", lts: "ges", ges: "lts", ltu: "geu", geu: "ltu", les: "gts", gts: "les", leu: "gtu", gtu: "leu",
  lts64: "ges64", ges64: "lts64", ltu64: "geu64", geu64: "ltu64",
};

/** The comparison of the swapped operands. */
export const SWAPPED: Readonly<Partial<Record<Op, CompareOp>>> = {
  eq: "eq", ne: "ne", lts: "gts", gts: "lts", ltu: "gtu", gtu: "ltu", les: "ges", ges: "les", leu: "geu", geu: "leu",
};

export function isCompare(op: Op): op is CompareOp {
  return op in NEGATED;
}

/** Count of one bits. */
export function populationCount(value: number): number {
  let count = 0;
  for (let rest = value >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** k when value is 2^k as an unsigned word, else -1. */
export function powerOfTwo(value: number): number {
  const word = value >>> 0;
  return word !== 0 && (word & (word - 1)) === 0 ? 31 - Math.clz32(word) : -1;
}

const BINARY: Partial<Record<Op, (a: number, b: number) => number | boolean | undefined>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => Math.imul(a, b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
  shrs: (a, b) => a >> b,
  shru: (a, b) => a >>> b,
  rotl: (a, b) => (a << b) | (a >>> (32 - (b & 31)) % 32) * Number((b & 31) !== 0),
  rotr: (a, b) => (a >>> b) | (a << (32 - (b & 31)) % 32) * Number((b & 31) !== 0),
  divs: (a, b) => (b === 0 || (a === -0x80000000 && b === -1) ? undefined : a / b),
  divu: (a, b) => (b === 0 ? undefined : Math.floor((a >>> 0) / (b >>> 0))),
  rems: (a, b) => (b === 0 ? undefined : a % b),
  remu: (a, b) => (b === 0 ? undefined : (a >>> 0) % (b >>> 0)),
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lts: (a, b) => a < b,
  les: (a, b) => a <= b,
  gts: (a, b) => a > b,
  ges: (a, b) => a >= b,
  ltu: (a, b) => a >>> 0 < b >>> 0,
  leu: (a, b) => a >>> 0 <= b >>> 0,
  gtu: (a, b) => a >>> 0 > b >>> 0,
  geu: (a, b) => a >>> 0 >= b >>> 0,
};

const UNARY: Partial<Record<Op, (a: number) => number>> = {
  clz: (a) => Math.clz32(a),
  ctz: (a) => (a === 0 ? 32 : 31 - Math.clz32(a & -a)),
  popcnt: populationCount,
  ext8s: (a) => (a << 24) >> 24,
  ext16s: (a) => (a << 16) >> 16,
};

/** The result of an operation on constants, or undefined when it traps or is not foldable. */
export function foldConstants(op: Op, args: readonly number[]): number | undefined {
  if (args.length === 2) {
    const result = BINARY[op]?.(args[0], args[1]);
    return result === undefined ? undefined : Number(result) | 0;
  }
  if (args.length === 1) {
    const result = UNARY[op]?.(args[0]);
    return result === undefined ? undefined : result | 0;
  }
  if (args.length === 4 && isCompare(op)) {
    const [a, b] = [joined(args[0], args[1]), joined(args[2], args[3])];
    const signed = op === "lts64" || op === "ges64";
    const less = signed ? a < b : BigInt.asUintN(64, a) < BigInt.asUintN(64, b);
    return Number(op === "lts64" || op === "ltu64" ? less : !less);
  }
  return undefined;
}

/** Two words as a signed 64-bit number. */
export function joined(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}
