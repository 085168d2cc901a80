// The cases of the differential test: one WebAssembly module whose `run` puts
// thousands of results into memory. The same module runs in V8 and, compiled by
// kcc, on an i386; the results must be the same bytes.
//
// - every integer operation x operand shapes (constant, local, memory) x edge values,
//   as a value and as the condition of if, br_if and select;
// - loads and stores of every width, addressing modes, read-modify-write;
// - control: loops, br_table, calls with many arguments, recursion, calls by address;
// - random functions: expression trees, locals, branches, loops (seeded).

import { ModuleWriter } from "./wasm_writer.js";
import type { FunctionSource, Step, Type } from "./wasm_writer.js";
import { randomFunctions } from "./random_functions.js";
import { supportFunctions } from "./support_functions.js";

export const MEMORY_BASE = 0x100000;
export const RESULTS = 0x140000;
export const MEMORY_SIZE = 0x400000;
const VALUES = MEMORY_BASE;
const SCRATCH = MEMORY_BASE + 0x10000;
const FUNCTION_OBJECT = MEMORY_BASE + 0x18000;

export const EDGES32 = [
  0, 1, 2, 3, 7, 10, 31, 32, 33, 0x7f, 0x80, 0xff, 0x8000, 0xffff, 0x12345678, 0x7fffffff, -0x80000000, -0x7fffffff,
    -2, -1,
];
export const EDGES64 = [
  0n, 1n, 2n, 3n, 10n, 31n, 32n, 33n, 63n, 64n, 0xffn, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n,
    0x1ffffffffn,
  0x123456789abcdef0n, 0x7fffffffffffffffn, -0x8000000000000000n, -0x80000000n, -0x100000000n, -2n, -1n,
];

const BINARY = ["add", "sub", "mul", "div_s", "div_u", "rem_s", "rem_u", "and", "or", "xor", "shl", "shr_s", "shr_u",
  "rotl", "rotr"];
const COMPARES = ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"];
const UNARY32 = ["eqz", "clz", "ctz", "popcnt", "extend8_s", "extend16_s"];
const UNARY64 = ["eqz", "clz", "ctz", "popcnt", "extend8_s", "extend16_s", "extend32_s"];

export interface CaseModule {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** Bytes of results at RESULTS. */
  readonly resultBytes: number;
  /** Which case wrote the byte at this offset of the results. */
  readonly describe: (offset: number) => string;
}

export interface CaseOptions {
  readonly seed: number;
  readonly randomCount: number;
}

/** Where an operand of the operation under test comes from. */
type Shape = "local" | "memory" | { readonly constant: bigint };

class CaseBuilder {
  readonly writer = new ModuleWriter();
  private readonly calls: Step[][] = [];
  private readonly starts: { offset: number; name: string }[] = [];
  private bytes = 0;
  private nextName = 0;
  private readonly tables = new Map<string, number>();
  private nextTable = VALUES;

  /** Puts a list of values into memory, once, and gives its address and end. */
  private table(type: Type, values: readonly bigint[]): [number, number] {
    const key = `${type} ${values.join()}`;
    const size = type === "i32" ? 4 : 8;
    let address = this.tables.get(key);
    if (address === undefined) {
      address = this.nextTable;
      this.tables.set(key, address);
      this.nextTable += size * values.length;
      const bytes = values.flatMap((value) => (
        Array.from({ length: size }, (_, i) => Number(BigInt.asUintN(8, value >> BigInt(8 * i))))));
      this.writer.addData(address, bytes);
    }
    return [address, address + size * values.length];
  }

