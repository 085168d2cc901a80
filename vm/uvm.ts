// The private state of UVM that several of its files share: queues of pages,
// the page hash, the pagedaemon's process. NetBSD's `struct uvm`.
import { Proc } from "../kernel/sys/proc";
import { VmMap, VmMapEntry } from "./uvm_map_h";

@unmanaged
export class Uvm {
  // TAILQ heads, two words each: free pages by free list, then the paging queues.
  page_free0_first: usize;
  page_free0_last: usize;
  page_free1_first: usize;
  page_free1_last: usize;
  page_active_first: usize;
  page_active_last: usize;
  page_inactive_swp_first: usize;
  page_inactive_swp_last: usize;
  page_inactive_obj_first: usize;
  page_inactive_obj_last: usize;
  /** Array of TAILQ heads; the number of buckets less one. */
  page_hash: usize;
  page_hashmask: u32;
  page_init_done: bool;
  /** The pagedaemon, or NULL before it runs. */
  pagedaemon_proc: Proc;
  /** Where the pagedaemon sleeps. */
  pagedaemon_wchan: u32;
  /** Free static map entries, linked by `next`. */
  kentry_free: VmMapEntry;
  /** Interrupt-safe maps, linked by `vmi_next`. */
  intrsafe_maps: VmMap;
  /** End of the kernel addresses that have page tables. */
  maxkaddr: usize;
  /** Bounds of the addresses that uvm_pageboot_alloc hands out. */
  boot_va: usize;
  boot_va_end: usize;

  /** Address of the TAILQ head of a free list. */
  @inline page_free(list: u32): usize {
    return changetype<usize>(this) + list * 8;
  }

  @inline get page_active(): usize {
    return changetype<usize>(this) + offsetof<Uvm>("page_active_first");
  }

  @inline get page_inactive_swp(): usize {
    return changetype<usize>(this) + offsetof<Uvm>("page_inactive_swp_first");
  }

  @inline get page_inactive_obj(): usize {
    return changetype<usize>(this) + offsetof<Uvm>("page_inactive_obj_first");
  }
}

export const uvm = changetype<Uvm>(memory.data(offsetof<Uvm>(), 4));
