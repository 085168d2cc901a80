// Which section goes where in the image, and which symbols follow from it.
//
//   TEXT_BASE  text of all sections in the order given (the Multiboot header
//              is in the first one), up to `etext`
//   DATA_BASE  asc's static blocks, whose addresses are constants in the code;
//              then data without an address; then `ddb_symtab`, up to `edata`
//              then bss, up to `end`
import { ABSOLUTE_SYMBOLS, BOOTSTRAP_MAPPED, DATA_BASE, KERNBASE, TEXT_BASE } from "./memory_map.js";
import type { DataSection, Section, SectionSymbol, TextSection } from "./object.js";
import { compareSymbols, plainName } from "./symbols.js";
import type { LinkedSymbol } from "./symbols.js";

export interface Placed<S extends Section> {
  readonly section: S;
  readonly address: number;
}

export interface ImageLayout {
  readonly text: readonly Placed<TextSection>[];
  readonly data: readonly Placed<DataSection>[];
  readonly bss: readonly Placed<DataSection>[];
  readonly etext: number;
  /** Start of the symbol table for DDB, the last of the initialised data. */
  readonly symtab: number;
  readonly edata: number;
  readonly end: number;
  /** What does not fit, one line each. */
  readonly errors: readonly string[];
}

const WORD = 4;

function alignUp(value: number, align: number): number {
  return Math.ceil(value / align) * align;
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** Gives addresses to sections in order; returns the end. */
export function place<S extends Section>(sections: readonly S[], start: number, placed: Placed<S>[]): number {
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

/** Places all sections, with room of `symtabSize` bytes for the symbol table. */
export function layOutImage(sections: readonly Section[], symtabSize: number): ImageLayout {
  const errors: string[] = [];
  const text: Placed<TextSection>[] = [];
  const data: Placed<DataSection>[] = [];
  const bss: Placed<DataSection>[] = [];
  const initialised = sections.filter((one): one is DataSection => one.kind === "data");
  const zero = sections.filter((one): one is DataSection => one.kind === "bss");

  const etext = place(sections.filter((one): one is TextSection => one.kind === "text"), TEXT_BASE, text);
  const fixedEnd = placeFixed(initialised.filter((one) => one.address !== undefined), data, errors);
  const dataEnd = place(initialised.filter((one) => one.address === undefined), fixedEnd, data);
  const symtab = alignUp(dataEnd, WORD);
  const edata = symtab + symtabSize;
  const end = place(zero, edata, bss);
  if (etext > DATA_BASE) errors.push(`text ends at ${hex(etext)}, beyond the start of data at ${hex(DATA_BASE)}`);
  if (end > KERNBASE + BOOTSTRAP_MAPPED) errors.push(`the image ends at ${hex(end)}, beyond what locore maps`);
  return { text, data, bss, etext, symtab, edata, end, errors };
}

/** A section with a frame holds one function, which owns it. */
export function toLinked(symbol: SectionSymbol, { section, address }: Placed<Section>): LinkedSymbol {
  return {
    name: symbol.name,
    plain: plainName(symbol.name),
    address: address + symbol.offset,
    size: symbol.size,
    type: symbol.type,
    global: symbol.global,
    segment: section.kind,
    frame: symbol.type === "func" && section.kind === "text" ? section.frame : undefined,
  };
}

/** A symbol that marks an address. */
export function label(name: string, address: number, segment: LinkedSymbol["segment"]): LinkedSymbol {
  return { name, plain: name, address: address >>> 0, size: 0, type: "none", global: true, segment };
}

function absoluteSymbols(): LinkedSymbol[] {
  return Object.entries(ABSOLUTE_SYMBOLS).map(([name, value]) => ({
    ...label(name, value, "absolute"),
    type: "object",
  }));
}

/** The symbols of all sections, the linker's own and the absolute ones, in the order of compareSymbols. */
export function symbolsOf(layout: ImageLayout): LinkedSymbol[] {
  const placed: Placed<Section>[] = [...layout.text, ...layout.data, ...layout.bss];
  return [
    ...placed.flatMap((one) => one.section.symbols.map((symbol) => toLinked(symbol, one))),
    ...absoluteSymbols(),
    label("kernel_text", TEXT_BASE, "text"),
    label("etext", layout.etext, "text"),
    label("ddb_symtab", layout.symtab, "data"),
    label("ddb_symtab_end", layout.edata, "data"),
    label("edata", layout.edata, "data"),
    label("end", layout.end, "bss"),
  ].sort(compareSymbols);
}
