// The ways of MFS I/O side by side: the same requests on a file system of each
// way, one after the other, in one run.
//
// For each way: mount; write a file and sync, so that the file system is not
// empty; then requests of 8 KB to its device, first once over the whole area so
// that every page exists, then the measured ones: block after block in an order
// that no read-ahead could guess, each block read and written back. The area is
// 1 MB, 16 windows of 64 KB: `window=32` always hits, `window=4` mostly misses.
//
// What the guest can count it prints. What only the processor knows (cycles, TLB
// misses) is seen from outside, by the entries of ways_begin, ways_end,
// device_transfer, mfs_strategy and biodone; nothing here is done for it.
//
// Boot arguments: ways=LIST of rows (default: all), requests=N.

import { B_INVAL, B_READ } from "../../fs/buf";
import { mfs_stats } from "../../fs/mfs/mfsnode";
import { brelse, geteblk } from "../../fs/vfs_bio";
import { vrele } from "../../fs/vfs_subr";
import { Vnode } from "../../fs/vnode";
import { kernel_map, uvm_km_free, uvm_km_zalloc } from "../../vm/uvm_km";
import { uvmexp } from "../../vm/uvm_stat";
import { frame_alloc } from "../i386/cpufunc";
import { free, malloc } from "../kern_malloc";
import { bzero, memcpy, strlen, strncmp } from "../libkern";
import { bootarg, bootarg_u32 } from "../subr_bootargs";
import { printf } from "../subr_prf";
import { EINVAL, EIO } from "../sys/errno";
import { M_TEMP, M_WAITOK } from "../sys/malloc";
import { DEV_BSHIFT } from "../sys/param";
import { device_of, device_transfer } from "./device";
import { mount_mfs_way, unmount_mfs } from "./mount_mfs";
import { sync_main } from "./sync";
import { close_file, exit_program, open_file, run_program, write_file } from "./unistd";

const REQUEST: u32 = 8192;
/** The blocks that are read and written: AREA bytes from AREA_START on. */
const AREA_START: u32 = 0x100000;
const AREA_BLOCKS: u32 = 128;
/** Steps from one block to the next, prime to AREA_BLOCKS. */
const STRIDE: u32 = 37;
const FILE_BYTES: u32 = 0x180000;
const NROWS: u32 = 7;

@unmanaged class Stream {
  checksum: u32;
  first: u32;
  /** Counters when the measured requests began. */
  requests: u32;
  switches: i32;
  faults: i32;
  entries: i32;
  /** Free pages before the mount. */
  free: i32;
  name: usize;
}

/** The row's name: the way, and how many windows. */
function row_name(row: u32): usize {
  if (row == 0) return cs("process");
  if (row == 1) return cs("uvm_io");
  if (row == 2) return cs("aobj");
  if (row == 3) return cs("window=4");
  if (row == 4) return cs("window=32");
  return row == 5 ? cs("direct") : cs("bound");
}

function row_way(row: u32): usize {
  return row == 3 || row == 4 ? cs("window") : row_name(row);
}

function row_windows(row: u32): u32 {
  return row == 3 ? 4 : row == 4 ? 32 : 0;
}

/** The measured requests of the row `name` begin. */
function ways_begin(name: usize): void {}

/** They have ended. */
function ways_end(): void {}

/** A copy of `len` bytes between two mapped buffers, and nothing else: what no way can be faster than. */
function bare_copy(to: usize, from: usize, len: u32): void {
  memcpy(to, from, len);
}

/** Adds up the words of a request. */
function sum_of(data: usize): u32 {
  let sum: u32 = 0;
  for (let at: u32 = 0; at < REQUEST; at += 4) sum = (sum << 1 | sum >> 31) + load<u32>(data + at);
  return sum;
}

/** Reads `count` blocks and writes each back; the sum of what was read goes to `sump`. */
function transfer_blocks(vp: Vnode, count: u32, sump: usize): i32 {
  const bp = geteblk(REQUEST);
  const old_vp = bp.b_vp;
  let sum: u32 = 0;
  let error: i32 = 0;
  for (let i: u32 = 0; i < count && error == 0; i++) {
    const block = i * STRIDE % AREA_BLOCKS;
    const sector = i32(AREA_START + block * REQUEST >> DEV_BSHIFT);
    error = device_transfer(bp, vp, sector, REQUEST, B_READ);
    if (i < AREA_BLOCKS) sum += sum_of(bp.b_data) * (block + 1);
    if (error == 0) error = device_transfer(bp, vp, sector, REQUEST, 0);
  }
  bp.b_vp = old_vp;
  bp.b_flags |= B_INVAL;
  brelse(bp);
  store<u32>(sump, sum);
  return error;
}

