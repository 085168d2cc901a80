// How ls prints a list: one name a line, in columns, or long.
import { bss, frame_alloc } from "../../../i386/cpufunc";
import { strlen, umax } from "../../../libkern";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFSOCK, Stat, strmode } from "../../lib/files";
import { printf, putc, puts, snprintf } from "../../lib/stdio";
import { free } from "../../lib/stdlib";
import { readlink } from "../../lib/syscalls";
import { Date, SIZEOF_DATE, month_name, now, to_date } from "../../lib/time";
import { group_name, user_name } from "../../lib/users";
import { extend_path, new_path, path_text } from "../../lib/walk";
import { Entry, List, entry_at, options, time_of } from "./list";

const HALF_YEAR: i32 = 15778476;
const TAB: u32 = 8;
const NUMBER_SIZE: u32 = 12;

/** Columns that the parts of a list take. */
@unmanaged
class Widths {
  inode: u32;
  blocks: u32;
  links: u32;
  user: u32;
  group: u32;
  size: u32;
  name: u32;
}

function print_time(time: i32): void {
  const date = changetype<Date>(frame_alloc(SIZEOF_DATE));
  to_date(time, date);
  printf(cs("%.3s %2d "), month_name(date.month), date.day);
  const age = now() - time;
  if (options.full_time != 0) printf(cs("%02d:%02d:%02d %d "), date.hour, date.minute, date.second, date.year);
  else if (age < HALF_YEAR && age > -HALF_YEAR) printf(cs("%02d:%02d "), date.hour, date.minute);
  else printf(cs(" %4d "), date.year);
}

/** The mark of -F behind a name, or 0. */
function mark_of(st: Stat): u32 {
  if (options.marks == 0) return 0;
  if (st.type == S_IFDIR) return 0x2f;
  if (st.type == S_IFLNK) return 0x40;
  if (st.type == S_IFIFO) return 0x7c;
  if (st.type == S_IFSOCK) return 0x3d;
  return (st.st_mode & 0x49) != 0 ? 0x2a : 0;
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

/** Blocks in the unit of the options. */
function blocks_of(st: Stat): u32 {
  return options.kilobytes != 0 ? (st.st_blocks_low + 1) / 2 : st.st_blocks_low;
}

function owner(st: Stat, buffer: usize): usize {
  if (options.numbers == 0) return user_name(st.st_uid);
  snprintf(buffer, NUMBER_SIZE, cs("%u"), st.st_uid);
  return buffer;
}

function group(st: Stat, buffer: usize): usize {
  if (options.numbers == 0) return group_name(st.st_gid);
  snprintf(buffer, NUMBER_SIZE, cs("%u"), st.st_gid);
  return buffer;
}

function measure(list: List, w: Widths): void {
  const buffer = frame_alloc(NUMBER_SIZE);
  memory.fill(changetype<usize>(w), 0, offsetof<Widths>());
  for (let i: u32 = 0; i < list.count; i++) {
    const entry = entry_at(list, i);
    const st = entry.st;
    w.inode = umax(w.inode, width(u64(st.st_ino)));
    w.blocks = umax(w.blocks, width(u64(blocks_of(st))));
    w.links = umax(w.links, width(u64(st.st_nlink)));
    w.size = umax(w.size, st.type == S_IFCHR || st.type == S_IFBLK ? 8 : width(st.size));
    w.name = umax(w.name, strlen(entry.name));
    if (options.long == 0) continue;
    w.user = umax(w.user, strlen(owner(st, buffer)));
    w.group = umax(w.group, strlen(group(st, buffer)));
  }
}

function print_long(st: Stat, w: Widths): void {
  const mode = frame_alloc(12);
  const user_buffer = frame_alloc(NUMBER_SIZE);
  const group_buffer = frame_alloc(NUMBER_SIZE);
  strmode(st.st_mode, mode);
  printf(
    cs("%s %*u %-*s  %-*s  "), mode, w.links + 1, st.st_nlink, w.user, owner(st, user_buffer), w.group,
    group(st, group_buffer),
  );
  if (st.type == S_IFCHR || st.type == S_IFBLK) {
    const minor = (st.st_rdev & 0xff) | ((st.st_rdev >> 12) & 0xfff00);
    printf(cs("%*s%3u, %3u "), w.size - 8, cs(""), (st.st_rdev >> 8) & 0xfff, minor);
  } else printf(cs("%*qu "), w.size, st.st_size_low, st.st_size_high);
  print_time(time_of(st));
}

function print_target(folder: usize, name: usize): void {
  const path = new_path(folder == 0 ? cs("") : folder);
  const target = bss(1024, 4);
  extend_path(path, name);
  const n = readlink(path_text(path), target, 1023);
  free(changetype<usize>(path));
  if (n < 0) return;
  store<u8>(target + n, 0);
  printf(cs(" -> %s"), target);
}

/** Inode, blocks, name and mark; returns the columns that they took. */
function print_name(entry: Entry, w: Widths): u32 {
  let columns = strlen(entry.name);
  if (options.inodes != 0) {
    printf(cs("%*u "), w.inode, entry.st.st_ino);
    columns += w.inode + 1;
  }
  if (options.blocks != 0) {
    printf(cs("%*u "), w.blocks, blocks_of(entry.st));
    columns += w.blocks + 1;
  }
  if (options.long != 0) print_long(entry.st, w);
  puts(entry.name);
  const mark = mark_of(entry.st);
  if (mark != 0) putc(mark);
  return mark != 0 ? columns + 1 : columns;
}

/** Blanks to the column `end` of a row, as tabs; returns where that is. */
function fill_up(at: u32, end: u32): u32 {
  while (((at + TAB) & ~(TAB - 1)) <= end) {
    putc(9);
    at = (at + TAB) & ~(TAB - 1);
  }
  return at;
}

/** As many columns as the width allows, down the columns or along the rows. */
function print_columns(list: List, w: Widths): void {
  let column = w.name + (options.marks != 0 ? 1 : 0);
  if (options.inodes != 0) column += w.inode + 1;
  if (options.blocks != 0) column += w.blocks + 1;
  column = (column + TAB) & ~(TAB - 1);
  const across = umax(options.width / column, 1);
  const rows = (list.count + across - 1) / across;
  for (let row: u32 = 0; row < rows; row++) {
    let at: u32 = 0;
    for (let i: u32 = 0; i < across; i++) {
      const index = options.across != 0 ? row * across + i : i * rows + row;
      if (index >= list.count) break;
      at += print_name(entry_at(list, index), w);
      const more = options.across != 0 ? index + 1 < list.count && i + 1 < across : index + rows < list.count;
      if (more) at = fill_up(at, (i + 1) * column);
    }
    putc(0x0a);
  }
}

/** Prints a sorted list of files that lie in `folder` (0: their names are paths). */
export function print_list(list: List, folder: usize): void {
  const w = changetype<Widths>(frame_alloc(offsetof<Widths>()));
  measure(list, w);
  if (options.columns != 0 && options.long == 0) return print_columns(list, w);
  for (let i: u32 = 0; i < list.count; i++) {
    const entry = entry_at(list, i);
    print_name(entry, w);
    if (options.long != 0 && entry.st.type == S_IFLNK) print_target(folder, entry.name);
    putc(0x0a);
  }
}

export function print_total(list: List): void {
  let blocks: u32 = 0;
  for (let i: u32 = 0; i < list.count; i++) blocks += blocks_of(entry_at(list, i).st);
  printf(cs("total %u\n"), blocks);
}
