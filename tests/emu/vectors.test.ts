// Every form of every instruction against a real processor: the vectors that
// are kept, a sample of them recorded anew, and with PTMAP_LONG two million
// fresh ones.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { MODELS, OPCODES } from "../../emu/cpu/opcodes.js";
import type { Model, OpcodeRow } from "../../emu/cpu/opcodes.js";
import { isPresent } from "../../emu/cpu/opcodes.js";
import { FLAG } from "../../emu/cpu/state.js";
import { randomFrom } from "./cpu_rig.js";
import { differences, rowsOfCase } from "./vectors/compare.js";
import { allSources } from "./vectors/extras.js";
import { EXCLUDED, allForms } from "./vectors/forms.js";
import { runOnHost } from "./vectors/host.js";
import { casesOf } from "./vectors/make.js";
import { packVectors, unpackVectors } from "./vectors/pack.js";
import { VectorRig } from "./vectors/rig.js";
import { TRAP } from "./vectors/vector.js";
import type { Input, Outcome, Vector } from "./vectors/vector.js";

const FOLDER = join(import.meta.dirname, "../../../../tests/emu/vectors");
const SEED = Number(process.env["SEED"] ?? 19851017);
const LEAST_FORMS = 2000;
const LEAST_VECTORS = 100_000;
const LONG_CASES = 2_000_000;
/** One in so many of the kept vectors is recorded anew. */
const SAMPLE = 20;
const CHUNK = 20_000;
const SHOWN = 20;
const long = process.env["PTMAP_LONG"] !== undefined;
if (long) t.setTimeout(1_800_000);

const files = readdirSync(FOLDER).filter((name) => name.endsWith(".vectors"));
const kept = new Map(files.map((name) => [name, unpackVectors(readFileSync(join(FOLDER, name)))]));

const describe = ({ form, input }: Vector): string => `${form} [${Buffer.from(input.code.bytes).toString("hex")}]`;

/** Vectors, at most SHOWN, in which a model does not do what is recorded. */
class Replay {
  readonly wrong: string[] = [];
  failures = 0;
  count = 0;
  readonly #rigs = new Map<Model, VectorRig>();

  check(vector: Vector, model: Model): void {
    let rig = this.#rigs.get(model);
    if (rig === undefined) {
      rig = new VectorRig(model);
      this.#rigs.set(model, rig);
    }
    this.count++;
    const problems = differences(vector.input, rig.outcomeOf(vector.input), vector.outcome, model);
    if (problems.length === 0) return;
    this.failures++;
    if (this.wrong.length < SHOWN) this.wrong.push(`${model}: ${describe(vector)} ${problems.slice(0, 3).join("; ")}`);
  }
}

t.test("every row of the opcode table has forms, but for those named with a reason", async (t) => {
  const forms = allForms();
  const rows = new Set<OpcodeRow>(forms.map(({ row }) => row));
  const forgotten = OPCODES.filter((row) => !rows.has(row) && EXCLUDED[row.semantic] === undefined);
  t.same(forgotten.map(({ opcode, mnemonic }) => `${opcode} ${mnemonic}`), []);
  for (const [semantic, reason] of Object.entries(EXCLUDED)) {
    t.ok(OPCODES.some((row) => row.semantic === semantic), `${semantic} is left out: ${reason}`);
  }
  const names = new Set(forms.map(({ name }) => name));
  t.equal(names.size, forms.length, "no two forms have one name");
  t.ok(names.size >= LEAST_FORMS, `${names.size} forms`);
});

t.test("every form has vectors among those kept", async (t) => {
  const names = new Set([...kept.values()].flatMap((vectors) => vectors.map(({ form }) => form)));
  const missing = allSources().filter(({ name }) => !names.has(name));
  t.same(missing.map(({ name }) => name).slice(0, SHOWN), []);
});

for (const [name, vectors] of kept) {
  t.test(`${name}: the i686 does what the real processor did`, async (t) => {
    const replay = new Replay();
    for (const vector of vectors) replay.check(vector, "i686");
    t.same(replay.wrong, [], `${replay.count} vectors, ${replay.failures} wrong`);
  });
}

/** Whether an older model has all that a case needs. */
function isFor(model: Model, { input, outcome }: Vector): boolean {
  // The i386 has no alignment check.
  if (model === "i386" && (input.eflags & FLAG.AC) !== 0) return false;
  return rowsOfCase(input).every((row) => (row === null ? outcome.trap === TRAP.UD : isPresent(row, model)));
}

