// Does the work go the way it is said to go? The host watches the processor while
// the kernel does the main job: every byte of the memory file system passes
// mfs_strategy, every file access namei, VOP_*, the buffer cache and strategy;
// without uvm_fault nothing works; every load of CR3 is a switch of address space
// or a flush; a kernel stack that overflows is told by the double-fault task.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import t from "tap";
import { absent, bootPtmap, bootQemu, comparable, type BootOptions, type Booted } from "../lib/boot.js";
import { workloadRoot } from "../lib/workload.js";
import { Guest } from "./guest.js";
import { emptyRoot, projectTree, rootImage } from "./roots.js";

const MFS_SIZE = 4 * 1024 * 1024;
const CYCLE = "init=/sbin/init ddb.lines=0";
const BUDGET = 8_000_000_000;
const MAP = fileURLToPath(new URL("../../../kernel.map", import.meta.url));
const B_READ = 0x00100000;
const root = workloadRoot("mfs-cycle", {
  WAY: "aobj", SIZE: MFS_SIZE / 512, BSIZE: 8192, FSIZE: 1024, MOUNTS: 1, TREE: "/dev/md1a",
});
const smallTree = rootImage(projectTree("docs", "vm"));
/** More than the buffer cache of SMALL_MEMORY holds, so that blocks are written and read again on the way. */
const largeTree = rootImage(projectTree("docs", "emu", "fs", "kernel", "vm"));
const SMALL_MEMORY = 24;
t.setTimeout(600_000);

const ended = (booted: Booted) => (booted.result.kind === "exit" ? booted.result.code : booted.result.kind);

type Watched = Booted & { readonly guest: Guest };

/** Boots with a look at the guest from its first instruction on. */
function bootWatched(options: BootOptions, watch: (guest: Guest) => void): Watched {
  let guest!: Guest;
  const booted = bootPtmap({
    root, images: [smallTree], maxCycles: BUDGET, ...options,
    prepare: (machine, symbols) => watch((guest = new Guest(machine, symbols))),
  });
  return { ...booted, guest };
}

/** The value of a `summary:` line. */
function summary(console: string, name: string): number {
  return Number(new RegExp(`^summary: ${name} (\\d+)$`, "m").exec(console)?.[1] ?? NaN);
}

t.test("the bytes of the memory file system pass mfs_strategy, and nothing else touches them", (t) => {
  const sums = { calls: 0, bytes: 0, readsThatDiffer: 0, reads: 0 };
  // What the file system must hold: its first contents and then each write; nothing where a block became free.
  let shadow: Uint8Array | undefined;
  let atUnmount: { shadow: Uint8Array; object: Uint8Array } | undefined;
  const options = { append: `${CYCLE} syncer=off`, images: [largeTree], memoryMB: SMALL_MEMORY };
  const { console, guest } = bootWatched(options, (guest) => {
    const reading = new Map<number, { offset: number; length: number }>();
    guest.watch("mfs_strategy", () => {
      const bp = guest.argument(0);
      const get = (name: string) => guest.get("Buf", name, bp);
      const [offset, length] = [get("b_blkno") * 512, get("b_bcount")];
      shadow ??= guest.contentsOf(guest.mfsObject(), MFS_SIZE).slice();
      sums.calls++;
      sums.bytes += length;
      if ((get("b_flags") & B_READ) !== 0) reading.set(bp, { offset, length });
      else shadow.set(guest.bytes(get("b_data"), length), offset);
    });
    guest.watch("mfs_release_blocks", () => {
      const offset = guest.argument(1) * 512;
      shadow!.fill(0, offset, offset + guest.argument(2));
    });
    guest.watch("biodone", () => {
      const bp = guest.argument(0);
      const request = reading.get(bp);
      if (request === undefined || !reading.delete(bp)) return;
      const data = guest.bytes(guest.get("Buf", "b_data", bp), request.length);
      sums.reads++;
      const expected = shadow!.subarray(request.offset, request.offset + request.length);
      if (Buffer.compare(data, expected) !== 0) sums.readsThatDiffer++;
    });
    guest.watch("sys_unmount", () => {
      atUnmount = { shadow: shadow!.slice(), object: guest.contentsOf(guest.mfsObject(), MFS_SIZE).slice() };
    });
  });
  t.equal(summary(console, "mfs_strategy_calls"), sums.calls, `${sums.calls} calls`);
  t.equal(summary(console, "mfs_strategy_bytes"), sums.bytes, `${sums.bytes} bytes`);
  const stats = guest.address("mfs_stats");
  t.equal(guest.get("MfsStats", "strategy", stats), sums.calls, "the guest's count at the end");
  t.equal(guest.get("MfsStats", "bytes", stats), sums.bytes);
  t.equal(guest.get("MfsStats", "reads", stats), sums.reads);
  t.ok(sums.reads > 0 && sums.bytes > 2 * summary(console, "bytes"), "all is written and, the cache being small, read again");
  t.equal(sums.readsThatDiffer, 0, "each read gives what was written");
  t.ok(atUnmount && Buffer.compare(atUnmount.shadow, atUnmount.object) === 0, "the object holds just the writes");
  t.end();
});

