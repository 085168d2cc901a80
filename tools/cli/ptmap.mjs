#!/usr/bin/env node
// The `ptmap` command as npm links it. In a checkout (which has a lock file; a package has none) it builds what is missing
// or older than its sources first; an installed package is built already.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("../../", import.meta.url));

// A pipe that is closed early (| head) is no error of ours.
process.stdout.on("error", (error) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

if (existsSync(`${project}package-lock.json`)) {
  const { ensureBuilt } = await import("../build/build.mjs");
  await ensureBuilt();
}
const { main } = await import("../../build/host/tools/cli/main.js");
process.exitCode = await main(process.argv.slice(2));
