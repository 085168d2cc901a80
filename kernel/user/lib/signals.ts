// Signals: names, handlers, masks.
import { frame_alloc } from "../../i386/cpufunc";
import { strcmp } from "../../libkern";
import { atoi, is_digit } from "./stdlib";
import { __sigaction14, __sigprocmask14 } from "./syscalls";

export const SIGHUP: i32 = 1;
export const SIGINT: i32 = 2;
export const SIGQUIT: i32 = 3;
export const SIGKILL: i32 = 9;
export const SIGPIPE: i32 = 13;
export const SIGALRM: i32 = 14;
export const SIGTERM: i32 = 15;
export const SIGTSTP: i32 = 18;
export const SIGCONT: i32 = 19;
export const SIGTTIN: i32 = 21;
export const SIGTTOU: i32 = 22;
export const NSIG: i32 = 32;

export const SIG_DFL: u32 = 0;
export const SIG_IGN: u32 = 1;

/** Names by number from 1 on, one after the other. */
function signal_names(): usize {
  return cs(
    "HUP\0INT\0QUIT\0ILL\0TRAP\0ABRT\0EMT\0FPE\0KILL\0BUS\0SEGV\0SYS\0PIPE\0ALRM\0TERM\0URG\0STOP\0TSTP\0CONT\0CHLD\0" +
    "TTIN\0TTOU\0IO\0XCPU\0XFSZ\0VTALRM\0PROF\0WINCH\0INFO\0USR1\0USR2\0",
  );
}

/** Texts of psignal(3) for the ends of children, by number from 1 on. */
function signal_texts(): usize {
  return cs(
    "Hangup\0Interrupt\0Quit\0Illegal instruction\0Trace/BPT trap\0Abort trap\0EMT trap\0Floating point exception\0" +
    "Killed\0Bus error\0Segmentation fault\0Bad system call\0Broken pipe\0Alarm clock\0Terminated\0" +
    "Urgent I/O condition\0Suspended (signal)\0Suspended\0Continued\0Child exited\0Stopped (tty input)\0" +
    "Stopped (tty output)\0I/O possible\0Cputime limit exceeded\0Filesize limit exceeded\0Virtual timer expired\0" +
    "Profiling timer expired\0Window size changes\0Information request\0User defined signal 1\0User defined signal 2\0",
  );
}

function nth(list: usize, n: i32): usize {
  for (; n > 1; n--) {
    while (load<u8>(list) != 0) list++;
    list++;
  }
  return list;
}

/** Name of a signal without SIG. */
export function signal_name(number: i32): usize {
  return number > 0 && number < NSIG ? nth(signal_names(), number) : cs("?");
}

/** What psignal(3) says of a signal. */
export function signal_text(number: i32): usize {
  return number > 0 && number < NSIG ? nth(signal_texts(), number) : cs("Unknown signal");
}

/** The number of `TERM`, `SIGTERM` or `15`; 0 for EXIT and 0; -1 for none of these. */
export function signal_number(name: usize): i32 {
  if (is_digit(load<u8>(name))) {
    const number = atoi(name);
    return number < NSIG ? number : -1;
  }
  if (strcmp(name, cs("EXIT")) == 0) return 0;
  if (load<u8>(name) == 0x53 && load<u8>(name + 1) == 0x49 && load<u8>(name + 2) == 0x47) name += 3;
  for (let number = 1; number < NSIG; number++) if (strcmp(name, signal_name(number)) == 0) return number;
  return -1;
}

/**
 * Sets what a signal does: SIG_DFL, SIG_IGN, or the code address of a function
 * (number: i32). System calls that it interrupts end with EINTR. Returns the
 * old action, or -1.
 */
export function signal(number: i32, handler: u32): u32 {
  const action = frame_alloc(24);
  const old = frame_alloc(24);
  memory.fill(action, 0, 24);
  store<u32>(action, handler);
  return __sigaction14(number, action, old) != 0 ? u32(-1) : load<u32>(old);
}

const SIG_SETMASK: i32 = 3;

/** The bit of a signal in a mask. */
export function signal_bit(number: i32): u32 {
  return u32(1) << (number - 1);
}

/** Holds the signals of a mask back, and no others. Returns the mask before. */
export function set_signal_mask(mask: u32): u32 {
  const set = frame_alloc(16);
  const old = frame_alloc(16);
  memory.fill(set, 0, 16);
  store<u32>(set, mask);
  return __sigprocmask14(SIG_SETMASK, set, old) != 0 ? 0 : load<u32>(old);
}
