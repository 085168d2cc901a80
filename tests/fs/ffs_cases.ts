// Case tables of ffs.test.ts.
import type { NewfsOptions } from "./ffs_kernel.js";
import { ERRNO } from "./ffs_kernel.js";

/** What newfs must choose; numbers of the first three rows are the reference's. */
export const geometries: readonly { options: NewfsOptions; expected: Record<string, number> }[] = [
  { options: {}, expected: { size: 8192, ncyl: 16, ncg: 1, ipg: 1984, dblkno: 280, cgsize: 2048 } },
  { options: { bytes: 16 << 20 }, expected: { size: 16384, ncyl: 32, ncg: 2, ipg: 1984, dblkno: 280 } },
  { options: { bytes: 2 << 20 }, expected: { size: 2048, ncyl: 4, ncg: 1, ipg: 512, dblkno: 96 } },
  { options: { bytes: 64 << 10, bsize: 4096, fsize: 512 }, expected: { size: 128, ncyl: 1, ncg: 1, ipg: 32 } },
  { options: { bytes: 100 << 20, bsize: 4096, fsize: 512 }, expected: { size: 204800, ncyl: 200, ncg: 13 } },
  // The last group cannot hold its inodes and is dropped.
  { options: { bytes: (8 << 20) + 65536 }, expected: { size: 8192, ncyl: 16, ncg: 1 } },
  { options: { bytes: (8 << 20) + (1 << 20) + 3584 }, expected: { size: 9219, ncyl: 19, ncg: 2 } },
  { options: { bsize: 8192, fsize: 8192 }, expected: { size: 1024, ncg: 1 } },
  { options: { bsize: 65536, fsize: 8192, bytes: 32 << 20 }, expected: { size: 4096 } },
  { options: { density: 1024 }, expected: { size: 8192, ncg: 1 } },
  { options: { density: 1 << 20 }, expected: { ipg: 64 } },
];

/** Offsets of the format, and of accessors that follow the last field. */
export const offsets: readonly (readonly [string, string, number])[] = [
  ["Fs", "fs_sblkno", 8], ["Fs", "fs_time", 32], ["Fs", "fs_bsize", 48], ["Fs", "fs_maxbpg", 92],
  ["Fs", "fs_nspf", 124],
  ["Fs", "fs_headswitch", 144], ["Fs", "fs_csaddr", 152], ["Fs", "fs_fpg", 188], ["Fs", "fs_cstotal_ndir", 192],
  ["Fs", "fs_fmod", 208], ["Fs", "fs_clean", 209], ["Fs", "fs_flags", 211], ["Csum", "cs_nffree", 12],
  ["Cg", "cg_ncyl", 16], ["Cg", "cg_niblk", 18], ["Cg", "cg_ndblk", 20], ["Cg", "cg_cs_ndir", 24],
  ["Cg", "cg_irotor", 48],
  ["Cg", "frsum0", 52], ["Cg", "cg_btotoff", 84], ["Cg", "cg_nclusterblks", 112], ["Dinode", "di_size", 8],
  ["Dinode", "di_atime", 16], ["Dinode", "db0", 40], ["Dinode", "ib0", 88], ["Dinode", "di_flags", 100],
  ["Dinode", "di_blocks", 104], ["Dinode", "di_gid", 116], ["Dinode", "spare1", 124], ["Direct", "d_reclen", 4],
  ["Direct", "d_namlen", 7], ["Inode", "i_reclen", 60], ["Ufsmount", "um_maxfilesize", 40],
  ["Mfsnode", "mfs_scratch", 28],
  ["MfsStats", "bytes", 16], ["MfsArgs", "repair", 16],
];

export const refusals: readonly { options: NewfsOptions; says: string }[] = [
  { options: { bytes: 60 << 10 }, says: "size must be at least 128 sectors \\(64 KB\\) \\(given 120\\)" },
  { options: { bsize: 1000 }, says: "block size must be a power of 2" },
  { options: { bsize: 2048 }, says: "block size" },
  { options: { bsize: 131072 }, says: "block size" },
  { options: { fsize: 256 }, says: "fragment size must be" },
  { options: { fsize: 16384 }, says: "fragment size must be" },
  { options: { bsize: 16384, fsize: 1024 }, says: "fragment size must be at least an eighth" },
  { options: { minfree: 100 }, says: "minimum free space must be 0 to 99 percent \\(given 100\\)" },
  { options: { density: 64 }, says: "too many inodes" },
  { options: { bytes: 64 << 10, density: 256, bsize: 4096, fsize: 512 }, says: "too" },
  { options: { bytes: 64 << 10, bsize: 16384, fsize: 4096 }, says: "too small" },
];

