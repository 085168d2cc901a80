// What the boot loader passes (Multiboot 1): command line, memory map, modules.
//
// All of it is read once, while the first 16 MB of physical memory are still
// mapped at KERNBASE, and copied: its pages are free memory afterwards. The
// modules' contents stay where they are; their pages are kept out of the memory
// that UVM gets, and mapped for good (multiboot_map_modules).
import { volatile } from "./cpufunc";
import { pmap_growkernel } from "./pmap";
import { pmap_steal_kva } from "./pmap_boot";
import { PG_RW, PG_V, vtopte } from "./pte";
import { sym } from "./sym";
import { bootargs_init } from "../subr_bootargs";
import { panic, printf } from "../subr_prf";
import { KERNBASE, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, round_page, trunc_page } from "../sys/param";
import { VM_FREELIST_DEFAULT, VM_FREELIST_FIRST16 } from "../../vm/uvm_extern";
import { uvm_page_physload } from "../../vm/uvm_page";

const MULTIBOOT_LOADER_MAGIC: u32 = 0x2badb002;

// flags of the information structure.
const MULTIBOOT_INFO_CMDLINE: u32 = 0x04;
const MULTIBOOT_INFO_MODS: u32 = 0x08;
const MULTIBOOT_INFO_MEM_MAP: u32 = 0x40;
/** Type of a memory range that is RAM for us. */
const MULTIBOOT_MEMORY_AVAILABLE: u32 = 1;

/** What locore has mapped. */
const BOOT_MAPPED: usize = 0x1000000;
/** First address of the ISA hole, and of memory above it. */
const ISA_HOLE: usize = 0xa0000;
const FIRST16_END: usize = 0x1000000;
/** Memory that the kernel's addresses suffice for. */
const MAX_MEMORY: usize = 0x40000000;

@unmanaged
class MultibootInfo {
  flags: u32;
  mem_lower: u32;
  mem_upper: u32;
  boot_device: u32;
  cmdline: usize;
  mods_count: u32;
  mods_addr: usize;
  syms0: u32;
  syms1: u32;
  syms2: u32;
  syms3: u32;
  mmap_length: u32;
  mmap_addr: usize;
}

/** A range of physical memory or, for modules, its address in the kernel too. */
@unmanaged
class BootRange {
  start: usize;
  end: usize;
  kva: usize;
}
const SIZEOF_BOOTRANGE: u32 = 12;
const MAX_RANGES: u32 = 16;
const MAX_MODULES: u32 = 8;

@unmanaged
class BootMemory {
  nranges: u32;
  nmodules: u32;
  /** Bytes of RAM, all told. */
  total: u32;
  /** End of the highest range. */
  top: usize;
}
const boot_memory = changetype<BootMemory>(memory.data(offsetof<BootMemory>(), 4));
const boot_ranges: usize = memory.data(12 * 16, 4);
const boot_modules: usize = memory.data(12 * 8, 4);

function boot_range(i: u32): BootRange {
  return changetype<BootRange>(boot_ranges + i * SIZEOF_BOOTRANGE);
}

function boot_module(i: u32): BootRange {
  return changetype<BootRange>(boot_modules + i * SIZEOF_BOOTRANGE);
}

/** The kernel's view of a boot-time physical address. */
function boot_address(pa: usize): usize {
  if (pa >= BOOT_MAPPED) panic(cs("multiboot: information at 0x%lx is beyond the first 16 MB"), pa);
  return KERNBASE + pa;
}

/** Copies everything that the boot loader passed, but for the modules' contents. */
export function multiboot_read(): void {
  if (load<u32>(sym.multiboot_magic()) != MULTIBOOT_LOADER_MAGIC) {
    panic(cs("multiboot: not booted by a Multiboot loader"));
  }
  const info = changetype<MultibootInfo>(boot_address(load<usize>(sym.multiboot_info())));
  bootargs_init((info.flags & MULTIBOOT_INFO_CMDLINE) != 0 ? boot_address(info.cmdline) : cs(""));
  if ((info.flags & MULTIBOOT_INFO_MEM_MAP) == 0) panic(cs("multiboot: the boot loader gave no memory map"));
  read_memory_map(boot_address(info.mmap_addr), info.mmap_length);
  if ((info.flags & MULTIBOOT_INFO_MODS) != 0) read_modules(info.mods_addr, info.mods_count);
}

/** A 64-bit address clipped to the memory that can be used. */
function clip_address(at: usize): usize {
  return load<u32>(at + 4) != 0 || load<u32>(at) > MAX_MEMORY ? MAX_MEMORY : load<u32>(at);
}

function read_memory_map(at: usize, length: u32): void {
  const end = at + length;
  while (at < end) {
    if (load<u32>(at + 20) == MULTIBOOT_MEMORY_AVAILABLE && load<u32>(at + 8) == 0) {
      const start = clip_address(at + 4);
      const size = clip_address(at + 12);
      add_range(start, start + size > MAX_MEMORY ? MAX_MEMORY : start + size);
    }
    at += load<u32>(at) + 4;
  }
}

