// Loops and block order.
//
// wasm's control flow is reducible, so an edge to a block that comes earlier
// in reverse post-order is a back edge, and the loop is what reaches its
// source without passing the header.
//
// Layout rotates loops: a header that ends in the loop's exit test is placed
// after the rest of the loop, where the test jumps back; the way in jumps to
// it. An iteration then takes one jump.

import type { Block, IrFunction } from "../ir/ir.js";
import { distinctSuccessors } from "../ir/ir.js";
import { reversePostOrder } from "./graph.js";

interface Loop {
  readonly header: Block;
  readonly blocks: Set<Block>;
}

function loopOf(header: Block, backEdges: readonly Block[]): Loop {
  const blocks = new Set<Block>([header]);
  const work = [...backEdges];
  for (let block = work.pop(); block !== undefined; block = work.pop()) {
    if (blocks.has(block)) continue;
    blocks.add(block);
    work.push(...block.predecessors);
  }
  return { header, blocks };
}

/** All loops, inner ones after the ones around them. Sets `loopDepth` of every block. */
function findLoops(fn: IrFunction, order: readonly Block[]): Loop[] {
  const position = new Map(order.map((block, i) => [block, i]));
  const loops: Loop[] = [];
  for (const block of fn.blocks) block.loopDepth = 0;
  for (const header of order) {
    const back = header.predecessors.filter((from) => position.get(from)! >= position.get(header)!);
    if (back.length > 0) loops.push(loopOf(header, back));
  }
  for (const loop of loops) for (const block of loop.blocks) block.loopDepth++;
  return loops.sort((a, b) => b.blocks.size - a.blocks.size);
}

/** Keeps the blocks of a loop together: the loop's blocks follow its header in their order. */
function gather(order: Block[], loop: Loop): Block[] {
  const start = order.indexOf(loop.header);
  const inside = order.filter((block) => loop.blocks.has(block));
  const before = order.slice(0, start);
  const after = order.slice(start).filter((block) => !loop.blocks.has(block));
  return [...before, ...inside, ...after];
}

/** Moves the header of a `while` loop behind the loop's other blocks. */
function rotate(order: Block[], loop: Loop): Block[] {
  const { header, blocks } = loop;
  const exits = distinctSuccessors(header).some((successor) => !blocks.has(successor));
  const last = [...order].reverse().find((block) => blocks.has(block))!;
  if (!exits || header.ending !== "branch" || last === header || header === order[0]) return order;
  // A test at the bottom already: rotating would only add a jump.
  const testsAtBottom = last.ending === "branch" && distinctSuccessors(last).some((next) => !blocks.has(next));
  if (testsAtBottom) return order;
  const without = order.filter((block) => block !== header);
  const end = without.indexOf(last) + 1;
  return [...without.slice(0, end), header, ...without.slice(end)];
}

/** Sets the loop depth of each block and puts the blocks in the order in which they are emitted. */
export function layOut(fn: IrFunction): void {
  let order = reversePostOrder(fn);
  const loops = findLoops(fn, order);
  for (const loop of loops) order = gather(order, loop);
  for (const loop of loops.reverse()) order = rotate(order, loop);
  fn.blocks = order;
}