/** Sizes around everything that is special. */
export function sizes(bsize: number, fsize: number): number[] {
  const indirect = 12 * bsize;
  const double = indirect + (bsize / 4) * bsize;
  const edges = [fsize, 2 * fsize, bsize, bsize + fsize, 2 * bsize, indirect, indirect + bsize];
  if (double < 10 << 20) edges.push(double, double + bsize);
  return [...new Set([0, 1, ...edges.flatMap((edge) => [edge - 1, edge, edge + 1])])];
}

interface RenameCase {
  readonly what: string;
  readonly from: string;
  readonly to: string;
  readonly error: number;
  /** Paths, and whether they are there afterwards. */
  readonly after: readonly (readonly [string, boolean])[];
}

/** On /a/b/c, /a/h, /e, /full/x, files f (also flink), g, and s -> f. */
export const renames: readonly RenameCase[] = [
  { what: "a file to a new name", from: "/f", to: "/n", error: 0, after: [["/f", false], ["/n", true]] },
  { what: "a file to another directory", from: "/f", to: "/a/b/f", error: 0, after: [["/f", false], ["/a/b/f", true]] },
  { what: "a file over a file", from: "/f", to: "/g", error: 0, after: [["/f", false], ["/g", true]] },
  { what: "a file to itself", from: "/f", to: "/f", error: 0, after: [["/f", true]] },
  { what: "a file to its other link", from: "/f", to: "/flink", error: 0, after: [["/f", false], ["/flink", true]] },
  { what: "a file over a directory", from: "/f", to: "/e", error: ERRNO.EISDIR, after: [["/f", true], ["/e", true]] },
  { what: "a directory over a file", from: "/e", to: "/f", error: ERRNO.ENOTDIR, after: [["/f", true], ["/e", true]] },
  { what: "a directory to a new name", from: "/a", to: "/n", error: 0, after: [["/a", false], ["/n/b/c", true]] },
  {
    what: "a directory to a new parent", from: "/a/b", to: "/e/b", error: 0,
    after: [["/a/b", false], ["/e/b/c", true]],
  },
  {
    what: "a directory up", from: "/a/b/c", to: "/c", error: 0,
    after: [["/a/b/c", false], ["/c", true], ["/a/b", true]],
  },
  { what: "a directory over an empty one", from: "/a", to: "/e", error: 0, after: [["/a", false], ["/e/b/c", true]] },
  {
    what: "over an empty one in another directory", from: "/a/b", to: "/e", error: 0,
    after: [["/a/b", false], ["/e/c", true]],
  },
  {
    what: "over a full one", from: "/e", to: "/full", error: ERRNO.ENOTEMPTY,
    after: [["/e", true], ["/full/x", true]],
  },
  { what: "over its own parent", from: "/a/b", to: "/a", error: ERRNO.ENOTEMPTY, after: [["/a/b/c", true]] },
  { what: "a file over its own parent", from: "/a/h", to: "/a", error: ERRNO.EISDIR, after: [["/a/h", true]] },
  {
    what: "a directory into itself", from: "/a", to: "/a/x", error: ERRNO.EINVAL,
    after: [["/a", true], ["/a/x", false]],
  },
  { what: "a directory below itself", from: "/a", to: "/a/b/c/d", error: ERRNO.EINVAL, after: [["/a/b/c", true]] },
  { what: "a directory onto a descendant", from: "/a", to: "/a/b/c", error: ERRNO.EINVAL, after: [["/a/b/c", true]] },
  { what: "a name that is not there", from: "/no", to: "/n", error: ERRNO.ENOENT, after: [["/n", false]] },
  { what: "to a directory that is not there", from: "/f", to: "/no/n", error: ERRNO.ENOENT, after: [["/f", true]] },
  { what: "dot", from: "/a/.", to: "/n", error: ERRNO.EINVAL, after: [["/a", true], ["/n", false]] },
  { what: "dot dot", from: "/a/b/..", to: "/n", error: ERRNO.EINVAL, after: [["/a/b", true], ["/n", false]] },
  { what: "to dot", from: "/f", to: "/a/.", error: ERRNO.EISDIR, after: [["/f", true]] },
  {
    what: "a link, not what it names", from: "/s", to: "/n", error: 0,
    after: [["/s", false], ["/n", true], ["/f", true]],
  },
  { what: "over a link", from: "/g", to: "/s", error: 0, after: [["/g", false], ["/s", true], ["/f", true]] },
];

