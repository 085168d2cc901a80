// Drives the AssemblyScript compiler in process: guest sources in, an
// unoptimised WebAssembly module with names, a source map, and the facts about
// the program that others need (struct layouts, constants) out.
//
// All guest files are entries, because asc drops what no entry reaches. Its
// optimiser stays off: it inlines, merges loads and removes parameters, and a
// stack trace of such a kernel would lie. kcc optimises in its own form.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { replaceStrings } from "./asc_strings.js";
import { DecoratorFlags, DiagnosticCategory, ElementKind, loadAsc } from "./asc_types.js";
import type { AscClass, AscClassPrototype, AscDiagnostic, AscParser, AscProgram } from "./asc_types.js";
import { DATA_BASE } from "./memory_map.js";
import { decodeModule } from "./wasm/decode.js";

/** The project's folder (two above build/host/tools/kcc). */
export const PROJECT_ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

/** Folders of guest sources. */
export const GUEST_FOLDERS = ["kernel", "vm", "fs"] as const;

/** The assembly, which host programs write, stands among the guest's sources. */
const HOST_SOURCES = /^kernel\/i386\/locore(\/|\.ts$)/;

/** Programs of user space, one a file (parts of a large one are in a folder of its name), and their library. */
const USER_PROGRAM = /^kernel\/user\/bin\/\w+\.ts$/;
const USER_SOURCES = /^kernel\/user\/(bin|lib)\//;

/** Mixing usize with u32 is harmless on a 32-bit machine; structs need no WebAssembly export. */
const SILENCED_WARNINGS = [201, 235];

/** What a false assert() calls: the function of the file among these that is an entry. */
const ASSERT_FILES = ["kernel/subr_prf", "kernel/user/lib/assert"];
const ASSERT_FUNCTION = "assert_failed";

