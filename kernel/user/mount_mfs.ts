// mount_mfs: newfs and mount of a memory file system by a process of its own.
//
// The process maps private memory into its own address space, builds the file
// system there (pages appear by page faults as newfs writes them) and calls
// mount(2), which copies what is not zero into the mount's own object. Then the
// process is gone and its memory with it. With a served way (`process`, `uvm_io`)
// mount(2) keeps the process until the unmount; the mount is there when its name,
// "mfs:PID", is.
//
// Boot arguments: mfs.size, mfs.bsize, mfs.fsize, mfs.way, mfs.window, mfs.repair.

import { MNT_ASYNC, MNT_UPDATE, Mount } from "../../fs/mount";
import { MfsArgs, mfs_stats } from "../../fs/mfs/mfsnode";
import { mfs_repairs_named, mfs_way_named, mfs_way_served } from "../../fs/mfs/mfs_names";
import { Mkfsargs, mkfs } from "../../fs/mfs/mkfs";
import { MNT_LIST, mountlist } from "../../fs/vfs_mount";
import { do_mkdir } from "../../fs/vfs_syscalls";
import { do_mount, do_unmount } from "../../fs/vfs_mount_calls";
import { Vattr } from "../../fs/vnode";
import { UVM_ADV_NORMAL, UVM_FLAG_COPYONW, UVM_INH_COPY, UVM_MAPFLAG, VM_PROT_ALL, uvm_kern_to_errno } from
  "../../vm/uvm_extern";
import { uvm_map } from "../../vm/uvm_map";
import { UvmObject } from "../../vm/uvm_object";
import { uvmexp } from "../../vm/uvm_stat";
import { frame_alloc } from "../i386/cpufunc";
import { kwait } from "../kern_exit";
import { fork_kernel_proc } from "../kern_fork";
import { curproc } from "../kern_proc";
import { tsleep } from "../kern_synch";
import { time_second } from "../kern_time";
import { strcmp, strlen, strncmp, strtoul } from "../libkern";
import { bootarg, bootarg_u32 } from "../subr_bootargs";
import { printf, snprintf } from "../subr_prf";
import { ENOENT, EROFS } from "../sys/errno";
import { DEV_BSHIFT, PWAIT, round_page } from "../sys/param";
import { Proc, SZOMB } from "../sys/proc";
import { TAILQ_FIRST, TAILQ_LAST, TAILQ_NEXT, TAILQ_PREV } from "../sys/queue";
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

/** What mount_mfs_way asks of its process. */
@unmanaged class Request {
  path: usize;
  way: usize;
  window: u32;
}

/** Does the process of the way stay? */
function is_served(way: usize): bool {
  return mfs_way_served(mfs_way_named(way, strlen(way)));
}

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

/** The process: `arg` is the Request, which is there until the mount is. */
function mount_mfs_main(arg: usize): void {
  const request = changetype<Request>(arg);
  const args = changetype<MfsArgs>(frame_alloc(offsetof<MfsArgs>()));
  const size = mounted_bytes();
  let error = map_memory(size);
  if (error == 0) error = newfs(size);
  if (error == 0) {
    const repair = bootarg(cs("mfs.repair"));
    const served = is_served(request.way);
    args.fspec = served ? 0 : cs("mfs");
    args.base = MEMBASE;
    args.size = size;
    args.way = mfs_way_named(request.way, strlen(request.way));
    args.repair = repair != 0 ? mfs_repairs_named(repair) : 0;
    args.window = request.window;
    error = do_mount(cs("mfs"), request.path, MNT_ASYNC, changetype<usize>(args), curproc());
  }
  exit_program(error);
}

/** Is there a mount whose name is "mfs:PID"? */
function is_served_by(pid: i32): bool {
  const name = frame_alloc(16);
  snprintf(name, 16, cs("mfs:%d"), pid);
  let at = TAILQ_FIRST(mountlist);
  while (at != 0) {
    if (strcmp(changetype<Mount>(at).mnt_stat.f_mntfromname, name) == 0) return true;
    at = TAILQ_NEXT(at, MNT_LIST);
  }
  return false;
}

/** Starts a process that stays, and waits until the mount is there, or the process not any more. */
function start_server(request: Request): i32 {
  const newp = frame_alloc(4);
  const status = frame_alloc(4);
  const error = fork_kernel_proc(curproc(), mount_mfs_main.index, changetype<usize>(request), cs("mount_mfs"), newp);
  if (error != 0) return error;
  const server = changetype<Proc>(load<usize>(newp));
  const pid = server.p_pid;
  while (!is_served_by(pid)) {
    if (server.p_stat == SZOMB) {
      const waited = kwait(curproc(), pid, status);
      return waited != 0 ? waited : load<i32>(status) >> 8;
    }
    tsleep(changetype<usize>(request), PWAIT, cs("nanosleep"), 1);
  }
  return 0;
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

/** Mounts a memory file system on `path` by the way that the boot arguments name; 0 or an errno. */
export function mount_mfs(path: usize): i32 {
  const way = bootarg(cs("mfs.way"));
  return mount_mfs_way(path, way != 0 ? way : cs("aobj"), bootarg_u32(cs("mfs.window"), 0));
}

/** Mounts a memory file system on `path` by a process `mount_mfs`; `window` as in MfsArgs. 0 or an errno. */
export function mount_mfs_way(path: usize, way: usize, window: u32): i32 {
  const request = changetype<Request>(frame_alloc(offsetof<Request>()));
  request.path = path;
  request.way = way;
  request.window = window;
  let error = ensure_folder(path);
  if (error == 0) {
    error = is_served(way) ? start_server(request)
      : run_program(cs("mount_mfs"), mount_mfs_main.index, changetype<usize>(request));
  }
  if (error != 0) printf(cs("mount_mfs: %s: error %d\n"), path, error);
  else totals.mounts++;
  return error;
}

function umount_main(arg: usize): void {
  exit_program(do_unmount(arg, 0, curproc()));
}

/** The process that serves the file system mounted on `path`; 0 when none does. */
export function server_of(path: usize): i32 {
  let at = TAILQ_LAST(mountlist);
  while (at != 0) {
    const stat = changetype<Mount>(at).mnt_stat;
    const served = strncmp(stat.f_mntfromname, cs("mfs:"), 4) == 0;
    if (served && strcmp(stat.f_mntonname, path) == 0) return i32(strtoul(stat.f_mntfromname + 4, 0, 10));
    at = TAILQ_PREV(at, MNT_LIST);
  }
  return 0;
}

/** Unmounts `path` by a process `umount` and takes leave of the process that served it; 0 or an errno. */
export function unmount_mfs(path: usize): i32 {
  const server = server_of(path);
  const error = run_program(cs("umount"), umount_main.index, path);
  if (error != 0) printf(cs("umount: %s: error %d\n"), path, error);
  else if (server != 0) kwait(curproc(), server, 0);
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
