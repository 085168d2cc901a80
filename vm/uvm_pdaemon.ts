// The pagedaemon, and waiting for memory.
//
// The daemon keeps `freetarg` pages free and `inactarg` pages inactive. It is
// woken by allocations when pages run low, and then
//
//   - gives idle pages of pools back,
//   - frees clean, unreferenced pages from the inactive queue of objects, and
//     writes dirty ones back,
//   - moves pages from the active to the inactive queue, unmapped, so that
//     their next use shows.
//
// A dirty page of a file is written back through its pager, with dirty
// neighbours (uvm_pager_clean), and is free when the daemon meets it again. One
// that cannot be written now - its vnode is locked, the device failed, there is
// no space - becomes active: its time comes again.
//
// WITHOUT SWAP the pages of anons and aobjs (PQ_SWAPBACKED) have nowhere to go.
// They are never reclaimed, so the daemon does not look at them at all: not in
// the inactive queue for swap (as NetBSD without a swap device), and it does not
// deactivate them, which would cost faults and gain nothing. When a scan finds
// nothing to do the daemon pauses, however often it is woken.
//
// But they are not all of memory: anonymous memory leaves `filemin` pages, free
// ones or those of files. Else the programs that run would steal each other's and
// their own text from memory, for ever.
//
// SHORTAGE. Who needs a page and cannot get one calls uvm_wait and sleeps until
// pages above the kernel's reserve are free. If none come free for
// UVM_WAIT_SECONDS, and the daemon is writing none, nothing that this kernel can do will free any: one line goes
// to the console,
//
//   pagedaemon: deadlock detected! NAME waits for memory (WMESG), N pages free
//
// and uvm_wait returns ENOMEM. What becomes of each kind of page then is the
// table of docs/shortage.md. Nobody hangs without a word.
import { splhigh, splx } from "../kernel/i386/intr";
import { pmap_clear_reference, pmap_is_modified, pmap_is_referenced, pmap_page_protect } from "../kernel/i386/pmap";
import { ticks } from "../kernel/kern_clock";
import { curproc } from "../kernel/kern_proc";
import { tsleep, wakeup } from "../kernel/kern_synch";
import { imax, imin } from "../kernel/libkern";
import { panic, panicstr, printf } from "../kernel/subr_prf";
import { pool_drain } from "../kernel/subr_pool";
import { ENOMEM, EWOULDBLOCK } from "../kernel/sys/errno";
import { HZ, PVM } from "../kernel/sys/param";
import { p_comm } from "../kernel/sys/proc";
import { Uvm, uvm } from "./uvm";
import { VM_PAGER_OK, VM_PROT_NONE } from "./uvm_extern";
import {
  PG_BUSY, PG_CLEAN, PQ_INACTIVE, PQ_SWAPBACKED, VmPage, page_queue_first, page_queue_next, uvm_pageactivate,
  uvm_pagedeactivate, uvm_pagefree, uvm_pagelookup,
} from "./uvm_page";
import { Uvmexp, uvmexp } from "./uvm_stat";
import { uvm_pager_clean } from "./uvm_vnode_io";

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

/** Is there a page for who waits? `anonymous`: for a page that stays until it is freed. */
function is_enough(anonymous: bool): bool {
  return uvmexp.free > uvmexp.reserve_kernel && (!anonymous || uvm_anonymous_allowed());
}

/** Sleeps, once at least, until is_enough. => false when nothing has come for UVM_WAIT_SECONDS; splhigh */
function wait_for_pages(wmesg: usize, anonymous: bool): bool {
  let deadline = ticks() + UVM_WAIT_SECONDS * i32(HZ);
  do {
    // While the daemon is writing pages there is hope, however slow the device.
    if (uvmexp.paging != 0) deadline = ticks() + UVM_WAIT_SECONDS * i32(HZ);
    const left = deadline - ticks();
    if (left <= 0) return false;
    uvm_pageout_wakeup();
    const error = tsleep(free_channel(), PVM, wmesg, left);
    if (error == EWOULDBLOCK && uvmexp.paging == 0) return is_enough(anonymous);
  } while (!is_enough(anonymous));
  return true;
}

/** uvm_wait and uvm_wait_anonymous. */
function wait_for(wmesg: usize, anonymous: bool): i32 {
  if (changetype<usize>(uvm.pagedaemon_proc) == 0 || panicstr() != 0) {
    panic(cs("uvm_wait: no memory and nobody to free any (%s)"), wmesg);
  }
  if (curproc() == uvm.pagedaemon_proc) {
    printf(cs("pagedaemon: deadlock detected!\n"));
    tsleep(free_channel(), PVM, wmesg, HZ / 8);
    // The daemon must not wait for itself: what it is doing fails.
    return ENOMEM;
  }
  const s = splhigh();
  uvmexp.waiters++;
  const found = wait_for_pages(wmesg, anonymous);
  uvmexp.waiters--;
  splx(s);
  if (found) return 0;
  printf(cs("pagedaemon: deadlock detected! %s waits for memory (%s), %d pages free\n"), p_comm(curproc()), wmesg,
    uvmexp.free);
  return ENOMEM;
}

