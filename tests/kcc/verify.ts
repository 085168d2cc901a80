// Checks the invariants of the intermediate representation: edges agree in
// both directions, phis have an argument for each predecessor, definitions
// dominate uses.

import { distinctSuccessors, isFloating } from "../../tools/kcc/ir/ir.js";
import type { Block, IrFunction, Value } from "../../tools/kcc/ir/ir.js";
import { reversePostOrder } from "../../tools/kcc/opt/graph.js";

function dominators(order: readonly Block[]): Map<Block, Set<Block>> {
  const result = new Map<Block, Set<Block>>();
  order.forEach((block, i) => result.set(block, i === 0 ? new Set([block]) : new Set(order)));
  for (let changed = true; changed;) {
    changed = false;
    for (const block of order.slice(1)) {
      const sets = block.predecessors.map((from) => result.get(from) ?? new Set<Block>());
      const common = new Set([...sets[0]].filter((item) => sets.every((set) => set.has(item))));
      common.add(block);
      if (common.size !== result.get(block)!.size) {
        result.set(block, common);
        changed = true;
      }
    }
  }
  return result;
}

/** What is wrong with the function, one line each; empty when nothing is. */
export function verify(fn: IrFunction): string[] {
  const wrong: string[] = [];
  const order = reversePostOrder(fn);
  const place = new Map<Value, { block: Block; index: number }>();
  for (const block of fn.blocks) {
    block.phis.forEach((phi) => place.set(phi, { block, index: -1 }));
    block.body.forEach((value, index) => place.set(value, { block, index }));
    for (const successor of distinctSuccessors(block)) {
      if (!successor.predecessors.includes(block)) wrong.push(`b${successor.id} misses predecessor b${block.id}`);
      if (!fn.blocks.includes(successor)) wrong.push(`b${block.id} goes to the removed b${successor.id}`);
    }
    const distinct = new Set(block.predecessors);
    if (distinct.size !== block.predecessors.length) wrong.push(`b${block.id} has a predecessor twice`);
    for (const from of block.predecessors) {
      if (!from.successors.includes(block)) wrong.push(`b${block.id} has a false predecessor b${from.id}`);
    }
    for (const phi of block.phis) {
      const count = phi.args.length;
      if (count !== block.predecessors.length) wrong.push(`v${phi.id} has ${count} arguments in b${block.id}`);
    }
  }
  const dominating = dominators(order);
  const check = (value: Value, block: Block, index: number, user: string): void => {
    if (isFloating(value)) return;
    const at = place.get(value);
    if (at === undefined) wrong.push(`${user} uses v${value.id} (${value.op}), which is nowhere`);
    else if (at.block === block ? at.index >= index : !dominating.get(block)?.has(at.block)) {
      wrong.push(`${user} in b${block.id} uses v${value.id} of b${at.block.id}, which does not dominate it`);
    }
  };
  for (const block of order) {
    for (const phi of block.phis) phi.args.forEach((arg, i) =>
      check(arg, block.predecessors[i], Infinity, `v${phi.id}`));
    block.body.forEach((value, index) => value.args.forEach((arg) => check(arg, block, index, `v${value.id}`)));
    for (const value of block.control) check(value, block, Infinity, "control");
  }
  return wrong;
}