  /** Adds a function (a, b) -> result and lets `run` call it for all pairs of two value lists. */
  grid(name: string, type: Type, result: Type, body: readonly Step[], left: readonly bigint[],
    right: readonly bigint[]): void {
    const fn = this.define(name, [type, type], result, [], body);
    const [size, step] = [type === "i32" ? 4 : 8, result === "i32" ? 4 : 8];
    const [leftStart, leftEnd] = this.table(type, left);
    const [rightStart, rightEnd] = this.table(type, right);
    const driver = this.writer.add({ name: `grid/${this.nextName++}`, parameters: [], results: [],
      locals: ["i32", "i32"], body: [
      ["i32.const", leftStart], ["local.set", 0],
      ["loop", ""], ["i32.const", rightStart], ["local.set", 1],
      ["loop", ""], ["global.get", 0], ["local.get", 0], [`${type}.load`, 0], ["local.get", 1], [`${type}.load`, 0],
        ["call", fn], [`${result}.store`, 0],
      ["global.get", 0], ["i32.const", step], ["i32.add"], ["global.set", 0],
      ["local.get", 1], ["i32.const", size], ["i32.add"], ["local.tee", 1], ["i32.const", rightEnd], ["i32.ne"],
        ["br_if", 0], ["end"],
      ["local.get", 0], ["i32.const", size], ["i32.add"], ["local.tee", 0], ["i32.const", leftEnd], ["i32.ne"],
        ["br_if", 0], ["end"],
    ] });
    this.calls.push([["call", driver]]);
    this.account(name, left.length * right.length * step);
  }

  /** Adds a function of any parameters and calls it with each row of arguments. */
  rows(name: string, parameters: readonly Type[], result: Type, locals: readonly Type[], body: readonly Step[],
    rows: readonly (readonly bigint[])[]): void {
    const fn = this.define(name, parameters, result, locals, body);
    for (const row of rows) {
      const args = row.map((value, i): Step => [`${parameters[i]}.const`, value]);
      this.calls.push([["global.get", 0], ...args, ["call", fn], [`${result}.store`, 0], ...this.advance(result)]);
    }
    this.account(name, rows.length * (result === "i32" ? 4 : 8));
  }

  /**
   * A parameter, which is used once and so read where it lies, with a word of memory on its other side: all pairs of
   * values, both ways round.
   */
  againstMemory(type: Type, op: string, result: Type, values: readonly bigint[]): void {
    const [start] = this.table(type, values);
    const size = type === "i32" ? 4 : 8;
    const rows = values.flatMap((value) => values.map((_, at) => [value, BigInt(start + at * size)] as const));
    const parameter: Step = ["local.get", 0];
    const memory: Step[] = [["local.get", 1], [`${type}.load`, 0]];
    const operation: Step = [`${type}.${op}`];
    this.rows(`${type}.${op} of a parameter and memory`, [type, "i32"], result, [], [parameter, ...memory, operation], rows);
    this.rows(`${type}.${op} of memory and a parameter`, [type, "i32"], result, [], [...memory, parameter, operation], rows);
  }

  define(name: string, parameters: readonly Type[], result: Type, locals: readonly Type[],
    body: readonly Step[]): string {
    return this.writer.add({ name: `case/${this.nextName++} ${name}`, parameters, results: [result], locals, body });
  }

  private advance(result: Type): Step[] {
    return [["global.get", 0], ["i32.const", result === "i32" ? 4 : 8], ["i32.add"], ["global.set", 0]];
  }

  private account(name: string, bytes: number): void {
    this.starts.push({ offset: this.bytes, name });
    this.bytes += bytes;
  }

  finish(): CaseModule {
    // `run` in parts, so that no function of the module is enormous.
    const parts: string[] = [];
    const groupsPerPart = 500;
    for (let i = 0; i < this.calls.length; i += groupsPerPart) {
      const body = this.calls.slice(i, i + groupsPerPart).flat();
      parts.push(this.writer.add({ name: `part/part${parts.length}`, parameters: [], results: [], locals: [], body }));
    }
    this.writer.add({ name: "run", parameters: [], results: [], locals: [],
      body: parts.map((part): Step => ["call", part]) });
    this.writer.add(putByte());
    this.writer.add(mainFunction(this.bytes));
    const { starts } = this;
    const describe = (offset: number): string => {
      const start = starts.filter((item) => item.offset <= offset).at(-1)!;
      return `${start.name}, result byte ${offset - start.offset}`;
    };
    return { wasm: this.writer.finish(MEMORY_SIZE / 0x10000), resultBytes: this.bytes, describe };
  }
}

function operand(type: Type, local: number, shape: Shape): Step[] {
  if (shape === "local") return [["local.get", local]];
  if (shape === "memory") return [["i32.const", SCRATCH + 16 * local], [`${type}.load`, 0]];
  return [[`${type}.const`, shape.constant]];
}

