// ls(1): lists files. -1 -a -A -d -F -i -l -n -R -r -s -S -t, as NetBSD's.
// Output is one name a line, also on a terminal.
import { bss, frame_alloc } from "../../i386/cpufunc";
import { strcmp } from "../../libkern";
import { set_progname, usage, warn } from "../lib/errors";
import {
  SIZEOF_STAT, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, Stat, closedir, opendir, readdir, strmode,
} from "../lib/files";
import { getopt, optind } from "../lib/getopt";
import { printf, putc, puts } from "../lib/stdio";
import { free, malloc, realloc, sort_words, strdup } from "../lib/stdlib";
import { __lstat13, __stat13, readlink } from "../lib/syscalls";
import { Date, SIZEOF_DATE, month_name, now, to_date } from "../lib/time";
import { extend_path, new_path, path_text, shorten_path } from "../lib/walk";

@unmanaged
class Options {
  all: u32;
  almost: u32;
  folders: u32;
  marks: u32;
  inodes: u32;
  long: u32;
  recursive: u32;
  reverse: u32;
  blocks: u32;
  by_size: u32;
  by_time: u32;
  status: i32;
}
const options = changetype<Options>(memory.data(48));
const HALF_YEAR: i32 = 15778476;

/** A file to be listed. */
@unmanaged
class Entry {
  name: usize;
  st: Stat;
}

@unmanaged
class List {
  count: u32;
  capacity: u32;
  entries: usize;
}

function new_list(): List {
  const list = changetype<List>(malloc(12));
  list.count = 0;
  list.capacity = 16;
  list.entries = malloc(64);
  return list;
}

function entry_at(list: List, i: u32): Entry {
  return load<Entry>(list.entries + 4 * i);
}

function add(list: List, name: usize): Entry {
  if (list.count == list.capacity) {
    list.capacity *= 2;
    list.entries = realloc(list.entries, 4 * list.capacity);
  }
  const entry = changetype<Entry>(malloc(8 + SIZEOF_STAT));
  entry.name = strdup(name);
  entry.st = changetype<Stat>(changetype<usize>(entry) + 8);
  store<usize>(list.entries + 4 * list.count, changetype<usize>(entry));
  list.count++;
  return entry;
}

function free_list(list: List): void {
  for (let i: u32 = 0; i < list.count; i++) {
    free(entry_at(list, i).name);
    free(changetype<usize>(entry_at(list, i)));
  }
  free(list.entries);
  free(changetype<usize>(list));
}

function compare(a: usize, b: usize): i32 {
  const x = changetype<Entry>(a);
  const y = changetype<Entry>(b);
  let order = 0;
  if (options.by_size != 0 && x.st.size != y.st.size) order = x.st.size > y.st.size ? -1 : 1;
  else if (options.by_time != 0 && x.st.st_mtime != y.st.st_mtime) order = x.st.st_mtime > y.st.st_mtime ? -1 : 1;
  else order = strcmp(x.name, y.name);
  return options.reverse != 0 ? 0 - order : order;
}

function print_time(time: i32): void {
  const date = changetype<Date>(frame_alloc(SIZEOF_DATE));
  to_date(time, date);
  printf(cs("%.3s %2d "), month_name(date.month), date.day);
  const age = now() - time;
  if (age < HALF_YEAR && age > -HALF_YEAR) printf(cs("%02d:%02d "), date.hour, date.minute);
  else printf(cs(" %4d "), date.year);
}

function print_mark(st: Stat): void {
  if (st.type == S_IFDIR) putc(0x2f);
  else if (st.type == S_IFLNK) putc(0x40);
  else if (st.type == S_IFIFO) putc(0x7c);
  else if ((st.st_mode & 0x49) != 0) putc(0x2a);
}

/** Digits of a number. */
function width(value: u64): u32 {
  let n: u32 = 1;
  while (value >= 10) {
    value = value / 10;
    n++;
  }
  return n;
}

function print_long(st: Stat, links: u32, size: u32): void {
  const mode = frame_alloc(12);
  strmode(st.st_mode, mode);
  printf(cs("%s  %*u %u  %u  "), mode, links, st.st_nlink, st.st_uid, st.st_gid);
  if (st.type == S_IFCHR || st.type == S_IFBLK) {
    const minor = (st.st_rdev & 0xff) | ((st.st_rdev >> 12) & 0xfff00);
    printf(cs("%3u, %3u "), (st.st_rdev >> 8) & 0xfff, minor);
  } else printf(cs("%*qu "), size, st.st_size_low, st.st_size_high);
  print_time(st.st_mtime);
}

function print_target(path: usize): void {
  const target = bss(1024, 4);
  const n = readlink(path, target, 1023);
  if (n < 0) return;
  store<u8>(target + n, 0);
  printf(cs(" -> %s"), target);
}

