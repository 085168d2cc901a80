// Command line parsing on the tables of flags.ts: --name value, --name=value,
// and QEMU's -name spelling. A word that fits nothing is answered with the
// nearest one that exists.

import { UsageError } from "./errors.js";
import { COMMANDS, GLOBAL_FLAGS, type Command, type Flag } from "./flags.js";

export interface Parsed {
  readonly command: Command | undefined;
  readonly operands: readonly string[];
  readonly values: ReadonlyMap<string, string>;
  readonly switches: ReadonlySet<string>;
}

/** Number of single-character edits between two words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The candidate that is most like `word`. */
export function nearest(word: string, candidates: readonly string[]): string {
  return [...candidates].sort((a, b) => editDistance(word, a) - editDistance(word, b))[0]!;
}

function findCommand(name: string): Command {
  const command = COMMANDS.find((c) => c.name === name);
  if (command) return command;
  const names = COMMANDS.map((c) => c.name);
  throw new UsageError(`unknown command '${name}'; did you mean '${nearest(name, names)}'? (ptmap --help lists them)`);
}

function findFlag(name: string, command: Command | undefined): Flag {
  const flags = [...(command?.flags ?? []), ...GLOBAL_FLAGS];
  const flag = flags.find((f) => f.name === name);
  if (flag) return flag;
  const where = command ? ` of 'ptmap ${command.name}'` : "";
  const closest = nearest(name, flags.map((f) => f.name));
  throw new UsageError(`unknown flag '--${name}'${where}; did you mean '--${closest}'?`);
}

/** Splits `argv` (without node and script) into command, operands and flags. Throws UsageError. */
export function parseArguments(argv: readonly string[]): Parsed {
  const values = new Map<string, string>();
  const switches = new Set<string>();
  const operands: string[] = [];
  let command: Command | undefined;
  let onlyOperands = false;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (onlyOperands || word === "-" || !word.startsWith("-")) {
      if (!command) command = findCommand(word);
      else operands.push(word);
      continue;
    }
    if (word === "--") {
      onlyOperands = true;
      continue;
    }
    const [name, inline] = splitFlag(word);
    const flag = findFlag(name === "h" ? "help" : name, command);
    if (flag.value === undefined) {
      if (inline !== undefined) throw new UsageError(`flag '--${flag.name}' takes no value, but '${inline}' was given`);
      switches.add(flag.name);
      continue;
    }
    const value = inline ?? argv[++i];
    if (value === undefined) throw new UsageError(`flag '--${flag.name}' needs a value: --${flag.name} ${flag.value}`);
    checkChoice(flag, value);
    const before = flag.repeatable ? values.get(flag.name) : undefined;
    values.set(flag.name, before === undefined ? value : `${before}\n${value}`);
  }
  const parsed = { command, operands, values, switches };
  if (!switches.has("help") && !switches.has("version")) checkOperands(parsed);
  return parsed;
}

function splitFlag(word: string): [string, string | undefined] {
  const body = word.replace(/^--?/, "");
  const equals = body.indexOf("=");
  return equals < 0 ? [body, undefined] : [body.slice(0, equals), body.slice(equals + 1)];
}

function checkChoice(flag: Flag, value: string): void {
  if (!flag.choices || flag.choices.includes(value)) return;
  throw new UsageError(`flag '--${flag.name}' is one of ${flag.choices.join(", ")}, not '${value}'`);
}

function checkOperands({ command, operands }: Parsed): void {
  if (!command) return;
  if (operands.length < command.required) {
    const missing = command.operands[operands.length];
    const usage = `ptmap ${command.name} ${command.operands.join(" ")}`;
    throw new UsageError(`'ptmap ${command.name}' needs ${missing}: ${usage}`);
  }
  if (operands.length > command.operands.length) {
    throw new UsageError(`'ptmap ${command.name}' takes no operand '${operands[command.operands.length]}'`);
  }
}

/** Bytes of "64M", "8192", "1G", "0x1000". Throws UsageError naming the flag. */
export function parseSize(text: string, flag: string): number {
  const match = /^(0x[0-9a-f]+|\d+)([kmg]?)$/i.exec(text);
  const unit = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[match?.[2]?.toLowerCase() ?? ""]!;
  const bytes = match ? Number(match[1]) * unit : NaN;
  if (!Number.isSafeInteger(bytes)) {
    throw new UsageError(`flag '--${flag}' needs a size such as 64M or 8192, not '${text}'`);
  }
  return bytes;
}

/** A whole number in [low, high]. Throws UsageError naming the flag. */
export function parseCount(text: string, flag: string, low: number, high: number): number {
  const n = /^\d+$/.test(text) ? Number(text) : NaN;
  if (n >= low && n <= high) return n;
  throw new UsageError(`flag '--${flag}' needs a number from ${low} to ${high}, not '${text}'`);
}
