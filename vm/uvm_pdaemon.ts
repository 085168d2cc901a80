// The pagedaemon, and waiting for memory.
//
// The daemon keeps `freetarg` pages free and `inactarg` pages inactive. It is
// woken by allocations when pages run low, and then
//
//   - gives idle pages of pools back,
//   - frees clean, unreferenced pages from the inactive queues,
//   - moves pages from the active to the inactive queue, unmapped, so that
//     their next use shows.
//
// WITHOUT SWAP the pages of aobjs (PQ_SWAPBACKED) have nowhere to go. They are
// never reclaimed, so the daemon does not look at them at all: not in the
// inactive queue for swap (as NetBSD without a swap device), and it does not
// deactivate them, which would cost faults and gain nothing. When a scan finds
// nothing to do the daemon pauses, however often it is woken.
//
// SHORTAGE, the policy. Memory comes back when somebody frees it. Who needs a
// page and cannot get one calls uvm_wait and sleeps until pages above the
// kernel's reserve are free. If none come free for UVM_WAIT_SECONDS, nothing
// that this kernel can do will free any: one line goes to the console,
//
//   pagedaemon: deadlock detected! NAME waits for memory (WMESG), N pages free
//
// and uvm_wait returns ENOMEM. Then
//
//   a page of an aobj     uao_get fails, uvm_fault gives KERN_RESOURCE_SHORTAGE:
//                         a user process is killed ("out of swap"), a driver or
//                         file system gets an error and fails the request
//   a page table          the same
//   memory of the kernel  uvm_km_* with permission to sleep wait on and print the
//                         line again each time; those without get 0 at once
//
// So nobody hangs without a word.
import { splhigh, splx } from "../kernel/i386/intr";
import { pmap_clear_reference, pmap_is_modified, pmap_is_referenced, pmap_page_protect } from "../kernel/i386/pmap";
import { curproc } from "../kernel/kern_proc";
import { tsleep, wakeup } from "../kernel/kern_synch";
import { imax } from "../kernel/libkern";
import { panic, panicstr, printf } from "../kernel/subr_prf";
import { pool_drain } from "../kernel/subr_pool";
import { ENOMEM, EWOULDBLOCK } from "../kernel/sys/errno";
import { HZ, PVM } from "../kernel/sys/param";
import { p_comm } from "../kernel/sys/proc";
import { Uvm, uvm } from "./uvm";
import { VM_PROT_NONE } from "./uvm_extern";
import {
  PG_BUSY, PG_CLEAN, PQ_SWAPBACKED, VmPage, page_queue_first, page_queue_next, uvm_pageactivate, uvm_pagedeactivate,
  uvm_pagefree,
} from "./uvm_page";
import { Uvmexp, uvmexp } from "./uvm_stat";

/** How long uvm_wait waits for a page to come free before it gives up. */
const UVM_WAIT_SECONDS: i32 = 5;
/** Ticks that the daemon pauses after a scan without effect. */
const FRUITLESS_PAUSE: i32 = 10;

function free_channel(): usize {
  return changetype<usize>(uvmexp) + offsetof<Uvmexp>("free");
}

function daemon_channel(): usize {
  return changetype<usize>(uvm) + offsetof<Uvm>("pagedaemon_wchan");
}

/** Wakes the pagedaemon. => any interrupt level */
export function uvm_pageout_wakeup(): void {
  if (changetype<usize>(uvm.pagedaemon_proc) != 0) wakeup(daemon_channel());
}

/** A page was freed while somebody waits for one. */
export function uvm_pagefree_wakeup(): void {
  if (uvmexp.free > uvmexp.reserve_kernel) wakeup(free_channel());
}

/**
 * Sleeps until pages are free. `wmesg` tells ps who waits.
 * => 0: try again. ENOMEM: nobody will free any, see SHORTAGE above
 */
