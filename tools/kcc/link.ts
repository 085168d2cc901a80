// The linker: sections of the code generator and of the assembler become one
// image with addresses and no open references.
//
// Names that begin with a dot are resolved and then forgotten: they are in no
// symbol table. Symbols that no section holds: kernel_text, etext, edata, end,
// ddb_symtab, ddb_symtab_end, and the absolute ones of memory_map.ts.
import { encodeDdbSymtab } from "./ddb_symtab.js";
import { hex, label, layOutImage, symbolsOf } from "./image_layout.js";
import type { ImageLayout, Placed } from "./image_layout.js";
import { DATA_BASE, TEXT_BASE } from "./memory_map.js";
import type { Section, TextSection } from "./object.js";
import { SymbolIndex } from "./symbols.js";
import type { LinkedSymbol } from "./symbols.js";

/** Between functions; never executed. */
const NOP = 0x90;

export interface LinkedSegment {
  readonly address: number;
  readonly bytes: Uint8Array;
  /** Bytes in memory; more than `bytes.length` where zeros follow. */
  readonly memorySize: number;
}

/** A line entry with an address instead of an offset. */
export interface LinkedLine {
  readonly address: number;
  readonly file: string;
  readonly line: number;
}

/** The lines of one section, by address; they end where the section ends. */
export interface LineSequence {
  readonly end: number;
  readonly lines: readonly LinkedLine[];
}

export interface LinkedImage {
  readonly text: LinkedSegment;
  readonly data: LinkedSegment;
  /** By address, see compareSymbols. */
  readonly symbols: readonly LinkedSymbol[];
  readonly lines: readonly LineSequence[];
  /** The symbol named as entry, a virtual address. */
  readonly entry: number;
}

/** Everything wrong with the input, one line each. */
export class LinkError extends Error {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join("\n"));
    this.lines = lines;
  }
}

/** The bytes of sections that lie in [address, end), with `padding` between them. */
export function fill(placed: readonly Placed<Section>[], address: number, end: number, padding: number): LinkedSegment {
  const bytes = new Uint8Array(end - address).fill(padding);
  for (const one of placed) bytes.set(one.section.bytes, one.address - address);
  return { address, bytes, memorySize: bytes.length };
}

/** Fills the relocated fields of one section inside its segment; notes each unknown symbol with one user. */
export function relocate(
  { section, address }: Placed<Section>, segment: LinkedSegment, index: SymbolIndex, missing: Map<string, string>,
): void {
  const view = new DataView(segment.bytes.buffer, segment.bytes.byteOffset, segment.bytes.byteLength);
  for (const { offset, kind, symbol, addend } of section.relocations) {
    const target = index.find(symbol);
    if (target === undefined) {
      if (!missing.has(symbol)) missing.set(symbol, section.symbols[0]?.name ?? hex(address));
      continue;
    }
    const field = address + offset;
    const value = target.address + addend - (kind === "pc32" ? field : 0);
    view.setUint32(field - segment.address, value >>> 0, true);
  }
}

/** The source lines of a placed section. */
export function linesOf({ section, address }: Placed<TextSection>): LineSequence {
  const lines = section.lines.map(({ offset, file, line }) => ({ address: address + offset, file, line }));
  return { end: address + section.bytes.length, lines: lines.sort((a, b) => a.address - b.address) };
}

/** One line for each full name that two symbols share. */
export function repeatedNames(symbols: readonly LinkedSymbol[]): string[] {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { name } of symbols) (seen.has(name) ? repeated : seen).add(name);
  return [...repeated].map((name) => `symbol ${name} is defined more than once`);
}

/** What the symbol tables show. */
export function visible(symbols: readonly LinkedSymbol[]): LinkedSymbol[] {
  return symbols.filter((one) => !one.name.startsWith("."));
}

/** The final layout: the symbol table's size depends on the names only, so a layout without it gives the size. */
function layOutWithSymtab(sections: readonly Section[]): ImageLayout {
  const names = visible(symbolsOf(layOutImage(sections, 0)));
  return layOutImage(sections, encodeDdbSymtab(names).length);
}

/** Zero-valued symbols for the names in `optional` that nothing defines. */
function standIns(optional: readonly string[], symbols: readonly LinkedSymbol[]): LinkedSymbol[] {
  const defined = new Set(symbols.map((one) => one.plain));
  return optional.filter((name) => !defined.has(name)).map((name) => label(name, 0, "absolute"));
}

/**
 * Links. The first text section must hold the Multiboot header; `entry` is a
 * symbol name. References to the names in `optional` become 0 when nothing
 * defines them (kernels of tests lack parts). Throws LinkError with every
 * undefined or duplicate symbol and every overlap.
 */
export function link(sections: readonly Section[], entry: string, optional: readonly string[] = []): LinkedImage {
  const layout = layOutWithSymtab(sections);
  const symbols = symbolsOf(layout);
  const index = new SymbolIndex([...symbols, ...standIns(optional, symbols)]);
  const text = fill(layout.text, TEXT_BASE, layout.etext, NOP);
  const data = fill(layout.data, DATA_BASE, layout.edata, 0);
  data.bytes.set(encodeDdbSymtab(visible(symbols)), layout.symtab - DATA_BASE);
  const missing = new Map<string, string>();
  for (const one of layout.text) relocate(one, text, index, missing);
  for (const one of layout.data) relocate(one, data, index, missing);

  const start = index.find(entry);
  const errors = [...layout.errors, ...repeatedNames(symbols), ...index.duplicates()];
  for (const [name, user] of missing) errors.push(`undefined symbol ${name}, needed by ${user}`);
  if (start === undefined) errors.push(`undefined entry symbol ${entry}`);
  if (start === undefined || errors.length > 0) throw new LinkError(errors);
  return {
    text,
    data: { ...data, memorySize: layout.end - DATA_BASE },
    symbols: visible(symbols),
    lines: layout.text.map(linesOf).filter((sequence) => sequence.lines.length > 0),
    entry: start.address,
  };
}
