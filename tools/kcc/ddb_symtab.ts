// The symbol table that the kernel carries for its own debugger, as data of
// the image at `ddb_symtab`. No boot loader hands symbols over, so DDB has this
// and nothing else. This comment is the format; kernel/ddb/db_sym.ts reads it.
//
//   offset 0   u32 count     number of entries
//   offset 4   u32 strings   offset of the first name from the table's start
//   offset 8   count entries of 12 bytes, in ascending order of value (unsigned):
//     +0  u32 value          the address
//     +4  u32 name           offset of the NUL-terminated name from `strings`
//     +8  u8  type           SymbolType below
//     +9  u8  arguments      32-bit words of arguments a function takes;
//                            0xff when not known (assembly)
//     +10 u16 zero
//   then the names.
//
// Of several symbols with one value the one to print comes last, so the answer
// to "what is at this address" is the entry before the first greater value.
// Names are plain: `uvm_fault`, not `vm/uvm_fault/uvm_fault`; methods are
// `Class#method`. Names of static functions may occur more than once.
import { ByteWriter, StringTable } from "./byte_writer.js";
import type { LinkedSymbol } from "./symbols.js";

export const SymbolType = { absolute: 0, text: 1, data: 2 } as const;
export const UNKNOWN_ARGUMENTS = 0xff;

const HEADER_SIZE = 8;
const ENTRY_SIZE = 12;

function typeOf(symbol: LinkedSymbol): number {
  if (symbol.segment === "absolute") return SymbolType.absolute;
  return symbol.segment === "text" ? SymbolType.text : SymbolType.data;
}

function argumentsOf(symbol: LinkedSymbol): number {
  if (symbol.frame === undefined) return UNKNOWN_ARGUMENTS;
  return symbol.frame.parameters.reduce((words, parameter) => words + parameter.words, 0);
}

/**
 * Encodes the table. The size depends on the names only, so the linker may
 * reserve the room with all addresses 0 and encode again when they are known.
 * `symbols` are in the order of `compareSymbols`.
 */
export function encodeDdbSymtab(symbols: readonly LinkedSymbol[]): Uint8Array {
  const names = new StringTable(false);
  const writer = new ByteWriter();
  writer.u32(symbols.length).u32(HEADER_SIZE + symbols.length * ENTRY_SIZE);
  for (const symbol of symbols) {
    writer.u32(symbol.address).u32(names.add(symbol.plain)).u8(typeOf(symbol)).u8(argumentsOf(symbol)).u16(0);
  }
  return writer.bytes(names.finish()).finish();
}
