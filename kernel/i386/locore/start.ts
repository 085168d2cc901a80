// From the boot loader to init386() and main().
//
// The loader (Multiboot 1) enters `start` at its physical address: protected
// mode, flat segments, paging off, interrupts off, eax = magic, ebx = physical
// address of the information structure, bss zeroed.
//
// What init386 finds (its argument: the physical address of the first page
// after the image):
//   - paging on; the first 16 MB of physical memory mapped read/write at
//     KERNBASE through four page tables of the image (bootstrap_ptps), and
//     nothing else: the image, the Multiboot information and the ISA hole are in
//     there; modules further up are not;
//   - slot PDSLOT_PTE of `bootstrap_pdir` points to the directory itself;
//   - the words `multiboot_magic`, `multiboot_info` (physical) and `cpu_class`;
//   - CR0.WP on where the processor has it (cpu_class 4);
//   - a GDT with kernel code and data only, no IDT, no task register;
//   - the stack at the top of `proc0_uarea`, below whose page lies a page of the
//     image that holds nothing (`proc0_guard`), to be unmapped.
// Memory after the image may hold what the loader left (command line, module
// list): it is free only when init386 has read it.
import { Assembler, zeroBlock } from "../../../tools/kcc/assembler.js";
import { BOOTSTRAP_MAPPED, KERNBASE, PAGE_SIZE } from "../../../tools/kcc/memory_map.js";
import type { DataSection, Section, SectionSymbol, TextSection } from "../../../tools/kcc/object.js";
import {
  at, ax, cr0, cr3, ds, eax, ebp, ebx, ecx, edi, es, esp, fs, gs, label, memory, ss, symbol,
} from "../../../tools/kcc/operands.js";
import type { Memory, SymbolOperand } from "../../../tools/kcc/operands.js";
import { GCODE_SEL, GDATA_SEL } from "./environment.js";
import type { GuestFacts } from "./environment.js";

const MULTIBOOT_HEADER_MAGIC = 0x1badb002;
const MULTIBOOT_LOADER_MAGIC = 0x2badb002;
/** Modules on page boundaries; memory information. */
const MULTIBOOT_FLAGS = 0x3;

const ENTRIES_PER_TABLE = 1024;
const BOOTSTRAP_PAGE_TABLES = BOOTSTRAP_MAPPED / (ENTRIES_PER_TABLE * PAGE_SIZE);
/** Page directory slots: the recursive one and the first of the kernel. */
const PDSLOT_PTE = 767;
const PDSLOT_KERN = 768;

const PG_V_RW = 0x3;
const CR0_PG = 0x80000000;
const CR0_WP = 0x00010000;
const PSL_AC = 0x00040000;

/** Physical address of a symbol of the image, as an immediate. */
function physical(name: string, addend = 0): SymbolOperand {
  return symbol(name, addend - KERNBASE);
}

/** Memory at a symbol while paging is off. */
function physicalMemory(name: string, addend = 0): Memory {
  return memory(name, addend - KERNBASE);
}

/** The header that a Multiboot loader looks for in the first 8 KB of the image. */
function header(): TextSection {
  const a = new Assembler();
  a.word(MULTIBOOT_HEADER_MAGIC).word(MULTIBOOT_FLAGS).word(-(MULTIBOOT_HEADER_MAGIC + MULTIBOOT_FLAGS));
  return a.text();
}

/** Sets `cpu_class`: only from the i486 on can EFLAGS.AC be changed. */
function detectProcessor(a: Assembler): void {
  const is386 = label("is386");
  a.op("mov", physicalMemory("cpu_class"), 3);
  a.op("pushfd").op("pop", eax).op("mov", ecx, eax);
  a.op("xor", eax, PSL_AC).op("push", eax).op("popfd");
  a.op("pushfd").op("pop", eax).op("push", ecx).op("popfd");
  a.op("xor", eax, ecx).op("test", eax, PSL_AC).jump("je", is386);
  a.op("mov", physicalMemory("cpu_class"), 4);
  a.bind(is386);
}

/** Fills the page tables and the directory; slots 0 to 3 map the same memory at its physical address for a moment. */
function buildPageTables(a: Assembler): void {
  const nextEntry = label("nextEntry");
  a.op("mov", edi, physical("bootstrap_ptps")).op("mov", eax, PG_V_RW);
  a.op("mov", ecx, BOOTSTRAP_PAGE_TABLES * ENTRIES_PER_TABLE);
  a.bind(nextEntry).op("mov", at(edi), eax).op("add", edi, 4).op("add", eax, PAGE_SIZE);
  a.op("dec", ecx).jump("jne", nextEntry);

  const nextTable = label("nextTable");
  a.op("mov", edi, physical("bootstrap_pdir")).op("mov", eax, physical("bootstrap_ptps", PG_V_RW));
  a.op("mov", ecx, BOOTSTRAP_PAGE_TABLES);
  a.bind(nextTable).op("mov", at(edi), eax).op("mov", at(edi, 4 * PDSLOT_KERN), eax);
  a.op("add", edi, 4).op("add", eax, PAGE_SIZE).op("dec", ecx).jump("jne", nextTable);
  a.op("mov", eax, physical("bootstrap_pdir", PG_V_RW));
  a.op("mov", physicalMemory("bootstrap_pdir", 4 * PDSLOT_PTE), eax);
}

