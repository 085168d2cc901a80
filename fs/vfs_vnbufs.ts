// Buffers of a vnode: which vnode a buffer belongs to, on its clean or its dirty
// list, and how all of them are written back or thrown away.
//
// Every buffer with b_vp set is on exactly one of v_cleanblkhd and v_dirtyblkhd,
// and holds the vnode (v_holdcnt). Dirty means B_DELWRI. A vnode with dirty
// buffers is on the syncer's work list. All lists change at splbio.
import { splbio, splx } from "../kernel/i386/intr";
import { tsleep, wakeup } from "../kernel/kern_synch";
import { panic } from "../kernel/subr_prf";
import { EIO } from "../kernel/sys/errno";
import { PRIBIO } from "../kernel/sys/param";
import { Proc } from "../kernel/sys/proc";
import { LIST_FIRST, LIST_INSERT_HEAD, LIST_NEXT, LIST_REMOVE } from "../kernel/sys/queue";
import { B_BUSY, B_DELWRI, B_INVAL, B_VFLUSH, B_WANTED, Buf } from "./buf";
import { bawrite, brelse, bwrite } from "./vfs_bio";
import { holdrele, vhold } from "./vfs_subr";
import { vn_syncer_add_to_worklist, vn_syncer_delay, vn_syncer_remove_from_worklist } from "./vfs_sync";
import { FSYNC_RECLAIM, FSYNC_WAIT, VBLK, VBWAIT, VCHR, VONWORKLST, V_SAVE, V_SAVEMETA, Vnode } from "./vnode";
import { VOP_BWRITE, VOP_FSYNC } from "./vnode_if";

const VNBUFS: usize = offsetof<Buf>("b_vnbufs_next");
/** b_vnbufs_next of a buffer on no list. */
const NOLIST: usize = 0x87654321;

function cleanhead(vp: Vnode): usize {
  return changetype<usize>(vp) + offsetof<Vnode>("v_cleanblkhd");
}

function dirtyhead(vp: Vnode): usize {
  return changetype<usize>(vp) + offsetof<Vnode>("v_dirtyblkhd");
}

function bufremvn(bp: Buf): void {
  LIST_REMOVE(changetype<usize>(bp), VNBUFS);
  bp.b_vnbufs_next = NOLIST;
}

/** A write of bp has ended: one output of its vnode less. Interrupt level, splbio. */
export function vwakeup(bp: Buf): void {
  const vp = bp.b_vp;
  if (changetype<usize>(vp) == 0) return;
  vp.v_numoutput--;
  if (vp.v_numoutput < 0) panic(cs("vwakeup: neg numoutput, vp %p"), changetype<usize>(vp));
  if ((vp.v_flag & VBWAIT) != 0 && vp.v_numoutput <= 0) {
    vp.v_flag &= ~VBWAIT;
    wakeup(changetype<usize>(vp) + offsetof<Vnode>("v_numoutput"));
  }
}

/**
 * The write of bp, which nobody waits for, has failed: its data is gone with the buffer. The vnode
 * remembers the first such error until somebody can be told. Interrupt level, splbio.
 */
export function vn_write_failed(bp: Buf): void {
  const vp = bp.b_vp;
  if (changetype<usize>(vp) != 0 && vp.v_error == 0) vp.v_error = bp.b_error != 0 ? bp.b_error : EIO;
}

/**
 * The errno of a write in the background that failed since this was last asked, or 0. Asked by who
 * can tell a person: write(2), fsync(2), close(2) of a file open for writing, unmount, and vclean at last.
 */
export function vn_write_error(vp: Vnode): i32 {
  const error = vp.v_error;
  vp.v_error = 0;
  return error;
}

/** Waits until no write of vp is under way. Sleeps. */
export function vwaitoutput(vp: Vnode): void {
  const s = splbio();
  while (vp.v_numoutput > 0) {
    vp.v_flag |= VBWAIT;
    tsleep(changetype<usize>(vp) + offsetof<Vnode>("v_numoutput"), PRIBIO + 1, cs("vbwait"), 0);
  }
  splx(s);
}

/** Gives the buffer to a vnode, on its clean list. splbio; bp is busy and belongs to none. */
export function bgetvp(vp: Vnode, bp: Buf): void {
  if (changetype<usize>(bp.b_vp) != 0) panic(cs("bgetvp: not free, bp %p"), changetype<usize>(bp));
  vhold(vp);
  bp.b_vp = vp;
  if (vp.v_type == VBLK || vp.v_type == VCHR) bp.b_dev = vp.v_rdev;
  else bp.b_dev = 0xffffffff;
  LIST_INSERT_HEAD(cleanhead(vp), changetype<usize>(bp), VNBUFS);
}

/** Takes the buffer from its vnode. splbio. */
export function brelvp(bp: Buf): void {
  const vp = bp.b_vp;
  if (changetype<usize>(vp) == 0) panic(cs("brelvp: vp NULL, bp %p"), changetype<usize>(bp));
  if (bp.b_vnbufs_next != NOLIST) bufremvn(bp);
  if ((vp.v_flag & VONWORKLST) != 0 && LIST_FIRST(dirtyhead(vp)) == 0) vn_syncer_remove_from_worklist(vp);
  bp.b_vp = changetype<Vnode>(0);
  holdrele(vp);
}