/** Prints a sorted list of files that lie in `folder` (0: their names are paths). */
function print_list(list: List, folder: usize): void {
  let links: u32 = 1;
  let size: u32 = 1;
  for (let i: u32 = 0; i < list.count; i++) {
    const st = entry_at(list, i).st;
    if (width(u64(st.st_nlink)) > links) links = width(u64(st.st_nlink));
    if (width(st.size) > size) size = width(st.size);
  }
  for (let i: u32 = 0; i < list.count; i++) {
    const entry = entry_at(list, i);
    if (options.inodes != 0) printf(cs("%u "), entry.st.st_ino);
    if (options.blocks != 0) printf(cs("%4u "), entry.st.st_blocks_low);
    if (options.long != 0) print_long(entry.st, links, size);
    puts(entry.name);
    if (options.marks != 0) print_mark(entry.st);
    if (options.long != 0 && entry.st.type == S_IFLNK) {
      const path = new_path(folder == 0 ? cs("") : folder);
      extend_path(path, entry.name);
      print_target(path_text(path));
      free(changetype<usize>(path));
    }
    putc(0x0a);
  }
}

function print_total(list: List): void {
  let blocks: u32 = 0;
  for (let i: u32 = 0; i < list.count; i++) blocks += entry_at(list, i).st.st_blocks_low;
  printf(cs("total %u\n"), blocks);
}

function list_folder(folder: usize, titled: bool): void {
  const dir = opendir(folder);
  if (changetype<usize>(dir) == 0) {
    warn(folder);
    options.status = 1;
    return;
  }
  const list = new_list();
  const path = new_path(folder);
  for (let item = readdir(dir); changetype<usize>(item) != 0; item = readdir(dir)) {
    const isDot = strcmp(item.name, cs(".")) == 0 || strcmp(item.name, cs("..")) == 0;
    if (load<u8>(item.name) == 0x2e && options.all == 0 && (isDot || options.almost == 0)) continue;
    const entry = add(list, item.name);
    const length = extend_path(path, item.name);
    if (__lstat13(path_text(path), changetype<usize>(entry.st)) != 0) {
      warn(path_text(path));
      options.status = 1;
      list.count--;
    }
    shorten_path(path, length);
  }
  closedir(dir);
  sort_words(list.entries, list.count, compare.index);
  if (titled) printf(cs("%s:\n"), folder);
  if (options.long != 0 || options.blocks != 0) print_total(list);
  print_list(list, folder);
  for (let i: u32 = 0; options.recursive != 0 && i < list.count; i++) {
    const entry = entry_at(list, i);
    const isDot = strcmp(entry.name, cs(".")) == 0 || strcmp(entry.name, cs("..")) == 0;
    if (entry.st.type != S_IFDIR || isDot) continue;
    const length = extend_path(path, entry.name);
    putc(0x0a);
    list_folder(path_text(path), true);
    shorten_path(path, length);
  }
  free_list(list);
  free(changetype<usize>(path));
}

function list_operands(argc: i32, argv: usize, from: i32): void {
  const files = new_list();
  const folders = new_list();
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  for (let i = from; i < argc; i++) {
    const name = load<usize>(argv + 4 * i);
    let error = __lstat13(name, changetype<usize>(st));
    // A link named by the user is followed, unless the link itself is wanted.
    const follows = options.long == 0 && options.folders == 0 && error == 0 && st.type == S_IFLNK;
    if (follows && __stat13(name, changetype<usize>(st)) != 0) error = __lstat13(name, changetype<usize>(st));
    if (error != 0) {
      warn(name);
      options.status = 1;
      continue;
    }
    const list = st.type == S_IFDIR && options.folders == 0 ? folders : files;
    const entry = add(list, name);
    memory.copy(changetype<usize>(entry.st), changetype<usize>(st), SIZEOF_STAT);
  }
  sort_words(files.entries, files.count, compare.index);
  sort_words(folders.entries, folders.count, compare.index);
  print_list(files, 0);
  for (let i: u32 = 0; i < folders.count; i++) {
    if (files.count > 0 || i > 0) putc(0x0a);
    list_folder(entry_at(folders, i).name, argc - from > 1);
  }
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("ls"));
  const letters = cs("1aACdFilnRrsSt");
  for (let letter = getopt(argc, argv, letters); letter != -1; letter = getopt(argc, argv, letters)) {
    switch (letter) {
      case 0x61: options.all = 1; break;
      case 0x41: options.almost = 1; break;
      case 0x64: options.folders = 1; break;
      case 0x46: options.marks = 1; break;
      case 0x69: options.inodes = 1; break;
      case 0x6c:
      case 0x6e: options.long = 1; break;
      case 0x52: options.recursive = 1; break;
      case 0x72: options.reverse = 1; break;
      case 0x73: options.blocks = 1; break;
      case 0x53: options.by_size = 1; break;
      case 0x74: options.by_time = 1; break;
      case 0x3f: usage(cs("ls [-1AaCdFilnRrSst] [file ...]")); break;
      default: break;
    }
  }
  if (optind() < argc) list_operands(argc, argv, optind());
  else if (options.folders != 0) {
    const words = frame_alloc(8);
    store<usize>(words, cs("."));
    list_operands(1, words, 0);
  } else list_folder(cs("."), false);
  return options.status;
}
