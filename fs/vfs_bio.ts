// The buffer cache: reading and writing blocks of files and devices through
// buffers (buffercache(9)).
//
//   bread: getblk -> VOP_STRATEGY (b_flags B_READ) -> biowait;      brelse by the caller
//   bwrite (wait) bawrite (start) bdwrite (later): consume the buffer
//   driver: ... -> biodone (interrupt) -> biowait returns, or B_ASYNC: brelse
//
// Invariants, kept at splbio:
//   - a buffer is busy (B_BUSY, one owner) or on exactly one free queue; B_VFLUSH
//     marks the exception, a busy buffer still on its queue (vfs_vnbufs.ts).
//   - a buffer with b_vp is on the hash chain of (b_vp, b_lblkno); at most one
//     without B_INVAL per pair.
//   - B_DELWRI buffers hold the only copy of data: whoever takes one writes it first.
import { splbio, splx } from "../kernel/i386/intr";
import { curproc } from "../kernel/kern_proc";
import { tsleep, wakeup } from "../kernel/kern_synch";
import { bzero } from "../kernel/libkern";
import { panic } from "../kernel/subr_prf";
import { EINTR, EIO } from "../kernel/sys/errno";
import { MAXBSIZE, NODEV, PRIBIO, major } from "../kernel/sys/param";
import { Proc } from "../kernel/sys/proc";
import {
  LIST_FIRST, LIST_INSERT_HEAD, LIST_NEXT, LIST_REMOVE, TAILQ_FIRST, TAILQ_INSERT_HEAD, TAILQ_INSERT_TAIL,
  TAILQ_REMOVE,
} from "../kernel/sys/queue";
import { D_TAPE, bdev_type } from "../kernel/conf";
import {
  BQUEUES, BQ_AGE, BQ_EMPTY, BQ_LOCKED, BQ_LRU, B_AGE, B_ASYNC, B_BUSY, B_CALL, B_DELWRI, B_DONE, B_EINTR, B_ERROR,
  B_INVAL, B_LOCKED, B_NEEDCOMMIT, B_NOCACHE, B_ORDERED, B_READ, B_VFLUSH, B_WANTED, B_WRITEINPROG, Buf, bufstat,
} from "./buf";
import { MNT_ASYNC, Mount } from "./mount";
import { allocbuf, biomem, buffer } from "./vfs_bio_mem";
import { bgetvp, brelvp, reassignbuf, vn_write_failed, vwakeup } from "./vfs_vnbufs";
import { NOCRED, VBLK, Vnode } from "./vnode";
import { VOP_BWRITE, VOP_STRATEGY } from "./vnode_if";

export { allocbuf, bufinit } from "./vfs_bio_mem";
export { reassignbuf } from "./vfs_vnbufs";

const HASH: usize = offsetof<Buf>("b_hash_next");
const FREELIST: usize = offsetof<Buf>("b_freelist_next");

/** Heads of the free queues: BQUEUES pairs of words. */
const bufqueues: usize = memory.data(32);
/** Head of the hash chain of buffers that hold no block. */
const invalhash: usize = memory.data(4);

/** Head of queue BQ_LOCKED … BQ_EMPTY. */
export function bufqueue(queue: u32): usize {
  return bufqueues + queue * 8;
}

function bufhash(vp: Vnode, lbn: i32): usize {
  return biomem.hashtable + ((((changetype<usize>(vp) >> 8) + lbn) & biomem.hashmask) << 2);
}

function binshash(bp: Buf, head: usize): void {
  LIST_INSERT_HEAD(head, changetype<usize>(bp), HASH);
}

function bremhash(bp: Buf): void {
  LIST_REMOVE(changetype<usize>(bp), HASH);
}

/** Marks a buffer that getnewbuf returned as holding no block. */
export function binvalhash(bp: Buf): void {
  bp.b_flags |= B_INVAL;
  binshash(bp, invalhash);
}

/** Takes a buffer off its free queue. splbio. */
export function bremfree(bp: Buf): void {
  let head = bufqueues;
  if (bp.b_freelist_next == 0) {
    // The last one of its queue: the queue's head has to know.
    const link = changetype<usize>(bp) + FREELIST;
    const end = bufqueues + BQUEUES * 8;
    while (head < end && load<usize>(head + 4) != link) head += 8;
    if (head == end) panic(cs("bremfree: lost tail, bp %p"), changetype<usize>(bp));
  }
  TAILQ_REMOVE(head, changetype<usize>(bp), FREELIST);
}

/** A new, empty buffer for the cache (bufinit). */
export function bufinsert(bp: Buf): void {
  binvalhash(bp);
  bp.b_flags = B_INVAL;
  bp.b_dev = NODEV;
  TAILQ_INSERT_TAIL(bufqueue(bp.b_bufsize > 0 ? BQ_AGE : BQ_EMPTY), changetype<usize>(bp), FREELIST);
}

