// The virtual memory system under test: a hosted kernel with UVM started, the
// calls that the tests make, and the laws that hold between any two of them.
import { Hosted, compileHosted, vmFiles } from "../lib/hosted.js";

export const PAGE = 4096;
/** UVM_MAPFLAG(prot, VM_PROT_ALL, inherit none, advice normal, 0). */
export const MAPFLAGS = 0x720;
export const RW = 3;
export const COPYONW = 0x080000;
export const OVERLAY = 0x020000;
export const FIXED = 0x010000;
export const NOMERGE = 0x040000;
export const RANDOM = 0x1000;
export const SEQUENTIAL = 0x2000;
export const SUCCESS = 0;
export const INVALID_ADDRESS = 1;
export const PROTECTION_FAILURE = 2;
export const NO_SPACE = 3;
export const INVALID_ARGUMENT = 4;
export const FAILURE = 5;
export const RESOURCE_SHORTAGE = 6;
export const WIRE = 2;

const PQ = { free: 1, inactive: 2, active: 4 };
const PG_TABLED = 0x40;
/** First page frame and end of the memory of a test kernel. */
const FIRST_FRAME = 0x100;

const compiled = await compileHosted([...vmFiles(), "kernel/kern_proc.ts", "test/test_pager.ts"]);

export interface Entry {
  readonly at: number;
  readonly start: number;
  readonly end: number;
  readonly object: number;
  readonly offset: number;
  readonly etype: number;
  readonly protection: number;
  readonly wired_count: number;
}

export class Kernel extends Hosted {
  readonly kernelMap: number;
  private readonly frames: number;
  private readonly scratch: number;

  /** `megabytes` of memory from 1 MB on. */
  constructor(megabytes = 16) {
    super(compiled);
    this.frames = (megabytes << 20) / PAGE;
    this.call("uvm_page_physload", FIRST_FRAME, FIRST_FRAME + this.frames, FIRST_FRAME, FIRST_FRAME + this.frames, 0);
    this.call("uvm_init");
    this.kernelMap = this.call("kernel_map");
    this.scratch = 0x7d000000;
    // Somebody that uvm_wait can wake.
    this.setWord(this.constant("uvm") + this.offset("Uvm", "pagedaemon_proc"), 0x7c000000);
  }

  counter(field: string): number {
    return this.get("Uvmexp", this.constant("uvmexp"), field);
  }

  /** uvm_map: [result, address]. */
  map(map: number, hint: number, size: number, object: number, offset: number, flags: number): [number, number] {
    this.setWord(this.scratch, hint);
    const rv = this.callSigned("uvm_map", map, this.scratch, size, object, BigInt(offset), flags);
    return [rv, this.word(this.scratch)];
  }

  unmap(map: number, start: number, end: number): number {
    return this.callSigned("uvm_unmap", map, start, end);
  }

  fault(map: number, va: number, type: number, access: number): number {
    return this.callSigned("uvm_fault", map, va, type, access);
  }

  createObject(size: number): number {
    return this.call("uao_create", size, 0);
  }

  refs(object: number): number {
    return this.get("UvmObject", object, "uo_refs");
  }

  /** A map of its own over [min, max) with its own pmap. */
  createMap(min: number, max: number): number {
    return this.call("uvmspace_alloc", min, max, 1);
  }

  pmapOf(map: number): number {
    return this.get("VmMap", map, "pmap");
  }

  entries(map: number): Entry[] {
    const header = map + this.offset("VmMap", "header_prev");
    const list: Entry[] = [];
    for (let at = this.get("VmMap", map, "header_next"); at !== header; at = this.get("VmMapEntry", at, "next")) {
      const field = (name: string): number => this.get("VmMapEntry", at, name);
      list.push({
        at, start: field("start"), end: field("end"), object: field("object"), offset: field("offset"),
        etype: field("etype"), protection: field("protection"), wired_count: field("wired_count"),
      });
    }
    return list;
  }

  /** Entries of a map that show an object. */
  entriesOf(map: number, object: number): Entry[] {
    return this.entries(map).filter((entry) => entry.object === object);
  }

  pages(object: number): number[] {
    const list: number[] = [];
    for (let pg = this.get("UvmObject", object, "memq_first"); pg !== 0; pg = this.get("VmPage", pg, "listq_next")) {
      list.push(pg);
    }
    return list;
  }

