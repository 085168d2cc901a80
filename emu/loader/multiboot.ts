// A Multiboot 1 loader. Placement and the shape of the information structure are QEMU's (-kernel,
// -append, -initrd), which were measured, so that a kernel finds the same values at the same addresses:
//
//   0x9000             memory map           0x9500  information structure
//   kernel             at its physical addresses
//   next page          module table, module strings, command line, loader name
//   next pages         the modules, each at a page boundary
//
// The command line is the kernel's name as given, a blank, and the arguments, even when there are
// none. The memory map and the memory sizes are given whether the header asks for them or not.

import { LoaderError } from "./error.js";
import { isElf, PF_X, PT_LOAD, readElf32 } from "./elf.js";
import { LOW_MEMORY_KB, memoryMap, upperMemoryKB } from "./memory_map.js";

const HEADER_MAGIC = 0x1badb002;
const BOOTLOADER_MAGIC = 0x2badb002;
/** The header lies wholly within this many bytes from the start of the file. */
const HEADER_SEARCH = 8192;
const HEADER_PAGE_ALIGN = 0x1;
const HEADER_MEMORY_INFO = 0x2;
const HEADER_ADDRESSES = 0x10000;
/** Flags 0-15 are requirements; we know these. */
const HEADER_REQUIRED = 0xffff;

const INFO_MEMORY = 0x1;
const INFO_BOOT_DEVICE = 0x2;
const INFO_CMDLINE = 0x4;
const INFO_MODS = 0x8;
const INFO_MEM_MAP = 0x40;
const INFO_BOOT_LOADER_NAME = 0x200;

const MEM_MAP_ADDRESS = 0x9000;
const INFO_ADDRESS = 0x9500;
const INFO_SIZE = 120;
const MEM_MAP_ENTRY = 24;
const MODULE_ENTRY = 16;
const PAGE = 4096;
/** First hard disk, no partition. */
const BOOT_DEVICE = 0x8000ffff;
/** Kernels that print the loader's name print the same on QEMU. */
const BOOT_LOADER_NAME = "qemu";
const NOT_MULTIBOOT = "give a kernel with a Multiboot 1 header in its first 8192 bytes";

/** A module: `string` is its name and arguments as the kernel sees them. */
export interface MultibootModule {
  readonly bytes: Uint8Array;
  readonly string: string;
}

export interface MultibootOptions {
  /** The kernel file, and its name as it begins the command line. */
  readonly kernel: Uint8Array;
  readonly kernelName: string;
  /** The arguments after the name. */
  readonly append?: string;
  readonly modules?: readonly MultibootModule[];
}

/** The registers that Multiboot prescribes at the kernel's entry. */
export interface BootState {
  readonly EIP: number;
  readonly EAX: number;
  readonly EBX: number;
}

interface Header {
  readonly offset: number;
  readonly flags: number;
}

interface LoadedKernel {
  /** The lowest physical address used and the first one after the kernel, its zeroed memory included. */
  readonly low: number;
  readonly high: number;
  readonly entry: number;
}

/** Finds the header: magic at a multiple of four, and a checksum that makes three words sum to zero. */
function findHeader(kernel: Uint8Array, name: string): Header {
  const view = new DataView(kernel.buffer, kernel.byteOffset, kernel.byteLength);
  const end = Math.min(kernel.length, HEADER_SEARCH);
  let badChecksum = -1;
  for (let offset = 0; offset + 12 <= end; offset += 4) {
    if (view.getUint32(offset, true) !== HEADER_MAGIC) continue;
    const flags = view.getUint32(offset + 4, true);
    const checksum = view.getUint32(offset + 8, true);
    if (((HEADER_MAGIC + flags + checksum) & 0xffffffff) === 0) return { offset, flags };
    badChecksum = offset;
  }
  if (badChecksum >= 0) {
    throw new LoaderError(name, `the Multiboot header at offset ${badChecksum} has a wrong checksum`, NOT_MULTIBOOT);
  }
  throw new LoaderError(name, "no Multiboot header", NOT_MULTIBOOT);
}

