// One planted corruption for each check of fsck, on a small image.

import type { CheckName } from "../../tools/ffs/fsck.js";
import {
  CG_FRSUM, CSUM_SIZE, DINODE_DB, DINODE_IB, SBOFF, cylinderGroupOffset, dinodeOffset, superblockOffset,
  readCylinderGroup, type CylinderGroup, type Superblock,
} from "../../tools/ffs/format.js";
import { cgimin, cgtod, groupLayout, inodeOffset } from "../../tools/ffs/geometry.js";
import {
  FfsImage, fileOfBytes, makeImage, nameText, type DirectoryNode, type TreeNode,
} from "../../tools/ffs/index.js";

/** A directory node from names and nodes. */
export function directoryOf(children: Record<string, TreeNode>, mode = 0o755, mtime = 959466655): DirectoryNode {
  const encoder = new TextEncoder();
  const list = Object.entries(children).map(([name, node]) => ({ name: encoder.encode(name), node }));
  return { kind: "directory", mode, mtime, children: list };
}

/** Bytes that are nowhere zero and differ from place to place. */
export function patternBytes(length: number, seed = 1): Uint8Array {
  return new Uint8Array(length).map((_, i) => 1 + ((i * 7 + (i >> 9) * 13 + seed) % 255));
}

/** The image that is damaged: two groups, a file with an indirect block, directories two deep. */
export function soundImage(): Uint8Array {
  const sub = directoryOf({ y: fileOfBytes(patternBytes(700)) });
  const tree = directoryOf({
    aa: fileOfBytes(patternBytes(100)),
    bb: fileOfBytes(patternBytes(8192, 2)),
    big: fileOfBytes(patternBytes(20 * 8192 + 5, 3)),
    cc: fileOfBytes(patternBytes(3000, 4)),
    d: directoryOf({ sub, x: fileOfBytes(patternBytes(10)), z: fileOfBytes(new Uint8Array(0)) }),
    e: directoryOf({}),
    link: { kind: "link", mode: 0o777, mtime: 0, target: new TextEncoder().encode("aa") },
  });
  return makeImage({ tree, size: 20 << 20, freeInodes: 100 });
}

/** Changes single fields of an image. */
export class Editor {
  readonly image: FfsImage;
  readonly fs: Superblock;
  readonly view: DataView;

  constructor(readonlyBytes: Uint8Array) {
    const bytes = readonlyBytes.slice();
    this.image = new FfsImage(bytes);
    this.fs = this.image.superblock;
    this.view = new DataView(bytes.buffer);
  }

  get bytes(): Uint8Array {
    return this.image.bytes;
  }

  superblock(name: keyof Superblock, value: number): void {
    this.view.setInt32(SBOFF + superblockOffset(name), value, true);
  }

  add(at: number, delta: number): void {
    this.view.setInt32(at, this.view.getInt32(at, true) + delta, true);
  }

  inode(path: string): number {
    return inodeOffset(this.fs, this.image.lookup(path));
  }

  mode(path: string, mode: number): void {
    this.view.setUint16(this.inode(path) + dinodeOffset("mode"), mode, true);
  }

  nlink(path: string, nlink: number): void {
    this.view.setInt16(this.inode(path) + dinodeOffset("nlink"), nlink, true);
  }

  size(path: string, size: bigint): void {
    this.view.setBigUint64(this.inode(path) + dinodeOffset("size"), size, true);
  }

  blocks(path: string, delta: number): void {
    this.add(this.inode(path) + dinodeOffset("blocks"), delta);
  }

  direct(path: string, i: number): number {
    return this.view.getInt32(this.inode(path) + DINODE_DB + 4 * i, true);
  }

  setDirect(path: string, i: number, address: number): void {
    this.view.setInt32(this.inode(path) + DINODE_DB + 4 * i, address, true);
  }

  setIndirect(path: string, i: number, address: number): void {
    this.view.setInt32(this.inode(path) + DINODE_IB + 4 * i, address, true);
  }

