// The system calls as the programs of user space see them, made from
// kernel/syscalls.master: names, numbers, and the file of declarations that the
// programs import (syscalls.ts writes it).
import { parseSyscalls } from "./syscalls.js";
import type { Syscall } from "./syscalls.js";

export const DECLARATIONS_FILE = "kernel/user/lib/syscalls.ts";

/** Calls whose plain name a library function or the language has. */
const RENAMED: Readonly<Record<string, string>> = { exit: "_exit", break: "_break" };
const RESERVED = new Set(["in", "new", "export", "import"]);

/** What a program calls: `read`, `_exit`. */
function stubName({ name }: Syscall): string {
  return RENAMED[name] ?? name;
}

/** syscall(2): the call whose number is the first argument, with up to eight words of arguments. */
const INDIRECT = { name: "syscall", number: 0, words: 8 } as const;

/** Stub names and numbers. */
export function systemCalls(calls = parseSyscalls()): ReadonlyMap<string, number> {
  return new Map([[INDIRECT.name, INDIRECT.number], ...calls.map((call) => [stubName(call), call.number] as const)]);
}

function indirectDeclaration(): string {
  const words = Array.from({ length: INDIRECT.words }, (_, at) => `a${at}: u32`).join(", ");
  return `export declare function ${INDIRECT.name}(number: u32, ${words}): i32;\n`;
}

function declaration(call: Syscall): string {
  // pipe(2) stores what the kernel returns in two registers.
  const list = call.name === "pipe" ? [{ name: "fds", type: "usize" }] : call.arguments;
  const parameters = list.map(({ name, type }) => `${RESERVED.has(name) ? `${name}_` : name}: ${type}`).join(", ");
  const result = call.name === "pipe" || call.result === "void" ? "i32" : call.result;
  return `export declare function ${stubName(call)}(${parameters}): ${result};\n`;
}

/** The text of the declarations file. */
export function declarations(calls = parseSyscalls()): string {
  return "// The system calls. Each gives -1 and sets errno when it fails; calls without a result give 0.\n//\n" +
    "// Made from kernel/syscalls.master by tools/kcc/syscalls.ts: change that table, not this file.\n\n" +
    indirectDeclaration() + calls.map(declaration).join("");
}
