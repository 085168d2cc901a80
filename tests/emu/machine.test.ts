// The loaders and whole machines: images refused and loaded, runs that end in each way, equal runs.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { ConfigError, Machine, type MachineConfig, type RunResult } from "../../emu/index.js";
import { elfSymbols, readElf32 } from "../../emu/loader/elf.js";
import { LoaderError } from "../../emu/loader/error.js";
import { memoryMap } from "../../emu/loader/memory_map.js";
import { loadMultiboot } from "../../emu/loader/multiboot.js";
import { dumpCode, elfImage, kernelOf, multibootHeader, tickingKernel } from "./images.js";

const MB = 1 << 20;

t.test("ELF files", async (t) => {
  const good = kernelOf(new Uint8Array(100));
  const patched = (change: (image: Uint8Array) => void): Uint8Array => {
    const image = good.slice();
    change(image);
    return image;
  };
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["an empty file", new Uint8Array(0), /^k: the file is empty; /],
    ["a text file", new TextEncoder().encode("#!/bin/sh\n"), /^k: not an ELF file; /],
    ["a header cut short", good.slice(0, 40), /^k: truncated: the ELF header/],
    ["a 64-bit file", patched((i) => void (i[4] = 2)), /^k: a 64-bit ELF file; give a 32-bit i386 ELF kernel$/],
    ["a big-endian file", patched((i) => void (i[5] = 2)), /^k: a big-endian/],
    ["a file for another machine", patched((i) => void (i[18] = 40)), /^k: an ELF file for machine 40, not/],
    ["a segment cut short", good.slice(0, 4200), /^k: truncated: segment 0 ends at 4212 of 4200 bytes; /],
    ["program headers beyond the end", patched((i) => void (i[30] = 1)), /^k: truncated: program headers/],
    ["a segment larger in the file", patched((i) => void i.fill(0, 72, 76)), /larger in the file than in memory/],
  ];
  for (const [what, image, message] of cases) {
    t.throws(() => readElf32(image, "k"), { name: "LoaderError", message }, what);
  }
  t.equal(readElf32(good, "k").e_entry, 0x100010);
  t.same(elfSymbols(readElf32(good, "k")), []);
});

/** Loads a kernel that is to be refused. */
function refuse(kernel: Uint8Array): void {
  loadMultiboot(new Uint8Array(64 * MB), { kernel, kernelName: "k" });
}

t.test("Multiboot refusals are one line each", async (t) => {
  const text = (header: Uint8Array, at = 0): Uint8Array => {
    const bytes = new Uint8Array(at + 64);
    bytes.set(header, at);
    return bytes;
  };
  const headerOnly = elfImage(0, []);
  headerOnly.set(multibootHeader(3), 100);
  const wrongSum = multibootHeader(3);
  wrongSum[8]! ^= 1;
  const elf = (bytes: Uint8Array, paddr = 0x100000): Uint8Array =>
    elfImage(0x100000, [{ vaddr: 0x100000, paddr, bytes }]);
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["an empty file", new Uint8Array(0), /^k: the file is empty; /],
    ["a text file", new TextEncoder().encode("hello"), /^k: no Multiboot header; /],
    ["an ELF file without a header", elf(new Uint8Array(64)), /^k: no Multiboot header; give a kernel with/],
    ["a header too far into the file", elf(text(multibootHeader(3), 8192)), /^k: no Multiboot header; /],
    ["a wrong checksum", elf(text(wrongSum)), /^k: the Multiboot header at offset 4096 has a wrong checksum; /],
    ["a video mode wanted", elf(text(multibootHeader(4))), /^k: its Multiboot header requires features 0x4 /],
    ["a kernel above the memory", elf(text(multibootHeader(3)), 0x10000000), /does not fit into 64 MB.*; give the/],
    ["a kernel over the information", elf(text(multibootHeader(3)), 0x9000), /covers the boot information; link/],
    ["a 64-bit kernel", elf(text(multibootHeader(3))).fill(2, 4, 5), /^k: a 64-bit ELF file; /],
    ["address fields of nonsense", text(multibootHeader(0x10003)).fill(0xee, 12, 16), /the address fields/],
    ["nothing to load", headerOnly, /nothing/],
  ];
  for (const [what, kernel, message] of cases) {
    try {
      refuse(kernel);
      t.fail(what);
    } catch (error) {
      t.ok(error instanceof LoaderError, what);
      t.match((error as Error).message, message, what);
      t.notMatch((error as Error).message, /\n/);
    }
  }
  t.throws(
    () => {
      const big = { bytes: new Uint8Array(63 * MB), string: "root" };
      loadMultiboot(new Uint8Array(64 * MB), { kernel: kernelOf(new Uint8Array(4)), kernelName: "k", modules: [big] });
    },
    { message: /^root: the module at .* does not fit into 64 MB of memory; give the machine 66 MB$/ },
  );
});

