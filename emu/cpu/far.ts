// Far transfers: JMP and CALL between segments, through call gates and to tasks.
import type { Core } from "./core.js";
import type { Interrupts } from "./interrupts.js";
import {
  DESCRIPTOR, SYSTEM_TYPE, isCode, isPresentDescriptor, limitOf, privilegeOf, systemTypeOf,
} from "./segments.js";
import type { Descriptor } from "./segments.js";
import { CPL, CS, EIP, ESP, LIMIT, SELECTOR, SS, VECTOR, segmentWord } from "./state.js";

/** The way a transfer went; index into the parameters of the clock rule `far`. */
export type FarPath = "direct" | "gate" | "inner" | "innerWithParameters" | "tss" | "taskGate" | "real";

export interface FarTransfers {
  jmp(selector: number, offset: number): FarPath;
  /** `size` is the operand size; S[EIP] must be the return address. `parameters` of the result: words copied. */
  call(selector: number, offset: number, size: number): { readonly path: FarPath; readonly parameters: number };
}

export function createFarTransfers(core: Core, interrupts: Interrupts): FarTransfers {
  const { state, faults, segments, stack, counters } = core;
  const { S, regs } = state;
  const { checkEip, enterCode } = interrupts;

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

  const isCallGate = (type: number): boolean => type === SYSTEM_TYPE.CALL_GATE || type === SYSTEM_TYPE.CALL_GATE16;
  /** Width of what a call gate pushes and copies. */
  const gateSize = (type: number): number => (type === SYSTEM_TYPE.CALL_GATE ? 4 : 2);

  function gateOffset(type: number, gate: Descriptor): number {
    return type === SYSTEM_TYPE.CALL_GATE ? (gate.high & 0xffff0000) | (gate.low & 0xffff) : gate.low & 0xffff;
  }

  function jmpReal(selector: number, offset: number): FarPath {
    checkEip(offset, S[segmentWord(CS, LIMIT)]);
    segments.fillReal(CS, selector);
    S[EIP] = offset;
    return "real";
  }

  function jmp(selector: number, offset: number): FarPath {
    if (!segments.isProtected()) return jmpReal(selector, offset);
    const target = readTarget(selector);
    if (isCode(target)) {
      checkDirect(selector, target);
      enterCode(selector, target, offset, S[CPL]);
      return "direct";
    }
    const type = systemTypeOf(target);
    if (!isCallGate(type)) return switchTask(type, selector, target, "jmp");
    checkSystem(selector, target);
    const code = gateTarget(target);
    const conforming = (code.high & DESCRIPTOR.CONFORMING) !== 0;
    if (!conforming && privilegeOf(code) !== S[CPL]) faults.raise(VECTOR.GP, code.selector & 0xfffc);
    enterCode(code.selector, code, gateOffset(type, target), S[CPL]);
    return "gate";
  }

  function switchTask(type: number, selector: number, target: Descriptor, cause: "jmp" | "call"): FarPath {
    const gate = type === SYSTEM_TYPE.TASK_GATE;
    if (!gate && type !== SYSTEM_TYPE.TSS && type !== SYSTEM_TYPE.TSS16) faults.raise(VECTOR.GP, selector & 0xfffc);
    checkSystem(selector, target);
    interrupts.tasks.switchTask(gate ? target.low >>> 16 : selector, cause, gate, 0);
    return gate ? "taskGate" : "tss";
  }

  /** Pushes the return address; the caller has seen to it that this does not fault. */
  function pushReturn(size: number): void {
    stack.push(size, S[segmentWord(CS, SELECTOR)]);
    stack.push(size, S[EIP]);
  }

  function callSame(code: Descriptor, offset: number, size: number): void {
    stack.prepare(2, size);
    checkEip(offset, limitOf(code));
    pushReturn(size);
    enterCode(code.selector, code, offset, S[CPL]);
  }

  function callReal(selector: number, offset: number, size: number): void {
    stack.prepare(2, size);
    checkEip(offset, S[segmentWord(CS, LIMIT)]);
    pushReturn(size);
    segments.fillReal(CS, selector);
    S[EIP] = offset;
  }

  function callInner(type: number, gate: Descriptor, code: Descriptor): number {
    const privilege = privilegeOf(code);
    const size = gateSize(type);
    const to = interrupts.innerStack(privilege, 0);
    const offset = gateOffset(type, gate);
    checkEip(offset, limitOf(code));
    const parameters = gate.high & 31;
    const words = Array.from({ length: parameters }, (_, i) => stack.peek(size, i * size));
    const values = [S[segmentWord(SS, SELECTOR)], regs[ESP], ...words.reverse(), S[segmentWord(CS, SELECTOR)], S[EIP]];
    const esp = interrupts.pushOnInnerStack(to, values, size, 0);
    counters.ringCrossings++;
    enterCode(code.selector, code, offset, privilege);
    interrupts.enterStack(to, esp);
    return parameters;
  }

  function call(
    selector: number, offset: number, size: number,
  ): { readonly path: FarPath; readonly parameters: number } {
    if (!segments.isProtected()) {
      callReal(selector, offset, size);
      return { path: "real", parameters: 0 };
    }
    const target = readTarget(selector);
    if (isCode(target)) {
      checkDirect(selector, target);
      callSame(target, offset, size);
      return { path: "direct", parameters: 0 };
    }
    const type = systemTypeOf(target);
    if (!isCallGate(type)) return { path: switchTask(type, selector, target, "call"), parameters: 0 };
    checkSystem(selector, target);
    const code = gateTarget(target);
    const conforming = (code.high & DESCRIPTOR.CONFORMING) !== 0;
    if (conforming || privilegeOf(code) === S[CPL]) {
      callSame(code, gateOffset(type, target), gateSize(type));
      return { path: "gate", parameters: 0 };
    }
    const parameters = callInner(type, target, code);
    return { path: parameters === 0 ? "inner" : "innerWithParameters", parameters };
  }

  return { jmp, call };
}
