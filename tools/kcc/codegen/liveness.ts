// Live ranges of virtual and machine registers.
//
// The instructions of a function are numbered through in layout order.
// Instruction i reads its operands at position 2i and writes its results at
// 2i+1. A live range is a half-open interval of positions; a register's ranges
// are sorted and do not touch. A register read last by instruction i ends at
// 2i+1, so the result of that instruction may take its place.

import { FIRST_VIRTUAL, forEachDef, forEachUse, operationOf } from "./lir.js";
import type { Inst, LirBlock, LirFunction } from "./lir.js";

/** from, to, from, to, … ascending. */
export type Ranges = number[];

export interface Liveness {
  /** By register number, machine registers included. */
  readonly ranges: Ranges[];
  /** Positions 2i+1 of the writes of each register, ascending. */
  readonly writes: number[][];
  /** All instructions in order. */
  readonly insts: Inst[];
  /** Loop depth of the block of each instruction. */
  readonly depths: number[];
}

function liveIn(fn: LirFunction, total: number): Map<LirBlock, Uint32Array> {
  const words = (total + 31) >> 5;
  const bySource = new Map(fn.blocks.map((block) => [block.source, block]));
  const reads = new Map<LirBlock, Uint32Array>();
  const kills = new Map<LirBlock, Uint32Array>();
  const result = new Map<LirBlock, Uint32Array>();
  for (const block of fn.blocks) {
    const [read, kill] = [new Uint32Array(words), new Uint32Array(words)];
    for (const inst of block.insts) {
      // Machine registers live only inside a block, so they are not part of this.
      forEachUse(inst, (register) => {
        if (register >= FIRST_VIRTUAL
          && (kill[register >> 5] & (1 << (register & 31))) === 0) read[register >> 5] |= 1 << (register & 31);
      });
      forEachDef(inst, (register) => (kill[register >> 5] |= 1 << (register & 31)));
    }
    reads.set(block, read);
    kills.set(block, kill);
    result.set(block, read.slice());
  }
  for (let changed = true; changed;) {
    changed = false;
    for (let i = fn.blocks.length - 1; i >= 0; i--) {
      const block = fn.blocks[i];
      const live = result.get(block)!;
      const kill = kills.get(block)!;
      for (const source of block.source.successors) {
        const next = result.get(bySource.get(source)!)!;
        for (let w = 0; w < words; w++) {
          const added = next[w] & ~kill[w] & ~live[w];
          if (added === 0) continue;
          live[w] |= added;
          changed = true;
        }
      }
    }
  }
  return result;
}

const RETURNS_TWICE = "setjmp";

function addBits(words: Uint32Array, into: Set<number>): void {
  for (let w = 0; w < words.length; w++) {
    for (let bits = words[w]; bits !== 0; bits &= bits - 1) into.add(w * 32 + 31 - Math.clz32(bits & -bits));
  }
}

/**
 * Values that live when setjmp returns must survive in every block that can
 * follow, even past their last use: a longjmp there brings control back to
 * where they are needed. Gives, per block, what is alive throughout for that.
 */
function keptAlive(fn: LirFunction, liveOut: (block: LirBlock) => Set<number>): Map<LirBlock, Set<number>> {
  const kept = new Map<LirBlock, Set<number>>();
  const bySource = new Map(fn.blocks.map((block) => [block.source, block]));
  for (const block of fn.blocks) {
    if (!block.insts.some(({ op, symbol }) => op === "call" && symbol === RETURNS_TWICE)) continue;
    const live = liveOut(block);
    for (let i = block.insts.length - 1; block.insts[i].symbol !== RETURNS_TWICE; i--) {
      forEachDef(block.insts[i], (register) => live.delete(register));
      forEachUse(block.insts[i], (register) => live.add(register));
    }
    const work = [block];
    for (let next = work.pop(); next !== undefined; next = work.pop()) {
      const set = kept.get(next) ?? new Set<number>();
      const before = set.size;
      for (const register of live) if (register >= FIRST_VIRTUAL) set.add(register);
      if (kept.has(next) && set.size === before) continue;
      kept.set(next, set);
      for (const source of next.source.successors) work.push(bySource.get(source)!);
    }
  }
  return kept;
}