t.test("Multiboot loading", async (t) => {
  t.test("by the header's address fields", async (t) => {
    const image = new Uint8Array(0x200);
    const view = new DataView(image.buffer);
    image.set(multibootHeader(0x10003), 0x100);
    [0x200100, 0x200080, 0x200180, 0x200400, 0x200123].forEach((word, i) => view.setUint32(0x10c + 4 * i, word, true));
    image[0x80] = 0xaa;
    const memory = new Uint8Array(16 * MB).fill(0x55);
    const state = loadMultiboot(memory, { kernel: image, kernelName: "flat" });
    t.same(state, { EIP: 0x200123, EAX: 0x2badb002, EBX: 0x9500 });
    t.equal(memory[0x200080], 0xaa);
    t.same([memory[0x2003ff], memory[0x200400]], [0, 0x55], "bss is cleared");
  });

  t.test("an entry at a virtual address becomes the physical one", async (t) => {
    const state = loadMultiboot(new Uint8Array(16 * MB), {
      kernel: kernelOf(new Uint8Array(4), 3, 0xc0100000),
      kernelName: "high",
    });
    t.equal(state.EIP, 0x100010);
  });

  t.test("the memory map is QEMU's", async (t) => {
    // Recorded on QEMU 7.2 (pc, SeaBIOS): base, length, type.
    const recorded = (size: number): string[] => [
      "0 9fc00 1",
      "9fc00 400 2",
      "f0000 10000 2",
      `100000 ${{ 16: "ee0000", 64: "3ee0000", 256: "fee0000" }[size]} 1`,
      `${{ 16: "fe0000", 64: "3fe0000", 256: "ffe0000" }[size]} 20000 2`,
      "fffc0000 40000 2",
    ];
    for (const size of [16, 64, 256]) {
      const got = memoryMap(size * MB).map((r) => `${r.base.toString(16)} ${r.length.toString(16)} ${r.type}`);
      t.same(got, recorded(size), `${size} MB`);
    }
  });
});

const qemuAbsent = spawnSync("qemu-system-i386", ["--version"]).status !== 0 && "qemu-system-i386 is not installed";

