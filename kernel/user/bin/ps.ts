// ps(1): the processes of the system, from sysctl kern.proc: -a and -x are the default, -l says more.
import { frame_alloc } from "../../i386/cpufunc";
import { err, set_progname, usage } from "../lib/errors";
import { getopt } from "../lib/getopt";
import { printf } from "../lib/stdio";
import { malloc } from "../lib/stdlib";
import { __sysctl } from "../lib/syscalls";

const CTL_KERN: u32 = 1;
const KERN_PROC: u32 = 14;
const KERN_PROC_ALL: u32 = 0;
/** Ticks of the clock in a second. */
const HZ: u32 = 100;

/** One process as kern.proc.all lists it (kernel/kern_sysctl.ts). */
@unmanaged
class KinfoProc {
  pid: i32;
  ppid: i32;
  pgid: i32;
  sid: i32;
  uid: u32;
  state: u32;
  priority: i32;
  nice: i32;
  user_ticks: u32;
  system_ticks: u32;
  start: u32;
  size: u32;
  resident: u32;
  flags: u32;
  wait_channel: u32;
  spare: u32;

  @inline get wait_message(): usize { return changetype<usize>(this) + 64; }
  @inline get command(): usize { return changetype<usize>(this) + 72; }
}
const SIZEOF_KINFO_PROC: u32 = 128;

/** I idle, R running, S sleeping, T stopped, Z gone. */
function state_letter(p: KinfoProc): u32 {
  return p.state <= 5 ? load<u8>(cs("?IRSTZ") + p.state) : 0x3f;
}

function print(p: KinfoProc, long: bool): void {
  if (long) {
    printf(
      cs("%5u %5d %5d %3d %2d %6u %5u %-8.8s "), p.uid, p.pid, p.ppid, p.priority, p.nice, p.size / 1024, p.resident * 4,
      p.wait_channel != 0 ? p.wait_message : cs("-"),
    );
    printf(cs("%c    "), state_letter(p));
  } else printf(cs("%5d %c    "), p.pid, state_letter(p));
  const ticks = p.user_ticks + p.system_ticks;
  printf(cs("%3u:%02u.%02u %s\n"), ticks / HZ / 60, ticks / HZ % 60, ticks % HZ, p.command);
}

export function main(argc: i32, argv: usize, envp: usize): i32 {
  set_progname(cs("ps"));
  let long = false;
  for (let letter = getopt(argc, argv, cs("aelwx")); letter != -1; letter = getopt(argc, argv, cs("aelwx"))) {
    if (letter == 0x6c) long = true;
    else if (letter == 0x3f) usage(cs("ps [-aelwx]"));
  }
  const name = frame_alloc(12);
  const length = frame_alloc(4);
  store<u32>(name, CTL_KERN);
  store<u32>(name, KERN_PROC, 4);
  store<u32>(name, KERN_PROC_ALL, 8);
  if (__sysctl(name, 3, 0, length, 0, 0) != 0) err(1, cs("kern.proc"));
  const list = malloc(load<u32>(length));
  if (__sysctl(name, 3, list, length, 0, 0) != 0) err(1, cs("kern.proc"));
  if (long) printf(cs("  UID   PID  PPID PRI NI    VSZ   RSS WCHAN    STAT   TIME COMMAND\n"));
  else printf(cs("  PID STAT   TIME COMMAND\n"));
  for (let at: u32 = 0; at + SIZEOF_KINFO_PROC <= load<u32>(length); at += SIZEOF_KINFO_PROC) {
    print(changetype<KinfoProc>(list + at), long);
  }
  return 0;
}
