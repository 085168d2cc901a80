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
  /** Signals pending, one bit each: only SIGKILL and SIGTERM have senders so far. */
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
}

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

/** Address of the process's name: NUL-terminated, at most MAXCOMLEN bytes. */
export function p_comm(p: Proc): usize {
  return changetype<usize>(p) + offsetof<Proc>("p_comm0");
}
