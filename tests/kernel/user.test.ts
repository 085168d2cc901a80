// User mode: system calls tried from inside by the program of tests/kernel/user as process 1, on both models and
// on QEMU, and a conversation with the terminal.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import t, { type Test } from "tap";
import { Machine } from "../../emu/index.js";
import { FfsImage } from "../../tools/ffs/index.js";
import { PROJECT_ROOT } from "../../tools/kcc/asc.js";
import { generatedFiles } from "../../tools/kcc/syscalls.js";
import { absent, bootPtmap, bootQemu, kernelImage } from "../lib/boot.js";
import { testSources, userRoot, withoutCompiler } from "./user_root.js";

t.setTimeout(300_000);

const BUDGET = 8_000_000_000;
const APPEND = 'init=/usertest syncer=off ddb.lines=0 ddb.commandonenter="trace;ps;reboot 4"';
/** The cases in the tables of the test program's sources. */
const CASES = testSources().flatMap(({ path }) => casesOf(basename(path)));

t.test("the files made of kernel/syscalls.master are up to date", (t) => {
  for (const [file, text] of generatedFiles()) {
    t.equal(readFileSync(join(PROJECT_ROOT, file), "utf8"), text, `${file}: run node build/host/tools/kcc/syscalls.js`);
  }
  t.end();
});

const skip = withoutCompiler();
const root = skip === false ? userRoot() : undefined;

/** The cases of one source. */
function casesOf(name: string): string[] {
  const { text } = testSources().find(({ path }) => path.endsWith(`/${name}`))!;
  return [...text.matchAll(/\{"([^"]+)", t_\w+\}/g)].map((match) => match[1]!);
}

function checkCases(t: Test, console: string): void {
  for (const name of CASES) t.match(console, `\n${name}: ok\n`, name);
  t.match(console, "\n0 failures\n");
  t.match(console, "The operating system has halted.");
}

t.test("every system call test passes in user mode", { skip }, (t) => {
  t.ok(CASES.length > 15, "the cases are found");
  for (const cpu of ["i486", "i386"] as const) {
    t.test(`on ptmap as an ${cpu}`, (t) => {
      const { console, result } = bootPtmap({ append: APPEND, root, cpu, memoryMB: 32, maxCycles: BUDGET });
      checkCases(t, console);
      t.match(result, { kind: "exit", code: 0 });
      t.end();
    });
  }
  t.test("on ptmap as an i386 with an 80387, whose errors are interrupts", (t) => {
    const append = APPEND.replace("/usertest", "/fpu");
    const { console } = bootPtmap({ append, root, cpu: "i386", coprocessor: true, memoryMB: 16, maxCycles: BUDGET });
    for (const name of casesOf("fpu.c")) t.match(console, `\n${name}: ok\n`, name);
    t.end();
  });
  t.test("on QEMU", { skip: absent("qemu-system-i386") }, (t) => {
    const { console, status } = bootQemu({ append: APPEND, root, memoryMB: 32 });
    checkCases(t, console);
    t.equal(status, 1);
    t.end();
  });
  t.end();
});

/** Among what is typed: a break of the line. */
const BREAK = "<break>";

/** Boots /talk, types each text when the prompt-free program waits, and returns what the console shows. */
function converse(typed: readonly string[]): string {
  const output: number[] = [];
  const machine = new Machine({
    memorySize: 32 << 20, cpu: "i486", timing: "model", onSerialOutput: (byte) => void output.push(byte),
  });
  machine.loadMultiboot({
    kernel: kernelImage(), kernelName: "kernel.elf", append: "init=/talk syncer=off ddb.lines=0",
    modules: [{ bytes: root!, string: "root.ffs" }],
  });
  const cycles = 60_000_000;
  machine.run({ maxCycles: cycles });
  for (const text of typed) {
    if (text === BREAK) machine.serialBreak();
    else machine.serialInput(Buffer.from(text, "latin1"));
    machine.run({ maxCycles: cycles });
  }
  return Buffer.from(output).toString("latin1").replaceAll("\r", "");
}

t.test("the terminal edits lines, ends input at ^D and sends ^C as a signal", { skip }, (t) => {
  const shown = converse(["hello\r", "mistakx\x7fe\r", "gone\x15kept\r", "one two\x17three\r", "part\x04", "\x04", "\x03",
    "lit\x16\x03eral\r", "quit\r"]);
  const talk = shown.slice(shown.indexOf("hello"));
  t.match(talk, "hello\n[hello\n6]\n");
  t.match(talk, "mistakx\b \be\n[mistake\n8]\n", "erase");
  t.match(talk, "[kept\n5]\n", "kill");
  t.match(talk, "[one three\n10]\n", "erase a word");
  t.match(talk, "part^D\b\b[part4]\n", "^D ends a line without newline");
  t.match(talk, "[0]\n", "^D alone is the end of the input");
  t.match(talk, "^C", "^C is shown");
  t.match(talk, / caught\]\n/, "^C comes as SIGINT");
  t.match(talk, "[lit\x03eral\n9", "^V takes the next byte as it is");
  t.match(talk, "The operating system has halted.");
  t.end();
});

