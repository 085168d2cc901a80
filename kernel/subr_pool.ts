// pool(9): fixed-size items cut from pages.
//
// A free item is linked through itself (PoolItem overlays its first words), and
// under DIAGNOSTIC, which is always on here, carries a magic word that pool_get
// checks. The body of a freed item keeps its old contents: that is what a use
// after free reads.
//
//   offset in a free item:  0 pi_magic = 0xdeadbeef   4 next   8 address of the previous next
//
// Each page has a PoolItemHeader: at the end of the page when items are small
// (PR_PHINPAGE), else in a table of its own. The item queue of a page begins in
// its header. Items of a fresh page are queued in address order; pool_put
// inserts at the head, so the item freed last is handed out first.
//
// What a fresh page contains is decided by the boot argument `pool.fresh`:
// `zero` (default) or `junk`, or `junk:HEX` to name the word.
//
// Interrupt protection: the callers of a pool that interrupts use raise spl;
// the pool itself raises to splhigh only around its queues.
import { splhigh, splx } from "./i386/intr";
import { free, malloc } from "./kern_malloc";
import { tsleep, wakeup } from "./kern_synch";
import { strncmp, strtoul } from "./libkern";
import { panic } from "./subr_prf";
import { bootarg } from "./subr_bootargs";
import { M_NOWAIT, M_TEMP } from "./sys/malloc";
import { PAGE_SIZE, PSWP } from "./sys/param";
import { LIST_INSERT_HEAD, LIST_NEXT, LIST_REMOVE, TAILQ_FIRST, TAILQ_INIT, TAILQ_INSERT_HEAD, TAILQ_INSERT_TAIL,
  TAILQ_NEXT, TAILQ_REMOVE } from "./sys/queue";
import { uvm_km_alloc_poolpage, uvm_km_free_poolpage } from "../vm/uvm_km";

export const PR_NOWAIT: u32 = 0;
export const PR_WAITOK: u32 = 1;
export const PR_MALLOCOK: u32 = 1;
/** The caller promises that pool_get never fails: panic instead of returning 0. */
export const PR_URGENT: u32 = 2;
export const PR_STATIC: u32 = 4;
/** pr_roflags: page headers are at the ends of the pages. */
export const PR_PHINPAGE: u32 = 0x100;
/** pr_flags: somebody waits for an item. */
const PR_WANTED: u32 = 0x800;

export const PI_MAGIC: u32 = 0xdeadbeef;

/** The first words of a free item. */
@unmanaged
export class PoolItem {
  pi_magic: u32;
  pi_next: usize;
  pi_prev: usize;
}
const SIZEOF_POOLITEM: u32 = 12;

/** One page (or run of pages, pr_pagesz) of items. */
@unmanaged
export class PoolItemHeader {
  /** Links of the pool's page list: TAILQ. */
  ph_pagelist_next: usize;
  ph_pagelist_prev: usize;
  /** Head of the free items of this page: TAILQ. */
  ph_itemlist_first: usize;
  ph_itemlist_last: usize;
  /** Links of the chain of headers that stand outside their pages: LIST. */
  ph_hashlist_next: usize;
  ph_hashlist_prev: usize;
  /** Items of this page that are in use. */
  ph_nmissing: u32;
  ph_page: usize;
  ph_time: u32;
  private ph_time_usec: u32;

  @inline get ph_itemlist(): usize {
    return changetype<usize>(this) + offsetof<PoolItemHeader>("ph_itemlist_first");
  }
}
const SIZEOF_POOLITEMHEADER: u32 = 40;

@unmanaged
export class Pool {
  /** Links of the list of all pools: TAILQ. */
  pr_poollist_next: usize;
  pr_poollist_prev: usize;
  /** Pages, those with free items first: TAILQ. */
  pr_pagelist_first: usize;
  pr_pagelist_last: usize;
  /** The page to take the next item from, or 0. */
  pr_curpage: usize;
  /** Item size, alignment, and the offset in the item to align. */
  pr_size: u32;
  pr_align: u32;
  pr_itemoffset: u32;
  pr_minitems: u32;
  pr_minpages: u32;
  pr_maxpages: u32;
  pr_npages: u32;
  pr_itemsperpage: u32;
  /** Bytes of a page that no item covers, and the colour of the next page. */
  pr_slack: u32;
  pr_maxcolor: u32;
  pr_curcolor: u32;
  /** Free items, and items in use. */
  pr_nitems: u32;
  pr_nout: u32;
  pr_pagesz: u32;
  pr_pagemask: u32;
  pr_pageshift: u32;
  /** Code addresses: alloc(size, flags, mtype): usize, free(addr, size, mtype). 0: the kernel's pages. */
  pr_alloc: u32;
  pr_free: u32;
  pr_mtype: u32;
  pr_wchan: usize;
  pr_flags: u32;
  pr_roflags: u32;
  /** Statistics. */
  pr_nget: u32;
  pr_nfail: u32;
  pr_nput: u32;
  pr_npagealloc: u32;
  pr_npagefree: u32;
  pr_hiwat: u32;
  pr_nidle: u32;
  /** Headers outside their pages: LIST head. */
  pr_hashhead: usize;

