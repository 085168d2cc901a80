// Programs of user space as processes of this computer, by linux_shim.c.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { PROGRAMS } from "../../tools/cli/paths.js";
import { PROJECT_ROOT } from "../../tools/kcc/asc.js";

const SHIM_SOURCE = join(PROJECT_ROOT, "tests/user/linux_shim.c");

/** Builds the shim in a folder; the reason when that cannot be. */
export function buildShim(folder: string): { path: string; reason: string | false } {
  const path = join(folder, "shim");
  const flags = ["-m32", "-static", "-O1", "-D_FILE_OFFSET_BITS=64", "-Wl,-Ttext-segment=0x60000000"];
  const built = spawnSync("gcc", [...flags, "-o", path, SHIM_SOURCE], { encoding: "utf8" });
  if (built.status !== 0) return { path, reason: "gcc -m32 is not here" };
  const tried = spawnSync(path, [join(PROGRAMS, "echo"), "echo", "ok"], { encoding: "utf8" });
  return { path, reason: tried.stdout === "ok\n" ? false : "this computer does not run 32-bit programs under seccomp" };
}
