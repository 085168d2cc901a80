// From a decoded instruction to a predecoded one: registers become indices,
// jump targets addresses, clocks numbers, and the semantic name of the row a
// function.
import { chargeOf, clocksOf, staticClocks } from "./clocks.js";
import type { Core } from "./core.js";
import { MAX_LENGTH } from "./decode.js";
import type { Instruction } from "./decode.js";
import { createAlu } from "./families/alu.js";
import { createBit } from "./families/bit.js";
import { createControl } from "./families/control.js";
import { createLater } from "./families/later.js";
import { createIo, createIoAccess } from "./families/io.js";
import { createMove } from "./families/move.js";
import { createMulDiv } from "./families/muldiv.js";
import { createShift } from "./families/shift.js";
import { createString } from "./families/string.js";
import { createSystem } from "./families/system.js";
import { createFarTransfers } from "./far.js";
import { createX87 } from "./fpu/x87.js";
import { NO_ERROR_CODE } from "./faults.js";
import type { Interrupts } from "./interrupts.js";
import { OPCODES, operandsOf } from "./opcodes.js";
import type { OpcodeRow } from "./opcodes.js";
import { Op, SPECIAL, operandBytes, registerIndex } from "./op.js";
import type { Execute, Family } from "./op.js";
import { createOperands } from "./operands.js";
import { KEY } from "./segments.js";
import { DECODE_KEY, DS, ECX, EIP, ES, ESP, SS, TAKEN, VECTOR } from "./state.js";

/** Makes the op of an instruction at `eip`. */
export type Translate = (instruction: Instruction, eip: number) => Op;

/** Instructions whose r/m operand is the source, but which keep it in op.d and the destination in op.s. */
const SWAPPED = new Set(["imul2", "imul3", "bsf", "bsr", "lar", "lsl", "cmov"]);
/** Instructions that only read a memory operand in first place. */
const READERS = new Set(["cmp", "test", "bt", "push", "mul", "imul", "div", "idiv", "jmpIndirect", "callIndirect",
  "jmpFar", "callFar", "lldt", "ltr", "verr", "verw", "lgdt", "lidt", "lmsw", "escape", "invlpg", "hintNop"]);
const TABLE_STORES = new Set(["sgdt", "sidt"]);
/** Addresses that no segment is applied to. */
const WITHOUT_SEGMENT = new Set(["lea"]);

/** What the cells of a row mean here, taken apart once. */
interface Plan {
  /** Operand codes but for those of special registers, which are named by the instruction. */
  readonly general: readonly string[];
  readonly swapped: boolean;
  readonly withoutSegment: boolean;
  /** Code of the operand in memory, or "" where the operand size is its size. */
  readonly memoryCode: string;
  readonly writes: boolean;
  readonly jumps: boolean;
}

function planOf(row: OpcodeRow): Plan {
  const codes = operandsOf(row);
  const { semantic } = row;
  return {
    general: codes.filter((code) => !/^[SCDT][wd]$/.test(code)),
    swapped: SWAPPED.has(semantic),
    withoutSegment: WITHOUT_SEGMENT.has(semantic),
    memoryCode: codes.find((code) => /^[EO]/.test(code)) ?? "",
    writes: TABLE_STORES.has(semantic) || (/^[EO]/.test(row.operands) && !READERS.has(semantic)),
    jumps: /^J[bz]$/.test(row.operands),
  };
}

