// The coprocessor: its exceptions and how they reach the processor, its
// disassembly. What its instructions do is compared in vectors.test.ts.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { Test } from "tap";
import type { CoprocessorLines } from "../../emu/cpu/interface.js";
import { CR0_BIT } from "../../emu/cpu/state.js";
import { MB, Machine } from "../../emu/machine.js";
import { CoprocessorError } from "../../emu/dev/coprocessor_error.js";
import { randomFrom } from "./cpu_rig.js";
import type { RigOptions } from "./cpu_rig.js";
import { differencesFromObjdump } from "./objdump.js";
import { IMAGE_BYTES } from "./vectors/vector.js";
import { AT, ProtectedRig } from "./protected_rig.js";
import { buildX87Guest } from "./x87_guest.js";

const SEED = 19870616;
const IMAGE = 0x201000;
const DATA = 0x200000;
const EACH = process.env.PTMAP_LONG !== undefined ? 2000 : 40;

const little = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
const FRSTOR = [0xdd, 0x25, ...little(IMAGE)];
const lines: CoprocessorLines = { error: () => undefined, ignored: () => false };

/** A rig with coprocessor and handlers that halt for the vectors given. */
function rigWith(vectors: readonly number[], options: RigOptions = {}): ProtectedRig {
  const rig = new ProtectedRig({ model: "i486", coprocessor: lines, ...options });
  for (const vector of vectors) rig.haltingHandler(vector);
  return rig;
}

/** Vector of the halting handler at which a rig stopped. */
function vectorOf(rig: ProtectedRig): number {
  return (rig.cpu.eip - 1 - AT.HANDLERS) / 16;
}

const { MP, EM, TS, NE } = CR0_BIT;

t.test("escapes and WAIT raise #NM as CR0 tells", async (t) => {
  const cases = [
    { title: "an escape with EM", code: "d9e8 f4", cr0: EM, vector: 7 },
    { title: "an escape with TS", code: "d9e8 f4", cr0: TS, vector: 7 },
    { title: "FNSTSW AX with TS", code: "dfe0 f4", cr0: TS, vector: 7 },
    { title: "WAIT with TS alone", code: "9b f4", cr0: TS, vector: -1 },
    { title: "WAIT with EM", code: "9b f4", cr0: EM, vector: -1 },
    { title: "WAIT with MP and TS", code: "9b f4", cr0: MP | TS, vector: 7 },
    { title: "an escape with MP", code: "d9e8 f4", cr0: MP, vector: -1 },
    { title: "an undefined escape", code: "d9d1 f4", cr0: 0, vector: 6 },
  ];
  for (const { title, code, cr0, vector } of cases) {
    const rig = rigWith([6, 7]);
    const end = rig.code(AT.CODE, code);
    rig.cpu.cr0 |= cr0;
    t.equal(rig.run().kind, "halt", title);
    t.equal(vector < 0 ? rig.cpu.eip - end : vectorOf(rig), vector < 0 ? 0 : vector, title);
    if (vector >= 0) t.equal(rig.stackWords(1)[0], AT.CODE, `${title}: the frame has the escape's address`);
  }
});

t.test("without a coprocessor an escape does nothing and leaves memory alone", async (t) => {
  for (const model of ["i386", "i486"] as const) {
    const rig = new ProtectedRig({ model });
    const end = rig.code(AT.CODE, "dbe3 dd3d00000800 9b d9d1 f4");
    rig.setWord(AT.DATA, 0x5a5a5a5a);
    t.equal(rig.run().kind, "halt");
    t.equal(rig.cpu.eip, end);
    t.equal(rig.word(AT.DATA), 0x5a5a5a5a);
  }
});

// Unmask division by zero; 1 / 0; an instruction that does not wait, then one that does.
const DIVIDE_BY_ZERO = "dbe3 d92d00000800 d9e8 d9ee def9 dfe0 89c3 d9e8 f4";
const WAITING = AT.CODE + 18;

