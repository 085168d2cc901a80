// Constants of UVM's interface: protections, the packed flags of uvm_map,
// results of maps and pagers, advice. Values are those of NetBSD's <uvm/uvm_extern.h>
// and <vm/vm_*.h>; user programs and DDB see some of them.

// Protections.
export const VM_PROT_NONE: u32 = 0;
export const VM_PROT_READ: u32 = 1;
export const VM_PROT_WRITE: u32 = 2;
export const VM_PROT_EXECUTE: u32 = 4;
export const VM_PROT_DEFAULT: u32 = 7;
export const VM_PROT_ALL: u32 = 7;

// The same, as uvm_map's callers name them.
export const UVM_PROT_NONE: u32 = 0;
export const UVM_PROT_R: u32 = 1;
export const UVM_PROT_W: u32 = 2;
export const UVM_PROT_RW: u32 = 3;
export const UVM_PROT_X: u32 = 4;
export const UVM_PROT_RX: u32 = 5;
export const UVM_PROT_RWX: u32 = 7;
export const UVM_PROT_ALL: u32 = 7;

// Inheritance as stored in an entry, and as packed into uvm_map's flags.
export const VM_INHERIT_SHARE: u32 = 0;
export const VM_INHERIT_COPY: u32 = 1;
export const VM_INHERIT_NONE: u32 = 2;
export const UVM_INH_SHARE: u32 = 0x00;
export const UVM_INH_COPY: u32 = 0x10;
export const UVM_INH_NONE: u32 = 0x20;
export const UVM_INH_DONATE: u32 = 0x30;

// Advice about future accesses.
export const UVM_ADV_NORMAL: u32 = 0;
export const UVM_ADV_RANDOM: u32 = 1;
export const UVM_ADV_SEQUENTIAL: u32 = 2;

// Flags of uvm_map beside protection, inheritance and advice.
export const UVM_FLAG_FIXED: u32 = 0x010000;
export const UVM_FLAG_OVERLAY: u32 = 0x020000;
export const UVM_FLAG_NOMERGE: u32 = 0x040000;
export const UVM_FLAG_COPYONW: u32 = 0x080000;
export const UVM_FLAG_AMAPPAD: u32 = 0x100000;
export const UVM_FLAG_TRYLOCK: u32 = 0x200000;

/** Offset that uvm_map works out: none (no object), or the place of the address in kernel_map (kernel objects). */
export const UVM_UNKNOWN_OFFSET: u64 = 0xffffffffffffffff;

/** Packs uvm_map's flags: protection 0-2, inheritance 4-5, maximum protection 8-10, advice 12-14, UVM_FLAG_* above. */
export function UVM_MAPFLAG(prot: u32, maxprot: u32, inh: u32, advice: u32, flags: u32): u32 {
  return (maxprot << 8) | prot | inh | (advice << 12) | flags;
}

// Results of map operations and of uvm_fault.
export const KERN_SUCCESS: i32 = 0;
export const KERN_INVALID_ADDRESS: i32 = 1;
export const KERN_PROTECTION_FAILURE: i32 = 2;
export const KERN_NO_SPACE: i32 = 3;
export const KERN_INVALID_ARGUMENT: i32 = 4;
export const KERN_FAILURE: i32 = 5;
export const KERN_RESOURCE_SHORTAGE: i32 = 6;
export const KERN_NOT_RECEIVER: i32 = 7;
export const KERN_NO_ACCESS: i32 = 8;
export const KERN_PAGES_LOCKED: i32 = 9;

// Fault types. trap() passes INVALID for every hardware fault.
export const VM_FAULT_INVALID: u32 = 0;
export const VM_FAULT_PROTECT: u32 = 1;
export const VM_FAULT_WIRE: u32 = 2;

// Results of pager operations. VM_PAGER_FAIL: there is no memory and no prospect of any.
export const VM_PAGER_OK: i32 = 0;
export const VM_PAGER_BAD: i32 = 1;
export const VM_PAGER_FAIL: i32 = 2;
export const VM_PAGER_PEND: i32 = 3;
export const VM_PAGER_ERROR: i32 = 4;
export const VM_PAGER_AGAIN: i32 = 5;
export const VM_PAGER_UNLOCK: i32 = 6;
export const VM_PAGER_REFAULT: i32 = 7;

// Flags of pager operations.
export const PGO_CLEANIT: u32 = 0x001;
export const PGO_SYNCIO: u32 = 0x002;
export const PGO_DEACTIVATE: u32 = 0x004;
export const PGO_FREE: u32 = 0x008;
export const PGO_ALLPAGES: u32 = 0x010;
export const PGO_DOACTCLUST: u32 = 0x020;
export const PGO_LOCKED: u32 = 0x040;
export const PGO_PDFREECLUST: u32 = 0x080;
export const PGO_REALLOCSWAP: u32 = 0x100;

/** In a page array: the caller does not want this page. */
export const PGO_DONTCARE: usize = 0xffffffff;

// uvm_pagealloc.
export const UVM_PGA_USERESERVE: u32 = 1;

// uvm_km_kmemalloc.
export const UVM_KMF_NOWAIT: u32 = 1;
export const UVM_KMF_VALLOC: u32 = 2;
export const UVM_KMF_TRYLOCK: u32 = 0x200000;

// uvm_map_pageable: the map is locked on entry; leave it locked.
export const UVM_LK_ENTER: u32 = 1;
export const UVM_LK_EXIT: u32 = 2;

// Free lists of pages; lower numbers are taken first.
export const VM_NFREELIST: u32 = 2;
export const VM_FREELIST_DEFAULT: u32 = 0;
export const VM_FREELIST_FIRST16: u32 = 1;

/** The errno that a KERN_* result becomes at the system call interface. */
export function uvm_kern_to_errno(rv: i32): i32 {
  if (rv == KERN_SUCCESS) return 0;
  if (rv == KERN_INVALID_ADDRESS || rv == KERN_NO_SPACE || rv == KERN_RESOURCE_SHORTAGE) return 12; // ENOMEM
  if (rv == KERN_PROTECTION_FAILURE) return 13; // EACCES
  return 22; // EINVAL
}
