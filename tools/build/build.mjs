// Builds everything: the host's JavaScript, then the kernel and the programs of
// user space (build/user/bin). These are skipped when none of the files they are
// made of has changed (by content, so a fresh checkout with a build folder from
// elsewhere is right, too).
// Talk goes to stderr. Exit status 1 with `file:line: message` on a mistake.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Everything the kernel image and the programs depend on. */
const INPUTS = ["kernel", "vm", "fs", "tools/kcc", "emu/cpu", "package-lock.json"];
const OUTPUTS = ["build/kernel.elf", "build/kernel.layouts.json", "build/kernel.map"];
const STAMP = "build/kernel.inputs";
const PROGRAMS = "build/user/bin";

function filesOf(input) {
  const path = join(root, input);
  if (!existsSync(path)) return [];
  if (/\.\w+$/.test(input)) return [input];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));
}

function inputsDigest() {
  const hash = createHash("sha256");
  for (const file of INPUTS.flatMap(filesOf).sort()) {
    hash.update(`${file}\0`).update(readFileSync(join(root, file))).update("\0");
  }
  return hash.digest("hex");
}

function isCurrent(digest) {
  const present = [...OUTPUTS, STAMP, PROGRAMS].every((file) => existsSync(join(root, file)));
  return present && readFileSync(join(root, STAMP), "utf8") === digest;
}

/** Makes the programs anew. Returns false after printing what was wrong. */
async function buildUser() {
  const { buildPrograms } = await import("../../build/host/tools/kcc/user.js");
  const { programs, messages } = await buildPrograms();
  for (const message of messages) process.stderr.write(`${message}\n`);
  if (programs.size === 0) return false;
  rmSync(join(root, PROGRAMS), { recursive: true, force: true });
  mkdirSync(join(root, PROGRAMS), { recursive: true });
  for (const [name, bytes] of programs) writeFileSync(join(root, PROGRAMS, name), bytes, { mode: 0o755 });
  return true;
}

/** Builds what has changed. Returns false after printing what was wrong. */
export async function buildAll() {
  const { buildHost } = await import("./host.mjs");
  try {
    await buildHost();
  } catch {
    return false; // esbuild has printed the reason
  }
  const digest = inputsDigest();
  if (isCurrent(digest)) return true;
  mkdirSync(join(root, "build"), { recursive: true });
  rmSync(join(root, STAMP), { force: true });
  const started = Date.now();
  const { buildKernel } = await import("../../build/host/tools/kcc/kernel.js");
  const { outputs, messages } = await buildKernel();
  for (const message of messages) process.stderr.write(`${message}\n`);
  if (outputs === undefined) return false;
  for (const [name, contents] of outputs) writeFileSync(join(root, "build", name), contents);
  if (!(await buildUser())) return false;
  writeFileSync(join(root, STAMP), digest);
  process.stderr.write(`built build/kernel.elf and ${PROGRAMS} in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
  return true;
}

/** Installs and builds what is missing or has changed; ends the process with status 1 when that fails. */
export async function ensureBuilt() {
  const { setUp } = await import("./setup.mjs");
  setUp();
  if (!(await buildAll())) process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await ensureBuilt();
