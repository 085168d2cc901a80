// Builds the SSA form of one function from its WebAssembly body.
//
// The structured code makes SSA direct: the operand stack and the locals hold
// values, and flow.ts makes the phis. Code after a branch is skipped up to the
// end of its block.

import type { IrFunction, Op, Value } from "./ir.js";
import { forbiddenCallee, importedSymbol, isIndexAccessor } from "./context.js";
import type { ModuleContext } from "./context.js";
import { CODE, FlowBuilder, wordsOf } from "./flow.js";
import type { Entry } from "./flow.js";
import { binaryWide, compareWide, countWide, extendWide } from "./wide.js";
import type { Pair } from "./wide.js";
import { OPCODES } from "../wasm/opcodes.js";
import type { Instruction, ValueType, WasmFunction } from "../wasm/module.js";

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
const UNARY: Record<string, Op> = { clz: "clz", ctz: "ctz", popcnt: "popcnt", extend8_s: "ext8s",
  extend16_s: "ext16s" };

class Builder extends FlowBuilder {
  /** Depth of frames opened inside unreachable code. */
  private skipped = 0;
  private bssCount = 0;

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
    this.report("takes `.index` of a function value that is not a constant; pass the function's `.index` instead");
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
    const value = kind === "store8" || kind === "store16" ? this.narrowed(words[0], kind === "store8" ? 0xff : 0xffff)
      : words[0];
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
    if (name === "eq" || name === "ne"
      || /^[lg][te]_/.test(name)) return this.push(compareWide(this, name, left, right));
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
