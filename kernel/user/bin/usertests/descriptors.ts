// Cases of usertests: descriptors, pipes, select and poll.
import { bss, frame_alloc } from "../../../i386/cpufunc";
import { EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EMFILE, ENOTTY, EPIPE } from "../../../sys/errno";
import { last_error } from "../../lib/errors";
import { O_APPEND, O_RDONLY, O_RDWR, SIZEOF_STAT, S_IFIFO, Stat } from "../../lib/files";
import {
  __fstat13, _exit, close, dup, dup2, execve, fcntl, getrlimit, gettimeofday, ioctl, lseek, open, pipe, poll, read,
  select, setitimer, setrlimit, write,
} from "../../lib/syscalls";
import {
  PAGE, SCRATCH, action, catch_signal, caught_count, caught_signal, child, death, exit_code, fails, fill_pattern,
  finish, group, has_pattern, in_child, make_file, make_pipe, pause_ticks, same, scratch, start, test,
} from "./harness";

const KERNEL: usize = 0xc0100000;
const F_DUPFD: i32 = 0;
const F_GETFD: i32 = 1;
const F_SETFD: i32 = 2;
const F_GETFL: i32 = 3;
const F_SETFL: i32 = 4;
const O_NONBLOCK: u32 = 4;
const FIONREAD: u32 = 0x4004667f;
const FIONBIO: u32 = 0x8004667e;
const RLIMIT_NOFILE: u32 = 8;
const SIGPIPE: i32 = 13;
const SIGALRM: i32 = 14;
const SIG_IGN: u32 = 1;
const POLLIN: u32 = 1;
const POLLOUT: u32 = 4;
const POLLNVAL: u32 = 0x20;

/** Descriptors that child bodies use. */
function ends(): usize {
  return bss(16, 4);
}

function reader(): i32 {
  return load<i32>(ends());
}

function writer(): i32 {
  return load<i32>(ends(), 4);
}

function duplicates(): void {
  const fd = make_file(cs("f"), cs("0123456789"));
  const other = dup(fd);
  assert(other == fd + 1 && lseek(other, 0, 3, 0) == 3);
  // One position, and one set of flags, for both.
  assert(lseek(fd, 0, 0, 1) == 3 && read(fd, scratch(), 2) == 2 && lseek(other, 0, 0, 1) == 5);
  assert(fcntl(fd, F_SETFL, O_APPEND) == 0 && (fcntl(other, F_GETFL, 0) & O_APPEND) != 0);
  assert(close(fd) == 0 && read(other, scratch(), 1) == 1 && fails(read(fd, scratch(), 1), EBADF));
  const again = open(cs("f"), O_RDONLY, 0);
  assert(again == fd && lseek(again, 0, 0, 1) == 0 && fails(dup(100), EBADF) && fails(dup(-1), EBADF));
}

function duplicates_to(): void {
  const fd = make_file(cs("f"), cs("abc"));
  assert(dup2(fd, 20) == 20 && dup2(fd, fd) == fd && lseek(20, 0, 1, 0) == 1 && lseek(fd, 0, 0, 1) == 1);
  const g = make_file(cs("g"), cs("ggg"));
  assert(dup2(g, 20) == 20 && lseek(20, 0, 0, 1) == 3);
  assert(fails(dup2(50, 51), EBADF) && fails(dup2(fd, -1), EBADF) && fails(dup2(fd, 1000), EBADF));
  assert(fcntl(fd, F_DUPFD, 30) == 30 && fcntl(fd, F_DUPFD, 30) == 31 && fails(fcntl(fd, F_DUPFD, 1000), EINVAL));
  assert(fails(fcntl(fd, F_DUPFD, u32(-1)), EINVAL) && fails(fcntl(60, F_DUPFD, 0), EBADF));
}

function flags_of_descriptors(): void {
  const fd = open(cs("."), O_RDONLY, 0);
  assert(fcntl(fd, F_GETFD, 0) == 0 && fcntl(fd, F_SETFD, 1) == 0 && fcntl(fd, F_GETFD, 0) == 1);
  const other = dup(fd);
  assert(fcntl(other, F_GETFD, 0) == 0);
  const file = make_file(cs("f"), cs(""));
  assert((fcntl(file, F_GETFL, 0) & 3) == i32(O_RDWR) && fcntl(file, F_SETFL, O_NONBLOCK | O_APPEND | 1) == 0);
  assert(u32(fcntl(file, F_GETFL, 0)) == (O_RDWR | O_NONBLOCK | O_APPEND));
  assert(fails(fcntl(file, 77, 0), EINVAL) && fails(fcntl(file, -1, 0), EINVAL) && fails(fcntl(-5, F_GETFL, 0), EBADF));
}

