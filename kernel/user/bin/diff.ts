// diff(1): how files differ, and with -r trees. -q tells only whether they do, -s also that they do not. Symbolic
// links below the operands are compared by their targets. Status 0 equal, 1 different, 2 trouble.
import { bss, frame_alloc } from "../../i386/cpufunc";
import { memcmp, strcmp } from "../../libkern";
import { set_progname, warn } from "../lib/errors";
import { O_RDONLY, SIZEOF_STAT, S_IFDIR, S_IFLNK, S_IFREG, Stat, base_name } from "../lib/files";
import { getopt, optind } from "../lib/getopt";
import { eprintf, exit, printf } from "../lib/stdio";
import { strdup } from "../lib/stdlib";
import { __lstat13, __stat13, close, open, read, readlink } from "../lib/syscalls";
import {
  Listing, Path, extend_path, free_listing, list_folder, listing_name, new_path, path_text, shorten_path,
} from "../lib/walk";
import { print_differences } from "./diff/lines";

const BUFFER_SIZE: u32 = 16384;
const LINK_SIZE: u32 = 1024;
const DIFFERENT: i32 = 1;
const TROUBLE: i32 = 2;

@unmanaged
class Options {
  recursive: u32;
  brief: u32;
  tells_same: u32;
}
const options = changetype<Options>(memory.data(12));

function worse(status: i32, other: i32): i32 {
  return other > status ? other : status;
}

/** Fills the buffer; fewer bytes than it holds at the end only. -1 after a message. */
function fill(fd: i32, buffer: usize, name: usize): i32 {
  let n: u32 = 0;
  while (n < BUFFER_SIZE) {
    const count = read(fd, buffer + n, BUFFER_SIZE - n);
    if (count < 0) {
      warn(name);
      return -1;
    }
    if (count == 0) break;
    n += count;
  }
  return n;
}

/** Compares two open files byte by byte: 0, 1, or 2 after a message. */
function same_bytes(a: i32, b: i32, one: usize, other: usize): i32 {
  const buffer = bss(2 * BUFFER_SIZE, 16);
  while (true) {
    const n = fill(a, buffer, one);
    const m = fill(b, buffer + BUFFER_SIZE, other);
    if (n < 0 || m < 0) return TROUBLE;
    if (n != m || memcmp(buffer, buffer + BUFFER_SIZE, n) != 0) return DIFFERENT;
    if (n == 0) return 0;
  }
}

function open_both(one: usize, other: usize, fds: usize): bool {
  store<i32>(fds, open(one, O_RDONLY, 0));
  if (load<i32>(fds) < 0) {
    warn(one);
    return false;
  }
  store<i32>(fds, open(other, O_RDONLY, 0), 4);
  if (load<i32>(fds, 4) >= 0) return true;
  warn(other);
  close(load<i32>(fds));
  return false;
}

function diff_files(one: usize, other: usize, below: bool): i32 {
  const fds = frame_alloc(8);
  if (!open_both(one, other, fds)) return TROUBLE;
  let status = same_bytes(load<i32>(fds), load<i32>(fds, 4), one, other);
  close(load<i32>(fds));
  close(load<i32>(fds, 4));
  if (status == 0 && options.tells_same != 0) printf(cs("Files %s and %s are identical\n"), one, other);
  if (status == DIFFERENT && options.brief != 0) printf(cs("Files %s and %s differ\n"), one, other);
  else if (status == DIFFERENT) {
    if (below) printf(cs("diff -r %s %s\n"), one, other);
    status = print_differences(one, other);
  }
  return status;
}

function diff_links(one: usize, other: usize): i32 {
  const text = bss(2 * LINK_SIZE, 4);
  const n = readlink(one, text, LINK_SIZE);
  const m = readlink(other, text + LINK_SIZE, LINK_SIZE);
  if (n < 0 || m < 0) {
    warn(n < 0 ? one : other);
    return TROUBLE;
  }
  if (n == m && memcmp(text, text + LINK_SIZE, n) == 0) return 0;
  printf(cs("Symbolic links %s and %s differ\n"), one, other);
  return DIFFERENT;
}

