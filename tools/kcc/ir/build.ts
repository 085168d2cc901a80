// Builds the SSA form of one function from its WebAssembly body.
//
// The structured code makes SSA direct: the operand stack and the locals hold
// values; a forward label collects the state of every edge that reaches it and
// makes a phi where they differ; a loop header makes a phi for each local that
// the loop assigns, and gets the remaining arguments when the loop ends.
// Code after a branch is skipped up to the end of its block.

import { Block, IrFunction } from "./ir.js";
import type { Op, Value } from "./ir.js";
import { forbiddenCallee, importedSymbol, isIndexAccessor } from "./context.js";
import type { ModuleContext } from "./context.js";
import { simplify } from "./simplify.js";
import { binaryWide, compareWide, countWide, extendWide } from "./wide.js";
import type { Pair, WideContext } from "./wide.js";
import { OPCODES } from "../wasm/opcodes.js";
import { BLOCK_EMPTY } from "../wasm/module.js";
import type { Instruction, ValueType, WasmFunction } from "../wasm/module.js";

/** An operand of the wasm stack: one word, or low and high. */
type Entry = readonly Value[];

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

const CODE = { loop: 0x03, ifElse: 0x04, block: 0x02, else: 0x05, end: 0x0b, localSet: 0x21, localTee: 0x22 } as const;
const LOADS: Record<string, Op> = {
  load: "load32", load8_s: "load8s", load8_u: "load8u", load16_s: "load16s", load16_u: "load16u",
  load32_s: "load32", load32_u: "load32",
};
const STORES: Record<string, Op> = { store: "store32", store8: "store8", store16: "store16", store32: "store32" };
const BINARY: Record<string, Op> = {
  add: "add", sub: "sub", mul: "mul", div_s: "divs", div_u: "divu", rem_s: "rems", rem_u: "remu", and: "and", or: "or",
  xor: "xor", shl: "shl", shr_s: "shrs", shr_u: "shru", rotl: "rotl", rotr: "rotr", eq: "eq", ne: "ne", lt_s: "lts",
  lt_u: "ltu", gt_s: "gts", gt_u: "gtu", le_s: "les", le_u: "leu", ge_s: "ges", ge_u: "geu",
};
const UNARY: Record<string, Op> = { clz: "clz", ctz: "ctz", popcnt: "popcnt", extend8_s: "ext8s", extend16_s: "ext16s" };