t.test("an unmasked error is #MF before the next waiting instruction when CR0.NE is set", async (t) => {
  const rig = rigWith([16]);
  rig.code(AT.CODE, DIVIDE_BY_ZERO);
  rig.setWord(AT.DATA, 0x37b);
  rig.cpu.cr0 |= NE;
  t.equal(rig.run().kind, "halt");
  t.equal(vectorOf(rig), 16);
  t.equal(rig.stackWords(1)[0], WAITING, "the frame has the waiting instruction's address");
  t.equal(rig.cpu.registers[3] & 0xffff, 0xb084, "the status tells the error before it is reported");
});

t.test("with CR0.NE clear the error line interrupts, and the processor stands until then", async (t) => {
  for (const model of ["i386", "i486"] as const) {
    const events: boolean[] = [];
    let ignored = false;
    const rig: ProtectedRig = new ProtectedRig({
      model,
      coprocessor: { error: (asserted) => { events.push(asserted); }, ignored: () => ignored },
    });
    const end = rig.code(AT.CODE, `fb ${DIVIDE_BY_ZERO}`);
    rig.setWord(AT.DATA, 0x37b);
    // The handler: FNCLEX, IRET.
    rig.put(AT.HANDLERS, [0xdb, 0xe2, 0xcf]);
    rig.gate(0x75, AT.HANDLERS);
    t.equal(rig.run().kind, "halt");
    t.equal(rig.cpu.eip, WAITING + 1, `${model}: stands before the waiting instruction`);
    t.equal(events[0], true);
    rig.requests.push(0x75);
    rig.cpu.requestInterruptCheck();
    t.equal(rig.run().kind, "halt");
    t.equal(rig.cpu.eip, end, `${model}: goes on after the handler`);
    t.equal(events.at(-1), false, "FNCLEX releases the line");
    ignored = true;
    rig.cpu.eip = AT.CODE;
    t.equal(rig.run().kind, "halt");
    t.equal(rig.cpu.eip, end, `${model}: an ignored error stops nothing`);
  }
});

t.test("the latch of the board drives its line until port F0 is written", async (t) => {
  const levels: boolean[] = [];
  const latch = new CoprocessorError((level) => { levels.push(level); });
  latch.error(true);
  latch.writeByte();
  t.equal(latch.ignored(), true);
  latch.error(true);
  latch.error(false);
  t.equal(latch.ignored(), false);
  latch.error(true);
  latch.error(false);
  t.same(levels, [true, false, true], "clearing the error alone does not clear the latch");
});

t.test("a page fault in an x87 operand leaves the coprocessor as it was", async (t) => {
  for (const code of ["dd3500f0ff00", "dd1d00f0ff00", "d80500f0ff00", "db3d00f0ff00"]) {
    const rig = rigWith([14]);
    rig.page();
    // FLD1, then an access at 0xFFF000 that goes nowhere.
    rig.code(AT.CODE, `dbe3 d9e8 ${code} f4`);
    rig.setWord(AT.DIRECTORY + 12, 0);
    const address = code.slice(4).replace("ff00", "ff0c");
    rig.code(AT.CODE, `dbe3 d9e8 ${code.slice(0, 4)}${address} f4`);
    rig.put(AT.HANDLERS + 14 * 16, [0xdf, 0xe0, 0xf4]);
    t.equal(rig.run().kind, "halt");
    t.equal(rig.cpu.registers[0] & 0xffff, 0x3800, `${code}: one value is on the stack`);
  }
});

