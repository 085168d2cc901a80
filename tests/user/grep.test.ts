// grep against the grep of this computer: random expressions and lines, basic and extended.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { PROGRAMS } from "../../tools/cli/paths.js";
import { randomNumbers } from "../boot/roots.js";
import { absent } from "../lib/boot.js";
import { buildShim } from "./shim.js";

const EXPRESSIONS = process.env.PTMAP_LONG === "1" ? 5000 : 150;
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

t.test(`grep finds what this computer's grep finds (seed ${seed})`, { skip: absent("grep") }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "grep-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const { path, reason } = buildShim(folder);
  if (reason !== false) {
    t.comment(reason);
    return t.end();
  }
  const random = randomNumbers(seed);
  const below = (n: number) => Math.floor(random() * n);
  const line = () => Array.from({ length: below(9) }, () => "abcAB_ .-*(){}+"[below(15)]).join("");
  writeFileSync(join(folder, "lines"), Array.from({ length: 100 }, () => line() + "\n").join(""));
  const expressions = new Expressions(below);
  const cases = Array.from({ length: EXPRESSIONS }, () => expressions.next());
  writeFileSync(join(folder, "script"), cases.map((one, at) => `grep ${one} lines; echo "[${at} $?]"\n`).join(""));
  const options = { cwd: folder, encoding: "utf8", timeout: 600_000, maxBuffer: 1 << 28 } as const;
  const theirs = spawnSync("sh", ["script"], { ...options, env: { ...process.env, LC_ALL: "C" } });
  const ours = spawnSync(path, [join(PROGRAMS, "sh"), "sh", "script"], { ...options, env: { PATH: PROGRAMS } });
  const parts = (text: string) => text.split(/(?<=^\[\d+ \d\]\n)/m);
  const [expected, found] = [parts(theirs.stdout), parts(ours.stdout)];
  t.equal(ours.stderr, "", "without complaints");
  t.same(cases.filter((_, at) => expected[at] !== found[at]), [], `${EXPRESSIONS} expressions`);
  t.end();
});