function add_range(start: usize, end: usize): void {
  start = round_page(start);
  end = trunc_page(end);
  if (start >= end) return;
  if (boot_memory.nranges == MAX_RANGES) panic(cs("multiboot: more than %u ranges of memory"), MAX_RANGES);
  const range = boot_range(boot_memory.nranges++);
  range.start = start;
  range.end = end;
  boot_memory.total += u32(end - start);
  if (end > boot_memory.top) boot_memory.top = end;
}

/** Notes the modules in the order of the loader's list. */
function read_modules(addr: usize, count: u32): void {
  if (count > MAX_MODULES) panic(cs("multiboot: more than %u modules"), MAX_MODULES);
  let i: u32 = 0;
  while (i < count) {
    const entry = boot_address(addr + i * 16);
    const module = boot_module(i);
    module.start = load<usize>(entry);
    module.end = load<usize>(entry, 4);
    i++;
  }
  boot_memory.nmodules = count;
}

/** Bytes of RAM. */
export function multiboot_memory_size(): u32 {
  return boot_memory.total;
}

/** End of what is taken at `start` (image, module, or the first page): 0 when it is free. */
function taken_until(pa: usize, image_end: usize): usize {
  if (pa == 0) return PAGE_SIZE;
  if (pa >= ISA_HOLE && pa < image_end) return image_end;
  let i: u32 = 0;
  while (i < boot_memory.nmodules) {
    const module = boot_module(i++);
    if (pa >= trunc_page(module.start) && pa < round_page(module.end)) return round_page(module.end);
  }
  return 0;
}

/** The first address above `pa` at which something that is taken begins, at most `end`. */
function free_until(pa: usize, end: usize): usize {
  if (pa < ISA_HOLE && end > ISA_HOLE) end = ISA_HOLE;
  if (pa < FIRST16_END && end > FIRST16_END) end = FIRST16_END;
  let i: u32 = 0;
  while (i < boot_memory.nmodules) {
    const start = trunc_page(boot_module(i++).start);
    if (start > pa && start < end) end = start;
  }
  return end;
}

/** Gives UVM all memory that is free. `image_end`: physical end of the kernel image. Returns the number of bytes. */
export function multiboot_physload(image_end: usize): u32 {
  const low_list = boot_memory.top > FIRST16_END ? VM_FREELIST_FIRST16 : VM_FREELIST_DEFAULT;
  let given: u32 = 0;
  let i: u32 = 0;
  while (i < boot_memory.nranges) {
    const range = boot_range(i++);
    let pa = range.start;
    while (pa < range.end) {
      const taken = taken_until(pa, image_end);
      if (taken != 0) {
        pa = taken;
        continue;
      }
      const end = free_until(pa, range.end);
      const first = pa >> PAGE_SHIFT;
      const last = end >> PAGE_SHIFT;
      uvm_page_physload(first, last, first, last, pa < FIRST16_END ? low_list : VM_FREELIST_DEFAULT);
      given += u32(end - pa);
      pa = end;
    }
  }
  return given;
}

/** Maps the modules at kernel addresses, for good. After multiboot_physload, before UVM starts. */
export function multiboot_map_modules(): void {
  let i: u32 = 0;
  while (i < boot_memory.nmodules) {
    const module = boot_module(i++);
    const start = trunc_page(module.start);
    const end = round_page(module.end);
    const va = pmap_steal_kva(end - start);
    pmap_growkernel(va + (end - start));
    let offset: usize = 0;
    while (start + offset < end) {
      volatile.store32(vtopte(va + offset), (start + offset) | PG_RW | PG_V);
      offset += PAGE_SIZE;
    }
    module.kva = va + (module.start & PAGE_MASK);
  }
}

/** Kernel addresses of the contents of module `i`, to `startp` and `endp`. Returns false when there is none. */
export function multiboot_module(i: u32, startp: usize, endp: usize): bool {
  if (i >= boot_memory.nmodules) return false;
  const module = boot_module(i);
  store<usize>(startp, module.kva);
  store<usize>(endp, module.kva + (module.end - module.start));
  return true;
}

/** Prints the memory map, for `boot verbosely` (boot argument -v). */
export function multiboot_print(): void {
  let i: u32 = 0;
  while (i < boot_memory.nranges) {
    const range = boot_range(i++);
    printf(cs("memory: 0x%lx-0x%lx\n"), range.start, range.end);
  }
  i = 0;
  while (i < boot_memory.nmodules) {
    const module = boot_module(i++);
    printf(cs("module: 0x%lx-0x%lx at %p\n"), module.start, module.end, module.kva);
  }
}
