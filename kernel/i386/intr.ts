// Interrupts: two 8259s, software priority levels, handlers.
//
// spl does not touch the 8259s. `cpl` is a mask of request lines that must not
// run now; a request that arrives anyway is noted in `ipending`, its line stays
// masked at the 8259, and whoever lowers cpl runs it (spllower). Bits 0-15 are
// request lines, bit 31 the soft clock interrupt.
//
// A handler runs with its level's lines in cpl and with interrupts enabled.
//
// Levels, low to high: none < softclock < bio, net, tty < imp < clock < high. Each includes
// the lines of those below.
import { disable_intr, enable_intr, inb, outb, read_eflags, volatile, write_eflags } from "./cpufunc";
import { Trapframe } from "./frame";
import { softclock } from "../kern_clock";
import { panic } from "../subr_prf";
import { uvmexp } from "../../vm/uvm_stat";

export const IPL_NONE: u32 = 0;
export const IPL_SOFTCLOCK: u32 = 1;
export const IPL_BIO: u32 = 2;
export const IPL_NET: u32 = 3;
export const IPL_TTY: u32 = 4;
export const IPL_IMP: u32 = 5;
export const IPL_CLOCK: u32 = 6;
export const IPL_HIGH: u32 = 7;
const NIPL: u32 = 8;

const NIRQ: u32 = 16;
const SIR_CLOCK_BIT: u32 = 31;
const SIR_CLOCK: u32 = 0x80000000;

/** First interrupt vector; request line n arrives at ICU_OFFSET + n. */
export const ICU_OFFSET: u32 = 0x20;

// 8259 ports and commands (data sheet names).
const IO_ICU1: u32 = 0x20;
const IO_ICU2: u32 = 0xa0;
const ICW1_INIT_ICW4: u32 = 0x11;
const ICW4_8086: u32 = 0x01;
const OCW2_EOI: u32 = 0x20;
const OCW3_READ_ISR: u32 = 0x0b;
const IRQ_SLAVE: u32 = 2;

@unmanaged
class IntrState {
  /** Lines that must not run now. */
  cpl: u32;
  /** Lines that wait for cpl to fall. */
  ipending: u32;
  /** Lines masked at the 8259s. */
  imen: u32;
}
const intr_state = changetype<IntrState>(memory.data(offsetof<IntrState>()));

/** imask[level]: the lines that a level blocks. */
const imask: usize = memory.data(4 * 8, 4);

/** A handler of a request line; one line has one handler. */
@unmanaged
class Intrhand {
  /** Code address of ih_fun(arg): i32, or 0. */
  ih_fun: u32;
  ih_arg: usize;
  ih_level: u32;
  /** Times the line was served. */
  ih_count: u32;
}
const SIZEOF_INTRHAND: u32 = 16;
const intrhands: usize = memory.data(16 * 16, 4);

function intrhand(irq: u32): Intrhand {
  return changetype<Intrhand>(intrhands + irq * SIZEOF_INTRHAND);
}

function load_cpl(): u32 {
  return volatile.load32(changetype<usize>(intr_state));
}

function store_cpl(mask: u32): void {
  volatile.store32(changetype<usize>(intr_state), mask);
}

function load_pending(): u32 {
  return volatile.load32(changetype<usize>(intr_state) + 4);
}

function store_pending(mask: u32): void {
  volatile.store32(changetype<usize>(intr_state) + 4, mask);
}

function level_mask(level: u32): u32 {
  return load<u32>(imask + level * 4);
}

/** Works out which lines each level blocks, from the handlers there are. */
function intr_calculatemasks(): void {
  let level: u32 = 0;
  while (level < NIPL) {
    let mask: u32 = level >= IPL_SOFTCLOCK ? SIR_CLOCK : 0;
    let irq: u32 = 0;
    while (irq < NIRQ) {
      const ih = intrhand(irq);
      const below = ih.ih_level == level || (level >= IPL_IMP && ih.ih_level <= level);
      if (ih.ih_fun != 0 && below) mask |= 1 << irq;
      irq++;
    }
    if (level == IPL_HIGH) mask = 0xffffffff;
    store<u32>(imask + level * 4, mask);
    level++;
  }
}

function set_interrupt_masks(): void {
  const imen = intr_state.imen;
  outb(IO_ICU1 + 1, imen & 0xff);
  outb(IO_ICU2 + 1, imen >> 8);
}

/** Programs both 8259s: vectors from ICU_OFFSET, everything masked, spl high. Interrupts are still disabled. */
export function icu_init(): void {
  outb(IO_ICU1, ICW1_INIT_ICW4);
  outb(IO_ICU1 + 1, ICU_OFFSET);
  outb(IO_ICU1 + 1, 1 << IRQ_SLAVE);
  outb(IO_ICU1 + 1, ICW4_8086);
  outb(IO_ICU2, ICW1_INIT_ICW4);
  outb(IO_ICU2 + 1, ICU_OFFSET + 8);
  outb(IO_ICU2 + 1, IRQ_SLAVE);
  outb(IO_ICU2 + 1, ICW4_8086);
  intr_state.imen = 0xffff & ~(1 << IRQ_SLAVE);
  set_interrupt_masks();
  intr_calculatemasks();
  store_cpl(0xffffffff);
}

