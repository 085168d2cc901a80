// Root file systems of the boot tests, and the generator of random trees.
import { createHash } from "node:crypto";
import {
  FfsImage, fileOfBytes, makeImage, readTree, type DirectoryNode, type TreeNode,
} from "../../tools/ffs/index.js";
import { PROJECT_ROOT } from "../../tools/kcc/asc.js";

const MTIME = 959466655; // 27 May 2000
const MB = 1024 * 1024;

type Children = { name: Uint8Array; node: TreeNode }[];

export function directory(children: Children): DirectoryNode {
  return { kind: "directory", mode: 0o755, mtime: MTIME, children };
}

/** The tree with an empty folder `mnt`, as an image. */
export function rootImage(tree: DirectoryNode, bsize = 8192, fsize = 1024): Uint8Array {
  const mnt = { name: Buffer.from("mnt"), node: directory([]) };
  return makeImage({ tree: directory([...tree.children, mnt]), free: MB, bsize, fsize });
}

/** A root with nothing but the mount point. */
export const emptyRoot = rootImage(directory([]));

/** Folders of the project, by their names, as one tree. */
export function projectTree(...folders: string[]): DirectoryNode {
  return directory(folders.map((name) => ({ name: Buffer.from(name), node: readTree(`${PROJECT_ROOT}/${name}`) })));
}

/** A reproducible sequence of numbers from 0 to 1 (xorshift). */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Sizes where the layout of a file changes: each edge, one byte less, one more. */
function edges(bsize: number, fsize: number): number[] {
  const direct = 12 * bsize;
  const around = [fsize, 2 * fsize, 7 * fsize, bsize, bsize + fsize, 2 * bsize, 11 * bsize, direct, direct + fsize,
    direct + bsize, direct + 3 * bsize];
  return [0, ...around.flatMap((size) => [size - 1, size, size + 1]), direct + 17 * bsize];
}

/** A file that is mostly hole: `length` bytes of `fill` at the end. Its image has no blocks for the hole. */
function sparseFile(size: number, fill: number, length: number): TreeNode {
  const read = (offset: number, count: number) => {
    const bytes = new Uint8Array(count);
    const from = Math.max(0, size - length - offset);
    if (from < count) bytes.fill(fill, from);
    return bytes;
  };
  return { kind: "file", mode: 0o644, mtime: MTIME, size, read };
}

/** What a random tree is made of. */
export interface TreePlan {
  readonly seed: number;
  readonly files: number;
  /** Files of random sizes are at most so long. */
  readonly largest: number;
  readonly bsize?: number;
  readonly fsize?: number;
}

/**
 * A tree of `files` files: names of 1 to 255 bytes of every value, empty files and files with holes, the
 * sizes at which a file's layout changes, symbolic links, deep folders.
 */
export function randomTree({ seed, files, largest, bsize = 8192, fsize = 1024 }: TreePlan): DirectoryNode {
  const random = randomNumbers(seed);
  const below = (n: number) => Math.floor(random() * n);
  const folders: { children: Children; used: Set<string>; depth: number; length: number }[] = [];
  const addFolder = (children: Children, depth: number, length: number) =>
    void folders.push({ children, used: new Set(["mnt"]), depth, length });
  const top: Children = [];
  addFolder(top, 0, 0);
  const name = (used: Set<string>, longest: number, shortest = 1): Uint8Array => {
    for (;;) {
      const spread = longest - shortest + 1;
      const length = shortest + (below(4) === 0 ? below(spread) : below(Math.min(20, spread)));
      const bytes = Uint8Array.from({ length }, () => 1 + below(255)).map((byte) => (byte === 0x2f ? 0x5f : byte));
      const text = Buffer.from(bytes).toString("latin1");
      if (text === "." || text === ".." || used.has(text)) continue;
      used.add(text);
      return bytes;
    }
  };
  // Paths stay below MAXPATHLEN (1024) with room for the mount point and the names of renamed files.
  const room = (folder: { length: number }) => Math.min(255, 980 - folder.length);
  for (let depth = 1; depth <= 40; depth++) {
    const parent = folders.at(-1)!;
    const children: Children = [];
    const folderName = name(parent.used, Math.min(20, room(parent)));
    parent.children.push({ name: folderName, node: directory(children) });
    addFolder(children, depth, parent.length + folderName.length + 1);
  }
  const sizes = edges(bsize, fsize);
  for (let n = 0; n < files; n++) {
    // The first two files have the shortest and the longest name there may be.
    const folder = n < 2 ? folders[0]! : folders[below(folders.length)]!;
    if (below(20) === 0 && room(folder) > 40) {
      const children: Children = [];
      const folderName = name(folder.used, Math.min(60, room(folder)));
      folder.children.push({ name: folderName, node: directory(children) });
      addFolder(children, folder.depth + 1, folder.length + folderName.length + 1);
    }
    const fileName = n === 0 ? name(folder.used, 1) : name(folder.used, room(folder), n === 1 ? 255 : 1);
    let node: TreeNode;
    if (n < sizes.length) node = fileOfBytes(Buffer.alloc(sizes[n]!, 1 + below(255)), MTIME);
    else if (below(12) === 0) node = fileOfBytes(new Uint8Array(0), MTIME);
    else if (below(16) === 0) node = sparseFile(below(16 * bsize), 1 + below(255), 1 + below(2000));
    else if (below(16) === 0) node = { kind: "link", mode: 0o777, mtime: MTIME, target: name(new Set(), 200) };
    else {
      const bytes = new Uint8Array(Math.floor(largest * random() ** 6));
      for (let at = 0; at < bytes.length; at++) bytes[at] = below(256);
      node = fileOfBytes(bytes, MTIME);
    }
    folder.children.push({ name: fileName, node });
  }
  return directory(top);
}

/** What an image holds: path (bytes as latin1) -> "directory", "link TARGET" or the SHA-256 of the contents. */
export function contentsOf(bytes: Uint8Array, name = "image"): Map<string, string> {
  const image = new FfsImage(bytes, name);
  const contents = new Map<string, string>();
  const visit = (ino: number, path: string): void => {
    for (const entry of image.directory(ino)) {
      const text = Buffer.from(entry.name).toString("latin1");
      if (text === "." || text === "..") continue;
      const below = path === "" ? text : `${path}/${text}`;
      const inode = image.inode(entry.ino);
      const kind = inode.mode & 0o170000;
      if (kind === 0o040000) {
        contents.set(below, "directory");
        visit(entry.ino, below);
      } else contents.set(below, kind === 0o120000 ? `link ${image.readLink(entry.ino)}` : image.checksum(entry.ino));
    }
  };
  visit(2, "");
  return contents;
}

/** The files of an image in the order in which the guest's find meets them: names sorted, folders where they stand. */
export function* filesInWalkOrder(bytes: Uint8Array): Generator<{ path: string; contents: Uint8Array }> {
  const image = new FfsImage(bytes);
  function* visit(ino: number, path: string): Generator<{ path: string; contents: Uint8Array }> {
    const entries = image.directory(ino).map((entry) => ({ text: Buffer.from(entry.name).toString("latin1"), ino: entry.ino }));
    entries.sort((a, b) => (a.text < b.text ? -1 : 1));
    for (const entry of entries) {
      if (entry.text === "." || entry.text === "..") continue;
      const below = path === "" ? entry.text : `${path}/${entry.text}`;
      const kind = image.inode(entry.ino).mode & 0o170000;
      if (kind === 0o040000) yield* visit(entry.ino, below);
      else if (kind === 0o100000) yield { path: below, contents: image.read(entry.ino) };
    }
  }
  yield* visit(2, "");
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
