// Records the vectors that are kept: runs the cases of every form on this
// host's processor and writes tests/emu/vectors/*.vectors. From the root, after
// a build:
//
//     node build/host/tests/emu/vectors/make.js [seed]

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { randomFrom } from "../cpu_rig.js";
import { allSources } from "./extras.js";
import type { Source } from "./forms.js";
import { runOnHost } from "./host.js";
import { packVectors } from "./pack.js";
import type { Input, Vector } from "./vector.js";

const FOLDER = fileURLToPath(new URL("../../../../../tests/emu/vectors/", import.meta.url));
const SEED = Number(process.argv[2] ?? 19851017);
/** Cases kept for each unit of a source's weight. */
const SCALE = 1.6;
const CHUNK = 10_000;

/** Cases of some sources, and the source of each. */
export function* casesOf(
  sources: readonly Source[], scale: number, random: () => number,
): Generator<readonly [Source, Input]> {
  for (const source of sources) {
    for (let i = Math.max(1, Math.round(source.weight * scale)); i > 0; i--) {
      const input = source.make(random);
      if (input !== null) yield [source, input];
    }
  }
}

/** Runs cases on the host. Throws where that cannot be. */
export function record(cases: readonly (readonly [Source, Input])[]): Vector[] {
  const outcomes = runOnHost(cases.map(([, input]) => input));
  if (typeof outcomes === "string") throw new Error(outcomes);
  return cases.map(([{ name }, input], i) => ({ form: name, input, outcome: outcomes[i] }));
}

/** The files by the names of the sources that go into them. */
const FILES: readonly (readonly [file: string, names: RegExp])[] = [
  ["x87", /^f[a-z0-9]+ /],
  ["extras", /^(hole|sequence) |stepped$|at the end of memory$| of \d+ bytes/],
  ["integer", /./],
];

function make(): void {
  const sources = allSources();
  const random = randomFrom(SEED);
  for (const [file, names] of FILES) {
    const mine = sources.filter(({ name }) => FILES.find(([, pattern]) => pattern.test(name))![1] === names);
    const vectors: Vector[] = [];
    const cases = [...casesOf(mine, SCALE, random)];
    for (let i = 0; i < cases.length; i += CHUNK) vectors.push(...record(cases.slice(i, i + CHUNK)));
    const title = `ptmap vectors of a processor, ${file}: ${vectors.length} cases of ${mine.length} forms; `
      + `made by: node build/host/tests/emu/vectors/make.js ${SEED}`;
    const packed = packVectors(title, vectors);
    writeFileSync(`${FOLDER}${file}.vectors`, packed);
    process.stderr.write(`${file}.vectors: ${vectors.length} cases of ${mine.length} forms, ${packed.length} bytes\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) make();
