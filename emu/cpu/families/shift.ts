// Shifts, rotates and double shifts. Counts are taken modulo 32; a count of
// zero changes no operand and no flag, but needs a memory operand that may be
// written.
import type { Core } from "../core.js";
import type { Binder, Family, Op } from "../op.js";
import { operandBytes } from "../op.js";
import type { Operands } from "../operands.js";
import { ECX } from "../state.js";

/** Result of shifting a zero-extended operand of `bits` bits by a count of 1 to 31; sets the flags. */
type Shift = (a: number, count: number, bits: number) => number;

export function createShift(core: Core, operands: Operands): Family {
  const { state, flags } = core;
  const { regs, regs8 } = state;
  const { carry, setCarryOverflow, setResult } = flags;
  const { modifyE, readRegister } = operands;

  /** Sign-extends a result of `bits` bits: the form in which the flags keep it. */
  const extend = (value: number, bits: number): number => value << (32 - bits) >> (32 - bits);
  const mask = (bits: number): number => (bits === 32 ? -1 : (1 << bits) - 1);
  const top = (value: number, bits: number): number => (value >>> (bits - 1)) & 1;

  const shl: Shift = (a, count, bits) => {
    const result = (a << count) & mask(bits);
    const out = count > bits ? 0 : (a >>> (bits - count)) & 1;
    setResult(extend(result, bits), out, top(result, bits) ^ out);
    return result;
  };

  const shr: Shift = (a, count, bits) => {
    const unsigned = a & mask(bits);
    const result = unsigned >>> count;
    const out = (unsigned >>> (count - 1)) & 1;
    // OF is the old sign for a count of 1, otherwise undefined (clear).
    setResult(extend(result, bits), out, count === 1 ? top(unsigned, bits) : 0);
    return result;
  };

  const sar: Shift = (a, count, bits) => {
    const signed = extend(a, bits);
    const result = signed >> count;
    setResult(result, (signed >> (count - 1)) & 1, 0);
    return result & mask(bits);
  };

  const rol: Shift = (a, count, bits) => {
    const by = count & (bits - 1);
    const value = a & mask(bits);
    const result = by === 0 ? value : ((value << by) | (value >>> (bits - by))) & mask(bits);
    const out = result & 1;
    setCarryOverflow(out, top(result, bits) ^ out);
    return result;
  };

  const ror: Shift = (a, count, bits) => {
    const by = count & (bits - 1);
    const value = a & mask(bits);
    const result = by === 0 ? value : ((value >>> by) | (value << (bits - by))) & mask(bits);
    const out = top(result, bits);
    setCarryOverflow(out, out ^ top(result, bits - 1));
    return result;
  };

  const rcl: Shift = (a, count, bits) => {
    let value = a & mask(bits);
    let c = carry();
    for (let i = count % (bits + 1); i > 0; i--) {
      const out = top(value, bits);
      value = ((value << 1) | c) & mask(bits);
      c = out;
    }
    setCarryOverflow(c, top(value, bits) ^ c);
    return value;
  };

  const rcr: Shift = (a, count, bits) => {
    let value = a & mask(bits);
    let c = carry();
    for (let i = count % (bits + 1); i > 0; i--) {
      const out = value & 1;
      value = ((value >>> 1) | (c << (bits - 1))) & mask(bits);
      c = out;
    }
    setCarryOverflow(c, top(value, bits) ^ top(value, bits - 1));
    return value;
  };

  /** With a count of zero a memory operand is read and written as always, and keeps its value. */
  function keep(op: Op, size: number): void {
    if (op.instruction.memory) modifyE(op, size, (a) => a, 0);
  }

  function shiftE(op: Op, size: number, shift: Shift, count: number): void {
    if (count === 0) {
      keep(op, size);
      return;
    }
    const bits = size * 8;
    modifyE(op, size, (a) => shift(a, count, bits), 0);
  }

  const shiftOf = (shift: Shift): Binder => (op, { row, operandSize, memory }) => {
    const [destination, source] = row!.operands.split(",");
    const size = operandBytes(destination, operandSize);
    op.imm = source === "1" ? 1 : op.imm & 31;
    if (source === "CL") return (it) => shiftE(it, size, shift, regs8[ECX << 2] & 31);
    if (size === 4 && !memory && op.imm !== 0) return (it) => {
      regs[it.d] = shift(regs[it.d], it.imm, 32);
    };
    return (it) => shiftE(it, size, shift, it.imm);
  };

  // The three immediate shifts that compiled code is full of have handlers of their own.
  const common = (shift: Shift, register32: (op: Op) => void): Binder => (op, instruction) => {
    const execute = shiftOf(shift)(op, instruction);
    const { operands: codes } = instruction.row!;
    const plain = codes.startsWith("Ev") && !codes.endsWith("CL") && !instruction.memory
      && instruction.operandSize === 4 && op.imm !== 0;
    return plain ? register32 : execute;
  };

  function double(op: Op, size: number, count: number, left: boolean): void {
    const bits = size * 8;
    if (count === 0) {
      keep(op, size);
      return;
    }
    const fill = readRegister(op.s, size) & mask(bits);
    modifyE(op, size, (a) => (left ? doubleLeft(a, fill, count, bits) : doubleRight(a, fill, count, bits)), 0);
  }

  /** A 16-bit count above 16 is undefined; the operands are then shifted through once more, as the i386 does. */
  function doubleLeft(a: number, fill: number, count: number, bits: number): number {
    const value = a & mask(bits);
    let result: number;
    let out: number;
    if (count <= bits) {
      result = count === bits ? fill : (value << count) | (fill >>> (bits - count));
      out = (value >>> (bits - count)) & 1;
    } else {
      result = (fill << (count - bits)) | (value >>> (2 * bits - count));
      out = (fill >>> (2 * bits - count)) & 1;
    }
    result &= mask(bits);
    setResult(extend(result, bits), out, top(result, bits) ^ out);
    return result;
  }

  function doubleRight(a: number, fill: number, count: number, bits: number): number {
    const value = a & mask(bits);
    let result: number;
    let out: number;
    if (count <= bits) {
      result = count === bits ? fill : (value >>> count) | (fill << (bits - count));
      out = (value >>> (count - 1)) & 1;
    } else {
      result = (fill >>> (count - bits)) | (value << (2 * bits - count));
      out = (fill >>> (count - bits - 1)) & 1;
    }
    result &= mask(bits);
    setResult(extend(result, bits), out, top(result, bits) ^ top(value, bits));
    return result;
  }

  const doubleOf = (left: boolean): Binder => (_op, { row, operandSize }) =>
    row!.operands.endsWith("CL")
      ? (op) => double(op, operandSize, regs8[ECX << 2] & 31, left)
      : (op) => double(op, operandSize, op.imm & 31, left);

  return {
    rol: shiftOf(rol), ror: shiftOf(ror), rcl: shiftOf(rcl), rcr: shiftOf(rcr),
    shl: common(shl, (op) => {
      const a = regs[op.d];
      const result = a << op.imm;
      const out = (a >>> (32 - op.imm)) & 1;
      setResult(result, out, (result >>> 31) ^ out);
      regs[op.d] = result;
    }),
    shr: common(shr, (op) => {
      const a = regs[op.d];
      setResult(a >>> op.imm, (a >>> (op.imm - 1)) & 1, op.imm === 1 ? a >>> 31 : 0);
      regs[op.d] = a >>> op.imm;
    }),
    sar: common(sar, (op) => {
      const a = regs[op.d];
      setResult(a >> op.imm, (a >> (op.imm - 1)) & 1, 0);
      regs[op.d] = a >> op.imm;
    }),
    shld: doubleOf(true),
    shrd: doubleOf(false),
  };
}
