// Which program process 1 runs: boot argument `init=`.
import { printf } from "./subr_prf";

/** Runs the program. Returns when it is done. */
export function start_init_program(): void {
  printf(cs("init: no program\n"));
}
