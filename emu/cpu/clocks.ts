// Clocks of a model: what instruction rows cost, and the costs that belong to
// no instruction. Figures of the Intel manuals are exact in the sense of those
// manuals (operands aligned, no wait states, instructions prefetched). What no
// manual prints is an estimate and marked so here:
//
//   page walk, i386     6 states of the walker + 2 clocks for each table read
//                       (10 for a walk), + 4 for each entry whose accessed or
//                       dirty bit is written (locked cycle): 10, 14 or 18
//   page walk, i486     13 + 8, + 15 with one and two entries written: 13, 21, 28
//   misalignment        i386 + 4 for an access that crosses a doubleword; i486 + 3
//   exceptions and hardware interrupts cost what INT n costs on the same path
//   three-term address (base + index + displacement), i386 + 1
//   index register, i486 + 1; each prefix, i486 + 1
// An instruction that faults costs nothing itself: only its page walks and the
// exception are charged, and its clocks when it is restarted.
import type { Instruction } from "./decode.js";
import type { ClockRule, Clocks, Model } from "./opcodes.js";
import { ZERO } from "./state.js";

/** A task by its state segment: 32-bit, 16-bit, or 32-bit in virtual-8086 mode. */
export type TaskKind = "wide" | "narrow" | "virtual";

type SwitchTable = { readonly [from in TaskKind]: { readonly [to in TaskKind]: number } };

/** The tables of task switches of the i386 manual; CALL and JMP from virtual-8086 mode are not possible. */
const SWITCH_386: { readonly [cause: string]: SwitchTable } = {
  call: { wide: { wide: 300, virtual: 217, narrow: 273 }, narrow: { wide: 298, virtual: 217, narrow: 273 },
    virtual: { wide: 300, virtual: 217, narrow: 273 } },
  jmp: { wide: { wide: 303, virtual: 220, narrow: 276 }, narrow: { wide: 301, virtual: 218, narrow: 274 },
    virtual: { wide: 303, virtual: 220, narrow: 276 } },
  int: { wide: { wide: 309, virtual: 226, narrow: 282 }, narrow: { wide: 307, virtual: 224, narrow: 280 },
    virtual: { wide: 314, virtual: 231, narrow: 287 } },
  iret: { wide: { wide: 275, virtual: 224, narrow: 271 }, narrow: { wide: 265, virtual: 214, narrow: 232 },
    virtual: { wide: 275, virtual: 224, narrow: 271 } },
};
const GATE_386 = 9;
const SWITCH_PENTIUM = { wide: 85, virtual: 71, narrow: 87 } as const;
const SWITCH_486 = { wide: 162, virtual: 140, narrow: 143 } as const;

/** What of the configuration decides how long things take. */
export interface TimingConfig {
  readonly model: Model;
  readonly timing: "model" | "none";
  /** Clocks that each bus cycle for data takes beyond the manual's; instructions count as prefetched. */
  readonly waitStates?: number;
}

export interface Penalties {
  /** Walk that reads both tables, by the number of entries written (0 to 2). */
  readonly pageWalk: readonly [number, number, number];
  /** Walk that ends at an absent directory entry. */
  readonly shortWalk: number;
  readonly misaligned: number;
  /** Of each bus cycle for data; those of page walks and misalignment are in the other figures. */
  readonly waitStates: number;
  /** Exception or interrupt by path; for a task gate what is added to the switch. */
  readonly exception: { readonly same: number; readonly inner: number; readonly real: number;
    readonly fromVirtual: number; readonly task: number };
  /** Task switch proper: the opcode's part is in the rows. */
  taskSwitch(cause: "call" | "jmp" | "int" | "iret", from: TaskKind, to: TaskKind, throughGate: boolean): number;
  /** What writing another control register than CR3, reading or writing DR6/DR7 adds to the row. */
  readonly writeCr0: number;
  readonly writeCr2: number;
  readonly readDr6: number;
  readonly writeDr6: number;
}

const I386: Penalties = {
  pageWalk: [10, 14, 18],
  shortWalk: 8,
  misaligned: 4,
  waitStates: 0,
  exception: { same: 59, inner: 99, real: 37, fromVirtual: 119, task: 0 },
  // The table of INT holds the gate.
  taskSwitch: (cause, from, to, throughGate) =>
    SWITCH_386[cause][from][to] + (throughGate && cause !== "int" ? GATE_386 : 0),
  writeCr0: 5,
  writeCr2: -1,
  readDr6: -8,
  writeDr6: -6,
};

const I486: Penalties = {
  pageWalk: [13, 21, 28],
  shortWalk: 13,
  misaligned: 3,
  waitStates: 0,
  exception: { same: 44, inner: 71, real: 26, fromVirtual: 82, task: 37 },
  taskSwitch: (_cause, _from, to) => SWITCH_486[to],
  writeCr0: 13,
  writeCr2: 0,
  readDr6: 0,
  writeDr6: 0,
};

/** What the tables give of the Pentium; the walks are the i486's (estimate). */
const PENTIUM: Penalties = {
  ...I486,
  exception: { same: 31, inner: 48, real: 16, fromVirtual: 60, task: 0 },
  // Published for switches through a task gate, taken for all.
  taskSwitch: (_cause, _from, to) => SWITCH_PENTIUM[to],
  writeCr0: 10,
};

const NONE: Penalties = {
  pageWalk: [0, 0, 0],
  shortWalk: 0,
  misaligned: 0,
  waitStates: 0,
  // A handler whose first instruction faults must still come to the end of its time.
  exception: { same: 1, inner: 1, real: 1, fromVirtual: 1, task: 1 },
  taskSwitch: () => 0,
  writeCr0: 0,
  writeCr2: 0,
  readDr6: 0,
  writeDr6: 0,
};