  @inline get pr_pagelist(): usize {
    return changetype<usize>(this) + offsetof<Pool>("pr_pagelist_first");
  }
}

/** TAILQ of all pools. */
const pool_head: usize = memory.data<u32>([0, 0]);

/** How fresh pages are filled: 0 = not decided, 1 = zero, 2 = junk. */
const fresh_mode: usize = memory.data<u32>([0]);
const fresh_word: usize = memory.data<u32>([0xdeadbeef]);

/** First pool of the list of all pools, or 0. */
export function pool_list_first(): usize {
  return TAILQ_FIRST(pool_head);
}

/** The pool after `pool`, or 0. */
export function pool_list_next(pool: usize): usize {
  return TAILQ_NEXT(pool, 0);
}

/** Reads `pool.fresh`. */
function decide_fresh_contents(): void {
  const value = bootarg(cs("pool.fresh"));
  if (value == 0 || strncmp(value, cs("junk"), 4) != 0) {
    store<u32>(fresh_mode, 1);
    return;
  }
  store<u32>(fresh_mode, 2);
  if (load<u8>(value + 4) == 0x3a) store<u32>(fresh_word, strtoul(value + 5, 0, 16));
}

/** Gives a fresh page the contents that the boot argument asks for. */
function fill_fresh(page: usize, size: u32): void {
  if (load<u32>(fresh_mode) == 0) decide_fresh_contents();
  const word = load<u32>(fresh_mode) == 2 ? load<u32>(fresh_word) : 0;
  if (word == 0) {
    memory.fill(page, 0, size);
    return;
  }
  let i: u32 = 0;
  while (i < size) {
    store<u32>(page + i, word);
    i += 4;
  }
}

function align_up(x: u32, alignment: u32): u32 {
  return (x + alignment - 1) & ~(alignment - 1);
}

/**
 * Makes a pool of items of `size` bytes, whose byte `ioff` is aligned to
 * `align` (0: 4). Pages of `pagesz` bytes (a power of two; 0: PAGE_SIZE) come
 * from `alloc` and go back to `free`, code addresses; 0 takes the kernel's own
 * page allocator. `wchan` names the pool in ps and messages.
 */
export function pool_init(
  pp: Pool, size: u32, align: u32, ioff: u32, flags: u32, wchan: usize, pagesz: u32, alloc: u32, free: u32,
  mtype: u32,
): void {
  if (load<usize>(pool_head + 4) == 0) TAILQ_INIT(pool_head);
  if (align == 0) align = 4;
  if (size < SIZEOF_POOLITEM) size = SIZEOF_POOLITEM;
  if (pagesz == 0) pagesz = PAGE_SIZE;
  memory.fill(changetype<usize>(pp), 0, offsetof<Pool>());
  TAILQ_INIT(pp.pr_pagelist);
  pp.pr_size = align_up(size, align);
  pp.pr_align = align;
  pp.pr_itemoffset = ioff % align;
  pp.pr_maxpages = 0xffffffff;
  pp.pr_pagesz = pagesz;
  pp.pr_pagemask = ~(pagesz - 1);
  pp.pr_alloc = alloc;
  pp.pr_free = free;
  pp.pr_mtype = mtype;
  pp.pr_wchan = wchan;
  pp.pr_roflags = flags;
  place_headers(pp);
  TAILQ_INSERT_TAIL(pool_head, changetype<usize>(pp), 0);
}

