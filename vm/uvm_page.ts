// Physical pages.
//
// Each page of managed memory has a vm_page. A page is in exactly one of these
// states:
//
//   free        on the free list of its kind of memory, PQ_FREE
//   active      PQ_ACTIVE, on page_active: mapped or used lately
//   inactive    PQ_INACTIVE, on page_inactive_swp (PQ_SWAPBACKED) or _obj
//   wired       wire_count > 0, on no queue, counted in uvmexp.wired
//   loose       owned by somebody but on no queue: just allocated (BUSY), or
//               the kernel's own (uvm_km_*, page tables), which is never paged
//
// so free + active + inactive + wired + loose = npages at all times.
//
// A page with an owner is identified by (uobject, offset) and is then TABLED:
// in the object's memq and in the hash. BUSY is a long-term lock on the page's
// identity and contents; whoever finds it set WANTs it and sleeps on the page's
// address. RELEASED on a busy page asks the one who unbusies it to free it.
//
// The queues are touched at splvm, because interrupts allocate kernel memory.
//
// The hash is sized once for all memory, so NetBSD's second pass
// (uvm_page_rehash) has nothing to do here.
import { splvm, splx } from "../kernel/i386/intr";
import { pmap_clear_reference, pmap_copy_page, pmap_is_modified, pmap_zero_page } from "../kernel/i386/pmap";
import { curproc } from "../kernel/kern_proc";
import { wakeup } from "../kernel/kern_synch";
import { panic } from "../kernel/subr_prf";
import { PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, round_page } from "../kernel/sys/param";
import { TAILQ_FIRST, TAILQ_INIT, TAILQ_INSERT_TAIL, TAILQ_NEXT, TAILQ_REMOVE } from "../kernel/sys/queue";
import { uvm } from "./uvm";
import { VmAnon, uvm_anon_releasepg } from "./uvm_anon";
import { aobj_pager } from "./uvm_aobj";
import { UVM_PGA_USERESERVE, VM_FREELIST_DEFAULT, VM_NFREELIST } from "./uvm_extern";
import { UVM_OBJ_IS_KERN_OBJECT, UvmObject } from "./uvm_object";
import { uvm_anonymous_allowed, uvm_pagefree_wakeup, uvm_pageout_wakeup } from "./uvm_pdaemon";
import { VmPhysseg, uvm_pageboot_alloc, vm_nphysseg, vm_physmem, vm_physseg_find } from "./uvm_physseg";
import { uvmexp } from "./uvm_stat";

export { uvm_page_init_done, uvm_page_physget, uvm_page_physload, uvm_pageboot_alloc, vm_nphysseg, vm_physmem,
  vm_physseg_find } from "./uvm_physseg";

// Flags of a page.
export const PG_CLEAN: u32 = 0x0008;
export const PG_BUSY: u32 = 0x0010;
export const PG_WANTED: u32 = 0x0020;
export const PG_TABLED: u32 = 0x0040;
/** Its pager wants to be asked before it is written: mappings allow reading only. */
export const PG_RDONLY: u32 = 0x0080;
export const PG_FAKE: u32 = 0x0200;
export const PG_FILLED: u32 = 0x0400;
export const PG_DIRTY: u32 = 0x0800;
export const PG_RELEASED: u32 = 0x1000;
export const PG_FAULTING: u32 = 0x2000;
export const PG_CLEANCHK: u32 = 0x4000;

// Flags of the paging queues.
export const PQ_FREE: u32 = 0x01;
export const PQ_INACTIVE: u32 = 0x02;
export const PQ_ACTIVE: u32 = 0x04;
export const PQ_LAUNDRY: u32 = 0x08;
export const PQ_ANON: u32 = 0x10;
export const PQ_AOBJ: u32 = 0x20;
export const PQ_SWAPBACKED: u32 = 0x30;

@unmanaged
export class VmPage {
  /** Free list or paging queue. */
  pageq_next: usize;
  pageq_prev: usize;
  hashq_next: usize;
  hashq_prev: usize;
  /** The object's memq. */
  listq_next: usize;
  listq_prev: usize;
  uobject: UvmObject;
  /** The VmAnon that owns it, or 0. */
  uanon: usize;
  offset: u64;
  flags: u16;
  version: u16;
  wire_count: u16;
  pqflags: u16;
  loan_count: u32;
  phys_addr: usize;
  /** pmap's own: list of mappings, and attribute bits saved from removed mappings. */
  pv_list: usize;
  pv_attrs: u32;

