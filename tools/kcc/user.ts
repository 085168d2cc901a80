// Builds the programs of user space: kernel/user/bin/*.ts, each with what it
// reaches of kernel/user/lib/, to static ELF32 executables.
//
// All programs are one run of asc (a run costs a second, whatever its size).
// kcc then compiles for each program what its main function reaches, and drops
// the static blocks that no address in that code points to.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { PROJECT_ROOT, compileGuest, formatDiagnostic, programFiles } from "./asc.js";
import { STRINGS_FILE } from "./asc_strings.js";
import { compileModule } from "./codegen/index.js";
import type { CompiledModule } from "./codegen/index.js";
import { encodeElf } from "./elf.js";
import { LinkError } from "./link.js";
import { USER_DATA_BASE } from "./memory_map.js";
import type { DataSection, Section } from "./object.js";
import { SourceMap } from "./source_map.js";
import { linkProgram } from "./user_link.js";
import { USER_ENTRY, userSections } from "./user_start.js";
import { decodeModule } from "./wasm/decode.js";
import type { WasmFunction, WasmModule } from "./wasm/module.js";
import { OPCODES_BY_NAME } from "./wasm/opcodes.js";

/** Files whose functions the start code and the compiler itself call. */
const SUPPORT = ["kernel/libkern.ts", "kernel/user/lib/stdio.ts", "kernel/user/lib/assert.ts"];
/** A program that shares sources of the kernel has a run of asc of its own: those bring much static data along. */
const SHARES_KERNEL_SOURCES = new Set(["kernel/user/bin/mount_mfs.ts", "kernel/user/bin/newfs.ts"]);
/** The shared sources; in a program they print through the library. */
const SHARED = ["fs/mfs/mkfs.ts", "fs/ffs/ffs_subr.ts"];
/** What the start code calls after main. */
const EXIT = "kernel/user/lib/stdio/exit";
/** What the compiler itself calls. */
const HELPERS = ["__udivdi3", "__umoddi3", "__divdi3", "__moddi3"].map((name) => `kernel/libkern/${name}`);

/** Expansions of cpufunc.ts that are no privileged instructions. */
const UNPRIVILEGED = /^(volatile\..*|frame_alloc|bss|read_ebp|read_esp|read_eflags|breakpoint)$/;

const CALL = OPCODES_BY_NAME.get("call")!.code;
const I32_CONST = OPCODES_BY_NAME.get("i32.const")!.code;
const GLOBAL_GET = OPCODES_BY_NAME.get("global.get")!.code;

export interface UserBuild {
  /** Errors and warnings, one line each. */
  readonly messages: readonly string[];
  /** ELF files by program name; empty when there was an error. */
  readonly programs: ReadonlyMap<string, Uint8Array>;
}

/** One program on its way from the common module to its image. */
class Program {
  readonly name: string;
  readonly messages: string[] = [];
  private readonly main: string;
  private readonly module: WasmModule;
  private readonly functions: ReadonlyMap<string, WasmFunction>;
  private readonly map: SourceMap;

  constructor(file: string, module: WasmModule, functions: ReadonlyMap<string, WasmFunction>, map: SourceMap) {
    this.name = basename(file, ".ts");
    this.main = file.replace(/\.ts$/, "/main");
    this.module = module;
    this.functions = functions;
    this.map = map;
  }

  private at(offset: number): string {
    const place = this.map.find(offset);
    return place === undefined ? this.name : `${place.file}:${place.line}`;
  }

  /** Compiles what main reaches, and the helpers of the compiler if that needs any. */
  private compile(): CompiledModule {
    const locate = (offset: number) => this.map.find(offset);
    const roots = [this.main, EXIT];
    const first = compileModule(this.module, { locate, roots, onlyRoots: true });
    const helpers = HELPERS.filter((name) => openNames(first).has(name.slice(name.lastIndexOf("/") + 1)));
    return helpers.length === 0 ? first : compileModule(this.module, { locate, roots: [...roots, ...helpers], onlyRoots: true });
  }

  /** The wasm functions that the compiled text is made of. */
  private sources(compiled: CompiledModule): WasmFunction[] {
    return compiled.text.flatMap(({ symbols }) => this.functions.get(symbols[0]!.name) ?? []);
  }

  private refusePrivileged(sources: readonly WasmFunction[]): void {
    for (const { name, body } of sources) {
      for (const { code, a, offset } of body) {
        const callee = code === CALL ? this.module.functions[a]?.import : undefined;
        if (callee?.module !== "cpufunc" || UNPRIVILEGED.test(callee.name)) continue;
        const user = name.slice(name.lastIndexOf("/") + 1);
        this.messages.push(`${this.at(offset)}: ${user} uses ${callee.name}, a privileged instruction; ask the kernel by a system call`);
      }
    }
  }

