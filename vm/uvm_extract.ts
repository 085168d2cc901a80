// Showing a part of one map in another: uvm_map_extract, and what uses it,
// reading and writing somebody else's memory (uvm_io).
//
// Room is reserved in the destination first, as a blank entry. Then, with only
// the source locked, its entries are copied to a chain, each with references of
// its own to object and amap; an amap that was still to be copied is copied
// first, so that both maps share it from then on. Last, with only the
// destination locked, the chain takes the place of the blank entry.
import { frame_alloc } from "../kernel/i386/cpufunc";
import { uiomove } from "../kernel/kern_subr";
import { EINVAL, ENOMEM } from "../kernel/sys/errno";
import { M_WAITOK } from "../kernel/sys/malloc";
import { MAXBSIZE, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, VM_MAXUSER_ADDRESS, round_page, trunc_page } from
  "../kernel/sys/param";
import { Uio } from "../kernel/sys/uio";
import { AMAP_PART, AMAP_REFALL, AMAP_SHARED, amap_copy, amap_ref } from "./uvm_amap";
import {
  KERN_SUCCESS, UVM_ADV_NORMAL, UVM_FLAG_NOMERGE, UVM_INH_NONE, UVM_MAPFLAG, UVM_PROT_NONE, UVM_UNKNOWN_OFFSET,
} from "./uvm_extern";
import { kernel_map } from "./uvm_km";
import {
  uvm_map, uvm_map_entry_link, uvm_map_entry_reference, uvm_map_entry_unlink, uvm_map_lookup_entry, uvm_unmap,
  uvm_unmap_remove, vm_map_lock, vm_map_unlock,
} from "./uvm_map";
import { VmMap, VmMapEntry } from "./uvm_map_h";
import { uvm_mapent_alloc, uvm_mapent_copy, uvm_mapent_free } from "./uvm_mapent";
import { UvmObject } from "./uvm_object";
import { uvm_unmap_detach_flags } from "./uvm_unmap";

// Flags of uvm_map_extract: move instead of copy; holes are an error; count
// amaps as a whole (undo with AMAP_REFALL); protection becomes the maximum.
export const UVM_EXTRACT_REMOVE: u32 = 1;
export const UVM_EXTRACT_CONTIG: u32 = 2;
export const UVM_EXTRACT_QREF: u32 = 4;
export const UVM_EXTRACT_FIXPROT: u32 = 8;

const NULL_ENTRY = changetype<VmMapEntry>(0);

/** A copy of the part [from, to) of `entry` for the destination, at `dst`. => the source is locked */
function extract_entry(dstmap: VmMap, entry: VmMapEntry, from: usize, to: usize, dst: usize, flags: u32): VmMapEntry {
  const copy = uvm_mapent_alloc(dstmap);
  uvm_mapent_copy(entry, copy);
  const skip = from - entry.start;
  copy.start = dst;
  copy.end = dst + (to - from);
  copy.wired_count = 0;
  if (copy.isobj) copy.offset += u64(skip);
  if ((flags & UVM_EXTRACT_FIXPROT) != 0) copy.protection = copy.max_protection;
  copy.next = NULL_ENTRY;
  if (copy.ar_amap != 0) {
    copy.ar_pageoff += u32(skip >> PAGE_SHIFT);
    amap_ref(copy, AMAP_SHARED | ((flags & UVM_EXTRACT_QREF) != 0 ? AMAP_REFALL : AMAP_PART));
  }
  uvm_map_entry_reference(copy);
  return copy;
}

/**
 * Copies the entries of [start, start + len) to a chain at `dst`, linked by `next`; its head goes to `headp`.
 * => the source is locked; EINVAL for submaps, for holes with CONTIG; the chain so far is at `headp` then, too
 */
function extract_chain(srcmap: VmMap, start: usize, len: usize, dstmap: VmMap, dst: usize, flags: u32,
  headp: usize): i32 {
  const entryp = frame_alloc(4);
  const end = start + len;
  let last = NULL_ENTRY;
  let at = start;
  store<usize>(headp, 0);
  while (at < end) {
    const found = uvm_map_lookup_entry(srcmap, at, entryp);
    let entry = changetype<VmMapEntry>(load<usize>(entryp));
    if (!found) {
      if ((flags & UVM_EXTRACT_CONTIG) != 0) return EINVAL;
      entry = entry.next;
      if (entry == srcmap.header || entry.start >= end) return 0;
      at = entry.start;
    }
    if (entry.issubmap) return EINVAL;
    if (entry.isneedscopy) {
      amap_copy(srcmap, entry, M_WAITOK, true, at, end);
      // The copy may have cut the entry.
      if (entry.isneedscopy) return ENOMEM;
      uvm_map_lookup_entry(srcmap, at, entryp);
      entry = changetype<VmMapEntry>(load<usize>(entryp));
    }
    const to = entry.end < end ? entry.end : end;
    const copy = extract_entry(dstmap, entry, at, to, dst + (at - start), flags);
    if (last == NULL_ENTRY) store<usize>(headp, changetype<usize>(copy));
    else last.next = copy;
    last = copy;
    at = to;
  }
  return 0;
}

