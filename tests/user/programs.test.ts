// The programs of user space on our kernel: scripts by a table, all in one boot.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { withSystem } from "../../tools/cli/system.js";
import { fsck, makeImage } from "../../tools/ffs/index.js";
import { PROJECT_ROOT } from "../../tools/kcc/asc.js";
import { bootPtmap } from "../lib/boot.js";
import { KERNEL_CASES } from "../kernel/shell_cases.js";
import { PROGRAM_CASES, type ProgramCase } from "./program_cases.js";

const MB = 1024 * 1024;
const CASES = [...PROGRAM_CASES, ...KERNEL_CASES];

/** What a case's output has to match. */
function expectation(output: ProgramCase["output"]): RegExp {
  if (output instanceof RegExp) return output;
  const pattern = output.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/ *\\{n\\}/g, " *\\d+");
  return new RegExp(`^${pattern}$`);
}

t.test("programs print and end as the table says", (t) => {
  const files = Object.fromEntries(CASES.map(({ script }, at) => [`case${at}`, script]));
  const rc = "mount -u /\n" + CASES.map((_, at) => (
    `mkdir /tmp/${at}; cd /tmp/${at}; sh /etc/case${at} 2>&1; echo "[case ${at} $?]"\n`)).join("") + "reboot\n";
  const tree = withSystem({ kind: "directory", mode: 0o755, mtime: 0, children: [] }, { ...files, rc });
  const { console, result, disk } = bootPtmap({
    append: "init=/sbin/init syncer=off", root: makeImage({ tree, free: 4 * MB }), disk: new Uint8Array(20 * MB).fill(0xff),
    timing: "none", maxCycles: 4e9,
  });
  t.equal(result.kind, "exit", "the machine ends");
  let rest = console.slice(console.indexOf("root file system type"));
  rest = rest.slice(rest.indexOf("\n") + 1);
  CASES.forEach(({ title, output, status }, at) => {
    const mark = new RegExp(`\\[case ${at} (\\d+)\\]\n`).exec(rest);
    t.match(rest.slice(0, mark?.index ?? 0), expectation(output), title);
    t.equal(Number(mark?.[1] ?? -1), status ?? 0, `${title}: status`);
    rest = rest.slice((mark?.index ?? 0) + (mark?.[0].length ?? 0));
  });
  t.same(fsck(disk!.bytes), [], "the disk that newfs made is clean");
  t.end();
});

t.test("sysctl knows the fields of uvmexp in their order", (t) => {
  const layouts = JSON.parse(readFileSync(join(PROJECT_ROOT, "build/kernel.layouts.json"), "utf8")) as Record<
    string, { readonly fields: readonly { readonly name: string }[] } | undefined>;
  const source = readFileSync(join(PROJECT_ROOT, "kernel/user/lib/sysctl.ts"), "utf8");
  const words = /vm\.uvmexp 2\.3 words:([^\\]*)\\n/.exec(source)?.[1]?.replace(/"\s*\+\s*"/g, "").split(",");
  t.same(words, layouts.Uvmexp?.fields.map(({ name }) => name));
  t.end();
});
