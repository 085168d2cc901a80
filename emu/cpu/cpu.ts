// The processor: its run loop, and what the machine and its debuggers do to it.
//
// The loop executes blocks of predecoded instructions. Between blocks it counts
// clocks and instructions, and when the slice of clocks is used up it leaves to
// `boundary`, where interrupts are taken and deadlines noticed, but only after
// an instruction that `ends` (a transfer, or one that may change what is
// pending). Where blocks end for other reasons, a page end, a breakpoint,
// a write to code, an evicted page, nothing is looked at. So the places of
// interrupts depend on the guest alone.
import { createBlockCache, Block } from "./blocks.js";
import type { BlockCache } from "./blocks.js";
import { penaltiesOf } from "./clocks.js";
import type { Core } from "./core.js";
import { BREAK, FAULT, SHUTDOWN, createFaults } from "./faults.js";
import type { Faults } from "./faults.js";
import type { DebugRegisters } from "./debug.js";
import { createDebug, debugWord } from "./debug.js";
import { createFlags } from "./flags.js";
import { createRegisters, resetCoprocessor } from "./fpu/registers.js";
import type { Registers } from "./fpu/registers.js";
import type { Flags } from "./flags.js";
import type {
  BreakpointCallback, CoprocessorState, Counters, CpuConfig, CpuInterface, DescriptorTable, PhysicalSpace,
  SegmentRegister, StopReason,
} from "./interface.js";
import { createInterrupts } from "./interrupts.js";
import type { Interrupts } from "./interrupts.js";
import { createMemory } from "./memory.js";
import { createMmu } from "./mmu.js";
import { factsOf } from "./models.js";
import type { Mmu } from "./mmu.js";
import { createSegments } from "./segments.js";
import type { Segments } from "./segments.js";
import { createStack } from "./stack.js";
import {
  ATTRIBUTES, BASE, BUDGET, COUNT, CPL, CR0, CR0_BIT, CR2, CR3, CR4, CS, DEBUG_PENDING, DECODE_KEY, DR0, DR6, DR6_BIT,
  DR7, DS, EDX, EFLAGS, EIP, ES,
  FAULT_ERROR, FAULT_VECTOR, FETCH_PAGE, FLAG, FS, GDT_BASE, GDT_LIMIT, GS, HALTED, IDT_BASE, IDT_LIMIT, INSTRUCTIONS,
  INTERRUPT_REQUEST, LDTR, LIMIT, MODE, POSITION, REPEAT_RESUMED, SELECTOR, SS, SYSENTER_CS, TAKEN, TR, createState,
  segmentWord,
} from "./state.js";
import type { State } from "./state.js";
import { createTranslate } from "./translate.js";

export type * from "./interface.js";

/** Longest slice of clocks between two looks at the world. */
const LONGEST_SLICE = 0x40000000;

/** Attributes of the flat segments of a Multiboot entry. */
const FLAT_CODE = 0x00c09b00;
const FLAT_DATA = 0x00c09300;
const BUSY_TSS = 0x00008b00;

function newCounters(): Counters {
  return {
    tlbMissesRead: 0, tlbMissesWrite: 0, tlbMissesFetch: 0, pageWalks: 0, accessedDirtyWrites: 0, tlbFlushes: 0,
    invlpg: 0, cr3Loads: 0, pageFaults: new Array<number>(8).fill(0), exceptions: new Array<number>(32).fill(0),
    interrupts: 0, softwareInterrupts: 0, ringCrossings: 0, taskSwitches: 0,
  };
}

export class Cpu implements CpuInterface {
  readonly config: CpuConfig;
  readonly counters: Counters = newCounters();
  readonly registers: Int32Array;
  readonly state: State;
  readonly mmu: Mmu;
  readonly #faults: Faults;
  readonly #flags: Flags;
  readonly #segments: Segments;
  readonly #interrupts: Interrupts;
  readonly #cache: BlockCache;
  readonly #coprocessor: Registers;
  readonly #debug: DebugRegisters;
  /** Cycle count at which the budget is zero. */
  #target = 0;
  /** Instructions folded out of S[INSTRUCTIONS]. */
  #instructions = 0;
  /** Instruction count at which interrupts are held back. */
  #shadowAt = -1;
  /** Instruction count at which debug traps are held back too. */
  #trapShadowAt = -1;
  #stop: string | null = null;
  /** Set by a shutdown; nothing runs any more. */
  #dead: StopReason | null = null;
  /** The last executed block; its instruction at S[POSITION] is executing when that is not negative. */
  #block = new Block();
  /** Events may be looked at. */
  #atBoundary = true;

