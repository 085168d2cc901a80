// Delivery of interrupts and exceptions, in real mode through the vector table
// and otherwise through the IDT, with double and triple faults. All of it can
// fault half way: registers change only after the last access that can, so a
// page fault while a frame is pushed leaves the interrupted state as it was.
//
// RF is set in the flags image of a fault, so that an instruction breakpoint
// does not meet its instruction again (SDM 3, 17.3.1.1); not in that of the
// breakpoint itself, of a trap or of an interrupt.
import type { Core } from "./core.js";
import { FAULT, NO_ERROR_CODE } from "./faults.js";
import { createReturns } from "./returns.js";
import type { Returns } from "./returns.js";
import {
  DESCRIPTOR, SYSTEM_TYPE, baseOf, isCode, isPresentDescriptor, limitOf, privilegeOf, systemTypeOf,
} from "./segments.js";
import type { Descriptor } from "./segments.js";
import {
  ATTRIBUTES, BASE, BUDGET, CPL, CR0, CR0_BIT, CS, DR6, DR7, DR7_BIT, DS, EFLAGS, EIP, ES, ESP, FAULT_ERROR,
  FAULT_VECTOR, FLAG, FS, GS, HALTED, IDT_BASE, IDT_LIMIT, LIMIT, REPEAT_RESUMED, SELECTOR, SS, TAKEN, TR, VECTOR,
  segmentWord,
} from "./state.js";
import { TSS, TSS16, createTasks } from "./task.js";
import type { Tasks } from "./task.js";

/** What an event is; it decides the EXT bit, the DPL check and RF. */
export type EventKind = "software" | "fault" | "trap" | "external";

/** ESP and SS of an inner ring. */
export interface InnerStack {
  readonly esp: number;
  readonly ss: Descriptor;
}

export interface Interrupts extends Returns {
  readonly tasks: Tasks;
  /** INT n, INT3, INTO: a gate must admit the CPL. S[EIP] is the return address. */
  software(vector: number): void;
  /** INT1: a debug trap without the DPL check. S[EIP] is the return address. */
  breakpointTrap(): void;
  /** An exception, with double and triple faults resolved. S[EIP] is what to push. Never throws FAULT. */
  exception(vector: number, error: number, trap: boolean): void;
  /** A debug trap: sets bits of DR6 and delivers #DB. Never throws FAULT. */
  debugTrap(bits: number): void;
  /** A request of the interrupt controller; faults on the way become exceptions. */
  external(vector: number): void;
  /** ESP and SS of the TSS for a privilege level. `extra` is the EXT bit of error codes. */
  innerStack(privilege: number, extra: number): InnerStack;
  /** Writes items below the top of an inner stack, the first highest, and returns the new offset. May raise. */
  pushOnInnerStack(stack: InnerStack, values: readonly number[], size: number, extra: number): number;
  /** Loads SS and the stack pointer of an inner ring. */
  enterStack(stack: InnerStack, offset: number): void;
}

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

