// Descriptor-table, control, debug and test registers, protection queries,
// TLB and cache instructions, and CPUID.
import type { Core } from "../core.js";
import { debugWord } from "../debug.js";
import { NO_ERROR_CODE } from "../faults.js";
import { FEATURE, factsOf } from "../models.js";
import type { Binder, Execute, Family, Op } from "../op.js";
import type { Operands } from "../operands.js";
import { DESCRIPTOR, SYSTEM_TYPE, isPresentDescriptor, limitOf, privilegeOf, systemTypeOf } from "../segments.js";
import type { Descriptor } from "../segments.js";
import {
  BUDGET, CPL, CR0, CR0_BIT, CR2, CR3, CR4, CR4_BIT, DR6, DR6_BIT, DR7, DR7_BIT, EAX, EBX, ECX, EDX, FLAG,
  GDT_BASE, GDT_LIMIT, IDT_BASE, IDT_LIMIT, LDTR, SELECTOR, TR, TR0, VECTOR, segmentWord,
} from "../state.js";

/** CPUID leaf 2 of a processor that describes no cache: one descriptor list, all of it empty. */
const CACHE_LEAF = [1, 0, 0, 0] as const;

export function createSystem(core: Core, operands: Operands): Family {
  const { state, flags, faults, memory, mmu, segments, counters, config, penalties } = core;
  const { S, regs } = state;
  const { address, readE, writeE, writeRegister } = operands;
  const facts = factsOf(config.model);

  function ring0(): void {
    if (S[CPL] !== 0) faults.raise(VECTOR.GP, 0);
  }

  function undefinedOpcode(): never {
    return faults.raise(VECTOR.UD, NO_ERROR_CODE);
  }

  /** Real and virtual-8086 mode do not know the instructions about descriptors. */
  const protectedOnly = (binder: Binder): Binder => (op, instruction) => {
    const execute = binder(op, instruction);
    return (it) => {
      if (!segments.isProtected()) undefinedOpcode();
      execute(it);
    };
  };

  const privilegedOp = (execute: Execute): Binder => () => (op) => {
    ring0();
    execute(op);
  };

  function setZero(value: boolean): void {
    flags.writeArithmetic(value ? flags.read() | FLAG.ZF : flags.read() & ~FLAG.ZF);
  }

  /** Descriptor of a selector for LAR, LSL, VERR and VERW: null where it cannot be read or seen. */
  function visibleDescriptor(selector: number): Descriptor | null {
    if ((selector & 0xfffc) === 0) return null;
    const limit = (selector & 4) !== 0 ? S[segmentWord(LDTR, 2)] : S[GDT_LIMIT];
    const usable = (selector & 4) === 0 || S[segmentWord(LDTR, 3)] !== 0;
    if (!usable || (selector & 0xfff8) + 7 > limit >>> 0) return null;
    const descriptor = segments.readDescriptor(selector, VECTOR.GP);
    const conforming = (descriptor.high & (DESCRIPTOR.SEGMENT | DESCRIPTOR.CODE | DESCRIPTOR.CONFORMING))
      === (DESCRIPTOR.SEGMENT | DESCRIPTOR.CODE | DESCRIPTOR.CONFORMING);
    const privilege = privilegeOf(descriptor);
    return conforming || (S[CPL] <= privilege && (selector & 3) <= privilege) ? descriptor : null;
  }

  const LAR_TYPES = [SYSTEM_TYPE.TSS16, SYSTEM_TYPE.LDT, SYSTEM_TYPE.TSS16_BUSY, SYSTEM_TYPE.CALL_GATE16,
    SYSTEM_TYPE.TASK_GATE, SYSTEM_TYPE.TSS, SYSTEM_TYPE.TSS_BUSY, SYSTEM_TYPE.CALL_GATE] as readonly number[];
  const LSL_TYPES = [SYSTEM_TYPE.TSS16, SYSTEM_TYPE.LDT, SYSTEM_TYPE.TSS16_BUSY, SYSTEM_TYPE.TSS,
    SYSTEM_TYPE.TSS_BUSY] as readonly number[];

  const queryOf = (types: readonly number[], value: (descriptor: Descriptor) => number, limit: boolean): Binder =>
    (op, { operandSize }) => {
      op.size = 2;
      return (it) => {
        const descriptor = visibleDescriptor(readE(it, 2) & 0xffff);
        const type = descriptor === null ? -1 : systemTypeOf(descriptor);
        const seen = descriptor !== null && (type < 0 || types.includes(type));
        if (seen) writeRegister(it.s, operandSize, value(descriptor));
        setZero(seen);
        if (!limit) return;
        const pages = seen && (descriptor.high & DESCRIPTOR.GRANULAR) !== 0;
        S[BUDGET] -= it.charge(it.cell, it.instruction.memory, pages ? 1 : 0);
      };
    };

  const verifyOf = (write: boolean): Binder => (op) => {
    op.size = 2;
    return (it) => {
      const descriptor = visibleDescriptor(readE(it, 2) & 0xffff);
      if (descriptor === null || (descriptor.high & DESCRIPTOR.SEGMENT) === 0) {
        setZero(false);
        return;
      }
      const code = (descriptor.high & DESCRIPTOR.CODE) !== 0;
      const bit = (descriptor.high & DESCRIPTOR.WRITABLE) !== 0;
      setZero(write ? !code && bit : !code || bit);
    };
  };

  function storeTable(op: Op, base: number, limit: number): void {
    const a = address(op);
    memory.prepareWrite(a, 6);
    memory.write16(a, limit & 0xffff);
    memory.write32((a + 2) | 0, op.instruction.operandSize === 4 ? base : base & 0xffffff);
  }

  function loadTable(op: Op, baseWord: number, limitWord: number): void {
    ring0();
    const a = address(op);
    const limit = memory.read16(a);
    const base = memory.read32((a + 2) | 0);
    S[limitWord] = limit;
    S[baseWord] = op.instruction.operandSize === 4 ? base : base & 0xffffff;
  }

  function loadLdt(op: Op): void {
    ring0();
    const selector = readE(op, 2) & 0xffff;
    if ((selector & 0xfffc) === 0) {
      segments.fillNull(LDTR, selector);
      return;
    }
    const error = selector & 0xfffc;
    if ((selector & 4) !== 0) faults.raise(VECTOR.GP, error);
    const descriptor = segments.readDescriptor(selector, VECTOR.GP);
    if (systemTypeOf(descriptor) !== SYSTEM_TYPE.LDT) faults.raise(VECTOR.GP, error);
    if (!isPresentDescriptor(descriptor)) faults.raise(VECTOR.NP, error);
    segments.fill(LDTR, selector, descriptor);
  }

  function loadTask(op: Op): void {
    ring0();
    const selector = readE(op, 2) & 0xffff;
    const error = selector & 0xfffc;
    if (error === 0 || (selector & 4) !== 0) faults.raise(VECTOR.GP, error);
    const descriptor = segments.readDescriptor(selector, VECTOR.GP);
    const type = systemTypeOf(descriptor);
    if (type !== SYSTEM_TYPE.TSS && type !== SYSTEM_TYPE.TSS16) faults.raise(VECTOR.GP, error);
    if (!isPresentDescriptor(descriptor)) faults.raise(VECTOR.NP, error);
    segments.setBusy(descriptor, true);
    segments.fill(TR, selector, descriptor);
  }

  /** Bits of CR0 that exist on the model; ET reads as 0 on an i386 without coprocessor, otherwise as 1. */
  function writeCr0(value: number): void {
    const { PE, PG, WP, ET, NE, AM, NW, CD, MP, EM, TS } = CR0_BIT;
    const known = facts.extendedCr0 ? PE | MP | EM | TS | NE | WP | AM | NW | CD | PG : PE | MP | EM | TS | PG;
    const next = (value & known) | (facts.extendedCr0 || config.coprocessor !== undefined ? ET : 0);
    if ((next & PG) !== 0 && (next & PE) === 0) faults.raise(VECTOR.GP, 0);
    if (facts.extendedCr0 && (next & NW) !== 0 && (next & CD) === 0) faults.raise(VECTOR.GP, 0);
    const changed = S[CR0] ^ next;
    S[CR0] = next;
    if ((changed & PG) !== 0) mmu.pagingChanged();
    else if ((changed & WP) !== 0) mmu.permissionsChanged();
    S[BUDGET] -= penalties.writeCr0;
  }

  function readControl(op: Op): void {
    switch (op.instruction.reg) {
      case 0: regs[op.d] = S[CR0]; break;
      case 2: regs[op.d] = S[CR2]; break;
      case 3: regs[op.d] = S[CR3]; break;
      case 4:
        if (facts.cr4 < 0) undefinedOpcode();
        regs[op.d] = S[CR4];
        break;
      default: undefinedOpcode();
    }
  }

  function writeControl(op: Op): void {
    const value = regs[op.d];
    switch (op.instruction.reg) {
      case 0: writeCr0(value); break;
      case 2:
        S[CR2] = value;
        S[BUDGET] -= penalties.writeCr2;
        break;
      case 3:
        S[CR3] = value;
        counters.cr3Loads++;
        mmu.flush(false);
        break;
      case 4:
        if (facts.cr4 < 0) undefinedOpcode();
        if ((value & ~facts.cr4) !== 0) faults.raise(VECTOR.GP, 0);
        if (((S[CR4] ^ value) & (CR4_BIT.PSE | CR4_BIT.PGE)) !== 0) mmu.flush(true);
        S[CR4] = value;
        break;
      default: undefinedOpcode();
    }
  }

  /** DR4 and DR5 are DR6 and DR7 unless CR4.DE says that they are none. Raises #DB where DR7.GD guards them. */
  function debugRegister(number: number): number {
    const alias = number === 4 || number === 5;
    if (alias && (S[CR4] & CR4_BIT.DE) !== 0) undefinedOpcode();
    if ((S[DR7] & DR7_BIT.GD) !== 0) {
      S[DR6] = (S[DR6] & ~15) | DR6_BIT.BD;
      faults.raise(VECTOR.DB, NO_ERROR_CODE);
    }
    return debugWord(number);
  }

  function readDebug(op: Op): void {
    const word = debugRegister(op.instruction.reg);
    regs[op.d] = word === DR6 ? S[word] | DR6_BIT.FIXED : word === DR7 ? S[word] | DR7_BIT.FIXED : S[word];
    if (op.instruction.reg >= 4) S[BUDGET] -= penalties.readDr6;
  }

  function writeDebug(op: Op): void {
    const word = debugRegister(op.instruction.reg);
    S[word] = word === DR6 ? regs[op.d] & ~DR6_BIT.FIXED & ~0x1000 : regs[op.d];
    if (word !== DR6) core.debugChanged();
    if (op.instruction.reg >= 4) S[BUDGET] -= penalties.writeDr6;
  }

  function testRegister(op: Op): number {
    if (!facts.testRegisters) undefinedOpcode();
    return TR0 + op.instruction.reg;
  }

  /** A leaf beyond the last one is the last one. The vendor is spelled in EBX, EDX, ECX. */
  function cpuid(): void {
    const leaf = Math.min(regs[EAX] >>> 0, facts.leaves);
    const [a, b, c, d] = leaf === 0 ? [facts.leaves, 0x756e6547, 0x6c65746e, 0x49656e69]
      : leaf === 1 ? [facts.signature, 0, 0, facts.features | (config.coprocessor === undefined ? 0 : FEATURE.FPU)]
        : CACHE_LEAF;
    regs[EAX] = a;
    regs[EBX] = b;
    regs[ECX] = c;
    regs[EDX] = d;
  }

  const pure = (execute: Execute): Binder => () => execute;

  return {
    sldt: protectedOnly((op, { operandSize, memory: isMemory }) => {
      op.size = 2;
      return (it) => writeE(it, isMemory ? 2 : operandSize, S[segmentWord(LDTR, SELECTOR)]);
    }),
    str: protectedOnly((op, { operandSize, memory: isMemory }) => {
      op.size = 2;
      return (it) => writeE(it, isMemory ? 2 : operandSize, S[segmentWord(TR, SELECTOR)]);
    }),
    lldt: protectedOnly(pure((op) => loadLdt(op))),
    ltr: protectedOnly(pure((op) => loadTask(op))),
    verr: protectedOnly(verifyOf(false)),
    verw: protectedOnly(verifyOf(true)),
    sgdt: (op) => { op.size = 6; return (it) => storeTable(it, S[GDT_BASE], S[GDT_LIMIT]); },
    sidt: (op) => { op.size = 6; return (it) => storeTable(it, S[IDT_BASE], S[IDT_LIMIT]); },
    lgdt: (op) => { op.size = 6; return (it) => loadTable(it, GDT_BASE, GDT_LIMIT); },
    lidt: (op) => { op.size = 6; return (it) => loadTable(it, IDT_BASE, IDT_LIMIT); },
    smsw: (op, { operandSize, memory: isMemory }) => {
      op.size = 2;
      return (it) => writeE(it, isMemory ? 2 : operandSize, S[CR0]);
    },
    lmsw: (op) => {
      op.size = 2;
      return (it) => {
        ring0();
        // LMSW can set PE and not clear it. The block ends: modes are looked at when instructions are entered.
        const value = readE(it, 2);
        S[CR0] = (S[CR0] & ~0xe) | (value & 0xe) | CR0_BIT.PE;
      };
    },
    lar: protectedOnly(queryOf(LAR_TYPES, (descriptor) => descriptor.high & 0x00f0ff00, false)),
    lsl: protectedOnly(queryOf(LSL_TYPES, limitOf, true)),
    arpl: protectedOnly((op) => {
      op.size = 2;
      return (it) => {
        const source = state.regs16[it.s];
        // An operand that keeps its value need not be writable.
        it.writes = false;
        const old = readE(it, 2);
        const raised = (old & 3) < (source & 3);
        it.writes = raised;
        if (raised) writeE(it, 2, (old & ~3) | (source & 3));
        setZero(raised);
      };
    }),
    clts: privilegedOp(() => { S[CR0] &= ~CR0_BIT.TS; }),
    readControl: privilegedOp(readControl),
    writeControl: privilegedOp(writeControl),
    readDebug: privilegedOp(readDebug),
    writeDebug: privilegedOp(writeDebug),
    readTest: privilegedOp((op) => { regs[op.d] = S[testRegister(op)]; }),
    writeTest: privilegedOp((op) => { S[testRegister(op)] = regs[op.d]; }),
    invd: privilegedOp(() => undefined),
    wbinvd: privilegedOp(() => undefined),
    invlpg: () => (op) => {
      ring0();
      counters.invlpg++;
      const hit = mmu.invalidatePage(address(op));
      S[BUDGET] -= op.charge(op.cell, true, hit ? 1 : 0);
    },
    cpuid: pure(cpuid),
  };
}

