// find(1): walks trees: -name and -path pattern, -type letter, -perm [-]mode, -user and -group name, -size n[c], -inum,
// -links, -atime, -ctime and -mtime n, -newer file, -depth, -prune, -xdev, -print, -print0, -exec command ; and
// -exec command {} + with -a between them, -o and ! and parentheses, as in NetBSD.
import { frame_alloc } from "../../i386/cpufunc";
import { strchr, strcmp, strlen } from "../../libkern";
import { err, errx, set_progname, strerror, usage, warn, warnx } from "../lib/errors";
import { SIZEOF_STAT, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, Stat } from "../lib/files";
import { match } from "../lib/match";
import { change_mode } from "../lib/mode";
import { execvp, wait_for } from "../lib/process";
import { exit, flush, printf, putc } from "../lib/stdio";
import { free, is_digit, malloc, parse_long, strdup, strrchr, zalloc } from "../lib/stdlib";
import { environ } from "../lib/sym";
import { __lstat13, __stat13, fork } from "../lib/syscalls";
import { now } from "../lib/time";
import { group_number, user_number } from "../lib/users";
import {
  Path, extend_path, free_listing, list_folder, listing_name, new_path, path_text, shorten_path,
} from "../lib/walk";

@unmanaged
class State {
  /** The expression: words from `first` to `end`; `at` while it is evaluated. */
  first: usize;
  end: usize;
  at: usize;
  path: usize;
  st: Stat;
  depth: u32;
  /** -print or -exec stands in the expression. */
  acts: u32;
  status: i32;
  now: i32;
  /** What `-exec ... +` has gathered. */
  batches: usize;
  /** -prune: what lies below the folder is left out. */
  pruned: u32;
  /** -xdev: what lies on another device is left out; the device of the operand, plus 1. */
  same_device: u32;
  device: u32;
}
const state = changetype<State>(memory.data(offsetof<State>()));

function is_word(text: usize): bool {
  return state.at < state.end && strcmp(load<usize>(state.at), text) == 0;
}

function take(): usize {
  if (state.at >= state.end) errx(1, cs("the expression ends too early"));
  state.at += 4;
  return load<usize>(state.at - 4);
}

/** Compares with `n`, `+n` (more) or `-n` (less). */
function compares(value: i64, text: usize): bool {
  const sign = load<u8>(text);
  const wanted = parse_long(is_digit(sign) ? text : text + 1, 0);
  return sign == 0x2b ? value > wanted : sign == 0x2d ? value < wanted : value == wanted;
}

function has_type(letter: u32): bool {
  const type = state.st.type;
  switch (letter) {
    case 0x66: return type == S_IFREG;
    case 0x64: return type == S_IFDIR;
    case 0x6c: return type == S_IFLNK;
    case 0x62: return type == S_IFBLK;
    case 0x63: return type == S_IFCHR;
    default: return letter == 0x70 && type == S_IFIFO;
  }
}

function has_size(text: usize): bool {
  const bytes = strchr(text, 0x63) != 0;
  return compares(i64(bytes ? state.st.size : (state.st.size + 511) / 512), text);
}

/** -perm: the mode is exactly that; with a dash, it has at least these bits. */
function has_mode(text: usize): bool {
  const some = load<u8>(text) == 0x2d;
  const wanted = change_mode(some ? text + 1 : text, 0, false);
  const mode = state.st.st_mode & 0xfff;
  return some ? (mode & wanted) == wanted : mode == wanted;
}

/** The number of a user or group; ends the program when there is none. */
function known_number(word: usize, name: usize, number: i32): i32 {
  if (number < 0) errx(1, cs("%s: %s: no such name"), word, name);
  return number;
}

function is_newer(file: usize): bool {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  if (__stat13(file, changetype<usize>(st)) != 0) err(1, file);
  return state.st.st_mtime > st.st_mtime;
}

/** Runs the command `argv`; whether its status is 0. */
function run(argv: usize): bool {
  flush();
  const pid = fork();
  if (pid < 0) err(1, cs("fork"));
  if (pid == 0) {
    const error = execvp(load<usize>(argv), argv, load<usize>(environ()));
    warnx(cs("%s: %s"), load<usize>(argv), strerror(error));
    exit(1);
  }
  return wait_for(pid, frame_alloc(4)) == 0;
}

