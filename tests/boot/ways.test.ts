// The ways of MFS I/O and the fault policies on whole machines: the coming and
// going of memory file systems of each way, what is on them as fsck sees it, the
// sync of a panic, the figures of mfs-ways, and the table of docs/fault-policies.md.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { WaysMeter, type WayRow } from "../../tools/cli/ways.js";
import { waysPlot } from "../../tools/cli/ways_plot.js";
import { ALL_WAYS, WAYS_ROWS } from "../../tools/cli/workloads.js";
import { check } from "../../tools/ffs/index.js";
import { PROJECT_ROOT } from "../../tools/kcc/asc.js";
import { absent, bootPtmap, bootQemu, type BootOptions, type Booted } from "../lib/boot.js";
import { SCRIPT_ARGS, scriptRoot, withoutFigures, workloadRoot } from "../lib/workload.js";
import { contentsOf, emptyRoot, projectTree, rootImage } from "./roots.js";

const MB = 1024 * 1024;
const BUDGET = 4_000_000_000;
const WAYS = ["process", "uvm_io", "aobj", "window", "direct"] as const;
const EXIT = { clean: 0, panic: 1 } as const;
const LONG = process.env["PTMAP_LONG"] === "1";
t.setTimeout(LONG ? 3_600_000 : 600_000);

type Tap = typeof t;
type Model = "i386" | "i486" | "pentium";

const ended = (booted: Booted) => (booted.result.kind === "exit" ? booted.result.code : booted.result.kind);

function boot(append: string, more: Partial<BootOptions> = {}): Booted {
  return bootPtmap({ append, root: emptyRoot, maxCycles: BUDGET, ...more });
}

/** Lines of a console that begin with `prefix`. */
const linesOf = (console: string, prefix: string) => console.split("\n").filter((line) => line.startsWith(prefix));

t.test("a tree copied to a file system of each way is whole, and fsck finds nothing", (t) => {
  const tree = rootImage(projectTree("fs"));
  const size = 4 * MB;
  let first: Map<string, string> | undefined;
  for (const way of WAYS) {
    const root = workloadRoot("mfs-cycle", {
      WAY: way === "window" ? "window=3" : way, SIZE: size / 512, BSIZE: 8192, FSIZE: 1024, MOUNTS: 1, TREE: "/dev/md1a",
      SAVE: "/dev/rwd0d",
    });
    const booted = boot(SCRIPT_ARGS, { root, images: [tree], disk: new Uint8Array(size + MB) });
    t.equal(ended(booted), EXIT.clean, `${way} ends`);
    t.match(booted.console, /^mfs-cycle: verified: .* 0 differ/m);
    t.match(booted.console, /^mfs-cycle: after the changes: .* 0 differ/m);
    const image = booted.disk!.bytes.slice(0, size);
    t.same(check(image).findings, [], `fsck: ${way}`);
    const contents = contentsOf(image);
    t.ok(contents.size > 20);
    t.same(contents, first ??= contents, "the same files by each way");
  }
  t.end();
});

/** The lines of mfs-life: rounds of life, then so many mounts of each way with every counter back where it was. */
function lifeLines(ways: readonly string[], cycles: number): string[] {
  const of = (way: string) => [
    `${way}: busy, then forced; reading from it: cat: stdin: Input/output error`,
    `${way}: unmounted under load`,
    ...(["process", "uvm_io"].includes(way) ? [`${way}: a signal while busy keeps it, when idle unmounts it`] : []),
  ];
  const counted = ways.map((way) => `${way}: ${cycles} times, nothing left behind`);
  const lines = ["several at once: done", ...ways.flatMap(of), "rounds: nothing left behind", ...counted];
  return lines.map((line) => `mfs-life: ${line}`);
}

const lifeRoot = (ways: readonly string[], cycles: number) =>
  workloadRoot("mfs-life", { WAYS: ways.join(" "), CYCLES: cycles, ROUNDS: 8 });

