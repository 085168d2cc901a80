// lockmgr(9): locks that are held across sleeps: shared or exclusive, with
// upgrade, downgrade, recursion and drain.
//
// On one processor nothing runs between two statements here unless it sleeps or
// is an interrupt, and interrupts take no such locks; so the simple locks of the
// interface (lk_interlock, simple_lock) are empty.
import { curproc } from "./kern_proc";
import { tsleep, wakeup } from "./kern_synch";
import { panic } from "./subr_prf";
import { EBUSY, EDEADLK, ENOLCK } from "./sys/errno";
import { LK_CANRECURSE, LK_DOWNGRADE, LK_DRAIN, LK_DRAINED, LK_DRAINING, LK_EXCLUPGRADE, LK_EXCLUSIVE, LK_EXTFLG_MASK,
  LK_HAVE_EXCL, LK_KERNPROC, LK_NOPROC, LK_NOWAIT, LK_RECURSEFAIL, LK_REENABLE, LK_RELEASE, LK_SETRECURSE, LK_SHARED,
  LK_SLEEPFAIL, LK_TYPE_MASK, LK_UPGRADE, LK_WAITDRAIN, LK_WANT_EXCL, LK_WANT_UPGRADE, Lock } from "./sys/lock";

const LK_EXCLUSIVE_BUSY: u32 = LK_HAVE_EXCL | LK_WANT_EXCL | LK_WANT_UPGRADE;

/** Prepares a lock. Sleepers sleep with priority `prio`, show `wmesg`, and give up after `timo` ticks unless 0. */
export function lockinit(lkp: Lock, prio: i32, wmesg: usize, timo: i32, flags: u32): void {
  memory.fill(changetype<usize>(lkp), 0, offsetof<Lock>());
  lkp.lk_flags = flags & LK_EXTFLG_MASK;
  lkp.lk_prio = prio;
  lkp.lk_timo = timo;
  lkp.lk_wmesg = wmesg;
  lkp.lk_lockholder = LK_NOPROC;
}

/** LK_EXCLUSIVE, LK_SHARED, or 0 when nobody holds the lock. */
export function lockstatus(lkp: Lock): i32 {
  if (lkp.lk_exclusivecount != 0) return i32(LK_EXCLUSIVE);
  if (lkp.lk_sharecount != 0) return i32(LK_SHARED);
  return 0;
}

/** Must one wait: is one of `mask` set, or (with `shares`) somebody sharing? */
function must_wait(lkp: Lock, mask: u32, shares: bool): bool {
  return (lkp.lk_flags & mask) != 0 || (shares && lkp.lk_sharecount != 0);
}

/** Sleeps while must_wait. Returns 0 or an error. */
function acquire(lkp: Lock, extflags: u32, mask: u32, shares: bool): i32 {
  while (must_wait(lkp, mask, shares)) {
    lkp.lk_waitcount++;
    const error = tsleep(changetype<usize>(lkp), lkp.lk_prio, lkp.lk_wmesg, lkp.lk_timo);
    lkp.lk_waitcount--;
    if (error != 0) return error;
    if ((extflags & LK_SLEEPFAIL) != 0) return ENOLCK;
  }
  return 0;
}

function wake_waiters(lkp: Lock): void {
  if (lkp.lk_waitcount != 0) wakeup(changetype<usize>(lkp));
}

/** Makes `pid` the exclusive holder. */
function take_exclusive(lkp: Lock, extflags: u32, pid: i32): void {
  if (lkp.lk_exclusivecount != 0) panic(cs("lockmgr: non-zero exclusive count"));
  lkp.lk_flags |= LK_HAVE_EXCL;
  lkp.lk_lockholder = pid;
  lkp.lk_exclusivecount = 1;
  if ((extflags & LK_SETRECURSE) != 0) lkp.lk_recurselevel = 1;
}

function lock_shared(lkp: Lock, extflags: u32, pid: i32): i32 {
  if (lkp.lk_lockholder == pid) {
    // The holder of the exclusive lock asks to share it: one more share, then a downgrade.
    lkp.lk_sharecount++;
    return lock_downgrade(lkp, pid);
  }
  if ((extflags & LK_NOWAIT) != 0 && must_wait(lkp, LK_EXCLUSIVE_BUSY, false)) return EBUSY;
  const error = acquire(lkp, extflags, LK_EXCLUSIVE_BUSY, false);
  if (error == 0) lkp.lk_sharecount++;
  return error;
}

