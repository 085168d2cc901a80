// The stack of the running code. Each function leaves ESP alone when it
// faults. `push…` and `pop…` of a frame that must not be half written use
// `check` or `peek` first.
import type { Memory } from "./memory.js";
import { KEY } from "./segments.js";
import type { Segments } from "./segments.js";
import { DECODE_KEY, ESP, SS } from "./state.js";
import type { State } from "./state.js";

export interface Stack {
  push32(value: number): void;
  push16(value: number): void;
  pop32(): number;
  pop16(): number;
  /** Pushes or pops by operand size in bytes. */
  push(size: number, value: number): void;
  pop(size: number): number;
  /** Value at ESP + offset, without popping. */
  peek(size: number, offset: number): number;
  /** Linear address of ESP + offset, checked against the stack segment. */
  linear(offset: number, size: number, write: boolean): number;
}

export function createStack(state: State, memory: Memory, segments: Segments): Stack {
  const { S, regs } = state;
  const { read16, read32, write16, write32 } = memory;

  function address(offset: number, size: number, write: boolean): number {
    return (S[DECODE_KEY] & KEY.SS) === 0 ? offset : segments.linear(SS, offset, size, write);
  }

  function push32(value: number): void {
    const top = (regs[ESP] - 4) | 0;
    write32(address(top, 4, true), value);
    regs[ESP] = top;
  }

  function push16(value: number): void {
    const top = (regs[ESP] - 2) | 0;
    write16(address(top, 2, true), value);
    regs[ESP] = top;
  }

  function pop32(): number {
    const top = regs[ESP];
    const value = read32(address(top, 4, false));
    regs[ESP] = (top + 4) | 0;
    return value;
  }

  function pop16(): number {
    const top = regs[ESP];
    const value = read16(address(top, 2, false));
    regs[ESP] = (top + 2) | 0;
    return value;
  }

  return {
    push32, push16, pop32, pop16,
    push(size, value) {
      if (size === 4) push32(value);
      else push16(value);
    },
    pop: (size) => (size === 4 ? pop32() : pop16()),
    peek(size, offset) {
      const at = (regs[ESP] + offset) | 0;
      return size === 4 ? read32(address(at, 4, false)) : read16(address(at, 2, false));
    },
    linear: (offset, size, write) => address((regs[ESP] + offset) | 0, size, write),
  };
}
