// UVM in V8: pages, maps against a model, objects and their references, and the
// story of an object whose creator forgot to count.
//
// Random histories take their seed from VM_SEED (default 2000) and print it.
import fc from "fast-check";
import t from "tap";
import { MapModel } from "./map_model.js";
import {
  FIXED, Kernel, MAPFLAGS, NOMERGE, NO_SPACE, PAGE, PROTECTION_FAILURE, RANDOM, RW, SUCCESS, WIRE,
} from "./kernel.js";
import { Windows, describeEnd } from "./windows.js";

const seed = Number(process.env.VM_SEED ?? 2000);
t.comment(`seed ${seed}; VM_SEED sets another`);

const MIN = 0x10000000;

/** A fresh kernel with an object of 64 pages and a map to show it in. */
function bench(): { k: Kernel; map: number; object: number } {
  const k = new Kernel();
  return { k, map: k.createMap(MIN, MIN + 0x400000), object: k.createObject(64 * PAGE) };
}

t.test("pages", (t) => {
  t.test("every page is in one state after boot", (t) => {
    const k = new Kernel();
    t.same(k.checkPages(), []);
    t.equal(k.counter("reserve_kernel"), 5);
    t.equal(k.counter("freemin"), 64);
    t.equal(k.counter("freetarg"), 85);
    t.end();
  });

  t.test("states and counters agree through any history", (t) => {
    const k = new Kernel(2);
    const object = k.createObject(1 << 20);
    const live: number[] = [];
    const operation = fc.record({ what: fc.integer({ min: 0, max: 6 }), which: fc.nat() });
    fc.assert(fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      for (const { what, which } of operations) {
        const pg = live[which % Math.max(live.length, 1)] ?? 0;
        if (what <= 1) {
          const offset = (which % 200) * PAGE;
          if (k.page(object, offset) !== 0) continue;
          const fresh = k.call("uvm_pagealloc", what === 0 ? object : 0, BigInt(offset), 0, 0);
          if (fresh !== 0) live.push(fresh);
        } else if (pg === 0) continue;
        else if (what === 2) {
          live.splice(live.indexOf(pg), 1);
          k.call("uvm_pagefree", pg);
        } else if (what === 3) k.call("uvm_pagewire", pg);
        else if (what === 4 && k.get("VmPage", pg, "wire_count") > 0) k.call("uvm_pageunwire", pg);
        else if (what === 5) k.call("uvm_pageactivate", pg);
        else if (what === 6) k.call("uvm_pagedeactivate", pg);
      }
      return k.checkPages().length === 0;
    }), { seed, numRuns: 40 });
    t.same(k.checkPages(), []);
    t.end();
  });

  t.test("an ordinary allocation leaves the kernel's reserve, a kernel object takes it but one", (t) => {
    const k = new Kernel(2);
    while (k.call("uvm_pagealloc", 0, 0n, 0, 0) !== 0);
    t.equal(k.counter("free"), 5);
    while (k.call("uvm_pagealloc", 0, 0n, 0, 1) !== 0);
    t.equal(k.counter("free"), 1);
    t.end();
  });

  t.test("freeing a free page panics", (t) => {
    const k = new Kernel(2);
    const pg = k.call("uvm_pagealloc", 0, 0n, 0, 0);
    k.call("uvm_pagefree", pg);
    t.throws(() => k.call("uvm_pagefree", pg), { message: /uvm_pagefree: freeing free page/ });
    t.end();
  });
  t.end();
});

