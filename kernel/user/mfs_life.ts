// How memory file systems of each way come and go: all of them mounted at once,
// written, read back; busy ones that do not unmount, and do by force; the process
// of a served one that is sent a signal. Two rounds; what the second has taken and
// not given back is a leak.
//
// Boot argument panic=WAY: mounts, dirties buffers, and panics, for a look at the
// sync that follows.

import { MNT_FORCE } from "../../fs/mount";
import { Vnode } from "../../fs/vnode";
import { do_unmount, sys_sync } from "../../fs/vfs_mount_calls";
import { uvmexp } from "../../vm/uvm_stat";
import { frame_alloc } from "../i386/cpufunc";
import { kwait } from "../kern_exit";
import { fork_kernel_proc } from "../kern_fork";
import { free, malloc } from "../kern_malloc";
import { curproc, pfind } from "../kern_proc";
import { psignal, tsleep } from "../kern_synch";
import { memcmp, memset } from "../libkern";
import { bootarg, bootarg_u32 } from "../subr_bootargs";
import { panic, printf, snprintf } from "../subr_prf";
import { EBUSY, EINVAL, EIO, ESRCH } from "../sys/errno";
import { M_TEMP, M_WAITOK } from "../sys/malloc";
import { PWAIT } from "../sys/param";
import { Proc } from "../sys/proc";
import { mount_mfs_way, server_of, unmount_mfs } from "./mount_mfs";
import { close_file, exit_program, open_file, read_file, run_program, write_file } from "./unistd";

const NWAYS: u32 = 5;
const BUFFER: u32 = 8192;
/** Bytes of the file on each. */
const LENGTH: u32 = 40000;
const SIGTERM: u32 = 15;
/** How often the process that makes load goes round at most. */
const MOST_ROUNDS: u32 = 10;

function life_way(n: u32): usize {
  if (n == 0) return cs("process");
  if (n == 1) return cs("uvm_io");
  if (n == 2) return cs("aobj");
  return n == 3 ? cs("window") : cs("direct");
}

/** Where way n is mounted, in `path` (32 bytes). */
function mount_point(path: usize, n: u32): void {
  snprintf(path, 32, cs("/mfs%u"), n);
}

/** Writes (or reads and compares) the file of way n. The file's bytes are all `n + 65`. */
function use_file(n: u32, writing: bool): i32 {
  const path = frame_alloc(40);
  const vpp = frame_alloc(4);
  const countp = frame_alloc(4);
  snprintf(path, 40, cs("/mfs%u/file"), n);
  let error = open_file(path, writing, 0o644, vpp);
  if (error != 0) return error;
  const vp = changetype<Vnode>(load<usize>(vpp));
  const buf = malloc(2 * BUFFER, M_TEMP, M_WAITOK);
  memset(buf, n + 65, BUFFER);
  for (let offset: u32 = 0; offset < LENGTH && error == 0; offset += BUFFER) {
    const len = LENGTH - offset < BUFFER ? LENGTH - offset : BUFFER;
    if (writing) error = write_file(vp, buf, len, u64(offset));
    else {
      error = read_file(vp, buf + BUFFER, len, u64(offset), countp);
      if (error == 0 && (load<u32>(countp) != len || memcmp(buf, buf + BUFFER, len) != 0)) error = EIO;
    }
  }
  free(buf, M_TEMP);
  close_file(vp, writing);
  return error;
}

/** A process that writes the file of way `arg`. */
function write_main(arg: usize): void {
  exit_program(use_file(u32(arg), true));
}

function read_main(arg: usize): void {
  exit_program(use_file(u32(arg), false));
}

/** All ways mounted at once; unmounted in another order than mounted. */
function several_at_once(): i32 {
  const path = frame_alloc(32);
  let error: i32 = 0;
  for (let n: u32 = 0; n < NWAYS && error == 0; n++) {
    mount_point(path, n);
    error = mount_mfs_way(path, life_way(n), 0);
  }
  for (let n: u32 = 0; n < NWAYS && error == 0; n++) error = run_program(cs("cp"), write_main.index, n);
  for (let n: u32 = 0; n < NWAYS && error == 0; n++) error = run_program(cs("cmp"), read_main.index, n);
  for (let i: u32 = 0; i < NWAYS && error == 0; i++) {
    mount_point(path, (i * 3 + 1) % NWAYS);
    error = unmount_mfs(path);
  }
  printf(cs("mfs-life: several at once: error %d\n"), error);
  return error;
}

function force_main(arg: usize): void {
  exit_program(do_unmount(arg, MNT_FORCE, curproc()));
}