t.test("the environment of real mode holds linear addresses", async (t) => {
  const rig = new ProtectedRig({ model: "i486", coprocessor: lines });
  // FNINIT; FLD dword [data]; FNSTENV: executed in 16-bit code at 1234:0.
  rig.cpu.cr0 &= ~1;
  const segment = { limit: 0xffff, attributes: 0x9300 };
  rig.cpu.setSegment(1, { ...segment, selector: 0x1234, base: 0x12340 });
  rig.cpu.setSegment(3, { ...segment, selector: 0x2345, base: 0x23450 });
  rig.code(0x12340, "dbe3 d9061000 d9362000 66d9364000 f4");
  rig.cpu.eip = 0;
  t.equal(rig.run().kind, "halt");
  const at = 0x23450 + 0x20;
  const words = Array.from({ length: 7 }, (_, i) => rig.view.getUint16(at + i * 2, true));
  t.same(words, [0x37f, 0x3800, words[2], 0x2342, 0x1106, 0x3460, 0x2000]);
  t.same([0, 1, 3, 4, 5, 6].map((i) => rig.word(0x23450 + 0x40 + i * 4)),
    [0xffff037f, 0xffff3800, 0xffff2342, 0x1106, 0xffff3460, 0x2000]);
});

t.test("x87 clocks are those of the tables", async (t) => {
  const cases = [
    ["d9e8", 22, 4], ["d8c1", 29, 14], ["d80500000800", 28, 14], ["dc0d00000800", 45, 14], ["d9fa", 126, 85],
    ["d9c9", 18, 4], ["dd1d00000800", 45, 8], ["9b", 6, 3],
  ] as const;
  for (const [code, i386, i486] of cases) {
    for (const [model, clocks] of [["i386", i386], ["i486", i486]] as const) {
      const rig = new ProtectedRig({ model, coprocessor: lines });
      rig.code(AT.CODE, code);
      const before = rig.cpu.cycles;
      rig.steps(1);
      t.equal(rig.cpu.cycles - before, clocks, `${code} on ${model}`);
    }
  }
});

/** All escapes: each memory form with and without a prefix, each register form. */
function allEscapes(): number[][] {
  const escapes = [0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf];
  return escapes.flatMap((escape) => [
    ...Array.from({ length: 64 }, (_, i) => [escape, 0xc0 + i]),
    ...Array.from({ length: 8 }, (_, digit) => [[], [0x66], [0x65], [0xf3]].map((prefix) =>
      [...prefix, escape, 0x44 | (digit << 3), 0x8b, 0x10])).flat(),
  ]);
}

/** FISTTP came with SSE3, FRSTPM was the 287's alone: the table has neither. */
const FOREIGN = /^(\S+ )?(fisttp|frstpm)/;

for (const syntax of ["att", "intel"] as const) {
  t.test(`the disassembler writes what objdump writes for every escape, in ${syntax} syntax`, async (t) => {
    const wrong = differencesFromObjdump(allEscapes(), syntax, FOREIGN);
    if (wrong === undefined) t.plan(0, "objdump is not here");
    else t.same(wrong, []);
  });
}

const qemuAbsent = spawnSync("qemu-system-i386", ["--version"]).status !== 0 && "qemu-system-i386 is not installed";

/** What the guest prints on our machine. */
function outputOfGuest(t: Test, folder: string): string {
  const output: number[] = [];
  const machine = new Machine({ memorySize: 16 * MB, cpu: "i486", onSerialOutput: (byte) => output.push(byte) });
  machine.loadMultiboot({ kernel: readFileSync(join(folder, "guest.elf")), kernelName: "guest.elf" });
  t.same(machine.run({ maxCycles: 1e7 }), { kind: "exit", code: 0 });
  return Buffer.from(output).toString("latin1");
}

t.test("a guest meets #NM, #MF and #UD as on QEMU", { skip: qemuAbsent }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "x87-guest-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  if (!buildX87Guest(folder, false)) {
    t.plan(0, "gcc -m32 is not here");
    return;
  }
  const options = ["-M", "pc", "-cpu", "486", "-m", "16", "-nodefaults", "-display", "none", "-serial", "file:out",
    "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", "guest.elf"];
  const run = spawnSync("qemu-system-i386", options, { cwd: folder, timeout: 60000 });
  t.equal(run.status, 1, String(run.stderr));
  t.equal(outputOfGuest(t, folder), readFileSync(join(folder, "out")).toString("latin1"));
});