  @inline set_flags(bits: u32): void {
    this.flags = u16(this.flags | bits);
  }

  @inline clear_flags(bits: u32): void {
    this.flags = u16(this.flags & ~bits);
  }

  @inline set_pqflags(bits: u32): void {
    this.pqflags = u16(this.pqflags | bits);
  }

  @inline clear_pqflags(bits: u32): void {
    this.pqflags = u16(this.pqflags & ~bits);
  }
}

/** Size of a vm_page: a multiple of its alignment. */
export const SIZEOF_VM_PAGE: u32 = 64;

export const NULL_PAGE = changetype<VmPage>(0);

const PAGEQ: usize = offsetof<VmPage>("pageq_next");
const HASHQ: usize = offsetof<VmPage>("hashq_next");
const LISTQ: usize = offsetof<VmPage>("listq_next");

/** The page of a physical address; NULL when the memory is not managed. */
export function PHYS_TO_VM_PAGE(pa: usize): VmPage {
  const pframe = pa >> PAGE_SHIFT;
  const i = vm_physseg_find(pframe);
  if (i < 0) return NULL_PAGE;
  const seg = vm_physmem(u32(i));
  if (seg.pgs == 0) return NULL_PAGE;
  return changetype<VmPage>(seg.pgs + (pframe - seg.start) * SIZEOF_VM_PAGE);
}

export function VM_PAGE_TO_PHYS(pg: VmPage): usize {
  return pg.phys_addr;
}

/**
 * Makes the vm_pages, the hash and the free lists. The kernel addresses that
 * are left go to `kvm_startp` and `kvm_endp`.
 */
export function uvm_page_init(kvm_startp: usize, kvm_endp: usize): void {
  for (let list: u32 = 0; list < VM_NFREELIST; list++) TAILQ_INIT(uvm.page_free(list));
  TAILQ_INIT(uvm.page_active);
  TAILQ_INIT(uvm.page_inactive_swp);
  TAILQ_INIT(uvm.page_inactive_obj);
  if (vm_nphysseg() == 0) panic(cs("vm_page_bootstrap: no memory pre-allocated"));
  uvmexp.pagesize = PAGE_SIZE;
  uvmexp.pagemask = PAGE_MASK;
  uvmexp.pageshift = PAGE_SHIFT;
  const frames = physmem_frames();
  page_hash_init(frames);
  let pgs = uvm_pageboot_alloc(frames * SIZEOF_VM_PAGE);
  memory.fill(pgs, 0, round_page(frames * SIZEOF_VM_PAGE));
  for (let i: u32 = 0; i < vm_nphysseg(); i++) {
    const seg = vm_physmem(i);
    seg.pgs = pgs;
    physseg_init_pages(seg);
    pgs += (seg.end - seg.start) * SIZEOF_VM_PAGE;
  }
  store<usize>(kvm_startp, uvm.boot_va);
  store<usize>(kvm_endp, uvm.boot_va_end);
  uvmexp.reserve_pagedaemon = 1;
  uvmexp.reserve_kernel = 5;
  uvm.page_init_done = true;
}

function physmem_frames(): u32 {
  let frames: u32 = 0;
  for (let i: u32 = 0; i < vm_nphysseg(); i++) frames += vm_physmem(i).end - vm_physmem(i).start;
  return frames;
}

function page_hash_init(frames: u32): void {
  let buckets: u32 = 1;
  while (buckets < frames) buckets <<= 1;
  uvm.page_hash = uvm_pageboot_alloc(buckets * 8);
  uvm.page_hashmask = buckets - 1;
  for (let i: u32 = 0; i < buckets; i++) TAILQ_INIT(uvm.page_hash + i * 8);
}

