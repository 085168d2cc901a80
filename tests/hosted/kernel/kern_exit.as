// Hosted processes: the only one neither ends nor has children.
import { panic } from "./subr_prf";
import { ECHILD } from "./sys/errno";
import { Proc } from "./sys/proc";

export function exit1(p: Proc, rv: i32): void {
  panic(cs("exit1: the hosted process ends"));
}

export function kwait(p: Proc, pid: i32, statusp: usize): i32 {
  return ECHILD;
}
