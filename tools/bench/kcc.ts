// Compares the size of kcc's code with gcc's on twin functions: the same
// kernel code once in the guest's language, once in C (tests/fixtures/kcc).
// gcc compiles as a kernel of the time would be: -O1, for an i486, with frame
// pointers, position dependent.
//
// Usage: node build/host/tools/bench/kcc.js [--list]   (--list: disassembly of both)

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileModule } from "../kcc/codegen/index.js";
import { PROJECT_ROOT, compileGuest, formatDiagnostic } from "../kcc/asc.js";

const FIXTURES = "tests/fixtures/kcc";
const GCC_FLAGS = [
  "-m32", "-march=i486", "-O1", "-fno-omit-frame-pointer", "-fno-pic", "-fno-stack-protector", "-fcf-protection=none",
  "-fno-asynchronous-unwind-tables", "-ffreestanding",
];

export interface TwinSize {
  readonly name: string;
  readonly kcc: number;
  readonly gcc: number;
}

function disassemble(bytes: Uint8Array, folder: string): string {
  const path = join(folder, "code.bin");
  writeFileSync(path, bytes);
  const text = execFileSync("objdump", ["-D", "-b", "binary", "-m", "i386", path], { encoding: "utf8" });
  return text.split("\n").slice(7).join("\n");
}

async function compileTwins(): Promise<Map<string, Uint8Array>> {
  const guest = await compileGuest([`${FIXTURES}/twins.ts`]);
  if (guest.wasm === undefined) throw new Error(guest.diagnostics.map(formatDiagnostic).join("\n"));
  const { text, diagnostics } = compileModule(guest.wasm);
  if (diagnostics.length > 0) throw new Error(diagnostics.join("\n"));
  return new Map(text.map(({ symbols, bytes }) =>
    [symbols[0].name.slice(symbols[0].name.lastIndexOf("/") + 1), bytes]));
}

function compileC(folder: string): string {
  const object = join(folder, "twins.o");
  execFileSync("gcc", [...GCC_FLAGS, "-c", "-o", object, join(PROJECT_ROOT, FIXTURES, "twins.c")]);
  return object;
}

/** Sizes of all twins. Needs gcc with -m32. `list` is called with both disassemblies of each when given. */
export async function measureTwins(list?: (name: string, kcc: string, gcc: string) => void): Promise<TwinSize[]> {
  const folder = mkdtempSync(join(tmpdir(), "kcc-"));
  try {
    const code = await compileTwins();
    const object = compileC(folder);
    const symbols = execFileSync("nm", ["-S", object], { encoding: "utf8" });
    const sizes: TwinSize[] = [];
    for (const [, size, name] of symbols.matchAll(/^\w+ (\w+) T (\w+)$/gm)) {
      const bytes = code.get(name);
      if (bytes === undefined) throw new Error(`twins.ts has no ${name}`);
      sizes.push({ name, kcc: bytes.length, gcc: parseInt(size, 16) });
      list?.(name, disassemble(bytes, folder),
        execFileSync("objdump", ["-d", `--disassemble=${name}`, object],
          { encoding: "utf8" }).split("\n").slice(6).join("\n"));
    }
    return sizes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function main(): Promise<void> {
  const wantsList = process.argv.includes("--list");
  const sizes = await measureTwins(wantsList ? (name, kcc, gcc) => console.log(`${name}, kcc:\n${kcc}\ngcc:${gcc}`)
    : undefined);
  const print = ({ name, kcc, gcc }: TwinSize): void => {
    const [ours, theirs] = [kcc, gcc].map((size) => String(size).padStart(4));
    console.log(`${name.padEnd(18)} kcc ${ours}  gcc -O1 ${theirs}  ratio ${(kcc / gcc).toFixed(2)}`);
  };
  sizes.forEach(print);
  const sum = (of: (size: TwinSize) => number): number => sizes.reduce((total, size) => total + of(size), 0);
  print({ name: "all", kcc: sum(({ kcc }) => kcc), gcc: sum(({ gcc }) => gcc) });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