export function createTranslate(core: Core, interrupts: Interrupts): Translate {
  const { S, regs } = core.state;
  const { model, timing } = core.config;
  const operands = createOperands(core);
  const far = createFarTransfers(core, interrupts);
  const io = createIoAccess(core);
  const semantics: Family = {
    ...createAlu(core, operands),
    ...createShift(core, operands),
    ...createMulDiv(core, operands),
    ...createBit(core, operands),
    ...createMove(core, operands, interrupts),
    ...createString(core, operands, io),
    ...createIo(core, operands, io),
    ...createControl(core, operands, interrupts, far),
    ...createSystem(core, operands),
    ...createLater(core, operands),
    ...createX87(core, operands),
  };
  for (const { semantic } of OPCODES) {
    if (semantics[semantic] === undefined) throw new Error(`opcode table: no semantic function "${semantic}"`);
  }

  const undefinedOpcode = (): never => core.faults.raise(VECTOR.UD, NO_ERROR_CODE);
  const tooLong = (): never => core.faults.raise(VECTOR.GP, 0);

  const plans = new Map<OpcodeRow, Plan>(OPCODES.map((row) => [row, planOf(row)]));

  /** Register indices of the operands, in order; memory, immediates and special registers give none. */
  function setRegisters(op: Op, instruction: Instruction): void {
    const { operandSize, memory, reg, rm, opcode } = instruction;
    const { general, swapped } = plans.get(instruction.row!)!;
    const indices = general.map((code) => {
      const size = operandBytes(code, operandSize);
      if (code === "AL" || code === "eAX") return registerIndex(0, size);
      switch (code[0]) {
        case "E": case "R": return memory ? 0 : registerIndex(rm, size);
        case "G": return registerIndex(reg, size);
        case "Z": return registerIndex(opcode & 7, size);
        default: return 0;
      }
    });
    op.d = indices[swapped ? 1 : 0] ?? 0;
    op.s = indices[swapped ? 0 : 1] ?? 0;
  }

  /** A near transfer out of the code segment is a fault of the transfer: its pointers are put back. */
  function withinLimit(execute: Execute, limit: number): Execute {
    return (op) => {
      const esp = regs[ESP];
      const ecx = regs[ECX];
      execute(op);
      if ((S[EIP] >>> 0) <= (limit >>> 0)) return;
      regs[ESP] = esp;
      regs[ECX] = ecx;
      S[TAKEN] = 0;
      core.faults.raise(VECTOR.GP, 0);
    };
  }

  /** Whether decoded code may use a segment without looking at it: part of the key the block is for. */
  function isFlat(segment: number): boolean {
    const bit = segment === DS ? KEY.DS : segment === ES ? KEY.ES : segment === SS ? KEY.SS : -1;
    return bit > 0 && (S[DECODE_KEY] & bit) === 0;
  }

  function setAddress(op: Op, instruction: Instruction): void {
    const { row, segment, addressSize, operandSize } = instruction;
    op.base = instruction.base;
    op.index = instruction.index;
    op.scale = instruction.scale;
    op.disp = instruction.disp;
    const { withoutSegment, memoryCode, writes } = plans.get(row!)!;
    op.special = (addressSize === 2 ? SPECIAL.ADDRESS16 : 0) | (withoutSegment || isFlat(segment) ? 0 : segment + 1);
    op.size = memoryCode === "" ? operandSize : operandBytes(memoryCode, operandSize);
    op.writes = writes;
  }

  return (instruction, eip) => {
    const { row, length, operandSize } = instruction;
    const cell = clocksOf(instruction, model, timing);
    const op = new Op(instruction, undefinedOpcode, cell, chargeOf(cell));
    op.eip = eip;
    op.next = (eip + length) | 0;
    if (row === null || length > MAX_LENGTH) {
      op.execute = length > MAX_LENGTH ? tooLong : undefinedOpcode;
      op.transfers = true;
      op.ends = true;
      return op;
    }
    op.ends = row.ends;
    op.imm = instruction.imm;
    setRegisters(op, instruction);
    if (instruction.memory || row.semantic === "xlat") setAddress(op, instruction);
    if (plans.get(row)!.jumps) {
      const target = (op.next + instruction.imm) | 0;
      op.imm = operandSize === 2 ? target & 0xffff : target;
    }
    if (cell.rule === "branch") op.extra = op.charge(cell, false, 0);
    op.transfers = TRANSFERS.has(row.semantic);
    op.after = staticClocks(instruction, cell, model, timing);
    op.execute = semantics[row.semantic](op, instruction);
    const { limit } = core.segments.codeSegment();
    if (limit !== -1 && NEAR.has(row.semantic)) op.execute = withinLimit(op.execute, limit);
    return op;
  };
}

/** Semantics whose handlers set EIP themselves. */
const TRANSFERS = new Set(["jcc", "loop", "loope", "loopne", "jecxz", "jmp", "jmpIndirect", "call", "callIndirect",
  "ret", "jmpFar", "callFar", "retFar", "int1", "int3", "int", "into", "iret", "ud2", "hlt", "sysenter", "sysexit"]);
/** Transfers inside the segment; calls look at its limit themselves. */
const NEAR = new Set(["jcc", "loop", "loope", "loopne", "jecxz", "jmp", "jmpIndirect", "ret"]);