  constructor(config: CpuConfig) {
    this.config = config;
    this.state = createState(config.memory, config.ramSize);
    this.registers = this.state.regs.subarray(0, 8);
    this.#faults = createFaults(this.state);
    this.#flags = createFlags(this.state);
    this.#coprocessor = createRegisters(this.state, config.coprocessor);
    this.mmu = createMmu(config, this.state, this.#faults, this.counters);
    const memory = createMemory(config, this.state, this.mmu, this.#faults);
    this.#segments = createSegments(this.state, this.#faults, memory);
    const debug = createDebug(this.state, this.mmu, () => this.#attend());
    this.#debug = debug;
    memory.accessed = debug.access;
    const core: Core = {
      config,
      state: this.state,
      faults: this.#faults,
      flags: this.#flags,
      mmu: this.mmu,
      memory,
      segments: this.#segments,
      stack: createStack(this.state, memory, this.#segments),
      counters: this.counters,
      penalties: penaltiesOf(config),
      cycles: () => this.cycles,
      attend: () => this.#attend(),
      shadowInterrupts: (stack) => {
        this.#shadowAt = this.instructions + 1;
        if (stack) this.#trapShadowAt = this.#shadowAt;
      },
      portAccessed: debug.portAccess,
      debugChanged: () => {
        if (debug.update()) this.#cache.invalidateAll();
      },
    };
    this.#interrupts = createInterrupts(core);
    this.#cache = createBlockCache(core, createTranslate(core, this.#interrupts), debug);
    this.state.S[POSITION] = -1;
    this.resetFlat(0);
  }

  get cycles(): number {
    const { S } = this.state;
    const position = S[POSITION];
    return this.#target - S[BUDGET] + (position < 0 ? 0 : this.#block.ops[position].before);
  }

  set cycles(value: number) {
    this.#target = value;
    this.state.S[BUDGET] = 0;
  }

  get instructions(): number {
    const { S } = this.state;
    return this.#instructions + S[INSTRUCTIONS] + Math.max(0, S[POSITION]);
  }

  get eip(): number {
    const { S } = this.state;
    const position = S[POSITION];
    return (position < 0 ? S[EIP] : this.#block.ops[position].eip) >>> 0;
  }

  set eip(value: number) {
    const { S } = this.state;
    S[EIP] = value;
    S[REPEAT_RESUMED] = 0;
    S[HALTED] = 0;
    this.#cache.resumeAt = -1;
  }

  get eflags(): number {
    return this.#flags.read();
  }

  set eflags(value: number) {
    this.#flags.write(value);
    this.#attend();
  }

  get cr0(): number {
    return this.state.S[CR0] >>> 0;
  }

  set cr0(value: number) {
    this.state.S[CR0] = value;
    this.mmu.pagingChanged();
  }

  get cr2(): number {
    return this.state.S[CR2] >>> 0;
  }

  set cr2(value: number) {
    this.state.S[CR2] = value;
  }

  get cr3(): number {
    return this.state.S[CR3] >>> 0;
  }

  set cr3(value: number) {
    this.state.S[CR3] = value;
    this.mmu.flush(true);
  }

  get cr4(): number {
    return this.state.S[CR4];
  }

  set cr4(value: number) {
    this.state.S[CR4] = value & Math.max(0, factsOf(this.config.model).cr4);
    this.mmu.flush(true);
  }

  get cpl(): number {
    return this.state.S[CPL];
  }

  get halted(): boolean {
    return this.state.S[HALTED] !== 0;
  }

  getSegment(index: number): SegmentRegister {
    const { S } = this.state;
    return {
      selector: S[segmentWord(index, SELECTOR)],
      base: S[segmentWord(index, BASE)] >>> 0,
      limit: S[segmentWord(index, LIMIT)] >>> 0,
      attributes: S[segmentWord(index, ATTRIBUTES)],
    };
  }

  setSegment(index: number, segment: SegmentRegister): void {
    const { S } = this.state;
    S[segmentWord(index, SELECTOR)] = segment.selector;
    S[segmentWord(index, BASE)] = segment.base;
    S[segmentWord(index, LIMIT)] = segment.limit;
    S[segmentWord(index, ATTRIBUTES)] = segment.attributes;
    if (index === CS) this.#segments.setPrivilege(segment.selector & 3);
    this.#segments.updateKey();
  }

  getCoprocessor(): CoprocessorState | undefined {
    return this.config.coprocessor === undefined ? undefined : this.#coprocessor.read();
  }

  setCoprocessor(state: CoprocessorState): void {
    if (this.config.coprocessor !== undefined) this.#coprocessor.write(state);
  }

  get gdtr(): DescriptorTable {
    const { S } = this.state;
    return { base: S[GDT_BASE] >>> 0, limit: S[GDT_LIMIT] };
  }

  get idtr(): DescriptorTable {
    const { S } = this.state;
    return { base: S[IDT_BASE] >>> 0, limit: S[IDT_LIMIT] };
  }

  setGdtr(base: number, limit: number): void {
    this.state.S[GDT_BASE] = base;
    this.state.S[GDT_LIMIT] = limit;
  }

  setIdtr(base: number, limit: number): void {
    this.state.S[IDT_BASE] = base;
    this.state.S[IDT_LIMIT] = limit;
  }

  getDebugRegister(number: number): number {
    return this.state.S[debugWord(number)] >>> 0;
  }

  setDebugRegister(number: number, value: number): void {
    this.state.S[debugWord(number)] = value;
    if (this.#debug.update()) this.#cache.invalidateAll();
  }

  resetFlat(eip: number): void {
    this.registers.fill(0);
    this.#flags.write(0);
    this.#clear(CR0_BIT.PE);
    this.setSegment(CS, { selector: 8, base: 0, limit: 0xffffffff, attributes: FLAT_CODE });
    for (const segment of [ES, SS, DS, FS, GS]) {
      this.setSegment(segment, { selector: 0x10, base: 0, limit: 0xffffffff, attributes: FLAT_DATA });
    }
    this.setSegment(LDTR, { selector: 0, base: 0, limit: 0, attributes: 0 });
    this.setSegment(TR, { selector: 0, base: 0, limit: 0xffff, attributes: BUSY_TSS });
    this.setGdtr(0, 0);
    this.setIdtr(0, 0);
    this.eip = eip;
  }

  reset(): void {
    const { signature, extendedCr0 } = factsOf(this.config.model);
    this.registers.fill(0);
    this.registers[EDX] = signature;
    this.#flags.write(0);
    this.#clear(extendedCr0 ? CR0_BIT.CD | CR0_BIT.NW : 0);
    const real = { limit: 0xffff, attributes: 0x9300 };
    this.setSegment(CS, { ...real, selector: 0xf000, base: 0xffff0000 });
    for (const segment of [ES, SS, DS, FS, GS]) this.setSegment(segment, { ...real, selector: 0, base: 0 });
    this.setSegment(LDTR, { selector: 0, base: 0, limit: 0xffff, attributes: 0x8200 });
    this.setSegment(TR, { selector: 0, base: 0, limit: 0xffff, attributes: BUSY_TSS });
    this.#segments.setPrivilege(0);
    this.setGdtr(0, 0xffff);
    this.setIdtr(0, 0x3ff);
    this.eip = 0xfff0;
  }

  /** What both kinds of reset do to the control and debug registers. */
  #clear(cr0: number): void {
    const { S } = this.state;
    const hasET = factsOf(this.config.model).extendedCr0 || this.config.coprocessor !== undefined;
    S[CR0] = cr0 | (hasET ? CR0_BIT.ET : 0);
    resetCoprocessor(this.state);
    for (const word of [CR2, CR3, CR4, HALTED, TAKEN, DEBUG_PENDING, DR7, SYSENTER_CS]) S[word] = 0;
    for (let i = 0; i < 4; i++) S[DR0 + i] = 0;
    S[DR6] = 0;
    this.#debug.update();
    this.#dead = null;
    this.mmu.pagingChanged();
    this.#cache.invalidateAll();
  }

  requestInterruptCheck(): void {
    const { S } = this.state;
    S[INTERRUPT_REQUEST] = 1;
    if ((S[EFLAGS] & FLAG.IF) !== 0) this.#attend();
  }

  requestStop(reason: string): void {
    this.#stop = reason;
    this.#attend();
  }

  setBreakpoint(address: number, callback: BreakpointCallback): void {
    this.#cache.breakpoints.set(address >>> 0, callback);
    this.#cache.invalidateAll();
  }

  clearBreakpoint(address: number): void {
    this.#cache.breakpoints.delete(address >>> 0);
    this.#cache.invalidateAll();
  }

  translate(linear: number): number {
    return this.mmu.peek(linear | 0);
  }

  readLinear(linear: number, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    const { mem8, ramSize } = this.state;
    for (let i = 0; i < length; i++) {
      const physical = this.mmu.peek((linear + i) | 0);
      if (physical === -1) return null;
      bytes[i] = physical >>> 0 < ramSize ? mem8[physical >>> 0] : 0xff;
    }
    return bytes;
  }

  writeLinear(linear: number, bytes: Uint8Array): boolean {
    const { mem8, ramSize } = this.state;
    const addresses = Array.from(bytes, (_, i) => this.mmu.peek((linear + i) | 0));
    if (addresses.includes(-1)) return false;
    bytes.forEach((byte, i) => {
      const physical = addresses[i] >>> 0;
      if (physical >= ramSize) return;
      mem8[physical] = byte;
      this.#cache.invalidate(physical, 1);
    });
    return true;
  }

  setPhysicalSpace(space: PhysicalSpace): void {
    this.mmu.space = space;
    this.#cache.invalidateAll();
  }

  ramChanged(physical: number, length: number): void {
    this.#cache.invalidate(physical, Math.min(length, this.state.ramSize - physical));
  }

  run(untilCycle: number): StopReason {
    for (;;) {
      const reason = this.#boundary(untilCycle);
      if (reason !== null) return reason;
      this.#beginSlice(untilCycle);
      const stopped = this.#guarded(this.#oneOnly() ? () => this.#single() : () => this.#loop());
      if (stopped !== null) return stopped;
    }
  }

  step(): StopReason {
    const interrupts = this.counters.interrupts;
    const reason = this.#boundary(Infinity);
    if (reason !== null) return reason;
    if (this.counters.interrupts === interrupts) {
      this.#beginSlice(this.cycles + LONGEST_SLICE);
      this.#cache.resumeAt = this.#linearEip();
      const stopped = this.#guarded(() => this.#single());
      this.#cache.resumeAt = -1;
      if (stopped !== null) return stopped;
    }
    this.#fold();
    return { kind: "deadline" };
  }

  #linearEip(): number {
    return (this.#segments.codeSegment().base + this.state.S[EIP]) >>> 0;
  }

  /** Ends the slice without changing the cycle count. */
  #attend(): void {
    const { S } = this.state;
    this.#target -= S[BUDGET];
    S[BUDGET] = 0;
  }

  #fold(): void {
    const { S } = this.state;
    this.#instructions += S[INSTRUCTIONS];
    S[INSTRUCTIONS] = 0;
  }

  #beginSlice(untilCycle: number): void {
    const now = this.cycles;
    const slice = Math.max(0, Math.min(untilCycle - now, LONGEST_SLICE));
    this.#target = now + slice;
    this.state.S[BUDGET] = slice;
    if (this.#stop !== null || this.#interruptDue() || this.#oneOnly()) this.#attend();
  }

  #interruptDue(): boolean {
    const { S } = this.state;
    return S[INTERRUPT_REQUEST] !== 0 && (S[EFLAGS] & FLAG.IF) !== 0;
  }

  /** A trap after each instruction, or an interrupt right after the next one: no blocks. */
  #oneOnly(): boolean {
    const { S } = this.state;
    if ((S[EFLAGS] & (FLAG.TF | FLAG.RF)) !== 0 || S[DEBUG_PENDING] !== 0) return true;
    return this.#interruptDue() && this.#shadowAt === this.instructions;
  }

  /** Between instructions: stops, interrupts, deadline. null: go on. */
  #boundary(untilCycle: number): StopReason | null {
    const { S } = this.state;
    if (this.#dead !== null) return this.#dead;
    this.#fold();
    if (S[DEBUG_PENDING] !== 0 && this.#trapShadowAt !== this.instructions) {
      this.#atBoundary = true;
      const bits = S[DEBUG_PENDING];
      S[DEBUG_PENDING] = 0;
      const stopped = this.#guarded(() => this.#interrupts.debugTrap(bits));
      if (stopped !== null) return stopped;
    }
    if (!this.#atBoundary) return null;
    if (this.#stop !== null) {
      const reason = this.#stop;
      this.#stop = null;
      return { kind: "stop", reason };
    }
    const interrupted = this.#takeInterrupt();
    if (interrupted !== null) return interrupted;
    if (S[HALTED] !== 0) return { kind: "halt" };
    return this.cycles >= untilCycle ? { kind: "deadline" } : null;
  }

  #takeInterrupt(): StopReason | null {
    const { S } = this.state;
    const { interruptController } = this.config;
    if (!this.#interruptDue() || this.#shadowAt === this.instructions) return null;
    if (!interruptController.pending()) {
      S[INTERRUPT_REQUEST] = 0;
      return null;
    }
    const vector = interruptController.acknowledge();
    const stopped = this.#guarded(() => this.#interrupts.external(vector));
    S[INTERRUPT_REQUEST] = interruptController.pending() ? 1 : 0;
    return stopped;
  }

  /** Runs something that may throw what faults.ts defines, and settles it. Returns a reason to stop. */
  #guarded(action: () => void): StopReason | null {
    try {
      action();
      return null;
    } catch (thrown) {
      return this.#settle(thrown);
    }
  }

  #settle(thrown: unknown): StopReason | null {
    const { S } = this.state;
    if (thrown !== FAULT && thrown !== BREAK && thrown !== SHUTDOWN) throw thrown;
    this.#abandonInstruction();
    // Data breakpoints that an abandoned instruction met are met again when it is restarted.
    S[DEBUG_PENDING] &= ~15;
    this.#segments.setPrivilege(S[CPL]);
    if (thrown === BREAK) {
      // No boundary: nothing is looked at that would not be without the breakpoint.
      this.#cache.resumeAt = this.#cache.stoppedAt;
      this.#atBoundary = false;
      return { kind: "breakpoint", address: this.#cache.stoppedAt };
    }
    if (thrown === SHUTDOWN) {
      this.#dead = { kind: "shutdown", report: this.#faults.shutdownReport };
      return this.#dead;
    }
    this.#atBoundary = true;
    return this.#guarded(() => this.#interrupts.exception(S[FAULT_VECTOR], S[FAULT_ERROR], false));
  }

  /** Accounts for the instructions of the block before the one that was given up, and points EIP at that. */
  #abandonInstruction(): void {
    const { S } = this.state;
    const position = S[POSITION];
    if (position < 0) return;
    const op = this.#block.ops[position];
    S[POSITION] = -1;
    S[BUDGET] -= op.before;
    S[INSTRUCTIONS] += position;
    S[EIP] = op.eip;
  }

