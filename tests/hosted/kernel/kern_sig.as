// Hosted signals: nobody sends any.
import { Proc } from "./sys/proc";

export function CURSIG(p: Proc): u32 {
  return 0;
}

export function psignal(p: Proc, signum: u32): void {
}