  /** Every number in the code that may be an address. */
  private constants(sources: readonly WasmFunction[]): number[] {
    const numbers: number[] = [];
    for (const { body } of sources) {
      for (const { code, a } of body) {
        if (code === I32_CONST) numbers.push(a >>> 0);
        else if (code === GLOBAL_GET) numbers.push(this.module.globals[a]!.low >>> 0);
      }
    }
    return numbers.sort((x, y) => x - y);
  }

  /** Static blocks that the code names, and all data without a fixed address. */
  private dataOf(compiled: CompiledModule, sources: readonly WasmFunction[]): DataSection[] {
    const numbers = this.constants(sources);
    const names = (section: DataSection): boolean => {
      const start = section.address as number;
      let [low, high] = [0, numbers.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (numbers[middle]! < start) low = middle + 1;
        else high = middle;
      }
      return low < numbers.length && numbers[low]! < start + section.size;
    };
    return compiled.data
      .filter((section) => section.address === undefined || names(section))
      .map((section) => ({ ...section, symbols: section.symbols.filter(({ name }) => !name.startsWith(STRINGS_FILE)) }));
  }

  /** The ELF file, or undefined when there are messages. */
  build(): Uint8Array | undefined {
    if (!this.functions.has(this.main)) {
      this.messages.push(`${this.main.replace(/\/main$/, ".ts")}: has no function main(argc, argv, envp)`);
      return undefined;
    }
    const compiled = this.compile();
    this.messages.push(...compiled.diagnostics);
    const sources = this.sources(compiled);
    this.refusePrivileged(sources);
    if (this.messages.length > 0) return undefined;
    const sections: Section[] = [...compiled.text, ...this.dataOf(compiled, sources)];
    try {
      const start = userSections(this.main, EXIT, openNames(compiled));
      const image = linkProgram([...start, ...sections], USER_ENTRY);
      return encodeElf(image, { base: 0, debug: false });
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      this.messages.push(...error.lines.map((line) => `${this.name}: ${line}`));
      return undefined;
    }
  }
}

/** Names that the compiled code leaves to the linker. */
function openNames(compiled: CompiledModule): Set<string> {
  return new Set([...compiled.text, ...compiled.data].flatMap(({ relocations }) => relocations.map(({ symbol }) => symbol)));
}

/** The shared sources with the library's printf and panic in place of the kernel's. */
function sharedSources(): Map<string, string> {
  return new Map(SHARED.map((file) => {
    const text = readFileSync(join(PROJECT_ROOT, file), "utf8");
    return [file, text.replace(/"(\.\.\/)+kernel\/subr_prf"/, '"../../kernel/user/lib/subr_prf"')];
  }));
}

/** Compiles the programs of one run of asc; adds to `programs` and `messages`. */
async function buildGroup(
  files: readonly string[], programs: Map<string, Uint8Array>, messages: string[], overlay: ReadonlyMap<string, string>,
): Promise<void> {
  if (files.length === 0) return;
  const compiled = await compileGuest([...files, ...SUPPORT], { memoryBase: USER_DATA_BASE, overlay: new Map([...sharedSources(), ...overlay]) });
  messages.push(...compiled.diagnostics.filter((one) => one.severity !== "info").map(formatDiagnostic));
  if (compiled.wasm === undefined) return;
  const module = decodeModule(compiled.wasm);
  const functions = new Map(module.functions.filter((fn) => fn.import === undefined).map((fn) => [fn.name, fn]));
  const map = new SourceMap(compiled.sourceMap);
  for (const file of files) {
    const program = new Program(file, module, functions, map);
    const elf = program.build();
    messages.push(...program.messages);
    if (elf !== undefined) programs.set(program.name, elf);
  }
}

/**
 * Compiles and links all programs, or those of `files`. Mistakes in the sources are in `messages`; nothing is thrown.
 * `overlay` replaces files on disk: path relative to the project -> text.
 */
export async function buildPrograms(
  files: readonly string[] = programFiles(), overlay: ReadonlyMap<string, string> = new Map(),
): Promise<UserBuild> {
  const messages: string[] = [];
  const programs = new Map<string, Uint8Array>();
  await buildGroup(files.filter((file) => !SHARES_KERNEL_SOURCES.has(file)), programs, messages, overlay);
  await buildGroup(files.filter((file) => SHARES_KERNEL_SOURCES.has(file)), programs, messages, overlay);
  if (programs.size < files.length) programs.clear();
  return { messages: [...new Set(messages)], programs };
}
