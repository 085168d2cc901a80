// Guest code in V8: compiles guest files with the stand-ins of tests/hosted/ and
// runs them in a memory of 4 GB, at the addresses of the i386 image.
//
// Exported guest functions are called by name; structs are read and written
// through the compiler's layouts. panic() becomes a GuestPanic with the text
// that was printed. A sleep ends the call with GuestSleep, unless the test
// answers it (`onSleep`).
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { PROJECT_ROOT, compileGuest, formatDiagnostic } from "../../tools/kcc/asc.js";
import type { AscResult, Layouts } from "../../tools/kcc/asc.js";
import { HostedPmap } from "./hosted_pmap.js";

const STAND_INS = join(PROJECT_ROOT, "tests/hosted");
/** Slots of frame_alloc. They are given out anew with each call from outside. */
const FRAMES = 0x7e000000;
/** Blocks of bss(). */
const BSS = 0xc0c00000;
/** First kernel address that UVM may manage. */
const VIRTUAL_START = 0xc1000000;

/** The guest called panic() or failed an assertion. */
export class GuestPanic extends Error {}

/** The guest went to sleep and nobody answers. */
export class GuestSleep extends Error {}

/** What a sleep is for, and how long; the answer is tsleep's result. */
export type SleepHandler = (ident: number, wmesg: string, timo: number) => number;

/** Guest sources that a hosted module is made of. */
function overlay(): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(STAND_INS, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".as")) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    files.set(relative(STAND_INS, path).replace(/\.as$/, ".ts"), readFileSync(path, "utf8"));
  }
  return files;
}

/** Compiles guest files for hosted use; throws with all messages on an error. */
export async function compileHosted(entries: readonly string[]): Promise<AscResult & { wasm: Uint8Array }> {
  const files = [...entries, "kernel/subr_prf.ts"];
  const result = await compileGuest(files, { overlay: overlay() });
  if (!result.wasm) {
    const errors = result.diagnostics.filter((one) => one.severity === "error");
    throw new Error(errors.map(formatDiagnostic).join("\n"));
  }
  return { ...result, wasm: result.wasm };
}

/** All files of vm/. */
export function vmFiles(): string[] {
  return readdirSync(join(PROJECT_ROOT, "vm")).filter((name) => name.endsWith(".ts")).map((name) => `vm/${name}`);
}

type GuestFunction = (...args: (number | bigint)[]) => number;

export class Hosted {
  readonly memory = new WebAssembly.Memory({ initial: 65536 });
  readonly bytes = new Uint8Array(this.memory.buffer);
  readonly view = new DataView(this.memory.buffer);
  readonly pmap: HostedPmap;
  readonly layouts: Layouts;
  console = "";
  onSleep: SleepHandler | undefined;
  /** Every wakeup's channel. */
  wakeups: number[] = [];
  private frame = FRAMES;
  private readonly sites = new Map<string, number>();
  private nextBss = BSS;
  private readonly instance: WebAssembly.Instance;

  constructor(compiled: AscResult & { wasm: Uint8Array }) {
    this.layouts = compiled.layouts;
    this.pmap = new HostedPmap(this.bytes, () => this.offset("VmPage", "phys_addr"), VIRTUAL_START);
    const module = new WebAssembly.Module(compiled.wasm as BufferSource);
    this.instance = new WebAssembly.Instance(module, this.imports(module));
  }

  /** Calls an exported guest function; 32-bit results come back unsigned. */
  call(name: string, ...args: (number | bigint)[]): number {
    this.frame = FRAMES;
    return this.nested(name, ...args);
  }

  /** The same from inside a call (a sleep handler): the caller's frames stay. */
  nested(name: string, ...args: (number | bigint)[]): number {
    const f = this.instance.exports[name] as GuestFunction | undefined;
    if (typeof f !== "function") throw new Error(`hosted: the guest exports no function ${name}`);
    const result = f(...args) as number | undefined;
    return result === undefined ? 0 : result >>> 0;
  }

  /** The same for functions with a 64-bit result. */
  callWide(name: string, ...args: (number | bigint)[]): bigint {
    this.frame = FRAMES;
    return (this.instance.exports[name] as (...args: (number | bigint)[]) => bigint)(...args);
  }

  /** The same, result signed. */
  callSigned(name: string, ...args: (number | bigint)[]): number {
    return this.call(name, ...args) | 0;
  }

  /** The value of an exported guest constant, such as the address of a static struct. */
  constant(name: string): number {
    const global = this.instance.exports[name];
    if (!(global instanceof WebAssembly.Global)) throw new Error(`hosted: the guest exports no constant ${name}`);
    return (global.value as number) >>> 0;
  }

