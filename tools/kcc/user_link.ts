// The linker for a program of user space: start code and compiled sections to
// an image with text at USER_TEXT_BASE and one writable segment behind it.
//
// asc has compiled all programs together, so the static blocks of one program
// are islands in a common range of addresses; the blocks that a program does
// not name are left out before. What lies between the islands is zero, costs
// no disk block, and no page unless somebody touches it.
import { hex, label, place, toLinked } from "./image_layout.js";
import type { Placed } from "./image_layout.js";
import { LinkError, fill, linesOf, relocate, repeatedNames, visible } from "./link.js";
import type { LinkedImage } from "./link.js";
import { PAGE_SIZE, USER_DATA_BASE, USER_TEXT_BASE } from "./memory_map.js";
import type { DataSection, Section, TextSection } from "./object.js";
import { SymbolIndex, compareSymbols } from "./symbols.js";

const NOP = 0x90;

interface UserLayout {
  readonly text: Placed<TextSection>[];
  readonly data: Placed<DataSection>[];
  readonly bss: Placed<DataSection>[];
  readonly etext: number;
  /** First byte of the writable segment, on a page boundary. */
  readonly dataStart: number;
  readonly edata: number;
  readonly end: number;
}

function layOut(sections: readonly Section[]): UserLayout {
  const text: Placed<TextSection>[] = [];
  const data: Placed<DataSection>[] = [];
  const bss: Placed<DataSection>[] = [];
  const etext = place(sections.filter((one): one is TextSection => one.kind === "text"), USER_TEXT_BASE, text);
  const initialised = sections.filter((one): one is DataSection => one.kind === "data");
  let edata = USER_DATA_BASE;
  let dataStart = Infinity;
  for (const section of initialised) {
    if (section.address === undefined) continue;
    data.push({ section, address: section.address });
    dataStart = Math.min(dataStart, section.address);
    edata = Math.max(edata, section.address + section.size);
  }
  dataStart = dataStart === Infinity ? USER_DATA_BASE : dataStart - (dataStart % PAGE_SIZE);
  edata = place(initialised.filter((one) => one.address === undefined), edata, data);
  const end = place(sections.filter((one): one is DataSection => one.kind === "bss"), edata, bss);
  return { text, data, bss, etext, dataStart, edata, end };
}

/** Links a program that begins at the symbol `entry`. Throws LinkError with every undefined or duplicate symbol. */
export function linkProgram(sections: readonly Section[], entry: string): LinkedImage {
  const layout = layOut(sections);
  const placed: Placed<Section>[] = [...layout.text, ...layout.data, ...layout.bss];
  const symbols = [
    ...placed.flatMap((one) => one.section.symbols.map((symbol) => toLinked(symbol, one))),
    label("etext", layout.etext, "text"),
    label("edata", layout.edata, "data"),
    label("end", layout.end, "bss"),
  ].sort(compareSymbols);
  const index = new SymbolIndex(symbols);
  const text = fill(layout.text, USER_TEXT_BASE, layout.etext, NOP);
  const data = fill(layout.data, layout.dataStart, layout.edata, 0);
  const missing = new Map<string, string>();
  for (const one of layout.text) relocate(one, text, index, missing);
  for (const one of layout.data) relocate(one, data, index, missing);
  const errors = [...repeatedNames(symbols), ...index.duplicates()];
  if (layout.etext > USER_DATA_BASE) errors.push(`text ends at ${hex(layout.etext)}, beyond ${hex(USER_DATA_BASE)}`);
  for (const [name, user] of missing) errors.push(`undefined symbol ${name}, needed by ${user}`);
  const start = index.find(entry);
  if (start === undefined) errors.push(`undefined entry symbol ${entry}`);
  if (start === undefined || errors.length > 0) throw new LinkError(errors);
  return {
    text,
    data: { ...data, memorySize: layout.end - layout.dataStart },
    symbols: visible(symbols),
    lines: layout.text.map(linesOf).filter((sequence) => sequence.lines.length > 0),
    entry: start.address,
  };
}
