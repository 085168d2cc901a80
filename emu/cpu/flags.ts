// The arithmetic flags, kept lazily in two words.
//
// FLAG_RESULT (R) is the last result, sign-extended to 32 bits. FLAG_CARRY (C)
// holds what the result does not tell:
//   bit 31      CF
//   bit 30      CF xor OF (the carry into the top bit)
//   bit 3       AF
//   bit 0       SF differs from the sign of R
//   bits 8..15  xored into the low byte of R before its parity is taken
// So ZF is R == 0, and an addition or subtraction stores two words and nothing
// else: bit i of its carry vector is the carry (borrow) out of bit i.
import { ARITHMETIC_FLAGS, EFLAGS, FLAG, FLAG_CARRY, FLAG_RESULT } from "./state.js";
import type { State } from "./state.js";

const TOP = 0x80000000 | 0;
const SECOND = 0x40000000;
/** The bits of a carry vector that are flags: 31, 30 and 3. */
const VECTOR_MASK = 0xc0000008 | 0;

/** Arithmetic that sets the flags, and the conditions on them. Sizes below 32 bits take operands of any extension. */
export interface Flags {
  add32(a: number, b: number): number;
  adc32(a: number, b: number): number;
  sub32(a: number, b: number): number;
  sbb32(a: number, b: number): number;
  inc32(a: number): number;
  dec32(a: number): number;
  logic32(result: number): number;
  add16(a: number, b: number): number;
  adc16(a: number, b: number): number;
  sub16(a: number, b: number): number;
  sbb16(a: number, b: number): number;
  inc16(a: number): number;
  dec16(a: number): number;
  logic16(result: number): number;
  add8(a: number, b: number): number;
  adc8(a: number, b: number): number;
  sub8(a: number, b: number): number;
  sbb8(a: number, b: number): number;
  inc8(a: number): number;
  dec8(a: number): number;
  logic8(result: number): number;
  carry(): number;
  overflow(): number;
  /** Condition `code` 0 to 15 of Jcc and SETcc. */
  condition(code: number): boolean;
  /** Sets CF and OF alone. */
  setCarryOverflow(carry: number, overflow: number): void;
  /** Sets ZF SF PF by a sign-extended result, CF and OF as given, AF clear. */
  setResult(result: number, carry: number, overflow: number): void;
  /** The whole of EFLAGS, bit 1 set. */
  read(): number;
  /** Replaces EFLAGS without any check. */
  write(value: number): void;
  /** Replaces CF PF AF ZF SF OF by those of `value`. */
  writeArithmetic(value: number): void;
}

