// The ways to do MFS I/O by number, as mount(2) takes them, and by name, as
// people do; and the repairs of a way that has mistakes. The kernel and
// mount_mfs(8) share this file.

import { strlen, strncmp } from "../../kernel/libkern";

// Ways; the first is what 0 in mount's arguments means.
export const MFS_AOBJ: u32 = 0;
export const MFS_BURGE: u32 = 1;
export const MFS_WINDOW: u32 = 2;
export const MFS_DIRECT: u32 = 3;
export const MFS_PROCESS: u32 = 4;
export const MFS_UVM_IO: u32 = 5;
export const MFS_NWAYS: u32 = 6;

// Repairs, bits. `end`: give uvm_unmap an end; `ref`: take the reference that uvm_map takes over; `unwire`: undo the
// wiring; `offset`: mind where in its first page a request begins.
export const MFS_REPAIR_END: u32 = 1;
export const MFS_REPAIR_REF: u32 = 2;
export const MFS_REPAIR_UNWIRE: u32 = 4;
export const MFS_REPAIR_OFFSET: u32 = 8;
export const MFS_NREPAIRS: u32 = 4;

/** Most windows of the way `window`: each is an entry of kernel_map, of which there are a thousand. */
export const MFS_MAX_WINDOWS: u32 = 512;

/** Name of way number `way`, which is below MFS_NWAYS. */
export function mfs_way_name(way: u32): usize {
  if (way == MFS_AOBJ) return cs("aobj");
  if (way == MFS_BURGE) return cs("burge");
  if (way == MFS_WINDOW) return cs("window");
  if (way == MFS_DIRECT) return cs("direct");
  return way == MFS_PROCESS ? cs("process") : cs("uvm_io");
}

/** Does the memory stay with the process that mounts, so that mount(2) returns only at the unmount? */
export function mfs_way_served(way: u32): bool {
  return way == MFS_PROCESS || way == MFS_UVM_IO;
}

/** The repairs that the way has a use for. */
export function mfs_way_repairs(way: u32): u32 {
  return way == MFS_BURGE ? (1 << MFS_NREPAIRS) - 1 : 0;
}

/** Name of repair bit number `n`, which is below MFS_NREPAIRS. */
export function mfs_repair_name(n: u32): usize {
  if (n == 0) return cs("end");
  if (n == 1) return cs("ref");
  return n == 2 ? cs("unwire") : cs("offset");
}

/** Is `name` the `length` bytes at `text`? */
function is_name(name: usize, text: usize, length: u32): bool {
  return strlen(name) == length && strncmp(name, text, length) == 0;
}

/** The way whose name is the `length` bytes at `text`; -1 = there is none. */
export function mfs_way_named(text: usize, length: u32): i32 {
  for (let way: u32 = 0; way < MFS_NWAYS; way++) if (is_name(mfs_way_name(way), text, length)) return way;
  return -1;
}

/** The repairs in a list of names between commas or colons; -1 when one of them is none. */
export function mfs_repairs_named(text: usize): i32 {
  let repairs: u32 = 0;
  while (load<u8>(text) != 0) {
    let length: u32 = 0;
    while (load<u8>(text + length) != 0 && load<u8>(text + length) != 0x2c && load<u8>(text + length) != 0x3a) length++;
    let n: u32 = 0;
    while (n < MFS_NREPAIRS && !is_name(mfs_repair_name(n), text, length)) n++;
    if (n == MFS_NREPAIRS) return -1;
    repairs |= 1 << n;
    text += length;
    if (load<u8>(text) != 0) text++;
  }
  return repairs;
}
