// Phases 1 and 1b of fsck: every inode by itself, and which blocks belong to whom.

import {
  DINODE_SIZE, FILE_TYPES, FS_44INODEFMT, IFLNK, IFMT, NDADDR, NIADDR, type Dinode,
} from "./format.js";
import { cgbase, cgdmin, cgsblock, howmany, inodeOffset } from "./geometry.js";
import type { BlockPointer, CheckName, FsckState } from "./fsck_state.js";

/** So many bad or doubly claimed blocks in one file, and the rest of the file is not looked at. */
const MAXBAD = 10;
const MAXDUP = 10;
const BLOCK_DEVICE = 0o060000;
const CHARACTER_DEVICE = 0o020000;

/** Claims the fragments of the metadata. */
function claimMetadata(state: FsckState): void {
  const { fs, claimed } = state;
  for (let c = 0; c < fs.ncg; c++) claimed.fill(1, c === 0 ? 0 : cgsblock(fs, c), cgdmin(fs, c));
  claimed.fill(1, fs.csaddr, fs.csaddr + howmany(fs.cssize, fs.fsize));
}

/** The number of direct pointers a special inode uses instead of its size; undefined for a usual file. */
function specialPointers(state: FsckState, inode: Dinode): number | undefined {
  const type = inode.mode & IFMT;
  if (type === BLOCK_DEVICE || type === CHARACTER_DEVICE) return 1;
  if (type === IFLNK && inode.size < state.fs.maxsymlinklen) return howmany(inode.size, 4);
  return undefined;
}

/** Whether an inode's type, size and pointers beyond its end are sound; reports the first that is not. */
function shapeIsSound(state: FsckState, ino: number, inode: Dinode): boolean {
  const { fs } = state;
  const unsound = (check: CheckName, detail: string): boolean => {
    state.report("1", check, `${detail}UNKNOWN FILE TYPE I=${ino}`);
    return false;
  };
  if (!FILE_TYPES.some((type) => type.mode === (inode.mode & IFMT))) return unsound("unknown-type", "");
  // A directory is read whole by the kernel, so its size has a limit of its own.
  const limit = state.isDirectory(inode) ? 2 ** 31 : Number(fs.maxfilesize);
  if (inode.size > limit) return unsound("size", `bad size ${inode.size}: `);
  const special = specialPointers(state, inode);
  let blocks = special ?? howmany(inode.size, fs.bsize);
  if (special !== undefined && special > NDADDR) blocks = NDADDR;
  for (let i = blocks; i < NDADDR; i++) {
    if (inode.db[i] !== 0) return unsound("direct-beyond-eof", `bad direct addr: ${inode.db[i]}: `);
  }
  let levels = 0;
  for (let left = blocks - NDADDR; left > 0; levels++) left = Math.floor(left / fs.nindir);
  if (special !== undefined) levels = Math.max(0, special - NDADDR);
  for (let i = levels; i < NIADDR; i++) {
    if (inode.ib[i] !== 0) return unsound("indirect-beyond-eof", `bad indirect addr: ${inode.ib[i]}: `);
  }
  return true;
}

/** Why a block pointer cannot be right, undefined when it may be. */
function pointerFault(state: FsckState, { address, fragments }: BlockPointer): CheckName | undefined {
  const { fs } = state;
  if (!state.inRange(address, fragments)) return "bad-range";
  const c = Math.floor(address / fs.fpg);
  const beforeData = address < cgdmin(fs, c);
  if (beforeData && address + fragments > (c === 0 ? 0 : cgsblock(fs, c))) return "bad-metadata";
  if (!beforeData && address + fragments > Math.min(cgbase(fs, c + 1), fs.size)) return "bad-range";
  if ((address % fs.frag) + fragments > fs.frag) return "bad-alignment";
  return undefined;
}

