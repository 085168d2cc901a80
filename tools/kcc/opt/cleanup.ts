// The passes that tidy: phis that merge one value, branches on constants,
// blocks that only jump, values that nobody uses.

import { distinctSuccessors, mustStay, resolve, resolveAll } from "../ir/ir.js";
import type { Block, IrFunction, Value } from "../ir/ir.js";
import { makeJump, removeUnreachable } from "./graph.js";

/** Replaces phis whose arguments are all one value (or the phi itself). */
export function removeTrivialPhis(fn: IrFunction): void {
  for (let changed = true; changed;) {
    changed = false;
    for (const block of fn.blocks) {
      block.phis = block.phis.filter((phi) => {
        const others = new Set(phi.args.map(resolve));
        others.delete(phi);
        if (others.size !== 1) return true;
        phi.forward = [...others][0];
        changed = true;
        return false;
      });
    }
  }
  resolveAll(fn);
}

/** Branches whose outcome is known become jumps. */
export function foldBranches(fn: IrFunction): void {
  for (const block of fn.blocks) {
    if (block.ending === "branch") {
      const [yes, no] = block.successors;
      const [condition] = block.control;
      if (yes === no) makeJump(block, yes);
      else if (condition.op === "const") makeJump(block, condition.imm !== 0 ? yes : no);
    } else if (block.ending === "switch") {
      const [index] = block.control;
      const last = block.successors.length - 1;
      if (index.op === "const") makeJump(block, block.successors[Math.min(index.imm >>> 0, last)]);
      else if (distinctSuccessors(block).length === 1) makeJump(block, block.successors[0]);
    }
  }
  removeUnreachable(fn);
}

/** Joins a block to its only predecessor when that one only jumps to it. */
function joinChains(fn: IrFunction): void {
  const gone = new Set<Block>();
  for (const block of fn.blocks) {
    if (gone.has(block)) continue;
    for (;;) {
      const next = block.successors[0];
      if (block.ending !== "jump" || next.predecessors.length !== 1 || next === block || next === fn.blocks[0]) break;
      for (const phi of next.phis) phi.forward = phi.args[0];
      block.body.push(...next.body);
      block.ending = next.ending;
      block.control = next.control;
      block.successors = next.successors;
      block.endOrigin = next.endOrigin;
      for (const successor of distinctSuccessors(next)) {
        successor.predecessors[successor.predecessors.indexOf(next)] = block;
      }
      gone.add(next);
    }
  }
  fn.blocks = fn.blocks.filter((block) => !gone.has(block));
  resolveAll(fn);
}

/** Lets the predecessors of a block that only jumps go straight to its target. */
function bypassEmptyBlocks(fn: IrFunction): void {
  for (const block of fn.blocks) {
    if (block === fn.blocks[0] || block.ending !== "jump" || block.body.length > 0 || block.phis.length > 0) continue;
    const target = block.successors[0];
    if (target === block) continue;
    const clashes = block.predecessors.some((from) => target.predecessors.includes(from));
    if (clashes && target.phis.length > 0) continue;
    const index = target.predecessors.indexOf(block);
    target.predecessors.splice(index, 1);
    const values = target.phis.map((phi) => phi.args.splice(index, 1)[0]);
    for (const from of block.predecessors) {
      from.successors = from.successors.map((successor) => (successor === block ? target : successor));
      if (target.predecessors.includes(from)) continue;
      target.predecessors.push(from);
      target.phis.forEach((phi, i) => phi.args.push(values[i]));
    }
    block.predecessors = [];
    block.successors = [];
    block.ending = "trap";
  }
  removeUnreachable(fn);
}

/** Drops values without users that need not stay. */
export function removeDeadValues(fn: IrFunction): void {
  const live = new Set<Value>();
  const work: Value[] = [];
  for (const block of fn.blocks) {
    work.push(...block.control);
    for (const value of block.body) if (mustStay(value)) work.push(value);
  }
  for (let value = work.pop(); value !== undefined; value = work.pop()) {
    if (live.has(value)) continue;
    live.add(value);
    work.push(...value.args);
  }
  for (const block of fn.blocks) {
    block.phis = block.phis.filter((phi) => live.has(phi));
    block.body = block.body.filter((value) => live.has(value));
    for (const value of block.body) dropDeadHigh(value, live);
  }
}

/** A two-word operation whose high word nobody wants needs only its low half. */
function dropDeadHigh(value: Value, live: ReadonlySet<Value>): void {
  if (value.high === undefined || live.has(value.high)) return;
  value.high = undefined;
  const [aLow, , bLow] = value.args;
  if (value.op === "add64") [value.op, value.args] = ["add", [aLow, bLow]];
  else if (value.op === "sub64") [value.op, value.args] = ["sub", [aLow, bLow]];
  else if (value.op === "umul64") value.op = "mul";
}

/** Runs the tidying passes until the graph is in its plain form. */
export function cleanUp(fn: IrFunction): void {
  removeUnreachable(fn);
  removeTrivialPhis(fn);
  foldBranches(fn);
  removeTrivialPhis(fn);
  bypassEmptyBlocks(fn);
  // Both ways of a branch may now lead to one block.
  foldBranches(fn);
  joinChains(fn);
  removeTrivialPhis(fn);
  removeDeadValues(fn);
}

