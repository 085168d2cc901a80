// The main job on real input: trees of all kinds are copied into a memory file
// system, compared, changed, compared again and written to a disk; what is on the
// disk is then read by the host's own tools and by sleuthkit. Full file systems,
// roots made by makefs, roots on a disk, and the same on QEMU.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { check, makeImage, readTree, type DirectoryNode, type TreeNode } from "../../tools/ffs/index.js";
import { PROJECT_ROOT } from "../../tools/kcc/asc.js";
import { absent, bootPtmap, bootQemu, comparable, type BootOptions, type Booted } from "../lib/boot.js";
import { SCRIPT_ARGS, workloadRoot } from "../lib/workload.js";
import { Guest } from "./guest.js";
import {
  contentsOf, directory, filesInWalkOrder, projectTree, randomTree, rootImage, sha256,
} from "./roots.js";

const MB = 1024 * 1024;
const LONG = process.env.PTMAP_LONG === "1";
const SEED = Number(process.env.SEED ?? 19940527);
const BUDGET = 200_000_000_000;
const EXIT_FAILED = 2;
const SECTOR = 512;
t.setTimeout(3_600_000);
t.comment(`seed ${SEED}; SEED=n chooses another`);

const ended = (booted: Booted) => (booted.result.kind === "exit" ? booted.result.code : booted.result.kind);

/** A run of the main job on a tree, in an MFS of so many bytes. */
interface Job {
  readonly tree: Uint8Array;
  readonly size: number;
  readonly mounts?: number;
  readonly bsize?: number;
  readonly fsize?: number;
  /** Writes the file system to wd0, which is made for it. */
  readonly saved?: boolean;
  /** Where the root is: the first memory disk, or wd0, which then is the root. */
  readonly onDisk?: boolean;
}

/** What to boot for a job. */
function cycle({ tree, size, mounts = 1, bsize = 8192, fsize = 1024, saved, onDisk }: Job): BootOptions {
  const root = workloadRoot("mfs-cycle", {
    WAY: "aobj", SIZE: size / SECTOR, BSIZE: bsize, FSIZE: fsize, MOUNTS: mounts, TREE: onDisk ? "/dev/md0a" : "/dev/md1a",
    ...(saved ? { SAVE: "/dev/rwd0d" } : {}),
  });
  const disk = saved ? { disk: new Uint8Array(size + MB) } : {};
  if (onDisk) return { disk: root, images: [tree], append: `${SCRIPT_ARGS} root=wd0a`, maxCycles: BUDGET };
  return { root, images: [tree], append: SCRIPT_ARGS, maxCycles: BUDGET, ...disk };
}

/** What becomes of each of ten files, by its number (kernel/user/workloads/mfs-cycle.sh). */
const CHANGES: Readonly<Record<number, string>> = { 2: "renamed", 5: "truncated", 8: "removed" };

/** What the copy of a tree holds after the changes: path -> "directory", "link TARGET" or SHA-256. */
function expectedCopy(tree: Uint8Array): Map<string, string> {
  const expected = contentsOf(tree);
  let n = 0;
  for (const { path, contents } of filesInWalkOrder(tree)) {
    const change = CHANGES[n % 10];
    if (change === "removed" || change === "renamed") expected.delete(path);
    if (change === "renamed") expected.set(path.replace(/[^/]*$/, `.r${n}`), sha256(contents));
    if (change === "truncated") expected.set(path, sha256(contents.subarray(0, contents.length >> 1)));
    n++;
  }
  return expected;
}

/** Differences of two listings, for a person: at most ten. */
function differences(expected: Map<string, string>, got: Map<string, string>): string[] {
  const lines: string[] = [];
  for (const [path, what] of expected) if (got.get(path) !== what) lines.push(`${path}: ${got.get(path) ?? "absent"}`);
  for (const path of got.keys()) if (!expected.has(path)) lines.push(`${path}: not expected`);
  return lines.slice(0, 10);
}

/** Runs the main job on a tree and checks what it leaves on the disk: console, fsck, every file. */
function runCycle(t: Test, job: Job, options: Partial<BootOptions> = {}): Uint8Array {
  const booted = bootPtmap({ ...cycle({ ...job, saved: true }), ...options });
  t.equal(ended(booted), 0, "clean end");
  t.match(booted.console, /^mfs-cycle: after the changes: \d+ files, \d+ links, \d+ bytes, 0 differ/m);
  t.notMatch(booted.console, /error|panic/);
  const image = booted.disk!.bytes.subarray(0, job.size);
  t.same(check(image).findings, [], "fsck finds nothing");
  t.same(differences(expectedCopy(job.tree), contentsOf(image)), [], "each file is what it should be");
  return image;
}