t.test("file systems of all ways live at once, unmount when idle, by force, under load and by signal", (t) => {
  const some = LONG ? ALL_WAYS : ["process", "window=4"];
  const root = lifeRoot(some, 2);
  const booted = boot(SCRIPT_ARGS, { root });
  t.equal(ended(booted), EXIT.clean);
  t.same(linesOf(booted.console, "mfs-life: "), lifeLines(some, 2));
  const old = boot(SCRIPT_ARGS, { root: lifeRoot(["uvm_io"], 1), cpu: "i386" });
  t.equal(ended(old), EXIT.clean);
  t.same(linesOf(old.console, "mfs-life: "), lifeLines(["uvm_io"], 1), "on the i386 model");
  t.test("and on QEMU", { skip: absent("qemu-system-i386") }, (t) => {
    t.equal(withoutFigures(bootQemu({ append: SCRIPT_ARGS, root }).console), withoutFigures(booted.console));
    const all = bootQemu({ append: SCRIPT_ARGS, root: lifeRoot(ALL_WAYS, 5) });
    t.same(linesOf(all.console, "mfs-life: "), lifeLines(ALL_WAYS, 5), "all ways");
    t.end();
  });
  t.end();
});

t.test("300 mounts of each way leave nothing behind", { skip: LONG ? false : "PTMAP_LONG=1 runs it" }, (t) => {
  const booted = boot(SCRIPT_ARGS, { root: lifeRoot(ALL_WAYS, 300), maxCycles: 100 * BUDGET });
  t.equal(ended(booted), EXIT.clean);
  t.same(linesOf(booted.console, "mfs-life: "), lifeLines(ALL_WAYS, 300));
  t.end();
});

const SCRIPT = `
for w in process uvm_io aobj window=4 direct
do
  mount_mfs -s 2048 -o $w swap /mnt
  cp /bin/sh /mnt/sh
  sync
  /mnt/sh -c 'echo a program runs from the mfs'
  umount /mnt
  echo $w: umount $?
done
for w in process uvm_io
do
  mount_mfs -s 2048 -o $w swap /mnt
  echo hello > /mnt/f
  m=$(mount); m=\${m##*mfs:}; pid=\${m%% *}
  cd /mnt
  kill $pid
  sleep 1
  cat f && echo $w: kept while busy
  cd /
  kill $pid
  sleep 1
  test -f /mnt/f || echo $w: gone when idle
  kill $pid || echo $w: and its process
done
`;

t.test("mount_mfs of user space mounts by each way, and a signal to its process unmounts", (t) => {
  const root = scriptRoot(SCRIPT);
  const booted = boot(SCRIPT_ARGS, { root });
  t.equal(ended(booted), EXIT.clean);
  t.equal(linesOf(booted.console, "a program runs from the mfs").length, WAYS.length);
  for (const way of ["process", "uvm_io", "aobj", "window=4", "direct"]) {
    t.equal(linesOf(booted.console, `${way}: umount 0`).length, 1, way);
  }
  for (const way of ["process", "uvm_io"]) {
    const after = [
      "hello", `${way}: kept while busy`, `${way}: gone when idle`, ".*kill: .*: No such process",
      `${way}: and its process`,
    ];
    t.match(booted.console, new RegExp(`^${after.join("\\n")}$`, "m"));
  }
  t.test("the same on QEMU", { skip: absent("qemu-system-i386") }, (t) => {
    t.equal(withoutFigures(bootQemu({ append: SCRIPT_ARGS, root }).console), withoutFigures(booted.console));
    t.end();
  });
  t.end();
});

t.test("when the kernel panics the sync completes, but not through the process", (t) => {
  for (const way of ALL_WAYS) {
    const root = scriptRoot(`mount_mfs -s 1m -o ${way} swap /mnt\ncat /bin/ls >/mnt/file\nsysctl -w debug.panic=Enough.\n`);
    const booted = boot(SCRIPT_ARGS, { root });
    t.equal(ended(booted), EXIT.panic);
    t.match(booted.console, /^panic: Enough\.$/m);
    if (way === "process") {
      const counts = /^syncing disks\.\.\. ((\d+) (?:\d+ )*)giving up$/m.exec(booted.console);
      t.equal(counts?.[1]?.trim().split(" ").length, 20, "process: twenty looks, then it gives up");
      t.equal(new Set(counts?.[1]?.trim().split(" ")).size, 1, "nothing was written meanwhile");
    } else t.match(booted.console, /^syncing disks\.\.\. (\d+ )*done$/m, way);
  }
  t.end();
});

