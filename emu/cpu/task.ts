// Hardware task switching between 32-bit task state segments: how a double
// fault gets a fresh stack, and what CALL, JMP and IRET do with a TSS.
import type { Core } from "./core.js";
import {
  DESCRIPTOR, SYSTEM_TYPE, isCode, isPresentDescriptor, limitOf, privilegeOf, systemTypeOf,
} from "./segments.js";
import type { Descriptor } from "./segments.js";
import {
  ATTRIBUTES, BASE, CR0, CR0_BIT, CR3, CS, DS, DR7, EIP, ES, FLAG, FS, GS, LDTR, SELECTOR, SS, TR, VECTOR,
  segmentWord,
} from "./state.js";

/** Byte offsets in a 32-bit TSS. */
export const TSS = { LINK: 0, ESP0: 4, SS0: 8, CR3: 28, EIP: 32, EFLAGS: 36, REGISTERS: 40, SEGMENTS: 72, LDTR: 96,
  TRAP: 100, IO_MAP: 102 } as const;
const TSS_LIMIT = 103;

export type SwitchCause = "call" | "jmp" | "int" | "iret";

export interface Tasks {
  /**
   * Switches to the task of a TSS selector. The state saved has EIP as in S[EIP].
   * Errors of the new TSS itself raise before anything changes; errors of its
   * segments raise in the new task. Charges no clocks.
   */
  switchTask(selector: number, cause: SwitchCause): void;
  /** IRET with NT set: back to the task in the link field. */
  returnFromTask(): void;
}

