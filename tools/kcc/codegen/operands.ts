// The operands of instruction selection: where a value is when an instruction
// needs it, in a register, in memory or as an immediate, and how an address
// becomes a memory operand.

import { isLoad } from "../ir/ir.js";
import type { IrFunction, Value } from "../ir/ir.js";
import { chooseFolds } from "./fold.js";
import type { Folds } from "./fold.js";
import { ALLOCATABLE_MASK, BYTE_MASK, FIRST_VIRTUAL, NO_REGISTER, argumentWord, frameSlot, imm, memory, newInst,
  reg } from "./lir.js";
import type { Inst, MemoryOperand, Operand, Operator } from "./lir.js";

/** The selector's lower half. The public methods are also what the intrinsics emit with. */
export class OperandSelector {
  protected readonly fn: IrFunction;
  protected readonly folds: Folds;
  protected readonly classes: number[] = [];
  private readonly registers = new Map<Value, number>();
  protected out: Inst[] = [];
  protected entryMoves: Inst[] = [];
  protected origin = 0;
  protected depth = 0;

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

  protected uses(value: Value): number {
    return this.folds.useCount.get(value) ?? 0;
  }

  protected isFolded(value: Value): boolean {
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
  protected begin(value: Value, from: Operand): number {
    const register = this.registerOf(value);
    this.move(register, from);
    return register;
  }

  // Addresses

  private scaled(value: Value): { index: number; scale: number } {
    if (value.op === "shl" && this.isFolded(value)) return { index: this.use(value.args[0]),
      scale: 1 << value.args[1].imm };
    return { index: this.use(value), scale: 1 };
  }

  protected sumAddress(x: Value, y: Value, displacement: number): MemoryOperand {
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
}
