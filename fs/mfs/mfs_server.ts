// The process that serves a memory file system: its life, for the ways whose
// bytes lie in the memory of that process (mfs.md §3).
//
// mount(2) does not return: the process stays in mfs_start, asleep ("mfsidl"),
// until the file system is unmounted. What wakes it:
//
//   a request on mfs_buflist   it does it, in its own address space
//   a signal                   somebody wants the process gone, and so the file
//                              system: it has it unmounted
//   the device is closed       mount(2) returns, the process exits, its memory goes
//
// The server must not unmount by itself. dounmount waits for whoever works on the
// mount, and they may wait for a request that only the server can do. So a child
// does it while the server goes on serving; if the file system is busy the signal
// is forgotten, and the file system lives on.
//
// The Mfsnode outlives the vnode as long as the server needs it (mfs_refs). The
// Mount does not: it is there only while the device is not closed.

import { free } from "../../kernel/kern_malloc";
import { exit1, kwait } from "../../kernel/kern_exit";
import { fork_kernel_proc } from "../../kernel/kern_fork";
import { curproc } from "../../kernel/kern_proc";
import { CURSIG } from "../../kernel/kern_sig";
import { tsleep, wakeup } from "../../kernel/kern_synch";
import { frame_alloc } from "../../kernel/i386/cpufunc";
import { EBUSY } from "../../kernel/sys/errno";
import { LK_NOWAIT } from "../../kernel/sys/lock";
import { M_MFSNODE } from "../../kernel/sys/malloc";
import { PCATCH, PWAIT } from "../../kernel/sys/param";
import { Proc } from "../../kernel/sys/proc";
import { TAILQ_FIRST, TAILQ_REMOVE } from "../../kernel/sys/queue";
import { Buf } from "../buf";
import { Mount } from "../mount";
import { VFSTOUFS } from "../ufs/ufsmount";
import { dounmount, vfs_busy } from "../vfs_mount";
import { MFS_CLOSED, MFS_UNMOUNTED, MFS_UNMOUNTING, Mfsnode, VTOMFS } from "./mfsnode";

/** Lets go of the struct; the last frees it. */
export function mfs_node_rele(mfsp: Mfsnode): void {
  mfsp.mfs_refs--;
  if (mfsp.mfs_refs == 0) free(changetype<usize>(mfsp), M_MFSNODE);
}

/** The device is closed: sends the server home. */
export function mfs_server_dismiss(mfsp: Mfsnode): void {
  mfsp.mfs_flags |= MFS_CLOSED;
  wakeup(mfsp.mfs_buflist);
}

/** Does all requests that wait. In the server's context. */
function serve(mfsp: Mfsnode): void {
  for (; ;) {
    const bp = TAILQ_FIRST(mfsp.mfs_buflist);
    if (bp == 0) return;
    TAILQ_REMOVE(mfsp.mfs_buflist, bp, offsetof<Buf>("b_actq_next"));
    mfsp.mfs_way.way_io(mfsp, changetype<Buf>(bp));
  }
}

/** What the server's child needs to know. Lives in the server's frame. */
@unmanaged
class Unmounter {
  mfsp: Mfsnode;
  mp: Mount;
}

/** The child that unmounts. */
function mfs_unmounter(arg: usize): void {
  const args = changetype<Unmounter>(arg);
  const mfsp = args.mfsp;
  let error: i32 = 0;
  if ((mfsp.mfs_flags & MFS_CLOSED) == 0) {
    error = vfs_busy(args.mp, LK_NOWAIT, 0) != 0 ? EBUSY : dounmount(args.mp, 0, curproc());
  }
  mfsp.mfs_unmount_error = error;
  mfsp.mfs_flags |= MFS_UNMOUNTED;
  wakeup(mfsp.mfs_buflist);
  exit1(curproc(), 0);
}

/** Forgets the signal that has come (CLRSIG). */
function clear_signal(p: Proc): void {
  const signum = CURSIG(p);
  if (signum != 0) p.p_siglist &= ~(1 << (signum - 1));
}

/** The child is done: takes leave of it. */
function reap_unmounter(mfsp: Mfsnode, p: Proc, pid: i32): void {
  kwait(p, pid, 0);
  mfsp.mfs_flags &= ~(MFS_UNMOUNTING | MFS_UNMOUNTED);
  if (mfsp.mfs_unmount_error != 0) clear_signal(p);
}

/** Starts the child. Its pid goes to `pidp`. */
function start_unmounter(mfsp: Mfsnode, args: Unmounter, p: Proc, pidp: usize): void {
  const newp = frame_alloc(4);
  if (fork_kernel_proc(p, mfs_unmounter.index, changetype<usize>(args), cs("mfs_unmount"), newp) != 0) {
    clear_signal(p);
    return;
  }
  mfsp.mfs_flags |= MFS_UNMOUNTING;
  store<i32>(pidp, changetype<Proc>(load<usize>(newp)).p_pid);
}

/** VFS_START: serves until the file system is unmounted; returns at once for ways that need no process. Sleeps. */
export function mfs_start(mp: Mount, flags: u32, p: Proc): i32 {
  const mfsp = VTOMFS(VFSTOUFS(mp).um_devvp);
  if (changetype<usize>(mfsp.mfs_server) == 0) return 0;
  const args = changetype<Unmounter>(frame_alloc(offsetof<Unmounter>()));
  const pidp = frame_alloc(4);
  args.mfsp = mfsp;
  args.mp = mp;
  mfsp.mfs_refs++;
  for (; ;) {
    serve(mfsp);
    const unmounting = (mfsp.mfs_flags & MFS_UNMOUNTING) != 0;
    if ((mfsp.mfs_flags & MFS_UNMOUNTED) != 0) {
      reap_unmounter(mfsp, p, load<i32>(pidp));
      continue;
    }
    if ((mfsp.mfs_flags & MFS_CLOSED) != 0 && !unmounting) break;
    const error = tsleep(mfsp.mfs_buflist, unmounting ? PWAIT : PWAIT | PCATCH, cs("mfsidl"), 0);
    if (error != 0 && (mfsp.mfs_flags & MFS_CLOSED) == 0) start_unmounter(mfsp, args, p, pidp);
  }
  mfs_node_rele(mfsp);
  return 0;
}
