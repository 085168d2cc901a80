// kcc against V8: the same WebAssembly, once executed by V8, once compiled to
// i386 code and executed by this computer, by ptmap and by QEMU, must leave the
// same bytes.

import t from "tap";
import { compileGuest } from "../../tools/kcc/asc.js";
import { SourceMap } from "../../tools/kcc/source_map.js";
import { compileModule } from "../../tools/kcc/codegen/index.js";
import { MEMORY_BASE, MEMORY_SIZE, RESULTS, buildCases } from "./cases.js";
import type { CaseModule } from "./cases.js";
import { linkBare, printOnPtmap, printOnQemu } from "./bare.js";
import { canRunNative, runNative } from "./native.js";
import { bodyText, conventionErrors } from "./conventions.js";
import { INTRINSIC_CASES } from "./intrinsic_cases.js";
import { MISTAKES, MISTAKE_SUPPORT } from "./mistakes.js";
import { skipWithout } from "./tools.js";
import { verify } from "./verify.js";

const SEED = Number(process.env["KCC_SEED"] ?? 20000527);
const RANDOM_COUNT = Number(process.env["KCC_RANDOM"] ?? 300);

interface V8Run {
  readonly results: Uint8Array;
  /** What `main` printed on COM1. */
  readonly printed: string;
}

async function runInV8({ wasm, resultBytes }: CaseModule): Promise<V8Run> {
  const memory = new WebAssembly.Memory({ initial: MEMORY_SIZE / 0x10000 });
  const printed: number[] = [];
  const cpufunc = { inb: () => 0x20, outb: (_: number, byte: number) => void printed.push(byte & 0xff), outl: () =>
    undefined };
  const { instance } = await WebAssembly.instantiate(wasm, { env: { memory }, cpufunc });
  (instance.exports["main"] as () => void)();
  return { results: new Uint8Array(memory.buffer, RESULTS, resultBytes).slice(),
    printed: String.fromCharCode(...printed) };
}

const cases = buildCases({ seed: SEED, randomCount: RANDOM_COUNT });
const violations: string[] = [];
const compiled = compileModule(cases.wasm, { inspect: (fn) => {
  // The drivers of the cases are all alike.
  if (!/^(part|grid)\//.test(fn.name)) violations.push(...verify(fn).map((line) => `${fn.name}: ${line}`));
} });
const expected = await runInV8(cases);
const memory = { base: MEMORY_BASE, size: MEMORY_SIZE - MEMORY_BASE };

t.comment(`seed ${SEED}, ${RANDOM_COUNT} random functions`);

t.test("compiled code computes what V8 computes", { skip: canRunNative() ? false : "no 32-bit programs here" },
  async (t) => {
  t.same(compiled.diagnostics, [], "no diagnostics");
  const actual = runNative(compiled, { memory, results: { address: RESULTS, size: cases.resultBytes } });
  t.equal(actual.length, expected.results.length, "all results are there");
  const wrong = new Set<string>();
  for (let i = 0; i < actual.length; i++) {
    if (actual[i] !== expected.results[i]) wrong.add(cases.describe(i).replace(/, result.*/, ""));
  }
  t.same([...wrong].slice(0, 20), [], `${cases.resultBytes} bytes of results are equal`);
});

const image = linkBare(compiled, memory, "main");

t.test("the cases print the same on ptmap as in V8", async (t) => {
  for (const cpu of ["i386", "i486"] as const) t.equal(printOnPtmap(image, cpu), expected.printed, cpu);
});

t.test("the cases print the same on QEMU as in V8", { skip: skipWithout("qemu-system-i386") }, async (t) => {
  t.equal(printOnQemu(image), expected.printed);
});

t.test("the code keeps the conventions that the debugger's trace reads", async (t) => {
  const wrong: string[] = [];
  for (const section of compiled.text) wrong.push(...conventionErrors(section));
  t.same(wrong.slice(0, 20), [],
    `${compiled.text.length} functions begin with a frame, clean up after calls, leave arguments alone`);
});

t.test("the intermediate form keeps its invariants", async (t) => {
  t.same(violations.slice(0, 20), []);
});

t.test("mistakes in guest sources are reported with their line", async (t) => {
  for (const { name, source, expected } of MISTAKES) {
    const path = "tests/fixtures/kcc/mistake.ts";
    const guest = await compileGuest([path], { overlay: new Map([[path, source], ...MISTAKE_SUPPORT]) });
    if (guest.wasm === undefined) {
      t.fail(`${name}: ${guest.diagnostics.map((one) => one.message).join("; ")}`);
      continue;
    }
    const map = new SourceMap(guest.sourceMap);
    const { diagnostics } = compileModule(guest.wasm, { locate: (offset) => map.find(offset) });
    t.match(diagnostics, [expected], name);
  }
});

t.test("each intrinsic becomes its instructions", async (t) => {
  const path = "tests/fixtures/kcc/intrinsics.ts";
  const functions = INTRINSIC_CASES.map(({ body }, i) => {
    const result = body.includes("return") ? "u32" : "void";
    return `export function case${i}(a: u32, b: u32, c: u32): ${result} { ${body} }`;
  });
  const source = ["import * as cpu from \"../../../kernel/i386/cpufunc\";", ...functions].join("\n");
  const guest = await compileGuest([path], { overlay: new Map([[path, source]]) });
  if (guest.wasm === undefined) return t.fail(guest.diagnostics.map((one) => one.message).join("; "));
  const { text, diagnostics } = compileModule(guest.wasm);
  t.same(diagnostics, []);
  INTRINSIC_CASES.forEach(({ name, expected }, i) => {
    const section = text.find(({ symbols }) => symbols[0].name.endsWith(`/case${i}`));
    t.equal(section === undefined ? "missing" : bodyText(section), expected, name);
  });
});
