// mount_mfs: newfs and mount of a memory file system by a process of its own.
//
// The process maps private memory into its own address space, builds the file
// system there (pages appear by page faults as newfs writes them) and calls
// mount(2), which copies what is not zero into the mount's own object. Then the
// process is gone and its memory with it.
//
// Boot arguments: mfs.size, mfs.bsize, mfs.fsize, mfs.way, mfs.repair.

import { MNT_ASYNC, MNT_UPDATE } from "../../fs/mount";
import { MfsArgs, mfs_stats } from "../../fs/mfs/mfsnode";
import { Mkfsargs, mkfs } from "../../fs/mfs/mkfs";
import { do_mkdir } from "../../fs/vfs_syscalls";
import { do_mount, do_unmount } from "../../fs/vfs_mount_calls";
import { Vattr } from "../../fs/vnode";
import { UVM_ADV_NORMAL, UVM_FLAG_COPYONW, UVM_INH_COPY, UVM_MAPFLAG, VM_PROT_ALL, uvm_kern_to_errno } from
  "../../vm/uvm_extern";
import { uvm_map } from "../../vm/uvm_map";
import { UvmObject } from "../../vm/uvm_object";
import { uvmexp } from "../../vm/uvm_stat";
import { frame_alloc } from "../i386/cpufunc";
import { curproc } from "../kern_proc";
import { time_second } from "../kern_time";
import { bootarg, bootarg_u32 } from "../subr_bootargs";
import { printf } from "../subr_prf";
import { ENOENT, EROFS } from "../sys/errno";
import { DEV_BSHIFT, round_page } from "../sys/param";
import { exit_program, lstat_file, run_program } from "./unistd";

const DEFAULT_SIZE: u32 = 0x800000;
/** Where the process has the file system while it builds it. */
const MEMBASE: usize = 0x10000000;
/** Permissions of the root directory; density and free space as newfs has them. */
const ROOT_MODE: u32 = 0o1777;
const MINFREE: u32 = 5;

@unmanaged class Totals {
  bytes: u64;
  files: u32;
  mounts: u32;
}
const totals = changetype<Totals>(memory.data(offsetof<Totals>(), 8));

/** Size of the mounted file system's device. */
export function mounted_bytes(): u32 {
  return bootarg_u32(cs("mfs.size"), DEFAULT_SIZE);
}

/** Private zero-fill memory at MEMBASE of the current process. */
function map_memory(size: u32): i32 {
  const addrp = frame_alloc(4);
  store<usize>(addrp, MEMBASE);
  const nothing = changetype<UvmObject>(0);
  const flags = UVM_MAPFLAG(VM_PROT_ALL, VM_PROT_ALL, UVM_INH_COPY, UVM_ADV_NORMAL, UVM_FLAG_COPYONW);
  return uvm_kern_to_errno(uvm_map(curproc().p_vmspace.vm_map, addrp, round_page(size), nothing, 0, flags));
}

/** Builds the file system in that memory. */
function newfs(size: u32): i32 {
  const args = changetype<Mkfsargs>(frame_alloc(offsetof<Mkfsargs>()));
  args.base = MEMBASE;
  args.sectors = size >> DEV_BSHIFT;
  args.bsize = bootarg_u32(cs("mfs.bsize"), 8192);
  args.fsize = bootarg_u32(cs("mfs.fsize"), 1024);
  args.minfree = MINFREE;
  args.density = 0;
  args.mode = ROOT_MODE;
  args.uid = 0;
  args.gid = 0;
  args.time = time_second();
  return mkfs(args);
}

/** The process: `arg` is the path to mount on. */
function mount_mfs_main(arg: usize): void {
  const args = changetype<MfsArgs>(frame_alloc(offsetof<MfsArgs>()));
  const size = mounted_bytes();
  let error = map_memory(size);
  if (error == 0) error = newfs(size);
  if (error == 0) {
    const way = bootarg(cs("mfs.way"));
    const repair = bootarg(cs("mfs.repair"));
    args.fspec = cs("mfs");
    args.base = MEMBASE;
    args.size = size;
    args.way = way != 0 ? way : cs("aobj");
    args.repair = repair != 0 ? repair : cs("");
    error = do_mount(cs("mfs"), arg, MNT_ASYNC, changetype<usize>(args), curproc());
  }
  exit_program(error);
}

/** Makes the folder to mount on when the root has none; a root that is still read-only is made writable for it. */
function ensure_folder(path: usize): i32 {
  const vap = changetype<Vattr>(frame_alloc(offsetof<Vattr>()));
  let error = lstat_file(path, vap);
  if (error != ENOENT) return error;
  error = do_mkdir(path, 0o755, curproc());
  if (error != EROFS) return error;
  error = do_mount(cs("ffs"), cs("/"), MNT_UPDATE, 0, curproc());
  return error != 0 ? error : do_mkdir(path, 0o755, curproc());
}

/** Mounts a memory file system on `path` by a process `mount_mfs`; 0 or an errno. */
export function mount_mfs(path: usize): i32 {
  let error = ensure_folder(path);
  if (error == 0) error = run_program(cs("mount_mfs"), mount_mfs_main.index, path);
  if (error != 0) printf(cs("mount_mfs: %s: error %d\n"), path, error);
  else totals.mounts++;
  return error;
}

function umount_main(arg: usize): void {
  exit_program(do_unmount(arg, 0, curproc()));
}

/** Unmounts `path` by a process `umount`; 0 or an errno. */
export function unmount_mfs(path: usize): i32 {
  const error = run_program(cs("umount"), umount_main.index, path);
  if (error != 0) printf(cs("umount: %s: error %d\n"), path, error);
  return error;
}

/** Adds to the figures of the summary. */
export function summary_copied(files: u32, bytes: u64): void {
  totals.files += files;
  totals.bytes += bytes;
}

/** The lines that the host reads for its summary: names and numbers, totals since boot. */
export function print_summary(): void {
  printf(cs("summary: files %u\n"), totals.files);
  printf(cs("summary: bytes %qu\n"), u32(totals.bytes), u32(totals.bytes >> 32));
  printf(cs("summary: mounts %u\n"), totals.mounts);
  printf(cs("summary: mfs_strategy_calls %u\n"), mfs_stats.strategy);
  printf(cs("summary: mfs_strategy_bytes %qu\n"), u32(mfs_stats.bytes), u32(mfs_stats.bytes >> 32));
  printf(cs("summary: uvm_faults %u\n"), uvmexp.faults);
  printf(cs("summary: uvm_faults_object %u\n"), uvmexp.flt_obj);
  printf(cs("summary: uvm_faults_wire %u\n"), uvmexp.fltwire);
  printf(cs("summary: uvm_faults_failed %u\n"), uvmexp.fltfail);
  printf(cs("summary: uvm_gets_locked %u\n"), uvmexp.fltlget);
  printf(cs("summary: uvm_gets_unlocked %u\n"), uvmexp.fltget);
}
