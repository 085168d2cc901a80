// One machine run on behalf of a command: the pieces named on the command line
// are put together, the machine runs, the outcome is told.

import { basename } from "node:path";
import {
  LoaderError, MB, MOST_WAIT_STATES, Machine, MemoryDisk, elfSymbols, readElf32, type ElfSymbol, type Model, type RunResult,
} from "../../emu/index.js";
import { parseCount, parseSize, type Parsed } from "./args.js";
import { ConsoleLog } from "./console.js";
import { EXIT, InputError, UsageError } from "./errors.js";
import { readInput, saveFile } from "./files.js";
import { KERNEL } from "./paths.js";
import { rootImage, type RootImage, type System } from "./root.js";

/** Guest cycles between two looks at the host's side: input, progress. */
const SLICE = 4_000_000;
/** What the kernel writes to the exit port. */
const GUEST_EXIT = { clean: 0, panic: 1 } as const;
const SECTOR = 512;

export interface SessionOptions {
  readonly parsed: Parsed;
  /** Boot arguments of the workload; the user's --append follows. */
  readonly bootArguments: readonly string[];
  /** File system images, the units of md in their order. The root is on the first unless the arguments say otherwise. */
  readonly images: readonly RootImage[];
  /** An empty disk of so many bytes when --disk names none. */
  readonly scratchDisk?: number;
  readonly console: ConsoleLog;
}

/** The image named by --root, or undefined; a folder's has user space when `system` is given. */
export function rootOf(parsed: Parsed, system?: System): RootImage | undefined {
  const path = parsed.values.get("root");
  return path === undefined ? undefined : rootImage(path, system);
}

/** Bytes of RAM that a machine can have. */
export const MEMORY = { low: 8 * MB, high: 1024 * MB } as const;

/** Most bytes left free on a root with user space, and the least share of memory that may stay unused so. */
const ROOT_FREE = { most: 8 * MB, share: 1 / 16 } as const;

/** Bytes to leave free on a root with user space for what its programs write. Throws UsageError. */
export function rootFree(parsed: Parsed): number {
  return Math.min(ROOT_FREE.most, memorySizeOf(parsed) * ROOT_FREE.share);
}

/** Bytes of RAM that --mem asks for. Throws UsageError. */
export function memorySizeOf(parsed: Parsed): number {
  const text = parsed.values.get("mem") ?? "64M";
  const size = parseSize(text, "mem");
  const { low, high } = MEMORY;
  if (size % MB !== 0 || size < low || size > high) {
    throw new UsageError(`flag '--mem' needs whole megabytes from ${low / MB}M to ${high / MB}M, not '${text}'`);
  }
  return size;
}

interface DebugFile {
  readonly port: number;
  readonly path: string;
  readonly bytes: number[];
}

/** The files of --debugcon. Throws UsageError. */
function debugFilesOf(parsed: Parsed): DebugFile[] {
  const given = parsed.values.get("debugcon")?.split("\n") ?? [];
  return given.map((text) => {
    const match = /^(0x[0-9a-f]+|\d+)=(.+)$/i.exec(text);
    const port = match ? Number(match[1]) : NaN;
    if (!(port >= 0 && port <= 0xffff)) {
      throw new UsageError(`flag '--debugcon' needs a port and a file such as 0x402=log.txt, not '${text}'`);
    }
    return { port, path: match![2]!, bytes: [] };
  });
}

export class Session {
  readonly machine: Machine;
  readonly symbols: ReadonlyMap<string, ElfSymbol>;
  readonly disk: MemoryDisk | undefined;
  readonly #options: SessionOptions;
  readonly #budget: number;
  readonly #debugFiles: readonly DebugFile[];

