// The exact operations of the x87 on register values. Each takes the rounding
// environment and gives the result, or null when an unmasked exception found
// before the computation leaves the destination alone. Order of checks: formats
// that are none and NaNs, invalid combinations and division by zero, denormal
// operands, then the result's own exceptions.
import {
  CLASS, EXP_BIAS, EXP_MAX, QUIET_BIT, bitLength, classOf, fromInteger, infinity, isNaNClass, lowExponent,
  negate, zero,
} from "./float.js";
import type { Float } from "./float.js";
import { EXCEPTION, ROUND, invalid, raise, roundInPlace, roundRegister, roundShift } from "./round.js";
import type { Environment } from "./round.js";

/** A result, or null when an unmasked exception prevents it. */
export type Result = Float | null;

function quiet(value: Float): Float {
  return { ...value, sig: value.sig | QUIET_BIT };
}

/**
 * The result when an operand is no number; undefined when all are. Of two NaNs
 * a quiet one goes before a signaling one, then the larger significand counts,
 * then the positive sign.
 */
export function nanResult(environment: Environment, a: Float, b: Float): Result | undefined {
  const kindA = classOf(a);
  const kindB = classOf(b);
  if (!isNaNClass(kindA) && !isNaNClass(kindB)) return undefined;
  if (kindA === CLASS.UNSUPPORTED || kindB === CLASS.UNSUPPORTED) return invalid(environment);
  if ((kindA === CLASS.SNAN || kindB === CLASS.SNAN) && raise(environment, EXCEPTION.IE)) return null;
  if (!isNaNClass(kindA)) return quiet(b);
  if (!isNaNClass(kindB)) return quiet(a);
  if (kindA !== kindB) return kindA === CLASS.QNAN ? a : b;
  if (a.sig !== b.sig) return quiet(a.sig > b.sig ? a : b);
  return quiet(a.sign <= b.sign ? a : b);
}

/** The same for one operand. */
export function nanResult1(environment: Environment, a: Float): Result | undefined {
  const kind = classOf(a);
  if (kind === CLASS.UNSUPPORTED) return invalid(environment);
  if (kind === CLASS.SNAN) return raise(environment, EXCEPTION.IE) ? null : quiet(a);
  return kind === CLASS.QNAN ? a : undefined;
}

/** Notes denormal operands. True when that is unmasked. */
export function denormal(environment: Environment, a: Float, b: Float = a): boolean {
  const isDenormal = environment.denormalSource || classOf(a) === CLASS.DENORMAL || classOf(b) === CLASS.DENORMAL;
  return isDenormal && raise(environment, EXCEPTION.DE);
}

/** Sign of an exact zero that is the sum of values of different signs. */
function signOfZero({ mode }: Environment): number {
  return mode === ROUND.DOWN ? 1 : 0;
}

/** Farther apart than this, the smaller addend is but a sticky bit. */
const FAR = 140;

/** Signed sum of two finite values, jammed: its significand and low exponent. */
function exactSum(a: Float, b: Float): { readonly sum: bigint; readonly low: number } {
  const signed = ({ sign, sig }: Float): bigint => (sign !== 0 ? -sig : sig);
  const distance = lowExponent(a) - lowExponent(b);
  if (distance < 0) return exactSum(b, a);
  const sigA = signed(a);
  const sigB = signed(b);
  if (distance <= FAR || sigA === 0n) {
    return sigA === 0n ? { sum: sigB, low: lowExponent(b) }
      : { sum: (sigA << BigInt(distance)) + sigB, low: lowExponent(b) };
  }
  const sticky = sigB > 0n ? 1n : sigB < 0n ? -1n : 0n;
  return { sum: (sigA << BigInt(FAR)) + sticky, low: lowExponent(a) - FAR };
}

/** a + b. */
export function add(environment: Environment, a: Float, b: Float): Result {
  const nan = nanResult(environment, a, b);
  if (nan !== undefined) return nan;
  const infiniteA = a.exp === EXP_MAX;
  const infiniteB = b.exp === EXP_MAX;
  if (infiniteA && infiniteB && a.sign !== b.sign) return invalid(environment);
  if (denormal(environment, a, b)) return null;
  if (infiniteA) return a;
  if (infiniteB) return b;
  const { sum, low } = exactSum(a, b);
  if (sum !== 0n) return sum < 0n ? roundRegister(environment, 1, -sum, low) : roundRegister(environment, 0, sum, low);
  return zero(a.sign === b.sign && a.sig === 0n && b.sig === 0n ? a.sign : signOfZero(environment));
}

