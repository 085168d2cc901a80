// cp: copies a tree: folders, files, symbolic links.

import { DT_DIR, DT_LNK, DT_REG } from "../../fs/ufs/dir";
import { Vattr, Vnode } from "../../fs/vnode";
import { do_mkdir, do_readlink, do_symlink } from "../../fs/vfs_syscalls";
import { frame_alloc } from "../i386/cpufunc";
import { free, malloc } from "../kern_malloc";
import { curproc } from "../kern_proc";
import { memcpy, strlen } from "../libkern";
import { printf } from "../subr_prf";
import { ENAMETOOLONG } from "../sys/errno";
import { M_TEMP, M_WAITOK } from "../sys/malloc";
import { MAXPATHLEN } from "../sys/param";
import { close_file, exit_program, lstat_file, open_file, read_file, write_file } from "./unistd";
import { walk_tree } from "./walk";

/** Bytes moved by one read and write. */
const CHUNK: u32 = 16384;

/** What cp is to do, and what it did. */
@unmanaged export class CpArgs {
  bytes: u64;
  /** Folders without trailing slash; the source may be "/". */
  from: usize;
  to: usize;
  /** Left out; a path below `from`, or 0. */
  skip: usize;
  files: u32;
  directories: u32;
  links: u32;
  /** Errno that ended the copy. */
  error: i32;
}

/** The path below `to` that corresponds to `path` below `from`, into `buf` (MAXPATHLEN bytes). */
export function map_path(path: usize, from: usize, to: usize, buf: usize): i32 {
  let skip = strlen(from);
  if (skip == 1) skip = 0;
  const head = strlen(to);
  const tail = strlen(path + skip);
  if (head + tail + 1 > MAXPATHLEN) return ENAMETOOLONG;
  memcpy(buf, to, head);
  memcpy(buf + head, path + skip, tail + 1);
  return 0;
}

function copy_data(source: Vnode, target: Vnode, args: CpArgs): i32 {
  const buf = malloc(CHUNK, M_TEMP, M_WAITOK);
  const countp = frame_alloc(4);
  let offset: u64 = 0;
  let error = 0;
  do {
    error = read_file(source, buf, CHUNK, offset, countp);
    const count = load<u32>(countp);
    if (error != 0 || count == 0) break;
    error = write_file(target, buf, count, offset);
    offset += u64(count);
  } while (error == 0);
  free(buf, M_TEMP);
  if (error == 0) args.bytes += offset;
  return error;
}

function copy_file(path: usize, to: usize, args: CpArgs): i32 {
  const vap = changetype<Vattr>(frame_alloc(offsetof<Vattr>()));
  const sourcep = frame_alloc(4);
  const targetp = frame_alloc(4);
  let error = lstat_file(path, vap);
  if (error != 0) return error;
  error = open_file(path, false, 0, sourcep);
  if (error != 0) return error;
  const source = changetype<Vnode>(load<usize>(sourcep));
  error = open_file(to, true, vap.va_mode & 0o7777, targetp);
  if (error == 0) {
    const target = changetype<Vnode>(load<usize>(targetp));
    error = copy_data(source, target, args);
    const close_error = close_file(target, true);
    if (error == 0) error = close_error;
  }
  close_file(source, false);
  if (error == 0) args.files++;
  return error;
}

function copy_link(path: usize, to: usize, args: CpArgs): i32 {
  const text = malloc(MAXPATHLEN, M_TEMP, M_WAITOK);
  const lengthp = frame_alloc(4);
  let error = do_readlink(path, text, MAXPATHLEN - 1, lengthp, curproc());
  if (error == 0) {
    store<u8>(text + load<u32>(lengthp), 0);
    error = do_symlink(text, to, curproc());
  }
  free(text, M_TEMP);
  if (error == 0) args.links++;
  return error;
}

function copy_one(path: usize, type: u32, arg: usize): i32 {
  const args = changetype<CpArgs>(arg);
  const to = malloc(MAXPATHLEN, M_TEMP, M_WAITOK);
  let error = map_path(path, args.from, args.to, to);
  if (error == 0) {
    if (type == DT_DIR) {
      error = do_mkdir(to, 0o755, curproc());
      if (error == 0) args.directories++;
    } else if (type == DT_REG) error = copy_file(path, to, args);
    else if (type == DT_LNK) error = copy_link(path, to, args);
  }
  free(to, M_TEMP);
  return error;
}

/** Copies until done or until an error; the result is in `arg` (a CpArgs). */
export function cp_main(arg: usize): void {
  const args = changetype<CpArgs>(arg);
  const path = malloc(MAXPATHLEN, M_TEMP, M_WAITOK);
  memcpy(path, args.from, strlen(args.from) + 1);
  args.error = walk_tree(path, args.skip, copy_one.index, arg);
  if (args.error != 0) printf(cs("cp: %s: error %d\n"), path, args.error);
  free(path, M_TEMP);
  exit_program(args.error);
}
