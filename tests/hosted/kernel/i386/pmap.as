// Hosted pmap: translations live in JavaScript (tests/lib/hosted_pmap.ts).
import { VmPage } from "../../vm/uvm_page";
import { UvmObject } from "../../vm/uvm_object";

@unmanaged
export class Pmap extends UvmObject {
  pm_resident: i32;
  pm_wired: i32;
}

export const PMAP_WIRED: u32 = 0x10;
export const PMAP_CANFAIL: u32 = 0x20;

export declare function pmap_kernel(): Pmap;
export declare function pmap_init(): void;
export declare function pmap_create(): Pmap;
export declare function pmap_reference(pmap: Pmap): void;
export declare function pmap_destroy(pmap: Pmap): void;
export declare function pmap_growkernel(maxva: usize): usize;
export declare function pmap_virtual_space(startp: usize, endp: usize): void;
export declare function pmap_enter(pmap: Pmap, va: usize, pa: usize, prot: u32, flags: u32): i32;
export declare function pmap_kenter_pa(va: usize, pa: usize, prot: u32): void;
export declare function pmap_kremove(va: usize, size: usize): void;
export declare function pmap_remove(pmap: Pmap, sva: usize, eva: usize): void;
export declare function pmap_protect(pmap: Pmap, sva: usize, eva: usize, prot: u32): void;
export declare function pmap_unwire(pmap: Pmap, va: usize): void;
export declare function pmap_extract(pmap: Pmap, va: usize, pap: usize): bool;
export declare function pmap_page_protect(pg: VmPage, prot: u32): void;
export declare function pmap_is_modified(pg: VmPage): bool;
export declare function pmap_is_referenced(pg: VmPage): bool;
export declare function pmap_clear_modify(pg: VmPage): bool;
export declare function pmap_clear_reference(pg: VmPage): bool;
export declare function pmap_zero_page(pa: usize): void;
export declare function pmap_copy_page(src: usize, dst: usize): void;
