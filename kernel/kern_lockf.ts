// Advisory locks on files: fcntl(2) locks ranges of bytes for a process, flock(2) whole files for an open file. Both
// kinds are in one list and heed each other. Who does not ask is not held up.
//
// A process that waits for another that waits for it would wait for ever: EDEADLK. Closing any descriptor of a file
// takes the process's range locks of it away, the last close of an open file its flock.
import { frame_alloc } from "./i386/cpufunc";
import { free, malloc } from "./kern_malloc";
import { tsleep, wakeup } from "./kern_synch";
import { EAGAIN, EDEADLK } from "./sys/errno";
import { M_LOCKF, M_WAITOK } from "./sys/malloc";
import { PCATCH, PLOCK } from "./sys/param";

// l_type.
export const F_RDLCK: u32 = 1;
export const F_UNLCK: u32 = 2;
export const F_WRLCK: u32 = 3;

/** The end of a range that goes as far as the file ever will. */
export const LOCK_TO_END: i64 = 0x7fffffffffffffff;

@unmanaged export class Lockf {
  lf_next: Lockf;
  /** Whose file: the address of the vnode. */
  lf_vnode: usize;
  /** Who has it: the address of the process or of the open file. */
  lf_owner: usize;
  /** The process, for F_GETLK; -1 for flock. */
  lf_pid: i32;
  lf_type: u32;
  private pad: u32;
  /** First and last byte. */
  lf_start: i64;
  lf_end: i64;
}
const SIZEOF_LOCKF: u32 = 40;

/** Somebody who sleeps for a lock; on his kernel stack. */
@unmanaged class Waiter {
  w_next: Waiter;
  w_owner: usize;
  /** Whose lock is in the way. */
  w_for: usize;
}

@unmanaged class LockState {
  locks: Lockf;
  waiters: Waiter;
}
const lock_state = changetype<LockState>(memory.data(offsetof<LockState>(), 4));

function overlaps(lock: Lockf, vnode: usize, start: i64, end: i64): bool {
  return lock.lf_vnode == vnode && lock.lf_start <= end && lock.lf_end >= start;
}

/** The first lock of somebody else's that a lock of `type` on the range would conflict with, or NULL. */
export function lf_conflict(vnode: usize, owner: usize, type: u32, start: i64, end: i64): Lockf {
  let lock = lock_state.locks;
  while (changetype<usize>(lock) != 0) {
    const writes = type == F_WRLCK || lock.lf_type == F_WRLCK;
    if (writes && lock.lf_owner != owner && overlaps(lock, vnode, start, end)) return lock;
    lock = lock.lf_next;
  }
  return lock;
}

/** Would `owner`, waiting for `other`, wait for himself? */
function is_deadlock(owner: usize, other: usize): bool {
  let waiter = lock_state.waiters;
  while (changetype<usize>(waiter) != 0) {
    if (waiter.w_owner != other) {
      waiter = waiter.w_next;
      continue;
    }
    if (waiter.w_for == owner) return true;
    other = waiter.w_for;
    waiter = lock_state.waiters;
  }
  return false;
}

/** The word that points to `waiter`. */
function waiter_link(waiter: Waiter): usize {
  let at = changetype<usize>(lock_state) + offsetof<LockState>("waiters");
  while (load<usize>(at) != changetype<usize>(waiter)) at = load<usize>(at);
  return at;
}

/** Sleeps until a lock of the file goes. EDEADLK, EINTR, ERESTART. */
function wait_for(lock: Lockf, owner: usize): i32 {
  if (is_deadlock(owner, lock.lf_owner)) return EDEADLK;
  const waiter = changetype<Waiter>(frame_alloc(offsetof<Waiter>()));
  waiter.w_next = lock_state.waiters;
  waiter.w_owner = owner;
  waiter.w_for = lock.lf_owner;
  lock_state.waiters = waiter;
  const error = tsleep(lock.lf_vnode, PLOCK | PCATCH, cs("lockf"), 0);
  store<usize>(waiter_link(waiter), changetype<usize>(waiter.w_next));
  return error;
}

function new_lock(): Lockf {
  return changetype<Lockf>(malloc(SIZEOF_LOCKF, M_LOCKF, M_WAITOK));
}

/** Takes [start, end] of the file out of the owner's locks. `spare` becomes the rest behind a hole; true when used. */
function clear_range(vnode: usize, owner: usize, start: i64, end: i64, spare: Lockf): bool {
  let at = changetype<usize>(lock_state) + offsetof<LockState>("locks");
  while (load<usize>(at) != 0) {
    const lock = changetype<Lockf>(load<usize>(at));
    if (lock.lf_owner != owner || !overlaps(lock, vnode, start, end)) {
      at = changetype<usize>(lock);
      continue;
    }
    const left = lock.lf_start < start;
    const right = lock.lf_end > end;
    if (left && right) {
      memory.copy(changetype<usize>(spare), changetype<usize>(lock), SIZEOF_LOCKF);
      spare.lf_start = end + 1;
      lock.lf_end = start - 1;
      lock.lf_next = spare;
      return true;
    }
    if (left) lock.lf_end = start - 1;
    if (right) lock.lf_start = end + 1;
    if (left || right) {
      at = changetype<usize>(lock);
      continue;
    }
    store<usize>(at, changetype<usize>(lock.lf_next));
    free(changetype<usize>(lock), M_LOCKF);
  }
  return false;
}

/** Takes the owner's locks of the range away, and lets others try. Sleeps. */
export function lf_unlock(vnode: usize, owner: usize, start: i64, end: i64): void {
  const spare = new_lock();
  if (!clear_range(vnode, owner, start, end, spare)) free(changetype<usize>(spare), M_LOCKF);
  wakeup(vnode);
}

/** Has the owner any lock of the file? */
export function lf_has(vnode: usize, owner: usize): bool {
  let lock = lock_state.locks;
  while (changetype<usize>(lock) != 0) {
    if (lock.lf_vnode == vnode && lock.lf_owner == owner) return true;
    lock = lock.lf_next;
  }
  return false;
}

/**
 * Locks [start, end] of the file for the owner, in place of what he has there. EAGAIN when somebody else's lock is in
 * the way and he does not `wait`; EDEADLK, EINTR, ERESTART. Sleeps.
 */
export function lf_lock(vnode: usize, owner: usize, pid: i32, type: u32, start: i64, end: i64, wait: bool): i32 {
  const spare = new_lock();
  const lock = new_lock();
  let error: i32 = 0;
  while (error == 0) {
    const conflict = lf_conflict(vnode, owner, type, start, end);
    if (changetype<usize>(conflict) == 0) break;
    error = wait ? wait_for(conflict, owner) : EAGAIN;
  }
  if (error != 0) {
    free(changetype<usize>(spare), M_LOCKF);
    free(changetype<usize>(lock), M_LOCKF);
    return error;
  }
  if (!clear_range(vnode, owner, start, end, spare)) free(changetype<usize>(spare), M_LOCKF);
  lock.lf_vnode = vnode;
  lock.lf_owner = owner;
  lock.lf_pid = pid;
  lock.lf_type = type;
  lock.lf_start = start;
  lock.lf_end = end;
  lock.lf_next = lock_state.locks;
  lock_state.locks = lock;
  // A write lock may have become a read lock.
  wakeup(vnode);
  return 0;
}
