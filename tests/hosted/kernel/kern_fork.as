// Hosted processes: no more of them.
import { EAGAIN } from "./sys/errno";

export function kthread_create1(func: u32, arg: usize, newpp: usize, name: usize): i32 {
  return EAGAIN;
}
