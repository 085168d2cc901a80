// Amaps: the upper layer of a mapping, memory private to those who share it.
//
// An amap is a sparse array of anons. Map entries point into it with an offset
// in slots (ar_pageoff), so that two halves of a cut entry share one amap.
//
//   am_anon[slot]    the anon, or 0                       am_slots: the slots in
//   am_bckptr[slot]  where in am_slots the slot stands    use, in any order
//
// so lookup is one load, and walking the used slots costs no more than their
// number. An amap is made when it is first needed: an entry marked NEEDSCOPY has
// none yet, or one that it must copy before it writes (amap_copy). Copying an
// amap copies references to anons; the pages themselves are copied when written.
//
// The array is counted as a whole: the part of a cut entry that is unmapped keeps
// its anons until the last part goes.
import { malloc, free } from "../kernel/kern_malloc";
import { PR_NOWAIT, PR_WAITOK, Pool, pool_get, pool_init, pool_put } from "../kernel/subr_pool";
import { M_UVMAMAP, M_WAITOK } from "../kernel/sys/malloc";
import { PAGE_SHIFT } from "../kernel/sys/param";
import { poolpage_alloc_nointr, poolpage_free_nointr } from "./uvm_km_page";
import { pmap_page_protect } from "../kernel/i386/pmap";
import { panic } from "../kernel/subr_prf";
import { VmAnon, uvm_anfree } from "./uvm_anon";
import { VM_PROT_NONE } from "./uvm_extern";
import { uvm_map_clip_end, uvm_map_clip_start } from "./uvm_map";
import { UVM_ET_NEEDSCOPY, VmMap, VmMapEntry } from "./uvm_map_h";

/** Flag of an amap, and of amap_ref: several maps share it. */
export const AMAP_SHARED: u32 = 1;
/** Slots that UVM_FLAG_AMAPPAD adds, and the alignment of chunks that amap_copy cuts. */
export const UVM_AMAP_CHUNK: u32 = 16;
/** Entries of at least this many pages are cut before they get an amap. */
const UVM_AMAP_LARGE: u32 = 256;

@unmanaged
export class VmAmap {
  am_l: u32;
  am_ref: i32;
  am_flags: u32;
  /** Slots that the arrays have room for, that are part of the amap, that are used. */
  am_maxslot: u32;
  am_nslot: u32;
  am_nused: u32;
  am_slots: usize;
  am_bckptr: usize;
  am_anon: usize;
  am_ppref: usize;
}

const NULL_AMAP = changetype<VmAmap>(0);

const uvm_amap_pool = changetype<Pool>(memory.data(offsetof<Pool>(), 8));

/** Makes the pool of amaps. */
export function amap_init(): void {
  pool_init(uvm_amap_pool, offsetof<VmAmap>(), 0, 0, 0, cs("amappl"), 0, poolpage_alloc_nointr.index,
    poolpage_free_nointr.index, M_UVMAMAP);
}

/** The three arrays of `slots` words each, in one piece. => false when there is no memory */
function alloc_arrays(amap: VmAmap, slots: u32, waitf: u32): bool {
  const base = malloc(slots * 12, M_UVMAMAP, waitf);
  if (base == 0) return false;
  amap.am_anon = base;
  amap.am_slots = base + slots * 4;
  amap.am_bckptr = base + slots * 8;
  amap.am_maxslot = slots;
  memory.fill(base, 0, slots * 4);
  return true;
}

function amap_alloc1(nslot: u32, padslot: u32, waitf: u32): VmAmap {
  const amap = changetype<VmAmap>(pool_get(uvm_amap_pool, waitf == M_WAITOK ? PR_WAITOK : PR_NOWAIT));
  if (changetype<usize>(amap) == 0) return amap;
  amap.am_l = 0;
  amap.am_ref = 1;
  amap.am_flags = 0;
  amap.am_nslot = nslot;
  amap.am_nused = 0;
  amap.am_ppref = 0;
  if (alloc_arrays(amap, nslot + padslot, waitf)) return amap;
  pool_put(uvm_amap_pool, changetype<usize>(amap));
  return NULL_AMAP;
}

