// What a workload of `ptmap run` is, and the memory file system that flags ask for.

import { parseSize, type Parsed } from "./args.js";
import { UsageError } from "./errors.js";
import { readInput } from "./files.js";
import { WORKLOAD_SCRIPTS } from "./paths.js";
import type { Variables } from "./system.js";

const SECTOR = 512;
const MFS_MINIMUM = 64 * 1024;

export interface Workload {
  readonly name: string;
  readonly summary: string;
  /** Which of WORKLOAD_FLAGS it takes. */
  readonly takes: readonly string[];
  /** The machine measures each request of it (ways.ts). */
  readonly metersRequests?: boolean;
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

/** Flags for the geometry of a memory file system. */
export const MFS_FLAGS = ["mfs-size", "bsize", "fsize"] as const;

/** The script of a workload of the repository. */
export const scriptOf = (name: string) => new TextDecoder("latin1").decode(readInput(`${WORKLOAD_SCRIPTS}/${name}.sh`, "script"));

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

/** The same as variables of a script: sizes as mount_mfs(8) takes them, and the way of I/O. */
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
