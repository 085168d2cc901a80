// Rounding. Every result is computed as an exact or "jammed" integer times a
// power of two (jammed: the lowest bit is set when anything below was lost,
// with at least two bits to spare), and rounded once, here.
//
// Tininess is found after rounding, as the x87 finds it: a result is tiny when
// it lies below the smallest normal number after rounding with an unbounded
// exponent. Masked underflow needs a loss of accuracy, too.
import {
  CLASS, EXP_BIAS, EXP_MAX, INDEFINITE, MASK64, bitLength, classOf, infinity, lowExponent,
} from "./float.js";
import type { Float, MemoryFormat } from "./float.js";

/** Exception bits of the status word; the control word masks them in the same places. */
export const EXCEPTION = { IE: 1, DE: 2, ZE: 4, OE: 8, UE: 0x10, PE: 0x20, SF: 0x40 } as const;

/** Rounding control. */
export const ROUND = { NEAREST: 0, DOWN: 1, UP: 2, CHOP: 3 } as const;

/** Exponent adjustment of unmasked overflow and underflow. */
const WRAP = 24576;

/** What one instruction rounds by, and what it has met so far. */
export interface Environment {
  /** Rounding control and bits of precision (24, 53, 64) of the control word. */
  mode: number;
  precision: number;
  /** Exception masks: a set bit is a masked exception. */
  masks: number;
  /** Exceptions met. */
  flags: number;
  /** The last rounding went away from zero: C1. */
  up: boolean;
  /** The operand in memory is denormal in its format, though not in the register. */
  denormalSource: boolean;
}

/** Records exceptions. True when one of them is unmasked. */
export function raise(environment: Environment, flags: number): boolean {
  environment.flags |= flags;
  return (flags & ~environment.masks & 0x3f) !== 0;
}

/** The result of an invalid operation: the indefinite, or null when it traps. */
export function invalid(environment: Environment): Float | null {
  return raise(environment, EXCEPTION.IE) ? null : INDEFINITE;
}

export interface Rounded {
  readonly value: bigint;
  readonly inexact: boolean;
  readonly up: boolean;
}

/** sig / 2^shift rounded to an integer; a negative shift is exact. */
export function roundShift(mode: number, sign: number, sig: bigint, shift: number): Rounded {
  if (shift <= 0) return { value: sig << BigInt(-shift), inexact: false, up: false };
  const amount = BigInt(shift);
  const value = sig >> amount;
  const rest = sig - (value << amount);
  if (rest === 0n) return { value, inexact: false, up: false };
  const half = 1n << (amount - 1n);
  let up: boolean;
  switch (mode) {
    case ROUND.NEAREST: up = rest > half || (rest === half && (value & 1n) !== 0n); break;
    case ROUND.DOWN: up = sign !== 0; break;
    case ROUND.UP: up = sign === 0; break;
    default: up = false;
  }
  return { value: up ? value + 1n : value, inexact: true, up };
}

/** A rounded magnitude in any format: significand of `precision` bits times 2^low. */
interface Fitted {
  readonly value: bigint;
  readonly low: number;
}

interface Limits {
  readonly precision: number;
  /** Unbiased exponents of the smallest normal and the largest finite number. */
  readonly least: number;
  readonly most: number;
}

function note(environment: Environment, { inexact, up }: Rounded): void {
  if (inexact) environment.flags |= EXCEPTION.PE;
  environment.up = up;
}

/** Rounds to `precision` bits with an unbounded exponent. */
function roundFree(environment: Environment, sign: number, sig: bigint, low: number, precision: number): {
  readonly rounded: Rounded;
  readonly low: number;
  readonly exponent: number;
} {
  const length = bitLength(sig);
  const shift = length - precision;
  const rounded = roundShift(environment.mode, sign, sig, shift);
  const carried = rounded.up && bitLength(rounded.value) > precision;
  return { rounded, low: low + shift, exponent: low + length - 1 + (carried ? 1 : 0) };
}

/** True when overflow in this direction ends at infinity and not at the largest number. */
function overflowsToInfinity(mode: number, sign: number): boolean {
  return mode === ROUND.NEAREST || (mode === ROUND.UP && sign === 0) || (mode === ROUND.DOWN && sign !== 0);
}

/**
 * Rounds into limits. `trap` says which of the exceptions overflow, underflow
 * (EXCEPTION bits) are unmasked: they give "over" or "under", with flags set
 * for OE and UE alone. A masked overflow gives "infinity" or "largest".
 */
function fit(
  environment: Environment, sign: number, sig: bigint, low: number, limits: Limits,
): Fitted | "over" | "under" | "infinity" | "largest" {
  const { precision, least, most } = limits;
  const free = roundFree(environment, sign, sig, low, precision);
  if (free.exponent > most) {
    if (raise(environment, EXCEPTION.OE)) return "over";
    environment.flags |= EXCEPTION.PE;
    const away = overflowsToInfinity(environment.mode, sign);
    environment.up = away;
    return away ? "infinity" : "largest";
  }
  if (free.exponent >= least) {
    note(environment, free.rounded);
    return { value: free.rounded.value, low: free.low };
  }
  if ((environment.masks & EXCEPTION.UE) === 0) {
    environment.flags |= EXCEPTION.UE;
    return "under";
  }
  const quantum = least - precision + 1;
  const rounded = roundShift(environment.mode, sign, sig, quantum - low);
  if (rounded.inexact) environment.flags |= EXCEPTION.UE;
  note(environment, rounded);
  return { value: rounded.value, low: quantum };
}

