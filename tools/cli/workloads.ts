// The workloads that `ptmap run` knows: how the command's flags reach the guest.
// The work itself is done there, by a script (kernel/user/workloads/) that rc runs
// with the flags as variables; nothing here does any of it.

import { parseCount, parseSize, type Parsed } from "./args.js";
import { UsageError } from "./errors.js";
import { fieldOffset } from "./layouts.js";
import { LOAD_WORKLOADS } from "./load_workloads.js";
import { memorySizeOf } from "./session.js";
import { MFS_FLAGS, mfsVariables, scriptOf, type Workload } from "./workload.js";

/** The mistakes of the mail that `--repair` mends, in the order of the mail's code. */
export const REPAIRS = ["end", "ref", "unwire", "offset"] as const;

/** DDB commands that show the mail's panic: the trace, who ran, the registers, the map and the dead object. */
function postMortem(): string[] {
  const object = `*(*mfs_newest+${fieldOffset("Mfsnode", "mfs_data").toString(16)})`;
  return ["trace", "ps", "show registers", "show map kernel_map_store", `show object ${object}`];
}

/** What DDB shows when a workload gives nothing better. */
export const DDB_COMMANDS: readonly string[] = ["trace", "ps", "show registers"];

/** mfs-ways reads and writes the second megabyte, and has a file of up to 1.5 MB. */
const WAYS_MINIMUM = 4 * 1024 * 1024;

