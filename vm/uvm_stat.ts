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
  /** Processes asleep in uvm_wait. */
  waiters: i32;
}

export const uvmexp = changetype<Uvmexp>(memory.data(offsetof<Uvmexp>(), 4));

/** Prints the state of the virtual memory system on the console. DDB: `call uvm_dump`. */
export function uvm_dump(): void {
  const u = uvmexp;
  printf(cs("Current UVM status:\n"));
  printf(cs("  pagesize=%d (0x%x), pagemask=0x%x, pageshift=%d\n"), u.pagesize, u.pagesize, u.pagemask, u.pageshift);
  printf(cs("  %d VM pages: %d active, %d inactive, %d wired, %d free\n"), u.npages, u.active, u.inactive, u.wired,
    u.free);
  printf(cs("  freemin=%d, free-target=%d, inactive-target=%d, wired-max=%d\n"), u.freemin, u.freetarg, u.inactarg,
    u.wiredmax);
  printf(cs("  faults=%d, traps=%d, intrs=%d, ctxswitch=%d\n"), u.faults, u.traps, u.intrs, u.swtch);
  printf(cs("  softint=%d, syscalls=%d, swapins=%d, swapouts=%d\n"), u.softs, u.syscalls, u.swapins, u.swapouts);
  uvm_dump_faults();
  uvm_dump_daemon();
  printf(cs("  kernel pointers:\n"));
  printf(cs("    objs(kern/kmem/mb)=%p/%p/%p\n"), changetype<usize>(kernel_object()), u.kmem_object, u.mb_object);
}

function uvm_dump_faults(): void {
  const u = uvmexp;
  printf(cs("  fault counts:\n"));
  printf(cs("    noram=%d, noanon=%d, pgwait=%d, pgrele=%d\n"), u.fltnoram, u.fltnoanon, u.fltpgwait, u.fltpgrele);
  printf(cs("    ok relocks(total)=%d(%d), anget(retrys)=%d(%d), amapcopy=%d\n"), u.fltrelckok, u.fltrelck, u.fltanget,
    u.fltanretry, u.fltamcopy);
  printf(cs("    neighbor anon/obj pg=%d/%d, gets(lock/unlock)=%d/%d\n"), u.fltnamap, u.fltnomap, u.fltlget, u.fltget);
  printf(cs("    cases: anon=%d, anoncow=%d, obj=%d, prcopy=%d, przero=%d\n"), u.flt_anon, u.flt_acow, u.flt_obj,
    u.flt_prcopy, u.flt_przero);
}

function uvm_dump_daemon(): void {
  const u = uvmexp;
  printf(cs("  daemon and swap counts:\n"));
  printf(cs("    woke=%d, revs=%d, scans=%d, swout=%d\n"), u.pdwoke, u.pdrevs, u.pdscans, u.pdswout);
  printf(cs("    busy=%d, freed=%d, reactivate=%d, deactivate=%d\n"), u.pdbusy, u.pdfreed, u.pdreact, u.pddeact);
  printf(cs("    pageouts=%d, pending=%d, nswget=%d\n"), u.pdpageouts, u.pdpending, u.nswget);
  printf(cs("    nswapdev=%d, nanon=%d, nanonneeded=%d nfreeanon=%d\n"), u.nswapdev, u.nanon, u.nanonneeded,
    u.nfreeanon);
  printf(cs("    swpages=%d, swpginuse=%d, swpgonly=%d paging=%d\n"), u.swpages, u.swpginuse, u.swpgonly, u.paging);
}
