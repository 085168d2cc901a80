// Instruction selection: values of the IR to machine-level instructions with
// virtual registers, block by block in layout order.
//
// Phis become moves through a register of their own (`incoming`): each
// predecessor ends with a move into it and the block begins with a move out of
// it. The allocator joins these registers when nothing prevents it, so most of
// the moves vanish, and the classic swap and lost-copy problems cannot arise.

import type { Block, IrFunction, Value } from "../ir/ir.js";
import { isCompare } from "../ir/fold.js";
import { isLoad } from "../ir/ir.js";
import { chooseFolds } from "./fold.js";
import type { Folds } from "./fold.js";
import { expandIntrinsic } from "./intrinsics.js";
import {
  ALLOCATABLE_MASK, BYTE_MASK, CALLER_SAVED_MASK, CC, EAX, ECX, EDX, FIRST_VIRTUAL, NO_REGISTER, argumentWord, frameSlot,
  imm, memory, newInst, reg,
} from "./lir.js";
import type { Inst, LirBlock, LirFunction, MemoryOperand, Operand, Operator } from "./lir.js";

const CONDITION_OF: Record<string, number> = {
  eq: CC.e, ne: CC.ne, lts: CC.l, les: CC.le, gts: CC.g, ges: CC.ge, ltu: CC.b, leu: CC.be, gtu: CC.a, geu: CC.ae,
  lts64: CC.l, ges64: CC.ge, ltu64: CC.b, geu64: CC.ae,
};
/** Condition after the operands of cmp have been exchanged. */
const EXCHANGED: Record<number, number> = {
  [CC.e]: CC.e, [CC.ne]: CC.ne, [CC.l]: CC.g, [CC.g]: CC.l, [CC.le]: CC.ge, [CC.ge]: CC.le, [CC.b]: CC.a, [CC.a]: CC.b,
  [CC.be]: CC.ae, [CC.ae]: CC.be,
};
const ALU: Record<string, Operator> = { add: "add", sub: "sub", and: "and", or: "or", xor: "xor", mul: "imul" };
const COMMUTES = new Set(["add", "and", "or", "xor", "mul"]);
const SHIFT: Record<string, Operator> = {
  shl: "shl", shru: "shr", shrs: "sar", rotl: "rol", rotr: "ror", shl64: "shl64", shru64: "shr64", shrs64: "sar64",
};
const ACCESS_SIZE: Record<string, 1 | 2 | 4> = {
  load32: 4, load16u: 2, load16s: 2, load8u: 1, load8s: 1, store32: 4, store16: 2, store8: 1,
};
/** Factors that one lea computes. */
const LEA_FACTORS: Record<number, number> = { 3: 2, 5: 4, 9: 8 };
const EAX_MASK = 1 << EAX;
const ECX_MASK = 1 << ECX;
const EDX_MASK = 1 << EDX;

export class Selector {
  private readonly fn: IrFunction;
  private readonly folds: Folds;
  private readonly classes: number[] = [];
  private readonly registers = new Map<Value, number>();
  private readonly incoming = new Map<Value, number>();
  private out: Inst[] = [];
  private entryMoves: Inst[] = [];
  private origin = 0;
  private depth = 0;

  constructor(fn: IrFunction) {
    this.fn = fn;
    this.folds = chooseFolds(fn);
  }

  // What the parts of the selector and the intrinsics use to emit.

  /** A new virtual register. */
  fresh(mask = ALLOCATABLE_MASK): number {
    this.classes.push(mask);
    return this.classes.length - 1 + FIRST_VIRTUAL;
  }

  emit(op: Operator, a?: Operand, b?: Operand, rest: Partial<Inst> = {}): void {
    this.out.push(newInst(op, a, b, { origin: this.origin, ...rest }));
  }

  move(to: number, from: Operand): void {
    if (from.kind === "register" && from.register === to) return;
    this.emit("mov", reg(to), from);
  }

  /** The register of a value that has an instruction of its own. */
  registerOf(value: Value): number {
    let register = this.registers.get(value);
    if (register === undefined) this.registers.set(value, (register = this.fresh()));
    return register;
  }

  private uses(value: Value): number {
    return this.folds.useCount.get(value) ?? 0;
  }

  private isFolded(value: Value): boolean {
    return this.folds.folded.has(value);
  }

  /** A parameter that is used once outside loops is read where it is used. */
  private readsInPlace(param: Value): boolean {
    return this.uses(param) === 1 && this.depth === 0;
  }

