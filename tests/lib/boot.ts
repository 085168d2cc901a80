// Booting the kernel image under test, on ptmap and on QEMU, with the same
// arguments and the same root image, and comparing what the consoles show.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Machine, MemoryDisk, elfSymbols, readElf32, type ElfSymbol, type RunResult } from "../../emu/index.js";

export const KERNEL = fileURLToPath(new URL("../../../kernel.elf", import.meta.url));
const MB = 1024 * 1024;

export interface BootOptions {
  readonly append: string;
  readonly root?: Uint8Array;
  /** Images of further units of md: the first of them is the second unit when there is a root. */
  readonly images?: readonly Uint8Array[];
  readonly memoryMB?: number;
  readonly cpu?: "i386" | "i486" | "pentium";
  readonly coprocessor?: boolean;
  readonly timing?: "model" | "none";
  readonly disk?: Uint8Array;
  /** A disk of the test's own instead; ptmap only. */
  readonly ownDisk?: MemoryDisk;
  readonly maxCycles?: number;
  /** Called with the loaded machine before it runs. */
  readonly prepare?: (machine: Machine, symbols: ReadonlyMap<string, ElfSymbol>) => void;
}

export interface Booted {
  readonly console: string;
  readonly result: RunResult;
  readonly machine: Machine;
  readonly symbols: ReadonlyMap<string, ElfSymbol>;
  readonly disk: MemoryDisk | undefined;
}

let kernelBytes: Uint8Array | undefined;

export function kernelImage(): Uint8Array {
  kernelBytes ??= readFileSync(KERNEL);
  return kernelBytes;
}

export function kernelSymbols(): ReadonlyMap<string, ElfSymbol> {
  return new Map(elfSymbols(readElf32(kernelImage(), KERNEL)).map((symbol) => [symbol.name, symbol]));
}

/** The boot modules, units of md in their order. */
function imagesOf({ root, images = [] }: BootOptions): readonly Uint8Array[] {
  return root ? [root, ...images] : images;
}

/** Boots on ptmap and runs to the end or to the budget. Carriage returns are dropped. */
export function bootPtmap(options: BootOptions): Booted {
  const bytes: number[] = [];
  const disk = options.ownDisk ?? (options.disk ? new MemoryDisk(options.disk) : undefined);
  const machine = new Machine({
    memorySize: (options.memoryMB ?? 64) * MB,
    cpu: options.cpu ?? "i486",
    timing: options.timing ?? "model",
    ...(options.coprocessor === undefined ? {} : { coprocessor: options.coprocessor }),
    ...(disk ? { disk } : {}),
    onSerialOutput: (byte) => {
      if (byte !== 0x0d) bytes.push(byte);
    },
  });
  machine.loadMultiboot({
    kernel: kernelImage(),
    kernelName: "kernel.elf",
    append: options.append,
    modules: imagesOf(options).map((bytes, n) => ({ bytes, string: `md${n}.ffs` })),
  });
  const symbols = kernelSymbols();
  options.prepare?.(machine, symbols);
  const result = machine.run({ maxCycles: options.maxCycles ?? 20_000_000_000 });
  return { console: Buffer.from(bytes).toString("latin1"), result, machine, symbols, disk };
}

export interface QemuRun {
  readonly console: string;
  /** Exit status: (v << 1) | 1 for a write of v to the exit port. */
  readonly status: number | null;
  readonly stderr: string;
  /** The disk afterwards, when there was one. */
  readonly disk: Uint8Array | undefined;
}

/** Boots on QEMU's twin of the i486 model (DESIGN of the comparison: -icount, fixed clock). */
export function bootQemu(options: BootOptions, timeoutMs = 120_000): QemuRun {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-qemu-"));
  try {
    // Without sleep an idle guest's clock leaps to its next timeout, ahead of a disk that is a file of a busy host:
    // the driver would see lost interrupts. So a guest with a disk idles in real time.
    const argv = [
      "-cpu", "486", "-icount", `shift=6,sleep=${options.disk ? "on" : "off"}`,
      "-rtc", "base=2000-05-27T22:30:55,clock=vm", "-M", "pc", "-nodefaults",
      "-display", "none", "-no-reboot", "-m", String(options.memoryMB ?? 64),
      "-serial", `file:${join(folder, "console")}`, "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
      "-kernel", basename(KERNEL), "-append", options.append,
    ];
    const modules = imagesOf(options).map((bytes, n) => {
      const file = join(folder, `md${n}.ffs`);
      writeFileSync(file, bytes);
      return file;
    });
    if (modules.length) argv.push("-initrd", modules.join(","));
    if (options.disk) {
      writeFileSync(join(folder, "disk"), options.disk);
      argv.push("-drive", `file=${join(folder, "disk")},format=raw,index=0,if=ide`);
    }
    // The command line begins with the kernel's name, so that must be the one that ptmap gives.
    const child = spawnSync("qemu-system-i386", argv, {
      encoding: "utf8", timeout: timeoutMs, killSignal: "SIGKILL", cwd: dirname(KERNEL),
    });
    const console = readFileSync(join(folder, "console"), "latin1").replaceAll("\r", "");
    const disk = options.disk ? new Uint8Array(readFileSync(join(folder, "disk"))) : undefined;
    return { console, status: child.status, stderr: child.stderr, disk };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * A transcript without the lines that depend on time: those that begin with `timing:`. RF in the flags of a fault is
 * hidden: QEMU 7.2 leaves it clear, against SDM 3, 17.3.1.1. Nothing else is dropped.
 */
export function comparable(console: string): string {
  const flags = (_whole: string, name: string, value: string): string => `${name}${(parseInt(value, 16) & ~0x10000).toString(16)}`;
  return console.split("\n").filter((line) => !line.startsWith("timing:"))
    .map((line) => line.replace(/^(eflags) +0x([0-9a-f]+)$/, flags)).join("\n");
}

/** A reason to skip, or false: is `tool` on the path? */
export function absent(tool: string): string | false {
  const found = spawnSync("sh", ["-c", `command -v ${tool}`], { encoding: "utf8" });
  return found.status === 0 ? false : `${tool} is not installed`;
}
