// touch(1): sets the times of files to now, or to those of -r or -t; -a access, -m contents. Makes what is missing but
// for -c.
import { frame_alloc } from "../../i386/cpufunc";
import { strlen } from "../../libkern";
import { err, errx, set_progname, usage, warn } from "../lib/errors";
import { O_CREAT, O_WRONLY, SIZEOF_STAT, Stat } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { is_digit } from "../lib/stdlib";
import { __stat13, close, gettimeofday, open, utimes } from "../lib/syscalls";
import { Date, SIZEOF_DATE, from_date, now, to_date } from "../lib/time";

const ACCESS: u32 = 1;
const CONTENTS: u32 = 2;

/** Two digits of a time; ends the program when they are none. */
function pair(text: usize, at: u32): i32 {
  const tens = load<u8>(text + at);
  const ones = tens == 0 ? 0 : load<u8>(text + at + 1);
  if (!is_digit(tens) || !is_digit(ones)) errx(1, cs("out of range or illegal time specification: [[CC]YY]MMDDhhmm[.SS]"));
  return i32(tens - 0x30) * 10 + i32(ones - 0x30);
}

/** -t [[CC]YY]MMDDhhmm[.SS] in seconds since 1970. */
function parse_time(text: usize): i32 {
  const date = changetype<Date>(frame_alloc(SIZEOF_DATE));
  let n = strlen(text);
  let at: u32 = 0;
  to_date(now(), date);
  date.second = 0;
  if (n > 3 && load<u8>(text + n - 3) == 0x2e) {
    date.second = pair(text, n - 2);
    n -= 3;
  }
  if (n == 12) {
    date.year = pair(text, 0) * 100 + pair(text, 2);
    at = 4;
  } else if (n == 10) {
    const year = pair(text, 0);
    date.year = year < 69 ? 2000 + year : 1900 + year;
    at = 2;
  } else if (n != 8) pair(cs(""), 0);
  date.month = pair(text, at) - 1;
  date.day = pair(text, at + 2);
  date.hour = pair(text, at + 4);
  date.minute = pair(text, at + 6);
  if (date.month < 0 || date.month > 11 || date.day < 1 || date.day > 31 || date.hour > 23 || date.minute > 59) {
    pair(cs(""), 0);
  }
  return from_date(date);
}

/** Sets those times of the file that are wanted to the ones in `times`, two timevals. */
function set_times(path: usize, times: usize, which: u32): i32 {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const values = frame_alloc(16);
  if (__stat13(path, changetype<usize>(st)) != 0) return -1;
  memory.copy(values, times, 16);
  if ((which & ACCESS) == 0) {
    store<i32>(values, st.st_atime);
    store<u32>(values, st.st_atimensec / 1000, 4);
  }
  if ((which & CONTENTS) == 0) {
    store<i32>(values, st.st_mtime, 8);
    store<u32>(values, st.st_mtimensec / 1000, 12);
  }
  return utimes(path, values);
}

/** -r: the times of another file. */
function times_of(path: usize, times: usize): void {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  if (__stat13(path, changetype<usize>(st)) != 0) err(1, path);
  store<i32>(times, st.st_atime);
  store<u32>(times, st.st_atimensec / 1000, 4);
  store<i32>(times, st.st_mtime, 8);
  store<u32>(times, st.st_mtimensec / 1000, 12);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const how = cs("touch [-acm] [-r file] [-t [[CC]YY]MMDDhhmm[.SS]] file ...");
  set_progname(cs("touch"));
  const times = frame_alloc(16);
  let create = true;
  let which: u32 = 0;
  gettimeofday(times, 0);
  memory.copy(times + 8, times, 8);
  for (let letter = getopt(argc, argv, cs("acmr:t:")); letter != -1; letter = getopt(argc, argv, cs("acmr:t:"))) {
    if (letter == 0x63) create = false;
    else if (letter == 0x61) which |= ACCESS;
    else if (letter == 0x6d) which |= CONTENTS;
    else if (letter == 0x72) times_of(optarg(), times);
    else if (letter == 0x74) {
      store<i32>(times, parse_time(optarg()));
      store<u32>(times, 0, 4);
      memory.copy(times + 8, times, 8);
    } else usage(how);
  }
  if (optind() >= argc) usage(how);
  if (which == 0) which = ACCESS | CONTENTS;
  let status = 0;
  for (let i = optind(); i < argc; i++) {
    const path = load<usize>(argv + 4 * i);
    if (set_times(path, times, which) == 0 || !create) continue;
    const fd = open(path, O_WRONLY | O_CREAT, 0x1b6);
    if (fd < 0 || set_times(path, times, which) != 0) {
      warn(path);
      status = 1;
    }
    if (fd >= 0) close(fd);
  }
  return status;
}