/** Puts a chain in the place of the blank entry that begins at `dst`. => nothing locked */
function uvm_map_replace(map: VmMap, dst: usize, chain: VmMapEntry): void {
  const entryp = frame_alloc(4);
  vm_map_lock(map);
  uvm_map_lookup_entry(map, dst, entryp);
  const blank = changetype<VmMapEntry>(load<usize>(entryp));
  let after = blank.prev;
  if (map.hint == blank) map.hint = after;
  if (map.first_free == blank) map.first_free = after;
  uvm_map_entry_unlink(map, blank);
  map.size -= blank.end - blank.start;
  while (chain != NULL_ENTRY) {
    const next = chain.next;
    uvm_map_entry_link(map, after, chain);
    map.size += chain.end - chain.start;
    after = chain;
    chain = next;
  }
  vm_map_unlock(map);
  uvm_mapent_free(blank);
}

/**
 * Shows [start, start + len) of `srcmap` (page multiples) in `dstmap`, at an
 * address that goes to `dstaddrp`; flags UVM_EXTRACT_*.
 * => may sleep; EINVAL, ENOMEM (no room)
 */
export function uvm_map_extract(srcmap: VmMap, start: usize, len: usize, dstmap: VmMap, dstaddrp: usize,
  flags: u32): i32 {
  if (((start | len) & PAGE_MASK) != 0 || len == 0 || start + len < start) return EINVAL;
  if ((flags & UVM_EXTRACT_REMOVE) != 0 && srcmap == dstmap) return EINVAL;
  const headp = frame_alloc(4);
  store<usize>(dstaddrp, dstmap.min_offset);
  const blank = UVM_MAPFLAG(UVM_PROT_NONE, UVM_PROT_NONE, UVM_INH_NONE, UVM_ADV_NORMAL, UVM_FLAG_NOMERGE);
  if (uvm_map(dstmap, dstaddrp, len, changetype<UvmObject>(0), UVM_UNKNOWN_OFFSET, blank) != KERN_SUCCESS) {
    return ENOMEM;
  }
  const dst = load<usize>(dstaddrp);
  vm_map_lock(srcmap);
  const error = extract_chain(srcmap, start, len, dstmap, dst, flags, headp);
  vm_map_unlock(srcmap);
  uvm_map_replace(dstmap, dst, changetype<VmMapEntry>(load<usize>(headp)));
  if (error != 0) {
    uvm_unmap_extracted(dstmap, dst, len, flags);
    return error;
  }
  if ((flags & UVM_EXTRACT_REMOVE) != 0) uvm_unmap(srcmap, start, start + len);
  return 0;
}

/** Unmaps what uvm_map_extract showed, with the same flags. => may sleep */
export function uvm_unmap_extracted(map: VmMap, addr: usize, len: usize, flags: u32): void {
  vm_map_lock(map);
  const removed = uvm_unmap_remove(map, addr, addr + len);
  vm_map_unlock(map);
  uvm_unmap_detach_flags(removed, (flags & UVM_EXTRACT_QREF) != 0 ? AMAP_REFALL : 0);
}

/**
 * Moves the bytes of a request between its memory and the user map `map`, whose
 * addresses are the request's offsets (UIO_READ: out of the map), through windows
 * of up to MAXBSIZE bytes in kernel_map.
 * => may sleep; EINVAL where nothing is mapped, EFAULT, ENOMEM; at the end of user addresses it just stops
 */
export function uvm_io(map: VmMap, uio: Uio): i32 {
  const kvap = frame_alloc(4);
  const flags = UVM_EXTRACT_QREF | UVM_EXTRACT_CONTIG | UVM_EXTRACT_FIXPROT;
  while (uio.uio_resid > 0) {
    if (uio.uio_offset < 0 || u64(uio.uio_offset) >= u64(VM_MAXUSER_ADDRESS)) return 0;
    const base = usize(uio.uio_offset);
    let togo = uio.uio_resid;
    if (togo > VM_MAXUSER_ADDRESS - base) togo = VM_MAXUSER_ADDRESS - base;
    const pageoff = base & PAGE_MASK;
    let chunk = round_page(togo < MAXBSIZE ? togo + pageoff : MAXBSIZE);
    if (chunk > MAXBSIZE) chunk = MAXBSIZE;
    let error = uvm_map_extract(map, trunc_page(base), chunk, kernel_map(), kvap, flags);
    while (error == ENOMEM && chunk > PAGE_SIZE) {
      chunk = trunc_page(chunk / 2);
      error = uvm_map_extract(map, trunc_page(base), chunk, kernel_map(), kvap, flags);
    }
    if (error != 0) return error;
    const count = chunk - pageoff < togo ? chunk - pageoff : togo;
    error = uiomove(load<usize>(kvap) + pageoff, count, uio);
    uvm_unmap_extracted(kernel_map(), load<usize>(kvap), chunk, flags);
    if (error != 0) return error;
  }
  return 0;
}
