// ADD OR ADC SBB AND SUB XOR CMP TEST INC DEC NEG NOT.
//
// The 32-bit forms are written out one by one: each handler is then a separate
// function that the JavaScript compiler specialises with its operation inlined.
// The forms: rr register, register; ri register, immediate; rm register,
// memory; mr memory, register; mi memory, immediate. The destination register is
// op.d, the source op.s. Byte and word forms share code, but for comparisons.
import type { Core } from "../core.js";
import type { Instruction } from "../decode.js";
import type { Binder, Execute, Family, Op } from "../op.js";
import { operandBytes } from "../op.js";
import type { Operands } from "../operands.js";

interface Forms {
  readonly rr: Execute;
  readonly ri: Execute;
  readonly rm: Execute;
  readonly mr: Execute;
  readonly mi: Execute;
}

type Operation = (a: number, b: number) => number;

/** Which form an instruction has. */
function formOf(operands: string, memory: boolean): keyof Forms {
  const source = operands.split(",")[1];
  if (source.startsWith("I")) return memory ? "mi" : "ri";
  if (!memory) return "rr";
  return source.startsWith("E") ? "rm" : "mr";
}

export function createAlu(core: Core, operands: Operands): Family {
  const { state, flags, memory } = core;
  const { regs, regs8, regs16, mem32 } = state;
  const { read8, read32, write32, modify32, prepareWrite } = memory;
  const { address, modifyE, readE8, readE16 } = operands;
  const { add32, adc32, sub32, sbb32, inc32, dec32, logic32, sub8, logic8, sub16, logic16 } = flags;

  /** Read-modify-write that the fast path does not handle. */
  function modifySlow(a: number, f: Operation, b: number): void {
    prepareWrite(a, 4);
    write32(a, f(read32(a), b));
  }

  const or32: Operation = (a, b) => logic32(a | b);
  const and32: Operation = (a, b) => logic32(a & b);
  const xor32: Operation = (a, b) => logic32(a ^ b);

  const forms32: Readonly<Record<string, Forms>> = {
    add: {
      rr: (op) => { regs[op.d] = add32(regs[op.d], regs[op.s]); },
      ri: (op) => { regs[op.d] = add32(regs[op.d], op.imm); },
      rm: (op) => { const b = read32(address(op)); regs[op.d] = add32(regs[op.d], b); },
      mr: (op) => {
        const a = address(op);
        const at = modify32(a);
        if (at >= 0) mem32[at] = add32(mem32[at], regs[op.s]);
        else modifySlow(a, add32, regs[op.s]);
      },
      mi: (op) => {
        const a = address(op);
        const at = modify32(a);
        if (at >= 0) mem32[at] = add32(mem32[at], op.imm);
        else modifySlow(a, add32, op.imm);
      },
    },
    or: {
      rr: (op) => { regs[op.d] = logic32(regs[op.d] | regs[op.s]); },
      ri: (op) => { regs[op.d] = logic32(regs[op.d] | op.imm); },
      rm: (op) => { const b = read32(address(op)); regs[op.d] = logic32(regs[op.d] | b); },
      mr: (op) => {
        const a = address(op);
        const at = modify32(a);
        if (at >= 0) mem32[at] = logic32(mem32[at] | regs[op.s]);
        else modifySlow(a, or32, regs[op.s]);
      },
      mi: (op) => {
        const a = address(op);
        const at = modify32(a);
        if (at >= 0) mem32[at] = logic32(mem32[at] | op.imm);
        else modifySlow(a, or32, op.imm);
      },
    },
    adc: {
      rr: (op) => { regs[op.d] = adc32(regs[op.d], regs[op.s]); },
      ri: (op) => { regs[op.d] = adc32(regs[op.d], op.imm); },
      rm: (op) => { const b = read32(address(op)); regs[op.d] = adc32(regs[op.d], b); },
      mr: (op) => modifyE(op, 4, adc32, regs[op.s]),
      mi: (op) => modifyE(op, 4, adc32, op.imm),
    },
    sbb: {
      rr: (op) => { regs[op.d] = sbb32(regs[op.d], regs[op.s]); },
      ri: (op) => { regs[op.d] = sbb32(regs[op.d], op.imm); },
      rm: (op) => { const b = read32(address(op)); regs[op.d] = sbb32(regs[op.d], b); },
      mr: (op) => modifyE(op, 4, sbb32, regs[op.s]),
      mi: (op) => modifyE(op, 4, sbb32, op.imm),
    },
    and: {
      rr: (op) => { regs[op.d] = logic32(regs[op.d] & regs[op.s]); },
      ri: (op) => { regs[op.d] = logic32(regs[op.d] & op.imm); },
      rm: (op) => { const b = read32(address(op)); regs[op.d] = logic32(regs[op.d] & b); },
      mr: (op) => {
        const a = address(op);
        const at = modify32(a);
        if (at >= 0) mem32[at] = logic32(mem32[at] & regs[op.s]);
        else modifySlow(a, and32, regs[op.s]);
      },
      mi: (op) => {
        const a = address(op);
        const at = modify32(a);
        if (at >= 0) mem32[at] = logic32(mem32[at] & op.imm);
        else modifySlow(a, and32, op.imm);
      },
    },
    sub: {
      rr: (op) => { regs[op.d] = sub32(regs[op.d], regs[op.s]); },
      ri: (op) => { regs[op.d] = sub32(regs[op.d], op.imm); },
      rm: (op) => { const b = read32(address(op)); regs[op.d] = sub32(regs[op.d], b); },
      mr: (op) => {
        const a = address(op);
        const at = modify32(a);
        if (at >= 0) mem32[at] = sub32(mem32[at], regs[op.s]);
        else modifySlow(a, sub32, regs[op.s]);
      },
      mi: (op) => {
        const a = address(op);
        const at = modify32(a);
        if (at >= 0) mem32[at] = sub32(mem32[at], op.imm);
        else modifySlow(a, sub32, op.imm);
      },
    },
    xor: {
      rr: (op) => { regs[op.d] = logic32(regs[op.d] ^ regs[op.s]); },
      ri: (op) => { regs[op.d] = logic32(regs[op.d] ^ op.imm); },
      rm: (op) => { const b = read32(address(op)); regs[op.d] = logic32(regs[op.d] ^ b); },
      mr: (op) => modifyE(op, 4, xor32, regs[op.s]),
      mi: (op) => modifyE(op, 4, xor32, op.imm),
    },
    cmp: {
      rr: (op) => { sub32(regs[op.d], regs[op.s]); },
      ri: (op) => { sub32(regs[op.d], op.imm); },
      rm: (op) => { sub32(regs[op.d], read32(address(op))); },
      mr: (op) => { sub32(read32(address(op)), regs[op.s]); },
      mi: (op) => { sub32(read32(address(op)), op.imm); },
    },
    test: {
      rr: (op) => { logic32(regs[op.d] & regs[op.s]); },
      ri: (op) => { logic32(regs[op.d] & op.imm); },
      rm: (op) => { logic32(regs[op.d] & read32(address(op))); },
      mr: (op) => { logic32(read32(address(op)) & regs[op.s]); },
      mi: (op) => { logic32(read32(address(op)) & op.imm); },
    },
  };

  const compare8: Readonly<Record<string, Forms>> = {
    cmp: {
      rr: (op) => { sub8(regs8[op.d], regs8[op.s]); },
      ri: (op) => { sub8(regs8[op.d], op.imm); },
      rm: (op) => { sub8(regs8[op.d], read8(address(op))); },
      mr: (op) => { sub8(read8(address(op)), regs8[op.s]); },
      mi: (op) => { sub8(read8(address(op)), op.imm); },
    },
    test: {
      rr: (op) => { logic8(regs8[op.d] & regs8[op.s]); },
      ri: (op) => { logic8(regs8[op.d] & op.imm); },
      rm: (op) => { logic8(regs8[op.d] & read8(address(op))); },
      mr: (op) => { logic8(read8(address(op)) & regs8[op.s]); },
      mi: (op) => { logic8(read8(address(op)) & op.imm); },
    },
  };

  function narrowForms(size: 1 | 2, f: Operation): Forms {
    const view = size === 1 ? regs8 : regs16;
    const readE = size === 1 ? readE8 : readE16;
    return {
      rr: (op) => { view[op.d] = f(view[op.d], view[op.s]); },
      ri: (op) => { view[op.d] = f(view[op.d], op.imm); },
      rm: (op) => { const b = readE(op); view[op.d] = f(view[op.d], b); },
      mr: (op) => modifyE(op, size, f, view[op.s]),
      mi: (op) => modifyE(op, size, f, op.imm),
    };
  }

  /** A comparison reads its operands and writes none. */
  function narrowCompare(f: Operation): Forms {
    return {
      rr: (op) => { f(regs16[op.d], regs16[op.s]); },
      ri: (op) => { f(regs16[op.d], op.imm); },
      rm: (op) => { f(regs16[op.d], readE16(op)); },
      mr: (op) => { f(readE16(op), regs16[op.s]); },
      mi: (op) => { f(readE16(op), op.imm); },
    };
  }

  const forms16: Readonly<Record<string, Forms>> = {
    add: narrowForms(2, flags.add16),
    or: narrowForms(2, (a, b) => logic16(a | b)),
    adc: narrowForms(2, flags.adc16),
    sbb: narrowForms(2, flags.sbb16),
    and: narrowForms(2, (a, b) => logic16(a & b)),
    sub: narrowForms(2, sub16),
    xor: narrowForms(2, (a, b) => logic16(a ^ b)),
    cmp: narrowCompare(sub16),
    test: narrowCompare((a, b) => logic16(a & b)),
  };
  const forms8: Readonly<Record<string, Forms>> = {
    add: narrowForms(1, flags.add8),
    or: narrowForms(1, (a, b) => logic8(a | b)),
    adc: narrowForms(1, flags.adc8),
    sbb: narrowForms(1, flags.sbb8),
    and: narrowForms(1, (a, b) => logic8(a & b)),
    sub: narrowForms(1, sub8),
    xor: narrowForms(1, (a, b) => logic8(a ^ b)),
    ...compare8,
  };

  const binary: Binder = (_op, instruction) => {
    const { semantic, operands: codes } = instruction.row!;
    const size = operandBytes(codes.split(",")[0], instruction.operandSize);
    const forms = size === 4 ? forms32 : size === 2 ? forms16 : forms8;
    return forms[semantic][formOf(codes, instruction.memory)];
  };

  const unaryOf = (f4: Operation, f2: Operation, f1: Operation, register32: Execute): Binder =>
    (_op: Op, { row, operandSize, memory: isMemory }: Instruction) => {
      const size = operandBytes(row!.operands, operandSize);
      if (size === 4 && !isMemory) return register32;
      const f = size === 4 ? f4 : size === 2 ? f2 : f1;
      return (op) => modifyE(op, size, f, 0);
    };

  return {
    add: binary, or: binary, adc: binary, sbb: binary, and: binary, sub: binary, xor: binary, cmp: binary,
    test: binary,
    inc: unaryOf(inc32, flags.inc16, flags.inc8, (op) => { regs[op.d] = inc32(regs[op.d]); }),
    dec: unaryOf(dec32, flags.dec16, flags.dec8, (op) => { regs[op.d] = dec32(regs[op.d]); }),
    neg: unaryOf((a) => sub32(0, a), (a) => sub16(0, a), (a) => sub8(0, a),
      (op) => { regs[op.d] = sub32(0, regs[op.d]); }),
    not: unaryOf((a) => ~a, (a) => ~a, (a) => ~a, (op) => { regs[op.d] = ~regs[op.d]; }),
  };
}
