// What the phases of fsck know of the file system under test, and how they report.

import {
  DIRBLKSIZ, IFDIR, IFMT, NDADDR, ROOTINO, readDinode, type Dinode, type Superblock,
} from "./format.js";
import { blksize, blocksUnder, howmany, inodeOffset } from "./geometry.js";


/** All checks by name; a test plants one corruption for each. */
export const CHECKS = [
  "superblock", "alternate", "optim", "minfree", "interleave", "npsect", "bmask", "fmask", "qbmask", "qfmask",
  "maxfilesize", "maxsymlinklen", "dsize",
  "partially-allocated", "unknown-type", "size", "direct-beyond-eof", "indirect-beyond-eof", "bad-range",
  "bad-metadata", "bad-alignment", "dup", "first-dup", "excessive-bad", "excessive-dup", "block-count",
  "root-unallocated", "root-not-directory", "root-bad-dup", "zero-length", "too-short", "length", "corrupted",
  "dot-missing", "dot-number", "dot-type", "dot-extra", "dotdot-missing", "dotdot-number", "dotdot-type",
  "dotdot-extra", "out-of-range", "unallocated", "entry-bad-dup", "entry-type", "hard-link", "duplicate-name",
  "unref-dir", "link-count-file", "link-count-dir", "unref-file", "bad-dup-inode",
  "cg-magic", "cg-number", "cg-geometry", "cg-offsets", "cg-rotors", "cg-counts", "inode-marked-free",
  "inode-marked-used", "frag-marked-free", "frag-missing", "frsum", "rotational", "clusters", "clustersum",
  "csum", "cstotal",
] as const;
export type CheckName = (typeof CHECKS)[number];

export type Phase = "setup" | "1" | "1b" | "2" | "3" | "4" | "5";

/** One inconsistency. `text` is the line that fsck of the year 2000 prints, as far as it has one. */
export interface Finding {
  readonly phase: Phase;
  readonly check: CheckName;
  readonly text: string;
}

/** What phase 1 made of an inode. A "clear" inode is allocated but cannot stay. */
export type InodeState = "unallocated" | "file" | "directory" | "file-clear" | "directory-clear";

/** Reports end here; an image with so many findings is rubbish. */
const MAX_FINDINGS = 2000;

/** A pointer to a block of a file: data at level 0, indirect blocks above. */
export interface BlockPointer {
  readonly address: number;
  readonly fragments: number;
  readonly level: number;
  readonly lbn: number;
}

export class FsckState {
  readonly bytes: Uint8Array;
  readonly fs: Superblock;
  readonly findings: Finding[] = [];
  /** By inode number; unallocated ones are absent. */
  readonly states = new Map<number, InodeState>();
  /** Directory entries that name each inode. */
  readonly links = new Map<number, number>();
  /** The directory in which phase 2 found each directory. */
  readonly parents = new Map<number, number>();
  readonly names = new Map<number, string>();
  /** 1 for each fragment that belongs to something. */
  readonly claimed: Uint8Array;
  readonly dups = new Set<number>();
  readonly inodeCount: number;

  constructor(bytes: Uint8Array, fs: Superblock) {
    this.bytes = bytes;
    this.fs = fs;
    this.claimed = new Uint8Array(fs.size);
    this.inodeCount = fs.ncg * fs.ipg;
  }

  report(phase: Phase, check: CheckName, text: string): void {
    if (this.findings.length < MAX_FINDINGS) this.findings.push({ phase, check, text });
  }

  inode(ino: number): Dinode {
    return readDinode(this.bytes, inodeOffset(this.fs, ino));
  }

  state(ino: number): InodeState {
    return this.states.get(ino) ?? "unallocated";
  }

  isDirectory(inode: Dinode): boolean {
    return (inode.mode & IFMT) === IFDIR;
  }

  /** Whether a run of fragments lies within the file system. */
  inRange(address: number, fragments: number): boolean {
    return address > 0 && address + fragments <= this.fs.size;
  }

  /** The byte view of a block. */
  block(address: number): DataView {
    const { fsize, bsize } = this.fs;
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + address * fsize, bsize);
  }

  /**
   * Every non-zero pointer of a file up to its size, indirect blocks before what they point to.
   * `visit` returns whether to go on: "descend", "skip" what lies below, or "stop".
   */
  walkBlocks(inode: Dinode, visit: (pointer: BlockPointer) => "descend" | "skip" | "stop"): void {
    const { fs } = this;
    const count = howmany(inode.size, fs.bsize);
    const one = (address: number, level: number, lbn: number): boolean => {
      if (address === 0) return true;
      const fragments = level > 0 ? fs.frag : blksize(fs, inode.size, lbn) / fs.fsize;
      const answer = visit({ address, fragments, level, lbn });
      if (answer === "stop") return false;
      if (level === 0 || answer === "skip" || !this.inRange(address, fs.frag)) return true;
      const span = blocksUnder(fs, level - 1);
      const block = this.block(address);
      for (let i = 0; i < fs.nindir && lbn + i * span < count; i++) {
        if (!one(block.getInt32(4 * i, true), level - 1, lbn + i * span)) return false;
      }
      return true;
    };
    for (let lbn = 0; lbn < NDADDR && lbn < count; lbn++) if (!one(inode.db[lbn]!, 0, lbn)) return;
    let first = NDADDR;
    for (let level = 1; level <= inode.ib.length && first < count; level++) {
      if (!one(inode.ib[level - 1]!, level, first)) return;
      first += blocksUnder(fs, level);
    }
  }

  /** The chunks of a directory in order; what cannot be read is left out. */
  *chunks(inode: Dinode): Generator<{ offset: number; bytes: Uint8Array }> {
    const { fs } = this;
    const blocks: BlockPointer[] = [];
    this.walkBlocks(inode, (pointer) => {
      if (pointer.level === 0) blocks.push(pointer);
      return this.inRange(pointer.address, pointer.fragments) ? "descend" : "skip";
    });
    for (const { address, lbn, fragments } of blocks) {
      if (!this.inRange(address, fragments)) continue;
      const length = Math.min(fs.bsize, inode.size - lbn * fs.bsize);
      for (let at = 0; at + DIRBLKSIZ <= length; at += DIRBLKSIZ) {
        const start = address * fs.fsize + at;
        yield { offset: lbn * fs.bsize + at, bytes: this.bytes.subarray(start, start + DIRBLKSIZ) };
      }
    }
  }

  /** The path of a directory as far as phase 2 knows it; "?" for what is not connected. */
  path(ino: number): string {
    const parts: string[] = [];
    const seen = new Set<number>();
    for (let at = ino; at !== ROOTINO; at = this.parents.get(at)!) {
      if (!this.parents.has(at) || seen.has(at)) return `?/${parts.join("/")}`;
      seen.add(at);
      parts.unshift(this.names.get(at) ?? "?");
    }
    return `/${parts.join("/")}`;
  }
}