/** An empty amap for `size` bytes, with room for `padsize` more. `waitf`: M_WAITOK, or M_NOWAIT and perhaps NULL. */
export function amap_alloc(size: usize, padsize: usize, waitf: u32): VmAmap {
  return amap_alloc1(size >> PAGE_SHIFT, padsize >> PAGE_SHIFT, waitf);
}

/** Frees an amap without anons. */
function amap_free(amap: VmAmap): void {
  free(amap.am_anon, M_UVMAMAP);
  pool_put(uvm_amap_pool, changetype<usize>(amap));
}

/** The amap of an entry, or NULL. */
export function amap_of(entry: VmMapEntry): VmAmap {
  return changetype<VmAmap>(entry.ar_amap);
}

function slot_of(entry: VmMapEntry, offset: usize): u32 {
  const slot = entry.ar_pageoff + (offset >> PAGE_SHIFT);
  if (slot >= amap_of(entry).am_nslot) panic(cs("amap: offset 0x%x out of range"), offset);
  return slot;
}

/** The anon at `offset` bytes from the start of the entry, or NULL. => the entry has an amap */
export function amap_lookup(entry: VmMapEntry, offset: usize): VmAnon {
  return changetype<VmAnon>(load<usize>(amap_of(entry).am_anon + (slot_of(entry, offset) << 2)));
}

/** Stores `npages` anons or zeros from `offset` on at `anons`. */
export function amap_lookups(entry: VmMapEntry, offset: usize, anons: usize, npages: u32): void {
  const slot = slot_of(entry, offset);
  slot_of(entry, offset + ((npages - 1) << PAGE_SHIFT));
  memory.copy(anons, amap_of(entry).am_anon + (slot << 2), npages << 2);
}

/**
 * Puts an anon into the slot at `offset`. The slot is empty, or with `replace`
 * used: then mappings of the old page go if others share the amap; the old
 * anon's reference is the caller's.
 */
export function amap_add(entry: VmMapEntry, offset: usize, anon: VmAnon, replace: bool): void {
  const amap = amap_of(entry);
  const slot = slot_of(entry, offset);
  const place = amap.am_anon + (slot << 2);
  const old = changetype<VmAnon>(load<usize>(place));
  if (replace) {
    if (changetype<usize>(old) == 0) panic(cs("amap_add: replacing null anon"));
    const pg = old.an_page;
    if (changetype<usize>(pg) != 0 && (amap.am_flags & AMAP_SHARED) != 0) pmap_page_protect(pg, VM_PROT_NONE);
  } else {
    if (changetype<usize>(old) != 0) panic(cs("amap_add: slot in use"));
    store<u32>(amap.am_bckptr + (slot << 2), amap.am_nused);
    store<u32>(amap.am_slots + (amap.am_nused << 2), slot);
    amap.am_nused++;
  }
  store<usize>(place, changetype<usize>(anon));
}

/** Empties the slot at `offset`. => the anon's reference is the caller's */
export function amap_unadd(entry: VmMapEntry, offset: usize): void {
  const amap = amap_of(entry);
  const slot = slot_of(entry, offset);
  if (load<usize>(amap.am_anon + (slot << 2)) == 0) panic(cs("amap_unadd: nothing there"));
  store<usize>(amap.am_anon + (slot << 2), 0);
  amap.am_nused--;
  const place = load<u32>(amap.am_bckptr + (slot << 2));
  if (place == amap.am_nused) return;
  const last = load<u32>(amap.am_slots + (amap.am_nused << 2));
  store<u32>(amap.am_slots + (place << 2), last);
  store<u32>(amap.am_bckptr + (last << 2), place);
}

/** One more entry shows the amap. `flags`: AMAP_SHARED when it belongs to another map. */
export function amap_ref(entry: VmMapEntry, flags: u32): void {
  const amap = amap_of(entry);
  amap.am_ref++;
  amap.am_flags |= flags & AMAP_SHARED;
}

/** An entry stops showing its amap; the last one frees it and its anons. */
export function amap_unref(entry: VmMapEntry): void {
  const amap = amap_of(entry);
  if (amap.am_ref == 1) {
    amap_wipeout(amap);
    return;
  }
  amap.am_ref--;
  if (amap.am_ref == 1) amap.am_flags &= ~AMAP_SHARED;
}