t.test("maps", (t) => {
  t.test("equal a model through any history, and references are counted", (t) => {
    const place = fc.integer({ min: 0, max: 40 });
    const operation = fc.oneof(
      fc.record({
        kind: fc.constant("map" as const), hint: place, pages: fc.integer({ min: 1, max: 6 }),
        object: fc.integer({ min: 0, max: 2 }), offset: fc.integer({ min: 0, max: 8 }),
        prot: fc.constantFrom(1, 3), fixed: fc.boolean(), nomerge: fc.boolean(), adjacent: fc.boolean(),
      }),
      fc.record({ kind: fc.constant("unmap" as const), hint: place, pages: fc.integer({ min: 0, max: 12 }) }),
      fc.record({ kind: fc.constant("protect" as const), hint: place, pages: fc.integer({ min: 1, max: 12 }),
        prot: fc.constantFrom(0, 1, 3) }),
      fc.record({ kind: fc.constant("inherit" as const), hint: place, pages: fc.integer({ min: 1, max: 12 }) }),
    );
    const k = new Kernel();
    fc.assert(fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
      const size = 40 * PAGE;
      const map = k.createMap(MIN, MIN + size);
      const objects = [0, k.createObject(64 * PAGE), k.createObject(64 * PAGE)];
      const model = new MapModel(40);
      for (const one of operations) {
        const start = MIN + one.hint * PAGE;
        const end = start + one.pages * PAGE;
        if (one.kind === "unmap") {
          k.unmap(map, start, end);
          model.unmap(one.hint, one.hint + one.pages);
        } else if (one.kind === "protect") {
          const rv = k.callSigned("uvm_map_protect", map, start, end, one.prot, 0);
          if (rv !== SUCCESS) throw new Error(`uvm_map_protect: ${rv}`);
          model.change(one.hint, one.hint + one.pages, (page) => ({ ...page, prot: one.prot }));
        } else if (one.kind === "inherit") {
          k.call("uvm_map_inherit", map, start, end, 1);
          model.change(one.hint, one.hint + one.pages, (page) => ({ ...page, inherit: 1 }));
        } else {
          const object = objects[one.object];
          const offset = one.object === 0 ? 0 : one.adjacent ? model.offsetBefore(one.hint) : one.offset;
          if (object !== 0) k.call("uao_reference", object);
          const flags = MAPFLAGS | one.prot | (one.fixed ? FIXED : 0) | (one.nomerge ? NOMERGE : 0);
          const [rv, at] = k.map(map, start, one.pages * PAGE, object, offset * PAGE, flags);
          const expected = model.map(one.hint, one.pages, one.object, offset, one.prot, one.fixed, one.nomerge);
          if (expected < 0) {
            if (rv !== NO_SPACE) throw new Error(`found room at 0x${at.toString(16)} where there is none`);
            if (object !== 0) k.call("uao_detach", object);
          } else if (rv !== SUCCESS || at !== MIN + expected * PAGE) {
            throw new Error(`mapped at 0x${at.toString(16)} (${rv}), not at page ${expected}`);
          }
        }
        const wrong = k.checkMap(map);
        if (wrong.length > 0) throw new Error(wrong.join("; "));
        const entries = k.entries(map).map((entry) => ({
          start: (entry.start - MIN) / PAGE, end: (entry.end - MIN) / PAGE, object: objects.indexOf(entry.object),
          offset: entry.offset / PAGE, prot: entry.protection,
        }));
        if (JSON.stringify(entries) !== JSON.stringify(model.entries())) {
          throw new Error(`entries ${JSON.stringify(entries)}, model ${JSON.stringify(model.entries())}`);
        }
        for (const [index, object] of objects.entries()) {
          const mapped = entries.filter((entry) => entry.object === index).length;
          if (object === 0 || k.refs(object) === mapped + 1) continue;
          throw new Error(`${k.refs(object)} refs, ${mapped} entries`);
        }
      }
      k.call("uvmspace_free", map);
      const left = [k.refs(objects[1]!), k.refs(objects[2]!)];
      for (const object of objects) if (object !== 0) k.call("uao_detach", object);
      return left[0] === 1 && left[1] === 1;
    }), { seed, numRuns: 150 });
    t.end();
  });

  const merges: [string, boolean, (k: Kernel, map: number, object: number) => [number, number, number]][] = [
    ["continues object and offset", true, () => [0, 0, 0]],
    ["has a gap in the offset", false, () => [1, 0, 0]],
    ["differs in protection", false, () => [0, 2, 0]],
    ["differs in inheritance", false, () => [0, 0x10, 0]],
    ["differs in advice", false, () => [0, RANDOM, 0]],
    ["has NOMERGE", false, () => [0, NOMERGE, 0]],
    ["follows a wired entry", false, (k, map) => {
      k.call("uvm_map_pageable", map, MIN, MIN + 2 * PAGE, 0, 0);
      return [0, 0, 0];
    }],
    ["shows another object", false, (k) => [0, 0, k.createObject(64 * PAGE)]],
  ];
  for (const [when, merged, prepare] of merges) {
    t.test(`a mapping that ${when} is ${merged ? "" : "not "}merged`, (t) => {
      const { k, map, object } = bench();
      k.call("uao_reference", object);
      k.map(map, MIN, 2 * PAGE, object, 0, MAPFLAGS | RW);
      const [gap, flip, other] = prepare(k, map, object);
      const shown = other === 0 ? object : other;
      const before = k.refs(shown);
      k.call("uao_reference", shown);
      const [rv] = k.map(map, MIN, PAGE, shown, (2 + gap) * PAGE, (MAPFLAGS | RW) ^ flip);
      t.equal(rv, SUCCESS);
      t.equal(k.entries(map).length, merged ? 1 : 2);
      t.equal(k.refs(shown), merged ? before : before + 1, "the caller's reference");
      t.equal(k.counter("map_backmerge") > 0 && merged, merged);
      t.end();
    });
  }

  t.test("a gap that is filled exactly counts as a missed forward merge", (t) => {
    const { k, map } = bench();
    k.map(map, MIN + 4 * PAGE, PAGE, 0, 0, MAPFLAGS | RW | FIXED);
    const before = k.counter("map_forwmerge");
    k.map(map, MIN + 3 * PAGE, PAGE, 0, 0, MAPFLAGS | RW | FIXED);
    t.equal(k.counter("map_forwmerge"), before + 1);
    t.equal(k.entries(map).length, 2);
    t.end();
  });

  t.test("bad requests are refused and keep the caller's reference", (t) => {
    const { k, map, object } = bench();
    t.equal(k.map(map, MIN, PAGE, object, 0, 0x120 | RW)[0], PROTECTION_FAILURE);
    t.equal(k.map(map, MIN, 0x500000, object, 0, MAPFLAGS | RW)[0], NO_SPACE);
    t.equal(k.map(map, MIN + 0x400000 + PAGE, PAGE, object, 0, MAPFLAGS | RW)[0], NO_SPACE);
    t.equal(k.map(map, MIN - PAGE, PAGE, object, 0, MAPFLAGS | RW | FIXED)[0], NO_SPACE);
    t.equal(k.refs(object), 1);
    t.throws(() => k.call("uvm_map", map, 0x7d000000, PAGE, object, -1n, MAPFLAGS | RW),
      { message: "uvm_map: unknown offset with non-kernel object" });
    t.end();
  });

  t.test("an end below the map unmaps nothing, and resets the hint for free space", (t) => {
    const k = new Kernel();
    const before = k.entries(k.kernelMap);
    const [, va] = k.map(k.kernelMap, 0, PAGE, 0, 0, MAPFLAGS | RW);
    t.equal(k.unmap(k.kernelMap, va, PAGE), SUCCESS);
    t.equal(k.entries(k.kernelMap).length, before.length + 1);
    t.equal(k.get("VmMap", k.kernelMap, "first_free"), k.kernelMap + k.offset("VmMap", "header_prev"));
    t.end();
  });

  t.test("protection beyond the maximum and submaps are refused whole", (t) => {
    const { k, map } = bench();
    k.map(map, MIN, PAGE, 0, 0, MAPFLAGS | RW);
    k.map(map, MIN, PAGE, 0, 0, 0x120 | 1);
    t.equal(k.callSigned("uvm_map_protect", map, MIN, MIN + 2 * PAGE, RW, 0), PROTECTION_FAILURE);
    t.equal(k.callSigned("uvm_map_protect", map, MIN, MIN + 2 * PAGE, 1, 1), SUCCESS, "maximum");
    t.equal(k.entries(map)[0]?.protection, 1);
    t.equal(k.call("uvm_map_checkprot", map, MIN, MIN + 2 * PAGE, 1), 1);
    t.equal(k.call("uvm_map_checkprot", map, MIN, MIN + 3 * PAGE, 1), 0, "a hole");
    t.equal(k.call("uvm_map_checkprot", map, MIN, MIN + PAGE, RW), 0);
    t.end();
  });

  t.test("the static entries run out with the panic that names them", (t) => {
    const k = new Kernel();
    const used = k.counter("mapent_static");
    for (let i = used; i < 1000; i++) k.map(k.kernelMap, 0, PAGE, 0, 0, MAPFLAGS | RW | NOMERGE);
    t.throws(() => k.map(k.kernelMap, 0, PAGE, 0, 0, MAPFLAGS | RW | NOMERGE),
      { message: "mapent_alloc: out of static map entries, check MAX_KMAPENT" });
    t.end();
  });
  t.end();
});

