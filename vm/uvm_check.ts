// The laws of virtual memory, checked in a running kernel: uvm_check, asked by
// sysctl debug.check and by DDB's `show uvmcheck`.
//
//   pages     each is free, active, inactive, wired or loose, in one state; the
//             counters of uvmexp are the numbers of pages in each; a page with an
//             object is found by its object and offset, and counted there
//   maps      entries are sorted, disjoint, not empty, inside the map, page
//             aligned; nentries and size are their number and length
//   amaps     am_ref is the number of entries that show it; each used slot is
//             listed once
//   anons     an_ref is the number of slots that hold it; used + free = all
//   objects   an entry shows an object that exists; the number of entries that show
//             it is uo_refs for vnodes and devices, at most that for aobjs (their
//             creators hold references, too)
//
// Counting uses the lock words of amaps, anons and objects, which nothing else
// uses on one processor; they are 0 before and after. Nothing is locked and
// nothing sleeps. An entry whose object is none is only reported, not followed.
import { allproc_first, proc_next } from "../kernel/kern_proc";
import { PAGE_MASK } from "../kernel/sys/param";
import { Proc } from "../kernel/sys/proc";
import { printf } from "../kernel/subr_prf";
import { VmAmap } from "./uvm_amap";
import { VmAnon } from "./uvm_anon";
import { aobj_pager } from "./uvm_aobj";
import { uvm_deviceops } from "./uvm_device";
import { kernel_map, km_pager } from "./uvm_km";
import { VmMap, VmMapEntry } from "./uvm_map_h";
import { PagerOps, UVM_OBJ_IS_KERN_OBJECT, UvmObject } from "./uvm_object";
import {
  PG_TABLED, PQ_ACTIVE, PQ_FREE, PQ_INACTIVE, SIZEOF_VM_PAGE, VmPage, uvm_pagelookup, vm_nphysseg, vm_physmem,
} from "./uvm_page";
import { uvmexp } from "./uvm_stat";
import { uvm_vnodeops } from "./uvm_vnode";

@unmanaged
class Check {
  /** printf of ten words; 0 = be silent. */
  pr: u32;
  violations: u32;
  free: i32;
  active: i32;
  inactive: i32;
  wired: i32;
  anons: i32;
}

const check = changetype<Check>(memory.data(offsetof<Check>(), 4));

// What a walk over all entries does with each.
const COUNT: u32 = 0;
const COMPARE: u32 = 1;

/** Reports a violation: a text with two words. */
function wrong(fmt: usize, a0: u32, a1: u32): void {
  check.violations++;
  if (check.pr == 0) return;
  call_indirect<void>(check.pr, fmt, a0, a1, 0 as u32, 0 as u32, 0 as u32, 0 as u32, 0 as u32, 0 as u32, 0 as u32,
    0 as u32);
}

function check_page(pg: VmPage): void {
  const wired = pg.wire_count != 0 && (pg.pqflags & (PQ_FREE | PQ_ACTIVE | PQ_INACTIVE)) == 0;
  let states = 0;
  if ((pg.pqflags & PQ_FREE) != 0) {
    states++;
    check.free++;
  }
  if ((pg.pqflags & PQ_ACTIVE) != 0) {
    states++;
    check.active++;
  }
  if ((pg.pqflags & PQ_INACTIVE) != 0) {
    states++;
    check.inactive++;
  }
  // Pages of page tables count their entries in wire_count; those pages belong to pmaps.
  if (wired && !is_page_table(pg)) check.wired++;
  if (states > 1) wrong(cs("uvm_check: page %p is in %d states\n"), changetype<usize>(pg), states);
  if ((pg.flags & PG_TABLED) == 0) return;
  if (uvm_pagelookup(pg.uobject, pg.offset) != pg) {
    wrong(cs("uvm_check: page %p is not found by its object %p\n"), changetype<usize>(pg),
      changetype<usize>(pg.uobject));
  }
}

