// Address spaces of several processes as plain arrays: what each page of each
// process holds, and which other pages it must change with.

/** A page of memory; several places may show the same one. */
export interface Cell {
  value: number;
}

export const SHARE = 0;
export const COPY = 1;
export const NONE = 2;

interface Place {
  cell: Cell;
  inherit: number;
}

export class ForkModel {
  readonly spaces: (Place | undefined)[][];

  /** One process with `pages` pages of address space. */
  constructor(pages: number) {
    this.spaces = [new Array<Place | undefined>(pages).fill(undefined)];
  }

  map(space: number, page: number, count: number, inherit: number): void {
    for (let i = page; i < page + count; i++) this.spaces[space]![i] = { cell: { value: 0 }, inherit };
  }

  unmap(space: number, page: number, count: number): void {
    for (let i = page; i < page + count; i++) this.spaces[space]![i] = undefined;
  }

  inherit(space: number, page: number, count: number, inherit: number): void {
    for (let i = page; i < page + count; i++) {
      const place = this.spaces[space]![i];
      if (place) this.spaces[space]![i] = { ...place, inherit };
    }
  }

  write(space: number, page: number, value: number): boolean {
    const place = this.spaces[space]![page];
    if (place) place.cell.value = value;
    return place !== undefined;
  }

  /** What a read gives; -1 where nothing is mapped. */
  read(space: number, page: number): number {
    return this.spaces[space]![page]?.cell.value ?? -1;
  }

  isFree(space: number, page: number, count: number): boolean {
    return this.spaces[space]!.slice(page, page + count).every((place) => place === undefined);
  }

  fork(space: number): void {
    this.spaces.push(this.spaces[space]!.map((place) => {
      if (!place || place.inherit === NONE) return undefined;
      return place.inherit === SHARE ? place : { cell: { value: place.cell.value }, inherit: place.inherit };
    }));
  }

  exit(space: number): void {
    this.spaces.splice(space, 1);
  }
}
