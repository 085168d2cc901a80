// The exit port for test machines: a write of v ends the run with exit code v.
// On QEMU the same write ends the process with status (v << 1) | 1.

import type { IoDevice, IoSize } from "./iobus.js";

export const DEBUG_EXIT_PORT = 0xf4;
export const DEBUG_EXIT_PORTS = 4;

export class IsaDebugExit implements IoDevice {
  readonly #exit: (code: number) => void;

  constructor(exit: (code: number) => void) {
    this.#exit = exit;
  }

  read(): number {
    return 0;
  }

  write(_port: number, _size: IoSize, value: number): void {
    this.#exit(value >>> 0);
  }
}