/** Drops the amap's references to its anons, and frees it. */
function amap_wipeout(amap: VmAmap): void {
  for (let i: u32 = 0; i < amap.am_nused; i++) {
    const slot = load<u32>(amap.am_slots + (i << 2));
    const anon = changetype<VmAnon>(load<usize>(amap.am_anon + (slot << 2)));
    anon.an_ref--;
    if (anon.an_ref == 0) uvm_anfree(anon);
  }
  amap_free(amap);
}

/** The amap of `above`, a copy of `below`, begins `offset` bytes further in: they share it now. */
export function amap_splitref(below: VmMapEntry, above: VmMapEntry, offset: usize): void {
  amap_of(below).am_ref++;
  above.ar_amap = below.ar_amap;
  above.ar_pageoff = below.ar_pageoff + (offset >> PAGE_SHIFT);
}

/** Makes room for an entry that grows by `addsize` bytes. => nobody else shows the amap; may sleep for memory */
export function amap_extend(entry: VmMapEntry, addsize: usize): void {
  const amap = amap_of(entry);
  const need = entry.ar_pageoff + ((entry.end - entry.start + addsize) >> PAGE_SHIFT);
  if (need <= amap.am_nslot) return;
  if (need > amap.am_maxslot) {
    const old = amap.am_anon;
    const slots = amap.am_slots;
    const bckptr = amap.am_bckptr;
    const nslot = amap.am_nslot;
    alloc_arrays(amap, need, M_WAITOK);
    memory.copy(amap.am_anon, old, nslot << 2);
    memory.copy(amap.am_slots, slots, amap.am_nused << 2);
    memory.copy(amap.am_bckptr, bckptr, nslot << 2);
    free(old, M_UVMAMAP);
  }
  amap.am_nslot = need;
}

/**
 * Gives an entry that NEEDSCOPY an amap of its own: a fresh one, or a copy of
 * the one it shares. A large entry is first cut to the chunk around
 * [start, end) if `canchunk`. NEEDSCOPY stays set when there is no memory.
 * => the map is locked exclusively
 */
export function amap_copy(map: VmMap, entry: VmMapEntry, waitf: u32, canchunk: bool, start: usize, end: usize): void {
  if (entry.ar_amap == 0) {
    if (canchunk && (entry.end - entry.start) >> PAGE_SHIFT >= UVM_AMAP_LARGE) {
      const chunk = UVM_AMAP_CHUNK << PAGE_SHIFT;
      uvm_map_clip_start(map, entry, start & ~(chunk - 1));
      if (end + chunk - 1 > end) uvm_map_clip_end(map, entry, (end + chunk - 1) & ~(chunk - 1));
    }
    const fresh = amap_alloc(entry.end - entry.start, 0, waitf);
    if (changetype<usize>(fresh) == 0) return;
    entry.ar_pageoff = 0;
    entry.ar_amap = changetype<usize>(fresh);
    entry.etype &= ~UVM_ET_NEEDSCOPY;
    return;
  }
  if (amap_of(entry).am_ref == 1) {
    entry.etype &= ~UVM_ET_NEEDSCOPY;
    return;
  }
  const copy = copy_slots(entry, waitf);
  if (changetype<usize>(copy) == 0) return;
  amap_unref(entry);
  entry.ar_pageoff = 0;
  entry.ar_amap = changetype<usize>(copy);
  entry.etype &= ~UVM_ET_NEEDSCOPY;
}

/** A new amap with the anons that the entry shows, each referenced once more. => NULL without memory */
function copy_slots(entry: VmMapEntry, waitf: u32): VmAmap {
  const copy = amap_alloc(entry.end - entry.start, 0, waitf);
  if (changetype<usize>(copy) == 0) return copy;
  const from = amap_of(entry).am_anon + (entry.ar_pageoff << 2);
  for (let slot: u32 = 0; slot < copy.am_nslot; slot++) {
    const anon = load<usize>(from + (slot << 2));
    if (anon == 0) continue;
    changetype<VmAnon>(anon).an_ref++;
    store<usize>(copy.am_anon + (slot << 2), anon);
    store<u32>(copy.am_bckptr + (slot << 2), copy.am_nused);
    store<u32>(copy.am_slots + (copy.am_nused << 2), slot);
    copy.am_nused++;
  }
  return copy;
}
