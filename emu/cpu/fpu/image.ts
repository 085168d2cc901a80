// The images of FSTENV and FSAVE in memory: 16- and 32-bit, each in the form
// of protected mode and in that of real and virtual-8086 mode.
import type { Core } from "../core.js";
import { CR0, CR0_BIT, EFLAGS, FLAG } from "../state.js";
import { FCS, FDP, FDS, FIP, FOP } from "./registers.js";
import type { Registers } from "./registers.js";

const REGISTER_BYTES = 10;

/** Bytes of the environment by operand size. */
export function environmentBytes(operandSize: number): number {
  return operandSize === 4 ? 28 : 14;
}

/** Bytes of the whole state by operand size. */
export function stateBytes(operandSize: number): number {
  return environmentBytes(operandSize) + 8 * REGISTER_BYTES;
}

export interface Images {
  /** Linear addresses of images that may be written, or read. */
  storeEnvironment(address: number, operandSize: number): void;
  loadEnvironment(address: number, operandSize: number): void;
  storeRegisters(address: number): void;
  loadRegisters(address: number): void;
}

export function createImages(core: Core, registers: Registers): Images {
  const { memory, state } = core;
  const { S } = state;
  const { words } = registers;

  function isProtected(): boolean {
    return (S[CR0] & CR0_BIT.PE) !== 0 && (S[EFLAGS] & FLAG.VM) === 0;
  }

  /** The four words of pointers in the form of the mode. */
  function pointers(operandSize: number): readonly [number, number, number, number] {
    const opcode = words[FOP] & 0x7ff;
    if (isProtected()) {
      const selector = operandSize === 4 ? words[FCS] | (opcode << 16) : words[FCS];
      return [words[FIP], selector, words[FDP], words[FDS]];
    }
    const instruction = (words[FCS] * 16 + (words[FIP] >>> 0)) >>> 0;
    const data = (words[FDS] * 16 + (words[FDP] >>> 0)) >>> 0;
    const mask = operandSize === 4 ? 0xffff : 0xf;
    return [
      instruction & 0xffff, (((instruction >>> 16) & mask) << 12) | opcode,
      data & 0xffff, ((data >>> 16) & mask) << 12,
    ];
  }

  function setPointers(operandSize: number, [first, second, third, fourth]: readonly number[]): void {
    if (isProtected()) {
      words[FIP] = first;
      words[FCS] = second & 0xffff;
      if (operandSize === 4) words[FOP] = (second >>> 16) & 0x7ff;
      words[FDP] = third;
      words[FDS] = fourth & 0xffff;
      return;
    }
    words[FIP] = (first & 0xffff) | ((second >>> 12) << 16);
    words[FOP] = second & 0x7ff;
    words[FDP] = (third & 0xffff) | ((fourth >>> 12) << 16);
    words[FCS] = 0;
    words[FDS] = 0;
  }

  return {
    storeEnvironment(address, operandSize) {
      const values = [registers.controlWord(), registers.statusWord(), registers.tagWord(), ...pointers(operandSize)];
      if (operandSize === 2) {
        values.forEach((value, i) => memory.write16((address + i * 2) | 0, value & 0xffff));
        return;
      }
      // Where a word has sixteen bits, the upper half is stored as ones.
      const narrow = isProtected() ? [0, 1, 2, 6] : [0, 1, 2, 3, 5];
      values.forEach((value, i) =>
        memory.write32((address + i * 4) | 0, narrow.includes(i) ? value | 0xffff0000 : value));
    },
    loadEnvironment(address, operandSize) {
      const read = (i: number): number =>
        (operandSize === 2 ? memory.read16((address + i * 2) | 0) : memory.read32((address + i * 4) | 0));
      const values = Array.from({ length: 7 }, (_, i) => read(i));
      registers.setControl(values[0]);
      registers.setStatus(values[1] & 0xffff);
      registers.setTags(values[2]);
      setPointers(operandSize, values.slice(3));
    },
    // Ten bytes a register: only words are aligned in each of them.
    storeRegisters(address) {
      for (let i = 0; i < 8; i++) {
        const at = (address + i * REGISTER_BYTES) | 0;
        const from = ((registers.statusWord() >>> 11) + i & 7) * 4;
        for (let k = 0; k < 5; k++) {
          memory.write16((at + k * 2) | 0, (words[from + (k >> 1)]! >>> ((k & 1) * 16)) & 0xffff);
        }
      }
    },
    loadRegisters(address) {
      for (let i = 0; i < 8; i++) {
        const at = (address + i * REGISTER_BYTES) | 0;
        const to = ((registers.statusWord() >>> 11) + i & 7) * 4;
        const [a, b, c, d, e] = Array.from({ length: 5 }, (_, k) => memory.read16((at + k * 2) | 0));
        words[to] = a! | (b! << 16);
        words[to + 1] = c! | (d! << 16);
        words[to + 2] = e!;
      }
    },
  };
}
