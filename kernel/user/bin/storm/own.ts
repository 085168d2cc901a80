// storm: operations on a process's own names. Nobody else touches them, so each
// ends as the process's tables foresee, mistakes included.
import { frame_alloc } from "../../../i386/cpufunc";
import { SIZEOF_STAT, S_IFDIR, Stat } from "../../lib/files";
import { printf } from "../../lib/stdio";
import { random_below } from "../../lib/random";
import { __lstat13, link, mkdir, rename, rmdir, unlink } from "../../lib/syscalls";
import { MAKE, REWRITE, check_error, error_of, give_up, note, read_contents, write_contents } from "./contents";
import {
  FILES, FOLDERS, NOWHERE, PLACES_MAX, counts, file_links, file_path, file_serial, folder_path, folder_place, is_below,
  is_empty, name_file, name_place, set_word, storm, word_of,
} from "./state";

const ENOENT: i32 = 2;
const EEXIST: i32 = 17;
const ENOTDIR: i32 = 20;
const EISDIR: i32 = 21;
const EINVAL: i32 = 22;
const ENOTEMPTY: i32 = 66;

/** A shared place, or an own folder that exists. */
function any_place(): u32 {
  const k = random_below(2 * FOLDERS);
  if (k < FOLDERS && word_of(folder_place, k) != NOWHERE) return PLACES_MAX + k;
  return random_below(storm.places);
}

/** A file that has no name. */
function unused_file(): u32 {
  let file: u32 = 0;
  while (word_of(file_links, file) != 0) file++;
  return file;
}

function forget_name(k: u32): void {
  const file = word_of(name_file, k);
  set_word(file_links, file, word_of(file_links, file) - 1);
  set_word(name_place, k, NOWHERE);
}

function remember_name(k: u32, place: u32, file: u32): void {
  set_word(name_place, k, place);
  set_word(name_file, k, file);
  set_word(file_links, file, word_of(file_links, file) + 1);
}

/** Makes the file name `k`, or writes the file that it names anew. */
export function own_create(k: u32): void {
  const path = frame_alloc(256);
  const old = word_of(name_place, k);
  const place = old != NOWHERE ? old : any_place();
  file_path(place, k, path);
  const serial = ++storm.serial;
  if (old == NOWHERE) {
    note(cs("create"), path, cs(""));
    check_error(cs("create"), path, write_contents(path, serial, MAKE), 0);
    const file = unused_file();
    set_word(file_serial, file, serial);
    remember_name(k, place, file);
    counts.created++;
  } else {
    note(cs("rewrite"), path, cs(""));
    check_error(cs("create"), path, write_contents(path, serial, MAKE), EEXIST);
    check_error(cs("rewrite"), path, write_contents(path, serial, REWRITE), 0);
    set_word(file_serial, word_of(name_file, k), serial);
    counts.rewritten++;
  }
}

/** Removes the file name `k`. */
export function own_unlink(k: u32): void {
  const path = frame_alloc(256);
  const old = word_of(name_place, k);
  file_path(old != NOWHERE ? old : any_place(), k, path);
  note(cs("unlink"), path, cs(""));
  check_error(cs("unlink"), path, error_of(unlink(path)), old != NOWHERE ? 0 : ENOENT);
  if (old == NOWHERE) return;
  forget_name(k);
  counts.unlinked++;
}

/** Gives the file of name `from` the name `to`, too. */
export function own_link(from: u32, to: u32): void {
  const path = frame_alloc(256);
  const other = frame_alloc(256);
  const have = word_of(name_place, from);
  const old = word_of(name_place, to);
  const place = old != NOWHERE ? old : any_place();
  file_path(have != NOWHERE ? have : any_place(), from, path);
  file_path(place, to, other);
  note(cs("link"), path, other);
  const wanted = have == NOWHERE ? ENOENT : old != NOWHERE ? EEXIST : 0;
  check_error(cs("link"), other, error_of(link(path, other)), wanted);
  if (wanted != 0) return;
  remember_name(to, place, word_of(name_file, from));
  counts.linked++;
}

/** Renames the file name `from` to `to`, in the same folder or another, with or without a file there. */
export function own_rename(from: u32, to: u32): void {
  const path = frame_alloc(256);
  const other = frame_alloc(256);
  const have = word_of(name_place, from);
  const old = word_of(name_place, to);
  const place = old != NOWHERE ? old : any_place();
  file_path(have != NOWHERE ? have : any_place(), from, path);
  file_path(place, to, other);
  note(cs("rename"), path, other);
  check_error(cs("rename"), path, error_of(rename(path, other)), have == NOWHERE ? ENOENT : 0);
  if (have == NOWHERE || from == to) return;
  const file = word_of(name_file, from);
  // Of two names of one file the first is removed, which is the same.
  if (old != NOWHERE) forget_name(to);
  remember_name(to, place, file);
  forget_name(from);
  counts.renamed++;
}

