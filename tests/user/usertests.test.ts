// usertests, the program that tries every system call from inside: on both models and on QEMU, with equal transcripts.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { PROJECT_ROOT } from "../../tools/kcc/asc.js";
import { withSystem } from "../../tools/cli/system.js";
import { makeImage } from "../../tools/ffs/index.js";
import { absent, bootPtmap, bootQemu } from "../lib/boot.js";

t.setTimeout(300_000);

const MB = 1024 * 1024;
const APPEND = "init=/sbin/init syncer=off ddb.lines=0";
const RC = "mount -u /\nusertests\nsysctl debug.check\nreboot\n";
const FOLDER = join(PROJECT_ROOT, "kernel/user/bin/usertests");

/** The names of all cases, as the sources have them. */
const CASES = readdirSync(FOLDER).sort().flatMap((file) => (
  [...readFileSync(join(FOLDER, file), "utf8").matchAll(/^ {2}test\(cs\("([^"]+)"\), /gm)].map((match) => match[1]!)));

const tree = withSystem({ kind: "directory", mode: 0o755, mtime: 0, children: [] }, { rc: RC });
const root = makeImage({ tree, free: 16 * MB });

/** What the console shows from the first case on. */
function casesOf(console: string): string {
  const start = console.indexOf("root file system type");
  return console.slice(console.indexOf("\n", start) + 1);
}

function check(t: Test, console: string): string {
  const shown = casesOf(console);
  const results = shown.split("\n").filter((line) => /: (ok|FAILED)$/.test(line));
  t.same(results.filter((line) => !line.endsWith(": ok")), [], "no case fails");
  t.equal(results.length, CASES.length, "every case runs");
  t.match(shown, `usertests: ${CASES.length} passed, 0 failed\n`);
  t.match(shown, /debug\.check = 0\n/, "the kernel's invariants hold afterwards");
  t.match(shown, "The operating system has halted.");
  return shown;
}

t.test("every case passes, on every machine alike", (t) => {
  t.ok(CASES.length >= 150, `${CASES.length} cases are found`);
  const shown = new Map<string, string>();
  for (const cpu of ["i486", "i386"] as const) {
    t.test(`on ptmap as an ${cpu}`, (t) => {
      const { console, result } = bootPtmap({ append: APPEND, root, cpu, memoryMB: 32, maxCycles: 20e9 });
      shown.set(cpu, check(t, console));
      t.match(result, { kind: "exit", code: 0 });
      t.end();
    });
  }
  t.test("on QEMU", { skip: absent("qemu-system-i386") }, (t) => {
    const { console, status } = bootQemu({ append: APPEND, root, memoryMB: 32 });
    const text = check(t, console);
    t.equal(status, 1);
    t.equal(text, shown.get("i486"), "the transcript is that of ptmap");
    t.end();
  });
  t.test("the transcripts of the models are equal", (t) => {
    t.equal(shown.get("i386"), shown.get("i486"));
    t.end();
  });
  t.end();
});
