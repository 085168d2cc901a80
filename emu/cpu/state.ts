// Where the processor keeps its state: in the same WebAssembly memory as the
// guest's RAM, so that generated WebAssembly and TypeScript share it without
// copying.
//
//   0                RAM, ramSize bytes
//   stateBase        register file and state words (one 64 KB page)
//   + STATE_BYTES    translation arrays: reads, then writes
//
// The translation arrays have one word for each linear page and privilege
// level: the difference "physical - linear" of the page, a multiple of 4096,
// or -1 where the access must take the slow path. Entries of supervisor mode
// come first; those of user mode follow at + LINEAR_PAGES. `S[MODE]` is the
// offset of the current level, so a memory access is: load the entry, test its
// low bit, add it to the address.

/** Word indices into the state words `S`. */
export const EIP = 0;
/** System flags and the control flag DF; the arithmetic flags live in the next two words (see flags.ts). */
export const EFLAGS = 1;
export const FLAG_RESULT = 2;
export const FLAG_CARRY = 3;
/** 0 for CPL 0 to 2, LINEAR_PAGES for CPL 3. */
export const MODE = 4;
export const CPL = 5;
/** Which of DS, ES, SS are flat and which CS is loaded; a decoded block holds for one value only. */
export const DECODE_KEY = 6;
/** Clocks left in the slice; at or below zero the run loop looks at events. */
export const BUDGET = 7;
/** Instructions completed since the counters were last folded. */
export const INSTRUCTIONS = 8;
/** Index of the executing instruction in its block, and how many of the block are to run. */
export const POSITION = 9;
export const COUNT = 10;
/** -1 after a transfer that costs m, otherwise 0. */
export const TAKEN = 11;
export const CR0 = 12;
export const CR2 = 13;
export const CR3 = 14;
export const CR4 = 15;
export const GDT_BASE = 16;
export const GDT_LIMIT = 17;
export const IDT_BASE = 18;
export const IDT_LIMIT = 19;
/** An interrupt request waits at the controller. */
export const INTERRUPT_REQUEST = 20;
/** The processor has executed HLT and waits for an interrupt. */
export const HALTED = 21;
/** A repeated string instruction was left for an event and has paid its base clocks. */
export const REPEAT_RESUMED = 22;
export const FAULT_VECTOR = 23;
export const FAULT_ERROR = 24;
/** Vector of the exception being delivered, or -1. */
export const DELIVERING = 25;
/** Linear page of the executing block: when its TLB entry goes, the block ends. */
export const FETCH_PAGE = 26;
/** Bits of DR6 whose debug trap follows the executing instruction. */
export const DEBUG_PENDING = 27;
/** Breakpoints of DR7 watch data: accesses to their pages take the slow path and are compared. */
export const WATCHING = 28;
/** MSRs 174 to 176: code segment, stack pointer and entry of SYSENTER. */
export const SYSENTER_CS = 29;
export const SYSENTER_ESP = 30;
export const SYSENTER_EIP = 31;
/** DR0 to DR7. */
export const DR0 = 32;
export const DR6 = 38;
export const DR7 = 39;
/** TR0 to TR7, the test registers; stored only. */
export const TR0 = 40;
/** Segment registers in encoding order, then LDTR and TR; each has four words. */
export const SEGMENTS = 64;
export const SEGMENT_WORDS = 4;
export const SELECTOR = 0;
export const BASE = 1;
export const LIMIT = 2;
/** Second word of the descriptor, attribute bits only; 0 marks an unusable segment. */
export const ATTRIBUTES = 3;

export const ES = 0;
export const CS = 1;
export const SS = 2;
export const DS = 3;
export const FS = 4;
export const GS = 5;
export const LDTR = 6;
export const TR = 7;

/** Index in `S` of a word of a segment register. */
export function segmentWord(segment: number, word: number): number {
  return SEGMENTS + segment * SEGMENT_WORDS + word;
}

export const EAX = 0;
export const ECX = 1;
export const EDX = 2;
export const EBX = 3;
export const ESP = 4;
export const EBP = 5;
export const ESI = 6;
export const EDI = 7;
/** A register that always reads zero: the base or index of an address that has none. */
export const ZERO = 8;

export const REGISTER_BYTES = 64;
export const STATE_BYTES = 65536;
export const LINEAR_PAGES = 1 << 20;
/** Entries of the largest modelled TLB, the one of `timing none`. */
export const MAX_TLB_ENTRIES = 4096;
const STATE_WORDS = 512;
const TRANSLATION_BYTES = 2 * LINEAR_PAGES * 4;
const WASM_PAGE = 65536;

/** EFLAGS bits. */
export const FLAG = {
  CF: 1, PF: 4, AF: 0x10, ZF: 0x40, SF: 0x80, TF: 0x100, IF: 0x200, DF: 0x400, OF: 0x800,
  IOPL: 0x3000, NT: 0x4000, RF: 0x10000, VM: 0x20000, AC: 0x40000, ID: 0x200000,
} as const;
/** CF PF AF ZF SF OF together. */
export const ARITHMETIC_FLAGS = 0x8d5;

