// Entry from the processor's vectors: traps and interrupts.
//
// Each stub leaves a struct trapframe (frame.ts) on the kernel stack and calls
// trap(frame) or intr(frame) with its address. So in the activation of `trap`
// or `intr` the word at ebp + 8 is the address of the frame; that is how a
// stack walk gets past it. The interrupted ebp is what the callee pushed first,
// so the chain of frame pointers also goes straight on.
//
// An interrupt stub calls `intr` itself, so that the return address of `intr`
// lies in a function named Xintr0 … Xintr15.
//
// All of them leave through doreti. On the way to user mode it looks whether the
// process has something to do first (astpending): a signal to take, the
// processor to give away. Interrupts are off between the look and the iret.
import { Assembler, zeroBlock } from "../../../tools/kcc/assembler.js";
import type { DataSection, Section, TextSection } from "../../../tools/kcc/object.js";
import {
  at, ax, cx, ds, eax, ebp, ebx, ecx, edi, edx, es, esi, esp, fs, gs, label, memory, sized, symbol,
} from "../../../tools/kcc/operands.js";
import type { Memory } from "../../../tools/kcc/operands.js";
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
  return a.op("jmp", symbol("doreti")).text();
}

/** A stub with the whole sequence, calling `handler(frame)`. */
function completeStub(name: string, error: number, trapno: number, handler: string): TextSection {
  const a = new Assembler();
  a.symbol(name).op("push", error).op("push", trapno);
  saveFrame(a);
  a.op("push", esp).call(handler).op("add", esp, 4);
  return a.op("jmp", symbol("doreti")).text();
}

/** Leaves through the trap frame at esp, by way of trap(T_ASTFLT) when that is due. */
function doReturn(facts: GuestFacts): TextSection {
  const a = new Assembler();
  const look = label("look");
  const leave = label("leave");
  const field = (name: string): Memory => at(esp, facts.offset("Trapframe", name));
  a.symbol("doreti").op("test", sized(field("tf_cs"), 1), 3).jump("je", leave);
  a.bind(look).op("cli").op("cmp", memory("astpending"), 0).jump("je", leave);
  a.op("mov", memory("astpending"), 0).op("sti");
  a.op("mov", sized(field("tf_trapno"), 4), facts.constant("T_ASTFLT"));
  a.op("push", esp).call("trap").op("add", esp, 4).jump("jmp", look);
  restoreFrame(a.bind(leave));
  return a.symbol("edoreti").text();
}

/** return_to_user(frame): the frame becomes the stack. */
function returnToUser(): TextSection {
  const a = new Assembler();
  a.symbol("return_to_user").op("mov", esp, at(esp, 4)).op("jmp", symbol("doreti"));
  return a.text();
}

/** `int $0x80`. tf_err is the length of the instruction, for calls that begin again. */
const SYSCALL_INSTRUCTION_LENGTH = 2;

/** Numbers in kernel/syscalls.master: __sigreturn14 and exit. */
const SYSCALL = { sigreturn: 295, exit: 1 } as const;

/**
 * What a signal handler returns to, on the user's stack. esp is at the handler's
 * arguments {signum, code, scp}; scp is at 8 and the handler's address at 12. fs and gs, which the kernel does not
 * touch, are loaded here: a selector that cannot be is the user's fault.
 */
function sigcode(facts: GuestFacts): TextSection {
  const a = new Assembler();
  a.symbol("sigcode").op("call", at(esp, facts.offset("Sigframe", "sf_handler")));
  a.op("mov", eax, at(esp, facts.offset("Sigframe", "sf_scp")));
  a.op("mov", ecx, at(eax, facts.offset("Sigcontext", "sc_fs"))).op("mov", fs, cx);
  a.op("mov", ecx, at(eax, facts.offset("Sigcontext", "sc_gs"))).op("mov", gs, cx);
  a.op("push", eax).op("push", eax);
  a.op("mov", eax, SYSCALL.sigreturn).op("int", 0x80);
  a.op("push", eax).op("push", eax).op("mov", eax, SYSCALL.exit).op("int", 0x80);
  return a.symbol("esigcode").text();
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
    doReturn(facts),
    returnToUser(),
    completeStub("Xsyscall", SYSCALL_INSTRUCTION_LENGTH, facts.constant("T_ASTFLT"), "syscall"),
    sigcode(facts),
    zeroBlock("astpending", 4, 4),
    ...lines.map((line) => completeStub(`Xintr${line}`, 0, ICU_OFFSET + line, "intr")),
    addressTable("trap_vectors", numbers(TRAP_VECTORS).map((vector) => `Xtrap${hexDigits(vector)}`)),
    addressTable("intr_vectors", lines.map((line) => `Xintr${line}`)),
  ];
}
