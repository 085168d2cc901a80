// <sys/signal.h>: signals, what they do by themselves, and how a process asks for something else.
//
// A set of signals is one word, bit n - 1 for signal n. User programs see sets of four words, of which the
// first one is used: there are 32 signals.

export const NSIG: u32 = 33;

export const SIGHUP: u32 = 1;
export const SIGINT: u32 = 2;
export const SIGQUIT: u32 = 3;
export const SIGILL: u32 = 4;
export const SIGTRAP: u32 = 5;
export const SIGABRT: u32 = 6;
export const SIGFPE: u32 = 8;
export const SIGKILL: u32 = 9;
export const SIGBUS: u32 = 10;
export const SIGSEGV: u32 = 11;
export const SIGSYS: u32 = 12;
export const SIGPIPE: u32 = 13;
export const SIGALRM: u32 = 14;
export const SIGTERM: u32 = 15;
export const SIGSTOP: u32 = 17;
export const SIGTSTP: u32 = 18;
export const SIGCONT: u32 = 19;
export const SIGCHLD: u32 = 20;
export const SIGTTIN: u32 = 21;
export const SIGTTOU: u32 = 22;
export const SIGXCPU: u32 = 24;
export const SIGXFSZ: u32 = 25;
export const SIGVTALRM: u32 = 26;
export const SIGPROF: u32 = 27;
export const SIGINFO: u32 = 29;

export const SIG_DFL: usize = 0;
export const SIG_IGN: usize = 1;

// sa_flags.
export const SA_ONSTACK: u32 = 0x01;
export const SA_RESTART: u32 = 0x02;
export const SA_RESETHAND: u32 = 0x04;
export const SA_NOCLDSTOP: u32 = 0x08;
export const SA_NODEFER: u32 = 0x10;
export const SA_NOCLDWAIT: u32 = 0x20;
export const SA_ALLBITS: u32 = 0x3f;

// how of sigprocmask.
export const SIG_BLOCK: i32 = 1;
export const SIG_UNBLOCK: i32 = 2;
export const SIG_SETMASK: i32 = 3;

// ss_flags of sigaltstack.
export const SS_ONSTACK: u32 = 1;
export const SS_DISABLE: u32 = 4;
export const MINSIGSTKSZ: u32 = 8192;

/** The set with one signal. */
export function sigmask(signum: u32): u32 {
  return 1 << (signum - 1);
}

/** Neither held back nor caught nor ignored. */
export const SIGCANTMASK: u32 = (1 << 8) | (1 << 16);
/** Stop a process by default. */
export const STOPSIGMASK: u32 = (1 << 16) | (1 << 17) | (1 << 20) | (1 << 21);
/** Of these, the ones that a terminal sends. */
export const TTYSTOPMASK: u32 = (1 << 17) | (1 << 20) | (1 << 21);
/** Do nothing by default: URG, CONT, CHLD, IO, WINCH, INFO. */
export const IGNSIGMASK: u32 = (1 << 15) | (1 << 18) | (1 << 19) | (1 << 22) | (1 << 27) | (1 << 28);
export const SIGCONTMASK: u32 = 1 << 18;
/** Leave a core flag in the wait status by default: QUIT ILL TRAP ABRT EMT FPE BUS SEGV SYS. */
export const COREMASK: u32 = (1 << 2) | (1 << 3) | (1 << 4) | (1 << 5) | (1 << 6) | (1 << 7) | (1 << 9) | (1 << 10) | (1 << 11);

/** What a process has asked for: 33 actions of handler, mask and flags, by number. */
@unmanaged export class Sigact {
  sa_handler: usize;
  sa_mask: u32;
  sa_flags: u32;
}
export const SIZEOF_SIGACT: u32 = 12;
/** Bytes of all actions: p_sigacts points to them. */
export const SIZEOF_SIGACTS: u32 = 33 * 12;
