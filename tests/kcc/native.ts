// Runs compiled sections as a 32-bit Linux program, which calls one function
// and writes a region of its memory to standard output. No C compiler is
// involved.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CompiledModule } from "../../tools/kcc/codegen/index.js";
import { linkFlat, word } from "./flat_link.js";

const TEXT_BASE = 0x08048000;

export interface NativeRun {
  readonly memory: { readonly base: number; readonly size: number };
  /** What the program writes out. */
  readonly results: { readonly address: number; readonly size: number };
}

/** call entry; then write(1, results) until all is out; exit(0). */
function startCode(at: number, entry: number, results: NativeRun["results"]): number[] {
  return [
    0xe8, ...word(entry - (at + 5)),
    0xbe, ...word(results.address), 0xbf, ...word(results.size),
    0xb8, ...word(4), 0xbb, ...word(1), 0x89, 0xf1, 0x89, 0xfa, 0xcd, 0x80,
    0x85, 0xc0, 0x7e, 6, 0x01, 0xc6, 0x29, 0xc7, 0x75, 0xe6,
    0xb8, ...word(1), 0x31, 0xdb, 0xcd, 0x80,
  ];
}

/** Links and runs; the result is the memory region the program wrote. Throws with the signal when it died. */
export function runNative(module: CompiledModule, { memory, results }: NativeRun, entry = "run"): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "kcc-"));
  const path = join(folder, "program");
  try {
    const start = (at: number, target: number): number[] => startCode(at, target, results);
    writeFileSync(path, linkFlat(module, { textBase: TEXT_BASE, memory, entry, start }), { mode: 0o755 });
    const result = spawnSync(path, [], { maxBuffer: 64 << 20, timeout: 60_000 });
    if (result.error !== undefined) throw result.error;
    const { status, signal } = result;
    if (status !== 0) throw new Error(`the compiled program ended with status ${status}, signal ${signal}`);
    return new Uint8Array(result.stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** True where this machine executes 32-bit i386 programs. */
export function canRunNative(): boolean {
  if (process.platform !== "linux" || process.arch !== "x64") return false;
  try {
    const empty: CompiledModule = { diagnostics: [], data: [], text: [{
      kind: "text", bytes: new Uint8Array([0xc3]), align: 4, relocations: [], lines: [],
      symbols: [{ name: "run", offset: 0, size: 1, global: true, type: "func" }],
    }] };
    runNative(empty, { memory: { base: 0x100000, size: 0x1000 }, results: { address: 0x100000, size: 4 } });
    return true;
  } catch {
    return false;
  }
}
