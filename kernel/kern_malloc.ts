// malloc(9): memory of any size, from kmem_map.
//
// Sizes up to a page come from buckets of powers of two; a page belongs to one
// bucket for ever. Larger requests are whole pages and go back to the map. What
// a page is used for stands in kmemusage, one word per page of kmem_map, so free
// needs no size.
//
// Memory is not zeroed. Interrupts may call both functions (with M_NOWAIT).
import { splvm, splx } from "./i386/intr";
import { frame_alloc } from "./i386/cpufunc";
import { panic } from "./subr_prf";
import { M_LAST, M_NOWAIT } from "./sys/malloc";
import { PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, round_page } from "./sys/param";
import { UVM_KMF_NOWAIT } from "../vm/uvm_extern";
import { VM_MAP_INTRSAFE } from "../vm/uvm_map_h";
import { kernel_map, kmem_map, kmem_object, uvm_km_free, uvm_km_kmemalloc, uvm_km_suballoc, uvm_km_zalloc }
  from "../vm/uvm_km";
import { uvmexp } from "../vm/uvm_stat";

/** The smallest bucket has items of 16 bytes, the largest of a page. */
export const MINBUCKET: u32 = 4;
export const MAXBUCKET: u32 = 12;

/** Bounds of the pages that kmem_map gets: half of memory, within these. */
const NKMEMPAGES_MIN: u32 = 1024;
const NKMEMPAGES_MAX: u32 = 16384;

/** A word of kmemusage with this bit: a large piece; the rest is its pages. Without: the bucket. */
const KMEM_LARGE: u32 = 0x80000000;

@unmanaged
class MallocState {
  kmembase: usize;
  kmemlimit: usize;
  /** One word per page of kmem_map. */
  kmemusage: usize;
  /** Pieces in use and bytes in them. */
  inuse: u32;
  memuse: u32;
}
const malloc_state = changetype<MallocState>(memory.data(offsetof<MallocState>(), 4));

/** A bucket: its free items, linked by their first word, and counts. */
@unmanaged
export class Kmembuckets {
  kb_next: usize;
  /** Requests, items in all, items that are free. */
  kb_calls: u32;
  kb_total: u32;
  kb_totalfree: u32;
}
const buckets: usize = memory.data(16 * 13, 4);

/** What the memory of a type has been. */
@unmanaged
export class Kmemstats {
  ks_inuse: u32;
  ks_calls: u32;
  /** Bytes now, and the most there were. */
  ks_memuse: u32;
  ks_maxused: u32;
  /** Sizes in use so far: powers of two, or-ed. */
  ks_size: u32;
}
const kmemstats: usize = memory.data(20 * 96, 4);

/** Makes kmem_map. Called by uvm_init. */
export function kmeminit(): void {
  let npages = u32(uvmexp.free) / 2;
  if (npages < NKMEMPAGES_MIN) npages = NKMEMPAGES_MIN;
  if (npages > NKMEMPAGES_MAX) npages = NKMEMPAGES_MAX;
  malloc_state.kmemusage = uvm_km_zalloc(kernel_map(), npages * 4);
  const base = frame_alloc(4);
  const limit = frame_alloc(4);
  store<usize>(base, 0);
  uvm_km_suballoc(kernel_map(), base, limit, npages * PAGE_SIZE, VM_MAP_INTRSAFE, false, kmem_map());
  malloc_state.kmembase = load<usize>(base);
  malloc_state.kmemlimit = load<usize>(limit);
}

/** Address of the word that says what the page of `addr` is used for. */
function usage_of(addr: usize): usize {
  return malloc_state.kmemusage + ((addr - malloc_state.kmembase) >> PAGE_SHIFT) * 4;
}

/** The bucket for a size of at most a page. */
function bucket_index(size: u32): u32 {
  let index = MINBUCKET;
  while (u32(1) << index < size) index++;
  return index;
}

/** Whole pages, or 0. */
function allocate_pages(size: u32, flags: u32): usize {
  const kmflags = (flags & M_NOWAIT) != 0 ? UVM_KMF_NOWAIT : 0;
  const va = uvm_km_kmemalloc(kmem_map(), kmem_object(), size, kmflags);
  if (va == 0 && (flags & M_NOWAIT) == 0) panic(cs("malloc: out of space in kmem_map"));
  return va;
}

