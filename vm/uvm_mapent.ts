// Allocation of map entries.
//
// Entries of kernel_map and of interrupt-safe maps come from a static list,
// because getting memory for an entry would itself need an entry in one of
// these maps. The list is finite: a kernel that maps and never unmaps comes to
// its end and dies. Entries of all other maps come from a pool.
import { bss } from "../kernel/i386/cpufunc";
import { splvm, splx } from "../kernel/i386/intr";
import { panic } from "../kernel/subr_prf";
import { PR_WAITOK, Pool, pool_get, pool_init, pool_put } from "../kernel/subr_pool";
import { M_VMMAPENT } from "../kernel/sys/malloc";
import { uvm } from "./uvm";
import { kernel_map } from "./uvm_km";
import { poolpage_alloc_nointr, poolpage_free_nointr } from "./uvm_km_page";
import { UVM_MAP_STATIC, VM_MAP_INTRSAFE, VmMap, VmMapEntry } from "./uvm_map_h";
import { uvmexp } from "./uvm_stat";

/** Entries in the static list: max(1000, 50 + 2 * NPROC), and NPROC is small. */
export const MAX_KMAPENT: u32 = 1000;

/** Size of an entry, rounded up to its alignment. */
export const SIZEOF_MAP_ENTRY: u32 = 72;

export const uvm_map_entry_pool = changetype<Pool>(memory.data(offsetof<Pool>(), 8));

function kernel_map_entries(): usize {
  return bss(72 * 1000, 8);
}

/** Puts the static entries on their free list. */
export function uvm_mapent_init(): void {
  const entries = kernel_map_entries();
  uvm.kentry_free = changetype<VmMapEntry>(0);
  for (let i: i32 = i32(MAX_KMAPENT) - 1; i >= 0; i--) {
    const entry = changetype<VmMapEntry>(entries + i * SIZEOF_MAP_ENTRY);
    entry.next = uvm.kentry_free;
    uvm.kentry_free = entry;
  }
}

/** Makes the pool for other maps' entries. => kernel_map works */
export function uvm_mapent_pool_init(): void {
  pool_init(uvm_map_entry_pool, SIZEOF_MAP_ENTRY, 0, 0, 0, cs("vmmpepl"), 0,
    poolpage_alloc_nointr.index, poolpage_free_nointr.index, M_VMMAPENT);
}

/** Does the map take its entries from the static list? */
function uses_static_entries(map: VmMap): bool {
  return (map.flags & VM_MAP_INTRSAFE) != 0 || map == kernel_map();
}

function static_entry_get(): VmMapEntry {
  const s = splvm();
  const entry = uvm.kentry_free;
  if (changetype<usize>(entry) == 0) panic(cs("mapent_alloc: out of static map entries, check MAX_KMAPENT"));
  uvm.kentry_free = entry.next;
  uvmexp.mapent_static++;
  if (uvmexp.mapent_static > uvmexp.mapent_static_max) uvmexp.mapent_static_max = uvmexp.mapent_static;
  splx(s);
  entry.flags = UVM_MAP_STATIC;
  return entry;
}

/** An entry for `map`, all fields but `flags` undefined. => may sleep for maps that use the pool */
export function uvm_mapent_alloc(map: VmMap): VmMapEntry {
  uvmexp.mapent_allocs++;
  if (uses_static_entries(map)) return static_entry_get();
  const entry = changetype<VmMapEntry>(pool_get(uvm_map_entry_pool, PR_WAITOK));
  entry.flags = 0;
  return entry;
}

export function uvm_mapent_free(entry: VmMapEntry): void {
  if ((entry.flags & UVM_MAP_STATIC) == 0) {
    pool_put(uvm_map_entry_pool, changetype<usize>(entry));
    return;
  }
  const s = splvm();
  entry.next = uvm.kentry_free;
  uvm.kentry_free = entry;
  uvmexp.mapent_static--;
  splx(s);
}

/** Entries of all maps together. */
export function map_entries_in_use(): u32 {
  return uvm_map_entry_pool.pr_nout + u32(uvmexp.mapent_static);
}

/** Copies everything but the links and the origin of the memory. */
export function uvm_mapent_copy(src: VmMapEntry, dst: VmMapEntry): void {
  const flags = dst.flags;
  memory.copy(changetype<usize>(dst), changetype<usize>(src), SIZEOF_MAP_ENTRY);
  dst.flags = flags;
}
