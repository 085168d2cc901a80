// The `ptmap` command: finds the command, runs it, turns errors into one line
// and an exit status.

import { readFileSync } from "node:fs";
import { parseArguments, type Parsed } from "./args.js";
import { EXIT, InputError, UsageError } from "./errors.js";
import { commandHelp, generalHelp } from "./help.js";
import { PROJECT } from "./paths.js";

type Runner = (parsed: Parsed) => number | Promise<number>;

/** Each command's code is loaded when it is asked for. */
const RUNNERS: Readonly<Record<string, () => Promise<Runner>>> = {
  boot: async () => (await import("./boot.js")).bootCommand,
  run: async () => (await import("./run.js")).runCommand,
  mkfs: async () => (await import("./images.js")).mkfsCommand,
  ls: async () => (await import("./images.js")).lsCommand,
  fsck: async () => (await import("./images.js")).fsckCommand,
  bench: async () => (await import("./bench.js")).benchCommand,
};

function version(): string {
  return (JSON.parse(readFileSync(`${PROJECT}package.json`, "utf8")) as { version: string }).version;
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const parsed = parseArguments(argv);
  if (parsed.switches.has("version")) {
    process.stdout.write(`ptmap ${version()}\n`);
    return EXIT.ok;
  }
  if (parsed.switches.has("help") || !parsed.command) {
    process.stdout.write(parsed.command ? commandHelp(parsed.command) : generalHelp());
    return parsed.command || parsed.switches.has("help") ? EXIT.ok : EXIT.usage;
  }
  const runner = await RUNNERS[parsed.command.name]!();
  return runner(parsed);
}

/** Runs `ptmap` with these arguments; returns the exit status. Never throws for a user's mistake. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv);
  } catch (error) {
    if (error instanceof UsageError || error instanceof InputError) {
      process.stderr.write(`ptmap: ${error.message}\n`);
      return error instanceof UsageError ? EXIT.usage : EXIT.failure;
    }
    throw error;
  }
}
