// Descriptor tables: GDT, IDT, the kernel's task and the double-fault task.
//
// The kernel's segments are flat; protection is by paging. A user's begin at 0 and
// end where the kernel's page tables begin; they stand in an LDT that all processes share. One TSS serves all processes: it
// holds the stack for entries from user mode, which cpu_switch keeps current. A
// double fault cannot use the kernel stack (it is usually the kernel stack that
// faulted), so its gate switches to a task with a stack of its own.
import { bss, lgdt, lidt, lldt, ltr, rcr3 } from "./cpufunc";
import { dblfault } from "./dblfault";
import { sym } from "./sym";
import { VM_MAXUSER_ADDRESS } from "../sys/param";

// GDT slots and selectors (pmap.md §5).
export const GCODE_SEL: u32 = 0x08;
export const GDATA_SEL: u32 = 0x10;
export const GLDT_SEL: u32 = 0x18;
export const GUCODE_SEL: u32 = 0x20;
export const GUDATA_SEL: u32 = 0x28;
export const GPROC0_SEL: u32 = 0x78;
export const GDBLFLT_SEL: u32 = 0x80;
const NGDT: u32 = 17;
const NIDT: u32 = 256;

// Slots of the LDT, as selectors with the user's privilege: what a user's segment registers hold.
export const LUCODE_SEL: u32 = 0x17;
export const LUDATA_SEL: u32 = 0x1f;
const NLDT: u32 = 17;

const SEL_KPL: u32 = 0;
/** Privilege of user selectors. */
export const SEL_UPL: u32 = 3;

// Types of descriptors.
const SDT_MEMRWA: u32 = 0x13;
const SDT_MEMERA: u32 = 0x1b;
const SDT_SYSLDT: u32 = 2;
const SDT_SYSTASKGT: u32 = 5;
const SDT_SYS386TSS: u32 = 9;
const SDT_SYS386IGT: u32 = 14;
const SDT_SYS386TGT: u32 = 15;

const T_BPT_VECTOR: u32 = 3;
const T_OFL_VECTOR: u32 = 4;
const T_DBL_VECTOR: u32 = 8;
const NTRAPS: u32 = 32;
const NINTRS: u32 = 16;
const ICU_VECTOR: u32 = 0x20;
const SYSCALL_VECTOR: u32 = 0x80;

/** A task state segment; field names without the tss_ of the C struct's members for registers. */
@unmanaged
export class I386tss {
  tss_link: u32;
  tss_esp0: u32;
  tss_ss0: u32;
  tss_esp1: u32;
  tss_ss1: u32;
  tss_esp2: u32;
  tss_ss2: u32;
  tss_cr3: u32;
  tss_eip: u32;
  tss_eflags: u32;
  tss_eax: u32;
  tss_ecx: u32;
  tss_edx: u32;
  tss_ebx: u32;
  tss_esp: u32;
  tss_ebp: u32;
  tss_esi: u32;
  tss_edi: u32;
  tss_es: u32;
  tss_cs: u32;
  tss_ss: u32;
  tss_ds: u32;
  tss_fs: u32;
  tss_gs: u32;
  tss_ldt: u32;
  tss_ioopt: u32;
}
const SIZEOF_TSS: u32 = 104;

const gdt: usize = memory.data(17 * 8, 8);
const ldt: usize = memory.data(17 * 8, 8);
/** The task of everything but a double fault. */
export const common_tss = changetype<I386tss>(memory.data(104, 4));
const dblfault_tss = changetype<I386tss>(memory.data(104, 4));
/** Limit and base for lgdt and lidt: six bytes. */
const region: usize = memory.data(8, 4);

const DBLFAULT_STACK_SIZE: u32 = 8192;

function idt(): usize {
  return bss(2048, 8);
}

function dblfault_stack(): usize {
  return bss(8192, 16);
}

/** A memory segment of `limit` pages (less one) from 0. */
function setsegment(table: usize, selector: u32, limit: u32, type: u32, dpl: u32): void {
  const at = table + (selector & ~7);
  store<u32>(at, limit & 0xffff);
  store<u32>(at, 0x00c08000 | (limit & 0xf0000) | (dpl << 13) | (type << 8), 4);
}