t.test("the older models do so, too, where they have the instruction", async (t) => {
  const replay = new Replay();
  const older = MODELS.filter((model) => model !== "i686");
  let turn = 0;
  for (const vectors of kept.values()) {
    for (const vector of vectors) {
      const model = older[turn++ % older.length];
      if (isFor(model, vector)) replay.check(vector, model);
    }
  }
  t.same(replay.wrong, [], `${replay.count} vectors, ${replay.failures} wrong`);
});

t.test("the vectors are enough, and their files say how they are made", async (t) => {
  const count = [...kept.values()].reduce((sum, { length }) => sum + length, 0);
  t.ok(count >= LEAST_VECTORS, `${count} vectors`);
  for (const name of files) {
    const file = readFileSync(join(FOLDER, name));
    t.match(file.subarray(0, file.indexOf("\n")).toString(), /^ptmap vectors .*; made by: node \S+make\.js \d+$/, name);
  }
});

t.test("a wrong outcome is noticed, and packing keeps everything", async (t) => {
  const vectors = [...kept.values()].flatMap((all) => all.slice(0, 50));
  const again = unpackVectors(packVectors("a title", vectors));
  t.same(again, vectors);
  const { input, outcome } = kept.get("integer.vectors")!.find(({ form }) => form.startsWith("add Ev,Gv"))!;
  const registers = outcome.registers.map((value) => value ^ 0x100);
  const wrong: readonly Outcome[] = [
    { ...outcome, eflags: outcome.eflags ^ FLAG.CF }, { ...outcome, registers }, { ...outcome, trap: 13 },
    { ...outcome, changes: [...outcome.changes, { at: 0x204000, value: 0 }] },
  ];
  t.same(differences(input, outcome, outcome, "i686"), []);
  for (const other of wrong) t.equal(differences(input, other, outcome, "i686").length > 0, true);
});

/** Records cases and compares: calls `judge` with each, or gives the reason why the host cannot. */
function onHost(inputs: readonly Input[], judge: (outcome: Outcome, i: number) => void): string | undefined {
  for (let from = 0; from < inputs.length; from += CHUNK) {
    const outcomes = runOnHost(inputs.slice(from, from + CHUNK));
    if (typeof outcomes === "string") return outcomes;
    outcomes.forEach((outcome, i) => judge(outcome, from + i));
  }
  return undefined;
}

t.test("a sample of the vectors is the same when this host records it", async (t) => {
  const sample = [...kept.values()].flatMap((vectors) => vectors.filter((_, i) => i % SAMPLE === 0));
  const wrong: string[] = [];
  const absent = onHost(sample.map(({ input }) => input), (outcome, i) => {
    const problems = differences(sample[i].input, outcome, sample[i].outcome, "i686");
    if (problems.length > 0) wrong.push(`${describe(sample[i])} ${problems.slice(0, 3).join("; ")}`);
  });
  if (absent !== undefined) {
    t.plan(0, absent);
    return;
  }
  t.same(wrong.slice(0, SHOWN), [], `${sample.length} vectors`);
});

t.test(`fresh cases (seed ${SEED})`, { skip: !long && "PTMAP_LONG is not set" }, async (t) => {
  const sources = allSources();
  const weights = sources.reduce((sum, { weight }) => sum + weight, 0);
  const random = randomFrom(SEED);
  const replay = new Replay();
  let chunk: (readonly [string, Input])[] = [];
  let absent: string | undefined;
  const run = (): void => {
    absent ??= onHost(chunk.map(([, input]) => input), (outcome, i) =>
      replay.check({ form: chunk[i][0], input: chunk[i][1], outcome }, "i686"));
    chunk = [];
  };
  for (const [{ name }, input] of casesOf(sources, 1.05 * LONG_CASES / weights, random)) {
    chunk.push([name, input]);
    if (chunk.length === CHUNK) run();
    if (absent !== undefined) break;
  }
  run();
  if (absent !== undefined) {
    t.plan(0, absent);
    return;
  }
  t.same(replay.wrong, [], `${replay.count} cases, ${replay.failures} wrong`);
  t.ok(replay.count >= LONG_CASES, `${replay.count} cases`);
});
