// fsx: a file system exerciser. Random reads, writes, truncations and mappings of one file, each compared with a
// model of the file in memory.
//
// `fsx [-nqRW] [-b opnum] [-B base] [-c prob] [-l flen] [-N numops] [-o oplen] [-p interval] [-r bdy] [-S seed]
// [-t bdy] [-w bdy] file`: -N operations (default 1000) on a file of at most -l bytes (256k), each of at most -o
// (64k). -R and -W leave mapped reads and mapped writes out; -n never changes the file's length, so that several can work in windows of
// one file; -c closes and opens one time in prob; -r, -w and -t make offsets multiples; -b prints operations from that number on, -p each
// interval'th. -B moves the whole exercise to an offset in the file, behind a hole. The same seed does the same.
import { frame_alloc } from "../../i386/cpufunc";
import { errx, set_progname, usage } from "../lib/errors";
import { O_CREAT, O_RDWR, O_TRUNC } from "../lib/files";
import { getopt, optarg, optind } from "../lib/getopt";
import { one_in, random_below, srandom } from "../lib/random";
import { exit, flush, printf } from "../lib/stdio";
import { atoi, malloc, parse_size } from "../lib/stdlib";
import { close, ftruncate, open, pipe, pwrite } from "../lib/syscalls";
import { check_size, do_fsync, do_read, do_reopen, do_sync, do_truncate, do_write } from "./fsx/calls";
import { must } from "./fsx/log";
import {
  check_beyond, do_copyin, do_copyout, do_mapread, do_mapwrite, do_msync, do_private, do_remap, do_scribble, hold,
  release,
} from "./fsx/maps";
import { PAGE_MASK, PAGE_SIZE, fsx, round_page } from "./fsx/state";

const DEFAULT_OPS: u32 = 1000;
const DEFAULT_LENGTH: u32 = 256 * 1024;
const DEFAULT_OPERATION: u32 = 64 * 1024;

function how(): usize {
  return cs("fsx [-nqRW] [-b opnum] [-B base] [-c prob] [-l flen] [-N numops]\n" +
    "           [-o oplen] [-p interval] [-r bdy] [-S seed] [-t bdy] [-w bdy] file");
}

/** A random offset below `limit` that is a multiple of `bdy`; small ones and page edges come more often. */
function pick_offset(limit: u32, bdy: u32): u32 {
  if (limit == 0) return 0;
  let offset = random_below(limit);
  if (one_in(8)) offset &= ~PAGE_MASK;
  else if (one_in(8)) offset = offset & ~PAGE_MASK | (PAGE_SIZE - 1 - random_below(8));
  offset -= offset % bdy;
  return offset < limit ? offset : 0;
}

/** A random length, not over `room`; short ones come more often. */
function pick_length(room: u32): u32 {
  let limit: u32 = one_in(3) ? 2 * PAGE_SIZE : fsx.maxop;
  if (limit > room) limit = room;
  return limit == 0 ? 0 : 1 + random_below(limit);
}

/** The part of the window in which an operation that may not lengthen the file works. */
function window_for(extends_: bool): u32 {
  return extends_ && fsx.fixed_size == 0 ? fsx.maxlen : fsx.size;
}

function read_some(mapped: bool): void {
  const offset = pick_offset(fsx.size, fsx.readbdy);
  const length = pick_length(fsx.size - offset);
  if (mapped && fsx.mapped_reads != 0) do_mapread(offset, length);
  else do_read(offset, length);
}

function write_some(mapped: bool): void {
  const limit = window_for(true);
  const offset = pick_offset(limit, fsx.writebdy);
  const length = pick_length(limit - offset);
  if (mapped && fsx.mapped_writes != 0) do_mapwrite(offset, length);
  else do_write(offset, length);
}

function change_size(): void {
  if (fsx.fixed_size != 0) return read_some(false);
  const limit = one_in(4) && fsx.size < fsx.maxlen ? fsx.maxlen - fsx.size : fsx.maxlen;
  do_truncate(pick_offset(limit + 1, fsx.truncbdy));
}

/** A kind of its own for each of what only a held mapping can do. */
function held_operation(kind: u32): void {
  const writes = fsx.mapped_writes != 0;
  const offset = pick_offset(fsx.size, 1);
  const length = pick_length(fsx.size - offset);
  if (kind < 6) {
    if (writes && fsx.mapped_reads != 0) do_private(offset, length);
    else read_some(true);
  } else if (kind < 11) do_copyout(offset, pick_offset(window_for(true), 1), length);
  else if (kind < 15) {
    if (writes) do_copyin(offset, pick_offset(fsx.size, 1), length);
    else read_some(true);
  } else if (kind < 18) {
    if (writes) do_scribble();
    else read_some(true);
  } else if (kind < 21) do_msync();
  else do_remap();
}

/** One operation. The numbers are chances in a hundred. */
function operate(): void {
  const kind = random_below(100);
  if (kind < 16) read_some(false);
  else if (kind < 34) write_some(false);
  else if (kind < 48) read_some(true);
  else if (kind < 64) write_some(true);
  else if (kind < 72) change_size();
  else if (kind < 74) do_fsync();
  else if (kind < 75) do_sync();
  else if (fsx.held != 0) held_operation(kind - 75);
  else if (kind < 88) read_some(false);
  else write_some(false);
  if (fsx.held != 0 && fsx.mapped_reads != 0) check_beyond();
}

