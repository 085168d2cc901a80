// Whatever bytes, descriptors and page tables a guest has: no exception of the
// host language leaves emu/, nothing outside the guest's RAM is touched, and the
// processor's own state stays sound. A failure names the seed that repeats it.

import t from "tap";
import { MODELS, OPCODES, encodingOf } from "../../emu/cpu/opcodes.js";
import type { Model } from "../../emu/cpu/opcodes.js";
import { LINEAR_PAGES, ZERO } from "../../emu/cpu/state.js";
import { randomFrom } from "./cpu_rig.js";
import { AT, ProtectedRig, SELECTOR } from "./protected_rig.js";

const SEED = Number(process.env["SEED"] ?? 19851017);
const long = process.env["PTMAP_LONG"] !== undefined;
if (long) t.setTimeout(3_600_000);
const LONG_INSTRUCTIONS = 10_000_000;
const SHORT_INSTRUCTIONS = 100_000;
const LEAST_MACHINES = 25;
const STEP = 7919;

type Random = () => number;

/** Not a multiple of 64 KB: bytes between RAM and the processor's state tell of accesses past the end. */
const RAM_BYTES = (2 << 20) + 0x5000;
const GUARD = 0xa5;
/** Words of the state that nothing uses. */
const FIRST_UNUSED_WORD = 128;
const CODE_BYTES = 1024;

/** Instructions of the table with random fields, now and then any bytes. */
function someCode(random: Random): number[] {
  const bytes: number[] = [];
  while (bytes.length < CODE_BYTES) {
    if (random() % 4 === 0) {
      for (let i = random() % 8; i >= 0; i--) bytes.push(random() & 0xff);
      continue;
    }
    const { bytes: opcode, modrm, digit, immediates } = encodingOf(OPCODES[random() % OPCODES.length]!);
    if (random() % 6 === 0) bytes.push([0x66, 0x67, 0xf3, 0x2e, 0x64][random() % 5]!);
    bytes.push(...opcode);
    if (modrm) bytes.push(digit < 0 ? random() & 0xff : (random() & 0xc7) | (digit << 3));
    for (let i = immediates.length * (random() % 5); i > 0; i--) bytes.push(random() % 3 === 0 ? random() & 0xff : 0);
  }
  return bytes.slice(0, CODE_BYTES);
}

/** A handler: any code, or one that skips some bytes after the event and returns. */
function someHandler(random: Random): number[] {
  if (random() % 3 === 0) return someCode(random).slice(0, 16);
  // With an error code on the stack or without: ADD [ESP], n or ADD ESP, 4; then IRET.
  const skip = [0x83, 0x04, 0x24, 1 + (random() % 6), 0xcf];
  return random() % 2 === 0 ? skip : [0x83, 0xc4, 0x04, ...skip];
}

function someTables(rig: ProtectedRig, random: Random): void {
  for (let at = AT.GDT; at < AT.GDT + 0x60; at += 8) if (random() % 4 === 0) rig.setWord(at, random(), random());
  for (let vector = 0; vector < 256; vector++) {
    if (random() % 8 === 0) rig.setWord(AT.IDT + vector * 8, random(), random());
    else rig.gate(vector, AT.HANDLERS + (vector % 64) * 16, [14, 15, 6, 7, 5][random() % 5], random() & 3);
    if (vector < 64) rig.put(AT.HANDLERS + vector * 16, someHandler(random));
  }
  if (random() % 2 !== 0) return;
  rig.page(random() & 7 | 1);
  for (let i = 0; i < 64; i++) rig.setEntry((random() % 1024) << 12, random() & 0x3fffff);
  // Tables of tables: the directory points anywhere, into RAM or not, at large pages or small ones.
  for (let i = random() % 16; i > 0; i--) rig.setWord(AT.DIRECTORY + (random() % 1024) * 4, random());
}

const MODES = ["kernel", "user", "real", "virtual", "sixteen bits"] as const;

function enterMode(rig: ProtectedRig, mode: typeof MODES[number], random: Random): void {
  const { cpu } = rig;
  const segment = { selector: 0x1000, base: 0x10000, limit: 0xffff };
  switch (mode) {
    case "user": rig.user(); break;
    case "real":
      cpu.reset();
      for (let i = 0; i < 6; i++) cpu.setSegment(i, { ...segment, attributes: 0x9300 });
      break;
    case "virtual":
      rig.user(0);
      cpu.eflags = 0x20202 | (random() & 0x3000);
      for (let i = 0; i < 6; i++) cpu.setSegment(i, { ...segment, attributes: 0xf300 });
      break;
    case "sixteen bits":
      cpu.setSegment(1, { selector: SELECTOR.KERNEL_CODE, base: 0, limit: 0x1ffff, attributes: 0x9b00 });
      break;
    default:
  }
}

