// The change pass of the cycle: of the files of a copied tree, some are renamed,
// some truncated to half, some removed; the rest stays.

import { DT_REG } from "../../fs/ufs/dir";
import { do_rename, do_truncate, do_unlink } from "../../fs/vfs_syscalls";
import { Vattr } from "../../fs/vnode";
import { frame_alloc } from "../i386/cpufunc";
import { free, malloc } from "../kern_malloc";
import { curproc } from "../kern_proc";
import { memcpy, strlen } from "../libkern";
import { printf, snprintf } from "../subr_prf";
import { M_TEMP, M_WAITOK } from "../sys/malloc";
import { MAXPATHLEN } from "../sys/param";
import { map_path } from "./cp";
import { exit_program, lstat_file } from "./unistd";
import { walk_tree } from "./walk";

export const CHANGE_NONE: u32 = 0;
export const CHANGE_RENAME: u32 = 1;
export const CHANGE_TRUNCATE: u32 = 2;
export const CHANGE_REMOVE: u32 = 3;

/** What happens to the n-th file of the walk: of every five, one each is renamed, truncated and removed. */
export function change_of(n: u32): u32 {
  const k = n % 5;
  return k <= CHANGE_REMOVE ? k : CHANGE_NONE;
}

/** Replaces the last component of `path` (a buffer of MAXPATHLEN) by the new name of the n-th file. */
export function changed_name(path: usize, n: u32): void {
  let at = path + strlen(path);
  while (at > path && load<u8>(at - 1) != 47) at--;
  snprintf(at, 16, cs(".r%u"), n);
}

@unmanaged export class ChangeArgs {
  from: usize;
  to: usize;
  skip: usize;
  files: u32;
  renamed: u32;
  truncated: u32;
  removed: u32;
  error: i32;
}

function rename_file(to: usize, n: u32): i32 {
  const target = malloc(MAXPATHLEN, M_TEMP, M_WAITOK);
  memcpy(target, to, strlen(to) + 1);
  changed_name(target, n);
  const error = do_rename(to, target, false, curproc());
  free(target, M_TEMP);
  return error;
}

function truncate_file(to: usize): i32 {
  const vap = changetype<Vattr>(frame_alloc(offsetof<Vattr>()));
  const error = lstat_file(to, vap);
  if (error != 0) return error;
  return do_truncate(to, i64(vap.va_size >> 1), curproc());
}

function change_one(path: usize, type: u32, arg: usize): i32 {
  const args = changetype<ChangeArgs>(arg);
  if (type != DT_REG) return 0;
  const n = args.files;
  args.files++;
  const change = change_of(n);
  if (change == CHANGE_NONE) return 0;
  const to = malloc(MAXPATHLEN, M_TEMP, M_WAITOK);
  let error = map_path(path, args.from, args.to, to);
  if (error == 0) {
    if (change == CHANGE_RENAME) {
      error = rename_file(to, n);
      args.renamed++;
    } else if (change == CHANGE_TRUNCATE) {
      error = truncate_file(to);
      args.truncated++;
    } else {
      error = do_unlink(to, curproc());
      args.removed++;
    }
  }
  if (error != 0) printf(cs("change: %s: error %d\n"), to, error);
  free(to, M_TEMP);
  return error;
}

/** Changes the copy at `to` file by file, in the order of the source. */
export function change_main(arg: usize): void {
  const args = changetype<ChangeArgs>(arg);
  const path = malloc(MAXPATHLEN, M_TEMP, M_WAITOK);
  memcpy(path, args.from, strlen(args.from) + 1);
  args.error = walk_tree(path, args.skip, change_one.index, arg);
  free(path, M_TEMP);
  exit_program(args.error);
}
