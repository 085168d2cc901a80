// <machine/pcb.h>: the start of a u-area, what a process keeps of the machine
// while it does not run. Its registers are on its kernel stack (switch_stack);
// here are the stack pointer to find them and what is not a register.

@unmanaged
export class Pcb {
  /** Physical address of the page directory. */
  pcb_cr3: u32;
  /** Kernel stack pointer while switched out. */
  pcb_esp: u32;
  /** Frame pointer while switched out, for traces of sleeping processes. */
  pcb_ebp: u32;
  /** Code address at which a kernel-mode fault resumes, or 0. locore knows this offset. */
  pcb_onfault: u32;
  pcb_flags: u32;
  /** Address of the process's Pmap. */
  pcb_pmap: usize;
  private pad0: u32;
  private pad1: u32;
}

export const SIZEOF_PCB: u32 = 32;
/** Offset of pcb_onfault, for locore. */
export const PCB_ONFAULT: u32 = 12;
