// Checks an FFS (UFS1) image in the phases of fsck_ffs and reports every inconsistency. It only
// looks: nothing is repaired.

import { FS_ISCLEAN, SBOFF, SBSIZE, readSuperblock } from "./format.js";
import { checkBlocks, findFirstClaimers } from "./fsck_blocks.js";
import { checkGroups } from "./fsck_groups.js";
import { checkConnectivity, checkPathnames, checkReferenceCounts } from "./fsck_names.js";
import { checkSuperblock } from "./fsck_setup.js";
import { FsckState, type Finding, type Phase } from "./fsck_state.js";
import { superblockFault } from "./image.js";

export { CHECKS } from "./fsck_state.js";
export type { CheckName, Finding, Phase } from "./fsck_state.js";

/** The numbers of fsck's closing line. */
export interface FsckSummary {
  readonly files: number;
  /** Fragments in use and free. */
  readonly used: number;
  readonly free: number;
  readonly freeFragments: number;
  readonly freeBlocks: number;
  readonly dataFragments: number;
  /** Whether the superblock is marked clean; an image of a mounted file system is not. */
  readonly markedClean: boolean;
}

export interface FsckReport {
  readonly findings: readonly Finding[];
  /** Undefined when the superblock is unusable. */
  readonly summary: FsckSummary | undefined;
}

/** The headings under which fsck prints its findings. */
export const PHASE_TITLES: Readonly<Record<Phase, string>> = {
  setup: "",
  "1": "** Phase 1 - Check Blocks and Sizes",
  "1b": "** Phase 1b - Rescan For More DUPS",
  "2": "** Phase 2 - Check Pathnames",
  "3": "** Phase 3 - Check Connectivity",
  "4": "** Phase 4 - Check Reference Counts",
  "5": "** Phase 5 - Check Cyl groups",
};

/** Checks an image and gives the findings with the totals. Never throws, whatever the bytes are. */
export function check(image: Uint8Array): FsckReport {
  const unusable = (reason: string): FsckReport => ({
    findings: [{ phase: "setup", check: "superblock", text: `BAD SUPER BLOCK: ${reason}` }],
    summary: undefined,
  });
  if (image.length < SBOFF + SBSIZE) return unusable("IMAGE TOO SHORT");
  const fs = readSuperblock(image, SBOFF);
  const fault = superblockFault(fs, image.length);
  if (fault !== undefined) return unusable(fault);
  const state = new FsckState(image, fs);
  checkSuperblock(state);
  checkBlocks(state);
  if (state.dups.size > 0) findFirstClaimers(state);
  checkPathnames(state);
  checkConnectivity(state);
  checkReferenceCounts(state);
  const totals = checkGroups(state);
  const free = totals.nbfree * fs.frag + totals.nffree;
  const summary = {
    files: state.states.size,
    used: fs.dsize - free,
    free,
    freeFragments: totals.nffree,
    freeBlocks: totals.nbfree,
    dataFragments: fs.dsize,
    markedClean: fs.clean === FS_ISCLEAN,
  };
  return { findings: state.findings, summary };
}

/** The inconsistencies of an image, in the order of fsck's phases; empty for a consistent one. */
export function fsck(image: Uint8Array): Finding[] {
  return [...check(image).findings];
}

/** fsck's closing line. */
export function summaryLine(summary: FsckSummary): string {
  const { files, used, free, freeFragments, freeBlocks, dataFragments } = summary;
  const share = dataFragments > 0 ? ((freeFragments * 100) / dataFragments).toFixed(1) : "0.0";
  const fragmentation = `${freeFragments} frags, ${freeBlocks} blocks, ${share}% fragmentation`;
  return `${files} files, ${used} used, ${free} free (${fragmentation})`;
}
