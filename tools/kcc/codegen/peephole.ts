// Small improvements of instructions whose registers are machine registers:
// shorter forms that differ only in the flags they leave, and tests of what the
// flags say already.

import { CC, imm, newInst, operationOf } from "./lir.js";
import type { Inst, LirBlock, LirFunction, Operand } from "./lir.js";

/** What later instructions want of the flags. */
const DEAD = 0, WITHOUT_CARRY = 1, WITH_CARRY = 2;

const CARRY_CONDITIONS = new Set<number>([CC.b, CC.ae, CC.be, CC.a]);
/** Operations whose flags tell sign and zero of their result. */
const SETS_ZERO_AND_SIGN = new Set(["add", "sub", "and", "or", "xor", "inc", "dec", "neg", "adc", "sbb"]);
/** And which clear carry and overflow, as `test` does. */
const LIKE_TEST = new Set(["and", "or", "xor"]);

function wants(inst: Inst): number {
  if (!operationOf(inst.op).readsFlags) return DEAD;
  if (inst.op === "adc" || inst.op === "sbb") return WITH_CARRY;
  return CARRY_CONDITIONS.has(inst.condition) ? WITH_CARRY : WITHOUT_CARRY;
}

/** For each instruction, what is wanted of the flags after it. */
function flagsAfter(block: LirBlock): number[] {
  const after: number[] = [];
  let level = DEAD;
  for (let i = block.insts.length - 1; i >= 0; i--) {
    const inst = block.insts[i];
    after[i] = level;
    if (operationOf(inst.op).writesFlags) level = DEAD;
    level = Math.max(level, wants(inst));
  }
  return after;
}

function registerOf(operand: Operand | undefined): number {
  return operand?.kind === "register" ? operand.register : -1;
}

/** lea that adds to its own register becomes add. */
function shortenLea(inst: Inst): Inst {
  const place = inst.b;
  if (place?.kind !== "memory" || place.symbol !== "" || place.slot >= 0) return inst;
  const target = registerOf(inst.a);
  const { base, index, scale, displacement } = place;
  const { origin } = inst;
  if (index < 0 && base === target) {
    if (displacement === 128) return newInst("sub", inst.a, imm(-128), { origin });
    return newInst("add", inst.a, imm(displacement), { origin });
  }
  if (index < 0 || scale !== 1 || displacement !== 0) return inst;
  if (base === target) return newInst("add", inst.a, { kind: "register", register: index }, { origin });
  if (index === target) return newInst("add", inst.a, { kind: "register", register: base }, { origin });
  return inst;
}

/** add and sub of 1 become inc and dec, which leave the carry alone. */
function shortenStep(inst: Inst): Inst {
  if (inst.b?.kind !== "immediate" || inst.b.symbol !== "") return inst;
  const step = inst.op === "add" ? inst.b.value : -inst.b.value;
  if (step !== 1 && step !== -1) return inst;
  return { ...inst, op: step === 1 ? "inc" : "dec", b: undefined };
}

/** When one byte of a word in memory holds all the tested bits, that byte alone is tested. */
function narrowTest(inst: Inst): Inst {
  const [place, bits] = [inst.a, inst.b];
  if (place?.kind !== "memory" || bits?.kind !== "immediate" || inst.size !== 4 || bits.symbol !== "") return inst;
  const shift = [0, 8, 16, 24].find((k) => (bits.value & ~(0xff << k)) === 0);
  if (shift === undefined) return inst;
  const byte = { ...place, displacement: place.displacement + shift / 8 };
  return { ...inst, a: byte, b: imm((bits.value >>> shift) & 0xff), size: 1 };
}

function shorten(block: LirBlock): void {
  const after = flagsAfter(block);
  block.insts = block.insts.map((inst, i) => {
    if (inst.op === "test") return narrowTest(inst);
    if (after[i] === DEAD && inst.op === "lea") return shortenLea(inst);
    const isZero = inst.op === "mov" && inst.size === 4 && inst.a?.kind === "register"
      && inst.b?.kind === "immediate" && inst.b.value === 0 && inst.b.symbol === "";
    if (after[i] === DEAD && isZero) return newInst("xor", inst.a, inst.a, { origin: inst.origin });
    return inst;
  });
}

