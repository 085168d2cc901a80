// Algebraic simplification, applied to every value at the moment it is made.
//
// Each rule looks at one operation and its arguments and gives back an older
// value, or a simpler operation. Nothing here touches memory: loads are never
// merged, moved or dropped.

import { NEGATED, SWAPPED, foldConstants, isCompare, powerOfTwo } from "./fold.js";
import type { IrFunction, Op, Value } from "./ir.js";

/** Makes a value in the current block after simplifying it. */
export type Make = (op: Op, args: Value[], imm?: number) => Value;

const COMMUTATIVE = new Set<Op>(["add", "mul", "and", "or", "xor", "eq", "ne"]);

function isConstant(value: Value, word?: number): boolean {
  return value.op === "const" && (word === undefined || value.imm === word);
}

/** True when the value is known to be 0 or 1. */
function isBoolean(value: Value): boolean {
  return (possibleBits(value) & ~1) === 0;
}

/** A mask that has every bit that the value can have set. */
function possibleBits(value: Value): number {
  if (value.op === "const") return value.imm;
  if (isCompare(value.op)) return 1;
  if (value.op === "load8u") return 0xff;
  if (value.op === "load16u") return 0xffff;
  if (value.op === "and" && value.args[1].op === "const") return value.args[1].imm;
  if (value.op === "shru" && value.args[1].op === "const") return -1 >>> (value.args[1].imm & 31);
  return -1;
}

function simplifyAdd(fn: IrFunction, a: Value, b: Value, make: Make): Value | undefined {
  if (b.op !== "const") return undefined;
  if (b.imm === 0) return a;
  if (a.op === "add" && a.args[1].op === "const") return make("add", [a.args[0], fn.constant(a.args[1].imm + b.imm)]);
  if (a.op === "address") return fn.address(a.symbol, (a.imm + b.imm) | 0);
  return undefined;
}

function simplifyAnd(fn: IrFunction, a: Value, b: Value, make: Make): Value | undefined {
  if (a === b) return a;
  if (b.op !== "const") return undefined;
  if (b.imm === 0) return b;
  if ((possibleBits(a) & ~b.imm) === 0) return a;
  if (a.op === "and" && a.args[1].op === "const") return make("and", [a.args[0], fn.constant(a.args[1].imm & b.imm)]);
  if ((a.op === "ext8s" && (b.imm & ~0xff) === 0) || (a.op === "ext16s" && (b.imm & ~0xffff) === 0)) {
    return make("and", [a.args[0], b]);
  }
  return undefined;
}

function simplifyOrXor(fn: IrFunction, op: Op, a: Value, b: Value): Value | undefined {
  if (a === b) return op === "or" ? a : fn.constant(0);
  if (isConstant(b, 0)) return a;
  if (op === "or" && isConstant(b, -1)) return b;
  return undefined;
}

function simplifyMul(fn: IrFunction, a: Value, b: Value, make: Make): Value | undefined {
  if (b.op !== "const") return undefined;
  if (b.imm === 0) return b;
  if (b.imm === 1) return a;
  const shift = powerOfTwo(b.imm);
  return shift > 0 ? make("shl", [a, fn.constant(shift)]) : undefined;
}

function simplifyShift(fn: IrFunction, op: Op, a: Value, count: Value, make: Make): Value | undefined {
  if (count.op === "and" && count.args[1].op === "const" && (count.args[1].imm & 31) === 31) {
    return make(op, [a, count.args[0]]);
  }
  if (count.op !== "const") return isConstant(a, 0) ? a : undefined;
  const k = count.imm & 31;
  if (k === 0) return a;
  if (k !== count.imm) return make(op, [a, fn.constant(k)]);
  const inner = a.args[1];
  if (a.op === "shl" && inner.op === "const") {
    if (op === "shl") return inner.imm + k > 31 ? fn.constant(0) : make("shl", [a.args[0], fn.constant(inner.imm + k)]);
    if (op === "shru" && inner.imm === k) return make("and", [a.args[0], fn.constant(-1 >>> k)]);
    if (op === "shrs" && inner.imm === k && (k === 24 || k === 16)) {
      return make(k === 24 ? "ext8s" : "ext16s", [a.args[0]]);
    }
  }
  if (a.op === "shru" && op === "shru" && inner.op === "const") {
    return inner.imm + k > 31 ? fn.constant(0) : make("shru", [a.args[0], fn.constant(inner.imm + k)]);
  }
  return undefined;
}

/** Unsigned and signed division by powers of two become shifts. */
function simplifyDivision(fn: IrFunction, op: Op, a: Value, b: Value, make: Make): Value | undefined {
  if (b.op !== "const") return undefined;
  const shift = powerOfTwo(b.imm);
  if (op === "divu") return shift >= 0 ? make("shru", [a, fn.constant(shift)]) : undefined;
  if (op === "remu") return shift >= 0 ? make("and", [a, fn.constant(b.imm - 1)]) : undefined;
  if (op === "rems" && (b.imm === 1 || b.imm === -1)) return fn.constant(0);
  if (op === "divs" && b.imm === 1) return a;
  if (shift < 1 || shift > 30) return undefined;
  const bias = make("shru", [make("shrs", [a, fn.constant(31)]), fn.constant(32 - shift)]);
  const biased = make("add", [a, bias]);
  if (op === "divs") return make("shrs", [biased, fn.constant(shift)]);
  return make("sub", [a, make("and", [biased, fn.constant(-b.imm)])]);
}

