// A reader of FFS (UFS1) images. It trusts nothing: every number that leads somewhere is
// checked first, so a damaged image ends in one line and never in a loop.

import { createHash } from "node:crypto";
import { readChunk, type DirectoryEntry } from "./directory.js";
import { FfsError } from "./error.js";
import {
  DINODE_SIZE, DIRBLKSIZ, FS_FSMNT, FS_ISCLEAN, FS_MAGIC, FS_SPACE, IFDIR, IFLNK, IFMT, MAXBSIZE, MAXFRAG, MINBSIZE,
  ROOTINO, SBOFF, SBSIZE, DINODE_DB, readDinode, readSuperblock, type Dinode, type Superblock,
} from "./format.js";
import { blksize, blocksUnder, cgdmin, howmany, inodeOffset, levelOf } from "./geometry.js";

/** Why a superblock cannot be used at all, in fsck's words; undefined when it can. */
export function superblockFault(fs: Superblock, imageLength: number): string | undefined {
  const powerOfTwo = (value: number): boolean => value > 0 && (value & (value - 1)) === 0;
  if (fs.magic !== FS_MAGIC) return "MAGIC NUMBER WRONG";
  if (fs.ncg < 1) return "NCG OUT OF RANGE";
  if (fs.cpg < 1) return "CPG OUT OF RANGE";
  if (fs.ncg * fs.cpg < fs.ncyl || (fs.ncg - 1) * fs.cpg >= fs.ncyl) return "NCYL DOES NOT JIVE WITH NCG*CPG";
  if (fs.sbsize > SBSIZE || fs.sbsize < FS_SPACE) return "SIZE PREPOSTEROUSLY LARGE";
  if (!powerOfTwo(fs.bsize) || fs.bsize < MINBSIZE || fs.bsize > MAXBSIZE) return "BLOCK SIZE OUT OF RANGE";
  const fsizeFits = powerOfTwo(fs.fsize) && fs.fsize >= 512 && fs.fsize <= fs.bsize;
  if (!fsizeFits || fs.bsize / fs.fsize !== fs.frag || fs.frag > MAXFRAG) return "FRAGMENT SIZE OUT OF RANGE";
  const shifts = 2 ** fs.bshift === fs.bsize && 2 ** fs.fshift === fs.fsize && 2 ** fs.fragshift === fs.frag;
  const perBlock = fs.nindir === fs.bsize / 4 && fs.inopb === fs.bsize / DINODE_SIZE && fs.nspf === fs.fsize / 512;
  if (!shifts || !perBlock || 2 ** fs.fsbtodb !== fs.nspf) return "BLOCK SIZE DOES NOT MATCH ITS SHIFTS";
  if (fs.size < 1 || fs.size * fs.fsize > imageLength) return "FILE SYSTEM LARGER THAN THE IMAGE";
  if (fs.fpg < 1 || fs.fpg % fs.frag !== 0 || fs.ncg !== howmany(fs.size, fs.fpg)) return "FRAGMENTS PER GROUP WRONG";
  if (fs.ipg < 1 || fs.ipg % fs.inopb !== 0) return "INODES PER GROUP WRONG";
  const inodesEnd = fs.iblkno + (fs.ipg / fs.inopb) * fs.frag;
  const ordered = fs.sblkno > 0 && fs.cblkno > fs.sblkno && fs.iblkno > fs.cblkno && fs.dblkno >= inodesEnd;
  if (!ordered || fs.dblkno > fs.fpg || cgdmin(fs, fs.ncg - 1) > fs.size) return "GROUP LAYOUT OUT OF RANGE";
  if (fs.cgsize < 1 || fs.cgsize > fs.bsize) return "CYLINDER GROUP SIZE OUT OF RANGE";
  if (fs.cssize < fs.ncg * 16 || fs.csaddr < 1 || fs.csaddr + howmany(fs.cssize, fs.fsize) > fs.size) {
    return "SUMMARY AREA OUT OF RANGE";
  }
  const rotation = fs.spc > 0 && fs.nsect > 0 && fs.npsect > 0 && fs.nrpos > 0 && fs.nrpos <= 256;
  if (!rotation) return "ROTATIONAL LAYOUT OUT OF RANGE";
  if (fs.contigsumsize > 16) return "CLUSTER SUMMARY OUT OF RANGE";
  return undefined;
}

