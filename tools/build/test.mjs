// `npm test`: sets up, builds, runs every test with tap, and ends with the line
// `N passed, N failed, N skipped`, summed by tap itself.
//   --long    also the tests that take minutes (they look at PTMAP_LONG)
//   file…     only these test files (tests/x/y.test.ts)
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { setUpTests } from "./setup.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs tap; passes its output on and returns its last totals and status. */
function runTap(files, environment) {
  const args = ["node_modules/tap/dist/esm/run.mjs", "run", "--reporter=tap", ...files];
  const child = spawn(process.execPath, args, { cwd: root, env: environment, stdio: ["ignore", "pipe", "inherit"] });
  let totals = "";
  let rest = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text) => {
    process.stdout.write(text);
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.startsWith("# { total:")) totals = line;
  });
  return new Promise((resolve) => {
    child.on("close", (status) => resolve({ totals, status }));
  });
}

function count(totals, name) {
  return Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals)?.[1] ?? 0);
}

setUpTests();
const { buildAll } = await import("./build.mjs");
const built = await buildAll();
const files = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const compiled = files.map((file) => `build/host/${file.replace(/^build\/host\//, "").replace(/\.ts$/, ".js")}`);
const environment = { ...process.env, ...(process.argv.includes("--long") ? { PTMAP_LONG: "1" } : {}) };
const { totals, status } = await runTap(compiled, environment);
// A failed build, or tap ending without a failed test (nothing ran, a crash), is a failure, too.
if (!built) console.log("not ok - the build failed; the reasons are above");
const failed = Math.max(count(totals, "fail"), status === 0 ? 0 : 1) + (built ? 0 : 1);
const skipped = count(totals, "skip") + count(totals, "todo");
console.log(`${count(totals, "pass")} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
