// A file tree in plain JavaScript and random histories: the same operation is
// done to the tree and to the guest, and both must give the same result.
import type { FfsKernel } from "./ffs_kernel.js";
import { ERRNO, pattern } from "./ffs_kernel.js";

export interface ModelFile {
  readonly kind: "file";
  data: Uint8Array;
}
export interface ModelLink {
  readonly kind: "link";
  readonly target: string;
}
export interface ModelDirectory {
  readonly kind: "directory";
  readonly entries: Map<string, ModelNode>;
}
export type ModelNode = ModelFile | ModelLink | ModelDirectory;

/** Numbers from a seed: the same seed, the same history. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 0 <= n < limit. */
  below(limit: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 0x100000000) * limit);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}

function directory(): ModelDirectory {
  return { kind: "directory", entries: new Map() };
}

/** A place in the tree: the directory, the name, and the path to it. */
interface Place {
  readonly parent: ModelDirectory;
  readonly name: string;
  readonly path: string;
}

export class Model {
  readonly root = directory();

  /** All places with something there. */
  places(): Place[] {
    const found: Place[] = [];
    const visit = (parent: ModelDirectory, prefix: string): void => {
      for (const [name, node] of parent.entries) {
        const path = `${prefix}/${name}`;
        found.push({ parent, name, path });
        if (node.kind === "directory") visit(node, path);
      }
    };
    visit(this.root, "");
    return found;
  }

  directories(): { readonly node: ModelDirectory; readonly path: string }[] {
    const nested = this.places().flatMap(({ parent, name, path }) => {
      const node = parent.entries.get(name)!;
      return node.kind === "directory" ? [{ node, path }] : [];
    });
    return [{ node: this.root, path: "" }, ...nested];
  }
}

/** Does `inner` lie in `outer`, or is it that? */
function contains(outer: ModelNode, inner: ModelDirectory): boolean {
  if (outer === inner) return true;
  if (outer.kind !== "directory") return false;
  return [...outer.entries.values()].some((child) => contains(child, inner));
}

/** What rename(2) must return. */
export function renameResult(node: ModelNode, target: ModelNode | undefined, parent: ModelDirectory): number {
  if (target === node) return 0;
  if (target && node.kind === "directory" && target.kind !== "directory") return ERRNO.ENOTDIR;
  if (target && node.kind !== "directory" && target.kind === "directory") return ERRNO.EISDIR;
  if (node.kind === "directory" && contains(node, parent)) return ERRNO.EINVAL;
  return target?.kind === "directory" && target.entries.size > 0 ? ERRNO.ENOTEMPTY : 0;
}

export class History {
  readonly model = new Model();
  private serial = 0;
  private readonly k: FfsKernel;
  private readonly random: Random;
  private readonly maxBytes: number;

  constructor(k: FfsKernel, random: Random, maxBytes: number) {
    this.k = k;
    this.random = random;
    this.maxBytes = maxBytes;
  }

  /** One random operation; a text that says how the results differ, or undefined. */
  step(): string | undefined {
    const kinds = ["create", "create", "create", "write", "write", "truncate", "mkdir", "unlink", "unlink", "rmdir",
      "rename", "rename", "link", "symlink"] as const;
    const kind = this.random.pick(kinds);
    if (kind === "create" || kind === "mkdir" || kind === "symlink") return this.make(kind);
    if (kind === "write" || kind === "truncate") return this.change(kind);
    if (kind === "unlink" || kind === "rmdir") return this.remove(kind);
    return kind === "rename" ? this.rename() : this.link();
  }

  private differ(what: string, got: number, expected: number): string | undefined {
    return got === expected ? undefined : `${what}: the guest says ${got}, the model ${expected}`;
  }

  /** A name: new (1 to 255 bytes, mostly short), or one that exists. */
  private newPlace(): Place {
    const { node: parent, path } = this.random.pick(this.model.directories());
    const names = [...parent.entries.keys()];
    if (names.length > 0 && this.random.below(6) === 0) {
      const name = this.random.pick(names);
      return { parent, name, path: `${path}/${name}` };
    }
    const length = this.random.below(5) === 0 ? 1 + this.random.below(250) : 1 + this.random.below(20);
    const serial = (this.serial++).toString(36);
    const name = (serial + "x".repeat(length)).slice(0, Math.max(serial.length, Math.min(255, length)));
    return { parent, name, path: `${path}/${name}` };
  }

  private oldPlace(): Place | undefined {
    const places = this.model.places();
    return places.length === 0 ? undefined : this.random.pick(places);
  }

  /** Mostly around fragments and blocks, sometimes anything. */
  private length(): number {
    const edge = this.random.pick([0, 1, 512, 1024, 2048, 4096, 8192, 16384, 49152, 98304]);
    const near = edge + this.random.below(5) - 2;
    return Math.max(0, Math.min(this.maxBytes, this.random.below(3) === 0 ? this.random.below(this.maxBytes) : near));
  }

