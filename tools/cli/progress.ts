// Progress of a run on stderr, for a person at a terminal only: the guest
// console may be quiet for seconds.

import type { Machine } from "../../emu/index.js";

export interface Progress {
  /** Called every few million cycles; always true: go on. */
  readonly update: () => boolean;
  readonly clear: () => void;
}

const EVERY_MS = 500;

/** Shows guest seconds and instructions on one line that it overwrites. */
export function progressLine(machine: Machine): Progress {
  if (!process.stderr.isTTY) return { update: () => true, clear: () => {} };
  let last = Date.now();
  let shown = false;
  const clear = () => {
    if (shown) process.stderr.write("\r\x1b[K");
    shown = false;
  };
  const update = () => {
    clear();
    if (Date.now() - last < EVERY_MS) return true;
    last = Date.now();
    const guest = (machine.cycles / machine.clockHz).toFixed(1);
    const millions = (machine.cpu.instructions / 1e6).toFixed(0);
    process.stderr.write(`\r${guest} s of guest time, ${millions} million instructions`);
    shown = true;
    return true;
  };
  return { update, clear };
}