/** Claims all blocks of a file and compares their number with the inode's. Returns whether all were sound. */
function claimBlocks(state: FsckState, ino: number, inode: Dinode): boolean {
  const { fs } = state;
  let sectors = 0;
  let bad = 0;
  let dup = 0;
  let stopped = false;
  state.walkBlocks(inode, (pointer) => {
    const fault = pointerFault(state, pointer);
    if (fault !== undefined) {
      state.report("1", fault, `${pointer.address} BAD I=${ino}`);
      if (++bad < MAXBAD) return "skip";
      state.report("1", "excessive-bad", `EXCESSIVE BAD BLKS I=${ino}`);
      stopped = true;
      return "stop";
    }
    for (let fragment = pointer.address; fragment < pointer.address + pointer.fragments; fragment++) {
      sectors += fs.nspf;
      if (state.claimed[fragment] === 0) {
        state.claimed[fragment] = 1;
        continue;
      }
      state.report("1", "dup", `${fragment} DUP I=${ino}`);
      state.dups.add(fragment);
      if (++dup < MAXDUP) continue;
      state.report("1", "excessive-dup", `EXCESSIVE DUP BLKS I=${ino}`);
      stopped = true;
      return "stop";
    }
    return "descend";
  });
  if (!stopped && sectors !== inode.blocks) {
    state.report("1", "block-count", `INCORRECT BLOCK COUNT I=${ino} (${inode.blocks} should be ${sectors})`);
  }
  return bad === 0 && dup === 0;
}

const BLANK = new Uint8Array(DINODE_SIZE);

/** Most inodes of most file systems are nothing but zeros. */
function isBlank(state: FsckState, ino: number): boolean {
  const at = inodeOffset(state.fs, ino);
  return Buffer.compare(state.bytes.subarray(at, at + DINODE_SIZE), BLANK) === 0;
}

function isUntouched(inode: Dinode): boolean {
  return inode.mode === 0 && inode.size === 0 && [...inode.db, ...inode.ib].every((pointer) => pointer === 0);
}

/** Phase 1: checks each inode, claims its blocks, and records its state. */
export function checkBlocks(state: FsckState): void {
  claimMetadata(state);
  for (let ino = 2; ino < state.inodeCount; ino++) {
    if (isBlank(state, ino)) continue;
    const inode = state.inode(ino);
    if ((inode.mode & IFMT) === 0) {
      if (!isUntouched(inode)) state.report("1", "partially-allocated", `PARTIALLY ALLOCATED INODE I=${ino}`);
      continue;
    }
    const directory = state.isDirectory(inode);
    let sound = shapeIsSound(state, ino, inode);
    if (sound && specialPointers(state, inode) === undefined) sound = claimBlocks(state, ino, inode);
    else if (sound && inode.blocks !== 0 && state.fs.inodefmt >= FS_44INODEFMT) {
      state.report("1", "block-count", `INCORRECT BLOCK COUNT I=${ino} (${inode.blocks} should be 0)`);
    }
    if (sound && directory && inode.size === 0) sound = false;
    state.states.set(ino, directory ? (sound ? "directory" : "directory-clear") : sound ? "file" : "file-clear");
  }
}

/** Phase 1b: names the first claimer of each block that was claimed twice. */
export function findFirstClaimers(state: FsckState): void {
  const open = new Set(state.dups);
  for (const [ino, kind] of [...state.states]) {
    if (open.size === 0) return;
    const inode = state.inode(ino);
    if (specialPointers(state, inode) !== undefined) continue;
    let visits = 0;
    state.walkBlocks(inode, (pointer) => {
      if (pointerFault(state, pointer) !== undefined) return "skip";
      for (let fragment = pointer.address; fragment < pointer.address + pointer.fragments; fragment++) {
        if (!open.delete(fragment)) continue;
        state.report("1b", "first-dup", `${fragment} DUP I=${ino}`);
        state.states.set(ino, kind === "directory" || kind === "directory-clear" ? "directory-clear" : "file-clear");
      }
      // An indirect block that contains itself would be walked for ever.
      return ++visits > state.fs.size ? "stop" : "descend";
    });
  }
}
