// What ls has been asked for, and the lists of files that it gathers.
import { strcmp } from "../../../libkern";
import { SIZEOF_STAT, Stat } from "../../lib/files";
import { free, malloc, realloc, strdup } from "../../lib/stdlib";

@unmanaged
export class Options {
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
  /** In columns; the width of the terminal. */
  columns: u32;
  width: u32;
  /** -x: names of a row follow each other. */
  across: u32;
  /** Numbers of users and groups, not names. */
  numbers: u32;
  /** Links are followed. */
  follow: u32;
  /** Sizes in kilobytes; all of a time. */
  kilobytes: u32;
  full_time: u32;
  /** The time that is shown and sorted by: 0 of change to the contents, 1 of access, 2 of change to the inode. */
  which_time: u32;
  /** As the directory has them. */
  unsorted: u32;
  status: i32;
}
export const options = changetype<Options>(memory.data(offsetof<Options>()));

/** A file to be listed. */
@unmanaged
export class Entry {
  name: usize;
  st: Stat;
}

@unmanaged
export class List {
  count: u32;
  capacity: u32;
  entries: usize;
}

export function new_list(): List {
  const list = changetype<List>(malloc(offsetof<List>()));
  list.count = 0;
  list.capacity = 16;
  list.entries = malloc(4 * list.capacity);
  return list;
}

export function entry_at(list: List, i: u32): Entry {
  return load<Entry>(list.entries + 4 * i);
}

/** Appends a file, whose status the caller fills in. */
export function add_entry(list: List, name: usize): Entry {
  if (list.count == list.capacity) {
    list.capacity *= 2;
    list.entries = realloc(list.entries, 4 * list.capacity);
  }
  const entry = changetype<Entry>(malloc(offsetof<Entry>() + SIZEOF_STAT));
  entry.name = strdup(name);
  entry.st = changetype<Stat>(changetype<usize>(entry) + offsetof<Entry>());
  store<usize>(list.entries + 4 * list.count, changetype<usize>(entry));
  list.count++;
  return entry;
}

export function free_entries(list: List): void {
  for (let i: u32 = 0; i < list.count; i++) {
    free(entry_at(list, i).name);
    free(changetype<usize>(entry_at(list, i)));
  }
  free(list.entries);
  free(changetype<usize>(list));
}

/** The time that the options ask for. */
export function time_of(st: Stat): i32 {
  return options.which_time == 0 ? st.st_mtime : options.which_time == 1 ? st.st_atime : st.st_ctime;
}

/** The order of two entries, for sort_words. */
export function compare_entries(a: usize, b: usize): i32 {
  const x = changetype<Entry>(a);
  const y = changetype<Entry>(b);
  let order = 0;
  if (options.by_size != 0 && x.st.size != y.st.size) order = x.st.size > y.st.size ? -1 : 1;
  else if (options.by_time != 0 && time_of(x.st) != time_of(y.st)) order = time_of(x.st) > time_of(y.st) ? -1 : 1;
  else order = strcmp(x.name, y.name);
  return options.reverse != 0 ? 0 - order : order;
}
