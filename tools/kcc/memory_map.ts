// Where the kernel image and programs live in the address space: the facts that the
// compiler driver, the linker and locore share. The values are those of
// NetBSD/i386; only DATA_BASE is ours.

/** Virtual address of physical address 0 in the boot-mapped range. */
export const KERNBASE = 0xc0000000;

/** First byte of kernel text; loaded at physical 1 MB. */
export const TEXT_BASE = 0xc0100000;

/**
 * First byte of static data. asc writes the addresses of its static blocks into
 * the code as constants, so this is chosen before anything is compiled; the
 * linker refuses text that reaches it.
 */
export const DATA_BASE = 0xc0200000;

/** How much of physical memory, from 0, locore maps at KERNBASE. The image must end below. */
export const BOOTSTRAP_MAPPED = 16 * 1024 * 1024;

export const PAGE_SIZE = 4096;

/** Names for addresses that no section holds: the recursive page-table window and its foreign twin. */
export const ABSOLUTE_SYMBOLS: Readonly<Record<string, number>> = {
  PTmap: 0xbfc00000,
  PTD: 0xbfeff000,
  PTDpde: 0xbfeffbfc,
  APTDpde: 0xbfeffffc,
  APTmap: 0xffc00000,
  APTD: 0xfffff000,
};

/** Where a program of user space has its text, and its static data (which asc must know beforehand, as above). */
export const USER_TEXT_BASE = 0x08048000;
export const USER_DATA_BASE = 0x08100000;
