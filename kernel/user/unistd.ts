// What the kernel's own test programs (init.ts) use of the system: processes and
// files. They run as kernel processes, each with an address space of its own, and
// reach files through namei, the vnode operations and the buffer cache.
//
// Functions return 0 or an errno unless they say otherwise; all may sleep.

import { FREAD, FWRITE, O_CREAT, O_TRUNC } from "../../fs/fcntl";
import { FOLLOW, LOOKUP, Nameidata } from "../../fs/namei";
import { NDINIT } from "../../fs/vfs_lookup";
import { vn_close, vn_open, vn_rdwr } from "../../fs/vfs_vnops";
import { NOCRED, Vnode } from "../../fs/vnode";
import { VOP_UNLOCK } from "../../fs/vnode_if";
import { exit1, kwait } from "../kern_exit";
import { fork_kernel_proc } from "../kern_fork";
import { curproc } from "../kern_proc";
import { frame_alloc } from "../i386/cpufunc";
import { printf } from "../subr_prf";
import { Proc } from "../sys/proc";
import { UIO_READ, UIO_SYSSPACE, UIO_WRITE } from "../sys/uio";

/**
 * Runs the function at code address `main` (`f.index` of an (arg: usize) => void) as a new process called `name` and
 * waits for it. Returns its exit status, or a negative errno when there is no process to be had.
 */
export function run_program(name: usize, main: u32, arg: usize): i32 {
  const newp = frame_alloc(4);
  const status = frame_alloc(4);
  const error = fork_kernel_proc(curproc(), main, arg, name, newp);
  if (error != 0) {
    printf(cs("fork: %s: error %d\n"), name, error);
    return -error;
  }
  const waited = kwait(curproc(), changetype<Proc>(load<usize>(newp)).p_pid, status);
  return waited != 0 ? -waited : load<i32>(status) >> 8;
}

/** Ends the current process with exit code `code` (0 to 255). Does not return. */
export function exit_program(code: i32): void {
  exit1(curproc(), code << 8);
}

/** Opens `path` for reading or (created, emptied) for writing; the unlocked, referenced vnode goes to `vpp`. */
export function open_file(path: usize, writing: bool, mode: u32, vpp: usize): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  NDINIT(nd, LOOKUP, FOLLOW, UIO_SYSSPACE, path, curproc());
  const error = vn_open(nd, writing ? FWRITE | O_CREAT | O_TRUNC : FREAD, mode);
  if (error != 0) return error;
  store<usize>(vpp, changetype<usize>(nd.ni_vp));
  VOP_UNLOCK(nd.ni_vp, 0);
  return 0;
}

/** Opens the existing file `path` for writing as it is. */
export function append_file(path: usize, vpp: usize): i32 {
  const nd = changetype<Nameidata>(frame_alloc(offsetof<Nameidata>()));
  NDINIT(nd, LOOKUP, FOLLOW, UIO_SYSSPACE, path, curproc());
  const error = vn_open(nd, FWRITE, 0);
  if (error != 0) return error;
  store<usize>(vpp, changetype<usize>(nd.ni_vp));
  VOP_UNLOCK(nd.ni_vp, 0);
  return 0;
}

export function close_file(vp: Vnode, writing: bool): i32 {
  return vn_close(vp, writing ? FWRITE : FREAD, NOCRED, curproc());
}

/** Reads up to `len` bytes at `offset`; the count goes to `countp`. */
export function read_file(vp: Vnode, buf: usize, len: u32, offset: u64, countp: usize): i32 {
  const residp = frame_alloc(4);
  const error = vn_rdwr(UIO_READ, vp, buf, len, i64(offset), UIO_SYSSPACE, 0, NOCRED, residp, curproc());
  store<u32>(countp, error != 0 ? 0 : len - load<u32>(residp));
  return error;
}

/** Writes `len` bytes at `offset`. */
export function write_file(vp: Vnode, buf: usize, len: u32, offset: u64): i32 {
  return vn_rdwr(UIO_WRITE, vp, buf, len, i64(offset), UIO_SYSSPACE, 0, NOCRED, 0, curproc());
}
