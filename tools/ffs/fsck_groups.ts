// Phase 5 of fsck: the cylinder groups. Each is worked out anew from what the phases before found, and
// compared with what the group says.

import {
  CG_FRSUM, CG_MAGIC, CSUM_NAMES, CSUM_SIZE, FS_FLAGS_UPDATED, readCsum, readCylinderGroup, type Csum,
  type CylinderGroup,
} from "./format.js";
import { cgbase, cgtod, groupFragments, groupLayout } from "./geometry.js";
import { groupMaps } from "./groupmaps.js";
import type { CheckName, FsckState } from "./fsck_state.js";

/** Ranges of inodes or fragments are reported as one line each. */
function* ranges(numbers: readonly number[]): Generator<string> {
  for (let i = 0; i < numbers.length; ) {
    let j = i;
    while (j + 1 < numbers.length && numbers[j + 1] === numbers[j]! + 1) j++;
    yield i === j ? `${numbers[i]}` : `${numbers[i]}-${numbers[j]}`;
    i = j + 1;
  }
}

/** Compares the numbers that place and bound the group. Returns whether its maps can be read. */
function checkHeader(state: FsckState, c: number, cg: CylinderGroup): boolean {
  const { fs } = state;
  const report = (check: CheckName, text: string): void => state.report("5", check, `CG ${c}: ${text}`);
  if (cg.magic !== CG_MAGIC) {
    report("cg-magic", "BAD MAGIC NUMBER");
    return false;
  }
  if (cg.cgx !== c) report("cg-number", `BAD GROUP NUMBER ${cg.cgx}`);
  const ndblk = groupFragments(fs, c);
  // A last group's cylinders: newfs writes the remainder, which is 0 when they come out even.
  const cylinders = c < fs.ncg - 1 ? [fs.cpg] : [fs.ncyl % fs.cpg, fs.ncyl - c * fs.cpg];
  const clusters = fs.contigsumsize > 0 && cg.nclusterblks !== Math.floor(ndblk / fs.frag);
  if (cg.niblk !== fs.ipg || cg.ndblk !== ndblk || !cylinders.includes(cg.ncyl) || clusters) {
    report("cg-geometry", "SIZES DISAGREE WITH THE SUPERBLOCK");
  }
  const within = (value: number, end: number): boolean => value >= 0 && value < Math.max(end, 1);
  if (!within(cg.rotor, ndblk) || !within(cg.frotor, ndblk) || !within(cg.irotor, fs.ipg)) {
    report("cg-rotors", "ROTORS OUT OF RANGE");
  }
  const layout = groupLayout(fs);
  const names = Object.keys(layout) as (keyof typeof layout)[];
  const used = fs.contigsumsize > 0 ? names : names.filter((name) => !name.startsWith("cluster"));
  if (used.every((name) => cg[name] === layout[name]) && layout.nextfreeoff <= fs.cgsize) return true;
  report("cg-offsets", "MAP OFFSETS WRONG");
  return false;
}

/** Compares the inode map. Returns the number of directories and of free inodes as found. */
function checkInodeMap(state: FsckState, c: number, maps: Uint8Array): { ndir: number; nifree: number } {
  const { fs } = state;
  const markedFree: number[] = [];
  const markedUsed: number[] = [];
  let ndir = 0;
  let nifree = 0;
  for (let i = 0; i < fs.ipg; i++) {
    const ino = c * fs.ipg + i;
    const kind = state.state(ino);
    // A partly allocated inode was reported in phase 1; inodes 0 and 1 are always taken.
    const used = kind !== "unallocated" || ino < 2;
    const marked = (maps[i >> 3]! & (1 << (i & 7))) !== 0;
    if (kind === "directory" || kind === "directory-clear") ndir++;
    if (!used) nifree++;
    if (used && !marked) markedFree.push(ino);
    if (!used && marked) markedUsed.push(ino);
  }
  for (const range of ranges(markedFree)) {
    state.report("5", "inode-marked-free", `ALLOCATED INODE ${range} MARKED FREE`);
  }
  for (const range of ranges(markedUsed)) state.report("5", "inode-marked-used", `FREE INODE ${range} MARKED USED`);
  return { ndir, nifree };
}

