// What all x87 instructions share: whether one may begin (#NM, errors that
// wait), its operands in registers and memory, and how it ends (status word,
// C1, ES).
//
// An unmasked exception is reported before the next instruction that waits:
// by #MF where CR0.NE is set, otherwise by the error line, which a PC wires to
// IRQ 13. Then the processor stands before the instruction until an interrupt
// comes, unless the board has told it to ignore the error (a write to port F0).
// Standing is a HLT with EIP at the instruction.
import type { Core } from "../core.js";
import { NO_ERROR_CODE } from "../faults.js";
import type { Op } from "../op.js";
import type { Operands } from "../operands.js";
import { COUNT, CR0, CR0_BIT, CS, EIP, HALTED, SELECTOR, VECTOR, segmentWord } from "../state.js";
import { CLASS, REAL32, REAL64, fromInteger, widen, zero } from "./float.js";
import type { Float } from "./float.js";
import { fromDecimal } from "./decimal.js";
import { isQuick } from "./quick.js";
import { FCS, FDP, FDS, FIP, FOP, STATUS, SW, createRegisters } from "./registers.js";
import type { Registers } from "./registers.js";
import { EXCEPTION } from "./round.js";
import type { Environment } from "./round.js";

/** Bits of precision by the precision control; the reserved value works as full precision. */
const PRECISIONS = [24, 64, 53, 64] as const;

export interface Unit {
  readonly registers: Registers;
  readonly environment: Environment;
  /** #NM for an escape by CR0.EM and CR0.TS. */
  checkAvailable(): void;
  /** Reports a pending error. False: the processor stands, and the instruction is not to be executed. */
  checkError(op: Op): boolean;
  /** Begins an instruction that waits and computes; false as above. */
  begin(op: Op): boolean;
  /** Writes exceptions and C1 of the instruction to the status word. */
  settle(): void;
  /** Notes where the instruction and its operand are. */
  note(op: Op): void;
  /** Stack faults; true when masked, and the indefinite is to be used. */
  underflow(): boolean;
  overflow(): boolean;
  /** Replaces the condition bits C3, C2, C0. */
  setConditions(bits: number): void;
  /** The operand in memory by its code; a denormal one is noted in the environment. */
  load(op: Op, code: string): Float;
  /** The operand in memory as a number, or NaN when it is not quick (see quick.ts): then it is in `loaded`. */
  loadNumber(op: Op, code: string): number;
  loaded: Float;
  /** Writes 2, 4 or 8 bytes at a linear address. */
  writeBits(address: number, bytes: number, bits: bigint): void;
}