/** mount_mfs and mount: a command, and the line that says what is wrong with it. */
const REFUSED: readonly (readonly [command: string, line: string])[] = [
  ["mount_mfs -s 127 swap /mnt", "mount_mfs: -s 127: a file system has at least 128 sectors (64 KB)"],
  ["mount_mfs -s 63k swap /mnt", "mount_mfs: -s 63k: a file system has at least 128 sectors (64 KB)"],
  ["mount_mfs -s 2g swap /mnt", "mount_mfs: 2g: less than 2 GB, please"],
  ["mount_mfs -s much swap /mnt", "mount_mfs: much: illegal numeric value"],
  ["mount_mfs -b 5000 swap /mnt", "newfs: block size must be a power of 2 from 4096 to 65536 (given 5000)"],
  ["mount_mfs -f 256 swap /mnt", "newfs: fragment size must be a power of 2 from 512 to the block size (given 256)"],
  ["mount_mfs -s 1m -i 100 swap /mnt",
    "newfs: too small for its inodes; enlarge it or raise bytes per inode (given 2048)"],
  ["mount_mfs -o sideways swap /mnt", "mount_mfs: -o sideways: neither an option of mount nor a way " +
    "(there are aobj burge window direct process uvm_io)"],
  ["mount_mfs -o window=513 swap /mnt", "mount_mfs: -o window=513: from 1 to 512 windows"],
  ["mount_mfs -o window=some swap /mnt", "mount_mfs: -o window=some: from 1 to 512 windows"],
  ["mount_mfs -o window=3,direct swap /mnt", "mount_mfs: -o window=3: the way direct has no windows"],
  ["mount_mfs -o direct,repair=end swap /mnt", "mount_mfs: -o repair=end: the way direct has nothing to repair"],
  ["mount_mfs -o burge,repair=end:fish swap /mnt",
    "mount_mfs: -o repair=end:fish: no such repair (there are end ref unwire offset)"],
  ["mount_mfs -o update swap /mnt", "mount_mfs: -o update: a mounted file system is changed by mount -u"],
  ["mount_mfs -o process swap /none", "mount_mfs: /none: No such file or directory"],
  ["mount_mfs swap /etc/rc", "mount_mfs: /etc/rc: Not a directory"],
  ["mount -u -o frob /mnt", "mount: -o frob: option not supported"],
];

/** For each way: the smallest size, changed to read-only and back; what is open for writing keeps it writable. */
const UPDATES = `
for w in process uvm_io aobj window=2 direct burge,repair=end:ref:unwire:offset
do
  mount_mfs -s 128 -b 4096 -f 512 -o $w,noatime swap /mnt || echo not mounted
  exec 3> /mnt/open
  mount -u -o ro /mnt || echo $w: busy
  exec 3>&-
  mount -u -o ro /mnt
  m=$(mount); echo $w: \${m##*type}
  echo no > /mnt/y
  mount -u -o rw /mnt
  m=$(mount); echo $w: \${m##*type}
  echo after > /mnt/y && cat /mnt/y
  umount /mnt
done
mount_mfs -s 48m -o aobj swap /mnt && df /mnt && umount /mnt
mount_mfs -s 48m -o process swap /mnt && df /mnt && umount /mnt
mkdir /mnt/sub && cd /mnt && mount_mfs -s 1m -o process swap sub | cat
cd / && umount /mnt/sub && rmdir /mnt/sub && echo a server keeps no folder busy
`;

