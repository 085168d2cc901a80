// The way `process`: the file system stays in the memory of mount_mfs, and only
// that process touches it (mfs.md §3), as MFS has always been.
//
// A request of another process is queued; mount_mfs wakes up, copies between the
// buffer and its own memory (copyin, copyout: the pages appear by faults, or come
// from wherever they are), and sleeps again. So each request costs two switches
// of the address space.
//
// While the kernel panics nobody can be switched to. Who would wait for the
// request gets an error; what nobody waits for stays where it is, busy, and the
// count that "syncing disks" prints does not go down: it gives up.

import { copyin, copyout } from "../../kernel/i386/support";
import { curproc } from "../../kernel/kern_proc";
import { wakeup } from "../../kernel/kern_synch";
import { panicstr } from "../../kernel/subr_prf";
import { EIO } from "../../kernel/sys/errno";
import { DEV_BSHIFT } from "../../kernel/sys/param";
import { TAILQ_INSERT_TAIL } from "../../kernel/sys/queue";
import { B_ASYNC, B_READ, Buf } from "../buf";
import { MFS_CLOSED, MfsArgs, Mfsnode, Mfsway, mfs_inrange, mfs_iodone } from "./mfsnode";

/** The transfer, in the context of the server. */
function mfs_doio(mfsp: Mfsnode, bp: Buf): void {
  const base = mfsp.mfs_baseoff + (usize(bp.b_blkno) << DEV_BSHIFT);
  const error = (bp.b_flags & B_READ) != 0 ? copyin(base, bp.b_data, bp.b_bcount)
    : copyout(bp.b_data, base, bp.b_bcount);
  mfs_iodone(bp, error);
}

function mfs_process_io(mfsp: Mfsnode, bp: Buf): void {
  if (!mfs_inrange(mfsp, bp) || (mfsp.mfs_flags & MFS_CLOSED) != 0) {
    mfs_iodone(bp, EIO);
  } else if (curproc() == mfsp.mfs_server) {
    mfs_doio(mfsp, bp);
  } else if (panicstr() != 0 && (bp.b_flags & B_ASYNC) == 0) {
    mfs_iodone(bp, EIO);
  } else {
    TAILQ_INSERT_TAIL(mfsp.mfs_buflist, changetype<usize>(bp), offsetof<Buf>("b_actq_next"));
    wakeup(mfsp.mfs_buflist);
  }
}

function mfs_process_attach(mfsp: Mfsnode, args: MfsArgs): i32 {
  return 0;
}

function mfs_process_detach(mfsp: Mfsnode): void {}

/** Fills in the functions of the way. */
export function mfs_process_init(way: Mfsway): void {
  way.set_io(mfs_process_io);
  way.set_attach(mfs_process_attach);
  way.set_detach(mfs_process_detach);
}
