// A port that keeps what the guest writes to it, as QEMU's isa-debugcon does: firmware and kernels
// under development print there. A read gives 0xe9, by which a guest knows that somebody listens.

import type { ByteDevice } from "./iobus.js";

const PRESENT = 0xe9;

export class DebugConsole implements ByteDevice {
  readonly #output: (byte: number) => void;

  /** `output` is called with each byte. */
  constructor(output: (byte: number) => void) {
    this.#output = output;
  }

  readByte(): number {
    return PRESENT;
  }

  writeByte(_port: number, value: number): void {
    this.#output(value);
  }
}
