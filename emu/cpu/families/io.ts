// IN and OUT: the permission of a port, the access, and its clocks.
import type { Core } from "../core.js";
import type { Clocks } from "../opcodes.js";
import type { Binder, Execute, Family, Op } from "../op.js";
import { operandBytes } from "../op.js";
import { SYSTEM_TYPE } from "../segments.js";
import type { Operands } from "../operands.js";
import {
  ATTRIBUTES, BASE, BUDGET, CPL, EDX, EFLAGS, FLAG, LIMIT, TR, VECTOR, segmentWord,
} from "../state.js";
import { TSS } from "../task.js";

export interface IoAccess {
  /** Raises #GP(0) unless CPL <= IOPL or the permission bitmap allows every byte of the access. */
  check(port: number, size: number): void;
  read(port: number, size: number): number;
  write(port: number, size: number, value: number): void;
  /** The clocks of a cell by the rules `io` and `repeatIo` at the present privilege, without iterations. */
  clocks(cell: Clocks): number;
}

export function createIoAccess(core: Core): IoAccess {
  const { state, faults, memory, config } = core;
  const { S } = state;

  /** In virtual-8086 mode the bitmap alone decides. */
  const privileged = (): boolean =>
    S[CPL] <= ((S[EFLAGS] & FLAG.IOPL) >>> 12) && (S[EFLAGS] & FLAG.VM) === 0;

  function checkBitmap(port: number, size: number): void {
    const limit = S[segmentWord(TR, LIMIT)] >>> 0;
    const type = (S[segmentWord(TR, ATTRIBUTES)] >>> 8) & 15;
    if (type !== SYSTEM_TYPE.TSS_BUSY || limit < TSS.IO_MAP + 1) faults.raise(VECTOR.GP, 0);
    const base = S[segmentWord(TR, BASE)];
    const at = memory.readSystem16((base + TSS.IO_MAP) | 0) + (port >>> 3);
    if (at + 1 > limit) faults.raise(VECTOR.GP, 0);
    const bits = memory.readSystem16((base + at) | 0) >>> (port & 7);
    if ((bits & ((1 << size) - 1)) !== 0) faults.raise(VECTOR.GP, 0);
  }

  return {
    check(port, size) {
      if (!privileged()) checkBitmap(port, size);
    },
    read(port, size) {
      core.portAccessed(port, size);
      return config.io.read(port, size as 1 | 2 | 4);
    },
    write(port, size, value) {
      core.portAccessed(port, size);
      const masked = size === 4 ? value >>> 0 : value & (size === 2 ? 0xffff : 0xff);
      config.io.write(port, size as 1 | 2 | 4, masked);
    },
    clocks(cell) {
      const { rule, register, parameters } = cell;
      if (rule === "io") return privileged() ? register : parameters[0];
      if (rule === "repeatIo") return privileged() ? parameters[0] : parameters[2];
      return 0;
    },
  };
}

export function createIo(core: Core, operands: Operands, io: IoAccess): Family {
  const { S, regs16 } = core.state;
  const { readRegister, writeRegister } = operands;

  /** Port by immediate or DX; the accumulator is at `own` in the operands. */
  const accessOf = (access: (port: number, size: number) => void, own: number): Binder =>
    (_op: Op, { row, operandSize }): Execute => {
      const codes = row!.operands.split(",");
      const size = operandBytes(codes[own], operandSize);
      const immediate = codes[1 - own] === "Ib";
      return (op) => {
        const port = immediate ? op.imm & 0xff : regs16[EDX << 1];
        io.check(port, size);
        access(port, size);
        S[BUDGET] -= io.clocks(op.cell);
      };
    };

  return {
    in: accessOf((port, size) => writeRegister(0, size, io.read(port, size)), 0),
    out: accessOf((port, size) => io.write(port, size, readRegister(0, size)), 1),
  };
}
