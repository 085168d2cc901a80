// Guest sources that kcc must refuse, with the message it must give.

export interface Mistake {
  readonly name: string;
  readonly source: string;
  readonly expected: RegExp;
}

const FILE = "tests/fixtures/kcc/mistake.ts";

function at(line: number, message: string): RegExp {
  return new RegExp(`^${FILE}:${line}: .*${message}`);
}

/** Declarations that the mistakes import. */
export const MISTAKE_SUPPORT: readonly [string, string][] = [
  ["tests/fixtures/kcc/cpufunc.ts", "export declare function frame_alloc(n: u32): usize;\n"
    + "export declare function bss(n: u32, a: u32): usize;\nexport declare function rdtsc(): u32;\n"],
  ["tests/fixtures/kcc/other.ts", "export function twice(): void {}\n"],
];

export const MISTAKES: readonly Mistake[] = [
  {
    name: "an object made by new",
    source: "class Box { value: u32 = 1; }\nexport function box(): u32 {\n  return new Box().value;\n}\n",
    expected: at(3, "managed runtime through"),
  },
  {
    name: "a string concatenation",
    source: "export function join(a: string): string {\n  return a + \"b\";\n}\n",
    expected: at(2, "managed runtime through ~lib/string"),
  },
  {
    name: "floating point",
    source: "export function half(a: u32): u32 {\n  return <u32>(<f64>a * 0.5);\n}\n",
    expected: at(2, "floating point"),
  },
  {
    name: "an initialiser that must run",
    source: "function compute(): u32 { return 3; }\nexport let start: u32 = compute();\n"
      + "export function get(): u32 { return start; }\n",
    expected: at(2, "not constant"),
  },
  {
    name: "the size of memory",
    source: "export function size(): i32 {\n  return memory.size();\n}\n",
    expected: at(2, "memory.size"),
  },
  {
    name: "a frame slot of variable size",
    source: "import { frame_alloc } from \"./cpufunc\";\n"
      + "export function slot(n: u32): usize {\n  return frame_alloc(n);\n}\n",
    expected: at(3, "frame_alloc with a size that is not a positive constant"),
  },
  {
    name: "an unknown intrinsic",
    source: "import { rdtsc } from \"./cpufunc\";\nexport function now(): u32 {\n  return rdtsc();\n}\n",
    expected: at(3, "rdtsc, which is no intrinsic"),
  },
  {
    name: "a function stored as a value",
    source: "type F = () => void;\nfunction f(): void {}\n@unmanaged class Box { f: F; }\n"
      + "export function set(b: Box): void {\n  b.f = f;\n}\n",
    expected: at(5, "uses the function .*/f as a value"),
  },
  {
    name: "the index of a function that is not known",
    source: "type F = () => void;\nexport function index(f: F): u32 {\n  return f.index;\n}\n",
    expected: at(3, "not a constant"),
  },
];
