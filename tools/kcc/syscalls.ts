// Makes what the kernel and its user programs know of system calls from one
// table, kernel/syscalls.master (makesyscalls of NetBSD). The generated files are part
// of the sources; a test makes them again and compares.
//
//     node build/host/tools/kcc/syscalls.js      writes them anew
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { DECLARATIONS_FILE, declarations } from "./user_calls.js";

const PROJECT_ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
export const SYSCALLS_MASTER = join(PROJECT_ROOT, "kernel/syscalls.master");
const ARGUMENTS_FILE = "kernel/syscallargs.ts";
const SWITCH_FILE = "kernel/init_sysent.ts";

const WORDS: Readonly<Record<string, number>> = { i32: 1, u32: 1, usize: 1, i64: 2 };

export interface SyscallArgument {
  readonly name: string;
  readonly type: string;
  /** Words on the user's stack. */
  readonly words: number;
}

export interface Syscall {
  readonly number: number;
  /** As user programs call it: `read`, `__stat13`. */
  readonly name: string;
  readonly arguments: readonly SyscallArgument[];
  /** void: 0 or -1; i64: eax and edx. */
  readonly result: "void" | "i32" | "i64";
  /** Guest file of the handler, without extension. */
  readonly file: string;
}

const LINE = /^(\d+)\s+(\w+)\(([^)]*)\)(?::\s*(i32|i64))?$/;

function parseArgument(text: string, where: string): SyscallArgument {
  const [name = "", type = ""] = text.split(":").map((part) => part.trim());
  const words = WORDS[type];
  if (name === "" || words === undefined) throw new Error(`${where}: "${text}" is not an argument with its type`);
  return { name, type, words };
}

/** Reads the table, by number. Throws `file:line: message`. */
export function parseSyscalls(text = readFileSync(SYSCALLS_MASTER, "utf8")): Syscall[] {
  const calls = new Map<number, Syscall>();
  let file: string | undefined;
  text.split("\n").forEach((line, index) => {
    const where = `kernel/syscalls.master:${index + 1}`;
    const content = line.trim();
    if (content === "" || content.startsWith(";")) return;
    if (content.startsWith("file ")) {
      file = content.slice(5).trim();
      return;
    }
    const match = LINE.exec(content);
    if (match === null || file === undefined) throw new Error(`${where}: "${content}" is not a system call`);
    const number = Number(match[1]);
    if (calls.has(number)) throw new Error(`${where}: number ${number} is taken by ${calls.get(number)!.name}`);
    const list = match[3]!.trim();
    const parsed = list === "" ? [] : list.split(",").map((one) => parseArgument(one.trim(), where));
    calls.set(number, {
      number, name: match[2]!, arguments: parsed, file, result: (match[4] ?? "void") as Syscall["result"],
    });
  });
  return [...calls.values()].sort((a, b) => a.number - b.number);
}

/** Words that a call takes from the user's stack. */
export function argumentWords(call: Syscall): number {
  return call.arguments.reduce((sum, one) => sum + one.words, 0);
}

/** `__sigaction14` -> `Sys__sigaction14Args`. */
function structName(call: Syscall): string {
  return `Sys${call.name.replace(/^[a-z]/, (letter) => letter.toUpperCase())}Args`;
}

const HEAD = "// Made from kernel/syscalls.master by tools/kcc/syscalls.ts: change that table, not this file.\n";

function argumentStructs(calls: readonly Syscall[]): string {
  const structs = calls.filter((call) => call.arguments.length > 0).map((call) => {
    const fields = call.arguments.map(({ name, type }) => `  ${name}: ${type};\n`).join("");
    return `\n/** ${call.name}, ${call.number}. */\n@unmanaged export class ${structName(call)} {\n${fields}}\n`;
  });
  return `// Arguments of the system calls as they lie on the user's stack.\n//\n${HEAD}${structs.join("")}`;
}

/** One import statement, broken at 120 columns. */
function importLine(names: readonly string[], from: string): string {
  const single = `import { ${names.join(", ")} } from "${from}";`;
  if (single.length <= 120) return `${single}\n`;
  const lines: string[] = [];
  let line = " ";
  for (const name of names) {
    if (line.length + name.length + 2 > 119) {
      lines.push(line);
      line = " ";
    }
    line += ` ${name},`;
  }
  return `import {\n${[...lines, line].join("\n")}\n} from "${from}";\n`;
}

function handlerImports(calls: readonly Syscall[]): string {
  const files = [...new Set(calls.map((call) => call.file))].sort();
  return files.map((file) => {
    let from = relative(dirname(SWITCH_FILE), file);
    if (!from.startsWith(".")) from = `./${from}`;
    return importLine(calls.filter((call) => call.file === file).map((call) => `sys_${call.name}`).sort(), from);
  }).join("");
}

function dispatch(calls: readonly Syscall[]): string {
  const structs = calls.filter((call) => call.arguments.length > 0).map(structName).sort();
  const cases = calls.map((call) => {
    const uap = call.arguments.length > 0 ? `changetype<${structName(call)}>(args), ` : "";
    return `    case ${call.number}: return sys_${call.name}(p, ${uap}retval);\n`;
  });
  const highest = calls.at(-1)!.number;
  const words = Array.from({ length: highest + 1 }, () => -1);
  for (const call of calls) words[call.number] = argumentWords(call);
  const names = calls.map((call) => `    case ${call.number}: return cs("${call.name}");\n`);
  const rows: string[] = [];
  for (let at = 0; at < words.length; at += 20) rows.push(`  ${words.slice(at, at + 20).join(", ")},`);
  return `// The switch of the system calls, their argument counts and names.
//
${HEAD}import { Proc } from "./sys/proc";
${handlerImports(calls)}${importLine(structs, "./syscallargs")}
/** The highest number. */
const SYS_MAXSYSCALL: u32 = ${highest};

/** Words of arguments of each number; -1 for numbers without a call. */
const sysent_words: usize = memory.data<i8>([
${rows.join("\n")}
]);

/** Words of arguments that call \`code\` takes; -1 when there is no such call. */
export function syscall_words(code: u32): i32 {
  return code > SYS_MAXSYSCALL ? -1 : i32(load<i8>(sysent_words + code));
}

/** Calls the handler of \`code\`, which exists. \`args\`: its arguments; \`retval\`: two words for eax and edx. */
export function syscall_dispatch(code: u32, p: Proc, args: usize, retval: usize): i32 {
  switch (code) {
${cases.join("")}    default: return 78; // ENOSYS
  }
}

/** Name of call \`code\`; 0 when there is no such call. */
export function syscall_name(code: u32): usize {
  switch (code) {
${names.join("")}    default: return 0;
  }
}
`;
}

/** The generated files: path -> text. */
export function generatedFiles(calls = parseSyscalls()): ReadonlyMap<string, string> {
  return new Map([
    [ARGUMENTS_FILE, argumentStructs(calls)],
    [SWITCH_FILE, dispatch(calls)],
    [DECLARATIONS_FILE, declarations(calls)],
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, text] of generatedFiles()) writeFileSync(join(PROJECT_ROOT, file), text);
}
