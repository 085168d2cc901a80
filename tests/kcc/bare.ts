// Compiled cases as a bare Multiboot image: no kernel, no paging. The entry
// function prints to COM1 and ends the run through the debug exit port, so
// QEMU, ptmap and V8 can be compared by what they print.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Machine } from "../../emu/index.js";
import type { CompiledModule } from "../../tools/kcc/codegen/index.js";
import { linkFlat, word } from "./flat_link.js";
import { runQemu } from "./tools.js";

const TEXT_BASE = 0x800000;
const STACK_TOP = 0x780000;
const RAM_SIZE = 32 << 20;
const MULTIBOOT_MAGIC = 0x1badb002;

/** mov $STACK_TOP,%esp; call entry; cli; hlt; jmp to the hlt. */
function startCode(at: number, entry: number): number[] {
  return [0xbc, ...word(STACK_TOP), 0xe8, ...word(entry - (at + 10)), 0xfa, 0xf4, 0xeb, 0xfd];
}

/** Links a module whose memory lies between 1 MB and the stack. */
export function linkBare(module: CompiledModule, memory: { base: number; size: number }, entry: string): Uint8Array {
  return linkFlat(module, {
    textBase: TEXT_BASE, memory, entry, start: startCode, header: [MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC >>> 0],
  });
}

/** What the image prints on ptmap. */
export function printOnPtmap(image: Uint8Array, cpu: "i386" | "i486"): string {
  const bytes: number[] = [];
  const machine = new Machine({ memorySize: RAM_SIZE, cpu, timing: "none", onSerialOutput: (byte) =>
    bytes.push(byte) });
  machine.loadMultiboot({ kernel: image, kernelName: "cases" });
  const result = machine.run({ maxCycles: 4_000_000_000 });
  const ending = result.kind === "exit" ? "" : `\n[${result.kind}]`;
  return String.fromCharCode(...bytes) + ending;
}

/** What the image prints on QEMU. */
export function printOnQemu(image: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), "kcc-"));
  try {
    const path = join(folder, "cases.elf");
    writeFileSync(path, image);
    return runQemu(path, ["-cpu", "486"]).output;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
