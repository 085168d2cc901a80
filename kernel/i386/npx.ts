// npx(4): whose the coprocessor's registers are.
//
// They belong to one process at a time, the owner, and stay there while others run:
// CR0.TS makes the first floating-point instruction of anybody else a fault (#NM), which
// saves the owner's registers to its pcb and loads the other's (npxdna). Processes that
// do not calculate cost nothing.
//
// An error that a process has not masked is exception 16 from the i486 on (CR0.NE), and
// interrupt 13 with an 80387: SIGFPE. As ever in BSD the handler finds the registers
// cleared, and only the control word as it was; the interrupted ones are in the pcb.
//
// Without a coprocessor CR0.EM is set, and who calculates dies.
import {
  clts, fldcw, fninit, fnsave, fnstcw, fnstsw, frame_alloc, frstor, lcr0, outb, rcr0,
} from "./cpufunc";
import { IPL_TTY, intr_establish } from "./intr";
import { PCB_SAVEFPU, PCB_USEDFPU, Pcb, SIZEOF_SAVEFPU } from "./pcb";
import { sym } from "./sym";
import { curproc } from "../kern_proc";
import { psignal } from "../kern_sig";
import { memcpy } from "../libkern";
import { Proc } from "../sys/proc";
import { SIGFPE } from "../sys/signal";

const CR0_MP: u32 = 0x02;
const CR0_EM: u32 = 0x04;
const CR0_TS: u32 = 0x08;
const CR0_NE: u32 = 0x20;

/** Control word of a program at its start: all errors masked, double precision. */
const NETBSD_NPXCW: u32 = 0x127f;

const NPX_IRQ: u32 = 13;
/** Writing here takes the request of interrupt 13 back. */
const NPX_CLEAR_BUSY: u32 = 0xf0;

@unmanaged class NpxState {
  present: bool;
  /** Whose registers are in the coprocessor; NULL: nobody's. */
  npxproc: Proc;
}
const npx_state = changetype<NpxState>(memory.data(offsetof<NpxState>(), 4));

function pcb_of(p: Proc): Pcb {
  return changetype<Pcb>(p.p_addr);
}

function savefpu(p: Proc): usize {
  return p.p_addr + PCB_SAVEFPU;
}

function owner(p: Proc): void {
  npx_state.npxproc = p;
}

function nobody(): Proc {
  return changetype<Proc>(0);
}

/** Makes the next floating-point instruction fault. */
function stts(): void {
  const cr0 = rcr0();
  if ((cr0 & CR0_TS) == 0) lcr0(cr0 | CR0_TS);
}

/** Does a coprocessor answer? One that is initialised has status 0 and these bits of the control word. */
function probe(): bool {
  const word = frame_alloc(4);
  store<u32>(word, 0x5a5a5a5a);
  fninit();
  fnstsw(word);
  if (load<u8>(word) != 0) return false;
  fnstcw(word);
  return (load<u16>(word) & 0x103f) == 0x003f;
}

/** Is there a coprocessor? */
export function npx_present(): bool {
  return npx_state.present;
}

/** Interrupt 13: an error of the owner's, on a machine whose processor does not tell of it by an exception. */
function npxintr(arg: usize): i32 {
  outb(NPX_CLEAR_BUSY, 0);
  const p = npx_state.npxproc;
  if (changetype<usize>(p) == 0) return 1;
  clts();
  npx_error();
  if (curproc() != p) stts();
  psignal(p, SIGFPE);
  return 1;
}

/** Finds out what there is, and has processes fault. Interrupts can be established. */
export function npxinit(): void {
  const newer = load<u32>(sym.cpu_class()) != 3;
  const cr0 = rcr0() & ~(CR0_MP | CR0_EM | CR0_TS | CR0_NE);
  lcr0(cr0);
  npx_state.present = probe();
  if (!npx_state.present) {
    lcr0(cr0 | CR0_EM);
    return;
  }
  lcr0(cr0 | CR0_MP | CR0_TS | (newer ? CR0_NE : 0));
  if (!newer) intr_establish(NPX_IRQ, IPL_TTY, npxintr.index, NPX_CLEAR_BUSY);
}

/** A process is about to run. */
export function npx_switch(p: Proc): void {
  if (!npx_state.present) return;
  if (npx_state.npxproc == p) clts();
  else stts();
}

/** Brings the process's registers to its pcb, if they are in the coprocessor. Nobody owns it then. */
export function npxsave(p: Proc): void {
  if (npx_state.npxproc != p) return;
  clts();
  fnsave(savefpu(p));
  owner(nobody());
  stts();
}

/** Forgets the process's registers: it execs or ends. */
export function npxdrop(p: Proc): void {
  pcb_of(p).pcb_flags &= ~PCB_USEDFPU;
  if (npx_state.npxproc != p) return;
  owner(nobody());
  stts();
}

/** A child begins with its parent's registers. Its pcb is there. */
export function npxfork(parent: Proc, child: Proc): void {
  npxsave(parent);
  memcpy(savefpu(child), savefpu(parent), SIZEOF_SAVEFPU);
  pcb_of(child).pcb_flags |= pcb_of(parent).pcb_flags & PCB_USEDFPU;
}

/** #NM of the current process: gives it the coprocessor. Returns false when there is none. */
export function npxdna(p: Proc): bool {
  if (!npx_state.present) return false;
  clts();
  const last = npx_state.npxproc;
  if (changetype<usize>(last) != 0) fnsave(savefpu(last));
  // Whatever is left there, with errors, is gone.
  fninit();
  owner(p);
  const pcb = pcb_of(p);
  if ((pcb.pcb_flags & PCB_USEDFPU) != 0) {
    frstor(savefpu(p));
    return true;
  }
  const word = frame_alloc(4);
  store<u32>(word, NETBSD_NPXCW);
  fldcw(word);
  pcb.pcb_flags |= PCB_USEDFPU;
  return true;
}

/** An error of the owner's, which has to get SIGFPE: its registers go to the pcb and are cleared. CR0.TS is clear. */
export function npx_error(): void {
  const p = npx_state.npxproc;
  if (changetype<usize>(p) == 0) return;
  fnsave(savefpu(p));
  // The control word is the first of what fnsave stores.
  fldcw(savefpu(p));
}
