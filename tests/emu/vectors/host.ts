// Runs cases on this host's processor, when it is one that executes programs
// of the i386.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CONTEXT, NO_LDT, addedBytes, programOf } from "./program.js";
import { IMAGE_BYTES, TRAP } from "./vector.js";
import type { Change, Input, Outcome } from "./vector.js";

const LONGEST_RUN_MS = 120_000;
const MOST_OUTPUT = 1 << 30;

/** Reads what the program printed; stops where it stopped. */
function outcomesOf(inputs: readonly Input[], output: Buffer): Outcome[] {
  const outcomes: Outcome[] = [];
  let position = 0;
  for (const input of inputs) {
    const start = position;
    if (start + CONTEXT.WORDS * 4 > output.length) break;
    const word = (index: number): number => output.readUInt32LE(start + index * 4);
    position += CONTEXT.WORDS * 4;
    let image: Uint8Array | undefined;
    if (input.image !== undefined) {
      image = Uint8Array.from(output.subarray(position, position + IMAGE_BYTES));
      position += IMAGE_BYTES;
    }
    const changes: Change[] = [];
    for (let at = output.readUInt32LE(position); at !== 0; at = output.readUInt32LE(position)) {
      changes.push({ at, value: output.readUInt32LE(position + 4) });
      position += 8;
    }
    position += 4;
    const trap = word(CONTEXT.TRAP);
    // The frame has them in the order of PUSHA, from EDI down to EAX.
    const registers = Int32Array.from({ length: 8 }, (_, i) => word(CONTEXT.EDI + [7, 6, 5, 4, 3, 2, 1, 0][i]));
    const segments = [CONTEXT.ES, CONTEXT.CS, CONTEXT.SS, CONTEXT.DS, CONTEXT.FS, CONTEXT.GS];
    outcomes.push({
      trap,
      error: word(CONTEXT.ERROR),
      cr2: trap === TRAP.PF ? word(CONTEXT.CR2) : 0,
      eip: (word(CONTEXT.EIP) - (trap === TRAP.BP ? addedBytes(input) : 0)) >>> 0,
      registers,
      eflags: word(CONTEXT.EFLAGS),
      segments: Uint16Array.from(segments, (index) => word(index)),
      changes,
      ...(image === undefined ? {} : { image }),
    });
  }
  return outcomes;
}

/** The states after the cases, or a reason why they cannot be had here. Throws when the program stops early. */
export function runOnHost(inputs: readonly Input[]): readonly Outcome[] | string {
  const folder = mkdtempSync(join(tmpdir(), "vectors-"));
  try {
    const file = join(folder, "cases");
    writeFileSync(file, programOf(inputs), { mode: 0o755 });
    const { stdout, status, signal, error } = spawnSync(file, { maxBuffer: MOST_OUTPUT, timeout: LONGEST_RUN_MS });
    if (status === NO_LDT) return "this host's kernel has no modify_ldt";
    const outcomes = stdout === null ? [] : outcomesOf(inputs, stdout);
    if (outcomes.length === inputs.length) return outcomes;
    const why = String(error ?? status);
    if (outcomes.length === 0 && signal === null) return `this host executes no programs of the i386 (${why})`;
    const code = Buffer.from(inputs[outcomes.length].code.bytes).toString("hex");
    const where = `case ${outcomes.length} of ${inputs.length}, code ${code}`;
    throw new Error(`the native run ended at ${where} (${signal ?? status})`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
