// Modes, privileges, gates, tasks, debug registers and ROMs: a kernel of cases (modes.S) prints the same on
// ptmap as on Bochs, and as on QEMU but for what is listed; firmware and a kernel of gcc's (foreign.c) run.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { Machine, type Model } from "../../emu/index.js";
import { bochsAbsent, onBochs } from "./bochs.js";

const MB = 1 << 20;
const sources = join(import.meta.dirname, "../../../../tests/emu");

const absent = (tool: string): string | false => spawnSync(tool, ["--version"]).status !== 0 && `${tool} is not installed`;

/** Cases in which QEMU 7.2 does not do what the manual says, by the paragraph that it breaks. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  "INT1 is a trap": "SDM 2, INT n/INTO/INT3/INT1: opcode F1 raises #DB; QEMU raises #UD",
  "a lock prefix where none may be": "SDM 2, LOCK: with a register destination #UD; QEMU executes the move",
  "pusha across": "SDM 2, PUSHA: the registers are pushed from EAX on; QEMU begins with the lowest address",
  "popa across": "SDM 3, 6.5: a fault leaves the registers as they were; QEMU has loaded EDI by then",
  "far return half absent": "SDM 3, 4.7: the U/S bit tells the ring of the access, which is 3; QEMU says 0",
  "interrupt return half absent": "SDM 3, 4.7: the U/S bit tells the ring of the access, which is 3; QEMU says 0",
  "a test of bits beyond the word": "SDM 3, 4.7: BTS writes its operand; QEMU reports the read before it",
  "a task state segment in an absent page": "SDM 3, 7.2.1: its first byte is absent; QEMU begins with CR3 in it",
};

const LINKING = ["-m32", "-nostdlib", "-static", "-no-pie", "-Wl,-Ttext=0x100000,-N,--build-id=none"];
const FREESTANDING = ["-O1", "-ffreestanding", "-fno-pic", "-fno-stack-protector", "-fno-asynchronous-unwind-tables",
  "-march=i486", "-mfpmath=387"];

/** Builds a kernel of tests/emu; null where the compiler cannot. */
function buildKernel(folder: string, source: string, flags: readonly string[] = []): string | null {
  const kernel = join(folder, "kernel.elf");
  const { status } = spawnSync("gcc", [...LINKING, ...flags, "-o", kernel, join(sources, source)]);
  return status === 0 ? kernel : null;
}

function onPtmap(kernel: string, cpu: Model, timing: "model" | "none"): string[] {
  const output: number[] = [];
  const machine = new Machine({ memorySize: 16 * MB, cpu, timing, onSerialOutput: (byte) => output.push(byte) });
  machine.loadMultiboot({ kernel: readFileSync(kernel), kernelName: "kernel.elf" });
  const result = machine.run({ maxCycles: 1e8 });
  return [...Buffer.from(output).toString("latin1").split("\n"), JSON.stringify(result)];
}

function onQemu(kernel: string, cpu: string, folder: string): string[] {
  const machine = ["-M", "pc", "-cpu", cpu, "-m", "16", "-nodefaults", "-display", "none", "-no-reboot"];
  const devices = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-serial", "file:out"];
  const run = spawnSync("qemu-system-i386", [...machine, ...devices, "-kernel", kernel], { cwd: folder, timeout: 60000 });
  const result = { kind: "exit", code: ((run.status ?? 0) - 1) / 2 };
  return [...readFileSync(join(folder, "out"), "latin1").split("\n"), JSON.stringify(result)];
}

const noTools = absent("gcc") || absent("qemu-system-i386");
const noBochs = absent("gcc") || bochsAbsent();

/** LAR leaves bits 16 to 19 undefined (SDM 2, LAR: the mask 00FxFF00). */
function withoutUndefined(line: string): string {
  return line.replace(/^(query \w+ \d \w{3})\w/, "$1x");
}

/** The console's lines without the line that tells how the run ended. */
function consoleOf(lines: readonly string[]): string[] {
  return lines.slice(0, -1).map(withoutUndefined);
}

t.test("kernels print on Bochs what they print here", { skip: noBochs }, async (t) => {
  for (const [source, flags] of [["modes.S", []], ["foreign.c", FREESTANDING]] as const) {
    const folder = mkdtempSync(join(tmpdir(), "ptmap-bochs-"));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const kernel = buildKernel(folder, source, flags);
    if (kernel === null) t.plan(0, "gcc cannot build for i386 here");
    else t.same(onBochs(kernel, folder, 16).map(withoutUndefined), consoleOf(onPtmap(kernel, "pentium", "model")), source);
  }
});

t.test("changes of mode and privilege print what they print on QEMU", { skip: noTools }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-modes-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const kernel = buildKernel(folder, "modes.S");
  if (kernel === null) {
    t.plan(0, "gcc cannot build for i386 here");
    return;
  }
  const listed = (line: string): boolean => Object.keys(DIFFERENCES).some((name) => line.startsWith(name));
  for (const [cpu, qemu] of [["i486", "486"], ["pentium", "pentium"]] as const) {
    const theirs = onQemu(kernel, qemu, folder);
    const ours = onPtmap(kernel, cpu, "model");
    t.equal(ours.length, theirs.length);
    t.ok(ours.length > 175, `${cpu}: ${ours.length} lines`);
    for (const [i, line] of theirs.entries()) {
      if (listed(line)) t.not(ours[i], line, `${cpu}: ${line} is still a difference`);
      else t.equal(ours[i], line, `${cpu}: ${line}`);
    }
    t.same(onPtmap(kernel, cpu, "none"), ours, `${cpu}: and so without clocks`);
  }
  const [i486, i386] = [onPtmap(kernel, "i486", "model"), onPtmap(kernel, "i386", "model")];
  // CR0.WP, CMPXCHG and a coprocessor came later.
  const newer = (line: string): boolean => /^(page 000000[2-3]|a compare-exchange|the coprocessor|a read-modify-write of a)/.test(line);
  t.same(i386.filter((line) => !newer(line)), i486.filter((line) => !newer(line)), "i386: but for what came later the same");
});

t.test("a kernel of another compiler does what it does on QEMU", { skip: noTools }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-foreign-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const kernel = buildKernel(folder, "foreign.c", FREESTANDING);
  if (kernel === null) {
    t.plan(0, "gcc cannot build for i386 here");
    return;
  }
  const theirs = onQemu(kernel, "486", folder);
  t.match(theirs.join("\n"), /program 00000002\n  said 00003000\n.*\n  ended 0e000007\ncopies 00000002\nticks enough 00000001/);
  for (const cpu of ["i486", "pentium", "i686"] as const) t.same(onPtmap(kernel, cpu, "model"), theirs, cpu);
});

for (const name of ["bios.bin", "bios-256k.bin"]) {
  const rom = `/usr/share/seabios/${name}`;
  t.test(`SeaBIOS (${name}) starts at the reset vector and looks for a disk`,
    { skip: !existsSync(rom) && `${rom} is not installed` }, async (t) => {
      const log: number[] = [];
      const debugConsoles = [{ port: 0x402, output: (byte: number) => void log.push(byte) }];
      const machine = new Machine({ memorySize: 16 * MB, debugConsoles });
      machine.loadBios(readFileSync(rom), name);
      t.same(machine.run({ maxCycles: 2e8 }), { kind: "budget" });
      const text = Buffer.from(log).toString("latin1");
      t.match(text, /^SeaBIOS \(version /);
      t.match(text, /PS2 keyboard initialized/);
      t.match(text, /No bootable device/);
    });
}
