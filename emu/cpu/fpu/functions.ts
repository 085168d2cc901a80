// The transcendental functions, by fixed-point arithmetic with FRACTION bits.
// Arguments so small that a fixed point would lose them take the first terms
// of the series. Results are good to far more than 64 bits before they are
// rounded, so they are within one unit in the last place of the register format
// (and correctly rounded but for rare cases).
//
// The approximations of Math give a first guess alone; one step with exact
// arithmetic corrects it to about 150 bits.
import { bitLength, lowExponent } from "./float.js";
import type { Float } from "./float.js";

const FRACTION = 224;
const F = BigInt(FRACTION);
const UNIT = 1n << F;

/** A magnitude times a power of two, inexact. */
export interface Approximation {
  readonly sign: number;
  readonly sig: bigint;
  readonly low: number;
}

const fixedMultiply = (a: bigint, b: bigint): bigint => (a * b) >> F;

/** Machin's formula with the fixed point. */
function inverseTangentOfInverse(n: bigint): bigint {
  let term = UNIT / n;
  let sum = 0n;
  for (let k = 1n; term !== 0n; k += 2n) {
    sum += (k & 2n) === 0n ? term / k : -(term / k);
    term /= n * n;
  }
  return sum;
}

/** 2 * atanh(1/3): the natural logarithm of two. */
function computeLn2(): bigint {
  let term = UNIT / 3n;
  let sum = 0n;
  for (let k = 1n; term !== 0n; k += 2n) {
    sum += term / k;
    term /= 9n;
  }
  return 2n * sum;
}

const PI = 4n * (4n * inverseTangentOfInverse(5n) - inverseTangentOfInverse(239n));
const LN2 = computeLn2();

/** ln(10), from ln(10) = 3 ln 2 + ln(1.25) and the series of atanh(1/9). */
function computeLn10(): bigint {
  let term = UNIT / 9n;
  let sum = 0n;
  for (let k = 1n; term !== 0n; k += 2n) {
    sum += term / k;
    term /= 81n;
  }
  return 3n * LN2 + 2n * sum;
}

const LN10 = computeLn10();
const quotient = (a: bigint, b: bigint): bigint => (a << F) / b;

/** The constants that FLDL2T, FLDL2E, FLDPI, FLDLG2 and FLDLN2 load, to be rounded. */
export const CONSTANTS: Readonly<Record<string, Approximation>> = {
  fldl2t: { sign: 0, sig: quotient(LN10, LN2), low: -FRACTION },
  fldl2e: { sign: 0, sig: quotient(UNIT, LN2), low: -FRACTION },
  fldpi: { sign: 0, sig: PI, low: -FRACTION },
  fldlg2: { sign: 0, sig: quotient(LN2, LN10), low: -FRACTION },
  fldln2: { sign: 0, sig: LN2, low: -FRACTION },
};

/** The 66-bit approximation of pi that the processor reduces arguments with: pi * 2^64, chopped. */
const REDUCTION_PI = PI >> (F - 64n);

/** Unbiased exponent of a finite value's leading bit. */
function leading(value: Float): number {
  return lowExponent(value) + bitLength(value.sig) - 1;
}

/** A value times 2^FRACTION, chopped; signed. */
function toFixed(value: Float): bigint {
  const shift = lowExponent(value) + FRACTION;
  const magnitude = shift >= 0 ? value.sig << BigInt(shift) : value.sig >> BigInt(-shift);
  return value.sign !== 0 ? -magnitude : magnitude;
}

function approximation(fixed: bigint, low = -FRACTION): Approximation {
  const magnitude = fixed < 0n ? -fixed : fixed;
  return { sign: fixed < 0n ? 1 : 0, sig: (magnitude << 1n) | 1n, low: low - 1 };
}

/** A value times a fixed-point factor near one or of moderate size. */
function timesFixed(value: Float, factor: bigint): Approximation {
  const sign = value.sign ^ (factor < 0n ? 1 : 0);
  const magnitude = factor < 0n ? -factor : factor;
  return { sign, sig: ((value.sig * magnitude) << 1n) | 1n, low: lowExponent(value) - FRACTION - 1 };
}

/** Below this exponent the fixed point is left for a series in the value itself. */
const SMALL = -68;

