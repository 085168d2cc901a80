// Copying address spaces in V8, against a model: any history of mapping,
// writing, unmapping, forking and exiting shows every process what it should,
// and after each step the laws of uvm_check hold; at the end everything is free.
//
// Random histories take their seed from VM_SEED (default 2000) and print it.
import fc from "fast-check";
import t from "tap";
import { ForkModel, COPY, NONE, SHARE } from "./fork_model.js";
import { COPYONW, FIXED, Kernel, OVERLAY, PAGE, RW, SUCCESS } from "./kernel.js";
import { RAM_WINDOW } from "../lib/hosted_pmap.js";

const seed = Number(process.env.VM_SEED ?? 2000);
t.comment(`seed ${seed}; VM_SEED sets another`);

const MIN = 0x10000000;
const PAGES = 24;
/** UVM_MAPFLAG(RW, VM_PROT_ALL, inherit, advice normal, 0) */
const flagsOf = (inherit: number): number => 0x700 | RW | (inherit << 4);

/** Address spaces under test: maps of a kernel, written and read as programs would, by faulting first. */
class Spaces {
  readonly k = new Kernel(8);
  readonly maps: number[];

  constructor() {
    this.maps = [this.k.createMap(MIN, MIN + PAGES * PAGE)];
  }

  private translate(space: number, page: number, write: boolean): number {
    const map = this.maps[space]!;
    const va = MIN + page * PAGE;
    const mapping = (): { pa: number; prot: number } | undefined => this.k.pmap.spaces.get(this.k.pmapOf(map))?.get(va);
    const allowed = (): boolean => mapping() !== undefined && (!write || (mapping()!.prot & 2) !== 0);
    if (!allowed()) {
      const rv = this.k.fault(map, va, 0, write ? RW : 1);
      if (rv !== SUCCESS) return -1;
      if (!allowed()) throw new Error(`the fault at page ${page} made no ${write ? "writable " : ""}mapping`);
    }
    return mapping()!.pa;
  }

  read(space: number, page: number): number {
    const pa = this.translate(space, page, false);
    return pa < 0 ? -1 : this.k.word(RAM_WINDOW + pa);
  }

  write(space: number, page: number, value: number): boolean {
    const pa = this.translate(space, page, true);
    if (pa >= 0) this.k.setWord(RAM_WINDOW + pa, value);
    return pa >= 0;
  }

  map(space: number, page: number, count: number, inherit: number): void {
    const kind = inherit === SHARE ? OVERLAY : COPYONW;
    const [rv] = this.k.map(this.maps[space]!, MIN + page * PAGE, count * PAGE, 0, -1, flagsOf(inherit) | kind | FIXED);
    if (rv !== SUCCESS) throw new Error(`uvm_map: ${rv}`);
  }

  fork(space: number): void {
    this.maps.push(this.k.call("uvmspace_fork", this.maps[space]!));
  }

  exit(space: number): void {
    this.k.call("uvmspace_free", this.maps[space]!);
    this.maps.splice(space, 1);
  }

  /** Sum over all amaps: an anon is referenced by as many slots as it counts. */
  checkAnons(): string[] {
    const { k } = this;
    const slots = new Map<number, number>();
    const amaps = new Map<number, number>();
    for (const map of this.maps) {
      for (const entry of k.entries(map)) {
        const amap = k.get("VmMapEntry", entry.at, "ar_amap");
        if (amap !== 0) amaps.set(amap, (amaps.get(amap) ?? 0) + 1);
      }
    }
    const wrong: string[] = [];
    for (const [amap, entries] of amaps) {
      const refs = k.get("VmAmap", amap, "am_ref");
      if (refs !== entries) wrong.push(`an amap has ${refs} references, ${entries} entries show it`);
      for (let i = 0; i < k.get("VmAmap", amap, "am_nused"); i++) {
        const slot = k.word(k.get("VmAmap", amap, "am_slots") + 4 * i);
        const anon = k.word(k.get("VmAmap", amap, "am_anon") + 4 * slot);
        slots.set(anon, (slots.get(anon) ?? 0) + 1);
      }
    }
    for (const [anon, count] of slots) {
      const refs = k.get("VmAnon", anon, "an_ref");
      if (refs !== count) wrong.push(`an anon has ${refs} references, ${count} slots hold it`);
    }
    const used = k.counter("nanon") - k.counter("nfreeanon");
    if (used !== slots.size) wrong.push(`${used} anons are used, ${slots.size} are in amaps`);
    return wrong;
  }
}

