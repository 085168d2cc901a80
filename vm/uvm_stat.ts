// Counters of the virtual memory system: uvmexp, and the text of uvm_dump.
//
// uvmexp's fields stand in the order of sysctl vm.uvmexp. Further counters that
// the historic structure lacks follow at its end.
import { printf } from "../kernel/subr_prf";
import { kernel_object } from "./uvm_km";

@unmanaged
export class Uvmexp {
  pagesize: i32;
  pagemask: i32;
  pageshift: i32;
  npages: i32;
  free: i32;
  active: i32;
  inactive: i32;
  paging: i32;
  wired: i32;
  reserve_pagedaemon: i32;
  reserve_kernel: i32;
  freemin: i32;
  freetarg: i32;
  inactarg: i32;
  wiredmax: i32;
  nswapdev: i32;
  swpages: i32;
  swpguniq: i32;
  swpginuse: i32;
  swpgonly: i32;
  nswget: i32;
  nanon: i32;
  nanonneeded: i32;
  nfreeanon: i32;
  faults: i32;
  traps: i32;
  intrs: i32;
  swtch: i32;
  softs: i32;
  syscalls: i32;
  pageins: i32;
  swapins: i32;
  swapouts: i32;
  pgswapin: i32;
  pgswapout: i32;
  forks: i32;
  forks_ppwait: i32;
  forks_sharevm: i32;
  fltnoram: i32;
  fltnoanon: i32;
  fltpgwait: i32;
  fltpgrele: i32;
  fltrelck: i32;
  fltrelckok: i32;
  fltanget: i32;
  fltanretry: i32;
  fltamcopy: i32;
  fltnamap: i32;
  fltnomap: i32;
  fltlget: i32;
  fltget: i32;
  flt_anon: i32;
  flt_acow: i32;
  flt_obj: i32;
  flt_prcopy: i32;
  flt_przero: i32;
  pdwoke: i32;
  pdrevs: i32;
  pdswout: i32;
  pdfreed: i32;
  pdscans: i32;
  pdanscan: i32;
  pdobscan: i32;
  pdreact: i32;
  pdbusy: i32;
  pdpageouts: i32;
  pdpending: i32;
  pddeact: i32;
  kmem_object: usize;
  mb_object: usize;

  // Beyond the historic structure.
  /** Faults made by uvm_fault_wire. */
  fltwire: i32;
  /** Faults that failed, whatever the reason. */
  fltfail: i32;
  /** Neighbours skipped because they were mapped already. */
  fltmapped: i32;
  /** uvm_map: calls that succeeded, merged backwards, could have merged forwards. */
  map_calls: i32;
  map_backmerge: i32;
  map_forwmerge: i32;
  /** uvm_map_lookup_entry: calls, and how many the hint answered. */
  map_lookups: i32;
  map_hinthits: i32;
  /** Static map entries in use, and the most there ever were. */
  mapent_static: i32;
  mapent_static_max: i32;
  /** Pages of files that could not be written for want of space. */
  pgnospace: i32;
  /** Processes asleep in uvm_wait. */
  waiters: i32;
  /** Map entries allocated since the start, of both kinds. */
  mapent_allocs: i32;
  /** Resident pages of vnodes and other objects whose pager keeps them elsewhere; and how many pages, of theirs or free, anonymous memory leaves them. */
  filepages: i32;
  filemin: i32;
}

export const uvmexp = changetype<Uvmexp>(memory.data(offsetof<Uvmexp>(), 4));

/** uvm_dump's way to printf: all ten words given. */
function dump_printf(fmt: usize, a0: u32, a1: u32, a2: u32, a3: u32, a4: u32, a5: u32, a6: u32, a7: u32, a8: u32,
  a9: u32): void {
  printf(fmt, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9);
}

/** Prints the state of the virtual memory system on the console. DDB: `call uvm_dump`. */
export function uvm_dump(): void {
  uvmexp_print(dump_printf.index);
}

