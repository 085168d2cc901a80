// Cases of usertests: clocks, sleeping, timers, limits, usage, priorities.
import { bss, frame_alloc, volatile } from "../../../i386/cpufunc";
import { EACCES, EFAULT, EINTR, EINVAL, EPERM, ESRCH } from "../../../sys/errno";
import {
  _exit, clock_getres, clock_gettime, getitimer, getpid, getpriority, getrlimit, getrusage, gettimeofday, kill,
  nanosleep, setitimer, setpriority, setrlimit, setuid, write,
} from "../../lib/syscalls";
import {
  action, become, catch_signal, caught_count, caught_signal, child, death, fails, finish, group, in_child, make_file,
  pause_ticks, scratch, start, test,
} from "./harness";

const KERNEL: usize = 0xc0100000;
const ITIMER_REAL: u32 = 0;
const ITIMER_VIRTUAL: u32 = 1;
const ITIMER_PROF: u32 = 2;
const SIGKILL: i32 = 9;
const SIGALRM: i32 = 14;
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;
const SIGVTALRM: i32 = 26;
const SIGPROF: i32 = 27;
const RLIMIT_CPU: u32 = 0;
const RLIMIT_FSIZE: u32 = 1;
const RLIMIT_CORE: u32 = 4;
const RLIMIT_NOFILE: u32 = 8;

/** Microseconds since some moment, for differences. */
function microseconds(): u32 {
  const tv = frame_alloc(8);
  gettimeofday(tv, 0);
  return load<u32>(tv) * 1000000 + load<u32>(tv, 4);
}

function time_of_day(): void {
  const tv = frame_alloc(8);
  const ts = frame_alloc(8);
  const zone = frame_alloc(8);
  assert(gettimeofday(tv, zone) == 0 && load<u32>(tv) > 900000000 && load<u32>(tv, 4) < 1000000);
  assert(load<u64>(zone) == 0);
  assert(gettimeofday(0, 0) == 0 && fails(gettimeofday(KERNEL, 0), EFAULT) && fails(gettimeofday(0, KERNEL), EFAULT));
  assert(clock_gettime(0, ts) == 0 && load<u32>(ts) - load<u32>(tv) <= 1 && load<u32>(ts, 4) < 1000000000);
  assert(clock_getres(0, ts) == 0 && load<u32>(ts) == 0 && load<u32>(ts, 4) == 10000000 && clock_getres(0, 0) == 0);
  assert(fails(clock_gettime(9, ts), EINVAL) && fails(clock_getres(9, ts), EINVAL));
  assert(fails(clock_gettime(0, KERNEL), EFAULT));
  let before = microseconds();
  for (let i: u32 = 0; i < 200; i++) {
    const now = microseconds();
    assert(now - before < 1000000);
    before = now;
  }
}

function sleeping(): void {
  const ts = frame_alloc(8);
  store<u32>(ts, 0);
  store<u32>(ts, 30000000, 4);
  const before = microseconds();
  assert(nanosleep(ts, 0) == 0);
  const slept = microseconds() - before;
  assert(slept >= 30000 && slept <= 60000);
  store<u32>(ts, 0, 4);
  assert(nanosleep(ts, 0) == 0);
  // The most nanoseconds that there are, nearly a second.
  store<u32>(ts, 999999999, 4);
  const start_time = microseconds();
  assert(nanosleep(ts, 0) == 0 && microseconds() - start_time >= 999999);
}

function sleep_errors(): void {
  const ts = frame_alloc(8);
  const left = frame_alloc(8);
  store<u32>(ts, 0);
  store<u32>(ts, 1000000000, 4);
  assert(fails(nanosleep(ts, 0), EINVAL) && fails(nanosleep(KERNEL, 0), EFAULT));
  store<i32>(ts, -1, 4);
  assert(fails(nanosleep(ts, 0), EINVAL));
  store<i32>(ts, -1);
  store<u32>(ts, 0, 4);
  assert(fails(nanosleep(ts, 0), EINVAL));
  catch_signal(SIGALRM, 2);
  set_timer(ITIMER_REAL, 30000, 0);
  store<u32>(ts, 5);
  assert(fails(nanosleep(ts, left), EINTR) && load<u32>(left) == 4 && load<u32>(left, 4) > 800000000);
  set_timer(ITIMER_REAL, 30000, 0);
  assert(fails(nanosleep(ts, KERNEL), EFAULT));
}

function set_timer(which: u32, value: u32, interval: u32): void {
  const it = frame_alloc(16);
  store<u32>(it, 0);
  store<u32>(it, interval, 4);
  store<u32>(it, 0, 8);
  store<u32>(it, value, 12);
  assert(setitimer(which, it, 0) == 0);
}

