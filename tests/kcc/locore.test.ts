// locore, tried from inside: tests/fixtures/locore_check.ts is a kernel that
// compares every copy with a byte loop, faults inside copies, and switches stacks.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { Machine } from "../../emu/index.js";
import { encodeElf } from "../../tools/kcc/elf.js";
import { compileKernel } from "../../tools/kcc/kernel.js";
import { runQemu, skipWithout } from "./tools.js";

const ENTRIES = [
  "tests/fixtures/locore_check.ts",
  ...["kernel/i386/pcb.ts", "kernel/i386/frame.ts", "kernel/i386/sigframe.ts", "kernel/sys/param.ts", "kernel/sys/errno.ts"],
];

t.test("locore's copies, faults, switches and frames are right", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const { messages, image } = await compileKernel({ entries: ENTRIES });
  t.same(messages, []);
  if (image === undefined) return;
  const bytes = encodeElf(image);
  for (const cpu of ["i386", "i486"] as const) {
    t.test(`on ptmap as an ${cpu}`, (t) => {
      let output = "";
      const machine = new Machine({
        ...{ memorySize: 16 << 20, cpu, timing: "model" },
        onSerialOutput: (byte) => void (output += String.fromCharCode(byte)),
      });
      machine.loadMultiboot({ kernel: bytes, kernelName: "locore.elf", append: "", modules: [] });
      const result = machine.run({ maxCycles: 100_000_000 });
      t.equal(output.replaceAll("\r", ""), "done\n");
      t.match(result, { kind: "exit", code: 0 });
      t.end();
    });
  }

  const kernel = join(folder, "locore.elf");
  writeFileSync(kernel, bytes);

  for (const cpu of ["486", "pentium3"]) {
    t.test(`on QEMU as a ${cpu}`, { skip: skipWithout("qemu-system-i386") }, (t) => {
      const { output, status } = runQemu(kernel, ["-cpu", cpu]);
      t.equal(output.replaceAll("\r", ""), "done\n");
      t.equal(status, 1);
      t.end();
    });
  }
});
