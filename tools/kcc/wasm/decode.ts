// Decodes the WebAssembly binary format (MVP plus sign extension and bulk
// memory) into a WasmModule.

import { OPCODES, PREFIX_FC } from "./opcodes.js";
import { Reader } from "./reader.js";
import { BLOCK_EMPTY, BLOCK_I32, BLOCK_I64, BLOCK_OTHER } from "./module.js";
import type {
  FunctionType, Instruction, ValueType, WasmData, WasmExport, WasmFunction, WasmGlobal, WasmModule,
} from "./module.js";

const VALUE_TYPES: Record<number, ValueType> = { 0x7f: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64" };
const EXPORT_KINDS = ["function", "table", "memory", "global"] as const;
const END = 0x0b;

/** What the sections add to; turned into a WasmModule at the end. */
interface Draft {
  types: FunctionType[];
  functions: WasmFunction[];
  importedFunctions: number;
  globals: WasmGlobal[];
  exports: WasmExport[];
  elements: Map<number, number>;
  data: WasmData[];
  start?: number;
}

function valueType(reader: Reader): ValueType {
  return VALUE_TYPES[reader.byte()] ?? "other";
}

function functionType(reader: Reader): FunctionType {
  const form = reader.byte();
  if (form !== 0x60) throw new Error(`type form 0x${form.toString(16)} is not a function type`);
  return { parameters: reader.vector(() => valueType(reader)), results: reader.vector(() => valueType(reader)) };
}

function limits(reader: Reader): void {
  const flags = reader.unsigned();
  reader.unsigned();
  if ((flags & 1) !== 0) reader.unsigned();
}

function newFunction(draft: Draft, type: number, imported?: WasmFunction["import"]): WasmFunction {
  return {
    index: draft.functions.length, name: `function ${draft.functions.length}`, type: draft.types[type],
    import: imported, locals: [], body: [], localNames: new Map(), offset: 0,
  };
}

function importEntry(draft: Draft, reader: Reader): void {
  const from = { module: reader.text(), name: reader.text() };
  const kind = reader.byte();
  if (kind === 0) {
    draft.functions.push(newFunction(draft, reader.unsigned(), from));
    draft.importedFunctions++;
  } else if (kind === 1) {
    reader.byte();
    limits(reader);
  } else if (kind === 2) {
    limits(reader);
  } else {
    const type = valueType(reader);
    draft.globals.push({ name: from.name, type, mutable: reader.byte() === 1, import: from, low: 0, high: 0 });
  }
}

/** A constant expression: one constant and `end`. Returns its two words. */
function constantExpression(reader: Reader, globals: WasmGlobal[]): [number, number] {
  const expression = instruction(reader);
  if (reader.byte() !== END) throw new Error(`constant expression at byte ${reader.position} is not one constant`);
  if (expression.code === 0x23) return [globals[expression.a].low, globals[expression.a].high];
  return [expression.a, expression.b];
}

function blockType(reader: Reader): number {
  const type = reader.byte();
  if (type === 0x40) return BLOCK_EMPTY;
  if (type === 0x7f) return BLOCK_I32;
  return type === 0x7e ? BLOCK_I64 : BLOCK_OTHER;
}

/** Reads one instruction. Unknown opcodes are refused. */
function instruction(reader: Reader): Instruction {
  const offset = reader.position;
  let code = reader.byte();
  if (code === 0xfc) code = PREFIX_FC + reader.unsigned();
  const opcode = OPCODES.get(code);
  if (opcode === undefined) return { ...unknownInstruction(reader, code), code, offset };
  switch (opcode.immediate) {
    case "none": return { code, offset, a: 0, b: 0 };
    case "block": return { code, offset, a: blockType(reader), b: 0 };
    case "label": case "function": case "index": return { code, offset, a: reader.unsigned(), b: 0 };
    case "indirect": return { code, offset, a: reader.unsigned(), b: reader.unsigned() };
    case "table": return { code, offset, a: 0, b: 0,
      labels: [...reader.vector(() => reader.unsigned()), reader.unsigned()] };
    case "memory": return { code, offset, a: reader.unsigned(), b: reader.unsigned() | 0 };
    case "i32": return { code, offset, a: reader.signed32(), b: 0 };
    case "i64": {
      const value = reader.signed64();
      return { code, offset, a: Number(BigInt.asIntN(32, value)), b: Number(BigInt.asIntN(32, value >> 32n)) };
    }
    case "zero": reader.unsigned(); return { code, offset, a: 0, b: 0 };
    case "zero2": reader.unsigned(); reader.unsigned(); return { code, offset, a: 0, b: 0 };
    case "f32": reader.take(4); return { code, offset, a: 0, b: 0 };
    case "f64": reader.take(8); return { code, offset, a: 0, b: 0 };
  }
}

/** Floating-point instructions are decoded, so that the code generator can name the function that uses them. */
function unknownInstruction(reader: Reader, code: number): { a: number; b: number } {
  const isFloatAccess = code === 0x2a || code === 0x2b || code === 0x38 || code === 0x39;
  const isFloatArithmetic = (code >= 0x5b && code <= 0x66) || (code >= 0x8b && code <= 0xbf);
  if (isFloatAccess) return { a: reader.unsigned(), b: reader.unsigned() };
  if (isFloatArithmetic || (code >= PREFIX_FC && code <= PREFIX_FC + 7)) return { a: 0, b: 0 };
  throw new Error(`opcode 0x${code.toString(16)} at byte ${reader.position} is not supported`);
}

function functionBody(reader: Reader, target: WasmFunction): void {
  const size = reader.unsigned();
  target.offset = reader.position;
  const body = reader.part(size);
  const groups = body.unsigned();
  for (let i = 0; i < groups; i++) {
    const count = body.unsigned();
    const type = valueType(body);
    for (let j = 0; j < count; j++) target.locals.push(type);
  }
  while (!body.done) target.body.push(instruction(body));
}

function globalEntry(draft: Draft, reader: Reader): void {
  const type = valueType(reader);
  const mutable = reader.byte() === 1;
  const [low, high] = constantExpression(reader, draft.globals);
  draft.globals.push({ name: `global ${draft.globals.length}`, type, mutable, low, high });
}

function elementSegment(draft: Draft, reader: Reader): void {
  if (reader.unsigned() !== 0) throw new Error("only active element segments of table 0 are supported");
  const [base] = constantExpression(reader, draft.globals);
  reader.vector(() => reader.unsigned()).forEach((index, i) => draft.elements.set(base + i, index));
}

function dataSegment(draft: Draft, reader: Reader): void {
  if (reader.unsigned() !== 0) throw new Error("only active data segments are supported");
  const [address] = constantExpression(reader, draft.globals);
  draft.data.push({ address: address >>> 0, bytes: reader.take(reader.unsigned()) });
}

/** The subsections of the name section that are read: 1 functions, 2 locals, 7 globals. */
function nameSection(draft: Draft, reader: Reader): void {
  while (!reader.done) {
    const kind = reader.byte();
    const part = reader.part(reader.unsigned());
    if (kind === 1) {
      part.vector(() => (draft.functions[part.unsigned()].name = part.text()));
    } else if (kind === 2) {
      part.vector(() => {
        const names = draft.functions[part.unsigned()].localNames;
        part.vector(() => names.set(part.unsigned(), part.text()));
      });
    } else if (kind === 7) {
      part.vector(() => (draft.globals[part.unsigned()].name = part.text()));
    }
  }
}

function section(draft: Draft, id: number, reader: Reader): void {
  switch (id) {
    case 0: if (reader.text() === "name") nameSection(draft, reader); break;
    case 1: draft.types = reader.vector(() => functionType(reader)); break;
    case 2:
      reader.vector(() => importEntry(draft, reader));
      draft.importedFunctions = draft.functions.length;
      break;
    case 3: reader.vector(() => draft.functions.push(newFunction(draft, reader.unsigned()))); break;
    case 6: reader.vector(() => globalEntry(draft, reader)); break;
    case 7:
      draft.exports = reader.vector(() => (
        { name: reader.text(), kind: EXPORT_KINDS[reader.byte()], index: reader.unsigned() }));
      break;
    case 8: draft.start = reader.unsigned(); break;
    case 9: reader.vector(() => elementSegment(draft, reader)); break;
    case 10: {
      let index = draft.importedFunctions;
      reader.vector(() => functionBody(reader, draft.functions[index++]));
      break;
    }
    case 11: reader.vector(() => dataSegment(draft, reader)); break;
  }
}

/** Decodes a module. Throws an Error with one line when the bytes are not a module that kcc can read. */
export function decodeModule(bytes: Uint8Array): WasmModule {
  const reader = new Reader(bytes);
  const header = reader.take(8);
  if (header[0] !== 0 || header[1] !== 0x61 || header[2] !== 0x73 || header[3] !== 0x6d || header[4] !== 1) {
    throw new Error("not a WebAssembly module of version 1");
  }
  const draft: Draft = {
    types: [], functions: [], importedFunctions: 0, globals: [], exports: [], elements: new Map(), data: [],
  };
  while (!reader.done) {
    const id = reader.byte();
    section(draft, id, reader.part(reader.unsigned()));
  }
  return draft;
}
