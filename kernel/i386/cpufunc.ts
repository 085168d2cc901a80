// The processor from the guest's side: privileged instructions, port I/O and
// the memory accesses that no compiler pass may merge or move.
//
// Every function here is an import that kcc expands inline. Each is a full
// barrier: no load or store of the surrounding code moves across it.
// Hosted builds get JavaScript functions of the same names.

// Port I/O.
export declare function inb(port: u32): u32;
export declare function inw(port: u32): u32;
export declare function inl(port: u32): u32;
export declare function outb(port: u32, value: u32): void;
export declare function outw(port: u32, value: u32): void;
export declare function outl(port: u32, value: u32): void;
/** Reads `count` 16-bit words from `port` to `addr` (rep insw). */
export declare function insw(port: u32, addr: usize, count: u32): void;
/** Writes `count` 16-bit words from `addr` to `port` (rep outsw). */
export declare function outsw(port: u32, addr: usize, count: u32): void;

// Interrupt flag, halting, traps.
export declare function disable_intr(): void;
export declare function enable_intr(): void;
export declare function hlt(): void;
/** `sti; hlt` back to back, so that no interrupt slips in between. */
export declare function sti_hlt(): void;
/** `int3`. */
export declare function breakpoint(): void;
export declare function read_eflags(): u32;
export declare function write_eflags(eflags: u32): void;

// Control registers, tables, TLB.
export declare function rcr0(): u32;
export declare function lcr0(value: u32): void;
export declare function rcr2(): u32;
export declare function rcr3(): u32;
export declare function lcr3(value: u32): void;
/** Not on the i386 model: #UD there. */
export declare function rcr4(): u32;
export declare function lcr4(value: u32): void;
/** Not on the i386 model: #UD there. */
export declare function invlpg(va: usize): void;
/** `region`: address of the 6-byte limit and base. */
export declare function lidt(region: usize): void;
export declare function lgdt(region: usize): void;
export declare function lldt(selector: u32): void;
export declare function ltr(selector: u32): void;

// Segment registers that the kernel does not use: selectors, in the low 16 bits of what is read.
export declare function rfs(): u32;
export declare function rgs(): u32;
export declare function lfs(selector: u32): void;
export declare function lgs(selector: u32): void;

// The coprocessor. None of these waits for errors, but frstor and fldcw take those that are pending.
/** Clears CR0.TS. */
export declare function clts(): void;
export declare function fninit(): void;
/** Stores all registers (108 bytes) and does fninit. */
export declare function fnsave(addr: usize): void;
export declare function frstor(addr: usize): void;
/** Store and load a word of 16 bits. */
export declare function fnstsw(addr: usize): void;
export declare function fnstcw(addr: usize): void;
export declare function fldcw(addr: usize): void;

/** The frame pointer and the stack pointer of the calling function. */
export declare function read_ebp(): usize;
export declare function read_esp(): usize;

/** Accesses that happen exactly once, exactly here, with exactly this width. */
export declare namespace volatile {
  function load8(addr: usize): u32;
  function load16(addr: usize): u32;
  function load32(addr: usize): u32;
  function store8(addr: usize, value: u32): void;
  function store16(addr: usize, value: u32): void;
  function store32(addr: usize, value: u32): void;
}

/**
 * A slot of `size` bytes (a constant) in the caller's frame, 4-byte aligned,
 * valid until the caller returns. Each call site has its own slot; contents are
 * undefined at first and persist through loops.
 */
export declare function frame_alloc(size: u32): usize;

/** A static zero block of `size` bytes, aligned (constants), one per call site; takes no room in the image. */
export declare function bss(size: u32, align: u32): usize;
