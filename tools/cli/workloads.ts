// The workloads that `ptmap run` knows: how the command's flags reach the guest.
// The work itself is done there, by a script (kernel/user/workloads/NAME.sh) that
// rc runs with the flags as variables, or by a kernel process (kernel/user/);
// nothing here does any of it.

import { parseCount, parseSize, type Parsed } from "./args.js";
import { UsageError } from "./errors.js";
import { fieldOffset } from "./layouts.js";
import { LOAD_WORKLOADS } from "./load_workloads.js";
import { readInput } from "./files.js";
import { memorySizeOf } from "./session.js";
import { WORKLOAD_SCRIPTS } from "./paths.js";
import type { Variables } from "./system.js";

interface AnyWorkload {
  readonly name: string;
  readonly summary: string;
  /** Flags of `run` that this workload does not take. */
  readonly refuses: readonly string[];
  /** Flags of OWN_FLAGS that this workload takes. */
  readonly ownFlags?: readonly string[];
  /** The machine measures each request of it (ways.ts). */
  readonly metersRequests?: boolean;
}

/** Run by rc on a root with user space. The tree of --root is mounted on /src when there is one. */
export interface ScriptWorkload extends AnyWorkload {
  readonly kind: "script";
  readonly script: string;
  /** Has the project's tree on /src when no --root is given. */
  readonly wantsTree?: boolean;
  /** --root is not a tree beside the root, but the root. */
  readonly onRoot?: boolean;
  /** Variables of the script, in sizes of sectors. `fittedSize` is the size in bytes of an MFS that holds the tree. */
  variables(parsed: Parsed, fittedSize: number): Variables;
  /** Bytes of an empty disk that it wants when --disk gives none; 0: no disk. */
  readonly scratchDisk?: (parsed: Parsed) => number;
  /** DDB's commands when --ddb gives none. */
  readonly ddb?: () => readonly string[];
}

/** Run by init as a kernel process with the tree as root. */
export interface KernelWorkload extends AnyWorkload {
  readonly kind: "kernel";
  /** Boot arguments besides those of --append. */
  bootArguments(parsed: Parsed, fittedSize: number): string[];
}

export type Workload = ScriptWorkload | KernelWorkload;

/** The script of a workload of the repository. */
export const scriptOf = (name: string) => new TextDecoder("latin1").decode(readInput(`${WORKLOAD_SCRIPTS}/${name}.sh`, "script"));

/** The mistakes of the mail that `--repair` mends, in the order of the mail's code. */
export const REPAIRS = ["end", "ref", "unwire", "offset"] as const;

/** DDB commands that show the mail's panic: the trace, who ran, the registers, the map and the dead object. */
function postMortem(): string[] {
  const object = `*(*mfs_newest+${fieldOffset("Mfsnode", "mfs_data").toString(16)})`;
  return ["trace", "ps", "show registers", "show map kernel_map_store", `show object ${object}`];
}

/** What DDB shows when a workload gives nothing better. */
export const DDB_COMMANDS: readonly string[] = ["trace", "ps", "show registers"];

const SECTOR = 512;
const MFS_MINIMUM = 64 * 1024;
/** mfs-ways reads and writes the second megabyte, and has a file of up to 1.5 MB. */
const WAYS_MINIMUM = 4 * 1024 * 1024;

interface Geometry {
  /** Bytes. */
  readonly size: number;
  readonly bsize: number;
  readonly fsize: number;
}

/** The memory file system that the flags ask for. Throws UsageError. */
function geometryOf(parsed: Parsed, defaultSize: number): Geometry {
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
  return { size, bsize, fsize };
}

function geometry(parsed: Parsed, defaultSize: number): string[] {
  const { size, bsize, fsize } = geometryOf(parsed, defaultSize);
  return [`mfs.size=${size}`, `mfs.bsize=${bsize}`, `mfs.fsize=${fsize}`];
}

