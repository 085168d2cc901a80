// Shortage of memory as programs meet it: the workload `shortage` (each row of docs/shortage.md), memory file systems
// larger than memory, errors of writes in the background, and the workload `pager` (files larger than memory).
// With PTMAP_LONG=1 on machines of all sizes.
import t from "tap";
import { MemoryDisk } from "../../emu/index.js";
import { SHORTAGE_CASES } from "../../tools/cli/workloads.js";
import { absent, bootPtmap, bootQemu, comparable, type BootOptions } from "../lib/boot.js";
import { SCRIPT_ARGS, scriptRoot, withoutFigures, workloadRoot } from "../lib/workload.js";

t.setTimeout(1_200_000);

const MB = 1024 * 1024;
const LONG = process.env["PTMAP_LONG"] === "1";
const noQemu = absent("qemu-system-i386");
const SIZES = LONG ? [8, 16, 64] : [8];
const BUDGET = 60_000_000_000;
const APPEND = `${SCRIPT_ARGS} ddb.lines=0`;

const lines = (console: string, prefix: string): string[] =>
  console.split("\n").filter((line) => line.startsWith(prefix));

const shortage = (memoryMB: number, cases: readonly string[]): BootOptions => ({
  append: APPEND, memoryMB, disk: new Uint8Array(4 * MB), maxCycles: BUDGET,
  root: workloadRoot("shortage", { CASES: cases.join(" "), FILE: "/mnt/file", DISK: "/dev/rwd0a" }, MB / 4),
});

/** Who waits in vain in each case, by the name of the wait, and whether somebody is killed. */
const WAITS: Readonly<Record<string, { readonly waits: readonly string[]; readonly kills: boolean }>> = {
  anon: { waits: ["flt_noram5"], kills: false },
  aobj: { waits: ["uao_getpage"], kills: false },
  copy: { waits: ["flt_noram3"], kills: true },
  killed: { waits: ["flt_noram5"], kills: true },
  amap: { waits: ["flt_noram5"], kills: false },
  read: { waits: ["flt_noram5"], kills: false },
  full: { waits: [], kills: false },
  pagetable: { waits: ["flt_noram5", "flt_pmfail2"], kills: false },
  fork: { waits: ["flt_noram5", "cownowpage"], kills: false },
  kernel: { waits: ["flt_noram5", "km_getwait2"], kills: true },
  other: { waits: ["flt_noram5", "km_getwait2"], kills: true },
  limits: { waits: [], kills: false },
};

t.same(Object.keys(WAITS).sort(), [...SHORTAGE_CASES].sort(), "every case is here");

for (const memoryMB of SIZES) {
  t.test(`who wants memory and there is none, with ${memoryMB} MB`, (t) => {
    const { console, result } = bootPtmap(shortage(memoryMB, SHORTAGE_CASES));
    t.same(lines(console, "shortage: "), SHORTAGE_CASES.map((name) => `shortage: ${name}: ok`));
    t.match(result, { kind: "exit", code: 0 });
    // What the console tells between the end of one case and of the next.
    const parts = console.split(/^shortage: \w+: ok$/m);
    for (const [i, name] of SHORTAGE_CASES.entries()) {
      const { waits, kills } = WAITS[name]!;
      const told = [...parts[i]!.matchAll(/waits for memory \((\w+)\)/g)].map((match) => match[1]!);
      t.same([...new Set(told)], waits, `${name}: nobody waits without a word`);
      t.equal(/killed: out of swap/.test(parts[i]!), kills, `${name}: killed ${kills ? "" : "nobody"}`);
    }
    t.end();
  });
}

t.test("QEMU shows the same of a shortage", { skip: noQemu }, (t) => {
  // Without the cases in which it depends on the time of interrupts who is first to want a page.
  const options = shortage(8, ["anon", "aobj", "full", "fork", "limits"]);
  const { console } = bootQemu(options);
  t.equal(withoutFigures(console).slice(console.indexOf("shortage: ")),
    withoutFigures(bootPtmap(options).console).slice(console.indexOf("shortage: ")));
  t.end();
});

const WAYS = ["aobj", "window=2", "direct", "process", "uvm_io"] as const;

/** Fills a memory file system twice as large as memory, twice; what was there before stays whole. */
const LARGER = `
mount_mfs -s $SIZE -o $WAY swap /mnt || exit 1
cp /bin/ls /mnt/before || exit 1
for round in 1 2
do
	dd if=/dev/zero of=/mnt/zeros bs=4k 2>/tmp/said && exit 1
	tail -1 /tmp/said
	cat /tmp/said | grep -q 'No space left on device' || exit 2
	cp /bin/ls /mnt/after 2>/dev/null && exit 3
	sync
	cmp /bin/ls /mnt/before || exit 4
	rm /mnt/zeros /mnt/after
	cp /bin/ls /mnt/after || exit 5
	cmp /bin/ls /mnt/after || exit 6
	rm /mnt/after
done
umount /mnt || exit 7
echo larger: done
`;

