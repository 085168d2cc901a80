// Makes a fresh checkout ready: installs the packages of package-lock.json when
// they are not all there, and rebuilds tap without its TypeScript plugin, which
// cannot load the native compiler. Does nothing when nothing is missing.
// Output goes to stderr, so that a program's own output stays clean.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const UNWANTED_PLUGIN = "@tapjs/typescript";

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

/** npm writes its own lock file into node_modules when an installation is complete. */
function packagesArePresent() {
  if (!existsSync(join(root, "node_modules/.package-lock.json"))) return false;
  const installed = readJson("node_modules/.package-lock.json").packages;
  return Object.entries(readJson("package-lock.json").packages).every(
    ([path, { version, optional }]) => path === "" || optional === true || installed[path]?.version === version,
  );
}

function tapIsBuilt() {
  const built = join(root, "node_modules/@tapjs/test/test-built/dist/esm/index.js");
  return existsSync(built) && !readFileSync(built, "utf8").includes(UNWANTED_PLUGIN);
}

function run(what, command, args) {
  process.stderr.write(`${what}\n`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status === 0) return;
  process.stderr.write(`ptmap: "${command} ${args.join(" ")}" failed${error ? ` (${error.message})` : ""}\n`);
  process.exit(1);
}

/** Installs what is missing; ends the process with one line when that fails. */
export function setUp() {
  if (!packagesArePresent()) run("installing packages", "npm", ["ci", "--no-audit", "--no-fund"]);
}

/** As setUp, and makes tap runnable. */
export function setUpTests() {
  setUp();
  if (!tapIsBuilt()) run("building tap", process.execPath, ["node_modules/tap/dist/esm/run.mjs", "build"]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUpTests();