t.test("objects", (t) => {
  t.test("the struct is 52 bytes with pgops at 4, and freeing lays the pool's links over it", (t) => {
    const { k, object } = bench();
    t.equal(k.layouts.UvmAobj?.size, 52);
    t.equal(k.offset("UvmAobj", "pgops"), 4);
    t.same(k.layouts.PagerOps?.fields.map((field) => field.name), ["init", "reference", "detach", "fault", "flush",
      "get", "asyncget", "put", "cluster", "mk_pcluster", "shareprot", "aiodone", "releasepg"]);
    const next = object + 52;
    k.call("uao_detach", object);
    t.equal(k.word(object), 0xdeadbeef);
    t.equal(k.word(object + 4), next, "pgops now points to the next free item");
    t.equal(k.word(next + 12), 0, "where fault would be");
    t.equal(k.word(next + 20), 0, "where get would be");
    t.end();
  });

  t.test("the last reference frees all pages, mapped and wired ones too", (t) => {
    const { k, map, object } = bench();
    k.call("uao_reference", object);
    k.map(map, MIN, 8 * PAGE, object, 0, MAPFLAGS | RW);
    const free = k.counter("free");
    k.fault(map, MIN, WIRE, RW);
    k.fault(map, MIN + 6 * PAGE, 0, 1);
    t.equal(k.counter("wired"), 1);
    k.call("uao_detach", object);
    t.equal(k.refs(object), 1);
    k.call("uao_detach", object);
    t.equal(k.counter("free"), free);
    t.equal(k.counter("wired"), 0);
    t.equal(k.pmap.spaces.get(k.pmapOf(map))?.size, 0);
    t.same(k.checkPages(), []);
    t.end();
  });

  t.test("a busy page outlives the object and is freed when released", (t) => {
    const { k, object } = bench();
    const [pages, npages] = [0x7d001000, 0x7d002000];
    k.setWord(pages, 0);
    k.setWord(npages, 1);
    t.equal(k.callSigned("uao_get", object, 0n, pages, npages, 0, 3, 0, 0), 0);
    const free = k.counter("free");
    k.call("uao_detach", object);
    t.equal(k.counter("free"), free, "still there");
    t.equal(k.get("UvmObject", object, "uo_npages"), 1);
    k.call("uvm_page_unbusy", pages, 1);
    t.equal(k.counter("free"), free + 1);
    t.equal(k.word(object), 0xdeadbeef, "the struct went with it");
    t.end();
  });

  t.test("get without sleep gives resident and fresh pages, but not busy ones", (t) => {
    const { k, object } = bench();
    const [pages, npages] = [0x7d001000, 0x7d002000];
    const ask = (centre: number, flags: number): number => {
      for (let i = 0; i < 4; i++) k.setWord(pages + 4 * i, 0);
      k.setWord(npages, 4);
      return k.callSigned("uao_get", object, 0n, pages, npages, centre, 1, 0, flags);
    };
    t.equal(ask(1, 0x40), 0, "OK");
    t.equal(k.word(npages), 4);
    t.equal(ask(1, 0x40), 6, "UNLOCK while they are busy");
    t.equal(k.word(npages), 0);
    t.throws(() => ask(1, 0), { message: /uao_get/ });
    t.end();
  });

  t.test("flush: deactivates, frees when nobody else references, spares wired pages", (t) => {
    const { k, map, object } = bench();
    k.call("uao_reference", object);
    k.map(map, MIN, 8 * PAGE, object, 0, MAPFLAGS | RW | RANDOM);
    for (let i = 0; i < 4; i++) k.fault(map, MIN + i * PAGE, 0, RW);
    k.fault(map, MIN, WIRE, RW);
    k.call("uao_flush", object, 0n, BigInt(8 * PAGE), 8);
    t.equal(k.counter("inactive"), 3, "free with two references deactivates");
    k.unmap(map, MIN, MIN + 8 * PAGE);
    k.call("uao_flush", object, 0n, 0n, 0x18);
    t.equal(k.pages(object).length, 1, "the wired one");
    k.call("uao_flush", object, 0n, BigInt(1 << 20), 8);
    t.match(k.console, /uao_flush: strange, got an out of range flush \(fixed\)\n/);
    t.same(k.checkPages(), []);
    t.end();
  });
  t.end();
});