function descriptor_limit(): void {
  const limit = frame_alloc(16);
  assert(getrlimit(RLIMIT_NOFILE, limit) == 0);
  let count: u32 = 0;
  while (dup(0) >= 0) count++;
  assert(last_error() == EMFILE && count >= load<u32>(limit) - 10);
  assert(fails(open(cs("."), O_RDONLY, 0), EMFILE) && fails(pipe(scratch()), EMFILE));
  assert(close(5) == 0 && fails(pipe(scratch()), EMFILE) && dup(0) == 5);
  // A lower limit does not close what is open.
  store<u32>(limit, 10);
  assert(setrlimit(RLIMIT_NOFILE, limit) == 0 && fcntl(15, F_GETFD, 0) == 0 && fails(dup2(0, 12), EBADF));
}

function closed_by_exec(): void {
  const fd = open(cs("/bin/true"), O_RDONLY, 0);
  assert(dup2(fd, 8) == 8 && fcntl(8, F_SETFD, 1) == 0 && dup2(8, 9) == 9 && fcntl(8, F_GETFD, 0) == 1);
  assert(exit_code(child(exec_with_input.index)) == 0);
}

/** The shell tells which of 8 and 9 is open. */
function exec_with_input(): void {
  const argv = frame_alloc(16);
  store<usize>(argv, cs("sh"));
  store<usize>(argv, cs("-c"), 4);
  store<usize>(argv, cs("cat <&9 >/dev/null && ! (cat <&8 >/dev/null) 2>/dev/null"), 8);
  store<usize>(argv, 0, 12);
  execve(cs("/bin/sh"), argv, argv + 12);
  _exit(8);
}

function pipe_data(): void {
  make_pipe(ends());
  assert(writer() == reader() + 1);
  assert(write(writer(), cs("hello"), 5) == 5 && read(reader(), scratch(), 100) == 5);
  assert(same(scratch(), cs("hello"), 5));
  assert(fails(write(reader(), cs("x"), 1), EBADF) && fails(read(writer(), scratch(), 1), EBADF));
  assert(read(reader(), scratch(), 0) == 0 && write(writer(), scratch(), 0) == 0);
  assert(write(writer(), cs("abc"), 3) == 3 && read(reader(), scratch(), 1) == 1 && read(reader(), scratch(), 9) == 2);
  assert(close(writer()) == 0 && read(reader(), scratch(), 1) == 0 && read(reader(), scratch(), 1) == 0);
}

function pipe_attributes(): void {
  const st = changetype<Stat>(frame_alloc(SIZEOF_STAT));
  const n = frame_alloc(4);
  make_pipe(ends());
  assert(write(writer(), cs("hello"), 5) == 5 && __fstat13(reader(), changetype<usize>(st)) == 0);
  assert(st.type == S_IFIFO && st.st_size_low == 5);
  assert(ioctl(reader(), FIONREAD, n) == 0 && load<u32>(n) == 5 && fails(ioctl(reader(), 0x7777, 0), ENOTTY));
  assert(fails(ioctl(99, FIONREAD, n), EBADF) && fails(ioctl(reader(), FIONREAD, KERNEL), EFAULT));
}

function stream_body(): void {
  close(reader());
  const a = scratch();
  for (let i: u32 = 0; i < 25; i++) {
    fill_pattern(a, 4001, i);
    if (write(writer(), a, 4001) != 4001) _exit(1);
  }
}

function pipe_stream(): void {
  make_pipe(ends());
  const pid = start(stream_body.index);
  assert(close(writer()) == 0);
  const a = scratch();
  for (let i: u32 = 0; i < 25; i++) {
    let at: u32 = 0;
    while (at < 4001) {
      const n = read(reader(), a + at, 4001 - at);
      assert(n > 0);
      at += n;
    }
    assert(has_pattern(a, 4001, i));
  }
  assert(read(reader(), a, 10) == 0 && finish(pid) == 0);
}

function full_pipe(): void {
  make_pipe(ends());
  assert(fcntl(writer(), F_SETFL, O_NONBLOCK) == 0 && fcntl(reader(), F_SETFL, O_NONBLOCK) == 0);
  assert(fails(read(reader(), scratch(), 1), EAGAIN));
  let total: u32 = 0;
  while (true) {
    const n = write(writer(), scratch(), 1000);
    if (n < 0) break;
    total += n;
  }
  assert(last_error() == EAGAIN && total >= 4096);
  // Up to PIPE_BUF bytes go as a whole or not at all; more go in part.
  assert(read(reader(), scratch(), 100) == 100 && fails(write(writer(), scratch(), 512), EAGAIN));
  assert(read(reader(), scratch(), 500) == 500 && write(writer(), scratch(), 512) == 512);
  const n = frame_alloc(4);
  store<u32>(n, 0);
  assert(ioctl(writer(), FIONBIO, n) == 0 && (fcntl(writer(), F_GETFL, 0) & O_NONBLOCK) == 0);
}

