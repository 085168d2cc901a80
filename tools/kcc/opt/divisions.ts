// One division for quotient and remainder: the processor's div gives both, and
// digits are always taken by `x % 10` and `x / 10`.
//
// A later division of the same operands in the same block is dropped; the
// first becomes a two-word operation whose high word is the remainder.

import { resolveAll } from "../ir/ir.js";
import type { IrFunction, Op, Value } from "../ir/ir.js";

const KIND: Partial<Record<Op, { readonly pair: "divmods" | "divmodu"; readonly isRemainder: boolean }>> = {
  divs: { pair: "divmods", isRemainder: false }, rems: { pair: "divmods", isRemainder: true },
  divu: { pair: "divmodu", isRemainder: false }, remu: { pair: "divmodu", isRemainder: true },
};

/** A signed division by a constant has none of the cases in which quotient and remainder trap differently. */
function isSafe(value: Value): boolean {
  if (value.op === "divu" || value.op === "remu") return true;
  const divisor = value.args[1];
  return divisor.op === "const" && divisor.imm !== 0 && divisor.imm !== -1;
}

/** Joins the divisions of each block. */
export function pairDivisions(fn: IrFunction): void {
  for (const block of fn.blocks) {
    const seen = new Map<string, Value>();
    for (const value of block.body) {
      const kind = KIND[value.op];
      if (kind === undefined || !isSafe(value)) continue;
      const key = `${kind.pair} ${value.args[0].id} ${value.args[1].id}`;
      const first = seen.get(key);
      if (first === undefined) {
        seen.set(key, value);
        continue;
      }
      join(fn, block.body, first, value);
      seen.delete(key);
    }
  }
  resolveAll(fn);
}

function join(fn: IrFunction, body: Value[], first: Value, second: Value): void {
  if (first.op === second.op) {
    second.forward = first;
    body.splice(body.indexOf(second), 1);
    return;
  }
  const { pair, isRemainder } = KIND[first.op]!;
  const both = fn.newValue(pair, [...first.args], 0, "", first.origin);
  const remainder = fn.newValue("high", [both], 0, "", first.origin);
  both.high = remainder;
  first.forward = isRemainder ? remainder : both;
  second.forward = isRemainder ? both : remainder;
  body.splice(body.indexOf(first), 1, both, remainder);
  body.splice(body.indexOf(second), 1);
}
