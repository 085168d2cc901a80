// Changing stacks: process switch, the first steps of a new process, non-local
// return, and the entry to the debugger.
import { Assembler } from "../../../tools/kcc/assembler.js";
import type { Section, TextSection } from "../../../tools/kcc/object.js";
import { at, eax, ebp, ebx, edi, edx, esi, esp } from "../../../tools/kcc/operands.js";
import type { Register } from "../../../tools/kcc/operands.js";

/** Pushed by switch_stack in this order; a fresh stack begins with them in reverse, then the address to start at. */
const SAVED_REGISTERS = [ebp, ebx, esi, edi];

/**
 * switch_stack(saved_esp, esp): keeps the caller's registers on its stack and
 * the stack pointer at *saved_esp, goes on where the other stack was left. No
 * frame of its own: the saved ebp is the caller's, so a trace of a sleeping
 * process starts in mi_switch's caller.
 */
function switchStack(): TextSection {
  const a = new Assembler();
  a.symbol("switch_stack").op("mov", eax, at(esp, 4)).op("mov", edx, at(esp, 8));
  for (const register of SAVED_REGISTERS) a.op("push", register);
  a.op("mov", at(eax), esp).op("mov", esp, edx);
  for (const register of [...SAVED_REGISTERS].reverse()) a.op("pop", register);
  return a.op("ret").text({ size: 20, parameters: words("saved_esp", "esp"), calls: [] });
}

/** Where a new process starts: calls the function in esi with the argument in ebx, then kthread_exit(0). */
function procTrampoline(): TextSection {
  const a = new Assembler();
  a.symbol("proc_trampoline").op("push", ebx).op("call", esi).op("add", esp, 4);
  return a.op("push", 0).call("kthread_exit").op("add", esp, 4).op("hlt").text();
}

/** Order of the words of a label_t. */
const LABEL_REGISTERS: readonly Register[] = [ebx, esp, ebp, esi, edi];
const LABEL_EIP = 4 * LABEL_REGISTERS.length;

/** setjmp(label): 0, and 1 when longjmp comes back here. The label must not outlive the caller's activation. */
function setjmp(): TextSection {
  const a = new Assembler();
  a.symbol("setjmp").op("mov", eax, at(esp, 4));
  LABEL_REGISTERS.forEach((register, word) => a.op("mov", at(eax, 4 * word), register));
  a.op("mov", edx, at(esp)).op("mov", at(eax, LABEL_EIP), edx);
  return a.op("xor", eax, eax).op("ret").text({ size: 4, parameters: words("label"), calls: [] });
}

/** longjmp(label): does not return. */
function longjmp(): TextSection {
  const a = new Assembler();
  a.symbol("longjmp").op("mov", eax, at(esp, 4));
  LABEL_REGISTERS.forEach((register, word) => a.op("mov", register, at(eax, 4 * word)));
  a.op("mov", edx, at(eax, LABEL_EIP)).op("mov", at(esp), edx);
  return a.op("mov", eax, 1).op("ret").text({ size: 4, parameters: words("label"), calls: [] });
}

/** The breakpoint that panic and the console break take: stops at cpu_Debugger+0x4, a `leave`. */
function cpuDebugger(): TextSection {
  const a = new Assembler();
  a.symbol("cpu_Debugger").op("push", ebp).op("mov", ebp, esp).op("int3").op("leave").op("ret");
  return a.text({ size: 8, parameters: [], calls: [] });
}

function words(...names: string[]): { name: string; words: number }[] {
  return names.map((name) => ({ name, words: 1 }));
}

export function switchSections(): Section[] {
  return [switchStack(), procTrampoline(), setjmp(), longjmp(), cpuDebugger()];
}
