// MOV and its relatives, the stack, sign extension and the flag instructions.
import type { Core } from "../core.js";
import { NO_ERROR_CODE } from "../faults.js";
import type { Interrupts } from "../interrupts.js";
import type { Binder, Execute, Family, Op } from "../op.js";
import { operandBytes } from "../op.js";
import type { Operands } from "../operands.js";
import {
  BUDGET, CPL, CS, EAX, EBP, EDX, EFLAGS, ES, ESP, FLAG, FS, GS, INTERRUPT_REQUEST, SELECTOR, SS, DS, VECTOR,
  EBX, segmentWord,
} from "../state.js";

const SEGMENT_NAMES: Readonly<Record<string, number>> = { ES, CS, SS, DS, FS, GS };
const LOAD_FAR_SEGMENT: Readonly<Record<string, number>> = { les: ES, lds: DS, lss: SS, lfs: FS, lgs: GS };

export function createMove(core: Core, operands: Operands, interrupts: Interrupts): Family {
  const { state, flags, faults, memory, segments, stack } = core;
  const { S, regs, regs8, regs16 } = state;
  const { read8, read16, read32, write8, write16, write32 } = memory;
  const { address, offset, readE, writeE, readRegister, writeRegister } = operands;
  const { push32, push16, pop32 } = stack;

  const moves: Readonly<Record<number, Readonly<Record<string, Execute>>>> = {
    4: {
      rr: (op) => { regs[op.d] = regs[op.s]; },
      ri: (op) => { regs[op.d] = op.imm; },
      rm: (op) => { regs[op.d] = read32(address(op)); },
      mr: (op) => { write32(address(op), regs[op.s]); },
      mi: (op) => { write32(address(op), op.imm); },
    },
    2: {
      rr: (op) => { regs16[op.d] = regs16[op.s]; },
      ri: (op) => { regs16[op.d] = op.imm; },
      rm: (op) => { regs16[op.d] = read16(address(op)); },
      mr: (op) => { write16(address(op), regs16[op.s]); },
      mi: (op) => { write16(address(op), op.imm); },
    },
    1: {
      rr: (op) => { regs8[op.d] = regs8[op.s]; },
      ri: (op) => { regs8[op.d] = op.imm; },
      rm: (op) => { regs8[op.d] = read8(address(op)); },
      mr: (op) => { write8(address(op), regs8[op.s]); },
      mi: (op) => { write8(address(op), op.imm); },
    },
  };

  const mov: Binder = (_op, { row, operandSize, memory: isMemory }) => {
    const [destination, source] = row!.operands.split(",");
    const size = operandBytes(destination, operandSize);
    const fromMemory = source.startsWith("E") || source.startsWith("O");
    const toMemory = destination.startsWith("E") || destination.startsWith("O");
    if (source.startsWith("I")) return moves[size][isMemory ? "mi" : "ri"];
    if (isMemory && fromMemory) return moves[size].rm;
    return moves[size][isMemory && toMemory ? "mr" : "rr"];
  };

  // Source index is in the view of the source's size.
  const extensions: Readonly<Record<string, readonly [register: Execute, memory: Execute]>> = {
    "movzx Gv,Eb": [(op) => { regs[op.d] = regs8[op.s]; }, (op) => { regs[op.d] = read8(address(op)); }],
    "movzx Gv,Ew": [(op) => { regs[op.d] = regs16[op.s]; }, (op) => { regs[op.d] = read16(address(op)); }],
    "movsx Gv,Eb": [(op) => { regs[op.d] = regs8[op.s] << 24 >> 24; },
      (op) => { regs[op.d] = read8(address(op)) << 24 >> 24; }],
    "movsx Gv,Ew": [(op) => { regs[op.d] = regs16[op.s] << 16 >> 16; },
      (op) => { regs[op.d] = read16(address(op)) << 16 >> 16; }],
  };

  const extend: Binder = (_op, { row, operandSize, memory: isMemory }) => {
    const { semantic, operands: codes } = row!;
    if (operandSize === 4) return extensions[`${semantic} ${codes}`][isMemory ? 1 : 0];
    const size = operandBytes(codes.split(",")[1], operandSize);
    const shift = semantic === "movsx" ? 32 - size * 8 : 0;
    return (op) => {
      const value = isMemory ? (size === 1 ? read8(address(op)) : read16(address(op))) : readRegister(op.s, size);
      regs16[op.d] = value << shift >> shift;
    };
  };

  const xchg: Binder = (_op, { row, operandSize, memory: isMemory }) => {
    const size = operandBytes(row!.operands.split(",")[0], operandSize);
    if (!isMemory) return (op) => {
      const a = readRegister(op.d, size);
      writeRegister(op.d, size, readRegister(op.s, size));
      writeRegister(op.s, size, a);
    };
    return (op) => {
      const a = address(op);
      memory.prepareWrite(a, size);
      const old = size === 4 ? read32(a) : size === 2 ? read16(a) : read8(a);
      const value = readRegister(op.s, size);
      if (size === 4) write32(a, value);
      else if (size === 2) write16(a, value);
      else write8(a, value);
      writeRegister(op.s, size, old);
    };
  };

  const push: Binder = (_op, { row, operandSize: size, memory: isMemory }) => {
    const { operands: codes } = row!;
    if (codes.startsWith("I")) return size === 4 ? (it) => push32(it.imm) : (it) => push16(it.imm);
    if (isMemory) return (it) => stack.push(size, readE(it, size));
    return size === 4 ? (it) => push32(regs[it.d]) : (it) => push16(regs16[it.d]);
  };

  /** The address of POP m uses ESP after the pop, and a fault must put it back. */
  function popToMemory(op: Op, size: number): void {
    const old = regs[ESP];
    const value = stack.peek(size, 0);
    stack.adjust(size);
    let to: number;
    try {
      to = address(op);
      memory.prepareWrite(to, size);
    } catch (thrown) {
      regs[ESP] = old;
      throw thrown;
    }
    if (size === 4) write32(to, value);
    else write16(to, value);
  }

  const pop: Binder = (_op, { operandSize: size, memory: isMemory }) => {
    if (isMemory) return (op) => popToMemory(op, size);
    if (size === 4) return (op) => { regs[op.d] = pop32(); };
    return (op) => { regs16[op.d] = stack.pop16(); };
  };

  function loadSegment(segment: number, selector: number): void {
    if (segment === CS) faults.raise(VECTOR.UD, NO_ERROR_CODE);
    segments.load(segment, selector);
    if (segment === SS) core.shadowInterrupts(true);
  }

  const segmentOf = (codes: string): number => SEGMENT_NAMES[codes];

  function pushAll(size: number): void {
    const esp = regs[ESP];
    stack.prepare(8, size);
    for (let i = 0; i < 8; i++) stack.push(size, i === ESP ? esp : regs[i]);
  }

  const popped = new Int32Array(8);

  function popAll(size: number): void {
    // Everything is read before a register changes.
    for (let i = 0; i < 8; i++) popped[7 - i] = stack.peek(size, i * size);
    stack.adjust(8 * size);
    for (let i = 0; i < 8; i++) if (i !== ESP) writeRegister(size === 4 ? i : i << 1, size, popped[i]);
  }

  function enter(op: Op, size: number): void {
    const level = op.instruction.imm2 & 31;
    S[BUDGET] -= op.charge(op.cell, false, level);
    const ebp = regs[EBP];
    stack.prepare(1 + level, size);
    // The new stack top must be writable too.
    stack.prepareAt(-size * (1 + level) - op.imm, size);
    for (let i = 1; i < level; i++) stack.peekAt(size, ebp - i * size);
    stack.push(size, ebp);
    const frame = regs[ESP];
    // One after the other: the old frame may overlap the new one.
    for (let i = 1; i < level; i++) stack.push(size, stack.peekAt(size, ebp - i * size));
    if (level > 0) stack.push(size, frame);
    writeRegister(size === 4 ? EBP : EBP << 1, size, frame);
    stack.adjust(-op.imm);
  }

  function leave(size: number): void {
    const value = stack.peekAt(size, regs[EBP]);
    stack.set((regs[EBP] + size) & stack.mask());
    writeRegister(size === 4 ? EBP : EBP << 1, size, value);
  }

  function checkIopl(): void {
    if (S[CPL] > ((S[EFLAGS] & FLAG.IOPL) >>> 12)) faults.raise(VECTOR.GP, 0);
  }

  /** In virtual-8086 mode PUSHF and POPF need IOPL 3. */
  function checkVirtualIopl(): void {
    if ((S[EFLAGS] & FLAG.VM) !== 0) checkIopl();
  }

  const setFlag = (bit: number, value: boolean): Binder => () => () => {
    flags.writeArithmetic(value ? flags.read() | bit : flags.read() & ~bit);
  };

  return {
    mov,
    movzx: extend,
    movsx: extend,
    lea: (op, { operandSize }) => {
      if (operandSize === 4 && op.special === 0) return (it) => {
        regs[it.d] = (regs[it.base] + (regs[it.index] << it.scale) + it.disp) | 0;
      };
      return (it) => writeRegister(it.d, operandSize, offset(it));
    },
    xlat: (op) => {
      op.size = 1;
      return (it) => {
        // EBX + AL is not an address form of ModRM: AL goes into the displacement.
        it.base = EBX;
        it.disp = regs8[0];
        regs8[0] = read8(address(it));
      };
    },
    xchg,
    nop: () => () => undefined,
    storeSegment: (op, { memory: isMemory, operandSize, reg }) => {
      op.size = 2;
      const selectorOf = (): number => {
        if (reg > GS) faults.raise(VECTOR.UD, NO_ERROR_CODE);
        return S[segmentWord(reg, SELECTOR)];
      };
      return (it) => writeE(it, isMemory ? 2 : operandSize, selectorOf());
    },
    loadSegment: (op, { reg, memory: isMemory }) => {
      op.size = 2;
      return (it) => {
        if (reg > GS || reg === CS) faults.raise(VECTOR.UD, NO_ERROR_CODE);
        loadSegment(reg, isMemory ? read16(address(it)) : regs16[it.d]);
      };
    },
    loadFarPointer: (op, { row, operandSize: size }) => {
      const segment = LOAD_FAR_SEGMENT[row!.mnemonic];
      op.size = size + 2;
      return (it) => {
        const a = address(it);
        const value = size === 4 ? read32(a) : read16(a);
        loadSegment(segment, read16((a + size) | 0));
        writeRegister(it.d, size, value);
      };
    },
    pushSegment: (_op, { row, operandSize }) => {
      const word = segmentWord(segmentOf(row!.operands), SELECTOR);
      return () => stack.push(operandSize, S[word]);
    },
    popSegment: (_op, { row, operandSize }) => {
      const segment = segmentOf(row!.operands);
      return () => {
        // The B bit of the old stack says which pointer moves.
        const mask = stack.mask();
        const top = stack.offset(operandSize);
        loadSegment(segment, stack.peek(operandSize, 0) & 0xffff);
        if (mask === -1) regs[ESP] = top;
        else regs16[ESP << 1] = top;
      };
    },
    push,
    pop,
    pushad: (_op, { operandSize }) => () => pushAll(operandSize),
    popad: (_op, { operandSize }) => () => popAll(operandSize),
    pushfd: (_op, { operandSize }) => () => {
      checkVirtualIopl();
      stack.push(operandSize, flags.read() & ~(FLAG.RF | FLAG.VM));
    },
    popfd: (_op, { operandSize }) => () => {
      checkVirtualIopl();
      interrupts.loadFlags(stack.pop(operandSize) & ~FLAG.RF, operandSize, S[CPL]);
    },
    enter: (_op, { operandSize }) => (op) => enter(op, operandSize),
    leave: (_op, { operandSize }) => () => leave(operandSize),
    cwde: (_op, { operandSize }) => operandSize === 4
      ? () => { regs[EAX] = regs16[EAX << 1] << 16 >> 16; }
      : () => { regs16[EAX << 1] = regs8[0] << 24 >> 24; },
    cdq: (_op, { operandSize }) => operandSize === 4
      ? () => { regs[EDX] = regs[EAX] >> 31; }
      : () => { regs16[EDX << 1] = regs16[EAX << 1] << 16 >> 31; },
    clc: setFlag(FLAG.CF, false),
    stc: setFlag(FLAG.CF, true),
    cmc: () => () => { flags.writeArithmetic(flags.read() ^ FLAG.CF); },
    cld: () => () => { S[EFLAGS] &= ~FLAG.DF; },
    std: () => () => { S[EFLAGS] |= FLAG.DF; },
    cli: () => () => {
      checkIopl();
      S[EFLAGS] &= ~FLAG.IF;
    },
    sti: () => () => {
      checkIopl();
      if ((S[EFLAGS] & FLAG.IF) !== 0) return;
      S[EFLAGS] |= FLAG.IF;
      core.shadowInterrupts(false);
      if (S[INTERRUPT_REQUEST] !== 0) core.attend();
    },
    salc: () => () => { regs8[0] = -flags.carry(); },
    lahf: () => () => { regs8[1] = flags.read() & 0xff; },
    sahf: () => () => { flags.writeArithmetic((flags.read() & FLAG.OF) | regs8[1]); },
  };
}

