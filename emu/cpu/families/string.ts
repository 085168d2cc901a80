// MOVS CMPS STOS LODS SCAS INS OUTS, single and repeated.
//
// A repeated instruction keeps its progress in the registers after every
// iteration, so a fault or an interrupt leaves it restartable. When the slice of
// clocks runs out half way, it leaves with EIP on itself and REPEAT_RESUMED set
// to the iterations done: continued without an interrupt, it pays its base
// clocks once.
import type { Core } from "../core.js";
import type { Binder, Execute, Family, Op } from "../op.js";
import { operandBytes } from "../op.js";
import type { Operands } from "../operands.js";
import { READ, WRITE } from "../mmu.js";
import { KEY } from "../segments.js";
import {
  BUDGET, DECODE_KEY, DS, ECX, EDI, EDX, EFLAGS, EIP, ES, ESI, FLAG, FLAG_RESULT, INSTRUCTIONS, MODE,
  REPEAT_RESUMED, WATCHING,
} from "../state.js";
import type { IoAccess } from "./io.js";

/** One iteration at the given sizes; returns nothing, moves the index registers. */
type Iteration = (op: Op, size: number) => void;

export function createString(core: Core, operands: Operands, io: IoAccess): Family {
  const { state, flags, memory, mmu, segments } = core;
  const { waitStates } = core.penalties;
  const { S, regs, regs8, regs16, mem8, mem32, ramSize, tlbRead } = state;
  const { read8, read16, read32, write8, write16, write32 } = memory;
  const { writeRegister, readRegister } = operands;

  const step = (size: number): number => ((S[EFLAGS] & FLAG.DF) === 0 ? size : -size);

  function indexOf(op: Op, register: number): number {
    return op.instruction.addressSize === 4 ? regs[register] : regs16[register << 1];
  }

  function advance(op: Op, register: number, by: number): void {
    if (op.instruction.addressSize === 4) regs[register] = (regs[register] + by) | 0;
    else regs16[register << 1] += by;
  }

  /** DS:eSI, or with a segment prefix. */
  function sourceAddress(op: Op, size: number): number {
    const { override } = op.instruction;
    const offset = indexOf(op, ESI);
    if (override < 0 && (S[DECODE_KEY] & KEY.DS) === 0) return offset;
    return segments.linear(override < 0 ? DS : override, offset, size, false);
  }

  /** ES:eDI; no prefix changes it. */
  function destinationAddress(op: Op, size: number, write: boolean): number {
    const offset = indexOf(op, EDI);
    return (S[DECODE_KEY] & KEY.ES) === 0 ? offset : segments.linear(ES, offset, size, write);
  }

  function load(a: number, size: number): number {
    return size === 4 ? read32(a) : size === 2 ? read16(a) : read8(a);
  }

  function store(a: number, size: number, value: number): void {
    if (size === 4) write32(a, value);
    else if (size === 2) write16(a, value);
    else write8(a, value);
  }

  function compare(size: number, a: number, b: number): void {
    if (size === 4) flags.sub32(a, b);
    else if (size === 2) flags.sub16(a, b);
    else flags.sub8(a, b);
  }

  const movs: Iteration = (op, size) => {
    const value = load(sourceAddress(op, size), size);
    store(destinationAddress(op, size, true), size, value);
    advance(op, ESI, step(size));
    advance(op, EDI, step(size));
  };

  const stos: Iteration = (op, size) => {
    store(destinationAddress(op, size, true), size, readRegister(0, size));
    advance(op, EDI, step(size));
  };

  const lods: Iteration = (op, size) => {
    const value = load(sourceAddress(op, size), size);
    writeRegister(0, size, value);
    advance(op, ESI, step(size));
  };

  const scas: Iteration = (op, size) => {
    compare(size, readRegister(0, size), load(destinationAddress(op, size, false), size));
    advance(op, EDI, step(size));
  };

  const cmps: Iteration = (op, size) => {
    const a = load(sourceAddress(op, size), size);
    compare(size, a, load(destinationAddress(op, size, false), size));
    advance(op, ESI, step(size));
    advance(op, EDI, step(size));
  };

  const ins: Iteration = (op, size) => {
    // The destination is checked before the port is read: a read has effects.
    const at = destinationAddress(op, size, true);
    memory.prepareWrite(at, size);
    store(at, size, io.read(regs16[EDX << 1], size));
    advance(op, EDI, step(size));
  };

  const outs: Iteration = (op, size) => {
    const value = load(sourceAddress(op, size), size);
    io.write(regs16[EDX << 1], size, value);
    advance(op, ESI, step(size));
  };

  /** Bytes from an address to the end of its page, upwards. */
  function room(a: number): number {
    return 4096 - (a & 0xfff);
  }

  /** Iterations of so many accesses that the slice still pays for, at least one. */
  function affordable(op: Op, accesses: number): number {
    if (op.extra === 0) return 0x7fffffff;
    return Math.max(1, Math.ceil((S[BUDGET] - op.before) / (op.extra + accesses * waitStates)));
  }

  function inRam(physical: number): boolean {
    return (physical >>> 0) < ramSize;
  }

  /** The physical address of the first access of a run, which is charged before it may fault as a single one is. */
  function begin(linear: number, access: typeof READ | typeof WRITE): number {
    S[BUDGET] -= waitStates;
    return mmu.translate(linear, access) >>> 0;
  }

  /** Several iterations of MOVS inside one page of each operand; how many were done (0: use single steps). */
  function moveRun(op: Op, size: number, count: number): number {
    if (step(size) < 0 || op.instruction.addressSize !== 4) return 0;
    const source = sourceAddress(op, size);
    const destination = destinationAddress(op, size, true);
    const inPages = Math.floor(Math.min(room(source), room(destination)) / size);
    const wanted = Math.min(count, affordable(op, 2), inPages);
    if (wanted < 4 || ((source | destination) & (size - 1)) !== 0 || (S[DECODE_KEY] & (KEY.DS | KEY.ES)) !== 0
      || op.instruction.override >= 0) return 0;
    const from = begin(source, READ);
    const to = begin(destination, WRITE);
    const bytes = wanted * size;
    // The page of the destination may have taken the place of the source's in the TLB.
    if ((tlbRead[(source >>> 12) + S[MODE]] & 1) !== 0 || !inRam(from) || !inRam(to) || S[WATCHING] !== 0
      || mmu.codePages[to >>> 12] !== 0
      // Overlapping upwards, each item must be seen by later ones.
      || (to > from && to < from + bytes)) {
      S[BUDGET] += 2 * waitStates;
      return 0;
    }
    mem8.copyWithin(to, from, from + bytes);
    S[BUDGET] -= 2 * (wanted - 1) * waitStates;
    regs[ESI] = (regs[ESI] + bytes) | 0;
    regs[EDI] = (regs[EDI] + bytes) | 0;
    return wanted;
  }

  function storeRun(op: Op, size: number, count: number): number {
    if (step(size) < 0 || op.instruction.addressSize !== 4) return 0;
    const destination = destinationAddress(op, size, true);
    const wanted = Math.min(count, affordable(op, 1), Math.floor(room(destination) / size));
    if (wanted < 4 || (destination & (size - 1)) !== 0 || (S[DECODE_KEY] & KEY.ES) !== 0) return 0;
    const to = begin(destination, WRITE);
    if (!inRam(to) || mmu.codePages[to >>> 12] !== 0 || S[WATCHING] !== 0) {
      S[BUDGET] += waitStates;
      return 0;
    }
    if (size === 4) mem32.fill(regs[0], to >>> 2, (to >>> 2) + wanted);
    else if (size === 1) mem8.fill(regs8[0], to, to + wanted);
    else state.mem16.fill(regs16[0], to >>> 1, (to >>> 1) + wanted);
    S[BUDGET] -= (wanted - 1) * waitStates;
    regs[EDI] = (regs[EDI] + wanted * size) | 0;
    return wanted;
  }

  /** Charges iterations done..done+n of a repeated instruction; the base comes with the first call for 0. */
  function pay(op: Op, done: number, n: number): void {
    const charge = (iterations: number): number => op.charge(op.cell, false, iterations);
    S[BUDGET] -= charge(done + n) - (done + n === 0 ? 0 : charge(done));
  }

  type Run = ((op: Op, size: number, count: number) => number) | null;

  /** The loop of a repeated instruction. `whileZero`: ZF that lets REPE or REPNE go on, -1 for REP. */
  function repeat(op: Op, size: number, iteration: Iteration, run: Run, whileZero: number): void {
    let done = S[REPEAT_RESUMED];
    if (done === 0) pay(op, 0, 0);
    // Continued: the static clocks were paid when it left.
    else S[BUDGET] += op.after - op.before;
    S[REPEAT_RESUMED] = 0;
    for (;;) {
      const count = indexOf(op, ECX);
      if (count === 0) break;
      // Under the single-step trap each iteration is a step.
      let n = run === null || (S[EFLAGS] & FLAG.TF) !== 0 ? 0 : run(op, size, count >>> 0);
      if (n === 0) {
        iteration(op, size);
        n = 1;
      }
      advance(op, ECX, -n);
      pay(op, done, n);
      done += n;
      if (whileZero >= 0 && (S[FLAG_RESULT] === 0 ? 1 : 0) !== whileZero) break;
      if (S[BUDGET] - op.before <= 0 && indexOf(op, ECX) !== 0) {
        S[EIP] = op.eip;
        S[REPEAT_RESUMED] = done;
        S[INSTRUCTIONS]--;
        return;
      }
    }
    S[EIP] = op.next;
  }

  /** `own`: index of the operand whose size counts. */
  const stringOf = (iteration: Iteration, run: Run, own = 0): Binder => (op, { row, operandSize, repeat: prefix }) => {
    const size = operandBytes(row!.operands.split(",")[own], operandSize);
    if (prefix === 0) return (it) => iteration(it, size);
    const whileZero = row!.repeat === "repe" ? (prefix === 0xf3 ? 1 : 0) : -1;
    op.transfers = true;
    op.ends = true;
    op.extra = op.charge(op.cell, false, 1001) - op.charge(op.cell, false, 1000);
    return (it) => repeat(it, size, iteration, run, whileZero);
  };

  /** INS and OUTS check the port first, and their clocks depend on how it was permitted. */
  const portOf = (iteration: Iteration, own: number): Binder => (op, { row, operandSize, repeat: prefix }) => {
    const size = operandBytes(row!.operands.split(",")[own], operandSize);
    const single: Execute = (it) => {
      io.check(regs16[EDX << 1], size);
      iteration(it, size);
    };
    if (prefix === 0) return (it) => {
      single(it);
      S[BUDGET] -= io.clocks(it.cell);
    };
    op.transfers = true;
    op.ends = true;
    return (it) => repeatPort(it, single);
  };

  function repeatPort(op: Op, single: Execute): void {
    const timed = op.cell.rule === "repeatIo";
    const each = timed ? op.cell.parameters[1] : 0;
    if (S[REPEAT_RESUMED] === 0) S[BUDGET] -= timed ? io.clocks(op.cell) : 0;
    else S[BUDGET] += op.after - op.before;
    S[REPEAT_RESUMED] = 0;
    while (indexOf(op, ECX) !== 0) {
      single(op);
      advance(op, ECX, -1);
      S[BUDGET] -= each;
      if (S[BUDGET] - op.before <= 0 && indexOf(op, ECX) !== 0) {
        S[EIP] = op.eip;
        S[REPEAT_RESUMED] = 1;
        S[INSTRUCTIONS]--;
        return;
      }
    }
    S[EIP] = op.next;
  }

  return {
    movs: stringOf(movs, moveRun),
    cmps: stringOf(cmps, null),
    stos: stringOf(stos, storeRun),
    lods: stringOf(lods, null, 1),
    scas: stringOf(scas, null, 1),
    ins: portOf(ins, 0),
    outs: portOf(outs, 1),
  };
}
