// Compiles guest files with asc and prints the diagnostics only.
// Usage: node tools/build/guest-check.mjs [file…]   (default: the whole guest)
//
// Files that are imported but do not exist get stand-ins; messages about their
// names are left out, so what is printed are mistakes of the files that exist.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildHost } from "./host.mjs";
import { standIns } from "./guest-stubs.mjs";

await buildHost();
const { compileGuest, formatDiagnostic, guestFiles, PROJECT_ROOT } = await import("../../build/host/tools/kcc/asc.js");
const named = process.argv.slice(2);
const files = named.length > 0 ? named.map((name) => name.replace(/^\.\//, "")) : guestFiles();
const { overlay, names } = standIns(PROJECT_ROOT, guestFiles());
for (const file of overlay.keys()) console.log(`missing: ${file}`);

function speaksOfStandIn({ file, line, message }) {
  if (names.size === 0 || file === "") return false;
  if (overlay.has(file)) return true;
  const text = readFileSync(join(PROJECT_ROOT, file), "utf8").split("\n")[line - 1] ?? "";
  return [...names].some((name) => new RegExp(`\\b${name}\\b`).test(`${text} ${message}`));
}

const { diagnostics } = await compileGuest(files, { overlay });
const printed = diagnostics.filter((one) => one.severity !== "info" && !speaksOfStandIn(one));
for (const diagnostic of printed) console.log(formatDiagnostic(diagnostic));
const errors = printed.filter((one) => one.severity === "error").length;
console.log(`${files.length} files, ${errors} errors, ${overlay.size} files missing`);
process.exitCode = errors > 0 || overlay.size > 0 ? 1 : 0;
