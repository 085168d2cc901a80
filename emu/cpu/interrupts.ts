// Delivery of interrupts and exceptions through the IDT, double faults, and
// IRET. All of it can fault half way: registers change only after the last
// access that can, so a page fault while a frame is pushed leaves the
// interrupted state as it was.
//
// RF: processors set it in the flags image of a fault, for the sake of
// instruction breakpoints in debug registers. These registers are only stored
// here, and RF is left clear, as in QEMU, so that both print the same flags.
import type { Core } from "./core.js";
import { FAULT, NO_ERROR_CODE } from "./faults.js";
import {
  DATA_SEGMENTS, DESCRIPTOR, SYSTEM_TYPE, baseOf, isCode, isPresentDescriptor, limitOf, privilegeOf, systemTypeOf,
} from "./segments.js";
import type { Descriptor } from "./segments.js";
import {
  ATTRIBUTES, BASE, BUDGET, CPL, CS, EFLAGS, EIP, ESP, FAULT_ERROR, FAULT_VECTOR, FLAG, HALTED, IDT_BASE, IDT_LIMIT,
  INTERRUPT_REQUEST, LIMIT, REPEAT_RESUMED, SELECTOR, SS, TAKEN, TR, VECTOR, segmentWord,
} from "./state.js";
import { TSS, createTasks } from "./task.js";
import type { Tasks } from "./task.js";

/** What an event is; it decides the EXT bit and the DPL check. */
export type EventKind = "software" | "fault" | "trap" | "external";

export interface Interrupts {
  readonly tasks: Tasks;
  /** INT n, INT3, INTO: a gate must admit the CPL. S[EIP] is the return address. */
  software(vector: number): void;
  /** An exception, with double and triple faults resolved. S[EIP] is what to push. Never throws FAULT. */
  exception(vector: number, error: number, trap: boolean): void;
  /** A request of the interrupt controller; faults on the way become exceptions. */
  external(vector: number): void;
  /** IRET with an operand size in bytes. Returns the kind of path taken, for the clocks. */
  iret(size: number): "same" | "outer" | "task";
  /** EFLAGS as POPF and IRET may change them at the present privilege. */
  loadFlags(value: number, size: number, privilege: number): void;
  /** ESP and SS of the TSS for a privilege level. */
  innerStack(privilege: number): { readonly esp: number; readonly ss: Descriptor };
  /** Descriptor of the code segment a far return or IRET goes to; raises #GP or #NP. */
  checkReturnCode(selector: number): Descriptor;
  /** After a return to an outer ring, data segments it may not use become null. */
  dropInnerSegments(privilege: number): void;
  /** Loads CS and EIP of a checked descriptor. */
  enterCode(selector: number, descriptor: Descriptor, eip: number, privilege: number): void;
}

const FLAT_TOP = 0xffffffff;

/** Exceptions that combine into a double fault. */
function isContributory(vector: number): boolean {
  return vector === VECTOR.DE || (vector >= VECTOR.TS && vector <= VECTOR.GP);
}

function becomesDoubleFault(first: number, second: number): boolean {
  if (first === VECTOR.PF) return second === VECTOR.PF || isContributory(second);
  return isContributory(first) && isContributory(second);
}

function hasErrorCode(vector: number): boolean {
  return vector === VECTOR.DF || (vector >= VECTOR.TS && vector <= VECTOR.PF) || vector === VECTOR.AC;
}

/** Flags that POPF and IRET can write on a model, before the privilege rules. */
function writableFlags(model: string): number {
  const common = 0x47fd5;
  return model === "i386" ? common & ~FLAG.AC : common;
}

