// ROM images: a PC's firmware ends at 1 MiB and at 4 GiB. Below 1 MiB it lies in RAM, as shadowed by
// chip sets (a guest can write there); below 4 GiB it is read-only, and the reset vector is in it.

import type { PhysicalSpace } from "../cpu/cpu.js";
import { LoaderError } from "./error.js";

const KB = 1024;
const SIZES: readonly number[] = [64 * KB, 128 * KB, 256 * KB];
const MIB = 0x100000;
const ADDRESS_SPACE = 0x100000000;

export interface Rom {
  /** Physical address of its first byte below 4 GiB. */
  readonly base: number;
  readonly device: PhysicalSpace;
}

/**
 * Puts an image under 1 MiB of `ram` and returns what answers from `base` to 4 GiB. `name` is for error messages.
 * Throws LoaderError for an image that is not 64, 128 or 256 KB.
 */
export function mapRom(ram: Uint8Array, image: Uint8Array, name: string): Rom {
  if (!SIZES.includes(image.length)) {
    throw new LoaderError(name, `${image.length} bytes are no ROM image`, "give one of 64, 128 or 256 KB");
  }
  ram.set(image, MIB - image.length);
  const base = ADDRESS_SPACE - image.length;
  const copy = image.slice();
  const device: PhysicalSpace = {
    read(address, size) {
      let value = 0;
      for (let i = 0; i < size; i++) value |= (copy[address + i - base] ?? 0xff) << (8 * i);
      return value;
    },
    write: () => undefined,
  };
  return { base, device };
}
