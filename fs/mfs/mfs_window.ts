// The way `window`: a cache of recently mapped pages, as the mail planned for the
// longer term ("to hopefully result in fewer calls to uvm_map/uvm_fault_wire").
//
// The object is divided into chunks of 64 KB. Up to N chunks (mfs.window=N) are
// mapped into kernel_map at a time, each by a window; `slots` finds the window of
// a chunk in one step. A request whose chunk is mapped only copies. Otherwise the
// window used longest ago is unmapped and takes the new chunk.
//
//   object   | chunk 0 | chunk 1 | chunk 2 | chunk 3 | ...
//   slots    [    0    ,   w 1   ,    0    ,   w 0   , ... ]
//
// Windows are not wired: aobj pages are never taken away, and wiring would fill
// every hole of the chunk. A page that is not there yet comes by a page fault in
// the copy; kcopy turns one that cannot be served into an error. The advice is
// RANDOM, or the fault would make neighbours that nobody asked for.
//
// A window in use (w_busy) is not taken away: a copy may sleep for memory.

import { frame_alloc } from "../../kernel/i386/cpufunc";
import { kcopy } from "../../kernel/i386/support";
import { free, malloc } from "../../kernel/kern_malloc";
import { tsleep, wakeup } from "../../kernel/kern_synch";
import { bzero } from "../../kernel/libkern";
import { EINVAL, EIO, ENOMEM } from "../../kernel/sys/errno";
import { M_MFSNODE, M_WAITOK } from "../../kernel/sys/malloc";
import { DEV_BSHIFT, PRIBIO, round_page } from "../../kernel/sys/param";
import { uao_detach, uao_reference } from "../../vm/uvm_aobj";
import {
  KERN_SUCCESS, UVM_ADV_RANDOM, UVM_FLAG_NOMERGE, UVM_INH_NONE, UVM_MAPFLAG, UVM_PROT_RW, VM_PROT_ALL,
} from "../../vm/uvm_extern";
import { kernel_map } from "../../vm/uvm_km";
import { uvm_map, uvm_unmap, vm_map_min } from "../../vm/uvm_map";
import { B_READ, Buf } from "../buf";
import { MFS_MAX_WINDOWS } from "./mfs_names";
import { MfsArgs, Mfsnode, Mfsway, mfs_inrange, mfs_iodone } from "./mfsnode";

const WINDOW_SHIFT: u32 = 16;
const WINDOW_SIZE: u32 = 0x10000;
const DEFAULT_WINDOWS: u32 = 16;

@unmanaged
class Window {
  /** Where it is mapped; 0 = not. */
  w_va: usize;
  w_chunk: u32;
  /** When it was used last. */
  w_stamp: u32;
  /** Copies under way. */
  w_busy: u32;
}

@unmanaged
class Windows {
  count: u32;
  stamp: u32;
  /** Somebody waits for a window that is not busy. */
  wanted: u32;
  /** By chunk: the address of its Window, or 0. */
  slots: usize;
  hits: u32;
  misses: u32;
}

function window_at(ws: Windows, i: u32): Window {
  return changetype<Window>(changetype<usize>(ws) + offsetof<Windows>() + i * offsetof<Window>());
}

/** The window used longest ago; waits while all are busy. */
function oldest_window(ws: Windows): Window {
  for (; ;) {
    let oldest = changetype<Window>(0);
    for (let i: u32 = 0; i < ws.count; i++) {
      const w = window_at(ws, i);
      if (w.w_busy == 0 && (changetype<usize>(oldest) == 0 || w.w_stamp < oldest.w_stamp)) oldest = w;
    }
    if (changetype<usize>(oldest) != 0) return oldest;
    ws.wanted = 1;
    tsleep(changetype<usize>(ws), PRIBIO, cs("mfswin"), 0);
  }
  return changetype<Window>(0);
}

/** Takes the window off its chunk. */
function close_window(ws: Windows, w: Window): void {
  if (w.w_va == 0) return;
  const va = w.w_va;
  // While uvm_map slept another window may have taken the same chunk.
  const slot = ws.slots + w.w_chunk * 4;
  if (load<usize>(slot) == changetype<usize>(w)) store<usize>(slot, 0);
  w.w_va = 0;
  uvm_unmap(kernel_map(), va, va + WINDOW_SIZE);
}

