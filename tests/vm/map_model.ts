// A map as an array of pages, for comparing with the real one: what each page
// shows, and where entries begin.

interface ModelPage {
  readonly object: number;
  readonly offset: number;
  readonly prot: number;
  readonly inherit: number;
  /** Identity of the entry: pages of different entries are never one. */
  readonly entry: number;
}

export interface ModelEntry {
  readonly start: number;
  readonly end: number;
  readonly object: number;
  readonly offset: number;
  readonly prot: number;
}

export class MapModel {
  private readonly pages: (ModelPage | undefined)[];
  private nextEntry = 1;

  constructor(size: number) {
    this.pages = new Array<ModelPage | undefined>(size).fill(undefined);
  }

  /** The first place for `length` pages at or above `hint`; -1 when there is none. */
  private findspace(hint: number, length: number, fixed: boolean): number {
    for (let at = hint; at + length <= this.pages.length; at++) {
      if (this.pages.slice(at, at + length).every((page) => page === undefined)) return at;
      if (fixed) return -1;
    }
    return -1;
  }

  /** The offset that continues the entry before page `at`, so that merges happen. */
  offsetBefore(at: number): number {
    const before = this.pages[at - 1];
    return before ? before.offset + 1 : 0;
  }

  /** => the page it was mapped at, or -1 */
  map(hint: number, length: number, object: number, offset: number, prot: number, fixed: boolean,
    nomerge: boolean): number {
    const at = this.findspace(hint, length, fixed);
    if (at < 0) return -1;
    const before = this.pages[at - 1];
    const follows = object === 0 || before?.offset === offset - 1;
    const alike = before?.object === object && before.prot === prot && before.inherit === 2;
    const merge = !nomerge && follows && alike;
    const entry = merge ? before.entry : this.nextEntry++;
    for (let i = 0; i < length; i++) {
      this.pages[at + i] = { object, offset: object === 0 ? 0 : offset + i, prot, inherit: 2, entry };
    }
    return at;
  }

  /** Makes the pages of [start, end) entries of their own, cut at both ends. */
  private clip(start: number, end: number): void {
    for (const cut of [start, end]) {
      const page = this.pages[cut];
      if (page === undefined || this.pages[cut - 1]?.entry !== page.entry) continue;
      const fresh = this.nextEntry++;
      for (let i = cut; this.pages[i]?.entry === page.entry; i++) this.pages[i] = { ...this.pages[i]!, entry: fresh };
    }
  }

  unmap(start: number, end: number): void {
    if (start >= end) return;
    this.clip(start, Math.min(end, this.pages.length));
    for (let i = start; i < Math.min(end, this.pages.length); i++) this.pages[i] = undefined;
  }

  change(start: number, end: number, f: (page: ModelPage) => ModelPage): void {
    this.clip(start, Math.min(end, this.pages.length));
    for (let i = start; i < Math.min(end, this.pages.length); i++) {
      const page = this.pages[i];
      if (page) this.pages[i] = f(page);
    }
  }

  entries(): ModelEntry[] {
    const list: ModelEntry[] = [];
    let last = 0;
    this.pages.forEach((page, at) => {
      if (page && page.entry === last && list.length > 0) {
        list[list.length - 1] = { ...list[list.length - 1]!, end: at + 1 };
      } else if (page) {
        list.push({ start: at, end: at + 1, object: page.object, offset: page.offset, prot: page.prot });
      }
      last = page?.entry ?? 0;
    });
    return list;
  }
}