/** a - b. A NaN keeps its sign. */
export function subtract(environment: Environment, a: Float, b: Float): Result {
  return nanResult(environment, a, b) ?? add(environment, a, isNaNClass(classOf(b)) ? b : negate(b));
}

/** a * b. */
export function multiply(environment: Environment, a: Float, b: Float): Result {
  const nan = nanResult(environment, a, b);
  if (nan !== undefined) return nan;
  const sign = a.sign ^ b.sign;
  const kindA = classOf(a);
  const kindB = classOf(b);
  const isInfinite = kindA === CLASS.INFINITY || kindB === CLASS.INFINITY;
  const isZero = kindA === CLASS.ZERO || kindB === CLASS.ZERO;
  if (isInfinite && isZero) return invalid(environment);
  if (denormal(environment, a, b)) return null;
  if (isInfinite) return infinity(sign);
  if (isZero) return zero(sign);
  return roundRegister(environment, sign, a.sig * b.sig, lowExponent(a) + lowExponent(b));
}

/** Bits added to a dividend: a quotient then has at least 128. */
const QUOTIENT_BITS = 192;

/** a / b. */
export function divide(environment: Environment, a: Float, b: Float): Result {
  const nan = nanResult(environment, a, b);
  if (nan !== undefined) return nan;
  const sign = a.sign ^ b.sign;
  const kindA = classOf(a);
  const kindB = classOf(b);
  if (kindA === kindB && (kindA === CLASS.INFINITY || kindA === CLASS.ZERO)) return invalid(environment);
  if (kindB === CLASS.ZERO && kindA !== CLASS.INFINITY) {
    return raise(environment, EXCEPTION.ZE) ? null : infinity(sign);
  }
  if (denormal(environment, a, b)) return null;
  if (kindA === CLASS.INFINITY) return infinity(sign);
  if (kindA === CLASS.ZERO || kindB === CLASS.INFINITY) return zero(sign);
  const dividend = a.sig << BigInt(QUOTIENT_BITS);
  const quotient = dividend / b.sig;
  const jammed = quotient * b.sig === dividend ? quotient : quotient | 1n;
  return roundRegister(environment, sign, jammed, lowExponent(a) - lowExponent(b) - QUOTIENT_BITS);
}