/** Closes and opens the file, now and then without any mapping, so that nothing holds it. */
function reopen(): void {
  const mapped = fsx.held != 0;
  const gives_up = mapped && one_in(2);
  if (gives_up) release();
  do_reopen();
  if (gives_up) hold();
}

/** The whole file, by read and by a mapping. */
function check_all(): void {
  check_size();
  for (let offset: u32 = 0; offset < fsx.size; offset += fsx.maxop) {
    const length = fsx.size - offset < fsx.maxop ? fsx.size - offset : fsx.maxop;
    do_read(offset, length);
    if (fsx.mapped_reads != 0) do_mapread(offset, length);
  }
}

/** With -n others may work in other windows of the file at the same time: its length only grows, before the start. */
function open_window(): void {
  fsx.fd = open(fsx.fname, O_RDWR | O_CREAT, 0x1b6);
  must(fsx.fd >= 0, fsx.fname);
  must(u32(pwrite(fsx.fd, fsx.good, fsx.maxlen, 0, fsx.base)) == fsx.maxlen, fsx.fname);
  fsx.size = fsx.maxlen;
}

function set_up(): void {
  const fds = frame_alloc(8);
  if ((fsx.base_low & PAGE_MASK) != 0) errx(1, cs("-B: the base must be a multiple of %u"), PAGE_SIZE);
  if (fsx.maxlen == 0 || fsx.maxop == 0) errx(1, cs("-l and -o: lengths are at least 1"));
  if (fsx.readbdy == 0 || fsx.writebdy == 0 || fsx.truncbdy == 0) errx(1, cs("-r, -w and -t: at least 1"));
  if (fsx.maxop > fsx.maxlen) fsx.maxop = fsx.maxlen;
  fsx.good = malloc(round_page(fsx.maxlen) + 4);
  fsx.temp = malloc(fsx.maxop + 4);
  must(pipe(fds) == 0, cs("pipe"));
  fsx.pipe_read = load<i32>(fds);
  fsx.pipe_write = load<i32>(fds + 4);
  memory.fill(fsx.good, 0, fsx.maxlen);
  if (fsx.fixed_size != 0) open_window();
  else {
    fsx.fd = open(fsx.fname, O_RDWR | O_CREAT | O_TRUNC, 0x1b6);
    must(fsx.fd >= 0 && ftruncate(fsx.fd, 0, fsx.base) == 0, fsx.fname);
  }
  if (fsx.mapped_reads != 0 || fsx.mapped_writes != 0) hold();
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("fsx"));
  let numops = DEFAULT_OPS;
  fsx.maxlen = DEFAULT_LENGTH;
  fsx.maxop = DEFAULT_OPERATION;
  fsx.readbdy = 1;
  fsx.writebdy = 1;
  fsx.truncbdy = 1;
  fsx.closeprob = 50;
  fsx.mapped_reads = 1;
  fsx.mapped_writes = 1;
  fsx.seed = 1;
  while (true) {
    const letter = getopt(argc, argv, cs("b:B:c:l:nN:o:p:qr:RS:t:w:W"));
    if (letter == -1) break;
    if (letter == 0x62) fsx.monitor = u32(atoi(optarg()));
    else if (letter == 0x42) {
      const base = parse_size(optarg());
      fsx.base_low = u32(base);
      fsx.base_high = u32(base >> 32);
    } else if (letter == 0x63) fsx.closeprob = u32(atoi(optarg()));
    else if (letter == 0x6c) fsx.maxlen = u32(parse_size(optarg()));
    else if (letter == 0x6e) fsx.fixed_size = 1;
    else if (letter == 0x4e) numops = u32(atoi(optarg()));
    else if (letter == 0x6f) fsx.maxop = u32(parse_size(optarg()));
    else if (letter == 0x70) fsx.progress = u32(atoi(optarg()));
    else if (letter == 0x71) fsx.quiet = 1;
    else if (letter == 0x72) fsx.readbdy = u32(parse_size(optarg()));
    else if (letter == 0x52) fsx.mapped_reads = 0;
    else if (letter == 0x53) fsx.seed = u32(atoi(optarg()));
    else if (letter == 0x74) fsx.truncbdy = u32(parse_size(optarg()));
    else if (letter == 0x77) fsx.writebdy = u32(parse_size(optarg()));
    else if (letter == 0x57) fsx.mapped_writes = 0;
    else usage(how());
  }
  if (argc - optind() != 1) usage(how());
  fsx.fname = load<usize>(argv + 4 * optind());
  if (fsx.quiet == 0) printf(cs("seed = %u\n"), fsx.seed);
  flush();
  set_up();
  srandom(fsx.seed);
  for (fsx.op = 1; fsx.op <= numops; fsx.op++) {
    operate();
    if (one_in(fsx.closeprob)) reopen();
  }
  check_all();
  if (fsx.held != 0) release();
  must(close(fsx.fd) == 0, fsx.fname);
  if (fsx.quiet == 0) printf(cs("All operations completed A-OK!\n"));
  exit(0);
  return 0;
}
