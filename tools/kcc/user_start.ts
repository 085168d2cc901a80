// The assembly of a program of user space: start code, one stub for each system
// call that the program uses, and the block copies.
//
// A stub is what NetBSD's libc has: number in eax, `int $0x80` with the caller's
// arguments where they are (the kernel reads them from esp + 4), and when carry
// is set the error number goes to `errno` and the result is -1 in eax and edx.
import { memorySections } from "../../kernel/i386/locore/copy.js";
import { Assembler, zeroBlock } from "./assembler.js";
import type { Section, TextSection } from "./object.js";
import { at, eax, ebp, ecx, edx, esp, memory, symbol } from "./operands.js";
import { systemCalls } from "./user_calls.js";

/** Where a program begins. */
export const USER_ENTRY = "_start";

const WORD = 4;
const SYSCALL_VECTOR = 0x80;
const VFORKS = new Set(["vfork", "__vfork14"]);

/** Start code: the kernel leaves argc, argv…, NULL, envp…, NULL at esp. `main` and `exit` are full symbol names. */
function startCode(main: string, exit: string): TextSection {
  const a = new Assembler();
  a.symbol(USER_ENTRY).op("xor", ebp, ebp).op("mov", eax, at(esp)).op("lea", ecx, at(esp, WORD));
  a.op("lea", edx, at(ecx, WORD, eax, WORD)).op("mov", memory("environ"), edx);
  a.op("push", edx).op("push", ecx).op("push", eax);
  a.call(main).op("add", esp, 3 * WORD);
  a.op("push", eax).call(exit).op("add", esp, WORD);
  return a.text();
}

/**
 * vfork: the child runs on the parent's stack and writes over the return address, so that waits in ecx. On an error
 * it is put back for cerror.
 */
function vforkStub(name: string, number: number): TextSection {
  const a = new Assembler();
  a.symbol(name).op("pop", ecx).op("mov", eax, number).op("int", SYSCALL_VECTOR);
  a.op("push", ecx).op("jb", symbol("cerror"));
  return a.op("ret").text();
}

function stub(name: string, number: number): TextSection {
  if (VFORKS.has(name)) return vforkStub(name, number);
  const a = new Assembler();
  a.symbol(name).op("mov", eax, number).op("int", SYSCALL_VECTOR).op("jb", symbol("cerror"));
  if (name === "pipe") {
    // The two descriptors come in eax and edx.
    a.op("mov", ecx, at(esp, WORD)).op("mov", at(ecx), eax).op("mov", at(ecx, WORD), edx).op("xor", eax, eax);
  }
  return a.op("ret").text();
}

function errorExit(): TextSection {
  const a = new Assembler();
  a.symbol("cerror").op("mov", memory("errno"), eax).op("mov", eax, -1).op("mov", edx, -1).op("ret");
  return a.text();
}

/** The sections in front of the compiled code. `wanted` are the undefined symbols of that code. */
export function userSections(main: string, exit: string, wanted: ReadonlySet<string>): Section[] {
  const stubs = [...systemCalls()].filter(([name]) => wanted.has(name)).map(([name, number]) => stub(name, number));
  const copies = memorySections().filter((section) => section.symbols.some(({ name }) => wanted.has(name)));
  return [startCode(main, exit), errorExit(), ...stubs, ...copies, zeroBlock("environ", WORD, WORD), zeroBlock("errno", WORD, WORD)];
}