/** Words of the super block of a 4 MB file system, by offset, and what they must not be. */
export const damages: readonly { what: string; at: number; value: number }[] = [
  { what: "magic", at: 1372, value: 0x11955 },
  { what: "bsize", at: 48, value: 0 }, { what: "bsize", at: 48, value: 8191 },
  { what: "bsize", at: 48, value: 1 << 30 },
  { what: "bsize", at: 48, value: -8192 }, { what: "bsize", at: 48, value: 4096 },
  { what: "fsize", at: 52, value: 0 }, { what: "fsize", at: 52, value: 512 }, { what: "fsize", at: 52, value: 16384 },
  { what: "frag", at: 56, value: 0 }, { what: "frag", at: 56, value: 16 },
  { what: "sbsize", at: 104, value: 0 }, { what: "sbsize", at: 104, value: 1 << 20 },
  { what: "bmask", at: 72, value: 0 }, { what: "fmask", at: 76, value: -1 },
  { what: "bshift", at: 80, value: 77 }, { what: "fshift", at: 84, value: -1 }, { what: "fragshift", at: 96, value: 4 },
  { what: "fsbtodb", at: 100, value: 30 }, { what: "nindir", at: 116, value: 0 }, { what: "inopb", at: 120, value: 0 },
  { what: "nspf", at: 124, value: 0 }, { what: "qbmask", at: 1336, value: 0 },
  { what: "qfmask", at: 1344, value: 4095 },
  { what: "cpg", at: 180, value: 0 }, { what: "cpg", at: 180, value: -1 }, { what: "spc", at: 172, value: 0 },
  { what: "nsect", at: 168, value: 0 }, { what: "fpg", at: 188, value: 0 }, { what: "fpg", at: 188, value: 8193 },
  { what: "fpg", at: 188, value: 0x7ffffff8 }, { what: "ncg", at: 44, value: 0 },
  { what: "ncg", at: 44, value: 1 << 24 },
  { what: "ncyl", at: 176, value: 0 }, { what: "size", at: 36, value: 0 }, { what: "size", at: 36, value: 0x7fffffff },
  { what: "dsize", at: 40, value: -5 }, { what: "ipg", at: 184, value: 0 }, { what: "ipg", at: 184, value: 63 },
  { what: "ipg", at: 184, value: 1 << 20 }, { what: "sblkno", at: 8, value: 0 }, { what: "cblkno", at: 12, value: 16 },
  { what: "iblkno", at: 16, value: 8 }, { what: "dblkno", at: 20, value: 8191 },
  { what: "cgoffset", at: 24, value: -8 },
  { what: "cgoffset", at: 24, value: 1 << 28 }, { what: "cgmask", at: 28, value: 0x7fffffff },
  { what: "cgsize", at: 160, value: 0 }, { what: "cgsize", at: 160, value: 1 << 24 },
  { what: "cgsize", at: 160, value: 200 },
  { what: "cssize", at: 156, value: 0 }, { what: "cssize", at: 156, value: 1 << 28 },
  { what: "csaddr", at: 152, value: 0 }, { what: "csaddr", at: 152, value: 1 << 28 },
  { what: "contigsumsize", at: 1316, value: -1 }, { what: "contigsumsize", at: 1316, value: 1000 },
  { what: "nrpos", at: 1360, value: 1000 }, { what: "minfree", at: 60, value: -1 },
  { what: "minfree", at: 60, value: 100 },
  { what: "optim", at: 128, value: 2 }, { what: "maxbpg", at: 92, value: 0 }, { what: "maxcontig", at: 88, value: -1 },
  { what: "rotdelay", at: 64, value: -1 }, { what: "nbfree", at: 196, value: -1 },
  { what: "nffree", at: 204, value: 1 << 29 },
  { what: "nifree", at: 200, value: 1 << 29 }, { what: "inodefmt", at: 1324, value: -1 },
  { what: "maxsymlinklen", at: 1320, value: 200 },
];
