// The control flow of a function under construction: blocks, edges, phis, the
// frames of the structured code, and the operand stack.
//
// A forward label collects the state of every edge that reaches it and makes a
// phi where they differ; a loop header makes a phi for each local that the loop
// assigns, and gets the remaining arguments when the loop ends.

import { IrFunction } from "./ir.js";
import type { Block, Op, Value } from "./ir.js";
import type { ModuleContext } from "./context.js";
import { simplify } from "./simplify.js";
import type { Pair, WideContext } from "./wide.js";
import { BLOCK_EMPTY } from "../wasm/module.js";
import type { Instruction, ValueType, WasmFunction } from "../wasm/module.js";

/** An operand of the wasm stack: one word, or low and high. */
export type Entry = readonly Value[];

/** The state in which an edge reaches a label. */
interface Edge {
  readonly from: Block;
  readonly locals: readonly Entry[];
  readonly result: Entry | undefined;
}

interface Frame {
  readonly kind: "function" | "block" | "loop" | "if" | "else";
  /** Where a branch to this frame goes. */
  readonly label: Block;
  readonly hasResult: boolean;
  readonly height: number;
  /** Edges that reach `label`; for a loop those that come back. */
  readonly edges: Edge[];
  /** if: the block for the false side, until `else`. */
  otherwise?: { readonly block: Block; readonly locals: readonly Entry[] };
  /** loop: the phis of the header, per local index. */
  readonly loopPhis?: Map<number, Entry>;
}

export const CODE = { loop: 0x03, ifElse: 0x04, block: 0x02, else: 0x05, end: 0x0b, localSet: 0x21,
  localTee: 0x22 } as const;

/** Words of a value of this type. */
export function wordsOf(type: ValueType): number {
  return type === "i64" || type === "f64" ? 2 : 1;
}

/** Locals that the loop starting at body[start] assigns. */
function assignedInLoop(body: readonly Instruction[], start: number): Set<number> {
  const assigned = new Set<number>();
  let depth = 0;
  for (let i = start; i < body.length; i++) {
    const { code, a } = body[i];
    if (code === CODE.block || code === CODE.loop || code === CODE.ifElse) depth++;
    else if (code === CODE.end && --depth === 0) break;
    else if (code === CODE.localSet || code === CODE.localTee) assigned.add(a);
  }
  return assigned;
}

/** The builder's lower half. */
export class FlowBuilder implements WideContext {
  readonly fn: IrFunction;
  protected readonly context: ModuleContext;
  protected readonly source: WasmFunction;
  protected readonly frames: Frame[] = [];
  protected stack: Entry[] = [];
  protected locals: Entry[] = [];
  /** The block being filled; undefined in unreachable code. */
  protected current: Block | undefined;
  protected origin = 0;

  constructor(context: ModuleContext, source: WasmFunction) {
    this.context = context;
    this.source = source;
    const parameters = source.type.parameters.map((type, i) => (
      { name: source.localNames.get(i) ?? `p${i}`, words: wordsOf(type) }));
    const results = source.type.results.reduce((sum, type) => sum + wordsOf(type), 0);
    this.fn = new IrFunction(source.name, source.body[0]?.offset ?? source.offset, parameters, results);
  }

  readonly make = (op: Op, given: Value[], imm = 0): Value => {
    const args = [...given];
    const simpler = simplify(this.fn, op, args, imm, this.make);
    return simpler ?? this.append(op, args, imm);
  };

  readonly makePair = (op: Op, args: Value[], symbol = ""): Pair => {
    const low = this.append(op, [...args], 0, symbol);
    low.high = this.append("high", [low]);
    return [low, low.high];
  };

  protected append(op: Op, args: Value[], imm = 0, symbol = ""): Value {
    const value = this.fn.newValue(op, args, imm, symbol, this.origin);
    this.current!.body.push(value);
    return value;
  }

  protected report(message: string): void {
    this.context.problems.push({ origin: this.origin, message: `${this.source.name} ${message}` });
  }

  // Blocks and edges

  protected startBlock(block: Block): void {
    this.fn.blocks.push(block);
    this.current = block;
  }

  private link(from: Block, to: Block): void {
    from.successors.push(to);
    if (!to.predecessors.includes(from)) to.predecessors.push(from);
  }

  protected end(ending: Block["ending"], control: Value[], ...successors: Block[]): void {
    const block = this.current!;
    block.ending = ending;
    block.control = control;
    block.endOrigin = this.origin;
    for (const successor of successors) this.link(block, successor);
    this.current = undefined;
  }

  private edgeTo(frame: Frame, result: Entry | undefined): void {
    const from = this.current!;
    if (frame.edges.some((edge) => edge.from === from)) return;
    frame.edges.push({ from, locals: [...this.locals], result: frame.kind === "loop" ? undefined : result });
  }

  /** One entry out of those that the edges bring: the common one or phis. */
  private merge(block: Block, entries: readonly Entry[]): Entry {
    const first = entries[0];
    return first.map((_, word) => {
      const values = entries.map((entry) => entry[word]);
      if (values.every((value) => value === values[0])) return values[0];
      const phi = this.fn.newValue("phi", values, 0, "", this.origin);
      block.phis.push(phi);
      return phi;
    });
  }

