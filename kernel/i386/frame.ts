// <machine/frame.h>: what the stubs of locore leave on the kernel stack when
// they call trap() or intr(). Offsets are NetBSD's; tf_esp and tf_ss exist only
// in frames from user mode.

@unmanaged
export class Trapframe {
  tf_es: u32;
  tf_ds: u32;
  tf_edi: u32;
  tf_esi: u32;
  tf_ebp: u32;
  tf_ebx: u32;
  tf_edx: u32;
  tf_ecx: u32;
  tf_eax: u32;
  tf_trapno: u32;
  // Below: pushed by the processor (tf_err by the stub where it pushes none).
  tf_err: u32;
  tf_eip: u32;
  tf_cs: u32;
  tf_eflags: u32;
  tf_esp: u32;
  tf_ss: u32;
}

/** Bytes of a frame from kernel mode: no tf_esp, no tf_ss. */
export const KERNEL_FRAME_SIZE: u32 = 56;

// Trap types: index of trap_type[] in trap.ts.
export const T_PRIVINFLT: u32 = 0;
export const T_BPTFLT: u32 = 1;
export const T_ARITHTRAP: u32 = 2;
export const T_ASTFLT: u32 = 3;
export const T_PROTFLT: u32 = 4;
export const T_TRCTRAP: u32 = 5;
export const T_PAGEFLT: u32 = 6;
export const T_ALIGNFLT: u32 = 7;
export const T_DIVIDE: u32 = 8;
export const T_NMI: u32 = 9;
export const T_OFLOW: u32 = 10;
export const T_BOUND: u32 = 11;
export const T_DNA: u32 = 12;
export const T_DOUBLEFLT: u32 = 13;
export const T_FPOPFLT: u32 = 14;
export const T_TSSFLT: u32 = 15;
export const T_SEGNPFLT: u32 = 16;
export const T_STKFLT: u32 = 17;
export const T_RESERVED: u32 = 18;
/** OR'ed in when the trap came from user mode. */
export const T_USER: u32 = 0x100;

// Page-fault error code.
export const PGEX_P: u32 = 1;
export const PGEX_W: u32 = 2;
export const PGEX_U: u32 = 4;

// EFLAGS.
export const PSL_T: u32 = 0x100;
export const PSL_I: u32 = 0x200;
export const PSL_NT: u32 = 0x4000;
export const PSL_AC: u32 = 0x40000;
export const PSL_VM: u32 = 0x20000;

/** Did the trap come from the kernel? */
export function KERNELMODE(cs: u32, eflags: u32): bool {
  return (cs & 3) == 0 && (eflags & PSL_VM) == 0;
}