/** Reads the file name `k` and compares all that is known of it. */
export function own_read(k: u32): void {
  const path = frame_alloc(256);
  const who = frame_alloc(8);
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const old = word_of(name_place, k);
  file_path(old != NOWHERE ? old : any_place(), k, path);
  note(cs("read"), path, cs(""));
  check_error(cs("read"), path, read_contents(path, who), old != NOWHERE ? 0 : ENOENT);
  if (old == NOWHERE) return;
  const file = word_of(name_file, k);
  check_error(cs("stat"), path, error_of(__lstat13(path, changetype<usize>(st))), 0);
  if (load<u32>(who) != storm.proc || load<u32>(who + 4) != word_of(file_serial, file)) {
    printf(cs("storm: process %u: %s holds contents %u of process %u, expected contents %u\n"), storm.proc, path,
      load<u32>(who + 4), load<u32>(who), word_of(file_serial, file));
    give_up();
  }
  if (st.st_nlink != word_of(file_links, file)) {
    printf(cs("storm: process %u: %s has %u links, expected %u\n"), storm.proc, path, st.st_nlink,
      word_of(file_links, file));
    give_up();
  }
  counts.read++;
}

/** Makes the own folder `k`. */
export function own_mkdir(k: u32): void {
  const path = frame_alloc(256);
  const old = word_of(folder_place, k);
  const place = old != NOWHERE ? old : any_place();
  folder_path(place, k, path);
  note(cs("mkdir"), path, cs(""));
  check_error(cs("mkdir"), path, error_of(mkdir(path, 0x1ff)), old != NOWHERE ? EEXIST : 0);
  if (old != NOWHERE) return;
  set_word(folder_place, k, place);
  counts.mkdirs++;
}

/** Removes the own folder `k` if it is empty. */
export function own_rmdir(k: u32): void {
  const path = frame_alloc(256);
  const old = word_of(folder_place, k);
  folder_path(old != NOWHERE ? old : any_place(), k, path);
  note(cs("rmdir"), path, cs(""));
  const wanted = old == NOWHERE ? ENOENT : is_empty(k) ? 0 : ENOTEMPTY;
  check_error(cs("rmdir"), path, error_of(rmdir(path)), wanted);
  if (wanted != 0) return;
  set_word(folder_place, k, NOWHERE);
  counts.rmdirs++;
}

/** The errno of renaming the own folder `from` to `to`, which stands or would stand in `place`. */
function move_error(from: u32, to: u32, place: u32): i32 {
  if (word_of(folder_place, from) == NOWHERE) return ENOENT;
  if (from == to) return 0;
  if (is_below(place, from)) return EINVAL;
  return word_of(folder_place, to) != NOWHERE && !is_empty(to) ? ENOTEMPTY : 0;
}

/** Renames the own folder `from` to `to`, with all that is in it. */
export function own_move(from: u32, to: u32): void {
  const path = frame_alloc(256);
  const other = frame_alloc(256);
  const have = word_of(folder_place, from);
  const old = word_of(folder_place, to);
  const place = old != NOWHERE ? old : any_place();
  folder_path(have != NOWHERE ? have : any_place(), from, path);
  folder_path(place, to, other);
  note(cs("move"), path, other);
  const wanted = move_error(from, to, place);
  check_error(cs("move"), path, error_of(rename(path, other)), wanted);
  if (wanted != 0 || from == to) return;
  set_word(folder_place, to, place);
  set_word(folder_place, from, NOWHERE);
  // What stood in `from` stands in `to` now.
  for (let i: u32 = 0; i < FILES; i++) {
    if (word_of(name_place, i) == PLACES_MAX + from) set_word(name_place, i, PLACES_MAX + to);
  }
  for (let i: u32 = 0; i < FOLDERS; i++) {
    if (word_of(folder_place, i) == PLACES_MAX + from) set_word(folder_place, i, PLACES_MAX + to);
  }
  counts.renamed++;
}

/** What is refused: folders over files, files over folders, links and unlinks of folders. */
export function own_mixed(file: u32, folder: u32): void {
  const path = frame_alloc(256);
  const other = frame_alloc(256);
  if (word_of(name_place, file) == NOWHERE || word_of(folder_place, folder) == NOWHERE) return;
  file_path(word_of(name_place, file), file, path);
  folder_path(word_of(folder_place, folder), folder, other);
  note(cs("mixed"), path, other);
  check_error(cs("rename file to folder"), path, error_of(rename(path, other)), EISDIR);
  check_error(cs("rename folder to file"), other, error_of(rename(other, path)), ENOTDIR);
  check_error(cs("rmdir of a file"), path, error_of(rmdir(path)), ENOTDIR);
  check_error(cs("mkdir over a file"), path, error_of(mkdir(path, 0x1ff)), EEXIST);
}

/** At the end: every name of this process is as the tables say. */
export function own_check(): void {
  const path = frame_alloc(256);
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  for (let k: u32 = 0; k < FILES; k++) own_read(k);
  for (let k: u32 = 0; k < FOLDERS; k++) {
    const place = word_of(folder_place, k);
    if (place == NOWHERE) continue;
    folder_path(place, k, path);
    note(cs("stat"), path, cs(""));
    check_error(cs("stat"), path, error_of(__lstat13(path, changetype<usize>(st))), 0);
    if (st.type == S_IFDIR) continue;
    printf(cs("storm: process %u: %s is no folder\n"), storm.proc, path);
    give_up();
  }
}