function physseg_init_pages(seg: VmPhysseg): void {
  let pg = changetype<VmPage>(seg.pgs);
  for (let pframe = seg.start; pframe < seg.end; pframe++) {
    pg.phys_addr = pframe << PAGE_SHIFT;
    if (pframe >= seg.avail_start && pframe < seg.avail_end) {
      uvmexp.npages++;
      page_to_free_list(pg, seg.free_list);
    }
    pg = changetype<VmPage>(changetype<usize>(pg) + SIZEOF_VM_PAGE);
  }
}

function page_to_free_list(pg: VmPage, list: u32): void {
  pg.flags = 0;
  pg.pqflags = u16(PQ_FREE);
  TAILQ_INSERT_TAIL(uvm.page_free(list), changetype<usize>(pg), PAGEQ);
  uvmexp.free++;
}

function free_list_of(pg: VmPage): u32 {
  const i = vm_physseg_find(pg.phys_addr >> PAGE_SHIFT);
  return i < 0 ? VM_FREELIST_DEFAULT : vm_physmem(u32(i)).free_list;
}

/** Address of the hash bucket's TAILQ head. */
function page_bucket(uobj: UvmObject, off: u64): usize {
  return uvm.page_hash + ((changetype<usize>(uobj) + u32(off >> PAGE_SHIFT)) & uvm.page_hashmask) * 8;
}

/** Can the object's pages be taken from memory and had again: has it a pager that keeps them elsewhere? */
function is_reclaimable(uobj: UvmObject): bool {
  return changetype<usize>(uobj.pgops) != 0 && uobj.pgops != aobj_pager && !UVM_OBJ_IS_KERN_OBJECT(uobj);
}

/** Enters a page into its object and the hash. => pg.uobject and pg.offset are set */
function uvm_pageinsert(pg: VmPage): void {
  if ((pg.flags & PG_TABLED) != 0) panic(cs("uvm_pageinsert: already inserted"));
  const s = splvm();
  TAILQ_INSERT_TAIL(page_bucket(pg.uobject, pg.offset), changetype<usize>(pg), HASHQ);
  splx(s);
  TAILQ_INSERT_TAIL(pg.uobject.memq, changetype<usize>(pg), LISTQ);
  pg.set_flags(PG_TABLED);
  pg.uobject.uo_npages++;
  if (is_reclaimable(pg.uobject)) uvmexp.filepages++;
}

/** Takes a page out of its object and the hash. */
function uvm_pageremove(pg: VmPage): void {
  const s = splvm();
  TAILQ_REMOVE(page_bucket(pg.uobject, pg.offset), changetype<usize>(pg), HASHQ);
  splx(s);
  TAILQ_REMOVE(pg.uobject.memq, changetype<usize>(pg), LISTQ);
  pg.clear_flags(PG_TABLED);
  pg.uobject.uo_npages--;
  if (is_reclaimable(pg.uobject)) uvmexp.filepages--;
  pg.uobject = changetype<UvmObject>(0);
  pg.version++;
}

/** The resident page of an object at an offset (a page boundary), or NULL. */
export function uvm_pagelookup(uobj: UvmObject, off: u64): VmPage {
  const s = splvm();
  let pg = changetype<VmPage>(TAILQ_FIRST(page_bucket(uobj, off)));
  while (changetype<usize>(pg) != 0) {
    if (pg.uobject == uobj && pg.offset == off) break;
    pg = changetype<VmPage>(pg.hashq_next);
  }
  splx(s);
  return pg;
}

/** Is memory so short that the pagedaemon has work? */
function free_pages_low(): bool {
  return uvmexp.free < uvmexp.freemin || (uvmexp.free < uvmexp.freetarg && uvmexp.inactive < uvmexp.inactarg);
}

/** Is a page for this owner one that stays until it is freed: of an anon, an aobj, a page table? */
function is_anonymous(uobj: UvmObject, anon: usize): bool {
  if (changetype<usize>(uobj) == 0) return anon != 0;
  return !is_reclaimable(uobj) && !UVM_OBJ_IS_KERN_OBJECT(uobj);
}

/** May an allocation take one of the pages that are left? The last ones are reserved. */
function allocation_allowed(use_reserve: bool, anonymous: bool): bool {
  if (anonymous && !use_reserve && !uvm_anonymous_allowed()) return false;
  if (uvmexp.free <= uvmexp.reserve_kernel && !use_reserve) return false;
  const daemon = changetype<usize>(uvm.pagedaemon_proc) != 0 && curproc() == uvm.pagedaemon_proc;
  return uvmexp.free > uvmexp.reserve_pagedaemon || (use_reserve && daemon);
}

