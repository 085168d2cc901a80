// Addresses of linker and assembly symbols: `sym.etext()` is the address of
// `etext`. kcc turns each call into a constant that the linker fills in.
// Functions used only for their address (interrupt stubs) stand here too.

export declare namespace sym {
  function kernel_text(): usize;
  function etext(): usize;
  function edata(): usize;
  function end(): usize;
  /** The symbol table that the linker made for DDB; see tools/kcc/ddb_symtab.ts. */
  function ddb_symtab(): usize;

  /** The disassembler's opcode table, made from emu/cpu's; see tools/kcc/ddb_opcodes.ts. */
  function ddb_opcodes(): usize;

  // Data of locore, all zero-filled and page aligned where they are pages.
  /** The page directory that locore turned paging on with: one page. proc0 keeps it. */
  function bootstrap_pdir(): usize;
  /** A word: the current process's Pcb, or 0. copyin and its kin keep pcb_onfault there. */
  function curpcb(): usize;
  /** A word: 3 on a processor without AC flag, invlpg and CR0.WP, else 4. Set by locore before paging. */
  function cpu_class(): usize;
  /** A word: code address of (to, len) => i32 that copyout calls first, or 0. See trap.ts. */
  function copyout_prepare(): usize;
  /** proc0's u-area (USPACE bytes); the page below it is the guard page, which pmap_bootstrap unmaps. */
  function proc0_uarea(): usize;

  /** Words: what the boot loader passed in eax, and the physical address it passed in ebx. */
  function multiboot_magic(): usize;
  function multiboot_info(): usize;
  /** Where a new process starts: calls the function in esi with the argument in ebx, then kthread_exit(0). */
  function proc_trampoline(): usize;

  /** Where `int $0x80` enters: ends in `syscall(frame)`. */
  function Xsyscall(): usize;
  /** A word: not 0 when the process that runs must pass through trap(T_ASTFLT) before its next user instruction. */
  function astpending(): usize;
  /** Begin and end of the way out of the kernel: a fault there is the fault of the user's registers. */
  function doreti(): usize;
  function edoreti(): usize;
  /** Begin and end of the code that the kernel copies onto user stacks: signal handlers return to it. */
  function sigcode(): usize;
  function esigcode(): usize;

  // Tables of locore: words that hold the addresses of the stubs.
  /** 32 addresses: Xtrap00 … Xtrap1f. Each ends in `trap(frame)`. */
  function trap_vectors(): usize;
  /** 16 addresses: Xintr0 … Xintr15. Each ends in `intr(frame)` with tf_trapno = 0x20 + the request line. */
  function intr_vectors(): usize;
}
