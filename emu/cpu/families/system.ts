// Descriptor-table, control, debug and test registers, protection queries,
// TLB and cache instructions, CPUID, and the coprocessor escapes of a machine
// without a coprocessor.
import type { Core } from "../core.js";
import { NO_ERROR_CODE } from "../faults.js";
import type { Binder, Execute, Family, Op } from "../op.js";
import type { Operands } from "../operands.js";
import { DESCRIPTOR, SYSTEM_TYPE, isPresentDescriptor, limitOf, privilegeOf, systemTypeOf } from "../segments.js";
import type { Descriptor } from "../segments.js";
import {
  BUDGET, CPL, CR0, CR0_BIT, CR2, CR3, CR4, DR0, EAX, EBX, ECX, EDX, FLAG, GDT_BASE, GDT_LIMIT, IDT_BASE,
  IDT_LIMIT, LDTR, SELECTOR, TR, TR0, VECTOR, segmentWord,
} from "../state.js";

/** CPUID of the i486 model: one level, no optional features (no coprocessor, no large pages). */
const CPUID_SIGNATURE = 0x480;

export function createSystem(core: Core, operands: Operands): Family {
  const { state, flags, faults, memory, mmu, segments, counters, config, penalties } = core;
  const { S, regs } = state;
  const { address, readE, writeE, writeRegister } = operands;
  const i486 = config.model !== "i386";

  function ring0(): void {
    if (S[CPL] !== 0) faults.raise(VECTOR.GP, 0);
  }

  function undefinedOpcode(): never {
    return faults.raise(VECTOR.UD, NO_ERROR_CODE);
  }

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

  function loadLdt(selector: number): void {
    ring0();
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

  function loadTask(selector: number): void {
    ring0();
    const error = selector & 0xfffc;
    if (error === 0 || (selector & 4) !== 0) faults.raise(VECTOR.GP, error);
    const descriptor = segments.readDescriptor(selector, VECTOR.GP);
    const type = systemTypeOf(descriptor);
    if (type !== SYSTEM_TYPE.TSS && type !== SYSTEM_TYPE.TSS16) faults.raise(VECTOR.GP, error);
    if (!isPresentDescriptor(descriptor)) faults.raise(VECTOR.NP, error);
    segments.setBusy(descriptor, true);
    segments.fill(TR, selector, descriptor);
  }

  /** Bits of CR0 that exist on the model; ET reads as 0 without a coprocessor on the i386, 1 on the i486. */
  function writeCr0(value: number): void {
    const { PE, PG, WP, ET, NE, AM, NW, CD, MP, EM, TS } = CR0_BIT;
    const known = i486 ? PE | MP | EM | TS | NE | WP | AM | NW | CD | PG : PE | MP | EM | TS | PG;
    const next = (value & known) | (i486 ? ET : 0);
    if ((next & PE) === 0) {
      if ((next & PG) !== 0) faults.raise(VECTOR.GP, 0);
      faults.shutdown("the guest left protected mode, which this processor does not support");
    }
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
        if (!i486) undefinedOpcode();
        regs[op.d] = S[CR4];
        break;
      default: undefinedOpcode();
    }
  }

  function writeControl(op: Op): void {
    const value = regs[op.d];
    switch (op.instruction.reg) {
      case 0: writeCr0(value); break;
      case 2: S[CR2] = value; break;
      case 3:
        S[CR3] = value;
        counters.cr3Loads++;
        mmu.flush();
        break;
      case 4:
        if (!i486) undefinedOpcode();
        // None of its features exist, so no bit may be set.
        if (value !== 0) faults.raise(VECTOR.GP, 0);
        break;
      default: undefinedOpcode();
    }
  }

  function debugRegister(number: number): number {
    return DR0 + (number === 4 || number === 5 ? number + 2 : number);
  }

  function cpuid(): void {
    switch (regs[EAX]) {
      case 0:
        regs[EAX] = 1;
        regs[EBX] = 0x756e6547;
        regs[EDX] = 0x49656e69;
        regs[ECX] = 0x6c65746e;
        break;
      default:
        regs[EAX] = CPUID_SIGNATURE;
        regs[EBX] = 0;
        regs[ECX] = 0;
        regs[EDX] = 0;
    }
  }

  const pure = (execute: Execute): Binder => () => execute;

  return {
    sldt: (op, { operandSize, memory: isMemory }) => {
      op.size = 2;
      return (it) => writeE(it, isMemory ? 2 : operandSize, S[segmentWord(LDTR, SELECTOR)]);
    },
    str: (op, { operandSize, memory: isMemory }) => {
      op.size = 2;
      return (it) => writeE(it, isMemory ? 2 : operandSize, S[segmentWord(TR, SELECTOR)]);
    },
    lldt: pure((op) => loadLdt(readE(op, 2) & 0xffff)),
    ltr: pure((op) => loadTask(readE(op, 2) & 0xffff)),
    verr: verifyOf(false),
    verw: verifyOf(true),
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
        // LMSW can set PE and not clear it.
        const value = readE(it, 2);
        S[CR0] = (S[CR0] & ~0xe) | (value & 0xe) | CR0_BIT.PE;
      };
    },
    lar: queryOf(LAR_TYPES, (descriptor) => descriptor.high & 0x00ffff00, false),
    lsl: queryOf(LSL_TYPES, limitOf, true),
    arpl: (op) => {
      op.size = 2;
      return (it) => {
        const source = state.regs16[it.s];
        const old = readE(it, 2);
        const raised = (old & 3) < (source & 3);
        if (raised) writeE(it, 2, (old & ~3) | (source & 3));
        setZero(raised);
      };
    },
    clts: privilegedOp(() => { S[CR0] &= ~CR0_BIT.TS; }),
    readControl: privilegedOp(readControl),
    writeControl: privilegedOp(writeControl),
    readDebug: privilegedOp((op) => {
      regs[op.d] = S[debugRegister(op.instruction.reg)];
      if (op.instruction.reg >= 4) S[BUDGET] -= penalties.readDr6;
    }),
    writeDebug: privilegedOp((op) => {
      S[debugRegister(op.instruction.reg)] = regs[op.d];
      if (op.instruction.reg >= 4) S[BUDGET] -= penalties.writeDr6;
    }),
    readTest: privilegedOp((op) => { regs[op.d] = S[TR0 + op.instruction.reg]; }),
    writeTest: privilegedOp((op) => { S[TR0 + op.instruction.reg] = regs[op.d]; }),
    invd: privilegedOp(() => undefined),
    wbinvd: privilegedOp(() => undefined),
    invlpg: () => (op) => {
      ring0();
      counters.invlpg++;
      const hit = mmu.invalidatePage(address(op));
      S[BUDGET] -= op.charge(op.cell, true, hit ? 1 : 0);
    },
    cpuid: pure(cpuid),
    fwait: pure(() => {
      if ((S[CR0] & (CR0_BIT.MP | CR0_BIT.TS)) === (CR0_BIT.MP | CR0_BIT.TS)) faults.raise(VECTOR.NM, NO_ERROR_CODE);
    }),
    // Nobody answers an escape: it does nothing, and a probe finds its memory unchanged.
    escape: pure(() => {
      if ((S[CR0] & (CR0_BIT.EM | CR0_BIT.TS)) !== 0) faults.raise(VECTOR.NM, NO_ERROR_CODE);
    }),
  };
}