/** A system segment: base and byte limit. */
function setsysdesc(selector: u32, base: usize, limit: u32, type: u32): void {
  const at = gdt + (selector & ~7);
  store<u32>(at, (limit & 0xffff) | (base << 16));
  store<u32>(at, (base & 0xff000000) | (limit & 0xf0000) | 0x8000 | (type << 8) | ((base >> 16) & 0xff), 4);
}

function setgate(vector: u32, handler: u32, type: u32, dpl: u32, selector: u32): void {
  const at = idt() + vector * 8;
  store<u32>(at, (selector << 16) | (handler & 0xffff));
  store<u32>(at, (handler & 0xffff0000) | 0x8000 | (dpl << 13) | (type << 8), 4);
}

function setregion(base: usize, size: u32): usize {
  store<u16>(region, size - 1);
  store<u32>(region + 2, base);
  return region;
}

function gdt_init(): void {
  const user_limit = (VM_MAXUSER_ADDRESS >> 12) - 1;
  setsegment(gdt, GCODE_SEL, 0xfffff, SDT_MEMERA, SEL_KPL);
  setsegment(gdt, GDATA_SEL, 0xfffff, SDT_MEMRWA, SEL_KPL);
  setsegment(gdt, GUCODE_SEL, user_limit, SDT_MEMERA, SEL_UPL);
  setsegment(gdt, GUDATA_SEL, user_limit, SDT_MEMRWA, SEL_UPL);
  setsegment(ldt, LUCODE_SEL, user_limit, SDT_MEMERA, SEL_UPL);
  setsegment(ldt, LUDATA_SEL, user_limit, SDT_MEMRWA, SEL_UPL);
  setsysdesc(GLDT_SEL, ldt, NLDT * 8 - 1, SDT_SYSLDT);
  setsysdesc(GPROC0_SEL, changetype<usize>(common_tss), SIZEOF_TSS - 1, SDT_SYS386TSS);
  setsysdesc(GDBLFLT_SEL, changetype<usize>(dblfault_tss), SIZEOF_TSS - 1, SDT_SYS386TSS);
  lgdt(setregion(gdt, NGDT * 8));
}

function idt_init(): void {
  let vector: u32 = 0;
  while (vector < NTRAPS) {
    const dpl = vector == T_BPT_VECTOR || vector == T_OFL_VECTOR ? SEL_UPL : SEL_KPL;
    setgate(vector, load<u32>(sym.trap_vectors() + vector * 4), SDT_SYS386TGT, dpl, GCODE_SEL);
    vector++;
  }
  setgate(T_DBL_VECTOR, 0, SDT_SYSTASKGT, SEL_KPL, GDBLFLT_SEL);
  let irq: u32 = 0;
  while (irq < NINTRS) {
    setgate(ICU_VECTOR + irq, load<u32>(sym.intr_vectors() + irq * 4), SDT_SYS386IGT, SEL_KPL, GCODE_SEL);
    irq++;
  }
  setgate(SYSCALL_VECTOR, sym.Xsyscall(), SDT_SYS386TGT, SEL_UPL, GCODE_SEL);
  lidt(setregion(idt(), NIDT * 8));
}

function tss_init(stack_top: usize): void {
  common_tss.tss_ss0 = GDATA_SEL;
  common_tss.tss_esp0 = stack_top;
  common_tss.tss_ioopt = SIZEOF_TSS << 16;
  const task = dblfault_tss;
  task.tss_ss0 = GDATA_SEL;
  task.tss_esp0 = dblfault_stack() + DBLFAULT_STACK_SIZE;
  task.tss_esp = dblfault_stack() + DBLFAULT_STACK_SIZE - 16;
  task.tss_eip = dblfault.index;
  task.tss_eflags = 2;
  task.tss_cr3 = rcr3();
  task.tss_es = GDATA_SEL;
  task.tss_cs = GCODE_SEL;
  task.tss_ss = GDATA_SEL;
  task.tss_ds = GDATA_SEL;
  task.tss_ioopt = SIZEOF_TSS << 16;
  ltr(GPROC0_SEL);
}

/** Loads all tables. The current page directory serves the double-fault task for ever. */
export function segments_init(stack_top: usize): void {
  gdt_init();
  idt_init();
  lldt(GLDT_SEL);
  tss_init(stack_top);
}

/** Sets the stack for entries from user mode. */
export function set_kernel_stack(stack_top: usize): void {
  common_tss.tss_esp0 = stack_top;
}