  private parameter(param: Value): number {
    if (this.readsInPlace(param)) {
      const register = this.fresh();
      this.move(register, argumentWord(param.imm));
      return register;
    }
    let register = this.registers.get(param);
    if (register === undefined) {
      this.registers.set(param, (register = this.fresh()));
      this.entryMoves.push(newInst("mov", reg(register), argumentWord(param.imm), { origin: this.fn.origin }));
    }
    return register;
  }

  /** A register that holds the value; it must not be written. */
  use(value: Value): number {
    switch (value.op) {
      case "const": case "address": {
        const register = this.fresh();
        this.move(register, imm(value.imm, value.symbol));
        return register;
      }
      case "slot": {
        const register = this.fresh();
        this.emit("lea", reg(register), frameSlot(value.imm));
        return register;
      }
      case "param": return this.parameter(value);
      default: return this.registerOf(value);
    }
  }

  /** Register or immediate. */
  useImmediate(value: Value): Operand {
    return value.op === "const" || value.op === "address" ? imm(value.imm, value.symbol) : reg(this.use(value));
  }

  /** Register or memory: folded loads, parameters used once. */
  useMemory(value: Value): Operand {
    if (this.isFolded(value) && isLoad(value)) return this.address(value);
    if (value.op === "param" && this.readsInPlace(value)) return argumentWord(value.imm);
    return reg(this.use(value));
  }

  /** Register, memory or immediate. */
  useAny(value: Value): Operand {
    return value.op === "const" || value.op === "address" ? this.useImmediate(value) : this.useMemory(value);
  }

  /** A register with an 8-bit form that holds the value. */
  useByte(value: Value): number {
    const from = this.use(value);
    const register = this.fresh(BYTE_MASK);
    this.move(register, reg(from));
    return register;
  }

  /** The register for the result of `value`, loaded with `from`, ready for a two-operand instruction. */
  private begin(value: Value, from: Operand): number {
    const register = this.registerOf(value);
    this.move(register, from);
    return register;
  }

  // Addresses

  private scaled(value: Value): { index: number; scale: number } {
    if (value.op === "shl" && this.isFolded(value)) return { index: this.use(value.args[0]), scale: 1 << value.args[1].imm };
    return { index: this.use(value), scale: 1 };
  }

  private sumAddress(x: Value, y: Value, displacement: number): MemoryOperand {
    if (y.op === "const") return this.addressOf(x, displacement + y.imm);
    const xIsPlace = x.op === "address" || x.op === "slot";
    if (xIsPlace && y.op !== "address" && y.op !== "slot") return this.sumAddress(y, x, displacement);
    if (y.op === "address") {
      const { index, scale } = this.scaled(x);
      return scale === 1 ? memory(index, displacement + y.imm, NO_REGISTER, 1, y.symbol)
        : memory(NO_REGISTER, displacement + y.imm, index, scale, y.symbol);
    }
    if (y.op === "slot") return { ...frameSlot(y.imm, displacement), ...this.scaled(x) };
    if (x.op === "shl" && this.isFolded(x)) return this.sumAddress(y, x, displacement);
    return { ...memory(this.use(x), displacement), ...this.scaled(y) };
  }

  private addressOf(value: Value, displacement: number): MemoryOperand {
    if (value.op === "const") return memory(NO_REGISTER, displacement + value.imm);
    if (value.op === "address") return memory(NO_REGISTER, displacement + value.imm, NO_REGISTER, 1, value.symbol);
    if (value.op === "slot") return frameSlot(value.imm, displacement);
    if (value.op === "add" && this.isFolded(value)) return this.sumAddress(value.args[0], value.args[1], displacement);
    if (value.op === "shl" && this.isFolded(value)) {
      const { index, scale } = this.scaled(value);
      return scale === 2 ? memory(index, displacement, index, 1) : memory(NO_REGISTER, displacement, index, scale);
    }
    return memory(this.use(value), displacement);
  }

  /** The memory operand of a load, a store, or a volatile intrinsic. */
  address(access: Value): MemoryOperand {
    return this.addressOf(access.args[0], access.imm);
  }

  // Comparisons