/** Stores the parameters to memory, so that a memory operand finds them. */
function spillParameters(type: Type): Step[] {
  return [0, 1].flatMap((local): Step[] =>
    [["i32.const", SCRATCH + 16 * local], ["local.get", local], [`${type}.store`, 0]]);
}

const SHAPE_PAIRS: readonly [Shape, Shape][] = [
  ["local", "local"], ["local", "memory"], ["memory", "local"], ["memory", "memory"],
];

function shapeName(shape: Shape): string {
  return typeof shape === "string" ? shape : `${shape.constant}`;
}

/** Divisors and dividends that do not trap. */
function operandsFor(op: string, edges: readonly bigint[]): [readonly bigint[], readonly bigint[]] {
  if (!/^(div|rem)/.test(op)) return [edges, edges];
  const divisors = edges.filter((value) => value !== 0n && !(op === "div_s" && value === -1n));
  return [edges, divisors];
}

function addBinary(builder: CaseBuilder, type: Type, edges: readonly bigint[]): void {
  for (const op of [...BINARY, ...COMPARES]) {
    const result: Type = COMPARES.includes(op) ? "i32" : type;
    const [left, right] = operandsFor(op, edges);
    for (const [a, b] of SHAPE_PAIRS) {
      const usesMemory = a === "memory" || b === "memory";
      const body = [...(usesMemory ? spillParameters(type) : []), ...operand(type, 0, a), ...operand(type, 1, b),
        [`${type}.${op}`] as Step];
      builder.grid(`${type}.${op} ${shapeName(a)} ${shapeName(b)}`, type, result, body, left, right);
    }
    for (const constant of right) {
      for (const shape of ["local", "memory"] as const) {
        const body = [
          ...(shape === "memory" ? spillParameters(type) : []),
          ...operand(type, 0, shape), ...operand(type, 1, { constant }), [`${type}.${op}`] as Step,
        ];
        builder.grid(`${type}.${op} ${shape} ${constant}`, type, result, body, left, [0n]);
      }
    }
    for (const constant of left) {
      const body = [...operand(type, 0, { constant }), ...operand(type, 1, "local"), [`${type}.${op}`] as Step];
      builder.grid(`${type}.${op} ${constant} local`, type, result, body, [0n], right);
      const fold: Step[] = right.flatMap((second): Step[] => [
        [`${type}.const`, constant], [`${type}.const`, second], [`${type}.${op}`],
        ...(result === "i64" ? [["local.get", 0], ["i64.xor"], ["i64.const", 7n], ["i64.rotl"],
          ["local.set", 0]] as Step[]
          : type === "i64" ? [["i64.extend_i32_u"], ["local.get", 0], ["i64.xor"], ["i64.const", 7n], ["i64.rotl"],
            ["local.set", 0]] as Step[]
            : [["local.get", 0], ["i32.xor"], ["i32.const", 7], ["i32.rotl"], ["local.set", 0]] as Step[]),
      ]);
      builder.grid(`${type}.${op} ${constant} folded`, type, type, [...fold, ["local.get", 0]], [0n], [0n]);
    }
  }
}

/** Comparisons as conditions of if, br_if, select and eqz, on registers, memory and constants. */
function addConditions(builder: CaseBuilder, type: Type, edges: readonly bigint[]): void {
  const forms: Record<string, (test: Step[]) => Step[]> = {
    if: (test) => [...test, ["if", "i32"], ["i32.const", 11], ["else"], ["i32.const", 22], ["end"]],
    "not if": (test) => [...test, ["i32.eqz"], ["if", "i32"], ["i32.const", 11], ["else"], ["i32.const", 22], ["end"]],
    br_if: (test) => [["block", ""], ...test, ["br_if", 0], ["i32.const", 5], ["return"], ["end"], ["i32.const", 6]],
    select: (test) => [["i32.const", 8], ["i32.const", 9], ...test, ["select"]],
    and: (test) => [...test, ["if", "i32"], ["local.get", 0], ["i32.wrap_i64"], ["i32.const", 1], ["i32.and"],
      ["else"], ["i32.const", 0], ["end"],
      ["if", "i32"], ["i32.const", 3], ["else"], ["i32.const", 4], ["end"]],
    or: (test) => [...test, ["if", "i32"], ["i32.const", 1], ["else"], ["local.get", 1], ["i32.wrap_i64"],
      ["i32.const", 4], ["i32.and"], ["end"],
      ["i32.eqz"], ["if", "i32"], ["i32.const", 3], ["else"], ["i32.const", 4], ["end"]],
  };
  for (const op of COMPARES) {
    for (const [formName, form] of Object.entries(forms)) {
      const fix = (steps: Step[]): Step[] =>
        (type === "i64" ? steps : steps.filter(([name]) => name !== "i32.wrap_i64"));
      for (const [a, b] of SHAPE_PAIRS.slice(0, 3)) {
        const usesMemory = a === "memory" || b === "memory";
        const test: Step[] = [...operand(type, 0, a), ...operand(type, 1, b), [`${type}.${op}`]];
        builder.grid(`${formName} ${type}.${op} ${shapeName(a)} ${shapeName(b)}`, type, "i32",
          fix([...(usesMemory ? spillParameters(type) : []), ...form(test)]), edges, edges);
      }
      for (const constant of edges) {
        const test: Step[] = [...operand(type, 0, "local"), ...operand(type, 1, { constant }), [`${type}.${op}`]];
        builder.grid(`${formName} ${type}.${op} local ${constant}`, type, "i32", fix(form(test)), edges, [4n]);
      }
    }
  }
}

