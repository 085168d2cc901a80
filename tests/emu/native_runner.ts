// Compiles a small C program for the host's processor in 32-bit mode and feeds
// it records: what the native oracles of integers and of the x87 have in common.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The reason when the program gives nothing back. */
export const CANNOT_EXECUTE = "this host does not execute 32-bit programs";

/** What the program `source` writes when it reads `input` (at most `limit` bytes), or a reason why it cannot be had. */
export function runRecords(source: string, input: Uint8Array, limit: number): Buffer | string {
  const folder = mkdtempSync(join(tmpdir(), "native-"));
  try {
    writeFileSync(join(folder, "runner.c"), source);
    const flags = ["-m32", "-O1", "-nostdlib", "-static", "-fno-pic", "-no-pie", "-fno-stack-protector", "-w"];
    const compiled = spawnSync("gcc", [...flags, "-o", join(folder, "runner"), join(folder, "runner.c")]);
    if (compiled.status !== 0) return "gcc -m32 is not here";
    return spawnSync(join(folder, "runner"), { input, maxBuffer: limit }).stdout ?? CANNOT_EXECUTE;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