  /** Emits what sets the flags for `condition is not 0`; returns the condition code. */
  private test(condition: Value): number {
    if (isCompare(condition.op) && this.isFolded(condition)) return this.compare(condition);
    if (condition.op === "and" && this.isFolded(condition)) {
      this.testBits(condition);
    } else if (isLoad(condition) && this.isFolded(condition)) {
      this.emit("cmp", this.address(condition), imm(0), { size: ACCESS_SIZE[condition.op] });
    } else {
      this.testZero(condition);
    }
    return CC.ne;
  }

  private testZero(value: Value): void {
    const operand = this.useMemory(value);
    if (operand.kind === "register") this.emit("test", operand, operand);
    else this.emit("cmp", operand, imm(0));
  }

  private testBits(bits: Value): void {
    const [x, y] = bits.args;
    if (y.op !== "const") return this.emit("test", this.useMemory(x), reg(this.use(y)));
    const size = x.op === "load8u" && this.isFolded(x) ? 1 : 4;
    this.emit("test", this.useMemory(x), imm(size === 1 ? y.imm & 0xff : y.imm), { size });
  }

  private compare(compare: Value): number {
    const { op, args } = compare;
    if (args.length === 4) return this.compareWide(compare);
    const condition = CONDITION_OF[op];
    const [x, y] = args;
    if (y.op === "const" && y.imm === 0 && (op === "eq" || op === "ne") && x.op === "and" && this.isFolded(x)) {
      this.testBits(x);
      return condition;
    }
    const size = isLoad(x) && this.isFolded(x) ? ACCESS_SIZE[x.op] : 4;
    const left = this.useMemory(x);
    if (left.kind === "memory") {
      this.emit("cmp", left, this.useImmediate(y), { size });
      return condition;
    }
    if (y.op === "const" && y.imm === 0) {
      this.emit("test", left, left);
      return condition;
    }
    if (x.op === "address" || x.op === "slot") {
      const right = this.useMemory(y);
      if (right.kind === "memory") {
        this.emit("cmp", right, left);
        return EXCHANGED[condition];
      }
      this.emit("cmp", left, right);
      return condition;
    }
    this.emit("cmp", left, this.useAny(y));
    return condition;
  }

  private compareWide(compare: Value): number {
    const [aLow, aHigh, bLow, bHigh] = compare.args;
    const high = this.fresh();
    const from = this.useAny(aHigh);
    const low = this.useAny(aLow);
    if (low.kind === "immediate") {
      const register = this.fresh();
      this.move(register, low);
      this.compareWords(reg(register), from, high, bLow, bHigh);
    } else {
      this.compareWords(low, from, high, bLow, bHigh);
    }
    return CONDITION_OF[compare.op];
  }

  private compareWords(low: Operand, from: Operand, high: number, bLow: Value, bHigh: Value): void {
    const right = low.kind === "memory" ? this.useImmediate(bLow) : this.useAny(bLow);
    const rightHigh = this.useAny(bHigh);
    this.emit("cmp", low, right);
    this.move(high, from);
    this.emit("sbb", reg(high), rightHigh);
  }

  /** A comparison whose 0 or 1 is wanted in a register. */
  private materialise(value: Value): void {
    const [x, y] = value.args;
    const isWord = !this.isFolded(x) || x.op === "load32";
    if (value.op === "lts" && y.op === "const" && y.imm === 0 && isWord) {
      this.emit("shr", reg(this.begin(value, this.useMemory(x))), imm(31));
      return;
    }
    const condition = this.compare(value);
    const byte = this.fresh(BYTE_MASK);
    this.emit("setcc", reg(byte), undefined, { condition, size: 1 });
    this.emit("movzx", reg(this.registerOf(value)), reg(byte), { size: 1 });
  }

  private select(value: Value): void {
    const [condition, yes, no] = value.args;
    const code = this.test(condition);
    const yesOperand = this.useAny(yes);
    const register = this.begin(value, this.useAny(no));
    this.emit("movcc", reg(register), yesOperand, { condition: code });
  }

  // Arithmetic

  private sum(value: Value): void {
    const [x, y] = value.args;
    const target = reg(this.registerOf(value));
    if (y.op === "const" && x.op !== "slot") {
      const from = this.useMemory(x);
      if (from.kind === "register") {
        this.emit("lea", target, memory(from.register, y.imm));
      } else {
        this.move(target.register, from);
        this.emit("add", target, imm(y.imm));
      }
      return;
    }
    if (x.op === "slot" || y.op === "slot" || x.op === "address" || y.op === "address") {
      this.emit("lea", target, this.sumAddress(x, y, 0));
      return;
    }
    const left = this.useMemory(x);
    const right = this.useMemory(y);
    if (left.kind === "register" && right.kind === "register") {
      this.emit("lea", target, memory(left.register, 0, right.register));
    } else if (left.kind === "register") {
      this.move(target.register, left);
      this.emit("add", target, right);
    } else {
      this.move(target.register, right);
      this.emit("add", target, left);
    }
  }