/** Makes the flag functions of one machine. */
export function createFlags(state: State): Flags {
  const { S } = state;

  /** Sets R and C of an operation on 16 bits from its 32-bit result and carry vector. */
  function narrow16(result: number, vector: number): number {
    S[FLAG_RESULT] = result << 16 >> 16;
    S[FLAG_CARRY] = ((vector << 16) & (TOP | SECOND)) | (vector & 8);
    return result & 0xffff;
  }

  function narrow8(result: number, vector: number): number {
    S[FLAG_RESULT] = result << 24 >> 24;
    S[FLAG_CARRY] = ((vector << 24) & (TOP | SECOND)) | (vector & 8);
    return result & 0xff;
  }

  /** INC and DEC keep CF: C with a new OF and AF. */
  function keepCarry(overflow: boolean, adjust: boolean): void {
    const carry = S[FLAG_CARRY] & TOP;
    S[FLAG_CARRY] = ((carry | (carry >>> 1)) ^ (overflow ? SECOND : 0)) | (adjust ? 8 : 0);
  }

  const carry = (): number => S[FLAG_CARRY] >>> 31;
  const overflow = (): number => ((S[FLAG_CARRY] << 1) ^ S[FLAG_CARRY]) >>> 31;
  const sign = (): number => ((S[FLAG_RESULT] >>> 31) ^ S[FLAG_CARRY]) & 1;

  function parity(): number {
    let byte = (S[FLAG_RESULT] ^ (S[FLAG_CARRY] >>> 8)) & 0xff;
    byte ^= byte >>> 4;
    return (0x9669 >>> (byte & 15)) & 1;
  }

  /** The condition without its negation bit, as 0 or 1. */
  function positive(code: number): number {
    switch (code >>> 1) {
      case 0: return overflow();
      case 1: return carry();
      case 2: return S[FLAG_RESULT] === 0 ? 1 : 0;
      case 3: return S[FLAG_RESULT] === 0 ? 1 : carry();
      case 4: return sign();
      case 5: return parity();
      case 6: return sign() ^ overflow();
      default: return S[FLAG_RESULT] === 0 ? 1 : sign() ^ overflow();
    }
  }

  function setResult(result: number, carryFlag: number, overflowFlag: number): void {
    S[FLAG_RESULT] = result;
    S[FLAG_CARRY] = (carryFlag << 31) | ((carryFlag ^ overflowFlag) << 30);
  }

  function writeArithmetic(value: number): void {
    const carryFlag = value & 1;
    const overflowFlag = (value >>> 11) & 1;
    S[FLAG_RESULT] = (value & FLAG.ZF) !== 0 ? 0 : 0x100;
    S[FLAG_CARRY] = (carryFlag << 31) | ((carryFlag ^ overflowFlag) << 30) | ((value & FLAG.AF) >>> 1)
      | ((value & FLAG.SF) >>> 7) | ((value & FLAG.PF) !== 0 ? 0 : 0x100);
  }

  function add32(a: number, b: number): number {
    const result = (a + b) | 0;
    S[FLAG_RESULT] = result;
    S[FLAG_CARRY] = ((a & b) | ((a | b) & ~result)) & VECTOR_MASK;
    return result;
  }

  function sub32(a: number, b: number): number {
    const result = (a - b) | 0;
    S[FLAG_RESULT] = result;
    S[FLAG_CARRY] = ((~a & b) | ((~a | b) & result)) & VECTOR_MASK;
    return result;
  }

  return {
    add32,
    sub32,
    adc32(a, b) {
      const result = (a + b + (S[FLAG_CARRY] >>> 31)) | 0;
      S[FLAG_RESULT] = result;
      S[FLAG_CARRY] = ((a & b) | ((a | b) & ~result)) & VECTOR_MASK;
      return result;
    },
    sbb32(a, b) {
      const result = (a - b - (S[FLAG_CARRY] >>> 31)) | 0;
      S[FLAG_RESULT] = result;
      S[FLAG_CARRY] = ((~a & b) | ((~a | b) & result)) & VECTOR_MASK;
      return result;
    },
    inc32(a) {
      const result = (a + 1) | 0;
      S[FLAG_RESULT] = result;
      keepCarry(result === TOP, (result & 15) === 0);
      return result;
    },
    dec32(a) {
      const result = (a - 1) | 0;
      S[FLAG_RESULT] = result;
      keepCarry(a === TOP, (a & 15) === 0);
      return result;
    },
    logic32(result) {
      S[FLAG_RESULT] = result;
      S[FLAG_CARRY] = 0;
      return result;
    },
    add16(a, b) {
      const result = a + b;
      return narrow16(result, (a & b) | ((a | b) & ~result));
    },
    adc16(a, b) {
      const result = a + b + carry();
      return narrow16(result, (a & b) | ((a | b) & ~result));
    },
    sub16(a, b) {
      const result = a - b;
      return narrow16(result, (~a & b) | ((~a | b) & result));
    },
    sbb16(a, b) {
      const result = a - b - carry();
      return narrow16(result, (~a & b) | ((~a | b) & result));
    },
    inc16(a) {
      const result = (a + 1) & 0xffff;
      S[FLAG_RESULT] = result << 16 >> 16;
      keepCarry(result === 0x8000, (result & 15) === 0);
      return result;
    },
    dec16(a) {
      const result = (a - 1) & 0xffff;
      S[FLAG_RESULT] = result << 16 >> 16;
      keepCarry(result === 0x7fff, (result & 15) === 15);
      return result;
    },
    logic16(result) {
      S[FLAG_RESULT] = result << 16 >> 16;
      S[FLAG_CARRY] = 0;
      return result & 0xffff;
    },
    add8(a, b) {
      const result = a + b;
      return narrow8(result, (a & b) | ((a | b) & ~result));
    },
    adc8(a, b) {
      const result = a + b + carry();
      return narrow8(result, (a & b) | ((a | b) & ~result));
    },
    sub8(a, b) {
      const result = a - b;
      return narrow8(result, (~a & b) | ((~a | b) & result));
    },
    sbb8(a, b) {
      const result = a - b - carry();
      return narrow8(result, (~a & b) | ((~a | b) & result));
    },
    inc8(a) {
      const result = (a + 1) & 0xff;
      S[FLAG_RESULT] = result << 24 >> 24;
      keepCarry(result === 0x80, (result & 15) === 0);
      return result;
    },
    dec8(a) {
      const result = (a - 1) & 0xff;
      S[FLAG_RESULT] = result << 24 >> 24;
      keepCarry(result === 0x7f, (result & 15) === 15);
      return result;
    },
    logic8(result) {
      S[FLAG_RESULT] = result << 24 >> 24;
      S[FLAG_CARRY] = 0;
      return result & 0xff;
    },
    carry,
    overflow,
    condition: (code) => (positive(code) ^ (code & 1)) !== 0,
    setCarryOverflow(carryFlag, overflowFlag) {
      S[FLAG_CARRY] = (S[FLAG_CARRY] & ~(TOP | SECOND)) | (carryFlag << 31) | ((carryFlag ^ overflowFlag) << 30);
    },
    setResult,
    read() {
      const zero = S[FLAG_RESULT] === 0 ? FLAG.ZF : 0;
      return (S[EFLAGS] & ~ARITHMETIC_FLAGS) | 2 | carry() | (parity() << 2) | ((S[FLAG_CARRY] & 8) << 1) | zero
        | (sign() << 7) | (overflow() << 11);
    },
    write(value) {
      S[EFLAGS] = value & ~ARITHMETIC_FLAGS;
      writeArithmetic(value);
    },
    writeArithmetic,
  };
}