  /** Continues at a forward label with what its edges bring; unreachable when there are none. */
  private startLabel(frame: Frame): void {
    this.stack.length = frame.height;
    if (frame.edges.length === 0) {
      this.current = undefined;
      return;
    }
    const { label, edges } = frame;
    // Predecessors and edges are made together and in the same order.
    this.startBlock(label);
    this.locals = edges[0].locals.map((_, i) => this.merge(label, edges.map((edge) => edge.locals[i])));
    if (frame.hasResult) this.stack.push(this.merge(label, edges.map((edge) => edge.result!)));
  }

  // The wasm stack

  protected push(...entry: Value[]): void {
    this.stack.push(entry);
  }

  protected pop(): Entry {
    const entry = this.stack.pop();
    if (entry === undefined) throw new Error(`${this.source.name}: operand stack underflow at byte ${this.origin}`);
    return entry;
  }

  protected popPair(): Pair {
    const entry = this.pop();
    return [entry[0], entry[1]];
  }

  protected popWord(): Value {
    return this.pop()[0];
  }

  /** Pops `count` entries and gives their words in order, low words first. */
  protected popWords(count: number): Value[] {
    const entries = this.stack.splice(this.stack.length - count, count);
    return entries.flatMap((entry) => [...entry]);
  }

  // Control

  private openLoop(position: number): void {
    const header = this.fn.newBlock();
    this.end("jump", [], header);
    this.startBlock(header);
    const loopPhis = new Map<number, Entry>();
    for (const index of assignedInLoop(this.source.body, position)) {
      const phis = this.locals[index].map((value) => this.fn.newValue("phi", [value], 0, "", this.origin));
      header.phis.push(...phis);
      loopPhis.set(index, phis);
      this.locals[index] = phis;
    }
    this.frames.push({ kind: "loop", label: header, hasResult: false, height: this.stack.length, edges: [], loopPhis });
  }

  protected open(instruction: Instruction, position: number): void {
    const hasResult = instruction.a !== BLOCK_EMPTY;
    if (instruction.code === CODE.loop) return this.openLoop(position);
    const label = this.fn.newBlock();
    if (instruction.code === CODE.block) {
      this.frames.push({ kind: "block", label, hasResult, height: this.stack.length, edges: [] });
      return;
    }
    const condition = this.popWord();
    const [then, otherwise] = [this.fn.newBlock(), this.fn.newBlock()];
    this.frames.push({
      kind: "if", label, hasResult, height: this.stack.length, edges: [],
      otherwise: { block: otherwise, locals: [...this.locals] },
    });
    this.end("branch", [condition], then, otherwise);
    this.startBlock(then);
  }

  /** Falls out of the innermost frame at its `end` or `else`. */
  private fallOut(frame: Frame): void {
    if (this.current === undefined) return;
    const result = frame.hasResult ? this.pop() : undefined;
    this.edgeTo(frame, result);
    this.end("jump", [], frame.label);
  }

  protected elseSide(): void {
    const frame = this.frames[this.frames.length - 1];
    this.fallOut(frame);
    const { block, locals } = frame.otherwise!;
    frame.otherwise = undefined;
    this.stack.length = frame.height;
    this.locals = [...locals];
    this.startBlock(block);
  }

  private closeLoop(frame: Frame): void {
    // What falls out of a loop's end goes on; only branches come back.
    for (const edge of frame.edges) {
      for (const [index, phis] of frame.loopPhis!) {
        phis.forEach((phi, word) => phi.args.push(edge.locals[index][word]));
      }
    }
  }

  protected close(): void {
    const frame = this.frames.pop()!;
    if (frame.kind === "loop") return this.closeLoop(frame);
    if (frame.kind === "function") return this.closeFunction(frame);
    this.fallOut(frame);
    if (frame.otherwise !== undefined) {
      this.locals = [...frame.otherwise.locals];
      this.startBlock(frame.otherwise.block);
      this.edgeTo(frame, undefined);
      this.end("jump", [], frame.label);
    }
    this.startLabel(frame);
  }

  private closeFunction(frame: Frame): void {
    if (this.current !== undefined) this.returnNow();
    if (frame.edges.length === 0) return;
    this.startLabel(frame);
    this.returnNow();
  }

  protected returnNow(): void {
    const words = this.fn.results === 0 ? [] : [...this.pop()];
    this.end("return", words);
  }

  private frameAt(depth: number): Frame {
    return this.frames[this.frames.length - 1 - depth];
  }

  protected branch(depth: number): void {
    const frame = this.frameAt(depth);
    this.edgeTo(frame, frame.hasResult ? this.stack[this.stack.length - 1] : undefined);
    this.end("jump", [], frame.label);
  }

  protected branchIf(depth: number): void {
    const condition = this.popWord();
    const frame = this.frameAt(depth);
    const next = this.fn.newBlock();
    this.edgeTo(frame, frame.hasResult ? this.stack[this.stack.length - 1] : undefined);
    this.end("branch", [condition], frame.label, next);
    this.startBlock(next);
  }

  protected branchTable(labels: readonly number[]): void {
    const index = this.popWord();
    const targets = labels.map((depth) => this.frameAt(depth));
    for (const frame of new Set(targets)) {
      this.edgeTo(frame, frame.hasResult ? this.stack[this.stack.length - 1] : undefined);
    }
    this.end("switch", [index], ...targets.map((frame) => frame.label));
  }
}