function free_list_take(): VmPage {
  for (let list: u32 = 0; list < VM_NFREELIST; list++) {
    const first = TAILQ_FIRST(uvm.page_free(list));
    if (first == 0) continue;
    TAILQ_REMOVE(uvm.page_free(list), first, PAGEQ);
    uvmexp.free--;
    return changetype<VmPage>(first);
  }
  return NULL_PAGE;
}

/**
 * Allocates a page for (uobj, off) or for `anon`; with neither, a loose page.
 * => does not sleep; NULL when memory is short: uvm_wait and try again
 * => the page is BUSY, CLEAN and FAKE, on no queue; its contents are undefined
 * => UVM_PGA_USERESERVE: may use the kernel's reserve, as kernel objects always may
 */
export function uvm_pagealloc(uobj: UvmObject, off: u64, anon: usize, flags: u32): VmPage {
  const has_object = changetype<usize>(uobj) != 0;
  if (has_object && anon != 0) panic(cs("uvm_pagealloc: obj and anon != NULL"));
  const s = splvm();
  const use_reserve = (flags & UVM_PGA_USERESERVE) != 0 || (has_object && UVM_OBJ_IS_KERN_OBJECT(uobj));
  if (free_pages_low()) uvm_pageout_wakeup();
  const pg = allocation_allowed(use_reserve, is_anonymous(uobj, anon)) ? free_list_take() : NULL_PAGE;
  splx(s);
  if (changetype<usize>(pg) == 0) return pg;
  pg.offset = off;
  pg.uobject = uobj;
  pg.uanon = anon;
  pg.flags = u16(PG_BUSY | PG_CLEAN | PG_FAKE);
  pg.version++;
  pg.wire_count = 0;
  pg.loan_count = 0;
  pg.pv_attrs = 0;
  pg.pqflags = anon != 0 ? u16(PQ_ANON) : 0;
  if (anon != 0) changetype<VmAnon>(anon).an_page = pg;
  if (has_object) uvm_pageinsert(pg);
  return pg;
}

/** Takes a page off the paging queues. => splvm */
function page_dequeue(pg: VmPage): void {
  if ((pg.pqflags & PQ_ACTIVE) != 0) {
    TAILQ_REMOVE(uvm.page_active, changetype<usize>(pg), PAGEQ);
    pg.clear_pqflags(PQ_ACTIVE);
    uvmexp.active--;
  }
  if ((pg.pqflags & PQ_INACTIVE) != 0) {
    TAILQ_REMOVE(inactive_queue_of(pg), changetype<usize>(pg), PAGEQ);
    pg.clear_pqflags(PQ_INACTIVE);
    uvmexp.inactive--;
  }
}

function inactive_queue_of(pg: VmPage): usize {
  return (pg.pqflags & PQ_SWAPBACKED) != 0 ? uvm.page_inactive_swp : uvm.page_inactive_obj;
}

/**
 * Frees a page: out of its object, off its queue, to the tail of its free list.
 * => no mapping of it is left (pmap_page_protect), it is not BUSY by somebody else
 * => a wired page is unwired silently
 */
export function uvm_pagefree(pg: VmPage): void {
  if ((pg.pqflags & PQ_FREE) != 0) panic(cs("uvm_pagefree: freeing free page %p"), changetype<usize>(pg));
  if ((pg.flags & PG_TABLED) != 0) uvm_pageremove(pg);
  const list = free_list_of(pg);
  const s = splvm();
  page_dequeue(pg);
  if (pg.wire_count != 0) {
    pg.wire_count = 0;
    uvmexp.wired--;
  }
  pg.uobject = changetype<UvmObject>(0);
  if (pg.uanon != 0) changetype<VmAnon>(pg.uanon).an_page = NULL_PAGE;
  pg.uanon = 0;
  page_to_free_list(pg, list);
  splx(s);
  if (uvmexp.waiters != 0) uvm_pagefree_wakeup();
}

