// Far transfers: JMP, CALL and RET between segments, call gates and tasks.
import type { Core } from "./core.js";
import type { Interrupts } from "./interrupts.js";
import {
  DESCRIPTOR, SYSTEM_TYPE, baseOf, isCode, isPresentDescriptor, privilegeOf, systemTypeOf,
} from "./segments.js";
import type { Descriptor } from "./segments.js";
import { CPL, CS, EIP, ESP, SELECTOR, SS, VECTOR, segmentWord } from "./state.js";

/** The way a transfer went; index into the parameters of the clock rules `far` and `return`. */
export type FarPath = "direct" | "gate" | "inner" | "innerWithParameters" | "tss" | "taskGate";

export interface FarTransfers {
  jmp(selector: number, offset: number): FarPath;
  /** `size` is the operand size; S[EIP] must be the return address. `parameters` of the result: words copied. */
  call(selector: number, offset: number, size: number): { readonly path: FarPath; readonly parameters: number };
  /** RETF: releases `release` bytes of parameters. */
  ret(size: number, release: number): "same" | "outer";
}

export function createFarTransfers(core: Core, interrupts: Interrupts): FarTransfers {
  const { state, faults, memory, segments, stack, counters } = core;
  const { S, regs } = state;

  function checkDirect(selector: number, code: Descriptor): void {
    const error = selector & 0xfffc;
    const privilege = privilegeOf(code);
    const conforming = (code.high & DESCRIPTOR.CONFORMING) !== 0;
    const allowed = conforming ? privilege <= S[CPL] : (selector & 3) <= S[CPL] && privilege === S[CPL];
    if (!allowed) faults.raise(VECTOR.GP, error);
    if (!isPresentDescriptor(code)) faults.raise(VECTOR.NP, error);
  }

  function readTarget(selector: number): Descriptor {
    if ((selector & 0xfffc) === 0) faults.raise(VECTOR.GP, 0);
    return segments.readDescriptor(selector, VECTOR.GP);
  }

  /** Checks of a gate or TSS named by a far transfer. */
  function checkSystem(selector: number, descriptor: Descriptor): void {
    const error = selector & 0xfffc;
    const privilege = privilegeOf(descriptor);
    if (privilege < S[CPL] || privilege < (selector & 3)) faults.raise(VECTOR.GP, error);
    if (!isPresentDescriptor(descriptor)) faults.raise(VECTOR.NP, error);
  }

  /** Descriptor of the code a call gate leads to. */
  function gateTarget(gate: Descriptor): Descriptor {
    const selector = gate.low >>> 16;
    const code = readTarget(selector);
    const error = selector & 0xfffc;
    if (!isCode(code) || privilegeOf(code) > S[CPL]) faults.raise(VECTOR.GP, error);
    if (!isPresentDescriptor(code)) faults.raise(VECTOR.NP, error);
    return code;
  }

  function gateOffset(gate: Descriptor): number {
    return (gate.high & 0xffff0000) | (gate.low & 0xffff);
  }

  function refuse16(type: number, selector: number): void {
    if (type === SYSTEM_TYPE.CALL_GATE16) {
      faults.shutdown(`call gate ${selector.toString(16)} is a 16-bit one, which this processor does not support`);
    }
  }

  function jmp(selector: number, offset: number): FarPath {
    const target = readTarget(selector);
    if (isCode(target)) {
      checkDirect(selector, target);
      interrupts.enterCode(selector, target, offset, S[CPL]);
      return "direct";
    }
    const type = systemTypeOf(target);
    refuse16(type, selector);
    if (type === SYSTEM_TYPE.CALL_GATE) {
      checkSystem(selector, target);
      const code = gateTarget(target);
      const conforming = (code.high & DESCRIPTOR.CONFORMING) !== 0;
      if (!conforming && privilegeOf(code) !== S[CPL]) faults.raise(VECTOR.GP, code.selector & 0xfffc);
      interrupts.enterCode(code.selector, code, gateOffset(target), S[CPL]);
      return "gate";
    }
    return switchTask(type, selector, target, "jmp");
  }

  function switchTask(type: number, selector: number, target: Descriptor, cause: "jmp" | "call"): FarPath {
    const gate = type === SYSTEM_TYPE.TASK_GATE;
    if (!gate && type !== SYSTEM_TYPE.TSS && type !== SYSTEM_TYPE.TSS16) faults.raise(VECTOR.GP, selector & 0xfffc);
    checkSystem(selector, target);
    interrupts.tasks.switchTask(gate ? target.low >>> 16 : selector, cause);
    return gate ? "taskGate" : "tss";
  }

  /** Pushes the return address, then enters; nothing changes when a push faults. */
  function callSame(code: Descriptor, offset: number, size: number): void {
    const returnCs = S[segmentWord(CS, SELECTOR)];
    const returnEip = S[EIP];
    memory.prepareWrite(stack.linear(-2 * size, 2 * size, true), 2 * size);
    stack.push(size, returnCs);
    stack.push(size, returnEip);
    interrupts.enterCode(code.selector, code, offset, S[CPL]);
  }

  function callInner(gate: Descriptor, code: Descriptor): number {
    const privilege = privilegeOf(code);
    const { esp, ss } = interrupts.innerStack(privilege);
    const parameters = gate.high & 31;
    const words = Array.from({ length: parameters }, (_, i) => stack.peek(4, i * 4));
    const base = baseOf(ss);
    const values = [S[segmentWord(SS, SELECTOR)], regs[ESP], ...words.reverse(), S[segmentWord(CS, SELECTOR)], S[EIP]];
    let at = esp;
    for (const value of values) {
      at = (at - 4) | 0;
      memory.writeSystem32((base + at) | 0, value);
    }
    counters.ringCrossings++;
    segments.setAccessed(ss);
    interrupts.enterCode(code.selector, code, gateOffset(gate), privilege);
    segments.fill(SS, ss.selector, ss);
    regs[ESP] = at;
    return parameters;
  }

  function call(
    selector: number, offset: number, size: number,
  ): { readonly path: FarPath; readonly parameters: number } {
    const target = readTarget(selector);
    if (isCode(target)) {
      checkDirect(selector, target);
      callSame(target, offset, size);
      return { path: "direct", parameters: 0 };
    }
    const type = systemTypeOf(target);
    refuse16(type, selector);
    if (type !== SYSTEM_TYPE.CALL_GATE) return { path: switchTask(type, selector, target, "call"), parameters: 0 };
    checkSystem(selector, target);
    const code = gateTarget(target);
    const conforming = (code.high & DESCRIPTOR.CONFORMING) !== 0;
    if (conforming || privilegeOf(code) === S[CPL]) {
      callSame(code, gateOffset(target), 4);
      return { path: "gate", parameters: 0 };
    }
    const parameters = callInner(target, code);
    return { path: parameters === 0 ? "inner" : "innerWithParameters", parameters };
  }

  function ret(size: number, release: number): "same" | "outer" {
    const eip = stack.peek(size, 0);
    const selector = stack.peek(size, size) & 0xffff;
    const code = interrupts.checkReturnCode(selector);
    const privilege = selector & 3;
    if (privilege === S[CPL]) {
      interrupts.enterCode(selector, code, eip, privilege);
      regs[ESP] = (regs[ESP] + 2 * size + release) | 0;
      return "same";
    }
    const esp = stack.peek(size, 2 * size + release);
    const stackSelector = stack.peek(size, 3 * size + release) & 0xffff;
    if ((stackSelector & 0xfffc) === 0) faults.raise(VECTOR.GP, 0);
    const ss = segments.readDescriptor(stackSelector, VECTOR.GP);
    segments.checkStack(ss, privilege, VECTOR.GP);
    counters.ringCrossings++;
    segments.setAccessed(ss);
    interrupts.enterCode(selector, code, eip, privilege);
    segments.fill(SS, stackSelector, ss);
    regs[ESP] = (esp + release) | 0;
    interrupts.dropInnerSegments(privilege);
    return "outer";
  }

  return { jmp, call, ret };
}
