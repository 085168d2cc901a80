// What the code generator and the assembler hand to the linker: relocatable
// sections with symbols, the same idea as the sections of an ELF .o file.
//
// The two producers (codegen for the guest's TypeScript, the typed assembler
// for locore) and the consumer (link) meet in these types only.

/** A field inside a section that the linker fills in. */
export interface Relocation {
  /** Byte offset of the 32-bit field inside the section. */
  readonly offset: number;
  /** `abs32`: S + A.  `pc32`: S + A - P, where P is the field's own address. */
  readonly kind: "abs32" | "pc32";
  /** Full symbol name: `path/name` for guest functions, plain for locore and linker symbols. */
  readonly symbol: string;
  readonly addend: number;
}

/** The code from `offset` on comes from this source line (until the next entry). */
export interface LineEntry {
  readonly offset: number;
  /** Path relative to the project root. */
  readonly file: string;
  /** One-based. */
  readonly line: number;
}

/** What a stack walker and the stack report want to know of a function. */
export interface FrameInfo {
  /** Bytes the function takes from its return address down to its lowest push, arguments of callees included. */
  readonly size: number;
  /** Parameter names in order, with the number of 32-bit stack words each takes (i64: 2). */
  readonly parameters: readonly { readonly name: string; readonly words: number }[];
  /** Symbols called directly; `*` stands for a call through a register. */
  readonly calls: readonly string[];
}

/** A label inside a section that other sections may name. */
export interface SectionSymbol {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly global: boolean;
  readonly type: "func" | "object";
}

export interface TextSection {
  readonly kind: "text";
  readonly bytes: Uint8Array;
  readonly align: number;
  readonly symbols: readonly SectionSymbol[];
  readonly relocations: readonly Relocation[];
  readonly lines: readonly LineEntry[];
  readonly frame?: FrameInfo;
}

/**
 * Initialised or zero data. `address` is set for the blocks that asc has placed
 * (their addresses are constants in the code); the linker places the others.
 */
export interface DataSection {
  readonly kind: "data" | "bss";
  readonly address?: number;
  /** Empty for bss. */
  readonly bytes: Uint8Array;
  /** Equals bytes.length for data. */
  readonly size: number;
  readonly align: number;
  readonly symbols: readonly SectionSymbol[];
  readonly relocations: readonly Relocation[];
}

export type Section = TextSection | DataSection;
