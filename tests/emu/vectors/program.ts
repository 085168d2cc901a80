// Writes an i386 ELF program that executes cases and prints the state after
// each: the runner, the cases, and the address space of space.ts, one file
// without libraries. Every case ends in a signal, if only that of the INT3
// behind it, whose frame has the registers, the number of the exception, its
// error code and address; the handler prints these and goes on to the next.
//
// Linux gives the process its local descriptor table by modify_ldt; where the
// kernel has none, the program exits with NO_LDT.

import { Assembler } from "../../../tools/kcc/assembler.js";
import { at, eax, ebx, ecx, edi, edx, esi, esp, label, sized } from "../../../tools/kcc/operands.js";
import type { Label, Memory } from "../../../tools/kcc/operands.js";
import {
  CODE, CODE_PAGE, DATA_PAGES, FLAT, LOCAL, LOCAL_NAMES, PAGE, READ_ONLY_PAGE, SAVE, WINDOWS, pattern, segmentOf,
} from "./space.js";
import type { LocalSegment } from "./space.js";
import { IMAGE_BYTES, TRAP } from "./vector.js";
import type { Input, Patch } from "./vector.js";

/** Exit status when the kernel refuses a local descriptor table. */
export const NO_LDT = 77;

const TEXT = 0x50000000;
const VARIABLES = 0x51000000;
const CASES = 0x52000000;
const OUTPUT = 0x60000000;
const OUTPUT_BYTES = 1 << 20;
const MOST_OF_A_CASE = 8192;
const STACKS = 0x61000000;
const STACK_BYTES = 0x20000;

/** Variables of the runner; the header of the current case is at CURRENT. */
const NEXT = VARIABLES;
const OUT = VARIABLES + 4;
const CURRENT = VARIABLES + 64;
const SIGNAL_STACK = VARIABLES + 256;
const ACTION = VARIABLES + 272;
const DESCRIPTORS = VARIABLES + 288;
const TEMPLATE = VARIABLES + PAGE;

/** Words of a case's header: flags, eight registers, EIP CS, ESP SS, DS ES FS GS, coprocessor. */
const HEADER = { FLAGS: 0, EAX: 1, EIP: 9, ESP: 11, DS: 13, ES: 14, FS: 15, GS: 16, IMAGE: 17, WORDS: 18 } as const;
/** Where the coprocessor's state after a case is: at SAVE unless it faulted, or in the frame of the signal. */
const SAVED = 1;
const FROM_FRAME = 2;
const SIGNALS = [4, 5, 7, 8, 11];
const SYSTEM = { EXIT: 1, WRITE: 4, SIGACTION: 67, MODIFY_LDT: 123, SIGALTSTACK: 186 } as const;
/** SA_ONSTACK | SA_NODEFER */
const ACTION_FLAGS = 0x48000000;

/** The struct sigcontext of i386: words, and the indices of some. */
export const CONTEXT = { GS: 0, FS: 1, ES: 2, DS: 3, EDI: 4, ESP: 7, TRAP: 12, ERROR: 13, EIP: 14, CS: 15, EFLAGS: 16,
  SS: 18, IMAGE: 19, CR2: 21, WORDS: 22 } as const;

const variable = (address: number): Memory => sized(at(undefined, address), 4);
const current = (word: number): Memory => variable(CURRENT + word * 4);
const little = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);

function copyWords(a: Assembler, words: number): void {
  a.op("mov", ecx, words).string("movs", 4, "rep");
}

function systemCall(a: Assembler, number: number): void {
  a.op("mov", eax, number).op("int", 0x80);
}

/** Puts the windows and the code page into their first state; keeps ESI. */
function restore(a: Assembler): void {
  a.op("mov", edx, esi);
  let from = TEMPLATE;
  for (const window of WINDOWS) {
    a.op("mov", esi, from).op("mov", edi, window.at);
    copyWords(a, window.bytes / 4);
    from += window.bytes;
  }
  a.op("mov", edi, CODE_PAGE).op("mov", eax, 0xcccccccc | 0).op("mov", ecx, PAGE / 4).string("stos", 4, "rep");
  a.op("mov", esi, edx);
}

