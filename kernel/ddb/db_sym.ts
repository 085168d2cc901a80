// Symbols: the table that the linker puts into the image (format:
// tools/kcc/ddb_symtab.ts), searched by address and by name.

import { strcmp } from "../libkern";
import { sym } from "../i386/sym";
import { db_print_unsigned, db_printf, db_puts } from "./db_output";

// What a value is looked up for: anything, or code only.
export const DB_STGY_ANY: u32 = 0;
export const DB_STGY_PROC: u32 = 1;

const ENTRY_SIZE: u32 = 12;
const TYPE_TEXT: u32 = 1;

/** A symbol further below than this does not name an address ($maxoff). */
@unmanaged class SymbolState {
  maxoff: u32;
}
export const db_sym_state = changetype<SymbolState>(memory.data(offsetof<SymbolState>()));

function entry_at(index: u32): usize {
  return sym.ddb_symtab() + 8 + index * ENTRY_SIZE;
}

function symbol_count(): u32 {
  return load<u32>(sym.ddb_symtab());
}

export function db_symbol_name(symbol: usize): usize {
  return sym.ddb_symtab() + load<u32>(sym.ddb_symtab() + 4) + load<u32>(symbol + 4);
}

export function db_symbol_value(symbol: usize): usize {
  return load<u32>(symbol);
}

/** The last symbol at or below `value` (of code, with DB_STGY_PROC), within $maxoff; 0 if there is none. */
export function db_search_symbol(value: usize, strategy: u32): usize {
  let low: u32 = 0;
  let high = symbol_count();
  while (low < high) {
    const middle = (low + high) >> 1;
    if (db_symbol_value(entry_at(middle)) <= value) low = middle + 1;
    else high = middle;
  }
  while (low > 0) {
    const symbol = entry_at(low - 1);
    if (value - db_symbol_value(symbol) > db_sym_state.maxoff) return 0;
    if (strategy == DB_STGY_ANY || load<u8>(symbol + 8) == TYPE_TEXT) return symbol;
    low--;
  }
  return 0;
}

/** The value of the symbol called `name` at `valuep`; false when there is none. */
export function db_value_of_name(name: usize, valuep: usize): bool {
  const count = symbol_count();
  for (let i: u32 = 0; i < count; i++) {
    const symbol = entry_at(i);
    if (strcmp(db_symbol_name(symbol), name) == 0) {
      store<usize>(valuep, db_symbol_value(symbol));
      return true;
    }
  }
  return false;
}

/** Would db_printsym(value, DB_STGY_ANY) print a name? Addresses beyond the image never do. */
export function db_has_symbol(value: usize): bool {
  return value <= sym.end() && db_search_symbol(value, DB_STGY_ANY) != 0;
}

/** Prints `value` as name, name+0xoffset, or a number. */
export function db_printsym(value: usize, strategy: u32): void {
  const symbol = value <= sym.end() ? db_search_symbol(value, strategy) : 0;
  if (symbol == 0) {
    db_print_unsigned(value);
    return;
  }
  db_puts(db_symbol_name(symbol));
  const offset = value - db_symbol_value(symbol);
  if (offset != 0) db_printf(cs("+0x%x"), offset);
}