/** Copies into memory after checking that the range is RAM and leaves the loader's own area alone. */
function place(memory: Uint8Array, address: number, bytes: Uint8Array, size: number, name: string, what: string): void {
  const span = `${what} at 0x${address.toString(16)}-0x${(address + size).toString(16)}`;
  if (address + size > memory.length) {
    const needed = Math.ceil((address + size) / 0x100000);
    const has = Math.floor(memory.length / 0x100000);
    throw new LoaderError(name, `${span} does not fit into ${has} MB of memory`, `give the machine ${needed + 1} MB`);
  }
  if (address < INFO_ADDRESS + INFO_SIZE && address + size > MEM_MAP_ADDRESS) {
    throw new LoaderError(name, `${span} covers the boot information`, "link the kernel at 1 MB or higher");
  }
  memory.set(bytes, address);
  memory.fill(0, address + bytes.length, address + size);
}

/** Loads the segments of an ELF kernel at their physical addresses. */
function loadElf(memory: Uint8Array, kernel: Uint8Array, name: string): LoadedKernel {
  const elf = readElf32(kernel, name);
  let low = Infinity;
  let high = 0;
  let entry = elf.e_entry;
  for (const segment of elf.programHeaders) {
    if (segment.p_type !== PT_LOAD || segment.p_memsz === 0) continue;
    const { p_offset, p_vaddr, p_paddr, p_filesz, p_memsz } = segment;
    place(memory, p_paddr, kernel.subarray(p_offset, p_offset + p_filesz), p_memsz, name, "a segment");
    low = Math.min(low, p_paddr);
    high = Math.max(high, p_paddr + p_memsz);
    // The entry point is a virtual address; the kernel starts without paging.
    if (segment.p_flags & PF_X && elf.e_entry >= p_vaddr && elf.e_entry < p_vaddr + p_filesz) {
      entry = elf.e_entry - p_vaddr + p_paddr;
    }
  }
  if (high === 0) throw new LoaderError(name, "it has nothing to load", "give an ELF kernel with PT_LOAD segments");
  return { low, high, entry };
}

/** Loads a kernel by the address fields of its header (flag 16). */
function loadByAddresses(memory: Uint8Array, kernel: Uint8Array, header: Header, name: string): LoadedKernel {
  if (header.offset + 32 > kernel.length) throw new LoaderError(name, "truncated Multiboot header", NOT_MULTIBOOT);
  const view = new DataView(kernel.buffer, kernel.byteOffset + header.offset, 32);
  const [header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr] = [12, 16, 20, 24, 28].map((at) =>
    view.getUint32(at, true),
  ) as [number, number, number, number, number];
  const start = header.offset - (header_addr - load_addr);
  const size = load_end_addr === 0 ? kernel.length - start : load_end_addr - load_addr;
  if (load_addr > header_addr || start < 0 || size < 0 || start + size > kernel.length || size === 0) {
    throw new LoaderError(name, "the address fields of its Multiboot header do not fit the file", NOT_MULTIBOOT);
  }
  const memorySize = Math.max(size, bss_end_addr === 0 ? 0 : bss_end_addr - load_addr);
  place(memory, load_addr, kernel.subarray(start, start + size), memorySize, name, "the kernel");
  return { low: load_addr, high: load_addr + memorySize, entry: entry_addr };
}

/** A writer of little-endian words and NUL-terminated bytes into memory. */
class Writer {
  readonly memory: Uint8Array;
  at: number;

  constructor(memory: Uint8Array, at: number) {
    this.memory = memory;
    this.at = at;
  }

  word(value: number): void {
    for (let i = 0; i < 4; i++) this.memory[this.at++] = (value >>> (8 * i)) & 0xff;
  }

  /** Writes text as UTF-8 with a NUL and returns its address. */
  text(text: Uint8Array): number {
    const address = this.at;
    this.memory.set(text, address);
    this.memory[address + text.length] = 0;
    this.at += text.length + 1;
    return address;
  }
}