  private make(kind: "create" | "mkdir" | "symlink"): string | undefined {
    const place = this.newPlace();
    const old = place.parent.entries.get(place.name);
    if (kind === "create") return this.create(place, old);
    const expected = old ? ERRNO.EEXIST : 0;
    const target = "t/".repeat(this.random.below(50)) + "t";
    const got = kind === "mkdir" ? this.k.mkdir(place.path) : this.k.symlink(target, place.path);
    const node: ModelNode = kind === "mkdir" ? directory() : { kind: "link", target };
    if (!old) place.parent.entries.set(place.name, node);
    return this.differ(`${kind} ${place.path}`, got, expected);
  }

  private create(place: Place, old: ModelNode | undefined): string | undefined {
    // Through a symbolic link another file would be made: not here.
    if (old && old.kind === "link") return undefined;
    const data = pattern(this.serial, this.length());
    const got = this.k.write(place.path, data, 0, true);
    if (old?.kind === "directory") return this.differ(`create ${place.path}`, got, ERRNO.EISDIR);
    if (old) old.data = data;
    else place.parent.entries.set(place.name, { kind: "file", data });
    return this.differ(`create ${place.path}, ${data.length} bytes`, got, 0);
  }

  private change(kind: "write" | "truncate"): string | undefined {
    const place = this.oldPlace();
    const node = place?.parent.entries.get(place.name);
    if (!place || node?.kind !== "file") return undefined;
    const length = this.length();
    if (kind === "truncate") {
      const data = new Uint8Array(length);
      data.set(node.data.subarray(0, length));
      node.data = data;
      return this.differ(`truncate ${place.path} to ${length}`, this.k.truncate(place.path, length), 0);
    }
    const offset = this.random.below(3) === 0 ? this.length() : this.random.below(node.data.length + 1);
    const added = pattern(this.serial++, Math.min(length, this.maxBytes), offset);
    const end = added.length === 0 ? 0 : offset + added.length;
    const data = new Uint8Array(Math.max(node.data.length, end));
    data.set(node.data);
    data.set(added, added.length === 0 ? 0 : offset);
    node.data = data;
    const got = this.k.write(place.path, added, offset);
    return this.differ(`write ${place.path} at ${offset}, ${added.length} bytes`, got, 0);
  }

  private remove(kind: "unlink" | "rmdir"): string | undefined {
    const place = this.oldPlace();
    if (!place) return undefined;
    const node = place.parent.entries.get(place.name)!;
    const isDirectory = node.kind === "directory";
    let expected = 0;
    if (kind === "unlink") expected = isDirectory ? ERRNO.EPERM : 0;
    else if (!isDirectory) expected = ERRNO.ENOTDIR;
    else if (node.entries.size > 0) expected = ERRNO.ENOTEMPTY;
    const got = kind === "unlink" ? this.k.unlink(place.path) : this.k.rmdir(place.path);
    if (expected === 0) place.parent.entries.delete(place.name);
    return this.differ(`${kind} ${place.path}`, got, expected);
  }

  private rename(): string | undefined {
    const from = this.oldPlace();
    if (!from) return undefined;
    const to = this.newPlace();
    const node = from.parent.entries.get(from.name)!;
    const target = to.parent.entries.get(to.name);
    const expected = renameResult(node, target, to.parent);
    const got = this.k.rename(from.path, to.path);
    // Another link of the same file: the old name goes.
    const same = from.parent === to.parent && from.name === to.name;
    if (expected === 0 && !same) {
      from.parent.entries.delete(from.name);
      to.parent.entries.set(to.name, node);
    }
    return this.differ(`rename ${from.path} ${to.path}`, got, expected);
  }

  private link(): string | undefined {
    const from = this.oldPlace();
    if (!from) return undefined;
    const node = from.parent.entries.get(from.name)!;
    const to = this.newPlace();
    if (node.kind === "link") return undefined;
    let expected = to.parent.entries.has(to.name) ? ERRNO.EEXIST : 0;
    if (node.kind === "directory") expected = ERRNO.EPERM;
    const got = this.k.link(from.path, to.path);
    if (expected === 0) to.parent.entries.set(to.name, node);
    if (expected === ERRNO.EPERM && got === ERRNO.EEXIST && to.parent.entries.has(to.name)) return undefined;
    return this.differ(`link ${from.path} ${to.path}`, got, expected);
  }

  /** Compares the whole tree with the guest's; the differences. */
  compare(): string[] {
    const wrong: string[] = [];
    for (const { node, path } of this.model.directories()) {
      const listed = this.k.readdir(path === "" ? "/" : path);
      const names = typeof listed === "number" ? `error ${listed}` : listed.map((e) => e.name).sort().join(" ");
      const expected = [...node.entries.keys()].sort().join(" ");
      if (names !== expected) wrong.push(`${path}/: the guest lists ${names}, the model ${expected}`);
    }
    for (const { parent, name, path } of this.model.places()) {
      const node = parent.entries.get(name)!;
      if (node.kind === "file") {
        const got = this.k.read(path);
        if (typeof got === "number") wrong.push(`${path}: error ${got}`);
        else if (Buffer.compare(got, node.data) !== 0) {
          wrong.push(`${path}: ${got.length} bytes that differ from ${node.data.length}`);
        }
      } else if (node.kind === "link" && this.k.readlink(path) !== node.target) {
        wrong.push(`${path}: a link to ${this.k.readlink(path)}`);
      }
    }
    return wrong;
  }
}