/** Builds ranges from the last position to the first; `list` holds them reversed. */
function extend(list: Ranges, from: number, to: number): void {
  const last = list.length - 2;
  if (last >= 0 && to >= list[last + 1]) {
    list[last + 1] = Math.min(from, list[last + 1]);
    return;
  }
  list.push(to, from);
}

class RangeBuilder {
  readonly reversed: Ranges[];
  readonly writes: number[][];
  private live = new Set<number>();
  private blockStart = 0;

  constructor(total: number) {
    this.reversed = Array.from({ length: total }, () => []);
    this.writes = Array.from({ length: total }, () => []);
  }

  enterFromBelow(start: number, end: number, liveOut: Iterable<number>): void {
    this.blockStart = start;
    this.live = new Set(liveOut);
    for (const register of this.live) extend(this.reversed[register], start, end);
  }

  private write(register: number, position: number): void {
    const list = this.reversed[register];
    this.writes[register].push(position);
    if (this.live.has(register)) list[list.length - 1] = position;
    else extend(list, position, position + 1);
    this.live.delete(register);
  }

  private read(register: number, position: number): void {
    extend(this.reversed[register], this.blockStart, position + 1);
    this.live.add(register);
  }

  visit(inst: Inst, index: number): void {
    const position = 2 * index;
    const operation = operationOf(inst.op);
    for (let r = 0; r < FIRST_VIRTUAL; r++) if ((inst.defs & (1 << r)) !== 0) this.write(r, position + 1);
    forEachDef(inst, (register) => this.write(register, position + 1));
    forEachUse(inst, (register) => this.read(register, position));
    if (operation.b === "modify" && inst.b?.kind === "register") this.read(inst.b.register, position);
    for (let r = 0; r < FIRST_VIRTUAL; r++) if ((inst.uses & (1 << r)) !== 0) this.read(r, position);
  }
}

/** Computes the live ranges of all registers of a function. */
export function computeLiveness(fn: LirFunction): Liveness {
  const total = fn.classes.length + FIRST_VIRTUAL;
  const into = liveIn(fn, total);
  const bySource = new Map(fn.blocks.map((block) => [block.source, block]));
  const insts = fn.blocks.flatMap((block) => block.insts);
  const depths = fn.blocks.flatMap((block) => block.insts.map(() => block.source.loopDepth));
  const builder = new RangeBuilder(total);
  const liveOut = (block: LirBlock): Set<number> => {
    const out = new Set<number>();
    for (const source of block.source.successors) addBits(into.get(bySource.get(source)!)!, out);
    return out;
  };
  const kept = keptAlive(fn, liveOut);
  let end = insts.length;
  for (const block of [...fn.blocks].reverse()) {
    const start = end - block.insts.length;
    const out = liveOut(block);
    for (const register of kept.get(block) ?? []) out.add(register);
    builder.enterFromBelow(2 * start, 2 * end, out);
    for (let i = end - 1; i >= start; i--) builder.visit(insts[i], i);
    end = start;
  }
  const flip = (list: number[]): number[] => list.reverse();
  return { ranges: builder.reversed.map(flip), writes: builder.writes.map(flip), insts, depths };
}

/** True when the position lies in one of the ranges. */
export function covers(ranges: Ranges, position: number): boolean {
  let low = 0;
  let high = ranges.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (position < ranges[2 * middle]) high = middle - 1;
    else if (position >= ranges[2 * middle + 1]) low = middle + 1;
    else return true;
  }
  return false;
}

/** The union of two sorted range lists. */
export function unite(a: Ranges, b: Ranges): Ranges {
  const result: Ranges = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const takeA = j >= b.length || (i < a.length && a[i] <= b[j]);
    const [from, to] = takeA ? [a[i], a[i + 1]] : [b[j], b[j + 1]];
    if (takeA) i += 2;
    else j += 2;
    const last = result.length - 1;
    if (last >= 0 && from <= result[last]) result[last] = Math.max(result[last], to);
    else result.push(from, to);
  }
  return result;
}
