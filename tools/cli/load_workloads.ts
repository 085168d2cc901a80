// The workloads that load one file system or the memory: programs of user space
// that check what they find (kernel/user/bin: fsx, postmark, storm, forkcow).

import { parseCount, type Parsed } from "./args.js";
import { MFS_FLAGS, mfsVariables, scriptOf, type Workload } from "./workload.js";

/** How much a workload does when nobody says; PROCS for those that take it. */
interface Amount {
  readonly ops: number;
  readonly procs?: number;
}

const SECTOR = 512;
/** Size of the file system when nobody says. */
const SIZE = 4 * 1024 * 1024;
const OPS_MOST = 10_000_000;
const PROCS_MOST = 64;

function load(name: string, summary: string, { ops, procs }: Amount): Workload {
  const count = (parsed: Parsed, flag: string, fallback: number, least: number, most: number) =>
    parseCount(parsed.values.get(flag) ?? String(fallback), flag, least, most);
  return {
    name, summary, takes: ["ops", "seed", "way", ...MFS_FLAGS, ...(procs === undefined ? [] : ["procs"])],
    get script() { return scriptOf(name); },
    variables: (parsed) => ({
      ...mfsVariables(parsed, SIZE),
      OPS: count(parsed, "ops", ops, 8, OPS_MOST),
      SEED: count(parsed, "seed", 1, 0, 0x7fffffff),
      ...(procs === undefined ? {} : { PROCS: count(parsed, "procs", procs, 1, PROCS_MOST) }),
    }),
    scratchDisk: (parsed) => parsed.values.get("way") === "wd" ? SECTOR * Number(mfsVariables(parsed, SIZE)["SIZE"]) : 0,
  };
}

export const LOAD_WORKLOADS: readonly Workload[] = [
  load("fsx", "read, write, truncate and map files at random and compare them with a model", { ops: 2000 }),
  load("postmark", "make, read, append to and delete many small files", { ops: 500 }),
  load("storm", "make, rename, link and remove names in the same folders with many processes", { ops: 100, procs: 32 }),
  load("fork-cow", "write to memory of every kind in families of processes, each checking what it sees", { ops: 60 }),
];
