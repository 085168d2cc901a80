// A reader of 32-bit little-endian ELF files: program headers, sections, symbols. Field names are the
// ELF specification's. Everything is checked against the length of the file before use.

import { LoaderError } from "./error.js";

export const PT_LOAD = 1;
export const PF_X = 1;
const EI_CLASS = 4;
const EI_DATA = 5;
const ELFCLASS32 = 1;
const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;
const EM_386 = 3;
const EHDR_SIZE = 52;
const PHDR_SIZE = 32;
const SHDR_SIZE = 40;
const SYM_SIZE = 16;
const SHT_SYMTAB = 2;
const REMEDY = "give a 32-bit i386 ELF kernel";

export interface ProgramHeader {
  readonly p_type: number;
  readonly p_offset: number;
  readonly p_vaddr: number;
  readonly p_paddr: number;
  readonly p_filesz: number;
  readonly p_memsz: number;
  readonly p_flags: number;
}

export interface SectionHeader {
  readonly name: string;
  readonly sh_type: number;
  readonly sh_addr: number;
  readonly sh_offset: number;
  readonly sh_size: number;
  readonly sh_link: number;
}

export interface ElfSymbol {
  readonly name: string;
  readonly st_value: number;
  readonly st_size: number;
  /** STT_NOTYPE 0, STT_OBJECT 1, STT_FUNC 2, STT_SECTION 3, STT_FILE 4. */
  readonly type: number;
}

/** A parsed file; `bytes` is the whole of it. */
export interface Elf32 {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly e_type: number;
  readonly e_entry: number;
  readonly programHeaders: readonly ProgramHeader[];
  readonly sectionHeaders: readonly SectionHeader[];
}

/** Whether the bytes begin with the ELF magic. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** The NUL-terminated text at `offset` of a string table. */
function stringAt(table: Uint8Array, offset: number): string {
  let end = offset;
  while (end < table.length && table[end] !== 0) end++;
  return String.fromCharCode(...table.subarray(offset, end));
}

/**
 * Reads an ELF file for the i386. `name` stands in the messages.
 * Throws LoaderError for anything else, and for headers or segments that lie beyond the end of the file.
 */