/** The cached buffer of block `lbn` of vp, busy or not; 0 when there is none. Does not sleep. */
export function incore(vp: Vnode, lbn: i32): Buf {
  let addr = LIST_FIRST(bufhash(vp, lbn));
  while (addr != 0) {
    const bp = changetype<Buf>(addr);
    if (bp.b_lblkno == lbn && bp.b_vp == vp && (bp.b_flags & B_INVAL) == 0) return bp;
    addr = LIST_NEXT(addr, HASH);
  }
  return changetype<Buf>(0);
}

/**
 * Takes a buffer that nobody needs: busy, without block, with whatever memory it has.
 * 0 when it had to sleep or to start a write: look again. splbio not needed.
 */
export function getnewbuf(slpflag: i32, slptimeo: i32): Buf {
  const s = splbio();
  let bp: Buf;
  while (true) {
    let addr = TAILQ_FIRST(bufqueue(BQ_AGE));
    if (addr == 0) addr = TAILQ_FIRST(bufqueue(BQ_LRU));
    if (addr == 0) {
      biomem.needbuffer = 1;
      tsleep(changetype<usize>(biomem), slpflag | (PRIBIO + 1), cs("getnewbuf"), slptimeo);
      splx(s);
      return changetype<Buf>(0);
    }
    bp = changetype<Buf>(addr);
    bremfree(bp);
    if ((bp.b_flags & B_VFLUSH) == 0) break;
    // Its owner is writing it and left it on its queue; brelse will put it back.
    bp.b_flags &= ~B_VFLUSH;
  }
  bp.b_flags |= B_BUSY;
  if ((bp.b_flags & B_DELWRI) != 0) {
    splx(s);
    bp.b_flags |= B_AGE;
    bawrite(bp);
    return changetype<Buf>(0);
  }
  if (changetype<usize>(bp.b_vp) != 0) brelvp(bp);
  splx(s);
  bp.b_flags = B_BUSY;
  bp.b_dev = NODEV;
  bp.b_blkno = 0;
  bp.b_lblkno = 0;
  bp.b_rawblkno = 0;
  bp.b_iodone = 0;
  bp.b_error = 0;
  bp.b_resid = 0;
  bp.b_bcount = 0;
  bp.b_rcred = NOCRED;
  bp.b_wcred = NOCRED;
  bp.b_dirtyoff = 0;
  bp.b_dirtyend = 0;
  bp.b_validoff = 0;
  bp.b_validend = 0;
  bremhash(bp);
  return bp;
}

/**
 * The buffer of block `lbn` of vp, busy, `size` bytes (b_bcount): B_DONE or B_DELWRI when its
 * contents are valid, else without contents. Sleeps for a busy one and for memory; 0 only when
 * `slpflag` has PCATCH or slptimeo is set and the sleep ended early.
 */
export function getblk(vp: Vnode, lbn: i32, size: u32, slpflag: i32, slptimeo: i32): Buf {
  let bp: Buf;
  while (true) {
    const s = splbio();
    bp = incore(vp, lbn);
    if (changetype<usize>(bp) != 0) {
      if ((bp.b_flags & B_BUSY) != 0) {
        bp.b_flags |= B_WANTED;
        const error = tsleep(changetype<usize>(bp), slpflag | (PRIBIO + 1), cs("getblk"), slptimeo);
        splx(s);
        if (error != 0) return changetype<Buf>(0);
        continue;
      }
      if ((bp.b_flags & (B_DONE | B_DELWRI)) != 0 && bp.b_bcount < size && vp.v_type != VBLK) {
        panic(cs("getblk: block size invariant failed"));
      }
      bp.b_flags |= B_BUSY;
      bremfree(bp);
      splx(s);
      break;
    }
    splx(s);
    bp = getnewbuf(slpflag, slptimeo);
    if (changetype<usize>(bp) == 0) continue;
    binshash(bp, bufhash(vp, lbn));
    bp.b_blkno = lbn;
    bp.b_lblkno = lbn;
    bp.b_rawblkno = lbn;
    const t = splbio();
    bgetvp(vp, bp);
    splx(t);
    break;
  }
  allocbuf(bp, size);
  return bp;
}

/** A busy buffer of `size` bytes that belongs to no vnode and goes back to nothing. Sleeps. */
export function geteblk(size: u32): Buf {
  let bp = getnewbuf(0, 0);
  while (changetype<usize>(bp) == 0) bp = getnewbuf(0, 0);
  binvalhash(bp);
  allocbuf(bp, size);
  return bp;
}

