// Walks over trees of files: a folder's names in order, and a path that grows
// and shrinks on the way.
import { strlen } from "../../libkern";
import { last_error, set_error } from "./errors";
import { closedir, is_dot, opendir, readdir } from "./files";
import { compare_strings, free, malloc, realloc, sort_words, strdup } from "./stdlib";

/** Names of a folder without `.` and `..`, sorted. */
@unmanaged
export class Listing {
  count: u32;
  names: usize;
}

/** Reads the names of a folder; 0 with errno set when that fails. `all`: also those that begin with a dot. */
export function list_folder(path: usize, all: bool): Listing {
  const dir = opendir(path);
  if (changetype<usize>(dir) == 0) return changetype<Listing>(0);
  const listing = changetype<Listing>(malloc(offsetof<Listing>()));
  let capacity: u32 = 16;
  listing.count = 0;
  listing.names = malloc(4 * capacity);
  for (let entry = readdir(dir); changetype<usize>(entry) != 0; entry = readdir(dir)) {
    if (is_dot(entry.name) || (!all && load<u8>(entry.name) == 0x2e)) continue;
    if (listing.count == capacity) {
      capacity *= 2;
      listing.names = realloc(listing.names, 4 * capacity);
    }
    store<usize>(listing.names + 4 * listing.count, strdup(entry.name));
    listing.count++;
  }
  const failed = dir.dd_error != 0;
  const error = last_error();
  closedir(dir);
  if (failed) {
    free_listing(listing);
    set_error(error);
    return changetype<Listing>(0);
  }
  sort_words(listing.names, listing.count, compare_strings.index);
  return listing;
}

export function listing_name(listing: Listing, index: u32): usize {
  return load<usize>(listing.names + 4 * index);
}

export function free_listing(listing: Listing): void {
  for (let i: u32 = 0; i < listing.count; i++) free(listing_name(listing, i));
  free(listing.names);
  free(changetype<usize>(listing));
}

/** A path of up to 1023 bytes. */
@unmanaged
export class Path {
  length: u32;
}
const PATH_SIZE: u32 = 1024;

export function new_path(start: usize): Path {
  const path = changetype<Path>(malloc(PATH_SIZE + 4));
  path.length = strlen(start);
  memory.copy(changetype<usize>(path) + 4, start, path.length + 1);
  return path;
}

/** The path as a string. */
export function path_text(path: Path): usize {
  return changetype<usize>(path) + 4;
}

/** Appends `/name`; returns the length before, for shorten_path. A name that does not fit is left out. */
export function extend_path(path: Path, name: usize): u32 {
  const before = path.length;
  const n = strlen(name);
  const slash: u32 = before > 0 && load<u8>(changetype<usize>(path) + 3 + before) != 0x2f ? 1 : 0;
  if (before + slash + n >= PATH_SIZE) return before;
  const at = changetype<usize>(path) + 4 + before;
  if (slash != 0) store<u8>(at, 0x2f);
  memory.copy(at + slash, name, n + 1);
  path.length = before + slash + n;
  return before;
}

export function shorten_path(path: Path, length: u32): void {
  path.length = length;
  store<u8>(changetype<usize>(path) + 4 + length, 0);
}
