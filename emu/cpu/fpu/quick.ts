// The quick way of the common cases: operands that a double holds, with results
// that need no rounding, or the rounding that doubles have (to nearest, with a
// precision of 53 bits). Sums and products come with their exact error by the
// transformations of Knuth and Dekker, so it is known which case it is; all
// others are left to arithmetic.ts. NaN stands for "not quick" everywhere.
import { EXP_BIAS } from "./float.js";
import { EMPTY, TOP } from "./registers.js";
import { EXCEPTION } from "./round.js";
import type { Environment } from "./round.js";

/** Exponents of operands: far enough from the ends that no result and no error term leaves the range of doubles. */
const WIDEST = 400;
const DOUBLE_BIAS = 1023;
const SPLITTER = 134217729;

export const OPERATIONS = ["add", "mul", "sub", "subr", "div", "divr"] as const;
export type Operation = typeof OPERATIONS[number];

/** The error of a sum s of a and b: exactly a + b - s. */
function errorOfSum(a: number, b: number, s: number): number {
  const part = s - a;
  return (a - (s - part)) + (b - part);
}

/** The error of a product p of a and b: exactly a * b - p. */
function errorOfProduct(a: number, b: number, p: number): number {
  const wideA = SPLITTER * a;
  const highA = wideA - (wideA - a);
  const lowA = a - highA;
  const wideB = SPLITTER * b;
  const highB = wideB - (wideB - b);
  const lowB = b - highB;
  return ((highA * highB - p) + highA * lowB + lowA * highB) + lowA * lowB;
}

export interface Quick {
  /** The value of a register that is not empty. */
  read(i: number): number;
  /** Stores a number, not -0 and within the range of operands or of their results, in a register. */
  write(i: number, value: number): void;
  /** Makes a number the new ST(0). */
  push(value: number): void;
  /** The result of an operation, noted in the environment when it is not exact. */
  compute(operation: Operation, a: number, b: number): number;
  /** A number rounded to single precision, likewise. */
  toSingle(value: number): number;
}

/** For the words of one coprocessor (see registers.ts). */
export function createQuick(words: Int32Array, environment: Environment): Quick {
  const double = new Float64Array(1);
  const [low, high] = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? [0, 1] : [1, 0];
  const halves = new Int32Array(double.buffer);

  const isRounded = (): boolean => environment.mode === 0 && (environment.masks & EXCEPTION.PE) !== 0;

  /** Notes that a result is not exact; `up`: its magnitude is greater than the exact one's. */
  function rounded(result: number, up: boolean): number {
    environment.flags |= EXCEPTION.PE;
    environment.up = up;
    return result;
  }

  /** A result and its error, the exact value less the result. */
  function settle(result: number, error: number): number {
    if (error === 0) return result;
    if (environment.precision !== 53 || !isRounded()) return NaN;
    return rounded(result, (error > 0) !== (result > 0));
  }

  function quotient(a: number, b: number): number {
    if (b === 0) return NaN;
    const q = a / b;
    const p = q * b;
    const rest = (a - p) - errorOfProduct(q, b, p);
    if (rest === 0) return q;
    return settle(q, (rest > 0) === (b > 0) ? 1 : -1);
  }

  function sum(a: number, b: number): number {
    const s = a + b;
    return settle(s, errorOfSum(a, b, s));
  }

  function write(i: number, value: number): void {
    const register = (words[TOP] + i) & 7;
    const at = register * 4;
    words[EMPTY] &= ~(1 << register);
    if (value === 0) {
      words[at] = words[at + 1] = words[at + 2] = 0;
      return;
    }
    double[0] = value;
    const top = halves[high];
    const bottom = halves[low];
    words[at] = bottom << 11;
    words[at + 1] = 0x80000000 | ((top & 0xfffff) << 11) | (bottom >>> 21);
    words[at + 2] = ((top >>> 16) & 0x8000) | (((top >>> 20) & 0x7ff) - DOUBLE_BIAS + EXP_BIAS);
  }

  return {
    write,
    read(i) {
      const at = ((words[TOP] + i) & 7) * 4;
      const bottom = words[at];
      const top = words[at + 1];
      const signExp = words[at + 2];
      const exponent = (signExp & 0x7fff) - EXP_BIAS;
      if (top >= 0 || (bottom & 0x7ff) !== 0 || exponent > WIDEST || exponent < -WIDEST) {
        // Plus zero; minus zero has signs that numbers do not tell.
        return (top | bottom | signExp) === 0 ? 0 : NaN;
      }
      halves[low] = (top << 21) | (bottom >>> 11);
      halves[high] = ((signExp & 0x8000) << 16) | ((exponent + DOUBLE_BIAS) << 20) | ((top & 0x7fffffff) >>> 11);
      return double[0];
    },
    push(value) {
      words[TOP] = (words[TOP] - 1) & 7;
      write(0, value);
    },
    compute(operation, a, b) {
      if (a !== a || b !== b || environment.precision < 53) return NaN;
      let result = NaN;
      switch (operation) {
        case "add": result = sum(a, b); break;
        case "sub": result = sum(a, -b); break;
        case "subr": result = sum(b, -a); break;
        case "mul": {
          const p = a * b;
          result = settle(p, errorOfProduct(a, b, p));
          break;
        }
        case "div": result = quotient(a, b); break;
        default: result = quotient(b, a);
      }
      // A zero has a sign by the rounding and the operands.
      return result === 0 ? NaN : result;
    },
    toSingle(value) {
      const size = Math.abs(value);
      if (value !== 0 && !(size >= 2 ** -126 && size < 2 ** 127)) return NaN;
      const single = Math.fround(value);
      if (single === value) return value;
      return isRounded() ? rounded(single, Math.abs(single) > size) : NaN;
    },
  };
}

/** Whether a number read from memory may be used: zero without sign, or of a middle size. */
export function isQuick(value: number): boolean {
  const size = Math.abs(value);
  return (size >= 2 ** -WIDEST && size <= 2 ** WIDEST) || Object.is(value, 0);
}
