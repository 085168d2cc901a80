// Starting the virtual memory system, in the one order that works: each step
// uses only what stands above it.
//
//   pages        vm_pages, hash, free lists           from physload's segments
//   map entries  the static list
//   kernel maps  kernel_object, kernel_map            needs pages and entries
//   pmap         reverse mappings
//   malloc       kmem_map, needed by every pool
//   pools        entries of other maps, aobjs, amaps, vmspaces
//   anons        as many as there is memory for, so last
//
// The pagers' map is made when the first file is mapped (uvm_pager.ts).
import { frame_alloc } from "../kernel/i386/cpufunc";
import { pmap_init } from "../kernel/i386/pmap";
import { kmeminit } from "../kernel/kern_malloc";
import { amap_init } from "./uvm_amap";
import { uvm_anon_init } from "./uvm_anon";
import { uao_init, uao_ops_init } from "./uvm_aobj";
import { uvmspace_pool_init } from "./uvm_glue";
import { uvm_km_init } from "./uvm_km";
import { uvm_mapent_init, uvm_mapent_pool_init } from "./uvm_mapent";
import { uvm_page_init } from "./uvm_page";
import { uvmpd_tune } from "./uvm_pdaemon";

/** Starts UVM. => memory described by uvm_page_physload, pmap_bootstrap done, no interrupts yet */
export function uvm_init(): void {
  const startp = frame_alloc(4);
  const endp = frame_alloc(4);
  uvm_page_init(startp, endp);
  uvm_mapent_init();
  uao_ops_init();
  uvm_km_init(load<usize>(startp), load<usize>(endp));
  pmap_init();
  kmeminit();
  uvm_mapent_pool_init();
  uao_init();
  amap_init();
  uvmspace_pool_init();
  uvm_anon_init();
  uvmpd_tune();
}
