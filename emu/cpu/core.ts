// The parts of one processor, as the families of instructions see them.
import type { Penalties } from "./clocks.js";
import type { Counters, CpuConfig } from "./interface.js";
import type { Faults } from "./faults.js";
import type { Flags } from "./flags.js";
import type { Memory } from "./memory.js";
import type { Mmu } from "./mmu.js";
import type { Segments } from "./segments.js";
import type { Stack } from "./stack.js";
import type { State } from "./state.js";

export interface Core {
  readonly config: CpuConfig;
  readonly state: State;
  readonly faults: Faults;
  readonly flags: Flags;
  readonly mmu: Mmu;
  readonly memory: Memory;
  readonly segments: Segments;
  readonly stack: Stack;
  readonly counters: Counters;
  readonly penalties: Penalties;
  /** Clocks since reset. */
  cycles(): number;
  /** Ends the slice, so that the run loop looks at events after this instruction. */
  attend(): void;
  /** STI, POP SS or MOV SS: no interrupt before the instruction after the next boundary; for SS no debug trap either. */
  shadowInterrupts(stack: boolean): void;
  /** Before an access to ports: breakpoints on them. */
  portAccessed(port: number, size: number): void;
  /** DR0 to DR7 have changed. */
  debugChanged(): void;
}