/** Decides where page headers stand, and with that how many items a page has. */
function place_headers(pp: Pool): void {
  const lead = (pp.pr_align - pp.pr_itemoffset) % pp.pr_align;
  let room = pp.pr_pagesz;
  if (pp.pr_size < pp.pr_pagesz / 16) {
    pp.pr_roflags |= PR_PHINPAGE;
    room -= SIZEOF_POOLITEMHEADER;
  }
  pp.pr_itemsperpage = (room - lead) / pp.pr_size;
  if (pp.pr_itemsperpage == 0) panic(cs("pool_init: %s: items of %u bytes do not fit"), pp.pr_wchan, pp.pr_size);
  pp.pr_slack = room - pp.pr_itemsperpage * pp.pr_size;
  pp.pr_maxcolor = ((pp.pr_slack - lead) / pp.pr_align) * pp.pr_align;
}

/** The header of the page that holds `item`; 0 when the pool has no such page. */
function pr_find_pagehead(pp: Pool, item: usize): PoolItemHeader {
  const page = item & pp.pr_pagemask;
  if ((pp.pr_roflags & PR_PHINPAGE) != 0) {
    return changetype<PoolItemHeader>(page + pp.pr_pagesz - SIZEOF_POOLITEMHEADER);
  }
  let ph = pp.pr_hashhead;
  while (ph != 0 && changetype<PoolItemHeader>(ph).ph_page != page) {
    ph = LIST_NEXT(ph, offsetof<PoolItemHeader>("ph_hashlist_next"));
  }
  return changetype<PoolItemHeader>(ph);
}

function page_alloc(pp: Pool, waitok: bool): usize {
  if (pp.pr_alloc == 0) return uvm_km_alloc_poolpage(waitok);
  return call_indirect<usize>(pp.pr_alloc, pp.pr_pagesz, u32(waitok), pp.pr_mtype);
}

function page_free(pp: Pool, page: usize): void {
  if (pp.pr_free == 0) uvm_km_free_poolpage(page);
  else call_indirect<void>(pp.pr_free, page, pp.pr_pagesz, pp.pr_mtype);
}

/** Where the header of a fresh page stands; 0 when there is no memory for one. */
function header_for(pp: Pool, page: usize): usize {
  if ((pp.pr_roflags & PR_PHINPAGE) != 0) return page + pp.pr_pagesz - SIZEOF_POOLITEMHEADER;
  const ph = malloc(SIZEOF_POOLITEMHEADER, M_TEMP, M_NOWAIT);
  if (ph != 0) LIST_INSERT_HEAD(pp_hashhead(pp), ph, offsetof<PoolItemHeader>("ph_hashlist_next"));
  return ph;
}

function pp_hashhead(pp: Pool): usize {
  return changetype<usize>(pp) + offsetof<Pool>("pr_hashhead");
}

/** Cuts a page into items and makes it the current page. */
function pool_prime_page(pp: Pool, page: usize, header: usize): void {
  const ph = changetype<PoolItemHeader>(header);
  TAILQ_INIT(ph.ph_itemlist);
  ph.ph_page = page;
  ph.ph_nmissing = 0;
  ph.ph_time = 0;
  TAILQ_INSERT_HEAD(pp.pr_pagelist, header, 0);
  const lead = (pp.pr_align - pp.pr_itemoffset) % pp.pr_align;
  let item = page + lead + pp.pr_curcolor;
  pp.pr_curcolor += pp.pr_align;
  if (pp.pr_curcolor > pp.pr_maxcolor) pp.pr_curcolor = 0;
  let n: u32 = 0;
  while (n < pp.pr_itemsperpage) {
    changetype<PoolItem>(item).pi_magic = PI_MAGIC;
    TAILQ_INSERT_TAIL(ph.ph_itemlist, item, offsetof<PoolItem>("pi_next"));
    item += pp.pr_size;
    n++;
  }
  pp.pr_nitems += pp.pr_itemsperpage;
  pp.pr_curpage = header;
  pp.pr_npages++;
  pp.pr_nidle++;
  pp.pr_npagealloc++;
  if (pp.pr_npages > pp.pr_hiwat) pp.pr_hiwat = pp.pr_npages;
}

/** Gets a page for the pool. Returns false when there is none. */
function pool_grow(pp: Pool, waitok: bool): bool {
  const page = page_alloc(pp, waitok);
  if (page == 0) return false;
  fill_fresh(page, pp.pr_pagesz);
  const s = splhigh();
  const header = header_for(pp, page);
  if (header == 0) {
    splx(s);
    page_free(pp, page);
    return false;
  }
  pool_prime_page(pp, page, header);
  splx(s);
  return true;
}

