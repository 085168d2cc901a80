// postmark: the work of a mail server: many small files are made, read, appended to and deleted.
//
// `postmark [-b block] [-d subdirectories] [-h high] [-l low] [-n files] [-s seed] [-t transactions] folder`: first the
// files (500) of random sizes from low (500) to high (9770) bytes are made, then each transaction (500) reads or appends
// to one file and makes or deletes one, then all are deleted. Reads and writes move blocks of 512 bytes. Every byte
// read is checked. The report has PostMark's counts; its times are the guest's.
import { frame_alloc } from "../../i386/cpufunc";
import { err, errx, set_progname, usage } from "../lib/errors";
import { getopt, optarg, optind } from "../lib/getopt";
import { one_in, random_below, srandom } from "../lib/random";
import { exit, flush, printf, snprintf } from "../lib/stdio";
import { atoi, malloc, zalloc } from "../lib/stdlib";
import { mkdir, rmdir } from "../lib/syscalls";
import { now } from "../lib/time";
import { Postmark, append_file, create_file, delete_file, number_of, postmark, read_file } from "./postmark/files";

const PATH_ROOM: u32 = 256;

/** A random slot with (`used`) or without a file. */
function find_slot(used: bool): u32 {
  let slot = random_below(postmark.slots);
  while ((number_of(slot) != 0) != used) slot = (slot + 1) % postmark.slots;
  return slot;
}

function transaction(): void {
  if (postmark.used > 0) {
    const slot = find_slot(true);
    if (one_in(2)) read_file(slot);
    else append_file(slot);
  }
  if (postmark.used == 0 || (one_in(2) && postmark.used < postmark.slots)) create_file(find_slot(false));
  else delete_file(find_slot(true));
}

function subdirectories(make: bool): void {
  const path = frame_alloc(PATH_ROOM);
  for (let i: u32 = 0; i < postmark.subdirs; i++) {
    snprintf(path, PATH_ROOM, cs("%s/s%u"), postmark.folder, i);
    if ((make ? mkdir(path, 0x1ff) : rmdir(path)) != 0) err(1, path);
  }
}

/** Bytes as kilobytes or megabytes with two digits. */
function print_bytes(at: usize, what: usize): void {
  const bytes = load<u64>(at);
  const mega = bytes >= 1048576;
  const unit: u64 = mega ? 1048576 : 1024;
  const whole = u32(bytes / unit);
  const part = u32(((bytes % unit) * 100) / unit);
  printf(cs("\t%u.%02u %sbytes %s\n"), whole, part, mega ? cs("mega") : cs("kilo"), what);
}

function report(alone: u32, alone_deleted: u32): void {
  printf(cs("Files:\n\t%u created\n\t\tCreation alone: %u files\n\t\tMixed with transactions: %u files\n"),
    postmark.created, alone, postmark.created - alone);
  printf(cs("\t%u read\n\t%u appended\n"), postmark.read, postmark.appended);
  printf(cs("\t%u deleted\n\t\tDeletion alone: %u files\n\t\tMixed with transactions: %u files\n\nData:\n"),
    postmark.deleted, alone_deleted, postmark.deleted - alone_deleted);
  print_bytes(changetype<usize>(postmark) + offsetof<Postmark>("bytes_read_low"), cs("read"));
  print_bytes(changetype<usize>(postmark) + offsetof<Postmark>("bytes_written_low"), cs("written"));
}

function run(): void {
  const start = now();
  printf(cs("Creating files..."));
  subdirectories(true);
  for (let i: u32 = 0; i < postmark.files; i++) create_file(i);
  const alone = postmark.created;
  printf(cs("Done\nPerforming transactions"));
  flush();
  const begin = now();
  const tenth = postmark.transactions / 10;
  for (let i: u32 = 1; i <= postmark.transactions; i++) {
    transaction();
    if (tenth == 0 || i % tenth != 0) continue;
    printf(cs("."));
    flush();
  }
  const end = now();
  printf(cs("Done\nDeleting files..."));
  let alone_deleted: u32 = 0;
  for (let slot: u32 = 0; slot < postmark.slots; slot++) {
    if (number_of(slot) == 0) continue;
    read_file(slot);
    delete_file(slot);
    alone_deleted++;
  }
  subdirectories(false);
  printf(cs("Done\n\ntiming: %d seconds total, %d seconds of transactions\n"), now() - start, end - begin);
  report(alone, alone_deleted);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  const how = cs("postmark [-b block] [-d subdirectories] [-h high] [-l low] [-n files] [-s seed] [-t transactions] folder");
  set_progname(cs("postmark"));
  postmark.files = 500;
  postmark.transactions = 500;
  postmark.low = 500;
  postmark.high = 9770;
  postmark.block = 512;
  postmark.seed = 42;
  while (true) {
    const letter = getopt(argc, argv, cs("b:d:h:l:n:s:t:"));
    if (letter == -1) break;
    const value = u32(atoi(optarg()));
    if (letter == 0x62) postmark.block = value;
    else if (letter == 0x64) postmark.subdirs = value;
    else if (letter == 0x68) postmark.high = value;
    else if (letter == 0x6c) postmark.low = value;
    else if (letter == 0x6e) postmark.files = value;
    else if (letter == 0x73) postmark.seed = value;
    else if (letter == 0x74) postmark.transactions = value;
    else usage(how);
  }
  if (argc - optind() != 1) usage(how);
  if (postmark.low > postmark.high) errx(1, cs("-l %u is more than -h %u"), postmark.low, postmark.high);
  if (postmark.block == 0 || postmark.files == 0) errx(1, cs("-b and -n: at least 1"));
  postmark.folder = load<usize>(argv + 4 * optind());
  postmark.slots = 2 * postmark.files;
  postmark.numbers = zalloc(4 * postmark.slots);
  postmark.sizes = zalloc(4 * postmark.slots);
  postmark.buffer = malloc(postmark.block);
  postmark.wanted = malloc(postmark.block);
  srandom(postmark.seed);
  printf(cs("seed = %u\n"), postmark.seed);
  run();
  exit(0);
  return 0;
}