/** A fitted magnitude as a register value; its exponent is in range. */
function pack(sign: number, value: bigint, low: number): Float {
  if (value === 0n) return { sign, exp: 0, sig: 0n };
  const shift = 64 - bitLength(value);
  const exp = low - shift + 63 + EXP_BIAS;
  if (exp > 0) return { sign, exp, sig: value << BigInt(shift) };
  return { sign, exp: 0, sig: value << BigInt(low + EXP_BIAS + 62) };
}

/**
 * Rounds sign, sig * 2^low (sig > 0) to a register value. Unmasked overflow and
 * underflow give the result with its exponent wrapped, and then infinity or
 * zero where even that does not fit.
 */
export function roundRegister(
  environment: Environment, sign: number, sig: bigint, low: number, precision = environment.precision,
): Float {
  const fitted = fit(environment, sign, sig, low, { precision, least: 1 - EXP_BIAS, most: EXP_MAX - 1 - EXP_BIAS });
  if (typeof fitted === "object") return pack(sign, fitted.value, fitted.low);
  if (fitted === "infinity") return infinity(sign);
  if (fitted === "largest") {
    const sigMax = MASK64 ^ ((1n << BigInt(64 - precision)) - 1n);
    return { sign, exp: EXP_MAX - 1, sig: sigMax };
  }
  const free = roundFree(environment, sign, sig, low, precision);
  note(environment, free.rounded);
  const wrapped = free.low + (fitted === "over" ? -WRAP : WRAP);
  const exponent = free.exponent + (fitted === "over" ? -WRAP : WRAP) + EXP_BIAS;
  if (exponent >= EXP_MAX || exponent <= 0) {
    environment.flags |= EXCEPTION.PE;
    environment.up = exponent > 0;
    return exponent > 0 ? infinity(sign) : { sign, exp: 0, sig: 0n };
  }
  return pack(sign, free.rounded.value, wrapped);
}

/** The bits of a real of memory. Null: an unmasked exception keeps it from being stored. */
export function narrow(environment: Environment, value: Float, format: MemoryFormat): bigint | null {
  const { bytes, precision, bias } = format;
  const fractionBits = BigInt(precision - 1);
  const signBit = BigInt(value.sign) << BigInt(bytes * 8 - 1);
  const top = BigInt(2 * bias + 1) << fractionBits;
  const kind = classOf(value);
  switch (kind) {
    case CLASS.ZERO: return signBit;
    case CLASS.INFINITY: return signBit | top;
    case CLASS.UNSUPPORTED: {
      const answer = invalid(environment);
      return answer === null ? null : narrow(environment, answer, format);
    }
    case CLASS.SNAN:
      if (raise(environment, EXCEPTION.IE)) return null;
      break;
    default:
  }
  const fractionMask = (1n << fractionBits) - 1n;
  if (kind >= CLASS.QNAN) {
    return signBit | top | (1n << (fractionBits - 1n)) | ((value.sig >> BigInt(64 - precision)) & fractionMask);
  }
  const limits = { precision, least: 1 - bias, most: bias };
  const fitted = fit(environment, value.sign, value.sig, lowExponent(value), limits);
  if (fitted === "infinity") return signBit | top;
  if (fitted === "largest") return signBit | (top - 1n);
  if (fitted === "over" || fitted === "under") return null;
  const shift = precision - bitLength(fitted.value);
  const exponent = fitted.low - shift + precision - 1 + bias;
  if (fitted.value === 0n) return signBit;
  // A denormal result has the quantum of the format, so its value is the fraction.
  if (exponent <= 0) return signBit | fitted.value;
  return signBit | (BigInt(exponent) << fractionBits) | ((fitted.value << BigInt(shift)) & fractionMask);
}

/**
 * A value as a signed integer within `limit` (exclusive for positive values;
 * -limit itself is admitted where `twos`). Null: not stored; undefined: the
 * integer indefinite is to be stored.
 */
export function toInteger(
  environment: Environment, value: Float, limit: bigint, twos: boolean,
): bigint | null | undefined {
  const kind = classOf(value);
  const finite = kind <= CLASS.NORMAL;
  // No integer format has more than 64 bits.
  if (finite && value.exp <= EXP_BIAS + 64) {
    const shift = Math.min(-lowExponent(value), 130);
    const rounded = roundShift(environment.mode, value.sign, value.sig, shift);
    const fits = rounded.value < limit || (twos && value.sign !== 0 && rounded.value === limit);
    if (fits) {
      note(environment, rounded);
      return value.sign !== 0 ? -rounded.value : rounded.value;
    }
  }
  return raise(environment, EXCEPTION.IE) ? null : undefined;
}

/** FRNDINT of a finite value that is not zero. */
export function roundInPlace(environment: Environment, value: Float): Float {
  const low = lowExponent(value);
  if (low >= 0) return value;
  const rounded = roundShift(environment.mode, value.sign, value.sig, Math.min(-low, 130));
  note(environment, rounded);
  return pack(value.sign, rounded.value, 0);
}
