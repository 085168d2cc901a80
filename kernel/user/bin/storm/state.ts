// storm: what each process knows.
//
// Places are folders: 0 to places - 1 are shared by all processes, PLACES_MAX + k
// is the process's own folder k, which stands in another place itself. A process
// has file names `pN.fK` and folder names `pN.dK` of its own in any place, and
// knows of each what it must find there. The names `cK` and `xK` in the shared
// places belong to everybody; whoever finds them finds anything, but whole.
import { snprintf } from "../../lib/stdio";

export const PLACES_MAX: u32 = 16;
export const FILES: u32 = 16;
export const FOLDERS: u32 = 6;
export const COMMON_FILES: u32 = 12;
export const COMMON_FOLDERS: u32 = 5;
export const PATH_SIZE: u32 = 256;
/** A file name or folder that does not exist. */
export const NOWHERE: u32 = 0xffffffff;

/** What processes count and report. */
@unmanaged
export class Counts {
  created: u32;
  rewritten: u32;
  renamed: u32;
  linked: u32;
  unlinked: u32;
  mkdirs: u32;
  rmdirs: u32;
  read: u32;
}
export const SIZEOF_COUNTS: u32 = 32;

@unmanaged
export class Storm {
  /** The folder that all happens in. */
  top: usize;
  places: u32;
  procs: u32;
  ops: u32;
  maxlen: u32;
  seed: u32;
  /** This process, and its operation. */
  proc: u32;
  op: u32;
  /** Number of the next contents. */
  serial: u32;
  /** Buffers for contents. */
  data: usize;
  wanted: usize;
}

export const storm = changetype<Storm>(memory.data(offsetof<Storm>(), 4));
export const counts = changetype<Counts>(memory.data(32, 4));

/** Words by file name: its place, and the file (an index below) that it names. */
export const name_place = memory.data(16 * 4, 4);
export const name_file = memory.data(16 * 4, 4);
/** Words by file: the serial number of its contents, and how many names it has. */
export const file_serial = memory.data(16 * 4, 4);
export const file_links = memory.data(16 * 4, 4);
/** Words by folder: its place. */
export const folder_place = memory.data(6 * 4, 4);

export function word_of(table: usize, index: u32): u32 {
  return load<u32>(table + 4 * index);
}

export function set_word(table: usize, index: u32, value: u32): void {
  store<u32>(table + 4 * index, value);
}

/** Path of a place to `out`. => its length */
export function place_path(place: u32, out: usize): u32 {
  if (place < PLACES_MAX) return u32(snprintf(out, PATH_SIZE, cs("%s/d%u"), storm.top, place));
  const k = place - PLACES_MAX;
  const n = place_path(word_of(folder_place, k), out);
  return n + u32(snprintf(out + n, PATH_SIZE - n, cs("/p%u.d%u"), storm.proc, k));
}

/** Path of the own file name `k` in a place. */
export function file_path(place: u32, k: u32, out: usize): void {
  const n = place_path(place, out);
  snprintf(out + n, PATH_SIZE - n, cs("/p%u.f%u"), storm.proc, k);
}

/** Path of the own folder name `k` in a place. */
export function folder_path(place: u32, k: u32, out: usize): void {
  const n = place_path(place, out);
  snprintf(out + n, PATH_SIZE - n, cs("/p%u.d%u"), storm.proc, k);
}

/** Path of a common name. */
export function common_path(letter: u32, k: u32, place: u32, out: usize): void {
  snprintf(out, PATH_SIZE, cs("%s/d%u/%c%u"), storm.top, place, letter, k);
}

/** Whether a place is the folder `k` or lies below it. */
export function is_below(place: u32, k: u32): bool {
  while (place >= PLACES_MAX) {
    if (place - PLACES_MAX == k) return true;
    place = word_of(folder_place, place - PLACES_MAX);
  }
  return false;
}

/** Whether the own folder `k` has nothing in it. */
export function is_empty(k: u32): bool {
  for (let i: u32 = 0; i < FILES; i++) if (word_of(name_place, i) == PLACES_MAX + k) return false;
  for (let i: u32 = 0; i < FOLDERS; i++) if (word_of(folder_place, i) == PLACES_MAX + k) return false;
  return true;
}
