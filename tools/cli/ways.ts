// What the processor knows of the workload mfs-ways: cycles and TLB events of
// each 8 KB request. The guest is stopped for a moment at the entries of a few
// functions and goes on as if nothing had been; the kernel does nothing for it.
// A row begins where a program sets debug.mark to its name.
//
// Per request, from the entry of mfs_strategy (or mdstrategy) to the entry of biodone:
// cycles, TLB misses, page walks, invlpg, loads of CR3, and the cycles inside the function
// that copies (with the page faults that the copy takes). From when the raw device makes
// the request until it goes on: cycles, TLB misses, loads of CR3. Requests that a
// timer interrupt fell into are left out of these means.
//
// Faults, map entries, switches and pages the guest itself has counted.

import type { Machine } from "../../emu/index.js";
import { fieldOffset } from "./layouts.js";
import type { Session } from "./session.js";

export const REQUEST_BYTES = 8192;
const ESP = 4;
/** Where requests enter: a memory file system, and the disk that is mapped as a whole. */
const STRATEGIES = ["mfs_strategy", "mdstrategy"] as const;
const COPIERS = ["memmove", "kcopy", "copyin", "copyout"] as const;

/** One way: means per request, except `requests`, `interrupted` and `pages`. */
export interface WayRow {
  readonly way: string;
  readonly requests: number;
  readonly cycles: number;
  /** Cycles of a request as a multiple of the bare copy's. */
  readonly times_bound: number;
  readonly copying: number;
  readonly tlb_misses: number;
  /** Those of the misses that were for instructions. */
  readonly fetch_misses: number;
  readonly page_walks: number;
  readonly invlpg: number;
  readonly cr3_loads: number;
  readonly resumed_cycles: number;
  readonly resumed_misses: number;
  readonly resumed_cr3_loads: number;
  readonly uvm_faults: number;
  readonly map_entries: number;
  readonly switches: number;
  /** Pages that mount and files have taken. */
  readonly pages: number;
  readonly interrupted: number;
}

/** The state of the counters at one moment. */
interface Moment {
  readonly cycles: number;
  readonly misses: number;
  readonly fetches: number;
  readonly walks: number;
  readonly invlpg: number;
  readonly cr3: number;
  readonly interrupts: number;
  readonly copying: number;
}

type Events = { -readonly [key in keyof Moment]: number };

const noEvents = (): Events =>
  ({ cycles: 0, misses: 0, fetches: 0, walks: 0, invlpg: 0, cr3: 0, interrupts: 0, copying: 0 });

/** Sums over intervals that no interrupt fell into. */
class Sums {
  readonly events = noEvents();
  intervals = 0;
  interrupted = 0;

  add(from: Moment, to: Moment): void {
    if (to.interrupts !== from.interrupts) {
      this.interrupted++;
      return;
    }
    this.intervals++;
    for (const key of Object.keys(this.events) as (keyof Moment)[]) this.events[key] += to[key] - from[key];
  }

  mean(key: keyof Moment): number {
    return this.intervals === 0 ? 0 : this.events[key] / this.intervals;
  }
}

class Tally {
  readonly name: string;
  /** From mfs_strategy to biodone, and from making a request until going on. */
  readonly request = new Sums();
  readonly resumed = new Sums();

  constructor(name: string) {
    this.name = name;
  }
}

export class WaysMeter {
  readonly #machine: Machine;
  readonly #address: (name: string) => number | undefined;
  readonly #tallies = new Map<string, Tally>();
  readonly #open = new Map<number, Moment>();
  readonly #returns = new Set<number>();
  #current: Tally | undefined;
  #copied = 0;
  #copyBegan = -1;
  #transfer: Moment | undefined;