  /** Zeroes a whole inode. */
  clear(path: string): void {
    const at = this.inode(path);
    this.bytes.fill(0, at, at + 128);
  }

  /** The byte offset of the entry `name` of a directory, which must lie in its first block. */
  entry(directory: string, name: string): number {
    const start = this.direct(directory, 0) * this.fs.fsize;
    for (let at = start; ; at += this.view.getUint16(at + 4, true)) {
      if (nameText(this.bytes.subarray(at + 8, at + 8 + this.bytes[at + 7]!)) === name) return at;
    }
  }

  entryNumber(directory: string, name: string, ino: number): void {
    this.view.setUint32(this.entry(directory, name), ino, true);
  }

  entryType(directory: string, name: string, type: number): void {
    this.bytes[this.entry(directory, name) + 6] = type;
  }

  /** Overwrites a name by another of the same length. */
  rename(directory: string, name: string, to: string): void {
    const at = this.entry(directory, name);
    for (let i = 0; i < to.length; i++) this.bytes[at + 8 + i] = to.charCodeAt(i);
  }

  group(c: number): number {
    return cgtod(this.fs, c) * this.fs.fsize;
  }

  addGroup(c: number, name: keyof CylinderGroup, delta: number): void {
    this.add(this.group(c) + cylinderGroupOffset(name), delta);
  }

  flip(at: number, bit: number): void {
    this.bytes[at + (bit >> 3)]! ^= 1 << (bit & 7);
  }

  /** Flips a bit of the fragment map. */
  flipFragment(fragment: number): void {
    const c = Math.floor(fragment / this.fs.fpg);
    this.flip(this.group(c) + groupLayout(this.fs).freeoff, fragment % this.fs.fpg);
  }

  flipInode(ino: number): void {
    const c = Math.floor(ino / this.fs.ipg);
    this.flip(this.group(c) + groupLayout(this.fs).iusedoff, ino % this.fs.ipg);
  }

  /** A free inode and a free fragment. */
  get freeInode(): number {
    return this.fs.ipg + 7;
  }

  get freeFragment(): number {
    return this.fs.size - 3;
  }
}

