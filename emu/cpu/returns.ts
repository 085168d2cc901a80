// IRET, and what it shares with far returns and transfers: entering a code
// segment, leaving to an outer ring, loading EFLAGS.
import type { Core } from "./core.js";
import { factsOf } from "./models.js";
import { DESCRIPTOR, isCode, isPresentDescriptor, limitOf, privilegeOf } from "./segments.js";
import type { Descriptor } from "./segments.js";
import {
  ATTRIBUTES, CPL, CR0, CR0_BIT, CS, DR7, DR7_BIT, DS, EFLAGS, EIP, ES, ESP, FLAG, FS, GS, INTERRUPT_REQUEST, LIMIT,
  SS, VECTOR, segmentWord,
} from "./state.js";
import type { Tasks } from "./task.js";

/** The way an IRET or RETF went. */
export type ReturnPath = "same" | "outer" | "task" | "real" | "virtual";

export interface Returns {
  /** IRET with an operand size in bytes. S[EIP] is the address after it. Returns the path taken, for the clocks. */
  iret(size: number): ReturnPath;
  /** RETF: releases `release` bytes of parameters. */
  retFar(size: number, release: number): ReturnPath;
  /** EFLAGS as POPF and IRET may change them at a privilege. */
  loadFlags(value: number, size: number, privilege: number): void;
  /** Loads CS and EIP of a checked descriptor. Raises #GP(0) when EIP is outside the segment. */
  enterCode(selector: number, descriptor: Descriptor, eip: number, privilege: number): void;
  /** Raises #GP(extra) when EIP is beyond a limit in bytes. */
  checkEip(eip: number, limit: number, extra?: number): void;
}

/** The data segment registers that a return to an outer ring may find unusable there. */
const DATA_SEGMENTS: readonly number[] = [ES, DS, FS, GS];

/** Flags that POPF and IRET can write on every model, before the privilege rules. */
const COMMON_FLAGS = 0x7fd5;