export function readElf32(bytes: Uint8Array, name: string): Elf32 {
  const refuse = (reason: string): LoaderError => new LoaderError(name, reason, REMEDY);
  if (bytes.length === 0) throw refuse("the file is empty");
  if (!isElf(bytes)) throw refuse("not an ELF file");
  if (bytes.length < EHDR_SIZE) throw refuse(`truncated: the ELF header needs ${EHDR_SIZE} bytes of ${bytes.length}`);
  if (bytes[EI_CLASS] === ELFCLASS64) throw refuse("a 64-bit ELF file");
  if (bytes[EI_CLASS] !== ELFCLASS32) throw refuse(`unknown ELF class ${bytes[EI_CLASS]}`);
  if (bytes[EI_DATA] !== ELFDATA2LSB) throw refuse("a big-endian ELF file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const e_machine = view.getUint16(18, true);
  if (e_machine !== EM_386) throw refuse(`an ELF file for machine ${e_machine}, not for the i386 (${EM_386})`);
  return {
    name,
    bytes,
    e_type: view.getUint16(16, true),
    e_entry: view.getUint32(24, true),
    programHeaders: readProgramHeaders(view, refuse),
    sectionHeaders: readSectionHeaders(view, bytes, refuse),
  };
}

function readProgramHeaders(view: DataView, refuse: (reason: string) => LoaderError): ProgramHeader[] {
  const e_phoff = view.getUint32(28, true);
  const e_phentsize = view.getUint16(42, true);
  const e_phnum = view.getUint16(44, true);
  if (e_phnum > 0 && e_phentsize < PHDR_SIZE) throw refuse(`program headers of ${e_phentsize} bytes`);
  if (e_phoff + e_phnum * e_phentsize > view.byteLength) throw refuse("truncated: program headers beyond its end");
  const headers: ProgramHeader[] = [];
  for (let i = 0; i < e_phnum; i++) {
    const at = e_phoff + i * e_phentsize;
    const word = (index: number): number => view.getUint32(at + 4 * index, true);
    const header: ProgramHeader = {
      p_type: word(0),
      p_offset: word(1),
      p_vaddr: word(2),
      p_paddr: word(3),
      p_filesz: word(4),
      p_memsz: word(5),
      p_flags: word(6),
    };
    if (header.p_type === PT_LOAD && header.p_offset + header.p_filesz > view.byteLength) {
      throw refuse(`truncated: segment ${i} ends at ${header.p_offset + header.p_filesz} of ${view.byteLength} bytes`);
    }
    if (header.p_type === PT_LOAD && header.p_memsz < header.p_filesz) {
      throw refuse(`segment ${i} is larger in the file than in memory`);
    }
    headers.push(header);
  }
  return headers;
}

function readSectionHeaders(
  view: DataView,
  bytes: Uint8Array,
  refuse: (reason: string) => LoaderError,
): SectionHeader[] {
  const e_shoff = view.getUint32(32, true);
  const e_shentsize = view.getUint16(46, true);
  const e_shnum = view.getUint16(48, true);
  const e_shstrndx = view.getUint16(50, true);
  if (e_shoff === 0 || e_shnum === 0) return [];
  if (e_shentsize < SHDR_SIZE) throw refuse(`section headers of ${e_shentsize} bytes`);
  if (e_shoff + e_shnum * e_shentsize > view.byteLength) throw refuse("truncated: section headers beyond its end");
  const word = (section: number, index: number): number =>
    view.getUint32(e_shoff + section * e_shentsize + 4 * index, true);
  const names =
    e_shstrndx < e_shnum ? sectionBytes(bytes, word(e_shstrndx, 4), word(e_shstrndx, 5)) : new Uint8Array(0);
  return Array.from({ length: e_shnum }, (_, i) => ({
    name: stringAt(names, word(i, 0)),
    sh_type: word(i, 1),
    sh_addr: word(i, 3),
    sh_offset: word(i, 4),
    sh_size: word(i, 5),
    sh_link: word(i, 6),
  }));
}

/** The part of a section that the file holds. */
function sectionBytes(bytes: Uint8Array, offset: number, size: number): Uint8Array {
  return bytes.subarray(Math.min(offset, bytes.length), Math.min(offset + size, bytes.length));
}

/** The contents of a section by name, undefined when the file has none of that name. */
export function elfSection(elf: Elf32, name: string): Uint8Array | undefined {
  const section = elf.sectionHeaders.find((header) => header.name === name);
  return section === undefined ? undefined : sectionBytes(elf.bytes, section.sh_offset, section.sh_size);
}

/** All named symbols of the symbol table, in its order; empty for a stripped file. */
export function elfSymbols(elf: Elf32): ElfSymbol[] {
  const table = elf.sectionHeaders.find((header) => header.sh_type === SHT_SYMTAB);
  const strings = table === undefined ? undefined : elf.sectionHeaders[table.sh_link];
  if (table === undefined || strings === undefined) return [];
  const names = sectionBytes(elf.bytes, strings.sh_offset, strings.sh_size);
  const data = sectionBytes(elf.bytes, table.sh_offset, table.sh_size);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const symbols: ElfSymbol[] = [];
  for (let at = 0; at + SYM_SIZE <= data.length; at += SYM_SIZE) {
    const name = stringAt(names, view.getUint32(at, true));
    if (name === "") continue;
    const st_info = view.getUint8(at + 12);
    symbols.push({
      name,
      st_value: view.getUint32(at + 4, true),
      st_size: view.getUint32(at + 8, true),
      type: st_info & 15,
    });
  }
  return symbols;
}
