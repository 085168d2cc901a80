// grep and sort against those of this computer: random expressions, options and lines.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { PROGRAMS } from "../../tools/cli/paths.js";
import { randomNumbers } from "../boot/roots.js";
import { absent } from "../lib/boot.js";
import { buildShim } from "./shim.js";

const CASES = process.env.PTMAP_LONG === "1" ? 5000 : 150;
const seed = Number(process.env.PTMAP_SEED ?? 20000528);

/** Expressions without what POSIX leaves open: repeated anchors, operators without operand. */
class Expressions {
  private readonly below: (n: number) => number;
  private extended = false;

  constructor(below: (n: number) => number) {
    this.below = below;
  }

  private one<T>(of: readonly T[]): T {
    return of[this.below(of.length)]!;
  }

  private atom(depth: number): string {
    const kind = this.below(20);
    if (kind < 9) return this.one([..."abcB"]);
    if (kind < 11) return ".";
    if (kind < 13) return this.one(["[ab]", "[^a]", "[a-c_]", "[[:alpha:]]", "[]x]", "[[:space:]]", "\\."]);
    if (kind < 14 && this.extended) return this.one(["^", "$"]);
    if (depth > 2) return "c";
    return this.extended ? `(${this.alternatives(depth + 1)})` : `\\(${this.alternatives(depth + 1)}\\)`;
  }

  private piece(depth: number): string {
    const atom = this.atom(depth);
    if (atom === "^" || atom === "$" || this.below(10) < 6) return atom;
    const bounds = this.one(["{2}", "{1,}", "{0,2}", "{1,3}"]);
    if (this.extended) return atom + this.one(["*", "+", "?", bounds]);
    return atom + this.one(["*", bounds.replace("{", "\\{").replace("}", "\\}")]);
  }

  private alternatives(depth: number): string {
    const branch = () => Array.from({ length: 1 + this.below(4) }, () => this.piece(depth)).join("");
    return this.below(4) === 0 ? branch() + (this.extended ? "|" : "\\|") + branch() : branch();
  }

  /** Options and an expression, quoted for the shell. */
  next(): string {
    this.extended = this.below(2) === 0;
    const options = [this.extended ? "-nE" : "-n", ...["-i", "-x", "-v", "-c"].filter(() => this.below(6) === 0)];
    let text = this.alternatives(0);
    if (!this.extended && this.below(5) === 0) text = `^${text}`;
    if (!this.extended && this.below(5) === 0) text = `${text}$`;
    return `${options.join(" ")} -e '${text}'`;
  }
}

/** Options of sort, quoted for the shell. */
function sortOptions(below: (n: number) => number): string {
  const options = ["-n", "-r", "-u", "-f", "-b", "-d", "-i"].filter(() => below(5) === 0);
  const keys = ["1", "2", "2,2", "1,1n", "2n", "1.2", "1.2,1.3", "2r", "2b,3", "1,1f"];
  if (below(2) === 0) options.push("-k", keys[below(keys.length)]!);
  if (below(3) === 0) options.push("-t", ":");
  if (below(10) === 0) options.push("-c");
  // A number has no bytes that do not count.
  const numeric = options.some((one) => one.endsWith("n"));
  return (numeric ? options.filter((one) => one !== "-d" && one !== "-i") : options).join(" ");
}

/** Runs the commands by our shell and programs, and by this computer's; those whose output or status differ. */
function differing(t: Test, commands: readonly string[], lines: string): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "texts-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const { path, reason } = buildShim(folder);
  if (reason !== false) {
    t.comment(reason);
    return [];
  }
  writeFileSync(join(folder, "lines"), lines);
  writeFileSync(join(folder, "script"), commands.map((one, at) => `${one} lines 2>/dev/null; echo "[${at} $?]"\n`).join(""));
  const options = { cwd: folder, encoding: "utf8", timeout: 600_000, maxBuffer: 1 << 28 } as const;
  const theirs = spawnSync("sh", ["script"], { ...options, env: { ...process.env, LC_ALL: "C" } });
  const ours = spawnSync(path, [join(PROGRAMS, "sh"), "sh", "script"], { ...options, env: { PATH: PROGRAMS } });
  const parts = (text: string) => text.split(/(?<=^\[\d+ \d\]\n)/m);
  const [expected, found] = [parts(theirs.stdout), parts(ours.stdout)];
  t.equal(found.length, commands.length, "every command has run");
  return commands.filter((_, at) => expected[at] !== found[at]);
}

const random = randomNumbers(seed);
const below = (n: number): number => Math.floor(random() * n);
const linesOf = (letters: string, count: number): string => Array.from({ length: count }, () => (
  Array.from({ length: below(10) }, () => letters[below(letters.length)]).join("") + "\n")).join("");

t.test(`grep finds what this computer's grep finds (seed ${seed})`, { skip: absent("grep") }, (t) => {
  const expressions = new Expressions(below);
  const commands = Array.from({ length: CASES }, () => `grep ${expressions.next()}`);
  t.same(differing(t, commands, linesOf("abcAB_ .-*(){}+", 100)), []);
  t.end();
});

t.test(`sort gives the order of this computer's sort (seed ${seed})`, { skip: absent("sort") }, (t) => {
  const commands = Array.from({ length: CASES }, () => `sort ${sortOptions(below)}`);
  t.same(differing(t, commands, linesOf("ab12 .-B:09\t", 30)), []);
  t.end();
});
