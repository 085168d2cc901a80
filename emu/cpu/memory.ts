// Access to linear memory for instructions. The fast path of each size is one
// load from a translation array, one test for "present and aligned", and the
// access; everything else (misses, misaligned operands, page crossings, code
// pages, device memory) goes through the slow functions below.
import { penaltiesOf } from "./clocks.js";
import type { Faults } from "./faults.js";
import type { CpuConfig } from "./interface.js";
import { READ, WRITE } from "./mmu.js";
import type { Mmu } from "./mmu.js";
import { BUDGET, CR0, CR0_BIT, EFLAGS, FLAG, MODE, VECTOR, WATCHING } from "./state.js";
import type { State } from "./state.js";

/** Addresses are linear. 8- and 16-bit values are zero-extended, 32-bit ones signed. */
export interface Memory {
  /** Set by the processor: an access by the slow path while data breakpoints are set. */
  accessed(a: number, size: number, write: boolean): void;
  read8(a: number): number;
  read16(a: number): number;
  read32(a: number): number;
  write8(a: number, value: number): void;
  write16(a: number, value: number): void;
  write32(a: number, value: number): void;
  /**
   * For read-modify-write: index into mem8, mem16 or mem32 of an operand that
   * may be written and is handled by the fast path, or -1. After -1 call
   * `prepareWrite`; then neither the read nor the write can fault.
   */
  modify8(a: number): number;
  modify16(a: number): number;
  modify32(a: number): number;
  prepareWrite(a: number, size: number): void;
  /** Raises #AC when ring 3 has asked for alignment and an operand of `size` bytes at `a` lacks it. */
  checkAlignment(a: number, size: number): void;
  /** The same reads and writes at supervisor privilege: descriptor tables, task state, inner stacks. */
  readSystem16(a: number): number;
  readSystem32(a: number): number;
  writeSystem16(a: number, value: number): void;
  writeSystem32(a: number, value: number): void;
  writeSystem8(a: number, value: number): void;
}

/**
 * Address bits that are zero in an aligned operand of `size` bytes (SDM 3, table 6-7). Images of the coprocessor
 * consist of words or doublewords by the operand size, 14 and 94 bytes of words.
 */
function alignmentMask(size: number): number {
  if (size === 8 || size === 10) return 7;
  return size === 2 || size === 14 || size === 94 ? 1 : size >= 4 ? 3 : 0;
}

