// Runs compiled sections as a 32-bit Linux program: a minimal static ELF file
// with one segment for code and one for memory, which calls `run` and writes a
// region of memory to its standard output. No C compiler is involved.

import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CompiledModule } from "../../tools/kcc/codegen/index.js";
import type { Section } from "../../tools/kcc/object.js";

const TEXT_BASE = 0x08048000;
const PAGE = 0x1000;
const HEADER_BYTES = PAGE;

export interface NativeImage {
  /** The first `fileSize` bytes of memory from `base` on. */
  readonly base: number;
  readonly memorySize: number;
  readonly results: { readonly address: number; readonly size: number };
}

/** Code: mov and call, then write(1, results), then exit(0). */
function startCode(runAt: number, at: number, results: NativeImage["results"]): Uint8Array {
  const word = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >>> 24) & 0xff];
  return new Uint8Array([
    0xe8, ...word(runAt - (at + 5)),
    // write(1, address, left) until all is written
    0xbe, ...word(results.address), 0xbf, ...word(results.size),
    0xb8, ...word(4), 0xbb, ...word(1), 0x89, 0xf1, 0x89, 0xfa, 0xcd, 0x80,
    0x85, 0xc0, 0x7e, 6, 0x01, 0xc6, 0x29, 0xc7, 0x75, 0xe6,
    0xb8, ...word(1), 0x31, 0xdb, 0xcd, 0x80,
  ]);
}

interface Placed {
  readonly section: Section;
  readonly address: number;
}

/** Links the sections and gives the bytes of the executable. */
export function linkNative(module: CompiledModule, image: NativeImage, entry: string): Uint8Array {
  const placed: Placed[] = [];
  const symbols = new Map<string, number>();
  let address = TEXT_BASE + HEADER_BYTES + 64;
  const memory = new Uint8Array(image.memorySize);
  for (const section of [...module.text, ...module.data]) {
    const fixed = section.kind === "text" ? undefined : section.address;
    const size = section.kind === "text" ? section.bytes.length : section.size;
    if (fixed === undefined) address = Math.ceil(address / section.align) * section.align;
    const at = fixed ?? address;
    placed.push({ section, address: at });
    for (const { name, offset } of section.symbols) symbols.set(name, at + offset);
    if (fixed === undefined) address += size;
    else memory.set(section.bytes, fixed - image.base);
  }
  const text = new Uint8Array(address - TEXT_BASE);
  const view = new DataView(text.buffer);
  for (const { section, address: at } of placed) {
    if (section.kind !== "text" && section.address !== undefined) continue;
    text.set(section.bytes, at - TEXT_BASE);
    for (const { offset, kind, symbol, addend } of section.relocations) {
      const target = symbols.get(symbol);
      if (target === undefined) throw new Error(`undefined symbol ${symbol}`);
      const place = at + offset;
      view.setUint32(place - TEXT_BASE, (target + addend - (kind === "pc32" ? place : 0)) >>> 0, true);
    }
  }
  text.set(startCode(symbols.get(entry)!, TEXT_BASE + HEADER_BYTES, image.results), HEADER_BYTES);
  writeElfHeader(view, text.length, image);
  const file = new Uint8Array(Math.ceil(text.length / PAGE) * PAGE + memory.length);
  file.set(text);
  file.set(memory, Math.ceil(text.length / PAGE) * PAGE);
  return file;
}

function writeElfHeader(view: DataView, textSize: number, image: NativeImage): void {
  const bytes = [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1];
  bytes.forEach((byte, i) => view.setUint8(i, byte));
  view.setUint16(16, 2, true);
  view.setUint16(18, 3, true);
  const words: [number, number][] = [[20, 1], [24, TEXT_BASE + HEADER_BYTES], [28, 52]];
  for (const [at, value] of words) view.setUint32(at, value, true);
  const halves: [number, number][] = [[40, 52], [42, 32], [44, 2]];
  for (const [at, value] of halves) view.setUint16(at, value, true);
  const segment = (at: number, fields: number[]): void => fields.forEach((field, i) => view.setUint32(at + 4 * i, field, true));
  const readWriteExecute = 7;
  segment(52, [1, 0, TEXT_BASE, TEXT_BASE, textSize, textSize, readWriteExecute, PAGE]);
  const memoryOffset = Math.ceil(textSize / PAGE) * PAGE;
  segment(84, [1, memoryOffset, image.base, image.base, image.memorySize, image.memorySize, readWriteExecute, PAGE]);
}

/** Links and runs; the result is the memory region the program wrote. Throws with the signal when it died. */
export function runNative(module: CompiledModule, image: NativeImage, entry = "run"): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "kcc-"));
  const path = join(folder, "program");
  try {
    writeFileSync(path, linkNative(module, image, entry));
    chmodSync(path, 0o755);
    const result = spawnSync(path, [], { maxBuffer: 64 << 20, timeout: 60_000 });
    if (result.error !== undefined) throw result.error;
    if (result.status !== 0) throw new Error(`the compiled program ended with status ${result.status}, signal ${result.signal}`);
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
    runNative(empty, { base: 0x100000, memorySize: PAGE, results: { address: 0x100000, size: 4 } });
    return true;
  } catch {
    return false;
  }
}