  offset(struct: string, field: string): number {
    const found = this.layouts[struct]?.fields.find((one) => one.name === field);
    if (!found) throw new Error(`hosted: no field ${struct}.${field}`);
    return found.offset;
  }

  /** Reads a field of a struct; 64-bit fields as Number. */
  get(struct: string, address: number, field: string): number {
    const layout = this.layouts[struct]?.fields.find((one) => one.name === field);
    if (!layout) throw new Error(`hosted: no field ${struct}.${field}`);
    const at = (address >>> 0) + layout.offset;
    if (layout.size === 1) return this.view.getUint8(at);
    if (layout.size === 2) return this.view.getUint16(at, true);
    if (layout.size === 8) return Number(this.view.getBigUint64(at, true));
    return layout.type.startsWith("i") ? this.view.getInt32(at, true) : this.view.getUint32(at, true);
  }

  word(address: number): number {
    return this.view.getUint32(address >>> 0, true);
  }

  setWord(address: number, value: number): void {
    this.view.setUint32(address >>> 0, value >>> 0, true);
  }

  /** A NUL-terminated string of the guest. */
  string(address: number): string {
    let end = address >>> 0;
    while (this.bytes[end] !== 0) end++;
    return Buffer.from(this.bytes.subarray(address >>> 0, end)).toString("utf8");
  }

  private imports(module: WebAssembly.Module): WebAssembly.Imports {
    const known = this.functions();
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      imports[from] ??= {};
      const f = known[name];
      if (kind === "memory") imports[from][name] = this.memory;
      else imports[from][name] = f ?? (() => { throw new Error(`hosted: there is no ${name} here`); });
    }
    return imports;
  }

  private functions(): Record<string, (...args: number[]) => number | void> {
    return {
      ...this.pmap.functions(),
      ...this.memoryFunctions(),
      frame_alloc: (size) => {
        const slot = this.frame;
        this.frame += (size + 7) & ~7;
        return slot;
      },
      bss: (size, align) => this.bss(size >>> 0, align >>> 0),
      cnputc: (c) => void (this.console += String.fromCharCode(c)),
      cpu_reboot: () => this.panicked(),
      tsleep: (ident, _priority, wmesg, timo) => {
        const why = this.string(wmesg);
        if (!this.onSleep) throw new GuestSleep(`hosted: the guest sleeps on 0x${(ident >>> 0).toString(16)} (${why})`);
        return this.onSleep(ident >>> 0, why, timo);
      },
      wakeup: (ident) => void this.wakeups.push(ident >>> 0),
    };
  }

  private memoryFunctions(): Record<string, (...args: number[]) => number | void> {
    return {
      memmove: (dst, src, len) => {
        this.bytes.copyWithin(dst >>> 0, src >>> 0, (src >>> 0) + (len >>> 0));
        return dst;
      },
      memset: (dst, byte, len) => {
        this.bytes.fill(byte, dst >>> 0, (dst >>> 0) + (len >>> 0));
        return dst;
      },
      kcopy: (from, to, len) => {
        this.bytes.copyWithin(to >>> 0, from >>> 0, (from >>> 0) + (len >>> 0));
        return 0;
      },
      copystr: (from, to, maxlen, lencopied) => this.copyString(from >>> 0, to >>> 0, maxlen, lencopied),
      "volatile.load32": (address) => this.word(address),
      "volatile.store32": (address, value) => this.setWord(address, value),
    };
  }

  /** copystr(9): 0, or ENAMETOOLONG. */
  private copyString(from: number, to: number, maxlen: number, lencopied: number): number {
    for (let count = 0; count < maxlen; count++) {
      const byte = this.bytes[from + count]!;
      this.bytes[to + count] = byte;
      if (byte !== 0) continue;
      if (lencopied !== 0) this.setWord(lencopied, count + 1);
      return 0;
    }
    return 63;
  }

  /** A block per call site, which the stack of the call names. */
  private bss(size: number, align: number): number {
    const site = /wasm-function\[\d+\]:0x[0-9a-f]+/.exec(new Error().stack ?? "")?.[0] ?? "outside";
    const known = this.sites.get(site);
    if (known !== undefined) return known;
    this.nextBss = (this.nextBss + align - 1) & -align;
    const block = this.nextBss >>> 0;
    this.nextBss += size;
    this.sites.set(site, block);
    return block;
  }

  private panicked(): never {
    const at = this.console.lastIndexOf("panic: ");
    throw new GuestPanic(this.console.slice(at < 0 ? 0 : at + "panic: ".length).trimEnd());
  }
}