/** Does the page belong to a pmap? Their objects have no operations. */
function is_page_table(pg: VmPage): bool {
  return (pg.flags & PG_TABLED) != 0 && changetype<usize>(pg.uobject.pgops) == 0;
}

function compare_count(name: usize, counted: i32, counter: i32): void {
  if (counted == counter) return;
  check.violations++;
  if (check.pr == 0) return;
  call_indirect<void>(check.pr, cs("uvm_check: uvmexp.%s is %d, but %d pages are\n"), name, counter, counted,
    0 as u32, 0 as u32, 0 as u32, 0 as u32, 0 as u32, 0 as u32, 0 as u32);
}

function check_pages(): void {
  for (let i: u32 = 0; i < vm_nphysseg(); i++) {
    const seg = vm_physmem(i);
    for (let frame = seg.avail_start; frame < seg.avail_end; frame++) {
      check_page(changetype<VmPage>(seg.pgs + (frame - seg.start) * SIZEOF_VM_PAGE));
    }
  }
  compare_count(cs("free"), check.free, uvmexp.free);
  compare_count(cs("active"), check.active, uvmexp.active);
  compare_count(cs("inactive"), check.inactive, uvmexp.inactive);
  compare_count(cs("wired"), check.wired, uvmexp.wired);
}

/** Is this the table of a pager that exists? */
function is_pager(ops: PagerOps): bool {
  return ops == aobj_pager || ops == uvm_vnodeops || ops == uvm_deviceops || ops == km_pager;
}

function count_object(entry: VmMapEntry): void {
  const uobj = entry.uvm_obj;
  if (!is_pager(uobj.pgops)) {
    // A pager that only this kernel's tests have is one, too: all of its words are code.
    if (uobj.pgops.get < 0xc0100000 && uobj.pgops.fault < 0xc0100000) {
      wrong(cs("uvm_check: entry %p shows %p, which is no object\n"), changetype<usize>(entry), entry.object);
    }
    return;
  }
  if (UVM_OBJ_IS_KERN_OBJECT(uobj)) return;
  uobj.vmobjlock++;
}

function compare_object(entry: VmMapEntry): void {
  const uobj = entry.uvm_obj;
  if (!is_pager(uobj.pgops) || UVM_OBJ_IS_KERN_OBJECT(uobj) || uobj.vmobjlock == 0) return;
  const shown = i32(uobj.vmobjlock);
  uobj.vmobjlock = 0;
  const exact = uobj.pgops != aobj_pager;
  if (shown > uobj.uo_refs || (exact && shown != uobj.uo_refs)) {
    wrong(cs("uvm_check: object %p has %d references too many or too few\n"), changetype<usize>(uobj),
      uobj.uo_refs - shown);
  }
  let pages = 0;
  let pg = changetype<VmPage>(uobj.memq_first);
  while (changetype<usize>(pg) != 0) {
    pages++;
    pg = changetype<VmPage>(pg.listq_next);
  }
  if (pages != uobj.uo_npages) {
    wrong(cs("uvm_check: object %p has %d pages more than it counts\n"), changetype<usize>(uobj),
      pages - uobj.uo_npages);
  }
}

function anon_at(amap: VmAmap, i: u32): VmAnon {
  const slot = load<u32>(amap.am_slots + (i << 2));
  return changetype<VmAnon>(load<usize>(amap.am_anon + (slot << 2)));
}

function count_amap(amap: VmAmap): void {
  amap.am_l++;
  if (amap.am_l > 1) return;
  for (let i: u32 = 0; i < amap.am_nused; i++) {
    const slot = load<u32>(amap.am_slots + (i << 2));
    const anon = anon_at(amap, i);
    if (slot >= amap.am_nslot || load<u32>(amap.am_bckptr + (slot << 2)) != i || changetype<usize>(anon) == 0) {
      wrong(cs("uvm_check: amap %p: slot %d is not as it is listed\n"), changetype<usize>(amap), slot);
      continue;
    }
    if (anon.an_lock == 0) check.anons++;
    anon.an_lock++;
  }
}