/** Finds or reads a block; with B_ASYNC in `asyncflag` only starts the read. */
function bio_doread(vp: Vnode, lbn: i32, size: u32, cred: usize, asyncflag: u32): Buf {
  const bp = getblk(vp, lbn, size, 0, 0);
  if (asyncflag == 0) bufstat.reads++;
  if ((bp.b_flags & (B_DONE | B_DELWRI)) == 0) {
    bp.b_flags |= B_READ | asyncflag;
    bp.b_rcred = cred;
    bufstat.readios++;
    bufstat.strategies++;
    VOP_STRATEGY(bp);
  } else if (asyncflag != 0) {
    brelse(bp);
  } else {
    bufstat.readhits++;
  }
  return bp;
}

/**
 * Reads block `lbn` of vp, `size` bytes: stores the busy buffer at `bpp`, also on error
 * (the caller releases it). Returns an errno. Sleeps.
 */
export function bread(vp: Vnode, lbn: i32, size: u32, cred: usize, bpp: usize): i32 {
  const bp = bio_doread(vp, lbn, size, cred, 0);
  store<usize>(bpp, changetype<usize>(bp));
  return biowait(bp);
}

/** bread that also starts reading `nrablks` blocks ahead: numbers at `rablks` (i32), sizes at `rasizes` (u32). */
export function breadn(
  vp: Vnode, lbn: i32, size: u32, rablks: usize, rasizes: usize, nrablks: i32, cred: usize, bpp: usize,
): i32 {
  const bp = bio_doread(vp, lbn, size, cred, 0);
  store<usize>(bpp, changetype<usize>(bp));
  for (let i: i32 = 0; i < nrablks; i++) {
    const rablk = load<i32>(rablks + (i << 2));
    if (changetype<usize>(incore(vp, rablk)) != 0) continue;
    bio_doread(vp, rablk, load<u32>(rasizes + (i << 2)), cred, B_ASYNC);
  }
  return biowait(bp);
}

/**
 * Writes a busy buffer: waits and releases it, or with B_ASYNC only starts the write.
 * On a file system mounted MNT_ASYNC the waiting kind becomes bdwrite. Returns an errno. Sleeps.
 */
export function bwrite(bp: Buf): i32 {
  const sync = (bp.b_flags & B_ASYNC) == 0;
  const vp = bp.b_vp;
  if (sync && changetype<usize>(vp.v_mount) != 0 && (vp.v_mount.mnt_flag & MNT_ASYNC) != 0) {
    bdwrite(bp);
    return 0;
  }
  const mp = write_mount(vp);
  if (changetype<usize>(mp) != 0) {
    if (sync) mp.mnt_stat.f_syncwrites++;
    else mp.mnt_stat.f_asyncwrites++;
  }
  const wasdelayed = (bp.b_flags & B_DELWRI) != 0;
  bp.b_flags &= ~(B_READ | B_DONE | B_ERROR | B_DELWRI);
  const s = splbio();
  if (wasdelayed) reassignbuf(bp, vp);
  vp.v_numoutput++;
  splx(s);
  bp.b_flags |= B_WRITEINPROG;
  bufstat.writeios++;
  bufstat.strategies++;
  VOP_STRATEGY(bp);
  if (!sync) return 0;
  const error = biowait(bp);
  brelse(bp);
  return error;
}

/** The file system that a write to vp is charged to: for a device the one mounted from it. */
function write_mount(vp: Vnode): Mount {
  return vp.v_type == VBLK && vp.v_un != 0 ? vp.v_specinfo.si_mountpoint : vp.v_mount;
}

/** Marks a busy buffer dirty, to be written later, and releases it. */
export function bdwrite(bp: Buf): void {
  // A tape must see its blocks in order, at once. Major 255 is MFS and has no entry in the table.
  if (bp.b_dev != NODEV && major(bp.b_dev) != 255 && bdev_type(bp.b_dev) == D_TAPE) {
    bawrite(bp);
    return;
  }
  bdirty(bp);
  bp.b_flags = (bp.b_flags & ~B_NEEDCOMMIT) | B_DONE;
  brelse(bp);
}

/** Marks a busy buffer dirty without releasing it. */
export function bdirty(bp: Buf): void {
  if ((bp.b_flags & B_DELWRI) != 0) return;
  bufstat.delayed++;
  const s = splbio();
  bp.b_flags |= B_DELWRI;
  reassignbuf(bp, bp.b_vp);
  splx(s);
}

/** Starts the write of a busy buffer; it is released when the write ends. */
export function bawrite(bp: Buf): void {
  bp.b_flags |= B_ASYNC;
  VOP_BWRITE(bp);
}

/** bawrite of a buffer that must reach storage in order with other such writes. */
export function bowrite(bp: Buf): i32 {
  bp.b_flags |= B_ASYNC | B_ORDERED;
  return VOP_BWRITE(bp);
}

