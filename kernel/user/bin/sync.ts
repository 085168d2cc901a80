// sync(8): writes what is waiting to the disks.
import { sync } from "../lib/syscalls";

export function main(argc: i32, argv: usize, envp: usize): i32 {
  sync();
  return 0;
}
