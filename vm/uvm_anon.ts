// Anons: single pages of anonymous memory.
//
// An anon is a page-sized piece of private memory: a count of the amaps that
// show it, and its page. Without swap the page is always there. All anons are
// made at boot, as many as there is memory for; running out of anons is running
// out of memory.
import { pmap_page_protect } from "../kernel/i386/pmap";
import { panic } from "../kernel/subr_prf";
import { VM_PROT_NONE } from "./uvm_extern";
import { kernel_map, uvm_km_alloc } from "./uvm_km";
import { UvmObject } from "./uvm_object";
import { PG_BUSY, PG_RELEASED, VmPage, uvm_pagealloc, uvm_pagefree } from "./uvm_page";
import { uvmexp } from "./uvm_stat";

@unmanaged
export class VmAnon {
  /** Amaps that show it. */
  an_ref: i32;
  /** Simple lock; of no use on one processor. */
  an_lock: u32;
  /** The page; while free, the next free anon. */
  an_page: VmPage;
  an_swslot: i32;
}

const SIZEOF_ANON: u32 = 16;

export const NULL_ANON = changetype<VmAnon>(0);

/** Head of the free anons. */
const afree = memory.data(4, 4);

/** Makes the anons: one for each free page, less a sixteenth. => kernel memory works */
export function uvm_anon_init(): void {
  const nanon = uvmexp.free - uvmexp.free / 16;
  let anon = uvm_km_alloc(kernel_map(), u32(nanon) * SIZEOF_ANON);
  if (anon == 0) panic(cs("uvm_anon_init: can not allocate %d anons"), nanon);
  for (let i = 0; i < nanon; i++) {
    store<usize>(anon + offsetof<VmAnon>("an_page"), load<usize>(afree));
    store<usize>(afree, anon);
    anon += SIZEOF_ANON;
  }
  uvmexp.nanon = nanon;
  uvmexp.nfreeanon = nanon;
}

/** An anon with one reference and no page yet. => NULL when there are none left */
export function uvm_analloc(): VmAnon {
  const anon = changetype<VmAnon>(load<usize>(afree));
  if (changetype<usize>(anon) == 0) return anon;
  store<usize>(afree, changetype<usize>(anon.an_page));
  uvmexp.nfreeanon--;
  anon.an_ref = 1;
  anon.an_lock = 0;
  anon.an_page = changetype<VmPage>(0);
  anon.an_swslot = 0;
  return anon;
}

/** An anon with a page, BUSY, contents undefined. => NULL when there is no memory */
export function uvm_analloc_page(): VmAnon {
  const anon = uvm_analloc();
  if (changetype<usize>(anon) == 0) {
    uvmexp.fltnoanon++;
    return anon;
  }
  const pg = uvm_pagealloc(changetype<UvmObject>(0), 0, changetype<usize>(anon), 0);
  if (changetype<usize>(pg) != 0) return anon;
  uvmexp.fltnoram++;
  uvm_anfree(anon);
  return NULL_ANON;
}

/** Frees an anon that nobody shows any more, and its page; a busy page is freed by who has it. */
export function uvm_anfree(anon: VmAnon): void {
  const pg = anon.an_page;
  if (changetype<usize>(pg) != 0) {
    pmap_page_protect(pg, VM_PROT_NONE);
    if ((pg.flags & PG_BUSY) != 0) {
      // Who has the page frees the anon, too.
      pg.set_flags(PG_RELEASED);
      return;
    }
    uvm_pagefree(pg);
  }
  uvm_anon_put(anon);
}

/** Puts an anon without a page on the free list. */
export function uvm_anon_put(anon: VmAnon): void {
  anon.an_page = changetype<VmPage>(load<usize>(afree));
  store<usize>(afree, changetype<usize>(anon));
  uvmexp.nfreeanon++;
}

/** Frees the RELEASED page of an anon and the anon. => the page was unbusied by the caller */
export function uvm_anon_releasepg(anon: VmAnon): void {
  const pg = anon.an_page;
  pmap_page_protect(pg, VM_PROT_NONE);
  uvm_pagefree(pg);
  uvm_anon_put(anon);
}