/** The way of the mail with what --repair mends of it, as an option of mount_mfs(8). */
function burgeWay(parsed: Parsed): string {
  const words = (parsed.values.get("repair") ?? "").split(",").filter((word) => word !== "");
  for (const word of words) {
    if (!(REPAIRS as readonly string[]).includes(word)) {
      throw new UsageError(`flag '--repair' takes any of ${REPAIRS.join(",")}, not '${word}'`);
    }
  }
  return words.length ? `burge,repair=${words.join(":")}` : "burge";
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
export function ddbCommands(parsed: Parsed, fallback: readonly string[]): string[] {
  const commands = parsed.values.get("ddb") ?? fallback.join(";");
  return [`ddb.commandonenter="${commands};reboot 4"`];
}

const mfsCycle: Workload = {
  name: "mfs-cycle",
  summary: "copy the tree into an MFS, verify, rename, truncate and remove files, verify, sync, unmount",
  takes: ["mounts", "save-mfs", "way", ...MFS_FLAGS],
  wantsTree: true,
  get script() { return scriptOf(this.name); },
  variables: (parsed, fittedSize) => ({
    ...mfsVariables(parsed, fittedSize),
    MOUNTS: parseCount(parsed.values.get("mounts") ?? "1", "mounts", 1, 100000),
    ...(parsed.values.has("save-mfs") ? { SAVE: "/dev/rwd0d" } : {}),
  }),
};

const burge: Workload = {
  name: "burge",
  summary: "ordinary writes and a sync on the MFS of the mail of May 2000, with its mistakes",
  takes: ["repair", ...MFS_FLAGS],
  get script() { return scriptOf("traffic"); },
  variables: (parsed) => ({ ...mfsVariables(parsed, 8 * 1024 * 1024), WAY: burgeWay(parsed) }),
  ddb: postMortem,
};

/** Rows of mfs-ways: the ways, a disk that is mapped all the time, and copying alone. */
export const WAYS_ROWS = [
  "process", "uvm_io", "aobj", "burge", "window=4", "window=32", "direct", "md", "bound",
] as const;

function waysRows(parsed: Parsed): string {
  const rows = (parsed.values.get("rows") ?? WAYS_ROWS.join(",")).split(",");
  const wrong = rows.find((row) => !(WAYS_ROWS as readonly string[]).includes(row));
  if (wrong !== undefined) throw new UsageError(`flag '--rows' takes any of ${WAYS_ROWS.join(",")}, not '${wrong}'`);
  return rows.join(" ");
}

/** Machines with so much memory or less have smaller file systems in mfs-ways. */
const SMALL_MEMORY = 12 * 1024 * 1024;

const mfsWays: Workload = {
  name: "mfs-ways",
  summary: "the same 8 KB requests on each way of MFS I/O: cycles, TLB misses, faults, switches per request",
  takes: ["requests", "rows", "plot", ...MFS_FLAGS],
  metersRequests: true,
  get script() { return scriptOf(this.name); },
  variables(parsed) {
    const requests = parseCount(parsed.values.get("requests") ?? "256", "requests", 2, 1_000_000);
    const sizeText = parsed.values.get("mfs-size");
    if (sizeText !== undefined && parseSize(sizeText, "mfs-size") < WAYS_MINIMUM) {
      throw new UsageError(`flag '--mfs-size' needs at least 4M for mfs-ways, not '${sizeText}'`);
    }
    const small = memorySizeOf(parsed) <= SMALL_MEMORY;
    const { WAY: _, ...geometry } = mfsVariables(parsed, small ? WAYS_MINIMUM : 8 * 1024 * 1024);
    return { ...geometry, REQUESTS: requests - requests % 2, ROWS: waysRows(parsed), FILL: small ? 512 : 1536 };
  },
};

/** All ways as mount_mfs(8) takes them; that of the mail with its mistakes mended. */
export const ALL_WAYS = [
  "process", "uvm_io", "aobj", "window=4", "direct", `burge,repair=${REPAIRS.join(":")}`,
] as const;

const mfsLife: Workload = {
  name: "mfs-life",
  summary: "mount MFS of each way at once, busy, under load, many times; unmount in every manner; nothing may be left",
  takes: ["mounts", "way"],
  get script() { return scriptOf(this.name); },
  variables: (parsed) => ({
    WAYS: parsed.values.get("way") ?? ALL_WAYS.join(" "),
    CYCLES: parseCount(parsed.values.get("mounts") ?? "10", "mounts", 1, 100000),
    ROUNDS: 8,
  }),
};

const faultPolicies: Workload = {
  name: "fault-policies",
  summary: "what the pager of an object is told of faults, and what is mapped, under each fault policy",
  takes: [],
  get script() { return scriptOf(this.name); },
  variables: () => ({}),
};

const mfsFull: Workload = {
  name: "mfs-full",
  summary: "fill an MFS with several programs until nothing fits, read what they say, remove all, fill it again",
  takes: ["way", ...MFS_FLAGS],
  get script() { return scriptOf(this.name); },
  variables: (parsed) => mfsVariables(parsed, 1024 * 1024),
};

const PAGE = 4096;
/** The file of `pager` on the disk is larger than memory by so much, and the disk than the file. */
const PAGER_EXCESS = 1 * 1024 * 1024;
const PAGER_DISK_ROOM = 3 * 1024 * 1024;
/** What part of memory its file on a memory file system is: it is there twice, and shares memory with the root. */
const PAGER_MFS_SHARE = 8;

const pager: Workload = {
  name: "pager",
  summary: "write, change and read a mapped file larger than memory in three orders, on a disk and on an MFS",
  takes: ["way", ...MFS_FLAGS],
  get script() { return scriptOf(this.name); },
  variables(parsed) {
    const mfsBytes = memorySizeOf(parsed) / PAGER_MFS_SHARE;
    return {
      DISK: "/dev/rwd0a",
      PAGES: (memorySizeOf(parsed) + PAGER_EXCESS) / PAGE,
      MFS_PAGES: Math.floor(mfsBytes / PAGE),
      ...mfsVariables(parsed, Math.floor(mfsBytes * 1.25 + 1024 * 1024)),
    };
  },
  scratchDisk: (parsed) => Math.floor((memorySizeOf(parsed) + PAGER_EXCESS) * 1.1) + PAGER_DISK_ROOM,
};

/** The cases of kernel/user/bin/shortage.ts. */
export const SHORTAGE_CASES: readonly string[] = [
  "anon", "aobj", "copy", "killed", "amap", "read", "full", "pagetable", "fork", "kernel", "other", "limits",
];

const shortage: Workload = {
  name: "shortage",
  summary: "take all memory in a dozen ways and look at what becomes of who wanted more",
  takes: [],
  get script() { return scriptOf(this.name); },
  variables: () => ({ CASES: SHORTAGE_CASES.join(" "), FILE: "/mnt/file", DISK: "/dev/rwd0a" }),
  scratchDisk: () => 4 * 1024 * 1024,
};

/** A person's own script: the flags of the workloads mean nothing to it. */
export function ownScript(name: string, script: string): Workload {
  return {
    name, summary: "", onRoot: true, script,
    takes: [],
    variables: () => ({}),
  };
}

export const WORKLOADS: readonly Workload[] = [
  mfsCycle, mfsLife, mfsWays, mfsFull, pager, shortage, burge, faultPolicies, ...LOAD_WORKLOADS,
];