/** Largest integer whose square is not above n. */
export function integerRoot(n: bigint): bigint {
  let root = 1n << BigInt((bitLength(n) + 1) >>> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** FSQRT. */
export function squareRoot(environment: Environment, a: Float): Result {
  const nan = nanResult1(environment, a);
  if (nan !== undefined) return nan;
  if (classOf(a) === CLASS.ZERO) return a;
  if (a.sign !== 0) return invalid(environment);
  if (denormal(environment, a)) return null;
  if (a.exp === EXP_MAX) return a;
  const odd = lowExponent(a) & 1;
  const shift = 132 + odd + (bitLength(a.sig) < 64 ? 64 : 0);
  const low = lowExponent(a) - shift;
  const square = a.sig << BigInt(shift);
  const root = integerRoot(square);
  return roundRegister(environment, 0, root * root === square ? root : (root << 1n) | 1n,
    low / 2 - (root * root === square ? 0 : 1));
}

/** FRNDINT. */
export function roundValue(environment: Environment, a: Float): Result {
  const nan = nanResult1(environment, a);
  if (nan !== undefined) return nan;
  const kind = classOf(a);
  if (kind === CLASS.ZERO || kind === CLASS.INFINITY) return a;
  if (denormal(environment, a)) return null;
  return roundInPlace(environment, a);
}

/** FSCALE: a * 2^chop(b), rounded to full precision. */
export function scale(environment: Environment, a: Float, b: Float): Result {
  const nan = nanResult(environment, a, b);
  if (nan !== undefined) return nan;
  const kindA = classOf(a);
  const kindB = classOf(b);
  if (kindB === CLASS.INFINITY) {
    if (b.sign === 0 ? kindA === CLASS.ZERO : kindA === CLASS.INFINITY) return invalid(environment);
    if (denormal(environment, a)) return null;
    return b.sign === 0 ? infinity(a.sign) : zero(a.sign);
  }
  if (denormal(environment, a, b)) return null;
  if (kindA === CLASS.INFINITY || kindA === CLASS.ZERO) return a;
  return roundRegister(environment, a.sign, a.sig, lowExponent(a) + chopped(b), 64);
}

/** A finite value chopped to an integer; values beyond any exponent become 0x20000. */
function chopped(value: Float): number {
  if (value.exp < EXP_BIAS) return 0;
  const magnitude = value.exp >= EXP_BIAS + 17 ? 0x20000
    : Number(roundShift(ROUND.CHOP, 0, value.sig, -lowExponent(value)).value);
  return value.sign !== 0 ? -magnitude : magnitude;
}

/** FXTRACT: [exponent, significand], or null. */
export function extract(environment: Environment, a: Float): readonly [Float, Float] | null {
  const nan = nanResult1(environment, a);
  if (nan !== undefined) return nan === null ? null : [nan, nan];
  const kind = classOf(a);
  if (kind === CLASS.INFINITY) return [infinity(0), a];
  if (kind === CLASS.ZERO) return raise(environment, EXCEPTION.ZE) ? null : [infinity(1), a];
  if (denormal(environment, a)) return null;
  const shift = 64 - bitLength(a.sig);
  const exponent = fromInteger(BigInt(lowExponent(a) + 63 - shift));
  return [exponent, { sign: a.sign, exp: EXP_BIAS, sig: a.sig << BigInt(shift) }];
}

export interface Remainder {
  readonly value: Float;
  /** Lowest three bits of the quotient; -1 when there was none to form. */
  readonly quotient: number;
  /** False: only the exponent was reduced; C2. */
  readonly complete: boolean;
}

/** FPREM (`nearest` false) and FPREM1: the remainder of a / b, or null. */
export function remainder(environment: Environment, a: Float, b: Float, nearest: boolean): Remainder | null {
  const done = (value: Result): Remainder | null => (value === null ? null : { value, quotient: 0, complete: true });
  const without = (value: Result): Remainder | null =>
    (value === null ? null : { value, quotient: -1, complete: true });
  const nan = nanResult(environment, a, b);
  if (nan !== undefined) return without(nan);
  const kindA = classOf(a);
  const kindB = classOf(b);
  if (kindA === CLASS.INFINITY || kindB === CLASS.ZERO) return without(invalid(environment));
  if (denormal(environment, a, b)) return null;
  if (kindA === CLASS.ZERO) return done(a);
  if (kindB === CLASS.INFINITY) return done(kindA === CLASS.DENORMAL ? renormalised(environment, a) : a);
  const leading = (value: Float): number => lowExponent(value) + bitLength(value.sig);
  const distance = leading(a) - leading(b);
  if (distance >= 64) return partial(environment, a, b, distance);
  if (distance < -1) return done(renormalised(environment, a));
  const low = Math.min(lowExponent(a), lowExponent(b));
  const sigA = a.sig << BigInt(lowExponent(a) - low);
  const sigB = b.sig << BigInt(lowExponent(b) - low);
  let quotient = sigA / sigB;
  let rest = sigA - quotient * sigB;
  let { sign } = a;
  if (nearest && (rest * 2n > sigB || (rest * 2n === sigB && (quotient & 1n) !== 0n))) {
    quotient += 1n;
    rest = sigB - rest;
    sign ^= 1;
  }
  const value = rest === 0n ? zero(a.sign) : roundRegister(environment, sign, rest, low, 64);
  return { value, quotient: Number(quotient & 7n), complete: true };
}

/** The dividend itself as a result: it may be tiny. */
function renormalised(environment: Environment, a: Float): Float {
  return roundRegister(environment, a.sign, a.sig, lowExponent(a), 64);
}

/** Reduces the exponent by the 32 to 63 that the processor does at a time. */
function partial(environment: Environment, a: Float, b: Float, distance: number): Remainder {
  const step = (distance & 31) | 32;
  const shift = lowExponent(a) - lowExponent(b) - (distance - step);
  const divisor = b.sig;
  const dividend = shift >= 0 ? a.sig << BigInt(shift) : a.sig;
  const scaled = shift >= 0 ? divisor : divisor << BigInt(-shift);
  const rest = dividend % scaled;
  const low = lowExponent(b) + (distance - step) + (shift >= 0 ? 0 : shift);
  return {
    value: rest === 0n ? zero(a.sign) : roundRegister(environment, a.sign, rest, low, 64),
    quotient: 0,
    complete: false,
  };
}

/** -1, 0, 1 by the order of two values that are numbers. */
export function order(a: Float, b: Float): number {
  const zeroA = a.sig === 0n;
  const zeroB = b.sig === 0n;
  if (zeroA && zeroB) return 0;
  if (zeroA) return b.sign !== 0 ? 1 : -1;
  if (zeroB) return a.sign !== 0 ? -1 : 1;
  if (a.sign !== b.sign) return a.sign !== 0 ? -1 : 1;
  const direction = a.sign !== 0 ? -1 : 1;
  const expA = Math.max(a.exp, 1);
  const expB = Math.max(b.exp, 1);
  if (expA !== expB) return expA > expB ? direction : -direction;
  if (a.sig === b.sig) return 0;
  return a.sig > b.sig ? direction : -direction;
}
