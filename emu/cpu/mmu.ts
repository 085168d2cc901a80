// Paging: translation of linear addresses, the modelled TLB, and the
// translation arrays that make hits free.
//
// Invariant: with paging on, a page has entries in the translation arrays only
// while the modelled TLB holds it. So whatever finds an entry is a TLB hit and
// needs no bookkeeping, and whatever finds none comes here, where it may still
// be a hit that the arrays cannot express:
//   - a page outside RAM (device memory),
//   - a write to a page with decoded code, which must be seen by the cache,
//   - a first write to a page the TLB holds clean: the tables are walked to set
//     the dirty bit,
//   - an access the held permissions refuse: the tables are walked again and
//     decide (the manuals leave this open; an entry that the walk refuses is
//     dropped, as the SDM says of page faults).
// Stale entries stay until they are replaced, INVLPGed or flushed.
//
// Both models: 32 entries, 4-way, 8 sets, set = linear address bits 14..12. The
// manuals say pseudo-LRU or nothing; replacement here is round robin in each set
// (an approximation). Without timing the TLB has 4096 entries.
import { penaltiesOf } from "./clocks.js";
import type { CpuConfig, Counters, PhysicalSpace } from "./interface.js";
import type { Faults } from "./faults.js";
import { factsOf } from "./models.js";
import {
  BUDGET, COUNT, CR0, CR0_BIT, CR2, CR3, CR4, CR4_BIT, FETCH_PAGE, LINEAR_PAGES, MAX_TLB_ENTRIES, MODE, VECTOR,
} from "./state.js";
import type { State } from "./state.js";

/** Bits of page directory and page table entries. */
export const PTE = { P: 1, RW: 2, US: 4, A: 0x20, D: 0x40, PS: 0x80, G: 0x100 } as const;

/** Permissions of a TLB entry use the bits of a table entry: RW, US, D and G. */
const FRAME = 0xfffff000 | 0;
const LARGE_FRAME = 0xffc00000 | 0;
const WAYS = 4;
const UNUSED = -1;

/** What a translation is for; a fetch is a read that is counted apart. */
export const READ = 0;
export const WRITE = 1;
export const FETCH = 2;

/** Nothing there: reads give all ones, writes are dropped. */
const EMPTY_SPACE: PhysicalSpace = { read: () => -1, write: () => undefined };

export interface Mmu {
  /** Physical address of a linear one for an access at the current privilege; walks on a miss, raises #PF. */
  translate(linear: number, access: number): number;
  /** Drops all entries, those of global pages only when told to (MOV CR3 leaves them). */
  flush(globals: boolean): void;
  /** INVLPG: drops the page; tells whether the TLB held it. */
  invalidatePage(linear: number): boolean;
  /** CR0.PG changed: forgets everything, also untranslated pages. */
  pagingChanged(): void;
  /** The meaning of held permissions changed (CR0.WP): entries are installed anew on use. */
  permissionsChanged(): void;
  /** A page of RAM has got decoded code: writes to it must be seen. */
  codePageAdded(physicalPage: number): void;
  /** Linear pages that never enter the translation arrays: data breakpoints watch them. */
  watch(pages: readonly number[]): void;
  /** By the tables in memory, without side effects; -1 when not present. */
  peek(linear: number): number;
  /** One flag for each page of RAM: holds decoded code. */
  readonly codePages: Uint8Array;
  /** Set by the decode cache: bytes of a code page were written. */
  codeWritten(physical: number, length: number): void;
  space: PhysicalSpace;
}