/** Writes the patches at ESI. */
function patch(a: Assembler): void {
  const again = label("patch");
  const done = label("patched");
  a.bind(again).string("lods", 4).op("mov", ecx, eax).op("test", ecx, ecx).jump("je", done);
  a.string("lods", 4).op("mov", edi, eax).string("movs", 1, "rep");
  a.op("add", esi, 3).op("and", esi, -4).jump("jmp", again);
  a.bind(done).op("mov", variable(NEXT), esi);
}

/** Loads the state of the case and jumps into it. From MOV DS on only CS reaches the variables. */
function enter(a: Assembler): void {
  const segment = (opcode: number, word: number): void => {
    a.bytes([0x2e, 0x8e, opcode, ...little(CURRENT + word * 4)]);
  };
  segment(0x2d, HEADER.GS);
  segment(0x25, HEADER.FS);
  segment(0x05, HEADER.ES);
  a.op("push", current(HEADER.FLAGS)).op("popfd");
  for (let register = 0; register < 8; register++) {
    if (register !== 4) a.bytes([0x8b, 0x05 | (register << 3), ...little(CURRENT + (HEADER.EAX + register) * 4)]);
  }
  a.bytes([0x2e, 0x0f, 0xb2, 0x25, ...little(CURRENT + HEADER.ESP * 4)]);
  segment(0x1d, HEADER.DS);
  a.bytes([0x2e, 0xff, 0x2d, ...little(CURRENT + HEADER.EIP * 4)]);
}

/** Appends the words of the windows that have changed. */
function recordChanges(a: Assembler): void {
  let from = TEMPLATE;
  for (const window of WINDOWS) {
    const again = label("compare");
    const same = label("same");
    a.op("mov", esi, window.at).bind(again);
    a.op("mov", eax, at(esi)).op("cmp", eax, at(esi, from - window.at)).jump("je", same);
    a.op("mov", at(edi), esi).op("mov", at(edi, 4), eax).op("add", edi, 8);
    a.bind(same).op("add", esi, 4).op("cmp", esi, window.at + window.bytes).jump("jb", again);
    from += window.bytes;
  }
  a.op("mov", sized(at(edi), 4), 0).op("add", edi, 4);
}

/** The signal handler: ESP points at a return address, the signal, the context. */
function record(a: Assembler): void {
  const withoutImage = label("without image");
  const framed = label("framed");
  a.op("mov", esi, esp).op("add", esi, 8).op("mov", edi, variable(OUT));
  copyWords(a, CONTEXT.WORDS);
  a.op("cmp", current(HEADER.IMAGE), 0).jump("je", withoutImage);
  a.op("mov", esi, at(edi, (CONTEXT.IMAGE - CONTEXT.WORDS) * 4)).op("cmp", current(HEADER.IMAGE), SAVED);
  a.jump("jne", framed).op("cmp", sized(at(edi, (CONTEXT.TRAP - CONTEXT.WORDS) * 4), 4), TRAP.BP).jump("jne", framed);
  a.op("mov", esi, SAVE).bind(framed);
  copyWords(a, IMAGE_BYTES / 4);
  a.bind(withoutImage);
  recordChanges(a);
  a.op("mov", variable(OUT), edi);
}

/** Writes the output buffer. */
function write(a: Assembler): void {
  const more = label("more");
  const empty = label("empty");
  a.op("mov", ecx, OUTPUT).bind(more).op("mov", edx, variable(OUT)).op("sub", edx, ecx).jump("je", empty);
  a.op("mov", ebx, 1);
  systemCall(a, SYSTEM.WRITE);
  a.op("add", ecx, eax).jump("jmp", more).bind(empty).op("mov", variable(OUT), OUTPUT);
}