function compare_amap(amap: VmAmap): void {
  if (amap.am_l == 0) return;
  if (i32(amap.am_l) != amap.am_ref) {
    wrong(cs("uvm_check: amap %p: %d more references than entries\n"), changetype<usize>(amap),
      amap.am_ref - i32(amap.am_l));
  }
  amap.am_l = 0;
  for (let i: u32 = 0; i < amap.am_nused; i++) {
    const anon = anon_at(amap, i);
    if (changetype<usize>(anon) == 0 || anon.an_lock == 0) continue;
    if (i32(anon.an_lock) != anon.an_ref) {
      wrong(cs("uvm_check: anon %p: %d more references than slots\n"), changetype<usize>(anon),
        anon.an_ref - i32(anon.an_lock));
    }
    anon.an_lock = 0;
  }
}

/** The laws of one map, while counting. */
function check_map(map: VmMap, pass: u32): void {
  let nentries = 0;
  let size: usize = 0;
  let at = map.min_offset;
  let entry = map.header.next;
  while (entry != map.header) {
    nentries++;
    size += entry.end - entry.start;
    if (pass == COUNT) {
      if (entry.start < at || entry.end <= entry.start || entry.end > map.max_offset) {
        wrong(cs("uvm_check: map %p: entry %p is out of order\n"), changetype<usize>(map), changetype<usize>(entry));
      }
      if (((entry.start | entry.end) & PAGE_MASK) != 0) {
        wrong(cs("uvm_check: map %p: entry %p is not page aligned\n"), changetype<usize>(map),
          changetype<usize>(entry));
      }
    }
    if (entry.issubmap) {
      check_map(entry.sub_map, pass);
    } else if (entry.isobj) {
      if (pass == COUNT) count_object(entry);
      else compare_object(entry);
    }
    if (entry.ar_amap != 0) {
      if (pass == COUNT) count_amap(changetype<VmAmap>(entry.ar_amap));
      else compare_amap(changetype<VmAmap>(entry.ar_amap));
    }
    at = entry.end;
    entry = entry.next;
  }
  if (pass != COUNT) return;
  if (nentries != map.nentries) {
    wrong(cs("uvm_check: map %p has %d entries more than it counts\n"), changetype<usize>(map),
      nentries - map.nentries);
  }
  if (size != map.size) {
    wrong(cs("uvm_check: map %p has %d bytes more than it counts\n"), changetype<usize>(map), size - map.size);
  }
}

/** Does a process before `p` have the same address space? */
function seen_before(p: Proc): bool {
  let other = allproc_first();
  while (other != p) {
    if (other.p_vmspace == p.p_vmspace) return true;
    other = proc_next(other);
  }
  return false;
}

function check_maps(pass: u32): void {
  check_map(kernel_map(), pass);
  let p = allproc_first();
  while (changetype<usize>(p) != 0) {
    if (changetype<usize>(p.p_vmspace) != 0 && !seen_before(p)) check_map(p.p_vmspace.vm_map, pass);
    p = proc_next(p);
  }
}

/**
 * Checks the laws above and tells violations through `pr`, a function as in
 * uvm_ddb.ts (0: silently). => their number; does not sleep
 */
export function uvm_check(pr: u32): u32 {
  memory.fill(changetype<usize>(check), 0, offsetof<Check>());
  check.pr = pr;
  check_pages();
  check_maps(COUNT);
  check_maps(COMPARE);
  if (check.anons + uvmexp.nfreeanon != uvmexp.nanon) {
    wrong(cs("uvm_check: %d anons are lost (of %d)\n"), uvmexp.nanon - uvmexp.nfreeanon - check.anons, uvmexp.nanon);
  }
  return check.violations;
}

/** printf as a `pr`. */
function printf_words(fmt: usize, a0: u32, a1: u32, a2: u32, a3: u32, a4: u32, a5: u32, a6: u32, a7: u32, a8: u32,
  a9: u32): void {
  printf(fmt, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9);
}

/** uvm_check on the console. */
export function uvm_check_print(): u32 {
  return uvm_check(printf_words.index);
}