/** A file is open: unmounting says EBUSY, and takes the file away by force. */
function busy_unmount(n: u32): i32 {
  const path = frame_alloc(32);
  const file = frame_alloc(40);
  const vpp = frame_alloc(4);
  const countp = frame_alloc(4);
  const buf = frame_alloc(16);
  mount_point(path, n);
  snprintf(file, 40, cs("/mfs%u/open"), n);
  let error = mount_mfs_way(path, life_way(n), 0);
  if (error == 0) error = open_file(file, true, 0o644, vpp);
  if (error != 0) return error;
  const vp = changetype<Vnode>(load<usize>(vpp));
  error = write_file(vp, cs("still here"), 10, 0);
  const server = server_of(path);
  const busy = do_unmount(path, 0, curproc());
  const before = read_file(vp, buf, 10, 0, countp);
  const forced = run_program(cs("umount"), force_main.index, path);
  if (server != 0 && forced == 0) kwait(curproc(), server, 0);
  const after = read_file(vp, buf, 10, 0, countp);
  close_file(vp, true);
  printf(cs("mfs-life: %s: busy %d, read %d, forced %d, then read %d of %u bytes\n"), life_way(n), busy, before, forced,
    after, load<u32>(countp));
  return error != 0 || busy != EBUSY || before != 0 ? EIO : forced;
}

/** Sends the process a signal and lets it think about it. */
function send(pid: i32): i32 {
  const p = pfind(pid);
  if (changetype<usize>(p) == 0) return ESRCH;
  psignal(p, SIGTERM);
  tsleep(changetype<usize>(curproc()), PWAIT, cs("nanosleep"), 5);
  return 0;
}

/** A signal unmounts; not when a file is open. */
function by_signal(n: u32): i32 {
  const path = frame_alloc(32);
  const file = frame_alloc(40);
  const vpp = frame_alloc(4);
  mount_point(path, n);
  snprintf(file, 40, cs("/mfs%u/open"), n);
  let error = mount_mfs_way(path, life_way(n), 0);
  if (error == 0) error = open_file(file, true, 0o644, vpp);
  if (error != 0) return error;
  const server = server_of(path);
  error = send(server);
  const kept = server_of(path) == server;
  close_file(changetype<Vnode>(load<usize>(vpp)), true);
  if (error == 0) error = send(server);
  const gone = server_of(path) == 0;
  if (gone) kwait(curproc(), server, 0);
  printf(cs("mfs-life: %s: a signal while busy %s it, when idle %s it\n"), life_way(n),
    kept ? cs("keeps") : cs("unmounts"), gone ? cs("unmounts") : cs("keeps"));
  return error != 0 || !kept || !gone ? EIO : 0;
}

/** A process that writes and reads the file of way `arg`, writing through, until it cannot. */
function load_main(arg: usize): void {
  let error: i32 = 0;
  let rounds: u32 = 0;
  while (error == 0 && rounds < MOST_ROUNDS) {
    error = use_file(u32(arg), true);
    sys_sync(curproc());
    if (error == 0) error = use_file(u32(arg), false);
    rounds++;
  }
  exit_program(error);
}

/** While a process is at work: a signal to the server, then an unmount by force. */
function under_load(n: u32): i32 {
  const path = frame_alloc(32);
  const newp = frame_alloc(4);
  const status = frame_alloc(4);
  mount_point(path, n);
  let error = mount_mfs_way(path, life_way(n), 2);
  if (error == 0) error = fork_kernel_proc(curproc(), load_main.index, n, cs("load"), newp);
  if (error != 0) return error;
  const pid = changetype<Proc>(load<usize>(newp)).p_pid;
  tsleep(changetype<usize>(curproc()), PWAIT, cs("nanosleep"), 3);
  const server = server_of(path);
  if (server != 0) send(server);
  let forced = run_program(cs("umount"), force_main.index, path);
  // The signal may have come between two files: then the server had it unmounted.
  if (server != 0 && forced == EINVAL && server_of(path) == 0) forced = 0;
  if (server != 0 && forced == 0) kwait(curproc(), server, 0);
  // The process at work has lost its file; or it goes on with one on the root.
  kwait(curproc(), pid, status);
  printf(cs("mfs-life: %s: unmounted under load: %d\n"), life_way(n), forced);
  return forced;
}

function one_round(): i32 {
  let error = several_at_once();
  for (let n: u32 = 0; n < NWAYS && error == 0; n++) error = busy_unmount(n);
  for (let n: u32 = 0; n < NWAYS && error == 0; n++) error = under_load(n);
  if (error == 0) error = by_signal(0);
  return error == 0 ? by_signal(1) : error;
}

/** Dirty buffers, then a panic. */
function panic_with(way: usize): void {
  const path = frame_alloc(32);
  mount_point(path, 0);
  if (mount_mfs_way(path, way, 0) == 0) use_file(0, true);
  panic(cs("mfs-life: panic with dirty buffers on an mfs by way %s"), way);
}

/** init of the workload `mfs-life`. Returns 0 or an errno. */
export function mfs_life(): i32 {
  const way = bootarg(cs("panic"));
  if (way != 0) panic_with(way);
  const rounds = bootarg_u32(cs("rounds"), 2);
  let error: i32 = 0;
  let entries: i32 = 0;
  let pages: i32 = 0;
  for (let round: u32 = 0; round < rounds && error == 0; round++) {
    entries = uvmexp.mapent_static;
    pages = uvmexp.free;
    error = one_round();
  }
  printf(cs("mfs-life: left behind: %d map entries, %d pages\n"), uvmexp.mapent_static - entries, pages - uvmexp.free);
  return error;
}
