// Physical addresses outside RAM: which device answers which range.
//
// The processor asks here only for what is not RAM, so a list that is searched
// from its newest entry does. An access goes whole to the device that has its
// first byte. What nobody claims reads all ones and swallows writes: so does
// the place where later PCs have a local APIC (FEE00000), which none of the
// models has, as their CPUID says.

import type { PhysicalSpace } from "./cpu/cpu.js";

interface Region {
  readonly base: number;
  readonly end: number;
  readonly device: PhysicalSpace;
}

export class PhysicalRegions implements PhysicalSpace {
  readonly #regions: Region[] = [];

  /** Gives `size` bytes from `base` to a device, which gets full physical addresses; the newest claim wins. */
  claim(base: number, size: number, device: PhysicalSpace): void {
    this.#regions.unshift({ base, end: base + size, device });
  }

  #at(address: number): PhysicalSpace | undefined {
    const unsigned = address >>> 0;
    return this.#regions.find(({ base, end }) => unsigned >= base && unsigned < end)?.device;
  }

  read(address: number, size: number): number {
    return this.#at(address)?.read(address >>> 0, size) ?? -1;
  }

  write(address: number, size: number, value: number): void {
    this.#at(address)?.write(address >>> 0, size, value);
  }
}