function real_timer(): void {
  const it = frame_alloc(16);
  catch_signal(SIGALRM, 2);
  set_timer(ITIMER_REAL, 50000, 20000);
  assert(getitimer(ITIMER_REAL, it) == 0 && load<u32>(it, 4) == 20000 && load<u32>(it, 12) <= 50000);
  assert(load<u32>(it, 12) > 0);
  while (caught_count() < 3) pause_ticks(1);
  store<u32>(it, 0, 4);
  memory.fill(it, 0, 16);
  assert(setitimer(ITIMER_REAL, it, scratch()) == 0 && load<u32>(scratch(), 4) == 20000);
  const count = caught_count();
  pause_ticks(6);
  assert(caught_count() == count && getitimer(ITIMER_REAL, it) == 0 && load<u64>(it) == 0 && load<u64>(it, 8) == 0);
}

function virtual_timer(): void {
  catch_signal(SIGVTALRM, 2);
  set_timer(ITIMER_VIRTUAL, 30000, 0);
  // Time that is slept does not count.
  pause_ticks(10);
  assert(caught_count() == 0);
  while (caught_count() == 0) { /* uses time */ }
  assert(caught_signal() == SIGVTALRM);
}

function profile_timer(): void {
  catch_signal(SIGPROF, 2);
  set_timer(ITIMER_PROF, 30000, 30000);
  while (caught_count() < 2) getpid();
  set_timer(ITIMER_PROF, 0, 0);
  assert(caught_signal() == SIGPROF);
}

function timer_errors(): void {
  const it = frame_alloc(16);
  memory.fill(it, 0, 16);
  assert(fails(setitimer(3, it, 0), EINVAL) && fails(getitimer(3, it), EINVAL));
  assert(fails(setitimer(0, KERNEL, 0), EFAULT));
  assert(fails(getitimer(0, KERNEL), EFAULT) && fails(setitimer(0, it, KERNEL), EFAULT));
  store<i32>(it, -1, 8);
  assert(fails(setitimer(0, it, 0), EINVAL));
  store<i32>(it, 0, 8);
  store<u32>(it, 1000000, 12);
  assert(fails(setitimer(0, it, 0), EINVAL));
}

function no_timer(): void {
  const it = frame_alloc(16);
  if (getitimer(ITIMER_REAL, it) != 0 || load<u64>(it, 8) != 0) _exit(1);
}

function timer_of_child(): void {
  catch_signal(SIGALRM, 2);
  set_timer(ITIMER_REAL, 900000, 0);
  in_child(no_timer.index);
  set_timer(ITIMER_REAL, 0, 0);
}

function limits(): void {
  const limit = frame_alloc(16);
  for (let which: u32 = 0; which < 9; which++) {
    assert(getrlimit(which, limit) == 0 && load<u64>(limit) <= load<u64>(limit, 8));
    assert(setrlimit(which, limit) == 0);
  }
  assert(fails(getrlimit(9, limit), EINVAL) && fails(setrlimit(9, limit), EINVAL));
  assert(fails(setrlimit(0xffffffff, limit), EINVAL));
  assert(fails(getrlimit(0, KERNEL), EFAULT) && fails(setrlimit(0, KERNEL), EFAULT));
  store<u64>(limit, 100);
  store<u64>(limit, 50, 8);
  assert(fails(setrlimit(RLIMIT_CORE, limit), EINVAL));
  store<u64>(limit, 10);
  assert(setrlimit(RLIMIT_CORE, limit) == 0);
  become(1000);
  store<u64>(limit, 51, 8);
  assert(fails(setrlimit(RLIMIT_CORE, limit), EPERM));
  store<u64>(limit, 40, 8);
  assert(setrlimit(RLIMIT_CORE, limit) == 0 && getrlimit(RLIMIT_CORE, limit) == 0 && load<u64>(limit, 8) == 40);
}

function ceilings(): void {
  const limit = frame_alloc(16);
  store<u64>(limit, 100000);
  store<u64>(limit, 100000, 8);
  assert(setrlimit(RLIMIT_NOFILE, limit) == 0 && getrlimit(RLIMIT_NOFILE, limit) == 0 && load<u64>(limit) < 1000);
}

function write_much(): void {
  const fd = make_file(cs("f"), cs(""));
  const limit = frame_alloc(16);
  store<u64>(limit, 10000);
  store<u64>(limit, 10000, 8);
  if (setrlimit(RLIMIT_FSIZE, limit) != 0) _exit(1);
  if (write(fd, scratch(), 8000) != 8000) _exit(2);
  write(fd, scratch(), 8000);
  _exit(3);
}