/** The first page with a free item, or 0. */
function page_with_items(pp: Pool): usize {
  let ph = TAILQ_FIRST(pp.pr_pagelist);
  while (ph != 0 && TAILQ_FIRST(changetype<PoolItemHeader>(ph).ph_itemlist) == 0) ph = TAILQ_NEXT(ph, 0);
  return ph;
}

/**
 * Takes an item; its contents are whatever they were. With PR_WAITOK sleeps
 * until there is memory; otherwise returns 0 when there is none.
 */
export function pool_get(pp: Pool, flags: u32): usize {
  while (pp.pr_curpage == 0) {
    if (pool_grow(pp, (flags & PR_WAITOK) != 0)) break;
    if (pp.pr_curpage != 0) break;
    if ((flags & PR_URGENT) != 0) panic(cs("pool_get: urgent"));
    if ((flags & PR_WAITOK) == 0) {
      pp.pr_nfail++;
      return 0;
    }
    pp.pr_flags |= PR_WANTED;
    tsleep(changetype<usize>(pp), PSWP, pp.pr_wchan, 100);
  }
  const s = splhigh();
  const ph = changetype<PoolItemHeader>(pp.pr_curpage);
  const item = TAILQ_FIRST(ph.ph_itemlist);
  if (item == 0) panic(cs("pool_get: %s: page empty"), pp.pr_wchan);
  const magic = changetype<PoolItem>(item).pi_magic;
  if (magic != PI_MAGIC) {
    panic(cs("pool_get(%s): free list modified: magic=%x; page %p; item addr %p"), pp.pr_wchan, magic, ph.ph_page,
      item);
  }
  TAILQ_REMOVE(ph.ph_itemlist, item, offsetof<PoolItem>("pi_next"));
  pp.pr_nitems--;
  pp.pr_nout++;
  if (ph.ph_nmissing == 0) pp.pr_nidle--;
  ph.ph_nmissing++;
  if (TAILQ_FIRST(ph.ph_itemlist) == 0) {
    // A full page goes to the end, so that pages with items stay at the front.
    TAILQ_REMOVE(pp.pr_pagelist, changetype<usize>(ph), 0);
    TAILQ_INSERT_TAIL(pp.pr_pagelist, changetype<usize>(ph), 0);
    pp.pr_curpage = page_with_items(pp);
  }
  pp.pr_nget++;
  splx(s);
  return item;
}

/** Gives an item back. Its magic and links are written over its first three words. */
export function pool_put(pp: Pool, item: usize): void {
  const s = splhigh();
  const ph = pr_find_pagehead(pp, item);
  if (changetype<usize>(ph) == 0) {
    panic(cs("pool_put: %s: page header missing"), pp.pr_wchan);
  }
  changetype<PoolItem>(item).pi_magic = PI_MAGIC;
  const was_full = TAILQ_FIRST(ph.ph_itemlist) == 0;
  TAILQ_INSERT_HEAD(ph.ph_itemlist, item, offsetof<PoolItem>("pi_next"));
  ph.ph_nmissing--;
  pp.pr_nput++;
  pp.pr_nitems++;
  pp.pr_nout--;
  if (ph.ph_nmissing == 0) pp.pr_nidle++;
  if (was_full) {
    TAILQ_REMOVE(pp.pr_pagelist, changetype<usize>(ph), 0);
    TAILQ_INSERT_HEAD(pp.pr_pagelist, changetype<usize>(ph), 0);
  }
  if (pp.pr_curpage == 0 || was_full) pp.pr_curpage = changetype<usize>(ph);
  if ((pp.pr_flags & PR_WANTED) != 0) {
    pp.pr_flags &= ~PR_WANTED;
    wakeup(changetype<usize>(pp));
  }
  splx(s);
}

