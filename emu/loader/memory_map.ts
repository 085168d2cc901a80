// The memory map of a PC as QEMU's firmware reports it for a given RAM size, so that one kernel sees the
// same memory on both machines: 639 KB of low memory, the firmware's top 128 KB of RAM reserved.

export const MEMORY_AVAILABLE = 1;
export const MEMORY_RESERVED = 2;
const KB = 1024;
export const LOW_MEMORY_KB = 639;
const EXTENDED_MEMORY = 0x100000;
/** The firmware keeps its tables at the top of RAM. */
const FIRMWARE_TABLES = 128 * KB;

export interface MemoryRange {
  readonly base: number;
  readonly length: number;
  readonly type: typeof MEMORY_AVAILABLE | typeof MEMORY_RESERVED;
}

/** The ranges of a machine with `memorySize` bytes of RAM, in ascending order. */
export function memoryMap(memorySize: number): MemoryRange[] {
  const low = LOW_MEMORY_KB * KB;
  const top = memorySize - FIRMWARE_TABLES;
  return [
    { base: 0, length: low, type: MEMORY_AVAILABLE },
    { base: low, length: 640 * KB - low, type: MEMORY_RESERVED },
    { base: 0xf0000, length: 64 * KB, type: MEMORY_RESERVED },
    { base: EXTENDED_MEMORY, length: top - EXTENDED_MEMORY, type: MEMORY_AVAILABLE },
    { base: top, length: FIRMWARE_TABLES, type: MEMORY_RESERVED },
    { base: 0xfffc0000, length: 256 * KB, type: MEMORY_RESERVED },
  ];
}

/** Kilobytes of available memory from 1 MB upwards: Multiboot's mem_upper. */
export function upperMemoryKB(memorySize: number): number {
  return (memorySize - FIRMWARE_TABLES - EXTENDED_MEMORY) / KB;
}
