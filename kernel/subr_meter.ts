// For measurements from outside the kernel, such as that of `ptmap run mfs-ways`:
// a place that a program can say it has reached, which is seen by a breakpoint on
// meter_mark, and the copying that I/O is compared with.

import { KERNBASE } from "./sys/param";
import { ENOMEM } from "./sys/errno";
import { memcpy } from "./libkern";
import { kernel_map, uvm_km_free, uvm_km_zalloc } from "../vm/uvm_km";

/** Room for the text of a mark. */
export const METER_MARK: u32 = 32;

/** The last mark. */
export const meter_text: usize = memory.data(32, 4);

const COPY: u32 = 8192;
/** As scatter(1) does it: this many blocks, and steps of so many from one to the next. */
const COPY_BLOCKS: u32 = 128;
const COPY_STRIDE: u32 = 37;

/** A program has set debug.mark to `text`. Nothing happens here. */
export function meter_mark(text: usize): void {}

/** A copy of `len` bytes between two mapped buffers and nothing else. */
function bare_copy(to: usize, from: usize, len: u32): void {
  memcpy(to, from, len);
}

/** Makes `count` bare copies of 8 KB, half of them each way, between a buffer and 1 MB of memory. ENOMEM. Sleeps. */
export function meter_copies(count: u32): i32 {
  const area = uvm_km_zalloc(kernel_map(), (COPY_BLOCKS + 1) * COPY);
  if (area < KERNBASE) return ENOMEM;
  const buf = area + COPY_BLOCKS * COPY;
  for (let i: u32 = 0; i < count / 2; i++) {
    const block = area + i * COPY_STRIDE % COPY_BLOCKS * COPY;
    bare_copy(buf, block, COPY);
    bare_copy(block, buf, COPY);
  }
  uvm_km_free(kernel_map(), area, (COPY_BLOCKS + 1) * COPY);
  return 0;
}
