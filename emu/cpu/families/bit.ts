// BT BTS BTR BTC BSF BSR SETcc BSWAP CMPXCHG XADD.
import type { Core } from "../core.js";
import type { Binder, Family, Op } from "../op.js";
import { operandBytes } from "../op.js";
import type { Operands } from "../operands.js";
import { BUDGET, FLAG } from "../state.js";

export function createBit(core: Core, operands: Operands): Family {
  const { state, flags, memory } = core;
  const { S, regs } = state;
  const { addressBeyond, modifyE, readE, writeE, readRegister, writeRegister } = operands;

  type Change = (value: number, bit: number) => number;

  function setCarry(value: number, bit: number): void {
    flags.writeArithmetic((flags.read() & ~FLAG.CF) | ((value >>> bit) & 1));
  }

  /** With a register offset the operand in memory lies up to 2^28 words away. */
  function testFar(op: Op, size: number, change: Change | null): void {
    const offset = size === 4 ? regs[op.s] : readRegister(op.s, 2) << 16 >> 16;
    const at = addressBeyond(op, (offset >> (size === 4 ? 5 : 4)) * size);
    const bit = offset & (size * 8 - 1);
    if (change !== null) memory.prepareWrite(at, size);
    const value = size === 4 ? memory.read32(at) : memory.read16(at);
    if (change !== null) {
      if (size === 4) memory.write32(at, change(value, bit));
      else memory.write16(at, change(value, bit) & 0xffff);
    }
    setCarry(value, bit);
  }

  const testOf = (change: Change | null): Binder => (_op, { row, operandSize: size, memory: isMemory }) => {
    const byRegister = row!.operands.endsWith("Gv");
    if (byRegister && isMemory) return (op) => testFar(op, size, change);
    const bitOf = (op: Op): number => (byRegister ? readRegister(op.s, size) : op.imm) & (size * 8 - 1);
    if (change === null) return (op) => setCarry(readE(op, size), bitOf(op));
    return (op) => {
      const bit = bitOf(op);
      let old = 0;
      modifyE(op, size, (value) => {
        old = value;
        return change(value, bit);
      }, 0);
      setCarry(old, bit);
    };
  };

  /** A zero source sets ZF and leaves the destination; otherwise ZF is clear and the rest of the flags as tested. */
  function scan(op: Op, size: number, forward: boolean): void {
    const source = readE(op, size);
    const bit = forward ? 31 - Math.clz32(source & -source) : 31 - Math.clz32(source);
    const skipped = source === 0 ? 0 : forward ? bit : size * 8 - 1 - bit;
    const value = op.cell.rule === "scan" ? skipped : source;
    S[BUDGET] -= op.charge(op.cell, op.instruction.memory, value);
    if (size === 4) flags.logic32(source);
    else flags.logic16(source);
    if (source !== 0) writeRegister(op.s, size, bit);
  }

  function compareExchange(op: Op, size: number): void {
    const accumulator = readRegister(0, size);
    const source = readRegister(op.s, size);
    let old = 0;
    modifyE(op, size, (value) => {
      old = value;
      return value === accumulator ? source : value;
    }, 0);
    if (size === 4) flags.sub32(accumulator, old);
    else if (size === 2) flags.sub16(accumulator, old);
    else flags.sub8(accumulator, old);
    if (old !== accumulator) writeRegister(0, size, old);
    S[BUDGET] -= op.charge(op.cell, op.instruction.memory, old === accumulator ? 1 : 0);
  }

  function exchangeAdd(op: Op, size: number): void {
    const source = readRegister(op.s, size);
    const add = size === 4 ? flags.add32 : size === 2 ? flags.add16 : flags.add8;
    let old = 0;
    modifyE(op, size, (value) => {
      old = value;
      return size === 4 ? (value + source) | 0 : value + source;
    }, 0);
    // With one register as both operands the sum stays.
    if (op.instruction.memory || op.s !== op.d) writeRegister(op.s, size, old);
    add(old, source);
  }

  const sized = (f: (op: Op, size: number) => void): Binder => (_op, { row, operandSize }) => {
    const size = operandBytes(row!.operands.split(",")[0], operandSize);
    return (op) => f(op, size);
  };

  return {
    bt: testOf(null),
    bts: testOf((value, bit) => value | (1 << bit)),
    btr: testOf((value, bit) => value & ~(1 << bit)),
    btc: testOf((value, bit) => value ^ (1 << bit)),
    bsf: (_op, { operandSize }) => (op) => scan(op, operandSize, true),
    bsr: (_op, { operandSize }) => (op) => scan(op, operandSize, false),
    setcc: (_op, { opcode }) => (op) => {
      const holds = flags.condition(opcode & 15) ? 1 : 0;
      writeE(op, 1, holds);
      S[BUDGET] -= op.charge(op.cell, op.instruction.memory, holds);
    },
    bswap: () => (op) => {
      const a = regs[op.d];
      regs[op.d] = (a << 24) | ((a & 0xff00) << 8) | ((a >>> 8) & 0xff00) | (a >>> 24);
    },
    cmpxchg: sized(compareExchange),
    xadd: sized(exchangeAdd),
  };
}

