// Instruction selection: values of the IR to machine-level instructions with
// virtual registers, block by block in layout order.
//
// Phis become moves through a register of their own (`incoming`): each
// predecessor ends with a move into it and the block begins with a move out of
// it. The allocator joins these registers when nothing prevents it, so most of
// the moves vanish, and the classic swap and lost-copy problems cannot arise.

import { isCompare } from "../ir/fold.js";
import { isLoad } from "../ir/ir.js";
import type { Block, IrFunction, Value } from "../ir/ir.js";
import { ACCESS_SIZE, CompareSelector } from "./compare.js";
import { expandIntrinsic } from "./intrinsics.js";
import { CALLER_SAVED_MASK, CC, EAX, ECX, EDX, frameSlot, imm, memory, reg } from "./lir.js";
import type { LirBlock, LirFunction, Operand, Operator } from "./lir.js";

const ALU: Record<string, Operator> = { add: "add", sub: "sub", and: "and", or: "or", xor: "xor", mul: "imul" };
const COMMUTES = new Set(["add", "and", "or", "xor", "mul"]);
const SHIFT: Record<string, Operator> = {
  shl: "shl", shru: "shr", shrs: "sar", rotl: "rol", rotr: "ror", shl64: "shl64", shru64: "shr64", shrs64: "sar64",
};
/** Factors that one lea computes. */
const LEA_FACTORS: Record<number, number> = { 3: 2, 5: 4, 9: 8 };
const EAX_MASK = 1 << EAX;
const ECX_MASK = 1 << ECX;
const EDX_MASK = 1 << EDX;

export class Selector extends CompareSelector {
  private readonly incoming = new Map<Value, number>();

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
    if (value.op === "and" && y.op === "const" && (y.imm === 0xff || y.imm === 0xffff)) return this.zeroExtend(value,
      x, y.imm);
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
    const operand = other.op === "const" ? imm(other.imm) : size === 1 ? reg(this.useByte(other))
      : this.useImmediate(other);
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
      case "ext8s": return this.emit("movsx", reg(this.registerOf(value)), reg(this.useByte(value.args[0])),
        { size: 1 });
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
    return { name: this.fn.name, blocks, classes: this.classes, slots: [...this.fn.slots],
      allocatedSlots: this.fn.slots.length };
  }
}

/** Machine-level code of a function whose blocks are laid out and whose critical edges are split. */
export function selectInstructions(fn: IrFunction): LirFunction {
  return new Selector(fn).run();
}