const page = fc.integer({ min: 0, max: PAGES - 1 });
const count = fc.integer({ min: 1, max: 8 });
const who = fc.nat({ max: 4 });
const operation = fc.oneof(
  fc.record({ kind: fc.constant("map" as const), who, page, count, inherit: fc.constantFrom(SHARE, COPY, COPY, NONE) }),
  fc.record({ kind: fc.constant("unmap" as const), who, page, count }),
  fc.record({ kind: fc.constant("write" as const), who, page, count, value: fc.integer({ min: 1, max: 1 << 30 }) }),
  fc.record({ kind: fc.constant("write" as const), who, page, count, value: fc.integer({ min: 1, max: 1 << 30 }) }),
  fc.record({ kind: fc.constant("fork" as const), who }),
  fc.record({ kind: fc.constant("exit" as const), who }),
);

t.test("processes see what they should through any history of forks, writes and unmappings", (t) => {
  const s = new Spaces();
  const free = s.k.counter("nfreeanon");
  let forks = 0;
  fc.assert(fc.property(fc.array(operation, { minLength: 5, maxLength: 60 }), (operations) => {
    const model = new ForkModel(PAGES);
    for (const one of operations) {
      const space = one.who % s.maps.length;
      const size = one.kind === "fork" || one.kind === "exit" ? 0 : Math.min(one.count, PAGES - one.page);
      if (one.kind === "map") {
        if (!model.isFree(space, one.page, size)) continue;
        s.map(space, one.page, size, one.inherit);
        model.map(space, one.page, size, one.inherit);
      } else if (one.kind === "unmap") {
        s.k.unmap(s.maps[space]!, MIN + one.page * PAGE, MIN + (one.page + size) * PAGE);
        model.unmap(space, one.page, size);
      } else if (one.kind === "write") {
        for (let i = one.page; i < one.page + size; i++) {
          const works = model.write(space, i, one.value + i);
          if (s.write(space, i, one.value + i) === works) continue;
          throw new Error(`page ${i} of process ${space}: the write should ${works ? "work" : "fail"}`);
        }
      } else if (one.kind === "fork" && s.maps.length < 5) {
        forks++;
        s.fork(space);
        model.fork(space);
      } else if (one.kind === "exit" && s.maps.length > 1) {
        s.exit(space);
        model.exit(space);
      }
      const wrong = [...s.checkAnons(), ...s.maps.flatMap((map) => s.k.checkMap(map))];
      if (wrong.length > 0) throw new Error(`${one.kind}: ${wrong.join("; ")}`);
    }
    for (const space of s.maps.keys()) {
      for (let i = 0; i < PAGES; i++) {
        const [is, should] = [s.read(space, i), model.read(space, i)];
        if (is !== should) throw new Error(`page ${i} of process ${space} reads ${is}, not ${should}`);
      }
    }
    const wrong = s.k.checkPages();
    while (s.maps.length > 1) s.exit(s.maps.length - 1);
    s.k.unmap(s.maps[0]!, MIN, MIN + PAGES * PAGE);
    return wrong.length === 0 && s.k.counter("nfreeanon") === free;
  }), { seed, numRuns: 300 });
  t.ok(forks > 100, `${forks} forks`);
  t.end();
});

t.test("the checker of the running kernel", (t) => {
  const s = new Spaces();
  s.map(0, 0, 8, COPY);
  for (let i = 0; i < 8; i++) s.write(0, i, i);
  // The hosted process has no address space of its own: only pages, kernel_map and anons are looked at.
  t.equal(s.k.call("uvm_check_print"), 1, "the anons of a space that no process has are reported as lost");
  t.match(s.k.console, /uvm_check: 8 anons are lost/);
  const proc = s.k.call("curproc");
  s.k.setWord(proc + s.k.offset("Proc", "p_vmspace"), s.maps[0]!);
  t.equal(s.k.call("uvm_check_print"), 0, "and not when one has it");
  s.k.setWord(s.k.constant("uvmexp") + s.k.offset("Uvmexp", "active"), 1);
  t.equal(s.k.call("uvm_check_print"), 1);
  t.match(s.k.console, /uvm_check: uvmexp\.active is 1, but 8 pages are/);
  t.end();
});
