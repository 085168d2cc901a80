// The setup of fsck: the superblock's own values, and the copies of it in the groups.

import { FS_44INODEFMT, readSuperblock, type Superblock } from "./format.js";
import { cgbase, cgdmin, cgsblock, groupFragments, howmany, maxFileSize } from "./geometry.js";
import type { CheckName, FsckState } from "./fsck_state.js";

/** Fields that change while a file system is in use; the copies keep their first values. */
const CHANGING: ReadonlySet<keyof Superblock> = new Set<keyof Superblock>([
  "time", "optim", "minfree", "rotdelay", "maxcontig", "maxbpg", "headswitch", "trkseek",
  "ndir", "nbfree", "nifree", "nffree", "fmod", "clean", "ronly", "flags", "cgrotor", "dsize",
]);
const MAXSYMLINKLEN = 60;

/** Values with exactly one right setting: field, the right value, and how fsck writes a wrong one. */
function exactValues(fs: Superblock): [CheckName, number | bigint, number | bigint, string][] {
  const hex = (value: number | bigint): string => `0x${(typeof value === "number" ? value >>> 0 : value).toString(16)}`;
  const values: [CheckName, number | bigint, number | bigint, string][] = [
    ["bmask", fs.bmask, ~(fs.bsize - 1), `BMASK=${hex(fs.bmask)}`],
    ["fmask", fs.fmask, ~(fs.fsize - 1), `FMASK=${hex(fs.fmask)}`],
  ];
  if (fs.inodefmt < FS_44INODEFMT) return values;
  return [
    ...values,
    ["maxfilesize", fs.maxfilesize, maxFileSize(fs.bsize, fs.nindir), `MAXFILESIZE=${fs.maxfilesize}`],
    ["maxsymlinklen", fs.maxsymlinklen, MAXSYMLINKLEN, `MAXSYMLINKLEN=${fs.maxsymlinklen}`],
    ["qbmask", fs.qbmask, BigInt(fs.bsize - 1), `QBMASK=${hex(fs.qbmask)}`],
    ["qfmask", fs.qfmask, BigInt(fs.fsize - 1), `QFMASK=${hex(fs.qfmask)}`],
  ];
}

/** Fragments that may hold data: fs_dsize. */
function dataFragments(fs: Superblock): number {
  let fragments = -howmany(fs.cssize, fs.fsize);
  for (let c = 0; c < fs.ncg; c++) {
    const base = cgbase(fs, c);
    fragments += groupFragments(fs, c) - (cgdmin(fs, c) - base) + (c === 0 ? 0 : cgsblock(fs, c) - base);
  }
  return fragments;
}

/** Checks the superblock, which is known to be usable, and its copies. */
export function checkSuperblock(state: FsckState): void {
  const { fs } = state;
  const wrong = (check: CheckName, text: string): void => state.report("setup", check, `${text} IN SUPERBLOCK`);
  if (fs.optim !== 0 && fs.optim !== 1) wrong("optim", "UNDEFINED OPTIMIZATION");
  if (fs.minfree < 0 || fs.minfree > 99) wrong("minfree", `IMPOSSIBLE MINFREE=${fs.minfree}`);
  if (fs.interleave < 1) wrong("interleave", `IMPOSSIBLE INTERLEAVE=${fs.interleave}`);
  if (fs.npsect < fs.nsect) wrong("npsect", `IMPOSSIBLE NPSECT=${fs.npsect}`);
  for (const [check, value, right, text] of exactValues(fs)) if (value !== right) wrong(check, `INCORRECT ${text}`);
  if (fs.dsize !== dataFragments(fs)) wrong("dsize", `INCORRECT DSIZE=${fs.dsize}`);
  for (let c = 0; c < fs.ncg; c++) checkAlternate(state, c);
}

function checkAlternate(state: FsckState, c: number): void {
  const { fs } = state;
  const copy = readSuperblock(state.bytes, cgsblock(fs, c) * fs.fsize);
  const differs = (Object.keys(fs) as (keyof Superblock)[]).filter((f) => !CHANGING.has(f) && fs[f] !== copy[f]);
  if (differs.length === 0) return;
  const where = c === 0 ? "FIRST ALTERNATE" : `THE ALTERNATE IN CG ${c}`;
  state.report("setup", "alternate", `VALUES IN SUPER BLOCK DISAGREE WITH THOSE IN ${where} (${differs.join(", ")})`);
}
