// A small linker for the compiler's own tests: compiled sections to a static
// ELF file with two segments, code and memory, and a bit of start code. It knows
// nothing of the kernel's memory map, so the cases run where a test wants them:
// as a 32-bit Linux program or as a Multiboot image without paging.

import type { CompiledModule } from "../../tools/kcc/codegen/index.js";
import type { Section } from "../../tools/kcc/object.js";

const PAGE = 0x1000;
/** Room for the ELF header in front of the code, and for the start code behind it. */
const HEADER_BYTES = PAGE;
const START_BYTES = 64;

export interface FlatImage {
  readonly textBase: number;
  /** The module's memory: its data segments lie in it, all else is zero. */
  readonly memory: { readonly base: number; readonly size: number };
  /** The function that the start code calls. */
  readonly entry: string;
  /** The start code, given its own address and the entry's; at most 64 bytes. */
  readonly start: (at: number, entry: number) => readonly number[];
  /** Words of a Multiboot header in front of the code. */
  readonly header?: readonly number[];
}

interface Placed {
  readonly section: Section;
  readonly address: number;
}

/** The little-endian bytes of a word. */
export function word(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >>> 24) & 0xff];
}

class FlatLinker {
  private readonly image: FlatImage;
  private readonly placed: Placed[] = [];
  private readonly symbols = new Map<string, number>();
  private readonly memory: Uint8Array;
  private end: number;

  constructor(image: FlatImage) {
    this.image = image;
    this.memory = new Uint8Array(image.memory.size);
    this.end = image.textBase + HEADER_BYTES + START_BYTES;
  }

  private place(section: Section): void {
    const fixed = section.kind === "text" ? undefined : section.address;
    if (fixed === undefined) this.end = Math.ceil(this.end / section.align) * section.align;
    const address = fixed ?? this.end;
    this.placed.push({ section, address });
    for (const { name, offset } of section.symbols) this.symbols.set(name, address + offset);
    if (fixed === undefined) this.end += section.kind === "text" ? section.bytes.length : section.size;
    else this.memory.set(section.bytes, fixed - this.image.memory.base);
  }

  private address(symbol: string): number {
    const address = this.symbols.get(symbol);
    if (address === undefined) throw new Error(`undefined symbol ${symbol}`);
    return address;
  }

  private text(): Uint8Array {
    const { textBase } = this.image;
    const text = new Uint8Array(this.end - textBase);
    const view = new DataView(text.buffer);
    for (const { section, address } of this.placed) {
      if (section.kind !== "text" && section.address !== undefined) continue;
      text.set(section.bytes, address - textBase);
      for (const { offset, kind, symbol, addend } of section.relocations) {
        const place = address + offset;
        const value = this.address(symbol) + addend - (kind === "pc32" ? place : 0);
        view.setUint32(place - textBase, value >>> 0, true);
      }
    }
    return text;
  }

  private elfHeader(view: DataView): void {
    const { textBase, memory } = this.image;
    const textSize = view.byteLength;
    [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1].forEach((byte, i) => view.setUint8(i, byte));
    const halves: [number, number][] = [[16, 2], [18, 3], [40, 52], [42, 32], [44, 2]];
    for (const [at, value] of halves) view.setUint16(at, value, true);
    const words: [number, number][] = [[20, 1], [24, textBase + HEADER_BYTES], [28, 52]];
    for (const [at, value] of words) view.setUint32(at, value, true);
    const segment = (at: number, fields: number[]): void => (
      fields.forEach((field, i) => view.setUint32(at + 4 * i, field, true)));
    const readWriteExecute = 7;
    segment(52, [1, 0, textBase, textBase, textSize, textSize, readWriteExecute, PAGE]);
    const fileOffset = Math.ceil(textSize / PAGE) * PAGE;
    segment(84, [1, fileOffset, memory.base, memory.base, memory.size, memory.size, readWriteExecute, PAGE]);
    this.image.header?.forEach((value, i) => view.setUint32(128 + 4 * i, value, true));
  }

  link(module: CompiledModule): Uint8Array {
    const { textBase, entry, start } = this.image;
    for (const section of [...module.text, ...module.data]) this.place(section);
    const text = this.text();
    text.set(start(textBase + HEADER_BYTES, this.address(entry)), HEADER_BYTES);
    this.elfHeader(new DataView(text.buffer));
    const memoryAt = Math.ceil(text.length / PAGE) * PAGE;
    const file = new Uint8Array(memoryAt + this.memory.length);
    file.set(text);
    file.set(this.memory, memoryAt);
    return file;
  }
}

/** Links a compiled module; the bytes of the ELF file. */
export function linkFlat(module: CompiledModule, image: FlatImage): Uint8Array {
  return new FlatLinker(image).link(module);
}
