// A growing little-endian byte buffer, for everything the linker writes.

const encoder = new TextEncoder();

export class ByteWriter {
  private buffer = new Uint8Array(1024);
  private view = new DataView(this.buffer.buffer);
  length = 0;

  private reserve(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.buffer.length) {
      const grown = new Uint8Array(Math.max(this.length, this.buffer.length * 2));
      grown.set(this.buffer);
      this.buffer = grown;
      this.view = new DataView(grown.buffer);
    }
    return at;
  }

  u8(value: number): this {
    const at = this.reserve(1);
    this.view.setUint8(at, value & 0xff);
    return this;
  }

  u16(value: number): this {
    const at = this.reserve(2);
    this.view.setUint16(at, value & 0xffff, true);
    return this;
  }

  u32(value: number): this {
    const at = this.reserve(4);
    this.view.setUint32(at, value >>> 0, true);
    return this;
  }

  /** Overwrites a word written before. */
  patch32(at: number, value: number): this {
    this.view.setUint32(at, value >>> 0, true);
    return this;
  }

  bytes(bytes: Uint8Array | readonly number[]): this {
    const at = this.reserve(bytes.length);
    this.buffer.set(bytes, at);
    return this;
  }

  /** UTF-8 with a final NUL. */
  cstring(text: string): this {
    return this.bytes(encoder.encode(text)).u8(0);
  }

  uleb128(value: number): this {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.u8(rest);
  }

  sleb128(value: number): this {
    let rest = value;
    while (rest < -64 || rest > 63) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    return this.u8(rest & 0x7f);
  }

  /** Fills with `fill` up to a multiple of `align`. */
  align(align: number, fill = 0): this {
    while (this.length % align !== 0) this.u8(fill);
    return this;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }
}

/** Strings with offsets, each stored once: the string table of an ELF file or of the symbol table for DDB. */
export class StringTable {
  private readonly offsets = new Map<string, number>();
  private readonly writer = new ByteWriter();

  /** `leadingNul`: offset 0 is the empty string, as ELF wants. */
  constructor(leadingNul: boolean) {
    if (leadingNul) this.add("");
  }

  add(text: string): number {
    let offset = this.offsets.get(text);
    if (offset === undefined) {
      offset = this.writer.length;
      this.offsets.set(text, offset);
      this.writer.cstring(text);
    }
    return offset;
  }

  finish(): Uint8Array {
    return this.writer.finish();
  }
}
