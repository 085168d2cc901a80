// CMPXCHG8B, the time stamp and model-specific registers, CMOVcc, the long
// NOP, and SYSENTER with SYSEXIT: what came after the i486.
import type { Core } from "../core.js";
import { FEATURE, factsOf } from "../models.js";
import type { Binder, Family, Op } from "../op.js";
import type { Operands } from "../operands.js";
import type { Descriptor } from "../segments.js";
import {
  CPL, CR0, CR0_BIT, CR4, CR4_BIT, CS, EAX, EBX, ECX, EDX, EFLAGS, EIP, ESP, FLAG, SS, SYSENTER_CS, SYSENTER_EIP,
  SYSENTER_ESP, VECTOR,
} from "../state.js";

/** Numbers of the model-specific registers. */
const MSR = { P5_MC_ADDR: 0, P5_MC_TYPE: 1, TSC: 0x10, SYSENTER_CS: 0x174, SYSENTER_ESP: 0x175, SYSENTER_EIP: 0x176 } as const;
const WORD = 0x100000000;

/** Flat segments that SYSENTER and SYSEXIT load without looking at a table, by privilege. */
function flatDescriptor(selector: number, code: boolean, privilege: number): Descriptor {
  return { selector, low: 0x0000ffff, high: 0x00cf9000 | (privilege << 13) | (code ? 0xb00 : 0x300) };
}

export function createLater(core: Core, operands: Operands): Family {
  const { state, flags, faults, memory, segments, config } = core;
  const { S, regs } = state;
  const { address, readE, writeRegister } = operands;
  const { features } = factsOf(config.model);
  /** What the guest has added to the time stamp counter. */
  let offset = 0;

  const time = (): number => core.cycles() + offset;

  function store64(value: number): void {
    regs[EAX] = value % WORD | 0;
    regs[EDX] = Math.floor(value / WORD) | 0;
  }

  function readMsr(): void {
    switch (regs[ECX]) {
      case MSR.P5_MC_ADDR: case MSR.P5_MC_TYPE: store64(0); return;
      case MSR.TSC: store64(time()); return;
    }
    const word = sysenterWord(regs[ECX]);
    regs[EAX] = S[word];
    regs[EDX] = 0;
  }

  /** State word of a SYSENTER register; other numbers are #GP(0). */
  function sysenterWord(msr: number): number {
    if ((features & FEATURE.SEP) !== 0) {
      if (msr === MSR.SYSENTER_CS) return SYSENTER_CS;
      if (msr === MSR.SYSENTER_ESP) return SYSENTER_ESP;
      if (msr === MSR.SYSENTER_EIP) return SYSENTER_EIP;
    }
    return faults.raise(VECTOR.GP, 0);
  }

  function writeMsr(): void {
    switch (regs[ECX]) {
      case MSR.P5_MC_ADDR: case MSR.P5_MC_TYPE: return;
      // The counter's upper half is cleared by a write (SDM 3, 17.17.3).
      case MSR.TSC: offset = (regs[EAX] >>> 0) - core.cycles(); return;
    }
    S[sysenterWord(regs[ECX])] = regs[EAX];
  }

  function ring0(): void {
    if (S[CPL] !== 0) faults.raise(VECTOR.GP, 0);
  }

  function compareExchange8(op: Op): void {
    const a = address(op);
    memory.prepareWrite(a, 8);
    const low = memory.read32(a);
    const high = memory.read32((a + 4) | 0);
    const equal = low === regs[EAX] && high === regs[EDX];
    // The bus cycle is a write in either case.
    memory.write32(a, equal ? regs[EBX] : low);
    memory.write32((a + 4) | 0, equal ? regs[ECX] : high);
    if (!equal) {
      regs[EAX] = low;
      regs[EDX] = high;
    }
    flags.writeArithmetic(equal ? flags.read() | FLAG.ZF : flags.read() & ~FLAG.ZF);
  }

  /** Loads flat CS and SS of a privilege. */
  function enterFlat(selector: number, stackSelector: number, privilege: number): void {
    segments.setPrivilege(privilege);
    segments.fill(CS, selector | privilege, flatDescriptor(selector, true, privilege));
    segments.fill(SS, stackSelector | privilege, flatDescriptor(stackSelector, false, privilege));
  }

  function sysenter(): void {
    const selector = S[SYSENTER_CS] & 0xfffc;
    if ((S[CR0] & CR0_BIT.PE) === 0 || selector === 0) faults.raise(VECTOR.GP, 0);
    S[EFLAGS] &= ~(FLAG.VM | FLAG.IF | FLAG.RF);
    enterFlat(selector, selector + 8, 0);
    regs[ESP] = S[SYSENTER_ESP];
    S[EIP] = S[SYSENTER_EIP];
    core.counters.ringCrossings++;
  }

  function sysexit(): void {
    const selector = S[SYSENTER_CS] & 0xfffc;
    if ((S[CR0] & CR0_BIT.PE) === 0 || selector === 0) faults.raise(VECTOR.GP, 0);
    ring0();
    enterFlat(selector + 16, selector + 24, 3);
    regs[ESP] = regs[ECX];
    S[EIP] = regs[EDX];
    core.counters.ringCrossings++;
  }

  const cmov: Binder = (_op, { opcode, operandSize: size }) => (op) => {
    // The operand is read, and may fault, in either case.
    const value = readE(op, size);
    if (flags.condition(opcode & 15)) writeRegister(op.s, size, value);
  };

  return {
    cmpxchg8b: (op) => {
      op.size = 8;
      op.writes = true;
      return compareExchange8;
    },
    rdtsc: () => () => {
      if ((S[CR4] & CR4_BIT.TSD) !== 0 && S[CPL] !== 0) faults.raise(VECTOR.GP, 0);
      store64(time());
    },
    rdmsr: () => () => {
      ring0();
      readMsr();
    },
    wrmsr: () => () => {
      ring0();
      writeMsr();
    },
    cmov,
    hintNop: () => () => undefined,
    sysenter: () => sysenter,
    sysexit: () => sysexit,
  };
}
