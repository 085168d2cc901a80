// A look into the memory of a booted kernel: structures by the layout table that
// the compiler wrote, lists of them, and the arguments of the function at whose
// entry a breakpoint has stopped the machine. Reads only; no side effects.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ElfSymbol, Machine } from "../../emu/index.js";

const LAYOUTS = fileURLToPath(new URL("../../../kernel.layouts.json", import.meta.url));
export const PAGE_SIZE = 4096;
const KERNEL_TEXT = [0xc0100000, 0xc0200000] as const;
const ESP = 4;
const UVM_ET_OBJ = 1;

interface Field {
  readonly offset: number;
  readonly size: number;
}

const layouts = new Map<string, ReadonlyMap<string, Field>>();

function field(structure: string, name: string): Field {
  if (layouts.size === 0) {
    const table = JSON.parse(readFileSync(LAYOUTS, "utf8")) as Record<string, { fields: (Field & { name: string })[] }>;
    for (const [key, { fields }] of Object.entries(table)) {
      layouts.set(key, new Map(fields.map((one) => [one.name, one])));
    }
  }
  const found = layouts.get(structure)?.get(name);
  if (found === undefined) throw new Error(`no field ${structure}.${name} in ${LAYOUTS}`);
  return found;
}

/** An entry of a map. `object` is 0 for a submap. */
export interface MapEntry {
  readonly start: number;
  readonly end: number;
  readonly object: number;
  readonly offset: number;
}

export interface Process {
  readonly address: number;
  readonly pid: number;
  readonly comm: string;
  readonly cr3: number;
}

export class Guest {
  readonly machine: Machine;
  readonly symbols: ReadonlyMap<string, ElfSymbol>;

  constructor(machine: Machine, symbols: ReadonlyMap<string, ElfSymbol>) {
    this.machine = machine;
    this.symbols = symbols;
  }

  /** The address of a symbol. Throws when the kernel has no such symbol. */
  address(name: string): number {
    const symbol = this.symbols.get(name);
    if (symbol === undefined) throw new Error(`the kernel has no symbol ${name}`);
    return symbol.st_value;
  }

  /** The name of the function that holds an address, or "". */
  functionAt(address: number): string {
    for (const { name, st_value, st_size } of this.symbols.values()) {
      if (address >= st_value && address < st_value + st_size) return name;
    }
    return "";
  }

  /** The word at a linear address. Throws when nothing is mapped there. */
  word(address: number): number {
    const value = this.machine.readLinearWord(address >>> 0);
    if (value === undefined) throw new Error(`nothing mapped at 0x${(address >>> 0).toString(16)}`);
    return value;
  }

  bytes(address: number, length: number): Uint8Array {
    const bytes = this.machine.readLinear(address, length);
    if (bytes === null) throw new Error(`nothing mapped at 0x${address.toString(16)}`);
    return bytes;
  }

  /** A field of the structure at `address`; 64-bit ones as a number. */
  get(structure: string, name: string, address: number): number {
    const { offset, size } = field(structure, name);
    const view = new DataView(Uint8Array.from(this.bytes(address + offset, size)).buffer);
    if (size === 8) return Number(view.getBigUint64(0, true));
    return size === 4 ? view.getUint32(0, true) : size === 2 ? view.getUint16(0, true) : view.getUint8(0);
  }

  /** The NUL-terminated string at an address. */
  text(address: number): string {
    let text = "";
    for (let at = address; ; at++) {
      const byte = this.bytes(at, 1)[0]!;
      if (byte === 0) return text;
      text += String.fromCharCode(byte);
    }
  }

  /** At the entry of a function: its n-th argument word, from 0. */
  argument(n: number): number {
    return this.word((this.machine.cpu.registers[ESP]! >>> 0) + 4 + 4 * n);
  }

  /** At the entry of a function: the name of its caller. */
  caller(): string {
    return this.functionAt(this.word(this.machine.cpu.registers[ESP]! >>> 0));
  }

  /** Calls `seen` each time the function is entered. */
  watch(name: string, seen: () => void): void {
    this.machine.setBreakpoint(this.address(name), () => seen());
  }

  /** Counts by name how often each of the functions is entered from now on. */
  count(names: readonly string[]): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const name of names) {
      counts[name] = 0;
      this.watch(name, () => void counts[name]!++);
    }
    return counts;
  }

  /** The entries of the map at `map`, in order. */
  *entries(map: number): Generator<MapEntry> {
    const header = map + field("VmMap", "header_prev").offset;
    const get = (name: string, at: number) => this.get("VmMapEntry", name, at);
    for (let at = get("next", header); at !== header; at = get("next", at)) {
      const object = (get("etype", at) & UVM_ET_OBJ) !== 0 ? get("object", at) : 0;
      yield { start: get("start", at), end: get("end", at), object, offset: get("offset", at) };
    }
  }

  /** The entries of kernel_map that show an object. */
  windowsOf(object: number): MapEntry[] {
    return [...this.entries(this.address("kernel_map_store"))].filter((entry) => entry.object === object);
  }

  /** The pages of an object: offset, physical address, wirings. */
  *pagesOf(object: number): Generator<{ offset: number; physical: number; wirings: number }> {
    const get = (name: string, at: number) => this.get("VmPage", name, at);
    for (let at = this.get("UvmObject", "memq_first", object); at !== 0; at = get("listq_next", at)) {
      yield { offset: get("offset", at), physical: get("phys_addr", at), wirings: get("wire_count", at) };
    }
  }

  /** The first `size` bytes of an object, zero where it has no page. */
  contentsOf(object: number, size: number): Uint8Array {
    const contents = new Uint8Array(Math.ceil(size / PAGE_SIZE) * PAGE_SIZE);
    for (const { offset, physical } of this.pagesOf(object)) {
      if (offset < contents.length) contents.set(this.machine.readPhysical(physical, PAGE_SIZE), offset);
    }
    return contents.subarray(0, size);
  }

  /** The object of the newest memory file system. */
  mfsObject(): number {
    return this.get("Mfsnode", "mfs_data", this.word(this.address("mfs_newest")));
  }

  process(address: number): Process {
    const pcb = this.get("Proc", "p_addr", address);
    return {
      address,
      pid: this.get("Proc", "p_pid", address) | 0,
      comm: this.text(address + field("Proc", "p_comm0").offset),
      cr3: this.get("Pcb", "pcb_cr3", pcb),
    };
  }

  /** The process that runs, or undefined while the processor idles. */
  running(): Process | undefined {
    const address = this.get("ProcState", "curproc", this.address("proc_state"));
    return address === 0 ? undefined : this.process(address);
  }

  /** Linear addresses in the kernel's text where each byte lies within the pattern's range for it. */
  findCode(pattern: readonly (readonly [low: number, high: number])[]): number[] {
    const [start, end] = KERNEL_TEXT;
    // Before paging is on, text lies at its physical address.
    const text = this.machine.readPhysical(start - 0xc0000000, end - start);
    const found: number[] = [];
    for (let at = 0; at + pattern.length <= text.length; at++) {
      if (pattern.every(([low, high], i) => text[at + i]! >= low && text[at + i]! <= high)) found.push(start + at);
    }
    return found;
  }
}
