// Symbols of the linked image, and how a name finds its symbol.
//
// Guest functions have full names, `vm/uvm_map/uvm_map`; the plain name is the
// text after the last slash. Assembly and linker symbols have plain names only.
// A reference names either a full name or the plain name of one global symbol:
// locore calls `trap`, and sym.ts asks for `Xdiv`.
import type { FrameInfo } from "./object.js";

export interface LinkedSymbol {
  /** Full name. */
  readonly name: string;
  /** What people see: DDB, gdb, the map file. */
  readonly plain: string;
  readonly address: number;
  readonly size: number;
  readonly type: "func" | "object" | "none";
  readonly global: boolean;
  readonly segment: "text" | "data" | "bss" | "absolute";
  readonly frame?: FrameInfo;
}

/** `vm/uvm_map/uvm_map` -> `uvm_map`. */
export function plainName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** How good a symbol is as the name of its address: labels of the linker yield to everything. */
function rank(symbol: LinkedSymbol): number {
  if (symbol.type === "none") return 0;
  return symbol.global ? 2 : 1;
}

/** By address; of equal addresses the best name last. */
export function compareSymbols(a: LinkedSymbol, b: LinkedSymbol): number {
  if (a.address !== b.address) return a.address - b.address;
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Finds symbols by name and collects what cannot be found. */
export class SymbolIndex {
  private readonly byName = new Map<string, LinkedSymbol>();
  private readonly byPlain = new Map<string, LinkedSymbol[]>();

  /** Throws nothing: duplicates are returned by `duplicates`. */
  constructor(symbols: readonly LinkedSymbol[]) {
    for (const symbol of symbols) {
      this.byName.set(symbol.name, symbol);
      if (!symbol.global) continue;
      const same = this.byPlain.get(symbol.plain);
      if (same) same.push(symbol);
      else this.byPlain.set(symbol.plain, [symbol]);
    }
  }

  /** The symbol, or undefined when there is none or the plain name is not unique. */
  find(name: string): LinkedSymbol | undefined {
    const exact = this.byName.get(name);
    if (exact) return exact;
    const candidates = this.byPlain.get(name);
    return candidates?.length === 1 ? candidates[0] : undefined;
  }

  /** One line for each plain name that two global functions share; static data may share names as in C. */
  duplicates(): string[] {
    const lines: string[] = [];
    for (const [plain, all] of this.byPlain) {
      const symbols = all.filter((one) => one.type !== "object");
      if (symbols.length < 2) continue;
      lines.push(`global name ${plain} is defined more than once: ${symbols.map((one) => one.name).join(", ")}`);
    }
    return lines.sort();
  }
}
