// Ordinary write traffic on a memory file system, with sync(8) in between.
//
// What /tmp sees in its first minutes: folders, many small files (most of them
// empty: locks, markers), some of several blocks, renames and removals; a sync;
// then lines appended here and there, and another sync. The mount is
// asynchronous, so everything stays in the buffer cache until `sync` pushes it
// out in one go. In the second sync all that is dirty among the inodes became so
// by the sync itself, which goes through the vnodes newest first; so the inode
// blocks leave the cache, newest first again, in ascending order.

import { do_mkdir, do_rename, do_unlink } from "../../fs/vfs_syscalls";
import { Vnode } from "../../fs/vnode";
import { frame_alloc } from "../i386/cpufunc";
import { free, malloc } from "../kern_malloc";
import { curproc } from "../kern_proc";
import { printf, snprintf } from "../subr_prf";
import { EIO } from "../sys/errno";
import { M_TEMP, M_WAITOK } from "../sys/malloc";
import { bootarg_u32 } from "../subr_bootargs";
import { mount_mfs, print_summary, summary_copied, unmount_mfs } from "./mount_mfs";
import { sync_main } from "./sync";
import { append_file, close_file, exit_program, open_file, read_file, run_program, write_file } from "./unistd";

const FOLDERS: u32 = 4;
const FILES: u32 = 72;
const BUFFER: u32 = 8192;

@unmanaged class TrafficArgs {
  error: i32;
  files: u32;
  bytes: u32;
}

/** Length of the n-th file at first: mostly empty, some of a few KB, now and then several blocks. */
function first_length_of(n: u32): u32 {
  if (n % 5 != 1) return 0;
  if (n % 4 == 3) return 17000 + n * 128;
  return 300 + (n * 1237) % 7000;
}

/** Bytes appended to the n-th file after the first sync. */
function appended_to(n: u32): u32 {
  return n % 17 == 1 ? 700 : 0;
}

function length_of(n: u32): u32 {
  return first_length_of(n) + appended_to(n);
}

/** The bytes of file n repeat with a period that is no power of two, so a misplaced block shows. */
function fill(buf: usize, n: u32, offset: u32, len: u32): void {
  for (let i: u32 = 0; i < len; i++) store<u8>(buf + i, (n * 31 + (offset + i) % 251) & 0xff);
}

function path_of(path: usize, n: u32): void {
  snprintf(path, 64, cs("/mnt/d%u/file%u"), n % FOLDERS, n);
}

/** Writes file n from `offset` up to `length`; `create` makes it. */
function write_one(path: usize, buf: usize, n: u32, offset: u32, length: u32, create: bool): i32 {
  const vpp = frame_alloc(4);
  let error = create ? open_file(path, true, 0o644, vpp) : append_file(path, vpp);
  if (error != 0) return error;
  const vp = changetype<Vnode>(load<usize>(vpp));
  while (offset < length && error == 0) {
    const count = length - offset < BUFFER ? length - offset : BUFFER;
    fill(buf, n, offset, count);
    error = write_file(vp, buf, count, u64(offset));
    offset += count;
  }
  close_file(vp, true);
  return error;
}

/** Reads file n back and compares; EIO when a byte differs. */
function check_one(path: usize, buf: usize, n: u32): i32 {
  const vpp = frame_alloc(4);
  const countp = frame_alloc(4);
  let error = open_file(path, false, 0, vpp);
  if (error != 0) return error;
  const vp = changetype<Vnode>(load<usize>(vpp));
  const expected = buf + BUFFER;
  let offset: u32 = 0;
  for (; ;) {
    error = read_file(vp, buf, BUFFER, u64(offset), countp);
    const count = load<u32>(countp);
    if (error != 0 || count == 0) break;
    fill(expected, n, offset, count);
    for (let i: u32 = 0; i < count; i++) {
      if (load<u8>(buf + i) != load<u8>(expected + i)) error = EIO;
    }
    offset += count;
    if (error != 0) break;
  }
  close_file(vp, false);
  if (error == 0 && offset != length_of(n)) error = EIO;
  return error;
}

