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
// An amap is counted as a whole (am_ref) while all its entries show the same
// range. When an entry is cut, or a part of one is shown elsewhere, every slot
// gets a count of its own (am_ppref, a word per slot): how many entries show it.
// A slot whose count falls to 0 loses its anon at once, so unmapping a part
// frees that part, and extending an entry later cannot show what was there.
// References with AMAP_REFALL count for all slots, whatever the entry shows.
import { malloc, free } from "../kernel/kern_malloc";
import { tsleep } from "../kernel/kern_synch";
import { PR_NOWAIT, PR_WAITOK, Pool, pool_get, pool_init, pool_put } from "../kernel/subr_pool";
import { M_UVMAMAP, M_WAITOK } from "../kernel/sys/malloc";
import { PAGE_SHIFT, PVM } from "../kernel/sys/param";
import { poolpage_alloc_nointr, poolpage_free_nointr } from "./uvm_km_page";
import { pmap_page_protect } from "../kernel/i386/pmap";
import { panic } from "../kernel/subr_prf";
import { VmAnon, uvm_analloc_page, uvm_anfree } from "./uvm_anon";
import { VM_PROT_NONE } from "./uvm_extern";
import { uvm_map_clip_end, uvm_map_clip_start } from "./uvm_map";
import { UVM_ET_NEEDSCOPY, VmMap, VmMapEntry } from "./uvm_map_h";
import { PG_BUSY, PG_FAKE, PG_WANTED, uvm_pageactivate, uvm_pagecopy } from "./uvm_page";
import { uvm_wait_anonymous } from "./uvm_pdaemon";

/** Flag of an amap, and of amap_ref: several maps share it. */
export const AMAP_SHARED: u32 = 1;
/** Flag of amap_ref and amap_unref: count for all slots. */
export const AMAP_REFALL: u32 = 2;
/** Flag of amap_ref: the entry shows a part of what others show; count by slots from now on. */
export const AMAP_PART: u32 = 4;
/** Slots that UVM_FLAG_AMAPPAD adds, and the alignment of chunks that amap_copy cuts. */
export const UVM_AMAP_CHUNK: u32 = 16;
/** Entries of at least this many pages are cut before they get an amap. */
export const UVM_AMAP_LARGE: u32 = 256;

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
  if (amap.am_ppref != 0) free(amap.am_ppref, M_UVMAMAP);
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
  const slot = slot_of(entry, offset);
  if (load<usize>(amap_of(entry).am_anon + (slot << 2)) == 0) panic(cs("amap_unadd: nothing there"));
  empty_slot(amap_of(entry), slot);
}

/** Takes a slot out of use. */
function empty_slot(amap: VmAmap, slot: u32): void {
  store<usize>(amap.am_anon + (slot << 2), 0);
  amap.am_nused--;
  const place = load<u32>(amap.am_bckptr + (slot << 2));
  if (place == amap.am_nused) return;
  const last = load<u32>(amap.am_slots + (amap.am_nused << 2));
  store<u32>(amap.am_slots + (place << 2), last);
  store<u32>(amap.am_bckptr + (last << 2), place);
}

/** Gives every slot a count of its own, am_ref for now. => all entries so far show the same slots */
function pp_establish(amap: VmAmap): void {
  if (amap.am_ppref != 0) return;
  const ppref = malloc(amap.am_maxslot << 2, M_UVMAMAP, M_WAITOK);
  for (let slot: u32 = 0; slot < amap.am_maxslot; slot++) store<i32>(ppref + (slot << 2), amap.am_ref);
  amap.am_ppref = ppref;
}

/** Adds `count` (1 or -1) to the slots [first, first + slots); those that nobody shows any more lose their anons. */
function pp_adjust(amap: VmAmap, first: u32, slots: u32, count: i32): void {
  for (let slot = first; slot < first + slots && slot < amap.am_nslot; slot++) {
    const place = amap.am_ppref + (slot << 2);
    const refs = load<i32>(place) + count;
    if (refs < 0) panic(cs("amap: slot %u of %p has no references"), slot, changetype<usize>(amap));
    store<i32>(place, refs);
    if (refs == 0) forget_anon(amap, slot);
  }
}

/** Drops the anon of a slot, if there is one. */
function forget_anon(amap: VmAmap, slot: u32): void {
  const anon = changetype<VmAnon>(load<usize>(amap.am_anon + (slot << 2)));
  if (changetype<usize>(anon) == 0) return;
  empty_slot(amap, slot);
  anon.an_ref--;
  if (anon.an_ref == 0) uvm_anfree(anon);
}

function entry_slots(entry: VmMapEntry): u32 {
  return (entry.end - entry.start) >> PAGE_SHIFT;
}

/**
 * One more entry shows the amap. `flags`: AMAP_SHARED when it belongs to another
 * map; when it shows a part only, AMAP_REFALL (it shall count for all slots) or AMAP_PART.
 */
