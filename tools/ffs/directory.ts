// Directory contents: chunks of 512 bytes, each filled exactly by entries of inode number, record
// length, type, name length and name.

import { DIRBLKSIZ, MAXNAMLEN } from "./format.js";
import { roundup } from "./geometry.js";

export interface DirectoryEntry {
  readonly ino: number;
  readonly type: number;
  readonly name: Uint8Array;
}

/** An entry together with where it lies; `ino` 0 is an unused record. */
export interface DirectoryRecord extends DirectoryEntry {
  readonly offset: number;
  readonly reclen: number;
}

const ENTRY_HEADER = 8;

/** Bytes that an entry with a name of `length` bytes needs, its NUL included. */
export function directSize(length: number): number {
  return ENTRY_HEADER + roundup(length + 1, 4);
}

/**
 * Reads the records of one chunk; `offset` is where the chunk begins in the directory.
 * Returns the records up to the first that is malformed, and whether there was one.
 */
export function readChunk(chunk: Uint8Array, offset: number): { records: DirectoryRecord[]; corrupted: boolean } {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const records: DirectoryRecord[] = [];
  for (let at = 0; at < chunk.length; ) {
    if (at + ENTRY_HEADER > chunk.length) return { records, corrupted: true };
    const ino = view.getUint32(at, true);
    const reclen = view.getUint16(at + 4, true);
    const type = chunk[at + 6]!;
    const namlen = chunk[at + 7]!;
    const fits = reclen >= ENTRY_HEADER && reclen % 4 === 0 && at + reclen <= chunk.length;
    if (!fits || (ino !== 0 && !nameIsSound(chunk, at + ENTRY_HEADER, namlen, reclen))) {
      return { records, corrupted: true };
    }
    const name = chunk.subarray(at + ENTRY_HEADER, at + ENTRY_HEADER + namlen);
    records.push({ ino, type, name: ino === 0 ? new Uint8Array(0) : name, offset: offset + at, reclen });
    at += reclen;
  }
  return { records, corrupted: false };
}

/** A name has 1 to 255 bytes without NUL and slash, fits its record and ends with a NUL. */
function nameIsSound(chunk: Uint8Array, at: number, namlen: number, reclen: number): boolean {
  if (namlen === 0 || reclen < directSize(namlen)) return false;
  for (let i = 0; i < namlen; i++) if (chunk[at + i] === 0 || chunk[at + i] === 0x2f) return false;
  return chunk[at + namlen] === 0;
}

/** Whether a host name can be a name of this file system. */
export function nameIsPossible(name: Uint8Array): boolean {
  return name.length > 0 && name.length <= MAXNAMLEN && !name.includes(0) && !name.includes(0x2f);
}

/** Packs entries, in order, into the bytes of a directory: whole chunks, the last record of each filling it. */
export function packDirectory(entries: readonly DirectoryEntry[]): Uint8Array {
  const placed: { entry: DirectoryEntry; offset: number }[] = [];
  let end = 0;
  for (const entry of entries) {
    const size = directSize(entry.name.length);
    if (Math.floor(end / DIRBLKSIZ) !== Math.floor((end + size - 1) / DIRBLKSIZ)) end = roundup(end, DIRBLKSIZ);
    placed.push({ entry, offset: end });
    end += size;
  }
  const bytes = new Uint8Array(roundup(end, DIRBLKSIZ));
  const view = new DataView(bytes.buffer);
  placed.forEach(({ entry, offset }, i) => {
    const next = placed[i + 1]?.offset ?? bytes.length;
    const chunkEnd = roundup(offset + 1, DIRBLKSIZ);
    view.setUint32(offset, entry.ino, true);
    view.setUint16(offset + 4, Math.min(next, chunkEnd) - offset, true);
    bytes[offset + 6] = entry.type;
    bytes[offset + 7] = entry.name.length;
    bytes.set(entry.name, offset + ENTRY_HEADER);
  });
  return bytes;
}
