// The address space of the vectors: what a case finds in memory and in the
// descriptor tables, on the host's processor and on the emulated one alike.
//
//   0x0FF000  absent     0x100000  code, all INT3       0x101000  absent
//   0x1FF000  absent     0x200000  data                 0x201000  data, read-only   0x202000  absent
//                        0x203000  data                 0x204000  data              0x205000  absent
//
// A case starts from the same bytes every time: `pattern` in the data pages.
// Only the windows are put back and compared, and only there may a case write.

import { randomFrom } from "../cpu_rig.js";

export const PAGE = 4096;
export const CODE_PAGE = 0x100000;
/** Where the code of a case begins when nothing asks for another place. */
export const CODE = 0x100100;
export const DATA_PAGES = [0x200000, 0x201000, 0x203000, 0x204000] as const;
export const READ_ONLY_PAGE = 0x201000;
/** The absent pages at which operands may end. */
export const ABSENT_PAGES = [0xff000, 0x101000, 0x1ff000, 0x202000, 0x205000] as const;

export interface Window {
  readonly at: number;
  readonly bytes: number;
}

/** The middle window lies across a page boundary; the others at ends of mapped memory. */
export const MIDDLE: Window = { at: 0x203f00, bytes: 512 };
export const WINDOWS: readonly Window[] = [
  { at: 0x200000, bytes: 128 }, { at: 0x200f80, bytes: 128 }, MIDDLE, { at: 0x204f80, bytes: 128 },
];

/** Where the host's runner stores the coprocessor's state behind a case. */
export const SAVE = 0x300000;

/** Selectors of Linux, which the emulated descriptor tables have, too. */
export const FLAT = { CODE: 0x23, DATA: 0x2b, KERNEL_CODE: 0x10, KERNEL_DATA: 0x18 } as const;

/** A descriptor of the local table, in the terms of modify_ldt. */
export interface LocalSegment {
  readonly base: number;
  /** In bytes, inclusive. */
  readonly limit: number;
  readonly code?: boolean;
  readonly down?: boolean;
  /** 32-bit code, or a 32-bit stack. */
  readonly big?: boolean;
  /** Data that is not written, code that is not read. */
  readonly restricted?: boolean;
  readonly absent?: boolean;
}

/** The local descriptor table, in order. */
export const LOCAL = {
  WIDE: { base: 0x200000, limit: 0xffff, big: true },
  SMALL: { base: MIDDLE.at, limit: MIDDLE.bytes - 1, big: true },
  READ_ONLY: { base: 0x200000, limit: 0xffff, big: true, restricted: true },
  DOWN32: { base: 0x200000, limit: 0x3eff, big: true, down: true },
  DOWN16: { base: 0x200000, limit: 0x3eff, down: true },
  ABSENT: { base: 0x200000, limit: 0xffff, big: true, absent: true },
  EXECUTE_ONLY: { base: CODE_PAGE, limit: 0xfff, big: true, code: true, restricted: true },
  CODE16: { base: CODE_PAGE, limit: 0xfff, code: true },
  STACK16: { base: 0x200000, limit: 0xffff },
  CODE32: { base: CODE_PAGE, limit: 0xfff, big: true, code: true },
} as const satisfies Readonly<Record<string, LocalSegment>>;

export type LocalName = keyof typeof LOCAL;
export const LOCAL_NAMES = Object.keys(LOCAL) as readonly LocalName[];

/** The selector of a local segment, for privilege level 3. */
export function local(name: LocalName): number {
  return (LOCAL_NAMES.indexOf(name) << 3) | 7;
}

/** What a selector of this space stands for; flat for those that are not local. */
export function segmentOf(selector: number): LocalSegment {
  if ((selector & 4) === 0) return { base: 0, limit: 0xffffffff, big: true };
  return LOCAL[LOCAL_NAMES[selector >>> 3]];
}

/** The bytes of a data page before a case. */
export function pattern(page: number): Uint8Array {
  const random = randomFrom(page);
  return new Uint8Array(PAGE).map(() => random() >>> 24);
}
