// fsx: the last operations, and the report of what went wrong.
import { err, last_error, strerror } from "../../lib/errors";
import { exit, flush, printf } from "../../lib/stdio";
import { fsx } from "./state";

/** What an operation does; the names stand in kind_name. */
export const OP_READ: u32 = 0;
export const OP_PREAD: u32 = 1;
export const OP_WRITE: u32 = 2;
export const OP_PWRITE: u32 = 3;
export const OP_MAPREAD: u32 = 4;
export const OP_HELDREAD: u32 = 5;
export const OP_MAPWRITE: u32 = 6;
export const OP_HELDWRITE: u32 = 7;
export const OP_PRIVATE: u32 = 8;
export const OP_SCRIBBLE: u32 = 9;
export const OP_COPYOUT: u32 = 10;
export const OP_COPYIN: u32 = 11;
export const OP_TRUNCATE: u32 = 12;
export const OP_FTRUNCATE: u32 = 13;
export const OP_FSYNC: u32 = 14;
export const OP_MSYNC: u32 = 15;
export const OP_SYNC: u32 = 16;
export const OP_REMAP: u32 = 17;
export const OP_CLOSE: u32 = 18;
export const OP_SKIPPED: u32 = 19;

function kind_name(kind: u32): usize {
  let at = cs(
    "READ\0PREAD\0WRITE\0PWRITE\0MAPREAD\0HELDREAD\0MAPWRITE\0HELDWRITE\0PRIVATE\0SCRIBBLE\0COPYOUT\0COPYIN\0" +
    "TRUNCATE\0FTRUNCATE\0FSYNC\0MSYNC\0SYNC\0REMAP\0CLOSE/OPEN\0SKIPPED\0",
  );
  for (; kind > 0; kind--) {
    while (load<u8>(at) != 0) at++;
    at++;
  }
  return at;
}

@unmanaged
class LogEntry {
  op: u32;
  kind: u32;
  offset: u32;
  length: u32;
  /** Size of the file before, and an argument of the kind (copies: where to; msync: flags). */
  size: u32;
  more: u32;
}
const SIZEOF_ENTRY: u32 = 24;
const LOG_SIZE: u32 = 48;

@unmanaged
class Log {
  count: u32;
}
const log = changetype<Log>(memory.data(offsetof<Log>()));
const log_entries = memory.data(48 * 24, 4);

function log_entry(index: u32): LogEntry {
  return changetype<LogEntry>(log_entries + (index % LOG_SIZE) * SIZEOF_ENTRY);
}

function print_entry(entry: LogEntry): void {
  printf(cs("%u %s"), entry.op, kind_name(entry.kind));
  const kind = entry.kind;
  if (kind == OP_TRUNCATE || kind == OP_FTRUNCATE) {
    printf(cs("\t%s from 0x%x to 0x%x\n"), entry.offset > entry.size ? cs("up") : cs("down"), entry.size, entry.offset);
  } else if (kind >= OP_FSYNC) {
    if (kind == OP_MSYNC) printf(cs("\tflags 0x%x"), entry.more);
    printf(cs("\n"));
  } else {
    printf(cs("\t0x%x thru 0x%x\t(0x%x bytes)"), entry.offset, entry.offset + entry.length - 1, entry.length);
    if (kind == OP_COPYOUT || kind == OP_COPYIN) printf(cs(" to 0x%x"), entry.more);
    if (entry.offset > entry.size) printf(cs(" HOLE"));
    else if (kind < OP_COPYIN && entry.offset + entry.length > entry.size) printf(cs(" EXTEND"));
    printf(cs("\n"));
  }
}

/** Notes an operation before it is done; prints it when that is asked for. */
export function note(kind: u32, offset: u32, length: u32, more: u32): void {
  const entry = log_entry(log.count++);
  entry.op = fsx.op;
  entry.kind = kind;
  entry.offset = offset;
  entry.length = length;
  entry.size = fsx.size;
  entry.more = more;
  const watched = fsx.monitor != 0 && fsx.op >= fsx.monitor;
  const due = fsx.progress != 0 && fsx.op % fsx.progress == 0;
  if (!watched && !due) return;
  print_entry(entry);
  // What follows may be the kernel's last words.
  flush();
}

/** Ends fsx after a failure that was told: the last operations, status 1. */
export function give_up(): void {
  const shown = log.count < LOG_SIZE ? log.count : LOG_SIZE;
  printf(cs("LOG DUMP (last %u of %u operations; seed %u):\n"), shown, log.count, fsx.seed);
  for (let i = log.count - shown; i != log.count; i++) print_entry(log_entry(i));
  printf(cs("Correct length of the file's window: 0x%x\n"), fsx.size);
  exit(1);
}

/** A system call that should have worked did not. */
export function failed_call(what: usize): void {
  printf(cs("fsx: operation %u: %s: %s\n"), fsx.op, what, strerror(last_error()));
  give_up();
}

/** A call returned another count than it should. */
export function wrong_count(what: usize, got: i32, wanted: u32): void {
  if (got == -1) failed_call(what);
  printf(cs("fsx: operation %u: short %s: 0x%x bytes instead of 0x%x\n"), fsx.op, what, got, wanted);
  give_up();
}

const SHOWN_BYTES: u32 = 16;

/** Compares `length` bytes at `data` with what the file should hold at `offset`; ends fsx when they differ. */
export function check(what: usize, data: usize, offset: u32, length: u32): void {
  const good = fsx.good + offset;
  let i: u32 = 0;
  while (i + 4 <= length && load<u32>(data + i) == load<u32>(good + i)) i += 4;
  while (i < length && load<u8>(data + i) == load<u8>(good + i)) i++;
  if (i == length) return;
  let differ: u32 = 0;
  printf(cs("fsx: operation %u: %s BAD DATA: offset = 0x%x, size = 0x%x, fname = %s\n"), fsx.op, what, offset, length,
    fsx.fname);
  printf(cs("OFFSET\tGOOD\tBAD\n"));
  for (; i < length; i++) {
    const bad = load<u8>(data + i);
    if (bad == load<u8>(good + i)) continue;
    if (differ++ < SHOWN_BYTES) printf(cs("0x%x\t0x%02x\t0x%02x\n"), offset + i, load<u8>(good + i), bad);
  }
  printf(cs("%u bytes differ; a byte at an even offset is the number of its operation modulo 255, plus 1\n"), differ);
  give_up();
}

/** Sets up what cannot fail in a sound system. */
export function must(ok: bool, what: usize): void {
  if (!ok) err(1, what);
}
