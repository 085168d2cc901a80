// `ptmap mkfs`, `ls` and `fsck`: FFS images from the host's side.

import { FfsImage, fsck, makeImage, nameText, readTree } from "../ffs/index.js";
import { parseSize, type Parsed } from "./args.js";
import { InputError } from "./errors.js";
import { isFolder, readInput, saveFile } from "./files.js";
import { withImages } from "./root.js";

const TYPES: Readonly<Record<number, string>> = {
  0o010000: "p", 0o020000: "c", 0o040000: "d", 0o060000: "b", 0o100000: "-", 0o120000: "l", 0o140000: "s",
};
const S_IFMT = 0o170000;
const S_IFLNK = 0o120000;

function open(path: string): FfsImage {
  const bytes = readInput(path, "image");
  return withImages(() => new FfsImage(bytes, path));
}

/** `ptmap mkfs DIR IMAGE`. */
export function mkfsCommand(parsed: Parsed): number {
  const [folder, image] = parsed.operands as [string, string];
  if (!isFolder(folder)) {
    throw new InputError(`${folder} is a file; mkfs takes the folder whose contents go into the image`);
  }
  const size = (flag: string) => {
    const text = parsed.values.get(flag);
    return text === undefined ? {} : { [flag]: parseSize(text, flag) };
  };
  const warn = (path: string) => void process.stderr.write(`ptmap: ${path}: not a file, folder or link; left out\n`);
  const bytes = withImages(() =>
    makeImage({ tree: readTree(folder, warn), ...size("size"), ...size("free"), ...size("bsize"), ...size("fsize") }));
  saveFile(image, bytes);
  return 0;
}

/** Bits that show in the place of an x: where, and as which letter. */
const SPECIAL_BITS = [[0o4000, 2, "s"], [0o2000, 5, "s"], [0o1000, 8, "t"]] as const;

/** "drwxr-xr-x" of a mode word. */
function modeText(mode: number): string {
  const letters = [..."rwxrwxrwx"].map((letter, i) => (mode & (0o400 >> i) ? letter : "-"));
  for (const [bit, at, letter] of SPECIAL_BITS) {
    if (mode & bit) letters[at] = letters[at] === "x" ? letter : letter.toUpperCase();
  }
  return (TYPES[mode & S_IFMT] ?? "?") + letters.join("");
}

/** A name as one piece of a line: control characters would move a terminal's cursor. */
function printable(name: string): string {
  return name.replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
}

interface Entry {
  readonly path: string;
  readonly ino: number;
  readonly mode: string;
  readonly links: number;
  readonly size: number;
  readonly mtime: number;
  readonly target?: string;
}

function entryOf(image: FfsImage, path: string, ino: number): Entry {
  const inode = image.inode(ino);
  const entry = { path, ino, mode: modeText(inode.mode), links: inode.nlink, size: inode.size, mtime: inode.mtime };
  return (inode.mode & S_IFMT) === S_IFLNK ? { ...entry, target: image.readLink(ino) } : entry;
}

function entries(image: FfsImage, path: string, recursive: boolean): Entry[] {
  const ino = image.lookup(path);
  if (!image.isDirectory(image.inode(ino))) return [entryOf(image, path, ino)];
  if (recursive) {
    return [...image.walk(ino)].filter((file) => file.path !== "").map((file) => entryOf(image, file.path, file.ino));
  }
  return image.directory(ino)
    .map((entry) => ({ name: nameText(entry.name), ino: entry.ino }))
    .filter(({ name }) => name !== "." && name !== "..")
    .map(({ name, ino: child }) => entryOf(image, name, child));
}

function entryLine(entry: Entry): string {
  const date = new Date(entry.mtime * 1000).toISOString().slice(0, 16).replace("T", " ");
  const target = entry.target === undefined ? "" : ` -> ${printable(entry.target)}`;
  const numbers = `${String(entry.links).padStart(3)} ${String(entry.size).padStart(11)}`;
  return `${String(entry.ino).padStart(7)} ${entry.mode} ${numbers} ${date} ${printable(entry.path)}${target}\n`;
}

/** `ptmap ls IMAGE [PATH]`. */
export function lsCommand(parsed: Parsed): number {
  const image = open(parsed.operands[0]!);
  const list = withImages(() => entries(image, parsed.operands[1] ?? "/", parsed.switches.has("recursive")));
  if (parsed.switches.has("json")) process.stdout.write(`${JSON.stringify(list)}\n`);
  else process.stdout.write(list.map(entryLine).join(""));
  return 0;
}

/** `ptmap fsck IMAGE`: the phases' findings; exit status 1 when there are any. */
export function fsckCommand(parsed: Parsed): number {
  const path = parsed.operands[0]!;
  const bytes = readInput(path, "image");
  const findings = withImages(() => fsck(bytes));
  if (parsed.switches.has("json")) {
    process.stdout.write(`${JSON.stringify(findings)}\n`);
    return findings.length === 0 ? 0 : 1;
  }
  for (const finding of findings) process.stdout.write(`${finding.text}\n`);
  process.stdout.write(findings.length === 0 ? `${path}: clean\n` : `${path}: ${findings.length} inconsistencies\n`);
  return findings.length === 0 ? 0 : 1;
}