/** One name found by `walk`. */
export interface WalkedFile {
  /** The path from the root, as bytes read as UTF-8; "" is the root itself. */
  readonly path: string;
  readonly ino: number;
  readonly inode: Dinode;
}

const decoder = new TextDecoder();

/** A name for a person. */
export function nameText(name: Uint8Array): string {
  return decoder.decode(name);
}

export class FfsImage {
  readonly bytes: Uint8Array;
  /** What messages call the image. */
  readonly name: string;
  readonly superblock: Superblock;

  /** Opens an image. Throws FfsError when there is no usable superblock. */
  constructor(bytes: Uint8Array, name = "image") {
    this.bytes = bytes;
    this.name = name;
    if (bytes.length < SBOFF + SBSIZE) {
      throw new FfsError(name, `${bytes.length} bytes are too few for a file system; give an FFS (UFS1) image`);
    }
    this.superblock = readSuperblock(bytes, SBOFF);
    const fault = superblockFault(this.superblock, bytes.length);
    if (fault !== undefined) throw new FfsError(name, `not a usable FFS (UFS1) image: ${fault.toLowerCase()}`);
  }

  #error(ino: number, reason: string): FfsError {
    return new FfsError(this.name, `inode ${ino}: ${reason}; run 'ptmap fsck' on the image`);
  }

  /** Whether the superblock is marked clean. */
  get clean(): boolean {
    return this.superblock.clean === FS_ISCLEAN;
  }

  /** Where the file system was last mounted, "" if never. */
  get lastMounted(): string {
    const text = this.bytes.subarray(SBOFF + FS_FSMNT.offset, SBOFF + FS_FSMNT.offset + FS_FSMNT.length);
    const end = text.indexOf(0);
    return nameText(text.subarray(0, end < 0 ? text.length : end));
  }

  /** The number of inodes, the reserved ones included. */
  get inodeCount(): number {
    return this.superblock.ncg * this.superblock.ipg;
  }

  /** Reads an inode by its number. */
  inode(ino: number): Dinode {
    if (!Number.isInteger(ino) || ino < 1 || ino >= this.inodeCount) throw this.#error(ino, "no such inode");
    return readDinode(this.bytes, inodeOffset(this.superblock, ino));
  }

  /** `length` bytes at a fragment address. */
  fragments(address: number, length: number): Uint8Array {
    return this.bytes.subarray(address * this.superblock.fsize, address * this.superblock.fsize + length);
  }

  #checkAddress(ino: number, address: number, bytes: number): void {
    const { size, fsize } = this.superblock;
    if (address < 0 || address + howmany(bytes, fsize) > size) {
      throw this.#error(ino, `block address ${address} lies outside the file system`);
    }
  }

  /** The fragment address of a file's block, 0 for a hole. */
  blockAddress(ino: number, inode: Dinode, lbn: number): number {
    const fs = this.superblock;
    const { level, index } = levelOf(fs, lbn);
    if (level === 0) return inode.db[index]!;
    if (level > inode.ib.length) throw this.#error(ino, `block ${lbn} is beyond the triple indirect block`);
    let address = inode.ib[level - 1]!;
    for (let above = level - 1; above >= 0 && address !== 0; above--) {
      this.#checkAddress(ino, address, fs.bsize);
      const slot = Math.floor(index / blocksUnder(fs, above)) % fs.nindir;
      const block = this.fragments(address, fs.bsize);
      address = new DataView(block.buffer, block.byteOffset, block.byteLength).getInt32(4 * slot, true);
    }
    return address;
  }

  /** The contents of a file block by block; a hole gives undefined instead of its zeros. */
  *blocks(ino: number): Generator<{ length: number; data: Uint8Array | undefined }> {
    const fs = this.superblock;
    const inode = this.inode(ino);
    if (inode.size > Number(fs.maxfilesize)) throw this.#error(ino, `absurd size ${inode.size}`);
    const count = howmany(inode.size, fs.bsize);
    for (let lbn = 0; lbn < count; lbn++) {
      const length = Math.min(fs.bsize, inode.size - lbn * fs.bsize);
      const address = this.blockAddress(ino, inode, lbn);
      if (address !== 0) this.#checkAddress(ino, address, blksize(fs, inode.size, lbn));
      yield { length, data: address === 0 ? undefined : this.fragments(address, length) };
    }
  }

  /** The whole contents of a file or directory. Throws for more than 1 GB. */
  read(ino: number): Uint8Array {
    const { size } = this.inode(ino);
    if (size > 2 ** 30) throw this.#error(ino, `${size} bytes are too many to hold in memory`);
    const contents = new Uint8Array(size);
    let at = 0;
    for (const { length, data } of this.blocks(ino)) {
      if (data !== undefined) contents.set(data, at);
      at += length;
    }
    return contents;
  }

  /** The SHA-256 of a file's contents, in hexadecimal. */
  checksum(ino: number): string {
    const hash = createHash("sha256");
    const zeros = new Uint8Array(this.superblock.bsize);
    for (const { length, data } of this.blocks(ino)) hash.update(data ?? zeros.subarray(0, length));
    return hash.digest("hex");
  }

  isDirectory(inode: Dinode): boolean {
    return (inode.mode & IFMT) === IFDIR;
  }

  /** The entries of a directory in their order, "." and ".." included. */
  directory(ino: number): DirectoryEntry[] {
    const inode = this.inode(ino);
    if (!this.isDirectory(inode)) throw this.#error(ino, "not a directory");
    if (inode.size % DIRBLKSIZ !== 0) throw this.#error(ino, `directory of ${inode.size} bytes`);
    const contents = this.read(ino);
    const entries: DirectoryEntry[] = [];
    for (let at = 0; at < contents.length; at += DIRBLKSIZ) {
      const { records, corrupted } = readChunk(contents.subarray(at, at + DIRBLKSIZ), at);
      if (corrupted) throw this.#error(ino, `directory corrupted in its chunk at ${at}`);
      entries.push(...records.filter((record) => record.ino !== 0));
    }
    return entries;
  }

  /** The target of a symbolic link. */
  readLink(ino: number): string {
    const inode = this.inode(ino);
    if ((inode.mode & IFMT) !== IFLNK) throw this.#error(ino, "not a symbolic link");
    if (inode.size >= this.superblock.maxsymlinklen) return nameText(this.read(ino));
    const at = inodeOffset(this.superblock, ino) + DINODE_DB;
    return nameText(this.bytes.subarray(at, at + inode.size));
  }

  /** The inode number of a path from the root; symbolic links are not followed. Throws FfsError when there is none. */
  lookup(path: string): number {
    let ino = ROOTINO;
    for (const component of path.split("/").filter((part) => part !== "" && part !== ".")) {
      const found = this.isDirectory(this.inode(ino))
        ? this.directory(ino).find((entry) => nameText(entry.name) === component)
        : undefined;
      if (found === undefined) throw new FfsError(this.name, `no file '${path}' in the image`);
      ino = found.ino;
    }
    return ino;
  }

  /**
   * Every name below a directory, parents before children, in the order of the directories.
   * A directory that contains itself, or that two names lead to, is an error, not a loop.
   */
  *walk(from: number = ROOTINO): Generator<WalkedFile> {
    const seen = new Set([from]);
    const stack: WalkedFile[] = [{ path: "", ino: from, inode: this.inode(from) }];
    for (let file = stack.pop(); file !== undefined; file = stack.pop()) {
      yield file;
      if (!this.isDirectory(file.inode)) continue;
      const children: WalkedFile[] = [];
      for (const entry of this.directory(file.ino)) {
        const name = nameText(entry.name);
        if (name === "." || name === "..") continue;
        const inode = this.inode(entry.ino);
        if (this.isDirectory(inode)) {
          if (seen.has(entry.ino)) throw this.#error(entry.ino, "the directory is reached twice");
          seen.add(entry.ino);
        }
        children.push({ path: file.path === "" ? name : `${file.path}/${name}`, ino: entry.ino, inode });
      }
      stack.push(...children.reverse());
    }
  }
}
