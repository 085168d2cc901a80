// sync: sync(8). One call.

import { sys_sync } from "../../fs/vfs_mount_calls";
import { curproc } from "../kern_proc";
import { exit_program } from "./unistd";

export function sync_main(arg: usize): void {
  sys_sync(curproc());
  exit_program(0);
}
