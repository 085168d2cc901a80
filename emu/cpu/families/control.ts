// Jumps, calls, returns, loops and interrupts. A handler of a transfer always
// sets EIP; a transfer that costs m sets TAKEN, and the block it leads to adds
// the components of its first instruction.
import type { Core } from "../core.js";
import type { FarPath, FarTransfers } from "../far.js";
import { NO_ERROR_CODE } from "../faults.js";
import type { Interrupts } from "../interrupts.js";
import type { ReturnPath } from "../returns.js";
import type { Clocks } from "../opcodes.js";
import type { Binder, Execute, Family, Op } from "../op.js";
import type { Operands } from "../operands.js";
import {
  BUDGET, CPL, CR0, CR0_BIT, ECX, EFLAGS, EIP, FLAG, FLAG_CARRY, FLAG_RESULT, HALTED, TAKEN, VECTOR,
} from "../state.js";

/** Place of a path in the parameters of the rule `far`. */
const FAR_PATHS: { readonly [path in FarPath]: number } =
  { direct: 0, gate: 1, inner: 2, innerWithParameters: 3, tss: 5, taskGate: 6, real: 7 };
/** In the order of the parameters of the rule `return`. */
const RETURN_PATHS: readonly ReturnPath[] = ["same", "outer", "task", "real", "virtual"];

