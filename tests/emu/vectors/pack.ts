// The files that keep vectors: a line of text that says what it is and how it
// is made, then, compressed, the names of the forms and columns of bytes, one
// for each kind of field, since like goes well with like.

import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { TRAP } from "./vector.js";
import type { Change, Input, Outcome, Patch, Vector } from "./vector.js";

const COLUMNS = ["forms", "shapes", "code", "registers", "flags", "segments", "data", "images", "outcomes", "after",
  "changes"] as const;
type Column = typeof COLUMNS[number];
/** Addresses are kept less this. */
const LOWEST = 0x100000;
const CANARIES = [0x0a0b0c0d, 0x1a1b1c1d, 0x2a2b2c2d, 0x3a3b3c3d, 0x4a4b4c4d, 0x5a5b5c5d, 0x6a6b6c6d, 0x7a7b7c7d];
const HAS_IMAGE = 1;

class Writer {
  readonly bytes: number[] = [];

  byte(value: number): void {
    this.bytes.push(value & 0xff);
  }

  word(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.bytes.push((value >>> shift) & 0xff);
  }

  /** Small numbers take few bytes. */
  number(value: number): void {
    let rest = value >>> 0;
    for (; rest >= 0x80; rest >>>= 7) this.bytes.push((rest & 0x7f) | 0x80);
    this.bytes.push(rest);
  }

  all(bytes: Uint8Array): void {
    for (const byte of bytes) this.bytes.push(byte);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++];
  }

  word(): number {
    return this.byte() | (this.byte() << 8) | (this.byte() << 16) | (this.byte() << 24);
  }

  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  all(count: number): Uint8Array {
    this.#at += count;
    return this.#bytes.slice(this.#at - count, this.#at);
  }
}

const zigzag = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0;
const unzigzag = (value: number): number => (value >>> 1) ^ -(value & 1);

/** Words that differ from the expected ones: a mask, then those. */
function writeWords(to: Writer, words: ArrayLike<number>, expected: ArrayLike<number>): void {
  let mask = 0;
  for (let i = 0; i < 8; i++) if (words[i] !== expected[i]) mask |= 1 << i;
  to.byte(mask);
  for (let i = 0; i < 8; i++) if ((mask & (1 << i)) !== 0) to.word(words[i]);
}

function readWords(from: Reader, expected: ArrayLike<number>): Int32Array {
  const mask = from.byte();
  return Int32Array.from({ length: 8 }, (_, i) => ((mask & (1 << i)) !== 0 ? from.word() : expected[i]));
}

function writePatch(to: Writer, { at, bytes }: Patch): void {
  to.number(at - LOWEST);
  to.number(bytes.length);
  to.all(bytes);
}

function readPatch(from: Reader): Patch {
  const at = from.number() + LOWEST;
  return { at, bytes: from.all(from.number()) };
}

/** Packs vectors in the order given; those of one form are to lie together. `title` is one line. */
export function packVectors(title: string, vectors: readonly Vector[]): Buffer {
  const names: string[] = [];
  const columns = Object.fromEntries(COLUMNS.map((name) => [name, new Writer()])) as Record<Column, Writer>;
  let last = "";
  let count = 0;
  const flush = (): void => {
    if (count > 0) columns.forms.number(count);
    count = 0;
  };
  for (const { form, input, outcome } of vectors) {
    if (form !== last) {
      flush();
      names.push(form);
      last = form;
    }
    count++;
    writeInput(columns, input);
    writeOutcome(columns, input, outcome);
  }
  flush();
  const text = new Writer();
  text.all(Buffer.from(JSON.stringify(names)));
  const whole = new Writer();
  const parts = [text, ...COLUMNS.map((name) => columns[name])];
  for (const { bytes } of parts) whole.word(bytes.length);
  const payload = Buffer.concat([Buffer.from(whole.bytes), ...parts.map(({ bytes }) => Buffer.from(bytes))]);
  const compressed = brotliCompressSync(payload, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
  });
  return Buffer.concat([Buffer.from(`${title}\n`), compressed]);
}