/** Compares the fragment map. */
function checkFragmentMap(state: FsckState, c: number, map: Uint8Array): void {
  const base = cgbase(state.fs, c);
  const markedFree: number[] = [];
  const missing: number[] = [];
  for (let i = 0; i < groupFragments(state.fs, c); i++) {
    const free = (map[i >> 3]! & (1 << (i & 7))) !== 0;
    const claimed = state.claimed[base + i] === 1;
    if (free && claimed) markedFree.push(base + i);
    if (!free && !claimed) missing.push(base + i);
  }
  for (const range of ranges(markedFree)) state.report("5", "frag-marked-free", `ALLOCATED FRAG ${range} MARKED FREE`);
  for (const range of ranges(missing)) state.report("5", "frag-missing", `BLK(S) MISSING IN BIT MAPS (${range})`);
}

/** Checks one group and returns the counts as they should be. */
function checkGroup(state: FsckState, c: number): Csum {
  const { fs } = state;
  const start = cgtod(fs, c) * fs.fsize;
  const block = state.bytes.subarray(start, start + fs.bsize);
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const cg = readCylinderGroup(block, 0);
  const readable = checkHeader(state, c, cg);
  const layout = groupLayout(fs);
  const maps = groupMaps(fs, c, (fragment) => state.claimed[cgbase(fs, c) + fragment] === 0);
  if (!readable) {
    const inodes = countInodes(state, c);
    return { ...inodes, nbfree: maps.nbfree, nffree: maps.nffree };
  }
  const right: Csum = {
    ...checkInodeMap(state, c, block.subarray(layout.iusedoff)),
    nbfree: maps.nbfree,
    nffree: maps.nffree,
  };
  checkFragmentMap(state, c, block.subarray(layout.freeoff));
  const report = (check: CheckName, text: string): void => state.report("5", check, `CG ${c}: ${text}`);
  if (CSUM_NAMES.some((name) => cg[name] !== right[name])) {
    const counts = CSUM_NAMES.map((name) => `${name} ${cg[name]} should be ${right[name]}`);
    report("cg-counts", `FREE COUNTS WRONG (${counts.join(", ")})`);
  }
  if (maps.frsum.some((count, n) => n > 0 && n < fs.frag && view.getInt32(CG_FRSUM + 4 * n, true) !== count)) {
    report("frsum", "FRAGMENT RUN SUMS WRONG");
  }
  const btot = maps.btot.some((count, n) => view.getInt32(layout.btotoff + 4 * n, true) !== count);
  const b = maps.b.some((count, n) => view.getInt16(layout.boff + 2 * n, true) !== count);
  // Systems that keep their fields in the newer places have given up the rotational tables.
  if ((fs.flags & FS_FLAGS_UPDATED) === 0 && (btot || b)) report("rotational", "SUMMARY INFORMATION BAD");
  if (maps.clusters.some((byte, i) => block[layout.clusteroff + i] !== byte)) report("clusters", "CLUSTER MAP WRONG");
  if (maps.clustersum.some((count, n) => n > 0 && view.getInt32(layout.clustersumoff + 4 * n, true) !== count)) {
    report("clustersum", "CLUSTER SUMS WRONG");
  }
  return right;
}

function countInodes(state: FsckState, c: number): { ndir: number; nifree: number } {
  const { fs } = state;
  let ndir = 0;
  let nifree = 0;
  for (let ino = c * fs.ipg; ino < (c + 1) * fs.ipg; ino++) {
    const kind = state.state(ino);
    if (kind === "directory" || kind === "directory-clear") ndir++;
    if (kind === "unallocated" && ino >= 2) nifree++;
  }
  return { ndir, nifree };
}

/** Phase 5: checks all groups, the summary area and the superblock's totals. Returns the right totals. */
export function checkGroups(state: FsckState): Csum {
  const { fs } = state;
  const total: Csum = { ndir: 0, nbfree: 0, nifree: 0, nffree: 0 };
  for (let c = 0; c < fs.ncg; c++) {
    const right = checkGroup(state, c);
    const stored = readCsum(state.bytes, fs.csaddr * fs.fsize + c * CSUM_SIZE);
    if (CSUM_NAMES.some((name) => stored[name] !== right[name])) {
      state.report("5", "csum", `SUMMARY INFORMATION BAD FOR CG ${c}`);
    }
    for (const name of CSUM_NAMES) total[name] += right[name];
  }
  if (CSUM_NAMES.some((name) => fs[name] !== total[name])) {
    state.report("5", "cstotal", "FREE BLK COUNT(S) WRONG IN SUPERBLK");
  }
  return total;
}