/**
 * Sleeps until pages are free. `wmesg` tells ps who waits.
 * => 0: try again. ENOMEM: nobody will free any, see SHORTAGE above
 */
export function uvm_wait(wmesg: usize): i32 {
  return wait_for(wmesg, false);
}

/** The same for a page of an anon or an aobj. */
export function uvm_wait_anonymous(wmesg: usize): i32 {
  return wait_for(wmesg, true);
}

/** May anonymous memory have one page more? */
export function uvm_anonymous_allowed(): bool {
  return uvm_available() > uvmexp.filemin;
}

/** Pages that are free or could be made so by taking them from files. => does not sleep */
export function uvm_available(): i32 {
  return uvmexp.free + uvmexp.filepages;
}

/** Sets the limits that follow from the amount of memory. */
export function uvmpd_tune(): void {
  let freemin = uvmexp.npages / 20;
  if (freemin < 4) freemin = 4;
  if (freemin > 64) freemin = 64;
  uvmexp.freemin = freemin;
  uvmexp.freetarg = imax(freemin * 4 / 3, freemin + 1);
  uvmexp.wiredmax = uvmexp.npages / 3;
  uvmexp.filemin = imin(imax(uvmexp.npages / 32, 16), 128);
  uvmpd_tune_inactive();
}

/**
 * How many pages shall be inactive: a third of those that can be reclaimed. If it were more than there are, the daemon
 * would take each page away again before its user has got to it.
 */
function uvmpd_tune_inactive(): void {
  uvmexp.inactarg = (uvmexp.filepages + 2) / 3;
}

/**
 * How many pages shall be free. When files have but `filemin` pages these are what the running programs are made of:
 * they give way to each other, one by one, and to nobody else.
 */
function free_target(): i32 {
  return uvmexp.filepages > uvmexp.filemin ? uvmexp.freetarg : imin(uvmexp.freetarg, 2 * uvmexp.reserve_kernel);
}

/** What became of a page of the inactive queue. */
const PAGE_DONE: i32 = 0;
/** The daemon slept meanwhile: the queue is not what it was. */
const PAGE_SLEPT: i32 = 1;

/** Writes a dirty page back; one that cannot be written becomes active. */
function write_back(pg: VmPage): i32 {
  const uobj = pg.uobject;
  const offset = pg.offset;
  if (changetype<usize>(uobj) == 0 || uobj.pgops.put == 0) {
    uvm_pageactivate(pg);
    uvmexp.pdreact++;
    return PAGE_DONE;
  }
  uvmexp.paging++;
  const rv = uvm_pager_clean(uobj, pg, 0xffffffffffffffff, false);
  uvmexp.paging--;
  if (rv == VM_PAGER_OK) return PAGE_SLEPT;
  // The object is there still, or its pages are gone with it; look the page up anew.
  const again = uvm_pagelookup(uobj, offset);
  if (again == pg && (pg.pqflags & PQ_INACTIVE) != 0) {
    uvm_pageactivate(pg);
    uvmexp.pdreact++;
  }
  return PAGE_SLEPT;
}

/** One page of the inactive queue: freed, written back, kept, or made active again. */
function scan_inactive_page(pg: VmPage): i32 {
  uvmexp.pdscans++;
  if (pmap_is_referenced(pg)) {
    uvm_pageactivate(pg);
    uvmexp.pdreact++;
    return PAGE_DONE;
  }
  if ((pg.flags & PG_BUSY) != 0) {
    uvmexp.pdbusy++;
    return PAGE_DONE;
  }
  uvmexp.pdobscan++;
  pmap_page_protect(pg, VM_PROT_NONE);
  if (pmap_is_modified(pg)) pg.clear_flags(PG_CLEAN);
  if ((pg.flags & PG_CLEAN) == 0) return write_back(pg);
  uvm_pagefree(pg);
  uvmexp.pdfreed++;
  return PAGE_DONE;
}

/** Frees inactive pages of objects until the target is met. => may sleep */
function uvmpd_scan_inactive(): void {
  let pg = page_queue_first(uvm.page_inactive_obj);
  // After a sleep the scan begins anew; what was written is freed then. It ends when it has seen twice what there was.
  let left = uvmexp.inactive * 2;
  while (changetype<usize>(pg) != 0 && uvmexp.free < free_target() && left > 0) {
    const next = page_queue_next(pg);
    left--;
    pg = scan_inactive_page(pg) == PAGE_SLEPT ? page_queue_first(uvm.page_inactive_obj) : next;
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
    // Who waits for memory woke the daemon once and sleeps: go on until it has some, or gives up.
    if (uvmexp.waiters == 0) tsleep(daemon_channel(), PVM, cs("daemon_slp"), 0);
    uvmexp.pdwoke++;
    let effect = pool_drain() != 0;
    uvmpd_tune_inactive();
    if (uvmexp.free < free_target() || uvmexp.inactive < uvmexp.inactarg) {
      if (uvmpd_scan()) effect = true;
    }
    if (uvmexp.free > uvmexp.reserve_kernel) wakeup(free_channel());
    if (!effect) tsleep(changetype<usize>(uvm), PVM, cs("pdpause"), FRUITLESS_PAUSE);
  }
}