/** CR0 bits. */
export const CR0_BIT = { PE: 1, MP: 2, EM: 4, TS: 8, ET: 0x10, NE: 0x20, WP: 0x10000, AM: 0x40000,
  NW: 0x20000000, CD: 0x40000000, PG: 0x80000000 } as const;

/** CR4 bits. */
export const CR4_BIT = { VME: 1, PVI: 2, TSD: 4, DE: 8, PSE: 0x10, PAE: 0x20, MCE: 0x40, PGE: 0x80, PCE: 0x100 } as const;

/** DR6 and DR7 bits. */
export const DR6_BIT = { BD: 0x2000, BS: 0x4000, BT: 0x8000, FIXED: 0xffff0ff0 } as const;
export const DR7_BIT = { ENABLES: 0xff, LOCAL: 0x155, GD: 0x2000, FIXED: 0x400 } as const;

/** Exception vectors. */
export const VECTOR = { DE: 0, DB: 1, NMI: 2, BP: 3, OF: 4, BR: 5, UD: 6, NM: 7, DF: 8, TS: 10, NP: 11, SS: 12,
  GP: 13, PF: 14, MF: 16, AC: 17 } as const;

/** Typed views of one machine's memory. */
export interface State {
  readonly ramSize: number;
  readonly mem8: Uint8Array;
  readonly mem16: Uint16Array;
  readonly mem32: Int32Array;
  readonly ram: DataView;
  readonly regs: Int32Array;
  readonly regs16: Uint16Array;
  readonly regs8: Uint8Array;
  /** The state words. */
  readonly S: Int32Array;
  readonly tlbRead: Int32Array;
  readonly tlbWrite: Int32Array;
  /** The modelled TLB: linear page (-1: empty), page frame address and permissions of each entry. */
  readonly tlbPage: Int32Array;
  readonly tlbFrame: Int32Array;
  readonly tlbPermissions: Int32Array;
  /** For each set the way to replace next. */
  readonly tlbVictim: Int32Array;
}

/** Size in WebAssembly pages of the memory for a machine with `ramSize` bytes of RAM. */
export function memoryPagesFor(ramSize: number): number {
  return stateBaseFor(ramSize) / WASM_PAGE + (STATE_BYTES + 2 * TRANSLATION_BYTES) / WASM_PAGE;
}

function stateBaseFor(ramSize: number): number {
  return Math.ceil(ramSize / WASM_PAGE) * WASM_PAGE;
}

/**
 * Makes the views of a machine's memory and empties the translation arrays.
 * `ramSize` is a multiple of 4096, at most 2 GB less 64 MB. Throws when the
 * memory is smaller than memoryPagesFor(ramSize).
 */
export function createState(memory: WebAssembly.Memory, ramSize: number): State {
  const { buffer } = memory;
  if (ramSize % 4096 !== 0) throw new Error(`RAM size ${ramSize} is not a multiple of 4096 bytes`);
  if (buffer.byteLength < memoryPagesFor(ramSize) * WASM_PAGE) {
    throw new Error(`memory of ${buffer.byteLength} bytes cannot hold ${ramSize} bytes of RAM and the processor state`);
  }
  const base = stateBaseFor(ramSize);
  const tlb = base + 4096;
  const translations = base + STATE_BYTES;
  const state: State = {
    ramSize,
    mem8: new Uint8Array(buffer, 0, ramSize),
    mem16: new Uint16Array(buffer, 0, ramSize >>> 1),
    mem32: new Int32Array(buffer, 0, ramSize >>> 2),
    ram: new DataView(buffer, 0, ramSize),
    regs: new Int32Array(buffer, base, REGISTER_BYTES >>> 2),
    regs16: new Uint16Array(buffer, base, REGISTER_BYTES >>> 1),
    regs8: new Uint8Array(buffer, base, REGISTER_BYTES),
    S: new Int32Array(buffer, base + REGISTER_BYTES, STATE_WORDS),
    tlbRead: new Int32Array(buffer, translations, 2 * LINEAR_PAGES),
    tlbWrite: new Int32Array(buffer, translations + TRANSLATION_BYTES, 2 * LINEAR_PAGES),
    tlbPage: new Int32Array(buffer, tlb, MAX_TLB_ENTRIES),
    tlbFrame: new Int32Array(buffer, tlb + MAX_TLB_ENTRIES * 4, MAX_TLB_ENTRIES),
    tlbPermissions: new Int32Array(buffer, tlb + MAX_TLB_ENTRIES * 8, MAX_TLB_ENTRIES),
    tlbVictim: new Int32Array(buffer, tlb + MAX_TLB_ENTRIES * 12, MAX_TLB_ENTRIES / 4),
  };
  state.tlbRead.fill(-1);
  state.tlbWrite.fill(-1);
  state.tlbPage.fill(-1);
  return state;
}
