// Register allocation: intervals in order of their weight, each to a machine
// register that is free over all its live ranges; what finds none is spilled,
// and the allocation starts again with the small intervals that spilling made.
//
// The weight of an interval is what spilling it would cost, uses counted by
// loop depth, divided by its length. Intervals of spill code weigh infinitely.
// Moves to and from machine registers and between intervals are hints.

import { populationCount } from "../ir/fold.js";
import { coalesce } from "./coalesce.js";
import {
  CALLER_SAVED_MASK, CALLEE_SAVED, EAX, ECX, EDX, FIRST_VIRTUAL, forEachDef, forEachUse, isRegisterMove, renamed,
} from "./lir.js";
import type { Inst, LirFunction, Operand, RegisterOperand } from "./lir.js";
import { computeLiveness } from "./liveness.js";
import type { Liveness, Ranges } from "./liveness.js";
import { newSpillSlot, spill } from "./spill.js";
import type { Place } from "./spill.js";

const ORDER = [EAX, EDX, ECX, ...CALLEE_SAVED];
const LOOP_FACTOR = 8;
/** An interval that costs less than this does not open a callee-saved register of its own. */
const CALLEE_SAVED_COST = 2.5;

interface Interval {
  readonly register: number;
  readonly ranges: Ranges;
  cost: number;
  weight: number;
  /** Registers it would like: machine or virtual, with the gain. */
  readonly hints: { readonly register: number; readonly gain: number }[];
  /** Its only definition when that is a constant or an incoming word. */
  fixed: Operand | undefined;
}

class Allocator {
  private readonly fn: LirFunction;
  private readonly liveness: Liveness;
  private readonly temporaries: ReadonlySet<number>;
  private readonly intervals: Interval[] = [];
  /** Per machine register, 1 at each position where it is taken. */
  private readonly taken: Uint8Array[];
  readonly assigned = new Map<number, number>();
  readonly spilled: Interval[] = [];
  private usedMask = CALLER_SAVED_MASK;

  constructor(fn: LirFunction, temporaries: ReadonlySet<number>) {
    this.fn = fn;
    this.temporaries = temporaries;
    this.liveness = computeLiveness(fn);
    const length = 2 * this.liveness.insts.length + 2;
    this.taken = Array.from({ length: FIRST_VIRTUAL }, (_, register) => {
      const marks = new Uint8Array(length);
      this.mark(marks, this.liveness.ranges[register]);
      return marks;
    });
  }

  private mark(marks: Uint8Array, ranges: Ranges): void {
    for (let i = 0; i < ranges.length; i += 2) marks.fill(1, ranges[i], ranges[i + 1]);
  }

  private isFree(marks: Uint8Array, ranges: Ranges): boolean {
    for (let i = 0; i < ranges.length; i += 2) {
      for (let position = ranges[i]; position < ranges[i + 1]; position++) if (marks[position] !== 0) return false;
    }
    return true;
  }

  private collect(): void {
    const byRegister = new Map<number, Interval>();
    this.liveness.ranges.forEach((ranges, register) => {
      if (register < FIRST_VIRTUAL || ranges.length === 0) return;
      const interval: Interval = { register, ranges, cost: 0, weight: 0, hints: [], fixed: undefined };
      byRegister.set(register, interval);
      this.intervals.push(interval);
    });
    this.liveness.insts.forEach((inst, i) =>
      this.weigh(inst, LOOP_FACTOR ** Math.min(this.liveness.depths[i], 6), byRegister));
    for (const interval of this.intervals) this.finish(interval);
    // Among those that cannot be spilled, the ones with fewer registers to choose from go first.
    const choices = ({ register }: Interval): number => populationCount(this.fn.classes[register - FIRST_VIRTUAL]);
    this.intervals.sort((a, b) => {
      if (a.weight !== b.weight) return b.weight - a.weight;
      return choices(a) - choices(b) || a.register - b.register;
    });
  }

  private weigh(inst: Inst, factor: number, byRegister: ReadonlyMap<number, Interval>): void {
    const isFixedLoad = inst.op === "mov" && inst.b !== undefined && isFixedSource(inst.b);
    forEachDef(inst, (register) => {
      const interval = byRegister.get(register);
      if (interval === undefined) return;
      if (!isFixedLoad) interval.cost += factor;
      else if (this.liveness.writes[register].length === 1) interval.fixed = inst.b;
    });
    forEachUse(inst, (register) => {
      const interval = byRegister.get(register);
      if (interval !== undefined) interval.cost += factor;
    });
    const isTie = inst.op === "lea" && inst.b?.kind === "memory";
    if (!isRegisterMove(inst) && !isTie) return;
    const to = (inst.a as RegisterOperand).register;
    const sources = inst.b?.kind === "memory" ? [inst.b.base, inst.b.index] : [(inst.b as RegisterOperand).register];
    for (const from of sources) {
      if (from < 0) continue;
      const gain = isTie ? factor / 4 : factor;
      byRegister.get(to)?.hints.push({ register: from, gain });
      byRegister.get(from)?.hints.push({ register: to, gain });
    }
  }

