// UVM on the machine as programs use it: vmtest (copy-on-write, mappings of files,
// one cache or two, other processes' memory, the errors) and shortage (what the kernel
// can have when memory is short), on ptmap and on QEMU. Every case checks the laws of
// memory and that nothing is lost when it is over.
import t from "tap";
import { makeImage } from "../../tools/ffs/index.js";
import { absent, bootPtmap, bootQemu, comparable, type BootOptions } from "../lib/boot.js";

t.setTimeout(600_000);

const tree = { kind: "directory" as const, mode: 0o755, mtime: 0, children: [] };
const root = makeImage({ size: 4 << 20, tree });
const disk = makeImage({ size: 24 << 20, tree });
const DDB = "ddb.commandonenter=trace;reboot";

const cases = (console: string, program: string): string[] =>
  console.split("\n").filter((line) => line.startsWith(`${program}: `));

const VMTEST = ["cow", "unmap", "brk", "errors", "caches", "file", "truncate", "self", "io", "device"];
const agree = (yes: string): string =>
  `vmtest: read sees what a mapping wrote: ${yes}; a mapping sees what write wrote: ${yes}`;

const vmtest = (more = ""): BootOptions => ({ append: `init=vmtest ${more}${DDB}`, root, memoryMB: 16 });
const shortage: BootOptions = { append: `init=shortage root=wd0a ${DDB}`, disk, memoryMB: 8 };

for (const cpu of ["i386", "i486"] as const) {
  t.test(`vmtest on ${cpu}`, (t) => {
    const lines = cases(bootPtmap({ ...vmtest(), cpu }).console, "vmtest");
    t.same(lines, VMTEST.flatMap((name) => [...(name === "caches" ? [agree("yes")] : []), `vmtest: ${name}: ok`]));
    t.end();
  });
}

t.test("with ubc=off a mapping and read and write have caches of their own", (t) => {
  const lines = cases(bootPtmap(vmtest("ubc=off ")).console, "vmtest");
  t.same(lines.filter((line) => !line.endsWith(": ok")), [agree("no")]);
  t.equal(lines.length, 8);
  t.end();
});

t.test("the kernel allocates without sleeping while a process has all memory", (t) => {
  t.same(cases(bootPtmap(shortage).console, "shortage"), ["shortage: kernel: ok"]);
  t.end();
});

t.test("QEMU shows the same", { skip: absent("qemu-system-i386") }, (t) => {
  t.equal(comparable(bootQemu(vmtest()).console), comparable(bootPtmap(vmtest()).console), "vmtest");
  t.same(cases(bootQemu(shortage).console, "shortage"), ["shortage: kernel: ok"]);
  t.end();
});
