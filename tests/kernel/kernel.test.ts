// The kernel proper. In V8: printf, arithmetic, strings, boot arguments, pools,
// malloc, long-term locks. What needs a machine is in machine.test.ts.
import fc from "fast-check";
import t from "tap";
import { GuestPanic, Hosted, compileHosted, vmFiles } from "../lib/hosted.js";
import { formats } from "./formats.js";

const seed = Number(process.env.KERNEL_SEED ?? 2000);
t.comment(`seed ${seed}`);

/** Scratch memory of hosted tests: strings, argument words, results. */
const SCRATCH = 0x70000000;

const hostedFiles = [
  ...vmFiles(),
  "kernel/kern_lock.ts", "kernel/kern_malloc.ts", "kernel/libkern.ts",
  "kernel/subr_bootargs.ts", "kernel/subr_pool.ts", "kernel/subr_prf.ts",
];
const compiled = await compileHosted(hostedFiles);

class Bench {
  readonly hosted = new Hosted(compiled);
  private next = SCRATCH;

  /** Puts a NUL-terminated string into scratch memory. */
  text(value: string): number {
    return this.put(Buffer.from(`${value}\0`, "utf8"));
  }

  put(bytes: Uint8Array): number {
    const at = this.next;
    this.hosted.bytes.set(bytes, at);
    this.next = (at + bytes.length + 7) & ~7;
    return at;
  }

  words(...values: number[]): number {
    return this.put(new Uint8Array(new Uint32Array(values).buffer));
  }

  /** Starts UVM on 16 MB, for what allocates memory. */
  startMemory(): void {
    this.hosted.call("uvm_page_physload", 0x100, 0x1100, 0x100, 0x1100, 0);
    this.hosted.call("uvm_init");
  }
}

t.test("kprintf", (t) => {
  const bench = new Bench();
  const buffer = bench.put(new Uint8Array(256));
  for (const { format, args, expected } of formats) {
    const words = args.map((arg) => (typeof arg === "string" ? bench.text(arg) : arg));
    const length = bench.hosted.call("vsnprintf", buffer, 256, bench.text(format), bench.words(...words));
    t.same([bench.hosted.string(buffer), length], [expected, expected.length], `"${format}" of ${args.join(", ")}`);
  }
  const cut = bench.hosted.call("vsnprintf", buffer, 5, bench.text("abcdefgh"), 0);
  t.same([bench.hosted.string(buffer), cut], ["abcd", 8], "a short buffer cuts; the length tells how much");
  t.end();
});

t.test("64-bit division agrees with BigInt", (t) => {
  const { hosted } = new Bench();
  const edge = [0n, 1n, 2n, 9n, 10n, 511n, 512n, 65535n, 65536n, 65537n, 0xffffffffn, 0x100000000n, 0x7fffffffffffffffn,
    0x8000000000000000n, 0xfffffffffffffffen, 0xffffffffffffffffn];
  const some = fc.oneof(fc.constantFrom(...edge), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.bigInt({ min: 0n, max: (1n << 33n) }));
  const unsigned = (name: string, a: bigint, b: bigint): bigint => BigInt.asUintN(64, hosted.callWide(name, a, b));
  const signed = (name: string, a: bigint, b: bigint): bigint => BigInt.asIntN(64, hosted.callWide(name, a, b));
  fc.assert(fc.property(some, some, (a, b) => {
    if (b === 0n) return true;
    const [x, y] = [BigInt.asIntN(64, a), BigInt.asIntN(64, b)];
    return unsigned("__udivdi3", a, b) === a / b && unsigned("__umoddi3", a, b) === a % b &&
      signed("__divdi3", x, y) === BigInt.asIntN(64, x / y) && signed("__moddi3", x, y) === BigInt.asIntN(64, x % y);
  }), { seed, numRuns: 3000 });
  t.end();
});