function enablePaging(a: Assembler): void {
  const noWriteProtect = label("noWriteProtect");
  a.op("mov", eax, physical("bootstrap_pdir")).op("mov", cr3, eax);
  a.op("mov", eax, cr0).op("or", eax, CR0_PG);
  a.op("cmp", physicalMemory("cpu_class"), 4).jump("jb", noWriteProtect);
  a.op("or", eax, CR0_WP);
  a.bind(noWriteProtect).op("mov", cr0, eax);
  a.op("mov", eax, symbol(".start_high")).op("jmp", eax);
}

/** Runs at the linked addresses: drops the low mapping, loads segments and stack, calls C. */
function runHigh(a: Assembler): void {
  a.symbol(".start_high");
  a.op("xor", eax, eax);
  for (let slot = 0; slot < BOOTSTRAP_PAGE_TABLES; slot++) a.op("mov", memory("bootstrap_pdir", 4 * slot), eax);
  a.op("mov", eax, cr3).op("mov", cr3, eax);
  a.op("lgdt", memory("bootstrap_gdt_region")).farJump(GCODE_SEL, ".start_segments");
  a.symbol(".start_segments");
  a.op("mov", eax, GDATA_SEL);
  for (const segment of [ds, es, ss]) a.op("mov", segment, ax);
  a.op("xor", eax, eax);
  for (const segment of [fs, gs]) a.op("mov", segment, ax);
  a.op("mov", esp, symbol(".proc0_stack_top")).op("xor", ebp, ebp);
  a.op("mov", eax, physical("end", PAGE_SIZE - 1)).op("and", eax, -PAGE_SIZE);
  a.op("push", eax).call("init386").op("add", esp, 4);
  a.call("main");
  const stop = label("stop");
  a.bind(stop).op("cli").op("hlt").jump("jmp", stop);
}

/** Entered by the loader; also the way a loader that is not Multiboot is refused: the machine stops. */
function start(): TextSection {
  const a = new Assembler();
  const notMultiboot = label("notMultiboot");
  a.symbol("start").op("cli").op("cld");
  a.op("mov", physicalMemory("multiboot_magic"), eax).op("mov", physicalMemory("multiboot_info"), ebx);
  a.op("mov", esp, physical(".proc0_stack_top"));
  a.op("cmp", eax, MULTIBOOT_LOADER_MAGIC).jump("jne", notMultiboot);
  detectProcessor(a);
  buildPageTables(a);
  enablePaging(a);
  a.bind(notMultiboot).op("hlt").jump("jmp", notMultiboot);
  runHigh(a);
  return a.text();
}

/** Flat code and data segments of ring 0, and the region that lgdt takes. */
function gdt(): DataSection {
  const a = new Assembler();
  a.symbol("bootstrap_gdt", "object").word(0).word(0);
  a.word(0x0000ffff).word(0x00cf9a00);
  a.word(0x0000ffff).word(0x00cf9200);
  a.symbol("bootstrap_gdt_region", "object").bytes([3 * 8 - 1, 0]).word("bootstrap_gdt");
  return a.data(8);
}

function userArea(facts: GuestFacts): DataSection {
  const size = facts.constant("USPACE");
  const object = (name: string, offset: number, length: number): SectionSymbol => ({
    ...{ name, offset, size: length, global: true, type: "object" },
  });
  return {
    ...zeroBlock("proc0_guard", PAGE_SIZE + size, PAGE_SIZE),
    symbols: [
      object("proc0_guard", 0, PAGE_SIZE),
      object("proc0_uarea", PAGE_SIZE, size),
      object(".proc0_stack_top", PAGE_SIZE + size, 0),
    ],
  };
}

/** Variables of one word; sym.ts says what they hold. */
const WORDS = ["multiboot_magic", "multiboot_info", "cpu_class", "curpcb", "copyout_prepare"];

/** The header first: the linker keeps the order. */
export function startSections(facts: GuestFacts): Section[] {
  return [
    header(),
    start(),
    gdt(),
    zeroBlock("bootstrap_pdir", PAGE_SIZE, PAGE_SIZE),
    zeroBlock("bootstrap_ptps", BOOTSTRAP_PAGE_TABLES * PAGE_SIZE, PAGE_SIZE),
    userArea(facts),
    ...WORDS.map((name) => zeroBlock(name, 4, 4)),
  ];
}