function write_to_nobody(): void {
  close(reader());
  write(writer(), cs("x"), 1);
}

function broken_pipe(): void {
  make_pipe(ends());
  assert(close(reader()) == 0);
  assert(death(child(write_to_nobody.index)) == SIGPIPE);
  assert(action(SIGPIPE, SIG_IGN, 0, 0) == 0 && fails(write(writer(), cs("x"), 1), EPIPE));
  catch_signal(SIGPIPE, 0);
  assert(fails(write(writer(), scratch(), PAGE), EPIPE) && caught_signal() == SIGPIPE);
}

function close_later(): void {
  close(writer());
  pause_ticks(5);
}

function pipe_closed_while_writing(): void {
  make_pipe(ends());
  catch_signal(SIGPIPE, 0);
  const pid = start(close_later.index);
  assert(close(reader()) == 0);
  // The other process is the only reader, and reads nothing: the write sleeps until it ends.
  assert(fails(write(writer(), scratch(), SCRATCH), EPIPE) || caught_signal() == SIGPIPE);
  assert(caught_signal() == SIGPIPE && finish(pid) == 0);
}

function set_alarm(microseconds: u32): void {
  const it = frame_alloc(16);
  memory.fill(it, 0, 16);
  store<u32>(it, microseconds, 12);
  assert(setitimer(0, it, 0) == 0);
}

function interrupted_read(): void {
  make_pipe(ends());
  catch_signal(SIGALRM, 0);
  set_alarm(30000);
  assert(fails(read(reader(), scratch(), 1), EINTR) && caught_count() == 1);
  set_alarm(30000);
  assert(write(writer(), scratch(), 8192) == 8192);
  assert(fails(write(writer(), scratch(), 1), EINTR) && caught_count() == 2);
  // What was transferred before the signal counts.
  assert(read(reader(), scratch(), 1000) == 1000);
  set_alarm(30000);
  assert(write(writer(), scratch(), 5000) == 1000 && caught_count() == 3);
}

function write_late(): void {
  pause_ticks(6);
  if (write(writer(), cs("late"), 4) != 4) _exit(1);
}

function restarted_read(): void {
  make_pipe(ends());
  catch_signal(SIGALRM, 2);
  const pid = start(write_late.index);
  set_alarm(20000);
  assert(read(reader(), scratch(), 10) == 4 && caught_count() == 1 && finish(pid) == 0);
}

function pipe_errors(): void {
  make_pipe(ends());
  assert(write(writer(), cs("abc"), 3) == 3 && fails(read(reader(), KERNEL, 3), EFAULT));
  assert(fails(write(writer(), KERNEL, 3), EFAULT) && fails(read(reader(), scratch(), 0x80000000), EINVAL));
}

function select_pipe(): void {
  const set = frame_alloc(16);
  const tv = frame_alloc(8);
  make_pipe(ends());
  const r: u32 = 1 << reader();
  const w: u32 = 1 << writer();
  memory.fill(set, 0, 16);
  memory.fill(tv, 0, 8);
  store<u32>(set, r);
  assert(select(reader() + 1, set, 0, 0, tv) == 0 && load<u32>(set) == 0);
  store<u32>(set, r);
  store<u32>(set, w, 4);
  assert(select(writer() + 1, set, set + 4, 0, tv) == 1 && load<u32>(set) == 0 && load<u32>(set, 4) == w);
  assert(write(writer(), cs("x"), 1) == 1);
  store<u32>(set, r);
  store<u32>(set, r, 8);
  assert(select(writer() + 1, set, set + 4, set + 8, 0) == 2 && load<u32>(set) == r && load<u32>(set, 8) == 0);
  assert(read(reader(), scratch(), 1) == 1 && close(writer()) == 0);
  store<u32>(set, r);
  assert(select(reader() + 1, set, 0, 0, 0) == 1);
}

function select_waits(): void {
  const set = frame_alloc(4);
  const tv = frame_alloc(8);
  const before = frame_alloc(8);
  const after = frame_alloc(8);
  make_pipe(ends());
  store<u32>(tv, 0);
  store<u32>(tv, 40000, 4);
  store<u32>(set, 1 << reader());
  gettimeofday(before, 0);
  assert(select(reader() + 1, set, 0, 0, tv) == 0);
  gettimeofday(after, 0);
  const us = (load<i32>(after) - load<i32>(before)) * 1000000 + load<i32>(after, 4) - load<i32>(before, 4);
  assert(us >= 40000 && us < 100000);
  const pid = start(write_late.index);
  store<u32>(tv, 20);
  store<u32>(set, 1 << reader());
  assert(select(reader() + 1, set, 0, 0, tv) == 1 && finish(pid) == 0);
}

