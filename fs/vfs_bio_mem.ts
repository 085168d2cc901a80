// The memory of the buffer cache.
//
// Each of nbuf buffers owns MAXBSIZE bytes of kernel address space (b_data), of
// which the first b_bufsize bytes have pages. The cache has bufpages pages in
// all, wired, given to the buffers at boot; from then on they only move from
// one buffer to another (pagemove), by page table entries, as blocks of other
// sizes are needed. allocbuf takes pages from a buffer that getnewbuf finds and
// gives surplus ones to an empty buffer.
import { frame_alloc } from "../kernel/i386/cpufunc";
import { pmap_extract, pmap_kenter_pa, pmap_kernel, pmap_kremove } from "../kernel/i386/pmap";
import { splbio, splx } from "../kernel/i386/intr";
import { bootarg_u32 } from "../kernel/subr_bootargs";
import { bzero } from "../kernel/libkern";
import { panic, printf } from "../kernel/subr_prf";
import { MAXBSIZE, PAGE_SHIFT, PAGE_SIZE, round_page } from "../kernel/sys/param";
import { TAILQ_FIRST, TAILQ_INIT } from "../kernel/sys/queue";
import {
  KERN_SUCCESS, UVM_ADV_NORMAL, UVM_INH_NONE, UVM_MAPFLAG, UVM_PROT_NONE, UVM_UNKNOWN_OFFSET, VM_PROT_READ,
  VM_PROT_WRITE,
} from "../vm/uvm_extern";
import { kernel_map, uvm_km_zalloc } from "../vm/uvm_km";
import { uvm_map } from "../vm/uvm_map";
import { UvmObject } from "../vm/uvm_object";
import { VM_PAGE_TO_PHYS, uvm_pagealloc } from "../vm/uvm_page";
import { uvmexp } from "../vm/uvm_stat";
import { BQUEUES, BQ_EMPTY, B_BUSY, Buf } from "./buf";
import { binvalhash, brelse, bremfree, bufinsert, bufqueue, getnewbuf } from "./vfs_bio";
import { NOCRED } from "./vnode";

/** The cache as a whole. Its address is what waits for a free buffer ("getnewbuf"). */
@unmanaged export class Biomem {
  /** The buffer headers: nbuf of BUF_SIZE bytes. */
  headers: usize;
  nbuf: u32;
  bufpages: u32;
  /** Hash table of LIST heads, and its size - 1. */
  hashtable: usize;
  hashmask: u32;
  /** Somebody waits for a buffer. */
  needbuffer: u32;
}

export const biomem: Biomem = changetype<Biomem>(memory.data(offsetof<Biomem>()));

const BUF_SIZE: u32 = (offsetof<Buf>() + 7) & ~7;
/** Fewer than this many buffers and the file system could wait for itself. */
const NBUF_MIN: u32 = 16;

/** Buffer header number `i`. */
export function buffer(i: u32): Buf {
  return changetype<Buf>(biomem.headers + i * BUF_SIZE);
}

/** Most pages, and so buffers, that the cache has of itself: their windows are 256 MB of kernel addresses. */
const BUFPAGES_MAX: u32 = 4096;

/**
 * Pages for the cache: a tenth of the first 2 MB and a twentieth of the rest, at most BUFPAGES_MAX, or boot argument
 * `bufpages`, which has the same limit.
 */
function cache_pages(): u32 {
  const first: u32 = 2 * 1024 * 1024 / PAGE_SIZE;
  const physmem = u32(uvmexp.npages);
  const pages: u32 = physmem < first ? physmem / 10 : (first + physmem) / 20;
  const wanted = bootarg_u32(cs("bufpages"), pages);
  return wanted < BUFPAGES_MAX ? wanted : BUFPAGES_MAX;
}

/** Enters fresh pages for the first `pages` pages of a buffer. */
function populate(bp: Buf, pages: u32): void {
  for (let i: u32 = 0; i < pages; i++) {
    const pg = uvm_pagealloc(changetype<UvmObject>(0), 0, 0, 0);
    if (changetype<usize>(pg) == 0) panic(cs("bufinit: not enough memory for buffer cache"));
    pmap_kenter_pa(bp.b_data + (i << PAGE_SHIFT), VM_PAGE_TO_PHYS(pg), VM_PROT_READ | VM_PROT_WRITE);
  }
  bp.b_bufsize = pages << PAGE_SHIFT;
}