/** One message of the compiler. `file` is relative to the project; empty when the message has no place. */
export interface Diagnostic {
  readonly severity: "error" | "warning" | "info";
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** A field of a struct. `type` is AssemblyScript's name: u32, usize or a class name. */
export interface FieldLayout {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly type: string;
}

/** A struct of the guest. `size` is asc's: the end of the last field, without padding. */
export interface StructLayout {
  readonly file: string;
  readonly size: number;
  readonly fields: readonly FieldLayout[];
}

/** Structs by class name. */
export type Layouts = Readonly<Record<string, StructLayout>>;

export interface AscResult {
  readonly diagnostics: readonly Diagnostic[];
  /** Absent when there was an error. */
  readonly wasm?: Uint8Array;
  readonly sourceMap: string;
  readonly layouts: Layouts;
  /** Constants of files by full name (`kernel/subr_pool/pool_store`), among them the addresses of static blocks. */
  readonly constants: ReadonlyMap<string, number>;
}

export interface AscOptions {
  /** Replaces files on disk: path relative to the project -> text. */
  readonly overlay?: ReadonlyMap<string, string>;
  readonly memoryBase?: number;
  /** Also write the text form. */
  readonly text?: (wat: string) => void;
}

/** The sources of the kernel, sorted, relative to the project root. */
export function guestFiles(): string[] {
  return sourceFiles().filter((path) => !USER_SOURCES.test(path));
}

/** The main files of the programs of user space, which are images of their own, sorted. */
export function programFiles(): string[] {
  return sourceFiles().filter((path) => USER_PROGRAM.test(path));
}

function sourceFiles(): string[] {
  const files: string[] = [];
  for (const folder of GUEST_FOLDERS) {
    const absolute = join(PROJECT_ROOT, folder);
    if (!existsSync(absolute)) continue;
    for (const entry of readdirSync(absolute, { recursive: true, withFileTypes: true })) {
      const path = relative(PROJECT_ROOT, join(entry.parentPath ?? entry.path, entry.name));
      const isGuest = path.endsWith(".ts") && !path.endsWith(".d.ts") && !HOST_SOURCES.test(path);
      if (entry.isFile() && isGuest) files.push(path);
    }
  }
  return files.sort();
}

function severityOf(category: number): Diagnostic["severity"] {
  if (category === DiagnosticCategory.Error) return "error";
  return category === DiagnosticCategory.Warning ? "warning" : "info";
}

function lineAt(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < position; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

function toDiagnostic(message: AscDiagnostic, texts: ReadonlyMap<string, string>): Diagnostic {
  const file = message.range?.source?.normalizedPath ?? "";
  return {
    severity: severityOf(message.category),
    file,
    line: lineAt(texts.get(file) ?? "", message.range?.start ?? 0),
    message: `${message.message} (AS${message.code})`,
  };
}

/** `file:line: message` as every tool of the project prints it. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const place = diagnostic.file === "" ? "" : `${diagnostic.file}:${diagnostic.line}: `;
  const severity = diagnostic.severity === "error" ? "" : `${diagnostic.severity}: `;
  return `${place}${severity}${diagnostic.message}`;
}

/** Fields of a class and of its bases, by offset. */
function fieldsOf(owner: AscClass): FieldLayout[] {
  const fields: FieldLayout[] = [];
  for (const [name, member] of owner.members ?? []) {
    const field = member.instance;
    if (!field || member.isField !== true || field.memoryOffset < 0) continue;
    fields.push({ name, offset: field.memoryOffset, size: field.type.byteSize, type: field.type.toString() });
  }
  return fields.sort((a, b) => a.offset - b.offset);
}

/** Lays out the structs that no function uses, too. Runs inside the compiler. */
function resolveStructs(program: AscProgram): void {
  for (const element of [...program.elementsByName.values()]) {
    if (element.kind !== ElementKind.ClassPrototype || element.internalName.startsWith("~lib/")) continue;
    const prototype = element as AscClassPrototype;
    const isStruct = prototype.hasDecorator(DecoratorFlags.Unmanaged) && prototype.typeParameterNodes === null;
    if (isStruct) program.resolver.resolveClass(prototype, null);
  }
}

function layoutsOf(program: AscProgram): Layouts {
  const layouts: Record<string, StructLayout> = {};
  for (const element of program.instancesByName.values()) {
    if (element.kind !== ElementKind.Class || element.internalName.startsWith("~lib/")) continue;
    const owner = element as AscClass;
    if (!owner.hasDecorator(DecoratorFlags.Unmanaged)) continue;
    const file = owner.internalName.slice(0, owner.internalName.lastIndexOf("/")) + ".ts";
    layouts[owner.name] = { file, size: owner.nextMemoryOffset, fields: fieldsOf(owner) };
  }
  return Object.fromEntries(Object.entries(layouts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function constantsOf(wasm: Uint8Array): Map<string, number> {
  const constants = decodeModule(wasm).globals.filter((one) => !one.mutable && !one.import);
  return new Map(constants.map((one) => [one.name, one.low >>> 0]));
}

function assertFileOf(entries: readonly string[]): string | undefined {
  return ASSERT_FILES.find((file) => entries.includes(`${file}.ts`));
}

function flags(entries: readonly string[], memoryBase: number): string[] {
  const assertFile = assertFileOf(entries);
  return [
    ...entries,
    ...["--baseDir", PROJECT_ROOT, "--outFile", "guest.wasm", "--sourceMap"],
    ...["--runtime", "stub", "--optimizeLevel", "0", "--shrinkLevel", "0", "--debug"],
    ...["--importMemory", "--initialMemory", "65536", "--memoryBase", String(memoryBase)],
    ...(assertFile !== undefined ? ["--use", `abort=${assertFile}/${ASSERT_FUNCTION}`] : []),
  ];
}

function readGuest(name: string, overlay?: ReadonlyMap<string, string>): string | null {
  const text = overlay?.get(name);
  if (text !== undefined) return text;
  try {
    return readFileSync(join(PROJECT_ROOT, name), "utf8");
  } catch {
    return null;
  }
}

/**
 * Compiles guest files (paths relative to the project; by default the whole
 * tree). Never throws for mistakes in the sources: they are in `diagnostics`,
 * and `wasm` is then absent.
 */
export async function compileGuest(entries?: readonly string[], options: AscOptions = {}): Promise<AscResult> {
  const files = entries ?? guestFiles();
  const diagnostics: Diagnostic[] = [];
  const texts = new Map<string, string>();
  const outputs = new Map<string, Uint8Array | string>();
  let program: AscProgram | undefined;
  class GuestTransform {
    declare program: AscProgram;
    afterParse(parser: AscParser): void {
      for (const mistake of replaceStrings(parser)) diagnostics.push({ severity: "error", ...mistake });
    }
    afterInitialize(): void {
      program = this.program;
    }
    afterCompile(): void {
      resolveStructs(this.program);
    }
  }
  const asc = await loadAsc();
  let chatter = "";
  const sink = { write: (text: string | Uint8Array) => ((chatter += String(text)), true) };
  const argv = flags(files, options.memoryBase ?? DATA_BASE);
  if (options.text) argv.push("--textFile", "guest.wat");
  const { error } = await asc.main(argv, {
    readFile: (name) => {
      const text = readGuest(name, options.overlay);
      if (text !== null) texts.set(name, text);
      return text;
    },
    writeFile: (name, contents) => void outputs.set(name, contents),
    listFiles: () => [],
    reportDiagnostic: (message) => {
      if (!SILENCED_WARNINGS.includes(message.code)) diagnostics.push(toDiagnostic(message, texts));
    },
    stdout: sink,
    stderr: sink,
    transforms: [GuestTransform],
  });
  if (assertFileOf(files) === undefined) {
    diagnostics.push({
      severity: "info",
      file: "",
      line: 0,
      message: `${ASSERT_FILES[0]}.ts is not among the entries: assert() has no ${ASSERT_FUNCTION} to call`,
    });
  }
  if (error && !diagnostics.some((one) => one.severity === "error")) {
    diagnostics.push({ severity: "error", file: "", line: 0, message: `asc: ${error.message} ${chatter}`.trim() });
  }
  const wat = outputs.get("guest.wat");
  if (typeof wat === "string") options.text?.(wat);
  const failed = diagnostics.some((one) => one.severity === "error");
  const wasm = failed ? undefined : (outputs.get("guest.wasm") as Uint8Array);
  return {
    diagnostics,
    wasm,
    sourceMap: String(outputs.get("guest.wasm.map") ?? ""),
    layouts: program ? layoutsOf(program) : {},
    constants: wasm ? constantsOf(wasm) : new Map(),
  };
}
