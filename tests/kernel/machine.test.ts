// The kernel on a machine: a kernel whose process 1 is init.as runs on ptmap as
// i486 and as i386 and on QEMU. It exercises traps, page tables, processes,
// sleeping and timeouts, and with `case=` dies in a chosen way.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { Machine } from "../../emu/index.js";
import { PROJECT_ROOT } from "../../tools/kcc/asc.js";
import { encodeElf } from "../../tools/kcc/elf.js";
import { makeImage } from "../../tools/ffs/index.js";
import { compileKernel } from "../../tools/kcc/kernel.js";
import { absent } from "../lib/boot.js";
import { deaths } from "./deaths.js";

const MB = 1024 * 1024;
const MAX_CYCLES = 3_000_000_000;
/** What DDB runs before the machine goes down. */
const DDB_COMMANDS = "trace; ps; reboot 4";

const init = readFileSync(join(PROJECT_ROOT, "tests/kernel/init.as"), "utf8");
const built = await compileKernel({ overlay: new Map([["kernel/user/init.ts", init]]) });
if (built.image === undefined) throw new Error(built.messages.join("\n"));
const kernel = encodeElf(built.image);
const root = makeImage({ tree: { kind: "directory", mode: 0o755, mtime: 0, children: [] } });

/** Sum that init.as prints of its boot module. */
const moduleSum = root.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 0);

interface Outcome {
  readonly console: string;
  /** Value written to the exit port; undefined when the run ended otherwise. */
  readonly exit: number | undefined;
}

type Engine = (append: string, memoryMB: number) => Outcome;

function onPtmap(cpu: "i386" | "i486"): Engine {
  return (append, memoryMB) => {
    const bytes: number[] = [];
    const onSerialOutput = (byte: number): void => void bytes.push(byte);
    const machine = new Machine({ memorySize: memoryMB * MB, cpu, timing: "model", onSerialOutput });
    const modules = [{ bytes: root, string: "root.ffs" }];
    machine.loadMultiboot({ kernel, kernelName: "kernel.elf", append, modules });
    const result = machine.run({ maxCycles: MAX_CYCLES });
    const console = Buffer.from(bytes).toString("latin1").replaceAll("\r", "");
    return { console, exit: result.kind === "exit" ? result.code : undefined };
  };
}

const onQemu: Engine = (append, memoryMB) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-kernel-"));
  try {
    writeFileSync(join(folder, "kernel.elf"), kernel);
    writeFileSync(join(folder, "root.ffs"), root);
    const child = spawnSync("qemu-system-i386", [
      "-cpu", "486", "-M", "pc", "-m", String(memoryMB), "-nodefaults", "-display", "none", "-no-reboot",
      "-icount", "shift=6,sleep=off", "-rtc", "base=2000-05-27T22:30:55,clock=vm",
      "-serial", "file:console", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
      "-kernel", "kernel.elf", "-initrd", "root.ffs", "-append", append,
    ], { cwd: folder, timeout: 60_000, killSignal: "SIGKILL" });
    const console = readFileSync(join(folder, "console"), "latin1").replaceAll("\r", "");
    const exit = child.status !== null && (child.status & 1) === 1 ? child.status >> 1 : undefined;
    return { console, exit };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const engines: readonly { name: string; run: Engine; skip: string | false }[] = [
  { name: "ptmap as i486", run: onPtmap("i486"), skip: false },
  { name: "ptmap as i386", run: onPtmap("i386"), skip: false },
  { name: "QEMU", run: onQemu, skip: absent("qemu-system-i386") },
];

/** What init.as says when all is well. */
const EXERCISES = ["clock", "spaces", "copy", "kernel memory", "allocators", "locks", "signals"];

function withDdbCommands(death: string): string {
  return `case=${death} ddb.lines=0 ddb.commandonenter="${DDB_COMMANDS}"`;
}

for (const { name, run, skip } of engines) {
  t.test(`on ${name}`, { skip }, (t) => {
    t.test("every exercise passes and the system halts", (t) => {
      for (const memoryMB of [16, 64, 300]) {
        const { console, exit } = run("", memoryMB);
        for (const exercise of EXERCISES) t.match(console, `\n${exercise} ok\n`, `${exercise}, ${memoryMB} MB`);
        t.match(console, `module of ${root.length} bytes, sum ${moduleSum}\n`, "the boot module's contents");
        t.match(console, "\nThe operating system has halted.\nPlease press any key to reboot.\n");
        t.equal(exit, 0, `exit status, ${memoryMB} MB`);
      }
      t.end();
    });
    for (const { death, lines, withDdb } of deaths) {
      t.test(`${death}: without DDB the messages of the era`, (t) => {
        const { console, exit } = run(`case=${death} ddb.onpanic=0`, 32);
        for (const line of lines) t.match(console, line);
        t.match(console, /\nrebooting\.\.\.\n$/);
        t.equal(exit, 1);
        t.end();
      });
      t.test(`${death}: DDB shows where`, (t) => {
        const { console, exit } = run(withDdbCommands(death), 32);
        for (const line of withDdb) t.match(console, line);
        t.match(console, /\n>1 +0 +1 +0 2 +0x4 +init *\n/, "ps names the process");
        t.equal(exit, 1);
        t.end();
      });
    }
    t.end();
  });
}

t.test("ptmap and QEMU print the same", { skip: absent("qemu-system-i386") }, (t) => {
  for (const append of ["", "-v", ...deaths.map(({ death }) => withDdbCommands(death))]) {
    t.equal(onPtmap("i486")(append, 48).console, onQemu(append, 48).console, append);
  }
  t.end();
});
