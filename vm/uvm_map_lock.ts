// Locking of address maps.
//
// A map has a lockmgr lock: shared for faults, exclusive for changes. Each
// exclusive lock bumps the map's timestamp, so whoever unlocked and locks again
// can tell whether the map is as it was (uvmfault_relock).
//
// While uvm_map_pageable wires pages it holds the lock shared and marks the map
// BUSY: writers stay out (WANTLOCK, sleep on the flags), so that the faults it
// makes can lock shared although a writer is waiting.
//
// Interrupt-safe maps have no sleeping lock; who uses one is at splvm.
import { lockinit, lockmgr } from "../kernel/kern_lock";
import { tsleep, wakeup } from "../kernel/kern_synch";
import {
  LK_DOWNGRADE, LK_EXCLUSIVE, LK_NOWAIT, LK_RECURSEFAIL, LK_RELEASE, LK_SHARED, LK_SLEEPFAIL, LK_UPGRADE, Lock,
} from "../kernel/sys/lock";
import { PVM } from "../kernel/sys/param";
import { VM_MAP_BUSY, VM_MAP_INTRSAFE, VM_MAP_WANTLOCK, VmMap } from "./uvm_map_h";

function lock_of(map: VmMap): Lock {
  return changetype<Lock>(map.lock);
}

function flags_addr(map: VmMap): usize {
  return changetype<usize>(map) + offsetof<VmMap>("flags");
}

export function vm_map_lock_init(map: VmMap): void {
  assert(offsetof<Lock>() <= offsetof<VmMap>("header_prev") - offsetof<VmMap>("lock0"));
  lockinit(lock_of(map), PVM, cs("thrd_sleep"), 0, 0);
}

/** Locks a map for a change. => may sleep, unless the map is interrupt-safe (then: at splvm) */
export function vm_map_lock(map: VmMap): void {
  if ((map.flags & VM_MAP_INTRSAFE) == 0) {
    do {
      while ((map.flags & VM_MAP_BUSY) != 0) {
        map.flags |= VM_MAP_WANTLOCK;
        tsleep(flags_addr(map), PVM, cs("vmmapbsy"), 0);
      }
    } while (lockmgr(lock_of(map), LK_EXCLUSIVE | LK_SLEEPFAIL, 0) != 0);
  }
  map.timestamp++;
}

/** Locks a map for a change if that needs no sleep. => false when it would, or when we hold the lock */
export function vm_map_lock_try(map: VmMap): bool {
  if ((map.flags & VM_MAP_INTRSAFE) == 0) {
    if ((map.flags & VM_MAP_BUSY) != 0) return false;
    if (lockmgr(lock_of(map), LK_EXCLUSIVE | LK_NOWAIT | LK_RECURSEFAIL, 0) != 0) return false;
  }
  map.timestamp++;
  return true;
}

export function vm_map_unlock(map: VmMap): void {
  if ((map.flags & VM_MAP_INTRSAFE) == 0) lockmgr(lock_of(map), LK_RELEASE, 0);
}

/** Locks a map against changes. => may sleep; never used on interrupt-safe maps */
export function vm_map_lock_read(map: VmMap): void {
  lockmgr(lock_of(map), LK_SHARED, 0);
}

export function vm_map_unlock_read(map: VmMap): void {
  lockmgr(lock_of(map), LK_RELEASE, 0);
}

/** From exclusive to shared. */
export function vm_map_downgrade(map: VmMap): void {
  lockmgr(lock_of(map), LK_DOWNGRADE, 0);
}

/** From shared to exclusive. => may sleep; the map is BUSY, so nobody else can change it meanwhile */
export function vm_map_upgrade(map: VmMap): void {
  lockmgr(lock_of(map), LK_UPGRADE, 0);
}

/** Keeps writers out while the lock is held shared. => locked exclusively */
export function vm_map_busy(map: VmMap): void {
  map.flags |= VM_MAP_BUSY;
}

export function vm_map_unbusy(map: VmMap): void {
  const wanted = (map.flags & VM_MAP_WANTLOCK) != 0;
  map.flags &= ~(VM_MAP_BUSY | VM_MAP_WANTLOCK);
  if (wanted) wakeup(flags_addr(map));
}
