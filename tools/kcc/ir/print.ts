// Prints the intermediate representation, for people who look for a mistake.

import type { Block, IrFunction, Value } from "./ir.js";

function name(value: Value): string {
  if (value.op === "const") return `${value.imm}`;
  if (value.op === "address") return `&${value.symbol}+${value.imm}`;
  if (value.op === "param") return `param${value.imm}`;
  if (value.op === "slot") return `slot${value.imm}`;
  return `v${value.id}`;
}

function line(value: Value): string {
  const extra = (value.imm !== 0 ? ` +${value.imm}` : "") + (value.symbol !== "" ? ` ${value.symbol}` : "");
  return `    v${value.id} = ${value.op}${extra} ${value.args.map(name).join(", ")}`;
}

function blockText(block: Block): string {
  const end = `    ${block.ending} ${block.control.map(name).join(", ")} -> ${block.successors.map((s) => `b${s.id}`)}`;
  const from = block.predecessors.map((p) => `b${p.id}`).join(" ");
  return [`  b${block.id}: from ${from} depth ${block.loopDepth}`, ...block.phis.map(line), ...block.body.map(line),
    end]
    .join("\n");
}

/** The function as text, one line a value. */
export function printFunction(fn: IrFunction): string {
  return [`${fn.name}:`, ...fn.blocks.map(blockText)].join("\n");
}
