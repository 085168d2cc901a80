// Compiles guest files with asc and prints the diagnostics only.
// Usage: node tools/build/guest-check.mjs [file…]   (default: the whole guest)
import { buildHost } from "./host.mjs";

await buildHost();
const { compileGuest, formatDiagnostic, guestFiles } = await import("../../build/host/tools/kcc/asc.js");
const named = process.argv.slice(2);
const files = named.length > 0 ? named.map((name) => name.replace(/^\.\//, "")) : guestFiles();
const { diagnostics } = await compileGuest(files);
for (const diagnostic of diagnostics) {
  if (diagnostic.severity !== "info") console.log(formatDiagnostic(diagnostic));
}
const errors = diagnostics.filter((one) => one.severity === "error").length;
console.log(`${files.length} files, ${errors} errors`);
process.exitCode = errors > 0 ? 1 : 0;
