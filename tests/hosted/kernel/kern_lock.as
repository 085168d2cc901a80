// Hosted locks: one process, so a lock that is not free is an error.
import { panic } from "./subr_prf";
import { LK_DOWNGRADE, LK_EXCLUSIVE, LK_RELEASE, LK_SHARED, LK_TYPE_MASK, LK_UPGRADE, Lock } from "./sys/lock";

export function lockinit(lkp: Lock, prio: i32, wmesg: usize, timo: i32, flags: u32): void {
  lkp.lk_sharecount = 0;
  lkp.lk_exclusivecount = 0;
}

export function lockmgr(lkp: Lock, flags: u32, interlkp: usize): i32 {
  switch (flags & LK_TYPE_MASK) {
    case LK_SHARED:
      if (lkp.lk_exclusivecount != 0) panic(cs("lockmgr: shared lock of an exclusive one"));
      lkp.lk_sharecount++;
      break;
    case LK_EXCLUSIVE:
      if (lkp.lk_exclusivecount != 0 || lkp.lk_sharecount != 0) panic(cs("lockmgr: locking against myself"));
      lkp.lk_exclusivecount = 1;
      break;
    case LK_DOWNGRADE:
      if (lkp.lk_exclusivecount != 1) panic(cs("lockmgr: not exclusive"));
      lkp.lk_exclusivecount = 0;
      lkp.lk_sharecount = 1;
      break;
    case LK_UPGRADE:
      if (lkp.lk_sharecount != 1) panic(cs("lockmgr: not shared by one"));
      lkp.lk_exclusivecount = 1;
      lkp.lk_sharecount = 0;
      break;
    case LK_RELEASE:
      if (lkp.lk_exclusivecount != 0) lkp.lk_exclusivecount--;
      else if (lkp.lk_sharecount != 0) lkp.lk_sharecount--;
      else panic(cs("lockmgr: release of unlocked lock"));
      break;
    default:
      panic(cs("lockmgr: unknown request %x"), flags);
  }
  return 0;
}
