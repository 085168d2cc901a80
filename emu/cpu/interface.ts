// The processor as the machine sees it: the types of its configuration and methods.

import type { Model } from "./opcodes/types.js";

export type { Model } from "./opcodes/types.js";

/** Ports of the machine. Sizes are in bytes; a value has no more bits than its size. */
export interface IoBus {
  read(port: number, size: 1 | 2 | 4): number;
  write(port: number, size: 1 | 2 | 4, value: number): void;
}

/** The interrupt controller at the INTR pin. */
export interface InterruptController {
  /** True while an unmasked request waits. */
  pending(): boolean;
  /** The interrupt-acknowledge cycle: the vector of the request with the highest priority. */
  acknowledge(): number;
}

/** The registers of the coprocessor, by the names of the SDM. */
export interface CoprocessorState {
  CW: number;
  /** With TOP in bits 11 to 13. */
  SW: number;
  /** Two bits for each physical register; only 3 (empty) counts when it is set. */
  TW: number;
  FIP: number;
  FCS: number;
  FOP: number;
  FDP: number;
  FDS: number;
  /** ST(0) to ST(7): sign and biased exponent in 16 bits, significand in 64. */
  ST: { signExponent: number; significand: bigint }[];
}

/** The wires between the coprocessor and the board. */
export interface CoprocessorLines {
  /** ERROR# or FERR#: an unmasked exception waits and CR0.NE does not turn it into #MF. */
  error(asserted: boolean): void;
  /** IGNNE#: the board has taken note of the error; instructions go on in spite of it. */
  ignored(): boolean;
}

export interface CpuConfig {
  readonly model: Model;
  /** `model`: clocks and TLB of the model. `none`: one clock an instruction and a large TLB. */
  readonly timing: "model" | "none";
  /** Clocks that each bus cycle for data takes beyond the manual's; 0 when left out. */
  readonly waitStates?: number;
  /** At least memoryPagesFor(ramSize) pages; RAM is at offset 0. */
  readonly memory: WebAssembly.Memory;
  readonly ramSize: number;
  readonly io: IoBus;
  readonly interruptController: InterruptController;
  /** The 387 beside an i386, the unit within an i486DX; left out, nobody answers escapes. */
  readonly coprocessor?: CoprocessorLines;
}

/** Memory outside RAM. Sizes are 1, 2 and 4 bytes. */
export interface PhysicalSpace {
  read(address: number, size: number): number;
  write(address: number, size: number, value: number): void;
}

/** Why `run` returned. */
export type StopReason =
  /** The cycle asked for is reached (or passed by the last instructions). */
  | { readonly kind: "deadline" }
  /** HLT: nothing happens before an interrupt; the machine may advance `cycles` to its next event. */
  | { readonly kind: "halt" }
  /** requestStop was called. */
  | { readonly kind: "stop"; readonly reason: string }
  /** A breakpoint callback asked to stop before the instruction at `address`. */
  | { readonly kind: "breakpoint"; readonly address: number }
  /** A triple fault or something this processor cannot do; `report` is for a person. */
  | { readonly kind: "shutdown"; readonly report: string };

/** Called before the instruction at a breakpoint executes; true stops the run there. */
export type BreakpointCallback = (address: number) => boolean | void;

/** A segment register with its hidden part. `attributes`: bits 8..15 and 20..23 of the descriptor's second word. */
export interface SegmentRegister {
  readonly selector: number;
  readonly base: number;
  /** In bytes, inclusive. */
  readonly limit: number;
  readonly attributes: number;
}

/** GDTR or IDTR. */
export interface DescriptorTable {
  readonly base: number;
  /** In bytes, inclusive. */
  readonly limit: number;
}

/** Events counted since reset; all are exact. */
export interface Counters {
  tlbMissesRead: number;
  tlbMissesWrite: number;
  tlbMissesFetch: number;
  /** Walks of the page tables: misses, and first writes to pages held clean in the TLB. */
  pageWalks: number;
  /** Accessed and dirty bits written by walks. */
  accessedDirtyWrites: number;
  tlbFlushes: number;
  invlpg: number;
  cr3Loads: number;
  /** Page faults by error code 0 to 7. */
  pageFaults: number[];
  /** Exceptions by vector, page faults included. */
  exceptions: number[];
  interrupts: number;
  softwareInterrupts: number;
  ringCrossings: number;
  taskSwitches: number;
}

/** The methods and fields other parts use; class Cpu implements them. */
export interface CpuInterface {
  /** Clocks since reset, exact at any moment, also inside a port access. May be set while not running. */
  cycles: number;
  /** Instructions completed since reset; a repeated string instruction counts once. */
  readonly instructions: number;
  readonly counters: Counters;
  /** EAX ECX EDX EBX ESP EBP ESI EDI. */
  readonly registers: Int32Array;
  /** Unsigned. Setting it also ends a HLT. */
  eip: number;
  eflags: number;
  cr0: number;
  cr2: number;
  cr3: number;
  /** Reads as 0 on models that have none; setting it there does nothing. */
  cr4: number;
  readonly cpl: number;
  readonly halted: boolean;
  /** Segments in encoding order ES CS SS DS FS GS, then 6 LDTR, 7 TR. */
  getSegment(index: number): SegmentRegister;
  setSegment(index: number, segment: SegmentRegister): void;
  /** The coprocessor's registers; undefined on a machine without one, where setting them does nothing. */
  getCoprocessor(): CoprocessorState | undefined;
  setCoprocessor(state: CoprocessorState): void;
  readonly gdtr: DescriptorTable;
  readonly idtr: DescriptorTable;
  setGdtr(base: number, limit: number): void;
  setIdtr(base: number, limit: number): void;
  /** DR0 to DR3, DR6, DR7; DR4 and DR5 are DR6 and DR7. */
  getDebugRegister(number: number): number;
  setDebugRegister(number: number, value: number): void;
  /** Flat 32-bit protected mode at ring 0, paging off, interrupts off: the state of a Multiboot entry at `eip`. */
  resetFlat(eip: number): void;
  /** The state after the reset line: real mode at F000:FFF0 with the code segment at FFFF0000. */
  reset(): void;
  /** Runs until the cycle count reaches `untilCycle` or something stops it. */
  run(untilCycle: number): StopReason;
  /** Executes one instruction (or delivers one interrupt), then returns. */
  step(): StopReason;
  /** The controller may have a request: look at it at the next instruction boundary. */
  requestInterruptCheck(): void;
  /** Makes `run` return at the next instruction boundary. */
  requestStop(reason: string): void;
  /** A breakpoint by linear address; costs nothing elsewhere. One callback an address. */
  setBreakpoint(address: number, callback: BreakpointCallback): void;
  clearBreakpoint(address: number): void;
  /** Physical address of a linear one by the page tables in memory, without side effects; -1 when not present. */
  translate(linear: number): number;
  /** Reads linear memory without side effects; null when a page of it is not present. */
  readLinear(linear: number, length: number): Uint8Array | null;
  /** Writes linear memory as a debugger does, ignoring write protection; false when a page is not present. */
  writeLinear(linear: number, bytes: Uint8Array): boolean;
  /** What answers physical addresses outside RAM. */
  setPhysicalSpace(space: PhysicalSpace): void;
  /** RAM was changed by something other than the processor: decoded code of that range is dropped. */
  ramChanged(physical: number, length: number): void;
}
