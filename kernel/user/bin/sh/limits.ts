// ulimit [-HS] [-acdflmnpst] [number | unlimited]: limits of the shell and what it starts.
import { frame_alloc } from "../../../i386/cpufunc";
import { strcmp } from "../../../libkern";
import { last_error, strerror } from "../../lib/errors";
import { eprintf, printf } from "../../lib/stdio";
import { is_number, parse_long } from "../../lib/stdlib";
import { getrlimit, setrlimit } from "../../lib/syscalls";
import { sh } from "./state";

const INFINITY: u64 = 0x7fffffffffffffff;
const SIZEOF_RLIMIT: u32 = 16;

/** One limit of the table: its letter, number, unit in bytes, and text. */
@unmanaged
class Limit {
  letter: u32;
  number: u32;
  unit: u32;
  text: usize;
}

/** Fills in the limit with an index; false behind the last one. */
function limit_at(index: u32, limit: Limit): bool {
  const letters = cs("tfdscmlpn");
  const numbers = cs("012345678");
  const texts = cs(
    "time(seconds)\0file(blocks)\0data(kbytes)\0stack(kbytes)\0coredump(blocks)\0memory(kbytes)\0" +
    "locked memory(kbytes)\0processes\0nofiles\0",
  );
  if (load<u8>(letters + index) == 0) return false;
  limit.letter = load<u8>(letters + index);
  limit.number = u32(load<u8>(numbers + index)) - 0x30;
  limit.unit = limit.letter == 0x66 || limit.letter == 0x63 ? 512
    : limit.letter == 0x74 || limit.letter == 0x70 || limit.letter == 0x6e ? 1 : 1024;
  limit.text = texts;
  for (let i: u32 = 0; i < index; i++) {
    while (load<u8>(limit.text) != 0) limit.text++;
    limit.text++;
  }
  return true;
}

function print_limit(limit: Limit, hard: bool): void {
  const values = frame_alloc(SIZEOF_RLIMIT);
  if (getrlimit(limit.number, values) != 0) return;
  const value = load<u64>(values + (hard ? 8 : 0));
  if (value == INFINITY) printf(cs("unlimited\n"));
  else printf(cs("%qu\n"), u32(value / u64(limit.unit)), u32((value / u64(limit.unit)) >> 32));
}

function set_limit(limit: Limit, text: usize, hard: bool, soft: bool): i32 {
  const values = frame_alloc(SIZEOF_RLIMIT);
  const unlimited = strcmp(text, cs("unlimited")) == 0;
  if (!unlimited && (!is_number(text) || load<u8>(text) == 0x2d)) {
    eprintf(cs("%s: ulimit: bad number: %s\n"), sh.arg0, text);
    return 2;
  }
  const value = unlimited ? INFINITY : u64(parse_long(text, 0)) * u64(limit.unit);
  getrlimit(limit.number, values);
  if (soft) store<u64>(values, value);
  if (hard) store<u64>(values + 8, value);
  if (setrlimit(limit.number, values) == 0) return 0;
  eprintf(cs("%s: ulimit: %s: %s\n"), sh.arg0, limit.text, strerror(last_error()));
  return 2;
}

export function limit(argc: i32, argv: usize): i32 {
  const one = changetype<Limit>(frame_alloc(offsetof<Limit>()));
  let letter: u32 = 0x66;
  let hard = false;
  let soft = false;
  let at = 1;
  for (; at < argc && load<u8>(load<usize>(argv + 4 * at)) == 0x2d; at++) {
    for (let word = load<usize>(argv + 4 * at) + 1; load<u8>(word) != 0; word++) {
      if (load<u8>(word) == 0x48) hard = true;
      else if (load<u8>(word) == 0x53) soft = true;
      else letter = load<u8>(word);
    }
  }
  const text: usize = at < argc ? load<usize>(argv + 4 * at) : 0;
  for (let index: u32 = 0; limit_at(index, one); index++) {
    if (letter == 0x61) {
      printf(cs("%-24s"), one.text);
      print_limit(one, hard);
    } else if (one.letter == letter) {
      if (text != 0) return set_limit(one, text, hard || !soft, soft || !hard);
      print_limit(one, hard);
      return 0;
    }
  }
  if (letter == 0x61) return 0;
  eprintf(cs("%s: ulimit: Illegal option -%c\n"), sh.arg0, letter);
  return 2;
}
