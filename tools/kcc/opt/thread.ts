// Threads conditions: a block that only tests which way it was reached.
//
// `a && b` comes as two branches that meet in a phi of b and the constant 0,
// which a block tests again. A predecessor that brings a constant knows the
// outcome of that test, so its edge can go straight to where the test leads.
//
// A block B qualifies when it ends in a branch and what it computes serves only
// that branch and the phis of its successors; then nothing but those phis needs
// an argument for the new edge.

import { foldConstants } from "../ir/fold.js";
import { mustStay } from "../ir/ir.js";
import type { Block, IrFunction, Value } from "../ir/ir.js";
import { addEdge, removeEdge } from "./graph.js";

const MAX_BODY = 4;

/** Users of each value: blocks for controls, values otherwise, with the block a phi argument arrives from. */
function usedElsewhere(fn: IrFunction): Set<Value> {
  const home = new Map<Value, Block>();
  for (const block of fn.blocks) for (const value of [...block.phis, ...block.body]) home.set(value, block);
  const elsewhere = new Set<Value>();
  for (const block of fn.blocks) {
    for (const phi of block.phis) {
      // Arguments that arrive from their own block are renewed with the edge.
      phi.args.forEach((arg, i) => {
        if (home.get(arg) !== block.predecessors[i] || home.get(arg) === block) elsewhere.add(arg);
      });
    }
    const use = (value: Value): void => {
      if (home.get(value) !== block) elsewhere.add(value);
    };
    for (const value of block.body) value.args.forEach(use);
    block.control.forEach(use);
  }
  return elsewhere;
}

function qualifies(block: Block, elsewhere: ReadonlySet<Value>): boolean {
  if (block.ending !== "branch" || block.phis.length === 0 || block.body.length > MAX_BODY) return false;
  if (block.body.some((value) => mustStay(value) || value.high !== undefined || value.op === "high")) return false;
  return ![...block.phis, ...block.body].some((value) => elsewhere.has(value));
}

/** The value that `value` of `block` has when it is reached along edge `index`, or undefined when it is not known. */
function along(fn: IrFunction, block: Block, index: number, value: Value): Value | undefined {
  if (block.phis.includes(value)) return value.args[index];
  if (!block.body.includes(value)) return value;
  const args = value.args.map((arg) => along(fn, block, index, arg));
  if (args.some((arg) => arg?.op !== "const")) return undefined;
  const word = foldConstants(value.op, args.map((arg) => arg!.imm));
  return word === undefined ? undefined : fn.constant(word);
}

/** Sends the edge from predecessor `index` to the successor that the test will choose. */
function threadEdge(fn: IrFunction, block: Block, index: number): boolean {
  const outcome = along(fn, block, index, block.control[0]);
  if (outcome?.op !== "const") return false;
  const target = block.successors[outcome.imm !== 0 ? 0 : 1];
  const from = block.predecessors[index];
  if (target === block || target.predecessors.includes(from)) return false;
  const arrival = target.predecessors.indexOf(block);
  const values = target.phis.map((phi) => along(fn, block, index, phi.args[arrival]));
  if (values.some((value) => value === undefined)) return false;
  removeEdge(from, block);
  from.successors = from.successors.map((successor) => (successor === block ? target : successor));
  addEdge(from, target, values as Value[]);
  return true;
}

/** Threads all edges that can be threaded. Returns true when something changed; clean up afterwards. */
export function threadConditions(fn: IrFunction): boolean {
  const elsewhere = usedElsewhere(fn);
  let changed = false;
  for (const block of fn.blocks) {
    if (!qualifies(block, elsewhere)) continue;
    for (let index = block.predecessors.length - 1; index >= 0; index--) {
      if (threadEdge(fn, block, index)) changed = true;
    }
  }
  return changed;
}