/** Any state: descriptors, gates, page tables, code and registers, in one of the modes. */
function someRig(random: Random, model: Model): ProtectedRig {
  const lines = { error: () => undefined, ignored: () => random() % 2 === 0 };
  const rig = new ProtectedRig({ model, ramSize: RAM_BYTES, timing: random() % 2 === 0 ? "model" : "none",
    ...(random() % 4 === 0 ? {} : { coprocessor: lines }) });
  someTables(rig, random);
  for (const base of [AT.CODE, AT.USER_CODE]) rig.put(base, someCode(random));
  enterMode(rig, MODES[random() % MODES.length]!, random);
  // What the processor has nowhere else to go to when it leaves RAM.
  rig.cpu.setPhysicalSpace({
    read: (address, size) => {
      checkOutside(address, size);
      return random() | 0;
    },
    write: checkOutside,
  });
  for (let i = 0; i < 64; i++) rig.ports.set(i, random());
  if (random() % 4 === 0) rig.cpu.state.S.set(Array.from({ length: 4 }, () => AT.DATA + (random() & 0xff)), 32);
  return rig;
}

/** The space outside RAM is asked about what is not wholly in RAM, by 1, 2 or 4 bytes. */
function checkOutside(address: number, size: number): void {
  if (![1, 2, 4].includes(size)) throw new Error(`an access of ${size} bytes at ${address.toString(16)}`);
  if (address < 0 || address + size <= RAM_BYTES) throw new Error(`an access outside RAM at ${address.toString(16)}`);
}

function shuffle(rig: ProtectedRig, random: Random): void {
  const { cpu } = rig;
  for (let i = 0; i < 8; i++) cpu.registers[i] = random() % 3 === 0 ? random() : random() & 0x1fffff;
  if (random() % 2 === 0) cpu.registers[4] = (AT.KERNEL_STACK - (random() & 0xfff)) & ~3;
  cpu.eip = [AT.CODE, AT.USER_CODE, 0, AT.HANDLERS][random() % 4]! + random() % CODE_BYTES;
  if (random() % 8 === 0) cpu.eflags = cpu.eflags | 0x100;
  if (random() % 4 === 0) {
    rig.requests.push(random() & 0xff);
    cpu.requestInterruptCheck();
  }
}

/** What is wrong with the processor's own state: translations lead into RAM, what is constant or unused is as it was. */
function complaints(rig: ProtectedRig): string[] {
  const { state, cycles, instructions } = rig.cpu;
  const wrong: string[] = [];
  for (const entries of [state.tlbRead, state.tlbWrite]) {
    for (let i = 0; i < entries.length; i++) {
      const delta = entries[i]!;
      if (delta === -1) continue;
      const physical = ((i % LINEAR_PAGES) * 4096 + delta) >>> 0;
      const leads = `page ${i.toString(16)} leads to ${physical.toString(16)}`;
      if ((delta & 0xfff) !== 0 || physical >= RAM_BYTES) wrong.push(leads);
    }
  }
  if (state.regs[ZERO] !== 0) wrong.push("the register that reads zero does not");
  const unused = state.S.subarray(FIRST_UNUSED_WORD);
  if (unused.some((word) => word !== 0)) wrong.push("an unused word of the state was written");
  const guard = new Uint8Array(state.mem8.buffer, RAM_BYTES, -RAM_BYTES & 0xffff);
  if (guard.some((byte) => byte !== GUARD)) wrong.push("bytes behind RAM were written");
  const counted = Number.isSafeInteger(cycles) && Number.isSafeInteger(instructions);
  if (!counted) wrong.push(`${cycles} cycles, ${instructions} instructions`);
  return wrong;
}

/** One machine from a seed. Returns how many instructions it executed; throws what is wrong. */
function round(seed: number): number {
  const random = randomFrom(seed);
  const rig = someRig(random, MODELS[random() % MODELS.length]!);
  const { cpu } = rig;
  new Uint8Array(cpu.state.mem8.buffer, RAM_BYTES, -RAM_BYTES & 0xffff).fill(GUARD);
  for (let i = 0; i < 60; i++) {
    shuffle(rig, random);
    const reason = random() % 8 === 0 ? rig.steps(50) : rig.run(random() % 4000);
    if (reason?.kind === "shutdown") break;
  }
  const wrong = complaints(rig);
  if (wrong.length > 0) throw new Error(wrong.slice(0, 5).join("; "));
  return cpu.instructions;
}

t.test(`random machines harm nothing (SEED=${SEED})`, async (t) => {
  const wanted = Number(process.env["INSTRUCTIONS"] ?? (long ? LONG_INSTRUCTIONS : SHORT_INSTRUCTIONS));
  const least = Number(process.env["MACHINES"] ?? LEAST_MACHINES);
  let executed = 0;
  let rounds = 0;
  const wrong: string[] = [];
  for (let seed = SEED; (executed < wanted || rounds < least) && wrong.length < 10; seed = (seed + STEP) >>> 0) {
    rounds++;
    try {
      executed += round(seed);
    } catch (error) {
      wrong.push(`SEED=${seed} INSTRUCTIONS=1 MACHINES=1: ${(error as Error).stack}`);
    }
  }
  t.same(wrong, [], `${executed} instructions in ${rounds} machines`);
});
