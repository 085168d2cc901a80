// What the builder of one function must know of the whole module: names,
// which callees are expanded in place, which callees are forbidden, and where
// static Function objects lie.
//
// How asc 0.28 treats function values: `f.index` calls the accessor
// `~lib/function/Function<…>#get:index` on the constant address of a static
// Function object. The object is a data segment of 32 bytes: a header of 20
// (mmInfo 0x1c, two words 0, rtId, rtSize 8) and the payload, table index and
// environment 0. kcc folds a load of the index to the code address of the
// function; the objects themselves then vanish from the image.

import type { WasmFunction, WasmModule } from "../wasm/module.js";

/** A problem in the guest's source, at the byte offset of an instruction. */
export interface Problem {
  readonly origin: number;
  readonly message: string;
}

export interface ModuleContext {
  readonly module: WasmModule;
  readonly problems: Problem[];
  /** Address of each static Function object to the function it stands for. */
  readonly functionObjects: ReadonlyMap<number, WasmFunction>;
  /** Whether calls of this function are expanded in place. */
  readonly expand: (callee: WasmFunction) => boolean;
  /** Whether the code generator knows this import of `cpufunc`. */
  readonly isIntrinsic: (name: string) => boolean;
}

const OBJECT_HEADER = 20;
const OBJECT_SEGMENT = 32;

/** Accessor that reads the table index of a Function object. */
export function isIndexAccessor(callee: WasmFunction): boolean {
  return /^~lib\/function\/Function<.*#get:index$/.test(callee.name);
}

/** Why guest code may not call this function, or undefined when it may. */
export function forbiddenCallee(name: string): string | undefined {
  if (/^~lib\/string\/String#get:length$/.test(name)) return undefined;
  const isManaged = /^~lib\/(rt|string|array|number|object|staticarray|typedarray|map|set)\//.test(name);
  if (isManaged || name.endsWith("#constructor")) return `reaches the managed runtime through ${name}`;
  return undefined;
}

function findFunctionObjects(module: WasmModule): Map<number, WasmFunction> {
  const objects = new Map<number, WasmFunction>();
  for (const { address, bytes } of module.data) {
    if (bytes.length !== OBJECT_SEGMENT) continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const word = (index: number): number => view.getUint32(index * 4, true);
    const isObject = word(0) === 0x1c && word(1) === 0 && word(2) === 0 && word(3) > 2 && word(4) === 8
      && word(6) === 0;
    const target = module.elements.get(word(5));
    if (isObject && target !== undefined) objects.set((address + OBJECT_HEADER) | 0, module.functions[target]);
  }
  return objects;
}

const CONTROL_FIRST = 0x02;
const CONTROL_LAST = 0x0f;
const RETURN = 0x0f;
const END = 0x0b;
const CALL = 0x10;
const CALL_INDIRECT = 0x11;
const MAX_EXPANDED = 24;

/** Accessors whose body is straight-line code, without calls of anything but such accessors. */
function makeExpand(module: WasmModule): (callee: WasmFunction) => boolean {
  const known = new Map<number, boolean>();
  const decide = (callee: WasmFunction): boolean => {
    const isAccessor = /#(get|set):[^/]*$/.test(callee.name);
    if (!isAccessor || callee.import !== undefined || callee.body.length > MAX_EXPANDED) return false;
    return callee.body.every((instruction, i) => {
      const { code } = instruction;
      if (code === CALL) return expand(module.functions[instruction.a]);
      if (code === CALL_INDIRECT) return false;
      if (code === RETURN) return i === callee.body.length - 2;
      if (code === END) return i === callee.body.length - 1;
      return code !== 0 && (code < CONTROL_FIRST || code > CONTROL_LAST);
    });
  };
  const expand = (callee: WasmFunction): boolean => {
    const found = known.get(callee.index);
    if (found !== undefined) return found;
    known.set(callee.index, false);
    const answer = decide(callee);
    known.set(callee.index, answer);
    return answer;
  };
  return expand;
}

/** Prepares the context of a module. */
export function newContext(module: WasmModule, isIntrinsic: (name: string) => boolean): ModuleContext {
  return { module, problems: [], functionObjects: findFunctionObjects(module), expand: makeExpand(module),
    isIntrinsic };
}

/** The name of an imported symbol: `sym.etext` and `etext` are the linker symbol `etext`. */
export function importedSymbol(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
