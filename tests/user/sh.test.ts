// The programs of user space: the shell's language by a table, each case by a
// process of this computer (linux_shim.c performs the system calls) and by our
// own kernel; and the form of the executables.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { buildPrograms } from "../../tools/kcc/user.js";
import { declarations, DECLARATIONS_FILE } from "../../tools/kcc/user_calls.js";
import { PROJECT_ROOT } from "../../tools/kcc/asc.js";
import { PROGRAMS } from "../../tools/cli/paths.js";
import { withSystem } from "../../tools/cli/system.js";
import { makeImage } from "../../tools/ffs/index.js";
import { absent, bootPtmap } from "../lib/boot.js";
import { SHELL_CASES } from "./sh_cases.js";
import { buildShim } from "./shim.js";

const MB = 1024 * 1024;

t.test("scripts print and end as the table says, on this computer", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "user-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const { path, reason } = buildShim(folder);
  if (reason !== false) {
    t.comment(reason);
    return t.end();
  }
  SHELL_CASES.forEach(({ title, script, output, status }, at) => {
    const cwd = join(folder, `case${at}`);
    mkdirSync(cwd);
    const run = spawnSync(path, [join(PROGRAMS, "sh"), "sh", "-c", script], {
      cwd, encoding: "utf8", env: { PATH: PROGRAMS, HOME: "/" }, timeout: 20_000,
    });
    t.same({ output: run.stdout, status: run.status }, { output, status: status ?? 0 }, title);
  });
  t.end();
});

t.test("the same on our kernel", (t) => {
  const files = Object.fromEntries(SHELL_CASES.map(({ script }, at) => [`case${at}`, script]));
  const rc = "mount -u /\n" + SHELL_CASES.map((_, at) => (
    `mkdir /tmp/${at}; cd /tmp/${at}; sh /etc/case${at} 2>/dev/null; echo "[case ${at} $?]"\n`)).join("") + "reboot\n";
  const tree = withSystem({ kind: "directory", mode: 0o755, mtime: 0, children: [] }, { ...files, rc });
  const root = makeImage({ tree, free: 4 * MB });
  const { console, result } = bootPtmap({ append: "init=/sbin/init syncer=off", root, timing: "none", maxCycles: 4e9 });
  t.equal(result.kind, "exit", "the machine ends");
  let rest = console.slice(console.indexOf("root file system type"));
  rest = rest.slice(rest.indexOf("\n") + 1);
  SHELL_CASES.forEach(({ title, output, status }, at) => {
    const mark = new RegExp(`\\[case ${at} (\\d+)\\]\n`).exec(rest);
    const shown = { output: rest.slice(0, mark?.index ?? 0), status: Number(mark?.[1] ?? -1) };
    t.same(shown, { output, status: status ?? 0 }, title);
    rest = rest.slice((mark?.index ?? 0) + (mark?.[0].length ?? 0));
  });
  t.end();
});

t.test("executables are static, for i386, at their addresses", { skip: absent("readelf") }, (t) => {
  for (const name of readdirSync(PROGRAMS)) {
    const text = execFileSync("readelf", ["-hlW", join(PROGRAMS, name)], { encoding: "utf8" });
    t.match(text, /Type:\s+EXEC[^]*Machine:\s+Intel 80386[^]*Entry point address:\s+0x8048000/, name);
    t.match(text, /LOAD\s+0x001000 0x08048000 0x08048000 \w+ \w+ R E 0x1000\n\s+LOAD\s+\w+ 0x081/, `${name}: text, then data`);
    t.notMatch(text, /INTERP|DYNAMIC/, `${name}: no interpreter`);
  }
  t.end();
});

t.test("the declarations of system calls are made of the table", (t) => {
  t.equal(readFileSync(join(PROJECT_ROOT, DECLARATIONS_FILE), "utf8"), declarations());
  t.end();
});

t.test("a program that uses a privileged instruction is refused, with its line", async (t) => {
  const overlay = new Map([["kernel/user/bin/evil.ts",
    'import { hlt } from "../../i386/cpufunc";\nexport function main(argc: i32, argv: usize, envp: usize): i32 {\n  hlt();\n  return 0;\n}\n']]);
  const { messages, programs } = await buildPrograms(["kernel/user/bin/evil.ts"], overlay);
  t.same(messages, ["kernel/user/bin/evil.ts:3: main uses hlt, a privileged instruction; ask the kernel by a system call"]);
  t.equal(programs.size, 0);
});
