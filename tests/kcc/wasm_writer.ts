// Writes small WebAssembly modules for the compiler's tests: functions as
// lists of instructions by name, encoded through kcc's own opcode table.

import { OPCODES_BY_NAME } from "../../tools/kcc/wasm/opcodes.js";

export type Type = "i32" | "i64";
/** An instruction: its name, then its immediates. */
export type Step = readonly [name: string, ...immediates: (number | bigint | string | readonly number[])[]];

export interface FunctionSource {
  readonly name: string;
  readonly parameters: readonly Type[];
  readonly results: readonly Type[];
  readonly locals: readonly Type[];
  readonly body: readonly Step[];
}

export interface DataSource {
  readonly address: number;
  readonly bytes: readonly number[];
}

interface ImportSource {
  readonly module: string;
  readonly name: string;
  readonly parameters: readonly Type[];
  readonly results: readonly Type[];
}

const TYPE_CODE = { i32: 0x7f, i64: 0x7e } as const;
const BLOCK_CODE: Record<string, number> = { "": 0x40, i32: 0x7f, i64: 0x7e };

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const byte = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? byte : byte | 0x80);
  } while (rest !== 0);
  return bytes;
}

function signed(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ;) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    const isLast = (rest === 0n && (byte & 0x40) === 0) || (rest === -1n && (byte & 0x40) !== 0);
    bytes.push(isLast ? byte : byte | 0x80);
    if (isLast) return bytes;
  }
}

function text(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)];
  return [...unsigned(bytes.length), ...bytes];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

/** A module under construction. The memory is imported as `env.memory`; every function is exported by its name. */
export class ModuleWriter {
  private readonly functions: FunctionSource[] = [];
  private readonly imports: ImportSource[] = [];
  private readonly indices = new Map<string, number>();
  private readonly types: string[] = [];
  private readonly data: DataSource[] = [];
  private readonly elements: string[] = [];
  private readonly globals: { name: string; type: Type; value: bigint }[] = [];

  /** Imports a function; before any `add`. It is called by the name `module.name`. */
  import(module: string, name: string, parameters: readonly Type[], results: readonly Type[]): void {
    this.indices.set(`${module}.${name}`, this.imports.length);
    this.imports.push({ module, name, parameters, results });
  }

  add(source: FunctionSource): string {
    this.indices.set(source.name, this.imports.length + this.functions.length);
    this.functions.push(source);
    return source.name;
  }

  addData(address: number, bytes: readonly number[]): void {
    this.data.push({ address, bytes });
  }

  addGlobal(name: string, type: Type, value: bigint): void {
    this.globals.push({ name, type, value });
  }

  /** Puts a function into the table; the result is its index. */
  addElement(name: string): number {
    this.elements.push(name);
    return this.elements.length;
  }

  /** The index of a function type. */
  typeIndex(parameters: readonly Type[], results: readonly Type[]): number {
    const key = `${parameters.join(",")}:${results.join(",")}`;
    if (!this.types.includes(key)) this.types.push(key);
    return this.types.indexOf(key);
  }

  private step([name, ...immediates]: Step): number[] {
    const opcode = OPCODES_BY_NAME.get(name);
    if (opcode === undefined) throw new Error(`no instruction ${name}`);
    const { code, immediate } = opcode;
    const bytes = code > 0xff ? [code >> 8, ...unsigned(code & 0xff)] : [code];
    const [first] = immediates;
    switch (immediate) {
      case "none": return bytes;
      case "block": return [...bytes, BLOCK_CODE[(first as string | undefined) ?? ""]];
      case "function": return [...bytes, ...unsigned(this.indices.get(first as string)!)];
      case "label": case "index": return [...bytes, ...unsigned(first as number)];
      case "indirect": return [...bytes, ...unsigned(first as number), 0];
      case "table": return [...bytes, ...vector((first as readonly number[]).slice(0, -1).map(unsigned)),
        ...unsigned((first as number[]).at(-1)!)];
      case "memory": return [...bytes, 0, ...unsigned((first as number | undefined) ?? 0)];
      case "i32": return [...bytes, ...signed(BigInt.asIntN(32, BigInt(first as number | bigint)))];
      case "i64": return [...bytes, ...signed(BigInt.asIntN(64, BigInt(first as bigint)))];
      case "zero": return [...bytes, 0];
      case "zero2": return [...bytes, 0, 0];
      default: throw new Error(`cannot write ${name}`);
    }
  }

  private body({ locals, body }: FunctionSource): number[] {
    const code = [...vector(locals.map((type) => [1, TYPE_CODE[type]])), ...body.flatMap((step) => this.step(step)),
      0x0b];
    return [...unsigned(code.length), ...code];
  }

  private nameSection(): number[] {
    const functionNames = vector(this.functions.map(({ name }) =>
      [...unsigned(this.indices.get(name)!), ...text(name)]));
    const globalNames = vector(this.globals.map(({ name }, i) => [...unsigned(i), ...text(name)]));
    return [...text("name"), ...section(1, functionNames), ...section(7, globalNames)];
  }

  finish(memoryPages: number): Uint8Array<ArrayBuffer> {
    const importTypes = this.imports.map((one) => this.typeIndex(one.parameters, one.results));
    const typeOf = this.functions.map((fn) => this.typeIndex(fn.parameters, fn.results));
    const bodies = this.functions.map((fn) => this.body(fn));
    const constant = (type: Type, value: bigint): number[] => [type === "i32" ? 0x41 : 0x42, ...signed(value), 0x0b];
    const types = this.types.map((key) => {
      const [parameters, results] = key.split(":").map((list) =>
        list.split(",").filter((type) => type !== "") as Type[]);
      return [0x60, ...vector(parameters.map((type) => [TYPE_CODE[type]])),
        ...vector(results.map((type) => [TYPE_CODE[type]]))];
    });
    return new Uint8Array([
      0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
      ...section(1, vector(types)),
      ...section(2, vector([
        ...this.imports.map(({ module, name }, i) => [...text(module), ...text(name), 0, ...unsigned(importTypes[i])]),
        [...text("env"), ...text("memory"), 2, 0, ...unsigned(memoryPages)],
      ])),
      ...section(3, vector(typeOf.map(unsigned))),
      ...section(4, vector([[0x70, 0, ...unsigned(this.elements.length + 1)]])),
      ...section(6, vector(this.globals.map(({ type, value }) => [TYPE_CODE[type], 1, ...constant(type, value)]))),
      ...section(7, vector(this.functions.map(({ name }) => [...text(name), 0, ...unsigned(this.indices.get(name)!)]))),
      ...section(9, vector([[0, ...constant("i32", 1n),
        ...vector(this.elements.map((name) => unsigned(this.indices.get(name)!)))]])),
      ...section(10, vector(bodies)),
      ...section(11, vector(this.data.map(({ address, bytes }) =>
        [0, ...constant("i32", BigInt(address | 0)), ...vector(bytes.map((byte) => [byte]))]))),
      ...section(0, this.nameSection()),
    ]);
  }
}