t.test("file traffic goes through namei, VOP_*, the buffer cache and strategy", (t) => {
  const LAYERS = [
    "VOP_LOOKUP", "VOP_READ", "VOP_READDIR", "VOP_SETATTR", "getblk", "bread", "bdwrite", "mdstrategy", "biodone", "uiomove", "ffs_balloc", "uvm_fault_wire",
  ];
  let counts: Record<string, number> = {};
  let written = 0;
  const lookups = new Map<string, number>();
  const writers = new Set<string>();
  // Calls of these by process: the shell makes and removes files of its own elsewhere.
  const made = new Map<string, number>();
  const MAKERS = ["VOP_CREATE", "VOP_MKDIR", "VOP_RENAME", "VOP_REMOVE"];
  let mfs = 0;
  const strategies = new Map<string, number>();
  const below = { mfs: 0, spec: 0, holes: 0, callers: new Set<string>() };
  const options = { append: `${CYCLE} syncer=off`, images: [largeTree], memoryMB: SMALL_MEMORY };
  const { console, guest } = bootWatched(options, (guest) => {
    counts = guest.count(LAYERS);
    guest.watch("namei", () => {
      const comm = guest.running()?.comm ?? "";
      lookups.set(comm, (lookups.get(comm) ?? 0) + 1);
    });
    for (const name of MAKERS) {
      guest.watch(name, () => {
        const key = `${name} by ${guest.running()?.comm}`;
        made.set(key, (made.get(key) ?? 0) + 1);
      });
    }
    guest.watch("mfs_mount", () => (mfs = guest.argument(0)));
    guest.watch("VOP_WRITE", () => {
      if (guest.get("Vnode", "v_mount", guest.argument(0)) !== mfs) return;
      written += guest.get("Uio", "uio_resid", guest.argument(1));
      writers.add(guest.running()?.comm ?? "");
    });
    // A block that a file does not have reads as zeros.
    guest.watch("clrbuf", () => void (guest.caller() === "ufs_strategy" && below.holes++));
    guest.watch("VOP_STRATEGY", () => {
      const caller = guest.caller();
      strategies.set(caller, (strategies.get(caller) ?? 0) + 1);
    });
    guest.watch("mfs_strategy", () => {
      below.mfs++;
      below.callers.add(guest.caller());
    });
    guest.watch("spec_strategy", () => void below.spec++);
  });
  const numbers = (line: RegExp) => line.exec(console)!.slice(1).map(Number) as [number, number, number];
  const [files, directories] = numbers(/copied (\d+) files, (\d+) directories/);
  const [renamed, truncated, removed] = numbers(/renamed (\d+), truncated (\d+), removed (\d+)/);
  const stat = (name: string) => guest.get("Bufstat", name, guest.address("bufstat"));
  for (const [name, count] of Object.entries(counts)) t.ok(count > 0, `${name}: ${count}`);
  t.ok(lookups.get("cp")! >= 3 * files + directories, "cp looks up each source twice and each target once");
  t.ok(lookups.get("diff")! > files && lookups.get("find")! > files && !lookups.has("sync"));
  t.equal(made.get("VOP_CREATE by cp"), files);
  t.ok(made.get("VOP_MKDIR by cp")! >= directories - 1);
  t.equal(made.get("VOP_RENAME by mv"), renamed);
  t.equal(made.get("VOP_REMOVE by rm"), removed);
  t.ok(counts.VOP_SETATTR! >= truncated);
  t.equal(written, summary(console, "bytes"), "VOP_WRITE was given each byte of the files once");
  t.same([...writers], ["cp"]);
  t.same([stat("done"), stat("strategies")], [counts.biodone, stat("readios") + stat("writeios")], "bufstat agrees");
  t.equal(strategies.get("bio_doread"), stat("readios"), `${stat("readios")} reads of the cache`);
  t.equal(strategies.get("bwrite"), stat("writeios"), `${stat("writeios")} writes of the cache`);
  const others = [...strategies.keys()].filter((name) => !["bio_doread", "bwrite", "readIndirect"].includes(name));
  t.same(others, [], "nobody else calls VOP_STRATEGY");
  const total = [...strategies.values()].reduce((sum, n) => sum + n, 0);
  t.equal(below.mfs + below.spec + below.holes, total, "each request of the cache reaches one device");
  t.same([...below.callers].sort(), ["VOP_STRATEGY", "ufs_strategy"]);
  t.equal(counts.mdstrategy, below.spec);
  t.ok(stat("reads") >= stat("readhits") && stat("delayed") > 0);
  t.end();
});

