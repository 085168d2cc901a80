// umount(8): takes file systems away. -f even when they are busy.
import { set_progname, usage, warn } from "../lib/errors";
import { getopt, optind } from "../lib/getopt";
import { MNT_FORCE } from "../lib/mntopts";
import { unmount } from "../lib/syscalls";

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("umount"));
  let flags: u32 = 0;
  for (let letter = getopt(argc, argv, cs("f")); letter != -1; letter = getopt(argc, argv, cs("f"))) {
    if (letter == 0x66) flags = MNT_FORCE;
    else usage(cs("umount [-f] node ..."));
  }
  if (optind() >= argc) usage(cs("umount [-f] node ..."));
  let status = 0;
  for (let i = optind(); i < argc; i++) {
    if (unmount(load<usize>(argv + 4 * i), flags) == 0) continue;
    warn(load<usize>(argv + 4 * i));
    status = 1;
  }
  return status;
}
