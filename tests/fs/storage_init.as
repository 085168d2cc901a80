// Takes the place of kernel/user/init.ts in the kernel of the storage test: process 1
// reads and writes the disk wd0 through the buffer cache, alone and with others.
// Each exercise prints a line; what it did to the disk the host looks at itself.
import { Buf } from "../../fs/buf";
import { FREAD, FWRITE } from "../../fs/fcntl";
import { bdevvp } from "../../fs/vfs_alias";
import { bawrite, bdwrite, bread, brelse, bwrite } from "../../fs/vfs_bio";
import { name_to_dev } from "../../fs/vfs_conf";
import { vinvalbuf } from "../../fs/vfs_vnbufs";
import { vn_close } from "../../fs/vfs_vnops";
import { NOCRED, V_SAVE, Vnode } from "../../fs/vnode";
import { VOP_OPEN } from "../../fs/vnode_if";
import { bdev_psize } from "../conf";
import { frame_alloc } from "../i386/cpufunc";
import { exit1, kwait } from "../kern_exit";
import { fork_kernel_proc } from "../kern_fork";
import { curproc } from "../kern_proc";
import { printf } from "../subr_prf";

const BLOCK: u32 = 8192;
const SECTORS: i32 = 16;
const COUNTS: i32 = 200;
/** The device's vnode: a word that the processes share. */
const shared: usize = memory.data(4, 4);

function device(): Vnode {
  return changetype<Vnode>(load<usize>(shared));
}

/** Sum of the blocks from `first` on, every `step`-th; prints blocks that cannot be read. */
function sum_blocks(first: i32, step: i32, blocks: i32): u32 {
  const bpp = frame_alloc(4);
  let sum: u32 = 0;
  for (let i = first; i >= 0 && i < blocks; i += step) {
    const error = bread(device(), i * SECTORS, BLOCK, NOCRED, bpp);
    const bp = changetype<Buf>(load<usize>(bpp));
    if (error != 0) printf(cs("block %d: error %d\n"), i, error);
    else for (let at: u32 = 0; at < BLOCK; at += 4) sum += load<u32>(bp.b_data + at) ^ u32(i);
    brelse(bp);
  }
  return sum;
}

/** Writes the number of the block into every block, in each of the three ways. */
function mark_blocks(blocks: i32): void {
  const bpp = frame_alloc(4);
  for (let i: i32 = 0; i < blocks; i++) {
    if (bread(device(), i * SECTORS, BLOCK, NOCRED, bpp) != 0) printf(cs("block %d: error\n"), i);
    const bp = changetype<Buf>(load<usize>(bpp));
    store<u32>(bp.b_data + 8, u32(i) * 3 + 1);
    if (i % 3 == 0) bdwrite(bp);
    else if (i % 3 == 1) bawrite(bp);
    else if (bwrite(bp) != 0) printf(cs("block %d: write error\n"), i);
  }
}

/** A process: adds one to a counter in each of the first blocks, COUNTS times all told. */
function count_main(arg: usize): void {
  const bpp = frame_alloc(4);
  for (let i: i32 = 0; i < COUNTS; i++) {
    bread(device(), (i % 7) * SECTORS, BLOCK, NOCRED, bpp);
    const bp = changetype<Buf>(load<usize>(bpp));
    store<u32>(bp.b_data + 12, load<u32>(bp.b_data + 12) + 1);
    if (u32(i) % 5 == u32(arg)) bwrite(bp);
    else if (i % 2 == 0) bawrite(bp);
    else bdwrite(bp);
  }
  exit1(curproc(), 0);
}

function count_together(processes: u32): void {
  const newp = frame_alloc(4);
  for (let n: u32 = 0; n < processes; n++) {
    if (fork_kernel_proc(curproc(), count_main.index, n, cs("counter"), newp) != 0) printf(cs("no process\n"));
  }
  for (let n: u32 = 0; n < processes; n++) kwait(curproc(), -1, newp);
}

export function init_program(): void {
  const dev = name_to_dev(cs("wd0a"));
  const p = curproc();
  if (bdevvp(dev, shared) != 0 || VOP_OPEN(device(), FREAD | FWRITE, NOCRED, p) != 0) {
    printf(cs("wd0a cannot be opened\n"));
    return;
  }
  const blocks = bdev_psize(dev) / SECTORS;
  printf(cs("blocks %d sum %u\n"), blocks, sum_blocks(0, 1, blocks));
  vinvalbuf(device(), V_SAVE, NOCRED, p, 0, 0);
  printf(cs("backwards sum %u\n"), sum_blocks(blocks - 1, -1, blocks));
  count_together(4);
  mark_blocks(blocks);
  vn_close(device(), FWRITE, NOCRED, p);
  printf(cs("written\n"));
}
