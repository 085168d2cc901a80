// Decides which values get no instruction of their own, because the
// instruction of their only user does their work: loads as memory operands,
// address arithmetic in addressing modes, comparisons in the branch that tests
// them, load-operate-store on one place as one instruction.
//
// A load moves down to its user only when no value with an effect (store,
// call, intrinsic) lies between, so the order of memory accesses stays.

import { hasEffect, isLoad, isStore } from "../ir/ir.js";
import type { Block, IrFunction, Op, Value } from "../ir/ir.js";
import { isCompare } from "../ir/fold.js";

export interface Folds {
  /** Values without an instruction of their own. */
  readonly folded: ReadonlySet<Value>;
  /** Stores that are emitted as `op [memory], x`, with the operation. */
  readonly modifies: ReadonlyMap<Value, Value>;
  readonly useCount: ReadonlyMap<Value, number>;
}

const ALU = new Set<Op>(["add", "sub", "and", "or", "xor"]);
const COMMUTES = new Set<Op>(["add", "and", "or", "xor", "mul", "umul64"]);
const DIVISIONS = new Set<Op>(["divs", "divu", "rems", "remu", "divmods", "divmodu"]);
const SHIFTS = new Set<Op>(["shl", "shru", "shrs"]);
const MAX_SCALE_SHIFT = 3;
/** Loads that read what a store of this width writes. */
const LOADS_OF_WIDTH: Partial<Record<Op, readonly Op[]>> = {
  store32: ["load32"], store16: ["load16u", "load16s"], store8: ["load8u", "load8s"],
};

/** Comparison with a constant that fits the width of a narrow load, so that the narrow operand can be compared. */
export function narrowCompareFits(op: Op, load: Value, constant: number): boolean {
  if (op.endsWith("64")) return false;
  const isSigned = op === "lts" || op === "les" || op === "gts" || op === "ges";
  switch (load.op) {
    case "load32": return true;
    case "load8u": return constant >= 0 && constant <= 0xff && !isSigned;
    case "load16u": return constant >= 0 && constant <= 0xffff && !isSigned;
    case "load8s": return constant >= -0x80 && constant <= 0x7f && (isSigned || op === "eq" || op === "ne");
    case "load16s": return constant >= -0x8000 && constant <= 0x7fff && (isSigned || op === "eq" || op === "ne");
    default: return false;
  }
}

class Folder {
  private readonly fn: IrFunction;
  readonly folded = new Set<Value>();
  readonly modifies = new Map<Value, Value>();
  readonly useCount = new Map<Value, number>();
  private readonly users = new Map<Value, Value[]>();
  private readonly blockOf = new Map<Value, Block>();
  /** Index in its block at which a value's work is done. */
  private readonly place = new Map<Value, number>();
  private effects: number[] = [];

  constructor(fn: IrFunction) {
    this.fn = fn;
  }

  private count(): void {
    const use = (value: Value, user: Value | undefined): void => {
      this.useCount.set(value, (this.useCount.get(value) ?? 0) + 1);
      if (user === undefined) return;
      const users = this.users.get(value);
      if (users === undefined) this.users.set(value, [user]);
      else users.push(user);
    };
    for (const block of this.fn.blocks) {
      for (const phi of block.phis) for (const arg of phi.args) use(arg, phi);
      for (const value of block.body) {
        this.blockOf.set(value, block);
        for (const arg of value.args) use(arg, value.op === "high" ? undefined : value);
        if (value.op === "high") this.useCount.set(value.args[0], this.useCount.get(value.args[0])! - 1);
      }
      for (const value of block.control) use(value, undefined);
    }
  }

  private single(value: Value): boolean {
    return this.useCount.get(value) === 1;
  }

  /** No effect strictly between two places of the block at hand. */
  private isQuiet(from: number, to: number): boolean {
    return this.effects[to] === this.effects[from + 1];
  }

  /** Whether the load may become a memory operand of `user`. */
  private loadFits(load: Value, user: Value): boolean {
    const { args, op } = user;
    const other = args[0] === load ? args[1] : args[0];
    if (args.filter((arg) => arg === load).length !== 1) return false;
    const otherIsFolded = other !== undefined && this.folded.has(other) && isLoad(other);
    if (isCompare(op)) {
      if (args.length === 4) return load.op === "load32" && (args[2] === load || args[3] === load);
      if (otherIsFolded) return false;
      if (other.op === "const") return narrowCompareFits(op, load, other.imm) && args[0] === load;
      return load.op === "load32" && other.op !== "address";
    }
    if (this.folded.has(user)) {
      // A `test` instruction: memory against a constant or a register. Nothing else that is folded has room.
      if (!this.isTest(user)) return false;
      if (otherIsFolded) return false;
      if (other.op === "const") return args[0] === load && (load.op === "load32" || load.op === "load8u");
      return load.op === "load32" && args[0] === load;
    }
    if (load.op !== "load32") return false;
    if (op === "call" || op === "calli") return true;
    if (ALU.has(op) || op === "mul" || op === "umul64") {
      if (otherIsFolded) return false;
      if (args[1] === load) return args[0].op !== "const" && args[0].op !== "address";
      return COMMUTES.has(op) && other.op !== "const" && other.op !== "address" && other.op !== "slot";
    }
    if (DIVISIONS.has(op)) return args[1] === load;
    if (op === "add64" || op === "sub64") return args[2] === load || args[3] === load;
    return false;
  }