export function createControl(core: Core, operands: Operands, interrupts: Interrupts, far: FarTransfers): Family {
  const { state, flags, faults, memory, segments, stack } = core;
  const { S, regs, regs16 } = state;
  const { address, readE, readE32 } = operands;
  const { push32, pop32 } = stack;

  function take(op: Op): void {
    S[EIP] = op.imm;
    S[TAKEN] = -1;
    S[BUDGET] -= op.extra;
  }

  /** CF set or ZF set. */
  const belowOrEqual = (): boolean => S[FLAG_CARRY] < 0 || S[FLAG_RESULT] === 0;
  /** SF differs from OF, in the form of flags.ts: sign bit of R, bit 0 of C, bits 31 and 30 of C. */
  const less = (): boolean => {
    const c = S[FLAG_CARRY];
    return ((S[FLAG_RESULT] ^ (c << 31)) ^ (c ^ (c << 1))) < 0;
  };

  // One function for each condition, so that each compiles to its test alone.
  const conditional: readonly Execute[] = [
    (op) => { if (flags.overflow() !== 0) take(op); else S[EIP] = op.next; },
    (op) => { if (flags.overflow() === 0) take(op); else S[EIP] = op.next; },
    (op) => { if (S[FLAG_CARRY] < 0) take(op); else S[EIP] = op.next; },
    (op) => { if (S[FLAG_CARRY] >= 0) take(op); else S[EIP] = op.next; },
    (op) => { if (S[FLAG_RESULT] === 0) take(op); else S[EIP] = op.next; },
    (op) => { if (S[FLAG_RESULT] !== 0) take(op); else S[EIP] = op.next; },
    (op) => { if (belowOrEqual()) take(op); else S[EIP] = op.next; },
    (op) => { if (!belowOrEqual()) take(op); else S[EIP] = op.next; },
    (op) => { if (flags.condition(8)) take(op); else S[EIP] = op.next; },
    (op) => { if (flags.condition(9)) take(op); else S[EIP] = op.next; },
    (op) => { if (flags.condition(10)) take(op); else S[EIP] = op.next; },
    (op) => { if (flags.condition(11)) take(op); else S[EIP] = op.next; },
    (op) => { if (less()) take(op); else S[EIP] = op.next; },
    (op) => { if (!less()) take(op); else S[EIP] = op.next; },
    (op) => { if (S[FLAG_RESULT] === 0 || less()) take(op); else S[EIP] = op.next; },
    (op) => { if (S[FLAG_RESULT] !== 0 && !less()) take(op); else S[EIP] = op.next; },
  ];

  function countDown(op: Op): boolean {
    if (op.instruction.addressSize === 4) {
      regs[ECX] = (regs[ECX] - 1) | 0;
      return regs[ECX] !== 0;
    }
    return --regs16[ECX << 1] !== 0;
  }

  const loopIf = (condition: () => boolean): Binder => () => (op) => {
    if (countDown(op) && condition()) take(op);
    else S[EIP] = op.next;
  };

  const zero = (): boolean => S[FLAG_RESULT] === 0;

  /** Charges a far transfer by the way it went. */
  function chargeFar(cell: Clocks, path: FarPath, parameters: number): void {
    if (cell.rule !== "far") return;
    const copied = path === "innerWithParameters" ? cell.parameters[4] * parameters : 0;
    S[BUDGET] -= cell.parameters[FAR_PATHS[path]] + copied;
    if (path !== "tss" && path !== "taskGate") S[TAKEN] = -1;
  }

  function chargeReturn(cell: Clocks, path: ReturnPath): void {
    if (cell.rule !== "return") return;
    S[BUDGET] -= cell.parameters[RETURN_PATHS.indexOf(path)];
    if ((path === "same" || path === "real") && cell.plusM) S[TAKEN] = -1;
  }

  /** INT, INT3, INTO: the clocks depend on where the gate led. */
  function softwareInterrupt(op: Op, vector: number): void {
    const virtual = segments.isVirtual();
    const privilege = S[CPL];
    const switches = core.counters.taskSwitches;
    S[EIP] = op.next;
    interrupts.software(vector);
    if (op.cell.rule !== "interrupt") return;
    const [same, inner, task, real, fromVirtual] = op.cell.parameters;
    // Through a task gate the switch itself is charged where it happens.
    if (core.counters.taskSwitches !== switches) S[BUDGET] -= task;
    else if (virtual) S[BUDGET] -= fromVirtual;
    else if ((S[CR0] & CR0_BIT.PE) === 0) S[BUDGET] -= real;
    else S[BUDGET] -= S[CPL] < privilege ? inner : same;
  }

  /** Far pointer of the instruction or in memory. */
  function farPointer(op: Op): { readonly selector: number; readonly offset: number } {
    const { instruction } = op;
    if (!instruction.memory) return { selector: instruction.imm2, offset: instruction.imm };
    const a = address(op);
    const size = instruction.operandSize;
    const offset = size === 4 ? memory.read32(a) : memory.read16(a);
    return { selector: memory.read16((a + size) | 0), offset };
  }

  /** A call faults before it pushes. */
  function checkTarget(eip: number): void {
    if ((eip >>> 0) > (segments.codeSegment().limit >>> 0)) faults.raise(VECTOR.GP, 0);
  }

  const jumpIndirect32: Execute = (op) => {
    S[EIP] = readE32(op);
    S[TAKEN] = -1;
  };

  return {
    jcc: (_op, { opcode }) => conditional[opcode & 15],
    loop: loopIf(() => true),
    loope: loopIf(zero),
    loopne: loopIf(() => !zero()),
    jecxz: (_op, { addressSize }) => (op) => {
      if ((addressSize === 4 ? regs[ECX] : regs16[ECX << 1]) === 0) take(op);
      else S[EIP] = op.next;
    },
    jmp: () => (op) => {
      S[EIP] = op.imm;
      S[TAKEN] = -1;
    },
    jmpIndirect: (_op, { operandSize }) => operandSize === 4 ? jumpIndirect32 : (op) => {
      S[EIP] = readE(op, 2);
      S[TAKEN] = -1;
    },
    call: (call, { operandSize }) => (call.imm >>> 0) > (segments.codeSegment().limit >>> 0)
      ? () => faults.raise(VECTOR.GP, 0)
      : operandSize === 4
      ? (op) => {
        push32(op.next);
        S[EIP] = op.imm;
        S[TAKEN] = -1;
      }
      : (op) => {
        stack.push16(op.next);
        S[EIP] = op.imm;
        S[TAKEN] = -1;
      },
    callIndirect: (_op, { operandSize }) => (op) => {
      const target = readE(op, operandSize);
      checkTarget(target);
      stack.push(operandSize, op.next);
      S[EIP] = target;
      S[TAKEN] = -1;
    },
    ret: (_op, { operandSize }) => operandSize === 4
      ? (op) => {
        S[EIP] = pop32();
        stack.adjust(op.imm);
        S[TAKEN] = -1;
      }
      : (op) => {
        S[EIP] = stack.pop16();
        stack.adjust(op.imm);
        S[TAKEN] = -1;
      },
    jmpFar: (op, { operandSize }) => {
      op.size = operandSize + 2;
      return (it) => {
        const { selector, offset } = farPointer(it);
        S[EIP] = it.next;
        chargeFar(it.cell, far.jmp(selector, offset), 0);
      };
    },
    callFar: (op, { operandSize }) => {
      op.size = operandSize + 2;
      return (it) => {
        const { selector, offset } = farPointer(it);
        S[EIP] = it.next;
        const { path, parameters } = far.call(selector, offset, operandSize);
        chargeFar(it.cell, path, parameters);
      };
    },
    retFar: (_op, { operandSize }) => (op) => chargeReturn(op.cell, interrupts.retFar(operandSize, op.imm)),
    int1: () => (op) => {
      S[EIP] = op.next;
      interrupts.breakpointTrap();
      if (op.cell.rule === "interrupt") S[BUDGET] -= op.cell.parameters[0];
    },
    int3: () => (op) => softwareInterrupt(op, VECTOR.BP),
    int: () => (op) => {
      if (segments.isVirtual() && (S[EFLAGS] & FLAG.IOPL) !== FLAG.IOPL) faults.raise(VECTOR.GP, 0);
      softwareInterrupt(op, op.imm);
    },
    ud2: () => (op) => {
      S[EIP] = op.eip;
      faults.raise(VECTOR.UD, NO_ERROR_CODE);
    },
    into: () => (op) => {
      if (flags.overflow() !== 0) {
        softwareInterrupt(op, VECTOR.OF);
        return;
      }
      S[EIP] = op.next;
      if (op.cell.rule === "interrupt") S[BUDGET] -= op.cell.register;
    },
    iret: (_op, { operandSize }) => (op) => {
      S[EIP] = op.next;
      chargeReturn(op.cell, interrupts.iret(operandSize));
    },
    bound: (op, { operandSize: size }) => {
      op.size = 2 * size;
      return (it) => {
        const a = address(it);
        const low = size === 4 ? memory.read32(a) : memory.read16(a) << 16 >> 16;
        const high = size === 4 ? memory.read32((a + 4) | 0) : memory.read16((a + 2) | 0) << 16 >> 16;
        const value = size === 4 ? regs[it.d] : regs16[it.d] << 16 >> 16;
        if (value < low || value > high) faults.raise(VECTOR.BR, NO_ERROR_CODE);
      };
    },
    hlt: () => (op) => {
      if (S[CPL] !== 0) faults.raise(VECTOR.GP, 0);
      S[EIP] = op.next;
      S[HALTED] = 1;
      core.attend();
    },
  };
}

