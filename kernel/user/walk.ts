// Visiting every file below a folder.
//
// The way down is a chain of levels on the heap, not recursion: the kernel
// stack is 8 KB and paths go 500 folders deep. Each level holds one chunk of its
// folder's entries and the offset of the next.

import { DIRBLKSIZ, DIRECT_HEAD, DT_DIR, Direct } from "../../fs/ufs/dir";
import { frame_alloc } from "../i386/cpufunc";
import { free, malloc } from "../kern_malloc";
import { memcpy, strcmp, strlen } from "../libkern";
import { EINVAL, ENAMETOOLONG } from "../sys/errno";
import { M_TEMP, M_WAITOK } from "../sys/malloc";
import { MAXPATHLEN } from "../sys/param";
import { read_directory } from "./unistd";

/** One folder on the way. The entries follow the struct. */
@unmanaged class Level {
  offset: u64;
  /** The folder above. */
  up: usize;
  /** Length of this folder's path. */
  path_length: u32;
  /** Bytes of entries held, and how far they are used. */
  count: u32;
  position: u32;
}
const LEVEL_SIZE: u32 = 24;

/** "." and "..". */
function is_dot(name: usize): bool {
  if (load<u8>(name) != 46) return false;
  const second = load<u8>(name + 1);
  return second == 0 || (second == 46 && load<u8>(name + 2) == 0);
}

function push_level(up: usize, path: usize): usize {
  const level = changetype<Level>(malloc(LEVEL_SIZE + DIRBLKSIZ, M_TEMP, M_WAITOK));
  level.offset = 0;
  level.up = up;
  level.path_length = strlen(path);
  level.count = 0;
  level.position = 0;
  return changetype<usize>(level);
}

function pop_level(level: Level): usize {
  const up = level.up;
  free(changetype<usize>(level), M_TEMP);
  return up;
}

/** Fills the level's chunk; false at the end of the folder. `errorp` gets an errno. */
function refill(level: Level, path: usize, errorp: usize): bool {
  const countp = frame_alloc(4);
  store<u8>(path + level.path_length, 0);
  const error = read_directory(path, changetype<usize>(level) + LEVEL_SIZE, DIRBLKSIZ, changetype<usize>(level), countp);
  store<i32>(errorp, error);
  level.count = load<u32>(countp);
  level.position = 0;
  return error == 0 && level.count != 0;
}

/** Whether what a folder holds at this place is an entry: `left` bytes of the chunk remain. */
function is_entry(entry: Direct, left: u32): bool {
  if (left < DIRECT_HEAD || entry.d_reclen < DIRECT_HEAD || entry.d_reclen > left) return false;
  if (entry.d_ino == 0) return true;
  const length = u32(entry.d_namlen);
  if (length == 0 || DIRECT_HEAD + length >= u32(entry.d_reclen)) return false;
  return strlen(entry.d_name()) == length;
}

/** Appends "/name" to the level's path. */
function enter_name(level: Level, path: usize, name: usize): i32 {
  let length = level.path_length;
  store<u8>(path + length, 0);
  const name_length = strlen(name);
  if (length + name_length + 2 > MAXPATHLEN) return ENAMETOOLONG;
  // The root's path is "/": no second slash.
  if (!(length == 1 && load<u8>(path) == 47)) {
    store<u8>(path + length, 47);
    length++;
  }
  memcpy(path + length, name, name_length + 1);
  return 0;
}

/**
 * Visits everything below the folder in `path` (a buffer of MAXPATHLEN bytes
 * that the walk writes to), folders before what they hold. The folder called
 * `skip` (a full path, or 0) is left out. `visit` is the code address of a
 * (path: usize, type: u32 (DT_*), arg: usize) => i32; an errno from it ends the
 * walk. Returns 0 or the first errno, with the place where in `path`; EINVAL for
 * a folder whose contents are no entries.
 */
export function walk_tree(path: usize, skip: usize, visit: u32, arg: usize): i32 {
  const errorp = frame_alloc(4);
  store<i32>(errorp, 0);
  let at = push_level(0, path);
  while (at != 0) {
    const level = changetype<Level>(at);
    const ended = load<i32>(errorp) != 0 || (level.position >= level.count && !refill(level, path, errorp));
    if (ended) {
      at = pop_level(level);
      continue;
    }
    const entry = changetype<Direct>(at + LEVEL_SIZE + level.position);
    if (!is_entry(entry, level.count - level.position)) {
      store<u8>(path + level.path_length, 0);
      store<i32>(errorp, EINVAL);
      continue;
    }
    level.position += entry.d_reclen;
    const name = entry.d_name();
    if (entry.d_ino == 0 || is_dot(name)) continue;
    let error = enter_name(level, path, name);
    if (error == 0 && skip != 0 && strcmp(path, skip) == 0) continue;
    const type = entry.d_type;
    if (error == 0) error = call_indirect<i32>(visit, path, u32(type), arg);
    if (error != 0) store<i32>(errorp, error);
    else if (type == DT_DIR) at = push_level(at, path);
  }
  return load<i32>(errorp);
}