export function createReturns(core: Core, tasks: Tasks): Returns {
  const { state, faults, flags, segments, stack, counters, config } = core;
  const { S, regs } = state;
  const { flagAc, flagId } = factsOf(config.model);
  const changeable = COMMON_FLAGS | (flagAc ? FLAG.AC : 0) | (flagId ? FLAG.ID : 0);

  function checkEip(eip: number, limit: number, extra = 0): void {
    if ((eip >>> 0) > (limit >>> 0)) faults.raise(VECTOR.GP, extra);
  }

  function enterCode(selector: number, descriptor: Descriptor, eip: number, privilege: number): void {
    checkEip(eip, limitOf(descriptor));
    segments.setAccessed(descriptor);
    segments.setPrivilege(privilege);
    segments.fill(CS, (selector & ~3) | privilege, descriptor);
    S[EIP] = eip;
  }

  function loadFlags(value: number, size: number, privilege: number): void {
    let mask = size === 4 ? changeable : changeable & 0xffff;
    if (privilege !== 0) mask &= ~FLAG.IOPL;
    if (privilege > ((S[EFLAGS] & FLAG.IOPL) >>> 12)) mask &= ~FLAG.IF;
    flags.write((flags.read() & ~mask) | (value & mask));
    if ((S[EFLAGS] & FLAG.TF) !== 0 || ((S[EFLAGS] & FLAG.IF) !== 0 && S[INTERRUPT_REQUEST] !== 0)) core.attend();
  }

  /** RF lasts for one instruction. Where no breakpoint is set nobody can tell, and it is not kept. */
  function resume(image: number): void {
    if ((image & FLAG.RF) === 0 || (S[DR7] & DR7_BIT.ENABLES) === 0) return;
    S[EFLAGS] |= FLAG.RF;
    core.attend();
  }

  function dropInnerSegments(privilege: number): void {
    for (const segment of DATA_SEGMENTS) {
      const attributes = S[segmentWord(segment, ATTRIBUTES)];
      const conforming = (attributes & (DESCRIPTOR.CODE | DESCRIPTOR.CONFORMING))
        === (DESCRIPTOR.CODE | DESCRIPTOR.CONFORMING);
      if (attributes !== 0 && !conforming && ((attributes >>> 13) & 3) < privilege) segments.fillNull(segment, 0);
    }
  }

  /** Descriptor of the code segment a return goes to; raises #GP or #NP. */
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

  /** In real and virtual-8086 mode. */
  function iretReal(size: number): ReturnPath {
    if (segments.isVirtual() && (S[EFLAGS] & FLAG.IOPL) !== FLAG.IOPL) faults.raise(VECTOR.GP, 0);
    const eip = stack.peek(size, 0);
    const selector = stack.peek(size, size) & 0xffff;
    const image = stack.peek(size, 2 * size);
    checkEip(eip, S[segmentWord(CS, LIMIT)]);
    segments.fillReal(CS, selector);
    S[EIP] = eip;
    stack.adjust(3 * size);
    loadFlags(image, size, S[CPL]);
    if (size === 4) resume(image);
    return "real";
  }

  function iretToVirtual(eip: number, selector: number, image: number): ReturnPath {
    const [esp, ss, es, ds, fs, gs] = [3, 4, 5, 6, 7, 8].map((i) => stack.peek(4, i * 4));
    counters.ringCrossings++;
    flags.write((flags.read() & ~(changeable | FLAG.VM)) | (image & (changeable | FLAG.VM)));
    segments.setPrivilege(3);
    const values: readonly (readonly [number, number])[] =
      [[CS, selector], [SS, ss], [ES, es], [DS, ds], [FS, fs], [GS, gs]];
    for (const [segment, value] of values) segments.fillReal(segment, value & 0xffff);
    regs[ESP] = esp;
    S[EIP] = eip & 0xffff;
    core.attend();
    resume(image);
    return "virtual";
  }

  /** To an outer ring: the stack is at `distance` above the frame; `release` bytes are dropped there too. */
  function leaveRing(
    selector: number, code: Descriptor, eip: number, size: number, distance: number, release: number,
  ): void {
    const privilege = selector & 3;
    const esp = stack.peek(size, distance);
    const stackSelector = stack.peek(size, distance + size) & 0xffff;
    if ((stackSelector & 0xfffc) === 0) faults.raise(VECTOR.GP, 0);
    const ss = segments.readDescriptor(stackSelector, VECTOR.GP);
    segments.checkStack(ss, privilege, VECTOR.GP);
    checkEip(eip, limitOf(code));
    counters.ringCrossings++;
    segments.setAccessed(ss);
    enterCode(selector, code, eip, privilege);
    segments.fill(SS, stackSelector, ss);
    stack.set((esp + release) & stack.mask());
  }

  function iret(size: number): ReturnPath {
    if ((S[CR0] & CR0_BIT.PE) === 0 || segments.isVirtual()) return iretReal(size);
    if ((S[EFLAGS] & FLAG.NT) !== 0) {
      tasks.returnFromTask();
      return "task";
    }
    const oldPrivilege = S[CPL];
    const eip = stack.peek(size, 0);
    const selector = stack.peek(size, size) & 0xffff;
    const image = stack.peek(size, 2 * size);
    if (size === 4 && (image & FLAG.VM) !== 0 && oldPrivilege === 0) return iretToVirtual(eip, selector, image);
    const code = checkReturnCode(selector);
    const privilege = selector & 3;
    if (privilege === oldPrivilege) {
      enterCode(selector, code, eip, privilege);
      stack.adjust(3 * size);
      loadFlags(image, size, oldPrivilege);
      if (size === 4) resume(image);
      return "same";
    }
    leaveRing(selector, code, eip, size, 3 * size, 0);
    loadFlags(image, size, oldPrivilege);
    if (size === 4) resume(image);
    dropInnerSegments(privilege);
    return "outer";
  }

  function retFar(size: number, release: number): ReturnPath {
    const eip = stack.peek(size, 0);
    const selector = stack.peek(size, size) & 0xffff;
    if (!segments.isProtected()) {
      checkEip(eip, S[segmentWord(CS, LIMIT)]);
      segments.fillReal(CS, selector);
      S[EIP] = eip;
      stack.adjust(2 * size + release);
      return "real";
    }
    const code = checkReturnCode(selector);
    const privilege = selector & 3;
    if (privilege === S[CPL]) {
      enterCode(selector, code, eip, privilege);
      stack.adjust(2 * size + release);
      return "same";
    }
    leaveRing(selector, code, eip, size, 2 * size + release, release);
    dropInnerSegments(privilege);
    return "outer";
  }

  return { iret, retFar, loadFlags, enterCode, checkEip };
}