t.test("windows onto an object, mapped per request", (t) => {
  t.test("an adjacent second request destroys the object under its mappings", (t) => {
    const w = new Windows({});
    w.request(32 << 10, 8 << 10);
    t.same([w.refs(), w.windows()], [1, 1]);
    t.match(w.attempt(40 << 10, 8 << 10), "call to 0");
    t.equal(w.k.word(w.object), 0xdeadbeef, "a free item of its pool");
    t.equal(w.k.counter("wired"), 0, "its pages are free, wired or not");
    t.equal(w.k.entriesOf(w.k.kernelMap, w.object)[0]?.end, w.cursor + 2 * 8192 - 8192, "merged into one entry");
    t.end();
  });

  t.test("the same requests in reverse leak entries, addresses and wirings instead", (t) => {
    const w = new Windows({});
    const start = w.cursor;
    t.equal(w.attempt(40 << 10, 8 << 10), "done");
    const first = w.cursor;
    t.equal(w.attempt(32 << 10, 8 << 10), "done");
    t.equal(first - start, 0x10000, "the window after the reserved range");
    t.equal(w.cursor - first, 0x2000);
    t.same([w.refs(), w.windows(), w.leakedPages(), w.k.counter("wired")], [1, 2, 4, 4]);
    t.end();
  });

  const ascending = Array.from({ length: 50 }, (_, i) => i * 8192);
  const descending = [...ascending].reverse();
  interface Row {
    readonly repair: { end?: boolean; ref?: boolean; unwire?: boolean };
    readonly order: "ascending" | "descending";
    readonly outcome: string;
  }
  const rows: Row[] = [];
  for (const unwire of [false, true]) {
    const lost = "call to 0 at request 2";
    const wired = unwire ? 0 : 100;
    rows.push(
      { repair: { unwire }, order: "ascending", outcome: lost },
      { repair: { unwire }, order: "descending", outcome: `50 windows, refs 1, ${wired} wired` },
      { repair: { ref: true, unwire }, order: "ascending", outcome: `1 windows, refs 2, ${wired} wired` },
      { repair: { ref: true, unwire }, order: "descending", outcome: `50 windows, refs 51, ${wired} wired` },
      { repair: { end: true, unwire }, order: "ascending", outcome: lost },
      { repair: { end: true, unwire }, order: "descending", outcome: lost },
      { repair: { end: true, ref: true, unwire }, order: "ascending", outcome: `0 windows, refs 1, ${wired} wired` },
      { repair: { end: true, ref: true, unwire }, order: "descending", outcome: `0 windows, refs 1, ${wired} wired` },
    );
  }
  for (const { repair, order, outcome } of rows) {
    const names = Object.entries(repair).filter(([, on]) => on).map(([name]) => name).join("+") || "nothing";
    t.test(`50 requests ${order}, repaired ${names}: ${outcome}`, (t) => {
      const w = new Windows(repair);
      t.equal(describeEnd(w, order === "ascending" ? ascending : descending), outcome);
      t.end();
    });
  }

  t.test("1500 random requests end in the static entries' panic, unless END is repaired", (t) => {
    const sample = fc.sample(fc.integer({ min: 0, max: 127 }), { seed, numRuns: 1500 }).map((n) => n * 8192);
    const leak = describeEnd(new Windows({ ref: true, unwire: true }), sample);
    t.match(leak, /out of static map entries, check MAX_KMAPENT at request (9\d\d|10\d\d)$/);
    t.match(describeEnd(new Windows({}), sample), /at request/);
    t.match(describeEnd(new Windows({ end: true }), sample), "call to 0 at request 2");
    t.equal(describeEnd(new Windows({ end: true, ref: true, unwire: true }), sample), "0 windows, refs 1, 0 wired");
    const w = new Windows({ end: true, ref: true });
    t.match(describeEnd(w, sample), /^0 windows, refs 1, 2\d\d wired$/);
    const counts = w.k.pages(w.object).map((pg) => w.k.get("VmPage", pg, "wire_count"));
    t.ok(Math.max(...counts) >= 7, "wirings of one page pile up");
    t.end();
  });
  t.end();
});
