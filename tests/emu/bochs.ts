// Bochs as a second judge of the processor, where it is installed (bochs, bochs-term and vgabios of Debian). It
// has no Multiboot loader: a ROM of ours enters protected mode and jumps to the kernel, whose flat image Bochs
// loads. Its models begin with the Pentium. A guest ends it by writing "Shutdown" to port 8900.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readElf32 } from "../../emu/loader/elf.js";

const VGA_BIOS = "/usr/share/vgabios/vgabios.bin";
const PT_LOAD = 1;
const MB = 0x100000;

/** Why Bochs cannot be asked here, or false. */
export function bochsAbsent(): string | false {
  if (spawnSync("bochs", ["--help"]).error !== undefined) return "bochs is not installed";
  if (spawnSync("script", ["--version"]).error !== undefined) return "script (bsdutils) is not installed";
  return existsSync(VGA_BIOS) ? false : "vgabios is not installed";
}

const ROM_BYTES = 0x10000;
const ROM_BASE = 0xf0000;
/** Offsets in the ROM. */
const AT = { REAL: 0x10, PROTECTED: 0x40, GDTR: 0x80, GDT: 0x90, INFORMATION: 0x100, RESET: 0xfff0 } as const;
const MAGIC = 0x2badb002;

/** The ROM: real mode at the reset vector to a Multiboot entry with the sizes of memory in the information. */
function rom(entry: number, megabytes: number): Uint8Array {
  const bytes = new Uint8Array(ROM_BYTES);
  const word = (n: number): number[] => [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24];
  const put = (at: number, ...code: number[]): void => bytes.set(code, at);
  // jmp F000:0010
  put(AT.RESET, 0xea, AT.REAL, 0, 0x00, 0xf0);
  // cli; lgdt %cs:GDTR; open A20 by port 92; set CR0.PE; jump to 8:PROTECTED
  put(AT.REAL, 0xfa, 0x2e, 0x0f, 0x01, 0x16, AT.GDTR, 0, 0xb0, 2, 0xe6, 0x92, 0x0f, 0x20, 0xc0, 0x0c, 1, 0x0f, 0x22, 0xc0,
    0x66, 0xea, ...word(ROM_BASE + AT.PROTECTED), 8, 0);
  // All data segments flat; ESP, EAX, EBX; push entry; ret
  put(AT.PROTECTED, 0x66, 0xb8, 0x10, 0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xe0, 0x8e, 0xe8, 0x8e, 0xd0,
    0xbc, ...word(0x7000), 0xb8, ...word(MAGIC), 0xbb, ...word(ROM_BASE + AT.INFORMATION), 0x68, ...word(entry), 0xc3);
  put(AT.GDTR, 23, 0, ...word(ROM_BASE + AT.GDT));
  put(AT.GDT + 8, 0xff, 0xff, 0, 0, 0, 0x9a, 0xcf, 0, 0xff, 0xff, 0, 0, 0, 0x92, 0xcf, 0);
  // Flags: sizes only. The upper size leaves out what QEMU's firmware keeps at the top.
  put(AT.INFORMATION, ...word(1), ...word(639), ...word((megabytes - 1) * 1024 - 128));
  return bytes;
}

function configuration(megabytes: number): string {
  return [
    `megs: ${megabytes}`, "cpu: model=pentium, ips=50000000, count=1, reset_on_triple_fault=0",
    "romimage: file=rom.bin, address=0xffff0000", `vgaromimage: file=${VGA_BIOS}`,
    "optramimage1: file=flat.bin, address=0x00100000", "display_library: term", "com1: enabled=1, mode=file, dev=bochs.out",
    "plugin_ctrl: biosdev=0, speaker=0, extfpuirq=0, parallel=0, gameport=0", "clock: sync=none, time0=1",
    "log: bochs.log", "panic: action=fatal", "error: action=report", "info: action=ignore", "",
  ].join("\n");
}

/** Lines that a kernel linked at 1 MB prints on COM1 under Bochs; files are left in `folder`. */
export function onBochs(kernel: string, folder: string, megabytes: number): string[] {
  const elf = readElf32(readFileSync(kernel), kernel);
  const loaded = elf.programHeaders.filter(({ p_type }) => p_type === PT_LOAD);
  const end = Math.max(...loaded.map(({ p_paddr, p_filesz }) => p_paddr + p_filesz));
  const flat = new Uint8Array(end - MB);
  for (const { p_paddr, p_offset, p_filesz } of loaded) {
    flat.set(elf.bytes.subarray(p_offset, p_offset + p_filesz), p_paddr - MB);
  }
  writeFileSync(join(folder, "flat.bin"), flat);
  writeFileSync(join(folder, "rom.bin"), rom(elf.e_entry, megabytes));
  writeFileSync(join(folder, "bochsrc"), configuration(megabytes));
  // Debian's Bochs has its debugger built in, which waits at the start.
  writeFileSync(join(folder, "commands"), "c\nq\n");
  const command = "bochs -q -f bochsrc -rc commands";
  spawnSync("script", ["-qfc", command, "/dev/null"], {
    cwd: folder, timeout: 120000, stdio: "ignore", env: { ...process.env, TERM: "xterm" },
  });
  return readFileSync(join(folder, "bochs.out"), "latin1").split("\n");
}
