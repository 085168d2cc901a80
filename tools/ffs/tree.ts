// What goes into an image: a tree of directories, files, symbolic links and device nodes. It can be
// read from a host directory (without devices) or made in memory.

import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import { FfsError } from "./error.js";

const SLASH = Buffer.from("/");

/** What all kinds have in common. Times are seconds since 1970. */
interface NodeCommon {
  /** Permission bits, at most 07777. */
  readonly mode: number;
  readonly mtime: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface DirectoryNode extends NodeCommon {
  readonly kind: "directory";
  /** In any order; the image has them sorted by bytes. One file node under two names is a hard link. */
  readonly children: readonly { readonly name: Uint8Array; readonly node: TreeNode }[];
}

export interface FileNode extends NodeCommon {
  readonly kind: "file";
  readonly size: number;
  /** Bytes `offset` to `offset + length` of the contents, all within its size. */
  read(offset: number, length: number): Uint8Array;
}

export interface LinkNode extends NodeCommon {
  readonly kind: "link";
  readonly target: Uint8Array;
}

/** A node of /dev. */
export interface DeviceNode extends NodeCommon {
  readonly kind: "character" | "block";
  /** Device number: major * 256 + minor. */
  readonly rdev: number;
}

export type TreeNode = DirectoryNode | FileNode | LinkNode | DeviceNode;

/** A file node over bytes in memory. */
export function fileOfBytes(bytes: Uint8Array, mtime = 0, mode = 0o644): FileNode {
  return {
    kind: "file",
    mode,
    mtime,
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/** What to throw when the host refuses a file or a directory below `path`. */
function unreadable(error: unknown, path: string, remedy: string): FfsError {
  const { code, path: where } = error as NodeJS.ErrnoException;
  return new FfsError(String(where ?? path), `cannot be read (${code ?? String(error)}); ${remedy}`);
}

/** Reads a range of a host file; a file that has shrunk meanwhile is an error. */
function readRange(path: Buffer, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    for (let done = 0; done < length; ) {
      const count = readSync(file, bytes, done, length - done, offset + done);
      if (count === 0) throw new FfsError(path.toString(), "became shorter while it was read; run the command again");
      done += count;
    }
  } catch (error) {
    throw error instanceof FfsError ? error : unreadable(error, path.toString(), "make it readable or leave it out");
  } finally {
    if (file !== undefined) closeSync(file);
  }
  return bytes;
}

/**
 * Reads a host directory as a tree. Contents of files are read later, when the image is made.
 * => owners become 0; hard links below `directory` stay hard links
 * => sockets, pipes and devices are left out and reported by `skipped`
 * => throws FfsError when `directory` cannot be read
 */
export function readTree(directory: string, skipped: (path: string) => void = () => {}): DirectoryNode {
  const linked = new Map<string, TreeNode>();
  // Paths are bytes: a host name need not be UTF-8.
  const visit = (path: Buffer): TreeNode | undefined => {
    const stat = lstatSync(path);
    const common = { mode: stat.mode & 0o7777, mtime: Math.floor(stat.mtimeMs / 1000) };
    if (stat.isDirectory()) {
      const children: { name: Uint8Array; node: TreeNode }[] = [];
      for (const name of readdirSync(path, { encoding: "buffer" }) as Buffer[]) {
        const node = visit(Buffer.concat([path, SLASH, name]));
        if (node !== undefined) children.push({ name: new Uint8Array(name), node });
      }
      return { kind: "directory", ...common, children };
    }
    const key = `${stat.dev}:${stat.ino}`;
    const known = stat.nlink > 1 ? linked.get(key) : undefined;
    if (known !== undefined) return known;
    let node: TreeNode | undefined;
    if (stat.isFile()) {
      node = { kind: "file", ...common, size: stat.size, read: (offset, length) => readRange(path, offset, length) };
    } else if (stat.isSymbolicLink()) {
      node = { kind: "link", ...common, target: new Uint8Array(readlinkSync(path, { encoding: "buffer" })) };
    } else skipped(path.toString());
    if (node !== undefined) linked.set(key, node);
    return node;
  };
  let root: TreeNode | undefined;
  try {
    root = visit(Buffer.from(directory));
  } catch (error) {
    if (error instanceof FfsError) throw error;
    throw unreadable(error, directory, "give a readable directory");
  }
  if (root?.kind !== "directory") throw new FfsError(directory, "not a directory; give the directory to copy");
  return root;
}
