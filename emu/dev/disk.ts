// What stands behind an ATA disk: sectors of 512 bytes. Where the bytes come from is the caller's
// affair; the machine itself knows no files.

export const SECTOR_SIZE = 512;

/** A disk of whole sectors. The caller asks only for sectors that exist. */
export interface DiskBackend {
  readonly sectors: number;
  /** The contents of `count` sectors from `lba`, or undefined for an unreadable medium. */
  read(lba: number, count: number): Uint8Array | undefined;
  /** Stores whole sectors from `lba`. Returns false when the medium refuses them. */
  write(lba: number, data: Uint8Array): boolean;
  /** Makes all that was written durable. */
  flush?(): void;
}

/** A disk over a buffer that the caller keeps; writes change the buffer. A partial last sector is left out. */
export class MemoryDisk implements DiskBackend {
  readonly sectors: number;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.sectors = Math.floor(bytes.length / SECTOR_SIZE);
  }

  read(lba: number, count: number): Uint8Array {
    return this.bytes.slice(lba * SECTOR_SIZE, (lba + count) * SECTOR_SIZE);
  }

  write(lba: number, data: Uint8Array): boolean {
    this.bytes.set(data, lba * SECTOR_SIZE);
    return true;
  }
}

/** A source of sectors that is never written. */
export interface SectorReader {
  readonly sectors: number;
  read(lba: number, count: number): Uint8Array | undefined;
}

/** Copy on write: what is written stays in memory, the rest comes from `reader`. */
export class OverlayDisk implements DiskBackend {
  readonly sectors: number;
  readonly #reader: SectorReader;
  readonly #written = new Map<number, Uint8Array>();

  constructor(reader: SectorReader) {
    this.#reader = reader;
    this.sectors = reader.sectors;
  }

  read(lba: number, count: number): Uint8Array | undefined {
    const under = this.#reader.read(lba, count);
    if (under === undefined) return undefined;
    const result = under.slice();
    for (let i = 0; i < count; i++) {
      const sector = this.#written.get(lba + i);
      if (sector !== undefined) result.set(sector, i * SECTOR_SIZE);
    }
    return result;
  }

  write(lba: number, data: Uint8Array): boolean {
    for (let i = 0; i * SECTOR_SIZE < data.length; i++) {
      this.#written.set(lba + i, data.slice(i * SECTOR_SIZE, (i + 1) * SECTOR_SIZE));
    }
    return true;
  }

  /** The sectors that differ from the reader's, by number. */
  changes(): ReadonlyMap<number, Uint8Array> {
    return this.#written;
  }
}