/** The process that makes the requests. */
function stream_main(arg: usize): void {
  const s = changetype<Stream>(arg);
  const vpp = frame_alloc(4);
  let error = device_of(cs("/mnt"), vpp);
  if (error != 0) exit_program(error);
  const vp = changetype<Vnode>(load<usize>(vpp));
  error = transfer_blocks(vp, AREA_BLOCKS, arg + offsetof<Stream>("first"));
  const held = s.free - uvmexp.free;
  s.requests = mfs_stats.strategy;
  s.switches = uvmexp.swtch;
  s.faults = uvmexp.faults;
  s.entries = uvmexp.mapent_allocs;
  ways_begin(s.name);
  const count = bootarg_u32(cs("requests"), 256) / 2;
  if (error == 0) error = transfer_blocks(vp, count, arg + offsetof<Stream>("checksum"));
  ways_end();
  if (error == 0 && count >= AREA_BLOCKS && s.checksum != s.first) error = EIO;
  printf(cs("ways: %s requests %u switches %d faults %d entries %d pages %d\n"), s.name,
    mfs_stats.strategy - s.requests, uvmexp.swtch - s.switches, uvmexp.faults - s.faults,
    uvmexp.mapent_allocs - s.entries, held);
  vrele(vp);
  exit_program(error);
}

/** The process that writes the file. */
function write_main(arg: usize): void {
  const vpp = frame_alloc(4);
  const buf = malloc(REQUEST, M_TEMP, M_WAITOK);
  let error = open_file(cs("/mnt/data"), true, 0o644, vpp);
  if (error == 0) {
    const vp = changetype<Vnode>(load<usize>(vpp));
    for (let offset: u32 = 0; offset < FILE_BYTES && error == 0; offset += REQUEST) {
      for (let at: u32 = 0; at < REQUEST; at += 4) store<u32>(buf + at, (offset + at) * 2654435761);
      error = write_file(vp, buf, REQUEST, u64(offset));
    }
    close_file(vp, true);
  }
  free(buf, M_TEMP);
  exit_program(error);
}

/** One way from mount to unmount. */
function measure(s: Stream, row: u32): i32 {
  s.name = row_name(row);
  s.free = uvmexp.free;
  let error = mount_mfs_way(cs("/mnt"), row_way(row), row_windows(row));
  if (error != 0) return error;
  error = run_program(cs("cp"), write_main.index, 0);
  run_program(cs("sync"), sync_main.index, 0);
  if (error == 0) error = run_program(cs("dd"), stream_main.index, changetype<usize>(s));
  const unmounted = unmount_mfs(cs("/mnt"));
  return error != 0 ? error : unmounted;
}

/** The bound: the same number of bare copies, half of them each way, over as much memory. */
function measure_bound(): void {
  const area = uvm_km_zalloc(kernel_map(), AREA_BLOCKS * REQUEST);
  const buf = uvm_km_zalloc(kernel_map(), REQUEST);
  const count = bootarg_u32(cs("requests"), 256) / 2;
  ways_begin(cs("bound"));
  for (let i: u32 = 0; i < count; i++) {
    const block = area + i * STRIDE % AREA_BLOCKS * REQUEST;
    bare_copy(buf, block, REQUEST);
    bare_copy(block, buf, REQUEST);
  }
  ways_end();
  uvm_km_free(kernel_map(), area, AREA_BLOCKS * REQUEST);
  uvm_km_free(kernel_map(), buf, REQUEST);
  printf(cs("ways: bound requests %u switches 0 faults 0 entries 0 pages 0\n"), count * 2);
}

/** Is the row named in the boot argument `ways`? */
function wanted(name: usize): bool {
  const length = strlen(name);
  let at = bootarg(cs("ways"));
  if (at == 0) return true;
  while (load<u8>(at) != 0) {
    const after: u32 = strncmp(at, name, length) == 0 ? load<u8>(at + length) : 1;
    if (after == 0 || after == 0x2c) return true;
    while (load<u8>(at) != 0 && load<u8>(at) != 0x2c) at++;
    if (load<u8>(at) == 0x2c) at++;
  }
  return false;
}

/** init of the workload `mfs-ways`. Returns 0 or an errno. */
export function mfs_ways(): i32 {
  const s = changetype<Stream>(malloc(offsetof<Stream>(), M_TEMP, M_WAITOK));
  bzero(changetype<usize>(s), offsetof<Stream>());
  let error: i32 = 0;
  let done: u32 = 0;
  for (let row: u32 = 0; row < NROWS && error == 0; row++) {
    if (!wanted(row_name(row))) continue;
    done++;
    if (row == NROWS - 1) measure_bound();
    else error = measure(s, row);
  }
  free(changetype<usize>(s), M_TEMP);
  if (error != 0 || done != 0) return error;
  printf(cs("mfs-ways: no such row (ways=%s); there are"), bootarg(cs("ways")));
  for (let row: u32 = 0; row < NROWS; row++) printf(cs(" %s"), row_name(row));
  printf(cs("\n"));
  return EINVAL;
}