function shortenSteps(block: LirBlock): void {
  const after = flagsAfter(block);
  block.insts = block.insts.map((inst, i) => (
    after[i] !== WITH_CARRY && (inst.op === "add" || inst.op === "sub") ? shortenStep(inst) : inst));
}

/** Instructions that read the flags which insts[at] sets. */
function readers(insts: readonly Inst[], at: number): Inst[] {
  const found: Inst[] = [];
  for (let i = at + 1; i < insts.length; i++) {
    const operation = operationOf(insts[i].op);
    if (operation.readsFlags) found.push(insts[i]);
    if (operation.writesFlags) break;
  }
  return found;
}

/** The instruction that set the flags to what insts[at], a test of `register`, would set. */
function earlierSetter(insts: readonly Inst[], at: number, register: number): Inst | undefined {
  for (let i = at - 1; i >= 0; i--) {
    const inst = insts[i];
    const operation = operationOf(inst.op);
    const writesRegister = operation.a !== "use" && registerOf(inst.a) === register;
    if (operation.writesFlags) {
      const isShift = inst.op === "shl" || inst.op === "shr" || inst.op === "sar";
      const shiftsBySome = isShift && inst.b?.kind === "immediate" && inst.b.value !== 0;
      return writesRegister && inst.size === 4 && (SETS_ZERO_AND_SIGN.has(inst.op) || shiftsBySome) ? inst : undefined;
    }
    if (writesRegister || inst.op === "movcc" || ((inst.defs >> register) & 1) !== 0) return undefined;
  }
  return undefined;
}

/** Drops `test r,r` when the flags tell it already. */
function dropTests(block: LirBlock): void {
  const { insts } = block;
  for (let i = 0; i < insts.length; i++) {
    const register = registerOf(insts[i].a);
    if (insts[i].op !== "test" || register < 0 || registerOf(insts[i].b) !== register) continue;
    const setter = earlierSetter(insts, i, register);
    if (setter === undefined) continue;
    const users = readers(insts, i);
    const isFree = users.every(({ condition }) => condition === CC.e || condition === CC.ne);
    const isSign = users.every(({ condition }) => (
      condition === CC.e || condition === CC.ne || condition === CC.l || condition === CC.ge));
    if (!isFree && !LIKE_TEST.has(setter.op) && !isSign) continue;
    if (!LIKE_TEST.has(setter.op)) {
      for (const user of users) user.condition = user.condition === CC.l ? CC.s : user.condition === CC.ge ? CC.ns
        : user.condition;
    }
    insts.splice(i, 1);
    i--;
  }
}

/** A spill slot read right after it was written: the register that was written has the value. */
function dropReloads(block: LirBlock, firstSpill: number): void {
  const { insts } = block;
  for (let i = 1; i < insts.length; i++) {
    const [written, read] = [insts[i - 1], insts[i]];
    const [to, from] = [written.a, read.b];
    if (written.op !== "mov" || read.op !== "mov" || written.size !== 4 || read.size !== 4) continue;
    if (to?.kind !== "memory" || from?.kind !== "memory" || to.slot < firstSpill || to.slot !== from.slot) continue;
    if (to.displacement !== from.displacement || written.b?.kind !== "register"
      || read.a?.kind !== "register") continue;
    if (written.b.register === read.a.register) insts.splice(i--, 1);
    else insts[i] = { ...read, b: written.b };
  }
}

/** Improves all blocks of an allocated function. */
export function peephole(fn: LirFunction): void {
  for (const block of fn.blocks) {
    dropReloads(block, fn.allocatedSlots);
    shorten(block);
    dropTests(block);
    shortenSteps(block);
  }
}
