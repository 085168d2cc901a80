// mkdir(1): makes folders. -p also those above them, -m sets the mode.
import { frame_alloc } from "../../i386/cpufunc";
import { last_error, set_progname, usage, warn } from "../lib/errors";
import { SIZEOF_STAT, S_IFDIR, Stat } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { parse_octal } from "../lib/mode";
import { __stat13, chmod, mkdir } from "../lib/syscalls";

function is_folder(path: usize): bool {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  return __stat13(path, changetype<usize>(st)) == 0 && st.type == S_IFDIR;
}

/** Makes the folders above the last component, too. */
function make_all(path: usize, mode: u32): i32 {
  for (let at = path + 1; load<u8>(at) != 0; at++) {
    if (load<u8>(at) != 0x2f || load<u8>(at + 1) == 0) continue;
    store<u8>(at, 0);
    const failed = mkdir(path, 0x1ff) != 0 && !is_folder(path);
    if (failed) return 1;
    store<u8>(at, 0x2f);
  }
  return mkdir(path, mode) == 0 || is_folder(path) ? 0 : 1;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("mkdir"));
  let parents = false;
  let mode: u32 = 0x1ff;
  let exact = false;
  for (let letter = getopt(argc, argv, cs("pm:")); letter != -1; letter = getopt(argc, argv, cs("pm:"))) {
    if (letter == 0x70) parents = true;
    else if (letter == 0x6d) {
      mode = parse_octal(optarg());
      exact = true;
    } else usage(cs("mkdir [-p] [-m mode] directory ..."));
  }
  if (optind() >= argc) usage(cs("mkdir [-p] [-m mode] directory ..."));
  let status = 0;
  for (let i = optind(); i < argc; i++) {
    const path = load<usize>(argv + 4 * i);
    const failed = parents ? make_all(path, mode) : mkdir(path, mode);
    if (failed != 0 && last_error() != 0) {
      warn(path);
      status = 1;
    } else if (exact) chmod(path, mode);
  }
  return status;
}
