// The hosted pmap: translations as JavaScript maps, and page contents that
// follow them.
//
// In the hosted world there is no translation: a virtual address is the memory
// behind it. So the contents of a page travel. While a kernel address maps the
// page they are at that address; while nothing does they are in the page's slot
// of the RAM window. Pages mapped at two kernel addresses at once are not
// coherent; user mappings carry no contents.

/** Physical memory starts here in the hosted memory. */
export const RAM_WINDOW = 0x80000000;
/** Pmap structs are allocated from here. */
const PMAP_STRUCTS = 0x7f000000;
const KERNBASE = 0xc0000000;
const PAGE_SIZE = 4096;
const PAGE_MASK = 0xfff;
const KERN_SUCCESS = 0;
const PMAP_WIRED = 0x10;

interface Mapping {
  pa: number;
  prot: number;
  wired: boolean;
  /** Made by pmap_enter, so that pmap_page_protect finds it. */
  managed: boolean;
}

/** Address of a page-aligned address. */
const trunc = (address: number): number => (address & ~PAGE_MASK) >>> 0;

export class HostedPmap {
  /** Mappings by pmap and virtual page address. */
  readonly spaces = new Map<number, Map<number, Mapping>>();
  readonly references = new Map<number, number>();
  /** Pages that were written, by physical address; tests set it. */
  readonly modified = new Set<number>();
  readonly referenced = new Set<number>();
  /** Results that the next calls of pmap_enter give instead of working. */
  failures: number[] = [];
  private nextStruct = PMAP_STRUCTS;
  private readonly kernel: number;

  private readonly bytes: Uint8Array;
  private readonly physAddrOffset: () => number;
  private readonly virtualStart: number;

  constructor(bytes: Uint8Array, physAddrOffset: () => number, virtualStart: number) {
    this.bytes = bytes;
    this.physAddrOffset = physAddrOffset;
    this.virtualStart = virtualStart;
    this.kernel = this.create();
  }

  private create(): number {
    const pmap = this.nextStruct;
    this.nextStruct += 64;
    this.spaces.set(pmap, new Map());
    this.references.set(pmap, 1);
    return pmap;
  }

  private word(address: number): number {
    return new DataView(this.bytes.buffer).getUint32(address >>> 0, true);
  }

  private setWord(address: number, value: number): void {
    new DataView(this.bytes.buffer).setUint32(address >>> 0, value >>> 0, true);
  }

  private space(pmap: number): Map<number, Mapping> {
    const space = this.spaces.get(pmap >>> 0);
    if (!space) throw new Error(`hosted pmap: 0x${(pmap >>> 0).toString(16)} is not a pmap`);
    return space;
  }

  private physOf(pg: number): number {
    return this.word((pg >>> 0) + this.physAddrOffset());
  }

  /** Where the contents of a page are now. */
  private contents(pa: number): number {
    for (const [va, mapping] of this.space(this.kernel)) if (mapping.pa === pa) return va;
    return RAM_WINDOW + pa;
  }

  private move(from: number, to: number): void {
    if (from !== to) this.bytes.copyWithin(to, from, from + PAGE_SIZE);
  }

  private enter(pmap: number, va: number, pa: number, prot: number, wired: boolean, managed: boolean): void {
    const space = this.space(pmap);
    const old = space.get(va);
    if (old && old.pa === pa) {
      space.set(va, { pa, prot, wired, managed });
      return;
    }
    if (old) this.drop(pmap, va);
    const from = this.contents(pa);
    space.set(va, { pa, prot, wired, managed });
    if (va >= KERNBASE) this.move(from, va);
  }

  private drop(pmap: number, va: number): void {
    const space = this.space(pmap);
    const mapping = space.get(va);
    if (!mapping) return;
    space.delete(va);
    if (va >= KERNBASE) this.move(va, this.contents(mapping.pa));
  }

  private dropRange(pmap: number, sva: number, eva: number): void {
    for (const va of [...this.space(pmap).keys()]) if (va >= sva >>> 0 && va < eva >>> 0) this.drop(pmap, va);
  }

