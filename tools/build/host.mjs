// Transpiles the host's TypeScript (emu/, tools/, tests/, locore) file by file
// into build/host, where Node runs it. No bundling: a stack trace and a
// coverage report then name the source file.
import { build } from "esbuild";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** All .ts files below a folder. */
function sources(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts"))
    .map((entry) => join(relative(root, entry.parentPath ?? entry.path), entry.name));
}

function sourcesIfPresent(folder) {
  try {
    return sources(folder);
  } catch {
    return [];
  }
}

/** Writes a file that differs from what is there, in one step: a test that runs meanwhile sees the old or the new. */
function writeChanged({ path, contents }) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}

/** Removes outputs whose source is gone, so that no test of the past is run. */
function removeOrphans() {
  const outputs = join(root, "build/host");
  for (const entry of readdirSync(outputs, { recursive: true, withFileTypes: true })) {
    const path = join(relative(outputs, entry.parentPath ?? entry.path), entry.name);
    const source = path.replace(/\.js(\.map)?$/, ".ts");
    const isOrphan = entry.isFile() && source !== path && !existsSync(join(root, source));
    if (isOrphan) rmSync(join(outputs, path), { force: true });
  }
}

/** Builds everything the host runs. Returns when the files are written. */
export async function buildHost() {
  const folders = ["emu", "tools", "tests", "kernel/i386/locore"];
  const entryPoints = [...folders.flatMap(sourcesIfPresent), "kernel/i386/locore.ts"];
  const { outputFiles } = await build({
    write: false,
    absWorkingDir: root,
    entryPoints: entryPoints.filter((path) => !path.startsWith("tests/fixtures/")),
    outdir: "build/host",
    outbase: ".",
    bundle: false,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: "linked",
    logLevel: "warning",
  });
  outputFiles.forEach(writeChanged);
  removeOrphans();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildHost();
