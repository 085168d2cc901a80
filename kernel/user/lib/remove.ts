// Removing a tree of files whatever its flags and modes, without a word about what cannot be removed.
import { frame_alloc } from "../../i386/cpufunc";
import { SIZEOF_STAT, S_IFDIR, Stat } from "./files";
import { free } from "./stdlib";
import { __lstat13, chflags, chmod, rmdir, unlink } from "./syscalls";
import {
  Path, extend_path, free_listing, list_folder, listing_name, new_path, path_text, shorten_path,
} from "./walk";

function remove_path(path: Path): void {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const text = path_text(path);
  if (__lstat13(text, changetype<usize>(st)) != 0) return;
  if (st.st_flags != 0) chflags(text, 0);
  if (st.type != S_IFDIR) {
    unlink(text);
    return;
  }
  if ((st.st_mode & 0o700) != 0o700) chmod(text, 0o700);
  const listing = list_folder(text, true);
  if (changetype<usize>(listing) == 0) return;
  for (let i: u32 = 0; i < listing.count; i++) {
    const length = extend_path(path, listing_name(listing, i));
    remove_path(path);
    shorten_path(path, length);
  }
  free_listing(listing);
  rmdir(text);
}

/** Removes what is at `name`, as far as that can be done. */
export function remove_tree(name: usize): void {
  const path = new_path(name);
  remove_path(path);
  free(changetype<usize>(path));
}
