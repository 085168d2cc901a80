// 64-bit operations as operations on pairs of words.
//
// A pair is [low, high]. What has a known-zero or constant half becomes plain
// 32-bit work here; the rest becomes one two-word operation of the IR.

import { joined } from "./fold.js";
import type { CompareOp, IrFunction, Op, Value } from "./ir.js";
import type { Make } from "./simplify.js";

export type Pair = readonly [Value, Value];

/** What the pair operations need of the builder. */
export interface WideContext {
  readonly fn: IrFunction;
  readonly make: Make;
  /** Makes a value with a high word. */
  readonly makePair: (op: Op, args: Value[], symbol?: string) => Pair;
}

const COMPARES: Record<string, [CompareOp, boolean]> = {
  lt_s: ["lts64", false], lt_u: ["ltu64", false], ge_s: ["ges64", false], ge_u: ["geu64", false],
  gt_s: ["lts64", true], gt_u: ["ltu64", true], le_s: ["ges64", true], le_u: ["geu64", true],
};

const DIVISIONS: Record<string, string> = {
  div_s: "__divdi3", div_u: "__udivdi3", rem_s: "__moddi3", rem_u: "__umoddi3",
};

function constantPair(pair: Pair): bigint | undefined {
  return pair[0].op === "const" && pair[1].op === "const" ? joined(pair[0].imm, pair[1].imm) : undefined;
}

function pairOf(context: WideContext, value: bigint): Pair {
  return [
    context.fn.constant(Number(BigInt.asIntN(32, value))), context.fn.constant(Number(BigInt.asIntN(32, value >> 32n))),
  ];
}

function isZero(value: Value): boolean {
  return value.op === "const" && value.imm === 0;
}

function addOrSubtract(context: WideContext, op: "add" | "sub", a: Pair, b: Pair): Pair {
  const [x, y] = [constantPair(a), constantPair(b)];
  if (x !== undefined && y !== undefined) return pairOf(context, op === "add" ? x + y : x - y);
  if (isZero(b[0])) return [a[0], context.make(op, [a[1], b[1]])];
  if (op === "add" && isZero(a[0])) return [b[0], context.make(op, [a[1], b[1]])];
  const [left, right] = op === "add" && x !== undefined ? [b, a] : [a, b];
  return context.makePair(op === "add" ? "add64" : "sub64", [left[0], left[1], right[0], right[1]]);
}

function multiply(context: WideContext, a: Pair, b: Pair): Pair {
  const { make } = context;
  const [x, y] = [constantPair(a), constantPair(b)];
  if (x !== undefined && y !== undefined) return pairOf(context, x * y);
  if (x !== undefined) return multiply(context, b, a);
  if (y === 0n) return pairOf(context, 0n);
  if (y !== undefined && y > 0n && (y & (y - 1n)) === 0n) return shiftLeft(context, a, y.toString(2).length - 1);
  const [low, carry] = context.makePair("umul64", [a[0], b[0]]);
  const crossed = make("add", [make("mul", [a[0], b[1]]), make("mul", [a[1], b[0]])]);
  return [low, make("add", [carry, crossed])];
}

function shiftLeft(context: WideContext, a: Pair, count: number): Pair {
  const { fn, make } = context;
  if (count === 0) return a;
  if (count >= 32) return [fn.constant(0), make("shl", [a[0], fn.constant(count - 32)])];
  return [make("shl", [a[0], fn.constant(count)]), make("shld", [a[1], a[0]], count)];
}

function shiftRight(context: WideContext, op: "shrs" | "shru", a: Pair, count: number): Pair {
  const { fn, make } = context;
  if (count === 0) return a;
  const fill = op === "shrs" ? make("shrs", [a[1], fn.constant(31)]) : fn.constant(0);
  if (count >= 32) return [make(op, [a[1], fn.constant(count - 32)]), fill];
  return [make("shrd", [a[0], a[1]], count), make(op, [a[1], fn.constant(count)])];
}

