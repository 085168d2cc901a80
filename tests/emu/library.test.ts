// The machine as others import it: the program of docs/library.md, its types, and what a front end may read,
// set and attach.
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { ConfigError, MB, Machine, disassemble } from "../../emu/index.js";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
/** Runs Node without the loader that tap gives its children, under which the compiler does not start. */
function runNode(...args: string[]): SpawnSyncReturns<string> {
  return spawnSync("env", ["-u", "NODE_OPTIONS", process.execPath, ...args], { encoding: "utf8" });
}

const [program, printed] = [...readFileSync(join(ROOT, "docs/library.md"), "utf8").matchAll(/```(?:ts)?\n(.*?)```/gs)]
  .map(([, text]) => text!);

/** A machine that runs `code` at 1000 in flat protected mode. */
function machineWith(...code: number[]): Machine {
  const machine = new Machine({ memorySize: 2 * MB, cpu: "pentium" });
  machine.writePhysical(0x1000, Uint8Array.from(code));
  machine.cpu.resetFlat(0x1000);
  machine.cpu.registers[4] = 0x8000;
  return machine;
}

t.test("the program of the document", async (t) => {
  // Within the package, where its own name leads to it.
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const folder = mkdtempSync(join(ROOT, "build/library-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "program.mjs"), program!);
  const run = runNode(join(folder, "program.mjs"));
  t.equal(run.stdout + run.stderr, printed, "prints what the document says");
  t.ok(program!.trim().split("\n").length <= 22, "is about twenty lines long");

  const types = runNode(join(ROOT, "tools/build/types.mjs"));
  t.equal(types.stdout + types.stderr, "", "the declarations are made without a complaint");
  writeFileSync(join(folder, "program.mts"), program!);
  writeFileSync(join(folder, "mistake.mts"), 'import { Machine } from "ptmap";\nnew Machine({ memorySize: "2M" });\n');
  const check = (file: string) => runNode(
    join(ROOT, "node_modules/typescript/bin/tsc"), join(folder, file), "--noEmit", "--strict", "--ignoreConfig",
    "--target", "es2022", "--lib", "es2022,dom", "--module", "nodenext", "--types", "",
  );
  t.equal(check("program.mts").stdout, "", "the program is well typed for a strict user");
  t.match(check("mistake.mts").stdout, /Type 'string' is not assignable to type 'number'/, "and a mistake is found");
});

t.test("every register can be read and set", async (t) => {
  const { cpu } = machineWith(0xf4);
  for (let n = 0; n < 8; n++) cpu.registers[n] = 0x01010101 * n;
  t.same([...cpu.registers], [0, 1, 2, 3, 4, 5, 6, 7].map((n) => 0x01010101 * n));
  cpu.eflags = 0xad7;
  t.equal(cpu.eflags, 0xad7, "EFLAGS");
  for (const register of ["cr2", "cr3", "eip"] as const) {
    cpu[register] = 0x5000;
    t.equal(cpu[register], 0x5000, register);
  }
  cpu.cr4 = 0x10;
  t.equal(cpu.cr4, 0x10, "CR4");
  for (const n of [0, 1, 2, 3]) {
    cpu.setDebugRegister(n, 0x1000 * n + 0x80000000);
    t.equal(cpu.getDebugRegister(n), 0x1000 * n + 0x80000000, `DR${n}`);
  }
  cpu.setDebugRegister(7, 0x402);
  t.equal(cpu.getDebugRegister(5), 0x402, "DR5 is DR7");
  for (let n = 0; n < 8; n++) {
    const segment = { selector: 8 * n + 8, base: 0x1000 * n, limit: 0xffff + n, attributes: 0x9300 };
    cpu.setSegment(n, segment);
    t.same(cpu.getSegment(n), segment, `segment register ${n}`);
  }
  cpu.setGdtr(0x4000, 0x7f);
  cpu.setIdtr(0x5000, 0x7ff);
  t.same([cpu.gdtr, cpu.idtr], [{ base: 0x4000, limit: 0x7f }, { base: 0x5000, limit: 0x7ff }]);
  const state = cpu.getCoprocessor()!;
  state.ST[0] = { signExponent: 0x3fff, significand: 1n << 63n };
  state.TW &= ~(3 << (2 * ((state.SW >> 11) & 7)));
  cpu.setCoprocessor(state);
  t.same(cpu.getCoprocessor()!.ST[0], { signExponent: 0x3fff, significand: 1n << 63n }, "ST(0)");
});

t.test("CR4 of a model without one stays zero", async (t) => {
  const { cpu } = new Machine({ memorySize: 2 * MB, cpu: "i386" });
  cpu.cr4 = 0x10;
  t.equal(cpu.cr4, 0);
});

t.test("a register set from outside acts at once", async (t) => {
  // An instruction breakpoint on the second nop, and a divide error's gate nowhere: the machine shuts down there.
  const machine = machineWith(0x90, 0x90, 0xf4);
  machine.cpu.setDebugRegister(0, 0x1001);
  machine.cpu.setDebugRegister(7, 0x402);
  t.equal(machine.run().kind, "tripleFault", "the breakpoint of DR0 finds no gate");
  const paged = machineWith(0x90, 0xf4);
  // One directory at 2000, one table at 3000: linear 400000 is physical 1000.
  paged.writePhysical(0x2000, Uint8Array.of(0x03, 0x30, 0, 0, 0x03, 0x30, 0, 0));
  paged.writePhysical(0x3000, Uint8Array.of(0x03, 0x10, 0, 0));
  paged.writePhysical(0x3004, Uint8Array.of(0x03, 0x10, 0, 0));
  paged.cpu.cr3 = 0x2000;
  paged.cpu.cr0 = 0x80000001;
  t.same(paged.readLinear(0x400000, 2), Uint8Array.of(0x90, 0xf4), "linear memory goes through the new tables");
  t.equal(paged.readLinear(0x402000, 1), null, "an absent page is null");
  t.ok(paged.writeLinear(0x400000, Uint8Array.of(0x40)), "writing");
  paged.cpu.eip = 0x400000;
  t.equal(paged.run().kind, "halted");
  t.equal(paged.cpu.registers[0], 1, "the code written through linear addresses ran");
});

t.test("devices of one's own", async (t) => {
  // in $0x90,%al; mov %al,0x80000010; mov 0x80000010,%eax (a doubleword); hlt
  const machine = machineWith(0xe4, 0x90, 0xa2, 0x10, 0, 0, 0x80, 0xa1, 0x10, 0, 0, 0x80, 0xf4);
  const log: string[] = [];
  machine.attachPorts(0x90, 1, { read: (port, size) => (log.push(`in ${port} ${size}`), 7), write: () => {} });
  machine.attachMemory(0x80000000, 0x1000, {
    read: (address, size) => (log.push(`read ${address.toString(16)} ${size}`), 0x12345678),
    write: (address, size, value) => void log.push(`write ${address.toString(16)} ${size} ${value}`),
  });
  t.equal(machine.run().kind, "halted");
  t.same(log, ["in 144 1", "write 80000010 1 7", "read 80000010 4"]);
  t.equal(machine.cpu.registers[0], 0x12345678);
  t.throws(() => machine.attachPorts(0x40, 4, { read: () => 0, write: () => {} }),
    new ConfigError("port 0x40 belongs to a chip of the board"));
  t.throws(() => machine.attachMemory(0x1000, 16, { read: () => 0, write: () => {} }), { name: "ConfigError" });
});

t.test("memory that nobody has reads all ones, the place of a local APIC included", async (t) => {
  // mov 0xfee00030,%eax; mov %eax,0xfee00030; hlt
  const machine = machineWith(0xa1, 0x30, 0, 0xe0, 0xfe, 0xa3, 0x30, 0, 0xe0, 0xfe, 0xf4);
  t.equal(machine.run().kind, "halted");
  t.equal(machine.cpu.registers[0], -1);
});

t.test("a timer and an interrupt line", async (t) => {
  // mov $0xfe,%al; out %al,$0x21 (only line 0); sti; hlt; hlt with the gate of vector 8 at 1020: inc %ecx; iret
  const machine = machineWith(0xb0, 0xdf, 0xe6, 0x21, 0xfb, 0xf4, 0xfa, 0xf4);
  machine.writePhysical(0x1020, Uint8Array.of(0x41, 0xcf));
  // A GDT with the flat code segment that the interrupt loads, and the gate of line 5 (vector 0d after a reset).
  machine.writePhysical(0x3008, Uint8Array.of(0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0));
  machine.cpu.setGdtr(0x3000, 15);
  const vector = machine.registers().devices.i8259!;
  t.ok(vector, "the interrupt controller shows its registers");
  for (let n = 0; n < 256; n++) {
    machine.writePhysical(0x4000 + 8 * n, Uint8Array.of(0x20, 0x10, 8, 0, 0, 0x8e, 0, 0));
  }
  machine.cpu.setIdtr(0x4000, 0x7ff);
  const fired: number[] = [];
  const timer = machine.timer((cycle) => {
    fired.push(cycle);
    machine.setInterruptLine(5, true);
  });
  timer.set(5000);
  t.equal(machine.run().kind, "halted");
  t.same(fired, [5000], "fires in its cycle, once");
  t.equal(machine.cpu.registers[1], 1, "and the interrupt ended the halt");
});

t.test("runUntil and run stop for the same reasons", async (t) => {
  const spin = () => machineWith(0xeb, 0xfe);
  t.same(spin().runUntil(() => false, { maxCycles: 1000 }), { kind: "budget" });
  t.same(spin().run({ maxCycles: 1000 }), { kind: "budget" });
  const halting = () => machineWith(0x40, 0xf4);
  t.same(halting().runUntil(() => false), halting().run());
  t.same(halting().runUntil((machine) => machine.cpu.registers[0] === 1), { kind: "stopped", reason: "condition" });
});

t.test("disassembly", async (t) => {
  const bytes = [0x8b, 0x04, 0xb5, 0, 0, 0xc0, 0xbf];
  const { text, length } = disassemble((offset) => bytes[offset] ?? 0, 0x1000);
  t.equal(length, 7);
  t.match(text, /^mov +-0x40400000\(,%esi,4\),%eax$/);
});
