// Hosted processes: no more of them.
import { EAGAIN } from "./sys/errno";
import { Proc } from "./sys/proc";

export function kthread_create1(func: u32, arg: usize, newpp: usize, name: usize): i32 {
  return EAGAIN;
}

export function fork_kernel_proc(parent: Proc, func: u32, arg: usize, name: usize, newpp: usize): i32 {
  return EAGAIN;
}
