// touch(1): sets the times of files to now; makes those that are missing, without -c.
import { set_progname, usage, warn } from "../lib/errors";
import { O_CREAT, O_WRONLY } from "../lib/files";
import { getopt, optind } from "../lib/getopt";
import { close, open, utimes } from "../lib/syscalls";

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("touch"));
  let create = true;
  for (let letter = getopt(argc, argv, cs("c")); letter != -1; letter = getopt(argc, argv, cs("c"))) {
    if (letter == 0x63) create = false;
    else usage(cs("touch [-c] file ..."));
  }
  if (optind() >= argc) usage(cs("touch [-c] file ..."));
  let status = 0;
  for (let i = optind(); i < argc; i++) {
    const path = load<usize>(argv + 4 * i);
    if (utimes(path, 0) == 0 || !create) continue;
    const fd = open(path, O_WRONLY | O_CREAT, 0x1b6);
    if (fd < 0) {
      warn(path);
      status = 1;
    } else close(fd);
  }
  return status;
}