/** Code of `movl $5,%eax; ret`. */
const RETURN_5 = Uint8Array.of(0xb8, 5, 0, 0, 0, 0xc3);

/** When uvm_fault is taken away (at the first call of a function by a process), and what the console must show then. */
const WITHOUT_UVM_FAULT: readonly { from: string; by?: string; shows: RegExp; never: RegExp }[] = [
  { from: "main", shows: /^panic: fork init$/m, never: /^mfs-cycle:/m },
  {
    from: "mfs_mount",
    shows: /^uvm_fault\(0xc[0-9a-f]{7}, 0x[0-9a-f]+, 0, [13]\) -> 5\nfatal page fault in supervisor mode$/m,
    never: /^mfs-cycle:/m,
  },
  { from: "VOP_CREATE", by: "cp", shows: /^cp: .*: Bad address$/m, never: /^mfs-cycle: verified/m },
  { from: "VOP_RENAME", by: "mv", shows: /^mfs-cycle: verified/m, never: /^mfs-cycle: (renamed|after)/m },
];

t.test("without uvm_fault there is no main job", (t) => {
  for (const { from, by, shows, never } of WITHOUT_UVM_FAULT) {
    let faults = 0;
    const append = `${CYCLE} syncer=off ddb.onpanic=0`;
    const booted = bootWatched({ append, maxCycles: 400_000_000 }, (guest) => {
      guest.watch(from, () => {
        if (by !== undefined && guest.running()?.comm !== by) return;
        guest.machine.clearBreakpoint(guest.address(from));
        t.ok(guest.machine.writeLinear(guest.address("uvm_fault"), RETURN_5));
        guest.watch("uvm_fault", () => void faults++);
      });
    });
    t.not(ended(booted), 0, `not from ${from} on`);
    t.ok(faults > 0, `uvm_fault was called ${faults} times`);
    t.match(booted.console, shows);
    t.notMatch(booted.console, never);
  }
  t.end();
});

/** What happens with CR3 in a run. */
class Cr3Watch {
  /** Loads by the function that makes them. */
  readonly loads = new Map<string, number>();
  /** Processes that have run, by pid. */
  readonly ran = new Map<number, string>();
  readonly programs = new Set<string>();
  switches = 0;
  /** Switches that went to another address space. */
  changes = 0;
  /** Processes that ended. */
  ends = 0;
  /** Switches after which CR3 is not the new process's page directory. */
  wrong = 0;
  swtch = 0;
  #before = 0;

