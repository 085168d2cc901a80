// The load makers (fsx, postmark, storm, forkcow, hog) and their workloads: a fixed sample of each on every kind of
// file system, on ptmap and QEMU alike; that fsx fails when memory and files disagree; and, with PTMAP_LONG=1, the
// volumes: QEMU carries 100,000 operations of fsx on every kind, 32 processes of storm, unmounts by force under all of
// them, and 8, 16 and 64 MB.
import { readFileSync } from "node:fs";
import t, { type Test } from "tap";
import { WORKLOAD_SCRIPTS } from "../../tools/cli/paths.js";
import { withSystem, workloadFiles } from "../../tools/cli/system.js";
import { check, makeImage } from "../../tools/ffs/index.js";
import { absent, bootPtmap, bootQemu, comparable, type BootOptions } from "../lib/boot.js";

t.setTimeout(3_000_000);

const MB = 1024 * 1024;
const SECTORS = 8192;
const DDB = 'ddb.commandonenter="trace;ps;reboot 4"';
const APPEND = `init=/sbin/init syncer=off ddb.lines=0 ${DDB}`;
const LONG = process.env["PTMAP_LONG"] === "1";
const noQemu = absent("qemu-system-i386");

/** Every kind of file system: the ways of MFS, the root (FFS on md), FFS on wd. */
const WAYS = ["aobj", "window=2", "direct", "process", "uvm_io", "ffs", "wd"] as const;

/** Scripts of this test beside those of the workloads. */
const SCRIPTS: Readonly<Record<string, string>> = {
  // The file system goes while many processes work on it; they may fail, but nothing else may.
  "forced unmounts": `. /etc/workload.subr
    ulimit -c 0
    for round in 1 2 3 4 5 6 7 8
    do
      begin_work
      fsx -q -N 100000 -S $round $DIR/file >/dev/null 2>&1 &
      storm -p 6 -n 20000 -s $round $DIR >/dev/null 2>&1 &
      postmark $DIR >/dev/null 2>&1 &
      sleep 2
      umount -f $DIR || exit 1
      wait
    done`,
};

interface Sample {
  readonly name: string;
  readonly way: string;
  readonly ops: number;
  readonly procs?: number;
  readonly seed?: number;
  readonly bsize?: number;
  readonly memoryMB?: number;
  readonly cpu?: "i386" | "i486";
  readonly append?: string;
  /** MB of the root that are free. */
  readonly free?: number;
}

function options(sample: Sample): BootOptions {
  const { name, way, ops, procs = 32, seed = 1, bsize = 8192, memoryMB = 16, cpu = "i486", append = "" } = sample;
  const script = SCRIPTS[name] ?? readFileSync(`${WORKLOAD_SCRIPTS}/${name}.sh`, "latin1");
  const files = workloadFiles(script, {
    WAY: way, SIZE: SECTORS, BSIZE: bsize, FSIZE: bsize / 8, OPS: ops, PROCS: procs, SEED: seed,
  });
  const tree = withSystem({ kind: "directory", mode: 0o755, mtime: 0, children: [] }, files);
  return {
    root: makeImage({ tree, free: (sample.free ?? 2) * MB }), memoryMB, cpu, append: `${APPEND} ${append}`,
    timing: "none", maxCycles: 40e9, ...(way === "wd" ? { disk: new Uint8Array(SECTORS * 512) } : {}),
  };
}

/** What the console shows of the workload, without what depends on the time that things take. */
function shown(console: string): string {
  const lines = comparable(console.slice(console.indexOf("root file system type"))).split("\n");
  return lines.filter((line) => !/^summary: |optimization changed|^syncing disks/.test(line)).join("\n");
}

/** The workload ended well, the kernel kept its laws, and what is on the disk is a sound file system. */
function checkEnd(t: Test, title: string, console: string, clean: boolean, disk: Uint8Array | undefined): void {
  const problems = console.split("\n").filter((line) => /^(rc|panic|fsx): .*(status|broken|BAD)|^panic/.test(line));
  t.same(problems, [], title);
  t.ok(clean, `${title}: ends in order`);
  t.match(console, "The operating system has halted.", title);
  if (disk !== undefined) t.same(check(disk).findings, [], `${title}: fsck finds nothing on the disk`);
}