  /** Executes blocks until the slice is used up. */
  #loop(): void {
    const { S, tlbRead } = this.state;
    let block = this.#block;
    do {
      const eip = S[EIP];
      let next = block.link0;
      if (next.eip !== eip || next.delta !== tlbRead[next.page + S[MODE]] || next.key !== S[DECODE_KEY]) {
        next = block.link1;
        if (next.eip !== eip || next.delta !== tlbRead[next.page + S[MODE]] || next.key !== S[DECODE_KEY]) {
          next = this.#cache.find(eip);
          block.link1 = block.link0;
          block.link0 = next;
        }
      }
      block = next;
      this.#execute(block);
    } while (S[BUDGET] > 0);
  }

  /** Executes one block (or as much of it as stays valid) and accounts for it. */
  #execute(block: Block): void {
    const { S } = this.state;
    this.#block = block;
    S[BUDGET] -= block.m & S[TAKEN];
    S[TAKEN] = 0;
    S[FETCH_PAGE] = block.page;
    S[COUNT] = block.count;
    const { ops } = block;
    let i = 0;
    let op = ops[0];
    do {
      op = ops[i];
      S[POSITION] = i;
      op.execute(op);
      i++;
    } while (i < S[COUNT]);
    S[POSITION] = -1;
    S[BUDGET] -= op.after;
    S[INSTRUCTIONS] += i;
    if (!op.transfers) S[EIP] = op.next;
    this.#atBoundary = op.ends;
  }

  /** Executes one instruction; with TF set before it, ends in a debug trap. */
  #single(): void {
    const { S } = this.state;
    const flags = S[EFLAGS];
    const software = this.counters.softwareInterrupts;
    const block = this.#cache.findSingle(S[EIP]);
    this.#execute(block);
    this.#atBoundary = true;
    const op = block.ops[0];
    if ((flags & FLAG.RF) !== 0 && op.instruction.row?.semantic !== "iret" && S[EIP] !== op.eip) S[EFLAGS] &= ~FLAG.RF;
    if ((flags & FLAG.TF) === 0 || this.counters.softwareInterrupts !== software) return;
    if (this.#trapShadowAt !== this.instructions) S[DEBUG_PENDING] |= DR6_BIT.BS;
  }
}
