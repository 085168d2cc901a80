// Functions of locore that guest code calls: ordinary cdecl functions of the
// same plain names, written in assembly because they touch registers or must
// survive faults.
//
// Hosted builds get JavaScript functions of the same names.

/** Overlapping copy. Returns dst. */
export declare function memmove(dst: usize, src: usize, len: u32): usize;
export declare function memset(dst: usize, byte: u32, len: u32): usize;

// The pcb_onfault family (pmap.md §7): 0, EFAULT or ENAMETOOLONG.
/** From the current process's space to the kernel; `from + len` beyond VM_MAXUSER_ADDRESS is EFAULT. May sleep. */
export declare function copyin(from: usize, to: usize, len: u32): i32;
/** From the kernel to the current process's space. May sleep. */
export declare function copyout(from: usize, to: usize, len: u32): i32;
/** Kernel to kernel, overlapping or not, EFAULT instead of a trap. */
export declare function kcopy(from: usize, to: usize, len: u32): i32;
/** Copies a string with its NUL; `lencopied` (or 0) gets the count. */
export declare function copyinstr(from: usize, to: usize, maxlen: u32, lencopied: usize): i32;
export declare function copyoutstr(from: usize, to: usize, maxlen: u32, lencopied: usize): i32;
export declare function copystr(from: usize, to: usize, maxlen: u32, lencopied: usize): i32;

/** The word at a user address, or -1 when it cannot be read. May sleep. */
export declare function fuword(from: usize): i32;

/** Leaves the kernel through a trap frame that lies in the current process's u-area. Does not return. */
export declare function return_to_user(frame: usize): void;

/**
 * Saves ebp, ebx, esi, edi and esp for the caller: pushes the four registers,
 * stores esp at `saved_esp`, takes `esp` as the stack, pops edi, esi, ebx, ebp
 * from it and returns there. A fresh stack holds those four words and then the
 * address to begin at.
 */
export declare function switch_stack(saved_esp: usize, esp: usize): void;

/** Saves the caller's registers in `label` (24 bytes) and returns 0; longjmp makes it return 1. */
export declare function setjmp(label: usize): i32;
export declare function longjmp(label: usize): void;

/** `int3`, in a function of its own: DDB then says that the kernel stopped in cpu_Debugger. */
export declare function cpu_Debugger(): void;
