// Writes the types of the library (`import … from "ptmap"`) to build/types, for those who use it from TypeScript.
// Part of packing; a checkout needs them only for the test of the library.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const COMPILER = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));

/** Returns the exit status of the compiler, which prints its complaints. */
export function buildTypes() {
  const options = ["--declaration", "--emitDeclarationOnly", "--rootDir", ".", "--outDir", "build/types", "--strict",
    "--target", "es2022", "--lib", "es2022,dom", "--module", "nodenext", "--skipLibCheck", "--ignoreConfig"];
  return spawnSync(process.execPath, [COMPILER, "emu/index.ts", ...options], { cwd: root, stdio: "inherit" }).status;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = buildTypes() ?? 1;
