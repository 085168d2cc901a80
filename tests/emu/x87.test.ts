// The coprocessor: its instructions against the host's own, its exceptions
// and how they reach the processor, its disassembly.

import t from "tap";
import type { Test } from "tap";
import type { CoprocessorLines } from "../../emu/cpu/interface.js";
import { CpuRig, randomFrom } from "./cpu_rig.js";
import { DATA_BYTES, IMAGE_BYTES, X87_CODE, X87_DATA, runNativeX87 } from "./native_x87.js";
import type { X87Output } from "./native_x87.js";
import { TRANSCENDENTAL, describe, x87Cases } from "./x87_cases.js";
import type { X87Case } from "./x87_cases.js";

const SEED = 19870616;
const IMAGE = 0x201000;
const RESULT = 0x202000;

const little = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
const FRSTOR = [0xdd, 0x25, ...little(IMAGE)];
const FNSAVE = [0xdd, 0x35, ...little(RESULT)];
const lines: CoprocessorLines = { error: () => undefined, ignored: () => false };

function runEmulated(rig: CpuRig, { code, image, data }: X87Case): X87Output {
  const { cpu, ram } = rig;
  rig.put(X87_CODE - FRSTOR.length, [...FRSTOR, ...code]);
  rig.put(X87_CODE + code.length, FNSAVE);
  rig.put(IMAGE, image);
  rig.put(X87_DATA, data);
  cpu.registers[0] = 0;
  cpu.eip = X87_CODE - FRSTOR.length;
  for (let i = 0; i < 3; i++) cpu.step();
  return {
    image: ram.slice(RESULT, RESULT + IMAGE_BYTES),
    data: ram.slice(X87_DATA, X87_DATA + DATA_BYTES),
    eax: cpu.registers[0],
  };
}

/** Selectors differ between the machines. */
const SELECTORS = [16, 17, 24, 25];
const CONDITIONS = 0x4500;

function word(image: Uint8Array, at: number): number {
  return image[at] | (image[at + 1] << 8);
}

/** A comparison whose invalid operand traps: the SDM leaves the conditions unset, some processors set them. */
function trapsInvalidComparison({ row }: X87Case, image: Uint8Array): boolean {
  const trapped = word(image, 4) & ~word(image, 0);
  return /^f(u|i)?com|^ftst/.test(row.mnemonic) && (trapped & 1) !== 0;
}

/** Bytes of the images that are to agree, as text. */
function comparable(input: X87Case, { image, data, eax }: X87Output): string {
  const shown = Uint8Array.from(image, (byte, i) => (SELECTORS.includes(i) ? 0 : byte));
  if (trapsInvalidComparison(input, image)) shown[5] &= ~(CONDITIONS >> 8);
  return `${Buffer.from(shown).toString("hex")} ${Buffer.from(data).toString("hex")} ${eax}`;
}

const bigOf = (image: Uint8Array, i: number): bigint =>
  new DataView(image.buffer, image.byteOffset).getBigUint64(28 + i * 10, true);

/** Results that agree but for one unit in the last place of ST(0) and ST(1); C1 and the condition bits aside. */
function close(mine: X87Output, theirs: X87Output): boolean {
  const flags = (image: Uint8Array): number => word(image, 4) & ~0x4700;
  if (flags(mine.image) !== flags(theirs.image) || word(mine.image, 8) !== word(theirs.image, 8)) return false;
  return [0, 1].every((i) => {
    const [a, b] = [mine.image, theirs.image].map((image) => {
      const signExp = word(image, 28 + i * 10 + 8);
      const magnitude = (BigInt(signExp & 0x7fff) << 63n) + (bigOf(image, i) & ~(1n << 63n));
      return (signExp & 0x8000) !== 0 ? -magnitude : magnitude;
    });
    return a - b <= 1n && b - a <= 1n;
  });
}

type Judge = (input: X87Case, mine: X87Output, theirs: X87Output) => boolean;

/** Runs cases on both processors and reports those the judge does not accept. */
function compareWithHost(t: Test, cases: readonly X87Case[], judge: Judge): void {
  const native = runNativeX87(cases);
  if (typeof native === "string") {
    t.plan(0, native);
    return;
  }
  t.equal(native.length, cases.length, `the native run reaches the end; it stopped at ${cases[native.length]?.title}`);
  const rig = new CpuRig({ model: "i486", coprocessor: lines });
  const wrong: string[] = [];
  native.forEach((theirs, i) => {
    const mine = runEmulated(rig, cases[i]);
    if (judge(cases[i], mine, theirs)) return;
    wrong.push(`${cases[i].title}; mine ${describe(mine.image)}; native ${describe(theirs.image)}`);
  });
  t.same(wrong.slice(0, 20), [], `${cases.length} cases, ${wrong.length} wrong`);
}

const EACH = process.env.PTMAP_LONG !== undefined ? 2000 : 40;

t.test(`x87 instructions do what the host's do (seed ${SEED})`, async (t) => {
  const cases = x87Cases(EACH, randomFrom(SEED)).filter(({ row }) => !TRANSCENDENTAL.has(row.mnemonic));
  compareWithHost(t, cases, (input, mine, theirs) => comparable(input, mine) === comparable(input, theirs));
});

t.test(`transcendental instructions are within one unit of the host's (seed ${SEED})`, async (t) => {
  const cases = x87Cases(EACH * 5, randomFrom(SEED + 1)).filter(({ row }) => TRANSCENDENTAL.has(row.mnemonic));
  compareWithHost(t, cases, (_input, mine, theirs) => close(mine, theirs));
});