function addUnary(builder: CaseBuilder): void {
  for (const [type, ops, edges] of [["i32", UNARY32, EDGES32.map(BigInt)], ["i64", UNARY64, EDGES64]] as const) {
    for (const op of ops) {
      const result: Type = op === "eqz" ? "i32" : type;
      for (const shape of ["local", "memory"] as const) {
        const body: Step[] = [...(shape === "memory" ? spillParameters(type) : []), ...operand(type, 0, shape),
          [`${type}.${op}`]];
        builder.grid(`${type}.${op} ${shape}`, type, result, body, edges, [0n]);
      }
      for (const constant of edges) {
        builder.grid(`${type}.${op} ${constant}`, type, result, [[`${type}.const`, constant], [`${type}.${op}`]],
          [0n], [0n]);
      }
    }
  }
  builder.grid("wrap", "i64", "i32", [["local.get", 0], ["i32.wrap_i64"]], EDGES64, [0n]);
  for (const op of ["i64.extend_i32_s", "i64.extend_i32_u"]) {
    builder.grid(op, "i32", "i64", [["local.get", 0], [op]], EDGES32.map(BigInt), [0n]);
  }
}

const LOADS32 = ["load", "load8_s", "load8_u", "load16_s", "load16_u"];
const LOADS64 = [...LOADS32, "load32_s", "load32_u"];

function addMemory(builder: CaseBuilder): void {
  const edges = EDGES64.slice(8);
  for (const [type, loads, stores] of [
    ["i32", LOADS32, ["store", "store8", "store16"]], ["i64", LOADS64, ["store", "store8", "store16", "store32"]],
  ] as const) {
    for (const load of loads) {
      for (const offset of [0, 1, 3, 200]) {
        const body: Step[] = [
          ["i32.const", SCRATCH + offset], ["local.get", 0], ["i64.store", 0],
          ["i32.const", SCRATCH], ["local.get", 1], ["i32.wrap_i64"], ["i32.add"], [`${type}.${load}`, offset],
          ...(type === "i32" ? [["i64.extend_i32_s"] as Step] : []),
        ];
        builder.grid(`${type}.${load} +${offset}`, "i64", "i64", body, edges, [0n, 1n, 4n]);
      }
      // Used as a condition, compared and tested, where operands may be narrowed.
      for (const constant of [0, 1, 0x7f, 0x80, 0xff, 0x8000, -1]) {
        const read: Step[] = [["i32.const", SCRATCH], ["local.get", 0], ["i64.store", 0], ["i32.const", SCRATCH],
          [`${type}.${load}`, 0]];
        const as32: Step[] = type === "i64" ? [["i32.wrap_i64"]] : [];
        for (const op of ["i32.eq", "i32.lt_s", "i32.gt_u", "i32.and"]) {
          builder.grid(`${type}.${load} ${op} ${constant}`, "i64", "i32",
            [...read, ...as32, ["i32.const", constant], [op], ["if", "i32"], ["i32.const", 1], ["else"],
              ["i32.const", 2], ["end"]], edges, [0n]);
        }
      }
    }
    for (const store of stores) addStores(builder, type, store, edges);
  }
  addMemoryPairs(builder);
  addAddressing(builder);
}