export function amap_ref(entry: VmMapEntry, flags: u32): void {
  const amap = amap_of(entry);
  if ((flags & AMAP_PART) != 0) pp_establish(amap);
  amap.am_ref++;
  amap.am_flags |= flags & AMAP_SHARED;
  if (amap.am_ppref == 0) return;
  if ((flags & AMAP_REFALL) != 0) pp_adjust(amap, 0, amap.am_nslot, 1);
  else pp_adjust(amap, entry.ar_pageoff, entry_slots(entry), 1);
}

/** An entry stops showing its amap, as it was counted (AMAP_REFALL or 0); the last one frees it and its anons. */
export function amap_unref_flags(entry: VmMapEntry, flags: u32): void {
  const amap = amap_of(entry);
  if (amap.am_ref == 1) {
    amap_wipeout(amap);
    return;
  }
  amap.am_ref--;
  if (amap.am_ref == 1) amap.am_flags &= ~AMAP_SHARED;
  if (amap.am_ppref == 0) return;
  if ((flags & AMAP_REFALL) != 0) pp_adjust(amap, 0, amap.am_nslot, -1);
  else pp_adjust(amap, entry.ar_pageoff, entry_slots(entry), -1);
}

export function amap_unref(entry: VmMapEntry): void {
  amap_unref_flags(entry, 0);
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
  pp_establish(amap_of(below));
  amap_of(below).am_ref++;
  above.ar_amap = below.ar_amap;
  above.ar_pageoff = below.ar_pageoff + (offset >> PAGE_SHIFT);
}

/** Makes room for an entry that grows by `addsize` bytes. => nobody else shows the amap; may sleep for memory */
export function amap_extend(entry: VmMapEntry, addsize: usize): void {
  const amap = amap_of(entry);
  const had = entry.ar_pageoff + entry_slots(entry);
  const need = had + (addsize >> PAGE_SHIFT);
  if (need > amap.am_maxslot) {
    const old = amap.am_anon;
    const slots = amap.am_slots;
    const bckptr = amap.am_bckptr;
    const nslot = amap.am_nslot;
    const ppref = amap.am_ppref;
    alloc_arrays(amap, need + (need >> 1), M_WAITOK);
    memory.copy(amap.am_anon, old, nslot << 2);
    memory.copy(amap.am_slots, slots, amap.am_nused << 2);
    memory.copy(amap.am_bckptr, bckptr, nslot << 2);
    free(old, M_UVMAMAP);
    if (ppref != 0) {
      amap.am_ppref = malloc(amap.am_maxslot << 2, M_UVMAMAP, M_WAITOK);
      memory.copy(amap.am_ppref, ppref, nslot << 2);
      free(ppref, M_UVMAMAP);
    }
  }
  // The entry is the only one: the slots that it gains have its reference, whoever had them before.
  if (amap.am_ppref != 0) {
    for (let slot = had; slot < need; slot++) store<i32>(amap.am_ppref + (slot << 2), 1);
  }
  if (need > amap.am_nslot) amap.am_nslot = need;
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

/** Reduces all mappings of the pages that an entry's amap shows in it to `prot`, in every map. */
export function amap_protect_pages(entry: VmMapEntry, prot: u32): void {
  const slots = amap_of(entry).am_anon + (entry.ar_pageoff << 2);
  for (let slot: u32 = 0; slot < entry_slots(entry); slot++) {
    const anon = changetype<VmAnon>(load<usize>(slots + (slot << 2)));
    if (changetype<usize>(anon) == 0 || changetype<usize>(anon.an_page) == 0) continue;
    pmap_page_protect(anon.an_page, prot);
  }
}

/**
 * Resolves copy-on-write for all anons of an entry at once: each that somebody
 * else has, too, is replaced by a copy. For entries of which the other side is
 * wired and cannot be made to fault.
 * => the entry's amap is its own (amap_copy); may sleep; false when there is no memory
 */
export function amap_cow_now(entry: VmMapEntry): bool {
  const amap = amap_of(entry);
  let i: u32 = 0;
  while (i < amap.am_nused) {
    const slot = load<u32>(amap.am_slots + (i << 2));
    const anon = changetype<VmAnon>(load<usize>(amap.am_anon + (slot << 2)));
    i++;
    if (anon.an_ref == 1) continue;
    const pg = anon.an_page;
    if ((pg.flags & PG_BUSY) != 0) {
      pg.set_flags(PG_WANTED);
      tsleep(changetype<usize>(pg), PVM, cs("cownow"), 0);
      i = 0;
      continue;
    }
    const copy = uvm_analloc_page();
    if (changetype<usize>(copy) == 0) {
      if (uvm_wait_anonymous(cs("cownowpage")) != 0) return false;
      i = 0;
      continue;
    }
    uvm_pagecopy(pg, copy.an_page);
    anon.an_ref--;
    store<usize>(amap.am_anon + (slot << 2), changetype<usize>(copy));
    copy.an_page.clear_flags(PG_BUSY | PG_FAKE);
    uvm_pageactivate(copy.an_page);
  }
  return true;
}