function setUp(a: Assembler, refused: Label): void {
  // A first write to a page that was never touched would be one to an absent page.
  a.op("mov", eax, variable(READ_ONLY_PAGE));
  a.op("mov", ebx, SIGNAL_STACK).op("mov", ecx, 0);
  systemCall(a, SYSTEM.SIGALTSTACK);
  for (const signal of SIGNALS) {
    a.op("mov", ebx, signal).op("mov", ecx, ACTION).op("mov", edx, 0);
    systemCall(a, SYSTEM.SIGACTION);
  }
  LOCAL_NAMES.forEach((_, i) => {
    a.op("mov", ebx, 0x11).op("mov", ecx, DESCRIPTORS + i * 16).op("mov", edx, 16);
    systemCall(a, SYSTEM.MODIFY_LDT);
    a.op("test", eax, eax).jump("jne", refused);
  });
}

interface Runner {
  readonly text: Uint8Array;
  /** Address of the signal handler. */
  readonly handler: number;
}

/** The runner; `end` is the address behind the last case. */
function runner(end: number): Runner {
  const a = new Assembler();
  const next = label("next");
  const flush = label("flush");
  const plain = label("plain");
  const refused = label("refused");
  setUp(a, refused);

  a.bind(next).op("mov", esp, STACKS + STACK_BYTES).op("mov", esi, variable(NEXT)).op("cmp", esi, end);
  a.jump("jae", flush).op("cld").op("mov", edi, CURRENT);
  copyWords(a, HEADER.WORDS);
  a.op("cmp", current(HEADER.IMAGE), 0).jump("je", plain).bytes([0xdd, 0x26]).op("add", esi, IMAGE_BYTES).bind(plain);
  restore(a);
  patch(a);
  enter(a);

  a.symbol("handler");
  record(a);
  a.op("cmp", edi, OUTPUT + OUTPUT_BYTES - MOST_OF_A_CASE).jump("jb", next).bind(flush);
  write(a);
  a.op("cmp", variable(NEXT), end).jump("jb", next).op("mov", ebx, 0);
  systemCall(a, SYSTEM.EXIT);
  a.bind(refused).op("mov", ebx, NO_LDT);
  systemCall(a, SYSTEM.EXIT);
  const { bytes, symbols } = a.text();
  return { text: bytes, handler: TEXT + symbols.find(({ name }) => name === "handler")!.offset };
}

/** The struct user_desc of modify_ldt. */
function descriptor(index: number, { base, limit, big, code, down, restricted, absent }: LocalSegment): number[] {
  const contents = code === true ? 2 : down === true ? 1 : 0;
  const flags = (big === true ? 1 : 0) | (contents << 1) | (restricted === true ? 8 : 0) | (absent === true ? 32 : 0);
  return [index, base, limit, flags];
}

function variables(handler: number): Uint8Array {
  const bytes = new Uint8Array(2 * PAGE);
  const view = new DataView(bytes.buffer);
  const set = (address: number, ...words: number[]): void =>
    words.forEach((word, i) => view.setUint32(address - VARIABLES + i * 4, word >>> 0, true));
  set(NEXT, CASES, OUTPUT);
  set(SIGNAL_STACK, STACKS + STACK_BYTES, 0, STACK_BYTES);
  set(ACTION, handler, 0, ACTION_FLAGS, 0);
  LOCAL_NAMES.forEach((name, i) => set(DESCRIPTORS + i * 16, ...descriptor(i, LOCAL[name])));
  let to = TEMPLATE - VARIABLES;
  for (const { at: from, bytes: length } of WINDOWS) {
    bytes.set(pattern(from & -PAGE).subarray(from % PAGE), to);
    const first = PAGE - from % PAGE;
    if (length > first) bytes.set(pattern((from + length) & -PAGE).subarray(0, length - first), to + first);
    to += length;
  }
  return bytes;
}