  constructor(guest: Guest) {
    const { cpu } = guest.machine;
    const load = (name: string) => () => void this.loads.set(name, (this.loads.get(name) ?? 0) + 1);
    // mov %reg,%cr3 is 0f 22 d8 to df. The first runs before there are pages, at its physical address.
    for (const at of guest.findCode([[0x0f, 0x0f], [0x22, 0x22], [0xd8, 0xdf]])) {
      guest.machine.setBreakpoint(at, load(guest.functionAt(at)));
      guest.machine.setBreakpoint(at - 0xc0000000, load(guest.functionAt(at)));
    }
    guest.watch("exit1", () => void this.ends++);
    guest.watch("cpu_switch", () => {
      this.swtch++;
      this.#before = cpu.cr3;
      this.note(guest);
    });
    guest.watch("switch_stack", () => {
      this.switches++;
      if (cpu.cr3 !== this.#before) this.changes++;
      if (cpu.cr3 !== guest.running()!.cr3) this.wrong++;
      this.note(guest);
    });
  }

  /** Looks at the running process; also to be called when it may have got another name, by exec. */
  note(guest: Guest): void {
    const { pid, comm } = guest.running()!;
    this.ran.set(pid, comm);
    this.programs.add(comm);
  }
}

/** Programs of the main job (but for reboot: nothing follows it, unless a tick does), and the processes that stay. */
const PROGRAMS = [
  "cat", "cksum", "cmp", "cp", "diff", "find", "grep", "head", "mount", "mount_mfs", "mv", "rm", "sh", "sync",
  "sysctl", "truncate", "umount", "wc",
];
const RESIDENT = ["swapper", "init", "pagedaemon", "ioflush"];

t.test("every load of CR3 is a switch to another process or a flush", (t) => {
  for (const cpu of ["i486", "i386"] as const) {
    let watch!: Cr3Watch;
    const booted = bootWatched({ append: CYCLE, cpu }, (guest) => (watch = new Cr3Watch(guest)));
    t.equal(ended(booted), 0);
    const total = [...watch.loads.values()].reduce((sum, n) => sum + n, 0);
    t.equal(total, booted.machine.counters().cr3Loads, `${cpu}: all ${total} loads are seen`);
    t.equal(watch.loads.get("start"), 2, "locore loads it twice");
    const { changes, switches, swtch } = watch;
    t.equal(watch.loads.get("cpu_switch"), changes, `${changes} of ${switches} switches change the space`);
    t.equal(watch.wrong, 0, "each process runs in its own space");
    t.equal(booted.guest.get("Uvmexp", "swtch", booted.guest.address("uvmexp")), swtch, "the kernel counts alike");
    const others = [...watch.loads.keys()].filter((name) => !["start", "cpu_switch"].includes(name)).sort();
    t.same(others, ["pmap_activate", "tlbflush"]);
    t.comment(`${cpu}: flushes ${watch.loads.get("tlbflush")}`);
    t.equal(watch.loads.get("pmap_activate"), watch.ends, `${watch.ends} processes leave their spaces`);
    t.ok(watch.ends > 20);
    watch.programs.delete("reboot");
    t.same([...watch.programs].sort(), [...PROGRAMS, ...RESIDENT].sort(), "who ran");
  }
  t.end();
});

t.test("DDB's ps lists the processes that ran and have not ended", (t) => {
  let watch!: Cr3Watch;
  const append = `${CYCLE} ddb.commandonenter="ps;reboot 4"`;
  const { console } = bootWatched({ append }, (guest) => {
    watch = new Cr3Watch(guest);
    guest.watch("syscall", () => watch.note(guest));
    // An int3 will stop sync in its system call.
    guest.watch("VOP_RENAME", () => void guest.machine.writeLinear(guest.address("sys_sync"), Uint8Array.of(0xcc)));
  });
  t.match(console, /^(Stopped|Breakpoint) in sync at\s+sys_sync/m);
  const rows = [...console.matchAll(/^([> ])(\d+) +-?\d+ +\d+ +\d+ \d +0x[0-9a-f]+ +(\S+)/gm)];
  const listed = new Map(rows.map(([, , pid, name]) => [Number(pid), name!]));
  t.same([...listed.values()].sort(), [...RESIDENT, "sh", "sh", "sync"].sort(), "rc, the workload and its child");
  for (const [pid, name] of listed) t.equal(watch.ran.get(pid), name, `${name} (${pid}) has run`);
  t.equal(rows.find(([, mark]) => mark === ">")?.[3], "sync");
  const gone = new Set([...watch.ran].filter(([pid]) => !listed.has(pid)).map(([, name]) => name));
  for (const name of ["mount_mfs", "cp", "diff", "mv", "rm"]) t.ok(gone.has(name), `${name} has ended`);
  t.end();
});

t.test("two runs are equal to the cycle, on both models", (t) => {
  for (const cpu of ["i486", "i386"] as const) {
    const run = () => bootPtmap({ append: CYCLE, root, images: [smallTree], cpu, maxCycles: BUDGET });
    const [one, other] = [run(), run()];
    t.equal(ended(one), 0);
    t.equal(one.console, other.console);
    t.same(one.machine.counters(), other.machine.counters(), `${cpu}: ${one.machine.cycles} cycles`);
    t.ok(Buffer.compare(one.machine.ram, other.machine.ram) === 0, "memory");
    if (cpu === "i386") t.equal(one.machine.counters().invlpg, 0, "the i386 has no invlpg");
  }
  t.end();
});

t.test("the build reports frames and the deepest path of calls", (t) => {
  const map = readFileSync(MAP, "utf8");
  const depth = Number(/^deepest chain of direct calls: (\d+) bytes$/m.exec(map)?.[1]);
  const chain = map.slice(map.indexOf("deepest chain"), map.indexOf("largest frames:"));
  const frames = [...chain.matchAll(/^ +(\d+) {2}\w+/gm)].map(([, size]) => Number(size));
  t.ok(frames.length > 5, `${frames.length} functions deep`);
  t.equal(frames.reduce((sum, size) => sum + size, 0), depth, `${depth} bytes`);
  t.ok(depth < 8192 - 512, "the u-area holds it");
  t.match(map, /^largest frames:\n( +\d+ {2}\S+.*\n){10}/m);
  t.match(map, /^recursive calls: .*overflow_recurse -> overflow_recurse/m, "recursion is told");
  t.end();
});

/** What the console shows of an overflow, without and with DDB. */
const OVERFLOWS: readonly { append: string; lines: readonly RegExp[] }[] = [
  {
    append: "init=overflow syncer=off ddb.onpanic=0",
    lines: [
      /^fatal double fault in supervisor mode\ntrap type 13 code 0 eip c01\w+ cs 8 eflags \w+ cr2 c[0-9a-f]{7} /m,
      /^panic: double fault\nrebooting\.\.\.\n$/m,
    ],
  },
  {
    append: 'init=overflow syncer=off ddb.lines=0 ddb.commandonenter="trace 0;trace;ps;reboot 4"',
    lines: [
      /^kernel: double fault trap, code=0\nStopped in overflow at {2}overflow_recurse\+0x[0-9a-f]+: +\w+/m,
      // A command that faults ends; it does not find the handler that the overflow has run over.
      /^db> trace 0\nuvm_fault\(0xc[0-9a-f]{7}, 0x0, 0, 1\) -> 1\nkernel: page fault trap, code=0\nFaulted in DDB; /m,
      /^overflow_recurse\(1\) at .*\noverflow_recurse\(0\) at .*\noverflow_main\(0\) at .*\nproc_start\(/m,
      /^>\d+ .* overflow$/m,
    ],
  },
];

t.test("a kernel stack that overflows is told by the double-fault task", (t) => {
  const told = /^kernel stack of overflow \(pid \d+\) overflowed: esp (0xc[0-9a-f]{7}), u-area (0xc[0-9a-f]{4}000)$/m;
  for (const { append, lines } of OVERFLOWS) {
    for (const cpu of ["i486", "i386"] as const) {
      const booted = bootPtmap({ append, root: emptyRoot, cpu, maxCycles: BUDGET });
      t.equal(ended(booted), 1, `${cpu}: ${append}`);
      const [, esp, uarea] = told.exec(booted.console) ?? [];
      t.ok(Number(esp) < Number(uarea) && Number(esp) >= Number(uarea) - 4096, "esp is in the guard page");
      for (const line of lines) t.match(booted.console, line);
      t.equal(booted.machine.counters().taskSwitches, 1, "by one task switch");
    }
  }
  t.end();
});

t.test("QEMU tells of an overflow alike", { skip: absent("qemu-system-i386") }, (t) => {
  for (const { append } of OVERFLOWS) {
    const here = bootPtmap({ append, root: emptyRoot, maxCycles: BUDGET });
    t.equal(comparable(bootQemu({ append, root: emptyRoot }).console), comparable(here.console), append);
  }
  t.end();
});
