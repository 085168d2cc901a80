// A decoded WebAssembly module: the sections that asc writes, with every
// instruction's byte offset kept, since the source map speaks of offsets.

export type ValueType = "i32" | "i64" | "f32" | "f64" | "other";

export interface FunctionType {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export interface Instruction {
  /** Opcode number as in OPCODES. */
  readonly code: number;
  /** Byte offset of the instruction in the module. */
  readonly offset: number;
  /** First immediate: index, label depth, constant (low word), block type (BLOCK_*), type index of call_indirect. */
  readonly a: number;
  /** Second immediate: high word of an i64 constant, address offset of a memory access. */
  readonly b: number;
  /** Label depths of br_table, the default last. */
  readonly labels?: readonly number[];
}

export const BLOCK_EMPTY = 0;
export const BLOCK_I32 = 1;
export const BLOCK_I64 = 2;
export const BLOCK_OTHER = 3;

export interface WasmFunction {
  readonly index: number;
  /** asc's internal name, `path/name`. */
  name: string;
  readonly type: FunctionType;
  /** Set when imported. */
  readonly import?: { readonly module: string; readonly name: string };
  /** Types of the declared locals, parameters not among them. */
  locals: ValueType[];
  body: Instruction[];
  localNames: Map<number, string>;
  /** Offset of the function's code, for messages about the function as a whole. */
  offset: number;
}

export interface WasmGlobal {
  name: string;
  readonly type: ValueType;
  readonly mutable: boolean;
  readonly import?: { readonly module: string; readonly name: string };
  /** Initial value as two words. */
  readonly low: number;
  readonly high: number;
}

export interface WasmExport {
  readonly name: string;
  readonly kind: "function" | "table" | "memory" | "global";
  readonly index: number;
}

export interface WasmData {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface WasmModule {
  readonly types: FunctionType[];
  /** Imports first, as WebAssembly numbers them. */
  readonly functions: WasmFunction[];
  readonly globals: WasmGlobal[];
  readonly exports: WasmExport[];
  /** Table index to function index; holes are absent. */
  readonly elements: Map<number, number>;
  readonly data: WasmData[];
  readonly start?: number;
}
