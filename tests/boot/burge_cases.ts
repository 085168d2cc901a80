// What the uvm_map and uvm_unmap rules of the year 2000 predict for the four
// mistakes of the mail's strategy routine, and the cases that are compared with
// the prediction. The model below is a page of arithmetic; it shares nothing with
// the guest but the list of requests.
import { PAGE_SIZE } from "./guest.js";

export const REPAIRS = ["end", "ref", "unwire", "offset"] as const;
export type Repair = (typeof REPAIRS)[number];

/** All 16 subsets of the repairs. */
export const SUBSETS: readonly (readonly Repair[])[] = Array.from({ length: 16 }, (_, bits) =>
  REPAIRS.filter((_, i) => (bits & (1 << i)) !== 0));

/** One request, and where uvm_map put its window (undefined when the machine did not get so far). */
export interface Request {
  readonly offset: number;
  readonly length: number;
  window?: number;
}

export interface Prediction {
  /** Number of the request that dies, from 1; 0 = none does. */
  readonly dies: number;
  /** What is left in kernel_map afterwards: entries, and pages of address space. */
  readonly entries: number;
  readonly pages: number;
  /** References of the object: 1 of the mount and those of the windows left. */
  readonly references: number;
  /** Pages of the object that stay wired. */
  readonly wired: number;
}

interface Window {
  start: number;
  end: number;
  offset: number;
}

const truncated = (n: number) => n - (n % PAGE_SIZE);
const rounded = (n: number) => truncated(n + PAGE_SIZE - 1);

/**
 * Carries the requests out on paper.
 * - uvm_map takes over one reference; a window that continues another in address and offset merges with it and
 *   drops the reference it brought, or, without `ref`, the mount's own: the object is gone while mapped.
 * - uvm_unmap to a window's end (`end`) drops its reference, to its length removes nothing.
 * - nothing but uvm_fault_unwire (`unwire`) unwires a page.
 */
export function predict(requests: readonly Request[], repairs: readonly Repair[]): Prediction {
  const has = (repair: Repair) => repairs.includes(repair);
  const windows: Window[] = [];
  const wired = new Set<number>();
  let references = 1;
  let dies = 0;
  for (const [n, { offset, length, window }] of requests.entries()) {
    if (references === 0) dies = n + 1;
    if (window === undefined || dies !== 0) break;
    const start = truncated(offset);
    const size = rounded((has("offset") ? offset - start : 0) + length);
    if (has("ref")) references++;
    const before = windows.find((one) => one.end === window && one.offset + one.end - one.start === start);
    if (before !== undefined) {
      before.end += size;
      references--;
    } else windows.push({ start: window, end: window + size, offset: start });
    if (references === 0) {
      dies = n + 1;
      break;
    }
    if (!has("unwire")) for (let at = start; at < start + size; at += PAGE_SIZE) wired.add(at);
    if (has("end")) {
      windows.pop();
      references--;
    }
  }
  const pages = windows.reduce((sum, { start, end }) => sum + (end - start) / PAGE_SIZE, 0);
  return { dies, entries: windows.length, pages, references, wired: wired.size };
}

/** Requests on a bare object: `script=` and `request=` of uvmtest. */
export interface Script {
  readonly title: string;
  readonly script: string;
  /** Bytes of a request. */
  readonly request: number;
  /** Subsets of the repairs to run; the long form runs all. */
  readonly repaired: readonly (readonly Repair[])[];
}

const FEW: readonly (readonly Repair[])[] = [[], ["ref"], ["end"], ["end", "ref"], ["end", "ref", "unwire"]];

export const SCRIPTS: readonly Script[] = [
  { title: "50 ascending requests", script: "0-392K", request: 8192, repaired: FEW },
  { title: "50 descending requests", script: "392K-0", request: 8192, repaired: FEW },
  { title: "1500 descending requests", script: "5996K-0", request: 4096, repaired: [[], ["end", "ref"]] },
  {
    title: "requests here and there", script: "0-56K,256K,80K-120K,264K,512K-400K,128K-208K,264K,8K", request: 8192,
    repaired: FEW,
  },
];

/** Offsets of a script's requests, in bytes. */
export function offsetsOf({ script, request }: Script): number[] {
  const offsets: number[] = [];
  for (const part of script.split(",")) {
    const [first, last] = part.split("-").map((text) => parseInt(text, 10) * (text.endsWith("K") ? 1024 : 1));
    const step = last !== undefined && last < first! ? -request : request;
    for (let at = first!; ; at += step) {
      offsets.push(at);
      if (at === (last ?? first)) break;
    }
  }
  return offsets;
}