/** A folder that goes with the test. */
function scratch(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-mfs-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Checks an image with sleuthkit: names by fls, contents by icat. */
function checkWithSleuthkit(t: Test, image: Uint8Array, expected: Map<string, string>): void {
  const file = join(scratch(t), "mfs.img");
  writeFileSync(file, image);
  const run = (tool: string, ...argv: string[]) => execFileSync(tool, ["-f", "ufs1", ...argv], { maxBuffer: 2 ** 30 });
  const stat = run("fsstat", file).toString();
  t.match(stat, /^File System Type: UFS 1$/m);
  t.match(stat, /^Last Mount Point: \/mnt$/m);
  const files = [...expected].filter(([, what]) => /^[0-9a-f]{64}$/.test(what));
  const listed = new Map<string, string>();
  for (const line of run("fls", "-r", "-p", "-F", "-u", file).toString().split("\n")) {
    const match = /^r\/r (\d+):\t(.*)$/.exec(line);
    if (match) listed.set(match[2]!, match[1]!);
  }
  t.same([...listed.keys()].sort(), files.map(([path]) => path).sort(), `fls lists the ${files.length} files`);
  const wrong = files.filter(([path, sum]) => sha256(run("icat", file, listed.get(path)!)) !== sum);
  t.same(wrong, [], "icat gives each with its checksum");
}

t.test("the project's own tree, and what sleuthkit finds on the disk", (t) => {
  const tree = rootImage(projectTree("docs", "emu", "fs", "kernel", "tools", "vm"));
  const image = runCycle(t, { tree, size: 6 * MB });
  const skip = absent("fsstat");
  t.test("sleuthkit", { skip }, (t) => {
    checkWithSleuthkit(t, image, expectedCopy(tree));
    t.end();
  });
  t.test("ptmap run mfs-cycle --save-mfs writes the same kind of file", (t) => {
    const folder = scratch(t);
    const file = join(folder, "saved.img");
    const ptmap = (...argv: string[]) =>
      spawnSync(process.execPath, [join(PROJECT_ROOT, "tools/cli/ptmap.mjs"), ...argv], { encoding: "utf8" });
    const run = ptmap("run", "mfs-cycle", "--json", "--root", `${PROJECT_ROOT}/docs`, "--save-mfs", file);
    t.equal(run.status, 0);
    const { files, bytes, outcome } = JSON.parse(run.stdout) as Record<string, unknown>;
    const tree = makeImage({ tree: readTree(`${PROJECT_ROOT}/docs`) });
    const sources = [...filesInWalkOrder(tree)];
    const length = sources.reduce((sum, one) => sum + one.contents.length, 0);
    t.same([outcome, files, bytes], ["clean", sources.length, length]);
    t.same(check(readFileSync(file)).findings, []);
    t.same(differences(expectedCopy(tree), contentsOf(readFileSync(file))), []);
    t.match(ptmap("fsck", file).stdout, /clean/);
    t.end();
  });
  t.end();
});

t.test("node_modules/typescript", (t) => {
  runCycle(t, { tree: rootImage(readTree(`${PROJECT_ROOT}/node_modules/typescript`)), size: 8 * MB });
  t.end();
});

/** Block and fragment sizes; the others take longer. */
const GEOMETRIES = [
  [4096, 512], [8192, 1024], [16384, 2048],
  ...(LONG ? [[4096, 4096], [8192, 2048], [32768, 4096], [65536, 8192]] : []),
].map(([bsize, fsize]) => ({ bsize: bsize!, fsize: fsize! }));

t.test("random trees in file systems of every geometry", (t) => {
  for (const { bsize, fsize } of GEOMETRIES) {
    t.test(`blocks of ${bsize}, fragments of ${fsize}`, (t) => {
      const files = LONG ? 160 : 80;
      const tree = randomTree({ seed: SEED + bsize + fsize, files, largest: 20 * bsize, bsize, fsize });
      const image = rootImage(tree, bsize, fsize);
      const size = Math.ceil((1.2 * image.length) / MB + 1) * MB;
      runCycle(t, { tree: image, size, bsize, fsize }, { memoryMB: 32 + Math.ceil((3 * size) / MB) });
      t.end();
    });
  }
  t.end();
});

t.test("a tree of many files", (t) => {
  const files = LONG ? 3000 : 300;
  const tree = randomTree({ seed: SEED, files, largest: 120_000 });
  const image = rootImage(tree);
  const size = (LONG ? 64 : 8) * MB;
  const names = [...contentsOf(image).keys()].map((path) => path.split("/").at(-1)!.length);
  t.ok(names.includes(1) && Math.max(...names) === 255, "names of 1 to 255 bytes");
  runCycle(t, { tree: image, size }, { memoryMB: LONG ? 400 : 64 });
  t.end();
});

/** A file of which only the last bytes are not zero. */
function tailedFile(size: number): TreeNode {
  const read = (offset: number, length: number) => {
    const bytes = new Uint8Array(length);
    for (let at = Math.max(0, size - 3000 - offset); at < length; at++) bytes[at] = 1 + ((offset + at) % 251);
    return bytes;
  };
  return { kind: "file", mode: 0o644, mtime: 0, size, read };
}

t.test("files around the double indirect block", (t) => {
  const bsize = 4096;
  const edge = (12 + bsize / 4) * bsize;
  const sizes = LONG ? [edge - 1, edge, edge + 1, edge + bsize + 1, 2 * edge] : [edge + 1];
  const tree = directory(sizes.map((size, n) => ({ name: Buffer.from(`file${n}`), node: tailedFile(size) })));
  const job = { tree: rootImage(tree), size: (LONG ? 40 : 6) * MB, bsize, fsize: 512 };
  runCycle(t, job, { memoryMB: LONG ? 160 : 48 });
  t.end();
});

t.test("several mounts leave nothing behind", (t) => {
  const rounds: Record<string, number>[] = [];
  const pools = new Map<string, number>();
  const booted = bootPtmap({
    ...cycle({ tree: rootImage(projectTree("docs")), size: 2 * MB, mounts: 8 }),
    prepare: (machine, symbols) => {
      const guest = new Guest(machine, symbols);
      guest.watch("pool_init", () => pools.set(guest.text(guest.argument(5)), guest.argument(0)));
      guest.watch("mfs_mount", () => {
        const exp = (name: string) => guest.get("Uvmexp", name, guest.address("uvmexp"));
        const map = (name: string) => guest.get("VmMap", name, guest.address("kernel_map_store"));
        const pool = (name: string, field: string) => guest.get("Pool", field, pools.get(name)!);
        // Vnodes and names stay until their number reaches its limit; what they take is not lost.
        const kept = ["vnodepl", "ncachepl"].reduce((sum, name) => sum + pool(name, "pr_npages"), 0);
        const others = [...pools.keys()].filter((name) => !["vnodepl", "ncachepl"].includes(name));
        const items = Object.fromEntries(others.map((name) => [name, pool(name, "pr_nout")]));
        const [entries, size] = [map("nentries"), map("size")];
        rounds.push({ free: exp("free") + kept, wired: exp("wired"), entries, size, ...items });
      });
    },
  });
  t.equal(ended(booted), 0);
  t.match(booted.console, /^summary: mounts 8$/m);
  t.equal(rounds.length, 8);
  // The first rounds fill the buffer cache and the free lists of malloc.
  for (const round of rounds.slice(4)) t.same(round, rounds[3]);
  t.end();
});

const emptyFiles = Array.from({ length: 700 }, (_, n) => ({ name: Buffer.from(`file${n}`), node: tailedFile(0) }));
/** Trees that do not fit, and the size of the file system. */
const FILLINGS: readonly (readonly [title: string, tree: DirectoryNode, size: number, message: RegExp])[] = [
  ["out of blocks", projectTree("docs", "emu", "fs"), 256 * 1024, /^uid 0 on \/mnt: file system full$/m],
  ["out of inodes", directory(emptyFiles), 512 * 1024, /^uid 0 on \/mnt: out of inodes$/m],
  ["out of blocks, with small files and folders", randomTree({ seed: SEED, files: 300, largest: 9000 }), 300 * 1024,
    /^uid 0 on \/mnt: file system full$/m],
];

t.test("a file system that fills up says so and loses nothing", (t) => {
  for (const [title, tree, size, message] of FILLINGS) {
    t.test(title, (t) => {
      const source = rootImage(tree);
      let image = new Uint8Array(0);
      const booted = bootPtmap({
        ...cycle({ tree: source, size }),
        prepare: (machine, symbols) => {
          const guest = new Guest(machine, symbols);
          guest.watch("cpu_reboot", () => (image = guest.contentsOf(guest.mfsObject(), size).slice()));
        },
      });
      t.equal(ended(booted), EXIT_FAILED, "the run fails");
      t.match(booted.console, message);
      t.match(booted.console, /^mfs-cycle: cannot copy\nrc: the workload ended with status 1$/m);
      t.match(booted.console, /The operating system has halted/, "and the system goes down in order");
      t.same(check(image).findings, [], "fsck finds nothing");
      // The console's text lacks carriage returns, which a name may have.
      const messages = booted.console.matchAll(/^cp: \/mnt\/\.\/([^]*?): No space left on device$/gm);
      const failed = new Set([...messages].map(([, name]) => name));
      const [wanted, copy] = [contentsOf(source), contentsOf(image)];
      const others = [...copy].filter(([name]) => !failed.has(name.replaceAll("\r", "")));
      t.ok(failed.size > 0, `cp names the ${failed.size} that did not fit`);
      t.same(others.filter(([name, what]) => wanted.get(name) !== what), [], `all ${others.length} others are whole`);
      t.ok(others.length > 10 && copy.size < wanted.size);
      t.end();
    });
  }
  t.end();
});

t.test("a tree made by makefs", { skip: absent("makefs") }, (t) => {
  const folder = scratch(t);
  const tree = join(folder, "tree");
  execFileSync("cp", ["-r", `${PROJECT_ROOT}/vm`, tree]);
  const makefs = (name: string, options: string): Uint8Array => {
    const file = join(folder, name);
    const argv = ["-t", "ffs", "-o", `version=1,${options}`, "-b", "30%", "-f", "50", file, tree];
    execFileSync("makefs", argv, { stdio: "ignore" });
    return new Uint8Array(readFileSync(file));
  };
  for (const shape of ["bsize=8192,fsize=1024", "bsize=16384,fsize=2048", "bsize=4096,fsize=512"]) {
    t.test(`with ${shape} is copied as any other`, (t) => {
      runCycle(t, { tree: makefs("tree.img", shape), size: 3 * MB });
      t.end();
    });
  }
  t.end();
});

t.test("a root on the disk wd0", (t) => {
  const booted = bootPtmap(cycle({ tree: rootImage(projectTree("docs", "vm")), size: 3 * MB, onDisk: true }));
  t.equal(ended(booted), 0);
  t.match(booted.console, /^root on wd0a$/m);
  t.match(booted.console, /^mfs-cycle: after the changes: .* 0 differ/m);
  t.ok(booted.machine.counters().diskSectorsRead > 0);
  t.end();
});

t.test("QEMU prints the same and writes the same files", { skip: absent("qemu-system-i386") }, (t) => {
  const docs = rootImage(projectTree("docs", "vm"));
  const odd = rootImage(randomTree({ seed: SEED + 1, files: 120, largest: 60_000 }));
  const size = 3 * MB;
  const runs: readonly (BootOptions & { title: string })[] = [
    { title: "documents", ...cycle({ tree: docs, size }) },
    { title: "odd names, saved", ...cycle({ tree: odd, size: 6 * MB, saved: true }) },
    { title: "three mounts", ...cycle({ tree: docs, size, mounts: 3, bsize: 4096, fsize: 512 }) },
    { title: "a full file system", ...cycle({ tree: docs, size: 128 * 1024 }) },
    { title: "the root on the disk", ...cycle({ tree: docs, size, onDisk: true }) },
    { title: "the syncer on", ...cycle({ tree: docs, size }), append: "init=/sbin/init" },
  ];
  for (const run of runs) {
    const copy = run.disk ? { disk: run.disk.slice() } : {};
    const here = bootPtmap({ ...run, ...copy });
    const there = bootQemu(run);
    t.equal(comparable(there.console), comparable(here.console), run.title);
    t.equal(there.status, (Number(ended(here)) << 1) | 1);
    if (run.title !== "odd names, saved") continue;
    t.same(check(there.disk!.subarray(0, 6 * MB)).findings, []);
    t.same(differences(expectedCopy(odd), contentsOf(there.disk!.subarray(0, 6 * MB))), []);
  }
  t.end();
});
