// What the task file of a 1 MB disk reads after each step of a session, recorded on QEMU 7.2 by a
// kernel that did the same port accesses. The disk holds the decimal numbers from 1, one a line.

import { SECTOR_SIZE } from "../../emu/dev/disk.js";

/** Steps of a session: register writes, a command, a block of 256 words moved, a software reset. */
export type AtaStep =
  | { readonly set: readonly [count: number, sector: number, low: number, high: number, device: number] }
  | { readonly features: number }
  | { readonly device: number }
  | { readonly command: number }
  | { readonly readBlock: number }
  | { readonly writeBlock: (i: number) => number }
  | { readonly reset: true };

export interface AtaCase {
  readonly when: string;
  readonly steps: readonly AtaStep[];
  /** Error, SectorCount, SectorNumber, CylinderLow, CylinderHigh, Device, AlternateStatus, Status. */
  readonly registers: string;
}

/** The contents of the recorded session's disk. */
export function sessionDisk(): Uint8Array {
  const bytes = new Uint8Array(2048 * SECTOR_SIZE);
  let at = 0;
  for (let n = 1; at < bytes.length; n++) {
    for (const character of `${n}\n`) if (at < bytes.length) bytes[at++] = character.charCodeAt(0);
  }
  return bytes;
}

/** The checksum of a block of words by which the recording names its contents. */
export function blockSum(words: readonly number[]): number {
  return words.reduce((sum, word) => (Math.imul(sum, 31) + word) >>> 0, 0);
}

