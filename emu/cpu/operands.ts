// Access to the operands of a predecoded instruction that are not worth a
// handler of their own: addresses, and r/m operands of any kind.
import type { Core } from "./core.js";
import { SPECIAL } from "./op.js";
import type { Op } from "./op.js";

export interface Operands {
  /** Linear address of the memory operand, checked against its segment. */
  address(op: Op): number;
  /** The same for an operand so many bytes beyond the one that is named; the sum wraps as addresses do. */
  addressBeyond(op: Op, bytes: number): number;
  /** Offset of the memory operand in its segment. */
  offset(op: Op): number;
  /** Reads or writes the r/m operand; the register is op.d. */
  readE8(op: Op): number;
  readE16(op: Op): number;
  readE32(op: Op): number;
  /** By size in bytes; 16 and 8 bits zero-extended. */
  readE(op: Op, size: number): number;
  writeE(op: Op, size: number, value: number): void;
  /** Replaces the r/m operand by f(operand, b); f may set flags, nothing faults after it. */
  modifyE(op: Op, size: number, f: (a: number, b: number) => number, b: number): void;
  readRegister(index: number, size: number): number;
  writeRegister(index: number, size: number, value: number): void;
}

export function createOperands(core: Core): Operands {
  const { state, memory, segments } = core;
  const { regs, regs8, regs16, mem8, mem16, mem32 } = state;
  const { read8, read16, read32, write8, write16, write32, modify8, modify16, modify32, prepareWrite } = memory;

  function offset(op: Op): number {
    const a = (regs[op.base] + (regs[op.index] << op.scale) + op.disp) | 0;
    return (op.special & SPECIAL.ADDRESS16) === 0 ? a : a & 0xffff;
  }

  function specialAddress(op: Op): number {
    const segment = (op.special & SPECIAL.SEGMENT_MASK) - 1;
    return segment < 0 ? offset(op) : segments.linear(segment, offset(op), op.size, op.writes);
  }

  function addressBeyond(op: Op, bytes: number): number {
    const segment = (op.special & SPECIAL.SEGMENT_MASK) - 1;
    const sum = (offset(op) + bytes) | 0;
    const at = (op.special & SPECIAL.ADDRESS16) === 0 ? sum : sum & 0xffff;
    return segment < 0 ? at : segments.linear(segment, at, op.size, op.writes);
  }

  function address(op: Op): number {
    if (op.special !== SPECIAL.NONE) return specialAddress(op);
    return (regs[op.base] + (regs[op.index] << op.scale) + op.disp) | 0;
  }

  function readRegister(index: number, size: number): number {
    if (size === 4) return regs[index];
    return size === 2 ? regs16[index] : regs8[index];
  }

  function writeRegister(index: number, size: number, value: number): void {
    if (size === 4) regs[index] = value;
    else if (size === 2) regs16[index] = value;
    else regs8[index] = value;
  }

  const readE8 = (op: Op): number => (op.instruction.memory ? read8(address(op)) : regs8[op.d]);
  const readE16 = (op: Op): number => (op.instruction.memory ? read16(address(op)) : regs16[op.d]);
  const readE32 = (op: Op): number => (op.instruction.memory ? read32(address(op)) : regs[op.d]);

  function modifyE(op: Op, size: number, f: (a: number, b: number) => number, b: number): void {
    if (!op.instruction.memory) {
      writeRegister(op.d, size, f(readRegister(op.d, size), b));
      return;
    }
    const a = address(op);
    if (size === 4) {
      const at = modify32(a);
      if (at >= 0) {
        mem32[at] = f(mem32[at], b);
        return;
      }
      prepareWrite(a, 4);
      write32(a, f(read32(a), b));
    } else if (size === 2) {
      const at = modify16(a);
      if (at >= 0) {
        mem16[at] = f(mem16[at], b);
        return;
      }
      prepareWrite(a, 2);
      write16(a, f(read16(a), b));
    } else {
      const at = modify8(a);
      if (at >= 0) {
        mem8[at] = f(mem8[at], b);
        return;
      }
      prepareWrite(a, 1);
      write8(a, f(read8(a), b));
    }
  }

  return {
    address,
    addressBeyond,
    offset,
    readE8,
    readE16,
    readE32,
    readE: (op, size) => (size === 4 ? readE32(op) : size === 2 ? readE16(op) : readE8(op)),
    writeE(op, size, value) {
      if (!op.instruction.memory) writeRegister(op.d, size, value);
      else if (size === 4) write32(address(op), value);
      else if (size === 2) write16(address(op), value);
      else write8(address(op), value);
    },
    modifyE,
    readRegister,
    writeRegister,
  };
}
