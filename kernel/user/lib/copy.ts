// Copies files and trees, for cp and mv.
import { bss, frame_alloc } from "../../i386/cpufunc";
import { warn, warnx } from "./errors";
import {
  O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY, SIZEOF_STAT, S_IFBLK, S_IFCHR, S_IFDIR, S_IFLNK, S_IFREG, Stat,
} from "./files";
import { ask } from "./input";
import { write_all } from "./stdio";
import {
  __lstat13, __stat13, access, chmod, chown, close, mkdir, mknod, open, read, readlink, symlink, unlink, utimes,
} from "./syscalls";
import { Path, extend_path, free_listing, list_folder, listing_name, path_text, shorten_path } from "./walk";

const BUFFER_SIZE: u32 = 16384;

/** How to copy. */
@unmanaged
export class CopyOptions {
  recursive: u32;
  /** Keep owner, mode and times. */
  preserve: u32;
  /** Remove what cannot be opened for writing. */
  force: u32;
  /** Follow symbolic links below the operands. */
  follow: u32;
  /** Follow those that are operands. */
  follow_operands: u32;
  /** Ask before a file is overwritten. */
  interactive: u32;
}

function copy_contents(from: i32, to: i32, source: usize, target: usize): i32 {
  const buffer = bss(BUFFER_SIZE, 16);
  while (true) {
    const n = read(from, buffer, BUFFER_SIZE);
    if (n == 0) return 0;
    if (n < 0) {
      warn(source);
      return 1;
    }
    if (write_all(to, buffer, n) != 0) {
      warn(target);
      return 1;
    }
  }
}

function copy_file(source: usize, target: usize, st: Stat, options: CopyOptions): i32 {
  const from = open(source, O_RDONLY, 0);
  if (from < 0) {
    warn(source);
    return 1;
  }
  if (options.interactive != 0 && access(target, 0) == 0 && !ask(cs("overwrite %s? "), target)) {
    close(from);
    return 0;
  }
  let to = open(target, O_WRONLY | O_CREAT | O_TRUNC, st.st_mode & 0x1ff);
  if (to < 0 && options.force != 0 && unlink(target) == 0) {
    to = open(target, O_WRONLY | O_CREAT | O_TRUNC, st.st_mode & 0x1ff);
  }
  if (to < 0) {
    warn(target);
    close(from);
    return 1;
  }
  let status = copy_contents(from, to, source, target);
  close(from);
  if (close(to) != 0) {
    warn(target);
    status = 1;
  }
  return status;
}

function copy_link(source: usize, target: usize): i32 {
  const text = bss(1024, 4);
  const n = readlink(source, text, 1023);
  if (n < 0) {
    warn(source);
    return 1;
  }
  store<u8>(text + n, 0);
  unlink(target);
  if (symlink(text, target) == 0) return 0;
  warn(target);
  return 1;
}

/** Owner, mode and times of the original. */
function keep_attributes(target: usize, st: Stat): void {
  const times = frame_alloc(16);
  store<i32>(times, st.st_atime);
  store<i32>(times, i32(st.st_atimensec / 1000), 4);
  store<i32>(times, st.st_mtime, 8);
  store<i32>(times, i32(st.st_mtimensec / 1000), 12);
  chown(target, st.st_uid, st.st_gid);
  chmod(target, st.st_mode & 0xfff);
  utimes(target, times);
}

function copy_folder(source: Path, target: Path, st: Stat, options: CopyOptions): i32 {
  const there = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const text = path_text(target);
  const exists = __stat13(text, changetype<usize>(there)) == 0;
  if (exists && there.type != S_IFDIR) {
    warnx(cs("%s: Not a directory"), text);
    return 1;
  }
  if (!exists && mkdir(text, (st.st_mode & 0x1ff) | 0x1c0) != 0) {
    warn(text);
    return 1;
  }
  const listing = list_folder(path_text(source), true);
  if (changetype<usize>(listing) == 0) {
    warn(path_text(source));
    return 1;
  }
  let status = 0;
  for (let i: u32 = 0; i < listing.count; i++) {
    const name = listing_name(listing, i);
    const from = extend_path(source, name);
    const to = extend_path(target, name);
    if (copy_tree(source, target, options) != 0) status = 1;
    shorten_path(source, from);
    shorten_path(target, to);
  }
  free_listing(listing);
  if (!exists && options.preserve == 0) chmod(text, st.st_mode & 0x1ff);
  return status;
}

/** Copies a file, or with `recursive` a tree, to a path. Returns 0, or 1 after messages. */
export function copy_tree(source: Path, target: Path, options: CopyOptions): i32 {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const from = path_text(source);
  const to = path_text(target);
  const follows = options.recursive == 0 || options.follow != 0;
  const error = follows ? __stat13(from, changetype<usize>(st)) : __lstat13(from, changetype<usize>(st));
  if (error != 0) {
    warn(from);
    return 1;
  }
  if (st.type == S_IFDIR && options.recursive == 0) {
    warnx(cs("%s is a directory (not copied)."), from);
    return 1;
  }
  const there = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const exists = __stat13(to, changetype<usize>(there)) == 0;
  if (exists && there.st_dev == st.st_dev && there.st_ino == st.st_ino && st.type != S_IFDIR) {
    warnx(cs("%s and %s are identical (not copied)."), to, from);
    return 1;
  }
  let status = 0;
  if (st.type == S_IFDIR) status = copy_folder(source, target, st, options);
  else if (st.type == S_IFLNK) return copy_link(from, to);
  else if (st.type == S_IFREG || options.recursive == 0) status = copy_file(from, to, st, options);
  else if (st.type == S_IFCHR || st.type == S_IFBLK) status = mknod(to, st.st_mode, st.st_rdev) == 0 ? 0 : 1;
  if (status == 0 && options.preserve != 0) keep_attributes(to, st);
  return status;
}

/** As copy_tree, of an operand: with `follow_operands` a link is followed. */
export function copy_operand(source: Path, target: Path, options: CopyOptions): i32 {
  const below = options.follow;
  options.follow |= options.follow_operands;
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const is_link = __lstat13(path_text(source), changetype<usize>(st)) == 0 && st.type == S_IFLNK;
  if (is_link && options.follow_operands != 0 && below == 0) {
    // What the link leads to is the operand: `link/.` is its folder.
    if (__stat13(path_text(source), changetype<usize>(st)) == 0 && st.type == S_IFDIR) extend_path(source, cs("."));
  }
  options.follow = below;
  return copy_tree(source, target, options);
}
