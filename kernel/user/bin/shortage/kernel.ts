// Cases of `shortage` in which the kernel needs memory for a program: page tables, processes, buffers of pipes; and
// the limits of what may be wired.
import { frame_alloc } from "../../../i386/cpufunc";
import { last_error } from "../../lib/errors";
import { exit } from "../../lib/stdio";
import {
  fork, mlock, mlockall, munlock, munmap, nanosleep, pipe, read, setrlimit, setuid, wait4, write,
} from "../../lib/syscalls";
import {
  EAGAIN, ENOMEM, FILE_PAGES, MAP_ANON, MAP_PRIVATE, MAP_SHARED, MCL_CURRENT, PAGE, SIGKILL, expect, in_child,
  is_filled, fill, make_file, map, map_at, memory_pages, peek, poke, stay_in_memory, take_all,
} from "./state";

const RLIMIT_MEMLOCK: u32 = 6;
const RLIMIT_NOFILE: u32 = 8;
/** Their buffers are more than anonymous memory leaves to others. */
const PIPES: i32 = 48;
/** Far from all else, and each in a page table of its own. */
const LONELY: usize = 0x20000000;
const TABLE_REACH: usize = 0x400000;

/** A page that is there, at places without a page table. */
export function case_pagetable(): void {
  const pagesp = frame_alloc(4);
  stay_in_memory();
  const fd = make_file(FILE_PAGES);
  const file = map(FILE_PAGES * PAGE, MAP_SHARED, fd);
  expect(poke(file, 1) == 0 && mlock(file, PAGE) == 0, cs("a page of a file can be kept in memory"));
  for (let i: u32 = 0; i < 4; i++) map_at(LONELY + i * TABLE_REACH, fd);
  const at = take_all(pagesp);
  for (let i: u32 = 0; i < 4; i++) expect(!peek(LONELY + i * TABLE_REACH), cs("no page table can be had"));
  munmap(at, memory_pages() * PAGE);
  for (let i: u32 = 0; i < 4; i++) expect(peek(LONELY + i * TABLE_REACH), cs("with memory it can"));
}

/** fork without memory fails, also when only the copies of wired pages are missing. */
export function case_fork(): void {
  const pagesp = frame_alloc(4);
  const wired = memory_pages() / 4;
  const kept = map(wired * PAGE, MAP_PRIVATE | MAP_ANON, -1);
  expect(fill(kept, wired) == wired && mlock(kept, wired * PAGE) == 0, cs("a quarter of memory can be wired"));
  const at = take_all(pagesp);
  // Room for all that a process is made of, but not for the copies.
  munmap(at + (load<u32>(pagesp) - 100) * PAGE, 100 * PAGE);
  const pid = fork();
  if (pid == 0) exit(0);
  expect(pid == -1 && last_error() == ENOMEM, cs("fork fails without memory"));
  expect(is_filled(kept, wired) && is_filled(at, load<u32>(pagesp) - 100), cs("nothing is lost"));
  munlock(kept, wired * PAGE);
}

/** Makes pipes until something gives. */
function make_pipes(): void {
  const fds = frame_alloc(8);
  const limit = frame_alloc(16);
  store<u64>(limit, 2 * u64(PIPES) + 8);
  store<u64>(limit, 2 * u64(PIPES) + 8, 8);
  if (setrlimit(RLIMIT_NOFILE, limit) != 0) exit(3);
  for (let i = 0; i < PIPES; i++) {
    if (pipe(fds) != 0) exit(2);
    // The buffer comes with the first byte.
    write(load<i32>(fds, 4), fds, 1);
  }
}

function take_all_and_make_pipes(): void {
  const pagesp = frame_alloc(4);
  const at = take_all(pagesp);
  // What the child shares with its parent it must copy to write to.
  munmap(at + (load<u32>(pagesp) - 4) * PAGE, 4 * PAGE);
  make_pipes();
}

/** Who has all memory and makes the kernel need more is killed in the middle of it. */
export function case_kernel(): void {
  expect((in_child(take_all_and_make_pipes.index) & 0x7f) == SIGKILL, cs("the child was killed"));
}

/** When the kernel needs memory for somebody else, the one that holds most is killed. */
export function case_kernel_other(): void {
  const fds = frame_alloc(8);
  const status = frame_alloc(4);
  const pagesp = frame_alloc(4);
  const pause = frame_alloc(8);
  expect(pipe(fds) == 0, cs("pipe"));
  const pid = fork();
  if (pid == 0) {
    const at = take_all(pagesp);
    munmap(at + (load<u32>(pagesp) - 4) * PAGE, 4 * PAGE);
    write(load<i32>(fds, 4), fds, 1);
    store<u32>(pause, 1000);
    store<u32>(pause, 0, 4);
    nanosleep(pause, 0);
    exit(0);
  }
  expect(pid > 0 && read(load<i32>(fds), status, 1) == 1, cs("the child has all memory"));
  make_pipes();
  expect(wait4(pid, status, 0, 0) == pid && (load<i32>(status) & 0x7f) == SIGKILL, cs("the child was killed"));
}

/** Tries to wire as an ordinary user with a limit. */
function wire_as_user(): void {
  const limit = frame_alloc(16);
  store<u64>(limit, 8 * u64(PAGE));
  store<u64>(limit, 8 * u64(PAGE), 8);
  expect(setrlimit(RLIMIT_MEMLOCK, limit) == 0 && setuid(1) == 0, cs("a limit can be set"));
  const at = map(16 * PAGE, MAP_PRIVATE | MAP_ANON, -1);
  expect(mlock(at, 8 * PAGE) == 0, cs("up to the limit memory can be wired"));
  expect(mlock(at + 8 * PAGE, PAGE) == -1 && last_error() == EAGAIN, cs("but no page more"));
  expect(mlockall(MCL_CURRENT) == -1 && last_error() == EAGAIN, cs("nor all"));
  expect(munlock(at, PAGE) == 0 && mlock(at + 8 * PAGE, PAGE) == 0, cs("one page for another"));
}

/** Wired memory: a third of all, and the limit of the process. */
export function case_limits(): void {
  const all = memory_pages();
  const at = map(all * PAGE, MAP_PRIVATE | MAP_ANON, -1);
  expect(mlock(at, all / 2 * PAGE) == -1 && last_error() == EAGAIN, cs("half of memory cannot be wired"));
  expect(mlockall(MCL_CURRENT) == -1 && last_error() == EAGAIN, cs("nor all that is mapped"));
  expect(mlock(at, all / 5 * PAGE) == 0 && munlock(at, all / 5 * PAGE) == 0, cs("a fifth can"));
  munmap(at, all * PAGE);
  expect(in_child(wire_as_user.index) == 0, cs("the limit of a process holds"));
}