/** sin and cos of a fixed-point angle of moderate size. */
function sineCosine(angle: bigint): { readonly sine: bigint; readonly cosine: bigint } {
  let sine = 0n;
  let cosine = 0n;
  let term = UNIT;
  for (let k = 0n; term !== 0n && term !== -1n; k++) {
    if ((k & 1n) === 0n) cosine += (k & 2n) === 0n ? term : -term;
    else sine += (k & 2n) === 0n ? term : -term;
    term = fixedMultiply(term, angle) / (k + 1n);
  }
  return { sine, cosine };
}

/** e^x of a fixed-point argument between -2 and 2. */
function exponential(x: bigint): bigint {
  const small = x >> 8n;
  let sum = 0n;
  let term = UNIT;
  for (let k = 1n; term !== 0n && term !== -1n; k++) {
    sum += term;
    term = fixedMultiply(term, small) / k;
  }
  for (let i = 0; i < 8; i++) sum = fixedMultiply(sum, sum);
  return sum;
}

const fixedFromNumber = (value: number): bigint => BigInt(Math.trunc(value * 2 ** 60)) << (F - 60n);

/** ln of a fixed-point value in [1/2, 2]. */
function logarithm(value: bigint): bigint {
  const guess = fixedFromNumber(Math.log(Number(value >> (F - 60n)) / 2 ** 60));
  // value * e^-guess = 1 + d; ln(1 + d) by its series.
  const d = fixedMultiply(value, exponential(-guess)) - UNIT;
  let power = d;
  let sum = 0n;
  for (let k = 1n; k <= 6n; k++) {
    sum += (k & 1n) === 1n ? power / k : -(power / k);
    power = fixedMultiply(power, d);
  }
  return guess + sum;
}

/** log2 of a positive finite value, times y. The value is not one. */
export function yLog2(y: Float, x: Float): Approximation {
  const exponent = leading(x);
  const shift = FRACTION - bitLength(x.sig) + 1;
  let mantissa = x.sig << BigInt(shift);
  let whole = exponent;
  // Near one from below the logarithm keeps its accuracy with a mantissa just below one.
  if (mantissa > UNIT + (UNIT >> 1n)) {
    mantissa >>= 1n;
    whole++;
  }
  if (mantissa === UNIT) {
    const factor = BigInt(whole < 0 ? -whole : whole);
    return { sign: y.sign ^ (whole < 0 ? 1 : 0), sig: y.sig * factor, low: lowExponent(y) };
  }
  const fixed = BigInt(whole) * UNIT + ((logarithm(mantissa) << F) / LN2);
  return timesFixed(y, fixed);
}

/** y * log2(1 + x) for x above -1, not zero. */
export function yLog2Plus1(y: Float, x: Float): Approximation {
  if (leading(x) < SMALL) {
    // ln(1 + x) = x (1 - x/2 + ...)
    const factor = ((UNIT - toFixed(x) / 2n) << F) / LN2;
    const product = timesFixed(y, factor);
    return { sign: product.sign ^ x.sign, sig: (product.sig * x.sig) | 1n, low: product.low + lowExponent(x) };
  }
  const value = UNIT + toFixed(x);
  const exponent = bitLength(value) - FRACTION - 1;
  let whole = exponent;
  let mantissa = exponent >= 0 ? value >> BigInt(exponent) : value << BigInt(-exponent);
  if (mantissa > UNIT + (UNIT >> 1n)) {
    mantissa >>= 1n;
    whole++;
  }
  const logarithmFixed = BigInt(whole) * UNIT + ((logarithm(mantissa) << F) / LN2);
  return timesFixed(y, logarithmFixed);
}

/** 2^x - 1 for -1 <= x <= 1, not zero. */
export function powerMinus1(x: Float): Approximation {
  if (leading(x) < SMALL) {
    // (e^z - 1) = z (1 + z/2 + ...), z = x ln 2
    const z = fixedMultiply(toFixed(x), LN2);
    return timesFixed(x, fixedMultiply(LN2, UNIT + z / 2n));
  }
  return approximation(exponential(fixedMultiply(toFixed(x), LN2)) - UNIT);
}

/** An argument reduced by multiples of pi / 2. */
interface Reduced {
  /** Number of quarter turns, 0 to 3. */
  readonly quarter: number;
  readonly angle: bigint;
}

