// Debug information in DWARF 2, for gdb and objdump on the kernel image: one
// compilation unit whose lines are the TypeScript sources, and one subprogram
// for each function with its parameters.
//
// Parameters are found from ebp: every function keeps a frame pointer and never
// overwrites an argument slot, so parameter n is at ebp + 8 + 4 n for the whole
// body. File names are relative to the project: run gdb there, or use `dir`.
import { ByteWriter } from "./byte_writer.js";
import { encodeFrames } from "./dwarf_frame.js";
import type { LineSequence, LinkedImage, LinkedLine } from "./link.js";
import type { LinkedSymbol } from "./symbols.js";

export interface DebugSection {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const TAG = { compile_unit: 0x11, formal_parameter: 0x05, base_type: 0x24, subprogram: 0x2e } as const;
const AT = {
  location: 0x02,
  name: 0x03,
  byte_size: 0x0b,
  stmt_list: 0x10,
  low_pc: 0x11,
  high_pc: 0x12,
  language: 0x13,
  encoding: 0x3e,
  external: 0x3f,
  frame_base: 0x40,
  type: 0x49,
} as const;
const FORM = {
  ...{ addr: 0x01, data1: 0x0b, data2: 0x05, data4: 0x06, string: 0x08, block1: 0x0a, flag: 0x0c, ref4: 0x13 },
} as const;
const LANG_C99 = 0x0c;
const ATE_UNSIGNED = 0x07;
const OP_BREG5_EBP = 0x75;
const OP_FBREG = 0x91;
/** Above saved ebp and return address. */
const FIRST_ARGUMENT = 8;

type Attributes = readonly (readonly [attribute: number, form: number])[];

/** Abbreviation numbers are positions in this table, counted from 1. */
const ABBREVIATIONS: readonly { tag: number; children: boolean; attributes: Attributes }[] = [
  {
    tag: TAG.compile_unit,
    children: true,
    attributes: [
      [AT.name, FORM.string],
      [AT.language, FORM.data2],
      [AT.low_pc, FORM.addr],
      [AT.high_pc, FORM.addr],
      [AT.stmt_list, FORM.data4],
    ],
  },
  {
    tag: TAG.base_type,
    children: false,
    attributes: [
      [AT.name, FORM.string],
      [AT.byte_size, FORM.data1],
      [AT.encoding, FORM.data1],
    ],
  },
  {
    tag: TAG.subprogram,
    children: true,
    attributes: [
      [AT.name, FORM.string],
      [AT.external, FORM.flag],
      [AT.low_pc, FORM.addr],
      [AT.high_pc, FORM.addr],
      [AT.frame_base, FORM.block1],
    ],
  },
  {
    tag: TAG.formal_parameter,
    children: false,
    attributes: [
      [AT.name, FORM.string],
      [AT.type, FORM.ref4],
      [AT.location, FORM.block1],
    ],
  },
];
const ABBREVIATION = { unit: 1, base: 2, subprogram: 3, parameter: 4 } as const;

function encodeAbbreviations(): Uint8Array {
  const writer = new ByteWriter();
  ABBREVIATIONS.forEach(({ tag, children, attributes }, at) => {
    writer.uleb128(at + 1).uleb128(tag).u8(children ? 1 : 0);
    for (const [attribute, form] of attributes) writer.uleb128(attribute).uleb128(form);
    writer.u8(0).u8(0);
  });
  return writer.u8(0).finish();
}

function block(writer: ByteWriter, expression: ByteWriter): void {
  writer.u8(expression.length).bytes(expression.finish());
}

function writeSubprogram(writer: ByteWriter, symbol: LinkedSymbol, types: { u32: number; u64: number }): void {
  writer.uleb128(ABBREVIATION.subprogram).cstring(symbol.plain).u8(symbol.global ? 1 : 0);
  writer.u32(symbol.address).u32(symbol.address + symbol.size);
  block(writer, new ByteWriter().u8(OP_BREG5_EBP).sleb128(0));
  let offset = FIRST_ARGUMENT;
  for (const parameter of symbol.frame?.parameters ?? []) {
    writer.uleb128(ABBREVIATION.parameter).cstring(parameter.name);
    writer.u32(parameter.words === 2 ? types.u64 : types.u32);
    block(writer, new ByteWriter().u8(OP_FBREG).sleb128(offset));
    offset += 4 * parameter.words;
  }
  writer.u8(0);
}

function encodeInfo(image: LinkedImage): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(0).u16(2).u32(0).u8(4);
  writer.uleb128(ABBREVIATION.unit).cstring("ptmap kernel").u16(LANG_C99);
  writer.u32(image.text.address).u32(image.text.address + image.text.bytes.length).u32(0);
  const base = (name: string, size: number): number => {
    const at = writer.length;
    writer.uleb128(ABBREVIATION.base).cstring(name).u8(size).u8(ATE_UNSIGNED);
    return at;
  };
  const types = { u32: base("u32", 4), u64: base("u64", 8) };
  for (const symbol of image.symbols) {
    if (symbol.type === "func" && symbol.segment === "text") writeSubprogram(writer, symbol, types);
  }
  writer.u8(0);
  return writer.patch32(0, writer.length - 4).finish();
}