function onPtmap(t: Test, sample: Sample): string {
  const { console, result, disk } = bootPtmap(options(sample));
  const clean = result.kind === "exit" && result.code === 0;
  checkEnd(t, `${titleOf(sample)} on ptmap`, console, clean, disk?.bytes);
  return shown(console);
}

function onQemu(t: Test, sample: Sample): string {
  const { console, status, disk } = bootQemu(options(sample), 1_200_000);
  checkEnd(t, `${titleOf(sample)} on QEMU`, console, status === 1, disk);
  return shown(console);
}

const titleOf = ({ name, way, ops, memoryMB = 16, cpu = "i486" }: Sample): string =>
  `${name}, ${ops} operations, ${way}, ${memoryMB} MB, ${cpu}`;

const SAMPLES: readonly Sample[] = [
  ...WAYS.map((way, i) => ({ name: "fsx", way, ops: 60, seed: 10 + i, bsize: i % 2 === 0 ? 8192 : 4096 })),
  { name: "postmark", way: "direct", ops: 60, bsize: 4096 },
  { name: "storm", way: "process", ops: 12 },
  // 32 processes whose operations sleep in the disk driver: renames, removals and look-ups overlap.
  { name: "storm", way: "wd", ops: 20 },
  // Without CR0.WP copyout itself must honour copy-on-write.
  { name: "fork-cow", way: "aobj", ops: 30, cpu: "i386" },
  { name: "fork-cow", way: "ffs", ops: 30, seed: 7 },
];

for (const sample of SAMPLES) {
  t.test(titleOf(sample), (t) => {
    const lines = onPtmap(t, sample);
    if (noQemu === false && sample.cpu !== "i386") t.equal(onQemu(t, sample), lines, "QEMU shows the same");
    t.end();
  });
}

t.test("fsx fails when buffers and pages are two caches", (t) => {
  const { console, result } = bootPtmap(options({ name: "fsx", way: "aobj", ops: 60, append: "ubc=off" }));
  t.match(console, /^fsx: operation \d+: (MAPPED READ|READ|HELD READ) BAD DATA: offset = 0x/m, "tells what differs where");
  t.match(console, /^LOG DUMP \(last \d+ of \d+ operations; seed 1\):\n\d+ [A-Z]+/m, "and the last operations");
  t.match(console, "rc: the workload ended with status 1\n");
  t.match(result, { kind: "exit", code: 2 }, "the machine says that the run failed");
  t.end();
});

const VOLUMES: readonly Sample[] = [
  ...WAYS.map((way) => ({ name: "fsx", way, ops: 100_000, seed: 2000, memoryMB: 32, free: 8 })),
  ...["aobj", "process", "wd", "ffs"].map((way) => ({ name: "storm", way, ops: 500, memoryMB: 32, free: 8 })),
  ...["wd", "aobj", "process"].map((way) => ({ name: "forced unmounts", way, ops: 0, memoryMB: 32 })),
  ...[8, 16, 64].flatMap((memoryMB) => ["aobj", "wd"].flatMap((way) => [
    { name: "fsx", way, ops: 2000, memoryMB, free: 1 },
    { name: "postmark", way, ops: 500, memoryMB, free: 1 },
    { name: "storm", way, ops: 100, procs: memoryMB === 8 ? 8 : 32, memoryMB, free: 1 },
    { name: "fork-cow", way, ops: 60, memoryMB, free: 1 },
  ])),
];

t.test("volumes", { skip: LONG ? noQemu : "long; set PTMAP_LONG=1" }, (t) => {
  for (const sample of VOLUMES) {
    t.test(titleOf(sample), (t) => {
      onQemu(t, sample);
      t.end();
    });
  }
  t.end();
});
