// rm(1): removes files. -f no complaint about what is missing, -i asks, -r and -R whole trees, -d empty folders, -v names
// them.
import { frame_alloc } from "../../i386/cpufunc";
import { last_error, set_progname, usage, warn, warnx } from "../lib/errors";
import { SIZEOF_STAT, S_IFDIR, Stat, base_name, is_dot } from "../lib/files";
import { getopt, optind } from "../lib/getopt";
import { ask } from "../lib/input";
import { puts } from "../lib/stdio";
import { free, strdup } from "../lib/stdlib";
import { __lstat13, rmdir, unlink } from "../lib/syscalls";
import {
  Path, extend_path, free_listing, list_folder, listing_name, new_path, path_text, shorten_path,
} from "../lib/walk";

const ENOENT: i32 = 2;

@unmanaged
class Options {
  force: u32;
  recursive: u32;
  folders: u32;
  verbose: u32;
  interactive: u32;
  status: i32;
}
const options = changetype<Options>(memory.data(offsetof<Options>()));

function failed(path: usize): void {
  if (options.force != 0 && last_error() == ENOENT) return;
  warn(path);
  options.status = 1;
}

function removed(path: usize): void {
  if (options.verbose == 0) return;
  puts(path);
  puts(cs("\n"));
}

function remove(path: Path): void {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const text = path_text(path);
  if (__lstat13(text, changetype<usize>(st)) != 0) return failed(text);
  if (st.type != S_IFDIR) {
    if (options.interactive != 0 && !ask(cs("remove %s? "), text)) return;
    if (unlink(text) != 0) failed(text);
    else removed(text);
    return;
  }
  if (options.recursive == 0 && options.folders == 0) {
    warnx(cs("%s: is a directory"), text);
    options.status = 1;
    return;
  }
  if (options.recursive != 0) {
    const listing = list_folder(text, true);
    if (changetype<usize>(listing) == 0) return failed(text);
    for (let i: u32 = 0; i < listing.count; i++) {
      const length = extend_path(path, listing_name(listing, i));
      remove(path);
      shorten_path(path, length);
    }
    free_listing(listing);
  }
  if (options.interactive != 0 && !ask(cs("remove %s? "), text)) return;
  if (rmdir(text) != 0) failed(text);
  else removed(text);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("rm"));
  for (let letter = getopt(argc, argv, cs("dfirRv")); letter != -1; letter = getopt(argc, argv, cs("dfirRv"))) {
    if (letter == 0x66 || letter == 0x69) {
      options.force = u32(letter == 0x66);
      options.interactive = u32(letter == 0x69);
    }
    else if (letter == 0x64) options.folders = 1;
    else if (letter == 0x72 || letter == 0x52) options.recursive = 1;
    else if (letter == 0x76) options.verbose = 1;
    else if (letter == 0x3f) usage(cs("rm [-dfiRrv] file ..."));
  }
  if (optind() >= argc && options.force == 0) usage(cs("rm [-dfiRrv] file ..."));
  for (let i = optind(); i < argc; i++) {
    const name = load<usize>(argv + 4 * i);
    const copy = strdup(name);
    if (is_dot(base_name(copy))) {
      warnx(cs("\".\" and \"..\" may not be removed"));
      options.status = 1;
    } else remove(new_path(name));
    free(copy);
  }
  return options.status;
}