t.test("a guest without CR0.NE meets interrupt 13, and port F0 lets it go on", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "x87-guest-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  if (!buildX87Guest(folder, true)) {
    t.plan(0, "gcc -m32 is not here");
    return;
  }
  const output = outputOfGuest(t, folder);
  // Each `i` is an interrupt with the status it saw; the second leaves its error, which is met no more until cleared.
  const words = "(?:[^])(?:[^])";
  t.match(output, new RegExp(`^TnnEnN${words}m${words}\\x9b${words}${words}I`));
  t.match(output.slice(output.indexOf("I")),
    /^Ii\x84\xb0\x00\x30\x01Gi\x84\xa0\x84\xa0\x02i\x84\x90\x00\x10\x03Uu/);
});

t.test(`any state and any escape end in the next instruction or in a fault (seed ${SEED})`, async (t) => {
  const random = randomFrom(SEED + 2);
  const rig = rigWith([6, 16], { model: "i686" });
  rig.cpu.cr0 |= NE;
  const image = new Uint8Array(IMAGE_BYTES);
  const strays: string[] = [];
  for (let i = 0; i < EACH * 100; i++) {
    image.forEach((_, k) => { image[k] = random() & 0xff; });
    // Half of the exponents near the ends and the middle of their range.
    for (let k = 0; k < 8; k++) if ((random() & 1) !== 0) image[28 + k * 10 + 9] = [0, 0x7f, 0x3f, 0xc0][random() & 3];
    if ((random() & 3) !== 0) image[0] |= 0x3f;
    const escape = [0xd8 | (random() & 7), (random() & 0xff) | ((random() & 1) !== 0 ? 0xc0 : 0)];
    const isRegister = escape[1] >= 0xc0;
    const operand = isRegister ? [] : little(DATA);
    if (!isRegister) escape[1] = (escape[1] & 0x38) | 5;
    const code = [...FRSTOR, ...escape, ...operand];
    rig.put(AT.CODE, code);
    rig.put(IMAGE, image);
    rig.put(DATA, image);
    rig.cpu.eip = AT.CODE;
    rig.cpu.registers[4] = AT.KERNEL_STACK;
    rig.cpu.step();
    rig.cpu.step();
    const at = rig.cpu.eip;
    const faulted = [6, 16].some((vector) => at === AT.HANDLERS + vector * 16);
    const text = `${Buffer.from(code).toString("hex")} at ${at.toString(16)}`;
    if (at !== AT.CODE + code.length && !faulted) strays.push(text);
    // The next state is not to find this one's error.
    rig.put(AT.CODE, [0xdb, 0xe3]);
    rig.cpu.eip = AT.CODE;
    rig.cpu.step();
  }
  t.same(strays, []);
});

t.test("a debugger reads and sets the coprocessor's registers", async (t) => {
  const rig = rigWith([]);
  const end = rig.code(AT.CODE, "dec1 f4");
  const state = rig.cpu.getCoprocessor()!;
  t.equal(state.CW, 0x37f);
  t.equal(state.TW, 0xffff);
  Object.assign(state, { SW: 0x3000, TW: 0x0fff });
  state.ST[0] = { signExponent: 0x3fff, significand: 1n << 63n };
  state.ST[1] = { signExponent: 0x4000, significand: 1n << 63n };
  rig.cpu.setCoprocessor(state);
  t.equal(rig.run().kind, "halt");
  t.equal(rig.cpu.eip, end);
  const after = rig.cpu.getCoprocessor()!;
  t.same(after.ST[0], { signExponent: 0x4000, significand: 3n << 62n }, "1 + 2");
  t.same([after.SW, after.TW, after.FIP], [0x3800, 0x3fff, AT.CODE]);
  t.equal(new ProtectedRig().cpu.getCoprocessor(), undefined);
});