/**
 * Puts the buffer on the list of `newvp` that its B_DELWRI asks for, and the
 * vnode on or off the syncer's work list. splbio.
 */
export function reassignbuf(bp: Buf, newvp: Vnode): void {
  if (bp.b_vnbufs_next != NOLIST) bufremvn(bp);
  if ((bp.b_flags & B_DELWRI) == 0) {
    LIST_INSERT_HEAD(cleanhead(newvp), changetype<usize>(bp), VNBUFS);
    if ((newvp.v_flag & VONWORKLST) != 0 && LIST_FIRST(dirtyhead(newvp)) == 0) vn_syncer_remove_from_worklist(newvp);
    return;
  }
  LIST_INSERT_HEAD(dirtyhead(newvp), changetype<usize>(bp), VNBUFS);
  if ((newvp.v_flag & VONWORKLST) == 0) vn_syncer_add_to_worklist(newvp, vn_syncer_delay(newvp));
}

/** The next buffer of a list from `addr` on that vinvalbuf shall take: with `savemeta` not the indirect blocks. */
function invalidable(addr: usize, savemeta: bool): usize {
  while (addr != 0) {
    if (!savemeta || changetype<Buf>(addr).b_lblkno >= 0) return addr;
    addr = LIST_NEXT(addr, VNBUFS);
  }
  return 0;
}

/**
 * Throws away the buffers of vp. V_SAVE writes dirty ones first; V_SAVEMETA keeps
 * those with negative block numbers (indirect blocks). `slpflag` and `slptimeo` go
 * to tsleep while a buffer is busy. Returns an errno of the write or the sleep. vp locked.
 */
export function vinvalbuf(vp: Vnode, flags: u32, cred: usize, p: Proc, slpflag: i32, slptimeo: i32): i32 {
  if ((flags & V_SAVE) != 0) {
    const error = VOP_FSYNC(vp, cred, FSYNC_WAIT | FSYNC_RECLAIM, p);
    if (error != 0) return error;
    if (LIST_FIRST(dirtyhead(vp)) != 0) panic(cs("vinvalbuf: dirty bufs, vp %p"), changetype<usize>(vp));
  }
  const savemeta = (flags & V_SAVEMETA) != 0;
  const s = splbio();
  while (true) {
    let addr = invalidable(LIST_FIRST(cleanhead(vp)), savemeta);
    if (addr == 0) addr = invalidable(LIST_FIRST(dirtyhead(vp)), savemeta);
    if (addr == 0) break;
    const bp = changetype<Buf>(addr);
    if ((bp.b_flags & B_BUSY) != 0) {
      bp.b_flags |= B_WANTED;
      const error = tsleep(addr, slpflag | (PRIBIO + 1), cs("vinvalbuf"), slptimeo);
      if (error != 0) {
        splx(s);
        return error;
      }
      continue;
    }
    bp.b_flags |= B_BUSY | B_VFLUSH;
    if ((bp.b_flags & B_DELWRI) != 0 && (flags & V_SAVE) != 0) {
      VOP_BWRITE(bp);
      continue;
    }
    bp.b_flags |= B_INVAL;
    brelse(bp);
  }
  if ((flags & V_SAVEMETA) == 0 && (LIST_FIRST(dirtyhead(vp)) != 0 || LIST_FIRST(cleanhead(vp)) != 0)) {
    panic(cs("vinvalbuf: flush failed, vp %p"), changetype<usize>(vp));
  }
  splx(s);
  return 0;
}

/** One pass over the dirty list: starts the write of the first idle buffer; false when there is none. */
function flush_first(vp: Vnode, sync: bool): bool {
  const s = splbio();
  let addr = LIST_FIRST(dirtyhead(vp));
  while (addr != 0) {
    const bp = changetype<Buf>(addr);
    if ((bp.b_flags & B_BUSY) == 0) {
      if ((bp.b_flags & B_DELWRI) == 0) panic(cs("vflushbuf: not dirty, bp %p"), addr);
      bp.b_flags |= B_BUSY | B_VFLUSH;
      splx(s);
      // An indirect block of a device is written at once; the vnode's own can be waited for together.
      if (bp.b_vp == vp || !sync) bawrite(bp);
      else bwrite(bp);
      return true;
    }
    addr = LIST_NEXT(addr, VNBUFS);
  }
  splx(s);
  return false;
}

/** Starts the writes of all dirty buffers of vp; with `sync` waits for them and for busy ones. Sleeps. */
export function vflushbuf(vp: Vnode, sync: bool): void {
  while (true) {
    while (flush_first(vp, sync)) {}
    if (!sync) return;
    vwaitoutput(vp);
    const s = splbio();
    const addr = LIST_FIRST(dirtyhead(vp));
    if (addr != 0 && (changetype<Buf>(addr).b_flags & B_BUSY) != 0) {
      changetype<Buf>(addr).b_flags |= B_WANTED;
      tsleep(addr, PRIBIO + 1, cs("vflushbuf"), 0);
    }
    splx(s);
    if (addr == 0) return;
  }
}
