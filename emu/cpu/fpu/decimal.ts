// Packed decimal: eighteen digits and a sign in ten bytes.
import { fromInteger } from "./float.js";
import type { Float } from "./float.js";

/** Values FBSTP can store are below this. */
export const DECIMAL_LIMIT = 10n ** 18n;

/** The packed decimal indefinite, as sign word and low eight bytes. */
export const DECIMAL_INDEFINITE = { digits: 0xc000000000000000n, sign: 0xffff } as const;

/** Reads the digits (16 in `digits`, two in the low byte of `sign`). Nibbles above 9 count as they are. */
export function fromDecimal(digits: bigint, sign: number): Float {
  let value = BigInt((sign >>> 4) & 15) * 10n + BigInt(sign & 15);
  for (let shift = 60n; shift >= 0n; shift -= 4n) value = value * 10n + ((digits >> shift) & 15n);
  return { ...fromInteger(value), sign: sign >>> 15 };
}

/** The packed form of a magnitude below DECIMAL_LIMIT. */
export function toDecimal(magnitude: bigint, negative: boolean): { readonly digits: bigint; readonly sign: number } {
  let digits = 0n;
  let rest = magnitude;
  for (let shift = 0n; shift < 64n; shift += 4n) {
    digits |= (rest % 10n) << shift;
    rest /= 10n;
  }
  const high = Number(rest);
  return { digits, sign: (negative ? 0x8000 : 0) | (Math.floor(high / 10) << 4) | (high % 10) };
}