  private arithmetic(value: Value): void {
    let [x, y] = value.args;
    const op = ALU[value.op];
    // Tie the operand that ends here to the result.
    const prefersSwap = this.isFolded(x) || (this.uses(x) > 1 && this.uses(y) === 1 && !this.isFolded(y));
    if (COMMUTES.has(value.op) && y.op !== "const" && y.op !== "address" && prefersSwap) [x, y] = [y, x];
    if (value.op === "and" && y.op === "const" && (y.imm === 0xff || y.imm === 0xffff)) return this.zeroExtend(value, x, y.imm);
    if (value.op === "mul" && y.op === "const") return this.multiplyConstant(value, x, y.imm);
    if (value.op === "sub" && x.op === "const" && x.imm === 0) {
      this.emit("neg", reg(this.begin(value, this.useMemory(y))));
      return;
    }
    if (value.op === "xor" && y.op === "const" && y.imm === -1) {
      this.emit("not", reg(this.begin(value, this.useMemory(x))));
      return;
    }
    const right = this.useAny(y);
    const left = this.useAny(x);
    this.emit(op, reg(this.begin(value, left)), right);
  }

  private zeroExtend(value: Value, x: Value, mask: number): void {
    const target = reg(this.registerOf(value));
    if (mask === 0xffff) return this.emit("movzx", target, reg(this.use(x)), { size: 2 });
    this.emit("movzx", target, reg(this.useByte(x)), { size: 1 });
  }

  private multiplyConstant(value: Value, x: Value, factor: number): void {
    const target = reg(this.registerOf(value));
    const scale = LEA_FACTORS[factor];
    if (scale !== undefined) {
      const from = this.use(x);
      return this.emit("lea", target, memory(from, 0, from, scale));
    }
    this.emit("imul3", target, this.useMemory(x), { extra: factor });
  }

  private shift(value: Value): void {
    const [x, count] = value.args;
    const op = SHIFT[value.op];
    if (count.op === "const") {
      this.emit(op, reg(this.begin(value, this.useMemory(x))), imm(count.imm & 31));
      return;
    }
    const from = this.useAny(x);
    const by = this.useAny(count);
    const register = this.begin(value, from);
    this.move(ECX, by);
    this.emit(op, reg(register), reg(ECX));
  }

  private shiftWide(value: Value): void {
    const [low, high, count] = value.args;
    const [from, fromHigh, by] = [this.useAny(low), this.useAny(high), this.useAny(count)];
    const register = this.begin(value, from);
    const highRegister = value.high === undefined ? this.fresh() : this.registerOf(value.high);
    this.move(highRegister, fromHigh);
    this.move(ECX, by);
    this.emit(SHIFT[value.op], reg(register), reg(highRegister), { uses: ECX_MASK });
  }

  private doubleShift(value: Value): void {
    const [into, from] = value.args;
    const other = this.use(from);
    const register = this.begin(value, this.useAny(into));
    this.emit(value.op === "shld" ? "shld" : "shrd", reg(register), reg(other), { extra: value.imm });
  }

  private divide(value: Value): void {
    const [x, y] = value.args;
    const isSigned = value.op === "divs" || value.op === "rems" || value.op === "divmods";
    const wantsRemainder = value.op === "rems" || value.op === "remu";
    const from = this.useAny(x);
    const divisor = y.op === "const" ? reg(this.use(y)) : this.useMemory(y);
    this.move(EAX, from);
    const masks = { uses: EAX_MASK | EDX_MASK, defs: EAX_MASK | EDX_MASK };
    if (value.op === "rems" && (y.op !== "const" || y.imm === -1)) {
      // edx is written before the divisor is read: no code, but a definition that keeps the divisor out of it.
      this.emit("raw", undefined, undefined, { defs: EDX_MASK });
      this.emit("rems", divisor, undefined, masks);
    } else {
      if (isSigned) this.emit("cdq", undefined, undefined, { uses: EAX_MASK, defs: EDX_MASK });
      else this.move(EDX, imm(0));
      this.emit(isSigned ? "idiv" : "div", divisor, undefined, masks);
    }
    if (value.op === "divmods" || value.op === "divmodu") this.takePair(value);
    else if (this.uses(value) > 0) this.move(this.registerOf(value), reg(wantsRemainder ? EDX : EAX));
  }