function simplifyCompare(fn: IrFunction, op: Op, args: Value[], make: Make): Value | undefined {
  const [a, b] = args;
  if (args.length === 4) return simplifyCompare64(fn, op, args, make);
  if (a === b) return fn.constant(Number(op === "eq" || op === "les" || op === "leu" || op === "ges" || op === "geu"));
  if (a.op === "const") return make(SWAPPED[op]!, [b, a]);
  if (b.op !== "const") return undefined;
  if (b.imm === 0) {
    if (op === "eq" && isCompare(a.op)) return make(NEGATED[a.op], a.args);
    if (op === "ne" && isBoolean(a)) return a;
    if (op === "ltu") return fn.constant(0);
    if (op === "geu") return fn.constant(1);
    if (op === "gtu") return make("ne", args);
    if (op === "leu") return make("eq", args);
  }
  if (b.imm === 1 && (op === "ltu" || op === "geu")) return make(op === "ltu" ? "eq" : "ne", [a, fn.constant(0)]);
  if ((op === "eq" || op === "ne") && (b.imm & ~possibleBits(a)) !== 0) return fn.constant(Number(op === "ne"));
  return undefined;
}

function simplifyCompare64(fn: IrFunction, op: Op, args: Value[], make: Make): Value | undefined {
  const [aLow, aHigh, bLow, bHigh] = args;
  const narrow = (op.startsWith("lt") ? "lt" : "ge") as "lt" | "ge";
  if (aHigh === bHigh) return make(`${narrow}u`, [aLow, bLow]);
  const signed = op === "lts64" || op === "ges64";
  if (isConstant(bLow, 0)) return make(signed ? `${narrow}s` : `${narrow}u`, [aHigh, bHigh]);
  return undefined;
}

function simplifyDoubleShift(fn: IrFunction, op: Op, args: Value[], count: number, make: Make): Value | undefined {
  const [into, from] = args;
  const [direct, other]: [Op, Op] = op === "shld" ? ["shl", "shru"] : ["shru", "shl"];
  if (count === 0) return into;
  if (isConstant(from, 0)) return make(direct, [into, fn.constant(count)]);
  if (isConstant(into, 0)) return make(other, [from, fn.constant(32 - count)]);
  return undefined;
}

function simplifySelect(fn: IrFunction, args: Value[], make: Make): Value | undefined {
  const [condition, yes, no] = args;
  if (condition.op === "const") return condition.imm !== 0 ? yes : no;
  if (yes === no) return yes;
  if (isConstant(yes, 1) && isConstant(no, 0)) return make("ne", [condition, fn.constant(0)]);
  if (condition.op === "eq" && isConstant(condition.args[1], 0)) return make("select", [condition.args[0], no, yes]);
  return undefined;
}

/**
 * The value that `op(args)` simplifies to, or undefined when it must be made
 * as it stands. `args` may be reordered in place for a commutative operation.
 */
export function simplify(fn: IrFunction, op: Op, args: Value[], imm: number, make: Make): Value | undefined {
  if (args.length > 0 && args.every((arg) => arg.op === "const")) {
    const folded = foldConstants(op, args.map((arg) => arg.imm));
    if (folded !== undefined) return fn.constant(folded);
  }
  if (COMMUTATIVE.has(op) && args[0].op === "const" && args[1].op !== "const") args.reverse();
  const [a, b] = args;
  switch (op) {
    case "add": return simplifyAdd(fn, a, b, make);
    case "sub":
      if (a === b) return fn.constant(0);
      return b.op === "const" ? make("add", [a, fn.constant(-b.imm)]) : undefined;
    case "and": return simplifyAnd(fn, a, b, make);
    case "or": case "xor": return simplifyOrXor(fn, op, a, b);
    case "mul": return simplifyMul(fn, a, b, make);
    case "shl": case "shrs": case "shru": return simplifyShift(fn, op, a, b, make);
    case "rotl": case "rotr": return isConstant(b) && (b.imm & 31) === 0 ? a : undefined;
    case "divs": case "divu": case "rems": case "remu": return simplifyDivision(fn, op, a, b, make);
    case "select": return simplifySelect(fn, args, make);
    case "shld": case "shrd": return simplifyDoubleShift(fn, op, args, imm, make);
    case "ext8s":
      if (a.op === "load8s" || a.op === "ext8s") return a;
      return a.op === "and" && isConstant(a.args[1], 0xff) ? make("ext8s", [a.args[0]]) : undefined;
    case "ext16s":
      if (a.op === "load16s" || a.op === "ext16s" || a.op === "load8s" || a.op === "load8u") return a;
      return a.op === "and" && isConstant(a.args[1], 0xffff) ? make("ext16s", [a.args[0]]) : undefined;
    case "popcnt": return expandPopulationCount(fn, a, make);
    default: return isCompare(op) ? simplifyCompare(fn, op, args, make) : undefined;
  }
}

/** The i386 has no popcnt: the classic sums in ever wider fields. */
function expandPopulationCount(fn: IrFunction, x: Value, make: Make): Value {
  const masked = (value: Value, shift: number, mask: number): Value =>
    make("and", [shift === 0 ? value : make("shru", [value, fn.constant(shift)]), fn.constant(mask)]);
  const pairs = make("sub", [x, masked(x, 1, 0x55555555)]);
  const nibbles = make("add", [masked(pairs, 0, 0x33333333), masked(pairs, 2, 0x33333333)]);
  const bytes = masked(make("add", [nibbles, make("shru", [nibbles, fn.constant(4)])]), 0, 0x0f0f0f0f);
  return make("shru", [make("mul", [bytes, fn.constant(0x01010101)]), fn.constant(24)]);
}
