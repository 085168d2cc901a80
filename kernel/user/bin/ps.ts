// ps(1): processes. Those of the user with a terminal; -a of all users, -x also without a terminal, -A both; -p number.
// -l, -u, -j say more, -w cuts nothing.
import { frame_alloc } from "../../i386/cpufunc";
import { HZ, PAGE_SIZE, PZERO } from "../../sys/param";
import { P_CONTROLT, P_PPWAIT, P_SINTR, P_WEXIT, SIDL, SRUN, SSLEEP, SSTOP, SZOMB } from "../../sys/proc";
import { CTL_KERN, KERN_PROC, KERN_PROC_ALL, KinfoProc, SIZEOF_KINFO_PROC } from "../../sys/sysctl";
import { err, set_progname, usage } from "../lib/errors";
import { getopt, optarg, optind } from "../lib/getopt";
import { printf, putc } from "../lib/stdio";
import { atoi, malloc, sort_words } from "../lib/stdlib";
import { __sysctl, geteuid, ioctl } from "../lib/syscalls";
import { sysctl_int } from "../lib/sysctl";
import { Date, SIZEOF_DATE, month_name, now, to_date } from "../lib/time";
import { user_name } from "../lib/users";

const TIOCGPGRP: u32 = 0x40047477;
const DAY: i32 = 86400;

/** Which columns. */
const F_SHORT: u32 = 0;
const F_LONG: u32 = 1;
const F_USER: u32 = 2;
const F_JOBS: u32 = 3;

@unmanaged
class Options {
  format: u32;
  /** Processes of others; those without a terminal. */
  all: u32;
  detached: u32;
  /** Only this process, or 0. */
  pid: i32;
  /** The group that has the terminal, physical memory in kilobytes. */
  foreground: i32;
  memory: u32;
}
const options = changetype<Options>(memory.data(offsetof<Options>()));

/** Processor time in hundredths of a second. */
function cpu_time(p: KinfoProc): u32 {
  return (p.ki_uticks + p.ki_sticks) * (100 / HZ);
}

function has_terminal(p: KinfoProc): bool {
  return (p.ki_flag & P_CONTROLT) != 0;
}

/** The state: a letter, and letters for what else is known of the process; at `to`, 8 bytes. */
function state_of(p: KinfoProc, to: usize): void {
  const asleep = p.ki_stat == SSLEEP && p.ki_priority <= PZERO && (p.ki_flag & P_SINTR) == 0;
  store<u8>(to++, p.ki_stat == SRUN ? 0x52 : asleep ? 0x44 : p.ki_stat == SSLEEP ? 0x53
    : p.ki_stat == SSTOP ? 0x54 : p.ki_stat == SZOMB ? 0x5a : p.ki_stat == SIDL ? 0x49 : 0x3f);
  if (p.ki_nice < 0) store<u8>(to++, 0x3c);
  else if (p.ki_nice > 0) store<u8>(to++, 0x4e);
  if ((p.ki_flag & P_WEXIT) != 0 && p.ki_stat != SZOMB) store<u8>(to++, 0x45);
  if ((p.ki_flag & P_PPWAIT) != 0) store<u8>(to++, 0x56);
  if (p.ki_sid == p.ki_pid && p.ki_pid != 0) store<u8>(to++, 0x73);
  if (has_terminal(p) && p.ki_pgid == options.foreground) store<u8>(to++, 0x2b);
  store<u8>(to, 0);
}

function print_time(p: KinfoProc): void {
  const time = cpu_time(p);
  printf(cs("%4u:%02u.%02u "), time / 6000, time / 100 % 60, time % 100);
}

/** When the process began: the time today, else the day. */
function print_start(p: KinfoProc): void {
  const date = changetype<Date>(frame_alloc(SIZEOF_DATE));
  to_date(i32(p.ki_starttime), date);
  const hour = date.hour % 12 == 0 ? 12 : date.hour % 12;
  const half: u32 = date.hour < 12 ? 0x41 : 0x50;
  if (now() - i32(p.ki_starttime) < DAY) printf(cs("%2d:%02d%cM "), hour, date.minute, half);
  else printf(cs("%2d%.3s%02d "), date.day, month_name(date.month), date.year % 100);
}

/** `part` of `whole` in percent with one digit, in five columns. */
function print_share(part: u32, whole: u32): void {
  const tenths = whole == 0 ? 0 : u32(u64(part) * 1000 / u64(whole));
  printf(cs("%2u.%u "), tenths / 10, tenths % 10);
}

function print_title(): void {
  if (options.format == F_LONG) printf(cs("  UID   PID  PPID PRI NI    VSZ   RSS WCHAN    STAT TT     TIME COMMAND\n"));
  else if (options.format == F_USER) {
    printf(cs("USER       PID %%CPU %%MEM    VSZ   RSS TT STAT STARTED    TIME COMMAND\n"));
  } else if (options.format == F_JOBS) printf(cs("USER       PID  PPID  PGID  SESS STAT TT     TIME COMMAND\n"));
  else printf(cs("  PID TT STAT    TIME COMMAND\n"));
}

