// The disk driver and the buffer cache on a machine: a kernel whose process 1 is
// storage_init.as, on ptmap and on QEMU, and a disk that fails.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { Machine, MemoryDisk } from "../../emu/index.js";
import type { DiskBackend } from "../../emu/index.js";
import { makeImage } from "../../tools/ffs/index.js";
import { PROJECT_ROOT } from "../../tools/kcc/asc.js";
import { encodeElf } from "../../tools/kcc/elf.js";
import { compileKernel } from "../../tools/kcc/kernel.js";
import { absent } from "../lib/boot.js";

const MB = 1024 * 1024;
const BLOCK = 8192;
const BLOCKS = 96;
/** Times that each of four processes counts. */
const COUNTS = 200;

const init = readFileSync(join(PROJECT_ROOT, "tests/fs/storage_init.as"), "utf8");
const built = await compileKernel({ overlay: new Map([["kernel/user/init.ts", init]]) });
if (built.image === undefined) throw new Error(built.messages.join("\n"));
const kernel = encodeElf(built.image);
const root = makeImage({ tree: { kind: "directory", mode: 0o755, mtime: 0, children: [] } });

/** A disk with something different in every word. */
function freshDisk(): Uint8Array {
  const words = new Uint32Array((BLOCK * BLOCKS) / 4);
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 2654435761);
  return new Uint8Array(words.buffer);
}

/** The sum that storage_init.as prints, without the blocks of `bad`. */
function diskSum(disk: Uint8Array, bad: readonly number[] = []): number {
  const words = new Uint32Array(disk.buffer);
  let sum = 0;
  words.forEach((word, i) => {
    const block = Math.floor(i / (BLOCK / 4));
    if (!bad.includes(block)) sum = (sum + (word ^ block)) >>> 0;
  });
  return sum;
}

/** What the disk holds when the run is over. */
function expectedDisk(): Uint8Array {
  const disk = freshDisk();
  const view = new DataView(disk.buffer);
  for (let i = 0; i < 4 * COUNTS; i++) {
    const at = ((i % COUNTS) % 7) * BLOCK + 12;
    view.setUint32(at, view.getUint32(at, true) + 1, true);
  }
  for (let block = 0; block < BLOCKS; block++) view.setUint32(block * BLOCK + 8, block * 3 + 1, true);
  return disk;
}

function runPtmap(disk: DiskBackend, append: string): string {
  const bytes: number[] = [];
  const onSerialOutput = (byte: number): void => void bytes.push(byte);
  const machine = new Machine({ memorySize: 32 * MB, cpu: "i486", timing: "model", disk, onSerialOutput });
  const modules = [{ bytes: root, string: "root.ffs" }];
  machine.loadMultiboot({ kernel, kernelName: "kernel.elf", append: `syncer=off ${append}`, modules });
  machine.run({ maxCycles: 6_000_000_000 });
  return Buffer.from(bytes).toString("latin1").replaceAll("\r", "");
}

function runQemu(disk: Uint8Array): { console: string; disk: Uint8Array } {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-storage-"));
  try {
    writeFileSync(join(folder, "kernel.elf"), kernel);
    writeFileSync(join(folder, "root.ffs"), root);
    writeFileSync(join(folder, "disk"), disk);
    spawnSync("qemu-system-i386", [
      "-cpu", "486", "-M", "pc", "-m", "32", "-nodefaults", "-display", "none", "-no-reboot",
      "-serial", "file:console", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
      "-drive", "file=disk,format=raw,if=ide", "-kernel", "kernel.elf", "-initrd", "root.ffs", "-append", "syncer=off",
    ], { cwd: folder, timeout: 60_000, killSignal: "SIGKILL" });
    const console = readFileSync(join(folder, "console"), "latin1").replaceAll("\r", "");
    return { console, disk: new Uint8Array(readFileSync(join(folder, "disk"))) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Whether the console and the disk show what they should; the first thing wrong, or nothing. */
function mistakes(console: string, disk: Uint8Array): string[] {
  const sum = diskSum(freshDisk());
  const found: string[] = [];
  if (!console.includes(`blocks ${BLOCKS} sum ${sum}\n`)) found.push("a block read is wrong");
  if (!console.includes(`backwards sum ${sum}\n`)) found.push("a block read again, the other way round, is wrong");
  if (!console.includes("written\nsyncing disks... done\n")) found.push("the system did not go down");
  if (Buffer.compare(disk, expectedDisk()) !== 0) found.push("a write is not on the disk");
  return found.length > 0 ? [...found, console] : found;
}

t.test("on ptmap blocks go to the disk and come back", (t) => {
  for (const append of ["", "bufpages=20"]) {
    const disk = new MemoryDisk(freshDisk());
    const console = runPtmap(disk, append);
    t.same(mistakes(console, disk.bytes), [], `with ${append || "many buffers"}`);
  }
  t.end();
});

t.test("on QEMU blocks go to the disk and come back", { skip: absent("qemu-system-i386") }, (t) => {
  const { console, disk } = runQemu(freshDisk());
  t.same(mistakes(console, disk), []);
  t.end();
});

/** A disk on which reads of some sectors fail so many times. */
class FailingDisk extends MemoryDisk {
  readonly failures: Map<number, number>;

  constructor(bytes: Uint8Array, failures: readonly (readonly [number, number])[]) {
    super(bytes);
    this.failures = new Map(failures);
  }

  override read(lba: number, count: number): Uint8Array {
    for (let sector = lba; sector < lba + count; sector++) {
      const left = this.failures.get(sector) ?? 0;
      this.failures.set(sector, left - 1);
      if (left > 0) return undefined as never;
    }
    return super.read(lba, count);
  }
}

t.test("a disk that fails is asked again, and then believed", (t) => {
  const bytes = freshDisk();
  const disk = new FailingDisk(bytes, [[5 * 16 + 3, 2], [9 * 16, 1_000_000]]);
  const console = runPtmap(disk, "");
  t.match(console, /wd0a: error reading fsbn 83 of 80-95 \(status 0x\w+, error 0x40\), retrying\n/, "a soft error");
  const hard = [...console.matchAll(/wd0a: error reading fsbn 144 of 144-159 .*(, retrying)?\n/g)];
  t.ok(hard.length > 0 && hard.length % 6 === 0, "a hard error is tried six times in all");
  t.match(console, "block 9: error 5\n", "and is EIO then");
  t.match(console, `blocks ${BLOCKS} sum ${diskSum(freshDisk(), [9])}\n`, "all other blocks are right");
  t.end();
});
