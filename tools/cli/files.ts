// Files and folders that the user names: read, written and looked at, with one
// line for each thing that can be wrong with them.

import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { InputError } from "./errors.js";

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error);

/** Reads a file for the user. Throws InputError. */
export function readInput(path: string, what: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = codeOf(error);
    const reason = code === "ENOENT" ? "it does not exist" : code === "EISDIR" ? "it is a folder" : code;
    throw new InputError(`cannot read ${what} ${path}: ${reason}; give the path of a file`);
  }
}

/** Writes a result for the user. Throws InputError. */
export function saveFile(path: string, bytes: Uint8Array | string): void {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    throw new InputError(`cannot write ${path}: ${codeOf(error)}; choose another place`);
  }
}

/** Is `path` a folder? Throws InputError when there is nothing. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    throw new InputError(`cannot read ${path}: it does not exist; give a folder or a file`);
  }
}

/** The folders that are missing on the way to `path`, outermost first. */
function missingFolders(path: string): string[] {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined || path === dirname(path)) return [];
  return [...missingFolders(dirname(path)), path];
}

/** Makes a folder for results, and those above it, if they are not there. Throws InputError. */
export function makeFolder(path: string): void {
  try {
    // One by one: mkdirSync's `recursive` never returns where the system makes no folders (/proc).
    for (const folder of missingFolders(resolve(path))) mkdirSync(folder);
  } catch (error) {
    throw new InputError(`cannot make the folder ${path}: ${codeOf(error)}; choose another place`);
  }
  if (!isFolder(path)) throw new InputError(`cannot make the folder ${path}: it is a file; choose another place`);
}
