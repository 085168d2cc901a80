// The linker: sections of the code generator and of the assembler become one
// image with addresses.
//
//   TEXT_BASE  text of all sections in the order given (the Multiboot header
//              is in the first one), up to `etext`
//   DATA_BASE  asc's static blocks, whose addresses are constants in the code;
//              then data without an address; then `ddb_symtab`, up to `edata`
//              then bss, up to `end`
//
// Names that begin with a dot are resolved and then forgotten: they are in no
// symbol table. Symbols that no section holds: kernel_text, etext, edata, end, ddb_symtab,
// ddb_symtab_end, and the absolute ones of memory_map.ts.
import { encodeDdbSymtab } from "./ddb_symtab.js";
import { ABSOLUTE_SYMBOLS, BOOTSTRAP_MAPPED, DATA_BASE, KERNBASE, TEXT_BASE } from "./memory_map.js";
import type { DataSection, Section, SectionSymbol, TextSection } from "./object.js";
import { SymbolIndex, compareSymbols, plainName } from "./symbols.js";
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

interface Placed<S extends Section> {
  readonly section: S;
  readonly address: number;
}

function alignUp(value: number, align: number): number {
  return Math.ceil(value / align) * align;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** Gives addresses to sections in order; returns the end. */
function place<S extends Section>(sections: readonly S[], start: number, placed: Placed<S>[]): number {
  let address = start;
  for (const section of sections) {
    address = alignUp(address, section.align);
    placed.push({ section, address });
    address += section.kind === "text" ? section.bytes.length : section.size;
  }
  return address;
}

/** Puts the sections with given addresses first; returns their end. */
function placeFixed(sections: readonly DataSection[], placed: Placed<DataSection>[], errors: string[]): number {
  let end = DATA_BASE;
  const sorted = [...sections].sort((a, b) => (a.address as number) - (b.address as number));
  for (const section of sorted) {
    const address = section.address as number;
    if (address < end) errors.push(`data at ${hex(address)} overlaps what ends at ${hex(end)}`);
    placed.push({ section, address });
    end = Math.max(end, address + section.size);
  }
  return end;
}

/** A section with a frame holds one function, which owns it. */
function toLinked(symbol: SectionSymbol, placed: Placed<Section>): LinkedSymbol {
  const { section, address } = placed;
  const text = section.kind === "text" ? section : undefined;
  return {
    name: symbol.name,
    plain: plainName(symbol.name),
    address: address + symbol.offset,
    size: symbol.size,
    type: symbol.type,
    global: symbol.global,
    segment: section.kind,
    frame: symbol.type === "func" ? text?.frame : undefined,
  };
}

function label(name: string, address: number, segment: LinkedSymbol["segment"]): LinkedSymbol {
  return { name, plain: name, address: address >>> 0, size: 0, type: "none", global: true, segment };
}

function absoluteSymbols(): LinkedSymbol[] {
  return Object.entries(ABSOLUTE_SYMBOLS).map(([name, value]) => ({
    ...label(name, value, "absolute"),
    type: "object",
  }));
}

/** Fills the relocated fields of one section inside its segment. */
function relocate(placed: Placed<Section>, segment: LinkedSegment, index: SymbolIndex, missing: Map<string, string>): void {
  const { section, address } = placed;
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

function fill(placed: readonly Placed<Section>[], address: number, end: number, padding: number): LinkedSegment {
  const bytes = new Uint8Array(end - address).fill(padding);
  for (const one of placed) bytes.set(one.section.bytes, one.address - address);
  return { address, bytes, memorySize: bytes.length };
}

function linesOf({ section, address }: Placed<TextSection>): LineSequence {
  const lines = section.lines.map(({ offset, file, line }) => ({ address: address + offset, file, line }));
  return { end: address + section.bytes.length, lines: lines.sort((a, b) => a.address - b.address) };
}

function checkFullNames(symbols: readonly LinkedSymbol[], errors: string[]): void {
  const seen = new Set<string>();
  for (const { name } of symbols) {
    if (seen.has(name)) errors.push(`symbol ${name} is defined more than once`);
    seen.add(name);
  }
}

/**
 * Links. The first text section must hold the Multiboot header; `entry` is a
 * symbol name. References to the names in `optional` become 0 when nothing
 * defines them (kernels of tests lack parts). Throws LinkError with every undefined or duplicate symbol and
 * overlap.
 */
export function link(sections: readonly Section[], entry: string, optional: readonly string[] = []): LinkedImage {
  const errors: string[] = [];
  const text: Placed<TextSection>[] = [];
  const data: Placed<DataSection>[] = [];
  const bss: Placed<DataSection>[] = [];

  const etext = place(sections.filter((one): one is TextSection => one.kind === "text"), TEXT_BASE, text);
  if (etext > DATA_BASE) errors.push(`text ends at ${hex(etext)}, beyond the start of data at ${hex(DATA_BASE)}`);
  const initialised = sections.filter((one): one is DataSection => one.kind === "data");
  const fixedEnd = placeFixed(initialised.filter((one) => one.address !== undefined), data, errors);
  const dataEnd = place(initialised.filter((one) => one.address === undefined), fixedEnd, data);

  // The table's size is known before its addresses: encode twice.
  const symtab = alignUp(dataEnd, 4);
  const bssSections = sections.filter((one): one is DataSection => one.kind === "bss");
  const symbolsFor = (edata: number, end: number): LinkedSymbol[] =>
    [
      ...[...text, ...data, ...bss].flatMap((one) => one.section.symbols.map((symbol) => toLinked(symbol, one))),
      ...absoluteSymbols(),
      label("kernel_text", TEXT_BASE, "text"),
      label("etext", etext, "text"),
      label("ddb_symtab", symtab, "data"),
      label("ddb_symtab_end", edata, "data"),
      label("edata", edata, "data"),
      label("end", end, "bss"),
    ].sort(compareSymbols);
  const visible = (symbols: readonly LinkedSymbol[]): LinkedSymbol[] => symbols.filter((one) => !one.name.startsWith("."));
  const bssSymbols = bssSections.flatMap((section) =>
    section.symbols.map((symbol) => toLinked(symbol, { section, address: 0 })),
  );
  const edata = symtab + encodeDdbSymtab(visible([...symbolsFor(0, 0), ...bssSymbols])).length;
  const end = place(bssSections, edata, bss);

  if (end > KERNBASE + BOOTSTRAP_MAPPED) errors.push(`the image ends at ${hex(end)}, beyond what locore maps`);
  const symbols = symbolsFor(edata, end);
  const defined = new Set(symbols.map((one) => one.plain));
  const absent = optional.filter((name) => !defined.has(name)).map((name) => label(name, 0, "absolute"));
  checkFullNames(symbols, errors);
  const index = new SymbolIndex([...symbols, ...absent]);
  errors.push(...index.duplicates());
  const textSegment = fill(text, TEXT_BASE, etext, NOP);
  const dataSegment = fill(data, DATA_BASE, edata, 0);
  dataSegment.bytes.set(encodeDdbSymtab(visible(symbols)), symtab - DATA_BASE);
  const missing = new Map<string, string>();
  for (const one of text) relocate(one, textSegment, index, missing);
  for (const one of data) relocate(one, dataSegment, index, missing);
  for (const [name, user] of missing) errors.push(`undefined symbol ${name}, needed by ${user}`);
  const start = index.find(entry);
  if (start === undefined) errors.push(`undefined entry symbol ${entry}`);
  if (errors.length > 0) throw new LinkError(errors);
  return {
    text: textSegment,
    data: { ...dataSegment, memorySize: end - DATA_BASE },
    symbols: visible(symbols),
    lines: text.map(linesOf).filter((sequence) => sequence.lines.length > 0),
    entry: (start as LinkedSymbol).address,
  };
}
