// Root images whose rc runs a script: a workload of the repository, or one of a test.
import { readFileSync } from "node:fs";
import { WORKLOAD_SCRIPTS } from "../../tools/cli/paths.js";
import { systemRoot } from "../../tools/cli/root.js";
import { workloadFiles, type Variables } from "../../tools/cli/system.js";
import { comparable } from "./boot.js";

const MB = 1024 * 1024;

/** Boot arguments of such a root. */
export const SCRIPT_ARGS = "init=/sbin/init syncer=off ddb.onpanic=0";

/** A root with user space, `free` bytes of room, and a script that is run with these variables. */
export function scriptRoot(script: string, variables: Variables = {}, free = 4 * MB): Uint8Array {
  return systemRoot({ files: workloadFiles(script, variables), free }).bytes;
}

/** The same for the workload `name`. */
export function workloadRoot(name: string, variables: Variables = {}, free = 4 * MB): Uint8Array {
  return scriptRoot(readFileSync(`${WORKLOAD_SCRIPTS}/${name}.sh`, "latin1"), variables, free);
}

/** A transcript to compare with another machine's: without the figures of rc, some of which depend on time. */
export function withoutFigures(console: string): string {
  return comparable(console).split("\n").filter((line) => !line.startsWith("summary: ")).join("\n");
}