t.test("QEMU leaves the same bytes for a kernel as our loader", { skip: qemuAbsent }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-multiboot-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const ranges = [[0x40e, 2], [0x413, 2], [0x9000, 0x90], [0x9500, 120], [0x100000, 0x8000]] as const;
  const modules = [
    { bytes: new Uint8Array(5000).map((_, i) => i * 7), string: "first some arguments" },
    { bytes: new Uint8Array(4096).fill(0x42), string: "second" },
    { bytes: new Uint8Array(1).fill(0x43), string: "third x=1" },
  ];
  const variants = [
    { size: 64, flags: 3, virtual: 0x100000, append: "root=md0 -d", modules },
    { size: 16, flags: 0, virtual: 0xc0100000, append: "", modules: [] },
  ];
  for (const { size, flags, virtual, append, modules } of variants) {
    const kernel = kernelOf(dumpCode(ranges), flags, virtual);
    writeFileSync(join(folder, "kernel.elf"), kernel);
    for (const module of modules) writeFileSync(join(folder, module.string.split(" ")[0]!), module.bytes);
    const machine = ["-M", "pc", "-cpu", "486", "-m", String(size), "-nodefaults", "-display", "none"];
    const devices = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-serial", "file:out"];
    const boot = ["-kernel", "kernel.elf", "-append", append];
    if (modules.length > 0) boot.push("-initrd", modules.map((module) => module.string).join(","));
    const run = spawnSync("qemu-system-i386", [...machine, ...devices, ...boot], { cwd: folder, timeout: 60000 });
    t.equal(run.status, 1, String(run.stderr));
    const memory = new Uint8Array(size * MB);
    const rest = append === "" ? {} : { append };
    loadMultiboot(memory, { kernel, kernelName: "kernel.elf", modules, ...rest });
    const out = readFileSync(join(folder, "out"));
    t.same([...out.subarray(0, 4)], [0xc0, 0x9f, 0x7f, 0x02], "the BIOS data area");
    t.same(out.subarray(4, 4 + 0x90), Buffer.from(memory.subarray(0x9000, 0x9090)), `${size} MB: the memory map`);
    const info = memory.subarray(0x9500, 0x9500 + 120);
    t.same(out.subarray(4 + 0x90, 4 + 0x90 + 120), Buffer.from(info), `${size} MB: the information structure`);
    // Between kernel, table and modules QEMU leaves what its own memory held.
    const word = (at: number): number => new DataView(memory.buffer).getUint32(at, true);
    const table = word(0x9500 + 24);
    const ends = [[0x100000, 0x100000 + 16 + dumpCode(ranges).length + 5000], [table, word(0x9500 + 64) + 5]];
    modules.forEach((_, i) => ends.push([word(table + 16 * i), word(table + 16 * i + 4)]));
    for (const [from, end] of ends as [number, number][]) {
      const got = out.subarray(4 + 0x90 + 120 + from - 0x100000, 4 + 0x90 + 120 + end - 0x100000);
      const ours = Buffer.from(memory.subarray(from, end));
      const first = got.findIndex((byte, i) => byte !== ours[i]);
      const what = `${size} MB: ${got.length} bytes from 0x${from.toString(16)}, differing at ${first}`;
      t.ok(got.length > 0 && first === -1, what);
    }
  }
});

t.test("QEMU runs the ticking kernel of the machine's tests to the same end", { skip: qemuAbsent }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-ticking-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "kernel.elf"), tickingKernel(20, 11932));
  const machine = ["-M", "pc", "-cpu", "486", "-m", "16", "-nodefaults", "-display", "none", "-serial", "null"];
  const clock = ["-icount", "shift=6,sleep=off", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"];
  const options = { cwd: folder, timeout: 60000 };
  const run = spawnSync("qemu-system-i386", [...machine, ...clock, "-kernel", "kernel.elf"], options);
  t.equal(run.status, (7 << 1) | 1, String(run.stderr));
});

/** A machine with a kernel loaded, and what it prints. */
function machineWith(kernel: Uint8Array, config: Partial<MachineConfig> = {}): { machine: Machine; output: number[] } {
  const output: number[] = [];
  const machine = new Machine({ memorySize: 16 * MB, onSerialOutput: (byte) => output.push(byte), ...config });
  machine.loadMultiboot({ kernel, kernelName: "k", append: "x" });
  return { machine, output };
}

