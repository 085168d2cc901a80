// fsx: the options, the file under test, and what it should hold.
//
// The file is exercised in a window of `maxlen` bytes that begins at `base`
// (-B): offsets everywhere else in fsx count from there, and a size of 0 means
// a file that ends at the base.

@unmanaged
export class Fsx {
  fname: usize;
  fd: i32;
  /** Both ends of a pipe, to ask the kernel whether an address can be read. */
  pipe_read: i32;
  pipe_write: i32;
  base_low: u32;
  base_high: u32;
  /** Length of the window and of an operation, at most. */
  maxlen: u32;
  maxop: u32;
  /** Offsets of reads, writes and truncations are multiples of these. */
  readbdy: u32;
  writebdy: u32;
  truncbdy: u32;
  /** One operation in so many is followed by close and open; 0 for none. */
  closeprob: u32;
  mapped_reads: u32;
  mapped_writes: u32;
  fixed_size: u32;
  quiet: u32;
  /** Operations are printed from this one on; 0 for none. */
  monitor: u32;
  progress: u32;
  seed: u32;
  /** The operation that runs, from 1 on. */
  op: u32;
  /** Bytes of the window that are in the file, and what they should be. */
  size: u32;
  good: usize;
  /** Buffer of an operation. */
  temp: usize;
  /** The mapping of the whole window that stays, or 0. */
  held: usize;
  /** The bytes behind the end of the file in its last page were written through a mapping. */
  scribbled: u32;

  @inline get base(): i64 { return (i64(this.base_high) << 32) | i64(this.base_low); }
}

export const fsx = changetype<Fsx>(memory.data(offsetof<Fsx>(), 4));

export const PAGE_SIZE: u32 = 4096;
export const PAGE_MASK: u32 = 4095;

export function round_page(n: u32): u32 {
  return (n + PAGE_MASK) & ~PAGE_MASK;
}

/** Random bytes of the offset and of the operation that writes them; never 0 where the offset is even. */
function pattern_word(offset: u32): u32 {
  const writer = (fsx.op % 255 + 1) * 0x01010101;
  return writer ^ ((offset * 0x9e3779b1) & 0xff00ff00);
}

/** The byte at an offset tells which operation wrote it, when the offset is even: its number modulo 255, plus 1. */
export function generate(offset: u32, length: u32): void {
  for (let at = offset & ~3; at < offset + length; at += 4) {
    const word = pattern_word(at);
    if (at >= offset && at + 4 <= offset + length) {
      store<u32>(fsx.good + at, word);
      continue;
    }
    for (let i: u32 = 0; i < 4; i++) {
      if (at + i >= offset && at + i < offset + length) store<u8>(fsx.good + at + i, u8(word >> (8 * i)));
    }
  }
}

/** The file has another length now; what is new in it is zero. */
export function set_size(size: u32): void {
  if (size > fsx.size) memory.fill(fsx.good + fsx.size, 0, size - fsx.size);
  if (size != fsx.size) fsx.scribbled = 0;
  fsx.size = size;
}