function lock_downgrade(lkp: Lock, pid: i32): i32 {
  if (lkp.lk_lockholder != pid || lkp.lk_exclusivecount == 0) panic(cs("lockmgr: not holding exclusive lock"));
  lkp.lk_sharecount += lkp.lk_exclusivecount;
  lkp.lk_exclusivecount = 0;
  lkp.lk_recurselevel = 0;
  lkp.lk_flags &= ~LK_HAVE_EXCL;
  lkp.lk_lockholder = LK_NOPROC;
  wake_waiters(lkp);
  return 0;
}

function lock_exclusive(lkp: Lock, extflags: u32, pid: i32): i32 {
  if (lkp.lk_lockholder == pid && pid != LK_KERNPROC) {
    if ((extflags & LK_CANRECURSE) == 0 && lkp.lk_recurselevel == 0) {
      if ((extflags & LK_RECURSEFAIL) != 0) return EDEADLK;
      panic(cs("lockmgr: locking against myself"));
    }
    lkp.lk_exclusivecount++;
    if ((extflags & LK_SETRECURSE) != 0 && lkp.lk_recurselevel == 0) lkp.lk_recurselevel = lkp.lk_exclusivecount;
    return 0;
  }
  if ((extflags & LK_NOWAIT) != 0 && must_wait(lkp, LK_EXCLUSIVE_BUSY, true)) return EBUSY;
  let error = acquire(lkp, extflags, LK_HAVE_EXCL | LK_WANT_EXCL, false);
  if (error != 0) return error;
  lkp.lk_flags |= LK_WANT_EXCL;
  error = acquire(lkp, extflags, LK_WANT_UPGRADE, true);
  lkp.lk_flags &= ~LK_WANT_EXCL;
  if (error != 0) return error;
  take_exclusive(lkp, extflags, pid);
  return 0;
}

/** Shared to exclusive. The share is given up in any case. */
function lock_upgrade(lkp: Lock, extflags: u32, pid: i32): i32 {
  if (lkp.lk_lockholder == pid || lkp.lk_sharecount <= 0) panic(cs("lockmgr: upgrade exclusive lock"));
  lkp.lk_sharecount--;
  const contested = (lkp.lk_flags & LK_WANT_UPGRADE) != 0;
  if ((extflags & LK_NOWAIT) != 0 && (contested || lkp.lk_sharecount > 1)) return EBUSY;
  if (contested) {
    // Somebody else upgrades: queue for the exclusive lock like everybody.
    if (lkp.lk_sharecount == 0) wake_waiters(lkp);
    return lock_exclusive(lkp, extflags, pid);
  }
  lkp.lk_flags |= LK_WANT_UPGRADE;
  const error = acquire(lkp, extflags, 0, true);
  lkp.lk_flags &= ~LK_WANT_UPGRADE;
  if (error != 0) return error;
  take_exclusive(lkp, extflags, pid);
  return 0;
}

function lock_release(lkp: Lock, pid: i32): i32 {
  if (lkp.lk_exclusivecount != 0) {
    if (pid != lkp.lk_lockholder) {
      panic(cs("lockmgr: pid %d, not exclusive lock holder %d unlocking"), pid, lkp.lk_lockholder);
    }
    if (lkp.lk_exclusivecount == lkp.lk_recurselevel) lkp.lk_recurselevel = 0;
    lkp.lk_exclusivecount--;
    if (lkp.lk_exclusivecount == 0) {
      lkp.lk_flags &= ~LK_HAVE_EXCL;
      lkp.lk_lockholder = LK_NOPROC;
    }
  } else if (lkp.lk_sharecount != 0) lkp.lk_sharecount--;
  else panic(cs("lockmgr: release of unlocked lock!"));
  wake_waiters(lkp);
  return 0;
}

function lock_in_use(lkp: Lock): bool {
  return must_wait(lkp, LK_EXCLUSIVE_BUSY, true) || lkp.lk_waitcount != 0;
}

