// A processor with RAM and nothing else, for tests of instructions, paging and
// clocks.

import { Cpu } from "../../emu/cpu/cpu.js";
import type { CpuConfig, StopReason } from "../../emu/cpu/cpu.js";
import type { CoprocessorLines } from "../../emu/cpu/interface.js";
import { memoryPagesFor } from "../../emu/cpu/state.js";

export interface RigOptions {
  readonly model?: CpuConfig["model"];
  readonly timing?: "model" | "none";
  readonly ramSize?: number;
  readonly waitStates?: number;
  readonly coprocessor?: CoprocessorLines;
}

export interface PortWrite {
  readonly port: number;
  readonly size: number;
  readonly value: number;
  readonly cycle: number;
}

export class CpuRig {
  readonly cpu: Cpu;
  readonly ram: Uint8Array;
  readonly view: DataView;
  /** Writes to ports, and the cycle of each. */
  readonly writes: PortWrite[] = [];
  readonly ports = new Map<number, number>();
  /** Vectors that the interrupt controller gives, in order. */
  readonly requests: number[] = [];

  constructor({ model = "i386", timing = "model", ramSize = 4 << 20, waitStates = 0, coprocessor }: RigOptions = {}) {
    const memory = new WebAssembly.Memory({ initial: memoryPagesFor(ramSize) });
    const config: CpuConfig = {
      model, timing, memory, ramSize, waitStates,
      io: {
        read: (port) => this.ports.get(port) ?? -1,
        write: (port, size, value) => { this.writes.push({ port, size, value, cycle: this.cpu.cycles }); },
      },
      interruptController: { pending: () => this.requests.length > 0, acknowledge: () => this.requests.shift()! },
      ...(coprocessor === undefined ? {} : { coprocessor }),
    };
    this.cpu = new Cpu(config);
    this.ram = new Uint8Array(memory.buffer, 0, ramSize);
    this.view = new DataView(memory.buffer, 0, ramSize);
  }

  /** Puts bytes into RAM. Returns the address after them. */
  put(address: number, bytes: readonly number[] | Uint8Array): number {
    this.ram.set(bytes, address);
    this.cpu.ramChanged(address, bytes.length);
    return address + bytes.length;
  }

  word(address: number): number {
    return this.view.getUint32(address, true);
  }

  setWord(address: number, ...values: number[]): void {
    values.forEach((value, i) => this.view.setUint32(address + i * 4, value >>> 0, true));
    this.cpu.ramChanged(address, values.length * 4);
  }

  /** Executes exactly `count` instructions (a repeated string instruction is one). */
  steps(count: number): StopReason | null {
    for (let i = 0; i < count; i++) {
      const reason = this.cpu.step();
      if (reason.kind !== "deadline") return reason;
    }
    return null;
  }

  /** Runs until HLT or another stop. */
  run(cycles = 1e7): StopReason {
    return this.cpu.run(this.cpu.cycles + cycles);
  }
}

/** A small generator with a seed: the same numbers in every run. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