/** For each check, what to do to the sound image. */
export const CORRUPTIONS: Readonly<Record<CheckName, (e: Editor) => void>> = {
  superblock: (e) => e.superblock("magic", 0x11955),
  alternate: (e) => e.bytes.fill(7, e.fs.sblkno * e.fs.fsize + superblockOffset("rps"), e.fs.sblkno * e.fs.fsize + 72),
  optim: (e) => e.superblock("optim", 2),
  minfree: (e) => e.superblock("minfree", 100),
  interleave: (e) => e.superblock("interleave", 0),
  npsect: (e) => e.superblock("npsect", e.fs.nsect - 1),
  bmask: (e) => e.superblock("bmask", -4096),
  fmask: (e) => e.superblock("fmask", -4096),
  qbmask: (e) => e.superblock("qbmask", 1),
  qfmask: (e) => e.superblock("qfmask", 1),
  maxfilesize: (e) => e.superblock("maxfilesize", 12345678),
  maxsymlinklen: (e) => e.superblock("maxsymlinklen", 1000),
  dsize: (e) => e.superblock("dsize", 5),
  "partially-allocated": (e) => e.view.setInt32(inodeOffset(e.fs, e.freeInode) + DINODE_DB, 900, true),
  "unknown-type": (e) => e.mode("aa", 0o110644),
  size: (e) => e.size("aa", 1n << 60n),
  "direct-beyond-eof": (e) => e.setDirect("aa", 5, e.freeFragment),
  "indirect-beyond-eof": (e) => e.setIndirect("aa", 2, e.freeFragment),
  "bad-range": (e) => e.setDirect("bb", 0, e.fs.size + 8),
  "bad-metadata": (e) => e.setDirect("bb", 0, cgimin(e.fs, 1)),
  "bad-alignment": (e) => e.setDirect("bb", 0, e.direct("bb", 0) + 1),
  dup: (e) => e.setDirect("cc", 0, e.direct("bb", 0)),
  "first-dup": (e) => e.setDirect("cc", 0, e.direct("bb", 0)),
  "excessive-bad": (e) => {
    for (let i = 0; i < 12; i++) e.setDirect("big", i, 0x7000000 + i);
  },
  "excessive-dup": (e) => {
    for (let i = 1; i < 12; i++) e.setDirect("big", i, e.direct("big", 0));
  },
  "block-count": (e) => e.blocks("big", 2),
  "root-unallocated": (e) => e.clear(""),
  "root-not-directory": (e) => e.mode("", 0o100755),
  "root-bad-dup": (e) => e.setDirect("", 0, -1),
  "zero-length": (e) => {
    e.size("e", 0n);
    e.setDirect("e", 0, 0);
    e.blocks("e", -2);
  },
  "too-short": (e) => e.size("e", 12n),
  length: (e) => e.size("e", 500n),
  corrupted: (e) => e.view.setUint16(e.entry("d", "x") + 4, 0, true),
  "dot-missing": (e) => e.rename("d", ".", "q"),
  "dot-number": (e) => e.entryNumber("d", ".", 2),
  "dot-type": (e) => e.entryType("d", ".", 8),
  "dot-extra": (e) => e.rename("d", "x", "."),
  "dotdot-missing": (e) => e.rename("d", "..", "qq"),
  "dotdot-number": (e) => e.entryNumber("d/sub", "..", 2),
  "dotdot-type": (e) => e.entryType("d", "..", 8),
  "dotdot-extra": (e) => e.rename("", "aa", ".."),
  "out-of-range": (e) => e.entryNumber("", "aa", e.image.inodeCount + 5),
  unallocated: (e) => e.entryNumber("", "aa", e.freeInode),
  "entry-bad-dup": (e) => e.setDirect("bb", 0, -5),
  "entry-type": (e) => e.entryType("", "aa", 4),
  "hard-link": (e) => {
    e.entryNumber("d", "x", e.image.lookup("e"));
    e.entryType("d", "x", 4);
  },
  "duplicate-name": (e) => e.rename("", "aa", "bb"),
  "unref-dir": (e) => e.entryNumber("", "e", 0),
  "link-count-file": (e) => e.nlink("aa", 7),
  "link-count-dir": (e) => e.nlink("d", 7),
  "unref-file": (e) => e.entryNumber("", "aa", 0),
  "bad-dup-inode": (e) => e.setDirect("cc", 0, e.direct("bb", 0)),
  "cg-magic": (e) => e.addGroup(1, "magic", 1),
  "cg-number": (e) => e.addGroup(1, "cgx", 4),
  "cg-geometry": (e) => e.addGroup(1, "ndblk", -8),
  "cg-offsets": (e) => e.addGroup(0, "freeoff", 1),
  "cg-rotors": (e) => e.addGroup(0, "rotor", -1),
  "cg-counts": (e) => e.addGroup(1, "nbfree", 1),
  "inode-marked-free": (e) => e.flipInode(e.image.lookup("bb")),
  "inode-marked-used": (e) => e.flipInode(e.freeInode),
  "frag-marked-free": (e) => e.flipFragment(e.direct("bb", 0)),
  "frag-missing": (e) => e.flipFragment(e.freeFragment),
  frsum: (e) => e.add(e.group(0) + CG_FRSUM + 4 * 3, 1),
  rotational: (e) => e.add(e.group(0) + groupLayout(e.fs).btotoff, -1),
  clusters: (e) => e.flip(e.group(1) + groupLayout(e.fs).clusteroff, e.fs.fpg / e.fs.frag - 2),
  clustersum: (e) => e.add(e.group(1) + groupLayout(e.fs).clustersumoff + 8, 1),
  csum: (e) => e.add(e.fs.csaddr * e.fs.fsize + CSUM_SIZE + 4, 1),
  cstotal: (e) => e.superblock("nbfree", readCylinderGroup(e.bytes, e.group(0)).nbfree),
};