export function createMmu(config: CpuConfig, state: State, faults: Faults, counters: Counters): Mmu {
  const { S, mem32, ramSize, tlbRead, tlbWrite, tlbPage, tlbFrame, tlbPermissions, tlbVictim } = state;
  const entries = config.timing === "none" ? MAX_TLB_ENTRIES : 32;
  const setMask = entries / WAYS - 1;
  const hasWriteProtect = factsOf(config.model).extendedCr0;
  const { pageWalk, shortWalk } = penaltiesOf(config);
  const codePages = new Uint8Array(ramSize >>> 12);
  let watched: readonly number[] = [];

  /** Entry of the modelled TLB that holds a linear page, or UNUSED. */
  function find(page: number): number {
    const first = (page & setMask) * WAYS;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (tlbPage[slot] === page) return slot;
    }
    return UNUSED;
  }

  function uninstall(page: number): void {
    tlbRead[page] = -1;
    tlbRead[page + LINEAR_PAGES] = -1;
    tlbWrite[page] = -1;
    tlbWrite[page + LINEAR_PAGES] = -1;
  }

  function drop(slot: number): void {
    const page = tlbPage[slot];
    if (page === UNUSED) return;
    uninstall(page);
    tlbPage[slot] = UNUSED;
    // The executing code loses its page: the next instruction is fetched anew.
    if (page === S[FETCH_PAGE]) S[COUNT] = 0;
  }

  function writable(permissions: number, user: boolean): boolean {
    if ((permissions & PTE.RW) !== 0) return !user || (permissions & PTE.US) !== 0;
    return !user && !(hasWriteProtect && (S[CR0] & CR0_BIT.WP) !== 0);
  }

  function permits(permissions: number, write: boolean, user: boolean): boolean {
    if (write) return writable(permissions, user);
    return !user || (permissions & PTE.US) !== 0;
  }

  /** Puts what an entry of the TLB allows into the translation arrays. */
  function install(slot: number): void {
    const page = tlbPage[slot];
    const frame = tlbFrame[slot];
    if ((frame >>> 0) >= ramSize || watched.includes(page)) return;
    const permissions = tlbPermissions[slot];
    const delta = (frame - (page << 12)) | 0;
    const user = (permissions & PTE.US) !== 0;
    tlbRead[page] = delta;
    if (user) tlbRead[page + LINEAR_PAGES] = delta;
    if ((permissions & PTE.D) === 0 || codePages[frame >>> 12] !== 0) return;
    if (writable(permissions, false)) tlbWrite[page] = delta;
    if (writable(permissions, true)) tlbWrite[page + LINEAR_PAGES] = delta;
  }

  function insert(page: number, frame: number, permissions: number): void {
    const set = page & setMask;
    const first = set * WAYS;
    let slot = find(page);
    for (let way = first; slot === UNUSED && way < first + WAYS; way++) {
      if (tlbPage[way] === UNUSED) slot = way;
    }
    if (slot === UNUSED) {
      slot = first + tlbVictim[set];
      tlbVictim[set] = (tlbVictim[set] + 1) & (WAYS - 1);
      drop(slot);
    }
    tlbPage[slot] = page;
    tlbFrame[slot] = frame;
    tlbPermissions[slot] = permissions;
    uninstall(page);
    install(slot);
  }

  function readTable(physical: number): number {
    return (physical >>> 0) < ramSize ? mem32[physical >>> 2] : -1;
  }

  /** Writes a table entry; tells whether it changed. */
  function updateTable(physical: number, entry: number, bits: number): number {
    if ((entry & bits) === bits) return 0;
    if ((physical >>> 0) < ramSize) mem32[physical >>> 2] = entry | bits;
    counters.accessedDirtyWrites++;
    return 1;
  }

  function pageFault(linear: number, present: boolean, write: boolean, user: boolean): never {
    const slot = find(linear >>> 12);
    if (slot !== UNUSED) drop(slot);
    const error = (present ? 1 : 0) | (write ? 2 : 0) | (user ? 4 : 0);
    S[CR2] = linear;
    counters.pageFaults[error]++;
    return faults.raise(VECTOR.PF, error);
  }

  /** Reads the tables, sets accessed and dirty bits, fills the TLB. */
  function walk(linear: number, access: number): number {
    const write = access === WRITE;
    const user = S[MODE] !== 0;
    counters.pageWalks++;
    const directory = (S[CR3] & FRAME) + ((linear >>> 22) << 2);
    const pde = readTable(directory);
    if ((pde & PTE.P) === 0) {
      S[BUDGET] -= shortWalk;
      pageFault(linear, false, write, user);
    }
    if ((pde & PTE.PS) !== 0 && (S[CR4] & CR4_BIT.PSE) !== 0) return walkLarge(linear, access, directory, pde);
    const table = (pde & FRAME) + (((linear >>> 12) & 0x3ff) << 2);
    const pte = readTable(table);
    const permissions = pde & pte & (PTE.RW | PTE.US);
    const present = (pte & PTE.P) !== 0;
    if (!present || !permits(permissions, write, user)) {
      S[BUDGET] -= pageWalk[0];
      pageFault(linear, present, write, user);
    }
    const written = updateTable(directory, pde, PTE.A) + updateTable(table, pte, write ? PTE.A | PTE.D : PTE.A);
    S[BUDGET] -= pageWalk[written];
    insert(linear >>> 12, pte & FRAME, permissions | globalBit(pte) | (write ? PTE.D : pte & PTE.D));
    return (pte & FRAME) | (linear & 0xfff);
  }

  function globalBit(entry: number): number {
    return (S[CR4] & CR4_BIT.PGE) !== 0 ? entry & PTE.G : 0;
  }

  /** A directory entry that maps 4 MB. The TLB takes it as pages of 4 KB, as processors may (SDM 3, 4.10.2.1). */
  function walkLarge(linear: number, access: number, directory: number, pde: number): number {
    const write = access === WRITE;
    const user = S[MODE] !== 0;
    // Bits 21 to 12 are reserved or PAT bits that these models do not have.
    if (!permits(pde, write, user)) {
      S[BUDGET] -= shortWalk;
      pageFault(linear, true, write, user);
    }
    const written = updateTable(directory, pde, write ? PTE.A | PTE.D : PTE.A);
    S[BUDGET] -= pageWalk[written];
    const frame = (pde & LARGE_FRAME) | (linear & 0x3ff000);
    const permissions = (pde & (PTE.RW | PTE.US)) | globalBit(pde);
    insert(linear >>> 12, frame, permissions | (write ? PTE.D : pde & PTE.D));
    return frame | (linear & 0xfff);
  }

  function count(access: number): void {
    if (access === READ) counters.tlbMissesRead++;
    else if (access === WRITE) counters.tlbMissesWrite++;
    else counters.tlbMissesFetch++;
  }

  /** Without paging every page of RAM is its own; it enters the arrays without a TLB. */
  function untranslated(linear: number): number {
    if ((linear >>> 0) < ramSize) {
      const page = linear >>> 12;
      if (watched.includes(page)) return linear;
      tlbRead[page] = 0;
      tlbRead[page + LINEAR_PAGES] = 0;
      if (codePages[page] === 0) {
        tlbWrite[page] = 0;
        tlbWrite[page + LINEAR_PAGES] = 0;
      }
    }
    return linear;
  }

  function translate(linear: number, access: number): number {
    const held = (access === WRITE ? tlbWrite : tlbRead)[(linear >>> 12) + S[MODE]];
    if ((held & 1) === 0) return (linear + held) | 0;
    if ((S[CR0] & CR0_BIT.PG) === 0) return untranslated(linear);
    const slot = find(linear >>> 12);
    if (slot === UNUSED) {
      count(access);
      return walk(linear, access);
    }
    const permissions = tlbPermissions[slot];
    const write = access === WRITE;
    if (!permits(permissions, write, S[MODE] !== 0) || (write && (permissions & PTE.D) === 0)) {
      return walk(linear, access);
    }
    install(slot);
    return tlbFrame[slot] | (linear & 0xfff);
  }

  function uninstallAll(): void {
    for (let slot = 0; slot < entries; slot++) {
      if (tlbPage[slot] !== UNUSED) uninstall(tlbPage[slot]);
    }
  }

  const mmu: Mmu = {
    translate,
    flush(globals) {
      counters.tlbFlushes++;
      for (let slot = 0; slot < entries; slot++) {
        if (globals || (tlbPermissions[slot] & PTE.G) === 0) drop(slot);
      }
    },
    invalidatePage(linear) {
      const slot = find(linear >>> 12);
      if (slot !== UNUSED) drop(slot);
      return slot !== UNUSED;
    },
    pagingChanged() {
      counters.tlbFlushes++;
      tlbRead.fill(-1);
      tlbWrite.fill(-1);
      tlbPage.fill(UNUSED);
      S[COUNT] = 0;
    },
    permissionsChanged: uninstallAll,
    codePageAdded(physicalPage) {
      codePages[physicalPage] = 1;
      if ((S[CR0] & CR0_BIT.PG) === 0) {
        tlbWrite[physicalPage] = -1;
        tlbWrite[physicalPage + LINEAR_PAGES] = -1;
        return;
      }
      for (let slot = 0; slot < entries; slot++) {
        if (tlbPage[slot] === UNUSED || tlbFrame[slot] >>> 12 !== physicalPage) continue;
        tlbWrite[tlbPage[slot]] = -1;
        tlbWrite[tlbPage[slot] + LINEAR_PAGES] = -1;
      }
    },
    watch(pages) {
      watched = pages;
      for (const page of pages) uninstall(page);
    },
    peek(linear) {
      if ((S[CR0] & CR0_BIT.PG) === 0) return linear;
      const pde = readTable((S[CR3] & FRAME) + ((linear >>> 22) << 2));
      if ((pde & PTE.P) === 0) return -1;
      if ((pde & PTE.PS) !== 0 && (S[CR4] & CR4_BIT.PSE) !== 0) {
        return ((pde & LARGE_FRAME) | (linear & 0x3fffff)) >>> 0;
      }
      const pte = readTable((pde & FRAME) + (((linear >>> 12) & 0x3ff) << 2));
      return (pte & PTE.P) === 0 ? -1 : ((pte & FRAME) | (linear & 0xfff)) >>> 0;
    },
    codePages,
    codeWritten: () => undefined,
    space: EMPTY_SPACE,
  };
  return mmu;
}