export function createUnit(core: Core, operands: Operands): Unit {
  const { state, faults, memory, config } = core;
  const { S } = state;

  const registers = createRegisters(state, config.coprocessor);
  const f = registers.words;
  const environment: Environment = { mode: 0, precision: 64, masks: 0x3f, flags: 0, up: false, denormalSource: false };

  function checkAvailable(): void {
    if ((S[CR0] & (CR0_BIT.EM | CR0_BIT.TS)) !== 0) faults.raise(VECTOR.NM, NO_ERROR_CODE);
  }

  function stand(op: Op): boolean {
    op.transfers = true;
    op.ends = true;
    S[EIP] = op.eip;
    S[HALTED] = 1;
    S[COUNT] = 0;
    core.attend();
    return false;
  }

  function checkError(op: Op): boolean {
    // A former execution may have stood here.
    op.transfers = false;
    op.ends = false;
    if ((f[SW] & STATUS.ES) === 0) return true;
    if ((S[CR0] & CR0_BIT.NE) !== 0) faults.raise(VECTOR.MF, NO_ERROR_CODE);
    if (config.coprocessor!.ignored()) return true;
    config.coprocessor!.error(true);
    return stand(op);
  }

  function begin(op: Op): boolean {
    checkAvailable();
    if (!checkError(op)) return false;
    const control = registers.controlWord();
    environment.mode = (control >>> 10) & 3;
    environment.precision = PRECISIONS[(control >>> 8) & 3];
    environment.masks = control & 0x3f;
    environment.flags = 0;
    environment.up = false;
    environment.denormalSource = false;
    return true;
  }

  function stackFault(c1: boolean): boolean {
    environment.flags |= EXCEPTION.IE | EXCEPTION.SF;
    environment.up = c1;
    return (environment.masks & EXCEPTION.IE) !== 0;
  }

  function readBits(address: number, bytes: number): bigint {
    switch (bytes) {
      case 2: return BigInt(memory.read16(address));
      case 4: return BigInt(memory.read32(address) >>> 0);
      default: {
        memory.checkAlignment(address, 8);
        const low = BigInt(memory.read32(address) >>> 0);
        return low | (BigInt(memory.read32((address + 4) | 0) >>> 0) << 32n);
      }
    }
  }

  function loadReal(bits: bigint, format: typeof REAL32): Float {
    const { value, kind } = widen(bits, format);
    environment.denormalSource = kind === CLASS.DENORMAL;
    return value;
  }

  const single = new Float32Array(1);
  const singleBits = new Int32Array(single.buffer);
  const scratch = new DataView(new ArrayBuffer(8));

  const unit: Unit = {
    registers,
    environment,
    loaded: zero(0),
    checkAvailable,
    checkError,
    begin,
    settle() {
      const status = registers.statusWord() & ~STATUS.C1;
      registers.setStatus(status | environment.flags | (environment.up ? STATUS.C1 : 0));
    },
    note(op) {
      const { instruction } = op;
      f[FIP] = op.eip;
      f[FCS] = S[segmentWord(CS, SELECTOR)];
      f[FOP] = ((instruction.opcode & 7) << 8) | (instruction.mod << 6) | (instruction.reg << 3) | instruction.rm;
      if (!instruction.memory) return;
      f[FDP] = operands.offset(op);
      f[FDS] = S[segmentWord(instruction.segment, SELECTOR)];
    },
    underflow: () => stackFault(false),
    overflow: () => stackFault(true),
    setConditions(bits) {
      f[SW] = (f[SW] & ~STATUS.CONDITION) | bits;
    },
    load(op, code) {
      const address = operands.address(op);
      switch (code) {
        case "M32f": return loadReal(readBits(address, 4), REAL32);
        case "M64f": return loadReal(readBits(address, 8), REAL64);
        case "M16i": return fromInteger(BigInt.asIntN(16, readBits(address, 2)));
        case "M32i": return fromInteger(BigInt.asIntN(32, readBits(address, 4)));
        case "M64i": return fromInteger(BigInt.asIntN(64, readBits(address, 8)));
        case "M80f": {
          const sig = readBits(address, 8);
          const signExp = memory.read16((address + 8) | 0);
          return { sign: signExp >>> 15, exp: signExp & 0x7fff, sig };
        }
        case "M80b": {
          const digits = readBits(address, 8);
          return fromDecimal(digits, memory.read16((address + 8) | 0));
        }
        default: throw new Error(`opcode table: no operand "${code}" of the coprocessor`);
      }
    },
    loadNumber(op, code) {
      switch (code) {
        case "M16i": return memory.read16(operands.address(op)) << 16 >> 16;
        case "M32i": return memory.read32(operands.address(op));
        case "M32f": {
          const bits = memory.read32(operands.address(op));
          singleBits[0] = bits;
          // A denormal single is to be noticed.
          const isDenormal = (bits & 0x7f800000) === 0 && bits !== 0;
          if (!isDenormal && isQuick(single[0])) return single[0];
          unit.loaded = loadReal(BigInt(bits >>> 0), REAL32);
          return NaN;
        }
        case "M64f": {
          const address = operands.address(op);
          memory.checkAlignment(address, 8);
          scratch.setInt32(0, memory.read32(address), true);
          scratch.setInt32(4, memory.read32((address + 4) | 0), true);
          const value = scratch.getFloat64(0, true);
          if (isQuick(value)) return value;
          unit.loaded = loadReal(scratch.getBigUint64(0, true), REAL64);
          return NaN;
        }
        default:
          unit.loaded = unit.load(op, code);
          return NaN;
      }
    },
    writeBits(address, bytes, bits) {
      if (bytes === 2) memory.write16(address, Number(bits & 0xffffn));
      else memory.write32(address, Number(bits & 0xffffffffn) | 0);
      if (bytes === 8) memory.write32((address + 4) | 0, Number((bits >> 32n) & 0xffffffffn) | 0);
    },
  };
  return unit;
}

/** Bytes of an operand code. */
export function bytesOf(code: string): number {
  return Number(/^M(\d+)/.exec(code)?.[1] ?? 0) / 8;
}