t.test("mount_mfs refuses with one line what cannot be, and mount -u changes file systems of each way", (t) => {
  const refusals = REFUSED.map(([command]) => `${command} && echo mounted`).join("\n");
  const root = scriptRoot(`${refusals}\n${UPDATES}\ntrue\n`);
  const booted = boot(SCRIPT_ARGS, { root });
  t.equal(ended(booted), EXIT.clean);
  const said = booted.console.split("\n").filter((line) => /^(mount|mount_mfs|newfs|mounted)\b/.test(line));
  t.same(said.slice(0, REFUSED.length), REFUSED.map(([, line]) => line));
  const from = booted.console.slice(booted.console.indexOf(REFUSED.at(-1)![1]));
  const lines = from.split("\n");
  const ways = ["process", "uvm_io", "aobj", "window=2", "direct", "burge,repair=end:ref:unwire:offset"];
  t.same(lines.slice(1, 1 + 6 * ways.length), ways.flatMap((way) => [
    "mount: /mnt: Device busy",
    `${way}: busy`,
    `${way}: mfs (asynchronous, local, read-only, noatime)`,
    "/etc/workload: cannot create /mnt/y: Read-only file system",
    `${way}: mfs (asynchronous, local, noatime)`,
    "after",
  ]));
  t.match(from, /^swap +9\d{4} +2 /m);
  t.match(from, /^mfs:\d+ +9\d{4} +2 /m);
  t.match(from, /^a server keeps no folder busy$/m);
  t.test("the same on QEMU", { skip: absent("qemu-system-i386") }, (t) => {
    t.equal(withoutFigures(bootQemu({ append: SCRIPT_ARGS, root }).console), withoutFigures(booted.console));
    t.end();
  });
  t.end();
});

const REQUESTS = 256;

interface Measured {
  readonly rows: ReadonlyMap<string, WayRow>;
  readonly booted: Booted;
}

/** A root for mfs-ways. `file`: KB of the file on each memory file system. */
function waysRoot(size: number, file: number): Uint8Array {
  const geometry = { SIZE: size / 512, BSIZE: 8192, FSIZE: 1024 };
  return workloadRoot("mfs-ways", { ...geometry, REQUESTS, ROWS: WAYS_ROWS.join(" "), FILL: file }, 2 * file * 1024);
}

/** Boots mfs-ways with the meter of the command line. */
function measure(cpu: Model, root: Uint8Array, memoryMB = 64): Measured {
  let meter!: WaysMeter;
  const booted = boot(SCRIPT_ARGS, {
    cpu, root, memoryMB,
    prepare: (machine, symbols) => {
      meter = new WaysMeter({ machine, address: (name) => symbols.get(name)?.st_value });
    },
  });
  return { rows: new Map(meter.rows(booted.console).map((row) => [row.way, row])), booted };
}

/** What the guest counts, the switches of processes for each request: now and then the clock makes one more. */
const counted = (console: string) => linesOf(console, "ways: ").map((line) =>
  line.replace(/switches (\d+)/, (_, switches: string) => `switches ${Math.round(Number(switches) / REQUESTS)}`));

/** What must hold for any processor and size of memory. */
function checkFigures(t: Pick<Tap, "equal" | "same" | "ok">, cpu: Model, { rows, booted }: Measured): void {
  t.equal(ended(booted), EXIT.clean);
  t.same([...rows.keys()], WAYS_ROWS);
  const of = (way: string) => rows.get(way)!;
  for (const row of rows.values()) t.equal(row.requests, REQUESTS, `${cpu} ${row.way}: all requests`);
  const each = (way: string) => [Math.round(of(way).switches), of(way).uvm_faults, of(way).map_entries];
  t.same(each("process"), [2, 0, 0]);
  t.same(each("uvm_io"), [0, 2, 2]);
  t.same(each("aobj"), [0, 2, 1]);
  t.same(each("burge"), [0, 2, 1], "with all repairs");
  t.same(each("window=32"), [0, 0, 0]);
  t.same(each("direct"), [0, 0, 0]);
  t.same(each("md"), [0, 0, 0]);
  t.same([of("window=32").invlpg, of("window=32").cr3_loads], [0, 0], "a window that is there costs only the copy");
  t.equal(of("process").resumed_cr3_loads, 2, "there and back");
  t.equal(of("uvm_io").resumed_cr3_loads, cpu === "i386" ? 2 : 0);
  // A 386 has no invlpg: it flushes the TLB by loading CR3.
  const drops = cpu === "i386" ? "cr3_loads" : "invlpg";
  for (const way of ["uvm_io", "aobj", "burge", "direct"]) t.equal(of(way)[drops], 2, `${way}: one page after another`);
  const least = of("bound").cycles < of("md").cycles && of("md").cycles < of("window=32").cycles;
  t.ok(least, `${cpu}: the bound is the least`);
  for (const way of ["process", "uvm_io", "aobj", "burge", "window=4", "direct"]) {
    t.ok(of("window=32").cycles < of(way).cycles, `${cpu}: a window that is there is faster than ${way}`);
  }
}

