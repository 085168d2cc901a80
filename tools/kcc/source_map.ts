// Reads the source map that asc writes: byte offset in the WebAssembly module
// to file and line. (Wasm source maps have one generated line; the column is the
// byte offset.)

export interface SourcePosition {
  /** Relative to the project; the standard library's files begin with `~lib/`. */
  readonly file: string;
  /** One-based. */
  readonly line: number;
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DIGITS = new Map([...BASE64].map((character, value) => [character, value]));

/** The numbers of one segment of the mappings. */
function decodeSegment(segment: string): number[] {
  const numbers: number[] = [];
  let [value, shift] = [0, 0];
  for (const character of segment) {
    const digit = DIGITS.get(character);
    if (digit === undefined) throw new Error(`source map: bad character "${character}"`);
    value |= (digit & 31) << shift;
    shift += 5;
    if ((digit & 32) !== 0) continue;
    numbers.push((value & 1) !== 0 ? -(value >>> 1) : value >>> 1);
    [value, shift] = [0, 0];
  }
  return numbers;
}

export class SourceMap {
  private readonly offsets: number[] = [];
  private readonly positions: (SourcePosition | undefined)[] = [];

  /** `json` is the text of the map. */
  constructor(json: string) {
    const { sources, mappings } = JSON.parse(json) as { sources: string[]; mappings: string };
    let [offset, source, line] = [0, 0, 0];
    for (const segment of mappings.split(/[,;]/).filter((one) => one !== "")) {
      const [offsetStep, sourceStep, lineStep] = decodeSegment(segment);
      offset += offsetStep ?? 0;
      source += sourceStep ?? 0;
      line += lineStep ?? 0;
      this.offsets.push(offset);
      this.positions.push(sourceStep === undefined ? undefined : { file: sources[source] as string, line: line + 1 });
    }
  }

  /** The place in the source that the instruction at a byte offset of the module comes from. */
  find(offset: number): SourcePosition | undefined {
    let [low, high] = [0, this.offsets.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.offsets[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    return this.positions[low - 1];
  }
}
