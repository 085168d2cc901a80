// The programs of the user mode tests, compiled by the host's gcc, on a root image.
// Their stubs are made of kernel/syscalls.master, like those of the project's own programs.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileOfBytes, makeImage } from "../../tools/ffs/index.js";
import type { TreeNode } from "../../tools/ffs/index.js";
import { PROJECT_ROOT } from "../../tools/kcc/asc.js";
import { parseSyscalls } from "../../tools/kcc/syscalls.js";

const MTIME = 959466655;
const FREE = 1 << 20;

/** Start code, stubs, and errno. */
function assembly(): string {
  const stubs = parseSyscalls().map(({ name, number }) =>
    `.globl ${name}\n${name}: movl $${number}, %eax; int $0x80; jb cerror; ret\n`);
  return [
    ".text\n.globl _start\n_start: movl (%esp), %eax; leal 4(%esp), %ecx; leal 4(%ecx,%eax,4), %edx",
    "pushl %edx; pushl %ecx; pushl %eax; call main; pushl %eax; pushl %eax; movl $1, %eax; int $0x80",
    "cerror: movl %eax, errno; movl $-1, %eax; movl $-1, %edx; ret",
    ...stubs,
    ".comm errno,4,4",
    '.section .note.GNU-stack,"",@progbits',
    "",
  ].join("\n");
}

/** Can this computer's gcc make i386 programs? A reason why not, or false. */
export function withoutCompiler(): string | false {
  try {
    execFileSync("gcc", ["-m32", "-x", "c", "-c", "-o", "/dev/null", "-"], { input: "int x;", stdio: "pipe" });
    return false;
  } catch {
    return "gcc for the i386 is not installed";
  }
}

const SOURCES = join(PROJECT_ROOT, "tests/kernel/user");

/** The sources of the test program, and their names. */
export function testSources(): readonly { readonly path: string; readonly text: string }[] {
  return readdirSync(SOURCES).filter((name) => name.endsWith(".c")).sort().map((name) => {
    const path = join(SOURCES, name);
    return { path, text: readFileSync(path, "latin1") };
  });
}

/** The test program as a static ELF file. */
function compileProgram(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "ptmap-user-"));
  try {
    writeFileSync(join(folder, "stubs.S"), assembly());
    execFileSync("gcc", [
      "-m32", "-march=i386", "-O1", "-w", "-ffreestanding", "-fno-builtin", "-fno-pic", "-fno-stack-protector",
      "-fcf-protection=none", "-no-pie", "-nostdlib", "-static", "-Wl,--build-id=none",
      "-Wl,-Ttext-segment=0x08048000", "-o", join(folder, "usertest"),
      ...testSources().map(({ path }) => path), join(folder, "stubs.S"),
    ], { stdio: "pipe" });
    return readFileSync(join(folder, "usertest"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A copy of an ELF file with one word changed. */
function patched(elf: Buffer, offset: number, word: number): Buffer {
  const copy = Buffer.from(elf);
  copy.writeUInt32LE(word >>> 0, offset);
  return copy;
}

// Offsets of an ELF header and of its first program header.
const E_ENTRY = 24;
const E_PHOFF = 28;
const P = { offset: 4, vaddr: 8, filesz: 16, memsz: 20 } as const;

/** The root image: the program under its names, and files that exec must refuse. */
export function userRoot(): Uint8Array {
  const elf = compileProgram();
  const phoff = elf.readUInt32LE(E_PHOFF);
  const file = (name: string, bytes: Uint8Array, mode = 0o755): { name: Uint8Array; node: TreeNode } =>
    ({ name: Buffer.from(name), node: fileOfBytes(bytes, MTIME, mode) });
  const mnt: TreeNode = { kind: "directory", mode: 0o755, mtime: MTIME, children: [] };
  const children = [
    file("usertest", elf),
    file("talk", elf),
    file("fpu", elf),
    file("calls", elf),
    file("core", elf),
    file("text", Buffer.from("text\n"), 0o644),
    file("notelf", Buffer.from("text\n")),
    file("truncated", elf.subarray(0, 100)),
    file("liar0", patched(elf, phoff + P.filesz, 0x7fffffff)),
    file("liar1", patched(elf, phoff + P.memsz, 0xfffff000)),
    file("liar2", patched(elf, phoff + P.vaddr, 0xc0100000)),
    file("liar3", patched(elf, phoff + P.offset, 0xfffffff0)),
    file("liar4", patched(elf, E_PHOFF, 0xffffff00)),
    file("liar5", patched(elf, E_ENTRY, 0xc0100000)),
    file("liar6", patched(elf, phoff + P.vaddr, 0)),
    { name: Buffer.from("mnt"), node: mnt },
  ];
  return makeImage({ tree: { kind: "directory", mode: 0o755, mtime: MTIME, children }, free: FREE });
}
