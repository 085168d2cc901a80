// The rules that the whole tree keeps: who may import whom, which words stand
// where, and that the documents point at files that exist.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

function filesBelow(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** Folders of guest code, and the one file there that runs on the host. */
const GUEST = ["kernel", "vm", "fs"];
const HOST_PARTS_OF_GUEST = /^kernel\/i386\/locore(\/|\.ts$)/;

/** Relative imports of a file, as paths from the root, without extension. */
function importsOf(path: string): string[] {
  const specifiers = [...read(path).matchAll(/^(?:import|export)[^"]*? from "(\.[^"]+)"|^import "(\.[^"]+)"/gms)];
  return specifiers.map((m) => normalize(join(dirname(path), (m[1] ?? m[2])!)).replace(/\.js$/, ""));
}

t.test("emu/ imports nothing of the project and nothing of Node", (t) => {
  for (const file of filesBelow("emu", /\.ts$/)) {
    for (const target of importsOf(file)) t.ok(target.startsWith("emu/"), `${file} imports ${target}`);
    t.notMatch(read(file), /from "node:|process\.|Math\.random|Date\.now|new Date\(\)|performance\./, file);
  }
  t.end();
});

t.test("guest code imports guest code only", (t) => {
  for (const file of GUEST.flatMap((folder) => filesBelow(folder, /\.ts$/))) {
    if (HOST_PARTS_OF_GUEST.test(file) || file.endsWith(".d.ts")) continue;
    for (const target of importsOf(file)) t.match(target, /^(kernel|vm|fs)\//, `${file} imports ${target}`);
  }
  t.end();
});

t.test("the kernel, UVM and the machine know nothing of the scenario that kills them", (t) => {
  const folders = ["emu", "kernel", "vm", "fs", "tools"];
  const knowing = folders.flatMap((folder) => filesBelow(folder, /\.(ts|mjs)$/)).filter((file) => /burge/i.test(read(file)));
  t.same(knowing.filter((file) => !/^(fs\/mfs|tools\/cli)\//.test(file)), []);
  t.end();
});

t.test("links in the documents lead to files", (t) => {
  for (const file of ["README.md", ...filesBelow("docs", /\.md$/)]) {
    for (const [, target] of read(file).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target!)) continue;
      t.ok(existsSync(join(ROOT, dirname(file), target!)), `${file} -> ${target}`);
    }
  }
  t.end();
});

t.test("the lock file names no registry, and the package needs nothing at run time", (t) => {
  t.notMatch(read("package-lock.json"), /"resolved"/);
  const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
  t.equal(dependencies, undefined);
  for (const [name, version] of Object.entries(devDependencies!)) t.match(version, /^\d+\.\d+\.\d+$/, `${name} is exact`);
  t.end();
});