/** Text as UTF-8. The machine may run where TextEncoder is the only coder there is. */
function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function roundPage(value: number): number {
  return Math.ceil(value / PAGE) * PAGE;
}

function writeMemoryMap(memory: Uint8Array): number {
  const writer = new Writer(memory, MEM_MAP_ADDRESS);
  for (const range of memoryMap(memory.length)) {
    for (const word of [MEM_MAP_ENTRY - 4, range.base, 0, range.length, 0, range.type]) writer.word(word);
  }
  return writer.at - MEM_MAP_ADDRESS;
}

/**
 * Loads a kernel with its modules and command line into RAM.
 * => `memory` is the whole RAM of a machine that has not run yet
 * => returns the registers at entry; the caller sets flat segments, paging off, interrupts off
 * => throws LoaderError when the kernel is no Multiboot kernel for us or when memory is too small
 */
export function loadMultiboot(memory: Uint8Array, options: MultibootOptions): BootState {
  const { kernel, kernelName: name } = options;
  const modules = options.modules ?? [];
  if (kernel.length === 0) throw new LoaderError(name, "the file is empty", NOT_MULTIBOOT);
  // A file that is an ELF file of the wrong kind is refused for that, not for its missing header.
  if (isElf(kernel)) readElf32(kernel, name);
  const header = findHeader(kernel, name);
  const unknown = header.flags & HEADER_REQUIRED & ~(HEADER_PAGE_ALIGN | HEADER_MEMORY_INFO);
  if (unknown !== 0) {
    const reason = `its Multiboot header requires features 0x${unknown.toString(16)} that this loader lacks`;
    throw new LoaderError(name, reason, "set only bits 0 and 1 of the required flags");
  }
  const loaded =
    header.flags & HEADER_ADDRESSES
      ? loadByAddresses(memory, kernel, header, name)
      : loadElf(memory, kernel, name);

  const commandLine = utf8(`${name} ${options.append ?? ""}`);
  const strings = modules.map((module) => utf8(module.string));
  // QEMU reserves the module list as given on its command line: each string and one byte more.
  const textSize = commandLine.length + 1 + strings.reduce((sum, text) => sum + text.length + 1, 0);
  const table = loaded.low + roundPage(loaded.high - loaded.low);
  const loaderName = utf8(BOOT_LOADER_NAME);
  const tableSize = modules.length * MODULE_ENTRY + textSize + loaderName.length + 1;
  place(memory, table, new Uint8Array(0), tableSize, name, "the boot information");
  const text = new Writer(memory, table + modules.length * MODULE_ENTRY);
  const entries = new Writer(memory, table);
  let next = loaded.low + roundPage(table + tableSize - loaded.low);
  modules.forEach((module, i) => {
    place(memory, next, module.bytes, module.bytes.length, module.string, "the module");
    entries.word(next);
    entries.word(next + module.bytes.length);
    entries.word(text.text(strings[i]!));
    entries.word(0);
    next = loaded.low + roundPage(next + module.bytes.length - loaded.low);
  });
  const cmdline = text.text(commandLine);
  const boot_loader_name = text.text(loaderName);

  const info = new Writer(memory, INFO_ADDRESS);
  memory.fill(0, INFO_ADDRESS, INFO_ADDRESS + INFO_SIZE);
  const mmap_length = writeMemoryMap(memory);
  info.word(INFO_MEMORY | INFO_BOOT_DEVICE | INFO_CMDLINE | INFO_MODS | INFO_MEM_MAP | INFO_BOOT_LOADER_NAME);
  info.word(LOW_MEMORY_KB);
  info.word(upperMemoryKB(memory.length));
  info.word(BOOT_DEVICE);
  info.word(cmdline);
  info.word(modules.length);
  info.word(table);
  // The symbol fields stay zero.
  info.at += 16;
  info.word(mmap_length);
  info.word(MEM_MAP_ADDRESS);
  // No drives, no configuration table.
  info.at += 12;
  info.word(boot_loader_name);
  return { EIP: loaded.entry, EAX: BOOTLOADER_MAGIC, EBX: INFO_ADDRESS };
}