  private multiplyWide(value: Value): void {
    let [x, y] = value.args;
    if (this.isFolded(x)) [x, y] = [y, x];
    const from = this.useAny(x);
    const factor = y.op === "const" || y.op === "address" ? reg(this.use(y)) : this.useMemory(y);
    this.move(EAX, from);
    this.emit("mul", factor, undefined, { uses: EAX_MASK, defs: EAX_MASK | EDX_MASK });
    this.takePair(value);
  }

  /** Moves edx:eax to the registers of a two-word value. */
  private takePair(value: Value): void {
    if (this.uses(value) > 0) this.move(this.registerOf(value), reg(EAX));
    if (value.high !== undefined && this.uses(value.high) > 0) this.move(this.registerOf(value.high), reg(EDX));
  }

  private sumWide(value: Value): void {
    const [aLow, aHigh, bLow, bHigh] = value.args;
    const [low, high] = value.op === "add64" ? (["add", "adc"] as const) : (["sub", "sbb"] as const);
    const [right, rightHigh] = [this.useAny(bLow), this.useAny(bHigh)];
    const [left, leftHigh] = [this.useAny(aLow), this.useAny(aHigh)];
    const register = this.begin(value, left);
    const highRegister = value.high === undefined ? this.fresh() : this.registerOf(value.high);
    this.move(highRegister, leftHigh);
    this.emit(low, reg(register), right);
    this.emit(high, reg(highRegister), rightHigh);
  }

  // Memory and calls

  private load(value: Value): void {
    const target = reg(this.registerOf(value));
    const size = ACCESS_SIZE[value.op];
    if (size === 4) this.emit("mov", target, this.address(value));
    else this.emit(value.op.endsWith("s") ? "movsx" : "movzx", target, this.address(value), { size });
  }

  private store(value: Value): void {
    const operation = this.folds.modifies.get(value);
    const size = ACCESS_SIZE[value.op];
    if (operation !== undefined) return this.modify(value, operation, size);
    const word = value.args[1];
    const from = size === 1 && word.op !== "const" ? reg(this.useByte(word)) : this.useImmediate(word);
    this.emit("mov", this.address(value), from, { size });
  }

  /** `op [memory], x`. */
  private modify(store: Value, operation: Value, size: 1 | 2 | 4): void {
    const [x, y] = operation.args;
    const other = isLoad(x) && this.isFolded(x) && x.imm === store.imm && x.args[0] === store.args[0] ? y : x;
    const op = ALU[operation.op] ?? SHIFT[operation.op];
    const operand = other.op === "const" ? imm(other.imm) : size === 1 ? reg(this.useByte(other)) : this.useImmediate(other);
    this.emit(op, this.address(store), operand, { size });
  }

  private call(value: Value): void {
    const isIndirect = value.op === "calli";
    const args = isIndirect ? value.args.slice(1) : value.args;
    const target = isIndirect ? this.callTarget(value.args[0]) : undefined;
    for (const arg of [...args].reverse()) this.emit("push", this.useAny(arg));
    const masks = { defs: CALLER_SAVED_MASK, symbol: value.symbol };
    if (target !== undefined) this.emit("calli", target, undefined, masks);
    else this.emit("call", undefined, undefined, masks);
    if (args.length > 0) this.emit("popargs", undefined, undefined, { extra: 4 * args.length });
    this.takePair(value);
  }

  /** The operand of an indirect call; a constant (the empty slot, most of all) goes through a register. */
  private callTarget(target: Value): Operand {
    return target.op === "const" || target.op === "address" ? reg(this.use(target)) : this.useMemory(target);
  }