/** Paths that one command of `-exec ... +` takes, and their bytes with the words: well below ARG_MAX. */
const BATCH_PATHS: u32 = 4096;
const BATCH_BYTES: u32 = 131072;

/** The paths gathered for the command of a `-exec ... +`. */
@unmanaged
class Batch {
  next: usize;
  /** The word after -exec. */
  from: usize;
  /** Words of the command before the paths. */
  words: u32;
  count: u32;
  bytes: u32;
  argv: usize;
}

function batch_of(from: usize, words: u32): Batch {
  for (let at = state.batches; at != 0; at = changetype<Batch>(at).next) {
    if (changetype<Batch>(at).from == from) return changetype<Batch>(at);
  }
  const batch = changetype<Batch>(zalloc(offsetof<Batch>()));
  batch.from = from;
  batch.words = words;
  batch.argv = malloc(4 * (words + BATCH_PATHS + 1));
  memory.copy(batch.argv, from, 4 * words);
  batch.next = state.batches;
  state.batches = changetype<usize>(batch);
  return batch;
}

function run_batch(batch: Batch): void {
  if (batch.count == 0) return;
  const paths = batch.argv + 4 * batch.words;
  store<usize>(paths + 4 * batch.count, 0);
  if (!run(batch.argv)) state.status = 1;
  for (let i: u32 = 0; i < batch.count; i++) free(load<usize>(paths + 4 * i));
  batch.count = 0;
  batch.bytes = 0;
}

/** One more path for the command of words from `from`; runs the command when there are many. */
function gather(from: usize, words: u32): void {
  const batch = batch_of(from, words);
  store<usize>(batch.argv + 4 * (words + batch.count), strdup(state.path));
  batch.count++;
  batch.bytes += strlen(state.path) + 5;
  if (batch.count == BATCH_PATHS || batch.bytes >= BATCH_BYTES) run_batch(batch);
}

/** -exec: words up to `;` with the path in place of {}, or up to `{} +`, which gathers paths. */
function executes(active: bool): bool {
  const from = state.at;
  while (!is_word(cs(";"))) {
    if (strcmp(take(), cs("{}")) != 0 || !is_word(cs("+"))) continue;
    const words = u32(state.at - from) / 4 - 1;
    state.at += 4;
    if (words == 0) errx(1, cs("-exec: no command"));
    if (active) gather(from, words);
    return true;
  }
  const count = u32(state.at - from) / 4;
  state.at += 4;
  if (count == 0) errx(1, cs("-exec: no command"));
  if (!active) return false;
  const argv = malloc(4 * count + 4);
  for (let i: u32 = 0; i < count; i++) {
    const word = load<usize>(from + 4 * i);
    store<usize>(argv + 4 * i, strcmp(word, cs("{}")) == 0 ? state.path : word);
  }
  store<usize>(argv + 4 * count, 0);
  const done = run(argv);
  free(argv);
  return done;
}

function base_of(path: usize): usize {
  const slash = strrchr(path, 0x2f);
  return slash == 0 || load<u8>(slash + 1) == 0 ? path : slash + 1;
}

