// <sys/proc.h>: the process, one struct per thread of control.
//
// Everything a process is made of hangs here: its address space (p_vmspace),
// its u-area (p_addr: a Pcb and above it the kernel stack), its place in the
// run queues or on a sleep queue (p_forw, p_back), its family.
import { Vmspace } from "../../vm/uvm_map";

@unmanaged
export class Proc {
  // Run queue or sleep queue; p_back is the address of the previous Proc (run queue).
  p_forw: usize;
  p_back: usize;
  /** allproc or zombproc: LIST of two words. */
  p_list_next: usize;
  p_list_prev: usize;
  p_vmspace: Vmspace;
  p_flag: u32;
  /** SIDL … SZOMB. */
  p_stat: u32;
  p_pid: i32;
  /** LIST of siblings. */
  p_sibling_next: usize;
  p_sibling_prev: usize;
  /** Head of the LIST of children. */
  p_children: usize;
  p_pptr: Proc;
  p_pgid: i32;
  p_uid: u32;
  p_oppid: i32;
  /** Ticks the process has run lately, for the priority. */
  p_estcpu: u32;
  p_cpticks: u32;
  /** Seconds since the process was last switched in or out of sleep. */
  p_swtime: u32;
  p_slptime: u32;
  /** What the process sleeps on; 0 when it does not. */
  p_wchan: usize;
  /** Why, as ps shows it. */
  p_wmesg: usize;
  /** Signals pending, bit n - 1 for signal n; so are the masks below. */
  p_siglist: u32;
  /** Clock ticks charged. */
  p_uticks: u32;
  p_sticks: u32;
  p_iticks: u32;
  p_holdcnt: i32;
  /** Priority when running in the kernel, and the base for run queues. */
  p_priority: i32;
  p_usrpri: i32;
  p_nice: i32;
  /** p_comm: 17 bytes and padding. */
  private p_comm0: u32;
  private p_comm1: u32;
  private p_comm2: u32;
  private p_comm3: u32;
  private p_comm4: u32;
  /** The u-area: a Pcb at its start, the kernel stack above. */
  p_addr: usize;
  /** Wait status. */
  p_xstat: i32;
  /** What the process began with (proc_trampoline). */
  p_md_func: u32;
  p_md_arg: usize;
  /** Vnodes of the current and the root directory (addresses of Vnode, or 0). */
  p_cdir: usize;
  p_rdir: usize;
  /** Number of calls of mi_switch that took the processor away or gave it up. */
  p_nivcsw: u32;
  p_nvcsw: u32;
  /** Minor and major page faults. */
  p_minflt: u32;
  p_majflt: u32;
  /** Locks held: nesting of spin and long-term locks, for diagnostics. */
  p_locks: i32;
  // Signals (kern_sig.ts). Processes without p_sigacts run in the kernel only.
  /** Address of the Sigacts, or 0. */
  p_sigacts: usize;
  /** Held back, ignored, caught. */
  p_sigmask: u32;
  p_sigignore: u32;
  p_sigcatch: u32;
  /** Mask to restore after the next signal, with P_OLDMASK (sigsuspend). */
  p_oldmask: u32;
  /** Trap code for the handler of the signal that code is p_sigcode. */
  p_code: u32;
  p_sigcode: u32;
  /** The alternate signal stack (sigaltstack): address, size, SS_ flags. */
  p_sigstk_sp: usize;
  p_sigstk_size: u32;
  p_sigstk_flags: u32;
  /** Signal that parents of a dying process get. */
  p_exitsig: u32;
  /** Session: the pid of its leader. */
  p_sid: i32;
  p_ruid: u32;
  p_gid: u32;
  p_rgid: u32;
  /** Effective ids as exec left them: what a process may go back to. */
  p_svuid: u32;
  p_svgid: u32;
  /** Further groups: how many, then NGROUPS_MAX words. */
  p_ngroups: u32;
  private p_groups0: u32;
  private p_groups1: u32;
  private p_groups2: u32;
  private p_groups3: u32;
  private p_groups4: u32;
  private p_groups5: u32;
  private p_groups6: u32;
  private p_groups7: u32;
  private p_groups8: u32;
  private p_groups9: u32;
  private p_groups10: u32;
  private p_groups11: u32;
  private p_groups12: u32;
  private p_groups13: u32;
  private p_groups14: u32;
  private p_groups15: u32;
  /** Name of the user of the session: LOGIN_SIZE bytes, NUL-terminated. */
  private p_login0: u32;
  private p_login1: u32;
  private p_login2: u32;
  private p_login3: u32;
  private p_login4: u32;
  /** Address of the Filedesc, or 0. */
  p_fd: usize;
  /** Permission bits that new files do not get. */
  p_umask: u32;
  /** Address of the Plimit, or 0. */
  p_limit: usize;
  /** ITIMER_REAL in ticks: when it expires (with P_REALTIMER), and the interval. */
  p_realtime: i32;
  p_realincr: i32;
  /** ITIMER_VIRTUAL and ITIMER_PROF in ticks that remain (0: off), and their intervals. */
  p_virttime: i32;
  p_virtincr: i32;
  p_proftime: i32;
  p_profincr: i32;
  /** Ticks of the children that have been waited for. */
  p_cuticks: u32;
  p_csticks: u32;
  p_nsignals: u32;
  p_inblock: u32;
  p_oublock: u32;
  /** Time of creation, seconds since 1970. */
  p_starttime: u32;
}