export function createTasks(core: Core): Tasks {
  const { state, faults, flags, mmu, memory, segments, counters } = core;
  const { S, regs } = state;
  const { readSystem32, readSystem16, writeSystem32, writeSystem16 } = memory;

  function checkTss(descriptor: Descriptor, busy: boolean): void {
    const error = descriptor.selector & 0xfffc;
    const type = systemTypeOf(descriptor);
    if (type === SYSTEM_TYPE.TSS16 || type === SYSTEM_TYPE.TSS16_BUSY) {
      faults.shutdown(`task state segment ${error.toString(16)} is a 16-bit one, which is not supported`);
    }
    const expected = busy ? SYSTEM_TYPE.TSS_BUSY : SYSTEM_TYPE.TSS;
    if (type !== expected) faults.raise(busy ? VECTOR.TS : VECTOR.GP, error);
    if (!isPresentDescriptor(descriptor)) faults.raise(VECTOR.NP, error);
    if ((limitOf(descriptor) >>> 0) < TSS_LIMIT) faults.raise(VECTOR.TS, error);
  }

  function saveState(eflags: number): void {
    const base = S[segmentWord(TR, BASE)];
    writeSystem32(base + TSS.EIP, S[EIP]);
    writeSystem32(base + TSS.EFLAGS, eflags);
    for (let i = 0; i < 8; i++) writeSystem32(base + TSS.REGISTERS + i * 4, regs[i]);
    for (let i = ES; i <= GS; i++) writeSystem16(base + TSS.SEGMENTS + i * 4, S[segmentWord(i, SELECTOR)]);
  }

  function loadLdt(selector: number): void {
    segments.fillNull(LDTR, selector);
    if ((selector & 0xfffc) === 0) return;
    const error = selector & 0xfffc;
    if ((selector & 4) !== 0) faults.raise(VECTOR.TS, error);
    const descriptor = segments.readDescriptor(selector, VECTOR.TS);
    if (systemTypeOf(descriptor) !== SYSTEM_TYPE.LDT) faults.raise(VECTOR.TS, error);
    if (!isPresentDescriptor(descriptor)) faults.raise(VECTOR.TS, error);
    segments.fill(LDTR, selector, descriptor);
  }

  function loadCode(selector: number): void {
    const error = selector & 0xfffc;
    if (error === 0) faults.raise(VECTOR.TS, 0);
    const descriptor = segments.readDescriptor(selector, VECTOR.TS);
    const conforming = (descriptor.high & DESCRIPTOR.CONFORMING) !== 0;
    const rpl = selector & 3;
    const allowed = conforming ? privilegeOf(descriptor) <= rpl : privilegeOf(descriptor) === rpl;
    if (!isCode(descriptor) || !allowed) faults.raise(VECTOR.TS, error);
    if (!isPresentDescriptor(descriptor)) faults.raise(VECTOR.NP, error);
    segments.setAccessed(descriptor);
    segments.fill(CS, selector, descriptor);
  }

  function loadStack(selector: number, privilege: number): void {
    if ((selector & 0xfffc) === 0) faults.raise(VECTOR.TS, 0);
    const descriptor = segments.readDescriptor(selector, VECTOR.TS);
    segments.checkStack(descriptor, privilege, VECTOR.TS);
    segments.setAccessed(descriptor);
    segments.fill(SS, selector, descriptor);
  }

  /** MOV CR3 as part of a switch: the TLB is flushed when the value differs. */
  function loadCr3(value: number): void {
    if ((S[CR0] & CR0_BIT.PG) === 0) return;
    counters.cr3Loads++;
    const changed = S[CR3] !== value;
    S[CR3] = value;
    if (changed) mmu.flush();
  }

  function loadState(base: number, selectors: readonly number[], ldt: number): void {
    for (let i = ES; i <= GS; i++) segments.fillNull(i, selectors[i]);
    const privilege = selectors[CS] & 3;
    segments.setPrivilege(privilege);
    loadLdt(ldt);
    loadCode(selectors[CS]);
    loadStack(selectors[SS], privilege);
    for (const segment of [ES, DS, FS, GS]) segments.load(segment, selectors[segment]);
    if ((readSystem16(base + TSS.TRAP) & 1) !== 0) {
      faults.shutdown("the debug trap bit of a task state segment is not supported");
    }
  }

  function switchTask(selector: number, cause: SwitchCause): void {
    if ((selector & 4) !== 0 || (selector & 0xfffc) === 0) {
      faults.raise(cause === "iret" ? VECTOR.TS : VECTOR.GP, selector & 0xfffc);
    }
    const next = segments.readDescriptor(selector, cause === "iret" ? VECTOR.TS : VECTOR.GP);
    checkTss(next, cause === "iret");
    counters.taskSwitches++;
    const oldSelector = S[segmentWord(TR, SELECTOR)];
    const nested = cause === "call" || cause === "int";
    const eflags = flags.read();
    saveState(cause === "iret" ? eflags & ~FLAG.NT : eflags);
    if (!nested) segments.setBusy(segments.readDescriptor(oldSelector, VECTOR.TS), false);
    if (cause !== "iret") segments.setBusy(next, true);
    segments.fill(TR, selector, next);
    const base = S[segmentWord(TR, BASE)];
    if (nested) writeSystem16(base + TSS.LINK, oldSelector);
    const selectors = Array.from({ length: 6 }, (_, i) => readSystem16(base + TSS.SEGMENTS + i * 4));
    const ldt = readSystem16(base + TSS.LDTR);
    const newEflags = readSystem32(base + TSS.EFLAGS);
    const newEip = readSystem32(base + TSS.EIP);
    const newCr3 = readSystem32(base + TSS.CR3);
    const newRegisters = Array.from({ length: 8 }, (_, i) => readSystem32(base + TSS.REGISTERS + i * 4));
    if ((newEflags & FLAG.VM) !== 0) faults.shutdown("virtual-8086 mode is not supported");
    for (let i = 0; i < 8; i++) regs[i] = newRegisters[i];
    S[EIP] = newEip;
    flags.write((newEflags & 0x37fd7) | (nested ? FLAG.NT : 0));
    S[CR0] |= CR0_BIT.TS;
    S[DR7] &= ~0x155;
    loadCr3(newCr3);
    loadState(base, selectors, ldt);
  }

  return {
    switchTask,
    returnFromTask() {
      if (S[segmentWord(TR, ATTRIBUTES)] === 0) faults.raise(VECTOR.TS, 0);
      const link = readSystem16(S[segmentWord(TR, BASE)] + TSS.LINK);
      switchTask(link, "iret");
    },
  };
}
