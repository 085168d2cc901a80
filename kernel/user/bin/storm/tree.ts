// storm: looks at the whole tree when all processes have ended, then removes it.
import { frame_alloc } from "../../../i386/cpufunc";
import { SIZEOF_STAT, S_IFDIR, S_IFREG, Stat } from "../../lib/files";
import { warn } from "../../lib/errors";
import { exit, printf } from "../../lib/stdio";
import { malloc, realloc } from "../../lib/stdlib";
import { __lstat13, rmdir, unlink } from "../../lib/syscalls";
import {
  Path, extend_path, free_listing, list_folder, listing_name, path_text, shorten_path,
} from "../../lib/walk";
import { read_contents } from "./contents";

/** Words by file found: inode number, links that it says to have, names found. */
@unmanaged
class Found {
  count: u32;
  room: u32;
  table: usize;
  names: u32;
  folders: u32;
}
const found = changetype<Found>(memory.data(offsetof<Found>()));

function wrong(path: usize): void {
  warn(path);
  exit(1);
}

/** One name of a file. */
function count_name(ino: u32, nlink: u32): void {
  found.names++;
  for (let i: u32 = 0; i < found.count; i++) {
    const at = found.table + 12 * i;
    if (load<u32>(at) != ino) continue;
    store<u32>(at + 8, load<u32>(at + 8) + 1);
    return;
  }
  if (found.count == found.room) {
    found.room = found.room == 0 ? 64 : 2 * found.room;
    found.table = found.table == 0 ? malloc(12 * found.room) : realloc(found.table, 12 * found.room);
  }
  const at = found.table + 12 * found.count++;
  store<u32>(at, ino);
  store<u32>(at + 4, nlink);
  store<u32>(at + 8, 1);
}

/** Checks a folder and all below it. => how many folders it holds */
function check_folder(path: Path): u32 {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const who = frame_alloc(8);
  const listing = list_folder(path_text(path), true);
  if (changetype<usize>(listing) == 0) wrong(path_text(path));
  let folders: u32 = 0;
  for (let i: u32 = 0; i < listing.count; i++) {
    const length = extend_path(path, listing_name(listing, i));
    const text = path_text(path);
    if (__lstat13(text, changetype<usize>(st)) != 0) wrong(text);
    if (st.type == S_IFDIR) {
      const nlink = st.st_nlink;
      folders++;
      const below = check_folder(path);
      if (nlink != 2 + below) {
        printf(cs("storm: %s has %u links but holds %u folders\n"), text, nlink, below);
        exit(1);
      }
    } else if (st.type == S_IFREG) {
      count_name(st.st_ino, st.st_nlink);
      if (read_contents(text, who) != 0) wrong(text);
    } else {
      printf(cs("storm: %s has mode 0%o\n"), text, st.st_mode);
      exit(1);
    }
    shorten_path(path, length);
  }
  free_listing(listing);
  found.folders += folders;
  return folders;
}

/** Checks the tree: links, contents, kinds. Ends the program when something is wrong. */
export function check_tree(path: Path): void {
  check_folder(path);
  for (let i: u32 = 0; i < found.count; i++) {
    const at = found.table + 12 * i;
    if (load<u32>(at + 4) == load<u32>(at + 8)) continue;
    printf(cs("storm: inode %u has %u links but %u names\n"), load<u32>(at), load<u32>(at + 4), load<u32>(at + 8));
    exit(1);
  }
}

/** Names of files and folders that check_tree found. */
export function names_found(): u32 {
  return found.names;
}

export function folders_found(): u32 {
  return found.folders;
}

/** Removes a folder and all below it. */
export function remove_tree(path: Path): void {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const listing = list_folder(path_text(path), true);
  if (changetype<usize>(listing) == 0) wrong(path_text(path));
  for (let i: u32 = 0; i < listing.count; i++) {
    const length = extend_path(path, listing_name(listing, i));
    const text = path_text(path);
    if (__lstat13(text, changetype<usize>(st)) != 0) wrong(text);
    if (st.type == S_IFDIR) remove_tree(path);
    else if (unlink(text) != 0) wrong(text);
    shorten_path(path, length);
  }
  free_listing(listing);
  if (rmdir(path_text(path)) != 0) wrong(path_text(path));
}