  private finish(interval: Interval): void {
    let length = 0;
    for (let i = 0; i < interval.ranges.length; i += 2) length += interval.ranges[i + 1] - interval.ranges[i];
    const isTemporary = this.temporaries.has(interval.register);
    interval.weight = isTemporary ? Infinity : interval.cost / (length + 4);
  }

  /** How much each machine register is wished for. */
  private wishes(interval: Interval): number[] {
    const wishes = new Array<number>(FIRST_VIRTUAL).fill(0);
    for (const { register, gain } of interval.hints) {
      const machine = register < FIRST_VIRTUAL ? register : this.assigned.get(register);
      if (machine !== undefined) wishes[machine] += gain;
    }
    return wishes;
  }

  private choose(interval: Interval): number | undefined {
    const mask = this.fn.classes[interval.register - FIRST_VIRTUAL];
    const wishes = this.wishes(interval);
    let best: number | undefined;
    for (const register of ORDER) {
      if ((mask & (1 << register)) === 0 || !this.isFree(this.taken[register], interval.ranges)) continue;
      const opens = (this.usedMask & (1 << register)) === 0;
      if (opens && interval.weight !== Infinity && interval.fixed !== undefined
        && interval.cost < CALLEE_SAVED_COST) continue;
      if (opens) wishes[register] -= 2;
      if (best === undefined || wishes[register] > wishes[best]) best = register;
    }
    return best;
  }

  /** Gives every interval a register or puts it among the spilled. */
  run(): void {
    this.collect();
    for (const interval of this.intervals) {
      const register = this.choose(interval);
      if (register === undefined) {
        if (interval.weight === Infinity) throw new Error(`${this.fn.name}: no register for an operand of spill code`);
        this.spilled.push(interval);
        continue;
      }
      this.assigned.set(interval.register, register);
      this.usedMask |= 1 << register;
      this.mark(this.taken[register], interval.ranges);
    }
  }

  /** Where the spilled intervals go; those that do not overlap share a slot. */
  places(): Map<number, Place> {
    const slots: { readonly operand: Operand; readonly marks: Uint8Array }[] = [];
    const places = new Map<number, Place>();
    for (const { register, ranges, fixed } of this.spilled) {
      if (fixed !== undefined) {
        places.set(register, { operand: fixed, isFixed: true });
        continue;
      }
      let slot = slots.find(({ marks }) => this.isFree(marks, ranges));
      if (slot === undefined) {
        slot = { operand: newSpillSlot(this.fn), marks: new Uint8Array(this.taken[0].length) };
        slots.push(slot);
      }
      this.mark(slot.marks, ranges);
      places.set(register, { operand: slot.operand, isFixed: false });
    }
    return places;
  }
}

/** Constants and incoming stack words can be read again anywhere. */
function isFixedSource(operand: Operand): boolean {
  if (operand.kind === "immediate") return true;
  return operand.kind === "memory" && operand.slot < 0 && operand.base === 5 && operand.index < 0
    && operand.displacement >= 8;
}

function rename(fn: LirFunction, assigned: ReadonlyMap<number, number>): void {
  const machine = (register: number): number => (register < FIRST_VIRTUAL ? register : assigned.get(register)!);
  for (const block of fn.blocks) {
    for (const inst of block.insts) {
      inst.a = renamed(inst.a, machine);
      inst.b = renamed(inst.b, machine);
    }
    block.insts = block.insts.filter((inst) => !isRegisterMove(inst)
      || (inst.a as RegisterOperand).register !== (inst.b as RegisterOperand).register);
  }
}

/** Replaces every virtual register by a machine register; adds spill code and frame slots. */
export function allocateRegisters(fn: LirFunction): void {
  coalesce(fn);
  const temporaries = new Set<number>();
  for (;;) {
    const allocator = new Allocator(fn, temporaries);
    allocator.run();
    if (allocator.spilled.length === 0) return rename(fn, allocator.assigned);
    spill(fn, allocator.places(), temporaries);
  }
}
