// The workloads that `ptmap run` knows: which program init runs in the guest
// and which boot arguments carry the options. The work itself is guest code
// (kernel/user/); nothing here does any of it.

import { parseCount, parseSize, type Parsed } from "./args.js";
import { UsageError } from "./errors.js";
import { fieldOffset } from "./layouts.js";
import type { SystemFiles } from "./root.js";

export interface Workload {
  readonly name: string;
  readonly summary: string;
  /** Files of /etc, when the root shall have the programs of user space. */
  readonly system?: SystemFiles;
  /** Flags of `run` that this workload does not take. */
  readonly refuses: readonly string[];
  /** The machine measures each request of it (ways.ts). */
  readonly metersRequests?: boolean;
  /** Boot arguments besides those of --append. `fittedSize` is the size in bytes of an MFS that holds the tree. */
  bootArguments(parsed: Parsed, fittedSize: number): string[];
}

/** The mistakes of the mail that `--repair` mends, in the order of the mail's code. */
export const REPAIRS = ["end", "ref", "unwire", "offset"] as const;

/** DDB commands that show the mail's panic: the trace, who ran, the registers, the map and the dead object. */
function postMortem(): string[] {
  const object = `*(*mfs_newest+${fieldOffset("Mfsnode", "mfs_data").toString(16)})`;
  return ["trace", "ps", "show registers", "show map kernel_map_store", `show object ${object}`];
}

const MFS_MINIMUM = 64 * 1024;
/** mfs-ways writes a file of 1.5 MB and reads an area of 1 MB. */
const WAYS_MINIMUM = 4 * 1024 * 1024;

function geometry(parsed: Parsed, defaultSize: number): string[] {
  const sizeText = parsed.values.get("mfs-size");
  const size = sizeText === undefined ? defaultSize : parseSize(sizeText, "mfs-size");
  if (size < MFS_MINIMUM) {
    throw new UsageError(`flag '--mfs-size' needs at least 64K, not '${sizeText}'`);
  }
  const bsize = powerOfTwo(parsed, "bsize", 8192, 4096, 65536);
  const fsize = powerOfTwo(parsed, "fsize", 1024, 512, 65536);
  if (fsize > bsize || bsize / fsize > 8) {
    throw new UsageError(`flags '--bsize ${bsize} --fsize ${fsize}': a block holds 1, 2, 4 or 8 fragments`);
  }
  return [`mfs.size=${size}`, `mfs.bsize=${bsize}`, `mfs.fsize=${fsize}`];
}

function powerOfTwo(parsed: Parsed, flag: string, fallback: number, low: number, high: number): number {
  const text = parsed.values.get(flag);
  if (text === undefined) return fallback;
  const n = parseSize(text, flag);
  if (n < low || n > high || (n & (n - 1)) !== 0) {
    throw new UsageError(`flag '--${flag}' needs a power of two from ${low} to ${high}, not '${text}'`);
  }
  return n;
}

function repairList(parsed: Parsed): string[] {
  const words = (parsed.values.get("repair") ?? "").split(",").filter((word) => word !== "");
  for (const word of words) {
    if (!(REPAIRS as readonly string[]).includes(word)) {
      throw new UsageError(`flag '--repair' takes any of ${REPAIRS.join(",")}, not '${word}'`);
    }
  }
  return words.length ? [`mfs.repair=${words.join(",")}`] : [];
}

/** What the diagnostic pools put into fresh pages. */
export function poolFill(parsed: Parsed): string[] {
  const fill = parsed.values.get("pool-fresh");
  if (fill === undefined) return [];
  if (!/^(zero|junk(:[0-9a-f]{1,8})?)$/i.test(fill)) {
    throw new UsageError(`flag '--pool-fresh' is zero, junk or junk:HEX, not '${fill}'`);
  }
  return [`pool.fresh=${fill}`];
}

/** DDB ends the machine after the last command: `reboot 4` does not sync, what a broken kernel could not do. */
function ddbCommands(parsed: Parsed, fallback: readonly string[]): string[] {
  const commands = parsed.values.get("ddb") ?? fallback.join(";");
  return [`ddb.commandonenter="${commands};reboot 4"`];
}

const mfsCycle: Workload = {
  name: "mfs-cycle",
  summary: "mount an MFS over a uvm aobj, copy the tree into it, verify, rename, truncate, remove, sync, unmount",
  refuses: ["repair", "plot", "requests"],
  bootArguments(parsed, fittedSize) {
    const mounts = parseCount(parsed.values.get("mounts") ?? "1", "mounts", 1, 100000);
    return [
      "init=mfs-cycle",
      "mfs.way=aobj",
      `mounts=${mounts}`,
      ...geometry(parsed, fittedSize),
      ...(parsed.values.has("save-mfs") ? ["save=wd0"] : []),
      ...ddbCommands(parsed, ["trace", "ps", "show registers"]),
    ];
  },
};

const burge: Workload = {
  name: "burge",
  summary: "ordinary writes and a sync on the MFS of the mail of May 2000, with its mistakes",
  refuses: ["mounts", "save-mfs", "plot", "requests"],
  bootArguments(parsed) {
    return [
      "init=traffic",
      "mfs.way=burge",
      ...geometry(parsed, 8 * 1024 * 1024),
      ...repairList(parsed),
      ...ddbCommands(parsed, postMortem()),
    ];
  },
};

const mfsWays: Workload = {
  name: "mfs-ways",
  summary: "the same 8 KB requests on each way of MFS I/O: cycles, TLB misses, faults, switches per request",
  refuses: ["repair", "mounts", "save-mfs"],
  metersRequests: true,
  bootArguments(parsed) {
    const requests = parseCount(parsed.values.get("requests") ?? "256", "requests", 2, 1_000_000);
    const sizeText = parsed.values.get("mfs-size");
    if (sizeText !== undefined && parseSize(sizeText, "mfs-size") < WAYS_MINIMUM) {
      throw new UsageError(`flag '--mfs-size' needs at least 4M for mfs-ways, not '${sizeText}'`);
    }
    return [
      "init=mfs-ways",
      `requests=${requests}`,
      ...geometry(parsed, 8 * 1024 * 1024),
      ...ddbCommands(parsed, ["trace", "ps", "show registers"]),
    ];
  },
};

const faultPolicies: Workload = {
  name: "fault-policies",
  summary: "what the pager of an object is told of faults, and what is mapped, under each fault policy",
  refuses: ["repair", "mounts", "save-mfs", "plot", "requests", "mfs-size", "bsize", "fsize"],
  bootArguments(parsed) {
    return ["init=fault-policies", ...ddbCommands(parsed, ["trace", "ps", "show registers"])];
  },
};

export const WORKLOADS: readonly Workload[] = [mfsCycle, mfsWays, burge, faultPolicies];
