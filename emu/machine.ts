// A whole machine: memory, processor, board, and the loop that brings them together.
//
// Time is the processor's cycle counter and nothing else. The loop runs the processor up to the earliest
// event of the queue, fires what is due, and goes on; a halted processor jumps straight to the next
// event. Everything that comes from outside (console input) carries a cycle. So one configuration and
// one input give one run, to the cycle, and any number of machines live beside each other.

import { Board } from "./board.js";
import { Cpu } from "./cpu/cpu.js";
import type { BreakpointCallback, CpuInterface, Model, PhysicalSpace } from "./cpu/cpu.js";
import { FLAG, memoryPagesFor } from "./cpu/state.js";
import { parseCivil, secondsOfCivil } from "./dev/calendar.js";
import type { DiskBackend } from "./dev/disk.js";
import { EventQueue } from "./dev/events.js";
import type { Timer } from "./dev/events.js";
import type { IoDevice } from "./dev/iobus.js";
import { FIRMWARE_DATA_AREA } from "./loader/firmware.js";
import { loadMultiboot } from "./loader/multiboot.js";
import type { MultibootOptions } from "./loader/multiboot.js";
import { mapRom } from "./loader/rom.js";
import { PhysicalRegions } from "./physical_space.js";
import { registersOf } from "./registers.js";
import type { RegisterDump } from "./registers.js";

export const MB = 0x100000;
/** Processor clocks: a common 386 of 1988 and the 486 of the year 2000's hand-me-down PC. */
export const CLOCK_HZ = { i386: 16_000_000, i486: 33_000_000, pentium: 100_000_000, i686: 233_000_000 } as const;
export const DEFAULT_RTC_BASE = "2000-05-27T22:30:55";
/** The disk names itself as QEMU's does, so that one kernel prints the same on both machines. */
const DISK_MODEL = "QEMU HARDDISK";
const DISK_SERIAL = "QM00001";
/** The processor counts the clocks of one slice in a 32-bit word. */
const LONGEST_SLICE = 0x40000000;
export const MOST_WAIT_STATES = 15;
const MEMORY_LIMITS_MB = { least: 2, most: 1024 } as const;

export interface MachineConfig {
  /** Bytes of RAM, a whole number of megabytes. */
  readonly memorySize: number;
  /** The default is i486. */
  readonly cpu?: Model;
  /** A coprocessor: an 80387 beside an i386 (by default absent), the unit of the later models (by default present). */
  readonly coprocessor?: boolean;
  /** `model` (the default) counts the model's clocks and has its TLB; `none` leaves both out. */
  readonly timing?: "model" | "none";
  /** Clocks that each access to data in memory takes beyond the manual's, 0 (the default) to 15. */
  readonly waitStates?: number;
  /** Cycles in one second of the machine's time; by default the model's entry in CLOCK_HZ. */
  readonly clockHz?: number;
  /** The clock chip's time at cycle 0, "YYYY-MM-DDTHH:MM:SS". */
  readonly rtcBase?: string;
  /** Device 0 of the ATA channel. */
  readonly disk?: DiskBackend;
  readonly diskModel?: string;
  readonly diskSerial?: string;
  /** Called with each byte that COM1 sends. */
  readonly onSerialOutput?: (byte: number) => void;
  /** Called with each byte that COM2 sends; without it there is no COM2. */
  readonly onSerialOutput2?: (byte: number) => void;
  /** Device 0 of the second ATA channel; without it there is no such channel. */
  readonly disk2?: DiskBackend;
  /** Ports that keep what a guest writes to them, as QEMU's isa-debugcon. */
  readonly debugConsoles?: readonly { readonly port: number; readonly output: (byte: number) => void }[];
}

export interface RunOptions {
  /** Stop when this many cycles have passed since the call. */
  readonly maxCycles?: number;
}

/** Why `run` returned. */
export type RunResult =
  /** The guest wrote `code` to the exit port. */
  | { readonly kind: "exit"; readonly code: number }
  /** The processor halted and nothing can wake it. */
  | { readonly kind: "halted" }
  /** The processor shut down; `report` is for a person. */
  | { readonly kind: "tripleFault"; readonly report: string }
  /** The guest pulsed the processor's reset line. */
  | { readonly kind: "reset" }
  /** maxCycles have passed. */
  | { readonly kind: "budget" }
  /** A breakpoint callback or requestStop asked for it; `address` is set for a breakpoint. */
  | { readonly kind: "stopped"; readonly reason: string; readonly address?: number };