/** The angle of |value| < 2^63 in the first eighth turn, by the processor's pi. */
function reduce(value: Float): Reduced {
  const scaled = toFixed(value);
  const half = (REDUCTION_PI << (F - 64n)) >> 1n;
  const near = scaled + (half >> 1n);
  let turns = near / half;
  if (near < 0n && turns * half !== near) turns -= 1n;
  return { quarter: Number(((turns % 4n) + 4n) % 4n), angle: scaled - turns * half };
}

/** sin(x) of a finite value that is not zero, |x| < 2^63. */
export function sine(x: Float): Approximation {
  if (leading(x) < SMALL) return { sign: x.sign, sig: (x.sig << 70n) - 1n, low: lowExponent(x) - 70 };
  const { quarter, angle } = reduce(x);
  const parts = sineCosine(angle);
  return approximation([parts.sine, parts.cosine, -parts.sine, -parts.cosine][quarter]);
}

/** cos(x), likewise. */
export function cosine(x: Float): Approximation {
  if (leading(x) < SMALL) return { sign: 0, sig: (1n << 140n) - 1n, low: -140 };
  const { quarter, angle } = reduce(x);
  const parts = sineCosine(angle);
  return approximation([parts.cosine, -parts.sine, -parts.cosine, parts.sine][quarter]);
}

/** tan(x), likewise. */
export function tangent(x: Float): Approximation {
  if (leading(x) < SMALL) return { sign: x.sign, sig: (x.sig << 70n) + 1n, low: lowExponent(x) - 70 };
  const { quarter, angle } = reduce(x);
  const parts = sineCosine(angle);
  const [over, under] = (quarter & 1) === 0 ? [parts.sine, parts.cosine] : [-parts.cosine, parts.sine];
  return approximation((over << F) / under);
}

/** Cosine and sine of a guessed angle turned back from (x, y): what remains is tiny. */
function correctedAngle(x: bigint, y: bigint, guess: bigint): bigint {
  const { sine: s, cosine: c } = sineCosine(guess);
  const across = y * c - x * s;
  const along = x * c + y * s;
  const d = (across << F) / along;
  const cube = fixedMultiply(fixedMultiply(d, d), d);
  return guess + d - cube / 3n + fixedMultiply(cube, fixedMultiply(d, d)) / 5n;
}

/**
 * The angle of the point (x, y), both finite and not zero: FPATAN of ST(1) = y and ST(0) = x.
 */
export function angleOf(y: Float, x: Float): Approximation {
  const distance = leading(y) - leading(x);
  const { sign } = y;
  if (distance < SMALL && x.sign === 0) {
    // atan(q) = q (1 - ...): the quotient, a little smaller where it is exact.
    const q = (y.sig << 256n) / x.sig;
    const exact = q * x.sig === y.sig << 256n;
    return { sign, sig: exact ? (q << 1n) - 1n : (q << 1n) | 1n, low: lowExponent(y) - lowExponent(x) - 257 };
  }
  const clamp = (value: number): number => Math.max(-200, Math.min(200, value));
  // Both as integers of about FRACTION bits; a part that is far smaller just vanishes.
  const place = (value: Float, extra: number): bigint => {
    const shift = FRACTION - bitLength(value.sig) + extra;
    return shift >= 0 ? value.sig << BigInt(shift) : value.sig >> BigInt(-shift);
  };
  const d = clamp(distance);
  const magnitudeY = place(y, d < 0 ? d : 0);
  const magnitudeX = place(x, d > 0 ? -d : 0);
  const toNumber = (value: bigint): number => Number(value >> (F - 200n)) / 2 ** 200;
  const guess = fixedFromNumber(Math.atan2(toNumber(magnitudeY), toNumber(magnitudeX)));
  const first = correctedAngle(magnitudeX, magnitudeY, guess);
  const angle = x.sign !== 0 ? PI - first : first;
  return approximation(sign !== 0 ? -angle : angle);
}

/** Multiples of pi / 4 with a sign, for the special cases of FPATAN. */
export function eighthTurns(sign: number, count: number): Approximation {
  return approximation(((sign !== 0 ? -PI : PI) * BigInt(count)) / 4n);
}
