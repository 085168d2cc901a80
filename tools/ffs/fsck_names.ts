// Phases 2, 3 and 4 of fsck: the names, whether every directory hangs on the root, and link counts.
//
// Directories are taken in the order of their inode numbers and not by walking the tree, so a
// directory that contains itself is an ordinary finding and never a loop.

import { DIRBLKSIZ, DT_DIR, DT_UNKNOWN, FS_44INODEFMT, ROOTINO, directTypeOf, type Dinode } from "./format.js";
import { readChunk, type DirectoryRecord } from "./directory.js";
import { nameText } from "./image.js";
import type { CheckName, FsckState } from "./fsck_state.js";

/** The size of an empty directory's "." and "..". */
const MINDIRSIZE = 24;

/** The root must be an allocated, sound directory. */
function checkRoot(state: FsckState): void {
  switch (state.state(ROOTINO)) {
    case "unallocated":
      return state.report("2", "root-unallocated", "ROOT INODE UNALLOCATED");
    case "file":
    case "file-clear":
      return state.report("2", "root-not-directory", "ROOT INODE NOT DIRECTORY");
    case "directory-clear":
      return state.report("2", "root-bad-dup", "DUPS/BAD IN ROOT INODE");
    default:
  }
}

/** The records of a directory; reports what is wrong with its size and its chunks. */
function readRecords(state: FsckState, ino: number, inode: Dinode): DirectoryRecord[] {
  const path = (): string => state.path(ino);
  if (inode.size < MINDIRSIZE) {
    state.report("2", "too-short", `DIRECTORY TOO SHORT I=${ino}`);
  } else if (inode.size % DIRBLKSIZ !== 0) {
    state.report("2", "length", `DIRECTORY ${path()}: LENGTH ${inode.size} NOT MULTIPLE OF ${DIRBLKSIZ}`);
  }
  const records: DirectoryRecord[] = [];
  let corrupted = false;
  let expected = 0;
  for (const { offset, bytes } of state.chunks(inode)) {
    const chunk = readChunk(bytes, offset);
    // A hole in a directory leaves out chunks.
    corrupted ||= chunk.corrupted || offset !== expected;
    expected = offset + DIRBLKSIZ;
    records.push(...chunk.records);
  }
  if (corrupted) state.report("2", "corrupted", `DIRECTORY CORRUPTED I=${ino} DIR=${path()}`);
  return records;
}

/** Checks the entry that must be the first or second of a directory. */
function checkDot(
  state: FsckState,
  ino: number,
  record: DirectoryRecord | undefined,
  name: "." | "..",
  right: number | undefined,
): void {
  const which = name === "." ? "dot" : "dotdot";
  const report = (suffix: string, text: string): void =>
    state.report("2", `${which}-${suffix}` as CheckName, `${text} I=${ino}`);
  if (record === undefined || record.ino === 0 || nameText(record.name) !== name) {
    return report("missing", `MISSING '${name}'`);
  }
  if (right !== undefined && record.ino !== right) report("number", `BAD INODE NUMBER FOR '${name}'`);
  if (state.fs.inodefmt >= FS_44INODEFMT && record.type !== DT_DIR) report("type", `BAD TYPE VALUE FOR '${name}'`);
}

/** Checks an ordinary entry and counts its link. */
function checkEntry(state: FsckState, ino: number, record: DirectoryRecord, seen: Set<string>): void {
  const name = nameText(record.name);
  const key = record.name.join(",");
  const report = (check: CheckName, text: string): void =>
    state.report("2", check, `${text}  I=${record.ino} DIR=${state.path(ino)} NAME=${name}`);
  if (name === ".") return report("dot-extra", "EXTRA '.' ENTRY");
  if (name === "..") return report("dotdot-extra", "EXTRA '..' ENTRY");
  if (seen.has(key)) report("duplicate-name", "DUPLICATE NAME");
  seen.add(key);
  if (record.ino >= state.inodeCount || record.ino < ROOTINO) return report("out-of-range", "I OUT OF RANGE");
  const target = state.state(record.ino);
  if (target === "unallocated") return report("unallocated", "UNALLOCATED");
  state.links.set(record.ino, (state.links.get(record.ino) ?? 0) + 1);
  if (target === "file-clear" || target === "directory-clear") {
    const empty = target === "directory-clear" && state.inode(record.ino).size === 0;
    return empty ? report("zero-length", "ZERO LENGTH DIRECTORY") : report("entry-bad-dup", "DUP/BAD");
  }
  const type = directTypeOf(state.inode(record.ino).mode);
  const typed = state.fs.inodefmt >= FS_44INODEFMT && record.type !== DT_UNKNOWN;
  if (typed && record.type !== type) report("entry-type", "BAD TYPE VALUE");
  if (target !== "directory") return;
  if (state.parents.has(record.ino) || record.ino === ROOTINO) {
    const first = record.ino === ROOTINO ? "/" : state.path(record.ino);
    return state.report(
      "2",
      "hard-link",
      `${state.path(ino)}/${name} IS AN EXTRANEOUS HARD LINK TO DIRECTORY ${first}`,
    );
  }
  state.parents.set(record.ino, ino);
  state.names.set(record.ino, name);
}

