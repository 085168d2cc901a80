// The state of the coprocessor, in words of the processor's shared memory: the
// eight registers, and the words that environment and state images hold.
import { CLASS, classOf } from "./float.js";
import type { Float } from "./float.js";
import type { CoprocessorLines, CoprocessorState } from "../interface.js";
import { CR0, CR0_BIT } from "../state.js";
import type { State } from "../state.js";

/** Word indices. A register takes four: low and high half of the significand, sign and exponent. */
export const CW = 32;
/** Status word without TOP. */
export const SW = 33;
export const TOP = 34;
/** Bit n: physical register n is empty. */
export const EMPTY = 35;
/** Last instruction that was not a control instruction, and its operand in memory. */
export const FIP = 36;
export const FCS = 37;
export const FOP = 38;
export const FDP = 39;
export const FDS = 40;
const WORDS = 64;

/** Bits of the status word. */
export const STATUS = {
  ES: 0x80, C0: 0x100, C1: 0x200, C2: 0x400, C3: 0x4000, B: 0x8000, CONDITION: 0x4500, EXCEPTIONS: 0x7f,
} as const;
const TOP_SHIFT = 11;
const STATUS_WITHOUT_TOP = 0xc7ff;
/** Bits of the control word that exist: infinity control is kept and ignored, bit 6 reads as one. */
const CONTROL_BITS = 0x1f3f;
const CONTROL_ONE = 0x40;
const CONTROL_INITIAL = 0x37f;

/** The words of the coprocessor: behind the processor's own state words. */
function wordsOf({ S }: State): Int32Array {
  return new Int32Array(S.buffer, S.byteOffset + S.byteLength, WORDS);
}

function initialiseWords(words: Int32Array): void {
  words.fill(0, FIP, FDS + 1);
  words[EMPTY] = 0xff;
  words[CW] = CONTROL_INITIAL;
  words[SW] = 0;
  words[TOP] = 0;
}

/** The state after a reset of the processor, which is that of FNINIT with the registers cleared. */
export function resetCoprocessor(state: State): void {
  const words = wordsOf(state);
  words.fill(0);
  initialiseWords(words);
}

export interface Registers {
  readonly words: Int32Array;
  get(i: number): Float;
  set(i: number, value: Float): void;
  isEmpty(i: number): boolean;
  free(i: number): void;
  /** Makes a value the new ST(0); the caller has checked that ST(7) is empty, or means it. */
  push(value: Float): void;
  pop(): void;
  rotate(by: number): void;
  statusWord(): number;
  controlWord(): number;
  tagWord(): number;
  /** Setting control or status recomputes ES and B. */
  setStatus(value: number): void;
  setControl(value: number): void;
  /** Only the tag "empty" counts; the others follow from the registers. */
  setTags(value: number): void;
  /** FNINIT. */
  initialise(): void;
  /** All of it, for debuggers. */
  read(): CoprocessorState;
  write(from: CoprocessorState): void;
}

/** The registers of one machine; `lines` hear when ES rises, unless #MF will tell it, and when it falls. */
export function createRegisters(state: State, lines: CoprocessorLines | undefined): Registers {
  const f = wordsOf(state);
  const physical = (i: number): number => (f[TOP] + i) & 7;

  function errorChanged(asserted: boolean): void {
    if (!asserted || (state.S[CR0] & CR0_BIT.NE) === 0) lines?.error(asserted);
  }

  function value(register: number): Float {
    const at = register * 4;
    const signExp = f[at + 2];
    return {
      sign: (signExp >>> 15) & 1,
      exp: signExp & 0x7fff,
      sig: (BigInt(f[at + 1] >>> 0) << 32n) | BigInt(f[at] >>> 0),
    };
  }

  function tag(register: number): number {
    if ((f[EMPTY] & (1 << register)) !== 0) return 3;
    switch (classOf(value(register))) {
      case CLASS.NORMAL: return 0;
      case CLASS.ZERO: return 1;
      default: return 2;
    }
  }

  /** Recomputes ES and B; `before` is what ES was. */
  function updateError(before: number): void {
    const pending = f[SW] & ~f[CW] & 0x3f;
    f[SW] = pending !== 0 ? f[SW] | STATUS.ES | STATUS.B : f[SW] & ~(STATUS.ES | STATUS.B);
    if ((f[SW] & STATUS.ES) !== before) errorChanged(pending !== 0);
  }

  const registers: Registers = {
    words: f,
    get: (i) => value(physical(i)),
    set(i, { sign, exp, sig }) {
      const register = physical(i);
      const at = register * 4;
      f[at] = Number(sig & 0xffffffffn);
      f[at + 1] = Number(sig >> 32n);
      f[at + 2] = (sign << 15) | exp;
      f[EMPTY] &= ~(1 << register);
    },
    isEmpty: (i) => (f[EMPTY] & (1 << physical(i))) !== 0,
    free(i) {
      f[EMPTY] |= 1 << physical(i);
    },
    push(newTop) {
      f[TOP] = (f[TOP] - 1) & 7;
      registers.set(0, newTop);
    },
    pop() {
      registers.free(0);
      f[TOP] = (f[TOP] + 1) & 7;
    },
    rotate(by) {
      f[TOP] = (f[TOP] + by) & 7;
    },
    statusWord: () => f[SW] | (f[TOP] << TOP_SHIFT),
    controlWord: () => f[CW],
    tagWord() {
      let word = 0;
      for (let register = 7; register >= 0; register--) word = (word << 2) | tag(register);
      return word;
    },
    setStatus(word) {
      const before = f[SW] & STATUS.ES;
      f[SW] = word & STATUS_WITHOUT_TOP;
      f[TOP] = (word >>> TOP_SHIFT) & 7;
      updateError(before);
    },
    setControl(word) {
      f[CW] = (word & CONTROL_BITS) | CONTROL_ONE;
      updateError(f[SW] & STATUS.ES);
    },
    setTags(word) {
      let empty = 0;
      for (let register = 0; register < 8; register++) {
        if (((word >>> (register * 2)) & 3) === 3) empty |= 1 << register;
      }
      f[EMPTY] = empty;
    },
    initialise() {
      const before = f[SW] & STATUS.ES;
      initialiseWords(f);
      if (before !== 0) errorChanged(false);
    },
    read: () => ({
      CW: f[CW], SW: registers.statusWord(), TW: registers.tagWord(),
      FIP: f[FIP] >>> 0, FCS: f[FCS], FOP: f[FOP], FDP: f[FDP] >>> 0, FDS: f[FDS],
      ST: Array.from({ length: 8 }, (_, i) => {
        const { sign, exp, sig } = registers.get(i);
        return { signExponent: (sign << 15) | exp, significand: sig };
      }),
    }),
    write(from) {
      registers.setControl(from.CW);
      registers.setStatus(from.SW);
      from.ST.forEach(({ signExponent, significand }, i) =>
        registers.set(i, { sign: (signExponent >>> 15) & 1, exp: signExponent & 0x7fff, sig: significand }));
      registers.setTags(from.TW);
      [f[FIP], f[FCS], f[FOP], f[FDP], f[FDS]] = [from.FIP, from.FCS, from.FOP, from.FDP, from.FDS];
    },
  };
  return registers;
}