function shift(context: WideContext, op: "shl" | "shrs" | "shru", a: Pair, count: Value): Pair {
  if (count.op === "const") {
    const k = count.imm & 63;
    return op === "shl" ? shiftLeft(context, a, k) : shiftRight(context, op, a, k);
  }
  return context.makePair(`${op}64`, [a[0], a[1], count]);
}

function rotate(context: WideContext, a: Pair, count: Value, left: boolean): Pair {
  const { fn, make } = context;
  const back = make("sub", [fn.constant(0), count]);
  const up = shift(context, "shl", a, left ? count : back);
  const down = shift(context, "shru", a, left ? back : count);
  return [make("or", [up[0], down[0]]), make("or", [up[1], down[1]])];
}

/** Division by a constant power of two, unsigned. */
function divideByPower(context: WideContext, op: string, a: Pair, b: Pair): Pair | undefined {
  const divisor = constantPair(b);
  if (divisor === undefined || op === "div_s" || op === "rem_s") return undefined;
  const unsigned = BigInt.asUintN(64, divisor);
  if (unsigned === 0n || (unsigned & (unsigned - 1n)) !== 0n) return undefined;
  if (op === "div_u") return shiftRight(context, "shru", a, unsigned.toString(2).length - 1);
  const mask = pairOf(context, unsigned - 1n);
  return [context.make("and", [a[0], mask[0]]), context.make("and", [a[1], mask[1]])];
}

/** 0 when both words are equal; as a word to be compared with 0. */
function difference(context: WideContext, a: Pair, b: Pair): Value {
  const { make } = context;
  if (a[1] === b[1]) return make("xor", [a[0], b[0]]);
  return make("or", [make("xor", [a[0], b[0]]), make("xor", [a[1], b[1]])]);
}

/** i64.eq, i64.lt_s and so on: 0 or 1. */
export function compareWide(context: WideContext, name: string, a: Pair, b: Pair): Value {
  const { fn, make } = context;
  if (name === "eq" || name === "ne") {
    if (a[1] === b[1]) return make(name, [a[0], b[0]]);
    return make(name, [difference(context, a, b), fn.constant(0)]);
  }
  const [op, swapped] = COMPARES[name];
  return make(op, swapped ? [...b, ...a] : [...a, ...b]);
}

/** clz, ctz, popcnt of a pair; the result is a pair. */
export function countWide(context: WideContext, name: string, a: Pair): Pair {
  const { fn, make } = context;
  const zero = fn.constant(0);
  if (name === "popcnt") return [make("add", [make("popcnt", [a[0]]), make("popcnt", [a[1]])]), zero];
  const [first, second] = name === "clz" ? [a[1], a[0]] : [a[0], a[1]];
  const op: Op = name === "clz" ? "clz" : "ctz";
  const beyond = make("add", [make(op, [second]), fn.constant(32)]);
  return [make("select", [first, make(op, [first]), beyond]), zero];
}

/** Sign extension of the low 8, 16 or 32 bits to a pair. */
export function extendWide(context: WideContext, name: string, low: Value): Pair {
  const { fn, make } = context;
  const word = name === "extend8_s" ? make("ext8s", [low]) : name === "extend16_s" ? make("ext16s", [low]) : low;
  return [word, make("shrs", [word, fn.constant(31)])];
}

/** The two-operand operations that give a pair: i64.add and so on, by the name after the dot. */
export function binaryWide(context: WideContext, name: string, a: Pair, b: Pair): Pair {
  const { make } = context;
  switch (name) {
    case "add": case "sub": return addOrSubtract(context, name, a, b);
    case "mul": return multiply(context, a, b);
    case "and": case "or": case "xor": return [make(name, [a[0], b[0]]), make(name, [a[1], b[1]])];
    case "shl": return shift(context, "shl", a, b[0]);
    case "shr_s": return shift(context, "shrs", a, b[0]);
    case "shr_u": return shift(context, "shru", a, b[0]);
    case "rotl": return rotate(context, a, b[0], true);
    case "rotr": return rotate(context, a, b[0], false);
    default:
      return divideByPower(context, name, a, b)
        ?? context.makePair("call", [a[0], a[1], b[0], b[1]], DIVISIONS[name]);
  }
}