/** A configuration that describes no machine; the message is one line for the user. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

function checkConfig(config: MachineConfig): void {
  const { memorySize, clockHz, rtcBase } = config;
  const { least, most } = MEMORY_LIMITS_MB;
  if (memorySize % MB !== 0 || memorySize < least * MB || memorySize > most * MB) {
    throw new ConfigError(`memory of ${memorySize} bytes: give whole megabytes from ${least} to ${most}`);
  }
  if (clockHz !== undefined && (!Number.isInteger(clockHz) || clockHz < 1_000_000 || clockHz > 1_000_000_000)) {
    throw new ConfigError(`clock of ${clockHz} Hz: give a whole number from 1000000 to 1000000000`);
  }
  const { waitStates = 0 } = config;
  if (!Number.isInteger(waitStates) || waitStates < 0 || waitStates > MOST_WAIT_STATES) {
    throw new ConfigError(`${waitStates} wait states: give a whole number from 0 to ${MOST_WAIT_STATES}`);
  }
  if (rtcBase !== undefined && parseCivil(rtcBase) === undefined) {
    throw new ConfigError(`clock base "${rtcBase}": give a date such as ${DEFAULT_RTC_BASE}`);
  }
}

export class Machine {
  readonly config: MachineConfig;
  readonly clockHz: number;
  /** The WebAssembly memory that holds RAM from offset 0 and the processor's state behind it. */
  readonly memory: WebAssembly.Memory;
  /** Physical memory. After writing code here tell the processor by `cpu.ramChanged`. */
  readonly ram: Uint8Array;
  readonly cpu: CpuInterface;
  readonly board: Board;
  readonly #events: EventQueue;
  readonly #regions = new PhysicalRegions();
  /** The cycle up to which the processor has been told to run; -1 while it does not. */
  #deadline = -1;
  #result: RunResult | undefined;
  /** Cycles that passed while the processor was halted. */
  idleCycles = 0;

  /** Builds a machine with cleared memory. Throws ConfigError. */
  constructor(config: MachineConfig) {
    checkConfig(config);
    const model = config.cpu ?? "i486";
    this.config = config;
    this.clockHz = config.clockHz ?? CLOCK_HZ[model];
    this.memory = new WebAssembly.Memory({ initial: memoryPagesFor(config.memorySize) });
    this.ram = new Uint8Array(this.memory.buffer, 0, config.memorySize);
    this.#events = new EventQueue({ now: () => this.cycles, eventMoved: () => this.#eventMoved() });
    this.board = new Board(this.#events, {
      clockHz: this.clockHz,
      memorySize: config.memorySize,
      rtcSeconds: secondsOfCivil(parseCivil(config.rtcBase ?? DEFAULT_RTC_BASE)!),
      disk: config.disk,
      diskModel: config.diskModel ?? DISK_MODEL,
      diskSerial: config.diskSerial ?? DISK_SERIAL,
      serialOutput: config.onSerialOutput ?? (() => {}),
      serialOutput2: config.onSerialOutput2,
      disk2: config.disk2,
      ram: this.ram,
      debugConsoles: config.debugConsoles ?? [],
      interruptChanged: (pending) => {
        if (pending) this.cpu?.requestInterruptCheck();
      },
      exit: (code) => this.#finish({ kind: "exit", code }),
      reset: () => this.#finish({ kind: "reset" }),
    });
    this.cpu = new Cpu({
      model,
      timing: config.timing ?? "model",
      waitStates: config.waitStates ?? 0,
      memory: this.memory,
      ramSize: config.memorySize,
      io: this.board.ports,
      interruptController: this.board.interruptController,
      ...(config.coprocessor ?? model !== "i386" ? { coprocessor: this.board.coprocessorError } : {}),
    });
    this.cpu.setPhysicalSpace(this.#regions);
  }

  /** Cycles since the machine began; its only time. */
  get cycles(): number {
    // The board's firmware settings are made before there is a processor.
    return this.cpu === undefined ? 0 : this.cpu.cycles;
  }

  /**
   * Loads a Multiboot kernel and sets the processor to its entry.
   * => the machine has not run yet; throws LoaderError and leaves the machine unusable otherwise
   */
  loadMultiboot(options: MultibootOptions): void {
    for (const [address, value] of FIRMWARE_DATA_AREA) {
      this.ram[address] = value & 0xff;
      this.ram[address + 1] = value >> 8;
    }
    const state = loadMultiboot(this.ram, options);
    this.cpu.ramChanged(0, this.ram.length);
    this.cpu.resetFlat(state.EIP);
    this.cpu.registers[0] = state.EAX | 0;
    this.cpu.registers[3] = state.EBX | 0;
  }

  /**
   * Maps a ROM image under 1 MiB and under 4 GiB and resets the processor into it.
   * => the machine has not run yet; throws LoaderError for an image of a wrong size
   */
  loadBios(image: Uint8Array, name: string): void {
    const rom = mapRom(this.ram, image, name);
    this.#regions.claim(rom.base, image.length, rom.device);
    this.cpu.ramChanged(0, this.ram.length);
    this.cpu.reset();
  }

  /** Gives `count` I/O ports from `base` to a device of your own. Throws ConfigError when a chip has one of them. */
  attachPorts(base: number, count: number, device: IoDevice): void {
    const taken = this.board.ports.firstClaimed(base, count);
    if (taken !== undefined) throw new ConfigError(`port 0x${taken.toString(16)} belongs to a chip of the board`);
    this.board.ports.claim(base, count, device);
  }

  /** Gives `size` bytes of physical addresses outside RAM to a device of your own. Throws ConfigError for RAM. */
  attachMemory(base: number, size: number, device: PhysicalSpace): void {
    if (base < this.ram.length || base + size > 2 ** 32) {
      throw new ConfigError(`device memory at 0x${base.toString(16)}: give addresses between RAM's end and 4 GiB`);
    }
    this.#regions.claim(base, size, device);
  }

  /** Drives an interrupt line, 0 to 15. */
  setInterruptLine(irq: number, level: boolean): void {
    this.board.interruptController.setLine(irq, level);
  }

  /** A timer for a device of your own; `action` gets the cycle it was due, which may lie a little before now. */
  timer(action: (cycle: number) => void): Timer {
    return this.#events.timer(action);
  }

  /** The lines of the text screen. */
  screenText(): string[] {
    return this.board.vga.text();
  }

  /** Queues console input: the bytes reach COM1 at cycle `atCycle` (now when left out) or after it. */
  serialInput(bytes: Iterable<number>, atCycle: number = this.cycles): void {
    this.board.com1.input(bytes, Math.max(atCycle, this.cycles));
  }

  /** Queues a break on the console's line, likewise. */
  serialBreak(atCycle: number = this.cycles): void {
    this.board.com1.inputBreak(Math.max(atCycle, this.cycles));
  }

  /** A device has set its timer: a processor that would run past it must come back first. */
  #eventMoved(): void {
    if (this.#deadline >= 0 && this.#events.nextDue() < this.#deadline) this.cpu.requestStop("event");
  }

  #finish(result: RunResult): void {
    this.#result ??= result;
    this.cpu?.requestStop(result.kind);
  }

  /** Makes `run` return {kind: "stopped"} at the next instruction boundary. */
  requestStop(reason: string): void {
    this.#finish({ kind: "stopped", reason });
  }

  /**
   * Runs until something ends the run.
   * => a further call goes on where the last one stopped
   */
  run(options: RunOptions = {}): RunResult {
    const end = this.cycles + (options.maxCycles ?? Infinity);
    for (;;) {
      this.#events.fireDue(this.cycles);
      const result = this.#takeResult();
      if (result !== undefined) return result;
      if (this.cycles >= end) return { kind: "budget" };
      const stopped = this.#runTo(Math.min(end, this.#events.nextDue()), end);
      if (stopped !== undefined) return stopped;
    }
  }

  #takeResult(): RunResult | undefined {
    const result = this.#result;
    this.#result = undefined;
    return result;
  }

  /** Runs the processor to `deadline` or skips to it while halted. Returns the result that ends the run, if any. */
  #runTo(deadline: number, end: number): RunResult | undefined {
    this.#deadline = Math.min(deadline, this.cycles + LONGEST_SLICE);
    const reason = this.cpu.run(this.#deadline);
    this.#deadline = -1;
    // What the guest did last counts before why the processor stopped.
    const result = this.#takeResult();
    if (result !== undefined) return result;
    switch (reason.kind) {
      case "halt":
        return this.#idle(end);
      case "shutdown":
        return { kind: "tripleFault", report: reason.report };
      case "breakpoint":
        return { kind: "stopped", reason: "breakpoint", address: reason.address };
      default:
        return undefined;
    }
  }

  /** The processor waits for an interrupt: moves time to the next event. */
  #idle(end: number): RunResult | undefined {
    if (this.board.interruptController.pending() && this.#interruptsEnabled()) {
      this.cpu.requestInterruptCheck();
      return undefined;
    }
    const due = this.#events.nextDue();
    if (!this.#interruptsEnabled() || due === Infinity) return { kind: "halted" };
    const next = Math.min(due, end);
    if (next > this.cycles) {
      this.idleCycles += next - this.cycles;
      this.cpu.cycles = next;
    }
    return undefined;
  }

  #interruptsEnabled(): boolean {
    return (this.cpu.eflags & FLAG.IF) !== 0;
  }

  /** Executes one instruction or delivers one interrupt, with the events due before it. */
  step(): RunResult | undefined {
    this.#events.fireDue(this.cycles);
    const reason = this.cpu.step();
    const result = this.#takeResult();
    if (result !== undefined) return result;
    if (reason.kind === "halt") return this.#idle(Infinity);
    return reason.kind === "shutdown" ? { kind: "tripleFault", report: reason.report } : undefined;
  }

  /**
   * Steps until `condition`, asked before each instruction, holds: then {kind: "stopped", reason: "condition"}.
   * Much slower than `run`; to stop at an address use setBreakpoint.
   */
  runUntil(condition: (machine: this) => boolean, options: RunOptions = {}): RunResult {
    const end = this.cycles + (options.maxCycles ?? Infinity);
    while (!condition(this)) {
      if (this.cycles >= end) return { kind: "budget" };
      const result = this.step();
      if (result !== undefined) return result;
    }
    return { kind: "stopped", reason: "condition" };
  }

  /** Calls `callback` before each execution of the instruction at linear `address`; true stops the run. */
  setBreakpoint(address: number, callback: BreakpointCallback): void {
    this.cpu.setBreakpoint(address >>> 0, callback);
  }

  clearBreakpoint(address: number): void {
    this.cpu.clearBreakpoint(address >>> 0);
  }

  /** Reads physical memory; bytes outside RAM read all ones, as for the processor. */
  readPhysical(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length).fill(0xff);
    if (address < this.ram.length) bytes.set(this.ram.subarray(address, address + length));
    return bytes;
  }

  /** Writes physical memory and drops decoded code there; bytes outside RAM are lost. */
  writePhysical(address: number, bytes: Uint8Array): void {
    if (address >= this.ram.length) return;
    const inside = bytes.subarray(0, this.ram.length - address);
    this.ram.set(inside, address);
    this.cpu.ramChanged(address, inside.length);
  }

  /** Reads linear memory through the page tables without side effects; null when a page is not present. */
  readLinear(address: number, length: number): Uint8Array | null {
    return this.cpu.readLinear(address >>> 0, length);
  }

  /** Writes linear memory as a debugger does; false when a page is not present. */
  writeLinear(address: number, bytes: Uint8Array): boolean {
    return this.cpu.writeLinear(address >>> 0, bytes);
  }

  /** Reads one little-endian word of linear memory; undefined when its page is not present. */
  readLinearWord(address: number): number | undefined {
    const bytes = this.readLinear(address, 4);
    if (bytes === null) return undefined;
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  }

  /** All registers as plain values, for JSON. */
  registers(): RegisterDump {
    return registersOf(this);
  }

  /** A copy of all event counts since the machine began. */
  counters(): MachineCounters {
    const { counters } = this.cpu;
    return {
      cycles: this.cycles,
      idleCycles: this.idleCycles,
      instructions: this.cpu.instructions,
      ...structuredClone(counters),
      diskSectorsRead: this.board.ata.sectorsRead,
      diskSectorsWritten: this.board.ata.sectorsWritten,
    };
  }
}

export type MachineCounters = CpuInterface["counters"] & {
  cycles: number;
  idleCycles: number;
  instructions: number;
  diskSectorsRead: number;
  diskSectorsWritten: number;
};
