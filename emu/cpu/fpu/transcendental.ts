// The transcendental instructions: their special cases as the SDM tables them,
// and the rounding of what functions.ts computes.
import { denormal, nanResult, nanResult1 } from "./arithmetic.js";
import type { Result } from "./arithmetic.js";
import { CLASS, EXP_BIAS, INTEGER_BIT, ONE, classOf, infinity, zero } from "./float.js";
import type { Float } from "./float.js";
import { angleOf, cosine, eighthTurns, powerMinus1, sine, tangent, yLog2, yLog2Plus1 } from "./functions.js";
import type { Approximation } from "./functions.js";
import { EXCEPTION, invalid, raise, roundRegister } from "./round.js";
import type { Environment } from "./round.js";

function rounded(environment: Environment, { sign, sig, low }: Approximation): Float {
  return roundRegister(environment, sign, sig, low, 64);
}

/** F2XM1. Beyond -1..1 the manual leaves the result undefined: here the argument stays. */
export function f2xm1(environment: Environment, x: Float): Result {
  const nan = nanResult1(environment, x);
  if (nan !== undefined) return nan;
  const kind = classOf(x);
  if (kind === CLASS.ZERO) return x;
  if (kind === CLASS.INFINITY) return x.sign !== 0 ? { ...ONE, sign: 1 } : x;
  if (denormal(environment, x)) return null;
  if (x.exp > EXP_BIAS || (x.exp === EXP_BIAS && x.sig !== INTEGER_BIT)) return x;
  if (x.exp === EXP_BIAS) return x.sign !== 0 ? { sign: 1, exp: EXP_BIAS - 1, sig: INTEGER_BIT } : x;
  return rounded(environment, powerMinus1(x));
}

/** y * log(x), or of 1 + x, where y or the logarithm is zero or infinite; undefined where neither is. */
function logarithmEdge(
  environment: Environment, y: Float, logSign: number, logKind: number,
): Result | undefined {
  const kindY = classOf(y);
  const isZero = kindY === CLASS.ZERO || logKind === CLASS.ZERO;
  const isInfinite = kindY === CLASS.INFINITY || logKind === CLASS.INFINITY;
  if (isZero && isInfinite) return invalid(environment);
  if (isInfinite) return infinity(y.sign ^ logSign);
  if (isZero) return zero(y.sign ^ logSign);
  return undefined;
}

/** FYL2X: y * log2(x). */
export function fyl2x(environment: Environment, y: Float, x: Float): Result {
  const nan = nanResult(environment, y, x);
  if (nan !== undefined) return nan;
  const kindX = classOf(x);
  const kindY = classOf(y);
  if (kindX === CLASS.ZERO) {
    if (kindY === CLASS.ZERO) return invalid(environment);
    if (kindY === CLASS.INFINITY) return infinity(y.sign ^ 1);
    return raise(environment, EXCEPTION.ZE) ? null : infinity(y.sign ^ 1);
  }
  if (x.sign !== 0) return invalid(environment);
  const isOne = x.exp === EXP_BIAS && x.sig === INTEGER_BIT;
  const logKind = isOne ? CLASS.ZERO : kindX === CLASS.INFINITY ? CLASS.INFINITY : CLASS.NORMAL;
  const edge = logarithmEdge(environment, y, x.exp < EXP_BIAS ? 1 : 0, logKind);
  if (edge === null || (environment.flags & EXCEPTION.IE) !== 0) return edge ?? null;
  if (denormal(environment, x, y)) return null;
  if (edge !== undefined) return edge;
  // Also where x is a power of two and the product exact.
  environment.flags |= EXCEPTION.PE;
  return rounded(environment, yLog2(y, x));
}

/** FYL2XP1: y * log2(x + 1). At and below -1 the manual leaves the result undefined: here it is invalid. */
export function fyl2xp1(environment: Environment, y: Float, x: Float): Result {
  const nan = nanResult(environment, y, x);
  if (nan !== undefined) return nan;
  const kindX = classOf(x);
  if (x.sign !== 0 && x.exp >= EXP_BIAS && kindX !== CLASS.ZERO) return invalid(environment);
  const edge = logarithmEdge(environment, y, x.sign, kindX);
  if (edge === null || (environment.flags & EXCEPTION.IE) !== 0) return edge ?? null;
  if (denormal(environment, x, y)) return null;
  return edge ?? rounded(environment, yLog2Plus1(y, x));
}

/** FPATAN: the angle of the point (x, y). */
export function fpatan(environment: Environment, y: Float, x: Float): Result {
  const nan = nanResult(environment, y, x);
  if (nan !== undefined) return nan;
  if (denormal(environment, y, x)) return null;
  const kindY = classOf(y);
  const kindX = classOf(x);
  const turns = (count: number): Float => rounded(environment, eighthTurns(y.sign, count));
  if (kindY === CLASS.INFINITY) return turns(kindX === CLASS.INFINITY ? (x.sign !== 0 ? 3 : 1) : 2);
  if (kindX === CLASS.INFINITY || kindY === CLASS.ZERO) return x.sign !== 0 ? turns(4) : zero(y.sign);
  if (kindX === CLASS.ZERO) return turns(2);
  return rounded(environment, angleOf(y, x));
}

/** What FSIN, FCOS, FPTAN share: "out of range" sets C2. */
export type Trigonometric = Result | "out of range";

function trigonometric(
  environment: Environment, x: Float, atZero: (x: Float) => Float, f: (x: Float) => Approximation,
): Trigonometric {
  const nan = nanResult1(environment, x);
  if (nan !== undefined) return nan;
  const kind = classOf(x);
  if (kind === CLASS.INFINITY) return invalid(environment);
  if (kind === CLASS.ZERO) return atZero(x);
  if (x.exp >= EXP_BIAS + 63) return "out of range";
  if (denormal(environment, x)) return null;
  return rounded(environment, f(x));
}

export function fsin(environment: Environment, x: Float): Trigonometric {
  return trigonometric(environment, x, (same) => same, sine);
}

export function fcos(environment: Environment, x: Float): Trigonometric {
  return trigonometric(environment, x, () => ONE, cosine);
}

export function fptan(environment: Environment, x: Float): Trigonometric {
  return trigonometric(environment, x, (same) => same, tangent);
}