function file_size_limit(): void {
  assert(death(child(write_much.index)) == SIGXFSZ);
}

function spin(): void {
  while (true) getpid();
}

function cpu_limit_body(): void {
  const limit = frame_alloc(16);
  store<u64>(limit, 1);
  store<u64>(limit, 2, 8);
  if (setrlimit(RLIMIT_CPU, limit) != 0) _exit(1);
  spin();
}

function cpu_limit(): void {
  assert(death(child(cpu_limit_body.index)) == SIGXCPU);
  assert(death(child(cpu_maximum_body.index)) == SIGKILL);
}

function cpu_maximum_body(): void {
  action(SIGXCPU, 1, 0, 0);
  cpu_limit_body();
}

function usage(): void {
  const ru = frame_alloc(80);
  const before = microseconds();
  while (microseconds() - before < 50000) { /* uses time */ }
  memory.fill(ru, 0xff, 80);
  assert(getrusage(0, ru) == 0 && load<u32>(ru, 72) == 0xffffffff);
  const used = (load<u32>(ru) + load<u32>(ru, 8)) * 1000000 + load<u32>(ru, 4) + load<u32>(ru, 12);
  assert(used >= 30000 && used < 1000000 && load<u32>(ru, 32) > 0);
  assert(fails(getrusage(1, ru), EINVAL) && fails(getrusage(-2, ru), EINVAL) && fails(getrusage(0, KERNEL), EFAULT));
}

function busy_child(): void {
  const before = microseconds();
  while (microseconds() - before < 50000) getpid();
}

function usage_of_children(): void {
  const ru = frame_alloc(72);
  assert(getrusage(-1, ru) == 0 && load<u64>(ru) == 0 && load<u64>(ru, 8) == 0);
  in_child(busy_child.index);
  assert(getrusage(-1, ru) == 0 && load<u32>(ru, 4) + load<u32>(ru, 12) >= 30000);
}

function priorities(): void {
  assert(getpriority(0, 0) == 0 && setpriority(0, 0, 5) == 0 && getpriority(0, getpid()) == 5);
  assert(getpriority(1, 0) == 5);
  assert(setpriority(0, 0, 100) == 0 && getpriority(0, 0) == 20 && setpriority(0, 0, -3) == 0);
  assert(getpriority(0, 0) == -3);
  assert(fails(getpriority(3, 0), EINVAL) && fails(setpriority(-1, 0, 0), EINVAL));
  assert(fails(getpriority(0, 29999), ESRCH) && fails(setpriority(0, 29999, 0), ESRCH));
  assert(setpriority(0, 0, 0) == 0);
  become(1000);
  assert(fails(setpriority(0, 0, -1), EACCES) && setpriority(0, 0, 4) == 0 && fails(setpriority(0, 0, 3), EACCES));
  in_child(unprivileged_priority.index);
}

function unprivileged_priority(): void {
  become(0);
  if (setuid(1000) != 0 || !fails(setpriority(0, 1, 10), EPERM) || setpriority(0, 0, 10) != 0) _exit(1);
}

/** Counts in shared memory until it is killed. */
function counter(): void {
  const at = bss(8, 4);
  while (true) volatile.store32(at, volatile.load32(at) + 1);
}

function fair_share(): void {
  // Two that spin, and one that sleeps and wakes in between: all get on.
  const first = start(counter.index);
  const second = start(counter.index);
  const before = microseconds();
  for (let i = 0; i < 5; i++) pause_ticks(2);
  assert(microseconds() - before < 2000000);
  assert(kill(first, SIGKILL) == 0 && kill(second, SIGKILL) == 0);
  assert(death(finish(first)) == SIGKILL && death(finish(second)) == SIGKILL);
}

/** Adds the cases of this file. */
export function time_cases(): void {
  group(cs("times"));
  test(cs("time of day"), time_of_day.index);
  test(cs("nanosleep"), sleeping.index);
  test(cs("nanosleep errors"), sleep_errors.index);
  test(cs("ITIMER_REAL"), real_timer.index);
  test(cs("ITIMER_VIRTUAL"), virtual_timer.index);
  test(cs("ITIMER_PROF"), profile_timer.index);
  test(cs("timer errors"), timer_errors.index);
  test(cs("timers of a child"), timer_of_child.index);
  test(cs("limits"), limits.index);
  test(cs("ceilings of limits"), ceilings.index);
  test(cs("limit of file sizes"), file_size_limit.index);
  test(cs("limit of processor time"), cpu_limit.index);
  test(cs("getrusage"), usage.index);
  test(cs("usage of children"), usage_of_children.index);
  test(cs("priorities"), priorities.index);
  test(cs("fair share"), fair_share.index);
}