export function createInterrupts(core: Core): Interrupts {
  const { state, faults, flags, memory, segments, stack, counters, penalties, config } = core;
  const { S, regs } = state;
  const { readSystem16, readSystem32, writeSystem16, writeSystem32 } = memory;
  const tasks = createTasks(core);
  const changeable = writableFlags(config.model);
  const [same, inner, throughTask] = penalties.exception;

  function enterCode(selector: number, descriptor: Descriptor, eip: number, privilege: number): void {
    segments.setAccessed(descriptor);
    segments.setPrivilege(privilege);
    segments.fill(CS, (selector & ~3) | privilege, descriptor);
    S[EIP] = eip;
  }

  function innerStack(privilege: number): { readonly esp: number; readonly ss: Descriptor } {
    const error = S[segmentWord(TR, SELECTOR)] & 0xfffc;
    const offset = TSS.ESP0 + privilege * 8;
    if (S[segmentWord(TR, ATTRIBUTES)] === 0 || offset + 7 > (S[segmentWord(TR, LIMIT)] >>> 0)) {
      faults.raise(VECTOR.TS, error);
    }
    const base = S[segmentWord(TR, BASE)];
    const esp = readSystem32(base + offset);
    const selector = readSystem16(base + offset + 4);
    if ((selector & 0xfffc) === 0) faults.raise(VECTOR.TS, selector & 0xfffc);
    const ss = segments.readDescriptor(selector, VECTOR.TS);
    segments.checkStack(ss, privilege, VECTOR.TS);
    return { esp, ss };
  }

  /** Writes words below `top` of a stack given by its descriptor; the first value ends up highest. */
  function pushOnInnerStack(descriptor: Descriptor, top: number, values: readonly number[], size: number): number {
    const base = baseOf(descriptor);
    const bytes = values.length * size;
    const expandDown = (descriptor.high & DESCRIPTOR.EXPAND_DOWN) !== 0;
    const lowest = (top - bytes) >>> 0;
    if (!expandDown && limitOf(descriptor) >>> 0 !== FLAT_TOP && lowest + bytes - 1 > limitOf(descriptor) >>> 0) {
      faults.raise(VECTOR.SS, descriptor.selector & 0xfffc);
    }
    let offset = top;
    for (const value of values) {
      offset = (offset - size) | 0;
      if (size === 4) writeSystem32((base + offset) | 0, value);
      else writeSystem16((base + offset) | 0, value & 0xffff);
    }
    return offset;
  }

  function pushOnSameStack(values: readonly number[], size: number): void {
    const top = regs[ESP];
    for (let i = 0; i < values.length; i++) {
      const at = stack.linear(-(i + 1) * size, size, true);
      if (size === 4) memory.write32(at, values[i]);
      else memory.write16(at, values[i] & 0xffff);
    }
    regs[ESP] = (top - values.length * size) | 0;
  }

  function readGate(vector: number, kind: EventKind): Descriptor {
    const external = kind === "software" ? 0 : 1;
    const error = (vector << 3) | 2 | external;
    if ((vector << 3) + 7 > (S[IDT_LIMIT] >>> 0)) faults.raise(VECTOR.GP, error);
    const at = (S[IDT_BASE] + (vector << 3)) | 0;
    const gate: Descriptor = { selector: error, low: readSystem32(at), high: readSystem32((at + 4) | 0) };
    const type = systemTypeOf(gate);
    const known = type >= SYSTEM_TYPE.TASK_GATE && type !== 8 && (type <= SYSTEM_TYPE.TRAP_GATE16
      || type >= SYSTEM_TYPE.INTERRUPT_GATE);
    if (!known) faults.raise(VECTOR.GP, error);
    if (kind === "software" && privilegeOf(gate) < S[CPL]) faults.raise(VECTOR.GP, error);
    if (!isPresentDescriptor(gate)) faults.raise(VECTOR.NP, error);
    return gate;
  }

  function throughTaskGate(selector: number, error: number): void {
    tasks.switchTask(selector, "int");
    S[BUDGET] -= throughTask;
    if (error !== NO_ERROR_CODE) stack.push32(error);
  }

  /** Delivers through the IDT; may raise. */
  function deliver(vector: number, kind: EventKind, error: number): void {
    const external = kind === "software" ? 0 : 1;
    S[TAKEN] = 0;
    S[REPEAT_RESUMED] = 0;
    const gate = readGate(vector, kind);
    const type = systemTypeOf(gate);
    const selector = gate.low >>> 16;
    if (type === SYSTEM_TYPE.TASK_GATE) {
      throughTaskGate(selector, error);
      return;
    }
    if ((selector & 0xfffc) === 0) faults.raise(VECTOR.GP, external);
    const code = segments.readDescriptor(selector, VECTOR.GP, external);
    const codeError = (selector & 0xfffc) | external;
    const privilege = privilegeOf(code);
    if (!isCode(code) || privilege > S[CPL]) faults.raise(VECTOR.GP, codeError);
    if (!isPresentDescriptor(code)) faults.raise(VECTOR.NP, codeError);
    const conforming = (code.high & DESCRIPTOR.CONFORMING) !== 0;
    const size = type >= SYSTEM_TYPE.TSS ? 4 : 2;
    const offset = size === 4 ? (gate.high & 0xffff0000) | (gate.low & 0xffff) : gate.low & 0xffff;
    const frame = [flags.read(), S[segmentWord(CS, SELECTOR)], S[EIP]];
    if (error !== NO_ERROR_CODE) frame.push(error);
    if (!conforming && privilege < S[CPL]) {
      const { esp, ss } = innerStack(privilege);
      const newEsp = pushOnInnerStack(ss, esp, [S[segmentWord(SS, SELECTOR)], regs[ESP], ...frame], size);
      counters.ringCrossings++;
      segments.setAccessed(ss);
      enterCode(selector, code, offset, privilege);
      segments.fill(SS, ss.selector, ss);
      regs[ESP] = newEsp;
      S[BUDGET] -= kind === "software" ? 0 : inner;
    } else {
      pushOnSameStack(frame, size);
      enterCode(selector, code, offset, S[CPL]);
      S[BUDGET] -= kind === "software" ? 0 : same;
    }
    const interruptGate = (type & 1) === 0;
    S[EFLAGS] &= ~(FLAG.TF | FLAG.NT | FLAG.RF | FLAG.VM | (interruptGate ? FLAG.IF : 0));
  }

  function exception(vector: number, error: number, trap: boolean): void {
    let current = vector;
    let code = error;
    let kind: EventKind = trap ? "trap" : "fault";
    for (;;) {
      counters.exceptions[current]++;
      try {
        deliver(current, kind, hasErrorCode(current) ? code : NO_ERROR_CODE);
        return;
      } catch (thrown) {
        if (thrown !== FAULT) throw thrown;
        segments.setPrivilege(S[CPL]);
        const next = S[FAULT_VECTOR];
        if (current === VECTOR.DF) {
          faults.shutdown(`triple fault: exception ${next} (error ${S[FAULT_ERROR].toString(16)}) while delivering a`
            + ` double fault; first exception ${vector} at eip ${(S[EIP] >>> 0).toString(16)}`);
        }
        code = becomesDoubleFault(current, next) ? 0 : S[FAULT_ERROR];
        current = becomesDoubleFault(current, next) ? VECTOR.DF : next;
        kind = "fault";
      }
    }
  }

  function loadFlags(value: number, size: number, privilege: number): void {
    let mask = size === 4 ? changeable : changeable & 0xffff;
    if (privilege !== 0) mask &= ~FLAG.IOPL;
    if (privilege > ((S[EFLAGS] & FLAG.IOPL) >>> 12)) mask &= ~FLAG.IF;
    flags.write((flags.read() & ~mask) | (value & mask));
    if ((S[EFLAGS] & FLAG.TF) !== 0 || ((S[EFLAGS] & FLAG.IF) !== 0 && S[INTERRUPT_REQUEST] !== 0)) core.attend();
  }

  function dropInnerSegments(privilege: number): void {
    for (const segment of DATA_SEGMENTS) {
      const attributes = S[segmentWord(segment, ATTRIBUTES)];
      const conforming = (attributes & (DESCRIPTOR.CODE | DESCRIPTOR.CONFORMING))
        === (DESCRIPTOR.CODE | DESCRIPTOR.CONFORMING);
      if (attributes !== 0 && !conforming && ((attributes >>> 13) & 3) < privilege) segments.fillNull(segment, 0);
    }
  }

  function checkReturnCode(selector: number): Descriptor {
    const error = selector & 0xfffc;
    if (error === 0) faults.raise(VECTOR.GP, 0);
    const code = segments.readDescriptor(selector, VECTOR.GP);
    const rpl = selector & 3;
    const conforming = (code.high & DESCRIPTOR.CONFORMING) !== 0;
    const allowed = conforming ? privilegeOf(code) <= rpl : privilegeOf(code) === rpl;
    if (!isCode(code) || rpl < S[CPL] || !allowed) faults.raise(VECTOR.GP, error);
    if (!isPresentDescriptor(code)) faults.raise(VECTOR.NP, error);
    return code;
  }

  function iret(size: number): "same" | "outer" | "task" {
    if ((S[EFLAGS] & FLAG.NT) !== 0) {
      tasks.returnFromTask();
      return "task";
    }
    const oldPrivilege = S[CPL];
    const eip = stack.peek(size, 0);
    const selector = stack.peek(size, size) & 0xffff;
    const image = stack.peek(size, 2 * size);
    if (size === 4 && (image & FLAG.VM) !== 0 && oldPrivilege === 0) {
      faults.shutdown("virtual-8086 mode is not supported");
    }
    const code = checkReturnCode(selector);
    const privilege = selector & 3;
    if (privilege === oldPrivilege) {
      enterCode(selector, code, eip, privilege);
      regs[ESP] = (regs[ESP] + 3 * size) | 0;
      loadFlags(image, size, oldPrivilege);
      return "same";
    }
    const esp = stack.peek(size, 3 * size);
    const stackSelector = stack.peek(size, 4 * size) & 0xffff;
    if ((stackSelector & 0xfffc) === 0) faults.raise(VECTOR.GP, 0);
    const ss = segments.readDescriptor(stackSelector, VECTOR.GP);
    segments.checkStack(ss, privilege, VECTOR.GP);
    counters.ringCrossings++;
    segments.setAccessed(ss);
    enterCode(selector, code, eip, privilege);
    segments.fill(SS, stackSelector, ss);
    regs[ESP] = esp;
    loadFlags(image, size, oldPrivilege);
    dropInnerSegments(privilege);
    return "outer";
  }

  return {
    tasks,
    software(vector) {
      counters.softwareInterrupts++;
      deliver(vector, "software", NO_ERROR_CODE);
    },
    exception,
    external(vector) {
      counters.interrupts++;
      S[HALTED] = 0;
      try {
        deliver(vector, "external", NO_ERROR_CODE);
      } catch (thrown) {
        if (thrown !== FAULT) throw thrown;
        segments.setPrivilege(S[CPL]);
        exception(S[FAULT_VECTOR], S[FAULT_ERROR], false);
      }
    },
    iret,
    loadFlags,
    innerStack,
    checkReturnCode,
    dropInnerSegments,
    enterCode,
  };
}