/** Maps a chunk; NULL when there is no room in kernel_map. */
function open_window(mfsp: Mfsnode, ws: Windows, chunk: u32): Window {
  const vap = frame_alloc(4);
  const w = oldest_window(ws);
  // Nobody else takes it while uvm_map sleeps.
  w.w_busy++;
  close_window(ws, w);
  store<usize>(vap, vm_map_min(kernel_map()));
  const uobj = mfsp.mfs_data;
  uao_reference(uobj);
  const flags = UVM_MAPFLAG(UVM_PROT_RW, VM_PROT_ALL, UVM_INH_NONE, UVM_ADV_RANDOM, UVM_FLAG_NOMERGE);
  const rv = uvm_map(kernel_map(), vap, WINDOW_SIZE, uobj, u64(chunk) << u64(WINDOW_SHIFT), flags);
  w.w_busy--;
  if (rv != KERN_SUCCESS) {
    uao_detach(uobj);
    return changetype<Window>(0);
  }
  w.w_va = load<usize>(vap);
  w.w_chunk = chunk;
  store<usize>(ws.slots + chunk * 4, changetype<usize>(w));
  ws.misses++;
  return w;
}

/** Moves the bytes; 0 or an errno. */
function transfer(mfsp: Mfsnode, bp: Buf): i32 {
  const ws = changetype<Windows>(mfsp.mfs_private);
  const reading = (bp.b_flags & B_READ) != 0;
  let offset = u32(bp.b_blkno) << DEV_BSHIFT;
  let data = bp.b_data;
  let left = bp.b_bcount;
  while (left != 0) {
    const chunk = offset >> WINDOW_SHIFT;
    const skip = offset & (WINDOW_SIZE - 1);
    const len = left < WINDOW_SIZE - skip ? left : WINDOW_SIZE - skip;
    let w = changetype<Window>(load<usize>(ws.slots + chunk * 4));
    if (changetype<usize>(w) != 0) ws.hits++;
    else w = open_window(mfsp, ws, chunk);
    if (changetype<usize>(w) == 0) return ENOMEM;
    w.w_stamp = ++ws.stamp;
    w.w_busy++;
    const error = reading ? kcopy(w.w_va + skip, data, len) : kcopy(data, w.w_va + skip, len);
    w.w_busy--;
    if (ws.wanted != 0) {
      ws.wanted = 0;
      wakeup(changetype<usize>(ws));
    }
    if (error != 0) return ENOMEM;
    offset += len;
    data += len;
    left -= len;
  }
  return 0;
}

function mfs_window_io(mfsp: Mfsnode, bp: Buf): void {
  mfs_iodone(bp, mfs_inrange(mfsp, bp) ? transfer(mfsp, bp) : EIO);
}

function mfs_window_attach(mfsp: Mfsnode, args: MfsArgs): i32 {
  const count = args.window != 0 ? args.window : DEFAULT_WINDOWS;
  if (count > MFS_MAX_WINDOWS) return EINVAL;
  const size = offsetof<Windows>() + count * offsetof<Window>();
  const slots = ((round_page(mfsp.mfs_size) >> WINDOW_SHIFT) + 1) * 4;
  const ws = changetype<Windows>(malloc(size, M_MFSNODE, M_WAITOK));
  bzero(changetype<usize>(ws), size);
  ws.count = count;
  ws.slots = malloc(slots, M_MFSNODE, M_WAITOK);
  bzero(ws.slots, slots);
  mfsp.mfs_private = changetype<usize>(ws);
  return 0;
}

function mfs_window_detach(mfsp: Mfsnode): void {
  const ws = changetype<Windows>(mfsp.mfs_private);
  if (changetype<usize>(ws) == 0) return;
  for (let i: u32 = 0; i < ws.count; i++) close_window(ws, window_at(ws, i));
  free(ws.slots, M_MFSNODE);
  free(changetype<usize>(ws), M_MFSNODE);
  mfsp.mfs_private = 0;
}

/** Fills in the functions of the way. */
export function mfs_window_init(way: Mfsway): void {
  way.set_io(mfs_window_io);
  way.set_attach(mfs_window_attach);
  way.set_detach(mfs_window_detach);
}
