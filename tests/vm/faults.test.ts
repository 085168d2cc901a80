// UVM in V8: faults, private memory, wiring, kernel memory, the pagedaemon, and
// the debugger's pictures.
//
// Random histories take their seed from VM_SEED (default 2000) and print it.
import fc from "fast-check";
import t from "tap";
import { GuestSleep } from "../lib/hosted.js";
import {
  COPYONW, FAILURE, INVALID_ADDRESS, INVALID_ARGUMENT, Kernel, MAPFLAGS, OVERLAY, PAGE, PROTECTION_FAILURE, RANDOM,
  RESOURCE_SHORTAGE, RW, SEQUENTIAL, SUCCESS, WIRE,
} from "./kernel.js";

const seed = Number(process.env.VM_SEED ?? 2000);
t.comment(`seed ${seed}; VM_SEED sets another`);

const MIN = 0x10000000;

/** A fresh kernel with an object of 64 pages and a map to show it in. */
function bench(): { k: Kernel; map: number; object: number } {
  const k = new Kernel();
  return { k, map: k.createMap(MIN, MIN + 0x400000), object: k.createObject(64 * PAGE) };
}

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
    const taken: number[] = [];
    for (let pg = k.call("uvm_pagealloc", 0, 0n, 0, 0); pg !== 0; pg = k.call("uvm_pagealloc", 0, 0n, 0, 0)) taken.push(pg);
    k.onSleep = () => {
      k.nested("uvm_pagefree", taken.pop()!);
      return 0;
    };
    t.equal(k.fault(map, MIN, 0, RW), SUCCESS);
    t.equal(k.counter("free"), k.counter("filemin"), "anonymous memory leaves some pages to files");
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
  // So few pages of objects give way only when hardly any others are left.
  while (k.counter("free") > 8) k.call("uvm_pagealloc", 0, 0n, 0, 0);
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
