// Resource limits and usage, priorities.
import { frame_alloc } from "./i386/cpufunc";
import { copyin, copyout } from "./i386/support";
import { free, malloc } from "./kern_malloc";
import { allproc_first, proc_next } from "./kern_proc";
import { psignal } from "./kern_sig";
import { memcpy } from "./libkern";
import { EACCES, EINVAL, EPERM, ESRCH } from "./sys/errno";
import { DFLDSIZ, DFLSSIZ, MAXDSIZ, MAXSSIZ } from "./sys/exec";
import { M_SUBPROC, M_WAITOK } from "./sys/malloc";
import { HZ, PUSER } from "./sys/param";
import { Proc, SZOMB } from "./sys/proc";
import { SIGKILL, SIGXCPU, SIGXFSZ } from "./sys/signal";
import { SysGetpriorityArgs, SysGetrlimitArgs, SysGetrusageArgs, SysSetpriorityArgs, SysSetrlimitArgs }
  from "./syscallargs";

const RLIMIT_CPU: u32 = 0;
const RLIMIT_FSIZE: u32 = 1;
export const RLIMIT_DATA: u32 = 2;
export const RLIMIT_STACK: u32 = 3;
export const RLIMIT_CORE: u32 = 4;
export const RLIMIT_MEMLOCK: u32 = 6;
export const RLIMIT_NPROC: u32 = 7;
export const RLIMIT_NOFILE: u32 = 8;
const RLIM_NLIMITS: u32 = 9;
const RLIM_INFINITY: u64 = 0x7fffffffffffffff;
/** A limit: what holds, and up to where the process may raise it. */
const SIZEOF_RLIMIT: u32 = 16;
const SIZEOF_PLIMIT: u32 = 9 * 16;

/** Descriptors that a process can have at all. */
export const MAXFILES: u32 = 128;
const DFLFILES: u32 = 64;
const DFLPROC: u32 = 160;

/** Bytes of a struct rusage: two times, then fourteen counts. */
export const SIZEOF_RUSAGE: u32 = 72;

const PRIO_PROCESS: i32 = 0;
const PRIO_PGRP: i32 = 1;
const PRIO_USER: i32 = 2;
const PRIO_MAX: i32 = 20;

function put_limit(limits: usize, which: u32, current: u64, maximum: u64): void {
  store<u64>(limits + which * SIZEOF_RLIMIT, current);
  store<u64>(limits + which * SIZEOF_RLIMIT, maximum, 8);
}

/** The limits that process 1 starts with. => may sleep */
export function limit_init(p: Proc): void {
  const limits = malloc(SIZEOF_PLIMIT, M_SUBPROC, M_WAITOK);
  for (let which: u32 = 0; which < RLIM_NLIMITS; which++) put_limit(limits, which, RLIM_INFINITY, RLIM_INFINITY);
  put_limit(limits, RLIMIT_DATA, DFLDSIZ, MAXDSIZ);
  put_limit(limits, RLIMIT_STACK, DFLSSIZ, MAXSSIZ);
  put_limit(limits, RLIMIT_NPROC, DFLPROC, RLIM_INFINITY);
  put_limit(limits, RLIMIT_NOFILE, DFLFILES, MAXFILES);
  p.p_limit = limits;
}

/** A child begins with its parent's limits. => may sleep */
export function limit_share(p: Proc, parent: Proc): void {
  p.p_limit = malloc(SIZEOF_PLIMIT, M_SUBPROC, M_WAITOK);
  memcpy(p.p_limit, parent.p_limit, SIZEOF_PLIMIT);
}

export function limit_free(p: Proc): void {
  if (p.p_limit != 0) free(p.p_limit, M_SUBPROC);
  p.p_limit = 0;
}

/** The limit that holds, cut to a word. */
export function limit_of(p: Proc, which: u32): u32 {
  const value = load<u64>(p.p_limit + which * SIZEOF_RLIMIT);
  return value > 0xffffffff ? 0xffffffff : u32(value);
}

/** May the process (or the kernel, 0) write a file up to byte `end`? If not it gets SIGXFSZ, and the write is EFBIG. */
export function file_size_allowed(p: Proc, end: u64): bool {
  if (changetype<usize>(p) == 0 || p.p_limit == 0) return true;
  if (end <= load<u64>(p.p_limit + RLIMIT_FSIZE * SIZEOF_RLIMIT)) return true;
  psignal(p, SIGXFSZ);
  return false;
}

/**
 * Every second of processor time that the process has used: SIGXCPU at its limit and every five seconds from there on,
 * SIGKILL at the most it may ask for. At splclock.
 */
export function check_cpu_limit(p: Proc): void {
  if (p.p_limit == 0) return;
  const at = p.p_limit + RLIMIT_CPU * SIZEOF_RLIMIT;
  const seconds = u64((p.p_uticks + p.p_sticks) / HZ);
  const maximum = load<u64>(at, 8);
  if (seconds < load<u64>(at)) return;
  if (seconds >= maximum) {
    psignal(p, SIGKILL);
    return;
  }
  psignal(p, SIGXCPU);
  store<u64>(at, seconds + 5 < maximum ? seconds + 5 : maximum);
}

export function sys_getrlimit(p: Proc, uap: SysGetrlimitArgs, retval: usize): i32 {
  if (uap.which >= RLIM_NLIMITS) return EINVAL;
  return copyout(p.p_limit + uap.which * SIZEOF_RLIMIT, uap.rlp, SIZEOF_RLIMIT);
}

