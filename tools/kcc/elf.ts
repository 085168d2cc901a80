// Writes a linked image as an ELF32 executable with two PT_LOAD segments. The
// kernel's has physical addresses (virtual - KERNBASE) and a physical entry
// point, because a Multiboot loader jumps there with paging off; a program's
// are the virtual ones. The section table, .symtab and .debug_* serve gdb,
// objdump and readelf only.
import { ByteWriter, StringTable } from "./byte_writer.js";
import { encodeDebugSections } from "./dwarf.js";
import type { LinkedImage } from "./link.js";
import { KERNBASE, PAGE_SIZE } from "./memory_map.js";
import type { LinkedSymbol } from "./symbols.js";

const ELF_HEADER_SIZE = 52;
const PROGRAM_HEADER_SIZE = 32;
const SECTION_HEADER_SIZE = 40;
const SYMBOL_SIZE = 16;

const PT_LOAD = 1;
const PF = { X: 1, W: 2, R: 4 } as const;
const SHT = { PROGBITS: 1, SYMTAB: 2, STRTAB: 3, NOBITS: 8 } as const;
const SHF = { WRITE: 1, ALLOC: 2, EXECINSTR: 4 } as const;
const STT = { none: 0, object: 1, func: 2 } as const;
const SHN_ABS = 0xfff1;

/** A row of the section table; `bytes` are put into the file unless the type is NOBITS. */
interface ElfSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly align: number;
  readonly link?: number;
  readonly info?: number;
  readonly entrySize?: number;
}

const SECTION_INDEX = { text: 1, data: 2, bss: 3, absolute: SHN_ABS } as const;
const STRTAB_INDEX = 5;

function plain(name: string, type: number, bytes: Uint8Array): ElfSection {
  return { name, type, flags: 0, address: 0, bytes, size: bytes.length, align: 1 };
}

/** Local symbols first, as ELF demands; returns also the index of the first global one. */
function encodeSymbols(symbols: readonly LinkedSymbol[]): { table: Uint8Array; strings: Uint8Array; locals: number } {
  const strings = new StringTable(true);
  const writer = new ByteWriter();
  const ordered = [...symbols.filter((one) => !one.global), ...symbols.filter((one) => one.global)];
  writer.bytes(new Uint8Array(SYMBOL_SIZE));
  for (const symbol of ordered) {
    writer.u32(strings.add(symbol.plain)).u32(symbol.address).u32(symbol.size);
    writer.u8(((symbol.global ? 1 : 0) << 4) | STT[symbol.type === "none" ? "none" : symbol.type]).u8(0);
    writer.u16(SECTION_INDEX[symbol.segment]);
  }
  const locals = 1 + symbols.filter((one) => !one.global).length;
  return { table: writer.finish(), strings: strings.finish(), locals };
}

function sectionsOf(image: LinkedImage, debug: boolean): ElfSection[] {
  const { text, data } = image;
  const symbols = encodeSymbols(image.symbols);
  const bssSize = data.memorySize - data.bytes.length;
  return [
    { ...plain(".text", SHT.PROGBITS, text.bytes), flags: SHF.ALLOC | SHF.EXECINSTR, address: text.address, align: 16 },
    { ...plain(".data", SHT.PROGBITS, data.bytes), flags: SHF.ALLOC | SHF.WRITE, address: data.address, align: 16 },
    {
      ...plain(".bss", SHT.NOBITS, new Uint8Array(0)),
      ...{ flags: SHF.ALLOC | SHF.WRITE, address: data.address + data.bytes.length, size: bssSize },
    },
    {
      ...plain(".symtab", SHT.SYMTAB, symbols.table),
      ...{ align: 4, link: STRTAB_INDEX, info: symbols.locals, entrySize: SYMBOL_SIZE },
    },
    plain(".strtab", SHT.STRTAB, symbols.strings),
    ...(debug ? encodeDebugSections(image) : []).map((one) => plain(one.name, SHT.PROGBITS, one.bytes)),
  ];
}

function writeProgramHeader(
  writer: ByteWriter,
  segment: { address: number; bytes: Uint8Array; memorySize: number },
  offset: number,
  flags: number,
  base: number,
): void {
  writer.u32(PT_LOAD).u32(offset).u32(segment.address).u32(segment.address - base);
  writer.u32(segment.bytes.length).u32(segment.memorySize).u32(flags).u32(PAGE_SIZE);
}

/** Puts the bytes of the sections into the file; returns their offsets. */
function writeContents(writer: ByteWriter, sections: readonly ElfSection[]): number[] {
  return sections.map((section) => {
    if ((section.flags & SHF.ALLOC) !== 0 && section.type === SHT.PROGBITS) writer.align(PAGE_SIZE);
    else writer.align(Math.max(section.align, 4));
    const offset = writer.length;
    writer.bytes(section.bytes);
    return offset;
  });
}

function writeSectionTable(
  writer: ByteWriter, sections: readonly ElfSection[], offsets: readonly number[], names: StringTable,
): void {
  writer.bytes(new Uint8Array(SECTION_HEADER_SIZE));
  sections.forEach((section, at) => {
    writer.u32(names.add(section.name)).u32(section.type).u32(section.flags).u32(section.address);
    writer.u32(offsets[at] ?? 0).u32(section.size).u32(section.link ?? 0).u32(section.info ?? 0);
    writer.u32(section.align).u32(section.entrySize ?? 0);
  });
}

export interface ElfOptions {
  /** Virtual minus physical address; the entry point is physical. */
  readonly base: number;
  /** Whether lines and parameters are in the file, for gdb. */
  readonly debug: boolean;
}

/** The bytes of the file. The same image always gives the same bytes. */
export function encodeElf(image: LinkedImage, options: ElfOptions = { base: KERNBASE, debug: true }): Uint8Array {
  const names = new StringTable(true);
  const sections = sectionsOf(image, options.debug);
  for (const section of sections) names.add(section.name);
  names.add(".shstrtab");
  sections.push(plain(".shstrtab", SHT.STRTAB, names.finish()));

  const writer = new ByteWriter();
  writer.bytes(new Uint8Array(ELF_HEADER_SIZE + 2 * PROGRAM_HEADER_SIZE));
  const offsets = writeContents(writer, sections);
  writer.align(4);
  const tableOffset = writer.length;
  writeSectionTable(writer, sections, offsets, names);

  const header = new ByteWriter();
  header.bytes([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0]).bytes(new Uint8Array(8));
  header.u16(2).u16(3).u32(1).u32(image.entry - options.base).u32(ELF_HEADER_SIZE).u32(tableOffset).u32(0);
  header.u16(ELF_HEADER_SIZE).u16(PROGRAM_HEADER_SIZE).u16(2);
  header.u16(SECTION_HEADER_SIZE).u16(sections.length + 1).u16(sections.length);
  writeProgramHeader(header, image.text, offsets[0] as number, PF.R | PF.X, options.base);
  writeProgramHeader(header, image.data, offsets[1] as number, PF.R | PF.W, options.base);
  const file = writer.finish();
  file.set(header.finish());
  return file;
}
