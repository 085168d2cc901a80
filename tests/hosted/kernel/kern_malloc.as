// Hosted malloc: pages of kmem_map, one allocation each.
import { frame_alloc } from "./i386/cpufunc";
import { VM_MAP_INTRSAFE } from "../vm/uvm_map_h";
import { kernel_map, kmem_map, kmem_object, uvm_km_free, uvm_km_kmemalloc, uvm_km_suballoc } from "../vm/uvm_km";

const KMEM_SIZE: u32 = 0x400000;

export function kmeminit(): void {
  const min = frame_alloc(4);
  const max = frame_alloc(4);
  store<usize>(min, kernel_map().min_offset);
  uvm_km_suballoc(kernel_map(), min, max, KMEM_SIZE, VM_MAP_INTRSAFE, false, kmem_map());
}

export function malloc(size: u32, type: u32, flags: u32): usize {
  const addr = uvm_km_kmemalloc(kmem_map(), kmem_object(), size + 4, 0);
  store<u32>(addr, size);
  return addr + 4;
}

export function free(addr: usize, type: u32): void {
  uvm_km_free(kmem_map(), addr - 4, load<u32>(addr - 4) + 4);
}
