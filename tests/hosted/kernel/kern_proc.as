// Hosted processes: one, named "test".
import { Proc } from "./sys/proc";

const hosted_proc = changetype<Proc>(memory.data(offsetof<Proc>(), 8));

export function curproc(): Proc {
  return hosted_proc;
}

export function proc0(): Proc {
  return hosted_proc;
}

export function allproc_first(): Proc {
  return hosted_proc;
}

export function proc_next(p: Proc): Proc {
  return changetype<Proc>(0);
}
