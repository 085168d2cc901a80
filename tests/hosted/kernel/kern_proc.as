// Hosted processes: one, named "test".
import { Proc } from "./sys/proc";

const hosted_proc = changetype<Proc>(memory.data(offsetof<Proc>(), 8));

export function curproc(): Proc {
  return hosted_proc;
}