  /** Watches a session that has not run yet. */
  constructor(session: Pick<Session, "machine" | "address">) {
    this.#machine = session.machine;
    this.#address = (name) => session.address(name);
    const bcount = fieldOffset("Buf", "b_bcount");
    this.#watch("meter_mark", () => this.#mark(this.#text(this.#argument(0))));
    for (const strategy of STRATEGIES) {
      this.#watch(strategy, () => {
        const bp = this.#argument(0);
        if (this.#current && this.#word(bp + bcount) === REQUEST_BYTES) this.#open.set(bp, this.#moment());
      });
    }
    this.#watch("biodone", () => this.#done(this.#argument(0)));
    this.#watch("raw_transfer", () => this.#bracket((from, to) => this.#current?.resumed.add(from, to)));
    this.#watch("bare_copy", () => this.#bracket((from, to) => {
      this.#current?.request.add(from, to);
      this.#current?.resumed.add(from, to);
    }, true));
    for (const name of COPIERS) this.#watch(name, () => this.#copyBegins());
  }

  #watch(name: string, seen: () => void): void {
    const address = this.#address(name);
    if (address !== undefined) this.#machine.setBreakpoint(address, () => seen());
  }

  /** A program begins the row `name`, or has ended the last. */
  #mark(name: string): void {
    this.#open.clear();
    this.#current = name === "" ? undefined : new Tally(name);
    // A row that is measured again is measured anew.
    this.#tallies.delete(name);
    if (this.#current) this.#tallies.set(name, this.#current);
  }

  #done(bp: number): void {
    const from = this.#open.get(bp);
    if (from === undefined) return;
    this.#open.delete(bp);
    this.#current?.request.add(from, this.#moment());
  }

  /** At the entry of a function: `done` is called with the moments of entry and return. */
  #bracket(done: (from: Moment, to: Moment) => void, counts = false): void {
    if (this.#current === undefined) return;
    const from = this.#moment();
    this.#transfer = from;
    if (counts) this.#open.set(0, from);
    this.#atReturn(() => {
      if (this.#transfer !== undefined) done(this.#transfer, this.#moment());
      this.#transfer = undefined;
      this.#open.delete(0);
    });
  }

  /** At the entry of a copying function. */
  #copyBegins(): void {
    if (this.#current === undefined || this.#open.size === 0 || this.#copyBegan >= 0) return;
    this.#copyBegan = this.#machine.cycles;
    this.#atReturn(() => {
      if (this.#copyBegan >= 0) this.#copied += this.#machine.cycles - this.#copyBegan;
      this.#copyBegan = -1;
    });
  }

  /** At the entry of a function: has `seen` called at the address it returns to, from now on each time. */
  #atReturn(seen: () => void): void {
    const address = this.#word(this.#machine.cpu.registers[ESP]! >>> 0);
    if (this.#returns.has(address)) return;
    this.#returns.add(address);
    this.#machine.setBreakpoint(address, () => seen());
  }

  #moment(): Moment {
    const { counters: c } = this.#machine.cpu;
    return {
      cycles: this.#machine.cycles,
      misses: c.tlbMissesRead + c.tlbMissesWrite + c.tlbMissesFetch,
      fetches: c.tlbMissesFetch,
      walks: c.pageWalks,
      invlpg: c.invlpg,
      cr3: c.cr3Loads,
      interrupts: c.interrupts,
      copying: this.#copied,
    };
  }

  #word(address: number): number {
    return this.#machine.readLinearWord(address >>> 0) ?? 0;
  }

  /** At the entry of a function: its n-th argument word. */
  #argument(n: number): number {
    return this.#word((this.#machine.cpu.registers[ESP]! >>> 0) + 4 + 4 * n);
  }

  #text(address: number): string {
    let text = "";
    for (let at = address; ; at++) {
      const byte = this.#word(at) & 0xff;
      if (byte === 0) return text;
      text += String.fromCharCode(byte);
    }
  }

  /** The rows in the order in which they were measured. `console`: what the guest printed. */
  rows(console: string): WayRow[] {
    const bound = this.#tallies.get("bound")?.request.mean("cycles") ?? 0;
    return [...this.#tallies.values()].map(({ name, request, resumed }) => {
      const counted = guestCounts(console, name);
      const each = (what: string) => rounded((counted[what] ?? 0) / Math.max(1, counted["requests"] ?? 0));
      return {
        way: name,
        requests: counted["requests"] ?? 0,
        cycles: rounded(request.mean("cycles")),
        times_bound: bound === 0 ? 0 : Number((request.mean("cycles") / bound).toFixed(3)),
        copying: rounded(request.mean("copying")),
        tlb_misses: rounded(request.mean("misses")),
        fetch_misses: rounded(request.mean("fetches")),
        page_walks: rounded(request.mean("walks")),
        invlpg: rounded(request.mean("invlpg")),
        cr3_loads: rounded(request.mean("cr3")),
        resumed_cycles: rounded(resumed.mean("cycles")),
        resumed_misses: rounded(resumed.mean("misses")),
        resumed_cr3_loads: rounded(resumed.mean("cr3")),
        uvm_faults: each("faults"),
        map_entries: each("entries"),
        switches: each("switches"),
        pages: counted["pages"] ?? 0,
        interrupted: request.interrupted,
      };
    });
  }
}

const rounded = (n: number) => Number(n.toFixed(1));

/** The figures of the guest's line for a way. */
function guestCounts(console: string, way: string): Record<string, number> {
  const line = console.split("\n").find((one) => one.startsWith(`ways: ${way} `)) ?? "";
  return Object.fromEntries([...line.matchAll(/ ([a-z]+) (-?\d+)/g)].map(([, name, n]) => [name!, Number(n)]));
}

const COLUMNS: readonly (readonly [head: string, field: keyof WayRow, digits: number])[] = [
  ["cycles", "cycles", 0], ["x bound", "times_bound", 2], ["copying", "copying", 0], ["misses", "tlb_misses", 1],
  ["walks", "page_walks", 1], ["invlpg", "invlpg", 1], ["cr3", "cr3_loads", 1], ["resumed", "resumed_cycles", 0],
  ["misses", "resumed_misses", 1], ["cr3", "resumed_cr3_loads", 1], ["faults", "uvm_faults", 1],
  ["entries", "map_entries", 1], ["switches", "switches", 1], ["pages", "pages", 0],
];

/**
 * The table for a person: everything per request of 8 KB, `pages` held in all. Up to `cr3` from mfs_strategy to
 * biodone; then until the process that made the request goes on.
 */
export function waysTable(rows: readonly WayRow[]): string {
  const width = 9;
  const head = `${"way".padEnd(12)}${COLUMNS.map(([name]) => name.padStart(width)).join("")}`;
  const cell = (row: WayRow, field: keyof WayRow, digits: number) =>
    (row[field] as number).toFixed(digits).padStart(width);
  const lines = rows.map((row) =>
    `${row.way.padEnd(12)}${COLUMNS.map(([, field, digits]) => cell(row, field, digits)).join("")}`);
  return `${[head, ...lines].join("\n")}\n`;
}