/**
 * Attaches a handler to request line `irq`: `func` is the code address of
 * (arg: usize) => i32, called at `level`. With arg 0 the handler gets the address
 * of the interrupt's Trapframe, or 0 when the request had to wait.
 */
export function intr_establish(irq: u32, level: u32, func: u32, arg: usize): void {
  const ih = intrhand(irq);
  if (ih.ih_fun != 0) panic(cs("intr_establish: irq %u has a handler"), irq);
  ih.ih_fun = func;
  ih.ih_arg = arg;
  ih.ih_level = level;
  const eflags = read_eflags();
  disable_intr();
  intr_calculatemasks();
  intr_state.imen &= ~(1 << irq);
  set_interrupt_masks();
  write_eflags(eflags);
}

/** Runs what a line or soft interrupt stands for. Interrupts are disabled on entry and on return. */
function intr_dispatch(bit: u32, frame: usize): void {
  const old = load_cpl();
  if (bit == SIR_CLOCK_BIT) {
    store_cpl(old | level_mask(IPL_SOFTCLOCK));
    enable_intr();
    softclock();
    disable_intr();
    uvmexp.softs++;
    store_cpl(old);
    return;
  }
  const ih = intrhand(bit);
  ih.ih_count++;
  store_cpl(old | level_mask(ih.ih_level) | (1 << bit));
  enable_intr();
  call_indirect<i32>(ih.ih_fun, ih.ih_arg != 0 ? ih.ih_arg : frame);
  disable_intr();
  intr_state.imen &= ~(1 << bit);
  set_interrupt_masks();
  store_cpl(old);
}

/** Runs everything that waits and that cpl allows. Interrupts are disabled. */
function run_pending(): void {
  for (; ;) {
    const ready = load_pending() & ~load_cpl();
    if (ready == 0) return;
    const bit = u32(ctz(ready));
    store_pending(load_pending() & ~(1 << bit));
    intr_dispatch(bit, 0);
  }
}

/** Did the 8259 really request this line? Lines 7 and 15 also carry spurious requests. */
function is_spurious(irq: u32): bool {
  if ((irq & 7) != 7) return false;
  const port = irq < 8 ? IO_ICU1 : IO_ICU2;
  outb(port, OCW3_READ_ISR);
  if ((inb(port) & 0x80) != 0) return false;
  if (irq == 15) outb(IO_ICU1, OCW2_EOI);
  return true;
}

/** Every hardware interrupt arrives here, from the stubs Xintr0 … Xintr15 of locore, with interrupts disabled. */
export function intr(frame: Trapframe): void {
  const irq = frame.tf_trapno - ICU_OFFSET;
  if (is_spurious(irq)) return;
  uvmexp.intrs++;
  intr_state.imen |= 1 << irq;
  set_interrupt_masks();
  if (irq >= 8) outb(IO_ICU2, OCW2_EOI);
  outb(IO_ICU1, OCW2_EOI);
  if (intrhand(irq).ih_fun == 0) return;
  if ((load_cpl() & (1 << irq)) != 0) {
    store_pending(load_pending() | (1 << irq));
    return;
  }
  intr_dispatch(irq, changetype<usize>(frame));
  run_pending();
}

/** Asks for softclock() as soon as the priority level allows. From an interrupt handler. */
export function setsoftclock(): void {
  const eflags = read_eflags();
  disable_intr();
  store_pending(load_pending() | SIR_CLOCK);
  write_eflags(eflags);
}

function splraise(level: u32): u32 {
  const old = load_cpl();
  store_cpl(old | level_mask(level));
  return old;
}

/** Restores a level that an spl function returned, and runs what waited for it. */
export function splx(s: u32): void {
  store_cpl(s);
  if ((load_pending() & ~s) == 0) return;
  const eflags = read_eflags();
  disable_intr();
  run_pending();
  write_eflags(eflags);
}

// Each raises the level and returns the old one for splx.

export function splsoftclock(): u32 {
  return splraise(IPL_SOFTCLOCK);
}

export function splbio(): u32 {
  return splraise(IPL_BIO);
}

export function splnet(): u32 {
  return splraise(IPL_NET);
}

export function spltty(): u32 {
  return splraise(IPL_TTY);
}

/** Blocks everything that may allocate kernel memory. */
export function splvm(): u32 {
  return splraise(IPL_IMP);
}

export function splimp(): u32 {
  return splraise(IPL_IMP);
}

export function splclock(): u32 {
  return splraise(IPL_CLOCK);
}

export function splstatclock(): u32 {
  return splraise(IPL_CLOCK);
}

export function splhigh(): u32 {
  return splraise(IPL_HIGH);
}

/** Blocks nothing. Returns the old level. */
export function spl0(): u32 {
  const old = load_cpl();
  splx(0);
  return old;
}

/** The level now, for the trap line and for checks. */
export function current_cpl(): u32 {
  return load_cpl();
}