const PENALTIES: { readonly [model in Model]: Penalties } = { i386: I386, i486: I486, pentium: PENTIUM, i686: PENTIUM };

/** Clocks outside the opcode table; all zero without timing. */
export function penaltiesOf({ model, timing, waitStates = 0 }: TimingConfig): Penalties {
  if (timing === "none") return NONE;
  const plain = PENALTIES[model];
  if (waitStates === 0) return plain;
  // A walk reads two words; setting a bit reads and writes one in a locked cycle.
  const [clean, one, two] = plain.pageWalk;
  return {
    ...plain,
    waitStates,
    pageWalk: [clean + 2 * waitStates, one + 4 * waitStates, two + 6 * waitStates],
    shortWalk: plain.shortWalk + waitStates,
  };
}

const ONE_CLOCK: Clocks = { rule: "fixed", register: 1, memory: 1, plusM: false, parameters: [] };

/** The cell of an instruction's row for a model, by operand size and REP. Without timing: one clock. */
export function clocksOf(instruction: Instruction, model: Model, timing: "model" | "none"): Clocks {
  const { row } = instruction;
  if (timing === "none" || row === null) return ONE_CLOCK;
  if (instruction.repeat !== 0 && row.clocksRepeat[model] !== undefined) return row.clocksRepeat[model];
  if (instruction.operandSize === 2 && row.clocks16[model] !== undefined) return row.clocks16[model];
  return row.clocks[model] ?? ONE_CLOCK;
}

/** Rules whose register and memory figures are charged before the instruction runs. */
const STATIC_RULES: readonly ClockRule[] = ["fixed", "transfer", "branch", "exchange"];

/** Clocks known when an instruction is decoded; the rest is for `charge`. */
export function staticClocks(instruction: Instruction, cell: Clocks, model: Model, timing: "model" | "none"): number {
  if (timing === "none") return 1;
  const base = STATIC_RULES.includes(cell.rule) ? (instruction.memory ? cell.memory : cell.register) : 0;
  return base + addressClocks(instruction, model) + (model === "i486" ? chargedPrefixes(instruction, cell) : 0);
}

/** The REP prefix is part of the figures of the repeated forms. */
function chargedPrefixes(instruction: Instruction, { rule }: Clocks): number {
  return instruction.prefixes - (rule === "repeat" || rule === "repeatIo" ? 1 : 0);
}

/** What the form of the address adds. */
function addressClocks(instruction: Instruction, model: Model): number {
  if (!instruction.memory || instruction.index === ZERO) return 0;
  if (model !== "i386") return model === "i486" ? 1 : 0;
  return instruction.base !== ZERO && instruction.disp !== 0 ? 1 : 0;
}

/**
 * Clocks that depend on what the instruction meets when it runs, given what
 * the rule asks for:
 *   branch 0; multiply the multiplier as a signed number; scan the bits skipped, scan…486 the source;
 *   repeat the iterations; io, repeatIo: see ioClocks; enter the level; condition 1 or 0;
 *   exchange 1 when equal; limit 1 when page granular; invalidate 1 on a hit
 */
export type Charge = (cell: Clocks, memory: boolean, value: number) => number;

const free: Charge = () => 0;

function log2Up(value: number): number {
  const magnitude = value < 0 ? -value : value;
  return magnitude <= 1 ? 0 : 32 - Math.clz32(magnitude - 1);
}

const CHARGES: { readonly [rule in ClockRule]?: Charge } = {
  branch: ({ parameters, register }) => parameters[0] - register,
  multiply({ parameters }, memory, multiplier) {
    const [base, least, zero, extra] = parameters;
    return (multiplier === 0 ? zero : base + Math.max(log2Up(multiplier), least)) + (memory ? extra : 0);
  },
  scan: ({ register, parameters }, _memory, skipped) => register + parameters[0] * skipped,
  scanForward486({ register, memory }, isMemory, source) {
    const extra = isMemory ? memory - register : 0;
    if (source === 0) return register + extra;
    const bit = 31 - Math.clz32(source & -source);
    return 8 + 4 * ((bit >>> 3) + 1) + 3 * (((bit >>> 2) & 1) + 1) + 3 * ((bit & 3) + 1) + extra;
  },
  scanReverse486({ register, memory }, isMemory, source) {
    const extra = isMemory ? memory - register : 0;
    return (source === 0 ? register : 7 + 3 * (32 - (31 - Math.clz32(source)))) + extra;
  },
  repeat({ parameters }, _memory, iterations) {
    const [none, one, base, each] = parameters;
    return iterations === 0 ? none : iterations === 1 ? one : base + each * iterations;
  },
  enter({ parameters }, _memory, level) {
    return level < 2 ? parameters[level] : parameters[2] + parameters[3] * (level - 1);
  },
  condition: ({ parameters }, memory, holds) => parameters[(memory ? 2 : 0) + (holds !== 0 ? 0 : 1)],
  exchange: ({ memory, parameters }, isMemory, equal) => (isMemory && equal === 0 ? parameters[0] - memory : 0),
  limit: ({ register, memory, parameters }, isMemory, pages) =>
    (isMemory ? memory : register) + (pages !== 0 ? parameters[0] : 0),
  invalidate: ({ register, parameters }, _memory, hit) => (hit !== 0 ? register : parameters[0]),
};

/** The function for a cell's rule; one that charges nothing where all clocks are static. */
export function chargeOf(cell: Clocks): Charge {
  return CHARGES[cell.rule] ?? free;
}