/** Takes the lock for ever: waits until nobody holds it or waits for it. */
function lock_drain(lkp: Lock, extflags: u32, pid: i32): i32 {
  if (lkp.lk_lockholder == pid) panic(cs("lockmgr: draining against myself"));
  if ((extflags & LK_NOWAIT) != 0 && lock_in_use(lkp)) return EBUSY;
  while (lock_in_use(lkp)) {
    lkp.lk_flags |= LK_WAITDRAIN;
    const error = tsleep(drain_channel(lkp), lkp.lk_prio, lkp.lk_wmesg, lkp.lk_timo);
    if (error != 0) return error;
    if ((extflags & LK_SLEEPFAIL) != 0) return ENOLCK;
  }
  lkp.lk_flags |= LK_DRAINING;
  take_exclusive(lkp, extflags, pid);
  return 0;
}

function drain_channel(lkp: Lock): usize {
  return changetype<usize>(lkp) + offsetof<Lock>("lk_flags");
}

/** A lock that was drained may only be released by the one who drained it. */
function check_draining(lkp: Lock, flags: u32, pid: i32): void {
  if ((lkp.lk_flags & (LK_DRAINING | LK_DRAINED)) == 0) return;
  if ((lkp.lk_flags & LK_DRAINED) != 0) panic(cs("lockmgr: using decommissioned lock"));
  if ((flags & LK_TYPE_MASK) != LK_RELEASE || lkp.lk_lockholder != pid) {
    panic(cs("lockmgr: non-release on draining lock: %d"), flags & LK_TYPE_MASK);
  }
  lkp.lk_flags &= ~LK_DRAINING;
  if ((flags & LK_REENABLE) == 0) lkp.lk_flags |= LK_DRAINED;
}

function lock_request(lkp: Lock, type: u32, extflags: u32, pid: i32): i32 {
  switch (type) {
    case LK_SHARED:
      return lock_shared(lkp, extflags, pid);
    case LK_EXCLUSIVE:
      return lock_exclusive(lkp, extflags, pid);
    case LK_UPGRADE:
      return lock_upgrade(lkp, extflags, pid);
    case LK_EXCLUPGRADE:
      if ((lkp.lk_flags & LK_WANT_UPGRADE) != 0) {
        lkp.lk_sharecount--;
        wake_waiters(lkp);
        return EBUSY;
      }
      return lock_upgrade(lkp, extflags, pid);
    case LK_DOWNGRADE:
      return lock_downgrade(lkp, pid);
    case LK_RELEASE:
      return lock_release(lkp, pid);
    case LK_DRAIN:
      return lock_drain(lkp, extflags, pid);
    default:
      panic(cs("lockmgr: unknown locktype request %d"), type);
      return EDEADLK;
  }
}

/**
 * Does what the type in `flags` says, for the current process. `interlkp` is
 * the address of a simple lock to release, or 0; there is nothing to release.
 * => 0, EBUSY (LK_NOWAIT, or an upgrade that lost), ENOLCK (LK_SLEEPFAIL: had to
 *    sleep), EDEADLK (LK_RECURSEFAIL), or the error of the sleep
 * => may sleep without LK_NOWAIT
 */
export function lockmgr(lkp: Lock, flags: u32, interlkp: usize): i32 {
  const p = curproc();
  const pid = changetype<usize>(p) != 0 ? p.p_pid : LK_KERNPROC;
  check_draining(lkp, flags, pid);
  const extflags = (flags | lkp.lk_flags) & LK_EXTFLG_MASK;
  const error = lock_request(lkp, flags & LK_TYPE_MASK, extflags, pid);
  if ((lkp.lk_flags & LK_WAITDRAIN) != 0 && !lock_in_use(lkp)) {
    lkp.lk_flags &= ~LK_WAITDRAIN;
    wakeup(drain_channel(lkp));
  }
  return error;
}

// Simple locks: nothing to do on one processor.

export function simple_lock_init(alp: usize): void {}

export function simple_lock(alp: usize): void {}

export function simple_lock_try(alp: usize): bool {
  return true;
}

export function simple_unlock(alp: usize): void {}