for (const memoryMB of SIZES) {
  for (const way of WAYS) {
    t.test(`a memory file system larger than ${memoryMB} MB of memory, way ${way}`, (t) => {
      const root = scriptRoot(LARGER, { WAY: way, SIZE: memoryMB * 4096 }, MB / 4);
      const { console, result } = bootPtmap({ append: APPEND, root, memoryMB, maxCycles: BUDGET });
      t.match(result, { kind: "exit", code: 0 }, "the script ends well, and the kernel's structures are whole");
      t.match(console, "\nlarger: done\n");
      t.equal(lines(console, "uid 0 on /mnt: no memory left").length > 0, true, "the writer is told why");
      t.equal(lines(console, "uid 0 on /mnt: ").length <= 8, true, "in few words");
      t.same(lines(console, "pagedaemon: "), [], "nobody waits in vain");
      const written = lines(console, "").flatMap((line) => /^(\d+) bytes transferred/.exec(line)?.[1] ?? []).map(Number);
      t.equal(written.length, 2);
      t.ok(written[0]! > memoryMB * MB / 8, `${written[0]} bytes fit`);
      t.ok(written[1]! > written[0]! * 0.95, `and when they are removed ${written[1]} bytes again`);
      t.end();
    });
  }
}

/** First sector of what the file system of WORN has for the contents of files, behind the root directory. */
const CONTENTS = 338;

/** A disk that refuses to write contents of files once a sector that begins with "wear" was written to it. */
class WornDisk extends MemoryDisk {
  #worn = false;

  override write(sector: number, data: Uint8Array): boolean {
    if (this.#worn && sector >= CONTENTS) return false;
    this.#worn ||= Buffer.from(data.subarray(0, 4)).toString() === "wear";
    return super.write(sector, data);
  }
}

const WORN = `
newfs -s 8192 /dev/rwd0a >/dev/null && mount /dev/wd0a /mnt || exit 1
dd if=/bin/sh of=/mnt/good bs=8k conv=fsync 2>/dev/null || exit 2
sync
echo wear >/mnt/wear
sync
dd if=/bin/sh of=/mnt/synced bs=8k conv=fsync 2>&1 | grep '^dd'
(dd if=/bin/sh bs=8k count=2; sync; sleep 1; dd if=/bin/sh bs=8k count=2) 2>&1 >/mnt/written | grep '^dd'
cp /bin/sh /mnt/forgotten
umount /mnt
echo "umount: $?"
umount -f /mnt
echo "umount -f: $?"
exit 0
`;

t.test("an error of a write in the background reaches who can be told", (t) => {
  const disk = new WornDisk(new Uint8Array(4 * MB));
  const options = { append: APPEND, root: scriptRoot(WORN, {}, MB / 4), memoryMB: 16, maxCycles: BUDGET };
  const { console } = bootPtmap({ ...options, ownDisk: disk });
  t.match(console, "dd: /mnt/synced: Input/output error", "fsync");
  t.match(console, "dd: stdout: Input/output error", "write");
  t.match(console, /umount: [1-9]/, "the file system stays while it has what it could not write");
  t.match(console, "umount -f: 0", "unless it is forced");
  t.notMatch(console, /panic/);
  t.end();
});

const pager = (memoryMB: number, share: number): BootOptions => ({
  append: APPEND, memoryMB, maxCycles: BUDGET, disk: new Uint8Array(Math.ceil((memoryMB + 1) * 1.1 + 3) * MB),
  root: workloadRoot("pager", {
    DISK: "/dev/rwd0a", PAGES: (memoryMB + 1) * 256, MFS_PAGES: memoryMB * share, WAY: "aobj",
    SIZE: (memoryMB / 4 + 1) * 2048, BSIZE: 8192, FSIZE: 1024,
  }, MB / 4),
});

for (const memoryMB of LONG ? [8, 16, 64] : [8]) {
  t.test(`mapped files larger than ${memoryMB} MB of memory`, (t) => {
    const { console, result } = bootPtmap(pager(memoryMB, 32));
    t.same(lines(console, "pager: "), ["pager: ffs: ok", "pager: mfs: ok"]);
    t.match(result, { kind: "exit", code: 0 });
    t.end();
  });
}

t.test("QEMU shows the same of mapped files", { skip: noQemu || !LONG }, (t) => {
  const { console, status } = bootQemu(pager(8, 32), 600_000);
  t.same(lines(console, "pager: "), ["pager: ffs: ok", "pager: mfs: ok"]);
  t.equal(status, 1);
  t.ok(comparable(console).length > 0);
  t.end();
});
