// The root file system of a run: an image made from a host folder, an existing
// image, or the project's own documents and sources.

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { FfsError, FfsImage, makeImage, readTree, type DirectoryNode } from "../ffs/index.js";
import { InputError } from "./errors.js";
import { isFolder, readInput } from "./files.js";
import { DEFAULT_TREE, PROJECT } from "./paths.js";
import { withSystem, type SystemFiles } from "./system.js";

const MB = 1024 * 1024;
const DEV_BSIZE = 512;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

export interface RootImage {
  readonly bytes: Uint8Array;
  /** What the guest's boot information calls the module. */
  readonly name: string;
  /**
   * Bytes that a copy of the tree takes, directories and indirect blocks included. A copy has no holes, and each
   * name of a hard link is a file of its own.
   */
  readonly copyBytes: number;
}

const encoder = new TextEncoder();

/** Runs `make`; what is wrong with a tree or an image becomes an InputError. */
export function withImages<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof FfsError) throw new InputError(error.message);
    throw error;
  }
}

function describe(bytes: Uint8Array, name: string): RootImage {
  const image = withImages(() => new FfsImage(bytes, name));
  const { nbfree, frag, nffree, size, fsize } = image.superblock;
  const used = (size - nbfree * frag - nffree) * fsize;
  return { bytes, name, copyBytes: used + growth(image) };
}

/** Bytes by which files grow when they are copied: their holes, and their other names. */
function growth(image: FfsImage): number {
  const seen = new Set<number>();
  let bytes = 0;
  try {
    for (const { ino, inode } of image.walk()) {
      if ((inode.mode & S_IFMT) !== S_IFREG) continue;
      bytes += seen.has(ino) ? inode.size : Math.max(0, inode.size - inode.blocks * DEV_BSIZE);
      seen.add(ino);
    }
  } catch (error) {
    // What is wrong with an image is the guest's to find.
    if (!(error instanceof FfsError)) throw error;
  }
  return bytes;
}

/** User space on a root: further files of /etc, and bytes left free for what the programs write. */
export interface System {
  readonly files: SystemFiles;
  readonly free: number;
}

function fromTree(tree: DirectoryNode, name: string, system: System | undefined): RootImage {
  const whole = system === undefined ? tree : withSystem(tree, system.files);
  return describe(withImages(() => makeImage({ tree: whole, free: system?.free ?? MB })), name);
}

/**
 * The image for --root PATH. A folder gets user space beside its files when
 * `system` is given; an image stays as it is. Throws InputError.
 */
export function rootImage(path: string, system?: System): RootImage {
  if (isFolder(path)) return fromTree(withImages(() => readTree(path)), `${basename(path) || "root"}.ffs`, system);
  return describe(readInput(path, "root image"), basename(path));
}

/** The image of the default workload: this project's documents and sources. */
export function projectTree(system?: System): RootImage {
  const folders = DEFAULT_TREE.filter((name) => existsSync(`${PROJECT}${name}`));
  const children = folders.map((name) => ({
    name: encoder.encode(name), node: withImages(() => readTree(`${PROJECT}${name}`)),
  }));
  return fromTree({ kind: "directory", mode: 0o755, mtime: 0, children }, "root.ffs", system);
}

/** A root with user space alone. */
export function systemRoot(system: System): RootImage {
  return fromTree({ kind: "directory", mode: 0o755, mtime: 0, children: [] }, "root.ffs", system);
}