function addStores(builder: CaseBuilder, type: Type, store: string, edges: readonly bigint[]): void {
  const value: Step[] = type === "i32" ? [["local.get", 0], ["i32.wrap_i64"]] : [["local.get", 0]];
  const fill: Step[] = [["i32.const", SCRATCH], ["i64.const", 0x5555aaaa3333ccccn], ["i64.store", 0]];
  const read: Step[] = [["i32.const", SCRATCH], ["i64.load", 0]];
  builder.grid(`${type}.${store}`, "i64", "i64",
    [...fill, ["i32.const", SCRATCH], ...value, [`${type}.${store}`, 1], ...read], edges, [0n]);
  builder.grid(`${type}.${store} constant`, "i64", "i64",
    [...fill, ["i32.const", SCRATCH], [`${type}.const`, 0x89abcdef], [`${type}.${store}`, 2], ...read],
      edges.slice(0, 1), [0n]);
  const load = store === "store" ? "load" : `${store.replace("store", "load")}_u`;
  for (const op of ["add", "sub", "and", "or", "xor", "shl", "shr_u", "shr_s", "mul"]) {
    for (const by of ["value", "constant", "one", "scaled"]) {
      // A scaled value is what an addressing mode could hold; here no address is formed.
      const scaled: Step[] = [...value, [`${type}.const`, 2], [`${type}.shl`]];
      const other = by === "value" ? value : by === "scaled" ? scaled : [[`${type}.const`, by === "one" ? 1 : 0x1234567] as Step];
      const body: Step[] = [
        ...fill, ["i32.const", SCRATCH], ["i32.const", SCRATCH], [`${type}.${load}`, 1], ...other, [`${type}.${op}`],
          [`${type}.${store}`, 1], ...read,
      ];
      builder.grid(`${type} ${store} ${op} ${by} in place`, "i64", "i64", body, edges, [0n]);
    }
  }
}

/** Operands that both could be in memory; an instruction has room for one. */
function addMemoryPairs(builder: CaseBuilder): void {
  const values = { i32: [0, 1, 5, -1, 0x7fffffff].map(BigInt), i64: [0n, 5n, -1n, 0x100000004n, -0x100000003n] };
  for (const type of ["i32", "i64"] as const) {
    for (const op of COMPARES) builder.againstMemory(type, op, "i32", values[type]);
    for (const op of ["add", "sub", "mul", "and", "or", "xor"]) builder.againstMemory(type, op, type, values[type]);
  }
}

function addAddressing(builder: CaseBuilder): void {
  const rows = [[0n, 0n], [3n, 4n], [10n, 2n], [1n, 60n]];
  for (const shift of [0, 1, 2, 3, 4]) {
    for (const offset of [0, 4, 1000]) {
      const address: Step[] = [["local.get", 2], ["local.get", 0], ["i32.const", shift], ["i32.shl"], ["i32.add"]];
      const direct: Step[] = [["local.get", 0], ["i32.const", shift], ["i32.shl"], ["i32.const", SCRATCH], ["i32.add"]];
      const body: Step[] = [
        ["i32.const", SCRATCH], ["local.set", 2],
        ...address, ["local.get", 1], ["i32.store", offset], ...address, ["i32.load", offset], ["i32.const", 3],
          ["i32.add"], ["local.get", 2],
        ["local.get", 0], ["i32.const", shift], ["i32.shl"], ["i32.add"], ["local.tee", 3], ["i32.load8_u", offset],
          ["i32.add"],
        ["local.get", 3], ["i32.xor"], ...direct, ["i32.load", offset], ["i32.add"], ...direct, ["local.get", 1],
          ["i32.store16", offset], ...direct, ["i32.load", offset], ["i32.sub"],
      ];
      builder.rows(`address << ${shift} + ${offset}`, ["i32", "i32"], "i32", ["i32", "i32"], body, rows);
    }
  }
  builder.rows("memory.copy and fill", ["i32", "i32"], "i64", [], [
    ["i32.const", SCRATCH], ["i32.const", 0x11], ["i32.const", 64], ["memory.fill"],
    ["i32.const", SCRATCH], ["local.get", 0], ["i32.add"], ["local.get", 1], ["i32.const", 9], ["memory.fill"],
    ["i32.const", SCRATCH + 3], ["i32.const", SCRATCH], ["i32.const", 40], ["memory.copy"],
    ["i32.const", SCRATCH + 8], ["i32.const", SCRATCH + 11], ["i32.const", 24], ["memory.copy"],
    ["i32.const", SCRATCH], ["local.get", 0], ["i32.add"], ["i64.load", 1], ["i32.const", SCRATCH + 20],
      ["i64.load", 1], ["i64.add"],
  ], rows);
}

