// From a tree to a list of inodes: numbers, link counts, directory contents, and which blocks of
// each file hold data. A block of zeros becomes a hole, except a file's last block: the kernel extends
// a file from its last fragment and expects it to be there.

import { FfsError } from "./error.js";
import { directTypeOf, IFBLK, IFCHR, IFDIR, IFLNK, IFREG, ROOTINO, DT_DIR } from "./format.js";
import { howmany } from "./geometry.js";
import { nameIsPossible, packDirectory, type DirectoryEntry } from "./directory.js";
import { nameText } from "./image.js";
import type { DirectoryNode, TreeNode } from "./tree.js";

export interface PlannedInode {
  readonly ino: number;
  readonly node: TreeNode;
  nlink: number;
  readonly mode: number;
  readonly size: number;
  /** Block numbers that hold data, ascending. */
  readonly present: readonly number[];
  /** The contents of a block that is present; at most a block long. */
  readonly block: (lbn: number) => Uint8Array;
  /** What lies in the inode in place of block pointers: a short symbolic link, a device number. */
  readonly inInode: Uint8Array | undefined;
}

const MODE_OF = { directory: IFDIR, file: IFREG, link: IFLNK, character: IFCHR, block: IFBLK } as const;
/** File contents are looked through in pieces of this many blocks. */
const BLOCKS_AT_ONCE = 32;

let zeros = new Uint8Array(0);

/** Compares with a run of zeros, which the host does quickly: sparse files are mostly that. */
function isZero(bytes: Uint8Array): boolean {
  if (bytes.length > zeros.length) zeros = new Uint8Array(bytes.length);
  return Buffer.compare(bytes, zeros.subarray(0, bytes.length)) === 0;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/** The children of a directory in the order of the image. Throws FfsError for names that cannot be. */
function sortedChildren(node: DirectoryNode, path: string): { name: Uint8Array; node: TreeNode }[] {
  const children = [...node.children].sort((a, b) => compareBytes(a.name, b.name));
  children.forEach(({ name }, i) => {
    if (!nameIsPossible(name)) {
      throw new FfsError(`${path}/${nameText(name)}`, "a name has 1 to 255 bytes, none of them NUL or slash");
    }
    if (i > 0 && compareBytes(name, children[i - 1]!.name) === 0) {
      throw new FfsError(`${path}/${nameText(name)}`, "the directory has this name twice");
    }
  });
  return children;
}

/** The blocks of a file that are not all zeros, and its last one. */
function presentBlocks(node: TreeNode & { kind: "file" }, bsize: number): number[] {
  const count = howmany(node.size, bsize);
  const present: number[] = [];
  for (let from = 0; from < count; from += BLOCKS_AT_ONCE) {
    const start = from * bsize;
    const piece = node.read(start, Math.min(node.size - start, BLOCKS_AT_ONCE * bsize));
    const last = from + BLOCKS_AT_ONCE >= count;
    if (!last && isZero(piece)) continue;
    for (let lbn = from; lbn < count && (lbn - from) * bsize < piece.length; lbn++) {
      const block = piece.subarray((lbn - from) * bsize, (lbn - from + 1) * bsize);
      if (lbn === count - 1 || !isZero(block)) present.push(lbn);
    }
  }
  return present;
}

/** An inode whose whole contents are in memory. */
function plannedBytes(ino: number, node: TreeNode, contents: Uint8Array, bsize: number): PlannedInode {
  return {
    ino,
    node,
    nlink: 1,
    mode: MODE_OF[node.kind] | node.mode,
    size: contents.length,
    present: Array.from({ length: howmany(contents.length, bsize) }, (_, lbn) => lbn),
    block: (lbn) => contents.subarray(lbn * bsize, (lbn + 1) * bsize),
    inInode: undefined,
  };
}

function plannedLeaf(
  ino: number,
  node: Exclude<TreeNode, DirectoryNode>,
  bsize: number,
  maxShort: number,
): PlannedInode {
  if (node.kind === "file") {
    return {
      ino,
      node,
      nlink: 1,
      mode: IFREG | node.mode,
      size: node.size,
      present: presentBlocks(node, bsize),
      block: (lbn) => node.read(lbn * bsize, Math.min(bsize, node.size - lbn * bsize)),
      inInode: undefined,
    };
  }
  if (node.kind !== "link") {
    return { ...plannedBytes(ino, node, new Uint8Array(0), bsize), inInode: new Uint8Array(Uint32Array.of(node.rdev).buffer) };
  }
  if (node.target.length >= maxShort) return plannedBytes(ino, node, node.target, bsize);
  return { ...plannedBytes(ino, node, new Uint8Array(0), bsize), size: node.target.length, inInode: node.target };
}

/** Numbers the tree from the root inode on, parents before children, names in byte order. */
export function planInodes(root: DirectoryNode, bsize: number, maxShort: number): PlannedInode[] {
  const inodes: PlannedInode[] = [];
  const numbers = new Map<TreeNode, number>();
  let next = ROOTINO;
  const visitDirectory = (node: DirectoryNode, parent: number, path: string): PlannedInode => {
    const ino = next++;
    const at = inodes.length;
    // The place among the inodes is kept while the children are numbered.
    inodes.push(undefined as unknown as PlannedInode);
    const dot = Uint8Array.of(0x2e);
    const entries: DirectoryEntry[] = [
      { ino, type: DT_DIR, name: dot },
      { ino: parent === 0 ? ino : parent, type: DT_DIR, name: Uint8Array.of(0x2e, 0x2e) },
    ];
    let subdirectories = 0;
    for (const { name, node: child } of sortedChildren(node, path)) {
      const known = child.kind === "directory" ? undefined : numbers.get(child);
      let number = known;
      if (number !== undefined) inodes[number - ROOTINO]!.nlink++;
      else if (child.kind === "directory") {
        number = visitDirectory(child, ino, `${path}/${nameText(name)}`).ino;
        subdirectories++;
      } else {
        number = next++;
        numbers.set(child, number);
        inodes.push(plannedLeaf(number, child, bsize, maxShort));
      }
      entries.push({ ino: number, type: directTypeOf(MODE_OF[child.kind]), name });
    }
    const planned = plannedBytes(ino, node, packDirectory(entries), bsize);
    planned.nlink = 2 + subdirectories;
    inodes[at] = planned;
    return planned;
  };
  visitDirectory(root, 0, "");
  return inodes;
}
