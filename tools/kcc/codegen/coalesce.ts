// Joins virtual registers that a move connects, so that the move vanishes.
//
// Two registers may be one when neither is alive where the other is written,
// moves between the two aside: there both hold the same value.

import { FIRST_VIRTUAL, isRegisterMove, renamed } from "./lir.js";
import type { LirFunction, RegisterOperand } from "./lir.js";
import { computeLiveness, covers, unite } from "./liveness.js";
import type { Liveness } from "./liveness.js";

class Joiner {
  private readonly fn: LirFunction;
  private readonly liveness: Liveness;
  private readonly parent: number[];

  constructor(fn: LirFunction) {
    this.fn = fn;
    this.liveness = computeLiveness(fn);
    this.parent = this.liveness.ranges.map((_, i) => i);
  }

  find(register: number): number {
    let root = register;
    while (this.parent[root] !== root) root = this.parent[root];
    this.parent[register] = root;
    return root;
  }

  private isMoveBetween(position: number, a: number, b: number): boolean {
    const inst = this.liveness.insts[position >> 1];
    if (!isRegisterMove(inst)) return false;
    const to = this.find((inst.a as RegisterOperand).register);
    const from = this.find((inst.b as RegisterOperand).register);
    return (to === a && from === b) || (to === b && from === a);
  }

  private clashes(written: number, other: number): boolean {
    const { writes, ranges } = this.liveness;
    return writes[written].some((position) => (
      covers(ranges[other], position) && !this.isMoveBetween(position, written, other)));
  }

  private tryJoin(to: number, from: number): void {
    const [a, b] = [this.find(to), this.find(from)];
    if (a === b) return;
    const { classes } = this.fn;
    const mask = classes[a - FIRST_VIRTUAL] & classes[b - FIRST_VIRTUAL];
    if (mask === 0 || this.clashes(a, b) || this.clashes(b, a)) return;
    const { ranges, writes } = this.liveness;
    this.parent[b] = a;
    ranges[a] = unite(ranges[a], ranges[b]);
    writes[a] = [...writes[a], ...writes[b]];
    classes[a - FIRST_VIRTUAL] = mask;
  }

  run(): void {
    const { insts, depths } = this.liveness;
    const moves = insts.map((_, i) => i).filter((i) => isRegisterMove(insts[i]));
    // The moves of inner loops first; they cost the most.
    moves.sort((i, j) => depths[j] - depths[i] || i - j);
    for (const i of moves) {
      const to = (insts[i].a as RegisterOperand).register;
      const from = (insts[i].b as RegisterOperand).register;
      if (to >= FIRST_VIRTUAL && from >= FIRST_VIRTUAL) this.tryJoin(to, from);
    }
    const rename = (register: number): number => this.find(register);
    for (const block of this.fn.blocks) {
      for (const inst of block.insts) {
        inst.a = renamed(inst.a, rename);
        inst.b = renamed(inst.b, rename);
      }
      block.insts = block.insts.filter((inst) => !isRegisterMove(inst)
        || (inst.a as RegisterOperand).register !== (inst.b as RegisterOperand).register);
    }
  }
}

/** Joins what can be joined and renames the function's registers. */
export function coalesce(fn: LirFunction): void {
  new Joiner(fn).run();
}
