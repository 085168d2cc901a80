// `ptmap bench NAME`.

import { nearest, type Parsed } from "./args.js";
import { UsageError } from "./errors.js";

const BENCHES = ["cpu"];

/** Runs the benchmark and prints its figures; returns the exit status. */
export async function benchCommand(parsed: Parsed): Promise<number> {
  const name = parsed.operands[0]!;
  if (!BENCHES.includes(name)) {
    throw new UsageError(`unknown benchmark '${name}'; did you mean '${nearest(name, BENCHES)}'?`);
  }
  const { benchCpu } = await import("../bench/cpu.js");
  const figures = benchCpu();
  if (parsed.switches.has("json")) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else for (const [key, value] of Object.entries(figures)) process.stdout.write(`${key.padEnd(32)} ${String(value)}\n`);
  return 0;
}
