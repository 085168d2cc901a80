// What a run leaves for later: the console, DDB's trace, the registers and the
// figures. What the guest printed is taken from its console; what only the
// machine knows (cycles, control registers) from the machine.

import { join } from "node:path";
import { ddbOutput, type ConsoleLog } from "./console.js";
import { fieldOffset } from "./layouts.js";
import { saveFile } from "./files.js";
import type { Session } from "./session.js";

/** State of the machine when the kernel first gave itself up to DDB or panicked. */
interface FirstStop {
  readonly cycle: number;
  readonly strategyCalls: number | undefined;
}

/** The trap lines of the kernel and the `Stopped` line of DDB, as the console shows them. */
const FAULT_LINE = /^uvm_fault\(0x[0-9a-f]+, 0x([0-9a-f]+), 0, \d\) -> [0-9a-f]+/m;
const TRAP_LINE = /^\s*kernel: .* trap, code=[0-9a-f]+$/m;
const PANIC_LINE = /^panic: .*$/m;
const STOPPED = /Stopped in (\S+) at\s+(\S+?):/;

export class Capture {
  readonly #session: Session;
  readonly #console: ConsoleLog;
  #first: FirstStop | undefined;
  #machineRegisters: unknown;

  /** Watches `session`, which has not run yet. */
  constructor(session: Session, console: ConsoleLog) {
    this.#session = session;
    this.#console = console;
    this.#watch("kdb_trap", () => this.#stopped());
    this.#watch("panic_finish", () => this.#stopped());
    this.#watch("db_command_loop", () => {
      this.#machineRegisters ??= session.machine.registers();
    });
  }

  #watch(symbol: string, seen: () => void): void {
    const address = this.#session.address(symbol);
    if (address !== undefined) this.#session.machine.setBreakpoint(address, seen);
  }

  #stopped(): void {
    this.#first ??= { cycle: this.#session.machine.cycles, strategyCalls: this.#strategyCalls() };
  }

  /** The guest's own count of calls of mfs_strategy. */
  #strategyCalls(): number | undefined {
    const address = this.#session.address("mfs_stats");
    if (address === undefined) return undefined;
    return this.#session.machine.readLinearWord(address + fieldOffset("MfsStats", "strategy"));
  }

  /** How the kernel died, or nothing when it did not. */
  fatal(): Record<string, unknown> {
    if (!this.#first) return {};
    const text = this.#console.text;
    const fault = FAULT_LINE.exec(text);
    const stopped = STOPPED.exec(text);
    return {
      death: (PANIC_LINE.exec(text) ?? fault ?? TRAP_LINE.exec(text))?.[0].trim() ?? "",
      process: stopped?.[1] ?? "",
      pc: stopped === null ? "" : stopped[2]!.startsWith("0") ? `0x${Number(stopped[2]).toString(16)}` : stopped[2],
      ddb_stopped_at: [...text.matchAll(new RegExp(STOPPED, "g"))].at(-1)?.[2] ?? "",
      mfs_strategy_calls_before: this.#first.strategyCalls,
      cycle: this.#first.cycle,
    };
  }

  /** `show registers` of the console as name -> number. */
  #ddbRegisters(): Record<string, number> {
    const registers: Record<string, number> = {};
    for (const line of ddbOutput(this.#console.text, "show registers").split("\n")) {
      const match = /^(e?[a-z]{2}|eflags) +(?:0x)?([0-9a-f]+)(?:\s|$)/.exec(line);
      if (match) registers[match[1]!] = parseInt(match[2]!, 16);
    }
    return registers;
  }

  /** Writes console.txt, trace.txt, registers.json and summary.json to a folder that is there. Throws InputError. */
  write(folder: string, summary: unknown): void {
    const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
    saveFile(join(folder, "console.txt"), this.#console.text);
    saveFile(join(folder, "trace.txt"), ddbOutput(this.#console.text, "trace"));
    const machine = this.#machineRegisters ?? this.#session.machine.registers();
    const registers = { ddb: this.#ddbRegisters(), machine };
    saveFile(join(folder, "registers.json"), json(registers));
    saveFile(join(folder, "summary.json"), json(summary));
  }
}