export function createInterrupts(core: Core): Interrupts {
  const { state, faults, flags, memory, segments, stack, counters, penalties } = core;
  const { S, regs, regs16 } = state;
  const { readSystem16, readSystem32, writeSystem16, writeSystem32 } = memory;
  const tasks = createTasks(core);
  const returns = createReturns(core, tasks);
  const { enterCode, checkEip } = returns;
  const { same, inner, real, fromVirtual, task } = penalties.exception;

  function innerStack(privilege: number, extra: number): InnerStack {
    const error = (S[segmentWord(TR, SELECTOR)] & 0xfffc) | extra;
    const attributes = S[segmentWord(TR, ATTRIBUTES)];
    const wide = ((attributes >>> 8) & 15) >= SYSTEM_TYPE.TSS;
    const offset = wide ? TSS.ESP0 + privilege * 8 : TSS16.SP0 + privilege * 4;
    if (attributes === 0 || offset + (wide ? 7 : 3) > (S[segmentWord(TR, LIMIT)] >>> 0)) faults.raise(VECTOR.TS, error);
    const base = S[segmentWord(TR, BASE)];
    const esp = wide ? readSystem32((base + offset) | 0) : readSystem16((base + offset) | 0);
    const selector = readSystem16((base + offset + (wide ? 4 : 2)) | 0);
    if ((selector & 0xfffc) === 0) faults.raise(VECTOR.TS, extra);
    const ss = segments.readDescriptor(selector, VECTOR.TS, extra);
    segments.checkStack(ss, privilege, VECTOR.TS, extra);
    return { esp, ss };
  }

  function pushOnInnerStack({ esp, ss }: InnerStack, values: readonly number[], size: number, extra: number): number {
    const base = baseOf(ss);
    const limit = limitOf(ss) >>> 0;
    const big = (ss.high & DESCRIPTOR.BIG) !== 0;
    const expandDown = (ss.high & DESCRIPTOR.EXPAND_DOWN) !== 0;
    const mask = big ? -1 : 0xffff;
    const top = big ? 0xffffffff : 0xffff;
    let offset = esp;
    for (const value of values) {
      offset = (offset - size) & mask;
      const first = offset >>> 0;
      const last = first + size - 1;
      const outside = expandDown ? first <= limit || last > top : limit !== 0xffffffff && last > limit;
      if (outside) faults.raise(VECTOR.SS, (ss.selector & 0xfffc) | extra);
      if (size === 4) writeSystem32((base + offset) | 0, value);
      else writeSystem16((base + offset) | 0, value & 0xffff);
    }
    return offset;
  }

  function enterStack({ ss }: InnerStack, offset: number): void {
    segments.setAccessed(ss);
    segments.fill(SS, ss.selector, ss);
    if ((ss.high & DESCRIPTOR.BIG) !== 0) regs[ESP] = offset;
    else regs16[ESP << 1] = offset;
  }

  function pushOnSameStack(values: readonly number[], size: number): void {
    stack.prepare(values.length, size);
    for (const value of values) stack.push(size, size === 4 ? value : value & 0xffff);
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

  function throughTaskGate(selector: number, error: number, external: number): void {
    tasks.switchTask(selector, "int", true, external);
    S[BUDGET] -= task;
    if (error === NO_ERROR_CODE) return;
    // As wide as the new task's state.
    const wide = ((S[segmentWord(TR, ATTRIBUTES)] >>> 8) & 15) >= SYSTEM_TYPE.TSS;
    stack.push(wide ? 4 : 2, error);
  }

  /** Through the vector table of real mode: three words and no error code. */
  function deliverReal(vector: number, kind: EventKind): void {
    if (vector * 4 + 3 > (S[IDT_LIMIT] >>> 0)) faults.raise(VECTOR.GP, NO_ERROR_CODE);
    const at = (S[IDT_BASE] + vector * 4) | 0;
    const ip = readSystem16(at);
    const cs = readSystem16((at + 2) | 0);
    checkEip(ip, S[segmentWord(CS, LIMIT)]);
    pushOnSameStack([flags.read() & 0xffff, S[segmentWord(CS, SELECTOR)], S[EIP] & 0xffff], 2);
    segments.fillReal(CS, cs);
    S[EIP] = ip;
    S[EFLAGS] &= ~(FLAG.IF | FLAG.TF | FLAG.AC | FLAG.RF);
    S[BUDGET] -= kind === "software" ? 0 : real;
  }

  /** The flags image of an event. */
  function flagsImage(vector: number, kind: EventKind): number {
    const image = flags.read();
    return kind === "fault" && vector !== VECTOR.DB ? image | FLAG.RF : image;
  }

  /** The code segment of a gate: raises unless an event at this privilege may enter it. */
  function gateCode(selector: number, external: number): Descriptor {
    if ((selector & 0xfffc) === 0) faults.raise(VECTOR.GP, external);
    const code = segments.readDescriptor(selector, VECTOR.GP, external);
    const error = (selector & 0xfffc) | external;
    const privilege = privilegeOf(code);
    if (!isCode(code) || privilege > S[CPL]) faults.raise(VECTOR.GP, error);
    if (!isPresentDescriptor(code)) faults.raise(VECTOR.NP, error);
    const conforming = (code.high & DESCRIPTOR.CONFORMING) !== 0;
    if (segments.isVirtual() && (conforming || privilege !== 0)) faults.raise(VECTOR.GP, error);
    return code;
  }

  /** Delivers to a handler in an inner ring; from virtual-8086 mode the data segments are saved too, and nulled. */
  function deliverInner(
    selector: number, code: Descriptor, offset: number, size: number, frame: readonly number[], external: number,
  ): void {
    const privilege = privilegeOf(code);
    const virtual = segments.isVirtual();
    const to = innerStack(privilege, external);
    checkEip(offset, limitOf(code), external);
    const saved = virtual ? [GS, FS, DS, ES].map((segment) => S[segmentWord(segment, SELECTOR)]) : [];
    const values = [...saved, S[segmentWord(SS, SELECTOR)], regs[ESP], ...frame];
    const newEsp = pushOnInnerStack(to, values, size, external);
    counters.ringCrossings++;
    segments.setAccessed(code);
    segments.setAccessed(to.ss);
    S[EFLAGS] &= ~FLAG.VM;
    enterCode(selector, code, offset, privilege);
    enterStack(to, newEsp);
    if (virtual) for (const segment of [GS, FS, DS, ES]) segments.fillNull(segment, 0);
  }

  /** Delivers one event; may raise. */
  function deliver(vector: number, kind: EventKind, error: number): void {
    const external = kind === "software" ? 0 : 1;
    S[TAKEN] = 0;
    S[REPEAT_RESUMED] = 0;
    if (vector === VECTOR.DB && kind !== "software") clearGeneralDetect();
    if ((S[CR0] & CR0_BIT.PE) === 0) {
      deliverReal(vector, kind);
      return;
    }
    const gate = readGate(vector, kind);
    const type = systemTypeOf(gate);
    const selector = gate.low >>> 16;
    if (type === SYSTEM_TYPE.TASK_GATE) {
      throughTaskGate(selector, error, external);
      return;
    }
    const code = gateCode(selector, external);
    const size = type >= SYSTEM_TYPE.TSS ? 4 : 2;
    const offset = size === 4 ? (gate.high & 0xffff0000) | (gate.low & 0xffff) : gate.low & 0xffff;
    const frame = [flagsImage(vector, kind), S[segmentWord(CS, SELECTOR)], S[EIP]];
    if (error !== NO_ERROR_CODE) frame.push(error);
    const conforming = (code.high & DESCRIPTOR.CONFORMING) !== 0;
    const virtual = segments.isVirtual();
    if (!conforming && privilegeOf(code) < S[CPL]) {
      deliverInner(selector, code, offset, size, frame, external);
      S[BUDGET] -= kind === "software" ? 0 : virtual ? fromVirtual : inner;
    } else {
      checkEip(offset, limitOf(code), external);
      pushOnSameStack(frame, size);
      enterCode(selector, code, offset, S[CPL]);
      S[BUDGET] -= kind === "software" ? 0 : same;
    }
    const interruptGate = (type & 1) === 0;
    S[EFLAGS] &= ~(FLAG.TF | FLAG.NT | FLAG.RF | FLAG.VM | (interruptGate ? FLAG.IF : 0));
  }

  /** The handler of #DB may use the debug registers. */
  function clearGeneralDetect(): void {
    S[DR7] &= ~DR7_BIT.GD;
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

  return {
    ...returns,
    tasks,
    software(vector) {
      counters.softwareInterrupts++;
      deliver(vector, "software", NO_ERROR_CODE);
    },
    breakpointTrap() {
      counters.softwareInterrupts++;
      deliver(VECTOR.DB, "trap", NO_ERROR_CODE);
    },
    exception,
    debugTrap(bits) {
      S[HALTED] = 0;
      S[DR6] = (S[DR6] & ~15) | bits;
      exception(VECTOR.DB, NO_ERROR_CODE, true);
    },
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
    innerStack,
    pushOnInnerStack,
    enterStack,
  };
}