/** The same for a script: sizes as mount_mfs(8) takes them, and the way of I/O. */
export function mfsVariables(parsed: Parsed, defaultSize: number): Variables {
  const { size, bsize, fsize } = geometryOf(parsed, defaultSize);
  return { WAY: parsed.values.get("way") ?? "aobj", SIZE: Math.floor(size / SECTOR), BSIZE: bsize, FSIZE: fsize };
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
export function ddbCommands(parsed: Parsed, fallback: readonly string[]): string[] {
  const commands = parsed.values.get("ddb") ?? fallback.join(";");
  return [`ddb.commandonenter="${commands};reboot 4"`];
}

const mfsCycle: Workload = {
  kind: "kernel",
  name: "mfs-cycle",
  summary: "mount an MFS over a uvm aobj, copy the tree into it, verify, rename, truncate, remove, sync, unmount",
  refuses: ["repair", "plot", "requests", "rows", "way"],
  bootArguments(parsed, fittedSize) {
    const mounts = parseCount(parsed.values.get("mounts") ?? "1", "mounts", 1, 100000);
    return [
      "init=mfs-cycle",
      "mfs.way=aobj",
      `mounts=${mounts}`,
      ...geometry(parsed, fittedSize),
      ...(parsed.values.has("save-mfs") ? ["save=wd0"] : []),
      ...ddbCommands(parsed, DDB_COMMANDS),
    ];
  },
};

const burge: Workload = {
  kind: "kernel",
  name: "burge",
  summary: "ordinary writes and a sync on the MFS of the mail of May 2000, with its mistakes",
  refuses: ["mounts", "save-mfs", "plot", "requests", "rows", "way"],
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
  kind: "script",
  name: "mfs-ways",
  summary: "the same 8 KB requests on each way of MFS I/O: cycles, TLB misses, faults, switches per request",
  refuses: ["repair", "mounts", "save-mfs", "way"],
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
  kind: "script",
  name: "mfs-life",
  summary: "mount MFS of each way at once, busy, under load, many times; unmount in every manner; nothing may be left",
  refuses: ["repair", "save-mfs", "plot", "requests", "rows", "mfs-size", "bsize", "fsize"],
  get script() { return scriptOf(this.name); },
  variables: (parsed) => ({
    WAYS: parsed.values.get("way") ?? ALL_WAYS.join(" "),
    CYCLES: parseCount(parsed.values.get("mounts") ?? "10", "mounts", 1, 100000),
    ROUNDS: 8,
  }),
};

const faultPolicies: Workload = {
  kind: "script",
  name: "fault-policies",
  summary: "what the pager of an object is told of faults, and what is mapped, under each fault policy",
  refuses: ["repair", "mounts", "save-mfs", "plot", "requests", "rows", "way", "mfs-size", "bsize", "fsize"],
  get script() { return scriptOf(this.name); },
  variables: () => ({}),
};

const mfsFull: Workload = {
  kind: "script",
  name: "mfs-full",
  summary: "fill an MFS with several programs until nothing fits, read what they say, remove all, fill it again",
  refuses: ["repair", "mounts", "save-mfs", "plot", "requests", "rows"],
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
  kind: "script",
  name: "pager",
  summary: "write, change and read a mapped file larger than memory in three orders, on a disk and on an MFS",
  refuses: ["repair", "mounts", "save-mfs", "plot", "requests", "rows"],
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
  kind: "script",
  name: "shortage",
  summary: "take all memory in a dozen ways and look at what becomes of who wanted more",
  refuses: ["repair", "mounts", "save-mfs", "plot", "requests", "rows", "way", "mfs-size", "bsize", "fsize"],
  get script() { return scriptOf(this.name); },
  variables: () => ({ CASES: SHORTAGE_CASES.join(" "), FILE: "/mnt/file", DISK: "/dev/rwd0a" }),
  scratchDisk: () => 4 * 1024 * 1024,
};

/** A person's own script: the flags of the workloads mean nothing to it. */
export function ownScript(name: string, script: string): ScriptWorkload {
  return {
    kind: "script", name, summary: "", onRoot: true, script,
    refuses: ["way", "mounts", "mfs-size", "bsize", "fsize", "repair", "save-mfs", "requests", "rows", "plot"],
    variables: () => ({}),
  };
}

/** Flags that only some workloads take; they name them in `ownFlags`. */
export const OWN_FLAGS = ["ops", "procs", "seed"] as const;

export const WORKLOADS: readonly Workload[] = [
  mfsCycle, mfsLife, mfsWays, mfsFull, pager, shortage, burge, faultPolicies, ...LOAD_WORKLOADS,
];
