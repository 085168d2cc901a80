// --help texts, made from the tables of flags.ts and workloads.ts.

import { styleText } from "node:util";
import { COMMANDS, GLOBAL_FLAGS, type Command, type Flag } from "./flags.js";
import { WORKLOADS } from "./workloads.js";

const bold = (text: string) => styleText("bold", text);

function flagLines(flags: readonly Flag[]): string[] {
  const heads = flags.map((f) => `--${f.name}${f.value ? ` ${f.value}` : ""}`);
  const width = Math.max(...heads.map((h) => h.length)) + 2;
  return flags.map((f, i) => {
    const choices = f.choices ? ` (${f.choices.join(", ")})` : "";
    const fallback = f.fallback ? ` [${f.fallback}]` : "";
    return `  ${heads[i]!.padEnd(width)}${f.help}${choices}${fallback}`;
  });
}

const EXIT_STATUS = [
  "Exit status: 0 fine, 1 the workload or the check failed or an input is bad, 2 usage,",
  "3 the guest panicked, 4 the cycle budget ran out.",
];

/** The text of `ptmap --help`. */
export function generalHelp(): string {
  const width = Math.max(...COMMANDS.map((c) => c.name.length)) + 2;
  return [
    "ptmap: an i386 machine and the BSD kernel that runs on it",
    "",
    `${bold("Usage:")} ptmap COMMAND [OPERANDS] [FLAGS]`,
    "",
    bold("Commands:"),
    ...COMMANDS.map((c) => `  ${c.name.padEnd(width)}${c.summary}`),
    "",
    bold("Flags of every command:"),
    ...flagLines(GLOBAL_FLAGS),
    "",
    bold("Try:"),
    "  ptmap run mfs-cycle          mount a memory file system, copy a tree, verify, unmount",
    "  ptmap run burge              the kernel dies as in the mail of May 2000; DDB shows why",
    "  ptmap boot --root DIR        boot with DIR as root file system",
    "  ptmap COMMAND --help         the flags of a command",
    "",
    ...EXIT_STATUS,
    "",
  ].join("\n");
}

/** The text of `ptmap COMMAND --help`. */
export function commandHelp(command: Command): string {
  const operands = command.operands.map((o, i) => (i < command.required ? o : `[${o}]`)).join(" ");
  const usage = `${bold("Usage:")} ptmap ${command.name} ${operands}${operands && " "}[FLAGS]`;
  const lines = [usage, "", command.summary, ""];
  if (command.name === "run") {
    const width = Math.max(...WORKLOADS.map((w) => w.name.length)) + 2;
    lines.push(bold("Workloads:"), ...WORKLOADS.map((w) => `  ${w.name.padEnd(width)}${w.summary}`), "");
  }
  if (command.details.length) lines.push(...command.details, "");
  lines.push(bold("Flags:"), ...flagLines([...command.flags, ...GLOBAL_FLAGS]), "", ...EXIT_STATUS, "");
  return lines.join("\n");
}