export const ATA_SESSION: readonly AtaCase[] = [
  { when: "after a software reset", steps: [{ reset: true }], registers: "01 01 01 00 00 a0 50 50" },
  { when: "with the absent device 1 selected", steps: [{ device: 0xb0 }], registers: "00 01 01 ff ff b0 00 00" },
  { when: "after a command to device 1", steps: [{ command: 0xec }], registers: "00 01 01 ff ff b0 00 00" },
  { when: "with device 0 selected again", steps: [{ device: 0xa0 }], registers: "01 01 01 00 00 a0 50 50" },
  { when: "after IDENTIFY DEVICE", steps: [{ command: 0xec }], registers: "00 01 01 00 00 a0 58 58" },
  { when: "after its data", steps: [{ readBlock: -1 }], registers: "00 01 01 00 00 a0 50 50" },
  {
    when: "after READ SECTORS of LBA 0",
    steps: [{ set: [1, 0, 0, 0, 0xe0] }, { command: 0x20 }],
    registers: "00 00 01 00 00 e0 58 58",
  },
  { when: "after its data", steps: [{ readBlock: 0xa53ac6c3 }], registers: "00 00 01 00 00 e0 50 50" },
  {
    when: "after READ SECTORS of three",
    steps: [{ set: [3, 5, 0, 0, 0xe0] }, { command: 0x20 }],
    registers: "00 02 06 00 00 e0 58 58",
  },
  { when: "after the first of three", steps: [{ readBlock: 0x6ddf8b5c }], registers: "00 01 07 00 00 e0 58 58" },
  { when: "after the second of three", steps: [{ readBlock: 0xadb9962c }], registers: "00 00 08 00 00 e0 58 58" },
  { when: "after the third of three", steps: [{ readBlock: 0x71d0a7bd }], registers: "00 00 08 00 00 e0 50 50" },
  {
    when: "after a read beyond the end",
    steps: [{ set: [1, 0, 0x10, 0, 0xe0] }, { command: 0x20 }],
    registers: "04 01 00 10 00 e0 41 41",
  },
  {
    when: "after READ SECTORS of cylinder 0 head 0 sector 1",
    steps: [{ set: [1, 1, 0, 0, 0xa0] }, { command: 0x20 }],
    registers: "00 00 02 00 00 a0 58 58",
  },
  {
    when: "after two sectors across a cylinder, the first",
    steps: [{ readBlock: 0xa53ac6c3 }, { set: [2, 63, 0, 0, 0xaf] }, { command: 0x20 }],
    registers: "00 01 01 01 00 a0 58 58",
  },
  { when: "the second", steps: [{ readBlock: 0x06c638cc }], registers: "00 00 02 01 00 a0 58 58" },
  { when: "and the end", steps: [{ readBlock: 0x12be7eb1 }], registers: "00 00 02 01 00 a0 50 50" },
  {
    when: "after a read of sector number 0",
    steps: [{ set: [1, 0, 0, 0, 0xa0] }, { command: 0x20 }],
    registers: "04 01 00 00 00 a0 41 41",
  },
  { when: "after a reset that ends an error", steps: [{ reset: true }], registers: "01 01 01 00 00 a0 50 50" },
  {
    when: "after WRITE SECTORS of two",
    steps: [{ set: [2, 7, 0, 0, 0xe0] }, { command: 0x30 }],
    registers: "00 02 07 00 00 e0 58 58",
  },
  { when: "after the first block out", steps: [{ writeBlock: (i) => i }], registers: "00 01 08 00 00 e0 58 58" },
  { when: "after the second block out", steps: [{ writeBlock: (i) => i * 3 }], registers: "00 00 09 00 00 e0 50 50" },
  {
    when: "after reading both back",
    steps: [
      { set: [2, 7, 0, 0, 0xe0] },
      { command: 0x20 },
      { readBlock: 0x1aff0080 },
      { readBlock: 0x50fd0180 },
    ],
    registers: "00 00 09 00 00 e0 50 50",
  },
  { when: "after FLUSH CACHE", steps: [{ command: 0xe7 }], registers: "00 00 09 00 00 e0 50 50" },
  {
    when: "after EXECUTE DEVICE DIAGNOSTIC",
    steps: [{ set: [0, 0, 0, 0, 0xe0] }, { command: 0x90 }],
    registers: "01 01 01 00 00 a0 50 50",
  },
  {
    when: "after SET FEATURES of a PIO mode",
    steps: [{ features: 3 }, { set: [8, 0, 0, 0, 0xe0] }, { command: 0xef }],
    registers: "00 08 00 00 00 e0 50 50",
  },
  {
    when: "after SET FEATURES of an unknown feature",
    steps: [{ features: 0x99 }, { command: 0xef }],
    registers: "04 08 00 00 00 e0 41 41",
  },
  {
    when: "after SET FEATURES of the write cache",
    steps: [{ features: 2 }, { command: 0xef }],
    registers: "00 08 00 00 00 e0 50 50",
  },
  { when: "after an unknown command", steps: [{ command: 0xff }], registers: "04 08 00 00 00 e0 41 41" },
  { when: "after RECALIBRATE", steps: [{ command: 0x10 }], registers: "00 08 00 00 00 e0 50 50" },
  { when: "after SEEK", steps: [{ command: 0x70 }], registers: "00 08 00 00 00 e0 50 50" },
  {
    when: "after INITIALIZE DEVICE PARAMETERS",
    steps: [{ set: [63, 0, 0, 0, 0xaf] }, { command: 0x91 }],
    registers: "00 3f 00 00 00 af 50 50",
  },
  {
    when: "after SET MULTIPLE MODE 16",
    steps: [{ set: [16, 0, 0, 0, 0xe0] }, { command: 0xc6 }],
    registers: "00 10 00 00 00 e0 50 50",
  },
  {
    when: "after SET MULTIPLE MODE 3",
    steps: [{ set: [3, 0, 0, 0, 0xe0] }, { command: 0xc6 }],
    registers: "04 03 00 00 00 e0 41 41",
  },
  {
    when: "after READ MULTIPLE while it is off",
    steps: [{ set: [0, 0, 0, 0, 0xe0] }, { command: 0xc6 }, { command: 0xc4 }],
    registers: "04 00 00 00 00 e0 41 41",
  },
  {
    when: "after READ MULTIPLE of three by two",
    steps: [{ set: [2, 0, 0, 0, 0xe0] }, { command: 0xc6 }, { set: [3, 5, 0, 0, 0xe0] }, { command: 0xc4 }],
    registers: "00 01 07 00 00 e0 58 58",
  },
  { when: "within its first block", steps: [{ readBlock: 0x6ddf8b5c }], registers: "00 01 07 00 00 e0 58 58" },
  { when: "after its first block", steps: [{ readBlock: 0xadb9962c }], registers: "00 00 08 00 00 e0 58 58" },
  { when: "after its last block", steps: [{ readBlock: 0x1aff0080 }], registers: "00 00 08 00 00 e0 50 50" },
  { when: "after CHECK POWER MODE", steps: [{ command: 0xe5 }], registers: "00 ff 08 00 00 e0 50 50" },
  { when: "after READ VERIFY SECTORS", steps: [{ command: 0x40 }], registers: "00 ff 08 00 00 e0 50 50" },
  { when: "after READ NATIVE MAX ADDRESS", steps: [{ command: 0xf8 }], registers: "00 ff ff 07 00 e0 50 50" },
  { when: "after IDENTIFY PACKET DEVICE", steps: [{ command: 0xa1 }], registers: "04 ff ff 07 00 e0 41 41" },
  { when: "after NOP", steps: [{ command: 0x00 }], registers: "04 ff ff 07 00 e0 41 41" },
  { when: "after STANDBY IMMEDIATE", steps: [{ command: 0xe0 }], registers: "00 ff ff 07 00 e0 40 40" },
];