function addControl(builder: CaseBuilder): void {
  const values = [0n, 1n, 2n, 3n, 4n, 5n, 100n, -1n].map((value) => [value]);
  builder.rows("br_table", ["i32"], "i32", [], [
    ["block", ""], ["block", ""], ["block", ""], ["block", ""],
    ["local.get", 0], ["br_table", [0, 1, 1, 3, 2]], ["end"],
    ["i32.const", 10], ["return"], ["end"], ["i32.const", 20], ["return"], ["end"], ["i32.const", 30], ["return"],
      ["end"], ["i32.const", 40],
  ], values);
  builder.rows("sum of squares", ["i32"], "i32", ["i32", "i32"], [
    ["local.get", 0], ["i32.const", 255], ["i32.and"], ["local.set", 0],
    ["loop", ""], ["local.get", 1], ["local.get", 0], ["i32.lt_u"], ["if", ""],
    ["local.get", 2], ["local.get", 1], ["local.get", 1], ["i32.mul"], ["i32.add"], ["local.set", 2],
    ["local.get", 1], ["i32.const", 1], ["i32.add"], ["local.set", 1], ["br", 1], ["end"], ["end"], ["local.get", 2],
  ], values);
  // The three locals rotate: the phis of the loop read each other.
  builder.rows("rotating locals", ["i32"], "i32", ["i32", "i32", "i32", "i32"], [
    ["i32.const", 1], ["local.set", 1], ["i32.const", 20], ["local.set", 2], ["i32.const", 300], ["local.set", 3],
    ["loop", ""], ["local.get", 1], ["local.set", 4], ["local.get", 2], ["local.set", 1], ["local.get", 3],
      ["local.set", 2], ["local.get", 4], ["local.set", 3],
    ["local.get", 0], ["i32.const", 1], ["i32.sub"], ["local.tee", 0], ["i32.const", 0], ["i32.gt_s"], ["br_if", 0],
      ["end"],
    ["local.get", 1], ["local.get", 2], ["i32.const", 7], ["i32.mul"], ["i32.add"], ["local.get", 3],
      ["i32.const", 13], ["i32.mul"], ["i32.sub"],
  ], values.slice(0, 6));
  const many: Type[] = ["i32", "i64", "i32", "i64", "i32", "i32", "i64", "i32", "i32", "i64"];
  const mix: Step[] = [["i64.const", 0n]];
  many.forEach((type, i) => {
    mix.push(["i64.const", 31n], ["i64.mul"], ["local.get", i],
      ...(type === "i32" ? [["i64.extend_i32_s"] as Step] : []), ["i64.add"]);
  });
  const callee = builder.define("mix", many, "i64", [], mix);
  builder.rows("ten arguments", ["i32", "i64"], "i64", [], [
    ...many.map((type, i): Step => ["local.get", type === "i32" ? 0 : i % 2 === 1 ? 1 : 1]), ["call", callee],
    ...many.flatMap((type, i): Step[] =>
      [["local.get", type === "i32" ? 0 : 1], [`${type}.const`, i + 1], [`${type}.mul`]]), ["call", callee],
        ["i64.xor"],
  ], [[1n, 2n], [-1n, -1n], [0x7fffffffn, 0x123456789abcn], [3n, -0x8000000000000000n]]);
  const index = builder.writer.addElement(callee);
  const object = [0x1c, 0, 0, 9, 8, index, 0, 0].flatMap((word) => [word, 0, 0, 0]);
  builder.writer.addData(FUNCTION_OBJECT, object);
  builder.rows("call by address", ["i32", "i64"], "i64", [], [
    ["i32.const", SCRATCH], ["i32.const", FUNCTION_OBJECT + 20], ["i32.load", 0], ["i32.store", 0],
    ...many.map((type): Step => ["local.get", type === "i32" ? 0 : 1]), ["i32.const", SCRATCH], ["i32.load", 0],
    ["call_indirect", builder.writer.typeIndex(many, ["i64"])],
    ...many.map((type): Step => ["local.get", type === "i32" ? 0 : 1]), ["i32.const", FUNCTION_OBJECT + 20],
      ["i32.load", 0],
    ["call_indirect", builder.writer.typeIndex(many, ["i64"])], ["i64.add"],
  ], [[1n, 2n], [5n, 6n]]);
}

