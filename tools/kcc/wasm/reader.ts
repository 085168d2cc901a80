// A cursor over bytes that reads the number formats of the WebAssembly binary.

const textDecoder = new TextDecoder();

export class Reader {
  private readonly bytes: Uint8Array;
  position: number;
  readonly end: number;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  byte(): number {
    if (this.position >= this.end) throw new Error(`the module is cut short at byte ${this.position}`);
    return this.bytes[this.position++];
  }

  /** Unsigned LEB128 of at most 32 bits. */
  unsigned(): number {
    let result = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      result |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return result >>> 0;
    }
  }

  /** Signed LEB128 of at most 64 bits. */
  signed64(): bigint {
    let result = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.byte();
      result |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if ((byte & 0x80) === 0) return BigInt.asIntN(Number(shift < 64n ? shift : 64n), result);
    }
  }

  /** Signed LEB128 of at most 32 bits. */
  signed32(): number {
    let result = 0;
    let shift = 0;
    for (;;) {
      const byte = this.byte();
      if (shift < 32) result |= (byte & 0x7f) << shift;
      shift += 7;
      if ((byte & 0x80) === 0) return shift < 32 && (byte & 0x40) !== 0 ? result | (-1 << shift) : result;
    }
  }

  take(length: number): Uint8Array {
    if (this.position + length > this.end) throw new Error(`the module is cut short at byte ${this.position}`);
    const bytes = this.bytes.subarray(this.position, this.position + length);
    this.position += length;
    return bytes;
  }

  /** A reader of the next `length` bytes, whose positions are the same as this one's; skips them here. */
  part(length: number): Reader {
    const start = this.position;
    this.take(length);
    return new Reader(this.bytes, start, start + length);
  }

  text(): string {
    return textDecoder.decode(this.take(this.unsigned()));
  }

  /** A vector: a count and that many items. */
  vector<T>(item: () => T): T[] {
    const count = this.unsigned();
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(item());
    return items;
  }
}