/** What no process gets more of, whatever its limits say. */
function hard_ceiling(which: u32): u64 {
  if (which == RLIMIT_DATA) return MAXDSIZ;
  if (which == RLIMIT_STACK) return MAXSSIZ;
  return which == RLIMIT_NOFILE ? MAXFILES : RLIM_INFINITY;
}

export function sys_setrlimit(p: Proc, uap: SysSetrlimitArgs, retval: usize): i32 {
  if (uap.which >= RLIM_NLIMITS) return EINVAL;
  const wanted = frame_alloc(16);
  const error = copyin(uap.rlp, wanted, SIZEOF_RLIMIT);
  if (error != 0) return error;
  const ceiling = hard_ceiling(uap.which);
  let current = load<u64>(wanted);
  let maximum = load<u64>(wanted, 8);
  if (i64(current) < 0 || i64(maximum) < 0 || current > maximum) return EINVAL;
  const old = load<u64>(p.p_limit + uap.which * SIZEOF_RLIMIT, 8);
  if (maximum > old && p.p_uid != 0) return EPERM;
  if (current > ceiling) current = ceiling;
  if (maximum > ceiling) maximum = ceiling;
  put_limit(p.p_limit, uap.which, current, maximum);
  return 0;
}

function put_ticks(at: usize, ticks: u32): void {
  store<u32>(at, ticks / HZ);
  store<u32>(at, (ticks % HZ) * (1000000 / HZ), 4);
}

/** Usage of a process, as getrusage gives it. */
export function ru_of_process(p: Proc, ru: usize): void {
  memory.fill(ru, 0, SIZEOF_RUSAGE);
  put_ticks(ru, p.p_uticks);
  put_ticks(ru + 8, p.p_sticks);
  store<u32>(ru, p.p_minflt, 32);
  store<u32>(ru, p.p_majflt, 36);
  store<u32>(ru, p.p_inblock, 44);
  store<u32>(ru, p.p_oublock, 48);
  store<u32>(ru, p.p_nsignals, 60);
  store<u32>(ru, p.p_nvcsw, 64);
  store<u32>(ru, p.p_nivcsw, 68);
}

/** A child that has been waited for counts for its parent. */
export function ru_add_child(p: Proc, child: Proc): void {
  p.p_cuticks += child.p_uticks + child.p_cuticks;
  p.p_csticks += child.p_sticks + child.p_csticks;
}

export function sys_getrusage(p: Proc, uap: SysGetrusageArgs, retval: usize): i32 {
  const ru = frame_alloc(SIZEOF_RUSAGE);
  if (uap.who == 0) ru_of_process(p, ru);
  else if (uap.who == -1) {
    memory.fill(ru, 0, SIZEOF_RUSAGE);
    put_ticks(ru, p.p_cuticks);
    put_ticks(ru + 8, p.p_csticks);
  } else return EINVAL;
  return copyout(ru, uap.rusage, SIZEOF_RUSAGE);
}

/** Does `other` belong to what `which` and `who` name? */
function is_meant(p: Proc, other: Proc, which: i32, who: i32): bool {
  if (other.p_stat == SZOMB || other.p_sigacts == 0) return false;
  if (which == PRIO_PROCESS) return other.p_pid == (who == 0 ? p.p_pid : who);
  if (which == PRIO_PGRP) return other.p_pgid == (who == 0 ? p.p_pgid : who);
  return other.p_uid == (who == 0 ? p.p_uid : u32(who));
}

export function sys_getpriority(p: Proc, uap: SysGetpriorityArgs, retval: usize): i32 {
  if (uap.which < PRIO_PROCESS || uap.which > PRIO_USER) return EINVAL;
  let low = PRIO_MAX + 1;
  let other = allproc_first();
  while (changetype<usize>(other) != 0) {
    if (is_meant(p, other, uap.which, uap.who) && other.p_nice < low) low = other.p_nice;
    other = proc_next(other);
  }
  if (low > PRIO_MAX) return ESRCH;
  store<i32>(retval, low);
  return 0;
}

/** May `p` change the priority of `other` at all? Its effective or its real user must be the other's, or uid 0. */
function may_renice(p: Proc, other: Proc): bool {
  return p.p_uid == 0 || p.p_ruid == 0 || p.p_uid == other.p_uid || p.p_ruid == other.p_uid;
}

/** EPERM for others' processes; EACCES for a better priority, but as uid 0. */
export function sys_setpriority(p: Proc, uap: SysSetpriorityArgs, retval: usize): i32 {
  if (uap.which < PRIO_PROCESS || uap.which > PRIO_USER) return EINVAL;
  let nice = uap.prio;
  if (nice > PRIO_MAX) nice = PRIO_MAX;
  if (nice < -PRIO_MAX) nice = -PRIO_MAX;
  let found = false;
  let other = allproc_first();
  while (changetype<usize>(other) != 0) {
    if (is_meant(p, other, uap.which, uap.who)) {
      found = true;
      if (!may_renice(p, other)) return EPERM;
      if (nice < other.p_nice && p.p_uid != 0) return EACCES;
      other.p_nice = nice;
      other.p_usrpri = PUSER + nice;
    }
    other = proc_next(other);
  }
  return found ? 0 : ESRCH;
}
