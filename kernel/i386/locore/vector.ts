// Entry from the processor's vectors: traps and interrupts.
//
// Each stub leaves a struct trapframe (frame.ts) on the kernel stack and calls
// trap(frame) or intr(frame) with its address. So in the activation of `trap`
// or `intr` the word at ebp + 8 is the address of the frame; that is how a
// stack walk gets past it. The interrupted ebp is what the callee pushed first,
// so the chain of frame pointers also goes straight on.
//
// An interrupt stub holds the whole sequence, so that the return address of
// `intr` lies in a function named Xintr0 … Xintr15.
import { Assembler } from "../../../tools/kcc/assembler.js";
import type { DataSection, Section, TextSection } from "../../../tools/kcc/object.js";
import {
  ax, ds, eax, ebp, ebx, ecx, edi, edx, es, esi, esp, symbol,
} from "../../../tools/kcc/operands.js";
import { GDATA_SEL } from "./environment.js";
import type { GuestFacts } from "./environment.js";

/** The trap type of each vector, by the name of its constant in frame.ts; later vectors are T_RESERVED. */
const TRAP_TYPES = [
  "T_DIVIDE", "T_TRCTRAP", "T_NMI", "T_BPTFLT", "T_OFLOW", "T_BOUND", "T_PRIVINFLT", "T_DNA", "T_DOUBLEFLT",
  "T_FPOPFLT", "T_TSSFLT", "T_SEGNPFLT", "T_STKFLT", "T_PROTFLT", "T_PAGEFLT", "T_RESERVED", "T_ARITHTRAP",
  "T_ALIGNFLT",
];
const TRAP_VECTORS = 32;
/** Vectors for which the processor pushes an error code. */
const WITH_ERROR_CODE = new Set([8, 10, 11, 12, 13, 14, 17]);

const INTERRUPT_LINES = 16;
/** Vector of interrupt request line 0, as the 8259 pair is programmed. */
const ICU_OFFSET = 0x20;

/** Pushed in this order above trapno; see Trapframe. */
const FRAME_REGISTERS = [eax, ecx, edx, ebx, ebp, esi, edi];

function saveFrame(a: Assembler): void {
  for (const register of FRAME_REGISTERS) a.op("push", register);
  a.op("push", ds).op("push", es);
  a.op("mov", eax, GDATA_SEL).op("mov", ds, ax).op("mov", es, ax);
  a.op("cld");
}

function restoreFrame(a: Assembler): void {
  a.op("pop", es).op("pop", ds);
  for (const register of [...FRAME_REGISTERS].reverse()) a.op("pop", register);
  a.op("add", esp, 8).op("iretd");
}

function hexDigits(vector: number): string {
  return vector.toString(16).padStart(2, "0");
}

/** Stubs that complete the frame's head and join alltraps. */
function trapStubs(facts: GuestFacts): TextSection {
  const a = new Assembler();
  for (let vector = 0; vector < TRAP_VECTORS; vector++) {
    a.symbol(`Xtrap${hexDigits(vector)}`);
    if (!WITH_ERROR_CODE.has(vector)) a.op("push", 0);
    a.op("push", facts.constant(TRAP_TYPES[vector] ?? "T_RESERVED")).op("jmp", symbol("alltraps"));
  }
  return a.text();
}

/** Everything after trapno, for all traps. */
function allTraps(): TextSection {
  const a = new Assembler();
  a.symbol("alltraps");
  saveFrame(a);
  a.symbol("calltrap").op("push", esp).call("trap").op("add", esp, 4);
  restoreFrame(a);
  return a.text();
}

/** A stub with the whole sequence, calling `handler(frame)`. */
function completeStub(name: string, error: number, trapno: number, handler: string): TextSection {
  const a = new Assembler();
  a.symbol(name).op("push", error).op("push", trapno);
  saveFrame(a);
  a.op("push", esp).call(handler).op("add", esp, 4);
  restoreFrame(a);
  return a.text();
}

function addressTable(name: string, stubs: readonly string[]): DataSection {
  const a = new Assembler();
  a.symbol(name, "object");
  for (const stub of stubs) a.word(stub);
  return a.data(4);
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}

/** Stubs and the tables of their addresses, from which the IDT is filled. */
export function vectorSections(facts: GuestFacts): Section[] {
  const lines = numbers(INTERRUPT_LINES);
  return [
    trapStubs(facts),
    allTraps(),
    ...lines.map((line) => completeStub(`Xintr${line}`, 0, ICU_OFFSET + line, "intr")),
    addressTable("trap_vectors", numbers(TRAP_VECTORS).map((vector) => `Xtrap${hexDigits(vector)}`)),
    addressTable("intr_vectors", lines.map((line) => `Xintr${line}`)),
  ];
}
