// UVM on the machine: the program uvmtest, whose process shows an object in
// kernel_map window by window, on ptmap and on QEMU; each of its four mistakes
// with and without its repair.
import t from "tap";
import { makeImage } from "../../tools/ffs/index.js";
import { absent, bootPtmap, bootQemu, comparable } from "../lib/boot.js";

const root = makeImage({ tree: { kind: "directory", mode: 0o755, mtime: 0, children: [] } });
const DDB = "ddb.commandonenter=trace;reboot";

function append(script: string, repair: string, more = ""): string {
  return `init=uvmtest script=${script} repair=${repair} ${more} ${DDB}`.replace(/ +/g, " ");
}

function run(script: string, repair = "", more = ""): { lines: string[]; console: string } {
  const { console } = bootPtmap({ append: append(script, repair, more), root });
  return { console, lines: console.split("\n") };
}

/** The line that the program ends with, without the count of requests; or the first line of its death. */
function ending(console: string): string {
  const done = /^uvmtest: \d+ requests done: (.*)$/m.exec(console);
  if (done) return done[1]!;
  const death = /^(panic: .*|uvm_fault\(.*)$/m.exec(console)?.[0] ?? "neither end nor death";
  return death.replace(/\(0x[0-9a-f]+, /, "(MAP, ");
}

t.test("two adjacent requests kill the kernel as the mail tells", (t) => {
  const { console, lines } = run("32K,40K");
  const first = lines.findIndex((line) => line.startsWith("uvm_fault("));
  const map = /\((0x[0-9a-f]+)/.exec(lines[first] ?? "")?.[1];
  t.same(lines.slice(first, first + 4), [
    `uvm_fault(${map}, 0x0, 0, 1) -> 1`,
    "kernel: page fault trap, code=0",
    `Stopped in uvmtest at   0:uvm_fault(${map}, 0xbfc00000, 0, 1) -> 1`,
    "      kernel: page fault trap, code=0",
  ]);
  t.match(lines[first + 4], /^Stopped in uvmtest at {3}db_disasm\+0x[0-9a-f]+:\s+movl {4}PTmap\(%e\w\w\),%e\w\w$/);
  t.equal(lines.filter((line) => line.startsWith("uvmtest: offset")).length, 1, "the second request is never done");
  t.match(console, /--- trap \(number 6\) ---\n\(null\)\([0-9a-f]+,[0-9a-f]+,2,3\) at 0\nuvm_fault_wire\(/);
  t.match(console, /at uvm_fault_wire\+0x[0-9a-f]+\nuvmtest_strategy\(a000,2000\)/);
  t.end();
});

t.test("the same requests in reverse leak entries, addresses and wirings", (t) => {
  const { console } = run("40K,32K");
  const requests = console.matchAll(/, (0x[0-9a-f]+) further; (\d+) entries, (\d+) references/g);
  t.same([...requests].map((match) => match.slice(1)), [["0x10000", "1", "1"], ["0x2000", "2", "1"]]);
  t.equal(ending(console), "2 entries, 4 pages of kernel_map and 4 wired pages kept, 1 references, 0 mismatches");
  t.end();
});

const call0 = "uvm_fault(MAP, 0x0, 0, 1) -> 1";
const kept = (entries: number, pages: number, wired: number, refs: number): string =>
  `${entries} entries, ${pages} pages of kernel_map and ${wired} wired pages kept, ${refs} references, 0 mismatches`;

for (const others of ["", "unwire", "offset", "unwire,offset"]) {
  const wired = others.includes("unwire") ? 0 : 100;
  const rows: [string, string, string][] = [
    ["", call0, kept(50, 100, wired, 1)],
    ["ref", kept(1, 100, wired, 2), kept(50, 100, wired, 51)],
    ["end", call0, call0],
    ["end,ref", kept(0, 0, wired, 1), kept(0, 0, wired, 1)],
  ];
  for (const [repair, upwards, downwards] of rows) {
    const list = [repair, others].filter((one) => one !== "").join(",");
    t.test(`fifty requests, repaired ${list || "nothing"}`, (t) => {
      t.equal(ending(run("0-392K", list).console), upwards, "ascending");
      t.equal(ending(run("392K-0", list).console), downwards, "descending");
      t.end();
    });
  }
}

t.test("with references alone a thousand windows use up the static entries", (t) => {
  t.equal(ending(run("8184K-0", "ref").console), "panic: mapent_alloc: out of static map entries, check MAX_KMAPENT");
  t.end();
});

t.test("requests inside a page touch what they should only with the offset repaired", (t) => {
  t.equal(ending(run("5K,64K", "end,ref,unwire,offset", "request=1K").console), kept(0, 0, 0, 1));
  t.end();
});

t.test("with junk in fresh pool pages the kernel jumps to the junk", (t) => {
  t.equal(ending(run("32K,40K", "", "pool.fresh=junk:0x12345678").console), "uvm_fault(MAP, 0x12345000, 0, 1) -> 1");
  t.end();
});

t.test("QEMU shows the same", { skip: absent("qemu-system-i386") }, (t) => {
  for (const [script, repair] of [["32K,40K", ""], ["40K,32K", ""], ["0-392K", "end,ref,unwire,offset"]] as const) {
    const { console } = bootQemu({ append: append(script, repair), root });
    t.equal(comparable(console), comparable(run(script, repair).console), `${script}, repaired ${repair || "nothing"}`);
  }
  t.end();
});
