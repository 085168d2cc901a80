// rmdir(1): removes empty folders. -p also those above that become empty.
import { set_progname, usage, warn } from "../lib/errors";
import { getopt, optind } from "../lib/getopt";
import { strrchr } from "../lib/stdlib";
import { rmdir } from "../lib/syscalls";

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("rmdir"));
  let parents = false;
  for (let letter = getopt(argc, argv, cs("p")); letter != -1; letter = getopt(argc, argv, cs("p"))) {
    if (letter == 0x70) parents = true;
    else usage(cs("rmdir [-p] directory ..."));
  }
  if (optind() >= argc) usage(cs("rmdir [-p] directory ..."));
  let status = 0;
  for (let i = optind(); i < argc; i++) {
    const path = load<usize>(argv + 4 * i);
    while (true) {
      if (rmdir(path) != 0) {
        warn(path);
        status = 1;
        break;
      }
      const slash = parents ? strrchr(path, 0x2f) : 0;
      if (slash == 0 || slash == path) break;
      store<u8>(slash, 0);
    }
  }
  return status;
}