/** One primary; with `active` false it is only passed over. */
function primary(active: bool): bool {
  const word = take();
  if (strcmp(word, cs("!")) == 0) return !primary(active);
  if (strcmp(word, cs("(")) == 0) {
    const value = either(active);
    if (!is_word(cs(")"))) errx(1, cs("missing )"));
    state.at += 4;
    return value;
  }
  if (strcmp(word, cs("-print")) == 0) {
    if (active) printf(cs("%s\n"), state.path);
    return true;
  }
  if (strcmp(word, cs("-print0")) == 0) {
    if (active) {
      printf(cs("%s"), state.path);
      putc(0);
    }
    return true;
  }
  if (strcmp(word, cs("-depth")) == 0 || strcmp(word, cs("-xdev")) == 0) return true;
  if (strcmp(word, cs("-prune")) == 0) {
    if (active) state.pruned = 1;
    return true;
  }
  if (strcmp(word, cs("-exec")) == 0) return executes(active);
  const operand = take();
  if (strcmp(word, cs("-name")) == 0) return match(operand, base_of(state.path));
  if (strcmp(word, cs("-type")) == 0) return has_type(load<u8>(operand));
  if (strcmp(word, cs("-size")) == 0) return has_size(operand);
  if (strcmp(word, cs("-newer")) == 0) return is_newer(operand);
  if (strcmp(word, cs("-path")) == 0) return match(operand, state.path);
  if (strcmp(word, cs("-perm")) == 0) return has_mode(operand);
  if (strcmp(word, cs("-user")) == 0) return i32(state.st.st_uid) == known_number(word, operand, user_number(operand));
  if (strcmp(word, cs("-group")) == 0) return i32(state.st.st_gid) == known_number(word, operand, group_number(operand));
  if (strcmp(word, cs("-inum")) == 0) return compares(i64(state.st.st_ino), operand);
  if (strcmp(word, cs("-atime")) == 0) return compares(i64((state.now - state.st.st_atime) / 86400), operand);
  if (strcmp(word, cs("-ctime")) == 0) return compares(i64((state.now - state.st.st_ctime) / 86400), operand);
  if (strcmp(word, cs("-links")) == 0) return compares(i64(state.st.st_nlink), operand);
  if (strcmp(word, cs("-mtime")) == 0) return compares(i64((state.now - state.st.st_mtime) / 86400), operand);
  errx(1, cs("%s: unknown expression"), word);
  return false;
}

function both(active: bool): bool {
  let value = primary(active);
  while (state.at < state.end && !is_word(cs("-o")) && !is_word(cs(")"))) {
    if (is_word(cs("-a"))) state.at += 4;
    const other = primary(active && value);
    value = value && other;
  }
  return value;
}

function either(active: bool): bool {
  let value = both(active);
  while (is_word(cs("-o"))) {
    state.at += 4;
    const other = both(active && !value);
    value = value || other;
  }
  return value;
}

function evaluate(path: usize, st: Stat): void {
  state.path = path;
  state.st = st;
  state.pruned = 0;
  state.at = state.first;
  const value = state.at >= state.end || either(true);
  if (state.at < state.end) errx(1, cs("%s: unexpected"), load<usize>(state.at));
  if (value && state.acts == 0) printf(cs("%s\n"), path);
}

function walk(path: Path): void {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const text = path_text(path);
  if (__lstat13(text, changetype<usize>(st)) != 0) {
    warn(text);
    state.status = 1;
    return;
  }
  state.pruned = 0;
  if (state.depth == 0) evaluate(text, st);
  if (state.device == 0) state.device = st.st_dev + 1;
  const elsewhere = state.same_device != 0 && st.st_dev + 1 != state.device;
  if (st.type == S_IFDIR && state.pruned == 0 && !elsewhere) {
    const listing = list_folder(text, true);
    if (changetype<usize>(listing) == 0) {
      warn(text);
      state.status = 1;
    } else {
      for (let i: u32 = 0; i < listing.count; i++) {
        const length = extend_path(path, listing_name(listing, i));
        walk(path);
        shorten_path(path, length);
      }
      free_listing(listing);
    }
  }
  if (state.depth != 0) evaluate(text, st);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("find"));
  let at = 1;
  while (at < argc) {
    const word = load<usize>(argv + 4 * at);
    if (load<u8>(word) == 0x2d || strcmp(word, cs("!")) == 0 || strcmp(word, cs("(")) == 0) break;
    at++;
  }
  if (at == 1) usage(cs("find file ... [expression]"));
  state.first = argv + 4 * at;
  state.end = argv + 4 * argc;
  state.now = now();
  for (let word = state.first; word < state.end; word += 4) {
    const text = load<usize>(word);
    if (strcmp(text, cs("-depth")) == 0) state.depth = 1;
    if (strcmp(text, cs("-xdev")) == 0 || strcmp(text, cs("-x")) == 0) state.same_device = 1;
    if (strcmp(text, cs("-print")) == 0 || strcmp(text, cs("-print0")) == 0 || strcmp(text, cs("-exec")) == 0) state.acts = 1;
  }
  for (let i = 1; i < at; i++) {
    state.device = 0;
    walk(new_path(load<usize>(argv + 4 * i)));
  }
  for (let at = state.batches; at != 0; at = changetype<Batch>(at).next) run_batch(changetype<Batch>(at));
  return state.status;
}