const COM1 = 0x3f8;
const LINE_STATUS = COM1 + 5;
const TRANSMITTER_EMPTY = 0x20;
const DEBUG_EXIT = 0xf4;
/** Bytes of results that one printed line sums up. */
const LINE_BYTES = 4096;

/** Prints the byte in local 0 when the transmitter is ready. */
function putByte(): FunctionSource {
  return { name: "print/put", parameters: ["i32"], results: [], locals: [], body: [
    ["loop", ""], ["i32.const", LINE_STATUS], ["call", "cpufunc.inb"], ["i32.const", TRANSMITTER_EMPTY], ["i32.and"],
      ["i32.eqz"], ["br_if", 0], ["end"],
    ["i32.const", COM1], ["local.get", 0], ["call", "cpufunc.outb"],
  ] };
}

/** `main`: runs the cases, prints a hash of each LINE_BYTES of results, leaves through the debug exit port. */
function mainFunction(resultBytes: number): FunctionSource {
  const [pointer, hash, digit] = [0, 1, 2];
  return { name: "main", parameters: [], results: [], locals: ["i32", "i32", "i32"], body: [
    ["call", "run"], ["i32.const", RESULTS], ["local.set", pointer],
    ["loop", ""],
    ["i32.const", 0x811c9dc5 | 0], ["local.set", hash],
    ["loop", ""],
    ["local.get", hash], ["local.get", pointer], ["i32.load8_u", 0], ["i32.xor"], ["i32.const", 16777619],
      ["i32.mul"], ["local.set", hash],
    ["local.get", pointer], ["i32.const", 1], ["i32.add"], ["local.tee", pointer], ["i32.const", LINE_BYTES - 1],
      ["i32.and"], ["br_if", 0], ["end"],
    ["i32.const", 28], ["local.set", digit],
    ["loop", ""],
    ["local.get", hash], ["local.get", digit], ["i32.shr_u"], ["i32.const", 15], ["i32.and"], ["i32.const", 97],
      ["i32.add"], ["call", "print/put"],
    ["local.get", digit], ["i32.const", 4], ["i32.sub"], ["local.tee", digit], ["i32.const", 0], ["i32.ge_s"],
      ["br_if", 0], ["end"],
    ["i32.const", 10], ["call", "print/put"],
    ["local.get", pointer], ["i32.const", RESULTS + resultBytes], ["i32.lt_u"], ["br_if", 0], ["end"],
    ["i32.const", DEBUG_EXIT], ["i32.const", 0], ["call", "cpufunc.outl"],
  ] };
}

/** Builds the module of all cases. */
export function buildCases({ seed, randomCount }: CaseOptions): CaseModule {
  const builder = new CaseBuilder();
  builder.writer.import("cpufunc", "inb", ["i32"], ["i32"]);
  builder.writer.import("cpufunc", "outb", ["i32", "i32"], []);
  builder.writer.import("cpufunc", "outl", ["i32", "i32"], []);
  builder.writer.addGlobal("case/next", "i32", BigInt(RESULTS));
  builder.writer.addGlobal("case/wide", "i64", 0x123456789n);
  for (const source of supportFunctions()) builder.writer.add(source);
  addBinary(builder, "i32", EDGES32.map(BigInt));
  addBinary(builder, "i64", EDGES64);
  addConditions(builder, "i32", EDGES32.map(BigInt));
  addConditions(builder, "i64", EDGES64);
  addUnary(builder);
  addMemory(builder);
  addControl(builder);
  randomFunctions(seed, randomCount, SCRATCH).forEach(({ name, parameters, locals, body, rows }) => {
    builder.rows(name, parameters, "i64", locals, body, rows);
  });
  return builder.finish();
}

