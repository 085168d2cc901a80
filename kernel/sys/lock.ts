// <sys/lock.h>: the long-term lock and its flag values. See kernel/kern_lock.ts.

@unmanaged
export class Lock {
  lk_interlock: u32;
  lk_flags: u32;
  /** Number of shared holders. */
  lk_sharecount: i32;
  /** Number of recursive exclusive holds. */
  lk_exclusivecount: i32;
  /** Depth at which recursion was granted by LK_SETRECURSE. */
  lk_recurselevel: i32;
  /** Number of processes waiting for the lock. */
  lk_waitcount: i32;
  lk_wmesg: usize;
  lk_prio: i32;
  lk_timo: i32;
  /** Pid of the exclusive holder, LK_KERNPROC or LK_NOPROC. */
  lk_lockholder: i32;
}

// Request types (low four bits).
export const LK_TYPE_MASK: u32 = 0x0f;
export const LK_SHARED: u32 = 1;
export const LK_EXCLUSIVE: u32 = 2;
export const LK_UPGRADE: u32 = 3;
export const LK_EXCLUPGRADE: u32 = 4;
export const LK_DOWNGRADE: u32 = 5;
export const LK_RELEASE: u32 = 6;
export const LK_DRAIN: u32 = 7;

// External flags.
export const LK_EXTFLG_MASK: u32 = 0x00700070;
export const LK_NOWAIT: u32 = 0x10;
export const LK_SLEEPFAIL: u32 = 0x20;
export const LK_CANRECURSE: u32 = 0x40;
export const LK_REENABLE: u32 = 0x80;
export const LK_INTERLOCK: u32 = 0x10000;
export const LK_RETRY: u32 = 0x20000;
export const LK_SETRECURSE: u32 = 0x100000;
export const LK_RECURSEFAIL: u32 = 0x200000;
export const LK_SPIN: u32 = 0x400000;

// Internal flags of lk_flags.
export const LK_WANT_UPGRADE: u32 = 0x100;
export const LK_WANT_EXCL: u32 = 0x200;
export const LK_HAVE_EXCL: u32 = 0x400;
export const LK_WAITDRAIN: u32 = 0x800;
export const LK_DRAINING: u32 = 0x4000;
export const LK_DRAINED: u32 = 0x8000;

export const LK_KERNPROC: i32 = -2;
export const LK_NOPROC: i32 = -1;
