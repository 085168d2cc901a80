// overflow: a process that calls itself until its kernel stack runs into the
// guard page below the u-area. No fault can be delivered then, for want of a
// stack to deliver it on; the double-fault task tells (kernel/i386/dblfault.ts).
import { frame_alloc } from "../i386/cpufunc";
import { exit1 } from "../kern_exit";
import { curproc } from "../kern_proc";
import { printf } from "../subr_prf";
import { run_program } from "./unistd";

/** Never returns: each call keeps a word of its own. */
function overflow_recurse(depth: u32): u32 {
  const room = frame_alloc(64);
  store<u32>(room, depth);
  return overflow_recurse(depth + 1) + load<u32>(room);
}

function overflow_main(arg: usize): void {
  printf(cs("overflow: back with %u\n"), overflow_recurse(0));
  exit1(curproc(), 0);
}

/** init of the workload `overflow`. Does not return. */
export function overflow(): i32 {
  return run_program(cs("overflow"), overflow_main.index, 0);
}
