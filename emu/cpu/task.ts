// Hardware task switching between task state segments of both kinds: how a
// double fault gets a fresh stack, and what CALL, JMP, INT and IRET do with a
// TSS. Everything that concerns the old task and the TSS itself is read and
// written first, so its faults leave the old task as it was; then the new
// state is loaded, and faults of its segments happen in the new task.
import type { Core } from "./core.js";
import type { TaskKind } from "./clocks.js";
import {
  DESCRIPTOR, SYSTEM_TYPE, baseOf, isCode, isPresentDescriptor, limitOf, privilegeOf, systemTypeOf,
} from "./segments.js";
import type { Descriptor } from "./segments.js";
import {
  ATTRIBUTES, BASE, BUDGET, CR0, CR0_BIT, CR3, CS, DEBUG_PENDING, DR6_BIT, DR7, DR7_BIT, DS, EIP, ES, FLAG, FS, GS,
  LDTR, SELECTOR, SS, TR, VECTOR, segmentWord,
} from "./state.js";

/** Byte offsets in a 32-bit TSS. */
export const TSS = { LINK: 0, ESP0: 4, SS0: 8, CR3: 28, EIP: 32, EFLAGS: 36, REGISTERS: 40, SEGMENTS: 72, LDTR: 96,
  TRAP: 100, IO_MAP: 102 } as const;
/** Byte offsets in a 16-bit TSS. */
export const TSS16 = { LINK: 0, SP0: 2, SS0: 4, IP: 14, FLAGS: 16, REGISTERS: 18, SEGMENTS: 34, LDTR: 42 } as const;
const TSS_LIMIT = 103;
const TSS16_LIMIT = 43;
/** The 80286 had no more; the upper halves of the registers become ones. */
const UPPER_ONES = 0xffff0000 | 0;

export type SwitchCause = "call" | "jmp" | "int" | "iret";

/** What a TSS holds. */
interface TaskState {
  readonly registers: readonly number[];
  /** ES CS SS DS FS GS. */
  readonly selectors: readonly number[];
  readonly ldt: number;
  readonly eip: number;
  readonly eflags: number;
  /** null: a 16-bit TSS has none. */
  readonly cr3: number | null;
  readonly trap: boolean;
}

export interface Tasks {
  /**
   * Switches to the task of a TSS selector and charges the clocks of the switch proper. The state saved has EIP
   * as in S[EIP]. `extra` is the EXT bit. Errors of the new TSS itself raise before anything changes; errors of its
   * segments raise in the new task.
   */
  switchTask(selector: number, cause: SwitchCause, throughGate: boolean, extra: number): void;
  /** IRET with NT set: back to the task in the link field. */
  returnFromTask(): void;
}

const isWide = (type: number): boolean => type >= SYSTEM_TYPE.TSS;