/** FNSAVE of SAVE: what a case of the coprocessor ends with. */
const FNSAVE = [0xdd, 0x35, ...little(SAVE)];

/** Whether a case of the coprocessor can store its state itself; that of others is taken from the signal frame. */
function savesImage({ image, segments, code }: Input): boolean {
  return image !== undefined && code.at === CODE && segments[1] === FLAT.CODE && segments[3] === FLAT.DATA;
}

/** Bytes of code that the runner adds behind a case's own. */
export function addedBytes(input: Input): number {
  return savesImage(input) ? FNSAVE.length : 0;
}

function encode(input: Input): number[] {
  const { registers, eflags, segments, code, data, image } = input;
  const [es, cs, ss, ds, fs, gs] = segments;
  const words = [eflags, ...registers, code.at - segmentOf(cs).base, cs, registers[4], ss, ds, es, fs, gs,
    image === undefined ? 0 : savesImage(input) ? SAVED : FROM_FRAME];
  const bytes = [...words.flatMap(little), ...(image ?? [])];
  const whole: Patch = { at: code.at, bytes: Uint8Array.from([...code.bytes, ...(savesImage(input) ? FNSAVE : [])]) };
  for (const patch of [whole, ...data]) {
    bytes.push(...little(patch.bytes.length), ...little(patch.at), ...patch.bytes);
    while (bytes.length % 4 !== 0) bytes.push(0);
  }
  return [...bytes, ...little(0)];
}

interface Segment {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly memoryBytes?: number;
  /** 4 read, 2 write, 1 execute. */
  readonly flags: number;
}

const ELF_HEADER = 52;
const PROGRAM_HEADER = 32;

function elf(segments: readonly Segment[], entry: number): Uint8Array {
  const sorted = [...segments].sort((a, b) => a.address - b.address);
  let size = PAGE;
  const offsets = sorted.map(({ bytes }) => {
    const offset = size;
    size += (bytes.length + PAGE - 1) & -PAGE;
    return offset;
  });
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  [[16, 2], [18, 3], [40, ELF_HEADER], [42, PROGRAM_HEADER], [44, sorted.length]]
    .forEach(([offset, value]) => view.setUint16(offset, value, true));
  [[20, 1], [24, entry], [28, ELF_HEADER]].forEach(([offset, value]) => view.setUint32(offset, value, true));
  sorted.forEach(({ address, bytes, memoryBytes, flags }, i) => {
    const header = [1, offsets[i], address, address, bytes.length, memoryBytes ?? bytes.length, flags, PAGE];
    header.forEach((word, k) => view.setUint32(ELF_HEADER + i * PROGRAM_HEADER + k * 4, word, true));
    file.set(bytes, offsets[i]);
  });
  return file;
}

/** The program of some cases; see outcomesOf in host.ts for what it prints. */
export function programOf(inputs: readonly Input[]): Uint8Array {
  const records = inputs.map(encode);
  const cases = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0));
  let to = 0;
  for (const record of records) {
    cases.set(record, to);
    to += record.length;
  }
  const { text, handler } = runner(CASES + cases.length);
  const none = new Uint8Array(0);
  return elf([
    { address: TEXT, bytes: text, flags: 5 },
    { address: VARIABLES, bytes: variables(handler), flags: 6 },
    { address: CASES, bytes: cases, flags: 4 },
    { address: OUTPUT, bytes: none, memoryBytes: OUTPUT_BYTES, flags: 6 },
    { address: STACKS, bytes: none, memoryBytes: STACK_BYTES * 2, flags: 6 },
    { address: SAVE, bytes: none, memoryBytes: PAGE, flags: 6 },
    { address: CODE_PAGE, bytes: new Uint8Array(PAGE), flags: 7 },
    ...DATA_PAGES.map((page) => ({ address: page, bytes: pattern(page), flags: page === READ_ONLY_PAGE ? 4 : 6 })),
  ], TEXT);
}