  page(object: number, offset: number): number {
    return this.call("uvm_pagelookup", object, BigInt(offset));
  }

  /** The laws of a map; violations as text. */
  checkMap(map: number): string[] {
    const wrong: string[] = [];
    const min = this.get("VmMap", map, "min_offset");
    const max = this.get("VmMap", map, "max_offset");
    const entries = this.entries(map);
    let at = min;
    let size = 0;
    for (const entry of entries) {
      if (entry.start < at) wrong.push(`entry 0x${entry.start.toString(16)} begins before the end of the one before`);
      if (entry.end <= entry.start) wrong.push(`entry 0x${entry.start.toString(16)} is empty`);
      if (entry.start % PAGE !== 0 || entry.end % PAGE !== 0) wrong.push("an entry is not page aligned");
      at = entry.end;
      size += entry.end - entry.start;
    }
    if (at > max) wrong.push("the last entry ends above the map");
    if (this.get("VmMap", map, "size") !== size) wrong.push(`size is ${this.get("VmMap", map, "size")}, not ${size}`);
    if (this.get("VmMap", map, "nentries") !== entries.length) wrong.push("nentries is not the number of entries");
    const free = this.get("VmMap", map, "first_free");
    if (free !== map + this.offset("VmMap", "header_prev")) {
      const index = entries.findIndex((entry) => entry.at === free);
      if (index < 0) wrong.push("first_free is not in the list");
      let full = min;
      for (const entry of entries.slice(0, index + 1)) {
        if (entry.start !== full) wrong.push("there is a hole below first_free");
        full = entry.end;
      }
    }
    return wrong;
  }

  private frameOf(index: number): number {
    return this.call("PHYS_TO_VM_PAGE", (FIRST_FRAME + index) * PAGE);
  }

  private queueLength(name: string): number {
    let length = 0;
    const head = this.constant("uvm") + this.offset("Uvm", `${name}_first`);
    for (let pg = this.word(head); pg !== 0; pg = this.get("VmPage", pg, "pageq_next")) length++;
    return length;
  }

  /** The laws of pages: one state each, counters and queues agree; violations as text. */
  checkPages(): string[] {
    const wrong: string[] = [];
    const count = { free: 0, active: 0, inactive: 0, wired: 0, loose: 0, tabled: 0 };
    const objects = new Map<number, number>();
    for (let i = 0; i < this.frames; i++) {
      const pg = this.frameOf(i);
      if (pg === 0) continue;
      const pqflags = this.get("VmPage", pg, "pqflags");
      const wired = this.get("VmPage", pg, "wire_count") > 0;
      const states = [pqflags & PQ.free, pqflags & PQ.active, pqflags & PQ.inactive, Number(wired)].filter(Boolean);
      if (states.length > 1) wrong.push(`page 0x${pg.toString(16)} is in ${states.length} states`);
      if (pqflags & PQ.free) count.free++;
      else if (pqflags & PQ.active) count.active++;
      else if (pqflags & PQ.inactive) count.inactive++;
      else if (wired) count.wired++;
      else count.loose++;
      if (this.get("VmPage", pg, "flags") & PG_TABLED) {
        const object = this.get("VmPage", pg, "uobject");
        objects.set(object, (objects.get(object) ?? 0) + 1);
        if (this.page(object, this.get("VmPage", pg, "offset")) !== pg) wrong.push("a tabled page is not in the hash");
      }
    }
    for (const state of ["free", "active", "inactive", "wired"] as const) {
      if (this.counter(state) !== count[state]) {
        wrong.push(`uvmexp.${state} is ${this.counter(state)}, but ${count[state]} pages are`);
      }
    }
    for (const [object, pages] of objects) {
      if (this.get("UvmObject", object, "uo_npages") !== pages) wrong.push("uo_npages is not the number of pages");
    }
    const queues = [["page_active", count.active], ["page_free0", count.free]] as const;
    for (const [name, expected] of queues) {
      if (this.queueLength(name) !== expected) wrong.push(`${name} holds ${this.queueLength(name)}, not ${expected}`);
    }
    const inactive = this.queueLength("page_inactive_swp") + this.queueLength("page_inactive_obj");
    if (inactive !== count.inactive) wrong.push(`the inactive queues hold ${inactive}, not ${count.inactive}`);
    return wrong;
  }
}