t.test("a break enters DDB, whose traces name system calls, and continue leaves it", { skip }, (t) => {
  const shown = converse(["before\r", BREAK, "trace/t 1\r", "c\r", "after\r", BREAK, "set $fromconsole 0\r", "c\r", BREAK,
    "quit\r"]);
  t.match(shown, /\[before\n7\]\nStopped at\s+cpu_Debugger\+0x4:\s+leave\ndb> /);
  t.match(shown, /ttread\([^]*syscall\(\) at syscall\+0x\w+\n--- syscall \(number 3, sys_read\) ---\n0x\w+:\ndb> /);
  t.match(shown, "db> c\nafter\n[after\n6]\n");
  t.equal(shown.split("Stopped").length, 3, "the third break was ignored");
  t.match(shown, "The operating system has halted.");
  t.end();
});

t.test("a core file tells readelf and gdb where the program was", { skip: skip || absent("gdb") || absent("readelf") }, (t) => {
  const { console, disk } = bootPtmap({
    append: "init=/core root=wd0a syncer=off ddb.lines=0", disk: root!, memoryMB: 16, maxCycles: BUDGET,
  });
  t.match(console, "\nstatus 139\nstatus 11\nstatus 11\n", "a limit, and changed ids, forbid it");
  t.notMatch(console, "too many");
  const folder = mkdtempSync(join(tmpdir(), "ptmap-core-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const image = new FfsImage(disk!.bytes);
  for (const name of ["core", "first.core"]) writeFileSync(join(folder, name), image.read(image.lookup(`/${name}`)));
  const run = (tool: string, ...argv: string[]) => execFileSync(tool, argv, { cwd: folder, encoding: "utf8" });
  const headers = run("readelf", "-hnlW", "first.core");
  t.match(headers, /Type:\s+CORE[^]*NT_PRSTATUS[^]*NT_PRPSINFO[^]*NT_FPREGSET/);
  t.match(headers, /LOAD\s+0x\w+ 0x08049000 0x\w+ 0x00000 0x\w+ R E /, "text is in the program");
  const shown = run("gdb", "-nx", "-batch", "core", "first.core", "-ex", "bt", "-ex", "info registers eip esi", "-ex",
    "print/x (int)core_witness", "-ex", "x/1cb (char *)&core_buffer + 5000", "-ex", "info float");
  t.match(shown, /Core was generated by `core'\.\nProgram terminated with signal SIGSEGV/);
  t.match(shown, /#0 .*core_crash \(\)\n#1 .*core_outer \(\)\n#2 .*core_main \(\)\n#3 .*main \(\)/);
  t.match(shown, /esi\s+0x600dcafe/);
  t.match(shown, "0x12345678");
  t.match(shown, /core_buffer\+5000>:\s+120 'x'/);
  t.match(shown, /3\.14159265/);
  t.end();
});