t.test("strings and memory", (t) => {
  const bench = new Bench();
  const { hosted } = bench;
  t.equal(hosted.callSigned("strcmp", bench.text("abc"), bench.text("abd")), -1);
  t.equal(hosted.callSigned("strncmp", bench.text("abc"), bench.text("abd"), 2), 0);
  t.equal(hosted.callSigned("memcmp", bench.text("12345678"), bench.text("12345677"), 8), 1);
  t.equal(hosted.call("strlen", bench.text("")), 0);
  const at = bench.put(new Uint8Array(16).fill(0xff));
  hosted.call("strncpy", at, bench.text("abc"), 6);
  t.same([...hosted.bytes.subarray(at, at + 7)], [97, 98, 99, 0, 0, 0, 255], "strncpy pads with NULs");
  t.equal(hosted.call("strlcpy", at, bench.text("abcdefgh"), 4), 8, "strlcpy returns the length of its source");
  t.equal(hosted.string(at), "abc");
  t.equal(hosted.call("skpc", 0, 4, bench.put(Uint8Array.of(0, 0, 5, 0))), 2);
  t.equal(hosted.call("strtoul", bench.text("0x1fz"), 0, 0), 31);
  t.equal(hosted.call("strtoul", bench.text("017"), 0, 0), 15);
  t.equal(hosted.call("strtoul", bench.text("4294967295"), 0, 10), 4294967295);
  t.end();
});

t.test("boot arguments", (t) => {
  const bench = new Bench();
  const { hosted } = bench;
  const line = "/boot/kernel.elf -v mfs.size=8M  n=0x10 k=2K k=3k empty= 'q=a b' c=\"x; y\" mfs=1";
  hosted.call("bootargs_init", bench.text(line));
  const value = (name: string): string | undefined => {
    const at = hosted.call("bootarg", bench.text(name));
    return at === 0 ? undefined : hosted.string(at);
  };
  t.equal(value("-v"), "", "a word without a value");
  t.equal(value("mfs.size"), "8M");
  t.equal(value("mfs"), "1", "a name that others begin with");
  t.equal(value("empty"), "");
  t.equal(value("q"), "a b", "quotes around the word");
  t.equal(value("c"), "x; y", "quotes around the value");
  t.equal(value("mf"), undefined);
  const number = (name: string): number => hosted.call("bootarg_u32", bench.text(name), 7);
  t.same(["mfs.size", "n", "k", "empty", "no"].map(number), [8 << 20, 16, 3 << 10, 7, 7], "numbers; the last wins");
  t.end();
});

/** A page less its header, in items of 52 bytes. */
const ITEMS_PER_PAGE = Math.floor((4096 - 40) / 52);

/** A pool of 52-byte items. */
function poolBench(append = ""): { bench: Bench; pool: number; get: () => number; put: (item: number) => void } {
  const bench = new Bench();
  bench.startMemory();
  bench.hosted.call("bootargs_init", bench.text(append));
  const pool = bench.put(new Uint8Array(256));
  bench.hosted.call("pool_init", pool, 52, 0, 0, 0, bench.text("testpl"), 0, 0, 0, 0);
  return {
    bench,
    pool,
    get: () => bench.hosted.call("pool_get", pool, 1),
    put: (item) => void bench.hosted.call("pool_put", pool, item),
  };
}

t.test("pools", (t) => {
  t.test("fresh items come in address order; what was freed last is handed out first", (t) => {
    const { bench, pool, get, put } = poolBench();
    const items = [get(), get(), get()];
    t.equal(items[1] - items[0], 52);
    t.equal(items[2] - items[1], 52);
    put(items[0]);
    put(items[2]);
    t.equal(get(), items[2]);
    t.equal(get(), items[0]);
    t.equal(bench.hosted.get("Pool", pool, "pr_nout"), 3);
    t.end();
  });

  t.test("a free item holds the magic, its link, and otherwise what it held before", (t) => {
    const { bench, get, put } = poolBench();
    const [a, b] = [get(), get()];
    for (let word = 0; word < 13; word++) bench.hosted.setWord(a + 4 * word, 0x1000 + word);
    const nextFree = b + 52;
    put(a);
    t.same([0, 1, 3, 12].map((word) => bench.hosted.word(a + 4 * word)), [0xdeadbeef, nextFree, 0x1003, 0x100c]);
    t.end();
  });

  t.test("fresh pages are zero, or what the boot argument says", (t) => {
    for (const [append, word] of [["", 0], ["pool.fresh=zero", 0], ["pool.fresh=junk", 0xdeadbeef],
      ["pool.fresh=junk:c0ffee11", 0xc0ffee11]] as const) {
      const { bench, get } = poolBench(append);
      t.equal(bench.hosted.word(get() + 20), word, append);
    }
    t.end();
  });

  t.test("a write to a free item is noticed when it is handed out", (t) => {
    const { bench, get, put } = poolBench();
    const item = get();
    put(item);
    bench.hosted.setWord(item, 1);
    const page = ((item & ~0xfff) >>> 0).toString(16);
    const message = `pool_get(testpl): free list modified: magic=1; page 0x${page}; item addr 0x${item.toString(16)}`;
    t.throws(get, new GuestPanic(message));
    t.end();
  });

  t.test("any history keeps items apart, and reclaims what is idle", (t) => {
    const { bench, pool, get, put } = poolBench();
    const live: number[] = [];
    fc.assert(fc.property(fc.array(fc.nat(), { maxLength: 400 }), (history) => {
      for (const choice of history) {
        if (choice % 3 !== 0 || live.length === 0) {
          const item = get();
          if (live.includes(item)) return false;
          live.push(item);
        } else put(live.splice(choice % live.length, 1)[0]);
      }
      const { hosted } = bench;
      return hosted.get("Pool", pool, "pr_nout") === live.length &&
        hosted.get("Pool", pool, "pr_nitems") === hosted.get("Pool", pool, "pr_npages") * ITEMS_PER_PAGE - live.length;
    }), { seed, numRuns: 30 });
    for (const item of live.splice(0)) put(item);
    const pages = bench.hosted.get("Pool", pool, "pr_npages");
    t.equal(bench.hosted.call("pool_reclaim", pool), pages);
    t.end();
  });
  t.end();
});

