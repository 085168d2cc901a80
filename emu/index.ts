// What a front end uses of the machine.

export { disassemble } from "./cpu/disassemble.js";
export type { Disassembly, Syntax } from "./cpu/disassemble.js";
export { CLOCK_HZ, ConfigError, DEFAULT_RTC_BASE, MB, MOST_WAIT_STATES, Machine } from "./machine.js";
export type { MachineConfig, MachineCounters, RunOptions, RunResult } from "./machine.js";
export type { RegisterDump } from "./registers.js";
export type {
  BreakpointCallback, CoprocessorState, CpuInterface, DescriptorTable, Model, PhysicalSpace, SegmentRegister,
} from "./cpu/cpu.js";
export type { Timer } from "./dev/events.js";
export type { IoDevice, IoSize } from "./dev/iobus.js";
export { MemoryDisk, OverlayDisk, SECTOR_SIZE } from "./dev/disk.js";
export type { DiskBackend, SectorReader } from "./dev/disk.js";
export { LoaderError } from "./loader/error.js";
export { elfSection, elfSymbols, readElf32 } from "./loader/elf.js";
export type { Elf32, ElfSymbol } from "./loader/elf.js";
export type { MultibootModule, MultibootOptions } from "./loader/multiboot.js";
