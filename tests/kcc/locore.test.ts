// locore, tried from inside: tests/fixtures/locore_check.ts is a kernel that
// compares every copy with a byte loop, faults inside copies, and switches stacks.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { encodeElf } from "../../tools/kcc/elf.js";
import { compileKernel } from "../../tools/kcc/kernel.js";
import { runQemu, skipWithout } from "./tools.js";

const ENTRIES = [
  "tests/fixtures/locore_check.ts", "kernel/i386/pcb.ts", "kernel/i386/frame.ts", "kernel/sys/param.ts", "kernel/sys/errno.ts",
];

t.test("locore's copies, faults, switches and frames are right", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const { messages, image } = await compileKernel({ entries: ENTRIES });
  t.same(messages, []);
  if (image === undefined) return;
  const kernel = join(folder, "locore.elf");
  writeFileSync(kernel, encodeElf(image));

  for (const cpu of ["486", "pentium3"]) {
    t.test(`on QEMU as a ${cpu}`, { skip: skipWithout("qemu-system-i386") }, (t) => {
      const { output, status } = runQemu(kernel, ["-cpu", cpu]);
      t.equal(output.replaceAll("\r", ""), "done\n");
      t.equal(status, 1);
      t.end();
    });
  }
});
