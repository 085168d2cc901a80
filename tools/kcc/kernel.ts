// Builds the kernel: guest sources -> WebAssembly -> i386 sections, with the
// assembly in front and the tables for DDB behind -> image -> files.
import { locore } from "../../kernel/i386/locore.js";
import { compileGuest, formatDiagnostic } from "./asc.js";
import type { AscOptions, Layouts } from "./asc.js";
import { STRINGS_FILE } from "./asc_strings.js";
import { compileModule } from "./codegen/index.js";
import { encodeDdbOpcodes } from "./ddb_opcodes.js";
import { encodeElf } from "./elf.js";
import { guestFacts } from "./facts.js";
import { link, LinkError } from "./link.js";
import type { LinkedImage } from "./link.js";
import { formatMap } from "./map_file.js";
import type { DataSection, Section } from "./object.js";
import { SourceMap } from "./source_map.js";

/** Where the loader enters. */
const ENTRY = "start";

export interface KernelBuild {
  /** Errors and warnings, one line each. */
  readonly messages: readonly string[];
  /** Absent when there was an error. */
  readonly image?: LinkedImage;
  readonly layouts: Layouts;
}

export interface KernelOptions extends AscOptions {
  /** Guest files; by default the whole tree. */
  readonly entries?: readonly string[];
  /** Symbols that may be undefined (kernels of tests lack parts); they become 0. */
  readonly optional?: readonly string[];
}

/** DDB's instruction table as data of the image. */
function ddbOpcodes(): DataSection {
  const bytes = encodeDdbOpcodes();
  const symbols = [{ name: "ddb_opcodes", offset: 0, size: bytes.length, global: true, type: "object" as const }];
  return { kind: "data", bytes, size: bytes.length, align: 4, symbols, relocations: [] };
}

/** Byte strings have made-up names that would only stand in the way of a reader. */
function withoutStringNames(section: DataSection): DataSection {
  return { ...section, symbols: section.symbols.filter(({ name }) => !name.startsWith(STRINGS_FILE)) };
}

/** Compiles and links. Mistakes in the sources are in `messages`; nothing is thrown for them. */
export async function compileKernel(options: KernelOptions = {}): Promise<KernelBuild> {
  const { diagnostics, wasm, sourceMap, layouts, constants } = await compileGuest(options.entries, options);
  const messages = diagnostics.filter((one) => one.severity !== "info").map(formatDiagnostic);
  if (wasm === undefined) return { messages, layouts };
  const map = new SourceMap(sourceMap);
  const compiled = compileModule(wasm, { locate: (offset) => map.find(offset) });
  messages.push(...compiled.diagnostics);
  if (compiled.diagnostics.length > 0) return { messages, layouts };
  try {
    const assembly = locore(guestFacts(constants, layouts));
    const guest: Section[] = [...compiled.text, ...compiled.data.map(withoutStringNames)];
    const image = link([...assembly, ...guest, ddbOpcodes()], ENTRY, options.optional);
    return { messages, image, layouts };
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    return { messages: [...messages, ...error.lines], layouts };
  }
}

/** Builds the kernel of the tree. `outputs` are the files of build/ by name; absent when something was wrong. */
export async function buildKernel(options: KernelOptions = {}): Promise<{
  messages: readonly string[];
  outputs?: ReadonlyMap<string, Uint8Array | string>;
}> {
  const { messages, image, layouts } = await compileKernel(options);
  if (image === undefined) return { messages };
  const outputs = new Map<string, Uint8Array | string>([
    ["kernel.elf", encodeElf(image)],
    ["kernel.layouts.json", `${JSON.stringify(layouts, undefined, 1)}\n`],
    ["kernel.map", formatMap(image)],
  ]);
  return { messages, outputs };
}
