// The programs of user space on a root file system: /bin, /sbin, /etc, /dev,
// /tmp, /mnt and /src beside what the tree has.
//
// What the tree itself has of these folders stays: its files win.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { fileOfBytes, type DeviceNode, type DirectoryNode, type TreeNode } from "../ffs/index.js";
import { InputError } from "./errors.js";
import { ETC, PROGRAMS } from "./paths.js";

const encoder = new TextEncoder();

/** Programs that live in /sbin; all others are in /bin. */
const SBIN = new Set(["init", "mknod", "mount", "mount_mfs", "newfs", "reboot", "sysctl", "umount"]);

/** Names of /dev: kind, major and minor number, mode. The majors are those of kernel/conf.ts. */
const DEVICES: Readonly<Record<string, readonly ["character" | "block", number, number, number]>> = {
  console: ["character", 0, 0, 0o600],
  tty: ["character", 1, 0, 0o666],
  mem: ["character", 2, 0, 0o640],
  kmem: ["character", 2, 1, 0o640],
  null: ["character", 2, 2, 0o666],
  zero: ["character", 2, 12, 0o666],
  tty00: ["character", 8, 0, 0o600],
  wd0a: ["block", 0, 0, 0o640],
  wd0d: ["block", 0, 3, 0o640],
  rwd0a: ["character", 3, 0, 0o640],
  rwd0d: ["character", 3, 3, 0o640],
  md0a: ["block", 17, 0, 0o640],
  md0d: ["block", 17, 3, 0o640],
  md1a: ["block", 17, 8, 0o640],
  md1d: ["block", 17, 11, 0o640],
  rmd0a: ["character", 47, 0, 0o640],
  rmd0d: ["character", 47, 3, 0o640],
  rmd1a: ["character", 47, 8, 0o640],
  rmd1d: ["character", 47, 11, 0o640],
  ...Object.fromEntries(Array.from({ length: 8 }, (_, n) => [
    [`mfs${n}`, ["block", 255, n, 0o640]], [`rmfs${n}`, ["character", 48, n, 0o640]],
  ] as const).flat()),
  ...Object.fromEntries([0, 1, 2, 3, 4, 5].map((unit) => [`policy${unit}`, ["character", 49, unit, 0o600] as const])),
};

/** Files of /etc by name. */
export type SystemFiles = Readonly<Record<string, string>>;

/** What a workload is asked for: names of shell variables and their values. */
export type Variables = Readonly<Record<string, string | number>>;

/** The files that make rc run `script` as a workload, with these variables in its environment. */
export function workloadFiles(script: string, variables: Variables = {}): SystemFiles {
  const quoted = (value: string | number) => `'${String(value).replaceAll("'", "'\\''")}'`;
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${quoted(value)}\nexport ${name}\n`);
  return { workload: script, "workload.conf": lines.join("") };
}

/** The files of kernel/user/etc. */
function etcFiles(): SystemFiles {
  return Object.fromEntries(readdirSync(ETC).sort().map((name) => [name, readFileSync(`${ETC}/${name}`, "latin1")]));
}

type Children = readonly { readonly name: Uint8Array; readonly node: TreeNode }[];

function folder(mode: number, children: Children): DirectoryNode {
  return { kind: "directory", mode, mtime: 0, children };
}

function entry(name: string, node: TreeNode): Children[number] {
  return { name: encoder.encode(name), node };
}

function programs(): { bin: Children; sbin: Children } {
  if (!existsSync(PROGRAMS)) throw new InputError(`the programs of user space are not built (${PROGRAMS}); run npm run build`);
  const all = readdirSync(PROGRAMS).sort().map((name) => ({
    name, node: fileOfBytes(new Uint8Array(readFileSync(`${PROGRAMS}/${name}`)), 0, 0o755),
  }));
  const bin = all.filter(({ name }) => !SBIN.has(name)).flatMap(({ name, node }) => (
    // test is also called [.
    name === "test" ? [entry(name, node), entry("[", node)] : [entry(name, node)]));
  return { bin, sbin: all.filter(({ name }) => SBIN.has(name)).map(({ name, node }) => entry(name, node)) };
}

function devices(): Children {
  return Object.entries(DEVICES).map(([name, [kind, major, minor, mode]]) => {
    const node: DeviceNode = { kind, mode, mtime: 0, rdev: major * 256 + minor };
    return entry(name, node);
  });
}

/** `tree` with more children; folders that both have are joined, files of `tree` win. */
function join(tree: DirectoryNode, more: Children): DirectoryNode {
  const children = [...tree.children];
  for (const { name, node } of more) {
    const at = children.findIndex((child) => Buffer.compare(child.name, name) === 0);
    const present = children[at]?.node;
    if (present === undefined) children.push({ name, node });
    else if (present.kind === "directory" && node.kind === "directory") children[at] = { name, node: join(present, node.children) };
  }
  return { ...tree, children };
}

/** Adds the system's folders to a tree. `files` are further files of /etc by name, such as `rc`. */
export function withSystem(tree: DirectoryNode, files: SystemFiles = {}): DirectoryNode {
  const { bin, sbin } = programs();
  const etc = Object.entries({ ...etcFiles(), ...files })
    .map(([name, text]) => entry(name, fileOfBytes(Buffer.from(text, "latin1"))));
  return join(tree, [
    entry("bin", folder(0o755, bin)),
    entry("sbin", folder(0o755, sbin)),
    entry("etc", folder(0o755, etc)),
    entry("dev", folder(0o755, devices())),
    entry("tmp", folder(0o1777, [])),
    entry("mnt", folder(0o755, [])),
    entry("src", folder(0o755, [])),
  ]);
}
