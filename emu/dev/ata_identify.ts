// The 256 words that IDENTIFY DEVICE returns, as QEMU fills them for the modes we offer (PIO, 28-bit LBA).

/** The translated geometry by which a disk of `sectors` sectors is addressed as cylinder, head, sector. */
export interface Geometry {
  cylinders: number;
  heads: number;
  sectors: number;
}

export const MAX_MULTIPLE = 16;

/** The default geometry: 16 heads of 63 sectors, 2 to 16383 cylinders. */
export function defaultGeometry(sectors: number): Geometry {
  const cylinders = Math.min(16383, Math.max(2, Math.floor(sectors / (16 * 63))));
  return { cylinders, heads: 16, sectors: 63 };
}

/** Puts text into words, first character in the high byte, padded with blanks. */
function putText(words: Uint16Array, at: number, length: number, text: string): void {
  const padded = text.padEnd(length, " ").slice(0, length);
  for (let i = 0; i < length / 2; i++) {
    words[at + i] = (padded.charCodeAt(2 * i) << 8) | padded.charCodeAt(2 * i + 1);
  }
}

/** What IDENTIFY DEVICE tells of a disk. */
export interface Identity {
  sectors: number;
  model: string;
  serial: string;
  firmware: string;
  /** The default geometry and the one set by INITIALIZE DEVICE PARAMETERS. */
  geometry: Geometry;
  current: Geometry;
  /** Sectors in one data block of READ MULTIPLE, 0 when off. */
  multiple: number;
}

/** The answer to IDENTIFY DEVICE. Word numbers are those of the ATA standard. */
export function identifyData(disk: Identity): Uint16Array {
  const words = new Uint16Array(256);
  const { geometry, current } = disk;
  const capacity = current.cylinders * current.heads * current.sectors;
  words[0] = 0x0040;
  words[1] = geometry.cylinders;
  words[3] = geometry.heads;
  words[4] = 512 * geometry.sectors;
  words[5] = 512;
  words[6] = geometry.sectors;
  putText(words, 10, 20, disk.serial);
  words[20] = 3;
  words[21] = 512;
  words[22] = 4;
  putText(words, 23, 8, disk.firmware);
  putText(words, 27, 40, disk.model);
  words[47] = 0x8000 | MAX_MULTIPLE;
  words[48] = 1;
  // LBA and IORDY; no DMA.
  words[49] = 0x0a00;
  words[51] = 0x0200;
  words[53] = 0x0003;
  words[54] = current.cylinders;
  words[55] = current.heads;
  words[56] = current.sectors;
  words[57] = capacity & 0xffff;
  words[58] = capacity >>> 16;
  words[59] = disk.multiple > 0 ? 0x0100 | disk.multiple : 0;
  words[60] = disk.sectors & 0xffff;
  words[61] = disk.sectors >>> 16;
  words[64] = 0x0003;
  words[67] = 120;
  words[68] = 120;
  words[80] = 0x00f0;
  words[81] = 0x0016;
  // NOP, write cache; FLUSH CACHE.
  words[82] = 0x4020;
  words[83] = 0x5000;
  words[84] = 0x4000;
  words[85] = 0x4020;
  words[86] = 0x1000;
  words[87] = 0x4000;
  words[93] = 0x6001;
  return words;
}