t.test("a machine", async (t) => {
  t.test("stops for each reason", async (t) => {
    const run = (code: number[], maxCycles = 1e6): RunResult =>
      machineWith(kernelOf(new Uint8Array(code))).machine.run({ maxCycles });
    t.same(run([0xb0, 3, 0xe6, 0xf4]), { kind: "exit", code: 3 });
    t.same(run([0xb8, 0x78, 0x56, 0x34, 0x12, 0xe7, 0xf4]), { kind: "exit", code: 0x12345678 });
    t.same(run([0xf4]), { kind: "halted" });
    t.same(run([0xb0, 0xfe, 0xe6, 0x64, 0xf4]), { kind: "reset" });
    t.same(run([0xeb, 0xfe]), { kind: "budget" });
    t.match(run([0xcc]), { kind: "tripleFault", report: /./ });
    t.same(run([0xfb, 0xf4, 0xeb, 0xfd], 100_000_000).kind, "tripleFault", "the firmware's timer finds no IDT");
  });

  t.test("runs a kernel that sends its boot information", async (t) => {
    const { machine, output } = machineWith(kernelOf(dumpCode([[0x9000, 0x90], [0x9500, 120]])));
    const expected = [...machine.readPhysical(0x9000, 0x90), ...machine.readPhysical(0x9500, 120)];
    t.same(machine.run(), { kind: "exit", code: 0 });
    t.same(output, expected);
  });

  for (const cpu of ["i386", "i486"] as const) {
    t.test(`${cpu}: timer interrupts come at exact cycles and idle time is skipped`, async (t) => {
      const { machine } = machineWith(tickingKernel(100, 11932), { cpu });
      let programmed = -1;
      machine.setBreakpoint(0x100010 + 19 + 20 + 12, () => {
        programmed = machine.board.timer.timebase.tickAt(machine.cycles);
      });
      t.same(machine.run(), { kind: "exit", code: 7 });
      const last = machine.board.timer.timebase.cycleOf(programmed + 1 + 100 * 11932);
      t.ok(machine.cycles > last && machine.cycles < last + 600, `${machine.cycles - last} cycles after the last tick`);
      const counters = machine.counters();
      t.equal(counters.interrupts, 100);
      t.ok(counters.idleCycles > 0.99 * machine.cycles);
      t.equal(counters.cycles, machine.cycles);
    });
  }

  t.test("gives the same run for the same input, alone or among others", async (t) => {
    const outcome = (machine: Machine, output: number[], result: RunResult): unknown => ({
      result, output: [...output], registers: machine.registers(), counters: machine.counters(),
    });
    const prepare = (): { machine: Machine; output: number[] } => {
      const made = machineWith(tickingKernel(20, 11932));
      made.machine.serialInput(Buffer.from("hello"), 1_234_567);
      made.machine.serialInput(Buffer.from("early "), 1000);
      return made;
    };
    const first = prepare();
    const alone = outcome(first.machine, first.output, first.machine.run());
    t.equal(Buffer.from(first.output).toString(), "early hello");
    const second = prepare();
    t.same(outcome(second.machine, second.output, second.machine.run()), alone);
    const others = [prepare(), prepare()];
    const results: (RunResult | undefined)[] = [undefined, undefined];
    for (let slice = 0; results.includes(undefined); slice++) {
      others.forEach(({ machine }, i) => {
        const result = results[i] ?? machine.run({ maxCycles: 1000 + 977 * ((slice + i) % 7) });
        if (result.kind !== "budget") results[i] = result;
      });
    }
    others.forEach(({ machine, output }, i) => t.same(outcome(machine, output, results[i]!), alone, `in slices ${i}`));
  });

  t.test("stops at breakpoints, steps, and shows its registers and memory", async (t) => {
    const { machine } = machineWith(kernelOf(new Uint8Array([0xb8, 0x2a, 0, 0, 0, 0x40, 0x40, 0xf4])));
    machine.setBreakpoint(0x100016, () => true);
    t.same(machine.run(), { kind: "stopped", reason: "breakpoint", address: 0x100016 });
    t.equal(machine.registers().general.EAX, 0x2b);
    t.equal(machine.registers().EIP, 0x100016);
    t.equal(machine.registers().general.EBX, 0x9500);
    t.same(JSON.parse(JSON.stringify(machine.registers())), machine.registers());
    machine.clearBreakpoint(0x100016);
    t.equal(machine.step(), undefined);
    t.equal(machine.registers().general.EAX, 0x2c);
    t.equal(machine.readLinearWord(0x100011), 0x2a);
    machine.writePhysical(0x500, new Uint8Array([1, 2, 3, 4]));
    t.equal(machine.readLinearWord(0x500), 0x04030201);
    t.same(machine.readPhysical(16 * MB - 1, 3), new Uint8Array([0, 0xff, 0xff]));
    machine.writePhysical(16 * MB - 1, new Uint8Array([9, 9, 9]));
    t.equal(machine.ram.at(-1), 9);
    machine.requestStop("enough");
    t.same(machine.run(), { kind: "stopped", reason: "enough" });
    t.same(machine.run(), { kind: "halted" });
  });

  t.test("refuses a configuration that describes no machine", async (t) => {
    const bad: [Partial<MachineConfig>, RegExp][] = [
      [{ memorySize: 1000 }, /^memory of 1000 bytes: give whole megabytes from 2 to 1024$/],
      [{ memorySize: 4096 * MB }, /^memory of/],
      [{ clockHz: 0.5 }, /^clock of 0.5 Hz: give/],
      [{ rtcBase: "yesterday" }, /^clock base "yesterday": give a date such as 2000-05-27T22:30:55$/],
    ];
    for (const [config, message] of bad) {
      t.throws(() => new Machine({ memorySize: 16 * MB, ...config }), { message });
      t.throws(() => new Machine({ memorySize: 16 * MB, ...config }), ConfigError);
    }
  });
});