/** Wires a page: it leaves the paging queues. Wirings nest. */
export function uvm_pagewire(pg: VmPage): void {
  const s = splvm();
  if (pg.wire_count == 0) {
    page_dequeue(pg);
    uvmexp.wired++;
  }
  pg.wire_count++;
  splx(s);
}

/** Undoes one uvm_pagewire; the last makes the page active. */
export function uvm_pageunwire(pg: VmPage): void {
  if (pg.wire_count == 0) panic(cs("uvm_pageunwire: page %p is not wired"), changetype<usize>(pg));
  const s = splvm();
  pg.wire_count--;
  if (pg.wire_count == 0) {
    TAILQ_INSERT_TAIL(uvm.page_active, changetype<usize>(pg), PAGEQ);
    uvmexp.active++;
    pg.set_pqflags(PQ_ACTIVE);
    uvmexp.wired--;
  }
  splx(s);
}

/** Makes an active page inactive; its next reference will be noticed. => wired pages stay */
export function uvm_pagedeactivate(pg: VmPage): void {
  const s = splvm();
  if ((pg.pqflags & PQ_INACTIVE) == 0 && pg.wire_count == 0) {
    page_dequeue(pg);
    TAILQ_INSERT_TAIL(inactive_queue_of(pg), changetype<usize>(pg), PAGEQ);
    pg.set_pqflags(PQ_INACTIVE);
    uvmexp.inactive++;
    pmap_clear_reference(pg);
    if (pmap_is_modified(pg)) pg.clear_flags(PG_CLEAN);
  }
  splx(s);
}

/** Makes a page the most recently used one. => wired pages stay wired */
export function uvm_pageactivate(pg: VmPage): void {
  const s = splvm();
  page_dequeue(pg);
  if (pg.wire_count == 0) {
    TAILQ_INSERT_TAIL(uvm.page_active, changetype<usize>(pg), PAGEQ);
    uvmexp.active++;
    pg.set_pqflags(PQ_ACTIVE);
  }
  splx(s);
}

/** Fills a page with zeros. */
export function uvm_pagezero(pg: VmPage): void {
  pg.clear_flags(PG_CLEAN);
  pmap_zero_page(pg.phys_addr);
}

export function uvm_pagecopy(src: VmPage, dst: VmPage): void {
  dst.clear_flags(PG_CLEAN);
  pmap_copy_page(src.phys_addr, dst.phys_addr);
}

/** Clears BUSY and WANTED of a page and wakes who waits for it. => not for RELEASED pages */
export function uvm_pageunbusy(pg: VmPage): void {
  const wanted = (pg.flags & PG_WANTED) != 0;
  pg.clear_flags(PG_BUSY | PG_WANTED);
  if (wanted) wakeup(changetype<usize>(pg));
}

/** Frees a RELEASED page, by its object or with its anon. => the caller had it BUSY, and wakes who waits */
export function uvm_pagerelease(pg: VmPage): void {
  if (pg.uanon != 0) uvm_anon_releasepg(changetype<VmAnon>(pg.uanon));
  else pg.uobject.pgops.pgo_releasepg(pg, 0);
}

/** Unbusies the pages of an array (`npgs` addresses; 0 and PGO_DONTCARE are skipped), frees the RELEASED ones. */
export function uvm_page_unbusy(pgs: usize, npgs: i32): void {
  for (let i = 0; i < npgs; i++) {
    const addr = load<usize>(pgs + (i << 2));
    if (addr == 0 || addr == 0xffffffff) continue;
    const pg = changetype<VmPage>(addr);
    if ((pg.flags & PG_RELEASED) == 0) {
      uvm_pageunbusy(pg);
      continue;
    }
    if ((pg.flags & PG_WANTED) != 0) wakeup(addr);
    uvm_pagerelease(pg);
  }
}

/** First page of a paging queue (a TAILQ head address), and the one after `pg`; NULL at the end. */
export function page_queue_first(queue: usize): VmPage {
  return changetype<VmPage>(TAILQ_FIRST(queue));
}

export function page_queue_next(pg: VmPage): VmPage {
  return changetype<VmPage>(TAILQ_NEXT(changetype<usize>(pg), PAGEQ));
}
