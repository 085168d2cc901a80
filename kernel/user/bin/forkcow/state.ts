// forkcow: what each process knows of itself.

export const PAGE_SIZE: u32 = 4096;
/** Words of a page. */
export const WORDS: u32 = 1024;
export const REGIONS: u32 = 7;
export const EFAULT: i32 = 14;

@unmanaged
export class Forkcow {
  seed: u32;
  /** Pages of each region; operations between forks; children of a fork and generations, at most. */
  pages: u32;
  ops: u32;
  children: u32;
  generations: u32;
  /** This process: a number of its own and its generation. */
  id: u32;
  depth: u32;
  /** Words [lo, hi) of each shared page are this process's. */
  lo: u32;
  hi: u32;
  /** What the memory should hold: REGIONS times `pages` pages. */
  model: usize;
  /** A pipe to have the kernel read and write memory. */
  pipe_read: i32;
  pipe_write: i32;
  /** What this process and its descendants did; sent to the parent, in this order. */
  processes: u32;
  writes: u32;
  checks: u32;
  refused: u32;
}
export const forkcow = changetype<Forkcow>(memory.data(offsetof<Forkcow>(), 4));
export const COUNTS_SIZE: u32 = 16;

/** Address of the counts. */
export function counts_at(): usize {
  return changetype<usize>(forkcow) + offsetof<Forkcow>("processes");
}