function wordsOf(type: ValueType): number {
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

class Builder implements WideContext {
  readonly fn: IrFunction;
  private readonly context: ModuleContext;
  private readonly source: WasmFunction;
  private readonly frames: Frame[] = [];
  private stack: Entry[] = [];
  private locals: Entry[] = [];
  /** The block being filled; undefined in unreachable code. */
  private current: Block | undefined;
  private origin = 0;
  /** Depth of frames opened inside unreachable code. */
  private skipped = 0;
  private bssCount = 0;

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

  private append(op: Op, args: Value[], imm = 0, symbol = ""): Value {
    const value = this.fn.newValue(op, args, imm, symbol, this.origin);
    this.current!.body.push(value);
    return value;
  }

  private report(message: string): void {
    this.context.problems.push({ origin: this.origin, message: `${this.source.name} ${message}` });
  }

  // Blocks and edges

  private startBlock(block: Block): void {
    this.fn.blocks.push(block);
    this.current = block;
  }

  private link(from: Block, to: Block): void {
    from.successors.push(to);
    if (!to.predecessors.includes(from)) to.predecessors.push(from);
  }

  private end(ending: Block["ending"], control: Value[], ...successors: Block[]): void {
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

  private push(...entry: Value[]): void {
    this.stack.push(entry);
  }

  private pop(): Entry {
    const entry = this.stack.pop();
    if (entry === undefined) throw new Error(`${this.source.name}: operand stack underflow at byte ${this.origin}`);
    return entry;
  }

  private popPair(): Pair {
    const entry = this.pop();
    return [entry[0], entry[1]];
  }

  private popWord(): Value {
    return this.pop()[0];
  }

  /** Pops `count` entries and gives their words in order, low words first. */
  private popWords(count: number): Value[] {
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

  private open(instruction: Instruction, position: number): void {
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

  private elseSide(): void {
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

  private close(): void {
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

  private returnNow(): void {
    const words = this.fn.results === 0 ? [] : [...this.pop()];
    this.end("return", words);
  }

  private frameAt(depth: number): Frame {
    return this.frames[this.frames.length - 1 - depth];
  }

  private branch(depth: number): void {
    const frame = this.frameAt(depth);
    this.edgeTo(frame, frame.hasResult ? this.stack[this.stack.length - 1] : undefined);
    this.end("jump", [], frame.label);
  }

  private branchIf(depth: number): void {
    const condition = this.popWord();
    const frame = this.frameAt(depth);
    const next = this.fn.newBlock();
    this.edgeTo(frame, frame.hasResult ? this.stack[this.stack.length - 1] : undefined);
    this.end("branch", [condition], frame.label, next);
    this.startBlock(next);
  }

  private branchTable(labels: readonly number[]): void {
    const index = this.popWord();
    const targets = labels.map((depth) => this.frameAt(depth));
    for (const frame of new Set(targets)) {
      this.edgeTo(frame, frame.hasResult ? this.stack[this.stack.length - 1] : undefined);
    }
    this.end("switch", [index], ...targets.map((frame) => frame.label));
  }

  // Calls

  private pushResult(type: readonly ValueType[], low: () => Value, pair: () => Pair): void {
    if (type.length === 0) low();
    else if (wordsOf(type[0]) === 2) this.push(...pair());
    else this.push(low());
  }

  private call(index: number): void {
    const callee = this.context.module.functions[index];
    if (isIndexAccessor(callee)) return this.push(this.functionIndex(this.popWord()));
    if (callee.import !== undefined) return this.callImport(callee);
    if (this.context.expand(callee)) return this.expandCall(callee);
    const forbidden = forbiddenCallee(callee.name);
    if (forbidden !== undefined) this.report(forbidden);
    this.callSymbol(callee.name, callee);
  }

  private callSymbol(symbol: string, callee: WasmFunction): void {
    const args = this.popWords(callee.type.parameters.length);
    this.pushResult(callee.type.results,
      () => this.append("call", args, 0, symbol), () => this.makePair("call", args, symbol));
  }

  private callIndirect(typeIndex: number): void {
    const target = this.popWord();
    const type = this.context.module.types[typeIndex];
    const args = this.popWords(type.parameters.length);
    const isKnown = target.op === "address" && target.imm === 0;
    const op = isKnown ? "call" : "calli";
    const words = isKnown ? args : [target, ...args];
    const symbol = isKnown ? target.symbol : "";
    this.pushResult(type.results, () => this.append(op, words, 0, symbol), () => this.makePair(op, words, symbol));
  }

  private functionIndex(object: Value): Value {
    const target = object.op === "const" ? this.context.functionObjects.get(object.imm) : undefined;
    if (target !== undefined) return this.fn.address(target.name);
    this.report("takes `.index` of a function value that is not a constant; pass the function's `.index` (u32) instead");
    return this.fn.constant(0);
  }

  /** Expands a straight-line accessor in place; its code keeps the line of the call. */
  private expandCall(callee: WasmFunction): void {
    const count = callee.type.parameters.length;
    const saved = this.locals;
    this.locals = this.stack.splice(this.stack.length - count, count);
    for (const type of callee.locals) this.locals.push(this.zero(type));
    for (const instruction of callee.body.slice(0, -1)) {
      if (OPCODES.get(instruction.code)?.name !== "return") this.straight(instruction);
    }
    this.locals = saved;
  }

  private callImport(callee: WasmFunction): void {
    const { module, name } = callee.import!;
    if (module === "sym") {
      this.popWords(callee.type.parameters.length);
      this.push(this.fn.address(importedSymbol(name)));
    } else if (module === "cpufunc") {
      this.intrinsic(name, callee);
    } else {
      this.callSymbol(importedSymbol(name), callee);
    }
  }

  private intrinsic(name: string, callee: WasmFunction): void {
    const args = this.popWords(callee.type.parameters.length);
    if (name === "frame_alloc") return this.push(this.frameAllocation(args[0]));
    if (name === "bss") return this.push(this.zeroBlock(args));
    if (name.startsWith("sym.")) return this.push(this.fn.address(importedSymbol(name)));
    let displacement = 0;
    if (name.startsWith("volatile.")) [args[0], displacement] = this.split(args[0], 0);
    if (!this.context.isIntrinsic(name)) this.report(`calls ${name}, which is no intrinsic of kernel/i386/cpufunc.ts`);
    const value = this.append("intrinsic", args, displacement, name);
    if (callee.type.results.length > 0) this.push(value);
  }

  private frameAllocation(size: Value): Value {
    if (size.op === "const" && size.imm > 0) return this.fn.slot(size.imm);
    this.report("calls frame_alloc with a size that is not a positive constant");
    return this.fn.constant(0);
  }

  private zeroBlock(args: Value[]): Value {
    const [size, align] = args;
    if (size.op !== "const" || align.op !== "const" || size.imm <= 0 || align.imm <= 0) {
      this.report("calls bss with a size or alignment that is not a positive constant");
      return this.fn.constant(0);
    }
    const suffix = this.bssCount++ === 0 ? "" : `${this.bssCount - 1}`;
    const symbol = `${this.source.name}.bss${suffix}`;
    this.fn.zeroBlocks.push({ symbol, size: size.imm, align: align.imm });
    return this.fn.address(symbol);
  }

  // Memory and variables

  private zero(type: ValueType): Entry {
    const zero = this.fn.constant(0);
    return wordsOf(type) === 2 ? [zero, zero] : [zero];
  }

  /** An address with the constant part moved into the displacement. */
  private split(address: Value, displacement: number): [Value, number] {
    if (address.op === "add" && address.args[1].op === "const") {
      return [address.args[0], (displacement + address.args[1].imm) | 0];
    }
    if (address.op === "const") return [this.fn.constant(0), (address.imm + displacement) | 0];
    return [address, displacement];
  }

  private loadWord(op: Op, address: Value, displacement: number): Value {
    const target = op === "load32" && address.op === "const"
      ? this.context.functionObjects.get((address.imm + displacement) | 0) : undefined;
    if (target !== undefined) return this.fn.address(target.name);
    const [base, disp] = this.split(address, displacement);
    return this.append(op, [base], disp);
  }

  private load(isWide: boolean, kind: string, displacement: number): void {
    const address = this.popWord();
    const low = this.loadWord(LOADS[kind], address, displacement);
    if (!isWide) this.push(low);
    else if (kind === "load") {
      const high = this.loadWord("load32", address, displacement + 4);
      high.isOptional = true;
      this.push(low, high);
    } else if (kind.endsWith("_s")) this.push(low, this.make("shrs", [low, this.fn.constant(31)]));
    else this.push(low, this.fn.constant(0));
  }

  private store(isWide: boolean, kind: string, displacement: number): void {
    const words = this.pop();
    const [base, disp] = this.split(this.popWord(), displacement);
    const value = kind === "store8" || kind === "store16" ? this.narrowed(words[0], kind === "store8" ? 0xff : 0xffff) : words[0];
    this.append(STORES[kind], [base, value], disp);
    if (isWide && kind === "store") this.append("store32", [base, words[1]], disp + 4);
  }

  /** What is stored of a value of which only the low bits matter: masks and extensions fall away. */
  private narrowed(value: Value, mask: number): Value {
    if (value.op === "const") return this.fn.constant(value.imm & mask);
    if (value.op === "and" && value.args[1].op === "const" && (value.args[1].imm & mask) === mask) {
      return this.narrowed(value.args[0], mask);
    }
    if ((value.op === "ext8s" && mask === 0xff) || value.op === "ext16s") return this.narrowed(value.args[0], mask);
    return value;
  }

  private globalAddress(index: number): Value {
    const global = this.context.module.globals[index];
    if (global.name.endsWith("__stack_pointer")) this.report("uses the shadow stack; build with --runtime stub");
    return this.fn.address(global.name);
  }

  private globalGet(index: number): void {
    const global = this.context.module.globals[index];
    const isWide = wordsOf(global.type) === 2;
    if (global.import !== undefined) return this.push(this.fn.address(importedSymbol(global.import.name)));
    if (!global.mutable) {
      const words = [this.fn.constant(global.low), this.fn.constant(global.high)];
      return this.push(...words.slice(0, isWide ? 2 : 1));
    }
    const address = this.globalAddress(index);
    const words = [this.append("load32", [address])];
    if (isWide) words.push(this.append("load32", [address], 4));
    this.push(...words);
  }

  private globalSet(index: number): void {
    const address = this.globalAddress(index);
    this.pop().forEach((word, i) => this.append("store32", [address, word], i * 4));
  }

  // Instructions without control flow

  private straight(instruction: Instruction): void {
    const opcode = OPCODES.get(instruction.code);
    if (opcode === undefined || opcode.name.startsWith("f")) return this.refuseFloat(opcode?.name);
    const { a, b } = instruction;
    switch (opcode.name) {
      case "nop": return;
      case "drop": this.pop(); return;
      case "select": return this.select();
      case "call": return this.call(a);
      case "call_indirect": return this.callIndirect(a);
      case "local.get": this.stack.push(this.locals[a]); return;
      case "local.set": this.locals[a] = this.pop(); return;
      case "local.tee": this.locals[a] = this.stack[this.stack.length - 1]; return;
      case "global.get": return this.globalGet(a);
      case "global.set": return this.globalSet(a);
      case "i32.const": return this.push(this.fn.constant(a));
      case "i64.const": return this.push(this.fn.constant(a), this.fn.constant(b));
      case "memory.copy": this.append("call", this.popWords(3), 0, "memmove"); return;
      case "memory.fill": this.append("call", this.popWords(3), 0, "memset"); return;
      case "memory.size": case "memory.grow":
        this.report(`uses ${opcode.name}`);
        if (opcode.name === "memory.grow") this.pop();
        return this.push(this.fn.constant(0));
    }
    const [type, name] = opcode.name.split(".");
    if (opcode.immediate === "memory") {
      if (name.startsWith("load")) return this.load(type === "i64", name, b);
      return this.store(type === "i64", name, b);
    }
    if (type === "i64") return this.wideOperation(name);
    this.wordOperation(name);
  }

  private refuseFloat(name: string | undefined): void {
    this.report(`uses floating point${name === undefined ? "" : ` (${name})`}`);
    throw new UnsupportedFunction();
  }

  private select(): void {
    const condition = this.popWord();
    const no = this.pop();
    const yes = this.pop();
    this.push(...yes.map((word, i) => this.make("select", [condition, word, no[i]])));
  }

  private wordOperation(name: string): void {
    if (name === "wrap_i64") return this.push(this.popPair()[0]);
    if (name === "eqz") return this.push(this.make("eq", [this.popWord(), this.fn.constant(0)]));
    if (name in UNARY) return this.push(this.make(UNARY[name], [this.popWord()]));
    const right = this.popWord();
    this.push(this.make(BINARY[name], [this.popWord(), right]));
  }

  private wideOperation(name: string): void {
    const zero = this.fn.constant(0);
    switch (name) {
      case "extend_i32_u": return this.push(this.popWord(), zero);
      case "extend_i32_s": case "extend8_s": case "extend16_s": case "extend32_s":
        return this.push(...extendWide(this, name, this.popWord()));
      case "eqz": return this.push(compareWide(this, "eq", this.popPair(), [zero, zero]));
      case "clz": case "ctz": case "popcnt": return this.push(...countWide(this, name, this.popPair()));
    }
    const right = this.popPair();
    const left = this.popPair();
    if (name === "eq" || name === "ne" || /^[lg][te]_/.test(name)) return this.push(compareWide(this, name, left, right));
    this.push(...binaryWide(this, name, left, right));
  }

  /** Instructions in code that cannot be reached: only nesting matters. */
  private skip(code: number): void {
    if (code === CODE.block || code === CODE.loop || code === CODE.ifElse) this.skipped++;
    else if (code === CODE.end && this.skipped > 0) this.skipped--;
    else if (code === CODE.end) this.close();
    else if (code === CODE.else && this.skipped === 0) this.elseSide();
  }

  private step(instruction: Instruction, position: number): void {
    this.origin = instruction.offset;
    if (this.current === undefined) return this.skip(instruction.code);
    switch (OPCODES.get(instruction.code)?.name) {
      case "block": case "loop": case "if": return this.open(instruction, position);
      case "else": return this.elseSide();
      case "end": return this.close();
      case "br": return this.branch(instruction.a);
      case "br_if": return this.branchIf(instruction.a);
      case "br_table": return this.branchTable(instruction.labels!);
      case "return": return this.returnNow();
      case "unreachable": return this.end("trap", []);
      default: return this.straight(instruction);
    }
  }

  build(): IrFunction {
    const { type, locals, body } = this.source;
    let word = 0;
    this.locals = type.parameters.map((parameter) => (
      wordsOf(parameter) === 2 ? [this.fn.param(word++), this.fn.param(word++)] : [this.fn.param(word++)]));
    for (const local of locals) this.locals.push(this.zero(local));
    const hasResult = type.results.length > 0;
    this.frames.push({ kind: "function", label: this.fn.newBlock(), hasResult, height: 0, edges: [] });
    this.startBlock(this.fn.newBlock());
    body.forEach((instruction, position) => this.step(instruction, position));
    return this.fn;
  }
}

/** Thrown after the problem has been reported, when a function cannot be built at all. */
class UnsupportedFunction extends Error {}

/** The SSA form of a function, or undefined when it uses floating point (which is then in `context.problems`). */
export function buildFunction(context: ModuleContext, source: WasmFunction): IrFunction | undefined {
  try {
    return new Builder(context, source).build();
  } catch (error) {
    if (error instanceof UnsupportedFunction) return undefined;
    throw error;
  }
}