function only_in(folder: Path, name: usize): i32 {
  printf(cs("Only in %s: %s\n"), path_text(folder), name);
  return DIFFERENT;
}

/** What both folders have under one name. */
function diff_entry(one: Path, other: Path, name: usize): i32 {
  const before = extend_path(one, name);
  const there = extend_path(other, name);
  const status = diff_paths(one, other, true);
  shorten_path(one, before);
  shorten_path(other, there);
  return status;
}

function diff_listings(one: Path, other: Path, a: Listing, b: Listing): i32 {
  let status = 0;
  let i: u32 = 0;
  let j: u32 = 0;
  while (i < a.count || j < b.count) {
    const order = i == a.count ? 1 : j == b.count ? -1 : strcmp(listing_name(a, i), listing_name(b, j));
    if (order < 0) status = worse(status, only_in(one, listing_name(a, i)));
    else if (order > 0) status = worse(status, only_in(other, listing_name(b, j)));
    else status = worse(status, diff_entry(one, other, listing_name(a, i)));
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return status;
}

function diff_folders(one: Path, other: Path): i32 {
  const a = list_folder(path_text(one), true);
  if (changetype<usize>(a) == 0) {
    warn(path_text(one));
    return TROUBLE;
  }
  const b = list_folder(path_text(other), true);
  if (changetype<usize>(b) == 0) {
    warn(path_text(other));
    free_listing(a);
    return TROUBLE;
  }
  const status = diff_listings(one, other, a, b);
  free_listing(a);
  free_listing(b);
  return status;
}

function kind(st: Stat): usize {
  switch (st.type) {
    case S_IFREG: return cs("regular file");
    case S_IFDIR: return cs("directory");
    case S_IFLNK: return cs("symbolic link");
    default: return cs("special file");
  }
}

/** Compares what two paths lead to; `below`: they were found in folders, and links are not followed. */
function diff_paths(one: Path, other: Path, below: bool): i32 {
  const a = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const b = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const x = path_text(one);
  const y = path_text(other);
  const first = below ? __lstat13(x, changetype<usize>(a)) : __stat13(x, changetype<usize>(a));
  if (first != 0) {
    warn(x);
    return TROUBLE;
  }
  const second = below ? __lstat13(y, changetype<usize>(b)) : __stat13(y, changetype<usize>(b));
  if (second != 0) {
    warn(y);
    return TROUBLE;
  }
  if (a.type != b.type) {
    printf(cs("File %s is a %s while file %s is a %s\n"), x, kind(a), y, kind(b));
    return DIFFERENT;
  }
  if (a.type == S_IFLNK) return diff_links(x, y);
  if (a.type != S_IFDIR) {
    if (a.type == S_IFREG) return diff_files(x, y, below);
    if (a.st_rdev == b.st_rdev) return 0;
    printf(cs("Special files %s and %s differ\n"), x, y);
    return DIFFERENT;
  }
  if (below && options.recursive == 0) {
    printf(cs("Common subdirectories: %s and %s\n"), x, y);
    return 0;
  }
  return diff_folders(one, other);
}

function is_folder(path: usize): bool {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  return __stat13(path, changetype<usize>(st)) == 0 && st.type == S_IFDIR;
}

function wrong_usage(): void {
  eprintf(cs("usage: diff [-qrs] file1 file2\n"));
  exit(TROUBLE);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("diff"));
  for (let letter = getopt(argc, argv, cs("qrs")); letter != -1; letter = getopt(argc, argv, cs("qrs"))) {
    if (letter == 0x71) options.brief = 1;
    else if (letter == 0x72) options.recursive = 1;
    else if (letter == 0x73) options.tells_same = 1;
    else wrong_usage();
  }
  if (argc - optind() != 2) wrong_usage();
  const first = load<usize>(argv + 4 * optind());
  const second = load<usize>(argv + 4 * (optind() + 1));
  const one = new_path(first);
  const other = new_path(second);
  // A file and a folder: the file of the same name in the folder.
  if (is_folder(first) && !is_folder(second)) extend_path(one, base_name(strdup(second)));
  else if (is_folder(second) && !is_folder(first)) extend_path(other, base_name(strdup(first)));
  return diff_paths(one, other, false);
}
