// `ptmap run WORKLOAD`: boots, lets the guest work, prints its console and then
// the figures.

import { basename } from "node:path";
import { MemoryDisk } from "../../emu/index.js";
import { nearest, parseSize, type Parsed } from "./args.js";
import { Capture } from "./capture.js";
import { ConsoleLog, summaryLines } from "./console.js";
import { EXIT, UsageError } from "./errors.js";
import { WORKLOAD_FLAGS } from "./flags.js";
import { projectTree, systemRoot, type RootImage } from "./root.js";
import { makeFolder, readInput, saveFile } from "./files.js";
import { MEMORY, Session, memorySizeOf, outcome, rootFree, rootOf } from "./session.js";
import type { Workload } from "./workload.js";
import { workloadFiles, type Variables } from "./system.js";
import { DDB_COMMANDS, WORKLOADS, ddbCommands, ownScript, poolFill } from "./workloads.js";
import { progressLine } from "./progress.js";
import { REQUEST_BYTES, WaysMeter, waysTable } from "./ways.js";
import { waysPlot } from "./ways_plot.js";

const MB = 1024 * 1024;
/** Room for the kernel and its structures, besides the share of memory that buffers and page structures take. */
const KERNEL_ROOM = 4 * MB;
const KERNEL_SHARE = 0.08;

/** The outcome of a run as --json prints it and summary.json holds it. */
export interface RunSummary {
  readonly workload: string;
  readonly outcome: string;
  readonly status: number;
  readonly [figure: string]: unknown;
}

function findWorkload(name: string): Workload {
  if (name.includes("/") || name.endsWith(".sh")) {
    return ownScript(basename(name), new TextDecoder("latin1").decode(readInput(name, "script")));
  }
  const workload = WORKLOADS.find((w) => w.name === name);
  if (workload) return workload;
  const names = WORKLOADS.map((w) => w.name);
  const closest = nearest(name, names);
  throw new UsageError(`unknown workload '${name}'; did you mean '${closest}'? (ptmap run --help lists them)`);
}

function checkFlags(workload: Workload, parsed: Parsed): void {
  const wrong = WORKLOAD_FLAGS.map(({ name }) => name).find((name) => parsed.values.has(name) && !workload.takes.includes(name));
  if (wrong) throw new UsageError(`flag '--${wrong}' means nothing to the workload '${workload.name}'; leave it out`);
}

/** Size of an MFS that holds a copy of the tree of `root`: its data, a tenth, and room for inodes and maps. */
function fittedMfsSize(root: RootImage): number {
  return Math.ceil((root.copyBytes * 1.15 + 2 * MB) / MB) * MB;
}

/** The images of a run, the root first, and the one that holds the tree. */
interface Images {
  readonly all: readonly RootImage[];
  readonly tree: RootImage | undefined;
}

/** Where rc finds the tree: the second unit of md. */
const TREE_DEVICE = "/dev/md1a";

/** The images for a workload. `fill` makes the variables of its script when the tree is known. */
function imagesOf(workload: Workload, parsed: Parsed, fill: (tree: RootImage | undefined) => Variables): Images {
  const free = rootFree(parsed);
  const system = (variables: Variables) => ({ files: workloadFiles(workload.script, variables), free });
  if (workload.onRoot) {
    const own = system(fill(undefined));
    const root = rootOf(parsed, own) ?? projectTree(own);
    return { all: [root], tree: root };
  }
  const tree = rootOf(parsed) ?? (workload.wantsTree ? projectTree() : undefined);
  const root = systemRoot(system({ ...fill(tree), ...(tree ? { TREE: TREE_DEVICE } : {}) }));
  return { all: tree ? [root, tree] : [root], tree };
}

/** Refuses at once what would end in the guest's shortage of memory. */
function checkMemory(parsed: Parsed, { all, tree }: Images, mfsSize: number): void {
  const images = all.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const needed = images + Math.min(mfsSize, (tree?.copyBytes ?? mfsSize) * 1.3 + 2 * MB) + KERNEL_ROOM;
  const advice = Math.ceil(needed / (1 - KERNEL_SHARE) / (4 * MB)) * 4;
  if (advice * MB <= memorySizeOf(parsed)) return;
  const remedy = advice * MB > MEMORY.high ? "which no machine here has; give a smaller tree" : `use --mem ${advice}M`;
  throw new UsageError(`the file system images and the memory file system need ${advice} MB of memory; ${remedy}`);
}

const OUTCOMES: Readonly<Record<number, string>> = { 0: "clean", 1: "failed", 3: "panic", 4: "budget" };