  /** All mappings of a page: [pmap, va, mapping]. */
  mappingsOf(pa: number): [number, number, Mapping][] {
    const found: [number, number, Mapping][] = [];
    for (const [pmap, space] of this.spaces) {
      for (const [va, mapping] of space) if (mapping.pa === pa) found.push([pmap, va, mapping]);
    }
    return found;
  }

  /** Number of wired mappings made by pmap_enter with PMAP_WIRED. */
  wiredMappings(pmap: number): number {
    return [...this.space(pmap).values()].filter((mapping) => mapping.wired).length;
  }

  /** The functions of kernel/i386/pmap.ts. */
  functions(): Record<string, (...args: number[]) => number | void> {
    return {
      pmap_kernel: () => this.kernel,
      pmap_init: () => {},
      pmap_create: () => this.create(),
      pmap_reference: (pmap) => void this.references.set(pmap >>> 0, (this.references.get(pmap >>> 0) ?? 0) + 1),
      pmap_destroy: (pmap) => this.destroy(pmap >>> 0),
      pmap_growkernel: (maxva) => ((maxva + 0x3fffff) & ~0x3fffff) >>> 0,
      pmap_virtual_space: (startp, endp) => {
        this.setWord(startp, this.virtualStart);
        this.setWord(endp, 0xffc00000);
      },
      pmap_enter: (pmap, va, pa, prot, flags) => {
        const failure = this.failures.shift() ?? KERN_SUCCESS;
        if (failure !== KERN_SUCCESS) return failure;
        this.enter(pmap >>> 0, trunc(va), trunc(pa), prot, (flags & PMAP_WIRED) !== 0, true);
        return KERN_SUCCESS;
      },
      pmap_kenter_pa: (va, pa, prot) => this.enter(this.kernel, trunc(va), trunc(pa), prot, false, false),
      pmap_kremove: (va, size) => this.dropRange(this.kernel, va >>> 0, (va >>> 0) + (size >>> 0)),
      pmap_remove: (pmap, sva, eva) => this.dropRange(pmap, sva, eva),
      pmap_protect: (pmap, sva, eva, prot) => this.protect(pmap, sva >>> 0, eva >>> 0, prot),
      pmap_unwire: (pmap, va) => {
        const mapping = this.space(pmap).get(trunc(va));
        if (!mapping) throw new Error("hosted pmap: pmap_unwire of an address that is not mapped");
        mapping.wired = false;
      },
      pmap_extract: (pmap, va, pap) => {
        const mapping = this.space(pmap).get(trunc(va));
        if (!mapping) return 0;
        if (pap !== 0) this.setWord(pap, mapping.pa | (va & PAGE_MASK));
        return 1;
      },
      pmap_page_protect: (pg, prot) => this.pageProtect(this.physOf(pg), prot),
      pmap_is_modified: (pg) => Number(this.modified.has(this.physOf(pg))),
      pmap_is_referenced: (pg) => Number(this.referenced.has(this.physOf(pg))),
      pmap_clear_modify: (pg) => Number(this.modified.delete(this.physOf(pg))),
      pmap_clear_reference: (pg) => Number(this.referenced.delete(this.physOf(pg))),
      pmap_zero_page: (pa) => {
        const at = this.contents(pa >>> 0);
        this.bytes.fill(0, at, at + PAGE_SIZE);
      },
      pmap_copy_page: (src, dst) => this.move(this.contents(src >>> 0), this.contents(dst >>> 0)),
    };
  }

  private destroy(pmap: number): void {
    const left = (this.references.get(pmap) ?? 0) - 1;
    this.references.set(pmap, left);
    if (left > 0) return;
    if (this.space(pmap).size !== 0) throw new Error("hosted pmap: pmap_destroy with mappings left");
    this.spaces.delete(pmap);
  }

  private protect(pmap: number, sva: number, eva: number, prot: number): void {
    if ((prot & 1) === 0) return this.dropRange(pmap, sva, eva);
    for (const [va, mapping] of this.space(pmap)) if (va >= sva && va < eva) mapping.prot &= prot;
  }

  private pageProtect(pa: number, prot: number): void {
    for (const [pmap, va, mapping] of this.mappingsOf(pa)) {
      if (!mapping.managed) continue;
      if ((prot & 1) === 0) this.drop(pmap, va);
      else mapping.prot &= prot;
    }
  }
}
