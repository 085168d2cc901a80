// Edits of the block graph that keep predecessors and phi arguments in step.

import { distinctSuccessors } from "../ir/ir.js";
import type { Block, IrFunction, Value } from "../ir/ir.js";

/** Takes away the edge; `to` forgets the phi arguments that came along it. */
export function removeEdge(from: Block, to: Block): void {
  const index = to.predecessors.indexOf(from);
  to.predecessors.splice(index, 1);
  for (const phi of to.phis) phi.args.splice(index, 1);
}

/** Adds an edge that brings `values` to the phis of `to`. `from` must not be a predecessor yet. */
export function addEdge(from: Block, to: Block, values: readonly Value[]): void {
  to.predecessors.push(from);
  to.phis.forEach((phi, i) => phi.args.push(values[i]));
}

/** Makes `block` end in a jump to `target`, one of its successors. */
export function makeJump(block: Block, target: Block): void {
  for (const successor of distinctSuccessors(block)) if (successor !== target) removeEdge(block, successor);
  block.ending = "jump";
  block.control = [];
  block.successors = [target];
}

/** Drops blocks that no path from the entry reaches. */
export function removeUnreachable(fn: IrFunction): void {
  const reached = new Set<Block>();
  const work = [fn.blocks[0]];
  for (let block = work.pop(); block !== undefined; block = work.pop()) {
    if (reached.has(block)) continue;
    reached.add(block);
    work.push(...block.successors);
  }
  for (const block of fn.blocks) {
    if (reached.has(block)) continue;
    for (const successor of distinctSuccessors(block)) if (reached.has(successor)) removeEdge(block, successor);
  }
  fn.blocks = fn.blocks.filter((block) => reached.has(block));
}

/** Blocks in reverse post-order: a block before its successors, loops aside. */
export function reversePostOrder(fn: IrFunction): Block[] {
  const order: Block[] = [];
  const seen = new Set<Block>();
  const visit = (block: Block): void => {
    seen.add(block);
    // The first successor is visited last, so that it follows its branch.
    for (const successor of distinctSuccessors(block).reverse()) if (!seen.has(successor)) visit(successor);
    order.push(block);
  };
  visit(fn.blocks[0]);
  return order.reverse();
}

/** Puts an empty block on every edge from a block with several successors to one with several predecessors. */
export function splitCriticalEdges(fn: IrFunction): void {
  for (const block of [...fn.blocks]) {
    if (distinctSuccessors(block).length < 2) continue;
    for (const successor of distinctSuccessors(block)) {
      if (successor.predecessors.length < 2 || successor.phis.length === 0) continue;
      const middle = fn.newBlock();
      middle.ending = "jump";
      middle.endOrigin = block.endOrigin;
      middle.successors = [successor];
      middle.predecessors = [block];
      successor.predecessors[successor.predecessors.indexOf(block)] = middle;
      block.successors = block.successors.map((other) => (other === successor ? middle : other));
      fn.blocks.push(middle);
    }
  }
}
