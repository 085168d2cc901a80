// forkcow: children: born with parts of the parent's words, they end in several
// ways, after telling what they did.
import { frame_alloc } from "../../../i386/cpufunc";
import { err } from "../../lib/errors";
import { exit, flush, printf, write_all } from "../../lib/stdio";
import { random, random_below, srandom } from "../../lib/random";
import { SIGKILL } from "../../lib/signals";
import { malloc } from "../../lib/stdlib";
import { _exit, close, execve, fork, getpid, kill, pipe, read, wait4 } from "../../lib/syscalls";
import { is_shared, model_at } from "./regions";
import { COUNTS_SIZE, REGIONS, counts_at, forkcow } from "./state";

const SIGSEGV: i32 = 11;

/** A child as its parent knows it. */
@unmanaged
export class Child {
  pid: i32;
  /** Where it reports, its words, and the wait status that it must end with. */
  report: i32;
  lo: u32;
  hi: u32;
  status: i32;
}
const SIZEOF_CHILD: u32 = 20;

/** The ways to end: normally, killed, by a bad access, in another program. */
const WAYS: u32 = 4;

function status_of(way: u32): i32 {
  return way == 1 ? SIGKILL : way == 2 ? SIGSEGV : 0;
}

/** Tells the parent what this process did and what it wrote into its own shared words. */
function send(fd: i32): void {
  let failed = write_all(fd, counts_at(), COUNTS_SIZE);
  for (let i: u32 = 0; i < REGIONS; i++) {
    if (!is_shared(i)) continue;
    for (let page: u32 = 0; page < forkcow.pages && failed == 0; page++) {
      failed = write_all(fd, model_at(i, page, forkcow.lo), 4 * (forkcow.hi - forkcow.lo));
    }
  }
  if (failed != 0) err(1, cs("report"));
}

/** Reads exactly `n` bytes. => whether they came */
function receive_bytes(fd: i32, at: usize, n: u32): bool {
  while (n > 0) {
    const got = read(fd, at, n);
    if (got <= 0) return false;
    at += got;
    n -= got;
  }
  return true;
}

function receive(child: Child): bool {
  const counts = frame_alloc(COUNTS_SIZE);
  if (!receive_bytes(child.report, counts, COUNTS_SIZE)) return false;
  for (let at: u32 = 0; at < COUNTS_SIZE; at += 4) {
    store<u32>(counts_at() + at, load<u32>(counts_at() + at) + load<u32>(counts + at));
  }
  for (let i: u32 = 0; i < REGIONS; i++) {
    if (!is_shared(i)) continue;
    for (let page: u32 = 0; page < forkcow.pages; page++) {
      if (!receive_bytes(child.report, model_at(i, page, child.lo), 4 * (child.hi - child.lo))) return false;
    }
  }
  return true;
}

/** Ends this process in one of the ways. */
function finish(way: u32): void {
  flush();
  if (way == 1) kill(getpid(), SIGKILL);
  if (way == 2) store<u32>(0, 0);
  if (way == 3) {
    const argv = frame_alloc(8);
    store<usize>(argv, cs("true"));
    store<usize>(argv + 4, 0);
    execve(cs("/bin/true"), argv, argv + 4);
    err(1, cs("/bin/true"));
  }
  _exit(0);
}

/**
 * Makes `count` children; each runs `live` (code address) and ends. The parent keeps the first part of its words, each
 * child gets one of the others. => their table
 */
export function bear(count: u32, live: u32): usize {
  const fds = frame_alloc(8);
  const table = malloc(count * SIZEOF_CHILD);
  const part = (forkcow.hi - forkcow.lo) / (count + 1);
  const base = forkcow.lo;
  flush();
  for (let i: u32 = 0; i < count; i++) {
    const child = changetype<Child>(table + i * SIZEOF_CHILD);
    const way = random_below(WAYS);
    const seed = random();
    child.lo = base + (i + 1) * part;
    child.hi = child.lo + part;
    child.status = status_of(way);
    if (pipe(fds) != 0) err(1, cs("pipe"));
    child.report = load<i32>(fds);
    child.pid = fork();
    if (child.pid < 0) err(1, cs("fork"));
    if (child.pid == 0) {
      close(child.report);
      become(i, child, seed);
      call_indirect<void>(live);
      send(load<i32>(fds + 4));
      finish(way);
    }
    close(load<i32>(fds + 4));
  }
  forkcow.hi = base + part;
  return table;
}

/** This process is the parent's child number `i` from now on. */
function become(i: u32, child: Child, seed: u32): void {
  const fds = frame_alloc(8);
  srandom(seed);
  forkcow.id = forkcow.id * (forkcow.children + 1) + i + 1;
  forkcow.depth++;
  forkcow.lo = child.lo;
  forkcow.hi = child.hi;
  memory.fill(counts_at(), 0, COUNTS_SIZE);
  forkcow.processes = 1;
  close(forkcow.pipe_read);
  close(forkcow.pipe_write);
  if (pipe(fds) != 0) err(1, cs("pipe"));
  forkcow.pipe_read = load<i32>(fds);
  forkcow.pipe_write = load<i32>(fds + 4);
}

/** Waits for the children of `table` and takes their words back; ends this process when one went wrong. */
export function bury(table: usize, count: u32, hi: u32): void {
  const status = frame_alloc(4);
  for (let i: u32 = 0; i < count; i++) {
    const child = changetype<Child>(table + i * SIZEOF_CHILD);
    const reported = receive(child);
    close(child.report);
    if (wait4(child.pid, status, 0, 0) != child.pid) err(1, cs("wait4"));
    if (reported && (load<i32>(status) & ~0x80) == child.status) continue;
    printf(cs("forkcow: process %u: child %u ended with status 0x%x, expected 0x%x%s (seed %u)\n"), forkcow.id, i,
      load<i32>(status), child.status, reported ? cs("") : cs(", without a report"), forkcow.seed);
    exit(1);
  }
  // Words that the division left over belong to nobody while children live; they did not change.
  forkcow.hi = hi;
}
