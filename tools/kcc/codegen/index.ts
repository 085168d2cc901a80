// The compiler proper: a WebAssembly module as asc writes it, unoptimised, to
// i386 code in sections for the linker.
//
//   decode -> SSA (ir/) -> passes (opt/) -> machine level: select, allocate,
//   peephole, emit (codegen/)
//
// Only functions that something reaches are compiled: from the module's
// exports, from calls and from addresses taken. Data segments keep the
// addresses that asc gave them; globals become words of their own.

import { buildFunction } from "../ir/build.js";
import { newContext } from "../ir/context.js";
import type { ModuleContext } from "../ir/context.js";
import { resolve } from "../ir/ir.js";
import type { IrFunction, Value } from "../ir/ir.js";
import type { DataSection, LineEntry, SectionSymbol, TextSection } from "../object.js";
import { splitCriticalEdges } from "../opt/graph.js";
import { optimise } from "../opt/optimise.js";
import { layOut } from "../opt/loops.js";
import { decodeModule } from "../wasm/decode.js";
import type { WasmFunction, WasmModule } from "../wasm/module.js";
import { OPCODES_BY_NAME } from "../wasm/opcodes.js";
import { allocateRegisters } from "./allocate.js";
import { emitFunction } from "./emit.js";
import type { Emitted } from "./emit.js";
import { isIntrinsic } from "./intrinsics.js";
import { peephole } from "./peephole.js";
import { selectInstructions } from "./select.js";

export interface SourceLocation {
  /** Path relative to the project root. */
  readonly file: string;
  /** One-based. */
  readonly line: number;
}

export interface CompileOptions {
  /** The source line of a byte offset in the module; undefined when there is none. */
  readonly locate?: (offset: number) => SourceLocation | undefined;
  /** Functions (internal names) to compile although no export, call or address reaches them. */
  readonly roots?: readonly string[];
  /** Compile only what the roots reach: exports are no reason. */
  readonly onlyRoots?: boolean;
  /** Called with each function after the passes, for inspection. */
  readonly inspect?: (fn: IrFunction) => void;
}

export interface CompiledModule {
  readonly text: TextSection[];
  readonly data: DataSection[];
  /** One line each, `file:line: message`. Empty when all is well. */
  readonly diagnostics: string[];
}

const FUNCTION_ALIGN = 4;
const CALL = OPCODES_BY_NAME.get("call")!.code;

/** The part of an internal name after the last `/`. */
function plainName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

class ModuleCompiler {
  private readonly module: WasmModule;
  private readonly context: ModuleContext;
  private readonly options: CompileOptions;
  private readonly byName: ReadonlyMap<string, WasmFunction>;
  private readonly globalNames: ReadonlySet<string>;
  private readonly exported: ReadonlySet<WasmFunction>;
  private readonly wanted: WasmFunction[] = [];
  private readonly seen = new Set<WasmFunction>();
  private readonly usedGlobals = new Set<string>();
  private readonly text: TextSection[] = [];
  private readonly data: DataSection[] = [];

  constructor(module: WasmModule, options: CompileOptions) {
    this.module = module;
    this.options = options;
    this.context = newContext(module, isIntrinsic);
    this.byName = new Map(module.functions.filter((fn) => fn.import === undefined).map((fn) => [fn.name, fn]));
    this.globalNames = new Set(module.globals.map((global) => global.name));
    this.exported = this.findExported();
  }

  /** Exported functions; an export of an argument-filling stub means the function behind it. */
  private findExported(): Set<WasmFunction> {
    const exported = new Set<WasmFunction>();
    for (const { kind, index } of this.module.exports) {
      if (kind !== "function") continue;
      const { name } = this.module.functions[index];
      const target = this.byName.get(name.replace(/@varargs$/, ""));
      if (target !== undefined && !name.startsWith("~")) exported.add(target);
    }
    return exported;
  }

  private want(fn: WasmFunction | undefined): void {
    if (fn === undefined || fn.import !== undefined || this.seen.has(fn)) return;
    this.seen.add(fn);
    this.wanted.push(fn);
  }

  /** What the code names: functions to compile, globals to allocate. */
  private noteSymbol(symbol: string): void {
    if (this.globalNames.has(symbol)) this.usedGlobals.add(symbol);
    else this.want(this.byName.get(symbol));
  }

  private noteValues(fn: IrFunction): void {
    const note = (value: Value): void => {
      if (value.op === "address" || value.op === "call") this.noteSymbol(value.symbol);
      if (value.op === "const") this.checkConstant(value, fn);
    };
    for (const block of fn.blocks) {
      for (const value of [...block.phis, ...block.body]) {
        note(value);
        value.args.forEach(note);
      }
      block.control.map(resolve).forEach(note);
    }
  }

  /** A Function object that is not used through `.index` would need to exist, and it does not. */
  private checkConstant(value: Value, fn: IrFunction): void {
    const target = this.context.functionObjects.get(value.imm);
    if (target === undefined) return;
    this.context.problems.push({
      origin: fn.origin, message: `${fn.name} uses the function ${target.name} as a value; use its \`.index\``,
    });
  }

  private compile(source: WasmFunction): void {
    const fn = buildFunction(this.context, source);
    if (fn === undefined) return;
    optimise(fn);
    splitCriticalEdges(fn);
    layOut(fn);
    this.options.inspect?.(fn);
    this.noteValues(fn);
    // With mistakes in the source there is no image; only further mistakes are of interest.
    if (this.context.problems.length > 0) return;
    const lir = selectInstructions(fn);
    allocateRegisters(lir);
    peephole(lir);
    this.addText(fn, source, emitFunction(lir, fn.origin));
    for (const { symbol, size, align } of fn.zeroBlocks) {
      this.data.push({
        kind: "bss", bytes: new Uint8Array(0), size, align, relocations: [],
        symbols: [{ name: symbol, offset: 0, size, global: false, type: "object" }],
      });
    }
  }