  private isTest(value: Value): boolean {
    const user = this.users.get(value)?.[0];
    return value.op === "and" && (user === undefined || isCompare(user.op));
  }

  private addressUses(value: Value): boolean {
    const users = this.users.get(value) ?? [];
    if (users.length !== this.useCount.get(value) || users.length > 2) return false;
    return users.every((user) => (isLoad(user) || isStore(user)) && user.args[0] === value && user.args[1] !== value);
  }

  private foldAddress(value: Value): void {
    if (value.op === "add" && this.addressUses(value)) {
      this.folded.add(value);
    } else if (value.op === "shl" && value.args[1].op === "const" && value.args[1].imm <= MAX_SCALE_SHIFT) {
      const users = this.users.get(value) ?? [];
      const inAddress = this.single(value) && users.length === 1 && users[0].op === "add"
        && users[0].args[0] !== users[0].args[1] && this.folded.has(users[0]) && this.addressUses(users[0])
        && !users[0].args.some((arg) => arg !== value && arg.op === "shl" && this.folded.has(arg));
      if (inAddress || this.addressUses(value)) this.folded.add(value);
    }
  }

  /** `store(p, op(load(p), x))` on the same place. */
  private findModify(store: Value, at: number, block: Block): void {
    const operation = store.args[1];
    const width = store.op;
    if (!this.single(operation) || this.blockOf.get(operation) !== block) return;
    const isShift = SHIFTS.has(operation.op) && operation.args[1].op === "const" && width === "store32";
    if (!ALU.has(operation.op) && !isShift) return;
    const sides = COMMUTES.has(operation.op) ? [0, 1] : [0];
    for (const side of sides) {
      const load = operation.args[side];
      const sameWidth = LOADS_OF_WIDTH[width]!.includes(load.op);
      if (!sameWidth || !this.single(load) || this.blockOf.get(load) !== block) continue;
      if (load.args[0] !== store.args[0] || load.imm !== store.imm) continue;
      const from = block.body.indexOf(load);
      if (!this.isQuiet(from, at) || operation.args[1 - side].op === "slot") continue;
      this.modifies.set(store, operation);
      this.folded.add(operation).add(load);
      this.place.set(operation, at).set(load, at);
      return;
    }
  }

  private foldInto(value: Value, index: number, block: Block): void {
    if (!this.single(value)) return;
    const user = this.users.get(value)?.[0];
    const isControl = user === undefined && block.control[0] === value;
    const end = block.body.length;
    if (isControl) {
      const tests = isCompare(value.op) || value.op === "and";
      const quiet = isLoad(value) && this.isQuiet(index, end) && value.op !== "load8s" && value.op !== "load16s";
      if (block.ending !== "branch" || !(tests || quiet)) return;
      this.folded.add(value);
      this.place.set(value, end);
      return;
    }
    if (user === undefined || this.blockOf.get(user) !== block || user.op === "phi") return;
    const at = this.place.get(user)!;
    if (isCompare(value.op) && user.op === "select" && user.args[0] === value) this.fold(value, at);
    else if (value.op === "and" && isCompare(user.op) && user.args.length === 2 && this.folded.has(user)) {
      if ((user.op === "eq" || user.op === "ne") && user.args[1].op === "const"
        && user.args[1].imm === 0) this.fold(value, at);
    } else if (isLoad(value) && this.isQuiet(index, at) && this.loadFits(value, user)) this.fold(value, at);
  }

  private fold(value: Value, at: number): void {
    this.folded.add(value);
    this.place.set(value, at);
  }

  private visitBlock(block: Block): void {
    this.effects = [0];
    for (const value of block.body) this.effects.push(this.effects[this.effects.length - 1] + Number(hasEffect(value)));
    for (let i = block.body.length - 1; i >= 0; i--) {
      const value = block.body[i];
      if (!this.place.has(value)) this.place.set(value, i);
      if (this.folded.has(value)) continue;
      if (isStore(value)) this.findModify(value, i, block);
      else if (value.op === "add" || value.op === "shl") this.foldAddress(value);
      if (!this.folded.has(value)) this.foldInto(value, i, block);
    }
  }

  run(): Folds {
    this.count();
    // Uses come after definitions in this order, so a value's user has been decided before it.
    for (const block of [...this.fn.blocks].reverse()) this.visitBlock(block);
    return this;
  }
}

/** Chooses the folds of a function whose blocks are in their final order. */
export function chooseFolds(fn: IrFunction): Folds {
  return new Folder(fn).run();
}
