// Printing UVM's structures for DDB: show map, show object, show page.
//
// `pr` is the code address of a function like printf with ten words of
// arguments, all given: (fmt, a0 .. a9). These routines take no locks, so that
// they work whatever state the kernel died in.
import { printf } from "../kernel/subr_prf";
import { TAILQ_FIRST, TAILQ_NEXT } from "../kernel/sys/queue";
import { uvm } from "./uvm";
import { VmMap, VmMapEntry } from "./uvm_map_h";
import { UVM_OBJ_IS_KERN_OBJECT, UvmObject } from "./uvm_object";
import { PG_TABLED, PQ_ACTIVE, PQ_FREE, PQ_INACTIVE, PQ_SWAPBACKED, VmPage, vm_physmem, vm_physseg_find } from
  "./uvm_page";

/** Makes calls of `pr` readable. */
class Printer {
  @inline static words(pr: u32, fmt: usize, a0: u32, a1: u32, a2: u32, a3: u32, a4: u32): void {
    call_indirect<void>(pr, fmt, a0, a1, a2, a3, a4, 0 as u32, 0 as u32, 0 as u32, 0 as u32, 0 as u32);
  }
}

function hi(x: u64): u32 {
  return u32(x >> 32);
}

function true_or_false(condition: bool): u32 {
  return condition ? 0x54 : 0x46;
}

/** show map: the map, and with `full` its entries. */
export function uvm_map_printit(map: VmMap, full: bool, pr: u32): void {
  Printer.words(pr, cs("MAP %p: [0x%lx->0x%lx]\n"), changetype<usize>(map), map.min_offset, map.max_offset, 0, 0);
  Printer.words(pr, cs("\t#ent=%d, sz=%d, ref=%d, version=%d, flags=0x%x\n"), map.nentries, map.size, map.ref_count,
    map.timestamp, map.flags);
  Printer.words(pr, cs("\tpmap=%p(resident=%d)\n"), changetype<usize>(map.pmap), map.pmap.pm_resident, 0, 0, 0);
  if (!full) return;
  let entry = map.header.next;
  while (entry != map.header) {
    entry_printit(entry, pr);
    entry = entry.next;
  }
}

function entry_printit(entry: VmMapEntry, pr: u32): void {
  const offset = entry.offset;
  call_indirect<void>(pr, cs(" - %p: 0x%lx->0x%lx: obj=%p/0x%llx, amap=%p/%d\n"), changetype<usize>(entry),
    entry.start, entry.end, entry.object, u32(offset), hi(offset), entry.ar_amap, entry.ar_pageoff, 0 as u32,
    0 as u32);
  call_indirect<void>(pr, cs("\tsubmap=%c, cow=%c, nc=%c, prot(max)=%d/%d, inh=%d, wc=%d, adv=%d\n"),
    true_or_false(entry.issubmap), true_or_false(entry.iscopyonwrite), true_or_false(entry.isneedscopy),
    entry.protection, entry.max_protection, entry.inheritance, entry.wired_count, entry.advice, 0 as u32, 0 as u32);
}

/** show object: the object, and with `full` its pages. */
export function uvm_object_printit(uobj: UvmObject, full: bool, pr: u32): void {
  Printer.words(pr, cs("OBJECT %p: pgops=%p, npages=%d, "), changetype<usize>(uobj), changetype<usize>(uobj.pgops),
    uobj.uo_npages, 0, 0);
  if (UVM_OBJ_IS_KERN_OBJECT(uobj)) Printer.words(pr, cs("refs=<SYSTEM>\n"), 0, 0, 0, 0, 0);
  else Printer.words(pr, cs("refs=%d\n"), uobj.uo_refs, 0, 0, 0, 0);
  if (!full) return;
  Printer.words(pr, cs("  PAGES <pg,offset>:\n  "), 0, 0, 0, 0, 0);
  let count = 0;
  let pg = changetype<VmPage>(TAILQ_FIRST(uobj.memq));
  while (changetype<usize>(pg) != 0) {
    Printer.words(pr, cs("<%p,0x%llx> "), changetype<usize>(pg), u32(pg.offset), hi(pg.offset), 0, 0);
    count++;
    if (count % 3 == 0) Printer.words(pr, cs("\n  "), 0, 0, 0, 0, 0);
    pg = changetype<VmPage>(pg.listq_next);
  }
  if (count % 3 != 0) Printer.words(pr, cs("\n"), 0, 0, 0, 0, 0);
}