function line4(pr: u32, fmt: usize, a0: u32, a1: u32, a2: u32, a3: u32): void {
  call_indirect<void>(pr, fmt, a0, a1, a2, a3, 0 as u32, 0 as u32, 0 as u32, 0 as u32, 0 as u32, 0 as u32);
}

function line5(pr: u32, fmt: usize, a0: u32, a1: u32, a2: u32, a3: u32, a4: u32): void {
  call_indirect<void>(pr, fmt, a0, a1, a2, a3, a4, 0 as u32, 0 as u32, 0 as u32, 0 as u32, 0 as u32);
}

/** The same through `pr`, a function as in uvm_ddb.ts. */
export function uvmexp_print(pr: u32): void {
  const u = uvmexp;
  line4(pr, cs("Current UVM status:\n"), 0, 0, 0, 0);
  line4(pr, cs("  pagesize=%d (0x%x), pagemask=0x%x, pageshift=%d\n"), u.pagesize, u.pagesize, u.pagemask,
    u.pageshift);
  line5(pr, cs("  %d VM pages: %d active, %d inactive, %d wired, %d free\n"), u.npages, u.active, u.inactive, u.wired,
    u.free);
  line4(pr, cs("  freemin=%d, free-target=%d, inactive-target=%d, wired-max=%d\n"), u.freemin, u.freetarg, u.inactarg,
    u.wiredmax);
  line4(pr, cs("  faults=%d, traps=%d, intrs=%d, ctxswitch=%d\n"), u.faults, u.traps, u.intrs, u.swtch);
  line4(pr, cs("  softint=%d, syscalls=%d, swapins=%d, swapouts=%d\n"), u.softs, u.syscalls, u.swapins, u.swapouts);
  faults_print(pr);
  daemon_print(pr);
  line4(pr, cs("  kernel pointers:\n"), 0, 0, 0, 0);
  line4(pr, cs("    objs(kern/kmem/mb)=%p/%p/%p\n"), changetype<usize>(kernel_object()), u.kmem_object, u.mb_object, 0);
}

function faults_print(pr: u32): void {
  const u = uvmexp;
  line4(pr, cs("  fault counts:\n"), 0, 0, 0, 0);
  line4(pr, cs("    noram=%d, noanon=%d, pgwait=%d, pgrele=%d\n"), u.fltnoram, u.fltnoanon, u.fltpgwait, u.fltpgrele);
  line5(pr, cs("    ok relocks(total)=%d(%d), anget(retrys)=%d(%d), amapcopy=%d\n"), u.fltrelckok, u.fltrelck,
    u.fltanget, u.fltanretry, u.fltamcopy);
  line4(pr, cs("    neighbor anon/obj pg=%d/%d, gets(lock/unlock)=%d/%d\n"), u.fltnamap, u.fltnomap, u.fltlget,
    u.fltget);
  line5(pr, cs("    cases: anon=%d, anoncow=%d, obj=%d, prcopy=%d, przero=%d\n"), u.flt_anon, u.flt_acow, u.flt_obj,
    u.flt_prcopy, u.flt_przero);
}

function daemon_print(pr: u32): void {
  const u = uvmexp;
  line4(pr, cs("  daemon and swap counts:\n"), 0, 0, 0, 0);
  line4(pr, cs("    woke=%d, revs=%d, scans=%d, swout=%d\n"), u.pdwoke, u.pdrevs, u.pdscans, u.pdswout);
  line4(pr, cs("    busy=%d, freed=%d, reactivate=%d, deactivate=%d\n"), u.pdbusy, u.pdfreed, u.pdreact, u.pddeact);
  line4(pr, cs("    pageouts=%d, pending=%d, nswget=%d\n"), u.pdpageouts, u.pdpending, u.nswget, 0);
  line4(pr, cs("    nswapdev=%d, nanon=%d, nanonneeded=%d nfreeanon=%d\n"), u.nswapdev, u.nanon, u.nanonneeded,
    u.nfreeanon);
  line4(pr, cs("    swpages=%d, swpginuse=%d, swpgonly=%d paging=%d\n"), u.swpages, u.swpginuse, u.swpgonly, u.paging);
}
