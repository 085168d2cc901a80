// The stack of the running code. Each function leaves ESP alone when it
// faults. Frames that must not be half written use `prepare` or `peek` first.
//
// The B bit of SS says whether ESP or SP is the stack pointer: with SP offsets
// wrap at 64 KB and the upper half of ESP stays. A flat SS (see segments.ts) is
// a 32-bit one, so the common case needs one test.
import type { Memory } from "./memory.js";
import { DESCRIPTOR, KEY } from "./segments.js";
import type { Segments } from "./segments.js";
import { ATTRIBUTES, DECODE_KEY, ESP, SS, segmentWord } from "./state.js";
import type { State } from "./state.js";

export interface Stack {
  push32(value: number): void;
  push16(value: number): void;
  pop32(): number;
  pop16(): number;
  /** Pushes or pops by operand size in bytes. */
  push(size: number, value: number): void;
  pop(size: number): number;
  /** Value at ESP + distance, without popping. */
  peek(size: number, distance: number): number;
  /** Value at an offset of the stack segment (of 16 bits in a 16-bit one). */
  peekAt(size: number, offset: number): number;
  /** Checks that `count` items of `size` bytes can be pushed. */
  prepare(count: number, size: number): void;
  /** Checks that `size` bytes at ESP + distance can be written. */
  prepareAt(distance: number, size: number): void;
  /** ESP or SP + distance, as the offset it is. */
  offset(distance: number): number;
  /** Adds to the stack pointer, ESP or SP. */
  adjust(distance: number): void;
  /** Sets the stack pointer, ESP or SP. */
  set(offset: number): void;
  /** The bits of a stack pointer: -1 or 0xffff. */
  mask(): number;
}

export function createStack(state: State, memory: Memory, segments: Segments): Stack {
  const { S, regs, regs16 } = state;
  const { read16, read32, write16, write32 } = memory;
  const attributes = segmentWord(SS, ATTRIBUTES);

  const isFlat = (): boolean => (S[DECODE_KEY] & KEY.SS) === 0;
  const mask = (): number => ((S[attributes] & DESCRIPTOR.BIG) !== 0 ? -1 : 0xffff);

  function set(offset: number): void {
    if (mask() === -1) regs[ESP] = offset;
    else regs16[ESP << 1] = offset;
  }

  const offsetOf = (distance: number): number => (regs[ESP] + distance) & mask();

  function adjust(distance: number): void {
    if (isFlat()) regs[ESP] = (regs[ESP] + distance) | 0;
    else set(offsetOf(distance));
  }

  function address(offset: number, size: number, write: boolean): number {
    return isFlat() ? offset : segments.linear(SS, offset, size, write);
  }

  function pushSegmented(size: number, value: number): void {
    const top = offsetOf(-size);
    const at = segments.linear(SS, top, size, true);
    if (size === 4) write32(at, value);
    else write16(at, value);
    set(top);
  }

  function peekAt(size: number, offset: number): number {
    const at = address(offset & mask(), size, false);
    return size === 4 ? read32(at) : read16(at);
  }

  function popSegmented(size: number): number {
    const value = peekAt(size, regs[ESP]);
    set(offsetOf(size));
    return value;
  }

  function push32(value: number): void {
    if ((S[DECODE_KEY] & KEY.SS) !== 0) {
      pushSegmented(4, value);
      return;
    }
    const top = (regs[ESP] - 4) | 0;
    write32(top, value);
    regs[ESP] = top;
  }

  function push16(value: number): void {
    if ((S[DECODE_KEY] & KEY.SS) !== 0) {
      pushSegmented(2, value);
      return;
    }
    const top = (regs[ESP] - 2) | 0;
    write16(top, value);
    regs[ESP] = top;
  }

  function pop32(): number {
    if ((S[DECODE_KEY] & KEY.SS) !== 0) return popSegmented(4);
    const top = regs[ESP];
    const value = read32(top);
    regs[ESP] = (top + 4) | 0;
    return value;
  }

  function pop16(): number {
    if ((S[DECODE_KEY] & KEY.SS) !== 0) return popSegmented(2);
    const top = regs[ESP];
    const value = read16(top);
    regs[ESP] = (top + 2) | 0;
    return value;
  }

  return {
    push32, push16, pop32, pop16, peekAt, adjust, set, mask,
    offset: offsetOf,
    push(size, value) {
      if (size === 4) push32(value);
      else push16(value);
    },
    pop: (size) => (size === 4 ? pop32() : pop16()),
    peek: (size, distance) => peekAt(size, regs[ESP] + distance),
    prepare(count, size) {
      if (isFlat()) {
        // In the order of the pushes, so that CR2 is that of the first that faults.
        for (let i = 1; i <= count; i++) memory.prepareWrite((regs[ESP] - i * size) | 0, size);
        return;
      }
      for (let i = 1; i <= count; i++) memory.prepareWrite(address(offsetOf(-i * size), size, true), size);
    },
    prepareAt(distance, size) {
      memory.prepareWrite(address(offsetOf(distance), size, true), size);
    },
  };
}