function select_errors(): void {
  const set = frame_alloc(16);
  const tv = frame_alloc(8);
  memory.fill(set, 0, 16);
  memory.fill(tv, 0, 8);
  store<u32>(set, 1 << 25);
  assert(fails(select(26, set, 0, 0, tv), EBADF) && fails(select(-1, set, 0, 0, tv), EINVAL));
  assert(fails(select(10, KERNEL, 0, 0, tv), EFAULT) && fails(select(10, 0, 0, 0, KERNEL), EFAULT));
  store<i32>(tv, -1);
  assert(fails(select(0, 0, 0, 0, tv), EINVAL));
  store<i32>(tv, 0);
  store<u32>(tv, 1000000, 4);
  assert(fails(select(0, 0, 0, 0, tv), EINVAL));
  catch_signal(SIGALRM, 2);
  set_alarm(30000);
  assert(fails(select(0, 0, 0, 0, 0), EINTR) && caught_signal() == SIGALRM);
}

function poll_pipe(): void {
  const fds = frame_alloc(24);
  make_pipe(ends());
  store<i32>(fds, reader());
  store<u32>(fds, POLLIN, 4);
  store<i32>(fds, writer(), 8);
  store<u32>(fds, POLLIN | POLLOUT, 12);
  store<i32>(fds, 88, 16);
  store<u32>(fds, POLLIN, 20);
  assert(poll(fds, 3, 0) == 2 && load<u16>(fds, 6) == 0 && load<u16>(fds, 14) == POLLOUT);
  assert(load<u16>(fds, 22) == POLLNVAL && poll(fds, 1, 30) == 0 && poll(0, 0, 10) == 0);
  assert(write(writer(), cs("x"), 1) == 1 && poll(fds, 1, -1) == 1 && load<u16>(fds, 6) == POLLIN);
  store<i32>(fds, -1);
  assert(poll(fds, 1, 0) == 0 && load<u16>(fds, 6) == 0);
  assert(fails(poll(KERNEL, 1, 0), EFAULT) && fails(poll(fds, 0x20000000, 0), EINVAL));
  catch_signal(SIGALRM, 2);
  set_alarm(30000);
  assert(fails(poll(fds, 1, -1), EINTR));
}

function files_are_ready(): void {
  const set = frame_alloc(8);
  const fd = make_file(cs("f"), cs("x"));
  store<u32>(set, 1 << fd);
  store<u32>(set, 1 << fd, 4);
  assert(select(fd + 1, set, set + 4, 0, 0) == 2);
}

function shared_position_body(): void {
  if (read(reader(), scratch(), 3) != 3) _exit(1);
}

function shared_by_fork(): void {
  store<i32>(ends(), make_file(cs("f"), cs("abcdef")));
  assert(lseek(reader(), 0, 0, 0) == 0);
  in_child(shared_position_body.index);
  assert(read(reader(), scratch(), 10) == 3 && same(scratch(), cs("def"), 3));
}

/** Adds the cases of this file. */
export function descriptor_cases(): void {
  group(cs("descriptors"));
  test(cs("dup"), duplicates.index);
  test(cs("dup2 and F_DUPFD"), duplicates_to.index);
  test(cs("fcntl flags"), flags_of_descriptors.index);
  test(cs("limit of descriptors"), descriptor_limit.index);
  test(cs("close on exec"), closed_by_exec.index);
  test(cs("position after fork"), shared_by_fork.index);
  test(cs("pipe"), pipe_data.index);
  test(cs("fstat and ioctl of a pipe"), pipe_attributes.index);
  test(cs("stream through a pipe"), pipe_stream.index);
  test(cs("full pipe"), full_pipe.index);
  test(cs("SIGPIPE"), broken_pipe.index);
  test(cs("reader gone during write"), pipe_closed_while_writing.index);
  test(cs("interrupted read and write"), interrupted_read.index);
  test(cs("restarted read"), restarted_read.index);
  test(cs("pipe errors"), pipe_errors.index);
  test(cs("select"), select_pipe.index);
  test(cs("select with a time limit"), select_waits.index);
  test(cs("select errors"), select_errors.index);
  test(cs("poll"), poll_pipe.index);
  test(cs("select of files"), files_are_ready.index);
}