/** Phase 2: reads all directories. */
export function checkPathnames(state: FsckState): void {
  checkRoot(state);
  const dotdots = new Map<number, DirectoryRecord | undefined>();
  for (const [ino, kind] of state.states) {
    if (kind !== "directory") continue;
    const records = readRecords(state, ino, state.inode(ino));
    checkDot(state, ino, records[0], ".", ino);
    const hasDot = records[0] !== undefined && nameText(records[0].name) === ".";
    const second = records[hasDot ? 1 : 0];
    const hasDotdot = second !== undefined && nameText(second.name) === "..";
    dotdots.set(ino, second);
    if (hasDot) addLink(state, records[0]!.ino);
    if (hasDotdot) addLink(state, second.ino);
    const seen = new Set<string>();
    for (const record of records.slice((hasDot ? 1 : 0) + (hasDotdot ? 1 : 0))) {
      if (record.ino !== 0) checkEntry(state, ino, record, seen);
    }
  }
  // Where ".." must lead is known when all directories have been read.
  for (const [ino, record] of dotdots) {
    checkDot(state, ino, record, "..", ino === ROOTINO ? ROOTINO : state.parents.get(ino));
  }
}

function addLink(state: FsckState, ino: number): void {
  state.links.set(ino, (state.links.get(ino) ?? 0) + 1);
}

/** Phase 3: directories from which no chain of parents leads to the root. */
export function checkConnectivity(state: FsckState): void {
  const connected = new Map<number, boolean>([[ROOTINO, true]]);
  for (const [ino, kind] of state.states) {
    if (kind !== "directory" || connected.has(ino)) continue;
    const chain: number[] = [];
    let at: number | undefined = ino;
    while (at !== undefined && !connected.has(at) && !chain.includes(at)) {
      chain.push(at);
      at = state.parents.get(at);
    }
    const reaches = at !== undefined && connected.get(at) === true;
    for (const member of chain) connected.set(member, reaches);
    // Only the top of what hangs together is reported, for a cycle any member of it.
    const top = chain.at(-1)!;
    if (!reaches && (at === undefined || chain.includes(at))) state.report("3", "unref-dir", `UNREF DIR  I=${top}`);
  }
}

/** Phase 4: link counts, and inodes without a name. */
export function checkReferenceCounts(state: FsckState): void {
  for (const [ino, kind] of state.states) {
    const inode = state.inode(ino);
    const links = state.links.get(ino) ?? 0;
    if (kind === "file-clear" || kind === "directory-clear") {
      const what = kind === "file-clear" ? "FILE" : "DIR";
      state.report("4", "bad-dup-inode", `BAD/DUP ${what} I=${ino}`);
    } else if (kind === "file" && links === 0) {
      state.report("4", "unref-file", `UNREF FILE I=${ino}`);
    } else {
      // An unreferenced directory was reported in phase 3; its own "." and its children's ".." still count.
      const missing = kind === "directory" && ino !== ROOTINO && !state.parents.has(ino);
      if (missing || inode.nlink === links) continue;
      const what = kind === "file" ? "FILE" : "DIR";
      const check = kind === "file" ? "link-count-file" : "link-count-dir";
      state.report("4", check, `LINK COUNT ${what} I=${ino} COUNT ${inode.nlink} SHOULD BE ${links}`);
    }
  }
}