  /** Builds and loads the machine. Throws UsageError and InputError. */
  constructor(options: SessionOptions) {
    this.#options = options;
    const { parsed } = options;
    const value = (name: string) => parsed.values.get(name);
    const budget = value("max-cycles");
    this.#budget = budget === undefined ? Infinity : parseCount(budget, "max-cycles", 1, Number.MAX_SAFE_INTEGER);
    this.disk = this.#openDisk();
    this.#debugFiles = debugFilesOf(parsed);
    this.machine = new Machine({
      memorySize: memorySizeOf(parsed),
      cpu: (value("cpu") ?? "i486") as Model,
      ...(value("coprocessor") === undefined ? {} : { coprocessor: value("coprocessor") === "yes" }),
      timing: (value("timing") ?? "model") as "model" | "none",
      waitStates: parseCount(value("wait-states") ?? "0", "wait-states", 0, MOST_WAIT_STATES),
      ...(this.disk ? { disk: this.disk } : {}),
      debugConsoles: this.#debugFiles.map(({ port, bytes }) => ({ port, output: (byte) => void bytes.push(byte) })),
      onSerialOutput: (byte) => options.console.put(byte),
    });
    const bios = value("bios");
    if (bios !== undefined) {
      this.#loadBios(bios);
      this.symbols = new Map();
      return;
    }
    const kernelPath = value("kernel") ?? KERNEL;
    const kernel = readInput(kernelPath, "kernel");
    this.#load(kernel, kernelPath);
    this.symbols = new Map(elfSymbols(readElf32(kernel, kernelPath)).map((symbol) => [symbol.name, symbol]));
  }

  #loadBios(path: string): void {
    try {
      this.machine.loadBios(readInput(path, "ROM image"), path);
    } catch (error) {
      if (error instanceof LoaderError) throw new InputError(error.message);
      throw error;
    }
  }

  #openDisk(): MemoryDisk | undefined {
    const path = this.#options.parsed.values.get("disk");
    if (path === undefined) {
      if (this.#options.parsed.switches.has("disk-write")) {
        throw new UsageError("flag '--disk-write' needs '--disk FILE'");
      }
      return this.#options.scratchDisk ? new MemoryDisk(new Uint8Array(this.#options.scratchDisk)) : undefined;
    }
    const bytes = readInput(path, "disk");
    if (bytes.length === 0 || bytes.length % SECTOR !== 0) {
      const rule = `a disk is a whole number of ${SECTOR}-byte sectors`;
      throw new InputError(`disk ${path} has ${bytes.length} bytes; ${rule}`);
    }
    return new MemoryDisk(Uint8Array.from(bytes));
  }

  #load(kernel: Uint8Array, path: string): void {
    const { parsed, bootArguments, images } = this.#options;
    const append = [...bootArguments, parsed.values.get("append") ?? ""].filter((word) => word !== "").join(" ");
    const modules = images.map(({ bytes, name }) => ({ bytes, string: name }));
    try {
      this.machine.loadMultiboot({ kernel, kernelName: basename(path), append, modules });
    } catch (error) {
      if (error instanceof LoaderError) throw new InputError(error.message);
      throw error;
    }
  }

  /** The address of a kernel symbol. */
  address(name: string): number | undefined {
    return this.symbols.get(name)?.st_value;
  }

  /** Runs to the end, or to a budget. `between` is called every few million cycles. */
  async run(between?: () => Promise<boolean> | boolean): Promise<RunResult> {
    for (;;) {
      const left = this.#budget - this.machine.cycles;
      if (left <= 0) return { kind: "budget" };
      const result = this.machine.run({ maxCycles: Math.min(SLICE, left) });
      this.#options.console.flush();
      if (result.kind !== "budget") return result;
      if (between && !(await between())) return { kind: "stopped", reason: "user" };
    }
  }

  /** Writes the files of the debug ports, and the disk back where the user asked for it. */
  finish(): void {
    for (const { path, bytes } of this.#debugFiles) saveFile(path, Uint8Array.from(bytes));
    const { parsed } = this.#options;
    if (!this.disk || !parsed.switches.has("disk-write")) return;
    const path = parsed.values.get("disk")!;
    saveFile(path, this.disk.bytes);
  }
}

/** The exit status of `ptmap` for the end of a run, and a line for the user when it was no normal end. */
export function outcome(result: RunResult): { readonly status: number; readonly line: string } {
  switch (result.kind) {
    case "exit":
      if (result.code === GUEST_EXIT.clean) return { status: EXIT.ok, line: "" };
      if (result.code === GUEST_EXIT.panic) return { status: EXIT.guestPanic, line: "" };
      return { status: EXIT.failure, line: "" };
    case "halted":
      return { status: EXIT.guestPanic, line: "the processor halted with interrupts off" };
    case "tripleFault":
      return { status: EXIT.guestPanic, line: result.report };
    case "reset":
      return { status: EXIT.ok, line: "the guest reset the machine" };
    case "budget":
      return { status: EXIT.budget, line: "the cycle budget ran out; raise --max-cycles" };
    case "stopped":
      return { status: EXIT.ok, line: "" };
  }
}