const LNS = { copy: 1, advance_pc: 2, advance_line: 3, set_file: 4 } as const;
const LNE = { end_sequence: 1, set_address: 2 } as const;
const STANDARD_OPCODE_LENGTHS = [0, 1, 1, 1, 1, 0, 0, 0, 1];

/** Directory and file numbers (from 1) of the line table. */
function fileTable(image: LinkedImage): { header: ByteWriter; numbers: Map<string, number> } {
  const files = [...new Set(image.lines.flatMap((sequence) => sequence.lines.map((line) => line.file)))].sort();
  const folderOf = (file: string): string => file.slice(0, Math.max(file.lastIndexOf("/"), 0));
  const folders = [...new Set(files.map(folderOf))].filter((folder) => folder !== "").sort();
  const header = new ByteWriter();
  for (const folder of folders) header.cstring(folder);
  header.u8(0);
  for (const file of files) {
    header.cstring(file.slice(file.lastIndexOf("/") + 1)).uleb128(folders.indexOf(folderOf(file)) + 1).u8(0).u8(0);
  }
  header.u8(0);
  return { header, numbers: new Map(files.map((file, at) => [file, at + 1])) };
}

function writeSequence(writer: ByteWriter, sequence: LineSequence, numbers: ReadonlyMap<string, number>): void {
  let [address, line, file] = [(sequence.lines[0] as LinkedLine).address, 1, 1];
  writer.u8(0).uleb128(5).u8(LNE.set_address).u32(address);
  for (const entry of sequence.lines) {
    const number = numbers.get(entry.file) as number;
    if (number !== file) writer.u8(LNS.set_file).uleb128(number);
    if (entry.line !== line) writer.u8(LNS.advance_line).sleb128(entry.line - line);
    if (entry.address !== address) writer.u8(LNS.advance_pc).uleb128(entry.address - address);
    writer.u8(LNS.copy);
    [address, line, file] = [entry.address, entry.line, number];
  }
  writer.u8(LNS.advance_pc).uleb128(sequence.end - address);
  writer.u8(0).uleb128(1).u8(LNE.end_sequence);
}

function encodeLines(image: LinkedImage): Uint8Array {
  const { header, numbers } = fileTable(image);
  const prologue = new ByteWriter();
  const opcodeBase = STANDARD_OPCODE_LENGTHS.length + 1;
  prologue.u8(1).u8(1).u8(-5).u8(14).u8(opcodeBase).bytes(STANDARD_OPCODE_LENGTHS).bytes(header.finish());
  const writer = new ByteWriter();
  writer.u32(0).u16(2).u32(prologue.length).bytes(prologue.finish());
  for (const sequence of image.lines) writeSequence(writer, sequence, numbers);
  return writer.patch32(0, writer.length - 4).finish();
}

/** The .debug_* sections of an image. */
export function encodeDebugSections(image: LinkedImage): DebugSection[] {
  return [
    { name: ".debug_abbrev", bytes: encodeAbbreviations() },
    { name: ".debug_info", bytes: encodeInfo(image) },
    { name: ".debug_line", bytes: encodeLines(image) },
    { name: ".debug_frame", bytes: encodeFrames(image) },
  ];
}