/** The bucket of items of 1 << index bytes, from MINBUCKET to MAXBUCKET. */
export function malloc_bucket(index: u32): Kmembuckets {
  return changetype<Kmembuckets>(buckets + index * offsetof<Kmembuckets>());
}

/** The counts of a type below M_LAST. */
export function malloc_stats(type: u32): Kmemstats {
  return changetype<Kmemstats>(kmemstats + type * offsetof<Kmemstats>());
}

/** Adds a page of free items to a bucket. Returns false without memory. */
function fill_bucket(index: u32, flags: u32): bool {
  const va = allocate_pages(PAGE_SIZE, flags);
  if (va == 0) return false;
  store<u32>(usage_of(va), index);
  const size = u32(1) << index;
  const kbp = malloc_bucket(index);
  kbp.kb_total += PAGE_SIZE >> index;
  kbp.kb_totalfree += PAGE_SIZE >> index;
  let item = va + PAGE_SIZE;
  while (item > va) {
    item -= size;
    store<usize>(item, kbp.kb_next);
    kbp.kb_next = item;
  }
  return true;
}

/** Takes an item of the bucket; 0 without memory. */
function take_item(index: u32, flags: u32): usize {
  const kbp = malloc_bucket(index);
  kbp.kb_calls++;
  if (kbp.kb_next == 0 && !fill_bucket(index, flags)) return 0;
  const va = kbp.kb_next;
  kbp.kb_next = load<usize>(va);
  kbp.kb_totalfree--;
  return va;
}

function count_use(type: u32, size: u32): void {
  malloc_state.inuse++;
  malloc_state.memuse += size;
  if (type >= M_LAST) return;
  const ksp = malloc_stats(type);
  ksp.ks_inuse++;
  ksp.ks_calls++;
  ksp.ks_memuse += size;
  if (ksp.ks_memuse > ksp.ks_maxused) ksp.ks_maxused = ksp.ks_memuse;
  ksp.ks_size |= u32(1) << (31 - clz<u32>(size));
}

function count_free(type: u32, size: u32): void {
  malloc_state.inuse--;
  malloc_state.memuse -= size;
  if (type >= M_LAST) return;
  malloc_stats(type).ks_inuse--;
  malloc_stats(type).ks_memuse -= size;
}

/**
 * Memory of at least `size` bytes, contents undefined. `type` says for whom.
 * => M_WAITOK: may sleep for memory, never 0. M_NOWAIT: 0 when there is none
 */
export function malloc(size: u32, type: u32, flags: u32): usize {
  const s = splvm();
  let va: usize = 0;
  if (size > PAGE_SIZE) {
    size = round_page(size);
    va = allocate_pages(size, flags);
    if (va != 0) store<u32>(usage_of(va), KMEM_LARGE | (size >> PAGE_SHIFT));
  } else {
    const index = bucket_index(size);
    size = u32(1) << index;
    va = take_item(index, flags);
  }
  if (va != 0) count_use(type, size);
  splx(s);
  return va;
}

/** Gives memory of malloc back. */
export function free(addr: usize, type: u32): void {
  if (addr < malloc_state.kmembase || addr >= malloc_state.kmemlimit) {
    panic(cs("free: addr %p not within kmem_map"), addr);
  }
  const s = splvm();
  const usage = load<u32>(usage_of(addr));
  if ((usage & KMEM_LARGE) != 0) {
    const size = (usage & ~KMEM_LARGE) << PAGE_SHIFT;
    if ((addr & PAGE_MASK) != 0) panic(cs("free: addr %p inside a piece of %u bytes"), addr, size);
    count_free(type, size);
    uvm_km_free(kmem_map(), addr, size);
  } else {
    const size = u32(1) << usage;
    if (usage > MAXBUCKET || (addr & (size - 1)) != 0) panic(cs("free: unaligned addr %p, size %u"), addr, size);
    const kbp = malloc_bucket(usage);
    store<usize>(addr, kbp.kb_next);
    kbp.kb_next = addr;
    kbp.kb_totalfree++;
    count_free(type, size);
  }
  splx(s);
}

/** Pages that kmem_map has room for. */
export function nkmempages(): u32 {
  return (malloc_state.kmemlimit - malloc_state.kmembase) / PAGE_SIZE;
}