/** Makes the buffer cache and says how large it is. Called once by vfsinit; panics without memory. */
export function bufinit(): void {
  biomem.bufpages = cache_pages();
  biomem.nbuf = biomem.bufpages < NBUF_MIN ? NBUF_MIN : biomem.bufpages;
  if (biomem.bufpages < biomem.nbuf) biomem.bufpages = biomem.nbuf;
  const base = biomem.bufpages / biomem.nbuf;
  const residual = biomem.bufpages % biomem.nbuf;
  const window = frame_alloc(4);
  store<usize>(window, kernel_map().min_offset);
  const flags = UVM_MAPFLAG(UVM_PROT_NONE, UVM_PROT_NONE, UVM_INH_NONE, UVM_ADV_NORMAL, 0);
  if (uvm_map(kernel_map(), window, biomem.nbuf * MAXBSIZE, changetype<UvmObject>(0), UVM_UNKNOWN_OFFSET, flags)
    != KERN_SUCCESS) panic(cs("bufinit: cannot allocate VM for buffers"));
  let hashsize: u32 = 16;
  while (hashsize < biomem.nbuf) hashsize <<= 1;
  biomem.hashmask = hashsize - 1;
  biomem.headers = uvm_km_zalloc(kernel_map(), round_page(biomem.nbuf * BUF_SIZE + hashsize * 4));
  if (biomem.headers == 0) panic(cs("bufinit: cannot allocate buffer headers"));
  biomem.hashtable = biomem.headers + biomem.nbuf * BUF_SIZE;
  for (let queue: u32 = 0; queue < BQUEUES; queue++) TAILQ_INIT(bufqueue(queue));
  for (let i: u32 = 0; i < biomem.nbuf; i++) {
    const bp = buffer(i);
    bp.b_data = load<usize>(window) + i * MAXBSIZE;
    bp.b_rcred = NOCRED;
    bp.b_wcred = NOCRED;
    populate(bp, i < residual ? base + 1 : base);
    bufinsert(bp);
  }
  const kilobytes = biomem.bufpages << (PAGE_SHIFT - 10);
  printf(cs("using %d buffers containing %d KB of memory\n"), biomem.nbuf, kilobytes);
}

/** Moves the pages of [from, from + size) to `to`, which has none. Page-aligned kernel addresses. */
function pagemove(from: usize, to: usize, size: u32): void {
  const pa = frame_alloc(4);
  for (let done: u32 = 0; done < size; done += PAGE_SIZE) {
    if (!pmap_extract(pmap_kernel(), from + done, pa)) panic(cs("pagemove: no page at %p"), from + done);
    pmap_kenter_pa(to + done, load<usize>(pa), VM_PROT_READ | VM_PROT_WRITE);
  }
  pmap_kremove(from, size);
}

/** Takes pages of other buffers until bp has `size` bytes (page multiple). Sleeps. */
function grow(bp: Buf, size: u32): void {
  while (bp.b_bufsize < size) {
    const nbp = getnewbuf(0, 0);
    if (changetype<usize>(nbp) == 0) continue;
    binvalhash(nbp);
    const lacking = size - bp.b_bufsize;
    const amount = nbp.b_bufsize < lacking ? nbp.b_bufsize : lacking;
    pagemove(nbp.b_data + nbp.b_bufsize - amount, bp.b_data + bp.b_bufsize, amount);
    bp.b_bufsize += amount;
    nbp.b_bufsize -= amount;
    brelse(nbp);
  }
}

/** Gives the pages of bp above `size` bytes to an empty buffer, if there is one. */
function shrink(bp: Buf, size: u32): void {
  const s = splbio();
  const addr = TAILQ_FIRST(bufqueue(BQ_EMPTY));
  if (addr == 0) {
    splx(s);
    return;
  }
  const nbp = changetype<Buf>(addr);
  bremfree(nbp);
  nbp.b_flags |= B_BUSY;
  splx(s);
  const amount = bp.b_bufsize - size;
  pagemove(bp.b_data + size, nbp.b_data, amount);
  bp.b_bufsize -= amount;
  nbp.b_bufsize += amount;
  brelse(nbp);
}

/** Gives a busy buffer `size` bytes, at most MAXBSIZE; the contents up to the smaller size stay. Sleeps. */
export function allocbuf(bp: Buf, size: u32): void {
  const wanted = round_page(size);
  if (wanted > MAXBSIZE) panic(cs("allocbuf: buffer larger than MAXBSIZE requested"));
  if (bp.b_bufsize < wanted) grow(bp, wanted);
  else if (bp.b_bufsize > wanted) shrink(bp, wanted);
  bp.b_bcount = size;
}
