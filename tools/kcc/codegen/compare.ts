// Selection of comparisons: as conditions of branches and selects, where only
// the flags matter, and as 0 or 1 in a register.

import { isCompare } from "../ir/fold.js";
import { isLoad } from "../ir/ir.js";
import type { Value } from "../ir/ir.js";
import { BYTE_MASK, CC, imm, reg } from "./lir.js";
import type { Operand } from "./lir.js";
import { OperandSelector } from "./operands.js";

const CONDITION_OF: Record<string, number> = {
  eq: CC.e, ne: CC.ne, lts: CC.l, les: CC.le, gts: CC.g, ges: CC.ge, ltu: CC.b, leu: CC.be, gtu: CC.a, geu: CC.ae,
  lts64: CC.l, ges64: CC.ge, ltu64: CC.b, geu64: CC.ae,
};
/** Condition after the operands of cmp have been exchanged. */
const EXCHANGED: Record<number, number> = {
  [CC.e]: CC.e, [CC.ne]: CC.ne, [CC.l]: CC.g, [CC.g]: CC.l, [CC.le]: CC.ge, [CC.ge]: CC.le, [CC.b]: CC.a, [CC.a]: CC.b,
  [CC.be]: CC.ae, [CC.ae]: CC.be,
};
/** Bytes of memory that a load or store touches. */
export const ACCESS_SIZE: Record<string, 1 | 2 | 4> = {
  load32: 4, load16u: 2, load16s: 2, load8u: 1, load8s: 1, store32: 4, store16: 2, store8: 1,
};

/** The selector's middle: conditions. */
export class CompareSelector extends OperandSelector {
  /** Emits what sets the flags for `condition is not 0`; returns the condition code. */
  protected test(condition: Value): number {
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
    const left = this.leftOperand(this.useMemory(x), y);
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

  /** One of two operands in memory (a parameter read in place, a folded load) goes to a register. */
  private leftOperand(left: Operand, right: Value): Operand {
    if (left.kind !== "memory" || !(isLoad(right) && this.isFolded(right))) return left;
    const register = this.fresh();
    this.move(register, left);
    return reg(register);
  }

  private compareWide(compare: Value): number {
    const [aLow, aHigh, bLow, bHigh] = compare.args;
    const high = this.fresh();
    const from = this.useAny(aHigh);
    const low = this.leftOperand(this.useAny(aLow), bLow);
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
  protected materialise(value: Value): void {
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

  protected select(value: Value): void {
    const [condition, yes, no] = value.args;
    const code = this.test(condition);
    const yesOperand = this.useAny(yes);
    const register = this.begin(value, this.useAny(no));
    this.emit("movcc", reg(register), yesOperand, { condition: code });
  }
}
