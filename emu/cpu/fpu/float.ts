// The numbers of the x87: the 80-bit format taken apart, its classes, and the
// formats of memory. A Float is a value of the register format and is never
// changed; `sig` is the whole significand with its explicit integer bit, so a
// finite value is (-1)^sign * sig * 2^(max(exp, 1) - EXP_BIAS - 63).

export interface Float {
  readonly sign: number;
  /** Biased exponent, 0 to EXP_MAX. */
  readonly exp: number;
  readonly sig: bigint;
}

export const EXP_BIAS = 16383;
export const EXP_MAX = 0x7fff;
export const INTEGER_BIT = 1n << 63n;
export const QUIET_BIT = 1n << 62n;
export const MASK64 = (1n << 64n) - 1n;

/** Kinds of values. Those from QNAN on are no numbers; the order matters to callers. */
export const CLASS = { ZERO: 0, DENORMAL: 1, NORMAL: 2, INFINITY: 3, QNAN: 4, SNAN: 5, UNSUPPORTED: 6 } as const;

/** The kind of a value. A significand without integer bit and with an exponent is unsupported by the 387 and later. */
export function classOf({ exp, sig }: Float): number {
  if (exp === 0) return sig === 0n ? CLASS.ZERO : CLASS.DENORMAL;
  if ((sig & INTEGER_BIT) === 0n) return CLASS.UNSUPPORTED;
  if (exp !== EXP_MAX) return CLASS.NORMAL;
  if (sig === INTEGER_BIT) return CLASS.INFINITY;
  return (sig & QUIET_BIT) !== 0n ? CLASS.QNAN : CLASS.SNAN;
}

export function isNaNClass(kind: number): boolean {
  return kind >= CLASS.QNAN;
}

/** The real indefinite: the answer to a masked invalid operation. */
export const INDEFINITE: Float = { sign: 1, exp: EXP_MAX, sig: INTEGER_BIT | QUIET_BIT };
export const ONE: Float = { sign: 0, exp: EXP_BIAS, sig: INTEGER_BIT };

export function zero(sign: number): Float {
  return { sign, exp: 0, sig: 0n };
}

export function infinity(sign: number): Float {
  return { sign, exp: EXP_MAX, sig: INTEGER_BIT };
}

export function negate(value: Float): Float {
  return { ...value, sign: value.sign ^ 1 };
}

/** A number that is finite and, unless zero, normal as a double. */
export function fromNumber(value: number): Float {
  if (value === 0) return zero(Object.is(value, -0) ? 1 : 0);
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exp = Number((bits >> 52n) & 0x7ffn) - 1023 + EXP_BIAS;
  return { sign: value < 0 ? 1 : 0, exp, sig: INTEGER_BIT | ((bits << 11n) & (INTEGER_BIT - 1n)) };
}

/** Exponent of the lowest bit of a finite value's significand. */
export function lowExponent({ exp }: Float): number {
  return (exp === 0 ? 1 : exp) - EXP_BIAS - 63;
}

/** Number of significant bits of a value that is not negative. */
export function bitLength(value: bigint): number {
  let bits = 0;
  let rest = value;
  while (rest > MASK64) {
    rest >>= 64n;
    bits += 64;
  }
  const high = Number(rest >> 32n);
  return bits + (high !== 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(Number(rest)));
}

/** A format of reals in memory. */
export interface MemoryFormat {
  readonly bytes: 4 | 8;
  /** Bits of precision with the hidden one, and the bias. */
  readonly precision: number;
  readonly bias: number;
}

export const REAL32: MemoryFormat = { bytes: 4, precision: 24, bias: 127 };
export const REAL64: MemoryFormat = { bytes: 8, precision: 53, bias: 1023 };

export interface Loaded {
  readonly value: Float;
  /** What kind the operand is in its own format: a denormal one becomes normal in the register. */
  readonly kind: number;
}

/** Widens a real of memory, given as its bits. A signaling NaN stays one. */
export function widen(bits: bigint, { bytes, precision, bias }: MemoryFormat): Loaded {
  const fraction = bits & ((1n << BigInt(precision - 1)) - 1n);
  const exponentMax = 2 * bias + 1;
  const exp = Number(bits >> BigInt(precision - 1)) & exponentMax;
  const sign = Number(bits >> BigInt(bytes * 8 - 1)) & 1;
  const aligned = fraction << BigInt(64 - precision);
  if (exp === exponentMax) {
    const value = { sign, exp: EXP_MAX, sig: aligned | INTEGER_BIT };
    return { value, kind: classOf(value) };
  }
  if (exp !== 0) {
    return { value: { sign, exp: exp - bias + EXP_BIAS, sig: aligned | INTEGER_BIT }, kind: CLASS.NORMAL };
  }
  if (fraction === 0n) return { value: zero(sign), kind: CLASS.ZERO };
  const shift = 64 - bitLength(aligned);
  return {
    value: { sign, exp: 1 - bias + EXP_BIAS - shift, sig: aligned << BigInt(shift) },
    kind: CLASS.DENORMAL,
  };
}

/** A signed integer as a register value; always exact. */
export function fromInteger(value: bigint): Float {
  if (value === 0n) return zero(0);
  const magnitude = value < 0n ? -value : value;
  const bits = bitLength(magnitude);
  return { sign: value < 0n ? 1 : 0, exp: EXP_BIAS + bits - 1, sig: magnitude << BigInt(64 - bits) };
}
