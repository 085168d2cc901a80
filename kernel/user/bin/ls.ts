// ls(1): lists files, in columns on a terminal. -1 -A -a -C -c -d -F -f -i -k -L -l -n -R -r -S -s -T -t -u -x.
import { frame_alloc } from "../../i386/cpufunc";
import { strcmp } from "../../libkern";
import { set_progname, usage, warn } from "../lib/errors";
import { SIZEOF_STAT, S_IFDIR, S_IFLNK, Stat, closedir, opendir, readdir } from "../lib/files";
import { getopt, optind } from "../lib/getopt";
import { printf, putc } from "../lib/stdio";
import { atoi, free, getenv, sort_words } from "../lib/stdlib";
import { __lstat13, __stat13, geteuid, ioctl } from "../lib/syscalls";
import { extend_path, new_path, path_text, shorten_path } from "../lib/walk";
import { List, add_entry, compare_entries, entry_at, free_entries, new_list, options } from "./ls/list";
import { print_list, print_total } from "./ls/print";

const TIOCGWINSZ: u32 = 0x40087468;
const TIOCGETA: u32 = 0x402c7413;
const USUAL_WIDTH: u32 = 80;

function is_dots(name: usize): bool {
  return strcmp(name, cs(".")) == 0 || strcmp(name, cs("..")) == 0;
}

/** The status of a file, through a link if -L says so and the link leads anywhere. */
function status_of(path: usize, st: Stat, follow: bool): i32 {
  if (follow && __stat13(path, changetype<usize>(st)) == 0) return 0;
  return __lstat13(path, changetype<usize>(st));
}

function sort_list(list: List): void {
  if (options.unsorted == 0) sort_words(list.entries, list.count, compare_entries.index);
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
    if (load<u8>(item.name) == 0x2e && options.all == 0 && (is_dots(item.name) || options.almost == 0)) continue;
    const entry = add_entry(list, item.name);
    const length = extend_path(path, item.name);
    if (status_of(path_text(path), entry.st, options.follow != 0) != 0) {
      warn(path_text(path));
      options.status = 1;
      list.count--;
    }
    shorten_path(path, length);
  }
  closedir(dir);
  sort_list(list);
  if (titled) printf(cs("%s:\n"), folder);
  if (options.long != 0 || options.blocks != 0) print_total(list);
  print_list(list, folder);
  for (let i: u32 = 0; options.recursive != 0 && i < list.count; i++) {
    const entry = entry_at(list, i);
    if (entry.st.type != S_IFDIR || is_dots(entry.name)) continue;
    const length = extend_path(path, entry.name);
    putc(0x0a);
    list_folder(path_text(path), true);
    shorten_path(path, length);
  }
  free_entries(list);
  free(changetype<usize>(path));
}

function list_operands(argc: i32, argv: usize, from: i32): void {
  const files = new_list();
  const folders = new_list();
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  // A link named by the user is followed, unless the link itself is wanted.
  const follow = options.follow != 0 || (options.long == 0 && options.folders == 0 && options.marks == 0);
  for (let i = from; i < argc; i++) {
    const name = load<usize>(argv + 4 * i);
    if (status_of(name, st, follow) != 0) {
      warn(name);
      options.status = 1;
      continue;
    }
    const entry = add_entry(st.type == S_IFDIR && options.folders == 0 ? folders : files, name);
    memory.copy(changetype<usize>(entry.st), changetype<usize>(st), SIZEOF_STAT);
  }
  sort_list(files);
  sort_list(folders);
  if (files.count > 0) print_list(files, 0);
  for (let i: u32 = 0; i < folders.count; i++) {
    if (files.count > 0 || i > 0) putc(0x0a);
    list_folder(entry_at(folders, i).name, argc - from > 1);
  }
}

/** A terminal gets columns, as wide as it is or COLUMNS says. */
function look_at_output(): void {
  const buffer = frame_alloc(64);
  const wanted = getenv(cs("COLUMNS"));
  options.width = wanted == 0 ? 0 : u32(atoi(wanted));
  if (ioctl(1, TIOCGETA, buffer) != 0) {
    if (options.width == 0) options.width = USUAL_WIDTH;
    return;
  }
  options.columns = 1;
  if (options.width == 0 && ioctl(1, TIOCGWINSZ, buffer) == 0) options.width = load<u16>(buffer, 2);
  if (options.width == 0) options.width = USUAL_WIDTH;
}

function take_option(letter: i32): void {
  switch (letter) {
    case 0x31: options.columns = 0; break;
    case 0x61: options.all = 1; break;
    case 0x41: options.almost = 1; break;
    case 0x43:
      options.columns = 1;
      options.long = 0;
      break;
    case 0x63: options.which_time = 2; break;
    case 0x64: options.folders = 1; break;
    case 0x46: options.marks = 1; break;
    case 0x66:
      options.unsorted = 1;
      options.all = 1;
      break;
    case 0x69: options.inodes = 1; break;
    case 0x6b: options.kilobytes = 1; break;
    case 0x4c: options.follow = 1; break;
    case 0x6e: options.numbers = 1; // as -l
    case 0x6c: options.long = 1; break;
    case 0x52: options.recursive = 1; break;
    case 0x72: options.reverse = 1; break;
    case 0x73: options.blocks = 1; break;
    case 0x53: options.by_size = 1; break;
    case 0x54: options.full_time = 1; break;
    case 0x74: options.by_time = 1; break;
    case 0x75: options.which_time = 1; break;
    case 0x78:
      options.columns = 1;
      options.across = 1;
      break;
    default: usage(cs("ls [-1AaCcdFfikLlnRrSsTtux] [file ...]"));
  }
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("ls"));
  look_at_output();
  if (geteuid() == 0) options.almost = 1;
  const letters = cs("1aACcdFfikLlnRrsSTtux");
  for (let letter = getopt(argc, argv, letters); letter != -1; letter = getopt(argc, argv, letters)) take_option(letter);
  if (optind() < argc) list_operands(argc, argv, optind());
  else if (options.folders != 0) {
    const words = frame_alloc(8);
    store<usize>(words, cs("."));
    list_operands(1, words, 0);
  } else list_folder(cs("."), false);
  return options.status;
}