/** show page: the page, and with `full` whether it is on the lists it should be on. */
export function uvm_page_printit(pg: VmPage, full: bool, pr: u32): void {
  Printer.words(pr, cs("PAGE %p:\n"), changetype<usize>(pg), 0, 0, 0, 0);
  Printer.words(pr, cs("  flags=0x%x, pqflags=0x%x, vers=%d, wire_count=%d, pa=0x%lx\n"), pg.flags, pg.pqflags,
    pg.version, pg.wire_count, pg.phys_addr);
  Printer.words(pr, cs("  uobject=%p, uanon=%p, offset=0x%llx "), changetype<usize>(pg.uobject), pg.uanon,
    u32(pg.offset), hi(pg.offset), 0);
  Printer.words(pr, cs("loan_count=%d\n"), pg.loan_count, 0, 0, 0, 0);
  Printer.words(pr, cs("  [page ownership tracking disabled]\n"), 0, 0, 0, 0, 0);
  if (!full) return;
  if ((pg.pqflags & PQ_FREE) == 0 && (pg.flags & PG_TABLED) != 0) object_list_check(pg, pr);
  page_queue_check(pg, pr);
}

/** Is `elm` on the TAILQ at `head`, linked at `field`? */
function on_queue(head: usize, elm: usize, field: usize): bool {
  let at = TAILQ_FIRST(head);
  while (at != 0 && at != elm) at = TAILQ_NEXT(at, field);
  return at != 0;
}

function object_list_check(pg: VmPage, pr: u32): void {
  Printer.words(pr, cs("  checking object list\n"), 0, 0, 0, 0, 0);
  if (on_queue(pg.uobject.memq, changetype<usize>(pg), offsetof<VmPage>("listq_next"))) {
    Printer.words(pr, cs("  page found on object list\n"), 0, 0, 0, 0, 0);
  } else {
    Printer.words(pr, cs("  >>> PAGE NOT FOUND ON OBJECT LIST! <<<\n"), 0, 0, 0, 0, 0);
  }
}

/** The queue that the page's flags claim it is on; 0 for none. */
function claimed_queue(pg: VmPage): usize {
  if ((pg.pqflags & PQ_FREE) != 0) {
    const i = vm_physseg_find(pg.phys_addr >> 12);
    return i < 0 ? 0 : uvm.page_free(vm_physmem(u32(i)).free_list);
  }
  if ((pg.pqflags & PQ_ACTIVE) != 0) return uvm.page_active;
  if ((pg.pqflags & PQ_INACTIVE) == 0) return 0;
  return (pg.pqflags & PQ_SWAPBACKED) != 0 ? uvm.page_inactive_swp : uvm.page_inactive_obj;
}

function page_queue_check(pg: VmPage, pr: u32): void {
  const queue = claimed_queue(pg);
  if (queue == 0) return;
  Printer.words(pr, cs("  checking pageq list\n"), 0, 0, 0, 0, 0);
  if (on_queue(queue, changetype<usize>(pg), offsetof<VmPage>("pageq_next"))) {
    Printer.words(pr, cs("  page found on pageq list\n"), 0, 0, 0, 0, 0);
  } else {
    Printer.words(pr, cs("  >>> PAGE NOT FOUND ON PAGEQ LIST! <<<\n"), 0, 0, 0, 0, 0);
  }
}

/** printf as a `pr`. */
function printf_words(fmt: usize, a0: u32, a1: u32, a2: u32, a3: u32, a4: u32, a5: u32, a6: u32, a7: u32, a8: u32,
  a9: u32): void {
  printf(fmt, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9);
}

/** The three above on the console; for DDB's `call` and for programs. */
export function uvm_map_print(map: VmMap, full: bool): void {
  uvm_map_printit(map, full, printf_words.index);
}

export function uvm_object_print(uobj: UvmObject, full: bool): void {
  uvm_object_printit(uobj, full, printf_words.index);
}

export function uvm_page_print(pg: VmPage, full: bool): void {
  uvm_page_printit(pg, full, printf_words.index);
}
