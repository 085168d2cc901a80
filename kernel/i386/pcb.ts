// <machine/pcb.h>: the start of a u-area, what a process keeps of the machine
// while it does not run. Its registers are on its kernel stack (switch_stack);
// here are the stack pointer to find them, what the kernel does not use but programs
// do (fs, gs, the coprocessor), and what is not a register.

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
  /** Segment registers of the program while switched out. */
  pcb_fs: u32;
  pcb_gs: u32;
  /** What fnsave stores: PCB_SAVEFPU, SIZEOF_SAVEFPU bytes. */
  private savefpu: u32;
}

/** pcb_flags: the process has floating-point registers, in the coprocessor or at PCB_SAVEFPU. */
export const PCB_USEDFPU: u32 = 1;
export const PCB_SAVEFPU: usize = 32;
export const SIZEOF_SAVEFPU: u32 = 108;
export const SIZEOF_PCB: u32 = 140;
/** Offset of pcb_onfault, for locore. */
export const PCB_ONFAULT: u32 = 12;
