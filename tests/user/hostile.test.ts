// Programs that mean harm: system calls and machine code from a seeded generator, and executables that lie. The machine
// must live on, unharmed, and tell documented errors. PTMAP_SEED sets the seed, which is printed.
import t, { type Test } from "tap";
import { withSystem } from "../../tools/cli/system.js";
import { makeImage } from "../../tools/ffs/index.js";
import { parseSyscalls } from "../../tools/kcc/syscalls.js";
import { PROJECT_ROOT } from "../../tools/kcc/asc.js";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { absent, bootPtmap, bootQemu } from "../lib/boot.js";

const LONG = process.env["PTMAP_LONG"] === "1";
t.setTimeout(LONG ? 3_600_000 : 300_000);

const MB = 1024 * 1024;
const APPEND = 'init=/sbin/init syncer=off ddb.lines=0 ddb.commandonenter="trace;ps;show registers;reboot 4"';
const OPTIONS = { append: APPEND, memoryMB: 32, timing: "none", maxCycles: 100e9 } as const;
const seed = Number(process.env["PTMAP_SEED"] ?? 1);

/** A root on which rc runs these lines, asks for the kernel's invariants, and goes down. */
function rootFor(lines: readonly string[]): Uint8Array {
  const rc = ["mount -u /", ...lines, "sysctl debug.check", "reboot", ""].join("\n");
  const tree = withSystem({ kind: "directory", mode: 0o755, mtime: 0, children: [] }, { rc });
  return makeImage({ tree, free: 8 * MB });
}

/** Every line of a program's result says what it should, and the kernel is sound. */
function check(t: Test, console: string, results: readonly string[]): void {
  const shown = console.slice(console.indexOf("root file system type")).split("\n").slice(1);
  t.same(shown.slice(0, results.length), results, "the results, and nothing else");
  t.equal(shown[results.length], "debug.check = 0", "the kernel's invariants hold afterwards");
  t.match(console, "The operating system has halted.");
}

/** Runs the lines on the machines; `results` is what they print. */
function onMachines(
  t: Test, lines: readonly string[], results: readonly string[], cpus: readonly ("i386" | "i486")[],
): void {
  const root = rootFor(lines);
  for (const cpu of cpus) {
    t.test(`on ptmap as an ${cpu}`, (t) => {
      const { console, result } = bootPtmap({ ...OPTIONS, root, cpu });
      check(t, console, results);
      t.match(result, { kind: "exit", code: 0 });
      t.end();
    });
  }
  t.test("on QEMU", { skip: absent("qemu-system-i386") }, (t) => {
    const { console, status } = bootQemu({ append: APPEND, root, memoryMB: 32 }, LONG ? 3_000_000 : 250_000);
    check(t, console, results);
    t.equal(status, 1);
    t.end();
  });
  t.end();
}

const calls = (count: number, uid: number, from: number) => ({
  line: `hostile -n ${count} -s ${from} -u ${uid}`,
  result: `hostile: ${count} calls as user ${uid}, seed ${from}: no harm`,
});

t.comment(`seed ${seed}`);

t.test("every system call has its row in hostile's table", (t) => {
  const table = readFileSync(join(PROJECT_ROOT, "kernel/user/bin/hostile/calls.ts"), "utf8");
  const matches = table.matchAll(/^ {2}row\((\d+), cs\("(\w+)"\)/gm);
  const rows = new Set([...matches].map((match) => `${match[1]} ${match[2]}`));
  // These end the process, the machine, or return twice; child.ts makes them by themselves.
  const apart = new Set(["exit", "fork", "vfork", "__vfork14", "reboot"]);
  const missing = parseSyscalls().filter(({ name }) => !apart.has(name)).map(({ number, name }) => `${number} ${name}`)
    .filter((row) => !rows.has(row));
  t.same(missing, [], "add a row to kernel/user/bin/hostile/calls.ts");
  t.end();
});

t.test("20,000 hostile system calls do no harm", (t) => {
  const runs = [calls(10_000, 0, seed), calls(10_000, 1000, seed)];
  onMachines(t, runs.map(({ line }) => line), runs.map(({ result }) => result), ["i386"]);
});

t.test("a million hostile system calls do no harm", { skip: LONG ? false : "PTMAP_LONG=1 runs it" }, (t) => {
  const runs = Array.from({ length: 10 }, (_, i) => calls(100_000, i % 2 === 0 ? 0 : 1000, seed + 1000 * (i + 1)));
  onMachines(t, runs.map(({ line }) => line), runs.map(({ result }) => result), []);
});

t.test("hostile machine code comes to signals only", (t) => {
  const count = LONG ? 5000 : 60;
  const result = `hostile: ${count} random pieces of code, seed ${seed}: no harm`;
  onMachines(t, [`hostile -x -n ${count} -s ${seed}`], [result], ["i486"]);
});

t.test("executables that lie are refused or killed", (t) => {
  const count = LONG ? 5000 : 30;
  const root = rootFor([`badelf -n ${count} -s ${seed}`]);
  const line = new RegExp(`^badelf: \\d+ files, seed ${seed}: 0 ended as they must not\n`, "m");
  t.test("on ptmap as an i486", (t) => {
    const { console } = bootPtmap({ ...OPTIONS, root });
    t.match(console, line);
    t.match(console, "debug.check = 0\n");
    t.end();
  });
  t.test("on QEMU", { skip: absent("qemu-system-i386") }, (t) => {
    const { console } = bootQemu({ append: APPEND, root, memoryMB: 32 }, LONG ? 3_000_000 : 250_000);
    t.match(console, line);
    t.match(console, "debug.check = 0\n");
    t.end();
  });
  t.end();
});
