// Kernel images made in memory, for the loader's tests and for machines without a compiler at hand.

export interface ImageSegment {
  readonly vaddr: number;
  readonly paddr: number;
  readonly bytes: Uint8Array;
  readonly memsz?: number;
}

/** The Multiboot header words for `flags`. */
export function multibootHeader(flags: number): Uint8Array {
  const header = new Uint8Array(12);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x1badb002, true);
  view.setUint32(4, flags, true);
  view.setUint32(8, -(0x1badb002 + flags) >>> 0, true);
  return header;
}

/** A 32-bit i386 executable with the given loadable segments, each at a page boundary of the file. */
export function elfImage(entry: number, segments: readonly ImageSegment[]): Uint8Array {
  const offsets: number[] = [];
  let end = 4096;
  for (const segment of segments) {
    offsets.push(end);
    end += Math.ceil(segment.bytes.length / 4096) * 4096;
  }
  const image = new Uint8Array(end);
  const view = new DataView(image.buffer);
  image.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 3, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, entry, true);
  view.setUint32(28, 52, true);
  view.setUint16(40, 52, true);
  view.setUint16(42, 32, true);
  view.setUint16(44, segments.length, true);
  segments.forEach((segment, i) => {
    const words = [1, offsets[i]!, segment.vaddr, segment.paddr, segment.bytes.length];
    const sizes = [segment.memsz ?? segment.bytes.length, 7, 4096];
    [...words, ...sizes].forEach((word, j) => view.setUint32(52 + 32 * i + 4 * j, word, true));
    image.set(segment.bytes, offsets[i]);
  });
  return image;
}

/** Machine code that sends physical ranges over COM1 byte by byte and then writes 0 to the exit port. */
export function dumpCode(ranges: readonly (readonly [number, number])[]): Uint8Array {
  const word = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
  const code = [0xfc, 0x66, 0xba, 0xf8, 0x03];
  for (const [from, length] of ranges) code.push(0xbe, ...word(from), 0xb9, ...word(length), 0xf3, 0x6e);
  code.push(0x31, 0xc0, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd);
  return new Uint8Array(code);
}

/** A kernel at 1 MB that runs `code`; linked at `virtual` where that differs from its physical address. */
export function kernelOf(code: Uint8Array, flags = 3, virtual = 0x100000): Uint8Array {
  const text = new Uint8Array(16 + code.length);
  text.set(multibootHeader(flags));
  text.set(code, 16);
  return elfImage(virtual + 16, [{ vaddr: virtual, paddr: 0x100000, bytes: text, memsz: text.length + 5000 }]);
}

const TIMER_VECTOR = 0x20;
const COM1_VECTOR = 0x24;
const VECTORS = COM1_VECTOR + 1;
const STACK = 0x90000;

/**
 * A kernel that takes `ticks` timer interrupts of period `count`, sleeping in HLT, and echoes what COM1 receives
 * by interrupt; then it writes 7 to the exit port.
 */
export function tickingKernel(ticks: number, count: number): Uint8Array {
  const base = 0x100010;
  const word = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
  const out = (port: number, value: number): number[] => [0xb0, value, 0xe6, port];
  const data = { idtr: 0x3e0, gdtr: 0x3e8, gdt: 0x3f0, counter: 0x408, idt: 0x410 };
  const handlers = { timer: 0x200, com1: 0x240 };
  const main = [
    ...[0xbc, ...word(STACK)],
    ...[0x0f, 0x01, 0x1d, ...word(base + data.idtr), 0x0f, 0x01, 0x15, ...word(base + data.gdtr)],
    ...out(0x20, 0x11), ...out(0x21, TIMER_VECTOR), ...out(0x21, 4), ...out(0x21, 1), ...out(0x21, 0xee),
    ...out(0x43, 0x34), ...out(0x40, count & 0xff), ...out(0x40, count >> 8),
    ...[0x66, 0xba, 0xf9, 0x03, 0xb0, 0x01, 0xee],
    // sti; hlt; cmp [counter], ticks; jb back to hlt; cli; exit 7
    ...[0xfb, 0xf4, 0x83, 0x3d, ...word(base + data.counter), ticks, 0x72, 0xf6, 0xfa, ...out(0xf4, 7), 0xf4],
  ];
  const code = new Uint8Array(0x410 + 8 * VECTORS);
  code.set(main);
  code.set([0xff, 0x05, ...word(base + data.counter), 0x50, ...out(0x20, 0x20), 0x58, 0xcf], handlers.timer);
  code.set([0x50, 0x52, 0x66, 0xba, 0xf8, 0x03, 0xec, 0xee, ...out(0x20, 0x20), 0x5a, 0x58, 0xcf], handlers.com1);
  code.set([...word(8 * VECTORS - 1).slice(0, 2), ...word(base + data.idt)], data.idtr);
  // Flat code at selector 8 and data at 16, as at entry.
  code.set([23, 0, ...word(base + data.gdt)], data.gdtr);
  for (const [selector, access] of [[8, 0x9a], [16, 0x92]] as const) {
    code.set([0xff, 0xff, 0, 0, 0, access, 0xcf, 0], data.gdt + selector);
  }
  for (const [vector, handler] of [[TIMER_VECTOR, handlers.timer], [COM1_VECTOR, handlers.com1]] as const) {
    const address = word(base + handler);
    code.set([...address.slice(0, 2), 0x08, 0, 0, 0x8e, ...address.slice(2)], data.idt + 8 * vector);
  }
  return kernelOf(code);
}