function print(p: KinfoProc): void {
  const state = frame_alloc(8);
  const terminal = has_terminal(p) ? cs("co") : cs("??");
  state_of(p, state);
  const kilobytes = p.ki_rssize * (PAGE_SIZE / 1024);
  if (options.format == F_LONG) {
    printf(
      cs("%5u %5d %5d %3d %2d %6u %5u %-8.8s "), p.ki_uid, p.ki_pid, p.ki_ppid, p.ki_priority, p.ki_nice,
      p.ki_vsize / 1024, kilobytes, p.ki_wchan != 0 ? p.ki_wmesg : cs("-"),
    );
    printf(cs("%-4s %s "), state, terminal);
  } else if (options.format == F_USER) {
    const lived = u32(now()) - p.ki_starttime;
    printf(cs("%-8.8s %5d "), user_name(p.ki_uid), p.ki_pid);
    print_share(cpu_time(p), (lived == 0 ? 1 : lived) * 100);
    print_share(kilobytes, options.memory);
    printf(cs("%6u %5u %s %-4s "), p.ki_vsize / 1024, kilobytes, terminal, state);
    print_start(p);
  } else if (options.format == F_JOBS) {
    printf(
      cs("%-8.8s %5d %5d %5d %5d %-4s %s "), user_name(p.ki_uid), p.ki_pid, p.ki_ppid, p.ki_pgid, p.ki_sid, state, terminal,
    );
  } else printf(cs("%5d %s %-4s "), p.ki_pid, terminal, state);
  print_time(p);
  printf(p.ki_stat == SZOMB ? cs("(%s)") : cs("%s"), p.ki_comm);
  putc(0x0a);
}

function is_wanted(p: KinfoProc): bool {
  if (options.pid != 0) return p.ki_pid == options.pid;
  if (options.all == 0 && p.ki_uid != u32(geteuid())) return false;
  return options.detached != 0 || has_terminal(p);
}

function by_number(a: usize, b: usize): i32 {
  return changetype<KinfoProc>(a).ki_pid - changetype<KinfoProc>(b).ki_pid;
}

/** Reads all processes; a vector of them in the order of their numbers, its count at `countp`. */
function read_processes(countp: usize): usize {
  const name = frame_alloc(12);
  const length = frame_alloc(4);
  store<u32>(name, CTL_KERN);
  store<u32>(name, KERN_PROC, 4);
  store<u32>(name, KERN_PROC_ALL, 8);
  if (__sysctl(name, 3, 0, length, 0, 0) != 0) err(1, cs("kern.proc"));
  const list = malloc(load<u32>(length));
  if (__sysctl(name, 3, list, length, 0, 0) != 0) err(1, cs("kern.proc"));
  const count = load<u32>(length) / SIZEOF_KINFO_PROC;
  const vector = malloc(4 * count + 4);
  for (let i: u32 = 0; i < count; i++) store<usize>(vector + 4 * i, list + i * SIZEOF_KINFO_PROC);
  sort_words(vector, count, by_number.index);
  store<u32>(countp, count);
  return vector;
}

function take_option(letter: i32): void {
  if (letter == 0x61) options.all = 1;
  else if (letter == 0x78) options.detached = 1;
  else if (letter == 0x41 || letter == 0x65) {
    options.all = 1;
    options.detached = 1;
  } else if (letter == 0x6c) options.format = F_LONG;
  else if (letter == 0x75) options.format = F_USER;
  else if (letter == 0x6a) options.format = F_JOBS;
  else if (letter == 0x70) options.pid = atoi(optarg());
  else if (letter != 0x77) usage(cs("ps [-Aaejluwx] [-p pid]"));
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("ps"));
  // The old form has no dash.
  if (argc > 1 && load<u8>(load<usize>(argv + 4)) != 0x2d) {
    for (let at = load<usize>(argv + 4); load<u8>(at) != 0; at++) take_option(load<u8>(at));
  } else {
    const letters = cs("Aaejlp:uwx");
    for (let letter = getopt(argc, argv, letters); letter != -1; letter = getopt(argc, argv, letters)) take_option(letter);
    if (optind() < argc) usage(cs("ps [-Aaejluwx] [-p pid]"));
  }
  const group = frame_alloc(4);
  const countp = frame_alloc(4);
  options.foreground = ioctl(2, TIOCGPGRP, group) == 0 ? load<i32>(group) : -1;
  options.memory = u32(sysctl_int(cs("hw.physmem"), 0)) / 1024;
  const list = read_processes(countp);
  let found = 0;
  print_title();
  for (let i: u32 = 0; i < load<u32>(countp); i++) {
    const p = load<KinfoProc>(list + 4 * i);
    if (!is_wanted(p)) continue;
    print(p);
    found++;
  }
  return found > 0 ? 0 : 1;
}