export function createTasks(core: Core): Tasks {
  const { state, faults, flags, mmu, memory, segments, counters, penalties } = core;
  const { S, regs } = state;
  const { readSystem32, readSystem16, writeSystem32, writeSystem16 } = memory;

  function checkTss(descriptor: Descriptor, busy: boolean, extra: number): void {
    const error = (descriptor.selector & 0xfffc) | extra;
    const type = systemTypeOf(descriptor);
    const expected = busy ? [SYSTEM_TYPE.TSS_BUSY, SYSTEM_TYPE.TSS16_BUSY] : [SYSTEM_TYPE.TSS, SYSTEM_TYPE.TSS16];
    if (!(expected as readonly number[]).includes(type)) faults.raise(busy ? VECTOR.TS : VECTOR.GP, error);
    if (!isPresentDescriptor(descriptor)) faults.raise(VECTOR.NP, error);
    if ((limitOf(descriptor) >>> 0) < (isWide(type) ? TSS_LIMIT : TSS16_LIMIT)) faults.raise(VECTOR.TS, error);
  }

  /** Type of the TSS in TR. */
  const currentType = (): number => (S[segmentWord(TR, ATTRIBUTES)] >>> 8) & 15;

  function saveState(eflags: number): void {
    const base = S[segmentWord(TR, BASE)];
    if (isWide(currentType())) {
      writeSystem32((base + TSS.EIP) | 0, S[EIP]);
      writeSystem32((base + TSS.EFLAGS) | 0, eflags);
      for (let i = 0; i < 8; i++) writeSystem32((base + TSS.REGISTERS + i * 4) | 0, regs[i]);
      for (let i = ES; i <= GS; i++) {
        writeSystem16((base + TSS.SEGMENTS + i * 4) | 0, S[segmentWord(i, SELECTOR)]);
      }
      return;
    }
    writeSystem16((base + TSS16.IP) | 0, S[EIP] & 0xffff);
    writeSystem16((base + TSS16.FLAGS) | 0, eflags & 0xffff);
    for (let i = 0; i < 8; i++) writeSystem16((base + TSS16.REGISTERS + i * 2) | 0, regs[i] & 0xffff);
    for (let i = ES; i <= DS; i++) writeSystem16((base + TSS16.SEGMENTS + i * 2) | 0, S[segmentWord(i, SELECTOR)]);
  }

  const indices = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  function readState(base: number, wide: boolean): TaskState {
    // From its first word on, so that an absent page is told by the address of the segment.
    readSystem16(base);
    if (wide) {
      return {
        registers: indices(8).map((i) => readSystem32((base + TSS.REGISTERS + i * 4) | 0)),
        selectors: indices(6).map((i) => readSystem16((base + TSS.SEGMENTS + i * 4) | 0)),
        ldt: readSystem16((base + TSS.LDTR) | 0),
        eip: readSystem32((base + TSS.EIP) | 0),
        eflags: readSystem32((base + TSS.EFLAGS) | 0),
        cr3: readSystem32((base + TSS.CR3) | 0),
        trap: (readSystem16((base + TSS.TRAP) | 0) & 1) !== 0,
      };
    }
    return {
      registers: indices(8).map((i) => readSystem16((base + TSS16.REGISTERS + i * 2) | 0) | UPPER_ONES),
      selectors: [...indices(4).map((i) => readSystem16((base + TSS16.SEGMENTS + i * 2) | 0)), 0, 0],
      ldt: readSystem16((base + TSS16.LDTR) | 0),
      eip: readSystem16((base + TSS16.IP) | 0),
      eflags: readSystem16((base + TSS16.FLAGS) | 0),
      cr3: null,
      trap: false,
    };
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

  /** Errors of the data segments of a new task are #TS, an absent one #NP. */
  function loadData(segment: number, selector: number, privilege: number): void {
    if ((selector & 0xfffc) === 0) return;
    const error = selector & 0xfffc;
    const descriptor = segments.readDescriptor(selector, VECTOR.TS);
    const { high } = descriptor;
    const code = (high & DESCRIPTOR.CODE) !== 0;
    const readable = !code || (high & DESCRIPTOR.READABLE) !== 0;
    if ((high & DESCRIPTOR.SEGMENT) === 0 || !readable) faults.raise(VECTOR.TS, error);
    const conforming = code && (high & DESCRIPTOR.CONFORMING) !== 0;
    const least = Math.max(privilege, selector & 3);
    if (!conforming && privilegeOf(descriptor) < least) faults.raise(VECTOR.TS, error);
    if (!isPresentDescriptor(descriptor)) faults.raise(VECTOR.NP, error);
    segments.setAccessed(descriptor);
    segments.fill(segment, selector, descriptor);
  }

  /** MOV CR3 as part of a switch: the TLB is flushed when the value differs. */
  function loadCr3(value: number): void {
    if ((S[CR0] & CR0_BIT.PG) === 0) return;
    counters.cr3Loads++;
    const changed = S[CR3] !== value;
    S[CR3] = value;
    if (changed) mmu.flush(false);
  }

  function loadSegments({ selectors, ldt }: TaskState, virtual: boolean): void {
    for (let i = ES; i <= GS; i++) segments.fillNull(i, selectors[i]);
    const privilege = virtual ? 3 : selectors[CS] & 3;
    segments.setPrivilege(privilege);
    loadLdt(ldt);
    if (virtual) {
      for (let i = ES; i <= GS; i++) segments.fillReal(i, selectors[i]);
      return;
    }
    loadCode(selectors[CS]);
    loadStack(selectors[SS], privilege);
    for (const segment of [ES, DS, FS, GS]) loadData(segment, selectors[segment], privilege);
  }

  function switchTask(selector: number, cause: SwitchCause, throughGate: boolean, extra: number): void {
    const vector = cause === "iret" ? VECTOR.TS : VECTOR.GP;
    if ((selector & 4) !== 0 || (selector & 0xfffc) === 0) faults.raise(vector, (selector & 0xfffc) | extra);
    const next = segments.readDescriptor(selector, vector, extra);
    checkTss(next, cause === "iret", extra);
    const wide = isWide(systemTypeOf(next));
    const oldKind: TaskKind = segments.isVirtual() ? "virtual" : isWide(currentType()) ? "wide" : "narrow";
    const nested = cause === "call" || cause === "int";
    const oldSelector = S[segmentWord(TR, SELECTOR)];
    const base = baseOf(next);
    const loaded = readState(base, wide);
    const eflags = flags.read();
    saveState(cause === "iret" ? eflags & ~FLAG.NT : eflags);
    if (nested) writeSystem16(base, oldSelector);
    counters.taskSwitches++;
    if (!nested) segments.setBusy(segments.readDescriptor(oldSelector, VECTOR.TS), false);
    if (cause !== "iret") segments.setBusy(next, true);
    segments.fill(TR, selector, next);
    loaded.registers.forEach((value, i) => { regs[i] = value; });
    S[EIP] = loaded.eip;
    flags.write((loaded.eflags & 0x277fd7) | (nested ? FLAG.NT : 0));
    const virtual = segments.isVirtual();
    S[BUDGET] -= penalties.taskSwitch(cause, oldKind, virtual ? "virtual" : wide ? "wide" : "narrow", throughGate);
    S[CR0] |= CR0_BIT.TS;
    S[DR7] &= ~DR7_BIT.LOCAL;
    core.debugChanged();
    if (loaded.cr3 !== null) loadCr3(loaded.cr3);
    if (loaded.trap) S[DEBUG_PENDING] |= DR6_BIT.BT;
    core.attend();
    loadSegments(loaded, virtual);
  }

  return {
    switchTask,
    returnFromTask() {
      if (S[segmentWord(TR, ATTRIBUTES)] === 0) faults.raise(VECTOR.TS, 0);
      const link = readSystem16(S[segmentWord(TR, BASE)] + TSS.LINK);
      switchTask(link, "iret", false, 0);
    },
  };
}