t.test("the figures of mfs-ways", (t) => {
  const root = waysRoot(8 * MB, 512);
  const i386 = measure("i386", root);
  const i486 = measure("i486", root);
  checkFigures(t, "i386", i386);
  checkFigures(t, "i486", i486);
  const window = i386.rows.get("window=32")!;
  t.ok(window.times_bound <= 1.25, `i386: a window that hits takes ${window.times_bound} times the bare copy`);
  const ways = [...i386.rows.values()].filter(({ way }) => way !== "bound" && way !== "md");
  const best = Math.min(...ways.map((row) => row.times_bound));
  t.ok(best <= 1.15, `i386: the best way takes ${best} times the bare copy`);
  const svg = waysPlot([...i386.rows.values()], "title");
  t.match(svg, /^<svg [^]*<\/svg>\n$/);
  for (const way of i386.rows.keys()) if (way !== "bound") t.ok(svg.includes(`>${way}</text>`), `${way} is drawn`);
  t.same(counted(i386.booted.console), counted(i486.booted.console));
  t.test("QEMU counts the same", { skip: absent("qemu-system-i386") }, (t) => {
    t.same(counted(bootQemu({ append: SCRIPT_ARGS, root }).console), counted(i486.booted.console));
    t.end();
  });
  t.end();
});

t.test("the figures of mfs-ways on other machines", { skip: LONG ? false : "PTMAP_LONG=1 runs it" }, (t) => {
  for (const cpu of ["i386", "i486", "pentium"] as const) {
    checkFigures(t, cpu, measure(cpu, waysRoot(4 * MB, 512), 8));
    checkFigures(t, cpu, measure(cpu, waysRoot(8 * MB, 1536), 16));
    checkFigures(t, cpu, measure(cpu, waysRoot(8 * MB, 1536), 64));
  }
  t.end();
});

t.test("the table in docs/fault-policies.md is what the kernel tells a program", (t) => {
  const text = readFileSync(join(PROJECT_ROOT, "docs/fault-policies.md"), "utf8");
  const documented = /^```\n(policy [^]*?)^```$/m.exec(text)?.[1];
  const table = (console: string) => /^policy +step[^]*^mkwrite .*\d\n/m.exec(console)?.[0];
  const root = workloadRoot("fault-policies");
  for (const cpu of ["i386", "i486", "pentium"] as const) {
    const booted = boot(SCRIPT_ARGS, { cpu, root });
    // The script compares it with the one of accesses by the kernel.
    t.equal(ended(booted), EXIT.clean);
    t.equal(table(booted.console), documented, cpu);
  }
  t.test("and on QEMU", { skip: absent("qemu-system-i386") }, (t) => {
    t.equal(table(bootQemu({ append: SCRIPT_ARGS, root }).console), documented);
    t.end();
  });
  t.end();
});

const POLICY_MISUSE = `
policy >/dev/null
sysctl debug.inuse >/tmp/before
for i in 1 2 3 4 5 6; do policy >/dev/null 2>&1 & done
wait
dd if=/dev/policy0 count=1
dd if=/dev/zero of=/dev/policy5 conv=notrunc count=1
policy >/dev/null && echo done
sysctl debug.check
sysctl debug.inuse >/tmp/after
cat /tmp/before /tmp/after
`;

t.test("pages of fault policies survive several programs at once, and can only be mapped", (t) => {
  const booted = boot(SCRIPT_ARGS, { root: scriptRoot(POLICY_MISUSE) });
  t.equal(ended(booted), EXIT.clean);
  t.match(booted.console, /^dd: \/dev\/policy0: Operation not supported by device$/m);
  t.match(booted.console, /^dd: \/dev\/policy5: Operation not supported by device$/m);
  t.match(booted.console, /^done\ndebug.check = 0$/m);
  for (const name of ["wired_pages", "map_entries", "anons", "processes", "pool_amappl"]) {
    const counts = linesOf(booted.console, `debug.inuse.${name} = `);
    t.equal(counts.length, 2);
    t.equal(counts[0], counts[1]);
  }
  t.end();
});
