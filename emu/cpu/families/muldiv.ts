// MUL IMUL DIV IDIV and the decimal adjustments.
//
// Undefined flags after a multiplication: SF, ZF and PF follow the low half of
// the product, as on the machines this one is compared with; divisions leave the
// flags alone.
import type { Core } from "../core.js";
import { NO_ERROR_CODE } from "../faults.js";
import type { Binder, Family, Op } from "../op.js";
import { operandBytes } from "../op.js";
import type { Operands } from "../operands.js";
import { BUDGET, EAX, EDX, FLAG, VECTOR } from "../state.js";

const TWO32 = 0x100000000;

/** High 32 bits of the unsigned product. */
function highUnsigned(a: number, b: number): number {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const low = al * bl;
  const middle = ah * bl + (low >>> 16);
  const middle2 = al * bh + (middle & 0xffff);
  return (ah * bh + Math.floor(middle / 0x10000) + Math.floor(middle2 / 0x10000)) | 0;
}

/** High 32 bits of the signed product. */
function highSigned(a: number, b: number): number {
  return (highUnsigned(a, b) - (a < 0 ? b : 0) - (b < 0 ? a : 0)) | 0;
}

export function createMulDiv(core: Core, operands: Operands): Family {
  const { state, flags, faults } = core;
  const { S, regs, regs16, regs8 } = state;
  const { readE } = operands;

  const signed = (value: number, size: number): number => value << (32 - size * 8) >> (32 - size * 8);

  function charge(op: Op, multiplier: number): void {
    S[BUDGET] -= op.charge(op.cell, op.instruction.memory, multiplier);
  }

  function setProduct(low: number, wide: boolean): void {
    flags.setResult(low, wide ? 1 : 0, wide ? 1 : 0);
  }

  function mul(op: Op, size: number): void {
    const b = readE(op, size);
    charge(op, b >>> 0);
    if (size === 4) {
      const a = regs[EAX];
      const high = highUnsigned(a, b);
      regs[EAX] = Math.imul(a, b);
      regs[EDX] = high;
      setProduct(regs[EAX], high !== 0);
    } else if (size === 2) {
      const product = Math.imul(regs16[EAX << 1], b);
      regs16[EAX << 1] = product;
      regs16[EDX << 1] = product >>> 16;
      setProduct(signed(product, 2), product >>> 16 !== 0);
    } else {
      const product = regs8[0] * b;
      regs16[EAX << 1] = product;
      setProduct(signed(product, 1), product >>> 8 !== 0);
    }
  }

  function imul(op: Op, size: number): void {
    const b = signed(readE(op, size), size);
    charge(op, b);
    if (size === 4) {
      const a = regs[EAX];
      const high = highSigned(a, b);
      regs[EAX] = Math.imul(a, b);
      regs[EDX] = high;
      setProduct(regs[EAX], high !== regs[EAX] >> 31);
    } else if (size === 2) {
      const product = Math.imul(signed(regs16[EAX << 1], 2), b);
      regs16[EAX << 1] = product;
      regs16[EDX << 1] = product >>> 16;
      setProduct(signed(product, 2), product !== signed(product, 2));
    } else {
      const product = signed(regs8[0], 1) * b;
      regs16[EAX << 1] = product;
      setProduct(signed(product, 1), product !== signed(product, 1));
    }
  }

  /** IMUL to a register: the low half, with the overflow in CF and OF. */
  function multiplyTo(op: Op, size: number, a: number, b: number): void {
    const low = Math.imul(a, b);
    if (size === 4) {
      setProduct(low, highSigned(a, b) !== low >> 31);
      regs[op.s] = low;
    } else {
      setProduct(signed(low, 2), low !== signed(low, 2));
      regs16[op.s] = low;
    }
  }

  function divideError(): never {
    return faults.raise(VECTOR.DE, NO_ERROR_CODE);
  }

  function div(op: Op, size: number): void {
    const divisor = readE(op, size) >>> 0;
    if (divisor === 0) divideError();
    if (size === 4) {
      div32(divisor);
      return;
    }
    const dividend = size === 2 ? ((regs16[EDX << 1] << 16) | regs16[EAX << 1]) >>> 0 : regs16[EAX << 1];
    const quotient = Math.floor(dividend / divisor);
    const remainder = dividend % divisor;
    if (quotient > (size === 2 ? 0xffff : 0xff)) divideError();
    if (size === 2) {
      regs16[EAX << 1] = quotient;
      regs16[EDX << 1] = remainder;
    } else regs16[EAX << 1] = quotient | (remainder << 8);
  }

  function div32(divisor: number): void {
    const high = regs[EDX] >>> 0;
    const low = regs[EAX] >>> 0;
    if (high >= divisor) divideError();
    if (high < 0x200000) {
      const dividend = high * TWO32 + low;
      regs[EAX] = Math.floor(dividend / divisor);
      regs[EDX] = dividend % divisor;
      return;
    }
    const dividend = (BigInt(high) << 32n) | BigInt(low);
    regs[EAX] = Number(BigInt.asIntN(32, dividend / BigInt(divisor)));
    regs[EDX] = Number(BigInt.asIntN(32, dividend % BigInt(divisor)));
  }

  function idiv(op: Op, size: number): void {
    const divisor = signed(readE(op, size), size);
    if (divisor === 0) divideError();
    if (size === 4) {
      idiv32(divisor);
      return;
    }
    const dividend = size === 2 ? (regs16[EDX << 1] << 16) | regs16[EAX << 1] : signed(regs16[EAX << 1], 2);
    const quotient = Math.trunc(dividend / divisor);
    const remainder = dividend % divisor;
    if (quotient !== signed(quotient, size)) divideError();
    if (size === 2) {
      regs16[EAX << 1] = quotient;
      regs16[EDX << 1] = remainder;
    } else regs16[EAX << 1] = (quotient & 0xff) | (remainder << 8);
  }

  function idiv32(divisor: number): void {
    const high = regs[EDX];
    const low = regs[EAX];
    if (high === low >> 31) {
      // The dividend is a sign-extended EAX; only -2^31 / -1 overflows.
      if (low === -0x80000000 && divisor === -1) divideError();
      regs[EAX] = Math.trunc(low / divisor);
      regs[EDX] = low % divisor;
      return;
    }
    const dividend = (BigInt(high) << 32n) | BigInt(low >>> 0);
    const quotient = dividend / BigInt(divisor);
    if (quotient !== BigInt.asIntN(32, quotient)) divideError();
    regs[EAX] = Number(quotient);
    regs[EDX] = Number(dividend % BigInt(divisor));
  }

  const sized = (f: (op: Op, size: number) => void): Binder => (_op, { row, operandSize }) => {
    const size = operandBytes(row!.operands, operandSize);
    return (op) => f(op, size);
  };

  function setAl(result: number, carry: number, adjust: number): void {
    regs8[0] = result;
    flags.logic8(result);
    flags.writeArithmetic((flags.read() & ~(FLAG.CF | FLAG.AF)) | carry | (adjust << 4));
  }

  function adjustDecimal(sign: 1 | -1): void {
    const old = regs8[0];
    const oldCarry = flags.carry();
    const low = (old & 15) > 9 || (flags.read() & FLAG.AF) !== 0;
    const high = old > 0x99 || oldCarry !== 0;
    const borrow = sign < 0 && low && old < 6;
    const result = old + sign * ((low ? 6 : 0) + (high ? 0x60 : 0));
    setAl(result & 0xff, high || borrow ? 1 : 0, low ? 1 : 0);
  }

  function adjustAscii(sign: 1 | -1): void {
    const adjust = (regs8[0] & 15) > 9 || (flags.read() & FLAG.AF) !== 0;
    if (adjust) regs16[EAX << 1] += sign * 0x106;
    const result = regs8[0] & 15;
    setAl(result, adjust ? 1 : 0, adjust ? 1 : 0);
  }

  return {
    mul: sized(mul),
    imul: sized(imul),
    imul2: (_op, { operandSize: size }) => (op) => {
      const b = signed(readE(op, size), size);
      charge(op, b);
      multiplyTo(op, size, size === 4 ? regs[op.s] : signed(regs16[op.s], 2), b);
    },
    imul3: (_op, { operandSize: size }) => (op) => {
      const a = signed(readE(op, size), size);
      charge(op, op.imm);
      multiplyTo(op, size, a, op.imm);
    },
    div: sized(div),
    idiv: sized(idiv),
    daa: () => () => adjustDecimal(1),
    das: () => () => adjustDecimal(-1),
    aaa: () => () => adjustAscii(1),
    aas: () => () => adjustAscii(-1),
    aam: () => (op) => {
      if (op.imm === 0) divideError();
      const al = regs8[0];
      regs16[EAX << 1] = (Math.floor(al / op.imm) << 8) | (al % op.imm);
      flags.logic8(regs8[0]);
    },
    aad: () => (op) => {
      regs16[EAX << 1] = (regs8[0] + regs8[1] * op.imm) & 0xff;
      flags.logic8(regs8[0]);
    },
  };
}
