// UVM in V8: maps against a model, faults, references, kernel memory, and the
// story of an object whose creator forgot to count.
//
// Random histories take their seed from VM_SEED (default 2000) and print it.
import fc from "fast-check";
import t from "tap";
import { GuestSleep } from "../lib/hosted.js";
import { MapModel } from "./map_model.js";
import {
  COPYONW, FAILURE, FIXED, INVALID_ADDRESS, INVALID_ARGUMENT, Kernel, MAPFLAGS, NOMERGE, NO_SPACE, OVERLAY, PAGE,
  PROTECTION_FAILURE, RANDOM, RESOURCE_SHORTAGE, RW, SEQUENTIAL, SUCCESS, WIRE,
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
          if (object !== 0 && k.refs(object) !== mapped + 1) throw new Error(`${k.refs(object)} refs, ${mapped} entries`);
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

t.test("faults", (t) => {
  const wide: [string, number, number, number][] = [
    ["NORMAL maps 3 back and 4 forward", 0, 3, 4],
    ["RANDOM maps the page alone", RANDOM, 0, 0],
    ["SEQUENTIAL maps 7 forward and nothing back", SEQUENTIAL, 0, 7],
  ];
  for (const [what, advice, back, forward] of wide) {
    t.test(what, (t) => {
      const { k, map, object } = bench();
      k.map(map, MIN, 64 * PAGE, object, 0, MAPFLAGS | RW | advice);
      t.equal(k.fault(map, MIN + 20 * PAGE + 17, 0, 1), SUCCESS);
      const mapped = [...(k.pmap.spaces.get(k.pmapOf(map))?.keys() ?? [])].map((va) => (va - MIN) / PAGE);
      const expected = Array.from({ length: back + forward + 1 }, (_, i) => 20 - back + i);
      t.same(mapped.sort((a, b) => a - b), expected);
      t.equal(k.counter("fltnomap"), back + forward);
      t.equal(k.counter("flt_obj"), 1);
      t.same(k.checkPages(), []);
      t.end();
    });
  }

  t.test("the range is clipped to the entry, and neighbours that are mapped are left alone", (t) => {
    const { k, map, object } = bench();
    k.map(map, MIN, 3 * PAGE, object, 0, MAPFLAGS | RW);
    k.fault(map, MIN, 0, 1);
    t.equal(k.pmap.spaces.get(k.pmapOf(map))?.size, 3);
    k.fault(map, MIN + PAGE, 0, RW);
    t.equal(k.counter("fltmapped"), 2);
    t.end();
  });

  t.test("SEQUENTIAL deactivates what lies behind", (t) => {
    const { k, map, object } = bench();
    k.map(map, MIN, 64 * PAGE, object, 0, MAPFLAGS | RW | SEQUENTIAL);
    k.fault(map, MIN, 0, 1);
    t.equal(k.counter("active"), 8);
    k.fault(map, MIN + 8 * PAGE, 0, 1);
    t.equal(k.counter("inactive"), 8);
    t.equal(k.counter("active"), 8);
    t.end();
  });

  t.test("a wire fault is narrow, wires page and mapping with all rights, and nests", (t) => {
    const { k, map, object } = bench();
    k.map(map, MIN, 8 * PAGE, object, 0, MAPFLAGS | RW);
    t.equal(k.callSigned("uvm_fault_wire", map, MIN + PAGE, MIN + 3 * PAGE, 1), SUCCESS);
    t.equal(k.counter("wired"), 2);
    t.equal(k.pmap.wiredMappings(k.pmapOf(map)), 2);
    t.same([...(k.pmap.spaces.get(k.pmapOf(map))?.values() ?? [])].map((mapping) => mapping.prot), [RW, RW]);
    t.equal(k.entries(map)[0]?.wired_count, 0, "the entry is not marked");
    k.call("uvm_fault_wire", map, MIN + PAGE, MIN + 2 * PAGE, 1);
    t.equal(k.get("VmPage", k.page(object, PAGE), "wire_count"), 2);
    k.call("uvm_fault_unwire", map, MIN + PAGE, MIN + 3 * PAGE);
    t.equal(k.counter("wired"), 1);
    k.call("uvm_fault_unwire", map, MIN + PAGE, MIN + 2 * PAGE);
    t.equal(k.counter("wired"), 0);
    t.throws(() => k.call("uvm_fault_unwire", map, MIN + 5 * PAGE, MIN + 6 * PAGE),
      { message: "uvm_fault_unwire_locked: unwiring non-wired memory" });
    t.same(k.checkPages(), []);
    t.end();
  });

  t.test("wiring that fails midway is undone", (t) => {
    const { k, map, object } = bench();
    k.map(map, MIN, 3 * PAGE, object, 0, MAPFLAGS | RW);
    t.equal(k.callSigned("uvm_fault_wire", map, MIN, MIN + 4 * PAGE, RW), INVALID_ADDRESS);
    t.equal(k.counter("wired"), 0);
    t.end();
  });

  const refused: [string, number, (k: Kernel, map: number, object: number) => [number, number, number]][] = [
    ["where nothing is mapped", INVALID_ADDRESS, (_k, map) => [map, MIN + 0x100000, 1]],
    ["of a mapping without object and amap", INVALID_ADDRESS, (k, map) => {
      k.map(map, MIN, PAGE, 0, 0, MAPFLAGS | RW);
      return [map, MIN, 1];
    }],
    ["that writes where only reading is allowed", PROTECTION_FAILURE, (k, map, object) => {
      k.map(map, MIN, PAGE, object, 0, MAPFLAGS | 1);
      return [map, MIN, RW];
    }],
    ["in a submap that is not pageable", FAILURE, (k) => {
      const [min, max] = [0x7d003000, 0x7d003004];
      k.setWord(min, 0);
      const submap = k.call("uvm_km_suballoc", k.kernelMap, min, max, 16 * PAGE, 0, 0, 0);
      return [k.kernelMap, k.call("uvm_km_valloc", submap, PAGE), 1];
    }],
    ["in an interrupt-safe map", FAILURE, (k) => [k.kernelMap, k.get("VmMap", k.call("kmem_map"), "min_offset"), 1]],
  ];
  for (const [where, result, prepare] of refused) {
    t.test(`a fault ${where} gives ${result}`, (t) => {
      const { k, map, object } = bench();
      const [target, va, access] = prepare(k, map, object);
      t.equal(k.fault(target, va, 0, access), result);
      t.equal(k.counter("fltfail"), 1);
      t.equal(k.callSigned("vm_map_lock_try", target), 1, "nothing is locked");
      t.end();
    });
  }

  t.test("a fault on a busy page waits for it with nothing locked, and begins anew when the map changed", (t) => {
    const { k, map, object } = bench();
    k.map(map, MIN, 4 * PAGE, object, 0, MAPFLAGS | RW | RANDOM);
    k.call("uvm_pagealloc", object, 0n, 0, 0);
    const pg = k.page(object, 0);
    const slept: string[] = [];
    k.onSleep = (ident, wmesg) => {
      slept.push(wmesg);
      t.equal(ident, pg);
      k.nested("uvm_map_inherit", map, MIN, MIN + PAGE, 1);
      k.nested("uvm_pageunbusy", pg);
      return 0;
    };
    t.equal(k.fault(map, MIN, 0, RW), SUCCESS);
    t.same(slept, ["uao_get"]);
    t.equal(k.counter("fltrelck"), 1);
    t.equal(k.counter("fltrelckok"), 0, "the map's timestamp moved");
    t.equal(k.counter("fltlget"), 2);
    t.equal(k.get("VmPage", pg, "flags") & 0x10, 0, "not busy");
    t.end();
  });

  t.test("a page released while the fault slept is freed, and the fault begins anew", (t) => {
    const { k, map, object } = bench();
    k.map(map, MIN, 4 * PAGE, object, 0, MAPFLAGS | RW | RANDOM);
    k.call("uvm_pagealloc", object, 0n, 0, 0);
    const pg = k.page(object, 0);
    let sleeps = 0;
    k.onSleep = () => {
      if (sleeps++ === 0) k.nested("uvm_pageunbusy", pg);
      return 0;
    };
    t.equal(k.fault(map, MIN, 0, RW), SUCCESS);
    t.same(k.checkPages(), []);
    t.end();
  });

  t.test("memory that is short for good is a resource shortage, announced on the console", (t) => {
    const { k, map, object } = bench();
    k.map(map, MIN, 4 * PAGE, object, 0, MAPFLAGS | RW);
    while (k.call("uvm_pagealloc", 0, 0n, 0, 0) !== 0);
    const waits: string[] = [];
    k.onSleep = (_ident, wmesg, timo) => {
      waits.push(`${wmesg} ${timo}`);
      return 35;
    };
    t.equal(k.fault(map, MIN, 0, RW), RESOURCE_SHORTAGE);
    t.same(waits, ["uao_getpage 500"]);
    t.match(k.console, /^pagedaemon: deadlock detected!  ?waits for memory \(uao_getpage\), 5 pages free$/m);
    t.equal(k.counter("waiters"), 0);
    t.end();
  });

  t.test("memory that comes free lets the fault go on", (t) => {
    const { k, map, object } = bench();
    k.map(map, MIN, 4 * PAGE, object, 0, MAPFLAGS | RW);
    let pg = 0;
    for (let next = 1; next !== 0;) {
      next = k.call("uvm_pagealloc", 0, 0n, 0, 0);
      if (next !== 0) pg = next;
    }
    k.onSleep = () => {
      k.nested("uvm_pagefree", pg);
      return 0;
    };
    t.equal(k.fault(map, MIN, 0, RW), SUCCESS);
    t.ok(k.wakeups.includes(k.constant("uvmexp") + k.offset("Uvmexp", "free")), "the waiters were woken");
    t.end();
  });

  t.test("a pmap without memory makes the fault wait and try again", (t) => {
    const { k, map, object } = bench();
    k.map(map, MIN, 4 * PAGE, object, 0, MAPFLAGS | RW | RANDOM);
    k.pmap.failures = [RESOURCE_SHORTAGE];
    k.onSleep = () => 0;
    t.equal(k.fault(map, MIN, WIRE, RW), SUCCESS);
    t.equal(k.counter("wired"), 1);
    t.same(k.checkPages(), []);
    t.end();
  });

  t.test("a pager with a fault operation is told address, type and access, resident or not", (t) => {
    const { k, map } = bench();
    const object = k.call("test_object_create");
    const told = (field: string): number => k.get("Told", k.constant("test_told"), field);
    k.map(map, MIN, 16 * PAGE, object, 0, MAPFLAGS | RW);
    t.equal(k.fault(map, MIN + 5 * PAGE + 9, 0, 1), SUCCESS);
    t.same(["calls", "vaddr", "npages", "centeridx", "fault_type", "access_type", "orig_rvaddr"].map(told),
      [1, MIN + 2 * PAGE, 8, 3, 0, 1, MIN + 5 * PAGE]);
    k.setWord(k.constant("test_told") + k.offset("Told", "refaults"), 2);
    t.equal(k.fault(map, MIN, WIRE, RW), SUCCESS);
    t.same([told("calls"), told("access_type"), told("fault_type"), told("npages")], [4, RW, WIRE, 1]);
    k.setWord(k.constant("test_told") + k.offset("Told", "answer"), 4);
    t.equal(k.fault(map, MIN, 0, RW), PROTECTION_FAILURE);
    t.end();
  });
  t.end();
});

t.test("private memory", (t) => {
  const mapped = (k: Kernel, map: number, va: number): { pa: number; prot: number } | undefined =>
    k.pmap.spaces.get(k.pmapOf(map))?.get(va);

  t.test("is zero when first touched, one anon a page, and comes back with the map", (t) => {
    const k = new Kernel();
    const map = k.createMap(MIN, MIN + 0x400000);
    const [anons, free] = [k.counter("nfreeanon"), k.counter("free")];
    k.map(map, MIN, 4 * PAGE, 0, 0, MAPFLAGS | RW | COPYONW);
    t.equal(k.call("uvm_untouched", map, MIN), 1);
    t.equal(k.fault(map, MIN + PAGE, 0, 1), SUCCESS);
    t.equal(k.fault(map, MIN + 3 * PAGE, 0, RW), SUCCESS);
    t.equal(k.counter("flt_przero"), 2);
    t.equal(k.counter("fltnamap"), 0, "neighbours that are mapped stay as they are");
    t.equal(k.counter("fltamcopy"), 1);
    t.equal(k.counter("nfreeanon"), anons - 2);
    t.same([0, 1, 2, 3].map((i) => k.call("uvm_untouched", map, MIN + i * PAGE + 5)), [1, 0, 1, 0]);
    t.same(k.checkPages(), []);
    k.call("uvmspace_free", map);
    t.equal(k.counter("nfreeanon"), anons);
    t.ok(k.counter("free") >= free - 3, "but for pages of pools");
    t.same(k.checkPages(), []);
    t.end();
  });

  t.test("of an overlay is there at once, and is not merged while another entry shares it", (t) => {
    const { k, map } = bench();
    k.map(map, MIN, 4 * PAGE, 0, 0, MAPFLAGS | RW | COPYONW | OVERLAY);
    t.not(k.get("VmMapEntry", k.entries(map)[0]!.at, "ar_amap"), 0);
    k.map(map, MIN, 2 * PAGE, 0, 0, MAPFLAGS | RW | COPYONW | OVERLAY);
    t.equal(k.entries(map).length, 1, "extended");
    t.equal(k.fault(map, MIN + 5 * PAGE, 0, RW), SUCCESS, "the amap as well");
    k.unmap(map, MIN + 2 * PAGE, MIN + 3 * PAGE);
    k.map(map, MIN, PAGE, 0, 0, MAPFLAGS | RW | COPYONW | OVERLAY);
    t.equal(k.entries(map).length, 3);
    t.equal(k.fault(map, MIN + 5 * PAGE, 0, RW), SUCCESS);
    t.equal(k.counter("flt_anon"), 1, "the part above the cut has kept its page");
    t.same(k.checkMap(map), []);
    t.end();
  });

  t.test("over an object shows its pages for reading and copies them for writing", (t) => {
    const { k, map, object } = bench();
    k.call("uao_reference", object);
    k.map(map, MIN, 4 * PAGE, object, 0, MAPFLAGS | RW | COPYONW | RANDOM);
    t.equal(k.fault(map, MIN, 0, 1), SUCCESS);
    const below = k.get("VmPage", k.page(object, 0), "phys_addr");
    t.same([mapped(k, map, MIN)?.pa, mapped(k, map, MIN)?.prot], [below, 1], "read-only");
    t.equal(k.fault(map, MIN, 0, RW), SUCCESS);
    t.not(mapped(k, map, MIN)?.pa, below);
    t.equal(mapped(k, map, MIN)?.prot, RW);
    t.equal(k.counter("flt_prcopy"), 1);
    t.equal(k.fault(map, MIN, 0, 1), SUCCESS);
    t.equal(k.counter("flt_anon"), 1, "the copy is above now");
    t.equal(k.fault(map, MIN + 2 * PAGE, WIRE, 1), SUCCESS, "wiring copies at once");
    t.equal(k.counter("flt_prcopy"), 2);
    k.unmap(map, MIN, MIN + 4 * PAGE);
    t.equal(k.refs(object), 1);
    t.equal(k.pages(object).length, 2);
    t.end();
  });

  t.test("shared by two maps is copied by the one that writes", (t) => {
    const k = new Kernel();
    const [a, b] = [k.createMap(MIN, MIN + 0x400000), k.createMap(MIN, MIN + 0x400000)];
    for (const map of [a, b]) k.map(map, MIN, 8 * PAGE, 0, 0, MAPFLAGS | RW | COPYONW);
    for (const i of [0, 1, 5]) k.fault(a, MIN + i * PAGE, 0, RW);
    // What a fork does: the child's entry shows the parent's amap and needs a copy.
    const [ea, eb] = [k.entries(a)[0]!.at, k.entries(b)[0]!.at];
    k.setWord(eb + k.offset("VmMapEntry", "ar_amap"), k.get("VmMapEntry", ea, "ar_amap"));
    k.call("amap_ref", eb, 0);
    const anons = k.counter("nfreeanon");
    t.equal(k.fault(b, MIN, 0, 1), SUCCESS);
    t.equal(mapped(k, b, MIN)?.prot, 1);
    t.equal(mapped(k, b, MIN)?.pa, mapped(k, a, MIN)?.pa);
    t.same(mapped(k, b, MIN + PAGE), { ...mapped(k, a, MIN + PAGE), prot: 1 }, "the neighbour came along");
    t.equal(k.fault(b, MIN, 0, RW), SUCCESS);
    t.not(mapped(k, b, MIN)?.pa, mapped(k, a, MIN)?.pa);
    t.equal(k.counter("flt_acow"), 1);
    t.equal(k.counter("nfreeanon"), anons - 1);
    t.equal(k.fault(a, MIN, 0, RW), SUCCESS, "the other one is alone now");
    t.equal(k.counter("flt_acow"), 1);
    k.call("uvmspace_free", a);
    t.equal(k.fault(b, MIN + 5 * PAGE, 0, RW), SUCCESS);
    k.call("uvmspace_free", b);
    t.equal(k.counter("nfreeanon"), k.counter("nanon"));
    t.same(k.checkPages(), []);
    t.end();
  });

  t.test("a large mapping gets its amap in chunks", (t) => {
    const { k, map } = bench();
    k.map(map, MIN, 600 * PAGE, 0, 0, MAPFLAGS | RW | COPYONW);
    t.equal(k.fault(map, MIN + 100 * PAGE, 0, RW), SUCCESS);
    t.same(k.entries(map).map((entry) => (entry.end - entry.start) / PAGE), [96, 16, 488]);
    t.same(k.checkMap(map), []);
    t.end();
  });

  t.test("that cannot be had for lack of memory is a resource shortage", (t) => {
    const { k, map } = bench();
    k.map(map, MIN, 4 * PAGE, 0, 0, MAPFLAGS | RW | COPYONW);
    k.fault(map, MIN + 3 * PAGE, 0, RW);
    while (k.call("uvm_pagealloc", 0, 0n, 0, 0) !== 0);
    const anons = k.counter("nfreeanon");
    const waits: string[] = [];
    k.onSleep = (_ident, wmesg) => {
      waits.push(wmesg);
      return 35;
    };
    t.equal(k.fault(map, MIN, 0, RW), RESOURCE_SHORTAGE);
    t.same(waits, ["flt_noram5"]);
    t.equal(k.counter("nfreeanon"), anons);
    t.equal(k.callSigned("vm_map_lock_try", map), 1, "nothing is locked");
    t.end();
  });
  t.end();
});

t.test("wiring by map", (t) => {
  t.test("entries are marked, and unmapping unwires", (t) => {
    const { k, map, object } = bench();
    k.call("uao_reference", object);
    k.map(map, MIN, 8 * PAGE, object, 0, MAPFLAGS | RW);
    t.equal(k.callSigned("uvm_map_pageable", map, MIN + 2 * PAGE, MIN + 5 * PAGE, 0, 0), SUCCESS);
    t.same(k.entries(map).map((entry) => entry.wired_count), [0, 1, 0]);
    t.equal(k.refs(object), 4, "three entries and the creator");
    t.equal(k.counter("wired"), 3);
    t.equal(k.callSigned("uvm_map_pageable", map, MIN + 3 * PAGE, MIN + 5 * PAGE, 0, 0), SUCCESS, "again");
    t.equal(k.counter("wired"), 3);
    k.unmap(map, MIN, MIN + 8 * PAGE);
    t.equal(k.counter("wired"), 0);
    t.equal(k.refs(object), 1);
    t.same(k.checkPages(), []);
    t.end();
  });

  t.test("unwiring makes all of the range pageable, once", (t) => {
    const { k, map, object } = bench();
    k.map(map, MIN, 8 * PAGE, object, 0, MAPFLAGS | RW);
    k.call("uvm_map_pageable", map, MIN, MIN + 4 * PAGE, 0, 0);
    t.equal(k.callSigned("uvm_map_pageable", map, MIN + PAGE, MIN + 3 * PAGE, 1, 0), SUCCESS);
    t.equal(k.counter("wired"), 2);
    t.equal(k.callSigned("uvm_map_pageable", map, MIN + PAGE, MIN + 3 * PAGE, 1, 0), INVALID_ARGUMENT);
    t.end();
  });

  t.test("a hole is refused and nothing stays wired", (t) => {
    const { k, map, object } = bench();
    k.call("uao_reference", object);
    k.map(map, MIN, 2 * PAGE, object, 0, MAPFLAGS | RW);
    k.map(map, MIN + 3 * PAGE, 2 * PAGE, object, 0, MAPFLAGS | RW);
    t.equal(k.callSigned("uvm_map_pageable", map, MIN, MIN + 5 * PAGE, 0, 0), INVALID_ARGUMENT);
    t.equal(k.callSigned("uvm_map_pageable", map, MIN + 2 * PAGE, MIN + 5 * PAGE, 0, 0), INVALID_ADDRESS);
    t.same(k.entries(map).map((entry) => entry.wired_count), [0, 0]);
    t.equal(k.counter("wired"), 0);
    t.end();
  });

  t.test("a fault that fails while wiring is undone in all entries", (t) => {
    const { k, map, object } = bench();
    k.map(map, MIN, 2 * PAGE, object, 0, MAPFLAGS | RW);
    k.map(map, MIN, 2 * PAGE, 0, 0, MAPFLAGS | RW);
    t.equal(k.callSigned("uvm_map_pageable", map, MIN, MIN + 4 * PAGE, 0, 0), INVALID_ADDRESS);
    t.same(k.entries(map).map((entry) => entry.wired_count), [0, 0]);
    t.equal(k.counter("wired"), 0);
    t.end();
  });
  t.end();
});

t.test("kernel memory", (t) => {
  t.test("pages and room come back, whatever the order of frees", (t) => {
    const k = new Kernel();
    const free = k.counter("free");
    const size = k.get("VmMap", k.kernelMap, "size");
    const request = fc.record({ how: fc.constantFrom("uvm_km_alloc", "uvm_km_zalloc", "uvm_km_valloc"),
      pages: fc.integer({ min: 1, max: 5 }), freed: fc.nat() });
    fc.assert(fc.property(fc.array(request, { maxLength: 20 }), (requests) => {
      const live: [number, number][] = [];
      for (const { how, pages, freed } of requests) {
        const va = k.call(how, k.kernelMap, pages * PAGE);
        if (how === "uvm_km_valloc") k.fault(k.kernelMap, va, 0, RW);
        live.push([va, pages * PAGE]);
        if (freed % 2 === 1) {
          const [at, length] = live.splice(freed % live.length, 1)[0]!;
          k.call("uvm_km_free", k.kernelMap, at, length);
        }
      }
      for (const [at, length] of live) k.call("uvm_km_free", k.kernelMap, at, length);
      const wrong = [...k.checkMap(k.kernelMap), ...k.checkPages()];
      if (wrong.length > 0) throw new Error(wrong.join("; "));
      return k.counter("free") === free && k.get("VmMap", k.kernelMap, "size") === size;
    }), { seed, numRuns: 40 });
    t.end();
  });

  t.test("neighbouring allocations of kernel_object are one entry", (t) => {
    const k = new Kernel();
    const before = k.entries(k.kernelMap).length;
    const first = k.call("uvm_km_alloc", k.kernelMap, PAGE);
    const merges = k.counter("map_backmerge");
    t.equal(k.call("uvm_km_valloc", k.kernelMap, 2 * PAGE), first + PAGE);
    t.equal(k.counter("map_backmerge"), merges + 1);
    t.ok(k.entries(k.kernelMap).length <= before + 1);
    t.equal(k.refs(k.call("kernel_object")), -2);
    t.end();
  });

  t.test("zalloc is zero where others left their bytes", (t) => {
    const k = new Kernel();
    const va = k.call("uvm_km_alloc", k.kernelMap, PAGE);
    k.bytes.fill(0xaa, va, va + PAGE);
    k.call("uvm_km_free", k.kernelMap, va, PAGE);
    const again = k.call("uvm_km_zalloc", k.kernelMap, PAGE);
    t.ok(k.bytes.subarray(again, again + PAGE).every((byte) => byte === 0));
    t.end();
  });

  t.test("kmemalloc without sleep gives up whole, with sleep it waits", (t) => {
    const k = new Kernel(2);
    while (k.counter("free") > 4) k.call("uvm_pagealloc", 0, 0n, 0, 1);
    const size = k.get("VmMap", k.call("kmem_map"), "size");
    t.equal(k.call("uvm_km_kmemalloc", k.call("kmem_map"), k.call("kmem_object"), 8 * PAGE, 1), 0);
    t.equal(k.get("VmMap", k.call("kmem_map"), "size"), size);
    t.equal(k.counter("free"), 4);
    t.throws(() => k.call("uvm_km_kmemalloc", k.call("kmem_map"), k.call("kmem_object"), 8 * PAGE, 0),
      { message: /km_getwait2/ });
    t.end();
  });

  t.test("valloc_wait sleeps for room until somebody frees some, and refuses what can never fit", (t) => {
    const k = new Kernel();
    const [min, max] = [0x7d003000, 0x7d003004];
    k.setWord(min, 0);
    const submap = k.call("uvm_km_suballoc", k.kernelMap, min, max, 4 * PAGE, 1, 0, 0);
    const first = k.call("uvm_km_valloc", submap, 3 * PAGE);
    t.equal(k.call("uvm_km_valloc", submap, 2 * PAGE), 0);
    t.equal(k.call("uvm_km_valloc_wait", submap, 5 * PAGE), 0);
    const slept: string[] = [];
    k.onSleep = (ident, wmesg) => {
      slept.push(wmesg);
      t.equal(ident, submap);
      k.nested("uvm_km_free_wakeup", submap, first, 3 * PAGE);
      return 0;
    };
    t.equal(k.call("uvm_km_valloc_wait", submap, 2 * PAGE), first);
    t.same(slept, ["vallocwait"]);
    t.ok(k.wakeups.includes(submap));
    t.end();
  });

  t.test("a u-area is wired and has an unmapped page below", (t) => {
    const k = new Kernel();
    const free = k.counter("free");
    const uarea = k.call("uvm_uarea_alloc");
    t.equal(k.counter("wired"), 2);
    const mapped = [...(k.pmap.spaces.get(k.pmapOf(k.kernelMap))?.keys() ?? [])];
    t.ok(mapped.includes(uarea) && mapped.includes(uarea + PAGE) && !mapped.includes(uarea - PAGE));
    k.call("uvm_uarea_free", uarea);
    t.equal(k.counter("wired"), 0);
    t.equal(k.counter("free"), free);
    t.end();
  });

  t.test("kernacc knows what is mapped", (t) => {
    const k = new Kernel();
    const va = k.call("uvm_km_valloc", k.kernelMap, PAGE);
    t.equal(k.call("uvm_kernacc", va, 10, 0), 1);
    k.call("uvm_km_free", k.kernelMap, va, PAGE);
    t.equal(k.call("uvm_kernacc", va, 10, 1), 0);
    t.end();
  });
  t.end();
});

t.test("the pagedaemon frees clean pages of objects and never looks at anonymous ones", (t) => {
  const { k, map, object } = bench();
  k.map(map, MIN, 64 * PAGE, object, 0, MAPFLAGS | RW);
  k.fault(map, MIN, 0, RW);
  const other = k.call("test_object_create");
  const pages = [0, 1, 2].map((i) => k.call("uvm_pagealloc", other, BigInt(i * PAGE), 0, 0));
  for (const pg of pages) {
    k.call("uvm_pageunbusy", pg);
    k.call("uvm_pageactivate", pg);
  }
  k.pmap.modified.add(k.get("VmPage", pages[1]!, "phys_addr"));
  while (k.counter("free") > 60) k.call("uvm_pagealloc", 0, 0n, 0, 0);
  let naps = 0;
  const names: string[] = [];
  k.onSleep = (_ident, wmesg) => {
    names.push(wmesg);
    if (naps++ === 6) throw new GuestSleep("enough");
    return 0;
  };
  t.throws(() => k.call("uvm_pageout", 0), { message: "enough" });
  t.equal(k.counter("pdfreed"), 2, "the clean ones");
  t.equal(k.pages(other).length, 1);
  t.equal(k.pages(object).length, 5);
  t.ok(names.includes("daemon_slp") && names.includes("pdpause"));
  t.same(k.checkPages(), []);
  t.end();
});

t.test("the debugger's pictures", (t) => {
  const { k, map, object } = bench();
  k.map(map, MIN, 2 * PAGE, object, 0x3000, MAPFLAGS | RW);
  k.fault(map, MIN, 0, RW);
  k.call("uvm_map_print", map, 1);
  k.call("uvm_object_print", object, 1);
  k.call("uvm_page_print", k.page(object, 0x3000), 1);
  const hex = (n: number): string => `0x${n.toString(16)}`;
  const [entry] = k.entries(map);
  const lines = k.console.split("\n");
  t.same(lines.slice(0, 5), [
    `MAP ${hex(map)}: [0x10000000->0x10400000]`,
    "\t#ent=1, sz=8192, ref=1, version=1, flags=0x1",
    `\tpmap=${hex(k.pmapOf(map))}(resident=0)`,
    ` - ${hex(entry!.at)}: 0x10000000->0x10002000: obj=${hex(object)}/0x3000, amap=0x0/0`,
    "\tsubmap=F, cow=F, nc=F, prot(max)=3/7, inh=2, wc=0, adv=0",
  ]);
  t.match(lines[5], `OBJECT ${hex(object)}: pgops=${hex(k.constant("aobj_pager"))}, npages=2, refs=1`);
  t.match(k.console, /PAGES <pg,offset>:\n {2}<0x[0-9a-f]+,0x[34]000> <0x[0-9a-f]+,0x[34]000> \n/);
  t.match(k.console, / {2}page found on object list\n {2}checking pageq list\n {2}page found on pageq list\n/);
  k.call("uvm_object_print", k.call("kernel_object"), 0);
  t.match(k.console, /refs=<SYSTEM>/);
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
    t.match(describeEnd(new Windows({ ref: true, unwire: true }), sample), /static map entries.* at request (9\d\d|10\d\d)$/);
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
