// chmod(1): changes modes, octal or symbolic. -R whole trees.
import { frame_alloc } from "../../i386/cpufunc";
import { strcmp } from "../../libkern";
import { set_progname, usage, warn } from "../lib/errors";
import { SIZEOF_STAT, S_IFDIR, S_IFLNK, Stat } from "../lib/files";

import { change_mode } from "../lib/mode";
import { __lstat13, __stat13, chmod } from "../lib/syscalls";
import {
  Path, extend_path, free_listing, list_folder, listing_name, new_path, path_text, shorten_path,
} from "../lib/walk";

function change(path: Path, mode: usize, recursive: bool, top: bool): i32 {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const text = path_text(path);
  const error = top ? __stat13(text, changetype<usize>(st)) : __lstat13(text, changetype<usize>(st));
  if (error != 0) {
    warn(text);
    return 1;
  }
  if (!top && st.type == S_IFLNK) return 0;
  let status = 0;
  if (chmod(text, change_mode(mode, st.st_mode, st.type == S_IFDIR)) != 0) {
    warn(text);
    status = 1;
  }
  if (!recursive || st.type != S_IFDIR) return status;
  const listing = list_folder(text, true);
  if (changetype<usize>(listing) == 0) {
    warn(text);
    return 1;
  }
  for (let i: u32 = 0; i < listing.count; i++) {
    const length = extend_path(path, listing_name(listing, i));
    status |= change(path, mode, true, false);
    shorten_path(path, length);
  }
  free_listing(listing);
  return status;
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("chmod"));
  let at = 1;
  let recursive = false;
  // Options end at a mode such as -w.
  while (at < argc && strcmp(load<usize>(argv + 4 * at), cs("-R")) == 0) {
    recursive = true;
    at++;
  }
  if (argc - at < 2) usage(cs("chmod [-R] mode file ..."));
  const mode = load<usize>(argv + 4 * at);
  let status = 0;
  for (at++; at < argc; at++) status |= change(new_path(load<usize>(argv + 4 * at)), mode, recursive, true);
  return status;
}