/** Gives up a busy buffer: back to a free queue. Any level. */
export function brelse(bp: Buf): void {
  const s = splbio();
  if (biomem.needbuffer != 0) {
    biomem.needbuffer = 0;
    wakeup(changetype<usize>(biomem));
  }
  if ((bp.b_flags & B_WANTED) != 0) {
    bp.b_flags &= ~(B_WANTED | B_AGE);
    wakeup(changetype<usize>(bp));
  }
  let queued = false;
  if ((bp.b_flags & B_VFLUSH) != 0) {
    // Still on its queue, and to stay there unless another queue has become right.
    bp.b_flags &= ~B_VFLUSH;
    queued = (bp.b_flags & (B_ERROR | B_INVAL | B_LOCKED | B_AGE)) == 0;
    if (!queued) bremfree(bp);
  }
  if (!queued) brelse_queue(bp);
  bp.b_flags &= ~(B_AGE | B_ASYNC | B_BUSY | B_NOCACHE | B_ORDERED);
  splx(s);
}

/** Puts a buffer that is given up on the queue that its flags ask for. splbio. */
function brelse_queue(bp: Buf): void {
  if ((bp.b_flags & (B_ERROR | B_LOCKED)) == (B_ERROR | B_LOCKED)) bp.b_flags &= ~B_ERROR;
  if ((bp.b_flags & (B_NOCACHE | B_ERROR)) != 0) bp.b_flags |= B_INVAL;
  if (bp.b_bufsize == 0 || (bp.b_flags & B_INVAL) != 0) {
    bp.b_flags &= ~B_DELWRI;
    if (changetype<usize>(bp.b_vp) != 0) brelvp(bp);
    TAILQ_INSERT_HEAD(bufqueue(bp.b_bufsize == 0 ? BQ_EMPTY : BQ_AGE), changetype<usize>(bp), FREELIST);
    return;
  }
  let queue: u32 = BQ_LRU;
  if ((bp.b_flags & B_LOCKED) != 0) queue = BQ_LOCKED;
  else if ((bp.b_flags & B_AGE) != 0) queue = BQ_AGE;
  TAILQ_INSERT_TAIL(bufqueue(queue), changetype<usize>(bp), FREELIST);
}

/** Waits for the end of the I/O on a busy buffer. Returns its errno. Sleeps. */
export function biowait(bp: Buf): i32 {
  const s = splbio();
  while ((bp.b_flags & (B_DONE | B_DELWRI)) == 0) {
    tsleep(changetype<usize>(bp), PRIBIO + 1, cs("biowait"), 0);
  }
  splx(s);
  if ((bp.b_flags & B_EINTR) != 0) {
    bp.b_flags &= ~B_EINTR;
    return EINTR;
  }
  if ((bp.b_flags & B_ERROR) != 0) return bp.b_error != 0 ? bp.b_error : EIO;
  return 0;
}

/** The I/O on a buffer has ended (drivers; b_flags, b_error and b_resid are set). Any level. */
export function biodone(bp: Buf): void {
  const s = splbio();
  if ((bp.b_flags & B_DONE) != 0) panic(cs("biodone already"));
  bp.b_flags |= B_DONE;
  bufstat.done++;
  if ((bp.b_flags & B_READ) == 0) {
    bp.b_flags &= ~B_WRITEINPROG;
    if ((bp.b_flags & (B_ASYNC | B_ERROR)) == (B_ASYNC | B_ERROR)) vn_write_failed(bp);
    vwakeup(bp);
  }
  if ((bp.b_flags & B_CALL) != 0) {
    bp.b_flags &= ~B_CALL;
    splx(s);
    call_indirect<void>(bp.b_iodone, bp);
    return;
  }
  if ((bp.b_flags & B_ASYNC) != 0) {
    brelse(bp);
  } else {
    bp.b_flags &= ~B_WANTED;
    wakeup(changetype<usize>(bp));
  }
  splx(s);
}

/** Zeroes the valid part of a buffer. */
export function clrbuf(bp: Buf): void {
  bzero(bp.b_data, bp.b_bcount);
  bp.b_resid = 0;
}

/** Number of buffers whose flags in `mask` are `flags`. */
export function count_buffers(mask: u32, flags: u32): i32 {
  let count: i32 = 0;
  for (let i: u32 = 0; i < biomem.nbuf; i++) {
    if ((buffer(i).b_flags & mask) == flags) count++;
  }
  return count;
}

/** Number of buffers that are being written, as vfs_shutdown counts them. */
export function count_busy_buffers(): i32 {
  return count_buffers(B_BUSY | B_INVAL | B_READ, B_BUSY);
}