t.test("malloc hands out pieces that do not overlap and takes them back", (t) => {
  const bench = new Bench();
  bench.startMemory();
  const live: { at: number; size: number }[] = [];
  const apart = (at: number, size: number): boolean =>
    live.every((one) => at + size <= one.at || one.at + one.size <= at);
  const sizes = fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 40000 }));
  const step = fc.record({ size: sizes, drop: fc.nat() });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    for (const { size, drop } of steps) {
      const at = bench.hosted.call("malloc", size, 77, 0);
      if (at === 0 || !apart(at, size)) return false;
      live.push({ at, size });
      if (live.length > 20) bench.hosted.call("free", live.splice(drop % live.length, 1)[0].at, 77);
    }
    return true;
  }), { seed, numRuns: 30 });
  for (const { at } of live) bench.hosted.call("free", at, 77);
  t.equal(bench.hosted.get("Kmemstats", bench.hosted.call("malloc_stats", 77), "ks_memuse"), 0);
  t.throws(() => bench.hosted.call("free", 0xc0001000, 77), /free: addr 0xc0001000 not within kmem_map/);
  t.end();
});

const [SHARED, EXCLUSIVE, UPGRADE, DOWNGRADE, RELEASE, DRAIN] = [1, 2, 3, 5, 6, 7];
const [NOWAIT, CANRECURSE, RECURSEFAIL] = [0x10, 0x40, 0x200000];
const [EBUSY, EDEADLK] = [16, 11];

t.test("lockmgr", (t) => {
  const bench = new Bench();
  const lock = bench.put(new Uint8Array(64));
  const request = (flags: number): number => bench.hosted.call("lockmgr", lock, flags, 0);
  const fresh = (flags = 0): void => void bench.hosted.call("lockinit", lock, 20, bench.text("tstlck"), 0, flags);
  fresh();
  t.equal(request(SHARED), 0);
  t.equal(request(SHARED), 0, "shares add up");
  t.equal(request(EXCLUSIVE | NOWAIT), EBUSY, "no exclusive lock beside shares");
  t.throws(() => request(EXCLUSIVE), /the guest sleeps on .*tstlck/, "which is waited for otherwise");
  fresh();
  request(SHARED);
  t.equal(request(UPGRADE), 0, "the only share becomes exclusive");
  t.equal(bench.hosted.call("lockstatus", lock), EXCLUSIVE);
  t.equal(request(EXCLUSIVE | RECURSEFAIL), EDEADLK);
  t.throws(() => request(EXCLUSIVE), new GuestPanic("lockmgr: locking against myself"));
  fresh();
  request(EXCLUSIVE);
  t.equal(request(EXCLUSIVE | CANRECURSE), 0);
  t.equal(request(RELEASE), 0);
  t.equal(bench.hosted.call("lockstatus", lock), EXCLUSIVE, "as often as it was taken");
  t.equal(request(DOWNGRADE), 0);
  t.equal(bench.hosted.call("lockstatus", lock), SHARED);
  t.equal(request(RELEASE), 0);
  t.equal(bench.hosted.call("lockstatus", lock), 0);
  t.throws(() => request(RELEASE), new GuestPanic("lockmgr: release of unlocked lock!"));
  fresh();
  t.equal(request(DRAIN), 0);
  t.equal(request(RELEASE), 0);
  t.throws(() => request(SHARED), new GuestPanic("lockmgr: using decommissioned lock"));
  t.end();
});
