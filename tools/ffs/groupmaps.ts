// What follows from the map of free fragments of one cylinder group: the counts, the sums of runs, the
// cluster map and the rotational tables. The writer stores these, fsck compares them.

import { FS_MAXCONTIG, type Superblock } from "./format.js";
import { cylinderOf, groupFragments, howmany } from "./geometry.js";

export interface GroupMaps {
  /** Wholly free blocks, and free fragments in other blocks. */
  nbfree: number;
  nffree: number;
  /** frsum[n]: runs of exactly n free fragments in partly free blocks. */
  frsum: number[];
  /** One bit a block, set when it is wholly free; empty without cluster maps. */
  clusters: Uint8Array;
  /** clustersum[n]: runs of n free blocks, longer ones counted in the last. */
  clustersum: number[];
  /** Free blocks by cylinder, and by cylinder and rotational position. */
  btot: number[];
  b: number[];
}

/** Works out the maps of group `c`; `isFree` takes a fragment's offset in the group. */
export function groupMaps(fs: Superblock, c: number, isFree: (fragment: number) => boolean): GroupMaps {
  const contig = Math.min(Math.max(0, fs.contigsumsize), FS_MAXCONTIG);
  const maps: GroupMaps = {
    nbfree: 0,
    nffree: 0,
    frsum: new Array<number>(8).fill(0),
    clusters: new Uint8Array(contig > 0 ? howmany(Math.floor(fs.fpg / fs.frag), 8) : 0),
    clustersum: new Array<number>(contig > 0 ? contig + 1 : 0).fill(0),
    btot: new Array<number>(fs.cpg).fill(0),
    b: new Array<number>(fs.cpg * fs.nrpos).fill(0),
  };
  const fragments = groupFragments(fs, c);
  let clusterRun = 0;
  const endCluster = (): void => {
    if (clusterRun > 0 && contig > 0) maps.clustersum[Math.min(clusterRun, contig)]!++;
    clusterRun = 0;
  };
  for (let start = 0; start < fragments; start += fs.frag) {
    const runs = freeRuns(start, Math.min(start + fs.frag, fragments), isFree);
    if (runs.length === 1 && runs[0] === fs.frag) {
      maps.nbfree++;
      clusterRun++;
      if (contig > 0) maps.clusters[Math.floor(start / fs.frag / 8)]! |= 1 << ((start / fs.frag) % 8);
      const { cylinder, position } = cylinderOf(fs, start);
      if (cylinder < fs.cpg) {
        maps.btot[cylinder]!++;
        maps.b[cylinder * fs.nrpos + position]!++;
      }
      continue;
    }
    endCluster();
    for (const run of runs) {
      maps.nffree += run;
      maps.frsum[run]!++;
    }
  }
  endCluster();
  return maps;
}

/** The lengths of the runs of free fragments from `start` up to `end`. */
function freeRuns(start: number, end: number, isFree: (fragment: number) => boolean): number[] {
  const runs: number[] = [];
  let run = 0;
  for (let fragment = start; fragment < end; fragment++) {
    if (isFree(fragment)) run++;
    else if (run > 0) {
      runs.push(run);
      run = 0;
    }
  }
  if (run > 0) runs.push(run);
  return runs;
}