function make_folders(path: usize): i32 {
  for (let n: u32 = 0; n < FOLDERS; n++) {
    snprintf(path, 64, cs("/mnt/d%u"), n);
    const error = do_mkdir(path, 0o755, curproc());
    if (error != 0) return error;
  }
  return 0;
}

/** Removes every fifth file and renames the one after it there and back. */
function shuffle(path: usize, other: usize): i32 {
  for (let n: u32 = 4; n + 1 < FILES; n += 5) {
    path_of(path, n);
    let error = do_unlink(path, curproc());
    if (error != 0) return error;
    path_of(other, n + 1);
    error = do_rename(other, path, false, curproc());
    if (error == 0) error = do_rename(path, other, false, curproc());
    if (error != 0) return error;
  }
  return 0;
}

function is_removed(n: u32): bool {
  return n % 5 == 4 && n + 1 < FILES;
}

/** The process that appends. */
function append_main(arg: usize): void {
  const args = changetype<TrafficArgs>(arg);
  const path = malloc(64, M_TEMP, M_WAITOK);
  const buf = malloc(BUFFER, M_TEMP, M_WAITOK);
  args.error = 0;
  for (let n: u32 = 0; n < FILES && args.error == 0; n++) {
    if (appended_to(n) == 0 || is_removed(n)) continue;
    path_of(path, n);
    args.error = write_one(path, buf, n, first_length_of(n), length_of(n), false);
    args.bytes += appended_to(n);
  }
  free(buf, M_TEMP);
  free(path, M_TEMP);
  exit_program(args.error);
}

/** The writing process. */
function traffic_main(arg: usize): void {
  const args = changetype<TrafficArgs>(arg);
  const path = malloc(128, M_TEMP, M_WAITOK);
  const buf = malloc(2 * BUFFER, M_TEMP, M_WAITOK);
  args.error = make_folders(path);
  for (let n: u32 = 0; n < FILES && args.error == 0; n++) {
    path_of(path, n);
    const length = first_length_of(n);
    args.error = write_one(path, buf, n, 0, length, true);
    args.files++;
    args.bytes += length;
  }
  if (args.error == 0) args.error = shuffle(path, path + 64);
  free(buf, M_TEMP);
  free(path, M_TEMP);
  exit_program(args.error);
}

/** The checking process: every file that is left, byte by byte. */
function check_main(arg: usize): void {
  const args = changetype<TrafficArgs>(arg);
  const path = malloc(64, M_TEMP, M_WAITOK);
  const buf = malloc(2 * BUFFER, M_TEMP, M_WAITOK);
  for (let n: u32 = 0; n < FILES; n++) {
    if (is_removed(n)) continue;
    path_of(path, n);
    const error = check_one(path, buf, n);
    if (error != 0) {
      printf(cs("check: %s: error %d\n"), path, error);
      args.error = error;
    }
  }
  free(buf, M_TEMP);
  free(path, M_TEMP);
  exit_program(args.error);
}

/** init of the workload `traffic`: mount, write, sync, append, sync, check, unmount, `rounds` times. Returns 0 or an errno. */
export function traffic(): i32 {
  const args = changetype<TrafficArgs>(malloc(12, M_TEMP, M_WAITOK));
  const rounds = bootarg_u32(cs("rounds"), 1);
  let error = 0;
  for (let round: u32 = 0; round < rounds && error == 0; round++) {
    args.error = 0;
    args.files = 0;
    args.bytes = 0;
    error = mount_mfs(cs("/mnt"));
    if (error != 0) break;
    error = run_program(cs("cp"), traffic_main.index, changetype<usize>(args));
    run_program(cs("sync"), sync_main.index, 0);
    if (error == 0) error = run_program(cs("sh"), append_main.index, changetype<usize>(args));
    summary_copied(args.files, u64(args.bytes));
    printf(cs("traffic: %u files, %u bytes written, error %d\n"), args.files, args.bytes, error);
    run_program(cs("sync"), sync_main.index, 0);
    if (error == 0) error = run_program(cs("cksum"), check_main.index, changetype<usize>(args));
    if (error == 0) printf(cs("traffic: every byte is right\n"));
    print_summary();
    const unmounted = unmount_mfs(cs("/mnt"));
    if (error == 0) error = unmounted;
  }
  free(changetype<usize>(args), M_TEMP);
  return error;
}
