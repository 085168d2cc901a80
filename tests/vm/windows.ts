// The life of an object that a driver shows in kernel_map piece by piece, one
// window per request: map, wire, copy, unmap. Three repairs make it right; each
// can be left out.
import { GuestPanic } from "../lib/hosted.js";
import { Kernel, MAPFLAGS, PAGE, RW, SUCCESS } from "./kernel.js";

export interface Repairs {
  /** Give uvm_unmap the end of the window instead of its length. */
  readonly end?: boolean;
  /** Take a reference for each mapping. */
  readonly ref?: boolean;
  /** Unwire before unmapping. */
  readonly unwire?: boolean;
}

const MAXBSIZE = 65536;

export class Windows {
  readonly k = new Kernel(24);
  readonly object: number;
  private readonly repairs: Repairs;
  /** Where the last window was: the hint for the next. */
  cursor: number;

  constructor(repairs: Repairs) {
    this.repairs = repairs;
    this.object = this.k.createObject(8 << 20);
    this.cursor = this.k.call("uvm_km_valloc_wait", this.k.kernelMap, MAXBSIZE);
  }

  refs(): number {
    return this.k.refs(this.object);
  }

  windows(): number {
    return this.k.entriesOf(this.k.kernelMap, this.object).length;
  }

  leakedPages(): number {
    const bytes = this.k.entriesOf(this.k.kernelMap, this.object).reduce((sum, one) => sum + one.end - one.start, 0);
    return bytes / PAGE;
  }

  /** One request; offset and length are page multiples. */
  request(offset: number, length: number): void {
    const { k } = this;
    if (this.repairs.ref) k.call("uao_reference", this.object);
    const [rv, va] = k.map(k.kernelMap, this.cursor, length, this.object, offset, MAPFLAGS | RW);
    if (rv !== SUCCESS) throw new Error(`uvm_map: ${rv}`);
    this.cursor = va;
    k.call("uvm_fault_wire", k.kernelMap, va, va + length, RW);
    if (this.repairs.unwire) k.call("uvm_fault_unwire", k.kernelMap, va, va + length);
    k.unmap(k.kernelMap, va, this.repairs.end ? va + length : length);
  }

  /** The same; the way the kernel died instead of an exception. */
  attempt(offset: number, length: number): string {
    try {
      this.request(offset, length);
      return "done";
    } catch (error) {
      if (error instanceof GuestPanic) return error.message;
      // An empty slot: index 0 of the table, which V8 refuses to call.
      if (error instanceof WebAssembly.RuntimeError) return "call to 0";
      throw error;
    }
  }
}

/** Makes the requests; how it ended. */
export function describeEnd(w: Windows, offsets: readonly number[]): string {
  for (const [index, offset] of offsets.entries()) {
    const how = w.attempt(offset, 2 * PAGE);
    if (how !== "done") return `${how} at request ${index + 1}`;
  }
  return `${w.windows()} windows, refs ${w.refs()}, ${w.k.counter("wired")} wired`;
}