function writeInput(to: Record<Column, Writer>, { registers, eflags, segments, code, data, image }: Input): void {
  to.shapes.byte(data.length << 1 | (image === undefined ? 0 : HAS_IMAGE));
  writePatch(to.code, code);
  writeWords(to.registers, registers, CANARIES);
  to.flags.number(eflags);
  for (const selector of segments) to.segments.number(selector);
  for (const patch of data) writePatch(to.data, patch);
  if (image !== undefined) to.images.all(image);
}

function writeOutcome(to: Record<Column, Writer>, input: Input, outcome: Outcome): void {
  to.outcomes.byte(outcome.trap);
  to.outcomes.number(outcome.error);
  if (outcome.trap === TRAP.PF) to.outcomes.word(outcome.cr2);
  to.outcomes.number(zigzag(outcome.eip - (input.code.at + input.code.bytes.length)));
  to.flags.number((outcome.eflags ^ input.eflags) >>> 0);
  writeWords(to.after, outcome.registers, input.registers);
  writeWords(to.segments, [...outcome.segments, 0, 0], [...input.segments, 0, 0]);
  to.changes.number(outcome.changes.length);
  for (const { at, value } of outcome.changes) {
    to.changes.number(at - LOWEST);
    to.changes.word(value);
  }
  if (outcome.image !== undefined) to.images.all(outcome.image);
}

function readInput(from: Record<Column, Reader>, imageBytes: number): Input {
  const shape = from.shapes.byte();
  const code = readPatch(from.code);
  const registers = readWords(from.registers, CANARIES);
  const eflags = from.flags.number();
  const segments = Uint16Array.from({ length: 6 }, () => from.segments.number());
  const data = Array.from({ length: shape >>> 1 }, () => readPatch(from.data));
  const image = (shape & HAS_IMAGE) !== 0 ? { image: from.images.all(imageBytes) } : {};
  return { registers, eflags, segments, code, data, ...image };
}

function readOutcome(from: Record<Column, Reader>, input: Input): Outcome {
  const trap = from.outcomes.byte();
  const error = from.outcomes.number();
  const cr2 = trap === TRAP.PF ? from.outcomes.word() >>> 0 : 0;
  const eip = (input.code.at + input.code.bytes.length + unzigzag(from.outcomes.number())) >>> 0;
  const eflags = (input.eflags ^ from.flags.number()) >>> 0;
  const registers = readWords(from.after, input.registers);
  const segments = Uint16Array.from(readWords(from.segments, [...input.segments, 0, 0]).subarray(0, 6));
  const changes = Array.from({ length: from.changes.number() }, (): Change => {
    const at = from.changes.number() + LOWEST;
    return { at, value: from.changes.word() >>> 0 };
  });
  const image = input.image === undefined ? {} : { image: from.images.all(input.image.length) };
  return { trap, error, cr2, eip, registers, eflags, segments, changes, ...image };
}

const IMAGE_BYTES = 108;

/** The vectors of a file, in order. Throws on what is no such file. */
export function unpackVectors(file: Buffer): Vector[] {
  const payload = brotliDecompressSync(file.subarray(file.indexOf("\n") + 1));
  let at = (COLUMNS.length + 1) * 4;
  const parts = Array.from({ length: COLUMNS.length + 1 }, (_, i) => {
    at += payload.readUInt32LE(i * 4);
    return payload.subarray(at - payload.readUInt32LE(i * 4), at);
  });
  const names = JSON.parse(parts[0].toString()) as string[];
  const readers = COLUMNS.map((name, i) => [name, new Reader(parts[i + 1])]);
  const columns = Object.fromEntries(readers) as Record<Column, Reader>;
  return names.flatMap((form) => Array.from({ length: columns.forms.number() }, (): Vector => {
    const input = readInput(columns, IMAGE_BYTES);
    return { form, input, outcome: readOutcome(columns, input) };
  }));
}