export function createMemory(config: CpuConfig, state: State, mmu: Mmu, faults: Faults): Memory {
  const { S, mem8, mem16, mem32, ram, ramSize, tlbRead, tlbWrite } = state;
  const { misaligned, waitStates } = penaltiesOf(config);

  function loadPhysical(physical: number, size: number): number {
    const address = physical >>> 0;
    if (address + size > ramSize) return mmu.space.read(address, size);
    if (size === 1) return mem8[address];
    return size === 2 ? ram.getUint16(address, true) : ram.getInt32(address, true);
  }

  function storePhysical(physical: number, size: number, value: number): void {
    const address = physical >>> 0;
    if (address + size > ramSize) {
      mmu.space.write(address, size, value);
      return;
    }
    if (mmu.codePages[address >>> 12] !== 0) mmu.codeWritten(address, size);
    if (size === 1) mem8[address] = value;
    else if (size === 2) ram.setUint16(address, value, true);
    else ram.setInt32(address, value, true);
  }

  /** An access that crosses a doubleword takes another bus cycle. */
  function chargeMisaligned(a: number, size: number): void {
    if ((a & 3) + size > 4) S[BUDGET] -= misaligned + waitStates;
  }

  function checkAlignment(a: number, size: number): void {
    if ((a & alignmentMask(size)) === 0 || S[MODE] === 0) return;
    if ((S[EFLAGS] & FLAG.AC) !== 0 && (S[CR0] & CR0_BIT.AM) !== 0) faults.raise(VECTOR.AC, 0);
  }

  function loadSlow(a: number, size: number): number {
    chargeMisaligned(a, size);
    checkAlignment(a, size);
    if (S[WATCHING] !== 0) return loadWatched(a, size);
    return loadParts(a, size);
  }

  function loadWatched(a: number, size: number): number {
    const value = loadParts(a, size);
    memory.accessed(a, size, false);
    return value;
  }

  /** In one page, or byte by byte. */
  function loadParts(a: number, size: number): number {
    if ((a & 0xfff) + size <= 4096) {
      const value = loadPhysical(mmu.translate(a, READ), size);
      return size === 1 ? value & 0xff : size === 2 ? value & 0xffff : value | 0;
    }
    let value = 0;
    for (let i = 0; i < size; i++) {
      value |= (loadPhysical(mmu.translate((a + i) | 0, READ), 1) & 0xff) << (i << 3);
    }
    return value;
  }

  function prepareWrite(a: number, size: number): void {
    checkAlignment(a, size);
    mmu.translate(a, WRITE);
    if ((a & 0xfff) + size > 4096) mmu.translate((a + size - 1) & ~0xfff, WRITE);
  }

  function storeSlow(a: number, size: number, value: number): void {
    chargeMisaligned(a, size);
    checkAlignment(a, size);
    storeParts(a, size, value);
    if (S[WATCHING] !== 0) memory.accessed(a, size, true);
  }

  function storeParts(a: number, size: number, value: number): void {
    if ((a & 0xfff) + size <= 4096) {
      storePhysical(mmu.translate(a, WRITE), size, value);
      return;
    }
    prepareWrite(a, size);
    for (let i = 0; i < size; i++) {
      storePhysical(mmu.translate((a + i) | 0, WRITE), 1, (value >>> (i << 3)) & 0xff);
    }
  }

  function read8(a: number): number {
    const e = tlbRead[(a >>> 12) + S[MODE]];
    if ((e & 1) === 0) return mem8[(a + e) >>> 0];
    return loadSlow(a, 1);
  }

  function read16(a: number): number {
    const e = tlbRead[(a >>> 12) + S[MODE]];
    if (((a | e) & 1) === 0) return mem16[(a + e) >>> 1];
    return loadSlow(a, 2);
  }

  function read32(a: number): number {
    const e = tlbRead[(a >>> 12) + S[MODE]];
    if (((a & 3) | (e & 1)) === 0) return mem32[(a + e) >>> 2];
    return loadSlow(a, 4);
  }

  function write8(a: number, value: number): void {
    const e = tlbWrite[(a >>> 12) + S[MODE]];
    if ((e & 1) === 0) mem8[(a + e) >>> 0] = value;
    else storeSlow(a, 1, value);
  }

  function write16(a: number, value: number): void {
    const e = tlbWrite[(a >>> 12) + S[MODE]];
    if (((a | e) & 1) === 0) mem16[(a + e) >>> 1] = value;
    else storeSlow(a, 2, value);
  }

  function write32(a: number, value: number): void {
    const e = tlbWrite[(a >>> 12) + S[MODE]];
    if (((a & 3) | (e & 1)) === 0) mem32[(a + e) >>> 2] = value;
    else storeSlow(a, 4, value);
  }

  /** Runs an access as a supervisor; the run loop restores the level after a fault. */
  function asSupervisor<T>(access: () => T): T {
    const mode = S[MODE];
    S[MODE] = 0;
    const result = access();
    S[MODE] = mode;
    return result;
  }

  const memory: Memory = {
    accessed: () => undefined,
    read8, read16, read32, write8, write16, write32, prepareWrite, checkAlignment,
    modify8(a) {
      const e = tlbWrite[(a >>> 12) + S[MODE]];
      return (e & 1) === 0 ? (a + e) >>> 0 : -1;
    },
    modify16(a) {
      const e = tlbWrite[(a >>> 12) + S[MODE]];
      return ((a | e) & 1) === 0 ? (a + e) >>> 1 : -1;
    },
    modify32(a) {
      const e = tlbWrite[(a >>> 12) + S[MODE]];
      return ((a & 3) | (e & 1)) === 0 ? (a + e) >>> 2 : -1;
    },
    readSystem16: (a) => asSupervisor(() => read16(a)),
    readSystem32: (a) => asSupervisor(() => read32(a)),
    writeSystem8: (a, value) => asSupervisor(() => write8(a, value)),
    writeSystem16: (a, value) => asSupervisor(() => write16(a, value)),
    writeSystem32: (a, value) => asSupervisor(() => write32(a, value)),
  };
  return waitStates === 0 ? memory : withWaitStates(memory, S, waitStates);
}

/** The same memory whose accesses take `clocks` more each; a quick read-modify-write is two. */
function withWaitStates(memory: Memory, S: Int32Array, clocks: number): Memory {
  const reading = (read: (a: number) => number) => (a: number): number => {
    S[BUDGET] -= clocks;
    return read(a);
  };
  const writing = (write: (a: number, value: number) => void) => (a: number, value: number): void => {
    S[BUDGET] -= clocks;
    write(a, value);
  };
  const modifying = (modify: (a: number) => number) => (a: number): number => {
    const at = modify(a);
    if (at >= 0) S[BUDGET] -= 2 * clocks;
    return at;
  };
  // The slow functions call `accessed` of the object they were made with, where the processor sets it.
  return Object.assign(memory, {
    read8: reading(memory.read8), read16: reading(memory.read16), read32: reading(memory.read32),
    write8: writing(memory.write8), write16: writing(memory.write16), write32: writing(memory.write32),
    modify8: modifying(memory.modify8), modify16: modifying(memory.modify16), modify32: modifying(memory.modify32),
    readSystem16: reading(memory.readSystem16), readSystem32: reading(memory.readSystem32),
    writeSystem8: writing(memory.writeSystem8), writeSystem16: writing(memory.writeSystem16),
    writeSystem32: writing(memory.writeSystem32),
  });
}
