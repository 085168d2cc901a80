// Moves virtual registers to memory: a frame slot, the incoming stack word of
// a parameter that is never assigned, or nowhere at all for a constant.
//
// Where an instruction takes a memory or immediate operand, the place itself
// is used; elsewhere a fresh register lives for that one instruction.

import { FIRST_VIRTUAL, frameSlot, newInst, operationOf, reg } from "./lir.js";
import type { Inst, LirFunction, MemoryOperand, Operand } from "./lir.js";

/** Where a spilled register lives. A constant or an incoming word is never written. */
export type Place = { readonly operand: Operand; readonly isFixed: boolean };

const TAKES_IMMEDIATE_B = new Set(["mov", "add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"]);

class Spiller {
  private readonly fn: LirFunction;
  private readonly places: ReadonlyMap<number, Place>;
  /** Registers made here; they must get a machine register. */
  readonly temporaries: Set<number>;
  private out: Inst[] = [];

  constructor(fn: LirFunction, places: ReadonlyMap<number, Place>, temporaries: Set<number>) {
    this.fn = fn;
    this.places = places;
    this.temporaries = temporaries;
  }

  private temporaryFor(register: number): number {
    this.fn.classes.push(this.fn.classes[register - FIRST_VIRTUAL]);
    const temporary = this.fn.classes.length - 1 + FIRST_VIRTUAL;
    this.temporaries.add(temporary);
    return temporary;
  }

  private placeOf(operand: Operand | undefined): Place | undefined {
    return operand?.kind === "register" ? this.places.get(operand.register) : undefined;
  }

  /** A register loaded with the spilled one; the same for several reads in one instruction. */
  private reload(register: number, loaded: Map<number, number>, origin: number): number {
    let temporary = loaded.get(register);
    if (temporary !== undefined) return temporary;
    temporary = this.temporaryFor(register);
    loaded.set(register, temporary);
    this.out.push(newInst("mov", reg(temporary), this.places.get(register)!.operand, { origin }));
    return temporary;
  }

  private address(operand: Operand | undefined, loaded: Map<number, number>, origin: number): Operand | undefined {
    if (operand?.kind !== "memory") return operand;
    const fix = (register: number): number => (
      this.places.has(register) ? this.reload(register, loaded, origin) : register);
    return { ...operand, base: fix(operand.base), index: fix(operand.index) };
  }

  private canStandFor(inst: Inst, side: "a" | "b", place: Place): boolean {
    const operation = operationOf(inst.op);
    const other = side === "a" ? inst.b : inst.a;
    if (place.operand.kind === "immediate") {
      return (side === "b" && TAKES_IMMEDIATE_B.has(inst.op) && inst.size === 4)
        || (side === "a" && inst.op === "push");
    }
    if (other?.kind === "memory" || !operation.memory.includes(side)) return false;
    // Both sides spilled: one of them may stay, the first that asks.
    if (inst.op === "mov" && inst.size !== 4) return false;
    if (inst.op === "rawUse" || inst.op === "rawDef") return false;
    return true;
  }

  /** `test v,v` of a spilled register. */
  private testInPlace(inst: Inst): boolean {
    const [a, b] = [inst.a, inst.b];
    if (inst.op !== "test" || a?.kind !== "register" || b?.kind !== "register"
      || a.register !== b.register) return false;
    const place = this.places.get(a.register)!;
    if (place.operand.kind !== "memory") return false;
    this.out.push({ ...inst, op: "cmp", a: place.operand, b: { kind: "immediate", value: 0, symbol: "" } });
    return true;
  }

  private rewrite(inst: Inst): void {
    const { origin } = inst;
    const loaded = new Map<number, number>();
    const operation = operationOf(inst.op);
    const placeA = this.placeOf(inst.a);
    const placeB = this.placeOf(inst.b);
    // The definition of a constant or of an incoming word needs no code.
    if (placeA?.isFixed && operation.a === "def" && inst.op === "mov") return;
    if (placeA !== undefined && this.testInPlace(inst)) return;
    inst.a = this.address(inst.a, loaded, origin);
    inst.b = this.address(inst.b, loaded, origin);
    if (placeB !== undefined) {
      const stands = placeA === undefined && this.canStandFor(inst, "b", placeB);
      const register = (inst.b as { register: number }).register;
      if (stands) inst.b = placeB.operand;
      else if (operation.b === "modify") return this.rewriteModified(inst, register, placeB, loaded);
      else inst.b = placeB.operand.kind === "immediate" && this.canStandFor(inst, "b", placeB)
        ? placeB.operand : reg(this.reload(register, loaded, origin));
    }
    if (placeA === undefined) this.out.push(inst);
    else this.rewriteFirst(inst, placeA, loaded);
  }

  private rewriteFirst(inst: Inst, place: Place, loaded: Map<number, number>): void {
    const operation = operationOf(inst.op);
    const { register } = inst.a as { register: number };
    if (this.canStandFor(inst, "a", place)) {
      inst.a = place.operand;
      this.out.push(inst);
      return;
    }
    const temporary = operation.a === "def" ? this.temporaryFor(register) : this.reload(register, loaded, inst.origin);
    inst.a = reg(temporary);
    this.out.push(inst);
    if (operation.a !== "use") this.out.push(newInst("mov", place.operand, reg(temporary), { origin: inst.origin }));
  }

  /** A second operand that is read and written (the high word of a wide shift). */
  private rewriteModified(inst: Inst, register: number, place: Place, loaded: Map<number, number>): void {
    const temporary = this.reload(register, loaded, inst.origin);
    inst.b = reg(temporary);
    const first = this.placeOf(inst.a);
    if (first === undefined) this.out.push(inst);
    else this.rewriteFirst(inst, first, loaded);
    this.out.push(newInst("mov", place.operand, reg(temporary), { origin: inst.origin }));
  }

  run(): void {
    for (const block of this.fn.blocks) {
      this.out = [];
      for (const inst of block.insts) this.rewrite(inst);
      block.insts = this.out;
    }
  }
}

/** Rewrites the function so that the registers in `places` live there. New registers join `temporaries`. */
export function spill(fn: LirFunction, places: ReadonlyMap<number, Place>, temporaries: Set<number>): void {
  new Spiller(fn, places, temporaries).run();
}

/** A new frame slot of one word. */
export function newSpillSlot(fn: LirFunction): MemoryOperand {
  fn.slots.push(4);
  return frameSlot(fn.slots.length - 1);
}
