// sync: sync(8). One call.

import { sys_sync } from "../../fs/vfs_mount_calls";
import { exit1 } from "../kern_exit";
import { curproc } from "../kern_proc";

export function sync_main(arg: usize): void {
  sys_sync(curproc());
  exit1(curproc(), 0);
}