  private addText(fn: IrFunction, source: WasmFunction, emitted: Emitted): void {
    const { bytes, relocations, frameSize, calls } = emitted;
    const symbol: SectionSymbol = {
      name: fn.name, offset: 0, size: bytes.length, global: this.exported.has(source), type: "func",
    };
    this.text.push({
      kind: "text", bytes, align: FUNCTION_ALIGN, symbols: [symbol], relocations, lines: this.lines(emitted),
      frame: { size: frameSize, parameters: fn.parameters, calls },
    });
    for (const { symbol: name, offsets } of emitted.tables) {
      this.data.push({
        kind: "data", bytes: new Uint8Array(4 * offsets.length), size: 4 * offsets.length, align: 4,
        symbols: [{ name, offset: 0, size: 4 * offsets.length, global: false, type: "object" }],
        relocations: offsets.map((addend, i) => ({ offset: 4 * i, kind: "abs32", symbol: fn.name, addend })),
      });
    }
  }

  private lines({ origins }: Emitted): LineEntry[] {
    const { locate } = this.options;
    const lines: LineEntry[] = [];
    if (locate === undefined) return lines;
    for (const { offset, origin } of origins) {
      const location = locate(origin);
      const last = lines[lines.length - 1];
      // The second entry of a function marks the end of its prologue, so it stands even on the same line.
      const isNew = last === undefined || lines.length === 1 || last.line !== location?.line
        || last.file !== location.file;
      if (location === undefined || !isNew || last?.offset === offset) continue;
      lines.push({ offset, file: location.file, line: location.line });
    }
    return lines;
  }

  private addDataSegments(): void {
    const names = new Map<number, string>();
    for (const global of this.module.globals) {
      const isAddress = !global.mutable && global.type === "i32" && global.import === undefined;
      if (isAddress) names.set(global.low >>> 0, global.name);
    }
    const objects = new Set([...this.context.functionObjects.keys()].map((address) => (address >>> 0) - 20));
    for (const { address, bytes } of this.module.data) {
      if (objects.has(address)) continue;
      const name = names.get(address);
      const symbols: SectionSymbol[] = name === undefined ? []
        : [{ name, offset: 0, size: bytes.length, global: true, type: "object" }];
      this.data.push({ kind: "data", address, bytes, size: bytes.length, align: 1, symbols, relocations: [] });
    }
  }

  private addGlobals(): void {
    for (const { name, mutable, import: imported, type, low, high } of this.module.globals) {
      if (!mutable || imported !== undefined || !this.usedGlobals.has(name)) continue;
      const size = type === "i64" ? 8 : 4;
      const isZero = low === 0 && (size === 4 || high === 0);
      const words = new Uint8Array(new Int32Array(size === 8 ? [low, high] : [low]).buffer);
      this.data.push({
        kind: isZero ? "bss" : "data", bytes: isZero ? new Uint8Array(0) : words, size, align: 4, relocations: [],
        symbols: [{ name, offset: 0, size, global: true, type: "object" }],
      });
    }
  }

  /** Where the code that would run before everything else comes from: asc puts each file's into `start:path`. */
  private startCode(): number[] {
    if (this.module.start === undefined) return [];
    const main = this.module.functions[this.module.start];
    const files = main.body.filter(({ code }) => code === CALL).map(({ a }) => this.module.functions[a]);
    const { locate } = this.options;
    return [main, ...files].filter((fn) => fn.name.startsWith("start:")).map(({ body, offset }) => (
      body.find((instruction) => locate?.(instruction.offset) !== undefined)?.offset ?? offset));
  }

  private checkModule(): void {
    const { problems } = this.context;
    const message = "a top-level statement or initialiser is not constant; write an init function";
    for (const origin of this.startCode()) problems.push({ origin, message });
    const owners = new Map<string, WasmFunction>();
    for (const fn of this.options.onlyRoots === true ? [] : this.exported) {
      const plain = plainName(fn.name);
      const other = owners.get(plain);
      if (other === undefined) owners.set(plain, fn);
      else problems.push({ origin: fn.body[0].offset, message: `${fn.name} has the same name as ${other.name}` });
    }
  }

  private diagnostics(): string[] {
    const lines = this.context.problems.map(({ origin, message }) => {
      const location = this.options.locate?.(origin);
      return location === undefined ? `wasm byte ${origin}: ${message}`
        : `${location.file}:${location.line}: ${message}`;
    });
    return [...new Set(lines)];
  }

  run(): CompiledModule {
    this.checkModule();
    if (this.options.onlyRoots !== true) for (const fn of this.exported) this.want(fn);
    for (const name of this.options.roots ?? []) this.want(this.byName.get(name));
    for (let fn = this.wanted.shift(); fn !== undefined; fn = this.wanted.shift()) this.compile(fn);
    this.addDataSegments();
    this.addGlobals();
    return { text: this.text, data: this.data, diagnostics: this.diagnostics() };
  }
}

/**
 * Compiles a module, given as bytes or decoded. Mistakes in the guest's source come back as diagnostics;
 * an Error means a module that kcc cannot read or a fault of kcc itself.
 * Bare names of runtime helpers (`__udivdi3`, `memmove` …) and of imports other
 * than intrinsics stay for the linker to resolve.
 */
export function compileModule(wasm: Uint8Array | WasmModule, options: CompileOptions = {}): CompiledModule {
  return new ModuleCompiler(wasm instanceof Uint8Array ? decodeModule(wasm) : wasm, options).run();
}