export function uvm_wait(wmesg: usize): i32 {
  if (changetype<usize>(uvm.pagedaemon_proc) == 0 || panicstr() != 0) {
    panic(cs("uvm_wait: no memory and nobody to free any (%s)"), wmesg);
  }
  if (curproc() == uvm.pagedaemon_proc) {
    printf(cs("pagedaemon: deadlock detected!\n"));
    tsleep(free_channel(), PVM, wmesg, HZ / 8);
    return 0;
  }
  const s = splhigh();
  uvmexp.waiters++;
  uvm_pageout_wakeup();
  const error = tsleep(free_channel(), PVM, wmesg, UVM_WAIT_SECONDS * i32(HZ));
  uvmexp.waiters--;
  splx(s);
  if (error != EWOULDBLOCK) return 0;
  printf(cs("pagedaemon: deadlock detected! %s waits for memory (%s), %d pages free\n"), p_comm(curproc()), wmesg,
    uvmexp.free);
  return ENOMEM;
}

/** Sets the limits that follow from the amount of memory. */
export function uvmpd_tune(): void {
  let freemin = uvmexp.npages / 20;
  if (freemin < 4) freemin = 4;
  if (freemin > 64) freemin = 64;
  uvmexp.freemin = freemin;
  uvmexp.freetarg = imax(freemin * 4 / 3, freemin + 1);
  uvmexp.wiredmax = uvmexp.npages / 3;
  uvmpd_tune_inactive();
}

function uvmpd_tune_inactive(): void {
  uvmexp.inactarg = imax((uvmexp.active + uvmexp.inactive) / 3, uvmexp.freetarg + 1);
}

/** One page of the inactive queue: freed, kept, or made active again. */
function scan_inactive_page(pg: VmPage): void {
  uvmexp.pdscans++;
  if (pmap_is_referenced(pg)) {
    uvm_pageactivate(pg);
    uvmexp.pdreact++;
    return;
  }
  if ((pg.flags & PG_BUSY) != 0) {
    uvmexp.pdbusy++;
    return;
  }
  uvmexp.pdobscan++;
  pmap_page_protect(pg, VM_PROT_NONE);
  if (pmap_is_modified(pg)) pg.clear_flags(PG_CLEAN);
  if ((pg.flags & PG_CLEAN) != 0) {
    uvm_pagefree(pg);
    uvmexp.pdfreed++;
    return;
  }
  // Dirty, and there is no pager yet that could write it out.
  uvm_pageactivate(pg);
  uvmexp.pdreact++;
}

/** Frees inactive pages of objects until the target is met. */
function uvmpd_scan_inactive(): void {
  let pg = page_queue_first(uvm.page_inactive_obj);
  while (changetype<usize>(pg) != 0 && uvmexp.free < uvmexp.freetarg) {
    const next = page_queue_next(pg);
    scan_inactive_page(pg);
    pg = next;
  }
}

/** Moves active pages that can be reclaimed to the inactive queue until the target is met. */
function uvmpd_scan_active(): void {
  let pg = page_queue_first(uvm.page_active);
  while (changetype<usize>(pg) != 0 && uvmexp.inactive < uvmexp.inactarg) {
    const next = page_queue_next(pg);
    if ((pg.flags & PG_BUSY) == 0 && (pg.pqflags & PQ_SWAPBACKED) == 0) {
      pmap_clear_reference(pg);
      pmap_page_protect(pg, VM_PROT_NONE);
      uvm_pagedeactivate(pg);
      uvmexp.pddeact++;
    }
    pg = next;
  }
}

/** One round. => false when it got nowhere: nothing freed, and no more pages made inactive than came back */
function uvmpd_scan(): bool {
  const freed = uvmexp.pdfreed;
  const gain = uvmexp.pddeact - uvmexp.pdreact;
  uvmexp.pdrevs++;
  uvmpd_scan_inactive();
  uvmpd_scan_active();
  return uvmexp.pdfreed != freed || uvmexp.pddeact - uvmexp.pdreact > gain;
}

/** The pagedaemon's thread. Never returns. */
export function uvm_pageout(arg: usize): void {
  uvm.pagedaemon_proc = curproc();
  uvmpd_tune();
  for (;;) {
    tsleep(daemon_channel(), PVM, cs("daemon_slp"), 0);
    uvmexp.pdwoke++;
    let effect = pool_drain() != 0;
    uvmpd_tune_inactive();
    if (uvmexp.free < uvmexp.freetarg || uvmexp.inactive < uvmexp.inactarg) {
      if (uvmpd_scan()) effect = true;
    }
    if (uvmexp.free > uvmexp.reserve_kernel) wakeup(free_channel());
    if (!effect) tsleep(changetype<usize>(uvm), PVM, cs("pdpause"), FRUITLESS_PAUSE);
  }
}