/** Runs the command; returns the exit status. */
export async function runCommand(parsed: Parsed): Promise<number> {
  const workload = findWorkload(parsed.operands[0]!);
  checkFlags(workload, parsed);
  const json = parsed.switches.has("json");
  const stream = json ? process.stderr : process.stdout;
  const console = new ConsoleLog((text) => void stream.write(text));
  const sizeOf = (tree: RootImage | undefined) => tree === undefined ? 0 : fittedMfsSize(tree);
  const images = imagesOf(workload, parsed, (tree) => workload.variables(parsed, sizeOf(tree)));
  const mfsSizeText = parsed.values.get("mfs-size");
  const mfsSize = mfsSizeText === undefined ? sizeOf(images.tree) : parseSize(mfsSizeText, "mfs-size");
  const bootArguments = [
    "init=/sbin/init", ...ddbCommands(parsed, workload.ddb?.() ?? DDB_COMMANDS), ...poolFill(parsed), "syncer=off",
    "ddb.lines=0",
  ];
  checkMemory(parsed, images, mfsSize);
  const saveTo = parsed.values.get("save-mfs");
  if (saveTo !== undefined && parsed.values.has("disk")) {
    throw new UsageError("flags '--save-mfs' and '--disk' both want wd0; give one of them");
  }
  const folder = parsed.values.get("capture");
  if (folder !== undefined) makeFolder(folder);
  const scratchDisk = saveTo === undefined ? workload.scratchDisk?.(parsed) ?? 0 : mfsSize + MB;
  const session = new Session({ parsed, bootArguments, images: images.all, console, scratchDisk });
  const capture = new Capture(session, console);
  const meter = workload.metersRequests ? new WaysMeter(session) : undefined;
  const progress = progressLine(session.machine);
  const started = process.hrtime.bigint();
  const result = await session.run(progress.update);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  progress.clear();
  console.flush();
  session.finish();
  const { status, line } = outcome(result);
  if (line) process.stderr.write(`ptmap: ${line}\n`);
  // A run that ended early may have written half of it.
  if (saveTo !== undefined && status === EXIT.ok) saveFile(saveTo, savedImage(session.disk!, mfsSize));
  const ways = meter?.rows(console.text);
  const plot = parsed.values.get("plot");
  if (ways && plot !== undefined) saveFile(plot, waysPlot(ways, plotTitle(session)));
  const summary: RunSummary = {
    workload: workload.name,
    outcome: OUTCOMES[status] ?? "failed",
    status,
    ...summaryLines(console.text),
    ...capture.fatal(),
    ...(ways ? { ways } : {}),
    ...machineFigures(session, seconds),
  };
  if (folder !== undefined) capture.write(folder, summary);
  if (ways && !json) process.stdout.write(`\n${waysTable(ways)}`);
  process.stdout.write(json ? `${JSON.stringify(summary)}\n` : summaryText(summary));
  return status;
}

/** What the picture says above the bars. */
function plotTitle(session: Session): string {
  const { cpu } = session.machine.config;
  return `MFS: cycles per ${REQUEST_BYTES / 1024} KB request on the ${cpu ?? "i486"} model`;
}

/** The part of the disk that holds the file system. */
function savedImage(disk: MemoryDisk, size: number): Uint8Array {
  return disk.bytes.subarray(0, size);
}

/** Figures that only the machine knows. Host figures vary from run to run; all others do not. */
function machineFigures(session: Session, seconds: number): Record<string, unknown> {
  const c = session.machine.counters();
  return {
    guest_cycles: c.cycles,
    idle_cycles: c.idleCycles,
    instructions: c.instructions,
    page_faults: c.pageFaults.reduce((sum, n) => sum + n, 0),
    page_faults_by_kind: faultKinds(c.pageFaults),
    tlb_misses: c.tlbMissesRead + c.tlbMissesWrite + c.tlbMissesFetch,
    tlb_misses_by_kind: { read: c.tlbMissesRead, write: c.tlbMissesWrite, fetch: c.tlbMissesFetch },
    page_walks: c.pageWalks,
    cr3_loads: c.cr3Loads,
    invlpg: c.invlpg,
    interrupts: c.interrupts,
    host_seconds: Number(seconds.toFixed(3)),
    mips: Number((c.instructions / seconds / 1e6).toFixed(1)),
  };
}

/** Page faults by error code, in words: who (bit 2), what (bit 1), and whether a page was there (bit 0). */
function faultKinds(counts: readonly number[]): Record<string, number> {
  const kinds: Record<string, number> = {};
  for (const [code, count] of counts.entries()) {
    if (count === 0) continue;
    const access = `${code & 4 ? "user" : "kernel"} ${code & 2 ? "write" : "read"}`;
    kinds[`${access}, ${code & 1 ? "protected page" : "no page"}`] = count;
  }
  return kinds;
}

function row(name: string, value: unknown): string {
  const text = typeof value === "number" ? value.toLocaleString("en-US") : String(value);
  return `  ${name.padEnd(34)}${text.padStart(18)}\n`;
}

/** The short summary for a person: one line a figure. */
function summaryText(summary: RunSummary): string {
  const lines = [`\n${summary.workload}: ${summary.outcome}\n`];
  for (const [name, value] of Object.entries(summary)) {
    if (["workload", "outcome", "status", "ways"].includes(name)) continue;
    if (typeof value === "object" && value !== null) {
      for (const [part, n] of Object.entries(value)) lines.push(row(`  ${part}`, n));
    } else lines.push(row(name.replaceAll("_", " "), value));
  }
  return lines.join("");
}