  private value(value: Value): void {
    this.origin = value.origin;
    if (this.isFolded(value) || value.op === "high") return;
    switch (value.op) {
      case "add": return this.sum(value);
      case "sub": case "and": case "or": case "xor": case "mul": return this.arithmetic(value);
      case "shl": case "shrs": case "shru": case "rotl": case "rotr": return this.shift(value);
      case "shl64": case "shrs64": case "shru64": return this.shiftWide(value);
      case "shld": case "shrd": return this.doubleShift(value);
      case "divs": case "divu": case "rems": case "remu": case "divmods": case "divmodu": return this.divide(value);
      case "umul64": return this.multiplyWide(value);
      case "add64": case "sub64": return this.sumWide(value);
      case "clz": case "ctz": return this.emit(value.op, reg(this.registerOf(value)), this.scanOperand(value.args[0]));
      case "ext8s": return this.emit("movsx", reg(this.registerOf(value)), reg(this.useByte(value.args[0])), { size: 1 });
      case "ext16s": return this.emit("movsx", reg(this.registerOf(value)), reg(this.use(value.args[0])), { size: 2 });
      case "select": return this.select(value);
      case "load32": case "load16u": case "load16s": case "load8u": case "load8s": return this.load(value);
      case "store32": case "store16": case "store8": return this.store(value);
      case "call": case "calli": return this.call(value);
      case "intrinsic": return expandIntrinsic(this, value, this.uses(value) > 0);
      default:
        if (isCompare(value.op)) return this.materialise(value);
        throw new Error(`${this.fn.name}: cannot select ${value.op}`);
    }
  }

  private scanOperand(value: Value): Operand {
    return value.op === "const" || value.op === "address" ? reg(this.use(value)) : this.useMemory(value);
  }

  // Blocks

  private incomingOf(phi: Value): number {
    let register = this.incoming.get(phi);
    if (register === undefined) this.incoming.set(phi, (register = this.fresh()));
    return register;
  }

  private feedPhis(block: Block): void {
    for (const successor of new Set(block.successors)) {
      const index = successor.predecessors.indexOf(block);
      for (const phi of successor.phis) {
        const value = phi.args[index];
        if (value.op === "slot") this.emit("lea", reg(this.incomingOf(phi)), frameSlot(value.imm));
        else this.move(this.incomingOf(phi), this.useAny(value));
      }
    }
  }

  private ending(block: Block): void {
    this.origin = block.endOrigin;
    switch (block.ending) {
      case "jump":
        this.feedPhis(block);
        return this.emit("jmp", undefined, undefined, { targets: [block.successors[0]] });
      case "branch": {
        const condition = this.test(block.control[0]);
        this.emit("jcc", undefined, undefined, { condition, targets: [block.successors[0]] });
        return this.emit("jmp", undefined, undefined, { targets: [block.successors[1]] });
      }
      case "switch": return this.branchTable(block);
      case "return": return this.returnWords(block.control);
      case "trap": return this.emit("ud2");
    }
  }

  private branchTable(block: Block): void {
    const entries = block.successors.slice(0, -1);
    const otherwise = block.successors[block.successors.length - 1];
    const index = this.use(block.control[0]);
    if (entries.length > 0) {
      this.emit("cmp", reg(index), imm(entries.length));
      this.emit("jcc", undefined, undefined, { condition: CC.ae, targets: [otherwise] });
      this.emit("jmptable", reg(index), undefined, { targets: entries });
    } else {
      this.emit("jmp", undefined, undefined, { targets: [otherwise] });
    }
  }

  private returnWords(words: Value[]): void {
    const operands = words.map((word) => (word.op === "slot" ? reg(this.use(word)) : this.useAny(word)));
    if (operands.length > 0) this.move(EAX, operands[0]);
    if (operands.length > 1) this.move(EDX, operands[1]);
    this.emit("ret", undefined, undefined, { uses: [0, EAX_MASK, EAX_MASK | EDX_MASK][operands.length] });
  }

  private block(block: Block): LirBlock {
    this.out = [];
    this.depth = block.loopDepth;
    this.origin = block.body[0]?.origin ?? block.endOrigin;
    for (const phi of block.phis) this.move(this.registerOf(phi), reg(this.incomingOf(phi)));
    for (const value of block.body) this.value(value);
    this.ending(block);
    return { source: block, insts: this.out };
  }

  run(): LirFunction {
    const blocks = this.fn.blocks.map((block) => this.block(block));
    blocks[0].insts.unshift(...this.entryMoves);
    return { name: this.fn.name, blocks, classes: this.classes, slots: [...this.fn.slots], allocatedSlots: this.fn.slots.length };
  }
}

/** Machine-level code of a function whose blocks are laid out and whose critical edges are split. */
export function selectInstructions(fn: IrFunction): LirFunction {
  return new Selector(fn).run();
}