/** Most groups of a process besides its group id. */
export const NGROUPS_MAX: u32 = 16;
/** Size of a login name, NUL included. */
export const LOGIN_SIZE: u32 = 17;

/** Size of the name in p_comm, NUL included. */
export const P_COMM_SIZE: u32 = 17;

// p_stat.
export const SIDL: u32 = 1;
export const SRUN: u32 = 2;
export const SSLEEP: u32 = 3;
export const SSTOP: u32 = 4;
export const SZOMB: u32 = 5;
export const SDEAD: u32 = 6;

// p_flag.
export const P_INMEM: u32 = 0x4;
export const P_SINTR: u32 = 0x80;
export const P_SYSTEM: u32 = 0x200;
export const P_TIMEOUT: u32 = 0x400;
export const P_WEXIT: u32 = 0x2000;
/** Has a controlling terminal. */
export const P_CONTROLT: u32 = 0x2;
/** Its parent waits in vfork until it execs or exits. */
export const P_PPWAIT: u32 = 0x10;
export const P_SUGID: u32 = 0x100;
export const P_TRACED: u32 = 0x800;
/** A stopped process has been waited for. */
export const P_WAITED: u32 = 0x1000;
export const P_EXEC: u32 = 0x4000;
/** p_oldmask holds the mask from before sigsuspend. */
export const P_OLDMASK: u32 = 0x10000;
/** Stopped children are no news to it. */
export const P_NOCLDSTOP: u32 = 0x20000;
export const P_NOCLDWAIT: u32 = 0x40000;
/** ITIMER_REAL runs. */
export const P_REALTIMER: u32 = 0x80000;

/** Address of the process's name: NUL-terminated, at most MAXCOMLEN bytes. */
export function p_comm(p: Proc): usize {
  return changetype<usize>(p) + offsetof<Proc>("p_comm0");
}

/** Address of the process's further groups: p_ngroups words. */
export function p_groups(p: Proc): usize {
  return changetype<usize>(p) + offsetof<Proc>("p_groups0");
}

/** Address of the login name of the process's session. */
export function p_login(p: Proc): usize {
  return changetype<usize>(p) + offsetof<Proc>("p_login0");
}

/** Is the process in group `gid`? */
export function groupmember(p: Proc, gid: u32): bool {
  if (p.p_gid == gid) return true;
  for (let i: u32 = 0; i < p.p_ngroups; i++) {
    if (load<u32>(p_groups(p) + i * 4) == gid) return true;
  }
  return false;
}