/** Gives all idle pages of a pool back. Returns the number of pages freed. May be called by the pagedaemon. */
export function pool_reclaim(pp: Pool): u32 {
  let freed: u32 = 0;
  const s = splhigh();
  let at = TAILQ_FIRST(pp.pr_pagelist);
  while (at != 0) {
    const next = TAILQ_NEXT(at, 0);
    const ph = changetype<PoolItemHeader>(at);
    if (ph.ph_nmissing == 0 && pp.pr_npages > pp.pr_minpages) {
      const page = ph.ph_page;
      TAILQ_REMOVE(pp.pr_pagelist, at, 0);
      pp.pr_nitems -= pp.pr_itemsperpage;
      pp.pr_npages--;
      pp.pr_nidle--;
      pp.pr_npagefree++;
      if ((pp.pr_roflags & PR_PHINPAGE) == 0) {
        LIST_REMOVE(at, offsetof<PoolItemHeader>("ph_hashlist_next"));
        free(at, M_TEMP);
      }
      page_free(pp, page);
      freed++;
    }
    at = next;
  }
  pp.pr_curpage = page_with_items(pp);
  splx(s);
  return freed;
}

/** Reclaims idle pages of every pool. Returns the number of pages freed. */
export function pool_drain(): u32 {
  let freed: u32 = 0;
  let at = TAILQ_FIRST(pool_head);
  while (at != 0) {
    freed += pool_reclaim(changetype<Pool>(at));
    at = TAILQ_NEXT(at, 0);
  }
  return freed;
}

/** Calls a printf of somebody else: `pr` is the code address of (fmt, ten words) => void. */
function pr_line(pr: u32, fmt: usize, a0: u32, a1: u32, a2: u32, a3: u32, a4: u32, a5: u32): void {
  call_indirect<void>(pr, fmt, a0, a1, a2, a3, a4, a5, u32(0), u32(0), u32(0), u32(0));
}

/** Is `letter` among the modifiers? */
function has_modifier(modif: usize, letter: u32): bool {
  for (; load<u8>(modif) != 0; modif++) if (load<u8>(modif) == letter) return true;
  return false;
}

/** One page of a pool, and those of its free items that somebody wrote to. */
function pool_print_page(ph: PoolItemHeader, pr: u32): void {
  pr_line(pr, cs("\t\tpage %p, nmissing %d, time %u\n"), ph.ph_page, ph.ph_nmissing, ph.ph_time, 0, 0, 0);
  let item = TAILQ_FIRST(ph.ph_itemlist);
  while (item != 0) {
    const magic = changetype<PoolItem>(item).pi_magic;
    if (magic != PI_MAGIC) {
      pr_line(pr, cs("\t\t\titem %p, magic 0x%x\n"), item, magic, 0, 0, 0, 0);
      return;
    }
    item = TAILQ_NEXT(item, offsetof<PoolItem>("pi_next"));
  }
}

/** Prints a pool for DDB's `show pool`: modifier p lists the pages. `pr` is the code address of a printf. */
export function pool_printit(pp: Pool, modif: usize, pr: u32): void {
  pr_line(pr, cs("POOL %s: size %u, align %u, ioff %u, roflags 0x%08x\n"), pp.pr_wchan, pp.pr_size, pp.pr_align,
    pp.pr_itemoffset, pp.pr_roflags, 0);
  pr_line(pr, cs("\tpagesz %u, mtype %u\n"), pp.pr_pagesz, pp.pr_mtype, 0, 0, 0, 0);
  pr_line(pr, cs("\talloc %p, release %p\n"), pp.pr_alloc, pp.pr_free, 0, 0, 0, 0);
  pr_line(pr, cs("\tminitems %u, minpages %u, maxpages %u, npages %u\n"), pp.pr_minitems, pp.pr_minpages,
    pp.pr_maxpages, pp.pr_npages, 0, 0);
  pr_line(pr, cs("\titemsperpage %u, nitems %u, nout %u\n"), pp.pr_itemsperpage, pp.pr_nitems, pp.pr_nout, 0, 0, 0);
  pr_line(pr, cs("\n\tnget %u, nfail %u, nput %u\n"), pp.pr_nget, pp.pr_nfail, pp.pr_nput, 0, 0, 0);
  pr_line(pr, cs("\tnpagealloc %u, npagefree %u, hiwat %u, nidle %u\n\n"), pp.pr_npagealloc, pp.pr_npagefree,
    pp.pr_hiwat, pp.pr_nidle, 0, 0);
  if (!has_modifier(modif, 0x70)) return;
  pr_line(pr, cs("\tpage list:\n"), 0, 0, 0, 0, 0, 0);
  let ph = TAILQ_FIRST(pp.pr_pagelist);
  while (ph != 0) {
    pool_print_page(changetype<PoolItemHeader>(ph), pr);
    ph = TAILQ_NEXT(ph, 0);
  }
}
