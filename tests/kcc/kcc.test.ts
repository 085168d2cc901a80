// kcc against V8: the same WebAssembly, once executed by V8, once compiled to
// i386 code and executed by the processor, must leave the same bytes.

import t from "tap";
import { compileModule } from "../../tools/kcc/codegen/index.js";
import { MEMORY_BASE, MEMORY_SIZE, RESULTS, buildCases } from "./cases.js";
import type { CaseModule } from "./cases.js";
import { canRunNative, runNative } from "./native.js";

const SEED = Number(process.env["KCC_SEED"] ?? 20000527);
const RANDOM_COUNT = Number(process.env["KCC_RANDOM"] ?? 300);

async function runInV8({ wasm, resultBytes }: CaseModule): Promise<Uint8Array> {
  const memory = new WebAssembly.Memory({ initial: MEMORY_SIZE / 0x10000 });
  const { instance } = await WebAssembly.instantiate(wasm, { env: { memory } });
  (instance.exports["run"] as () => void)();
  return new Uint8Array(memory.buffer, RESULTS, resultBytes).slice();
}

t.test("compiled code computes what V8 computes", async (t) => {
  t.comment(`seed ${SEED}, ${RANDOM_COUNT} random functions`);
  if (!canRunNative()) return t.comment("skipped: this machine does not run 32-bit i386 programs");
  const cases = buildCases({ seed: SEED, randomCount: RANDOM_COUNT });
  const expected = await runInV8(cases);
  const compiled = compileModule(cases.wasm);
  t.same(compiled.diagnostics, [], "no diagnostics");
  const image = { base: MEMORY_BASE, memorySize: MEMORY_SIZE - MEMORY_BASE, results: { address: RESULTS, size: cases.resultBytes } };
  const actual = runNative(compiled, image);
  t.equal(actual.length, expected.length, "all results are there");
  const wrong = new Set<string>();
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] !== expected[i]) wrong.add(cases.describe(i).replace(/, result.*/, ""));
  }
  t.same([...wrong].slice(0, 20), [], `${cases.resultBytes} bytes of results are equal`);
});
